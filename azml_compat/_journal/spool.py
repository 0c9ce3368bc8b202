"""The spool: all journals of one tracking store on this machine, in a private folder below AZML_COMPAT_HOME.

Each run has a folder in it, named by the run's id; each process that logs to the run has a journal there. One lock
per run keeps two from draining it at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from azml_compat._home import home, spools
from azml_compat._journal import places
from azml_compat._journal.cursor import Cursor
from azml_compat._journal.journal import (
    CURSOR,
    LOG,
    NEW,
    REJECTED,
    UNDELIVERABLE,
    Header,
    Journal,
    JournalFile,
    name_of,
)
from azml_compat._tracking.addresses import identity_of, without_credentials

_LOCK = "lock"
_LANES = "lanes"
_DISCARD_SECONDS = 1
_STALE_SECONDS = 60
"""After which what a process left that died while it made or removed a journal is cleared away."""
_LANE_SECONDS = 0.1
"""For whoever looks whether lanes are taken, and holds all for a moment."""
_LANE_PAUSE = 0.001
_NO_FILE = -1
"""In place of the descriptor of a lock: there is no such file, and nobody can make one."""
BACKGROUND_LOCK = ".background"


class JournalState(NamedTuple):
    """How one journal stands."""

    path: Path
    is_alive: bool
    """Its process lives, on this machine."""
    is_pending: bool
    """There is something to deliver, or to settle for a process that is gone."""


class Spool:
    """The journals of one store.

    Args:
        uri: The address of the store. Its credentials are kept nowhere.
        folder: Where the journals are; default below `home()`, by the address.

    Raises:
        OSError: the folder is not private to this user, or its file system has no locks.
    """

    def __init__(self, uri: str, folder: Path | None = None) -> None:
        if folder is None:
            places.private_folder(home())
            folder = places.private_folder(spools()) / hashlib.sha256(identity_of(uri).encode()).hexdigest()[:16]
        self.uri = without_credentials(uri)
        self.folder = places.private_folder(folder)
        self._own: dict[str, Journal] = {}
        """By name, which stays when a journal moves."""
        # Reentrant: a signal handler may need one at the moment when the thread has got it.
        self._locks: dict[str, threading.RLock] = {}
        self._holders: dict[str, int] = {}
        """The threads that hold them."""
        self.interrupted: int | None = None
        """A thread that stands still in a signal handler until this process has ended its runs."""
        self._final: set[str] = set()
        """Names that stand for nothing else, so that they need not be looked at: a process may have many runs."""
        self._lanes: dict[str, int] = {}
        self._lanes_lock = threading.RLock()
        self._check_locks()

    def _check_locks(self) -> None:
        descriptor = places.open_private(self.folder / ".locks", os.O_RDWR | os.O_CREAT)
        try:
            places.try_lock(descriptor)
        finally:
            os.close(descriptor)

    # -- writing ----------------------------------------------------------------------------------------------

    def create(self, run: str, header: Header, sync_seconds: float | None = None) -> Journal:
        """Create a journal of this process for `run`.

        Raises:
            OSError: the file system does not take it.
        """
        while True:
            folder = self.folder / run
            try:
                journal = Journal(places.private_folder(folder), header, sync_seconds=sync_seconds)
                # Before anybody finds it: another thread that took it for that of another process would find no lock
                # that keeps it out, and its owner gone.
                self._own[journal.name] = journal
                try:
                    journal.publish()
                except BaseException:
                    del self._own[journal.name]
                    raise
            except FileNotFoundError:
                if not self.folder.is_dir():
                    raise
                continue  # Whoever drained the run's last journal took the folder away just now.
            return journal

    def name_run(self, journal: Journal, run: str) -> None:
        """Move the only journal of a run to the folder of the id that the store has given the run."""
        folder = self.folder / run
        journal.path.parent.rename(folder)
        journal.path = folder / journal.path.name
        self._final.add(run)

    def discard(self, journal: Journal) -> None:
        """Delete a journal of this process with all that is in it, or leave that to whoever is draining the run.

        On a disk that takes not even that, it stays this process's: only here it is known that it is delivered.
        """
        run = journal.path.parent.name
        try:
            with self.locked(run, time.monotonic() + _DISCARD_SECONDS) as has_lock:
                if has_lock:
                    self._remove(journal)
                    self.release(journal)
                    self._release_lane(run)
                    self.tidy(run)
        except OSError as error:
            if places.takes_nothing(error):
                return
        self.release(journal)

    def _remove(self, journal: Journal) -> None:
        with contextlib.suppress(FileNotFoundError), self.open(journal.path) as file:
            if journal.is_undeliverable:
                file.set_aside()
            else:
                file.remove()

    def release(self, journal: Journal) -> None:
        """Give up a journal of this process, if that has not been done; whoever drains next finds its owner gone."""
        self._own.pop(journal.name, None)
        journal.close()

    def lane(self, run: str, preferred: int) -> int | None:
        """Return a number below 64 that no other process of this machine has for `run`.

        It is held until a journal of the run is discarded, or the process ends. None when all are taken, or the file
        system does not take the file in which they are noted.
        """
        deadline = time.monotonic() + _LANE_SECONDS
        with self._lanes_lock, contextlib.suppress(OSError):
            while True:
                lane = self._free_lane(run, preferred)
                is_there = self._is_there(self._lanes.get(run), run)
                if is_there and lane is not None:
                    return lane
                if not is_there:
                    self._release_lane(run)  # Somebody took the empty folder away just now.
                if time.monotonic() >= deadline:
                    return None
                time.sleep(_LANE_PAUSE)
        return None

    def _free_lane(self, run: str, preferred: int) -> int | None:
        descriptor = self._lanes.get(run)
        if descriptor is None:
            try:
                folder = places.private_folder(self.folder / run)
                descriptor = self._lanes[run] = places.open_private(folder / _LANES, os.O_RDWR | os.O_CREAT)
            except FileNotFoundError:
                return None
        lanes = ((preferred + offset) % 64 for offset in range(64))
        return next((lane for lane in lanes if places.try_lock_byte(descriptor, lane)), None)

    def _is_there(self, descriptor: int | None, run: str) -> bool:
        """Tell whether an open file still is that of the lanes of `run`."""
        try:
            found = (self.folder / run / _LANES).stat()
        except FileNotFoundError:
            return False
        return descriptor is not None and os.fstat(descriptor).st_ino == found.st_ino

    def _release_lane(self, run: str) -> None:
        descriptor = self._lanes.pop(run, None)
        if descriptor is not None:
            os.close(descriptor)

    @contextmanager
    def _without_lanes(self, run: str) -> Iterator[bool]:
        """Keep processes from taking a lane of `run`; gives False when one has one."""
        with self._lanes_lock:
            if run in self._lanes:
                yield False
                return
            try:
                descriptor = places.open_private(self.folder / run / _LANES, os.O_RDWR)
            except FileNotFoundError:
                yield True
                return
            try:
                yield places.try_lock(descriptor)
            finally:
                os.close(descriptor)

    # -- reading ----------------------------------------------------------------------------------------------

    def runs(self) -> list[str]:
        """Return the ids of the runs that have journals, those of the oldest journal first."""
        with os.scandir(self.folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        found = {name: journals[0].name for name in names if (journals := self.journals(name))}
        return sorted(found, key=lambda name: found[name])

    def journals(self, run: str) -> list[Path]:
        """Return the journals of a run, the oldest first."""
        try:
            with os.scandir(self.folder / run) as entries:
                return sorted(Path(entry.path) for entry in entries if entry.name.endswith(LOG))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def refused(self) -> list[Path]:
        """Return the files with what the store has not taken and never will, those of one run together."""
        # os.walk passes over what is removed meanwhile; Path.glob raises, before Python 3.13.
        files = (Path(folder, name) for folder, _, names in os.walk(self.folder) for name in names)
        return sorted(file for file in files if file.suffix in (REJECTED, UNDELIVERABLE))

    def has_journals(self, run: str) -> bool:
        """Tell whether `run` has journals here."""
        return bool(self.journals(run)) or any(self.journals(name) for name in self.names_of(run))

    def names_of(self, run: str) -> list[str]:
        """Return the names under which `run` may have journals here.

        They are its id and, where it was started while the store was away, what stood for that.
        """
        with os.scandir(self.folder) as entries:
            names = [entry.name for entry in entries if entry.name not in self._final and entry.name != run]
        return [run, *(name for name in names if self._settled(name) == run)]

    def _settled(self, name: str) -> str | None:
        """Return the run that the store has for what is kept as `name`, where a delivery has found that out."""
        found = (self._cursor(path).run for path in self.journals(name))
        return next((run for run in found if run is not None), None)

    def reached(self, run: str) -> dict[Path, int]:
        """Return how far the journals of a run have been delivered, in bytes."""
        return {path: self._cursor(path).at for name in self.names_of(run) for path in self.journals(name)}

    @staticmethod
    def _cursor(path: Path) -> Cursor:
        try:
            # The cursor's file alone: closing a journal would drop the lock that its process holds on it.
            descriptor = places.open_private(path.with_suffix(CURSOR), os.O_RDONLY)
        except FileNotFoundError:
            return Cursor()
        try:
            return Cursor.read(descriptor)
        finally:
            os.close(descriptor)

    def abandoned_runs(self) -> list[str]:
        """Return the ids of the runs with a journal whose process is gone."""
        self._sweep()
        return [run for run in self.runs() if any(self._is_abandoned(path) for path in self.journals(run))]

    def survey(self, run: str) -> list[JournalState]:
        """Return how the journals of a run stand, without touching them."""
        states = []
        for path in self.journals(run):
            try:
                with self.open(path) as file:
                    is_abandoned = file.is_abandoned
                    is_behind = file.is_local and file.cursor.at < file.size
                    states.append(JournalState(path, file.is_local and not is_abandoned, is_abandoned or is_behind))
            except FileNotFoundError:
                continue
        return states

    def _is_abandoned(self, path: Path) -> bool:
        if name_of(path) in self._own:
            return False
        try:
            with self.open(path) as file:
                return file.is_abandoned
        except FileNotFoundError:
            return False

    def open(self, path: Path) -> JournalFile:
        """Open a journal for reading, this process's own or another's.

        Raises:
            FileNotFoundError: it has been delivered and deleted, or given up, meanwhile.
        """
        return JournalFile(path, self._own.get(name_of(path)))

    def tidy(self, run: str) -> None:
        """Remove the folder of a run without journals. What the store rejected keeps it, and who is about to log."""
        folder = self.folder / run
        with contextlib.suppress(OSError), self._without_lanes(run) as is_unused:
            with os.scandir(folder) as entries:
                names = {entry.name for entry in entries}
            if is_unused and all(name in (_LOCK, _LANES) or _is_left(folder / name) for name in names):
                for name in names:
                    (folder / name).unlink()
                folder.rmdir()

    def _sweep(self) -> None:
        """Remove the folders that have no journal, but what is left of one."""
        with os.scandir(self.folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        for name in names:
            if not self.journals(name) and _is_old(self.folder / name):
                with contextlib.suppress(OSError), self.locked(name, 0.0) as has_lock:
                    if has_lock:
                        self.tidy(name)

    @contextmanager
    def locked(self, run: str, deadline: float) -> Iterator[bool]:
        """Hold the right to drain a run; gives False when somebody else kept it until `deadline` (monotonic).

        Where a thread that a signal handler has interrupted holds it, this is False as well.
        """
        lock = self._locks.setdefault(run, threading.RLock())
        if self.is_held_here(run) or not lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
            yield False
            return
        self._holders[run] = threading.get_ident()
        try:
            descriptor = self._lock(run, deadline)
            try:
                yield descriptor is not None
            finally:
                if descriptor is not None and descriptor != _NO_FILE:
                    os.close(descriptor)
        finally:
            del self._holders[run]
            lock.release()

    def is_held_here(self, run: str) -> bool:
        """Tell whether a signal handler has interrupted the drain of a run, and waiting for its end would be in vain:
        it is this very thread that drains it, or one that stands still until this one is done.
        """
        return self._holders.get(run, -1) in (threading.get_ident(), self.interrupted)

    def _lock(self, run: str, deadline: float) -> int | None:
        """Return the descriptor of the locked file of a run; None when that cannot be had."""
        path = self.folder / run / _LOCK
        while True:
            try:
                descriptor = places.open_private(path, os.O_RDWR | os.O_CREAT)
            except FileNotFoundError:
                return None  # The folder has gone, and with it all there was to do.
            except OSError as error:
                if not places.takes_nothing(error):
                    raise
                return _lock_as_it_is(path, deadline)
            try:
                has_lock = places.lock_before(descriptor, deadline)
                if has_lock and os.fstat(descriptor).st_ino == path.stat().st_ino:
                    return descriptor
            except FileNotFoundError:
                has_lock = True
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
            if not has_lock:
                return None

    @property
    def is_in_use(self) -> bool:
        """Whether this process has journals here."""
        return bool(self._own)

    # -- the background process -------------------------------------------------------------------------------

    def has_background(self) -> bool:
        """Tell whether a background process serves this spool."""
        path = self.folder / BACKGROUND_LOCK
        return path.exists() and places.is_locked(path)


def _lock_as_it_is(path: Path, deadline: float) -> int | None:
    """Lock a run's file where the file system takes nothing, so that nobody begins to drain, but may be at it still."""
    try:
        descriptor = places.open_private(path, os.O_RDONLY)
    except FileNotFoundError:
        return _NO_FILE
    if places.lock_before(descriptor, deadline, shared=True):
        return descriptor
    os.close(descriptor)
    return None


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > _STALE_SECONDS
    except FileNotFoundError:  # Whoever was at it has removed it just now.
        return False


def _is_left(path: Path) -> bool:
    """Tell whether a file was left by a process that died while it made or removed a journal."""
    if path.suffix == CURSOR:
        return not path.with_suffix(LOG).exists()
    return path.suffix == NEW and _is_old(path)
