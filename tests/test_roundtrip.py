"""What the log calls of a real run read back as, on real stores, against the model of test_metrics_codec."""

from __future__ import annotations

import itertools
import math
import os
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings

from azml_compat import Experiment, Run, Workspace
from azml_compat.exceptions import AzureMLException, UserErrorException
from tests.test_metrics_codec import HUGE, NAMES, Call, Location, Model, calls, log, typed

LOCAL = pytest.mark.parametrize("tracking_uri", ["sqlite", "file"], indirect=True)
SERVER = pytest.mark.parametrize("tracking_uri", [pytest.param("http", marks=pytest.mark.extra)], indirect=True)
ALL = pytest.mark.parametrize(
    "tracking_uri", ["sqlite", "file", pytest.param("http", marks=pytest.mark.extra)], indirect=True
)
PNG = b"\x89PNG\r\n\x1a\n"

on_a_store = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
at_length = settings(on_a_store, max_examples=150)


def apply(run, call: Call):
    if call.kind == "artifact":
        Path("image.png").write_bytes(PNG)
        path = Path(call.value)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(PNG)
        run.log_image(call.name, path=call.value)
    elif call.kind == "log_row":
        run.log_row(call.name, **call.value)
    elif call.step is not None:
        run.log(call.name, call.value, step=call.step)
    else:
        getattr(run, call.kind)(call.name, call.value)


def expected(run, model: Model) -> dict:
    def located(value):
        if isinstance(value, Location):
            return f"aml://artifactId/ExperimentRun/dcid.{run.id}/{value}"
        if isinstance(value, dict):
            return {key: located(item) for key, item in value.items()}
        return [located(item) for item in value] if isinstance(value, list) else value

    return {name: located(value) for name, value in model.read().items()}


def assert_reads_back(exp, sequence):
    run, model = exp.start_logging(snapshot_directory=None), Model()
    for call in sequence:
        apply(run, call)
        model.apply(call)
    wanted = expected(run, model)

    assert typed(run.get_metrics()) == typed(wanted)
    for name in list(wanted)[:2]:
        assert typed(run.get_metrics(name)) == typed({name: wanted[name]})
    run.complete()
    assert typed(Run.get(exp.workspace, run.id).get_metrics()) == typed(wanted)


A_BESIDE_A_TABLE = [
    *log("a", 1.0),
    *log("a/b", 2),
    *log("a.b", "three"),
    Call("log_row", "a", {"b": 4, "a": True}),
    *log("Loss", 5.0),
    *log("loss", 6.0),
]
HOSTILE = [
    Call("log", name, [number, number + 0.5, f"{number}"][number % 3])
    for number, name in enumerate([*dict.fromkeys(NAMES), *NAMES[:9]])
]
FLOATS = [0.0, -0.0, math.nan, math.inf, -math.inf]
VALUES = [0, True, None, "", "x" * 10_000, "\udcff", 2**53 + 1, -(2**64)]
MIXED = [
    *log("v", *VALUES, 10**400, *FLOATS),
    *log("ints", 1, 2, 2**53 + 1, 10**400),
    *log("widened", 1, True, 2**53 + 1, 0.5, 10**400),
    *log("bools", True, False, 1, 0.5),
    *log("stepped", 3.0, 1, 2.0, 1, -1, steps=(3, 1, 2, 1, -(2**63) + 1)),
    *log("partly", 3, 1, 2, steps=(7, None, 0)),
    Call("log_list", "v", [*VALUES, *FLOATS]),
    Call("log_list", "none", []),
    Call("log_table", "empty", {"x": [], "empty": []}),
    Call("log_table", "t", {"x": [1, 2], "t": ["a", None], "z z": [0.5, math.inf]}),
    Call("log_row", "t", {"y": True}),
    Call("log_row", "t", {}),
    Call("artifact", "image", "files/1.png"),
    Call("artifact", "image", "files/2.png"),
    Call("artifact", "t", "files/3.png"),
]


@LOCAL
@on_a_store
@given(sequence=calls())
@example(sequence=A_BESIDE_A_TABLE)
@example(sequence=MIXED)
def test_what_was_logged_reads_back(exp, sequence):
    assert_reads_back(exp, sequence)


@SERVER
@at_length
@given(sequence=calls())
@example(sequence=A_BESIDE_A_TABLE)
@example(sequence=MIXED)
def test_what_was_logged_reads_back_from_a_server(exp, sequence):
    assert_reads_back(exp, sequence)


@ALL
def test_hostile_names_stand_side_by_side(exp):
    assert_reads_back(exp, HOSTILE)


@ALL
def test_an_int_too_long_to_print_reads_back(run):
    run.log("n", HUGE)
    run.log("n", -HUGE)

    assert run.get_metrics() == {"n": [HUGE, -HUGE]}


READ = """
import pickle, sys
from azml_compat import Run, Workspace
run = Run.get(Workspace("subscription", "group", "workspace"), sys.argv[1])
print(pickle.dumps([run.get_metrics(), run.get_metrics("t"), run.get_metrics("no such")]).hex())
"""


