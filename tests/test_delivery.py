"""Whatever happens on the way to the store, each value arrives once and in order."""

from __future__ import annotations

import io
import json
import math
import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    BAD_REQUEST,
    ENDPOINT_NOT_FOUND,
    INTERNAL_ERROR,
    INVALID_PARAMETER_VALUE,
    REQUEST_LIMIT_EXCEEDED,
    RESOURCE_DOES_NOT_EXIST,
    TEMPORARILY_UNAVAILABLE,
)

from azml_compat import Run, _names, _runtime
from azml_compat._draining import Drain
from azml_compat._journal.lines import encode_line
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking import Store
from azml_compat.exceptions import AzureMLException

LOCAL = pytest.mark.parametrize("tracking_uri", ["sqlite", "file"], indirect=True)
ONE_LOCAL = pytest.mark.parametrize(
    "tracking_uri", ["file", pytest.param("sqlite", marks=pytest.mark.extra)], indirect=True
)
ONE = pytest.mark.parametrize(
    "tracking_uri",
    ["sqlite", pytest.param("file", marks=pytest.mark.extra), pytest.param("http", marks=pytest.mark.extra)],
    indirect=True,
)
"""For what takes processes of its own: one kind of store in the fast tier, the others in the long one."""
NO_ANSWER = MlflowException("API request to http://x failed with exception [Errno 111] Connection refused")
BUSY = MlflowException("too many", error_code=REQUEST_LIMIT_EXCEEDED)
DOWN = MlflowException("later", error_code=TEMPORARILY_UNAVAILABLE)
BROKEN = MlflowException("something broke", error_code=INTERNAL_ERROR)
WRONG = MlflowException("never", error_code=INVALID_PARAMETER_VALUE)
SHORT_OF_CONNECTIONS = MlflowException("QueuePool limit reached, connection timed out", error_code=BAD_REQUEST)
NOT_MLFLOW = MlflowException("Response body: 'default backend - 404'", error_code=ENDPOINT_NOT_FOUND)


def always(_metrics):
    return True


def fail_metrics(mocker, error, *, times=1000, stored=lambda metrics: 0, when=always):
    """Have requests with metrics fail that `when` picks, after `stored` of their metrics have been stored."""
    real = MlflowClient.log_batch
    left = [times]

    def log_batch(self, run_id, metrics=(), params=(), tags=(), **more):
        if metrics and left[0] and when(metrics):
            left[0] -= 1
            if count := stored(metrics):
                real(self, run_id, metrics=metrics[:count])
            raise error
        return real(self, run_id, metrics=metrics, params=params, tags=tags, **more)

    return mocker.patch.object(MlflowClient, "log_batch", log_batch)


def raw(run):
    """All points of a run as plain MLflow has them, duplicates included: {key: [(step, value)]}."""
    client = MlflowClient(_runtime.store().uri)
    record = client.get_run(_runtime.store().get_run(run._record.id).id)
    return {
        key: sorted((point.step, point.value) for point in client.get_metric_history(record.info.run_id, key))
        for key in record.data.metrics
    }


def steps(values):
    return list(enumerate(map(float, values)))


def kept_aside():
    """What was refused, as the spool keeps it."""
    files = Path(os.environ["AZML_COMPAT_HOME"]).rglob("*.rejected")
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def another_drain(run):
    """Drain a run as another one would that knows nothing of what was delivered before."""
    shared = _runtime.outbox()
    return Drain(shared.store, shared.spool).run(run._writer.spooled_as, time.monotonic() + 60)


# Answers that get lost


