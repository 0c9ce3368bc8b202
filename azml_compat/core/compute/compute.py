"""`azureml.core.compute.compute`: compute targets are records, which any machine that shares the store finds.

Scripts look a target up and create it where that fails. Here both ways lead to a record of what was asked for, and
nothing is rented: what is submitted to a target runs on this machine.
"""

from __future__ import annotations

import builtins
import copy
import re
from datetime import datetime, timezone
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from azml_compat._refused import module_attributes
from azml_compat.exceptions import ComputeTargetException, UserErrorException

if TYPE_CHECKING:
    from azml_compat._assets import Assets
    from azml_compat.core.workspace import Workspace

_CLASSES = {
    "AdlaCompute": "adla",
    "AksCompute": "aks",
    "AmlCompute": "amlcompute",
    "BatchCompute": "batch",
    "ComputeInstance": "computeinstance",
    "DataFactoryCompute": "datafactory",
    "DatabricksCompute": "databricks",
    "DsvmCompute": "dsvm",
    "HDInsightCompute": "hdinsight",
    "KubernetesCompute": "kubernetescompute",
    "KustoCompute": "kusto",
    "RemoteCompute": "remote",
}
"""What a record may be, and the module where it is."""
_TYPES = {
    "AKS": "AksCompute",
    "AmlCompute": "AmlCompute",
    "Batch": "BatchCompute",
    "ComputeInstance": "ComputeInstance",
    "DataFactory": "DataFactoryCompute",
    "DataLakeAnalytics": "AdlaCompute",
    "Databricks": "DatabricksCompute",
    "HDInsight": "HDInsightCompute",
    "Kubernetes": "KubernetesCompute",
    "Kusto": "KustoCompute",
    "VirtualMachine": "RemoteCompute",
}
"""Azure's word for a kind of target, and its class."""
_RESERVED = ("amlcompute", "local", "containerinstance")
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{1,31}")
_ID = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.MachineLearningServices/workspaces/{}/computes/{}"
_GONE = ("Deleting", "Detaching")
_BASE_FIELDS = (
    *("id", "name", "type", "location", "cluster_location", "tags", "description", "created_on", "modified_on"),
    *("provisioning_state", "provisioning_errors", "cluster_resource_id", "is_attached"),
)
_TIMES = ("created_on", "modified_on")


