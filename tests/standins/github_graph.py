"""The commits of a stand-in's repository as git sees them: who descends from whom, and in which order they
are shown."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]


def committed(commit: Json) -> datetime:
    """The date that `since` and `until` look at: the committer's."""
    return datetime.fromisoformat(commit["commit"]["committer"]["date"]).astimezone(UTC)


class Graph:
    """Of the data's commits those that are not collected (`gone`). Parents outside the data are where it was
    cut off."""

    def __init__(self, data: Json) -> None:
        gone = data.get("gone") or ()
        self.data = data
        self.commits: Mapping[str, Json] = {c["sha"]: c for c in data["commits"] if c["sha"] not in gone}

    def head(self, branch: str) -> str | None:
        """A branch's newest commit. Data may give it as such, or as the list of all of its commits, or leave
        the default branch out: then it has all commits."""
        value = (self.data.get("branches") or {}).get(branch)
        if isinstance(value, str):
            return value
        if value is not None:
            return next((sha for sha in self.commits if sha in value), None)
        if branch == self.data["repository"].get("default_branch", "main"):
            return next(iter(self.commits), None)
        return None

    def resolve(self, ref: str) -> str | None:
        """The commit that a branch, a tag or an id names."""
        kind, _, rest = ref.removeprefix("refs/").partition("/")
        tags = self.data.get("tags") or {}
        found = self.head(rest) if kind == "heads" else tags.get(rest) if kind == "tags" else None
        found = found or self.head(ref) or tags.get(ref) or ref
        return found if found in self.commits else None

    def parents(self, sha: str) -> list[str]:
        parents = (p["sha"] for p in self.commits[sha].get("parents") or ())
        return [parent for parent in parents if parent in self.commits]

    def reach(self, *shas: str) -> set[str]:
        """These and all that they descend from."""
        found: set[str] = set()
        waiting = list(shas)
        while waiting:
            sha = waiting.pop()
            if sha not in found:
                found.add(sha)
                waiting += self.parents(sha)
        return found

    def log(self, sha: str) -> Iterator[str]:
        """As `git log` shows them: the newest date first, but a commit only after one of its children."""
        seen, count = {sha}, 0
        waiting = [(-committed(self.commits[sha]).timestamp(), 0, sha)]
        while waiting:
            _, _, newest = heapq.heappop(waiting)
            yield newest
            for parent in self.parents(newest):
                if parent not in seen:
                    seen.add(parent)
                    count += 1
                    heapq.heappush(waiting, (-committed(self.commits[parent]).timestamp(), count, parent))

    def between(self, base: str, head: str) -> list[str]:
        """Reachable from head and not from base, oldest first."""
        known = self.reach(base)
        return [sha for sha in self.log(head) if sha not in known][::-1]

    def merge_base(self, base: str, head: str) -> str | None:
        known = self.reach(base)
        return next((sha for sha in self.log(head) if sha in known), None)


def of_branch(data: Json, ref: str) -> Sequence[Json] | None:
    """The commits that a branch or an id lists, None for an unknown one."""
    graph = Graph(data)
    value = (data.get("branches") or {}).get(ref)
    is_default = ref == data["repository"].get("default_branch", "main")
    if isinstance(value, list) or (value is None and is_default):
        chosen = [c for c in graph.commits.values() if value is None or c["sha"] in value]
        return sorted(chosen, key=committed, reverse=True)
    sha = graph.resolve(ref)
    return None if sha is None else [graph.commits[one] for one in graph.log(sha)]
