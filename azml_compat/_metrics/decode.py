"""Points and records back into what `get_metrics` returns: the reading half of the codec.

Azure's model decides the shape: every metric is a list of rows. One column, named like the metric, reads as a
scalar (one row) or a flat list; other columns as a dict of scalars (one row) or lists, a missing cell being None.
"""

from __future__ import annotations

import contextlib
import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from azml_compat._metrics.encode import Point
from azml_compat._metrics.records import (
    ArtifactRecord,
    CellRecord,
    EmptyRecord,
    KeyRecord,
    PathRecord,
    Record,
    RowRecord,
    StepRecord,
    merge_keys,
)

_RowId: TypeAlias = tuple[int, int, int]
"""(timestamp, step, n): n counts points that plain MLflow logged under one timestamp and step."""

_TIME_ORDER: Callable[[Point], Any] = operator.attrgetter("timestamp", "step")
_STEP_ORDER: Callable[[Point], Any] = operator.attrgetter("step", "timestamp")
_OWN = {None: None}
"""The columns of a metric that has only its own."""


class _Metric:
    has_more = False
    """There are rows, or values of cells, that are no points."""
    is_empty = False
    """It was logged without a row, which counts where no row is."""
    has_mixed_steps = False

    def __init__(self, *, has_own_steps: bool = False) -> None:
        self.has_own_steps = has_own_steps
        self.rows: dict[_RowId, dict[str | None, Any]] = {}
        self.columns: dict[str | None, None] = {}
        """An ordered set: columns in the order in which they were first logged; None is the metric's own."""
        self.widened: set[str | None] = set()
        self.artifacts: set[_RowId] = set()
        self.series: list[tuple[str | None, str, Sequence[Point]]] = []
        """(column, kind, points) of each key that holds numbers of the metric."""


def names_of(keys: Iterable[str], records: Iterable[Record]) -> dict[str, list[str]]:
    """Return the Azure name of every metric of a run, each with the MLflow keys that hold its numbers."""
    names: dict[str, list[str]] = {}
    owners = {}
    for record in records:
        if isinstance(record, KeyRecord):
            owners[record.key] = record.name
        elif isinstance(record, (CellRecord, ArtifactRecord, RowRecord, EmptyRecord)):
            names.setdefault(record.name, [])
    for key in keys:
        names.setdefault(owners.get(key, key), []).append(key)
    return names


def decode(
    points: Mapping[str, Sequence[Point]],
    records: Sequence[Record],
    *,
    is_foreign: bool,
    artifact: Callable[[ArtifactRecord], Any],
) -> dict[str, Any]:
    """Return {name: value} as the original's `get_metrics` does.

    Args:
        points: All points of each key, in any order.
        records: The sidecar of the run, each writer's in the order written.
        is_foreign: The run was written by plain MLflow, whose steps are the caller's.
        artifact: Makes the value of a row that refers to a file.
    """
    metrics: dict[str, _Metric] = {}
    keys = merge_keys(records)
    for record in records:
        _note(metrics, record)
    for key, series in points.items():
        name, column, kind = keys.get(key, (key, None, "f"))
        metric = metrics.get(name)
        if metric is None:
            metric = metrics[name] = _Metric(has_own_steps=is_foreign and key not in keys)
        _add_series(metric, column, kind, series)
    for metric in metrics.values():
        if not _is_plain(metric):
            _place(metric)
    for record in records:
        if isinstance(record, CellRecord):
            _add_cell(metrics[record.name], record)
        elif isinstance(record, ArtifactRecord):
            row = (record.timestamp, record.step, 0)
            metrics[record.name].rows.setdefault(row, {})[None] = artifact(record)
            metrics[record.name].artifacts.add(row)
    return {
        name: _plain(metric) if _is_plain(metric) else _shape(name, metric)
        for name, metric in metrics.items()
        if metric.rows or metric.is_empty or _is_plain(metric)
    }


