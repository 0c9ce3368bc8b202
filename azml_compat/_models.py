"""Versions of models in the MLflow registry: what is registered, and what is read back.

A version points to files that belong to it alone, so that it never changes: files of a run are copied within the run,
and local ones go into a run of the experiment `azml_compat`, as MLflow has no other place that every machine can read.
"""

from __future__ import annotations

import json
import posixpath
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from azml_compat import _names
from azml_compat._files import RunFiles, local_files, shown_name, stored_path
from azml_compat._tags import (
    decode_properties,
    decode_tags,
    decode_text,
    encode_properties,
    encode_tags,
    encode_text,
    keys_to_delete,
)
from azml_compat._tracking import ModelRecord, Store
from azml_compat.exceptions import ModelPathNotFoundException, WebserviceException

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-\._]{0,254}")
_NOTE = "Files of models that were registered from a local folder. Deleting a run here deletes the files of a version."
_RUNS = "runs:/"
_FRAMEWORK = f"{_names.TAG_SHOWN}framework"
_FRAMEWORK_VERSION = f"{_names.TAG_SHOWN}framework_version"
_OF_EXPERIMENT = f"{_names.TAG_SHOWN}experiment"
_DEFAULT_FRAMEWORK = "Custom"


@dataclass(frozen=True)
class Description:
    """What is said of a model when it is registered, apart from its files.

    Attributes:
        tags: The tags; values become text.
        properties: The properties; values become text.
        description: A text.
        framework: Azure's name of a framework.
        framework_version: Its version.
        datasets: [scenario, id, name] of each dataset.
        sample_input: The id of a dataset.
        sample_output: The id of a dataset.
        resources: cpu, memory_in_gb and gpu.
        experiment: The name of the experiment whose run it is of.
        is_local: Whether its files were local ones; MLflow wants a run all the same.
    """

    tags: Mapping[str, Any] | None = None
    properties: Mapping[str, Any] | None = None
    description: str | None = None
    framework: str | None = None
    framework_version: str | None = None
    datasets: list[list[Any]] = field(default_factory=list)
    sample_input: str | None = None
    sample_output: str | None = None
    resources: dict[str, Any] | None = None
    experiment: str | None = None
    is_local: bool = False

    def changed(self, **changes: Any) -> Description:
        """Return a copy with other values."""
        return replace(self, **changes)

    def stored(self) -> dict[str, str]:
        """Return it as tags of a version."""
        shown = {
            _FRAMEWORK: self.framework,
            _FRAMEWORK_VERSION: self.framework_version,
            _OF_EXPERIMENT: self.experiment,
        }
        return {
            **encode_tags(texts(self.tags)),
            **encode_properties(texts(self.properties)),
            **{key: value for key, value in shown.items() if value is not None},
            **self.extras(),
        }

    def extras(self) -> dict[str, str]:
        """Return the tag with what MLflow has no word for; nothing where there is none of it."""
        known = {
            "datasets": self.datasets,
            "sample_input": self.sample_input,
            "sample_output": self.sample_output,
            "resources": self.resources,
            "is_local": self.is_local,
        }
        known = {key: value for key, value in known.items() if value}
        return encode_text(_names.TAG_MODEL, json.dumps(known)) if known else {}


def described(record: ModelRecord) -> Description:
    """Read what is said of a version; also of one that plain MLflow registered."""
    extras = json.loads(decode_text(record.tags, _names.TAG_MODEL) or "{}")
    return Description(
        tags=decode_tags(record.tags),
        properties=decode_properties(record.tags),
        description=record.description,
        framework=record.tags.get(_FRAMEWORK, _DEFAULT_FRAMEWORK),
        framework_version=record.tags.get(_FRAMEWORK_VERSION),
        datasets=extras.get("datasets", []),
        sample_input=extras.get("sample_input"),
        sample_output=extras.get("sample_output"),
        resources=extras.get("resources"),
        experiment=record.tags.get(_OF_EXPERIMENT),
        is_local=extras.get("is_local", False),
    )


def texts(values: Mapping[str, Any] | None) -> dict[str, str | None]:
    """Return tags or properties as they are stored: as texts."""
    return {str(key): None if value is None else str(value) for key, value in (values or {}).items()}


def check_name(name: Any) -> None:
    """Refuse a name that Azure refuses.

    Raises:
        TypeError: it is no text.
        WebserviceException: it is not valid.
    """
    if not isinstance(name, str):
        raise TypeError(f"The name of a model is a text, not {type(name)}.")
    if not _NAME.fullmatch(name):
        raise WebserviceException(
            f"The model name {name!r} is not valid: it takes letters, digits, `-`, `.` and `_`, begins with a letter "
            "or digit, and has at most 255 characters."
        )


def check_description(description: Description) -> None:
    """Refuse tags and properties that Azure refuses.

    Raises:
        WebserviceException: they are no dicts.
        TypeError: a value has no form in JSON.
    """
    for what, value in (("tags", description.tags), ("properties", description.properties)):
        if value is not None and not isinstance(value, dict):
            raise WebserviceException(f"The {what} of a model must be a dict, not {type(value)}.")
        json.dumps(value)


def check_framework(framework: Any, framework_version: Any) -> None:
    """Refuse the version of a framework without the framework."""
    if framework_version is not None and framework is None:
        raise WebserviceException("model_framework_version needs model_framework.")


