"""What one is told, in a real browser: the list, its badge, the preferences, and a mail's way back."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from re import search

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from models import Job, Notification, User
from models.base import make_engine
from tests.blueprints.conftest import Rows
from tests.e2e.test_browser import connect, environ, register, repository, schedule, stack, workerless
from tests.plugins.browser import mark, stayed
from tests.standins.mail import html_of, text_of
from tests.standins.stack import Stack, until

__all__ = ["environ", "repository", "stack", "workerless"]
pytestmark = [pytest.mark.loopback, pytest.mark.timeout(240)]
OFTEN = "setInterval(() => htmx.trigger('#badge', 'every'), 300)"


@pytest.fixture
def rows(database_url) -> Iterator[Rows]:
    engine = make_engine(database_url)
    yield Rows(sessionmaker(engine, expire_on_commit=False))
    engine.dispose()


def verify(rows: Rows) -> User:
    """As if the link in the mail had been followed."""
    with rows._sessions() as session:
        user = session.scalars(select(User)).one()
        user.verified_at = user.created_at
        session.commit()
    return user


def tell(
    session: Session, user: User, title: str, kind: str = "JOB_SUCCESS", link: str = "/dashboard"
) -> None:
    session.add(Notification(user_id=user.id, type=kind, title=title, message="In 14s", link=link))
    session.commit()


def mails(tmp_path: Path, subject: str) -> list[bytes]:
    """The files of the outbox whose subject begins so."""
    found = (file.read_bytes() for file in sorted((tmp_path / "instance" / "outbox").glob("*.eml")))
    return [
        raw for raw in found if message_from_bytes(raw, policy=policy.default)["subject"].startswith(subject)
    ]


def test_a_run_is_told_and_mailed(
    stack: Stack, page: Page, repository: Path, rows: Rows, tmp_path: Path, console: list[str]
):
    register(page, stack)
    verify(rows)
    connect(page, repository)
    schedule(page)

    # The badge of an open page counts the run by itself.
    page.get_by_role("link", name="Trigger Now").click()
    page.get_by_role("dialog").get_by_role("button", name="Run it now").click()
    page.goto(f"{stack.url}/settings")
    mark(page)
    page.evaluate(OFTEN)
    expect(page.locator("#badge .count")).to_contain_text("1", timeout=60_000)
    assert stayed(page)
    page.get_by_role("link", name="Notifications").click()
    expect(page.get_by_role("link", name="Daily Content Generation completed successfully")).to_be_visible()

    # A test message, by the worker and the outbox.
    page.get_by_role("link", name="What you are told").click()
    mark(page)
    page.get_by_role("button", name="Send a test message").click()
    expect(page.locator("#test")).to_contain_text("Saved as a file to maintainer@example.com", timeout=30_000)
    assert stayed(page)
    assert len(mails(tmp_path, "✉️ Mails from Repocast arrive")) == 1

    # The mail leads to where such mails are stopped, for whoever holds it.
    [raw] = until(lambda: mails(tmp_path, "✅ Daily Content"), 30, "mail about the run")
    mail = message_from_bytes(raw, policy=policy.default)
    link = search(r"Unsubscribe from these mails: (\S+)", text_of(mail))[1]
    assert link in html_of(mail).replace("&amp;", "&")
    assert mail["List-Unsubscribe"] == f"<{link}>"
    page.context.clear_cookies()
    page.goto(link)
    page.get_by_role("button", name="Stop these mails").click()
    expect(page.get_by_role("heading", name="No more of these mails")).to_be_visible()
    [user] = rows.all(User)
    assert user.notices["emailOff"] == ["success"]
    page.get_by_role("button", name="Mail them again").click()
    expect(page.get_by_role("heading", name="Stop these mails?")).to_be_visible()


def test_the_list_and_the_preferences(workerless: Stack, page: Page, repository: Path, rows: Rows):
    register(page, workerless)
    user = verify(rows)
    connect(page, repository)
    schedule(page)
    [job] = rows.all(Job)
    own = f"/projects/{job.project_id}/cron/{job.id}"
    project = page.url.partition("/cron/")[0]
    page.goto(f"{project}/cron/new")
    page.get_by_label("Name", exact=True).fill("Weekly news")
    page.get_by_role("button", name="Schedule the job").click()
    expect(page.get_by_role("heading", name="Weekly news")).to_be_visible()
    with rows._sessions() as session:
        tell(session, user, "Daily succeeded", link=own)
        tell(session, user, "Daily failed", "JOB_FAILED", link=own)
        tell(session, user, "Drafts wait", "DRAFTS_WAIT")

    # Filters stand in the address; one by a link, one by a list that needs no button.
    page.goto(f"{workerless.url}/notifications")
    expect(page.locator("#badge .count")).to_contain_text("3")
    page.get_by_label("Kind").get_by_role("link", name="Recovery").click()
    expect(page.get_by_role("heading", name="No notification matches")).to_be_visible()
    page.get_by_role("link", name="Show all notifications").click()
    page.wait_for_url("**/notifications")
    mark(page)
    page.get_by_label("Job").select_option("Daily Content Generation")
    expect(page.locator("[data-item]")).to_have_count(2)
    expect(page).to_have_url(f"{workerless.url}/notifications?job={job.id}")

    # One is read in place, by the keyboard; the focus stays where it was, and so do the filters.
    page.get_by_role("button", name="Mark as read: Daily failed").press("Enter")
    again = page.get_by_role("button", name="Mark as unread: Daily failed")
    expect(again).to_be_focused()
    expect(page.locator("#badge .count")).to_contain_text("2")
    expect(page.locator("[data-item]")).to_have_count(2)
    again.click()
    expect(page.locator("#badge .count")).to_contain_text("3")
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_text("All is read.")).to_be_visible()
    expect(page.locator("#badge .count")).to_have_count(0)
    assert stayed(page)

    # A digest; what it needs shows itself with it.
    page.get_by_role("link", name="What you are told").click()
    hour = page.get_by_label("Hour of the digest")
    expect(hour).to_be_hidden()
    page.get_by_label("Once a week").check()
    hour.select_option("5:00 PM")
    page.get_by_label("Day of the weekly one").select_option("Wednesday")
    page.get_by_label("By email: A run succeeded", exact=True).uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved what you are told.")).to_be_visible()
    expect(page.locator("#preferences")).to_contain_text("The next digest comes")
    expect(hour).to_have_value("17")
    [stored] = rows.all(User)
    assert (stored.notices["pace"], stored.notices["weekday"]) == ("WEEKLY", 3)
    assert stored.notices["emailOff"] == ["success"]


def test_all_of_it_without_javascript(workerless: Stack, browser: Browser, page: Page, rows: Rows):
    register(page, workerless)
    user = verify(rows)
    project = rows.project(user)
    one, _ = rows.job(project, name="A job"), rows.job(project, name="B job")
    with rows._sessions() as session:
        tell(session, user, "Of A", link=f"/projects/{project.id}/cron/{one.id}")
        tell(session, user, "Of none")
    context = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    context.set_default_timeout(10_000)
    plain = context.new_page()
    plain.goto(f"{workerless.url}/notifications")
    plain.get_by_label("Job").select_option("A job")
    plain.get_by_role("button", name="Show").click()
    plain.wait_for_url(f"**/notifications?job={one.id}")
    expect(plain.locator("[data-item]")).to_have_count(1)
    plain.get_by_role("button", name="Mark as read: Of A").click()
    plain.wait_for_url(f"**/notifications?job={one.id}")
    expect(plain.get_by_role("button", name="Mark as unread: Of A")).to_be_visible()
    plain.get_by_role("button", name="Mark all as read").click()
    expect(plain.get_by_text("All is read.")).to_be_visible()

    plain.get_by_role("link", name="What you are told").click()
    plain.get_by_label("Once a day").check()
    plain.get_by_label("In the app: A run succeeded", exact=True).uncheck()
    plain.get_by_role("button", name="Save").click()
    expect(plain.get_by_text("Saved what you are told.")).to_be_visible()
    plain.get_by_role("button", name="Send a test message").click()
    expect(plain.get_by_text("A test message goes to maintainer@example.com.")).to_be_visible()
    expect(plain.locator("#test")).to_contain_text("Waiting to be sent")
    [stored] = rows.all(User)
    assert (stored.notices["pace"], stored.notices["appOff"]) == ("DAILY", ["success"])
    context.close()
