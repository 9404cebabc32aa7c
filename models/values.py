"""The nouns that flow between floors: frozen, typed, without rows and without behaviour beyond reading
themselves."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import TypeAdapter


class Status(StrEnum):
    """Of an execution. The legal moves between them stand in `models.execution`."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    RETRYING = "RETRYING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMEOUT = "TIMEOUT"
    SKIPPED = "SKIPPED"


class Outcome(StrEnum):
    """What COMPLETED means; otherwise the outcome repeats the status."""

    SUCCESS = "SUCCESS"
    PARTIAL = "PARTIAL"
    NO_ACTIVITY = "NO_ACTIVITY"
    NOT_SIGNIFICANT = "NOT_SIGNIFICANT"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMEOUT = "TIMEOUT"
    SKIPPED = "SKIPPED"


PlatformType = Literal["HASHNODE", "DEVTO", "LINKEDIN"]
ItemKind = Literal["commit", "pull", "issue", "release"]
Key = tuple[ItemKind, str]
"""What identifies one thing that was read."""


@dataclass(frozen=True, slots=True)
class Window:
    """(since, until] in UTC, and the branch's head commit at its two ends where the source knows them."""

    since: datetime
    until: datetime
    base: str | None = None
    head: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who did something. `login` is their account where it is known; `is_bot` as the source saw
    it."""

    name: str
    login: str | None = None
    url: str | None = None
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class FileChange:
    """One changed file. Line counts are None where the source does not count (binary files)."""

    path: str
    status: str = "modified"
    additions: int | None = None
    deletions: int | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """`date` is the committer's date; `more_files` counts changed files beyond those listed. `by_forge`: the
    forge itself made it, as GitHub does when it merges or squashes in the browser."""

    sha: str
    message: str
    author: Person
    date: datetime
    url: str | None = None
    parents: tuple[str, ...] = ()
    files: tuple[FileChange, ...] = ()
    more_files: int = 0
    co_authors: tuple[Person, ...] = ()
    by_forge: bool = False

    @property
    def key(self) -> Key:
        return "commit", self.sha

    @property
    def title(self) -> str:
        return self.message.strip().partition("\n")[0].strip()

    @property
    def body(self) -> str:
        return self.message.strip().partition("\n")[2].strip()


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A merged pull request. `merge_sha` is its merge or squash commit where the source tells, `commits` are
    the ids on the branch that the source knows to be its own (a rebase makes several). `first_time`: its
    author's first here, as far as the source tells."""

    number: int
    title: str
    merged_at: datetime
    author: Person | None = None
    body: str = ""
    labels: tuple[str, ...] = ()
    url: str | None = None
    merge_sha: str | None = None
    closed_at: datetime | None = None
    commits: tuple[str, ...] = ()
    first_time: bool = False

    @property
    def key(self) -> Key:
        return "pull", str(self.number)


@dataclass(frozen=True, slots=True)
class Issue:
    """A closed issue. `reason` is GitHub's state_reason: completed, not_planned, duplicate or None."""

    number: int
    title: str
    closed_at: datetime
    author: Person | None = None
    labels: tuple[str, ...] = ()
    url: str | None = None
    reason: str | None = None

    @property
    def key(self) -> Key:
        return "issue", f"{self.number}@{self.closed_at:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class Release:
    """A published release, or a tag of a local repository."""

    tag: str
    name: str
    published_at: datetime
    body: str = ""
    url: str | None = None
    is_prerelease: bool = False

    @property
    def key(self) -> Key:
        return "release", self.tag


@dataclass(frozen=True, slots=True)
class Budget:
    """What GitHub's primary rate limit leaves a token: requests until `reset`."""

    limit: int
    remaining: int
    reset: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """What a scan learned about the repository itself. `id` stays when it is renamed, `etag` is of the answer
    that describes it, `token_expires` None for tokens that do not."""

    id: int
    full_name: str
    etag: str | None = None
    budget: Budget | None = None
    token_expires: datetime | None = None


WithheldReason = Literal["secret", "security", "word", "path"]


@dataclass(frozen=True, slots=True)
class Withheld:
    """One item that was left out, or masked (`secret`), before anybody saw it: which and why, never what."""

    kind: ItemKind
    key: str
    reason: WithheldReason


