"""File datasets, registered datasets of both kinds, and what hands them to runs."""

from __future__ import annotations

import datetime
import http.server
import os
import shutil
import threading
from pathlib import Path

import pytest
from mlflow import MlflowClient

from azml_compat import Dataset, Datastore, Workspace
from azml_compat._data import consumption, sources
from azml_compat._data.places import Folder
from azml_compat.data import (
    FileDataset,
    LinkFileOutputDatasetConfig,
    LinkTabularOutputDatasetConfig,
    OutputFileDatasetConfig,
)
from azml_compat.data.data_reference import DataReference
from azml_compat.data.dataset_consumption_config import DatasetConsumptionConfig
from azml_compat.data.dataset_error_handling import DatasetExecutionError
from azml_compat.data.dataset_factory import FileDatasetFactory
from azml_compat.exceptions import UserErrorException

NAMES = ["a.csv", "odd $(x) 'n' ü.txt", "sub/b.csv", "sub/deep/c.csv"]


@pytest.fixture
def local_ws(sqlite_uri, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    return Workspace("subscription", "group", "workspace")


@pytest.fixture
def store(local_ws):
    """The default datastore, with files of NAMES in the folder `data`."""
    for name in NAMES:
        Path("src", name).parent.mkdir(parents=True, exist_ok=True)
        Path("src", name).write_text(f"x,y\n1,{len(name)}\n")
    found = local_ws.get_default_datastore()
    found.upload("src", "data", show_progress=False)
    return found


@pytest.fixture
def files(store):
    return Dataset.File.from_files((store, "data"))


def files_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


# Which files


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("data", NAMES),
        ("data/", NAMES),
        ("data/**", NAMES),
        ("data/*", ["a.csv", "odd $(x) 'n' ü.txt"]),
        ("data/*.csv", ["a.csv"]),
        ("data/**/*.csv", ["a.csv", "sub/b.csv", "sub/deep/c.csv"]),
        ("**/c.csv", ["data/sub/deep/c.csv"]),
        ("data/sub", ["b.csv", "deep/c.csv"]),
        ("data/a.csv", ["a.csv"]),
        ("data/[a].csv", []),
        ("data/s?b", []),
        ("none", []),
    ],
)
def test_to_path_names_files_below_the_folder_before_the_first_glob(store, path, names):
    assert Dataset.File.from_files((store, path)).to_path() == [f"/{name}" for name in names]


def test_several_paths_share_one_folder(store):
    made = FileDatasetFactory.from_files([(store, "data/a.csv"), (store, "data/sub/*.csv"), (store, "data/a.csv")])
    assert made.to_path() == ["/a.csv", "/sub/b.csv"]


def test_download_gives_whole_copies_and_their_paths(files):
    paths = files.download("out")

    assert paths == [str(Path("out", name).absolute()) for name in NAMES]
    assert Path(paths[2]).read_text() == "x,y\n1,9\n"
    assert not any(Path(path).is_symlink() for path in paths)
    with pytest.raises(UserErrorException, match="overwrite"):
        files.download("out")
    assert files.download("out", overwrite=True) == paths
    assert files_in(Path(files.download()[0]).parent) == NAMES


def test_what_is_not_there_is_an_error_when_it_is_downloaded(store):
    missing = Dataset.File.from_files((store, "none/*.csv"))

    with pytest.raises(DatasetExecutionError):
        missing.download("out")
    assert missing.download("out", ignore_not_found=True) == []


def test_a_mount_is_a_folder_for_a_while(files, store):
    mounted = files.mount()
    assert files_in(mounted.mount_point) == []
    with mounted as context:
        assert context is mounted
        assert files_in(mounted.mount_point) == NAMES
        with pytest.raises(UserErrorException, match="mounted already"):
            mounted.start()
    assert not Path(mounted.mount_point).exists()
    assert files.to_path() == [f"/{name}" for name in NAMES]
    Path("taken").mkdir()
    Path("taken/mine").write_text("")
    with pytest.raises(UserErrorException, match="not empty"):
        files.mount("taken")
    context = files.mount("there")
    context.start()
    Path("there/mine").write_text("kept")
    context.stop()
    assert files_in("there") == ["mine"]


