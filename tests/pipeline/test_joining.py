"""What belongs together is one item, however it came in, and everything that was read ends in one place."""

import random
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models.values import (
    Activity,
    Commit,
    Digest,
    FileChange,
    Issue,
    Key,
    Person,
    PullRequest,
    Release,
    Window,
)
from pipeline.digest import digest
from pipeline.joining import asked

END = datetime(2025, 10, 3, 9, tzinfo=UTC)
WEEK = Window(END - timedelta(days=7), END)
HOME = "https://github.com/username/awesome-lib"
JOHN, JANE = Person("John Doe", "john"), Person("Jane Smith", "jane")
A, B, C, D = ("a" * 40, "b" * 40, "c" * 40, "d" * 40)


def commit(sha: str, message: str, *parents: str, ago: float = 1, **more) -> Commit:
    return Commit(
        sha, message, more.pop("author", JOHN), END - timedelta(hours=ago), parents=parents or ("0",), **more
    )


def pull(number: int, title: str, merge_sha: str | None = None, ago: float = 1, **more) -> PullRequest:
    return PullRequest(number, title, END - timedelta(hours=ago), merge_sha=merge_sha, **more)


def issue(number: int, title: str = "Crash on start", ago: float = 1, **more) -> Issue:
    return Issue(number, title, END - timedelta(hours=ago), **more)


def activity(**lists) -> Activity:
    return Activity("username/awesome-lib", WEEK, HOME, **lists)


def shown(found: Activity | None = None, *, told: set[Key] | None = None, **lists) -> Digest:
    found = found or activity(**lists)
    made = digest(found, cadence="weekly", zone=ZoneInfo("UTC"), told=told or set())
    assert accounted(made) == Counter(keys(found))
    assert len({item.ref for item in made.items}) == len(made.items)
    return made


def keys(found: Activity) -> list[Key]:
    return [one.key for one in (*found.commits, *found.pulls, *found.issues, *found.releases)]


def accounted(made: Digest) -> Counter[Key | None]:
    told = Counter(key for item in made.items for key in (item.key, *item.folded))
    closed = {issue.key for item in made.items for issue in item.closes}
    assert closed <= told.keys()
    return told + Counter(key for key, _ in made.left_out)


def refs(made: Digest) -> list[str]:
    return sorted(item.ref for item in made.items)


def left(made: Digest) -> dict[str, str]:
    return {key: reason for (_, key), reason in made.left_out}


def folded(made: Digest, ref: str) -> set[str]:
    [item] = [item for item in made.items if item.ref == ref]
    return {key for _, key in item.folded}


# --- Pull requests


def test_a_rebased_pull_request_has_all_its_commits() -> None:
    made = shown(
        commits=(commit("c3", "Tidy x", "c2"), commit("c2", "Test x", "c1"), commit("c1", "Add x")),
        pulls=(pull(7, "Add x with tests", "c3", commits=("c1", "c2", "c3")),),
    )
    assert (refs(made), folded(made, "PR7")) == (["PR7"], {"c1", "c2", "c3"})


def test_an_inner_pull_request_keeps_its_own_commits() -> None:
    """Merged into `dev` by 7 and 8, and `dev` merged by 20; the newest pull request is listed first."""
    made = shown(
        commits=(
            commit("m20", "Merge pull request #20 from me/dev", "0", "d1"),
            commit("d1", "Set the date", "s8", ago=2),
            commit("s8", "Speed up y (#8)", "m7", ago=3),
            commit("m7", "Merge pull request #7 from you/x", "0", "x1", ago=4),
            commit("x1", "Start x", ago=5),
        ),
        pulls=(
            pull(20, "Version 2", "m20", commits=("m20", "d1", "s8", "m7", "x1")),
            pull(8, "Speed up y", "s8", ago=3),
            pull(7, "Add x", "m7", ago=4),
        ),
    )
    assert refs(made) == ["PR20", "PR7", "PR8"]
    # `commits` of the outer one name all that it carried; what an inner merge says is asked first.
    assert folded(made, "PR8") == {"s8"}
    assert "m7" in folded(made, "PR7")


