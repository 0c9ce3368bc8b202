"""Models of the registry, whose versions are files of a run."""

from __future__ import annotations

import mlflow

from azml_compat._migrate.to_mlflow.pieces.ending import log_outputs


def register_model(
    model_name: str,
    model_path: str | None = None,
    tags: dict[str, object] | None = None,
    description: str | None = None,
    run_id: str | None = None,
) -> mlflow.entities.model_registry.ModelVersion:
    """Register a file or folder of a run as the next version of a model."""
    run_id = run_id or mlflow.active_run().info.run_id
    log_outputs(run_id)
    client = mlflow.MlflowClient()
    if not client.search_registered_models(f"name = '{model_name}'"):
        client.create_registered_model(model_name)
    source = f"{client.get_run(run_id).info.artifact_uri}/{(model_path or model_name).removeprefix('./')}"
    kept = {key: "" if value is None else str(value) for key, value in (tags or {}).items()}
    return client.create_model_version(model_name, source, run_id, tags=kept, description=description)
