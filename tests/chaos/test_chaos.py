"""Whatever instant a worker is killed at: no slot is lost, none is run twice, nothing is paid or told twice.

`make test` (and so CI) runs a short round, every boundary once and a few kills at random; `make long` and
`make chaos` run the long one of 200 kills and more, over both databases.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.message import EmailMessage
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tasks import queue
from tests.chaos import boundaries, oracle
from tests.chaos.killer import Killer, NotReachedError
from tests.chaos.stream import Stream
from tests.chaos.world import Call, Forge, Model, environment
from tests.standins.mail import Mailbox

pytestmark = pytest.mark.loopback
PATIENCE = 60.0
"""Seconds until a worker has come past a boundary."""
STANDSTILL = 8.0
"""Seconds for which a worker is stopped at most: longer than LAPSE and LEASE in `tests.chaos.consumer`."""
STOP, AT_RANDOM = "stop when ", "at random"
STOPS = (
    f"{STOP}the model answered",
    f"{STOP}the mail server said yes",
    f"{STOP}the scan answered",
    f"{STOP}after the commit of begin",
    f"{STOP}after the commit of post",
)
"""Not inside a transaction, where a worker that stands still keeps all others from writing to SQLite."""


class Round:
    """One world with its stream of work and its two workers."""

    def __init__(self, engine: Engine, environ: dict[str, str], folder: Path) -> None:
        self.engine, self.environ, self.folder = engine, environ, folder
        self.dice = random.Random()
        self.stuck: list[str] = []
        self.started = time.monotonic()

    def run(self, each: int, at_random: int, stops: int) -> dict:
        """Kill `each` times at every boundary and so often at random; the counts, and what was violated."""
        plan = [*boundaries.ALL * each, *[AT_RANDOM] * at_random, *islice(cycle(STOPS), stops)]
        self.dice.shuffle(plan)
        with Forge(self.dice, ill=3) as github, Model(self.dice, ill=3) as model, Mailbox() as mailbox:
            env = {**self.environ, **environment(github, model, mailbox.port)}
            stream = Stream(self.engine, self.dice, pause=0.2)
            stream.make_jobs(seldom=30, minutely=6, late=2)
            with Killer(self.folder, env, self.dice) as killer:
                try:
                    with stream:
                        for place in plan:
                            self._kill(place, killer, github, mailbox)
                    self._rest()
                except NotReachedError as error:  # the rows say more
                    self.stuck.append(str(error))
            return self._judge(stream, killer, model, mailbox)

    def _kill(self, place: str, killer: Killer, github: Forge, mailbox: Mailbox) -> None:
        github.fail_next = 2 if place.endswith("commit of failure") else 0
        if place == AT_RANDOM:
            if self.dice.random() < 0.2:
                mailbox.delay()
            killer.at_random(longest=0.7)
            mailbox.heal()
        elif place.startswith(STOP):
            place = place.removeprefix(STOP)
            runs = dict if "mail" in place else partial(oracle.running, self.engine)
            killer.stop_at(place, PATIENCE, STANDSTILL, runs)
        elif place.endswith("commit of recovery"):
            self._kill_who_recovers(place, killer)
        else:
            killer.at_boundary(place, PATIENCE)

    def _kill_who_recovers(self, place: str, killer: Killer) -> None:
        """It needs somebody who died in the middle of a run that nobody cancels meanwhile."""
        for _ in range(4):
            killer.at_boundary("the model answered", PATIENCE)
            with suppress(NotReachedError):
                return killer.at_boundary(place, PATIENCE / 4)
        raise NotReachedError(f"No worker came past the boundary {place!r}.")

    def _rest(self) -> None:
        """Wait until nothing is left to do, and the next minute, which brings new slots, is not too near."""
        deadline = time.monotonic() + 90
        while (left := oracle.unrest(self.engine)) or time.time() % 60 > 58:
            if time.monotonic() > deadline:
                raise NotReachedError(f"It never got quiet: {left}; {oracle.live(self.engine)}")
            time.sleep(0.1)

    def _judge(self, stream: Stream, killer: Killer, model: Model, mailbox: Mailbox) -> dict:
        rows = oracle.Rows.read(self.engine)
        arrived = Counter(_id(message) for message in mailbox.messages)
        again = sum(count - 1 for count in arrived.values())
        late: list[Call] = []
        violations = [
            *self.stuck,
            *oracle.ends(rows),
            *oracle.slots(rows, stream.given, stream.first),
            *oracle.statistics(rows),
            *oracle.results(rows),
            *oracle.calls(rows, model.log, killer.went_on, late),
            *oracle.mails(rows, arrived, killer.in_doubt),
        ]
        return {
            "database": self.engine.dialect.name,
            "seconds": round(time.monotonic() - self.started),
            "kills": killer.kills.total(),
            "kills_by_place": dict(sorted(killer.kills.items())),
            "stops": len(killer.went_on),
            "slots": sum(1 for one in rows.executions if one.scheduled_for),
            "triggered": stream.triggered,
            "cancelled": stream.cancelled,
            "refused_by_a_busy_database": len(stream.refused),
            "executions": dict(Counter(str(one.outcome) for one in rows.executions)),
            "attempts": sum(len(found) for found in rows.attempts.values()),
            "model_calls": len(model.log),
            "calls_after_a_standstill": len(late),
            "drafts": sum(len(found) for found in rows.drafts.values()),
            "mails": len(rows.mails),
            "mails_once_more": again,
            "violations": violations,
        }


def _id(message: EmailMessage) -> str:
    return str(message["Message-ID"]).strip("<>").partition("@")[0]


@pytest.fixture
def chaos(engine: Engine, environ: dict[str, str], tmp_path: Path, settings) -> Iterator[Round]:
    queue.connect(settings)
    yield Round(engine, environ, tmp_path / "chaos")
    queue.disconnect()


@pytest.fixture
def tell(capsys, tally) -> Callable[[str, dict], None]:
    """Prints the counts as one line of JSON, adds them to the closing lines, and wants no violation."""

    def told(which: str, found: dict) -> None:
        with capsys.disabled():
            print(f"\n{json.dumps({'chaos': which, **found}, default=str)}")
        counts = {name: found[name] for name in ("kills", "slots", "mails", "mails_once_more")}
        tally(f"chaos ({which})", **counts, violations=len(found["violations"]))
        assert found["violations"] == []

    return told


@pytest.mark.timeout(300)
def test_a_short_round(chaos, tell):
    tell("the short round; make long runs 200 kills", chaos.run(each=1, at_random=5, stops=1))


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_long_round(chaos, tell):
    tell("the long round", chaos.run(each=3, at_random=36, stops=6))
