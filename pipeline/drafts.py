"""What a person may do to a draft: edit it, go back to an earlier version, approve, reject, reopen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from lib import clock
from models import DRAFT_MOVES, Draft, DraftState
from models.values import Post
from pipeline import versions
from platforms import NAMES, PLATFORMS

GONE = "This draft was deleted meanwhile."
STAYS = {
    DraftState.APPROVED: "This draft is approved: reopen it to change it.",
    DraftState.REJECTED: "This draft is rejected: reopen it to change it.",
    DraftState.PUBLISHED: "This draft is published: what is out cannot be changed here.",
}
GIVEN_BACK = (
    "What this draft told was given back to its job, which tells it again: with this draft it would be told"
    " twice."
)


class DraftConflictError(Exception):
    """The draft's present state does not allow it. `draft` is what stands there now, None where it is gone.
    `broken`: the sentences of what its platform will not take, where that is the reason."""

    def __init__(self, message: str, draft: Draft | None, broken: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.draft = draft
        self.broken = broken


def lock(session: Session, draft_id: str) -> Draft:
    """The draft as it is now, held until the transaction ends: of two that change it, one comes second and
    sees what the first did. Raises DraftConflictError where it is gone."""
    draft = session.get(Draft, draft_id, with_for_update=True, populate_existing=True)
    if draft is None:
        raise DraftConflictError(GONE, None)
    return draft


def edit(
    session: Session, draft_id: str, version: int, changes: Mapping[str, Any], *, is_over: bool = False
) -> Draft:
    """Store what its owner typed over `version` as the next one; commits.

    `changes` are fields of `Post`: title, subtitle, content, tags. What the platform will not take is stored
    all the same, with the sentences that say so, for nothing typed may be lost. A text that stands there
    already is no change, whatever its version: an answer may get lost, and then a browser sends again.
    `is_over`: it replaces what somebody else typed, which stays as a version of its own.

    An approved or rejected draft is not changed: to reopen it is a decision of its own, and no autosave of a
    page that was left open may take back an approval. Raises DraftConflictError for that, and where the draft
    is no longer at `version`.
    """
    draft = lock(session, draft_id)
    text = replace(versions.post_of(draft), **changes)
    if text == versions.post_of(draft):
        session.commit()
        return draft
    _ensure(draft, version)
    _add(session, draft, versions.text_columns(text), is_typed=not is_over)
    session.commit()
    return draft


def restore(session: Session, draft_id: str, version: int, number: int) -> Draft:
    """Make the text of version `number`, and what it stems from, the draft's next version; commits.

    Raises DraftConflictError where the draft is no longer at `version`, may not be changed, or has no such
    version.
    """
    draft = lock(session, draft_id)
    _ensure(draft, version)
    old = versions.one_of(session, draft, number)
    if old is None:
        raise DraftConflictError(f"This draft has no version {number} (any more).", draft)
    if number != draft.version:
        _add(session, draft, versions.copy_of(old))
    session.commit()
    return draft


def _add(session: Session, draft: Draft, values: dict[str, Any], *, is_typed: bool = False) -> None:
    versions.add(session, draft, values, versions.USER, is_typed=is_typed)
    draft.checks = list(broken(draft))


def broken(draft: Draft, post: Post | None = None) -> Sequence[str]:
    """The sentences of what the draft's platform would not take about this text, or about its own."""
    return PLATFORMS[draft.platform_type].check(post or versions.post_of(draft))


def approve(session: Session, draft_id: str, version: int | None = None) -> Draft:
    """Approve exactly this version, or the present one where None; once; commits.

    Raises DraftConflictError where the draft is at another version or decided already, and, with the
    sentences, where its platform would not take it.
    """

    def ready(draft: Draft) -> None:
        found = broken(draft)
        draft.checks = list(found)
        if found:
            name = NAMES[draft.platform_type]
            said = f"It cannot be approved yet, because {name} would not take it: {' '.join(found)}"
            raise DraftConflictError(said, draft, found)
        versions.keep(session, draft).approved_at = clock.now()

    return _move(session, draft_id, DraftState.APPROVED, version, ready)


def reject(session: Session, draft_id: str, version: int | None = None) -> Draft:
    """Reject exactly this version, or the present one where None; once; commits. Raises
    DraftConflictError."""
    return _move(session, draft_id, DraftState.REJECTED, version)


def reopen(session: Session, draft_id: str) -> Draft:
    """Let a decided draft wait for its owner again; commits. Raises DraftConflictError where it waits
    already, is published, or what it told was given back."""

    def ready(draft: Draft) -> None:
        if draft.given_back_at is not None:
            raise DraftConflictError(GIVEN_BACK, draft)

    return _move(session, draft_id, DraftState.DRAFT, None, ready)


def _move(
    session: Session,
    draft_id: str,
    target: DraftState,
    version: int | None,
    ready: Callable[[Draft], None] = lambda draft: None,
) -> Draft:
    draft = lock(session, draft_id)
    if target not in DRAFT_MOVES.get(DraftState(draft.state), ()):
        raise DraftConflictError(_why_not(draft, target), draft)
    if version is not None and version != draft.version:
        raise DraftConflictError(stale(draft, version), draft)
    ready(draft)
    draft.state = target
    draft.decided_at = None if target == DraftState.DRAFT else clock.now()
    session.commit()
    return draft


def _why_not(draft: Draft, target: DraftState) -> str:
    state = str(draft.state).lower()
    if draft.state == DraftState.DRAFT:
        return "This draft waits for its review already."
    if draft.state == target:
        return f"This draft is {state} already."
    if target == DraftState.DRAFT:
        return STAYS[DraftState(draft.state)]
    return f"This draft is {state}: reopen it to decide anew."


def _ensure(draft: Draft, version: int) -> None:
    """That it may be changed, by whoever saw `version`. Raises DraftConflictError."""
    if draft.state != DraftState.DRAFT:
        raise DraftConflictError(STAYS[DraftState(draft.state)], draft)
    if draft.version != version:
        raise DraftConflictError(stale(draft, version), draft)


def stale(draft: Draft, version: int) -> str:
    """The sentence for whoever saw another version than the present one."""
    return (
        f"This draft was changed elsewhere: it is at version {draft.version} now, not {version}. Read it"
        " again, then repeat what you wanted."
    )
