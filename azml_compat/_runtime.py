"""The one place with process-wide state: the store of this process, its writers, and its open runs.

`reset()` puts everything back, for tests. How a process ends is `_process_end`. The rooms that nobody needs before a
store is used - the store, the writer, the journal - are imported here when it is: importing Run must stay cheap.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from azml_compat import _config, _names, _status
from azml_compat._endings import end_of, error_tags
from azml_compat._home import home
from azml_compat._metrics import Encoder
from azml_compat._metrics.encode import Lane
from azml_compat._process_end import Outcome, ProcessEnd
from azml_compat._reporting import logger, message_of, reported
from azml_compat._tracking.addresses import absolute_uri, sqlite_path, without_credentials
from azml_compat._tracking.mlflow_api import chosen_tracking_uri
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from azml_compat._delivery import Report
    from azml_compat._journal import Journal, Spool
    from azml_compat._metrics import Latest, Record
    from azml_compat._tracking import RunRecord, Store
    from azml_compat._writer import Outbox, RunWriter

Finish = Callable[[Outcome], None]
_Run = TypeVar("_Run")
_RECOVERY_SECONDS = 10
"""For what scripts that died have left, when a store is opened that takes it."""
_RECOVERY_AWAY_SECONDS = 3
"""The same for one that does not."""
_SETTLING_SECONDS = 30
_EXIT_SECONDS = 300
"""For delivering what is left when the process ends, while the store takes it."""
_EXIT_AWAY_SECONDS = 1
"""The same for each run while it refuses connections."""
_EXIT_SILENT_SECONDS = 8
"""The same for all runs together while it does not answer, those included that are to be ended."""
_TERMINATION_SECONDS = 5
"""The same when the process is terminated, and will soon be killed."""
_ADOPTION_SECONDS = 5
"""For what other processes logged to a run, before the first log call of a new writer goes on from it."""


class _State:
    def __init__(self) -> None:
        self.store: Store | None = None
        self.last_start = 0
        self.outbox: Outbox | None = None
        self.writers: dict[str, RunWriter] = {}
        self.inherited: dict[str, Encoder] = {}
        """In a forked child: the encoders of its parent, which know what the parent had logged."""
        self.open_runs: dict[str, Finish] = {}
        self.run_ids: dict[str, str] = {}
        self.context_runs: dict[str | None, Any] = {}
        self.secrets: dict[str, str] = {}
        """Of datastores, where nothing safer keeps them."""


_state = _State()
_lock = threading.RLock()
context_lock = threading.RLock()
"""Held while the run of the script is created, which a signal handler of the same thread may want as well."""


def reset() -> None:
    """Forget the store, the writers and the open runs. Runs stay as they are; what was not delivered is dropped."""
    global _state
    with _lock:
        for writer in _state.writers.values():
            writer.close()
            writer.is_stale = True
        _state = _State()
        _end.forget()


def _leave_parent_behind() -> None:
    """In a forked child: its parent's runs are the parent's, and a lock may be held by a thread that is not here."""
    global _lock, context_lock
    _lock, context_lock = threading.RLock(), threading.RLock()
    if _state.store is not None:
        _state.store.leave_parent_behind()
    _state.inherited |= {run: writer.encoder for run, writer in _state.writers.items() if writer.encoder is not None}
    for writer in _state.writers.values():
        writer.is_stale = True
    _state.writers.clear()
    _state.outbox = None
    _state.open_runs.clear()
    _state.context_runs.clear()
    _end.leave_parent_behind()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_parent_behind)


def secrets() -> dict[str, str]:
    """Return the secrets that hold for this process alone, by name."""
    return _state.secrets


def store(config: _config.Config | None = None) -> Store:
    """Return the tracking store of this process; the first call decides which it is.

    First found wins: MLFLOW_TRACKING_URI or mlflow.set_tracking_uri; the key `mlflow_tracking_uri` of the
    configuration file; a sqlite database in the folder of that file, else in the current directory.

    Args:
        config: The configuration file that the caller has found; by default the nearest one.
    """
    with _lock:
        if _state.store is None:
            from azml_compat._tracking import Store

            choice = choose_store(config or _config.nearest())
            _state.store = Store(choice.uri, choice.artifact_root, on_open=_recover)
        elif config is not None and config.tracking_uri:
            _warn_if_other(config)
        return _state.store


class StoreChoice(NamedTuple):
    """Which tracking store it is, and why."""

    uri: str
    """Absolute, with its credentials."""
    artifact_root: str | None
    """Where experiments that are created here keep their files; None leaves it to the store."""
    reason: str
    """Goes on after "because"."""


def choose_store(config: _config.Config | None) -> StoreChoice:
    """Decide which tracking store a process uses that has found `config`, as `store` describes.

    Raises:
        UserErrorException: it would be a database in a folder whose name no address can hold.
    """
    folder = config.project_folder if config is not None else Path.cwd()
    given = os.environ.get(_names.ENV_TRACKING_URI)
    if given:
        uri, reason = absolute_uri(given, Path.cwd()), f"{_names.ENV_TRACKING_URI} names it"
    elif chosen := chosen_tracking_uri():
        uri, reason = absolute_uri(chosen, Path.cwd()), "mlflow.set_tracking_uri has named it"
    elif config is not None and config.tracking_uri:
        uri = absolute_uri(config.tracking_uri, folder)
        reason = f"the key {_names.CONFIG_TRACKING_URI} in {config.file} names it"
    elif re.search("[?]|%[0-9A-Fa-f]{2}", str(folder.absolute())):
        raise UserErrorException(
            f"The name of the folder {folder.absolute()} cannot be written in the address of a database. Say with "
            f"{_names.ENV_TRACKING_URI} where runs are to be tracked."
        )
    else:
        uri = default_uri(folder)
        reason = f"no address is given, and {folder.absolute()} is "
        reason += "the current directory" if config is None else f"the folder of {config.file}"
    return StoreChoice(uri, _artifact_root(uri, folder), reason)


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


def outbox() -> Outbox:
    """Return what the writers of this process share."""
    with _lock:
        if _state.outbox is None:
            from azml_compat._journal import Spool
            from azml_compat._writer import Outbox

            tracking = store()
            spool = None
            try:
                spool = Spool(tracking.uri)
            except OSError as error:
                logger.warning(
                    "No journal can be kept in %s: %s. Every log call waits for the store. Say with %s where a folder "
                    "of yours on a local disk is.",
                    *(home(), error, _names.ENV_HOME),
                )
            _state.outbox = Outbox(tracking, spool, on_journal=_watch_journal)
        return _state.outbox


def _watch_journal(uri: str, spool: Spool) -> None:
    """Have what this process logs delivered, meanwhile and at its end."""
    from azml_compat import _background

    _end.watch()
    _background.start_soon(uri, spool)


def writer(run: RunRecord) -> RunWriter:
    """Return this process's writer for a run, one for all `Run` objects."""
    with _lock:
        found = _state.writers.get(run.id)
        if found is None:
            from azml_compat._writer import RunWriter

            found = RunWriter(outbox(), run.id, is_owner=False, journal=None, encoder=lambda: _guest_encoder(run))
            _state.writers[run.id] = found
        return found


