"""The Workspace facade: configuration files, names, and the one store behind every workspace."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from azml_compat import Experiment, Workspace, _runtime
from azml_compat.exceptions import UserErrorException

NAMES = {"subscription_id": "sub", "resource_group": "rg", "workspace_name": "wsname"}
SCOPE = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/wsname"


def write(path, content):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def named(name):
    return {**NAMES, "workspace_name": name}


@pytest.mark.parametrize("content", [NAMES, {"Id": None, "Scope": SCOPE}, {"Scope": SCOPE, "workspace_name": "loses"}])
def test_both_forms_of_the_file_are_read(content):
    write("config.json", content)

    ws = Workspace.from_config()

    assert (ws.subscription_id, ws.resource_group, ws.name) == ("sub", "rg", "wsname")


def test_the_folder_kind_is_searched_before_the_height():
    write(".azureml/config.json", named("far"))
    write("a/aml_config/config.json", named("nearer"))
    write("a/b/config.json", named("nearest"))

    assert Workspace.from_config("a/b").name == "far"
    Path(".azureml/config.json").unlink()
    assert Workspace.from_config("a/b").name == "nearer"
    Path("a/aml_config/config.json").unlink()
    assert Workspace.from_config("a/b").name == "nearest"


def test_project_json_is_found_after_config_json():
    write(".azureml/project.json", named("project"))
    assert Workspace.from_config().name == "project"

    write("aml_config/config.json", named("config"))
    assert Workspace.from_config().name == "project"

    write(".azureml/config.json", named("first"))
    assert Workspace.from_config().name == "first"


def test_a_given_file_a_given_name_and_a_folder_that_is_not_there():
    write("any.txt", named("file"))
    write(".azureml/other.json", named("other"))

    assert Workspace.from_config("any.txt").name == "file"
    assert Workspace.from_config(path=Path("any.txt")).name == "file"
    assert Workspace.from_config(_file_name="other.json").name == "other"
    write(".azureml/config.json", named("up"))
    assert Workspace.from_config("not/there/yet").name == "up"


def test_without_a_file_there_is_the_local_workspace():
    ws = Workspace.from_config()

    assert [type(text) for text in (ws.name, ws.subscription_id, ws.resource_group, ws.location, ws.sku)] == [str] * 5
    assert ws.get_mlflow_tracking_uri() == f"sqlite:///{Path.cwd()}/mlflow.db"


def test_an_explicit_path_without_a_file_is_azures_error():
    with pytest.raises(UserErrorException, match="not found"):
        Workspace.from_config("somewhere")


def test_what_is_wrong_with_a_file_is_said():
    write("config.json", {"subscription_id": "s"})
    with pytest.raises(UserErrorException, match=r"config\.json.*resource_group, workspace_name"):
        Workspace.from_config()
    Path("config.json").write_text("{")
    with pytest.raises(json.JSONDecodeError):
        Workspace.from_config()
    write("config.json", {"Scope": "/a/b"})
    with pytest.raises(IndexError):
        Workspace.from_config()
    write("config.json", [1])
    with pytest.raises(UserErrorException):
        Workspace.from_config()


def test_a_broken_file_does_not_stop_what_needs_none():
    Path("config.json").write_text("{")

    assert Workspace("s", "g", "w").name == "w"


def test_write_config_is_read_back_and_written_in_azures_form():
    ws = Workspace("sub", "rg", "wsname")

    assert ws.write_config() is None

    assert Path(".azureml/config.json").read_text() == json.dumps({"Id": None, "Scope": SCOPE})
    assert Workspace.from_config().name == "wsname"


def test_write_config_keeps_to_aml_config_and_project_json():
    Path("aml_config").mkdir()
    Workspace(*NAMES.values()).write_config()
    assert Path("aml_config/config.json").is_file()

    write("aml_config/project.json", {})
    Workspace("sub", "rg", "new").write_config()
    assert "new" in Path("aml_config/project.json").read_text()


@pytest.mark.parametrize(("given", "written"), [("foo", "foo.json"), ("bar.txt", "bar.json"), ("a.json", "a.json")])
def test_write_config_replaces_the_extension(given, written):
    Workspace(*NAMES.values()).write_config(file_name=given)

    assert [file.name for file in Path(".azureml").iterdir()] == [written]


def test_write_config_elsewhere_leads_to_the_same_store():
    ws = Workspace(*NAMES.values())
    Path("project").mkdir()
    ws.write_config("project")

    _runtime.reset()
    assert Workspace.from_config("project").get_mlflow_tracking_uri() == ws.get_mlflow_tracking_uri()


def test_write_config_never_writes_credentials(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://user:secret@127.0.0.1:1")
    ws = Workspace(*NAMES.values())
    ws.write_config()

    assert "secret" not in Path(".azureml/config.json").read_text()
    assert "secret" not in repr(ws) + repr(ws.service_context.store)


def test_write_config_into_a_missing_folder_is_azures_error():
    with pytest.raises(UserErrorException):
        Workspace(*NAMES.values()).write_config("missing/folder")


@pytest.mark.parametrize("name", ["ab", "-abc", "a" * 34, "a b c", "", None])
def test_create_has_azures_name_rule(name):
    with pytest.raises(UserErrorException, match="not valid"):
        Workspace.create(name)


def test_create_keeps_what_it_was_told_in_the_store(ws, python):
    name = f"w{os.urandom(4).hex()}"
    created = Workspace.create(name, location="centralus", tags={"team": "a"}, friendly_name="Nice", sku="enterprise")
    again = Workspace.create(name, exist_ok=False)

    assert (created.location, created.sku) == ("centralus", "enterprise")
    assert (again.location, again.tags, again.sku) == ("centralus", {"team": "a"}, "enterprise")
    assert name in Workspace.list("sub")
    code = "import sys; from azml_compat import Workspace; print('Region: ' + Workspace.get(sys.argv[1]).location)"
    assert python(code, name) == "Region: centralus\n"


def test_update_returns_the_new_details(ws):
    ws = Workspace.create(f"w{os.urandom(4).hex()}")
    details = ws.update(description="words", tags={"a": "1"})

    assert (details["description"], details["tags"], details["name"]) == ("words", {"a": "1"}, ws.name)
    assert Workspace.get(ws.name).get_details()["description"] == "words"
    assert None not in details.values()


def test_delete_deletes_nothing_and_says_so(local_exp, caplog):
    run = local_exp.start_logging(snapshot_directory=None)

    assert local_exp.workspace.delete(delete_dependent_resources=True) is None

    assert "deletes nothing" in caplog.text
    assert local_exp.workspace.get_run(run.id).get_status() == "Running"


def test_setup_asks_nothing_and_writes_the_file(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)

    ws = Workspace.setup()

    assert Path(".azureml/config.json").is_file()
    assert Workspace.from_config().name == ws.name


def test_two_workspaces_share_the_store_of_the_process(local_exp):
    other = Workspace("s2", "g2", "w2")

    assert other.get_mlflow_tracking_uri() == local_exp.workspace.get_mlflow_tracking_uri()
    assert Experiment(other, local_exp.name).id == local_exp.id


def test_the_text_is_azures():
    assert repr(Workspace(*NAMES.values())) == (
        "Workspace.create(name='wsname', subscription_id='sub', resource_group='rg')"
    )


@pytest.mark.parametrize(
    "member",
    [
        *("images", "linked_services", "private_endpoints"),
    ],
)
def test_mappings_that_are_not_there_say_what_to_do(member):
    with pytest.raises(NotImplementedError, match="Instead"):
        getattr(Workspace(*NAMES.values()), member)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("add_private_endpoint", (None,)),
        ("delete_private_endpoint_connection", ("c",)),
        ("set_connection", ("c", "c", "t", "a", "v")),
        ("get_connection", ("c",)),
        ("list_connections", ()),
        ("delete_connection", ("c",)),
        ("list_keys", ()),
        ("sync_keys", ()),
        ("diagnose_workspace", (None,)),
        ("update_dependencies", ()),
    ],
)
def test_methods_that_are_not_there_say_what_to_do(method, arguments):
    with pytest.raises(NotImplementedError, match="Instead"):
        getattr(Workspace(*NAMES.values()), method)(*arguments)


def test_a_compute_type_that_is_none_is_a_value_error():
    with pytest.raises(ValueError, match="CPU"):
        Workspace(*NAMES.values()).get_default_compute_target("TPU")