@LOCAL
@pytest.mark.parametrize("error", [NO_ANSWER, BROKEN, BUSY, DOWN], ids=["no answer", "500", "429", "503"])
@pytest.mark.parametrize(
    "stored",
    [len, lambda metrics: 0, lambda metrics: 1, lambda metrics: len(metrics) // 2],
    ids=["all", "none", "one", "half"],
)
def test_a_request_that_failed_is_repeated_without_loss_or_duplicate(run, mocker, error, stored):
    for number in range(20):
        run.log("a", float(number))
        run.log("b", -float(number))
    fail_metrics(mocker, error, times=2, stored=stored)
    run.flush()

    assert raw(run) == {"a": steps(range(20)), "b": steps([-n for n in range(20)])}
    assert run.get_metrics() == {"a": [float(n) for n in range(20)], "b": [-float(n) for n in range(20)]}


@LOCAL
def test_what_another_drain_finds_after_a_lost_answer_is_not_sent_again(run, mocker):
    run.log_list("a", [float(n) for n in range(2500)])
    fail_metrics(mocker, NO_ANSWER, times=1, stored=len, when=lambda metrics: metrics[0].step >= 1000)
    first = another_drain(run)
    assert first.away is not None
    assert first.delivered == 1000
    assert another_drain(run).is_complete
    run.log("a", 2500.0)
    run.flush()

    assert raw(run) == {"a": steps(range(2501))}


@LOCAL
def test_equal_values_of_one_name_are_all_kept_when_an_answer_was_lost(run, mocker):
    for _ in range(30):
        run.log("a", 1.0)
        run.log("s", 1.0, step=3)
    fail_metrics(mocker, NO_ANSWER, times=1, stored=lambda metrics: 17)
    run.flush()

    assert run.get_metrics() == {"a": [1.0] * 30, "s": [1.0] * 30}
    assert [len(points) for points in raw(run).values()] == [30, 30]


@LOCAL
def test_strings_behind_a_delivery_without_an_answer_are_delivered(run, mocker):
    for text in ("one", "two", "three"):
        run.log("text", text)
    with _runtime.outbox().spool.open(run._writer._journal.path) as file:
        # As a drain leaves it that died after it had said what it was about to send.
        file.set_cursor(file.cursor._replace(sent=file.size))
    assert another_drain(run).is_complete
    run.log("text", "four")

    assert run.get_metrics() == {"text": ["one", "two", "three", "four"]}
    assert kept_aside() == []


@LOCAL
def test_nan_and_infinity_are_not_doubled_when_an_answer_was_lost(run, mocker):
    run.log_list("a", [math.nan, math.inf, -math.inf, -0.0, 1.5])
    fail_metrics(mocker, NO_ANSWER, times=1, stored=len)
    run.flush()

    assert [len(points) for points in raw(run).values()] == [5]
    assert repr(run.get_metrics()) == repr({"a": [math.nan, math.inf, -math.inf, -0.0, 1.5]})


@LOCAL
@pytest.mark.parametrize("damage", [b"", b"garbage", b"00000000 [0, 0, 0, null]"], ids=["gone", "garbage", "wrong"])
def test_a_damaged_cursor_costs_a_comparison_and_nothing_else(run, damage):
    run.log_list("a", list(range(30)))
    run.log("t", "text")
    run.flush()
    with _runtime.outbox().spool.open(run._writer._journal.path) as file:
        cursor = file.path.with_suffix(".cursor")
    cursor.write_bytes(damage or b"x")
    run.log("a", 30)
    run.flush()

    assert raw(run)["a"] == steps(range(31))
    assert run.get_metrics() == {"a": list(range(31)), "t": "text"}


# What the store refuses


@LOCAL
@pytest.mark.parametrize(("error", "status"), [(WRONG, 400), (BROKEN, 500)], ids=["400", "500"])
def test_a_refused_value_is_set_aside_and_told_once_and_all_others_arrive(run, mocker, error, status):
    for number in range(100):
        run.log("a", float(number))
    fail_metrics(mocker, error, when=lambda metrics: any(metric.value == 37 for metric in metrics))

    with pytest.raises(ServiceException) as caught:
        run.flush()
    assert caught.value.status_code == status
    assert [json.loads(kept["line"])[1][0][3] for kept in kept_aside()] == [37.0]

    run.flush()
    run.log("a", 100.0)
    run.flush()
    assert raw(run)["a"] == [(n, float(n)) for n in range(101) if n != 37]
    run.complete()
    assert run.status == "Completed"
    assert len(kept_aside()) == 1, "it outlives the journal"


@LOCAL
def test_a_refused_value_does_not_keep_a_run_from_ending(run, mocker):
    run.log("a", 1.0)
    run.log("a", 2.0)
    fail_metrics(mocker, WRONG, when=lambda metrics: any(metric.value == 1 for metric in metrics))

    with pytest.raises(ServiceException, match="never"):
        run.complete()
    assert run.status == "Completed"
    assert raw(run)["a"] == [(1, 2.0)]


@pytest.mark.parametrize("tracking_uri", ["sqlite"], indirect=True)
def test_a_value_that_is_refused_while_the_outputs_are_taken_is_told_by_complete(run, mocker):
    run.log("good", 1.0)
    fail_metrics(mocker, WRONG, when=lambda metrics: any(metric.key == "bad" for metric in metrics))
    mocker.patch.object(run, "_capture_outputs", side_effect=lambda: run.log("bad", 2.0))

    with pytest.raises(ServiceException, match="never"):
        run.complete()
    assert run.status == "Completed"
    assert run.get_metrics() == {"good": 1.0}


@LOCAL
def test_what_another_drain_found_refused_is_told_by_the_next_flush_of_the_run(run, mocker):
    run.log("a", 1.0)
    run.log("a", 2.0)
    fail_metrics(mocker, WRONG, when=lambda metrics: any(metric.value == 1 for metric in metrics))
    assert len(another_drain(run).refused) == 1

    with pytest.raises(AzureMLException, match="never"):
        run.flush()
    run.flush()


@LOCAL
def test_each_of_many_refused_values_is_set_aside(run, mocker):
    for number in range(64):
        run.log("a", float(number))
    fail_metrics(mocker, WRONG, when=lambda metrics: any(metric.value % 3 == 0 for metric in metrics))
    with pytest.raises(ServiceException, match="never"):
        run.flush()

    assert raw(run)["a"] == [(n, float(n)) for n in range(64) if n % 3]
    assert len(kept_aside()) == 22


@LOCAL
@pytest.mark.parametrize("error", [BUSY, DOWN, NO_ANSWER], ids=["429", "503", "no answer"])
def test_a_store_that_cannot_take_more_now_gets_everything_later(run, mocker, error):
    run.log_list("a", [1.0, 2.0])
    fail_metrics(mocker, error)
    began = time.monotonic()
    with pytest.raises(ServiceException) as caught:
        run.flush(timeout_seconds=1)
    assert time.monotonic() - began < 3
    assert caught.value.status_code in (429, 503)
    assert kept_aside() == []
    mocker.stopall()

    run.flush()
    assert raw(run) == {"a": [(0, 1.0), (1, 2.0)]}


@LOCAL
def test_a_store_that_takes_nothing_at_all_refuses_nothing_in_particular(run, mocker):
    run.log_list("a", [1.0, 2.0])
    mocker.patch.object(MlflowClient, "log_batch", side_effect=BROKEN)
    with pytest.raises(ServiceException, match="something broke"):
        run.flush(timeout_seconds=2)
    mocker.stopall()
    assert kept_aside() == []

    run.flush()
    assert run.get_metrics() == {"a": [1.0, 2.0]}


@LOCAL
def test_of_a_run_that_was_deleted_meanwhile_the_journal_is_kept(run):
    run.log("a", 1.0)
    client = MlflowClient(_runtime.store().uri)
    client.delete_run(run.id)
    with pytest.raises(AzureMLException, match="not in the store any more"):
        run.flush()
    _runtime._end_with_process(_runtime.Outcome())

    (kept,) = Path(os.environ["AZML_COMPAT_HOME"]).rglob("*.undeliverable")
    assert b'"a"' in kept.read_bytes()


# Several drains of one run


@LOCAL
def test_threads_that_log_and_drain_one_run_lose_and_double_nothing(run):
    def work(number):
        drain = Drain(_runtime.outbox().store, _runtime.outbox().spool)
        for value in range(50):
            run.log(f"thread {number}", value)
            run.log("all", number * 100.0 + value)
            if value % 10 == 0:
                drain.run(run.id, time.monotonic() + 10)
            if value % 25 == 0:
                run.flush()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    metrics = run.get_metrics()

    assert [metrics[f"thread {number}"] for number in range(4)] == [list(range(50))] * 4
    assert sorted(metrics["all"]) == [number * 100.0 + value for number in range(4) for value in range(50)]
    for number in range(4):
        mine = [value for value in metrics["all"] if value // 100 == number]
        assert mine == sorted(mine), "values of one thread are in the order of its calls"


def test_flush_returns_while_another_thread_goes_on_logging(local_run):
    stop = threading.Event()

    def log():
        while not stop.is_set():
            for _ in range(200):
                local_run.log("b", 1.0)
            time.sleep(0.001)

    thread = threading.Thread(target=log)
    thread.start()
    try:
        local_run.log("a", 1.0)
        local_run.flush(timeout_seconds=10)
    finally:
        stop.set()
        thread.join()

    assert raw(local_run)["a"] == [(0, 1.0)]


@ONE
def test_another_process_reads_everything_of_a_run_that_is_being_written(run, python):
    run.log_list("a", list(range(2000)))
    run.log_row("t", x=1, y="two")
    printed = python(
        "import sys; from azml_compat import Run, Workspace;"
        "m = Run.get(Workspace('s', 'g', 'w'), sys.argv[1]).get_metrics();"
        "print(m['a'] == list(range(2000)), m['t'])",
        run.id,
    )
    assert printed.split(maxsplit=1) == ["True", "{'x': 1, 'y': 'two'}\n"]
    assert run.status == "Running"

    run.log("a", 2000)
    assert run.get_metrics()["a"] == list(range(2001))
    assert raw(run)["a"] == steps(range(2001))


@ONE_LOCAL
def test_processes_that_log_to_one_run_and_read_it_meanwhile_lose_and_double_nothing(run, python):
    code = """
import sys
from azml_compat import Run, Workspace
run = Run.get(Workspace('s', 'g', 'w'), sys.argv[1])
for value in range(100):
    run.log("all", int(sys.argv[2]) * 1000 + value)
    if value % 20 == 0:
        run.get_metrics()
run.flush()
"""
    threads = [threading.Thread(target=python, args=(code, run.id, str(number))) for number in range(3)]
    for thread in threads:
        thread.start()
    logged = 0
    while any(thread.is_alive() for thread in threads):
        run.log("all", 9000 + logged)
        logged += 1
        if logged % 20 == 0:
            run.flush()
        time.sleep(0.02)
    found = run.get_metrics()["all"]

    expected = [number * 1000 + value for number in range(3) for value in range(100)]
    assert sorted(found) == expected + [9000 + value for value in range(logged)]
    for number in (0, 1, 2, 9):
        mine = [value for value in found if value // 1000 == number]
        assert mine == sorted(mine)


# The sidecar, and the seal of single values


@LOCAL
def test_a_sidecar_of_many_pages_and_segments_reads_back_whole_whoever_drained_it(run):
    drains = [Drain(_runtime.outbox().store, _runtime.outbox().spool) for _ in range(2)]
    expected = []
    for turn in range(30):
        texts = [f"{turn}-{number}-{'x' * 60}" for number in range(40)]
        run.log_list("texts", texts)
        run.log(f"name {turn}", turn)
        expected += texts
        assert drains[turn % 2].run(run.id, time.monotonic() + 60).is_complete
    metrics = run.get_metrics()

    assert metrics["texts"] == expected
    assert [metrics[f"name {turn}"] for turn in range(30)] == list(range(30))
    segments = MlflowClient(_runtime.store().uri).list_artifacts(
        run.id, f"{_names.PATH_SIDECAR}/{run._writer._journal.name}"
    )
    assert len(segments) > 1


@LOCAL
def test_a_sidecar_whose_tags_were_stored_without_an_answer_reads_back_whole(run, mocker):
    real = MlflowClient.log_batch
    left = [3]

    def log_batch(self, run_id, metrics=(), params=(), tags=(), **more):
        real(self, run_id, metrics=metrics, params=params, tags=tags, **more)
        if left[0] and any(tag.key.startswith(_names.TAG_SIDECAR) for tag in tags):
            left[0] -= 1
            raise NO_ANSWER

    mocker.patch.object(MlflowClient, "log_batch", log_batch)
    for turn in range(5):
        run.log("a", f"text {turn}")
        run.log("b", turn)
        another_drain(run)
    assert left == [0]

    assert run.get_metrics() == {"a": [f"text {turn}" for turn in range(5)], "b": list(range(5))}
    assert raw(run)["b"] == steps(range(5))


class Requests:
    """Counts the histories that are asked for."""

    def __init__(self, mocker):
        from mlflow.store.tracking.rest_store import RestStore

        self._spy = mocker.spy(RestStore, "get_metric_history")

    @property
    def keys(self):
        return {call.args[2] for call in self._spy.call_args_list}


@pytest.mark.parametrize("tracking_uri", ["http"], indirect=True)
def test_single_values_stay_known_over_drains_and_drainers(run, mocker):
    expected = {}

    def log(name, value):
        run.log(name, value)
        expected.setdefault(name, []).append(value)

    drains = [Drain(_runtime.outbox().store, _runtime.outbox().spool) for _ in range(2)]
    plans = [["a", "b"], ["c"], ["b"], ["d", "d"], ["a"], ["e", "f"], ["c", "g"]]
    for turn, names in enumerate(plans):
        for name in names:
            log(name, float(turn))
        drains[turn % 2].run(run.id, time.monotonic() + 60)
        reading = Run.get(run.experiment.workspace, run.id)
        assert reading.get_metrics() == {
            name: values if len(values) > 1 else values[0] for name, values in expected.items()
        }
    requests = Requests(mocker)
    run.get_metrics()

    assert requests.keys <= {"a", "b", "c", "d"}, "those of one value need no history"


@pytest.mark.parametrize("tracking_uri", ["http"], indirect=True)
def test_a_second_value_whose_answer_was_lost_is_not_hidden_by_the_seal(run, mocker):
    run.log("a", 1.0)
    run.log("b", 1.0)
    run.flush()
    run.log("a", 2.0)
    fail_metrics(mocker, NO_ANSWER, stored=len)
    another_drain(run)
    mocker.stopall()
    client = MlflowClient(_runtime.store().uri)
    assert len(client.get_metric_history(run.id, "a")) == 2

    from azml_compat._reading import read_metrics

    found = read_metrics(_runtime.store(), _runtime.store().get_run(run.id), lambda _: None)
    assert found == {"a": [1.0, 2.0], "b": 1.0}
    assert run.get_metrics() == {"a": [1.0, 2.0], "b": 1.0}


@pytest.mark.parametrize("tracking_uri", ["http"], indirect=True)
def test_values_of_a_guest_are_not_hidden_by_the_owners_seal(run, python):
    run.log("a", 1.0)
    run.flush()
    python(
        "import sys; from azml_compat import Run, Workspace;"
        "r = Run.get(Workspace('s', 'g', 'w'), sys.argv[1]); r.log('a', 2.0); r.log('b', 1.0); r.flush()",
        run.id,
    )
    run.log("c", 1.0)

    assert run.get_metrics() == {"a": [1.0, 2.0], "b": 1.0, "c": 1.0}


# Everything comes back

NUMBERS = st.integers(-5, 5) | st.sampled_from([1.5, -0.0, math.inf, 2**60, True])
CELLS = NUMBERS | st.sampled_from(["text", "", "ä\n", None])
NAMES = st.sampled_from(["a", "b", "a.x", "nä me", "t"])
CALLS = st.one_of(
    st.tuples(st.just("log"), NAMES, CELLS),
    st.tuples(st.just("log_list"), NAMES, st.lists(CELLS, min_size=2, max_size=4)),
    st.tuples(
        st.just("log_row"), st.sampled_from(["t", "u"]), st.dictionaries(st.sampled_from("xyz"), CELLS, min_size=1)
    ),
    st.sampled_from([("flush",), ("drain",), ("reopen",), ("lose",), ("read",)]),
)


def model_of(calls):
    """What get_metrics gives when everything is logged in one go, which other tests compare with the original."""
    return [call for call in calls if call[0].startswith("log")]


def do_log(run, call):
    kind, name, value = call
    if kind == "log_row":
        run.log_row(name, **value)
    else:
        getattr(run, kind)(name, value)


@LOCAL
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(CALLS, min_size=1, max_size=14))
def test_it_makes_no_difference_when_by_whom_and_with_which_mishaps_things_are_delivered(exp, calls):
    plain = exp.start_logging(snapshot_directory=None)
    run = exp.start_logging(snapshot_directory=None)
    client = MlflowClient(_runtime.store().uri)
    counts = {}
    for call in calls:
        if call[0].startswith("log"):
            do_log(run, call)
            do_log(plain, call)
        elif call[0] == "flush":
            run.flush()
        elif call[0] == "drain":
            assert another_drain(run).is_complete
        elif call[0] == "reopen":
            run = Run.get(exp.workspace, run.id)
        elif call[0] == "lose":
            with pytest.MonkeyPatch.context() as patch:
                real = MlflowClient.log_batch

                def log_batch(self, run_id, metrics=(), real=real, **more):
                    real(self, run_id, metrics=metrics, **more)
                    if metrics:
                        raise NO_ANSWER

                patch.setattr(MlflowClient, "log_batch", log_batch)
                another_drain(run)
        else:
            assert repr(run.get_metrics()) == repr(plain.get_metrics())
    assert repr(run.get_metrics()) == repr(plain.get_metrics())
    counts = [
        {key: len(client.get_metric_history(each.id, key)) for key in client.get_run(each.id).data.metrics}
        for each in (run, plain)
    ]
    assert counts[0] == counts[1]
    run.complete()
    plain.complete()


@ONE_LOCAL
def test_a_run_that_another_process_goes_on_with_later_keeps_its_order(exp, python):
    code = """
import sys
from azml_compat import Experiment, Run, Workspace
ws = Workspace('s', 'g', 'w')
run = Run.get(ws, sys.argv[1])
for value in range(int(sys.argv[2]), int(sys.argv[2]) + 20):
    run.log("a", value)
    run.log("s", str(value))
"""
    run = exp.start_logging(snapshot_directory=None)
    for value in range(20):
        run.log("a", value)
        run.log("s", str(value))
    python(code, run.id, "20")
    python(code, run.id, "40")

    assert run.get_metrics() == {"a": list(range(60)), "s": [str(value) for value in range(60)]}


def test_what_a_drain_remembers_of_runs_is_bounded_and_can_be_forgotten(local_exp, mocker):
    mocker.patch("azml_compat._draining._MAX_DELIVERIES", 2)
    runs = [local_exp.start_logging(snapshot_directory=None) for _ in range(5)]
    for turn in range(3):
        for run in runs:
            run.log("a", turn)
            run.log("t", str(turn))
            run.flush()

    assert len(_runtime.outbox().drain._deliveries) <= 2
    assert [run.get_metrics() for run in runs] == [{"a": [0, 1, 2], "t": ["0", "1", "2"]}] * 5


FULL = OSError(28, "No space left on device")


@LOCAL
def test_a_disk_on_which_nothing_can_be_noted_keeps_no_process_from_delivering_its_own(run, mocker):
    run.log_list("a", [1.0, 2.0])
    mocker.patch("os.pwrite", side_effect=FULL)
    run.flush()
    run.log("a", 3.0)
    assert run.get_metrics() == {"a": [1.0, 2.0, 3.0]}
    mocker.stopall()
    run.log("a", 4.0)
    assert another_drain(run).is_complete

    assert raw(run)["a"] == steps([1.0, 2.0, 3.0, 4.0])


def die(run):
    """Have the journal of a run be that of a process that is gone."""
    _runtime.outbox().spool.release(run._writer._journal)
    _runtime._state.writers.clear()


@LOCAL
def test_a_disk_on_which_nothing_can_be_noted_makes_no_value_of_the_dead_a_refused_one(run, mocker):
    run.log_list("a", [1.0, 2.0])
    die(run)
    mocker.patch("os.pwrite", side_effect=FULL)
    report = another_drain(run)
    assert "No space left" in str(report.away)
    assert report.pending
    mocker.stopall()
    assert kept_aside() == []
    assert raw(run) == {}

    assert another_drain(run).is_complete
    assert raw(run) == {"a": [(0, 1.0), (1, 2.0)]}


@LOCAL
@pytest.mark.parametrize("is_alive", [True, False])
def test_a_cursor_that_cannot_be_moved_after_a_delivery_doubles_nothing(run, mocker, is_alive):
    run.log_list("a", [1.0, 2.0])
    if not is_alive:
        die(run)
    real = os.pwrite
    sent = mocker.spy(Store, "log_points")

    def pwrite(*arguments):
        if sent.call_count:
            raise FULL
        return real(*arguments)

    mocker.patch("os.pwrite", pwrite)
    assert (another_drain(run).away is None) == is_alive
    assert raw(run) == {"a": [(0, 1.0), (1, 2.0)]}
    mocker.stopall()
    assert another_drain(run).is_complete

    assert raw(run) == {"a": [(0, 1.0), (1, 2.0)]}


@LOCAL
def test_what_was_sent_before_the_machine_was_restarted_is_not_sent_again(run):
    """A power cut may take what was noted of it, and leave the lines."""
    run.log_list("a", [1.0, 2.0])
    run.flush()
    run.log("a", 3.0)
    path = run._writer._journal.path
    die(run)
    first, _, rest = path.read_bytes().partition(b"\n")
    facts = json.loads(first[9:])
    before = encode_line(json.dumps({**facts, "boot": "x" * len(facts["boot"])}))
    path.write_bytes(before + rest)
    path.with_suffix(".cursor").write_bytes(b"")
    os.utime(path, (1, 1))
    assert another_drain(run).is_complete

    assert raw(run)["a"] == steps([1.0, 2.0, 3.0])


@LOCAL
def test_what_a_full_disk_did_not_let_a_process_note_is_not_sent_again_when_it_is_dead(run, mocker):
    run.log_list("a", [1.0, 2.0])
    mocker.patch("os.pwrite", side_effect=FULL)
    run.flush()
    mocker.stopall()
    run.log("a", 3.0)
    die(run)
    assert another_drain(run).is_complete

    assert raw(run)["a"] == steps([1.0, 2.0, 3.0])


@LOCAL
@pytest.mark.parametrize("delivered", [0, 2])
def test_what_the_dead_left_is_compared_with_the_store_as_far_as_anything_is_stored(run, mocker, delivered):
    values = [list(range(start, start + 1000)) for start in range(0, 5000, 1000)]
    for chunk in values[:delivered]:
        run.log_list("a", chunk)
        run.flush()
    for chunk in values[delivered:]:
        run.log_list("a", chunk)
    run._writer._journal.path.with_suffix(".cursor").write_bytes(b"")
    die(run)
    read = mocker.spy(Store, "histories")
    assert another_drain(run).is_complete

    assert read.call_count == delivered + 1
    assert raw(run)["a"] == steps(range(5000))


@LOCAL
def test_a_disk_that_fails_to_force_lines_out_doubles_none(exp, monkeypatch, mocker):
    monkeypatch.setenv("AZML_COMPAT_FSYNC", "always")
    run = exp.start_logging(snapshot_directory=None)
    run.log("a", 1.0)
    mocker.patch("os.fsync", side_effect=OSError(5, "Input/output error"))
    run.log("a", 2.0)
    run.log("a", 3.0)
    mocker.stopall()
    run.log("a", 4.0)
    run.flush()

    assert raw(run)["a"] == steps([1.0, 2.0, 3.0, 4.0])


# What is no refusal


@LOCAL
@pytest.mark.parametrize("error", [SHORT_OF_CONNECTIONS, NOT_MLFLOW], ids=["a database", "a proxy"])
def test_what_need_not_be_about_the_values_refuses_none_of_them(run, mocker, error):
    for number in range(10):
        run.log("a", float(number))
    fail_metrics(mocker, error, times=2)
    run.flush()

    assert kept_aside() == []
    assert raw(run) == {"a": steps(range(10))}


@LOCAL
@pytest.mark.parametrize("error", [SHORT_OF_CONNECTIONS, NOT_MLFLOW, WRONG], ids=["a database", "a proxy", "MLflow"])
def test_a_store_that_takes_nothing_at_all_refuses_nothing(run, mocker, error):
    run.log("a", 1.0)
    run.log("t", "a text")
    mocker.patch.object(MlflowClient, "log_batch", side_effect=error)
    with pytest.raises(ServiceException):
        run.flush(timeout_seconds=2)
    mocker.stopall()
    assert kept_aside() == []

    assert run.get_metrics() == {"a": 1.0, "t": "a text"}


@ONE_LOCAL
def test_values_wait_for_files_that_cannot_be_stored(run, mocker):
    class NoCredentialsError(Exception):
        pass

    texts = [f"text {number}" for number in range(1200)]
    for text in texts:
        run.log("t", text)
    run.log("a", 1.0)
    mocker.patch.object(Store, "upload", side_effect=NoCredentialsError("Unable to locate credentials"))
    with pytest.raises(ServiceException, match="Unable to locate credentials") as caught:
        run.flush(timeout_seconds=5)
    assert caught.value.status_code == 503
    run.log("a", 2.0)
    mocker.stopall()
    assert kept_aside() == []

    assert run.get_metrics() == {"t": texts, "a": [1.0, 2.0]}


MEANWHILE = """
import sys, time
from pathlib import Path
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from azml_compat._draining import Drain
from azml_compat._journal.lines import encode_line
from azml_compat._journal import Spool
from azml_compat._tracking import Store

def answer(*arguments, **more):
    raise MlflowException("no", error_code=int(sys.argv[3]))

uri, folder, _ = sys.argv[1:]
MlflowClient.log_batch = MlflowClient.get_run = answer
store, spool = Store(uri), Spool(uri, Path(folder))
for run in spool.runs():
    report = Drain(store, spool).run(run, time.monotonic() + 20)
    print(report.away is not None, report.refused)
"""


@ONE_LOCAL
@pytest.mark.parametrize("code", [ENDPOINT_NOT_FOUND, RESOURCE_DOES_NOT_EXIST], ids=["a proxy", "MLflow"])
def test_a_process_that_is_told_there_is_no_such_run_leaves_the_journal_of_a_living_one(run, python, code):
    run.log("a", 0.0)
    run.flush()
    run.log("a", 1.0)
    shared = _runtime.outbox()
    assert python(MEANWHILE, shared.store.uri, str(shared.spool.folder), str(code)).split() == ["True", "[]"]
    run.log("a", 2.0)
    run.complete()

    assert raw(run) == {"a": steps(range(3))}
    assert run.get_status() == "Completed"


@LOCAL
def test_a_file_that_is_refused_is_kept_with_its_content(run, mocker, tmp_path):
    upload = mocker.patch.object(Store, "upload", side_effect=ServiceException._from_status(503, "away"))
    run.upload_file("a.txt", io.BytesIO(b"precious"))
    mocker.stop(upload)
    (tmp_path / "a.txt").write_text("another")
    MlflowClient(_runtime.store().uri).log_artifact(run._record.id, str(tmp_path / "a.txt"))
    with pytest.raises(AzureMLException):
        run.complete()
    (entry,) = kept_aside()
    (content,) = Path(os.environ["AZML_COMPAT_HOME"]).rglob("*.content")

    assert json.loads(entry["line"])["content"] in content.name
    assert content.read_bytes() == b"precious"
    assert content.stat().st_mode & 0o077 == 0
