"""The site of states behind a real server in this process, with the clock standing still."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from flask import abort
from sqlalchemy.orm import sessionmaker
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.blueprints.conftest import Rows
from tests.blueprints.pages import Visitor
from tests.site.states import AT, Site, State, fill


class _Silent(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """A line for each request tells nothing here."""


@dataclass(frozen=True)
class Served:
    app: Any
    site: Site
    url: str

    def answer(self, state: State) -> Any:
        """Without a browser."""
        visitor = Visitor(self.app, self.site.users.get(state.who))
        return visitor.get(state.path) if state.form is None else visitor.post(state.path, state.form)

    def cookie(self, who: str) -> dict[str, str]:
        """For a browser's context that is to be signed in."""
        client = Visitor(self.app, self.site.users[who])._client
        return {"name": "session", "value": client.get_cookie("session").value, "url": self.url}


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """Its database and files lie in `folder`."""
    from app import create_app
    from lib.settings import load
    from models.base import Base, make_engine
    from tasks import queue

    url = f"sqlite:///{folder / 'site.db'}"
    engine = make_engine(url)
    with mock.patch("lib.clock.now", return_value=AT):
        app = create_app(
            load({"INSTANCE_PATH": str(folder), "DATABASE_URL": url, "SECRET_KEY": "tests-only"})
        )
        app.testing = True
        app.add_url_rule("/broken/<int:code>", view_func=abort)
        Base.metadata.create_all(engine)
        site = fill(Rows(sessionmaker(engine, expire_on_commit=False)))
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield Served(app, site, f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            queue.disconnect()
            engine.dispose()
            with app.app_context():
                app.extensions["sqlalchemy"].engine.dispose()
