"""`azureml.core.datastore`: finding and registering datastores. What it returns is of the classes in azureml.data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_compat import _reporting
from azml_compat._refused import module_attributes
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from azml_compat.core.workspace import Workspace
    from azml_compat.data.abstract_datastore import AbstractDatastore

_Facts = dict[str, Any]
_Secrets = dict[str, str | None]


class Datastore:
    """Finds a datastore: `Datastore(workspace, name)` is an object of its own class, the default one without a name."""

    def __new__(cls, workspace: Any, name: str | None = None) -> Any:
        """Return the datastore.

        Raises:
            UserErrorException: there is none of that name.
        """
        return Datastore.get_default(workspace) if name is None else Datastore.get(workspace, name)

    def __init__(self, workspace: Any, name: str | None = None) -> None:
        pass  # never called: `__new__` returns an object of another class

    @staticmethod
    def get(workspace: Any, datastore_name: str) -> AbstractDatastore:
        """Return the datastore of that name.

        Raises:
            UserErrorException: there is none; it is a HttpOperationError as well.
        """
        from azml_compat._data import datastores  # here and below: importing this module stays cheap

        return datastores.find(workspace, datastore_name)

    @staticmethod
    def get_default(workspace: Any) -> AbstractDatastore:
        """Return the default datastore of a workspace."""
        from azml_compat._data import datastores

        return datastores.default(workspace)

    def set_as_default(self) -> None:
        """Make it the default datastore; each class of datastore has its own."""
        raise NotImplementedError

    def unregister(self) -> None:
        """Have the workspace forget it; each class of datastore has its own."""
        raise NotImplementedError

    @staticmethod
    def register_azure_blob_container(
        workspace: Any,
        datastore_name: str,
        container_name: str,
        account_name: str,
        sas_token: str | None = None,
        account_key: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        create_if_not_exists: bool = False,
        skip_validation: bool = False,
        blob_cache_timeout: int | None = None,
        grant_workspace_access: bool = False,
        subscription_id: str | None = None,
        resource_group: str | None = None,
    ) -> AbstractDatastore:
        """Register a blob container under a name. The container is opened when its files are asked for.

        Args:
            workspace: The workspace.
            datastore_name: Its name there.
            container_name: The container; capital letters are lowered, with a warning.
            account_name: The storage account.
            sas_token: A secret that opens it.
            account_key: A secret that opens it.
            protocol: `https` by default.
            endpoint: `core.windows.net` by default; one with a port (`127.0.0.1:10000`) is a host of its own.
            overwrite: Whether one of that name is replaced.
            create_if_not_exists: Whether to make the container.
            skip_validation: No effect: nothing is validated.
            blob_cache_timeout: No effect.
            grant_workspace_access: No effect.
            subscription_id: Kept as given.
            resource_group: Kept as given.

        Raises:
            UserErrorException: the name is refused.
            ErrorResponseException: the name is taken.
        """
        made = _register(
            *(workspace, datastore_name, "AzureBlob"),
            {
                "container_name": _lowered(container_name),
                "account_name": account_name,
                "protocol": protocol,
                "endpoint": endpoint,
                "subscription_id": subscription_id,
                "resource_group": resource_group,
            },
            {"sas_token": sas_token, "account_key": account_key},
            overwrite=overwrite,
        )
        if create_if_not_exists:
            from azml_compat._data.places import Azure

            place = made._place()
            assert isinstance(place, Azure)
            place.make_container()
        return made

    @staticmethod
    def register_azure_file_share(
        workspace: Any,
        datastore_name: str,
        file_share_name: str,
        account_name: str,
        sas_token: str | None = None,
        account_key: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        create_if_not_exists: bool = False,
        skip_validation: bool = False,
    ) -> AbstractDatastore:
        """Register a file share under a name, as a record: its files cannot be reached. See the blob container."""
        return _register(
            *(workspace, datastore_name, "AzureFile"),
            {
                "container_name": _lowered(file_share_name),
                "account_name": account_name,
                "protocol": protocol,
                "endpoint": endpoint,
            },
            {"sas_token": sas_token, "account_key": account_key},
            overwrite=overwrite,
        )

    @staticmethod
    def register_azure_data_lake(
        workspace: Any,
        datastore_name: str,
        store_name: str,
        tenant_id: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        resource_url: str | None = None,
        authority_url: str | None = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        overwrite: bool = False,
        grant_workspace_access: bool = False,
    ) -> AbstractDatastore:
        """Register a data lake of the first generation, as a record. See the blob container."""
        _check_credentials(tenant_id, client_id, client_secret)
        return _register(
            *(workspace, datastore_name, "AzureDataLake"),
            {
                "store_name": store_name,
                "tenant_id": tenant_id,
                "client_id": client_id,
                "resource_url": resource_url,
                "authority_url": authority_url,
                "subscription_id": subscription_id,
                "resource_group": resource_group,
            },
            {"client_secret": client_secret},
            overwrite=overwrite,
        )

    @staticmethod
    def register_azure_data_lake_gen2(
        workspace: Any,
        datastore_name: str,
        filesystem: str,
        account_name: str,
        tenant_id: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        resource_url: str | None = None,
        authority_url: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        grant_workspace_access: bool = False,
    ) -> AbstractDatastore:
        """Register a file system of ADLS Gen2 under a name. See the blob container.

        Raises:
            UserErrorException: of tenant, client and secret, some are there and some are not.
        """
        _check_credentials(tenant_id, client_id, client_secret)
        return _register(
            *(workspace, datastore_name, "AzureDataLakeGen2"),
            {
                "container_name": filesystem,
                "account_name": account_name,
                "tenant_id": tenant_id,
                "client_id": client_id,
                "resource_url": resource_url,
                "authority_url": authority_url,
                "protocol": protocol,
                "endpoint": endpoint,
            },
            {"client_secret": client_secret},
            overwrite=overwrite,
        )

    @staticmethod
    def register_azure_sql_database(
        workspace: Any,
        datastore_name: str,
        server_name: str,
        database_name: str,
        tenant_id: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        resource_url: str | None = None,
        authority_url: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        username: str | None = None,
        password: str | None = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        grant_workspace_access: bool = False,
        **kwargs: Any,
    ) -> AbstractDatastore:
        """Register an SQL database, as a record. See the blob container."""
        _check_credentials(tenant_id, client_id, client_secret)
        return _register(
            *(workspace, datastore_name, "AzureSqlDatabase"),
            {
                "server_name": server_name,
                "database_name": database_name,
                "tenant_id": tenant_id,
                "client_id": client_id,
                "resource_url": resource_url,
                "authority_url": authority_url,
                "username": username,
                "auth_type": "SqlAuthentication" if username is not None else "ServicePrincipal",
            },
            {"client_secret": client_secret, "password": password},
            overwrite=overwrite,
        )

    @staticmethod
    def register_azure_postgre_sql(
        workspace: Any,
        datastore_name: str,
        server_name: str,
        database_name: str,
        user_id: str,
        user_password: str,
        port_number: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        enforce_ssl: bool = True,
        **kwargs: Any,
    ) -> AbstractDatastore:
        """Register a PostgreSQL database, as a record. See the blob container.

        Raises:
            UserErrorException: server, database, user or password is None.
        """
        _check_database(server_name, database_name, user_id, user_password)
        return _register(
            *(workspace, datastore_name, "AzurePostgreSql"),
            {
                "server_name": server_name,
                "database_name": database_name,
                "user_id": user_id,
                "port_number": port_number,
                "enforce_ssl": enforce_ssl,
            },
            {"user_password": user_password},
            overwrite=overwrite,
        )

    @staticmethod
    def register_azure_my_sql(
        workspace: Any,
        datastore_name: str,
        server_name: str,
        database_name: str,
        user_id: str,
        user_password: str,
        port_number: str | None = None,
        endpoint: str | None = None,
        overwrite: bool = False,
        **kwargs: Any,
    ) -> AbstractDatastore:
        """Register a MySQL database, as a record. See the blob container.

        Raises:
            UserErrorException: server, database, user or password is None.
        """
        _check_database(server_name, database_name, user_id, user_password)
        return _register(
            *(workspace, datastore_name, "AzureMySql"),
            {
                "server_name": server_name,
                "database_name": database_name,
                "user_id": user_id,
                "port_number": port_number,
            },
            {"user_password": user_password},
            overwrite=overwrite,
        )

    @staticmethod
    def register_dbfs(workspace: Any, datastore_name: str) -> AbstractDatastore:
        """Register the file system of a Databricks workspace, as a record."""
        return _register(workspace, datastore_name, "DBFS", {}, {}, overwrite=True)

    @staticmethod
    def register_hdfs(
        workspace: Any,
        datastore_name: str,
        protocol: str,
        namenode_address: str,
        hdfs_server_certificate: str | None,
        kerberos_realm: str,
        kerberos_kdc_address: str,
        kerberos_principal: str,
        kerberos_keytab: str | None = None,
        kerberos_password: str | None = None,
        overwrite: bool = False,
    ) -> AbstractDatastore:
        """Register a Hadoop cluster, as a record; neither certificate nor keytab is read."""
        return _register(
            *(workspace, datastore_name, "Hdfs"),
            {
                "protocol": protocol,
                "namenode_address": namenode_address,
                "hdfs_server_certificate_data": hdfs_server_certificate,
                "kerberos_realm": kerberos_realm,
                "kerberos_kdc_address": kerberos_kdc_address,
                "kerberos_principal": kerberos_principal,
                "credential_type": "KerberosPassword" if kerberos_password is not None else "KerberosKeytab",
            },
            {"credential_value": kerberos_password},
            overwrite=overwrite,
        )


def _register(
    workspace: Workspace, name: str, kind: str, facts: _Facts, secrets: _Secrets, *, overwrite: bool
) -> AbstractDatastore:
    from azml_compat._data import datastores

    return datastores.register(workspace, name, kind, facts, secrets, overwrite=overwrite)


def _lowered(container: str) -> str:
    if container != container.lower():
        _reporting.logger.warning("Azure's containers have no capital letters: %s is %s.", container, container.lower())
    return container.lower()


def _check_credentials(*given: str | None) -> None:
    if any(value is not None for value in given) and None in given:
        raise UserErrorException("Give all of tenant_id, client_id and client_secret, or none of them.")


def _check_database(*given: str | None) -> None:
    if None in given:
        raise UserErrorException("server_name, database_name, user_id and user_password are needed.")


__getattr__, __dir__ = module_attributes(__name__)
