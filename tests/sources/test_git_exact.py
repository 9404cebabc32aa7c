"""What the local source takes for new: windows, pull requests, issues, releases, and what caps cut."""

from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from models.values import Activity, Brief, ItemKind, Voice
from pipeline.digest import digest
from platforms import PLATFORMS
from sources.base import Caps, SourceError
from sources.git import LocalGit
from tests.sources.git_repo import START, Repo, titles
from writers.template import TemplateWriter

GITHUB = ("GitHub", "noreply@github.com")
Keys = Collection[tuple[ItemKind, str]]


@pytest.fixture
def repo(tmp_path: Path, clock) -> Repo:
    return Repo(tmp_path / "awesome-lib")


class Job:
    """What a job keeps between scans: the head, and what it told."""

    def __init__(self, repo: Repo) -> None:
        self.repo = repo
        self.head: str | None = None
        self.told: set[tuple[ItemKind, str]] = set()
        self.scans = 0

    def scan(self, **more) -> Activity:
        margin = START - timedelta(hours=24) if self.scans else None
        found = self.repo.scan(base=self.head, margin_from=margin, told=self.told.intersection, **more)
        self.told |= set(found.keys())
        self.head, self.scans = found.window.head, self.scans + 1
        return found


@pytest.fixture
def job(repo: Repo) -> Job:
    return Job(repo)


# --- Windows


def test_takes_what_came_after_the_base_whatever_its_date(repo: Repo) -> None:
    base = repo.commit("Known", -2)
    repo.commit("Pushed late with an old date", -48)
    repo.commit("New", 1)
    assert titles(repo.scan()) == ["New"]
    assert titles(repo.scan(base=base)) == ["New", "Pushed late with an old date"]


def test_a_branch_merged_late_brings_its_old_commits(repo: Repo, job: Job) -> None:
    repo.commit("Start", 1)
    repo.git("checkout", "-q", "-b", "side")
    for n in range(3):
        repo.commit(f"Old {n}", n - 900)
    repo.git("checkout", "-q", "main")
    repo.commit("Meanwhile", 2)
    assert titles(job.scan()) == ["Meanwhile", "Start"]
    repo.git("merge", "-q", "--no-ff", "-m", "Merge branch 'side'", "side", at=3)
    assert titles(job.scan()) == ["Merge branch 'side'", "Old 2", "Old 1", "Old 0"]
    assert job.scan().has_activity is False


def test_a_wrong_clock_reorders_nothing(repo: Repo, job: Job) -> None:
    repo.commit("Start", 1)
    job.scan()
    for n, at in enumerate((2, 300, -300, 4)):
        repo.commit(f"Step {n}", at)
    assert titles(job.scan()) == ["Step 3", "Step 2", "Step 1", "Step 0"]


@pytest.mark.parametrize("base", ["--all", "main", "HEAD"])
def test_a_base_that_is_no_id_leaves_the_dates(repo: Repo, base: str) -> None:
    repo.commit("Old", -48)
    repo.commit("New", 1)
    assert titles(repo.scan(base=base)) == ["New"]


def test_a_base_that_is_gone_leaves_the_dates_and_is_said(repo: Repo) -> None:
    told = repo.commit("Told", -3)
    repo.commit("Too old", -48)
    repo.commit("Inside the margin", -2)
    repo.commit("New", 1)
    keys = {("commit", told)}
    margin = START - timedelta(hours=5)
    found = repo.scan(base="f" * 40, margin_from=margin, told=keys.intersection)
    assert titles(found) == ["New", "Inside the margin"]
    assert found.cuts == (
        "The last scan's newest commit is gone from the repository: new commits were told by their dates.",
    )


def test_the_margin_is_read_only_where_told_says_what_is_new(repo: Repo) -> None:
    repo.commit("Inside the margin", -2)
    repo.commit("New", 1)
    assert titles(repo.scan(margin_from=START - timedelta(hours=5))) == ["New"]


