"""`azureml.data.output_dataset_config`: folders that a run writes to, and the datasets that become of them."""

from __future__ import annotations

import copy
import uuid
from typing import Any, TypeVar

from azml_compat._refused import module_attributes, refusal
from azml_compat.data.dataset_consumption_config import DatasetConsumptionConfig, _checked_name
from azml_compat.data.dataset_type_definitions import PromoteHeadersBehavior
from azml_compat.exceptions import UserErrorException

_Output = TypeVar("_Output", bound="OutputDatasetConfig")


class RegistrationConfiguration:
    """Under which name an output is registered.

    Args:
        name: The name.
        description: A text for people.
        tags: Texts for searching.
    """

    def __init__(self, name: str, description: str | None, tags: dict[str, str] | None) -> None:
        self.name = name
        self.description = description
        self.tags = tags


class MountOptions:
    """How an output is mounted.

    Args:
        disable_metadata_cache: No effect.
    """

    def __init__(self, disable_metadata_cache: bool = False) -> None:
        self.disable_metadata_cache = disable_metadata_cache


class UploadOptions:
    """How an output is uploaded.

    Args:
        overwrite: Whether files that are there are replaced.
        source_globs: Which files; by default all.
    """

    def __init__(self, overwrite: bool = False, source_globs: Any = None) -> None:
        self.overwrite = overwrite
        self.source_globs = [source_globs] if isinstance(source_globs, str) else source_globs


class OutputDatasetConfig:
    """What all outputs have in common.

    Args:
        mode: `mount`, `upload`, `link` or `hdfs`.
        name: Its name; by default one that is made up.
        **kwargs: Ignored.
    """

    def __init__(self, mode: str, name: str | None = None, **kwargs: Any) -> None:
        self.mode = mode
        self._registration: RegistrationConfiguration | None = None
        self._origin: Any = None
        self.name = name if name is not None else f"output_{uuid.uuid4().hex[:8]}"

    @property
    def name(self) -> str:
        """The name, by which the run finds the folder: `run.output_datasets[name]`."""
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = _checked_name(value)
        self.arg_val = f"DatasetOutputConfig:{value}"

    def register_on_complete(self: _Output, name: str, description: str | None = None, tags: Any = None) -> _Output:
        """Return it, to be registered when the run completes, as a new version of a dataset.

        Raises:
            ValueError: the name is empty.
        """
        if not name:
            raise ValueError("The name of the dataset is empty.")
        return self._but(_registration=RegistrationConfiguration(name, description, tags))

    def as_input(self, name: str | None = None) -> DatasetConsumptionConfig:
        """Return it as an input of a later run; each class of output has its own."""
        raise NotImplementedError

    def _but(self: _Output, **changes: Any) -> _Output:
        made = copy.copy(self)
        vars(made).update(changes)
        return made


class TransformationMixin:
    """Outputs of files that are read as a table."""

    def read_delimited_files(
        self,
        include_path: bool = False,
        separator: str = ",",
        header: Any = PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS,
        partition_format: str | None = None,
        path_glob: str | None = None,
        set_column_types: Any = None,
    ) -> OutputTabularDatasetConfig:
        """Return it as a table of delimited files; for the arguments see `Dataset.Tabular.from_delimited_files`.

        Args:
            include_path: Whether to add a column `Path`.
            separator: What is between cells.
            header: Whether files begin with the names of the columns.
            partition_format: Gives columns from the paths.
            path_glob: Which of the files.
            set_column_types: {column: DataType}.
        """
        from azml_compat.data.dataset_factory import _header, _types  # here: outputs are cheap to import

        read = {
            "format": "delimited",
            "include_path": include_path,
            "separator": separator,
            "header": _header(header),
            "partition_format": partition_format,
            "types": _types(set_column_types),
            "infer_column_types": True,
            "empty_as_string": False,
            "encoding": "utf-8",
        }
        return OutputTabularDatasetConfig(origin=self, read=read, path_glob=path_glob)

    def read_parquet_files(
        self,
        include_path: bool = False,
        partition_format: str | None = None,
        path_glob: str | None = None,
        set_column_types: Any = None,
    ) -> OutputTabularDatasetConfig:
        """Return it as a table of parquet files; for the arguments see `read_delimited_files`."""
        from azml_compat.data.dataset_factory import _types  # as above

        read = {
            "format": "parquet",
            "include_path": include_path,
            "partition_format": partition_format,
            "types": _types(set_column_types),
        }
        return OutputTabularDatasetConfig(origin=self, read=read, path_glob=path_glob)