def test_a_link_in_the_data_leads_nowhere_else_and_cycles_end(store, local_ws):
    folder = Path(local_ws.get_mlflow_tracking_uri()[10:]).parent / "mldatastores/workspaceblobstore/data"
    (folder / "loop").symlink_to(folder)

    assert Dataset.File.from_files((store, "data")).to_path() == [f"/{name}" for name in NAMES]


def test_files_can_be_chosen(files):
    assert files.take(1).to_path() == ["/a.csv"]
    assert files.skip(3).to_path() == ["/sub/deep/c.csv"]
    first, second = files.random_split(0.5, seed=1)
    assert sorted(first.to_path() + second.to_path()) == files.to_path()
    assert files.random_split(0.5, seed=1)[0].to_path() == first.to_path()
    assert files.take_sample(1.0, seed=1).to_path() == files.to_path()
    assert files.filter(files.file_metadata("Size") > 1000).to_path() == []
    assert len(files.filter(files.file_metadata("Size") > 1).to_path()) == 4
    assert isinstance(files.take(1), FileDataset)
    assert not hasattr(files, "to_pandas_dataframe")
    with pytest.raises(UserErrorException):
        files.filter(files.file_metadata("Colour") > 1).to_path()


def test_data_changed_time_is_that_of_the_newest_file(files):
    changed = files.data_changed_time

    assert abs(datetime.datetime.now(datetime.timezone.utc) - changed) < datetime.timedelta(minutes=5)


def test_upload_directory_uploads_and_gives_the_dataset(store, capsys):
    made = FileDatasetFactory.upload_directory("src", (store, "up"), pattern="*.csv", show_progress=False)

    assert made.to_path() == ["/a.csv", "/sub/b.csv", "/sub/deep/c.csv"]
    assert FileDatasetFactory.upload_directory("src", (store, "up2")).to_path() == [f"/{name}" for name in NAMES]
    assert "Uploaded 4 files" in capsys.readouterr().out
    with pytest.raises(UserErrorException):
        FileDatasetFactory.upload_directory("src", "nowhere")


def test_a_file_of_the_web_is_downloaded(tmp_path):
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "x.csv").write_text("a\n1\n")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments, **named):
            super().__init__(*arguments, directory=str(tmp_path / "web"), **named)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        made = Dataset.File.from_files(f"{address}/x.csv")
        assert made.to_path() == [f"/http%3A/%2F127.0.0.1:{server.server_port}/x.csv"]
        [path] = made.download("out")
        table = Dataset.Tabular.from_delimited_files(f"{address}/x.csv")
        assert table.to_pandas_dataframe()["a"].tolist() == [1]
        with pytest.raises(UserErrorException):
            Dataset.File.from_files(f"{address}/none.csv").download("out")
        server.shutdown()
    assert Path(path).read_text() == "a\n1\n"


def test_addresses_that_differ_in_their_query_are_different_files(tmp_path):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"x\n{self.path.rpartition('=')[2]}\n".encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        both = [f"{address}/export?year=2019", f"{address}/export?year=2020"]
        assert Dataset.Tabular.from_delimited_files(both).to_pandas_dataframe()["x"].tolist() == [2019, 2020]
        files = Dataset.File.from_files(both)
        name = f"/http%3A/%2F127.0.0.1:{server.server_port}/export"
        assert files.to_path() == [name, f"{name}%3Fyear%3D2020"]
        assert [Path(path).read_text() for path in files.download("out")] == ["x\n2019\n", "x\n2020\n"]

        before = set(tmp_path.parent.rglob("*"))
        outside = f"{address}/a/../../../../../../../../..{tmp_path}/x.csv?year=1"
        assert Dataset.Tabular.from_delimited_files(outside).to_pandas_dataframe()["x"].tolist() == [1]
        assert Dataset.File.from_files(outside).to_path()[0].endswith(f"{tmp_path}/x.csv")
        assert set(tmp_path.parent.rglob("*")) == before
        server.shutdown()


