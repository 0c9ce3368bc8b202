"""`azureml.core.run` and `azureml.core.experiment`, member by member."""

from __future__ import annotations

from azml_compat._support.records import SIGNATURES, Support, full, inert, members, no_effect, partial
from azml_compat._support.refused import CLOUD, DATA
from azml_compat._support.submitting import SUBMIT, SUBMIT_CHILD

_JSON_METRIC = full(
    "invalid_json_text_for_each_kind",
    "test_reference.py::test_a_json_metric_is_a_file_of_its_name_and_a_location",
    differs=("away",),
)
_OPTIONS = "`redirect_output_stream` counts; `logs`, `flush_eager`, `deny_list` and `clean_up` have no effect"
_PORTAL_CONSTANTS = {
    "DELIM": full(SIGNATURES),
    "EXPERIMENT_ID_PATH": full(SIGNATURES),
    "EXPERIMENT_NAME_PATH": full(SIGNATURES),
    "TID_FMT": full(SIGNATURES),
    "WORKSPACE_FMT": full(SIGNATURES),
}

RUN = members(
    "azureml.core.run.Run",
    {
        **_PORTAL_CONSTANTS,
        "": partial(
            "run_constructor_existing",
            "run_constructor_other_experiment",
            "test_run.py::test_the_constructor_refuses_unknown_arguments",
            differs=("left-open", "notebook", "killed", "run-ids"),
            parameters={"kwargs": _OPTIONS},
        ),
        "RUN_PATH": full(SIGNATURES),
        "__enter__": full("with_start_logging_expression", "with_child_run", differs=("user-log",)),
        "__exit__": full(
            "with_exception_propagates_and_fails",
            "with_exception_object_is_the_same",
            "with_system_exit_text",
            "with_nested_caught_exception_fails_only_child",
            "with_uploads_the_outputs_directory",
            differs=("exit-zero", "user-log"),
        ),
        "add_properties": full("properties_add_and_get", "properties_same_value_again", differs=("away",)),
        "add_type_provider": partial(
            "test_run.py::test_a_registered_type_is_made_by_its_factory",
            parameters={
                "run_factory": "is called with a record of azml_compat's (`id`, `tags`, `status` …) in place of Azure's"
            },
        ),
        "cancel": full(
            "status_after_cancel", "cancel_after_complete", "context_online_cancel_is_ignored", differs=("away",)
        ),
        "child_run": full(
            "child_run_basics",
            "child_run_without_name",
            "child_run_of_named_run",
            "child_completion_leaves_parent_alone_and_back",
            differs=("left-open", "away"),
        ),
        "clean": inert("returns []: nothing of a run is put into a temporary place", differs=("clean",)),
        "complete": full(
            "complete_uploads_outputs_directory",
            "complete_uploads_named_outputs_directory",
            "complete_with_outputs_false_uploads_nothing",
            "complete_after_fail",
            differs=("complete-twice", "away"),
        ),
        "create_children": full(
            "create_children_tag_values_in_order",
            "create_children_non_string_tag_values",
            "create_children_duplicate_and_none_tag_values",
            "create_children_bad_combinations",
        ),
        "description": full("description_set_and_get", "description_in_start_logging"),
        "display_name": full("display_name_set_and_get", "display_name_in_start_logging"),
        "download_file": full(
            "download_file_default_target",
            "download_file_to_existing_directory",
            "download_file_creates_missing_directories",
            "download_file_missing",
            note="`_validate_checksum` has no effect",
            differs=("marks", "pathlike"),
        ),
        "download_files": partial(
            "download_files_to_directory",
            "download_files_prefix",
            "download_files_prefix_removed_without_directory",
            "download_files_output_paths",
            differs=("pathlike",),
            parameters=no_effect("batch_size", "timeout_seconds"),
        ),
        "experiment": full("child_run_basics"),
        "fail": full(
            "fail_with_text_and_code",
            "fail_with_exception",
            "fail_after_complete",
            "context_online_fail_does_not_set_status_but_sets_error",
            differs=("away",),
        ),
        "flush": full("flush_returns_none_and_can_be_repeated", differs=("moment", "away")),
        "get": full("run_get_missing_has_status_code_404", "get_metrics_from_another_handle"),
        "get_all_logs": full(
            "test_run.py::test_logs_are_listed_copied_and_read",
            "test_reference.py::test_get_all_logs_refuses_a_file_as_destination",
            differs=("clean",),
        ),
        "get_children": full(
            "get_children_order",
            "get_children_is_a_one_shot_generator",
            "get_children_excludes_grandchildren_unless_recursive",
            "get_children_by_tag_recursive",
            differs=("filters",),
        ),
        "get_context": partial(
            "context_online_twice_is_the_same_object",
            "context_online_logging",
            "context_offline_by_default",
            differs=("context",),
            parameters=no_effect("used_for_context_manager", "kwargs"),
        ),
        "get_detailed_status": full("test_reference.py::test_get_detailed_status_has_no_details_without_a_queue"),
        "get_details": partial(
            "get_details_core",
            "get_details_keys_running",
            "get_details_after_complete",
            "get_details_has_properties",
            note="`logFiles` has addresses of MLflow artifacts, which are no web pages; `warnings` are never there, "
            "`outputDatasets` is empty",
        ),
        "get_details_with_logs": partial(
            "test_run.py::test_logs_are_listed_copied_and_read",
            note="`warnings` are never there, `outputDatasets` is empty",
        ),
        "get_docs_url": full("test_reference.py::test_get_docs_url_is_the_page_of_the_class"),
        "get_environment": full("test_runconfig.py::test_a_submitted_run_knows_its_environment"),
        "get_file_names": full(
            "get_file_names_of_new_run",
            "complete_uploads_outputs_directory",
            "image_from_path",
            differs=("outside-names", "file-and-folder"),
        ),
        "get_metrics": full(
            "get_metrics_by_name",
            "get_metrics_recursive_three_levels",
            "get_metrics_recursive_by_name",
            "get_metrics_result_is_a_fresh_dict",
            "get_metrics_from_another_handle",
            differs=("mixed-rows", "away"),
        ),
        "get_portal_url": full("portal_url_is_a_string", differs=("portal",)),
        "get_properties": full("properties_add_and_get", "properties_of_new_run"),
        "get_snapshot_id": full("snapshot_of_current_directory_by_default", "snapshot_none"),
        "get_status": full("status_after_start_with_default_snapshot", "status_after_cancel", differs=("status-away",)),
        "get_submitted_run": partial(
            "test_reference.py::test_get_submitted_run_is_get_context_without_offline",
            differs=("context",),
            parameters=no_effect("kwargs"),
        ),
        "get_tags": full("set_tags_merges", "tags_property_of_new_run"),
        "id": full("run_constructor_existing", "child_run_basics", differs=("run-ids",)),
        "identity": full("test_run.py::test_texts_for_people"),
        "list": full("run_list_all_and_children", "test_run.py::test_filters_of_listings"),
        "log": full(
            "log_int",
            "log_repeat_becomes_list",
            "log_tuple_value",
            "log_generator_function_is_refused",
            "log_step_out_of_order",
            "np_float32_float16",
            differs=("numpy", "step", "moment", "away", "limits"),
        ),
        "log_accuracy_table": _JSON_METRIC,
        "log_confusion_matrix": _JSON_METRIC,
        "log_image": full(
            "image_from_path",
            "image_nested_relative_path_keeps_the_path",
            "image_both_path_and_plot",
            "image_file_is_not_an_image",
            differs=("plots", "away"),
        ),
        "log_list": full(
            "list_ints",
            "list_float_then_int",
            "list_tuple_range_set_generator",
            "list_nested_is_refused",
            differs=("numpy", "empty", "mixed-rows", "moment", "away", "limits"),
        ),
        "log_predictions": _JSON_METRIC,
        "log_residuals": _JSON_METRIC,
        "log_row": full(
            "row_once_gives_scalars",
            "row_with_strings_and_bools",
            "row_list_value_is_refused",
            differs=("numpy", "mixed-rows", "moment", "away", "limits"),
        ),
        "log_table": full(
            "table_two_columns",
            "table_single_row_gives_scalars",
            "table_twice_is_appended",
            "table_not_a_dict",
            differs=("numpy", "empty", "mixed-rows", "moment", "away", "limits"),
        ),
        "name": full("name_defaults_to_run_id", "name_argument_of_start_logging", "name_is_read_only"),
        "number": full("test_run.py::test_numbers_follow_the_start", differs=("number",)),
        "parent": full("parent_property_is_cached", "three_levels_parent_chain"),
        "portal_url": full("test_reference.py::test_portal_url_is_the_address_of_the_portal", differs=("portal",)),
        "properties": full("properties_add_and_get", differs=("fresh",)),
        "remove_tags": full("remove_tags_missing_key", "remove_tags_none"),
        "restore_snapshot": full(
            "test_snapshot.py::test_a_snapshot_is_restored_to_an_absolute_path",
            "test_snapshot.py::test_only_a_snapshot_of_the_run_is_restored_and_nothing_is_written",
        ),
        "set_tags": full(
            "set_tags_merges", "set_tags_empty_dict", "set_tags_with_a_string", differs=("away", "limits")
        ),
        "start": full("test_reference.py::test_start_makes_a_run_running"),
        "status": full("status_after_start_with_default_snapshot", differs=("fresh", "status-away")),
        "submit_child": SUBMIT_CHILD,
        "tag": full("tag_non_string_value", "tags_property_follows_own_changes", differs=("away", "limits")),
        "tags": full("tags_property_of_new_run", "start_logging_with_tags", differs=("fresh",)),
        "take_snapshot": full(
            "snapshot_of_missing_directory",
            "test_snapshot.py::test_a_snapshot_can_be_taken_later_once",
            "test_snapshot.py::test_azures_limits_hold_for_what_was_asked_for",
            differs=("snapshots",),
        ),
        "type": full("type_of_interactive_run"),
        "upload_file": partial(
            "upload_file_from_open_file",
            "upload_binary_1mb_round_trip",
            "upload_file_unicode_and_spaces_in_name",
            "upload_file_return_value",
            differs=("pathlike", "outside-names", "file-and-folder", "away"),
            parameters=no_effect("datastore_name"),
        ),
        "upload_files": partial(
            "upload_files_length_mismatch",
            "upload_files_missing_local_file",
            "upload_files_return_artifacts",
            "upload_files_repeated_name",
            differs=("pathlike", "outside-names", "away"),
            parameters=no_effect("timeout_seconds", "datastore_name"),
        ),
        "upload_folder": partial(
            "upload_folder_nested",
            "upload_folder_missing",
            "upload_folder_empty",
            differs=("separator", "pathlike", "own-store", "away"),
            parameters=no_effect("datastore_name"),
        ),
        "wait_for_completion": full(
            "wait_for_completion_of_failed",
            "wait_for_completion_of_failed_without_raising",
            "test_run.py::test_waiting_with_output_prints_the_summary",
            "test_run.py::test_waiting_for_a_canceled_run_does_not_raise",
            differs=("polling",),
        ),
    },
)

