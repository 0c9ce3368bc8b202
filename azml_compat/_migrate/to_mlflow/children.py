"""Child runs: nested in their parent, with a block of their own or created beside MLflow's active run."""

from __future__ import annotations

from azml_compat._migrate.to_mlflow.runs import creation_of, in_form, keywords, with_outputs
from azml_compat._migrate.to_mlflow.site import Rule, Site, is_none

RULE = "AZ309"


def child_run(site: Site) -> str:
    """Rewrite `run.child_run(name, run_id, outputs)`."""
    made = creation_of(site)
    found = site.bind("name", "run_id", "outputs")
    if "run_id" in found and not is_none(found["run_id"]):
        raise site.left("a run with an id of its own: MLflow makes the ids")
    name = site.script.new(found["name"]) if "name" in found and not is_none(found["name"]) else None
    if site.plan.forms.is_nested(made):
        run = f"mlflow.start_run({keywords({'run_name': name, 'nested': 'True'})})"
    else:
        run = f"{site.plan.piece('create_child')}({', '.join(filter(None, (site.script.new(site.owner), name)))})"
    return in_form(site, made, with_outputs(site, run, found.get("outputs"), has_default=False))


def create_children(site: Site) -> str:
    """Rewrite `run.create_children(count, tag_key, tag_values)`."""
    parameters = ("count", "tag_key", "tag_values")
    found = site.bind(*parameters)
    arguments = [
        site.script.new(site.owner),
        *(f"{key}={site.script.new(found[key])}" for key in parameters if key in found),
    ]
    return f"{site.plan.piece('create_children')}({', '.join(arguments)})"


MEMBERS: dict[str, Rule] = {"child_run": child_run, "create_children": create_children}
