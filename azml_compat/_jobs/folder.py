"""The folder of a submitted run on this machine: what is to be run, how far it is, and who is at it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from azml_compat._home import home
from azml_compat._journal import places
from azml_compat._tracking.addresses import identity_of

Phase = Literal["queued", "preparing", "running", "finished"]
How = Literal["exit", "timeout", "canceled", "error"]

SUPERVISOR_LOCK = ".supervisor"
_CANCEL = "cancel"
_DONE = ".done-"
_OUTPUTS = "outputs.json"
_LAUNCHER_LOCK = "launcher.lock"
_START_SECONDS = 30.0
"""In which a launcher must have taken its lock."""
LOG = "std_log.txt"


@dataclass(frozen=True)
class Job:
    """What is to be run, as the submitter has decided; JSON values.

    Attributes:
        run: The run's MLflow id.
        work: The copy of the source directory, in which the script runs.
        script: Its path in there; None where a command is run.
        command: The command: words, or a line for the shell.
        arguments: Of the script; among them the placeholders of inputs and outputs.
        ranks: For each process of the job, the variables that tell it its place.
        seconds: After which it is ended; None: never.
        inputs: Plans of `azml_compat._data.consumption`.
        outputs: The same.
        references: The same.
        own: Names of the variables that arguments may name as `$NAME`.
        definition: The run definition, for the interpreter that it asks for.
        folders: In `work`, with what is taken into the run at the end.
        depth: How many submitted runs this one is in.
        variables: That the processes get besides; no secrets.
    """

    run: str
    work: str
    script: str | None
    command: list[str] | str | None
    arguments: list[str]
    ranks: list[dict[str, str]]
    seconds: float | None
    inputs: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    references: list[dict[str, Any]] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    definition: dict[str, Any] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    depth: int = 0
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """How far a job is, as its launcher says.

    Attributes:
        phase: The last one reached.
        how: How it ended.
        code: The exit code of the process that decided; negative: the signal that killed it.
        message: Why it could not be run.
        leader: The first process of the script.
    """

    phase: Phase = "queued"
    how: How | None = None
    code: int | None = None
    message: str | None = None


def jobs_folder(uri: str) -> Path:
    """Return where the jobs of the store at `uri` are."""
    return home() / "jobs" / hashlib.sha256(identity_of(uri).encode()).hexdigest()[:16]


def job_folders(root: Path) -> Iterator[JobFolder]:
    """Yield the jobs of a store that have not been brought to their end on this machine."""
    try:
        found = sorted(root.iterdir())
    except FileNotFoundError:
        return
    for path in found:
        if not path.name.startswith("."):
            yield JobFolder(path)


def remove_done(root: Path) -> None:
    """Remove what a supervisor that was killed has left of jobs that had been brought to their end.

    One of which it did not see any more whether somebody had asked to cancel it is a job once more.
    """
    for path in root.glob(f"{_DONE}*"):
        folder = JobFolder(path)
        if folder.is_canceled:
            path.rename(root / path.name.removeprefix(_DONE))
        else:
            folder.delete()


class JobFolder:
    """One submitted run on this machine.

    Args:
        path: Its folder, named by the run's MLflow id.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, root: Path, job: Job) -> JobFolder:
        """Make the folder of a job; it is there, for others, when it is whole.

        Raises:
            OSError: the disk does not take it.
        """
        places.private_folder(root.parent.parent)
        places.private_folder(root.parent)
        unborn = places.private_folder(places.private_folder(root) / f".{job.run}")
        _write(unborn / "job.json", json.dumps(asdict(job)))
        unborn.rename(root / job.run)
        return cls(root / job.run)

    @property
    def run(self) -> str:
        """The run's MLflow id."""
        return self.path.name

    def exists(self) -> bool:
        """Whether the run has not been brought to its end yet."""
        return self.path.is_dir()

    def job(self) -> Job:
        """Return what is to be run.

        Raises:
            OSError: it is gone.
            ValueError: it is damaged.
        """
        try:
            return Job(**json.loads((self.path / "job.json").read_text(encoding="utf-8")))
        except TypeError as error:
            raise ValueError(f"{self.path / 'job.json'} is damaged, or of another version: {error}") from error

    def remove(self, if_canceled: Callable[[], None] = lambda: None) -> None:
        """Remove the folder and the copy in which the script ran: all that matters is in the store.

        Args:
            if_canceled: Called when the job is one no more, if somebody has asked to cancel it before.
        """
        # At once for others: what is left of a folder would look like a job whose launcher was killed.
        done = JobFolder(self.path.with_name(f"{_DONE}{self.run}"))
        self.path.rename(done.path)
        if done.is_canceled:
            try:
                if_canceled()
            except BaseException:
                done.path.rename(self.path)  # for another look
                raise
            (done.path / _CANCEL).unlink()
        done.delete()

    def delete(self) -> None:
        """Delete the copy in which the script ran, and then the folder, which says where that is."""
        try:
            work = Path(self.job().work)
        except (OSError, ValueError):
            pass
        else:
            shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(self.path, ignore_errors=True)

    def set_aside(self) -> None:
        """Keep the folder, and in it the copy in which the script ran, where nobody tries again to end the run."""
        aside = JobFolder(self.path.with_name(f".given-up-{self.run}"))
        with contextlib.suppress(OSError):
            self.path.rename(aside.path)
            with contextlib.suppress(ValueError):
                shutil.move(aside.job().work, aside.path / "work")

    # -- how far it is ----------------------------------------------------------------------------------------

    @property
    def _state_file(self) -> Path:
        return self.path / "state.json"

    def state(self) -> State:
        """Return how far the job is."""
        try:
            return State(**json.loads(self._state_file.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return State()

    def advance(self, **changes: Any) -> None:
        """Say how far the job is. Only its launcher does."""
        _write(self._state_file, json.dumps(asdict(replace(self.state(), **changes))))

    @property
    def error_file(self) -> Path:
        """Where a script says which exception ended it."""
        return self.path / "error.json"

    def error(self) -> dict[str, str] | None:
        """Return {'type': ..., 'message': ...} of the exception that ended the script, where it could say so."""
        try:
            found: dict[str, str] = json.loads(self.error_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found

    # -- what has been done at the end ------------------------------------------------------------------------

    def outputs(self) -> tuple[set[str], set[str]]:
        """Return which outputs somebody has begun to bring to where they belong, and which are there."""
        try:
            found: dict[str, bool] = json.loads((self.path / _OUTPUTS).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return set(), set()
        return set(found), {name for name, is_done in found.items() if is_done}

    def note_output(self, name: str, *, is_done: bool) -> None:
        """Say how far an output is, so that it is not brought there twice."""
        begun, done = self.outputs()
        _write(self.path / _OUTPUTS, json.dumps({**{one: one in done for one in begun}, name: is_done}))

    # -- logs -------------------------------------------------------------------------------------------------

    def log(self, rank: int = 0, ranks: int = 1) -> Path:
        """Return the file that takes what a process of the job prints."""
        return self.path / (LOG if ranks == 1 else f"std_log_process_{rank}.txt")

    # -- who is at it -----------------------------------------------------------------------------------------

    def own(self) -> bool:
        """Become the launcher of the job for the life of this process; False if there is one."""
        descriptor = places.open_private(self.path / _LAUNCHER_LOCK, os.O_RDWR | os.O_CREAT)
        return places.try_lock(descriptor)

    def has_launcher(self) -> bool:
        """Tell whether a launcher is at it, or has just been started. Not for the launcher itself."""
        try:
            if places.is_locked(self.path / _LAUNCHER_LOCK):
                return True
        except FileNotFoundError:
            pass
        if self._state_file.exists():
            return False  # There was one.
        try:
            return time.time() - (self.path / "job.json").stat().st_mtime < _START_SECONDS
        except FileNotFoundError:
            return False

    # -- ending it --------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Have the launcher end the script, with all that it started. A run that has ended stays as it is."""
        with contextlib.suppress(FileNotFoundError):
            _write(self.path / _CANCEL, "")

    @property
    def is_canceled(self) -> bool:
        """Whether somebody wants it to end."""
        return (self.path / _CANCEL).exists()


def note_error(file: str, error: BaseException) -> None:
    """Say which exception ends the script of a submitted run.

    Args:
        file: The `error_file` of its folder.
        error: The exception.
    """
    with contextlib.suppress(OSError):  # The run has been given up.
        _write(Path(file), json.dumps({"type": type(error).__name__, "message": str(error)}))


def _write(file: Path, text: str) -> None:
    """Write a private file, whole or not at all."""
    new = file.with_name(f".{file.name}.{os.getpid()}")
    with os.fdopen(places.open_private(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w", encoding="utf-8") as written:
        written.write(text)
    new.replace(file)
