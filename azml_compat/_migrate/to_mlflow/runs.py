"""Runs that a script starts: of its context, of an experiment, and in a `with` block."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Mapping

from azml_compat._migrate.to_mlflow.forms import Creation
from azml_compat._migrate.to_mlflow.site import Plan, Rule, Site, is_none, literal, quoted

RULE = "AZ301"
_START = ("name", "run_id", "outputs", "snapshot_directory", "tags", "display_name", "description")
_WITHOUT_EFFECT = ("snapshot_directory", "redirect_output_stream", "logs", "flush_eager")


def get_context(site: Site) -> str:
    """Rewrite `Run.get_context()`."""
    made = creation_of(site)
    run = f"{site.plan.piece('current_run')}()"
    return f"{site.plan.piece('ending')}({run})" if made.with_ is not None else run


def start_logging(site: Site) -> str:
    """Rewrite `experiment.start_logging(…)`."""
    made = creation_of(site)
    found = _without_inert(site)
    if "run_id" in found:
        raise site.left("a run with an id of its own: MLflow makes the ids")
    outputs = found.pop("outputs", None)
    name = next((site.script.new(found[key]) for key in ("display_name", "name") if key in found), None)
    tags = found.get("tags")
    if tags is not None and not isinstance(tags, ast.Dict):
        raise site.left("tags that are not written out where the run is started: set them with `set_tags` afterwards")
    description = found.get("description")
    forms = site.plan.forms
    if forms.top is made or forms.is_nested(made):
        options = {
            "experiment_id": None if is_of_the_experiment(site) else f"{site.script.new(site.owner)}.experiment_id",
            "run_name": name,
            "tags": None if tags is None else site.script.new(tags),
            "description": None if description is None else site.script.new(description),
        }
        run = f"mlflow.start_run({keywords(options)})"
        if made.with_ is None:
            run = f"{site.plan.piece('start_run')}({keywords(options)})"
    else:
        written = {} if tags is None else {"tags": site.script.new(tags)}
        if description is not None:
            note = f'"mlflow.note.content": {site.script.new(description)}'
            written["tags"] = f"{{**{written['tags']}, {note}}}" if written else f"{{{note}}}"
        arguments = keywords({"name": name, **written})
        experiment = f"{site.script.new(site.owner)}.experiment_id"
        run = f"{site.plan.piece('create_run')}({', '.join(filter(None, (experiment, arguments)))})"
    return in_form(site, made, with_outputs(site, run, outputs, has_default=True))


def creation_of(site: Site) -> Creation:
    """Return what is known of the run that a site opens."""
    return next(made for made in site.plan.forms.creations if made.call is site.call)


def entered(plan: Plan, run: ast.expr) -> str | None:
    """Return what a `with` statement is given for a run that was started before; None where that stays as it is."""
    if plan.forms.is_active(run) and not plan.is_ended_by_piece:
        return None
    return f"{plan.piece('ending')}({plan.script.new(run)})"


def makes_outputs(plan: Plan) -> bool:
    """Tell whether files of a folder are to be stored when a run ends."""
    for made in plan.forms.creations:
        outputs = next((keyword.value for keyword in made.call.keywords if keyword.arg == "outputs"), None)
        is_default = (
            outputs is None or is_none(outputs) or (isinstance(outputs, ast.Constant) and outputs.value is True)
        )
        if is_default and made.path.rpartition(".")[2] in ("child_run", "create_children"):
            continue
        if plan.script.speaks_of_outputs if is_default else not _is_false(outputs):
            return True
    return False


def _without_inert(site: Site) -> dict[str, ast.expr]:
    """Return the arguments of `start_logging` that have an effect."""
    assert site.call is not None
    if any(keyword.arg is None for keyword in site.call.keywords) or site.call.args:
        raise site.left("the arguments of `start_logging` are not understood")
    found = {keyword.arg: keyword.value for keyword in site.call.keywords if keyword.arg is not None}
    unknown = set(found) - {*_START, *_WITHOUT_EFFECT}
    if unknown:
        raise site.left(f"`start_logging` with `{min(unknown)}`")
    return {key: value for key, value in found.items() if key not in _WITHOUT_EFFECT and not is_none(value)}


def keywords(options: Mapping[str, str | None]) -> str:
    return ", ".join(f"{key}={value}" for key, value in options.items() if value is not None)


def is_of_the_experiment(site: Site) -> bool:
    """Tell whether the experiment of a run is the one that was set last, for certain."""
    calls = site.plan.experiment_calls
    if isinstance(site.owner, ast.Call):
        return False
    return len(calls) == 1 and not site.script.repeaters(calls[0])


def in_form(site: Site, made: Creation, run: str) -> str:
    """Return what opens a run, so that its end is seen where it has a block of its own."""
    is_plain = run.startswith("mlflow.start_run(") and not site.plan.is_ended_by_piece
    return run if made.with_ is None or is_plain else f"{site.plan.piece('ending')}({run})"


def with_outputs(site: Site, run: str, outputs: ast.expr | None, *, has_default: bool) -> str:
    """Have the files of the run's output folder stored at its end."""
    is_default = outputs is None or is_none(outputs) or (isinstance(outputs, ast.Constant) and outputs.value is True)
    if is_default:
        wanted = outputs is not None and not is_none(outputs)
        if not (has_default or wanted) or not site.script.speaks_of_outputs:
            return run
        return f"{site.plan.piece('keep_outputs')}({run})"
    if outputs is None or _is_false(outputs):
        return run
    folder = literal(outputs)
    if folder is None or posixpath.normpath(folder).startswith(("/", ".")):
        raise site.left("output folders that are not one below this: store them with `mlflow.log_artifacts` at the end")
    return f"{site.plan.piece('keep_outputs')}({run}, {site.script.new(outputs) if folder else quoted('outputs')})"


def _is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


MEMBERS: dict[str, Rule] = {
    "get_context": get_context,
    "get_submitted_run": get_context,
    "start_logging": start_logging,
}
