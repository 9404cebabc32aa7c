"""GitHub's deliveries: who signed, what it is about, and that nothing else gets in or gets lost."""

import hashlib
import hmac
import io
import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy.exc import OperationalError

from models import Execution, Job, Project, WebhookDelivery

SECRET = "It's a Secret to Everybody"
NOW = datetime(2025, 10, 3, 9, tzinfo=UTC)
RECORDED = {
    "issues.closed": True,
    "ping": False,
    "pull_request.closed.merged": True,
    "pull_request.closed.unmerged": False,
    "push.branch": True,
    "push.merge_of_pr": True,
    "push.tag_deleted": False,
    "release.published": True,
    "release.published.2022": True,
}
REPOSITORY = {"id": 42, "full_name": "username/awesome-lib", "default_branch": "main"}
PUSH = {"ref": "refs/heads/main", "deleted": False, "repository": REPOSITORY}


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class GitHub:
    """Delivers to one project. Every answer is a small JSON sentence."""

    def __init__(self, app, path: str) -> None:
        self.client, self.path, self.number = app.test_client(), path, 0

    def __call__(self, payload, event="push", *, secret=SECRET, path=None, guid=None, form=False, **headers):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        if form:
            body = urlencode({"payload": body.decode()}).encode()
        self.number += 1
        sent = {
            "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": guid or f"00000000-0000-0000-0000-{self.number:012}",
            "X-Hub-Signature-256": signed(body, secret),
            "User-Agent": "GitHub-Hookshot/f1003bc",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in sent.items() if value is not None}
        return self.checked(self.client.post(path or self.path, data=body, headers=sent))

    def checked(self, response):
        answer = response.get_json()
        assert answer["success"] is (response.status_code < 300)
        assert answer["message" if answer["success"] else "error"].endswith(".")
        assert len(response.data) < 400
        return response


@pytest.fixture
def project(app, rows, user, clock):
    sealed = app.extensions["secret_box"].seal(SECRET)
    return rows.project(user, webhook_secret=sealed)


@pytest.fixture
def job(rows, project):
    return rows.job(project, run_on_push=True)


@pytest.fixture
def deliver(app, project, job) -> GitHub:
    return GitHub(app, f"/webhooks/github/{project.id}")


@pytest.fixture
def pushed(rows, job):
    """When the job's run is due because of a push."""
    return lambda: rows.get(Job, job.id).push_at


def test_githubs_own_example_of_a_signature():
    """From "Validating webhook deliveries", docs.github.com."""
    assert signed(b"Hello, World!") == (
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    )


def test_a_push_starts_the_job_in_ten_minutes(deliver, pushed, rows, project):
    answer = deliver(PUSH)
    assert answer.status_code == 202
    assert answer.json["message"] == "Accepted: 1 job runs at 2025-10-03T09:10:00.000Z unless more comes."
    assert pushed() == NOW + timedelta(minutes=10)
    (stored,) = rows.all(WebhookDelivery)
    assert (stored.project_id, stored.event, stored.received_at) == (project.id, "push", NOW)
    assert rows.all(Execution) == []


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_deliveries(deliver, pushed, rows, project, shared_data, name):
    """Each as its own repository would receive it; its own branch is the payload's default one."""
    recorded = json.loads((shared_data / "webhooks" / f"{name}.json").read_text())
    payload, headers = recorded["payload"], recorded["headers"]
    owner, _, repository = payload["repository"]["full_name"].partition("/")
    from tests.blueprints.pages import change

    branch = payload.get("pull_request", {}).get("base", {}).get("ref")
    change(rows, project, github_repo_owner=owner.upper(), github_repo_name=repository, github_branch=branch)
    answer = deliver(payload, headers["x-github-event"], guid=headers.get("x-github-delivery"))
    assert answer.status_code == (200 if name == "ping" else 202)
    assert (pushed() is not None) is RECORDED[name], answer.json
    assert len(rows.all(WebhookDelivery)) == 1


