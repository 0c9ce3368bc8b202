"""What is known of the original where the recording in tests/golden has no case: from its published reference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from azml_compat import Experiment, Run, Workspace
from azml_compat.core.run import OutputDatasets, _SubmittedRun
from azml_compat.exceptions import (
    RunEnvironmentException,
    UserErrorException,
    WorkspaceException,
    WorkspacePrivateEndpointException,
)

DOCS = "https://docs.microsoft.com/en-us/python/api/azureml-core/{}?view=azure-ml-py"


@pytest.mark.parametrize("method", ["log_confusion_matrix", "log_accuracy_table", "log_residuals", "log_predictions"])
@pytest.mark.parametrize("as_text", [False, True])
def test_a_json_metric_is_a_file_of_its_name_and_a_location(local_run, method, as_text):
    payload = {"schema_type": method.removeprefix("log_"), "data": {"é": [1, 2.5, None]}}

    assert getattr(local_run, method)("a metric", json.dumps(payload) if as_text else payload) is None

    location = f"aml://artifactId/ExperimentRun/dcid.{local_run.id}/a metric"
    assert local_run.get_metrics() == {"a metric": location}
    assert local_run.get_file_names() == ["a metric"]
    found = local_run.get_metrics(populate=True)["a metric"]
    assert found.convert_to_object() == payload
    assert found.metric_type == f"azureml.v2.{method.removeprefix('log_')}"


def test_get_all_logs_refuses_a_file_as_destination(local_run):
    Path("taken").write_text("")

    with pytest.raises(UserErrorException):
        local_run.get_all_logs("taken")


def test_get_detailed_status_has_no_details_without_a_queue(local_run):
    assert local_run.get_detailed_status() == {"status": "Running", "details": None}


@pytest.mark.parametrize(("cls", "path"), [(Run, "run.Run"), (Experiment, "experiment.Experiment")])
def test_get_docs_url_is_the_page_of_the_class(cls, path):
    assert cls.get_docs_url() == DOCS.format(f"azureml.core.{path}")


def test_portal_url_is_the_address_of_the_portal(local_run):
    assert local_run.get_portal_url().startswith(f"{local_run.portal_url}/")
    assert local_run.portal_url == local_run.experiment.portal_url


def test_get_submitted_run_is_get_context_without_offline(local_run, monkeypatch, caplog):
    with monkeypatch.context() as offline:
        offline.setenv("AZML_COMPAT_OFFLINE", "1")
        with pytest.raises(RunEnvironmentException):
            Run.get_submitted_run()
    assert "deprecated" in caplog.text

    monkeypatch.setenv("AZUREML_RUN_ID", local_run.id)
    submitted = Run.get_submitted_run()

    assert (type(submitted), submitted.id) == (_SubmittedRun, local_run.id)
    assert submitted is Run.get_context()


def test_output_datasets_know_their_workspace():
    ws = Workspace("subscription", "group", "workspace")

    assert OutputDatasets(ws).workspace is ws


def test_start_makes_a_run_running(local_run):
    assert local_run.start() is None
    assert local_run.get_status() == "Running"


def test_the_identity_of_an_experiment(local_exp):
    assert local_exp.identity == f"Experiment#{local_exp.name}"


def test_the_workspace_of_an_experiment_is_the_one_that_was_given():
    ws = Workspace("subscription", "group", "workspace")

    assert Experiment(ws, "any", _create_in_cloud=False).workspace is ws


def test_workspace_object_warns_that_it_is_deprecated(local_exp, caplog):
    assert local_exp.workspace_object is local_exp.workspace
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "deprecated" in caplog.text


def test_get_mlflow_tracking_uri_is_what_mlflow_takes(local_run):
    import mlflow

    mlflow.set_tracking_uri(local_run.experiment.workspace.get_mlflow_tracking_uri())

    assert mlflow.get_run(local_run.id).info.status == "RUNNING"


@pytest.mark.parametrize("cls", [WorkspaceException, WorkspacePrivateEndpointException])
def test_workspace_exceptions_say_whether_several_were_found(cls):
    assert (cls("m").found_multiple, cls("m", True).found_multiple) == (False, True)
