"""`azureml.core.compute.databricks`: a workspace of Databricks, as records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from azml_compat._refused import module_attributes, refusal
from azml_compat.core.compute.compute import ComputeTarget, ComputeTargetAttachConfiguration, _old_attach
from azml_compat.exceptions import ComputeTargetException

if TYPE_CHECKING:
    from azml_compat.core.workspace import Workspace


class DatabricksCompute(ComputeTarget):
    """A workspace of Databricks that was attached before."""

    _type = "Databricks"

    @staticmethod
    def attach(  # type: ignore[override]  # Azure's signature
        workspace: Workspace, name: str, resource_id: str, access_token: str
    ) -> NoReturn:
        """Refuse, as the original does.

        Raises:
            ComputeTargetException: always.
        """
        raise _old_attach("DatabricksCompute")

    @staticmethod
    def attach_configuration(
        resource_group: str | None = None,
        workspace_name: str | None = None,
        resource_id: str | None = None,
        access_token: str = "",
    ) -> DatabricksAttachConfiguration:
        """Describe it for `ComputeTarget.attach`, by its resource id or its group and name.

        Raises:
            ComputeTargetException: neither is whole.
        """
        configuration = DatabricksAttachConfiguration(resource_group, workspace_name, resource_id, access_token)
        configuration.validate_configuration()
        return configuration

    def get_credentials(self) -> NoReturn:
        """Refuse: no password or key is kept."""
        raise refusal("azureml.core.compute.databricks.DatabricksCompute.get_credentials")


class DatabricksAttachConfiguration(ComputeTargetAttachConfiguration):
    """What is attached; the arguments are attributes. The token is not kept."""

    _makes = "DatabricksCompute"

    def __init__(
        self,
        resource_group: str | None = None,
        workspace_name: str | None = None,
        resource_id: str | None = None,
        access_token: str = "",
    ) -> None:
        super().__init__(DatabricksCompute)
        self.resource_group = resource_group
        self.workspace_name = workspace_name
        self.resource_id = resource_id
        self.access_token = access_token

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
