"""`azureml.core.run`: a run of an experiment, on an MLflow tracking store."""

from __future__ import annotations

import builtins
import json
import os
import posixpath
import sys
import threading
import time
import types
from collections.abc import Callable, Generator, Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azml_compat import _creation, _names, _reporting, _runtime, _search, _status, _tags
from azml_compat._endings import end_of, error_of, error_tags
from azml_compat._files import local_files, normalise
from azml_compat._refused import module_attributes
from azml_compat._restclient.constants import RunStatus
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking.errors import is_away
from azml_compat.core._offline_run import _OfflineRun
from azml_compat.core._run_base import OUTPUTS_DIR, as_tags, check_options, tracked_folders
from azml_compat.core._run_data import InputDatasets as InputDatasets  # a name of azureml.core.run
from azml_compat.core._run_data import OutputDatasets as OutputDatasets
from azml_compat.core._run_data import _RunOfScript
from azml_compat.core._run_files import shown_folder
from azml_compat.core._run_metrics import _LoggingRun
from azml_compat.exceptions import (
    ActivityFailedException,
    AzureMLException,
    ExperimentExecutionException,
    RunEnvironmentException,
    UserErrorException,
)

if TYPE_CHECKING:
    from azml_compat._process_end import Outcome
    from azml_compat._tracking import RunRecord
    from azml_compat._writer import RunWriter
    from azml_compat.core.environment import Environment
    from azml_compat.core.experiment import Experiment
    from azml_compat.core.model import Model
    from azml_compat.core.script_run import ScriptRun
    from azml_compat.core.workspace import Workspace

RUNNING_STATES = RunStatus.get_running_statuses()
POST_PROCESSING_STATES = RunStatus.get_post_processing_statuses()

_MAX_CHILDREN = 100
_POLL_SECONDS = (0.2, 5.0)
_END_SECONDS = 300
"""For storing everything when a run ends, while the store takes it."""
_END_AWAY_SECONDS = 3
"""The same while it does not."""
_BLANK_MILLISECONDS = 1000
"""No other process has found a new run and ended it after so short a time: that saves a look at the store."""
_CLOCK_SECONDS = 0.02
"""By which the times of files may lag behind: a file system takes them from the clock's last tick."""
_UNUSED = "context"
"""Stands for the run of Run.get_context() until it is first used."""
_ENDED = "context, ended"
"""The same from when the script has ended it."""
_RANKS = ("RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID")
"""The variables in which launchers of distributed jobs number their processes: torchrun, Open MPI, MPICH, Slurm."""
_SCRIPT_RUN = "azureml.scriptrun"
_type_providers: dict[str, Callable[..., Any]] = {}


