"""`azureml.data.abstract_datastore`: what all datastores have."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from azml_compat._refused import module_attributes
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from azml_compat._data.places import Place


class AbstractDatastore:
    """A place for data that a workspace knows by name.

    Args:
        workspace: The workspace.
        name: The name.
        datastore_type: Azure's name of what it is.
    """

    def __init__(self, workspace: Any, name: str, datastore_type: str) -> None:
        self._workspace = workspace
        self._name = name
        self._datastore_type = datastore_type
        self._place: Callable[[], Place] = self._unknown

    def _unknown(self) -> Place:
        """Refuse: it was made by its constructor, which knows of no files."""
        raise UserErrorException(
            f"{self.name} is not a datastore of a workspace. Get it with Datastore.get(), or register it."
        )

    @property
    def name(self) -> str:
        """The name of the datastore."""
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value

    @property
    def workspace(self) -> Any:
        """The workspace that it belongs to."""
        return self._workspace

    @workspace.setter
    def workspace(self, value: Any) -> None:
        self._workspace = value

    @property
    def datastore_type(self) -> str:
        """What it is, in Azure's words: `AzureBlob`."""
        return self._datastore_type

    @datastore_type.setter
    def datastore_type(self, value: str) -> None:
        self._datastore_type = value

    def set_as_default(self) -> None:
        """Make it the default datastore of its workspace."""
        from azml_compat._data import datastores  # here: it imports this module

        datastores.set_default(self.workspace, self.name)

    def unregister(self) -> None:
        """Have the workspace forget it; what lies in it stays.

        Raises:
            UserErrorException: every workspace has it.
        """
        from azml_compat._data import datastores  # as above

        datastores.unregister(self.workspace, self.name)


__getattr__, __dir__ = module_attributes(__name__)
