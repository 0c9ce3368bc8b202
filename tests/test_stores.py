"""The tracking store of a process: which it is, where its files are, several processes at once, and its errors."""

from __future__ import annotations

import http.server
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest

from azml_compat import Experiment, Run, Workspace, _git, _runtime
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking import Store
from azml_compat._tracking.addresses import absolute_uri, without_credentials
from azml_compat._tracking.errors import azure_errors
from azml_compat.exceptions import AuthenticationException, AzureMLException, UserErrorException

NAMES = {"subscription_id": "s", "resource_group": "g", "workspace_name": "w"}
REPOSITORY = Path(__file__).parents[1]


def write_config(file, **more):
    path = Path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**NAMES, **more}))
    return path


def sqlite_in(folder):
    return f"sqlite:///{Path(folder).absolute()}/mlflow.db"


# Which store it is


def test_by_default_it_is_a_database_in_the_current_directory():
    assert _runtime.store().uri == sqlite_in(".")
    assert Workspace("s", "g", "w").get_mlflow_tracking_uri() == sqlite_in(".")
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    "file", [".azureml/config.json", "aml_config/config.json", "aml_config/project.json", "config.json"]
)
def test_the_database_is_in_the_folder_that_the_configuration_file_belongs_to(file, monkeypatch):
    write_config(f"project/{file}")
    project = Path("project").absolute()
    (project / "src" / "deep").mkdir(parents=True)
    monkeypatch.chdir(project / "src" / "deep")

    assert _runtime.store().uri == sqlite_in(project)
    assert Workspace.from_config().get_mlflow_tracking_uri() == sqlite_in(project)


def test_a_settings_folder_of_any_ancestor_wins_over_a_bare_file_beside_the_script(monkeypatch):
    write_config(".azureml/config.json")
    write_config("sub/config.json")
    top = Path.cwd()
    monkeypatch.chdir("sub")

    assert _runtime.store().uri == sqlite_in(top)


@pytest.mark.parametrize("folder", [".azureml", "aml_config"])
def test_a_settings_folder_without_a_configuration_file_means_nothing(folder, monkeypatch):
    Path(folder).mkdir()
    Path(folder, "auth.json").write_text("{}")
    Path("sub").mkdir()
    monkeypatch.chdir("sub")

    assert _runtime.store().uri == sqlite_in(".")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"model_type": "bert"}', '{"Scope": "/too/short"}', "\xff\xfe", "null"]
)
def test_a_file_that_is_no_configuration_is_passed_over(content):
    Path("config.json").write_text(content, encoding="latin-1")

    assert _runtime.store().uri == sqlite_in(".")


def test_a_configuration_with_a_byte_order_mark_is_read():
    Path("config.json").write_text(json.dumps({**NAMES, "mlflow_tracking_uri": "sqlite:///b.db"}), encoding="utf-8-sig")

    assert _runtime.store().uri == f"sqlite:///{Path.cwd()}/b.db"
    assert Workspace.from_config().name == "w"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqlite:////abs/x.db", "sqlite:////abs/x.db"),
        ("sqlite:///x.db", "sqlite:///{project}/x.db"),
        ("sqlite:///../x.db", "sqlite:///{above}/x.db"),
        ("file:my_runs", "file://{project}/my_runs"),
        ("./my_runs", "file://{project}/my_runs"),
        ("my runs", "file://{project}/my%20runs"),
        ("http://server:5000", "http://server:5000"),
        ("postgresql://u:p@host/db", "postgresql://u:p@host/db"),
    ],
)
def test_the_configuration_file_may_name_the_store_relative_to_its_project(monkeypatch, written, meant):
    write_config("project/.azureml/config.json", mlflow_tracking_uri=written)
    project = Path("project").absolute()
    (project / "src").mkdir()
    monkeypatch.chdir(project / "src")

    assert _runtime.store().uri == meant.format(project=project, above=project.parent)


def test_the_environment_wins_over_the_configuration_file(monkeypatch):
    write_config("config.json", mlflow_tracking_uri="sqlite:////config.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////environment.db")

    assert _runtime.store().uri == "sqlite:////environment.db"


