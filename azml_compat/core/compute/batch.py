"""`azureml.core.compute.batch`: a Batch account, as records."""

from __future__ import annotations

from typing import Any

from azml_compat._refused import module_attributes
from azml_compat.core.compute.compute import ComputeTarget, ComputeTargetAttachConfiguration
from azml_compat.exceptions import ComputeTargetException


class BatchCompute(ComputeTarget):
    """A Batch account that was attached before."""

    _type = "Batch"

    @staticmethod
    def attach_configuration(
        resource_group: str | None = None, account_name: str | None = None, resource_id: str | None = None
    ) -> BatchAttachConfiguration:
        """Describe it for `ComputeTarget.attach`, by its resource id or its group and name.

        Raises:
            ComputeTargetException: neither is whole.
        """
        configuration = BatchAttachConfiguration(resource_group, account_name, resource_id)
        configuration.validate_configuration()
        return configuration


class BatchAttachConfiguration(ComputeTargetAttachConfiguration):
    """What is attached; the arguments are attributes."""

    _makes = "BatchCompute"

    def __init__(
        self, resource_group: str | None = None, account_name: str | None = None, resource_id: str | None = None
    ) -> None:
        super().__init__(BatchCompute)
        self.resource_group = resource_group
        self.account_name = account_name
        self.resource_id = resource_id

    def validate_configuration(self) -> None:
        """Refuse what names nothing.

        Raises:
            ComputeTargetException: there is neither a resource id nor a group and name.
        """
        if not (self.resource_id or (self.resource_group and self.account_name)):
            raise ComputeTargetException("Give resource_id, or resource_group and account_name.")

    def _target(self) -> dict[str, Any]:
        return {"cluster_resource_id": self.resource_id}


__getattr__, __dir__ = module_attributes(__name__)
