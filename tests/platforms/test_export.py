"""Whatever stands in a title, the file says it and nothing else."""

import json
import re

import pytest

from models.values import Post
from platforms.export import export

HOSTILE = [
    'Types: "strict"',
    "a: b # c",
    "two\n---\npublished: true",
    "back\\slash \\\" quote' `code`",
    "---",
    "tab\tand\rreturn",
    "line\u2028separator\x85next\ufeff",
    "{% raw %} & *anchor !tag | > %",
    "Grüße 🚀",
    "",
]


def fields(text: str) -> tuple[dict[str, str], str]:
    """The front matter, line by line as YAML has it when every scalar is plain or double-quoted, and the
    body."""
    opening, matter, body = re.split(r"^---\n", text, maxsplit=2, flags=re.M)
    assert opening == ""
    pairs = dict(line.split(": ", 1) for line in matter.splitlines())
    return {key: json.loads(raw) if raw.startswith('"') else raw for key, raw in pairs.items()}, body


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.parametrize("kind", ["DEVTO", "HASHNODE"])
def test_any_title_stays_in_its_line(kind: str, title: str) -> None:
    ending, mime, text = export(kind, Post(title, "Text", ("a", "b"), subtitle=title))
    assert (ending, mime) == ("md", "text/markdown")
    found, body = fields(text)
    assert found.get("title", "") == title
    assert found.get("description" if kind == "DEVTO" else "subtitle", "") == title
    assert body == "\nText\n"
    assert not re.search("[\x7f-\x9f\u2028\u2029\ufeff]", text)


def test_devtos_front_matter() -> None:
    _, _, text = export("DEVTO", Post("T", "# Täglich\n\n", ("webdev", "types"), subtitle="S"))
    assert text == (
        '---\ntitle: "T"\ndescription: "S"\ntags: "webdev, types"\npublished: false\n---\n\n# Täglich\n'
    )


def test_hashnodes_front_matter_without_what_is_not_there() -> None:
    _, _, text = export("HASHNODE", Post("T", "---\nText"))
    assert text == '---\ntitle: "T"\nsaveAsDraft: true\n---\n\n---\nText\n'


def test_linkedin_is_its_text() -> None:
    assert export("LINKEDIN", Post("", "Text\n\n#python")) == ("txt", "text/plain", "Text\n\n#python")
