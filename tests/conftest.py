"""Fixtures: a clean process for every test, and one workspace on each kind of store."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import pytest

from azml_compat import Workspace, _runtime
from azml_compat._tracking import Store

STORES = ("sqlite", "file", "http")
_OWN_VARIABLES = ("MLFLOW_", "AZUREML_", "AZML_COMPAT_")
_SERVER_SECONDS = 90


def pytest_collection_modifyitems(items):
    """Have what is to run alone belong to the long tier."""
    for item in items:
        if item.get_closest_marker("alone"):
            item.add_marker(pytest.mark.extra)


@pytest.fixture(autouse=True)
def _clean_process(tmp_path, tmp_path_factory, monkeypatch):
    """Give each test an empty current directory, no settings from outside, and no state of other tests."""
    for name in list(os.environ):
        if name.startswith(_OWN_VARIABLES):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("AZML_COMPAT_HOME", str(tmp_path_factory.mktemp("home")))
    # Tests of the background process allow it themselves.
    monkeypatch.setenv("AZML_COMPAT_BACKGROUND", "0")
    # Undone at the end even where the code under test sets them.
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_ALLOW_FILE_STORE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    _runtime.reset()
    yield
    _runtime.reset()
    _reset_mlflow()


def _reset_mlflow():
    """Have MLflow's fluent API forget what a test did with it, where one has loaded it."""
    fluent = sys.modules.get("mlflow.tracking.fluent")
    if fluent is not None:
        while fluent.active_run():
            fluent.end_run()
        fluent._active_experiment_id = None
        sys.modules["mlflow"].set_tracking_uri(None)
        sys.modules["mlflow"].set_registry_uri(None)


@pytest.fixture(scope="session")
def template_database(tmp_path_factory):
    """An empty, initialised MLflow sqlite database; making one costs seconds, copying it milliseconds."""
    path = tmp_path_factory.mktemp("template") / "mlflow.db"
    Store(f"sqlite:///{path}").find_experiment("none")
    return path


@pytest.fixture
def sqlite_uri(tmp_path, template_database):
    """The tracking URI of a fresh sqlite store."""
    path = tmp_path / "store" / "mlflow.db"
    path.parent.mkdir()
    shutil.copyfile(template_database, path)
    return f"sqlite:///{path}"


@pytest.fixture
def file_uri(tmp_path):
    """The tracking URI of a fresh file store."""
    return (tmp_path / "mlruns").as_uri()


@pytest.fixture(scope="session")
def server(tmp_path_factory, template_database):
    """A real MLflow server on sqlite with its artifact proxy; its address."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copyfile(template_database, folder / "mlflow.db")
    with mlflow_server(f"sqlite:///{folder / 'mlflow.db'}", folder) as address:
        yield address


class mlflow_server:
    """Runs `mlflow server` on a free port for the duration of a with block."""

    def __init__(self, backend: str, folder: Path, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = folder / "server.log"
        self._command = [
            *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
            *("--backend-store-uri", backend, "--artifacts-destination", str(folder / "artifacts")),
            *("--host", "127.0.0.1", "--port", str(self.port)),
            *options,
        ]

    def __enter__(self) -> str:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env={
                    **os.environ,
                    "MLFLOW_DISABLE_TELEMETRY": "true",
                    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # four more processes, for what nothing here uses
                    "PYTHONWARNINGS": "ignore",
                },
            )
        deadline = time.monotonic() + _SERVER_SECONDS
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.address}/health", timeout=2):
                    return self.address
            except (urllib.error.URLError, OSError):
                assert self._process.poll() is None, self._log.read_text()
                time.sleep(0.2)
        raise AssertionError(f"the server did not start:\n{self._log.read_text()}")

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.fixture(params=STORES)
def tracking_uri(request, monkeypatch):
    """The tracking URI of each kind of store in turn, chosen for this process."""
    fixture = {"sqlite": "sqlite_uri", "file": "file_uri", "http": "server"}[request.param]
    uri = request.getfixturevalue(fixture)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    return uri


@pytest.fixture
def ws(tracking_uri):
    """A workspace on each kind of store in turn."""
    return Workspace("subscription", "group", "workspace")


@pytest.fixture
def exp(ws):
    """An empty experiment on each kind of store in turn."""
    from azml_compat import Experiment

    return Experiment(ws, f"experiment-{uuid.uuid4().hex[:12]}")


@pytest.fixture
def local_exp(sqlite_uri, monkeypatch):
    """An empty experiment on sqlite alone, for what does not depend on the store."""
    from azml_compat import Experiment

    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    return Experiment(Workspace("subscription", "group", "workspace"), "experiment")


@pytest.fixture
def run(exp):
    """A running interactive run on each kind of store in turn, without snapshot."""
    return exp.start_logging(snapshot_directory=None)


@pytest.fixture
def local_run(local_exp):
    """A running interactive run on sqlite alone, without snapshot."""
    return local_exp.start_logging(snapshot_directory=None)


@pytest.fixture
def python(tracking_uri):
    """Run Python code in another process on the same store; returns what it printed."""

    def run_code(code: str, *arguments: str, check: bool = True, **env: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), **env},
            check=False,
            timeout=120,
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout

    return run_code
