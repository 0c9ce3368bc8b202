"""The only file that imports mlflow, and only when something is first asked of it.

mlflow's stubs are partial, so its objects are `Any` here; the rest of the package sees `records`.
"""

from __future__ import annotations

import functools
import importlib
import json
import sys
from collections.abc import Sequence
from typing import Any


@functools.cache
def _entities() -> Any:
    return importlib.import_module("mlflow.entities")


def load() -> None:
    """Import mlflow, which takes a second or two."""
    importlib.import_module("mlflow")


def connect(uri: str) -> Any:
    """Return an MlflowClient for both the tracking store and the model registry at `uri`."""
    return importlib.import_module("mlflow").MlflowClient(tracking_uri=uri, registry_uri=uri)


def artifact_repository(artifact_uri: str, tracking_uri: str) -> Any:
    """Return MLflow's access to the artifacts at `artifact_uri`, as MlflowClient makes it."""
    registry = importlib.import_module("mlflow.store.artifact.artifact_repository_registry")
    with_profile = importlib.import_module("mlflow.utils.uri").add_databricks_profile_info_to_artifact_uri
    return registry.get_artifact_repository(with_profile(artifact_uri, tracking_uri), tracking_uri=tracking_uri)


def serve_ui(arguments: Sequence[str]) -> int:
    """Be `mlflow ui`, in this process and its main thread, until it is interrupted; return the exit code."""
    command = importlib.import_module("mlflow.cli").cli
    try:
        command.main(["ui", *arguments], prog_name="mlflow")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def exception_types() -> tuple[type[Exception], ...]:
    """Return what MLflow raises, for an except clause; nothing while mlflow is not loaded.

    The artifact calls of a server raise requests' own exceptions.
    """
    mlflow, requests = sys.modules.get("mlflow.exceptions"), sys.modules.get("requests")
    found = [mlflow.MlflowException] if mlflow is not None else []
    return (*found, requests.RequestException) if requests is not None else tuple(found)


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


def is_made_up_name(name: str) -> bool:
    """Tell whether MLflow makes up such a name for a run that is given none: `adjective-noun-number`."""
    words = importlib.import_module("mlflow.utils.name_utils")
    adjective, _, rest = name.partition("-")
    noun, _, number = rest.partition("-")
    return number.isdecimal() and adjective in words._GENERATOR_PREDICATES and noun in words._GENERATOR_NOUNS


def end_fluent_run(run_id: str) -> None:
    """End a run as the script's own `mlflow.end_run` would, if it is the active one of the fluent API."""
    fluent = sys.modules.get("mlflow.tracking.fluent")
    active = fluent.active_run() if fluent is not None else None
    if fluent is not None and active is not None and active.info.run_id == run_id:
        fluent.end_run()


def dataset_input(name: str, digest: str, source_type: str, source: dict[str, Any], context: str) -> Any:
    """Return a DatasetInput entity."""
    entities = _entities()
    dataset = entities.Dataset(name=name, digest=digest, source_type=source_type, source=json.dumps(source))
    return entities.DatasetInput(dataset, [entities.InputTag("mlflow.data.context", context)])
