"""MLflow's exceptions as Azure's, at the seam, so that the except clauses of old scripts keep working."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking import mlflow_api
from azml_compat.exceptions import AuthenticationException, UserErrorException

_STATUS_CODES = {
    "UNAUTHENTICATED": 401,
    "CUSTOMER_UNAUTHORIZED": 401,
    "PERMISSION_DENIED": 403,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "ENDPOINT_NOT_FOUND": 404,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_ALREADY_EXISTS": 409,
    "RESOURCE_CONFLICT": 409,
    "INVALID_PARAMETER_VALUE": 400,
    "BAD_REQUEST": 400,
    "INVALID_STATE": 409,
    "REQUEST_LIMIT_EXCEEDED": 429,
    "RESOURCE_EXHAUSTED": 429,
    "RESOURCE_LIMIT_EXCEEDED": 429,
    "TEMPORARILY_UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
_AWAY = {408, 429, 502, 503, 504}
_UNCLEAR = {"BAD_REQUEST", "ENDPOINT_NOT_FOUND"}
"""Words that need not be about what was asked: MLflow's client says the first and second of an answer with status 400
or 404 that MLflow did not give (a proxy did), and its SQL store says the first of whatever a database complains of."""
_NO_ANSWER = re.compile(r"^API request to .* failed with (timeout )?exception", re.DOTALL)
"""What MLflow says when a server could not be reached, or went on failing; it gives all of that one code."""
_CONNECTION = re.compile(
    r"\[Errno -?\d+\] ([A-Z][\w ]+)"
    r"|(too many \d+ error responses|[Tt]imed out|closed connection without response|Connection reset by peer)"
)
_CREDENTIALS = re.compile(r"(://)[^\s/@'\"?]*(?::[^\s@'\"?]*)?@")


@contextmanager
def azure_errors(doing: str) -> Iterator[None]:
    """Turn what MLflow raises inside into Azure's exceptions; `doing` says what was attempted.

    As in the original client, 401 is an AuthenticationException, 403 a UserErrorException, and any other refusal
    of the service a ServiceException with `.status_code`.
    """
    try:
        yield
    except mlflow_api.exception_types() as error:
        hide_credentials(error)
        raise _translate(error, doing) from error


def hide_credentials(error: BaseException) -> None:
    """Take user names and passwords of URIs out of an error that is shown as the cause of ours."""
    error.args = tuple(_without_credentials(text) if isinstance(text, str) else text for text in error.args)
    if isinstance(getattr(error, "message", None), str):
        error.message = _without_credentials(error.message)  # type: ignore[attr-defined]  # just looked


def _without_credentials(text: str) -> str:
    return _CREDENTIALS.sub(r"\1", text)


def _translate(error: Exception, doing: str) -> Exception:
    status = _status_code(error)
    message = f"{doing}: {_reason(error)}"
    if status == 401:
        return AuthenticationException(message)
    if status == 403:
        return UserErrorException(message)
    return ServiceException._from_status(status, message)


def _reason(error: Exception) -> str:
    """Return what an error says, without the layers of a connection that could not be made."""
    text = str(getattr(error, "message", None) or error)
    found = _CONNECTION.search(text) if _NO_ANSWER.match(text) else None
    return f"the tracking server does not answer ({found[1] or found[2]})" if found is not None else text


def _status_code(error: Exception) -> int:
    response = getattr(error, "response", None)
    if response is not None:  # requests' HTTPError
        return int(response.status_code)
    if _NO_ANSWER.match(str(error)):
        return 503
    return _STATUS_CODES.get(str(getattr(error, "error_code", "")), 500)


def not_there_yet(message: str) -> ServiceException:
    """Return the error for what will be in the store once it is back."""
    return ServiceException._from_status(503, message)


def is_missing(error: BaseException) -> bool:
    """Tell whether an error of this seam says that the thing does not exist, and MLflow itself says so."""
    return isinstance(error, ServiceException) and error.status_code == 404 and not _is_unclear(error)


def is_away(error: BaseException) -> bool:
    """Tell whether an error of this seam says that the store cannot be reached, or is not ready, at the moment."""
    return isinstance(error, ServiceException) and error.status_code in _AWAY


def is_refusal(error: BaseException) -> bool:
    """Tell whether an error of this seam says that the store will never take this.

    A store's own failures are none, and neither are credentials, which can be put right, nor what a proxy says.
    """
    is_final = isinstance(error, ServiceException) and error.status_code not in {*_AWAY, 500}
    return is_final and not _is_unclear(error)


def _is_unclear(error: BaseException) -> bool:
    return str(getattr(error.__cause__, "error_code", "")) in _UNCLEAR


def is_taken(error: BaseException) -> bool:
    """Tell whether an error of this seam says that the name is taken."""
    return isinstance(error, ServiceException) and error.status_code == 409
