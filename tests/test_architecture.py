"""The law of the house, read off the source without running it; docs/architecture.md draws the floors."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

ADAPTERS = {"sources", "writers", "platforms"}
FLOORS = {
    "lib": 0,
    "models": 1,
    **dict.fromkeys(ADAPTERS, 1),
    "pipeline": 2,
    "blueprints": 3,
    "tasks": 3,
    "app": 4,
}
ASSEMBLY = {"app", "tasks.consumer"}  # the two places that put things together
BELLS = {"tasks.bells", "tasks.queue"}  # what a blueprint rings after its commit

# Where any failure at all stays that one's own: one platform's writing, one mail's delivery.
BROAD_EXCEPT = {
    *("pipeline.write", "pipeline.outbox", "pipeline.execute", "pipeline.rewrite", "pipeline.claim"),
    "tasks.guard",
}
STATES_AND_TIMES = {"status", "state", "outcome", "cursor", "heartbeat", "last_success", "last_failure"}
KEPT_BY_THE_EDGE = {"last_used_at"}  # when a token last came by


@dataclass(frozen=True)
class Module:
    name: str
    tree: ast.Module
    modules: frozenset[str]

    @property
    def folder(self) -> str:
        return self.name.partition(".")[0]

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and dotted name of everything imported; `from models import values` is models.values."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                for alias in node.names:
                    inner = f"{base}.{alias.name}"
                    yield node.lineno, inner if inner in self.modules else base

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        # A package's own name ends in __init__ here, so one level up is its folder, as for any module.
        return ".".join([*self.name.split(".")[: -node.level], *filter(None, [node.module])])


def modules(root: Path) -> list[Module]:
    files = [root / "app.py", *(file for folder in FLOORS for file in sorted((root / folder).rglob("*.py")))]
    named = {".".join(file.relative_to(root).with_suffix("").parts): file for file in files if file.exists()}
    names = frozenset(named)
    return [Module(name, ast.parse(file.read_bytes(), str(file)), names) for name, file in named.items()]


def floor(name: str) -> int:
    return 4 if name in ASSEMBLY else FLOORS[name.partition(".")[0]]


def goes_down(module: Module, target: str) -> bool:
    """Whether this one import of a module of ours is lawful."""
    folder = target.partition(".")[0]
    if folder == module.folder:
        return floor(target) <= floor(module.name)
    if module.folder in ADAPTERS and folder == "models":
        return target == "models.values"
    if module.folder == "blueprints" and target in BELLS:
        return True
    both_assemble = module.name in ASSEMBLY and target in ASSEMBLY
    return both_assemble or floor(target) < floor(module.name)


def imports_go_down(module: Module) -> Iterator[tuple[int, str]]:
    for line, target in module.imports():
        if target.partition(".")[0] in FLOORS and not goes_down(module, target):
            yield line, f"imports {target}"


def pipeline_knows_no_edge(module: Module) -> Iterator[tuple[int, str]]:
    if module.folder == "pipeline":
        for line, target in module.imports():
            if target.startswith(("flask", "huey")):
                yield line, f"imports {target}"


def web_session_stays_at_the_web(module: Module) -> Iterator[tuple[int, str]]:
    if module.folder not in {"app", "blueprints"}:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "db.session":
                yield node.lineno, "uses db.session"


def only_named_errors_are_caught(module: Module) -> Iterator[tuple[int, str]]:
    broad = [
        node for node in ast.walk(module.tree) if isinstance(node, ast.ExceptHandler) and swallows_all(node)
    ]
    for node in broad[1 if module.name in BROAD_EXCEPT else 0 :]:
        yield node.lineno, "catches every exception"


def swallows_all(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    everything = any(c is None or ast.unparse(c) in {"Exception", "BaseException"} for c in caught)
    passes_on = isinstance(last := handler.body[-1], ast.Raise) and last.exc is None
    return everything and not passes_on


def one_clock(module: Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
            of = ast.unparse(node.value).rpartition(".")[2]
            if of in {"datetime", "date"} and module.name != "lib.clock":
                yield node.lineno, "reads the wall clock itself; call clock.now()"


def pages_order_changes(module: Module) -> Iterator[tuple[int, str]]:
    """States and times of rows change in the pipeline alone; this sees plain assignments."""
    for node in ast.walk(module.tree) if module.folder == "blueprints" else ():
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and tells_the_story(node.attr):
            yield node.lineno, f"sets {ast.unparse(node)}; the pipeline does that"


def tells_the_story(column: str) -> bool:
    return column in STATES_AND_TIMES or (column.endswith("_at") and column not in KEPT_BY_THE_EDGE)


LAWS: list[Callable[[Module], Iterator[tuple[int, str]]]] = [
    imports_go_down,
    pipeline_knows_no_edge,
    web_session_stays_at_the_web,
    only_named_errors_are_caught,
    one_clock,
    pages_order_changes,
]


def broken(law: Callable[[Module], Iterator[tuple[int, str]]], root: Path) -> list[str]:
    return [f"{module.name}:{line} {what}" for module in modules(root) for line, what in law(module)]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law):
    assert broken(law, ROOT) == []


# One tree that breaks every law next to lines that look alike and are lawful, which proves that the laws see.
GUILTY = {
    "lib/clock.py": "from datetime import datetime\nnow = datetime.now\n",
    "lib/text.py": "import models.user\n",
    "models/__init__.py": "",
    "models/values.py": "from lib import clock\n",
    "models/user.py": "from sources import git\n",
    "sources/git.py": "from models import values\nfrom models.values import Post\nfrom models import user\n",
    "writers/llm.py": "import sources.git\nfrom . import base\n",
    "writers/base.py": "",
    "platforms/devto.py": "from writers.base import Writer\nfrom pipeline import scan\n",
    "pipeline/scan.py": (
        "from flask import g\nimport huey\nimport flask_login\nfrom tasks import queue\nimport sources.git\n"
    ),
    "pipeline/write.py": (
        "try: a()\nexcept Exception: b()\n"
        "try: a()\nexcept (ValueError, Exception): b()\n"
        "try: a()\nexcept Exception:\n    b()\n    raise\n"
    ),
    "pipeline/notify.py": "import datetime as d\nd.datetime.now(d.UTC)\ndb.session.commit()\n",
    "blueprints/jobs.py": (
        "from tasks.queue import ring\nfrom tasks import schedule\nfrom pipeline import scan\n"
        "job.status = 'IDLE'\njob.next_run_at = None\njob.name = 'x'\n"
        "token.last_used_at = 1\nx = job.status\ndb.session.commit()\n"
    ),
    "tasks/queue.py": "try: a()\nexcept: pass\n",
    "tasks/schedule.py": "from tasks import consumer\nimport blueprints.jobs\nimport app\n",
    "tasks/consumer.py": "from app import create_app\nfrom tasks import schedule\n",
    "app.py": "import tasks.consumer\nfrom blueprints import jobs\n",
}
EXPECTED = {
    imports_go_down: [
        "lib.text:1 imports models.user",
        "models.user:1 imports sources.git",
        "sources.git:3 imports models.user",
        "writers.llm:1 imports sources.git",
        "platforms.devto:1 imports writers.base",
        "platforms.devto:2 imports pipeline.scan",
        "pipeline.scan:4 imports tasks.queue",
        "blueprints.jobs:2 imports tasks.schedule",
        "tasks.schedule:1 imports tasks.consumer",
        "tasks.schedule:2 imports blueprints.jobs",
        "tasks.schedule:3 imports app",
    ],
    pipeline_knows_no_edge: [
        "pipeline.scan:1 imports flask",
        "pipeline.scan:2 imports huey",
        "pipeline.scan:3 imports flask_login",
    ],
    web_session_stays_at_the_web: ["pipeline.notify:3 uses db.session"],
    only_named_errors_are_caught: [
        "pipeline.write:4 catches every exception",
        "tasks.queue:2 catches every exception",
    ],
    one_clock: ["pipeline.notify:2 reads the wall clock itself; call clock.now()"],
    pages_order_changes: [
        "blueprints.jobs:4 sets job.status; the pipeline does that",
        "blueprints.jobs:5 sets job.next_run_at; the pipeline does that",
    ],
}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law_sees_who_breaks_it(law, tmp_path):
    for name, text in GUILTY.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert sorted(broken(law, tmp_path)) == sorted(EXPECTED[law])


# Split, so that this file does not hold what it looks for.
PRIVATE = [a + b for a, b in [("pypi", ".org"), ("pythonhosted", ".org"), ("npmjs", ".org"), ("/wo", "rk/")]]
NOT_OURS = {
    ".git",
    ".venv",
    "instance",
    "__pycache__",
    ".hypothesis",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
}


def our_files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in NOT_OURS:
            continue
        if path.is_dir():
            yield from our_files(path)
        else:
            yield path


def test_no_file_names_a_registry_or_a_machine():
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in our_files(ROOT)
        for word in PRIVATE
        if word.encode() in path.read_bytes()
    ]
    assert found == []
