"""Child runs: nested in their parent, with a block of their own or created beside MLflow's active run."""

from __future__ import annotations

from azml_compat._migrate.to_mlflow.runs import CHILDREN as MEMBERS

__all__ = ["MEMBERS", "RULE"]

RULE = "AZ309"