@pytest.mark.parametrize("paths", [["a.txt", "b.txt"], ["*.txt", "*.csv"], ["*.txt"], ["a.txt", "c.csv", "b.txt"]])
def test_files_at_the_top_of_a_datastore_keep_their_names(local_ws, paths):
    store = local_ws.get_default_datastore()
    for name in ("a.txt", "b.txt", "c.csv"):
        Path(name).write_text(name)
    store.upload_files(["a.txt", "b.txt", "c.csv"], show_progress=False)
    files = Dataset.File.from_files([(store, path) for path in paths])

    names = ["a.txt", "b.txt", *(["c.csv"] if any("csv" in path for path in paths) else [])]
    assert sorted(files.to_path()) == [f"/{name}" for name in names]
    assert sorted((Path(path).name, Path(path).read_text()) for path in files.download("out")) == [
        (name, name) for name in names
    ]


@pytest.mark.parametrize("name", ["web", "local"])
def test_a_datastore_may_be_called_as_other_places_are(local_ws, name):
    store = Datastore.register_azure_blob_container(local_ws, name, "c", "account")
    items, _ = sources.parse([(store, "a.txt"), (store, "b/c.txt")])
    place = Folder(str(Path.cwd()))
    Path("b").mkdir()
    for path in ("a.txt", "b/c.txt"):
        Path(path).write_text(path)

    assert [file.name for file in sources.files_of(items, lambda _: place)] == ["a.txt", "b/c.txt"]


# Registered


def test_what_is_not_saved_has_no_registration(files):
    assert (files.id, files.name, files.version, files.description, files.tags) == (None,) * 5
    assert str(files).startswith("FileDataset\n{")


def test_registering_gives_a_new_dataset_on_every_store(ws):
    Path("d").mkdir()
    Path("d/x.csv").write_text("a\n1\n")
    files = Dataset.File.from_files("d")
    name = f"registered-{os.urandom(4).hex()}"
    made = files.register(ws, name, description="what it is", tags={"k": "v"})

    assert (made.name, made.version, made.description, made.tags) == (name, 1, "what it is", {"k": "v"})
    assert type(made.version) is int
    assert len(made.id) == 36
    assert files.id is None
    for found in (
        Dataset.get_by_name(ws, name),
        Dataset.get_by_name(ws, name, version="1", anything="ignored"),
        Dataset.get_by_name(ws, name, version=None),
        Dataset.get_by_id(ws, made.id),
        ws.datasets[name],
        Dataset.get_all(ws)[name],
    ):
        assert (type(found), found.id, found.version) == (FileDataset, made.id, 1)
        assert found.to_path() == ["/x.csv"]
    assert made.id in str(made)


def test_a_taken_name_needs_a_new_version(files, local_ws):
    files.register(local_ws, "x", description="old", tags={"a": "b"})
    with pytest.raises(UserErrorException, match="create_new_version=True"):
        files.take(1).register(local_ws, "x")
    with pytest.raises(TypeError):
        files.register(local_ws, "x", exist_ok=True)

    second = files.take(1).register(local_ws, "x", create_new_version=True)
    assert (second.version, second.description, second.tags) == (2, None, {})
    assert Dataset.get_by_name(local_ws, "x").version == 2
    assert len(Dataset.get_by_name(local_ws, "x", version=1).to_path()) == 4
    with pytest.raises(UserErrorException, match='by name "x" and version "1"'):
        files.register(local_ws, "y")


@pytest.mark.parametrize("version", ["newest", 7, 1.5j])
def test_a_version_that_is_not_there_is_an_error(files, local_ws, version):
    files.register(local_ws, "x")
    with pytest.raises(UserErrorException):
        Dataset.get_by_name(local_ws, "x", version=version)


