"""`azureml.core.compute.kusto`: a cluster of Azure Data Explorer, as records."""

from __future__ import annotations

from typing import Any, NoReturn

from azml_compat._refused import module_attributes, refusal
from azml_compat.core.compute.compute import ComputeTarget, ComputeTargetAttachConfiguration
from azml_compat.exceptions import ComputeTargetException


class KustoCompute(ComputeTarget):
    """A cluster of Azure Data Explorer that was attached before."""

    _type = "Kusto"

    @staticmethod
    def attach_configuration(
        resource_group: str | None = None,
        workspace_name: str | None = None,
        resource_id: str | None = None,
        tenant_id: str | None = None,
        kusto_connection_string: str | None = None,
        application_id: str | None = None,
        application_key: str | None = None,
    ) -> KustoAttachConfiguration:
        """Describe it for `ComputeTarget.attach`, by its resource id or its group and name.

        Raises:
            ComputeTargetException: neither is whole.
        """
        configuration = KustoAttachConfiguration(
            resource_group,
            workspace_name,
            resource_id,
            tenant_id,
            kusto_connection_string,
            application_id,
            application_key,
        )
        configuration.validate_configuration()
        return configuration

    def get_credentials(self) -> NoReturn:
        """Refuse: no password or key is kept."""
        raise refusal("azureml.core.compute.kusto.KustoCompute.get_credentials")


class KustoAttachConfiguration(ComputeTargetAttachConfiguration):
    """What is attached; the arguments are attributes. The connection string and the key are not kept."""

    _makes = "KustoCompute"

    def __init__(
        self,
        resource_group: str | None = None,
        workspace_name: str | None = None,
        resource_id: str | None = None,
        tenant_id: str | None = None,
        kusto_connection_string: str | None = None,
        application_id: str | None = None,
        application_key: str | None = None,
    ) -> None:
        super().__init__(KustoCompute)
        self.resource_group = resource_group
        self.workspace_name = workspace_name
        self.resource_id = resource_id
        self.tenant_id = tenant_id
        self.kusto_connection_string = kusto_connection_string
        self.application_id = application_id
        self.application_key = application_key

    def validate_configuration(self) -> None:
        """Refuse what names nothing.

        Raises:
            ComputeTargetException: there is neither a resource id nor a group and name.
        """
        if not (self.resource_id or (self.resource_group and self.workspace_name)):
            raise ComputeTargetException("Give resource_id, or resource_group and workspace_name.")

    def _target(self) -> dict[str, Any]:
        return {"cluster_resource_id": self.resource_id}


__getattr__, __dir__ = module_attributes(__name__)