def test_a_rebase_is_not_told_again(repo: Repo, job: Job) -> None:
    repo.commit("Start", -48)
    repo.git("branch", "upstream")
    for n in range(3):
        repo.commit(f"Mine {n}", n, {f"mine-{n}": "x"})
    job.scan(since=START - timedelta(days=1))
    repo.git("checkout", "-q", "upstream")
    repo.commit("Theirs", 5, {"theirs": "x"})
    repo.git("checkout", "-q", "main")
    repo.git("rebase", "-q", "upstream", at=6)
    repo.commit("New", 7)
    assert titles(job.scan()) == ["New", "Theirs"]


def test_amended_and_reworded_commits_are_not_told_again(repo: Repo, job: Job) -> None:
    repo.commit("Start", -48)
    repo.commit("Add a", 1, {"a": "1"})
    job.scan()
    (repo.path / "a").write_text("2")
    repo.git("commit", "-q", "-a", "--amend", "--no-edit", at=9)
    assert titles(job.scan()) == []
    repo.git("commit", "-q", "--amend", "-m", "Add a, in better words", at=10)
    assert titles(job.scan()) == []
    repo.git("commit", "-q", "--amend", "--date=2025-10-02T20:00:00Z", "-m", "Add something else", at=11)
    assert titles(job.scan()) == ["Add something else"]


def test_one_copy_for_one_original(repo: Repo, job: Job) -> None:
    """A script commits twice in a second; only one of the two was there before."""
    repo.commit("Start", -48)
    repo.commit("Update data", 1, {"a": "1"})
    job.scan()
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.commit("Other base", 0.5, {"b": "1"})
    repo.commit("Update data", 1, {"a": "1"})
    second = repo.commit("Update data", 1, {"a": "2"})
    assert job.scan().commits[0].sha == second
    assert titles(repo.scan()) == ["Update data", "Update data", "Other base"]


def test_a_branch_that_is_taken_back_and_pushed_again_is_told_once(repo: Repo, job: Job) -> None:
    repo.commit("Start", -48)
    head = [repo.commit(f"Change {n}", n) for n in (1, 2)][-1]
    assert len(job.scan().commits) == 2
    repo.git("reset", "-q", "--hard", "HEAD~2")
    assert job.scan().has_activity is False
    repo.git("reset", "-q", "--hard", head)
    assert job.scan().has_activity is False


def test_history_without_a_common_commit(repo: Repo, job: Job) -> None:
    repo.commit("Start", -48)
    repo.commit("Old world", 1)
    job.scan()
    repo.git("checkout", "-q", "--orphan", "new")
    repo.commit("New world", -90)
    repo.git("branch", "-f", "main", "new")
    repo.git("checkout", "-q", "main")
    assert titles(job.scan()) == ["New world"]


def test_what_comes_into_an_empty_repository_is_new_whatever_its_date(repo: Repo, job: Job) -> None:
    assert job.scan().has_activity is False
    repo.commit("From long ago", -9000)
    repo.git("tag", "v0")
    found = job.scan()
    assert titles(found) == ["From long ago"]
    assert [release.tag for release in found.releases] == ["v0"]


def test_a_shallow_clone_that_is_cut_above_the_base(repo: Repo, tmp_path: Path) -> None:
    base = [repo.commit(f"Change {n}", n) for n in range(1, 4)][-1]
    cut = Repo.__new__(Repo)
    cut.path = tmp_path / "cut"
    repo.git("clone", "-q", "--depth", "1", f"file://{repo.path}", str(cut.path))
    assert titles(cut.scan(base=base)) == []
    repo.commit("Change 4", 4)
    repo.commit("Change 5", 5)
    cut.git("fetch", "-q", "--depth", "1", "origin", "main")
    cut.git("reset", "-q", "--hard", "FETCH_HEAD")
    assert titles(cut.scan(base=base)) == ["Change 5"]
    cut.git("fetch", "-q", "--unshallow", "origin")
    assert titles(cut.scan(base=base)) == ["Change 5", "Change 4"]


