"""What a run is and has: its id, status, relatives, metrics, tags."""

from __future__ import annotations

import ast

from azml_compat._migrate.to_mlflow.script import Left
from azml_compat._migrate.to_mlflow.site import DELETED, Plan, Rule, Site, is_none

RULE = "AZ310"


def run_id(site: Site) -> str:
    """Rewrite `run.id`."""
    return site.run_id


def get_status(site: Site) -> str:
    """Rewrite `run.get_status()` and `run.status`."""
    return f"{site.plan.piece('get_status')}({site.run_id})"


def get_details(site: Site) -> str:
    """Rewrite `run.get_details()` where it is only shown: MLflow knows other things of a run."""
    site.bind()
    around = site.script.parent(site.node)
    is_shown = isinstance(around, (ast.Expr, ast.FormattedValue)) or (
        isinstance(around, ast.Call)
        and isinstance(around.func, ast.Name)
        and around.func.id in ("print", "pprint", "str")
    )
    if not is_shown:
        raise site.left("`get_details` has other keys in MLflow: see `mlflow.get_run(run_id).to_dictionary()`")
    return f"mlflow.get_run({site.run_id}).to_dictionary()"


def detail(site: Site, key: str) -> str | None:
    """Rewrite `run.get_details()["status"]`; None for what MLflow has nothing of."""
    return {"runId": run_id, "status": get_status}[key](site) if key in ("runId", "status") else None


def wait_for_completion(site: Site) -> str:
    """Rewrite `run.wait_for_completion(…)` of a run that this script itself makes."""
    if not site.is_statement:
        raise site.left("`wait_for_completion` has no equivalent: a run ends where the script ends it")
    return DELETED


def name(site: Site) -> str:
    """Rewrite `run.name`: Azure calls a run after its id where nobody names it."""
    named = [
        made
        for made in site.plan.forms.creations
        if made.path.endswith("child_run") or any(keyword.arg == "name" for keyword in made.call.keywords)
    ]
    if named:
        raise site.left("`name` of a run that was given one: MLflow has a display name alone")
    return f'f"run_{{{site.run_id}}}"'


def get_metrics(site: Site) -> str:
    """Rewrite `run.get_metrics(name)`."""
    found = site.bind("name", "recursive", "run_type", "populate")
    if any(key in found and not _is_off(found[key]) for key in ("recursive", "run_type", "populate")):
        raise site.left("`get_metrics` of all descendants, or with the content of files: read each run")
    return site.piece("get_metrics", *([site.script.new(found["name"])] if "name" in found else []))


def get_tags(site: Site) -> str:
    """Rewrite `run.get_tags()` and `run.tags`."""
    return site.piece("get_tags")


def get_properties(site: Site) -> str:
    """Rewrite `run.get_properties()` and `run.properties`."""
    return site.piece("get_properties")


def parent(site: Site) -> str:
    """Rewrite `run.parent`."""
    return f"mlflow.get_parent_run({site.run_id})"


def get_children(site: Site) -> str:
    """Rewrite `run.get_children()`."""
    site.bind()
    return f"{site.plan.piece('get_children')}({site.script.new(site.owner)})"


def experiment(site: Site) -> str:
    """Rewrite `run.experiment` where it gives a name."""
    around = site.script.parent(site.node)
    if isinstance(around, ast.Attribute) and around.attr == "name":
        return f"mlflow.get_experiment({site.script.new(site.owner)}.info.experiment_id)"
    raise site.left("the experiment of a run, and what is reached through it, has no equivalent")


def get_portal_url(site: Site) -> str:
    """Rewrite `run.get_portal_url()`: the page of the run where the tracking server serves MLflow's UI."""
    run = site.script.new(site.owner)
    return f'f"{{mlflow.get_tracking_uri()}}/#/experiments/{{{run}.info.experiment_id}}/runs/{{{run}.info.run_id}}"'


def existing_run(plan: Plan, call: ast.Call) -> str:
    """Rewrite `Run(experiment, run_id)` and `Run.get(workspace, run_id)`."""
    found = {keyword.arg: keyword.value for keyword in call.keywords}
    run_id = call.args[1] if len(call.args) == 2 else found.get("run_id")
    if run_id is None:
        raise Left(RULE, "a run that is not found by its id")
    return f"mlflow.get_run({plan.script.new(run_id)})"


def display_name(site: Site) -> str:
    """Rewrite `run.display_name`."""
    return f"mlflow.get_run({site.run_id}).info.run_name"


def set_display_name(site: Site, value: ast.expr) -> str:
    """Rewrite `run.display_name = value`."""
    return site.of_client("set_tag", '"mlflow.runName"', site.script.new(value))


def set_description(site: Site, value: ast.expr) -> str:
    """Rewrite `run.description = value`."""
    return site.of_client("set_tag", '"mlflow.note.content"', site.script.new(value))


def _is_off(node: ast.expr) -> bool:
    return is_none(node) or (isinstance(node, ast.Constant) and node.value is False)


MEMBERS: dict[str, Rule] = {
    "id": run_id,
    "_run_id": run_id,
    "get_status": get_status,
    "status": get_status,
    "get_details": get_details,
    "name": name,
    "wait_for_completion": wait_for_completion,
    "get_metrics": get_metrics,
    "get_tags": get_tags,
    "tags": get_tags,
    "get_properties": get_properties,
    "properties": get_properties,
    "parent": parent,
    "get_children": get_children,
    "experiment": experiment,
    "get_portal_url": get_portal_url,
    "display_name": display_name,
}
SETTERS = {"display_name": set_display_name, "description": set_description}