def register_from_run(
    store: Store, run_id: str, entries: Iterable[tuple[str, str]], name: str, path: str | None, description: Description
) -> ModelRecord:
    """Register a copy of files of a run.

    Args:
        store: Where the run is.
        run_id: MLflow's id of the run.
        entries: (name, stored path) of all files of the run.
        name: The name of the model.
        path: A file or folder among them; default `name`.
        description: What is said of it.

    Raises:
        ModelPathNotFoundException: there is nothing at `path`.
    """
    entries = list(entries)
    wanted = posixpath.normpath((path or name).replace("\\", "/"))
    chosen = [(file, stored) for file, stored in entries if file == wanted or file.startswith(f"{wanted}/")]
    if not chosen:
        available = ", ".join(file for file, _ in entries)
        raise ModelPathNotFoundException(
            f"Could not locate the provided model_path {path or name} in the set of files uploaded to the run: "
            f"[{available}]"
        )
    files = RunFiles(store, run_id)
    # A folder of its own: two that register the same at once must not mix.
    folder = f"{_names.PATH_MODELS}/{name}/{uuid.uuid4()}"
    parent = posixpath.dirname(wanted)
    for file, stored in chosen:
        with files.fetched(stored) as local:
            files.put(local, f"{folder}/{stored_path(posixpath.relpath(file, parent or '.'))}")
    source = f"{_RUNS}{run_id}/{folder}/{stored_path(posixpath.basename(wanted))}"
    return store.register_model(name, source, run_id, description.stored(), description.description)


def register_local(
    store: Store, path: Path, children: Iterable[Path], name: str, description: Description
) -> ModelRecord:
    """Register a local file, or what of a folder is below `children`.

    Raises:
        WebserviceException: there are no files.
    """
    base = path.resolve().name
    if path.is_dir():
        below = [file for child in children for file in (local_files(child, store.uri) if child.is_dir() else [child])]
        chosen = {f"{base}/{file.relative_to(path).as_posix()}": file for file in below}
    else:
        chosen = {base: path}
    if not chosen:
        raise WebserviceException(f"There are no files in {path} that could be registered as a model.")
    found = store.find_experiment(_names.EXPERIMENT_RESERVED)
    experiment = found or store.create_experiment(_names.EXPERIMENT_RESERVED, tags={_names.TAG_NOTE: _NOTE})
    if experiment.is_deleted:
        store.restore_experiment(experiment.id)
    run = store.create_run(experiment.id, {_names.TAG_FORMAT: _names.FORMAT_VERSION}, name, _now())
    # At once, so that it does not run for ever where this process is killed.
    store.end_run(run.id, "FINISHED")
    files = RunFiles(store, run.id)
    for target, file in chosen.items():
        files.put(file, stored_path(target))
    source = f"{_RUNS}{run.id}/{stored_path(base)}"
    described = description.changed(is_local=True)
    return store.register_model(name, source, run.id, described.stored(), description.description)


def files_of(store: Store, record: ModelRecord) -> tuple[RunFiles, str, dict[str, str]]:
    """Find the files of a version.

    Returns:
        Access to them; the name of the file or folder that they are; {path, beginning with that name: stored path}.

    Raises:
        WebserviceException: there are none, or a name would lead elsewhere.
    """
    address = store.address_of_version(record.name, record.version)
    if address.startswith(_RUNS):
        place, _, root = address.removeprefix(_RUNS).strip("/").partition("/")
    else:
        place, root = address, ""
    files = RunFiles(store, place)
    whole = files.find(root) if root else None
    if whole is not None and not whole.is_folder:
        found, base = {shown_name(posixpath.basename(root)): root}, shown_name(posixpath.basename(root))
    else:
        base = shown_name(posixpath.basename(root)) or record.name
        below = f"{root}/" if root else ""
        paths = [file.path for file in files.walk(root or None)]
        found = {f"{base}/{shown_name(path.removeprefix(below))}": path for path in paths}
    if not found:
        raise WebserviceException(f"The files of version {record.version} of model {record.name} are not there.")
    for path in found:
        check_inside(path)
    return files, base, found


def check_inside(path: str) -> None:
    """Refuse a path that would lead out of the folder into which it is written.

    Raises:
        WebserviceException: it does.
    """
    is_plain = posixpath.normpath(path) == path and not path.startswith(("/", "..")) and "\0" not in path
    if not is_plain or Path(path).is_absolute() or Path(path).drive or ".." in Path(path).parts:
        raise WebserviceException(f"{path!r} would lead out of the folder of the model.")


def set_tags(store: Store, record: ModelRecord, tags: Mapping[str, Any]) -> None:
    """Set tags of a version."""
    store.set_version_tags(record.name, record.version, encode_tags(texts(tags)))


def set_properties(store: Store, record: ModelRecord, properties: Mapping[str, Any]) -> None:
    """Set properties of a version."""
    store.set_version_tags(record.name, record.version, encode_properties(texts(properties)))


def remove_tags(store: Store, record: ModelRecord, keys: Iterable[str]) -> None:
    """Remove tags of a version."""
    for key in keys:
        for stored in keys_to_delete(key, record.tags):
            store.delete_version_tag(record.name, record.version, stored)


def set_extras(store: Store, record: ModelRecord, description: Description) -> None:
    """Set what MLflow has no word for."""
    store.set_version_tags(record.name, record.version, description.extras())


def _now() -> int:
    return time.time_ns() // 1_000_000
