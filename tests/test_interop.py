"""Plain MLflow and the facade side by side: each reads what the other wrote, and neither touches the other's runs."""

from __future__ import annotations

import io
import math
import sys
import uuid
from pathlib import Path

import pytest

from azml_compat import Experiment, Run, Workspace, get_run
from azml_compat.exceptions import ServiceException


@pytest.fixture
def mlflow(tracking_uri, monkeypatch):
    """MLflow's fluent API on each kind of store in turn."""
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return mlflow


@pytest.fixture
def client(mlflow, tracking_uri):
    return mlflow.MlflowClient(tracking_uri)


@pytest.fixture
def plain(mlflow, ws):
    """An experiment that plain MLflow made, as the facade sees it."""
    name = f"plain-{uuid.uuid4().hex[:8]}"
    mlflow.set_experiment(name)
    return Experiment(ws, name)


# What plain MLflow wrote, through the facade


def test_a_run_of_plain_mlflow_reads_sensibly(mlflow, plain, tmp_path):
    with mlflow.start_run(run_name="a plain run", description="what it is for", tags={"team": "a"}) as active:
        mlflow.log_metric("once", 0.5)
        for step, value in ((0, 3.0), (1, 2.0), (2, 2.0)):
            mlflow.log_metric("by step", value, step=step)
        for step, value in ((20, 3.0), (0, 1.0), (10, 2.0)):
            mlflow.log_metric("out of order", value, step=step)
        for value in (5.0, 4.0, 4.0):
            mlflow.log_metric("val/loss.mean", value)
        mlflow.log_metric("nan", math.nan)
        mlflow.log_param("rate", 0.1)
        mlflow.log_params({"layers": [1, 2]})
        mlflow.log_text("some notes", "notes/a.txt")
        mlflow.log_dict({"a": 1}, "b.json")
    (run,) = plain.get_runs()
    metrics = run.get_metrics()

    assert run.id == active.info.run_id
    assert math.isnan(metrics.pop("nan"))
    assert metrics["once"] == 0.5
    assert metrics["by step"] == [3.0, 2.0, 2.0]
    assert metrics["out of order"] == [1.0, 2.0, 3.0]
    # A store drops a point that repeats another in its millisecond.
    assert metrics["val/loss.mean"][:2] == [5.0, 4.0]
    assert set(metrics) == {"once", "by step", "out of order", "val/loss.mean"}
    assert run.get_metrics("once") == {"once": 0.5}
    assert (run.name, run.display_name, run.number, run.type) == ("a plain run", "a plain run", 1, None)
    assert run.description == "what it is for"
    assert run.get_status() == run.status == "Completed"
    assert run.get_tags() == run.tags == {"team": "a"}
    assert set(run.get_properties()) <= {"mlflow.source.git.commit"}
    assert sorted(run.get_file_names()) == ["b.json", "notes/a.txt"]
    run.download_file("notes/a.txt", "notes.txt")
    assert Path("notes.txt").read_text() == "some notes"
    assert run.parent is None
    assert run.get_snapshot_id() is None
    details = run.get_details()
    assert (details["runId"], details["status"]) == (run.id, "Completed")
    assert details["startTimeUtc"] <= details["endTimeUtc"]
    assert "error" not in details
    assert str(run) == f"Run(Experiment: {plain.name},\nId: {run.id},\nType: None,\nStatus: Completed)"
    assert run.wait_for_completion()["status"] == "Completed"


def test_nested_runs_of_plain_mlflow_are_children(mlflow, plain):
    with mlflow.start_run(run_name="parent") as parent, mlflow.start_run(run_name="child", nested=True) as child:
        mlflow.log_metric("depth", 1)
        with mlflow.start_run(run_name="grandchild", nested=True) as grandchild:
            mlflow.log_metric("depth", 2)
    ids = [active.info.run_id for active in (parent, child, grandchild)]
    (top,) = plain.get_runs()

    assert top.id == ids[0]
    assert [run.id for run in plain.get_runs(include_children=True)] == ids[::-1]
    assert [run.id for run in top.get_children()] == [ids[1]]
    assert [run.id for run in top.get_children(recursive=True)] == ids[:0:-1]
    assert top.get_metrics(recursive=True) == {ids[1]: {"depth": 1.0}, ids[2]: {"depth": 2.0}}
    youngest = Run(plain, ids[2])
    assert youngest.parent.parent.id == ids[0]
    assert youngest.name == "grandchild"