@pytest.mark.parametrize("order", [1, -1])
def test_a_merge_is_delivered_twice_and_starts_one_run(deliver, rows, project, shared_data, order):
    """As a merged pull request and as the push of its merge commit, in either order."""
    from tests.blueprints.pages import change

    change(rows, project, github_repo_owner="ailisp", github_repo_name="gcbapp-buildconfig-example")
    for name in ["pull_request.closed.merged", "push.merge_of_pr"][::order]:
        recorded = json.loads((shared_data / "webhooks" / f"{name}.json").read_text())
        headers = recorded["headers"]
        deliver(recorded["payload"], headers["x-github-event"], guid=headers["x-github-delivery"])
    assert len(rows.all(WebhookDelivery)) == 2
    assert [one.push_at for one in rows.all(Job)] == [NOW + timedelta(minutes=10)]


CONCERNS = {
    "a push": ("push", PUSH),
    "a forced push": ("push", PUSH | {"forced": True}),
    "the branch's first push": ("push", PUSH | {"created": True, "before": "0" * 40}),
    "a merged pull request": (
        "pull_request",
        {"action": "closed", "pull_request": {"merged": True, "base": {"ref": "main"}}},
    ),
    "a closed issue": ("issues", {"action": "closed"}),
    "a release": ("release", {"action": "published"}),
}
IGNORED = {
    "another branch": ("push", PUSH | {"ref": "refs/heads/topic"}, "went to topic"),
    "a branch of that name in a folder": ("push", PUSH | {"ref": "refs/heads/x/main"}, "went to x/main"),
    "a deleted branch": ("push", PUSH | {"deleted": True}, "deleted"),
    "a new tag": ("push", PUSH | {"ref": "refs/tags/main", "created": True}, "releases"),
    "a deleted tag": ("push", PUSH | {"ref": "refs/tags/v1", "deleted": True}, "releases"),
    "no ref": ("push", {"ref": None}, "branch"),
    "an opened pull request": ("pull_request", {"action": "opened", "pull_request": {}}, "merged"),
    "an unmerged pull request": (
        "pull_request",
        {"action": "closed", "pull_request": {"merged": False, "base": {"ref": "main"}}},
        "merged",
    ),
    "one merged elsewhere": (
        "pull_request",
        {"action": "closed", "pull_request": {"merged": True, "base": {"ref": "next"}}},
        "into next",
    ),
    "a pull request of another shape": ("pull_request", {"action": "closed", "pull_request": []}, "merged"),
    "an opened issue": ("issues", {"action": "opened"}, "closed issue"),
    "a draft of a release": ("release", {"action": "created"}, "published"),
    "a star": ("star", {"action": "created"}, "choose push, pull_request, issues, release"),
}


@pytest.mark.parametrize("name", CONCERNS)
def test_what_a_post_may_tell_starts_a_run(deliver, pushed, name):
    event, payload = CONCERNS[name]
    assert deliver({"repository": REPOSITORY} | payload, event).status_code == 202
    assert pushed() is not None


@pytest.mark.parametrize("name", IGNORED)
def test_what_no_post_tells_is_ignored_with_the_reason(deliver, pushed, name):
    event, payload, said = IGNORED[name]
    answer = deliver({"repository": REPOSITORY} | payload, event)
    assert answer.status_code == 202
    assert answer.json["message"].startswith("Ignored: ")
    assert said in answer.json["message"]
    assert pushed() is None


def test_the_projects_own_branch_counts_where_it_has_one(deliver, pushed, rows, project):
    from tests.blueprints.pages import change

    change(rows, project, github_branch="next")
    assert "reads next" in deliver(PUSH).json["message"]
    assert pushed() is None
    deliver(PUSH | {"ref": "refs/heads/next"})
    assert pushed() is not None


def test_a_ping_is_answered_and_seen(deliver, pushed, rows):
    answer = deliver({"zen": "Keep it logically awesome.", "hook_id": 1, "repository": REPOSITORY}, "ping")
    assert (answer.status_code, pushed()) == (200, None)
    assert [one.event for one in rows.all(WebhookDelivery)] == ["ping"]
    assert deliver({"zen": "…", "hook_id": 1}, "ping").status_code == 200  # an organisation's has none


def test_a_form_is_read_as_well(deliver, pushed):
    assert deliver(PUSH, form=True).status_code == 202
    assert pushed() is not None


