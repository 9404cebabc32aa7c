"""Rows to start from, and a client that speaks for one user and checks that every answer is described."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

BORN = datetime(2025, 10, 2, 10, 30, tzinfo=UTC)


class Rows:
    """Makes rows, each in a transaction of its own, so that none is open while the application works."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions
        self._numbers = itertools.count(1)

    def add(self, row: Any) -> Any:
        with self._sessions(expire_on_commit=False) as session:
            session.add(row)
            session.commit()
        return row

    def add_all(self, rows: Iterable[Any]) -> None:
        """In one transaction."""
        with self._sessions() as session:
            session.add_all(rows)
            session.commit()

    def get(self, model: Any, row_id: Any) -> Any:
        with self._sessions(expire_on_commit=False) as session:
            return session.get(model, row_id)

    def all(self, model: Any) -> list[Any]:
        with self._sessions(expire_on_commit=False) as session:
            return list(session.query(model))

    def user(self, **values: Any) -> Any:
        from models import User

        given = {"email": f"user{next(self._numbers)}@example.com", "password_hash": "-", "verified_at": BORN}
        return self.add(User(**given | values))

    def token(self, user: Any, **values: Any) -> str:
        from lib.digests import digest
        from models import ApiToken

        token = f"repocast_{next(self._numbers)}"
        self.add(ApiToken(user_id=user.id, digest=digest(token), **values))
        return token

    def project(self, user: Any, **values: Any) -> Any:
        from models import Project

        given = {
            "name": "My Open Source Library",
            "github_repo_owner": "username",
            "github_repo_name": "awesome-lib",
            "created_at": self._later(),
        }
        return self.add(Project(user_id=user.id, **given | values))

    def platform(self, project: Any, kind: str, **values: Any) -> Any:
        from models import Platform

        given = {"type": kind, "created_at": self._later()}
        return self.add(Platform(project_id=project.id, **given | values))

    def job(self, project: Any, **values: Any) -> Any:
        from models import Job

        given = {
            "name": "Daily Content Generation",
            "frequency": "DAILY",
            "time_config": {"hour": 9, "minute": 0, "timezone": "UTC"},
            "schedule": "0 9 * * *",
            "timezone": "UTC",
            "next_run_at": datetime(2025, 10, 4, 9, tzinfo=UTC),
            "created_at": self._later(),
        }
        return self.add(Job(user_id=project.user_id, project_id=project.id, **given | values))

    def execution(self, job: Any, **values: Any) -> Any:
        from models import Execution

        given = {
            "user_id": job.user_id,
            "project_id": job.project_id,
            "triggered_by": "manual",
            "status": "COMPLETED",
            "outcome": "SUCCESS",
            "created_at": self._later(),
        }
        return self.add(Execution(job_id=job.id, **given | values))

    def draft(self, execution: Any, kind: str, **values: Any) -> Any:
        from models import Draft

        given = {
            "user_id": execution.user_id,
            "job_id": execution.job_id,
            "platform_type": kind,
            "title": f"A title for {kind}",
            "content": f"A post for {kind}",
            "tags": ["webdev"],
            "created_at": self._later(),
        }
        return self.add(Draft(execution_id=execution.id, **given | values))

    def _later(self) -> datetime:
        """Rows of one list have instants of their own."""
        return BORN + timedelta(seconds=next(self._numbers))


class Api:
    """One user's program. Every answer must be one that the description names."""

    def __init__(self, app: Any, token: str | None) -> None:
        self._app, self._client = app, app.test_client()
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str, **options: Any) -> Any:
        headers = {**self._headers, **options.pop("headers", {})}
        response = self._client.open(path, method=method, headers=headers, **options)
        self._check(method, path, response)
        return response

    def get(self, path: str, **options: Any) -> Any:
        return self("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> Any:
        return self("POST", path, **({} if json is None else {"json": json}), **options)

    def patch(self, path: str, json: Any, **options: Any) -> Any:
        return self("PATCH", path, json=json, **options)

    def delete(self, path: str, **options: Any) -> Any:
        return self("DELETE", path, **options)

    def _check(self, method: str, path: str, response: Any) -> None:
        with self._app.test_request_context(path, method=method) as context:
            rule = context.request.url_rule.rule.replace("<", "{").replace(">", "}")
            described = _description()["paths"][rule][method.lower()]
        assert str(response.status_code) in described["responses"], response.get_data(as_text=True)


@cache
def _description() -> dict[str, Any]:
    """Of any test's application: all have the same calls."""
    from blueprints.api.openapi import document

    return document()


@pytest.fixture
def rows(sessions) -> Rows:
    return Rows(sessions)


@pytest.fixture
def user(rows: Rows, app) -> Any:
    return rows.user()


@pytest.fixture
def as_user(app, rows: Rows):
    """A client for any user."""
    return lambda user: Api(app, rows.token(user))


@pytest.fixture
def api(app, user, as_user, clock) -> Iterator[Api]:
    """A client for `user`; the clock stands at the instant at which the walkthrough's job comes due."""
    from tasks.queue import huey

    yield as_user(user)
    huey.storage.close()


@pytest.fixture
def stranger(app, rows: Rows, as_user, clock) -> Api:
    """A client for somebody else."""
    return as_user(rows.user())


@pytest.fixture
def bells(app) -> Iterator[Callable[[], list[tuple[str, tuple[str, ...]]]]]:
    """The tasks that wait in the queue, as (name, arguments), those with a time of their own last."""
    from tasks.queue import huey

    huey.storage.flush_all()
    yield lambda: [(task.name, task.args) for task in [*huey.pending(), *huey.scheduled()]]
    huey.storage.close()


def fields(response: Any) -> list[str]:
    """The fields that a refusal names."""
    body = response.get_json()
    assert body["success"] is False
    assert body["error"].endswith(".")
    return [detail["field"] for detail in body["details"]]


def statements(queries: list[str]) -> int:
    """How many there were, SQLite's own BEGIN aside."""
    return sum(not statement.startswith("BEGIN") for statement in queries)
