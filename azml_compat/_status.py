"""Azure's status words on MLflow's five.

The terminal words are derived from MLflow's status, so that whoever ends a run ends it for both; the words that MLflow
lacks (Queued, Finalizing, ...) stand in a tag, which counts only while it agrees with MLflow's status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_compat import _names
from azml_compat._restclient.constants import RunStatus

if TYPE_CHECKING:
    from azml_compat._tracking import RunRecord

_TERMINAL = {RunStatus.COMPLETED: "FINISHED", RunStatus.FAILED: "FAILED", RunStatus.CANCELED: "KILLED"}
_FROM_MLFLOW = {
    "RUNNING": RunStatus.RUNNING,
    "SCHEDULED": RunStatus.NOT_STARTED,
    **{mlflow: word for word, mlflow in _TERMINAL.items()},
}
_SCHEDULED = {
    RunStatus.NOT_STARTED,
    RunStatus.QUEUED,
    RunStatus.PREPARING,
    RunStatus.PROVISIONING,
    RunStatus.STARTING,
    RunStatus.UNAPPROVED,
}


def to_mlflow(status: str) -> str:
    """Return MLflow's word for one of Azure's."""
    return _TERMINAL.get(status) or ("SCHEDULED" if status in _SCHEDULED else "RUNNING")


def of(run: RunRecord) -> str:
    """Return Azure's status word of a run."""
    word = run.tags.get(_names.TAG_STATUS)
    if word is not None and not is_terminal(run) and to_mlflow(word) == run.status:
        return word
    return _FROM_MLFLOW.get(run.status, RunStatus.RUNNING)


def is_terminal(run: RunRecord) -> bool:
    """Tell whether a run has ended."""
    return run.status in _TERMINAL.values()
