"""Reading metrics back: the run and its sidecar decoded into what `get_metrics` returns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from azml_compat import _names
from azml_compat._metrics import Record, decode, names_of
from azml_compat._metrics.records import ArtifactRecord, PathRecord
from azml_compat._sidecar import read_sidecar
from azml_compat._tracking import RunRecord, Store


def read_metrics(
    store: Store, run: RunRecord, artifact: Callable[[ArtifactRecord], Any], name: str | None = None
) -> dict[str, Any]:
    """Return the metrics of a run by name, or only the one called `name`; `artifact` makes the value of a file row."""
    records = read_sidecar(store, run)
    keys = names_of((latest.key for latest in run.latest), records)
    if name is not None:
        keys = {name: keys[name]} if name in keys else {}
        records = [record for record in records if _is_about(record, name)]
    points = {key: store.history(run.id, key) for of_name in keys.values() for key in of_name}
    return decode(points, records, is_foreign=_names.TAG_FORMAT not in run.tags, artifact=artifact)


def _is_about(record: Record, name: str) -> bool:
    return not isinstance(record, PathRecord) and record.name == name
