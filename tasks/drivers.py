"""Imports Huey without the drivers of storages that are not in use.

`huey.storage` imports redis and psycopg whenever they are installed: 14 MB in every process (measured
2026-11-23).
"""

import importlib
import importlib.util
import sys
from types import ModuleType

_DRIVERS = ("redis", "psycopg")


def _import_bare() -> None:
    """Import `huey.storage` as if no driver were installed, which None in sys.modules says to an import."""
    absent = [name for name in _DRIVERS if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        importlib.import_module("huey.storage")
    finally:
        for name in absent:
            del sys.modules[name]


_import_bare()


def storage_with(driver: str) -> ModuleType:
    """A second copy of `huey.storage` that has `driver` ("redis" or "psycopg") at hand.

    A copy, because the classes of the first are in use and a reload would take their names from under them.
    """
    importlib.import_module(driver)
    spec = importlib.util.find_spec("huey.storage")
    if spec is None or spec.loader is None:
        raise ImportError("huey.storage is gone")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
