"""The outcomes recorded from the real client, against this one on every store.

tests/golden holds the cases, the recorded outcomes and the comparison as they came with the recording. What differs
is named in docs/differences.md; the list here is asserted both ways.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from pathlib import Path

import pytest

from azml_compat import Experiment, Run, Workspace
from tests.conftest import STORES

FOLDER = Path(__file__).parent / "golden"
GOLDEN = json.loads((FOLDER / "golden.json").read_text())
DIFFERENCES = (Path(__file__).parents[1] / "docs" / "differences.md").read_text()

CLIENT_DECIDED = {
    "download_file_with_hash_or_question_mark_in_name",
    "np_array_0d_in_log",
    "np_array_1d_in_log",
    "np_float_array_column_in_log_table",
    "np_int64_is_logged_as_text",
    "np_int_array_in_log_list",
    "np_list_of_int64_columns_in_log_table",
    "status_is_cached_once_terminal",
    "tags_property_is_cached_get_tags_is_not",
    "with_system_exit_none",
    "with_system_exit_zero",
}
SERVER_DECIDED = {
    "complete_twice_with_outputs",
    "list_float_then_string",
    "mixed_scalar_then_row",
    "row_different_columns_across_calls",
}
"""The recording's stand-in for the service is only an opinion here."""


class Driver:
    Run, Experiment, Workspace = Run, Experiment, Workspace

    def __init__(self, ws, monkeypatch):
        self.ws = ws
        self._monkeypatch = monkeypatch

    @contextlib.contextmanager
    def activate(self, run):
        with self._monkeypatch.context() as patch:
            patch.setenv("AZUREML_RUN_ID", run.id)
            yield


@pytest.fixture
def runner(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setenv("AZML_COMPAT_OFFLINE", "1")
    import runner

    yield runner
    logging.disable(logging.NOTSET)
    for name in ("runner", "cases"):
        sys.modules.pop(name, None)


AREAS = sorted({record["area"] for record in GOLDEN.values()})
VALUES = {"log", "log_list", "log_row", "log_table", "mixed", "numpy"}
"""Areas that are about what becomes of a value: servers get them as databases do (tests/test_mapping.py)."""


@pytest.mark.parametrize(
    ("tracking_uri", "area"),
    [
        pytest.param(store, area, marks=[pytest.mark.extra] if store == "http" and area in VALUES else [])
        for store in STORES
        for area in AREAS
    ],
    indirect=["tracking_uri"],
)
def test_every_case_matches_except_the_named_differences(ws, runner, monkeypatch, area):
    """Area by area: a file store reads all its experiments to find one, so one store for all is slow."""
    outcomes = runner.run_all(Driver(ws, monkeypatch), areas=[area], verbose=False)
    result = runner.compare(GOLDEN, outcomes)
    cases = {case for case, record in GOLDEN.items() if record["area"] == area}

    assert set(outcomes) == cases
    assert result["skipped"] == []
    assert result["timeout"] == []
    assert set(result["MISMATCH"]) == CLIENT_DECIDED & cases
    assert set(result["server_decided_differs"]) == SERVER_DECIDED & cases
    # A public except clause for ValueError catches both; the original's class is msrest's.
    assert set(result["compatible"]) == {"remove_tags_none"} & cases


def test_the_cases_are_those_of_the_recording(runner):
    import cases

    recorded = {case: record["area"] for case, record in GOLDEN.items()}
    assert {case["id"]: case["area"] for case in cases.CASES} == recorded


@pytest.mark.parametrize("case", sorted(CLIENT_DECIDED | SERVER_DECIDED))
def test_every_difference_is_documented(case):
    assert f"`{case}`" in DIFFERENCES


def test_no_other_case_is_documented_as_different():
    documented = {case for case in GOLDEN if f"`{case}`" in DIFFERENCES}

    assert documented == CLIENT_DECIDED | SERVER_DECIDED
