"""Runs that are started and not ended by a `with` block."""

from __future__ import annotations

from collections.abc import Iterable

import mlflow

from azml_compat._migrate.to_mlflow.pieces.ending import end_with_script, keep_outputs


def current_run() -> mlflow.ActiveRun:
    """Return the active run; the first call starts it, or joins the one that MLFLOW_RUN_ID names."""
    run = mlflow.active_run()
    if run is None:
        run = mlflow.start_run()
        keep_outputs(run)
        end_with_script(run.info.run_id)
    return run


def start_run(**options: object) -> mlflow.ActiveRun:
    """Start a run that ends with the script where it is open then."""
    run = mlflow.start_run(**options)
    end_with_script(run.info.run_id)
    return run


def create_run(experiment_id: str, name: str | None = None, tags: dict[str, str] | None = None) -> mlflow.entities.Run:
    """Create a run that need not be the active one; it ends with the script where it is open then."""
    run = mlflow.MlflowClient().create_run(experiment_id, run_name=name, tags=tags)
    end_with_script(run.info.run_id)
    return run


def create_child(parent: mlflow.entities.Run, name: str | None = None, **tags: object) -> mlflow.entities.Run:
    """Create a run below another, which need not be the active one."""
    tags = {key: str(value) for key, value in tags.items()}
    return create_run(parent.info.experiment_id, name, {**tags, "mlflow.parentRunId": parent.info.run_id})


def create_children(
    parent: mlflow.entities.Run,
    count: int | None = None,
    tag_key: str = "azureml.batch_child_number",
    tag_values: Iterable[object] | None = None,
) -> list[mlflow.entities.Run]:
    """Create runs below another: so many, or one for each value of a tag."""
    values = range(count or 0) if tag_values is None else tag_values
    return [create_child(parent, **{tag_key: value}) for value in values]
