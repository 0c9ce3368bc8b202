"""`azureml.core.compute.dsvm`: a data science virtual machine, as records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from azml_compat._refused import module_attributes, refusal
from azml_compat.core.compute.compute import ComputeTarget, ComputeTargetProvisioningConfiguration, _deserialize

if TYPE_CHECKING:
    from azml_compat.core.workspace import Workspace


class DsvmCompute(ComputeTarget):
    """A data science virtual machine that was created before."""

    _type = "VirtualMachine"
    _fields = ("address", "ssh_port", "vm_size")
    _can_be_deleted = True

    address: str | None
    ssh_port: int | None
    vm_size: str

    @staticmethod
    def provisioning_configuration(
        vm_size: str | None = None, ssh_port: int | None = None, location: str | None = None
    ) -> DsvmProvisioningConfiguration:
        """Describe one for `ComputeTarget.create`."""
        return DsvmProvisioningConfiguration(vm_size or "", ssh_port, location)

    @staticmethod
    def deserialize(workspace: Workspace, object_dict: dict[str, Any]) -> Any:
        """Make one of what `serialize` returned: its type is that of a remote machine too."""
        return _deserialize(workspace, object_dict, "DsvmCompute")

    def get_credentials(self) -> NoReturn:
        """Refuse: no password or key is kept."""
        raise refusal("azureml.core.compute.dsvm.DsvmCompute.get_credentials")


class DsvmProvisioningConfiguration(ComputeTargetProvisioningConfiguration):
    """What one is made from; the arguments are attributes."""

    _makes = "DsvmCompute"

    def __init__(self, vm_size: str = "", ssh_port: int | None = None, location: str | None = None) -> None:
        super().__init__(DsvmCompute, location)
        self.vm_size = vm_size
        self.ssh_port = ssh_port

    def _target(self) -> dict[str, Any]:
        return {"vm_size": self.vm_size, "ssh_port": self.ssh_port}


__getattr__, __dir__ = module_attributes(__name__)