def test_a_missing_dataset_is_azures_error(local_ws):
    with pytest.raises(UserErrorException, match=r'dataset registered with name "x" \(version: None\)'):
        Dataset.get_by_name(local_ws, "x")
    with pytest.raises(UserErrorException):
        Dataset.get_by_id(local_ws, "00000000-0000-0000-0000-000000000000")


def test_datasets_of_a_workspace_are_a_mapping(files, local_ws):
    files.register(local_ws, "x", tags={"k": "v"})
    files.take(1).as_named_input("unnamed")
    consumption.plan_input(files.take(1).as_named_input("unnamed"), new_run(local_ws))
    found = local_ws.datasets

    assert (list(found), len(found), "x" in found, "y" in found, found.get("y")) == (["x"], 1, True, False, None)
    assert found["x"] is found["x"]
    with pytest.raises(KeyError):
        found["y"]
    [registration] = found.registrations
    assert (registration["name"], registration["version"], registration["tags"]) == ("x", 1, {"k": "v"})
    assert "'x'" in str(found)
    with pytest.raises(TypeError):
        found["z"] = 1


def test_tags_and_description_change_and_the_object_that_is_returned_knows(files, local_ws):
    made = files.register(local_ws, "x", tags={"a": "1"})

    changed = made.update(description="new", tags={"b": "2"})
    assert (changed.description, changed.tags, changed.id) == ("new", {"b": "2"}, made.id)
    assert made.tags == {"a": "1"}
    assert changed.add_tags({"c": "3"}).tags == {"b": "2", "c": "3"}
    with pytest.raises(UserErrorException):
        changed.add_tags({"b": "other"})
    assert changed.remove_tags(["b", "none"]).tags == {"c": "3"}
    assert Dataset.get_by_name(local_ws, "x").tags == {"c": "3"}
    for change in (files.update, files.add_tags, files.remove_tags):
        with pytest.raises(UserErrorException):
            change()


def test_unregistering_forgets_all_versions(files, local_ws):
    made = files.register(local_ws, "x")
    made.take(1).register(local_ws, "x", create_new_version=True)

    files.unregister_all_versions()
    assert len(local_ws.datasets) == 1
    made.unregister_all_versions()
    assert (made.name, made.id, len(local_ws.datasets)) == (None, None, 0)
    assert len(files.to_path()) == 4


def test_what_is_derived_is_not_registered(files, local_ws):
    made = files.register(local_ws, "x")

    assert (made.take(1).id, made.take(1).name) == (None, None)


# For runs


def test_an_input_has_a_name_and_a_mode(files):
    made = files.as_named_input("train")

    assert (made.name, made.mode, made.path_on_compute) == ("train", "direct", None)
    assert (made.dataset, made.arg_val) == (files, "DatasetConsumptionConfig:train")
    mounted = made.as_mount("there")
    assert (mounted.mode, mounted.path_on_compute, mounted.name, made.mode) == ("mount", "there", "train", "direct")
    assert (made.as_download().mode, made.as_hdfs().mode) == ("download", "hdfs")
    made.name = "other"
    assert made.arg_val == "DatasetConsumptionConfig:other"
    assert files.as_mount().name.startswith("input_")
    assert (files.as_mount("p").mode, files.as_download("p").path_on_compute) == ("mount", "p")
    assert files.as_hdfs().mode == "hdfs"
    assert DatasetConsumptionConfig("n", files, "Mount").mode == "mount"


@pytest.mark.parametrize("name", ["", "1a", "a-b", "a b", "ü", None, "a;b"])
def test_names_of_inputs_and_outputs_have_azures_rule(files, name):
    with pytest.raises(UserErrorException):
        files.as_named_input(name)
    if name is not None:
        with pytest.raises(UserErrorException):
            OutputFileDatasetConfig(name)


def test_names_of_the_shell_only_warn(files, caplog):
    assert files.as_named_input("PATH").name == "PATH"
    assert "shell" in caplog.text


def test_a_table_cannot_be_mounted():
    Path("x.csv").write_text("a\n1\n")
    made = Dataset.Tabular.from_delimited_files("x.csv").as_named_input("x")

    for use in (made.as_mount, made.as_download, made.as_hdfs):
        with pytest.raises(UserErrorException, match="to_csv_files"):
            use()
    with pytest.raises(UserErrorException):
        DatasetConsumptionConfig("x", made.dataset, "fly")


