"""`azureml.data.azure_data_lake_datastore`: data lakes; those of the second generation can be read."""

from __future__ import annotations

from typing import Any

from azml_compat._refused import module_attributes
from azml_compat.data.abstract_datastore import AbstractDatastore


class AbstractADLSDatastore(AbstractDatastore):
    """What is known of a data lake: who may open it."""

    def __init__(
        self,
        workspace: Any,
        name: str,
        datastore_type: str,
        tenant_id: str | None,
        client_id: str | None,
        client_secret: str | None,
        resource_url: str | None,
        authority_url: str | None,
        service_data_access_auth_identity: Any,
    ) -> None:
        super().__init__(workspace, name, datastore_type)
        self.tenant_id = tenant_id
        self.client_id = client_id
        self.client_secret = client_secret
        self.resource_url = resource_url
        self.authority_url = authority_url
        self.service_data_access_auth_identity = service_data_access_auth_identity


class AzureDataLakeDatastore(AbstractADLSDatastore):
    """A data lake of the first generation, which Azure has retired: a record."""

    def __init__(
        self,
        workspace: Any,
        name: str,
        store_name: str,
        tenant_id: str | None,
        client_id: str | None,
        client_secret: str | None,
        resource_url: str | None = None,
        authority_url: str | None = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        service_data_access_auth_identity: Any = None,
    ) -> None:
        super().__init__(
            workspace,
            name,
            "AzureDataLake",
            tenant_id,
            client_id,
            client_secret,
            resource_url,
            authority_url,
            service_data_access_auth_identity,
        )
        self.store_name = store_name
        self._subscription_id = subscription_id
        self._resource_group = resource_group

    @property
    def subscription_id(self) -> str | None:
        """The subscription that it belongs to."""
        return self._subscription_id

    @subscription_id.setter
    def subscription_id(self, value: str | None) -> None:
        self._subscription_id = value

    @property
    def resource_group(self) -> str | None:
        """The resource group that it belongs to."""
        return self._resource_group

    @resource_group.setter
    def resource_group(self, value: str | None) -> None:
        self._resource_group = value


class AzureDataLakeGen2Datastore(AbstractADLSDatastore):
    """A file system of ADLS Gen2; its files are read with the extra `azml-compat[azure]`."""

    def __init__(
        self,
        workspace: Any,
        name: str,
        container_name: str,
        account_name: str,
        tenant_id: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        resource_url: str | None = None,
        authority_url: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
        service_data_access_auth_identity: Any = None,
    ) -> None:
        super().__init__(
            workspace,
            name,
            "AzureDataLakeGen2",
            tenant_id,
            client_id,
            client_secret,
            resource_url,
            authority_url,
            service_data_access_auth_identity,
        )
        self.container_name = container_name
        self.account_name = account_name
        self.protocol = protocol or "https"
        self.endpoint = endpoint or "core.windows.net"


__getattr__, __dir__ = module_attributes(__name__)
