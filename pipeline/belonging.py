"""What belongs together in an activity: a pull request, the commits that brought it and the issues that it
closed. By ids first, by text last."""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import TypeAlias

from models.values import Activity, Commit, Held, Issue, Key, PullRequest, Release
from pipeline.closing import Own
from pipeline.lineage import Lineage

Item: TypeAlias = Commit | PullRequest | Issue | Release

_NUMBERED = re.compile(r"\(#([0-9]{1,9})\)$|^Merge pull request #([0-9]{1,9}) ")


def items(found: Activity | Held) -> Iterator[Item]:
    """All of them."""
    yield from found.commits
    yield from found.pulls
    yield from found.issues
    if isinstance(found, Activity):
        yield from found.releases


class Belonging:
    """Who belongs to whom in an activity's lists."""

    def __init__(self, found: Activity) -> None:
        self._found = found
        self._own = Own(found.repository, found.url)
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
        """The issues that its text, or that of its commits, says to close, or whose number a title of theirs
        ends with: what the digest would join (`pipeline.closing`), and more where in doubt."""
        numbers = self._closed[closer.key]
        if isinstance(closer, PullRequest):
            numbers = numbers.union(*(self._closed[one.key] for one in self.commits_of(closer)))
        return [issue for issue in self._found.issues if issue.number in numbers]

    def closers_of(self, issue: Issue) -> list[Commit | PullRequest]:
        """The commits that closed it as `closed_by` knows, and the pull requests that did or have such a
        commit."""
        commits = {one.sha for one in self._found.commits if issue.number in self._closed[one.key]}
        pulls = (
            pull
            for pull in self._found.pulls
            if issue.number in self._closed[pull.key] or not commits.isdisjoint(self._brought[pull.number])
        )
        return [*pulls, *(commit for commit in self._found.commits if commit.sha in commits)]

    @cached_property
    def _closed(self) -> dict[Key, set[int]]:
        changes: list[Commit | PullRequest] = [*self._found.commits, *self._found.pulls]
        return {change.key: self._own.closed_by(change) for change in changes}

    def _commits_of(self, pull: PullRequest) -> dict[str, Commit]:
        by_sha = self._lineage.by_sha
        found = {sha: by_sha[sha] for sha in pull.commits if sha in by_sha}
        if merge := self.merge_of(pull):
            found[merge.sha] = merge
            brought = self._lineage.commits_of(self._by_merge.get(merge.sha, 0))
            found |= {commit.sha: commit for commit in brought}
        return found
