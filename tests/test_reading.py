"""Reading metrics: the seal that proves single values, and the ways of reading many histories at once."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from azml_compat import _names
from azml_compat._metrics import (
    Encoder,
    Latest,
    Point,
    Singles,
    decode,
    list_column,
    row_cells,
    scalar_column,
    single_keys,
    table_columns,
)
from azml_compat._metrics import singles as singles_module
from azml_compat._metrics.encode import Lane
from azml_compat._metrics.records import KeyRecord, dump
from azml_compat._reading import read_metrics, read_metrics_of_runs
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._sidecar import SidecarWriter
from azml_compat._tracking import Store, histories

NAN = math.nan
KEYS = ["a", "b", "c"]
STEPS = st.integers(-2, 2)


def latest_of(points):
    """What a store shows of a run: the greatest point of each key."""
    greatest = {}
    for point in points:
        known = greatest.get(point.key)
        if known is None or (point.step, point.timestamp, point.value) > (known.step, known.timestamp, known.value):
            greatest[point.key] = point
    return [Latest(*point) for point in greatest.values()]


# The seal, whatever happens


class Deliveries(RuleBasedStateMachine):
    """A writer logs, and drains deliver for it: they die anywhere, and plain MLflow writes to the run as well.

    At every moment, whoever reads the run must find that what the seal calls single is.
    """

    @initialize()
    def start(self):
        self.now = 1_000
        self.stored = {}
        self.journal = []
        self.sent = []
        self.seal = None
        self.singles = None

    @rule(key=st.sampled_from(KEYS), step=st.none() | STEPS, value=st.sampled_from([0.0, 1.0, NAN]))
    def log(self, key, step, value):
        self.now += 1
        step = sum(point.key == key for point in [*self.sent, *self.journal]) if step is None else step
        self.journal.append(Point(key, value, self.now, step))

    @rule(key=st.sampled_from(KEYS), step=STEPS, value=st.sampled_from([0.0, 2.0]))
    def plain_mlflow_logs(self, key, step, value):
        self.now += 1
        latest = {point.key: point for point in latest_of(self.points())}
        if self.may_hide(key) or key not in latest or step >= latest[key].step:
            self.store(Point(key, value, self.now, step))

    @rule(key=st.sampled_from(KEYS), age=st.integers(0, 5))
    def plain_mlflow_backfills(self, key, age):
        if self.may_hide(key):
            self.store(Point(key, 3.0, self.now - age, 0))

    def may_hide(self, key):
        """Whether a point below the latest one is anything but the one thing that a seal cannot show."""
        return sum(point.key == key for point in set(self.sent)) != 1

    @rule(
        size=st.integers(1, 4),
        dies=st.sampled_from(["", "", "looking", "sealing", "sealed", "sending", "sent", "passed"]),
        is_early=st.booleans(),
        lost=st.integers(0, 3),
    )
    def deliver(self, size, dies, is_early, lost):
        if self.singles is None:
            self.singles = Singles("writer", self.seal, latest_of(self.points()))
        singles, self.singles = self.singles, None
        while self.journal:
            batch = self.journal[:size]
            if singles.has_new(batch):
                singles.exclude(latest_of(self.points()))
            singles.add(batch)
            if dies == "looking":
                return
            if singles.must_seal_first or is_early:
                if dies == "sealing":
                    return
                self.store_seal(singles)
                if dies == "sealed":
                    return
            for number, point in enumerate(batch):
                if dies == "sending" and number == lost:
                    return
                if lost < 3 or number % 2:
                    self.sent.append(point)
                    self.store(point)
            if dies == "sent":
                return
            del self.journal[:size]
        if dies == "passed":
            return
        if not singles.is_sealed:
            self.store_seal(singles)
        assert singles.is_sealed
        assert not singles.must_seal_first
        self.singles = singles

    @precondition(lambda self: self.singles is not None)
    @rule()
    def another_process_takes_over(self):
        self.singles = None

    def points(self):
        return [point for points in self.stored.values() for point in points]

    def store(self, point):
        points = self.stored.setdefault(point.key, [])
        if not any(point[2:] == other[2:] and repr(point.value) == repr(other.value) for other in points):
            points.append(point)
        self.check()

    def store_seal(self, singles):
        self.seal = singles.seal
        singles.sealed()
        self.check()

    def check(self):
        for key in single_keys(self.seal, latest_of(self.points()), ["writer"]):
            assert len(self.stored[key]) == 1


TestDeliveries = Deliveries.TestCase
TestDeliveries.settings = settings(max_examples=300, stateful_step_count=25, deadline=None)

POINTS = st.builds(
    Point, st.text(max_size=3), st.floats(allow_infinity=False), st.integers(0, 2**53), st.integers(-(2**62), 2**62)
)


@settings(deadline=None)
@given(st.lists(POINTS, max_size=30))
def test_a_seal_proves_every_key_with_one_point_and_no_other(points):
    singles = Singles("writer")
    singles.add(points)
    counts = {point.key: set() for point in points}
    for point in points:
        counts[point.key].add((point.timestamp, point.step, repr(point.value)))
    latest = latest_of(points)
    found = single_keys(singles.seal, latest, ["writer"])

    assert found == {key for key, seen in counts.items() if len(seen) == 1}
    assert single_keys(singles.seal, latest[::-1], []) == found


@settings(deadline=None)
@given(st.lists(POINTS, min_size=1, max_size=10), POINTS)
def test_a_seal_proves_nothing_once_another_latest_point_is_seen(points, more):
    singles = Singles("writer")
    singles.add(points)
    before, after = latest_of(points), latest_of([*points, more])

    if sorted(map(repr, before)) != sorted(map(repr, after)):
        assert single_keys(singles.seal, after, ["writer"]) == frozenset()


@pytest.mark.parametrize(
    "seal",
    [None, "", "{", "[]", "null", "1", '"w"', '{"w":"writer","n":1}', '{"w":"writer","n":"1","h":"","f":""}'],
)
def test_a_damaged_seal_proves_nothing(seal):
    assert single_keys(seal, [Latest("a", 1.0, 1, 0)], []) == frozenset()


@pytest.mark.parametrize("part", "nhf")
def test_a_seal_whose_parts_do_not_fit_proves_nothing(part):
    one, other = Singles("writer"), Singles("writer")
    one.add([Point("a", 1.0, 1, 5)])
    other.add([Point("a", 1.0, 1, 0), Point("b", 1.0, 1, 0)])
    mixed = {**json.loads(one.seal), part: json.loads(other.seal)[part]}

    assert single_keys(one.seal, [Latest("a", 1.0, 1, 5)], []) == {"a"}
    assert single_keys(json.dumps(mixed), [Latest("a", 1.0, 1, 5)], []) == frozenset()


@pytest.mark.parametrize("flags", ["x", "====", "eJwDAAAAAAE=", "eJxjYAAAAAEAAQ==", "é"])
def test_flags_of_a_later_version_prove_nothing(flags):
    latest = [Latest("a", 1.0, 1, 0)]
    seal = {"w": "writer", "n": 1, "h": singles_module._digest({"a": (0, 1, 1.0)}, ["a"], flags), "f": flags}

    assert single_keys(json.dumps(seal), latest, []) == frozenset()


def test_a_seal_is_trusted_only_where_nobody_else_wrote_records():
    singles = Singles("writer")
    singles.add([Point("a", 1.0, 1, 0)])
    latest = [Latest("a", 1.0, 1, 0)]

    assert single_keys(singles.seal, latest, []) == {"a"}
    assert single_keys(singles.seal, latest, ["writer"]) == {"a"}
    assert single_keys(singles.seal, latest, ["writer", "guest"]) == frozenset()
    assert single_keys(singles.seal, latest, ["guest"]) == frozenset()


def test_another_writer_takes_nothing_from_a_seal():
    singles = Singles("writer")
    singles.add([Point("a", 1.0, 1, 0)])
    latest = [Latest("a", 1.0, 1, 0)]
    guest = Singles("guest", singles.seal, latest)

    assert guest.must_seal_first
    assert single_keys(guest.seal, latest, ["guest"]) == frozenset()


def test_a_delivery_that_is_repeated_counts_once():
    points = [Point("a", 1.0, 1, 0), Point("b", NAN, 1, 0)]
    singles = Singles("writer")
    singles.add(points)
    singles.sealed()
    singles.add([Point("a", 1.0, 1, 0), Point("b", float("nan"), 1, 0)])

    assert singles.is_sealed
    assert single_keys(singles.seal, latest_of(points), []) == {"a", "b"}


def test_a_key_to_which_others_added_is_single_no_more():
    singles = Singles("writer")
    singles.add([Point("a", 1.0, 1, 0), Point("b", 1.0, 1, 0)])
    singles.sealed()
    now = [Latest("a", 2.0, 2, 0), Latest("b", 1.0, 1, 0), Latest("c", 3.0, 2, 0)]
    singles.exclude(now)

    assert singles.must_seal_first
    assert single_keys(singles.seal, now, []) == {"b"}


def test_the_seal_is_small_for_any_number_of_keys():
    singles = Singles("writer")
    regular = [Point(f"key {n}", 1.0, n, step) for n in range(20_000) for step in range(1 + n % 2)]
    singles.add(regular)

    assert len(singles.seal) < 200
    assert len(single_keys(singles.seal, latest_of(regular), [])) == 10_000

    odd = Singles("writer")
    odd.add(Point(f"key {n}", 1.0, n, int(uuid.uuid4()) % 2) for n in range(40_000))

    assert odd.seal == ""


# Reading what was sealed, on every store


class Owner:
    """Plays the process that created a run, and the drain that delivers for it."""

    def __init__(self, store, run_id, writer="0123456789ab", lane=None):
        self.encoder = Encoder(lane)
        self.writer = writer
        self._store = store
        self._run_id = run_id
        self._sidecar = SidecarWriter(store, run_id, writer)
        self._batches = []

    def log(self, name, value, step=None):
        self.add(name, [scalar_column(name, value)], step)

    def add(self, name, columns, step=None):
        self._batches += self.encoder.encode(name, columns, step)

    def deliver(self):
        run = self._store.get_run(self._run_id)
        singles = Singles(self.writer, run.tags.get(_names.TAG_SINGLES), run.latest)
        for batch in self._batches:
            if batch.records:
                self._sidecar.append([dump(record) for record in batch.records], self._sidecar.next_number)
            if singles.has_new(batch.points):
                singles.exclude(self._store.get_run(self._run_id).latest)
            singles.add(batch.points)
            if singles.must_seal_first:
                self._seal(singles)
            self._store.log_points(self._run_id, batch.points)
        self._batches = []
        if not singles.is_sealed:
            self._seal(singles)

    def _seal(self, singles):
        self._store.set_run_tags(self._run_id, {_names.TAG_SINGLES: singles.seal})
        singles.sealed()


class Guest(Owner):
    """Another process that writes to the run: it seals nothing, and leaves a page before its first point."""

    def __init__(self, store, run_id, number=1):
        super().__init__(store, run_id, f"guest{number}", Lane.of_guest(number))
        run = store.get_run(run_id)
        self.encoder.adopt([], run.latest)
        store.set_run_tags(run_id, {f"{_names.TAG_SIDECAR}{self.writer}.0": '{"q":0,"r":[]}'})

    def deliver(self):
        for batch in self._batches:
            self._sidecar.append([dump(record) for record in batch.records], self._sidecar.next_number)
            self._store.log_points(self._run_id, batch.points)
        self._batches = []


@pytest.fixture
def store(tracking_uri):
    return Store(tracking_uri)


@pytest.fixture
def new_run(store):
    """Makes empty runs, which the facade created."""
    experiment = store.create_experiment(f"reading-{uuid.uuid4().hex[:12]}")

    def make(**tags):
        return store.create_run(experiment.id, {_names.TAG_FORMAT: "1", **tags}, None, int(time.time() * 1000)).id

    return make


@pytest.fixture
def history_calls(mocker):
    """The keys that MLflow was asked for, one request each."""
    import mlflow
    from mlflow.utils import rest_utils

    requests = mocker.spy(rest_utils, "http_request")
    client = mocker.spy(mlflow.MlflowClient, "get_metric_history")

    def asked():
        queries = [call.kwargs.get("params") or {} for call in requests.call_args_list]
        by_request = [query["metric_key"] for query in queries if "metric_key" in query]
        return sorted(by_request + [call.args[2] for call in client.call_args_list])

    return asked


def read(store, run_id, name=None):
    return read_metrics(store, store.get_run(run_id), lambda record: record.path, name)


def read_histories_only(store, run_id):
    """What there is, whatever the seal says."""
    run = store.get_run(run_id)
    tags = {key: value for key, value in run.tags.items() if key != _names.TAG_SINGLES}
    return read_metrics(store, replace(run, tags=tags), lambda record: record.path)


def same(one, other):
    """Equality of values and of their types; NaN equals itself, and 0.0 is not -0.0."""
    return repr(one) == repr(other)


SINGLE_VALUES = {
    "float": 0.1,
    "smallest": 5e-324,
    "largest": sys.float_info.max,
    "nan": NAN,
    "infinity": math.inf,
    "minus zero": -0.0,
    "int": -7,
    "big int": 2**53 + 1,
    "bigger int": 10**400,
    "bool": True,
    "text": "warm",
    "none": None,
    "name (odd) %": 2.5,
}


def test_a_sealed_single_value_is_read_without_a_call_for_its_history(store, new_run, history_calls):
    run_id = new_run()
    owner = Owner(store, run_id)
    for name, value in SINGLE_VALUES.items():
        owner.log(name, value)
    owner.add("row", row_cells({"x": 1, "y": 0.5, "fold": "a"}))
    owner.log("at a step", 3.5, step=100)
    owner.log("below", 4.5, step=-3)
    owner.deliver()

    metrics = read(store, run_id)
    assert history_calls() == []
    assert same(metrics.pop("row"), {"x": 1, "y": 0.5, "fold": "a"})
    assert same((metrics.pop("at a step"), metrics.pop("below")), (3.5, 4.5))
    assert metrics.keys() == SINGLE_VALUES.keys()
    for name, value in SINGLE_VALUES.items():
        assert same(metrics[name], value), name
    assert same(read(store, run_id, "int"), {"int": -7})
    assert history_calls() == []
    assert same(metrics["nan"], read_histories_only(store, run_id)["nan"])


def test_only_keys_with_several_values_are_asked_for(store, new_run, history_calls):
    run_id = new_run()
    owner = Owner(store, run_id)
    owner.log("once", 1.0)
    owner.add("list", [list_column("list", [1, 2, 3])])
    owner.add("table", table_columns({"x": [1, 2], "y": [None, 0.5]}))
    owner.deliver()

    expected = {"list": [1, 2, 3], "table": {"x": [1, 2], "y": [None, 0.5]}, "once": 1.0}
    assert same(read(store, run_id), expected)
    assert history_calls() == (["list", "table.x"] if store.is_server else [])


def test_what_is_delivered_later_by_another_process_stays_proven(store, new_run, history_calls):
    run_id = new_run()
    owner = Owner(store, run_id)
    owner.log("first", 1.0)
    owner.deliver()
    owner.log("second", 2.0)
    owner.deliver()
    owner.log("second", 3.0)
    owner.deliver()

    assert read(store, run_id) == {"first": 1.0, "second": [2.0, 3.0]}
    assert history_calls() == (["second"] if store.is_server else [])


def _step_zero_again(owner, store, run_id):
    for value in (1.0, 2.0, 3.0):
        owner.log("k", value, step=0)


def _steps_below_zero(owner, store, run_id):
    owner.log("k", 1.0)
    owner.log("k", 2.0, step=-5)


def _a_step_below_a_sealed_one(owner, store, run_id):
    owner.log("k", 1.0)
    owner.deliver()
    owner.log("k", 2.0, step=-5)


def _an_equal_value_at_a_sealed_step(owner, store, run_id):
    owner.log("k", 1.0)
    owner.deliver()
    owner.log("k", 1.0, step=0)


def _two_columns_of_one_name(owner, store, run_id):
    owner.log("k", 1.0)
    owner.add("k", row_cells({"x": 2}))
    owner.add("k", row_cells({"x": 3, "y": 4}))


def _plain_before(owner, store, run_id):
    owner.log("k", 1.0)
    store.log_points(run_id, [Point("k", 2.0, 1, 0)])


def _plain_after(owner, store, run_id):
    owner.log("k", 1.0)
    owner.log("other", 1.0)
    owner.deliver()
    store.log_points(run_id, [Point("k", 2.0, time.time_ns() // 1_000_000 + 10, 0)])


def _plain_with_a_key_of_its_own(owner, store, run_id):
    owner.log("other", 1.0)
    owner.deliver()
    store.log_points(run_id, [Point("k", 2.0, 5, 0), Point("k", 3.0, 4, 0)])


def _plain_with_nan(owner, store, run_id):
    owner.log("k", NAN)
    owner.deliver()
    store.log_points(run_id, [Point("k", NAN, time.time_ns() // 1_000_000 + 10, 0)])


def _a_guest_before(owner, store, run_id):
    guest = Guest(store, run_id)
    owner.log("k", 1.0)
    owner.deliver()
    guest.log("k", 2.0)
    guest.deliver()


def _a_guest_after(owner, store, run_id):
    owner.log("k", 1.0)
    owner.deliver()
    guest = Guest(store, run_id)
    guest.log("k", 2.0, step=-4)
    guest.deliver()


def _a_guest_that_wrote_what_the_owner_named(owner, store, run_id):
    # Its clock is behind, and it saw the record of the key but no point yet.
    guest = Guest(store, run_id)
    guest.encoder.adopt([KeyRecord("k", "k", None, "i")], [])
    guest.encoder._clock = lambda: 1_000
    guest.log("k", 2)
    guest.deliver()
    owner.log("k", 1)


@pytest.mark.parametrize(
    "case",
    [
        _step_zero_again,
        _steps_below_zero,
        _a_step_below_a_sealed_one,
        _an_equal_value_at_a_sealed_step,
        _two_columns_of_one_name,
        _plain_before,
        _plain_after,
        _plain_with_a_key_of_its_own,
        _plain_with_nan,
        _a_guest_before,
        _a_guest_after,
        _a_guest_that_wrote_what_the_owner_named,
    ],
    ids=lambda case: case.__name__[1:],
)
def test_a_key_with_several_points_is_never_taken_for_single(store, new_run, case):
    run_id = new_run()
    owner = Owner(store, run_id)
    case(owner, store, run_id)
    owner.deliver()
    found, expected = read(store, run_id), read_histories_only(store, run_id)

    assert same(found, expected)
    assert isinstance(found["k"], (list, dict))


def test_what_a_seal_cannot_show_is_no_matter_where_no_seal_is_needed(store, new_run):
    if store.is_server:
        pytest.skip("a server is believed: see docs/mapping.md")
    run_id = new_run()
    owner = Owner(store, run_id)
    owner.log("k", 1.0)
    owner.deliver()
    store.log_points(run_id, [Point("k", 2.0, 1, 0), Point("k", 3.0, 2, -1)])

    assert read(store, run_id) == {"k": [2.0, 3.0, 1.0]}


# Many histories at once


ODD_POINTS = [
    *(Point("values", value, 10 + n, n) for n, value in enumerate([0.1, 5e-324, 1e308, NAN, 0.0, -1.5])),
    *(Point("one moment", value, 7, 0) for value in (3.0, 1.0, 2.0)),
    *(Point("out of order", 1.0 * n, 1_000 - n, n * (-1) ** n) for n in range(5)),
    Point("blanks and/letters é.x-y:z", 1.0, 2**41, 2**60),
]


def as_text(points):
    return [(point.key, repr(float(point.value)), point.timestamp, point.step) for point in points]


@pytest.mark.parametrize("many", [0, 50])
def test_histories_are_those_that_mlflow_gives(store, new_run, many):
    run_ids = [new_run() for _ in range(3)]
    for number, run_id in enumerate(run_ids):
        store.log_points(run_id, ODD_POINTS)
        store.log_points(run_id, [Point(f"key {n}", 1.0 * number, step, step) for n in range(many) for step in (0, 1)])
    keys = [*{point.key for point in ODD_POINTS}, *(f"key {n}" for n in range(many)), "never logged"]
    wanted = {run_ids[0]: keys, run_ids[1]: keys[:1], run_ids[2]: []}
    found = store.histories(wanted)

    assert found.keys() == set(run_ids)
    assert found[run_ids[2]] == {}
    for run_id in run_ids[:2]:
        assert list(found[run_id]) == wanted[run_id]
        for key, points in found[run_id].items():
            assert as_text(points) == as_text(store.client.get_metric_history(run_id, key)), key


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("mlflow.store.tracking.dbmodels.models", "SqlMetric"),
        ("mlflow.utils.rest_utils", "http_request"),
        ("mlflow.utils.file_utils", "read_file_lines"),
    ],
)
def test_where_mlflow_is_made_of_something_else_it_is_asked_for_each_key(store, new_run, monkeypatch, module, name):
    run_id = new_run()
    store.log_points(run_id, ODD_POINTS)
    loaded = histories._loaded
    monkeypatch.setattr(histories, "_loaded", lambda *asked: None if asked == (module, name) else loaded(*asked))
    for key, points in store.histories({run_id: [point.key for point in ODD_POINTS]})[run_id].items():
        assert as_text(points) == as_text(store.client.get_metric_history(run_id, key))


@pytest.fixture
def server_store(server):
    return Store(server)


@pytest.fixture
def server_run(server_store):
    experiment = server_store.create_experiment(f"reading-{uuid.uuid4().hex[:12]}")
    return server_store.create_run(experiment.id, {}, None, 0).id


def test_a_long_history_comes_in_pages(server_store, server_run, monkeypatch):
    points = [Point("k", 1.0 * n, n, n) for n in range(25)]
    server_store.log_points(server_run, points)
    for size in (7, 25, 5, 1000):
        monkeypatch.setattr(histories, "_POINTS_PER_PAGE", size)
        assert server_store.history(server_run, "k") == points


def test_a_history_that_is_refused_says_so(server_store, server_run):
    with pytest.raises(ServiceException, match="Cannot read metrics of run") as refused:
        server_store.histories({server_run: ["a", "", "b"]})
    assert refused.value.status_code == 400


def test_histories_are_read_while_the_interpreter_exits(server, server_store, server_run):
    server_store.log_points(server_run, [Point(f"k{n}", 1.0 * n, n, n) for n in range(10)])
    script = f"""
