"""A server that is away, hangs, restarts or never comes back: scripts go on, and nothing is lost or doubled."""

from __future__ import annotations

import contextlib
import errno
import http.server
import io
import json
import logging
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import UNAUTHENTICATED

from azml_compat import Experiment, Run, Workspace, _names, _runtime
from azml_compat._journal import places
from azml_compat._journal.lines import encode_line
from azml_compat._process_end import Outcome
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking import Store
from azml_compat.exceptions import AuthenticationException, AzureMLException
from tests.conftest import mlflow_server
from tests.disks import FULL_OR_READ_ONLY, Disk
from tests.gates import Gate
from tests.waiting import files_below, wait_for

REPOSITORY = Path(__file__).parents[1]
NO_ANSWER = MlflowException("API request to http://x failed with exception [Errno 104] Connection reset by peer")


@pytest.fixture
def gate(server):
    made = Gate(server)
    yield made
    made.shut()


@pytest.fixture(autouse=True)
def _impatient_readers(monkeypatch):
    """Reading takes ten seconds to find that a store is away, and opening it two; here, they do not."""
    monkeypatch.setattr("azml_compat.core._run_metrics._AWAY_SECONDS", 1)
    monkeypatch.setattr("azml_compat._tracking.opening._SERVER_PAUSES", (0.1,))


