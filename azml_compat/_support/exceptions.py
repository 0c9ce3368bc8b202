"""`azureml.exceptions`, and Azure's private names that scripts use.

An entry of a class covers the members that all of them inherit: `message`, `inner_exception`, `print_stacktrace`.
"""

from __future__ import annotations

from azml_compat._support.records import Support, full, inert, members

_MESSAGE = "test_exceptions.py::test_the_message_is_given_back_and_is_the_one_argument"
_TEXT = "test_exceptions.py::test_str_and_repr_are_the_multi_line_form"
_OWN_MESSAGE = "test_exceptions.py::test_messages_that_classes_make_themselves"
_ATTRIBUTES = "test_exceptions.py::test_constructors_keep_their_attributes"
_LOGGED = "test_exceptions.py::test_a_logger_gets_the_message_as_an_error"

_ORDINARY = full(_MESSAGE, _TEXT)
_SPEAKING = full(_OWN_MESSAGE, _TEXT)
_WITH_ATTRIBUTES = full(_MESSAGE, _TEXT, _ATTRIBUTES)

PUBLIC = members(
    "azureml.exceptions",
    {
        "ActivityFailedException": _SPEAKING,
        "AuthenticationException": _ORDINARY,
        "AzureMLAggregatedException": _SPEAKING,
        "AzureMLException": full(
            _MESSAGE,
            _TEXT,
            "test_exceptions.py::test_str_in_full",
            "test_exceptions.py::test_message_and_inner_exception_can_be_set",
            "test_exceptions.py::test_print_stacktrace_prints_to_stderr",
        ),
        "ComputeTargetException": _ORDINARY,
        "DatasetTimestampMissingError": _SPEAKING,
        "DiscoveryUrlNotFoundException": full(_TEXT),
        "ExperimentExecutionException": _ORDINARY,
        "ModelNotFoundException": full(_MESSAGE, _TEXT, _LOGGED),
        "ModelPathNotFoundException": _ORDINARY,
        "ParallelRunException": _WITH_ATTRIBUTES,
        "ProjectSystemException": _ORDINARY,
        "RunConfigurationException": _ORDINARY,
        "RunEnvironmentException": _SPEAKING,
        "ServiceException": full(
            "run_get_missing_has_status_code_404",
            "test_exceptions.py::test_a_service_exception_has_the_bases_that_scripts_name",
            "test_exceptions.py::test_a_service_exception_made_of_a_status",
        ),
        "SnapshotException": _ORDINARY,
        "TrainingException": _ORDINARY,
        "UserErrorException": _ORDINARY,
        "WebserviceException": full(_MESSAGE, _TEXT, _ATTRIBUTES, _LOGGED),
        "WorkspaceException": _WITH_ATTRIBUTES,
        "WorkspacePrivateEndpointException": full(
            _MESSAGE, _TEXT, "test_reference.py::test_workspace_exceptions_say_whether_several_were_found"
        ),
    },
)

PRIVATE: dict[str, Support] = {
    "azureml._base_sdk_common.user_agent": inert("nothing is sent that would carry a user agent"),
    "azureml._restclient.constants.RunStatus": full("test_exceptions.py::test_status_words"),
    "azureml.exceptions._azureml_exception.ActivityCanceledException": inert(
        "can be raised and caught; nothing raises it, as in the original", _TEXT
    ),
}

EXCEPTIONS = {**PUBLIC, **PRIVATE}
