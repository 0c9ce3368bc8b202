"""Processes that log end in every way but a kill, at random moments; runs end as they did, and nothing is lost.

    python benchmarks/endings.py [--store sqlite|file|http|all] [--rounds 200] [--seed N] [--json PATH] [-v]

In each round a script, started by plain python or by `python -m azml_compat`, lives as those of kill.py do, and is
ended: by SIGTERM or SIGINT at a random moment - anywhere, or within the start, a log call, a flush, a `complete()`, its
exit - or behind a random one of its calls by `sys.exit(3)`, `os._exit(3)`, an exception that nobody handles, or a
KeyboardInterrupt. In a share of the rounds it has the background process. What `get_metrics` gives and what lies in
MLflow's own storage is compared with the calls that had returned, the status with how the script ended.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from lives import Process
from verdicts import Ended, Rounds, main

_REPORTS = 9
"""The file descriptor to which scripts report."""
SCRIPT = """
import json, os, sys
from lives import live

_, reports, experiment, seed, calls, ending = sys.argv
calls = int(calls)

def error():
    raise RuntimeError("an error that nobody handles")

def interrupt():
    raise KeyboardInterrupt

def report(**event):
    global calls
    os.write(int(reports), f"{json.dumps(event)}\\n".encode())
    calls -= "done" in event
    if calls == 0:
        {"exit": lambda: sys.exit(3), "_exit": lambda: os._exit(3), "error": error, "interrupt": interrupt}[ending]()

live(report, experiment, int(seed))
report(begin="exit")
"""
_CODES = {"exit": 3, "_exit": 3, "error": 1, "interrupt": -signal.SIGINT}
"""How scripts are seen to end that do it themselves: the exit code, or the negative number of a signal."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_PHASES = ("anywhere", "start", "log", "flush", "end", "exit")
_SHARE_OF_SIGNALS = 0.5
_SHARE_OF_BACKGROUND = 0.3
_CALLS = 60
_NEVER = 1 << 30
_HERE = Path(__file__).parent


class Endings(Rounds):
    """Rounds in which the processes end in various ways."""

    def live(self, experiment: str, seed: int) -> Ended:
        """Let a script live, and end in a random way."""
        if self.tally.rounds == 0:
            return self._leave_alone(experiment, seed)
        if self.random.random() < _SHARE_OF_SIGNALS:
            return self._signal(experiment, seed, self.random.choice(_SIGNALS))
        return self._let_end(experiment, seed, self.random.choice(list(_CODES)))

    def _leave_alone(self, experiment: str, seed: int) -> Ended:
        began = time.monotonic()
        script = self._start(experiment, seed)
        self._end_well(script, script.watch(lambda _: None))
        self.pace.learn("life", time.monotonic() - began)
        return Ended(script, "left alone", "Failed")

    def _let_end(self, experiment: str, seed: int, ending: str) -> Ended:
        script = self._start(experiment, seed, self.random.randrange(1, _CALLS), ending)
        code = os.waitstatus_to_exitcode(script.watch(lambda _: None))
        if script.events[-1] == {"begin": "exit"}:
            self._end_well(script, code)
        else:
            self.tally.cut_short += 1
            self.tally.errors += code != _CODES[ending]
        return Ended(script, f"{ending}, exit code {code}", "Failed")

    def _signal(self, experiment: str, seed: int, number: signal.Signals) -> Ended:
        phase = self.random.choice(_PHASES)
        script = self._start(experiment, seed)
        if phase == "anywhere":
            seconds = self.pace.within("life", self.random)
            code = script.watch(lambda event: seconds if event == script.events[0] else None, number=number)
        else:
            code = script.watch(self.pace.moment(phase, self.random), number=number)
        code = os.waitstatus_to_exitcode(code)
        has_begun_exit = script.events[-1] == {"begin": "exit"}
        if not script.is_signalled:
            self._end_well(script, code)
        else:
            self.tally.cut_short += 1
            # Python ignores an interrupt that comes within a destructor or an exit hook, as it says itself then.
            self.tally.errors += code != -number and not (code in (0, 1) and has_begun_exit)
        how = f"{number.name} within {phase}, exit code {code}"
        return Ended(script, how, "Canceled" if number == signal.SIGTERM else "Failed")

    def _end_well(self, script: Process, code: int) -> None:
        if code:
            self.tally.errors += 1
        else:
            script.events.append({"done": "exit"})

    def _start(self, experiment: str, seed: int, calls: int = _NEVER, ending: str = "") -> Process:
        path = self.said.with_name("script.py")
        path.write_text(SCRIPT)
        launcher = self.random.choice(([], ["-m", "azml_compat"]))
        command = [sys.executable, *launcher, str(path), str(_REPORTS), experiment, str(seed), str(calls), ending]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(_HERE), str(_HERE.parent)]),
            "AZML_COMPAT_BACKGROUND": str(int(self.random.random() < _SHARE_OF_BACKGROUND)),
        }
        end, start = os.pipe()
        pid = os.posix_spawn(
            sys.executable,
            command,
            environment,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, start, _REPORTS),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, str(self.said), os.O_WRONLY | os.O_APPEND, 0o600),
            ],
            setsigdef=list(_SIGNALS),
        )
        os.close(start)
        return Process(pid, end)


if __name__ == "__main__":
    sys.exit(main(Endings, __doc__))