@pytest.mark.parametrize("tracking_uri", ["sqlite", "file", "http"], indirect=True)
def test_a_fresh_client_in_another_process_sees_the_same(run, python):
    model = Model()
    for call in [*MIXED, *A_BESIDE_A_TABLE, *log("loss (train)", 0.5), *log("", "nameless"), *log("\udcff" * 9, 1)]:
        apply(run, call)
        model.apply(call)
    wanted = expected(run, model)
    metrics, table, nothing = pickle.loads(bytes.fromhex(python(READ, run.id)))

    assert typed(metrics) == typed(wanted) == typed(run.get_metrics())
    assert typed(table) == typed({"t": wanted["t"]})
    assert nothing == {}


@ALL
def test_a_call_that_is_refused_loses_nothing(run):
    run.log_list("v", [1, 2])
    for refused, error in (
        (lambda: run.log_list("v", [3, object()]), AzureMLException),
        (lambda: run.log("v", [3]), UserErrorException),
        (lambda: run.log("v", 3, step="soon"), AzureMLException),
        (lambda: run.log("v", 3, step=2**63), AzureMLException),
        (lambda: run.log_row("v", x=[3]), AzureMLException),
        (lambda: run.log_table("v", {"x": [1, 2], "y": [1]}), AzureMLException),
        (lambda: run.log_table("v", {}), AttributeError),
        (lambda: run.log_image("v", path="missing.png"), FileNotFoundError),
    ):
        with pytest.raises(error):
            refused()
    run.log("v", 3)

    assert run.get_metrics() == {"v": [1, 2, 3]}


# -- a sidecar in trouble -------------------------------------------------------------------------------------------


@pytest.fixture
def page(file_uri, monkeypatch):
    """A run on a file store with the metric {"x": [1, "two"]}, and the file of the tag that holds its sidecar."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", file_uri)
    run = Experiment(Workspace("subscription", "group", "workspace"), "e").start_logging(snapshot_directory=None)
    run.log_list("x", [1, "two"])
    run.flush()
    (tag,) = (tag for tag in run._refresh().tags if tag.startswith("mlflow.azml.sidecar."))
    (file,) = Path(file_uri.removeprefix("file://")).glob(f"*/{run.id}/tags/{tag}")
    return run, file


def test_a_page_that_is_being_written_is_read_again(page):
    run, file = page
    text = file.read_text()
    file.write_text("")
    writing = threading.Timer(0.05, file.write_text, [text])
    writing.start()
    metrics = run.get_metrics()
    writing.join()

    assert metrics == {"x": [1, "two"]}


def test_a_page_that_is_damaged_is_reported_and_the_rest_is_read(page, caplog):
    run, file = page
    file.write_text(file.read_text()[:-5])

    assert typed(run.get_metrics()) == typed({"x": 1.0})
    assert file.name in caplog.text


# -- several writers ------------------------------------------------------------------------------------------------


@ALL
def test_two_handles_of_a_run_in_one_process_share_its_rows(exp):
    first = exp.start_logging(snapshot_directory=None)
    second = Run.get(exp.workspace, first.id)
    for number in range(5):
        first.log("x", 2 * number)
        second.log("x", 2 * number + 1)
        second.log("equal", 1.0)
        first.log("equal", 1.0)

    assert first.get_metrics() == second.get_metrics() == {"x": list(range(10)), "equal": [1.0] * 10}


@ALL
def test_a_handle_that_was_made_long_ago_goes_on_where_the_run_is(exp):
    run = exp.start_logging(snapshot_directory=None)
    early = Run.get(exp.workspace, run.id)
    run.log("loss (train)", 1)
    run.log("b", True)
    run.complete()
    del run
    early.log("loss (train)", 2)
    early.log("b", 1)

    assert typed(early.get_metrics()) == typed({"loss (train)": [1, 2], "b": [True, 1]})


@ALL
def test_a_new_handle_for_every_value_keeps_equal_values_and_their_order(exp):
    run = exp.start_logging(snapshot_directory=None)
    run.complete()
    run_id = run.id
    del run
    for value in (1, 1, 2, 1):
        Run.get(exp.workspace, run_id).log("x", value)
        Run.get(exp.workspace, run_id).log("y", 1.0, step=3)

    assert Run.get(exp.workspace, run_id).get_metrics() == {"x": [1, 1, 2, 1], "y": [1.0] * 4}


@LOCAL
def test_threads_that_log_at_once_lose_nothing(run):
    start = threading.Barrier(4)

    def work(number):
        start.wait()
        for index in range(10):
            run.log("shared", number * 100 + index)
            run.log("equal", 1.0)
            run.log_row(f"own (of {number})", index=index, text=f"{index}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    metrics = run.get_metrics()

    assert metrics["equal"] == [1.0] * 40
    for number in range(4):
        assert [value % 100 for value in metrics["shared"] if value // 100 == number] == list(range(10))
        assert metrics[f"own (of {number})"] == {"index": list(range(10)), "text": [f"{n}" for n in range(10)]}


APPEND = """
import sys
from azml_compat import Run, Workspace
run = Run.get(Workspace("subscription", "group", "workspace"), sys.argv[1])
print("ready", flush=True)
for number in range(int(sys.argv[2])):
    run.log("shared", 1000000 + number)
    run.log("equal", 1)
    run.log("words", f"guest {number}")
    run.log_row("rows", writer="guest", number=number)
    run.log("of the guest (only)", number + 0.5)
