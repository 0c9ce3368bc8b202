"""`azureml.core.environment`: the declaration of what a script needs, kept as Azure keeps it.

No image is built and no package installed by it. A submitted script runs in this interpreter, and a line names the
declared packages that are missing or differ; on request it runs in an environment made of the declaration. Docker,
Spark and Databricks sections are records.
"""

from __future__ import annotations

import builtins
import json
import os
import subprocess
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from azml_compat._base_sdk_common.abstract_run_config_element import _AbstractRunConfigElement
from azml_compat._environments import yaml_files
from azml_compat._refused import module_attributes, refusal
from azml_compat._reporting import logger
from azml_compat.core.conda_dependencies import CondaDependencies
from azml_compat.core.container_registry import ContainerRegistry
from azml_compat.core.databricks import DatabricksSection
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from azml_compat._environments.records import Registered
    from azml_compat.core.workspace import Workspace

DEFAULT_CPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:20251130.v1"
DEFAULT_GPU_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-cuda11.8-cudnn8-ubuntu22.04"

_CURATED = "AzureML-"
_DEFINITION_FILE = "azureml_environment.json"
_CONDA_FILE = "conda_dependencies.yml"
_DOCKERFILE = "BaseDockerfile"
_BUILT = "Succeeded"
_NOTHING_BUILT = "Nothing is built: scripts run on this machine, without an image."


class _EnvironmentNotFound(UserErrorException):
    """There is no such environment. Its text is that of the bare Exception that the original raises."""

    def __str__(self) -> str:
        return str(self.message)


# -- sections -----------------------------------------------------------------------------------------------------


class DockerImagePlatform(_AbstractRunConfigElement):
    """The platform of an image. It takes any attribute, as in the original."""

    def __init__(self) -> None:
        self.os = "Linux"
        self.architecture = "amd64"


class DockerBuildContext(_AbstractRunConfigElement):
    """Where the files of an image are; kept as given.

    Args:
        location_type: One of `LocationType`.
        location: An address, or a folder.
        dockerfile_path: The Dockerfile in it.
    """

    class LocationType:
        """What a location is."""

        Git = "git"
        StorageAccount = "storageAccount"

    def __init__(
        self, location_type: str | None = None, location: str | None = None, dockerfile_path: str = "Dockerfile"
    ) -> None:
        self.location_type = location_type
        self.location = location
        self.dockerfile_path = dockerfile_path
        self._initialized = True

    @staticmethod
    def from_local_directory(workspace: Workspace, path: Any, dockerfile_path: str = "Dockerfile") -> Any:
        """Describe a folder on this machine; it is not uploaded.

        Raises:
            UserErrorException: there is no such folder.
        """
        folder = Path(path).absolute()
        if not folder.is_dir():
            raise UserErrorException(f"{path} is no folder, so it cannot be a build context.")
        return DockerBuildContext(DockerBuildContext.LocationType.StorageAccount, str(folder), dockerfile_path)


