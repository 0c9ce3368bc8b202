"""Submitting a script: from Azure's configuration to a run in the store and a job on this machine."""

from __future__ import annotations

import copy
import json
import os
import posixpath
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azml_compat import _detached, _names, _reporting, _runtime, _snapshot, _status, _tags
from azml_compat._assets import Assets
from azml_compat._creation import NewRun, facts_of, handing_over, resolve
from azml_compat._files import temporary_folder
from azml_compat._home import home
from azml_compat._jobs import launcher, supervisor
from azml_compat._jobs.distribution import ranks_of
from azml_compat._jobs.folder import Job, JobFolder, jobs_folder
from azml_compat._jobs.sources import copy_source, work_folder
from azml_compat._metrics.keys import KeyTable
from azml_compat._refused import refusal
from azml_compat._restclient.constants import RunStatus
from azml_compat.core._run_base import OUTPUTS_DIR, as_tags
from azml_compat.core._run_files import SNAPSHOT_PROPERTY
from azml_compat.core.run import Run
from azml_compat.exceptions import ExperimentExecutionException, UserErrorException

if TYPE_CHECKING:
    from azml_compat._tracking import RunRecord, Store
    from azml_compat.core.experiment import Experiment

RUN_TYPE = "azureml.scriptrun"
_INHERITED = ("AZUREML_DATASET_", "AZUREML_DATAREFERENCE_", "AZUREML_LINK_DATASET_")
"""Beginnings of variables that speak of the inputs and outputs of a run: of the submitter's own, where it is one."""
_EXAMPLE_VARIABLE = "EXAMPLE_ENV_VAR"


def submit(
    experiment: Experiment, config: Any, *, tags: Mapping[str, Any] | None, run_id: str | None, parent: RunRecord | None
) -> tuple[RunRecord, Any]:
    """Have a script run on this machine as a run of its own.

    Args:
        experiment: The experiment.
        config: A ScriptRunConfig.
        tags: Of the run.
        run_id: Made up by MLflow when it is not given.
        parent: The run whose child it is.

    Returns:
        The run's record, and the run configuration as it was submitted.

    Raises:
        ExperimentExecutionException: the script does not exist, or lies outside the source directory.
        FileNotFoundError: the source directory does not exist.
        FileExistsError: there is a run of that id.
        SnapshotException: the source directory is too large.
        TypeError: an argument is of a type that no command line can hold.
        UserErrorException: a dataset among the arguments does not say how it is to be given.
    """
    if not hasattr(os, "fork"):
        raise refusal("azureml.core.experiment.Experiment.submit")
    submission = _Submission(experiment, config)
    store = experiment.workspace.service_context.store
    if run_id and resolve(store, run_id) is not None:
        raise FileExistsError(f"There is a run {run_id!r} already.")
    with temporary_folder() as folder:
        snapshot = submission.take_snapshot(store, Path(folder))
        with submission.creating_run(store, as_tags(dict(tags or {})), run_id, parent, snapshot) as record:
            submission.launch(store, record, snapshot)
    return record, submission.run_config


