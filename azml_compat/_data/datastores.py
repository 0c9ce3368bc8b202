"""The datastores of a workspace: four folders that are always there, and what was registered.

A registered one is a record in the tracking store (kind `datastore`), without its secrets (`credentials`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from azml_compat._assets import Assets
from azml_compat._data import credentials
from azml_compat._data.places import Azure, Folder, Place
from azml_compat._data.roots import folder_of
from azml_compat._msrest.exceptions import HttpOperationError
from azml_compat._restclient.exceptions import ErrorResponseException, ServiceException
from azml_compat.data.azure_data_lake_datastore import AzureDataLakeDatastore, AzureDataLakeGen2Datastore
from azml_compat.data.azure_my_sql_datastore import AzureMySqlDatastore
from azml_compat.data.azure_postgre_sql_datastore import AzurePostgreSqlDatastore
from azml_compat.data.azure_sql_database_datastore import AzureSqlDatabaseDatastore
from azml_compat.data.azure_storage_datastore import AzureBlobDatastore, AzureFileDatastore
from azml_compat.data.dbfs_datastore import DBFSDatastore
from azml_compat.data.hdfs_datastore import HDFSDatastore
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from azml_compat._tracking import Store
    from azml_compat.core.workspace import Workspace
    from azml_compat.data.abstract_datastore import AbstractDatastore

_NAME = re.compile(r"[A-Za-z0-9_\-]{1,255}")
_DEFAULT = "default-datastore"
_BLOB, _FILE = "AzureBlob", "AzureFile"
_BUILT_IN = {
    "workspaceblobstore": (_BLOB, "azureml-blobstore-{}"),
    "workspacefilestore": (_FILE, "azureml-filestore-{}"),
    "workspaceartifactstore": (_BLOB, "azureml"),
    "workspaceworkingdirectory": (_FILE, "code-{}"),
}
"""What every workspace has, the default first: {name: (type, name of its container)}."""
_FIRST = "workspaceblobstore"
_LOCAL_ACCOUNT = "local"
_NO_GUID = "00000000-0000-0000-0000-000000000000"
_CLASSES: dict[str, type[AbstractDatastore]] = {
    _BLOB: AzureBlobDatastore,
    _FILE: AzureFileDatastore,
    "AzureDataLake": AzureDataLakeDatastore,
    "AzureDataLakeGen2": AzureDataLakeGen2Datastore,
    "AzureSqlDatabase": AzureSqlDatabaseDatastore,
    "AzurePostgreSql": AzurePostgreSqlDatastore,
    "AzureMySql": AzureMySqlDatastore,
    "DBFS": DBFSDatastore,
    "Hdfs": HDFSDatastore,
}
_REACHABLE = (_BLOB, "AzureDataLakeGen2")


class DatastoreNotFoundError(UserErrorException, HttpOperationError):
    """There is no datastore of a name: scripts catch it as either of its bases."""


def find(workspace: Workspace, name: str) -> AbstractDatastore:
    """Return a datastore of a workspace.

    Raises:
        DatastoreNotFoundError: there is none of that name.
    """
    if name in _BUILT_IN:
        return _built_in(workspace, name)
    found = Assets(workspace.service_context.store, "datastore").find(name)
    if found is None:
        raise DatastoreNotFoundError(f"Could not find the datastore {name} in the workspace. Is it registered?")
    return _registered(workspace, name, found.content)


def all_of(workspace: Workspace) -> dict[str, AbstractDatastore]:
    """Return {name: datastore} of all datastores."""
    registered = Assets(workspace.service_context.store, "datastore").latest()
    return {
        **{name: _built_in(workspace, name) for name in _BUILT_IN},
        **{name: _registered(workspace, name, asset.content) for name, asset in registered.items()},
    }


def default(workspace: Workspace) -> AbstractDatastore:
    """Return the default datastore: the one that was chosen, else `workspaceblobstore`."""
    return find(workspace, default_name(workspace.service_context.store))


def default_name(store: Store) -> str:
    """Return the name of the default datastore."""
    chosen = Assets(store, "setting").find(_DEFAULT)
    name = str(chosen.content["name"]) if chosen is not None else _FIRST
    # It may have been unregistered meanwhile.
    return name if name in _BUILT_IN or Assets(store, "datastore").find(name) is not None else _FIRST


def set_default(workspace: Workspace, name: str) -> None:
    """Choose the default datastore; it must be there."""
    find(workspace, name)
    Assets(workspace.service_context.store, "setting").put(_DEFAULT, {"name": name})


def register(
    workspace: Workspace,
    name: str,
    kind: str,
    facts: dict[str, Any],
    secrets: dict[str, str | None],
    *,
    overwrite: bool,
) -> AbstractDatastore:
    """Register a datastore, or what is known anew of one.

    Args:
        workspace: Where.
        name: Its name.
        kind: Its type, as Azure calls it: `AzureBlob`.
        facts: What its class is made with, apart from secrets.
        secrets: The secrets.
        overwrite: Whether one of that name may be there.

    Raises:
        UserErrorException: the name is refused, or is that of a datastore that every workspace has.
        ErrorResponseException: the name is taken.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UserErrorException(f"The datastore name {name!r} is not valid: letters, digits, `_` and `-`.")
    if name in _BUILT_IN:
        raise UserErrorException(f"{name} is a datastore that every workspace has. Choose another name.")
    assets = Assets(workspace.service_context.store, "datastore")
    if not overwrite and assets.find(name) is not None:
        # An answer of the service's there, with this status.
        refusal = ServiceException._from_status(400, f"Another datastore with the same name already exists: {name}.")  # noqa: SLF001 - ours, private because the public constructor is Azure's
        raise ErrorResponseException(refusal.message, refusal.response)
    known = {kind for kind, value in secrets.items() if value is not None}
    content = {"type": kind, "facts": facts, "secrets": sorted(known)}
    assets.put(name, content)
    credentials.keep(name, {kind: value for kind, value in secrets.items() if value is not None})
    return _registered(workspace, name, content)


