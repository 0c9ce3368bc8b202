"""The one seam to MLflow: everything that reaches a tracking store goes through `Store`.

Only this package imports mlflow, on first use (it costs more than a second), and only through
`MlflowClient(tracking_uri=...)`: the fluent API's global state belongs to the user's own MLflow code.
MLflow's exceptions leave here as Azure's.
"""

from __future__ import annotations

from azml_compat._tracking.records import ArtifactFile, ExperimentRecord, ModelRecord, RunRecord
from azml_compat._tracking.store import Store

__all__ = ["ArtifactFile", "ExperimentRecord", "ModelRecord", "RunRecord", "Store"]
