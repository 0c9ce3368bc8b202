"""`azureml.train.hyperdrive.sampling`: nothing of it is provided yet, see `_refused`."""

from __future__ import annotations

from azml_compat._refused import refusing_class

HyperParameterSampling = refusing_class(__name__, "HyperParameterSampling")
BayesianParameterSampling = refusing_class(
    __name__, "BayesianParameterSampling", HyperParameterSampling, members=("SAMPLING_NAME",)
)
GridParameterSampling = refusing_class(
    __name__, "GridParameterSampling", HyperParameterSampling, members=("SAMPLING_NAME",)
)
RandomParameterSampling = refusing_class(
    __name__, "RandomParameterSampling", HyperParameterSampling, members=("SAMPLING_NAME",)
)