def test_a_replayed_delivery_starts_nothing_further(deliver, pushed, rows, clock):
    deliver(PUSH, guid="one")
    clock.advance(60)
    answer = deliver(PUSH, guid="one")
    assert (answer.status_code, answer.json["message"]) == (202, "Delivered before: nothing further starts.")
    assert pushed() == NOW + timedelta(minutes=10)
    assert len(rows.all(WebhookDelivery)) == 1


def test_without_a_listening_job_it_says_where_to_switch_it_on(deliver, rows, job):
    from tests.blueprints.pages import change

    change(rows, job, run_on_push=False)
    assert "switch it on in the job's settings" in deliver(PUSH).json["message"]
    assert rows.get(Job, job.id).push_at is None


FORGED = {
    "another secret": {"secret": "guessed"},
    "none": {"X_Hub_Signature_256": None},
    "an empty one": {"X_Hub_Signature_256": ""},
    "half of it": {"X_Hub_Signature_256": "sha256=757107ea"},
    "letters that are none": {"X_Hub_Signature_256": "sha256=\u00e9"},
    "the old kind": {"X_Hub_Signature_256": None, "X_Hub_Signature": "sha1=0"},
    "no project": {"path": "/webhooks/github/proj_00000000000000000000"},
    "no id at all": {"path": "/webhooks/github/%00"},
}


@pytest.mark.parametrize("how", FORGED)
def test_who_cannot_sign_is_refused_and_learns_nothing(deliver, pushed, rows, queries, how):
    known = deliver(PUSH, secret="wrong")
    queries.clear()
    answer = deliver(PUSH, **FORGED[how])
    assert (answer.status_code, answer.data) == (403, known.data)
    looked_up = [one for one in queries if not one.startswith("BEGIN")]
    assert [one.split()[0] for one in looked_up] == ["SELECT"]
    assert (pushed(), rows.all(WebhookDelivery)) == (None, [])


@pytest.mark.parametrize(
    "change_to", [{"webhook_secret": None}, {"source_type": "GIT"}, {"webhook_secret": "of another key"}]
)
def test_a_project_without_a_webhook_refuses_alike(deliver, rows, project, change_to):
    from tests.blueprints.pages import change

    known = deliver(PUSH, secret="wrong")
    change(rows, project, **change_to)
    answer = deliver(PUSH)
    assert (answer.status_code, answer.data) == (403, known.data)


def test_many_forgeries_are_slowed_down_and_the_right_ones_never(deliver, pushed, rows):
    answers = [deliver(PUSH, secret="wrong").status_code for _ in range(130)]
    assert (answers[:120], set(answers[120:])) == ([403] * 120, {429})
    assert {deliver(PUSH).status_code for _ in range(5)} == {202}
    assert len(rows.all(WebhookDelivery)) == 5


def test_another_repositorys_delivery_starts_nothing(deliver, pushed, rows):
    answer = deliver(PUSH | {"repository": REPOSITORY | {"full_name": "other/lib"}})
    assert (answer.status_code, pushed(), rows.all(WebhookDelivery)) == (422, None, [])
    assert answer.json["error"] == "The delivery is about other/lib; this project reads username/awesome-lib."


def test_a_repositorys_id_outlives_its_name(deliver, pushed, rows, project):
    from tests.blueprints.pages import change

    change(rows, project, github_id=42)
    another = deliver(PUSH | {"repository": REPOSITORY | {"id": 43}})
    assert another.status_code == 422
    assert "another repository of that name" in another.json["error"]
    assert pushed() is None
    assert deliver(PUSH | {"repository": REPOSITORY | {"full_name": "username/renamed"}}).status_code == 202
    assert pushed() is not None


