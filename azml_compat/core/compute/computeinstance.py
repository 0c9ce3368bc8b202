"""`azureml.core.compute.computeinstance`: the machines of single users, as records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from azml_compat._portal import docs_url, html_row
from azml_compat._refused import module_attributes
from azml_compat.core.compute.amlcompute import _active_runs, _check_network
from azml_compat.core.compute.compute import ComputeTarget, ComputeTargetProvisioningConfiguration

if TYPE_CHECKING:
    from azml_compat.core.run import Run
    from azml_compat.core.workspace import Workspace

_RUNNING, _STOPPED = "Running", "Stopped"
_CONFIGURED = (
    *(
        "vm_size",
        "ssh_public_access",
        "admin_user_ssh_public_key",
        "vnet_resourcegroup_name",
        "vnet_name",
        "subnet_name",
    ),
    *("assigned_user_object_id", "assigned_user_tenant_id"),
)


class ComputeInstanceStatus:
    """How a machine is. Times are datetimes."""

    def __init__(
        self,
        creation_time: datetime | None,
        created_by_user_name: str | None,
        created_by_user_id: str | None,
        created_by_user_org: str | None,
        errors: Any,
        modified_time: datetime | None,
        state: str,
        vm_size: str,
    ) -> None:
        self.creation_time = creation_time
        self.created_by_user_name = created_by_user_name
        self.created_by_user_id = created_by_user_id
        self.created_by_user_org = created_by_user_org
        self.errors = errors
        self.modified_time = modified_time
        self.state = state
        self.vm_size = vm_size

    def __repr__(self) -> str:
        return json.dumps(self.serialize())

    def serialize(self) -> dict[str, Any]:
        """Return the status with the service's keys; times in ISO 8601."""
        return {
            "errors": self.errors,
            "creationTime": None if self.creation_time is None else self.creation_time.isoformat(),
            "createdBy": {
                "userObjectId": self.created_by_user_id,
                "userTenantId": self.created_by_user_org,
                "userName": self.created_by_user_name,
            },
            "modifiedTime": None if self.modified_time is None else self.modified_time.isoformat(),
            "state": self.state,
            "vmSize": self.vm_size,
        }

    @staticmethod
    def deserialize(object_dict: dict[str, Any] | None) -> ComputeInstanceStatus | None:
        """Make the status of what `serialize` returned; None of None."""
        if object_dict is None:
            return None
        user = object_dict["createdBy"]
        created, modified = (
            None if object_dict[key] is None else datetime.fromisoformat(object_dict[key])
            for key in ("creationTime", "modifiedTime")
        )
        return ComputeInstanceStatus(
            created,
            user["userName"],
            user["userObjectId"],
            user["userTenantId"],
            object_dict["errors"],
            modified,
            object_dict["state"],
            object_dict["vmSize"],
        )