@dataclass(frozen=True, slots=True)
class Held:
    """Security fixes that are kept until a release carries them, and the releases of which nobody knows yet
    whether they do, because the source did not answer."""

    commits: tuple[Commit, ...] = ()
    pulls: tuple[PullRequest, ...] = ()
    issues: tuple[Issue, ...] = ()
    releases: tuple[Release, ...] = ()


@dataclass(frozen=True, slots=True)
class Activity:
    """What a source returned for one window: newest first in each list. `repository` is how a reader knows it
    (`owner/name`, or a folder's name); `url` its home page, None for a local repository without one.

    `cuts` are sentences about what caps left out. `unchanged`: one question proved that nothing happened
    since the last scan, and nothing else was read. `withheld` and `held` are set by the pipeline. `passed`
    are the keys of what count as told though no post told them: what stood there before a job's first window.
    `newcomers` are authors of its commits of whom the repository had nothing before the window.
    """

    repository: str
    window: Window
    url: str | None = None
    commits: tuple[Commit, ...] = ()
    pulls: tuple[PullRequest, ...] = ()
    issues: tuple[Issue, ...] = ()
    releases: tuple[Release, ...] = ()
    requests: int = 0
    cuts: tuple[str, ...] = ()
    unchanged: bool = False
    seen: Seen | None = None
    withheld: tuple[Withheld, ...] = ()
    held: Held = Held()
    passed: tuple[Key, ...] = ()
    newcomers: tuple[Person, ...] = ()

    @property
    def has_activity(self) -> bool:
        return bool(self.commits or self.pulls or self.issues or self.releases)

    @property
    def summary(self) -> str:
        """`3 commits, 1 merged PR, 1 closed issue`; zeros left out; `No activity` for nothing."""
        counts = (
            (len(self.commits), "commit"),
            (len(self.pulls), "merged PR"),
            (len(self.issues), "closed issue"),
            (len(self.releases), "release"),
        )
        return ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for n, word in counts if n) or "No activity"

    def keys(self) -> list[Key]:
        """What identifies each item to the list of things a job has told already."""
        return [
            *(commit.key for commit in self.commits),
            *(pull.key for pull in self.pulls),
            *(issue.key for issue in self.issues),
            *(release.key for release in self.releases),
            *self.passed,
        ]


LeftOutReason = Literal["merge", "reverted", "told", "unplanned", "unnamed"]
"""Why something that was read is no item of the digest: a merge that says nothing of its own, undone inside
the window (and what undid it), told by an earlier run as part of something else, an issue closed as not
planned or as a duplicate, an issue of which nothing but the number is known."""
Category = Literal["release", "breaking", "feature", "fix", "performance", "docs", "upkeep", "other"]


@dataclass(frozen=True, slots=True)
class DigestItem:
    """One thing that happened, told once: a pull request stands for its commits.

    `key` is its own, `ref` names it inside a brief (`PR42`, `C1a2b3c4`, `I15`, `Rv1.0`). `folded` are the
    keys of what it stands for besides itself, `closes` the issues that it closed; a title of theirs that
    nobody knows is empty. `files` begin with the most changed one, `changes` are the same with their lines;
    both may be cut, and `more_files` counts the rest, None where that is not known. `additions` and
    `deletions` are None where not all of them are known. `is_routine`: nobody needs to read of it; `is_bump`:
    it is routine that does nothing but take newer dependencies, so that many of them make one line.
    """

    ref: str
    kind: ItemKind
    title: str
    category: Category
    people: tuple[Person, ...] = ()
    number: int | None = None
    url: str | None = None
    body: str = ""
    files: tuple[str, ...] = ()
    more_files: int | None = 0
    labels: tuple[str, ...] = ()
    date: datetime | None = None
    is_routine: bool = False
    closes: tuple["DigestItem", ...] = ()
    folded: tuple[Key, ...] = ()
    changes: tuple[FileChange, ...] = ()
    additions: int | None = None
    deletions: int | None = None
    key: Key | None = None
    is_bump: bool = False


