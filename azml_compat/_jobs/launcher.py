"""The launcher of a submitted run: owns the script's processes, from the wait for a slot to the exit code.

It runs detached from the submitter, and without MLflow: what it needs is in the job's folder and in its environment,
which is the submitter's. All that it has to say goes into the folder, where the supervisor reads it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from azml_compat import _detached, _names
from azml_compat._inheritance import hand_down
from azml_compat._jobs import processes, supervisor
from azml_compat._jobs.folder import Job, JobFolder
from azml_compat._jobs.slots import take_slot
from azml_compat._reporting import message_of

_LOOK_SECONDS = 0.1
"""Between two looks at whether the run was canceled."""
_GRACE_SECONDS = 10.0
"""For a script that is ended: its runs end with it, which takes up to 8 s where the store is slow."""
_LEFTOVER_SECONDS = 1.0
"""For what a script has left running when it has ended by itself."""
_SHELL_WORDS = frozenset({"&&", "||", ";", "|", "&", ">", ">>", "<", "2>", "2>&1"})
_REFERENCE = re.compile(r"\$(\w+)")


def start(folder: JobFolder, environment: Mapping[str, str]) -> None:
    """Start the launcher of a job, in the environment that its script is to have."""
    # Not from where the script's variables may lead: -I has python itself disregard them.
    _detached.start(__name__, [str(folder.path)], folder=folder.path, environment=environment, options=["-I"])


def serve(path: str) -> None:
    """Be the launcher of the job in the folder at `path`, until its script has ended."""
    folder = JobFolder(Path(path))
    os.umask(0o077)
    if not folder.own():
        return
    signal.signal(signal.SIGTERM, lambda *_: folder.cancel())  # Whoever ends it ends the script with it.
    processes.adopt_orphans()
    try:
        _Launch(folder, folder.job()).run()
    except Exception as error:  # noqa: BLE001 - whatever it is, the run must not wait for an end that never comes
        with contextlib.suppress(OSError), folder.log().open("a", encoding="utf-8") as log:
            traceback.print_exc(file=log)
        folder.advance(phase="finished", how="error", message=f"It could not be run: {message_of(error)}")
    supervisor.ensure(os.environ[_names.ENV_TRACKING_URI], folder.path.parent)


class _Launch:
    """One job, on its way."""

    def __init__(self, folder: JobFolder, job: Job) -> None:
        self._folder = folder
        self._job = job
        self._running: list[subprocess.Popen[bytes]] = []
        self._some_ended = threading.Event()

    def run(self) -> None:
        """Take the job from its queue to its end."""
        folder, job = self._folder, self._job
        if not take_slot(job.depth, lambda: folder.is_canceled):
            folder.advance(phase="finished", how="canceled")
            return
        folder.advance(phase="preparing")
        with folder.log(0, len(job.ranks)).open("a", encoding="utf-8") as log:
            environment = self._environment()
            command = self._command(environment, log)
        if folder.is_canceled:
            folder.advance(phase="finished", how="canceled")
            return
        self._start(command, environment)
        folder.advance(phase="running")
        how, code = self._wait()
        seconds = _LEFTOVER_SECONDS if how == "exit" else _GRACE_SECONDS
        left = processes.end_all(job.run, [process.pid for process in self._running], seconds)
        if left:
            with folder.log(0, len(job.ranks)).open("a", encoding="utf-8") as log:
                log.write(f"Processes of the run cannot be ended, and are left: {', '.join(map(str, left))}\n")
        folder.advance(phase="finished", how=how, code=code)

    # -- preparing --------------------------------------------------------------------------------------------

    def _environment(self) -> dict[str, str]:
        """Make the inputs and outputs available; return the variables of the script's processes."""
        job, work = self._job, Path(self._job.work)
        environment = {**os.environ, **job.variables}
        hand_down(environment)
        # The supervisor delivers what is logged; a background process would be one more thing to end.
        environment |= {_names.ENV_BACKGROUND: "0", _names.ENV_JOB_ERROR: str(self._folder.error_file)}
        environment.setdefault("PYTHONUNBUFFERED", "1")
        bin_folder = str(Path(sys.executable).parent)
        environment["PATH"] = os.pathsep.join([bin_folder, environment.get("PATH", os.defpath)])
        if job.inputs or job.outputs or job.references:
            from azml_compat._data import consumption

            for deliver, plans in (
                (consumption.deliver_input, job.inputs),
                (consumption.deliver_output, job.outputs),
                (consumption.deliver_reference, job.references),
            ):
                for plan in plans:
                    environment |= deliver(plan, work)
        return environment

    def _command(self, environment: Mapping[str, str], log: IO[str]) -> list[str]:
        """Return the words of the command, as they are given to the system."""
        job = self._job
        own = {*job.own, *(plan["name"] for plan in [*job.inputs, *job.outputs])}
        own.update(key for plan in job.inputs for key in plan["keys"])
        own |= {f"AZUREML_DATAREFERENCE_{plan['name']}" for plan in job.references}
        if job.script is None:
            return _words_of(job.command or "", environment, own)
        from azml_compat._interpreters import python_of

        python = python_of(job.definition, log)
        program = [job.script] if python != sys.executable else ["-m", "azml_compat", job.script]
        return [python, *program, *(_value(word, environment, own) for word in job.arguments)]

    # -- running ----------------------------------------------------------------------------------------------

    def _start(self, command: list[str], environment: dict[str, str]) -> None:
        count = len(self._job.ranks)
        for rank, place in enumerate(self._job.ranks):
            with self._folder.log(rank, count).open("ab") as log:
                process = subprocess.Popen(
                    command,
                    cwd=self._job.work,
                    env={**environment, **place},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            self._running.append(process)
            threading.Thread(target=self._await, args=(process,), daemon=True).start()

    def _await(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self._some_ended.set()

    def _wait(self) -> tuple[str, int]:
        """Wait until all processes have ended, or one has failed, or the time is up; return how, and the exit code."""
        deadline = time.monotonic() + self._job.seconds if self._job.seconds else None
        while True:
            self._some_ended.wait(_LOOK_SECONDS)
            self._some_ended.clear()
            codes = [process.returncode for process in self._running]
            if self._folder.is_canceled:
                return "canceled", _first_failure(codes)
            failure = _first_failure(codes)
            if failure or None not in codes:
                return "exit", failure
            if deadline is not None and time.monotonic() >= deadline:
                return "timeout", 0


def _first_failure(codes: list[int | None]) -> int:
    return next((code for code in codes if code), 0)


def _words_of(command: list[str] | str, environment: Mapping[str, str], own: set[str]) -> list[str]:
    """Return how a command is started: a line through the shell, words as they are.

    On Azure the words become a line. Here only those that mean something to a shell make it one, so that spaces and
    odd characters in the others arrive.
    """
    shell = "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"
    if isinstance(command, str) or len(command) == 1:
        line = command if isinstance(command, str) else command[0]
        return [shell, "-c", _with_values(line, environment, own)]
    words = [_value(word, environment, own) for word in command]
    if not _SHELL_WORDS.intersection(words):
        return words
    return [shell, "-c", " ".join(word if word in _SHELL_WORDS else shlex.quote(word) for word in words)]


def _value(word: str, environment: Mapping[str, str], own: set[str]) -> str:
    """Return an argument with what it stands for in place of a placeholder, or of a variable of the run's own."""
    kind, _, name = word.partition(":")
    if kind in ("DatasetConsumptionConfig", "DatasetOutputConfig") and name in own:
        return environment[name]
    return _REFERENCE.sub(lambda found: _of_own(found, environment, own), word)


def _of_own(found: re.Match[str], environment: Mapping[str, str], own: set[str]) -> str:
    return environment[found[1]] if found[1] in own and found[1] in environment else found[0]


def _with_values(line: str, environment: Mapping[str, str], own: set[str]) -> str:
    """Put the values, quoted, in place of the placeholders of a line for the shell, which knows variables itself."""
    for name in sorted(own, key=len, reverse=True):
        for placeholder in (f"DatasetConsumptionConfig:{name}", f"DatasetOutputConfig:{name}"):
            if placeholder in line:
                line = line.replace(placeholder, shlex.quote(environment[name]))
    return line