class _Submission:
    """What is submitted, looked at before anything is done."""

    def __init__(self, experiment: Experiment, config: Any) -> None:
        from azml_compat._run_definition import definition_of
        from azml_compat.core.environment import EnvironmentReference
        from azml_compat.core.script_run_config import get_run_config_from_script_run

        self.experiment = experiment
        self.run_config = get_run_config_from_script_run(config)
        if isinstance(self.run_config.environment, EnvironmentReference):
            self.run_config.environment = self.run_config.environment.get_environment(experiment.workspace)
        self.source = Path(config.source_directory or ".").absolute()
        if not self.source.is_dir():
            raise FileNotFoundError(f"The source directory {self.source} does not exist.")
        self.script = _script_of(self.source, self.run_config.script)
        self.command = None if self.script is not None else copy.copy(self.run_config.command)
        self.inputs: dict[str, Any] = {}
        self.outputs: dict[str, Any] = {}
        self.references: dict[str, Any] = dict(self.run_config.data_references)
        self.arguments = self._words(self.run_config.arguments)
        if isinstance(self.command, (list, tuple)):
            self.command = self._words(self.command)
        self._take_declared()
        self._definition = definition_of(self.run_config, self.script, self._shown_arguments(), self.command)

    # -- arguments --------------------------------------------------------------------------------------------

    def _words(self, arguments: Any) -> list[str]:
        if isinstance(arguments, str):
            return shlex.split(arguments)
        return [self._word(argument) for argument in arguments or ()]

    def _word(self, argument: Any) -> str:
        """Return an argument as it is written on a command line; inputs and outputs are noted."""
        from azml_compat.data.data_reference import DataReference
        from azml_compat.data.dataset_consumption_config import DatasetConsumptionConfig
        from azml_compat.data.output_dataset_config import OutputDatasetConfig

        if isinstance(argument, DatasetConsumptionConfig):
            if argument.name in self.inputs and self.inputs[argument.name] is not argument:
                _reporting.logger.warning("Two inputs are called %s; the first one counts.", argument.name)
            self.inputs.setdefault(argument.name, argument)
            return str(argument.arg_val)
        if isinstance(argument, OutputDatasetConfig):
            self.outputs.setdefault(argument.name, argument)
            return str(argument.arg_val)
        if isinstance(argument, DataReference):
            self.references.setdefault(argument.data_reference_name, argument.to_config())
            return str(argument)
        return _text_of(argument)

    def _take_declared(self) -> None:
        """Note the inputs and outputs that stand in the run configuration."""
        from azml_compat.core.runconfig import DataReferenceConfiguration

        data, output_data = self.run_config.data, self.run_config.output_data
        if data or output_data:
            from azml_compat._jobs.declared import input_of, output_of

            workspace = self.experiment.workspace
            self.inputs = {**{key: input_of(key, value, workspace) for key, value in data.items()}, **self.inputs}
            outputs = (output_of(key, value, workspace) for key, value in output_data.items())
            self.outputs = {**{output.name: output for output in outputs}, **self.outputs}
        # The definition says all of them, as on Azure.
        self.run_config.data, self.run_config.output_data = dict(self.inputs), dict(self.outputs)
        self.run_config.data_references = dict(self.references)
        for name, value in self.references.items():
            if not isinstance(value, DataReferenceConfiguration):
                raise UserErrorException(
                    f"The data reference {name!r} must be a DataReferenceConfiguration: use `reference.to_config()`."
                )

    # -- the run ----------------------------------------------------------------------------------------------

    def take_snapshot(self, store: Store, folder: Path) -> tuple[str, Path] | None:
        """Write the archive of the snapshot into `folder`; return its id and file, or None where none is wanted.

        Raises:
            SnapshotException: they are too many, or too large.
        """
        if not self.run_config.history.snapshot_project:
            return None
        files = _snapshot.collect(self.source, _snapshot.EXPLICIT_LIMITS, store.uri)
        return _snapshot.write_archive(files, folder)

    @contextmanager
    def creating_run(
        self,
        store: Store,
        tags: Mapping[str, str | None],
        run_id: str | None,
        parent: RunRecord | None,
        snapshot: tuple[str, Path] | None,
    ) -> Iterator[RunRecord]:
        """Create the run in the store. Once it has been launched, it belongs to no process: the supervisor ends it."""
        new = NewRun(run_id=run_id, tags=tags, parent=parent, code_folder=self.source)
        facts = _tags.encode_tags(tags) | facts_of(new)
        properties: dict[str, str | None] = {"_azureml.ComputeTargetType": "local"}
        if snapshot is not None:
            properties[SNAPSHOT_PROPERTY] = snapshot[0]
        facts |= {
            _names.TAG_TYPE: RUN_TYPE,
            _names.TAG_STATUS: RunStatus.STARTING,
            _names.TAG_TARGET: str(self.run_config.target),
            _names.TAG_SOURCE_TYPE: "JOB",
            _names.TAG_SOURCE_NAME: self.script or "command",
            **_tags.encode_properties(properties),
            **_tags.encode_text(_names.TAG_DEFINITION, json.dumps(self._definition)),
            **_shown_facts(self.run_config),
        }
        experiment_id = self.experiment._ensure().id  # noqa: SLF001 - Azure's members are frozen
        with handing_over(self.experiment.name, experiment_id, facts, run_id, jobs_folder(store.uri)) as record:
            if run_id:
                _runtime.remember_run_id(run_id, record.id)
            store.set_run_status(record.id, _status.to_mlflow(RunStatus.STARTING))
            yield record

    def launch(self, store: Store, record: RunRecord, snapshot: tuple[str, Path] | None) -> None:
        """Put everything in place, and start the launcher."""
        store.log_params(record.id, _params_of(self._shown_arguments()))
        plans = self._plans(record)
        if self.inputs:
            self._note_datasets(store, record, plans["inputs"])
        self._tell_about()
        work = work_folder(record.id)
        copy_source(self.source, work, store.uri)
        if snapshot is not None:
            Run._from_record(self.experiment, record)._put_snapshot(*snapshot)  # noqa: SLF001 - Azure's members are frozen
        depth = int(os.environ.get(_names.ENV_JOB_DEPTH, "-1")) + 1
        job = Job(
            run=record.id,
            work=str(work),
            script=self.script,
            command=self.command,
            arguments=self.arguments,
            ranks=ranks_of(self.run_config),
            seconds=self.run_config.max_run_duration_seconds,
            own=[*self._variables()],
            definition={"environment": self._definition["environment"]},
            folders=self._folders(),
            depth=depth,
            **plans,
        )
        folder = JobFolder.create(jobs_folder(store.uri), job)
        supervisor.ensure(store.uri, folder.path.parent)
        launcher.start(folder, self._environment(store, record, depth))

    def _plans(self, record: RunRecord) -> dict[str, Any]:
        if not (self.inputs or self.outputs or self.references):
            return {}
        from azml_compat._data import consumption

        workspace, run_id = self.experiment.workspace, record.id
        return {
            "inputs": [
                {**consumption.plan_input(config, run_id), "keys": keys} for config, keys in _by_name(self.inputs)
            ],
            "outputs": [consumption.plan_output(config, run_id) for config in self.outputs.values()],
            "references": [
                {**consumption.plan_reference(config, workspace), "name": name}
                for name, config in self.references.items()
            ],
        }

    def _note_datasets(self, store: Store, record: RunRecord, plans: list[dict[str, Any]]) -> None:
        """Say in the run definition which datasets the inputs are, now that all of them are saved."""
        data = self._definition["data"]
        for plan in plans:
            dataset = {"id": plan["dataset_id"], "name": plan["dataset_name"], "version": str(plan["version"] or "1")}
            for key in plan["keys"]:
                known = data.get(key) or {}
                location = {**(known.get("dataLocation") or {}), "dataset": dataset}
                data[key] = {**known, "dataLocation": location, "mechanism": plan["mode"].capitalize()}
        store.set_run_tags(record.id, _tags.encode_text(_names.TAG_DEFINITION, json.dumps(self._definition)))

    def _folders(self) -> list[str]:
        history = self.run_config.history
        watched = [str(folder) for folder in history.directories_to_watch or ()]
        return [*([OUTPUTS_DIR] if history.output_collection else []), *watched]

    def _shown_arguments(self) -> list[str]:
        return self.arguments if self.script is not None else []

    # -- the environment --------------------------------------------------------------------------------------

    def _variables(self) -> dict[str, str]:
        """Return the variables that the environment and the run configuration declare."""
        environment = self.run_config.environment
        declared = {**(environment.environment_variables or {}), **self.run_config.environment_variables}
        return {str(name): str(value) for name, value in declared.items() if name != _EXAMPLE_VARIABLE}

    def _environment(self, store: Store, record: RunRecord, depth: int) -> dict[str, str]:
        """Return the environment of the launcher: the submitter's, and what makes its script this run."""
        workspace = self.experiment.workspace
        given = _detached.environment_of_user()
        kept = {name: value for name, value in given.items() if not name.startswith(_INHERITED)}
        for name in ("AZUREML_TARGET_TYPE", _names.ENV_OFFLINE):
            kept.pop(name, None)
        # The script runs in another folder, which goes when it ends.
        kept[_names.ENV_HOME] = str(home())
        if kept.get(_names.ENV_DATA):
            kept[_names.ENV_DATA] = str(Path(kept[_names.ENV_DATA]).absolute())
        return {
            **kept,
            **self._variables(),
            _names.ENV_TRACKING_URI: store.uri,
            _names.ENV_MLFLOW_RUN_ID: record.id,
            _names.ENV_MLFLOW_EXPERIMENT_ID: record.experiment_id,
            _names.ENV_MLFLOW_EXPERIMENT: self.experiment.name,
            _names.ENV_AZURE_RUN_ID: record.tags.get(_names.TAG_RUN_ID, record.id),
            _names.ENV_AZURE_EXPERIMENT: self.experiment.name,
            "AZUREML_EXPERIMENT_ID": record.experiment_id,
            "AZUREML_ARM_SUBSCRIPTION": workspace.subscription_id,
            "AZUREML_ARM_RESOURCEGROUP": workspace.resource_group,
            "AZUREML_ARM_WORKSPACE_NAME": workspace.name,
            "AZUREML_WORKSPACE_ID": workspace.name,
            "AZUREML_OUTPUT_DIRECTORY": OUTPUTS_DIR,
            "AZUREML_FRAMEWORK": str(self.run_config.framework),
            "AZUREML_COMMUNICATOR": str(self.run_config.communicator),
            _names.ENV_JOB: record.id,
            _names.ENV_JOB_DEPTH: str(depth),
            **_data_variables(self.inputs, self.outputs),
        }

    def _tell_about(self) -> None:
        """Say, in a line each, what differs here from what the script may expect."""
        from azml_compat._interpreters import differences

        target = str(self.run_config.target)
        store = self.experiment.workspace.service_context.store
        if target not in ("local", "amlcompute") and Assets(store, "compute").find(target) is None:
            print(f"Compute target {target} was never created here. The run takes place on this machine.")
        differing = differences(self._definition)
        if differing:
            print(differing)


