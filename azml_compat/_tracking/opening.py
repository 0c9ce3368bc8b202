"""Opening a store: one process at a time where MLflow would break, and without its migration log.

MLflow creates the tables of a fresh database without a lock: of eight processes that open a fresh sqlite file at
once, none or one succeeds. Where MLflow would try for minutes - a database file that cannot be opened, a server that
does not answer - it is asked only when that has been seen to work.
"""

from __future__ import annotations

import hashlib
import http.client
import logging
import math
import os
import socket
import sqlite3
import ssl
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.request import url2pathname

from azml_compat import _names
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking import mlflow_api
from azml_compat._tracking.addresses import is_local, sqlite_path, without_credentials
from azml_compat._tracking.whole_files import write_whole_files
from azml_compat.exceptions import UserErrorException

_LOCK_SECONDS = 300
_SERVER_SECONDS = 5.0
_LEAST_SECONDS = 0.5
_SERVER_PAUSES = (0.5, 1.5)
"""Seconds before another look at a server that refuses connections: it may be starting."""
_CHATTY_LOGGERS = ("mlflow.store.db.utils", "mlflow.store.db_migrations", "alembic", "alembic.runtime.migration")


def open_client(uri: str, seconds: float) -> Any:
    """Return an MlflowClient whose store is ready for use; wait no longer than `seconds` for a server."""
    if is_local(uri):
        os.environ.setdefault(_names.ENV_ALLOW_FILE_STORE, "true")
    if uri.startswith(("http://", "https://")):
        _check_server(uri, seconds)
        return mlflow_api.connect(uri)
    mlflow_api.load()  # before the lock, which others wait for
    with one_process_at_a_time(uri), _quiet(_CHATTY_LOGGERS):
        database = sqlite_path(uri)
        if database is not None and database.name not in ("", ":memory:"):
            _check_sqlite(database)
        client = mlflow_api.connect(uri)
        write_whole_files(client)
        # The registry store is opened on its first use; do that under the lock as well.
        client.search_registered_models(max_results=1)
        return client


def is_there(uri: str) -> bool:
    """Tell whether the database file or folder of a local store exists; True for a store of another kind."""
    database = sqlite_path(uri)
    if database is not None:
        return database.is_file() or database.name in ("", ":memory:")
    return not is_local(uri) or Path(url2pathname(uri.removeprefix("file://").removeprefix("file:"))).is_dir()


def drop_connections(client: Any) -> None:
    """Have a client of a database make new connections, and not touch the old ones: they are another process's."""
    registry = getattr(client, "_get_registry_client", lambda: None)()
    for part in (getattr(client, "_tracking_client", None), registry):
        engine = getattr(getattr(part, "store", None), "engine", None)
        if engine is not None:
            engine.dispose(close=False)


def _check_sqlite(database: Path) -> None:
    """Refuse a file that sqlite cannot use as its database; MLflow would retry for minutes.

    Raises:
        UserErrorException: it cannot be opened or created, or is something else.
    """
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA schema_version")
    except (OSError, sqlite3.Error) as error:
        if "locked" not in str(error):  # in use, so it is there
            raise UserErrorException(f"The database {database} cannot be opened: {error}.") from error


def _check_server(uri: str, seconds: float) -> None:
    """Refuse a server that cannot be reached; MLflow would retry for four minutes at every call.

    Raises:
        UserErrorException: the address is malformed, or no host has that name.
        ServiceException: nothing answers there (`status_code` 503).
    """
    shown = without_credentials(uri)
    deadline = time.monotonic() + seconds
    for pause in (*_SERVER_PAUSES, math.inf):
        timeout = max(_LEAST_SECONDS, min(_SERVER_SECONDS, deadline - time.monotonic()))
        try:
            with urllib.request.urlopen(f"{shown.rstrip('/')}/health", timeout=timeout):
                return
        except (http.client.InvalidURL, UnicodeError) as error:
            raise UserErrorException(f"The tracking server {shown} has no valid address: {error}.") from error
        except (urllib.error.HTTPError, http.client.HTTPException):
            return  # Something answers; whether it is what it should be is for MLflow to say.
        except OSError as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ssl.SSLError):
                return  # MLflow has settings of its own for certificates.
            if isinstance(reason, socket.gaierror):
                raise UserErrorException(f"The tracking server {shown} has no known address: {reason}.") from error
            if not isinstance(reason, ConnectionError) or time.monotonic() + pause >= deadline:
                raise ServiceException._from_status(
                    503,
                    f"The tracking server {shown} cannot be reached: {reason}. Is it running, and the address right?",
                ) from error
        time.sleep(pause)


@contextmanager
def one_process_at_a_time(uri: str) -> Iterator[None]:
    """Keep other processes of this user and machine from doing the same with the store at `uri`."""
    # sqlite's own lock: the operating system drops it when the process dies, on every platform.
    folder = Path(tempfile.gettempdir()) / f"azml_compat-{os.getuid() if hasattr(os, 'getuid') else 'user'}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
        folder = Path(tempfile.mkdtemp(prefix="azml_compat-"))
    connection = sqlite3.connect(
        folder / f"{hashlib.sha256(uri.encode()).hexdigest()[:32]}.lock",
        timeout=_LOCK_SECONDS,
        isolation_level=None,
    )
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        connection.close()


@contextmanager
def _quiet(names: tuple[str, ...]) -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
