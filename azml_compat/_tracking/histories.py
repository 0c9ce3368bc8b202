"""Reading every point of many keys, the cheapest way that a kind of store has.

`MlflowClient.get_metric_history` reads one key: a request each on a server, a look-up of the run each in a folder, and
in a database an object of SQLAlchemy and one of MLflow for each point. What is here gives the same points in the same
order. It goes through what the open store is made of; where a version of MLflow is made of something else, that call
is made for each key.
"""

from __future__ import annotations

import contextvars
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from azml_compat._metrics import Point

Histories: TypeAlias = dict[str, dict[str, list[Point]]]
"""The points of each key of each run."""

_T = TypeVar("_T")
_R = TypeVar("_R")

_RUNS_PER_QUERY = 500
_FEW_KEYS = 20
"""Up to so many are asked for one by one; for more, everything that a run has is read."""
_EXACT_DATABASES = ("sqlite", "postgresql")
"""Others may take keys that differ only in case for one, so that they are asked for one by one."""

_ENDPOINT = "/api/2.0/mlflow/metrics/get-history"
_POINTS_PER_PAGE = 25_000
"""MLflow's own number. It must be said: a server of 3.9 gives endless empty pages when it is not."""
_BROKEN_SECONDS = 1.0
"""A request that failed within so short a time has not waited for an answer."""
_THREADS = 6
"""`mlflow server` answers after 50 ms what takes it 10, so that others fit in between; more gain nothing."""


def read_histories(client: Any, wanted: Mapping[str, Sequence[str]]) -> Histories:
    """Return every point of the keys `wanted` of each run.

    Args:
        client: An MlflowClient.
        wanted: The keys, by run id.
    """
    store = getattr(getattr(client, "_tracking_client", None), "store", None)
    for read in (_from_database, _from_server, _from_folder):
        found = read(store, wanted)
        if found is not None:
            return found
    return {
        run_id: {key: _points(key, client.get_metric_history(run_id, key)) for key in keys}
        for run_id, keys in wanted.items()
    }


def _points(key: str, metrics: Iterable[Any]) -> list[Point]:
    return [Point(key, metric.value, metric.timestamp, metric.step) for metric in metrics]


def _loaded(module: str, name: str) -> Any:
    """Return something of a module that the open store has imported; None where there is no such thing."""
    return getattr(sys.modules.get(module), name, None)


# -- databases ------------------------------------------------------------------------------------------------


def _from_database(store: Any, wanted: Mapping[str, Sequence[str]]) -> Histories | None:
    """Read the columns of MLflow's table of metrics themselves."""
    table = _loaded("mlflow.store.tracking.dbmodels.models", "SqlMetric")
    if table is None or not hasattr(store, "ManagedSessionMaker"):
        return None
    found: Histories = {run_id: {key: [] for key in keys} for run_id, keys in wanted.items()}
    with store.ManagedSessionMaker() as session:
        for runs in _chunks(list(wanted), _RUNS_PER_QUERY):
            keys = sorted({key for run_id in runs for key in wanted[run_id]})
            query = (
                session.query(table.run_uuid, table.key, table.value, table.timestamp, table.step, table.is_nan)
                .filter(table.run_uuid.in_(runs))
                .order_by(table.timestamp, table.step, table.value)
            )
            if len(keys) > _FEW_KEYS and getattr(store, "db_type", None) in _EXACT_DATABASES:
                _sort_rows(query, found, None)
                continue
            for key in keys:
                # Not "=", for which sqlite takes the index that has the points of the key in all runs.
                _sort_rows(query.filter(table.key.between(key, key)), found, key)
    return found


def _sort_rows(query: Any, found: Histories, asked: str | None) -> None:
    """Append each row to the points of its run and key, if they are wanted; `asked` is the key of all rows."""
    for run_id, stored, value, timestamp, step, is_nan in query:
        key = stored if asked is None else asked
        points = found[run_id].get(key)
        if points is not None:
            points.append(Point(key, math.nan if is_nan else value, timestamp, step))


