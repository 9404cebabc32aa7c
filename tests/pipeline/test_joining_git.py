"""The words that git itself writes, by a real git, read by the local source and joined."""

import subprocess
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from models.values import Digest
from pipeline.digest import digest
from sources.git import LocalGit

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Repository:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")
        self.commit("Begin")

    def git(self, *arguments: str) -> str:
        who = [
            "-c",
            "user.name=Jane Smith",
            "-c",
            "user.email=jane@example.com",
            "-c",
            "commit.gpgsign=false",
        ]
        done = subprocess.run(
            ["git", "-C", self.folder, *who, *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, message: str, file: str | None = None) -> str:
        path = self.folder / (file or message.split("\n")[0].replace(" ", "-"))
        path.write_text(message)
        self.git("add", ".")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str, *messages: str) -> None:
        self.git("switch", "-q", "-c", name)
        for message in messages:
            self.commit(message)
        self.git("switch", "-q", "main")

    def merge(self, name: str, message: str) -> str:
        self.git("merge", "-q", "--no-ff", "-m", message, name)
        return self.git("rev-parse", "HEAD")

    def told(self) -> Digest:
        found = LocalGit(self.folder, root=self.folder.parent).scan(LONG_AGO)
        made = digest(found, cadence="weekly", zone=ZoneInfo("UTC"))
        keys = Counter(key for item in made.items for key in (item.key, *item.folded))
        keys += Counter(key for key, _ in made.left_out)
        read = [one.key for one in (*found.commits, *found.pulls, *found.issues, *found.releases)]
        assert keys == Counter(read)
        return made

    def titles(self) -> set[str]:
        return {item.title for item in self.told().items}


@pytest.fixture
def repository(tmp_path) -> Repository:
    return Repository(tmp_path / "lib")


def test_gits_own_reverts(repository):
    added = repository.commit("Add x")
    repository.commit("Add y")
    repository.git("revert", "--no-edit", added)
    assert repository.titles() == {"Begin", "Add y"}
    repository.git("revert", "--no-edit", "HEAD")  # `Reapply` or `Revert "Revert`, by git's version
    assert repository.titles() == {"Begin", "Add y", "Add x"}


def test_gits_own_revert_of_a_merge(repository):
    repository.branch("x", "Start x", "Test x")
    merge = repository.merge("x", "Merge pull request #7 from jane/x\n\nAdd x")
    assert repository.titles() == {"Begin", "Add x"}
    repository.commit("Add y")
    repository.git("revert", "--no-edit", "-m", "1", merge)
    assert repository.titles() == {"Begin", "Add y"}


def test_gits_own_revert_of_a_plain_merge(repository):
    repository.branch("x", "Start x", "Test x")
    merge = repository.merge("x", "Merge branch 'x'")
    assert repository.titles() == {"Begin", "Start x", "Test x"}
    repository.git("revert", "--no-edit", "-m", "1", merge)
    assert repository.titles() == {"Begin"}


def test_gits_own_picks(repository):
    repository.branch("stable", "Fix the parser\n\nFixes #12")
    repository.git("cherry-pick", "-x", "stable")
    repository.merge("stable", "Merge branch 'stable'")
    made = repository.told()
    assert {item.title for item in made.items} == {"Begin", "Fix the parser"}
    [fix] = [item for item in made.items if item.title == "Fix the parser"]
    assert [(issue.ref, issue.title) for issue in fix.closes] == [("I12", "")]


def test_a_squash_with_what_it_closes(repository):
    repository.branch("x", "Start x", "Test x")
    repository.git("merge", "-q", "--squash", "x")
    repository.git("-c", "user.name=GitHub", "commit", "-q", "-m", "Add x (#7)\n\nCloses #12, #13")
    made = repository.told()
    # Nobody but GitHub makes such a title a pull request; here it is a commit, and closes what it says.
    [squash] = [item for item in made.items if item.kind == "commit" and item.title == "Add x (#7)"]
    assert {issue.ref for issue in squash.closes} >= {"I12"}
    assert not [item for item in made.items if item.kind == "issue"]
