"""Speaking to GitHub's REST API: pages and parallel calls.

Rules from docs.github.com/rest (API versions, pagination, best practices), read 2026-11-23.
"""

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from lib.http import Answer, Client, Limits, same_origin
from models.values import Budget, FileChange
from sources import github_headers, github_shapes
from sources.github_errors import SERVICE, Unreached, elsewhere, odd_shape, rank, refusal

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Page = Sequence[Any]

# The last whose pull requests tell their merge commit (2026-03-10 dropped it); supported at least to 2028-03.
API_VERSION = "2022-11-28"
# GitHub allows 100 at once (secondary limits); eight keep a scan short and leave room for the token's others.
CONCURRENT = 8
# No list is read further than this: 10,000 commits. A server whose links never end must not hold a worker.
PAGES_MAX = 100
# How often the front of a list is read again while more than a page moves there.
READ_AGAIN = 5

# An empty repository (commits), a feature that is switched off (issues): nothing there, and no error.
NOTHING_THERE = (409, 410)


@dataclass(frozen=True, slots=True)
class Listing(Generic[T_co]):
    """A whole list, and the server's clock at its first page. `is_cut`: there was more; `is_absent`: there is
    no such list, as of an empty repository. `pages`: how many there are, as far as the first one told."""

    items: Sequence[T_co]
    date: datetime | None
    is_cut: bool = False
    is_absent: bool = False
    pages: int = 1


