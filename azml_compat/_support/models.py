"""`azureml.core.model`, `azureml.core.keyvault` and what is deployed from there, member by member."""

from __future__ import annotations

from azml_compat._support.records import Support, full, inert, members, partial, refused
from azml_compat._support.refused import DEPLOYMENT

_WITH = "test_keyvault.py::test_a_secret_that_is_set_is_read_back_listed_and_deleted"
_SECRETS = ("secrets",)

KEYVAULT = members(
    "azureml.core.keyvault.Keyvault",
    {
        "": full(_WITH, differs=_SECRETS),
        "delete_secret": full(_WITH, differs=_SECRETS),
        "delete_secrets": full(_WITH, differs=_SECRETS),
        "get_secret": full(_WITH, "test_keyvault.py::test_a_missing_secret_is_a_service_exception", differs=_SECRETS),
        "get_secret_content_type": full(_WITH, differs=_SECRETS),
        "get_secrets": full(_WITH, differs=_SECRETS),
        "list_secrets": partial(_WITH, note="each dict has `name` and `contentType`", differs=_SECRETS),
        "set_secret": full(
            _WITH,
            "test_keyvault.py::test_without_a_safe_place_setting_a_secret_says_what_to_do",
            note="needs keyring, and a store of secrets of the system's",
            differs=_SECRETS,
        ),
        "set_secrets": full(_WITH, differs=_SECRETS),
        "workspace": full("test_keyvault.py::test_the_keyvault_of_a_workspace"),
    },
)
KEYVAULT_OF_RUN = members(
    "azureml.core.run.Run",
    {
        "get_secret": full("test_keyvault.py::test_a_run_reads_the_secrets_of_its_workspace", differs=_SECRETS),
        "get_secrets": full("test_keyvault.py::test_a_run_reads_the_secrets_of_its_workspace", differs=_SECRETS),
    },
)
KEYVAULT_OF_WORKSPACE = members(
    "azureml.core.workspace.Workspace",
    {"get_default_keyvault": full("test_keyvault.py::test_the_keyvault_of_a_workspace", differs=_SECRETS)},
)

_FILE = "test_model.py::"
_FOUND = _FILE + "test_a_registered_file_is_found_and_downloaded_by_everybody"
_CHANGED = _FILE + "test_tags_and_properties_are_changed_with_azures_prints"
_UPDATED = _FILE + "test_update_replaces_the_tags_and_leaves_what_is_not_given"
_KEYS = _FILE + "test_serialize_has_azures_keys_and_deserialize_finds_the_version"
_LISTED = _FILE + "test_filters_of_a_look_up_choose_the_newest_that_fits"
_RESOURCES = _FILE + "test_a_framework_and_resources_are_kept"
_OF_RUN = _FILE + "test_run_register_model_knows_its_run_and_experiment"
_DATASETS = _FILE + "test_datasets_are_found_again_by_what_they_were_for"
_MODELS = ("models",)

