"""Environments with other people's packages, for the tests that need them; `make test-all` makes them.

Each has azml_compat installed, editable, beside what its requirement files name: as a user has it, with the command
`azml-compat`, and where pip would refuse versions that do not go together.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
# Read before the tests take such variables away.
_PYTHONS = {name: os.environ.get(f"TEST_PYTHON_{name.upper()}") for name in ("azureml", "clients")}


@cache
def python_of(name: str) -> Path:
    """Return the interpreter of an environment, or skip the test with the way to make it.

    Args:
        name: `azureml` or `clients`. The variable TEST_PYTHON_AZUREML or TEST_PYTHON_CLIENTS may say where it is.
    """
    python = Path(_PYTHONS[name] or REPOSITORY / f".venv-{name}" / "bin" / "python")
    if not python.exists():
        pytest.skip(f"there is no {python}: `make environments` makes it")
    return python


def run(
    command: list[str | os.PathLike[str]], folder: Path, *, check: bool = True, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, which is its home too, with nothing that steers azureml, azml_compat or MLflow.

    Args:
        command: The program and its arguments.
        folder: Its current directory.
        check: Whether to insist on its success.
        **variables: Set in its environment.
    """
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=_environment(folder, variables),
        timeout=240,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def _environment(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    steering = ("AZ", "MLFLOW", "PYTHON", "HIML")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(steering)},
        "HOME": str(folder),  # the Azure ML SDK writes to it
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "AZML_COMPAT_HOME": str(folder / "journals"),
        "AZML_COMPAT_BACKGROUND": "0",
        **variables,
    }
