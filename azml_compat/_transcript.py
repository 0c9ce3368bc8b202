"""What a `with run` block prints: copied into ./logs/user_log.txt while it still reaches the terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from azml_compat import _names


class _Tee:
    """A text stream that writes to the stream it stands for and to a file."""

    def __init__(self, stream: Any, file: TextIO, path: Path, lock: threading.RLock) -> None:
        self.path = path
        self._stream = stream
        self._file = file
        self._lock = lock

    @property
    def is_open(self) -> bool:
        """Whether what is written still reaches the file."""
        return not self._file.closed

    def write(self, text: str) -> int:
        written: int = self._stream.write(text)
        with self._lock:
            if not self._file.closed:
                self._file.write(text)
        return written

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        self._stream.flush()
        with self._lock:
            if not self._file.closed:
                self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Transcript:
    """Copies stdout and stderr to the log file from `start` to `stop`.

    The file is appended to, as in the original; `text` is only what came while this transcript ran. Where the file
    cannot be written, a temporary one takes its place: printing must work all the same.
    """

    def __init__(self) -> None:
        self.path = Path.cwd() / _names.USER_LOG
        self._file: TextIO | None = None
        self._tees: dict[str, tuple[_Tee, Any]] = {}
        self._start = 0

    def start(self) -> None:
        """Begin to copy."""
        for name in ("stdout", "stderr"):
            self._flush(getattr(sys, name))
        self._file = self._open()
        self._start = self._file.tell()
        # Reentrant: a signal handler may print while its thread is printing.
        lock = threading.RLock()
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream is not None and not self._copies(stream):
                tee = _Tee(stream, self._file, self.path, lock)
                self._tees[name] = (tee, stream)
                setattr(sys, name, tee)

    def _open(self) -> TextIO:
        try:
            self.path.parent.mkdir(exist_ok=True)
            self.path.open("a").close()
        except OSError:
            import tempfile

            self.path = Path(tempfile.mkdtemp(prefix="azml_compat-")) / self.path.name
        # Line by line, so that a forked child has nothing in its copy of the buffer to write a second time.
        return self.path.open("a", buffering=1, encoding="utf-8", errors="backslashreplace")

    def _copies(self, stream: Any) -> bool:
        """Tell whether a `with` block around this one already writes the stream to the same file."""
        return isinstance(stream, _Tee) and stream.is_open and stream.path == self.path

    def _flush(self, stream: Any) -> None:
        if isinstance(stream, _Tee):
            stream.flush()

    def stop(self) -> None:
        """Put the streams back, unless somebody else has replaced them meanwhile, and close the file."""
        for name in ("stdout", "stderr"):
            self._flush(getattr(sys, name))
        for name, (tee, stream) in self._tees.items():
            if getattr(sys, name) is tee:
                setattr(sys, name, stream)
        if self._file is not None:
            self._file.close()

    def text(self) -> bytes:
        """Return what was copied, as UTF-8."""
        with self.path.open("rb") as file:
            file.seek(self._start)
            return file.read()
