"""What belongs together in an activity: a pull request, the commits that brought it and the issues that it
closed. By ids first, by text last."""

import re
from collections.abc import Iterator
from typing import TypeAlias

from models.values import Activity, Commit, Held, Issue, PullRequest, Release
from pipeline.lineage import Lineage

Item: TypeAlias = Commit | PullRequest | Issue | Release

_NUMBERED = re.compile(r"\(#([0-9]{1,9})\)$|^Merge pull request #([0-9]{1,9}) ")
# GitHub's keywords ("Linking a pull request to an issue", 2026-11-23), before a number, an address, or, as
# people write it, several of them.
_ISSUE = r"(?:(?:[\w.-]{1,100}/[\w.-]{1,100})?#|GH-|https?://[^\s#]{1,200}/issues/)[0-9]{1,9}\b"
_CLOSES = re.compile(
    rf"\b(?:fix(?:e[sd])?|close[sd]?|resolve[sd]?):?\s+{_ISSUE}(?:(?:,\s?and|,|\sand|\s&)\s{{0,3}}{_ISSUE}){{0,50}}",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?:#|GH-|/issues/)([0-9]{1,9})\b", re.IGNORECASE)


def items(found: Activity | Held) -> Iterator[Item]:
    """All of them."""
    yield from found.commits
    yield from found.pulls
    yield from found.issues
    if isinstance(found, Activity):
        yield from found.releases


class Belonging:
    """Who belongs to whom among these."""

    def __init__(self, found: Activity | Held) -> None:
        self._found = found
        self._lineage = Lineage(found.commits)
        self._by_number = {
            int(numbered[1] or numbered[2]): commit
            for commit in reversed(found.commits)
            if (numbered := _NUMBERED.search(commit.title))
        }
        merges = {merge.sha for pull in found.pulls if (merge := self.merge_of(pull))}
        self._by_merge = {merge.sha: brought for merge, brought in self._lineage.brought(merges)}
        self._brought = {pull.number: self._commits_of(pull) for pull in found.pulls}

    def merge_of(self, pull: PullRequest) -> Commit | None:
        """Its merge or squash commit."""
        return self._lineage.by_sha.get(pull.merge_sha or "") or self._by_number.get(pull.number)

    def commits_of(self, pull: PullRequest) -> tuple[Commit, ...]:
        """Its merge or squash commit and all that this brought into the branch."""
        return tuple(self._brought[pull.number].values())

    def pull_of(self, commit: Commit) -> PullRequest | None:
        """The pull request that brought it; the smallest, where a branch came in by way of another one."""
        having = [pull for pull in self._found.pulls if commit.sha in self._brought[pull.number]]
        return min(having, key=lambda pull: len(self._brought[pull.number]), default=None)

    def closed_by(self, closer: Commit | PullRequest) -> list[Issue]:
        """The issues that its text, or that of its commits, says to close."""
        numbers = _closed(closer)
        if isinstance(closer, PullRequest):
            numbers = numbers.union(*map(_closed, self.commits_of(closer)))
        return [issue for issue in self._found.issues if issue.number in numbers]

    def closers_of(self, issue: Issue) -> list[Commit | PullRequest]:
        """The commits that say to close it, and the pull requests that say so or have such a commit."""
        commits = {commit.sha for commit in self._found.commits if issue.number in _closed(commit)}
        pulls = (
            pull
            for pull in self._found.pulls
            if issue.number in _closed(pull) or not commits.isdisjoint(self._brought[pull.number])
        )
        return [*pulls, *(commit for commit in self._found.commits if commit.sha in commits)]

    def _commits_of(self, pull: PullRequest) -> dict[str, Commit]:
        by_sha = self._lineage.by_sha
        found = {sha: by_sha[sha] for sha in pull.commits if sha in by_sha}
        if merge := self.merge_of(pull):
            found[merge.sha] = merge
            brought = self._lineage.commits_of(self._by_merge.get(merge.sha, 0))
            found |= {commit.sha: commit for commit in brought}
        return found


def _closed(closer: Commit | PullRequest) -> set[int]:
    text = closer.message if isinstance(closer, Commit) else f"{closer.title}\n{closer.body}"
    return {int(number) for said in _CLOSES.findall(text) for number in _NUMBER.findall(said)}