def new_run(ws):
    return MlflowClient(ws.get_mlflow_tracking_uri()).create_run("0").info.run_id


def test_a_direct_input_is_the_id_of_a_saved_dataset(files, local_ws):
    run_id = new_run(local_ws)
    plan = consumption.plan_input(files.as_named_input("train"), run_id)

    variables = consumption.deliver_input(plan, Path("work"))
    found = Dataset.get_by_id(local_ws, variables["train"])
    assert (found.name, found.to_path()) == (None, files.to_path())
    assert list(variables) == ["train"]
    assert consumption.plan_input(files.as_named_input("again"), run_id)["dataset_id"] == found.id
    inputs = MlflowClient(local_ws.get_mlflow_tracking_uri()).get_run(run_id).inputs.dataset_inputs
    assert {(one.dataset.name, one.tags[0].value) for one in inputs} == {("train", "train"), ("again", "again")}
    assert inputs[0].dataset.source_type == "local"


@pytest.mark.parametrize("mode", ["mount", "download"])
def test_a_mounted_or_downloaded_input_is_a_folder(files, local_ws, mode):
    registered = files.register(local_ws, "x")
    config = DatasetConsumptionConfig("train", (local_ws, "x"), mode)
    plan = consumption.plan_input(config, new_run(local_ws))

    variables = consumption.deliver_input(plan, Path("work"))

    assert variables["train"] == variables["TRAIN"] == str(Path("work").absolute() / f"train_{registered.id}")
    assert files_in(variables["train"]) == NAMES
    assert Path(variables["train"], "a.csv").is_symlink() is (mode == "mount")
    chosen = consumption.plan_input(DatasetConsumptionConfig("train", files, mode, "in/here"), new_run(local_ws))
    assert consumption.deliver_input(chosen, Path("work"))["train"] == str(Path("work/in/here").absolute())


def test_a_mount_outside_of_the_working_directory_lasts_as_long_as_the_run(files, store, local_ws, tmp_path):
    place = tmp_path / "mounts" / "data"
    one = Dataset.File.from_files((store, "data/a.csv"))

    def plan_of(dataset):
        return consumption.plan_input(dataset.as_named_input("x").as_mount(str(place)), new_run(local_ws))

    first, second = plan_of(files), plan_of(one)
    assert consumption.deliver_input(first, Path("work1"))["x"] == str(place)
    assert files_in(place) == NAMES
    with pytest.raises(UserErrorException, match="Another run may be using it"):
        consumption.deliver_input(second, Path("work2"))
    consumption.leave_input(second, Path("work2"))
    assert files_in(place) == NAMES, "that of the other one"
    consumption.leave_input(first, Path("work1"))
    assert not place.is_symlink()

    shutil.rmtree("work2")
    place.mkdir()
    assert consumption.deliver_input(second, Path("work2"))["x"] == str(place / "a.csv")
    assert files_in(place) == ["a.csv"], "and nothing of the run before"
    shutil.rmtree("work2")
    assert consumption.deliver_input(first, Path("work3"))["x"] == str(place)
    assert files_in(place) == NAMES


