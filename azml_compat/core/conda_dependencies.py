"""`azureml.core.conda_dependencies`: the declaration of Python, conda and pip packages, as a conda environment file.

Nothing is installed by it. What it declares is compared with what is installed when a script is submitted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from azml_compat._environments import folders, yaml_files
from azml_compat._refused import module_attributes
from azml_compat._reporting import logger
from azml_compat.exceptions import UserErrorException

PYTHON_DEFAULT_VERSION = "3.10.18"
CHANNELS = "channels"
PACKAGES = "dependencies"
PIP = "pip"
PYTHON_PREFIX = "python"
CONDA_FILE_NAME = "auto_conda_dependencies.yml"
DEFAULT_SDK_ORIGIN = "https://pypi.python.org/simple"
TENSORFLOW_DEFAULT_VERSION = "2.2.0"
CNTK_DEFAULT_VERSION = "2.7"
CPU = "cpu"
GPU = "gpu"

_TEMPLATE_PYTHON = "3.8.13"
_KEYS = ("name", CHANNELS, PACKAGES, "prefix", "variables")
_NAME_END = re.compile(r"[\[=<>~!]")
_PYTHON = re.compile(r"python\s*(?:$|[=<>!~\s])")
_VERSION = re.compile(r"\d+\.\d+(?:\.\d+)?(?:[ab]\d+)?")
_REQUIREMENT = re.compile(r"\s*(?P<name>[\w.\-]+(?:\[[^\]]*\])?)\s*(?P<constraint>.*?)\s*")


class CondaDependencies:
    """A conda environment file: channels, conda packages, and pip packages with pip's options.

    Args:
        conda_dependencies_file_path: The file to read; comments and order in it are kept. Default is a template with
            Python and azureml-defaults.
        _underlying_structure: What such a file holds, instead of a file.

    Raises:
        FileNotFoundError: the file is not there.
        UserErrorException: the file is not a conda environment file.
    """

    DEFAULT_NUMBER_OF_CONDA_PACKAGES = 0
    DEFAULT_NUMBER_OF_PIP_PACKAGES = 0

    def __init__(self, conda_dependencies_file_path: Any = None, _underlying_structure: Any = None) -> None:
        if conda_dependencies_file_path:
            file = Path(conda_dependencies_file_path)
            self._content = _checked(yaml_files.load_file(file), str(file))
        elif _underlying_structure is not None:
            self._content = _checked(_underlying_structure, "The structure")
        else:
            self._content = _template(_TEMPLATE_PYTHON, ["azureml-defaults"])

    @staticmethod
    def create(
        pip_indexurl: str | None = None,
        pip_packages: list[str] | None = None,
        conda_packages: list[str] | None = None,
        python_version: str = "3.10.18",
        pin_sdk_version: bool = True,
    ) -> CondaDependencies:
        """Declare packages from nothing.

        Args:
            pip_indexurl: The address of the package index for pip.
            pip_packages: Replaces the default, which is azureml-defaults alone.
            conda_packages: `python=3.11` among them sets the version of Python.
            python_version: The version of Python.
            pin_sdk_version: Has no effect: packages of the Azure ML SDK are not installed.
        """
        made = CondaDependencies(_underlying_structure=_template(python_version, ["azureml-defaults"]))
        if pip_packages is not None:
            made.set_pip_requirements([])
            for package in pip_packages:
                made.add_pip_package(package)
        if pip_indexurl:
            made.set_pip_option(pip_indexurl if pip_indexurl.startswith("-") else f"--index-url {pip_indexurl}")
        for package in conda_packages or ():
            made.add_conda_package(package)
        return made

    # -- conda ----------------------------------------------------------------------------------------------------

    @property
    def conda_channels(self) -> Iterator[str]:
        """The channels, to be iterated over once."""
        return iter(list(self._channels()))

    @property
    def conda_packages(self) -> Iterator[str]:
        """The conda packages, `python=…` among them, to be iterated over once."""
        return iter([package for package in self._packages() if isinstance(package, str)])

    def add_channel(self, channel: str) -> None:
        """Add a channel, unless it is there."""
        if channel not in self._channels():
            self._channels().append(channel)

    def remove_channel(self, channel: str) -> None:
        """Remove a channel; one that is not there is as good as removed."""
        if channel in self._channels():
            self._channels().remove(channel)

    def add_conda_package(self, conda_package: str) -> None:
        """Add a conda package, unless just that is there; `python=3.11` sets the version of Python."""
        if _PYTHON.match(conda_package):
            self._set_python(conda_package)
        elif conda_package not in self._packages():
            self._packages().append(conda_package)

    def remove_conda_package(self, conda_package: str) -> None:
        """Remove a conda package, written as it was added; one that is not there is as good as removed.

        Raises:
            UserErrorException: it is Python.
        """
        if _PYTHON.match(conda_package):
            raise UserErrorException("Python cannot be removed. Choose another version with set_python_version().")
        if conda_package in self._packages():
            self._packages().remove(conda_package)

    def set_python_version(self, version: str) -> None:
        """Declare the version of Python."""
        self._set_python(f"{PYTHON_PREFIX}={version}")

    def get_python_version(self) -> str | None:
        """Return the declared version of Python; None where there is none, or it is a range."""
        found = self._python()
        version = found[len(PYTHON_PREFIX) :].strip("= ") if found is not None else ""
        return version if _VERSION.fullmatch(version) else None

    def _python(self) -> str | None:
        """Return the entry that declares Python."""
        return next((package for package in self.conda_packages if _PYTHON.match(package)), None)

    def _set_python(self, entry: str) -> None:
        packages, known = self._packages(), self._python()
        if known is None:
            packages.append(entry)
        else:
            packages[packages.index(known)] = entry

    # -- pip ------------------------------------------------------------------------------------------------------

    @property
    def pip_packages(self) -> Iterator[str]:
        """The pip packages, to be iterated over once."""
        return iter([entry for entry in self._pip() if not entry.startswith("-")])

    @property
    def pip_options(self) -> Iterator[str]:
        """What is handed to pip besides packages, to be iterated over once."""
        return iter([entry for entry in self._pip() if entry.startswith("-")])

    def add_pip_package(self, pip_package: str) -> None:
        """Add a pip package, in place of any other version of it.

        Raises:
            UserErrorException: it is an option of pip's.
        """
        if pip_package.startswith("-"):
            raise UserErrorException(f"{pip_package!r} is an option of pip's and no package: use set_pip_option().")
        self.remove_pip_package(pip_package)
        self._own_pip().append(pip_package)

    def remove_pip_package(self, pip_package: str) -> None:
        """Remove a pip package, whatever its version; one that is not there is as good as removed."""
        name = _base_name(pip_package)
        self._drop_pip(lambda entry: not entry.startswith("-") and _base_name(entry) == name)

    def set_pip_option(self, pip_option: str) -> None:
        """Set an option of pip's, in place of any other value of it.

        Raises:
            UserErrorException: it does not begin with `-`.
        """
        self.remove_pip_option(pip_option)
        self._own_pip().append(pip_option)

    def remove_pip_option(self, pip_option: str) -> None:
        """Remove an option of pip's, whatever its value; one that is not there is as good as removed.

        Raises:
            UserErrorException: it does not begin with `-`.
        """
        if not pip_option.startswith("-"):
            raise UserErrorException(f"{pip_option!r} is no option of pip's: options begin with `-`.")
        name = pip_option.split()[0]
        self._drop_pip(lambda entry: entry.startswith("-") and entry.split()[0] == name)

    def set_pip_index_url(self, index_url: str) -> None:
        """Set the option of pip's that names the package index: `--index-url https://…`.

        Raises:
            UserErrorException: it does not begin with `-`.
        """
        self.set_pip_option(index_url)

    def set_pip_requirements(self, pip_requirements: list[str]) -> None:
        """Replace all pip packages and options."""
        self._own_pip()[:] = pip_requirements

    # -- packages that Azure knows by name ------------------------------------------------------------------------

    def add_tensorflow_pip_package(self, core_type: str = "cpu", version: str | None = None) -> None:
        """Add TensorFlow as a pip package, by default 2.2.0.

        Raises:
            UserErrorException: `core_type` is neither `cpu` nor `gpu`.
        """
        self.add_pip_package(f"{_for_core('tensorflow', core_type)}=={version or TENSORFLOW_DEFAULT_VERSION}")

    def add_tensorflow_conda_package(self, core_type: str = "cpu", version: str | None = None) -> None:
        """Add TensorFlow as a conda package, by default 2.2.0.

        Raises:
            UserErrorException: `core_type` is neither `cpu` nor `gpu`.
        """
        self.add_conda_package(f"{_for_core('tensorflow', core_type)}={version or TENSORFLOW_DEFAULT_VERSION}")

    def add_cntk_package(self, core_type: str = "cpu") -> None:
        """Add CNTK 2.7 as a pip package.

        Raises:
            UserErrorException: `core_type` is neither `cpu` nor `gpu`.
        """
        self.add_pip_package(f"{_for_core('cntk', core_type)}=={CNTK_DEFAULT_VERSION}")

    # -- text and files -------------------------------------------------------------------------------------------

    def serialize_to_string(self) -> str:
        """Return the conda environment file as text."""
        return yaml_files.dump(self._content)

    def as_dict(self) -> Any:
        """Return what the conda environment file holds, as a plain dict of its own."""
        return _plain(self._content)

    def save(self, path: Any = None) -> Any:
        """Write the conda environment file.

        Args:
            path: The file.

        Returns:
            `path`.

        Raises:
            UserErrorException: `path` is a folder, or in none.
            TypeError: there is no `path`.
        """
        file = Path(path)
        if file.is_dir() or not file.parent.is_dir():
            raise UserErrorException(f"{path} cannot be written: give the path of a file in a folder that exists.")
        self._write(file)
        return path

    def save_to_file(self, base_directory: Any, conda_file_path: str | None = None) -> str:
        """Write the conda environment file below a folder.

        Args:
            base_directory: The folder.
            conda_file_path: The file in it, by default `.azureml/auto_conda_dependencies.yml`.

        Returns:
            The file's path in the folder.

        Raises:
            UserErrorException: no version of Python is declared.
            FileNotFoundError: the folder of the file is not there.
        """
        if self._python() is None:
            raise UserErrorException("No version of Python is declared. Choose one with set_python_version().")
        relative = conda_file_path or f"{folders.configuration_folder(Path(base_directory)).name}/{CONDA_FILE_NAME}"
        self._write(Path(base_directory) / relative)
        return str(relative)

    def _write(self, file: Path) -> None:
        file.write_text(self.serialize_to_string(), encoding="utf-8")

    # -- the rest -------------------------------------------------------------------------------------------------

    def get_default_number_of_packages(self) -> tuple[int, int]:
        """Return how many conda and pip packages the template has."""
        default = CondaDependencies()
        return len(list(default.conda_packages)), len(list(default.pip_packages))

    @staticmethod
    def merge_requirements(requirements: list[str]) -> list[str]:
        """Join the constraints of each package: `["a>1", "b", "a<3"]` is `["a>1,<3", "b"]`."""
        constraints: dict[str, list[str]] = {}
        for requirement in requirements:
            found = _REQUIREMENT.fullmatch(requirement)
            name, constraint = (found["name"], found["constraint"]) if found else (requirement, "")
            constraints.setdefault(name, []).extend([constraint] if constraint else [])
        return [name + ",".join(dict.fromkeys(found)) for name, found in constraints.items()]

    @staticmethod
    def sdk_origin_url() -> str:
        """Return the address of the package index that the Azure ML SDK came from."""
        return DEFAULT_SDK_ORIGIN

    def _use_default_python(self) -> None:
        """Declare the default version of Python where none is declared, and say so."""
        if self._python() is None:
            logger.warning(
                "No version of Python is declared, so %s is added. Choose one in the file, or with "
                "set_python_version().",
                f"{PYTHON_PREFIX}={PYTHON_DEFAULT_VERSION}",
            )
            self.set_python_version(PYTHON_DEFAULT_VERSION)

    def _channels(self) -> Any:
        return self._list(CHANNELS)

    def _packages(self) -> Any:
        return self._list(PACKAGES)

    def _list(self, key: str) -> Any:
        if self._content.get(key) is None:
            self._content[key] = []
        return self._content[key]

    def _pip(self) -> Any:
        """Return the entries for pip."""
        return next((entry[PIP] or [] for entry in self._packages() if isinstance(entry, dict) and PIP in entry), [])

    def _own_pip(self) -> Any:
        """Return the entries for pip to be changed, after making room for them where there are none."""
        for entry in self._packages():
            if isinstance(entry, dict) and PIP in entry:
                if entry[PIP] is None:
                    entry[PIP] = []
                return entry[PIP]
        made: list[str] = []
        self._packages().append({PIP: made})
        return made

    def _drop_pip(self, is_unwanted: Any) -> None:
        entries = self._pip()
        for number in reversed(range(len(entries))):
            if is_unwanted(entries[number]):
                del entries[number]

    def _to_dict(self) -> Any:
        return self.as_dict()

    def __getstate__(self) -> Any:
        # ruamel.yaml's own copies misplace the comments of what was changed.
        return self._content if type(self._content) is dict else self.serialize_to_string()

    def __setstate__(self, state: Any) -> None:
        self._content = yaml_files.load(state, "The copy") if isinstance(state, str) else state


def _template(python_version: str, pip_packages: list[str]) -> dict[str, Any]:
    return {
        "name": "project_environment",
        PACKAGES: [f"{PYTHON_PREFIX}={python_version}", {PIP: pip_packages}],
        CHANNELS: ["anaconda", "conda-forge"],
    }


def _checked(content: Any, name: str) -> Any:
    """Return what a conda environment file holds, if it is one."""
    if not isinstance(content, dict):
        raise UserErrorException(f"{name} is no conda environment file: it holds no mapping.")
    unknown = [str(key) for key in content if key not in _KEYS]
    if unknown:
        raise UserErrorException(
            f"{name} is no conda environment file: it has the key {unknown[0]!r}, and only {', '.join(_KEYS)} may be."
        )
    for key in (CHANNELS, PACKAGES):
        if not isinstance(content.get(key), list | None):
            raise UserErrorException(f"{name} is no conda environment file: its {key!r} are no list.")
    for entry in content.get(PACKAGES) or ():
        pip = entry.get(PIP) if isinstance(entry, dict) else None
        if not isinstance(pip, list | None) or not all(isinstance(item, str) for item in pip or ()):
            raise UserErrorException(f"{name} is no conda environment file: its {PIP!r} is no list of texts.")
    return content


def _base_name(package: str) -> str:
    return _NAME_END.split(package, maxsplit=1)[0].strip()


def _for_core(package: str, core_type: str) -> str:
    if core_type not in (CPU, GPU):
        raise UserErrorException(f"core_type is {CPU!r} or {GPU!r}, and not {core_type!r}.")
    return package if core_type == CPU else f"{package}-gpu"


def _plain(content: Any) -> Any:
    """Copy what was read from YAML, without what remembers comments."""
    if isinstance(content, dict):
        return {str(key): _plain(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_plain(value) for value in content]
    return str(content) if isinstance(content, str) else deepcopy(content)


__getattr__, __dir__ = module_attributes(__name__)
