"""`azureml.mlflow`, of the package azureml-mlflow: what scripts import of it.

The package itself makes MLflow write to an Azure workspace. Here a workspace is an MLflow store, which needs no help;
an installed azureml-mlflow is announced to MLflow as a plugin all the same, see `entry_point_loaders`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azml_compat.core import Model, Run, Workspace

__all__ = ["get_portal_url", "register_model"]

VERSION = __version__ = "1.62.0"
"""Of the azureml-mlflow that these functions mirror."""


def get_mlflow_tracking_uri(workspace: Workspace) -> str:
    """Return the tracking URI of a workspace, for mlflow.set_tracking_uri."""
    return workspace.get_mlflow_tracking_uri()


def get_portal_url(run: Any) -> str:
    """Return the address of a run in the MLflow UI.

    Args:
        run: A `Run`, or MLflow's.
    """
    return _run_of(run).get_portal_url()


def register_model(run: Any, name: str, path: str, tags: dict[str, str] | None = None, **kwargs: Any) -> Model:
    """Register a file or folder of a run as a model, as `Run.register_model` does.

    Args:
        run: A `Run`, or MLflow's.
        name: The name of the model.
        path: Where it is in the run, such as `outputs/model.pkl`.
        tags: Tags of the model.
        kwargs: Further arguments of `Run.register_model`.
    """
    return _run_of(run).register_model(model_name=name, model_path=path, tags=tags, **kwargs)


def _run_of(run: Any) -> Run:
    from azml_compat.core import Run, Workspace

    return run if isinstance(run, Run) else Workspace.from_config().get_run(run.info.run_id)
