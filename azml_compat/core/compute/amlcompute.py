"""`azureml.core.compute.amlcompute`: clusters, as records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from azml_compat._refused import module_attributes, refusal
from azml_compat.core.compute.compute import ComputeTarget, ComputeTargetProvisioningConfiguration
from azml_compat.exceptions import ComputeTargetException

if TYPE_CHECKING:
    from azml_compat.core.run import Run
    from azml_compat.core.workspace import Workspace

_PRIORITIES = {"dedicated": "Dedicated", "lowpriority": "LowPriority"}
_ACCESS = ("Enabled", "Disabled", "NotSpecified")
_IDENTITIES = ("SystemAssigned", "UserAssigned")
_DEFAULT_SIZE = "STANDARD_NC6"
"""What Azure's documentation says that a cluster gets which says nothing."""
_LEAST_PASSWORD = 8
_LETTERS = ("[a-z]", "[A-Z]", "[0-9]", r"[^a-zA-Z0-9]")
_LEAST_KINDS = 3
_IDLE = re.compile(r"PT(\d+)S")
_NETWORK = ("vnet_resourcegroup_name", "vnet_name", "subnet_name")


class ScaleSettings:
    """Between how many nodes a cluster scales.

    Args:
        minimum_node_count: The fewest nodes.
        maximum_node_count: The most.
        idle_seconds_before_scaledown: For how many seconds a node is idle before it is given back.
    """

    def __init__(
        self, minimum_node_count: int | None, maximum_node_count: int | None, idle_seconds_before_scaledown: Any
    ) -> None:
        self.minimum_node_count = minimum_node_count
        self.maximum_node_count = maximum_node_count
        self.idle_seconds_before_scaledown = idle_seconds_before_scaledown

    def serialize(self) -> dict[str, Any]:
        """Return the settings with the service's keys; the seconds as an ISO 8601 duration."""
        return {
            "minNodeCount": self.minimum_node_count,
            "maxNodeCount": self.maximum_node_count,
            "nodeIdleTimeBeforeScaleDown": f"PT{self.idle_seconds_before_scaledown}S",
        }

    @staticmethod
    def deserialize(object_dict: dict[str, Any] | None) -> ScaleSettings | None:
        """Make the settings of what `serialize` returned; None of None."""
        if object_dict is None:
            return None
        idle = _IDLE.fullmatch(str(object_dict.get("nodeIdleTimeBeforeScaleDown")))
        return ScaleSettings(
            object_dict.get("minNodeCount"), object_dict.get("maxNodeCount"), int(idle[1]) if idle is not None else None
        )


class AmlComputeNodeStateCounts:
    """How many nodes of a cluster are in which state."""

    def __init__(
        self,
        idle_node_count: int,
        leaving_node_count: int,
        preempted_node_count: int,
        preparing_node_count: int,
        running_node_count: int,
        unusable_node_count: int,
    ) -> None:
        self.idle_node_count = idle_node_count
        self.leaving_node_count = leaving_node_count
        self.preempted_node_count = preempted_node_count
        self.preparing_node_count = preparing_node_count
        self.running_node_count = running_node_count
        self.unusable_node_count = unusable_node_count

    def serialize(self) -> dict[str, int]:
        """Return the counts with the service's keys."""
        return {
            "preparingNodeCount": self.preparing_node_count,
            "runningNodeCount": self.running_node_count,
            "idleNodeCount": self.idle_node_count,
            "unusableNodeCount": self.unusable_node_count,
            "leavingNodeCount": self.leaving_node_count,
            "preemptedNodeCount": self.preempted_node_count,
        }

    @staticmethod
    def deserialize(object_dict: dict[str, int] | None) -> AmlComputeNodeStateCounts | None:
        """Make the counts of what `serialize` returned; None of None."""
        if object_dict is None:
            return None
        kinds = ("idle", "leaving", "preempted", "preparing", "running", "unusable")
        return AmlComputeNodeStateCounts(*(object_dict[f"{kind}NodeCount"] for kind in kinds))


