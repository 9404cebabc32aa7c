"""Random histories of a repository, scanned as a job scans them, and the account of what was told.

A history is a seed. Between scans the world changes at random (`Story`), scans fail at random, and some
changes happen in the middle of a scan. `Reader` keeps a job's cursor by the pipeline's own rules. At the end
`Account.settle` compares what was told with what there was.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import requests

from lib.http import Answer as HttpAnswer
from lib.http import Client
from models.values import Activity, ItemKind
from pipeline.scan import WindowPlan, read
from sources.base import Caps, SourceError
from sources.github import GitHub
from tests.standins.github import error, stamp
from tests.standins.github_graph import Graph
from tests.standins.github_world import ItemKey, LiveStandIn, Meets, World
from tests.standins.server import Answer, Request

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAGES = (1, 2, 3, 100)
"""Items per page that the client asks for: with few, small histories have many pages."""
REASONS = ("completed", "not_planned", "duplicate")


class Story:
    """What people do, at random."""

    def __init__(self, dice: random.Random, world: World) -> None:
        self.dice, self.world = dice, world
        self.events: list[str] = []
        self.default_may_change = True

    def begin(self) -> None:
        """What was there before the job was made, or nothing at all."""
        if self.dice.random() < 0.05:
            return
        self.world.push(self.world.default_branch, *(self.world.ago(days=d) for d in (40, 30, 9, 5, 3, 0.1)))
        if self.dice.random() < 0.5:
            self.world.branch_off("next")
        for _ in range(self.dice.randint(0, 3)):
            self.happen()

    def wait(self) -> None:
        """Often no second passes, sometimes days."""
        seconds = self.dice.choice((0, 0, 1, self.dice.randint(2, 50), 60 * self.dice.randint(1, 90)))
        if self.dice.random() < 0.12:
            seconds = 3600 * self.dice.randint(2, 120)
        self.world.now += timedelta(seconds=seconds)

    def happen(self) -> None:
        events: dict[Callable[[], None], int] = {
            self.push: 6,
            self.open_pull: 4,
            self.merge_pull: 5,
            self.close_pull: 1,
            self.open_issue: 3,
            self.close_issue: 4,
            self.reopen_issue: 1,
            self.touch: 2,
            self.draft: 1,
            self.publish: 2,
            self.revert: 1,
            self.force_push: 2,
            self.rename: 1,
            self.change_default: 1,
        }
        event = self.dice.choices(list(events), list(events.values()))[0]
        self.events.append(f"{stamp(self.world.now)} {event.__name__}")
        event()

    def dates(self) -> list[datetime | None]:
        """Of commits that are pushed now: of today, of weeks ago, or by a clock that is wrong."""
        ways = (
            lambda: None,
            lambda: self.world.ago(minutes=self.dice.randint(1, 600)),
            lambda: self.world.ago(days=self.dice.randint(1, 60)),
            lambda: self.world.ago(hours=-self.dice.randint(1, 60)),
        )
        return [self.dice.choices(ways, (5, 4, 2, 1))[0]() for _ in range(self.dice.randint(1, 4))]

    def branch(self) -> str:
        there = [name for name in ("next",) if self.world.head(name)]
        return self.dice.choice(there) if there and self.dice.random() < 0.2 else self.world.default_branch

    def push(self) -> None:
        self.world.push(self.branch(), *self.dates())

    def open_pull(self) -> None:
        if self.world.head(self.world.default_branch):
            self.world.open_pull(self.branch(), self.dates(), self.dice.randint(0, 2))

    def merge_pull(self) -> None:
        if pulls := self._open(self.world.data["pulls"]):
            pull = self.dice.choice(pulls)
            self.world.merge(pull, self.dice.choice(("merge", "squash", "rebase", "push")))
            if self.dice.random() < 0.7:
                self.world.drop_branch(pull)

    def close_pull(self) -> None:
        if pulls := self._open(self.world.data["pulls"]):
            self.world.close(self.dice.choice(pulls))

    def open_issue(self) -> None:
        self.world.open_issue()

    def close_issue(self) -> None:
        if issues := self._open(self.world.data["issues"]):
            self.world.close(self.dice.choice(issues), self.dice.choice(REASONS))
        else:
            self.world.open_issue()

    def reopen_issue(self) -> None:
        if closed := [i for i in self.world.data["issues"] if i["state"] == "closed"]:
            self.world.reopen(self.dice.choice(closed))

    def touch(self) -> None:
        if items := self.world.data["issues"] + self.world.data["pulls"]:
            self.world.touch(self.dice.choice(items))

    def draft(self) -> None:
        if line := self.world.line(self.world.default_branch):
            self.world.draft(self.dice.choice(line[:6]))

    def publish(self) -> None:
        if drafts := [r for r in self.world.data["releases"] if r["draft"]]:
            self.world.publish(self.dice.choice(drafts))
        elif line := self.world.line(self.world.default_branch):
            self.world.publish(self.world.draft(line[0]))

    def revert(self) -> None:
        branch = self.world.default_branch
        if line := self.world.line(branch):
            about = self.world.data["commit_details"][self.dice.choice(line[:4])]
            words = about["commit"]["message"].partition("\n")[0]
            message = f'Revert "{words}"\n\nThis reverts commit {about["sha"]}.'
            self.world.set_head(branch, self.world.commit([line[0]], message=message))

    def force_push(self) -> None:
        branch = self.branch()
        line = self.world.line(branch)
        if len(line) < 3:
            return
        match self.dice.choices(("reset", "amend", "rebase", "orphan"), (3, 3, 6, 1))[0]:
            case "orphan":
                self.world.set_head(branch, self.world.commit([]))
            case "reset":
                self.world.set_head(branch, line[self.dice.randint(1, min(3, len(line) - 1))])
            case "amend":
                self.world.replay(branch, 1, below=False)
            case "rebase":
                self.world.replay(branch, self.dice.randint(1, 4), below=True)
        if self.dice.random() < 0.5:
            self.world.push(branch, *self.dates())
        if self.dice.random() < 0.3:
            self.world.collect()

    def rename(self) -> None:
        """Done by the stand-in, which keeps the old names: see `History`."""

    def change_default(self) -> None:
        """The default branch gets another name, or another branch becomes it."""
        if not self.default_may_change or not self.world.head(self.world.default_branch):
            return
        if self.world.head("next") and self.dice.random() < 0.4:
            self.world.switch_default("next")
        else:
            self.world.rename_default(f"trunk-{len(self.events)}")

    def _open(self, items: list) -> list:
        return [item for item in items if item["state"] == "open"]


class Reader:
    """A job that reads the repository: its cursor, and what it told. The plan of each window and the call of
    the source are the pipeline's own; what a finished run stores is `pipeline.finish` and `record` in small.
    """

    def __init__(self, first: dict, branch: str | None) -> None:
        self.branch = branch
        self.owner, self.name = "octo", "alive"
        self.project = SimpleNamespace(github_id=None)
        self.told: list[ItemKey] = []
        self.job = SimpleNamespace(first_run=first, cursor_until=None, cursor_floor=None)
        self.job.cursor_head = self.job.cursor_read = self.job.cursor_etag = None
        self.job.carried_since = None

    @property
    def is_first(self) -> bool:
        """Whether nothing was told yet, though something may be carried over."""
        job = self.job
        return job.cursor_until is None or (job.carried_since is not None and job.cursor_read is None)

    def plan(self) -> WindowPlan:
        return WindowPlan(self.job, SimpleNamespace(tell_since=None, triggered_by="scheduled"), self.project)  # type: ignore[arg-type]

    def scan(self, url: str, plan: WindowPlan) -> Activity:
        """Raises SourceError."""
        caps = Caps(details=2)
        source = GitHub(url, self.owner, self.name, branch=self.branch, token="t0ken", caps=caps)
        return read(source, plan, self._told_before)

    def _told_before(self, keys: Collection[tuple[ItemKind, str]]) -> set:
        return set(keys) & set(self.told)

    def finish(self, activity: Activity) -> None:
        """What a COMPLETED execution leaves behind."""
        job, window = self.job, activity.window
        self.told += activity.keys()
        job.cursor_floor = min(job.cursor_floor or window.since, window.since)
        job.cursor_until, job.cursor_head = window.until, window.head or job.cursor_head
        job.carried_since = None
        if not activity.unchanged:
            job.cursor_read = window.until
            job.cursor_etag = activity.seen.etag if activity.seen else None
        self.learn(activity)

    def carry(self, activity: Activity) -> None:
        """What a run leaves that tells nothing, because it is not significant."""
        job, window = self.job, activity.window
        self.told += [key for key in activity.passed if key[0] == "release"]
        job.cursor_floor = job.cursor_floor or window.since
        if job.carried_since is None:
            job.cursor_read = job.cursor_read or job.cursor_until
        job.cursor_until = job.cursor_until or window.since
        job.carried_since = job.carried_since or window.until
        self.learn(activity)

    def learn(self, activity: Activity) -> None:
        if activity.seen is not None:
            self.project.github_id = activity.seen.id
            self.owner, _, self.name = activity.seen.full_name.partition("/")


@dataclass
class Account:
    """What has to be told, what may be, and what must not."""

    world: World
    reader: Reader
    must: dict[ItemKey, str] = field(default_factory=dict)
    may: set[ItemKey] = field(default_factory=set)
    exempt: set[ItemKey] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    scanning: bool = False
    by_date_from: datetime | None = None
    start: datetime = START

    @property
    def watched(self) -> str:
        return self.reader.branch or self.world.default_branch

    def shown(self) -> dict[ItemKey, datetime]:
        return self.world.happened(self.watched, self.reader.branch)

    def base_is_lost(self, base: str | None) -> bool:
        """Whether GitHub can no longer compare with it."""
        graph, head = Graph(self.world.data), self.world.head(self.watched)
        known = base in graph.commits and head is not None
        return not known or graph.merge_base(base, head) is None  # type: ignore[arg-type]

    def noticed(self) -> None:
        """Look again after a change, which may come in the middle of a scan."""
        shown = self.shown()
        self.note(shown)
        if self.scanning and self.base_is_lost(self.reader.job.cursor_head):
            self.by_date_from = self.start
        if self.scanning:
            self._excuse(shown)

    def note(self, shown: dict[ItemKey, datetime]) -> None:
        self.may |= set(shown)

    def began(self, plan: WindowPlan) -> dict[ItemKey, datetime]:
        """What is there now. A scan that goes by dates does not see what is older than where it begins."""
        shown = self.shown()
        self.note(shown)
        first = self.reader.is_first
        self.by_date_from = None
        self.start = plan.since if first else min(plan.since, plan.margin_from or plan.since)
        if first:
            self.by_date_from = self.start
            self.exempt |= {key for key, at in shown.items() if at <= plan.since}
        elif self.base_is_lost(plan.base):
            self.by_date_from = self.start
        self._excuse(shown)
        return shown

    def _excuse(self, shown: dict[ItemKey, datetime]) -> None:
        if self.by_date_from is not None:
            start = self.by_date_from
            self.exempt |= {key for key, at in shown.items() if key[0] == "commit" and at <= start}

    def succeeded(self, activity: Activity, before: dict[ItemKey, datetime], when: str) -> None:
        """`before`: what was there when the scan began; what is still there had to be told by the end."""
        keys = activity.keys()
        twice = [key for key, count in Counter([*self.reader.told, *keys]).items() if count > 1]
        if twice:
            self.faults.append(f"told twice at {when}: {self._named(twice)}")
        after = self.shown()
        self.note(after)
        if self.by_date_from is not None or self.base_is_lost(activity.window.base):
            self.by_date_from = self.start
            self._excuse(after)
        elif _commits(before) == _commits(after):
            self._no_copies(activity, _commits(after), when)
        strange = [key for key in keys if key not in self.may]
        if strange:
            self.faults.append(f"told what never was at {when}: {self._named(strange)}")
        if not activity.unchanged:
            self.must |= {key: when for key in before if key in after and key not in self.exempt}

    def _no_copies(self, activity: Activity, now: set[str], when: str) -> None:
        """What a force push took off the branch and put back under new ids was told before."""
        assert activity.window.base is not None
        taken_off = Graph(self.world.data).reach(activity.window.base) - now
        known = {self.world.identity(sha) for sha in taken_off}
        copies = [("commit", c.sha) for c in activity.commits if self.world.identity(c.sha) in known]
        if copies:
            self.faults.append(f"copies of what was told at {when}: {self._named(copies)}")

    def settle(self) -> list[str]:
        """All that is wrong, in words."""
        told = set(self.reader.told)
        named = [self.world.identity(sha) for kind, sha in self.reader.told if kind == "commit"]
        identities = set(named) | {self.world.identity(s) for kind, s in self.exempt if kind == "commit"}
        for key, when in self.must.items():
            kind, name = key
            copied = kind == "commit" and self.world.identity(name) in identities
            if key not in told and not copied:
                self.faults.append(f"never told, though it was there at {when}: {self._named([key])}")
        return self.faults

    def _named(self, keys: Collection[ItemKey]) -> str:
        """With the dates of commits."""
        details = self.world.data["commit_details"]
        return ", ".join(
            f"{kind} {name[:30]}"
            + (f" of {details[name]['commit']['committer']['date']}" if kind == "commit" else "")
            for kind, name in keys
        )


def _commits(shown: Collection[ItemKey]) -> set[str]:
    return {name for kind, name in shown if kind == "commit"}


@dataclass
class History:
    """One seed's story. `serve`: makes the world's stand-in reachable at the URL that it returns."""

    seed: int
    serve: Callable[[LiveStandIn], str]
    set_clock: Callable[[Callable[[], datetime]], None]
    log: list[str] = field(default_factory=list)
    counts: Counter = field(default_factory=Counter)

    def run(self) -> list[str]:
        """What went wrong; empty when nothing did."""
        self.dice = dice = random.Random(self.seed)
        self.world = world = World(START, salt=str(self.seed))
        self.server = LiveStandIn(world)
        self.url = self.serve(self.server)
        off = timedelta(seconds=dice.choice((0, 0, -240, 240)))
        self.set_clock(lambda: world.now + off)
        self.story = Story(dice, world)
        self.story.begin()
        branch = dice.choice((None, None, None, "main", "next"))
        branch = branch if branch is None or world.head(branch) else None
        self.story.default_may_change = branch is None
        first = dice.choice(({"days": 7}, {"days": 1}, {"since": stamp(world.ago(days=dice.randint(1, 50)))}))
        self.reader = Reader(first, branch)
        self.account = Account(world, self.reader)
        for _ in range(dice.randint(3, 8)):
            for _ in range(dice.randint(0, 6)):
                self.story.wait()
                self._event()
            self._scan(calm=False)
        world.now += timedelta(hours=2)
        self._scan(calm=True)
        # All is read again after three days, though nothing seems to have changed.
        world.now += timedelta(days=3, hours=1)
        self._scan(calm=True)
        return self.account.settle()

    def _event(self) -> None:
        self.story.happen()
        self.account.noticed()
        if self.story.events[-1].endswith("rename"):
            about = self.world.data["repository"]
            old, new = about["full_name"], f"octo/alive-{len(self.story.events)}"
            about |= {"full_name": new, "name": new.partition("/")[2]}
            moved = self.server.moved
            for name in (*moved, old.lower()):
                moved[name] = new
        self.log.append(self.story.events[-1])

    def _scan(self, *, calm: bool) -> None:
        """Once, or again and again until it succeeds when all is calm."""
        world, when = self.world, stamp(self.world.now)
        plan = self.reader.plan()
        before = self.account.began(plan)
        if not calm:
            self.server.after(self._disturbance())
        self.account.scanning = True
        try:
            activity = self.reader.scan(self.url, plan)
        except SourceError as failed:
            self.log.append(f"{when} scan failed: {failed.message}")
            self.counts["failures"] += 1
            if failed.permanent:
                self.account.faults.append(f"a failure that may pass was called permanent: {failed.message}")
            if calm:
                self.account.faults.append(f"failed in calm: {failed.message}")
            return
        finally:
            self.server.after({})
            self.account.scanning = False
        # What is not told is told with what comes by then; where nothing is, there is nothing to carry.
        if not calm and activity.has_activity and self.dice.random() < 0.2:
            self.log.append(f"{when} carried over: {activity.summary}")
            self.counts["carried"] += 1
            self.reader.carry(activity)
            return
        self.account.succeeded(activity, before, when)
        self.reader.finish(activity)
        self.counts["scans"] += 1
        self.counts["unchanged"] += activity.unchanged
        self.counts["items"] += len(activity.keys())
        until = stamp(activity.window.until)
        self.log.append(f"{when} scan to {until}: {'unchanged' if activity.unchanged else activity.summary}")
        world.now += timedelta(seconds=self.dice.choice((0, 0, 1, 30)))

    def _disturbance(self) -> dict[int, Meets]:
        """What a scan meets at which of its requests: mostly nothing, some changes, or a failure that may
        last."""
        what = self.dice.random()
        if what < 0.5:
            return {}
        if what < 0.8:
            at = sorted({self.dice.randint(0, 12) for _ in range(self.dice.choice((1, 1, 2, 4)))})
            self.log.append(f"(in the middle, before requests {at})")
            return dict.fromkeys(at, self._meanwhile)
        reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1780000000"}
        failures = (
            error(500, "Server Error"),
            Answer(503, "<html>Unicorn!"),
            Answer(502, {"message": "Server Error"}),
            Answer(drop=True),
            error(403, "You have exceeded a secondary rate limit", {"Retry-After": "60"}),
            error(403, "API rate limit exceeded", reset),
            Answer(200, "<html>Hello"),
        )
        at, length = self.dice.randint(0, 9), self.dice.choice((1, 1, 2, 3, 100))
        return dict.fromkeys(range(at, at + length), self.dice.choice(failures))

    def _meanwhile(self) -> None:
        if self.dice.random() < 0.5:
            self.world.now += timedelta(seconds=self.dice.choice((0, 1, 2)))
        self._event()


def direct(
    servers: dict[str, LiveStandIn],
) -> Callable[[Client, requests.PreparedRequest, float], HttpAnswer]:
    """Instead of `lib.http.Client._exchange`: hands each request to the stand-in of its host, without a
    socket between them."""

    def exchange(client: Client, prepared: requests.PreparedRequest, deadline: float) -> HttpAnswer:
        with client._lock:
            client._sent += 1
        parts = urlsplit(str(prepared.url))
        headers = {name.lower(): str(value) for name, value in prepared.headers.items()}
        query = dict(parse_qsl(parts.query))
        request = Request(str(prepared.method), parts.path, query, headers, b"", 0.0)
        answer = servers[parts.netloc]._answer(request)
        if answer.drop:
            raise client.failure("connection failed")
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        body = b"" if answer.status == 304 else text.encode()
        lower = {name.lower(): value for name, value in answer.headers.items()}
        return HttpAnswer(answer.status, lower, body, str(prepared.url))

    return exchange
