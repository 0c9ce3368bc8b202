"""`azml-compat verify` sees every difference between what two scripts record, and none where there is none."""

from __future__ import annotations

import io
import json
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient

from azml_compat import Experiment, Workspace
from azml_compat._cli import main
from azml_compat._verify import running
from azml_compat._verify.comparing import Difference, compare, same_series
from azml_compat._verify.reading import content_of
from azml_compat._verify.records import Content, Point, Recorded, Table
from azml_compat._verify.running import CannotRunError, copy_folder

# -- comparing: a pure function ------------------------------------------------------------------------------------

NAMES = st.text("ab/. é", min_size=1, max_size=3)
POINTS = st.builds(Point, st.integers(-2, 3), st.floats())
SERIES = st.lists(st.lists(POINTS, min_size=1, max_size=3).map(tuple), min_size=1, max_size=4).map(tuple)
CONTENTS = st.builds(lambda text: Content(text, text), st.text(max_size=3))
RUNS = st.recursive(
    st.builds(
        Recorded,
        experiment=NAMES,
        status=st.sampled_from(["FINISHED", "FAILED", "KILLED"]),
        name=st.none() | NAMES,
        metrics=st.dictionaries(NAMES, SERIES, max_size=3),
        params=st.dictionaries(NAMES, st.text(max_size=3), max_size=2),
        tags=st.dictionaries(NAMES, st.text(max_size=3), max_size=2),
        files=st.dictionaries(NAMES, CONTENTS, max_size=2),
        models=st.lists(NAMES, max_size=2).map(tuple),
    ),
    lambda runs: st.builds(lambda run, below: replace(run, children=tuple(below)), runs, st.lists(runs, max_size=3)),
    max_leaves=6,
)
RUN = Recorded(
    "experiment",
    "FINISHED",
    name="baseline",
    description="first",
    metrics={"loss": ((Point(0, 0.5),), (Point(1, 0.25),)), "nan": ((Point(0, float("nan")),),)},
    params={"optimizer": "sgd"},
    tags={"team": "vision"},
    files={"outputs/model.txt": Content("1", "weights")},
    models=("model",),
    children=(Recorded("experiment", "FINISHED", name="fold 0"), Recorded("experiment", "FINISHED", name="fold 1")),
)


FEW = settings(max_examples=40, deadline=None)


@FEW
@given(st.lists(RUNS, max_size=2))
def test_what_is_compared_with_itself_is_the_same(runs):
    assert compare(runs, runs) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"experiment": "other"}, ("experiment", "", "experiment", "other")),
        ({"status": "FAILED"}, ("status", "", "FINISHED", "FAILED")),
        ({"name": "second"}, ("name", "", "baseline", "second")),
        ({"name": None}, ("name", "", "baseline", None)),
        ({"description": ""}, ("description", "", "first", "")),
        ({"params": {}}, ("param", "optimizer", "sgd", None)),
        ({"params": {"optimizer": "adam"}}, ("param", "optimizer", "sgd", "adam")),
        ({"params": {"optimizer": "sgd", "lr": "1"}}, ("param", "lr", None, "1")),
        ({"tags": {"team": "speech"}}, ("tag", "team", "vision", "speech")),
        ({"files": {"outputs/model.txt": Content("2", "weight")}}, ("file", "outputs/model.txt", "weights", "weight")),
        ({"files": {}}, ("file", "outputs/model.txt", "weights", None)),
        ({"models": ()}, ("models", "", "model", None)),
        ({"models": ("model", "model")}, ("models", "", "model", "model, model")),
    ],
)
def test_a_change_of_each_kind_is_one_difference(changes, expected):
    assert compare([RUN], [replace(RUN, **changes)]) == [Difference("run 1 (baseline)", *expected)]


@pytest.mark.parametrize(
    ("series", "shown"),
    [
        (((Point(0, 0.5),), (Point(1, 0.2),)), "0: 0.5, 1: 0.2"),
        (((Point(0, 0.5),), (Point(2, 0.25),)), "0: 0.5, 2: 0.25"),
        (((Point(0, 0.5),),), "0: 0.5"),
        (((Point(1, 0.25),), (Point(0, 0.5),)), "1: 0.25, 0: 0.5"),
        (((Point(0, 0.5),), (Point(1, 0.25),), (Point(1, 0.25),)), "0: 0.5, 1: 0.25, 1: 0.25"),
        (((Point(0, 0.5), Point(1, 0.25), Point(2, float("nan"))),), "0: 0.5, 1: 0.25, 2: nan"),
    ],
    ids=["value", "step", "missing", "order", "repeated", "more"],
)
def test_a_series_differs_by_a_value_a_step_the_order_and_the_number_of_points(series, shown):
    [difference] = compare([RUN], [replace(RUN, metrics={**RUN.metrics, "loss": series})])

    assert difference == Difference("run 1 (baseline)", "metric", "loss", "0: 0.5, 1: 0.25", shown)


