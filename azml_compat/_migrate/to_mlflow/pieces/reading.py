"""What a run has, read back."""

from __future__ import annotations

from collections.abc import Iterator

import mlflow

from azml_compat._migrate.to_mlflow.pieces.series import logged_rows, metric_key, table_of


def get_metrics(name: str | None = None, run_id: str | None = None) -> dict[str, object]:
    """Return {name: value} of a run: one value as it is, several as a list in order, a table as a dict of columns."""
    run_id = run_id or mlflow.active_run().info.run_id
    client = mlflow.MlflowClient()
    found: dict[str, object] = {}
    for key in client.get_run(run_id).data.metrics:
        points = sorted(client.get_metric_history(run_id, key), key=lambda point: (point.step, point.timestamp))
        found[key] = one_or_all([point.value for point in points])
    for logged in [logged for owner, logged in logged_rows if owner == run_id]:
        table = {column: one_or_all(cells) for column, cells in table_of((run_id, logged)).items()}
        for column in table:
            found.pop(metric_key(f"{logged}.{column}" if column else logged), None)
        values = {column or logged: value for column, value in table.items()}
        found[logged] = values if any(table) else values.get(logged, [])
    return {key: value for key, value in found.items() if name in (None, key)}


def one_or_all(values: list[object]) -> object:
    """Return the only value of a list, or the list."""
    return values[0] if len(values) == 1 else values


def get_tags(run_id: str | None = None) -> dict[str, str]:
    """Return the tags of a run, without MLflow's own and properties."""
    tags = mlflow.get_run(run_id or mlflow.active_run().info.run_id).data.tags
    return {key: value for key, value in tags.items() if not key.startswith(("mlflow.", "property."))}


def get_properties(run_id: str | None = None) -> dict[str, str]:
    """Return the properties of a run, which are its tags `property.<key>`."""
    tags = mlflow.get_run(run_id or mlflow.active_run().info.run_id).data.tags
    return {key[9:]: value for key, value in tags.items() if key.startswith("property.")}


def get_status(run_id: str) -> str:
    """Return how it is with a run: Running, Completed, Failed, Canceled or NotStarted."""
    status = mlflow.get_run(run_id).info.status
    words = {"FINISHED": "Completed", "FAILED": "Failed", "KILLED": "Canceled", "SCHEDULED": "NotStarted"}
    return words.get(status, "Running")


def get_children(run: mlflow.entities.Run) -> Iterator[mlflow.entities.Run]:
    """Yield the runs that are nested in a run, newest first."""
    query = f"tags.mlflow.parentRunId = '{run.info.run_id}'"
    yield from mlflow.search_runs([run.info.experiment_id], query, output_format="list")


def get_runs(experiment: mlflow.entities.Experiment) -> Iterator[mlflow.entities.Run]:
    """Yield the runs of an experiment that are nested in no other, newest first."""
    for run in mlflow.search_runs([experiment.experiment_id], output_format="list"):
        if "mlflow.parentRunId" not in run.data.tags:
            yield run