_OF_A_LAUNCHER = ("test_process_end.py::test_inputs_and_outputs_that_a_launcher_names_are_paths",)
_INPUTS = full(*_OF_A_LAUNCHER, differs=("registered-inputs",))
_OUTPUTS = full(*_OF_A_LAUNCHER)

# Azure gives the two dicts to the runs of scripts only; so does azml_compat. `_run_id` is private, and much used.
RUN_OF_SCRIPT = members(
    "azureml.core.run.Run",
    {
        "_run_id": full("test_process_end.py::test_a_script_that_asks_whether_its_run_is_offline_hears_that_it_is_not"),
        "input_datasets": _INPUTS,
        "output_datasets": _OUTPUTS,
    },
)

RUN_MODULE = members(
    "azureml.core.run",
    {
        "InputDatasets": partial(note="see `Run.input_datasets`"),
        "LinkOutput": DATA,
        "OutputDatasets": partial(note="see `Run.output_datasets`"),
        "OutputDatasets.workspace": full("test_reference.py::test_output_datasets_know_their_workspace"),
        "_OfflineRun": full(
            "context_offline_by_default",
            "context_offline_has_no_validation",
            "context_offline_log_has_no_step",
            "context_offline_children_and_with",
            note="with `AZML_COMPAT_OFFLINE=1`",
            differs=("context",),
        ),
        "get_run": full(
            "test_run.py::test_a_chosen_run_id_is_kept_and_resolves_everywhere",
            "test_run.py::test_a_registered_type_is_made_by_its_factory",
            note="`clean_up` finds nothing to clean up",
        ),
    },
)

