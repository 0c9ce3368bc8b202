"""Which keys of a run hold exactly one point: a seal by which a reader knows without asking for their histories.

A run record shows the latest point of every key and not how many there are, and on a server every history is a
request. So the writer that created the run leaves a *seal* in it: which keys have exactly one point, with a hash of the
latest point of every key, its own and others'. As long as the hash fits, no key was added and no key has a newer point.

It is true because of four rules, the first three of which the drain keeps:

- Before the first point of a key is sent, the store is looked at; a key that is there is never single (`exclude`).
- Before a second point of a key that the stored seal calls single is sent, another seal is stored
  (`must_seal_first`). So a stored seal holds at every moment, whatever was sent or lost since.
- Every other writer of azml_compat leaves a page in the sidecar before its first point, and a reader that sees one
  trusts no seal. What is said here of "the writer" survives processes: who goes on with its journal is the same writer.
- Plain MLflow code that writes to a sealed key makes a newer point, which the hash shows. One that is given an older
  time or a smaller step is the one thing that it does not show, and nothing but histories would.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

from azml_compat._metrics.encode import Latest, Point

_Rank: TypeAlias = tuple[int, int, float]
"""(step, timestamp, value): MLflow's latest point of a key is the greatest."""

_MAX_FLAGS = 3500
"""Characters of a seal's flags, so that the tag is within MLflow's limit."""


class Singles:
    """What the writer that created a run knows of its keys. For one drain at a time: not thread-safe.

    Nobody else may have delivered for the writer since the object was made, so that each drain makes its own.

    Args:
        writer_id: The writer, as the sidecar names it.
        seal: The seal that the run has, if any.
        latest: The latest points of the run, read together with the seal. Keys without a valid seal count as others'.
    """

    def __init__(self, writer_id: str, seal: str | None = None, latest: Iterable[Latest] = ()) -> None:
        latest = list(latest)
        self._writer_id = writer_id
        self._latest: dict[str, _Rank] = {key: (step, timestamp, value) for key, value, timestamp, step in latest}
        proven = _verified(seal, latest)
        is_own = proven is not None and proven[0] == writer_id
        self._singles = set(proven[1]) if proven is not None and is_own else set()
        self._sealed = set(self._singles)
        """The keys that the stored seal calls single."""
        self._must_seal_first = bool(seal) and not is_own
        self._is_sealed = is_own

    def has_new(self, points: Iterable[Point]) -> bool:
        """Tell whether a point is of a key that was not seen before, so that `exclude` must be told what is there."""
        return any(point.key not in self._latest for point in points)

    def exclude(self, latest: Iterable[Latest]) -> None:
        """Take in what the store holds, read after the points to come had been logged and before they are sent.

        A key that others wrote is not single, even if this writer gives it one point only.
        """
        for key, value, timestamp, step in latest:
            rank = (step, timestamp, value)
            known = self._latest.get(key)
            if known is None:
                self._latest[key] = rank
                self._is_sealed = False
            elif not _same(known, rank):
                self._no_longer_single(key)
                self._latest[key] = max(known, rank)

    def add(self, points: Iterable[Point]) -> None:
        """Take in points that are about to be sent. Those of a delivery that is repeated count once."""
        for key, value, timestamp, step in points:
            rank = (step, timestamp, value)
            known = self._latest.get(key)
            if known is None:
                self._latest[key] = rank
                self._singles.add(key)
                self._is_sealed = False
            elif not _same(known, rank):
                self._no_longer_single(key)
                if rank > known:
                    self._latest[key] = rank

    def _no_longer_single(self, key: str) -> None:
        self._is_sealed = False
        self._singles.discard(key)
        if key in self._sealed:
            self._must_seal_first = True

    @property
    def must_seal_first(self) -> bool:
        """Whether `seal` must be stored before the points that were added are sent."""
        return self._must_seal_first

    @property
    def is_sealed(self) -> bool:
        """Whether the stored seal is that of now; if not, `seal` is to be stored once all points are."""
        return self._is_sealed

    @property
    def seal(self) -> str:
        """The seal of the run as it is when all points added are in the store.

        JSON of less than 4,000 characters whatever the number of keys; empty where it cannot be said in so few.
        """
        keys = sorted(self._latest)
        flags = _pack([(key in self._singles) != (self._latest[key][0] == 0) for key in keys])
        if len(flags) > _MAX_FLAGS:
            return ""
        seal = {"w": self._writer_id, "n": len(keys), "h": _digest(self._latest, keys, flags), "f": flags}
        return json.dumps(seal, separators=(",", ":"))

    def sealed(self) -> None:
        """Note that `seal`, as it is now, is stored."""
        self._sealed = set(self._singles)
        self._must_seal_first = False
        self._is_sealed = True


def single_keys(seal: str | None, latest: Collection[Latest], writers: Iterable[str]) -> frozenset[str]:
    """Return the keys that a run's seal proves to hold exactly one point: that which `latest` shows.

    Args:
        seal: The text that the run has, if any.
        latest: The latest point of every key, from the same reading of the run.
        writers: All writers that have pages in the run's sidecar.
    """
    proven = _verified(seal, latest)
    if proven is None or any(writer != proven[0] for writer in writers):
        return frozenset()
    return proven[1]


def _verified(seal: str | None, latest: Collection[Latest]) -> tuple[str, frozenset[str]] | None:
    """Return the writer of a seal that fits the latest points, and the keys that it calls single."""
    content = _load(seal)
    if content is None or content["n"] != len(latest):
        return None
    ranks = {key: (step, timestamp, value) for key, value, timestamp, step in latest}
    keys = sorted(ranks)
    if content["h"] != _digest(ranks, keys, content["f"]):
        return None
    flags = _unpack(content["f"], len(keys))
    if flags is None:
        return None
    singles = (key for key, is_exception in zip(keys, flags, strict=True) if is_exception != (ranks[key][0] == 0))
    return content["w"], frozenset(singles)


def _load(seal: str | None) -> dict[str, Any] | None:
    try:
        content = json.loads(seal or "")
    except ValueError:
        return None
    is_whole = isinstance(content, dict) and all(isinstance(content.get(part), str) for part in "whf")
    return content if is_whole and isinstance(content.get("n"), int) else None


def _same(one: _Rank, other: _Rank) -> bool:
    # NaN is unequal to itself.
    return one == other or (one[:2] == other[:2] and one[2] != one[2] and other[2] != other[2])


def _digest(ranks: Mapping[str, _Rank], keys: list[str], flags: str) -> str:
    import hashlib  # loads OpenSSL, which an import of Run can do without

    points = [(key, ranks[key][0], ranks[key][1], float(ranks[key][2])) for key in keys]
    return hashlib.sha256(json.dumps([points, flags]).encode("ascii")).hexdigest()[:32]


# The flags of a seal, one per key in the order of the keys, are the exceptions to "single if its latest step is 0". In
# most runs there is none, and a million of them take no more room than one.


def _pack(flags: list[bool]) -> str:
    if not any(flags):
        return ""
    bits = int("".join("1" if flag else "0" for flag in flags), 2)
    return base64.b64encode(zlib.compress(bits.to_bytes((len(flags) + 7) // 8, "big"), 9)).decode("ascii")


def _unpack(text: str, count: int) -> list[bool] | None:
    if not text:
        return [False] * count
    size = (count + 7) // 8
    try:
        packed = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), size + 1)
    except (ValueError, zlib.error):
        return None
    bits = f"{int.from_bytes(packed, 'big'):0{count}b}"
    return [bit == "1" for bit in bits] if len(packed) == size and len(bits) == count else None