"""


@ALL
def test_a_second_process_may_append_while_the_first_logs(run, python):
    count = 20
    run.log("shared", 0)
    with ThreadPoolExecutor(2) as pool:
        guests = [pool.submit(python, APPEND, run.id, str(count)) for _ in range(1)]
        for number in itertools.count(1):
            run.log("shared", number)
            run.log("equal", 1)
            run.log("words", f"owner {number}")
            run.log_row("rows", writer="owner", number=number)
            time.sleep(0.002)
            if all(guest.done() for guest in guests):
                break
        assert guests[0].result() == "ready\n"
    metrics = run.get_metrics()

    assert [value for value in metrics["shared"] if value >= 1000000] == list(range(1000000, 1000000 + count))
    assert [value for value in metrics["shared"] if value < 1000000] == list(range(number + 1))
    assert metrics["equal"] == [1] * (number + count)
    assert [word for word in metrics["words"] if word.startswith("guest")] == [f"guest {n}" for n in range(count)]
    assert [word for word in metrics["words"] if word.startswith("owner")] == [f"owner {n + 1}" for n in range(number)]
    rows = list(zip(metrics["rows"]["writer"], metrics["rows"]["number"], strict=True))
    assert [row for row in rows if row[0] == "guest"] == [("guest", n) for n in range(count)]
    assert [row for row in rows if row[0] == "owner"] == [("owner", n + 1) for n in range(number)]
    assert metrics["of the guest (only)"] == [n + 0.5 for n in range(count)]


# strict=False: a machine on which five calls take longer than a lane's 128 ms loses nothing.
@pytest.mark.parametrize("tracking_uri", ["sqlite"], indirect=True)
def test_a_new_handle_for_every_value_keeps_equal_steps_that_come_late(exp):
    run = exp.start_logging(snapshot_directory=None)
    run.complete()
    run_id = run.id
    del run
    for value, step in ((1.0, 5), (2.0, 3), (3.0, 3), (2.0, 3), (2.0, 3)):
        Run.get(exp.workspace, run_id).log("x", value, step=step)

    assert Run.get(exp.workspace, run_id).get_metrics() == {"x": [2.0, 3.0, 2.0, 2.0, 1.0]}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@LOCAL
def test_a_forked_child_writes_beside_its_parent(exp):
    run = exp.start_logging(snapshot_directory=None)
    child = os.fork()
    for _ in range(50):
        run.log("equal", 1.0)
    if child == 0:
        # Neither pytest's end nor the exit hooks are the child's.
        os._exit(0)
    _, status = os.waitpid(child, 0)

    assert status == 0
    assert run.get_metrics() == {"equal": [1.0] * 100}


# -- size -----------------------------------------------------------------------------------------------------------

MANY_NAMES = """
import resource
from azml_compat import Experiment, Workspace
run = Experiment(Workspace("subscription", "group", "workspace"), "many").start_logging(snapshot_directory=None)
def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
for number in range(10_000):
    run.log(f"metric {number}", number)
    if number == 500:
        before = megabytes()
print("grown", megabytes() - before)
metrics = run.get_metrics()
assert metrics == {f"metric {number}": number for number in range(10_000)}
assert {type(value) for value in metrics.values()} == {int}
print("read", megabytes() - before)
"""

MANY_VALUES = """
import resource
from azml_compat import Experiment, Workspace
run = Experiment(Workspace("subscription", "group", "workspace"), "many").start_logging(snapshot_directory=None)
def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
for start in range(0, 300_000, 20_000):
    run.log_list("x", range(start, start + 20_000))
    if start == 20_000:
        before = megabytes()
print("grown", megabytes() - before)
values = run.get_metrics()["x"]
assert values == list(range(300_000))
print("read", megabytes() - before)
"""


@pytest.mark.extra
@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    ("code", "written", "read"),
    [
        # Megabytes. What a writer remembers of a name is some hundred bytes.
        pytest.param(MANY_NAMES, 40, 100, id="10000 names"),
        # Nothing is remembered of a value that is written; reading makes MLflow's object and ours of each.
        pytest.param(MANY_VALUES, 20, 450, id="300000 values"),
    ],
)
def test_size_needs_no_memory(code, written, read, sqlite_uri):
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "MLFLOW_TRACKING_URI": sqlite_uri, "PYTHONPATH": str(Path(__file__).parents[1])},
        check=False,
        timeout=1400,
    )
    assert done.returncode == 0, done.stderr
    grown = dict(line.split() for line in done.stdout.splitlines() if line.startswith(("grown", "read")))

    assert float(grown["grown"]) < written
    assert float(grown["read"]) < read