def test_the_status_of_a_run_of_plain_mlflow_is_given_in_azures_words(mlflow, plain, client):
    with pytest.raises(ZeroDivisionError), mlflow.start_run() as failed:
        1 / 0  # noqa: B018
    mlflow.start_run()
    killed = mlflow.active_run()
    mlflow.end_run("KILLED")
    running = mlflow.start_run()
    scheduled = client.create_run(plain.id)
    client.update_run(scheduled.info.run_id, status="SCHEDULED")
    statuses = {
        kind: Run(plain, active.info.run_id).get_status()
        for kind, active in (("failed", failed), ("killed", killed), ("running", running), ("scheduled", scheduled))
    }

    assert statuses == {"failed": "Failed", "killed": "Canceled", "running": "Running", "scheduled": "NotStarted"}
    mlflow.end_run()
    assert Run(plain, running.info.run_id).get_status() == "Completed"


def test_runs_of_both_kinds_are_listed_and_found_alike(mlflow, plain, client):
    with mlflow.start_run(tags={"team": "a"}) as theirs:
        pass
    ours = plain.start_logging(snapshot_directory=None, tags={"team": "a"})
    ours.complete()

    assert [run.id for run in plain.get_runs()] == [ours.id, theirs.info.run_id]
    assert [run.id for run in plain.get_runs(tags={"team": "a"})] == [ours.id, theirs.info.run_id]
    assert [run.id for run in Run.list(plain, status="Completed")] == [ours.id, theirs.info.run_id]
    assert get_run(plain, theirs.info.run_id).id == plain.workspace.get_run(theirs.info.run_id).id
    assert plain.workspace.get_run(theirs.info.run_id).experiment.name == plain.name
    assert (Run(plain, theirs.info.run_id).number, ours.number) == (1, 2)


def test_experiments_of_plain_mlflow_are_listed_whatever_their_names(mlflow, ws):
    name = f"a name / Azure would refuse {uuid.uuid4().hex}"
    mlflow.set_experiment(name)
    with mlflow.start_run():
        mlflow.log_metric("a", 1)

    assert name in ws.experiments
    (run,) = ws.experiments[name].get_runs()
    assert run.get_metrics() == {"a": 1.0}
    assert run.experiment.name == name


def test_deleted_runs_are_skipped(exp, client):
    parent = exp.start_logging(snapshot_directory=None)
    kept, gone = parent.child_run("kept"), parent.child_run("gone")
    deleted = exp.start_logging(snapshot_directory=None, run_id=f"chosen-{exp.name}")
    deleted.log("a", 1)
    for run in (gone, deleted):
        run.complete()
        client.delete_run(run._record.id)

    assert [run.id for run in exp.get_runs()] == [parent.id]
    assert [run.id for run in exp.get_runs(include_children=True)] == [kept.id, parent.id]
    assert [run.id for run in parent.get_children()] == [run.id for run in parent.get_children(recursive=True)]
    for run_id in (gone.id, deleted._record.id):
        for find in (lambda: Run(exp, run_id), lambda: Run.get(exp.workspace, run_id), lambda: get_run(exp, run_id)):  # noqa: B023
            with pytest.raises(ServiceException) as raised:
                find()
            assert raised.value.status_code == 404
    # Numbers do not move when another run is deleted.
    assert exp.start_logging(snapshot_directory=None).number == 5


def test_a_deleted_run_is_missing_under_the_id_that_the_script_chose(run, client):
    chosen = run.experiment.start_logging(snapshot_directory=None, run_id=f"chosen-{run.id}")
    client.delete_run(chosen._record.id)
    with pytest.raises(ServiceException) as raised:
        Run(run.experiment, chosen.id)

    assert raised.value.status_code == 404


