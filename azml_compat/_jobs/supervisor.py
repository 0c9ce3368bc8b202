"""The supervisor: brings the submitted runs of a store to their end, and is the only one of them that knows MLflow.

One serves all runs of a store on this machine. It says in the store how far they are, sends what they print, and when
a script has ended, takes its files and sets the status. A run whose launcher was killed has failed. It is started by
whoever submits, or launches, or opens the store and finds it missing, and leaves when there has been nothing to do for
a while.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from azml_compat import _detached, _names
from azml_compat._jobs.folder import SUPERVISOR_LOCK, JobFolder, State, job_folders, remove_done
from azml_compat._journal import places
from azml_compat._reporting import message_of, reported
from azml_compat._tracking.errors import is_away, is_missing

if TYPE_CHECKING:
    from azml_compat._jobs.ending import Supervised

logger = logging.getLogger("azml_compat")

_TURN_SECONDS = 0.03
_IDLE_TURN_SECONDS = 0.1
_IDLE_SECONDS = 60.0
"""For which it stays ready when there is nothing to do: the next run needs not wait for it then."""
_PHASE_SECONDS = 0.1
"""For which a run must have been in a phase that is told: most pass in a moment, and each costs three requests."""
_LOG_SECONDS = (1.0, 15.0)
"""Between two looks at what a run has printed: at first, and at most."""
_RETRY_SECONDS = (1.0, 30.0)
"""Before a store that did not take something is asked again: at first, and at most."""
_MAX_FAILURES = 6
"""In a row, to end a run whose script has ended, while the store answers; then it is Failed, and its files are kept."""


def ensure(uri: str, root: Path) -> None:
    """Start the supervisor of a store, unless there is one.

    Args:
        uri: The tracking URI with its credentials, which only the environment of the new process gets to hold.
        root: Where the jobs of the store are.
    """
    from azml_compat._home import home

    try:
        places.private_folder(root)
        if _is_served(root):
            return
        environment = _detached.own_environment(uri) | {
            _names.ENV_HOME: str(home()),
            _names.ENV_BACKGROUND: "0",
            _names.ENV_JOB: "supervisor",  # It belongs to no run, whoever starts it.
        }
        _detached.start(__name__, [str(root)], folder=root, environment=environment)
    except OSError as error:
        logger.warning("The supervisor of submitted runs cannot be started: %s", error)


def _is_served(root: Path) -> bool:
    try:
        return places.is_locked(root / SUPERVISOR_LOCK)
    except FileNotFoundError:
        return False


def serve(folder: str) -> None:
    """Be the supervisor of the jobs in `folder`, until there is nothing to wait for."""
    os.umask(0o077)
    root = Path(folder)
    descriptor = places.open_private(root / SUPERVISOR_LOCK, os.O_RDWR | os.O_CREAT)
    if not places.try_lock(descriptor):
        return
    _detached.log_to(root / ".supervisor.log")
    _Supervisor(root).serve()
    os.close(descriptor)
    if next(job_folders(root), None) is not None:
        # One came while this process was leaving, and believes that it is served.
        ensure(os.environ[_names.ENV_TRACKING_URI], root)


class _Supervisor:
    """The turns of the supervisor."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, _Watch] = {}

    def serve(self) -> None:
        """Take turns until nothing was to be done for a while."""
        remove_done(self._root)
        _warm_up()
        idle_since = time.monotonic()
        while time.monotonic() - idle_since < _IDLE_SECONDS:
            try:
                has_jobs = self._turn()
            except FileNotFoundError:
                if not self._root.exists():
                    return
                raise
            if has_jobs:
                idle_since = time.monotonic()
            time.sleep(_TURN_SECONDS if has_jobs else _IDLE_TURN_SECONDS)

    def _turn(self) -> bool:
        """Look at every job; tell whether there is any."""
        found = {folder.run: folder for folder in job_folders(self._root)}
        self._known = {run: self._known.get(run) or _Watch(folder) for run, folder in found.items()}
        for watch in self._known.values():
            watch.look()
        return bool(found)


def _warm_up() -> None:
    """Load what the first run would wait for."""
    from azml_compat._runtime import store

    try:
        assert store().client is not None
    except Exception as error:  # noqa: BLE001 - the store is away: each run finds that out itself
        logger.info("The store cannot be opened: %s", message_of(error))


class _Watch:
    """One job, as the supervisor follows it."""

    def __init__(self, folder: JobFolder) -> None:
        self._folder = folder
        self._supervised: Supervised | None = None
        self._told = self._phase = ""
        self._phase_since = 0.0
        self._sizes: Mapping[str, int] = {}
        self._next_log = time.monotonic() + _LOG_SECONDS[0]
        self._log_pause = _LOG_SECONDS[0]
        self._next_attempt = 0.0
        self._retry_pause = _RETRY_SECONDS[0]
        self._failures = 0

    def look(self) -> None:
        """Do what is to be done for the job now."""
        now = time.monotonic()
        if now < self._next_attempt:
            return
        try:
            self._look(now)
        except Exception as error:  # noqa: BLE001 - other runs count on this process too
            logger.info("Run %s waits: %s", self._folder.run, message_of(error))
            self._next_attempt = time.monotonic() + self._retry_pause
            self._retry_pause = min(self._retry_pause * 2, _RETRY_SECONDS[1])
            with reported(f"Run {self._folder.run} waits"):
                self._note_trouble(error)
        else:
            self._retry_pause = _RETRY_SECONDS[0]
            self._failures = 0

    def _note_trouble(self, error: Exception) -> None:
        """See that no run looks unended for ever because of an error that stays. A script is ended for none."""
        is_finished = self._state().phase == "finished"
        if is_missing(error):  # Somebody has deleted the run.
            self._folder.cancel()
            if is_finished:
                self._folder.remove()
        elif is_finished and not is_away(error):
            self._failures += 1
            if self._failures >= _MAX_FAILURES:
                self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        from azml_compat._jobs.ending import give_up

        logger.exception("Run %s is given up", self._folder.run)
        give_up(self._folder.run, error)
        self._folder.set_aside()

    def _state(self) -> State:
        """Return how far the job is; one whose launcher was killed has ended."""
        state = self._folder.state()
        if state.phase != "finished" and not self._folder.has_launcher():
            state = self._folder.state()  # It may have finished between the two looks.
            if state.phase != "finished":
                return State("finished", "error", None, "What ran the script was killed.")
        return state

    def _look(self, now: float) -> None:
        state = self._state()
        if state.phase == "finished":
            self._run().end(state)
            self._folder.remove(self._run().stay_ended)
            return
        if state.phase != self._phase:
            self._phase, self._phase_since = state.phase, now
        if self._phase != self._told and now - self._phase_since >= _PHASE_SECONDS:
            self._run().tell(state.phase)
            self._told = state.phase
        if now >= self._next_log:
            self._follow()
            self._next_log = time.monotonic() + self._log_pause

    def _follow(self) -> None:
        """Send what was printed since the last look, and see whether the run was canceled elsewhere."""
        sizes = {str(file): file.stat().st_size for file in self._run().log_files()}
        self._log_pause = min(self._log_pause * 1.5, _LOG_SECONDS[1])
        if sizes != self._sizes:
            self._run().send_logs()
            self._sizes = sizes
        if self._run().is_canceled():
            self._folder.cancel()

    def _run(self) -> Supervised:
        if self._supervised is None:
            from azml_compat._jobs.ending import Supervised

            self._supervised = Supervised(self._folder)
        return self._supervised
