"""Microsoft's twelve recipes for logging with MLflow instead: what each loses, the rewrite keeps.

The recipes are those of https://learn.microsoft.com/azure/machine-learning/reference-migrate-sdk-v1-mlflow-tracking. A
test has the call for azureml, rewrites it, runs that, and looks at what is in the store.
"""

from __future__ import annotations

import atexit
import json
import sys

import pytest

from tests.migrating import files, migrated, points

_SCRIPT = """\
from azureml.core import Experiment, Workspace

ws = Workspace.from_config()
exp = Experiment(ws, "recipes")
run = exp.start_logging()
{body}
run.complete()
"""


class Recorded:
    """What a rewritten script has recorded."""

    def __init__(self, run_id):
        from mlflow import MlflowClient

        self.client = MlflowClient()
        self.run_id = run_id
        run = self.client.get_run(run_id)
        self.status = run.info.status
        self.params = run.data.params
        self.metrics = points(self.client, run_id)
        self.files = sorted(files(self.client, run_id))

    def json(self, path):
        from pathlib import Path

        return json.loads(Path(self.client.download_artifacts(self.run_id, path)).read_text())


@pytest.fixture
def record(sqlite_uri, monkeypatch):
    """What rewrites statements that use a run, runs them, and returns what they have recorded."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    monkeypatch.setattr(atexit, "register", lambda function: function)
    for name in ("exit", "excepthook"):
        monkeypatch.setattr(sys, name, getattr(sys, name))

    def run(body):
        new = migrated(_SCRIPT.format(body=body))
        assert "azure" not in new
        names = {"__name__": "__main__"}
        exec(compile(new, "script.py", "exec"), names)
        return Recorded(names["run"].info.run_id)

    return run


def test_start_logging_keeps_how_the_run_ended_and_its_name(record):
    found = record("run.display_name = 'first'\nrun.fail()")

    assert found.status == "FAILED"
    assert found.client.get_run(found.run_id).info.run_name == "first"


def test_a_number_that_is_logged_again_and_again_has_a_step_each_time(record):
    # The recipe has no step: 500 calls are 500 points at step 0.
    found = record("for i in range(3):\n    run.log('loss', 1 / (i + 1))\nrun.log('loss', 0.5)")

    assert found.metrics["loss"] == [(0, 1.0), (1, 0.5), (2, 1 / 3), (3, 0.5)]


def test_a_number_with_a_step_keeps_it(record):
    # The recipe does not map `step`.
    found = record("for step in (0, 10, 20):\n    run.log('loss', 0.5, step=step)")

    assert found.metrics["loss"] == [(0, 0.5), (10, 0.5), (20, 0.5)]


def test_a_bool_is_one_or_zero(record):
    # Microsoft's pages contradict each other on which is which.
    found = record("for value in (True, False):\n    run.log('is_best', value)")

    assert found.metrics["is_best"] == [(0, 1.0), (1, 0.0)]


def test_a_string_keeps_its_value(record):
    # The recipe stores the name of the metric as a text, and loses the value.
    found = record("run.log('phase', 'warmup')\nfor x in ('a', 'b', 'a'):\n    run.log('stage', x)")

    assert found.params == {"phase": "warmup"}
    assert found.json("tables/stage.json")["data"] == [[0, "a"], [1, "b"], [2, "a"]]


def test_an_image_file_keeps_its_path(record):
    # The recipe keeps the base name alone, so that two images of one name collide.
    body = (
        "import os\nfrom matplotlib.figure import Figure\nfor folder in ('a', 'b'):\n    os.makedirs(folder)\n"
        "    Figure().savefig(f'{folder}/plot.png')\n    run.log_image('plot', path=f'{folder}/plot.png')"
    )

    assert record(body).files == ["a/plot.png", "b/plot.png"]


def test_a_plot_of_pyplot_is_taken_as_it_is(record):
    # The recipe needs a Figure, so that the code around it has to change.
    body = (
        "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\n"
        "run.log_image('plot', plot=plt)\nplt.close('all')"
    )
    [name] = record(body).files

    assert name.startswith("plot_")
    assert name.endswith(".png")


def test_a_list_keeps_its_order_and_what_is_in_it_twice(record):
    # The recipe gives every element step 0 and one time: of [1, 2, 3, 2, 1] the store keeps 1, 2 and 3.
    found = record("run.log_list('list', [1, 2, 3, 2, 1, 2, 3, 2, 1])\nrun.log_list('mixed', [1, 'two', 1])")

    assert found.metrics["list"] == list(enumerate([1, 2, 3, 2, 1, 2, 3, 2, 1]))
    assert found.json("tables/mixed.json")["data"] == [[0, 1], [1, "two"], [2, 1]]


def test_rows_can_be_put_together_again(record):
    # The recipe gives each row step 0, has no text, and no table.
    found = record("for i in range(3):\n    run.log_row('scores', fold='abc'[i], accuracy=0.5)")

    assert found.metrics == {"scores.accuracy": [(0, 0.5), (1, 0.5), (2, 0.5)]}
    assert found.json("tables/scores.json") == {
        "columns": ["fold", "accuracy"],
        "data": [["a", 0.5], ["b", 0.5], ["c", 0.5]],
    }


def test_a_table_is_one_with_its_texts(record):
    # The recipe logs numbers alone, and a file of another content to the current directory.
    found = record("run.log_table('t', {'x': [1, 2], 'city': ['Brno', 'Praha']})")

    assert found.metrics == {"t.x": [(0, 1.0), (1, 2.0)]}
    assert found.json("tables/t.json") == {"columns": ["x", "city"], "data": [[1, "Brno"], [2, "Praha"]]}


@pytest.mark.parametrize("call", ["log_accuracy_table", "log_confusion_matrix", "log_predictions", "log_residuals"])
def test_a_json_metric_is_an_object_whether_it_is_given_as_one_or_as_text(record, call):
    # The four recipes give MLflow a text, which writes JSON with a string of JSON in it.
    found = record(
        f"run.{call}('object', {{'data': [1]}})\nimport json\nrun.{call}('text', json.dumps({{'data': [1]}}))"
    )

    assert found.json("object") == found.json("text") == {"data": [1]}
