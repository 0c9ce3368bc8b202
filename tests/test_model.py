"""Models: versions of the MLflow registry with the look-ups, prints and errors of the original."""

from __future__ import annotations

import json
import shutil
import threading
import uuid
from pathlib import Path

import mlflow
import pytest

from azml_compat.core import Dataset, Model, Webservice, Workspace
from azml_compat.core.image import ContainerImage
from azml_compat.core.model import InferenceConfig
from azml_compat.core.resource_configuration import ResourceConfiguration
from azml_compat.core.webservice import AciWebservice, LocalWebservice
from azml_compat.exceptions import ModelNotFoundException, UserErrorException, WebserviceException


@pytest.fixture
def local_ws(local_exp):
    return local_exp.workspace


@pytest.fixture
def files():
    """A file and a folder to register."""
    Path("m.pkl").write_bytes(b"weights")
    Path("d/sub").mkdir(parents=True)
    Path("d/a.txt").write_text("a")
    Path("d/sub/b.txt").write_text("b")


def register(ws, name="m", path="m.pkl", **arguments):
    return Model.register(workspace=ws, model_path=path, model_name=name, **arguments)


def place_of(ws, name):
    """Keep the files of plain MLflow's experiments out of the current directory."""
    is_database = ws.get_mlflow_tracking_uri().startswith("sqlite")
    return Path(f"files-{name}").absolute().as_uri() if is_database else None


def client_of(ws):
    return ws.service_context.store.client


# Registering


def test_a_registered_file_is_found_and_downloaded_by_everybody(ws, files, capsys):
    name = f"m-{uuid.uuid4().hex[:8]}"
    made = register(ws, name, tags={"area": "x", "n": 1}, properties={"p": "q"}, description="mine")
    assert capsys.readouterr().out == f"Registering model {name}\n"

    found = Model(Workspace("another", "name", "same-store"), name=name)

    assert (found.name, found.version, found.id) == (name, 1, f"{name}:1")
    assert type(found.version) is int
    assert (found.tags, found.properties, found.description) == ({"area": "x", "n": "1"}, {"p": "q"}, "mine")
    assert (found.model_framework, found.run_id, found.run, found.experiment_name) == ("Custom", None, None, None)
    assert (found.datasets, found.mime_type, found.unpack) == ({}, "application/json", False)
    assert made.created_time == found.created_time
    assert repr(found) == (
        f"Model(workspace={found.workspace!r}, name={name}, id={name}:1, version=1, "
        "tags={'area': 'x', 'n': '1'}, properties={'p': 'q'})"
    )
    assert found.download(target_dir="t1") == str(Path("t1", "m.pkl"))
    assert Path("t1/m.pkl").read_bytes() == b"weights"
    assert ws.models[name].id == f"{name}:1"


def test_a_folder_keeps_its_name_and_its_odd_file_names(ws, files):
    odd = "ümläut 'quote' # ? % ;.txt"
    Path("d", odd).write_text("odd")
    Path("d/same").mkdir()
    Path("d/same/same").write_text("same")

    made = register(ws, f"m-{uuid.uuid4().hex[:8]}", "./d/")

    assert made.download("t") == str(Path("t", "d"))
    found = {file.relative_to("t").as_posix(): file.read_text() for file in Path("t").rglob("*") if file.is_file()}
    assert found == {"d/a.txt": "a", "d/sub/b.txt": "b", f"d/{odd}": "odd", "d/same/same": "same"}


def test_child_paths_register_a_part_of_a_folder(local_ws, files):
    made = register(local_ws, path="d", child_paths=["sub"])

    made.download("t")
    assert [file.as_posix() for file in Path("t").rglob("*.txt")] == ["t/d/sub/b.txt"]
    for wrong in ("missing", "../m.pkl"):
        with pytest.raises(WebserviceException):
            register(local_ws, path="d", child_paths=[wrong])


