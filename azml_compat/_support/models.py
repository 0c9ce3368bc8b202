"""`azureml.core.model`, `azureml.core.keyvault` and what is deployed from there, member by member."""

from __future__ import annotations

from azml_compat._support.records import Support, full, members, partial

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

MODELS: dict[str, Support] = {**KEYVAULT, **KEYVAULT_OF_RUN, **KEYVAULT_OF_WORKSPACE}
