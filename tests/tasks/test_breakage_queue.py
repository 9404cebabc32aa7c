"""Processes that start at the same instant find, or make, one queue: web and worker do so at every start."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tasks import queue

pytestmark = pytest.mark.loopback

AT_ONCE = 8


def test_many_open_a_fresh_queue_at_once(blank_database_url):
    ready = threading.Barrier(AT_ONCE, timeout=10)

    def open_it(_number: int):
        ready.wait()
        return queue._storage(blank_database_url)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        opened = list(pool.map(open_it, range(AT_ONCE)))
    opened[0].enqueue(b"a bell")
    assert [storage.queue_size() for storage in opened] == [1] * AT_ONCE
    for storage in opened:
        storage.close()
