"""A post as a file to take along, in the form that its platform reads."""

import json
import re
from typing import NamedTuple

from models.values import Post

_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""What JSON leaves as it is inside a string and YAML reads as a line break or refuses (yaml.org/spec/1.2.2,
5.1 and 5.4; 1.1 alike)."""


class Exported(NamedTuple):
    """`ending` of the file's name, without its dot; `mime` without a charset, which is UTF-8."""

    ending: str
    mime: str
    text: str


def export(kind: str, post: Post) -> Exported:
    """The post for a platform of this type: Markdown under front matter, LinkedIn's the text alone.

    Dev.to reads title, description, tags and published (forem/forem: article.rb, evaluate_front_matter, read
    on 2026-11-23). Hashnode's import from GitHub reads title, subtitle, tags and saveAsDraft (its template
    repository, as copies of it stand on GitHub on 2026-11-27); `slug` and `domain`, which that asks for as
    well, are left to the owner: a slug that is taken already would overwrite the article that has it.
    """
    if kind == "LINKEDIN":
        return Exported("txt", "text/plain", post.content)
    draft = {"published": "false"} if kind == "DEVTO" else {"saveAsDraft": "true"}
    subtitle = "description" if kind == "DEVTO" else "subtitle"
    matter = {"title": post.title, subtitle: post.subtitle, "tags": ", ".join(post.tags)}
    lines = [f"{key}: {_scalar(value)}" for key, value in matter.items() if value]
    lines += [f"{key}: {value}" for key, value in draft.items()]
    return Exported("md", "text/markdown", "\n".join(["---", *lines, "---", "", post.content.rstrip(), ""]))


def _scalar(text: str) -> str:
    """A double-quoted YAML scalar on one line, which no text can break out of: a JSON string is one."""
    quoted = json.dumps(text, ensure_ascii=False)
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
