"""Digests, and true posts about them: what the ledger has to let pass, and what mutations begin from."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from lib import words
from models.values import (
    WINDOW,
    Block,
    Brief,
    Digest,
    DigestItem,
    FileChange,
    Manuscript,
    Person,
    Sentence,
    Window,
)
from writers import template_body
from writers import template_text as text

UNTIL = datetime(2025, 10, 3, 9, tzinfo=UTC)
HOME = "https://github.com/acme/relay"
ANNA, BORIS, CHLOE = (
    Person("Anna Weber", "aweber"),
    Person("Boris Ivanov", "boris"),
    Person("chloe42", "chloe42"),
)
BOT = Person("renovate[bot]", "renovate[bot]", is_bot=True)


def _pull(number: int, title: str, category, people=(), body: str = "", files=(), **more) -> DigestItem:
    changes = tuple(FileChange(path, "modified", 10, 2) for path in files)
    return DigestItem(
        f"PR{number}", "pull", title, category, people, number, f"{HOME}/pull/{number}", body, files,
        date=UNTIL - timedelta(hours=5), changes=changes, **more,
    )  # fmt: skip


def _issue(number: int, title: str) -> DigestItem:
    return DigestItem(f"I{number}", "issue", title, "fix", number=number, url=f"{HOME}/issues/{number}")


RELAY = Digest(
    repository="acme/relay",
    url=HOME,
    summary="14 commits, 5 merged PRs, 2 closed issues, 1 release",
    words="the week to 3 October 2025",
    cadence="weekly",
    window=Window(UNTIL - timedelta(days=7), UNTIL),
    people=(ANNA, BORIS, CHLOE),
    additions=640,
    deletions=210,
    files_changed=23,
    items=(
        DigestItem(
            "Rv2.4.0", "release", "Relay 2.4.0", "release", url=f"{HOME}/releases/tag/v2.4.0",
            body="Retries with back-off, and Python 3.9 is gone.\n\n## Upgrading\n\n"
            "Call `relay.configure()` before the first job.",
            date=UNTIL - timedelta(days=1),
        ),
        _pull(
            301, "Drop Python 3.9 support", "breaking", (BORIS,),
            "Python 3.9 reached its end of life. The minimum is now Python 3.10.\n\n"
            "```python\nimport relay\n\nrelay.configure(retries=3)\n```\n",
            ("pyproject.toml", "relay/compat.py"), labels=("breaking",), additions=12, deletions=140,
        ),
        _pull(
            305, "Add exponential back-off to retries", "feature", (ANNA, CHLOE),
            "A failed job now waits 5, 10 and 20 seconds before it is retried. "
            "Set `retry_delay` to change it; "
            "the default is 5 seconds.",
            ("relay/retry.py", "docs/retries.md", "tests/test_retry.py"), additions=310, deletions=22,
            closes=(_issue(288, "Retries hammer a broken server"),),
        ),
        _pull(
            309, "Fix a deadlock when the worker shuts down", "fix", (CHLOE,),
            'The log said "worker is gone" while two threads waited for each other.',
            ("relay/worker.py",), additions=41, deletions=9,
            closes=(_issue(295, "Worker hangs on SIGTERM"),),
        ),
        _pull(
            311, "Speed up the queue scan by 40%", "performance", (ANNA,),
            "The scan reads an index instead of the whole table: 120 ms became 72 ms for 10,000 jobs.",
            ("relay/queue.py",), additions=88, deletions=31,
        ),
        DigestItem(
            "C4f5a6b7", "commit", "docs: explain how to run relay under systemd", "docs", (BORIS,),
            url=f"{HOME}/commit/4f5a6b7", files=("docs/systemd.md",), date=UNTIL - timedelta(days=2),
            additions=60, deletions=0,
        ),
        DigestItem(
            "C9c8d7e6", "commit", "Rename `Queue.pull` to `Queue.take`", "other", (ANNA,),
            url=f"{HOME}/commit/9c8d7e6", files=("relay/queue.py", "relay/worker.py"),
            date=UNTIL - timedelta(days=3), additions=14, deletions=14,
        ),
        _pull(
            298, "Bump cryptography from 42.0.1 to 43.0.0", "upkeep", (BOT,), files=("uv.lock",),
            is_routine=True, additions=4, deletions=4,
        ),
    ),
)  # fmt: skip


def relay() -> Manuscript:
    """A true post about RELAY as a person would write it."""

    def say(kind, *sentences) -> Block:
        return Block(kind, tuple(Sentence(text, tuple(refs.split())) for text, refs in sentences))

    return Manuscript(
        Sentence("Relay 2.4.0: retries with exponential back-off", ("Rv2.4.0", "PR305")),
        (
            say(
                "paragraph",
                ("Relay [Rv2.4.0] was released on 2 October 2025.", "Rv2.4.0"),
                (
                    "The week to 3 October 2025 brought 14 commits, 5 merged pull requests "
                    "and 2 closed issues.",
                    WINDOW,
                ),
                ("640 lines were added and 210 removed, in 23 files.", WINDOW),
            ),
            say("heading", ("Breaking changes", "")),
            say(
                "bullet",
                ("Python 3.9 is no longer supported.", "PR301"),
                ("The minimum is now Python 3.10, says Boris Ivanov's [PR301].", "PR301"),
                ("Call `relay.configure()` before the first job.", "Rv2.4.0"),
            ),
            say("code", ("import relay\n\nrelay.configure(retries=3)", "PR301")),
            say("heading", ("New", "")),
            say(
                "bullet",
                ("Retries now use **exponential back-off**, by Anna Weber and chloe42.", "PR305"),
                ("A failed job waits 5, 10 and 20 seconds before each retry.", "PR305"),
                ("You can change this with `retry_delay`; the default is 5 seconds.", "PR305"),
                ("That closes [I288], “Retries hammer a broken server”.", "I288 PR305"),
            ),
            say("heading", ("Fixed and faster", "")),
            say(
                "bullet",
                ("The worker no longer deadlocks when it shuts down.", "PR309"),
                ("The log said “worker is gone” while two threads waited for each other.", "PR309"),
                ("Thanks to chloe42, #295 is closed, too.", "PR309 I295"),
            ),
            say(
                "bullet",
                (
                    "Scanning the queue is 40% faster: the scan reads an index instead of the whole table.",
                    "PR311",
                ),
                ("For 10,000 jobs, 120 ms became 72 ms.", "PR311"),
            ),
            say("heading", ("Also", "")),
            say("bullet", ("The documentation explains how to run relay under systemd.", "C4f5a6b7")),
            say(
                "bullet",
                ("`Queue.pull` was renamed to `Queue.take`, in `relay/queue.py` and 1 more file.",
 "C9c8d7e6"),
            ),
            say("bullet", ("One routine update: cryptography goes from 42.0.1 to 43.0.0.", "PR298")),
            say("paragraph", ("Thanks to Anna Weber, Boris Ivanov and chloe42 for their work.", WINDOW)),
        ),
        Sentence("Python 3.9 is gone, and the worker shuts down without a deadlock.", ("PR301", "PR309")),
        ("python", "opensource", "queue"),
    )  # fmt: skip


def plain(brief: Brief) -> Manuscript:
    """A true post about any digest, built by patterns."""
    return Manuscript(_title(brief.digest), tuple(_blocks(brief.digest)), tags=("opensource",))


def _title(digest: Digest) -> Sentence:
    return Sentence(f"News of {digest.repository}", (WINDOW,))


def _blocks(digest: Digest) -> Iterator[Block]:
    people = [p.name for p in digest.people if not p.is_bot]
    counts = digest.summary.replace("merged PR", "merged pull request").split(", ")
    opening = f"{text.capital(digest.words)} brought {words.listed(counts)} to {digest.repository}."
    yield Block("paragraph", (Sentence(opening, (WINDOW,)),))
    for item in digest.items:
        yield Block("bullet", tuple(_item(item)))
    if people:
        yield Block("paragraph", (Sentence(f"Thanks to {words.listed(people)}.", (WINDOW,)),))


def _item(item: DigestItem) -> Iterator[Sentence]:
    day = f" on {words.day(item.date)}" if item.date else ""
    if item.kind == "release":
        yield Sentence(f"[{item.ref}] was released{day}.", (item.ref,))
        return
    by = words.listed([p.name for p in item.people if not p.is_bot])
    title = text.told(item.title, past=item.kind != "issue").replace("[", "(").replace("]", ")")
    yield Sentence(f"{title}{f' by {by}' if by else ''}.", (item.ref,))
    for told in template_body.explained(item.body, item.title, 300):
        yield Sentence(told, (item.ref,))
    for one in item.closes:
        if one.title:
            yield Sentence(f"It closes [{one.ref}]: {text.subject(one.title)}.", (item.ref, one.ref))
    if item.files and item.more_files is not None:
        yield Sentence(_files(item), (item.ref,))


def _files(item: DigestItem) -> str:
    named = [f"`{path}`" for path in item.files[:2]]
    if rest := len(item.files) - len(named) + (item.more_files or 0):
        named.append(words.plural(rest, "more file"))
    lines = f": {item.additions:,} lines added and {item.deletions:,} removed" if item.additions else ""
    return f"In {words.listed(named)}{lines}."
