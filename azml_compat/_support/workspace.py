"""`azureml.core.workspace` and `azureml.core.authentication`, member by member."""

from __future__ import annotations

from azml_compat._support.records import SIGNATURES, Support, full, inert, members, no_effect, partial, refused
from azml_compat._support.refused import CLOUD, DEPLOYMENT

_NO_CONFIGURATION = inert("is None: nothing makes a compute target of it")

WORKSPACE = members(
    "azureml.core.workspace.Workspace",
    {
        "": full(
            "test_workspace.py::test_the_text_is_azures",
            note="`_cloud`, `_workspace_id` and `_disable_service_check` have no effect",
            differs=("one-store", "authentication"),
        ),
        "DEFAULT_CPU_CLUSTER_CONFIGURATION": _NO_CONFIGURATION,
        "DEFAULT_CPU_CLUSTER_NAME": full(SIGNATURES),
        "DEFAULT_GPU_CLUSTER_CONFIGURATION": _NO_CONFIGURATION,
        "DEFAULT_GPU_CLUSTER_NAME": full(SIGNATURES),
        "add_private_endpoint": CLOUD,
        "create": partial(
            "test_workspace.py::test_create_has_azures_name_rule",
            note="what is given here is kept: location, SKU, tags, friendly name",
            differs=("create", "authentication"),
            parameters=no_effect(
                *("create_resource_group", "storage_account", "key_vault", "app_insights", "container_registry"),
                *("adb_workspace", "primary_user_assigned_identity", "cmk_keyvault", "resource_cmk_uri"),
                *("hbi_workspace", "default_cpu_compute_target", "default_gpu_compute_target"),
                *("private_endpoint_config", "private_endpoint_auto_approval", "v1_legacy_mode"),
                *("user_assigned_identity_for_cmk_encryption", "system_datastores_auth_mode"),
            ),
        ),
        "datasets": full("test_dataset_files.py::test_datasets_of_a_workspace_are_a_mapping"),
        "datastores": full(
            "test_datastore.py::test_a_workspace_has_azures_datastores_and_the_first_is_the_default",
            differs=("folders",),
        ),
        "delete": inert("deletes nothing, and says so: a store is never deleted from here", differs=("delete",)),
        "delete_connection": CLOUD,
        "delete_private_endpoint_connection": CLOUD,
        "diagnose_workspace": CLOUD,
        "discovery_url": partial(note="is the address of the tracking store: there is no discovery service"),
        "environments": partial(
            "test_environment.py::test_register_gives_versions_that_every_store_keeps",
            note="lists what is registered here; a curated environment is found by its name",
            differs=("curated",),
        ),
        "experiments": full("workspace_experiments_property"),
        "from_config": full(
            "test_workspace.py::test_both_forms_of_the_file_are_read",
            "test_workspace.py::test_the_folder_kind_is_searched_before_the_height",
            "test_workspace.py::test_project_json_is_found_after_config_json",
            "test_workspace.py::test_what_is_wrong_with_a_file_is_said",
            differs=("no-config", "one-store", "authentication"),
        ),
        "get": partial(
            "test_workspace.py::test_create_keeps_what_it_was_told_in_the_store",
            differs=("one-store", "authentication"),
            parameters=no_effect("cloud", "id"),
        ),
        "get_connection": CLOUD,
        "get_default_datastore": full(
            "test_datastore.py::test_a_workspace_has_azures_datastores_and_the_first_is_the_default",
            differs=("folders",),
        ),
        "get_details": partial(
            "test_workspace.py::test_update_returns_the_new_details",
            note="the keys of Azure resources (`storageAccount`, `keyVault` …) are absent, `discoveryUrl` is the "
            "address of the tracking store",
        ),
        "get_mlflow_tracking_uri": full(
            "test_reference.py::test_get_mlflow_tracking_uri_is_what_mlflow_takes", differs=("one-store",)
        ),
        "get_run": full("test_run.py::test_a_chosen_run_id_is_kept_and_resolves_everywhere"),
        "images": DEPLOYMENT,
        "linked_services": CLOUD,
        "list": partial(
            "test_workspace.py::test_create_keeps_what_it_was_told_in_the_store",
            note="the workspaces that were created in this store, and the current one",
            differs=("one-store", "authentication"),
        ),
        "list_connections": CLOUD,
        "list_keys": CLOUD,
        "location": partial(
            "test_workspace.py::test_create_keeps_what_it_was_told_in_the_store",
            note="what `create` was told, else `local`",
        ),
        "name": full("test_workspace.py::test_both_forms_of_the_file_are_read"),
        "private_endpoints": CLOUD,
        "resource_group": full("test_workspace.py::test_both_forms_of_the_file_are_read"),
        "service_context": partial(note="an object of azml_compat's own, without the clients of Azure's"),
        "set_connection": CLOUD,
        "set_default_datastore": full(
            "test_datastore.py::test_the_default_can_be_chosen_and_falls_back_when_it_is_gone"
        ),
        "setup": full("test_workspace.py::test_setup_asks_nothing_and_writes_the_file", differs=("delete",)),
        "sku": partial(
            "test_workspace.py::test_create_keeps_what_it_was_told_in_the_store",
            note="what `create` was told, else `basic`",
        ),
        "subscription_id": full("test_workspace.py::test_both_forms_of_the_file_are_read"),
        "sync_keys": CLOUD,
        "tags": partial(
            "test_workspace.py::test_create_keeps_what_it_was_told_in_the_store",
            note="what `create` and `update` were told, else `{}`",
        ),
        "update": partial(
            "test_workspace.py::test_update_returns_the_new_details",
            parameters=no_effect(
                *("image_build_compute", "service_managed_resources_settings", "primary_user_assigned_identity"),
                *("allow_public_access_when_behind_vnet", "v1_legacy_mode"),
            ),
        ),
        "update_dependencies": CLOUD,
        "write_config": full(
            "test_workspace.py::test_write_config_is_read_back_and_written_in_azures_form",
            "test_workspace.py::test_write_config_keeps_to_aml_config_and_project_json",
            "test_workspace.py::test_write_config_replaces_the_extension",
            "test_workspace.py::test_write_config_into_a_missing_folder_is_azures_error",
        ),
    },
)