def test_an_inner_merge_is_asked_before_the_outer_one() -> None:
    made = shown(
        commits=(
            commit("m20", "Merge pull request #20 from me/dev", "0", "m7"),
            commit("m7", "Merge pull request #7 from you/x", "0", "x1", ago=4),
            commit("x1", "Start x", ago=5, files=(FileChange("x.py", additions=3, deletions=0),)),
        ),
        pulls=(pull(20, "Version 2", "m20"), pull(7, "Add x", "m7", ago=4)),
    )
    assert (folded(made, "PR20"), folded(made, "PR7")) == ({"m20"}, {"m7", "x1"})
    by_ref = {item.ref: item for item in made.items}
    assert (by_ref["PR20"].files, by_ref["PR7"].files) == ((), ("x.py",))


def test_an_outer_merge_tells_the_lines_of_its_own_commits() -> None:
    """What its inner pull requests changed is theirs, though its own difference holds all of it."""
    one = (FileChange("x.py", additions=3, deletions=0),)
    two = (FileChange("y.py", additions=4, deletions=0),)
    commits = (
        commit("m20", "Merge pull request #20 from me/dev", "0", "d1", files=(*one, *two)),
        commit("d1", "Set the date", "m7", ago=3, files=two),
        commit("m7", "Merge pull request #7 from you/x", "0", "x1", ago=4, files=one),
        commit("x1", "Start x", ago=5, files=one),
    )
    made = shown(commits=commits, pulls=(pull(20, "Version 2", "m20"), pull(7, "Add x", "m7", ago=4)))
    assert {item.ref: item.files for item in made.items} == {"PR20": ("y.py",), "PR7": ("x.py",)}
    assert (made.additions, made.files_changed) == (7, 2)


def test_merges_into_the_branch_of_a_pull_request_bring_nothing_from_it() -> None:
    made = shown(
        commits=(
            commit("m7", "Merge pull request #7 from you/x", "a1", "u"),
            commit("u", "Merge branch 'main' into x", "x1", "a1", ago=2),
            commit("a1", "Work on main", ago=3),
            commit("x1", "Start x", ago=4),
        ),
        pulls=(pull(7, "Add x", "m7"),),
    )
    assert refs(made) == ["Ca1", "PR7"]
    assert folded(made, "PR7") == {"m7", "u", "x1"}


@pytest.mark.parametrize("title", ["Add x (#7)", "Merge pull request #7 from you/x"])
def test_a_number_joins_where_no_id_does(title: str) -> None:
    made = shown(commits=(commit("s", title),), pulls=(pull(7, "Add x", "elsewhere"),))
    assert (refs(made), folded(made, "PR7")) == (["PR7"], {"s"})


def test_a_follow_up_that_names_a_pull_request_is_a_thing_of_its_own() -> None:
    made = shown(
        commits=(
            commit("f", "Name x better (#7)", "s"),
            commit("copy", "Add x (#7)", "s", ago=2),
            commit("s", "Add x (#7)", ago=3),
        ),
        pulls=(pull(7, "Add x", "s"),),
    )
    assert (refs(made), folded(made, "PR7")) == (["Cf", "PR7"], {"s", "copy"})


def test_a_merge_without_its_pull_request_is_one_piece_of_work() -> None:
    made = shown(
        commits=(
            commit("m", "Merge pull request #7 from you/x\n\nAdd x\n\nBecause y was slow.", "0", "x2"),
            commit("x2", "wip", "x1", author=JANE, ago=2),
            commit("x1", "Start x", ago=3),
        )
    )
    [item] = made.items
    assert (item.ref, item.title, item.body, item.number) == ("Cm", "Add x", "Because y was slow.", None)
    assert item.people == (JANE, JOHN)
    assert folded(made, "Cm") == {"x1", "x2"}


def test_a_merge_that_says_nothing_leaves_its_commits_alone() -> None:
    made = shown(
        commits=(
            commit("m", "Merge pull request #7 from you/x", "0", "x"),
            commit("x", "Add x", ago=2),
            commit("i", "Integrate the new parser", "0", "p", ago=3),
            commit("p", "Add a parser", ago=4),
        )
    )
    assert (refs(made), left(made)) == (["Cp", "Cx"], {"m": "merge", "i": "merge"})


def test_a_merge_is_all_there_is_when_its_commits_are_older() -> None:
    made = shown(
        commits=(
            commit("i", "Integrate the new parser", "0", "told"),
            commit("m", "Merge branch 'x'", "0", "told"),
        )
    )
    assert (refs(made), left(made)) == (["Ci"], {"m": "merge"})


