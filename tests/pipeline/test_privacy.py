"""What is withheld before anybody sees it."""

import json
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.masking import MASK
from models.values import (
    ACTIVITY,
    Activity,
    Brief,
    Commit,
    FileChange,
    Held,
    Issue,
    Person,
    PullRequest,
    Release,
    Window,
)
from pipeline.belonging import items
from pipeline.closing import Own
from pipeline.digest import digest
from pipeline.heldback import sifted
from pipeline.privacy import Wishes, is_glob, is_security_label, leave_out, names_advisory, sift, word_pattern
from platforms import PLATFORMS

END = datetime(2025, 10, 3, 9, tzinfo=UTC)
WINDOW = Window(END - timedelta(days=1), END)
JOHN = Person("John Doe", "john", "https://github.com/john")
HOME = "https://x.example/username/awesome-lib"
TOKEN = "ghp_" + "Xq7Vd2LmT9pRk4Zs8WbY3cHf6JnG1aEuKo5T"


def commit(sha: str, message: str, *files: str, parents: tuple[str, ...] = ("0",), **more: Any) -> Commit:
    changed = tuple(FileChange(path) for path in files)
    return Commit(sha, message, more.pop("author", JOHN), END, parents=parents, files=changed, **more)


def pull(number: int, title: str, **more: Any) -> PullRequest:
    return PullRequest(number, title, END, more.pop("author", JOHN), **more)


def issue(number: int, title: str, **more: Any) -> Issue:
    return Issue(number, title, END, **more)


def activity(**lists: Any) -> Activity:
    return Activity("username/awesome-lib", WINDOW, **lists)


def left(found: Activity) -> list[str]:
    return [item.key[1] for item in items(found)]


def why(found: Activity) -> set[tuple[str, str]]:
    return {(one.key.partition("@")[0], one.reason) for one in found.withheld}


# Secrets


def test_secrets_are_masked_in_every_text_and_counted_once_an_item():
    mallory = Person(f"Mallory {TOKEN}", TOKEN, f"https://{TOKEN}@github.com/m")
    found = sift(
        activity(
            commits=(
                commit("c1", f"Use {TOKEN}\n\nand {TOKEN}", f"keys/{TOKEN}.txt", author=mallory),
                commit("c2", "Add x", "x.py", co_authors=(mallory,)),
                commit("c3", "Add y (330123258e8c3dc391cbe55ab1ed94891ca83af3) by @octocat", "y.py"),
            ),
            pulls=(pull(1, TOKEN, body=f"a {TOKEN} b", labels=(TOKEN,), author=mallory),),
            issues=(issue(2, f"x {TOKEN}", labels=(TOKEN,), author=mallory),),
            releases=(Release("v1", f"v1 {TOKEN}", END, body=TOKEN, url=f"https://x.example/?k={TOKEN}"),),
            newcomers=(mallory,),
        ),
        (),
        (),
    )
    assert TOKEN not in json.dumps(ACTIVITY.dump_python(found, mode="json"))
    assert found.commits[0].message == f"Use {MASK}\n\nand {MASK}"
    assert found.commits[0].files[0].path == f"keys/{MASK}.txt"
    assert (found.commits[0].author.name, found.commits[0].author.login) == (f"Mallory {MASK}", None)
    assert why(found) == {
        ("c1", "secret"),
        ("c2", "secret"),
        ("1", "secret"),
        ("2", "secret"),
        ("v1", "secret"),
    }
    assert found.summary == "3 commits, 1 merged PR, 1 closed issue, 1 release"
    assert sift(found, (), ()).withheld == found.withheld


def test_a_release_whose_tag_is_a_secret_is_left_out():
    found = sift(activity(releases=(Release(TOKEN, "x", END), Release("v1", "v1", END))), (), ())
    assert left(found) == ["v1"]
    assert {one.reason for one in found.withheld} == {"secret"}