def _script_of(source: Path, script: str | None) -> str | None:
    """Return the path of the script in the source directory.

    Raises:
        ExperimentExecutionException: it does not exist there.
    """
    if not script:
        return None
    file = source / script
    if not file.is_file():
        raise ExperimentExecutionException(f"The script path doesn't exist: {file}.")
    inside = os.path.relpath(file, source)
    if inside.startswith(os.pardir):
        raise ExperimentExecutionException(f"The script {file} is not in the source directory {source}.")
    return posixpath.join(*Path(inside).parts)


def _text_of(argument: Any) -> str:
    """Return a plain argument as the service writes it.

    Raises:
        TypeError: no command line can hold it.
        UserErrorException: it is a dataset, or what a run configuration says of one.
    """
    from azml_compat.core.runconfig import Data, OutputData
    from azml_compat.data.abstract_dataset import AbstractDataset

    if isinstance(argument, AbstractDataset):
        raise UserErrorException(
            "A dataset among the arguments must say how it is given: use `dataset.as_named_input(name)`, and for files "
            "`.as_mount()` or `.as_download()`."
        )
    if isinstance(argument, (Data, OutputData)):
        raise UserErrorException(f"{type(argument).__name__} belongs into the run configuration, not the arguments.")
    if isinstance(argument, os.PathLike):
        return str(os.fspath(argument))
    if hasattr(argument, "dtype") and hasattr(argument, "item"):
        argument = argument.item()
    if argument is not None and not isinstance(argument, (str, int, float, bool, list, dict)):
        raise TypeError(f"Object of type {type(argument).__name__} is not JSON serializable")
    return str(argument)