def test_what_an_earlier_run_told_is_not_told_again() -> None:
    found = activity(
        commits=(
            commit("m", "Merge pull request #7 from you/x\n\nAdd x", "0", "x"),
            commit("x", "Start x", ago=2),
            commit("s", "Add y (#8)", "0", ago=3, by_forge=True),
            commit("n", "Mend y (#9)", "0", ago=4),
        ),
        pulls=(pull(10, "Add z", "z"), pull(11, "Add w", "w")),
    )
    assert asked(found) == {("pull", "7"), ("pull", "8"), ("commit", "z"), ("commit", "w")}
    made = shown(found, told={("pull", "7"), ("pull", "8"), ("commit", "z")})
    assert refs(made) == ["Cn", "PR11"]
    assert left(made) == dict.fromkeys(("m", "x", "s", "10"), "told")
    assert refs(shown(found)) == ["Cm", "Cn", "Cs", "PR10", "PR11"]


def test_references_tell_commits_apart_that_begin_alike() -> None:
    made = shown(commits=(commit("1234567a" + "0" * 32, "Add x"), commit("1234567b" + "0" * 32, "Add y")))
    assert refs(made) == ["C1234567a", "C1234567b"]


# --- Issues


@pytest.mark.parametrize(
    "word", ["close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved"]
)
@pytest.mark.parametrize(
    "name",
    [
        "#12",
        "GH-12",
        "username/awesome-lib#12",
        f"{HOME}/issues/12",
        ": #12",
        "#11, #12",
        "#10, GH-11 and #12",
    ],
)
def test_closing_words(word: str, name: str) -> None:
    text = f"Mend it\n\n{word.title()}{'' if name.startswith(':') else ' '}{name}."
    made = shown(commits=(commit("a", text),), issues=(issue(12),))
    assert refs(made) == ["Ca"]
    assert [one.ref for one in made.items[0].closes] == ["I12"]


@pytest.mark.parametrize(
    "text",
    [
        "See #12", "fixes other/lib#12", "Fixes https://github.com/other/lib/issues/12", "prefixes #12",
        "fixes 12", "Fixes #123", "hot-fix #12", "fixing #12", "Fixes #11 like #12", "refs #12",
    ],
)  # fmt: skip
def test_what_closes_nothing(text: str) -> None:
    assert refs(shown(commits=(commit("a", f"Mend it\n\n{text}"),), issues=(issue(12),))) == ["Ca", "I12"]


@pytest.mark.parametrize(
    ("body", "closes"),
    [
        ("Fixes #12", True),
        ("<!-- Fixes #12 -->", False),
        ("```\nFixes #12\n```", False),
        ("Write `Fixes #12` there", False),
        ("```\nx\n```\nFixes #12", True),
        ("<!-- Fixes #1 --> Fixes #12", True),
    ],
)
def test_comments_and_code_of_a_pull_request_close_nothing(body: str, closes: bool) -> None:
    made = shown(pulls=(pull(7, "Mend it", body=body),), issues=(issue(12),))
    assert refs(made) == (["PR7"] if closes else ["I12", "PR7"])


def test_an_issue_goes_to_one_change() -> None:
    made = shown(
        pulls=(
            pull(9, "Mend it at last", body="Fixes #12", ago=2),
            pull(8, "Mend it", body="Fixes #12", ago=30),
            pull(7, "Name it (#12)", ago=1),
        ),
        issues=(issue(12),),
    )
    assert refs(made) == ["PR7", "PR8", "PR9"]
    assert {item.ref: len(item.closes) for item in made.items} == {"PR7": 0, "PR8": 0, "PR9": 1}


def test_a_title_that_ends_with_an_issue_is_about_it() -> None:
    made = shown(commits=(commit("a", "Mend the start (#12)"),), issues=(issue(12),))
    assert (refs(made), folded(made, "Ca")) == (["Ca"], {issue(12).key[1]})


def test_an_issue_closed_twice_is_one() -> None:
    made = shown(issues=(issue(12, ago=1), issue(12, ago=50)))
    assert (refs(made), folded(made, "I12")) == (["I12"], {issue(12, ago=50).key[1]})
    made = shown(issues=(issue(12, ago=1, reason="not_planned"), issue(12, ago=50, reason="completed")))
    assert (refs(made), set(left(made).values())) == ([], {"unplanned"})


