"""Rows into points and records: the writing half of the codec.

An `Encoder` belongs to one writer of one run. It hands out (timestamp, step) pairs so that, for each name, they
increase in the order of the calls, because SQL stores sort by them and drop exact duplicates; and so that two
writers of one run never hand out the same pair (see `Lane`).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from azml_compat._metrics.cells import Cell, Column
from azml_compat._metrics.keys import KeyTable
from azml_compat._metrics.records import (
    ArtifactRecord,
    CellRecord,
    EmptyRecord,
    KeyRecord,
    Record,
    RowRecord,
    StepRecord,
    dump,
    merge_keys,
)
from azml_compat.exceptions import AzureMLException

_EXACT = 2**53
"""Integers up to this size are exact as an MLflow value, which is a double."""
_MAX_STEP = 2**63 - 1
_ROWS_PER_BATCH = 1000
_NO_SERIES: tuple[int, int, list[str | float] | None] = (0, 0, None)


class Point(NamedTuple):
    """One value as MLflow keeps it; timestamp in milliseconds."""

    key: str
    value: float
    timestamp: int
    step: int


class Latest(NamedTuple):
    """The point of a key that MLflow calls its latest: that of the greatest (step, timestamp, value)."""

    key: str
    value: float
    timestamp: int
    step: int


class Batch:
    """What one write takes to the store, records first."""

    def __init__(self, records: list[Record] | None = None) -> None:
        self.records: list[Record] = records if records is not None else []
        self.points: list[Point] = []

    def dump(self) -> str:
        """Return the batch as a line of a journal: its records, and its points as series.

        A series is [key, timestamp, step, value, ...]: values of one time, their steps following on one another.
        """
        series: list[list[str | float]] = []
        growing: dict[str, tuple[int, int, list[str | float]]] = {}
        for key, value, timestamp, step in self.points:
            at, expected, values = growing.get(key, _NO_SERIES)
            if values is None or at != timestamp or expected != step:
                values = [key, timestamp, step]
                series.append(values)
            values.append(value)
            growing[key] = (timestamp, step + 1, values)
        return f"[[{','.join(map(dump, self.records))}],{json.dumps(series, separators=(',', ':'))}]"


class Lane(NamedTuple):
    """The residue class of timestamps (ms) that one writer uses.

    The creator of a run writes even milliseconds. Every other process writes odd ones, each its own of 64, which
    moves a timestamp by at most 128 ms and keeps equal values of two processes in one millisecond apart.
    """

    stride: int
    offset: int
    bias: int
    """How far a timestamp may move down; it moves up otherwise."""

    @classmethod
    def of_owner(cls) -> Lane:
        """Return the lane of the process that created the run."""
        # Down, so that a point which plain MLflow logs afterwards never comes before it.
        return cls(2, 0, 1)

    @classmethod
    def of_guest(cls, number: int) -> Lane:
        """Return the lane of another process; `number` tells the processes of one run apart."""
        return cls(128, 2 * (number % 64) + 1, 0)

    def at(self, timestamp: int) -> int:
        """Return the timestamp of this lane that stands for the moment `timestamp`."""
        return self.at_or_after(timestamp - self.bias)

    def at_or_after(self, timestamp: int) -> int:
        """Return the first timestamp of this lane that is not before `timestamp`."""
        return timestamp + (self.offset - timestamp) % self.stride


class _Name:
    """What the encoder remembers of one metric name."""

    next_step: int = 0
    timestamp: int = 0
    step: int = -(2**63)
    steps: str = ""
    """``a`` all numbered by us, ``u`` all given by the caller, ``m`` mixed, empty before the first row."""
    plain: type[float] | type[int] | None = None
    """The type of which a finite scalar becomes one point of `label`, and nothing else."""
    label: str = ""
    """The name's own key, as JSON."""


def _now() -> int:
    return time.time_ns() // 1_000_000


