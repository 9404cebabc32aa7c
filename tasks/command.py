"""The worker's command line, in one place."""

import sys

SPARE = 2
"""Threads beyond WORKERS, for the tick, mails and recovery."""


def worker_command(workers: int) -> list[str]:
    """`huey_consumer` for at most `workers` executions at once.

    -d, -m and -b keep a polling queue at a flat 50 ms; -g TERM -t 30 lets running tasks finish for 30 s when
    the worker is asked to stop (huey's default is to interrupt them).
    """
    flags = f"-k thread -w {workers + SPARE} -d 0.05 -m 0.05 -b 1 -g TERM -t 30 -q"
    return [sys.executable, "-m", "huey.bin.huey_consumer", "tasks.consumer.huey", *flags.split()]
