"""What is worth a post, by itself and together, and how the reason reads where nothing is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models.values import Activity, Commit, Digest, FileChange, Issue, Person, PullRequest, Release, Window
from pipeline.digest import digest
from pipeline.significance import CARRIED_MAX, is_due, too_little

END = datetime(2025, 10, 3, 9, tzinfo=UTC)
WINDOW = Window(END - timedelta(days=1), END)
BOT = Person("dependabot[bot]", "dependabot[bot]", is_bot=True)
BUMP = ("Bump requests from 2.31 to 2.32", "uv.lock")
TYPO = ("Fix typo in the README", "README.md")
PAGE = ("Explain how to install it, page by page", "docs/install.md")
INNER = ("Refactor the parser", "src/parser.py")
OTHER = ("The parser reads tabs", "src/parser.py")
FIX = ("Fix crash on empty input", "src/parser.py")
FASTER = ("Speed up the parser", "src/parser.py")
FEATURE = ("Add dark mode", "src/ui.py")
BREAKING = ("feat!: drop Python 3.8", "pyproject.toml")


def activity(*changes: tuple[str, str], **lists: object) -> Activity:
    commits = []
    for n, (title, path) in enumerate(changes):
        files = (FileChange(path, "modified", 3 if title == TYPO[0] else 30, 1),)
        commits.append(Commit(f"{n:07x}", title, Person("John"), END, parents=("0",), files=files))
    return Activity("username/awesome-lib", WINDOW, commits=tuple(commits), **lists)  # type: ignore[arg-type]


def shown(found: Activity) -> Digest:
    return digest(found, cadence="daily", zone=ZoneInfo("UTC"))


def is_told(found: Activity, level: str) -> bool:
    return too_little(shown(found), level) is None


def test_the_window_that_is_not_worth_it() -> None:
    bumps = [(f"Bump {name} from 1.0 to 1.1", "uv.lock") for name in "abcdefg"]
    assert too_little(shown(activity(*bumps, TYPO)), "NORMAL") == (
        "Nothing worth a post yet: 1 small documentation change and 7 dependency updates."
        " They are carried over to the next run."
    )


@pytest.mark.parametrize(
    ("changes", "normal", "strict"),
    [
        ([BUMP, TYPO], False, False),
        (
            [INNER, ("Rename it", "src/a.py"), ("Clean it up", "src/b.py"), ("Move it", "src/c.py")],
            False,
            False,
        ),
        ([PAGE], False, False),
        ([OTHER, PAGE], False, False),
        ([OTHER, PAGE, ("The lexer reads tabs", "src/lexer.py")], True, False),
        ([FIX], True, False),
        ([FASTER], True, False),
        ([FIX, FASTER], True, False),
        ([FIX, FASTER, ("Fix the exit code", "src/cli.py")], True, True),
        ([FEATURE], True, True),
        ([BREAKING], True, True),
    ],
)
def test_what_is_enough(changes: list[tuple[str, str]], normal: bool, strict: bool) -> None:
    found = activity(*changes)
    assert (is_told(found, "NORMAL"), is_told(found, "STRICT")) == (normal, strict)
    assert is_told(found, "OFF")


def test_a_release_is_always_worth_it() -> None:
    assert is_told(activity(BUMP, releases=(Release("v1", "v1", END),)), "STRICT")


def test_what_closed_an_issue_is_worth_it_and_what_was_closed_alone_is_one_small_thing() -> None:
    issue = Issue(15, "Crash on start", END, labels=("bug",), reason="completed")
    closing = activity(("The parser reads tabs, closes #15", "src/parser.py"), issues=(issue,))
    assert is_told(closing, "NORMAL")
    assert not is_told(closing, "STRICT")
    assert not is_told(activity(issues=(issue,)), "NORMAL")
    assert is_told(activity(PAGE, OTHER, issues=(issue,)), "NORMAL")


def test_a_bots_text_quotes_breaking_changes_that_are_not_ours() -> None:
    notes = "Bumps x.\n\nBREAKING CHANGE: the old name is gone."
    bump = PullRequest(7, "Bump x from 1.0 to 2.0", END, BOT, notes)
    assert not is_told(activity(pulls=(bump,)), "NORMAL")
    assert is_told(
        activity(pulls=(replace(bump, title="build(deps)!: need x 2.0", author=Person("Jo")),)), "STRICT"
    )
    assert [item.is_bump for item in shown(activity(pulls=(bump,))).items] == [True]


def test_its_own_new_version_is_no_dependency() -> None:
    items = shown(activity(("Bump version to 1.2.0", "pyproject.toml"), BUMP)).items
    assert sorted((item.title, item.is_bump) for item in items) == [
        (BUMP[0], True),
        ("Bump version to 1.2.0", False),
    ]
    said = too_little(shown(activity(("Bump version to 1.2.0", "pyproject.toml"))), "NORMAL")
    assert said == "Nothing worth a post yet: 1 routine change. It is carried over to the next run."


def test_strict_says_that_it_is() -> None:
    said = too_little(shown(activity(FIX, BUMP)), "STRICT")
    assert said == (
        "Too little for a post by this job's strict measure: 1 fix and 1 dependency update."
        " They are carried over to the next run."
    )


def test_a_reason_fits_its_column() -> None:
    issue = Issue(15, "Crash on start", END, labels=("bug",), reason="completed")
    every = [FIX, FASTER, OTHER, PAGE, INNER, TYPO, ("wip", "a.py"), BUMP]
    said = too_little(shown(activity(*every, issues=(issue,))), "STRICT")
    assert said is not None
    assert len(said) < 500


def test_nothing_is_not_too_little() -> None:
    assert too_little(shown(activity()), "STRICT") is None


def test_thirty_days_after_it_was_first_carried_everything_is_told() -> None:
    since = END - CARRIED_MAX
    assert is_due(since, WINDOW)
    assert not is_due(since + timedelta(seconds=1), WINDOW)
    assert not is_due(None, WINDOW)
