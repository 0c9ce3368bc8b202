"""One journal: what one process logged to one run, in the order of its calls."""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from azml_compat._journal import places
from azml_compat._journal.cursor import Cursor
from azml_compat._journal.lines import Line, encode_line, read_lines
from azml_compat._reporting import logger

LOG = ".log"
CURSOR = ".cursor"
NEW = ".new"
REJECTED = ".rejected"
UNDELIVERABLE = ".undeliverable"
VERSION = 1


@dataclass(frozen=True)
class Header:
    """The first line of a journal: whose it is."""

    run: str | None
    """MLflow's id of the run, or the one that stands for it until the store has made one."""
    is_owner: bool
    """Whether this process created the run, and ends it."""
    store: str
    """The tracking URI, without credentials."""
    has_credentials: bool
    """Whether the tracking URI that was used had any."""
    folders: tuple[tuple[str, str], ...] = ()
    """(absolute path, name in the run) of the folders that are taken at the end of the run."""
    creation: dict[str, Any] | None = None
    """What the run is to be created with, for an owner."""
    version: int = VERSION
    boot: str = ""
    machine: str = ""
    process: int = 0
    host: str = ""
    time: int = 0
    """Milliseconds since the epoch."""

    @classmethod
    def of_this_process(cls, **facts: Any) -> Header:
        """Return a header with this process's identity filled in."""
        return cls(
            boot=places.boot_id(),
            machine=places.machine_id(),
            process=os.getpid(),
            host=platform.node(),
            time=time.time_ns() // 1_000_000,
            **facts,
        )

    @classmethod
    def load(cls, payload: bytes) -> Header | None:
        """Read a header; None for one of a later version."""
        fields = json.loads(payload)
        if fields.get("version") != VERSION:
            return None
        fields["folders"] = tuple((path, name) for path, name in fields["folders"])
        return cls(**fields)


def writer_name() -> str:
    """Return a new name for a writer; names sort by the time they were made."""
    return f"{time.time_ns():016x}{uuid.uuid4().hex[:6]}"