class AmlComputeStatus:
    """How a cluster is. Times are datetimes, and None where there is nothing to tell."""

    def __init__(
        self,
        allocation_state: str,
        allocation_state_transition_time: datetime | None,
        creation_time: datetime | None,
        current_node_count: int,
        errors: Any,
        modified_time: datetime | None,
        node_state_counts: AmlComputeNodeStateCounts | None,
        provisioning_state: str,
        provisioning_state_transition_time: datetime | None,
        scale_settings: ScaleSettings | None,
        target_node_count: int,
        vm_priority: str,
        vm_size: str,
    ) -> None:
        self.allocation_state = allocation_state
        self.allocation_state_transition_time = allocation_state_transition_time
        self.creation_time = creation_time
        self.current_node_count = current_node_count
        self.errors = errors
        self.modified_time = modified_time
        self.node_state_counts = node_state_counts
        self.provisioning_state = provisioning_state
        self.provisioning_state_transition_time = provisioning_state_transition_time
        self.scale_settings = scale_settings
        self.target_node_count = target_node_count
        self.vm_priority = vm_priority
        self.vm_size = vm_size

    def serialize(self) -> dict[str, Any]:
        """Return the status with the service's keys; times in ISO 8601."""
        return {
            "currentNodeCount": self.current_node_count,
            "targetNodeCount": self.target_node_count,
            "nodeStateCounts": None if self.node_state_counts is None else self.node_state_counts.serialize(),
            "allocationState": self.allocation_state,
            "allocationStateTransitionTime": _text(self.allocation_state_transition_time),
            "errors": self.errors,
            "creationTime": _text(self.creation_time),
            "modifiedTime": _text(self.modified_time),
            "provisioningState": self.provisioning_state,
            "provisioningStateTransitionTime": _text(self.provisioning_state_transition_time),
            "scaleSettings": None if self.scale_settings is None else self.scale_settings.serialize(),
            "vmPriority": self.vm_priority,
            "vmSize": self.vm_size,
        }

    @staticmethod
    def deserialize(object_dict: dict[str, Any] | None) -> AmlComputeStatus | None:
        """Make the status of what `serialize` returned; None of None."""
        if object_dict is None:
            return None
        return AmlComputeStatus(
            allocation_state=object_dict["allocationState"],
            allocation_state_transition_time=_time(object_dict["allocationStateTransitionTime"]),
            creation_time=_time(object_dict["creationTime"]),
            current_node_count=object_dict["currentNodeCount"],
            errors=object_dict["errors"],
            modified_time=_time(object_dict["modifiedTime"]),
            node_state_counts=AmlComputeNodeStateCounts.deserialize(object_dict["nodeStateCounts"]),
            provisioning_state=object_dict["provisioningState"],
            provisioning_state_transition_time=_time(object_dict["provisioningStateTransitionTime"]),
            scale_settings=ScaleSettings.deserialize(object_dict["scaleSettings"]),
            target_node_count=object_dict["targetNodeCount"],
            vm_priority=object_dict["vmPriority"],
            vm_size=object_dict["vmSize"],
        )


