"""The one place with process-wide state: the store of this process, its open runs, and how the process ends.

`reset()` puts everything back, for tests.
"""

from __future__ import annotations

import atexit
import importlib
import logging
import os
import re
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from azml_compat import _config, _names
from azml_compat._tracking import RunRecord, Store
from azml_compat._tracking.addresses import absolute_uri, sqlite_path, without_credentials
from azml_compat._tracking.mlflow_api import chosen_tracking_uri
from azml_compat._writer import RunWriter
from azml_compat.exceptions import UserErrorException

# No NullHandler: what is reported here and not raised must reach a script that has not set up logging.
logger = logging.getLogger("azml_compat")


@dataclass(frozen=True)
class Outcome:
    """How the script ended: with an uncaught error, with an exit code, or well."""

    error: BaseException | None = None
    exit_code: int = 0

    @property
    def is_failure(self) -> bool:
        """Whether a run that is still open has failed."""
        return self.error is not None or self.exit_code != 0


Finish = Callable[[Outcome], None]
_Run = TypeVar("_Run")


@dataclass
class _State:
    store: Store | None = None
    default_folder: Path | None = None
    last_start: int = 0
    writers: dict[str, RunWriter] = field(default_factory=dict)
    """Kept as long as the process: what a writer handed out decides what it may hand out next."""
    open_runs: dict[str, Finish] = field(default_factory=dict)
    run_ids: dict[str, str] = field(default_factory=dict)
    outcome: Outcome | None = None
    context_runs: dict[str | None, Any] = field(default_factory=dict)
    process: int = field(default_factory=os.getpid)


_state = _State()
_lock = threading.RLock()
_is_hooked = False


def reset() -> None:
    """Forget the store, the open runs and the outcome. Runs stay as they are."""
    global _state
    with _lock:
        _state = _State()


def store(config: _config.Config | None = None) -> Store:
    """Return the tracking store of this process; the first call decides which it is.

    First found wins: MLFLOW_TRACKING_URI or mlflow.set_tracking_uri; the key `mlflow_tracking_uri` of the
    configuration file; a sqlite database in the folder of that file, else in the current directory.

    Args:
        config: The configuration file that the caller has found; by default the nearest one.
    """
    with _lock:
        if _state.store is None:
            config = config or _config.nearest()
            uri, folder = _resolve(config)
            _state.default_folder = folder
            _state.store = Store(uri, _artifact_root(uri, folder))
        elif config is not None and config.tracking_uri:
            _warn_if_other(config)
        return _state.store


def _resolve(config: _config.Config | None) -> tuple[str, Path]:
    folder = config.project_folder if config is not None else Path.cwd()
    uri = os.environ.get(_names.ENV_TRACKING_URI) or chosen_tracking_uri()
    if uri:
        return absolute_uri(uri, Path.cwd()), folder
    if config is not None and config.tracking_uri:
        return absolute_uri(config.tracking_uri, folder), folder
    if re.search("[?]|%[0-9A-Fa-f]{2}", str(folder.absolute())):
        raise UserErrorException(
            f"The name of the folder {folder.absolute()} cannot be written in the address of a database. Say with "
            f"{_names.ENV_TRACKING_URI} where runs are to be tracked."
        )
    return default_uri(folder), folder


def default_uri(folder: Path) -> str:
    """Return the tracking URI of a project folder that names none."""
    return f"sqlite:///{(folder.absolute() / 'mlflow.db').as_posix()}"


def _artifact_root(uri: str, folder: Path) -> str | None:
    if uri.startswith(("http://", "https://", "file:", "databricks")):
        return None
    # MLflow would put the files of a database's experiments relative to the current directory.
    database = sqlite_path(uri)
    return ((database.parent if database else folder.absolute()) / "mlartifacts").as_uri()


