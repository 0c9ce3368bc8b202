"""The command azml-compat."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import azml_compat
from azml_compat import Experiment, Workspace, _cli

_SECONDS = 90


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


@pytest.mark.extra
def test_the_ui_serves_the_store_of_the_folder():
    Experiment(Workspace.from_config(), "shown")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "azml_compat", "ui", "--port", str(port)]
    with Path("ui.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
    try:
        names = experiments(f"http://127.0.0.1:{port}")
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    assert "shown" in names, Path("ui.log").read_text()


def experiments(address: str) -> list[str]:
    request = urllib.request.Request(
        f"{address}/api/2.0/mlflow/experiments/search",
        data=b'{"max_results": 10}',
        headers={"Content-Type": "application/json"},
    )
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(request, timeout=5) as answer:
            return [experiment["name"] for experiment in json.load(answer)["experiments"]]
        time.sleep(0.3)
    return []