def own_writer(run_id: str, journal: Journal | None, *, is_stand_in: bool = False) -> RunWriter:
    """Return a new writer for a run that this process has created, under the id that it has for now."""
    from azml_compat._writer import RunWriter

    with _lock:
        made = RunWriter(
            outbox(),
            run_id,
            is_owner=True,
            journal=journal,
            encoder=lambda: Encoder(Lane.of_owner()),
            is_stand_in=is_stand_in,
        )
        made.encoder = Encoder(Lane.of_owner())
        _state.writers[run_id] = made
        return made


def _guest_encoder(run: RunRecord) -> Encoder:
    """Return an encoder that goes on from what others have logged to a run."""
    spool = outbox().spool
    rank = os.environ.get("RANK", "")
    preferred = int(rank) if rank.isdigit() else os.getpid()
    lane = spool.lane(run.id, preferred) if spool is not None else None
    guest = Lane.of_guest(preferred if lane is None else lane)
    inherited = _state.inherited.pop(run.id, None)
    if inherited is not None:
        inherited.continue_as_guest(guest)
        return inherited
    encoder = Encoder(guest)
    encoder.adopt(*_holdings(run))
    return encoder


def _holdings(run: RunRecord) -> tuple[list[Record], tuple[Latest, ...]]:
    """Return what a run holds, as far as that can be found out in a moment: a log call waits for it."""
    from azml_compat._sidecar import read_sidecar

    tracking = outbox().store
    with tracking.briefly(_ADOPTION_SECONDS):
        with reported(f"What was logged to run {run.id} lately is not known here"):
            outbox().flush(run.id, _ADOPTION_SECONDS, 0)
            # `run` may have been read long ago, and other writers went on since.
            run = tracking.get_run(run.id)
        with reported(f"How metrics of run {run.id} were logged before is not known here"):
            return read_sidecar(tracking, run), run.latest
    return [], run.latest


