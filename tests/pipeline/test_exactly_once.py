"""Random lives of a job: whatever is carried over, fails, is retried or given back, each platform's drafts
tell each thing once, and once more for each time that it was given back."""

import random
from collections import Counter
from datetime import UTC, datetime

from sqlalchemy import select

from models import Draft, Execution, GivenBack, Job, Told
from models.values import Brief, Post
from pipeline import control, execute
from pipeline.giveback import give_back
from sources.base import SourceError
from tests.pipeline.conftest import FakeAdapters, FakeWriter, commit, make_job
from writers.base import WriterError

EVENTS = 40
SEEDS = range(6)
KINDS = ("HASHNODE", "DEVTO", "LINKEDIN")


class Listing(FakeWriter):
    """Its posts are what they tell."""

    def write(self, brief: Brief) -> Post:
        super().write(brief)
        title = "What happened" if brief.rules.title_max else ""
        return Post(title, " ".join(item.ref for item in brief.digest.items))


class Life:
    """One job's, with what its drafts have to tell."""

    def __init__(self, seed: int, session, clock) -> None:
        self.dice, self.session, self.clock = random.Random(seed), session, clock
        self.adapters = FakeAdapters()
        self.adapters.writer, self.adapters.github.commits = Listing(), []
        self.job = make_job(
            session, KINDS, significance=self.dice.choice(("NORMAL", "STRICT")), pause_after=0
        )
        self.given: Counter[tuple[str, str]] = Counter()
        self.outcomes: Counter[str] = Counter()

    def push(self) -> None:
        number = len(self.adapters.github.commits)
        title = self.dice.choice(
            ("Bump x{} from 1.0 to 1.1", "Bump y{} from 1.0 to 1.1", "Fix case {}", "Add {}")
        )
        self.adapters.github.commits.insert(0, commit(f"{number:040x}"[::-1], title.format(number)))

    def wait(self) -> None:
        self.clock.advance(self.dice.choice((3600, 86_400, 9 * 86_400)))

    def run(self) -> None:
        self.trigger(self.dice.choice(("scheduled", "scheduled", "scheduled", "webhook", "manual")))

    def rehearse(self) -> None:
        self.trigger("manual", dry_run=True)

    def fail(self) -> None:
        self.adapters.github.failures = [SourceError("Gone", permanent=True)]
        failed = self.trigger("scheduled")
        if self.dice.random() < 0.5:
            self.attempt(control.retry(self.session, failed)[0])

    def fail_in_part(self) -> None:
        self.adapters.writer.failures = {
            kind: [WriterError("No", permanent=True)] for kind in self.dice.sample(KINDS, 2)
        }
        done = self.trigger(self.dice.choice(("scheduled", "manual")))
        self.adapters.writer.failures = {}
        if done.outcome in ("PARTIAL", "FAILED"):
            self.attempt(control.retry(self.session, done)[0])

    def reject(self) -> None:
        drafts = [draft for draft in self.drafts() if draft.state == "DRAFT"]
        if drafts:
            draft = self.dice.choice(drafts)
            draft.state = "REJECTED"
            self.session.commit()
            give_back(self.session, draft.id)
            self.given.update((draft.platform_type, ref) for ref in draft.content.split())
        self.session.commit()

    def trigger(self, triggered_by: str, **more) -> Execution:
        job = self.session.get_one(Job, self.job.id)
        return self.attempt(control.trigger(self.session, job, triggered_by=triggered_by, **more)[0])

    def attempt(self, execution: Execution) -> Execution:
        execute.run(self.session, execution.id, self.adapters)
        done = self.session.get_one(Execution, execution.id, populate_existing=True)
        self.session.commit()
        self.outcomes[done.outcome] += 1
        return done

    def live(self) -> None:
        deeds = (self.push, self.push, self.wait, self.run, self.run, self.run, self.rehearse, self.fail)
        for _ in range(EVENTS):
            self.dice.choice((*deeds, self.fail_in_part, self.reject, self.reject))()
        self.push()
        self.trigger("manual")

    def drafts(self) -> list[Draft]:
        """In an order that the seed alone decides."""
        own = select(Draft).join(Execution).where(Execution.job_id == self.job.id)
        return sorted(
            self.session.scalars(own), key=lambda one: (one.content, one.platform_type, one.created_at)
        )

    def told(self) -> Counter[tuple[str, str]]:
        found: Counter[tuple[str, str]] = Counter()
        for draft in self.drafts():
            found.update((draft.platform_type, ref) for ref in draft.content.split())
        return found


def test_each_platform_tells_each_thing_once_and_again_when_it_was_given_back(session, clock):
    seen: Counter[str] = Counter()
    for seed in SEEDS:
        clock.move_to(datetime(2025, 10, 3, 9, tzinfo=UTC))
        life = Life(seed, session, clock)
        life.live()
        refs = {ref for _, ref in life.told()}
        assert len(refs) == len(life.adapters.github.commits), f"seed {seed}"
        once = Counter((kind, ref) for kind in KINDS for ref in refs)
        assert life.told() == life.given + once, f"seed {seed}"
        told = session.scalars(select(Told.key).where(Told.job_id == life.job.id)).all()
        assert sorted(told) == sorted(one.sha for one in life.adapters.github.commits), f"seed {seed}"
        assert session.scalars(select(GivenBack)).all() == [], f"seed {seed}"
        seen.update(life.outcomes)
        seen["given back"] += life.given.total()
    of_each = ("SUCCESS", "NOT_SIGNIFICANT", "NO_ACTIVITY", "PARTIAL", "FAILED", "given back")
    assert min(seen[name] for name in of_each) > 5, seen