MODEL = members(
    "azureml.core.model.Model",
    {
        "": full(
            _FOUND,
            _LISTED,
            _FILE + "test_a_model_that_is_not_there_is_azures_error",
            _FILE + "test_what_plain_mlflow_registered_is_a_model",
            note="also what plain MLflow registered; `expand` has no effect",
            differs=_MODELS,
        ),
        "Framework": full(_RESOURCES),
        "add_dataset_references": full(_DATASETS),
        "add_properties": full(_CHANGED),
        "add_tags": full(_CHANGED),
        "created_by": inert("is `{}`: the registry does not say who"),
        "created_time": full(_FOUND),
        "datasets": partial(_DATASETS, note="those that can still be found by their id"),
        "delete": full(
            _FILE + "test_delete_removes_the_version_and_its_number_is_not_given_out_again", differs=_MODELS
        ),
        "deploy": DEPLOYMENT,
        "derived_model_ids": inert("is `[]`"),
        "description": full(_FOUND),
        "deserialize": partial(_KEYS, note="looks the version up by its id"),
        "download": full(_FOUND, _FILE + "test_download_replaces_nothing_that_is_there_unless_it_may"),
        "experiment_name": full(_OF_RUN),
        "get_model_path": full(
            _FILE + "test_get_model_path_downloads_from_the_workspace_and_prefers_what_is_there_for_a_version",
            _FILE + "test_get_model_path_says_what_is_missing",
            _FILE + "test_get_model_path_in_a_submitted_run_uses_its_workspace",
            differs=_MODELS,
        ),
        "get_sas_urls": refused("the files are not in Azure's storage", "use download()", planned=False),
        "id": full(_FOUND),
        "list": full(
            _LISTED,
            _FILE + "test_list_refuses_filters_of_the_wrong_type",
            note="`expand` and `page_count` have no effect",
        ),
        "mime_type": full(_FOUND),
        "model_framework": full(_RESOURCES),
        "model_framework_version": full(_RESOURCES),
        "name": full(_FOUND),
        "package": DEPLOYMENT,
        "parent_id": inert("is None"),
        "print_configuration": DEPLOYMENT,
        "profile": DEPLOYMENT,
        "properties": full(_FOUND, _CHANGED, differs=_MODELS),
        "register": full(
            _FILE + "test_register_refuses_what_azure_refuses_and_stores_nothing",
            _FILE + "test_each_registration_is_a_new_version_whose_files_stay",
            _FILE + "test_child_paths_register_a_part_of_a_folder",
            _FILE + "test_two_that_register_at_once_never_share_a_version",
            differs=_MODELS,
        ),
        "remove_tags": full(_CHANGED),
        "resource_configuration": full(_RESOURCES),
        "run": full(_OF_RUN),
        "run_id": full(_OF_RUN),
        "sample_input_dataset": partial(_DATASETS, note="where it can still be found by its id"),
        "sample_output_dataset": partial(_DATASETS, note="where it can still be found by its id"),
        "serialize": full(_KEYS),
        "tags": full(_FOUND, _CHANGED, differs=_MODELS),
        "unpack": full(_FOUND),
        "update": full(_UPDATED),
        "update_tags_properties": full(_UPDATED),
        "url": partial(note="is `models:/<name>/<version>`, for MLflow", differs=_MODELS),
        "version": full(_FOUND),
        "workspace": full(_FOUND),
    },
)
REGISTERING = {
    "azureml.core.run.Run.register_model": full(
        _OF_RUN,
        "test_run.py::test_register_model_copies_what_it_registers",
        "test_run.py::test_register_model_refuses_what_azure_refuses",
        differs=_MODELS,
    ),
    "azureml.core.workspace.Workspace.models": full(_FOUND, _LISTED),
}

_VAIN = _FILE + "test_a_web_service_is_looked_for_in_vain_as_on_azure"
WEBSERVICE = members(
    "azureml.core.webservice.webservice.Webservice",
    {
        "": partial(_VAIN, note="there are none: raises WebserviceNotFound", differs=("deployment",)),
        "check_for_existing_webservice": inert("there is no service in the way", _VAIN),
        "list": partial(_VAIN, note="is `[]`", differs=("deployment",)),
        **dict.fromkeys(
            (
                *(
                    "auth_enabled",
                    "compute_type",
                    "created_by",
                    "created_time",
                    "delete",
                    "deploy",
                    "deploy_from_image",
                ),
                *("deploy_from_model", "deploy_local_from_model", "description", "deserialize", "error", "get_keys"),
                *("get_logs", "get_token", "image", "image_digest", "image_id", "name", "properties", "regen_key"),
                *("run", "serialize", "state", "tags", "token_auth_enabled", "update", "update_deployment_state"),
                *("updated_time", "wait_for_deployment", "workspace"),
            ),
            DEPLOYMENT,
        ),
    },
)
WEBSERVICES = {"azureml.core.workspace.Workspace.webservices": partial(_VAIN, note="is `{}`", differs=("deployment",))}

MODELS: dict[str, Support] = {
    **KEYVAULT,
    **KEYVAULT_OF_RUN,
    **KEYVAULT_OF_WORKSPACE,
    **MODEL,
    **REGISTERING,
    **WEBSERVICE,
    **WEBSERVICES,
}