def test_each_registration_is_a_new_version_whose_files_stay(local_ws, files):
    assert register(local_ws).version == 1
    Path("m.pkl").write_bytes(b"other")
    assert register(local_ws).version == 2

    assert Path(Model(local_ws, "m", version=1).download("t1")).read_bytes() == b"weights"
    assert Path(Model(local_ws, "m", version="2").download("t2")).read_bytes() == b"other"
    assert [experiment.name for experiment in client_of(local_ws).search_experiments()].count("azml_compat") == 1


def test_two_that_register_at_once_never_share_a_version(ws, files):
    name = f"m-{uuid.uuid4().hex[:8]}"
    barrier, versions, errors = threading.Barrier(6), [], []

    def work():
        try:
            barrier.wait()
            versions.append(register(ws, name).version)
        except Exception as error:  # noqa: BLE001 - shown by the assertion
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (errors, sorted(versions)) == ([], [1, 2, 3, 4, 5, 6])


REFUSED = [
    ({"name": None}, TypeError),
    ({"name": "bad name"}, WebserviceException),
    ({"name": "../up"}, WebserviceException),
    ({"name": "-m"}, WebserviceException),
    ({"name": "x" * 256}, WebserviceException),
    ({"model_framework_version": "1"}, WebserviceException),
    ({"path": "missing.pkl"}, FileNotFoundError),
    ({"tags": ["a"]}, WebserviceException),
    ({"properties": "a"}, WebserviceException),
    ({"tags": {"a": object()}}, TypeError),
    ({"datasets": [("training data", "no dataset")]}, WebserviceException),
    ({"sample_input_dataset": 7}, WebserviceException),
    ({"resource_configuration": ResourceConfiguration(cpu=0)}, WebserviceException),
    ({"path": "empty"}, WebserviceException),
]


def test_register_refuses_what_azure_refuses_and_stores_nothing(local_ws, files):
    Path("empty").mkdir()
    for arguments, error in REFUSED:
        with pytest.raises(error):
            register(local_ws, **arguments)
    assert local_ws.models == {}


def test_a_framework_and_resources_are_kept(local_ws, files):
    resources = ResourceConfiguration(cpu=1, memory_in_gb=0.5)
    register(
        local_ws,
        model_framework=Model.Framework.SCIKITLEARN,
        model_framework_version="0.19.1",
        resource_configuration=resources,
    )

    found = Model(local_ws, "m")
    assert (found.model_framework, found.model_framework_version) == ("ScikitLearn", "0.19.1")
    kept = found.resource_configuration
    assert (kept.cpu, kept.memory_in_gb, kept.gpu) == (1, 0.5, None)
    assert found.serialize()["resourceConfiguration"] == {"cpu": 1, "memoryInGB": 0.5, "gpu": None}


def test_run_register_model_knows_its_run_and_experiment(run):
    Path("outputs/model").mkdir(parents=True)
    Path("outputs/model/weights.bin").write_bytes(b"1")
    name = f"m-{uuid.uuid4().hex[:8]}"

    made = run.register_model(model_name=name, model_path="outputs/model", properties={"auc": 0.5})

    found = Model(run.experiment.workspace, name, run_id=run.id)
    assert (found.id, found.run_id, found.run.id, found.experiment_name) == (
        *(made.id, run.id, run.id),
        run.experiment.name,
    )
    assert found.properties == {"auc": "0.5"}
    assert found.download("t") == str(Path("t", "model"))
    assert Path("t/model/weights.bin").read_bytes() == b"1"
    with pytest.raises(WebserviceException):
        Model(run.experiment.workspace, name, run_id="another")


