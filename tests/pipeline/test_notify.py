"""What the owner is told, word for word where the walkthrough says it."""

import re
from datetime import UTC, datetime

import pytest

from models.execution import Execution
from models.job import Job
from models.notification import DigestEntry, EmailDelivery, Notification
from models.project import Project
from models.user import User
from pipeline.letters import post_mail
from pipeline.notify import Waiting, tell
from tests.plugins.moves import lawless

BASE = "https://repocast.example"
NEXT = datetime(2025, 10, 4, 9, tzinfo=UTC)

FOOTER = """
--
Sent by Repocast, because this job's notifications are on.
Choose what is mailed to you: https://repocast.example/notifications/preferences
Unsubscribe from these mails: https://unsubscribe.invalid/
"""
SUCCESS_TEXT = """\
Job: Daily Content Generation
Project: My Open Source Library
Status: completed successfully
Duration: 14s

Details:
- Items processed: 3
- Successful: 3

[View Execution Details]
https://repocast.example/executions/exec_789xyz
"""
PARTIAL_TEXT = """\
Job: Daily Content Generation
Project: My Open Source Library
Status: completed with errors
Duration: 12s

Details:
- Items processed: 3
- Successful: 2
- Failed: 1

What happened:
- Dev.to got no post: API rate limit

What happens next:
The posts that were written wait for your review. "Retry" on the page below writes what is missing, \
from the same activity.
The next run is planned for Saturday, 4 October 2025 at 9:00 AM UTC.

[View Execution Details]
https://repocast.example/executions/exec_789xyz
"""
FAILED_TEXT = """\
Job: Daily Content Generation
Project: My Open Source Library
Status: failed after 3 retries
Duration: 3s

Details:
- Items processed: 0
- Successful: 0

What happened:
GitHub API error: Bad credentials

What happens next:
The next run is planned for Saturday, 4 October 2025 at 9:00 AM UTC. It covers this time too, \
so nothing is left out.
"Retry" on the page below does not wait for it.

[View Execution Details]
https://repocast.example/executions/exec_789xyz
"""


@pytest.fixture
def execution(session, clock):
    """The walkthrough's run, finished and successful; tests change what they are about."""
    lawless(session)
    user = User(id="user_123", email="user@example.com", password_hash="x", verified_at=clock.now())
    project = Project(id="clxxx_my_project", user_id=user.id, name="My Open Source Library")
    job = Job(
        id="cron_abc123def456",
        user_id=user.id,
        project_id=project.id,
        name="Daily Content Generation",
        frequency="DAILY",
        time_config={"hour": 9, "minute": 0, "timezone": "UTC"},
        schedule="0 9 * * *",
        timezone="UTC",
        notify="ALL",
        next_run_at=NEXT,
    )
    run = Execution(
        id="exec_789xyz",
        job_id=job.id,
        user_id=user.id,
        project_id=project.id,
        triggered_by="scheduled",
        attempt=1,
        failures=0,
        status="COMPLETED",
        outcome="SUCCESS",
        duration=14000,
        items_processed=3,
        items_success=3,
    )
    for row in (user, project, job, run):
        session.add(row)
        session.flush()
    return run


def partial(run):
    run.outcome, run.duration, run.items_success, run.items_failed = "PARTIAL", 12000, 2, 1
    run.output = {
        "results": [
            {"platformType": "HASHNODE", "success": True},
            {"platformType": "DEVTO", "success": False, "error": "API rate limit"},
            {"platformType": "LINKEDIN", "success": True},
        ]
    }


def failed(run, attempts=4, status="FAILED", error="GitHub API error: Bad credentials"):
    run.status = run.outcome = status
    run.attempt = run.failures = attempts
    run.duration, run.error = 3000, error
    run.items_processed = run.items_success = 0


def told(session, run):
    """The notification and the mail as they are read back from the database."""
    mails = tell(session, run, base_url=BASE)
    session.commit()
    session.expire_all()
    note = session.query(Notification).one_or_none()
    mail = session.query(EmailDelivery).one_or_none()
    assert [m.id for m in mails] == ([mail.id] if mail else [])
    return note, mail


