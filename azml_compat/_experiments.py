"""Experiments by name: MLflow keeps the names of deleted ones, Azure does not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azml_compat._tracking import ExperimentRecord, Store


def get_or_create(store: Store, name: str, artifact_root: str | None = None) -> ExperimentRecord:
    """Return the active experiment of that name.

    Args:
        store: Where it is.
        name: Its name.
        artifact_root: Where a new one keeps its files; by default where the store says.
    """
    found = store.find_experiment(name)
    if found is not None and found.is_deleted:
        free_name_of_deleted(store, found)
        found = None
    return found or store.create_experiment(name, artifact_root)


def free_name_of_deleted(store: Store, record: ExperimentRecord) -> None:
    """MLflow keeps the name of a deleted experiment taken, and renames only active ones."""
    store.restore_experiment(record.id)
    store.rename_experiment(record.id, name_aside(record.name, "deleted"))
    store.delete_experiment(record.id)


def name_aside(name: str, why: str) -> str:
    """Return a name for an experiment that gives up its own."""
    return f"{name[:400]}-{why}-{time.time_ns()}"
