"""`run.register_model`: files of a run as a version of a model in MLflow's registry."""

from __future__ import annotations

import ast

from azml_compat._migrate.to_mlflow.script import Left, Script
from azml_compat._migrate.to_mlflow.site import Rule, Site, is_none

RULE = "AZ315"
MODEL = "azureml.core.model.Model"
_PARAMETERS = (
    *("model_name", "model_path", "tags", "properties", "model_framework", "model_framework_version", "description"),
    *("datasets", "sample_input_dataset", "sample_output_dataset", "resource_configuration"),
)
_KEPT = ("model_name", "model_path", "tags", "description")


def register_model(site: Site) -> str:
    """Rewrite `run.register_model(model_name, model_path, tags, …)`."""
    found = site.bind(*_PARAMETERS)
    lost = [key for key in found if key not in _KEPT and not is_none(found[key])]
    if lost:
        raise site.left(f"`register_model` with `{lost[0]}`, for which MLflow has no place")
    return site.called("register_model", _PARAMETERS, [key for key in _PARAMETERS if key not in _KEPT])


def is_replaced(member: ast.Attribute) -> bool:
    """Tell whether what is read of a registered model is spelled otherwise in MLflow.

    Raises:
        Left: MLflow has nothing of the kind.
    """
    if member.attr not in ("id", "name", "version", "description"):
        raise Left(RULE, f"`{member.attr}` of a model is another thing in MLflow")
    return member.attr == "id"


def model_id(script: Script, member: ast.Attribute) -> str:
    """Rewrite `model.id`."""
    model = script.new(member.value)
    return f'f"{{{model}.name}}:{{{model}.version}}"'


MEMBERS: dict[str, Rule] = {"register_model": register_model}
