"""One brief as the template writer's shapes see it: what is told, in which order, and what is counted."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from models.values import Brief, Digest, DigestItem, Person, Sentence
from writers import template_files as files
from writers import template_text as text
from writers import template_title as title
from writers.template_kinds import is_preparation, is_worth, section


@dataclass(frozen=True)
class Story:
    """One brief, and what all its shapes ask of it.

    `refused`: sentences that the ledger did not let pass, which are not said again. `silent`: refs of items
    of which nothing can be said; they are counted.
    """

    brief: Brief
    refused: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()

    @property
    def digest(self) -> Digest:
        return self.brief.digest

    @cached_property
    def name(self) -> str:
        return title.name(self.brief)

    @cached_property
    def releases(self) -> list[DigestItem]:
        """Oldest first."""
        return [item for item in title.releases(self.brief) if item.ref not in self.silent]

    @cached_property
    def _known(self) -> list[DigestItem]:
        """All but releases, the commits that only prepare one that is told, and what cannot be quoted."""
        items = [item for item in self.untold(self.silent) if not self.is_preparation(item)]
        return [item for item in items if text.subject(item.title) and not text.is_unfit(item.title)]

    @cached_property
    def changes(self) -> list[DigestItem]:
        """What can be told, best first, each with its `follow_ups`; routine only where there is nothing
        else.
        """
        followed = {one.ref for some in self.follow_ups.values() for one in some}
        worth = [item for item in self._known if is_worth(item) and item.ref not in followed]
        return _removals_up(worth or self._known)

    @cached_property
    def follow_ups(self) -> dict[str, list[DigestItem]]:
        """By ref of something new: the commits after it that only go on with what it brought."""
        return files.follow_ups([item for item in self._known if is_worth(item)])

    @cached_property
    def released(self) -> list[DigestItem]:
        """The changes that are not younger than the newest release; all where there is none."""
        later = {item.ref for item in self.since}
        return [item for item in self.changes if item.ref not in later]

    @cached_property
    def since(self) -> list[DigestItem]:
        """The changes after the newest release, which therefore cannot be part of it."""
        last = max((one.date for one in self.releases if one.date), default=None)
        return [item for item in self.changes if last and _is_after(item, last)]

    def untold(self, told: Collection[str]) -> list[DigestItem]:
        """All changes whose refs are not among `told`."""
        return [item for item in self.digest.items if item.kind != "release" and item.ref not in told]

    def is_preparation(self, item: DigestItem) -> bool:
        """Whether it only prepares a release that is told."""
        return bool(self.releases) and is_preparation(item)

    @cached_property
    def is_routine(self) -> bool:
        """Whether there is nothing to tell but routine."""
        return all(item.is_routine for item in self.changes)

    @cached_property
    def past(self) -> bool:
        """Whether most titles can be told in the past; two tenses in one list read badly."""
        changes = [item for item in self.changes if item.kind != "issue"]
        return 2 * sum(text.is_imperative(item.title) for item in changes) > len(changes)

    @cached_property
    def people(self) -> list[Person]:
        people = [person for person in self.digest.people if not person.is_bot]
        return [person for person in people if text.name(person.name)]

    @cached_property
    def author(self) -> str:
        """Who did most of it, and need not be named at every change; empty for nobody."""
        named = [item.people[0].name for item in self.digest.items if item.people]
        top = max(dict.fromkeys(named), key=named.count, default="")
        return top if len(self.people) == 1 or (len(named) > 3 and 2 * named.count(top) > len(named)) else ""

    def allows(self, said: Sentence) -> bool:
        """Whether the ledger has not refused it."""
        return said.text not in self.refused

    def told(self, item: DigestItem) -> str:
        """The item's title as a statement, for a manuscript."""
        return text.prose(text.told(item.title, past=self.past and item.kind != "issue"))


def _is_after(item: DigestItem, instant: datetime) -> bool:
    return item.date is not None and item.date > instant


def _removals_up(items: list[DigestItem]) -> list[DigestItem]:
    """What was taken away concerns a reader as much as what is new: it comes right after that."""
    gone = [item for item in items if section(item) == "removed"]
    kept = [item for item in items if section(item) != "removed"]
    at = next((n for n, item in enumerate(kept) if section(item) not in ("breaking", "new")), len(kept))
    return [*kept[:at], *gone, *kept[at:]]
