"""In what two recordings differ. Pure: records in, differences out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import accumulate, pairwise, zip_longest
from typing import NamedTuple, TypeVar

from azml_compat._verify.records import Content, Point, Recorded, Series

_T = TypeVar("_T")

_PLOT = re.compile(r"(.+)_\d{10}(?:_\d+)?(\.png)")
"""What `log_image(plot=…)` calls a file of a plot: the name and the second."""


class Difference(NamedTuple):
    """Something of a run that is not the same on both sides."""

    run: str
    """Which run, as a person counts: `run 1 > child 2 (fold_1)`."""
    kind: str
    """`run`, `experiment`, `name`, `status`, `description`, `metric`, `param`, `tag`, `file` or `models`."""
    name: str
    """Which metric, param … of the run; empty where a run has one alone."""
    old: str | None
    """How it is in the old recording; None where it is absent."""
    new: str | None


def compare(old: Sequence[Recorded], new: Sequence[Recorded]) -> list[Difference]:
    """Return the differences between what two scripts recorded, run by run.

    Runs are matched by order and structure: the first of one side with the first of the other, and so on below them.
    Where one side has more of them, those are left over that fit least by experiment, name and metrics.
    """
    return list(_of_runs(old, new, "run"))


def _of_runs(old: Sequence[Recorded], new: Sequence[Recorded], called: str) -> Iterator[Difference]:
    for number, (before, after) in enumerate(_matched(old, new), start=1):
        name = next((run.name for run in (before, after) if run is not None and run.name), "")
        run = f"{called} {number}" + (f" ({name})" if name else "")
        if before is None or after is None:
            yield Difference(run, "run", "", *(None if side is None else _summary(side) for side in (before, after)))
        else:
            yield from _of_run(before, after, run)
            yield from _of_runs(before.children, after.children, f"{run} > child")


def _matched(old: Sequence[Recorded], new: Sequence[Recorded]) -> Iterator[tuple[Recorded | None, Recorded | None]]:
    if len(old) == len(new):
        yield from zip(old, new, strict=True)
        return
    looks = [[(run.experiment, run.name, frozenset(run.metrics)) for run in runs] for runs in (old, new)]
    for _, i, j, k, m in SequenceMatcher(None, looks[0], looks[1], autojunk=False).get_opcodes():
        yield from zip_longest(old[i:j], new[k:m])


def _summary(run: Recorded) -> str:
    """Say what a run is that has no counterpart."""
    below = len(run.with_descendants()) - 1
    return f"{run.status}, {len(run.metrics)} metrics" + (f", {below} runs below it" if below else "")


def _of_run(old: Recorded, new: Recorded, run: str) -> Iterator[Difference]:
    for kind in ("experiment", "name", "status", "description"):
        before, after = getattr(old, kind), getattr(new, kind)
        if before != after:
            yield Difference(run, kind, "", *_windows(before, after))
    for name, before, after in _both(old.metrics, new.metrics):
        if before is None or after is None or not same_series(before, after):
            yield Difference(run, "metric", name, *_shown_series(before, after))
    for kind, befores, afters in (("param", old.params, new.params), ("tag", old.tags, new.tags)):
        for name, before, after in _both(befores, afters):
            if before != after:
                yield Difference(run, kind, name, *_windows(before, after))
    yield from _of_files(old, new, run)
    if old.models != new.models:
        yield Difference(run, "models", "", *(", ".join(side.models) or None for side in (old, new)))


def _both(old: Mapping[str, _T], new: Mapping[str, _T]) -> Iterator[tuple[str, _T | None, _T | None]]:
    for name in dict.fromkeys((*old, *new)):
        yield name, old.get(name), new.get(name)


# -- metrics -------------------------------------------------------------------------------------------------------


def same_series(old: Series, new: Series) -> bool:
    """Tell whether two series have the same points in an order that both allow."""
    if sum(map(len, old)) != sum(map(len, new)):
        return False
    mine, theirs = ([_exact(point) for moment in series for point in moment] for series in (old, new))
    cuts = sorted({0, *(set(accumulate(map(len, old))) & set(accumulate(map(len, new))))})
    return all(sorted(mine[start:end]) == sorted(theirs[start:end]) for start, end in pairwise(cuts))


def _exact(point: Point) -> tuple[int, bool, float]:
    """Return a point as what can be sorted and is equal to itself: NaN is neither."""
    is_nan = math.isnan(point.value)
    return point.step, is_nan, 0.0 if is_nan else point.value


def _shown_series(old: Series | None, new: Series | None) -> tuple[str | None, str | None]:
    before, after = (None if series is None else _points(series) for series in (old, new))
    first = _first_other(before or (), after or ())
    return None if before is None else _few(before, first), None if after is None else _few(after, first)


def _points(series: Series) -> list[str]:
    return [f"{point.step}: {point.value!r}" for moment in series for point in moment]


_FEW = 6
"""Points that are shown of a series."""


def _few(points: Sequence[str], first: int) -> str:
    """Show some points of a series, from a little before the first that differs."""
    start = max(0, first - 1) if len(points) > _FEW else 0
    shown = points[start : start + _FEW]
    more = len(points) - start - len(shown)
    return ", ".join([*(["…"] if start else []), *shown, *([f"… ({len(points)} in all)"] if start or more else [])])


# -- files ---------------------------------------------------------------------------------------------------------


def _of_files(old: Recorded, new: Recorded, run: str) -> Iterator[Difference]:
    for name, before, after in _both(_files(old, new), _files(new, old)):
        if before is None or after is None or before.digest != after.digest:
            yield Difference(run, "file", name, *_windows(*(side and side.shown for side in (before, after))))


def _files(own: Recorded, other: Recorded) -> dict[str, Content]:
    """Return the files of a run that are compared: its tables too, as far as they say more than its metrics."""
    tables = {
        path: table.content
        for path, table in own.tables.items()
        if table.has_texts or path in other.tables or path in other.files
    }
    return _without_seconds(tables | dict(own.files))


def _without_seconds(files: Mapping[str, Content]) -> dict[str, Content]:
    """Take the second out of the names of plots; several of one name are numbered."""
    named: dict[str, Content] = {}
    for name, content in sorted(files.items()):
        plot = _PLOT.fullmatch(name)
        stem, ending = plot.groups() if plot else (name, "")
        free = stem + ending
        number = 1
        while free in named or (plot and free in files):
            number += 1
            free = f"{stem}_{number}.png"
        named[free] = content
    return named


# -- words ---------------------------------------------------------------------------------------------------------

_WIDTH = 100
"""Characters that are shown of a text."""
_BEFORE = 20
"""Of those that come before the first that differs."""


def _windows(old: str | None, new: str | None) -> tuple[str | None, str | None]:
    """Cut two texts to what shows in what they differ."""
    first = _first_other(old or "", new or "")
    return _window(old, first), _window(new, first)


def _first_other(old: Sequence[str], new: Sequence[str]) -> int:
    return next((at for at, (before, after) in enumerate(zip_longest(old, new)) if before != after), 0)


def _window(text: str | None, first: int) -> str | None:
    if text is None or len(text) <= _WIDTH:
        return text
    start = min(max(0, first - _BEFORE), len(text) - _WIDTH)
    end = start + _WIDTH
    return "…" * (start > 0) + text[start:end] + "…" * (end < len(text))
