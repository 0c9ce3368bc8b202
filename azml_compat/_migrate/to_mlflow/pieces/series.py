"""Metrics with a step of their own, and what MLflow has no metric for: text, tables."""

from __future__ import annotations

import hashlib
import math
import time
from collections import defaultdict

import mlflow
from mlflow.entities import Metric

logged_rows: defaultdict[tuple[str, str], list[tuple[int, dict[str, object]]]] = defaultdict(list)
"""The rows, with their steps, of each run id and name; a value that is no row is in the column ""."""
next_steps: defaultdict[tuple[str, str], int] = defaultdict(int)


def log_value(name: str, value: object, step: int | None = None, run_id: str | None = None) -> None:
    """Log a value at the next step of its name, or at that step: a number as a metric, anything else as text."""
    is_array = type(value).__module__ == "numpy" and getattr(value, "ndim", 0) == 1
    log_rows(name, [{"": element} for element in (value if is_array else [value])], step, run_id)


def log_list(name: str, value: object, run_id: str | None = None) -> None:
    """Log the elements of a list, each at the next step of the name."""
    log_rows(name, [{"": element} for element in value], run_id=run_id)


def log_row(name: str, run_id: str | None = None, /, **columns: object) -> None:
    """Append a row to a table, which is stored when the run ends; its numbers are metrics `name.column` as well."""
    log_rows(name, [columns], run_id=run_id)


def log_table(name: str, value: dict[str, object], run_id: str | None = None) -> None:
    """Append the rows of a table that is given as a dict of columns."""
    lists = [cells.tolist() if hasattr(cells, "tolist") else cells for cells in value.values()]
    columns = [cells if isinstance(cells, list) else [cells] for cells in lists]
    log_rows(name, [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)], run_id=run_id)


def log_rows(name: str, rows: list[dict[str, object]], step: int | None = None, run_id: str | None = None) -> None:
    """Log rows, each at the next step of the name: numbers as metrics; the rest is stored when the run ends."""
    run_id = run_id or mlflow.active_run().info.run_id
    series = run_id, name
    metrics = []
    for row in rows:
        cells = {column: plain_value(value) for column, value in row.items()}
        at = next_steps[series] if step is None else int(step)
        next_steps[series] = max(next_steps[series], at + 1)
        logged_rows[series].append((at, cells))
        for column, cell in cells.items():
            if isinstance(cell, (bool, int, float)):
                key = metric_key(f"{name}.{column}" if column else name)
                # SQL stores make infinity the largest float, which ruins a chart: NaN is a gap.
                number = float(cell) if math.isfinite(cell) else math.nan
                metrics.append(Metric(key, number, int(time.time() * 1000), at))
    for start in range(0, len(metrics), 1000):  # as many as one request may have
        mlflow.MlflowClient().log_batch(run_id, metrics=metrics[start : start + 1000])


def plain_value(value: object) -> object:
    """Return a value as a number, bool, string or None; anything else as its text."""
    plain = (bool, int, float, str, type(None))
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0 and type(value.item()) in plain:
        return value.item()
    return value if type(value) in plain else repr(value)


def table_of(series: tuple[str, str]) -> dict[str, list[object]]:
    """Return what was logged under a name of a run as columns."""
    rows = [row for _, row in sorted(logged_rows[series], key=lambda numbered: numbered[0])]
    columns = dict.fromkeys(column for row in rows for column in row)
    return {column: [row.get(column) for row in rows] for column in columns}


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
