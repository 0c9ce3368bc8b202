"""Processes that log, and report on a pipe when a call begins and when it has returned.

Used by the scripts that end such processes at random moments and look at what is left: kill.py and endings.py.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azml_compat import Experiment, Run, Workspace, _runtime
from azml_compat.core.run import RUNNING_STATES

_HANG_SECONDS = 120
_END_SECONDS = 30
"""For whoever else is ending a run at the moment."""

Report = Callable[..., None]
Plan = Callable[[dict[str, Any]], "float | None"]
"""Told every report of a process; gives the seconds from then to its end, or None."""


# -- what they do ---------------------------------------------------------------------------------------------


def live(report: Report, experiment: str, seed: int) -> None:
    """Start a run, log to it and to children of it, complete it."""
    random_number = random.Random(seed)
    life = Life(report, Experiment(Workspace("s", "g", "w"), experiment), random_number)
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


class Life:
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
        deadline = time.monotonic() + _END_SECONDS
        while run.get_status() in RUNNING_STATES and time.monotonic() < deadline:
            time.sleep(0.1)
        report(id=run_id, status=run.get_status(), metrics=run.get_metrics())


def prepare(report: Report, experiment: str) -> None:
    """Have the experiment made: MLflow's file store does not survive being killed at that."""
    report(id=Experiment(Workspace("s", "g", "w"), experiment).id)


# -- the processes --------------------------------------------------------------------------------------------


@dataclass
class Process:
    """A process, and what it has reported."""

    pid: int
    pipe: int
    events: list[dict[str, Any]] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """How long the calls of each kind took."""
    is_signalled: bool = False
    """Whether it got the signal before it had ended."""
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

    def watch(self, plan: Plan, delay: float | None = None, number: int = signal.SIGKILL) -> int:
        """Wait until the process has ended, and return how, as `os.wait` does.

        Args:
            plan: When the process is to get the signal.
            delay: Seconds until it is to get it, from now.
            number: Of the signal.
        """
        kill_at = time.monotonic() + delay if delay is not None else None
        hang_at = time.monotonic() + _HANG_SECONDS
        while True:
            until = min(hang_at, kill_at) if kill_at is not None else hang_at
            ready, _, _ = select.select([self.pipe], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                if kill_at is None:
                    os.kill(self.pid, signal.SIGKILL)
                    raise RuntimeError("a process hangs")
                self.is_signalled = True
                os.kill(self.pid, number)
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


class Pace:
    """How long the calls of each kind take, by what was seen last; chooses moments within them."""

    def __init__(self) -> None:
        self._usual: dict[str, float] = {}

    def learn(self, what: str, seconds: float) -> None:
        """Take one more duration into account."""
        usual = self._usual.get(what, seconds)
        self._usual[what] = 0.7 * usual + 0.3 * seconds

    def learn_of(self, process: Process) -> None:
        """Take the calls of a process into account."""
        for what, seconds in process.seconds.items():
            self.learn(what, sum(seconds) / len(seconds))

    def within(self, what: str, random_number: random.Random, otherwise: float = 0.05) -> float:
        """Return a random number of seconds, up to a little more than such a call takes."""
        return random_number.uniform(0, 1.2 * self._usual.get(what, otherwise))

    def moment(self, phase: str, random_number: random.Random) -> Plan:
        """Return a plan that gives a random moment of one of the calls of a kind."""
        skipped = {"flush": 4, "log": 60, "start": 2, "end": 2}.get(phase, 1)
        skipped = random_number.randrange(skipped)

        def plan(event: dict[str, Any]) -> float | None:
            nonlocal skipped
            if event.get("begin") != phase:
                return None
            skipped -= 1
            return self.within(phase, random_number) if skipped == -1 else None

        return plan
