"""The runs of a store as what they have recorded."""

from __future__ import annotations

import hashlib
import json
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

from azml_compat import _names, _search
from azml_compat._files import RunFiles, digest, shown_name
from azml_compat._sidecar import read_sidecar
from azml_compat._tracking import RunRecord, Store
from azml_compat._tracking.mlflow_api import is_made_up_name
from azml_compat._tracking.records import ModelRecord
from azml_compat._verify.records import Content, Point, Recorded, Series, Table

_T = TypeVar("_T")

_OWN_LOGS = (_names.USER_LOG, *(folder for folder in _names.LOG_FOLDERS if folder != "logs/"))
"""Files in which the output of a script is kept: `with run` does so, and who submits it."""
_MACHINE_METRICS = "system/"
"""Begins the names of what MLflow says of the machine, where it is asked to."""
_MAX_PARSED = 20_000_000
"""Bytes of a file up to which it is read as JSON or as a picture."""
_MAX_SHOWN = 4000
"""Characters that are kept of a text, to show where another differs."""


def runs_since(store: Store, moment: int) -> list[RunRecord]:
    """Return the runs of all experiments that were started at a moment (milliseconds since the epoch) or later."""
    experiments = [found.id for found in store.list_experiments() if found.name != _names.EXPERIMENT_RESERVED]
    return list(store.search_runs(experiments, f"attributes.start_time >= {moment}")) if experiments else []


def find_with_descendants(store: Store, run_id: str) -> list[RunRecord]:
    """Return a run, by MLflow's id or by the one that a script chose for it, and all below it.

    Raises:
        LookupError: there is none.
    """
    run = store.find_run(run_id) or _search.find_run(store, run_id)
    if run is None:
        raise LookupError(f"there is no run {run_id}")
    return [run, *_search.descendants(store, run)]


def read(store: Store, runs: Sequence[RunRecord], *, with_experiments: bool = True) -> list[Recorded]:
    """Return what runs have recorded: those whose parent is not among them, each with the others below it.

    In the order in which they were started; several of one millisecond are in that of what they say.
    """
    experiments = {run.experiment_id: store.get_experiment(run.experiment_id).name for run in runs}
    histories = store.histories({run.id: _keys(run) for run in runs})
    models = _models(store, {run.id for run in runs})
    below: dict[str | None, list[RunRecord]] = {}
    known = {run.id for run in runs}
    for run in runs:
        parent = run.tags.get(_names.TAG_PARENT)
        below.setdefault(parent if parent in known else None, []).append(run)

    def recorded(run: RunRecord) -> Recorded:
        name = run.tags.get(_names.TAG_RUN_NAME, "")
        files, tables = _files(store, run)
        return Recorded(
            experiment=experiments[run.experiment_id] if with_experiments else "",
            status=run.status,
            name=None if not name or is_made_up_name(name) else name,
            description=run.tags.get(_names.TAG_NOTE, ""),
            metrics={key: _series(points) for key, points in sorted(histories[run.id].items())},
            params=dict(sorted(run.params.items())),
            tags={key: value for key, value in sorted(run.tags.items()) if not key.startswith(_HIDDEN_TAGS)},
            files=files,
            tables=tables,
            models=tuple(model.name for model in models.get(run.id, ())),
            children=tuple(in_order(below.get(run.id, ()))),
        )

    def in_order(found: Iterable[RunRecord]) -> Iterator[Recorded]:
        for _, of_one_moment in groupby(sorted(found, key=_started), _started):
            yield from sorted(map(recorded, of_one_moment), key=repr)

    return list(in_order(below.get(None, ())))


_HIDDEN_TAGS = ("mlflow.", _names.TAG_SHOWN)
"""Begin the keys of tags that no script sets."""


def _started(run: RunRecord) -> int:
    return run.start_time


def _keys(run: RunRecord) -> list[str]:
    return [latest.key for latest in run.latest if not latest.key.startswith(_MACHINE_METRICS)]


def _series(points: Iterable[Any]) -> Series:
    moments = groupby(points, key=lambda point: point.timestamp)
    return tuple(tuple(Point(point.step, point.value) for point in moment) for _, moment in moments)


def _models(store: Store, runs: set[str]) -> Mapping[str, list[ModelRecord]]:
    found: dict[str, list[ModelRecord]] = {}
    for version in reversed(store.model_versions()):
        if version.run_id in runs:
            found.setdefault(version.run_id, []).append(version)
    return found


# -- files ---------------------------------------------------------------------------------------------------------


def _files(store: Store, run: RunRecord) -> tuple[dict[str, Content], dict[str, Table]]:
    """Return the files of a run by the names that it gave them, and what the facade has added as tables."""
    own = RunFiles(store, run.id)
    names = own.entries(lambda: read_sidecar(store, run))
    tables: dict[str, Table] = {}
    with tempfile.TemporaryDirectory(prefix="azml_compat-") as folder:

        def fetched(path: str, look: Callable[[Path], _T]) -> _T:
            local = store.download(run.id, path, Path(folder))
            try:
                return look(local)
            finally:
                local.unlink()

        if _names.TAG_FORMAT in run.tags:
            for file in store.list_artifacts(run.id, _names.PATH_TABLES):
                path = file.path.removeprefix(f"{_names.PATH_RESERVED}/")
                tables[shown_name(path)] = fetched(file.path, _table)  # as a file of that path would be shown
        return {name: fetched(path, content_of) for name, path in names if not name.startswith(_OWN_LOGS)}, tables


def _table(file: Path) -> Table:
    rows = json.loads(file.read_bytes())["data"]
    return Table(content_of(file), any(isinstance(cell, str) for row in rows for cell in row))


def content_of(file: Path) -> Content:
    """Return what is in a file."""
    size = file.stat().st_size
    if size > _MAX_PARSED:
        return Content(digest(file), f"{size:,} bytes")
    raw = file.read_bytes()
    picture = _pixels(file) if raw.startswith(b"\x89PNG") else None
    if picture is not None:
        return Content(_digest(picture), f"a picture, {size:,} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return Content(_digest(raw), f"{size:,} bytes, {_digest(raw)[:12]}")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Content(_digest(raw), text[:_MAX_SHOWN])
    canonical = json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)
    return Content(_digest(canonical.encode()), canonical[:_MAX_SHOWN])


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _plain(value: Any) -> Any:
    """Return JSON with a whole number written in one way."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _pixels(file: Path) -> bytes | None:
    """Return the size and pixels of a picture; None where it cannot be read."""
    try:
        from PIL import Image
    except ImportError:
        return None
    try:
        with warnings.catch_warnings(), Image.open(file) as image:
            warnings.simplefilter("ignore")
            pixels: bytes = image.convert("RGBA").tobytes()
            return repr(image.size).encode() + pixels
    except (OSError, SyntaxError, ValueError):
        return None