class Encoder:
    """Turns the rows that one writer logs into batches. Not thread-safe: the writer holds a lock."""

    def __init__(self, lane: Lane | None = None, clock: Callable[[], int] = _now) -> None:
        self._lane = lane or Lane.of_owner()
        self._is_guest = self._lane.stride != Lane.of_owner().stride
        self._clock = clock
        self._keys = KeyTable()
        self._kinds: dict[str, str] = {}
        self._names: dict[str, _Name] = {}

    def adopt(self, records: Iterable[Record], latest: Iterable[Latest]) -> None:
        """Take over what is already in the run, so that steps go on and keys stay."""
        records = list(records)
        names_by_key: dict[str, str] = {}
        for key, (name, column, kind) in merge_keys(records).items():
            self._keys.adopt(name, column, key)
            self._kinds[key] = kind
            names_by_key[key] = name
        for record in records:
            if isinstance(record, StepRecord):
                self._name(record.name).steps = record.kind
            elif isinstance(record, (CellRecord, ArtifactRecord, RowRecord)):
                self._saw(record.name, record.timestamp, record.step)
        for point in latest:
            name = names_by_key.get(point.key, point.key)
            if point.key not in names_by_key:
                self._keys.adopt(name, None, point.key)
                self._kinds.setdefault(point.key, "f")
            self._saw(name, point.timestamp, point.step)

    def _saw(self, name: str, timestamp: int, step: int) -> None:
        state = self._name(name)
        state.next_step = min(max(state.next_step, step + 1), _MAX_STEP - 1)
        state.steps = state.steps or "a"
        if (timestamp, step) > (state.timestamp, state.step):
            state.timestamp, state.step = timestamp, step

    def encode(self, name: str, columns: Sequence[Column], step: int | None = None) -> Iterator[Batch]:
        """Yield the batches that log `columns` (all of one length) as rows of `name`.

        The batches must be written in order; a row is numbered when its batch is taken.
        """
        rows = len(columns[0].cells) if columns else 1
        own = [(None if column.name == name else column.name, column.cells) for column in columns]
        if not rows:
            names = [column for column, _ in own]
            yield Batch([EmptyRecord(name, None if names == [None] else names)])
            return
        for start in range(0, rows, _ROWS_PER_BATCH):
            batch = Batch()
            for row in range(start, min(start + _ROWS_PER_BATCH, rows)):
                timestamp, at = self._stamp(name, step, batch)
                if not own:
                    batch.records.append(RowRecord(name, timestamp, at))
                for column, cells in own:
                    self._encode_cell(name, column, cells[row], timestamp, at, batch)
            yield batch

    def encode_artifact(self, name: str, path: str, kind: str) -> Batch:
        """Return the batch that logs the run's file `path` as a row of `name`."""
        batch = Batch()
        timestamp, step = self._stamp(name, None, batch)
        batch.records.append(ArtifactRecord(name, timestamp, step, path, kind))
        return batch

    def encode_plain(self, name: str, cell: Cell) -> str | None:
        """Return `cell`, logged as the next scalar of `name`, as a line of a journal; None when `encode` must say more.

        The one path that is short: a number after others of its kind is all that a training loop logs.
        """
        state = self._names.get(name)
        if state is None or type(cell) is not state.plain:
            return None
        # Not for NaN, infinity and integers that no double holds; the sign of zero is lost in a store.
        if not -_EXACT <= cell <= _EXACT or (text := repr(cell)) == "-0.0":
            return None
        stride, offset, bias = self._lane
        timestamp = self._clock() - bias
        timestamp += (offset - timestamp) % stride
        if timestamp < state.timestamp:
            timestamp = state.timestamp
        step = state.next_step
        state.timestamp, state.step, state.next_step = timestamp, step, step + 1
        return f"[[],[[{state.label},{timestamp},{step},{text}]]]"

    def continue_as_guest(self, lane: Lane) -> None:
        """Go on in another lane: a forked child has its parent's names and steps, and writes beside it."""
        self._lane = lane
        self._is_guest = True
        for state in self._names.values():
            state.timestamp = lane.at_or_after(state.timestamp)

    def _name(self, name: str) -> _Name:
        state = self._names.get(name)
        if state is None:
            state = self._names[name] = _Name()
        return state

    def _stamp(self, name: str, step: int | None, batch: Batch) -> tuple[int, int]:
        """Return the (timestamp, step) of the next row: greater than that of every row of `name` before it."""
        if step is not None and not -_MAX_STEP <= step < _MAX_STEP:
            raise AzureMLException(f"The step {step} of metric {name!r} is outside the 64-bit range.")
        state = self._name(name)
        kind = "a" if step is None else "u"
        state.plain = None
        if kind != state.steps:
            self._note_steps(name, state, kind, batch)
        if step is None:
            step = state.next_step
        timestamp = max(self._lane.at(self._clock()), self._lane.at_or_after(state.timestamp))
        if step <= state.step and timestamp <= state.timestamp:
            timestamp = self._lane.at_or_after(state.timestamp + 1)
        state.timestamp, state.step = timestamp, step
        state.next_step = min(max(state.next_step, step + 1), _MAX_STEP - 1)
        return timestamp, step

    def _note_steps(self, name: str, state: _Name, kind: str, batch: Batch) -> None:
        if state.steps in ("a", "u"):
            kind = "m"
        if state.steps == "m":
            return
        state.steps = kind
        if kind != "a":
            batch.records.append(StepRecord(name, kind))

    def _encode_cell(self, name: str, column: str | None, cell: Cell, timestamp: int, step: int, batch: Batch) -> None:
        if cell is None or type(cell) is str:
            batch.records.append(CellRecord(name, column, timestamp, step, cell))
            return
        assert not isinstance(cell, str)
        key = self._keys.find(name, column) or self._keys.assign(name, column)
        kind = self._kind(key, name, column, cell, batch)
        value, is_exact = _as_point(cell, kind)
        if not is_exact:
            batch.records.append(CellRecord(name, column, timestamp, step, cell))
        batch.points.append(Point(key, value, timestamp, step))
        state = self._names[name]
        if column is None and state.steps == "a" and step < _MAX_STEP // 2:
            state.plain = {"f": float, "i": int}.get(self._kinds[key])
            state.label = json.dumps(key)

    def _kind(self, key: str, name: str, column: str | None, cell: float, batch: Batch) -> str:
        """Return the kind of `key` for this cell, with a record when readers must be told."""
        kind = self._kinds.get(key)
        if kind is None:
            kind = "b" if type(cell) is bool else "i" if type(cell) is int else "f"
            is_plain = kind == "f" and column is None and key == name and not self._is_guest
        elif kind == "i" and type(cell) is float:
            # The store widens an integer column that receives a float: all its values read back as floats.
            kind, is_plain = "f", False
        else:
            return kind
        self._kinds[key] = kind
        if not is_plain:
            batch.records.append(KeyRecord(key, name, column, kind))
        return kind


def _as_point(cell: float, kind: str) -> tuple[float, bool]:
    """Return the value to draw for a number, and whether it reads back as `cell` from a key of that kind."""
    if type(cell) is bool:
        return float(cell), kind == "b"
    if type(cell) is int:
        try:
            value = float(cell)
        except OverflowError:
            return math.nan, False
        return value, kind == "f" or (kind == "i" and -_EXACT <= cell <= _EXACT)
    if math.isinf(cell):
        # SQL stores clamp infinity to the largest double, which ruins a chart; NaN is drawn as a gap.
        return math.nan, False
    if cell == 0 and math.copysign(1, cell) < 0:
        # sqlite drops the sign; the file store would keep it.
        return 0.0, False
    return cell, kind == "f"