@pytest.fixture
def tracking_uri(gate, monkeypatch):
    """The server behind a gate, in place of all kinds of stores."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", gate.address)
    return gate.address


@pytest.fixture
def name():
    return f"experiment-{uuid.uuid4().hex[:12]}"


def plain(server, name):
    """The runs of an experiment as plain MLflow sees them, oldest first."""
    client = MlflowClient(server)
    experiment = client.get_experiment_by_name(name)
    return client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"]) if experiment else []


def history(server, run, key):
    return [point.value for point in MlflowClient(server).get_metric_history(run.info.run_id, key)]


def seconds_of(action):
    began = time.monotonic()
    action()
    return time.monotonic() - began


def raises_away(action):
    with pytest.raises(ServiceException) as caught:
        action()
    return caught.value.status_code == 503


def kept_files():
    """What the home has of journals."""
    kept = {".log", ".rejected", ".undeliverable"}
    files = files_below(os.environ["AZML_COMPAT_HOME"])
    return [file for file in files if file.suffix in kept and file.name != ".background.log"]


# Log calls


def test_log_calls_do_not_notice_an_outage_and_nothing_is_lost_or_doubled(run, gate, server):
    run.log("a", 0)
    run.flush()
    slowest = 0.0
    for value in range(1, 500):
        if value == 100:
            gate.shut()
        if value == 300:
            gate.open()
        slowest = max(slowest, seconds_of(lambda value=value: run.log("a", value)))
        slowest = max(slowest, seconds_of(lambda value=value: run.log_row("t", x=value, y=str(value))))
        slowest = max(slowest, seconds_of(lambda value=value: run.log_list("l", [value, value + 0.5])))
    run.complete()

    assert slowest < 0.1
    assert run.get_metrics() == {
        "a": list(range(500)),
        "t": {"x": list(range(1, 500)), "y": [str(value) for value in range(1, 500)]},
        "l": [value / 2 for value in range(2, 1000)],
    }
    (stored,) = plain(server, run.experiment.name)
    assert history(server, stored, "a") == list(range(500))
    assert kept_files() == []


@pytest.mark.alone
def test_log_calls_do_not_wait_for_a_server_that_hangs(run, gate):
    run.log("a", 0)
    run.flush()
    gate.hang()
    slowest = max(seconds_of(lambda value=value: run.log("a", value)) for value in range(1, 200))
    gate.open()

    assert slowest < 0.1
    assert run.get_metrics() == {"a": list(range(200))}


@pytest.mark.alone
def test_a_server_that_comes_and_goes_all_the_time_gets_everything_once(run, gate, server):
    stop = threading.Event()

    def flicker():
        while not stop.wait(0.15):
            gate.shut()
            time.sleep(0.05)
            gate.open()

    thread = threading.Thread(target=flicker)
    thread.start()
    try:
        for value in range(800):
            run.log("a", value)
            run.log("s", str(value % 7))
            if value % 100 == 0:
                with contextlib.suppress(ServiceException, AzureMLException):
                    run.flush(timeout_seconds=1)
    finally:
        stop.set()
        thread.join()
        gate.open()

    assert run.get_metrics() == {"a": list(range(800)), "s": [str(value % 7) for value in range(800)]}
    (stored,) = plain(server, run.experiment.name)
    assert history(server, stored, "a") == list(range(800))


def outage_of_a_real_server(tmp_path, template_database, monkeypatch, seconds):
    """Stop a server for a while in the middle of a run that logs 50 values a second; the slowest call in seconds."""
    import shutil

    shutil.copyfile(template_database, tmp_path / "mlflow.db")
    server = mlflow_server(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path)
    address = server.__enter__()
    try:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        run = Experiment(Workspace("s", "g", "w"), "e").start_logging(snapshot_directory=None)
        run.log("a", 0)
        run.flush()
        server.__exit__()
        slowest, value, began = 0.0, 0, time.monotonic()
        while time.monotonic() - began < seconds:
            value += 1
            slowest = max(slowest, seconds_of(lambda value=value: run.log("a", value)))
            time.sleep(0.02)
        assert seconds_of(lambda: raises_away(lambda: run.flush(timeout_seconds=1))) < 3
        server.__enter__()
        run.complete()
        assert run.get_metrics() == {"a": list(range(value + 1))}
        assert run.status == "Completed"
        assert history(address, plain(address, "e")[0], "a") == list(range(value + 1))
    finally:
        server.__exit__()
    return slowest


@pytest.mark.alone
def test_a_server_that_is_stopped_and_started_anew_gets_everything_once(tmp_path, template_database, monkeypatch):
    assert outage_of_a_real_server(tmp_path, template_database, monkeypatch, 2) < 0.1


@pytest.mark.alone
def test_a_server_that_is_away_for_a_minute_gets_everything_once(tmp_path, template_database, monkeypatch):
    monkeypatch.setenv("AZML_COMPAT_BACKGROUND", "1")
    assert outage_of_a_real_server(tmp_path, template_database, monkeypatch, 60) < 0.1


@pytest.mark.alone
def test_the_first_call_of_a_process_that_joins_a_run_waits_a_few_seconds_at_most(ws, gate, server, name):
    client = MlflowClient(server)
    run_id = client.create_run(client.create_experiment(name)).info.run_id
    joined = Run.get(ws, run_id)
    gate.hang()
    assert seconds_of(lambda: joined.log("a", 1.0)) < 9
    assert seconds_of(lambda: joined.log("a", 2.0)) < 0.1
    gate.open()

    assert joined.get_metrics() == {"a": [1.0, 2.0]}


@pytest.mark.parametrize("status", [500, 503, 404])
def test_the_first_call_of_a_process_that_joins_a_run_does_not_raise_for_the_store(
    local_exp, sqlite_uri, mocker, caplog, status
):
    run = local_exp.start_logging(snapshot_directory=None)
    run.log("a", 1)
    run.flush()
    run._writer.close()
    _runtime.reset()
    joined = Run.get(Workspace("s", "g", "w"), run.id)
    mocker.patch.object(Store, "get_run", side_effect=ServiceException._from_status(status, "The store is broken"))
    joined.log("a", 2)
    joined.log("b", "text")
    mocker.stopall()

    assert joined.get_metrics() == {"a": [1, 2], "b": "text"}
    assert caplog.text.count("The store is broken") == 1


@pytest.mark.alone
def test_of_many_calls_on_a_server_that_hangs_the_first_alone_waits_for_long(run, gate, server):
    Path("file.txt").write_text("content")
    gate.hang()
    first = seconds_of(lambda: run.tag("a", "1"))

    def others():
        run.tag("b", "2")
        run.add_properties({"p": "1"})
        run.upload_file("file.txt", "file.txt")
        run.log_confusion_matrix("matrix", {"schema_type": "confusion_matrix", "schema_version": "v1", "data": {}})
        child = run.child_run()
        child.log("c", 1)
        child.complete()
        assert run.status == "Running"
        run.complete()

    rest = seconds_of(others)
    gate.open()

    assert first < 12
    assert rest < 16
    run.flush()
    assert run.get_tags() == {"a": "1", "b": "2"}
    assert run.get_properties() == {"p": "1"}
    assert set(run.get_file_names()) == {"file.txt", "matrix"}
    assert run.status == "Completed"


# Reading and flushing meanwhile


@pytest.mark.alone
def test_reading_metrics_raises_and_never_gives_a_part(run, gate):
    run.log("a", 1)
    run.flush()
    run.log("a", 2)
    gate.shut()
    try:
        assert seconds_of(lambda: raises_away(run.get_metrics)) < 20
        assert raises_away(lambda: run.get_metrics("a"))
    finally:
        gate.open()
    assert run.get_metrics() == {"a": [1, 2]}


@pytest.mark.parametrize("what", ["logged lately", "stored"])
def test_reading_metrics_from_a_server_that_hangs_raises_in_time(run, gate, monkeypatch, what):
    monkeypatch.setattr("azml_compat.core._run_metrics._SILENT_SECONDS", 2)
    for number in range(3):
        run.log_list(f"list {number}", [1, 2])
    run.flush()
    if what == "logged lately":
        run.log("a", 1)
        run.child_run().log("a", 1)
    gate.hang()
    took = seconds_of(lambda: raises_away(lambda: run.get_metrics(recursive=True)))
    gate.open()

    assert took < 6
    assert run.get_metrics("list 2") == {"list 2": [1, 2]}


@pytest.mark.alone
def test_reading_metrics_from_a_server_that_hangs_raises_after_ten_seconds(run, gate):
    run.log("a", 1)
    gate.hang()
    took = seconds_of(lambda: raises_away(run.get_metrics))
    gate.open()

    assert 9 < took < 16


def test_a_table_that_is_still_to_be_shown_does_not_make_flush_wait_longer(run, gate):
    run.log_row("table", x=1)
    run._writer.flush(60)
    gate.hang()
    took = seconds_of(lambda: run.flush(timeout_seconds=1))
    gate.open()

    assert took < 5


@pytest.mark.parametrize("how", ["shut", "hang"])
def test_flush_raises_when_its_time_is_up(run, gate, how):
    run.log("a", 1)
    getattr(gate, how)()
    took = seconds_of(lambda: raises_away(lambda: run.flush(timeout_seconds=1)))
    gate.open()

    assert took < 4
    run.flush()


def test_the_status_is_the_one_last_known(run, gate, caplog):
    gate.shut()

    assert run.status == run.get_status() == "Running"
    assert "last known" in caplog.text


def test_tags_that_were_set_meanwhile_are_read_as_soon_as_the_store_is_back(run, gate):
    gate.shut()
    run.tag("a", "1")
    gate.open()

    assert run.get_tags() == {"a": "1"}
    run.tag("b", "2")
    assert run.tags == {"a": "1", "b": "2"}


# Starting meanwhile


@pytest.fixture(params=["never reached", "reached before"])
def away(request, gate, tracking_uri):
    """A workspace whose server went away, before or after this process had first reached it."""
    workspace = Workspace("s", "g", "w")
    if request.param == "reached before":
        assert isinstance(workspace.experiments, dict)
    gate.shut()
    return workspace


def test_a_run_starts_while_the_store_is_away_and_keeps_its_id(away, gate, server, name):
    run = Experiment(away, name).start_logging(
        snapshot_directory=None, tags={"t": "1"}, display_name="shown", description="what it is"
    )
    run_id = run.id
    run.log("a", 1)
    assert raises_away(lambda: run.get_metrics("a"))
    gate.open()
    run.log("a", 2)

    assert run.get_metrics() == {"a": [1, 2]}
    assert run.id == run_id
    found = Run.get(away, run_id)
    assert found.id == run_id
    assert found.get_metrics() == {"a": [1, 2]}
    assert (found.display_name, found.description, found.tags) == ("shown", "what it is", {"t": "1"})
    assert [each.id for each in Experiment(away, name).get_runs()] == [run_id]
    run.complete()
    (stored,) = plain(server, name)
    assert stored.data.tags[_names.TAG_RUN_ID] == run_id
    assert stored.info.status == "FINISHED"
    assert kept_files() == []


def test_starting_meanwhile_takes_a_few_seconds_at_most(away, name):
    took = seconds_of(lambda: Experiment(away, name).start_logging(snapshot_directory=None))

    assert took < 10


@pytest.mark.alone
def test_starting_on_a_server_that_hangs_takes_a_few_seconds_at_most(gate, tracking_uri, name):
    gate.hang()
    run = []
    took = seconds_of(
        lambda: run.append(Experiment(Workspace("s", "g", "w"), name).start_logging(snapshot_directory=None))
    )
    run[0].log("a", 1)
    gate.open()

    assert took < 15
    assert run[0].get_metrics() == {"a": 1}


def test_a_run_is_in_the_store_before_runs_are_listed(away, gate, name):
    experiment = Experiment(away, name)
    run = experiment.start_logging(snapshot_directory=None)
    gate.open()

    assert [each.id for each in experiment.get_runs()] == [run.id]
    assert experiment.id is not None


@pytest.mark.parametrize("run_id", [None, "my-run"])
@pytest.mark.alone
def test_children_come_under_their_parents(away, gate, server, name, run_id):
    run_id = run_id and f"{run_id}-{name}"
    parent = Experiment(away, name).start_logging(snapshot_directory=None, run_id=run_id)
    child = parent.child_run("child")
    grandchild = child.child_run()
    others = parent.create_children(2)
    for each in (parent, child, grandchild, *others):
        each.log("a", 1)
    gate.open()

    assert {each.id for each in parent.get_children()} == {child.id, *(other.id for other in others)}
    assert len(parent.get_metrics(recursive=True)) == 5
    assert run_id is None or parent.id == run_id
    assert Run.get(away, child.id).parent.id == parent.id
    assert [each.id for each in child.get_children()] == [grandchild.id]
    for each in (grandchild, child, *others, parent):
        each.complete()
    stored = plain(server, name)
    assert [each.info.status for each in stored] == ["FINISHED"] * 5
    assert kept_files() == []


def test_a_child_that_is_started_when_the_store_is_back_comes_under_its_parent(away, gate, name):
    parent = Experiment(away, name).start_logging(snapshot_directory=None)
    gate.open()
    child = parent.child_run("child")

    assert [each.id for each in parent.get_children()] == [child.id]
    assert Run.get(away, child.id).parent.id == parent.id


def test_a_chosen_id_that_the_store_has_already_names_that_run(gate, ws, name):
    experiment = Experiment(ws, name)
    first = experiment.start_logging(snapshot_directory=None, run_id=f"mine-{name}")
    first.log("a", 1)
    first.flush()
    _runtime.reset()
    gate.shut()
    again = Experiment(Workspace("s", "g", "w"), name).start_logging(
        snapshot_directory=None, run_id=f"mine-{name}", tags={"t": "2"}
    )
    again.log("b", 2)
    gate.open()

    assert again.get_metrics() == {"a": 1, "b": 2}
    assert len(list(Experiment(Workspace("s", "g", "w"), name).get_runs())) == 1


def test_the_run_of_the_script_starts_meanwhile(away, gate, server, name, monkeypatch):
    monkeypatch.setenv("AZUREML_ARM_PROJECT_NAME", name)
    run = Run.get_context()
    run.log("a", 1)
    run_id = run.id
    assert Run.get_context() is run
    gate.open()
    run.complete()

    assert Run.get(away, run_id).get_metrics() == {"a": 1}
    assert plain(server, name)[0].info.status == "FINISHED"


def test_a_run_that_was_created_although_the_answer_was_lost_is_not_created_again(exp, server, mocker):
    real = MlflowClient.create_run
    left = [1]

    def create_run(self, *args, **kwargs):
        found = real(self, *args, **kwargs)
        if left:
            left.pop()
            raise NO_ANSWER
        return found

    mocker.patch.object(MlflowClient, "create_run", create_run)
    run = exp.start_logging(snapshot_directory=None)
    run_id = run.id
    run.log("a", 1)

    assert run.get_metrics() == {"a": 1}
    assert run.id == run_id
    (stored,) = plain(server, exp.name)
    assert stored.data.tags[_names.TAG_RUN_ID] == run_id


@pytest.mark.parametrize("end", ["complete", "fail", "cancel"])
def test_a_run_whose_creation_was_not_answered_can_be_ended_at_once(exp, server, mocker, end):
    real = MlflowClient.create_run

    def create_run(self, *args, **kwargs):
        real(self, *args, **kwargs)
        raise NO_ANSWER

    mocker.patch.object(MlflowClient, "create_run", create_run)
    run = exp.start_logging(snapshot_directory=None)
    getattr(run, end)()

    (stored,) = plain(server, exp.name)
    assert stored.info.status == {"complete": "FINISHED", "fail": "FAILED", "cancel": "KILLED"}[end]
    assert kept_files() == []


def test_the_start_time_is_that_of_the_start(away, gate, name):
    before = time.time()
    run = Experiment(away, name).start_logging(snapshot_directory=None)
    after = time.time()
    time.sleep(0.5)
    gate.open()
    run.flush()

    assert before - 1 <= run._refresh().start_time / 1000 <= after


# What is kept besides metrics


def test_tags_properties_and_files_arrive_in_order_when_the_store_is_back(run, gate, server):
    run.tag("before", "1")
    gate.shut()
    run.tag("key", "first")
    run.set_tags({"key": "second", "other": None})
    run.add_properties({"p": "1"})
    run.description = "described"
    Path("file.txt").write_text("kept as it was")
    run.upload_file("files/file.txt", "file.txt")
    Path("file.txt").write_text("changed meanwhile")
    run.log("a", 1)
    gate.open()
    run.tag("key", "third")
    run.complete()

    assert run.get_tags() == {"before": "1", "key": "third", "other": None}
    assert run.get_properties() == {"p": "1"}
    assert run.description == "described"
    assert run.get_file_names() == ["files/file.txt"]
    run.download_file("files/file.txt", "got.txt")
    assert Path("got.txt").read_text() == "kept as it was"
    assert kept_files() == []


def test_all_of_this_can_be_kept_for_a_run_that_is_not_there_yet(away, gate, name):
    from matplotlib import pyplot

    run = Experiment(away, name).start_logging(snapshot_directory=None)
    run.tag("key", "value")
    run.add_properties({"p": "1"})
    figure = pyplot.figure()
    pyplot.plot([1, 2])
    run.log_image("plot", plot=pyplot)
    pyplot.close(figure)
    run.log_confusion_matrix("matrix", {"schema_type": "confusion_matrix", "schema_version": "v1", "data": {}})
    gate.open()
    run.complete()

    found = Run.get(away, run.id)
    assert found.get_tags() == {"key": "value"}
    assert found.get_properties() == {"p": "1"}
    assert set(found.get_metrics()) == {"plot", "matrix"}
    assert len(found.get_file_names()) == 2


def test_files_and_children_find_a_run_that_started_meanwhile_as_soon_as_the_store_is_back(away, gate, name):
    run = Experiment(away, name).start_logging(snapshot_directory=None)
    gate.open()
    Path("a.txt").write_text("a")
    run.upload_file("a.txt", "a.txt")

    assert run.get_file_names() == ["a.txt"]


@pytest.fixture
def uploads_fail(mocker):
    """Have the store take everything but files, until it is told to take those, too."""
    away = ServiceException._from_status(503, "the artifact store does not answer")
    return mocker.patch.object(Store, "upload", side_effect=away)


@pytest.mark.parametrize("stream", [io.BytesIO(b"1 precious"), io.StringIO("1 precious")], ids=["bytes", "text"])
def test_a_stream_whose_upload_alone_fails_is_kept_whole(local_run, uploads_fail, mocker, stream):
    stream.seek(2)
    local_run.upload_file("stream.txt", stream)
    assert not stream.closed
    mocker.stopall()
    local_run.complete()

    local_run.download_file("stream.txt", "got.txt")
    assert Path("got.txt").read_text() == "precious"


def test_metrics_made_of_a_file_whose_upload_alone_fails_are_kept_whole(local_run, uploads_fail, mocker):
    from matplotlib import pyplot

    value = {"schema_type": "confusion_matrix", "schema_version": "v1", "data": {"matrix": [[3, 0], [1, 2]]}}
    local_run.log_confusion_matrix("matrix", value)
    figure = pyplot.figure()
    pyplot.plot([1, 2])
    local_run.log_image("plot", plot=pyplot)
    pyplot.close(figure)
    mocker.stopall()
    local_run.complete()

    for name in local_run.get_file_names():
        local_run.download_file(name, f"got {name}")
    (image,) = Path().glob("got plot_*.png")
    assert image.read_bytes().startswith(b"\x89PNG")
    assert json.loads(Path("got matrix").read_text()) == value


def test_a_stream_that_is_refused_because_its_name_is_taken_can_be_stored_under_another(local_run):
    local_run.upload_file("taken", io.BytesIO(b"first"))
    stream = io.BytesIO(b"second")
    with pytest.raises(AzureMLException, match="already exists"):
        local_run.upload_file("taken", stream)
    local_run.upload_file("free", stream)

    local_run.download_file("free", "got")
    assert Path("got").read_bytes() == b"second"


def test_what_is_kept_of_files_is_private_to_the_user(local_run, uploads_fail):
    Path("open.txt").write_text("x")
    Path("open.txt").chmod(0o644)
    local_run.upload_file("open.txt", "open.txt")
    local_run.upload_file("stream.txt", io.BytesIO(b"x"))
    (folder,) = Path(os.environ["AZML_COMPAT_HOME"]).rglob("*.files")

    assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600, 0o600]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_two_plots_of_one_second_are_both_kept(run, gate):
    from matplotlib import pyplot

    gate.shut()
    figure = pyplot.figure()
    pyplot.plot([1, 2])
    run.log_image("plot", plot=pyplot)
    run.log_image("plot", plot=pyplot)
    pyplot.close(figure)
    gate.open()

    run.flush()
    assert len(run.get_file_names()) == 2


def test_a_file_that_is_too_large_to_be_kept_is_refused(run, gate, mocker):
    mocker.patch("azml_compat._writer._MAX_KEPT_BYTES", 1000)
    Path("large").write_bytes(b"x" * 1001)
    gate.shut()

    with pytest.raises(AzureMLException, match="larger than"):
        run.upload_file("large", "large")
    journal = run._writer._journal
    assert not journal or not list(journal.path.with_suffix(".files").glob("*"))
    gate.open()
    run.complete()
    assert run.get_file_names() == []


def test_a_file_whose_name_is_taken_by_then_is_told_and_does_not_hold_up_the_rest(run, gate, server):
    gate.shut()
    Path("a.txt").write_text("kept")
    run.upload_file("a.txt", "a.txt")
    run.tag("after", "1")
    Path("a.txt").write_text("other")
    MlflowClient(server).log_artifact(run.id, "a.txt")
    gate.open()

    with pytest.raises(AzureMLException, match="already exists"):
        run.flush()
    assert run.get_tags() == {"after": "1"}
    run.complete()
    assert run.status == "Completed"


# Ending meanwhile


@pytest.mark.parametrize(
    ("end", "status", "how"),
    [
        ("complete", "Completed", "shut"),
        ("fail", "Failed", "shut"),
        ("cancel", "Canceled", "shut"),
        ("complete", "Completed", "hang"),
        pytest.param("fail", "Failed", "hang", marks=pytest.mark.alone),
        pytest.param("cancel", "Canceled", "hang", marks=pytest.mark.alone),
    ],
)
@pytest.mark.alone
def test_a_run_that_ends_meanwhile_says_so_within_ten_seconds_and_ends_later(
    run, gate, server, caplog, end, status, how
):
    run.log("a", 1)
    Path("outputs/x.txt").write_text("x")
    getattr(gate, how)()
    arguments = ["because"] if end == "fail" else []
    before = time.time()
    took = seconds_of(lambda: getattr(run, end)(*arguments))
    after = time.time()

    assert took < 10.5
    assert "is sent when the store is back" in caplog.text
    gate.shut()
    assert run.status == status
    time.sleep(1)
    gate.open()
    run.flush()
    (stored,) = plain(server, run.experiment.name)
    assert stored.info.status == {"Completed": "FINISHED", "Failed": "FAILED", "Canceled": "KILLED"}[status]
    assert before <= stored.info.end_time / 1000 + 0.1 <= after + 0.2
    assert run.status == status
    assert run.get_file_names() == ["outputs/x.txt"]
    assert run.get_metrics() == {"a": 1}
    assert end != "fail" or run.get_details()["error"]["error"]["message"] == "because"


@contextlib.contextmanager
def delivered_by_another(run, code):
    """Have another process hold the right to deliver a run, and do `code` meanwhile, with the file of its cursor."""
    folder = run._writer._journal.path.parent
    script = f"""
