"""The command azml-compat."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

import azml_compat
from azml_compat import _cli

ROOT = Path(__file__).parents[1]


def test_a_server_needs_no_ui(monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@tracking.example:5000")

    assert _cli.main(["ui"]) == 0
    assert capsys.readouterr().out == "The tracking store is a server: http://tracking.example:5000\n"


def test_what_is_not_a_command_says_what_is(capsys):
    assert _cli.main(["fly"]) == 2
    shown = capsys.readouterr().err
    assert "'fly' is not a command" in shown
    assert all(f"  {name} " in shown for name in _cli.COMMANDS)


def test_the_commands_say_what_they_do(capsys):
    assert _cli.main(["--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: azml-compat COMMAND")
    for name in _cli.COMMANDS:
        with pytest.raises(SystemExit) as caught:
            _cli.main([name, "--help"])
        assert caught.value.code == 0
        assert capsys.readouterr().out.startswith(f"usage: azml-compat {name}")


def test_the_version(capsys):
    assert _cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"azml-compat {azml_compat.__version__}\n"


def test_a_store_that_mlflow_cannot_serve_is_refused(monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "databricks")

    assert _cli.main(["ui"]) == 1
    assert "databricks is no store that MLflow can serve" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said_before_anything_is_made(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert _cli.main(["ui", "--port", str(port)]) == 1

    said = capsys.readouterr().err
    assert f"port {port} is in use by another program" in said
    assert re.search(r"azml-compat ui --port \d+\n$", said)
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1"])
def test_a_host_that_is_not_here_is_refused(capsys, host):
    assert _cli.main(["ui", "--host", host]) == 1
    assert host in capsys.readouterr().err


@pytest.mark.parametrize("port", ["0", "65536", "x"])
def test_what_is_no_port_is_refused(capsys, port):
    with pytest.raises(SystemExit):
        _cli.main(["ui", "--port", port])
    assert "is no number from 1 to 65535" in capsys.readouterr().err


def test_links_and_the_ui_agree_on_where_it_is(monkeypatch, capsys, local_exp):
    assert local_exp.get_portal_url().startswith("http://127.0.0.1:5000/#/")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv("AZML_COMPAT_UI", f"127.0.0.1:{port}/")

        assert local_exp.get_portal_url().startswith(f"http://127.0.0.1:{port}/#/")
        assert _cli.main(["ui"]) == 1
        assert f"port {port} is in use" in capsys.readouterr().err
    monkeypatch.setenv("AZML_COMPAT_UI", "http://127.0.0.1:many")
    assert _cli.main(["ui"]) == 1
    assert "AZML_COMPAT_UI is no address" in capsys.readouterr().err


@pytest.mark.extra
def test_a_schema_that_mlflow_refuses_is_said_without_a_traceback(monkeypatch, capfd, sqlite_uri):
    with contextlib.closing(sqlite3.connect(sqlite_uri.removeprefix("sqlite:///"))) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
        connection.commit()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))

    assert _cli.main(["ui", "--port", str(free_port())]) == 1
    said = capfd.readouterr().err
    assert said.startswith("azml-compat ui: Cannot open the tracking store")
    assert "mlflow db upgrade" in said
    assert "Traceback" not in said


# -- the UI itself -------------------------------------------------------------------------------------------------

SCRIPT = """\
from azml_compat import Experiment, Workspace
from matplotlib.figure import Figure

