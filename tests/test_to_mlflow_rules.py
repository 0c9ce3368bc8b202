"""What becomes of each tracking call in a script that is rewritten to plain MLflow, as text."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis.strategies import data, lists, sampled_from

from tests.migrating import marks, migrated, own_part, rewritten

PLAIN = {
    "a module that does not know azureml": "import mlflow\n\nmlflow.log_metric('a', 1)\n",
    "a logger": "import logging\n\nlogging.getLogger().log(10, 'x')\n",
    "a run of the script's own": "class Run:\n    def log(self, name, value): ...\n\n\nRun().log('a', 1)\n",
    "math.log": "import math\n\nmath.log(2)\n",
    "a name that is shadowed": "from azureml.core import Run\n\n\ndef main(Run):\n    Run.get_context().log('a', 1)\n",
    "another package's Run": "from wandb import Run\n\nRun.get_context().log('a', 1)\n",
    "nothing": "",
}


@pytest.mark.parametrize("script", PLAIN.values(), ids=PLAIN)
def test_what_is_not_azureml_s_is_left_alone(script):
    assert migrated(script) == script
    assert marks(script) == []


CALLS = [
    # numbers and texts that are known, and logged once
    ('run.log("accuracy", 0.91)', 'mlflow.log_metric("accuracy", 0.91, step=0)'),
    ('run.log("lr", -1)', 'mlflow.log_metric("lr", -1, step=0)'),
    ("run.log('rows', len(rows))", "mlflow.log_metric('rows', len(rows), step=0)"),
    ('run.log("best", True)', 'mlflow.log_metric("best", True, step=0)'),
    ('run.log(name="pi", value=3.14, description="ratio")', 'mlflow.log_metric("pi", 3.14, step=0)'),
    ('run.log("loss", 0.5, step=7)', 'mlflow.log_metric("loss", 0.5, step=7)'),
    ('run.log("phase", "warmup")', 'mlflow.log_param("phase", "warmup")'),
    ('run.log("phase", f"{x}")', 'mlflow.log_param("phase", f"{x}")'),
    ('run.log("nothing", None)', 'mlflow.log_param("nothing", None)'),
    # values and names that are not known
    ('run.log("loss", loss)', 'log_value("loss", loss)'),
    ('run.log("loss", 1e999)', 'log_value("loss", 1e999)'),
    ('run.log("z", -0.0)', 'log_value("z", -0.0)'),
    ('run.log(name="loss", value=loss)', 'log_value(name="loss", value=loss)'),
    ('run.log("loss", loss, step=epoch)', 'log_value("loss", loss, step=epoch)'),
    ('run.log("loss", loss, "train")', 'log_value("loss", loss)'),
    ('run.log("loss", loss, "train", 3)', 'log_value("loss", loss, step=3)'),
    ("run.log(name, 1)", "log_value(name, 1)"),
    ('run.log("loss (train)", 0.5)', 'log_value("loss (train)", 0.5)'),
    ('run.log("a", 1)\nrun.log("a", 2)', 'log_value("a", 1)\nlog_value("a", 2)'),
    ("for x in y:\n    run.log('a', 1)", "for x in y:\n    log_value('a', 1)"),
    ("for i in range(9):\n    run.log('a', 1)", "for i in range(9):\n    mlflow.log_metric('a', 1, step=i)"),
    ("for i in range(9):\n    run.log('a', x)", "for i in range(9):\n    log_value('a', x)"),
    ("for i in range(9):\n    run.log('a', 'x')", "for i in range(9):\n    log_value('a', 'x')"),
    ("run.log('a', 1)\nprint(run.get_metrics())", "log_value('a', 1)\nprint(get_metrics())"),
    ("run.log('a', 1)\nrun.log(name, 2)", "log_value('a', 1)\nlog_value(name, 2)"),
    # the text between the parentheses stays as it is
    ('run.log("a",  # the name\n        f(x),\n        )', 'log_value("a",  # the name\n        f(x),\n        )'),
    ("run.log('a', (x))", "log_value('a', (x))"),
    ("(run.log)('a', x)", "log_value('a', x)"),
    # lists, rows, tables
    (
        'run.log_list("l", [1, 1])',
        'for step, value in enumerate([1, 1]):\n    mlflow.log_metric("l", value, step=step)',
    ),
    (
        'if x:\n  run.log_list("l", [1], "d")',
        'if x:\n  for step, value in enumerate([1]):\n      mlflow.log_metric("l", value, step=step)',
    ),
    ('if x: run.log_list("l", [1])', 'if x: log_list("l", [1])'),
    ('value = 1\nrun.log_list("l", [1])', 'value = 1\nlog_list("l", [1])'),
    ('for x in y:\n    run.log_list("l", [1])', 'for x in y:\n    log_list("l", [1])'),
    ('run.log_list("l (x)", [1])', 'log_list("l (x)", [1])'),
    ('run.log_list("l", [1, "a"])', 'log_list("l", [1, "a"])'),
    ('run.log_list("l", [])', 'log_list("l", [])'),
    ('run.log_list(name="l", value=x, description="d")', 'log_list("l", x)'),
    ('run.log_row("r", x=1, y="a")', 'log_row("r", x=1, y="a")'),
    ('run.log_row("r", "described", x=1)', 'log_row("r", x=1)'),
    ('run.log_row(name="r", x=1, **more)', 'log_row("r", x=1, **more)'),
    ('run.log_table("t", {"x": [1, 2]})', 'log_table("t", {"x": [1, 2]})'),
    # images
    ('run.log_image("i", path="plots/a.png")', 'mlflow.log_artifact("plots/a.png", "plots")'),
    ('run.log_image("i", "a.png")', 'mlflow.log_artifact("a.png")'),
    ('run.log_image("i", path)', "log_file(path, path)"),
    ('run.log_image("i", plot=plt)', 'log_plot("i", plt)'),
    ('run.log_image("i", None, figure)', 'log_plot("i", figure)'),
    # JSON metrics
    ('run.log_confusion_matrix("cm", {"a": 1})', 'mlflow.log_dict({"a": 1}, "cm")'),
    ('run.log_residuals("r", value)', 'log_json("r", value)'),
    ('run.log_predictions("./p", {})', 'mlflow.log_dict({}, "p")'),
    ('run.log_accuracy_table(name, {})', "log_json(name, {})"),
    ('run.log_accuracy_table("a.yaml", {})', 'log_json("a.yaml", {})'),
    # tags and properties
    ('run.tag("team", "vision")', 'mlflow.set_tag("team", "vision")'),
    ('run.tag("done")', 'mlflow.set_tag("done", "")'),
    ('run.tag("done", None)', 'mlflow.set_tag("done", "")'),
    ('run.tag("epochs", str(n))', 'mlflow.set_tag("epochs", str(n))'),
    ('run.tag("a@b", "x")', 'mlflow.set_tag("a_x40_b", "x")'),
    ('run.tag("epochs", n)', 'set_tag("epochs", n)'),
    ("run.tag(key, 'x')", "set_tag(key, 'x')"),
    ('run.set_tags({"a": "1", "b": "2"})', 'mlflow.set_tags({"a": "1", "b": "2"})'),
    ('run.set_tags({"a": None})', 'set_tags({"a": None})'),
    ("run.set_tags(tags)", "set_tags(tags)"),
    ('run.add_properties({"author": "me"})', 'mlflow.set_tags({"property.author": "me"})'),
    ("run.add_properties(found)", "add_properties(found)"),
    ('run.remove_tags(["a"])', 'remove_tags(["a"])'),
    ('run.display_name = "x"', 'mlflow.set_tag("mlflow.runName", "x")'),
    ('run.description = "x"', 'mlflow.set_tag("mlflow.note.content", "x")'),
    # files
    ('run.upload_file("models/m.pkl", "m.pkl")', 'mlflow.log_artifact("m.pkl", "models")'),
    ('run.upload_file("./m.pkl", "m.pkl")', 'mlflow.log_artifact("m.pkl")'),
    ('run.upload_file("model.pkl", "m.pkl")', 'log_file("model.pkl", "m.pkl")'),
    ('run.upload_file("a#b.txt", path)', 'log_file("a_x23_b.txt", path)'),
    ("run.upload_file(name=name, path_or_stream=path)", "log_file(name, path)"),
    ('run.upload_folder("data", path="plots")', 'mlflow.log_artifacts("plots", "data")'),
    ("run.upload_files(names, paths)", "log_files(names, paths)"),
    ("names = run.get_file_names()", "names = get_file_names()"),
    ("run.download_file('a', 'b')", "download_file('a', 'b')"),
    ("run.download_files(prefix='a')", "download_files(prefix='a')"),
    ("run.download_files('a', 'b', timeout_seconds=9)", "download_files('a', 'b')"),
    ("run.register_model('m', model_path='o/m.pkl')", "register_model('m', model_path='o/m.pkl')"),
    ("run.register_model(model_name='m', datasets=None)", "register_model('m')"),
    ("m = run.register_model('m')\nprint(m.id)", "m = register_model('m')\nprint(f\"{m.name}:{m.version}\")"),
    ("m = run.register_model('m')\nprint(m.name, m)", "m = register_model('m')\nprint(m.name, m)"),
    # reading
    ("print(run.id)", "print(run.info.run_id)"),
    ("print(run._run_id)", "print(run.info.run_id)"),
    ("print(run.get_status())", "print(get_status(run.info.run_id))"),
    ("print(run.status)", "print(get_status(run.info.run_id))"),
    ('print(run.get_details()["status"])', "print(get_status(run.info.run_id))"),
    ("run.get_details()", "mlflow.get_run(run.info.run_id).to_dictionary()"),
    ("print(run.get_metrics('a'))", "print(get_metrics('a'))"),
    ("tags = run.get_tags()", "tags = get_tags()"),
    ("tags = run.tags", "tags = get_tags()"),
    ("properties = run.get_properties()", "properties = get_properties()"),
    ("print(run.experiment.name)", "print(mlflow.get_experiment(run.info.experiment_id).name)"),
    ("print(run.name)", 'print(f"run_{run.info.run_id}")'),
    ("up = run.parent", "up = mlflow.get_parent_run(run.info.run_id)"),
    ("print(run)", "print(run)"),
    ("from azureml.core.run import _OfflineRun\nx = isinstance(run, _OfflineRun)", "x = False"),
    ("from azureml.core.run import _OfflineRun\nx = type(run) != _OfflineRun", "x = True"),
    # in f-strings, also of Python 3.10
    ('print(f"{run.id} {x}")', 'print(f"{run.info.run_id} {x}")'),
    ('print(f"{run.name}")', "print(f\"{f'run_{run.info.run_id}'}\")"),
    ("print(f'{run.name}')", "print(f'{f\"run_{run.info.run_id}\"}')"),
    ('print(f"""\n{run.name}""")', 'print(f"""\n{f"run_{run.info.run_id}"}""")'),
    # ends
    ("run.complete()", "mlflow.end_run()"),
    ('run.fail("no", error_code="E")', 'mlflow.end_run("FAILED")'),
    ("run.cancel()", 'mlflow.end_run("KILLED")'),
    ("run.log('a', x)\nrun.complete()", "log_value('a', x)\nend_run()"),
    ("run.log('a', x)\nrun.fail()", "log_value('a', x)\nend_run(\"FAILED\")"),
    ("if x:\n    run.flush()", "if x:\n    pass"),
    ("run.flush()\nx = 1", "x = 1"),
    # after its end, and where another may be active, a call says its run
    ("run.complete()\nrun.tag('a', 'b')", "mlflow.end_run()\nmlflow.MlflowClient().set_tag(run.info.run_id, 'a', 'b')"),
    ("run.complete()\nrun.log('a', 1)", "mlflow.end_run()\nmlflow.log_metric('a', 1, step=0, run_id=run.info.run_id)"),
    ("for x in y:\n    run.tag('a', 'b')\n    if x:\n        run.complete()", "for x in y:\n"
     "    mlflow.MlflowClient().set_tag(run.info.run_id, 'a', 'b')\n    if x:\n        mlflow.end_run()"),
    # calls within calls
    ("run.log('n', len(run.get_file_names()))", "mlflow.log_metric('n', len(get_file_names()), step=0)"),
    ("run.tag('id', str(run.id))", "mlflow.set_tag('id', str(run.info.run_id))"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after"), CALLS, ids=[before for before, _ in CALLS])
def test_a_call_becomes_what_records_the_same(before, after):
    assert rewritten(before) == after


@pytest.mark.parametrize("before", [before for before, _ in CALLS])
def test_a_second_run_changes_nothing(before):
    once = migrated(f"from azureml.core import Run\n\nrun = Run.get_context()\n{before}\n")

    assert "azureml" not in own_part(once)
    assert migrated(once) == once


UNSAFE = [
    ('run.log("loss", loss)', 'mlflow.log_metric("loss", loss, step=0)'),
    ("for e in x:\n    run.log('loss', f(e), step=e)", "for e in x:\n    mlflow.log_metric('loss', f(e), step=e)"),
    ('run.tag("epochs", n)', 'mlflow.set_tag("epochs", n)'),
    ("for e in x:\n    run.log('loss', f(e))", "for e in x:\n    log_value('loss', f(e))"),
    ("for e in range(9):\n    run.log('a', f())", "for e in range(9):\n    mlflow.log_metric('a', f(), step=e)"),
    (
        "for e, x in enumerate(y):\n    run.log('a', x)",
        "for e, x in enumerate(y):\n    mlflow.log_metric('a', x, step=e)",
    ),
    ("for e in range(1, 9):\n    run.log('a', f())", "for e in range(1, 9):\n    log_value('a', f())"),
    ("for e in range(9):\n    e += 1\n    run.log('a', e)", "for e in range(9):\n    e += 1\n    log_value('a', e)"),
    (
        "for e in range(9):\n    if e:\n        run.log('a', e)",
        "for e in range(9):\n    if e:\n        log_value('a', e)",
    ),
    (
        "for e in range(9):\n    if f():\n        continue\n    run.log('a', e)",
        "for e in range(9):\n    if f():\n        continue\n    log_value('a', e)",
    ),
    (
        "for x in y:\n    for e in range(9):\n        run.log('a', e)",
        "for x in y:\n    for e in range(9):\n        log_value('a', e)",
    ),
]


@pytest.mark.parametrize(("before", "after"), UNSAFE)
def test_plainer_code_that_assumes_something_is_made_on_demand(before, after):
    assert rewritten(before, is_unsafe=True) == after


def test_imports_go_and_come():
    script = (
        "import os\n\nfrom azureml.core import Experiment, Workspace\nfrom azureml.core.run import Run\n\n"
        "Run.get_context().log('a', 1)\n"
    )
    new = migrated(script)

    assert "azureml" not in new
    assert new.index("import mlflow\n") < new.index("def current_run")
    assert own_part(new) == "mlflow.log_metric('a', 1, step=0, run_id=current_run().info.run_id)"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import os, azureml.core\nazureml.core.Run.get_context()", "import os\n"),
        ("import azureml.core as ac, os as o\nac.Run.get_context()", "import os as o\n"),
        ("from azureml.core import (\n    Run,\n    VERSION,\n)\nRun.get_context()\nx = VERSION", "(\n    VERSION,\n)"),
        ("from azureml.core import *\nRun.get_context()", "import mlflow\n"),
        ("from collections.abc import Callable\nfrom azureml.core import Run\nRun.get_context()", "import Callable\n"),
    ],
)
def test_of_an_import_the_rest_stays(before, after):
    new = migrated(f"{before}\n")

    assert after in new
    assert new.count("import Callable") == 1
    assert "Run" not in own_part(new)


def test_what_the_pieces_import_is_there_before_they_are_used():
    new = migrated("from azureml.core import Run\n\nrun = Run.get_context()\nopen('outputs/a', 'w')\nimport os\n")

    assert new.index("import os\n") < new.index("def keep_outputs(") < new.index("run = ")
    assert new.endswith("\nimport os\n")


def test_a_name_of_the_script_s_own_is_not_taken():
    script = (
        "from time import time\nfrom azureml.core import Run\n\n\ndef log_value(x):\n    return x\n\n\n"
        "run = Run.get_context()\nrun.log('a', log_value(time()))\n"
    )
    new = migrated(script)

    assert "mlflow_log_value('a', log_value(time()))" in new
    assert "def mlflow_log_value(" in new
    assert "import time as _time" in new
    assert "_time.time()" in new


def test_the_workspace_of_an_experiment_goes():
    script = (
        "from azureml.core import Workspace, Experiment\nimport azureml.core\n\n"
        'print("SDK version:", azureml.core.VERSION)\nws = Workspace.from_config()\n'
        'print(ws.name, ws.location, sep="\\n")\nexp = Experiment(workspace=ws, name="iris")\n'
        'run = exp.start_logging()\nrun.tag("a", "b")\nrun.complete()\n'
    )

    assert own_part(migrated(script)) == (
        'mlflow.set_experiment("iris")\nrun = start_run()\nmlflow.set_tag("a", "b")\nmlflow.end_run()'
    )


@pytest.mark.parametrize("given", ["auth=auth", "", "'config.json', auth"])
def test_an_authentication_that_is_for_the_workspace_goes_with_it(given):
    script = (
        "from azureml.core import Experiment, Workspace\n"
        "from azureml.core.authentication import ServicePrincipalAuthentication\n\n"
        f"auth = ServicePrincipalAuthentication('t', 'i', 'p')\nws = Workspace.from_config({given})\nprint(ws.name)\n"
        "run = Experiment(ws, 'iris').start_logging()\nrun.tag('a', 'b')\nrun.complete()\n{}"
    )
    new = migrated(script.format(""))

    assert "azureml" not in new
    assert own_part(new).splitlines()[0].startswith("run = start_run(")
    assert "auth = ServicePrincipal" in migrated(script.format("print(auth.get_authentication_header())\n"))


def test_a_block_is_the_run_s():
    script = (
        "from azureml.core import Workspace, Experiment\n\n"
        'with Experiment(Workspace.from_config(), "n").start_logging(display_name="first") as run:\n'
        '    run.tag("a", "b")\n    with run.child_run("c") as child:\n        child.tag("d", "e")\n'
        '        run.tag("f", "g")\n    run.tag("h", "i")\nrun.tag("j", "k")\n'
    )

    assert own_part(migrated(script)) == (
        'with mlflow.start_run(experiment_id=mlflow.set_experiment("n").experiment_id, run_name="first") as run:\n'
        '    mlflow.set_tag("a", "b")\n'
        '    with mlflow.start_run(run_name="c", nested=True) as child:\n'
        '        mlflow.set_tag("d", "e")\n'
        '        mlflow.MlflowClient().set_tag(run.info.run_id, "f", "g")\n'
        '    mlflow.set_tag("h", "i")\n'
        'mlflow.MlflowClient().set_tag(run.info.run_id, "j", "k")'
    )


def test_of_several_runs_each_call_says_its_own():
    script = (
        "from azureml.core import Workspace, Experiment\n\n"
        'exp = Experiment(Workspace.from_config(), "n")\n'
        "a = exp.start_logging()\nb = exp.start_logging(name='b')\n"
        'a.tag("x", "1")\nb.log("y", 1)\na.complete()\nb.complete()\n'
    )

    assert own_part(migrated(script)) == (
        'exp = mlflow.set_experiment("n")\n'
        "a = create_run(exp.experiment_id)\nb = create_run(exp.experiment_id, name='b')\n"
        'mlflow.MlflowClient().set_tag(a.info.run_id, "x", "1")\n'
        'mlflow.log_metric("y", 1, step=0, run_id=b.info.run_id)\n'
        "end_run(run_id=a.info.run_id)\nend_run(run_id=b.info.run_id)"
    )


def test_runs_one_after_the_other_are_the_active_one_in_turn():
    script = (
        "from azureml.core import Workspace, Experiment\n\n"
        'exp = Experiment(Workspace.from_config(), "n")\n'
        'run = exp.start_logging()\nrun.tag("a", "1")\nrun.complete()\nprint(run.id)\n'
        "run = exp.start_logging()\nif x:\n    run.tag('b', '2')\nrun.complete()\n"
    )

    assert own_part(migrated(script)) == (
        'mlflow.set_experiment("n")\n'
        'run = start_run()\nmlflow.set_tag("a", "1")\nmlflow.end_run()\nprint(run.info.run_id)\n'
        "run = start_run()\nif x:\n    mlflow.set_tag('b', '2')\nmlflow.end_run()"
    )


def test_a_run_that_is_made_in_a_loop_and_ended_in_it_is_the_active_one():
    script = (
        "from azureml.core import Workspace, Experiment\n\n"
        'exp = Experiment(Workspace.from_config(), "n")\n'
        "for x in y:\n    run = exp.start_logging()\n    run.log('x', 1)\n    run.complete()\n"
    )

    assert own_part(migrated(script)) == (
        'mlflow.set_experiment("n")\n'
        "for x in y:\n    run = start_run()\n    mlflow.log_metric('x', 1, step=0)\n    mlflow.end_run()"
    )


def test_functions_of_the_script_take_the_run():
    script = (
        "from azureml.core import Run\n\n\ndef train(run: Run, x) -> None:\n    run.log('x', x)\n\n\n"
        "if __name__ == '__main__':\n    run = Run.get_context()\n    train(run, 1)\n"
    )

    assert own_part(migrated(script)) == (
        "def train(run: mlflow.entities.Run, x) -> None:\n    log_value('x', x)\n"
        "if __name__ == '__main__':\n    run = current_run()\n    train(run, 1)"
    )


def test_a_block_of_a_run_that_was_started_before_ends_it():
    script = "from azureml.core import Run\n\nrun = Run.get_context()\nwith run:\n    run.log('a', x)\n"

    assert own_part(migrated(script)) == "run = current_run()\nwith ending(run):\n    log_value('a', x)"


def test_a_class_in_quotes_is_one_as_well():
    script = 'from azureml.core import Run\n\n\ndef f(run: "Run") -> "Run":\n    return run\n\n\nf(Run.get_context())\n'

    assert 'def f(run: "mlflow.entities.Run") -> "mlflow.entities.Run":' in migrated(script)


def test_of_an_attempt_to_get_a_workspace_nothing_is_left():
    script = (
        "from azureml.core import Experiment, Workspace\n\ntry:\n    ws = Workspace.from_config()\n"
        "    print('found', ws.name)\nexcept Exception:\n    ws = Workspace.create(name='x')\n"
        "Experiment(ws, 'n').start_logging()\n"
    )

    assert own_part(migrated(script)) == "start_run(experiment_id=mlflow.set_experiment('n').experiment_id)"


def test_an_exit_from_a_block_is_no_failure():
    script = (
        "import sys\nfrom azureml.core import Experiment, Workspace\n\nexp = Experiment(Workspace.from_config(), 'n')\n"
        "with exp.start_logging() as run:\n    sys.exit(0)\n"
    )

    assert "with ending(mlflow.start_run()) as run:" in migrated(script)


def test_files_of_the_outputs_folder_are_stored_at_the_end():
    script = (
        "from azureml.core import Run\n\nrun = Run.get_context()\nopen('outputs/a.txt', 'w').close()\nrun.complete()\n"
    )
    new = migrated(script)

    assert "def log_outputs(" in new
    assert own_part(new).endswith("end_run()")
    assert "log_outputs" not in migrated(script.replace("outputs/", ""))


_SECTIONS = re.findall(
    r"^### (AZ3\d\d):.*?\n(.*?)(?=^### |\Z)",
    (Path(__file__).parents[1] / "docs" / "migrating.md").read_text("utf-8"),
    re.DOTALL | re.MULTILINE,
)
_DIFFS = [
    pytest.param(diff, id=f"{rule}-{number}")
    for rule, text in _SECTIONS
    for number, diff in enumerate(re.findall(r"(?:(--unsafe)[^\n]*\n\n)?```diff\n(.*?)```", text, re.DOTALL))
]


@pytest.mark.parametrize("diff", _DIFFS)
def test_the_docs_show_what_is_made(diff):
    lines = diff[1].splitlines()
    before = [line[1:] for line in lines if not line.startswith("+")]
    after = [line[1:] for line in lines if not line.startswith("-")]
    head = ["from azureml.core import Experiment, Run, Workspace", "import helpers"]
    start = [
        "ws = Workspace.from_config()",
        'exp = Experiment(ws, "iris")',
        "run = exp.start_logging()",
        *(["exp.name"] if "AZ314" in diff[1] else []),
    ]
    joined = "\n".join(before)
    if "Workspace" in joined:
        start = []
        after = [*after, "run = start_run()"]
        before = [*before, "run = exp.start_logging()"]
    elif "start_logging" in joined:
        del start[2]
    new = migrated("\n".join([*head, *start, *before, ""]), is_unsafe=diff[0] == "--unsafe")

    assert own_part(new).endswith("\n".join(line for line in after if line.strip()))


@settings(deadline=None, max_examples=20, derandomize=True)
@given(data())
def test_of_any_script_the_result_parses_and_a_second_run_changes_nothing(draw):
    def block(depth):
        lines = []
        for kind in draw.draw(
            lists(sampled_from(["call", *_BLOCKS] if depth < 3 else ["call"]), min_size=1, max_size=4)
        ):
            if kind == "call":
                lines += draw.draw(sampled_from([before for before, _ in CALLS])).split("\n")
            else:
                lines += [*kind.split("\n"), *(f"    {line}" for line in block(depth + 1))]
        return lines

    start = draw.draw(sampled_from(_STARTS))
    script = "\n".join(["from azureml.core import Experiment, Run, Workspace", *start, *block(0), ""])
    ast.parse(script)
    for is_unsafe in (False, True):
        new = migrated(script, is_unsafe=is_unsafe)
        ast.parse(new)
        assert migrated(new, is_unsafe=is_unsafe) == new
        assert ("azureml" in own_part(new)) == bool(marks(script)) or "mlflow" not in own_part(new)


_EXPERIMENT = "exp = Experiment(Workspace.from_config(), 'n')"
_STARTS = (
    ["run = Run.get_context()"],
    [_EXPERIMENT, "run = exp.start_logging()"],
    [_EXPERIMENT, "run = exp.start_logging(outputs='o')", "other = exp.start_logging()"],
    [_EXPERIMENT, "run = exp.start_logging()", "run = run.child_run()"],
)
_BLOCKS = (
    *(
        "if x:",
        "for x in y:",
        "while x:",
        "try:\n    pass\nfinally:",
        "def f(x):",
        "def g(run):",
        "class A:",
        "with run:",
    ),
    *(
        "with run.child_run() as run:",
        "with run.child_run('c') as child, child.child_run() as run:",
        "f(run); g(run)\nif x:",
    ),
)


LEFT = {
    "other code": ("import other\nother.train(run)\nrun.tag('a', 'b')", "AZ313"),
    "a method of another object": ("model.fit(run)\nrun.tag('a', 'b')", "AZ313"),
    "a container": ("runs = []\nruns.append(run)\nrun.tag('a', 'b')", "AZ313"),
    "a place in a dict": ("runs['a'] = run\nrun.tag('a', 'b')", "AZ313"),
    "another object": ("config.run = run\nrun.tag('a', 'b')", "AZ313"),
    "a function that others call": ("def get():\n    return Run.get_context()", "AZ313"),
    "a run of others": ("def train(run: Run):\n    run.log('a', 1)", "AZ313"),
    "a list": ("runs = [run, run]", "AZ313"),
    "a pair that others get": ("def get():\n    run = Run.get_context()\n    return 1, run", "AZ313"),
    "a choice that others get": ("def get(name):\n    return run if name else None", "AZ313"),
    "a pair that is kept": ("pair = 1, run\nuse(pair)", "AZ313"),
    "a generator's": ("@contextmanager\ndef tracked():\n    yield Run.get_context()", "AZ313"),
    "an argument from elsewhere": ("def f(run: Run):\n    run.log('a', 1)\nf(helper.current())", "AZ313"),
    "the same in quotes": ("def f(run: 'Run' = None):\n    run = run or Run.get_context()\n    run.tag('a')", "AZ313"),
    "an object of a framework": (
        "class C(Callback):\n    def __init__(self, run: Run):\n        super().__init__()\n        self.run = run",
        "AZ313",
    ),
    "a field": ("@dataclass\nclass Reporter:\n    run: Run\n    def go(self):\n        self.run.log('a', 1)", "AZ313"),
    "a variable from elsewhere": ("other: Run = helper.current()\nother.log('a', 1)", "AZ313"),
    "a result from elsewhere": ("def get() -> Run:\n    return helper.current()\nget().log('a', 1)", "AZ313"),
    "what is perhaps one": ("other = helper.current()\nprint(isinstance(other, Run))\nrun.tag('a', 'b')", "AZ313"),
    "a class of several": ("print(isinstance(run, (Run, int)))\nrun.tag('a', 'b')", "AZ313"),
    "a property": (
        "class T:\n    @property\n    def run(self):\n        return Run.get_context()\n"
        "    def go(self):\n        self.run.log('a', 1)\nT().go()",
        "AZ313",
    ),
    "experiments of the workspace": (
        "for run in run.experiment.workspace.experiments['e'].get_runs(): run.id",
        "AZ314",
    ),
    "the workspace": ("ws = run.experiment.workspace\nrun.tag('a', 'b')", "AZ314"),
    "a member without equivalent": ("run.number\nrun.tag('a', 'b')", "AZ314"),
    "arguments that are not understood": ("run.log(*pair)\nrun.tag('a', 'b')", "AZ302"),
    "a guess": ("run.log_image('a', x, y)\nrun.tag('a', 'b')", "AZ305"),
    "metrics of descendants": ("run.get_metrics(recursive=True)\nrun.tag('a', 'b')", "AZ310"),
    "a model with its datasets": ("run.register_model('m', datasets=[('training', d)])\nrun.tag('a', 'b')", "AZ315"),
    "the address of a model": ("m = run.register_model('m')\nprint(m.url)", "AZ315"),
    "a model that is given away": ("deploy(run.register_model('m'))", "AZ315"),
    "runs of MLflow's": ("import mlflow\nwith mlflow.start_run():\n    run.tag('a', 'b')", "AZ313"),
}


@pytest.mark.parametrize(("body", "rule"), LEFT.values(), ids=LEFT)
def test_what_is_not_understood_is_marked_and_no_run_is_half_rewritten(body, rule):
    script = f"from azureml.core import Run\n\nrun = Run.get_context()\n{body}\n"
    new = migrated(script)

    assert rule in {mark.rule for mark in marks(script)}
    assert [line for line in new.split("\n") if "# TODO azml-compat" not in line] == script.split("\n")
    assert f"# TODO azml-compat {rule}: " in new
    assert migrated(new) == new
    assert ast.parse(new)


def test_experiments_of_a_workspace_are_left():
    script = "from azureml.core import Workspace\nexp = Workspace.from_config().experiments['e']\nprint(exp.name)\n"

    assert {mark.rule for mark in marks(script)} == {"AZ314"}
    assert "mlflow" not in migrated(script)


TAKEN = {
    "a variable": ("run = Run.get_context()\nrun.log('a', 1)", "run"),
    "what a function gives": ("def get():\n    return Run.get_context()\nget().log('a', 1)", "get"),
    "an attribute": ("class T:\n    def __init__(self):\n        self.run = Run.get_context()\nT()", ".run"),
}


@pytest.mark.parametrize(("body", "name"), TAKEN.values(), ids=TAKEN)
def test_what_other_files_use_is_left(body, name):
    script = f"from azureml.core import Run\n{body}\n"

    assert "AZ313" not in {mark.rule for mark in marks(script)}
    assert "AZ313" in {mark.rule for mark in marks(script, taken=[name])}


MENTIONED = {
    "an exception that is caught": "try:\n    g()\nexcept UserErrorException:\n    pass",
    "an exception that is raised": "raise UserErrorException('why')",
    "an annotation": "def f(data: Dataset):\n    pass",
    "an annotation with the module": "def f(data: core.Dataset):\n    pass",
    "a test": "print(isinstance(data, Dataset))",
    "a constant": "print(DEFAULT_CPU_IMAGE)",
}


@pytest.mark.parametrize("body", MENTIONED.values(), ids=MENTIONED)
def test_what_keeps_an_import_of_azureml_is_marked(body):
    script = (
        "import azureml.core as core\nfrom azureml.core import Dataset, Run\n"
        "from azureml.core.runconfig import DEFAULT_CPU_IMAGE\nfrom azureml.exceptions import UserErrorException\n"
        f"run = Run.get_context()\n{body}\nrun.tag('a', 'b')\n"
    )
    new = migrated(script)

    assert [mark.rule for mark in marks(script)] == ["AZ314"]
    assert new.count("# TODO azml-compat AZ314: ") == 1
    assert "mlflow.set_tag('a', 'b')" in new
    assert migrated(new) == new


REPEATED = {
    "a function that others call": "def f():\n    run = Run.get_context()\n    run.log('a', 1)",
    "a function that is called twice": "def f():\n    run = Run.get_context()\n    run.log('a', 1)\nf()\nf()",
    "a loop in such a function": (
        "def f():\n    run = Run.get_context()\n    for i in range(2):\n        run.log('a', 1)\nf()\nf()"
    ),
}


@pytest.mark.parametrize("body", REPEATED.values(), ids=REPEATED)
@pytest.mark.parametrize("is_unsafe", [False, True])
def test_what_is_logged_to_the_run_of_the_script_by_each_call_has_a_step_of_its_own(body, is_unsafe):
    new = own_part(migrated(f"from azureml.core import Run\n{body}\n", is_unsafe=is_unsafe))

    assert "log_value('a', 1)" in new


LATER = {
    "a function": ("def late():\n    run.tag('a', 'b')\nrun.complete()\nlate()", True),
    "a function of a function": ("def late():\n    run.tag('a', 'b')\ndef f():\n    late()\nrun.complete()\nf()", True),
    "a function that others call": ("def late():\n    run.tag('a', 'b')\nrun.complete()", True),
    "a hook": ("hook = lambda: run.tag('a', 'b')\nrun.complete()", True),
    "an exit hook": ("atexit.register(lambda: run.tag('a', 'b'))\nrun.complete()", True),
    "a function before": ("def f():\n    run.tag('a', 'b')\nf()\nrun.complete()", False),
    "a key before": ("sorted(x, key=lambda y: run.tag('a', 'b'))\nrun.complete()", False),
    "an object before": (
        "class C(Callback):\n    def end(self):\n        run.tag('a', 'b')\nfit(C())\nrun.complete()",
        False,
    ),
}


@pytest.mark.parametrize(("body", "says_run"), LATER.values(), ids=LATER)
def test_what_may_come_after_the_end_says_its_run(body, says_run):
    new = rewritten(body)

    assert ("run.info.run_id" in new) == says_run
    assert ("mlflow.set_tag('a', 'b')" in new) != says_run


def test_comments_within_a_call_stand_above_it():
    body = "if x:\n    run.log(\n        'loss',  # the name\n        0.5,  # the value\n    )  # after"

    assert rewritten(body) == (
        "if x:\n    # the name\n    # the value\n    mlflow.log_metric('loss', 0.5, step=0)  # after"
    )


def test_names_that_another_module_may_bring_are_not_taken():
    script = (
        "from azureml.core import Run\nfrom utils import *\n\nrun = Run.get_context()\nrun.log('a', log_value(x))\n"
    )

    assert "mlflow_log_value('a', log_value(x))" in migrated(script)


def test_what_has_no_equivalent_is_marked_beside_what_is_rewritten():
    script = (
        "from azureml.core import Dataset, Run, Workspace\n\nrun = Run.get_context()\nws = Workspace.from_config()\n"
        "if True:\n    data = Dataset.get_by_name(ws, 'd').to_pandas_dataframe()\nrun.log('rows', len(data))\n"
    )
    new = migrated(script)

    assert "mlflow.log_metric('rows', len(data), step=0)" in new
    assert (
        "    # TODO azml-compat AZ314: `Dataset.get_by_name`: read the files of a dataset by their path\n    data"
        in new
    )
    assert "from azureml.core import Dataset, Workspace\n" in new
    assert migrated(new) == new
