"""What logging costs, beside MLflow's own ways, raw SQL and a raw file, all in one run.

    python benchmarks/writing.py [--store sqlite|http|all] [--repeat 5] [--json PATH]

Everything is called in turn, and medians are compared: seconds vary with the machine, ratios hardly.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import mlflow_server
from mlflow import MlflowClient
from mlflow.entities import Metric

from azml_compat import Experiment, Run, Workspace, _runtime

_CALLS = 10_000
_LIST = 250
_COLUMNS = 15
_VALUES = [number / 7 for number in range(_CALLS)]


class Table:
    """The rows of the result, printed as they come."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        print(f"{'':58} {'here':>12} {'beside':>12} {'ratio':>7}  must be")

    def add(self, what: str, value: float, unit: str, beside: float | None = None, limit: str = "") -> None:
        """Add a row: a value, that with which it is compared, and what it must be."""
        ratio = value / beside if beside else None
        shown = f"{beside:,.2f} {unit}" if beside else ""
        print(f"{what:58} {value:>9,.2f} {unit} {shown:>12} {f'{ratio:.2f}' if ratio else '':>7}  {limit}", flush=True)
        self.rows.append(
            {"what": what, "value": value, "unit": unit, "beside": beside, "ratio": ratio, "must_be": limit}
        )


def percentile(times: list[int], share: float) -> float:
    """Return a percentile of nanoseconds, in microseconds."""
    return sorted(times)[int(len(times) * share)] / 1000


def each_call(call: Callable[[int], object], count: int) -> list[int]:
    """Return how long each of `count` calls took, in nanoseconds."""
    times = []
    for number in range(count):
        began = time.perf_counter_ns()
        call(number)
        times.append(time.perf_counter_ns() - began)
    return times


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def start() -> Run:
    """Start a run without snapshot or outputs."""
    return Experiment(Workspace("s", "g", "w"), "writing").start_logging(snapshot_directory=None, outputs=False)


