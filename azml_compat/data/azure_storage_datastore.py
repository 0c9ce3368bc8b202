"""`azureml.data.azure_storage_datastore`: blob containers and file shares; those of a workspace are folders."""

from __future__ import annotations

import json
from typing import Any

from azml_compat._data import transfer
from azml_compat._refused import module_attributes, refusal
from azml_compat.data.abstract_datastore import AbstractDatastore
from azml_compat.data.data_reference import DataReference

_PROTOCOL = "https"
_ENDPOINT = "core.windows.net"


class AbstractAzureStorageDatastore(AbstractDatastore):
    """A datastore that holds files.

    Args:
        workspace: The workspace.
        name: The name.
        datastore_type: Azure's name of what it is.
        container_name: The container or share.
        account_name: The storage account.
        sas_token: A secret, or None.
        account_key: A secret, or None.
        protocol: `https` by default.
        endpoint: `core.windows.net` by default.
    """

    def __init__(
        self,
        workspace: Any,
        name: str,
        datastore_type: str,
        container_name: str,
        account_name: str,
        sas_token: str | None = None,
        account_key: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
    ) -> None:
        super().__init__(workspace, name, datastore_type)
        self.container_name = container_name
        self.account_name = account_name
        self.sas_token = sas_token
        self.account_key = account_key
        self.protocol = protocol or _PROTOCOL
        self.endpoint = endpoint or _ENDPOINT
        self.credential_type = _credential_type(sas_token, account_key)

    @property
    def is_sas(self) -> bool:
        """Whether it is opened with a SAS token."""
        return self.sas_token is not None

    def path(self, path: str | None = None, data_reference_name: str | None = None) -> DataReference:
        """Return a reference to a path of it, by default to all of it."""
        return DataReference(self, data_reference_name=data_reference_name).path(path, data_reference_name)

    def as_mount(self) -> DataReference:
        """Return a reference to all of it, of mode mount."""
        return DataReference(self).as_mount()

    def as_download(self, path_on_compute: str | None = None) -> DataReference:
        """Return a reference to all of it, of mode download."""
        return DataReference(self).as_download(path_on_compute)

    def as_upload(self, path_on_compute: str | None = None) -> DataReference:
        """Return a reference to all of it, of mode upload."""
        return DataReference(self).as_upload(path_on_compute)

    def upload(
        self, src_dir: Any, target_path: str | None = None, overwrite: bool = False, show_progress: bool = True
    ) -> DataReference:
        """Upload a folder with its sub-folders, and return a reference to where it is.

        A file whose target is there is skipped unless `overwrite`; one that fails is logged.

        Args:
            src_dir: The folder.
            target_path: A folder in the datastore; by default its top.
            overwrite: Whether files that are there are replaced.
            show_progress: Whether to print a line for each file.

        Raises:
            UserErrorException: `src_dir` is no folder, or `target_path` leads upwards.
        """
        transfer.upload_folder(self._place(), src_dir, target_path, overwrite=overwrite, show_progress=show_progress)
        return DataReference(self, path_on_datastore=target_path or "")

    def upload_files(
        self,
        files: list[str],
        relative_root: str | None = None,
        target_path: str | None = None,
        overwrite: bool = False,
        show_progress: bool = True,
    ) -> DataReference:
        """Upload files, and return a reference to where they are.

        Args:
            files: Their paths.
            relative_root: What their names in the datastore are relative to; by default the deepest folder that all of
                the paths share.
            target_path: A folder in the datastore; by default its top.
            overwrite: Whether files that are there are replaced; else they are skipped.
            show_progress: Whether to print a line for each file.

        Raises:
            UserErrorException: one is no file, or not below `relative_root`; or `target_path` leads upwards.
        """
        transfer.upload_files(
            self._place(), files, relative_root, target_path, overwrite=overwrite, show_progress=show_progress
        )
        return DataReference(self, path_on_datastore=target_path or "")

    def download(
        self, target_path: Any, prefix: str | None = None, overwrite: bool = False, show_progress: bool = True
    ) -> int:
        """Download files to `<target_path>/<their path in the datastore>`, and return how many.

        Args:
            target_path: A local folder.
            prefix: How the paths begin; by default all files.
            overwrite: Whether local files are replaced; else they are kept, which is logged.
            show_progress: Whether to print a line for each file.
        """
        return transfer.download(self._place(), target_path, prefix, overwrite=overwrite, show_progress=show_progress)

    def __str__(self) -> str:
        shown = ("name", "container_name", "account_name", "protocol", "endpoint")
        return json.dumps({name: getattr(self, name) for name in shown}, indent=2)

    def __repr__(self) -> str:
        return str(self)


class AzureBlobDatastore(AbstractAzureStorageDatastore):
    """A blob container; `workspaceblobstore` and `workspaceartifactstore` are folders. Arguments: see the base."""

    def __init__(
        self,
        workspace: Any,
        name: str,
        container_name: str,
        account_name: str,
        sas_token: str | None = None,
        account_key: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = None,
        request_session: Any = None,
        workspace_msi_has_access: bool = False,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        service_data_access_auth_identity: Any = None,
    ) -> None:
        super().__init__(
            workspace,
            name,
            "AzureBlob",
            container_name,
            account_name,
            sas_token,
            account_key,
            protocol,
            endpoint,
        )
        self.workspace_msi_has_access = workspace_msi_has_access
        self.subscription_id = subscription_id
        self.resource_group = resource_group
        self.service_data_access_auth_identity = service_data_access_auth_identity

    @property
    def blob_service(self) -> Any:
        """Refuse: it is a client of Azure's."""
        raise refusal("azureml.data.azure_storage_datastore.AzureBlobDatastore.blob_service")


class AzureFileDatastore(AbstractAzureStorageDatastore):
    """A file share; `workspacefilestore` and `workspaceworkingdirectory` are folders. Arguments: see the base."""

    def __init__(
        self,
        workspace: Any,
        name: str,
        container_name: str,
        account_name: str,
        sas_token: str | None = None,
        account_key: str | None = None,
        protocol: str | None = None,
        endpoint: str | None = "core.windows.net",
        request_session: Any = None,
    ) -> None:
        super().__init__(
            workspace,
            name,
            "AzureFile",
            container_name,
            account_name,
            sas_token,
            account_key,
            protocol,
            endpoint,
        )

    @property
    def file_service(self) -> Any:
        """Refuse: it is a client of Azure's."""
        raise refusal("azureml.data.azure_storage_datastore.AzureFileDatastore.file_service")


def _credential_type(sas_token: str | None, account_key: str | None) -> str:
    if account_key is not None:
        return "AccountKey"
    return "Sas" if sas_token is not None else "None"


__getattr__, __dir__ = module_attributes(__name__)
