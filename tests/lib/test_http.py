"""The HTTP client against a real local server, with each way in which a server disappoints."""

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lib.errors import OutsideError
from lib.http import Answer, Client, Limits, same_origin
from tests.standins.server import Answer as Reply
from tests.standins.server import Request, StandIn

pytestmark = pytest.mark.loopback

SECRET = "ghp_not_to_be_seen"


class ThingError(OutsideError):
    """The caller's own error."""


class Echo(StandIn):
    """Tells what it was asked."""

    def handle(self, request: Request) -> Reply:
        seen = {"method": request.method, "path": request.path, "query": request.query}
        return Reply(body=seen | {"headers": request.headers, "body": request.body.decode()})


@pytest.fixture
def server() -> Iterator[StandIn]:
    with Echo() as running:
        yield running


def client(**limits: float) -> Client:
    headers = {"Authorization": f"Bearer {SECRET}"}
    return Client("Thing", ThingError, headers=headers, limits=Limits(**limits))


def failure(url: str, **limits: float) -> ThingError:
    with pytest.raises(ThingError) as caught, client(**limits) as thing:
        thing.get(url)
    assert SECRET not in str(caught.value)
    return caught.value


def test_get_sends_our_name_headers_and_parameters(server):
    with client() as thing:
        seen = thing.decode(thing.get(server.url + "/a", {"since": "2025-10-02T09:00:00Z"}, {"X-One": "1"}))
    assert seen["query"] == {"since": "2025-10-02T09:00:00Z"}
    assert seen["headers"]["user-agent"] == "Repocast/1.0"
    assert seen["headers"]["authorization"] == f"Bearer {SECRET}"
    assert seen["headers"]["x-one"] == "1"


def test_post_sends_json(server):
    with client() as thing:
        seen = thing.decode(thing.request("POST", server.url + "/a", json={"title": "Größe"}))
    assert seen["method"] == "POST"
    assert json.loads(seen["body"]) == {"title": "Größe"}


def test_netrc_does_not_replace_the_token(server, tmp_path: Path, monkeypatch):
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login thief password thief\n")
    monkeypatch.setenv("NETRC", str(file))
    with client() as thing:
        seen = thing.decode(thing.get(server.url))
    assert seen["headers"]["authorization"] == f"Bearer {SECRET}"


def test_any_status_is_an_answer(server):
    server.fail_once("/a", Reply(503, {"message": "Server Error"}, {"Retry-After": "7"}))
    with client() as thing:
        answer = thing.get(server.url + "/a")
    assert (answer.status, answer.retry_after) == (503, 7.0)
    assert thing.decode(answer) == {"message": "Server Error"}


