"""Processes that log are killed at random moments; nothing that was acknowledged may be lost, doubled or moved.

    python benchmarks/kill.py [--store sqlite|file|http|all] [--rounds 200] [--seed N] [--json PATH] [-v]

In each round a process starts a run, logs to it and to children of it, flushes, completes it, and gets SIGKILL at a
random moment of that life: anywhere, or within the start, a log call, a flush, a `complete()`, its exit. In a share of
the rounds the process that recovers is killed as well, up to three times. After a last one that is left alone, what
`get_metrics` gives and what lies in MLflow's own storage is compared with the calls that had returned.

The processes are forked from one that has imported everything and opened no store, so that a round takes a fraction of
a second.
"""

from __future__ import annotations

import sys
import time

from lives import Process, Report, live, recover
from verdicts import Ended, Rounds, main

from azml_compat import _runtime
from azml_compat._process_end import Outcome

_SHARE_OF_KILLED_RECOVERIES = 0.4
_PHASES = ("anywhere", "anywhere", "start", "log", "flush", "end", "end", "exit")


def live_and_end(report: Report, experiment: str, seed: int) -> None:
    """Live, and end as a process does."""
    live(report, experiment, seed)
    report(begin="exit")
    _runtime._end_with_process(Outcome())  # noqa: SLF001 - the hooks of a forked process are its parent's
    report(done="exit")


class Kills(Rounds):
    """Rounds in which the processes are killed."""

    def live(self, experiment: str, seed: int) -> Ended:
        """Let a process live, and kill it at a random moment of one of its calls of a kind, or of all its life."""
        phase = self.random.choice(_PHASES) if self.tally.rounds else "nowhere"
        delay = self.pace.within("life", self.random) if phase == "anywhere" else None
        began = time.monotonic()
        victim = Process.fork(self.said, live_and_end, experiment, seed)
        status = victim.watch(self.pace.moment(phase, self.random), delay)
        if victim.is_signalled:
            self.tally.cut_short += 1
        else:
            self.pace.learn("life", time.monotonic() - began)
            self.tally.errors += bool(status)
        how = f"killed within {phase}" if victim.is_signalled else "not killed"
        return Ended(victim, f"{how}, {self._kill_recoveries()} killed recoveries", "Failed")

    def _kill_recoveries(self) -> int:
        """Kill up to three processes while they recover; the number of those."""
        killed = 0
        while killed < 3 and self.random.random() < _SHARE_OF_KILLED_RECOVERIES:
            process = Process.fork(self.said, recover)
            status = process.watch(lambda _: None, self.pace.within("recover", self.random, 0.1))
            if not process.is_signalled:
                self.tally.errors += bool(status)
                break
            killed += 1
        self.tally.killed_recoveries += killed
        return killed


if __name__ == "__main__":
    sys.exit(main(Kills, __doc__))
