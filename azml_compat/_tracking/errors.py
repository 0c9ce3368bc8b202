"""MLflow's exceptions as Azure's, at the seam, so that the except clauses of old scripts keep working."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking import mlflow_api
from azml_compat.exceptions import AuthenticationException, UserErrorException

_STATUS_CODES = {
    "RESOURCE_DOES_NOT_EXIST": 404,
    "ENDPOINT_NOT_FOUND": 404,
    "NOT_FOUND": 404,
    "RESOURCE_ALREADY_EXISTS": 409,
    "RESOURCE_CONFLICT": 409,
    "INVALID_PARAMETER_VALUE": 400,
    "BAD_REQUEST": 400,
    "INVALID_STATE": 409,
    "REQUEST_LIMIT_EXCEEDED": 429,
    "RESOURCE_LIMIT_EXCEEDED": 429,
    "TEMPORARILY_UNAVAILABLE": 503,
}


@contextmanager
def azure_errors(doing: str) -> Iterator[None]:
    """Turn what MLflow raises inside into Azure's exceptions; `doing` says what was attempted.

    As in the original client, 401 is an AuthenticationException, 403 a UserErrorException, and any other refusal
    of the service a ServiceException with `.status_code`.
    """
    try:
        yield
    except mlflow_api.exception_type() as error:
        raise _translate(error, doing) from error


def _translate(error: Exception, doing: str) -> Exception:
    code = str(getattr(error, "error_code", ""))
    message = f"{doing}: {getattr(error, 'message', None) or error}"
    if code in ("UNAUTHENTICATED", "CUSTOMER_UNAUTHORIZED"):
        return AuthenticationException(message)
    if code == "PERMISSION_DENIED":
        return UserErrorException(message)
    return ServiceException._from_status(_STATUS_CODES.get(code, 500), message)


def is_missing(error: BaseException) -> bool:
    """Tell whether an error of this seam says that the thing does not exist."""
    return isinstance(error, ServiceException) and error.status_code == 404


def is_taken(error: BaseException) -> bool:
    """Tell whether an error of this seam says that the name is taken."""
    return isinstance(error, ServiceException) and error.status_code == 409
