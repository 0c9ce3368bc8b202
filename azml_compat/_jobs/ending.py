"""What the supervisor does with a submitted run in the store: say how far it is, take its logs and files, end it."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from functools import partial
from pathlib import Path

from azml_compat import _names, _runtime, _status
from azml_compat._endings import error_of, error_tags
from azml_compat._files import stored_path
from azml_compat._jobs import processes
from azml_compat._jobs.folder import JobFolder, State
from azml_compat._reporting import logger, message_of, reported
from azml_compat._restclient.constants import RunStatus
from azml_compat._tracking.errors import is_away
from azml_compat.core.run import Run
from azml_compat.core.workspace import Workspace

_WORDS = {"queued": RunStatus.QUEUED, "preparing": RunStatus.PREPARING, "running": RunStatus.RUNNING}
_CANCELED = (RunStatus.CANCELED, RunStatus.CANCEL_REQUESTED)
_DRIVER_LOG = "azureml-logs/70_driver_log.txt"
_USER_LOGS = "user_logs"
_KILL_SECONDS = 2.0


def give_up(run: str, error: Exception) -> None:
    """End a run as Failed, with nothing more of what its script has left.

    Raises:
        AzureMLException: the store does not take it.
    """
    store = _runtime.store()
    store.set_run_tags(run, error_tags(error_of(f"The run could not be brought to its end: {message_of(error)}", None)))
    store.end_run(run, _status.to_mlflow(RunStatus.FAILED))


class Supervised:
    """A submitted run with its folder on this machine.

    Raises:
        ServiceException: the store cannot be reached (`status_code` 503).
    """

    def __init__(self, folder: JobFolder) -> None:
        self._folder = folder
        self._job = folder.job()
        self._run = Run.get(Workspace._of_process(), self._job.run)  # noqa: SLF001 - that of this process's variables
        self._store = _runtime.store()
        self._end = _status.to_mlflow(RunStatus.FAILED)

    def tell(self, phase: str) -> None:
        """Say in the store how far the run is, unless that says that it is to be canceled."""
        word = _WORDS[phase]
        record = self._store.get_run(self._job.run)
        if _status.of(record) in _CANCELED:
            self._folder.cancel()
        elif not _status.is_terminal(record):
            self._store.set_run_status(self._job.run, _status.to_mlflow(word))
            self._store.set_run_tags(self._job.run, {_names.TAG_STATUS: word})

    def is_canceled(self) -> bool:
        """Tell whether somebody has canceled the run in the store."""
        self._keep_open()
        return _status.of(self._store.get_run(self._job.run)) in _CANCELED

    def _keep_open(self) -> None:
        """Take back the end that plain MLflow gave the run: a `with mlflow.start_run()` need not be all of a script.

        How the run ends is told by how its script does, as on Azure.
        """
        if _status.of(self._store.get_run(self._job.run)) in (RunStatus.COMPLETED, RunStatus.FAILED):
            self._store.set_run_status(self._job.run, _status.to_mlflow(RunStatus.RUNNING))

    # -- logs -------------------------------------------------------------------------------------------------

    def log_files(self) -> list[Path]:
        """Return the files that take what the processes of the run print."""
        count = len(self._job.ranks)
        return [file for rank in range(count) if (file := self._folder.log(rank, count)).exists()]

    def send_logs(self) -> None:
        """Put what was printed so far where scripts look for it."""
        for number, file in enumerate(self.log_files()):
            names = [posixpath.join(_USER_LOGS, file.name), *([_DRIVER_LOG] if number == 0 else [])]
            for name in names:
                self._run._files.put(file, stored_path(name))  # noqa: SLF001 - Azure's public members are frozen

    # -- the end ----------------------------------------------------------------------------------------------

    def end(self, state: State) -> None:
        """Take everything that the script has left, and give the run its status. Doing it twice changes nothing.

        Raises:
            ServiceException: the store did not take all of it.
        """
        if state.how == "error":
            processes.end_all(self._job.run, [], _KILL_SECONDS)
        self._leave_inputs()
        self.send_logs()
        status, reason = self._status_of(state)
        if status == RunStatus.COMPLETED:
            try:
                self._finish_outputs()
            except Exception as error:
                if is_away(error):
                    raise
                status, reason = RunStatus.FAILED, f"An output of the run could not be kept: {message_of(error)}"
        run = self._run
        run._base = Path(self._job.work)  # noqa: SLF001 - as above
        run._folders = list(self._job.folders)  # noqa: SLF001 - as above
        tags = error_tags(error_of(reason, None) if reason is not None else None)
        self._end = _status.to_mlflow(status)
        self._keep_open()
        for refused in run._finish_now(status, tags):  # noqa: SLF001 - as above
            logger.warning("%s", message_of(refused))

    def stay_ended(self) -> None:
        """End the run once more if that it is to be canceled came to the store after its end."""
        if not _status.is_terminal(self._store.get_run(self._job.run)):
            self._store.end_run(self._job.run, self._end)

    def _status_of(self, state: State) -> tuple[str, str | None]:
        """Return how the run has ended, and why it failed."""
        if state.how == "timeout":
            return RunStatus.CANCELED, f"The script was ended after max_run_duration_seconds, {self._job.seconds} s."
        if state.how == "canceled":
            return RunStatus.CANCELED, None
        if state.how == "exit" and not state.code:
            return RunStatus.COMPLETED, None
        return RunStatus.FAILED, self._reason(state)

    def _reason(self, state: State) -> str:
        if state.message:
            return state.message
        raised = self._folder.error()
        if raised is not None:
            return f"User program failed with {raised['type']}: {raised['message']}"
        if state.code is not None and state.code < 0:
            return f"The script was killed by signal {-state.code}."
        return f"The script ended with exit code {state.code}."

    def _leave_inputs(self) -> None:
        if not self._job.inputs:
            return
        from azml_compat._data import consumption

        for plan in self._job.inputs:
            with reported(f"The input {plan['name']} cannot be taken away from {plan['path_on_compute']}"):
                consumption.leave_input(plan, Path(self._job.work))

    def _finish_outputs(self) -> None:
        if not (self._job.outputs or self._job.references):
            return
        from azml_compat._data import consumption

        work = Path(self._job.work)
        begun, done = self._folder.outputs()
        finish: Callable[..., None]
        for kind, finish, plans in (
            ("output", partial(consumption.finish_output, store=self._store), self._job.outputs),
            ("reference", consumption.finish_reference, self._job.references),
        ):
            for plan in plans:
                name = f"{kind} {plan['name']}"
                if name not in done:
                    self._folder.note_output(name, is_done=False)
                    finish(plan, work, again=name in begun)
                    self._folder.note_output(name, is_done=True)