def test_datasets_are_found_again_by_what_they_were_for(local_ws, local_run, files):
    Path("a.csv").write_text("x,y\n1,2\n")
    named = Dataset.Tabular.from_delimited_files("a.csv").register(local_ws, "table")
    unnamed = Dataset.File.from_files("a.csv")

    register(local_ws, datasets=[("training data", named), ("training data", unnamed)], sample_input_dataset=named)
    model = Model(local_ws, "m")
    model.add_dataset_references([("test data", named)])
    model.update(sample_output_dataset=unnamed)
    Path("outputs").mkdir(exist_ok=True)
    Path("outputs/m.pkl").write_text("")
    local_run.register_model("of-run", "outputs/m.pkl", datasets=[("scoring data", named)])

    found = Model(local_ws, "m")
    assert {what: len(datasets) for what, datasets in found.datasets.items()} == {"training data": 2, "test data": 1}
    assert (found.datasets["test data"][0].id, found.sample_input_dataset.name) == (named.id, "table")
    assert found.sample_output_dataset.to_path() == unnamed.to_path()
    assert found.serialize()["datasets"][0] == {"name": "table", "id": named.id}
    assert [model.name for model in Model.list(local_ws, dataset_id=named.id)] == ["of-run", "m"]


# Looking up


MISSING = [
    ({"name": "X"}, "name X"),
    ({"id": "X:9"}, "id X:9"),
    ({"name": "m", "version": 9}, "id m:9"),
    ({"id": "nonsense"}, "id nonsense"),
    ({"id": "m:x"}, "id m:x"),
    ({"name": "../x", "version": 1}, "id ../x:1"),
    ({"name": "m", "tags": ["missing"]}, "name m"),
]


def test_a_model_that_is_not_there_is_azures_error(local_ws, files, caplog):
    register(local_ws)

    for arguments, searched in MISSING:
        with pytest.raises(WebserviceException) as caught:
            Model(local_ws, **arguments)
        assert caught.value.message == f"ModelNotFound: Model with {searched} not found in provided workspace"
        assert caught.value.message in caplog.text


def test_a_model_of_nothing_is_refused_or_empty(local_ws):
    with pytest.raises(WebserviceException):
        Model(local_ws)
    empty = Model(None, "m")
    assert (empty.name, empty.id, empty.version, empty.run, empty.datasets) == (None, None, None, None, {})
    with pytest.raises(WebserviceException):
        empty.download()


def test_filters_of_a_look_up_choose_the_newest_that_fits(local_ws, files):
    register(local_ws, tags={"stage": "old", "k": "v"})
    register(local_ws, tags={"stage": "new"}, properties={"p": "1"}, model_framework="Onnx")
    register(local_ws, "other", tags={"stage": "old"})

    assert Model(local_ws, "m").version == 2
    assert Model(local_ws, "m", tags=[["stage", "old"]]).version == 1
    assert Model(local_ws, "m", tags=["stage"]).version == 2
    assert Model(local_ws, "m", properties=[["p", "1"]]).version == 2
    assert Model(local_ws, id="m:1").tags == {"stage": "old", "k": "v"}
    assert Model(local_ws, "other", id="m:2").name == "m"

    def listed(**arguments):
        return [model.id for model in Model.list(local_ws, **arguments)]

    assert listed() == ["other:1", "m:2", "m:1"]
    assert listed(latest=True) == ["other:1", "m:2"]
    assert listed(name="m") == ["m:2", "m:1"]
    assert listed(tags=[["stage", "old"], "k"]) == ["m:1"]
    assert listed(properties=["p"], model_framework="Onnx") == ["m:2"]
    assert listed(run_id="none") == listed(dataset_id="none") == []
    assert {name: model.version for name, model in local_ws.models.items()} == {"m": 2, "other": 1}
    with pytest.raises(KeyError):
        local_ws.models["x"]


def test_list_refuses_filters_of_the_wrong_type(local_ws):
    for tags, error in (("a", UserErrorException), ({"a": "b"}, UserErrorException), ([("a", "b")], TypeError)):
        with pytest.raises(error):
            Model.list(local_ws, tags=tags)
    for count in (19, 256):
        with pytest.raises(UserErrorException):
            Model.list(local_ws, page_count=count)


# Changing