def test_a_success_is_told_in_the_walkthroughs_words(session, execution, clock):
    note, mail = told(session, execution)

    assert (note.type, note.title) == ("JOB_SUCCESS", "Daily Content Generation completed successfully")
    assert note.message == "Execution completed successfully in 14s"
    assert note.link == "/projects/clxxx_my_project/cron/cron_abc123def456"
    assert (note.user_id, note.is_read, note.created_at) == ("user_123", False, clock.now())
    assert (mail.recipient, mail.status) == ("user@example.com", "PENDING")
    assert mail.subject == "✅ Daily Content Generation completed successfully"
    assert mail.text == SUCCESS_TEXT + FOOTER
    assert "What happened" not in mail.html


def test_the_drafts_that_wait_are_named_with_their_links(session, execution):
    posts = [
        Waiting("Dev.to", "A <b>title</b>\nof two lines", f"{BASE}/approve?token=a.b"),
        Waiting("LinkedIn", "x" * 300, "l"),
    ]
    [mail] = tell(session, execution, base_url=BASE, posts=posts)
    assert mail.text.startswith(SUCCESS_TEXT)
    assert f"\nDev.to: A <b>title</b> of two lines\n{BASE}/approve?token=a.b\n" in mail.text
    assert "ends after 14 days" in mail.text
    assert "A &lt;b&gt;title&lt;/b&gt; of two lines" in mail.html
    assert f'href="{BASE}/approve?token=a.b"' in mail.html
    assert "x" * 121 not in mail.text


def test_a_partial_success_names_the_platform_and_the_reason(session, execution):
    partial(execution)
    note, mail = told(session, execution)

    assert (note.type, note.title) == ("JOB_PARTIAL", "Daily Content Generation completed with errors")
    assert note.message == "Execution completed with errors in 12s: 2 of 3 platforms succeeded"
    assert mail.subject == "⚠️ Daily Content Generation completed with errors"
    assert mail.text == PARTIAL_TEXT + FOOTER
    assert "❌ Dev.to got no post: API rate limit</p>" in mail.html
    assert "<li>Failed: 1</li>" in mail.html


def test_a_failure_says_what_why_and_what_next(session, execution):
    failed(execution)
    note, mail = told(session, execution)

    assert (note.type, note.title) == ("JOB_FAILED", "Daily Content Generation failed after 3 retries")
    assert note.message == "GitHub API error: Bad credentials"
    assert mail.subject == "❌ Daily Content Generation failed after 3 retries"
    assert mail.text == FAILED_TEXT + FOOTER


@pytest.mark.parametrize(
    ("status", "attempts", "words"),
    [
        ("FAILED", 1, "failed"),
        ("FAILED", 2, "failed after 1 retry"),
        ("TIMEOUT", 4, "timed out after 3 retries"),
        ("TIMEOUT", 1, "timed out"),
    ],
)
def test_the_title_counts_the_retries_really_made(session, execution, status, attempts, words):
    failed(execution, attempts, status)
    note, mail = told(session, execution)

    assert note.type == f"JOB_{status}"
    assert mail.subject == f"❌ Daily Content Generation {words}"
    assert f"\nStatus: {words}\n" in mail.text


def test_a_failure_of_every_platform_lists_each(session, execution):
    failed(execution, error="No platform got a post")
    execution.items_processed = execution.items_failed = 2
    execution.output = {
        "results": [
            {"platformType": "HASHNODE", "success": False, "error": "The model refused to write this post"},
            {"platformType": "DEVTO", "success": False, "error": "API rate limit"},
        ]
    }
    _, mail = told(session, execution)

    assert (
        "- Hashnode got no post: The model refused to write this post\n- Dev.to got no post: API" in mail.text
    )
    assert "- Failed: 2\n" in mail.text


def test_the_next_run_is_told_in_the_jobs_zone(session, execution):
    failed(execution)
    execution.job.timezone = "America/New_York"
    _, mail = told(session, execution)

    assert "The next run is planned for Saturday, 4 October 2025 at 5:00 AM America/New_York." in mail.text


