"""What must not be told: secrets in strangers' texts, security fixes before their release, and what the user
wants left out. Pure functions on values; `pipeline.heldback` keeps what is held and offers it again."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from lib.masking import mask
from lib.words import plural
from models.values import (
    Activity,
    Commit,
    Held,
    Issue,
    Key,
    Person,
    PullRequest,
    Release,
    Withheld,
    WithheldReason,
)
from pipeline.belonging import Belonging, Item, items
from pipeline.closing import Own

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# The id of a GitHub advisory (docs.github.com, "About the GitHub Advisory database", 2026-11-23) and of a CVE
# record (cve.org: a year and four digits or more), with whatever dash or underscore.
_ADVISORY = re.compile(
    r"(?<![a-z0-9])(?:ghsa(?:[-_‐‑–][0-9a-z]{4}){3}(?![0-9a-z])|cve[-_‐‑–][0-9]{4}[-_‐‑–][0-9]{4,})",
    re.IGNORECASE,
)
_SECURITY: Final = {"security", "vulnerability", "vulnerabilities"}
_NO_FIX: Final = {
    *("docs", "doc", "documentation", "policy", "process", "meta", "discussion", "question", "rfc", "review"),
    *("reviewed", "audit", "training", "tooling", "ci", "test", "tests", "not", "no", "non", "none"),
}
_LETTERS = re.compile(r"[^\W\d_]+")
# Thai, Lao, Burmese, Khmer, kana and Han do not part words by spaces: there a word has no edge to look for.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_NUMBER = re.compile(r"\(#[0-9]{1,9}\)\s*$")
_COMMIT_ID = re.compile(r"\b[0-9a-f]{7,64}\b")
SHORT_ID = 7
"""Characters of a commit's id by which a text names it."""
TELLING_TITLE = 12
"""Characters from which a title is one change's own: shorter ones (`Fix tests`) are many changes'."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user wants left out: `words` in any text, `paths` as gitignore has them."""

    words: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()

    @classmethod
    def of(cls, withhold: Mapping[str, Any] | None) -> "Wishes":
        """From `Project.withhold`."""
        chosen = withhold or {}
        return cls(tuple(chosen.get("words") or ()), tuple(chosen.get("paths") or ()))


NO_WISHES: Final = Wishes()


def sift(
    activity: Activity, words: Iterable[str], paths: Iterable[str], kept: Held | None = None
) -> Activity:
    """`activity` with nothing in its lists that must not be told.

    `words`, `paths`: the user's; what has one of them is left out (see `leave_out`). `kept`: what the job
    keeps from earlier windows; it is judged again together with the activity, because a word may be new, and
    because what came later may belong to it.

    Security fixes, new and kept, go to `held`; secrets are masked everywhere, in `held`, too. `withheld` gets
    an entry for each item concerned; of what is kept still it has none, as an earlier run said it.
    """
    known = {item.key for item in items(kept)} if kept else set()
    whole = with_items(activity, kept) if kept else activity
    fixes = security_fixes(whole, known)  # of the whole: what is left out below may be what joins the rest
    return _masked(_held(leave_out(whole, words, paths), fixes, known))


def leave_out(activity: Activity, words: Iterable[str], paths: Iterable[str]) -> Activity:
    """Without what names one of the user's words, and without the files that match one of the paths. Doing it
    again changes nothing.

    Words are looked for in titles, texts, labels, files, tags and people's names. A pull request and the
    commits that brought it are one change, which goes whole when the pull request or its merge names a word.

    A commit goes when all of its files match and all are known, and so does a pull request whose commits
    went. Commits whose files were not read cannot be judged: to leak nothing they go as well, but for merges
    and for what a pull request brought of which something was read and stays; `cuts` says how many.
    """
    spec = _spec(list(paths))
    by_path, unread = _by_path(activity, spec)
    if unread:
        activity = replace(activity, cuts=(*activity.cuts, _unread_sentence(unread)))
    out: dict[Key, WithheldReason] = dict.fromkeys(by_path, "path")
    pattern = word_pattern(words)
    out |= dict.fromkeys(_by_word(activity, pattern), "word")
    left = _noted(_taken_out(activity, out), out) if out else activity
    if pattern is not None:
        newcomers = (one for one in left.newcomers if not pattern.search(_folded("\n".join(_names(one)))))
        left = replace(left, newcomers=tuple(newcomers))
    return _without_files(left, spec) if spec else left


