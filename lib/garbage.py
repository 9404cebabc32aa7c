"""How often a process that serves for long looks for cycles of objects that nobody uses."""

import gc


def settle() -> None:
    """Call once everything is assembled: what exists now is never searched again, and the rest seldom.

    A run or a page makes ten thousands of objects, nearly all freed by count: to search them for cycles after
    every 700 new ones took a seventh of the worker's time (bench/clock.py, 2026-11-27), and to search all
    that was imported with them up to 30 ms of single pages.
    """
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)