def test_a_private_server_keeps_its_own_links():
    url = "https://git.corp.internal/o/r/commit/c1"
    assert sift(activity(commits=(commit("c1", "Add x", url=url),)), (), ()).commits[0].url == url


# Words


def test_a_newcomer_whom_a_word_names_is_greeted_by_nobody():
    ada, mallory = Person("Ada"), Person("Mallory", "octo-corp")
    found = activity(commits=(commit("c1", "Add x", author=ada),), newcomers=(ada, mallory))
    assert sift(found, ("octo-corp",), ()).newcomers == (ada,)


@pytest.mark.parametrize(
    ("word", "text", "is_found"),
    [
        ("falcon", "Start Project FALCON now", True),
        ("falcon", "falcons fly, a falconer calls", False),
        ("falcon", "src/falcon_api/x.py", True),
        ("falcon", "falcon", True),
        ("falcon", "x-falcon-y, (falcon)", True),
        ("Project  Falcon", "the project\nfalcon", True),
        ("straße", "in der STRASSE", True),
        ("STRASSE", "die Straße", True),
        ("café", "the cafe\u0301 is open", True),
        ("Привет", "он сказал привет!", True),
        ("Привет", "приветствие", False),
        ("猎鹰", "关于猎鹰项目", True),
        ("ハヤブサ", "新しいハヤブサの機能", True),
        ("C++", "written in C++.", True),
        ("#secret", "about #secret things", True),
        ("a.b", "axb", False),
        ("ｆａｌｃｏｎ", "falcon", True),
    ],
)
def test_words_are_whole_and_in_any_case(word, text, is_found):
    found = leave_out(activity(commits=(commit("c1", text), commit("c2", "Add x"))), (word,), ())
    assert ("c1" not in left(found)) is is_found
    assert "c2" in left(found)


def test_no_word_is_no_pattern():
    assert word_pattern(()) is word_pattern(("", "  ")) is None


def test_a_word_is_looked_for_in_every_text():
    falcon = Person("Falcon Team")
    found = leave_out(
        activity(
            commits=(
                commit("c1", "Add x", author=falcon),
                commit("c2", "Add x", co_authors=(falcon,)),
                commit("c3", "Add x", "falcon/x.py"),
                commit("c4", "Add x\n\nfor falcon"),
            ),
            pulls=(
                pull(1, "x", body="falcon"),
                pull(2, "x", labels=("falcon",)),
                pull(3, "x", author=falcon),
            ),
            issues=(issue(4, "falcon"), issue(5, "x", labels=("area: falcon",))),
            releases=(
                Release("v1-falcon", "", END),
                Release("v2", "falcon", END),
                Release("v3", "", END, "falcon"),
            ),
        ),
        ("falcon",),
        (),
    )
    assert (left(found), len(found.withheld), {one.reason for one in found.withheld}) == ([], 12, {"word"})


def test_a_pull_request_goes_with_its_commits_but_not_with_its_issue():
    found = leave_out(
        activity(
            commits=(
                commit("m", "Merge pull request #7 from x/y", parents=("a", "b")),
                commit("b", "Fix a typo"),
                commit("a", "Add x"),
                commit("s", "Falcon, squashed (#8)"),
            ),
            pulls=(pull(7, "Falcon", merge_sha="m", body="Fixes #5"), pull(8, "Squashed", merge_sha="s")),
            issues=(issue(5, "It is slow"),),
        ),
        ("falcon",),
        (),
    )
    assert left(found) == ["a", "5@2025-10-03T09:00:00Z"]


# Paths


