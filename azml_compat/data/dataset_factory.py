"""`azureml.data.dataset_factory`: `Dataset.Tabular`, `Dataset.File`, and `DataType`."""

from __future__ import annotations

import fnmatch
import os
import re
import uuid
from typing import TYPE_CHECKING, Any

from azml_compat._refused import module_attributes, refusal
from azml_compat.data.dataset_type_definitions import PromoteHeadersBehavior
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from azml_compat.data.file_dataset import FileDataset
    from azml_compat.data.tabular_dataset import TabularDataset

_HEADERS = {
    PromoteHeadersBehavior.NO_HEADERS: "none",
    PromoteHeadersBehavior.ONLY_FIRST_FILE_HAS_HEADERS: "first",
    PromoteHeadersBehavior.COMBINE_ALL_FILES_HEADERS: "combine",
    PromoteHeadersBehavior.ALL_FILES_HAVE_SAME_HEADERS: "same",
}


class DataType:
    """What a column is to be, for `set_column_types`."""

    def __init__(self) -> None:
        self._kind: dict[str, Any] = {"type": "string"}

    @staticmethod
    def _of(kind: str, **facts: Any) -> DataType:
        made = DataType()
        made._kind = {"type": kind, **facts}
        return made

    @staticmethod
    def to_string() -> DataType:
        """Make it texts."""
        return DataType._of("string")

    @staticmethod
    def to_long() -> DataType:
        """Make it whole numbers."""
        return DataType._of("long")

    @staticmethod
    def to_float(decimal_mark: str = ".") -> DataType:
        """Make it numbers.

        Args:
            decimal_mark: `.` or `,`; with `,` dots are taken to group digits.
        """
        return DataType._of("float", decimal_mark=decimal_mark)

    @staticmethod
    def to_bool() -> DataType:
        """Make it truth values."""
        return DataType._of("bool")

    @staticmethod
    def to_datetime(formats: Any = None) -> DataType:
        """Make it times.

        Args:
            formats: One or several strftime formats, the first that fits counts; by default ISO 8601.
        """
        given = [formats] if isinstance(formats, str) else list(formats or ())
        return DataType._of("datetime", formats=given)

    @staticmethod
    def to_stream(workspace: Any, escaped: bool = False) -> DataType:
        """Make it references to files; here they stay texts."""
        return DataType._of("stream")


class FileDatasetFactory:
    """`Dataset.File`: datasets of files."""

    @staticmethod
    def from_files(
        path: Any, validate: bool = True, partition_format: str | None = None, is_file: bool = False
    ) -> FileDataset:
        """Make a dataset of the files at a path.

        Args:
            path: A URL or local path, (datastore, path), a DataPath, a DataReference, or a list of either kind; paths
                may have `*` and `**`.
            validate: No effect: as in the original, a missing file is found when the data is asked for.
            partition_format: Gives columns from the paths: `/{state}/{when:yyyy/MM}/data.csv`.
            is_file: No effect.

        Raises:
            UserErrorException: the path is none, or leads out of the datastore; or the format is not valid.
        """
        from azml_compat._data import definitions, sources
        from azml_compat.data.file_dataset import FileDataset

        items, workspace = sources.parse(path)
        _check_partitions(partition_format)
        return FileDataset._of(definitions.files(items, partition_format), workspace)

    @staticmethod
    def upload_directory(
        src_dir: Any, target: Any, pattern: str | None = None, overwrite: bool = False, show_progress: bool = True
    ) -> FileDataset:
        """Upload a folder, and return a dataset of where it is.

        Args:
            src_dir: The folder.
            target: A datastore, (datastore, path), or a DataPath.
            pattern: Which files: a glob that their relative paths match; by default all.
            overwrite: Whether files that are there are replaced; else they are skipped.
            show_progress: Whether to print a line for each file.

        Raises:
            UserErrorException: `src_dir` is no folder, or the target is none.
        """
        from azml_compat._data import transfer

        datastore, folder = _target(target, UserErrorException)
        top = os.fspath(src_dir)
        if pattern is None:
            datastore.upload(top, folder, overwrite, show_progress)
        else:
            chosen = [
                path for path, name in transfer.files_below(top) if fnmatch.fnmatchcase(name, pattern.lstrip("./"))
            ]
            datastore.upload_files(chosen, top, folder, overwrite, show_progress)
        return FileDatasetFactory.from_files((datastore, folder))


