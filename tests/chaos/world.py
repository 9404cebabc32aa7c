"""GitHub and a model for the chaos test: every scan finds one new commit, by whose number every later call is
known."""

import random
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from tests.standins.github import GitHubStandIn, Json, Repository
from tests.standins.github import error as github_error
from tests.standins.llm import LlmStandIn, platform_of
from tests.standins.llm import error as llm_error
from tests.standins.server import Answer, Request

NUMBER = re.compile(r"Add part (\d+)\b")
AGO = timedelta(seconds=3)
"""How old a new commit is: older than the window's end, which has whole seconds. The margin reads it."""


def newest(text: str) -> int:
    """The highest number of a commit in a text, 0 when there is none."""
    return max(map(int, NUMBER.findall(text)), default=0)


class Forge(GitHubStandIn):
    """Has every repository that is asked for. Each look at what is new finds a commit that was not there
    before, so every scan that is read has a newest number of its own. `ill`: how many in a hundred scans
    fail, at the first thing that they ask."""

    def __init__(self, dice: random.Random, ill: float) -> None:
        super().__init__(latency=0.005)
        self.dice, self.ill = dice, ill
        self.fail_next = 0
        self._numbers, self._looks = count(1), count(1)
        self._known: dict[str, Repository] = {}
        self._changing = threading.Lock()

    def _repository(self, name: str) -> Json | None:
        with self._changing:
            if name not in self._known:
                self._known[name] = Repository(name, id=len(self._known) + 1)
            return self._known[name].data

    def _from(self, data: Json, rest: str, request: Request) -> Answer:
        with self._changing:
            if rest == "":
                if self.fail_next > 0 or self.dice.random() * 100 < self.ill:
                    self.fail_next -= 1
                    return github_error(502, "Server Error")
                data["repository"]["size"] = next(self._looks)
            elif rest == "commits" or rest.startswith("compare/"):
                self._change(data)
            return super()._from(data, rest, request)

    def _change(self, data: Json) -> None:
        number, name = next(self._numbers), data["repository"]["full_name"]
        sha = f"{number:08x}".ljust(40, "0")
        self._known[name].commit(sha, datetime.now(UTC) - AGO, f"Add part {number}", files=("a.py",))
        del data["commits"][100:]


@dataclass(frozen=True)
class Call:
    """One question to the model: about which scan, for which platform, when it came, and whether it was
    answered."""

    number: int
    platform: str
    at: datetime
    answered: bool


class Model(LlmStandIn):
    """`ill`: how many in a hundred calls fail in passing; a fourth as many fail for good."""

    def __init__(self, dice: random.Random, ill: float) -> None:
        super().__init__()
        self.dice, self.ill = dice, ill
        self.log: list[Call] = []

    def handle(self, request: Request) -> Answer:
        at = datetime.now(UTC)
        prompt = "\n".join(message["content"] for message in request.json()["messages"])
        fate = self.dice.random() * 100
        answer = self._failing(fate) or super().handle(request)
        with self._lock:
            self.log.append(Call(newest(prompt), platform_of(prompt), at, answer.status == 200))
        return Answer(answer.status, answer.body, answer.headers, delay=self.dice.uniform(0.01, 0.12))

    def _failing(self, fate: float) -> Answer | None:
        if fate < self.ill:
            return llm_error(500, "The server had an error")
        return llm_error(403, "No") if fate < self.ill * 1.25 else None


def environment(github: Forge, model: Model, mail_port: int) -> dict[str, Any]:
    return {
        "GITHUB_API_URL": github.url,
        "OPENAI_API_KEY": "test-key",
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_MODEL": "stand-in",
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": str(mail_port),
        "WORKERS": "3",
    }
