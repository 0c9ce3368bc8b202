"""`azureml.mlflow`: its functions, and MLflow's plugins where azureml-mlflow is installed as well."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest

import azml_compat.mlflow as azureml_mlflow
from azml_compat._base_sdk_common import user_agent
from azml_compat.core import Run

REPOSITORY = Path(__file__).parents[1]
# As the wheel of azureml-mlflow 1.62.0 declares them.
ENTRY_POINTS = """
[mlflow.artifact_repository]
azureml = azureml.mlflow.entry_point_loaders:azureml_artifacts_builder
[mlflow.deployments]
azureml = azureml.mlflow.deploy
[mlflow.model_registry_store]
azureml = azureml.mlflow.entry_point_loaders:azureml_model_registry_builder
[mlflow.project_backend]
azureml = azureml.mlflow.entry_point_loaders:azureml_project_run_builder
[mlflow.request_header_provider]
azureml = azureml.mlflow.entry_point_loaders:azureml_request_header_provider
[mlflow.tracking_store]
azureml = azureml.mlflow.entry_point_loaders:azureml_store_builder
"""
USES_OF_PLUGINS = """
import sys

import mlflow
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking.request_header.registry import resolve_request_headers

assert "azureml" not in str(resolve_request_headers()), resolve_request_headers()
for use in (
    lambda: mlflow.MlflowClient("azureml://host?auth=secret").get_run("1"),
    lambda: mlflow.MlflowClient(sys.argv[1], "azureml://host?auth=secret").get_registered_model("1"),
    lambda: get_artifact_repository("azureml://host?auth=secret"),
    lambda: mlflow.projects.run(".", backend="azureml"),
):
    try:
        use()
    except NotImplementedError as error:
        assert type(error).__name__ == "NotSupportedError"
        assert "secret" not in str(error)
        print(error.instead)
    else:
        raise AssertionError(use)
"""


@pytest.fixture
def plain_run(local_exp):
    """A run of plain MLflow code, which MLflow gives as its own object."""
    mlflow.set_tracking_uri(local_exp.workspace.get_mlflow_tracking_uri())
    with mlflow.start_run() as run:
        mlflow.log_text("weights", "outputs/model.txt")
    return run


def test_the_address_of_a_run_whichever_object_it_comes_as(local_exp, plain_run):
    run = Run.get(local_exp.workspace, plain_run.info.run_id)

    assert azureml_mlflow.get_portal_url(plain_run) == azureml_mlflow.get_portal_url(run) == run.get_portal_url()


def test_a_model_is_registered_from_either_object_with_its_tags(local_exp, plain_run):
    run = Run.get(local_exp.workspace, plain_run.info.run_id)
    first = azureml_mlflow.register_model(plain_run, "net", "outputs/model.txt", tags={"stage": "trial"})
    second = azureml_mlflow.register_model(run, "net", "outputs", description="both")

    assert (first.name, first.version, second.version) == ("net", 1, 2)
    assert first.tags == {"stage": "trial"}
    assert second.description == "both"


def test_the_tracking_uri_of_a_workspace(local_exp):
    workspace = local_exp.workspace

    assert azureml_mlflow.get_mlflow_tracking_uri(workspace) == workspace.get_mlflow_tracking_uri()


def test_mlflow_loads_the_plugins_of_azureml_mlflow_without_a_warning(tmp_path, sqlite_uri):
    metadata = tmp_path / "site" / "azureml_mlflow-1.62.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: azureml-mlflow\nVersion: 1.62.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    shown = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-m", "azml_compat", "-c", USES_OF_PLUGINS, sqlite_uri],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(tmp_path / "site")])},
        timeout=120,
    )

    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.count("set MLFLOW_TRACKING_URI to an MLflow store") == 4


def test_products_that_are_appended_to_the_user_agent_can_be_read(monkeypatch):
    monkeypatch.setattr(user_agent, "user_agent_product_list", [])
    user_agent.append("hi-ml", "0.5")
    user_agent.append("mine", comment="of two parts")

    assert user_agent.get_user_agent() == "hi-ml/0.5 mine (of two parts)"