EXPERIMENT = members(
    "azureml.core.experiment.Experiment",
    {
        **_PORTAL_CONSTANTS,
        "": full(
            "experiment_invalid_names",
            "test_experiment.py::test_an_experiment_that_was_not_created_refuses_what_needs_it",
            differs=("experiment-ids", "one-store"),
        ),
        "archive": full(
            "test_experiment.py::test_an_archived_experiment_is_hidden_frees_its_name_and_comes_back",
            differs=("archive",),
        ),
        "archived_time": full(
            "test_experiment.py::test_an_archived_experiment_is_hidden_frees_its_name_and_comes_back"
        ),
        "delete": full("experiment_delete_empty", "experiment_delete_with_runs"),
        "from_directory": CLOUD,
        "get_docs_url": full("test_reference.py::test_get_docs_url_is_the_page_of_the_class"),
        "get_portal_url": full("portal_url_is_a_string", differs=("portal",)),
        "get_runs": full(
            "get_runs_newest_first",
            "get_runs_excludes_children_by_default",
            "get_runs_by_two_tags",
            "get_runs_bad_filters",
        ),
        "id": full("experiment_delete_empty", differs=("experiment-ids",)),
        "identity": full("test_reference.py::test_the_identity_of_an_experiment"),
        "list": full(
            "experiment_list_contains_it",
            "experiment_list_by_tags",
            "test_experiment.py::test_listing_filters_by_name_and_tags",
        ),
        "name": full("experiment_list_contains_it", "experiment_invalid_names"),
        "portal_url": full("test_experiment.py::test_texts_for_people", differs=("portal",)),
        "reactivate": full(
            "test_experiment.py::test_an_archived_experiment_is_hidden_frees_its_name_and_comes_back",
            "test_experiment.py::test_a_new_name_at_reactivation_is_refused",
        ),
        "refresh": full("experiment_tags"),
        "remove_tags": full("experiment_remove_tags", "experiment_remove_tags_none"),
        "set_tags": full("experiment_tags", "test_experiment.py::test_tags_that_are_no_dict_are_an_attribute_error"),
        "start_logging": partial(
            "start_logging_positional_arguments",
            "start_logging_unknown_keyword",
            "start_logging_creates_outputs_directory",
            "start_logging_with_tags",
            "snapshot_of_current_directory_by_default",
            differs=("left-open", "notebook", "killed", "run-ids", "snapshots", "away"),
            parameters={"kwargs": _OPTIONS},
        ),
        "submit": SUBMIT,
        "tag": full("experiment_tags"),
        "tags": full("experiment_tags"),
        "workspace": full("test_reference.py::test_the_workspace_of_an_experiment_is_the_one_that_was_given"),
        "workspace_object": full("test_reference.py::test_workspace_object_warns_that_it_is_deprecated"),
    },
)

VIEW_TYPE = members(
    "azureml.core.experiment.ViewType",
    {
        "": full("test_experiment.py::test_an_archived_experiment_is_hidden_frees_its_name_and_comes_back"),
        "ActiveOnly": full(SIGNATURES),
        "All": full(SIGNATURES),
        "ArchivedOnly": full(SIGNATURES),
    },
)

TRACKING: dict[str, Support] = {**RUN, **RUN_OF_SCRIPT, **RUN_MODULE, **EXPERIMENT, **VIEW_TYPE}
