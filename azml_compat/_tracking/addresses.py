"""Tracking URIs: what they name, made absolute, and fit to be shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

_DATABASES = ("postgresql", "mysql", "mssql", "sqlite")
_OF_SQLITE = ("", "-journal", "-wal", "-shm")
_BESIDE = ("mlruns", "mlartifacts", "mldatastores")
_HOST = re.compile(r"(\[[^]]*\]|[^:]*)(:\d*)?")

_SECRET = re.compile(r"\b(user|uid|password|passwd|pwd|token|secret|sslpassword)=[^&;]*[&;]?", re.IGNORECASE)
"""A user or secret among the parameters of a driver."""


def is_local(uri: str) -> bool:
    """Tell whether `uri` names a file store."""
    return "://" not in uri or uri.startswith("file:")


def kind_of(uri: str) -> Literal["server", "folder", "database", "plugin"]:
    """Return what kind of store `uri` names; what is a plugin to us may be known to MLflow."""
    scheme = uri.partition(":")[0]
    if scheme in ("http", "https"):
        return "server"
    if scheme.partition("+")[0] in _DATABASES:
        return "database"
    return "folder" if is_local(uri) and uri not in ("databricks", "uc") else "plugin"


def sqlite_path(uri: str) -> Path | None:
    """Return the file of a sqlite tracking URI."""
    return Path(uri[len("sqlite:///") :].partition("?")[0]) if uri.startswith("sqlite:///") else None


def lies_in(uri: str) -> Callable[[Path], bool]:
    """Return what tells whether a file or folder is one of the store at `uri`, or one of what we keep beside it.

    Of an unknown store (an empty text), nothing is.
    """
    database = sqlite_path(uri)
    if database is not None:
        names = {*(f"{database.name}{suffix}" for suffix in _OF_SQLITE), *_BESIDE}
        place = database.absolute().parent.resolve()
    elif uri and is_local(uri):
        from urllib.parse import unquote, urlsplit  # not at the top: importing azureml.core must stay cheap

        root = Path(unquote(urlsplit(uri).path) if uri.startswith("file:") else uri).absolute()
        names, place = {root.name, *_BESIDE}, root.parent.resolve()
    else:
        return lambda _: False
    return lambda path: path.name in names and path.parent.resolve() == place


def without_credentials(uri: str) -> str:
    """Return `uri` as it may be shown: without user name and password, wherever they are in it."""
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme.startswith(("sqlite", "file")):
        return uri
    rest, question, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    has_user = "@" in authority
    is_host = not has_user and _HOST.fullmatch(authority) is not None
    if "@" in query and "@" not in rest and not (slash and is_host):
        # A password that holds a question mark, which a database takes.
        rest, question, _ = query.rpartition("@")[2].partition("?")
    elif not scheme.startswith("http") or not (has_user or is_host):
        # A password that holds a slash: a database takes it, and for a server it is a mistake that is shown as well.
        rest = rest.rpartition("@")[2]
    elif has_user:
        rest = f"{authority.rpartition('@')[2]}{slash}{path}"
    # Drivers take passwords as parameters too.
    return f"{scheme}{separator}{rest}{'?…' if question else ''}"


def identity_of(uri: str) -> str:
    """Return what tells the store at `uri` from all others, whoever uses it: its address without user and secrets."""
    from urllib.parse import unquote_plus  # here and not at the top: importing Run must stay cheap

    scheme, separator, rest = uri.partition("://")
    if not separator or scheme.startswith(("sqlite", "file")):
        return uri
    shown = without_credentials(uri).removesuffix("?…").rstrip("/")
    query = unquote_plus(rest.partition("?")[2])
    return f"{shown}?{_SECRET.sub('', query)}"


def absolute_uri(uri: str, folder: Path) -> str:
    """Return a tracking URI whose local path does not depend on the current directory."""
    if uri.startswith("sqlite:///") and not uri.startswith("sqlite:////"):
        path, question, query = uri[len("sqlite:///") :].partition("?")
        if path and path != ":memory:" and not Path(path).is_absolute():
            return f"sqlite:///{(folder / path).resolve().as_posix()}{question}{query}"
        return uri
    if uri.startswith("file:") and not uri.startswith("file:/"):
        return (folder / uri[len("file:") :]).resolve().as_uri()
    if is_local(uri) and not uri.startswith("file:") and uri not in ("databricks", "uc"):
        return (folder / uri).resolve().as_uri()
    return uri
