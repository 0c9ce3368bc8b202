"""What a submitted script costs beside a plain `subprocess.run` of the same script.

    python benchmarks/submitting.py [--runs 10]

The script imports neither MLflow nor azureml: what importing MLflow in a script costs is the script's own.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCRIPT = "print('hello')\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["AZML_COMPAT_HOME"] = str(Path(folder, "home"))
        Path("src").mkdir()
        Path("src/train.py").write_text(SCRIPT)
        plain = [seconds_of(run_plain) for _ in range(arguments.runs)]
        submitted, submit = measure_submitted(arguments.runs)
    report("subprocess.run", plain)
    report("submit() alone", submit)
    report("submit() + wait_for_completion()", submitted)
    print(f"overhead of a submitted run: {1000 * (statistics.median(submitted) - statistics.median(plain)):.0f} ms")


def run_plain() -> None:
    subprocess.run([sys.executable, "train.py"], cwd="src", check=True, stdout=subprocess.DEVNULL)


def measure_submitted(runs: int) -> tuple[list[float], list[float]]:
    from azml_compat.core import Experiment, ScriptRunConfig, Workspace

    experiment = Experiment(Workspace("s", "g", "w"), "overhead")
    config = ScriptRunConfig("src", "train.py")
    whole, alone = [], []
    for number in range(runs + 1):
        began = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            run = experiment.submit(config)
            submitted = time.perf_counter()
            run.wait_for_completion()
        if number:  # The first one starts the supervisor, which loads MLflow.
            whole.append(time.perf_counter() - began)
            alone.append(submitted - began)
    return whole, alone


def seconds_of(call) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def report(what: str, seconds: list[float]) -> None:
    print(f"{what:36} median {1000 * statistics.median(seconds):6.0f} ms   max {1000 * max(seconds):6.0f} ms")


if __name__ == "__main__":
    main()