def _data_variables(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables that list the inputs and outputs, as `run.input_datasets` reads them."""
    found = {}
    if inputs:
        modes = [f"{config.name}:{config.mode.capitalize()}" for config, _ in _by_name(inputs)]
        found[_names.ENV_INPUTS] = ",".join(modes)
    if outputs:
        found[_names.ENV_OUTPUTS] = ";".join(outputs)
    return found


def _by_name(inputs: Mapping[str, Any]) -> list[tuple[Any, list[str]]]:
    """Return the inputs by their names, each with the keys under which it is asked for; of one name, the last counts.

    In a run configuration, a key is the id of an input; the variable that says where it is has the input's own name.
    """
    named = {config.name: config for config in inputs.values()}
    return [(config, [key for key, one in inputs.items() if one.name == name]) for name, config in named.items()]


def _params_of(arguments: Sequence[str]) -> dict[str, str]:
    """Return the arguments of the form `--name value` as params; a lone flag is True."""
    table = KeyTable()
    params: dict[str, str] = {}
    for position, word in enumerate(arguments):
        name, equals, value = word.lstrip("-").partition("=")
        if not word.startswith("-") or not name or _is_number(word):
            continue
        following = arguments[position + 1] if position + 1 < len(arguments) else None
        if not equals:
            is_value = following is not None and (not following.startswith("-") or _is_number(following))
            value = following if following is not None and is_value else "True"
        key = table.assign(name, None)
        params.setdefault(key, _shown_value(value))
    return params


def _shown_value(value: str) -> str:
    kind, _, name = value.partition(":")
    shown = name if kind in ("DatasetConsumptionConfig", "DatasetOutputConfig") else value
    return shown.encode("utf-8", "backslashreplace").decode("utf-8")


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _shown_facts(run_config: Any) -> dict[str, str]:
    """Return the tags that show what has no effect here: the target, its size, images, nodes."""
    environment = run_config.environment
    facts = {
        "target": run_config.target,
        "environment": environment.name,
        "environment_version": environment.version,
        "vm_size": run_config.amlcompute.vm_size,
        "node_count": run_config.node_count if run_config.node_count != 1 else None,
        "docker_image": environment.docker.base_image if run_config.docker.use_docker else None,
    }
    return {f"{_names.TAG_SHOWN}{name}": str(value) for name, value in facts.items() if value not in (None, "")}
