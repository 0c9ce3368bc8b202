"""Files under names of their own, and getting them back."""

from __future__ import annotations

import os
import posixpath
import shutil
import tempfile
import time
from collections.abc import Iterable

import mlflow


def log_file(name: str, path_or_stream: object, run_id: str | None = None) -> None:
    """Store a file, or what is left of a stream, as the artifact `name`."""
    name = posixpath.normpath(name)
    with tempfile.TemporaryDirectory() as folder:
        local = os.path.join(folder, posixpath.basename(name))
        if hasattr(path_or_stream, "read"):
            content = path_or_stream.read()
            with open(local, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
        else:
            shutil.copyfile(path_or_stream, local)
        mlflow.log_artifact(local, posixpath.dirname(name), run_id)


def log_files(names: Iterable[str], paths: Iterable[object], run_id: str | None = None) -> None:
    """Store files, each as the artifact of its name."""
    for name, path in zip(names, paths, strict=True):
        log_file(name, path, run_id)


def log_plot(name: str, plot: object, run_id: str | None = None) -> None:
    """Store a figure, or the current one of pyplot, as a PNG file that is named after the metric and the time."""
    client = mlflow.MlflowClient()
    run_id = run_id or mlflow.active_run().info.run_id
    base = f"{name}_{int(time.time())}"
    taken = {file.path for file in client.list_artifacts(run_id, posixpath.dirname(base))}
    path = next(path for path in (f"{base}.png", *(f"{base}_{n}.png" for n in range(2, 10_000))) if path not in taken)
    client.log_figure(run_id, plot.gcf() if hasattr(plot, "gcf") else plot, path)


def get_file_names(run_id: str | None = None, folder: str | None = None) -> list[str]:
    """Return the paths of all artifacts of a run."""
    run_id = run_id or mlflow.active_run().info.run_id
    names: list[str] = []
    folders: list[str] = []
    for file in mlflow.MlflowClient().list_artifacts(run_id, folder):
        (folders if file.is_dir else names).append(file.path)
    return names + [name for below in folders for name in get_file_names(run_id, below)]


def download_file(name: str, output_file_path: str | None = None, run_id: str | None = None) -> None:
    """Copy an artifact to a local path, or into a folder; by default under its base name into the current one."""
    run_id = run_id or mlflow.active_run().info.run_id
    target = output_file_path or os.curdir
    if os.path.isdir(target):
        target = os.path.join(target, posixpath.basename(name))
    os.makedirs(os.path.dirname(target) or os.curdir, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        name = posixpath.normpath(name)
        shutil.copyfile(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path=name, dst_path=folder), target)


def download_files(
    prefix: str | None = None,
    output_directory: str | None = None,
    append_prefix: bool = True,
    run_id: str | None = None,
) -> None:
    """Copy the artifacts below a folder of the run to local paths."""
    start = f"{posixpath.normpath(prefix)}/" if prefix else ""
    for name in get_file_names(run_id):
        if name.startswith(start):
            path = name if append_prefix or not output_directory else name[len(start) :]
            download_file(name, os.path.join(output_directory or os.curdir, path), run_id)
