from __future__ import annotations

import copy
import json
import logging
import pickle
import subprocess
import sys

import pytest

import azml_compat.exceptions
from azml_compat._common import exceptions as common
from azml_compat._restclient import exceptions as restclient
from azml_compat._restclient.constants import RunStatus
from azml_compat._restclient.exceptions import ErrorResponseException, ServiceException
from azml_compat.exceptions import (
    ActivityFailedException,
    AuthenticationException,
    AzureMLAggregatedException,
    AzureMLException,
    DatasetTimestampMissingError,
    ModelNotFoundException,
    ParallelRunException,
    RunEnvironmentException,
    UserErrorException,
    WebserviceException,
    WorkspaceException,
)
from azml_compat.exceptions import _azureml_exception as private

ORDINARY = sorted(
    set(azml_compat.exceptions.__all__)
    - {
        "ActivityFailedException",
        "AzureMLAggregatedException",
        "DatasetTimestampMissingError",
        "DiscoveryUrlNotFoundException",
        "RunEnvironmentException",
        "ServiceException",
    }
)
SAMPLES = {
    **{name: getattr(azml_compat.exceptions, name)("it broke") for name in ORDINARY},
    "ActivityCanceledException": private.ActivityCanceledException("the user"),
    "ActivityFailedException": ActivityFailedException("it broke"),
    "AzureMLAggregatedException": AzureMLAggregatedException([UserErrorException("one"), ValueError("two")]),
    "DatasetTimestampMissingError": DatasetTimestampMissingError("it broke"),
    "DiscoveryUrlNotFoundException": azml_compat.exceptions.DiscoveryUrlNotFoundException("api"),
    "RunEnvironmentException": RunEnvironmentException(),
    "ServiceException": ServiceException._from_status(404, "it broke"),
}
every_class = pytest.mark.parametrize("name", sorted(SAMPLES))


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except Exception as caught:  # noqa: BLE001 - to give it a traceback
        return caught


def described(error: AzureMLException) -> dict[str, object]:
    text = str(error)
    return json.loads(text[text.index("{") :])["error"]


def test_the_public_module_exports_azures_21_names():
    assert len(azml_compat.exceptions.__all__) == 21
    assert azml_compat.exceptions.__all__ == sorted(azml_compat.exceptions.__all__)
    assert set(SAMPLES) == {*azml_compat.exceptions.__all__, "ActivityCanceledException"}
    assert not hasattr(azml_compat.exceptions, "ActivityCanceledException")


@pytest.mark.parametrize("name", azml_compat.exceptions.__all__)
def test_a_class_is_one_object_at_all_of_its_homes(name):
    homes = [home for home in (common, private, restclient) if name in vars(home)]

    assert homes
    assert {getattr(home, name) for home in homes} == {getattr(azml_compat.exceptions, name)}


@pytest.mark.parametrize("name", ORDINARY)
def test_the_message_is_given_back_and_is_the_one_argument(name):
    error = SAMPLES[name]

    assert error.message == "it broke"
    assert error.args == ("it broke",)
    assert error.inner_exception is None


@every_class
def test_message_and_inner_exception_can_be_set(name):
    error, cause = copy.copy(SAMPLES[name]), ValueError("cause")
    error.message, error.inner_exception = "other", cause

    assert error.message == "other"
    assert error.inner_exception is cause
    assert "other" in str(error)
    assert "cause" in str(error)


@every_class
def test_str_and_repr_are_the_multi_line_form(name):
    error = SAMPLES[name]
    first, *rest = str(error).split("\n")

    assert repr(error) == str(error)
    assert first == f"{type(error).__name__}:"
    assert any(line.startswith("\tMessage: ") for line in rest)
    assert any(line.startswith("\tInnerException") for line in rest)


@pytest.mark.parametrize("name", sorted(set(SAMPLES) - {"ServiceException"}))
def test_str_ends_with_the_error_as_json(name):
    error = SAMPLES[name]

    assert "\n\tErrorResponse \n{\n" in str(error)
    assert described(error)["message"] == error.message


def test_str_in_full():
    assert str(UserErrorException("it broke", target="x", ignored=1)) == (
        "UserErrorException:\n"
        "\tMessage: it broke\n"
        "\tInnerException None\n"
        "\tErrorResponse \n"
        "{\n"
        '    "error": {\n'
        '        "code": "UserError",\n'
        '        "message": "it broke",\n'
        '        "target": "x"\n'
        "    }\n"
        "}"
    )


def test_only_user_errors_have_a_code():
    with_code = {name for name in set(SAMPLES) - {"ServiceException"} if "code" in described(SAMPLES[name])}

    assert with_code == {"UserErrorException", "AuthenticationException"}
    assert described(SAMPLES["AuthenticationException"])["code"] == "UserError"
    assert "code" not in described(AzureMLException("a metric argument"))


def test_a_message_of_any_type_can_be_shown():
    assert "object at" in str(AzureMLException(object()))
    assert "None" in str(AzureMLException(None))