def test_the_facade_may_add_to_a_run_of_plain_mlflow(mlflow, plain, client):
    with mlflow.start_run() as active:
        mlflow.log_metric("loss", 0.5, step=0)
    run = Run(plain, active.info.run_id)
    run.log("accuracy", 1)
    run.log_list("texts", ["a", "b"])
    run.log("loss", 0.25, step=1)
    run.tag("team", "b")
    run.upload_file("f", io.BytesIO(b"content"))
    run.complete()
    stored = client.get_run(run.id)

    assert run.get_metrics() == {"loss": [0.5, 0.25], "accuracy": 1, "texts": ["a", "b"]}
    assert type(run.get_metrics()["accuracy"]) is int
    assert stored.data.metrics["accuracy"] == 1.0
    assert stored.data.tags["team"] == "b"
    assert stored.info.status == "FINISHED"
    assert run.get_file_names() == ["f"]


# What the facade wrote, through plain MLflow


@pytest.fixture
def written(exp):
    """A run with something of everything, completed."""
    run = exp.start_logging(
        name="given name", display_name="shown name", description="what *for*", tags={"team": "a"},
        snapshot_directory=None,
    )  # fmt: skip
    run.log("loss", 0.5)
    run.log("count", 3)
    run.log("text", "best")
    run.log_list("fib", [1, 1, 2, 3, 5])
    for step in (0, 10, 20):
        run.log("by step", step / 2, step=step)
    run.log_row("row", angle=1.5, label="x")
    run.log_table("table", {"a": [1, 2], "b": ["x", "y"]})
    run.add_properties({"mine": "1"})
    Path("outputs/model.txt").write_text("model")
    run.child_run("child").complete()
    run.complete()
    return run


def test_a_run_of_the_facade_reads_sensibly_with_the_client(written, client):
    stored = client.get_run(written.id)
    info, data = stored.info, stored.data

    assert (info.status, info.run_name, info.lifecycle_stage) == ("FINISHED", "shown name", "active")
    assert info.experiment_id == written.experiment.id
    assert 0 <= info.end_time - info.start_time < 60_000
    assert data.metrics["loss"] == 0.5
    assert data.metrics["count"] == 3.0
    assert data.metrics["fib"] == 5.0
    assert data.metrics["by step"] == 10.0
    assert data.metrics["row.angle"] == 1.5
    assert data.metrics["table.a"] == 2.0
    assert data.params == {"text": "best"}
    assert {key: value for key, value in data.tags.items() if not key.startswith("mlflow.")} == {
        "team": "a",
        "property.mine": "1",
    }
    assert data.tags["mlflow.note.content"] == "what *for*"
    assert data.tags["mlflow.source.name"] == sys.argv[0]
    assert data.tags["mlflow.user"]
    fib = client.get_metric_history(written.id, "fib")
    assert sorted((point.step, point.value) for point in fib) == [(0, 1), (1, 1), (2, 2), (3, 3), (4, 5)]
    by_step = client.get_metric_history(written.id, "by step")
    assert sorted((point.step, point.value) for point in by_step) == [(0, 0), (10, 5), (20, 10)]
    assert {point.key for point in by_step} == {"by step"}


def test_files_of_the_facade_are_there_for_the_client(written, client):
    assert [(file.path, file.is_dir) for file in client.list_artifacts(written.id) if file.path != "azml_compat"] == [
        ("outputs", True)
    ]
    local = client.download_artifacts(written.id, "outputs/model.txt", str(Path.cwd()))
    assert Path(local).read_text() == "model"


def test_children_of_the_facade_are_nested_runs(written, client):
    (child,) = client.search_runs([written.experiment.id], f"tags.`mlflow.parentRunId` = '{written.id}'")

    assert child.info.run_name == "child"
    assert client.get_parent_run(child.info.run_id).info.run_id == written.id