import atexit
from azml_compat._tracking import Store
store = Store({server!r})
store.get_run({server_run!r})
keys = [f"k{{n}}" for n in range(10)]
atexit.register(lambda: print(list(store.histories({{{server_run!r}: keys}})[{server_run!r}])))
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    assert ended.stdout.strip() == str([f"k{n}" for n in range(10)]), ended.stderr


def test_runs_are_read_together(store, new_run, monkeypatch):
    monkeypatch.setattr("azml_compat._reading._RUNS_AT_ONCE", 2)
    run_ids = [new_run() for _ in range(5)]
    for number, run_id in enumerate(run_ids[:4]):
        owner = Owner(store, run_id)
        owner.log("number", number)
        owner.add("list", [list_column("list", [0.5] * number)])
        owner.deliver()
    runs = [store.get_run(run_id) for run_id in run_ids]
    found = [(run.id, metrics) for run, metrics in read_metrics_of_runs(store, runs, lambda run, record: None)]
    numbers = [metrics for _, metrics in read_metrics_of_runs(store, runs, lambda run, record: None, "number")]

    assert [run_id for run_id, _ in found] == run_ids
    assert [metrics for _, metrics in found] == [
        {"number": 0, "list": []},
        {"number": 1, "list": 0.5},
        {"number": 2, "list": [0.5, 0.5]},
        {"number": 3, "list": [0.5, 0.5, 0.5]},
        {},
    ]
    assert numbers == [{"number": 0}, {"number": 1}, {"number": 2}, {"number": 3}, {}]


