"""`azureml.data.hdfs_datastore`: a Hadoop cluster, as a record."""

from __future__ import annotations

from typing import Any

from azml_compat._refused import module_attributes
from azml_compat.data.abstract_datastore import AbstractDatastore


class HDFSDatastore(AbstractDatastore):
    """What is known of a Hadoop cluster; nothing is read from it."""

    def __init__(
        self,
        workspace: Any,
        name: str,
        protocol: str,
        namenode_address: str,
        hdfs_server_certificate_data: str | None,
        kerberos_realm: str,
        kerberos_kdc_address: str,
        kerberos_principal: str,
        credential_value: str | None,
        credential_type: str,
    ) -> None:
        super().__init__(workspace, name, "Hdfs")
        self.protocol = protocol
        self.namenode_address = namenode_address
        self.hdfs_server_certificate_data = hdfs_server_certificate_data
        self.kerberos_realm = kerberos_realm
        self.kerberos_kdc_address = kerberos_kdc_address
        self.kerberos_principal = kerberos_principal
        self.credential_value = credential_value
        self.credential_type = credential_type


__getattr__, __dir__ = module_attributes(__name__)
