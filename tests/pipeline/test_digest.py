"""What a writer is shown of an activity."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models.values import (
    Activity,
    Category,
    Commit,
    Digest,
    FileChange,
    Issue,
    Person,
    PullRequest,
    Release,
    Window,
)
from pipeline.digest import digest

END = datetime(2025, 10, 3, 9, tzinfo=UTC)
DAY = Window(END - timedelta(days=1), END)
JOHN, JANE = Person("John Doe"), Person("Jane Smith", "jane")
BOT = Person("dependabot[bot]", "dependabot[bot]", is_bot=True)


def commit(sha: str, message: str, *files: str, parents: tuple[str, ...] = ("0",), **more) -> Commit:
    at = END - timedelta(hours=more.pop("ago", 1))
    changed = tuple(FileChange(path, additions=more.get("lines", 10), deletions=0) for path in files)
    more.pop("lines", None)
    return Commit(sha, message, more.pop("author", JOHN), at, parents=parents, files=changed, **more)


def pull(number: int, title: str, **more) -> PullRequest:
    return PullRequest(number, title, END - timedelta(hours=1), **more)


def issue(number: int, title: str, **more) -> Issue:
    return Issue(number, title, END - timedelta(hours=1), **more)


def shown(cadence: str = "daily", window: Window = DAY, zone: str = "UTC", **lists) -> Digest:
    return digest(Activity("username/awesome-lib", window, **lists), cadence=cadence, zone=ZoneInfo(zone))


def refs(found: Digest) -> list[str]:
    return [item.ref for item in found.items]


def test_the_walkthrough() -> None:
    found = shown(
        commits=(
            commit("ghi7890", "Fix build errors", "package.json"),
            commit("def4560", "Update documentation", "README.md", author=JANE),
            commit("abc1230", "Add TypeScript support", "src/index.ts", "tsconfig.json"),
        ),
        pulls=(pull(42, "Add CI/CD pipeline"),),
        issues=(issue(15, "Support Node 18", reason="completed"),),
    )
    assert found.summary == "3 commits, 1 merged PR, 1 closed issue"
    assert found.words == "the last 24 hours"
    assert [(item.ref, item.category) for item in found.items] == [
        ("Cabc1230", "feature"),
        ("PR42", "feature"),
        ("I15", "feature"),
        ("Cghi7890", "fix"),
        ("Cdef4560", "docs"),
    ]
    assert found.people == (JOHN, JANE)
    assert (found.additions, found.files_changed) == (40, 4)


def test_a_pull_request_stands_for_its_merge_and_its_commits() -> None:
    found = shown(
        commits=(
            commit("m", "Merge pull request #7 from jane/x\n\nAdd x", parents=("a", "b2")),
            commit("b2", "wip", "x.py", author=JANE, parents=("b1",)),
            commit("b1", "Start x", "x.py", "y.py", parents=("0",), co_authors=(BOT,)),
            commit("a", "Fix y", "y.py"),
        ),
        pulls=(pull(7, "Add x", merge_sha="m"),),
    )
    assert refs(found) == ["PR7", "Ca"]
    added = found.items[0]
    assert added.people == (JANE, JOHN)
    assert added.files == ("x.py", "y.py")
    assert set(added.folded) == {("commit", "m"), ("commit", "b2"), ("commit", "b1")}
    assert found.files_changed == 2


@pytest.mark.parametrize("merge_sha", ["s", None])
def test_a_squash_is_joined_by_id_or_by_number(merge_sha: str | None) -> None:
    found = shown(
        commits=(commit("s", "Add x (#7)\n\nBecause y was slow.\n\nCo-authored-by: A <a@b.c>", "x.py"),),
        pulls=(pull(7, "Add x", merge_sha=merge_sha),),
    )
    [item] = found.items
    assert (item.ref, item.body, item.files) == ("PR7", "Because y was slow.", ("x.py",))


def test_merges_tell_nothing_of_their_own() -> None:
    found = shown(
        commits=(
            commit("m", "Merge branch 'main' into x", parents=("a", "b")),
            commit("a", "Add a", "a.py", parents=("0",)),
            commit("b", "Add b", "b.py", parents=("0",)),
            commit("n", "Merge pull request #9 from told/before", parents=("0", "1")),
        )
    )
    assert refs(found) == ["Ca", "Cb"]
    assert found.summary == "4 commits"


def test_a_change_stands_for_the_issue_that_it_closes() -> None:
    found = shown(
        commits=(
            commit("a", "Update Dockerfile to install tzdata-legacy\n\nFixes #12", "docker/Dockerfile"),
        ),
        issues=(issue(12, "Container: No module named 'tzdata'"), issue(13, "Other")),
    )
    assert refs(found) == ["Ca", "I13"]
    assert found.items[0].category == "fix"
    assert found.items[0].body == ""
    assert [closed.ref for closed in found.items[0].closes] == ["I12"]
    assert [kind for kind, _ in found.items[0].folded] == ["issue"]


def test_issues_closed_without_a_change_are_no_achievement() -> None:
    issues = tuple(
        issue(n, "T", reason=reason)
        for n, reason in enumerate(("not_planned", "duplicate", None, "completed"))
    )
    found = shown(issues=issues)
    assert refs(found) == ["I2", "I3"]
    assert found.summary == "4 closed issues"


def test_what_was_undone_inside_the_window_is_left_out() -> None:
    added, undone = "a" * 40, "b" * 40
    found = shown(
        commits=(
            commit("c" * 40, f'Revert "Add y"\n\nThis reverts commit {"f" * 40}.', "y.py"),
            commit(undone, f'Revert "Add x"\n\nThis reverts commit {added}.', "x.py", ago=2),
            commit(added, "Add x", "x.py", ago=3),
        ),
        pulls=(pull(2, 'Revert "Add z (#1)"'), pull(1, "Add z")),
    )
    assert refs(found) == ["Cccccccc"]
    again = f'Revert "Revert "Add x""\n\nThis reverts commit {undone}.'
    back = shown(
        commits=(
            commit("d" * 40, again, "x.py", ago=1),
            commit(undone, f'Revert "Add x"\n\nThis reverts commit {added}.', "x.py", ago=2),
            commit(added, "Add x", "x.py", ago=3),
        )
    )
    assert refs(back) == ["Caaaaaaa"]


def test_steps_of_one_title_are_one_thing() -> None:
    found = shown(commits=(commit("b", "Add x", "x.py"), commit("a", "Add x", "y.py", ago=2)))
    assert refs(found) == ["Cb"]
    assert found.items[0].folded == (("commit", "a"),)
    assert set(found.items[0].files) == {"x.py", "y.py"}


def test_releases_come_first() -> None:
    found = shown(
        commits=(commit("a", "feat!: drop v1", "a.py"),),
        releases=(Release("v1.2.0", "", END), Release("v1.1.9", "The last of 1.1", END - timedelta(hours=3))),
    )
    assert refs(found) == ["Rv1.2.0", "Rv1.1.9", "Ca"]
    assert [item.title for item in found.items[:2]] == ["v1.2.0", "The last of 1.1"]


@pytest.mark.parametrize(
    ("title", "files", "category"),
    [
        ("feat(api)!: drop v1", ["a.py"], "breaking"),
        ("feat: x", ["a.py"], "feature"),
        ("fix(parser): x", ["a.py"], "fix"),
        ("perf: x", ["a.py"], "performance"),
        ("chore: x", ["a.py"], "upkeep"),
        ("Add x", ["a.py"], "feature"),
        ("Add x", ["docs/a.md"], "docs"),
        ("Add x", ["tests/test_a.py"], "upkeep"),
        ("Add x", [".github/workflows/a.yml"], "upkeep"),
        ("Fix typos", ["docs/a.rst", "tests/test_a.py"], "docs"),
        ("Fix build", ["package.json"], "fix"),
        ("Prevent a crash on empty input", ["a.py"], "fix"),
        ("push contexts in correct order", ["a.py"], "fix"),
        ("Speed up the parser", ["a.py"], "performance"),
        ("Refactor x", ["a.py"], "upkeep"),
        ("Refactor x", ["a.py", "CHANGES.rst"], "other"),
        ("Use y", ["a.py"], "other"),
        ("http: add x", ["a.py"], "feature"),
        ('Revert "Fix x"', ["a.py"], "other"),
        ("Back out the new parser", ["a.py"], "other"),
    ],
)
def test_categories(title: str, files: list[str], category: Category) -> None:
    assert shown(commits=(commit("a", title, *files),)).items[0].category == category


def test_labels_and_notes_decide_before_titles() -> None:
    found = shown(
        pulls=(
            pull(1, "Add x", labels=("bug",)),
            pull(2, "Fix x", labels=("enhancement",)),
            pull(3, "Add y", labels=("documentation",)),
            pull(4, "Add z", body="BREAKING CHANGE: a is gone"),
        )
    )
    assert {item.ref: item.category for item in found.items} == {
        "PR1": "fix",
        "PR2": "feature",
        "PR3": "docs",
        "PR4": "breaking",
    }


def test_new_files_make_something_new() -> None:
    new = FileChange("plugin.py", "added", 200, 0)
    found = shown(commits=(Commit("a", "Huey plugin for the admin", JOHN, END, files=(new,)),))
    assert found.items[0].category == "feature"


@pytest.mark.parametrize(
    ("message", "files", "is_routine"),
    [
        ("3.2.1", ["a.py"], True),
        ("release version 3.1.2", ["pyproject.toml"], True),
        ("Release v1.0", ["a.py"], True),
        ("Bump requests from 2.31 to 2.32", ["requirements.txt"], True),
        ("update dev dependencies", ["uv.lock", "tox.ini"], True),
        ("chore(deps): x", ["a.py"], True),
        ("Update CHANGELOG for v3", ["CHANGELOG.md"], True),
        ("Anything", ["uv.lock"], True),
        ("Couple minor cleanups", ["a.py"], True),
        ("More editorial cleanup.", ["a.py"], True),
        ("Docs", ["a.py"], True),
        ("wip", ["a.py"], True),
        ("Couple minor cleanups\n\nThe parser no longer reads twice.", ["a.py"], False),
        ("Fix tiles", ["a.py"], False),
        ("Update documentation", ["a.py"], False),
        ("Small cleanups to the old parser", ["a.py"], False),
        ("Start the worker at once", ["a.py"], False),
        ("Add changes page", ["a.py"], False),
        ("Update the Django example to use the admin", ["a.py"], False),
    ],
)
def test_what_is_routine(message: str, files: list[str], is_routine: bool) -> None:
    assert shown(commits=(commit("a", message, *files),)).items[0].is_routine is is_routine


def test_bots_are_routine_and_never_credited() -> None:
    renovate = Person("renovate-bot", "renovate-bot")
    found = shown(
        commits=(commit("a", "Add x", "a.py", author=BOT), commit("b", "Add y", "b.py", author=renovate)),
        pulls=(pull(1, "Pin all", author=BOT), pull(2, "Add z")),
    )
    assert found.people == ()
    assert {item.ref: item.is_routine for item in found.items} == {
        "Ca": True,
        "Cb": True,
        "PR1": True,
        "PR2": False,
    }


@pytest.mark.parametrize(
    "machine", [Person("Build Machine"), Person("Release", "our-BOT"), Person("our-bot")]
)
def test_a_projects_own_bots_are_bots(machine: Person) -> None:
    activity = Activity(
        "username/awesome-lib",
        DAY,
        commits=(
            commit("a", "Publish the site", "a.py", author=machine),
            commit("b", "Add y", "b.py", author=machine, co_authors=(JANE,)),
        ),
    )
    bots = ["build machine", "@Our-Bot"]
    found = digest(activity, cadence="daily", zone=ZoneInfo("UTC"), bots=bots)
    assert found.people == (JANE,)
    assert {item.ref: (item.is_routine, item.people) for item in found.items} == {
        "Ca": (True, ()),
        "Cb": (False, (JANE,)),
    }
    assert machine in digest(activity, cadence="daily", zone=ZoneInfo("UTC")).people


def test_two_people_of_one_name_are_two() -> None:
    one, other = Person("John Smith", "jsmith"), Person("John Smith", "smithj")
    found = shown(
        commits=(
            commit("a", "Add a", "a.py", author=one),
            commit("b", "Add b", "b.py", author=other),
            commit("c", "Add c", "c.py", author=Person("John Smith")),
        )
    )
    assert sorted(person.login or "" for person in found.people) == ["", "jsmith", "smithj"]


def test_one_person_has_one_name() -> None:
    account = Person("jane", "jane", "https://github.com/jane")
    found = shown(
        commits=(
            commit("a", "Add a", "a.py", author=JANE),
            commit("b", "Add b", "b.py", author=Person("Jane Smith")),
            commit("c", "Add c", "c.py", author=JOHN),
        ),
        pulls=(pull(1, "Add d", author=account),),
    )
    assert found.people == (JANE, JOHN)
    assert all(JANE in item.people or JOHN in item.people for item in found.items)


def test_newcomers_are_named_as_people_are_and_never_bots() -> None:
    ada, bo = Person("ada", "ada"), Person("Bo")
    found = shown(
        commits=(
            commit("c3", "Add x", "x.py", author=Person("Ada Lovelace", "ada")),
            commit("c2", "Add y", "y.py", author=bo),
            commit("c1", "Add z", "z.py"),
        ),
        pulls=(pull(1, "Add x", author=ada, first_time=True), pull(2, "Bump", author=BOT, first_time=True)),
        newcomers=(bo, BOT, Person("Withheld")),
    )
    assert found.newcomers == ("Ada Lovelace", "Bo")
    assert {person.name for person in found.people} == {"Ada Lovelace", "Bo", "John Doe"}


def test_who_merges_is_not_an_author() -> None:
    found = shown(
        commits=(
            commit("m", "Merge pull request #1 from x/y", parents=("0", "a"), author=JANE),
            commit("a", "Add a", "a.py"),
        ),
        pulls=(pull(1, "Add a", merge_sha="m"),),
    )
    assert found.people == found.items[0].people == (JOHN,)


@pytest.mark.parametrize(
    ("cadence", "since", "until", "zone", "words"),
    [
        ("daily", END - timedelta(days=7), END, "UTC", "the 7 days to 3 October 2025"),
        ("weekly", END - timedelta(days=7), END, "UTC", "the week to 3 October 2025"),
        ("weekly", END - timedelta(hours=5), END, "UTC", "the last 5 hours"),
        ("monthly", datetime(2025, 9, 1, 7, tzinfo=UTC), datetime(2025, 10, 1, 7, tzinfo=UTC), "UTC",
         "September 2025"),
        ("monthly", datetime(2025, 8, 31, 22, tzinfo=UTC), datetime(2025, 9, 30, 22, tzinfo=UTC),
         "Europe/Berlin", "September 2025"),
        ("weekly", datetime(2025, 9, 27, tzinfo=UTC), datetime(2025, 10, 4, tzinfo=UTC), "UTC",
         "the week to 3 October 2025"),
        ("weekly", datetime(2025, 9, 26, 15, tzinfo=UTC), datetime(2025, 10, 3, 15, tzinfo=UTC), "Asia/Tokyo",
         "the week to 3 October 2025"),
        ("weekly", datetime(2025, 9, 26, 16, tzinfo=UTC), datetime(2025, 10, 3, 16, tzinfo=UTC), "Asia/Tokyo",
         "the week to 4 October 2025"),
    ],
)  # fmt: skip
def test_the_window_in_words(cadence: str, since: datetime, until: datetime, zone: str, words: str) -> None:
    assert shown(cadence, Window(since, until), zone).words == words


def test_a_pull_request_has_only_what_it_brought_in_long_histories() -> None:
    main, commits, pulls = "0", [], []
    for n in range(700):
        commits += [
            commit(f"x{n}", f"Work {n}", "a.py", parents=(main,)),
            commit(f"y{n}", f"More work {n}", "b.py", parents=(f"x{n}",)),
            commit(f"m{n}", f"Merge pull request #{n} from a/b", parents=(main, f"y{n}")),
        ]
        pulls.append(pull(n, f"Add part {n}", merge_sha=f"m{n}"))
        main = f"m{n}"
    found = shown(commits=tuple(reversed(commits)), pulls=tuple(pulls))
    assert len(found.items) == 700
    assert all(len(item.folded) == 3 for item in found.items)
