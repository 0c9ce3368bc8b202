"""`azureml.core.script_run`: the run of a submitted script, which runs on this machine."""

from __future__ import annotations

import codecs
import math
import posixpath
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azml_compat import _names, _reporting, _status
from azml_compat._jobs import supervisor
from azml_compat._jobs.folder import JobFolder, jobs_folder
from azml_compat._refused import module_attributes
from azml_compat._restclient.constants import RunStatus
from azml_compat.core.run import Run
from azml_compat.exceptions import AzureMLException

if TYPE_CHECKING:
    from azml_compat._tracking import RunRecord
    from azml_compat.core.experiment import Experiment

_LOOK_SECONDS = 0.05
_POLL_SECONDS = (0.2, 5.0)
_ENSURE_SECONDS = 2.0
_CHUNK = 1 << 16
_STREAMED = re.compile(r"user_logs/std_log(_process_0*)?\.txt|azureml-logs/\d\d_.*\.txt")
_KEYWORDS = frozenset({"run_id", "credential_passthrough", "_parent_run_id"})


class ScriptRun(Run):
    """The run of a script that was submitted.

    Args:
        experiment: The experiment that holds it.
        run_id: The id of an existing run.
        directory: Accepted, and not used: the script runs in a copy of its source directory.
        _run_config: The configuration that was submitted; read from the run by default.

    Raises:
        ServiceException: there is no such run (`status_code` 404).
    """

    RUN_TYPE = "azureml.scriptrun"

    def __init__(
        self, experiment: Experiment, run_id: str, directory: Any = None, _run_config: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(experiment, run_id, **kwargs)
        self._run_config = _run_config

    @classmethod
    def _of(cls, experiment: Experiment, record: RunRecord, run_config: Any = None) -> ScriptRun:
        run: ScriptRun = cls._from_record(experiment, record)
        run._run_config = run_config
        return run

    def _folder(self) -> JobFolder | None:
        """Return the job of the run, while it is one of this machine and not at its end."""
        folder = JobFolder(jobs_folder(self._store.uri) / self._record.id)
        return folder if folder.exists() else None

    def cancel(self) -> None:
        """End the script with everything that it has started, wherever it runs; the run becomes Canceled."""
        folder = self._folder()
        if folder is not None:
            folder.cancel()  # First: whoever removes the folder now sees that what follows may come too late.
        before = self._refresh()
        if _status.is_terminal(before) and (folder is None or not folder.exists()):
            return
        self._store.set_run_tags(self._record.id, {_names.TAG_STATUS: RunStatus.CANCEL_REQUESTED})
        self._store.set_run_status(self._record.id, _status.to_mlflow(RunStatus.CANCEL_REQUESTED))
        if folder is None:
            _reporting.logger.warning("Run %s is on another machine. It ends when that sees that it is to.", self.id)
        elif folder.exists():
            supervisor.ensure(self._store.uri, folder.path.parent)
        elif not _status.is_terminal(self._refresh()):  # It came to its end meanwhile, and nobody looks after it now.
            end = before.status if _status.is_terminal(before) else _status.to_mlflow(RunStatus.CANCELED)
            self._store.end_run(self._record.id, end)

    # -- waiting ----------------------------------------------------------------------------------------------

    def _wait_while(self, waiting: list[str], *, show_output: bool = False) -> None:
        stream = _Stream(self) if show_output else None
        seconds, longest = _POLL_SECONDS
        ensured = -math.inf
        while True:
            folder = self._folder()
            if folder is not None:
                if time.monotonic() - ensured >= _ENSURE_SECONDS:
                    supervisor.ensure(self._store.uri, folder.path.parent)
                    ensured = time.monotonic()
                if stream is not None:
                    stream.show_local(folder)
                time.sleep(_LOOK_SECONDS)
                continue
            is_over = self.status not in waiting
            if stream is not None:
                stream.show_stored()
            if is_over:
                return
            time.sleep(seconds)
            seconds = min(seconds * 1.5, longest)


class _Stream:
    """Shows what a run prints, as it grows."""

    def __init__(self, run: ScriptRun) -> None:
        self._run = run
        self._name = ""
        self._shown = 0
        """Bytes."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def show_local(self, folder: JobFolder) -> None:
        """Show what the processes of this machine have printed since the last call."""
        try:
            job = folder.job()
            file = folder.log(0, len(job.ranks))
            if not file.exists():
                return
            self._begin(posixpath.join("user_logs", file.name))
            self._show(file)
        except OSError:  # The run came to its end just now: what is left is in the store.
            return

    def show_stored(self) -> None:
        """Show what the store has beyond that."""
        names = sorted(name for name, _ in self._run._logs() if _STREAMED.fullmatch(name))
        if not names:
            return
        name = names[-1]
        self._begin(name)
        with self._run._files.fetched(self._run._find_file(name)) as file:
            self._show(file)

    def _begin(self, name: str) -> None:
        if name != self._name:
            self._name, self._shown = name, 0
            self._decoder.reset()
            print(f"\nStreaming {name}\n{'=' * (len(name) + 10)}\n", flush=True)

    def _show(self, file: Path) -> None:
        with file.open("rb") as log:
            log.seek(self._shown)
            while chunk := log.read(_CHUNK):
                self._shown += len(chunk)
                sys.stdout.write(self._decoder.decode(chunk))  # A character that is not whole waits for its rest.
        sys.stdout.flush()


def submit_script(
    experiment: Experiment, config: Any, tags: Any, *, parent: RunRecord | None, **kwargs: Any
) -> ScriptRun:
    """Submit a script; the work of `Experiment.submit` and `Run.submit_child`."""
    from azml_compat._jobs.submitting import submit
    from azml_compat.core.script_run_config import ScriptRunConfig

    if not isinstance(config, ScriptRunConfig):
        raise AzureMLException(
            f"Nothing is known of how to submit a {type(config).__name__}. Submit a ScriptRunConfig: its parameter "
            "run_config takes a RunConfiguration."
        )
    unknown = sorted(set(kwargs) - _KEYWORDS)
    if unknown:
        raise TypeError(f"submit() got an unexpected keyword argument {unknown[0]!r}")
    if parent is None and kwargs.get("_parent_run_id"):
        parent = Run.get(experiment.workspace, kwargs["_parent_run_id"])._as_parent()
    record, run_config = submit(experiment, config, tags=tags, run_id=kwargs.get("run_id"), parent=parent)
    run = ScriptRun._of(experiment, record, run_config)
    run._announce()
    return run


def _from_dto(experiment: Experiment, record: RunRecord, **_: Any) -> ScriptRun:
    return ScriptRun._of(experiment, record)


Run.add_type_provider(ScriptRun.RUN_TYPE, _from_dto)

__getattr__, __dir__ = module_attributes(__name__)
