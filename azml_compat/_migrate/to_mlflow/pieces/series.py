"""Metrics with a step of their own, and what MLflow has no metric for: text, tables."""

from __future__ import annotations

import hashlib
import math
import time

import mlflow
from mlflow.entities import Metric


class Series:
    """What was logged under one name of a run, row by row; a value that is no row is in the column ""."""

    def __init__(self) -> None:
        self.columns: dict[str, list[object]] = {}
        self.steps: list[int] = []
        self.next_step = 0
        self.last_time = 0
        self.is_numbered = True  # by the caller, each row

    def add(self, row: dict[str, object], step: int | None) -> tuple[int, int]:
        """Append a row and return its step and time, in milliseconds; the times of a series increase."""
        for column in row:
            self.columns.setdefault(column, [None] * len(self.steps))
        for column, cells in self.columns.items():
            cells.append(row.get(column))
        self.is_numbered = self.is_numbered and step is not None
        step = self.next_step if step is None else int(step)
        self.next_step = max(self.next_step, step + 1)
        self.last_time = max(self.last_time + 1, int(time.time() * 1000))
        self.steps.append(step)
        return step, self.last_time

    def table(self) -> dict[str, list[object]]:
        """Return the columns, in the order of the steps where each row was given one."""
        order = range(len(self.steps))
        if self.is_numbered:
            order = sorted(order, key=self.steps.__getitem__)
        return {column: [cells[row] for row in order] for column, cells in self.columns.items()}


all_series: dict[tuple[str, str], Series] = {}  # of each run id and name


def log_value(name: str, value: object, step: int | None = None, run_id: str | None = None) -> None:
    """Log a value as the next of its name, or at a step: a number as a metric, anything else as text."""
    if type(value).__module__ == "numpy" and getattr(value, "ndim", 0) == 1:
        log_list(name, value, run_id)
    else:
        log_rows(name, [{"": value}], step, run_id)


def log_list(name: str, value: object, run_id: str | None = None) -> None:
    """Log the elements of a list, each with the next step of the name."""
    log_rows(name, [{"": element} for element in value], run_id=run_id)


def log_row(name: str, run_id: str | None = None, /, **columns: object) -> None:
    """Append a row to a table: its numbers are metrics `name.column`, and the table is stored when the run ends."""
    log_rows(name, [columns], run_id=run_id)


def log_table(name: str, value: dict[str, object], run_id: str | None = None) -> None:
    """Append the rows of a table, given as a dict of columns."""
    lists = {column: getattr(cells, "tolist", lambda cells=cells: cells)() for column, cells in value.items()}
    columns = [cells if isinstance(cells, list) else [cells] for cells in lists.values()]
    log_rows(name, [dict(zip(lists, row, strict=True)) for row in zip(*columns, strict=True)], run_id=run_id)


def log_rows(name: str, rows: list[dict[str, object]], step: int | None = None, run_id: str | None = None) -> None:
    """Append rows to a series; what is a number is a metric, at the step of its row."""
    run_id = run_id or mlflow.active_run().info.run_id
    series = all_series.setdefault((run_id, name), Series())
    metrics = []
    for row in rows:
        cells = {column: plain_value(value) for column, value in row.items()}
        at, moment = series.add(cells, step)
        for column, cell in cells.items():
            if isinstance(cell, (bool, int, float)):
                key = metric_key(f"{name}.{column}" if column else name)
                metrics.append(Metric(key, finite(cell), moment, at))
    for start in range(0, len(metrics), 1000):  # as many as one request may have
        mlflow.MlflowClient().log_batch(run_id, metrics=metrics[start : start + 1000])


def plain_value(value: object) -> object:
    """Return a value as a number, bool, string or None; anything else as its text."""
    native = (bool, int, float, str, type(None))
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0 and type(value.item()) in native:
        return value.item()
    return value if type(value) in native else repr(value)


def finite(number: float) -> float:
    """Return a number that a chart can show: infinity is a gap, as SQL stores would make it the largest float."""
    try:
        return float(number) if math.isfinite(number) else math.nan
    except OverflowError:
        return math.nan


def metric_key(name: str) -> str:
    """Return a name that MLflow takes: what it refuses in it becomes `_x<hex>_`."""
    return escaped(name, "_-./ :")


def escaped(name: str, allowed: str) -> str:
    """Return a name of at most 250 characters, all of them letters, digits or allowed."""
    text = "".join(char if char.isalnum() or char in allowed else f"_x{ord(char):x}_" for char in str(name))
    if text.endswith((" ", "/")):
        text = f"{text[:-1]}_x{ord(text[-1]):x}_"
    if len(text) > 200:
        text = f"{text[:40]}_xh{hashlib.sha256(name.encode()).hexdigest()[:16]}_"
    return text or "_xempty_"