def with_items(activity: Activity, more: Held) -> Activity:
    """With `more` in its lists, newest first; what is in both is told as the activity has it."""
    there = {item.key for item in items(activity)}
    commits = [commit for commit in more.commits if commit.key not in there]
    pulls = [pull for pull in more.pulls if pull.key not in there]
    issues = [issue for issue in more.issues if issue.key not in there]
    return replace(
        activity,
        commits=tuple(sorted((*activity.commits, *commits), key=lambda c: c.date, reverse=True)),
        pulls=tuple(sorted((*activity.pulls, *pulls), key=lambda p: p.merged_at, reverse=True)),
        issues=tuple(sorted((*activity.issues, *issues), key=lambda i: i.closed_at, reverse=True)),
    )


def only(held: Held, keys: Collection[Key]) -> Held:
    """Those of the held items that have these keys."""
    return Held(
        tuple(commit for commit in held.commits if commit.key in keys),
        tuple(pull for pull in held.pulls if pull.key in keys),
        tuple(issue for issue in held.issues if issue.key in keys),
        held.releases,
    )


# The user's words and paths


def is_glob(pattern: str) -> bool:
    """Whether this line of a .gitignore would say anything: it is not empty, no comment and no nonsense."""
    try:
        spec = _spec([pattern])
        return spec is not None and any(one.include is not None for one in spec.patterns)
    except ValueError:
        return False


def word_pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """Finds these words in text made alike by `_folded`: whole, in upper or lower case, their spaces of any
    kind. `_` parts words, as it does in names of files. None without words."""
    forms = [form for word in words if (form := _form(_folded(word).split()))]
    return re.compile("|".join(forms)) if forms else None


def _form(parts: list[str]) -> str:
    if not parts:
        return ""
    first, last = parts[0][0], parts[-1][-1]
    before = r"(?<![^\W_])" if first.isalnum() and not _UNSPACED.match(first) else ""
    after = r"(?![^\W_])" if last.isalnum() and not _UNSPACED.match(last) else ""
    return before + r"\s+".join(map(re.escape, parts)) + after


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _by_word(activity: Activity, pattern: re.Pattern[str] | None) -> set[Key]:
    if pattern is None:
        return set()
    named = {item.key for item in items(activity) if pattern.search(_folded("\n".join(_texts(item))))}
    if not named:
        return named
    belonging = Belonging(activity)
    for pull in activity.pulls:
        merge = belonging.merge_of(pull)
        if pull.key in named or (merge is not None and merge.key in named):
            named |= {pull.key, *(one.key for one in belonging.commits_of(pull))}
    return named


def _spec(lines: Sequence[str]) -> "GitIgnoreSpec | None":
    """None without lines: most have none, and then its library takes no memory."""
    if not lines:
        return None
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(lines)


def _by_path(activity: Activity, spec: "GitIgnoreSpec | None") -> tuple[set[Key], int]:
    """What goes, and how many commits among it were not read."""
    if not spec:
        return set(), 0
    matching = {
        commit.key
        for commit in activity.commits
        if commit.files and not commit.more_files and all(spec.match_file(one.path) for one in commit.files)
    }
    unread = [commit for commit in activity.commits if not (commit.files or commit.more_files)]
    gone = set(matching)
    if not matching and not unread:
        return gone, 0
    belonging = Belonging(activity)
    unknown = {commit.key for commit in unread}
    for pull in activity.pulls:
        keys = {commit.key for commit in belonging.commits_of(pull)}
        if keys and keys <= matching | unknown:
            gone |= {pull.key, *keys}
    for commit in unread:
        pull_of = belonging.pull_of(commit)
        if len(commit.parents) < 2 and (pull_of is None or pull_of.key in gone):
            gone.add(commit.key)
    return gone, len(gone & unknown)


def _unread_sentence(count: int) -> str:
    them, they = ("it", "it is") if count == 1 else ("them", "they are")
    return (
        f"The files of {plural(count, 'commit')} were not read, so your paths could not be applied to {them} "
        f"and {they} left out: raise SCAN_DETAILS."
    )


def _without_files(activity: Activity, spec: "GitIgnoreSpec") -> Activity:
    thinned = (
        replace(commit, files=tuple(file for file in commit.files if not spec.match_file(file.path)))
        for commit in activity.commits
    )
    return replace(activity, commits=tuple(thinned))


