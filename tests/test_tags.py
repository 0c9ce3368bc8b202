"""Tags and properties of runs and experiments: what was set reads back, whatever it is, beside plain MLflow."""

from __future__ import annotations

import json
import pickle
import uuid

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from mlflow import MlflowClient

from azml_compat import Experiment, Run, _tags
from azml_compat._restclient.exceptions import ServiceException
from tests.test_metrics_codec import NAME, NAMES, is_legal_key

LOCAL = pytest.mark.parametrize("tracking_uri", ["sqlite", "file"], indirect=True)
SERVER = pytest.mark.parametrize("tracking_uri", [pytest.param("http", marks=pytest.mark.extra)], indirect=True)

LONG = "á" * 100_000
CUT = "á" * 3999 + "…"
"""What the UI shows of LONG."""
VALUES = [
    *(None, "", "value", "a\nb\r\n", "\0", "\udcff", r"\udcff", "\ud800" * 5000, "😀", "é", "…"),
    *(LONG, CUT, "x" * 8001),
]
VALUE = st.sampled_from(VALUES) | st.text(max_size=8)
KEYS = [
    *NAMES,
    *("mlflow.x", "mlflow.azml.x", "mlflow.azml.property.x", "property.x", "property.", "azureml.x", "é" * 10_000),
]
KEY = (NAME | st.sampled_from(KEYS)).filter(lambda key: "/" not in key)
"""Without a slash: a file store cannot hold a tag below another (see the test of that)."""
TAGS = st.dictionaries(KEY, VALUE, max_size=5)