import fcntl, os, sys, time
lock = os.open({str(folder / "lock")!r}, os.O_RDWR | os.O_CREAT)
fcntl.lockf(lock, fcntl.LOCK_EX)
print("has it", flush=True)
cursor = {str(run._writer._journal.path.with_suffix(".cursor"))!r}
{textwrap.dedent(code)}
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    try:
        assert process.stdout.readline() == "has it\n"
        yield
    finally:
        process.communicate()


def test_a_run_ends_in_time_although_another_process_delivers_it_and_waits_for_a_server(
    local_run, sqlite_uri, monkeypatch, caplog
):
    monkeypatch.setattr("azml_compat._writer._BUSY_SECONDS", 1.0)
    local_run.log("a", 1)
    with delivered_by_another(local_run, "sys.stdin.read()"):
        took = seconds_of(local_run.complete)

    assert took < 5
    assert "is being sent just now" in caplog.text
    local_run.flush()
    assert local_run.status == "Completed"
    assert history(sqlite_uri, plain(sqlite_uri, "experiment")[0], "a") == [1]


@pytest.mark.parametrize("whose", ["its own", "of a child"])
def test_reading_raises_in_time_although_another_process_delivers_the_run(local_run, monkeypatch, whose):
    monkeypatch.setattr("azml_compat._writer._BUSY_SECONDS", 1.0)
    written = local_run if whose == "its own" else local_run.child_run()
    written.log("a", 1)
    with delivered_by_another(written, "sys.stdin.read()"):
        took = seconds_of(lambda: raises_away(lambda: local_run.get_metrics(recursive=True)))

    assert took < 5
    assert local_run.get_metrics(recursive=True) == {written.id: {"a": 1}}