class Journal:
    """The writing end. Not thread-safe: the run's writer holds a lock.

    Attributes:
        path: The file; its stem names the writer, and sorts by the time of its start.
        size: Bytes written.
        descriptor: Of the open file; -1 when the journal has been given up.
        is_undeliverable: The store will never take what it holds, so that it is kept when it is given up.
        kept_cursor: How far it has been delivered, where the disk does not take even that.
    """

    def __init__(self, folder: Path, header: Header, *, sync_seconds: float | None = None) -> None:
        self.header = header
        self.name = writer_name()
        self.path = folder / f"{self.name}{LOG}"
        self.size = 0
        self.is_undeliverable = False
        self.kept_cursor: Cursor | None = None
        self._sync_seconds = sync_seconds
        self._synced = -math.inf
        self._has_told = False
        """That lines are not forced to the disk."""
        self._readers: set[JournalFile] = set()
        self.descriptor = places.open_private(self._unnamed, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL)
        self._open = [self.descriptor]
        """The descriptor until it is closed."""
        with self._or_nothing():
            # Locked before anybody can find it: a journal without a lock is one whose owner has died.
            places.try_lock(self.descriptor)
            self.write(json.dumps(asdict(header)))
            self._reserve_cursor()

    @property
    def _unnamed(self) -> Path:
        return self.path.with_suffix(NEW)

    def publish(self) -> None:
        """Let everybody find the journal."""
        with self._or_nothing():
            self._unnamed.rename(self.path)

    @contextlib.contextmanager
    def _or_nothing(self) -> Iterator[None]:
        """Leave nothing of the journal where an error ends this."""
        try:
            yield
        except BaseException:
            self.close()
            self._unnamed.unlink(missing_ok=True)
            self.path.with_suffix(CURSOR).unlink(missing_ok=True)
            raise

    def _reserve_cursor(self) -> None:
        """Write the cursor's file now: on a disk that is full later there is room only for what was there."""
        descriptor = places.open_private(self.path.with_suffix(CURSOR), os.O_RDWR | os.O_CREAT)
        try:
            Cursor().write(descriptor)
        finally:
            os.close(descriptor)

    def write(self, payload: str) -> None:
        """Append one line. When this returns, the line survives the death of the process.

        Args:
            payload: JSON in ASCII.

        Raises:
            OSError: the file cannot take it; nothing of it remains.
        """
        line = encode_line(payload)
        written = os.write(self.descriptor, line)
        if written != len(line):
            self._complete(line, written)
        self.size += len(line)
        if self._sync_seconds is not None:
            self._sync()

    def _complete(self, line: bytes, written: int) -> None:
        """Write the rest of a line that the disk took only in part, or take it back."""
        try:
            while written < len(line):
                written += os.write(self.descriptor, line[written:])
        except OSError:
            # Not to `self.size`: a signal may have interrupted an earlier call before it counted its line.
            os.ftruncate(self.descriptor, os.fstat(self.descriptor).st_size - written)
            raise

    def _sync(self) -> None:
        now = time.monotonic()
        if now - self._synced < (self._sync_seconds or 0):
            return
        self._synced = now
        try:
            os.fsync(self.descriptor)
        except OSError as error:
            # The line is in the file all the same. To call it lost would have it sent a second time.
            if not self._has_told:
                self._has_told = True
                logger.warning(
                    "The journal %s cannot be forced to the disk: %s. A power cut may cost what was logged.",
                    *(self.path, error),
                )

    def close(self) -> None:
        """Give the journal up: its lock goes, and whoever drains next takes its owner for gone.

        What another thread is reading stays open as long as that takes.
        """
        self.descriptor = -1
        self._close_unread()

    def begin_reading(self, reader: JournalFile) -> int:
        """Keep the file open until `end_reading`, and return its descriptor.

        Raises:
            FileNotFoundError: the journal has been given up.
        """
        # In this order, and without a lock, which a thread may hold that is interrupted by a signal handler that reads.
        self._readers.add(reader)
        descriptor = self.descriptor
        if descriptor < 0:
            self.end_reading(reader)
            raise FileNotFoundError(f"The journal {self.path} has been given up")
        return descriptor

    def end_reading(self, reader: JournalFile) -> None:
        """Let go of the file."""
        self._readers.discard(reader)
        self._close_unread()

    def _close_unread(self) -> None:
        if self.descriptor < 0 and not self._readers:
            with contextlib.suppress(IndexError):  # Somebody else was quicker.
                os.close(self._open.pop())


def _header(lines: list[Line], folder: str) -> Header | None:
    """Return the header among the first lines; where it is damaged, what the folder and the next line tell."""
    if not lines:
        return None
    if lines[0].payload is not None:
        return Header.load(lines[0].payload)
    is_owner = len(lines) > 1 and (lines[1].payload or b"").startswith((b'{"op": "created"', b'{"op": "provisional"'))
    return Header(run=folder, is_owner=is_owner, store="", has_credentials=False, boot=places.boot_id())


def name_of(path: Path) -> str:
    """Return the name of the journal at `path`: that of its writer."""
    return path.name[: -len(LOG)]


def rejected_beside(path: Path) -> list[str]:
    """Return what was rejected of the journal at `path`, which may be gone by now."""
    try:
        return path.with_name(f"{name_of(path)}{REJECTED}").read_text().splitlines()
    except FileNotFoundError:
        return []


def _open_for_all(path: Path, flags: int = 0) -> tuple[int, OSError | None]:
    """Open a file to read and write it; only to read it where the file system takes nothing, and then say why."""
    try:
        return places.open_private(path, os.O_RDWR | flags), None
    except OSError as error:
        if not (places.takes_nothing(error) and path.exists()):
            raise
        return places.open_private(path, os.O_RDONLY), error


