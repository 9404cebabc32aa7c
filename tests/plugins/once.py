"""What comes out the same in every test is made once per process.

Each test has an application and engines of its own; most of what these take was spent on compiling the same
routes, templates and statements anew.
"""

from collections.abc import Callable
from typing import Any

import flask
import pytest
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug import security
from werkzeug.routing import Rule

CHEAP = "scrypt:128:8:1"
"""How passwords are hashed in the process of the tests: the default costs 60 ms each time."""
_DEFAULTS = security.generate_password_hash.__defaults__
_STATEMENTS = 5000


class Templates(BytecodeCache):
    """In memory, and only for the very text that was compiled."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Any]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        checksum, code = self._known.get(bucket.key, ("", None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key] = bucket.checksum, bucket.code


def pytest_configure() -> None:
    flask.Flask.jinja_options = {**flask.Flask.jinja_options, "bytecode_cache": Templates()}
    _share_routes()
    _share_statements()
    security.generate_password_hash.__defaults__ = (CHEAP, *_DEFAULTS[1:])


def _share_routes() -> None:
    """The functions that build addresses: they depend on nothing but the rule's text, its defaults aside."""
    compiled: dict[tuple[Any, ...], Callable[..., Any]] = {}
    compile_builder = Rule._compile_builder

    def shared(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = rule.rule, tuple(rule._trace), append_unknown
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    Rule._compile_builder = shared


def _share_statements() -> None:
    """As SQL they depend on the kind of database: its engines use one cache, in which dialects of one kind
    and with the same ways count as the same."""
    caches: dict[type[DefaultDialect], LRUCache] = {}

    def get(engine: Engine) -> LRUCache | None:
        shared = caches.setdefault(type(engine.dialect), LRUCache(_STATEMENTS))
        return shared if engine.__dict__["_compiled_cache"] is not None else None

    def put(engine: Engine, cache: LRUCache | None) -> None:
        engine.__dict__["_compiled_cache"] = cache

    Engine._compiled_cache = property(get, put)
    DefaultDialect.__eq__ = lambda one, other: _ways(one) == _ways(other)
    DefaultDialect.__hash__ = lambda one: hash(type(one))


def _ways(dialect: Any) -> Any:
    """What of a dialect shows in the SQL that it makes, and differs between engines of the tests."""
    return (
        type(dialect),
        getattr(dialect, "use_insertmanyvalues_wo_returning", None),
        getattr(dialect, "server_version_info", None),
        getattr(dialect, "paramstyle", None),
    )


@pytest.fixture
def real_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashed as the product does it."""
    monkeypatch.setattr(security.generate_password_hash, "__defaults__", _DEFAULTS)
