"""Home of all exceptions of `azureml.exceptions` that are not bases; scripts import this private path too.

No class has behaviour of its own beyond its constructor: they exist so that `except` clauses of Azure scripts
keep meaning what they meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_compat._common.exceptions import AzureMLException

if TYPE_CHECKING:
    import logging


class UserErrorException(AzureMLException):
    """The caller asked for something that cannot be: a wrong argument, name or file."""

    _error_code = "UserError"

    def __init__(self, exception_message: Any, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class AuthenticationException(UserErrorException):
    """Credentials are missing, wrong, or cannot be had here."""

    _inner_error_code = "Authentication"

    def __init__(self, exception_message: Any, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class TrainingException(AzureMLException):
    """Training failed."""

    def __init__(self, exception_message: Any, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class ExperimentExecutionException(AzureMLException):
    """A run could not be submitted or executed."""

    def __init__(self, exception_message: Any, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class ProjectSystemException(AzureMLException):
    """A project directory or its configuration cannot be used."""

    def __init__(self, exception_message: Any, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class SnapshotException(AzureMLException):
    """A snapshot could not be taken or restored."""

    def __init__(self, exception_message: Any, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class RunEnvironmentException(AzureMLException):
    """This process is no submitted run, and the caller insisted on one; the message is fixed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            "No run was submitted to this process, so there is none to load. "
            "Use experiment.start_logging() to start one here.",
            **kwargs,
        )


class WorkspaceException(AzureMLException):
    """A workspace cannot be found or used; `found_multiple` says whether several matched."""

    def __init__(self, exception_message: Any, found_multiple: bool = False, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)
        self.found_multiple = found_multiple


class WorkspacePrivateEndpointException(AzureMLException):
    """A workspace's private endpoint cannot be used; `found_multiple` says whether several matched."""

    def __init__(self, exception_message: Any, found_multiple: bool = False, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)
        self.found_multiple = found_multiple


class ComputeTargetException(AzureMLException):
    """A compute target cannot be found or used; scripts catch it in order to create the target."""

    def __init__(self, exception_message: Any, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class RunConfigurationException(AzureMLException):
    """A run configuration is not valid."""

    def __init__(self, exception_message: Any, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)


class WebserviceException(AzureMLException):
    """A model, image or web service operation failed; `status_code` is the service's answer, if it gave one.

    Args:
        exception_message: The message.
        status_code: The HTTP status, kept as attribute.
        logger: When given, the message is logged to it as an error.
    """

    def __init__(
        self,
        exception_message: Any,
        status_code: Any = None,
        logger: logging.Logger | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(exception_message, **kwargs)
        self.status_code = status_code
        if logger:
            logger.error(exception_message)


class ModelNotFoundException(AzureMLException):
    """A model cannot be found; the message is logged to `logger` as an error when one is given."""

    def __init__(self, exception_message: Any, logger: logging.Logger | None = None, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)
        if logger:
            logger.error(exception_message)


class ModelPathNotFoundException(AzureMLException):
    """A model's file cannot be found; the message is logged to `logger` as an error when one is given."""

    def __init__(self, exception_message: Any, logger: logging.Logger | None = None, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)
        if logger:
            logger.error(exception_message)


class DiscoveryUrlNotFoundException(AzureMLException):
    """A service has no known address."""

    def __init__(self, discovery_key: Any, **kwargs: Any) -> None:
        super().__init__(f"No discovery URL is known for {discovery_key}.", **kwargs)


class ActivityFailedException(AzureMLException):
    """A run or another long operation ended as Failed; `wait_for_completion` raises it."""

    def __init__(self, error_details: Any, **kwargs: Any) -> None:
        super().__init__(f"Activity Failed:\n{error_details}", **kwargs)


class ActivityCanceledException(AzureMLException):
    """A long operation was cancelled; as on Azure, nothing raises it and `azureml.exceptions` lacks it."""

    def __init__(self, cancellation_source: Any = None, **kwargs: Any) -> None:
        by = f" by {cancellation_source}" if cancellation_source else ""
        super().__init__(f"Activity Canceled{by}", **kwargs)


class DatasetTimestampMissingError(AzureMLException):
    """A dataset has no timestamp column although the operation needs one."""

    def __init__(self, error_details: Any, **kwargs: Any) -> None:
        super().__init__(f"Activity Failed:\n{error_details}", **kwargs)


class ParallelRunException(AzureMLException):
    """A parallel run step failed; `code` and `delay_seconds` tell its retry logic what to do."""

    def __init__(self, exception_message: Any, code: Any = None, delay_seconds: Any = 0, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)
        self.code = code
        self.delay_seconds = delay_seconds
