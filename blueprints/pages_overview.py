"""The dashboard as a whole: what needs its user, which jobs are asked for, and in what order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from sqlalchemy import func, select

from blueprints import pages_cards, pages_cost, view
from blueprints.extensions import db
from blueprints.htmx import version
from blueprints.pages_cards import Card, failed_last, is_paused
from blueprints.pages_coming import Ahead, ahead
from lib import clock
from lib.words import plural
from models import Draft, DraftState, EmailDelivery, Execution, Job, Project, User
from models.values import Status

PAGE_SIZE = 50
SORTS = {
    "name": "Name",
    "needs": "Needs attention first",
    "next": "Next run",
    "failure": "Last failure",
}
STATES = {"needs": "Needs you", "live": "Running", "idle": "Idle", "paused": "Paused", "disabled": "Disabled"}
WAITING, TOKEN_SOON = timedelta(days=14), timedelta(days=7)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address says; anything it does not know reads as its default."""

    q: str = ""
    state: str = ""
    sort: str = "name"
    view: str = "cards"
    page: int = 1

    @classmethod
    def of(cls, args: Mapping[str, str]) -> "Asked":
        state, sort, page = args.get("state", ""), args.get("sort", "name"), args.get("page", "1")
        return cls(
            q=args.get("q", "").strip()[:100],
            state=state if state in STATES else "",
            sort=sort if sort in SORTS else "name",
            view="list" if args.get("view") == "list" else "cards",
            page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
        )

    def but(self, **changes: str | int) -> str:
        """The query of the same with `changes`; defaults stay out. A change starts at the first page."""
        other = replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]
        pairs = {name: getattr(other, name) for name in ("q", "state", "sort", "view", "page")}
        given = {name: value for name, value in pairs.items() if value != getattr(_DEFAULT, name)}
        return f"?{urlencode(given)}" if given else "?"


