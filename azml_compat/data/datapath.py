"""`azureml.data.datapath`: a path in a datastore, apart from how a run gets at it."""

from __future__ import annotations

from typing import Any

from azml_compat._refused import module_attributes
from azml_compat.data.data_reference import DataReference


class DataPath:
    """A path in a datastore.

    Args:
        datastore: The datastore.
        path_on_datastore: The path; None is all of it.
        name: A name, for who makes one of it.

    Raises:
        ValueError: there is no datastore.
    """

    def __init__(self, datastore: Any = None, path_on_datastore: str | None = None, name: str | None = None) -> None:
        if datastore is None:
            raise ValueError("A DataPath needs a datastore.")
        self._datastore = datastore
        self._path_on_datastore = path_on_datastore
        self._name = name

    @staticmethod
    def create_from_data_reference(data_reference: DataReference) -> DataPath:
        """Return the path that a reference is about."""
        return DataPath(data_reference.datastore, data_reference.path_on_datastore, data_reference.data_reference_name)

    @property
    def datastore_name(self) -> str:
        """The name of the datastore."""
        return str(self._datastore.name)

    @property
    def path_on_datastore(self) -> str | None:
        """The path in the datastore."""
        return self._path_on_datastore

    def create_data_reference(
        self, data_reference_name: str | None = None, datapath_compute_binding: DataPathComputeBinding | None = None
    ) -> DataReference:
        """Return a reference to it, of the mode and path that `datapath_compute_binding` has.

        Raises:
            ValueError: `datapath_compute_binding` is missing.
        """
        return DataReference.create(data_reference_name or self._name, self, datapath_compute_binding)


class DataPathComputeBinding:
    """How a run gets at a path in a datastore.

    Args:
        mode: `mount`, `download` or `upload`.
        path_on_compute: Where the run finds it.
        overwrite: Whether what is there is replaced.
    """

    def __init__(self, mode: str = "mount", path_on_compute: str | None = None, overwrite: bool = False) -> None:
        self._mode = mode
        self._path_on_compute = path_on_compute
        self._overwrite = overwrite

    @staticmethod
    def create_from_data_reference(data_reference: DataReference) -> DataPathComputeBinding:
        """Return how a reference gets at its path."""
        return DataPathComputeBinding(data_reference.mode, data_reference.path_on_compute, data_reference.overwrite)

    def create_data_reference(
        self, data_reference_name: str | None = None, datapath: DataPath | None = None
    ) -> DataReference:
        """Return a reference to a DataPath in this way.

        Raises:
            ValueError: `datapath` is missing.
        """
        return DataReference.create(data_reference_name, datapath, self)


__getattr__, __dir__ = module_attributes(__name__)
