"""`azureml.core.compute.datafactory`: a data factory, as records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from azml_compat._refused import module_attributes
from azml_compat.core.compute.compute import (
    ComputeTarget,
    ComputeTargetAttachConfiguration,
    ComputeTargetProvisioningConfiguration,
    _old_attach,
)
from azml_compat.exceptions import ComputeTargetException

if TYPE_CHECKING:
    from azml_compat.core.workspace import Workspace


class DataFactoryCompute(ComputeTarget):
    """A data factory that was attached before."""

    _type = "DataFactory"
    _can_be_deleted = True

    @staticmethod
    def attach(workspace: Workspace, name: str, resource_id: str) -> NoReturn:
        """Refuse, as the original does.

        Raises:
            ComputeTargetException: always.
        """
        raise _old_attach("DataFactoryCompute")

    @staticmethod
    def attach_configuration(
        resource_group: str | None = None, factory_name: str | None = None, resource_id: str | None = None
    ) -> DataFactoryAttachConfiguration:
        """Describe it for `ComputeTarget.attach`, by its resource id or its group and name.

        Raises:
            ComputeTargetException: neither is whole.
        """
        configuration = DataFactoryAttachConfiguration(resource_group, factory_name, resource_id)
        configuration.validate_configuration()
        return configuration

    @staticmethod
    def provisioning_configuration(location: str | None = None) -> DataFactoryProvisioningConfiguration:
        """Describe a new one for `ComputeTarget.create`."""
        return DataFactoryProvisioningConfiguration(location)


class DataFactoryAttachConfiguration(ComputeTargetAttachConfiguration):
    """What is attached; the arguments are attributes."""

    _makes = "DataFactoryCompute"

    def __init__(
        self, resource_group: str | None = None, factory_name: str | None = None, resource_id: str | None = None
    ) -> None:
        super().__init__(DataFactoryCompute)
        self.resource_group = resource_group
        self.factory_name = factory_name
        self.resource_id = resource_id

    def validate_configuration(self) -> None:
        """Refuse what names nothing.

        Raises:
            ComputeTargetException: there is neither a resource id nor a group and name.
        """
        if not (self.resource_id or (self.resource_group and self.factory_name)):
            raise ComputeTargetException("Give resource_id, or resource_group and factory_name.")

    def _target(self) -> dict[str, Any]:
        return {"cluster_resource_id": self.resource_id}


class DataFactoryProvisioningConfiguration(ComputeTargetProvisioningConfiguration):
    """What a data factory is made from."""

    _makes = "DataFactoryCompute"

    def __init__(self, location: str | None) -> None:
        super().__init__(DataFactoryCompute, location)


__getattr__, __dir__ = module_attributes(__name__)