def test_a_branch_that_vanished_is_said(repo: Repo, job: Job) -> None:
    repo.commit("Start", 1)
    repo.git("branch", "one")
    repo.git("branch", "two")
    job.scan()
    repo.git("checkout", "-q", "--detach")
    repo.git("branch", "-D", "main")
    repo.git("symbolic-ref", "HEAD", "refs/heads/main")
    with pytest.raises(SourceError, match=r"^HEAD names no branch that exists: choose a branch\.$") as error:
        job.scan()
    assert error.value.permanent
    with pytest.raises(SourceError, match=r"^The repository has no branch main: choose one that exists\.$"):
        job.scan(branch="main")
    for name in ("one", "two"):
        repo.git("branch", "-D", name)
    with pytest.raises(SourceError, match=r"^The repository has no branch any more: ") as error:
        job.scan()
    assert error.value.permanent


# --- Pull requests and issues


def merge(repo: Repo, branch: str, number: int, at: float, body: str = "") -> None:
    title = f"Merge pull request #{number} from jane/{branch}\n\nTopic {number}\n\n{body}"
    repo.git("merge", "-q", "--no-ff", "-m", title, branch, at=at)


def test_a_pull_request_merged_into_two_branches_is_told_once(repo: Repo, job: Job) -> None:
    repo.commit("Start", -48)
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit("Work", 1)
    repo.git("checkout", "-q", "-b", "release", "main")
    merge(repo, "topic", 12, 2)
    repo.git("checkout", "-q", "main")
    merge(repo, "topic", 12, 3)
    assert [pull.number for pull in job.scan().pulls] == [12]
    repo.git("merge", "-q", "--no-ff", "-m", "Merge branch 'release'", "release", at=4)
    found = job.scan()
    assert found.pulls == ()
    assert len(found.commits) == 2


def test_commits_that_github_rebased_stay_commits(repo: Repo) -> None:
    repo.commit("Step one", 1, committer=GITHUB)
    repo.commit("Step two", 2, committer=GITHUB)
    assert repo.scan().summary == "2 commits"


@pytest.mark.parametrize(
    "word", ["close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved", "FIXES"]
)
def test_closing_words(repo: Repo, word: str) -> None:
    repo.commit(f"Mend it\n\n{word} #12, {word}: GH-13", 1)
    found = repo.scan()
    assert [(issue.number, issue.title) for issue in found.issues] == [(13, ""), (12, "")]
    assert found.issues[0].closed_at == START + timedelta(hours=1)
    assert found.summary == "1 commit, 2 closed issues"


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("Fixes #12 and #13", [12]),
        ("Fixes owner/name#12", [12]),
        ("Fixes OWNER/Name#12", [12]),
        ("Fixes https://github.com/owner/name/issues/12", [12]),
        ("Fixes other/name#12", []),
        ("Fixes https://github.com/other/name/issues/12", []),
        ("Prefixes #12, fixing #13, bugfix-#14", []),
        ("Fixes # 12, fixes 12, fixes #12abc", []),
        ("Fixes #0, fixes #12345678901", []),
        ('Revert "Fixes #12"', []),
        ("", []),
    ],
)
def test_what_closes_an_issue_of_this_repository(repo: Repo, words: str, numbers: list[int]) -> None:
    repo.git("remote", "add", "origin", "git@github.com:owner/name.git")
    repo.commit(words if words.startswith("Revert") else f"Mend it\n\n{words}", 1)
    found = repo.scan().issues
    assert [issue.number for issue in found] == numbers
    assert [issue.url for issue in found] == [f"https://github.com/owner/name/issues/{n}" for n in numbers]