def test_tags_and_properties_are_changed_with_azures_prints(ws, files, capsys):
    model = register(ws, f"m-{uuid.uuid4().hex[:8]}", tags={"a": "1"}, properties={"p": "1"})
    capsys.readouterr()

    model.add_tags({"a": "2", "b": 3})
    assert capsys.readouterr().out == "Replacing tag a -> 1 with a -> 2\nModel tag add operation complete.\n"
    model.remove_tags(["a", "X"])
    assert capsys.readouterr().out == "Tag with key X not found.\nModel tag remove operation complete.\n"
    model.remove_tags("missing")
    model.add_properties({"q": 2})
    assert capsys.readouterr().out.endswith("Model properties add operation complete.\n")

    found = Model(ws, id=model.id)
    assert (found.tags, found.properties) == (model.tags, model.properties) == ({"b": "3"}, {"p": "1", "q": "2"})
    with pytest.raises(WebserviceException):
        model.add_properties({"p": "other"})
    for change in (model.add_tags, model.add_properties):
        with pytest.raises(WebserviceException):
            change(["a"])


def test_update_replaces_the_tags_and_leaves_what_is_not_given(local_ws, files):
    model = register(local_ws, tags={"a": "1"}, properties={"p": "1"}, description="old", model_framework="Onnx")

    model.update(tags={"b": "2"})
    model.update(description="new", tags={})
    model.update(resource_configuration=ResourceConfiguration(gpu=1))
    model.update_tags_properties(add_tags={"c": "3"}, remove_tags=["b"], add_properties={"q": "2"})

    found = Model(local_ws, "m")
    assert (found.tags, found.description, found.properties) == ({"c": "3"}, "new", {"p": "1", "q": "2"})
    assert (found.resource_configuration.gpu, found.model_framework) == (1, "Onnx")


def test_delete_removes_the_version_and_its_number_is_not_given_out_again(ws, files):
    name = f"m-{uuid.uuid4().hex[:8]}"
    register(ws, name)
    second = register(ws, name)

    assert second.delete() is None

    assert [model.version for model in Model.list(ws, name)] == [1]
    with pytest.raises(WebserviceException, match="ModelNotFound"):
        second.delete()
    with pytest.raises(WebserviceException, match="ModelNotFound"):
        second.add_tags({"a": "b"})
    assert register(ws, name).version == 3
    Model(ws, name).delete()
    Model(ws, name).delete()
    assert name not in ws.models


def test_serialize_has_azures_keys_and_deserialize_finds_the_version(local_ws, files):
    model = register(local_ws, tags={"a": "1"})

    shown = model.serialize()

    assert list(shown) == [
        *("createdTime", "createdBy", "description", "id", "mimeType", "name", "framework", "frameworkVersion"),
        *("tags", "properties", "unpack", "url", "version", "experimentName", "runId", "runDetails", "datasets"),
        *("resourceConfiguration", "sampleInputDatasetId", "sampleOutputDatasetId"),
    ]
    assert (shown["id"], shown["runDetails"], shown["tags"]) == ("m:1", "None", {"a": "1"})
    assert Model.deserialize(local_ws, json.loads(json.dumps(shown))).serialize() == shown
    with pytest.raises(WebserviceException):
        Model.deserialize(local_ws, {})


# Files on this machine


def test_download_replaces_nothing_that_is_there_unless_it_may(local_ws, files):
    model = register(local_ws)
    target = model.download("t")
    Path(target).write_bytes(b"mine")

    with pytest.raises(WebserviceException):
        model.download("t")
    assert Path(target).read_bytes() == b"mine"
    assert Path(model.download("t", exist_ok=True)).read_bytes() == b"weights"
    for given in (True, False):
        with pytest.raises(WebserviceException, match="exist_ok"):
            model.download("t", exists_ok=given)


def test_a_file_name_in_the_store_that_leads_outside_is_refused(local_ws, files, monkeypatch):
    from azml_compat._files import RunFiles
    from azml_compat._tracking import ArtifactFile

    model = register(local_ws, path="d")
    walk = RunFiles.walk
    for evil in ("../evil.txt", "/tmp/azml-evil.txt", "a/../../evil.txt", "a\0b"):
        there = ArtifactFile(f"d/{evil}", False, 1)
        monkeypatch.setattr(RunFiles, "walk", lambda self, folder=None, there=there: [*walk(self, folder), there])
        with pytest.raises(WebserviceException, match="out of the folder"):
            model.download("t/inner")
    assert not Path("t").exists()


