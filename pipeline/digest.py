"""The chapter that makes of an activity what a writer is shown: each thing once, ranked, noise marked."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from zoneinfo import ZoneInfo

from lib import words
from models.values import Activity, Commit, Digest, DigestItem, Key, Release
from pipeline import closing, ranking, repeating, reverting
from pipeline.closing import Closed
from pipeline.files import Files, Touched, lines
from pipeline.joining import Change, join
from pipeline.lineage import Lineage
from pipeline.people import People

FILES_MAX = 50
"""Changed files that an item lists, the most changed first."""

RELEASED, ROUTINE, UNCHANGED = 1_000, 500, 2
"""What the score of a release is, what routine takes from it, and what an issue closed without a change
does.
"""

REF_MIN = 7
"""Characters of a commit's id in its reference; more where a window has two that begin alike."""

_FIXES = re.compile(r"\bfix(?:e[sd])?:?\s+\S*(?:#|GH-|/issues/)\d", re.I)


def digest(
    activity: Activity,
    *,
    cadence: str,
    zone: ZoneInfo,
    bots: Collection[str] = (),
    told: Collection[Key] = (),
) -> Digest:
    """What a writer is shown of `activity`.

    `cadence`: how often the job tells (`daily`, `weekly`, `monthly` or `custom`). `zone`: whose calendar
    names the days. `bots`: logins and names that are no people, in any case, besides those that everybody
    knows. `told`: which keys of `joining.asked` earlier runs of the job told. Pull requests stand for their
    commits, and changes for the issues that they close; what is neither told nor stands for anything is
    `left_out` with the reason, yet counted in the summary.
    """
    window = activity.window
    since = window.since.astimezone(zone).date()
    until = (window.until - timedelta(seconds=1)).astimezone(zone).date()  # midnight ends the day before
    made = _Making(activity, People(activity, bots), told)
    additions, deletions, files_changed = made.size
    return Digest(
        repository=activity.repository,
        url=activity.url,
        summary=activity.summary,
        words=words.span(since, until, window.until - window.since, cadence),
        cadence=cadence,
        window=window,
        items=tuple(made.items()),
        people=tuple(made.people.credits()),
        additions=additions,
        deletions=deletions,
        files_changed=files_changed,
        left_out=tuple(made.left_out.items()),
        newcomers=tuple(made.newcomers()),
    )


class _Making:
    """One activity, joined."""

    def __init__(self, activity: Activity, people: People, told: Collection[Key]) -> None:
        self.people = people
        self._activity = activity
        self._releases = activity.releases
        self._files = Files(activity.commits)
        self._ref = _ref_length(activity.commits)
        lineage = Lineage(activity.commits)
        read, self.left_out = join(activity, lineage, told)
        self.size = self._files.size_of(read)
        lasting = reverting.lasting(read, lineage, activity.repository, self.left_out)
        undone = set(read) - set(lasting)
        self._changes = repeating.once(lasting)
        self._closed, self._alone = closing.by_change(
            activity, self._changes, [change for change in read if change in undone], self.left_out
        )

    def newcomers(self) -> list[str]:
        """Those among `people` who are new, in the same order."""
        firsts = [pull.author for pull in self._activity.pulls if pull.first_time and pull.author]
        new = set(self.people.once([*firsts, *self._activity.newcomers]))
        return [person.name for person in self.people.credits() if person in new]

    def items(self) -> Iterator[DigestItem]:
        """Most important first."""
        ranked: list[tuple[float, DigestItem]] = [(RELEASED, _release_item(one)) for one in self._releases]
        ranked += [self._change_item(change, self._closed.get(change, [])) for change in self._changes]
        ranked += [_scored_issue(closed) for closed in self._alone]
        ranked.sort(
            key=lambda pair: (-pair[0], -(pair[1].date.timestamp() if pair[1].date else 0), pair[1].ref)
        )
        return (item for _, item in ranked)

    def _change_item(self, change: Change, closed: Sequence[Closed]) -> tuple[float, DigestItem]:
        pull, first = change.pull, change.named_by
        found = self._files.of(change)
        seen = self._evidence(change, found, len(closed))
        kind = ranking.category(seen)
        if kind in ("upkeep", "other") and closed and _fixes(change):
            kind = "fix"
        routine = ranking.is_routine(seen)
        itself, *rest = change.keys
        item = DigestItem(
            ref=f"PR{pull.number}" if pull else f"C{first.sha[: self._ref] if first else ''}",
            kind="pull" if pull else "commit",
            title=change.title,
            category=kind,
            people=tuple(self.people.once(change.named)),
            number=pull.number if pull else None,
            url=pull.url if pull else first.url if first else None,
            body=change.body,
            files=tuple(file.path for file in found.files[:FILES_MAX]),
            more_files=None if found.more is None else found.more + len(found.files[FILES_MAX:]),
            labels=pull.labels if pull else (),
            date=change.when,
            is_routine=routine,
            closes=tuple(_issue_item(one) for one in closed),
            folded=(*rest, *(key for one in closed for key in one.keys)),
            changes=found.files[:FILES_MAX],
            additions=found.additions,
            deletions=found.deletions,
            key=itself,
        )
        return ranking.score(seen, kind) - ROUTINE * routine, item

    def _evidence(self, change: Change, found: Touched, closes: int) -> ranking.Change:
        return ranking.Change(
            change.title,
            change.body,
            change.pull.labels if change.pull else (),
            [file.path for file in found.files],
            lines=sum(lines(file) for file in found.files),
            new_lines=sum(
                lines(f) for f in found.files if f.status == "added" and not ranking.is_test(f.path)
            ),
            test_lines=sum(lines(f) for f in found.files if ranking.is_test(f.path)),
            is_pull=change.pull is not None,
            closes=closes,
            by_bots=bool(change.named) and all(self.people.is_bot(one) for one in change.named),
        )


def _fixes(change: Change) -> bool:
    """Whether it says `fix` of an issue, which tells more than its title's verb."""
    texts = (change.title, change.body, *(commit.message for commit in change.all_commits))
    return any(_FIXES.search(text) for text in texts)


def _ref_length(commits: Sequence[Commit]) -> int:
    shas = {commit.sha for commit in commits}
    return next(n for n in count(REF_MIN) if len({sha[:n] for sha in shas}) == len(shas))


def _release_item(release: Release) -> DigestItem:
    return DigestItem(
        ref=f"R{release.tag}",
        kind="release",
        title=release.name.strip() or release.tag,
        category="release",
        url=release.url,
        body=release.body,
        date=release.published_at,
        key=release.key,
    )


def _scored_issue(closed: Closed) -> tuple[float, DigestItem]:
    item = replace(_issue_item(closed), folded=tuple(closed.keys[1:]))
    return ranking.score(ranking.Change(item.title), item.category) - UNCHANGED, item


def _issue_item(closed: Closed) -> DigestItem:
    issue = closed.issue
    return DigestItem(
        ref=f"I{issue.number}",
        kind="issue",
        title=issue.title if closed.is_named else "",
        category=ranking.category(ranking.Change(issue.title, labels=issue.labels)),
        number=issue.number,
        url=issue.url,
        labels=issue.labels,
        date=issue.closed_at,
        key=issue.key,
    )