class Run(_LoggingRun):
    """A run: metrics, tags, files, children and a status, kept in an MLflow run.

    Semantics are those of azureml-core 1.61; docs/mapping.md says what lands in MLflow, docs/differences.md where the
    two differ.

    Args:
        experiment: The experiment that holds the run.
        run_id: The id of an existing run.
        outputs: Folders whose files are taken when the run ends; none by default for an existing run.

    Raises:
        ServiceException: there is no such run (`status_code` 404).
        TypeError: a keyword argument is unknown.
    """

    # -- starting ---------------------------------------------------------------------------------------------

    @classmethod
    def _start_logging(
        cls,
        experiment: Experiment,
        name: str | None = None,
        run_id: str | None = None,
        outputs: Any = None,
        snapshot_directory: Any = ".",
        *,
        tags: dict[str, Any] | None = None,
        display_name: str | None = None,
        description: str | None = None,
        **options: Any,
    ) -> Run:
        """Create an interactive run; the work of `Experiment.start_logging`."""
        check_options(options)
        folders = tracked_folders(outputs)
        new = _creation.NewRun(
            name=name,
            run_id=run_id,
            display_name=display_name,
            description=description,
            tags=as_tags(tags or {}),
            code_folder=Path(snapshot_directory or "."),
            folders=_absolute(folders),
        )
        run = cls._create(experiment, new, folders, options)
        _make_folders(folders)
        if not run._is_provisional:
            run._announce()
        if snapshot_directory:
            run._take_first_snapshot(snapshot_directory)
        return run

    @classmethod
    def _create(
        cls, experiment: Experiment, new: _creation.NewRun, folders: builtins.list[str], options: dict[str, Any]
    ) -> Run:
        made = _creation.create(experiment.name, lambda: experiment._ensure().id, new)
        run: Run = cls._from_record(
            experiment, made.record, is_provisional=made.is_provisional, folders=folders, options=options
        )
        if made.is_new:
            run._key = made.record.id
            _runtime.open_run(run._key, run._end_with_process)
        return run

    def _announce(self) -> None:
        where = self.get_portal_url()
        hint = "" if self._store.is_server else "   (start the UI with: azml-compat ui)"
        print(f"Run {self.display_name or self.id} of experiment {self.experiment.name}: {where}{hint}", flush=True)

    def _join_plain_mlflow(self) -> None:
        """Have plain MLflow code of this process, and the processes that it starts, join the run."""
        os.environ.setdefault(_names.ENV_TRACKING_URI, self._store.uri)
        os.environ[_names.ENV_MLFLOW_RUN_ID] = self._record.id

    def start(self) -> None:
        """Set the status to Running. A run that has ended stays as it is."""
        if not _status.is_terminal(self._refresh()):
            self._store.set_run_status(self._record.id, _status.to_mlflow(RunStatus.RUNNING))
            self._set_tags({_names.TAG_STATUS: RunStatus.RUNNING})

    def child_run(self, name: str | None = None, run_id: str | None = None, outputs: Any = None) -> Run:
        """Create and start a child in the same experiment.

        Args:
            name: The child's name is `<name of this run>><name>`.
            run_id: Made up by MLflow when it is not given.
            outputs: Folder or folders whose files are taken when the child ends; none by default.
        """
        folders = tracked_folders(outputs) if outputs else []
        new = _creation.NewRun(
            name=f"{self.name}>{name or ''}", run_id=run_id, parent=self._as_parent(), folders=_absolute(folders)
        )
        _make_folders(folders)
        return Run._create(self.experiment, new, folders, {})

    def _as_parent(self) -> RunRecord:
        self._try_to_settle()
        return self._record

    def create_children(
        self, count: int | None = None, tag_key: str | None = None, tag_values: Iterable[Any] | None = None
    ) -> builtins.list[Run]:
        """Create and start many children, by number or one for each tag value, in that order.

        Raises:
            UserErrorException: neither or both ways are given, or more than 100 children are asked for.
        """
        if count is None and tag_key is None and tag_values is None:
            raise UserErrorException("create_children needs count, or tag_key and tag_values.")
        if count is not None and (tag_key is not None or tag_values is not None):
            raise UserErrorException("create_children takes count, or tag_key and tag_values, but not both.")
        if count is None and (tag_key is None or tag_values is None):
            raise UserErrorException("create_children needs tag_key together with tag_values.")
        key = tag_key if tag_key is not None else "azureml.batch_child_number"
        values = builtins.list(tag_values if tag_values is not None else map(str, range(count or 0)))
        if len(values) > _MAX_CHILDREN:
            raise UserErrorException(f"create_children creates at most {_MAX_CHILDREN} children at once.")
        parent = self._as_parent()
        return [
            Run._create(
                self.experiment,
                _creation.NewRun(tags=as_tags({key: value}, warn=False), parent=parent),
                [],
                {},
            )
            for value in values
        ]

    def submit_child(self, config: Any, tags: Any = None, **kwargs: Any) -> ScriptRun:
        """Have a script run on this machine as a child of this run; see `Experiment.submit`."""
        from azml_compat.core.script_run import submit_script

        return submit_script(self.experiment, config, tags, parent=self._as_parent(), **kwargs)

    # -- status -----------------------------------------------------------------------------------------------

    def get_status(self) -> str:
        """Return the status: Running, Completed, Failed, Canceled or another of Azure's words."""
        return self.status

    def get_detailed_status(self) -> dict[str, str | None]:
        """Return {'status': ..., 'details': None}; details concern Azure's queues."""
        return {"status": self.status, "details": None}

    def complete(self, _set_status: bool = True) -> None:
        """End the run as Completed, after taking the files of its output folders. An ended run keeps its status."""
        self._finish(RunStatus.COMPLETED if _set_status else None)

    def fail(self, error_details: Any = None, error_code: str | None = None, _set_status: bool = True) -> None:
        """End the run as Failed.

        Args:
            error_details: A message or an exception; it is in `get_details()['error']`.
            error_code: Default UserError.

        Raises:
            TypeError: `error_details` is neither; files and metrics are stored, the status is left.
        """
        try:
            error = error_of(error_details, error_code)
        except TypeError:
            self._finish(None)
            raise
        self._finish(RunStatus.FAILED if _set_status else None, error)

    def cancel(self) -> None:
        """End the run as Canceled."""
        self._finish(RunStatus.CANCELED)

    def _finish(self, status: str | None, error: dict[str, Any] | None = None, *, is_last_word: bool = False) -> None:
        """Store everything, and give the run a status, now or when the store is back.

        Args:
            status: Azure's word; None leaves it.
            error: Why it failed.
            is_last_word: The process ends, and says itself what is not in the store.
        """
        tags = error_tags(error)
        try:
            with self._store.briefly():
                refused = self._finish_now(status, tags)
        except ServiceException as away:
            if not is_away(away):
                raise
            end = self._finish_later(status, tags)
            if not is_last_word:
                _reporting.logger.warning("%s. %s", away.message, end)
            return
        if refused:
            raise refused[0]

    def _finish_now(self, status: str | None, tags: dict[str, str]) -> builtins.list[Exception]:
        """Store everything, and give the run a status; return what the store refused."""
        report = self._writer.flush(_END_SECONDS, _END_AWAY_SECONDS)
        if report.is_busy:
            raise ServiceException._from_status(503, f"What run {self.id} logged is being sent just now")
        if not report.is_complete:
            raise report.away or ServiceException._from_status(503, "The store is too slow to take everything.")
        is_blank = self._is_blank()
        record = self._known if is_blank else self._refresh()
        self._capture_outputs()
        self._publish_views()
        refused = report.refused + self._flush_rest()
        if not _status.is_terminal(record):
            self._store.set_run_tags(record.id, tags)
            if status is not None and is_blank:
                self._end(_status.to_mlflow(status))
            elif status is not None:
                from azml_compat import _publishing

                with _reporting.reported("Cannot show the strings of the run as params"):
                    _publishing.publish_params(self._store, self._known)
                self._end(_status.to_mlflow(status))
        if status is not None:
            _runtime.close_run(self._key)
            _runtime.leave_run(self._key)
        return refused

    def _is_blank(self) -> bool:
        """Tell whether the run is as this process created it a moment ago, so that nobody can have ended it."""
        age = time.time_ns() // 1_000_000 - self._known.start_time
        is_new = age < _BLANK_MILLISECONDS and not self._is_provisional
        return is_new and not self._writer.is_stale and self._writer.is_blank

    def _flush_rest(self) -> builtins.list[Exception]:
        """Deliver what taking the outputs may have added: the names that are too long for a store; return refusals."""
        if self._writer.is_blank:
            return []
        report = self._writer.flush(_END_SECONDS, _END_AWAY_SECONDS)
        if report.away is not None:
            raise report.away
        return report.refused

    def _end(self, status: str) -> None:
        """Give the run one of MLflow's final words."""
        now = time.time_ns() // 1_000_000
        self._store.end_run(self._record.id, status, now)
        self._known = self._known.with_status(status, now)

    def _finish_later(self, status: str | None, tags: dict[str, str]) -> str:
        """Keep how the run ended in the journal, with which files it ended; return that in words."""
        self._note_outputs()
        if status is None:
            return f"What was logged to run {self.id} is sent when the store is back."
        self._writer.queue_end(_status.to_mlflow(status), tags)
        self._known = self._known.with_status(_status.to_mlflow(status))
        _runtime.close_run(self._key)
        return f"Run {self.id} is {status}, and is sent when the store is back."

    def _end_with_process(self, outcome: Outcome) -> None:
        """End a run that the script left open, truthfully."""
        self._finish(*end_of(outcome), is_last_word=True)

    def __enter__(self) -> Run:
        from azml_compat._transcript import Transcript

        self._entered = (Path.cwd(), time.time())
        self._transcript = Transcript()
        if self._redirects:
            with _reporting.reported("Cannot keep what the run prints"):
                self._transcript.start()
        return self

    def __exit__(
        self,
        exit_type: type[BaseException] | None,
        value: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        # SystemExit(0) is a normal end of the script: the run completes, and the exit goes on.
        is_failure = exit_type is not None and not (isinstance(value, SystemExit) and value.code in (None, 0))
        if is_failure and self._redirects:
            import traceback as traceback_module

            traceback_module.print_exception(exit_type, value, traceback)
        self._transcript.stop()
        folder, _ = self._entered
        with _reporting.reported(f"Cannot go back to {folder}"):
            os.chdir(folder)
        self._capture_logs()
        if is_failure:
            self._finish(RunStatus.FAILED, error_of(value, None))
        else:
            self._finish(RunStatus.COMPLETED)

    # -- logs and details -------------------------------------------------------------------------------------

    def _logs(self) -> builtins.list[tuple[str, str]]:
        return [(name, path) for name, path in self._entries() if name.startswith(_names.LOG_FOLDERS)]

    def get_all_logs(self, destination: Any = None) -> builtins.list[str]:
        """Copy all log files below a local folder and return their paths.

        Args:
            destination: Created when missing; default `assets/<run id>`.

        Raises:
            UserErrorException: `destination` is a file.
        """
        folder = Path(destination) if destination is not None else Path("assets", self.id)
        if folder.is_file():
            raise UserErrorException(f"{destination} is a file; get_all_logs needs a directory.")
        folder.mkdir(parents=True, exist_ok=True)
        targets = []
        for name, path in self._logs():
            self._files.fetch(path, folder / normalise(name))
            targets.append(str(folder / normalise(name)))
        return targets

    def get_details(self) -> dict[str, Any]:
        """Return what is known of the run, with Azure's keys; those without a value are absent.

        Times are ISO 8601 strings in UTC; `logFiles` is {path: address}, `error` is there for a failed run.
        """
        record = self._refresh()
        error = _tags.decode_text(record.tags, _names.TAG_ERROR)
        details: dict[str, Any] = {
            "runId": self.id,
            "target": record.tags.get(_names.TAG_TARGET),
            "status": _status.of(record),
            "startTimeUtc": _utc(record.start_time),
            "endTimeUtc": _utc(record.end_time),
            "services": {},
            "error": json.loads(error) if error else None,
            "properties": _tags.decode_properties(record.tags),
            "inputDatasets": [],
            "outputDatasets": [],
            "logFiles": {name: posixpath.join(record.artifact_uri, path) for name, path in self._logs()},
        }
        definition = _tags.decode_text(record.tags, _names.TAG_DEFINITION)
        if definition is not None:
            details["runDefinition"] = json.loads(definition)
            details["inputDatasets"] = self._datasets_of(details["runDefinition"]["data"])
        found = {key: value for key, value in details.items() if value is not None}
        return {**found, "submittedBy": record.tags.get(_names.TAG_USER)}

    def _datasets_of(self, data: dict[str, Any]) -> builtins.list[dict[str, Any]]:
        """Return the inputs of a run definition as `get_details` gives them."""
        from azml_compat.core.dataset import Dataset

        return [
            {
                "dataset": Dataset.get_by_id(self.experiment.workspace, entry["dataLocation"]["dataset"]["id"]),
                "consumptionDetails": {"type": "RunInput", "inputName": name, "mechanism": entry["mechanism"]},
            }
            for name, entry in data.items()
            if ((entry.get("dataLocation") or {}).get("dataset") or {}).get("id")
        ]

    def get_details_with_logs(self) -> dict[str, Any]:
        """Return `get_details` with the text of each log file in place of its address."""
        details = self.get_details()
        details["logFiles"] = {name: self._files.read_text(path) for name, path in self._logs()}
        return details

    def wait_for_completion(
        self, show_output: bool = False, wait_post_processing: bool = False, raise_on_error: bool = True
    ) -> dict[str, Any]:
        """Block until the run has ended, and return `get_details()`.

        Raises:
            ActivityFailedException: the run failed, unless `raise_on_error` is false. A canceled run raises nothing.
            ExperimentExecutionException: interrupted from the keyboard while showing output; the run goes on.
        """
        waiting = [*RUNNING_STATES, *(POST_PROCESSING_STATES if wait_post_processing or show_output else ())]
        if show_output:
            self._print_head()
        try:
            self._wait_while(waiting, show_output=show_output)
        except KeyboardInterrupt as error:
            if not show_output:
                raise
            raise ExperimentExecutionException("Waiting was interrupted from the keyboard; the run goes on.") from error
        details = self.get_details()
        if show_output:
            print("\nExecution Summary\n=================")
            self._print_head()
        if details["status"] == RunStatus.FAILED:
            reason = json.dumps(details.get("error", "Detailed error not set on the Run."), indent=4)
            if raise_on_error:
                raise ActivityFailedException(error_details=reason)
            if show_output:
                print(f"\nError:\n{reason}")
        if show_output:
            print(flush=True)
        return details

    def _print_head(self) -> None:
        print(f"RunId: {self.id}\nWeb View: {self.get_portal_url()}", flush=True)

    def _wait_while(self, waiting: builtins.list[str], *, show_output: bool = False) -> None:
        seconds, longest = _POLL_SECONDS
        while self.status in waiting:
            time.sleep(seconds)
            seconds = min(seconds * 1.5, longest)

    # -- relatives --------------------------------------------------------------------------------------------

    @property
    def parent(self) -> Run | None:
        """The parent run, or None; looked up once."""
        if self._parent is None:
            own = self._refresh() if self._is_provisional else self._record
            parent_id = own.tags.get(_names.TAG_PARENT)
            if parent_id is not None:
                self._parent = _rehydrate(self.experiment, self._store.get_run(parent_id))
        return self._parent

    def get_children(
        self,
        recursive: bool = False,
        tags: Any = None,
        properties: Any = None,
        type: str | None = None,
        status: str | None = None,
        _rehydrate_runs: bool = True,
    ) -> Generator[Run, None, None]:
        """Yield the children, newest start first.

        Args:
            recursive: All descendants.
            tags: A key that must be there, or a dict of values that must be equal.
            properties: The same for properties.
            type: Only runs of this type.
            status: Only runs of this status.
            _rehydrate_runs: Give runs of a registered type as their own class.

        Raises:
            ValueError: a filter is of the wrong type; at the first iteration.
        """
        accepted = _search.RunFilter(type, tags, properties, status)
        _runtime.settle_runs()
        own = self._refresh() if self._is_provisional else self._record
        found: Iterable[RunRecord] = (
            _search.descendants(self._store, own) if recursive else _search.children(self._store, own)
        )
        for record in found:
            if accepted.accepts(record):
                yield _rehydrate(self.experiment, record, rehydrate=_rehydrate_runs)

    @staticmethod
    def list(
        experiment: Experiment,
        type: str | None = None,
        tags: Any = None,
        properties: Any = None,
        status: str | None = None,
        include_children: bool = False,
        _rehydrate_runs: bool = True,
    ) -> Generator[Run, None, None]:
        """Return a generator of the runs of an experiment, newest start first; runs of plain MLflow among them.

        Raises:
            ValueError: a filter is of the wrong type; at the call.
        """
        if not isinstance(include_children, bool):
            raise ValueError(f"include_children takes a bool, not {include_children!r}.")
        accepted = _search.RunFilter(type, tags, properties, status)
        return _list(experiment, accepted, with_children=include_children, rehydrate=_rehydrate_runs)

    @staticmethod
    def list_by_compute(
        compute: Any, type: Any = None, tags: Any = None, properties: Any = None, status: Any = None
    ) -> Generator[Run, None, None]:
        """Return a generator of the runs that were submitted to a compute target, newest start first.

        Raises:
            ValueError: a filter is of the wrong type; at the call.
        """
        return _list_by_compute(compute, _search.RunFilter(type, tags, properties, status))

    @staticmethod
    def get(workspace: Workspace, run_id: str) -> Run:
        """Return any run of the workspace, of its registered type.

        Raises:
            ServiceException: there is no such run (`status_code` 404).
        """
        from azml_compat.core.experiment import Experiment

        store = workspace.service_context.store
        record = _creation.resolve(store, run_id)
        if record is None:
            raise ServiceException._from_status(404, f"Run {run_id!r} was not found.")
        experiment = Experiment._from_record(workspace, store.get_experiment(record.experiment_id))
        return _rehydrate(experiment, record)

    @staticmethod
    def add_type_provider(runtype: str, run_factory: Callable[..., Any]) -> None:
        """Have runs of type `runtype` made by `run_factory(experiment, run_dto, **kwargs)`.

        Raises:
            ValueError: the type has a factory.
        """
        if runtype in _type_providers:
            raise ValueError(f"The run type {runtype!r} has a factory already.")
        _type_providers[runtype] = run_factory

    # -- context ----------------------------------------------------------------------------------------------

    @classmethod
    def get_context(cls, allow_offline: bool = True, used_for_context_manager: bool = False, **kwargs: Any) -> Any:
        """Return the run of this script: the submitted one, or one run per process that is tracked all the same.

        Differs from Azure: outside a submitted script this is a tracked run, unless AZML_COMPAT_OFFLINE=1 asks for
        Azure's offline run.

        Raises:
            RunEnvironmentException: AZML_COMPAT_OFFLINE=1, and `allow_offline` is false.
        """
        submitted = os.environ.get(_names.ENV_AZURE_RUN_ID)
        if submitted:
            return _runtime.context_run(submitted, lambda: _SubmittedRun._attach(submitted))
        if os.environ.get(_names.ENV_OFFLINE) == "1":
            if not allow_offline:
                raise RunEnvironmentException
            return _OfflineRun()
        started = os.environ.get(_names.ENV_MLFLOW_RUN_ID)
        if started and not _runtime.has_context_run():
            return _runtime.context_run(started, lambda: _SubmittedRun._attach(started))
        return _runtime.context_run(None, _ContextRun)

    @classmethod
    def get_submitted_run(cls, **kwargs: Any) -> Any:
        """Return `get_context(allow_offline=False)`; deprecated in the original."""
        _reporting.logger.warning("Run.get_submitted_run is deprecated; use Run.get_context().")
        return cls.get_context(allow_offline=False, **kwargs)

    # -- models, environment, secrets -------------------------------------------------------------------------

    def register_model(
        self,
        model_name: str,
        model_path: str | None = None,
        tags: dict[str, Any] | None = None,
        properties: dict[str, Any] | None = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        description: str | None = None,
        datasets: Any = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: Any = None,
        **kwargs: Any,
    ) -> Model:
        """Register files of the run as the next version of a model in the MLflow registry.

        The files are copied, so that the version never changes afterwards. Files in the output folders that are not
        stored yet are taken first.

        Args:
            model_name: Letters, digits, `-`, `.` and `_`, at most 255.
            model_path: A file or folder of the run; default `model_name`.
            tags: Shown in the registry.
            properties: Kept with the version.
            model_framework: Azure's name of a framework.
            model_framework_version: Only together with `model_framework`.
            description: Shown in the registry.
            datasets: Pairs of a scenario and a dataset.
            sample_input_dataset: A dataset.
            sample_output_dataset: A dataset.
            resource_configuration: Kept with the version.

        Raises:
            WebserviceException: the name or another argument is refused.
            ModelPathNotFoundException: the run has no file below `model_path`.
        """
        from azml_compat import _models
        from azml_compat.core.model import Model, _description

        if kwargs:
            raise TypeError(f"register_model does not take these arguments: {', '.join(sorted(kwargs))}")
        _models.check_name(model_name)
        _models.check_framework(model_framework, model_framework_version)
        described = _description(
            self._store,
            tags,
            properties,
            description,
            model_framework,
            model_framework_version,
            datasets,
            sample_input_dataset,
            sample_output_dataset,
            resource_configuration,
            self.experiment.name,
        )
        _models.check_description(described)
        self._capture_outputs()
        registered = _models.register_from_run(
            self._store, self._refresh().id, self._entries(), model_name, model_path, described
        )
        return Model._of(self.experiment.workspace, registered)

    def get_environment(self) -> Environment:
        """Return the environment that this run was submitted with.

        Raises:
            UserErrorException: it was not submitted.
        """
        definition = _tags.decode_text(self._refresh().tags, _names.TAG_DEFINITION)
        if definition is None:
            raise UserErrorException(f"Run {self.id} was not submitted, so no environment of it is known.")
        from azml_compat._run_definition import run_config_of
        from azml_compat.core.environment import EnvironmentReference

        found: Environment | EnvironmentReference = run_config_of(json.loads(definition)).environment
        if isinstance(found, EnvironmentReference):
            return found.get_environment(self.experiment.workspace)
        return found

    def get_secret(self, name: str) -> str:
        """Return a secret of the workspace.

        Raises:
            ServiceException: there is none of that name (`status_code` 404).
        """
        return self.experiment.workspace.get_default_keyvault().get_secret(name)

    def get_secrets(self, secrets: builtins.list[str]) -> dict[str, str | None]:
        """Return {name: secret} of the workspace; None for a name that there is none of."""
        return self.experiment.workspace.get_default_keyvault().get_secrets(secrets)

    def clean(self) -> builtins.list[str]:
        """Do nothing and return []: nothing is put into a temporary place for a run."""
        return []


class _SubmittedRun(Run, _RunOfScript):
    """The run of a script that somebody else started: it is added to, and its status is left to its owner."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    @classmethod
    def _attach(cls, run_id: str) -> _SubmittedRun:
        """Make the object of the run that this process was started for, and have plain MLflow code join it."""
        from azml_compat.core.workspace import Workspace

        workspace = Workspace._of_process()
        try:
            with workspace.service_context.store.briefly():
                run = Run.get(workspace, run_id)
            experiment, record = run.experiment, run._record
        except ServiceException as error:
            submitted = _as_submitted(workspace, run_id) if is_away(error) else None
            if submitted is None:
                raise
            _reporting.logger.warning("%s. Run %s is sent when it is back.", error.message.rstrip("."), run_id)
            experiment, record = submitted
        attached: _SubmittedRun = cls._from_record(experiment, record, folders=[OUTPUTS_DIR])
        attached._join_plain_mlflow()
        _make_folders(attached._folders)
        _runtime.open_run(attached._key, attached._end_with_process)
        return attached

    def _end_with_process(self, outcome: Outcome) -> None:
        """Store what the script wrote to ./outputs, as the launcher does on Azure."""
        if _is_main_process():
            self._finish(None, is_last_word=True)

    def complete(self) -> None:  # type: ignore[override]  # Azure's signature
        """Store everything; the status is the owner's."""
        self._finish(None)

    def fail(self, error_details: Any = None, error_code: str | None = None) -> None:  # type: ignore[override]  # Azure's signature
        """Store everything and note the error; the status is the owner's."""
        super().fail(error_details, error_code, _set_status=False)

    def cancel(self) -> None:
        """Do nothing, with a warning: only the owner cancels."""
        _reporting.logger.warning("A submitted run cannot cancel itself.")

    def __enter__(self) -> _SubmittedRun:
        return self

    def __exit__(self, *args: object) -> None:
        self.complete()


class _ContextRun(Run, _RunOfScript):
    """The run of a script that nobody submitted. It is created in the store at its first use.

    Libraries call get_context() when they are imported; a script that then logs nothing leaves no run.
    """

    def __init__(self) -> None:
        from azml_compat.core.experiment import Experiment
        from azml_compat.core.workspace import Workspace

        name = (
            os.environ.get(_names.ENV_AZURE_EXPERIMENT)
            or os.environ.get(_names.ENV_MLFLOW_EXPERIMENT)
            or _script_name()
        )
        workspace = Workspace._of_process()
        self._experiment = Experiment(workspace, name, _skip_name_validation=True, _create_in_cloud=False)
        self._experiment._is_lazy = True
        self._creator: tuple[int, int] | None = None
        """The process and thread that create the run at the moment."""
        self._early = _Early()
        self._base = Path.cwd()
        self._folders = [OUTPUTS_DIR]
        self._redirects = True
        self._parent = None
        self._began = time.time() - _CLOCK_SECONDS
        _make_folders(self._folders)
        _runtime.open_run(_UNUSED, self._end_with_process)

    @property
    def _record(self) -> RunRecord:
        if not self._is_created:
            self._create_once()
        return self._known

    @property
    def _is_created(self) -> bool:
        return "_known" in self.__dict__

    @property
    def _is_interrupted(self) -> bool:
        """Whether this is a signal handler, and this very thread creates the run in what it has interrupted."""
        return not self._is_created and self._creator == (os.getpid(), threading.get_ident())

    def _take_writer(self) -> Any:
        return self._early if self._is_interrupted else super()._take_writer()

    def _create_once(self) -> None:
        if self._is_interrupted:
            raise _Early.refusal()
        with _runtime.context_lock:
            self._creator = (os.getpid(), threading.get_ident())
            try:
                if not self._is_created:
                    self._create_now()
            finally:
                self._creator = None
        if self._early.has_calls:
            self._early.log_to(self._writer)

    def _create_now(self) -> None:
        new = _creation.NewRun(code_folder=Path(), folders=_absolute(self._folders))
        made = _creation.create(self._experiment.name, lambda: self._experiment._ensure().id, new)
        self._set_up(self._experiment, made.record, self._folders, is_provisional=made.is_provisional, options={})
        self._key = made.record.id
        _runtime.open_run(self._key, self._end_with_process)
        _runtime.close_run(_UNUSED)
        if not made.is_provisional:
            self._join_plain_mlflow()
            self._announce()

    @property
    def identity(self) -> str:
        """The name of this object in logs."""
        return f"Run#{self.id}"

    @property
    def name(self) -> str:
        """The name of the run, `run_<id>`."""
        return f"run_{self.id}"

    @property
    def parent(self) -> Run | None:
        """The parent run, or None; libraries that look for one when they are imported leave no run."""
        return super().parent if "_known" in self.__dict__ else None

    def _finish(self, status: str | None, error: dict[str, Any] | None = None, *, is_last_word: bool = False) -> None:
        ended = time.time() - _CLOCK_SECONDS
        try:
            super()._finish(status, error, is_last_word=is_last_word)
        finally:
            if not is_last_word:
                _runtime.open_run(_ENDED, lambda _: self._take_late_files(ended))

    def _take_late_files(self, since: float) -> None:
        """Take what the script wrote after it had ended the run, as the launcher does on Azure."""
        if self._has_new_outputs(since):
            self._capture_outputs()
        self._capture_logs_of_script()

    def _capture_logs_of_script(self) -> None:
        """Take the files that the script wrote to ./logs."""
        if _is_main_process():
            log = posixpath.basename(_names.USER_LOG)
            self._capture(
                self._base / "logs",
                "logs",
                lambda file: not file.name.startswith((".", log)) and file.stat().st_mtime >= self._began,
            )

    def _end_with_process(self, outcome: Outcome) -> None:
        if not (self._is_created or self._early.has_calls or self._has_new_outputs(self._began)):
            return
        self._capture_logs_of_script()
        if outcome.is_failure and not self._is_provisional:
            with _reporting.reported(f"Cannot see how run {self.id} has ended"):
                self._take_back()
        super()._end_with_process(outcome)

    def _take_back(self) -> None:
        """Have the last word on a run that plain MLflow code of the script joined, and ends as finished in any case."""
        if self._record.id == os.environ.get(_names.ENV_MLFLOW_RUN_ID):
            return  # Nobody did: MLflow removes the variable when it joins.
        self._store.end_fluent_run(self._record.id)
        if self._refresh().status == "FINISHED":
            self._store.set_run_status(self._record.id, "RUNNING")

    def _has_new_outputs(self, since: float) -> bool:
        """Tell whether there are files that this script must have written since, and not the one that started it."""
        if not _is_main_process():
            return False
        files = local_files(self._base / OUTPUTS_DIR, self._store.uri)
        return any(file.exists() and file.stat().st_mtime >= since for file in files)


class _Early:
    """Takes the log calls of a signal handler while the call that it has interrupted creates the run.

    They are made when that call goes on. Nothing else can be done with the run before.
    """

    def __init__(self) -> None:
        self._calls: builtins.list[tuple[str, tuple[Any, ...]]] = []

    @staticmethod
    def refusal() -> AzureMLException:
        """Return the error of whatever else a signal handler attempts."""
        return AzureMLException("The run is being created by the call that this signal handler has interrupted.")

    def __getattr__(self, name: str) -> Callable[..., None]:
        if not name.startswith("append"):
            raise self.refusal()
        return lambda *arguments: self._calls.append((name, arguments))

    @property
    def has_calls(self) -> bool:
        """Whether there are calls still to be made."""
        return bool(self._calls)

    def log_to(self, writer: RunWriter) -> None:
        """Make the calls."""
        while self._calls:
            name, arguments = self._calls.pop(0)
            getattr(writer, name)(*arguments)


def _as_submitted(workspace: Workspace, run_id: str) -> tuple[Experiment, RunRecord] | None:
    """Return what the launcher of a submitted script has said of its run; None in a script that was not submitted."""
    mlflow_id = os.environ.get(_names.ENV_JOB)
    if not mlflow_id:
        return None
    from azml_compat._tracking import RunRecord
    from azml_compat.core.experiment import Experiment

    tags = {_names.TAG_FORMAT: _names.FORMAT_VERSION, _names.TAG_TYPE: _SCRIPT_RUN}
    if run_id != mlflow_id:
        tags[_names.TAG_RUN_ID] = run_id
    name = os.environ.get(_names.ENV_AZURE_EXPERIMENT, "")
    experiment = Experiment(workspace, name, _skip_name_validation=True, _create_in_cloud=False)
    return experiment, RunRecord(
        id=mlflow_id,
        experiment_id=os.environ.get(_names.ENV_MLFLOW_EXPERIMENT_ID, ""),
        status="RUNNING",
        start_time=time.time_ns() // 1_000_000,
        end_time=None,
        artifact_uri="",
        is_deleted=False,
        tags=tags,
        params={},
        latest=(),
    )


def _is_main_process() -> bool:
    """Tell whether this process is no worker of another: none of multiprocessing's, and the first rank of its job."""
    multiprocessing = sys.modules.get("multiprocessing.process")
    if multiprocessing is not None and multiprocessing.parent_process() is not None:
        return False
    return all(os.environ.get(name, "0") == "0" for name in _RANKS)


def _absolute(folders: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple((str(Path(folder).absolute()), shown_folder(folder)) for folder in folders)


def _make_folders(folders: Iterable[str]) -> None:
    for folder in folders:
        with _reporting.reported(f"Cannot make the output folder {folder}"):
            Path(folder).mkdir(parents=True, exist_ok=True)


def _script_name() -> str:
    stem = _notebook_name() or (Path(sys.argv[0]).stem if sys.argv and sys.argv[0] not in ("", "-c", "-m") else "")
    name = "".join(character if character.isalnum() or character in "_-" else "-" for character in stem)
    return name.strip("-_") or "interactive"


def _notebook_name() -> str | None:
    if "IPython" not in sys.modules:
        return None
    from azml_compat import _notebook

    return _notebook.name()


def get_run(experiment: Experiment, run_id: str, rehydrate: bool = True, clean_up: bool = True) -> Run:
    """Return a run of an experiment, of its registered type unless `rehydrate` is false.

    Raises:
        ServiceException: there is no such run (`status_code` 404).
    """
    run = Run(experiment, run_id)
    return _rehydrate(experiment, run._record, rehydrate=rehydrate)


def _list(
    experiment: Experiment, accepted: _search.RunFilter, *, with_children: bool, rehydrate: bool
) -> Generator[Run, None, None]:
    """Yield the runs of an experiment; asks the store at the first iteration."""
    _runtime.settle_runs()
    existing = experiment._existing()
    if existing is not None:
        store = experiment.workspace.service_context.store
        for record in _search.runs_of_experiment(store, existing.id, accepted, with_children=with_children):
            yield _rehydrate(experiment, record, rehydrate=rehydrate)


def _list_by_compute(target: Any, accepted: _search.RunFilter) -> Generator[Run, None, None]:
    """Yield the runs of all experiments on a compute target; asks the store at the first iteration."""
    from azml_compat.core.experiment import Experiment

    _runtime.settle_runs()
    experiments = {str(experiment.id): experiment for experiment in Experiment.list(target.workspace)}
    store = target.workspace.service_context.store
    for record in _search.runs_on_target(store, list(experiments), target.name, accepted):
        yield _rehydrate(experiments[record.experiment_id], record)


def _rehydrate(experiment: Experiment, record: RunRecord, *, rehydrate: bool = True) -> Run:
    kind = _search.run_type(record) or ""
    if rehydrate and kind == _SCRIPT_RUN:
        import_module("azml_compat.core.script_run")  # provides for its type, as it does on Azure
    factory = _type_providers.get(kind) if rehydrate else None
    if factory is not None:
        made: Run = factory(experiment, record, clean_up=False)
        return made
    run: Run = Run._from_record(experiment, record)
    return run


def _utc(milliseconds: int | None) -> str | None:
    """Return Azure's form of a time: ISO 8601 with microseconds and Z."""
    if not milliseconds:
        return None
    seconds, rest = divmod(milliseconds, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:03d}000Z"


__getattr__, __dir__ = module_attributes(__name__)
