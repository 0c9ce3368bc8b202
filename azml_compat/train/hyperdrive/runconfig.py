"""`azureml.train.hyperdrive.runconfig`: nothing of it is provided yet, see `_refused`."""

from __future__ import annotations

from azml_compat._refused import refusing_class

HyperDriveConfig = refusing_class(__name__, "HyperDriveConfig")
HyperDriveRunConfig = refusing_class(__name__, "HyperDriveRunConfig", HyperDriveConfig)
PrimaryMetricGoal = refusing_class(__name__, "PrimaryMetricGoal", members=("MAXIMIZE", "MINIMIZE", "from_str"))
