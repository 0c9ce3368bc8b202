"""`ServiceException`, which the SDK raises when the service refuses a request, and its bases by their names.

It is no `AzureMLException`. In the original two of its bases come from the msrest package; `azml_compat._msrest` stands
for that, so that nothing has to be installed for their sake.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from azml_compat._common.exceptions import print_error, rebuild
from azml_compat._msrest.exceptions import HttpOperationError


class ErrorResponseException(HttpOperationError):  # noqa: N818 - Azure's name
    """A response with an error status: `response`, the decoded `error` (if any), and `message`."""

    def __init__(self, message: str, response: Any = None, error: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.response = response
        self.error = error


class AzureMLRestClientException(Exception):  # noqa: N818 - Azure's name
    """Root of what the SDK's REST layer raises; has the same properties as an `AzureMLException`."""

    def __init__(
        self,
        exception_message: Any,
        inner_exception: BaseException | None = None,
        **kwargs: Any,  # noqa: ARG002 - Azure ignores what it does not know
    ) -> None:
        Exception.__init__(self, exception_message)
        self._exception_message = exception_message
        self._inner_exception = inner_exception

    @property
    def message(self) -> Any:
        """The message alone, without the decoration of `str()`."""
        return self._exception_message

    @message.setter
    def message(self, value: Any) -> None:
        self._exception_message = value

    @property
    def inner_exception(self) -> Any:
        """The exception that caused this one, or None."""
        return self._inner_exception

    @inner_exception.setter
    def inner_exception(self, value: Any) -> None:
        self._inner_exception = value

    def print_stacktrace(self) -> None:
        """Print this exception with its traceback to stderr."""
        print_error(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuild, (type(self), self.args), self.__dict__.copy()


class ServiceException(AzureMLRestClientException, ErrorResponseException):
    """The service (here: the MLflow store) refused a request; a missing run has the `status_code` 404.

    Args:
        error_response_exception: The refusal; its `response`, `error` and `message` are taken over.
    """

    def __init__(self, error_response_exception: Any, **kwargs: Any) -> None:  # noqa: ARG002 - as above
        message = getattr(error_response_exception, "message", str(error_response_exception))
        AzureMLRestClientException.__init__(self, message, inner_exception=error_response_exception)
        self.response = getattr(error_response_exception, "response", None)
        self.error = getattr(error_response_exception, "error", None)
        self.status_code = getattr(self.response, "status_code", None)
        self.details: list[Any] = list(getattr(self.error, "details", None) or [])

    @classmethod
    def _from_status(cls, status_code: int, message: str) -> ServiceException:
        """Make what a response with this status and message would have become."""
        response = SimpleNamespace(status_code=status_code, headers={})
        return cls(ErrorResponseException(message, response))

    def __str__(self) -> str:
        details = "".join(f"\n\t\t{detail}" for detail in self.details)
        headers = dict(getattr(self.response, "headers", None) or {})
        inner = self.inner_exception
        return (
            f"{type(self).__name__}:\n\tCode: {self.status_code}\n\tMessage: {self.message}"
            f"\n\tDetails:{details}\n\n\tHeaders: {headers}\n\tInnerException: {inner}"
        )

    def __repr__(self) -> str:
        return str(self)