@pytest.mark.parametrize(
    ("reason", "is_told"), [(None, True), ("completed", True), ("not_planned", False), ("duplicate", False)]
)
def test_only_what_was_done_is_an_achievement(reason: str | None, is_told: bool) -> None:
    for lists in ({}, {"commits": (commit("a", "Say why not\n\nCloses #12"),)}):
        made = shown(issues=(issue(12, reason=reason),), **lists)
        closed = {item.ref for item in made.items} | {one.ref for item in made.items for one in item.closes}
        assert ("I12" in closed) is is_told


def test_an_issue_known_by_its_number_alone_is_no_item() -> None:
    unknown = (issue(12, "Issue #12"), issue(13, "#13"), issue(14, ""))
    made = shown(commits=(commit("a", "Mend it\n\nFixes #12"),), issues=unknown)
    [item] = made.items
    assert [(one.ref, one.title) for one in item.closes] == [("I12", "")]
    assert left(made) == dict.fromkeys((issue(13).key[1], issue(14).key[1]), "unnamed")


# --- Reverts


def revert(sha: str, of: str, title: str, *parents: str, ago: float = 1, note: str = "") -> Commit:
    return commit(sha, f'Revert "{title}"\n\nThis reverts commit {of}.{note}', *parents, ago=ago)


def test_a_revert_and_what_it_undid_are_left_out() -> None:
    made = shown(
        commits=(revert(B, A, "Add x", note="\n\nIt broke y."), commit(A, "Add x\n\nFixes #12", ago=2)),
        issues=(issue(12),),
    )
    assert refs(made) == []
    assert set(left(made).values()) == {"reverted"}


def test_a_revert_of_a_revert_brings_it_back() -> None:
    again = commit(C, f'Reapply "Add x"\n\nThis reverts commit {B}.', ago=1)
    commits = (again, revert(B, A[:10], "Add x", ago=2), commit(A, "Add x\n\nFixes #12", ago=3))
    made = shown(commits=commits, issues=(issue(12),))
    assert [one.ref for one in made.items[0].closes] == ["I12"]
    assert (refs(made), left(made)) == (["Caaaaaaa"], {B: "reverted", C: "reverted"})
    last = revert(D, C, 'Reapply "Add x"', ago=0.5)
    assert refs(shown(commits=(last, *commits))) == []


def test_a_long_chain_of_reverts_ends() -> None:
    chain = [commit("0" * 40, "Add x", ago=2_000)]
    for n in range(1, 1_500):
        chain.append(revert(f"{n:040x}", chain[-1].sha, "Add x", ago=2_000 - n))
    assert refs(shown(commits=tuple(reversed(chain)))) == ([] if len(chain) % 2 == 0 else ["C" + "0" * 7])


def test_what_was_told_before_stays_told_as_a_revert() -> None:
    made = shown(
        commits=(revert(B, "f" * 40, "Add x"),),
        pulls=(pull(9, 'Revert "Add y"', body="Reverts username/awesome-lib#4"),),
    )
    assert [(item.ref, item.category) for item in made.items] == [("PR9", "other"), ("Cbbbbbbb", "other")]


def test_the_button_of_github() -> None:
    """Its pull request names the other one in its body, its squash commit in its title, itself last."""
    made = shown(
        commits=(
            commit("r", 'Revert "Add x (#1)" (#2)\n\nReverts #1', "s"),
            commit("s", "Add x (#1)", ago=2),
        ),
        pulls=(
            pull(2, 'Revert "Add x"', "r", body="Reverts username/awesome-lib#1"),
            pull(1, "Add x", "s", ago=2),
        ),
    )
    assert refs(made) == []
    other = shown(
        pulls=(pull(2, 'Revert "Add x"', body="Reverts other/lib#1"), pull(1, "Add x of ours", ago=2))
    )
    assert refs(other) == ["PR1", "PR2"]


def test_a_reverted_merge_takes_all_that_it_brought() -> None:
    undone = commit(
        D,
        f'Revert "Merge pull request #7 from you/x"\n\nThis reverts commit {C}, reversing\n'
        f"changes made to {A}.",
        C,
    )
    history = (
        undone,
        commit(C, "Merge pull request #7 from you/x", A, B, ago=2),
        commit(B, "Start x", A, ago=3),
        commit(A, "Work on main", ago=4),
    )
    assert refs(shown(commits=history, pulls=(pull(7, "Add x", C, ago=2),))) == ["Caaaaaaa"]
    made = shown(commits=history)
    assert (refs(made), left(made)) == (["Caaaaaaa"], {C: "merge", B: "reverted", D: "reverted"})


