"""Notebooks that are rewritten to plain MLflow: names cross cells, and what is inserted stands in one of them."""

from __future__ import annotations

import json
from pathlib import Path

from azml_compat._migrate.migrating import Task, migrate


def notebook(*cells):
    """Write a notebook of code cells, and return its path."""
    content = {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": 7,
                "metadata": {"tags": ["kept"]},
                "outputs": [],
                "source": cell.splitlines(keepends=True),
            }
            for cell in cells
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = Path("notebook.ipynb")
    path.write_text(json.dumps(content, indent=1))
    return path


def rewritten(*cells):
    """Return the cells of a notebook that is rewritten; a second run must change nothing."""
    path = notebook(*cells)
    outcome = migrate(Task(path, "mlflow", is_written=True))
    assert outcome.failure == ""
    assert not migrate(Task(path, "mlflow", is_written=True)).is_changed
    found = json.loads(path.read_text())["cells"]
    assert all(cell["metadata"] == {"tags": ["kept"]} for cell in found)
    return ["".join(cell["source"]) for cell in found]


def test_cells_are_one_script():
    assert rewritten(
        "%matplotlib inline\nimport os",
        "from azureml.core import Experiment, Workspace",
        "ws = Workspace.from_config()\nprint(ws.name)",
        "exp = Experiment(ws, 'n')\nrun = exp.start_logging()\n!ls\nrun",
        "run.tag('a', 'b')\nrun.flush()",
        "run.complete()\nrun.id",
    )[2:] == [
        "",
        "mlflow.set_experiment('n')\nrun = start_run()\n!ls\nrun",
        "mlflow.set_tag('a', 'b')",
        "mlflow.end_run()\nrun.info.run_id",
    ]


def test_what_is_inserted_stands_in_the_cell_of_the_first_import():
    first, second, third, *_ = rewritten(
        "import os", "x = 1\nfrom azureml.core import Run", "import sys", "run = Run.get_context()\nrun.log('a', x)"
    )

    assert first.endswith("import os")
    assert "def log_value(" in second
    assert second.startswith("x = 1\nimport mlflow\n")
    assert not second.endswith("\n")
    assert third == "import sys"


def test_a_cell_that_is_left_has_a_comment():
    *_, last = rewritten("from azureml.core import Run\nrun = Run.get_context()", "# the end\nother.train(run)")

    assert (
        last == "# the end\n# TODO azml-compat AZ313: a run is given to code that is not in this file\nother.train(run)"
    )