def test_files_and_commits_go_by_their_paths():
    found = leave_out(
        activity(
            commits=(
                commit("c1", "Plan", "docs/internal/a.md", "docs/internal/deep/b.md"),
                commit("c2", "Mixed", "docs/internal/a.md", "src/x.py", "certs/server.pem"),
                commit("c3", "No file read"),
                commit("c4", "More than is known", "a.pem", more_files=7),
                commit("c5", "Elsewhere", "src/docs/internal.md"),
                commit("c6", "Merge branch 'x'", parents=("0", "1")),
            )
        ),
        (),
        ("docs/internal/**", "*.pem"),
    )
    assert left(found) == ["c2", "c4", "c5", "c6"]
    assert [[file.path for file in one.files] for one in found.commits[:2]] == [["src/x.py"], []]
    assert why(found) == {("c1", "path"), ("c3", "path")}


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "1 commit were not read, so your paths could not be applied to it and it is left out"),
        (3, "3 commits were not read, so your paths could not be applied to them and they are left out"),
        (
            1200,
            "1,200 commits were not read, so your paths could not be applied to them and they are left out",
        ),
    ],
)
def test_commits_that_were_not_read_go_where_there_are_paths_and_it_is_said(count, said):
    unread = tuple(commit(f"c{number}", "Plan") for number in range(count))
    whole = activity(commits=(commit("r", "Read", "x.py"), *unread), cuts=("Cut.",))
    found = leave_out(whole, (), ("internal/**",))
    assert left(found) == ["r"]
    assert found.cuts == ("Cut.", f"The files of {said}: raise SCAN_DETAILS.")
    assert leave_out(found, (), ("internal/**",)) == found
    assert leave_out(whole, (), ()) == whole


def test_of_a_pull_request_that_was_read_in_part_all_is_told_or_nothing():
    found = leave_out(
        activity(
            commits=(
                commit("m1", "Merge pull request #1 from x/y", "x.py", parents=("0", "b1")),
                commit("b1", "Not read"),
                commit("m2", "Merge pull request #2 from x/y", "in/x.py", parents=("0", "b2")),
                commit("b2", "Not read, and nor is it wanted"),
                commit("s3", "Squashed beyond what is read (#3)"),
            ),
            pulls=(pull(1, "x", merge_sha="m1"), pull(2, "y", merge_sha="m2"), pull(3, "z", merge_sha="s3")),
        ),
        (),
        ("in/**",),
    )
    assert left(found) == ["m1", "b1", "1"]
    assert "The files of 2 commits were" in found.cuts[0]


def test_a_pull_request_goes_when_all_of_its_commits_went():
    found = leave_out(
        activity(
            commits=(
                commit("s", "Plan (#1)", "docs/internal/a.md"),
                commit("m", "Merge pull request #2 from x/plan", parents=("0", "b")),
                commit("b", "Plan more", "docs/internal/b.md"),
                commit("t", "Mixed (#3)", "docs/internal/a.md", "x.py"),
                commit("r2", "Rebased two", "x.py"),
                commit("r1", "Rebased one", "docs/internal/c.md"),
            ),
            pulls=(
                pull(1, "Plan", merge_sha="s"),
                pull(2, "Plan more", merge_sha="m"),
                pull(3, "Mixed", merge_sha="t"),
                pull(4, "Rebased", merge_sha="r2", commits=("r1", "r2")),
                pull(5, "Unknown", merge_sha="elsewhere"),
            ),
        ),
        (),
        ("docs/internal/**",),
    )
    assert left(found) == ["t", "r2", "3", "4", "5"]


def test_a_later_path_brings_files_back_as_in_gitignore():
    rules = ("*.md", "!README.md")
    found = leave_out(activity(commits=(commit("c", "x", "README.md", "a.md"),)), (), rules)
    assert [file.path for file in found.commits[0].files] == ["README.md"]


@pytest.mark.parametrize(
    ("pattern", "is_one"),
    [
        ("docs/internal/**", True),
        ("*.pem", True),
        ("!keep.md", True),
        ("", False),
        ("# x", False),
        ("a[", False),
    ],
)
def test_what_is_a_path(pattern, is_one):
    assert is_glob(pattern) is is_one


def test_leaving_out_again_changes_nothing():
    given_once = leave_out(
        activity(commits=(commit("c1", "falcon"), commit("c2", "x", "a.pem", "b"))), ("falcon",), ("*.pem",)
    )
    assert leave_out(given_once, ("falcon",), ("*.pem",)) == given_once


