"""Forking at a moment when no thread is inside MLflow.

A forked child has one thread, and everything else as it was at that moment. A lock that another thread held then is
never given back in the child, which hangs when it needs it: sqlite's own, or python's for the import of one module,
which MLflow attempts with every request to a server.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SECONDS = 2
"""For how long a fork waits for calls that are under way: a server that is away must not keep a script from forking."""


class ForkGate:
    """Lets calls in, any number at once, but for the moment of a fork."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside: dict[int, int] = {}
        """How many calls each thread is in."""
        self._is_forking = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._close, after_in_parent=self._open, after_in_child=self._start_anew)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Make a call; a thread that is in one already is not kept waiting for a fork."""
        me = threading.get_ident()
        with self._changed:
            while self._is_forking and me not in self._inside:
                self._changed.wait(_SECONDS)
            self._inside[me] = self._inside.get(me, 0) + 1
        try:
            yield
        finally:
            with self._changed:
                self._inside[me] -= 1
                if not self._inside[me]:
                    del self._inside[me]
                    self._changed.notify_all()

    def _close(self) -> None:
        with self._changed:
            self._is_forking = True
            self._changed.wait_for(lambda: not self._inside.keys() - {threading.get_ident()}, _SECONDS)

    def _open(self) -> None:
        with self._changed:
            self._is_forking = False
            self._changed.notify_all()

    def _start_anew(self) -> None:
        me = threading.get_ident()
        self._changed = threading.Condition()
        self._inside = {me: self._inside[me]} if me in self._inside else {}
        self._is_forking = False


gate = ForkGate()