def unregister(workspace: Workspace, name: str) -> None:
    """Forget a datastore. What lies in it stays.

    Raises:
        UserErrorException: every workspace has it.
    """
    if name in _BUILT_IN:
        raise UserErrorException(f"{name} is a datastore that every workspace has: it cannot be unregistered.")
    Assets(workspace.service_context.store, "datastore").remove(name)
    credentials.forget(name)


def _built_in(workspace: Workspace, name: str) -> AbstractDatastore:
    kind, container = _BUILT_IN[name]
    cls: Callable[..., AbstractDatastore] = AzureBlobDatastore if kind == _BLOB else AzureFileDatastore
    made = cls(workspace, name, container.format(_NO_GUID), _LOCAL_ACCOUNT, account_key="")
    made._place = partial(place_at, spec_of(workspace.service_context.store, name))
    return made


def _registered(workspace: Workspace, name: str, content: dict[str, Any]) -> AbstractDatastore:
    cls: Callable[..., AbstractDatastore] = _CLASSES[content["type"]]
    secrets = {kind: credentials.recall(name, kind) for kind in content["secrets"]}
    made = cls(workspace, name, **content["facts"], **secrets)
    made._place = partial(place_at, _spec(name, content))
    return made


def spec_of(store: Store, name: str) -> dict[str, Any]:
    """Return what `place_at` needs to open a datastore: JSON values, and no secret."""
    if name in _BUILT_IN:
        return {"name": name, "folder": str(folder_of(store, name))}
    found = Assets(store, "datastore").find(name)
    if found is None:
        raise DatastoreNotFoundError(f"Could not find the datastore {name} in the workspace. Is it registered?")
    return _spec(name, found.content)


def _spec(name: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "type": content["type"], "secrets": content["secrets"], **content["facts"]}


def place_at(spec: dict[str, Any]) -> Place:
    """Open what `spec_of` has described.

    Raises:
        UserErrorException: it cannot be reached from here.
    """
    if "folder" in spec:
        return Folder(spec["folder"])
    if spec["type"] not in _REACHABLE:
        raise UserErrorException(
            f"The files of datastore {spec['name']!r} ({spec['type']}) cannot be reached from here: Azure Blob and "
            "ADLS Gen2 can. Copy what you need to the default datastore."
        )
    return Azure(spec, credentials.all_of(spec["name"], spec))
