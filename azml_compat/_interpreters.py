"""Which Python a submitted script runs in, and what there differs from what its environment declares.

By default it is this one. AZML_COMPAT_ENVIRONMENTS=isolated has an environment built of the declaration, with uv where
that is there and with venv and pip otherwise; one that declares the same is built once.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

from azml_compat import _home, _names
from azml_compat._environments import declaration
from azml_compat._journal.places import lock_before, open_private, private_folder
from azml_compat.exceptions import ExperimentExecutionException

_ISOLATED = "isolated"
_ORDINARY = (None, "", "python")
"""Interpreter paths that name none: the default, and what stands for it."""
_OWN = ("mlflow", "pathspec", "ruamel.yaml")
"""What azml_compat itself needs, in the versions that are here: a store's schema is that of one version of MLflow."""
_OLDEST_PYTHON = (3, 10)
_DIGEST = 16
_COMPLETE = "complete"
_PATIENCE = 3600
"""Seconds to wait for another process that builds the same environment."""
_UNWANTED = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX")
_one_thread = threading.Lock()


# -- what differs -------------------------------------------------------------------------------------------------


def differences(definition: Mapping[str, Any]) -> str | None:
    """Name the packages that a run definition declares, and that are not installed here in such a version.

    Returns:
        One line; None when all is as declared, the user manages it, or an environment is built of the declaration.
    """
    if declaration.section(definition).get("userManagedDependencies") or _is_isolated():
        return None
    found = [*_python_difference(definition), *_package_differences(definition)]
    if not found:
        return None
    return (
        f"Environment {declaration.name_of(definition)} declares what is not so here: {', '.join(found)}. The script "
        f"runs with what is installed; {_names.ENV_ENVIRONMENTS}={_ISOLATED} builds the environment for it."
    )


def _python_difference(definition: Mapping[str, Any]) -> Iterator[str]:
    wanted, here = declaration.python(definition), f"{sys.version_info.major}.{sys.version_info.minor}"
    if wanted not in (None, here):
        yield f"python {wanted} (here {here})"


def _package_differences(definition: Mapping[str, Any]) -> Iterator[str]:
    for package in declaration.packages(definition):
        if not package.name:
            continue
        try:
            here = version(package.name)
        except PackageNotFoundError:
            yield f"{package.name}{package.specifier} (missing)"
            continue
        if not package.specifier.contains(here, prereleases=True):
            yield f"{package.name}{package.specifier} (here {here})"


# -- the interpreter ----------------------------------------------------------------------------------------------


def python_of(definition: Mapping[str, Any], log: IO[str]) -> str:
    """Return the path of the interpreter for a script.

    Args:
        definition: The run definition.
        log: Gets the output of what builds an environment.

    Raises:
        ExperimentExecutionException: there is no such interpreter, or the environment cannot be built.
    """
    section = declaration.section(definition)
    if section.get("userManagedDependencies"):
        return _interpreter(section.get("interpreterPath"))
    return _isolated(definition, log) if _is_isolated() else sys.executable


def _interpreter(path: str | None) -> str:
    if path in _ORDINARY:
        return sys.executable
    found = shutil.which(str(path))
    if found is None:
        raise ExperimentExecutionException(
            f"There is no interpreter {path}, which the environment names as its interpreter_path."
        )
    return found


def _is_isolated() -> bool:
    return os.environ.get(_names.ENV_ENVIRONMENTS) == _ISOLATED


def _isolated(definition: Mapping[str, Any], log: IO[str]) -> str:
    """Return the interpreter of an environment with just what is declared, after building it where it is not there."""
    build = _Build(definition, log)
    if not build.is_there():
        with _alone(build.folder.with_suffix(".lock"), log):
            if not build.is_there():
                build.make()
    return str(build.python)


@contextmanager
def _alone(file: Path, log: IO[str]) -> Iterator[None]:
    """Let one thread of one process do it at a time."""
    private_folder(file.parent)
    with _one_thread:
        descriptor = open_private(file, os.O_RDWR | os.O_CREAT)
        try:
            if not lock_before(descriptor, time.monotonic()):
                _say(log, "The environment is being built for another run, which is waited for.")
                if not lock_before(descriptor, time.monotonic() + _PATIENCE):
                    raise ExperimentExecutionException(
                        f"Another process has been building the environment for more than {_PATIENCE // 60} minutes."
                    )
            yield
        finally:
            os.close(descriptor)


