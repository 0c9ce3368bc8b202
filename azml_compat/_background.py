"""The background process: delivers journals while their scripts compute, and ends the runs of scripts that die.

One serves all processes that use a store on this machine; it is started when a journal is a few seconds old, and
leaves when there is nothing left to wait for. It shares nothing with the script that started it: no pipes, no
terminal, no process group, no current directory, no alias, no run.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from azml_compat import _detached, _names
from azml_compat._journal import Spool, places
from azml_compat._journal.spool import BACKGROUND_LOCK
from azml_compat._reporting import message_of

if TYPE_CHECKING:
    from azml_compat._delivery import Files
    from azml_compat._draining import Drain
    from azml_compat._tracking import Store

logger = logging.getLogger("azml_compat")

_START_SECONDS = 2.0
"""A run that lives shorter needs no background process."""
_TURN_SECONDS = 0.5
_IDLE_TURNS = 4
_PAUSES = (1.0, 30.0)
"""Seconds between attempts while the store is away: the first, and the longest."""
_GIVE_UP_SECONDS = 900
"""For how long to wait for a store that is away, once no script is left."""
_PATIENCE = 8.0
"""Seconds, for a store that does not answer; it grows with the pauses."""
_SLICE_SECONDS = 5.0
"""For which one run is delivered at a time: others wait, and so do scripts that want to do it themselves."""
_LOOK_SECONDS = (30.0, 600.0)
"""Between looks of a script at whether it lives: at first, and when it had to be started again and again."""


class _Starter:
    """Starts the background process when this process's journals are old enough, and again should it die."""

    def __init__(self) -> None:
        self._watcher: threading.Thread | None = None
        """The thread that looks after it while there are journals."""
        self._has_told = False
        self._spool: Spool | None = None

    def soon(self, uri: str, spool: Spool) -> None:
        """Start it in a moment, unless the journals of this process are gone by then."""
        watcher = self._watcher
        if not is_wanted() or (watcher is not None and watcher.is_alive() and self._spool is spool):
            return  # In a forked child, no thread of its parent is alive.
        self._spool = spool
        self._watcher = threading.Thread(target=self._watch, args=(uri, spool), daemon=True)
        try:
            self._watcher.start()
        except RuntimeError as error:  # The system has no more threads for this user, or python is ending.
            self._watcher = None
            if not self._has_told:
                self._has_told = True
                logger.warning("Nobody looks after the background process: %s.", error)

    def _watch(self, uri: str, spool: Spool) -> None:
        me = threading.current_thread()
        pause = _START_SECONDS
        while True:
            time.sleep(pause)
            if self._watcher is not me:
                return
            if not spool.is_in_use:
                self._watcher = None
                # Whoever made a journal just before that still saw a watcher.
                if not spool.is_in_use:
                    return
                self._watcher = me
            first, longest = _LOOK_SECONDS
            # One that cannot live is not started every few seconds.
            pause = min(max(first, pause * 2), longest) if start(uri, spool) else max(first, pause)


_starter = _Starter()
start_soon = _starter.soon


def is_wanted() -> bool:
    """Tell whether the user allows a background process: AZML_COMPAT_BACKGROUND=0 forbids it."""
    return os.environ.get(_names.ENV_BACKGROUND) != "0" and hasattr(os, "fork")


def start(uri: str, spool: Spool) -> bool:
    """Start the background process of a spool, unless it runs already; tell whether that was tried.

    Args:
        uri: The tracking URI with its credentials, which only the environment of the new process gets to hold.
        spool: The journals.
    """
    try:
        if not is_wanted() or spool.has_background():
            return False
        _launch(uri, spool)
    except OSError as error:
        logger.warning("The background process cannot be started: %s", error)
    return True


def _launch(uri: str, spool: Spool) -> None:
    environment = _detached.own_environment(uri)
    _detached.start(__name__, [str(spool.folder), spool.uri], folder=spool.folder, environment=environment)


def serve(folder: str, shown: str) -> None:
    """Be the background process of the spool in `folder`, until there is nothing to wait for."""
    os.umask(0o077)
    os.nice(5)
    path = Path(folder)
    server = _Server(os.environ[_names.ENV_TRACKING_URI], Spool(shown, path))
    descriptor = places.open_private(path / BACKGROUND_LOCK, os.O_RDWR | os.O_CREAT)
    while places.try_lock(descriptor):
        _detached.log_to(path / ".background.log")
        server.serve()
        os.close(descriptor)
        # A script may have looked just before the lock was given back, and believes that it is served.
        time.sleep(_TURN_SECONDS)
        if not server.is_wanted():
            return
        descriptor = places.open_private(path / BACKGROUND_LOCK, os.O_RDWR | os.O_CREAT)