def test_what_the_script_told_mlflow_wins_over_the_configuration_file(monkeypatch):
    import mlflow

    write_config("config.json", mlflow_tracking_uri="sqlite:////config.db")
    mlflow.set_tracking_uri("sqlite:////told.db")

    assert _runtime.store().uri == "sqlite:////told.db"


def test_an_empty_setting_means_nothing(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    write_config("config.json", mlflow_tracking_uri="")

    assert _runtime.store().uri == sqlite_in(".")


def test_a_file_given_to_from_config_decides_where_nothing_else_has():
    file = write_config("elsewhere/any name.json", mlflow_tracking_uri="sqlite:///x.db")

    assert Workspace.from_config(file).get_mlflow_tracking_uri() == f"sqlite:///{file.parent.absolute()}/x.db"


def test_it_is_decided_once(monkeypatch, caplog):
    first = _runtime.store()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////other.db")
    Path("sub").mkdir()
    monkeypatch.chdir("sub")

    assert _runtime.store() is first
    assert Workspace("s", "g", "w").service_context.store is first
    write_config("config.json", mlflow_tracking_uri="postgresql://user:hunter2@host/db")
    assert Workspace.from_config().service_context.store is first
    assert "postgresql://host/db" in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    ("uri", "absolute"),
    [
        ("sqlite:///x.db", "sqlite:////base/x.db"),
        ("sqlite:///./sub/../x.db", "sqlite:////base/x.db"),
        ("sqlite:///x.db?timeout=5", "sqlite:////base/x.db?timeout=5"),
        ("sqlite:////abs/x.db", "sqlite:////abs/x.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("mlruns", "file:///base/mlruns"),
        ("./mlruns", "file:///base/mlruns"),
        ("/abs/mlruns", "file:///abs/mlruns"),
        ("file:mlruns", "file:///base/mlruns"),
        ("file:./mlruns", "file:///base/mlruns"),
        ("file:/abs/mlruns", "file:/abs/mlruns"),
        ("file:///abs/mlruns", "file:///abs/mlruns"),
        ("http://host:5000/path", "http://host:5000/path"),
        ("https://host", "https://host"),
        ("databricks", "databricks"),
        ("databricks://profile", "databricks://profile"),
        ("mysql+pymysql://u:p@h/d", "mysql+pymysql://u:p@h/d"),
    ],
)
def test_a_local_store_has_an_absolute_address(uri, absolute):
    assert absolute_uri(uri, Path("/base")) == absolute


# Where its files are


@pytest.mark.parametrize("uri", [None, "sqlite:///sub/own.db", "file:own", "./own"])
def test_files_are_in_one_place_wherever_the_script_is(uri, tmp_path, monkeypatch, template_database):
    """The folder of the start, another one of the same process, and one of another process."""
    if uri is not None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    if uri is None or uri.startswith("sqlite"):
        database = Path((uri or "sqlite:///mlflow.db").removeprefix("sqlite:///"))
        database.parent.mkdir(exist_ok=True)
        database.write_bytes(template_database.read_bytes())
    start = Path.cwd()
    experiment = Experiment(Workspace("s", "g", "w"), "e")
    run = experiment.start_logging(snapshot_directory=None, outputs=False)
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    Path("f.txt").write_text("content")
    run.upload_file("f.txt", "f.txt")
    second = experiment.start_logging(snapshot_directory=None, outputs=False)
    second.upload_file("g.txt", "f.txt")
    # Another process, in another folder, on the same store.
    code = (
        "import sys; from azml_compat import Run, Workspace; run = Run.get(Workspace('s', 'g', 'w'), sys.argv[1]); "
        "run.upload_file('h.txt', 'f.txt'); print(run.get_file_names())"
    )
    shown = run_python(code, run.id, MLFLOW_TRACKING_URI=run._store.uri)

    assert shown.strip() == "['f.txt', 'h.txt']"
    assert list((tmp_path / "other").iterdir()) == [tmp_path / "other" / "f.txt"]
    found = sorted(path.name for path in start.rglob("?.txt"))
    assert found == ["f.txt", "g.txt", "h.txt"]
    if uri is None or uri.startswith("sqlite"):
        database = Path(run._store.uri.removeprefix("sqlite:///"))
        assert database.is_file()
        assert {path.relative_to(database.parent / "mlartifacts").parts[0] for path in start.rglob("?.txt")} == {
            run.id,
            second.id,
        }


def run_python(code, *arguments, check=True, **env):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **env},
        check=False,
        timeout=120,
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["a b", "50%", "ünï", "a@b", "a:b", "a#b", "a+b&c"])
def test_a_project_folder_may_have_any_name(name, monkeypatch, template_database):
    Path(name).mkdir()
    monkeypatch.chdir(name)
    Path("mlflow.db").write_bytes(template_database.read_bytes())
    run = Experiment(Workspace("s", "g", "w"), "e").start_logging(snapshot_directory=None)
    run.log("a", 1)
    Path("f.txt").write_text("content")
    run.upload_file("f.txt", "f.txt")
    run.download_file("f.txt", "back.txt")

    assert run.get_metrics() == {"a": 1}
    assert Path("back.txt").read_text() == "content"
    assert len(list(Path("mlartifacts").rglob("f.txt"))) == 1


