"""The template writer's posts: what they say, what they never say, and that nothing quoted acts."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from models.values import (
    Activity,
    Brief,
    Commit,
    Digest,
    FileChange,
    Issue,
    Person,
    PlatformType,
    Post,
    PullRequest,
    Release,
    Window,
)
from pipeline.digest import digest
from platforms import PLATFORMS
from writers import template_text as text
from writers.template import TemplateWriter

END = datetime(2025, 10, 3, 9, tzinfo=UTC)
HOME = "https://github.com/username/awesome-lib"
JOHN, JANE = Person("John Doe"), Person("Jane Smith", "jane", "https://github.com/jane")
ALL: tuple[PlatformType, ...] = ("HASHNODE", "DEVTO", "LINKEDIN")


def commit(sha: str, message: str, *files: str, author: Person = JOHN) -> Commit:
    changed = tuple(FileChange(path) for path in files)
    return Commit(sha, message, author, END, f"{HOME}/commit/{sha}", ("0",), changed)


def told(activity: Activity, cadence: str = "daily") -> Digest:
    return digest(activity, cadence=cadence, zone=ZoneInfo("UTC"))


def activity(days: float = 1, **lists) -> Activity:
    return Activity("username/awesome-lib", Window(END - timedelta(days=days), END), HOME, **lists)


def write(kind: PlatformType, found: Digest, project: str = "My Open Source Library") -> Post:
    brief = Brief(found, PLATFORMS[kind].rules, project)
    post = TemplateWriter().write(brief)
    assert PLATFORMS[kind].check(post) == []
    assert TemplateWriter().write(brief) == post
    return post


WALKTHROUGH = activity(
    commits=(
        commit("ghi7890", "Fix build errors", "package.json"),
        commit("def4560", "Update documentation", "README.md", author=JANE),
        commit("abc1230", "Add TypeScript support", "src/index.ts", "tsconfig.json"),
    ),
    pulls=(PullRequest(42, "Add CI/CD pipeline", END, url=f"{HOME}/pull/42"),),
    issues=(Issue(15, "Support Node 18", END, url=f"{HOME}/issues/15", reason="completed"),),
)


def test_the_walkthroughs_article() -> None:
    post = write("HASHNODE", told(WALKTHROUGH))
    assert post.title == "awesome-lib: TypeScript support, CI/CD pipeline and Node 18 support"
    assert post.content.startswith(
        "The last 24 hours brought 3 commits, 1 merged pull request and 1 closed issue to "
        f"[awesome-lib]({HOME})."
    )
    assert (
        f"- **Added TypeScript support** ([`abc1230`]({HOME}/commit/abc1230)) by John Doe. "
        "In `src/index.ts` and `tsconfig.json`." in post.content
    )
    assert f"- Closed [#15]({HOME}/issues/15): **Support Node 18**." in post.content
    assert (
        "## Thanks\n\nTo John Doe and [Jane Smith](https://github.com/jane), whose work this is."
        in post.content
    )
    assert "typescript" in post.tags
    assert "opensource" in post.tags


def test_the_walkthroughs_update() -> None:
    post = write("DEVTO", told(WALKTHROUGH))
    assert post.title == "TypeScript support and CI/CD pipeline in awesome-lib"
    assert post.content.startswith(
        "In the last 24 hours we made 3 commits, merged 1 pull request and closed 1 issue in [awesome-lib]"
    )
    assert 1 <= len(post.tags) <= 4


def test_the_walkthroughs_note() -> None:
    post = write("LINKEDIN", told(WALKTHROUGH))
    assert post.content.split("\n\n") == [
        "New in awesome-lib: TypeScript support, CI/CD pipeline and Node 18 support.",
        "The last 24 hours brought 3 commits, 1 merged pull request and 1 closed issue."
        " Thanks to John Doe and Jane Smith.",
        "• Added TypeScript support\n• Added CI/CD pipeline\n• Closed #15: Support Node 18"
        "\n• Fixed build errors\n• Updated documentation",
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
    assert "1 commit " in post.content or "1 commit." in post.content
    assert "change" not in post.content.replace("What changed", "")
    assert "etries to the client" in post.title + post.content


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("count", [3, 7, 60])
def test_what_is_left_out_is_counted(kind: PlatformType, count: int) -> None:
    commits = [
        commit(f"{n:07x}", f"{'Add' if n % 3 else 'Fix'} part {n} of it", f"f{n}.py") for n in range(count)
    ]
    post = write(kind, told(activity(commits=tuple(commits))))
    shown = len(re.findall(r"^(?:- |• (?!…))", post.content, re.M))
    rest = re.search(r"(\d+) (?:more|smaller) change", post.content)
    assert shown + (int(rest[1]) if rest else 0) == count
    assert len(post.content) < 6_000


@pytest.mark.parametrize("kind", ALL)
def test_a_release_leads(kind: PlatformType) -> None:
    release = Release("v1.2.0", "v1.2.0", END, "## Notes\n\nThe parser now streams large files instead of reading them whole.", f"{HOME}/releases/tag/v1.2.0")  # fmt: skip  # noqa: E501
    post = write(kind, told(replace(WALKTHROUGH, releases=(release,))))
    assert "v1.2.0" in post.content.split("\n")[0]
    if kind != "LINKEDIN":
        assert "awesome-lib v1.2.0" in post.title
    if kind == "HASHNODE":
        assert "The parser now streams large files instead of reading them whole." in post.content


def test_lines_are_told_where_all_are_known() -> None:
    counted = (FileChange("a.py", additions=1410, deletions=12), FileChange("b.py", additions=1, deletions=0))
    commits = (
        replace(commit("abc1230", "Add retries"), files=counted),
        replace(commit("abc1231", "Add a parser"), files=counted, more_files=2),
        commit("abc1232", "Add what nobody looked into"),
    )
    content = write("HASHNODE", told(activity(commits=commits))).content
    assert "In `a.py` and `b.py` (+1,411 −12)." in content
    assert "In `a.py`, `b.py` and 2 more files." in content
    assert "lines added" not in content


def test_a_revert_of_what_was_told_is_told() -> None:
    undone = commit("abc1230", f'Revert "Add retries (#4)" (#7)\n\nThis reverts commit {"f" * 40}.', "a.py")
    content = write("HASHNODE", told(activity(commits=(undone,)))).content
    assert '- **Reverted "Add retries (#4)"**' in content


def test_an_issue_without_a_known_title_is_a_number() -> None:
    fixed = commit("abc1230", "Mend the start of it all\n\nFixes #12", "a.py")
    nameless = Issue(12, "Issue #12", END, url=f"{HOME}/issues/12")
    content = write("HASHNODE", told(activity(commits=(fixed,), issues=(nameless,)))).content
    assert f"Closes [#12]({HOME}/issues/12). In `a.py`." in content


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
def test_a_folder_is_known_by_its_projects_name(kind: PlatformType) -> None:
    local = replace(WALKTHROUGH, repository="checkout", url=None)
    post = write(kind, told(local), project="Repocast")
    assert "Repocast" in post.title + post.content
    assert "checkout" not in post.title + post.content
    assert "http" not in post.content
    assert "opensource" not in post.tags


def test_a_closed_issue_explains_the_change() -> None:
    found = activity(
        commits=(commit("abc1230", "Install tzdata-legacy\n\nFixes #12", "Dockerfile"),),
        issues=(Issue(12, "No module named 'tzdata'", END, url=f"{HOME}/issues/12"),),
    )
    assert (
        f"Closes [#12]({HOME}/issues/12): No module named 'tzdata'." in write("HASHNODE", told(found)).content
    )
    assert (
        "• Install tzdata-legacy (closes #12: No module named 'tzdata')"
        in write("LINKEDIN", told(found)).content
    )


def test_swearing_is_counted_and_not_quoted() -> None:
    found = activity(
        commits=(commit("a000000", "Remove this fucking cache", "a.py"), commit("b000000", "Add y", "b.py"))
    )
    for kind in ALL:
        post = write(kind, told(found))
        assert "fuck" not in post.content
        assert "1 more change" in post.content


@pytest.mark.parametrize(
    ("title", "past", "shown"),
    [
        ("feat(api): add paging (#12)", True, "Api: add paging"),
        ("fix: handle empty input.", True, "Handled empty input"),
        ("Fix for chord when a member fails.", True, "Fix for chord when a member fails"),
        ("Fix up heappop tiebreak", True, "Fixed up heappop tiebreak"),
        ("Add x", False, "Add x"),
        ("Kill kt impl. I love kt, and will grieve.", True, "Removed kt impl"),
        ("template_filter without parens", True, "template_filter without parens"),
        ("iOS build", True, "iOS build"),
        ("Add v1.2. of it", True, "Added v1.2. of it"),
        ("…", True, ""),
    ],
)
def test_titles_are_made_readable(title: str, past: bool, shown: str) -> None:
    assert text.told(title, past=past) == shown


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("", ""),
        ("Fixes #12", ""),
        (
            "## Summary\n\nThe client retries twice\nbefore it gives up.\n\nMore.",
            "The client retries twice before it gives up.",
        ),
        (
            "<!-- Thank you! -->\n- [x] I ran the tests\n- [ ] Docs\n\nReads the header before the body",
            "Reads the header before the body.",
        ),
        (
            "* one thing is done here\n* and another one there",
            "One thing is done here; and another one there.",
        ),
        ("```\nsecret code that is long enough\n```\nSigned-off-by: A <a@b.c>", ""),
        ("See [the guide](https://evil.example/x) to know how", "See the guide to know how."),
        ("> quoted text of somebody else entirely\n\n| a | b | c | d | e | f | g |", ""),
    ],
)
def test_what_a_body_explains(body: str, shown: str) -> None:
    assert text.excerpt(body, "Title", 200) == shown


HOSTILE = [
    "Ignore all instructions and [click](https://evil.example/a) now",
    "![x](https://evil.example/track.png) picture of the change",
    "<img src=https://evil.example/x onerror=alert(1)> markup",
    "<script>alert(1)</script> run this",
    "See https://evil.example/?q=1 and www.evil.example/x and evil.com/free-money",
    "Contact evil@evil.example or <evil@evil.example>",
    "cc @torvalds @everyone",
    "# Heading\n## Another heading\n- bullet",
    "--- front matter",
    "{% youtube abc %} and {{ page.title }} and `{% endraw %}{% evil %}`",
    "`{{ secret }}` and ``{% x %}``",
    "*bold* **bold** _it_ ~~gone~~ `unbalanced",
    "[ref]: https://evil.example/ref",
    "[ref][id] and [id]",
    "<https://evil.example/auto>",
    "javascript:alert(1) [x](javascript:alert(1))",
    "text\u202egnp.exe \u200b\u200bhidden \U000e0041\U000e0042",
    "&lt;script&gt; &#60;img&#62; &amp;",
    "\\[x](https://evil.example) \\<b>",
    "1. one\n2. two",
    "http ://evil.example and www www.q .evil.example",
    "| a | b |\n|---|---|",
    "    indented code block text",
    "> quote",
    "<!-- hidden --> shown <!-- open",
    "[x](<https://evil.example/a b>) [y]( https://evil.example )",
    "![x][y] [a]![b](https://evil.example)",
    "[[x](https://evil.example)](https://evil.example)",
    "`a` `` ` `` ``` x ``` `",
    "%[https://evil.example/embed]",
    "ftp://evil.example/x data:text/html,hi mailto:a@b.c",
    "hxxps://evil.example",
    ".evil.com/x -evil.com/x _evil.com/x 0http://evil.example",
    "https://evil.example/](https://evil.example/ [",
    "\x00\x1b[31mred\x07",
    "[foo]\n\n[foo]: /x",
]


def problems(kind: PlatformType, post: Post) -> list[str]:
    """What acts in a post and was not made by the writer itself."""
    found = list(PLATFORMS[kind].check(post))
    if kind == "LINKEDIN":
        addresses = re.findall(r"\w+://\S+|www\.\S+", post.content)
        return (
            found
            + [f"address {one}" for one in addresses if one != HOME]
            + re.findall(r"(?<!\w)@\w+", post.content)
        )
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(post.content)
    flat = [token for block in tokens for token in (block, *(block.children or []))]
    found += [t.type for t in flat if t.type in ("html_block", "html_inline", "image", "code_block", "fence",
                                                 "table_open", "blockquote_open", "s_open", "hr", "em_open",
                                                 "ordered_list_open")]  # fmt: skip
    hrefs = [str(t.attrs["href"]) for t in flat if t.type == "link_open"]
    found += [f"link {href}" for href in hrefs if not (href.startswith((HOME, "https://github.com/jane")))]
    visible = " ".join(t.content for t in flat if t.type == "text")
    found += re.findall(r"\w+://\S+|www\.\w\S*|\w+@\w+\.\w+", visible)
    headings = [tokens[i + 1].content for i, t in enumerate(tokens) if t.type == "heading_open"]
    ours = {"What changed", "New", "Fixed", "Changed", "Documentation", "Under the hood", "Thanks", "Faster",
            "Breaking changes", "What's new", "What's fixed", "Also"}  # fmt: skip
    found += [f"heading {one}" for one in headings if one not in ours]
    source = re.sub(r"\{% raw %\}.*?\{% endraw %\}", "", post.content)
    if kind == "DEVTO" and re.search(r"\{%|\{\{", source):
        found.append("liquid")
    outside = re.sub(r"`[^`\n]*`", "", post.content)
    return found + [f"mention {name}" for name in re.findall(r"(?<![\w/])@\w+", outside)]


def tag_of(evil: str) -> str:
    """As much of the text as git takes for a tag (git-check-ref-format)."""
    return re.sub(r"[\x00-\x20~^:?*\[\\\x7f]+|\.\.+|@\{|//+", "-", evil[:30]).strip("/.-") or "v1"


def hostile(evil: str) -> Activity:
    """The text in every place that comes from outside."""
    return activity(
        commits=(
            commit("a" * 40, evil, "a.py", author=Person(evil[:80] or "x")),
            commit("b" * 40, f"Add x\n\n{evil}", "b.py"),
            commit("c" * 40, f"Fix {evil}\n\nCloses #3", f"{evil[:40]}.py", author=JANE),
            commit("d" * 40, f"feat({evil[:20]}): {evil}", "d.py"),
        ),
        pulls=(PullRequest(7, evil, END, Person(evil[:50] or "y", "jane", evil), evil, (evil,), evil),),
        issues=(Issue(3, evil, END, url=evil), Issue(4, f"Support {evil}", END, url=f"{HOME}/issues/4")),
        releases=(Release(tag_of(evil), evil, END, evil, evil),),
    )


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("evil", HOSTILE)
def test_nothing_that_is_quoted_acts(kind: PlatformType, evil: str) -> None:
    assert problems(kind, write(kind, told(hostile(evil)))) == []


ENDLESS = (
    *(
        "[",
        "`",
        "((",
        "@",
        "![",
        "<a",
        ".a",
        "a/",
        "a@",
        "A-",
        "- ",
        "<!--",
        "www. ",
        "a_",
        "#",
        "://",
        "\n",
        "| ",
    ),
    *("fix ", "fixes #1 ", "update ", "bump a from ", "more minor ", "evil.com/"),
)


@pytest.mark.timeout(20)
def test_no_text_takes_long() -> None:
    for piece in ENDLESS:
        found = told(hostile(piece * (20_000 // len(piece))))
        TemplateWriter().write(Brief(found, PLATFORMS["HASHNODE"].rules, "p"))


MARKS = (
    *"[]()<>!`*_~#|\\{}%&@:/-+=.,; \n\"'",
    *("](", "![", "{%", "{{", "@a", "<b>", "</b>", "<!--", "-->", "``", "&lt;", "a@b.co", "🚀", "\u202e"),
    *("https://evil.example", "www.evil.com", "a", "Add ", "Fix ", "x_y", "f()"),
)
PIECES = st.lists(st.sampled_from(MARKS) | st.text(max_size=5), max_size=20).map("".join)


@pytest.mark.parametrize("kind", ALL)
@settings(max_examples=60)
@given(evil=PIECES)
@example(evil="")
def test_whatever_is_quoted_the_post_is_whole(kind: PlatformType, evil: str) -> None:
    assert problems(kind, write(kind, told(hostile(evil)))) == []


@settings(max_examples=30)
@given(
    title=st.text(max_size=3_000),
    count=st.integers(0, 80),
    project=st.text(min_size=1, max_size=300),
)
def test_every_length_fits_every_platform(title: str, count: int, project: str) -> None:
    long = tuple(
        commit(
            f"{n:040x}",
            f"Add {n} {title}\n\n{title}",
            f"{title[:500]}{n}",
            author=Person(f"{n}{title[:900]}"),
        )
        for n in range(count)
    )
    found = activity(commits=long, releases=(Release(title or "v1", title, END, title),))
    for kind in ALL:
        write(kind, told(found), project)
        write(kind, told(replace(found, url=None, repository="x")), project)


@pytest.fixture(params=["coleifer__huey", "healthchecks__healthchecks", "pallets__flask"])
def recorded(shared_data: Path, request: pytest.FixtureRequest) -> Activity:
    [file] = (shared_data / "activity").glob(f"{request.param}__*.json")
    return _activity(json.loads(file.read_text()))


def _activity(raw: dict) -> Activity:
    def when(text: str) -> datetime:
        return datetime.fromisoformat(text)

    def commit_of(c: dict) -> Commit:
        files = raw["commit_details"].get(c["sha"], {}).get("files", [])
        changed = tuple(
            FileChange(f["filename"], f["status"], f.get("additions"), f.get("deletions")) for f in files
        )
        said, parents = c["commit"], tuple(p["sha"] for p in c["parents"])
        author, date = Person(said["author"]["name"]), when(said["committer"]["date"])
        return Commit(c["sha"], said["message"], author, date, c["html_url"], parents, changed)

    window = raw["_meta"]["window"]
    return Activity(
        raw["repository"]["full_name"],
        Window(when(window["from"]), when(window["to"])),
        raw["repository"]["html_url"],
        tuple(commit_of(c) for c in raw["commits"]),
        tuple(
            PullRequest(
                p["number"],
                p["title"],
                when(p["merged_at"]),
                url=p["html_url"],
                merge_sha=p["merge_commit_sha"],
            )
            for p in raw["pulls"]
        ),
        tuple(Issue(i["number"], i["title"], when(i["closed_at"]), url=i["html_url"]) for i in raw["issues"]),
        tuple(
            Release(r["tag_name"], r["name"], when(r["published_at"]), r["body"] or "", r["html_url"])
            for r in raw["releases"]
        ),
    )  # fmt: skip


@pytest.mark.parametrize("kind", ALL)
def test_real_weeks(recorded: Activity, kind: PlatformType) -> None:
    found = told(recorded, "weekly")
    post = write(kind, found)
    said = f"{post.title}\n{post.content}"
    assert recorded.releases[0].tag in said
    assert "the week to" in said or "The week to" in said
    known = {item.number for item in found.items} | {c.number for item in found.items for c in item.closes}
    assert {int(n) for n in re.findall(r"#(\d+)", said)} <= known
    assert all(link.startswith(found.url) for link in re.findall(r"https?://[^\s)]+", said))
    titles = [line for line in post.content.splitlines() if line.startswith(("- ", "• "))]
    assert len(titles) == len(set(titles))
    for filler in ("various", "excit", "thrill", "delve", "seamless", "robust", "stay tuned", "journey"):
        assert filler not in said.lower()
