"""`azureml.train`, of the package azureml-train-core: of it, `hyperdrive` can be imported."""

from __future__ import annotations