@pytest.mark.parametrize("name", ["what?", "100%25"])
def test_a_folder_that_no_address_of_a_database_can_name_is_refused_at_once(name, monkeypatch):
    Path(name).mkdir()
    monkeypatch.chdir(name)
    with pytest.raises(UserErrorException, match="MLFLOW_TRACKING_URI"):
        Workspace("s", "g", "w")

    assert list(Path().iterdir()) == []


# Credentials


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://host:5000/path", "http://host:5000/path"),
        ("http://host:5000/a@b", "http://host:5000/a@b"),
        ("http://user:hunter2@host:5000/path", "http://host:5000/path"),
        ("http://user:hunt@er2@host", "http://host"),
        ("http://hunter2@host", "http://host"),
        ("https://user:hunter2/x@host", "https://host"),
        ("https://[::1]:5000/a", "https://[::1]:5000/a"),
        ("https://user:hunter2@[::1]:5000/a", "https://[::1]:5000/a"),
        ("postgresql://user:hunter2@host:5432/db", "postgresql://host:5432/db"),
        ("postgresql://user:hunter2/x@host/db", "postgresql://host/db"),
        ("postgresql://user:hunt?er2@host/db?a=b", "postgresql://host/db?…"),
        ("postgresql://user:hun/ter?2@host/db", "postgresql://host/db"),
        ("postgresql+psycopg2://host/db?user=u&password=hunter2", "postgresql+psycopg2://host/db?…"),
        ("postgresql://host/db?user=u@hunter2", "postgresql://host/db?…"),
        ("mssql+pyodbc:///?odbc_connect=PWD%3Dhunter2", "mssql+pyodbc:///?…"),
        ("mysql://u:hunter2@h/d", "mysql://h/d"),
        ("sqlite:////home/a@b/c.db", "sqlite:////home/a@b/c.db"),
        ("sqlite:////x.db?timeout=5", "sqlite:////x.db?timeout=5"),
        ("file:///home/a@b/mlruns", "file:///home/a@b/mlruns"),
        ("databricks", "databricks"),
        ("ssh://git@host/repository.git", "ssh://host/repository.git"),
    ],
)
def test_an_address_is_shown_without_credentials(uri, shown):
    assert without_credentials(uri) == shown
    assert "hunter2" not in repr(Store(uri))


def with_credentials(address):
    return address.replace("://", "://user:hunter2@")


