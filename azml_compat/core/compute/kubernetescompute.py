"""`azureml.core.compute.kubernetescompute`: a Kubernetes cluster, as a record."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from azml_compat._refused import module_attributes
from azml_compat.core.compute.compute import ComputeTarget, ComputeTargetAttachConfiguration
from azml_compat.exceptions import ComputeTargetException

if TYPE_CHECKING:
    from azml_compat.core.workspace import Workspace


class KubernetesComputeStatus:
    """How a cluster is. Times are datetimes."""

    def __init__(self, creation_time: datetime, modified_time: datetime, provisioning_state: str) -> None:
        self.creation_time = creation_time
        self.modified_time = modified_time
        self.provisioning_state = provisioning_state

    def serialize(self) -> dict[str, Any]:
        """Return the status with the service's keys; times in ISO 8601."""
        return {
            "creationTime": self.creation_time.isoformat(),
            "modifiedTime": self.modified_time.isoformat(),
            "provisioningState": self.provisioning_state,
        }

    @staticmethod
    def deserialize(object_dict: dict[str, Any] | None) -> KubernetesComputeStatus | None:
        """Make the status of what `serialize` returned; None of None."""
        if object_dict is None:
            return None
        created, modified = (datetime.fromisoformat(object_dict[key]) for key in ("creationTime", "modifiedTime"))
        return KubernetesComputeStatus(created, modified, object_dict["provisioningState"])


class KubernetesCompute(ComputeTarget):
    """A Kubernetes cluster that was attached before."""

    _type = "Kubernetes"
    _fields = (
        *("namespace", "identity", "identity_type", "identity_ids", "default_instance_type", "instance_types"),
        *("public_ip", "vm_size"),
    )

    namespace: str | None
    identity: Any
    identity_type: str | None
    identity_ids: list[str] | None
    default_instance_type: str | None
    instance_types: Any
    public_ip: str | None
    vm_size: str | None

    @staticmethod
    def attach_configuration(
        resource_id: str | None = None,
        namespace: str | None = None,
        identity_type: str | None = None,
        identity_ids: list[str] | None = None,
    ) -> KubernetesComputeAttachConfiguration:
        """Describe it for `ComputeTarget.attach`.

        Raises:
            ComputeTargetException: there is no resource id.
        """
        configuration = KubernetesComputeAttachConfiguration(resource_id, namespace, identity_type, identity_ids)
        configuration.validate_configuration()
        return configuration

    @property
    def _status(self) -> KubernetesComputeStatus:
        return KubernetesComputeStatus(self.created_on, self.modified_on, self.provisioning_state)

    def get_status(self) -> KubernetesComputeStatus:
        """Return how the cluster is."""
        self.refresh_state()
        return self._status

    def get(self) -> Any:
        """Return the registered target of this name."""
        return ComputeTarget(self.workspace, self.name)

    def _fill(self, workspace: Workspace, state: dict[str, Any]) -> None:
        super()._fill(workspace, state)
        self.status = self._status


class KubernetesComputeAttachConfiguration(ComputeTargetAttachConfiguration):
    """What is attached; the arguments are attributes."""

    _makes = "KubernetesCompute"

    def __init__(
        self,
        resource_id: str | None = None,
        namespace: str | None = None,
        identity_type: str | None = None,
        identity_ids: list[str] | None = None,
    ) -> None:
        super().__init__(KubernetesCompute)
        self.resource_id = resource_id
        self.namespace = namespace
        self.identity_type = identity_type
        self.identity_ids = identity_ids

    def validate_configuration(self) -> None:
        """Refuse what names nothing.

        Raises:
            ComputeTargetException: there is no resource id.
        """
        if not self.resource_id:
            raise ComputeTargetException("Give resource_id.")

    def to_dict(self) -> dict[str, Any]:
        """Return the arguments."""
        return {
            "resource_id": self.resource_id,
            "namespace": self.namespace,
            "identity_type": self.identity_type,
            "identity_ids": self.identity_ids,
        }

    def _target(self) -> dict[str, Any]:
        fields = self.to_dict()
        return {"cluster_resource_id": fields.pop("resource_id"), **fields}


__getattr__, __dir__ = module_attributes(__name__)
