"""The digest: what waited for it, in one mail, at its hour, once; and nothing is lost."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from models import DigestEntry, EmailDelivery, Job, User
from pipeline import roundup
from pipeline.housekeeping import first_this_hour
from pipeline.wishes import Pace, Wishes
from tests.pipeline.conftest import make_job

BASE = "https://repocast.example"


@pytest.fixture
def owner(session, clock) -> User:
    """At 9:00 UTC of a Friday; the digest comes daily at 8:00 in Berlin."""
    job = make_job(session)
    user = session.get_one(User, job.user_id)
    user.timezone = "Europe/Berlin"
    choose(session, user, pace=Pace.DAILY)
    return user


def choose(session, user: User, **wishes) -> None:
    user.notices = Wishes(**wishes).stored()
    roundup.plan(session, user)
    session.commit()


def add(session, user: User, title: str = "Daily succeeded", **values) -> None:
    given = {
        "event": "success",
        "job": "Daily",
        "icon": "✅",
        "message": "In 14s",
        "link": f"{BASE}/executions/exec_1",
        "posts": [],
    }
    session.add(DigestEntry(user_id=user.id, title=title, **given | values))
    session.commit()


def mails(session) -> list[EmailDelivery]:
    found = list(session.scalars(select(EmailDelivery).order_by(EmailDelivery.created_at)))
    session.commit()
    return found


def due(session, user: User) -> datetime | None:
    at = session.scalar(select(User.digest_at).where(User.id == user.id))
    session.commit()
    return at


def test_it_comes_at_its_hour_in_the_accounts_zone(session, clock, owner):
    assert due(session, owner) == datetime(2025, 10, 4, 6, tzinfo=UTC)
    add(session, owner)
    clock.move_to(datetime(2025, 10, 4, 5, 59, tzinfo=UTC))
    assert roundup.send_due(session, BASE) == []
    clock.advance(60)
    [bell] = roundup.send_due(session, BASE)
    [mail] = mails(session)
    assert (bell.kind, bell.id, mail.event) == ("deliver", mail.id, "daily")
    assert due(session, owner) == datetime(2025, 10, 5, 6, tzinfo=UTC)
    assert session.scalar(select(DigestEntry.id)) is None


@pytest.mark.parametrize(
    ("wishes", "at"),
    [
        ({"pace": Pace.WEEKLY}, datetime(2025, 10, 6, 6, tzinfo=UTC)),
        ({"pace": Pace.WEEKLY, "weekday": 0, "hour": 23}, datetime(2025, 10, 5, 21, tzinfo=UTC)),
        ({"pace": Pace.DAILY, "hour": 12}, datetime(2025, 10, 3, 10, tzinfo=UTC)),
        ({"pace": Pace.EACH}, None),
        ({"pace": Pace.NONE}, None),
    ],
)
def test_when_it_is_due(session, owner, wishes, at):
    choose(session, owner, **wishes)
    assert due(session, owner) == at


def test_the_hour_that_a_zone_skips_or_repeats_is_one_digest(session, clock, owner):
    choose(session, owner, pace=Pace.DAILY, hour=2)
    clock.move_to(datetime(2025, 10, 25, 12, tzinfo=UTC))
    roundup.send_due(session, BASE)
    instants = []
    for _ in range(3):
        clock.move_to(due(session, owner))
        instants.append(clock.now())
        add(session, owner)
        assert len(roundup.send_due(session, BASE)) == 1
        clock.advance(3600)  # 2:00 once more, in winter time
        assert roundup.send_due(session, BASE) == []
    assert [at.hour for at in instants] == [0, 1, 1]
    clock.move_to(datetime(2026, 3, 28, 12, tzinfo=UTC))
    roundup.send_due(session, BASE)
    assert due(session, owner) == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_nothing_is_sent_when_there_is_nothing_to_say(session, clock, owner):
    clock.advance(86_400)
    assert roundup.send_due(session, BASE) == []
    assert mails(session) == []
    assert due(session, owner) > clock.now()


def test_what_it_tells_by_job_in_text_and_html(session, clock, owner):
    posts = [
        {"platform": "Hashnode", "title": "A <b>title</b>", "link": f"{BASE}/approve?token=a"},
        {"platform": "Dev.to", "error": "API rate limit"},
    ]
    add(session, owner, "B failed", job="b job", icon="❌", event="failure")
    clock.advance(3600)
    add(session, owner, "A done", job="A job", posts=posts)
    add(session, owner, "A token ends", job="", icon="🔑", event="expiry")
    clock.advance(86_400)
    roundup.send_due(session, BASE)
    [mail] = mails(session)
    assert mail.subject == "🗞️ Your daily digest: 3 notifications"
    assert "3 notifications of 2 jobs, 3 October 2025: ❌ 1, ✅ 1, 🔑 1." in mail.text
    places = [mail.text.index(said) for said in ("A job", "A done", "b job", "B failed", "A token ends")]
    assert places == sorted(places)
    assert "Friday, 3 October 2025 at 12:00 PM Europe/Berlin" in mail.text
    for said in ("Hashnode: ", "Dev.to got no post: API rate limit", "A job", "B failed", "at 11:00 AM"):
        assert said in mail.text
        assert said in mail.html
    assert f"{BASE}/approve?token=a" in mail.text
    assert f'href="{BASE}/approve?token=a"' in mail.html
    assert "A &lt;b&gt;title" in mail.html
    assert "https://unsubscribe.invalid/" in mail.text


def test_a_very_long_one_counts_what_it_leaves_out(session, clock, owner, monkeypatch):
    monkeypatch.setattr(roundup, "MOST", 2)
    for number in range(5):
        clock.advance(1)
        add(session, owner, f"Number {number}")
    clock.advance(86_400)
    roundup.send_due(session, BASE)
    [mail] = mails(session)
    assert "5 notifications" in mail.subject
    assert "Number 2" not in mail.text
    assert "Number 3" in mail.text
    assert "and 3 earlier ones" in mail.text
    assert "and 3 earlier ones" in mail.html


def test_two_ticks_at_once_send_one(session, sessions, clock, owner):
    for number in range(3):
        add(session, owner, f"Number {number}")
    clock.advance(86_400)
    barrier, sent, errors = threading.Barrier(4), [], []

    def tick() -> None:
        with sessions() as own:
            barrier.wait()
            try:
                sent.extend(roundup.send_due(own, BASE))
            except Exception as error:  # noqa: BLE001  (a thread's error is looked at below)
                errors.append(error)

    threads = [threading.Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    [mail] = mails(session)
    assert (errors, [bell.id for bell in sent]) == ([], [mail.id])
    assert "3 notifications" in mail.subject


@pytest.mark.parametrize("dies_in", ["post_mail", "_story"])
def test_nothing_is_lost_when_a_worker_dies_between(session, sessions, clock, owner, monkeypatch, dies_in):
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    add(session, owner)
    clock.advance(86_400)
    with monkeypatch.context() as patch, sessions() as worker:
        patch.setattr(roundup, dies_in, die)
        with pytest.raises(Killed):
            roundup.send_due(worker, BASE)
    assert mails(session) == []
    assert len(roundup.send_due(session, BASE)) == 1
    assert roundup.send_due(session, BASE) == []
    assert "Daily succeeded" in mails(session)[0].text


def test_a_worker_that_was_away_sends_one_for_all_days(session, clock, owner):
    for _ in range(3):
        add(session, owner)
        clock.advance(86_400)
    assert len(roundup.send_due(session, BASE)) == 1
    assert due(session, owner) - clock.now() < timedelta(days=1)
    assert "3 October 2025 to 5 October 2025" in mails(session)[0].text


def test_what_waits_when_mails_come_one_by_one_again_is_mailed_at_once(session, clock, owner):
    add(session, owner)
    choose(session, owner, pace=Pace.EACH)
    assert len(roundup.send_due(session, BASE)) == 1
    assert due(session, owner) is None
    assert mails(session)[0].subject == "🗞️ Your last digest: 1 notification"


def test_what_was_stopped_meanwhile_is_not_mailed(session, clock, owner):
    add(session, owner)
    add(session, owner, "A failure", event="failure")
    choose(session, owner, pace=Pace.DAILY, email_off=frozenset({"success"}))
    clock.advance(86_400)
    roundup.send_due(session, BASE)
    [mail] = mails(session)
    assert ("A failure" in mail.text, "Daily succeeded" in mail.text) == (True, False)
    add(session, owner)
    choose(session, owner, pace=Pace.NONE)
    assert roundup.send_due(session, BASE) == []
    assert len(mails(session)) == 1


def test_a_clock_that_stood_wrong_delays_nothing_for_long(session, clock, owner):
    clock.move_to(datetime(2031, 1, 1, tzinfo=UTC))
    roundup.send_due(session, BASE)
    clock.move_to(datetime(2025, 10, 3, 9, tzinfo=UTC))
    roundup.send_due(session, BASE)
    assert due(session, owner) == datetime(2025, 10, 4, 6, tzinfo=UTC)


def test_an_entry_written_while_the_digest_was_given_up_is_found(session, clock, owner):
    choose(session, owner, pace=Pace.EACH)
    add(session, owner)
    with session.begin():
        first_this_hour(session, "digests", clock.now() - timedelta(hours=2))
    roundup.send_due(session, BASE)
    assert due(session, owner) == clock.now()
    assert len(roundup.send_due(session, BASE)) == 1


@pytest.mark.parametrize("people", [1, 20])
def test_a_tick_without_a_digest_asks_once(session, clock, owner, queries, people):
    for number in range(people):
        session.add(User(email=f"{number}@example.com", password_hash="x"))
    session.commit()
    roundup.send_due(session, BASE)
    queries.clear()
    roundup.send_due(session, BASE)
    asked = [q for q in queries if not q.startswith("BEGIN")]
    assert len(asked) <= 2


def test_an_account_that_ends_takes_its_entries_along(session, owner):
    add(session, owner)
    session.delete(session.scalars(select(Job)).one())
    session.flush()
    session.delete(session.get_one(User, owner.id))
    session.commit()
    assert session.scalar(select(DigestEntry.id)) is None