class AmlCompute(ComputeTarget):
    """A cluster that was created before.

    What is submitted to it runs on this machine; it says of itself what Azure's would with no job on it.
    """

    _type = "AmlCompute"
    _fields = (
        *("vm_size", "vm_priority", "scale_settings", "admin_username", "admin_user_ssh_key", *_NETWORK),
        *("remote_login_port_public_access", "identity_type", "identity_id"),
    )
    _can_be_deleted = True
    _can_be_detached = False

    vm_size: str
    vm_priority: str
    scale_settings: ScaleSettings
    status: AmlComputeStatus
    admin_username: str | None
    admin_user_password: None
    """Never kept."""
    admin_user_ssh_key: str | None
    vnet_resourcegroup_name: str | None
    vnet_name: str | None
    subnet_name: str | None
    remote_login_port_public_access: str
    identity_type: str | None
    identity_id: list[str] | None

    @staticmethod
    def provisioning_configuration(
        vm_size: str = "",
        vm_priority: str = "dedicated",
        min_nodes: int = 0,
        max_nodes: int | None = None,
        idle_seconds_before_scaledown: int = 1800,
        admin_username: str | None = None,
        admin_user_password: str | None = None,
        admin_user_ssh_key: str | None = None,
        vnet_resourcegroup_name: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        tags: dict[str, Any] | None = None,
        description: str | None = None,
        remote_login_port_public_access: str = "NotSpecified",
        identity_type: str | None = None,
        identity_id: list[str] | None = None,
        location: str | None = None,
        enable_node_public_ip: bool = True,
    ) -> AmlComputeProvisioningConfiguration:
        """Describe a cluster for `create`.

        Raises:
            ComputeTargetException: the service would refuse it, for instance without `max_nodes`.
        """
        configuration = AmlComputeProvisioningConfiguration(
            vm_size,
            vm_priority,
            min_nodes,
            max_nodes,
            idle_seconds_before_scaledown,
            admin_username,
            admin_user_password,
            admin_user_ssh_key,
            vnet_resourcegroup_name,
            vnet_name,
            subnet_name,
            tags,
            description,
            remote_login_port_public_access,
            identity_type,
            identity_id,
            location,
            enable_node_public_ip,
        )
        configuration.validate_configuration()
        return configuration

    def wait_for_completion(  # type: ignore[override]  # Azure's signature
        self,
        show_output: bool = False,
        min_node_count: int | None = None,
        timeout_in_minutes: int = 25,
        is_delete_operation: bool = False,
    ) -> None:
        """Print what the original prints in the end; it never waits.

        Args:
            show_output: Print all of it; otherwise only that what was begun has ended.
            min_node_count: How many nodes to wait for; default the cluster's minimum. More than that times out at once.
            timeout_in_minutes: Has no effect.
            is_delete_operation: Has no effect: what was begun is known.
        """
        if self._operation is not None:
            self._tell_operation(show_output=show_output)
        if not show_output:
            return
        is_there = self.provisioning_state == "Succeeded"
        if is_there:
            print(self.provisioning_state)
        print("AmlCompute wait for completion finished\n")
        if not is_there:
            return
        if (min_node_count or 0) <= self.status.current_node_count:
            print("Minimum number of nodes requested have been provisioned")
        else:
            print("Wait timeout has been reached")
            print(
                f'Current provisioning state of AmlCompute is "{self.provisioning_state}" and current node count is '
                f'"{self.status.current_node_count}"'
            )

    def get_status(self) -> AmlComputeStatus:
        """Return how the cluster is: all of its minimum of nodes idle."""
        self.refresh_state()
        return self.status

    def get(self) -> Any:
        """Return the registered target of this name."""
        return ComputeTarget(self.workspace, self.name)

    def update(
        self,
        min_nodes: int | None = None,
        max_nodes: int | None = None,
        idle_seconds_before_scaledown: int | None = None,
    ) -> None:
        """Change between how many nodes it scales; None leaves what is there.

        Raises:
            ComputeTargetException: the service would refuse it.
        """
        self.refresh_state()
        given = (min_nodes, max_nodes, idle_seconds_before_scaledown)
        now = self.scale_settings
        known = (now.minimum_node_count, now.maximum_node_count, now.idle_seconds_before_scaledown)
        settings = ScaleSettings(*(old if new is None else new for new, old in zip(given, known, strict=True)))
        _check_nodes(settings)
        self.scale_settings = settings
        self._changed()

    def add_identity(self, identity_type: str, identity_id: list[str] | None = None) -> None:
        """Record an identity of the cluster.

        Raises:
            ComputeTargetException: the type is none, or does not fit the ids.
        """
        _check_identity(identity_type, identity_id)
        self.refresh_state()
        self.identity_type = identity_type
        self.identity_id = [*dict.fromkeys([*(self.identity_id or []), *(identity_id or [])])] or None
        self._changed()

    def remove_identity(self, identity_id: list[str] | None = None) -> None:
        """Remove identities, by default all of them."""
        self.refresh_state()
        kept = [one for one in self.identity_id or [] if identity_id is not None and one not in identity_id]
        self.identity_id = kept or None
        self.identity_type = self.identity_type if kept else None
        self._changed()

    def _changed(self) -> None:
        self._operation = "Provisioning"
        self._store()
        self.status = self._status()

    def list_nodes(self) -> list[dict[str, Any]]:
        """Return []: there are no machines."""
        return []

    def get_active_runs(
        self, type: str | None = None, tags: Any = None, properties: Any = None, status: str | None = None
    ) -> Iterator[Run]:
        """Return a generator of the runs that were submitted to the cluster and have not ended, newest start first."""
        return _active_runs(self, type, tags, properties, status)

    @staticmethod
    def supported_vmsizes(workspace: Workspace, location: str | None = None) -> list[dict[str, Any]]:
        """Return []: there are no machines to choose from."""
        return []

    @staticmethod
    def list_usages(workspace: Workspace, show_all: bool = False, location: str | None = None) -> list[Any]:
        """Return []: nothing is rented."""
        return []

    @staticmethod
    def list_quotas(workspace: Workspace, location: str | None = None) -> list[Any]:
        """Return []: nothing is rented."""
        return []

    @staticmethod
    def update_quotas(
        workspace: Workspace, vm_family: Any, limit: int | None = None, location: str | None = None
    ) -> NoReturn:
        """Refuse: nothing is rented."""
        raise refusal("azureml.core.compute.amlcompute.AmlCompute.update_quotas")

    def serialize(self) -> dict[str, Any]:
        """Return the cluster with the service's keys."""
        state = self._state()
        identity = {"type": self.identity_type, "userAssignedIdentities": self.identity_id}
        return {
            "id": self.id,
            "name": self.name,
            "location": self.location,
            "tags": self.tags,
            "identity": identity if self.identity_type else None,
            "properties": {
                "description": self.description,
                "resourceId": self.cluster_resource_id,
                "computeType": self.type,
                "computeLocation": self.cluster_location,
                "createdOn": state["created_on"],
                "modifiedOn": state["modified_on"],
                "provisioningState": self.provisioning_state,
                "provisioningErrors": self.provisioning_errors,
                "properties": {
                    "vmSize": self.vm_size,
                    "vmPriority": self.vm_priority,
                    "scaleSettings": self.scale_settings.serialize(),
                    "userAccountCredentials": {
                        "adminUserName": self.admin_username,
                        "adminUserPassword": None,
                        "adminUserSshPublicKey": self.admin_user_ssh_key,
                    },
                    "subnet": {field: getattr(self, field) for field in _NETWORK} if self.subnet_name else None,
                    "remoteLoginPortPublicAccess": self.remote_login_port_public_access,
                },
                "status": self.status.serialize(),
            },
        }

    @classmethod
    def _state_of(cls, object_dict: dict[str, Any]) -> dict[str, Any]:
        outer = object_dict["properties"]
        inner = outer["properties"]
        identity = object_dict.get("identity") or {}
        credentials = inner.get("userAccountCredentials") or {}
        return {
            **{key: object_dict[key] for key in ("id", "name", "location")},
            "tags": object_dict.get("tags"),
            "type": outer["computeType"],
            "description": outer.get("description"),
            "cluster_resource_id": outer.get("resourceId"),
            "cluster_location": outer.get("computeLocation"),
            "created_on": outer.get("createdOn"),
            "modified_on": outer.get("modifiedOn"),
            "provisioning_state": outer["provisioningState"],
            "provisioning_errors": outer.get("provisioningErrors"),
            "is_attached": False,
            "vm_size": inner["vmSize"],
            "vm_priority": inner["vmPriority"],
            "scale_settings": inner["scaleSettings"],
            "admin_username": credentials.get("adminUserName"),
            "admin_user_ssh_key": credentials.get("adminUserSshPublicKey"),
            **{field: (inner.get("subnet") or {}).get(field) for field in _NETWORK},
            "remote_login_port_public_access": inner.get("remoteLoginPortPublicAccess"),
            "identity_type": identity.get("type"),
            "identity_id": identity.get("userAssignedIdentities"),
        }

    def _state(self) -> dict[str, Any]:
        return {**super()._state(), "scale_settings": self.scale_settings.serialize()}

    def _fill(self, workspace: Workspace, state: dict[str, Any]) -> None:
        super()._fill(workspace, state)
        settings = ScaleSettings.deserialize(state["scale_settings"])
        assert settings is not None
        self.scale_settings = settings
        self.admin_user_password = None
        self.status = self._status()

    def _status(self) -> AmlComputeStatus:
        nodes = self.scale_settings.minimum_node_count or 0
        return AmlComputeStatus(
            allocation_state="Steady",
            allocation_state_transition_time=self.modified_on,
            creation_time=self.created_on,
            current_node_count=nodes,
            errors=None,
            modified_time=self.modified_on,
            node_state_counts=AmlComputeNodeStateCounts(nodes, 0, 0, 0, 0, 0),
            provisioning_state=self.provisioning_state,
            provisioning_state_transition_time=None,
            scale_settings=self.scale_settings,
            target_node_count=nodes,
            vm_priority=self.vm_priority,
            vm_size=self.vm_size,
        )