def test_runs_of_the_facade_are_rows_of_a_data_frame(written, mlflow):
    found = mlflow.search_runs(
        experiment_ids=[written.experiment.id],
        filter_string="metrics.loss < 1 and tags.team = 'a' and params.text = 'best'",
    )

    assert list(found.run_id) == [written.id]
    row = found.iloc[0]
    assert (row["metrics.loss"], row["metrics.count"], row["metrics.fib"]) == (0.5, 3.0, 5.0)
    assert (row["params.text"], row["tags.team"], row["status"]) == ("best", "a", "FINISHED")
    assert row["tags.mlflow.runName"] == "shown name"
    assert row["end_time"] >= row["start_time"]
    everything = mlflow.search_runs(experiment_ids=[written.experiment.id])
    assert len(everything) == 2
    assert list(everything["tags.mlflow.parentRunId"].dropna()) == [written.id]


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (Run.complete, "FINISHED"),
        (lambda run: run.fail("broken"), "FAILED"),
        (Run.cancel, "KILLED"),
        (Run.flush, "RUNNING"),
    ],
    ids=["complete", "fail", "cancel", "none"],
)
def test_how_a_run_ended_is_what_mlflow_says(run, client, end, status):
    end(run)
    info = client.get_run(run.id).info

    assert info.status == status
    assert (info.end_time is None) == (status == "RUNNING")


# Plain MLflow changes a run of the facade afterwards


@pytest.mark.parametrize(
    ("log", "before", "after"),
    [
        (lambda run: run.log("m", 1.5), 1.5, [1.5, 9.25]),
        (lambda run: run.log("m", 1), 1, [1.0, 9.25]),
        (lambda run: run.log("m", True), True, [True, 9.25]),
        (lambda run: run.log("m", "text"), "text", ["text", 9.25]),
        (lambda run: run.log("m", None), None, [None, 9.25]),
        (lambda run: run.log("m", math.inf), math.inf, [math.inf, 9.25]),
        (lambda run: run.log("m", 2**60 + 1), 2**60 + 1, [float(2**60), 9.25]),
        (lambda run: run.log("m", 0.5, step=3), 0.5, [0.5, 9.25]),
        (lambda run: run.log_list("m", [1, 2]), [1, 2], [1.0, 2.0, 9.25]),
        (lambda run: run.log_list("m", [1, "a", None]), [1, "a", None], [1.0, "a", None, 9.25]),
    ],
    ids=["float", "int", "bool", "text", "None", "inf", "big int", "step", "list", "mixed list"],
)
def test_a_point_of_plain_mlflow_joins_a_metric_of_the_facade(run, client, log, before, after):
    """A float among integers widens them, as one that the script logs does."""
    log(run)
    assert run.get_metrics() == {"m": before}
    client.log_metric(run._record.id, "m", 9.25, step=100)
    client.log_metric(run._record.id, "theirs", 1, step=0)

    assert run.get_metrics() == {"m": after, "theirs": 1.0}
    assert list(map(type, run.get_metrics()["m"])) == list(map(type, after))
    run.log("m", 7)
    assert run.get_metrics()["m"] == [*after, 7]
    assert Run(run.experiment, run.id).get_metrics()["m"] == [*after, 7]


def test_whole_points_of_plain_mlflow_are_integers_among_integers(run, client):
    run.log_list("m", [1, 2])
    client.log_metric(run.id, "m", 3, step=100)

    assert run.get_metrics() == {"m": [1, 2, 3]}
    assert [type(value) for value in run.get_metrics()["m"]] == [int] * 3


def test_a_point_of_plain_mlflow_joins_a_column(run, client):
    run.log_table("t", {"x": [1, 2], "y": ["a", "b"]})
    client.log_metric(run.id, "t.x", 9, step=100)

    assert run.get_metrics() == {"t": {"x": [1, 2, 9], "y": ["a", "b", None]}}


def test_what_plain_mlflow_sets_counts(run, client):
    run.set_tags({"kept": "1", "changed": "1", "none": None, "removed": "1", "long": "x" * 6000})
    client.set_tag(run.id, "changed", "2")
    client.set_tag(run.id, "none", "a text")
    client.set_tag(run.id, "long", "short")
    client.set_tag(run.id, "new", "1")
    client.delete_tag(run.id, "removed")

    assert run.tags == {"kept": "1", "changed": "2", "none": "a text", "long": "short", "new": "1"}
    client.update_run(run.id, name="renamed")
    client.set_tag(run.id, "mlflow.note.content", "described")
    again = Run(run.experiment, run.id)
    assert (again.display_name, again.description) == ("renamed", "described")