run = Experiment(Workspace.from_config(), "shown").start_logging(snapshot_directory=None)
figure = Figure()
figure.subplots().plot([3, 1, 2])
run.log_image("curve", plot=figure)
run.complete()
print(run.id, run.get_portal_url(), *run.get_file_names())
"""
NAMES = {"subscription_id": "s", "resource_group": "g", "workspace_name": "w"}
STORES = {
    "sqlite": "sqlite:///{top}/own.db",
    "configuration": "",
    "file": "{top}/runs",
}
"""MLFLOW_TRACKING_URI on each kind of local store; `configuration` has the default store of a folder above."""


@dataclass
class Shown:
    """A run on a local store, and the UI that `azml-compat ui` serves of it."""

    process: subprocess.Popen[str]
    store: Path
    run_id: str
    link: str
    picture: str
    said: str
    errors: Path

    @property
    def address(self) -> str:
        return self.link.partition("/#")[0]


@pytest.fixture(scope="module", params=STORES)
def shown(request, tmp_path_factory, template_database):
    """A run with a picture, and its UI started below the project's folder. Its name has what addresses escape."""
    top = tmp_path_factory.mktemp("ui") / "Prüfung 1 & 2"
    below = top / "below"
    below.mkdir(parents=True)
    if request.param == "configuration":
        (top / ".azureml").mkdir()
        (top / ".azureml" / "config.json").write_text(json.dumps(NAMES))
    store = top / {"sqlite": "own.db", "configuration": "mlflow.db", "file": "runs"}[request.param]
    if request.param != "file":
        shutil.copyfile(template_database, store)
    foreign = ("MLFLOW_", "AZUREML_", "AZML_COMPAT_")
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
        "MLFLOW_TRACKING_URI": STORES[request.param].format(top=top),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "AZML_COMPAT_HOME": str(top / "home"),
        "AZML_COMPAT_UI": f"http://127.0.0.1:{free_port()}",
        "PYTHONPATH": str(ROOT),
    }
    options = {"cwd": below, "env": env, "text": True}
    made = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, check=False, timeout=120, **options)
    assert made.returncode == 0, made.stderr
    run_id, link, picture = made.stdout.splitlines()[-1].split()
    errors = top / "ui.log"
    command = [sys.executable, "-m", "azml_compat", "ui"]
    with errors.open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, **options)
    try:
        yield Shown(process, store, run_id, link, picture, process.stdout.readline(), errors)
    finally:
        process.terminate()
        process.communicate()


@pytest.mark.browser
@pytest.mark.extra
def test_a_picture_is_seen_where_the_link_of_its_run_leads(shown, tmp_path):
    from tests import browsing  # skips where there is no playwright

    if browsing.CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with browsing.browser_context(viewport={"width": 1300, "height": 900}) as context:
        page = context.new_page()
        page.goto(shown.link.replace("?", "/artifacts?"))
        page.get_by_label(shown.picture, exact=True).click()
        picture = page.locator("img[src^=blob]").first
        browsing.expect(picture).to_be_visible()
        page.screenshot(path=tmp_path / "page.png")
        assert picture.evaluate("picture => picture.naturalWidth") == 640


@pytest.mark.extra
def test_the_ui_serves_the_store_that_scripts_use(shown):
    """Also: its address is told in one line, no command line shows the store's, and it ends when it is told to."""
    assert shown.said.endswith(f": {shown.address}\n"), shown.errors.read_text()
    assert "shown" in experiments(shown.address)
    picture = f"{shown.address}/get-artifact?path={shown.picture}&run_uuid={shown.run_id}"
    with urllib.request.urlopen(picture, timeout=30) as answer:
        assert answer.read().startswith(b"\x89PNG")
    assert not [line for line in command_lines() if os.fsencode(shown.store) in line]

    os.kill(shown.process.pid, signal.SIGTERM)
    rest, _ = shown.process.communicate(timeout=60)

    assert shown.process.returncode == 128 + signal.SIGTERM
    assert rest == ""
    assert "Traceback" not in shown.errors.read_text()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{shown.address}/health", timeout=5)


def command_lines():
    """Yield the command lines of all processes that can be seen."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            yield file.read_bytes()


def experiments(address):
    request = urllib.request.Request(
        f"{address}/api/2.0/mlflow/experiments/search",
        data=b'{"max_results": 10}',
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return [experiment["name"] for experiment in json.load(answer)["experiments"]]


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
