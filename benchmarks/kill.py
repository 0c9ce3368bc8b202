"""Processes that log are killed at random moments; nothing that was acknowledged may be lost, doubled or moved.

    python benchmarks/kill.py [--store sqlite|file|http|all] [--rounds 200] [--seed N] [--json PATH] [-v]

In each round a process starts a run, logs to it and to children of it, flushes, completes it, and gets SIGKILL at a
random moment of that life: anywhere, or within the start, a log call, a flush, a `complete()`, its exit. In a share of
the rounds the process that recovers is killed as well, up to three times. After a last one that is left alone, what
`get_metrics` gives and what lies in MLflow's own storage is compared with the calls that had returned.

The processes are forked from one that has imported everything and opened no store, so that a round takes a fraction of
a second. They report on a pipe when a call begins and when it has returned.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import itertools
import json
import os
import random
import select
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from common import mlflow_server

from azml_compat import Experiment, Run, Workspace, _runtime
from azml_compat._process_end import Outcome

STORES = ("sqlite", "file", "http")
_HANG_SECONDS = 120
_ROUNDS_PER_EXPERIMENT = 20
_SHARE_OF_KILLED_RECOVERIES = 0.4
_PHASES = ("anywhere", "anywhere", "start", "log", "flush", "end", "end", "exit")
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

Report = Callable[..., None]


# -- the processes --------------------------------------------------------------------------------------------


def live(report: Report, experiment: str, seed: int) -> None:
    """Start a run, log to it and to children of it, complete it, and end as a process does."""
    random_number = random.Random(seed)
    life = _Life(report, Experiment(Workspace("s", "g", "w"), experiment), random_number)
    run = life.start(None)
    for _ in range(random_number.randrange(20, 120)):
        choice = random_number.random()
        if choice < 0.06:
            report(begin="flush")
            run.flush()
            report(done="flush")
        elif choice < 0.09:
            child = life.start(run)
            for _ in range(random_number.randrange(12)):
                life.log(child)
            if random_number.random() < 0.8:
                life.end(child)
        else:
            life.log(run)
    if random_number.random() < 0.8:
        life.end(run)
    report(begin="exit")
    _runtime._end_with_process(Outcome())  # noqa: SLF001 - the hooks of a forked process are its parent's
    report(done="exit")


class _Life:
    """The calls of one process, each reported before and after."""

    def __init__(self, report: Report, experiment: Experiment, random_number: random.Random) -> None:
        self._report = report
        self._experiment = experiment
        self._random = random_number
        self._runs: list[Run] = []
        self._count = 0

    def start(self, parent: Run | None) -> Run:
        number = len(self._runs)
        self._report(begin="start", run=number)
        run = parent.child_run() if parent else self._experiment.start_logging(snapshot_directory=None, outputs=False)
        self._report(done="start", run=number, id=run.id)
        self._runs.append(run)
        return run

    def end(self, run: Run) -> None:
        self._report(begin="end", run=self._runs.index(run))
        run.complete()
        self._report(done="end", run=self._runs.index(run))

    def _take(self, count: int) -> list[int]:
        self._count += count
        return list(range(self._count - count, self._count))

    def log(self, run: Run) -> None:
        [n] = self._take(1)
        calls: list[tuple[str, Callable[[str], None], list[Any]]] = [
            ("loss", lambda name: run.log(name, n + 0.5), [n + 0.5]),
            ("epoch/nr", lambda name: run.log(name, n), [n]),
            ("big", lambda name: run.log(name, 2**60 + n), [2**60 + n]),
            ("a text, möglich", lambda name: run.log(name, f"text {n}"), [f"text {n}"]),
            ("stepped", lambda name: run.log(name, n + 0.25, step=2 * n), [n + 0.25]),
            ("row", lambda name: run.log_row(name, x=n, y=f"y {n}"), [[n, f"y {n}"]]),
        ]
        if self._random.random() < 0.25:
            size = 1500 if self._random.random() < 0.1 else self._random.randrange(1, 250)
            values = self._take(size)
            name, rows = "list", list(values)
            call: Callable[[str], None] = lambda name: run.log_list(name, values)  # noqa: E731 - one of the calls
            if size < 40:
                name, rows = "table", [[value, f"y {value}"] for value in values]
                call = lambda name: run.log_table(name, {"x": values, "y": [f"y {n}" for n in values]})  # noqa: E731
        else:
            name, call, rows = self._random.choice(calls)
        self._report(begin="log", run=self._runs.index(run), name=name, rows=rows)
        call(name)
        self._report(done="log", run=self._runs.index(run))


def recover(report: Report) -> None:
    """Open the store, which is all that recovery takes."""
    report(begin="recover")
    assert _runtime.store().client
    report(done="recover")


def read(report: Report, run_ids: list[str]) -> None:
    """Open the store, and say what it holds of the runs."""
    recover(report)
    workspace = Workspace("s", "g", "w")
    for run_id in run_ids:
        run = Run.get(workspace, run_id)
        report(id=run_id, status=run.get_status(), metrics=run.get_metrics())


def prepare(report: Report, experiment: str) -> None:
    """Have the experiment made: MLflow's file store does not survive being killed at that."""
    report(id=Experiment(Workspace("s", "g", "w"), experiment).id)