# Security fixes


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Fix CVE-2025-1234", True),
        ("cve-2025-1234567", True),
        ("tests/test_cve_2025_1234.py", True),
        ("x/CVE‑2025‑1234", True),
        ("GHSA-jfh8-c2jp-5v3q", True),
        ("see https://github.com/advisories/ghsa-jfh8-c2jp-5v3q.", True),
        ("CVE-2025-123", False),
        ("CVE process", False),
        ("GHSA-xxxx", False),
        ("mycve-2025-1234", False),
    ],
)
def test_what_names_an_advisory(text, names):
    assert names_advisory(text) is names


@pytest.mark.parametrize(
    ("label", "is_one"),
    [
        *(
            (label, True)
            for label in ("security", "Security", "type: security", "security-fix", "type/security")
        ),
        *((label, True) for label in ("🔒 security", "security:high", "vulnerability", "kind/security fix")),
        *((label, False) for label in ("security docs", "documentation: security", "not-security")),
        *((label, False) for label in ("security-review", "insecurity", "bug", "securityfix", "")),
    ],
)
def test_what_is_a_security_label(label, is_one):
    assert is_security_label(label) is is_one


def held(found: Activity) -> set[str]:
    return set(left(activity(**lists(found.held))))


def lists(kept: Held) -> dict[str, Any]:
    return {"commits": kept.commits, "pulls": kept.pulls, "issues": kept.issues}


@pytest.mark.parametrize(
    "named",
    [
        {"pulls": {"labels": ("security",)}},
        {"pulls": {"body": "Fixes #5, GHSA-jfh8-c2jp-5v3q"}},
        {"commits": {"message": "Compare hosts, CVE-2025-1234"}},
        {"commits": {"files": (FileChange("tests/test_cve_2025_1234.py"),)}},
        {"issues": {"labels": ("type: security",)}},
    ],
)
@pytest.mark.parametrize("way", ["squash", "merge", "rebase"])
def test_whatever_of_it_is_named_all_of_it_is_held(named, way):
    message = "Compare hosts (#7)" if way == "squash" else "Compare hosts"
    fix = replace(commit("fix", message, "x.py"), **named.get("commits", {}))
    request = replace(
        pull(7, "Compare the hosts", body="Fixes #5", merge_sha="fix"), **named.get("pulls", {})
    )
    report = replace(issue(5, "Anywhere"), **named.get("issues", {}))
    commits = [fix, commit("other", "Add x", "x.py")]
    if way == "merge":
        request = replace(request, merge_sha="m")
        commits.append(commit("m", "Merge pull request #7 from x/y", parents=("other", "fix")))
    if way == "rebase":
        request = replace(request, merge_sha="late", commits=("fix", "late"))
        commits.append(commit("late", "Test it"))
    found = sift(
        activity(
            commits=tuple(commits), pulls=(request, pull(8, "Other")), issues=(report, issue(6, "Other"))
        ),
        (),
        (),
    )
    assert left(found) == ["other", "8", "6@2025-10-03T09:00:00Z"]
    assert {reason for _, reason in why(found)} == {"security"}
    assert len(found.withheld) == len(held(found)) == len(commits) - 1 + 2


@pytest.mark.parametrize(
    "said",
    [
        "Fixes #5",
        "closes: o/r#4, #5",
        "closes Username/awesome-lib#5",
        "Resolves #3, #4 and #5",
        "fix GH-5",
        "Close https://x.example/username/awesome-lib/issues/5",
    ],
)
def test_the_issue_that_a_fix_closes_is_held_with_it(said):
    fix = pull(7, "Compare hosts", body=said, labels=("security",))
    reports = (issue(5, "Anywhere"), issue(50, "Other"))
    found = sift(activity(pulls=(fix,), issues=reports, url=HOME), (), ())
    assert left(found) == ["50@2025-10-03T09:00:00Z"]