def test_one_commit_of_a_pull_request_may_be_undone() -> None:
    changed = (FileChange("x.py", additions=1, deletions=0),)
    history = (
        commit(C, "Merge pull request #7 from you/x", "0", B, ago=2, files=changed),
        commit(B, "Test x", A, ago=3, files=changed),
        commit(A, "Start x", ago=4, files=changed),
    )
    pulls = (pull(7, "Add x", C, ago=2),)
    made = shown(commits=(revert(D, B, "Test x", C), *history), pulls=pulls)
    assert (refs(made), folded(made, "PR7")) == (["PR7"], {A, C})
    assert left(made) == {B: "reverted", D: "reverted"}
    both = (revert("e" * 40, A, "Start x", D, ago=0.5), revert(D, B, "Test x", C), *history)
    assert refs(shown(commits=both, pulls=pulls)) == []


def test_a_change_that_also_undoes_something_stays() -> None:
    rewritten = commit(B, f"Rewrite the parser\n\nThe old way was slow. This reverts commit {A}.")
    assert refs(shown(commits=(rewritten, commit(A, "Add a parser", ago=2)))) == ["Cbbbbbbb"]


def test_a_revert_that_reaches_back_stays() -> None:
    both = commit(C, f"Revert the parser\n\nThis reverts commits {A}, and\n{'f' * 40}.")
    made = shown(commits=(both, commit(A, "Add a parser", ago=2), commit(B, "Add x", ago=3)))
    assert (refs(made), left(made)) == (["Cbbbbbbb", "Cccccccc"], {A: "reverted"})


def test_a_revert_by_title_alone_takes_the_last_of_that_name() -> None:
    made = shown(
        commits=(
            commit(C, 'Revert "Add x"'),
            commit(B, "Add x\n\nOnce more.", ago=2),
            commit(A, "Add x", ago=3),
        )
    )
    assert refs(made) == ["Caaaaaaa"]
    assert refs(shown(commits=(commit(C, "Add x"), commit(B, 'Revert "Add x"', ago=2)))) == [
        "Cbbbbbbb",
        "Cccccccc",
    ]


def test_circles_of_reverts_undo_nothing() -> None:
    made = shown(commits=(revert(A, B, "Add y"), revert(B, A, "Add x", ago=2)))
    assert refs(made) == ["Caaaaaaa", "Cbbbbbbb"]


def test_what_was_added_once_more_after_a_revert_is_told() -> None:
    picked = commit(C, f"Add x\n\n(cherry picked from commit {A})")
    made = shown(commits=(picked, revert(B, A, "Add x", ago=2), commit(A, "Add x", ago=3)))
    assert refs(made) == ["Cccccccc"]


# --- The same once more


def test_a_pick_is_what_it_was_picked_from() -> None:
    changed = (FileChange("x.py", additions=5, deletions=1),)
    made = shown(
        commits=(
            commit(C, f"Add x\n\nFixes #12\n\n(cherry picked from commit {A})", files=changed),
            commit(B, f"Add x\n\n(cherry-picked from commit {A[:9]})", ago=2, files=changed),
            commit(A, "Add x", ago=3, files=changed),
        ),
        issues=(issue(12),),
    )
    [item] = made.items
    assert (item.ref, item.additions) == ("Caaaaaaa", 5)
    assert folded(made, "Caaaaaaa") == {B, C, issue(12).key[1]}


def test_a_backport_is_its_pull_request() -> None:
    made = shown(
        commits=(
            commit(B, f"Add x (#8)\n\n(cherry picked from commit {A})"),
            commit(A, "Add x (#7)", ago=2),
        ),
        pulls=(pull(8, "[1.x] Add x", B), pull(7, "Add x", A, ago=2)),
    )
    assert (refs(made), folded(made, "PR7")) == (["PR7"], {A, B, "8"})


@pytest.mark.parametrize(
    ("title", "body"),
    [
        ("Backport PR #7: Add x", ""),
        ("[PR #7/1a2b3c4d backport][1.x] Add x", ""),
        ("[Backport 1.x] Add x", "# Description\nBackport of #7 to `1.x`."),
        ("[1.x] Add x", f"Backport {A} from #7."),
    ],
)
def test_a_backport_to_another_branch_is_its_pull_request(title: str, body: str) -> None:
    pulls = (pull(8, title, "elsewhere", body=body), pull(7, "Add x", A, ago=2))
    made = shown(commits=(commit(A, "Add x (#7)", ago=2),), pulls=pulls)
    assert (refs(made), folded(made, "PR7")) == (["PR7"], {A, "8"})
    assert refs(shown(pulls=pulls[:1])) == ["PR8"]