def test_get_model_path_downloads_from_the_workspace_and_prefers_what_is_there_for_a_version(
    local_ws, files, monkeypatch
):
    register(local_ws)
    register(local_ws, path="d")

    assert Model.get_model_path("m", _workspace=local_ws) == str(Path("azureml-models/m/2/d"))
    assert Model.get_model_path("m", version=1, _workspace=local_ws) == str(Path("azureml-models/m/1/m.pkl"))
    Path("azureml-models/m/1/m.pkl").write_bytes(b"local")
    assert Path(Model.get_model_path("m", version=1, _workspace=local_ws)).read_bytes() == b"local"
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("AML_APP_ROOT", "root")
        assert Model.get_model_path("m", _workspace=local_ws) == str(Path("root/azureml-models/m/2/d"))
    # Without a workspace: what is there.
    assert Model.get_model_path("m") == str(Path("azureml-models/m/2/d"))
    assert Model.get_model_path("m.pkl") == "m.pkl"


def test_get_model_path_gives_a_model_when_it_is_whole(local_ws, files, mocker):
    from azml_compat._files import RunFiles

    register(local_ws, path="d")
    fetch, inside = RunFiles.fetch, []

    def fetch_one(*arguments):
        fetch(*arguments)
        if not inside:
            inside.append(True)
            inside.append(Model.get_model_path("m", version=1, _workspace=local_ws))  # as another rank does meanwhile

    mocker.patch.object(RunFiles, "fetch", fetch_one)
    path = Model.get_model_path("m", version=1, _workspace=local_ws)
    whole = sorted(file.relative_to("d") for file in Path("d").rglob("*"))
    assert inside[1] == path
    assert sorted(file.relative_to(path) for file in Path(path).rglob("*")) == whole
    assert [entry.name for entry in Path("azureml-models/m").iterdir()] == ["1"]

    shutil.rmtree("azureml-models")
    mocker.patch.object(RunFiles, "fetch", side_effect=[None, KeyboardInterrupt])
    with pytest.raises(KeyboardInterrupt):
        Model.get_model_path("m", _workspace=local_ws)
    assert list(Path("azureml-models/m").iterdir()) == []
    mocker.patch.object(RunFiles, "fetch", fetch)
    assert Model.get_model_path("m", _workspace=local_ws) == path
    mocker.patch.object(RunFiles, "fetch", side_effect=AssertionError("it is there"))
    assert Model.get_model_path("m", _workspace=local_ws) == path


def test_get_model_path_says_what_is_missing(local_ws, files):
    register(local_ws)

    with pytest.raises(ModelNotFoundException, match="m/1"):
        Model.get_model_path("x", _workspace=local_ws)
    with pytest.raises(ModelNotFoundException):
        Model.get_model_path("x")
    for arguments in ({"version": 7}, {"version": "x"}, {"version": "x", "_workspace": local_ws}):
        with pytest.raises(WebserviceException):
            Model.get_model_path("m", **arguments)
    for name in ("../m", "/etc", "..", "", None):
        with pytest.raises(ModelNotFoundException):
            Model.get_model_path(name)
    Path("azureml-models/two/1").mkdir(parents=True)
    for entry in ("a", "b"):
        Path("azureml-models/two/1", entry).write_text(entry)
    with pytest.raises(WebserviceException, match="more than one"):
        Model.get_model_path("two")


def test_get_model_path_finds_what_a_server_was_given(monkeypatch):
    Path("served/m/3").mkdir(parents=True)
    Path("served/m/3/m.pkl").write_text("")
    Path("one").mkdir()
    Path("one/other.pkl").write_text("")

    monkeypatch.setenv("AZUREML_MODEL_DIR", "served")
    assert Model.get_model_path("m") == str(Path("served/m/3/m.pkl"))
    assert Model.get_model_path("m", 3) == str(Path("served/m/3/m.pkl"))
    monkeypatch.setenv("AZUREML_MODEL_DIR", "one")
    assert Model.get_model_path("anything") == str(Path("one/other.pkl"))


