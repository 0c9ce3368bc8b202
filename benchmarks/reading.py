"""How long `get_metrics` takes, beside MlflowClient.get_metric_history for every name, in one process.

    python benchmarks/reading.py [--repeat 5] [--json PATH]

Both are called in turn, and the medians are compared: seconds vary with the machine, ratios hardly.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from unittest import mock

from common import mlflow_server
from mlflow import MlflowClient
from mlflow.utils import rest_utils

from azml_compat import Experiment, Run, Workspace, _runtime

_EXPERIMENT = "reading"


@dataclass
class Row:
    """One line of the table. Times in seconds; `calls` are those for histories during one get_metrics."""

    what: str
    store: str
    ours: float
    mlflow: float
    calls: int
    must_be: str
    holds: bool

    @property
    def ratio(self) -> float:
        return self.ours / self.mlflow


def compare(ours: Callable[[], object], theirs: Callable[[], object], repeat: int) -> tuple[float, float]:
    """Call both in turn; the median seconds of each."""
    times: dict[Callable[[], object], list[float]] = {ours: [], theirs: []}
    for _ in range(repeat):
        for call, seconds in times.items():
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
    return statistics.median(times[ours]), statistics.median(times[theirs])


def history_calls(call: Callable[[], object]) -> int:
    """How many histories are asked for, as requests or of the client."""
    with (
        mock.patch.object(rest_utils, "http_request", wraps=rest_utils.http_request) as request,
        mock.patch.object(MlflowClient, "get_metric_history", autospec=True) as history,
    ):
        call()
    by_request = sum("metric_key" in (sent.kwargs.get("params") or {}) for sent in request.call_args_list)
    return by_request + history.call_count


def measure(store: str, repeat: int) -> Iterator[Row]:
    """Log through the facade to the store of this process, and read it back."""
    experiment = Experiment(Workspace("s", "g", "w"), _EXPERIMENT)
    client = MlflowClient(os.environ["MLFLOW_TRACKING_URI"])

    def row(what: str, run: Run, names: list[str], limit: float, *, is_per_name: bool = True) -> Row:
        def ours() -> None:
            run.get_metrics() if is_per_name else run.get_metrics(names[0])

        def theirs() -> None:
            for name in names:
                client.get_metric_history(run.id, name)

        calls = history_calls(ours)
        seconds, base = compare(ours, theirs, repeat)
        return Row(what, store, seconds, base, calls, f"ratio <= {limit}", seconds <= limit * base)

    names = [f"metric {n}" for n in range(100)]
    series = experiment.start_logging(snapshot_directory=None)
    for n, name in enumerate(names):
        series.log_list(name, [0.1 * n + k for k in range(200)])
    series.complete()
    yield row("100 names x 200 points", series, names, 0.5 if store == "http" else 1.1)

    long = experiment.start_logging(snapshot_directory=None)
    long.log_list("loss", [1 / (k + 1) for k in range(10_000)])
    long.complete()
    yield row("10,000 points of one name", long, ["loss"], 1.2, is_per_name=False)

    single = experiment.start_logging(snapshot_directory=None)
    for n, name in enumerate(names):
        single.log(name, 0.1 * n)
    single.complete()
    found = row("100 names with one value", single, names, 1.0)
    yield Row(**{**asdict(found), "must_be": "no calls", "holds": found.calls == 0})

    if store == "sqlite":
        yield recursive(experiment, client, repeat)


def recursive(experiment: Experiment, client: MlflowClient, repeat: int) -> Row:
    """300 children with 10 scalars each; MLflow is asked for the children once, and for each history."""
    parent = experiment.start_logging(snapshot_directory=None)
    for _ in range(300):
        child = parent.child_run()
        for n in range(10):
            child.log(f"metric {n}", 0.5 * n)
        child.complete()
    parent.complete()

    def ours() -> None:
        assert len(parent.get_metrics(recursive=True)) == 300

    def theirs() -> None:
        found = client.get_experiment_by_name(_EXPERIMENT)
        for run in client.search_runs([found.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.id}'"):
            for name in run.data.metrics:
                client.get_metric_history(run.info.run_id, name)

    calls = history_calls(ours)
    seconds, base = compare(ours, theirs, min(repeat, 3))
    return Row("recursive, 300 x 10 scalars", "sqlite", seconds, base, calls, "<= 1 s", seconds <= 1)


def main() -> int:
    """Print the table; the exit code is 1 when something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5, help="calls of each, of which the median counts")
    parser.add_argument("--json", type=Path, help="where to write the numbers as well")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as path:
        folder = Path(path)
        os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "AZML_COMPAT_HOME": str(folder / "home")}
        with mlflow_server(folder) as address:
            for store, uri in (("sqlite", f"sqlite:///{folder / 'local.db'}"), ("http", address)):
                os.environ["MLFLOW_TRACKING_URI"] = uri
                _runtime.reset()
                rows += measure(store, options.repeat)
    print(f"\n{'':28} {'store':7} {'get_metrics':>12} {'MLflow':>9} {'ratio':>6} {'calls':>6}  must be")
    for row in rows:
        print(
            f"{row.what:28} {row.store:7} {row.ours * 1000:9.0f} ms {row.mlflow * 1000:6.0f} ms "
            f"{row.ratio:6.2f} {row.calls:6}  {row.must_be}{'' if row.holds else '  MISSED'}"
        )
    if options.json:
        options.json.write_text(json.dumps([{**asdict(row), "ratio": row.ratio} for row in rows], indent=1) + "\n")
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