@pytest.mark.parametrize(
    "said",
    [
        "Fixes other/repo#5",
        "Fixes https://x.example/other/repo/issues/5",
        "<!-- e.g. Fixes #5 -->",
        "`Fixes #5`",
        "```\nFixes #5\n```",
    ],
)
def test_what_a_fix_does_not_close_is_told(said):
    fix = pull(7, "Compare hosts", body=said, labels=("security",))
    found = sift(activity(pulls=(fix,), issues=(issue(5, "Add dark mode"),), url=HOME), (), ())
    assert left(found) == ["5@2025-10-03T09:00:00Z"]


CVE = "\n\nCVE-2025-1234"
LABEL = {"labels": ("security",)}


@pytest.mark.parametrize(
    "lists",
    [
        {"commits": (commit("c", f"Sanitize (#5){CVE}"),), "issues": (issue(5, "XSS"),)},
        {"commits": (commit("c", "Sanitize (#5)", "x.py"),), "issues": (issue(5, "Login", **LABEL),)},
        {"pulls": (pull(7, "Sanitize (#5)", **LABEL),), "issues": (issue(5, "XSS"),)},
        {"pulls": (pull(7, "Sanitize (#5)", body="More"),), "issues": (issue(5, "Login", **LABEL),)},
        {
            "pulls": (pull(7, "Sanitize", merge_sha="m"),),
            "commits": (
                commit("m", "Merge pull request #7 from x/y", parents=("0", "a")),
                commit("a", "Sanitize the input (#5)"),
            ),
            "issues": (issue(5, "Login", **LABEL),),
        },
    ],
)
def test_a_title_that_ends_with_the_issues_number_joins_them(lists):
    """As it does in the digest."""
    joined = [one.closes for one in digest(activity(**lists), cadence="daily", zone=ZoneInfo("UTC")).items]
    assert [[one.number for one in closes] for closes in joined] == [[5]]
    assert left(sift(activity(**lists), (), ())) == []


@pytest.mark.parametrize(
    ("said", "is_held"),
    [
        *((f"Covers {name}.", True) for name in ("#5", "GH-5", "username/awesome-lib#5", "`#5`", "[#5]")),
        *((f"See https://x.example/username/awesome-lib/{page}/5", True) for page in ("pull", "issues")),
        ("修复#5", True),
        *((f"See {name}.", False) for name in ("other/repo#5", "#50", "a#5", "&#5;", "issue 5", "x/y/#5")),
        *((f"See https://x.example/other/repo/{page}/5", False) for page in ("pull", "issues")),
        ("Bumps x: [#5](https://github.com/other/repo/pull/5)", False),
        ('Bumps x: <a href="https://github.com/other/repo/pull/5">#5</a>', False),
        ("<!-- e.g. #5 -->", False),
    ],
)
@pytest.mark.parametrize("place", ["title", "body", "message", "issue"])
def test_what_names_a_fix_by_its_number_is_held_with_it(said, is_held, place):
    of_place: dict[str, dict[str, Any]] = {
        "title": {"pulls": (pull(6, said),)},
        "body": {"pulls": (pull(6, "Add tests", body=said),)},
        "message": {"commits": (commit("c", f"Add tests\n\n{said}"),)},
        "issue": {"issues": (issue(6, said),)},
    }
    told = {"pulls": (), **of_place[place]}
    told["pulls"] = (pull(5, "Sanitize", **LABEL), *told["pulls"])
    assert (left(sift(activity(**told, url=HOME), (), ())) == []) is is_held


def test_what_names_a_fix_takes_its_commits_and_issues_along():
    found = sift(
        activity(
            commits=(
                commit("s", f"Sanitize (#5){CVE}"),
                commit("m", "Merge pull request #6 from x/tests", parents=("0", "b")),
                commit("b", "Test with a script in the name"),
                commit("o", "Other"),
            ),
            pulls=(pull(6, "Add tests", body="For #5. Fixes #4", merge_sha="m"), pull(8, "Docs of #6")),
            issues=(issue(4, "No tests for scripts"), issue(9, "Other")),
        ),
        (),
        (),
    )
    assert left(found) == ["o", "9@2025-10-03T09:00:00Z"]