@dataclass
class Process:
    """A forked process, and what it has reported."""

    pid: int
    pipe: int
    events: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """How long the calls of each kind took."""
    is_killed: bool = False
    _rest: bytes = b""
    _began: float = 0.0

    @classmethod
    def fork(cls, errors: Path, work: Callable[..., None], *arguments: Any) -> Process:
        end, start = os.pipe()
        pid = os.fork()
        if pid:
            os.close(start)
            return cls(pid, end)
        code = 1
        try:
            os.close(end)
            with errors.open("ab", buffering=0) as file:
                os.dup2(file.fileno(), 2)
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            work(lambda **event: os.write(start, f"{json.dumps(event)}\n".encode()), *arguments)
            code = 0
        except BaseException:  # noqa: BLE001 - it must not go on as its parent does
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)

    def watch(self, plan: Callable[[dict[str, Any]], float | None], delay: float | None = None) -> int:
        """Wait until the process has ended, and return how.

        Args:
            plan: Told every report; gives the seconds until the process is to be killed, or None.
            delay: Seconds until it is to be killed, from now.
        """
        kill_at = time.monotonic() + delay if delay is not None else None
        hang_at = time.monotonic() + _HANG_SECONDS
        while True:
            until = min(hang_at, kill_at) if kill_at is not None else hang_at
            ready, _, _ = select.select([self.pipe], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                self.is_killed = kill_at is not None
                os.kill(self.pid, signal.SIGKILL)
                if kill_at is None:
                    raise RuntimeError("a process hangs")
                kill_at = None
                continue
            data = os.read(self.pipe, 1 << 16)
            if not data:
                break
            for event in self._parse(data):
                wanted = plan(event)
                if wanted is not None:
                    kill_at = time.monotonic() + wanted
        os.close(self.pipe)
        return os.waitpid(self.pid, 0)[1]

    def _parse(self, data: bytes) -> Iterator[dict[str, Any]]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            event = json.loads(line)
            if "begin" in event:
                self._began = time.monotonic()
            elif "done" in event:
                self.seconds[event["done"]].append(time.monotonic() - self._began)
            self.events.append(event)
            yield event


# -- what must be there ---------------------------------------------------------------------------------------


@dataclass
class Expected:
    """What a run must hold, by the reports of its process."""

    id: str | None = None
    rows: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    under_way: dict[str, list[Any]] = field(default_factory=dict)
    """What the call that had not returned was logging: it may be there or not."""
    statuses: tuple[str, ...] = ("Failed",)


def expected(events: list[dict[str, Any]]) -> list[Expected]:
    """Return what each run must hold."""
    runs: list[Expected] = []
    before: dict[str, Any] = {}
    for event in events:
        if event.get("begin") == "start":
            runs.append(Expected())
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
                    run.statuses = ("Completed",) if "done" in event else ("Completed", "Failed")
        elif "end" in event.values():
            runs[event["run"]].statuses = ("Completed",) if "done" in event else ("Completed", "Failed")
        before = event
    return runs


@dataclass
class Tally:
    """The numbers of one store."""

    store: str
    rounds: int = 0
    killed: int = 0
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


class Rounds:
    """The rounds on one store."""

    def __init__(self, tally: Tally, storage: Database | Folder, home: Path, random_number: random.Random) -> None:
        self.tally = tally
        self._storage = storage
        self._home = home
        self._random = random_number
        self._errors = home.parent / "errors.txt"
        self._known: set[str] = set()
        self._usual: dict[str, float] = {}
        """How long each kind of call takes, about."""

    def run(self, count: int, *, is_verbose: bool) -> None:
        """Kill that many processes; the first life is left alone, to see how long things take."""
        began = time.monotonic()
        number = -1
        while self.tally.killed < count:
            number += 1
            self._errors.write_bytes(b"")
            seed = self._random.randrange(1 << 32)
            experiment = f"kill-{number // _ROUNDS_PER_EXPERIMENT}"
            if number % _ROUNDS_PER_EXPERIMENT == 0:
                self._undisturbed(prepare, experiment)
            victim = Process.fork(self._errors, live, experiment, seed)
            how = self._kill(victim, "anywhere" if number == 0 else self._random.choice(_PHASES), spare=number == 0)
            recoveries = self._recover()
            wrong = self._verify(victim)
            self.tally.rounds += 1
            self.tally.killed += victim.is_killed
            self.tally.killed_recoveries += recoveries
            if wrong or is_verbose:
                what = victim.events[-1] if victim.events else "nothing"
                shown = json.dumps(what)[:120]
                print(f"{self.tally.store} round {number}: {how}, {recoveries} killed recoveries; last report {shown}")
            for text in wrong:
                print(f"    {text}", flush=True)
        self._sweep()
        self.tally.seconds = time.monotonic() - began

    def _undisturbed(self, work: Callable[..., None], *arguments: Any) -> list[dict[str, Any]]:
        process = Process.fork(self._errors, work, *arguments)
        if process.watch(lambda _: None):
            self.tally.errors += 1
        self._learn(process)
        return process.events

    def _learn(self, process: Process) -> None:
        for what, seconds in process.seconds.items():
            self._usual[what] = _average(self._usual.get(what), sum(seconds) / len(seconds))

    def _kill(self, victim: Process, phase: str, *, spare: bool) -> str:
        """Let a process live, and kill it at a random moment of one of its calls of a kind, or of all its life."""
        began = time.monotonic()
        skipped = self._random.randrange(4) if phase in ("flush", "log") else 0
        if phase == "log":
            skipped = self._random.randrange(60)
        elif phase in ("end", "start"):
            skipped = self._random.choice((0, 0, 1))

        def plan(event: dict[str, Any]) -> float | None:
            nonlocal skipped
            if event.get("begin") != phase:
                return None
            skipped -= 1
            return self._random.uniform(0, 1.2 * self._usual.get(phase, 0.05)) if skipped == -1 else None

        delay = self._random.uniform(0, self._usual["life"]) if phase == "anywhere" and not spare else None
        status = victim.watch(plan, delay)
        if not victim.is_killed:
            self._usual["life"] = _average(self._usual.get("life"), time.monotonic() - began)
            if status:
                self.tally.errors += 1
        self._learn(victim)
        return f"killed within {phase}" if victim.is_killed else "not killed"

    def _recover(self) -> int:
        """Kill up to three processes while they recover; the number of those."""
        killed = 0
        while killed < 3 and self._random.random() < _SHARE_OF_KILLED_RECOVERIES:
            process = Process.fork(self._errors, recover)
            if process.watch(lambda _: None, self._random.uniform(0, 1.2 * self._usual.get("recover", 0.1))):
                killed += process.is_killed
                if not process.is_killed:
                    self.tally.errors += 1
            else:
                break
        return killed

    def _verify(self, victim: Process) -> list[str]:
        """Recover undisturbed, and compare."""
        tally = self.tally
        errors = tally.errors
        runs = expected(victim.events)
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
        complaints = self._errors.read_text(errors="replace")
        if "Traceback" in complaints or "refused" in complaints or "damaged" in complaints or "Cannot" in complaints:
            tally.errors += 1
        if tally.errors > errors or wrong:
            wrong.append(f"said: {complaints[-3000:]}")
        return wrong

    def _left_behind(self, is_fine: Callable[[Path], bool]) -> list[str]:
        left = [file for file in self._home.rglob("*") if file.is_file() and not is_fine(file)]
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


def _average(usual: float | None, seconds: float) -> float:
    return seconds if usual is None else 0.7 * usual + 0.3 * seconds


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


def main() -> int:
    """Print the table; the exit code is 1 when something does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
    folder = Path(tempfile.mkdtemp(prefix="azml_compat-kill-"))
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
                Rounds(tally, storage, home, random.Random(f"{options.seed} {name}")).run(
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


if __name__ == "__main__":
    sys.exit(main())