def test_flush_waits_for_another_process_that_delivers_the_run_until_its_time_is_up(local_run, monkeypatch):
    monkeypatch.setattr("azml_compat._writer._BUSY_SECONDS", 0.2)
    local_run.log("a", 1)
    with delivered_by_another(local_run, "time.sleep(2)"):
        local_run.flush(timeout_seconds=60)
    local_run.log("a", 2)
    with delivered_by_another(local_run, "sys.stdin.read()"):
        took = seconds_of(lambda: raises_away(lambda: local_run.flush(timeout_seconds=1)))

    assert 0.9 < took < 4
    assert local_run.get_metrics() == {"a": [1, 2]}


@pytest.mark.alone
def test_what_another_process_waits_for_is_waited_for_eight_seconds(local_run):
    local_run.log("a", 1)
    with delivered_by_another(local_run, "sys.stdin.read()"):
        took = seconds_of(local_run.complete)

    assert took < 11


def test_a_run_that_another_process_delivers_ends_when_that_has_done_it(local_run, sqlite_uri, monkeypatch, caplog):
    monkeypatch.setattr("azml_compat._writer._BUSY_SECONDS", 1.0)
    local_run.log("a", 1)
    code = """
        from azml_compat._journal import Cursor
        descriptor = os.open(cursor, os.O_RDWR)
        before = Cursor.read(descriptor)
        for number in range(15):
            time.sleep(0.2)
            before._replace(at=number + 1).write(descriptor)
        before.write(descriptor)
    """
    with delivered_by_another(local_run, code):
        took = seconds_of(local_run.complete)

    assert took > 2
    assert "being sent" not in caplog.text
    assert plain(sqlite_uri, "experiment")[0].info.status == "FINISHED"
    assert local_run.get_metrics() == {"a": 1}


@pytest.mark.parametrize("how", ["shut", pytest.param("hang", marks=pytest.mark.alone)])
def test_the_end_of_a_script_takes_seconds_and_says_one_line_whatever_the_number_of_its_runs(
    run, gate, server, capsys, caplog, how
):
    children = run.create_children(12)
    for child in children[::2]:
        child.log("a", 1)
    children[1].complete()
    getattr(gate, how)()
    caplog.clear()
    took = seconds_of(lambda: _runtime._end_with_process(Outcome()))

    assert took < 12
    (line,) = capsys.readouterr().err.splitlines()
    assert "12 runs" in line
    assert "azml-compat sync" in line
    assert "does not answer" in line
    assert caplog.text == ""
    gate.open()
    for writer in _runtime.writers():
        writer.flush(60)
    assert [stored.info.status for stored in plain(server, run.experiment.name)] == ["FINISHED"] * 13


def test_the_end_of_a_script_asks_a_store_that_was_away_once_more(run, gate, server, capsys):
    run.child_run().log("a", 1)
    run.log("a", 1)
    gate.shut()
    assert raises_away(lambda: run.flush(timeout_seconds=1))
    gate.open()
    _runtime._end_with_process(Outcome())

    assert [stored.info.status for stored in plain(server, run.experiment.name)] == ["FINISHED"] * 2
    assert capsys.readouterr().err == ""


@pytest.mark.alone
def test_of_many_runs_that_end_on_a_server_that_hangs_only_the_first_takes_long(run, gate):
    children = run.create_children(8)
    gate.hang()
    took = seconds_of(lambda: [child.complete() for child in children])
    gate.open()

    assert took < 26


def test_opening_a_store_that_then_hangs_waits_a_moment_for_what_others_have_left(ws, gate, server, name):
    experiment = Experiment(ws, name)
    for _ in range(4):
        run = experiment.start_logging(snapshot_directory=None)
        run.log("a", 1)
        os.close(run._writer._journal.descriptor)
    _runtime._state.writers.clear()
    _runtime.reset()
    opened = _runtime.outbox().store
    opened._on_open = None
    opened.find_experiment(name)
    gate.hang()
    took = seconds_of(_runtime._recover)
    gate.open()

    assert took < 7
    _runtime._recover()
    assert [stored.info.status for stored in plain(server, name)] == ["FAILED"] * 4


# Scripts

HEAD = """
import os, sys, time
from pathlib import Path
from azml_compat import Experiment, Run, Workspace
def away():
    print("ready", flush=True)
    sys.stdin.readline()
"""


def start_script(code, *options, **env):
    Path("script.py").write_text(HEAD + textwrap.dedent(code))
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", *options, "script.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **env},
    )


def run_script(code, gate, *options, **env):
    """Run a script whose server goes away for good at `away()`; exit code, errors, and how long it went on after it."""
    code_of_exit, _, errors, took = run_away(code, gate.shut, *options, **env)
    return code_of_exit, errors, took


def run_away(code, go_away, *options, **env):
    """Run a script, and `go_away` at its `away()`; exit code, output, errors, and how long it went on after it."""
    process = start_script(code, *options, **env)
    try:
        for line in process.stdout:
            if line.strip() == "ready":
                go_away()
                break
        began = time.monotonic()
        shown, errors = process.communicate("\n", timeout=90)
    finally:
        process.kill()
    return process.returncode, shown, errors, time.monotonic() - began


