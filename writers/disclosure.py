"""What a post says of how it was made, unless its owner chose other words: true of a draft that nobody has
looked at yet, and still true of the post that comes of it."""

from typing import Literal

MadeBy = Literal["MODEL", "TEMPLATE"]

_WHAT = {"HASHNODE": "This article", "DEVTO": "This update", "LINKEDIN": "This post"}
_HOW = {
    "MODEL": "was drafted by an AI model, with Repocast, from the repository's activity.",
    "TEMPLATE": "was put together by Repocast from the repository's activity, without an AI model.",
}


def default(kind: str, made_by: MadeBy) -> str:
    """The sentence that ends a post for a platform of this type."""
    return f"{_WHAT[kind]} {_HOW[made_by]}"
