"""Every limit at, under and over it, each with its source; then what no number says: shapes and dialects."""

from dataclasses import replace

import pytest

from models.values import Post
from platforms import PLATFORMS
from tests.platforms.limits import FOREM, GOOD, LIMITS, MICROSOFT, OURS, SKILL, Limit


@pytest.mark.parametrize("kind", PLATFORMS)
def test_a_good_post_is_taken(kind: str) -> None:
    assert PLATFORMS[kind].rules.type == kind
    assert PLATFORMS[kind].check(GOOD[kind]) == []


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: f"{limit.kind} {limit.name}, {limit.source}")
def test_limit(limit: Limit) -> None:
    platform, over = PLATFORMS[limit.kind], limit.most + 12
    for used in (limit.most - 1, limit.most):
        assert platform.check(limit.made(used)) == []
        assert platform.measure(limit.made(used))[limit.name][:2] == (used, limit.most)
    for used in (limit.most + 1, over):
        sentence, *others = platform.check(limit.made(used))
        assert sentence == (
            f"{platform.rules.name} takes at most {limit.most:,} {limit.unit}: "
            f"there are {used:,}, {used - limit.most:,} too many."
        )
        assert len(others) == limit.also


def test_every_limit_that_is_counted_is_in_the_table_with_its_source() -> None:
    counted = {(kind, name) for kind, platform in PLATFORMS.items() for name in platform.measure(GOOD[kind])}
    assert counted == {(limit.kind, limit.name) for limit in LIMITS}
    assert all(limit.source.startswith((FOREM, SKILL, MICROSOFT, OURS)) for limit in LIMITS)


@pytest.mark.parametrize("kind", ["HASHNODE", "DEVTO"])
def test_lines(kind: str) -> None:
    check = PLATFORMS[kind].check
    assert check(replace(GOOD[kind], title=" ")) == ["The title is missing."]
    assert check(replace(GOOD[kind], subtitle="")) == []
    for line in ("two\nlines", "doubled  spaces", "hid\u200bden", "\x07", " edge"):
        assert check(replace(GOOD[kind], title=line)) != []
        assert check(replace(GOOD[kind], subtitle=line)) == [
            "The subtitle must be one line without control characters or doubled spaces."
        ]


@pytest.mark.parametrize("kind", PLATFORMS)
def test_a_post_without_content(kind: str) -> None:
    assert PLATFORMS[kind].check(replace(GOOD[kind], content=" \n")) == ["The post is empty."]


SLUG = "must be a slug of a-z, 0-9 and single hyphens between them."
ALNUM = "must be letters and digits alone, one at least, as Dev.to takes them."


@pytest.mark.parametrize(
    ("kind", "tag", "broken"),
    [
        ("HASHNODE", "a" * 49, ""),  # 50: ours
        ("HASHNODE", "a" * 50, ""),
        ("HASHNODE", "a" * 51, "has 51 characters, 1 too many: Hashnode takes at most 50."),
        ("HASHNODE", "ci-cd", ""),  # [a-z0-9-]: gql-skill, mutations
        ("HASHNODE", "-ci", SLUG),
        ("HASHNODE", "ci--cd", SLUG),
        ("HASHNODE", "CI", SLUG),
        ("HASHNODE", "größe", SLUG),
        ("HASHNODE", "", SLUG),
        ("DEVTO", "a" * 29, ""),  # 1 to 30, [[:alnum:]]: forem, tag.rb
        ("DEVTO", "a" * 30, ""),
        ("DEVTO", "a" * 31, "has 31 characters, 1 too many: Dev.to takes at most 30."),
        ("DEVTO", "a", ""),
        ("DEVTO", "", ALNUM),
        ("DEVTO", "größe", ""),
        ("DEVTO", "ci-cd", ALNUM),
        ("DEVTO", "c++", ALNUM),
        ("DEVTO", "x²", ALNUM),
        ("DEVTO", "two\nlines", ALNUM),
    ],
)
def test_tag_shapes(kind: str, tag: str, broken: str) -> None:
    found = PLATFORMS[kind].check(replace(GOOD[kind], tags=(tag,)))
    shown = " ".join(tag.split())
    assert found == ([f"The tag “{shown}” {broken}"] if broken else [])


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
        ("`" + " ".join(f"@user{n}" for n in range(8)) + "`", True),
        ("mail@example.org " * 8, True),
    ],
)
def test_devto_dialect(content: str, taken: bool) -> None:
    assert (PLATFORMS["DEVTO"].check(replace(GOOD["DEVTO"], content=content)) == []) is taken


@pytest.mark.parametrize(
    ("post", "broken"),
    [
        (Post("Title", "x"), "no title"),
        (Post("", "x", subtitle="More"), "no subtitle"),
        (Post("", "x", ("python",)), "no list of tags"),
        (Post("", "# Heading"), "a heading"),
        (Post("", "**bold**"), "bold text"),
        (Post("", "[a](https://b.c)"), "a link"),
        (Post("", "use `code`"), "code"),
        (Post("", "x\n\n#python #ci-cd"), "The hashtag “#ci-cd”"),
        (Post("", "x\n\n#open_source\n"), "The hashtag “#open_source”"),
    ],
)
def test_linkedin_is_plain_text(post: Post, broken: str) -> None:
    [sentence] = PLATFORMS["LINKEDIN"].check(post)
    assert broken in sentence


@pytest.mark.parametrize("text", ["Fixes #42.\n\n#größe #python3", "Now in C#", "a * b (c) <d> {e} @f ~g"])
def test_linkedin_takes_any_sign(text: str) -> None:
    assert PLATFORMS["LINKEDIN"].check(Post("", text)) == []
