"""`azureml.core.script_run_config`: a script, its arguments, and how it is to be run; `Experiment.submit` takes it."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from azml_compat import _portal
from azml_compat._refused import module_attributes
from azml_compat._reporting import logger
from azml_compat.core.runconfig import (
    DataReferenceConfiguration,
    DockerConfiguration,
    MpiConfiguration,
    PyTorchConfiguration,
    RunConfiguration,
    TensorflowConfiguration,
)
from azml_compat.exceptions import RunConfigurationException, UserErrorException

if TYPE_CHECKING:
    from azml_compat.core.script_run import ScriptRun
    from azml_compat.core.workspace import Workspace

_MODEL_LOCATION = "MODEL_LOCATION"
_AML_COMPUTE = "amlcompute"


class ScriptRunConfig(_portal.ChainedIdentity):
    """A script and how it is to be run.

    What is given for the run's environment, target and processes is in `run_config` afterwards.

    Args:
        source_directory: The folder that holds the script. It is copied when the run is submitted.
        script: The script, relative to the folder.
        arguments: Its arguments: a list, or one string.
        run_config: How it is to be run. It becomes the object's own, and compute_target, environment,
            distributed_job_config, max_run_duration_seconds and docker_runtime_config are ignored then.
        _telemetry_values: Ignored.
        compute_target: The target or its name, by default `local`.
        environment: The environment; the object itself is used.
        distributed_job_config: An MpiConfiguration, TensorflowConfiguration or PyTorchConfiguration.
        resume_from: A DataPath; the script gets `--resume-from` and where the data is.
        max_run_duration_seconds: After so many seconds the run is cancelled.
        command: A command instead of a script.
        docker_runtime_config: How a container would be started.

    Raises:
        RunConfigurationException: distributed_job_config or docker_runtime_config is of another type.
        UserErrorException: resume_from is of another type.
    """

    MAX_DURATION_SECONDS_DEFAULT = 2592000

    def __init__(
        self,
        source_directory: Any,
        script: str | None = None,
        arguments: Any = None,
        run_config: RunConfiguration | None = None,
        _telemetry_values: Any = None,
        compute_target: Any = None,
        environment: Any = None,
        distributed_job_config: Any = None,
        resume_from: Any = None,
        max_run_duration_seconds: int | None = 2592000,
        command: Any = None,
        docker_runtime_config: Any = None,
    ) -> None:
        super().__init__(type(self).__name__)
        self.source_directory = source_directory
        self.script = script
        self.arguments = arguments
        self.command = command
        if run_config:
            ignored = {
                "compute_target": compute_target,
                "environment": environment,
                "distributed_job_config": distributed_job_config,
                "docker_runtime_config": docker_runtime_config,
            }
            self._use(run_config, [name for name, value in ignored.items() if value])
        else:
            self.run_config = RunConfiguration()
            self.run_config.max_run_duration_seconds = max_run_duration_seconds
            self._set_target(compute_target)
            if environment:
                self.run_config.environment = environment
            if distributed_job_config:
                self._distribute(distributed_job_config)
            self._set_docker(environment, docker_runtime_config)
        if resume_from:
            self._resume(resume_from)

    def _use(self, run_config: RunConfiguration, ignored: list[str]) -> None:
        """Take a run configuration; what is not given of script, arguments and command is in there."""
        given_twice = []
        for name in ("script", "arguments", "command"):
            known = getattr(run_config, name)
            if not getattr(self, name):
                setattr(self, name, known)
            elif known:
                given_twice.append(name)
        self.run_config = run_config
        if ignored:
            logger.warning("run_config is given, so these are ignored: %s. Set them in it.", ", ".join(ignored))
        if given_twice:
            logger.warning("%s of ScriptRunConfig is used, and not that of its run_config.", " and ".join(given_twice))

    def _set_target(self, compute_target: Any) -> None:
        self.run_config.target = compute_target
        if self.run_config.target == _AML_COMPUTE:
            print(f"The compute target {_AML_COMPUTE!r} is deprecated: give the name of a cluster that is there.")

    def _distribute(self, configuration: Any) -> None:
        run_config = self.run_config
        if isinstance(configuration, MpiConfiguration):
            run_config.mpi = configuration
            run_config.framework, run_config.communicator = "Python", "IntelMpi"
            run_config.node_count = configuration.node_count
        elif isinstance(configuration, TensorflowConfiguration):
            run_config.tensorflow = configuration
            run_config.framework, run_config.communicator = "TensorFlow", "ParameterServer"
            run_config.node_count = configuration.worker_count
        elif isinstance(configuration, PyTorchConfiguration):
            run_config.pytorch = configuration
            run_config.framework = "PyTorch"
            run_config.communicator = configuration.communication_backend.lower()
            run_config.node_count = configuration.node_count
        else:
            raise RunConfigurationException(
                "distributed_job_config is an MpiConfiguration, a TensorflowConfiguration or a PyTorchConfiguration, "
                f"and not a {type(configuration).__name__}."
            )

    def _set_docker(self, environment: Any, docker_runtime_config: Any) -> None:
        if docker_runtime_config:
            if not isinstance(docker_runtime_config, DockerConfiguration):
                raise RunConfigurationException(
                    f"docker_runtime_config is a DockerConfiguration, and not a {type(docker_runtime_config).__name__}."
                )
            self.run_config.docker = docker_runtime_config
        elif environment:
            docker = environment.docker
            self.run_config.docker = DockerConfiguration(
                use_docker=docker.enabled,
                shared_volumes=docker.shared_volumes,
                arguments=docker.arguments,
                shm_size=docker.shm_size,
            )

    def _resume(self, resume_from: Any) -> None:
        from azml_compat.data.datapath import DataPath  # here: hardly any script resumes

        if not isinstance(resume_from, DataPath):
            raise UserErrorException(f"resume_from is a DataPath, and not a {type(resume_from).__name__}.")
        if self.arguments is None:
            self.arguments = []
        self.arguments += ["--resume-from", f"$AZUREML_DATAREFERENCE_{_MODEL_LOCATION}"]
        self.run_config.data_references[_MODEL_LOCATION] = DataReferenceConfiguration(
            datastore_name=resume_from.datastore_name, path_on_datastore=resume_from.path_on_datastore, mode="mount"
        )


def get_run_config_from_script_run(script_run_config: ScriptRunConfig) -> RunConfiguration:
    """Return a copy of the run configuration with script, arguments and command in it.

    Datasets and outputs in it are the same objects: they know their workspace, which is none to copy.
    """
    known = script_run_config.run_config
    objects = [*known.data.values(), *known.output_data.values(), *known.data_references.values()]
    run_config = deepcopy(known, {id(shared): shared for shared in objects})
    run_config.script = script_run_config.script
    arguments = script_run_config.arguments
    run_config.arguments = list(arguments) if isinstance(arguments, list | tuple) else arguments or []
    run_config.command = script_run_config.command or ""
    return run_config


def submit(
    script_run_config: ScriptRunConfig,
    workspace: Workspace,
    experiment_name: str,
    run_id: str | None = None,
    _parent_run_id: str | None = None,
    credential_passthrough: bool = False,
) -> ScriptRun:
    """Submit a script; `Experiment.submit` is the way to it."""
    from azml_compat.core.experiment import Experiment

    given = {"run_id": run_id, "_parent_run_id": _parent_run_id}
    chosen = {name: value for name, value in given.items() if value is not None}
    return Experiment(workspace, experiment_name).submit(script_run_config, **chosen)


__getattr__, __dir__ = module_attributes(__name__)