class Api:
    """One scan's connection. `url`: the API's base without a trailing slash; `token` goes nowhere else.

    Its methods may be called from any thread and raise GitHubError. Close it after use. `budget` is what the
    rate limit left at the last answer, `token_expires` when the token ends; None where GitHub does not say.
    """

    def __init__(self, url: str, token: str | None, limits: Limits | None = None) -> None:
        self.url = url
        self._token = token
        self._version = {"X-GitHub-Api-Version": API_VERSION}
        self._failing = threading.Event()
        self.budget: Budget | None = None
        self.token_expires: datetime | None = None
        headers = {"Accept": "application/vnd.github+json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._client = Client(SERVICE, Unreached, headers=headers, limits=limits or Limits(pool=CONCURRENT))

    @property
    def requests(self) -> int:
        """How many requests went out."""
        return self._client.sent

    def listing(
        self,
        path: str,
        params: Mapping[str, str],
        read: Callable[[Any], T | None],
        is_last: Callable[[Page], bool] = lambda page: False,
        most: int | None = None,
        moves: Callable[[Any], str] | None = None,
    ) -> Listing[T]:
        """All pages of a list, each item through `read` (None: not wanted), at most so many, to `is_last` of
        a page.

        `moves`: what changes of an item when it moves to the front of its list; such an item is passed over
        by who reads on from page to page, so the front of a list of several pages is read again, until
        nothing moved meanwhile. An empty repository or a feature that is switched off is an empty list.
        Raises GitHubError.
        """
        answer = self.ask(path, params)
        if answer.status in NOTHING_THERE:
            return Listing([], answer.date, is_absent=True)
        items: list[T] = []
        is_cut, pages, seen = False, 0, set[str]()
        for page, is_cut in self._pages(answer, most or PAGES_MAX):
            pages += 1
            items += _kept(page, read)
            with known_shape():
                seen.update(moves(raw) for raw in page if moves)
                if is_last(page):
                    is_cut = False
                    break
        if moves and pages > 1:
            items += _kept(self._moved(path, params, moves, seen), read)
        return Listing(items, answer.date, is_cut, pages=_last_page(answer) or 1)

    def _moved(
        self, path: str, params: Mapping[str, str], moves: Callable[[Any], str], seen: set[str]
    ) -> Iterator[Any]:
        """What is at the front of its list by now and was not seen."""
        for _ in range(READ_AGAIN):
            pages = 0
            for pages, (page, _) in enumerate(self._pages(self.ask(path, params), PAGES_MAX), 1):  # noqa: B007
                with known_shape():
                    fresh = [raw for raw in page if moves(raw) not in seen]
                    seen.update(map(moves, fresh))
                yield from fresh
                if not fresh or len(fresh) < len(page):
                    break
            if pages < 2:  # what was read as one page is whole
                return

    def ask(self, path: str, params: Mapping[str, str] | None = None, *, etag: str | None = None) -> Answer:
        """The answer of any status; 304 when what `etag` names is unchanged, which costs nothing of the
        budget."""
        return self._get(self.url + path, params, {"If-None-Match": etag} if etag else None)

    def read(self, answer: Answer) -> Any:
        """The JSON of an answer that was no refusal."""
        return self._client.decode(self._accepted(answer))

    def files(self, path: str, most: int) -> tuple[tuple[FileChange, ...], int]:
        """The files that a commit changed, at most `most` of a page (300), and at least how many more.

        One request; the rest is told by the number of pages. Raises GitHubError.
        """
        answer = self._accepted(self.ask(path, {"per_page": str(most)}))
        with known_shape():
            files = [github_shapes.file_change(raw) for raw in self._client.decode(answer).get("files") or ()]
            last = _last_page(answer)
            beyond = (last - 2) * most + 1 if last else 0
        return tuple(files[:most]), max(beyond, 0) + len(files[most:])

    def together(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """The results of all calls, at most CONCURRENT at once.

        After a failure nothing beyond the first CONCURRENT is begun, what is under way ends within its
        limits, and the most telling error is raised; no thread outlives this call.
        """
        with ThreadPoolExecutor(CONCURRENT, "github") as pool:
            futures = [pool.submit(call) for call in calls]
            wait(futures, return_when=FIRST_EXCEPTION)
            if any(future.done() and future.exception() for future in futures):
                self._failing.set()
            # The first ones always run, however late their threads start: which error is told is no accident.
            for future in futures[CONCURRENT:]:
                future.cancel()
        errors = [error for f in futures if not f.cancelled() and (error := f.exception())]
        if errors:
            raise min(errors, key=rank)
        return [future.result() for future in futures]

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _pages(self, answer: Answer, most: int) -> Iterator[tuple[Page, bool]]:
        """Each page, and whether it is the last one read though there are more."""
        for number in range(1, most + 1):
            page = self._client.decode(self._accepted(answer))
            if not isinstance(page, list):
                raise odd_shape()
            following = answer.links.get("next")
            yield page, bool(following) and number == most
            if not following or number == most or self._failing.is_set():
                return
            if not same_origin(following, self.url):
                raise elsewhere()
            answer = self._get(following)

    def _get(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        version = self._version
        answer = self._client.get(url, params, {**version, **(headers or {})})
        if answer.status == 400 and version:
            # An Enterprise Server that is older than the version refuses it and is right without it.
            self._version = {}
            answer = self._client.get(url, params, headers)
        self._spend(github_headers.budget(answer))
        self.token_expires = github_headers.token_expiry(answer) or self.token_expires
        return answer

    def _spend(self, left: Budget | None) -> None:
        """Answers of parallel requests come in any order: the least that is left is the latest."""
        before = self.budget
        if left and (before is None or left.reset > before.reset or left.remaining < before.remaining):
            self.budget = left

    def _accepted(self, answer: Answer) -> Answer:
        if answer.status != 200:
            raise refusal(answer, self._token)
        return answer


def _last_page(answer: Answer) -> int | None:
    """The number of the last page; None where this is the last one, or GitHub does not count."""
    found = re.search(r"[?&]page=(\d{1,6})", answer.links.get("last", ""))
    return int(found[1]) if found else None


def _kept(raws: Iterable[Any], read: Callable[[Any], T | None]) -> list[T]:
    with known_shape():
        return [item for raw in raws if (item := read(raw)) is not None]


@contextmanager
def known_shape() -> Iterator[None]:
    """Whatever an odd shape raises while it is read becomes a GitHubError."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise odd_shape() from error
