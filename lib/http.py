"""One small HTTP client for every service. Whatever goes wrong below HTTP becomes the caller's own error."""

import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

import requests
from requests.exceptions import BaseHTTPError  # type: ignore[attr-defined]

from lib import clock
from lib.errors import OutsideError

USER_AGENT = "Repocast/1.0"
REDIRECTS_MAX = 5
_CHUNK = 64 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)
_MALFORMED = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    UnicodeError,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes. `connect`: to reach the server; `read`: of silence from it; `total`: for one call
    with its redirects; `size`: of one unpacked body; `pool`: connections kept, one per thread."""

    connect: float = 5.0
    read: float = 25.0
    total: float = 60.0
    size: int = 10 * 1024 * 1024
    pool: int = 8


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. `headers` have lower-case names; `url` is where it was said, after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    def json(self) -> Any:
        """The decoded body, whatever its declared type. Raises ValueError when it is not JSON."""
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("nested too deep") from None

    @property
    def date(self) -> datetime | None:
        """The server's clock when it answered, None when it did not tell."""
        return _http_date(self.headers.get("date"))

    @property
    def retry_after(self) -> float | None:
        """`Retry-After` in seconds from now; it comes as a number or as an instant (RFC 9110, 10.2.3)."""
        text = self.headers.get("retry-after", "").strip()
        if re.fullmatch("[0-9]{1,9}", text):
            return float(text)
        instant = _http_date(text)
        if instant is None:
            return None
        return max(0.0, (instant - (self.date or clock.now())).total_seconds())

    @property
    def links(self) -> dict[str, str]:
        """The `Link` header: relation to absolute address."""
        found = requests.utils.parse_header_links(self.headers.get("link", ""))
        return {link["rel"]: urljoin(self.url, link["url"]) for link in found if "rel" in link}


class Client:
    """Calls one service from any number of threads; close it after use, or use it in a `with`.

    `service` opens every sentence (`GitHub API` gives `GitHub API error: connection failed`), `error` is the
    class raised for all that fails below HTTP; an answer of any status is returned. `headers` go with each
    call. The arguments of `limits` are seconds and bytes, see there.
    Redirects are followed for GET only, and only to the same scheme, host and port: a token must not travel.
    """

    def __init__(
        self,
        service: str,
        error: type[OutsideError],
        *,
        headers: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.service = service
        self.limits = limits or Limits()
        self._error = error
        self._session = _session(headers or {}, self.limits.pool)
        self._lock = threading.Lock()
        self._sent = 0

    @property
    def sent(self) -> int:
        """How many requests went out, redirects included."""
        return self._sent

    def get(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """GET. Raises the caller's error class when no whole answer came; see `request`."""
        return self.request("GET", url, params=params, headers=headers)

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
    ) -> Answer:
        """Send one request, `json` as its body, and read the whole answer within the limits.

        Raises the caller's error class: permanent for a malformed address or header and for an answer over
        the size limit, otherwise (network, time-out, a redirect that is not followed) such that it may pass.
        """
        deadline = time.monotonic() + self.limits.total
        with self._failures_named():
            prepared = self._session.prepare_request(
                requests.Request(method, url, headers=headers, params=params, json=json)
            )
        answer = self._exchange(prepared, deadline)
        for _ in range(REDIRECTS_MAX):
            if method != "GET" or answer.status not in _REDIRECTS or "location" not in answer.headers:
                return answer
            prepared = self._redirected(prepared, answer)
            answer = self._exchange(prepared, deadline)
        raise self.failure(f"more than {REDIRECTS_MAX} redirects")

    def decode(self, answer: Answer) -> Any:
        """The answer's JSON. Raises the caller's error class, not permanent, when it is something else."""
        try:
            return answer.json()
        except ValueError:
            raise self.failure(f"HTTP {answer.status} without a JSON answer") from None

    def failure(self, detail: str, *, permanent: bool = False) -> OutsideError:
        """The caller's error, worded as all of this client's are."""
        return self._error(f"{self.service} error: {detail}", permanent=permanent)

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _redirected(self, sent: requests.PreparedRequest, answer: Answer) -> requests.PreparedRequest:
        target = urljoin(answer.url, answer.headers["location"])
        if not same_origin(target, answer.url):
            # Not permanent: maintenance pages and captive portals redirect too, and they go away.
            raise self.failure("redirected to another server, which was not followed")
        following = sent.copy()
        with self._failures_named():
            following.prepare_url(target, None)
        return following

    def _exchange(self, prepared: requests.PreparedRequest, deadline: float) -> Answer:
        limits, left = self.limits, self._left(deadline)
        with self._lock:
            self._sent += 1
        with (
            self._failures_named(),
            self._session.send(
                prepared,
                stream=True,
                timeout=(min(limits.connect, left), min(limits.read, left)),
                allow_redirects=False,
            ) as response,
        ):
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, headers, self._body(response, deadline), response.url)

    def _body(self, response: requests.Response, deadline: float) -> bytes:
        # read1 returns after one read from the socket, so that a trickling server meets the deadline;
        # iter_content would wait for a full chunk.
        parts: list[bytes] = []
        size = 0
        while part := response.raw.read1(_CHUNK, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > self.limits.size:
                raise self.failure(f"an answer over {self.limits.size:,} bytes", permanent=True)
            self._left(deadline)
        return b"".join(parts)

    def _left(self, deadline: float) -> float:
        left = deadline - time.monotonic()
        if left <= 0:
            raise self.failure(f"no whole answer within {self.limits.total:g} s")
        return left

    @contextmanager
    def _failures_named(self) -> Iterator[None]:
        """The one place where what `requests` raises changes shape."""
        try:
            yield
        except requests.exceptions.ConnectTimeout as error:
            raise self.failure(f"no connection within {self.limits.connect:g} s") from error
        except requests.exceptions.Timeout as error:
            raise self.failure(f"no answer within {self.limits.read:g} s") from error
        except _MALFORMED:
            # Without the cause: its text would quote the header, which may be a token.
            raise self.failure("the address or a header is malformed", permanent=True) from None
        except requests.exceptions.SSLError as error:
            raise self.failure("no secure connection (TLS failed)") from error
        except (requests.exceptions.RequestException, BaseHTTPError, OSError) as error:
            late = isinstance(error.__cause__, TimeoutError)  # urllib3's time-out in the middle of a body
            raise self.failure(
                f"no answer within {self.limits.read:g} s" if late else "connection failed"
            ) from error


def same_origin(one: str, other: str) -> bool:
    """Whether two addresses have the same scheme, host and port; False for what is no address."""
    try:
        return _origin(one) == _origin(other)
    except ValueError:
        return False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _session(headers: Mapping[str, str], pool: int) -> requests.Session:
    session = requests.Session()
    # ~/.netrc would replace our Authorization header (requests 2.34, tried 2026-11-23).
    session.trust_env = False
    # A cookie jar is the part of a Session that threads must not share; no service of ours needs cookies.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"User-Agent": USER_AGENT, **headers})
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=pool)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _http_date(text: str | None) -> datetime | None:
    try:
        value = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value
