"""`azureml.telemetry`: accepted, and inert. Nothing is collected, sent or written, whatever is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging

INSTRUMENTATION_KEY = "00000000-0000-0000-0000-000000000000"
"""Names nobody's collection; the original's is Microsoft's."""


class UserErrorException(Exception):
    """Never raised here. Not `azureml.exceptions.UserErrorException`, as in the original."""

    def __init__(self, exception_message: str, **kwargs: Any) -> None:
        super().__init__(exception_message)


def set_diagnostics_collection(
    send_diagnostics: bool = True, verbosity: int = 20, reason: str = "", path: str | None = None
) -> None:
    """Print what the original prints when collection is turned on; nothing is collected all the same."""
    if send_diagnostics:
        print(f"Turning diagnostics collection on. {reason}")


def get_diagnostics_collection_info(
    component_name: str | None = None, path: str | None = None, proceed_in_hbi_mode: bool = False
) -> tuple[bool, str]:
    """Return (False, 'INFO'), as the original does before anything is turned on: nothing is collected."""
    return False, "INFO"


def is_diagnostics_collection_info_available() -> bool:
    """Return True, as the original does once its configuration file exists: there is nothing to ask the user."""
    return True


def set_diagnostics_properties(properties: dict[str, Any]) -> None:
    """Do nothing: there are no messages to which properties belong."""


def add_diagnostics_properties(properties: dict[str, Any]) -> None:
    """Do nothing: there are no messages to which properties belong."""


def get_telemetry_log_handler(
    instrumentation_key: str | None = None,
    component_name: str | None = None,
    path: str | None = None,
    proceed_in_hbi_mode: bool = False,
) -> logging.Handler:
    """Return a `logging.NullHandler`, as the original does while nothing is collected."""
    import logging  # here and not at the top: scripts import this beside azureml.core, which must stay cheap

    return logging.NullHandler()


def get_event_logger(*args: Any, **kwargs: Any) -> _EventLogger:
    """Return a logger of events that logs none."""
    return _EventLogger()


class _EventLogger:
    """Takes events and metrics, and drops them."""

    def log_event(self, telemetry_event: Any, white_listed_properties: Any = None) -> None:
        """Do nothing."""

    def log_metric(self, telemetry_metric: Any, white_listed_properties: Any = None) -> None:
        """Do nothing."""

    def flush(self) -> None:
        """Do nothing."""
