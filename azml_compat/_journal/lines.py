"""One line of a journal: a checksum in hexadecimal, a blank, JSON, a newline.

JSON as written here has no raw newline, so reading finds its feet again after any damage.
"""

from __future__ import annotations

import os
from typing import NamedTuple
from zlib import crc32

_CHUNKS = (1 << 12, 1 << 20)
"""Bytes of one read: the least and the most."""
_CHECKSUM = 8
"""Hexadecimal digits."""


class Line(NamedTuple):
    """A line as it was read: the offset behind it, and its JSON; None for one that is damaged."""

    end: int
    payload: bytes | None


def encode_line(payload: str) -> bytes:
    """Return `payload`, JSON in ASCII, as a line."""
    raw = payload.encode("ascii")
    return b"%08x %b\n" % (crc32(raw), raw)


def read_lines(descriptor: int, start: int, limit: int) -> list[Line]:
    """Return the whole lines from the offset `start` on, about `limit` bytes of them but at least one.

    A tail without a newline is left out: it is being written, or its writer has died.
    """
    lines: list[Line] = []
    least, most = _CHUNKS
    chunk_size = min(max(limit, least), most)
    whole_until = start
    rest = b""
    while whole_until - start < limit:
        chunk = os.pread(descriptor, chunk_size, whole_until + len(rest))
        if not chunk:
            break
        *whole, rest = (rest + chunk).split(b"\n")
        for raw in whole:
            whole_until += len(raw) + 1
            lines.append(Line(whole_until, _check(raw)))
    return lines


def _check(raw: bytes) -> bytes | None:
    payload = raw[_CHECKSUM + 1 :]
    try:
        is_whole = raw[_CHECKSUM : _CHECKSUM + 1] == b" " and int(raw[:_CHECKSUM], 16) == crc32(payload)
    except ValueError:
        return None
    return payload if is_whole else None
