"""The server is stopped in the middle of a run that goes on logging, and started again.

    python benchmarks/outage.py [--seconds 60] [--json PATH]

Fifty values a second are logged: a while before, while the server is away, and a while afterwards. Shown is how long
the calls took in each of these times, and how much of what was logged `get_metrics` does not give as it was.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from common import free_port, mlflow_server

from azml_compat import Experiment, Workspace

_PAUSE = 0.02
_SECONDS_BESIDE = 10.0


class Logger:
    """Logs numbers in turn, and keeps how long each call took."""

    def __init__(self) -> None:
        self.run = Experiment(Workspace("s", "g", "w"), "outage").start_logging(snapshot_directory=None, outputs=False)
        self.count = 0

    def log_for(self, seconds: float) -> list[float]:
        """Log for a while; the seconds of each call."""
        took = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.perf_counter()
            self.run.log("n", self.count)
            took.append(time.perf_counter() - began)
            self.count += 1
            time.sleep(_PAUSE)
        return took


def measure(seconds: float, folder: Path) -> tuple[dict[str, list[float]], int]:
    """Return the seconds of each call before, during and after an outage, and how many values are missing or wrong."""
    port = free_port()
    with ExitStack() as server:
        os.environ["MLFLOW_TRACKING_URI"] = server.enter_context(mlflow_server(folder, "--workers", "1", port=port))
        logger = Logger()
        took = {"before": logger.log_for(_SECONDS_BESIDE)}
        server.close()
        took["during"] = logger.log_for(seconds)
        server.enter_context(mlflow_server(folder, "--workers", "1", port=port))
        took["after"] = logger.log_for(_SECONDS_BESIDE)
        logger.run.complete()
        found = logger.run.get_metrics()["n"]
    wrong = abs(logger.count - len(found)) + sum(there != number for number, there in enumerate(found))
    return took, wrong


def main() -> int:
    """Print the table; the exit code is 1 when a value is lost, doubled or moved."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long the server is away")
    parser.add_argument("--json", type=Path, help="where to write the numbers as well")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="azml_compat-outage-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # after the hooks of the run, which are yet to come
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "AZML_COMPAT_HOME": str(folder / "home")}
    took, wrong = measure(options.seconds, folder)
    numbers = {}
    for when, calls in took.items():
        numbers[when] = {"calls": len(calls), "median": statistics.median(calls), "slowest": max(calls)}
        median, slowest = 1e6 * numbers[when]["median"], 1e3 * numbers[when]["slowest"]
        print(f"{when:6}  {len(calls):5} calls, median {median:6.1f} us, slowest {slowest:6.2f} ms")
    print(f"{wrong} values lost, doubled or moved")
    if options.json:
        options.json.write_text(json.dumps({**numbers, "wrong": wrong}, indent=1) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