def sync(*options, code=0, **env):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "azml_compat", "sync", *options],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **env},
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("end", "code_of_exit", "status"),
    [
        ("", 0, "FINISHED"),
        ("sys.exit(3)", 3, "FAILED"),
        pytest.param("raise ValueError('oh')", 1, "FAILED", marks=pytest.mark.alone),
        pytest.param("run.complete()", 0, "FINISHED", marks=pytest.mark.alone),
        pytest.param("run.cancel()", 0, "KILLED", marks=pytest.mark.alone),
        pytest.param("os._exit(0)", 0, "FAILED", marks=pytest.mark.alone),
    ],
)
@pytest.mark.alone
def test_a_script_ends_as_ever_when_the_server_is_gone_for_good_and_sync_completes_its_run(
    gate, tracking_uri, server, name, end, code_of_exit, status
):
    before = time.time()
    code, errors, took = run_script(
        f"""
        run = Experiment(Workspace("s", "g", "w"), "{name}").start_logging(snapshot_directory=None)
        run.log("a", 1)
        away()
        for value in range(2, 1000):
            run.log("a", value)
        Path("outputs/same.txt").write_text("same")
        Path("outputs/changed.txt").write_text("before")
        {end}
        """,
        gate,
    )
    after = time.time()
    assert code == code_of_exit, errors
    assert took < 10
    if "_exit" not in end:
        (line,) = (line for line in errors.splitlines() if "azml-compat sync" in line)
        assert gate.address in line

    report = sync("--dry-run", code=1)
    assert "bytes to be sent" in report
    assert plain(server, name)[0].info.status == "RUNNING"
    Path("outputs/changed.txt").write_text("afterwards")
    gate.open()

    report = sync()
    (stored,) = plain(server, name)
    assert stored.info.status == status
    assert before <= stored.info.end_time / 1000 + 0.1 <= after + 0.2
    assert history(server, stored, "a") == list(range(1, 1000))
    if "_exit" not in end:
        assert "changed.txt has changed since" in report
        client = MlflowClient(server)
        assert [file.path for file in client.list_artifacts(stored.info.run_id, "outputs")] == ["outputs/same.txt"]
    assert kept_files() == []


@pytest.mark.alone
def test_a_script_that_never_reached_the_server_is_completed_by_sync(gate, tracking_uri, server, name):
    gate.shut()
    code, errors, _ = run_script(
        f"""
        run = Experiment(Workspace("s", "g", "w"), "{name}").start_logging(snapshot_directory=None, run_id="x-{name}")
        child = run.child_run("child")
        run.log("a", 1)
        child.log("b", 2)
        child.complete()
        away()
        """,
        gate,
    )
    assert code == 0, errors
    assert errors.count("azml-compat sync") == 1
    assert "2 runs" in errors
    gate.open()

    sync()
    parent, child = plain(server, name)
    assert parent.data.tags[_names.TAG_RUN_ID] == f"x-{name}"
    assert child.data.tags[_names.TAG_PARENT] == parent.info.run_id
    assert [parent.info.status, child.info.status] == ["FINISHED", "FINISHED"]
    assert kept_files() == []


@pytest.mark.alone
def test_what_a_script_left_is_sent_by_the_next_one_that_uses_the_store(gate, tracking_uri, server, name):
    run_script(
        f"""
        run = Experiment(Workspace("s", "g", "w"), "{name}").start_logging(snapshot_directory=None)
        away()
        run.log("a", 1)
        """,
        gate,
    )
    gate.open()
    (run,) = Experiment(Workspace("s", "g", "w"), name).get_runs()

    assert run.status == "Completed"
    assert run.get_metrics() == {"a": 1}


@pytest.mark.alone
def test_the_background_process_sends_what_a_script_left_when_the_server_is_back(gate, tracking_uri, server, name):
    code, errors, _ = run_script(
        f"""
        run = Experiment(Workspace("s", "g", "w"), "{name}").start_logging(snapshot_directory=None)
        away()
        run.log("a", 1)
        time.sleep(3)
        """,
        gate,
        AZML_COMPAT_BACKGROUND="1",
    )
    assert code == 0, errors
    time.sleep(3)
    gate.open()

    assert wait_for(lambda: plain(server, name)[0].info.status == "FINISHED")
    assert history(server, plain(server, name)[0], "a") == [1]


@pytest.mark.alone
@pytest.mark.parametrize("background", ["0", "1"])
def test_a_script_goes_on_and_ends_in_time_on_a_server_that_hangs(gate, tracking_uri, server, name, background):
    """With the background process, which has the right to deliver then, and waits for the server."""
    code, shown, errors, _ = run_away(
        f"""
        def seconds_of(action):
            began = time.monotonic()
            action()
            return time.monotonic() - began
        def read():
            try:
                run.get_metrics()
            except Exception as error:
                assert error.status_code == 503, error
            else:
                assert False, "has read"
        run = Experiment(Workspace("s", "g", "w"), "{name}").start_logging(snapshot_directory=None)
        children = run.create_children(30)
        for child in children:
            child.log("a", 0)
        run.log("a", 0)
        time.sleep(5)
        away()
        print("log", max(seconds_of(lambda: (run.log("a", value), time.sleep(0.02))) for value in range(1, 200)))
        print("get_metrics", seconds_of(read))
        Path("outputs/x.txt").write_text("x")
        print("complete", seconds_of(run.complete))
        print("ends", time.time(), flush=True)
        """,
        gate.hang,
        AZML_COMPAT_BACKGROUND=background,
    )
    ended = time.time()
    took = {what: float(seconds) for what, seconds in map(str.split, shown.splitlines())}
    assert code == 0, errors
    assert took["log"] < 0.2
    assert took["get_metrics"] < 16
    assert took["complete"] < 11
    assert ended - took["ends"] < 12
    (line,) = (line for line in errors.splitlines() if "azml-compat sync" in line)
    assert "31 runs" in line
    assert len(errors.splitlines()) == 2, "that of complete(), and that of the end"
    gate.open()
    if background == "0":
        sync()

    assert wait_for(lambda: kept_files() == [], 100), "all is sent, and what it was kept in is gone"
    runs = plain(server, name)
    assert [run.info.status for run in runs] == ["FINISHED"] * 31
    assert history(server, runs[0], "a") == list(range(200))
    assert MlflowClient(server).list_artifacts(runs[0].info.run_id, "outputs")[0].path == "outputs/x.txt"


@pytest.mark.alone
def test_the_outputs_of_an_attached_script_are_sent_later_too(gate, tracking_uri, ws, name):
    owned = Experiment(ws, name).start_logging(snapshot_directory=None)
    code, errors, took = run_script(
        """
        run = Run.get_context()
        run.log("a", 1)
        Path("outputs/x.txt").write_text("x")
        away()
        """,
        gate,
        AZUREML_RUN_ID=owned.id,
    )
    assert code == 0, errors
    assert took < 10
    gate.open()
    sync()

    assert owned.get_metrics() == {"a": 1}
    assert owned.get_file_names() == ["outputs/x.txt"]
    assert owned.status == "Running"


# sync


@pytest.mark.parametrize(
    "kind", ["http", pytest.param("sqlite", marks=pytest.mark.alone), pytest.param("file", marks=pytest.mark.alone)]
)
@pytest.mark.alone
def test_sync_sends_what_a_killed_script_left_once(kind, request, monkeypatch, server):
    uri = request.getfixturevalue({"http": "server", "sqlite": "sqlite_uri", "file": "file_uri"}[kind])
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    process = start_script("""
        run = Experiment(Workspace("s", "g", "w"), "killed").start_logging(snapshot_directory=None)
        run.log_list("a", list(range(100)))
        away()
    """)
    while process.stdout.readline().strip() != "ready":
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with_address, without_address = {}, {"MLFLOW_TRACKING_URI": ""}
    report = sync(**(with_address if kind != "sqlite" else without_address))

    assert "100 values sent" in report
    assert "It is Failed now" in report
    (run,) = plain(uri, "killed")
    assert run.info.status == "FAILED"
    assert history(uri, run, "a") == list(range(100))


