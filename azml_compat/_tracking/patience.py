"""How long a store may keep its callers waiting: MLflow's own patience is 246 seconds a call, and training cannot wait.

Waiting is counted, not time. What a block may wait is used up by calls that nobody answers, however many there are,
and an answer gives all of it back. So a slow server gets its time, and one that hangs costs the end of a script the
same few seconds, whether it has one run open or a hundred.

MLflow reads its settings from the environment at each request, and takes them nowhere else. They are set only while
a call of ours is under way, and never where the user has set them.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking.errors import is_away
from azml_compat.exceptions import AzureMLException

_RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"
_SECONDS = 30.0
"""The longest wait for one answer."""
_MEMORY_SECONDS = 60.0
"""For how long a store that did not answer is taken to be away, until it does."""


class Setting:
    """Environment variables that have a value inside a with block, in however many threads at once."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        # Reentrant: a signal handler may end a run in the middle of a call.
        self._lock = threading.RLock()
        self._users = 0
        self._before: dict[str, str | None] = {}

    def leave_parent_behind(self) -> None:
        """In a forked child: the threads that were inside are not here."""
        self._lock = threading.RLock()
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


class _Limit:
    """How long a thread may wait inside a block.

    Args:
        seconds: In all, between two answers.
        at_first: The same until the first answer.
    """

    def __init__(self, seconds: float, at_first: float) -> None:
        self._seconds = seconds
        self._now = min(seconds, at_first)
        self._waited = 0.0

    @property
    def left(self) -> float:
        return self._now - self._waited

    def add(self, seconds: float) -> None:
        self._waited += seconds

    def renew(self) -> None:
        self._now, self._waited = self._seconds, 0.0


class Patience:
    """Limits how long threads wait for one store.

    Args:
        is_server: Other stores have no settings for that; what is waited for them is counted all the same.
    """

    def __init__(self, *, is_server: bool) -> None:
        self._is_server = is_server
        self._local = threading.local()
        self._away_since = -math.inf

    def leave_parent_behind(self) -> None:
        """In a forked child: the calls that were under way are not here."""
        _ours.leave_parent_behind()

    @property
    def _limits(self) -> list[_Limit]:
        limits: list[_Limit] = self._local.__dict__.setdefault("limits", [])
        return limits

    @contextmanager
    def limited_to(self, seconds: float, *, while_silent: float = math.inf) -> Iterator[None]:
        """Let this thread wait no longer inside, in all, than `seconds` without an answer.

        Args:
            seconds: 0 has every call fail at once.
            while_silent: The same, where the store is known to be silent, until it answers.
        """
        limit = _Limit(seconds, while_silent if self.is_silent else math.inf)
        self._limits.append(limit)
        try:
            yield
        finally:
            self._limits.remove(limit)

    @property
    def left(self) -> float:
        """How many seconds this thread may still wait; infinite outside of all limits."""
        return min((limit.left for limit in self._limits), default=math.inf)

    @property
    def is_silent(self) -> bool:
        """Whether the last call was not answered, and that was a moment ago."""
        return time.monotonic() - self._away_since < _MEMORY_SECONDS

    def note_silence(self) -> None:
        """Note that the store is silent."""
        self._away_since = time.monotonic()

    def renew(self) -> None:
        """Note a sign of life."""
        self._away_since = -math.inf
        for limit in self._limits:
            limit.renew()

    def add(self, seconds: float) -> None:
        """Note that this thread has waited in vain."""
        for limit in self._limits:
            limit.add(seconds)

    @contextmanager
    def counting(self, doing: str) -> Iterator[None]:
        """Count what is waited in vain inside.

        Raises:
            ServiceException: this thread may not wait any longer (`status_code` 503).
        """
        if self.left <= 0:
            raise ServiceException._from_status(503, f"{doing}: the store does not answer")
        began = time.monotonic()
        try:
            yield
        except (ServiceException, AzureMLException) as error:
            if is_away(error):
                self.note_silence()
                self.add(time.monotonic() - began)
            else:
                self.renew()
            raise
        self.renew()

    @contextmanager
    def calling(self, doing: str) -> Iterator[None]:
        """Have MLflow's settings in place for one call, and count what it waits in vain.

        MLflow is told not to repeat it: the environment is that of all threads, and a write that a store would keep
        twice must not be repeated blindly.

        Raises:
            ServiceException: this thread may not wait any longer (`status_code` 503).
        """
        with self.counting(doing):
            if self._is_server:
                with _ours.inside(max(1, int(min(_SECONDS, self.left)))):
                    yield
            else:
                yield

    @property
    def is_repeating(self) -> bool:
        """Whether repeating calls is ours, and not MLflow's, by the user's wish."""
        return self._is_server and not _ours.is_of_user(_RETRIES)


class _Settings:
    """MLflow's settings while calls of ours are under way; with several threads, the most impatient one's."""

    def __init__(self) -> None:
        # Reentrant: a signal handler may call in the middle of this.
        self._lock = threading.RLock()
        self._seconds: list[int] = []
        self._set: dict[str, str] = {}

    def leave_parent_behind(self) -> None:
        self._lock = threading.RLock()
        self._seconds.clear()
        self._apply()

    @contextmanager
    def inside(self, seconds: int) -> Iterator[None]:
        with self._lock:
            self._seconds.append(seconds)
            self._apply()
        try:
            yield
        finally:
            with self._lock:
                if seconds in self._seconds:  # Not in a child that was forked inside.
                    self._seconds.remove(seconds)
                self._apply()

    def is_of_user(self, name: str) -> bool:
        value = os.environ.get(name)
        return value is not None and value != self._set.get(name)

    def _apply(self) -> None:
        values = {_RETRIES: "0", _TIMEOUT: str(min(self._seconds))} if self._seconds else {}
        for name in (_RETRIES, _TIMEOUT):
            if self.is_of_user(name):
                continue
            if name in values:
                self._set[name] = values[name]
                os.environ[name] = values[name]
            else:
                os.environ.pop(name, None)
                self._set.pop(name, None)

    def of_user(self) -> dict[str, str]:
        with self._lock:
            ours = [name for name in self._set if not self.is_of_user(name)]
            return {name: value for name, value in os.environ.items() if name not in ours}


_ours = _Settings()


def environment_of_user() -> dict[str, str]:
    """Return a copy of the environment without what calls under way have set in it."""
    return _ours.of_user()