class TabularDatasetFactory:
    """`Dataset.Tabular`: datasets of rows and columns."""

    @staticmethod
    def from_delimited_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        infer_column_types: bool = True,
        set_column_types: dict[str, DataType] | None = None,
        separator: str = ",",
        header: Any = True,
        partition_format: str | None = None,
        support_multi_line: bool = False,
        empty_as_string: bool = False,
        encoding: str = "utf8",
    ) -> TabularDataset:
        """Make a dataset of delimited files (CSV and the like).

        Differs from Azure: an embedded newline never splits a row, with `support_multi_line` or without.

        Args:
            path: See `Dataset.File.from_files`.
            validate: Whether to look if there is a row.
            include_path: Whether to add a column `Path`.
            infer_column_types: Whether to find out what columns are; else they are texts.
            set_column_types: {column: DataType}.
            separator: What is between cells.
            header: Whether files begin with names of columns: True, False, a PromoteHeadersBehavior or its name.
            partition_format: See `Dataset.File.from_files`.
            support_multi_line: No effect.
            empty_as_string: Whether a blank text is `''`, and not None.
            encoding: `utf8`, `iso88591`, `latin1`, `ascii`, `utf16`, `utf32`, `utf8bom` or `windows1252`.

        Raises:
            DatasetValidationError: there is no row.
            UserErrorException: an argument is refused.
        """
        return _tabular(
            path,
            validate=validate,
            format="delimited",
            include_path=include_path,
            infer_column_types=infer_column_types,
            types=_types(set_column_types),
            separator=separator,
            header=_header(header),
            partition_format=partition_format,
            empty_as_string=empty_as_string,
            encoding=_encoding(encoding),
        )

    @staticmethod
    def from_parquet_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        set_column_types: dict[str, DataType] | None = None,
        partition_format: str | None = None,
    ) -> TabularDataset:
        """Make a dataset of parquet files; for the arguments see `from_delimited_files`."""
        return _tabular(
            path,
            validate=validate,
            format="parquet",
            include_path=include_path,
            types=_types(set_column_types),
            partition_format=partition_format,
        )

    @staticmethod
    def from_json_lines_files(
        path: Any,
        validate: bool = True,
        include_path: bool = False,
        set_column_types: dict[str, DataType] | None = None,
        partition_format: str | None = None,
        invalid_lines: str = "error",
        encoding: str = "utf8",
    ) -> TabularDataset:
        """Make a dataset of files of one JSON object a line; for other arguments see `from_delimited_files`.

        Args:
            path: See `Dataset.File.from_files`.
            validate: Whether to look if there is a row.
            include_path: Whether to add a column `Path`.
            set_column_types: {column: DataType}.
            partition_format: See `Dataset.File.from_files`.
            invalid_lines: What becomes of a line that is no object: `error` or `drop`.
            encoding: See `from_delimited_files`.
        """
        if invalid_lines not in ("error", "drop"):
            raise UserErrorException(f"invalid_lines is 'error' or 'drop', not {invalid_lines!r}.")
        return _tabular(
            path,
            validate=validate,
            format="lines",
            include_path=include_path,
            types=_types(set_column_types),
            partition_format=partition_format,
            invalid_lines=invalid_lines,
            encoding=_encoding(encoding),
        )

    @staticmethod
    def from_sql_query(
        query: Any, validate: bool = True, set_column_types: dict[str, DataType] | None = None, query_timeout: int = 30
    ) -> TabularDataset:
        """Refuse: no database of Azure's is opened."""
        raise refusal("azureml.data.dataset_factory.TabularDatasetFactory.from_sql_query")

    @staticmethod
    def register_pandas_dataframe(
        dataframe: Any,
        target: Any,
        name: str,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        show_progress: bool = True,
        row_group_size: int | None = None,
        make_target_path_unique: bool = True,
    ) -> TabularDataset:
        """Store a DataFrame as parquet, and register the dataset of it as a new version.

        Args:
            dataframe: The DataFrame; its index is dropped, dots in names of columns become underscores.
            target: A datastore, (datastore, path), or a DataPath.
            name: The name of the dataset.
            description: A text for people.
            tags: Texts for searching.
            show_progress: Whether to print what is being done.
            row_group_size: The most rows of a group in the file.
            make_target_path_unique: Whether it goes into a new folder below the target.

        Raises:
            ValueError: it is no DataFrame, the name is none, or the target is none.
            UserErrorException: cells hold lists or arrays.
        """
        import pandas

        from azml_compat._data import frames

        say = print if show_progress else _silent
        say("Validating arguments.")
        if not isinstance(dataframe, pandas.DataFrame):
            raise ValueError("The dataframe is not a pandas DataFrame.")
        if not isinstance(name, str):
            raise ValueError("The name of the dataset is not a str.")
        datastore, folder = _target(target, ValueError)
        say("Arguments validated.")
        if folder is None:
            folder = "managed-dataset"
        if make_target_path_unique:
            folder = f"{folder}/{uuid.uuid4()}"
        path = f"{folder}/dataframe.parquet"
        say(f"Uploading file to {folder}")
        frames.store(dataframe, datastore._place(), path, row_group_size)
        say("Successfully uploaded file to datastore.")
        say("Creating and registering a new dataset.")
        made = TabularDatasetFactory.from_parquet_files((datastore, path))
        registered: TabularDataset = made.register(datastore.workspace, name, description, tags, True)
        say("Successfully created and registered a new dataset.")
        return registered

    @staticmethod
    def register_spark_dataframe(
        dataframe: Any,
        target: Any,
        name: str,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        show_progress: bool = True,
    ) -> TabularDataset:
        """Refuse: there is no Spark."""
        raise refusal("azureml.data.dataset_factory.TabularDatasetFactory.register_spark_dataframe")

    @staticmethod
    def register_dask_dataframe(
        dataframe: Any,
        target: Any,
        name: str,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        show_progress: bool = True,
    ) -> TabularDataset:
        """Refuse: there is no Dask."""
        raise refusal("azureml.data.dataset_factory.TabularDatasetFactory.register_dask_dataframe")