def _taken_out(activity: Activity, keys: Collection[Key]) -> Activity:
    return replace(
        activity,
        commits=tuple(commit for commit in activity.commits if commit.key not in keys),
        pulls=tuple(pull for pull in activity.pulls if pull.key not in keys),
        issues=tuple(issue for issue in activity.issues if issue.key not in keys),
        releases=tuple(release for release in activity.releases if release.key not in keys),
    )


def _noted(activity: Activity, why: Mapping[Key, WithheldReason]) -> Activity:
    noted = (Withheld(kind, name, reason) for (kind, name), reason in sorted(why.items()))
    return replace(activity, withheld=(*activity.withheld, *noted))


# Security fixes


def names_advisory(text: str) -> bool:
    """Whether it has the id of a GitHub advisory or of a CVE record."""
    return _ADVISORY.search(text) is not None


def is_security_label(label: str) -> bool:
    """`security`, `type: security`, `security-fix`, `Vulnerability` …, and not `security docs`.

    Any word beside `security` may narrow it down (high, core, bug) but for those that mark talk about
    security, its process or its absence: to hold something for a release too much costs a delay, to tell a
    fix too early may cost somebody their machine.
    """
    words = {word.casefold() for word in _LETTERS.findall(label)}
    return bool(words & _SECURITY) and not words & _NO_FIX


def security_fixes(activity: Activity, known: Collection[Key] = ()) -> set[Key]:
    """What names an advisory, has a security label or is `known` as a fix, and all that would tell of it."""
    first = {item.key for item in items(activity) if item.key in known or _is_security(item)}
    return _with_belongings(activity, first) if first else first


def _held(activity: Activity, fixes: Collection[Key], known: Collection[Key]) -> Activity:
    held = only(Held(activity.commits, activity.pulls, activity.issues), fixes)
    new = {item.key for item in items(held)}.difference(known)
    return replace(_noted(_taken_out(activity, fixes), dict.fromkeys(new, "security")), held=held)


def _is_security(item: Item) -> bool:
    """A release that names an advisory is out already: it is what the others wait for."""
    if isinstance(item, Release):
        return False
    labels = () if isinstance(item, Commit) else item.labels
    return any(map(is_security_label, labels)) or any(map(names_advisory, _texts(item)))


def _with_belongings(activity: Activity, first: set[Key]) -> set[Key]:
    """These and all that would tell of them: first up to the pull requests that brought them and to what
    closed them, then down to those pull requests' commits, and to what repeats them. In the end whatever
    names one of all these by its number or id is among them, too, and the issues that they closed."""
    belonging = Belonging(activity)
    marked = set(first)
    closers = {c.key for i in activity.issues if i.key in first for c in belonging.closers_of(i)}
    marked |= closers
    brought = (belonging.pull_of(commit) for commit in activity.commits if commit.key in marked)
    marked |= {pull.key for pull in brought if pull is not None}
    pulls = [pull for pull in activity.pulls if pull.key in marked]
    marked |= {commit.key for pull in pulls for commit in belonging.commits_of(pull)}
    marked |= _alike(activity, [*pulls, *(c for c in activity.commits if c.key in first | closers)])
    return _with_what_names(activity, belonging, marked)


def _with_what_names(activity: Activity, belonging: Belonging, marked: set[Key]) -> set[Key]:
    own = Own(activity.repository, activity.url)
    found = {item.key: item for item in items(activity) if not isinstance(item, Release)}
    naming: dict[str, list[Key]] = {}
    for item in found.values():
        for name in _named(own, item):
            naming.setdefault(name, []).append(item.key)
    seen, waiting = set(marked), list(marked)
    while waiting:  # each of them once: a window may be one long chain of names
        item = found[waiting.pop()]
        more = {key for name in _called(own, item) for key in naming.get(name, ())}
        if not isinstance(item, Issue):
            more |= {issue.key for issue in belonging.closed_by(item)}
            pull = item if isinstance(item, PullRequest) else belonging.pull_of(item)
            if pull is not None:
                more |= {pull.key, *(commit.key for commit in belonging.commits_of(pull))}
        waiting += more - seen
        seen |= more
    return seen


def _called(own: Own, item: Commit | PullRequest | Issue) -> set[str]:
    """As others name it, or what it closed: that issue, or the pull request of a squash, may be elsewhere."""
    name = item.sha[:SHORT_ID] if isinstance(item, Commit) else f"#{item.number}"
    closed = set() if isinstance(item, Issue) else own.closed_by(item)
    return {name, *(f"#{number}" for number in closed)}


