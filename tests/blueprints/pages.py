"""A browser without JavaScript: it follows no redirect by itself, and sends forms with their token."""

import html
import re
import secrets
from typing import Any

from sqlalchemy import inspect


class Visitor:
    """One person at the pages. `htmx=True` asks as htmx does."""

    def __init__(self, app: Any, user: Any = None) -> None:
        self._client = app.test_client()
        if user is not None:
            sign_in(app, self._client, user)

    def get(self, path: str, *, htmx: bool = False) -> Any:
        return self._client.get(path, headers={"HX-Request": "true"} if htmx else {})

    def post(self, path: str, data: Any = None, *, htmx: bool = False, token: str | None = None) -> Any:
        data = {**(data or {}), "csrf_token": self.token() if token is None else token}
        return self._client.post(path, data=data, headers={"HX-Request": "true"} if htmx else {})

    def token(self) -> str:
        """As any page of this session carries it."""
        page = self._client.get("/register" if self.see("/settings").status_code != 200 else "/settings")
        return re.search(r'name="csrf_token" value="([^"]+)"', page.get_data(as_text=True))[1]

    def see(self, path: str) -> Any:
        return self._client.get(path)

    def follow(self, response: Any) -> str:
        """The page that a 303 leads to."""
        assert response.status_code == 303, response.get_data(as_text=True)
        return text(self._client.get(response.location))


def sign_in(app: Any, client: Any, user: Any) -> None:
    """The client has the cookie of a session that exists."""
    from blueprints.extensions import db
    from lib.digests import digest
    from models import UserSession

    secret = secrets.token_urlsafe(8)
    with app.app_context():
        db.session.add(UserSession(id=digest(secret), user_id=user.id))
        db.session.commit()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = secret, True


def text(response: Any) -> str:
    """The page as its reader has it: without tags, spaces joined."""
    body = response.get_data(as_text=True)
    body = re.sub(r"<datalist.*?</datalist>|<title>.*?</title>", "", body, flags=re.S)
    words = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())
    return re.sub(r" ([.,;:])(?= |$)", r"\1", words)


def value(response: Any, name: str) -> str:
    """What stands in the form's field."""
    field = re.search(rf'<input[^>]*\bname="{name}"[^>]*>', response.get_data(as_text=True))
    return html.unescape(re.search(r'value="([^"]*)"', field[0])[1])


def area(response: Any, name: str, field_id: str = "") -> str:
    """What stands in the form's text area; `field_id` picks one of several of that name."""
    which = rf'id="{field_id}"[^>]*' if field_id else ""
    field = rf'<textarea [^>]*{which}\bname="{name}"[^>]*>\n(.*?)</textarea>'
    return html.unescape(re.search(field, response.get_data(as_text=True), flags=re.S)[1])


def beside(response: Any, name: str) -> str:
    """The sentence beside the form's field."""
    body = response.get_data(as_text=True)
    found = re.search(rf'id="e-{name}">(.*?)</p>', body, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", found[1])).split()) if found else ""


def change(rows: Any, row: Any, **values: Any) -> None:
    """As if the worker had written it meanwhile."""
    with rows._sessions() as session:
        stored = session.get(type(row), inspect(row).identity)
        for name, new in values.items():
            setattr(stored, name, new)
        session.commit()


def step(rows: Any, execution: Any, name: str, **values: Any) -> Any:
    from models import Step

    return rows.add(Step(execution_id=execution.id, name=name, **{"attempt": 1} | values))


def attempt(rows: Any, execution: Any, number: int, **values: Any) -> Any:
    from models import Attempt

    return rows.add(Attempt(execution_id=execution.id, number=number, **values))
