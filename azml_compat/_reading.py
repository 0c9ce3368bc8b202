"""Reading metrics back: runs and their sidecars decoded into what `get_metrics` returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azml_compat import _names
from azml_compat._metrics import Point, Record, decode, names_of, single_keys
from azml_compat._metrics.records import ArtifactRecord, PathRecord
from azml_compat._sidecar import read_sidecar
from azml_compat._tracking import RunRecord, Store

_RUNS_AT_ONCE = 200
"""Whose points are held in memory together."""


@dataclass(frozen=True)
class _Reading:
    """What is known of the metrics of one run before points are read."""

    run: RunRecord
    records: list[Record]
    keys: list[str]
    single: dict[str, Point]
    """The points of the keys that are known to have one; those of the others must be read."""

    def unread(self) -> list[str]:
        """Return the keys whose points must be read."""
        return [key for key in self.keys if key not in self.single]


def read_metrics(
    store: Store, run: RunRecord, artifact: Callable[[ArtifactRecord], Any], name: str | None = None
) -> dict[str, Any]:
    """Return the metrics of a run by name, or only the one called `name`; `artifact` makes the value of a file row."""
    [(_, metrics)] = read_metrics_of_runs(store, [run], lambda _, record: artifact(record), name)
    return metrics


def read_metrics_of_runs(
    store: Store,
    runs: Sequence[RunRecord],
    artifact: Callable[[RunRecord, ArtifactRecord], Any],
    name: str | None = None,
) -> Iterator[tuple[RunRecord, dict[str, Any]]]:
    """Yield each run with its metrics, as `read_metrics` returns them, in the order of `runs`."""
    for start in range(0, len(runs), _RUNS_AT_ONCE):
        readings = [_prepare(store, run, name) for run in runs[start : start + _RUNS_AT_ONCE]]
        found = store.histories({reading.run.id: reading.unread() for reading in readings})
        for reading in readings:
            yield reading.run, _decode(reading, found[reading.run.id], artifact)


def _prepare(store: Store, run: RunRecord, name: str | None) -> _Reading:
    records = read_sidecar(store, run)
    names = names_of((latest.key for latest in run.latest), records)
    if name is not None:
        names = {name: names[name]} if name in names else {}
        records = [record for record in records if _is_about(record, name)]
    keys = [key for of_name in names.values() for key in of_name]
    # A database or a folder gives all points at once, so that nothing is gained by leaving some out.
    single = _single_points(run) if store.is_server else {}
    return _Reading(run, records, keys, single)


def _single_points(run: RunRecord) -> dict[str, Point]:
    """Return the points of the keys that the writer of the run has sealed, and nobody has touched."""
    seal = run.tags.get(_names.TAG_SINGLES)
    if not seal:
        return {}
    writers = {
        tag[len(_names.TAG_SIDECAR) :].rpartition(".")[0] for tag in run.tags if tag.startswith(_names.TAG_SIDECAR)
    }
    proven = single_keys(seal, run.latest, writers)
    return {latest.key: Point(*latest) for latest in run.latest if latest.key in proven}


def _decode(
    reading: _Reading,
    histories: Mapping[str, Sequence[Point]],
    artifact: Callable[[RunRecord, ArtifactRecord], Any],
) -> dict[str, Any]:
    return decode(
        {key: [reading.single[key]] if key in reading.single else histories[key] for key in reading.keys},
        reading.records,
        is_foreign=_names.TAG_FORMAT not in reading.run.tags,
        artifact=lambda record: artifact(reading.run, record),
    )


def _is_about(record: Record, name: str) -> bool:
    return not isinstance(record, PathRecord) and record.name == name
