"""`azureml.core.dataset`: `Dataset`, which makes and finds datasets. They are of the classes in azureml.data.

Its other members are of the API before 1.0.69, which read data with a package of Azure's: they refuse.
"""

from __future__ import annotations

from typing import Any, NoReturn

from azml_compat._refused import module_attributes, refusal
from azml_compat.data.abstract_dataset import AbstractDataset
from azml_compat.data.dataset_factory import FileDatasetFactory, TabularDatasetFactory
from azml_compat.data.dataset_type_definitions import (
    FileEncoding,
    HistogramCompareMethod,
    PromoteHeadersBehavior,
    SkipLinesBehavior,
)

_PATH = "azureml.core.dataset.Dataset."


class Dataset:
    """Makes datasets (`Dataset.Tabular`, `Dataset.File`) and finds registered ones; never one itself."""

    Tabular = TabularDatasetFactory
    File = FileDatasetFactory

    class Scenario:
        """What a dataset is used for."""

        TRAINING = "training"
        VALIDATION = "validation"
        INFERENCING = "inferencing"

    get_by_name = AbstractDataset.get_by_name
    get_by_id = AbstractDataset.get_by_id
    get_all = AbstractDataset.get_all

    def __init__(self, definition: Any, workspace: Any = None, name: str | None = None, id: str | None = None) -> None:
        raise refusal(f"{_PATH}__init__")

    def __getitem__(self, key: Any) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}__getitem__")

    def __repr__(self) -> str:
        return object.__repr__(self)

    def __str__(self) -> str:
        return object.__repr__(self)

    def archive(self) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}archive")

    @staticmethod
    def auto_read_files(path: Any, include_path: Any = False, partition_format: Any = None) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}auto_read_files")

    def compare_profiles(
        self,
        rhs_dataset: Any,
        profile_arguments: Any = {},
        include_columns: Any = None,
        exclude_columns: Any = None,
        histogram_compare_method: Any = HistogramCompareMethod.WASSERSTEIN,
    ) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}compare_profiles")

    def create_snapshot(
        self,
        snapshot_name: Any,
        compute_target: Any = None,
        create_data_snapshot: Any = False,
        target_datastore: Any = None,
    ) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}create_snapshot")

    @property
    def definition(self) -> Any:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}definition")

    @property
    def definition_version(self) -> Any:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}definition_version")

    def delete_snapshot(self, snapshot_name: Any) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}delete_snapshot")

    def deprecate(self, deprecate_by_dataset_id: Any) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}deprecate")

    @property
    def description(self) -> Any:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}description")

    def diff(self, rhs_dataset: Any, compute_target: Any = None, columns: Any = None) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}diff")

    @staticmethod
    def from_binary_files(path: Any) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}from_binary_files")

    @staticmethod
    def from_delimited_files(
        path: Any,
        separator: Any = ",",
        header: Any = PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS,
        encoding: Any = FileEncoding.UTF8,
        quoting: Any = False,
        infer_column_types: Any = True,
        skip_rows: Any = 0,
        skip_mode: Any = SkipLinesBehavior.NO_ROWS,
        comment: Any = None,
        include_path: Any = False,
        archive_options: Any = None,
        partition_format: Any = None,
    ) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}from_delimited_files")

    @staticmethod
    def from_excel_files(
        path: Any,
        sheet_name: Any = None,
        use_column_headers: Any = False,
        skip_rows: Any = 0,
        include_path: Any = False,
        infer_column_types: Any = True,
        partition_format: Any = None,
    ) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}from_excel_files")

    @staticmethod
    def from_json_files(
        path: Any,
        encoding: Any = FileEncoding.UTF8,
        flatten_nested_arrays: Any = False,
        include_path: Any = False,
        partition_format: Any = None,
    ) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}from_json_files")

    @staticmethod
    def from_pandas_dataframe(dataframe: Any, path: Any = None, in_memory: Any = False) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}from_pandas_dataframe")

    @staticmethod
    def from_parquet_files(path: Any, include_path: Any = False, partition_format: Any = None) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}from_parquet_files")

    @staticmethod
    def from_sql_query(data_source: Any, query: Any) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}from_sql_query")

    def generate_profile(self, compute_target: Any = None, workspace: Any = None, arguments: Any = None) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}generate_profile")

    @staticmethod
    def get(workspace: Any, name: Any = None, id: Any = None) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}get")

    def get_all_snapshots(self) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}get_all_snapshots")

    def get_definition(self, version_id: Any = None) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}get_definition")

    def get_definitions(self) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}get_definitions")

    def get_profile(
        self,
        arguments: Any = None,
        generate_if_not_exist: Any = True,
        workspace: Any = None,
        compute_target: Any = None,
    ) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}get_profile")

    def get_snapshot(self, snapshot_name: Any) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}get_snapshot")

    def head(self, count: Any) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}head")

    @property
    def id(self) -> Any:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}id")

    @property
    def is_visible(self) -> Any:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}is_visible")

    @staticmethod
    def list(workspace: Any) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}list")

    @property
    def name(self) -> Any:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}name")

    def reactivate(self) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}reactivate")

    def register(
        self,
        workspace: Any,
        name: Any,
        description: Any = None,
        tags: Any = None,
        visible: Any = True,
        exist_ok: Any = False,
        update_if_exist: Any = False,
    ) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}register")

    def sample(self, sample_strategy: Any, arguments: Any) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}sample")

    @property
    def state(self) -> Any:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}state")

    @property
    def tags(self) -> Any:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}tags")

    def to_pandas_dataframe(self) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}to_pandas_dataframe")

    def to_spark_dataframe(self) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}to_spark_dataframe")

    def update(self, name: Any = None, description: Any = None, tags: Any = None, visible: Any = None) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}update")

    def update_definition(self, definition: Any, definition_update_message: Any) -> NoReturn:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}update_definition")

    @property
    def workspace(self) -> Any:
        """Refuse: it is of the API before 1.0.69."""
        raise refusal(f"{_PATH}workspace")


__getattr__, __dir__ = module_attributes(__name__)
