"""What a `with run` block prints: copied into ./logs/user_log.txt while it still reaches the terminal."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any, TextIO

from azml_compat import _names


class _Tee:
    """A text stream that writes to the stream it stands for and to a file."""

    def __init__(self, stream: Any, file: TextIO, lock: threading.Lock) -> None:
        self._stream = stream
        self._file = file
        self._lock = lock

    def write(self, text: str) -> int:
        written: int = self._stream.write(text)
        with self._lock:
            if not self._file.closed:
                self._file.write(text)
        return written

    def flush(self) -> None:
        self._stream.flush()
        with self._lock:
            if not self._file.closed:
                self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Transcript:
    """Copies stdout and stderr to the log file from `start` to `stop`.

    The file is appended to, as in the original; `text` is only what this transcript added.
    """

    def __init__(self) -> None:
        self.path = Path.cwd() / _names.USER_LOG
        self._file: TextIO | None = None
        self._tees: dict[str, tuple[_Tee, Any]] = {}
        self._start = 0

    def start(self) -> None:
        """Begin to copy."""
        self.path.parent.mkdir(exist_ok=True)
        self._file = self.path.open("a", encoding="utf-8", errors="backslashreplace")
        self._start = self._file.tell()
        lock = threading.Lock()
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream is not None:
                tee = _Tee(stream, self._file, lock)
                self._tees[name] = (tee, stream)
                setattr(sys, name, tee)

    def stop(self) -> None:
        """Put the streams back, unless somebody else has replaced them meanwhile, and close the file."""
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