@pytest.mark.alone
def test_sync_leaves_the_runs_of_living_scripts_open_and_sends_what_they_logged(file_uri, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", file_uri)
    process = start_script("""
        run = Experiment(Workspace("s", "g", "w"), "living").start_logging(snapshot_directory=None)
        run.log("a", 1)
        away()
        run.log("a", 2)
    """)
    while process.stdout.readline().strip() != "ready":
        pass
    report = sync()
    (run,) = plain(file_uri, "living")
    assert "1 values sent" in report
    assert run.info.status == "RUNNING"
    assert history(file_uri, run, "a") == [1]
    process.communicate("\n")
    (run,) = plain(file_uri, "living")
    assert run.info.status == "FINISHED"
    assert history(file_uri, run, "a") == [1, 2]


@pytest.mark.alone
def test_a_store_that_wants_credentials_is_sent_to_when_they_are_given(gate, tracking_uri, server, name):
    with_password = gate.address.replace("://", "://user:secret@")
    code, errors, _ = run_script(
        f"""
        run = Experiment(Workspace("s", "g", "w"), "{name}").start_logging(snapshot_directory=None)
        away()
        run.log("a", 1)
        """,
        gate,
        MLFLOW_TRACKING_URI=with_password,
    )
    assert code == 0, errors
    assert "secret" not in errors
    home = Path(os.environ["AZML_COMPAT_HOME"])
    assert not any(b"secret" in file.read_bytes() for file in home.rglob("*") if file.is_file())
    gate.open()

    report = sync(code=1, MLFLOW_TRACKING_URI="")
    assert "wants credentials" in report
    report = sync(MLFLOW_TRACKING_URI=with_password)
    assert "secret" not in report
    assert plain(server, name)[0].info.status == "FINISHED"


def test_journals_of_other_machines_are_named_and_left_alone(gate, run):
    run.log("a", 1)
    path = run._writer._journal.path
    run._writer._journal.close()
    first, _, rest = path.read_bytes().partition(b"\n")
    header = {**json.loads(first[9:]), "boot": "another", "machine": "another", "host": "far-away"}
    path.write_bytes(encode_line(json.dumps(header)) + rest)
    content = path.read_bytes()

    assert "far-away" in sync()
    assert path.read_bytes() == content


def test_sync_that_does_not_reach_the_server_says_so_and_keeps_everything(run, gate):
    run.log("a", 1)
    run._writer._journal.close()
    gate.shut()

    assert "not all could be sent" in sync("--timeout", "1", code=1)
    assert len(kept_files()) == 1


def test_with_nothing_to_do_sync_says_so_and_asks_no_store(gate, tracking_uri):
    gate.shut()

    assert "Nothing is left" in sync()
    assert "Nothing is left" in sync("--dry-run")


# What is no outage


class _Refusing(http.server.BaseHTTPRequestHandler):
    """A server that wants other credentials."""

    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def refusing(monkeypatch):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://user:secret@127.0.0.1:{server.server_port}")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_refused_credentials_are_an_error_at_once(refusing):
    began = time.monotonic()
    with pytest.raises(AuthenticationException):
        Experiment(Workspace("s", "g", "w"), "e").start_logging(snapshot_directory=None)

    assert time.monotonic() - began < 5
    assert kept_files() == []


def test_credentials_that_are_refused_from_now_on_are_an_error_at_once_and_lose_nothing(run, mocker):
    run.log("a", 1)
    refused = MlflowException("no", error_code=UNAUTHENTICATED)
    for method in ("log_batch", "get_run"):
        mocker.patch.object(MlflowClient, method, side_effect=refused)
    began = time.monotonic()
    with pytest.raises(AuthenticationException):
        run.flush()
    with pytest.raises(AuthenticationException):
        run.complete()
    assert time.monotonic() - began < 12
    mocker.stopall()

    run.complete()
    assert run.get_metrics() == {"a": 1}
    assert run.status == "Completed"


# Damage


@pytest.fixture
def damaged(local_exp):
    """Damage the journal of a run whose process has logged 100 values and died, and recover it; the run."""
    run = local_exp.start_logging(snapshot_directory=None)
    for value in range(100):
        run.log("a", value)
    path = run._writer._journal.path

    def damage(change):
        # As when the process had died: nobody holds the lock of the journal, and nothing knows of the run.
        os.close(run._writer._journal.descriptor)
        _runtime._state.writers.clear()
        _runtime.reset()
        path.write_bytes(change(path.read_bytes()))
        (recovered,) = Experiment(Workspace("subscription", "group", "workspace"), "experiment").get_runs()
        assert recovered.id == run.id
        return recovered

    return damage


def lines_from(content):
    return content.splitlines(keepends=True)


@pytest.mark.parametrize("cut", [1, 10, 30, 1000])
def test_a_journal_that_lost_its_end_gives_all_that_is_whole(damaged, cut):
    whole = []

    def change(content):
        content = content[:-cut]
        whole.append(content.count(b"\n") - 2)
        return content

    run = damaged(change)

    assert run.get_metrics() == {"a": list(range(whole[0]))}
    assert run.status == "Failed"
    assert kept_files() == []


@pytest.mark.parametrize(
    "garbage", [b"\0" * 5000, b"\n" * 50, os.urandom(300), b"[[],[]]\n" * 3], ids=["0", "n", "r", "j"]
)
def test_a_journal_with_garbage_in_it_gives_all_that_is_whole_and_says_what_is_not(damaged, garbage, caplog):
    run = damaged(
        lambda content: b"".join([*(lines := lines_from(content))[:50], garbage + b"\n", *lines[50:], garbage])
    )

    assert run.get_metrics() == {"a": list(range(100))}
    assert run.status == "Failed"
    assert "damaged" in caplog.text
    assert len([record for record in caplog.records if "damaged" in record.getMessage()]) <= 4, "not for each line"
    assert kept_files() == []


def test_a_value_that_is_damaged_is_the_only_one_lost(damaged, caplog):
    run = damaged(lambda content: b"".join([*(lines := lines_from(content))[:50], b"x" + lines[50][1:], *lines[51:]]))
    found = run.get_metrics()["a"]

    assert len(found) == 99
    assert found == sorted(found)
    assert "damaged" in caplog.text


@pytest.mark.parametrize("line", [0, 1], ids=["header", "creation"])
def test_a_journal_whose_first_lines_are_damaged_gives_all_others(damaged, line, caplog):
    def change(content):
        lines = lines_from(content)
        lines[line] = b"x" + lines[line][1:]
        return b"".join(lines)

    run = damaged(change)

    assert run.get_metrics() == {"a": list(range(100))}
    assert "damaged" in caplog.text


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"garbage", os.urandom(5000)], ids=["empty", "0", "g", "r"])
def test_a_journal_without_a_whole_line_keeps_nobody_from_working(damaged, content):
    run = damaged(lambda _: content)

    assert run.get_metrics() == {}
    run.experiment.start_logging(snapshot_directory=None).complete()


# A journal that cannot be kept


@pytest.fixture
def disk(mocker):
    """The disk of the journals, which takes nothing more when it is asked not to."""
    return Disk(mocker)


@FULL_OR_READ_ONLY
@pytest.mark.parametrize("is_first", [True, False])
def test_on_a_disk_that_takes_nothing_more_values_go_to_the_store_at_once(
    local_run, disk, error, is_first, caplog, sqlite_uri
):
    local_run.log("a", 1)
    local_run.log("t", "text")
    if not is_first:
        local_run.flush()
        local_run.log("b", 1)
    disk.error = error
    for value in range(2, 10):
        local_run.log("a", value)
        local_run.log_row("r", x=value, y=str(value))
    (stored,) = plain(sqlite_uri, "experiment")
    assert history(sqlite_uri, stored, "a") == list(range(1, 10))
    expected = {
        "a": list(range(1, 10)),
        "t": "text",
        "r": {"x": list(range(2, 10)), "y": [str(value) for value in range(2, 10)]},
        **({} if is_first else {"b": 1}),
    }
    assert local_run.get_metrics() == expected
    assert caplog.text.count("cannot take more") == 1, "told once"
    disk.error = 0
    local_run.log("a", 10)
    assert local_run.get_metrics() == {**expected, "a": list(range(1, 11))}

    local_run.complete()
    assert local_run.status == "Completed"


@FULL_OR_READ_ONLY
def test_a_run_ends_well_on_a_disk_that_takes_nothing_more(local_run, disk, error, sqlite_uri):
    local_run.log("a", 1)
    disk.error = error
    local_run.log("a", 2)
    local_run.tag("key", "value")
    Path("outputs/model").write_text("model")
    local_run.complete()

    (stored,) = plain(sqlite_uri, "experiment")
    assert stored.info.status == "FINISHED"
    assert history(sqlite_uri, stored, "a") == [1, 2]
    assert local_run.get_file_names() == ["outputs/model"]
    assert local_run.get_metrics() == {"a": [1, 2]}
    assert Run.get(local_run.experiment.workspace, local_run.id).get_metrics() == {"a": [1, 2]}


