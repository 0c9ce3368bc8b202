"""Submitting scripts: `Experiment.submit`, `Run.submit_child` and `azureml.core.script_run`, member by member."""

from __future__ import annotations

from azml_compat._support.records import SIGNATURES, Support, full, members, partial

_PLACE = ("submit-local", "submit-arguments")


def _submit(*tests: str) -> Support:
    return partial(
        *(f"test_submit.py::{name}" for name in tests),
        note="the script runs on this machine, whatever target it names, and that needs Linux or macOS",
        instead="run the script itself (`python -m azml_compat script.py`): Run.get_context() in it is tracked",
        parameters={"kwargs": "`run_id` counts; `credential_passthrough` is accepted, no effect"},
        differs=_PLACE,
    )


SUBMIT = _submit(
    "test_a_submitted_script_is_a_run_of_its_own_with_all_that_it_leaves",
    "test_the_script_must_be_in_the_source_directory",
    "test_only_a_script_run_config_can_be_submitted",
)
SUBMIT_CHILD = _submit("test_a_script_submits_children_of_its_own")

SUBMITTING: dict[str, Support] = members(
    "azureml.core.script_run",
    {
        "ScriptRun": full(
            "test_submit.py::test_details_say_what_was_submitted",
            note="`directory` and `_run_config` have no effect",
            differs=_PLACE,
        ),
        "ScriptRun.RUN_TYPE": full(SIGNATURES),
        "ScriptRun.cancel": full(
            "test_submit.py::test_cancel_ends_everything_that_the_script_has_started", differs=("submit-cancel",)
        ),
    },
)
