from __future__ import annotations

import inspect
import logging
import socket
from pathlib import Path

import pytest

from azml_compat import telemetry


@pytest.fixture(autouse=True)
def _no_traces(monkeypatch, tmp_path):
    """Nothing is sent, and nothing is written to where the original keeps its configuration."""

    def refuse(*_):
        raise AssertionError("something is sent")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    yield
    assert [*Path.home().iterdir(), *Path.cwd().iterdir()] == []


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        ({}, "Turning diagnostics collection on. \n"),
        (
            {"send_diagnostics": True, "verbosity": 10, "reason": "to help"},
            "Turning diagnostics collection on. to help\n",
        ),
        ({"send_diagnostics": False}, ""),
        ({"path": "telemetry.json"}, "Turning diagnostics collection on. \n"),
    ],
)
def test_it_prints_what_the_original_prints(arguments, printed, capsys):
    assert telemetry.set_diagnostics_collection(**arguments) is None
    assert capsys.readouterr() == (printed, "")


def test_nothing_is_collected_whatever_was_asked_for():
    telemetry.set_diagnostics_collection(True)

    assert telemetry.get_diagnostics_collection_info() == (False, "INFO")
    assert telemetry.get_diagnostics_collection_info(component_name="training", path="x.json") == (False, "INFO")
    assert telemetry.is_diagnostics_collection_info_available() is True
    assert telemetry.set_diagnostics_properties({"a": 1}) is None
    assert telemetry.add_diagnostics_properties({"a": 1}) is None


def test_the_handler_takes_records_and_drops_them():
    handler = telemetry.get_telemetry_log_handler(telemetry.INSTRUMENTATION_KEY, component_name="training")
    logger = logging.Logger("telemetry")
    logger.addHandler(handler)
    logger.error("dropped")

    assert type(handler) is logging.NullHandler


def test_the_event_logger_takes_events_and_drops_them():
    events = telemetry.get_event_logger("any", sampling=1)

    assert events.log_event(object(), white_listed_properties=[]) is None
    assert events.log_metric(object()) is None
    assert events.flush() is None


def test_the_key_is_nobodys():
    assert set(telemetry.INSTRUMENTATION_KEY) == {"0", "-"}


def test_the_error_is_an_exception_with_a_message():
    with pytest.raises(telemetry.UserErrorException, match="what is wrong"):
        raise telemetry.UserErrorException("what is wrong", code=1)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        (
            "set_diagnostics_collection",
            {"send_diagnostics": True, "verbosity": logging.INFO, "reason": "", "path": None},
        ),
        ("get_diagnostics_collection_info", {"component_name": None, "path": None, "proceed_in_hbi_mode": False}),
        (
            "get_telemetry_log_handler",
            {"instrumentation_key": None, "component_name": None, "path": None, "proceed_in_hbi_mode": False},
        ),
    ],
)
def test_the_signatures_are_azures(name, parameters):
    found = inspect.signature(getattr(telemetry, name)).parameters

    assert {parameter.name: parameter.default for parameter in found.values()} == parameters
