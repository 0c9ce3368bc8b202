"""Whoever has to do with a submitted run is killed at random moments; its true end is recorded, and no value is lost.

    python benchmarks/kill_submitted.py [--store sqlite|file|http|all] [--rounds 50] [--seed N] [-v]

In each round a process submits a script, which logs and says after each call that it has returned. Meanwhile the
submitter, the supervisor, the launcher or the script gets SIGKILL, once or twice, or the server goes away for a while.
Four rounds go on at once, so that a killed supervisor is that of other runs too. In the end a process that opens the
store, as the next script would, waits until every run has ended; then statuses, values and files are compared with
what the scripts have said.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common import mlflow_server

REPOSITORY = Path(__file__).parents[1]
STORES = ("sqlite", "file", "http")
VALUES = 40
_AT_ONCE = 4
_LONGEST_SECONDS = 3.0
"""About what a submitted run takes before its first value, and about what it takes from there to its end."""
_SHARE_OF_EARLY_KILLS = 0.3
"""In which the submitter is killed while it submits, or before."""
_SHARE_OF_LATE_KILLS = 0.6
"""In which something happens only after the first value."""
_END_SECONDS = 120
_ACTORS = ("submitter", "supervisor", "launcher", "script")

SCRIPT = f"""
import os, sys, time
from azureml.core import Run
run = Run.get_context()
said = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
for number in range({VALUES}):
    run.log("n", number)
    os.write(said, b".")
    time.sleep(0.05)
with open("outputs/n.txt", "w") as file:
    file.write("{VALUES}")
os.write(said, b"!")
"""

SUBMIT = """
import sys
from azml_compat import Experiment, ScriptRunConfig, Workspace
run = Experiment(Workspace("s", "g", "w"), "killed").submit(ScriptRunConfig("src", "train.py", [sys.argv[1]]))
print("ID", run.id, flush=True)
run.wait_for_completion(raise_on_error=False)
"""

READ = """
import json, sys, time
from azml_compat import Experiment, Workspace
from azml_compat.core.run import RUNNING_STATES
runs = list(Experiment(Workspace("s", "g", "w"), "killed").get_runs())
deadline = time.monotonic() + float(sys.argv[1])
for run in runs:
    while run.get_status() in RUNNING_STATES and time.monotonic() < deadline:
        time.sleep(0.2)
    values = run.get_metrics().get("n", [])
    found = [run.get_status(), values if isinstance(values, list) else [values], run.get_file_names()]
    print("RUN", json.dumps([run.id, *found]), flush=True)