def calls(table: Table, client: MlflowClient, folder: Path) -> None:
    """Measure single calls."""
    run = start()
    descriptor = os.open(folder / "raw", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    raw = each_call(
        lambda n: os.write(descriptor, json.dumps(["loss", _VALUES[n], 1_700_000_000_000, n]).encode()), _CALLS
    )
    ours = each_call(lambda n: run.log("loss", _VALUES[n]), _CALLS)
    table.add(
        "run.log, p50, beside json.dumps + os.write", percentile(ours, 0.5), "us", percentile(raw, 0.5), "<= 10 us"
    )
    table.add("run.log, p99, beside the same", percentile(ours, 0.99), "us", percentile(raw, 0.99), "<= 60 us")
    values = _VALUES[:_LIST]
    lists = each_call(lambda _: run.log_list("list", values), 200)
    table.add(f"run.log_list of {_LIST}, per value, p50", percentile(lists, 0.5) / _LIST, "us", percentile(raw, 0.5))
    row = {f"c{number}": number / 3 for number in range(_COLUMNS)}
    rows = each_call(lambda _: run.log_row("row", **row), 1000)
    table.add(
        f"run.log_row of {_COLUMNS}, per value, p50", percentile(rows, 0.5) / _COLUMNS, "us", percentile(raw, 0.5)
    )
    experiment_id = client.get_run(run.id).info.experiment_id
    synchronous = client.create_run(experiment_id).info.run_id
    plain = each_call(lambda n: client.log_metric(synchronous, "loss", _VALUES[n], step=n), 200)
    table.add("run.log, p50, beside MLflow's log_metric", percentile(ours, 0.5), "us", percentile(plain, 0.5))
    os.environ["MLFLOW_ASYNC_LOGGING_BUFFERING_SECONDS"] = "1"
    waiting = client.create_run(experiment_id).info.run_id
    later = each_call(lambda n: client.log_metric(waiting, "loss", _VALUES[n], step=n, synchronous=False), 2000)
    del os.environ["MLFLOW_ASYNC_LOGGING_BUFFERING_SECONDS"]
    table.add(
        "run.log, p50, beside MLflow's asynchronous log_metric", percentile(ours, 0.5), "us", percentile(later, 0.5)
    )
    run.complete()


def whole_runs(table: Table, client: MlflowClient, where: str, repeat: int) -> None:
    """Measure 10,000 values with complete(), and empty runs."""
    first = start()
    first.complete()
    experiment_id = client.get_run(first.id).info.experiment_id
    for names in (1, 10):
        ours, plain = [], []
        for _ in range(repeat):
            plain.append(seconds(lambda names=names: _log_batches(client, experiment_id, names)))
            run = start()
            ours.append(seconds(lambda run=run, names=names: _log_and_complete(run, names)))
        what = f"{where}: {_CALLS // names:,} logs of {names} names + complete, beside log_batch"
        table.add(what, statistics.median(ours), "s", statistics.median(plain), "<= 1.15")
    empty, bare = [], []
    experiment = first.experiment
    for _ in range(repeat * 6):
        bare.append(seconds(lambda: client.set_terminated(client.create_run(experiment_id).info.run_id)))
        empty.append(seconds(lambda: experiment.start_logging(snapshot_directory=None, outputs=False).complete()))
    what = f"{where}: an empty run, beside create_run + set_terminated"
    table.add(what, statistics.median(empty) * 1000, "ms", statistics.median(bare) * 1000, "<= 1.3")


def _log_batches(client: MlflowClient, experiment_id: str, names: int) -> None:
    run_id = client.create_run(experiment_id).info.run_id
    per_name = _CALLS // names
    metrics = [
        Metric(f"m{name}", _VALUES[number], 1_700_000_000_000 + number, number)
        for number in range(per_name)
        for name in range(names)
    ]
    for first in range(0, _CALLS, 1000):
        client.log_batch(run_id, metrics=metrics[first : first + 1000])


def _log_and_complete(run: Run, names: int) -> None:
    keys = [f"m{name}" for name in range(names)]
    for number in range(_CALLS // names):
        value = _VALUES[number]
        for key in keys:
            run.log(key, value)
    run.complete()


def raw_sql(table: Table, folder: Path) -> None:
    """Measure what sqlite itself takes for 10,000 rows, in the tables that MLflow has, for orientation."""
    database = sqlite3.connect(folder / "raw.db")
    database.execute("CREATE TABLE m (k TEXT, v REAL, t INTEGER, r TEXT, s INTEGER, PRIMARY KEY (k, t, s, r, v))")

    def insert() -> None:
        rows = [("loss", value, 1_700_000_000_000 + number, "r", number) for number, value in enumerate(_VALUES)]
        for first in range(0, _CALLS, 1000):
            with database:
                database.executemany("INSERT INTO m VALUES (?, ?, ?, ?, ?)", rows[first : first + 1000])

    table.add(f"raw SQL: {_CALLS:,} rows in chunks of 1,000", seconds(insert), "s")


_BUSY = """
import sys, time
from azml_compat import Experiment, Workspace
run = Experiment(Workspace("s", "g", "w"), "writing").start_logging(snapshot_directory=None, outputs=False)
run.log("loss", 0.5)
time.sleep(8)  # until the background process is there, and idle


def turn(is_logging):
    total, began, cpu, due = 0, time.perf_counter(), time.thread_time(), time.perf_counter()
    for number in range(TURNS):
        for step in range(20_000):
            total += step * number
        if is_logging and time.perf_counter() >= due:
            run.log("loss", total / 3)
            due += 0.01
    return time.perf_counter() - began, time.thread_time() - cpu


TURNS = 100
TURNS = int(100 * 1.0 / turn(False)[0]) + 1
pairs = [(turn(True), turn(False)) for _ in range(int(sys.argv[1]))]
print([[here / beside for here, beside in zip(*pair)] for pair in pairs])
"""

_MILLION = """
import resource, sys, time
from azml_compat import Experiment, Workspace
run = Experiment(Workspace("s", "g", "w"), "writing").start_logging(snapshot_directory=None, outputs=False)
run.log("loss", 0.5)
run.flush()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for number in range(1_000_000):
    run.log("loss", number / 7)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
import os
os._exit(0)
"""


def beside_training(table: Table, folder: Path, repeat: int) -> None:
    """Measure what training notices: time in a busy loop that logs 100 values a second, and memory."""
    ratios = json.loads(_run(_BUSY, folder, str(repeat * 2)))
    for what, of_one in (
        ("time", [wall for wall, _ in ratios]),
        ("its thread's processor time", [cpu for _, cpu in ratios]),
    ):
        label = f"busy loop with 100 logs a second, {what}"
        table.add(label, statistics.median(of_one), "", 1.0, "<= 1.01")
    table.add("memory gained while a million values are logged", float(_run(_MILLION, folder)), "MB", None, "<= 50 MB")


def _run(code: str, folder: Path, *arguments: str) -> str:
    """Run a script with a background process, on a store of its own; the last line that it prints."""
    uri = f"sqlite:///{folder / 'training.db'}"
    env = {**os.environ, "MLFLOW_TRACKING_URI": uri, "AZML_COMPAT_BACKGROUND": "1"}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    return done.stdout.splitlines()[-1]


def main() -> None:
    """Measure, print, and write JSON where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", choices=("sqlite", "http", "all"), default="all")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table = Table()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(AZML_COMPAT_HOME=str(folder / "home"), MLFLOW_DISABLE_TELEMETRY="true")
        # So short a run needs no background process; the busy loop has one.
        os.environ["AZML_COMPAT_BACKGROUND"] = "0"
        os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
        if options.store in ("sqlite", "all"):
            _measure(table, f"sqlite:///{folder / 'mlflow.db'}", "sqlite", folder, options.repeat)
        if options.store in ("http", "all"):
            with mlflow_server(folder) as address:
                _measure(table, address, "http", folder, options.repeat)
    if options.json is not None:
        options.json.write_text(json.dumps(table.rows, indent=2))


def _measure(table: Table, uri: str, where: str, folder: Path, repeat: int) -> None:
    os.environ["MLFLOW_TRACKING_URI"] = uri
    _runtime.reset()
    client = MlflowClient(uri, uri)
    start().complete()
    if where == "sqlite":
        calls(table, client, folder)
        raw_sql(table, folder)
    whole_runs(table, client, where, repeat)
    if where == "sqlite":
        beside_training(table, folder, repeat)


if __name__ == "__main__":
    main()
