"""`azureml.train.hyperdrive.run`: nothing of it is provided yet, see `_refused`."""

from __future__ import annotations

from azml_compat._refused import refusing_class
from azml_compat.core.run import Run

HyperDriveRun = refusing_class(__name__, "HyperDriveRun", Run)