def test_a_mount_hides_nothing_outside_of_the_working_directory(files, local_ws, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kept.txt").write_text("kept")
    plan = consumption.plan_input(files.as_named_input("x").as_mount(str(tmp_path / "mine")), new_run(local_ws))

    with pytest.raises(UserErrorException, match="it may have files"):
        consumption.deliver_input(plan, Path("work"))
    assert files_in(tmp_path / "mine") == ["kept.txt"]


def test_a_mount_hides_what_the_source_has_at_its_place(files, local_ws):
    Path("work/data").mkdir(parents=True)
    Path("work/data/a.csv").write_text("of the source")
    plan = consumption.plan_input(files.as_named_input("x").as_mount("data"), new_run(local_ws))

    assert Path(consumption.deliver_input(plan, Path("work"))["x"], "a.csv").read_text() == "x,y\n1,5\n"


def test_a_mounted_file_is_the_file_and_a_downloaded_one_is_in_a_folder(store, local_ws):
    one = Dataset.File.from_files((store, "data/a.csv"))
    plan = consumption.plan_input(one.as_named_input("one").as_mount(), new_run(local_ws))
    variables = consumption.deliver_input(plan, Path("work"))

    assert Path(variables["one"]).read_text() == "x,y\n1,5\n"
    assert variables["AZUREML_DATAREFERENCE_one"] == variables["ONE"] == variables["one"]
    plan = consumption.plan_input(one.as_named_input("two").as_download(), new_run(local_ws))
    assert files_in(consumption.deliver_input(plan, Path("work"))["two"]) == ["a.csv"]


def test_the_file_of_a_table_can_be_mounted(store, local_ws):
    made = Dataset.Tabular.from_delimited_files((store, "data/a.csv")).to_csv_files()
    plan = consumption.plan_input(made.as_named_input("table").as_mount(), new_run(local_ws))

    assert Path(consumption.deliver_input(plan, Path("work"))["table"]).read_text() == "x,y\n1,5\n"


@pytest.mark.parametrize("place", ["../out", "a/../../out"])
def test_an_input_is_never_put_outside_of_the_working_directory(files, local_ws, place):
    plan = consumption.plan_input(files.as_named_input("x").as_download("in"), new_run(local_ws))
    plan["path_on_compute"] = place

    try:
        found = consumption.deliver_input(plan, Path("work"))["x"]
    except UserErrorException:
        return
    assert Path(found).is_relative_to(Path("work").absolute())


def test_inputs_that_cannot_be_had_are_errors(files, store, local_ws):
    for dataset in (OutputFileDatasetConfig("o"), (local_ws, "none")):
        with pytest.raises(UserErrorException):
            consumption.plan_input(DatasetConsumptionConfig("x", dataset), "run")
    with pytest.raises(UserErrorException):
        consumption.plan_input(files.as_hdfs(), "run")
    plan = consumption.plan_input(Dataset.File.from_files((store, "none")).as_mount(), new_run(local_ws))
    with pytest.raises(UserErrorException, match="no files"):
        consumption.deliver_input(plan, Path("work"))


def test_outputs_are_configured_by_copies():
    made = OutputFileDatasetConfig("out", destination=("workspaceblobstore", "p"), source="here")

    assert (made.name, made.mode, made.arg_val, made.source) == ("out", "mount", "DatasetOutputConfig:out", "here")
    assert made.destination == ("workspaceblobstore", "p")
    assert OutputFileDatasetConfig().name.startswith("output_")
    uploading = made.as_upload(overwrite=True, source_globs="*.csv")
    assert (uploading.mode, made.mode, uploading.as_mount().mode) == ("upload", "mount", "mount")
    assert made.register_on_complete("x") is not made
    assert (made.as_input("i").name, made.as_input().mode, made.as_input().dataset) == ("i", "mount", made)
    table = made.read_delimited_files(separator=";")
    assert (table.name, table.as_input().mode) == ("out", "direct")
    assert made.read_parquet_files().keep_columns("a").drop_columns(["b"]).mode == "mount"
    assert [part.name for part in table.random_split(0.5)] == ["out", "out"]
    assert table.as_upload().as_mount().mode == "mount"
    assert LinkFileOutputDatasetConfig("l").as_input().mode == "mount"
    assert LinkTabularOutputDatasetConfig("l").as_input().mode == "direct"
    with pytest.raises(ValueError, match="empty"):
        made.register_on_complete("")
    with pytest.raises(UserErrorException):
        OutputFileDatasetConfig("out", destination="p")


def finished(config, ws, content="x,y\n1,2\n", *, again=False):
    """Write a file to the folder of an output, and finish the run."""
    plan = consumption.plan_output(config, "run1")
    folder = Path(consumption.deliver_output(plan, Path("work"))[config.name])
    assert folder.is_dir()
    (folder / "sub").mkdir(exist_ok=True)
    (folder / "sub" / "x.csv").write_text(content)
    (folder / "y.txt").write_text("y")
    consumption.finish_output(plan, Path("work"), ws.service_context.store, again=again)


def test_a_mounted_output_is_in_the_datastore_and_is_registered(store, local_ws):
    finished(OutputFileDatasetConfig("out").register_on_complete("result", "text", {"k": "v"}), local_ws)

    found = Dataset.get_by_name(local_ws, "result")
    assert (found.description, found.tags, found.version) == ("text", {"k": "v"}, 1)
    assert found.to_path() == ["/sub/x.csv", "/y.txt"]
    assert Dataset.File.from_files((store, "dataset/run1/out")).to_path() == found.to_path()


def test_an_uploaded_output_is_uploaded_at_the_end(store, local_ws):
    config = OutputFileDatasetConfig("out", (store, "up/{run-id}/{output-name}")).as_upload(source_globs=["**/*.csv"])
    finished(config, local_ws)

    assert Dataset.File.from_files((store, "up/run1/out")).to_path() == ["/x.csv"] or Dataset.File.from_files(
        (store, "up/run1/out/**")
    ).to_path() == ["/sub/x.csv"]
    with pytest.raises(UserErrorException, match="overwrite"):
        finished(config, local_ws)
    finished(config, local_ws, again=True)
    finished(config.as_upload(overwrite=True), local_ws)


def test_an_output_can_be_registered_as_a_table(local_ws):
    output = OutputFileDatasetConfig("out").read_delimited_files(path_glob="**/*.csv").keep_columns("y")
    finished(output.register_on_complete("table"), local_ws)

    assert Dataset.get_by_name(local_ws, "table").to_pandas_dataframe().to_dict("list") == {"y": [2]}


@pytest.mark.parametrize("destination", [("workspaceblobstore", "a/../../x"), ("none", "x")])
def test_outputs_that_cannot_be_put_are_errors(local_ws, destination):
    with pytest.raises(UserErrorException):
        consumption.plan_output(OutputFileDatasetConfig("out", destination), "run")
    with pytest.raises(UserErrorException):
        consumption.plan_output(LinkFileOutputDatasetConfig("out"), "run")


def delivered(reference, ws):
    plan = {**consumption.plan_reference(reference.to_config(), ws), "name": reference.data_reference_name}
    [(name, path)] = consumption.deliver_reference(plan, Path("work")).items()
    assert f"${name}" == str(reference)
    return plan, Path(path)


def test_a_data_reference_is_the_folder_a_copy_or_an_upload(store, local_ws):
    _, mounted = delivered(store.path("data"), local_ws)
    _, single = delivered(DataReference(store, "one", "data/a.csv"), local_ws)
    _, copied = delivered(store.path("data").as_download(), local_ws)
    assert files_in(mounted) == files_in(copied) == NAMES
    assert single.read_text() == "x,y\n1,5\n"
    assert copied.is_relative_to(Path("work").absolute())
    (mounted / "new.txt").write_text("written through")
    assert "/new.txt" in Dataset.File.from_files((store, "data")).to_path()

    plan, folder = delivered(DataReference(store, "up", "uploaded", mode="upload", path_on_compute="out"), local_ws)
    folder.mkdir()
    (folder / "x.txt").write_text("x")
    consumption.finish_reference(plan, Path("work"))
    assert Dataset.File.from_files((store, "uploaded")).to_path() == ["/x.txt"]
    with pytest.raises(UserErrorException):
        consumption.finish_reference(plan, Path("work"))


def test_a_plan_is_json_without_secrets(local_ws):
    import json

    blob = Datastore.register_azure_blob_container(local_ws, "azure", "c", "a", account_key="c2VjcmV0")
    plan = consumption.plan_input(Dataset.File.from_files((blob, "x")).as_mount(), new_run(local_ws))

    assert "c2VjcmV0" not in json.dumps(plan)