@dataclass(frozen=True, slots=True)
class Digest:
    """The activity as a writer is shown it: ranked, grouped by category, noise marked as routine. `words`
    is the window in words (`the last 24 hours`, `the week to 3 October 2025`), `cadence` its adjective
    (`daily`). `summary` counts what was read. Lines and files are those of all changes, None where some
    changes were read without their files. Whatever was read is an item, folded into one, or `left_out`.
    `newcomers` are the names of those among `people` who contribute for the first time, where known."""

    repository: str
    url: str | None
    summary: str
    words: str
    cadence: str
    window: Window
    items: tuple[DigestItem, ...] = ()
    people: tuple[Person, ...] = ()
    additions: int | None = 0
    deletions: int | None = 0
    files_changed: int | None = 0
    left_out: tuple[tuple[Key, LeftOutReason], ...] = ()
    newcomers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlatformRules:
    """A platform's limits and dialect. Lengths are characters, `content_max` UTF-16 units where `utf16` is
    set; 0 means that there is no such thing on this platform.

    `title_good` is the length to which a list of titles shows them whole, and `fold` how much of a post's
    first line stands above what has to be opened: both are wishes, no limits.
    """

    type: PlatformType
    name: str
    title_max: int
    content_max: int
    tags_max: int
    tag_max: int
    markdown: bool = True
    utf16: bool = False
    shape: str = ""
    subtitle_max: int = 0
    title_good: int = 0
    fold: int = 0


@dataclass(frozen=True, slots=True)
class Voice:
    """How a project wants to sound. `examples` are posts of its owner's own, `banned` words and phrases that
    no post may have, besides those that no post has anyhow."""

    audience: str = ""
    tone: str = ""
    language: str = ""
    instructions: str = ""
    examples: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Brief:
    """All that a writer gets for one post.

    `earlier_titles` are those of the job's posts for this platform, newest first, which the new one does not
    repeat. `instruction` is what its owner asks of a post that is written anew, and `previous` the text that
    it replaces. `disclosure` ends the post, word for word; empty for none.
    """

    digest: Digest
    rules: PlatformRules
    project: str
    voice: Voice = field(default_factory=Voice)
    earlier_titles: tuple[str, ...] = ()
    instruction: str = ""
    previous: str = ""
    disclosure: str = ""


WINDOW = "WINDOW"
"""The reference to the digest itself: its period, counts, people and repository."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One statement, and the refs of the digest's items that bear it out (or `WINDOW`).

    `text` is prose in which `code` in backticks and **strong** words may stand, and a ref in square brackets
    where the link to its item shall be; nothing else in it is markup.
    """

    text: str
    refs: tuple[str, ...] = ()


BlockKind = Literal["heading", "paragraph", "bullet", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph, one bullet of a list, or lines of code: the last as one sentence, word for
    word."""

    kind: BlockKind
    sentences: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class Manuscript:
    """A post before it is rendered for its platform: nothing in it but sentences with their sources."""

    title: Sentence
    blocks: tuple[Block, ...]
    subtitle: Sentence | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """What a post cost. Tokens are None where the server did not count; `prompt` is the version of the
    prompts, `calls` how often the model was asked and `seconds` how long it took."""

    model: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt: str = ""
    calls: int = 1
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of a post as its reader sees it, and the refs that it rests on."""

    text: str
    refs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClaimSource:
    """What a ref stands for, as a reviewer is shown it."""

    ref: str
    kind: ItemKind
    title: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """What a writer returned for one platform. LinkedIn's has an empty title; `tags` are without `#`.

    `claims` are the sentences in their order, `sources` what their refs stand for, and `remarks` sentences
    about what the ledger of claims left out or added. `spent` is what it cost to ask a model in vain before
    another writer wrote the post, which is when it `fell_back`.
    """

    title: str
    content: str
    tags: tuple[str, ...] = ()
    usage: Usage | None = None
    subtitle: str = ""
    claims: tuple[Claim, ...] = ()
    sources: tuple[ClaimSource, ...] = ()
    remarks: tuple[str, ...] = ()
    spent: Usage | None = None
    fell_back: bool = False


ACTIVITY = TypeAdapter(Activity)
POST = TypeAdapter(Post)
