"""What belongs together in an activity: a pull request, the commits that brought it and the issues that it
closed. By ids first, by text last."""

import re
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from models.values import Activity, Commit, Held, Issue, PullRequest, Release

Item: TypeAlias = Commit | PullRequest | Issue | Release

_NUMBERED = re.compile(r"\(#([0-9]{1,9})\)$|^Merge pull request #([0-9]{1,9}) ")
# GitHub's keywords ("Linking a pull request to an issue", 2026-11-23), before a number or an address.
_CLOSES = re.compile(
    r"\b(?:fix(?:e[sd])?|close[sd]?|resolve[sd]?):?\s+"
    r"(?:(?:[\w.-]{1,100}/[\w.-]{1,100})?#|https?://\S{1,200}/issues/)([0-9]{1,9})\b",
    re.IGNORECASE,
)


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
        self._by_sha = {commit.sha: commit for commit in found.commits}
        self._by_number = {
            int(numbered[1] or numbered[2]): commit
            for commit in reversed(found.commits)
            if (numbered := _NUMBERED.search(commit.title))
        }
        self._brought = {pull.number: self._commits_of(pull) for pull in found.pulls}

    def merge_of(self, pull: PullRequest) -> Commit | None:
        """Its merge or squash commit."""
        return self._by_sha.get(pull.merge_sha or "") or self._by_number.get(pull.number)

    def commits_of(self, pull: PullRequest) -> tuple[Commit, ...]:
        """Its merge or squash commit and all that this brought into the branch."""
        return tuple(self._brought[pull.number].values())

    def pull_of(self, commit: Commit) -> PullRequest | None:
        """The pull request that brought it; the smallest, where a branch came in by way of another one."""
        having = [pull for pull in self._found.pulls if commit.sha in self._brought[pull.number]]
        return min(having, key=lambda pull: len(self._brought[pull.number]), default=None)

    def closed_by(self, closer: Commit | PullRequest) -> list[Issue]:
        """The issues that its text, or that of its commits, says to close."""
        texts = [closer.message] if isinstance(closer, Commit) else [closer.title, closer.body]
        if isinstance(closer, PullRequest):
            texts += [commit.message for commit in self.commits_of(closer)]
        numbers = {int(number) for text in texts for number in _CLOSES.findall(text)}
        return [issue for issue in self._found.issues if issue.number in numbers]

    def closers_of(self, issue: Issue) -> list[Commit | PullRequest]:
        """The pull requests and commits that say to close it."""
        candidates: list[Commit | PullRequest] = [*self._found.pulls, *self._found.commits]
        return [closer for closer in candidates if issue in self.closed_by(closer)]

    def _commits_of(self, pull: PullRequest) -> dict[str, Commit]:
        found = {sha: self._by_sha[sha] for sha in pull.commits if sha in self._by_sha}
        merge = self.merge_of(pull)
        if merge is not None:
            found[merge.sha] = merge
            before = self._reachable(merge.parents[:1], set())
            found |= {sha: self._by_sha[sha] for sha in self._reachable(merge.parents[1:], before)}
        return found

    def _reachable(self, starts: Iterable[str], beyond: set[str]) -> set[str]:
        found: set[str] = set()
        waiting = list(starts)
        while waiting:
            sha = waiting.pop()
            if sha in self._by_sha and sha not in found and sha not in beyond:
                found.add(sha)
                waiting.extend(self._by_sha[sha].parents)
        return found
