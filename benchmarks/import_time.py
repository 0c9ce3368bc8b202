"""How long importing takes: a bare interpreter, azml_compat, its Run, and plain mlflow for comparison.

    python benchmarks/import_time.py [--repeat 15] [--json PATH]

Each is a process of its own; they are started in turn, after a first round that leaves the compiled modules in a
folder of the benchmark's. Processor time (user and system) is shown because it varies less where others compute.
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
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

_REPOSITORY = Path(__file__).parent.parent
_BARE = "bare python"
_RUN = "azml_compat.core.Run"
_CODE = {
    _BARE: "pass",
    "azml_compat": "import azml_compat",
    _RUN: "import azml_compat; from azml_compat.core import Run; import sys; assert 'mlflow' not in sys.modules",
    "plain mlflow": "import mlflow",
}
_MAX_SECONDS = 0.060
"""What Run may cost above a bare interpreter."""


@dataclass
class Row:
    """One line of the table: medians in seconds, with those of a bare interpreter taken off for `above`."""

    what: str
    wall: float
    processor: float
    above: float
    ratio: float
    """Of the time above a bare interpreter to that of mlflow."""


def measure(code: str, environment: Mapping[str, str]) -> tuple[float, float]:
    """Run python once; its seconds, and its processor's."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(repeat: int) -> list[Row]:
    """Measure all in turn."""
    seconds: dict[str, list[tuple[float, float]]] = {what: [] for what in _CODE}
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"PYTHONPATH": str(_REPOSITORY), "PYTHONPYCACHEPREFIX": folder}
        for code in _CODE.values():
            measure(code, environment)
        for _ in range(repeat):
            for what, code in _CODE.items():
                seconds[what].append(measure(code, environment))
    walls = {what: statistics.median(wall for wall, _ in found) for what, found in seconds.items()}
    processors = {what: statistics.median(processor for _, processor in found) for what, found in seconds.items()}
    above = {what: wall - walls[_BARE] for what, wall in walls.items()}
    return [
        Row(what, walls[what], processors[what], above[what], above[what] / above["plain mlflow"]) for what in _CODE
    ]


def main() -> int:
    """Print the table; the exit code is 1 when Run takes longer than it may."""
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
    run = next(row for row in rows if row.what == _RUN)
    holds = run.above <= _MAX_SECONDS
    print(f"{_RUN} must be <= {_MAX_SECONDS * 1000:.0f} ms above bare python{'' if holds else ': MISSED'}")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
