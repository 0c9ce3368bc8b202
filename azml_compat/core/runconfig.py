"""`azureml.core.runconfig`: how a script is to be run, as a tree of sections.

What counts on this machine is script, arguments and command, the environment and environment variables, the data, the
limit of time, and MPI, PyTorch and TensorFlow sections, as that many processes here. The rest is kept as a record.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from azml_compat._base_sdk_common.abstract_run_config_element import _AbstractRunConfigElement, written
from azml_compat._environments import folders, yaml_files
from azml_compat._refused import module_attributes
from azml_compat._reporting import logger
from azml_compat.core import container_registry as _home
from azml_compat.core.conda_dependencies import CondaDependencies
from azml_compat.core.environment import Environment, EnvironmentReference
from azml_compat.exceptions import RunConfigurationException, UserErrorException

LOCAL_RUNCONFIG_NAME = "local"
RUNCONFIGURATION_EXTENSION = ".runconfig"
SUPPORTED_PYTORCH_BACKENDS = ["nccl", "gloo"]

_CONDA_FILE = "conda_dependencies.yml"
_ENVIRONMENT_FILE = "environment.yml"


# -- how processes are started ------------------------------------------------------------------------------------


class MpiConfiguration(_AbstractRunConfigElement):
    """Several processes that know their rank by the variables of MPI.

    Args:
        process_count_per_node: Processes on each node.
        node_count: Nodes; all are this machine.
    """

    def __init__(self, process_count_per_node: int = 1, node_count: int = 1) -> None:
        self.process_count_per_node = process_count_per_node
        self.node_count = node_count
        self._initialized = True


class TensorflowConfiguration(_AbstractRunConfigElement):
    """Several processes that know their role by `TF_CONFIG`.

    Args:
        worker_count: Workers.
        parameter_server_count: Parameter servers.
    """

    def __init__(self, worker_count: int = 1, parameter_server_count: int = 1) -> None:
        self.worker_count = worker_count
        self.parameter_server_count = parameter_server_count
        self._initialized = True


class PyTorchConfiguration(_AbstractRunConfigElement):
    """Several processes that know their rank by the variables of torch.distributed.

    Args:
        communication_backend: `nccl` or `gloo`, in any case.
        process_count: Processes on all nodes together, by default one on each.
        node_count: Nodes; all are this machine.

    Raises:
        RunConfigurationException: the backend is another one.
    """

    def __init__(
        self, communication_backend: str = "Nccl", process_count: int | None = None, node_count: int = 1
    ) -> None:
        if communication_backend.lower() not in SUPPORTED_PYTORCH_BACKENDS:
            raise RunConfigurationException(
                f"The backend {communication_backend!r} is none of {', '.join(SUPPORTED_PYTORCH_BACKENDS)}."
            )
        self.communication_backend = communication_backend
        self.process_count = process_count
        self.node_count = node_count
        self._initialized = True


class ParallelTaskConfiguration(_AbstractRunConfigElement):
    """Tasks in parallel; a record. It takes any attribute, as in the original."""

    def __init__(self) -> None:
        self.max_retries_per_worker = 0
        self.worker_count_per_node = 1
        self.terminal_exit_codes: Any = None


class DockerConfiguration(_AbstractRunConfigElement):
    """How a container would be started; a record.

    Args:
        use_docker: Whether there would be one.
        shared_volumes: Whether volumes would be shared.
        arguments: Arguments for `docker run`.
        shm_size: The size of shared memory.
    """

    def __init__(
        self,
        use_docker: bool = False,
        shared_volumes: bool = True,
        arguments: list[str] = [],
        shm_size: str | None = "2g",
    ) -> None:
        self.use_docker = use_docker
        self.shared_volumes = shared_volumes
        self.arguments = arguments
        self.shm_size = shm_size
        self._initialized = True


class HistoryConfiguration(_AbstractRunConfigElement):
    """What of a run is kept.

    Attributes:
        output_collection: Whether `./outputs` is.
        snapshot_project: Whether the source directory is.
        directories_to_watch: Folders whose files are kept while the script runs.
    """

    def __init__(self) -> None:
        self.output_collection = True
        self.snapshot_project = True
        self.directories_to_watch = ["logs"]
        self._initialized = True


class SparkConfiguration(_AbstractRunConfigElement):
    """Settings of Spark; a record."""

    def __init__(self) -> None:
        self.configuration: dict[str, Any] = {
            "spark.app.name": "Azure ML Experiment",
            "spark.yarn.maxAppAttempts": 1,
        }
        self._initialized = True


class HdiConfiguration(_AbstractRunConfigElement):
    """How YARN would deploy; a record."""

    def __init__(self) -> None:
        self.yarn_deploy_mode = "cluster"
        self._initialized = True


class AmlComputeConfiguration(_AbstractRunConfigElement):
    """The machine that would be created for a run; a record."""

    def __init__(self) -> None:
        self.vm_size: str | None = None
        self.vm_priority: str | None = None
        self._initialized = True


class KubernetesComputeConfiguration(_AbstractRunConfigElement):
    """The kind of instance on Kubernetes; a record. It takes any attribute, as in the original."""

    def __init__(self) -> None:
        self.instance_type: str | None = None


class ApplicationEndpointConfiguration(_AbstractRunConfigElement):
    """A service beside the script, such as Jupyter or SSH; a record."""

    def __init__(self, type: Any = None, port: int | None = None, properties: Any = None) -> None:
        self.type = type
        self.port = port
        self.properties = properties
        self._initialized = True


# -- data ---------------------------------------------------------------------------------------------------------


class DataReferenceConfiguration(_AbstractRunConfigElement):
    """A path of a datastore that a script uses; `DataReference.to_config()` makes it.

    Args:
        datastore_name: The datastore.
        mode: `mount`, `download` or `upload`.
        path_on_datastore: The path.
        path_on_compute: Where the script finds it.
        overwrite: Whether files that are there already are replaced.
    """

    def __init__(
        self,
        datastore_name: str | None = None,
        mode: str = "mount",
        path_on_datastore: str | None = None,
        path_on_compute: str | None = None,
        overwrite: bool = False,
    ) -> None:
        self.data_store_name = datastore_name
        self.path_on_data_store = path_on_datastore
        self.mode = mode
        self.overwrite = overwrite
        self.path_on_compute = path_on_compute
        self._initialized = True


class Dataset(_AbstractRunConfigElement):
    """A dataset by its id, or by its name and version; not `azureml.core.Dataset`."""

    def __init__(
        self, dataset_id: str | None = None, dataset_name: str | None = None, dataset_version: Any = None
    ) -> None:
        self.id = dataset_id
        self.name = dataset_name
        self.version = dataset_version
        self._initialized = True


class DataPath(_AbstractRunConfigElement):
    """A path of a datastore; not `azureml.data.datapath.DataPath`."""

    def __init__(self, datastore_name: str | None = None, relative_path: str | None = None) -> None:
        self.datastore_name = datastore_name
        self.relative_path = relative_path
        self._initialized = True


class Uri(_AbstractRunConfigElement):
    """An address. It takes any attribute, as in the original."""

    def __init__(self, path: str | None = None, is_file: bool = False) -> None:
        self.path = path
        self.is_file = is_file


class DataLocation(_AbstractRunConfigElement):
    """Where data is: a dataset, a path, or an address."""

    _parts: ClassVar = {"dataset": Dataset, "data_path": DataPath, "uri": Uri}

    def __init__(self, dataset: Any = None, data_path: Any = None, uri: Any = None) -> None:
        self.dataset = dataset
        self.data_path = data_path
        self.uri = uri
        self._initialized = True


class Data(_AbstractRunConfigElement):
    """An input of a script.

    Args:
        data_location: Where the data is.
        create_output_directories: Whether folders are made for what the script writes.
        mechanism: `direct`, `mount`, `download` or `hdfs`.
        environment_variable_name: The variable that says where the script finds it.
        path_on_compute: Where the script finds it.
        overwrite: Whether files that are there already are replaced.
        options: Further options.
    """

    _parts: ClassVar = {"data_location": DataLocation}

    def __init__(
        self,
        data_location: Any = None,
        create_output_directories: Any = None,
        mechanism: str = "direct",
        environment_variable_name: str | None = None,
        path_on_compute: str | None = None,
        overwrite: bool = False,
        options: Any = None,
    ) -> None:
        self.data_location = data_location
        self.create_output_directories = create_output_directories
        self.mechanism = mechanism
        self.environment_variable_name = environment_variable_name
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite
        self.options = options
        self._initialized = True

    @staticmethod
    def create(data: Any) -> Data:
        """Make an input of what `dataset.as_named_input()` returns.

        Raises:
            UserErrorException: it is something else.
        """
        if not all(hasattr(data, name) for name in ("name", "dataset", "mode", "path_on_compute")):
            raise UserErrorException(
                f"A {type(data).__name__} is no input of a run: use dataset.as_named_input(name), with .as_mount() or "
                ".as_download() where the script wants files."
            )
        return Data(
            data_location=DataLocation(dataset=_dataset(data.dataset)),
            mechanism=data.mode,
            environment_variable_name=data.name,
            path_on_compute=data.path_on_compute,
        )


def _dataset(dataset: Any) -> Dataset:
    """Name a dataset: an object, or a tuple of workspace, name and perhaps version."""
    if isinstance(dataset, tuple):
        _, name, *rest = dataset
        return Dataset(None, name, str(rest[0]) if rest else None)
    version = getattr(dataset, "version", None)
    return Dataset(
        getattr(dataset, "id", None), getattr(dataset, "name", None), None if version is None else str(version)
    )


class GlobsOptions(_AbstractRunConfigElement):
    """Patterns of files."""

    def __init__(self, patterns: Any = None) -> None:
        self.patterns = patterns
        self._initialized = True


class UploadOptions(_AbstractRunConfigElement):
    """How an output is uploaded."""

    _parts: ClassVar = {"source_globs": GlobsOptions}

    def __init__(self, overwrite: bool = False, source_globs: Any = None) -> None:
        self.overwrite = overwrite
        self.source_globs = source_globs
        self._initialized = True


class MountOptions(_AbstractRunConfigElement):
    """How an output is mounted."""

    def __init__(self, disable_metadata_cache: bool = False) -> None:
        self.disable_metadata_cache = disable_metadata_cache
        self._initialized = True


class DatasetRegistrationOptions(_AbstractRunConfigElement):
    """What is done to an output before it is registered as a dataset."""

    def __init__(self, additional_transformations: Any = None) -> None:
        self.additional_transformation = additional_transformations
        self._initialized = True


class RegistrationOptions(_AbstractRunConfigElement):
    """The dataset that an output becomes."""

    _parts: ClassVar = {"dataset_registration_options": DatasetRegistrationOptions}

    def __init__(
        self,
        name: str | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        dataset_registration_options: Any = None,
    ) -> None:
        self.name = name
        self.description = description
        self.tags = tags
        self.dataset_registration_options = dataset_registration_options
        self._initialized = True


class OutputOptions(_AbstractRunConfigElement):
    """What is done with an output."""

    _parts: ClassVar = {
        "registration_options": RegistrationOptions,
        "upload_options": UploadOptions,
        "mount_options": MountOptions,
    }

    def __init__(
        self,
        path_on_compute: str | None = None,
        registration_options: Any = None,
        upload_options: Any = None,
        mount_options: Any = None,
    ) -> None:
        self.path_on_compute = path_on_compute
        self.registration_options = registration_options
        self.upload_options = upload_options
        self.mount_options = mount_options
        self._initialized = True


class OutputData(_AbstractRunConfigElement):
    """An output of a script.

    Args:
        output_location: Where it goes.
        mechanism: `mount` or `upload`.
        additional_options: What is done with it.
    """

    _parts: ClassVar = {"output_location": DataLocation, "additional_options": OutputOptions}

    def __init__(self, output_location: Any = None, mechanism: str = "mount", additional_options: Any = None) -> None:
        self.output_location = output_location
        self.mechanism = mechanism
        self.additional_options = additional_options
        self._initialized = True


class DatacacheConfiguration(_AbstractRunConfigElement):
    """A cache of a dataset beside the machine; a record."""

    def __init__(
        self,
        dataset_id: str | None = None,
        datacache_store: Any = None,
        datacache_id: str | None = None,
        mode: str = "mount",
        path_on_compute: str | None = None,
        replica: Any = None,
        failure_fallback: bool = False,
    ) -> None:
        self.dataset_id = dataset_id
        self.datacache_store = datacache_store
        self.datacache_id = datacache_id
        self.mode = mode
        self.path_on_compute = path_on_compute
        self.replica = replica
        self.failure_fallback = failure_fallback
        self._initialized = True

    @staticmethod
    def create(data: Any) -> DatacacheConfiguration:
        """Make it of a consumption configuration with the same attributes."""
        names = ("dataset_id", "datacache_store", "datacache_id", "path_on_compute", "replica", "failure_fallback")
        return DatacacheConfiguration(**{name: getattr(data, name) for name in names if hasattr(data, name)})


# -- old names ----------------------------------------------------------------------------------------------------


class ContainerRegistry(_home.ContainerRegistry):
    """The old place of `azureml.core.ContainerRegistry`."""

    def __init__(self) -> None:
        super().__init__()
        logger.warning("azureml.core.runconfig.ContainerRegistry is deprecated: use azureml.core.ContainerRegistry.")


class AzureContainerRegistry(ContainerRegistry):
    """A registry in Azure."""

    def __init__(self) -> None:
        super().__init__()


class EnvironmentDefinition(Environment):
    """The old name of `Environment`, which run configurations still use."""

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name)


# -- run configurations -------------------------------------------------------------------------------------------


class RunConfiguration(_AbstractRunConfigElement):
    """How a script is to be run.

    Args:
        script: The script, relative to the source directory.
        arguments: Its arguments.
        framework: `Python`, `PySpark`, `TensorFlow` or `PyTorch`.
        communicator: `None`, `ParameterServer`, `OpenMpi` and others.
        conda_dependencies: The packages of the environment.
        _history_enabled: Ignored.
        _path: Where `save` writes when it is not told.
        _name: Under which name.
        command: A command instead of a script.
    """

    _unwritten = frozenset({"path", "name"})
    _written: ClassVar = {
        "services": "applicationEndpoints",
        "pytorch": "pyTorch",
        "paralleltask": "parallelTask",
        "amlcompute": "amlCompute",
        "kubernetescompute": "kubernetesCompute",
    }
    _parts: ClassVar = {
        "environment": EnvironmentDefinition,
        "history": HistoryConfiguration,
        "spark": SparkConfiguration,
        "docker": DockerConfiguration,
        "hdi": HdiConfiguration,
        "tensorflow": TensorflowConfiguration,
        "mpi": MpiConfiguration,
        "pytorch": PyTorchConfiguration,
        "paralleltask": ParallelTaskConfiguration,
        "data_references": DataReferenceConfiguration,
        "data": Data,
        "output_data": OutputData,
        "datacaches": DatacacheConfiguration,
        "amlcompute": AmlComputeConfiguration,
        "kubernetescompute": KubernetesComputeConfiguration,
        "services": ApplicationEndpointConfiguration,
    }

    def __init__(
        self,
        script: str | None = None,
        arguments: Any = None,
        framework: str | None = None,
        communicator: str | None = None,
        conda_dependencies: CondaDependencies | None = None,
        _history_enabled: Any = None,
        _path: Any = None,
        _name: str | None = None,
        command: Any = None,
    ) -> None:
        self.script = script
        self.command = command or ""
        self.arguments = arguments or []
        self.framework = framework or "Python"
        self.communicator = communicator or "None"
        self._target = LOCAL_RUNCONFIG_NAME
        self.max_run_duration_seconds: int | None = None
        self.node_count = 1
        self.priority: int | None = None
        self._environment_variables: dict[str, str] = {}
        self.environment: Any = EnvironmentDefinition("default-environment")
        if conda_dependencies is not None:
            self.environment.python.conda_dependencies = conda_dependencies
        self.history = HistoryConfiguration()
        self.spark = SparkConfiguration()
        self.docker: Any = DockerConfiguration(arguments=[])
        self.hdi = HdiConfiguration()
        self.tensorflow = TensorflowConfiguration()
        self.mpi = MpiConfiguration()
        self.pytorch = PyTorchConfiguration()
        self.paralleltask = ParallelTaskConfiguration()
        self.data_references: dict[str, Any] = {}
        self.data: dict[str, Any] = {}
        self.output_data: dict[str, Any] = {}
        self.datacaches: list[Any] = []
        self.source_directory_data_store: Any = None
        self.amlcompute = AmlComputeConfiguration()
        self.kubernetescompute = KubernetesComputeConfiguration()
        self.auto_cluster_compute_specification: Any = None
        self.services: dict[str, Any] = {}
        self.credential_passthrough = False
        self._path = _path
        self._name = _name
        self._initialized = True

    def __repr__(self) -> str:
        return json.dumps(self._to_dict(), indent=4)

    @property
    def target(self) -> str:
        """The name of the compute target; every target is this machine.

        Set to a name or a compute target; anything else leaves it as it is, as in the original.
        """
        return self._target

    @target.setter
    def target(self, target: Any) -> None:
        name = target if isinstance(target, str) else _compute_name(target)
        if name is not None:
            self._target = name

    @property
    def environment_variables(self) -> dict[str, str]:
        """Variables for the processes of the script."""
        return self._environment_variables

    @environment_variables.setter
    def environment_variables(self, environment_variables: dict[str, str]) -> None:
        self._environment_variables = environment_variables

    @property
    def auto_prepare_environment(self) -> bool:
        """Always True; deprecated."""
        logger.warning("auto_prepare_environment is deprecated: it is always True.")
        return True

    @auto_prepare_environment.setter
    def auto_prepare_environment(self, auto_prepare_environment: bool) -> None:
        logger.warning("auto_prepare_environment is deprecated: it is always True.")

    # -- files ----------------------------------------------------------------------------------------------------

    def save(self, path: Any = None, name: str | None = None, separate_environment_yaml: bool = False) -> None:
        """Write the run configuration as YAML, and the conda file beside it.

        Args:
            path: A file that is there, which is replaced; or a project folder, for `<path>/.azureml/<name>`. Default
                is where it was loaded from.
            name: The file's name, as it is; nothing is appended.
            separate_environment_yaml: Whether the environment goes into a file of its own, `environment.yml`.

        Raises:
            FileNotFoundError: the folder is not there.
            UserErrorException: there is no name.
        """
        file = self._file(path, name)
        definition = self._to_dict()
        python = definition["environment"].get("python")
        if python is not None and python.pop("condaDependencies", None) is not None:
            conda = file.with_name(_CONDA_FILE)
            conda.write_text(self.environment.python.conda_dependencies.serialize_to_string(), encoding="utf-8")
            python["condaDependenciesFile"] = _relative(conda)
        if separate_environment_yaml:
            environment = file.with_name(_ENVIRONMENT_FILE)
            environment.write_text(yaml_files.dump(definition["environment"]), encoding="utf-8")
            definition["environment"] = _relative(environment)
        file.write_text(yaml_files.dump(definition), encoding="utf-8")

    def _file(self, path: Any, name: str | None) -> Path:
        """Return the file to write."""
        place = Path(path if path is not None else self._path if self._path is not None else ".")
        if place.is_file():
            return place
        name = name or self._name
        if not name:
            raise UserErrorException("Give a run configuration a name to save it under.")
        if not place.is_dir():
            raise FileNotFoundError(f"There is no folder {place} to save the run configuration {name} in.")
        return folders.configuration_folder(place) / name

    @staticmethod
    def load(path: Any, name: str | None = None) -> RunConfiguration:
        """Read a run configuration.

        Args:
            path: Its file, or a project folder.
            name: Its name in the folder's `.azureml` or `aml_config`, with `.runconfig` or without.

        Raises:
            UserErrorException: there is none, or it is no run configuration.
        """
        file = _find(Path(path), name)
        if file is None:
            raise UserErrorException(f"There is no run configuration {name or ''} in {path}.")
        content = yaml_files.load_file(file)
        if not isinstance(content, dict):
            raise UserErrorException(f"{file} is no run configuration: it holds no mapping.")
        definition = {str(key): value for key, value in written(content).items()}
        made = RunConfiguration(_path=path, _name=name)
        environment = definition.get("environment")
        if isinstance(environment, str):
            definition["environment"] = written(yaml_files.load_file(_beside(file, environment)))
        made._update(definition)
        made._read_conda_file(file)
        return made

    def _read_conda_file(self, file: Path) -> None:
        """Read the conda file that the run configuration in `file` names."""
        if isinstance(self.environment, EnvironmentReference):
            return
        python = self.environment.python
        if python._conda_dependencies_file:
            python.conda_dependencies = CondaDependencies(_beside(file, str(python._conda_dependencies_file)))
            python._conda_dependencies_file = None

    @staticmethod
    def delete(path: Any, name: str) -> None:
        """Remove `<name>.runconfig` from a project folder's `.azureml` or `aml_config`.

        Raises:
            UserErrorException: it is not there.
        """
        for folder in folders.configuration_folders(Path(path)):
            file = folder / f"{name}{RUNCONFIGURATION_EXTENSION}"
            if file.is_file():
                file.unlink()
                return
        raise UserErrorException(f"There is no run configuration {name}{RUNCONFIGURATION_EXTENSION} in {path}.")

    def _to_dict(self) -> dict[str, Any]:
        definition = super()._to_dict()
        definition["data"] = {str(name): written(_as_data(data)) for name, data in self.data.items()}
        return definition

    def _put(self, attribute: str, value: Any) -> None:
        if attribute == "environment" and isinstance(value, dict) and {*value} <= {"name", "version"}:
            self.environment = EnvironmentReference(value.get("name", ""), value.get("version"))
        else:
            super()._put(attribute, value)


def _as_data(data: Any) -> Any:
    """Return an input in the form in which it is written down."""
    return data if isinstance(data, Data) or not hasattr(data, "dataset") else Data.create(data)


def _compute_name(target: Any) -> str | None:
    """Return the name of a compute target; None for what is none."""
    from azml_compat.core.compute import ComputeTarget  # here: hardly any script gives one

    return str(target.name) if isinstance(target, ComputeTarget) else None


def _find(path: Path, name: str | None) -> Path | None:
    """Find the file of a run configuration."""
    if path.is_file():
        return path
    names = [name, f"{name}{RUNCONFIGURATION_EXTENSION}"] if name else []
    places = [folder / found for folder in folders.configuration_folders(path) for found in names]
    return next((file for file in [*places, *(path / found for found in names[1:])] if file.is_file()), None)


def _relative(file: Path) -> str:
    """Return a file's path as run configurations have it: in the project, where it is in a folder of it."""
    return f"{file.parent.name}/{file.name}" if file.parent.name in folders.NAMES else file.name


def _beside(file: Path, named: str) -> Path:
    """Return a file that a run configuration names, in its project or beside it."""
    project = file.parent.parent if file.parent.name in folders.NAMES else file.parent
    places = (project / named, file.with_name(Path(named).name))
    return next((place for place in places if place.is_file()), places[0])


__getattr__, __dir__ = module_attributes(__name__)
