"""Opening a store: one process at a time where MLflow would break, and without its migration log.

MLflow creates the tables of a fresh database without a lock: of eight processes that open a fresh sqlite file at
once, none or one succeeds.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azml_compat import _names
from azml_compat._tracking import mlflow_api

_LOCK_SECONDS = 300
_CHATTY_LOGGERS = ("mlflow.store.db.utils", "mlflow.store.db_migrations", "alembic", "alembic.runtime.migration")


def open_client(uri: str) -> Any:
    """Return an MlflowClient whose store is ready for use."""
    if is_local(uri):
        os.environ.setdefault(_names.ENV_ALLOW_FILE_STORE, "true")
    if uri.startswith(("http://", "https://")):
        return mlflow_api.connect(uri)
    with _one_process_at_a_time(uri), _quiet(_CHATTY_LOGGERS):
        client = mlflow_api.connect(uri)
        # The registry store is opened on its first use; do that under the lock as well.
        client.search_registered_models(max_results=1)
        return client


def is_local(uri: str) -> bool:
    """Tell whether `uri` names a file store."""
    return "://" not in uri or uri.startswith("file:")


@contextmanager
def _one_process_at_a_time(uri: str) -> Iterator[None]:
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
