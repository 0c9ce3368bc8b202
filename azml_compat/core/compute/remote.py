"""`azureml.core.compute.remote`: a machine of the user, as records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from azml_compat._refused import module_attributes, refusal
from azml_compat.core.compute.compute import ComputeTarget, ComputeTargetAttachConfiguration, _old_attach
from azml_compat.exceptions import ComputeTargetException

if TYPE_CHECKING:
    from azml_compat.core.workspace import Workspace


class RemoteCompute(ComputeTarget):
    """A machine of the user that was attached before."""

    _type = "VirtualMachine"
    _fields = ("address", "ssh_port", "vm_size")

    address: str | None
    ssh_port: int | str
    vm_size: str | None

    @staticmethod
    def attach(  # type: ignore[override]  # Azure's signature
        workspace: Workspace,
        name: str,
        username: str,
        address: str,
        ssh_port: Any = 22,
        password: str = "",
        private_key_file: str = "",
        private_key_passphrase: str = "",
    ) -> NoReturn:
        """Refuse, as the original does.

        Raises:
            ComputeTargetException: always.
        """
        raise _old_attach("RemoteCompute")

    @staticmethod
    def attach_configuration(
        username: str,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        vm_name: str | None = None,
        resource_id: str | None = None,
        address: str | None = None,
        ssh_port: Any = 22,
        password: str = "",
        private_key_file: str = "",
        private_key_passphrase: str = "",
    ) -> RemoteComputeAttachConfiguration:
        """Describe it for `ComputeTarget.attach`, by its address, its resource id, or its group and name.

        Raises:
            ComputeTargetException: none of them is whole.
        """
        configuration = RemoteComputeAttachConfiguration(
            username,
            subscription_id,
            resource_group,
            vm_name,
            resource_id,
            address,
            ssh_port,
            password,
            private_key_file,
            private_key_passphrase,
        )
        configuration.validate_configuration()
        return configuration

    def get_credentials(self) -> NoReturn:
        """Refuse: no password or key is kept."""
        raise refusal("azureml.core.compute.remote.RemoteCompute.get_credentials")


class RemoteComputeAttachConfiguration(ComputeTargetAttachConfiguration):
    """What is attached; the arguments are attributes. The password and the key's passphrase are not kept."""

    _makes = "RemoteCompute"

    def __init__(
        self,
        username: str,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        vm_name: str | None = None,
        resource_id: str | None = None,
        address: str | None = None,
        ssh_port: Any = 22,
        password: str = "",
        private_key_file: str = "",
        private_key_passphrase: str = "",
    ) -> None:
        super().__init__(RemoteCompute)
        self.username = username
        self.subscription_id = subscription_id
        self.resource_group = resource_group
        self.vm_name = vm_name
        self.resource_id = resource_id
        self.address = address
        self.ssh_port = ssh_port
        self.password = password
        self.private_key_file = private_key_file
        self.private_key_passphrase = private_key_passphrase

    def validate_configuration(self) -> None:
        """Refuse what names nothing.

        Raises:
            ComputeTargetException: there is no user name, or neither an address, a resource id, nor a group and name.
        """
        is_named = self.address or self.resource_id or (self.resource_group and self.vm_name)
        if not (self.username and is_named):
            raise ComputeTargetException("Give username, and address, resource_id, or resource_group and vm_name.")

    def _target(self) -> dict[str, Any]:
        return {"cluster_resource_id": self.resource_id, "address": self.address, "ssh_port": self.ssh_port}


__getattr__, __dir__ = module_attributes(__name__)