def test_get_model_path_in_a_submitted_run_uses_its_workspace(local_exp, files, monkeypatch):
    register(local_exp.workspace)
    run = local_exp.start_logging(snapshot_directory=None)
    monkeypatch.setenv("AZUREML_RUN_ID", run.id)

    assert Model.get_model_path("m") == str(Path("azureml-models/m/1/m.pkl"))


# What plain MLflow does


def test_what_plain_mlflow_registered_is_a_model(ws):
    client, name = client_of(ws), f"m-{uuid.uuid4().hex[:8]}"
    experiment = client.create_experiment(f"experiment-{name}", artifact_location=place_of(ws, name))
    run = client.create_run(experiment)
    client.log_text(run.info.run_id, "weights", "plain/w.txt")
    model = client.create_logged_model(experiment, name="echo")
    Path("made").mkdir()
    Path("made/MLmodel").write_text("flavors: {}")
    client.log_model_artifacts(model.model_id, "made")
    client.finalize_logged_model(model.model_id, "READY")
    client.create_registered_model(name)
    client.create_model_version(name, f"models:/{model.model_id}", model_id=model.model_id)
    client.create_model_version(name, f"runs:/{run.info.run_id}/plain", run_id=run.info.run_id, tags={"a": "b"})
    client.set_registered_model_alias(name, "champion", "1")

    logged, plain = Model(ws, name, version=1), Model(ws, name)
    assert (logged.version, plain.version, plain.tags, plain.run_id) == (1, 2, {"a": "b"}, run.info.run_id)
    assert plain.experiment_name == f"experiment-{name}"
    assert Path(plain.download("t"), "w.txt").read_text() == "weights"
    assert Path(logged.download("t"), "MLmodel").is_file()
    plain.add_tags({"c": "d"})
    assert client.get_model_version(name, "2").tags["c"] == "d"


def test_plain_mlflow_sees_and_downloads_what_was_registered(ws, files):
    name = f"m-{uuid.uuid4().hex[:8]}"
    register(ws, name, "d", tags={"a": "1"}, properties={"p": "2"}, model_framework="Onnx", description="mine")

    version = client_of(ws).get_model_version(name, "1")
    assert version.description == "mine"
    assert {key: tag for key, tag in version.tags.items() if not key.startswith("mlflow.")} == {
        "a": "1",
        "property.p": "2",
        "azml.framework": "Onnx",
    }
    mlflow.set_tracking_uri(ws.get_mlflow_tracking_uri())
    found = mlflow.artifacts.download_artifacts(f"models:/{name}/1", dst_path="t")
    assert (Path(found) / "sub" / "b.txt").read_text() == "b"


# Deploying


def test_a_web_service_is_looked_for_in_vain_as_on_azure(local_ws):
    with pytest.raises(WebserviceException) as caught:
        Webservice(workspace=local_ws, name="x")

    assert caught.value.message.startswith("WebserviceNotFound: Webservice with name x ")
    assert Webservice.list(local_ws) == []
    assert local_ws.webservices == {}
    assert Webservice.check_for_existing_webservice(local_ws, "x") is None


@pytest.mark.parametrize(
    "use",
    [
        lambda: Model.deploy(None, "x", []),
        lambda: Model.package(None, []),
        lambda: InferenceConfig("score.py"),
        lambda: AciWebservice.deploy_configuration(cpu_cores=1),
        lambda: LocalWebservice.deploy_configuration(port=1),
        lambda: ContainerImage.image_configuration(),
    ],
)
def test_what_leads_to_a_deployment_says_what_to_do_instead(use):
    with pytest.raises(NotImplementedError, match="mlflow models serve"):
        use()
