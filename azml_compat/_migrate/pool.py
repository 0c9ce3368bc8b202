"""One function on many files, in several processes where that pays, and never stopped by one of them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_MIN_ITEMS = 60
"""With fewer it takes longer to start processes than to do the work."""


def each(
    function: Callable[[Item], Result], items: Sequence[Item], broken: Callable[[Item], Result]
) -> Iterator[Result]:
    """Yield what a function gives for each item, in their order.

    Args:
        function: Of a module, since other processes import it; it raises nothing.
        items: What it is called with, each at most once.
        broken: Makes the result for an item that ends the process that works on it.
    """
    workers = min(_processors(), len(items) // (_MIN_ITEMS // 2))
    if workers < 2:
        yield from map(function, items)
        return
    results: dict[int, Result] = {}
    at = 0
    while at < len(items):
        with _pool(workers) as pool:
            futures = _submitted(pool, function, {i: items[i] for i in range(at, len(items)) if i not in results})
            while at in results or (at in futures and not isinstance(futures[at].exception(), BrokenProcessPool)):
                yield results.pop(at) if at in results else futures[at].result()
                at += 1
        results |= {i: future.result() for i, future in futures.items() if i >= at and future.exception() is None}
        # One that was being worked on ended its process, and with it the pool: those in question are tried one by one.
        lost = [i for i in range(at, len(items)) if i not in results]
        results |= {i: _alone(function, items[i], broken) for i in lost[: 2 * workers]}


def _submitted(
    pool: ProcessPoolExecutor, function: Callable[[Item], Result], items: dict[int, Item]
) -> dict[int, Future[Result]]:
    futures: dict[int, Future[Result]] = {}
    with contextlib.suppress(BrokenProcessPool):
        for index, item in items.items():
            futures[index] = pool.submit(function, item)
    return futures


def _alone(function: Callable[[Item], Result], item: Item, broken: Callable[[Item], Result]) -> Result:
    with _pool(1) as pool:
        future: Future[Result] = pool.submit(function, item)
        try:
            return future.result()
        except BrokenProcessPool:
            return broken(item)


def _pool(workers: int) -> ProcessPoolExecutor:
    # Not forked: this process may have threads.
    return ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))


def _processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