def test_credentials_are_shown_nowhere_in_a_whole_life_of_a_run(server, monkeypatch, capsys, caplog, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", with_credentials(server))
    workspace = Workspace.create("workspace", subscription_id="s", resource_group="g")
    experiment = Experiment(workspace, f"e-{uuid.uuid4().hex[:8]}")
    run = experiment.start_logging()
    with run:
        run.log("a", 1)
        run.log_table("t", {"x": ["a", "b"]})
        run.upload_file("f", __file__)
    run.wait_for_completion(show_output=True)
    workspace.delete()
    workspace.write_config()
    child = run.child_run("child")
    child.complete()
    shown = [repr(thing) + str(thing) for thing in (workspace, experiment, run, child, workspace.service_context.store)]
    shown += [thing._repr_html_() for thing in (experiment, run)]
    shown += [run.get_portal_url(), experiment.get_portal_url(), run.portal_url, json.dumps(run.get_details())]
    shown += [Path(".azureml/config.json").read_text(), *map(str, run.get_properties().values())]
    shown += [f"{key}={value}" for key, value in run._refresh().tags.items()]
    shown += [*capsys.readouterr(), caplog.text]

    assert run.get_metrics()["a"] == 1
    assert any(server in text for text in shown)
    assert not [text for text in shown if "hunter2" in text]


def test_credentials_are_not_among_the_details_of_a_workspace(server, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", with_credentials(server))

    assert "hunter2" not in json.dumps(Workspace("s", "g", "w").get_details())


def test_credentials_are_in_no_error_and_not_in_its_traceback():
    code = (
        "from azml_compat import *; from azml_compat import Experiment, Workspace\n"
        "ws = Workspace('s', 'g', 'w')\n"
        "client = ws.service_context.store.client\n"
        "import mlflow.exceptions\n"
        "def fail(*args, **kwargs):\n"
        "    raise mlflow.exceptions.MlflowException("
        "'API request to http://user:' + 'hunter2@host:1/api failed with user:x@y and mail a@b.c')\n"
        "client.get_experiment_by_name = fail\n"
        "list(Experiment(ws, 'e').get_runs())\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "MLFLOW_TRACKING_URI": "file:runs"},
        check=False,
        timeout=60,
    )

    assert done.returncode == 1
    assert "API request to http://host:1/api failed" in done.stderr
    assert "mail a@b.c" in done.stderr
    assert "http://user:hunter2" not in done.stderr


@pytest.mark.parametrize(
    ("remote", "shown"),
    [
        ("https://user:hunter2@github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://hunter2@github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://github.com/a/b@c.git", "https://github.com/a/b@c.git"),
        ("git@github.com:a/b.git", "git@github.com:a/b.git"),
        ("/srv/git/b.git", "/srv/git/b.git"),
    ],
)
def test_the_repository_of_the_code_is_noted_without_credentials(remote, shown):
    for command in (["init", "-q"], ["remote", "add", "origin", remote]):
        subprocess.run(["git", *command], check=True)

    assert _git.properties(Path())["azureml.git.repository_uri"] == shown


# Several processes at once


PARTNER = """
import sys, time
from pathlib import Path
from azml_compat import Experiment, Workspace
import mlflow
number, meeting = sys.argv[1], Path(sys.argv[2])
(meeting / number).touch()
while len(list(meeting.iterdir())) < int(sys.argv[3]):
    time.sleep(0.01)
experiment = Experiment(Workspace('s', 'g', 'w'), sys.argv[4])
run = experiment.start_logging(snapshot_directory=None, outputs=False, tags={'number': number})
run.log('number', int(number))
run.log_list('list', ['text', int(number)])
run.complete()
print('done')
"""


def meet(tmp_path, processes, name, **env):
    """Have processes do the same at the same moment, each in its own folder; what they wrote to stderr."""
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    running = []
    for number in range(processes):
        (tmp_path / f"cwd{number}").mkdir()
        running.append(
            subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", PARTNER, str(number), str(meeting), str(processes), name],
                cwd=tmp_path / f"cwd{number}",
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1", **env},
            )
        )
    ended = [(*process.communicate(timeout=200), process.returncode) for process in running]
    assert [code for _, _, code in ended] == [0] * processes, "\n".join(error for _, error, _ in ended)
    return "".join(error for _, error, _ in ended)


def check_partners(processes, name, **env):
    experiments = [experiment for experiment in Experiment.list(Workspace("s", "g", "w")) if experiment.name == name]
    assert len(experiments) == 1
    runs = list(experiments[0].get_runs())
    assert sorted(int(run.tags["number"]) for run in runs) == list(range(processes))
    for run in runs:
        number = int(run.tags["number"])
        assert run.get_status() == "Completed"
        assert run.get_metrics() == {"number": number, "list": ["text", number]}


@pytest.mark.extra
@pytest.mark.parametrize("scheme", ["sqlite", "file"])
def test_a_fresh_store_is_opened_by_eight_processes_at_once(scheme, tmp_path, monkeypatch):
    uri = f"sqlite:///{tmp_path}/fresh/mlflow.db" if scheme == "sqlite" else f"file://{tmp_path}/fresh"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    shown = meet(tmp_path, 8, "shared")

    assert "Error" not in shown
    check_partners(8, "shared")


def test_one_experiment_is_created_by_several_processes_at_once_on_a_server(server, tmp_path, monkeypatch):
    name = f"shared-{uuid.uuid4().hex[:8]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    meet(tmp_path, 3, name)

    check_partners(3, name)


def test_one_experiment_is_created_by_several_threads_at_once(exp):
    name = f"threads-{uuid.uuid4().hex[:8]}"
    ids, barrier = [], threading.Barrier(4)

    def create():
        barrier.wait()
        ids.append(Experiment(exp.workspace, name).id)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(ids) == 4
    assert len(set(ids)) == 1


# Errors


CODES = [
    ("RESOURCE_DOES_NOT_EXIST", ServiceException, 404),
    ("ENDPOINT_NOT_FOUND", ServiceException, 404),
    ("RESOURCE_ALREADY_EXISTS", ServiceException, 409),
    ("RESOURCE_CONFLICT", ServiceException, 409),
    ("ALREADY_EXISTS", ServiceException, 409),
    ("INVALID_STATE", ServiceException, 409),
    ("PERMISSION_DENIED", UserErrorException, None),
    ("UNAUTHENTICATED", AuthenticationException, None),
    ("CUSTOMER_UNAUTHORIZED", AuthenticationException, None),
    ("INVALID_PARAMETER_VALUE", ServiceException, 400),
    ("BAD_REQUEST", ServiceException, 400),
    ("REQUEST_LIMIT_EXCEEDED", ServiceException, 429),
    ("RESOURCE_EXHAUSTED", ServiceException, 429),
    ("TEMPORARILY_UNAVAILABLE", ServiceException, 503),
    ("DEADLINE_EXCEEDED", ServiceException, 504),
    ("INTERNAL_ERROR", ServiceException, 500),
]


@pytest.mark.parametrize(("code", "kind", "status"), CODES)
def test_an_error_of_mlflow_arrives_as_azures(local_run, mocker, code, kind, status):
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import ErrorCode

    original = MlflowException("what MLflow says", ErrorCode.Value(code))
    mocker.patch.object(local_run._store.client, "get_run", side_effect=original)
    with pytest.raises((ServiceException, AzureMLException)) as raised:
        local_run.get_details()

    assert type(raised.value) is kind
    assert getattr(raised.value, "status_code", None) == status
    assert raised.value.__cause__ is original
    assert raised.value.message.endswith(": what MLflow says")
    assert local_run.id in raised.value.message


@pytest.mark.parametrize(
    ("status", "kind"), [(404, ServiceException), (403, UserErrorException), (401, AuthenticationException)]
)
def test_an_error_of_a_servers_artifact_store_arrives_as_azures(local_run, mocker, status, kind):
    import requests

    response = requests.Response()
    response.status_code = status
    original = requests.HTTPError("refused", response=response)
    mocker.patch.object(local_run._store._repository(local_run.id), "list_artifacts", side_effect=original)
    with pytest.raises((ServiceException, AzureMLException)) as raised:
        local_run.get_file_names()

    assert type(raised.value) is kind
    assert getattr(raised.value, "status_code", status) == status
    assert raised.value.__cause__ is original


def test_other_errors_pass_the_seam_unchanged():
    with pytest.raises(ZeroDivisionError), azure_errors("Cannot divide"):
        1 / 0  # noqa: B018


def test_what_is_not_there_is_missing_on_every_store(ws, exp):
    for run_id in ("0" * 32, "no such run", "it's", 'say "hi"', "both ' and \"", "ü" * 40):
        with pytest.raises(ServiceException) as raised:
            Run.get(ws, run_id)
        assert raised.value.status_code == 404
        with pytest.raises(ServiceException) as raised:
            Run(exp, run_id)
        assert raised.value.status_code == 404
    with pytest.raises(ServiceException) as raised:
        Experiment(ws, "e", _id="987654321")
    assert raised.value.status_code == 404


@pytest.mark.parametrize("run_id", ["it's", 'say "hi"', "both ' and \"", "per%cent_", "back\\slash`tick", "ü😀"])
def test_a_run_of_any_chosen_id_is_found_again_by_another_process(exp, run_id):
    run_id = f"{run_id} {exp.name}"
    run = exp.start_logging(run_id=run_id, snapshot_directory=None)
    exp.start_logging(run_id=run_id.upper(), snapshot_directory=None)
    _runtime.reset()  # what this process remembers

    assert Run.get(Workspace("s", "g", "w"), run_id)._record.id == run._record.id


@pytest.fixture
def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("htp://server", ServiceException),
        ("http://127.0.0.1:{port}", ServiceException),
        ("http://user:hunter2@127.0.0.1:{port}", ServiceException),
        ("http://no such host/", UserErrorException),
        ("http://127.0.0.1:port", UserErrorException),
        ("http://no-such-host.invalid", UserErrorException),
        ("sqlite:////proc/nowhere/x.db", UserErrorException),
        ("sqlite:///{cwd}/text.db", UserErrorException),
        ("sqlite:///{cwd}", UserErrorException),
        ("file:///proc/nowhere", UserErrorException),
        ("file:///{cwd}/text.db", UserErrorException),
        ("postgresql+nodriver://user:hunter2@host/db", UserErrorException),
    ],
)
def test_a_wrong_address_is_an_error_at_once(monkeypatch, free_port, uri, kind):
    Path("text.db").write_text("this is no database")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri.format(port=free_port, cwd=Path.cwd()))
    began = time.monotonic()
    with pytest.raises((ServiceException, AzureMLException)) as raised:
        next(Experiment(Workspace("s", "g", "w"), "e").get_runs())

    assert time.monotonic() - began < 10
    assert type(raised.value) is kind
    assert "hunter2" not in str(raised.value)
    assert Path("text.db").read_text() == "this is no database"
    if ":{port}" in uri:
        assert raised.value.status_code == 503
        assert f"http://127.0.0.1:{free_port} cannot be reached" in raised.value.message