class JournalFile:
    """A journal as whoever drains it sees it: its lines, its cursor, and what belongs to it.

    Args:
        path: The file.
        own: The writing end, when it is this process's own, whose file may not be opened a second time.
    """

    def __init__(self, path: Path, own: Journal | None) -> None:
        self.path = path
        self.name = name_of(path)
        self.own = own
        self._cursor_file = -1
        self._cursor_error: OSError | None = None
        """Why the cursor's file can only be read."""
        self._descriptor = own.begin_reading(self) if own is not None else _open_for_all(path)[0]
        try:
            first = read_lines(self._descriptor, 0, 1)
            self.start = first[0].end if first else 0
            self.header = _header(first, path.parent.name)
        except BaseException:
            self._close()
            raise

    def __enter__(self) -> JournalFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._cursor_file >= 0:
            os.close(self._cursor_file)
        if self.own is not None:
            self.own.end_reading(self)
        else:
            os.close(self._descriptor)

    @property
    def _cursor(self) -> int:
        if self._cursor_file < 0:
            self._cursor_file, self._cursor_error = _open_for_all(self._beside(CURSOR), os.O_CREAT)
        return self._cursor_file

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(f"{self.name}{suffix}")

    @property
    def size(self) -> int:
        """Bytes in the file, a torn tail included."""
        return os.fstat(self._descriptor).st_size

    @property
    def written(self) -> int:
        """When the last line was written, in milliseconds since the epoch."""
        return os.fstat(self._descriptor).st_mtime_ns // 1_000_000

    @property
    def cursor(self) -> Cursor:
        """How far the journal has been delivered."""
        kept = self.own.kept_cursor if self.own is not None else None
        found = Cursor.read(self._cursor) if kept is None else kept
        at = max(found.at, self.start)
        # The note may be older than what was sent: a full disk does not take it, and a power cut takes it back. While
        # its process lives that one knows better; of a dead one's, all that follows is compared.
        sent = self.size if self.is_abandoned else found.sent
        return found._replace(at=at, sent=max(at, min(sent, self.size)))

    def set_cursor(self, cursor: Cursor) -> None:
        """Note how far the journal has been delivered; its own process remembers it where the disk takes nothing.

        Raises:
            OSError: it cannot be noted.
        """
        kept = None
        try:
            descriptor = self._cursor
            if self._cursor_error is not None:
                raise self._cursor_error
            cursor.write(descriptor)
        except OSError as error:
            if self.own is None or not places.takes_nothing(error):
                raise
            kept = cursor
        if self.own is not None:
            self.own.kept_cursor = kept

    def lines(self, start: int, limit: int) -> list[Line]:
        """Return whole lines from the offset `start` on, about `limit` bytes of them."""
        return read_lines(self._descriptor, start, limit)

    @property
    def is_local(self) -> bool:
        """Whether its process runs, or ran, on this machine since it was started."""
        return self.own is not None or self.header is None or self.header.boot == places.boot_id()

    @property
    def is_abandoned(self) -> bool:
        """Whether its process is gone for certain. A process on another machine never is."""
        if self.own is not None:
            return False
        if self.is_local:
            return self._is_unlocked
        assert self.header is not None
        # The machine may have been started anew since; then nothing has been written after that. Not so where two
        # machines go by one name: the file system that they share knows the lock of the other's process.
        is_before = self.header.machine == places.machine_id() and self.written < places.boot_time() * 1000
        return is_before and self._is_unlocked

    @property
    def _is_unlocked(self) -> bool:
        # Shared: two that look at the same moment must not take each other for the owner.
        return places.try_lock(self._descriptor, shared=True)

    @property
    def files(self) -> Path:
        """The folder for contents that were logged while the store was away."""
        return self._beside(".files")

    def reject(self, line: str) -> None:
        """Keep what the store refuses, as one line of text, where nothing delivers it again."""
        descriptor = places.open_private(self._beside(REJECTED), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)

    def keep(self, content: str) -> None:
        """Keep the content of a file that the store refuses, beside what `reject` keeps."""
        with contextlib.suppress(FileNotFoundError):
            (self.files / content).rename(self._beside(f".{content}.content"))

    def rejected(self) -> list[str]:
        """Return what `reject` kept."""
        return rejected_beside(self.path)

    def set_aside(self) -> None:
        """Keep the journal under a name by which nobody tries to deliver it."""
        self.path.rename(self.path.with_name(f"{self.path.name}{UNDELIVERABLE}"))

    def remove(self) -> None:
        """Delete the journal and what belongs to it; what was rejected stays."""
        if self.files.is_dir():
            for file in self.files.iterdir():
                file.unlink()
            self.files.rmdir()
        # The cursor last: a journal without one would be delivered from its beginning once more.
        self.path.unlink(missing_ok=True)
        self._beside(CURSOR).unlink(missing_ok=True)