class ComputeInstance(ComputeTarget):
    """A machine of one user that was created before. What is submitted to it runs on this one."""

    _type = "ComputeInstance"
    _fields = (
        *_CONFIGURED,
        *(
            "admin_username",
            "applications",
            "errors",
            "instance_location",
            "instance_resource_id",
            "private_ip_address",
        ),
        *("public_ip_address", "ssh_port", "subnet_id", "_power"),
    )
    _can_be_deleted = True
    _can_be_detached = False

    vm_size: str
    status: ComputeInstanceStatus
    _power: str
    """Whether it was started or stopped last."""

    @staticmethod
    def provisioning_configuration(
        vm_size: str = "",
        ssh_public_access: bool = False,
        admin_user_ssh_public_key: str | None = None,
        vnet_resourcegroup_name: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        tags: dict[str, Any] | None = None,
        description: str | None = None,
        assigned_user_object_id: str | None = None,
        assigned_user_tenant_id: str | None = None,
    ) -> ComputeInstanceProvisioningConfiguration:
        """Describe a machine for `create`.

        Raises:
            ComputeTargetException: a network is named in part.
        """
        configuration = ComputeInstanceProvisioningConfiguration(
            vm_size,
            ssh_public_access,
            admin_user_ssh_public_key,
            vnet_resourcegroup_name,
            vnet_name,
            subnet_name,
            tags,
            description,
            assigned_user_object_id,
            assigned_user_tenant_id,
        )
        configuration.validate_configuration()
        return configuration

    def wait_for_completion(self, show_output: bool = False, is_delete_operation: bool = False) -> None:
        """Print the state, if asked to; it never waits."""
        if show_output:
            print(self.status.state)

    def get_status(self) -> ComputeInstanceStatus:
        """Return how the machine is."""
        self.refresh_state()
        return self.status

    def get(self) -> Any:
        """Return the registered target of this name."""
        return ComputeTarget(self.workspace, self.name)

    def start(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Note that it runs."""
        self._turn(_RUNNING, show_output=wait_for_completion and show_output)

    def stop(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Note that it was stopped."""
        self._turn(_STOPPED, show_output=wait_for_completion and show_output)

    def restart(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Note that it runs."""
        self.start(wait_for_completion, show_output)

    def _turn(self, state: str, *, show_output: bool) -> None:
        self.refresh_state()
        self._power = state
        self._store()
        self.status = self._status()
        self.wait_for_completion(show_output)

    def delete(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Remove the record.

        Raises:
            ComputeTargetException: it is not there any more.
        """
        super().delete()
        self.status = self._status()
        self.wait_for_completion(wait_for_completion and show_output)

    def update_sso_settings(self, value: bool) -> None:
        """Do nothing: nobody signs in."""

    def get_active_runs(
        self, type: str | None = None, tags: Any = None, properties: Any = None, status: str | None = None
    ) -> Iterator[Run]:
        """Return a generator of the runs that were submitted to the machine and have not ended, newest start first."""
        return _active_runs(self, type, tags, properties, status)

    @staticmethod
    def supported_vmsizes(workspace: Workspace, location: str | None = None) -> list[dict[str, Any]]:
        """Return []: there are no machines to choose from."""
        return []

    @classmethod
    def get_docs_url(cls) -> str:
        """Return Azure's reference page of the class."""
        return docs_url(cls)

    def _repr_html_(self) -> str:
        return html_row([("Name", self.name), ("Workspace", self.workspace.name), ("State", self.status.state)])

    def _fill(self, workspace: Workspace, state: dict[str, Any]) -> None:
        super()._fill(workspace, state)
        self.status = self._status()

    def _status(self) -> ComputeInstanceStatus:
        state = self._power if self.provisioning_state == "Succeeded" else self.provisioning_state
        return ComputeInstanceStatus(self.created_on, None, None, None, None, self.modified_on, state, self.vm_size)


class ComputeInstanceProvisioningConfiguration(ComputeTargetProvisioningConfiguration):
    """What a machine is made from; the arguments are attributes."""

    _makes = "ComputeInstance"

    def __init__(
        self,
        vm_size: str = "",
        ssh_public_access: bool = False,
        admin_user_ssh_public_key: str | None = None,
        vnet_resourcegroup_name: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        tags: dict[str, Any] | None = None,
        description: str | None = None,
        assigned_user_object_id: str | None = None,
        assigned_user_tenant_id: str | None = None,
    ) -> None:
        super().__init__(ComputeInstance, None)
        self.vm_size = vm_size
        self.ssh_public_access = ssh_public_access
        self.admin_user_ssh_public_key = admin_user_ssh_public_key
        self.vnet_resourcegroup_name = vnet_resourcegroup_name
        self.vnet_name = vnet_name
        self.subnet_name = subnet_name
        self.tags = tags
        self.description = description
        self.assigned_user_object_id = assigned_user_object_id
        self.assigned_user_tenant_id = assigned_user_tenant_id

    def validate_configuration(self) -> None:
        """Refuse what the service would refuse.

        Raises:
            ComputeTargetException: a network is named in part.
        """
        _check_network(self)

    def _target(self) -> dict[str, Any]:
        return {
            **{field: getattr(self, field) for field in (*_CONFIGURED, "tags", "description")},
            "vm_size": self.vm_size.upper(),
            "_power": _RUNNING,
        }


__getattr__, __dir__ = module_attributes(__name__)
