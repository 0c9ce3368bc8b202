"""`azureml.data.azure_postgre_sql_datastore`: a PostgreSQL database of Azure's, as a record."""

from __future__ import annotations

from typing import Any

from azml_compat._refused import module_attributes
from azml_compat.data.abstract_datastore import AbstractDatastore


class AzurePostgreSqlDatastore(AbstractDatastore):
    """What is known of a PostgreSQL database; nothing is read from it."""

    def __init__(
        self,
        workspace: Any,
        name: str,
        server_name: str,
        database_name: str,
        user_id: str,
        user_password: str | None,
        port_number: str | None = None,
        enforce_ssl: bool = True,
    ) -> None:
        super().__init__(workspace, name, "AzurePostgreSql")
        self.server_name = server_name
        self.database_name = database_name
        self.user_id = user_id
        self.user_password = user_password
        self.port_number = port_number
        self.enforce_ssl = enforce_ssl


__getattr__, __dir__ = module_attributes(__name__)
