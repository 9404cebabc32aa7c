"""Random histories in real repositories, and what scans of them must find, told by a model of its own."""

import os
import random
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from models.values import Activity
from sources.git import LocalGit

HOUR, DAY = 3_600, 86_400
START = int(datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp())
MARGIN = timedelta(hours=24)
FIRST = timedelta(days=7)
PEOPLE = ("Jo <jo@example.org>", "Ann <ann@example.org>", "Bo <7+bo@users.noreply.github.com>")
GITHUB = "GitHub <noreply@github.com>"
ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "HOME": os.devnull,
    "PATH": os.environ["PATH"],
}


@dataclass(frozen=True)
class Node:
    """A commit of the model. `origin` is what it is a copy of, else itself."""

    mark: int
    parents: tuple[int, ...]
    author: str
    authored: int
    committer: str
    date: int
    message: str
    path: str
    origin: int
    pull: int | None = None
    closes: tuple[int, ...] = ()


class Refused(Exception):
    """The failure that a scan meets half-way."""


@dataclass
class History:
    """A bare repository, the model of what is in it, and the instant that its clocks believe to be now."""

    folder: Path
    dice: random.Random
    now: int = START
    nodes: dict[int, Node] = field(default_factory=dict)
    main: int = 0
    features: list[tuple[int, int]] = field(default_factory=list)
    tags: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    retagged: set[str] = field(default_factory=set)
    shas: dict[int, str] = field(default_factory=dict)
    numbers: int = 0
    pulls: list[int] = field(default_factory=list)
    heads: list[int] = field(default_factory=list)
    stream: list[str] = field(default_factory=list)
    cleans: bool = False
    held: set[int] = field(default_factory=set)

    def number(self) -> int:
        """Issues and pull requests share their numbers."""
        self.numbers += 1
        return self.numbers

    def add(self, parents: Sequence[int], subject: str, body: str = "", **more) -> int:
        dice, mark = self.dice, len(self.nodes) + 1
        self.now += dice.randrange(1, 2 * HOUR)
        skew = dice.choice((0, 0, 0, 0, 0, -DAY, -40 * DAY, 3 * DAY)) if dice.random() < 0.4 else 0
        author = dice.choice(PEOPLE)
        values = {
            "author": author,
            "authored": self.now + skew + dice.randrange(-60, 60),
            "committer": author,
            "date": self.now + skew,
            "path": f"f{dice.randrange(5)}",
            "origin": mark,
        } | more
        message = f"{subject}\n\n{body}".strip()
        self.nodes[mark] = node = Node(mark=mark, parents=tuple(parents), message=message, **values)
        self._write(node)
        return mark

    def copy(self, mark: int, parents: Sequence[int], **more) -> int:
        """By a rebase or a cherry-pick: the author and their date stay."""
        old = self.nodes[mark]
        kept = {
            name: getattr(old, name)
            for name in ("author", "authored", "path", "origin", "pull", "closes", "committer")
        }
        subject, _, body = more.pop("message", old.message).partition("\n\n")
        return self.add(parents, subject, body, **kept | {"date": self.now} | more)

    def _write(self, node: Node) -> None:
        message = node.message
        lines = [
            "commit refs/scratch/work",
            f"mark :{node.mark}",
            f"author {node.author} {node.authored} +0000",
            f"committer {node.committer} {node.date} +0000",
            f"data {len(message.encode())}",
            message,
        ]
        lines += [f"{'merge' if n else 'from'} :{parent}" for n, parent in enumerate(node.parents)]
        if len(node.parents) < 2:
            lines += [f"M 100644 inline {node.path}", f"data {len(str(node.mark))}", str(node.mark)]
        self.stream += lines

    def flush(self) -> None:
        """What was done since the last time, as one push."""
        if not self.main:
            return
        stream = [*self.stream, "reset refs/heads/main", f"from :{self.main}"]
        for _, tip in self.features:
            stream += [f"reset refs/topics/{tip}", f"from :{tip}"]
        for name in self.retagged:
            mark, date = self.tags.get(name, (0, None))
            if date is None:
                stream += [f"reset refs/tags/{name}", f"from :{mark}" if mark else f"from {'0' * 40}"]
            else:
                stream += [
                    f"tag {name}",
                    f"from :{mark}",
                    f"tagger {PEOPLE[0]} {date} +0000",
                    "data 5",
                    "Notes",
                ]
        stream += ["done", ""]
        marks = self.folder.parent / "marks"
        kept = (f"--import-marks-if-exists={marks}", f"--export-marks={marks}")
        run(["fast-import", "--quiet", "--force", "--done", *kept], self.folder, "\n".join(stream).encode())
        for line in marks.read_text().splitlines():
            mark, sha = line.split()
            self.shas[int(mark[1:])] = sha
        self.held = set(self.shas)
        if self.cleans:
            self._clean(marks)
        self.stream.clear()
        self.retagged.clear()

    def reach(self, head: int) -> set[int]:
        seen, queue = set(), [head] if head else []
        while queue:
            mark = queue.pop()
            if mark not in seen:
                seen.add(mark)
                queue += self.nodes[mark].parents
        return seen

    def chain(self) -> list[int]:
        """Main's first parents, newest first."""
        found, mark = [], self.main
        while mark:
            found.append(mark)
            mark = next(iter(self.nodes[mark].parents), 0)
        return found

    def _clean(self, marks: Path) -> None:
        """What nobody can reach is gone for good."""
        run(["update-ref", "-d", "refs/scratch/work"], self.folder)
        run(["gc", "-q", "--prune=now"], self.folder)
        asked = "".join(f"{sha}\n" for sha in self.shas.values())
        said = run(["cat-file", "--batch-check"], self.folder, asked.encode()).decode().splitlines()
        self.held = {mark for mark, line in zip(self.shas, said, strict=True) if " commit " in line}
        marks.write_text("".join(f":{mark} {self.shas[mark]}\n" for mark in sorted(self.held)))


