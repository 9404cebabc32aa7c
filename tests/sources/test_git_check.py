"""The look at a local repository before anything is read."""

import threading
from datetime import timedelta

import pytest

from sources.git_check import check
from tests.sources.git_repo import END, Repo


@pytest.fixture
def repo(tmp_path, clock) -> Repo:
    clock.move_to(END)
    return Repo(tmp_path / "lib")


def look(repo: Repo, branch: str | None = None, path: str = "lib"):
    return check(path, repo.path.parent, branch)


@pytest.mark.parametrize(("commits", "said"), [(1, "1 commit"), (3, "3 commits")])
def test_what_works(repo, commits, said):
    for at in range(commits):
        repo.commit(f"Change {at}", 22 - at)
    assert look(repo).works
    assert look(repo).sentence.startswith(f"Works: {said} on main, the newest from ")


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(hours=2), "2 hours ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(minutes=5), "5 minutes ago"),
        (timedelta(days=400), "400 days ago"),
        (timedelta(seconds=20), "just now"),
        (-timedelta(hours=3), "just now"),
    ],
)
def test_how_new(repo, clock, age, said):
    repo.commit("Change", 24)
    clock.move_to(END + age)
    assert look(repo).sentence == f"Works: 1 commit on main, the newest from {said}."


def test_many(repo, monkeypatch):
    monkeypatch.setattr("sources.git_check.COUNTED_MAX", 2)
    for at in range(3):
        repo.commit(f"Change {at}", at)
    assert look(repo).sentence.startswith("Works: at least 2 commits on main")


def test_nothing_yet(repo):
    assert look(repo).sentence == "Works: lib can be read; it has no commits yet."
    assert look(repo).works


def test_a_detached_head(repo):
    repo.commit("Change", 1)
    repo.git("checkout", "-q", "--detach")
    assert look(repo).sentence.startswith("Works: 1 commit on the commit that is checked out, the newest")


def test_a_bare_repository_whose_head_names_no_branch(repo):
    repo.commit("Change", 1)
    repo.git("clone", "-q", "--bare", str(repo.path), str(repo.path.parent / "bare.git"), at=None)
    (repo.path.parent / "bare.git" / "HEAD").write_text("ref: refs/heads/master\n")
    assert look(repo, None, "bare.git").sentence.startswith("Works: 1 commit on its only branch, the newest")


def test_a_chosen_branch(repo):
    repo.commit("Change", 1)
    repo.git("branch", "next/1.0")
    repo.commit("Another", 2)
    assert look(repo, "next/1.0").sentence.startswith("Works: 1 commit on next/1.0")


@pytest.mark.parametrize(
    ("branch", "path", "said"),
    [
        ("gone", "lib", "no branch gone"),
        (None, "nowhere", "There is no folder"),
        (None, "..", "must not contain"),
    ],
)
def test_what_is_wrong(repo, branch, path, said):
    repo.commit("Change", 1)
    checked = look(repo, branch, path)
    assert not checked.works
    assert said in checked.sentence


def test_local_repositories_switched_off():
    assert "GIT_ROOT" in check("lib", None).sentence


def test_a_disk_that_hangs(repo, monkeypatch):
    answers = threading.Event()
    monkeypatch.setattr("sources.git_check.LIMIT", 0.1)
    monkeypatch.setattr("sources.git_check.resolve", lambda *_: answers.wait(20))
    checked = look(repo)
    answers.set()
    assert not checked.works
    assert checked.sentence.startswith("Git could not read the folder within 0.1 seconds – try again")