@FEW
@given(SERIES, st.randoms())
def test_points_of_one_moment_have_no_order(series, random):
    shuffled = tuple(tuple(random.sample(moment, len(moment))) for moment in series)

    assert same_series(series, shuffled)
    assert same_series(tuple((point,) for moment in shuffled for point in moment), series)


@FEW
@given(SERIES, POINTS)
def test_one_point_more_is_seen_wherever_it_is(series, point):
    assert not same_series(series, (*series, (point,)))
    assert not same_series(((point, *series[0]), *series[1:]), series)


def test_zero_is_minus_zero_as_it_is_for_the_store_that_drops_the_sign():
    assert same_series(((Point(0, 0.0),),), ((Point(0, -0.0),),))


def test_runs_are_matched_by_order_and_structure():
    first, second = RUN.children
    swapped = replace(RUN, children=(second, first))
    flat = [replace(RUN, children=()), first, second]

    assert [(d.run, d.kind) for d in compare([RUN], [swapped])] == [
        ("run 1 (baseline) > child 1 (fold 0)", "name"),
        ("run 1 (baseline) > child 2 (fold 1)", "name"),
    ]
    assert [(d.run, d.kind, d.old is None) for d in compare([RUN], flat)] == [
        ("run 1 (baseline) > child 1 (fold 0)", "run", False),
        ("run 1 (baseline) > child 2 (fold 1)", "run", False),
        ("run 2 (fold 0)", "run", True),
        ("run 3 (fold 1)", "run", True),
    ]


def test_a_run_that_is_missing_in_the_middle_is_the_one_that_is_named():
    runs = [Recorded("experiment", "FINISHED", name=f"fold {number}") for number in range(4)]

    assert compare(runs, [runs[0], *runs[2:]]) == [Difference("run 2 (fold 1)", "run", "", "FINISHED, 0 metrics", None)]
    assert compare([], [replace(runs[0], children=tuple(runs))]) == [
        Difference("run 1 (fold 0)", "run", "", None, "FINISHED, 0 metrics, 4 runs below it")
    ]


def test_the_tables_of_the_facade_are_those_of_plain_mlflow():
    table = Content("t", '{"columns": …')
    facade = replace(RUN, tables={"tables/words.json": Table(table, has_texts=True)})
    plain = replace(RUN, files={**RUN.files, "tables/words.json": table})
    other = replace(RUN, files={**RUN.files, "tables/words.json": Content("u", "{}")})

    assert compare([facade], [plain]) == compare([facade], [facade]) == []
    assert [(d.kind, d.name, d.new) for d in compare([facade], [other])] == [("file", "tables/words.json", "{}")]
    assert [(d.kind, d.name, d.new) for d in compare([facade], [RUN])] == [("file", "tables/words.json", None)]


def test_a_table_of_numbers_says_no_more_than_the_metrics():
    facade = replace(RUN, tables={"tables/scores.json": Table(Content("t", "{}"), has_texts=False)})

    assert compare([facade], [RUN]) == []
    assert len(compare([facade], [replace(RUN, files={**RUN.files, "tables/scores.json": Content("u", "")})])) == 1


def test_the_second_in_the_name_of_a_plot_is_set_aside():
    first, second = Content("1", "a picture"), Content("2", "a picture")
    facade = replace(RUN, files={"curve_1795598989.png": first, "curve_1795598989_2.png": second})
    plain = replace(RUN, files={"curve.png": first, "curve_2.png": second})

    assert compare([facade], [plain]) == []
    assert len(compare([facade], [replace(RUN, files={"curve.png": second, "curve_2.png": first})])) == 2