def flush(run: RunRecord, seconds: float, away_seconds: float | None = None) -> Report:
    """Deliver everything that processes of this machine logged to a run, as `Outbox.flush`."""
    found = _state.writers.get(run.id)
    if found is not None:
        return found.deliver(seconds, away_seconds)
    return outbox().flush(run.id, seconds, away_seconds)


def settle_runs() -> None:
    """Have runs that were started while the store was away created, before runs are listed."""
    for found in writers():
        if found.is_unsettled:
            found.deliver(_SETTLING_SECONDS, 0)


def leave_run(run_id: str) -> None:
    """Let go of the writer of a run that has ended, or is left, once everything has been delivered."""
    with _lock:
        found = _state.writers.pop(run_id, None)
    if found is not None:
        found.leave()


def writers() -> list[RunWriter]:
    """Return the writers of this process."""
    with _lock:
        return list(_state.writers.values())


def _recover() -> None:
    """Close the runs of this machine whose processes have died, and deliver what they left.

    Whatever is wrong with those is no reason why a script that opens the store should fail.
    """
    with reported("Cannot look after what other scripts have left"):
        _see_to_jobs()
        _deliver_for_the_dead()


def _deliver_for_the_dead() -> None:
    shared = outbox()
    if shared.spool is None or shared.drain is None:
        return
    deadline = time.monotonic() + _RECOVERY_SECONDS
    with shared.store.briefly(_RECOVERY_AWAY_SECONDS):
        for run in shared.spool.abandoned_runs():
            began = time.monotonic()
            if began >= deadline or shared.store.patience_left <= 0:
                return
            with reported(f"Cannot deliver what was logged to run {run}"):
                report = shared.drain.run(run, deadline, wait=shared.store.patience_left)
                if report.is_busy:
                    shared.store.note_waiting(time.monotonic() - began)
                for run_id in report.ended:
                    logger.warning("Run %s is Failed now: its process was gone, and had not ended it.", run_id)
                for error in report.refused:
                    logger.warning("%s", message_of(error))


def _see_to_jobs() -> None:
    """Have somebody look after the submitted runs of this machine, whose supervisor may have been killed."""
    tracking = store()
    root = home() / "jobs"
    if os.environ.get(_names.ENV_JOB) == "supervisor" or not root.is_dir():
        return
    from azml_compat._jobs import supervisor
    from azml_compat._jobs.folder import job_folders, jobs_folder

    if next(job_folders(jobs_folder(tracking.uri)), None) is not None:
        supervisor.ensure(tracking.uri, jobs_folder(tracking.uri))


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
        _state.open_runs[run_id] = finish
    _end.watch()


def close_run(run_id: str) -> None:
    """The run has ended; the end of the process leaves it alone."""
    with _lock:
        _state.open_runs.pop(run_id, None)