UNREADABLE = {
    "no JSON": b"{",
    "a list": b"[]",
    "no UTF-8": b'{"ref": "\xff"}',
    "too deep": b"[" * 100_000,
    "a number without end": b"9" * 10_000,
    "nothing": b"",
    "no repository": b"{}",
    "a repository of another shape": b'{"repository": [1]}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_signed_nonsense_is_refused(deliver, pushed, rows, body):
    assert deliver(body).status_code == 422
    assert (pushed(), rows.all(WebhookDelivery)) == (None, [])


@pytest.mark.parametrize(
    "headers",
    [
        {"X_GitHub_Event": None},
        {"X_GitHub_Delivery": None},
        {"X_GitHub_Delivery": "x" * 65},
        {"X_GitHub_Event": "A b"},
    ],
)
def test_headers_that_github_always_sends(deliver, rows, headers):
    assert deliver(PUSH, **headers).status_code == 422
    assert rows.all(WebhookDelivery) == []


def test_other_content_types_are_refused(deliver):
    answer = deliver(PUSH, Content_Type="text/plain")
    assert (answer.status_code, "application/json" in answer.json["error"]) == (415, True)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_only_post_is_taken(deliver, method):
    answer = deliver.checked(deliver.client.open(deliver.path, method=method))
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_a_signed_body_of_25_mb_counts(deliver, pushed):
    """The keys that matter stand at its end: GitHub promises no order."""
    body = json.dumps({"commits": ["x" * 1000] * 24_900} | PUSH).encode()
    assert 24_900_000 < len(body) < 25 * 1024 * 1024
    assert deliver(body).status_code == 202
    assert pushed() is not None


class Endless(io.RawIOBase):
    """A body without end, as a chunked one may be; `read_so_far` says how much was taken of it."""

    read_so_far = 0

    def readable(self) -> bool:
        return True

    def seek(self, *_) -> int:
        return 0  # Werkzeug's client asks

    def readinto(self, into) -> int:
        into[:] = b"x" * len(into)
        self.read_so_far += len(into)
        return len(into)


def post(deliver, body, **more):
    headers = {"X-GitHub-Event": "push", "X-GitHub-Delivery": "one", "X-Hub-Signature-256": "sha256=0"}
    return deliver.checked(
        deliver.client.post(
            deliver.path, input_stream=body, headers=headers, content_type="application/json", **more
        )
    )


def test_a_longer_body_is_refused_by_its_length_alone(deliver, queries):
    body = Endless()
    answer = post(deliver, body, environ_overrides={"CONTENT_LENGTH": str(25 * 1024 * 1024 + 1)})
    assert (answer.status_code, body.read_so_far, queries) == (413, 0, [])


def test_a_body_without_a_length_is_read_to_the_limit_and_no_further(deliver, rows):
    body = Endless()
    answer = post(deliver, body, environ_overrides={"wsgi.input_terminated": True})
    assert answer.status_code == 413
    assert body.read_so_far <= 25 * 1024 * 1024
    assert rows.all(WebhookDelivery) == []


def test_a_chunked_delivery_counts(deliver, pushed):
    raw = json.dumps(PUSH).encode()
    headers = {"X-GitHub-Event": "push", "X-GitHub-Delivery": "one", "X-Hub-Signature-256": signed(raw)}
    answer = deliver.client.post(
        deliver.path,
        input_stream=io.BytesIO(raw),
        headers=headers,
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 202
    assert pushed() is not None


def test_a_stranger_gets_no_memory_for_25_mb(deliver):
    class Long(Endless):
        def readinto(self, into) -> int:
            left = 25_000_000 - self.read_so_far
            return super().readinto(memoryview(into)[:left]) if left else 0

    deliver(PUSH, secret="wrong")
    tracemalloc.start()
    answer = post(deliver, Long(), environ_overrides={"wsgi.input_terminated": True})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (answer.status_code, peak < 4_000_000) == (403, True), peak


def test_a_database_that_is_away_answers_503(deliver, monkeypatch):
    """GitHub shows it, and the delivery can be sent again."""

    def refuse(*_args, **_more):
        raise OperationalError("SELECT", {}, Exception("the database system is starting up"))

    monkeypatch.setattr("sqlalchemy.engine.Engine.connect", refuse)
    answer = deliver(PUSH)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")


def test_a_project_that_is_deleted_meanwhile(deliver, monkeypatch, sessions, project):
    from pipeline import pushes

    whole = pushes.note

    def after_its_end(*arguments, **more):
        with sessions() as session:
            session.delete(session.get(Project, project.id))
            session.commit()
        return whole(*arguments, **more)

    monkeypatch.setattr(pushes, "note", after_its_end)
    assert deliver(PUSH).status_code == 403
