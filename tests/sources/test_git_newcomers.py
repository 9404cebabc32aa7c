"""Who is new in a local repository, and who only seems to be."""

from pathlib import Path

import pytest

from models.values import Person
from sources import git_newcomers
from sources.git_cli import Late
from tests.sources.git_repo import START, Repo

ADA = ("Ada", "7+ada@users.noreply.github.com")


@pytest.fixture
def repo(tmp_path: Path, clock) -> Repo:
    return Repo(tmp_path / "awesome-lib")


def newcomers(repo: Repo, base: str | None, **more) -> list[str]:
    return [one.name for one in repo.scan(base=base, **more).newcomers]


def test_who_had_nothing_before_the_window_is_new(repo: Repo) -> None:
    base = repo.commit("Old", -1)
    repo.commit("Add x", 1, by=ADA)
    repo.commit("Add y", 2)
    found = repo.scan(base=base)
    assert found.newcomers == (Person("Ada", "ada"),)
    assert found.commits[1].author == found.newcomers[0]


def test_without_a_base_nobody_knows(repo: Repo) -> None:
    repo.commit("Add x", 1, by=ADA)
    assert newcomers(repo, None) == []


def test_names_and_addresses_are_enough_to_be_known_in_any_case(repo: Repo) -> None:
    base = repo.commit("Old", -2, by=("Ada", "ada@example.org"))
    repo.commit("By the same name", 1, by=("ADA", "ada@work.example"))
    repo.commit("By the same address", 2, by=("Ada Lovelace", "Ada@Example.org"))
    assert newcomers(repo, base) == []


def test_the_mailmap_tells_who_is_who(repo: Repo) -> None:
    base = repo.commit("Old", -2, by=("Ada", "ada@example.org"))
    mapped = {".mailmap": "Ada <ada@example.org> <countess@example.net>\n"}
    repo.commit("Under another name", 1, mapped, by=("Countess", "countess@example.net"))
    assert newcomers(repo, base) == []


def test_a_shallow_clone_greets_nobody(repo: Repo, tmp_path: Path) -> None:
    repo.commit("Old", -2, by=ADA)
    base = repo.commit("Cut here", -1)
    repo.commit("Add x", 1, by=ADA)
    repo.git("clone", "-q", "--depth=2", f"file://{repo.path}", str(tmp_path / "shallow"), at=None)
    shallow = Repo.__new__(Repo)
    shallow.path = tmp_path / "shallow"
    assert newcomers(shallow, base) == []
    assert [commit.title for commit in shallow.scan(base=base).commits] == ["Add x"]


def test_a_lost_base_greets_nobody_and_fails_nothing(repo: Repo) -> None:
    repo.commit("Add x", 1, by=ADA)
    found = repo.scan(START, base="0" * 40)
    assert (len(found.commits), found.newcomers) == (1, ())


def test_a_history_too_long_to_be_counted_in_time_greets_nobody(repo: Repo, monkeypatch) -> None:
    base = repo.commit("Old", -1)
    repo.commit("Add x", 1, by=ADA)

    def late(*_: object) -> None:
        raise Late("Git took longer than 60 seconds.")

    monkeypatch.setattr(git_newcomers, "_authors", late)
    found = repo.scan(base=base)
    assert (len(found.commits), found.newcomers) == (1, ())
