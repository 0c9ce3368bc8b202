"""Creating a run: what is known at its start, as MLflow tags."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from azml_compat import _git, _names, _runtime, _tags
from azml_compat._search import find_run
from azml_compat._tracking import RunRecord, Store

_SOURCE_TAGS = (_names.TAG_GIT_COMMIT, _names.TAG_GIT_BRANCH, _names.TAG_GIT_REPO)


@dataclass
class NewRun:
    """What a script says of a run that it starts."""

    name: str | None = None
    run_id: str | None = None
    display_name: str | None = None
    description: str | None = None
    tags: Mapping[str, str | None] = field(default_factory=dict)
    parent: RunRecord | None = None
    code_folder: Path | None = None
    """Where the git facts are taken from."""


def create(store: Store, experiment_id: str, new: NewRun) -> tuple[RunRecord, bool]:
    """Create the run; return it and whether it is new: a run id that exists names that run, as on Azure."""
    tags = _tags.encode_tags(new.tags)
    if new.run_id:
        existing = resolve(store, new.run_id)
        if existing is not None:
            store.set_run_tags(existing.id, tags)
            return existing.with_tags(tags), False
    tags |= _facts(new)
    shown = new.display_name or (new.name or "").rpartition(">")[2] or new.run_id or None
    record = store.create_run(experiment_id, tags, shown, _runtime.next_start_time())
    if new.run_id:
        _runtime.remember_run_id(new.run_id, record.id)
    return record, True


def resolve(store: Store, run_id: str) -> RunRecord | None:
    """Return the run of an id, MLflow's or one that a script chose; None when there is none."""
    known = _runtime.recall_run_id(run_id)
    if known is not None:
        return store.find_run(known)
    if _is_mlflow_id(run_id):
        found = store.find_run(run_id)
        if found is not None:
            return found
    found = find_run(store, run_id)
    if found is not None:
        _runtime.remember_run_id(run_id, found.id)
    return found


def _is_mlflow_id(run_id: str) -> bool:
    return len(run_id) == 32 and all(character in "0123456789abcdef" for character in run_id)


def _facts(new: NewRun) -> dict[str, str]:
    tags = {
        _names.TAG_FORMAT: _names.FORMAT_VERSION,
        _names.TAG_TARGET: "local",
        _names.TAG_USER: _user(),
        _names.TAG_SOURCE_NAME: sys.argv[0] if sys.argv and sys.argv[0] else "python",
        _names.TAG_SOURCE_TYPE: "LOCAL",
    }
    if new.name:
        tags |= _tags.encode_text(_names.TAG_NAME, new.name)
    if new.run_id:
        tags[_names.TAG_RUN_ID] = new.run_id
    if new.description:
        tags[_names.TAG_NOTE] = new.description
    if new.parent is not None:
        tags[_names.TAG_PARENT] = new.parent.id
        # A child's code is its parent's; Azure sets no git properties on it, but MLflow's source line wants them.
        tags |= {key: new.parent.tags[key] for key in _SOURCE_TAGS if key in new.parent.tags}
    if new.code_folder is not None:
        facts = _git.properties(new.code_folder)
        tags |= _tags.encode_properties(facts)
        tags |= {key: value for key, value in facts.items() if key.startswith("mlflow.")}
    return tags


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container without a passwd entry for the user id.
        return "unknown"
