"""Each limit at, under and over it. Their sources stand in the platforms' docstrings."""

from dataclasses import replace

import pytest

from models.values import Post
from platforms import PLATFORMS

GOOD = {
    "HASHNODE": Post("A title", "Some content", ("python", "open-source")),
    "DEVTO": Post("A title", "Some content", ("python", "opensource")),
    "LINKEDIN": Post("", "Some content\n\n#python"),
}


@pytest.mark.parametrize("kind", PLATFORMS)
def test_a_good_post_is_taken(kind: str) -> None:
    assert PLATFORMS[kind].rules.type == kind
    assert PLATFORMS[kind].check(GOOD[kind]) == []


@pytest.mark.parametrize(("kind", "most"), [("HASHNODE", 250), ("DEVTO", 128)])
def test_title_lengths(kind: str, most: int) -> None:
    check = PLATFORMS[kind].check
    assert check(replace(GOOD[kind], title="x" * (most - 1))) == []
    assert check(replace(GOOD[kind], title="x" * most)) == []
    assert check(replace(GOOD[kind], title="x" * (most + 1))) == [
        f"{PLATFORMS[kind].rules.name} takes a title of at most {most} characters, not {most + 1}."
    ]
    assert check(replace(GOOD[kind], title=" ")) == ["The title is missing."]
    assert len(check(replace(GOOD[kind], title="two\nlines"))) == 1


@pytest.mark.parametrize(("kind", "most"), [("HASHNODE", 90_000), ("DEVTO", 800_000), ("LINKEDIN", 2_900)])
def test_content_lengths(kind: str, most: int) -> None:
    check = PLATFORMS[kind].check
    assert check(replace(GOOD[kind], content="x" * most)) == []
    assert check(replace(GOOD[kind], content="x" * (most + 1))) == [
        f"{PLATFORMS[kind].rules.name} takes at most {most:,} characters, not {most + 1:,}."
    ]
    assert check(replace(GOOD[kind], content="\n")) == ["The post is empty."]


def test_linkedin_counts_utf_16_units() -> None:
    check = PLATFORMS["LINKEDIN"].check
    assert check(Post("", "🚀" * 1450)) == []
    assert len(check(Post("", "🚀" * 1450 + "x"))) == 1


def test_hashnode_counts_the_request() -> None:
    check = PLATFORMS["HASHNODE"].check
    assert check(Post("T", "ü" * 16_000)) == []
    assert check(Post("T", "ü" * 17_000)) == ["Hashnode takes at most 100 KB at once: shorten the post."]


def test_devto_counts_bytes_too() -> None:
    check = PLATFORMS["DEVTO"].check
    assert check(Post("T", "ü" * 400_000)) == []
    assert check(Post("T", "ü" * 400_001)) == ["Dev.to takes at most 800 kB: shorten the post."]


@pytest.mark.parametrize(("kind", "most"), [("HASHNODE", 15), ("DEVTO", 4)])
def test_tag_counts(kind: str, most: int) -> None:
    check, tags = PLATFORMS[kind].check, tuple(f"tag{n}" for n in range(20))
    assert check(replace(GOOD[kind], tags=())) == []
    assert check(replace(GOOD[kind], tags=tags[:most])) == []
    assert len(check(replace(GOOD[kind], tags=tags[: most + 1]))) == 1


@pytest.mark.parametrize(
    ("kind", "tag", "taken"),
    [
        ("HASHNODE", "a" * 50, True),
        ("HASHNODE", "a" * 51, False),
        ("HASHNODE", "ci-cd", True),
        ("HASHNODE", "-ci", False),
        ("HASHNODE", "CI", False),
        ("HASHNODE", "", False),
        ("DEVTO", "a" * 30, True),
        ("DEVTO", "a" * 31, False),
        ("DEVTO", "größe", True),
        ("DEVTO", "ci-cd", False),
        ("DEVTO", "c++", False),
        ("DEVTO", "", False),
    ],
)
def test_tag_shapes(kind: str, tag: str, taken: bool) -> None:
    assert (PLATFORMS[kind].check(replace(GOOD[kind], tags=(tag,))) == []) is taken


@pytest.mark.parametrize(
    ("content", "taken"),
    [
        ("---\ntitle: stolen\n---\nText", False),
        ("\n  ---\ntext", False),
        ("Text\n\n---\n\nmore", True),
        ("Use {{ x }}", False),
        ("Use {% youtube x %}", False),
        ("Use {% raw %}`{{ x }}`{% endraw %} then", True),
        ("{% raw %}a{% endraw %}{% evil %}", False),
        ("one { brace", True),
        (" ".join(f"@user{n}" for n in range(7)), True),
        (" ".join(f"@user{n}" for n in range(8)), False),
        ("`" + " ".join(f"@user{n}" for n in range(8)) + "`", True),
        ("mail@example.org " * 8, True),
    ],
)
def test_devto_dialect(content: str, taken: bool) -> None:
    assert (PLATFORMS["DEVTO"].check(Post("T", content)) == []) is taken


@pytest.mark.parametrize(
    ("post", "broken"),
    [
        (Post("Title", "x"), "no title"),
        (Post("", "x", ("python",)), "no list of tags"),
        (Post("", "# Heading"), "a heading"),
        (Post("", "**bold**"), "bold text"),
        (Post("", "[a](https://b.c)"), "a link"),
        (Post("", "use `code`"), "code"),
    ],
)
def test_linkedin_is_plain_text(post: Post, broken: str) -> None:
    [sentence] = PLATFORMS["LINKEDIN"].check(post)
    assert broken in sentence