def _note(metrics: dict[str, _Metric], record: Record) -> None:
    """Take from a record what must be known before the points are placed."""
    if isinstance(record, PathRecord):
        return
    metric = metrics.setdefault(record.name, _Metric())
    metric.has_more |= isinstance(record, (CellRecord, ArtifactRecord, RowRecord))
    if isinstance(record, (KeyRecord, CellRecord)):
        metric.columns[record.column] = None
        if isinstance(record, CellRecord) and type(record.value) is float:
            # A float among bools has no key of its own kind, but it widens the integers beside it all the same.
            metric.widened.add(record.column)
    elif isinstance(record, ArtifactRecord):
        metric.columns[None] = None
    elif isinstance(record, RowRecord):
        metric.rows[record.timestamp, record.step, 0] = {}
    elif isinstance(record, EmptyRecord):
        metric.is_empty = True
        metric.columns.update(dict.fromkeys(record.columns or ()))
    elif isinstance(record, StepRecord):
        metric.has_own_steps = record.kind == "u" and not metric.has_mixed_steps
        metric.has_mixed_steps |= record.kind == "m"


def _add_series(metric: _Metric, column: str | None, kind: str, series: Sequence[Point]) -> None:
    metric.columns[column] = None
    if kind == "i" and not all(point.value.is_integer() or math.isnan(point.value) for point in series):
        # Points of plain MLflow, which has no integers.
        kind = "f"
    if kind == "f":
        metric.widened.add(column)
    metric.series.append((column, kind, series))


def _is_plain(metric: _Metric) -> bool:
    """Tell whether the points of one key say everything, so that no rows are needed: the common case."""
    return len(metric.series) == 1 and bool(metric.series[0][2]) and metric.columns == _OWN and not metric.has_more


def _plain(metric: _Metric) -> Any:
    [(_, kind, series)] = metric.series
    values = _values(sorted(series, key=_STEP_ORDER if metric.has_own_steps else _TIME_ORDER), kind)
    return values[0] if len(values) == 1 else values


def _place(metric: _Metric) -> None:
    """Put the points of a metric into its rows."""
    for column, kind, series in metric.series:
        for point, value in zip(series, _values(series, kind), strict=True):
            row = (point.timestamp, point.step, 0)
            while column in metric.rows.get(row, ()):
                row = (row[0], row[1], row[2] + 1)
            metric.rows.setdefault(row, {})[column] = value


def _values(series: Sequence[Point], kind: str) -> list[Any]:
    if kind == "i":
        # NaN stands for an integer beyond a double's range, whose record replaces it.
        return [point.value if math.isnan(point.value) else int(point.value) for point in series]
    if kind == "b":
        return [bool(point.value) if point.value in (0.0, 1.0) else point.value for point in series]
    return [point.value for point in series]


def _add_cell(metric: _Metric, record: CellRecord) -> None:
    value = record.value
    if type(value) is int and record.column in metric.widened:
        with contextlib.suppress(OverflowError):
            value = float(value)
    metric.rows.setdefault((record.timestamp, record.step, 0), {})[record.column] = value


def _shape(name: str, metric: _Metric) -> Any:
    order = sorted(metric.rows, key=_by_step) if metric.has_own_steps else sorted(metric.rows)
    if not order:
        return {name if column is None else column: [] for column in metric.columns} or []
    if set(metric.columns) == {None}:
        if len(metric.artifacts) == len(order):
            # The original returns the first upload of a name, however many there were.
            return metric.rows[order[0]][None]
        values = [metric.rows[row].get(None) for row in order]
        return values[0] if len(values) == 1 else values
    table = {
        name if column is None else column: [metric.rows[row].get(column) for row in order] for column in metric.columns
    }
    return {column: cells[0] for column, cells in table.items()} if len(order) == 1 else table


def _by_step(row: _RowId) -> tuple[int, int, int]:
    return (row[1], row[0], row[2])