def _silent(*_: object) -> None:
    pass


def _tabular(path: Any, *, validate: bool, **read: Any) -> TabularDataset:
    from azml_compat._data import definitions, sources
    from azml_compat.data.dataset_error_handling import DatasetValidationError
    from azml_compat.data.tabular_dataset import TabularDataset

    items, workspace = sources.parse(path)
    _check_partitions(read["partition_format"])
    made = TabularDataset._of(definitions.tabular(items, **read), workspace)
    if validate:
        try:
            definitions.check(made._definition, made._open)
        except UserErrorException as error:
            raise DatasetValidationError(f"Failed to validate the data. {error.message}", error) from error
    return made


def _check_partitions(partition_format: str | None) -> None:
    from azml_compat._data.partitions import partitions_of

    if partition_format is not None:
        partitions_of(partition_format)


def _types(given: Any) -> dict[str, Any] | None:
    if given is None:
        return None
    if not isinstance(given, dict) or not all(isinstance(kind, DataType) for kind in given.values()):
        raise UserErrorException("set_column_types is a dict of names and DataType.to_...().")
    return {str(name): kind._kind for name, kind in given.items()}


def _header(header: Any) -> str:
    if isinstance(header, bool):
        return "same" if header else "none"
    for behaviour, name in _HEADERS.items():
        if header == behaviour or (isinstance(header, str) and header.upper() == behaviour.name):
            return name
    raise UserErrorException(f"header is True, False, or one of {', '.join(one.name for one in _HEADERS)}: {header!r}.")


def _encoding(encoding: Any) -> str:
    from azml_compat._data.reading import ENCODINGS

    found = ENCODINGS.get(re.sub("[-_]", "", str(encoding).lower()))
    if found is None:
        raise UserErrorException(f"The encoding is one of {', '.join(ENCODINGS)}, not {encoding!r}.")
    return found


def _target(target: Any, kind: type[Exception]) -> tuple[Any, str | None]:
    """Return (datastore, path) of where something is to be stored."""
    from azml_compat._data.places import inside
    from azml_compat.data.abstract_datastore import AbstractDatastore
    from azml_compat.data.datapath import DataPath

    datastore, path = target, None
    if isinstance(target, DataPath):
        datastore, path = target._datastore, target.path_on_datastore
    elif isinstance(target, tuple) and len(target) == 2:
        datastore, path = target
    if not isinstance(datastore, AbstractDatastore):
        raise kind("The target type is not supported, give a datastore, (datastore, 'path'), or a DataPath.")
    return datastore, inside(path) or None


__getattr__, __dir__ = module_attributes(__name__)