"""


@dataclass
class Round:
    """What was done to one submitted run, and what it said."""

    said: Path
    victims: list[str] = field(default_factory=list)
    """Those that were there to be killed; what else happened too."""
    run: str | None = None

    @property
    def acknowledged(self) -> int:
        """How many values the script has said to be logged."""
        return self.said.read_text().count(".") if self.said.is_file() else 0

    def await_first_value(self) -> None:
        """Wait until the script has logged something."""
        deadline = time.monotonic() + _END_SECONDS
        while not self.acknowledged and time.monotonic() < deadline:
            time.sleep(0.01)

    def wrong(self, status: str, values: list[int], files: list[str]) -> Iterator[str]:
        """Say what does not fit: what was acknowledged is there, in order, and the status is what has happened."""
        if values != list(range(len(values))):
            yield f"values out of order, or twice: {values}"
        if len(values) < self.acknowledged:
            yield f"{self.acknowledged} values were acknowledged, {len(values)} are there"
        has_finished = self.said.is_file() and self.said.read_text().endswith("!")
        may_fail = not has_finished or "launcher" in self.victims or "script" in self.victims
        if status not in ("Completed", "Failed"):
            yield f"it is {status}"
        elif status == "Failed" and not may_fail:
            yield "it is Failed, and has come to its end"
        elif status == "Completed" and not has_finished:
            yield "it is Completed, and has not come to its end"
        if status == "Completed" and "outputs/n.txt" not in files:
            yield f"the file is missing: {files}"
        if not has_finished and not {"launcher", "script"} & set(self.victims):
            yield "the script did not come to its end, and nobody killed it"


class Rounds:
    """The rounds on one store."""

    def __init__(self, folder: Path, uri: str, chance: random.Random, gate: Any) -> None:
        self.folder = folder
        self.gate = gate
        self._chance = chance
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "AZ"))},
            "MLFLOW_TRACKING_URI": uri,
            "MLFLOW_ALLOW_FILE_STORE": "true",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "AZML_COMPAT_HOME": str(folder / "home"),
            "AZML_COMPAT_MAX_RUNS": str(_AT_ONCE),
            "PYTHONPATH": str(REPOSITORY),
            "TMPDIR": str(folder / "temporary"),
        }

    def run(self, count: int) -> list[Round]:
        """Do the rounds, some at once."""
        (self.folder / "src").mkdir(parents=True)
        (self.folder / "temporary").mkdir()
        (self.folder / "src" / "train.py").write_text(SCRIPT)
        plans = [self._plan() for _ in range(count)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(self._round, range(count), plans))

    def read(self) -> dict[str, tuple[str, list[int], list[str]]]:
        """Return {run: (status, values, files)}, as a new process finds them that waits for their ends."""
        done = self._python(READ, str(_END_SECONDS))
        lines, _ = done.communicate()
        found = [json.loads(line.removeprefix("RUN ")) for line in lines.splitlines() if line.startswith("RUN ")]
        return {run: (status, values, files) for run, status, values, files in found}

    def _plan(self) -> list[tuple[float, str]]:
        """Draw who is killed when, in seconds after the start."""
        actors = (*_ACTORS, "server") if self.gate is not None else _ACTORS
        chosen = self._chance.choices(actors, k=self._chance.choice((0, 1, 1, 1, 2)))
        return sorted((self._chance.uniform(0, _LONGEST_SECONDS), actor) for actor in chosen)

    def _round(self, number: int, plan: list[tuple[float, str]]) -> Round:
        made = Round(self.folder / f"said {number}.txt")
        submitter = self._python(SUBMIT, str(made.said))
        is_early = any(actor == "submitter" for _, actor in plan) and self._chance.random() < _SHARE_OF_EARLY_KILLS
        if not is_early:
            made.run = self._run_of(submitter)
        if made.run is not None and self._chance.random() < _SHARE_OF_LATE_KILLS:
            made.await_first_value()
        began = time.monotonic()
        for moment, actor in plan:
            time.sleep(max(0.0, began + moment - time.monotonic()))
            if actor == "server":
                self._leave_for_a_while(made)
            elif self._kill(actor, made.run, submitter):
                made.victims.append(actor)
        if made.run is None:
            made.run = self._run_of(submitter)
        with contextlib.suppress(subprocess.TimeoutExpired):
            submitter.communicate(timeout=_END_SECONDS)
        submitter.kill()
        return made

    def _leave_for_a_while(self, made: Round) -> None:
        self.gate.shut()
        time.sleep(self._chance.uniform(0.1, 3))
        self.gate.open()
        made.victims.append("server")

    def _kill(self, actor: str, run: str | None, submitter: subprocess.Popen[str]) -> bool:
        if actor == "submitter":
            is_there = submitter.poll() is None
            submitter.kill()
            return is_there
        return bool([_killed(pid) for pid in _pids(_TELLS[actor](str(self.folder), run))])

    def _run_of(self, submitter: subprocess.Popen[str]) -> str | None:
        assert submitter.stdout is not None
        for line in submitter.stdout:
            if line.startswith("ID "):
                return line.split()[1]
        return None

    def _python(self, code: str, argument: str) -> subprocess.Popen[str]:
        with (self.folder / "errors.txt").open("a") as errors:
            return subprocess.Popen(
                [sys.executable, "-c", code, argument],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )


_TELLS: dict[str, Callable[[str, str | None], Callable[[str, str], bool]]] = {
    "supervisor": lambda folder, _: lambda line, _v: "_jobs.supervisor" in line and folder in line,
    "launcher": lambda _, run: lambda line, _v: run is not None and "_jobs.launcher" in line and run in line,
    "script": lambda _, run: (
        lambda line, variables: run is not None and "train.py" in line and f"AZML_COMPAT_JOB={run}" in variables
    ),
}
"""How a process is told by its command line and its environment."""


def _pids(is_meant: Callable[[str, str], bool]) -> Iterator[int]:
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != os.getpid():
            with contextlib.suppress(OSError):
                line = (process / "cmdline").read_bytes().decode(errors="replace")
                if is_meant(line, (process / "environ").read_bytes().decode(errors="replace")):
                    yield int(process.name)


def _killed(pid: int) -> int:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    return pid


def check(rounds: Rounds, count: int, *, is_verbose: bool) -> int:
    """Do the rounds on one store, and say what is wrong; return how much."""
    made = {round_.run: round_ for round_ in rounds.run(count) if round_.run is not None}
    if rounds.gate is not None:
        rounds.gate.open()
    found = rounds.read()
    wrong = 0
    for run, what in found.items():
        # The submitter of a run that is not known was killed before it could tell its id.
        told = made.get(run) or Round(Path(), ["submitter"], run)
        flaws = (
            list(told.wrong(*what)) if run in made else [f"it is {what[0]}"] * (what[0] not in ("Completed", "Failed"))
        )
        if flaws or is_verbose:
            values = f"{len(what[1])} values, {told.acknowledged} of them acknowledged"
            print(f"run {run}, after {' and '.join(told.victims) or 'nothing'}: {what[0]}, {values}")
        for flaw in flaws:
            print(f"    {flaw}")
        wrong += len(flaws)
    for run in made.keys() - found.keys():
        print(f"run {run} was submitted, and is not there")
        wrong += 1
    deadline = time.monotonic() + _END_SECONDS
    jobs = rounds.folder / "home" / "jobs"
    while (left := [path for path in jobs.glob("*/[!.]*") if path.is_dir()]) and time.monotonic() < deadline:
        time.sleep(0.2)
    for path in left:
        print(f"the folder of run {path.name} is left")
        wrong += 1
    killed = sum(bool(round_.victims) for round_ in made.values())
    print(f"{count} rounds, {killed} of them disturbed, {len(found)} runs; {wrong} wrong")
    return wrong


def main() -> int:
    """Print what is wrong; the exit code is 1 when something is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", choices=(*STORES, "all"), default="all")
    parser.add_argument("--rounds", type=int, default=50, help="for each store")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("-v", "--verbose", action="store_true", help="say of each run how it went")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="azml_compat-kill-"))
    print(f"seed {options.seed}")
    wrong = 0
    try:
        for name in STORES if options.store == "all" else [options.store]:
            with contextlib.ExitStack() as stack:
                home = folder / name
                home.mkdir()
                gate = None
                uri = f"sqlite:///{home / 'mlflow.db'}" if name == "sqlite" else (home / "mlruns").as_uri()
                if name == "http":
                    sys.path.insert(0, str(REPOSITORY))
                    from tests.gates import Gate

                    gate = Gate(stack.enter_context(mlflow_server(home, "--workers", "1")))
                    uri = gate.address
                print(name)
                rounds = Rounds(home, uri, random.Random(f"{options.seed} {name}"), gate)
                wrong += check(rounds, options.rounds, is_verbose=options.verbose)
                for pid in _pids(_TELLS["supervisor"](str(home), None)):
                    _killed(pid)
                if gate is not None:
                    gate.shut()
                if wrong:
                    print((home / "errors.txt").read_text()[-5000:])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
