"""What a post says of how it was made, unless its owner chose other words: true of a draft that nobody has
looked at yet, and still true of the post that comes of it."""

from dataclasses import replace
from typing import Literal

from models.values import Brief

MadeBy = Literal["MODEL", "TEMPLATE"]

_WHAT = {"HASHNODE": "This article", "DEVTO": "This update", "LINKEDIN": "This post"}
_HOW = {
    "MODEL": "was drafted by an AI model, with Repocast, from the repository's activity.",
    "TEMPLATE": "was put together by Repocast from the repository's activity, without an AI model.",
}


def default(kind: str, made_by: MadeBy) -> str:
    """The sentence that ends a post for a platform of this type."""
    return f"{_WHAT[kind]} {_HOW[made_by]}"


def by_template(brief: Brief) -> Brief:
    """The brief for the template writer where it steps in for a model: a default disclosure tells that, the
    owner's own words stay."""
    kind = brief.rules.type
    if brief.disclosure != default(kind, "MODEL"):
        return brief
    return replace(brief, disclosure=default(kind, "TEMPLATE"))
