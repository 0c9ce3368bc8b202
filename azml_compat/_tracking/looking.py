"""Looking at a tracking store without opening it: nothing is created, migrated or changed.

MLflow's own way to open a database creates its tables or migrates them, and where nothing answers it waits for
minutes. So databases are read, servers are asked without MLflow, and folders are looked into.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from azml_compat import _names
from azml_compat._findings import Finding, note, ok, problem
from azml_compat._tracking.addresses import kind_of, sqlite_path
from azml_compat._tracking.databases import look_at_database, look_at_sqlite, obstacle
from azml_compat._tracking.servers import look_at_server

_OPT_IN_SINCE = (3, 13)
"""The MLflow that began to refuse file stores, unless it is told."""


def look_at(uri: str) -> Iterator[Finding]:
    """Say how the store at an absolute tracking URI is.

    It takes a few seconds at most where the network itself does not hang.
    """
    kind = kind_of(uri)
    if kind == "server":
        yield from look_at_server(uri)
    elif kind == "folder":
        yield from _look_at_folder(uri)
    elif kind == "plugin":
        yield _look_at_plugin(uri.partition(":")[0])
    elif (database := sqlite_path(uri)) is not None:
        yield from look_at_sqlite(database, uri)
    else:
        yield from look_at_database(uri)


def _look_at_folder(uri: str) -> Iterator[Finding]:
    folder = Path(url2pathname(urlsplit(uri).path)) if uri.startswith("file:") else Path(uri)
    if folder.is_dir():
        count = sum(1 for _ in folder.glob("*/meta.yaml"))
        yield ok(f"The folder {folder} holds {count} experiments.", experiments=count)
    elif not folder.exists():
        yield ok(f"The folder {folder} is not there yet: the first script makes it.")
    yield from obstacle(folder, "folder", is_one=folder.is_dir())
    if _mlflow_version() >= _OPT_IN_SINCE:
        yield _file_store_opt_in()


def _file_store_opt_in() -> Finding:
    given = os.environ.get(_names.ENV_ALLOW_FILE_STORE)
    if not given:
        return note(
            "MLflow has put file stores into maintenance. azml_compat opts in; plain MLflow refuses, in scripts "
            "that do not use azml_compat, and in `mlflow ui`.",
            f"For those, set {_names.ENV_ALLOW_FILE_STORE}=true. A database has a future: "
            f"{_names.ENV_TRACKING_URI}=sqlite:///mlflow.db",
        )
    if given.lower() in ("true", "1"):
        return ok(f"MLflow has put file stores into maintenance, and {_names.ENV_ALLOW_FILE_STORE} opts in to them.")
    return problem(
        f"{_names.ENV_ALLOW_FILE_STORE}={given} forbids file stores, and this is one.",
        f"Unset it, or choose a database: {_names.ENV_TRACKING_URI}=sqlite:///mlflow.db",
    )


def _mlflow_version() -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in re.findall(r"\d+", version("mlflow"))[:2])
    except PackageNotFoundError:
        return ()


def _look_at_plugin(scheme: str) -> Finding:
    """Judge an address that is neither a server, nor a database, nor a folder."""
    if scheme in ("databricks", "databricks-uc", "uc"):
        return note("The store is Databricks, where MLflow has settings of its own; it was not asked.")
    plugins = [plugin for plugin in entry_points(group="mlflow.tracking_store") if plugin.name == scheme]
    if not plugins:
        return problem(
            f"MLflow knows no kind of store that is called {scheme!r}.", f"Correct {_names.ENV_TRACKING_URI}."
        )
    owner = plugins[0].dist.name if plugins[0].dist is not None else plugins[0].value
    if scheme == "azureml":
        return note(
            f"The store is the Azure ML service, which {owner} talks to; it was not asked.",
            f"To leave Azure, set {_names.ENV_TRACKING_URI} to a store of your own.",
        )
    return note(f"The store is one that {owner} brings along; it was not asked.")
