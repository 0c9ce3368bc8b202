"""Tags, properties and JSON whose values are only known when the script runs."""

from __future__ import annotations

import json

import mlflow

from azml_compat._migrate.to_mlflow.pieces.series import metric_key


def set_tags(tags: dict[str, object], run_id: str | None = None) -> None:
    """Set tags; one without a value is empty."""
    run_id = run_id or mlflow.active_run().info.run_id
    for key, value in tags.items():
        mlflow.MlflowClient().set_tag(run_id, metric_key(key), "" if value is None else str(value))


def set_tag(key: str, value: object = None, run_id: str | None = None) -> None:
    """Set a tag; one without a value is empty."""
    set_tags({key: value}, run_id)


def add_properties(properties: dict[str, object], run_id: str | None = None) -> None:
    """Set properties, which are tags `property.<key>`."""
    set_tags({f"property.{key}": value for key, value in properties.items()}, run_id)


def remove_tags(tags: list[str], run_id: str | None = None) -> None:
    """Remove tags; those that the run has not are ignored."""
    run_id = run_id or mlflow.active_run().info.run_id
    stored = mlflow.get_run(run_id).data.tags
    for key in tags:
        if metric_key(key) in stored:
            mlflow.MlflowClient().delete_tag(run_id, metric_key(key))


def log_json(name: str, value: object, run_id: str | None = None) -> None:
    """Store an object, or the JSON text of one, as the file `name`."""
    text = value if isinstance(value, str) else json.dumps(value)
    run_id = run_id or mlflow.active_run().info.run_id
    mlflow.MlflowClient().log_text(run_id, text, name)