_NOT_NEEDED = inert(
    "nothing is authenticated: it asks for nothing, connects to nothing and keeps no secret",
    "test_authentication.py::test_making_one_neither_asks_nor_starts_anything",
    differs=("authentication",),
)
_TOKEN = refused(
    "it runs without Azure, so no token can be had",
    "do not call Azure's services: use the Workspace, Experiment and Run objects, or MlflowClient on "
    "ws.get_mlflow_tracking_uri()",
    planned=False,
)
_VALUES = full("test_authentication.py::test_values")
_SCOPE = "test_authentication.py::test_one_object_for_the_scope_of_a_run"
_EXPIRY = "test_authentication.py::test_the_expiry_time_is_kept_and_follows_set_token"

AUTHENTICATION = members(
    "azureml.core.authentication",
    {
        "AbstractAuthentication": _NOT_NEEDED,
        "AbstractAuthentication.get_authentication_header": _TOKEN,
        "AbstractAuthentication.get_token": _TOKEN,
        "AbstractAuthentication.signed_session": _TOKEN,
        "AccessToken": _VALUES,
        "AccessToken.expires_on": _VALUES,
        "AccessToken.token": _VALUES,
        "ArmTokenAuthentication": _NOT_NEEDED,
        "ArmTokenAuthentication.update_arm_access_token": inert("the new token is dropped like the first"),
        "Audience": _VALUES,
        "Audience.ARM": _VALUES,
        "Audience.AZUREML": _VALUES,
        "AzureCliAuthentication": _NOT_NEEDED,
        "AzureMLTokenAuthentication": _NOT_NEEDED,
        "AzureMLTokenAuthentication.EXPIRATION_THRESHOLD_IN_SECONDS": full(SIGNATURES),
        "AzureMLTokenAuthentication.REFRESH_INTERVAL_IN_SECONDS": full(SIGNATURES),
        "AzureMLTokenAuthentication.create": inert(
            "one object for each run, without its token", _SCOPE, differs=("authentication",)
        ),
        "AzureMLTokenAuthentication.expiry_time": full(_EXPIRY),
        "AzureMLTokenAuthentication.get_authentication_header": _TOKEN,
        "AzureMLTokenAuthentication.set_token": inert("the end is kept, the token is dropped", _EXPIRY),
        "AzureMLTokenAuthentication.token": _TOKEN,
        "InteractiveLoginAuthentication": _NOT_NEEDED,
        "MsiAuthentication": _NOT_NEEDED,
        "ServicePrincipalAuthentication": _NOT_NEEDED,
        "TokenAuthentication": _NOT_NEEDED,
        "TokenAuthentication.get_token": _TOKEN,
    },
)

WORKSPACES: dict[str, Support] = {**WORKSPACE, **AUTHENTICATION}
