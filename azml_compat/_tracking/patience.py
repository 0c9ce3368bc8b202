"""How long MLflow may wait for a server: its own patience is 246 seconds for each call, and training cannot wait.

MLflow reads these settings from the environment at each request, and takes them nowhere else. They are set only
while a call of ours is under way, and never where the user has set them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"
_SECONDS = 30.0


class Setting:
    """Environment variables that have a value inside a with block, in however many threads at once."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._lock = threading.Lock()
        self._users = 0
        self._before: dict[str, str | None] = {}

    def leave_parent_behind(self) -> None:
        """In a forked child: the threads that were inside are not here."""
        self._lock = threading.Lock()
        if self._users:
            self._users = 0
            self._restore()

    def __enter__(self) -> None:
        with self._lock:
            if self._users == 0:
                self._before = {name: os.environ.get(name) for name in self._values}
                os.environ.update(self._values)
            self._users += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._restore()

    def _restore(self) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class Patience:
    """Limits how long the calls to a server may take.

    Args:
        is_server: Other stores have no such settings.
    """

    def __init__(self, *, is_server: bool) -> None:
        self._is_server = is_server
        self._local = threading.local()

    def leave_parent_behind(self) -> None:
        """In a forked child: the calls that were under way are not here."""
        _ours.leave_parent_behind()

    @contextmanager
    def limited_to(self, seconds: float) -> Iterator[None]:
        """Let no call of this thread wait longer for an answer, repetitions included."""
        before = getattr(self._local, "seconds", None)
        self._local.seconds = min(seconds, before or seconds)
        try:
            yield
        finally:
            self._local.seconds = before

    @contextmanager
    def calling(self, *, may_repeat: bool) -> Iterator[None]:
        """Have the settings in place for one call.

        Args:
            may_repeat: Let a call whose connection broke be made once more. A write that a store would keep twice
                must not be: only its caller can find out whether it went through.
        """
        if not self._is_server:
            yield
            return
        attempts = 2 if may_repeat else 1
        seconds = (getattr(self._local, "seconds", None) or _SECONDS) / attempts
        _ours.enter({_RETRIES: str(attempts - 1), _TIMEOUT: str(max(1, int(seconds)))})
        try:
            yield
        finally:
            _ours.leave()


class _Ours:
    """The settings while calls of ours are under way; with several threads, those of the call that began last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._mine: set[str] = set()

    def leave_parent_behind(self) -> None:
        self._lock = threading.Lock()
        if self._users:
            self._users = 0
            self._restore()

    def enter(self, values: Mapping[str, str]) -> None:
        with self._lock:
            if self._users == 0:
                self._mine = {name for name in values if name not in os.environ}
            self._users += 1
            os.environ.update({name: value for name, value in values.items() if name in self._mine})

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._restore()

    def _restore(self) -> None:
        for name in self._mine:
            os.environ.pop(name, None)


_ours = _Ours()
