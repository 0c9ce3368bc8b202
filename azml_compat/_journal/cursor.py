"""How far a journal has been delivered: one small self-checking file beside it, rewritten in place.

It says where the next line begins, and how far the delivery under way reaches. Where the two differ, an earlier
delivery ended without an answer, and what is stored must be looked at before anything is sent again.
"""

from __future__ import annotations

import json
import os
from typing import NamedTuple
from zlib import crc32

_BYTES = 256
_EVERYTHING = 1 << 62


class Cursor(NamedTuple):
    """The state of a delivery. Offsets are bytes of the journal."""

    at: int = 0
    """All lines before this offset have been delivered."""
    sent: int = 0
    """Lines up to this offset may have reached the store."""
    records: int = 0
    """Number of sidecar records before `at`."""
    run: str | None = None
    """MLflow's id of the run, where the delivery created it."""

    @property
    def is_uncertain(self) -> bool:
        """Whether a part of what follows `at` may be in the store already."""
        return self.sent > self.at

    def write(self, descriptor: int) -> None:
        """Replace the content of an open cursor file. One small write is whole, or was not made."""
        text = json.dumps(self).encode("ascii")
        os.pwrite(descriptor, b"%08x %b" % (crc32(text), text.ljust(_BYTES)), 0)

    @classmethod
    def read(cls, descriptor: int) -> Cursor:
        """Return what an open cursor file says; a damaged one says that anything may have been sent."""
        raw = os.pread(descriptor, _BYTES + 64, 0)
        if not raw:
            return cls()
        text = raw[9:].rstrip()
        try:
            if int(raw[:8], 16) == crc32(text):
                return cls(*json.loads(text))
        except (TypeError, ValueError):
            pass
        return cls(sent=_EVERYTHING)