@pytest.mark.parametrize(("status", "word"), [("FINISHED", "Completed"), ("FAILED", "Failed"), ("KILLED", "Canceled")])
def test_a_run_that_plain_mlflow_ended_stays_as_it_is(run, client, status, word):
    client.set_terminated(run.id, status)

    assert run.get_status() == word
    run.complete()
    assert client.get_run(run.id).info.status == status


# Side by side in one process


def test_neither_nests_into_nor_ends_a_run_of_the_other(mlflow, exp, client):
    mlflow.set_experiment(exp.name)
    first = exp.start_logging(snapshot_directory=None)
    assert mlflow.active_run() is None
    with mlflow.start_run() as theirs:
        assert theirs.info.run_id != first.id
        second = exp.start_logging(snapshot_directory=None)
        child = second.child_run()
        mlflow.log_metric("theirs", 1)
        first.log("ours", 1)
        second.log("ours", 2)
        assert mlflow.active_run().info.run_id == theirs.info.run_id
        first.complete()
        with second:
            with child:
                pass
            assert mlflow.active_run().info.run_id == theirs.info.run_id
        assert client.get_run(theirs.info.run_id).info.status == "RUNNING"
        third = exp.start_logging(snapshot_directory=None)
    assert client.get_run(theirs.info.run_id).info.status == "FINISHED"
    assert third.get_status() == "Running"
    mlflow.end_run()
    assert third.get_status() == "Running"

    for run in (first, second, third):
        assert run.parent is None
        assert "mlflow.parentRunId" not in client.get_run(run.id).data.tags
    assert "mlflow.parentRunId" not in client.get_run(theirs.info.run_id).data.tags
    assert child.parent.id == second.id
    assert client.get_run(theirs.info.run_id).data.metrics == {"theirs": 1.0}
    assert (first.get_metrics(), second.get_metrics(), third.get_metrics()) == ({"ours": 1}, {"ours": 2}, {})


def test_fluent_logging_without_a_run_makes_its_own(mlflow, exp, client):
    mlflow.set_experiment(exp.name)
    ours = exp.start_logging(snapshot_directory=None)
    mlflow.log_metric("theirs", 1)
    theirs = mlflow.active_run().info.run_id
    ours.complete()

    assert theirs != ours.id
    assert ours.get_metrics() == {}
    assert client.get_run(theirs).info.status == "RUNNING"


def test_autolog_makes_a_run_of_its_own(mlflow, exp, client):
    linear = pytest.importorskip("sklearn.linear_model")
    mlflow.set_experiment(exp.name)
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
    try:
        ours = exp.start_logging(snapshot_directory=None)
        linear.LinearRegression().fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0])
        ours.log("ours", 1)
    finally:
        mlflow.sklearn.autolog(disable=True)
    theirs = [run for run in exp.get_runs() if run.id != ours.id]

    assert ours.get_status() == "Running"
    assert ours.get_metrics() == {"ours": 1}
    assert ours.get_tags() == {}
    assert [run.get_status() for run in theirs] == ["Completed"]
    assert "training_score" in theirs[0].get_metrics() or "training_r2_score" in theirs[0].get_metrics()
    assert theirs[0].parent is None


def test_a_users_own_tracking_address_is_left_alone(mlflow, tmp_path, exp):
    elsewhere = (tmp_path / "elsewhere").as_uri()
    before = mlflow.get_tracking_uri()
    exp.start_logging(snapshot_directory=None).complete()
    assert mlflow.get_tracking_uri() == before
    mlflow.set_tracking_uri(elsewhere)
    try:
        run = exp.start_logging(snapshot_directory=None)
        run.log("a", 1)
        run.complete()
        assert mlflow.get_tracking_uri() == elsewhere
        assert run.get_metrics() == {"a": 1}
        assert Workspace("s", "g", "w").get_mlflow_tracking_uri() == before
    finally:
        mlflow.set_tracking_uri(None)