def test_what_is_not_json_is_refused(server):
    server.fail_once("/a", Reply(503, "<h1>Unavailable</h1>", {"content-type": "application/json"}))
    with client() as thing, pytest.raises(ThingError) as caught:
        thing.decode(thing.get(server.url + "/a"))
    assert caught.value.message == "Thing error: HTTP 503 without a JSON answer"
    assert not caught.value.permanent


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\xff", b"[" * 100_000, b'{"a":'])
def test_broken_json_is_refused(body):
    with client() as thing, pytest.raises(ThingError, match="HTTP 200 without a JSON answer"):
        thing.decode(Answer(200, {}, body, "http://x/"))


def test_silence_ends_at_the_read_limit(server):
    server.fail_once("/a", Reply(delay=5))
    error = failure(server.url + "/a", read=0.2)
    assert (error.message, error.permanent) == ("Thing error: no answer within 0.2 s", False)


def test_a_dropped_connection_may_pass(server):
    server.fail_once("/a", Reply(drop=True))
    error = failure(server.url + "/a")
    assert (error.message, error.permanent) == ("Thing error: connection failed", False)


def test_nobody_listening_may_pass():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    error = failure(url)
    assert (error.message, error.permanent, error.retry_after) == (
        "Thing error: connection failed",
        False,
        None,
    )


def test_no_tls_behind_https(server):
    error = failure(server.url.replace("http:", "https:") + "/a")
    assert error.message == "Thing error: no secure connection (TLS failed)"


def test_an_oversized_answer_is_permanent(server):
    server.fail_once("/a", Reply(body="x" * 5000))
    error = failure(server.url + "/a", size=4000)
    assert (error.message, error.permanent) == ("Thing error: an answer over 4,000 bytes", True)


def test_the_size_limit_counts_unpacked_bytes(server):
    server.fail_once("/a", Reply(body=gzip.compress(b"0" * 5_000_000), headers={"content-encoding": "gzip"}))
    assert failure(server.url + "/a", size=100_000).permanent


def test_packed_answers_are_unpacked(server):
    packed = gzip.compress(json.dumps(["0" * 300_000]).encode())
    server.fail_once("/a", Reply(body=packed, headers={"content-encoding": "gzip"}))
    with client() as thing:
        assert thing.decode(thing.get(server.url + "/a")) == ["0" * 300_000]


def test_an_answer_that_breaks_off_may_pass():
    with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1,") as url:
        error = failure(url)
    assert (error.message, error.permanent) == ("Thing error: connection failed", False)


def test_a_chunked_answer_is_read():
    with (
        raw_server(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n"
        ) as url,
        client() as thing,
    ):
        assert thing.decode(thing.get(url)) == [1, 2]


def test_silence_in_the_middle_of_a_body_is_a_time_out():
    with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1,", stay=True) as url:
        assert failure(url, read=0.2).message == "Thing error: no answer within 0.2 s"


def test_a_trickling_server_meets_the_total_limit():
    trickle = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b" " * 900
    with raw_server(trickle, stay=True, pause=0.02) as url:
        error = failure(url, read=5, total=0.5)
    assert (error.message, error.permanent) == ("Thing error: no whole answer within 0.5 s", False)


def test_what_is_no_http_may_pass():
    with raw_server(b"220 mail ready\r\n") as url:
        assert failure(url).message == "Thing error: connection failed"


@pytest.mark.parametrize("location", ["/b?x=1", "{url}/b?x=1"])
def test_a_redirect_on_the_same_server_is_followed(server, location):
    server.fail_once("/a", Reply(301, {}, {"Location": location.format(url=server.url)}))
    with client() as thing:
        answer = thing.get(server.url + "/a", {"page": "2"})
    seen = thing.decode(answer)
    assert (seen["path"], seen["query"]) == ("/b", {"x": "1"})
    assert seen["headers"]["authorization"] == f"Bearer {SECRET}"
    assert (answer.url, thing.sent) == (server.url + "/b?x=1", 2)


def test_a_redirect_to_another_server_is_not_followed(server):
    with Echo() as other:
        server.fail_once("/a", Reply(302, {}, {"Location": other.url + "/b"}))
        error = failure(server.url + "/a")
        assert other.requests == []
    assert error.message == "Thing error: redirected to another server, which was not followed"


def test_a_redirected_post_is_handed_back(server):
    server.fail_once("/a", Reply(301, {}, {"Location": "/b"}))
    with client() as thing:
        assert thing.request("POST", server.url + "/a", json={}).status == 301
    assert len(server.requests) == 1


def test_redirects_in_a_circle_end(server):
    server.fail_always("/a", Reply(302, {}, {"Location": "/a"}))
    assert failure(server.url + "/a").message == "Thing error: more than 5 redirects"


@pytest.mark.parametrize(
    "url", ["http://", "no address", "ftp://127.0.0.1/", "http://127.0.0.1:port/", "http://*.x/"]
)
def test_a_malformed_address_is_permanent(url):
    assert failure(url).permanent


@pytest.mark.parametrize("token", [f"{SECRET}\n", f"{SECRET}\r\nX: y", f"{SECRET}–"])
def test_a_malformed_token_is_permanent_and_never_quoted(server, token):
    thing = Client("Thing", ThingError, headers={"Authorization": f"Bearer {token}"})
    with pytest.raises(ThingError) as caught:
        thing.get(server.url)
    error = caught.value
    assert error.permanent
    assert error.message == "Thing error: the address or a header is malformed"
    assert error.__suppress_context__
    assert error.__cause__ is None


def test_cookies_are_not_kept(server):
    server.fail_once("/a", Reply(200, {}, {"Set-Cookie": "session=1; Path=/"}))
    with client() as thing:
        thing.get(server.url + "/a")
        assert "cookie" not in thing.decode(thing.get(server.url + "/a"))["headers"]


def test_threads_share_a_client(server):
    with client() as thing, ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda n: thing.decode(thing.get(f"{server.url}/{n}"))["path"], range(100)))
    assert seen == [f"/{n}" for n in range(100)]
    assert thing.sent == 100


def test_times_and_links_of_an_answer():
    headers = {
        "date": "Fri, 03 Oct 2025 09:00:04 GMT",
        "retry-after": "Fri, 03 Oct 2025 09:01:04 GMT",
        "link": '</x?page=2>; rel="next", <https://other.example/x?page=3>; rel="last"',
    }
    answer = Answer(200, headers, b"", "https://api.example/x")
    assert answer.date == datetime(2025, 10, 3, 9, 0, 4, tzinfo=UTC)
    assert answer.retry_after == 60
    assert answer.links == {"next": "https://api.example/x?page=2", "last": "https://other.example/x?page=3"}


@pytest.mark.parametrize("text", ["", "soon", "-3", "1e3"])
def test_times_that_say_nothing(text):
    answer = Answer(200, {"date": text, "retry-after": text}, b"", "https://api.example/x")
    assert (answer.date, answer.retry_after, answer.links) == (None, None, {})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/x", "https://A.example:443/y", True),
        ("https://a.example/x", "http://a.example/x", False),
        ("https://a.example/x", "https://a.example.evil/x", False),
        ("https://a.example/x", "https://a.example@evil.example/x", False),
        ("http://a.example:8080/", "http://a.example:8081/", False),
        ("http://a.example/", "http://a.example:port/", False),
    ],
)
def test_same_origin(one, other, same):
    assert same_origin(one, other) is same


class raw_server:
    """Answers one connection with exactly these bytes; `pause` seconds between bytes of the body."""

    def __init__(self, data: bytes, *, stay: bool = False, pause: float = 0) -> None:
        self.data, self.stay, self.pause = data, stay, pause
        self.done = threading.Event()

    def __enter__(self) -> str:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/"

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join(5)
        self.listener.close()

    def _serve(self) -> None:
        connection, _ = self.listener.accept()
        with connection:
            connection.recv(65536)
            try:
                self._send(connection)
            except OSError:
                return
            if self.stay:
                self.done.wait(5)

    def _send(self, connection: socket.socket) -> None:
        if not self.pause:
            return connection.sendall(self.data)
        head, gap, body = self.data.partition(b"\r\n\r\n")
        connection.sendall(head + gap)
        for byte in body:
            if self.done.wait(self.pause):
                return None
            connection.sendall(bytes([byte]))
        return None
