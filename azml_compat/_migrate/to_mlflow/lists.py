"""`run.log_list`: each element with a step of its own, so that equal ones are kept."""

from __future__ import annotations

import ast

from azml_compat._metrics import escape_key
from azml_compat._migrate.to_mlflow.scalars import is_number, is_repeated
from azml_compat._migrate.to_mlflow.site import Rule, Site, literal

RULE = "AZ303"
_PARAMETERS = ("name", "value", "description")


def log_list(site: Site) -> str:
    """Rewrite `run.log_list(name, value, description)`: numbers that are written out are logged in a loop."""
    if not is_direct(site):
        return site.called("log_list", _PARAMETERS, ["description"])
    found = site.bind(*_PARAMETERS)
    name, value = (site.script.new(found[parameter]) for parameter in ("name", "value"))
    indentation = " " * (site.node.col_offset + 4)
    logged = site.fluent("log_metric", name, "value", "step=step")
    return f"for step, value in enumerate({value}):\n{indentation}{logged}"


def is_direct(site: Site) -> bool:
    """Tell whether a call becomes a loop, for which nothing need be remembered."""
    found = site.bind(*_PARAMETERS)
    name, value = literal(found.get("name")), found.get("value")
    if name is None or escape_key(name) != name or not site.plan.logs_once(name) or is_repeated(site):
        return False
    is_plain = isinstance(value, (ast.List, ast.Tuple)) and bool(value.elts) and all(map(is_number, value.elts))
    is_free = "step" not in site.script.bound and "value" not in site.script.bound
    return is_plain and is_free and _is_alone(site)


def _is_alone(site: Site) -> bool:
    """Tell whether a call has its lines for itself."""
    start, end = site.script.span(site.node)
    text = site.script.text
    before = text[text.rfind("\n", 0, start) + 1 : start]
    after = text[end:].partition("\n")[0].strip()
    return site.is_statement and before == " " * site.node.col_offset and (not after or after.startswith("#"))


MEMBERS: dict[str, Rule] = {"log_list": log_list}
