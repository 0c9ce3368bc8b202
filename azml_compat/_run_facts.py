"""What is known of a run, for people to look at, and how it is said in words; `_run_views` shows it."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

_MAX_METRICS = 50
_MAX_COLUMNS = 10
_MAX_ROWS = 10
_MAX_ELEMENTS = 8


class File(NamedTuple):
    """A file that was logged as a metric: an image, or JSON."""

    path: str
    url: str


class Child(NamedTuple):
    """A child run. Times are milliseconds since the epoch."""

    id: str
    name: str
    url: str
    status: str
    started: int
    ended: int | None


class RunFacts(NamedTuple):
    """A run. Times are milliseconds since the epoch."""

    id: str
    name: str
    experiment: str
    url: str
    status: str
    started: int
    ended: int | None
    error: str
    """Why it failed; empty if it did not, or did not say."""
    metrics: Mapping[str, Any]
    """As `get_metrics` gives them, with a `File` for each file."""
    children: Sequence[Child]
    """The newest first."""
    has_more_children: bool
    trouble: str
    """Why not all is known; empty if it is."""


class Series(NamedTuple):
    """A metric that is no table, or a column of one: its last value, and what there is to say of all."""

    name: str
    last: str
    about: str
    numbers: Sequence[float] | None = None
    """What a chart can be drawn of."""
    url: str = ""


class Table(NamedTuple):
    """A metric that is a table."""

    name: str
    about: str
    columns: Sequence[Series]
    rows: Sequence[Sequence[str] | None]
    """The first and the last of them; None stands for those between."""


def described(run: RunFacts) -> list[Series | Table]:
    """Return the metrics of a run in words, as many as can be looked at."""
    metrics = list(run.metrics.items())[:_MAX_METRICS]
    return [_table(name, value) if isinstance(value, dict) else _series(name, value) for name, value in metrics]


def _series(name: str, value: Any) -> Series:
    if isinstance(value, File):
        return Series(name, value.path, "", url=value.url)
    if not isinstance(value, list):
        return Series(name, _shown(value), "")
    last = _shown(value[-1]) if value else ""
    count = _count(len(value), "value")
    numbers = _numbers(value)
    if numbers is None:
        elements = ", ".join(map(_shown, value[:_MAX_ELEMENTS])) + (", …" if len(value) > _MAX_ELEMENTS else "")
        return Series(name, last, f"{count}: {elements}" if value else count)
    finite = [number for number in numbers if math.isfinite(number)]
    reach = f", {_shown(min(finite))} to {_shown(max(finite))}" if finite else ""
    return Series(name, last, count + reach, numbers)


def _numbers(values: Sequence[Any]) -> list[float] | None:
    """Return the values as numbers for a chart, NaN where there is none; None for what is no series of numbers."""
    if len(values) < 2 or not all(value is None or isinstance(value, int | float) for value in values):
        return None
    return [_number(value) for value in values]


def _number(value: float | None) -> float:
    try:
        return math.nan if value is None else float(value)
    except OverflowError:
        return math.nan


def _table(name: str, value: Mapping[str, Any]) -> Table:
    columns = {column: cells if isinstance(cells, list) else [cells] for column, cells in value.items()}
    count = max(map(len, columns.values()), default=0)
    shown = dict(list(columns.items())[:_MAX_COLUMNS])
    names = ", ".join(shown) + (f" and {len(columns) - len(shown)} more" if len(columns) > len(shown) else "")
    return Table(
        name,
        f"{_count(count, 'row')} of {names}",
        [_series(column, cells) for column, cells in shown.items()],
        [None if index is None else [_shown(cells[index]) for cells in shown.values()] for index in _ends(count)],
    )


def _ends(count: int) -> list[int | None]:
    """Return the indices of the first and last of `count` rows, with None for those between."""
    if count <= _MAX_ROWS:
        return [*range(count)]
    return [*range(_MAX_ROWS // 2), None, *range(count - _MAX_ROWS // 2, count)]


def _shown(value: Any) -> str:
    if isinstance(value, File):
        return value.path
    if isinstance(value, float):
        return f"{value:.6g}"
    # Python writes no longer numbers in decimal.
    return hex(value) if isinstance(value, int) and value.bit_length() > 4096 else str(value)


def more_metrics(run: RunFacts) -> int:
    """Return how many metrics `described` leaves out."""
    return max(0, len(run.metrics) - _MAX_METRICS)


def about_children(run: RunFacts) -> str:
    """Return how many children there are, by status."""
    by_status = Counter(child.status for child in run.children)
    counts = ", ".join(f"{count} {status}" for status, count in by_status.items())
    return f"the newest {len(run.children)}: {counts}" if run.has_more_children else counts


def notes(run: RunFacts) -> Iterator[tuple[str, str]]:
    """Yield what is wrong, each with its title."""
    if run.error:
        yield "Error", run.error
    if run.trouble:
        yield "Not all is shown", run.trouble


def when(milliseconds: int) -> str:
    """Return a time in words."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(milliseconds / 1000))


def duration(started: int, ended: int | None) -> str:
    """Return how long a run took, or has taken until now."""
    seconds = max(0, (ended or int(time.time() * 1000)) - started) / 1000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