def open_runs() -> list[tuple[str, Finish]]:
    """Return the runs that the script has left open, children before their parents."""
    # Without the lock: a signal handler asks, and a thread may hold that while it waits for the store.
    return list(_state.open_runs.items())[::-1]


def context_run(run_id: str | None, make: Callable[[], _Run]) -> _Run:
    """Return what Run.get_context() gave before for `run_id` (None: this process's own run), else make it."""
    with _lock:
        if run_id not in _state.context_runs:
            made = make()
            # Not over one that a signal handler has made meanwhile.
            _state.context_runs.setdefault(run_id, made)
        found: _Run = _state.context_runs[run_id]
        return found


def has_context_run() -> bool:
    """Tell whether this process has a run of its own for Run.get_context()."""
    return None in _state.context_runs


def note_outcome(error: BaseException | None, exit_code: int) -> None:
    """Tell how the script ended: an exit hook cannot see an exit code."""
    _end.note(error, exit_code)


def _end_with_process(outcome: Outcome) -> None:
    """End what the script left open, deliver what processes of this machine logged, and say what could not be."""
    tracking = _state.store
    if tracking is None:
        return
    left = []
    with ExitStack() as limits:
        if outcome.is_terminated:
            limits.enter_context(_main_thread_stands_still())
        limits.enter_context(tracking.briefly(_TERMINATION_SECONDS if outcome.is_terminated else _EXIT_SILENT_SECONDS))
        patience = tracking.patience_left
        for run_id, finish in open_runs():
            with reported(f"Cannot end run {run_id} with the process"):
                finish(outcome)
            if 0 < tracking.patience_left < patience:
                # This one has waited in vain. How the others end is noted, and nothing is asked for them.
                limits.enter_context(tracking.patience(0))
        deadline = time.monotonic() + _EXIT_SECONDS
        for found in writers():
            with reported(f"Cannot deliver what was logged to run {found.run}"):
                seconds = max(0.1, deadline - time.monotonic())
                report = found.flush(seconds, min(seconds, _EXIT_AWAY_SECONDS))
                for error in report.refused:
                    logger.warning("%s", message_of(error))
                if report.is_complete:
                    leave_run(found.run)
                else:
                    left.append(report)
    if left:
        _tell_unsent(left)


@contextmanager
def _main_thread_stands_still() -> Iterator[None]:
    """Wait for nothing that the main thread holds: a signal handler there waits for this one."""
    spool = _state.outbox.spool if _state.outbox is not None else None
    if spool is None or threading.current_thread() is threading.main_thread():
        yield
        return
    spool.interrupted = threading.main_thread().ident
    try:
        yield
    finally:
        spool.interrupted = None


def _tell_unsent(left: list[Report]) -> None:
    """Say once what is not in the store, whatever the number of runs; `left` has what came of each of them."""
    from azml_compat import _background

    shared = outbox()
    shown = without_credentials(shared.store.uri)
    runs = "1 run" if len(left) == 1 else f"{len(left)} runs"
    away = next((report.away for report in left if report.away is not None), None)
    reason = (
        "it is slow, or another process or a call that was interrupted is still sending"
        if away is None
        else message_of(away)
    )
    print(
        f"azml_compat: what was logged to {runs} is not in {shown} yet: {str(reason).rstrip('.')}. It is kept in "
        f"{home()}, and is sent as soon as the store is back, at the latest when the next script uses it. To send it "
        "now: azml-compat sync",
        file=sys.stderr,
        flush=True,
    )
    if shared.spool is not None:
        _background.start(shared.store.uri, shared.spool)


def _secure_open_runs(outcome: Outcome) -> None:
    """Note in the journals of this process's open runs how they end, whatever happens next."""
    status, error = end_of(outcome)
    for run_id, _ in open_runs():
        found = _state.writers.get(run_id)
        if found is not None and found.is_owner:
            with reported(f"Cannot note the end of run {run_id}"):
                found.queue_end(_status.to_mlflow(status), error_tags(error))


_end = ProcessEnd(_end_with_process, _secure_open_runs, lambda: bool(_state.open_runs))