class _Server:
    """The turns of the background process."""

    def __init__(self, uri: str, spool: Spool) -> None:
        self._uri = uri
        self._spool = spool
        self._store: Store | None = None
        self._drain: Drain | None = None
        self._alive: set[str] = set()
        """The journals, by name, whose process lived when they were last looked at."""
        self._left: dict[str, Files] = {}
        """Of those whose process was seen to die: the files of its folders, as it left them."""
        self._pending: set[str] = set()
        self._pause = 0.0
        self._next_attempt = 0.0
        self._next_attempts: dict[str, float] = {}
        """The same for each run that could not be delivered."""
        self._alone_since = time.monotonic()

    def serve(self) -> None:
        """Take turns until nothing was to be done for a while."""
        idle = 0
        while idle < _IDLE_TURNS:
            time.sleep(_TURN_SECONDS)
            try:
                idle = 0 if self._turn() else idle + 1
            except FileNotFoundError:
                if not self._spool.folder.exists():
                    return
            except Exception:  # whatever it is, scripts still count on this process
                logger.exception("A turn failed")
                idle += 1

    def is_wanted(self) -> bool:
        """Tell, after `serve`, whether there is more than it has left behind."""
        if not self._spool.folder.exists():
            return False
        left = self._pending
        self._look()
        if not (self._alive or self._pending - left):
            return False
        self._alone_since = time.monotonic()
        return True

    def _turn(self) -> bool:
        """Deliver what there is; True while there is something to wait for."""
        pending = self._look()
        now = time.monotonic()
        if self._alive:
            self._alone_since = now
        self._next_attempts = {run: at for run, at in self._next_attempts.items() if run in pending}
        # First those that have not failed: one on which all patience is lost must not keep the others waiting.
        pending.sort(key=lambda run: self._next_attempts.get(run, 0.0))
        due = [run for run in pending if now >= self._next_attempts.get(run, 0.0)]
        if due and now >= self._next_attempt:
            self._deliver(due)
        return bool(self._alive) or (bool(pending) and now - self._alone_since < _GIVE_UP_SECONDS)

    def _look(self) -> list[str]:
        """Look at all journals; return the runs of those that there is something to do for."""
        runs = {run: self._spool.survey(run) for run in self._spool.runs()}
        states = {state.path.stem: state for states in runs.values() for state in states}
        alive = {name for name, state in states.items() if state.is_alive}
        for name in (self._alive - alive) & states.keys():
            self._note_left(name, states[name].path)
        self._alive = alive
        # Until they are gone: the store may be away for long, and there may be much to deliver before.
        self._left = {name: files for name, files in self._left.items() if name in states}
        self._pending = {name for name, state in states.items() if state.is_pending}
        return [run for run, states in runs.items() if any(state.is_pending for state in states)]

    def _note_left(self, name: str, path: Path) -> None:
        """Note the files that a process which has just died has left in the folders of its run."""
        from azml_compat._delivery import files_of

        with contextlib.suppress(FileNotFoundError), self._spool.open(path) as file:
            if file.header is not None:
                self._left[name] = files_of(file.header)

    def _deliver(self, runs: list[str]) -> None:
        from azml_compat._draining import Drain
        from azml_compat._tracking import Store

        if self._store is None or self._drain is None:
            self._store = Store(self._uri, may_create=False)
            self._drain = Drain(self._store, self._spool)
        first, longest = _PAUSES
        is_away = False
        # A script that ends its run waits for whoever delivers it: patience comes with time.
        with self._store.patience(min(max(_PATIENCE, self._pause), longest)):
            for run in runs:
                report = self._drain.run(run, time.monotonic() + _SLICE_SECONDS, wait=0, left=self._left)
                for run_id in report.ended:
                    logger.info("Run %s is Failed now: its process was gone", run_id)
                for error in report.refused:
                    logger.warning("%s", message_of(error))
                self._next_attempts.pop(run, None)
                if report.away is None:
                    continue
                logger.info("Run %s waits: %s", run, message_of(report.away))
                # Where the store answers, it is the run's own trouble: its parent is not there, say.
                self._next_attempts[run] = time.monotonic() + (0.0 if self._store.is_silent else longest)
                is_away |= self._store.is_silent
                if self._store.patience_left <= 0:
                    break
        self._pause = min(max(first, self._pause * 2), longest) if is_away else 0.0
        self._next_attempt = time.monotonic() + self._pause
