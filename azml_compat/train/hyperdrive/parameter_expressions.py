"""`azureml.train.hyperdrive.parameter_expressions`: nothing of it is provided yet, see `_refused`."""

from __future__ import annotations

from azml_compat._refused import refusing_function

choice = refusing_function(__name__, "choice")
lognormal = refusing_function(__name__, "lognormal")
loguniform = refusing_function(__name__, "loguniform")
normal = refusing_function(__name__, "normal")
qlognormal = refusing_function(__name__, "qlognormal")
qloguniform = refusing_function(__name__, "qloguniform")
qnormal = refusing_function(__name__, "qnormal")
quniform = refusing_function(__name__, "quniform")
randint = refusing_function(__name__, "randint")
uniform = refusing_function(__name__, "uniform")
