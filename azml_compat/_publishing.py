"""Putting a run's views into the store: tables, pictures and params, beside the metrics they show."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Collection, Iterable
from typing import Any

from azml_compat import _names, _views
from azml_compat._files import RunFiles, stored_path
from azml_compat._metrics import decode, escape_key, escape_path, names_of
from azml_compat._metrics.keys import KeyTable
from azml_compat._metrics.records import ArtifactRecord, CellRecord, KeyRecord, Record
from azml_compat._reading import read_metrics
from azml_compat._reporting import reported
from azml_compat._sidecar import read_sidecar
from azml_compat._tracking import RunRecord, Store
from azml_compat._tracking.errors import is_away

_MAX_LISTED_TABLES = 4000
"""Characters of the tag that makes MLflow's UI draw a JSON file as a table; MLflow cuts it at 5,000 or 8,000."""


def publish_all(store: Store, run: RunRecord) -> None:
    """Put all views of a run into the store, as its end does; what fails is reported and left out.

    Raises:
        ServiceException: the store cannot be reached (`status_code` 503), so that it is to be done again.
    """
    with reported("Cannot write the tables and pictures of the run", unless=is_away):
        publish_views(store, run, _names_with_views(read_sidecar(store, run)), unless=is_away)
    with reported("Cannot show the strings of the run as params", unless=is_away):
        publish_params(store, run)


def _names_with_views(records: Iterable[Record]) -> set[str]:
    return {
        record.name
        for record in records
        if isinstance(record, (ArtifactRecord, CellRecord))
        or (isinstance(record, KeyRecord) and record.column is not None)
    }


def publish_views(
    store: Store, run: RunRecord, names: Collection[str], *, unless: Callable[[Exception], bool] | None = None
) -> None:
    """Render the tables and pictures of the metrics called `names`.

    One that fails is reported and left out; an error for which `unless` holds is raised.
    """
    files = RunFiles(store, run.id)
    tables = []
    for name in sorted(names):
        with reported(f"Cannot show metric {name!r}", unless=unless):
            value = read_metrics(store, run, lambda record: record, name).get(name)
            if isinstance(value, ArtifactRecord):
                _publish_picture(files, value)
            elif (table := _views.table(value)) is not None:
                path = f"{_names.PATH_TABLES}/{escape_path(name, strict=True)}.json"
                files.put(io.BytesIO(table.encode()), path)
                tables.append(path)
    if tables:
        _list_tables(store, run, tables)


def _publish_picture(files: RunFiles, record: ArtifactRecord) -> None:
    path = f"{_names.PATH_PICTURES}/{escape_path(record.name, strict=True)}.png"
    if not _views.can_draw(record.kind) or files.find(path) is not None:
        return
    image = _views.picture(record.kind, json.loads(files.read_text(stored_path(record.path))))
    if image is not None:
        files.put(io.BytesIO(image), path)


def _list_tables(store: Store, run: RunRecord, paths: list[str]) -> None:
    """MLflow's UI draws a JSON file as a table when this tag names it."""
    try:
        listed: list[Any] = json.loads(run.tags.get(_names.TAG_LOGGED_ARTIFACTS) or "[]")
    except ValueError:
        # MLflow cut the list of another writer: nothing can be added to it.
        return
    known = {entry.get("path") for entry in listed if isinstance(entry, dict)}
    before = len(listed)
    for path in paths:
        entry = {"path": path, "type": "table"}
        if path not in known and len(json.dumps([*listed, entry])) <= _MAX_LISTED_TABLES:
            listed.append(entry)
    if len(listed) > before:
        store.set_run_tags(run.id, {_names.TAG_LOGGED_ARTIFACTS: json.dumps(listed)})


def publish_params(store: Store, run: RunRecord) -> None:
    """Show every string or None that was logged exactly once as a param.

    Params cannot change, so only a run's end knows.
    """
    records = read_sidecar(store, run)
    texts = {
        record.name
        for record in records
        if isinstance(record, CellRecord) and record.column is None and _is_text(record.value)
    }
    if not texts:
        return
    keys = names_of((latest.key for latest in run.latest), records)
    single = decode({}, records, is_foreign=False, artifact=lambda record: record)
    # A file store cannot hold a param below another, as it cannot hold such metrics.
    table = KeyTable()
    for key in run.params:
        table.adopt(key, None, key)
    params = {
        table.assign(name, None): _printable(str(single[name]))
        for name in sorted(texts)
        if not keys[name] and _is_text(single[name]) and escape_key(name) not in run.params
    }
    store.log_params(run.id, params)


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _printable(text: str) -> str:
    """Return a text that every store takes; lone surrogates are not."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