@every_class
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_keeps_class_message_and_attributes(name, protocol):
    error = raised(SAMPLES[name])
    error.extra = [1]
    again = pickle.loads(pickle.dumps(error, protocol))

    assert type(again) is type(error)
    assert (again.message, again.args, str(again)) == (error.message, error.args, str(error))
    assert again.extra == [1]
    assert set(vars(again)) == set(vars(error))


@every_class
@pytest.mark.parametrize("clone", [copy.copy, copy.deepcopy])
def test_copies_keep_message_and_arguments(name, clone):
    again = clone(SAMPLES[name])

    assert again is not SAMPLES[name]
    assert (again.message, again.args) == (SAMPLES[name].message, SAMPLES[name].args)


def test_a_subclass_with_a_constructor_of_its_own_pickles():
    error = pickle.loads(pickle.dumps(Peculiar(1, other=2)))

    assert (error.message, error.one, error.other) == ("1 and 2", 1, 2)


class Peculiar(UserErrorException):
    def __init__(self, one, *, other):
        super().__init__(f"{one} and {other}")
        self.one, self.other = one, other


def test_constructors_keep_their_attributes():
    assert WorkspaceException("m", True).found_multiple is True
    assert WorkspaceException("m").found_multiple is False
    assert WebserviceException("m", 404).status_code == 404
    assert (ParallelRunException("m", "c", 3).code, ParallelRunException("m").delay_seconds) == ("c", 0)
    assert AzureMLException("m", ValueError("inner")).inner_exception.args == ("inner",)


def test_messages_that_classes_make_themselves():
    assert ActivityFailedException("details").message == "Activity Failed:\ndetails"
    assert DatasetTimestampMissingError("details").message.startswith("Activity Failed:")
    assert AzureMLAggregatedException([UserErrorException("one"), "two"]).message == "one\ntwo"
    assert "start_logging" in RunEnvironmentException().message
    with pytest.raises(TypeError):
        RunEnvironmentException("no message is taken")


def test_a_logger_gets_the_message_as_an_error(caplog):
    with caplog.at_level(logging.ERROR):
        WebserviceException("gone", logger=logging.getLogger("a"))
        ModelNotFoundException("lost", logging.getLogger("b"))

    assert [(record.name, record.levelname, record.message) for record in caplog.records] == [
        ("a", "ERROR", "gone"),
        ("b", "ERROR", "lost"),
    ]


@every_class
def test_print_stacktrace_prints_to_stderr(name, capsys):
    raised(SAMPLES[name]).print_stacktrace()
    printed = capsys.readouterr()

    assert printed.out == ""
    assert printed.err.startswith("Traceback")
    assert "def raised" not in printed.err
    assert "raise error" in printed.err


def test_only_user_errors_are_user_errors():
    assert issubclass(AuthenticationException, UserErrorException)
    assert not issubclass(WebserviceException, UserErrorException)
    assert not issubclass(ServiceException, AzureMLException)


def test_a_service_exception_has_the_bases_that_scripts_name():
    assert [base.__name__ for base in ServiceException.__mro__] == [
        "ServiceException",
        "AzureMLRestClientException",
        "ErrorResponseException",
        "HttpOperationError",
        "ClientException",
        "Exception",
        "BaseException",
        "object",
    ]


def test_a_service_exception_made_of_a_status():
    error = ServiceException._from_status(404, "no such run")

    assert (error.status_code, error.message, error.args) == (404, "no such run", ("no such run",))
    assert (error.response.status_code, error.error, error.details) == (404, None, [])
    assert isinstance(error.inner_exception, ErrorResponseException)
    assert "\tCode: 404\n\tMessage: no such run\n" in str(error)


def test_a_service_exception_made_of_anything():
    assert ServiceException(ValueError("odd"), extra=1).message == "odd"
    assert ServiceException(ValueError("odd")).status_code is None


def test_an_uncaught_error_shows_its_message():
    code = "from azml_compat.exceptions import *; raise WebserviceException('gone fishing')"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert shown.returncode == 1
    assert "WebserviceException:\n\tMessage: gone fishing\n" in shown.stderr


def test_status_words():
    assert RunStatus.CANCEL_REQUESTED == "CancelRequested"
    assert RunStatus.NOTRESPONDING == "NotResponding"
    words = {value for name, value in vars(RunStatus).items() if name.isupper()}

    assert sorted(RunStatus.list()) == sorted(words)
    assert len(words) == 15
    assert {name.replace("_", "").lower() for name in vars(RunStatus) if name.isupper()} == {
        word.lower() for word in words
    }
    assert RunStatus.list()[:2] == ["Queued", "Preparing"]
    assert RunStatus.get_post_processing_statuses() == ["CancelRequested", "Finalizing"]
    assert RunStatus.get_running_statuses()[0] == "NotStarted"
    assert RunStatus.list() is not RunStatus.list()
