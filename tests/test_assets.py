"""The records of a workspace: kept in the tracking store, versioned without a lock, and on no page of the UI."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from mlflow import MlflowClient

from azml_compat._assets import Asset, Assets
from azml_compat._tracking import Store


@pytest.fixture
def assets(ws):
    return Assets(ws.service_context.store, "trial")


@pytest.fixture
def name():
    """A name of this test alone: the server is shared."""
    return f"data {uuid.uuid4().hex[:8]} / ü"


def test_versions_count_from_one_for_each_name(assets, name):
    first = assets.add(name, {"rows": 1})
    second = assets.add(name, {"rows": [2, None, "ü"]})
    other = assets.add(f"{name} 2", {})

    assert [first.version, second.version, other.version] == [1, 2, 1]
    assert assets.find(name) == second
    assert assets.find(name, 1) == first
    assert assets.find(name, 3) is None
    assert assets.get(first.id) == first
    assert assets.get("none") is None
    assert assets.versions(name) == [first, second]
    assert assets.latest()[name] == second


def test_kinds_are_apart(assets, ws, name):
    assets.add(name, {})

    assert Assets(ws.service_context.store, "environment").find(name) is None


def test_what_has_no_versions_is_replaced(assets, name):
    first = assets.put(name, {"a": 1})
    second = assets.put(name, {"b": 2})

    assert (second.id, second.version, second.created) == (first.id, 1, first.created)
    assert assets.versions(name) == [second]


def test_a_record_of_any_length_is_replaced_whole(assets, name):
    asset = assets.add(name, {"text": "x" * 30_000})
    assert assets.find(name).content == {"text": "x" * 30_000}

    assets.update(asset, {"text": "y" * 9_000})
    assert assets.find(name).content == {"text": "y" * 9_000}

    assets.update(asset, {"text": "short"})
    assert assets.find(name) == Asset(asset.id, name, 1, asset.created, {"text": "short"})


def test_what_is_removed_leaves_nothing(assets, ws, name):
    store = ws.service_context.store
    before = store.get_experiment("0").tags
    assets.add(name, {"text": "x" * 9_000})
    assets.add(name, {})
    assets.remove(name)
    assets.remove(name)

    assert assets.find(name) is None
    assert store.get_experiment("0").tags == before


def test_two_that_register_at_once_never_share_a_version(tracking_uri, name):
    writers = 5
    together = threading.Barrier(writers)

    def register(number):
        mine = Assets(Store(tracking_uri), "trial")
        together.wait()
        return [mine.add(name, {"writer": number, "text": "x" * (number * 1000)}) for _ in range(2)]

    with ThreadPoolExecutor(writers) as pool:
        made = [asset for some in pool.map(register, range(writers)) for asset in some]
    found = Assets(Store(tracking_uri), "trial").versions(name)

    assert len({asset.version for asset in made}) == len(made)
    assert {asset.version: asset for asset in found} == {asset.version: asset for asset in made}


def test_a_claim_whose_process_died_is_no_record(assets, ws, name):
    first = assets.add(name, {})
    claim = Asset(str(uuid.uuid4()), name, 2, 0, {})
    assets._write(claim, is_claim=True)

    assert assets.versions(name) == [first]
    assert assets.add(name, {}).version == 3


def test_a_record_that_was_cut_short_is_passed_over(sqlite_uri, name):
    assets = Assets(Store(sqlite_uri), "trial")
    assets._store.set_experiment_tags("0", {f"{assets._prefix}{uuid.uuid4()}": ""})
    made = assets.add(name, {})

    assert assets.find(name) == made


def test_records_survive_the_deletion_of_the_default_experiment(sqlite_uri, name):
    assets = Assets(Store(sqlite_uri), "trial")
    first = assets.add(name, {"a": 1})
    MlflowClient(sqlite_uri).delete_experiment("0")
    second = assets.add(name, {"a": 2})

    assert assets.versions(name) == [first, second]


def test_all_that_is_stored_is_hidden_from_the_ui(assets, ws, name):
    client = ws.service_context.store.client
    before = client.get_experiment("0").tags
    assets.add(name, {"text": "x" * 9_000})
    added = {key: value for key, value in client.get_experiment("0").tags.items() if key not in before}

    assert len(added) == 4
    assert all(key.startswith("mlflow.") for key in added)
    assert all(len(value) <= 5000 for value in added.values())
