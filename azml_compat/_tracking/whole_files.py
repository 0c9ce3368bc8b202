"""MLflow's file store made to write whole files.

It makes a run, its description, its tags and the first point of a metric in place: a process that dies at that moment
leaves something that MLflow cannot read, and often the whole run with it. Here they are made beside their place and
then moved there.
"""

from __future__ import annotations

import contextlib
import copy
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_METHODS = (
    *("create_run", "get_run", "set_tag", "_set_run_tag", "_overwrite_run_info", "_log_run_metric"),
    *("_get_tag_path", "_get_metric_path", "_get_run_dir"),
)
_DRAFTS = "datasets"
"""The folder of an experiment in which runs are made: the one in which MLflow looks for nothing but what it knows."""
_DESCRIPTION = "meta.yaml"


def write_whole_files(client: Any) -> None:
    """Have the file store of a client write whole files; a store of another kind, or another make, stays as it is."""
    store = getattr(getattr(client, "_tracking_client", None), "store", None)
    if store is None or not all(hasattr(type(store), name) for name in _METHODS):
        return
    whole = _WholeFiles(store)
    store.create_run = whole.create_run
    store._set_run_tag = whole.set_run_tag
    store._overwrite_run_info = whole.overwrite_run_info
    store._log_run_metric = whole.log_run_metric


class _WholeFiles:
    """Methods that take the place of those of a file store: each lets the original write elsewhere, and moves that."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._original = type(store)

    @contextmanager
    def _draft(self, place: str) -> Iterator[tuple[Any, Path]]:
        """Give a copy of the store, to be led elsewhere, and a new folder on the file system of `place`."""
        folder = Path(tempfile.mkdtemp(prefix=".azml_compat-", dir=place))
        try:
            yield copy.copy(self._store), folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def create_run(self, experiment_id: str, *arguments: Any, **options: Any) -> Any:
        store = self._store
        place = store._get_run_dir(experiment_id, _DRAFTS) if experiment_id else None
        if place is None:
            return self._original.create_run(store, experiment_id, *arguments, **options)
        Path(place).mkdir(exist_ok=True)
        with self._draft(place) as (draft, folder):

            def set_tag(run_id: str, tag: Any) -> None:
                self._original._set_run_tag(draft, SimpleNamespace(experiment_id=experiment_id, run_id=run_id), tag)

            draft._get_run_dir = lambda _, run_id: str(folder / run_id)
            draft.set_tag = set_tag
            draft.get_run = lambda run_id: run_id
            run_id = self._original.create_run(draft, experiment_id, *arguments, **options)
            (folder / run_id).rename(store._get_run_dir(experiment_id, run_id))
        return store.get_run(run_id)

    def set_run_tag(self, run_info: Any, tag: Any) -> None:
        path = Path(self._store._get_tag_path(run_info.experiment_id, run_info.run_id, tag.key))
        with self._draft(self._run_dir(run_info)) as (draft, folder):
            draft._get_tag_path = lambda *_: str(folder / "tag")
            self._original._set_run_tag(draft, run_info, tag)
            path.parent.mkdir(parents=True, exist_ok=True)
            (folder / "tag").replace(path)

    def overwrite_run_info(self, run_info: Any, *arguments: Any, **options: Any) -> None:
        path = Path(self._run_dir(run_info)) / _DESCRIPTION
        with self._draft(self._run_dir(run_info)) as (draft, folder):
            draft._get_run_dir = lambda *_: str(folder)
            self._original._overwrite_run_info(draft, run_info, *arguments, **options)
            (folder / _DESCRIPTION).replace(path)

    def log_run_metric(self, run_info: Any, metric: Any) -> None:
        path = Path(self._store._get_metric_path(run_info.experiment_id, run_info.run_id, metric.key))
        if not path.exists():
            with self._draft(self._run_dir(run_info)) as (draft, folder):
                draft._get_metric_path = lambda *_: str(folder / "metric")
                self._original._log_run_metric(draft, run_info, metric)
                # A file that another process has made meanwhile must not be replaced.
                with contextlib.suppress(OSError):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.hardlink_to(folder / "metric")
                    return
        # One small write to a file that is there is whole, or was not made.
        self._original._log_run_metric(self._store, run_info, metric)

    def _run_dir(self, run_info: Any) -> str:
        path: str = self._store._get_run_dir(run_info.experiment_id, run_info.run_id)
        return path