class AmlComputeProvisioningConfiguration(ComputeTargetProvisioningConfiguration):
    """What a cluster is made from; the arguments are attributes.

    Args:
        vm_size: Kept as it is.
        vm_priority: `dedicated` or `lowpriority`.
        min_nodes: The fewest nodes.
        max_nodes: The most; needed.
        idle_seconds_before_scaledown: Seconds.
        admin_username: Of an account, with a password or key.
        admin_user_password: Checked, and never kept with the target.
        admin_user_ssh_key: A public key.
        vnet_resourcegroup_name: Of a network, with its two other names.
        vnet_name: See `vnet_resourcegroup_name`.
        subnet_name: See `vnet_resourcegroup_name`.
        tags: Kept with the target.
        description: Kept with the target.
        remote_login_port_public_access: `Enabled`, `Disabled` or `NotSpecified`.
        identity_type: `SystemAssigned` or `UserAssigned`.
        identity_id: Of `UserAssigned`, the identities.
        compute_location: Kept with the target as its location.
        enable_node_public_ip: Has no effect.
    """

    _makes = "AmlCompute"

    def __init__(
        self,
        vm_size: str = "",
        vm_priority: str = "dedicated",
        min_nodes: int = 0,
        max_nodes: int | None = None,
        idle_seconds_before_scaledown: int = 1800,
        admin_username: str | None = None,
        admin_user_password: str | None = None,
        admin_user_ssh_key: str | None = None,
        vnet_resourcegroup_name: str | None = None,
        vnet_name: str | None = None,
        subnet_name: str | None = None,
        tags: dict[str, Any] | None = None,
        description: str | None = None,
        remote_login_port_public_access: str = "NotSpecified",
        identity_type: str | None = None,
        identity_id: list[str] | None = None,
        compute_location: str | None = None,
        enable_node_public_ip: bool = True,
    ) -> None:
        super().__init__(AmlCompute, compute_location)
        self.vm_size = vm_size
        self.vm_priority = vm_priority
        self.scale_settings = ScaleSettings(min_nodes, max_nodes, idle_seconds_before_scaledown)
        self.admin_username = admin_username
        self.admin_user_password = admin_user_password
        self.admin_user_ssh_key = admin_user_ssh_key
        self.vnet_resourcegroup_name = vnet_resourcegroup_name
        self.vnet_name = vnet_name
        self.subnet_name = subnet_name
        self.tags = tags
        self.description = description
        self.remote_login_port_public_access = remote_login_port_public_access
        self.identity_type = identity_type
        self.identity_id = identity_id
        self.compute_location = compute_location
        self.enable_node_public_ip = enable_node_public_ip

    def validate_configuration(self) -> None:
        """Refuse what the service would refuse.

        Raises:
            ComputeTargetException: something is missing or makes no sense.
            TypeError: a number of nodes is no number.
        """
        _check_nodes(self.scale_settings)
        if self.vm_priority and self.vm_priority.lower() not in _PRIORITIES:
            raise ComputeTargetException(f"vm_priority is dedicated or lowpriority, not {self.vm_priority!r}.")
        self._check_account()
        _check_network(self)
        if self.remote_login_port_public_access not in _ACCESS:
            raise ComputeTargetException(f"remote_login_port_public_access is one of {', '.join(_ACCESS)}.")
        if self.identity_type is not None or self.identity_id is not None:
            _check_identity(self.identity_type, self.identity_id)

    def _check_account(self) -> None:
        has_secret = bool(self.admin_user_password or self.admin_user_ssh_key)
        if bool(self.admin_username) is not has_secret:
            raise ComputeTargetException("An account needs admin_username, and a password or SSH key with it.")
        password = self.admin_user_password
        if password and (
            len(password) < _LEAST_PASSWORD or sum(bool(re.search(kind, password)) for kind in _LETTERS) < _LEAST_KINDS
        ):
            raise ComputeTargetException(
                "admin_user_password is too weak: it takes 8 characters, and three of lower case, upper case, digits "
                "and others."
            )

    def _target(self) -> dict[str, Any]:
        return {
            "vm_size": (self.vm_size or _DEFAULT_SIZE).upper(),
            "vm_priority": _PRIORITIES[(self.vm_priority or "dedicated").lower()],
            "scale_settings": self.scale_settings.serialize(),
            **{
                field: getattr(self, field)
                for field in (
                    *("tags", "description", "admin_username", "admin_user_ssh_key", *_NETWORK),
                    *("remote_login_port_public_access", "identity_type", "identity_id"),
                )
            },
        }


