"""The template writer's posts: what each platform's says, in which order, and what it never says."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from models.values import (
    WINDOW,
    Activity,
    Digest,
    FileChange,
    Issue,
    Person,
    PlatformType,
    Post,
    PullRequest,
    Release,
    Voice,
    Window,
)
from platforms import PLATFORMS
from tests.writers.activities import (
    ALL,
    END,
    HOME,
    JANE,
    WALKTHROUGH,
    activity,
    brief,
    commit,
    lifelike,
    pull,
    told,
)
from writers.template import TemplateWriter

LATER = END + timedelta(minutes=5)


def write(kind: PlatformType, found: Digest, project: str = "My Open Source Library", **more) -> Post:
    """The post, and what is true of every post."""
    asked = brief(kind, found, project, **more)
    post = TemplateWriter().write(asked)
    assert PLATFORMS[kind].check(post) == []
    assert TemplateWriter().write(asked) == post
    assert post.remarks == ()
    known = {source.ref for source in post.sources} | {WINDOW}
    assert all(claim.refs and known.issuperset(claim.refs) for claim in post.claims)
    return post


def released(tag: str = "v1.2.0", body: str = "", at=END) -> Release:
    return Release(tag, tag, at, body, f"{HOME}/releases/tag/{tag}")


def article(found: Activity, **more) -> str:
    return write("HASHNODE", told(found), **more).content


def test_the_walkthroughs_article() -> None:
    post = write("HASHNODE", told(WALKTHROUGH))
    assert post.title == "awesome-lib: TypeScript support, CI/CD pipeline and Node 18 support"
    assert post.subtitle == "3 commits, 1 merged pull request and 1 closed issue in the last 24 hours"
    assert post.content.split("\n\n") == [
        "The last 24 hours brought TypeScript support, a CI/CD pipeline and Node 18 support to "
        f"[awesome-lib]({HOME}) ([`abc1230`]({HOME}/commit/abc1230), [#42]({HOME}/pull/42), "
        f"[#15]({HOME}/issues/15)).",
        "## New",
        "- **Added TypeScript support** in `src/index.ts` and `tsconfig.json` "
        f"([`abc1230`]({HOME}/commit/abc1230)) by John Doe.\n"
        f"- **Added CI/CD pipeline** ([#42]({HOME}/pull/42)).\n"
        f"- Closed [#15]({HOME}/issues/15): **Support Node 18**.",
        "## Fixed",
        f"- **Fixed build errors** ([`ghi7890`]({HOME}/commit/ghi7890)) by John Doe.",
        "## Documentation",
        f"- **Updated documentation** ([`def4560`]({HOME}/commit/def4560)) by Jane Smith.",
        "## Thanks",
        f"Thanks to John Doe ([`abc1230`]({HOME}/commit/abc1230) and [`ghi7890`]({HOME}/commit/ghi7890)) "
        f"and Jane Smith ([`def4560`]({HOME}/commit/def4560)).",
    ]
    assert post.tags == ("typescript", "node", "cicd", "opensource", "awesomelib")


def test_the_walkthroughs_update() -> None:
    post = write("DEVTO", told(WALKTHROUGH))
    assert post.title == "TypeScript support and CI/CD pipeline in awesome-lib"
    assert post.content.startswith(
        f"In the last 24 hours we added TypeScript support ([`abc1230`]({HOME}/commit/abc1230)) and a CI/CD "
        f"pipeline ([#42]({HOME}/pull/42)) to [awesome-lib]({HOME})."
    )
    assert f"We also fixed build errors ([`ghi7890`]({HOME}/commit/ghi7890))." in post.content
    assert "## " not in post.content
    assert 1 <= len(post.tags) <= 4


def test_the_walkthroughs_note() -> None:
    post = write("LINKEDIN", told(WALKTHROUGH))
    assert post.content.split("\n\n") == [
        "New in awesome-lib: TypeScript support, CI/CD pipeline and Node 18 support.",
        "Also:",
        "• Fixed build errors\n• Updated documentation",
        "3 commits, 1 merged pull request and 1 closed issue in the last 24 hours."
        " Thanks to John Doe and Jane Smith.",
        HOME,
        "#typescript #node #cicd #opensource #awesomelib",
    ]


@pytest.mark.parametrize("kind", ALL)
def test_a_daily_job_never_speaks_of_a_week(kind: PlatformType) -> None:
    for days in (0.2, 1, 7, 30):
        post = write(kind, told(replace(WALKTHROUGH, window=Window(END - timedelta(days=days), END))))
        assert "week" not in f"{post.title} {post.content}".lower()


@pytest.mark.parametrize("kind", ALL)
def test_one_change(kind: PlatformType) -> None:
    post = write(kind, told(activity(commits=(commit("abc1230", "Add retries to the client", "a.py"),))))
    assert "1 commit " in post.content
    assert "change" not in post.content
    assert "etries in the client" in post.title + post.content
    assert "\n- " not in post.content


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("count", [7, 60])
def test_what_is_left_out_is_counted(kind: PlatformType, count: int) -> None:
    commits = [
        commit(f"{n:07x}", f"{'Add' if n % 3 else 'Fix'} part {n} of it", f"f{n}.py") for n in range(count)
    ]
    post = write(kind, told(activity(commits=tuple(commits))))
    rest = re.search(r"Besides these: ([\d,]+) more change", post.content)
    named = {ref for claim in post.claims for ref in claim.refs if ref.startswith("C")}
    assert len(named) + (int(rest[1]) if rest else 0) == count
    assert len(post.content) < 6_000


@pytest.mark.parametrize("kind", ALL)
def test_two_thousand_commits_make_a_post_of_the_usual_size(kind: PlatformType) -> None:
    commits = tuple(commit(f"{n:07x}", f"Add part {n} of it", f"f{n}.py") for n in range(2_000))
    post = write(kind, told(activity(30, commits=commits), "monthly"))
    assert re.search(r"Besides these: 1,9\d\d more changes\.", post.content)
    assert "2,000 commits" in post.subtitle + post.content or kind == "DEVTO"
    assert len(post.content) < 6_000


# --- Releases


@pytest.mark.parametrize("kind", ALL)
def test_a_release_leads_with_its_notes(kind: PlatformType) -> None:
    release = released(body="## Notes\n\nThe parser now streams large files instead of reading them whole.")
    post = write(kind, told(replace(WALKTHROUGH, releases=(release,))))
    assert "v1.2.0" in post.content.split("\n")[0]
    assert "The parser now streams large files instead of reading them whole" in post.content
    if kind != "LINKEDIN":
        assert "awesome-lib v1.2.0" in post.title


@pytest.mark.parametrize("kind", ALL)
def test_a_release_alone(kind: PlatformType) -> None:
    post = write(kind, told(activity(releases=(released(),))))
    assert "v1.2.0" in post.content
    assert "Here is" not in post.content


@pytest.mark.parametrize("kind", ALL)
def test_what_came_after_a_release_is_not_told_as_part_of_it(kind: PlatformType) -> None:
    found = activity(
        commits=(
            commit("abc1230", "Add an option to wait", "a.py", "docs/guide.md"),
            commit("abc1231", "Add a dashboard for queues", "b.py", at=LATER),
        ),
        releases=(released(),),
    )
    post = write(kind, told(found))
    lines = [line for line in f"{post.title}\n{post.content}".split("\n") if line]
    assert not any("dashboard" in line for line in lines if "released" in line or " out" in line)
    assert "dashboard" not in post.title
    if kind == "LINKEDIN":
        assert "• Since v1.2.0: Added a dashboard for queues" in post.content
    elif kind == "DEVTO":
        assert post.content.index("In the repository since") < post.content.index("dashboard")


def test_all_tags_of_many_releases_are_told_in_one_sentence() -> None:
    many = tuple(released(f"v1.{n}", at=END - timedelta(hours=9 - n)) for n in range(9))
    post = write("HASHNODE", told(activity(releases=many)))
    assert post.content.startswith("awesome-lib [v1.0]")
    assert {ref for claim in post.claims for ref in claim.refs} >= {f"Rv1.{n}" for n in range(9)}


@pytest.mark.parametrize("kind", ALL)
def test_what_only_prepares_a_release_is_not_told_beside_it(kind: PlatformType) -> None:
    found = activity(
        commits=(commit("abc1230", "Fix the parser"), commit("abc1231", "Release v1.2.0", "CHANGELOG.md")),
        releases=(released(),),
    )
    assert "smaller change" not in write(kind, told(found)).content


# --- What breaks

BREAKING = pull(
    7,
    "feat!: stream large files",
    "The old parser read whole files into memory. The new one streams them.\n\n## Upgrading\n\n"
    "Call `load()` with a path instead of a file object.\n\n```python\nload(path)\n```\n",
)


@pytest.mark.parametrize("kind", ALL)
def test_what_breaks_comes_first_with_what_to_do(kind: PlatformType) -> None:
    found = replace(WALKTHROUGH, pulls=(*WALKTHROUGH.pulls, BREAKING))
    content = write(kind, told(found)).content
    assert "reaking" in content.split("TypeScript")[0]
    assert "a path instead of a file object." in content.split("TypeScript")[0]
    assert ("```\nload(path)\n```" in content) == (kind == "HASHNODE")


@pytest.mark.parametrize("kind", ALL)
def test_every_breaking_change_is_mentioned(kind: PlatformType) -> None:
    pulls = tuple(pull(n, f"feat!: replace part {n} of it") for n in range(1, 31))
    post = write(kind, told(activity(pulls=pulls)))
    assert {ref for claim in post.claims for ref in claim.refs} >= {f"PR{n}" for n in range(1, 31)}


@pytest.mark.parametrize("kind", ALL)
def test_a_breaking_change_that_cannot_be_quoted_is_mentioned(kind: PlatformType) -> None:
    rude = pull(7, "feat!: drop this shitty cache")
    content = write(kind, told(replace(WALKTHROUGH, pulls=(rude,)))).content
    assert "A breaking change (" in content
    assert "#7" in content
    assert "shit" not in content


def test_a_routine_title_does_not_hide_that_it_breaks() -> None:
    found = activity(pulls=(pull(7, "Update dependencies", labels=("breaking-change",)),))
    assert "## Breaking changes\n\n- **Update" in article(found)


# --- What a change is told with


def test_a_new_thing_has_a_heading_where_there_is_something_to_say() -> None:
    body = "Users behind a proxy saw a 502.\n\n```python\nload(path, retries=2)\n```"
    commits = tuple(commit(f"abc123{n}", f"Fix part {n} of it", f"f{n}.py") for n in range(4))
    content = article(activity(commits=commits, pulls=(pull(7, "Add retries for uploads", body),)))
    assert (
        f"## Retries for uploads\n\nAdded retries for uploads ([#7]({HOME}/pull/7)) by Jane Smith. "
        "Users behind a proxy saw a 502.\n\n```\nload(path, retries=2)\n```\n\n## Fixed\n\n" in content
    )


def test_documentation_and_tests_of_a_new_thing_are_named() -> None:
    commits = tuple(commit(f"abc123{n}", f"Fix part {n} of it", f"f{n}.py") for n in range(4))
    files = ("src/api.py", "tests/test_api.py", "docs/guide.rst", "CHANGELOG.md")
    content = article(activity(commits=(*commits, commit("abc1239", "Add an option to wait", *files))))
    assert "The code is in `src/api.py`, with tests and documentation in `docs/guide.rst`." in content


def test_commits_that_go_on_with_something_new_stand_with_it() -> None:
    page = (FileChange("app/admin/page.py", "added"), FileChange("app/admin/page.html", "added"))
    found = activity(
        commits=(
            commit("abc1230", "Add an admin page", *page),
            commit("abc1231", "Fix tiles", "app/admin/page.html", at=LATER),
            commit("abc1232", "Fix the parser", "app/parser.py", at=LATER),
        ),
    )
    content = article(found)
    assert f"Follow-up: [`abc1231`]({HOME}/commit/abc1231)." in content
    assert "Fix tiles" not in content
    assert "Fixed the parser" in content


def test_what_was_removed_is_told_with_what_is_gone() -> None:
    gone = (FileChange("app/kyoto.py", "removed"), FileChange("app/util.py", "modified"))
    found = activity(
        commits=(
            commit("abc1230", "Kill kt impl. I love kt, and will grieve.", *gone),
            *(commit(f"abc124{n}", f"Add part {n} of it", f"f{n}.py") for n in range(4)),
        )
    )
    content = article(found)
    assert f"## Removed\n\n- **Removed kt implementation** in `app/kyoto.py` ([`abc1230`]({HOME}" in content
    assert "grieve" not in content


def test_a_closed_issue_explains_the_change() -> None:
    found = activity(
        commits=(commit("abc1230", "Install tzdata-legacy\n\nFixes #12", "Dockerfile"),),
        issues=(Issue(12, "No module named 'tzdata'", END, url=f"{HOME}/issues/12"),),
    )
    closes = f"Closes [#12]({HOME}/issues/12), “No module named 'tzdata'”."
    assert closes in article(found)
    assert "Closes #12, “No module named 'tzdata'”." in write("LINKEDIN", told(found)).content


def test_an_issue_without_a_known_title_is_a_number() -> None:
    fixed = commit("abc1230", "Mend the start of it all\n\nFixes #12", "a.py")
    nameless = Issue(12, "Issue #12", END, url=f"{HOME}/issues/12")
    assert f"Closes [#12]({HOME}/issues/12)." in article(activity(commits=(fixed,), issues=(nameless,)))


def test_a_revert_of_what_was_told_is_told() -> None:
    undone = commit("abc1230", f'Revert "Add retries (#4)" (#7)\n\nThis reverts commit {"f" * 40}.', "a.py")
    assert 'Reverted "Add retries (#4)"' in article(activity(commits=(undone,)))


# --- Routine, rude, foreign, nothing


@pytest.mark.parametrize("kind", ALL)
def test_updates_of_dependencies_are_one_line(kind: PlatformType) -> None:
    bumps = tuple(commit(f"{n}234567", f"Bump lib{n} from 1.0 to 1.{n}", "uv.lock") for n in range(7))
    post = write(kind, told(activity(commits=(commit("abc1230", "Fix the parser", "a.py"), *bumps))))
    assert "Routine: 7 dependency updates" in post.content
    assert "lib3" not in post.content
    assert "Besides" not in post.content


@pytest.mark.parametrize("kind", ALL)
def test_routine_alone_is_told_as_what_it_is(kind: PlatformType) -> None:
    bumps = tuple(commit(f"{n}234567", f"Bump lib{n} from 1.0 to 1.{n}", "uv.lock") for n in range(3))
    post = write(kind, told(activity(commits=bumps)))
    assert "lib2" in post.content


@pytest.mark.parametrize("kind", ALL)
def test_nothing_to_tell_says_so(kind: PlatformType) -> None:
    dropped = Issue(1, "Rewrite it all", END, reason="not_planned")
    post = write(kind, told(activity(issues=(dropped,))))
    assert "Rewrite" not in post.title + post.content
    assert "1 closed issue" in post.content or "closed 1 issue" in post.content
    assert write(kind, told(activity()))


@pytest.mark.parametrize("kind", ALL)
def test_swearing_is_counted_and_not_quoted(kind: PlatformType) -> None:
    found = activity(
        commits=(commit("a000000", "Remove this fucking cache", "a.py"), commit("b000000", "Add y", "b.py"))
    )
    post = write(kind, told(found))
    assert "fuck" not in post.content
    assert "Besides these: 1 more change." in post.content


@pytest.mark.parametrize("kind", ALL)
def test_swearing_alone_is_counted(kind: PlatformType) -> None:
    found = activity(commits=(commit("a000000", "Remove this fucking cache", "a.py"),))
    assert "In short: 1 change." in write(kind, told(found)).content


@pytest.mark.parametrize("kind", ALL)
def test_a_title_in_another_language_is_told_as_it_is(kind: PlatformType) -> None:
    post = write(kind, told(activity(commits=(commit("a000000", "修复解析器中的错误", "a.py"),))))
    assert "修复解析器中的错误" in post.content


@pytest.mark.parametrize("kind", ALL)
def test_another_language_than_english_is_remarked(kind: PlatformType) -> None:
    asked = brief(kind, told(WALKTHROUGH), voice=Voice(language="German"))
    post = TemplateWriter().write(asked)
    assert post.remarks == ("The template writer writes English only, not German.",)
    assert post.content == write(kind, told(WALKTHROUGH)).content


def test_an_instruction_is_not_followed_and_remarked() -> None:
    asked = brief("DEVTO", told(WALKTHROUGH), instruction="Make it funny.")
    [remark] = TemplateWriter().write(asked).remarks
    assert remark.startswith("The template writer does not follow instructions")


@pytest.mark.parametrize("kind", ALL)
def test_a_folder_is_known_by_its_projects_name(kind: PlatformType) -> None:
    local = replace(WALKTHROUGH, repository="checkout", url=None)
    post = write(kind, told(local), project="Repocast")
    assert "Repocast" in post.title + post.content
    assert "checkout" not in post.title + post.content
    assert "http" not in post.content
    assert "opensource" not in post.tags


def test_a_repository_is_written_as_its_project_writes_it() -> None:
    assert write("HASHNODE", told(WALKTHROUGH), project="Awesome Lib").title.startswith("Awesome Lib: ")
    assert write("HASHNODE", told(WALKTHROUGH), project="Other").title.startswith("awesome-lib: ")


# --- People


def test_each_is_thanked_with_what_they_did_and_bots_never() -> None:
    bot = Person("dependabot[bot]", "dependabot[bot]", is_bot=True)
    helped = replace(commit("abc1235", "Fix the parser", "p.py"), co_authors=(Person("Ann Lee"),))
    found = activity(
        commits=(
            *(commit(f"abc124{n}", f"Add part {n} of it", f"f{n}.py") for n in range(5)),
            helped,
            commit("abc1236", "Bump x from 1.0 to 1.1", "uv.lock", author=bot),
        ),
        pulls=(pull(42, "Add a dashboard"),),
        newcomers=(JANE,),
    )
    for kind in ALL:
        content = write(kind, told(found)).content
        assert "bot" not in content
        assert "Most of it is the work of John Doe." in content
        assert "Jane Smith contributed for the first time." in content
    assert (
        f"Thanks to Ann Lee ([`abc1235`]({HOME}/commit/abc1235)) and Jane Smith ([#42]({HOME}/pull/42))."
        in article(found)
    )


@pytest.mark.parametrize("name", ["May Will", "Seed 78838f3c maintainers", "李 小龙", "O'Brien, Conan"])
def test_whatever_people_are_called_they_are_thanked(name: str) -> None:
    found = activity(
        commits=(commit("abc1230", "Add x", "a.py"), commit("abc1231", "Add y", author=Person(name)))
    )
    for kind in ALL:
        assert name in write(kind, told(found)).content


def test_what_is_no_name_is_not_thanked() -> None:
    found = activity(commits=(commit("abc1230", "Add x", "a.py", author=Person("see www.evil.com/x")),))
    assert "evil" not in article(found)


# --- Titles and wording


@pytest.mark.parametrize("kind", ALL)
def test_no_title_is_used_twice(kind: PlatformType) -> None:
    used: list[str] = []
    for _ in range(8):
        post = write(kind, told(WALKTHROUGH), earlier_titles=tuple(used))
        used.append(post.title or post.content.split("\n")[0])
    assert len(set(used)) == len(used)


@pytest.mark.parametrize("kind", ALL)
def test_what_the_owner_banned_is_not_said(kind: PlatformType) -> None:
    body = "The pipeline is bulletproof now. It runs on every push."
    found = replace(WALKTHROUGH, pulls=(pull(42, "Add CI/CD pipeline", body),))
    post = write(kind, told(found), voice=Voice(banned=("bulletproof", "TypeScript")))
    assert "bulletproof" not in post.content
    assert "TypeScript" not in post.title + post.content
    assert "CI/CD pipeline" in post.title + post.content


def test_the_disclosure_ends_the_post() -> None:
    said = "Drafted from this repository's activity."
    assert article(WALKTHROUGH, disclosure=said).endswith(f"\n\n{said}")


@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(found=lifelike())
def test_the_ledger_finds_nothing_in_whatever_is_written(found: Activity) -> None:
    """No remark: nothing was left out by the ledger, nothing had to be added."""
    for kind in ALL:
        write(kind, told(found))


def test_pull_request_without_an_author() -> None:
    found = activity(pulls=(PullRequest(42, "Add CI/CD pipeline", END, url=f"{HOME}/pull/42"),))
    assert "Thanks" not in article(found)
