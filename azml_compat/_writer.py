"""The writer of a run: the one way by which log calls reach the store.

One writer serves all `Run` objects of one run in one process. `append` returns when the store has the values: records
of the sidecar first, then the points they describe.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Sequence

from azml_compat._metrics import Batch, Column, Encoder
from azml_compat._metrics.encode import Lane
from azml_compat._metrics.records import Record
from azml_compat._sidecar import SidecarWriter, read_sidecar
from azml_compat._tracking import RunRecord, Store

_IMPORTED_BY = os.getpid()


class RunWriter:
    """Writes the metrics of one run, from any thread of this process.

    Args:
        store: Where the run is.
        run: The run.
        is_owner: This process created the run, just now; otherwise what it holds is continued.
    """

    def __init__(self, store: Store, run: RunRecord, *, is_owner: bool) -> None:
        self.run_id = run.id
        self._store = store
        self._lock = threading.Lock()
        # A forked child has a copy of the owner's Run, and writes beside it.
        is_owner = is_owner and os.getpid() == _IMPORTED_BY
        self._encoder = Encoder(Lane.of_owner() if is_owner else Lane.of_guest(os.getpid()))
        if not is_owner:
            # `run` may have been read long ago, and other writers went on since.
            run = store.get_run(run.id)
            self._encoder.adopt(read_sidecar(store, run), run.latest)
        self._sidecar = SidecarWriter(store, run.id, uuid.uuid4().hex[:12])
        self._with_view: set[str] = set()

    def append(self, name: str, columns: Sequence[Column], step: int | None = None) -> None:
        """Log `columns`, all of one length, as rows of metric `name`."""
        with self._lock:
            for batch in self._encoder.encode(name, columns, step):
                self._write(batch)
            if _has_view(name, columns):
                self._with_view.add(name)

    def append_artifact(self, name: str, path: str, kind: str) -> None:
        """Log the run's file `path` as a row of metric `name`."""
        with self._lock:
            self._write(self._encoder.encode_artifact(name, path, kind))
            self._with_view.add(name)

    def append_record(self, record: Record) -> None:
        """Add a record that describes no metric."""
        with self._lock:
            self._write(Batch([record]))

    def take_changed_views(self) -> set[str]:
        """Return the names of the metrics with a table or picture that grew since the last call."""
        with self._lock:
            names, self._with_view = self._with_view, set()
            return names

    def flush(self, timeout_seconds: float) -> None:
        """Return when everything logged is in the store, within `timeout_seconds`."""
        # Every append has already reached the store when it returns.

    def _write(self, batch: Batch) -> None:
        if batch.records or self._sidecar.is_behind:
            self._sidecar.append(batch.records)
        if batch.points:
            self._store.log_points(self.run_id, batch.points)


def _has_view(name: str, columns: Sequence[Column]) -> bool:
    return any(
        column.name != name or any(cell is None or isinstance(cell, str) for cell in column.cells) for column in columns
    )