_DEFAULT = Asked()


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for its user. `where` says what it is, `id` which one."""

    tone: str
    sentence: str
    where: str
    id: str = ""
    project_id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    state: str
    word: str
    count: int


@dataclass(frozen=True, slots=True)
class Overview:
    asked: Asked
    truth: str
    needs: tuple[Need, ...]
    chips: tuple[Chip, ...]
    ahead: Ahead
    cards: tuple[Card, ...]
    projects: tuple[Project, ...]
    total: int
    matching: int
    first_run_waits: bool
    """Whether the only job has never run; told once, as the page is opened."""

    @property
    def is_live(self) -> bool:
        return any(card.is_live for card in self.cards)

    @property
    def is_paged(self) -> bool:
        return self.matching > PAGE_SIZE

    @property
    def has_next(self) -> bool:
        return self.asked.page * PAGE_SIZE < self.matching

    @property
    def order(self) -> str:
        """Which cards stand there, and in what order."""
        return version((self.asked, [card.id for card in self.cards], self.matching))[:4]

    @property
    def top(self) -> str:
        return version((self.truth, self.needs, self.ahead, self.chips))[:4]

    @property
    def versions(self) -> str:
        """Four letters each for the order, the top and every card: a poll names what it shows by them."""
        return self.order + self.top + "".join(version(card)[:4] for card in self.cards)


def overview(user: User, asked: Asked) -> Overview:
    """All of it, in six queries; two more where a project has a budget."""
    with_edges = pages_cards.jobs_with_edges(Job.user_id == user.id)
    rows, edges = [job for job, _ in with_edges], {job.id: edge for job, edge in with_edges}
    live = pages_cards.live(Job.user_id == user.id)
    projects, waiting, undelivered = _projects(user)
    found = [job for job in rows if _matches(job, live.get(job.id), asked)]
    _sort(found, live, asked.sort)
    first = (asked.page - 1) * PAGE_SIZE
    shown = pages_cards.chosen([(job, edges[job.id]) for job in found[first : first + PAGE_SIZE]], live)
    return Overview(
        asked=asked,
        truth=pages_cards.truth_of(rows, live.values()),
        needs=(*_needs(rows, live, projects), *_others(waiting, undelivered)),
        chips=tuple(
            Chip(state, word, sum(_is(job, live.get(job.id), state) for job in rows))
            for state, word in STATES.items()
        ),
        ahead=ahead(rows, user.timezone),
        cards=tuple(shown),
        projects=tuple(projects),
        total=len(rows),
        matching=len(found),
        first_run_waits=len(rows) == 1 and rows[0].last_run_at is None,
    )


def _projects(user: User) -> tuple[Sequence[Project], bool, int]:
    """The projects, and with them whether drafts wait and how many mails were given up of late."""
    since = clock.now() - WAITING
    drafts = select(Draft.id).where(
        Draft.user_id == user.id, Draft.created_at >= since, Draft.state == DraftState.DRAFT
    )
    mails = select(func.count()).where(
        EmailDelivery.status == "FAILED", EmailDelivery.user_id == user.id, EmailDelivery.created_at >= since
    )
    query = select(Project, drafts.exists(), mails.scalar_subquery()).where(Project.user_id == user.id)
    rows = db.session.execute(query.order_by(Project.name, Project.id)).all()
    return [row[0] for row in rows], bool(rows and rows[0][1]), rows[0][2] if rows else 0


def _matches(job: Job, live: Execution | None, asked: Asked) -> bool:
    text = f"{job.name} {job.project.name}".casefold()
    return asked.q.casefold() in text and (not asked.state or _is(job, live, asked.state))


def _is(job: Job, live: Execution | None, state: str) -> bool:
    match state:
        case "needs":
            return _tone(job, live) != ""
        case "live":
            return live is not None
        case "paused":
            return is_paused(job)
        case "disabled":
            return not job.is_enabled
        case _:
            return live is None and job.is_enabled and not is_paused(job)


def _tone(job: Job, live: Execution | None) -> str:
    if live is not None:
        return "warn" if live.status == Status.RETRYING else ""
    return "warn" if _stopped(job) else "bad" if failed_last(job) else ""


def _stopped(job: Job) -> bool:
    """Whether it paused itself; a pause that its owner chose needs nobody."""
    return job.is_enabled and job.paused_at is not None


def _sort(found: list[Job], live: Mapping[str, Execution], by: str) -> None:
    """In place; equals stay in the order of their names."""
    if by == "next":
        found.sort(key=lambda job: job.next_run_at or _NEVER)
    elif by == "failure":
        found.sort(key=lambda job: job.last_failure.timestamp() if job.last_failure else 0, reverse=True)
    elif by == "needs":
        found.sort(key=lambda job: _tone(job, live.get(job.id)) == "")


def _needs(rows: Sequence[Job], live: Mapping[str, Execution], projects: Sequence[Project]) -> list[Need]:
    needs = []
    for job in rows:
        execution = live.get(job.id)
        if execution is not None and execution.status == Status.RETRYING:
            needs.append(Need("wait", "waits to retry.", "execution", execution.id, name=job.name))
        elif execution is None and _stopped(job):
            needs.append(Need("pause", "is paused.", "paused", job.id, job.project_id, job.name))
        elif execution is None and failed_last(job):
            needs.append(Need("bad", "failed.", "failed", job.id, job.project_id, job.name))
    needs += [
        Need(one.tone, one.sentence, "budget", one.project_id, name=one.project)
        for one in pages_cost.warnings(projects)
    ]
    return needs + [_token(project) for project in projects if _expires(project)]


def _expires(project: Project) -> bool:
    return project.token_expires_at is not None and project.token_expires_at <= clock.now() + TOKEN_SOON


def _token(project: Project) -> Need:
    at = project.token_expires_at or clock.now()
    verb = "has expired" if at <= clock.now() else "expires"
    return Need("time", f"its token {verb} {view.relative(at)}.", "token", project.id, name=project.name)


def _others(waiting: bool, undelivered: int) -> list[Need]:
    needs = [Need("none", "Drafts wait for your review.", "drafts")] if waiting else []
    if undelivered:
        needs.append(Need("warn", f"{plural(undelivered, 'mail')} could not be delivered.", "mail"))
    return needs