def _warn_if_other(config: _config.Config) -> None:
    assert _state.store is not None
    uri = absolute_uri(config.tracking_uri or "", config.project_folder)
    if uri != _state.store.uri:
        logger.warning(
            "%s names the tracking store %s, but this process already uses %s, and goes on with it.",
            config.file,
            without_credentials(uri),
            without_credentials(_state.store.uri),
        )


def next_start_time() -> int:
    """Return the time in milliseconds, later than that of every run this process started before."""
    with _lock:
        _state.last_start = max(time.time_ns() // 1_000_000, _state.last_start + 1)
        return _state.last_start


def writer(run_store: Store, run: RunRecord, *, is_owner: bool) -> RunWriter:
    """Return this process's writer for a run, one for all `Run` objects."""
    with _lock:
        _leave_parent_behind()
        found = _state.writers.get(run.id)
        if found is None:
            found = _state.writers[run.id] = RunWriter(run_store, run, is_owner=is_owner)
        return found


def remember_run_id(given: str, mlflow_id: str) -> None:
    """Note which MLflow run a user-chosen id stands for."""
    with _lock:
        _state.run_ids[given] = mlflow_id


def recall_run_id(given: str) -> str | None:
    """Return the MLflow run of a user-chosen id, if this process has met it."""
    return _state.run_ids.get(given)


def open_run(run_id: str, finish: Finish) -> None:
    """Have `finish` called when the process ends before `close_run`."""
    with _lock:
        _leave_parent_behind()
        _state.open_runs[run_id] = finish
        _hook()


def close_run(run_id: str) -> None:
    """The run has ended; the exit hook leaves it alone."""
    with _lock:
        _state.open_runs.pop(run_id, None)


def context_run(run_id: str | None, make: Callable[[], _Run]) -> _Run:
    """Return what Run.get_context() gave before for `run_id` (None: this process's own run), else make it."""
    with _lock:
        _leave_parent_behind()
        if run_id not in _state.context_runs:
            _state.context_runs[run_id] = make()
        found: _Run = _state.context_runs[run_id]
        return found


def has_context_run() -> bool:
    """Tell whether this process has a run of its own for Run.get_context()."""
    _leave_parent_behind()
    return None in _state.context_runs


def note_outcome(error: BaseException | None, exit_code: int) -> None:
    """Tell how the script ended: an exit hook cannot see an exit code."""
    # sys.exit is no error; the code says all, and 0 is a normal end.
    _state.outcome = Outcome(None if isinstance(error, SystemExit) else error, exit_code)


def _leave_parent_behind() -> None:
    # A forked child has copies of its parent's runs; their ends are the parent's business.
    if _state.process != os.getpid():
        _state.process = os.getpid()
        _state.open_runs.clear()
        _state.writers.clear()
        _state.context_runs.clear()


def _hook() -> None:
    global _is_hooked
    if _is_hooked:
        return
    _is_hooked = True
    # Where a run is created only at exit, MLflow is imported only then; these modules of its cannot be, because they
    # register themselves with the end of the threads, which is over by then.
    importlib.import_module("concurrent.futures.thread")
    importlib.import_module("concurrent.futures.process")
    atexit.register(_end_open_runs)
    previous = sys.excepthook

    def note_error(kind: type[BaseException], error: BaseException, traceback: types.TracebackType | None) -> None:
        note_outcome(error, 1)
        previous(kind, error, traceback)

    sys.excepthook = note_error


def _end_open_runs() -> None:
    with _lock:
        _leave_parent_behind()
        outcome = _state.outcome or Outcome()
        # Children are opened after their parents and end before them.
        finishes = list(reversed(_state.open_runs.items()))
    for run_id, finish in finishes:
        with reported(f"Cannot end run {run_id} at exit"):
            finish(outcome)


@contextmanager
def reported(doing: str) -> Iterator[None]:
    """Report an error without raising it, where raising would hide the script's own."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
        logger.warning("%s: %s", doing, getattr(error, "message", None) or error)