# Decoding

SERIES = st.lists(
    st.builds(Point, st.just("k"), st.sampled_from([0.0, 1.0, 2.0, 0.5, NAN]), st.integers(0, 3), st.integers(-1, 2)),
    min_size=1,
    max_size=8,
)


@given(SERIES, st.sampled_from("fib"), st.booleans())
def test_a_column_of_points_alone_reads_as_one_beside_others(points, kind, is_foreign):
    records = [KeyRecord("k", "name", None, kind), KeyRecord("other", "name", "x", "f")]
    foreign = {"records": [], "is_foreign": True}
    described = {"records": records, "is_foreign": is_foreign}
    for known in (foreign, described):
        alone = decode({"k": points}, known["records"][:1], is_foreign=known["is_foreign"], artifact=str)
        order = (lambda p: (p.step, p.timestamp)) if known is foreign else (lambda p: (p.timestamp, p.step))
        values = [point.value for point in sorted(points, key=order)]
        if known is described and kind == "i" and all(math.isnan(value) or value.is_integer() for value in values):
            values = [value if math.isnan(value) else int(value) for value in values]
        if known is described and kind == "b":
            values = [bool(value) if value in (0.0, 1.0) else value for value in values]
        [value] = alone.values()
        assert same(value, values if len(values) > 1 else values[0])

    beside = decode({"k": points, "other": []}, records, is_foreign=is_foreign, artifact=str)["name"]["name"]
    assert same(beside, decode({"k": points}, records[:1], is_foreign=is_foreign, artifact=str)["name"])
