"""The two base exceptions, at Azure's real home path `azureml._common.exceptions`.

Here and not in `azml_compat.exceptions`, because scripts import this path and tracebacks and pickles show it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def print_error(error: BaseException) -> None:
    """Print an exception with its traceback to stderr: what `print_stacktrace` of every class here does."""
    import traceback  # not at the top: importing azureml.core must stay cheap

    traceback.print_exception(type(error), error, error.__traceback__)


def rebuild(kind: type[BaseException], args: tuple[Any, ...]) -> BaseException:
    """Make an exception for unpickling without its constructor, which need not accept what `args` holds."""
    return kind.__new__(kind, *args)


class AzureMLException(Exception):  # noqa: N818 - Azure's name
    """Root of what the Azure ML SDK raises.

    `str()` and `repr()` are the SDK's multi-line form: compare `message`, or look for a part of `str(error)`.

    Args:
        exception_message: The message; it is also the one element of `args`.
        inner_exception: The exception that caused this one, if any.
        target: What the error is about; shown in the JSON part of `str()`, as are the remaining arguments.
    """

    _error_code: str | None = None
    _inner_error_code: str | None = None

    def __init__(
        self,
        exception_message: Any,
        inner_exception: BaseException | None = None,
        target: Any = None,
        details: Any = None,
        message_format: Any = None,
        message_parameters: Any = None,
        reference_code: Any = None,
        **kwargs: Any,  # noqa: ARG002 - Azure ignores what it does not know
    ) -> None:
        super().__init__(exception_message)
        self._exception_message = exception_message
        self._inner_exception = inner_exception
        self._target = target
        self._details = details
        self._message_format = message_format
        self._message_parameters = message_parameters
        self._reference_code = reference_code

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

    def _error_response(self) -> dict[str, Any]:
        """Describe the error as the service would: only what is known is there."""
        inner = {"code": self._inner_error_code} if self._inner_error_code else None
        fields = {
            "code": self._error_code,
            "inner_error": inner,
            "message": self.message,
            "message_format": self._message_format,
            "message_parameters": self._message_parameters,
            "target": self._target,
            "details": self._details,
            "reference_code": self._reference_code,
        }
        return {"error": {name: value for name, value in fields.items() if value is not None}}

    def __str__(self) -> str:
        import json  # not at the top, for the same reason

        response = json.dumps(self._error_response(), indent=4, default=str)
        return (
            f"{type(self).__name__}:\n\tMessage: {self.message}\n\tInnerException {self.inner_exception}"
            f"\n\tErrorResponse \n{response}"
        )

    def __repr__(self) -> str:
        return str(self)

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls the constructor with `args`, and several constructors below take something else.
        return rebuild, (type(self), self.args), self.__dict__.copy()


class AzureMLAggregatedException(AzureMLException):
    """Several errors in one; the message is theirs, one per line.

    Args:
        exceptions_list: The errors, or their messages.
    """

    def __init__(self, exceptions_list: Iterable[Any], **kwargs: Any) -> None:
        message = "\n".join(str(getattr(error, "message", error)) for error in exceptions_list)
        super().__init__(message, **kwargs)
