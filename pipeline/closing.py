"""Which change closed which issue."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from models.values import Activity, Commit, Issue, Key, PullRequest
from pipeline.joining import Change, LeftOut, said

ACHIEVED = (None, "completed")
"""GitHub's state reasons that say something was done. Issues closed before there were any have none."""

# GitHub's nine words (docs.github.com, Linking a pull request to an issue, seen 2026-11-23). There only the
# number right after the word counts; people write `Fixes #1, #2 and #3`, and close the others by hand.
_ISSUE = (
    r"(?:(?P<name>[\w.-]+/[\w.-]+)?#|GH-|https?://(?P<page>[^\s#]+?)(?:/-)?/issues/)(?P<number>\d{1,9})\b"
)
_WORD = re.compile(rf"(?<![\w-])(?:fix(?:e[sd])?|close[sd]?|resolve[sd]?):?\s++{_ISSUE}", re.I)
_MORE = re.compile(rf"\s*(?:,\s*and\b|,|\band\b|&)\s*{_ISSUE}", re.I)
_TITLE_ENDS = re.compile(r"\(#(\d{1,9})\)$")
# GitHub's short and long ways to name an issue or a pull request (docs.github.com, Autolinked references and
# URLs, seen 2026-11-23). A number that is the text of a link goes where the link goes.
_NAMED = re.compile(
    r"(?:(?:(?<![\w.&/-])(?P<name>[\w.-]++/[\w.-]++)|(?<![A-Za-z0-9_&/]))#|(?<![\w-])GH-"
    r"|https?://(?P<page>[^\s#()<>]{1,200}?)(?:/-)?/(?:issues|pull|pulls|merge_requests)/)"
    r"(?P<number>\d{1,9})\b(?!\]\(https?:|</a>)",
    re.I,
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
# What a page does not show, or shows as code, closes nothing: pull request templates hold examples.
_UNSEEN = re.compile(
    r"<!--.*?(?:-->|\Z)|^ {0,3}(`{3,}+|~{3,}+)[^\n]*+\n.*?(?:^ {0,3}\1[`~]*+[ \t]*+$|\Z)|`[^`\n]++`",
    re.S | re.M,
)


@dataclass(frozen=True)
class Closed:
    """One issue at its last closing; `again` are earlier ones of the same window."""

    issue: Issue
    again: tuple[Issue, ...] = ()

    @property
    def keys(self) -> list[Key]:
        return [self.issue.key, *(issue.key for issue in self.again)]

    @property
    def is_named(self) -> bool:
        """Whether more than its number is known: a local repository knows issues from closing words alone."""
        return self.issue.title.strip() not in ("", f"Issue #{self.issue.number}", f"#{self.issue.number}")


def by_change(
    activity: Activity, lasting: Sequence[Change], undone: Sequence[Change], left_out: LeftOut
) -> tuple[dict[Change, list[Closed]], list[Closed]]:
    """The issues that each lasting change closed, and those that no change did.

    An issue goes to one change: one that says so by a closing word, else one whose title ends with its
    number; of several the one nearest in time. `left_out` gets what is no achievement, what only an `undone`
    change closed, and what nobody knows more of than its number.
    """
    issues = _achieved(activity, left_out)
    found = _Finder(activity, issues.keys())
    closers = found.closers(lasting)
    broken = found.closers(undone).keys() - closers.keys()
    by_change: dict[Change, list[Closed]] = {}
    alone = []
    for number, closed in issues.items():
        if number in closers:
            best = min(closers[number], key=lambda one: (one[0], abs(one[1].when - closed.issue.closed_at)))
            by_change.setdefault(best[1], []).append(closed)
        elif number in broken:
            left_out.update(dict.fromkeys(closed.keys, "reverted"))
        elif not closed.is_named:
            left_out.update(dict.fromkeys(closed.keys, "unnamed"))
        else:
            alone.append(closed)
    return by_change, alone


def _achieved(activity: Activity, left_out: LeftOut) -> dict[int, Closed]:
    """By number, each once, judged by its last closing."""
    closings: dict[int, list[Issue]] = {}
    for issue in activity.issues:
        closings.setdefault(issue.number, []).append(issue)
    found = {}
    for number, same in closings.items():
        last, *again = sorted(same, key=lambda issue: issue.closed_at, reverse=True)
        closed = Closed(last, tuple(again))
        if last.reason in ACHIEVED:
            found[number] = closed
        else:
            left_out.update(dict.fromkeys(closed.keys, "unplanned"))
    return found


class Own:
    """Reads in a text which issues and pull requests of this repository it closes or names; what is another
    one's is nobody's here. `repository`, `url`: as an activity has them."""

    def __init__(self, repository: str, url: str | None) -> None:
        self._repository = repository.casefold()
        self._page = (url or "").rstrip("/").partition("://")[2].casefold()

    def closed_by(self, one: Commit | PullRequest) -> set[int]:
        """What a commit or pull request closes by its own words, and the numbers that its title ends with."""
        if isinstance(one, Commit):
            return {*self.closed(one.message), *_by_titles((one.title, said(one)[0]))}
        body = _UNSEEN.sub(" ", one.body)
        return {*self.closed(one.title), *self.closed(body), *_by_titles((one.title,))}

    def closed(self, text: str) -> Iterator[int]:
        """The numbers after closing words."""
        for first in _WORD.finditer(text):
            match: re.Match[str] | None = first
            while match:
                if self._is_own(match):
                    yield int(match["number"])
                match = _MORE.match(text, match.end())

    def named(self, text: str) -> Iterator[int]:
        """All numbers, whatever is said of them, but for those in HTML comments: `#12`, `GH-12`,
        `owner/repo#12` and addresses of pages."""
        for match in _NAMED.finditer(_COMMENT.sub(" ", text)):
            if self._is_own(match):
                yield int(match["number"])

    def _is_own(self, match: re.Match[str]) -> bool:
        if match["page"]:
            return match["page"].casefold() == self._page
        return match["name"] is None or match["name"].casefold() == self._repository


class _Finder:
    """Finds which changes say that they closed which of these issues."""

    def __init__(self, activity: Activity, numbers: Iterable[int]) -> None:
        self._own = Own(activity.repository, activity.url)
        self._numbers = set(numbers)

    def closers(self, changes: Sequence[Change]) -> dict[int, list[tuple[int, Change]]]:
        """By issue: the changes that closed it, with 0 for those that say so and 1 for those that bear its
        number.
        """
        found: dict[int, list[tuple[int, Change]]] = {}
        for change in changes if self._numbers else ():
            by_word = set(self._by_words(change)) & self._numbers
            titles = (change.title, *(commit.title for commit in change.all_commits))
            by_title = set(_by_titles(titles)) & self._numbers - by_word
            for strength, numbers in enumerate((by_word, by_title)):
                for number in numbers:
                    found.setdefault(number, []).append((strength, change))
        return found

    def _by_words(self, change: Change) -> Iterator[int]:
        for text in _texts(change):
            yield from self._own.closed(text)


def _texts(change: Change) -> Iterator[str]:
    if change.pull:
        yield change.pull.title
        yield _UNSEEN.sub(" ", change.pull.body)
    yield from (commit.message for commit in change.all_commits)
    for copy in change.copies:
        yield from _texts(copy)


def _by_titles(titles: Iterable[str]) -> Iterator[int]:
    for title in titles:
        if numbered := _TITLE_ENDS.search(title):
            yield int(numbered[1])