@pytest.mark.parametrize("length", [1, 3, 1000])
def test_a_chain_of_names_is_held_to_its_end(length):
    chain = tuple(pull(n, "Add tests", body=f"After #{n - 1}") for n in range(2, length + 1))
    pulls = (*reversed(chain), pull(1, "Sanitize", **LABEL), pull(5000, "Other", body="After #4000"))
    began = time.process_time()
    assert left(sift(activity(pulls=pulls), (), ())) == ["5000"]
    assert time.process_time() - began < 5


def test_names_are_found_in_long_texts_in_time():
    own = Own("o/r", HOME)
    for piece in ("a/", "https://a", "[#", "<!--", "a.b-", "http://x/issues/", "fixes http://x/issues/"):
        began = time.process_time()
        text = (piece * 10_000)[:50_000]
        assert not {*own.named(text), *own.closed(text)}
        assert time.process_time() - began < 5


def test_what_repeats_a_fix_is_held_with_it():
    found = sift(
        activity(
            commits=(
                commit("aaaaaaa1", "Validate the redirect's target\n\nCVE-2025-1234"),
                commit("bbbbbbb2", "[3.1] Validate the redirect's target (#9)"),
                commit("ccccccc3", "Fix it\n\n(cherry picked from commit aaaaaaa1)"),
                commit("ddddddd4", 'Revert "Validate the redirect\'s target"'),
                commit("eeeeeee5", "Fix tests"),
            ),
        ),
        (),
        (),
    )
    assert left(found) == ["eeeeeee5"]


def test_a_large_merge_is_not_held_for_one_small_fix_inside():
    found = sift(
        activity(
            commits=(
                commit("big", "Merge pull request #9 from x/develop", parents=("0", "small")),
                commit("small", "Merge pull request #8 from x/fix", parents=("n1", "fix")),
                commit("fix", "Fix CVE-2025-1234", parents=("n1",)),
                commit("n1", "Add x", parents=("0",)),
            ),
            pulls=(pull(9, "Release week", merge_sha="big"), pull(8, "Fix", merge_sha="small")),
        ),
        (),
        (),
    )
    assert left(found) == ["big", "n1", "9"]


def test_a_release_that_names_an_advisory_is_told():
    assert left(sift(activity(releases=(Release("v1", "v1", END, "Fixes CVE-2025-1234"),)), (), ())) == ["v1"]


def test_what_is_kept_is_masked_and_says_nothing_again():
    first = sift(activity(commits=(commit("fix", f"CVE-2025-1234 {TOKEN}"),)), (), ())
    assert first.held.commits[0].message == f"CVE-2025-1234 {MASK}"
    assert why(first) == {("fix", "security")}
    later = sift(activity(commits=(commit("c", "Add x"),)), (), (), first.held)
    assert (left(later), held(later), later.withheld) == (["c"], {"fix"}, ())
    dropped = sift(activity(commits=(commit("c", "Add x"),)), ("cve-2025-1234",), (), first.held)
    assert (held(dropped), why(dropped)) == (set(), {("fix", "word")})


# Nothing planted comes through

PLANTS = {"secret": TOKEN, "word": "falcon", "security": "CVE-2025-1234"}
TEXTS = st.sampled_from(["Add x", "Fix y", "Speed up the thing", "", "Docs: explain\n\nIn more words."])


