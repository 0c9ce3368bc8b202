"""The only file that imports mlflow, and only when something is first asked of it.

mlflow's stubs are partial, so its objects are `Any` here; the rest of the package sees `records`.
"""

from __future__ import annotations

import functools
import importlib
import sys
from typing import Any


@functools.cache
def _entities() -> Any:
    return importlib.import_module("mlflow.entities")


def connect(uri: str) -> Any:
    """Return an MlflowClient for both the tracking store and the model registry at `uri`."""
    return importlib.import_module("mlflow").MlflowClient(tracking_uri=uri, registry_uri=uri)


def exception_type() -> tuple[type[Exception], ...]:
    """Return MLflow's exception class for an except clause; nothing while mlflow is not loaded."""
    module = sys.modules.get("mlflow.exceptions")
    return (module.MlflowException,) if module is not None else ()


def metric(key: str, value: float, timestamp: int, step: int) -> Any:
    """Return a Metric entity."""
    return _entities().Metric(key, value, timestamp, step)


def param(key: str, value: str) -> Any:
    """Return a Param entity."""
    return _entities().Param(key, value)


def run_tag(key: str, value: str) -> Any:
    """Return a RunTag entity."""
    return _entities().RunTag(key, value)


def view_type(name: str) -> Any:
    """Return ViewType.ACTIVE_ONLY, DELETED_ONLY or ALL."""
    return getattr(_entities().ViewType, name)


def chosen_tracking_uri() -> str | None:
    """Return what the script gave to mlflow.set_tracking_uri, if it uses mlflow itself."""
    mlflow = sys.modules.get("mlflow")
    if mlflow is None or not hasattr(mlflow, "is_tracking_uri_set") or not mlflow.is_tracking_uri_set():
        return None
    uri: str = mlflow.get_tracking_uri()
    return uri