def _check_nodes(settings: ScaleSettings) -> None:
    fewest, most = settings.minimum_node_count, settings.maximum_node_count
    if most is None:
        raise ComputeTargetException("Invalid configuration, max nodes count is mandatory.")
    if most < 0 or (fewest is not None and (fewest < 0 or fewest > most)):
        raise ComputeTargetException(
            f"Invalid configuration: min_nodes ({fewest}) and max_nodes ({most}) must not be negative, and the "
            "first not greater than the second."
        )


def _check_network(configuration: Any) -> None:
    given = [bool(getattr(configuration, field)) for field in _NETWORK]
    if any(given) and not all(given):
        raise ComputeTargetException(f"A network needs all of {', '.join(_NETWORK)}.")


def _check_identity(identity_type: str | None, identity_id: list[str] | None) -> None:
    if identity_type not in _IDENTITIES:
        raise ComputeTargetException(f"identity_type is one of {', '.join(_IDENTITIES)}, not {identity_type!r}.")
    if bool(identity_id) is not (identity_type == "UserAssigned"):
        raise ComputeTargetException("identity_id goes with identity_type UserAssigned, which needs it.")


def _active_runs(target: ComputeTarget, kind: Any, tags: Any, properties: Any, status: Any) -> Iterator[Run]:
    from azml_compat.core.run import RUNNING_STATES, Run

    found: Iterator[Run] = Run.list_by_compute(target, kind, tags, properties, status)
    return (run for run in found if run.get_status() in RUNNING_STATES)


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


__getattr__, __dir__ = module_attributes(__name__)
