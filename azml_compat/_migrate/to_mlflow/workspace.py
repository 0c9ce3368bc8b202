"""Workspaces and experiments: MLflow has experiments alone."""

from __future__ import annotations

import ast

from azml_compat._migrate.to_mlflow.script import WORKSPACE, Left
from azml_compat._migrate.to_mlflow.site import Plan, Rule, Site

RULE = "AZ312"
AUTHENTICATION = "azureml.core.authentication."
"""Begins the paths of what logs in to a workspace."""
_SHOWING = {"format", "str", "join", "print", "display", "get_details", "len"}


def experiment_name(site: Site) -> str:
    """Rewrite `experiment.name`, which MLflow's experiments have as well."""
    return f"{site.script.new(site.owner)}.name"


def experiment_id(site: Site) -> str:
    """Rewrite `experiment.id`."""
    return f"{site.script.new(site.owner)}.experiment_id"


def get_runs(site: Site) -> str:
    """Rewrite `experiment.get_runs()`."""
    site.bind()
    return f"{site.plan.piece('get_runs')}({site.script.new(site.owner)})"


def set_experiment(plan: Plan, call: ast.Call) -> str:
    """Rewrite `Experiment(workspace, name)`."""
    found = dict(zip(("workspace", "name"), call.args, strict=False))
    found |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    if set(found) != {"workspace", "name"} or any(isinstance(node, ast.Starred) for node in call.args):
        raise Left(RULE, "an experiment that is not made of a workspace and a name")
    return f"mlflow.set_experiment({plan.script.new(found['name'])})"


def is_fact(path: str) -> bool:
    """Tell whether a use is of the workspace, or of the version of the SDK."""
    return path.startswith(f"{WORKSPACE}.") or path in (
        WORKSPACE,
        "azureml.core.VERSION",
        "azureml._restclient.VERSION",
    )


def only_shows(plan: Plan, statement: ast.stmt) -> bool:
    """Tell whether a statement does nothing but show facts of the workspace or the version of the SDK."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call):
        return False
    script = plan.script
    if script.resolution.path(call) is None and not (isinstance(call.func, ast.Name) and call.func.id == "print"):
        return _sets_tracking_uri(call)
    for node in ast.walk(call):
        if isinstance(node, ast.Call):
            func = node.func
            name = func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""
            if name not in _SHOWING:
                return False
        if isinstance(node, (ast.NamedExpr, ast.Await)):
            return False
    return isinstance(call.func, ast.Name)


def _sets_tracking_uri(call: ast.Call) -> bool:
    """Tell whether a call has MLflow use the workspace's store, which is the one that it uses anyway."""
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "set_tracking_uri"
        and len(call.args) == 1
        and isinstance(call.args[0], ast.Call)
        and isinstance(call.args[0].func, ast.Attribute)
        and call.args[0].func.attr == "get_mlflow_tracking_uri"
    )


EXPERIMENT_MEMBERS: dict[str, Rule] = {
    "name": experiment_name,
    "id": experiment_id,
    "get_runs": get_runs,
}
