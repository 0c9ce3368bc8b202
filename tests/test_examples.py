"""The examples run unedited from top to bottom, and what they leave in MLflow is what they are about."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from azml_compat import Workspace
from azml_compat.core import Dataset, Model

pytestmark = pytest.mark.extra
EXAMPLES = Path(__file__).parents[1] / "examples"
STORY = EXAMPLES / "around_the_run"


@pytest.fixture(autouse=True)
def _supervisor_ends(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES.parent))
    yield
    home = os.environ["AZML_COMPAT_HOME"]
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and folder.name != str(os.getpid()):
            try:
                command = (folder / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if "azml_compat._jobs.supervisor" in command and home in command:
                os.kill(int(folder.name), signal.SIGKILL)


@pytest.mark.parametrize("tracking_uri", ["sqlite", "http"], indirect=True)
def test_the_story_around_a_run_is_told_by_the_script_twice(tracking_uri):
    for turn in (1, 2):
        done = subprocess.run(
            [sys.executable, "-m", "azml_compat", str(STORY / "run.py")],
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert "200 rows of ['x', 'y']\n" in done.stdout
        assert "epoch 29: loss 0.00" in done.stdout
        assert "rows: 200 final loss: 0.00" in done.stdout
        assert "found again: True\n" in done.stdout
        assert ("Found existing cluster, use it." in done.stdout) == (turn == 2)
    _check(tracking_uri)


@pytest.mark.parametrize("tracking_uri", ["sqlite", "http"], indirect=True)
def test_the_story_around_a_run_is_told_by_the_notebook(tracking_uri):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    shutil.copytree(STORY / "src", "src")
    notebook = nbformat.read(STORY / "notebook.ipynb", as_version=4)
    nbclient.NotebookClient(notebook, timeout=200, kernel_name="python3").execute()
    shown = "".join(
        output.get("text", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream"
    )

    assert "rows: 200 final loss: 0.00" in shown
    assert "found again: True" in shown
    _check(tracking_uri)


def _check(uri):
    ws = Workspace("s", "g", "w")
    run = next(iter(ws.experiments["around-the-run"].get_runs()))
    client = ws.service_context.store.client
    stored = client.get_run(run.id)

    assert stored.info.status == "FINISHED"
    assert stored.data.params == {"data": "points", "epochs": "30", "learning-rate": "0.5"}
    assert stored.data.metrics["rows"] == 200
    assert len(client.get_metric_history(run.id, "loss")) == 30
    shown = {key: value for key, value in stored.data.tags.items() if not key.startswith("mlflow.")}
    assert shown["azml.target"] == "cpu-cluster"
    assert shown["azml.environment"] == "train-env"
    assert shown["story"] == "line"
    (given,) = stored.inputs.dataset_inputs
    assert given.dataset.name == "points"
    assert [tag.value for tag in given.tags] == ["points"]
    assert set(run.get_file_names()) == {"azureml-logs/70_driver_log.txt", "outputs/line.json", "user_logs/std_log.txt"}
    model = Model(ws, "line")
    assert model.run_id == run.id
    assert [(scenario, sets[0].name) for scenario, sets in model.datasets.items()] == [("training data", "points")]
    line = json.loads(Path(model.download("model")).read_text())
    assert (round(line["slope"], 1), round(line["offset"], 1)) == pytest.approx((2.0, 1.0), abs=0.25)
    assert Dataset.get_by_name(ws, "points").to_pandas_dataframe().shape == (200, 2)
    assert "cpu-cluster" in ws.compute_targets
    assert "train-env" in ws.environments
