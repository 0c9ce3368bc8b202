"""`run.log_list`: each element with a step of its own, so that equal ones are kept."""

from __future__ import annotations

from azml_compat._migrate.to_mlflow.site import Rule, Site

RULE = "AZ303"


def log_list(site: Site) -> str:
    """Rewrite `run.log_list(name, value, description)`."""
    return site.called("log_list", ("name", "value", "description"), ["description"])


MEMBERS: dict[str, Rule] = {"log_list": log_list}