class ComputeTarget:
    """A compute target that was created or attached before.

    The object is of the class that was registered, whatever class is called.

    Args:
        workspace: The workspace.
        name: The name of the target.

    Raises:
        ComputeTargetException: there is no target of that name (the message begins with `ComputeTargetNotFound`).
        TypeError: an argument is empty.
    """

    _type: ClassVar[str] = ""
    """Azure's word for the kind of target."""
    _fields: ClassVar[tuple[str, ...]] = ()
    """The attributes that this kind has beside those of all."""
    _can_be_deleted: ClassVar[bool] = False
    _can_be_detached: ClassVar[bool] = True

    id: str
    name: str
    type: str
    location: str | None
    cluster_location: str | None
    tags: dict[str, Any] | None
    description: str | None
    created_on: datetime
    modified_on: datetime
    provisioning_state: str
    provisioning_errors: Any
    cluster_resource_id: str | None
    is_attached: bool
    workspace: Workspace
    _operation: str | None
    """What was begun through this object, for wait_for_completion to tell of."""

    def __new__(cls, workspace: Workspace, name: str) -> Any:
        """Return the registered target."""
        if workspace is None or not name:
            raise TypeError(f"{cls.__name__} needs a workspace and the name of a compute target.")
        content = _content(workspace, name)
        if content is None:
            raise _not_found(name)
        return _load(workspace, content)

    def __init__(self, workspace: Workspace, name: str) -> None:
        """Do nothing: `__new__` returns the finished object."""

    def __copy__(self) -> Any:
        twin = object.__new__(type(self))
        vars(twin).update(vars(self))
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        twin = object.__new__(type(self))
        kept = {key: value for key, value in vars(self).items() if key != "workspace"}
        vars(twin).update(copy.deepcopy(kept, memo), workspace=self.workspace)
        return twin

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(workspace={self.workspace!r}, name={self.name}, id={self.id}, type={self.type}, "
            f"provisioning_state={self.provisioning_state}, location={self.location}, tags={self.tags})"
        )

    # -- registering ----------------------------------------------------------------------------------------------

    @staticmethod
    def create(workspace: Workspace, name: str, provisioning_configuration: Any) -> Any:
        """Record a target; one of that name is updated.

        Args:
            workspace: The workspace.
            name: Its name: 2 to 32 letters, digits and `-`, the first a letter.
            provisioning_configuration: What `provisioning_configuration` of its class returned.

        Raises:
            UserErrorException: the name is reserved.
            ComputeTargetException: the name is refused, the configuration is none, or a target of that name is of
                another kind.
        """
        if isinstance(name, str) and name.lower() in _RESERVED:
            raise UserErrorException(f"The name {name!r} is reserved; choose another one for the compute target.")
        return _register(workspace, name, provisioning_configuration, ComputeTargetProvisioningConfiguration)

    @staticmethod
    def attach(workspace: Workspace, name: str, attach_configuration: Any) -> Any:
        """Record something of the user's own as a target. Passwords and keys are not kept.

        Raises:
            ComputeTargetException: as for `create`.
        """
        return _register(workspace, name, attach_configuration, ComputeTargetAttachConfiguration)

    @staticmethod
    def list(workspace: Workspace) -> builtins.list[Any]:
        """Return the targets of the workspace, by name."""
        return [_load(workspace, asset.content) for asset in _assets(workspace).latest().values()]

    # -- waiting and status ---------------------------------------------------------------------------------------

    def wait_for_completion(self, show_output: bool = False, is_delete_operation: bool = False) -> None:
        """Print how what was begun has ended; it never waits.

        Raises:
            ComputeTargetException: nothing was begun through this object.
        """
        if self._operation is None:
            raise ComputeTargetException(
                "Long running operation information not known, unable to poll. "
                f"Current state is {self.provisioning_state}"
            )
        self._tell_operation(show_output=show_output)

    def _tell_operation(self, *, show_output: bool) -> None:
        if show_output:
            print("InProgress.")
            print("Succeeded", end="")
        print(f'{self._operation} operation finished, operation "Succeeded"')

    def refresh_state(self) -> None:
        """Bring the attributes up to date with what is recorded.

        Raises:
            ComputeTargetException: the target was removed meanwhile.
        """
        content = _content(self.workspace, self.name)
        if content is not None:
            self._fill(self.workspace, content["state"])
        elif self.provisioning_state not in _GONE:
            raise _not_found(self.name)

    def get_status(self) -> Any:
        """Return the provisioning state: `Succeeded`."""
        self.refresh_state()
        return self.provisioning_state

    # -- removing -------------------------------------------------------------------------------------------------

    def delete(self) -> None:
        """Remove the record.

        Raises:
            ComputeTargetException: it is of a kind that is only attached, or is not there any more.
        """
        if not self._can_be_deleted:
            raise ComputeTargetException(f"A target of class {type(self).__name__} cannot be deleted. Use detach().")
        self._remove("Deleting", "Deletion")

    def detach(self) -> None:
        """Remove the record of what was attached.

        Raises:
            ComputeTargetException: it is of a kind that is not attached, or is not there any more.
        """
        if not self._can_be_detached:
            raise ComputeTargetException(f"A target of class {type(self).__name__} cannot be detached. Use delete().")
        self._remove("Detaching", "Detaching")

    def _remove(self, state: str, operation: str) -> None:
        if _content(self.workspace, self.name) is None:
            raise _not_found(self.name)
        _assets(self.workspace).remove(self.name)
        self.provisioning_state = state
        self._operation = operation

    # -- as JSON --------------------------------------------------------------------------------------------------

    def serialize(self) -> dict[str, Any]:
        """Return the target as JSON values."""
        return self._state()

    @staticmethod
    def deserialize(workspace: Workspace, object_dict: dict[str, Any]) -> Any:
        """Make a target of what `serialize` returned.

        Raises:
            ComputeTargetException: it is no target.
        """
        return _deserialize(workspace, object_dict)

    @classmethod
    def _state_of(cls, object_dict: dict[str, Any]) -> dict[str, Any]:
        """Return what `serialize` returned as `_state` returns it."""
        return object_dict

    def _state(self) -> dict[str, Any]:
        """Return what is recorded: every attribute as a JSON value."""
        state = {field: getattr(self, field) for field in (*_BASE_FIELDS, *self._fields)}
        return {**state, **{field: state[field].isoformat() for field in _TIMES}}

    def _fill(self, workspace: Workspace, state: dict[str, Any]) -> None:
        """Set the attributes from what is recorded."""
        self.workspace = workspace
        for field in (*_BASE_FIELDS, *self._fields):
            setattr(self, field, state.get(field))
        for field in _TIMES:
            setattr(self, field, _time(state.get(field)))

    def _store(self) -> None:
        """Record the attributes as they are."""
        self.modified_on = datetime.now(timezone.utc)
        _assets(self.workspace).put(self.name, {"class": type(self).__name__, "state": self._state()})