class DockerSection(_AbstractRunConfigElement):
    """The image of an environment; a record, since nothing runs in an image here.

    `base_image`, `base_dockerfile` and `build_context` exclude one another: setting one resets the others to None.
    """

    _parts: ClassVar = {
        "base_image_registry": ContainerRegistry,
        "platform": DockerImagePlatform,
        "build_context": DockerBuildContext,
    }

    def __init__(self, **kwargs: Any) -> None:
        self._base_image: str | None = None if kwargs.get("_skip_defaults") else DEFAULT_CPU_IMAGE
        self.platform: Any = DockerImagePlatform()
        self._base_dockerfile: str | None = None
        self._build_context: Any = None
        self.base_image_registry: Any = ContainerRegistry()
        self._enabled = False
        self._shared_volumes = True
        self._shm_size: str | None = "2g"
        self._arguments: builtins.list[str] = []
        self._initialized = True

    @property
    def base_image(self) -> str | None:
        """The image by name."""
        return self._base_image

    @base_image.setter
    def base_image(self, base_image: str | None) -> None:
        self._choose("base_image", base_image)

    @property
    def base_dockerfile(self) -> str | None:
        """The Dockerfile as text; set to text, the path of a file, or an open file."""
        return self._base_dockerfile

    @base_dockerfile.setter
    def base_dockerfile(self, base_dockerfile: Any) -> None:
        if hasattr(base_dockerfile, "read"):
            base_dockerfile = base_dockerfile.read()
        elif base_dockerfile and os.path.isfile(base_dockerfile):  # noqa: PTH113 - Path raises for a long text
            base_dockerfile = Path(base_dockerfile).read_text(encoding="utf-8")
        self._choose("base_dockerfile", base_dockerfile)

    @property
    def build_context(self) -> Any:
        """The files of the image."""
        return self._build_context

    @build_context.setter
    def build_context(self, build_context: Any) -> None:
        self._choose("build_context", build_context)

    def _choose(self, name: str, value: Any) -> None:
        setattr(self, f"_{name}", value or None)
        if not value:
            return
        for other in {"base_image", "base_dockerfile", "build_context"} - {name}:
            if getattr(self, f"_{other}") is not None:
                logger.warning(
                    "docker.%s is set, so docker.%s is reset to None: they exclude one another.", name, other
                )
                setattr(self, f"_{other}", None)

    @property
    def enabled(self) -> bool:
        """Whether a container would be used; has no effect."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        _deprecated("docker.enabled", "DockerConfiguration(use_docker=…)")
        self._enabled = enabled

    @property
    def shared_volumes(self) -> bool:
        """Whether volumes would be shared; has no effect."""
        return self._shared_volumes

    @shared_volumes.setter
    def shared_volumes(self, shared_volumes: bool) -> None:
        _deprecated("docker.shared_volumes", "DockerConfiguration(shared_volumes=…)")
        self._shared_volumes = shared_volumes

    @property
    def arguments(self) -> builtins.list[str]:
        """Arguments for `docker run`; have no effect."""
        return self._arguments

    @arguments.setter
    def arguments(self, arguments: builtins.list[str]) -> None:
        _deprecated("docker.arguments", "DockerConfiguration(arguments=…)")
        self._arguments = arguments

    @property
    def shm_size(self) -> str | None:
        """The size of shared memory; has no effect."""
        return self._shm_size

    @shm_size.setter
    def shm_size(self, shm_size: str | None) -> None:
        _deprecated("docker.shm_size", "DockerConfiguration(shm_size=…)")
        self._shm_size = shm_size

    @property
    def gpu_support(self) -> bool:
        """Always True."""
        _deprecated("docker.gpu_support")
        return True

    @gpu_support.setter
    def gpu_support(self, value: bool) -> None:
        _deprecated("docker.gpu_support")


class DockerEnvironment(DockerSection):
    """The old name of `DockerSection`."""

    def __init__(self) -> None:
        super().__init__()


class PythonSection(_AbstractRunConfigElement):
    """The Python of an environment.

    Attributes:
        interpreter_path: The interpreter; counts with `user_managed_dependencies` alone.
        user_managed_dependencies: Whether everything is installed already.
        conda_dependencies: What must be installed otherwise.
    """

    def __init__(self, **kwargs: Any) -> None:
        is_empty = bool(kwargs.get("_skip_defaults"))
        self.interpreter_path: str | None = None if is_empty else "python"
        self.user_managed_dependencies: bool | None = None if is_empty else False
        self.conda_dependencies: Any = None if is_empty else CondaDependencies()
        self._base_conda_environment: str | None = None
        self._conda_dependencies_file: Any = None
        self._initialized = True

    @property
    def conda_dependencies_file(self) -> Any:
        """The path of a conda file; deprecated in favour of `conda_dependencies`."""
        return self._conda_dependencies_file

    @conda_dependencies_file.setter
    def conda_dependencies_file(self, value: Any) -> None:
        _deprecated("python.conda_dependencies_file", "python.conda_dependencies = CondaDependencies(path)")
        self._conda_dependencies_file = value
        if value and Path(value).is_file():
            self.conda_dependencies = CondaDependencies(value)

    def _put(self, attribute: str, value: Any) -> None:
        if attribute == "conda_dependencies" and isinstance(value, dict):
            value = CondaDependencies(_underlying_structure=value)
        super()._put(attribute, value)


class PythonEnvironment(PythonSection):
    """The old name of `PythonSection`."""

    def __init__(self) -> None:
        super().__init__()


class SparkPackage(_AbstractRunConfigElement):
    """A package for Spark."""

    def __init__(self, group: str | None = None, artifact: str | None = None, version: str | None = None) -> None:
        self.group = group
        self.artifact = artifact
        self.version = version
        self._initialized = True


class SparkSection(_AbstractRunConfigElement):
    """The Spark of an environment; a record."""

    _parts: ClassVar = {"packages": SparkPackage}

    def __init__(self, **kwargs: Any) -> None:
        is_empty = bool(kwargs.get("_skip_defaults"))
        self.repositories: Any = None if is_empty else []
        self.packages: Any = None if is_empty else []
        self.precache_packages: bool | None = None if is_empty else True
        self._initialized = True


class SparkEnvironment(SparkSection):
    """The old name of `SparkSection`."""

    def __init__(self) -> None:
        super().__init__()


class RCranPackage(_AbstractRunConfigElement):
    """A package from CRAN."""

    def __init__(self) -> None:
        self.name: str | None = None
        self.version: str | None = None
        self.repository: str | None = None
        self._initialized = True


class RGitHubPackage(_AbstractRunConfigElement):
    """An R package from GitHub. The token stays in this object: it is never written down."""

    _unwritten = frozenset({"auth_token"})

    def __init__(self) -> None:
        self.repository: str | None = None
        self.auth_token: str | None = None
        self._initialized = True


class RSection(_AbstractRunConfigElement):
    """The R of an environment; a record."""

    _parts: ClassVar = {"cran_packages": RCranPackage, "github_packages": RGitHubPackage}

    def __init__(self) -> None:
        self.r_version: str | None = None
        self.user_managed = False
        self.rscript_path: str | None = None
        self.snapshot_date: str | None = None
        self.cran_packages: Any = None
        self.github_packages: Any = None
        self.custom_url_packages: Any = None
        self.bioconductor_packages: Any = None
        self._initialized = True


# -- environments -------------------------------------------------------------------------------------------------


class Environment(_AbstractRunConfigElement):
    """What a script needs: packages, an interpreter, an image, environment variables.

    Args:
        name: The name.
        **kwargs: Ignored.

    Raises:
        TypeError: the name is no string.
    """

    _parts: ClassVar = {
        "python": PythonSection,
        "docker": DockerSection,
        "spark": SparkSection,
        "databricks": DatabricksSection,
        "r": RSection,
    }

    def __init__(self, name: str | None, **kwargs: Any) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"The name of an environment is a string, and not a {type(name).__name__}.")
        is_empty = bool(kwargs.get("_skip_defaults"))
        self.name = name
        self.version: str | None = None
        self._environment_variables: dict[str, str] | None = None if is_empty else {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"}
        self.python: Any = PythonSection(_skip_defaults=is_empty)
        self.docker: Any = DockerSection(_skip_defaults=is_empty)
        self.spark: Any = SparkSection(_skip_defaults=is_empty)
        self.databricks: Any = DatabricksSection(_skip_defaults=is_empty)
        self.r: Any = None
        self.inferencing_stack_version: str | None = None
        self.asset_id: str | None = None
        self._initialized = True

    def __str__(self) -> str:
        return f"Environment(Name: {self.name},\nVersion: {self.version})"

    def __repr__(self) -> str:
        return json.dumps(self._to_dict(), indent=4, sort_keys=True)

    @property
    def environment_variables(self) -> dict[str, str] | None:
        """Variables for the processes of a script; those of the run configuration go before them."""
        return self._environment_variables

    @environment_variables.setter
    def environment_variables(self, environment_variables: dict[str, str] | None) -> None:
        _deprecated("environment_variables of an environment", "RunConfiguration.environment_variables")
        self._environment_variables = environment_variables

    # -- made of something ----------------------------------------------------------------------------------------

    @staticmethod
    def from_conda_specification(name: str, file_path: Any) -> Environment:
        """Make an environment of a conda environment file; its comments and order are kept.

        Raises:
            FileNotFoundError: the file is not there.
            UserErrorException: it is not a conda environment file.
        """
        made = Environment(name)
        made.python.conda_dependencies = _conda_specification(file_path)
        return made

    @staticmethod
    def from_pip_requirements(name: str, file_path: Any, pip_version: str | None = None) -> Environment:
        """Make an environment of a requirements file, line by line.

        Args:
            name: The name.
            file_path: The requirements file.
            pip_version: The version of pip to declare.

        Raises:
            FileNotFoundError: the file is not there.
        """
        made = Environment(name)
        made.python.conda_dependencies = _pip_requirements(file_path, pip_version)
        return made

    @staticmethod
    def from_existing_conda_environment(name: str, conda_environment_name: str) -> Environment | None:
        """Make an environment of one that conda has on this machine; None, with two lines, when there is none.

        Raises:
            FileNotFoundError: there is no conda.
        """
        exported = subprocess.run(
            ["conda", "env", "export", "--no-builds", "--name", conda_environment_name],
            capture_output=True,
            text=True,
            check=False,
        )
        if exported.returncode != 0:
            print(f"Could not export the conda environment {conda_environment_name}:")
            print(" ".join(exported.stderr.split()) or f"conda ended with exit code {exported.returncode}.")
            return None
        made = Environment(name)
        content = yaml_files.load(exported.stdout, f"What conda exports of {conda_environment_name}")
        made.python.conda_dependencies = CondaDependencies(_underlying_structure=content)
        return made

    @staticmethod
    def from_dockerfile(
        name: str, dockerfile: Any, conda_specification: Any = None, pip_requirements: Any = None
    ) -> Environment:
        """Make an environment of a Dockerfile.

        Args:
            name: The name.
            dockerfile: Its text, its path, or an open file.
            conda_specification: A conda environment file.
            pip_requirements: A requirements file. With neither, everything is in the image.

        Raises:
            UserErrorException: both files are given.
        """
        made = _on_docker(name, conda_specification, pip_requirements)
        made.docker.base_dockerfile = dockerfile
        return made

    @staticmethod
    def from_docker_image(
        name: str,
        image: str,
        container_registry: Any = None,
        conda_specification: Any = None,
        pip_requirements: Any = None,
    ) -> Environment:
        """Make an environment of an image.

        Args:
            name: The name.
            image: The image's name.
            container_registry: Where it is.
            conda_specification: A conda environment file.
            pip_requirements: A requirements file. With neither, everything is in the image.

        Raises:
            UserErrorException: both files are given.
        """
        made = _on_docker(name, conda_specification, pip_requirements)
        made.docker.base_image = image
        if container_registry is not None:
            made.docker.base_image_registry = container_registry
        return made

    @staticmethod
    def from_docker_build_context(name: str, docker_build_context: Any) -> Environment:
        """Make an environment of a build context; all else is left empty."""
        made = Environment(name, _skip_defaults=True)
        made.docker.build_context = docker_build_context
        return made

    def clone(self, new_name: str) -> Environment:
        """Return a copy under a new name, without a version.

        Raises:
            UserErrorException: there is no new name.
        """
        if not new_name:
            raise UserErrorException("An environment is cloned under a new name: give one.")
        made = deepcopy(self)
        made.name = new_name
        made.version = made.asset_id = None
        return made

    # -- registered -----------------------------------------------------------------------------------------------

    def register(self, workspace: Workspace) -> Environment:
        """Keep this environment in the workspace.

        Returns:
            A new object, with the version: the next number, or an old one that has the same content.
        """
        from azml_compat._environments import records

        if self.version is not None:
            logger.warning(
                "Environment %s has the version %s, so that version is asked for. Set it to None for the next one.",
                self.name,
                self.version,
            )
        store = workspace.service_context.store
        registered = records.register(store, str(self.name), _identity(self), _text(self.version))
        if self.version is not None and registered.version != _text(self.version):
            logger.warning(
                "Version %s of environment %s is another one: it is registered as version %s.",
                self.version,
                self.name,
                registered.version,
            )
        return _environment_of(registered)

    @staticmethod
    def get(workspace: Workspace, name: str, version: Any = None, label: str | None = None) -> Environment:
        """Return an environment of the workspace, by default its latest version.

        A curated one (`AzureML-…`) is there under any name; without Azure nothing is known of what is in it.

        Raises:
            UserErrorException: both version and label are given.
            Exception: there is none. It is also a UserErrorException.
        """
        from azml_compat._environments import records

        if version is not None and label is not None:
            raise UserErrorException("Give a version or a label, and not both.")
        found = records.find(workspace.service_context.store, name, _text(version), label)
        if found is not None:
            return _environment_of(found)
        if str(name).startswith(_CURATED):
            return _curated(name, _text(version))
        which = f", version {version}" if version is not None else f", label {label}" if label is not None else ""
        raise _EnvironmentNotFound(
            f"Error retrieving the environment definition. Code: 404\n: there is no environment {name}{which} in "
            f"workspace {workspace.name}. Environment.list(workspace) has those that are registered."
        )

    @staticmethod
    def list(workspace: Workspace) -> dict[str, Environment]:
        """Return {name: environment} of what is registered, in the latest version; any curated name is a key too."""
        from azml_compat._environments import records

        registered = records.latest(workspace.service_context.store)
        return _Environments({name: _environment_of(found) for name, found in registered.items()})

    @staticmethod
    def label(workspace: Workspace, name: str, version: Any, labels: builtins.list[str]) -> None:
        """Give labels to a version, which other versions lose.

        Raises:
            Exception: there is no such version. It is also a UserErrorException.
        """
        from azml_compat._environments import records

        if not records.label(workspace.service_context.store, name, str(version), labels):
            raise _EnvironmentNotFound(
                f"Error retrieving the environment definition. Code: 404\n: there is no version {version} of {name}."
            )

    # -- images ---------------------------------------------------------------------------------------------------

    def build(self, workspace: Workspace, image_build_compute: Any = None) -> ImageBuildDetails:
        """Register this environment, and say that nothing is built.

        Returns:
            A build that has succeeded.
        """
        self.register(workspace)
        print(_NOTHING_BUILT)
        return ImageBuildDetails(None, None)

    def build_local(self, workspace: Workspace, platform: Any = None, **kwargs: Any) -> ImageBuildDetails:
        """Say that nothing is built.

        Returns:
            A build that has succeeded.
        """
        print(_NOTHING_BUILT)
        return ImageBuildDetails(None, None)

    def get_image_details(self, workspace: Workspace) -> Any:
        """Refuse: there is no image."""
        raise refusal("azureml.core.environment.Environment.get_image_details")

    @staticmethod
    def add_private_pip_wheel(workspace: Workspace, file_path: Any, exist_ok: bool = False) -> str:
        """Return the address of a wheel on this machine, for `add_pip_package`; it stays where it is.

        Raises:
            UserErrorException: the file is not there.
        """
        file = Path(file_path)
        if not file.is_file():
            raise UserErrorException(f"There is no file {file_path}.")
        return file.absolute().as_uri()

    # -- files ----------------------------------------------------------------------------------------------------

    def save_to_directory(self, path: Any, overwrite: bool = False) -> None:
        """Write the definition, the conda file and the Dockerfile into a folder, to be edited and loaded again.

        Raises:
            FileExistsError: the folder is there, and not to be overwritten.
        """
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=overwrite)
        definition = self._to_dict()
        definition["python"].pop("condaDependencies")
        dockerfile = definition["docker"].pop("baseDockerfile")
        text = json.dumps(definition, indent=4, sort_keys=True)
        (folder / _DEFINITION_FILE).write_text(text, encoding="utf-8")
        if self.python.conda_dependencies is not None:
            (folder / _CONDA_FILE).write_text(self.python.conda_dependencies.serialize_to_string(), encoding="utf-8")
        if dockerfile:
            (folder / _DOCKERFILE).write_text(dockerfile, encoding="utf-8")

    @staticmethod
    def load_from_directory(path: Any) -> Environment:
        """Read what `save_to_directory` wrote.

        Raises:
            FileNotFoundError: the definition is not there.
        """
        folder = Path(path)
        made = _environment(json.loads((folder / _DEFINITION_FILE).read_text(encoding="utf-8")))
        conda, dockerfile = folder / _CONDA_FILE, folder / _DOCKERFILE
        made.python.conda_dependencies = CondaDependencies(conda) if conda.is_file() else None
        if dockerfile.is_file():
            made.docker._base_dockerfile = dockerfile.read_text(encoding="utf-8")
        return made


class EnvironmentReference(_AbstractRunConfigElement):
    """An environment by its name.

    Args:
        name: The name.
        version: The version, by default the latest.
    """

    def __init__(self, name: str, version: str | None = None) -> None:
        self.name = name
        self.version = version
        self._initialized = True

    def __repr__(self) -> str:
        return json.dumps(self._to_dict(), indent=4, sort_keys=True)

    def get_environment(self, workspace: Workspace) -> Environment:
        """Return the environment; errors as of `Environment.get`."""
        return Environment.get(workspace, self.name, self.version)


class _Environments(dict[str, Environment]):
    """The environments of a workspace; a curated one is found by its name, and not listed."""

    def __missing__(self, name: str) -> Environment:
        if name.startswith(_CURATED):
            return _curated(name, None)
        raise KeyError(name)


def _environment_of(registered: Registered) -> Environment:
    made = _environment({**registered.definition, "name": registered.name})
    made.version = registered.version
    return made


def _environment(definition: dict[str, Any]) -> Environment:
    return Environment(None)._update(definition)


def _identity(environment: Environment) -> dict[str, Any]:
    """Return what makes two environments the same one."""
    definition = environment._to_dict()
    for key in ("name", "version", "assetId"):
        del definition[key]
    return definition


def _curated(name: str, version: str | None) -> Environment:
    made = Environment(name)
    made.version = version or "1"
    made.python.conda_dependencies = CondaDependencies.create()
    return made


def _on_docker(name: str, conda_specification: Any, pip_requirements: Any) -> Environment:
    """Make an environment without an image, for what is installed in one."""
    if conda_specification and pip_requirements:
        raise UserErrorException("Give conda_specification or pip_requirements, and not both.")
    made = Environment(name)
    made.docker = DockerSection(_skip_defaults=True)
    if conda_specification:
        made.python.conda_dependencies = _conda_specification(conda_specification)
    elif pip_requirements:
        made.python.conda_dependencies = _pip_requirements(pip_requirements, None)
    else:
        made.python.user_managed_dependencies = True
    return made


def _conda_specification(file_path: Any) -> CondaDependencies:
    found = CondaDependencies(conda_dependencies_file_path=file_path)
    found._use_default_python()
    return found


def _pip_requirements(file_path: Any, pip_version: str | None) -> CondaDependencies:
    made = CondaDependencies.create()
    made.set_pip_requirements(Path(file_path).read_text(encoding="utf-8-sig").splitlines())
    made.add_conda_package(f"pip={pip_version}" if pip_version else "pip")
    return made


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _deprecated(name: str, instead: str = "") -> None:
    logger.warning("%s is deprecated%s.", name, f": use {instead}" if instead else ", and has no effect")


# -- images -------------------------------------------------------------------------------------------------------


class ImageBuildDetails:
    """A build of an image, which has succeeded: nothing was to be built.

    Args:
        environment_client: Ignored.
        location: Becomes `log_url`.
    """

    def __init__(self, environment_client: Any, location: str | None) -> None:
        self.environment_client = environment_client
        self.log_url = location

    @property
    def status(self) -> str:
        """Always `Succeeded`."""
        return _BUILT

    def get_log(self) -> str:
        """Return a line that says that nothing was built."""
        return _NOTHING_BUILT

    def wait_for_completion(self, show_output: bool = True) -> ImageBuildDetails:
        """Return at once; print the status if it is to be shown."""
        if show_output:
            print(f"Image Build Status: {self.status}\n")
        return self


class DockerImageDetails(dict[str, Any]):
    """What is known of an image; None stands for what is not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)

    def __repr__(self) -> str:
        return json.dumps(self, indent=4, sort_keys=True)

    def __str__(self) -> str:
        return json.dumps(self, indent=4, sort_keys=True)

    @property
    def image(self) -> Any:
        """The image."""
        return self.get("dockerImage")

    @property
    def repository(self) -> Any:
        """The repository's name."""
        return (self.image or {}).get("name")

    @property
    def registry(self) -> Any:
        """The registry."""
        return (self.image or {}).get("registry")

    @property
    def dockerfile(self) -> Any:
        """The Dockerfile, as text."""
        return self.get("dockerfile")

    @property
    def image_exist(self) -> Any:
        """Whether the image is there."""
        return self.get("imageExistsInRegistry")

    @property
    def environment_path(self) -> Any:
        """The path of the conda environment in the image."""
        return self.get("pythonEnvironment", {}).get("condaEnvironmentPath")

    @property
    def interpreter_path(self) -> Any:
        """The path of the interpreter in the image."""
        return self.get("pythonEnvironment", {}).get("interpreterPath")


__getattr__, __dir__ = module_attributes(__name__)
