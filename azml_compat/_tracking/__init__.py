"""The one seam to MLflow: everything that reaches a tracking store goes through `Store`.

Only this package imports mlflow, on first use (it costs more than a second), and only through
`MlflowClient(tracking_uri=...)`: the fluent API's global state belongs to the user's own MLflow code.
MLflow's exceptions leave here as Azure's.

The names are resolved on first use: an import of Run needs what is beside the store (addresses, errors), not the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azml_compat._tracking.records import ArtifactFile, ExperimentRecord, ModelRecord, RunRecord
    from azml_compat._tracking.store import Store

__all__ = ["ArtifactFile", "ExperimentRecord", "ModelRecord", "RunRecord", "Store"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    from azml_compat._tracking import records, store

    return getattr(store if name == "Store" else records, name)
