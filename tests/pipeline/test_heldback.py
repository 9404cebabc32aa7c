"""Security fixes are kept aside and offered again, exactly once; on both databases, through failures."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lib import clock as our_clock
from models import Execution, HeldBack, Job, Project, Step, Told
from models.base import Base
from models.values import Activity, Brief, FileChange, Held, Issue, Person, PullRequest, Release, Window
from pipeline import control, execute
from pipeline.heldback import _Asking, sifted
from pipeline.privacy import NO_WISHES
from sources.base import SourceError
from sources.git import LocalGit
from tests.pipeline.conftest import FakeAdapters, commit, make_job
from tests.sources.git_repo import Repo
from writers.base import WriterError
from writers.template import TemplateWriter

FIX = "Check the redirect's host\n\nCVE-2025-12345"
JOHN = Person("John Doe")


class Repository:
    """A source that tells each window what was added to it since; `carries` maps tags to their commits."""

    def __init__(self) -> None:
        self.commits: list[Any] = []
        self.pulls: list[PullRequest] = []
        self.issues: list[Issue] = []
        self.releases: list[Release] = []
        self.carries: dict[str, set[str]] = {}
        self.failures: list[Exception] = []
        self.asked: list[tuple[str, str]] = []
        self.scans = 0

    def scan(self, since, *, told, **_more) -> Activity:
        self.scans += 1
        whole = Activity(
            "username/awesome-lib",
            Window(since, our_clock.now(), None, "head"),
            commits=tuple(self.commits),
            pulls=tuple(self.pulls),
            issues=tuple(self.issues),
            releases=tuple(self.releases),
        )
        known = told(set(whole.keys()))
        return replace(
            whole,
            commits=tuple(c for c in self.commits if ("commit", c.sha) not in known),
            pulls=tuple(p for p in self.pulls if ("pull", str(p.number)) not in known),
            issues=tuple(i for i in self.issues if not any(k[1].startswith(f"{i.number}@") for k in known)),
            releases=tuple(r for r in self.releases if ("release", r.tag) not in known),
        )

    def contains(self, tag: str, sha: str) -> bool:
        self.asked.append((tag, sha))
        if self.failures:
            raise self.failures.pop()
        return sha in self.carries.get(tag, ())

    def publish(self, tag: str, *shas: str) -> None:
        self.releases.append(Release(tag, tag, our_clock.now()))
        self.carries[tag] = set(shas)


@pytest.fixture
def repository() -> Repository:
    return Repository()


@pytest.fixture
def briefs(adapters: FakeAdapters) -> list[Brief]:
    shown: list[Brief] = []
    adapters.writer.before_answer = shown.append
    return shown


@pytest.fixture
def adapters(repository) -> FakeAdapters:
    made = FakeAdapters()
    made.github = repository  # type: ignore[assignment]
    return made


def whole(at, commits, releases) -> Activity:
    window = Window(at - timedelta(days=40), at + timedelta(days=2))
    return Activity("username/awesome-lib", window, commits=commits, releases=releases)


def run(session, job: Job, adapters, **more) -> Execution:
    execution, _ = control.trigger(session, job, **more)
    return again(session, execution, adapters)


def again(session, execution: Execution, adapters) -> Execution:
    execute.run(session, execution.id, adapters)
    done = session.get_one(Execution, execution.id, populate_existing=True)
    session.commit()
    return done


def kept(session) -> list[tuple[str, str]]:
    rows = session.execute(select(HeldBack.kind, HeldBack.key).order_by(HeldBack.kind, HeldBack.key)).all()
    session.commit()
    return [tuple(row) for row in rows]


def told(session) -> set[tuple[str, str]]:
    rows = session.execute(select(Told.kind, Told.key)).all()
    session.commit()
    return {tuple(row) for row in rows}


def stored(session, execution: Execution) -> dict[str, Any]:
    result = session.scalar(select(Step.result).where(Step.execution_id == execution.id, Step.name == "scan"))
    session.commit()
    return result


def titles(briefs: list[Brief]) -> set[str]:
    return {item.title for brief in briefs for item in brief.digest.items}


def test_a_fix_is_kept_until_its_release_and_then_told_once(session, clock, adapters, repository, briefs):
    job = make_job(session, platforms=("DEVTO",))
    repository.commits = [commit("fix1111", FIX), commit("c1", "Add TypeScript support")]
    first = run(session, job, adapters)
    assert (first.outcome, first.summary) == ("SUCCESS", "1 commit")
    assert titles(briefs) == {"Add TypeScript support"}
    assert kept(session) == [("commit", "fix1111")]
    assert stored(session, first)["withheld"] == [{"kind": "commit", "key": "fix1111", "reason": "security"}]

    clock.advance(86_400)
    repository.publish("v1.0", "other")
    run(session, job, adapters)
    assert "Check the redirect's host" not in titles(briefs)
    assert kept(session) == [("commit", "fix1111")]

    clock.advance(86_400)
    repository.publish("v1.1", "fix1111")
    briefs.clear()
    third = run(session, job, adapters)
    assert titles(briefs) == {"Check the redirect's host", "v1.1"}
    assert third.summary == "1 commit, 1 release"
    assert (kept(session), stored(session, third)["withheld"]) == ([], [])

    clock.advance(86_400)
    repository.publish("v1.2", "fix1111")
    briefs.clear()
    run(session, job, adapters)
    assert titles(briefs) == {"v1.2"}


def test_a_release_in_the_same_window_lets_it_through(session, clock, adapters, repository, briefs):
    job = make_job(session, platforms=("DEVTO",))
    repository.commits = [commit("fix1111", FIX)]
    repository.publish("v1.1", "fix1111")
    done = run(session, job, adapters)
    assert "Check the redirect's host" in titles(briefs)
    assert (kept(session), stored(session, done)["withheld"]) == ([], [])


def test_a_window_with_nothing_but_a_fix_writes_nothing_and_keeps_it(session, clock, adapters, repository):
    job = make_job(session)
    repository.commits = [commit("fix1111", FIX)]
    done = run(session, job, adapters)
    assert (done.outcome, done.summary, adapters.writer.calls) == ("NO_ACTIVITY", "No activity", [])
    assert kept(session) == [("commit", "fix1111")]
    assert told(session) == {("commit", "fix1111")}
    assert session.get_one(Job, job.id, populate_existing=True).cursor_until == clock.now()


def test_the_pull_request_its_commits_and_its_issue_come_back_together(
    session, clock, adapters, repository, briefs
):
    job = make_job(session, platforms=("DEVTO",))
    at = clock.now() - timedelta(hours=1)
    repository.pulls = [
        PullRequest(7, "Check hosts", at, body="Fixes #5", labels=("security",), merge_sha="m")
    ]
    repository.issues = [Issue(5, "Redirects go anywhere", at)]
    repository.commits = [
        replace(commit("m", "Merge pull request #7 from x/y", at), parents=("a", "b")),
        replace(commit("b", "Compare hosts", at), parents=("a",)),
        replace(commit("a", "Fix a typo", at), parents=("0",)),
    ]
    run(session, job, adapters)
    assert titles(briefs) == {"Fix a typo"}
    key = f"5@{at:%Y-%m-%dT%H:%M:%SZ}"
    assert kept(session) == [("commit", "b"), ("commit", "m"), ("issue", key), ("pull", "7")]
    clock.advance(60)
    repository.publish("v2", "m", "a", "b")
    briefs.clear()
    done = run(session, job, adapters)
    assert done.summary == "2 commits, 1 merged PR, 1 closed issue, 1 release"
    assert titles(briefs) == {"Check hosts", "v2"}
    assert kept(session) == []
    assert repository.asked == [("v2", "m")]


def test_what_belongs_to_a_kept_fix_is_kept_when_it_comes_later(session, clock, adapters, repository, briefs):
    job = make_job(session, platforms=("DEVTO",))
    repository.pulls = [PullRequest(7, "Check hosts", clock.now(), labels=("security",), merge_sha="m")]
    run(session, job, adapters)
    clock.advance(60)
    repository.commits = [commit("m", "Compare hosts (#7)"), commit("c", "Add x")]
    run(session, job, adapters)
    assert titles(briefs) == {"Add x"}
    assert kept(session) == [("commit", "m"), ("pull", "7")]


def test_a_dry_run_changes_nothing(session, clock, adapters, repository, briefs):
    job = make_job(session, platforms=("DEVTO",))
    repository.commits = [commit("fix1111", FIX)]
    run(session, job, adapters, dry_run=True)
    assert (kept(session), told(session)) == ([], set())
    run(session, job, adapters)
    repository.publish("v1.1", "fix1111")
    clock.advance(60)
    run(session, job, adapters, dry_run=True)
    assert "Check the redirect's host" in titles(briefs)
    assert kept(session) == [("commit", "fix1111")]
    briefs.clear()
    run(session, job, adapters)
    assert "Check the redirect's host" in titles(briefs)
    assert kept(session) == []


def test_telling_again_keeps_what_is_kept(session, clock, adapters, repository, briefs):
    job = make_job(session, platforms=("DEVTO",))
    repository.commits = [commit("fix1111", FIX), commit("c1", "Add x")]
    run(session, job, adapters)
    before = kept(session)
    clock.advance(60)
    again_told = run(session, job, adapters, since=clock.now() - timedelta(days=3))
    assert titles(briefs) == {"Add x"}
    assert kept(session) == before == [("commit", "fix1111")]
    assert stored(session, again_told)["held"]["commits"] == []


@pytest.mark.parametrize("released", [False, True])
def test_a_failure_in_between_loses_nothing_and_reuses_the_scan(
    session, clock, adapters, repository, briefs, released
):
    """The scan of the failed attempt is stored, and its rows come with the attempt that succeeds."""
    job = make_job(session, platforms=("DEVTO",))
    repository.commits = [commit("fix1111", FIX), commit("c1", "Add x")]
    if released:
        run(session, job, adapters)
        repository.publish("v1", "fix1111")
        repository.commits.append(commit("c2", "Add y"))
        clock.advance(60)
    before, scans = kept(session), repository.scans
    adapters.writer.failures["DEVTO"] = [WriterError("HTTP 500")]
    waiting = run(session, job, adapters)
    assert (waiting.status, kept(session)) == ("RETRYING", before)
    clock.move_to(waiting.next_retry_at)
    briefs.clear()
    done = again(session, waiting, adapters)
    assert (done.outcome, repository.scans) == ("SUCCESS", scans + 1)
    assert kept(session) == ([] if released else [("commit", "fix1111")])
    assert ("Check the redirect's host" in titles(briefs)) is released
    assert ("commit", "fix1111") in told(session)


def test_a_run_that_ends_failed_leaves_it_to_the_next(session, clock, adapters, repository, briefs):
    job = make_job(session, platforms=("DEVTO",), max_retries=0)
    repository.commits = [commit("fix1111", FIX), commit("c1", "Add x")]
    adapters.writer.failures["DEVTO"] = [WriterError("HTTP 500")]
    assert run(session, job, adapters).status == "FAILED"
    assert (kept(session), told(session)) == ([], set())
    clock.advance(60)
    run(session, job, adapters)
    assert kept(session) == [("commit", "fix1111")]


def test_a_question_that_fails_is_asked_again_at_the_next_run(session, clock, adapters, repository, briefs):
    """Though the release was told, and nothing else happened since."""
    job = make_job(session, platforms=("DEVTO",))
    repository.commits = [commit("fix1111", FIX), commit("fix2222", "Bind the token\n\nCVE-2025-12346")]
    run(session, job, adapters)
    repository.publish("v1", "fix1111")
    repository.failures = [SourceError("The limit is used up.", retry_after=3600)]
    clock.advance(60)
    done = run(session, job, adapters)
    assert (done.outcome, titles(briefs), len(repository.asked)) == ("SUCCESS", {"v1"}, 1)
    assert stored(session, done)["cuts"] == [
        "Whether a release carries 2 items of held security fixes could not be asked, so they stay held and "
        "are asked of again at the next run that reads anything: The limit is used up."
    ]
    fixes = [("commit", "fix1111"), ("commit", "fix2222")]
    assert kept(session) == [*fixes, ("release", "v1")]
    repository.failures = [SourceError("The limit is used up.")]
    clock.advance(60)
    assert run(session, job, adapters).outcome == "NO_ACTIVITY"
    assert kept(session) == [*fixes, ("release", "v1")]
    clock.advance(60)
    briefs.clear()
    assert run(session, job, adapters).summary == "1 commit"
    assert (titles(briefs), kept(session)) == ({"Check the redirect's host"}, [fixes[1]])
    clock.advance(60)
    asked = len(repository.asked)
    assert run(session, job, adapters).outcome == "NO_ACTIVITY"
    assert len(repository.asked) == asked


def test_a_question_that_fails_for_good_waits_for_the_next_release(
    session, clock, adapters, repository, briefs
):
    job = make_job(session, platforms=("DEVTO",))
    repository.commits = [commit("fix1111", FIX)]
    repository.publish("v1", "fix1111")
    repository.failures = [SourceError("No access.", permanent=True)]
    done = run(session, job, adapters)
    assert (done.outcome, kept(session)) == ("SUCCESS", [("commit", "fix1111")])
    assert stored(session, done)["cuts"][0].endswith("are asked of again with the next release: No access.")
    clock.advance(60)
    repository.publish("v2", "fix1111")
    run(session, job, adapters)
    assert kept(session) == []


@pytest.mark.parametrize(("fixes", "releases", "questions"), [(1, 1, 1), (3, 3, 9), (40, 30, 30)])
def test_questions_have_a_bound(clock, fixes, releases, questions):
    at = clock.now()
    held = tuple(commit(f"{number:040x}", FIX, at) for number in range(fixes))
    published = tuple(Release(f"v{n}", f"v{n}", at + timedelta(hours=n)) for n in range(releases))
    asked: list[str] = []

    def contains(tag: str, sha: str) -> bool:
        asked.append(tag)
        return False

    found = sifted(whole(at, held, published), NO_WISHES, Held, contains)
    assert (len(asked), len(found.held.commits), found.held.releases) == (questions, fixes, ())
    assert asked[0] == f"v{releases - 1}"
    assert any("30 questions" in cut for cut in found.cuts) is (fixes == 40)


def test_releases_older_than_a_fix_are_not_asked_and_the_newest_is_asked_first(clock):
    at = clock.now()
    held = tuple(commit(f"{number:040x}", FIX, at) for number in range(40))
    older = tuple(Release(f"v{n}", "", at - timedelta(days=n)) for n in range(30))
    asked: list[str] = []

    def contains(tag: str, sha: str) -> bool:
        asked.append(tag)
        return True

    sifted(whole(at, held, older[2:]), NO_WISHES, Held, contains)
    assert asked == []
    found = sifted(whole(at, held[:3], older), NO_WISHES, Held, contains)
    assert (asked, len(found.commits), found.cuts) == (["v0"] * 3, 3, ())


def test_a_fix_from_a_clock_that_runs_ahead_is_asked_of(clock):
    at = clock.now()
    ahead = commit("a" * 40, FIX, at + timedelta(days=400))
    release = Release("v1", "", at + timedelta(hours=36))
    found = sifted(whole(at, (ahead,), (release,)), NO_WISHES, Held, lambda tag, sha: True)
    assert found.commits == (ahead,)


def test_what_nothing_changed_since_asks_nothing(clock):
    activity = replace(whole(clock.now(), (), ()), unchanged=True)
    assert sifted(activity, NO_WISHES, lambda: pytest.fail("asked"), lambda tag, sha: True) is activity


def test_a_database_that_dies_in_the_final_transaction_keeps_all_or_nothing(
    session, clock, adapters, repository, briefs, monkeypatch
):
    from pipeline import heldback

    job = make_job(session, platforms=("DEVTO",))
    repository.commits = [commit("fix1111", FIX)]
    run(session, job, adapters)
    repository.publish("v1", "fix1111")
    clock.advance(60)
    whole, deaths = heldback.settle, [RuntimeError("power cut")]

    def dying(*given, **more):
        whole(*given, **more)
        if deaths:
            raise deaths.pop()

    monkeypatch.setattr(heldback, "settle", dying)
    waiting = run(session, job, adapters)
    assert waiting.status == "RETRYING"
    assert kept(session) == [("commit", "fix1111")]
    clock.move_to(waiting.next_retry_at)
    done = again(session, waiting, adapters)
    assert (done.outcome, kept(session)) == ("SUCCESS", [])


def test_words_and_paths_are_dealt_with_for_good(session, clock, adapters, repository, briefs):
    job = make_job(session, platforms=("DEVTO",))
    project = session.get_one(Project, job.project_id)
    project.withhold = {"words": ["falcon"], "paths": ["docs/internal/**"]}
    session.commit()
    repository.commits = [
        commit("c1", "Start project Falcon"),
        replace(commit("c2", "Write it down"), files=(FileChange("docs/internal/plan.md"),)),
        replace(commit("c3", "Add x"), files=(FileChange("x.py"),)),
    ]
    done = run(session, job, adapters)
    assert (titles(briefs), done.summary) == ({"Add x"}, "1 commit")
    assert told(session) == {("commit", "c1"), ("commit", "c2"), ("commit", "c3")}
    assert kept(session) == []
    assert "Falcon" not in json.dumps(stored(session, done))
    session.get_one(Project, job.project_id).withhold = None
    session.commit()
    clock.advance(60)
    assert run(session, job, adapters).outcome == "NO_ACTIVITY"


def test_a_new_word_ends_the_stay_of_what_is_kept(session, clock, adapters, repository, briefs):
    job = make_job(session, platforms=("DEVTO",))
    repository.commits = [commit("fix1111", FIX)]
    run(session, job, adapters)
    session.get_one(Project, job.project_id).withhold = {"words": ["redirect"]}
    session.commit()
    clock.advance(60)
    repository.publish("v1", "fix1111")
    done = run(session, job, adapters)
    assert titles(briefs) == {"v1"}
    assert kept(session) == []
    assert stored(session, done)["withheld"] == [{"kind": "commit", "key": "fix1111", "reason": "word"}]


def test_a_word_that_comes_between_two_attempts_counts_at_once(session, clock, adapters, repository, briefs):
    job = make_job(session, platforms=("DEVTO",))
    repository.commits = [commit("c1", "Start project Falcon"), commit("c2", "Add x")]
    adapters.writer.failures["DEVTO"] = [WriterError("HTTP 500")]
    waiting = run(session, job, adapters)
    session.get_one(Project, job.project_id).withhold = {"words": ["falcon"]}
    session.commit()
    clock.move_to(waiting.next_retry_at)
    briefs.clear()
    done = again(session, waiting, adapters)
    assert (titles(briefs), done.summary, repository.scans) == ({"Add x"}, "1 commit", 1)
    assert told(session) == {("commit", "c1"), ("commit", "c2")}


def test_issues_come_back_with_what_closed_them_else_by_date(clock):
    at = clock.now()
    pull = PullRequest(7, "x", at, body="Fixes #5", merge_sha="m")
    lone, with_pull = Issue(4, "lone", at), Issue(5, "with a pull request", at)
    held = replace(whole(at, (), ()), held=Held((), (pull,), (lone, with_pull)))
    early, late = Release("v0", "v0", at - timedelta(days=1)), Release("v1", "v1", at + timedelta(days=1))

    def carried(releases: tuple[Release, ...], contains) -> set[tuple[str, str]]:
        return _Asking(releases, contains).carried(held)

    assert carried((), lambda tag, sha: True) == set()
    assert carried((early,), lambda tag, sha: False) == set()
    assert {kind for kind, _ in carried((late,), lambda tag, sha: False)} == {"issue"}
    assert len(carried((early,), lambda tag, sha: True)) == 2
    assert len(carried((early, late), lambda tag, sha: tag == "v1")) == 3


def test_no_row_no_post_and_no_log_has_what_was_withheld(session, clock, adapters, repository, caplog):
    """Not even the mail; but for the rows whose purpose it is: what is kept, and the user's own words."""
    caplog.set_level("DEBUG")
    token = "ghp_" + "Xq7Vd2LmT9pRk4Zs8WbY3cHf6JnG1aEuKo5T"
    adapters.writer = TemplateWriter()
    job = make_job(session)
    session.get_one(Project, job.project_id).withhold = {"words": ["falcon"], "paths": ["in/**"]}
    session.commit()
    repository.commits = [
        commit("fix1111", FIX),
        commit("c1", "Start project Falcon"),
        replace(commit("c2", f"Speed up the parser with {token}"), files=(FileChange("x.py"),)),
        replace(commit("c3", "Write plans"), files=(FileChange("in/plan.md"),)),
    ]
    repository.pulls = [PullRequest(7, f"Rotate {token}", clock.now(), JOHN, labels=("bug", token))]
    done = run(session, job, adapters)
    assert (done.outcome, done.summary) == ("SUCCESS", "1 commit, 1 merged PR")
    tables = {
        name: table for name, table in Base.metadata.tables.items() if name not in ("held_back", "project")
    }
    rows = {name: [dict(row._mapping) for row in session.execute(select(t))] for name, t in tables.items()}
    assert {"draft", "step", "execution", "email_delivery", "notification"} <= {n for n in rows if rows[n]}
    for row in rows["step"]:
        (row["result"] or {}).pop("held", None)
    seen = json.dumps(rows, default=str) + caplog.text
    assert "Speed up the parser with [withheld]" in seen
    for plant in (token, "Falcon", "CVE-2025", "redirect", "plan.md", "Write plans"):
        assert plant not in seen