@pytest.mark.parametrize("change", [partial, failed])
def test_without_a_next_run_the_mail_says_so(session, execution, change):
    change(execution)
    execution.job.next_run_at = None
    _, mail = told(session, execution)

    assert "No further run is planned: the job is disabled." in mail.text
    assert "No further run is planned: the job is disabled." in mail.html


@pytest.mark.parametrize(
    ("notify", "outcome", "is_told"),
    [
        ("ALL", "SUCCESS", True),
        ("ALL", "NO_ACTIVITY", False),
        ("ALL", "NOT_SIGNIFICANT", False),
        ("ALL", "CANCELLED", False),
        ("ALL", "SKIPPED", False),
        ("PROBLEMS", "SUCCESS", False),
        ("PROBLEMS", "PARTIAL", True),
        ("PROBLEMS", "FAILED", True),
        ("PROBLEMS", "TIMEOUT", True),
        ("NONE", "FAILED", False),
    ],
)
def test_what_is_told_follows_the_jobs_wish(session, execution, notify, outcome, is_told):
    execution.job.notify, execution.outcome = notify, outcome
    note, mail = told(session, execution)

    assert (note is not None, mail is not None) == (is_told, is_told)


def test_a_dry_run_tells_nobody(session, execution):
    execution.dry_run = True
    assert told(session, execution) == (None, None)


def test_names_from_outside_stay_text_and_one_line(session, execution):
    failed(execution, error="<b>boom</b>\n" + "x" * 2000)
    execution.job.name = "Daily\r\nBcc: everyone@example.com <script>alert(1)</script>"
    note, mail = told(session, execution)

    assert mail.subject.startswith("❌ Daily Bcc: everyone@example.com <script>")
    assert "\n" not in mail.subject + note.title + note.message
    assert "<script>" not in mail.html
    assert "&lt;script&gt;" in mail.html
    assert "&lt;b&gt;boom&lt;/b&gt;" in mail.html
    assert len(note.message) == 500


def test_the_html_mail_is_one_page_for_light_and_dark_programs(session, execution):
    _, mail = told(session, execution)

    assert 'href="https://repocast.example/executions/exec_789xyz"' in mail.html
    assert "<title>Daily Content Generation completed successfully</title>" in mail.html
    assert '<meta name="color-scheme" content="light dark">' in mail.html
    assert "3 of 3 platforms got a post." in mail.html
    assert 'href="https://unsubscribe.invalid/"' in mail.html
    # Where the style block is stripped, what is dark on light says so itself.
    bare = re.sub(r"<style>.*?</style>", "", mail.html, flags=re.S)
    assert 'bgcolor="#1c4fa0"' in bare
    assert "background-color: #ffffff" in bare
    for table in re.findall(r"<table[^>]*>", bare):
        assert 'role="presentation"' in table or "Job" in bare.split(table)[1][:300]


# What its owner wants.


def wish(session, **chosen):
    session.get_one(User, "user_123").notices = chosen
    session.commit()


def test_nothing_is_mailed_to_an_address_that_is_not_verified(session, execution):
    session.get_one(User, "user_123").verified_at = None
    note, mail = told(session, execution)
    assert (note.type, mail) == ("JOB_SUCCESS", None)


def test_an_event_switched_off_is_told_on_the_other_channel_alone(session, execution):
    wish(session, emailOff=["success"])
    note, mail = told(session, execution)
    assert (note.type, mail) == ("JOB_SUCCESS", None)


def test_a_mail_knows_what_it_tells_of(session, execution):
    wish(session, appOff=["success"])
    note, mail = told(session, execution)
    assert (note, mail.event, mail.execution_id) == (None, "success", execution.id)


