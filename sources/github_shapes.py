"""GitHub's JSON read into our values. An odd shape raises KeyError, TypeError, ValueError or AttributeError.

Shapes from GitHub's OpenAPI description (API version 2022-11-28), read 2026-11-23.
"""

import re
from dataclasses import dataclass
from typing import Any

from lib import clock
from models.values import Commit, FileChange, Issue, Person, PullRequest, Release

# Characters; longer ones are cut.
TITLE_MAX = 500
LABELS_MAX = 50
CO_AUTHORS_MAX = 50

# What `author_association` calls those of whom nothing was merged before: never on GitHub at all, or not in
# this repository (author_association in GitHub's OpenAPI description, read 2026-11-23). Once merged, a pull
# request may already say CONTRIBUTOR, so that some first ones go unnoticed; none is made up.
FIRST = frozenset({"FIRST_TIMER", "FIRST_TIME_CONTRIBUTOR"})

_CO_AUTHOR = re.compile(
    r"^co-authored-by:[ \t]*([^<>\n]*?)[ \t]*<([^<>\s]*)>[ \t]*$", re.IGNORECASE | re.MULTILINE
)
# GitHub's private addresses name the login: ID+login@users.noreply.github.com, older ones without the ID.
_NOREPLY = re.compile(r"(?:\d+\+)?([A-Za-z0-9-]+(?:\[bot\])?)@users\.noreply\.github\.com", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Repository:
    """What describes a repository. `id` stays when it is renamed."""

    id: int
    full_name: str
    default_branch: str
    url: str | None
    has_issues: bool


def repository(item: Any) -> Repository:
    """The answer to `GET /repos/{owner}/{repo}`."""
    has_issues = bool(item.get("has_issues", True))
    return Repository(int(item["id"]), item["full_name"], item["default_branch"], _link(item), has_issues)


class Reader:
    """Reads items, their texts up to `text` characters; `texts_cut` counts what was longer."""

    def __init__(self, text: int) -> None:
        self._text = text
        self.texts_cut = 0

    def commit(self, item: Any) -> Commit:
        """An item of the commit list, dated by its committer: that is what the list's `since` compares."""
        about = item["commit"]
        author = about.get("author") or {}
        person = _person(item.get("author"), author.get("name") or "") or Person("Unknown")
        message = self._cut(about["message"])
        return Commit(
            sha=item["sha"],
            message=message,
            author=person,
            date=clock.parse_iso((about.get("committer") or author)["date"]),
            url=_link(item),
            parents=tuple(parent["sha"] for parent in item.get("parents") or ()),
            co_authors=_co_authors(message, person, _link(item)),
            by_forge=(item.get("committer") or {}).get("login") == "web-flow",
        )

    def pull(self, item: Any) -> PullRequest | None:
        """An item of the pull request list; None when it was closed without a merge."""
        if not item["merged_at"]:
            return None
        return PullRequest(
            number=int(item["number"]),
            title=item["title"][:TITLE_MAX],
            merged_at=clock.parse_iso(item["merged_at"]),
            author=_person(item.get("user")),
            body=self._cut(item.get("body")),
            labels=_labels(item),
            url=_link(item),
            merge_sha=item.get("merge_commit_sha"),
            closed_at=clock.parse_iso(item["closed_at"]) if item.get("closed_at") else None,
            first_time=item.get("author_association") in FIRST,
        )

    def issue(self, item: Any) -> Issue | None:
        """An item of the issue list; None for the pull requests in it and for what is open."""
        if "pull_request" in item or not item["closed_at"]:
            return None
        return Issue(
            number=int(item["number"]),
            title=item["title"][:TITLE_MAX],
            closed_at=clock.parse_iso(item["closed_at"]),
            author=_person(item.get("user")),
            labels=_labels(item),
            url=_link(item),
            reason=item.get("state_reason"),
        )

    def release(self, item: Any) -> Release | None:
        """An item of the release list; None for a draft."""
        if item.get("draft") or not item["published_at"]:
            return None
        return Release(
            tag=item["tag_name"],
            name=(item.get("name") or item["tag_name"])[:TITLE_MAX],
            published_at=clock.parse_iso(item["published_at"]),
            body=self._cut(item.get("body")),
            url=_link(item),
            is_prerelease=bool(item.get("prerelease")),
        )

    def _cut(self, text: Any) -> str:
        whole = str(text or "")
        self.texts_cut += len(whole) > self._text
        return whole[: self._text]


Identity = tuple[str, str, str]


def identity(item: Any) -> Identity:
    """What a commit keeps when it is rebased: its author, when they wrote it, and its title."""
    author = item["commit"].get("author") or {}
    title = str(item["commit"]["message"]).strip().partition("\n")[0]
    return author.get("name") or "", author.get("date") or "", title


def file_change(item: Any) -> FileChange:
    """An entry of a commit's files."""
    status = item.get("status") or "modified"
    return FileChange(item["filename"], status, item.get("additions"), item.get("deletions"))


def _person(user: Any, name: str = "") -> Person | None:
    """`user` may be null or {}: the address of the commit, or the account, is unknown to GitHub."""
    account = user or {}
    login: str | None = account.get("login")
    shown = name or login
    if not shown:
        return None
    is_bot = account.get("type") == "Bot" or (login or shown).endswith("[bot]")
    return Person(shown, login, _link(account), is_bot)


def _co_authors(message: str, author: Person, commit_url: str | None) -> tuple[Person, ...]:
    """From the `Co-authored-by` trailers, each once and without the author. Addresses are not kept."""
    people: dict[str, Person] = {}
    taken = {author.name.casefold(), (author.login or "").casefold()}
    for name, address in _CO_AUTHOR.findall(message):
        found = _NOREPLY.fullmatch(address)
        login = found[1] if found else None
        shown = name or login
        if shown and not taken & {shown.casefold(), (login or shown).casefold()}:
            person = Person(shown, login, _account(login, commit_url), (login or shown).endswith("[bot]"))
            people.setdefault((login or shown).casefold(), person)
    return tuple(people.values())[:CO_AUTHORS_MAX]


def _account(login: str | None, commit_url: str | None) -> str | None:
    if not login or not commit_url or login.endswith("[bot]"):
        return None
    return "/".join(commit_url.split("/")[:3]) + f"/{login}"


def _labels(item: Any) -> tuple[str, ...]:
    # The issue list's schema lets a label be its bare name.
    labels = item.get("labels") or ()
    return tuple(n for label in labels if (n := label if isinstance(label, str) else label["name"]))[
        :LABELS_MAX
    ]


def _link(item: Any) -> str | None:
    """The page for people. Nothing but http and https, because posts carry it."""
    url = item.get("html_url")
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) else None