def test_an_issue_is_told_once_though_merges_and_copies_repeat_it(repo: Repo, job: Job) -> None:
    repo.commit("Start", -48)
    repo.git("checkout", "-q", "-b", "topic")
    work = repo.commit("Mend it\n\nFixes #7", 1, {"a": "1"})
    repo.git("checkout", "-q", "main")
    repo.git("cherry-pick", work, at=2)
    assert [issue.number for issue in job.scan().issues] == [7]
    merge(repo, "topic", 8, 3, "Fixes #7\nFixes #9")
    found = job.scan()
    assert [issue.number for issue in found.issues] == [9]
    assert [pull.number for pull in found.pulls] == [8]
    repo.commit("Mend it for good\n\nFixes #7", 4)
    assert job.scan().summary == "1 commit"


def test_the_number_of_a_pull_request_is_no_issue(repo: Repo, job: Job) -> None:
    repo.commit("Add x (#7)\n\nFixes #7", 1, committer=GITHUB)
    assert job.scan().summary == "1 commit, 1 merged PR"
    repo.commit("Mend what came with it\n\nFixes #7", 2)
    assert job.scan().summary == "1 commit"


def test_no_post_shows_the_empty_title_of_an_issue(repo: Repo) -> None:
    repo.git("remote", "add", "origin", "git@github.com:owner/name.git")
    repo.commit("Handle empty input\n\nFixes #12", 1)
    repo.commit("Add a parser\n\nFixes #13", 2)
    repo.git("revert", "--no-edit", "HEAD", at=3)
    found = repo.scan()
    assert [issue.number for issue in found.issues] == [13, 12]
    told = digest(found, cadence="daily", zone=ZoneInfo("UTC"))
    for platform in PLATFORMS.values():
        post = TemplateWriter().write(Brief(told, platform.rules, "awesome-lib", Voice()))
        shown = post.content
        assert "****" not in shown
        assert "Issue" not in shown
        assert ": ." not in shown
        assert ":\n" not in shown.replace("\n\n", "")


# --- Releases


def tags(found: Activity) -> list[str]:
    return [release.tag for release in found.releases]


def test_a_tag_on_an_old_commit_is_a_release_of_today(repo: Repo, job: Job) -> None:
    repo.commit("Long ago", -9000)
    repo.git("tag", "v0.1")
    repo.commit("Now", 1)
    repo.git("tag", "v0.2")
    assert tags(job.scan()) == ["v0.2"]
    repo.git("tag", "v0.1.1", "HEAD~1")
    repo.git("tag", "-a", "v0.1.2", "-m", "Pushed late", "HEAD~1", at=-8000)
    found = job.scan()
    assert tags(found) == ["v0.1.2", "v0.1.1"]
    assert [release.body for release in found.releases] == ["Pushed late", ""]
    assert tags(job.scan()) == []


def test_a_tag_that_is_moved_or_made_again_stays_the_same_release(repo: Repo, job: Job) -> None:
    repo.commit("One", 1)
    repo.git("tag", "v1")
    assert tags(job.scan()) == ["v1"]
    repo.commit("Two", 2)
    repo.git("tag", "-f", "v1")
    assert tags(job.scan()) == []
    repo.git("tag", "-d", "v1")
    assert tags(job.scan()) == []
    repo.git("tag", "-a", "v1", "-m", "Again", at=4)
    assert tags(job.scan()) == []


def test_a_failed_first_scan_passes_no_tag(repo: Repo, job: Job) -> None:
    repo.commit("Long ago", -9000)
    repo.git("tag", "v0.1")
    repo.scan(told=job.told.intersection)
    job.scan()
    repo.git("tag", "v0.2")
    assert tags(job.scan()) == ["v0.2"]


def test_many_tags_and_names_too_long_to_be_remembered(repo: Repo) -> None:
    repo.commit("One", 1)
    for n in range(3):
        repo.git("tag", "-a", f"v{n}", "-m", f"Notes {n}" + "x" * 50, at=n)
    long = "/".join(["long" * 40] * 2)
    repo.git("tag", long)
    found = repo.scan(since=START - timedelta(hours=1), caps=Caps(text=10))
    assert [(release.tag, release.body) for release in found.releases] == [
        (f"v{n}", f"Notes {n}xxx") for n in (2, 1, 0)
    ]
    assert found.cuts[0] == "Tags with names longer than 255 characters were left out: 1."


