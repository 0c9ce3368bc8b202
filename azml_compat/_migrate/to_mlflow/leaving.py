"""What is left as it is: why, in words, and the comment that says so in the script."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from azml_compat._migrate.edits import Edit
from azml_compat._migrate.resolving import Resolution
from azml_compat._migrate.to_mlflow.script import EXPERIMENT, RUN, Script

NO_EQUIVALENT = "AZ314"
NOT_UNDERSTOOD = "AZ313"

_REASONS = (
    (r".*\.submit(_child)?$", "start the script as a process, or as a job of your platform"),
    (r"azureml\.(data|opendatasets|core\.(dataset|datastore))\b", "read the files of a dataset by their path"),
    (
        r"azureml\.core\.(model|resource_configuration)\b",
        "log and register models with a flavor: `mlflow.<flavor>.log_model`",
    ),
    (r"azureml\.core\.(webservice|image)\b", "deployment is out of scope: see `mlflow models serve`"),
    (r"azureml\.core\.(compute|compute_target)\b", "MLflow has no computes"),
    (r"azureml\.core\.(environment|conda_dependencies|container_registry)\b", "MLflow has no environments of its own"),
    (r"azureml\.core\.(runconfig|script_run_config|script_run|databricks)\b", "MLflow submits no scripts"),
    (r"azureml\.(train|automl|pipeline|contrib|interpret|explain)\b", "MLflow has nothing of the kind"),
    (r"azureml\.widgets\b", "look at the run in MLflow's UI"),
    (r"azureml\.(exceptions|_common|_base_sdk_common)\b", "MLflow raises `mlflow.exceptions.MlflowException`"),
    (r"azureml\.core\.keyvault\b|.*\.get_secrets?$", "read secrets from the environment"),
    (r"azureml\.core\.(workspace|authentication)\b", "MLflow has a tracking URI, and no workspaces"),
)
"""What to do instead of a use whose path a pattern matches."""
_TODO = "# TODO azml-compat {}: "


def reason(path: str) -> str:
    """Say why a use of an azureml name is left, and what to do."""
    found = next((text for pattern, text in _REASONS if re.match(pattern, path)), "plain MLflow has no equivalent")
    return f"`{_short(path)}`: {found}"


def _short(path: str) -> str:
    parts = path.split(".")
    first = next((number for number, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
    return ".".join(parts[first:])


def without_equivalent(script: Script) -> Iterator[tuple[ast.AST, str]]:
    """Yield (node, reason) for each use that plain MLflow has nothing for: where something is made, or named."""
    for use in script.resolution.uses:
        if isinstance(use.node, ast.Call):
            is_concerned = use.kind == "call" and _is_entry(script.resolution, use.node, use.path)
        else:
            is_concerned = use.is_of_module and isinstance(use.node, ast.expr) and not _is_part(script, use.node)
        if is_concerned:
            yield use.node, reason(use.path)


def _is_part(script: Script, node: ast.expr) -> bool:
    """Tell whether a name is only where a longer one begins, or what is called."""
    parent = script.parent(node)
    return isinstance(parent, ast.Attribute) or (isinstance(parent, ast.Call) and parent.func is node)


def _is_entry(resolution: Resolution, call: ast.Call, path: str) -> bool:
    """Tell whether a call makes a thing, and is not one of its methods: of these nobody wants to read hundreds."""
    if path.startswith((f"{RUN}.", f"{EXPERIMENT}.")):
        return True
    value = resolution.value(call.func.value) if isinstance(call.func, ast.Attribute) else None
    is_method = value is not None and value.kind in ("instance", "list", "dict")
    return not is_method


def comment(script: Script, statement: ast.stmt, rule: str, message: str) -> Edit | None:
    """Return the edit that puts a comment above a statement; None where it is there already."""
    lines = script.text.split("\n")
    line = min([statement.lineno, *(node.lineno for node in getattr(statement, "decorator_list", ()))]) - 1
    while line and lines[line - 1].endswith("\\"):
        line -= 1
    above = line - 1
    while above >= 0 and lines[above].lstrip().startswith("#"):
        if _TODO.format(rule).strip() in lines[above]:
            return None
        above -= 1
    indentation = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
    at = script.offsets.of(line + 1, 0)
    return Edit(at, at, f"{indentation}{_TODO.format(rule)}{message}\n")
