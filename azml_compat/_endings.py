"""How a run ends: Azure's status word and error, and the tags in which MLflow keeps the error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from azml_compat import _names, _tags
from azml_compat._restclient.constants import RunStatus
from azml_compat.exceptions import AzureMLException

if TYPE_CHECKING:
    from azml_compat._process_end import Outcome

_SHOWN_ERROR = 500
"""Characters of an error that the MLflow UI shows among the tags; get_details() has the whole."""
_TROUBLESHOOTING = "https://aka.ms/azureml-run-troubleshooting"


def end_of(outcome: Outcome) -> tuple[str, dict[str, Any] | None]:
    """Return the status and the error of a run that ends because its process does."""
    if outcome.is_terminated:
        return RunStatus.CANCELED, None
    if outcome.is_failure:
        reason = outcome.error or f"The script ended with exit code {outcome.exit_code}."
        return RunStatus.FAILED, error_of(reason, None)
    return RunStatus.COMPLETED, None


def error_of(details: Any, code: str | None) -> dict[str, Any] | None:
    """Return the error that `fail` records, in Azure's form.

    Raises:
        TypeError: `details` is neither a string nor an exception.
    """
    if details is None and code is None:
        return None
    if isinstance(details, AzureMLException):
        return {"error": {"code": "UserError", "message": str(details.message)}}
    if isinstance(details, BaseException):
        return {
            "error": {
                "code": code or "UserError",
                "message": f"User program failed with {type(details).__name__}: {details}",
                "detailsUri": _TROUBLESHOOTING,
            }
        }
    if details is not None and not isinstance(details, str):
        raise TypeError(f"error_details takes a str or an exception, not {type(details)}.")
    error = {"code": code or "UserError"}
    return {"error": error if details is None else {**error, "message": details}}


def error_tags(error: dict[str, Any] | None) -> dict[str, str]:
    """Return the tags that say why a run failed."""
    if error is None:
        return {}
    shown = str(error["error"].get("message", error["error"]["code"]))[:_SHOWN_ERROR]
    return {**_tags.encode_text(_names.TAG_ERROR, json.dumps(error)), _names.TAG_SHOWN_ERROR: shown}