def _chunks(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


# -- servers --------------------------------------------------------------------------------------------------


def _from_server(store: Any, wanted: Mapping[str, Sequence[str]]) -> Histories | None:
    """Ask MLflow's REST API, several keys at a time, and take the numbers from the JSON as they are."""
    request = _loaded("mlflow.utils.rest_utils", "http_request")
    verify = _loaded("mlflow.utils.rest_utils", "verify_rest_response")
    if request is None or verify is None or not hasattr(store, "get_host_creds"):
        return None

    def ask(asked: tuple[str, str]) -> list[Point]:
        run_id, key = asked
        query: dict[str, str | int] = {"run_id": run_id, "metric_key": key, "max_results": _POINTS_PER_PAGE}
        points: list[Point] = []
        while True:
            page = _body(_again(lambda: request(store.get_host_creds(), _ENDPOINT, "GET", params=query)), verify)
            # Big integers may come as strings, and NaN and infinity do.
            points += [
                Point(key, float(metric["value"]), int(metric["timestamp"]), int(metric.get("step", 0)))
                for metric in page.get("metrics", ())
            ]
            token = page.get("next_page_token")
            if not token:
                return points
            query["page_token"] = token

    asked = [(run_id, key) for run_id, keys in wanted.items() for key in keys]
    found: Histories = {run_id: {} for run_id in wanted}
    for (run_id, key), points in zip(asked, _in_threads(ask, asked), strict=True):
        found[run_id][key] = points
    return found


def _again(request: Callable[[], _R]) -> _R:
    """Ask once more where the connection broke: so much that is read already must not be lost for it."""
    began = time.monotonic()
    try:
        return request()
    except Exception:
        if time.monotonic() - began > _BROKEN_SECONDS:
            raise
    return request()


def _body(response: Any, verify: Callable[[Any, str], Any]) -> Any:
    """Return the JSON of an answer; MLflow says what is wrong with one that has none, or that is a refusal."""
    if response.status_code == 200:
        try:
            return json.loads(response.content)
        except ValueError:
            pass
    return verify(response, _ENDPOINT).json()


def _in_threads(call: Callable[[_T], _R], items: Sequence[_T]) -> list[_R]:
    """Call for each item, several at a time, until one fails; in this thread where no others can be had.

    The interpreter starts no threads while it exits, and an exit hook may read.
    """
    has_failed = False

    def call_next(item: _T) -> _R:
        nonlocal has_failed
        if has_failed:
            # A server that hangs would keep those that follow waiting too. Nobody sees this: the first error is raised.
            raise RuntimeError("another request has failed")
        try:
            return call(item)
        except BaseException:
            has_failed = True
            raise

    if len(items) > 1:
        pool = None
        try:
            from concurrent.futures import ThreadPoolExecutor

            pool = ThreadPoolExecutor(min(_THREADS, len(items)))
            # With the caller's context, in which MLflow keeps its workspace.
            futures = [pool.submit(contextvars.copy_context().run, call_next, item) for item in items]
        except RuntimeError:
            if pool is not None:
                pool.shutdown(cancel_futures=True)
        else:
            try:
                return [future.result() for future in futures]
            finally:
                pool.shutdown(cancel_futures=True)
    return [call(item) for item in items]


# -- folders --------------------------------------------------------------------------------------------------


def _from_folder(store: Any, wanted: Mapping[str, Sequence[str]]) -> Histories | None:
    """Find each run once, and read its files as MLflow's file store does."""
    read_lines = _loaded("mlflow.utils.file_utils", "read_file_lines")
    parts = ("_get_run_info", "_get_run_files", "_get_metric_from_line")
    if read_lines is None or not all(hasattr(store, part) for part in parts):
        return None
    found: Histories = {}
    for run_id, keys in wanted.items():
        found[run_id] = {}
        info = store._get_run_info(run_id)
        folder, files = store._get_run_files(info, "metric")
        there = set(files)
        for key in keys:
            lines = read_lines(folder, key) if key in there else ()
            metrics = [store._get_metric_from_line(run_id, key, line, info.experiment_id) for line in lines]
            found[run_id][key] = _points(key, metrics)
    return found