@FULL_OR_READ_ONLY
def test_on_a_disk_that_takes_nothing_from_the_start_values_go_to_the_store_at_once(local_exp, disk, error, sqlite_uri):
    disk.error = error
    run = local_exp.start_logging(snapshot_directory=None)
    for value in range(5):
        run.log("a", value)
        run.log("s", str(value))

    (stored,) = plain(sqlite_uri, "experiment")
    assert history(sqlite_uri, stored, "a") == list(range(5))
    assert run.get_metrics() == {"a": list(range(5)), "s": [str(value) for value in range(5)]}
    run.complete()
    assert run.status == "Completed"


@FULL_OR_READ_ONLY
@pytest.mark.parametrize("has_logged", [False, True])
@pytest.mark.parametrize("has_owner", [False, True])
def test_values_of_a_process_that_joined_a_run_go_to_the_store_when_the_disk_takes_nothing(
    local_exp, disk, error, has_logged, has_owner, sqlite_uri
):
    owner = local_exp.start_logging(snapshot_directory=None)
    if has_owner:
        owner.log("o", 1)
        journal = owner._writer._journal
    else:
        owner.flush()
    _runtime._state.writers.clear()
    _runtime._state.outbox = None  # As in another process; the journal of the owner stays locked, if there is one.
    if not has_owner:
        MlflowClient(sqlite_uri).set_tag(owner.id, "plain", "1")
    joined = Run.get(local_exp.workspace, owner.id)
    if has_logged:
        joined.log("a", 1)
    disk.error = error
    joined.log("a", 2)
    joined.log("a", 3)
    joined.log("t", "text")

    (stored,) = plain(sqlite_uri, "experiment")
    assert history(sqlite_uri, stored, "a") == ([1, 2, 3] if has_logged else [2, 3])
    assert not has_owner or journal.descriptor >= 0


def test_log_raises_only_when_neither_the_disk_nor_the_store_takes_the_value(run, gate, disk):
    run.log("a", 1)
    disk.error = errno.ENOSPC
    gate.shut()
    with pytest.raises(AzureMLException, match=r"No space left.*store"):
        run.log("a", 2)
    with pytest.raises(AzureMLException, match=r"store.*No space left"):
        run.tag("key", "value")
    with pytest.raises(AzureMLException, match=r"store.*No space left"):
        run.complete()
    gate.open()
    run.log("a", 3)
    disk.error = 0
    run.log("a", 4)

    assert run.get_metrics() == {"a": [1, 3, 4]}
    run.complete()
    assert run.status == "Completed"


def test_what_was_told_with_a_value_that_is_not_logged_is_told_with_the_next(run, gate, disk):
    """Only the first point of a name says which name and type it is of, and whose its steps are."""
    logs = {
        "loss (train)": lambda: run.log("loss (train)", 0.5),
        "n": lambda: run.log("n", 3),
        "mine": lambda: run.log("mine", 0.5, step=7),
        "widened": lambda: run.log("widened", 0.5),
        "many": lambda: run.log_list("many", list(range(2500))),
    }
    run.log("widened", 1)
    disk.error = errno.ENOSPC
    gate.shut()
    for log in logs.values():
        with pytest.raises(AzureMLException, match="not logged"):
            log()
    gate.open()
    disk.error = 0
    run.log("other", 1)
    assert run.get_metrics() == {"widened": 1.0, "other": 1}, "and nothing of those that were not logged"
    for log in logs.values():
        log()

    expected = {"loss (train)": 0.5, "n": 3, "mine": 0.5, "widened": [1.0, 0.5], "many": list(range(2500)), "other": 1}
    assert repr(sorted(run.get_metrics().items())) == repr(sorted(expected.items()))


def test_a_run_that_started_meanwhile_gets_its_values_on_a_full_disk_as_soon_as_the_store_is_back(
    away, gate, disk, server, name
):
    run = Experiment(away, name).start_logging(snapshot_directory=None)
    run.log("a", 1)
    disk.error = errno.ENOSPC
    with pytest.raises(AzureMLException, match="No space left"):
        run.log("a", 2)
    gate.open()
    run.log("a", 3)

    (stored,) = plain(server, name)
    assert history(server, stored, "a") == [1, 3]
    assert run.get_metrics() == {"a": [1, 3]}
    run.complete()
    assert plain(server, name)[0].info.status == "FINISHED"


def test_a_run_cannot_start_while_neither_the_store_nor_the_disk_takes_it(exp, gate, disk, mocker):
    real = MlflowClient.create_run

    def create_run(*arguments, **more):
        disk.error = errno.ENOSPC
        raise NO_ANSWER

    mocker.patch.object(MlflowClient, "create_run", create_run)
    assert raises_away(lambda: exp.start_logging(snapshot_directory=None))
    disk.error = 0
    mocker.patch.object(MlflowClient, "create_run", real)
    exp.start_logging(snapshot_directory=None).complete()


def test_a_process_that_can_open_no_more_files_goes_on_logging_and_says_what_it_cannot_do(local_run, mocker):
    local_run.log("a", 1)
    mocker.patch.object(places, "open_private", side_effect=OSError(errno.EMFILE, "Too many open files"))
    local_run.log("a", 2)
    with pytest.raises(ServiceException, match="Too many open files"):
        local_run.flush(timeout_seconds=1)
    local_run.complete()
    mocker.stopall()

    local_run.flush()
    assert local_run.status == "Completed"
    assert local_run.get_metrics() == {"a": [1, 2]}


@pytest.mark.parametrize("what", ["a file", "a link", "of another user"])
def test_without_a_private_home_values_go_to_the_store_at_once(sqlite_uri, monkeypatch, tmp_path, caplog, what):
    home = tmp_path / "bad"
    if what == "a file":
        home.write_text("")
    elif what == "a link":
        home.symlink_to(tmp_path)
    elif os.getuid() == 0:
        home.mkdir()
        os.chown(home, 12345, -1)
    else:
        pytest.skip("giving a folder away takes root")
    monkeypatch.setenv("AZML_COMPAT_HOME", str(home))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    run = Experiment(Workspace("s", "g", "w"), "experiment").start_logging(snapshot_directory=None)
    run.log("a", 1)
    run.log("a", 2)

    (stored,) = plain(sqlite_uri, "experiment")
    assert history(sqlite_uri, stored, "a") == [1, 2]
    assert "No journal can be kept" in caplog.text
    run.complete()
    assert run.status == "Completed"


def test_without_a_home_a_run_cannot_start_while_the_store_is_away(gate, tracking_uri, monkeypatch, tmp_path, name):
    (tmp_path / "bad").write_text("")
    monkeypatch.setenv("AZML_COMPAT_HOME", str(tmp_path / "bad"))
    gate.shut()

    assert raises_away(lambda: Experiment(Workspace("s", "g", "w"), name).start_logging(snapshot_directory=None))


