"""`azureml.data.dataset_error_handling`: what datasets raise that cannot be read."""

from __future__ import annotations

from typing import Any

from azml_compat._refused import module_attributes
from azml_compat.exceptions import UserErrorException


class DatasetValidationError(UserErrorException):
    """A dataset has no data, or it cannot be read; raised when the dataset is made.

    Args:
        message: What is wrong.
        exception: What caused it.
    """

    def __init__(self, message: str, exception: Any = None) -> None:
        super().__init__(message, inner_exception=exception)
        self.validation_error_code = type(exception).__name__ if exception is not None else None
        self.error_code = self.validation_error_code
        self.compliant_message = message


class DatasetExecutionError(UserErrorException):
    """A dataset cannot be read; raised when its data is asked for.

    Args:
        message: What is wrong.
        exception: What caused it.
    """

    def __init__(self, message: str, exception: Any) -> None:
        super().__init__(message, inner_exception=exception)
        self.validation_error_code = None
        self.error_code = type(exception).__name__ if exception is not None else None
        self.compliant_message = message


__getattr__, __dir__ = module_attributes(__name__)
