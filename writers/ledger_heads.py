"""Checks of a post's title and tags."""

import re

from lib import words
from models.values import Brief, Sentence
from writers.ledger_said import Fault, Faults, Kind
from writers.ledger_sources import Sources
from writers.ledger_text import bare
from writers.ledger_words import has, stem, topics


def title_faults(title: Sentence, brief: Brief) -> Faults:
    """A title is one line within the platform's limit, and none of the job's earlier ones."""
    if not re.search(r"\w", title.text):
        yield Fault(Kind.TITLE, "is no title: it is empty")
        return
    if "\n" in title.text.strip():
        yield Fault(Kind.TITLE, "is no title: it has several lines")
    length = len(words.one_line(bare(title.text.replace("`", ""))))
    if length > brief.rules.title_max:
        limit = brief.rules.title_max
        yield Fault(
            Kind.TITLE, f"is too long for a title: {length} characters, and {brief.rules.name} takes {limit}"
        )
    if same_title(title.text) in map(same_title, brief.earlier_titles):
        yield Fault(Kind.TITLE, "is the title of an earlier post")


def same_title(title: str) -> str:
    """A title as titles are compared: without case, signs and spaces."""
    return "".join(re.findall(r"\w+", words.one_line(title).casefold()))


def tag_faults(tag: str, sources: Sources) -> Faults:
    """A tag is a topic in general, or names something of the activity."""
    flat = re.sub(r"[\W_]+", "", tag.casefold())
    parts = [part for part in re.split(r"[\W_]+", tag.casefold()) if part]
    if not flat or flat in topics() or all(part in topics() for part in parts):
        return
    if not (
        sources.has_joined(flat)
        or all(has(sources.all_stems, part) for part in parts)
        or stem(flat) in sources.all_stems
    ):
        yield Fault(Kind.TAG, "is a tag that the activity says nothing of")
