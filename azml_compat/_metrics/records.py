"""The typed sidecar: what MLflow's points cannot say about a metric, as small JSON arrays.

Each kind is a NamedTuple whose first JSON element is its letter. A record names points by (timestamp, step), which
are unique within a name, so records of several writers and points of plain MLflow cannot shift one another.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NamedTuple, TypeAlias

from azml_compat._metrics.cells import Cell


class KeyRecord(NamedTuple):
    """`key` holds the numbers of column `column` (None: a scalar's own) of metric `name`, of type `kind`.

    kind is ``f`` (float), ``i`` (int) or ``b`` (bool). A later record for a key replaces an earlier one.
    """

    key: str
    name: str
    column: str | None
    kind: str


class CellRecord(NamedTuple):
    """The exact value of one cell; it replaces the point of that (timestamp, step), if there is one."""

    name: str
    column: str | None
    timestamp: int
    step: int
    value: Cell


class ArtifactRecord(NamedTuple):
    """A row that refers to a file of the run: an image or a JSON metric. `kind` is Azure's UI type."""

    name: str
    timestamp: int
    step: int
    path: str
    kind: str


class RowRecord(NamedTuple):
    """A row without a column."""

    name: str
    timestamp: int
    step: int


class EmptyRecord(NamedTuple):
    """A metric that was logged without a row: an empty list (columns None) or table.

    Among the columns, None is the metric's own, as in `KeyRecord`.
    """

    name: str
    columns: list[str | None] | None


class StepRecord(NamedTuple):
    """Whether the steps of a name are the caller's: ``u`` all so far, ``m`` only some."""

    name: str
    kind: str


class PathRecord(NamedTuple):
    """The artifact `path` was given by the script as `original`."""

    path: str
    original: str


Record: TypeAlias = KeyRecord | CellRecord | ArtifactRecord | RowRecord | EmptyRecord | StepRecord | PathRecord


def merge_keys(records: Iterable[Record]) -> dict[str, tuple[str, str | None, str]]:
    """Return key -> (name, column, kind). Where writers disagree about the kind, the column is widened to float."""
    keys: dict[str, tuple[str, str | None, str]] = {}
    for record in records:
        if isinstance(record, KeyRecord):
            known = keys.get(record.key)
            kind = record.kind if known is None or known[2] == record.kind else "f"
            keys[record.key] = (record.name, record.column, kind)
    return keys


_LETTERS: dict[type[Any], str] = {
    KeyRecord: "k",
    CellRecord: "c",
    ArtifactRecord: "a",
    RowRecord: "r",
    EmptyRecord: "e",
    StepRecord: "s",
    PathRecord: "p",
}

_MAX_DECIMAL_BITS = 4096
"""Python refuses to print integers of more than 4,300 digits in decimal; hexadecimal has no limit."""

_KINDS = {letter: kind for kind, letter in _LETTERS.items()}


def dump(record: Record) -> str:
    """Write a record as one line of ASCII JSON."""
    fields: list[Any] = [_LETTERS[type(record)], *record]
    if isinstance(record, CellRecord):
        fields[-1] = _dump_cell(record.value)
    elif isinstance(record, KeyRecord) and record.key == record.name and record.column is None:
        fields[2] = None
    return json.dumps(fields, separators=(",", ":"))


def load(line: list[Any]) -> Record | None:
    """Read a record from its JSON array; a kind of a later version is None."""
    kind = _KINDS.get(line[0])
    if kind is None:
        return None
    fields = line[1:]
    if kind is CellRecord:
        fields[-1] = _load_cell(fields[-1])
    elif kind is KeyRecord and fields[1] is None:
        fields[1] = fields[0]
    record: Record = kind(*fields)
    return record


def _dump_cell(cell: Cell) -> Any:
    # JSON has no infinity and no NaN that every reader takes; -0.0 is written as a word too, because
    # sqlite drops its sign.
    if isinstance(cell, float) and (not math.isfinite(cell) or (cell == 0 and math.copysign(1, cell) < 0)):
        return {"f": repr(cell)}
    if isinstance(cell, int) and cell.bit_length() > _MAX_DECIMAL_BITS:
        return {"i": hex(cell)}
    return cell


def _load_cell(value: Any) -> Cell:
    if isinstance(value, dict):
        return float(value["f"]) if "f" in value else int(value["i"], 16)
    cell: Cell = value
    return cell
