"""Registering files of a run in the MLflow registry, as a version that never changes afterwards."""

from __future__ import annotations

import posixpath
import re
from datetime import datetime, timezone
from typing import Any

from azml_compat import _names
from azml_compat._files import RunFiles
from azml_compat._refused import refusal
from azml_compat._tags import encode_tags
from azml_compat._tracking import ModelRecord, RunRecord, Store
from azml_compat.core.model import Model
from azml_compat.exceptions import ModelPathNotFoundException, WebserviceException

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-\._]{0,254}")


class RegisteredModel(Model):  # type: ignore[misc]  # the stand-in of azureml.core.Model until models are there
    """A version of a model that `run.register_model` made."""

    # Attributes, not a constructor: calling the stand-in refuses, as it must for users.
    name: str
    version: int
    id: str
    description: str
    tags: dict[str, Any]
    properties: dict[str, Any]
    model_framework: str | None
    model_framework_version: str | None
    created_time: datetime
    run_id: str | None
    experiment_name: str
    workspace: Any
    url: str

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            raise refusal(f"azureml.core.Model.{name}")
        raise AttributeError(name)

    def __repr__(self) -> str:
        return (
            f"Model(workspace={self.workspace!r}, name={self.name}, id={self.id}, version={self.version}, "
            f"tags={self.tags}, properties={self.properties})"
        )


def register(
    store: Store,
    run: RunRecord,
    entries: list[tuple[str, str]],
    *,
    workspace: Any,
    experiment_name: str,
    name: str,
    path: str | None,
    tags: dict[str, Any] | None,
    properties: dict[str, Any] | None,
    framework: str | None,
    framework_version: str | None,
    description: str | None,
) -> RegisteredModel:
    """Copy the files below `path` among `entries` (name, stored path) and register the copy."""
    _check(name, tags, properties, framework, framework_version)
    wanted = posixpath.normpath((path or name).replace("\\", "/"))
    chosen = [(file, stored) for file, stored in entries if file == wanted or file.startswith(f"{wanted}/")]
    if not chosen:
        available = ", ".join(file for file, _ in entries)
        raise ModelPathNotFoundException(
            f"Could not locate the provided model_path {path or name} in the set of files uploaded to the run: "
            f"[{available}]"
        )
    folder = _copy(RunFiles(store, run.id), chosen, posixpath.dirname(wanted), f"{_names.PATH_MODELS}/{name}")
    version_tags = {
        key: str(value)
        for key, value in {
            **encode_tags({key: None if value is None else str(value) for key, value in (tags or {}).items()}),
            **{f"{_names.TAG_SHOWN}property.{key}": value for key, value in (properties or {}).items()},
            f"{_names.TAG_SHOWN}framework": framework,
            f"{_names.TAG_SHOWN}framework_version": framework_version,
            f"{_names.TAG_SHOWN}experiment": experiment_name,
        }.items()
        if value is not None
    }
    copied = posixpath.join(folder, posixpath.basename(wanted))
    version = store.register_model(name, f"runs:/{run.id}/{copied}", run.id, version_tags, description)
    return _model(version, workspace, experiment_name, tags, properties, framework, framework_version)


def _check(name: Any, tags: Any, properties: Any, framework: Any, framework_version: Any) -> None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise WebserviceException(
            f"The model name {name!r} is not valid: it takes letters, digits, `-`, `.` and `_`, begins with a letter "
            "or digit, and has at most 255 characters."
        )
    for what, value in (("tags", tags), ("properties", properties)):
        if value is not None and not isinstance(value, dict):
            raise WebserviceException(f"The {what} of a model must be a dict, not {type(value)}.")
    if framework_version is not None and framework is None:
        raise WebserviceException("model_framework_version needs model_framework.")


def _copy(files: RunFiles, chosen: list[tuple[str, str]], parent: str, target: str) -> str:
    """Copy stored files into a new folder below `target`; return it."""
    number = 1
    while files.find(f"{target}/{number}") is not None:
        number += 1
    folder = f"{target}/{number}"
    for _, stored in chosen:
        with files.fetched(stored) as local:
            files.put(local, posixpath.join(folder, posixpath.relpath(stored, parent or ".")))
    return folder


def _model(
    version: ModelRecord,
    workspace: Any,
    experiment_name: str,
    tags: dict[str, Any] | None,
    properties: dict[str, Any] | None,
    framework: str | None,
    framework_version: str | None,
) -> RegisteredModel:
    model = RegisteredModel.__new__(RegisteredModel)
    model.name = version.name
    model.version = version.version
    model.id = f"{version.name}:{version.version}"
    model.description = version.description
    model.tags = dict(tags or {})
    model.properties = dict(properties or {})
    model.model_framework = framework
    model.model_framework_version = framework_version
    model.created_time = datetime.fromtimestamp(version.created_time / 1000, timezone.utc)
    model.run_id = version.run_id
    model.experiment_name = experiment_name
    model.workspace = workspace
    model.url = f"models:/{version.name}/{version.version}"
    return model