def test_backports_in_a_circle_stay() -> None:
    shown(pulls=(pull(8, "Backport of #7"), pull(7, "Backport of #8"), pull(6, "Backport of #6")))


def test_picks_of_what_is_elsewhere_are_one() -> None:
    made = shown(
        commits=(
            commit(C, f"Add x\n\n(cherry picked from commit {A})"),
            commit(B, f"Add x\n\n(cherry picked from commit {A})", ago=2),
        )
    )
    assert (refs(made), folded(made, "Cccccccc")) == (["Cccccccc"], {B})


def test_a_pick_of_several_things_is_a_thing_of_its_own() -> None:
    picks = [commit(sha, f"Pick\n\n(cherry picked from commit {of})") for sha, of in ((C, A), (D, B))]
    commits = (*picks, commit(B, "Add y", ago=2), commit(A, "Add x", ago=3))
    made = shown(commits=commits, pulls=(pull(9, "Backports", commits=(C, D)),))
    assert (refs(made), folded(made, "PR9")) == (["Caaaaaaa", "Cbbbbbbb", "PR9"], {C, D})


def test_picks_in_a_circle_stay() -> None:
    one = commit(A, f"Add x\n\n(cherry picked from commit {B})")
    other = commit(B, f"Add y\n\n(cherry picked from commit {A})", ago=2)
    shown(commits=(one, other))


def test_steps_of_one_title_that_explain_different_things_stay_apart() -> None:
    made = shown(
        commits=(commit("b", "Fix it\n\nThe left one."), commit("a", "Fix it\n\nThe right one.", ago=2))
    )
    assert refs(made) == ["Ca", "Cb"]


# --- Anything at all


def anything(seed: int) -> Activity:
    """A window of a repository where everything happens, some of it in impossible ways."""
    dice = random.Random(seed)
    shas = [f"{dice.getrandbits(160):040x}" for _ in range(dice.randint(0, 40))]
    commits: list[Commit] = []
    for n, sha in enumerate(shas):
        older = [*shas[:n], "f" * 40]
        count = dice.choice((1, 1, 1, 2, 2, 3))
        parents = tuple(dict.fromkeys(dice.choices(older, k=count)))
        other, number = dice.choice([*shas, "e" * 40]), dice.randint(1, 12)
        title = dice.choice(
            [
                "Add x",
                "Add y",
                f"Add z (#{number})",
                f"Merge pull request #{number} from a/b",
                "Merge branch 'x'",
                "",
            ]
        )
        message = dice.choice(
            [
                title,
                f"{title}\n\nFixes #{number}, #{number + 1}",
                f"{title}\n\nWhy z",
                f'Revert "{title}"\n\nThis reverts commit {other[:12]}.',
                f'Revert "{title}" (#{number})',
                f'Revert "{title}"\n\nThis reverts commit {other}, reversing\nchanges made to {older[0]}.',
                f"{title}\n\n(cherry picked from commit {other})",
            ]
        )
        date = END - timedelta(minutes=dice.randint(0, 90) + 60 * (len(shas) - n))
        commits.append(
            Commit(
                sha, message, dice.choice((JOHN, JANE)), date, parents=parents, by_forge=dice.random() < 0.3
            )
        )
    pulls = [
        pull(
            number,
            dice.choice(["Add x", "Add z", 'Revert "Add x"', 'Revert "Add z (#3)"']),
            dice.choice([None, "e" * 40, *shas]),
            body=dice.choice(["", "Fixes #3", "Reverts #2", "Backport of #5", f"Closes {HOME}/issues/4"]),
            commits=tuple(dice.sample(shas, min(len(shas), dice.randint(0, 3)))),
        )
        for number in dice.sample(range(1, 13), dice.randint(0, 6))
    ]
    issues = {
        one.key: one
        for one in (
            issue(dice.randint(1, 12), dice.choice(["Crash", "Issue #3"]), ago=dice.randint(1, 50),
                  reason=dice.choice([None, "completed", "not_planned", "duplicate"]))
            for _ in range(dice.randint(0, 8))
        )
    }  # fmt: skip
    dice.shuffle(commits)
    releases = tuple(Release(f"v{n}", "", END) for n in range(dice.randint(0, 2)))
    return activity(
        commits=tuple(commits), pulls=tuple(pulls), issues=tuple(issues.values()), releases=releases
    )


