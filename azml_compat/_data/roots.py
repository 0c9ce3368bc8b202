"""Where the datastores that every workspace has keep their files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from azml_compat import _names
from azml_compat._home import home
from azml_compat._tracking.addresses import identity_of, is_local, sqlite_path

if TYPE_CHECKING:
    from azml_compat._tracking import Store

_FOLDER = "mldatastores"
_DIGEST = 16


def folder_of(store: Store, name: str) -> Path:
    """Return the folder of a datastore: beside the files of a local tracking store, so that they move together.

    A server or a remote database has no folder that every machine sees: AZML_COMPAT_DATA names one; without it each
    machine has its own, in AZML_COMPAT_HOME.
    """
    return _root(store.uri) / name


def _root(uri: str) -> Path:
    database = sqlite_path(uri)
    if database is not None:
        return database.absolute().parent / _FOLDER
    if is_local(uri):
        return Path(unquote(urlsplit(uri).path) if "://" in uri or uri.startswith("file:") else uri).parent / _FOLDER
    chosen = os.environ.get(_names.ENV_DATA)
    if chosen:
        return Path(chosen).absolute()
    return home() / "datastores" / hashlib.sha256(identity_of(uri).encode()).hexdigest()[:_DIGEST]