class Refusing(http.server.BaseHTTPRequestHandler):
    status = 401

    def do_GET(self):
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"refused")

    do_POST = do_GET

    def log_message(self, *args):
        pass


@pytest.mark.parametrize(
    ("status", "kind"), [(401, AuthenticationException), (403, UserErrorException), (404, ServiceException)]
)
def test_a_server_that_refuses_is_an_error_at_once(monkeypatch, status, kind):
    handler = type("Handler", (Refusing,), {"status": status})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
        began = time.monotonic()
        with pytest.raises((ServiceException, AzureMLException)) as raised:
            Experiment(Workspace("s", "g", "w"), "e")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert time.monotonic() - began < 10
    assert type(raised.value) is kind
    assert getattr(raised.value, "status_code", status) == status


def test_a_server_that_starts_late_is_waited_for(monkeypatch, free_port):
    """Refused connections are tried again for two seconds."""
    from azml_compat._tracking import opening

    servers = []

    def start_late(seconds):
        handler = type("Handler", (Refusing,), {"status": 404})
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", free_port), handler))

    monkeypatch.setattr(opening.time, "sleep", start_late)
    monkeypatch.setattr(opening, "_SERVER_SECONDS", 0.2)
    try:
        with pytest.raises(ServiceException):
            opening._check_server(f"http://127.0.0.1:{free_port}", 10)
    finally:
        for server in servers:
            server.server_close()
    assert len(servers) == 1


def test_reports_reach_a_script_that_has_not_set_up_logging(python, tracking_uri):
    done = subprocess.run(
        [sys.executable, "-c", "from azml_compat import _runtime\nwith _runtime.reported('Cannot do it'): 1 / 0"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        check=True,
    )

    assert done.stderr == "Cannot do it: division by zero\n"
    assert logging.getLogger("azml_compat").level == logging.NOTSET
