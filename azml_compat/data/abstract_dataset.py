"""`azureml.data.abstract_dataset`: what tabular and file datasets have in common.

What is behind them is imported where it is used: scripts import Dataset far more often than they use it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from azml_compat._refused import module_attributes
from azml_compat.data.dataset_consumption_config import DatasetConsumptionConfig
from azml_compat.data.dataset_error_handling import DatasetExecutionError
from azml_compat.data.dataset_factory import FileDatasetFactory, TabularDatasetFactory
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from datetime import datetime

    from azml_compat._assets import Asset
    from azml_compat._data.definitions import Definition
    from azml_compat._data.places import Place
    from azml_compat._tracking import Store
    from azml_compat.core.workspace import Workspace

_Dataset = TypeVar("_Dataset", bound="AbstractDataset")


class AbstractDataset:
    """Where data lies and how it is read; nothing is read before it is asked for. Never changes: methods return others.

    Made by `Dataset.Tabular`, `Dataset.File` and the methods that look datasets up, not by its constructor.
    """

    Tabular = TabularDatasetFactory
    File = FileDatasetFactory

    _definition: Definition
    _workspace: Workspace | None
    _asset: Asset | None

    def __init__(self) -> None:
        raise UserErrorException("Make a dataset with Dataset.Tabular or Dataset.File, or get it with get_by_name().")

    @classmethod
    def _of(
        cls: type[_Dataset], definition: Definition, workspace: Workspace | None, asset: Asset | None = None
    ) -> _Dataset:
        made = cls.__new__(cls)
        made._definition = definition
        made._workspace = workspace
        made._asset = asset
        return made

    @staticmethod
    def _from_asset(workspace: Workspace, asset: Asset) -> Any:
        """Return the dataset of a record, of its own class."""
        from azml_compat.data.file_dataset import FileDataset  # here: they are derived from this class
        from azml_compat.data.tabular_dataset import TabularDataset

        cls: type[AbstractDataset] = TabularDataset if asset.content["definition"]["kind"] == "tabular" else FileDataset
        return cls._of(asset.content["definition"], workspace, asset)

    def _but(self: _Dataset, definition: Definition) -> _Dataset:
        """Return a dataset that is derived from this one: it is not registered."""
        return type(self)._of(definition, self._workspace)

    @property
    def _store(self) -> Store:
        from azml_compat import _runtime

        return self._workspace.service_context.store if self._workspace is not None else _runtime.store()

    def _open(self, name: str) -> Place:
        """Open the datastore of a name."""
        from azml_compat._data import datastores

        return datastores.place_at(datastores.spec_of(self._store, name))

    # -- finding ------------------------------------------------------------------------------------------------

    @staticmethod
    def get_by_name(workspace: Any, name: str, version: Any = "latest", **kwargs: Any) -> Any:
        """Return a registered dataset.

        Args:
            workspace: The workspace.
            name: Its name.
            version: A number, also as text, or `latest`.
            **kwargs: Ignored.

        Raises:
            UserErrorException: there is none.
        """
        from azml_compat._data import registry

        asset = registry.find(workspace.service_context.store, name, version)
        return AbstractDataset._from_asset(workspace, asset)

    @staticmethod
    def get_by_id(workspace: Any, id: str, **kwargs: Any) -> Any:
        """Return the dataset of an id, registered or only saved.

        Raises:
            UserErrorException: there is none.
        """
        from azml_compat._data import registry

        asset = registry.get(workspace.service_context.store, id)
        if asset is None:
            raise UserErrorException(f"Cannot find dataset with id {id} in the workspace.")
        return AbstractDataset._from_asset(workspace, asset)

    @staticmethod
    def get_all(workspace: Any) -> Mapping[str, Any]:
        """Return {name: dataset} of the registered ones, each in its latest version; fetched when it is asked for."""
        from azml_compat._data import registry

        return registry.Registered(workspace)

    # -- registering --------------------------------------------------------------------------------------------

    def register(
        self,
        workspace: Any,
        name: str,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        create_new_version: bool = False,
    ) -> Any:
        """Register it, and return the registered dataset; this object stays as it is.

        Args:
            workspace: The workspace.
            name: The name.
            description: A text for people.
            tags: Texts for searching.
            create_new_version: Whether the name may be taken: then it is its next version.

        Raises:
            UserErrorException: the name is taken, or another one has the same definition.
        """
        from azml_compat._data import registry

        asset = registry.register(
            *(workspace.service_context.store, name, self._definition, description, tags),
            create_new_version=create_new_version,
        )
        return type(self)._of(self._definition, workspace, asset)

    def update(self, description: str | None = None, tags: dict[str, str] | None = None) -> Any:
        """Replace description and tags, those that are given, and return the dataset as it is then.

        Raises:
            UserErrorException: it is not registered.
        """
        from azml_compat._data import registry

        return self._as(registry.update(self._store, self._registered_id(), description, tags))

    def add_tags(self, tags: dict[str, str] | None = None) -> Any:
        """Add tags, and return the dataset as it is then.

        Raises:
            UserErrorException: it is not registered, or a key has another value already.
        """
        from azml_compat._data import registry

        return self._as(registry.add_tags(self._store, self._registered_id(), tags or {}))

    def remove_tags(self, tags: list[str] | None = None) -> Any:
        """Remove tags by their keys, and return the dataset as it is then.

        Raises:
            UserErrorException: it is not registered.
        """
        from azml_compat._data import registry

        return self._as(registry.remove_tags(self._store, self._registered_id(), list(tags or ())))

    def unregister_all_versions(self) -> None:
        """Remove all versions of its name; the data stays. Does nothing when it is not registered."""
        from azml_compat._data import registry

        if self.name is not None:
            registry.unregister(self._store, self.name)
            self._asset = None

    def _as(self: _Dataset, asset: Asset) -> _Dataset:
        return type(self)._of(self._definition, self._workspace, asset)

    def _registered_id(self) -> str:
        if self.name is None or self._asset is None:
            raise UserErrorException("The dataset is not registered: register it first.")
        return self._asset.id

    # -- what is known of it ------------------------------------------------------------------------------------

    def _known(self, attribute: str) -> Any:
        """Return what the registration says; None for what is not registered."""
        from azml_compat._data import registry

        return getattr(self._asset, attribute) if self._asset is not None and registry.is_named(self._asset) else None

    @property
    def id(self) -> str | None:
        """The GUID of what is saved; None before it is."""
        return self._asset.id if self._asset is not None else None

    @property
    def name(self) -> str | None:
        """The name under which it is registered."""
        found: str | None = self._known("name")
        return found

    @property
    def version(self) -> int | None:
        """The version of its name, from 1."""
        found: int | None = self._known("version")
        return found

    @property
    def description(self) -> str | None:
        """The description."""
        content = self._known("content")
        return content["description"] if content is not None else None

    @property
    def tags(self) -> dict[str, str] | None:
        """The tags."""
        content = self._known("content")
        return dict(content["tags"]) if content is not None else None

    @property
    def partition_keys(self) -> list[str]:
        """The columns that the paths of the files give, those of text before the one of time."""
        from azml_compat._data import definitions

        return definitions.partition_keys(self._definition)

    @property
    def data_changed_time(self) -> datetime | None:
        """When the newest of its files was changed, in UTC; None when nobody knows."""
        from datetime import datetime, timezone

        from azml_compat._data.sources import files_of

        changed = max((file.modified for file in files_of(self._definition["items"], self._open)), default=0.0)
        return datetime.fromtimestamp(changed, timezone.utc) if changed else None

    def get_partition_key_values(self, partition_keys: list[str] | None = None) -> list[dict[str, Any]]:
        """Return the different values of the partition keys: a dict for each combination.

        Args:
            partition_keys: Some of the keys; by default all.

        Raises:
            UserErrorException: there is no such key.
        """
        from azml_compat._data.partitions import partitions_of
        from azml_compat._data.sources import files_of

        layout = self._definition.get("partition_format") or self._definition.get("read", {}).get("partition_format")
        chosen = self.partition_keys if partition_keys is None else partition_keys
        unknown = [key for key in chosen if key not in self.partition_keys]
        if layout is None or unknown:
            raise UserErrorException(f"The dataset has no partition keys {', '.join(unknown)}.")
        found: list[dict[str, Any]] = []
        for file in files_of(self._definition["items"], self._open):
            values = partitions_of(layout).values(file.path)
            row = {key: values[key] for key in chosen}
            if row not in found:
                found.append(row)
        return found

    def as_named_input(self, name: str) -> DatasetConsumptionConfig:
        """Return what hands it to a run under a name: `run.input_datasets[name]`."""
        return DatasetConsumptionConfig(name, self)

    def _own_input(self) -> DatasetConsumptionConfig:
        """Return the input under a name that is made up."""
        import uuid

        name = f"input__{self.id.split('-')[0]}" if self.id is not None else f"input_{uuid.uuid4().hex[:8]}"
        return DatasetConsumptionConfig(name, self)

    def __getitem__(self, key: str) -> Any:
        """Return the expression of a column, for `filter`."""
        from azml_compat._data import expressions

        return expressions.column(key)

    def __str__(self) -> str:
        shown: dict[str, Any] = {"source": self._definition["items"], "definition": self._definition["steps"]}
        if self._asset is not None:
            shown["registration"] = {
                "id": self.id,
                "name": self.name,
                "version": self.version,
                **({"description": self.description} if self.description else {}),
                **({"tags": self.tags} if self.tags else {}),
                "workspace": repr(self._workspace),
            }
        return f"{type(self).__name__}\n{json.dumps(shown, indent=2)}"

    def __repr__(self) -> str:
        return str(self)


def _failed(error: UserErrorException) -> DatasetExecutionError:
    """Make what reading a dataset raises."""
    return DatasetExecutionError(f"Execution failed with error message: {error.message}", error)


__getattr__, __dir__ = module_attributes(__name__)
