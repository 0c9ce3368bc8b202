"""Tags, and properties, which are tags `property.<key>`; the name and the description that the UI shows."""

from __future__ import annotations

import ast

from azml_compat._metrics import escape_key
from azml_compat._migrate.to_mlflow.site import Rule, Site, is_none, literal, quoted

RULE = "AZ307"


def tag(site: Site) -> str:
    """Rewrite `run.tag(key, value)`."""
    found = site.bind("key", "value")
    key, value = found.get("key"), found.get("value")
    if key is None:
        raise site.left("`tag` is called without a key")
    name = literal(key)
    if name is not None and (value is None or is_none(value)):
        return site.of_client("set_tag", _key(site, key), '""')
    if name is None or value is None or not (_is_never_none(value) or site.suggest()):
        return site.called("set_tag", ("key", "value"))
    return site.of_client("set_tag", _key(site, key), site.script.new(value))


def set_tags(site: Site) -> str:
    """Rewrite `run.set_tags(tags)`."""
    return _set_all(site, "tags", "set_tags", "")


def add_properties(site: Site) -> str:
    """Rewrite `run.add_properties(properties)`."""
    return _set_all(site, "properties", "add_properties", "property.")


def remove_tags(site: Site) -> str:
    """Rewrite `run.remove_tags(tags)`."""
    return site.called("remove_tags", ("tags",))


def _set_all(site: Site, parameter: str, piece: str, prefix: str) -> str:
    """Rewrite setting what a dict says: all at once where it is written out, and each has a value."""
    found = site.bind(parameter)
    tags = found.get(parameter)
    if not isinstance(tags, ast.Dict) or not site.is_active:
        return site.called(piece, (parameter,))
    keys = [literal(key) for key in tags.keys]
    if any(not key or escape_key(key) != key for key in keys) or not all(map(_is_never_none, tags.values)):
        return site.called(piece, (parameter,))
    if not prefix:
        return f"mlflow.set_tags({site.script.new(tags)})"
    pairs = zip(filter(None, keys), tags.values, strict=True)
    written = [f"{quoted(prefix + key)}: {site.script.new(value)}" for key, value in pairs]
    return f"mlflow.set_tags({{{', '.join(written)}}})"


def _key(site: Site, node: ast.expr) -> str:
    key = literal(node) or ""
    stored = escape_key(key)
    return site.script.new(node) if stored == key else quoted(stored)


def _is_never_none(value: ast.expr) -> bool:
    """Tell whether an expression has a value that MLflow writes as Azure does, for certain."""
    if isinstance(value, ast.Constant):
        return value.value is not None
    if isinstance(value, ast.Call):
        func = value.func
        is_format = (
            isinstance(func, ast.Attribute) and func.attr in ("format", "join") and literal(func.value) is not None
        )
        return is_format or (isinstance(func, ast.Name) and func.id in ("str", "len", "int", "float", "repr"))
    return isinstance(value, (ast.JoinedStr, ast.List, ast.Dict, ast.Tuple, ast.Compare))


MEMBERS: dict[str, Rule] = {
    "tag": tag,
    "set_tags": set_tags,
    "add_properties": add_properties,
    "remove_tags": remove_tags,
}
