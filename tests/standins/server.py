"""A small real HTTP server on 127.0.0.1 that the stand-ins share: routes, switches for failing, and a log
of requests.

A stand-in subclasses `StandIn` and implements `handle(request) -> Answer`. Switches:
`latency` seconds before each answer; `failures`, a list of Answers (or exceptions: "hang", "reset") that
are given first, one per request whose path contains the key it was planted with.
"""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    at: float

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """`body` is sent as JSON unless it is str or bytes. `delay` is seconds; `drop` closes the connection
    without a word."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False


class StandIn:
    def __init__(self, latency: float = 0.0) -> None:
        self.latency = latency
        self.requests: list[Request] = []
        self._planted: list[tuple[str, Answer]] = []
        self._always: list[tuple[str, Answer]] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def handle(self, request: Request) -> Answer:
        raise NotImplementedError

    def fail_once(self, path_part: str, *answers: Answer) -> None:
        """The next requests whose path contains `path_part` get these answers, in order."""
        with self._lock:
            self._planted += [(path_part, answer) for answer in answers]

    def fail_always(self, path_part: str, answer: Answer) -> None:
        """Every request whose path contains `path_part` gets this answer until `heal()`."""
        with self._lock:
            self._always.append((path_part, answer))

    def heal(self) -> None:
        with self._lock:
            self._planted.clear()
            self._always.clear()

    def _answer(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            for entry in self._planted:
                if entry[0] in request.path:
                    self._planted.remove(entry)
                    return entry[1]
            for part, answer in self._always:
                if part in request.path:
                    return answer
        return self.handle(request)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> "StandIn":
        self._server = _Server(
            ("127.0.0.1", 0),
            _handler_for(self._answer, lambda: self.latency, self._closing),
        )
        threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            daemon=True,
        ).start()
        return self

    def stop(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> "StandIn":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what some tests are about."""


def _handler_for(
    answer_to: Callable[[Request], Answer],
    latency: Callable[[], float],
    closing: threading.Event,
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two writes: with it each answer costs 40 ms

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query)),
                headers,
                body,
                time.monotonic(),
            )
            answer = answer_to(request)
            closing.wait(latency() + answer.delay)
            if answer.drop or closing.is_set():
                self.close_connection = True
                self.connection.close()
                return
            self._send(answer)

        def _send(self, answer: Answer) -> None:
            raw = isinstance(answer.body, str | bytes)
            data = (
                answer.body
                if isinstance(answer.body, bytes)
                else (answer.body if raw else json.dumps(answer.body)).encode()
            )
            data = b"" if answer.status in (204, 304) else data
            headers = {"content-type": "text/html" if raw else "application/json; charset=utf-8"}
            headers |= {name.lower(): value for name, value in answer.headers.items()}
            self.send_response_only(answer.status)
            headers.setdefault("date", self.date_time_string())
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """The stand-in keeps its own log."""

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    return Handler