def run(arguments: Sequence[str], folder: Path, given: bytes = b"") -> bytes:
    done = subprocess.run(["git", *arguments], cwd=folder, env=ENVIRONMENT, input=given, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


# --- What people do


def work(history: History) -> tuple[str, str, dict]:
    """A subject and a body, sometimes with closing words."""
    dice = history.dice
    subject = f"Change {len(history.nodes) + 1}"
    if dice.random() < 0.3:
        number, word = history.number(), dice.choice(("Fixes", "closes:", "RESOLVED"))
        return subject, f"{word} {dice.choice(('#', 'GH-'))}{number}", {"closes": (number,)}
    if history.pulls and dice.random() < 0.1:
        number = dice.choice(history.pulls)
        return subject, f"Fixes #{number}", {"closes": (number,)}
    if dice.random() < 0.1:
        return subject, "Fixes other/place#1, fix #x and prefix #2", {}
    return subject, "", {}


def commit(history: History) -> None:
    for _ in range(history.dice.randrange(1, 4)):
        subject, body, more = work(history)
        history.main = history.add([history.main], subject, body, **more)


def branch(history: History) -> None:
    """A branch that is pushed late: what is on it may be older than all that was told."""
    start = tip = history.dice.choice(history.chain()[:6])
    late = history.dice.random() < 0.4
    for _ in range(history.dice.randrange(1, 4)):
        subject, body, more = work(history)
        old = history.now - history.dice.randrange(1, 60) * DAY
        if late:
            more |= {"date": old, "authored": old}
        tip = history.add([tip], subject, body, **more)
    history.features.append((start, tip))


def feature(history: History) -> tuple[int, int, list[int]] | None:
    """One that is not in main yet: where it began, its newest commit, its own commits, newest first."""
    if not history.features:
        return None
    start, tip = history.features.pop(history.dice.randrange(len(history.features)))
    own, mark = [], tip
    while mark != start:
        own.append(mark)
        mark = history.nodes[mark].parents[0]
    return start, tip, own


def repeated(history: History, own: Iterable[int]) -> tuple[int, ...]:
    """What a pull request's text says of its commits' issues."""
    numbers = {number for mark in own for number in history.nodes[mark].closes}
    return tuple(sorted(numbers)) if history.dice.random() < 0.5 else ()


def closing_words(numbers: Iterable[int]) -> str:
    return "\n".join(f"Fixes #{number}" for number in numbers)


def merged(history: History, onto: int, tip: int, number: int, closes: tuple[int, ...]) -> int:
    body = f"Title of {number}\n\n{closing_words(closes)}"
    more = {"committer": GITHUB, "pull": number, "closes": closes}
    return history.add([onto, tip], f"Merge pull request #{number} from x/topic-{number}", body, **more)


def merge_pull(history: History) -> None:
    if found := feature(history):
        _, tip, own = found
        number, closes = history.number(), repeated(history, own)
        history.pulls.append(number)
        history.main = merged(history, history.main, tip, number, closes)


def squash_pull(history: History) -> None:
    if found := feature(history):
        number = history.number()
        closes = tuple(sorted({n for mark in found[2] for n in history.nodes[mark].closes}))
        history.pulls.append(number)
        more = {"committer": GITHUB, "pull": number, "closes": closes}
        title = f"Topic {number} (#{number})"
        history.main = history.add([history.main], title, closing_words(closes), **more)


def rebase_pull(history: History) -> None:
    if found := feature(history):
        for mark in reversed(found[2]):
            if len(history.nodes[mark].parents) == 1:  # a rebase leaves merges out
                history.main = history.copy(mark, [history.main], committer=GITHUB)


def plain_merge(history: History) -> None:
    if found := feature(history):
        history.main = history.add([history.main, found[1]], "Merge branch 'topic'")


def merge_twice(history: History) -> None:
    """One pull request goes into a release branch and into main, and then the one into the other."""
    if found := feature(history):
        _, tip, own = found
        number, closes = history.number(), repeated(history, own)
        history.pulls.append(number)
        release = merged(history, found[0], tip, number, closes)
        history.main = merged(history, history.main, tip, number, closes)
        if history.dice.random() < 0.5:
            push_and_scan_later(history, release)
        else:
            history.main = history.add([history.main, release], "Merge branch 'release'")


def push_and_scan_later(history: History, tip: int) -> None:
    history.features.append((history.nodes[tip].parents[0], tip))


def cherry_pick(history: History) -> None:
    """Onto main, while the branch stays and may be merged later."""
    if history.features:
        _, tip = history.dice.choice(history.features)
        if len(history.nodes[tip].parents) < 2:
            history.main = history.copy(tip, [history.main])


def revert(history: History) -> None:
    plain = [mark for mark in history.chain()[:8] if len(history.nodes[mark].parents) == 1]
    if plain:
        subject = history.nodes[history.dice.choice(plain)].message.partition("\n")[0]
        history.main = history.add([history.main], f'Revert "{subject}"', "This reverts commit 0123abcd.")


def rewrite(history: History) -> None:
    """A force push: an interactive rebase of the newest commits, merges kept."""
    dice, chain = history.dice, history.chain()
    depth = dice.randrange(1, min(6, len(chain))) if len(chain) > 1 else 0
    top, changed = chain[depth], False
    for mark in reversed(chain[:depth]):
        node, what = history.nodes[mark], dice.choice(("keep", "keep", "amend", "reword", "drop", "insert"))
        plain = len(node.parents) == 1
        if what == "insert":
            subject, body, more = work(history)
            top, changed = history.add([top], subject, body, **more), True
        if what == "drop" and plain:
            changed = True
        elif what == "keep" and node.parents[0] == top:
            top = mark
        else:
            said = node.message
            if what == "reword" and plain and not node.pull:
                subject, _, body = said.partition("\n\n")
                said = f"{subject}, in other words\n\n{body}"
            changed = True
            top = history.copy(mark, [top, *node.parents[1:]], message=said)
    if changed:
        history.main = top


def reset(history: History) -> None:
    """A force push that takes commits away."""
    history.main = history.dice.choice(history.chain()[:5])


def restore(history: History) -> None:
    """An earlier head comes back."""
    if heads := [head for head in history.heads if head in history.held]:
        history.main = history.dice.choice(heads)


def tag(history: History) -> None:
    """On any commit of main, even where it was told long ago; annotated or not, at times of a wrong date."""
    dice = history.dice
    name = f"v{len(history.tags)}.{dice.randrange(3)}"
    history.retagged.add(name)
    if name in history.tags and dice.random() < 0.5:
        del history.tags[name]
        return
    date = history.now - dice.choice((0, 0, 30 * DAY)) if dice.random() < 0.5 else None
    history.tags[name] = dice.choice(history.chain()), date


DEEDS: tuple[Callable[[History], None], ...] = (
    *(commit, commit, commit, branch, branch, branch, merge_pull, merge_pull, squash_pull, rebase_pull),
    *(plain_merge, merge_twice, cherry_pick, revert, rewrite, reset, reset, restore, restore, tag, tag),
)


# --- What the job does, and what it must find


@dataclass
class Reader:
    """A job: its cursor, what it told, and the model of what it had to tell."""

    history: History
    first_since: datetime
    until: datetime | None = None
    head: int = 0
    told: Counter[tuple[str, str]] = field(default_factory=Counter)
    passed: set[int] = field(default_factory=set)
    commits: set[int] = field(default_factory=set)
    pulls: set[int] = field(default_factory=set)
    issues: set[int] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    carries: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    def attempt(self, fails: str = "") -> None:
        """One attempt, which `early` in the scan or `late`, after it, may fail: nothing is kept then. Where
        it is `small`, it is not significant: the next one reads it again."""
        history = self.history
        asked = 0

        def known(keys):
            nonlocal asked
            asked += 1
            if fails == "early" and asked == 2:
                raise Refused
            return {key for key in keys if key in self.told}

        margin = max(self.until - MARGIN, self.first_since) if self.until else None
        source = LocalGit(history.folder, root=history.folder.parent)
        base = history.shas[self.head] if self.head else None
        since = self.until or self.first_since
        try:
            found = source.scan(since, margin_from=margin, base=base, told=known)
        except Refused:
            self.counts["failures"] += 1
            return
        lost = bool(self.head) and self.head not in history.held
        if fails == "small":
            self.carry(found, margin or since, lost)
            return
        if fails:
            self.counts["failures"] += 1
            return
        self.check(found, margin or since, lost)
        self.told.update(found.keys())
        self.until, self.head, self.carries = found.window.until, history.main, False
        history.heads.append(history.main)
        self.counts["scans"] += 1

    def carry(self, found: Activity, after: datetime, lost: bool) -> None:
        """It finds what it must, and of all that only the tags stay passed that stood there before."""
        kept = {name: set(getattr(self, name)) for name in ("passed", "commits", "pulls", "issues", "tags")}
        replace(self, counts=Counter(), **kept).check(found, after, lost)
        passed = [key for key in found.passed if key[0] == "release"]
        self.told.update(passed)
        self.tags |= {name for _, name in passed if name}
        self.carries = True
        self.counts["carried"] += 1

    def check(self, found: Activity, after: datetime, lost: bool) -> None:
        history, nodes = self.history, self.history.nodes
        by_sha = {sha: mark for mark, sha in history.shas.items()}
        assert found.window.head == history.shas[history.main]
        assert [cut.endswith(" were told by their dates.") for cut in found.cuts] == [True] * lost
        self.counts["lost bases"] += lost
        now = [by_sha[commit.sha] for commit in found.commits]
        assert len(now) == len(set(now))
        place = {mark: at for at, mark in enumerate(now)}
        assert all(place.get(p, len(now)) > at for at, mark in enumerate(now) for p in nodes[mark].parents)
        self.check_commits(set(now), after, lost)
        self.check_numbers(found, now)
        self.check_tags(found, after)
        again = [key for key in found.keys() if key in self.told]  # noqa: SIM118 - not a dict
        assert not again, again

    def check_commits(self, now: set[int], after: datetime, lost: bool) -> None:
        history, nodes = self.history, self.history.nodes
        here, before = history.reach(history.main), history.reach(self.head)
        come, gone = here - before, before - here
        if lost or not self.head:
            come = {mark for mark in here if nodes[mark].date > after.timestamp()}
            self.passed |= here - come
            gone = set()
        assert now <= come - self.commits
        sides: dict[int, tuple[set[int], set[int]]] = defaultdict(lambda: (set(), set()))
        for mark in come:
            sides[nodes[mark].origin][0].add(mark)
        for mark in gone:
            sides[nodes[mark].origin][1].add(mark)
        for came, went in sides.values():
            # Of several copies it is open which ones stand for those that were rewritten away.
            untold, copies = came - self.commits, min(len(came), len(went))
            least = max(0, len(untold) - copies)
            most = min(len(untold), len(came) - copies)
            assert least <= len(now & came) <= most, (came, went, now)
        self.commits |= now
        self.counts["commits"] += len(now)

    def check_numbers(self, found: Activity, now: Sequence[int]) -> None:
        nodes = self.history.nodes
        pulls = {number for mark in now if (number := nodes[mark].pull)}
        assert Counter(pull.number for pull in found.pulls) == Counter(pulls - self.pulls)
        named = {number for mark in now for number in nodes[mark].closes}
        issues = named - pulls - self.pulls - self.issues
        assert Counter(issue.number for issue in found.issues) == Counter(issues), (found.issues, issues)
        self.pulls |= pulls
        self.issues |= issues
        self.counts["pulls"] += len(found.pulls)
        self.counts["issues"] += len(issues)

    def check_tags(self, found: Activity, after: datetime) -> None:
        history = self.history
        tags = {n: d if d is not None else history.nodes[m].date for n, (m, d) in history.tags.items()}
        new = set(tags) - self.tags
        if self.until is None and not self.carries:
            new = {name for name in new if tags[name] > after.timestamp()}
        assert Counter(release.tag for release in found.releases) == Counter(new)
        self.tags |= set(tags)
        self.counts["releases"] += len(new)

    def check_all(self) -> None:
        """Nothing that any successful scan could see is missing, and nothing was told twice."""
        history, nodes = self.history, self.history.nodes
        seen = set().union(*(history.reach(head) for head in history.heads))
        known = {nodes[mark].origin for mark in self.commits | self.passed}
        assert {mark for mark in seen - self.commits if nodes[mark].origin not in known} == set()
        shas = {history.shas[mark] for mark in self.commits}
        assert {key for kind, key in self.told if kind == "commit"} == shas
        assert {int(key) for kind, key in self.told if kind == "pull"} == {
            number for mark in self.commits if (number := nodes[mark].pull)
        }
        issues = [key for kind, key in self.told if kind == "issue" and not key.endswith("@")]
        assert Counter(int(key.partition("@")[0]) for key in issues) == Counter(self.issues)
        named = {number for mark in self.commits for number in nodes[mark].closes}
        assert named - self.pulls - self.issues == set()
        assert set(self.told.values()) <= {1}


def play(folder: Path, seed: int, move_clock: Callable[[datetime], None]) -> Counter[str]:
    """One random history, scanned at random moments; what was counted. Raises AssertionError."""
    dice = random.Random(seed)
    (folder / "repo.git").mkdir(parents=True)
    run(["init", "-q", "--bare", "-b", "main", "--template=", "."], folder / "repo.git")
    history = History(folder / "repo.git", dice)
    # Before the first window, and inside it.
    date = START - 30 * DAY
    for _ in range(dice.randrange(1, 8)):
        date += dice.randrange(1, 8) * DAY
        parents = [history.main] if history.main else []
        history.main = history.add(parents, f"Old {len(history.nodes)}", date=date, authored=date)
    reader = Reader(history, datetime.fromtimestamp(START, UTC) - FIRST)
    rounds, cleans = dice.randrange(2, 7), dice.random() < 0.1
    for number in range(rounds):
        for _ in range(dice.randrange(0, 10)):
            deed = dice.choice(DEEDS)
            deed(history)
            reader.counts[deed.__name__] += 1
        history.now += dice.randrange(1, 5 * DAY)
        history.cleans = cleans
        history.flush()
        move_clock(datetime.fromtimestamp(history.now, UTC))
        fails = dice.choice(("", "", "", "early", "late", "small")) if number < rounds - 1 else ""
        reader.attempt(fails)
    reader.check_all()
    return reader.counts