@pytest.mark.parametrize("block", range(8))
def test_everything_that_was_read_ends_in_one_place(block: int) -> None:
    """Whatever was read, told or not: each key once, and no pull request beside a commit of its own."""
    for seed in range(block * 150, (block + 1) * 150):
        found = anything(seed)
        told = set(random.Random(seed).sample(sorted(asked(found)), len(asked(found)) // 2))
        made = shown(found, told=told)
        alone = {item.key for item in made.items if item.kind == "commit"}
        assert alone.isdisjoint(("commit", one.merge_sha) for one in found.pulls), seed


def test_a_large_window_is_digested_at_once() -> None:
    """2,000 commits in 650 branches that all begin at the window's start, in well under a second."""
    main, commits, pulls = "0", [], []
    for n in range(650):
        tips = [f"{n:08x}{part}" + "0" * 31 for part in "abc"]
        body = f"Work on {n}\n\n" + "Fixes something, not #1 but close to it. " * 40
        commits += [commit(tips[0], body), commit(tips[1], f"More {n}", tips[0])]
        commits.append(commit(tips[2], f"Merge pull request #{n} from a/b", main, tips[1]))
        pulls.append(pull(n, f"Add part {n}", tips[2], body=f"Fixes #{n + 1000}"))
        main = tips[2]
    issues = tuple(issue(n + 1000) for n in range(0, 650, 2))
    commits += [commit(f"{n:040x}", f"Direct {n}", main) for n in range(50)]
    found = activity(commits=tuple(reversed(commits)), pulls=tuple(pulls), issues=issues)
    began = time.process_time()
    made = shown(found)
    assert time.process_time() - began < 2  # 0.25 s where nothing else runs
    assert len(made.items) == 700
    assert sum(len(item.closes) for item in made.items) == 325
    assert all(len(item.folded) >= 3 for item in made.items if item.kind == "pull")


# --- Files


def test_nothing_is_said_of_lines_that_nobody_read() -> None:
    read = (FileChange("a.py", additions=3, deletions=1), FileChange("logo.png"))
    made = shown(
        commits=(
            commit(A, "Add a", files=read),
            commit(B, "Add b", files=read, more_files=4, ago=2),
            commit(C, "Add c", ago=3),
        )
    )
    by_ref = {item.ref[1]: item for item in made.items}
    assert [(by_ref[n].additions, by_ref[n].deletions, by_ref[n].more_files) for n in "abc"] == [
        (3, 1, 0),
        (None, None, 4),
        (None, None, None),
    ]
    assert by_ref["a"].changes == read
    assert (made.additions, made.deletions, made.files_changed) == (None, None, None)


def test_how_many_files_more_is_said_of_one_commit_alone() -> None:
    """Several commits that each list but some of their files may have changed the same ones."""
    read = (FileChange("a.py", additions=3, deletions=1),)
    commits = [commit(sha, "Vendor it", files=read, more_files=4) for sha in (A, B)]
    [item] = shown(commits=tuple(commits), pulls=(pull(7, "Vendor it", commits=(A, B)),)).items
    assert (item.files, item.more_files, item.additions) == (("a.py",), None, None)


def test_a_commit_that_changes_nothing_leaves_the_sum_known() -> None:
    changed = (FileChange("a.py", additions=3, deletions=1),)
    made = shown(commits=(commit(A, "Start the build"), commit(B, "Add b", files=changed, ago=2)))
    assert (made.additions, made.deletions, made.files_changed) == (3, 1, 1)


def test_a_merge_tells_what_remained() -> None:
    merged = (FileChange("a.py", additions=3, deletions=0),)
    back_and_forth = (FileChange("a.py", additions=30, deletions=27),)
    commits = (
        commit("m", "Merge pull request #7 from you/x", "0", "x", files=merged),
        commit("x", "Start", files=back_and_forth, ago=2),
    )
    [item] = shown(commits=commits, pulls=(pull(7, "Add x", "m"),)).items
    assert (item.additions, item.deletions) == (3, 0)
    bare = (replace(commits[0], files=()), commits[1])
    [item] = shown(commits=bare, pulls=(pull(7, "Add x", "m"),)).items
    assert (item.additions, item.deletions) == (30, 27)