class OutputFileDatasetConfig(OutputDatasetConfig, TransformationMixin):
    """A folder that a run writes files to; they are in a datastore afterwards.

    Args:
        name: Its name; by default one that is made up.
        destination: (datastore or its name, path); `{run-id}` and `{output-name}` in the path are replaced. By default
            `dataset/{run-id}/{output-name}` in the default datastore.
        source: Where the run writes; by default a folder of its own.
        partition_format: See `Dataset.File.from_files`.

    Raises:
        UserErrorException: the name is refused, or the destination is none.
    """

    def __init__(
        self,
        name: str | None = None,
        destination: Any = None,
        source: str | None = None,
        partition_format: str | None = None,
    ) -> None:
        super().__init__("mount", name)
        if (
            destination is not None
            and not isinstance(destination, tuple)
            and not hasattr(destination, "datastore_type")
        ):
            raise UserErrorException("The destination of an output is (datastore, 'path').")
        self.destination = destination
        self.source = source
        self._partition_format = partition_format
        self._mount_options: MountOptions | None = None
        self._upload_options: UploadOptions | None = None

    def as_mount(self, disable_metadata_cache: bool = False) -> OutputFileDatasetConfig:
        """Return it with mode mount: what is written is in the datastore at once."""
        return self._but(mode="mount", _mount_options=MountOptions(disable_metadata_cache), _upload_options=None)

    def as_upload(self, overwrite: bool = False, source_globs: Any = None) -> OutputFileDatasetConfig:
        """Return it with mode upload: what was written goes to the datastore when the run ends.

        Args:
            overwrite: Whether files that are there are replaced; else they are an error.
            source_globs: Which files; by default all.
        """
        return self._but(mode="upload", _upload_options=UploadOptions(overwrite, source_globs), _mount_options=None)

    def as_input(self, name: str | None = None) -> DatasetConsumptionConfig:
        """Return it as an input of a later run, of mode mount."""
        return DatasetConsumptionConfig(name or f"input_{uuid.uuid4().hex[:8]}", self, "mount")


class OutputTabularDatasetConfig(OutputDatasetConfig):
    """An output that is read as a table; made by `read_delimited_files` and `read_parquet_files`."""

    def __init__(self, **kwargs: Any) -> None:
        origin = kwargs["origin"]
        super().__init__(origin.mode, origin.name)
        self._registration = origin._registration
        self._origin = origin
        self._read = kwargs["read"]
        self._path_glob = kwargs["path_glob"]
        self._steps: list[dict[str, Any]] = []

    def as_mount(self) -> OutputTabularDatasetConfig:
        """Return it with mode mount."""
        return self._but(mode="mount", _origin=self._origin.as_mount())

    def as_upload(self, overwrite: bool = False, source_globs: Any = None) -> OutputTabularDatasetConfig:
        """Return it with mode upload; for the arguments see `OutputFileDatasetConfig`."""
        return self._but(mode="upload", _origin=self._origin.as_upload(overwrite, source_globs))

    def as_input(self, name: str | None = None) -> DatasetConsumptionConfig:
        """Return it as an input of a later run, of mode direct."""
        return DatasetConsumptionConfig(name or f"input_{uuid.uuid4().hex[:8]}", self, "direct")

    def keep_columns(self, columns: Any) -> OutputTabularDatasetConfig:
        """Return some of the columns: a name or a list of names."""
        return self._stepped({"op": "keep", "columns": [columns] if isinstance(columns, str) else list(columns)})

    def drop_columns(self, columns: Any) -> OutputTabularDatasetConfig:
        """Return all but some of the columns: a name or a list of names."""
        return self._stepped({"op": "drop", "columns": [columns] if isinstance(columns, str) else list(columns)})

    def random_split(
        self, percentage: float, seed: int | None = None
    ) -> tuple[OutputTabularDatasetConfig, OutputTabularDatasetConfig]:
        """Return two parts; see `TabularDataset.random_split`."""
        from azml_compat._data.definitions import with_draw  # here: outputs are cheap to import

        parts = with_draw({"steps": []}, percentage, seed)
        first, second = (self._stepped(part["steps"][0]) for part in parts)
        return first, second

    def _stepped(self, step: dict[str, Any]) -> OutputTabularDatasetConfig:
        return self._but(_steps=[*self._steps, step])


class HDFSOutputDatasetConfig(OutputDatasetConfig, TransformationMixin):
    """An output of a cluster of Azure's; submitting it is refused.

    Args:
        name: Its name.
        destination: (datastore, path).
    """

    def __init__(self, name: str | None = None, destination: Any = None) -> None:
        super().__init__("hdfs", name)
        self.destination = destination
        self.source = None

    def as_input(self, name: str | None = None) -> DatasetConsumptionConfig:
        """Refuse: there is no such cluster."""
        raise refusal("azureml.data.output_dataset_config.HDFSOutputDatasetConfig.as_input")


class LinkFileOutputDatasetConfig(OutputDatasetConfig):
    """An output that the run links to a dataset of files; submitting it is refused.

    Args:
        name: Its name.
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__("link", name)

    def as_input(self, name: str | None = None) -> DatasetConsumptionConfig:
        """Return it as an input of a later run, of mode mount."""
        return DatasetConsumptionConfig(name or f"input_{uuid.uuid4().hex[:8]}", self, "mount")


class LinkTabularOutputDatasetConfig(OutputDatasetConfig):
    """An output that the run links to a table; submitting it is refused.

    Args:
        name: Its name.
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__("link", name)

    def as_input(self, name: str | None = None) -> DatasetConsumptionConfig:
        """Return it as an input of a later run, of mode direct."""
        return DatasetConsumptionConfig(name or f"input_{uuid.uuid4().hex[:8]}", self, "direct")


__getattr__, __dir__ = module_attributes(__name__)