@pytest.mark.parametrize("notify", ["ALL", "PROBLEMS"])
def test_the_first_success_after_a_failure_is_a_recovery(session, execution, notify):
    execution.job.told_outcome, execution.job.notify = "FAILED", notify
    note, mail = told(session, execution)
    assert (note.type, note.title) == ("JOB_RECOVERED", "Daily Content Generation works again")
    assert (mail.subject, mail.event) == ("✅ Daily Content Generation works again", "recovery")
    assert session.get_one(Job, execution.job_id).told_outcome == "SUCCESS"


def test_a_recovery_is_not_told_of_a_silent_job(session, execution):
    execution.job.told_outcome, execution.job.notify = "FAILED", "NONE"
    assert told(session, execution) == (None, None)


@pytest.mark.parametrize(("before", "mails"), [("FAILED", 0), ("SUCCESS", 1), (None, 1)])
def test_only_a_change_is_mailed_where_that_is_wanted(session, execution, before, mails):
    wish(session, onlyChanges=True)
    failed(execution)
    execution.job.told_outcome = before
    assert len(tell(session, execution, base_url=BASE)) == mails
    session.commit()
    assert session.query(Notification).count() == 1


def test_any_mail_can_be_posted_before_the_address_is_verified(session, execution):
    user = session.get_one(User, "user_123")
    user.verified_at = None
    story = {"title": "T", "happens": "h", "helps": "p", "projects": [], "button": "B", "link": "/l"}
    mail = post_mail(session, user, "token_expires", **story)
    session.commit()
    assert (mail.recipient, mail.subject, mail.execution_id) == ("user@example.com", "🔑 T", None)


# The digest.


@pytest.mark.parametrize("change", [lambda run: None, partial])
def test_what_waits_for_a_digest_is_no_mail(session, execution, change):
    wish(session, pace="DAILY")
    change(execution)
    posts = [Waiting("Hashnode", "A title", f"{BASE}/approve?token=a")]
    assert tell(session, execution, base_url=BASE, posts=posts) == []
    session.commit()
    entry = session.query(DigestEntry).one()
    assert (entry.job, entry.title) == (execution.job.name, session.query(Notification).one().title)
    assert entry.link == f"{BASE}/executions/exec_789xyz"
    assert entry.posts[0] == {"platform": "Hashnode", "title": "A title", "link": f"{BASE}/approve?token=a"}
    failures = [{"platform": "Dev.to", "error": "API rate limit"}] if change is partial else []
    assert entry.posts[1:] == failures
    assert session.query(EmailDelivery).count() == 0


@pytest.mark.parametrize(
    ("chosen", "mails", "entries"),
    [
        ({"pace": "DAILY"}, 1, 0),
        ({"pace": "DAILY", "urgentAtOnce": False}, 0, 1),
        ({"pace": "NONE"}, 1, 0),
        ({"pace": "NONE", "urgentAtOnce": False}, 0, 0),
        ({"pace": "DAILY", "emailOff": ["failure"]}, 0, 0),
    ],
)
def test_a_failure_may_be_mailed_at_once(session, execution, chosen, mails, entries):
    wish(session, **chosen)
    failed(execution)
    assert len(tell(session, execution, base_url=BASE)) == mails
    session.commit()
    assert session.query(DigestEntry).count() == entries


def test_a_pause_waits_as_one_entry(session, execution):
    wish(session, pace="WEEKLY", urgentAtOnce=False)
    failed(execution)
    assert tell(session, execution, base_url=BASE, paused=True) == []
    session.commit()
    entry = session.query(DigestEntry).one()
    assert (entry.event, entry.icon, entry.title) == ("paused", "⏸️", "Daily Content Generation is paused")
    assert entry.message.startswith("GitHub API error: Bad credentials Its last")


@pytest.mark.parametrize("pace", ["EACH", "DAILY", "NONE"])
def test_a_digest_costs_an_end_no_statement_more(session, execution, queries, pace):
    wish(session, pace=pace)
    session.refresh(execution.job)
    session.get_one(User, "user_123")
    queries.clear()
    tell(session, execution, base_url=BASE)
    session.flush()
    assert len(queries) <= {"EACH": 5, "DAILY": 5, "NONE": 4}[pace]