def _named(own: Own, item: Commit | PullRequest | Issue) -> set[str]:
    """Numbers with a `#`, and the beginnings of commits' ids."""
    match item:
        case Commit():
            text = item.message
        case PullRequest():
            text = f"{item.title}\n{item.body}"
        case Issue():
            text = item.title
    ids = {found[:SHORT_ID] for found in _COMMIT_ID.findall(text)}
    return ids | {f"#{number}" for number in own.named(text)}


def _alike(activity: Activity, fixes: Iterable[Commit | PullRequest]) -> set[Key]:
    """What repeats a fix under its title: a backport, a revert, a rebased commit."""
    titles = {_folded(_NUMBER.sub("", fix.title)).strip() for fix in fixes}
    telling = [title for title in titles if len(title) >= TELLING_TITLE]
    changes: list[Commit | PullRequest] = [*activity.commits, *activity.pulls]
    return {change.key for change in changes if any(one in _folded(change.title) for one in telling)}


# Secrets


def _masked(activity: Activity) -> Activity:
    """With secrets masked in every text of its lists and of `held`; a release whose tag has one goes whole,
    as nothing of it can be told without the tag."""
    gone = {release.key for release in activity.releases if mask(release.tag) != release.tag}
    activity = _taken_out(activity, gone)
    clean = replace(
        activity,
        commits=tuple(map(_clean_commit, activity.commits)),
        pulls=tuple(map(_clean_pull, activity.pulls)),
        issues=tuple(map(_clean_issue, activity.issues)),
        releases=tuple(map(_clean_release, activity.releases)),
        held=Held(
            tuple(map(_clean_commit, activity.held.commits)),
            tuple(map(_clean_pull, activity.held.pulls)),
            tuple(map(_clean_issue, activity.held.issues)),
            activity.held.releases,
        ),
        newcomers=tuple(map(_clean_person, activity.newcomers)),
    )
    changed = {old.key for old, new in zip(items(activity), items(clean), strict=True) if old != new}
    return _noted(clean, dict.fromkeys(gone | changed, "secret"))


def _clean_commit(commit: Commit) -> Commit:
    return replace(
        commit,
        message=mask(commit.message),
        author=_clean_person(commit.author),
        co_authors=tuple(map(_clean_person, commit.co_authors)),
        files=tuple(replace(file, path=mask(file.path)) for file in commit.files),
        url=_clean_url(commit.url),
    )


def _clean_pull(pull: PullRequest) -> PullRequest:
    return replace(
        pull,
        title=mask(pull.title),
        body=mask(pull.body),
        author=_clean_person(pull.author) if pull.author else None,
        labels=tuple(map(mask, pull.labels)),
        url=_clean_url(pull.url),
    )


def _clean_issue(issue: Issue) -> Issue:
    return replace(
        issue,
        title=mask(issue.title),
        author=_clean_person(issue.author) if issue.author else None,
        labels=tuple(map(mask, issue.labels)),
        url=_clean_url(issue.url),
    )


def _clean_release(release: Release) -> Release:
    return replace(release, name=mask(release.name), body=mask(release.body), url=_clean_url(release.url))


def _clean_person(person: Person) -> Person:
    login = person.login if person.login and mask(person.login) == person.login else None
    return replace(person, name=mask(person.name), login=login, url=_clean_url(person.url))


def _clean_url(url: str | None) -> str | None:
    """The host is the repository's own, private or not: only what else an address may carry is a secret."""
    if url is None:
        return None
    parts = urlsplit(url)
    rest = f"{parts.path}?{parts.query}#{parts.fragment}"
    return None if "@" in parts.netloc or mask(rest) != rest else url


def _texts(item: Item) -> Iterator[str]:
    """Everything that people wrote and a writer or a reader could see."""
    match item:
        case Commit():
            yield item.message
            yield from (file.path for file in item.files)
            yield from _names(item.author, *item.co_authors)
        case PullRequest():
            yield from (item.title, item.body, *item.labels, *_names(item.author))
        case Issue():
            yield from (item.title, *item.labels, *_names(item.author))
        case Release():
            yield from (item.tag, item.name, item.body)


def _names(*people: Person | None) -> Iterator[str]:
    for person in people:
        if person is not None:
            yield from (person.name, person.login or "")
