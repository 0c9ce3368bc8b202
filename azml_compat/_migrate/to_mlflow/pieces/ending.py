"""What is stored when a run ends, and how it ends with the script."""

from __future__ import annotations

import atexit
import contextlib
import json
import math
import os
import sys
from collections.abc import Callable, Iterator

import mlflow

from azml_compat._migrate.to_mlflow.pieces.series import escaped, logged_rows, metric_key, table_of

output_folders: dict[str, list[str]] = {}
"""Of each run id."""
runs_of_script: list[str] = []
"""The ids of the runs that end with the script."""
script_failures: list[object] = []
"""What the script has died of, or the code that it exits with."""


def end_run(status: str = "FINISHED", run_id: str | None = None) -> None:
    """End a run, with what is stored at its end."""
    active = mlflow.active_run()
    run_id = run_id or active.info.run_id
    log_texts(run_id)
    log_outputs(run_id)
    if active is not None and active.info.run_id == run_id:
        mlflow.end_run(status)
    elif mlflow.get_run(run_id).info.status == "RUNNING":
        mlflow.MlflowClient().set_terminated(run_id, status)


@contextlib.contextmanager
def ending(run: mlflow.entities.Run) -> Iterator[mlflow.entities.Run]:
    """End a run with a block: as FAILED where that raises."""
    try:
        yield run
    except BaseException as error:
        is_exit = isinstance(error, SystemExit) and error.code in (None, 0)
        end_run("FINISHED" if is_exit else "FAILED", run.info.run_id)
        raise
    end_run(run_id=run.info.run_id)


def end_with_script(run_id: str) -> None:
    """Have a run that is open at the end of the script end then: as FAILED where that dies or exits with a code."""
    if not runs_of_script:
        sys.excepthook, sys.exit = noting_failure(sys.excepthook), noting_failure(sys.exit)
        atexit.register(end_runs_of_script)
    runs_of_script.append(run_id)


def noting_failure(function: Callable[..., None]) -> Callable[..., None]:
    """Return a function of `sys` that ends the script, so that it is noted when that is no success."""

    def noting(*arguments: object) -> None:
        if any(argument not in (None, 0) for argument in arguments):
            script_failures.append(arguments)
        function(*arguments)

    return noting


def end_runs_of_script() -> None:
    """End the runs that are still open when the script ends."""
    for run_id in reversed(runs_of_script):
        if mlflow.get_run(run_id).info.status == "RUNNING":
            end_run("FAILED" if script_failures else "FINISHED", run_id)


def log_texts(run_id: str) -> None:
    """Store what is no metric: a text that was logged once as a param, tables and lists with text as JSON tables."""
    client = mlflow.MlflowClient()
    data = client.get_run(run_id).data
    listed = json.loads(data.tags.get("mlflow.loggedArtifacts", "[]"))
    for name in [name for owner, name in logged_rows if owner == run_id]:
        table = table_of((run_id, name))
        if list(table) == [""]:
            values = table[""]
            if all(isinstance(value, (bool, int, float)) for value in values):
                continue
            if len(values) == 1:
                if metric_key(name) not in data.params:
                    client.log_param(run_id, metric_key(name), values[0])
                continue
            table = {"index": list(range(len(values))), "value": values}
        rows = [[table_cell(cell) for cell in row] for row in zip(*table.values(), strict=True)]
        path = "tables/" + escaped(name, "_- +&=()@,!~'[]{}^;$`") + ".json"
        client.log_dict(run_id, {"columns": [column or name for column in table], "data": rows}, path)
        if {"path": path, "type": "table"} not in listed:
            listed.append({"path": path, "type": "table"})
            client.set_tag(run_id, "mlflow.loggedArtifacts", json.dumps(listed))  # has the UI draw it as a table


def table_cell(cell: object) -> object:
    """Return a cell as JSON can hold it: text for NaN, infinity and integers that browsers would round."""
    if isinstance(cell, float) and not math.isfinite(cell):
        return str(cell)
    return str(cell) if type(cell) is int and abs(cell) > 2**53 else cell


def keep_outputs(run: mlflow.entities.Run, folder: str = "outputs") -> mlflow.entities.Run:
    """Make a folder whose files are stored when the run ends, and return the run."""
    os.makedirs(folder, exist_ok=True)
    folders = output_folders.setdefault(run.info.run_id, [])
    if folder not in folders:
        folders.append(folder)
    return run


def log_outputs(run_id: str) -> None:
    """Store the files of the run's output folders."""
    for folder in output_folders.get(run_id, []):
        if os.path.isdir(folder) and os.listdir(folder):
            mlflow.log_artifacts(folder, os.path.normpath(folder), run_id)
