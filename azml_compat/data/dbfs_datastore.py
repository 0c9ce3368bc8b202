"""`azureml.data.dbfs_datastore`: the file system of a Databricks workspace, as a record."""

from __future__ import annotations

from typing import Any

from azml_compat._refused import module_attributes
from azml_compat.data.abstract_datastore import AbstractDatastore


class DBFSDatastore(AbstractDatastore):
    """What is known of a Databricks file system: its name."""

    def __init__(self, workspace: Any, name: str) -> None:
        super().__init__(workspace, name, "DBFS")


__getattr__, __dir__ = module_attributes(__name__)
