"""Who did something: one person under one name, bots left out."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from models.values import Activity, Person

# Accounts of machines that do not carry `[bot]`; each is documented by its owner (seen 2026-11-23).
_BOTS = frozenset({"dependabot", "renovate", "renovate-bot", "github-actions", "pre-commit-ci", "web-flow"})


class People:
    """Everybody in an activity.

    The same person may come with a login from one place and with a name alone from another: the login
    joins them, and so does the name, where only one login goes with it. `bots`: logins and names that are
    no people, in any case, besides those that everybody knows.
    """

    def __init__(self, activity: Activity, bots: Collection[str] = ()) -> None:
        self._bots = _BOTS | {_fold(name).removeprefix("@") for name in bots}
        self._named = [one for one in _named(activity) if not self.is_bot(one) and one.name.strip()]
        logins: dict[str, set[str]] = {}
        for person in self._named:
            if person.login:
                logins.setdefault(_fold(person.name), set()).add(_fold(person.login))
        self._logins = {name: found.pop() for name, found in logins.items() if len(found) == 1}
        self._best: dict[str, Person] = {}
        for person in self._named:
            known = self._best.get(self._key(person))
            if known is None or _worth(person) > _worth(known):
                self._best[self._key(person)] = person

    def is_bot(self, person: Person) -> bool:
        """As the source saw it, or by name."""
        names = (_fold(person.name), _fold(person.login))
        return person.is_bot or any(name.endswith("[bot]") or name in self._bots for name in names)

    def credits(self) -> list[Person]:
        """Each once, who did most first."""
        counts = Counter(self._key(person) for person in self._named)
        return [self._best[key] for key, _ in counts.most_common()]

    def once(self, named: Iterable[Person]) -> list[Person]:
        """Each of them once, in that order, under their best name."""
        keys = dict.fromkeys(self._key(person) for person in named if not self.is_bot(person))
        return [self._best[key] for key in keys if key in self._best]

    def _key(self, person: Person) -> str:
        return (
            _fold(person.login) if person.login else self._logins.get(_fold(person.name), _fold(person.name))
        )


def _named(activity: Activity) -> Iterator[Person]:
    for commit in activity.commits:
        if len(commit.parents) < 2:  # who merges is not its author
            yield from (commit.author, *commit.co_authors)
    yield from (pull.author for pull in activity.pulls if pull.author)


def _fold(name: str | None) -> str:
    return (name or "").strip().casefold()


def _worth(person: Person) -> int:
    """A written name before an account's, with an address before without."""
    return 2 * (_fold(person.name) != _fold(person.login)) + bool(person.url)