def test_a_fix_in_a_real_repository_waits_for_its_tag(session, clock, adapters, briefs, tmp_path):
    repo = Repo(tmp_path / "awesome-lib")
    adapters.github = LocalGit(repo.path, root=tmp_path)
    job = make_job(session, platforms=("DEVTO",))
    repo.commit("Start", 1)
    repo.git("checkout", "-q", "-b", "fix", at=1)
    repo.commit("Compare the hosts\n\nCVE-2025-1234", 2)
    repo.git("checkout", "-q", "main", at=2)
    repo.git("merge", "-q", "--no-ff", "-m", "Merge pull request #7 from x/fix\n\nCheck hosts", "fix", at=3)
    repo.commit("Add x", 4)
    assert run(session, job, adapters).summary == "2 commits"
    assert titles(briefs) == {"Start", "Add x"}
    assert [kind for kind, _ in kept(session)] == ["commit", "commit", "pull"]
    clock.advance(3600)
    repo.git("tag", "-a", "-m", "Zero", "v0", "HEAD~2", at=24.5)
    briefs.clear()
    run(session, job, adapters)
    assert (titles(briefs), len(kept(session))) == ({"v0"}, 3)
    clock.advance(3600)
    repo.git("tag", "-a", "-m", "One", "v1", at=25.5)
    briefs.clear()
    assert run(session, job, adapters).summary == "2 commits, 1 merged PR, 1 release"
    assert (titles(briefs), kept(session)) == ({"Check hosts", "v1"}, [])
    clock.advance(3600)
    briefs.clear()
    assert run(session, job, adapters).outcome == "NO_ACTIVITY"