class _Configuration:
    """What a target is made from."""

    _makes: ClassVar[str] = ""
    """The name of the target's class."""

    def validate_configuration(self) -> None:
        """Refuse what the service would refuse.

        Raises:
            ComputeTargetException: something is missing or makes no sense.
        """

    def _target(self) -> dict[str, Any]:
        """Return the attributes that the target gets, as JSON values; no secrets."""
        return {}


class ComputeTargetProvisioningConfiguration(_Configuration):
    """What a target that is created is made from.

    Args:
        type: The class of the target.
        location: Kept.
    """

    def __init__(self, type: Any, location: str | None) -> None:
        self._compute_type = type
        self.location = location


class ComputeTargetAttachConfiguration(_Configuration):
    """What a target that is attached is made from.

    Args:
        type: The class of the target.
    """

    def __init__(self, type: Any) -> None:
        self._compute_type = type


class ComputeTargetUpdateConfiguration(_Configuration):
    """What a target is changed by.

    Args:
        type: The class of the target.
    """

    def __init__(self, type: Any) -> None:
        self._compute_type = type


def _assets(workspace: Workspace) -> Assets:
    from azml_compat._assets import Assets  # loads more than an import of this module should cost

    return Assets(workspace.service_context.store, "compute")


def _content(workspace: Workspace, name: str) -> dict[str, Any] | None:
    found = _assets(workspace).find(name)
    return None if found is None else found.content


def _not_found(name: str) -> ComputeTargetException:
    return ComputeTargetException(
        f"ComputeTargetNotFound: Compute Target with name {name} not found in provided workspace"
    )


def _class(name: str) -> type[Any]:
    found: type[Any] = getattr(import_module(f"{__package__}.{_CLASSES[name]}"), name)
    return found


def _load(workspace: Workspace, content: dict[str, Any]) -> Any:
    """Make the object of a record."""
    target = object.__new__(_class(content["class"]))
    target._fill(workspace, content["state"])
    target._operation = None
    return target


def _deserialize(workspace: Workspace, object_dict: dict[str, Any], name: str | None = None) -> Any:
    """Make a target of what `serialize` returned; `name` is that of its class where the kind does not say it."""
    try:
        kind = object_dict["type"] if "type" in object_dict else object_dict["properties"]["computeType"]
        name = name or _TYPES[kind]
        return _load(workspace, {"class": name, "state": _class(name)._state_of(object_dict)})
    except (KeyError, TypeError) as error:
        raise ComputeTargetException(f"This is no compute target: {error!r} is not in it.") from error


def _register(workspace: Workspace, name: str, configuration: Any, kind: type[_Configuration]) -> Any:
    if not isinstance(configuration, kind):
        raise ComputeTargetException(
            f"A compute target is made from a configuration, not {type(configuration)}. "
            "Get one from provisioning_configuration() or attach_configuration() of its class."
        )
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ComputeTargetException(
            f"The name {name!r} is not valid for a compute target: it takes 2 to 32 letters, digits and `-`, and "
            "begins with a letter."
        )
    configuration.validate_configuration()
    known = _content(workspace, name)
    if known is not None and known["class"] != configuration._makes:
        raise ComputeTargetException(f"The compute target {name} is there already, as {known['class']}.")
    now = datetime.now(timezone.utc).isoformat()
    location = getattr(configuration, "location", None) or workspace.location
    target = object.__new__(_class(configuration._makes))
    target._fill(
        workspace,
        {
            "id": _ID.format(workspace.subscription_id, workspace.resource_group, workspace.name, name),
            "name": name,
            "type": target._type,
            "location": location,
            "cluster_location": location,
            "created_on": now if known is None else known["state"]["created_on"],
            "modified_on": now,
            "provisioning_state": "Succeeded",
            "is_attached": kind is ComputeTargetAttachConfiguration,
            **configuration._target(),
        },
    )
    target._operation = "Provisioning"
    target._store()
    return target


def _time(text: str | None) -> datetime:
    """Read a time; that of a dict which has none is now."""
    return datetime.now(timezone.utc) if text is None else datetime.fromisoformat(text)


def _old_attach(cls: str) -> ComputeTargetException:
    """Make the error of the form of `attach` that each class had before `ComputeTarget.attach`."""
    return ComputeTargetException(
        f"{cls}.attach is deprecated. Use ComputeTarget.attach(workspace, name, {cls}.attach_configuration(...))."
    )


__getattr__, __dir__ = module_attributes(__name__)
