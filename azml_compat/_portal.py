"""What Azure's classes inherit for display: identities, links, and one-row HTML tables for notebooks.

Links lead to the MLflow UI. Without a server that is the address at which `azml-compat ui` serves by default.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from azml_compat import _names
from azml_compat._tracking.addresses import without_credentials

if TYPE_CHECKING:
    from azml_compat._tracking import Store

_DOCS = "https://docs.microsoft.com/en-us/python/api/azureml-core/{module}.{name}?view=azure-ml-py"


def ui_address(store: Store) -> str:
    """Return where the MLflow UI of a store is."""
    return without_credentials(store.uri).rstrip("/") if store.is_server else own_ui()


def own_ui() -> str:
    """Return where `azml-compat ui` serves by default, and links lead where there is no server: AZML_COMPAT_UI."""
    chosen = os.environ.get(_names.ENV_UI, "").rstrip("/")
    return chosen if "://" in chosen else f"http://{chosen}" if chosen else _names.DEFAULT_UI


# MLflow's UI opens an experiment in the mode that was last used, at first that for GenAI traces, unless it is told.
_MODE = "workflowType=machine_learning"


def experiment_url(store: Store, experiment_id: str) -> str:
    """Return the address of an experiment's runs in the MLflow UI."""
    return f"{ui_address(store)}/#/experiments/{experiment_id}/runs?{_MODE}"


def run_url(store: Store, experiment_id: str, run_id: str) -> str:
    """Return the address of a run in the MLflow UI."""
    return f"{ui_address(store)}/#/experiments/{experiment_id}/runs/{run_id}?{_MODE}"


def docs_url(cls: type[Any]) -> str:
    """Return Azure's reference page of a class."""
    module = cls.__module__.replace("azml_compat", "azureml", 1)
    return _DOCS.format(module=module, name=cls.__name__)


def link(url: str, text: str) -> str:
    """Return an HTML link that opens in a new tab."""
    return f'<a href="{url}" target="_blank" rel="noopener">{text}</a>'


def html_row(columns: Sequence[tuple[str, Any]]) -> str:
    """Return an HTML table of one row, as Azure's notebooks show it; None is an empty cell."""
    head = "".join(f"<th>{name}</th>" for name, _ in columns)
    body = "".join(f"<td>{'' if value is None else value}</td>" for _, value in columns)
    return f'<table style="width:100%"><tr>{head}</tr><tr>{body}</tr></table>'


class ChainedIdentity:
    """Gives an object a name for logs, built from its class and what it was made of."""

    DELIM = "#"

    def __init__(self, identity: str) -> None:
        self._identity = identity

    @property
    def identity(self) -> str:
        """The name of this object in logs."""
        return self._identity


class HasWorkspacePortal:
    """Mixes in the address of the MLflow UI."""

    WORKSPACE_FMT = "?wsid=/subscriptions/{0}/resourcegroups/{1}/workspaces/{2}"
    TID_FMT = "&tid={0}"

    def _portal_store(self) -> Store:
        raise NotImplementedError

    @property
    def portal_url(self) -> str:
        """The address of the MLflow UI."""
        return ui_address(self._portal_store())


class HasExperimentPortal(HasWorkspacePortal):
    """Mixes in the address of an experiment."""

    EXPERIMENT_NAME_PATH = "/experiments/{0}"
    EXPERIMENT_ID_PATH = "/experiments/id/{0}"


class HasRunPortal(HasExperimentPortal):
    """Mixes in the address of a run."""

    RUN_PATH = "/runs/{0}"
