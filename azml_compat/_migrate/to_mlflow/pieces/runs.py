"""Runs that are started and not ended by a `with` block."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import mlflow

from azml_compat._migrate.to_mlflow.pieces.ending import end_with_script, keep_outputs


@functools.cache
def current_run() -> mlflow.ActiveRun:
    """Return the run of this script: the active one, or one that is started now and ends with the script at the latest.

    MLFLOW_RUN_ID names a run to join.
    """
    run = mlflow.active_run() or mlflow.start_run()
    keep_outputs(run)
    end_with_script(run.info.run_id)
    return run


def start_run(**options: object) -> mlflow.ActiveRun:
    """Start a run that ends with the script at the latest."""
    run = mlflow.start_run(**options)
    end_with_script(run.info.run_id)
    return run


def create_run(experiment_id: str, name: str | None = None, tags: dict[str, str] | None = None) -> mlflow.entities.Run:
    """Create a run that need not be the active one; it ends with the script at the latest."""
    run = mlflow.MlflowClient().create_run(experiment_id, run_name=name, tags=tags)
    end_with_script(run.info.run_id)
    return run


def create_child(
    parent: mlflow.entities.Run, name: str | None = None, tags: dict[str, str] | None = None
) -> mlflow.entities.Run:
    """Create a run below another, which need not be the active one."""
    tags = {**(tags or {}), "mlflow.parentRunId": parent.info.run_id}
    return create_run(parent.info.experiment_id, name, tags)


def create_children(
    parent: mlflow.entities.Run,
    count: int | None = None,
    tag_key: str = "azureml.batch_child_number",
    tag_values: Iterable[object] | None = None,
) -> list[mlflow.entities.Run]:
    """Create runs below another: so many, or one for each value of a tag."""
    values = range(count or 0) if tag_values is None else tag_values
    return [create_child(parent, tags={tag_key: str(value)}) for value in values]
