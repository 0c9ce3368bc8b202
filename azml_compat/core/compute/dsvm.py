"""`azureml.core.compute.dsvm`: nothing of it is provided yet, see `_refused`."""

from __future__ import annotations

from azml_compat._refused import module_attributes

__getattr__, __dir__ = module_attributes(__name__)
