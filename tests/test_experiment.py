"""The Experiment facade: names, tags, archive, delete, listing, on every store."""

from __future__ import annotations

import uuid
from datetime import datetime

import pytest
from mlflow import MlflowClient

from azml_compat import Experiment
from azml_compat.core.experiment import ViewType
from azml_compat.exceptions import ServiceException, UserErrorException


@pytest.fixture
def name():
    return f"e-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def client(tracking_uri, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return MlflowClient(tracking_uri=tracking_uri)


def names(ws, **filters):
    return [experiment.name for experiment in Experiment.list(ws, **filters)]


def test_the_same_name_is_the_same_experiment(ws, name):
    assert Experiment(ws, name).id == Experiment(ws, name).id


@pytest.mark.parametrize("wrong", ["", "_a", "-a", "a b", "a.b", "a/b", "n" * 256])
def test_azures_name_rule(local_exp, wrong):
    with pytest.raises(UserErrorException, match="not valid"):
        Experiment(local_exp.workspace, wrong)


def test_a_name_that_is_no_string_is_a_type_error(local_exp):
    with pytest.raises(TypeError):
        Experiment(local_exp.workspace, 5)


def test_an_experiment_that_was_not_created_refuses_what_needs_it(local_exp):
    experiment = Experiment(local_exp.workspace, "later", _create_in_cloud=False)

    assert (experiment.id, experiment.tags, experiment.archived_time) == (None, None, None)
    for call in (experiment.archive, experiment.reactivate, experiment.refresh):
        with pytest.raises(UserErrorException, match="later"):
            call()
    for call, argument in ((experiment.tag, "a"), (experiment.set_tags, {}), (experiment.remove_tags, [])):
        with pytest.raises(UserErrorException, match="later"):
            call(argument)
    assert "later" not in names(local_exp.workspace)


def test_writing_creates_what_was_not_created(local_exp):
    experiment = Experiment(local_exp.workspace, "later", _create_in_cloud=False)
    experiment.start_logging(snapshot_directory=None)

    assert "later" in names(local_exp.workspace)


def test_tags_are_shown_after_refresh(ws, name, client):
    experiment = Experiment(ws, name)
    experiment.set_tags({"a": 1, "b": None, "k@1": "x" * 20_000, "": ""})

    assert experiment.tags == {}
    experiment.refresh()
    assert experiment.tags == {"a": "1", "b": None, "k@1": "x" * 20_000, "": ""}
    assert client.get_experiment(experiment.id).tags["a"] == "1"

    experiment.remove_tags(["a", "k@1", "missing"])
    experiment.refresh()
    assert experiment.tags == {"b": None, "": ""}


def test_tags_that_are_no_dict_are_an_attribute_error(local_exp):
    with pytest.raises(AttributeError):
        local_exp.set_tags("a")


def test_listing_filters_by_name_and_tags(ws, name):
    experiment = Experiment(ws, name)
    experiment.set_tags({name: "v", "none": None})

    assert names(ws, experiment_name=name) == [name]
    assert names(ws, tags=name) == [name]
    assert names(ws, tags={name: "v", "none": None}) == [name]
    assert names(ws, tags={name: "w"}) == []
    assert ws.experiments[name].id == experiment.id


def test_an_archived_experiment_is_hidden_frees_its_name_and_comes_back(ws, name):
    experiment = Experiment(ws, name)
    run = experiment.start_logging(snapshot_directory=None)
    experiment.archive()

    assert isinstance(experiment.archived_time, datetime)
    assert experiment.name == name
    assert names(ws, experiment_name=name) == []
    assert names(ws, experiment_name=name, view_type=ViewType.ArchivedOnly) == [name]
    assert names(ws, experiment_name=name, view_type=ViewType.All) == [name]
    assert [found.id for found in experiment.get_runs()] == [run.id]

    again = Experiment(ws, name)
    assert again.id != experiment.id
    with pytest.raises(UserErrorException, match="taken"):
        experiment.reactivate()
    again.archive()
    experiment.reactivate()
    assert experiment.archived_time is None
    assert Experiment(ws, name).id == experiment.id


def test_a_run_started_on_an_archived_experiment_is_in_a_new_one(ws, name):
    experiment = Experiment(ws, name)
    archived = experiment.id
    experiment.archive()

    run = experiment.start_logging(snapshot_directory=None)

    assert run._record.experiment_id != archived
    assert Experiment(ws, name).id == run._record.experiment_id


def test_a_new_name_at_reactivation_is_refused(local_exp):
    with pytest.raises(UserErrorException):
        local_exp.reactivate("other")


def test_deleting_frees_the_name(ws, name):
    experiment = Experiment(ws, name)

    assert Experiment.delete(ws, experiment.id) is None
    assert names(ws, experiment_name=name) == []
    assert Experiment(ws, name).id != experiment.id


def test_an_experiment_with_runs_is_not_deleted(ws, name):
    experiment = Experiment(ws, name)
    run = experiment.start_logging(snapshot_directory=None)

    with pytest.raises(ServiceException) as caught:
        Experiment.delete(ws, experiment.id)

    assert caught.value.status_code == 409
    assert [found.id for found in experiment.get_runs()] == [run.id]


def test_deleting_what_is_not_there_is_a_404(local_exp):
    with pytest.raises(ServiceException) as caught:
        Experiment.delete(local_exp.workspace, "999999")

    assert caught.value.status_code == 404


def test_the_name_of_an_experiment_that_plain_mlflow_deleted_is_free(ws, name, client):
    deleted = client.create_experiment(name)
    client.delete_experiment(deleted)

    experiment = Experiment(ws, name)

    assert experiment.id != deleted
    assert client.get_experiment(deleted).lifecycle_stage == "deleted"


def test_experiments_of_plain_mlflow_are_listed(ws, name, client):
    client.create_experiment(f"{name} with blanks")

    assert f"{name} with blanks" in names(ws)


def test_texts_for_people(local_exp):
    assert str(local_exp) == "Experiment(Name: experiment,\nWorkspace: workspace)"
    assert repr(local_exp) == str(local_exp)
    assert local_exp._repr_html_().count("<th>") == 4
    url = f"http://127.0.0.1:5000/#/experiments/{local_exp.id}/runs?workflowType=machine_learning"
    assert local_exp.get_portal_url() == url
    assert local_exp.portal_url == "http://127.0.0.1:5000"
    assert "azureml.core.experiment.Experiment" in Experiment.get_docs_url()


def test_what_is_not_there_says_what_to_do():
    with pytest.raises(NotImplementedError, match="Instead"):
        Experiment.from_directory(".")