@pytest.fixture
def on_a_small_disk(sqlite_uri, tmp_path):
    """Run code whose journals are on a disk of its own, which is gone with the code; what it printed."""
    home = tmp_path / "small"
    home.mkdir()
    inside = ["unshare", "--mount"]

    def run_code(mount, code):
        mount = ["mount", *mount, home]
        if os.getuid() != 0 or subprocess.run([*inside, *mount], check=False, capture_output=True).returncode:
            pytest.skip("mounting takes root, and may be forbidden even then")
        head = f"""
            import os, subprocess
            from pathlib import Path
            subprocess.run({[str(part) for part in mount]}, check=True)
            def remount(how):
                subprocess.run(["mount", "-o", "remount," + how, {str(home)!r}], check=True)
            from mlflow import MlflowClient
            from azml_compat import Experiment, Run, Workspace
            workspace = Workspace("s", "g", "w")
        """
        done = subprocess.run(
            [*inside, sys.executable, "-W", "ignore", "-c", textwrap.dedent(head) + textwrap.dedent(code)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={
                **os.environ,
                "PYTHONPATH": str(REPOSITORY),
                "MLFLOW_TRACKING_URI": sqlite_uri,
                "AZML_COMPAT_HOME": str(home),
            },
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run_code


_TMPFS = ["-t", "tmpfs", "-o", "size=64k,nr_inodes=40", "tmpfs"]


@pytest.mark.alone
def test_a_disk_that_fills_up_and_is_cleared_again_costs_nothing(on_a_small_disk):
    shown = on_a_small_disk(
        _TMPFS,
        """
        run = Experiment(workspace, "e").start_logging(snapshot_directory=None)
        for value in range(1500):
            run.log("a", value)
        print(run.get_metrics() == {"a": list(range(1500))})
        run.complete()
        print(run.status)
        """,
    )

    assert shown[-2:] == ["True", "Completed"]


@pytest.mark.alone
def test_an_owner_goes_on_when_its_disk_fails_and_becomes_read_only(on_a_small_disk, tmp_path):
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(8 << 20)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True, env={"PATH": "/sbin:/usr/sbin"})
    except FileNotFoundError:
        pytest.skip("there is no ext4 here")
    shown = on_a_small_disk(
        ["-o", "loop", image],
        """
        run = Experiment(workspace, "e").start_logging(snapshot_directory=None)
        run.log("a", 0)
        remount("abort")
        for value in range(1, 5):
            run.log("a", value)
            run.log("t", str(value))
        expected = {"a": list(range(5)), "t": ["1", "2", "3", "4"]}
        print(run.get_metrics() == expected)
        run.complete()
        print(run.get_metrics() == expected, run.status)
        """,
    )

    assert shown[-2:] == ["True", "True Completed"]


@pytest.mark.alone
@pytest.mark.parametrize(
    "make",
    [
        "remount('ro')",
        """subprocess.run(["dd", "if=/dev/zero", f"of={os.environ['AZML_COMPAT_HOME']}/x"])
for number in range(50):
    subprocess.run(["touch", f"{os.environ['AZML_COMPAT_HOME']}/{number}"])""",
    ],
    ids=["read-only", "full"],
)
def test_a_process_that_joins_a_run_goes_on_where_no_journal_can_be_made(on_a_small_disk, sqlite_uri, make):
    code = """
client = MlflowClient()
run = Run.get(workspace, client.create_run(client.create_experiment("e")).info.run_id)
MAKE
run.log("a", 1)
run.log("a", 2)
print(run.get_metrics())
"""
    assert on_a_small_disk(_TMPFS, code.replace("MAKE", make))[-1] == "{'a': [1, 2]}"
    assert history(sqlite_uri, plain(sqlite_uri, "e")[0], "a") == [1, 2]


def test_nothing_is_logged_by_python_about_an_outage_but_warnings(run, gate, caplog):
    caplog.set_level(logging.DEBUG, logger="azml_compat")
    run.log("a", 1)
    gate.shut()
    run.complete()
    gate.open()

    assert {record.levelname for record in caplog.records if record.name == "azml_compat"} == {"WARNING"}


# Runs that were started while the store was away, seen by others


STARTED_AWAY = """
import io, os, sys
from pathlib import Path
from azml_compat import Experiment, Run, Workspace, _runtime
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking import Store

def away(*arguments, **more):
    raise ServiceException._from_status(503, "away")

def start(**more):
    real = Store.create_run
    Store.create_run = away
    run = Experiment(Workspace("s", "g", "w"), "e").start_logging(snapshot_directory=None, **more)
    Store.create_run = real
    return run
"""


def run_started_away(code, uri, *, check=True):
    """Run code that starts a run while the store is away for a moment; what it printed."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STARTED_AWAY + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "MLFLOW_TRACKING_URI": uri,
            "MLFLOW_ALLOW_FILE_STORE": "true",
        },
    )
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_whoever_reads_a_run_that_was_started_meanwhile_reads_all_of_it(file_uri):
    shown = run_started_away(
        """
        import subprocess
        run = start()
        run.log("a", 1)
        run.flush()
        for value in range(2, 6):
            run.log("a", value)
        stored = run._writer.settled_id()
        for run_id in (run.id, stored):
            code = f"from azml_compat import *; print(Run.get(Workspace('s', 'g', 'w'), {run_id!r}).get_metrics())"
            subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
            for value in range(2):
                run.log("b", value)
            print(Run.get(Workspace("s", "g", "w"), run_id).get_metrics(), flush=True)
        """,
        file_uri,
    )

    assert shown[-4:] == [
        "{'a': [1, 2, 3, 4, 5]}",
        "{'a': [1, 2, 3, 4, 5], 'b': [0, 1]}",
        "{'a': [1, 2, 3, 4, 5], 'b': [0, 1]}",
        "{'a': [1, 2, 3, 4, 5], 'b': [0, 1, 0, 1]}",
    ]


@pytest.mark.parametrize("run_id", ["None", pytest.param("'mine'", marks=pytest.mark.alone)])
def test_a_forked_child_adds_to_a_run_that_was_started_meanwhile(file_uri, run_id):
    shown = run_started_away(
        f"""
        run = start(run_id={run_id})
        run.log("own", 1)
        if (child := os.fork()) == 0:
            run.log("child", 1)
            run.log("child", 2)
            print(run.get_metrics()["child"], flush=True)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        print(run.get_metrics())
        run.complete()
        print([str(path) for path in Path(os.environ["AZML_COMPAT_HOME"]).rglob("*.undeliverable")])
        """,
        file_uri,
    )

    assert shown[-3:] == ["[1, 2]", "{'own': 1, 'child': [1, 2]}", "[]"]


def test_the_files_of_a_run_that_starts_meanwhile_go_where_its_script_would_put_them(sqlite_uri, monkeypatch):
    run_started_away(
        """
        Store.find_experiment = Store.create_experiment = away
        run = start()
        run.log("a", 1)
        os._exit(0)
        """,
        sqlite_uri,
    )
    elsewhere = Path("elsewhere")
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    assert "1 values sent" in sync(MLFLOW_TRACKING_URI="", AZML_COMPAT_HOME=os.environ["AZML_COMPAT_HOME"])

    found = MlflowClient(sqlite_uri).get_experiment_by_name("e")
    assert found.artifact_location.startswith(
        (Path(sqlite_uri.removeprefix("sqlite:///")).parent / "mlartifacts").as_uri()
    )


@pytest.mark.parametrize("kind", ["file", pytest.param("sqlite", marks=pytest.mark.alone)])
def test_a_store_that_is_not_mounted_is_waited_for_and_not_made_anew(kind, request, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri = request.getfixturevalue(f"{kind}_uri")
    run_started_away("run = start()\nrun.log('a', 1)\nrun.flush()\nrun.log('a', 2)\nos._exit(0)", uri)
    place = Path(uri.removeprefix("sqlite:///").removeprefix("file://"))
    place.rename(place.with_name("unmounted"))
    assert "is not there. Is its disk mounted?" in sync("--timeout", "1", code=1, MLFLOW_TRACKING_URI="")
    assert not place.exists()
    place.with_name("unmounted").rename(place)
    assert "1 values sent" in sync(MLFLOW_TRACKING_URI="")

    (run,) = plain(uri, "e")
    assert history(uri, run, "a") == [1, 2]


@pytest.mark.parametrize("when", ["uploads", "everything"])
def test_outputs_are_taken_even_if_the_store_fails_once_more_while_they_are_sent(local_run, mocker, when):
    Path("outputs").mkdir(exist_ok=True)
    Path("outputs/model.bin").write_bytes(b"model")
    away = ServiceException._from_status(503, "away")
    names = ["get_run", "upload", "end_run", "log_points", "set_run_tags", "list_artifacts"]
    for name in names:
        mocker.patch.object(Store, name, side_effect=away)
    local_run.log_row("table", a=1, b="x")
    local_run.complete()
    mocker.stopall()
    if when == "uploads":
        mocker.patch.object(Store, "upload", side_effect=away)
        with pytest.raises(ServiceException):
            local_run.flush(timeout_seconds=1)
        mocker.stopall()
    local_run.flush()

    assert local_run.get_status() == "Completed"
    assert local_run.get_file_names() == ["outputs/model.bin"]
    assert local_run.get_metrics() == {"table": {"a": 1, "b": "x"}}
    assert _names.TAG_LOGGED_ARTIFACTS in _runtime.store().get_run(local_run._record.id).tags


def test_files_that_nobody_took_from_a_dead_script_are_named(file_uri):
    code = "run = start(); run.log('a', 1); Path('outputs/model.bin').write_bytes(b'm'); os._exit(0)"
    run_started_away(code, file_uri)
    shown = sync(MLFLOW_TRACKING_URI="", MLFLOW_ALLOW_FILE_STORE="true")

    assert "1 files in " in shown
    assert "model.bin" in shown
    assert "upload_folder" in shown
