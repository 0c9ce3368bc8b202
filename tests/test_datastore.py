"""Datastores: the folders that every workspace has, and what is registered beside them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from azml_compat import Dataset, Datastore, Workspace
from azml_compat._msrest.exceptions import HttpOperationError
from azml_compat._restclient.exceptions import ErrorResponseException
from azml_compat.data.azure_data_lake_datastore import AzureDataLakeDatastore, AzureDataLakeGen2Datastore
from azml_compat.data.azure_my_sql_datastore import AzureMySqlDatastore
from azml_compat.data.azure_postgre_sql_datastore import AzurePostgreSqlDatastore
from azml_compat.data.azure_sql_database_datastore import AzureSqlDatabaseDatastore
from azml_compat.data.azure_storage_datastore import AzureBlobDatastore, AzureFileDatastore
from azml_compat.data.data_reference import DataReference
from azml_compat.data.datapath import DataPath, DataPathComputeBinding
from azml_compat.data.dbfs_datastore import DBFSDatastore
from azml_compat.data.hdfs_datastore import HDFSDatastore
from azml_compat.exceptions import UserErrorException

_AZURITE_FOLDER = Path(__file__).parents[1] / ".venv-azurite" / "node_modules" / ".bin"
AZURITE = os.environ.get("TEST_AZURITE") or shutil.which("azurite", path=f"{_AZURITE_FOLDER}:{os.environ['PATH']}")
SECRET = "c2VjcmV0IGtleQ=="


@pytest.fixture
def local_ws(sqlite_uri, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    return Workspace("subscription", "group", "workspace")


@pytest.fixture
def store(local_ws):
    return local_ws.get_default_datastore()


@pytest.fixture
def source():
    """A folder `src` of two files, one in a sub-folder, and an empty folder."""
    for path in ("src/a.csv", "src/sub dir/b ü.csv"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(f"content of {path}")
    Path("src/empty").mkdir()
    return "src"


def folder_of(ws, name="workspaceblobstore"):
    return Path(ws.get_mlflow_tracking_uri().removeprefix("sqlite:///")).parent / "mldatastores" / name


def files_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


# Which there are


def test_a_workspace_has_azures_datastores_and_the_first_is_the_default(local_ws):
    names = ["workspaceblobstore", "workspacefilestore", "workspaceartifactstore", "workspaceworkingdirectory"]

    assert list(local_ws.datastores) == names
    assert local_ws.get_default_datastore().name == Datastore.get_default(local_ws).name == names[0]
    blob, share = Datastore(local_ws), Datastore(local_ws, "workspacefilestore")
    assert (type(blob), type(share)) == (AzureBlobDatastore, AzureFileDatastore)
    assert (blob.datastore_type, share.datastore_type) == ("AzureBlob", "AzureFile")
    assert not isinstance(blob, Datastore)
    assert blob.workspace is local_ws
    assert Datastore.get(local_ws, "workspaceblobstore").name == "workspaceblobstore"


def test_the_attributes_of_the_default_store_are_texts(store):
    assert (store.protocol, store.endpoint, store.is_sas) == ("https", "core.windows.net", False)
    assert all(isinstance(value, str) for value in (store.account_name, store.account_key, store.container_name))
    assert (store.credential_type, store.sas_token) == ("AccountKey", None)
    assert list(json.loads(str(store))) == ["name", "container_name", "account_name", "protocol", "endpoint"]
    assert repr(store) == str(store)


def test_a_datastore_that_is_not_there_is_caught_as_either_error(local_ws):
    with pytest.raises(UserErrorException, match="nope"):
        Datastore.get(local_ws, "nope")
    with pytest.raises(HttpOperationError):
        Datastore(local_ws, "nope")


@pytest.mark.parametrize("choose", ["set_default_datastore", "set_as_default"])
def test_the_default_can_be_chosen_and_falls_back_when_it_is_gone(local_ws, choose):
    other = Datastore.register_azure_blob_container(local_ws, "other", "container", "account")

    local_ws.set_default_datastore("other") if choose == "set_default_datastore" else other.set_as_default()
    assert local_ws.get_default_datastore().name == "other"
    other.unregister()
    assert local_ws.get_default_datastore().name == "workspaceblobstore"
    with pytest.raises(UserErrorException):
        local_ws.set_default_datastore("other")


def test_names_and_workspaces_of_datastores_can_be_set(store):
    store.name, store.workspace, store.datastore_type = "mine", None, "Custom"

    assert (store.name, store.workspace, store.datastore_type) == ("mine", None, "Custom")


# Uploading


def test_upload_keeps_sub_folders_and_says_what_it_does(local_ws, store, source, capsys):
    reference = store.upload(source, "data/x")

    assert files_in(folder_of(local_ws)) == ["data/x/a.csv", "data/x/sub dir/b ü.csv"]
    assert (folder_of(local_ws) / "data/x/a.csv").read_text() == "content of src/a.csv"
    assert capsys.readouterr().out.splitlines() == [
        "Uploading an estimated of 2 files",
        "Uploading src/a.csv",
        "Uploaded src/a.csv, 1 files out of an estimated total of 2",
        "Uploading src/sub dir/b ü.csv",
        "Uploaded src/sub dir/b ü.csv, 2 files out of an estimated total of 2",
        "Uploaded 2 files",
    ]
    assert isinstance(reference, DataReference)
    assert (reference.datastore, reference.path_on_datastore) == (store, "data/x")
    assert str(reference) == f"$AZUREML_DATAREFERENCE_{reference.data_reference_name}"


def test_what_is_there_is_skipped_unless_it_may_be_overwritten(local_ws, store, source, capsys):
    store.upload(source, show_progress=False)
    assert capsys.readouterr().out == ""
    Path("src/a.csv").write_text("new")

    store.upload(source)
    assert (folder_of(local_ws) / "a.csv").read_text() == "content of src/a.csv"
    printed = capsys.readouterr().out.splitlines()
    assert "Target already exists. Skipping upload for a.csv" in printed
    assert printed[-1] == "Uploaded 0 files"
    store.upload(source, overwrite=True, show_progress=False)
    assert (folder_of(local_ws) / "a.csv").read_text() == "new"


def test_upload_files_names_them_relative_to_what_they_share(local_ws, store, source):
    Path("c.txt").write_text("c")
    reference = store.upload_files(["src/a.csv"], target_path="one", show_progress=False)
    store.upload_files(["src/a.csv", "c.txt"], target_path="two", show_progress=False)
    store.upload_files(["src/a.csv", "src/sub dir/b ü.csv"], "src", "three", show_progress=False)
    store.upload_files([str(Path("c.txt").absolute())], show_progress=False)
    store.upload_files([], show_progress=False)

    assert files_in(folder_of(local_ws)) == [
        "c.txt",
        "one/a.csv",
        "three/a.csv",
        "three/sub dir/b ü.csv",
        "two/c.txt",
        "two/src/a.csv",
    ]
    assert reference.path_on_datastore == "one"


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.upload("nowhere"),
        lambda store: store.upload_files(["nowhere.csv"]),
        lambda store: store.upload_files("src/a.csv"),
        lambda store: store.upload_files(["src/a.csv"], relative_root="elsewhere"),
    ],
)
def test_what_cannot_be_uploaded_is_refused(store, source, use):
    with pytest.raises(UserErrorException):
        use(store)


@pytest.mark.parametrize(
    ("root", "files"),
    [
        (".", ["q/src/a.csv", "q/src/sub dir/b ü.csv"]),
        ("/", ["q/src/a.csv", "q/src/sub dir/b ü.csv"]),
        ("src", ["q/a.csv", "q/sub dir/b ü.csv"]),
        ("./src/", ["q/a.csv", "q/sub dir/b ü.csv"]),
        (None, ["q/a.csv", "q/sub dir/b ü.csv"]),
    ],
)
def test_files_are_named_by_their_paths_from_the_relative_root(local_ws, store, source, root, files):
    prefix = "./" if root == "./src/" else ""
    given = [f"{prefix}{source}/a.csv", f"{prefix}{source}/sub dir/b ü.csv"]
    store.upload_files(given, relative_root=root, target_path="q", show_progress=False)

    assert files_in(folder_of(local_ws)) == files


@pytest.mark.parametrize("target", ["../../x", "/x", "./x", "../x"])
def test_what_leads_to_the_top_of_a_datastore_means_nothing(local_ws, store, source, target):
    store.upload(source, target, show_progress=False)

    assert files_in(folder_of(local_ws)) == ["x/a.csv", "x/sub dir/b ü.csv"]


@pytest.mark.parametrize("target", ["x/../../../y", "x/..", "a\0b"])
def test_a_target_that_leads_upwards_is_refused_and_nothing_is_written(local_ws, store, source, target):
    with pytest.raises(UserErrorException):
        store.upload(source, target)
    with pytest.raises(UserErrorException):
        store.upload_files(["src/a.csv"], target_path=target)

    assert not folder_of(local_ws).exists()


def test_a_file_that_fails_is_logged_and_the_others_are_uploaded(local_ws, store, source, caplog, capsys):
    (folder_of(local_ws) / "a.csv").mkdir(parents=True)

    store.upload(source, overwrite=True)

    assert "src/a.csv" in caplog.text
    assert files_in(folder_of(local_ws)) == ["sub dir/b ü.csv"]
    assert capsys.readouterr().out.splitlines()[-1] == "Uploaded 1 files"


# Downloading


def test_download_keeps_whole_paths_and_counts(store, source, caplog):
    store.upload(source, "data/x", show_progress=False)
    store.upload(source, "other", show_progress=False)

    assert store.download("out", prefix="data", show_progress=False) == 2
    assert files_in("out") == ["data/x/a.csv", "data/x/sub dir/b ü.csv"]
    assert store.download("out", "data/x/a", show_progress=False) == 0
    assert "exists" in caplog.text
    assert store.download("out", "data/x/a", overwrite=True) == 1
    assert store.download("all", show_progress=False) == 4
    assert store.download("none", "nothing of it") == 0


def test_azures_names_of_both_kinds_of_storage_upload_and_download(local_ws, source):
    for name in ("workspaceblobstore", "workspacefilestore", "workspaceartifactstore"):
        found = Datastore.get(local_ws, name)
        found.upload(source, name, show_progress=False)
        assert found.download(name, show_progress=False) == 2
        assert files_in(folder_of(local_ws, name))[0] == f"{name}/a.csv"


def test_every_store_has_a_place_for_data(ws, monkeypatch, tmp_path, source):
    monkeypatch.setenv("AZML_COMPAT_DATA", str(tmp_path / "shared"))
    found = ws.get_default_datastore()

    found.upload(source, "data", show_progress=False)

    assert found.download("out", show_progress=False) == 2
    if ws.get_mlflow_tracking_uri().startswith("http"):
        assert files_in(tmp_path / "shared" / "workspaceblobstore") == ["data/a.csv", "data/sub dir/b ü.csv"]
    else:
        assert not (tmp_path / "shared").exists()


# Registering


def test_a_registered_blob_container_is_a_record_without_its_key(local_ws, caplog):
    made = Datastore.register_azure_blob_container(
        local_ws, "mine", "Container", "account", account_key=SECRET, resource_group="g"
    )

    assert (type(made), made.container_name, made.account_name) == (AzureBlobDatastore, "container", "account")
    assert (made.account_key, made.credential_type, made.resource_group) == (SECRET, "AccountKey", "g")
    again = Datastore.get(local_ws, "mine")
    assert (again.account_key, again.container_name, again.protocol) == (SECRET, "container", "https")
    assert "mine" in local_ws.datastores
    kept = b"".join(path.read_bytes() for path in Path(local_ws.get_mlflow_tracking_uri()[10:]).parent.rglob("*.*"))
    assert SECRET.encode() not in kept
    assert SECRET not in caplog.text + repr(made)
    assert "AZUREML_SECRET_DATASTORE_MINE_ACCOUNT_KEY" in caplog.text


def test_a_key_is_found_in_the_environment(local_ws, monkeypatch):
    Datastore.register_azure_blob_container(local_ws, "mine", "container", "account", sas_token="first")
    from azml_compat import _runtime

    _runtime.reset()
    assert Datastore.get(Workspace("s", "g", "w"), "mine").sas_token is None
    monkeypatch.setenv("AZUREML_SECRET_DATASTORE_MINE_SAS_TOKEN", "from outside")
    assert Datastore.get(Workspace("s", "g", "w"), "mine").sas_token == "from outside"


def test_a_name_is_registered_once_unless_it_may_be_overwritten(local_ws):
    def register(container, **more):
        return Datastore.register_azure_blob_container(local_ws, "mine", container, "account", **more)

    register("one")
    with pytest.raises(ErrorResponseException) as caught:
        register("two")
    assert caught.value.response.status_code == 400
    assert register("two", overwrite=True).container_name == "two"
    assert Datastore.get(local_ws, "mine").container_name == "two"


@pytest.mark.parametrize("name", ["", "a/b", "../x", "workspaceblobstore", "ä", None])
def test_names_that_are_no_names_are_refused(local_ws, name):
    with pytest.raises(UserErrorException):
        Datastore.register_azure_blob_container(local_ws, name, "container", "account")


def test_what_every_workspace_has_cannot_be_unregistered(store):
    with pytest.raises(UserErrorException):
        store.unregister()


def test_a_container_without_its_extra_says_which(local_ws, source, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "adlfs", None)
    made = Datastore.register_azure_blob_container(local_ws, "mine", "container", "account")

    with pytest.raises(UserErrorException, match=r"azml-compat\[azure\]"):
        made.upload(source)


REGISTRATIONS = [
    (
        lambda ws: Datastore.register_azure_file_share(ws, "d", "share", "account", account_key=SECRET),
        AzureFileDatastore,
        {"container_name": "share", "account_name": "account", "account_key": SECRET},
    ),
    (
        lambda ws: Datastore.register_azure_data_lake(ws, "d", "lake", "t", "c", SECRET),
        AzureDataLakeDatastore,
        {"store_name": "lake", "tenant_id": "t", "client_id": "c", "client_secret": SECRET, "subscription_id": None},
    ),
    (
        lambda ws: Datastore.register_azure_data_lake_gen2(ws, "d", "fs", "account", "t", "c", SECRET),
        AzureDataLakeGen2Datastore,
        {"container_name": "fs", "account_name": "account", "client_secret": SECRET, "protocol": "https"},
    ),
    (
        lambda ws: Datastore.register_azure_sql_database(ws, "d", "server", "db", username="u", password=SECRET),
        AzureSqlDatabaseDatastore,
        {"server_name": "server", "database_name": "db", "username": "u", "password": SECRET},
    ),
    (
        lambda ws: Datastore.register_azure_postgre_sql(ws, "d", "server", "db", "u", SECRET, enforce_ssl=False),
        AzurePostgreSqlDatastore,
        {"server_name": "server", "user_id": "u", "user_password": SECRET, "enforce_ssl": False},
    ),
    (
        lambda ws: Datastore.register_azure_my_sql(ws, "d", "server", "db", "u", SECRET, "3306"),
        AzureMySqlDatastore,
        {"database_name": "db", "port_number": "3306", "user_password": SECRET},
    ),
    (lambda ws: Datastore.register_dbfs(ws, "d"), DBFSDatastore, {"datastore_type": "DBFS"}),
    (
        lambda ws: Datastore.register_hdfs(
            ws, "d", "http", "node", None, "realm", "kdc", "me", kerberos_password=SECRET
        ),
        HDFSDatastore,
        {"namenode_address": "node", "kerberos_realm": "realm", "credential_value": SECRET},
    ),
]


@pytest.mark.parametrize(("register", "cls", "attributes"), REGISTRATIONS)
def test_other_kinds_are_records_of_their_own_class(local_ws, register, cls, attributes):
    register(local_ws)

    found = local_ws.datastores["d"]
    assert type(found) is cls
    assert {name: getattr(found, name) for name in attributes} == attributes


@pytest.mark.parametrize(
    "register",
    [
        lambda ws: Datastore.register_azure_data_lake_gen2(ws, "d", "fs", "account", tenant_id="t"),
        lambda ws: Datastore.register_azure_postgre_sql(ws, "d", "server", "db", "u", None),
        lambda ws: Datastore.register_azure_my_sql(ws, "d", None, "db", "u", "p"),
    ],
)
def test_half_a_credential_is_refused(register):
    with pytest.raises(UserErrorException):
        register(None)


# Paths


def test_a_path_of_a_datastore_is_a_reference_under_its_name_or_a_new_one(store):
    whole, part = store.path(), store.path("a/b")

    assert (whole.data_reference_name, whole.path_on_datastore) == ("workspaceblobstore", None)
    assert (whole.mode, whole.path_on_compute, whole.overwrite) == ("mount", None, False)
    assert part.path_on_datastore == "a/b"
    assert len(part.data_reference_name) == 32
    assert store.path("a", data_reference_name="given").data_reference_name == "given"
    assert part.path() is part
    assert part.path(".") is part
    below = part.path("c.txt")
    assert (below.path_on_datastore, below.datastore) == ("a/b/c.txt", store)
    assert below.data_reference_name != part.path("c.txt").data_reference_name != part.data_reference_name


def test_a_reference_changes_its_mode_and_keeps_its_name(store):
    part = store.path("a")

    made = part.as_download("there", overwrite=True)
    assert (made.mode, made.path_on_compute, made.overwrite) == ("download", "there", False)
    assert part.as_upload("there").mode == "upload"
    assert part.as_upload("there").as_mount().mode == "mount"
    assert made.data_reference_name == part.data_reference_name
    assert (store.as_mount().mode, store.as_download().mode, store.as_upload().mode) == ("mount", "download", "upload")


@pytest.mark.parametrize("more", [{"mode": "Mount"}, {"mode": "direct"}, {"data_reference_name": "a b;c"}])
def test_a_reference_of_another_mode_or_name_is_refused(store, more):
    with pytest.raises(UserErrorException):
        DataReference(store, **more)


def test_a_data_path_becomes_a_reference_by_a_binding(store):
    path, binding = DataPath(store, "a/b", "named"), DataPathComputeBinding("download", "there", True)

    made = path.create_data_reference("reference", binding)
    assert (path.datastore_name, path.path_on_datastore) == ("workspaceblobstore", "a/b")
    assert (made.data_reference_name, made.mode, made.overwrite) == ("reference", "download", True)
    assert binding.create_data_reference("reference", path).path_on_compute == "there"
    assert DataReference.create("reference", path, binding).path_on_datastore == "a/b"
    assert DataPath.create_from_data_reference(made).path_on_datastore == "a/b"
    assert DataPathComputeBinding.create_from_data_reference(made).create_data_reference("r", path).mode == "download"
    with pytest.raises(ValueError, match="datastore"):
        DataPath()
    with pytest.raises(ValueError, match="binding"):
        path.create_data_reference("reference")


def test_a_reference_becomes_a_configuration(store):
    made = store.path("a/b").as_download("there").to_config()

    assert (made.data_store_name, made.mode, made.path_on_data_store) == ("workspaceblobstore", "download", "a/b")
    assert made.path_on_compute == "there"


@pytest.mark.extra
@pytest.mark.skipif(AZURITE is None or not Path(AZURITE).exists(), reason="azurite is not installed")
def test_a_blob_container_is_reached_for_real(local_ws, source, tmp_path, monkeypatch):
    pytest.importorskip("adlfs", reason="the extra azure is not installed")
    import socket
    import subprocess
    import time

    from azure.storage.blob import ContainerClient

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    server = subprocess.Popen(
        [
            *(AZURITE, "--silent", "--skipApiVersionCheck", "--blobHost", "127.0.0.1"),
            *("--blobPort", str(port), "--location", str(tmp_path / "azurite")),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        blob = Datastore.register_azure_blob_container(
            *(local_ws, "azure", "container", "devstoreaccount1"),
            account_key=key,
            protocol="http",
            endpoint=f"127.0.0.1:{port}",
            create_if_not_exists=True,
        )
        blob.upload(source, "data", show_progress=False)
        blob.upload(source, "data", show_progress=False)
        assert blob.download("out", "data", show_progress=False) == 2
        assert files_in("out") == ["data/a.csv", "data/sub dir/b ü.csv"]
        files = Dataset.File.from_files((blob, "data/**"))
        assert files.to_path() == ["/a.csv", "/sub dir/b ü.csv"]
        with files.mount() as mounted:
            assert files_in(mounted.mount_point) == ["a.csv", "sub dir/b ü.csv"]
        Path("table.csv").write_text("x,y\n1,a\n2,b\n")
        blob.upload_files(["table.csv"], show_progress=False)
        frame = Dataset.Tabular.from_delimited_files((blob, "table.csv")).to_pandas_dataframe()
        assert frame.to_dict("list") == {"x": [1, 2], "y": ["a", "b"]}

        address = {"account_name": "devstoreaccount1", "protocol": "http", "endpoint": f"127.0.0.1:{port}"}
        keyless = Datastore.register_azure_blob_container(local_ws, "open", "container", **address)
        monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")  # no other one is asked for
        with pytest.raises(UserErrorException, match="failed to retrieve a token"):
            Dataset.File.from_files((keyless, "data/**")).to_path()
        connection = (
            f"AccountName=devstoreaccount1;AccountKey={key};BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1"
        )
        with ContainerClient.from_connection_string(connection, "container") as container:
            container.set_container_access_policy({}, public_access="container")
        assert Dataset.File.from_files((keyless, "data/**")).to_path() == ["/a.csv", "/sub dir/b ü.csv"]
        with pytest.raises(UserErrorException, match="failed to retrieve a token"):
            keyless._place().put("table.csv", "new.csv", overwrite=True)
        frame = Dataset.Tabular.from_delimited_files((keyless, "table.csv")).to_pandas_dataframe()
        assert frame.to_dict("list") == {"x": [1, 2], "y": ["a", "b"]}
    finally:
        server.kill()
        server.wait()
