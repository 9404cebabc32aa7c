"""A job's pages in a real browser: editor, questions, history; and all of them without JavaScript."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy.orm import Session

from tests.e2e.test_browser import EMAIL, register
from tests.plugins.browser import mark, stayed
from tests.standins.stack import Stack

pytestmark = [
    pytest.mark.loopback,
    pytest.mark.timeout(240),
    pytest.mark.parametrize("blank_database_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def stack(blank_database_url, tmp_path) -> Iterator[Stack]:
    """Nobody works: what is triggered stays queued."""
    environ = {"INSTANCE_PATH": str(tmp_path / "instance"), "DATABASE_URL": blank_database_url}
    with Stack(environ, workers=0) as stack:
        yield stack


def api(stack: Stack, path: str, **body: object) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {stack.flask('token', 'create', EMAIL)}"}
    answer = requests.post(f"{stack.url}/api/{path}", json=body, headers=headers, timeout=30)
    assert answer.status_code == 201, answer.text
    made: dict[str, str] = answer.json()["data"]
    return made


def project(stack: Stack) -> str:
    """The address of a project."""
    source = {"sourceType": "GITHUB", "githubRepoOwner": "username", "githubRepoName": "awesome-lib"}
    return f"{stack.url}/projects/{api(stack, 'projects', name='Awesome', **source)['id']}"


def job(stack: Stack, at: str) -> str:
    """The address of a daily job."""
    named = {"projectId": at.rpartition("/")[2], "type": "GENERATE_CONTENT", "name": "Daily notes"}
    made = api(stack, "cron/schedule", **named, frequency="DAILY", timeConfig={"hour": 9})
    return f"{at}/cron/{made['id']}"


def field(page: Page, label: str) -> Locator:
    return page.get_by_label(label, exact=True)


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def open_editor(page: Page, at: str) -> None:
    page.goto(f"{at}/cron/new")
    mark(page)


def zones(page: Page, **which: bool) -> Locator:
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option", **which)


def count_jobs(page: Page, stack: Stack) -> int:
    page.goto(f"{stack.url}/dashboard")
    return page.locator("[data-item]").count()


def test_the_editor_follows_presets_and_every_frequency(stack: Stack, page: Page):
    register(page, stack)
    at = project(stack)
    open_editor(page, at)
    words, slots = page.locator("#words"), page.locator("#preview li")
    expect(words).to_have_text("Every day at 9:00 AM UTC.")
    expect(slots).to_have_count(6)
    for name, said in (
        ("Weekday mornings", "Every weekday at 9:00 AM UTC."),
        ("Friday afternoons", "Every Friday at 4:00 PM UTC."),
        ("First of the month", "On day 1 of every month at 9:00 AM UTC."),
        ("Every hour", "Every hour (UTC)."),
    ):
        button(page, name).click()
        expect(words).to_have_text(said)
        expect(slots).to_have_count(6)

    # Only the fields that the frequency needs are there, and each changes the sentence as it is typed.
    expect(field(page, "Time")).to_be_hidden()
    field(page, "Cron expression").fill("30 8 * * *")
    expect(words).to_have_text("At 8:30 AM every day (UTC).")
    field(page, "Daily").check()
    expect(field(page, "Cron expression")).to_be_hidden()
    field(page, "Time").fill("17:45")
    expect(words).to_have_text("Every day at 5:45 PM UTC.")
    field(page, "Weekly").check()
    field(page, "Mon").check()
    expect(words).to_have_text("Every Monday and Friday at 5:45 PM UTC.")
    field(page, "Monthly").check()
    field(page, "Day of the month").fill("31")
    expect(words).to_contain_text("day 31 of every month")
    field(page, "Day of the month").fill("32")
    expect(page.locator("#preview .complaint")).to_contain_text("Day of the month: ")
    field(page, "Day of the month").fill("15")
    expect(slots).to_have_count(6)
    field(page, "Name").fill("Mid-month")
    assert stayed(page)
    field(page, "Name").press("Enter")
    expect(page.get_by_role("heading", name="Mid-month")).to_be_visible()
    expect(page.locator("p.truth")).to_contain_text("day 15 of every month at 5:45 PM UTC")

    page.get_by_role("link", name="Edit", exact=True).click()
    expect(field(page, "Monthly")).to_be_checked()
    expect(field(page, "Time")).to_have_value("17:45")
    expect(field(page, "Day of the month")).to_have_value("15")


def test_a_zone_is_found_by_keyboard_alone(stack: Stack, page: Page):
    register(page, stack)
    open_editor(page, project(stack))
    zone, options = field(page, "Time zone"), zones(page)
    zone.focus()
    expect(zone).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowDown")
    expect(options).to_have_text(["UTC UTC"])
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    zone.select_text()
    page.keyboard.type("germ")
    expect(options).to_have_count(2)
    expect(zone).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    first = zones(page, selected=True)
    expect(first).to_contain_text("Europe/Berlin")
    assert zone.get_attribute("aria-activedescendant") == first.get_attribute("id")
    page.keyboard.press("ArrowUp")
    expect(first).to_contain_text("Europe/Busingen")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(zone).to_have_value("Europe/Berlin")
    expect(options).to_have_count(0)
    expect(page.locator("#words")).to_have_text("Every day at 9:00 AM Europe/Berlin.")
    assert stayed(page), "Enter chose, and sent nothing"

    # By offset, chosen by Tab, which goes on to the next field; and by the mouse.
    zone.select_text()
    page.keyboard.type("+5:45")
    expect(options).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(zone).to_have_value("Asia/Kathmandu")
    expect(zone).not_to_be_focused()
    zone.fill("new york")
    options.first.click()
    expect(zone).to_have_value("America/New_York")
    expect(page.locator("#words")).to_contain_text("America/New_York")
    zone.fill("Europe/Paris")
    expect(page.locator("#words")).to_contain_text("Europe/Paris")
    zone.fill("nowhere at all")
    expect(page.get_by_text("No time zone fits")).to_have_count(1)


def test_the_browsers_own_zone_comes_first(stack: Stack, browser: Browser):
    context = browser.new_context(timezone_id="Asia/Tokyo")
    page = context.new_page()
    register(page, stack)
    at = project(stack)
    open_editor(page, at)
    zone = field(page, "Time zone")
    expect(zone).to_have_value("Asia/Tokyo")
    zone.fill("asia")
    expect(zones(page).first).to_contain_text("Asia/Tokyo")
    context.close()


def test_errors_stand_in_place_and_nothing_typed_is_lost(stack: Stack, page: Page, console: list[str]):
    register(page, stack)
    at = project(stack)
    open_editor(page, at)
    asked: list[str] = []

    def stay(dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    field(page, "Name").fill("")
    page.get_by_label("Description").fill("Typed, not sent")
    field(page, "Time zone").fill("Berlin")
    field(page, "Weekly").check()
    page.get_by_role("link", name="Dashboard", exact=True).first.click()
    expect(page.get_by_label("Description")).to_have_value("Typed, not sent")
    assert asked == ["beforeunload"]
    button(page, "Schedule the job").click()
    expect(page.get_by_role("alert")).to_contain_text("please correct the 3 fields marked below")
    for name, said in (("name", "empty"), ("timezone", "no time zone 'Berlin'"), ("dayOfWeek", "one day")):
        expect(page.locator(f"#e-{name}")).to_contain_text(said)
    expect(page.get_by_label("Description")).to_have_value("Typed, not sent")
    assert all("422" in line for line in console)
    console.clear()
    page.wait_for_load_state("load")
    page.get_by_role("heading", name="New job").click()
    page.get_by_role("link", name="Dashboard", exact=True).first.click()
    expect(page.get_by_label("Description")).to_have_value("Typed, not sent")
    assert asked == ["beforeunload"] * 2, "what was refused is not saved either"
    button(page, "Europe/Berlin").click()
    expect(field(page, "Time zone")).to_have_value("Europe/Berlin")
    field(page, "Fri").check()
    field(page, "Name").fill("Fridays")
    button(page, "Schedule the job").click()
    expect(page.get_by_role("heading", name="Fridays")).to_be_visible()
    page.get_by_role("link", name="Edit", exact=True).click()
    field(page, "Name").fill("Thrown away")
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="Fridays")).to_be_visible()
    assert len(asked) == 2, "Cancel is meant"


def test_a_form_sent_twice_makes_one_job(stack: Stack, page: Page, console: list[str]):
    register(page, stack)
    at = project(stack)
    open_editor(page, at)
    other = page.context.new_page()
    open_editor(other, at)
    key = page.locator("[name=formKey]").input_value()
    button(page, "Schedule the job").dblclick()
    page.wait_for_url("**/cron/cron_*")
    made = page.url
    assert count_jobs(page, stack) == 1
    button(other, "Schedule the job").click()
    other.wait_for_url("**/cron/cron_*")
    assert count_jobs(page, stack) == 2, "two forms make two"

    # A browser that kept the page while one was elsewhere has the old form when one comes back.
    def come_back() -> None:
        open_editor(page, at)
        page.locator("[name=formKey]").evaluate("(field, key) => (field.value = key)", key)

    come_back()
    button(page, "Schedule the job").click()
    page.wait_for_url("**/cron/cron_*")
    assert page.url == made
    come_back()
    field(page, "Name").fill("Another")
    button(page, "Schedule the job").click()
    expect(page.get_by_role("alert")).to_contain_text("has made “Daily Content Generation” already")
    button(page, "Schedule the job").click()
    expect(page.get_by_role("heading", name="Another")).to_be_visible()
    assert count_jobs(page, stack) == 3
    assert all("409" in line for line in console)
    console.clear()


def test_what_is_done_to_a_job(stack: Stack, page: Page, console: list[str]):
    register(page, stack)
    at = project(stack)
    page.goto(job(stack, at))
    mark(page)
    question = page.get_by_role("dialog")
    truth = page.locator("#job p.truth")

    # Pause until: a past instant is refused in the dialog, then a later one holds, and Resume ends it.
    page.get_by_role("link", name="Pause until …").click()
    question.get_by_label("Until").fill("2020-01-01T00:00")
    question.get_by_role("button", name="Pause it").click()
    expect(question.locator("#e-until")).to_have_text("Must be in the future.")
    assert all("422" in line for line in console)
    console.clear()
    question.get_by_label("Until").fill(f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%dT%H:%M}")
    question.get_by_role("button", name="Pause it").click()
    expect(question).to_be_hidden()
    expect(truth).to_contain_text("Paused until")
    button(page, "Resume").click()
    expect(truth).to_contain_text("Every day at 9:00 AM UTC; next")

    # Skip next, and think better of it.
    page.get_by_role("button", name="Skip next").click()
    expect(page.get_by_text("Left out up to")).to_be_visible()
    expect(page.get_by_role("row").get_by_text("Skipped", exact=True)).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Left out up to")).to_have_count(0)

    # Disable and enable.
    page.get_by_role("link", name="Disable").click()
    question.get_by_role("button", name="Disable").click()
    expect(truth).to_have_text("It is disabled: it runs only when you trigger it.")
    button(page, "Enable").click()
    expect(truth).to_contain_text("Every day at 9:00 AM UTC; next")

    # Trigger Now: what it covers, a date that is to come, then a dry run since a date.
    page.get_by_role("link", name="Trigger Now").click()
    expect(question).to_contain_text("Its first run: the last 7 days.")
    question.get_by_text("Tell again from a date").click()
    question.get_by_label("Since").fill("2999-01-01T00:00")
    question.get_by_role("button", name="Run it now").click()
    expect(question.locator("#e-since")).to_have_text("Must be in the past.")
    assert all("422" in line for line in console)
    console.clear()
    question.get_by_label("Since").fill("2025-01-01T00:00")
    question.get_by_label("Dry run").check()
    question.get_by_role("button", name="Run it now").click()
    expect(question).to_be_hidden()
    expect(page.get_by_role("link", name="Watch it run")).to_be_visible()
    expect(page.get_by_role("row").get_by_text("Queued")).to_be_visible()
    assert stayed(page), "a dialog's answer is put in place"

    # Delete says what goes, and goes.
    page.get_by_role("link", name="Delete").click()
    expect(question).to_contain_text("Its history goes with it: 1 execution and 0 drafts.")
    question.get_by_role("link", name="Keep it").click()
    expect(question).to_be_hidden()
    page.get_by_role("link", name="Delete").click()
    question.get_by_role("button", name="Delete the job").click()
    page.wait_for_url("**/projects/proj_*")
    expect(page.get_by_text("“Daily notes” is deleted.")).to_be_visible()


def remember(stack: Stack, at: str, count: int) -> None:
    """As if the job had run so often by its schedule, and once by a webhook, long ago."""
    from models import Execution, Job
    from models.base import make_engine

    engine = make_engine(stack.env["DATABASE_URL"])
    with Session(engine) as session:
        row = session.get(Job, at.rpartition("/")[2])
        for number in range(count):
            when = datetime(2025, 10, 1, 9, tzinfo=UTC) - timedelta(days=number)
            ended = "FAILED" if number % 10 == 0 else "COMPLETED"
            values = {"status": ended, "outcome": "FAILED" if ended == "FAILED" else "SUCCESS"}
            by = "webhook" if number == count - 1 else "scheduled"
            times = {"created_at": when, "started_at": when, "completed_at": when, "duration": 1000}
            owner = {"job_id": row.id, "user_id": row.user_id, "project_id": row.project_id}
            session.add(Execution(**owner, **values, **times, triggered_by=by))
        session.commit()
    engine.dispose()


def walk_history(page: Page, at: str) -> None:
    rows = page.locator("table.history tbody tr")
    page.goto(at)
    expect(rows).to_have_count(20)
    page.get_by_role("link", name="Older executions").click()
    page.wait_for_url("**cursor=*")
    expect(rows).to_have_count(20)
    page.get_by_role("link", name="Oldest").click()
    page.wait_for_url("**newer=*")
    expect(rows.last).to_contain_text("By a webhook", ignore_case=True)
    page.get_by_role("link", name="Newest").click()
    expect(page.get_by_role("link", name="Newest")).to_have_count(0)
    page.get_by_label("Started").select_option("webhook")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**trigger=webhook*")
    expect(rows).to_have_count(1)
    page.get_by_label("Outcome").select_option("FAILED")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("No execution matches these filters.")).to_be_visible()
    page.get_by_role("link", name="Show all").first.click()
    expect(rows).to_have_count(20)
    page.get_by_label("From").fill("2025-09-20")
    page.get_by_label("To", exact=True).fill("2025-09-22")
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(3)


def test_the_history_is_filtered_and_read_from_either_end(stack: Stack, page: Page):
    register(page, stack)
    at = job(stack, project(stack))
    remember(stack, at, 45)
    walk_history(page, at)


def test_all_of_it_without_javascript(stack: Stack, browser: Browser):
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(10_000)
    page = context.new_page()
    register(page, stack)
    at = project(stack)

    # The editor: a preset keeps what is typed, a wrong zone offers the right one, and Enter saves.
    page.goto(f"{at}/cron/new")
    field(page, "Name").fill("By hand")
    button(page, "Friday afternoons").click()
    expect(page.locator("#words")).to_have_text("Every Friday at 4:00 PM UTC.")
    expect(field(page, "Name")).to_have_value("By hand")
    for frequency, said in (
        ("Daily", "Every day"),
        ("Monthly", "On day 1"),
        ("Custom", "from Monday to Friday"),
    ):
        field(page, frequency).check()
        button(page, "Show next runs").click()
        expect(page.locator("#words")).to_contain_text(said)
    field(page, "Weekly").check()
    field(page, "Time zone").fill("Berlin")
    button(page, "Schedule the job").click()
    button(page, "Europe/Berlin").click()
    expect(page.locator("#words")).to_have_text("Every Friday at 4:00 PM Europe/Berlin.")
    field(page, "Time").fill("")
    field(page, "Name").press("Enter")
    expect(page.locator("#e-time")).to_contain_text("such as 09:30")
    field(page, "Time").fill("06:30")
    button(page, "Schedule the job").dblclick()
    page.wait_for_url("**/cron/cron_*")
    expect(page.get_by_role("heading", name="By hand")).to_be_visible()
    here = page.url
    assert count_jobs(page, stack) == 1

    # The questions are pages, and each answer leads back to the job's.
    page.goto(here)
    truth = page.locator("#job p.truth")
    page.get_by_role("link", name="Pause until …").click()
    page.get_by_label("Until").fill("2020-01-01T00:00")
    button(page, "Pause it").click()
    expect(page.locator("#e-until")).to_have_text("Must be in the future.")
    page.get_by_label("Until").fill(f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%dT%H:%M}")
    button(page, "Pause it").click()
    expect(truth).to_contain_text("Paused until")
    button(page, "Resume").click()
    expect(truth).to_contain_text("Every Friday")
    page.get_by_role("button", name="Skip next").click()
    expect(page.get_by_text("Left out up to")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Left out up to")).to_have_count(0)
    page.get_by_role("link", name="Disable").click()
    button(page, "Disable").click()
    expect(truth).to_contain_text("It is disabled")
    button(page, "Enable").click()
    expect(truth).to_contain_text("Every Friday")
    page.get_by_role("link", name="Trigger Now").click()
    page.get_by_label("Dry run").check()
    page.get_by_text("Tell again from a date").click()
    page.get_by_label("Since").fill("2999-01-01T00:00")
    button(page, "Run it now").click()
    expect(page.locator("#e-since")).to_have_text("Must be in the past.")
    expect(page.get_by_label("Dry run")).to_be_checked()
    page.get_by_label("Since").fill("2025-01-01T00:00")
    button(page, "Run it now").click()
    expect(page.get_by_role("link", name="Watch it run")).to_be_visible()
    page.get_by_role("link", name="Edit", exact=True).click()
    expect(field(page, "Time")).to_have_value("06:30")
    field(page, "Name").fill("By hand, again")
    button(page, "Save").click()
    expect(page.get_by_role("heading", name="By hand, again")).to_be_visible()
    remember(stack, here, 45)
    walk_history(page, here)
    page.goto(here)
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_text("Its history goes with it: 46 executions and 0 drafts.")).to_be_visible()
    button(page, "Delete the job").click()
    expect(page.get_by_text("“By hand, again” is deleted.")).to_be_visible()
    context.close()