@st.composite
def planted(draw: st.DrawFn) -> Activity:
    """An activity of every kind of item, joined at random, with what must not be told anywhere in it."""

    def text(named: bool = True) -> str:
        what = draw(st.sampled_from([*PLANTS.values(), "", "", "", ""])) if named else ""
        return " ".join(filter(None, [draw(TEXTS), what, draw(TEXTS)]))

    def person() -> Person:
        what = draw(st.sampled_from([TOKEN, "falcon", "", "", ""]))
        return Person(f"Jane {what}".strip(), draw(st.sampled_from([None, "jane"])))

    count = draw(st.integers(1, 6))
    shas = [f"{number:07x}" for number in range(1, count + 1)]
    numbers = range(40, 40 + draw(st.integers(0, 3)))
    commits = tuple(
        Commit(
            sha,
            text() + draw(st.sampled_from(["", *(f" (#{n})" for n in numbers), "\n\nFixes #5"])),
            person(),
            END,
            parents=tuple(
                draw(st.lists(st.sampled_from(["0", *shas[place + 1 :]]), max_size=2, unique=True))
            ),
            files=tuple(
                FileChange(draw(st.sampled_from(["a.py", "falcon.py", "in/b.md", f"k/{TOKEN}"])))
                for _ in "ab"
            ),
            co_authors=tuple(person() for _ in range(draw(st.integers(0, 1)))),
        )
        for place, sha in enumerate(shas)
    )
    pulls = tuple(
        pull(
            number,
            text(),
            author=person(),
            body=text() + draw(st.sampled_from(["", " Fixes #5", " After #40", " See o/r#41"])),
            labels=tuple(draw(st.lists(st.sampled_from(["bug", "security", "falcon", TOKEN]), max_size=1))),
            merge_sha=draw(st.sampled_from([None, *shas])),
        )
        for number in numbers
    )
    issues = tuple(issue(number, text(), author=person()) for number in range(5, 5 + draw(st.integers(0, 2))))
    releases = tuple(
        Release(f"v{number}", text(named=False), END, draw(st.sampled_from(["", TOKEN, "falcon"])))
        for number in range(draw(st.integers(0, 2)))
    )
    return activity(commits=commits, pulls=pulls, issues=issues, releases=releases)


def told_of(found: Activity) -> str:
    """All that a writer is shown, as text."""
    shown = digest(found, cadence="daily", zone=ZoneInfo("UTC"))
    briefs = [Brief(shown, platform.rules, "Lib") for platform in PLATFORMS.values()]
    return json.dumps([asdict(brief) for brief in briefs], default=str)


@settings(max_examples=300, deadline=None)
@given(planted(), st.booleans())
def test_nothing_planted_reaches_a_brief_or_the_stored_step(found, is_released):
    if not is_released:  # what has no commit here is released by date
        early = END - timedelta(days=1)
        found = replace(found, releases=tuple(replace(one, published_at=early) for one in found.releases))
    wishes = Wishes(("Falcon",), ("in/**",))
    safe = sifted(found, wishes, Held, lambda tag, sha: is_released)
    step = ACTIVITY.dump_python(safe, mode="json")
    kept_aside = json.dumps(step.pop("held"))
    seen = (told_of(safe) + json.dumps(step)).lower()
    for plant in (TOKEN, "falcon", "in/b.md"):
        assert plant.lower() not in seen
        assert plant.lower() not in kept_aside.lower()
    if not (is_released and found.releases):
        assert "cve-2025-1234" not in seen
        assert not any(map(is_security_label, (label for one in safe.pulls for label in one.labels)))
    # And nothing is lost: every item is told, kept or left out for a reason.
    dealt_with = {*safe.keys(), *((one.kind, one.key) for one in safe.withheld)}
    assert dealt_with == set(found.keys())
    assert held(safe).isdisjoint(left(safe))
    if not (is_released and found.releases):  # and nothing that is told names what is held
        own = Own(found.repository, found.url)
        numbers = {one.number for one in (*safe.held.pulls, *safe.held.issues)}
        for one in (*safe.commits, *safe.pulls):
            text = one.message if isinstance(one, Commit) else f"{one.title} {one.body}"
            assert numbers.isdisjoint(own.named(text))