class _Build:
    """An environment that is made of a declaration, in a folder named after it."""

    def __init__(self, definition: Mapping[str, Any], log: IO[str]) -> None:
        self._log = log
        self._name = declaration.name_of(definition)
        # Also the one that is installed beside us: a virtual environment need not be activated.
        self._uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
        self._base = self._base_python(declaration.python(definition))
        self._requirements = [
            *declaration.options(definition),
            *(package.text for package in declaration.packages(definition)),
            *(f"{name}=={version(name)}" for name in _OWN),
        ]
        identity = [self._requirements, self._base, sys.version, str(_package())]
        digest = hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:_DIGEST]
        self.folder = _home.home() / "environments" / digest
        self.python = self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def is_there(self) -> bool:
        """Tell whether all of it is there."""
        return (self.folder / _COMPLETE).is_file() and self.python.exists()

    def make(self) -> None:
        """Build it; when that fails, nothing of it stays."""
        shutil.rmtree(self.folder, ignore_errors=True)  # What a killed process left behind.
        _say(self._log, f"Building environment {self._name}: {', '.join(self._requirements)}")
        try:
            self._fill()
            (self.folder / _COMPLETE).touch()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _fill(self) -> None:
        requirements = self.folder / "requirements.txt"
        if self._uv:
            self._run(self._uv, "venv", "--python", self._base, str(self.folder))
            install = [self._uv, "pip", "install", "--python", str(self.python)]
        else:
            self._run(self._base, "-m", "venv", str(self.folder))
            install = [str(self.python), "-m", "pip", "install", "--disable-pip-version-check"]
        requirements.write_text("\n".join(self._requirements) + "\n", encoding="utf-8")
        self._run(*install, "-r", str(requirements))
        where = self._run(str(self.python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
        _provide(_package(), Path(where.strip().splitlines()[-1]))
        self._run(str(self.python), "-c", "import azml_compat")

    def _base_python(self, wanted: str | None) -> str:
        """Return the interpreter to build with: one of the version that is declared, where uv knows one."""
        here = f"{sys.version_info.major}.{sys.version_info.minor}"
        if wanted in (None, here):
            return sys.executable
        is_possible = tuple(map(int, str(wanted).split("."))) >= _OLDEST_PYTHON
        if self._uv and is_possible:
            found = subprocess.run(
                [self._uv, "python", "find", "--system", str(wanted)],
                capture_output=True,
                text=True,
                check=False,
                env={**_clean_environment(), "UV_PYTHON_DOWNLOADS": "never"},
            )
            if found.returncode == 0:
                return found.stdout.strip()
        _say(self._log, f"Environment {self._name} declares Python {wanted}; it gets {here}.")
        return sys.executable

    def _run(self, *command: str) -> str:
        """Run a command, its output into the log; return the output."""
        output = []
        try:
            with subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=_clean_environment(),
            ) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    output.append(line)
                    _say(self._log, line.rstrip("\n"))
        except OSError as error:
            raise self._failure(str(error)) from error
        if process.returncode != 0:
            last = next((line.strip() for line in reversed(output) if line.strip()), "")
            raise self._failure(f"`{Path(command[0]).name}` ended with exit code {process.returncode}: {last}")
        return "".join(output)

    def _failure(self, why: str) -> ExperimentExecutionException:
        return ExperimentExecutionException(
            f"Environment {self._name} cannot be built: {why}. The log of the run has all of it; without "
            f"{_names.ENV_ENVIRONMENTS}={_ISOLATED} the script runs with what is installed here."
        )


def _provide(package: Path, site_packages: Path) -> None:
    """Have a package that is elsewhere in an environment as well."""
    place = site_packages / package.name
    try:
        place.symlink_to(package, target_is_directory=True)
    except OSError:  # Windows lets few users make links.
        shutil.copytree(package, place, ignore=shutil.ignore_patterns("__pycache__"))


def _package() -> Path:
    """Return the folder of azml_compat."""
    return Path(__file__).resolve().parent


def _clean_environment() -> dict[str, str]:
    """Return the variables of this process, without those that lead a python elsewhere."""
    return {name: value for name, value in os.environ.items() if name not in _UNWANTED}


def _say(log: IO[str], line: str) -> None:
    log.write(f"{line}\n")
    log.flush()
