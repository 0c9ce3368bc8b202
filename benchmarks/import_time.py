"""How long importing takes: a bare interpreter, azml_compat, its Run, azureml.core through the doors, and plain mlflow.

    python benchmarks/import_time.py [--repeat 15] [--json PATH]

Each is a process of its own; they are started in turn, after a first round that leaves the compiled modules in a
folder of the benchmark's. Processor time (user and system) is shown because it varies less where others compute.

A child is a python that inherits the alias from `azml-compat run`. The line of that command itself is of two processes,
one after the other: its own, and that of the python in whose favour it ends.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_REPOSITORY = Path(__file__).parent.parent
_BARE = "bare python"
_RUN = "azml_compat.core.Run"
_NO_MLFLOW = "import sys; assert 'mlflow' not in sys.modules"
_AZUREML = f"import azureml.core; from azureml.core import Run; {_NO_MLFLOW}"
_PYTHON = (sys.executable,)
_CHILD = ("env", f"PYTHONPATH={_REPOSITORY / 'azml_compat' / '_bootstrap'}{os.pathsep}{_REPOSITORY}", sys.executable)
_COMMANDS = {
    _BARE: (*_PYTHON, "-c", "pass"),
    "child, no azureml": (*_CHILD, "-c", "pass"),
    "azml_compat": (*_PYTHON, "-c", "import azml_compat"),
    _RUN: (*_PYTHON, "-c", f"import azml_compat; from azml_compat.core import Run; {_NO_MLFLOW}"),
    "child, azureml.core": (*_CHILD, "-c", _AZUREML),
    "-m azml_compat": (*_PYTHON, "-m", "azml_compat", "-c", _AZUREML),
    "azml-compat run": (*_PYTHON, "-m", "azml_compat", "run", *_PYTHON, "-c", _AZUREML),
    "plain mlflow": (*_PYTHON, "-c", "import mlflow"),
}
_LIMITED = (_RUN, "child, azureml.core", "-m azml_compat")
_MAX_SECONDS = 0.060
"""What these may cost above a bare interpreter."""


@dataclass
class Row:
    """One line of the table: medians in seconds, with those of a bare interpreter taken off for `above`."""

    what: str
    wall: float
    processor: float
    above: float
    ratio: float
    """Of the time above a bare interpreter to that of mlflow."""


def measure(command: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Run a command once; its seconds, and its processor's."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(command, check=True, env=environment)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(repeat: int) -> list[Row]:
    """Measure all in turn."""
    seconds: dict[str, list[tuple[float, float]]] = {what: [] for what in _COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"PYTHONPATH": str(_REPOSITORY), "PYTHONPYCACHEPREFIX": folder}
        for command in _COMMANDS.values():
            measure(command, environment)
        for _ in range(repeat):
            for what, command in _COMMANDS.items():
                seconds[what].append(measure(command, environment))
    walls = {what: statistics.median(wall for wall, _ in found) for what, found in seconds.items()}
    processors = {what: statistics.median(processor for _, processor in found) for what, found in seconds.items()}
    above = {what: wall - walls[_BARE] for what, wall in walls.items()}
    return [
        Row(what, walls[what], processors[what], above[what], above[what] / above["plain mlflow"]) for what in _COMMANDS
    ]


def main() -> int:
    """Print the table; the exit code is 1 when something takes longer than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=15, help="processes of each, of which the median counts")
    parser.add_argument("--json", type=Path, help="where to write the numbers as well")
    options = parser.parse_args()
    rows = compare(options.repeat)
    print(f"{'':21} {'wall':>10} {'processor':>11} {'above bare':>12} {'of mlflow':>10}")
    for row in rows:
        print(
            f"{row.what:21} {row.wall * 1000:7.1f} ms {row.processor * 1000:8.1f} ms {row.above * 1000:9.1f} ms "
            f"{row.ratio:10.1%}"
        )
    missed = [row.what for row in rows if row.what in _LIMITED and row.above > _MAX_SECONDS]
    limit = f"{_MAX_SECONDS * 1000:.0f} ms above bare python"
    print(f"{', '.join(_LIMITED)} must be <= {limit}{': MISSED by ' if missed else ''}{', '.join(missed)}")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
