"""Blocks of a batch on several threads at once: each takes the next one whenever it is through with the last."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(run: Callable[[int], None], count: int, threads: int) -> None:
    """Call a function with 0, 1, …, count - 1, on so many threads at once, of which this one is the first.

    A helper that hasn't begun when all is taken is sent away, so that nobody waits for a thread to start.

    Raises
    ------
    Exception
        What the call with the least number raised; of those that come after it some may be left out.
    """
    waiting = deque(range(count))
    errors: dict[int, BaseException] = {}

    def work() -> None:
        while True:
            try:
                k = waiting.popleft()
            except IndexError:
                return
            try:
                run(k)
            except BaseException as error:
                errors[k] = error
                waiting.clear()

    helpers: list[Future[None]] = []
    with suppress(RuntimeError):  # the system lets no more threads be, or Python is ending
        for _ in range(min(threads, count) - 1):
            helpers.append(_pool(os.getpid()).submit(work))
    try:
        work()
    finally:  # also when Ctrl-C comes between two blocks
        waiting.clear()
        for helper in helpers:
            if not helper.cancel():
                helper.result()
    if errors:
        raise errors[min(errors)]


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Return the threads that help, in this process: a fork has none of its parent's."""
    return ThreadPoolExecutor(max(64, 2 * processors()), thread_name_prefix=f"autograd_mini-{process}")
