"""`run.log`: a number is a metric with a step of its own; a text is a param where it is logged once, else a table."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from typing import Literal

from azml_compat._metrics import escape_key
from azml_compat._migrate.to_mlflow.forms import CONTEXT
from azml_compat._migrate.to_mlflow.site import Rule, Site, literal

RULE = "AZ302"
_PARAMETERS = ("name", "value", "description", "step")
_LONGEST_TEXT = 6000
"""Of a param."""

_Form = Literal["metric", "param", "maybe metric", "series"]


def log(site: Site) -> str:
    """Rewrite `run.log(name, value, description, step)`."""
    found = site.bind(*_PARAMETERS)
    form = _form(site, found)
    if form == "maybe metric":
        form = "metric" if site.suggest() else "series"
    if form == "series":
        return site.called("log_value", _PARAMETERS, ["description"])
    name, value = (site.script.new(found[parameter]) for parameter in ("name", "value"))
    if form == "param":
        return site.of_client("log_param", name, value)
    step = site.script.new(found["step"]) if "step" in found else _counter(site) or "0"
    return site.fluent("log_metric", name, value, f"step={step}")


def is_direct(site: Site) -> bool:
    """Tell whether a call becomes one of MLflow's, for which nothing need be remembered."""
    form = _form(site, site.bind(*_PARAMETERS))
    return form in ("metric", "param") or (form == "maybe metric" and site.plan.is_unsafe)


def _form(site: Site, found: dict[str, ast.expr]) -> _Form:
    """Say what a call can be written as: `maybe metric` is one of a number, if it is one."""
    if "name" not in found or "value" not in found:
        raise site.left("`log` is called without a name or a value")
    name, value, step = literal(found["name"]), found["value"], found.get("step")
    if name is None or escape_key(name) != name or not site.plan.logs_once(name):
        return "series"
    repeats = is_repeated(site)
    if step is None:
        if (repeats and _counter(site) is None) or _is_text(value):
            return "series" if repeats else "param"
        return "metric" if is_number(value) else "maybe metric"
    if _is_text(value) or (isinstance(step, ast.Constant) and step.value is None):
        return "series"
    is_known = is_number(value) and isinstance(step, ast.Constant) and type(step.value) is int
    return "metric" if is_known and not repeats else "maybe metric"


def is_repeated(site: Site) -> bool:
    """Tell whether a call may be made several times for one run."""
    return bool(_repeaters(site))


def _repeaters(site: Site) -> set[ast.AST]:
    forms = site.plan.forms
    top = forms.top if forms.is_only else None
    # What may open the run several times concerns another run each time, unless it is that of the script.
    around = site.script.repeaters(top.call) if top is not None and top.path not in CONTEXT else set()
    return site.script.repeaters(site.node) - around


def _counter(site: Site) -> str | None:
    """Return the variable that counts the rounds of a loop from 0, where each round logs one value of the run."""
    loops = _repeaters(site)
    loop = loops.pop() if len(loops) == 1 else None
    if not isinstance(loop, ast.For) or not site.is_statement or site.script.statement(site.node) not in loop.body:
        return None
    variable = _counted(loop)
    if variable is None or {"range", "enumerate"} & set(site.script.bound):
        return None
    skips = any(isinstance(node, ast.Continue) for node in ast.walk(loop))
    changes = sum(isinstance(node, ast.Name) and node.id == variable.id for node in _stored(loop))
    is_shared = any(
        isinstance(node, (ast.Global, ast.Nonlocal)) and variable.id in node.names for node in site.script.nodes
    )
    return None if skips or changes > 1 or is_shared else variable.id


def _counted(loop: ast.For) -> ast.Name | None:
    """Return the variable of `for x in range(n)`, or of `for x, y in enumerate(z)`."""
    call, target = loop.iter, loop.target
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.keywords:
        return None
    if len(call.args) != 1 or isinstance(call.args[0], ast.Starred):
        return None
    if call.func.id == "enumerate" and isinstance(target, ast.Tuple):
        target = target.elts[0]
    elif call.func.id != "range":
        return None
    return target if isinstance(target, ast.Name) else None


def _stored(loop: ast.For) -> Iterator[ast.AST]:
    return (node for node in ast.walk(loop) if not isinstance(getattr(node, "ctx", None), (ast.Load, type(None))))


def is_number(value: ast.expr) -> bool:
    """Tell whether an expression is a number that a chart can show, or a bool, for certain."""
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, (ast.USub, ast.UAdd)):
        return isinstance(value.operand, ast.Constant) and value.operand.value != 0 and is_number(value.operand)
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id == "len"
    if not isinstance(value, ast.Constant) or not isinstance(value.value, (int, float)):
        return False
    return isinstance(value.value, int) or math.isfinite(value.value)


def _is_text(value: ast.expr) -> bool:
    """Tell whether an expression is a text, or None, for certain."""
    if isinstance(value, ast.Constant):
        return value.value is None or (isinstance(value.value, str) and len(value.value) <= _LONGEST_TEXT)
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
        return value.func.attr == "format" and literal(value.func.value) is not None
    return isinstance(value, ast.JoinedStr)


MEMBERS: dict[str, Rule] = {"log": log}
