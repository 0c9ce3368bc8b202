"""Running a script where it can touch nothing of the user's: in a copy of its folder, and on a store of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from azml_compat import _names
from azml_compat._inheritance import withhold
from azml_compat._snapshot import is_environment

MAX_FILES = 20_000
MAX_BYTES = 2 * 2**30
"""Of a folder that is copied."""

_SKIPPED = frozenset(
    {
        ".git", ".hg", ".svn", "__pycache__", ".ipynb_checkpoints", "node_modules", "mlruns", "mlartifacts",
        ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".nox",
    }
)  # fmt: skip
_SKIPPED_AT_THE_TOP = frozenset({"outputs", "logs"})
"""What earlier runs have left: both scripts would store it again."""
_STORE_FILE = re.compile(r"mlflow\.db(-journal|-wal|-shm)?")

_WITHHELD = (
    _names.ENV_MLFLOW_RUN_ID,
    _names.ENV_MLFLOW_EXPERIMENT_ID,
    "MLFLOW_REGISTRY_URI",
    _names.ENV_AZURE_RUN_ID,
    _names.ENV_AZURE_EXPERIMENT,
    _names.ENV_INPUTS,
    _names.ENV_OUTPUTS,
    _names.ENV_JOB,
    _names.ENV_JOB_ERROR,
    _names.ENV_OFFLINE,
)
"""Variables that would lead a script into a run that is there, to another registry, or into no run at all."""


class CannotRunError(Exception):
    """A script that cannot be run at all; the message says why."""


class Ending(NamedTuple):
    """How a script has ended."""

    code: int
    """Negative: the signal that ended it."""
    output: str
    """Of both streams."""


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder, but for what is of version control, caches, virtual environments, MLflow's or from earlier runs.

    Links to folders become links to the same folders.

    Raises:
        CannotRunError: it is too large, or cannot be read.
    """
    files = size = 0
    try:
        for path in _within(source):
            goal = target / path.relative_to(source)
            goal.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                goal.symlink_to(path.resolve(), target_is_directory=True)
                continue
            files += 1
            size += path.stat().st_size
            if files > MAX_FILES or size > MAX_BYTES:
                raise CannotRunError(
                    f"{source} holds more than {MAX_FILES:,} files or {MAX_BYTES >> 30} GB, and a script is run in a "
                    "copy of its folder. Move the script, with what it needs, to a folder of its own, or link to the "
                    "folders of its data."
                )
            shutil.copy2(path, goal)
    except OSError as error:
        raise CannotRunError(f"{source} cannot be copied: {error}") from error


def _within(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that are copied, and the links to folders."""
    for parent, folders, files in os.walk(folder):
        here = Path(parent)
        skipped = _SKIPPED | _SKIPPED_AT_THE_TOP if here == folder else _SKIPPED
        paths = [here / name for name in folders if name not in skipped]
        yield from (path for path in paths if path.is_symlink())
        folders[:] = [path.name for path in paths if not is_environment(path)]
        for name in files:
            path = here / name
            if path.is_file() and not _STORE_FILE.fullmatch(name):  # no pipes or sockets, no broken links
                yield path


def as_script(path: Path, folder: Path) -> Path:
    """Return the script to run in `folder`, the copy of the folder of `path`: a notebook becomes one.

    Raises:
        CannotRunError: it is a notebook that cannot be read, or has no Python.
    """
    if path.suffix.lower() != ".ipynb":
        return folder / path.name
    from azml_compat._migrate import sources

    try:
        units = sources.units(path)
    except sources.UnreadableError as error:
        raise CannotRunError(f"{path} cannot be read: {error}") from error
    own = [unit for unit in units if unit.name == path.name]
    if not own:
        raise CannotRunError(f"{path} is no notebook of Python")
    for unit in units:
        goal = (folder / unit.name).resolve()
        if unit not in own and folder.resolve() in goal.parents:
            goal.parent.mkdir(parents=True, exist_ok=True)
            goal.write_text(unit.raw, "utf-8")
    script = folder / f"{path.stem}.py"
    script.write_text(own[0].text, "utf-8")
    return script


def run(
    script: Path, arguments: Sequence[str], folder: Path, *, store: str, experiment: str, home: Path, is_aliased: bool
) -> Ending:
    """Run a script, and wait until it has ended.

    Args:
        script: In a folder that it may change.
        arguments: Its own.
        folder: The current directory.
        store: The tracking URI.
        experiment: Where a script logs that names none.
        home: Where journals are kept.
        is_aliased: Whether `azureml` leads to azml_compat.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _WITHHELD}
    withhold(environment)
    environment |= {
        _names.ENV_TRACKING_URI: store,
        _names.ENV_MLFLOW_EXPERIMENT: experiment,
        _names.ENV_HOME: str(home),
        _names.ENV_BACKGROUND: "0",  # All is in the store when the script has ended, and no process is left.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [
        sys.executable,
        *(["-m", "azml_compat"] if is_aliased else []),
        str(script.relative_to(folder)),
        *arguments,
    ]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return Ending(done.returncode, done.stdout.decode("utf-8", "replace"))