def test_contains(repo: Repo) -> None:
    first = repo.commit("One", 1)
    repo.git("tag", "light")
    repo.git("tag", "-a", "annotated/1", "-m", "Notes", at=2)
    second = repo.commit("Two", 3)
    repo.git("tag", "tree", "HEAD^{tree}")
    source = LocalGit(repo.path, root=repo.path.parent)
    for tag in ("light", "annotated/1"):
        assert source.contains(tag, first)
        assert not source.contains(tag, second)
        for unknown in ("f" * 40, "", "HEAD", "--all", first[:7]):
            assert not source.contains(tag, unknown)
    for unknown in ("gone", "tree", "", "../heads/main", "light^{}", "--all", "light~0", "annotated"):
        assert not source.contains(unknown, first)


def test_contains_says_when_git_cannot_tell(repo: Repo) -> None:
    first = repo.commit("One", 1)
    middle = repo.commit("Two", 2)
    repo.commit("Three", 3)
    repo.git("tag", "v1")
    (repo.path / ".git" / "objects" / middle[:2] / middle[2:]).unlink()
    with pytest.raises(SourceError, match=r"^Git could not read awesome-lib: "):
        LocalGit(repo.path, root=repo.path.parent).contains("v1", first)


# --- Caps


@pytest.mark.parametrize("batch", [2, 500])
def test_a_window_larger_than_the_caps_is_told_in_part(
    repo: Repo, job: Job, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr("sources.git_read.BATCH", batch)
    repo.commit("Start", -48)
    for n in range(1, 8):
        repo.commit(f"Change {n} (#{n})\n\nFixes #{n}0", n, committer=GITHUB)
    found = job.scan(caps=Caps(commits=4, details=3))
    assert titles(found) == [f"Change {n} (#{n})" for n in (7, 6, 5, 4)]
    assert [len(commit.files) for commit in found.commits] == [1, 1, 1, 0]
    assert [pull.number for pull in found.pulls] == [7, 6, 5, 4, 3, 2, 1]
    assert [issue.number for issue in found.issues] == [70, 60, 50, 40, 30, 20, 10]
    assert found.cuts == (
        "Only the newest 4 of 7 commits were read; the others count as told, but their pull requests and"
        " issues are here.",
        "Files were read for the newest 3 of 4 commits.",
    )
    assert job.scan().has_activity is False


def test_texts_and_files_are_cut_and_counted(repo: Repo) -> None:
    repo.commit(f"Short\n\n{'y' * 40}\n\nFixes #3", 1, dict.fromkeys("abc", "x"))
    found = repo.scan(caps=Caps(files=2, text=20))
    [commit] = found.commits
    assert len(commit.message) == 20
    assert ([file.path for file in commit.files], commit.more_files) == (["a", "b"], 1)
    assert [issue.number for issue in found.issues] == [3]
    assert found.cuts == (
        "At most 2 files of a commit were listed; 1 commit changed more, the rest is counted.",
        "The messages of 1 commit were cut after 20 characters.",
    )


def test_nothing_is_said_where_nothing_was_cut(repo: Repo) -> None:
    for n in range(1, 4):
        repo.commit(f"Change {n}", n)
    assert repo.scan(caps=Caps(commits=3, details=3, files=1, text=8)).cuts == ()


def test_only_so_many_commits_are_looked_at(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    base = repo.commit("Start", -48)
    for n in range(1, 6):
        repo.commit(f"Change {n}", n)
    monkeypatch.setattr("sources.git_range.WALK_MAX", 3)
    said = "Only the newest 3 of {} commits were looked at; the others count as told."
    assert repo.scan().cuts == (said.format(6),)
    assert repo.scan(base=base).cuts == (said.format(5),)
    assert repo.scan(since=START + timedelta(hours=3)).cuts == ()
