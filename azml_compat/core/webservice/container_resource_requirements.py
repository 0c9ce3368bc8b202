"""`azureml.core.webservice.container_resource_requirements`: nothing of it is provided, see `_refused`."""

from __future__ import annotations

from azml_compat._refused import module_attributes

__getattr__, __dir__ = module_attributes(__name__)
