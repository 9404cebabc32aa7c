"""What a person does to a draft: nothing typed is lost, nothing is decided twice or by the wrong version."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from models import Draft, DraftVersion
from models.values import Post
from pipeline import drafts, versions
from pipeline.drafts import DraftConflictError
from tests.pipeline.posted import again, kept, posted

FIRST = "What happened, for DEVTO."


@pytest.fixture
def draft(session, clock, adapters) -> Draft:
    return posted(session, adapters)


def test_an_edit_is_the_next_version_and_the_first_one_stays(session, clock, draft):
    clock.advance(60)
    drafts.edit(session, draft.id, 1, {"content": "Mine.", "subtitle": "More", "tags": ("go",)})
    draft = again(session, draft)
    assert (draft.version, draft.content, draft.subtitle, draft.tags) == (2, "Mine.", "More", ["go"])
    assert (draft.title, draft.updated_at) == ("Update for DEVTO", clock.now())
    assert kept(session, draft) == [(1, "MODEL", FIRST), (2, "USER", "Mine.")]
    first = session.get_one(DraftVersion, (draft.id, 1))
    assert (first.created_at, first.usage) == (draft.created_at, draft.usage)


def test_whoever_saw_another_version_changes_nothing(session, draft):
    drafts.edit(session, draft.id, 1, {"content": "First."})
    with pytest.raises(DraftConflictError, match="at version 2 now, not 1") as refused:
        drafts.edit(session, draft.id, 1, {"content": "Second."})
    assert refused.value.draft.content == "First."
    session.rollback()
    assert again(session, draft).content == "First."


def test_what_stands_there_already_is_no_change(session, draft):
    drafts.edit(session, draft.id, 1, {"content": "Mine."})
    assert drafts.edit(session, draft.id, 1, {"content": "Mine."}).version == 2  # the answer was lost
    assert len(kept(session, draft)) == 2


def test_two_edits_at_once_and_one_wins(sessions, session, draft):
    barrier = threading.Barrier(2)

    def save(text: str) -> str:
        with sessions() as own:
            barrier.wait()
            try:
                return drafts.edit(own, draft.id, 1, {"content": text}).content
            except DraftConflictError:
                return ""

    with ThreadPoolExecutor(2) as pool:
        saved = list(pool.map(save, ["One.", "Two."]))
    assert sorted(map(bool, saved)) == [False, True]
    assert again(session, draft).content in saved
    assert again(session, draft).version == 2


def test_typing_leaves_a_version_each_five_minutes(session, clock, draft):
    began = clock.now()
    for number in range(1, 41):  # every 15 seconds, for ten minutes
        drafts.edit(session, draft.id, number, {"content": f"Text {number}"})
        clock.advance(15)
    assert [(number, text) for number, _, text in kept(session, draft)] == [
        (1, FIRST),
        (21, "Text 20"),
        (41, "Text 40"),
    ]
    second = session.get_one(DraftVersion, (draft.id, 21))
    assert second.created_at == began
    assert again(session, draft).version == 41


def test_what_was_approved_or_written_for_the_owner_is_never_dropped(session, clock, draft):
    drafts.edit(session, draft.id, 1, {"content": "Mine."})
    drafts.approve(session, draft.id, 2)
    drafts.reopen(session, draft.id)
    drafts.edit(session, draft.id, 2, {"content": "Better."})
    assert [number for number, _, _ in kept(session, draft)] == [1, 2, 3]
    assert session.get_one(DraftVersion, (draft.id, 2)).approved_at == clock.now()


def test_a_restored_version_is_a_new_one_and_drops_nothing(session, draft):
    drafts.edit(session, draft.id, 1, {"content": "Mine."})
    drafts.restore(session, draft.id, 2, 1)
    assert kept(session, draft) == [(1, "MODEL", FIRST), (2, "USER", "Mine."), (3, "USER", FIRST)]
    assert again(session, draft).content == FIRST
    with pytest.raises(DraftConflictError, match="no version 9"):
        drafts.restore(session, draft.id, 3, 9)


def test_a_version_brings_back_what_it_rested_on(session, draft):
    claims = [{"text": FIRST, "refs": ["C1"]}]
    draft.claims = claims
    session.commit()
    drafts.edit(session, draft.id, 1, {"content": "Mine."})
    assert again(session, draft).claims == claims
    anew = versions.columns_of(Post("New", "New."))
    versions.add(session, again(session, draft), anew, "MODEL")
    session.commit()
    assert again(session, draft).claims is None
    drafts.restore(session, draft.id, 3, 1)
    assert again(session, draft).claims == claims


def test_what_the_platform_will_not_take_is_stored_and_not_approved(session, draft):
    drafts.edit(session, draft.id, 1, {"title": "x" * 129})
    draft = again(session, draft)
    assert draft.title == "x" * 129
    assert ["128" in sentence for sentence in draft.checks] == [True]
    with pytest.raises(DraftConflictError, match=r"Dev\.to would not take it") as refused:
        drafts.approve(session, draft.id)
    assert refused.value.broken == draft.checks
    session.rollback()
    drafts.edit(session, draft.id, 2, {"title": "Short"})
    assert again(session, draft).checks == []


def test_a_draft_is_approved_once_and_by_its_version(session, clock, draft):
    with pytest.raises(DraftConflictError, match="version 1 now, not 2"):
        drafts.approve(session, draft.id, 2)
    session.rollback()
    drafts.approve(session, draft.id, 1)
    assert (again(session, draft).state, again(session, draft).decided_at) == ("APPROVED", clock.now())
    with pytest.raises(DraftConflictError, match="approved already"):
        drafts.approve(session, draft.id, 1)
    session.rollback()
    with pytest.raises(DraftConflictError, match="reopen it to decide"):
        drafts.reject(session, draft.id)


def test_of_two_approvals_at_once_one_counts(sessions, session, draft):
    barrier = threading.Barrier(2)

    def approve(_: int) -> bool:
        with sessions() as own:
            barrier.wait()
            try:
                drafts.approve(own, draft.id, 1)
            except DraftConflictError:
                return False
            return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(approve, range(2))) == [False, True]
    assert again(session, draft).state == "APPROVED"


def test_a_decided_draft_is_changed_only_when_reopened(session, draft):
    drafts.approve(session, draft.id)
    with pytest.raises(DraftConflictError, match="reopen it to change it"):
        drafts.edit(session, draft.id, 1, {"content": "By a page that was left open."})
    session.rollback()
    drafts.reopen(session, draft.id)
    assert again(session, draft).decided_at is None
    assert drafts.edit(session, draft.id, 1, {"content": "Mine."}).version == 2
    drafts.reject(session, draft.id, 2)
    assert again(session, draft).state == "REJECTED"


def test_what_was_given_back_is_not_reopened(session, clock, draft):
    drafts.reject(session, draft.id)
    draft = again(session, draft)
    draft.given_back_at = clock.now() - timedelta(days=1)
    session.commit()
    with pytest.raises(DraftConflictError, match="told twice"):
        drafts.reopen(session, draft.id)


def test_a_deleted_draft(session, draft):
    session.delete(again(session, draft))
    session.commit()
    with pytest.raises(DraftConflictError, match="deleted"):
        drafts.approve(session, draft.id)
