"""Ending everything that a job has started, however deep, and nothing else.

Where the system has /proc, processes are found by their parents; orphans come to the launcher, which has asked for
them (`adopt_orphans`). What belongs to another job that the script submitted, or to a supervisor, lives on.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from azml_compat import _names

_PROC = Path("/proc")
_SET_CHILD_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of Linux's prctl."""
_LOOK_SECONDS = 0.05
_DEATH_SECONDS = 10.0
"""For dying of SIGKILL: one of another user never does, nor does one that waits for a disk which has gone."""


def adopt_orphans() -> None:
    """Have the orphans among the descendants of this process become its children, where the system can do that."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_all(run: str, leaders: Collection[int], grace_seconds: float) -> list[int]:
    """End the processes of a job: SIGTERM, and SIGKILL for what is left after `grace_seconds`.

    Args:
        run: The run, by which its processes are told from those of other jobs.
        leaders: The first processes, each the leader of a group.
        grace_seconds: For ending in order.

    Returns:
        The processes that are left, because they do not die.
    """
    deadline = time.monotonic() + grace_seconds
    told: set[int] = set()
    while alive := _living(run, leaders):
        now = time.monotonic()
        if now >= deadline + _DEATH_SECONDS:
            return alive
        is_over = now >= deadline
        for pid in alive if is_over else [pid for pid in alive if pid not in told]:
            told.add(pid)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                _signal(pid, signal.SIGKILL if is_over else signal.SIGTERM)
        time.sleep(_LOOK_SECONDS)
    return []


def _living(run: str, leaders: Collection[int]) -> list[int]:
    """Return the processes of a job that are alive; where there is no /proc, the leaders of groups that are."""
    if not _PROC.is_dir():
        return [pid for pid in leaders if _group_lives(pid)]
    # Those of a launcher that was killed are no descendants of this process.
    found = {*_descendants(run, leaders), *_marked(run)}
    return sorted(found - {os.getpid()})


def _signal(pid: int, number: int) -> None:
    if _PROC.is_dir():
        os.kill(pid, number)
    else:
        os.killpg(pid, number)


def _descendants(run: str, leaders: Collection[int]) -> Iterator[int]:
    """Yield the living processes below this one, apart from what belongs to others."""
    children: dict[int, list[int]] = {}
    for pid in _processes():
        with contextlib.suppress(OSError, ValueError, IndexError):
            state, parent = _stat(pid)
            if state != "Z":
                children.setdefault(parent, []).append(pid)
            elif parent == os.getpid() and pid not in leaders:  # An orphan; the others are awaited elsewhere.
                os.waitpid(pid, os.WNOHANG)
    waiting = children.get(os.getpid(), [])
    while waiting:
        pid = waiting.pop()
        if _job_of(pid) in (run, None):
            yield pid
            waiting += children.get(pid, [])


def _marked(run: str) -> Iterator[int]:
    """Yield the living processes that were started in the job."""
    for pid in _processes():
        if _job_of(pid) == run and not _is_launcher(pid):
            with contextlib.suppress(OSError, ValueError, IndexError):
                if _stat(pid)[0] != "Z":
                    yield pid


def _processes() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> tuple[str, int]:
    """Return the state of a process and its parent."""
    fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    return fields[0], int(fields[1])


def _job_of(pid: int) -> str | None:
    """Return the job that a process was started in; None where that cannot be seen."""
    beginning = f"{_names.ENV_JOB}=".encode()
    try:
        variables = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return None
    found = next((variable for variable in variables if variable.startswith(beginning)), None)
    return found[len(beginning) :].decode(errors="replace") if found is not None else None


def _is_launcher(pid: int) -> bool:
    try:
        return b"azml_compat._jobs.launcher" in (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return False


def _group_lives(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
