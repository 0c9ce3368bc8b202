"""`azureml.train.hyperdrive.policy`: nothing of it is provided yet, see `_refused`."""

from __future__ import annotations

from azml_compat._refused import refusing_class

EarlyTerminationPolicy = refusing_class(__name__, "EarlyTerminationPolicy")
BanditPolicy = refusing_class(__name__, "BanditPolicy", EarlyTerminationPolicy, members=("POLICY_NAME",))
MedianStoppingPolicy = refusing_class(
    __name__, "MedianStoppingPolicy", EarlyTerminationPolicy, members=("POLICY_NAME",)
)
NoTerminationPolicy = refusing_class(__name__, "NoTerminationPolicy", EarlyTerminationPolicy, members=("POLICY_NAME",))
TruncationSelectionPolicy = refusing_class(
    __name__, "TruncationSelectionPolicy", EarlyTerminationPolicy, members=("POLICY_NAME",)
)