on_a_store = settings(
    deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def client(ws):
    return MlflowClient(tracking_uri=ws.get_mlflow_tracking_uri())


# -- the codec ------------------------------------------------------------------------------------------------------

FOREIGN = st.dictionaries(st.sampled_from(["plain", "mlflow.note.content", "mlflow.source.name"]), st.just("?"))


@settings(deadline=None)
@given(tags=st.dictionaries(KEY | st.just("a/b"), VALUE, max_size=6), foreign=FOREIGN)
@example(tags={"a": LONG, "a.b": LONG, "a.c0": LONG, "a.1": LONG}, foreign={})
@example(tags=dict.fromkeys(KEYS), foreign={})
def test_encoded_tags_fit_mlflow_and_decode(tags, foreign):
    stored = foreign | _tags.encode_tags(tags)

    assert all(is_legal_key(key) and len(value) <= 4000 for key, value in stored.items())
    assert all(value.encode() is not None for value in stored.values())
    assert _tags.decode_tags(stored) == {key: "?" for key in foreign if key == "plain"} | tags
    assert _tags.decode_properties(stored) == {}


@settings(deadline=None)
@given(properties=TAGS, tags=TAGS)
@example(properties={key: key for key in KEYS}, tags=dict.fromkeys(KEYS, LONG))
def test_encoded_properties_fit_mlflow_and_decode_beside_tags(properties, tags):
    stored = _tags.encode_properties(properties) | _tags.encode_tags(tags)

    assert all(is_legal_key(key) and len(value) <= 4000 for key, value in stored.items())
    assert _tags.decode_properties(stored) == properties
    assert _tags.decode_tags(stored) == tags


@settings(deadline=None)
@given(key=KEY, values=st.lists(VALUE, min_size=1, max_size=5))
@example(key="k", values=[None, ""])
@example(key="k", values=[LONG, CUT])
@example(key="k", values=["\udcff", r"\udcff"])
@example(key="k", values=[LONG, "short", LONG[:5000]])
def test_the_last_of_many_values_is_what_decodes(key, values):
    stored = {}
    for value in values:
        stored |= _tags.encode_tags({key: value})

    assert _tags.decode_tags(stored) == {key: values[-1]}


@settings(deadline=None)
@given(tags=TAGS, others=TAGS)
@example(tags={"a": LONG}, others={"a.b": LONG, "a.c0": LONG, "a.c": LONG, "a_": None})
@example(tags={"mlflow.x": "1"}, others={"mlflow.x.y": "2"})
def test_a_tag_is_removed_whole_and_alone(tags, others):
    others = {key: value for key, value in others.items() if key not in tags}
    stored = {"mlflow.user": "me"} | _tags.encode_tags(tags | others)
    for key in tags:
        for tag in _tags.keys_to_delete(key, stored):
            del stored[tag]

    assert stored == {"mlflow.user": "me"} | _tags.encode_tags(others)


@given(text=VALUE.filter(lambda value: value is not None))
def test_a_bookkeeping_text_is_hidden_and_reads_back(text):
    stored = _tags.encode_text("mlflow.azml.error", text)

    assert all(len(value) <= 4000 for value in stored.values())
    assert _tags.decode_text(stored, "mlflow.azml.error") == text
    assert _tags.decode_tags(stored) == {}


def test_a_damaged_mark_costs_no_more_than_its_own_value():
    stored = _tags.encode_tags({"long": LONG, "none": None, "ok": "ok"})
    damaged = {key: value[:5] if key.startswith("mlflow.azml.") else value for key, value in stored.items()}

    assert _tags.decode_tags(damaged) == {"long": CUT, "none": "", "ok": "ok"}


# -- runs -----------------------------------------------------------------------------------------------------------


def assert_tags_read_back(exp, tags, properties):
    run = exp.start_logging(snapshot_directory=None)
    given_at_once = dict(list(tags.items())[::2])
    run.set_tags(given_at_once)
    for key in tags.keys() - given_at_once.keys():
        run.tag(key, tags[key])
    own = run.properties
    run.add_properties(properties)
    again = Run.get(exp.workspace, run.id)

    assert run.tags == run.get_tags() == again.tags == tags
    assert run.properties == run.get_properties() == again.properties == own | properties
    removed = list(tags)[:2]
    run.remove_tags([*removed, "no such tag", "mlflow.user"])
    assert again.tags == {key: value for key, value in tags.items() if key not in removed}
    assert run._record.tags["mlflow.user"]


@LOCAL
@on_a_store
@given(tags=TAGS, properties=TAGS)
@example(tags={"mlflow.x": "1", "property.x": "2", "k" * 10_000: LONG}, properties={"mlflow.y": None, "": LONG})
def test_tags_and_properties_read_back(exp, tags, properties):
    assert_tags_read_back(exp, tags, properties)


@SERVER
@settings(on_a_store, max_examples=60)
@given(tags=TAGS, properties=TAGS)
def test_tags_and_properties_read_back_from_a_server(exp, tags, properties):
    assert_tags_read_back(exp, tags, properties)


def test_every_kind_of_tag_reads_back_on_every_store(exp):
    tags = {
        **{f"value {number}": value for number, value in enumerate(VALUES)},
        "mlflow.x": "1",
        "property.x": "2",
        "100%": "3",
        "": "4",
        "k" * 10_000: "5",
        "a/b": "6",
        "trailing ": "7",
    }
    assert_tags_read_back(exp, tags, {"p" * 10_000: "x" * 10_000, "": "", "none": None, "mlflow.x": "1"})


READ = """
import pickle, sys
from azml_compat import Run, Workspace
run = Run.get(Workspace("subscription", "group", "workspace"), sys.argv[1])
print(pickle.dumps([run.tags, run.properties]).hex())
"""


@LOCAL
def test_another_process_sees_the_same_tags(run, python):
    run.set_tags({f"value {number}": value for number, value in enumerate(VALUES)})
    run.add_properties({"p" * 1000: LONG, "none": None})

    assert pickle.loads(bytes.fromhex(python(READ, run.id))) == [run.tags, run.properties]


def test_a_tag_goes_from_none_to_empty_to_a_value_and_back(run):
    for value in (None, "", "value", None, LONG, None, "value", LONG, "short", ""):
        run.tag("k", value)

        assert run.tags == {"k": value}


def test_tags_given_at_the_start_read_back(exp):
    tags = {"long": LONG, "none": None, "k" * 5000: "v", "loss (train)": "x"}
    run = exp.start_logging(snapshot_directory=None, tags=tags)

    assert run.tags == tags


def test_values_that_are_no_text_become_text(run, caplog):
    run.set_tags({"number": 1, "list": [1], 2: True})

    assert run.tags == {"number": "1", "list": "[1]", "2": "True"}
    assert "number" in caplog.text


def test_a_removed_tag_can_be_set_again(run):
    run.tag("k", LONG)
    run.tag("none")
    run.remove_tags(["k", "none"])
    assert run.tags == {}
    run.tag("k", "")

    assert run.tags == {"k": ""}


def test_a_tag_below_another_is_refused_by_a_file_store_alone_and_loses_nothing(run):
    run.tag("a", "1")
    if run.experiment.workspace.get_mlflow_tracking_uri().startswith("file:"):
        with pytest.raises(ServiceException, match="tags of run"):
            run.tag("a/b", "2")
        assert run.tags == {"a": "1"}
    else:
        run.tag("a/b", "2")
        assert run.tags == {"a": "1", "a/b": "2"}


# -- properties -----------------------------------------------------------------------------------------------------


def test_properties_cannot_be_changed_nor_removed(run):
    run.add_properties({"a": "1", "none": None})
    run.add_properties({"a": "1", "none": None, "b": "2"})
    for change in ({"a": "2"}, {"a": None}, {"none": ""}, {"c": "3", "a": "2"}):
        with pytest.raises(ServiceException) as caught:
            run.add_properties(change)
        assert caught.value.status_code == 400
    run.remove_tags(["a", "property.a"])

    assert {key: run.properties.get(key, "absent") for key in "abc"} == {"a": "1", "b": "2", "c": "absent"}
    assert run.properties["none"] is None
    assert run.tags == {}


def test_a_tag_may_have_the_name_of_a_property(run):
    run.add_properties({"k": "property"})
    run.set_tags({"k": "tag", "property.k": "another tag"})

    assert run.properties["k"] == "property"
    assert run.tags == {"k": "tag", "property.k": "another tag"}


# -- plain MLflow ---------------------------------------------------------------------------------------------------


def test_plain_mlflow_sees_tags_as_they_were_set(run, client):
    run.set_tags({"team": "vision", "loss (train)": "x", "none": None, "long": LONG, "mlflow.x": "1"})
    run.add_properties({"author": "me"})
    tags = client.get_run(run.id).data.tags
    found = {key: value for key, value in tags.items() if not key.startswith("mlflow.")}

    assert found == {
        "team": "vision",
        "loss _x28_train_x29_": "x",
        "none": "",
        "long": CUT,
        "property.author": "me",
    }
    assert tags["mlflow.x"] == "1"
    assert [found.info.run_id for found in search(client, run, "tags.team = 'vision'")] == [run.id]


def search(client, run, condition):
    return client.search_runs([run._record.experiment_id], condition)


def test_the_facade_sees_tags_of_plain_mlflow(run, client):
    for key, value in {"plain": "1", "a.b/c": "2", "mlflow.note.content": "3", "long": "x" * 4500, "": ""}.items():
        if key:
            client.set_tag(run.id, key, value)

    assert run.tags == {"plain": "1", "a.b/c": "2", "long": "x" * 4500}
    assert run.description == "3"
    run.remove_tags(["plain", "long"])
    assert run.tags == {"a.b/c": "2"}
    assert "plain" not in client.get_run(run.id).data.tags


@pytest.mark.parametrize("before", [None, "", LONG, "\udcff", "value"], ids=["none", "empty", "long", "binary", "text"])
def test_what_plain_mlflow_writes_over_a_tag_counts(run, client, before):
    run.tag("k", before)
    client.set_tag(run.id, "k", "by mlflow")
    assert run.tags == {"k": "by mlflow"}
    run.tag("k", before)

    assert run.tags == {"k": before}


def test_a_tag_that_plain_mlflow_deleted_is_gone(run, client):
    run.set_tags({"k": LONG, "none": None})
    client.delete_tag(run.id, "k")
    client.delete_tag(run.id, "none")

    assert run.tags == {}


# -- experiments ----------------------------------------------------------------------------------------------------


@LOCAL
@on_a_store
@given(tags=TAGS)
@example(tags={f"value {number}": value for number, value in enumerate(VALUES)})
def test_tags_of_an_experiment_read_back(ws, tags):
    exp = Experiment(ws, f"experiment-{uuid.uuid4().hex[:12]}")
    exp.set_tags(tags)
    exp.refresh()
    again = Experiment(ws, exp.name)

    assert exp.tags == again.tags == tags
    removed = list(tags)[:2]
    exp.remove_tags([*removed, "no such tag"])
    again.refresh()
    assert again.tags == {key: value for key, value in tags.items() if key not in removed}


def test_an_experiment_tag_is_overwritten_and_listed_on_every_store(exp, ws, client):
    for value in (None, "", LONG, "value"):
        exp.tag("k (1)", value)
        exp.refresh()
        assert exp.tags == {"k (1)": value}

    assert [found.name for found in Experiment.list(ws, tags={"k (1)": "value"}) if found.name == exp.name] == [
        exp.name
    ]
    assert client.get_experiment(exp.id).tags["k _x28_1_x29_"] == "value"
    client.set_experiment_tag(exp.id, "k _x28_1_x29_", "by mlflow")
    exp.refresh()
    assert exp.tags == {"k (1)": "by mlflow"}


def test_hidden_tags_hold_json_for_the_ui_to_ignore(run, client):
    run.tag("k" * 1000, None)
    hidden = {key: value for key, value in client.get_run(run.id).data.tags.items() if ".azml.tag." in key}

    assert [json.loads(value) for value in hidden.values()] == [{"k": 1, "n": 0}]
