"""Whose first commits in a local repository a window has."""

from collections.abc import Iterator

from models.values import Person
from sources.git_cli import LIST_MAX, Failed, Git, Late, TooMuch, readable
from sources.git_log import person

Author = tuple[str, str]
"""Name and e-mail address, as git prints them."""


def newcomers(git: Git, base: str, head: str) -> tuple[Person, ...]:
    """The authors of what `head` reaches and `base` does not, of whom `base` reaches no commit.

    Somebody is known by the name as well as by the address, in any case, as the branch's own mailmap has
    them: to greet an old hand as a newcomer is worse than to miss one. Nobody is new where the history before
    `base` is not at hand: in a shallow clone, after a force push whose old commits are gone, and where it is
    too long to be counted in time.
    """
    try:
        if git.text("rev-parse", "--is-shallow-repository") == "true":
            return ()
        known = {part for author in _authors(git, head, base) for part in _parts(author)}
        come = list(_authors(git, head, head, f"^{base}"))
    except (Failed, Late, TooMuch):
        return ()
    return tuple(person(*author) for author in come if not known.intersection(_parts(author)))


def _authors(git: Git, head: str, *revisions: str) -> Iterator[Author]:
    """Each once, who wrote most first."""
    as_log = ("-c", f"mailmap.blob={head}:.mailmap", "-c", "i18n.logOutputEncoding=UTF-8")
    output = git.raw(*as_log, "shortlog", "-s", "-n", "-e", *revisions, "--", most=LIST_MAX)
    for line in readable(output).splitlines():
        name, _, mail = line.partition("\t")[2].rpartition(" <")
        yield name, mail.removesuffix(">")


def _parts(author: Author) -> set[str]:
    return {part for text in author if (part := text.strip().casefold())}
