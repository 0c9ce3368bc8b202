"""Slots: how many submitted runs of this user run at once on this machine.

AZML_COMPAT_MAX_RUNS says how many, by default as many as there are processors. A run that was submitted by another one
takes a slot of its own pool: it could wait for ever for that of a run which waits for it.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from azml_compat import _names
from azml_compat._home import home
from azml_compat._journal import places

logger = logging.getLogger("azml_compat")

_LOOK_SECONDS = 0.02


def max_runs() -> int:
    """Return how many runs may run at once."""
    setting = os.environ.get(_names.ENV_MAX_RUNS, "")
    if setting.isdigit() and int(setting) > 0:
        return int(setting)
    if setting:
        logger.warning("%s=%s is not a positive number.", _names.ENV_MAX_RUNS, setting)
    return os.cpu_count() or 1


def take_slot(depth: int, is_given_up: Callable[[], bool]) -> bool:
    """Take a slot for the life of this process, and wait for one in the order of arrival.

    Args:
        depth: How many submitted runs the run is in.
        is_given_up: Asked while waiting; true ends it.

    Returns:
        Whether there is one.
    """
    places.private_folder(home())
    folder = places.private_folder(places.private_folder(home() / "slots") / str(depth))
    count = max_runs()
    with _Queue(folder) as queue:
        while not is_given_up():
            if queue.is_first and _try(folder, count):
                return True
            time.sleep(_LOOK_SECONDS)
    return False


def _try(folder: Path, count: int) -> bool:
    for number in range(count):
        descriptor = places.open_private(folder / str(number), os.O_RDWR | os.O_CREAT)
        if places.try_lock(descriptor):
            return True  # The descriptor stays open, and with it the lock.
        os.close(descriptor)
    return False


class _Queue:
    """Who waits for a slot: a ticket each, a file with the time of arrival in its name, locked while its owner waits.

    Args:
        folder: Of the pool.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ticket = folder / f"ticket-{time.time_ns():020d}-{os.getpid()}"

    def __enter__(self) -> _Queue:
        self._descriptor = places.open_private(self._ticket, os.O_RDWR | os.O_CREAT)
        places.try_lock(self._descriptor)
        return self

    def __exit__(self, *_: object) -> None:
        self._ticket.unlink(missing_ok=True)
        os.close(self._descriptor)

    @property
    def is_first(self) -> bool:
        """Whether everybody who came before has gone."""
        for ticket in sorted(self._folder.glob("ticket-*")):
            if ticket >= self._ticket:
                return True
            try:
                if places.is_locked(ticket):
                    return False
            except FileNotFoundError:
                continue
            ticket.unlink(missing_ok=True)  # Its owner was killed while it waited.
        return True
