"""Rounds in which a process that logs is ended, and what MLflow's stores must hold of it then.

Used by kill.py and endings.py, which say how the processes end.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import itertools
import json
import os
import random
import shutil
import sqlite3
import tempfile
import time
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from common import mlflow_server
from lives import Pace, Process, prepare, read, recover

STORES = ("sqlite", "file", "http")
_ROUNDS_PER_EXPERIMENT = 20
_BACKGROUND_SECONDS = 20
"""For the background process, where there is one, to deliver what is left and to clear it away."""
_STATUS_NUMBERS = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_IMPORTS = (
    "mlflow",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.tracking.file_store",
    "mlflow.store.tracking.rest_store",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.model_registry.file_store",
    "mlflow.store.artifact.local_artifact_repo",
    "mlflow.store.artifact.mlflow_artifacts_repo",
    "azml_compat._draining",
)


# -- what must be there ---------------------------------------------------------------------------------------


@dataclass
class Expected:
    """What a run must hold, by the reports of its process."""

    id: str | None = None
    rows: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    under_way: dict[str, list[Any]] = field(default_factory=dict)
    """What the call that had not returned was logging: it may be there or not."""
    statuses: tuple[str, ...] = ()


def expected(events: list[dict[str, Any]], cut_short: str) -> list[Expected]:
    """Return what each run must hold; `cut_short` is the status of one that was not ended."""
    runs: list[Expected] = []
    before: dict[str, Any] = {}
    for event in events:
        ended = ("Completed",) if "done" in event else ("Completed", cut_short)
        if event.get("begin") == "start":
            runs.append(Expected(statuses=(cut_short,)))
        elif event.get("done") == "start":
            runs[event["run"]].id = event["id"]
        elif event.get("begin") == "log":
            runs[event["run"]].under_way = {event["name"]: event["rows"]}
        elif event.get("done") == "log":
            runs[event["run"]].under_way = {}
            runs[event["run"]].rows[before["name"]] += before["rows"]
        elif "exit" in event.values():
            for run in runs:
                if run.statuses != ("Completed",):
                    run.statuses = ended
        elif "end" in event.values():
            runs[event["run"]].statuses = ended
        before = event
    return runs


@dataclass
class Tally:
    """The numbers of one store."""

    store: str
    rounds: int = 0
    cut_short: int = 0
    """Processes that were ended before they came to their end."""
    killed_recoveries: int = 0
    runs: int = 0
    values: int = 0
    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    wrong_status: int = 0
    left_behind: int = 0
    """Files in the home that belong to journals."""
    left_running: int = 0
    """Runs that nobody was told of, because their process died before, and that say they are running."""
    errors: int = 0
    """Processes that failed, and values or lines that the recovery complained of."""
    seconds: float = 0.0

    @property
    def holds(self) -> bool:
        return not (
            self.lost
            + self.duplicated
            + self.out_of_order
            + self.wrong_status
            + self.left_behind
            + self.left_running
            + self.errors
        )

    def compare(self, run: Expected, found: dict[str, Any], points: list[tuple[str, int, int]]) -> list[str]:
        """Count what is wrong with a run, and say it.

        Args:
            run: What it must hold.
            found: What `read` says it holds.
            points: (key, timestamp, step) of every point in MLflow's storage.
        """
        wrong = []
        if found["status"] not in run.statuses:
            self.wrong_status += 1
            wrong.append(f"the status is {found['status']}, and must be {' or '.join(run.statuses)}")
        self.runs += 1
        for name in {*run.rows, *found["metrics"]}:
            must, may = run.rows.get(name, []), run.under_way.get(name, [])
            there = rows_of(found["metrics"].get(name, []))
            self.values += len(must)
            if must == there[: len(must)] and there[len(must) :] == may[: len(there) - len(must)]:
                continue
            wrong += self._classify(name, [*map(_hashable, must)], [*map(_hashable, may)], [*map(_hashable, there)])
        repeated = len(points) - len(set(points))
        if repeated:
            self.duplicated += repeated
            wrong.append(f"MLflow holds {repeated} points twice")
        return wrong

    def _classify(self, name: str, must: list[Any], may: list[Any], there: list[Any]) -> list[str]:
        lost = Counter(must) - Counter(there)
        more = Counter(there) - Counter([*must, *may])
        order = {value: place for place, value in enumerate([*must, *may])}
        places = [order[value] for value in dict.fromkeys(there) if value in order]
        moved = sum(first > second for first, second in itertools.pairwise(places))
        self.lost += lost.total()
        self.duplicated += more.total()
        self.out_of_order += moved
        if not (lost or more or moved):
            self.errors += 1
        return [
            f"{name!r}: {lost.total()} of {len(must)} lost, {more.total()} too many, {moved} out of order; "
            f"lost {list(lost)[:3]}, too many {list(more)[:3]}"
        ]


def rows_of(metric: Any) -> list[Any]:
    """Return a metric of `get_metrics` as rows, in the form in which they were reported."""
    if isinstance(metric, dict):
        columns = [value if isinstance(value, list) else [value] for value in metric.values()]
        return [list(row) for row in zip(*columns, strict=True)]
    return metric if isinstance(metric, list) else [metric]


def _hashable(row: Any) -> Any:
    return tuple(row) if isinstance(row, list) else row


# -- MLflow's own storage -------------------------------------------------------------------------------------


class Database:
    """The sqlite file of a store or of a server, read without MLflow."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            return connection.execute(query, values).fetchall()

    def statuses(self) -> dict[str, str]:
        """Return the status of each run."""
        return dict(self._rows("select run_uuid, status from runs"))

    def points(self, run_id: str) -> list[tuple[str, int, int]]:
        """Return (key, timestamp, step) of every point of a run."""
        return self._rows("select key, timestamp, step from metrics where run_uuid = ?", run_id)


