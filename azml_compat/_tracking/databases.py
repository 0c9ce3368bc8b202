"""Looking at a database as a tracking store: its tables and the revision of its schema, read and left as they are."""

from __future__ import annotations

import ast
import importlib
import os
import re
import shlex
import sqlite3
import time
from collections.abc import Collection, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from azml_compat._findings import Finding, note, ok, problem
from azml_compat._tracking.addresses import without_credentials
from azml_compat._tracking.errors import hide_credentials

_LOCK_SECONDS = 1.0
_ALEMBIC = "alembic_version"
"""The table in which alembic, MLflow's tool for migrations, notes the revision."""
_REVISION = re.compile(r"^(down_)?revision\s*(?::[^=\n]*)?=\s*(.+?)\s*(?:#.*)?$", re.MULTILINE)


class _Schema(NamedTuple):
    tables: set[str]
    revision: str | None


def look_at_sqlite(database: Path, uri: str) -> Iterator[Finding]:
    """Say how the database in a file is."""
    if database.name in ("", ":memory:"):
        yield note("The database is in memory: what scripts log is gone when they end.")
        return
    # sqlite keeps its journal beside the file.
    is_one = database.is_file() and os.access(database.parent, os.W_OK)
    yield from obstacle(database, "database", is_one=is_one)
    if not database.exists():
        yield ok(f"The database {database} is not there yet: the first script makes it.")
    elif database.is_file():
        try:
            yield _judge(_sqlite_schema(database), str(database), uri)
        except sqlite3.Error as error:
            yield _unreadable(database, error)


def obstacle(path: Path, what: str, *, is_one: bool) -> Iterator[Finding]:
    """Say so when this user cannot write at `path`, or make it; `is_one` tells whether a `what` is there."""
    if path.exists():
        is_free = is_one and os.access(path, os.W_OK)
    else:
        nearest = next(ancestor for ancestor in path.absolute().parents if ancestor.exists())
        is_free = nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
    if not is_free:
        yield problem(f"{path} is no {what} that you can write to.", "Change its permissions, or choose another store.")


def _sqlite_schema(database: Path) -> _Schema:
    address = f"{database.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=_LOCK_SECONDS)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if _ALEMBIC in tables else None
    return _Schema({name for name in tables if not name.startswith("sqlite_")}, row[0] if row else None)


def _unreadable(database: Path, error: sqlite3.Error) -> Finding:
    if "locked" in str(error):
        return note(f"The database {database} is in use at the moment, so its schema was not looked at.")
    if "readonly" in str(error):
        # A journal beside it tells that a transaction broke off; reading would have to undo it first.
        return note(f"The database {database} was left in the middle of a write. The next script puts it in order.")
    return problem(f"The database {database} cannot be read: {error}.", "Is it a database? Choose another store.")


def look_at_database(uri: str) -> Iterator[Finding]:
    """Say how the database of a server is, or one in sqlite under another driver."""
    sqlalchemy = importlib.import_module("sqlalchemy")
    shown = without_credentials(uri)
    if "@" in _userinfo(uri):
        yield problem(f"The address {shown} is cut at the first @, which is in its password.", "Write that @ as %40.")
        return
    try:
        url = sqlalchemy.engine.make_url(uri)
        if url.get_backend_name() == "sqlite":
            yield from look_at_sqlite(Path(url.database or ""), uri)
            return
        engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
        began = time.monotonic()
        with engine.connect() as connection:
            seconds = time.monotonic() - began
            tables = set(sqlalchemy.inspect(connection).get_table_names())
            query = sqlalchemy.text(f"SELECT version_num FROM {_ALEMBIC}")
            revision = connection.execute(query).scalar() if _ALEMBIC in tables else None
    except ModuleNotFoundError as error:
        yield problem(f"The driver of the database is not installed: {error}.", f"pip install {error.name}")
    except Exception as error:  # noqa: BLE001 - drivers have exceptions of their own
        yield problem(
            f"The database {shown} cannot be reached: {_without_secrets(error, uri)}", "Is the address right?"
        )
    else:
        yield ok(f"The database answers in {seconds * 1000:.0f} ms.", seconds=round(seconds, 3))
        yield _judge(_Schema(tables, revision), shown, uri)


def _without_secrets(error: Exception, uri: str) -> str:
    """Return the first line of what a driver says, without what `uri` keeps to itself."""
    hide_credentials(error)
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    userinfo = _userinfo(uri)
    secrets = {userinfo, userinfo.partition(":")[2], *re.findall(r"=([^&]+)", uri.partition("?")[2])}
    for secret in sorted({form for part in secrets if part for form in (part, unquote(part))}, key=len, reverse=True):
        text = text.replace(secret, "…")
    return text


def _userinfo(uri: str) -> str:
    """Return user name and password of an address, as they stand there."""
    address = uri.partition("://")[2]
    place = address.partition("?")[0]
    return (place if "@" in place else address).rpartition("@")[0]


def _judge(schema: _Schema, shown: str, uri: str) -> Finding:
    """Compare a schema with what the installed MLflow works with."""
    if not schema.tables - {_ALEMBIC}:
        return ok(f"The database {shown} is empty: the first script makes it MLflow's.")
    if "experiments" not in schema.tables or schema.revision is None:
        return problem(f"The database {shown} holds something else than MLflow's tables.", "Choose another store.")
    expected, known = _revisions()
    facts: dict[str, Any] = {"revision": schema.revision, "expected": expected}
    if expected is None:
        return note(f"What schema MLflow expects of {shown} cannot be seen.", **facts)
    if schema.revision == expected:
        return ok(f"The database {shown} has the schema of the installed MLflow.", **facts)
    if schema.revision not in known:
        return problem(
            f"The database {shown} was written by a newer MLflow (schema {schema.revision}) than the installed one.",
            "pip install --upgrade mlflow",
            **facts,
        )
    address = shlex.quote(uri) if without_credentials(uri) == uri else "with its whole address"
    return problem(
        f"The database {shown} has an older schema ({schema.revision}) than the installed MLflow works with "
        f"({expected}): MLflow refuses it, or changes it by itself when a script opens it.",
        f"Make a copy of the database, then: mlflow db upgrade {address}",
        **facts,
    )


def _revisions() -> tuple[str | None, Collection[str]]:
    """Return the schema revision of the installed MLflow, and all before it.

    They are read from the text of its migrations: running those, as alembic does, imports MLflow and takes seconds.
    """
    spec = find_spec("mlflow")
    places = spec.submodule_search_locations if spec is not None else None
    known: set[str] = set()
    earlier: set[str] = set()
    for place in places or ():
        for file in Path(place, "store", "db_migrations", "versions").glob("*.py"):
            for is_down, value in _REVISION.findall(file.read_text(encoding="utf-8")):
                try:
                    named = ast.literal_eval(value)
                except (SyntaxError, ValueError):
                    return None, known
                (earlier if is_down else known).update([named] if isinstance(named, str) else named or ())
    heads = known - earlier
    return (heads.pop() if len(heads) == 1 else None), known
