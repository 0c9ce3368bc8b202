"""The four metrics that are JSON of a documented schema: a file whose path is the name, holding the object."""

from __future__ import annotations

import ast
import posixpath

from azml_compat._files import normalise, stored_path
from azml_compat._migrate.to_mlflow.site import Rule, Site, literal, quoted

RULE = "AZ306"
_YAML = (".yaml", ".yml")
"""Endings of names with which MLflow would write YAML."""


def log_json(site: Site) -> str:
    """Rewrite `run.log_confusion_matrix(name, value, description)` and its likes."""
    found = site.bind("name", "value", "description")
    if "name" not in found or "value" not in found:
        raise site.left(f"`{site.member.attr}` is called without a name or a value")
    name = literal(found["name"])
    value = site.script.new(found["value"])
    if name is None or posixpath.splitext(name)[1] in _YAML or not _is_object(site, found["value"]):
        written = site.script.new(found["name"]) if name is None else file_name(site, found["name"])
        return site.piece("log_json", written, value)
    return site.fluent("log_dict", value, file_name(site, found["name"]))


def file_name(site: Site, node: ast.expr) -> str:
    """Return a literal file name as it is stored."""
    name = literal(node)
    stored = stored_path(normalise(name or ""))
    return site.script.new(node) if stored == name else quoted(stored)


def _is_object(site: Site, value: ast.expr) -> bool:
    """Tell whether a value is a dict for certain: written out, or a variable that is never anything else."""
    if isinstance(value, ast.Dict):
        return True
    if not isinstance(value, ast.Name):
        return False
    parents = [site.script.parent(node) for node in site.script.bindings.get(value.id, [])]
    return bool(parents) and all(
        isinstance(parent, ast.Assign) and isinstance(parent.value, ast.Dict) for parent in parents
    )


MEMBERS: dict[str, Rule] = dict.fromkeys(
    ("log_confusion_matrix", "log_accuracy_table", "log_residuals", "log_predictions"), log_json
)