class Folder:
    """The folder of a file store, read without MLflow."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def statuses(self) -> dict[str, str]:
        """Return the status of each run; what has no whole description is no run to MLflow."""
        found = {}
        for file in self._path.glob("*/*/meta.yaml"):
            for line in file.read_text().splitlines():
                if line.startswith("status: "):
                    found[file.parent.name] = _STATUS_NUMBERS[int(line.split()[1])]
        return found

    def points(self, run_id: str) -> list[tuple[str, int, int]]:
        """Return (key, timestamp, step) of every point of a run."""
        [folder] = self._path.glob(f"*/{run_id}/metrics")
        points = []
        for file in folder.rglob("*"):
            if file.is_file():
                for line in file.read_text().splitlines():
                    timestamp, _, step = line.split()
                    points.append((str(file.relative_to(folder)), int(timestamp), int(step)))
        return points


# -- rounds ---------------------------------------------------------------------------------------------------


@dataclass
class Ended:
    """How a process ended."""

    process: Process
    how: str
    """For whoever reads the report."""
    cut_short: str
    """The status that its runs have which it had not ended."""


class Rounds(ABC):
    """The rounds on one store.

    Args:
        tally: Counts.
        storage: What MLflow has stored.
        home: Where the journals are.
        random_number: Decides everything.
    """

    def __init__(self, tally: Tally, storage: Database | Folder, home: Path, random_number: random.Random) -> None:
        self.tally = tally
        self.random = random_number
        self.pace = Pace()
        self.said = home.parent / "said.txt"
        """What the process that is ended prints as errors."""
        self._errors = home.parent / "errors.txt"
        """What the others do."""
        self._storage = storage
        self._home = home
        self._known: set[str] = set()

    @abstractmethod
    def live(self, experiment: str, seed: int) -> Ended:
        """Let a process do `lives.live`, and end it. The first is left alone, to see how long things take."""

    def run(self, count: int, *, is_verbose: bool) -> None:
        """End that many processes before they have come to their end themselves."""
        began = time.monotonic()
        while self.tally.cut_short < count:
            number = self.tally.rounds
            self.said.write_bytes(b"")
            self._errors.write_bytes(b"")
            experiment = f"rounds-{number // _ROUNDS_PER_EXPERIMENT}"
            if number % _ROUNDS_PER_EXPERIMENT == 0:
                self._undisturbed(prepare, experiment)
            errors = self.tally.errors
            ended = self.live(experiment, self.random.randrange(1 << 32))
            self.pace.learn_of(ended.process)
            wrong = self._verify(ended, errors)
            self.tally.rounds += 1
            if wrong or is_verbose:
                what = ended.process.events[-1] if ended.process.events else "nothing"
                print(f"{self.tally.store} round {number}: {ended.how}; last report {json.dumps(what)[:120]}")
            for text in wrong:
                print(f"    {text}", flush=True)
        self._sweep()
        self.tally.seconds = time.monotonic() - began

    def _undisturbed(self, work: Callable[..., None], *arguments: Any) -> list[dict[str, Any]]:
        process = Process.fork(self._errors, work, *arguments)
        if process.watch(lambda _: None):
            self.tally.errors += 1
        self.pace.learn_of(process)
        return process.events

    def _verify(self, ended: Ended, errors: int) -> list[str]:
        """Recover undisturbed, and compare; `errors` is how many there were before the round."""
        tally = self.tally
        runs = expected(ended.process.events, ended.cut_short)
        told = [run.id for run in runs if run.id is not None]
        found = {event["id"]: event for event in self._undisturbed(read, told) if "id" in event}
        wrong = []
        for run in runs:
            if run.id is not None and run.id in found:
                shown = tally.compare(run, found[run.id], self._storage.points(run.id))
                wrong += [f"run {run.id}: {text}" for text in shown]
        statuses = self._storage.statuses()
        for run_id in set(statuses) - self._known - set(told):
            if statuses[run_id] == "RUNNING":
                tally.left_running += 1
                wrong.append(f"run {run_id}, of which nobody was told, is left running")
        self._known = set(statuses)
        wrong += self._left_behind(lambda file: _is_no_journals(file) or _is_swept_later(file))
        said, complaints = (file.read_text(errors="replace") for file in (self.said, self._errors))
        tally.errors += _complains(complaints, "Traceback") or _complains(said)
        if tally.errors > errors or wrong:
            wrong.append(f"said: {said[-3000:]}\n    and then: {complaints[-3000:]}")
        return wrong

    def _left_behind(self, is_fine: Callable[[Path], bool]) -> list[str]:
        deadline = time.monotonic() + _BACKGROUND_SECONDS
        while left := [file for file in self._home.rglob("*") if file.is_file() and not is_fine(file)]:
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        self.tally.left_behind += len(left)
        wrong = []
        for file in left:
            wrong.append(f"left behind: {file.relative_to(self._home)} {file.read_bytes()[-300:]!r}")
            file.unlink()
        return wrong

    def _sweep(self) -> None:
        """See that the next process clears away what is a minute old."""
        for path in self._home.rglob("*"):
            os.utime(path, (1, 1))
        self._undisturbed(recover)
        for text in self._left_behind(_is_no_journals):
            print(f"    {text}", flush=True)


def _complains(text: str, *words: str) -> bool:
    """Tell whether a line says that something went wrong; the lines of code in a traceback say nothing."""
    lines = [line for line in text.splitlines() if not line.startswith(" ")]
    return any(word in line for line in lines for word in (*words, "refused", "damaged", "Cannot"))


def _is_no_journals(file: Path) -> bool:
    return file.name in {"lock", "lanes"} or file.name.startswith((".locks", ".background"))


def _is_swept_later(file: Path) -> bool:
    """Tell whether a process left a file that died while it made a journal, or removed one."""
    return file.suffix == ".new" or (file.suffix == ".cursor" and not file.with_suffix(".log").exists())


@contextmanager
def _stores(names: list[str], folder: Path) -> Iterator[list[tuple[str, str, Database | Folder]]]:
    """Give (kind, tracking URI, storage) of each store."""
    with contextlib.ExitStack() as stack:
        made: list[tuple[str, str, Database | Folder]] = []
        template = folder / "template.db"
        if names != ["file"]:
            os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{template}"
            # Not in this process, whose children must not inherit a store.
            process = Process.fork(folder / "errors.txt", recover)
            if process.watch(lambda _: None):
                raise RuntimeError((folder / "errors.txt").read_text())
        for name in names:
            if name == "file":
                made.append((name, (folder / "mlruns").as_uri(), Folder(folder / "mlruns")))
                continue
            path = folder / ("server.db" if name == "http" else "local.db")
            shutil.copyfile(template, path)
            uri = (
                stack.enter_context(mlflow_server(folder, "--workers", "1")) if name == "http" else f"sqlite:///{path}"
            )
            made.append((name, uri, Database(path)))
        yield made


def main(rounds: type[Rounds], description: str | None) -> int:
    """Run the rounds on each store, and print the table; the exit code is 1 when something does not hold."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=(*STORES, "all"), default="all")
    parser.add_argument("--rounds", type=int, default=200, help="for each store")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--json", type=Path, help="where to write the numbers as well")
    parser.add_argument("-v", "--verbose", action="store_true", help="say of each round how it went")
    options = parser.parse_args()
    for name in list(os.environ):
        if name.startswith(("MLFLOW_", "AZUREML_", "AZML_COMPAT_")):
            del os.environ[name]
    tallies = []
    folder = Path(tempfile.mkdtemp(prefix="azml_compat-rounds-"))
    parent = os.getpid()
    try:
        os.environ |= {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_ALLOW_FILE_STORE": "true",
            "AZML_COMPAT_HOME": str(folder / "home"),
            "AZML_COMPAT_BACKGROUND": "0",
            "PYTHONWARNINGS": "ignore",
        }
        os.chdir(folder)
        for module in _IMPORTS:
            importlib.import_module(module)
        with _stores(list(STORES) if options.store == "all" else [options.store], folder) as stores:
            for name, uri, storage in stores:
                os.environ["MLFLOW_TRACKING_URI"] = uri
                home = folder / name / "home"
                home.mkdir(parents=True)
                os.environ["AZML_COMPAT_HOME"] = str(home)
                tally = Tally(name)
                tallies.append(tally)
                rounds(tally, storage, home, random.Random(f"{options.seed} {name}")).run(
                    options.rounds, is_verbose=options.verbose
                )
    finally:
        if os.getpid() == parent:
            shutil.rmtree(folder, ignore_errors=True)
    _show(tallies, options.seed)
    if options.json:
        options.json.write_text(
            json.dumps([asdict(tally) | {"seed": options.seed} for tally in tallies], indent=1) + "\n"
        )
    return 0 if all(tally.holds for tally in tallies) else 1


def _show(tallies: list[Tally], seed: int) -> None:
    columns = [name for name in asdict(tallies[0]) if name != "store"]
    print(f"\nseed {seed}\n{'':18} " + " ".join(f"{tally.store:>9}" for tally in tallies))
    for column in columns:
        shown = [getattr(tally, column) for tally in tallies]
        texts = [f"{value:9.0f}" for value in shown]
        print(f"{column.replace('_', ' '):18} " + " ".join(texts))
    print(f"{'':18} " + " ".join(f"{'holds' if tally.holds else 'FAILS':>9}" for tally in tallies))
