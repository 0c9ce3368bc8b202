"""How long a thread waits for a store that does not answer, and what MLflow is told of that."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from mlflow.exceptions import MlflowException

from azml_compat import _background, _runtime
from azml_compat._metrics import Point
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking import Store
from azml_compat._tracking.histories import _again, _in_threads
from azml_compat._tracking.patience import _ours

RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"
NO_ANSWER = MlflowException("API request to http://x failed with exception [Errno 104] Connection reset by peer")
REFUSED = MlflowException("no such run")


def settings():
    return os.environ.get(RETRIES), os.environ.get(TIMEOUT)


class Client:
    """In place of MLflow's client: each call does what `script` says, and notes MLflow's settings."""

    def __init__(self):
        self.script = lambda: None
        self.seen = []

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*args, **kwargs):
            self.seen.append(settings())
            return self.script()

        return call


@pytest.fixture
def store():
    """A store on a server that is not there, with a client that does as the test says."""
    made = Store("http://127.0.0.1:9")
    made._client = Client()
    return made


def ask(store):
    """A call that is not repeated."""
    store.log_points("run", [Point("a", 1.0, 1, 0)])


def after(seconds, error=NO_ANSWER):
    def script():
        time.sleep(seconds)
        raise error

    return script


@pytest.mark.parametrize(("patience", "timeout"), [(None, "30"), (300, "30"), (8, "8"), (2.7, "2"), (0.3, "1")])
def test_no_answer_is_waited_for_longer_than_patience_lasts_and_30_seconds(store, patience, timeout):
    if patience is None:
        ask(store)
    else:
        with store.patience(patience):
            ask(store)

    assert store._client.seen == [("0", timeout)]
    assert settings() == (None, None)


def test_what_was_waited_in_vain_is_missing_from_what_follows_until_there_is_an_answer(store):
    with store.patience(3):
        store._client.script = after(1.1)
        with pytest.raises(ServiceException):
            ask(store)
        store._client.script = after(0, REFUSED)
        with pytest.raises(ServiceException):
            ask(store)
        store._client.script = lambda: None
        ask(store)

    assert [timeout for _, timeout in store._client.seen] == ["3", "1", "3"]


def test_once_patience_is_lost_nothing_is_asked_any_more(store):
    store._client.script = after(0.2)
    with store.patience(60), store.patience(0.1):
        for _ in range(100):
            with pytest.raises(ServiceException) as caught:
                ask(store)

    assert len(store._client.seen) == 1
    assert caught.value.status_code == 503
    assert "log metrics" in caught.value.message


def test_a_store_that_answers_slowly_is_never_given_up(store):
    store._client.script = lambda: time.sleep(0.05)
    with store.patience(0.1):
        for _ in range(10):
            ask(store)

    assert len(store._client.seen) == 10


def test_time_that_is_not_spent_on_waiting_does_not_count(store):
    with store.patience(0.1):
        time.sleep(0.3)
        ask(store)

    assert len(store._client.seen) == 1


def test_of_a_store_that_is_known_to_be_silent_little_is_expected_until_it_answers(store):
    store._client.script = after(0)
    with pytest.raises(ServiceException):
        ask(store)
    store._client.script = lambda: None
    with store.briefly():
        ask(store)
        ask(store)
    with store.patience(20):
        ask(store)

    assert [timeout for _, timeout in store._client.seen] == ["30", "1", "8", "20"]


def test_that_a_store_was_silent_is_forgotten(store, mocker):
    store._client.script = after(0)
    with pytest.raises(ServiceException):
        ask(store)
    assert store.is_silent
    now = time.monotonic()
    mocker.patch("azml_compat._tracking.patience.time", SimpleNamespace(monotonic=lambda: now + 100))

    assert not store.is_silent


def test_other_threads_have_patience_of_their_own(store):
    store._client.script = after(0.2)
    with store.patience(0.1):
        with pytest.raises(ServiceException):
            ask(store)
        store._client.script = lambda: None
        thread = threading.Thread(target=ask, args=(store,))
        thread.start()
        thread.join()
        with pytest.raises(ServiceException):
            ask(store)

    assert len(store._client.seen) == 2


def test_a_write_beside_the_calls_of_other_threads_is_not_repeated_by_mlflow_and_the_most_impatient_decides(store):
    inside, go_on = threading.Event(), threading.Event()

    def read():
        with store.patience(8), pytest.raises(ServiceException):
            store.get_run("run")

    def wait():
        inside.set()
        go_on.wait(20)
        raise REFUSED

    store._client.script = wait
    thread = threading.Thread(target=read)
    thread.start()
    assert inside.wait(20)
    store._client.script = lambda: None
    ask(store)
    go_on.set()
    thread.join()
    ask(store)

    assert store._client.seen == [("0", "8"), ("0", "8"), ("0", "30")]
    assert settings() == (None, None)


def test_a_read_is_repeated_whose_connection_broke_and_a_write_is_not(store):
    store._client.script = after(0)
    with pytest.raises(ServiceException):
        ask(store)
    assert len(store._client.seen) == 1
    with pytest.raises(ServiceException):
        store.get_run("run")
    assert len(store._client.seen) == 3
    with pytest.raises(ServiceException):
        list(store.search_runs(["1"]))
    assert len(store._client.seen) == 5


def test_what_nobody_answered_is_not_asked_again(store, mocker):
    mocker.patch("azml_compat._tracking.store._BROKEN_SECONDS", 0.1)
    store._client.script = after(0.2)
    with pytest.raises(ServiceException):
        store.get_run("run")

    assert len(store._client.seen) == 1


def test_what_was_refused_is_not_asked_again(store):
    store._client.script = after(0, REFUSED)
    with pytest.raises(ServiceException):
        store.get_run("run")

    assert len(store._client.seen) == 1


def test_what_the_user_has_set_holds(store, monkeypatch):
    monkeypatch.setenv(RETRIES, "5")
    monkeypatch.setenv(TIMEOUT, "77")
    store._client.script = after(0)
    with store.patience(3), pytest.raises(ServiceException):
        store.get_run("run")

    assert store._client.seen == [("5", "77")], "and repeating is MLflow's then"
    assert settings() == ("5", "77")


def test_what_the_user_sets_while_a_call_is_under_way_stays(store):
    try:
        store._client.script = lambda: os.environ.update({TIMEOUT: "77"})
        ask(store)

        assert settings() == (None, "77")
    finally:
        os.environ.pop(TIMEOUT, None)


@pytest.mark.parametrize("of_user", [{}, {RETRIES: "5"}, {RETRIES: "5", TIMEOUT: "77"}])
def test_the_background_process_gets_the_settings_of_the_user_and_not_those_of_a_call(
    store, monkeypatch, mocker, of_user
):
    for name, value in of_user.items():
        monkeypatch.setenv(name, value)
    launched = []
    mocker.patch.object(subprocess, "run", lambda command, env, **_: launched.append(env))
    spool = SimpleNamespace(folder=Path(), uri="http://127.0.0.1:9")
    store._client.script = lambda: _background._launch("http://127.0.0.1:9", spool)
    ask(store)

    assert {name: value for name, value in launched[0].items() if name in (RETRIES, TIMEOUT)} == of_user


def test_a_child_that_is_forked_during_a_call_has_nothing_of_it(store, monkeypatch):
    monkeypatch.setattr(_runtime._state, "store", store)
    reading, writing = os.pipe()

    def fork():
        if os.fork() == 0:
            os.write(writing, repr(settings()).encode())
            os._exit(0)
        os.wait()

    store._client.script = fork
    ask(store)
    os.close(writing)

    assert os.read(reading, 100) == b"(None, None)"
    os.close(reading)
    assert settings() == (None, None)
    assert _ours._seconds == []


def test_of_many_requests_none_is_begun_after_one_has_failed():
    """Those that are under way at the time are six, and wait for a server that hangs no longer than the first."""
    asked = []

    def ask_for(item):
        asked.append(item)
        time.sleep(0.1)
        raise ServiceException._from_status(503, f"no answer for {item}")

    with pytest.raises(ServiceException, match="for 0"):
        _in_threads(ask_for, range(100))
    assert len(asked) == 6


def test_one_of_many_requests_whose_connection_broke_is_repeated():
    left = [1]

    def request():
        if left:
            left.pop()
            raise NO_ANSWER
        return "answer"

    assert _again(request) == "answer"
