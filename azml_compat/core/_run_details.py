"""Looking at a run for `azureml.widgets.RunDetails`: what can be learned of it within seconds."""

from __future__ import annotations

import json
import urllib.parse
from itertools import islice
from typing import TYPE_CHECKING, Any

from azml_compat import _names, _portal, _reporting, _runtime, _search, _status, _tags
from azml_compat._files import stored_path
from azml_compat._run_facts import Child, File, RunFacts
from azml_compat.core._run_base import id_of

if TYPE_CHECKING:
    from azml_compat._metrics.records import ArtifactRecord
    from azml_compat._tracking import RunRecord, Store
    from azml_compat.core._run_base import _RunBase

_PATIENCE = 3
"""Seconds for each answer of a server, and for delivering what was logged last."""
_MAX_CHILDREN = 1000


def look_at(run: _RunBase) -> RunFacts:
    """Return what is known of a run now. Never raises for the store, and does not wait for one that is away."""
    store = run._store
    record = run._record
    metrics: dict[str, Any] = {}
    children: list[Child] = []
    trouble = ""
    with store.patience(_PATIENCE):
        try:
            report = _runtime.flush(record, _PATIENCE, 0)
            if report.away is not None:
                raise report.away
            record = run._refresh()
            metrics = _metrics(store, record)
            children = [_child(store, found) for found in islice(_search.children(store, record), _MAX_CHILDREN + 1)]
            if not report.is_complete:
                trouble = "What was logged last is not in the store yet."
        except Exception as error:  # noqa: BLE001 - whatever it is, it is shown
            trouble = str(_reporting.message_of(error))
    return RunFacts(
        id=run.id,
        name=_display_name(record),
        experiment=run.experiment.name,
        url=run.get_portal_url(),
        status=_status.of(record),
        started=record.start_time,
        ended=record.end_time,
        error=_error(record),
        metrics=metrics,
        children=children[:_MAX_CHILDREN],
        has_more_children=len(children) > _MAX_CHILDREN,
        trouble=trouble,
    )


def _metrics(store: Store, record: RunRecord) -> dict[str, Any]:
    from azml_compat._reading import read_metrics

    def file(artifact: ArtifactRecord) -> File:
        return File(artifact.path, _url(store, record, f"artifacts/{urllib.parse.quote(stored_path(artifact.path))}"))

    return read_metrics(store, record, file)


def _child(store: Store, record: RunRecord) -> Child:
    return Child(
        id_of(record),
        _display_name(record),
        _portal.run_url(store, record.experiment_id, record.id),
        _status.of(record),
        record.start_time,
        record.end_time,
    )


def _url(store: Store, record: RunRecord, page: str) -> str:
    """Return the address of a page below a run's."""
    address, mark, query = _portal.run_url(store, record.experiment_id, record.id).partition("?")
    return f"{address}/{page}{mark}{query}"


def _display_name(record: RunRecord) -> str:
    return record.tags.get(_names.TAG_RUN_NAME) or id_of(record)


def _error(record: RunRecord) -> str:
    found = _tags.decode_text(record.tags, _names.TAG_ERROR)
    if not found or record.status != "FAILED":
        return ""
    error = json.loads(found)["error"]
    return str(error.get("message", error["code"]))