def test_long_values_are_cut_to_where_they_differ():
    old = replace(RUN, params={"long": "x" * 500 + "a" + "y" * 500})
    new = replace(RUN, params={"long": "x" * 500 + "b" + "y" * 500})
    many = tuple((Point(step, 1.0),) for step in range(100))

    [difference] = compare([old], [new])
    assert (difference.old, difference.new) == tuple(f"…{'x' * 20}{letter}{'y' * 79}…" for letter in "ab")
    [difference] = compare([replace(RUN, metrics={"m": many})], [replace(RUN, metrics={"m": many[:50]})])
    assert difference.old == "…, 49: 1.0, 50: 1.0, 51: 1.0, 52: 1.0, 53: 1.0, 54: 1.0, … (100 in all)"
    assert difference.new == "…, 49: 1.0, … (50 in all)"


# -- reading -------------------------------------------------------------------------------------------------------


def test_json_is_its_value_and_a_picture_its_pixels(tmp_path):
    image = pytest.importorskip("PIL.Image")
    for name, color, level in (("a", "red", 0), ("b", "red", 9), ("c", "blue", 0)):
        image.new("RGB", (30, 20), color).save(tmp_path / f"{name}.png", compress_level=level)
    texts = {
        "1.json": '{"a": 1, "b": [NaN]}',
        "2.json": '{"b":[NaN],\n"a":1.0}',
        "3.json": '{"a": true, "b": [NaN]}',
        "4.txt": "{not json",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    found = {file.stem: content_of(file) for file in tmp_path.iterdir() if file.is_file()}

    assert found["a"].digest == found["b"].digest != found["c"].digest
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()
    assert found["1"] == found["2"]
    assert found["3"].digest != found["1"].digest
    assert found["4"].shown == "{not json"


@pytest.fixture
def two_runs(sqlite_uri, monkeypatch):
    """A run of the facade and one of plain MLflow that say the same, with a child each; their ids."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    run = Experiment(Workspace("s", "g", "w"), "old").start_logging(display_name="same", snapshot_directory=None)
    run.log("loss", 0.5)
    run.log("loss", float("inf"))
    run.log("phase", "warm")
    run.log_list("words", ["a", "b"])
    run.log_row("scores", x=1, y=2.5)
    run.tag("team", "vision")
    run.tag("empty")
    run.upload_file("cm", io.BytesIO(b'{"matrix": [[1]]}'))
    with run.child_run("fold"):
        print("kept in a log of the facade's own")
    run.fail("broken")

    client = MlflowClient(sqlite_uri)
    plain = client.create_run(client.create_experiment("new"), run_name="same").info.run_id
    client.log_metric(plain, "loss", 0.5, step=0)
    client.log_metric(plain, "loss", float("nan"), step=1)
    client.log_param(plain, "phase", "warm")
    client.log_dict(plain, {"columns": ["index", "value"], "data": [[0, "a"], [1, "b"]]}, "tables/words.json")
    client.log_metric(plain, "scores.x", 1, step=0)
    client.log_metric(plain, "scores.y", 2.5, step=0)
    client.set_tag(plain, "team", "vision")
    client.set_tag(plain, "empty", "")
    client.log_dict(plain, {"matrix": [[1.0]]}, "cm")
    experiment = client.get_run(plain).info.experiment_id
    child = client.create_run(experiment, run_name="fold", tags={"mlflow.parentRunId": plain}).info.run_id
    client.set_terminated(child)
    client.set_terminated(plain, "FAILED")
    return sqlite_uri, run.id, plain


def test_two_runs_of_a_store_are_compared_with_all_below_them(two_runs, capsys):
    uri, old, new = two_runs
    client = MlflowClient(uri)

    assert main(["verify", "--store", uri, old, new]) == 0
    assert capsys.readouterr().out == (
        "Both have recorded the same: 2 runs, 3 metrics, 4 values, 1 param, 2 tags, 2 files.\n"
    )
    client.set_tag(new, "team", "speech\nand text")
    client.log_metric(new, "scores.x", 1, step=1)
    client.create_run(client.get_run(new).info.experiment_id, tags={"mlflow.parentRunId": new})
    assert main(["verify", "--store", uri, "--store", uri, old, new]) == 1
    assert capsys.readouterr().out == textwrap.dedent("""\
        run 1 (same)
          metric scores.x
            old  0: 1.0
            new  0: 1.0, 1: 1.0
          tag team
            old  vision
            new  'speech\\nand text'
        run 1 (same) > child 2
          run
            old  (absent)
            new  RUNNING, 0 metrics
        Differences: 3. OLD: 2 runs, 3 metrics, 4 values, 1 param, 2 tags, 2 files. \
NEW: 3 runs, 3 metrics, 5 values, 1 param, 2 tags, 2 files.
        """)
    assert main(["verify", "--json", "--store", uri, new, old]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["is_equal"] is False
    assert report["new"] == {"runs": 2, "metrics": 3, "values": 4, "params": 1, "tags": 2, "files": 2}
    assert {"run": "run 1 (same)", "kind": "tag", "name": "team", "old": "speech\nand text", "new": "vision"} in report[
        "differences"
    ]


def test_a_run_or_store_that_is_not_there_cannot_be_compared(two_runs, tmp_path, capsys):
    uri, old, _ = two_runs

    assert main(["verify", "--store", uri, old, "nothing"]) == 2
    assert capsys.readouterr().err == "azml-compat verify: there is no run nothing\n"
    assert main(["verify", "--store", f"sqlite:///{tmp_path}/none.db", old, old]) == 2
    assert "none.db is not there" in capsys.readouterr().err
    assert not (tmp_path / "none.db").exists()


# -- running -------------------------------------------------------------------------------------------------------


def test_a_folder_is_copied_without_what_no_script_needs(tmp_path):
    source = tmp_path / "source"
    kept = ["train.py", "data/points.csv", ".amlignore", "a/outputs/x", "venv.txt"]
    dropped = [
        ".git/HEAD",
        "env/pyvenv.cfg",
        "env/lib/x.py",
        "mlruns/0/meta.yaml",
        "mlflow.db",
        "outputs/old",
        "logs/x",
    ]
    for name in [*kept, *dropped]:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(name)
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "x.csv").touch()
    (source / "large").symlink_to("../large")
    (source / "broken").symlink_to("nowhere")

    copy_folder(source, tmp_path / "deeper" / "copy")

    copy = tmp_path / "deeper" / "copy"
    found = [file.relative_to(copy).as_posix() for file in copy.rglob("*") if file.is_file()]
    assert sorted(found) == sorted(kept)
    assert (copy / "large" / "x.csv").is_file()


@pytest.mark.parametrize("limit", ["MAX_FILES", "MAX_BYTES"])
def test_a_folder_that_is_too_large_is_refused(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(running, limit, 1)
    (tmp_path / "source").mkdir()
    for name in "ab":
        (tmp_path / "source" / name).write_text("ab")

    with pytest.raises(CannotRunError, match="Move the script, with what it needs, to a folder of its own"):
        copy_folder(tmp_path / "source", tmp_path / "copy")


def test_scripts_that_record_nothing_are_not_called_the_same(tmp_path, monkeypatch, capfd, sqlite_uri):
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "data.txt").write_text("here")
    (folder / "src" / "old.py").write_text("open('left', 'w').write(open('data.txt').read())\n")
    (folder / "src" / "new.py").write_text(
        "import os, sys; print(sys.argv, os.environ['MLFLOW_EXPERIMENT_NAME'], os.environ.get('MLFLOW_RUN_ID'))\n"
        "import azureml.core\n"
    )
    monkeypatch.setenv("MLFLOW_RUN_ID", "of another run")
    before = Path.cwd()

    words = [
        "--folder",
        str(folder),
        str(folder / "src" / "old.py"),
        str(folder / "src" / "new.py"),
        "--",
        "-x",
        "--",
        "y",
    ]
    assert main(["verify", *words]) == 2
    captured = capfd.readouterr()
    assert f"['{Path('src', 'new.py')}', '-x', '--', 'y'] old None\n" in captured.out
    assert "No module named 'azureml'" in captured.out
    assert captured.out.endswith("so that nothing can be said.\n")
    assert captured.err == ""
    assert sorted(path.name for path in folder.rglob("*")) == ["data.txt", "new.py", "old.py", "src"]
    assert Path.cwd() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing.py", "missing.py"], "there is no file missing.py"),
        (["--folder", "other", "here.py", "here.py"], "here.py is not in other"),
        (["broken.ipynb", "here.py"], "it is no notebook"),
    ],
)
def test_what_cannot_be_run_is_refused(capsys, words, said):
    Path("other").mkdir()
    Path("here.py").touch()
    Path("broken.ipynb").write_text("{")

    assert main(["verify", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["a.py"], ["--store", "x", "a", "b", "--", "c"], ["--store", "x", "--on", "y", "a", "b"]]
)
def test_arguments_that_make_no_sense_are_refused(capsys, words):
    with pytest.raises(SystemExit, match="2"):
        main(["verify", *words])
    assert "usage: azml-compat verify" in capsys.readouterr().err


# -- all of it -----------------------------------------------------------------------------------------------------

OLD = """\
import sys
from azureml.core import Experiment, Workspace
exp = Experiment(Workspace.from_config(), "exp")
run = exp.start_logging()
for value in (0.5, 0.5, float(sys.argv[1])):
    run.log("loss", value)
run.log("phase", "warm")
run.tag("team", "vision")
child = run.child_run("fold")
child.log_list("list", [1, 1])
child.complete()
with open("outputs/model.txt", "w") as file:
    file.write(open("data.txt").read())
sys.exit(3)
"""
NEW = """\
import mlflow, sys
mlflow.set_experiment("exp")
with mlflow.start_run() as run:
    for step, value in enumerate((0.5, 0.5, float(sys.argv[1]))):
        mlflow.log_metric("loss", value, step=step)
    mlflow.log_param("phase", "warm")
    mlflow.set_tag("team", "vision")
    with mlflow.start_run(run_name="fold", nested=True):
        for step in range(2):
            mlflow.log_metric("list", 1, step=step)
    mlflow.log_text(open("data.txt").read(), "outputs/model.txt")
    raise SystemExit(3)
"""


@pytest.fixture
def scripts():
    """Two scripts that record the same, beside the file that they read; their names."""
    Path("data.txt").write_text("weights")
    Path("old.py").write_text(OLD)
    Path("new.py").write_text(NEW)
    return ["old.py", "new.py"]


@pytest.mark.extra
def test_a_script_and_its_successor_that_fail_alike_record_the_same(scripts, capfd):
    assert main(["verify", *scripts, "--", "0.25"]) == 0
    assert capfd.readouterr().out.splitlines()[-1] == (
        "Both have recorded the same: 2 runs, 2 metrics, 5 values, 1 param, 1 tag, 1 file."
    )
    assert sorted(path.name for path in Path().iterdir()) == ["data.txt", "new.py", "old.py"]


@pytest.mark.extra
def test_differences_of_scripts_are_said_and_what_they_print(scripts, capfd):
    new = NEW.replace("step=step)\n    mlflow.log_param", "step=0)\n    mlflow.log_param").replace("raise", "pass  #")
    Path("new.py").write_text(new.replace("start_run(run_name", "start_run(tags={'t': '1'}, run_name"))

    assert main(["verify", *scripts, "--json", "--", "0.25"]) == 1
    report = json.loads(capfd.readouterr().out)
    assert (report["old"]["exit_code"], report["new"]["exit_code"]) == (3, 0)
    assert [(d["run"], d["kind"], d["name"], d["old"], d["new"]) for d in report["differences"]] == [
        ("script", "exit code", "", "3", "0"),
        ("run 1", "status", "", "FAILED", "FINISHED"),
        ("run 1", "metric", "loss", "0: 0.5, 1: 0.5, 2: 0.25", "0: 0.5, 0: 0.5, 0: 0.25"),
        ("run 1 > child 1 (fold)", "tag", "t", None, "1"),
    ]


@pytest.mark.extra
def test_both_can_be_run_on_a_server_and_the_facade_under_either_name(scripts, server, capfd):
    Path("new.py").write_text(OLD.replace("azureml", "azml_compat"))

    assert main(["verify", "--on", server, *scripts, "--", "nan"]) == 0
    assert "2 runs, 2 metrics, 5 values" in capfd.readouterr().out


@pytest.mark.extra
def test_a_notebook_is_run_as_its_cells(scripts, capfd):
    cells = [["%matplotlib inline\n", "import sys\n"], [f"%%writefile {sys.argv[0] and 'other.txt'}\n", "text"]]
    cells += [[f"{line}\n" for line in OLD.splitlines()[1:]]]
    notebook = {
        "cells": [
            {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": source}
            for source in cells
        ],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 4,
    }
    Path("old.ipynb").write_text(json.dumps(notebook))

    assert main(["verify", "old.ipynb", "new.py", "--", "0.25"]) == 0
    assert "Both have recorded the same" in capfd.readouterr().out
