"""`azureml.data.tabular_dataset`: a dataset of rows and columns."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from azml_compat._data import definitions, expressions
from azml_compat._refused import module_attributes, refusal
from azml_compat.data.abstract_dataset import AbstractDataset, _failed
from azml_compat.exceptions import DatasetTimestampMissingError, UserErrorException

if TYPE_CHECKING:
    from azml_compat.data.file_dataset import FileDataset

_REFUSED = "azureml.data.tabular_dataset.TabularDataset."


class TabularDataset(AbstractDataset):
    """Rows and columns in files, read into a pandas DataFrame when they are asked for."""

    # -- rows and columns ---------------------------------------------------------------------------------------

    def take(self, count: int) -> TabularDataset:
        """Return the first rows.

        Raises:
            ValueError: `count` is negative or no int.
        """
        return self._but(definitions.with_step(self._definition, "take", count=definitions.count_of(count)))

    def skip(self, count: int) -> TabularDataset:
        """Return all but the first rows.

        Raises:
            ValueError: `count` is negative or no int.
        """
        return self._but(definitions.with_step(self._definition, "skip", count=definitions.count_of(count)))

    def take_sample(self, probability: float, seed: int | None = None) -> TabularDataset:
        """Return a random part of the rows: each with this probability.

        Raises:
            ValueError: `probability` is not between 0 and 1.
        """
        return self._but(definitions.with_draw(self._definition, probability, seed)[0])

    def random_split(self, percentage: float, seed: int | None = None) -> tuple[TabularDataset, TabularDataset]:
        """Return two parts, of which the first has each row with the probability `percentage` (0 to 1).

        The order is kept; one seed always gives the same parts.

        Raises:
            ValueError: `percentage` is not between 0 and 1.
        """
        first, second = definitions.with_draw(self._definition, percentage, seed)
        return self._but(first), self._but(second)

    def keep_columns(self, columns: Any, validate: bool = False) -> TabularDataset:
        """Return some of the columns, in the order of the data.

        Args:
            columns: A name or a list of names; those that are not there mean nothing.
            validate: Whether to look if there is a row.
        """
        names = _names(columns)
        kept = definitions.with_step(self._definition, "keep", columns=names)
        return self._but(definitions.without_roles(kept, names, keeping=True))._checked(validate)

    def drop_columns(self, columns: Any) -> TabularDataset:
        """Return all but some of the columns: a name or a list of names."""
        names = _names(columns)
        kept = definitions.with_step(self._definition, "drop", columns=names)
        return self._but(definitions.without_roles(kept, names, keeping=False))

    def filter(self, expression: Any) -> TabularDataset:
        """Return the rows for which a condition holds: `ds.filter((ds["a"] > 3) & (ds["b"] == "x"))`.

        Raises:
            UserErrorException: it is no condition.
        """
        found = expressions.condition(expression)
        print("Filter is an experimental method of the Azure ML SDK.")
        return self._but(definitions.with_step(self._definition, "filter", condition=found))

    def _checked(self, validate: bool) -> TabularDataset:
        if validate:
            try:
                definitions.check(self._definition, self._open)
            except UserErrorException as error:
                raise _failed(error) from error
        return self

    # -- time -----------------------------------------------------------------------------------------------------

    @property
    def timestamp_columns(self) -> tuple[str | None, str | None]:
        """The column of time and the one of the time in the path, as `with_timestamp_columns` said."""
        return self._definition["timestamp"], self._definition["partition_timestamp"]

    def with_timestamp_columns(
        self,
        timestamp: str | None = None,
        partition_timestamp: str | None = None,
        validate: bool = False,
        **kwargs: Any,
    ) -> TabularDataset:
        """Say which columns are times; the first becomes the index of the DataFrame.

        Args:
            timestamp: The column of time; both None takes what was said before back.
            partition_timestamp: The column of the time in the path.
            validate: Whether to look if there is a row.
            **kwargs: The old names, `fine_grain_timestamp` and `coarse_grain_timestamp`.

        Raises:
            UserErrorException: only the second is given, or both are one.
        """
        timestamp = kwargs.get("fine_grain_timestamp", timestamp)
        partition_timestamp = kwargs.get("coarse_grain_timestamp", partition_timestamp)
        if partition_timestamp is not None and timestamp in (None, partition_timestamp):
            raise UserErrorException("partition_timestamp needs a timestamp beside it, of another column.")
        roles = {"timestamp": timestamp, "partition_timestamp": partition_timestamp}
        return self._but({**self._definition, **roles})._checked(validate)

    def time_before(self, end_time: datetime, include_boundary: bool = True, validate: bool = True) -> TabularDataset:
        """Return the rows until a time.

        Raises:
            DatasetTimestampMissingError: there is no column of time, see `with_timestamp_columns`.
        """
        return self._between(None, end_time, include_boundary)

    def time_after(self, start_time: datetime, include_boundary: bool = True, validate: bool = True) -> TabularDataset:
        """Return the rows from a time on.

        Raises:
            DatasetTimestampMissingError: as for `time_before`.
        """
        return self._between(start_time, None, include_boundary)

    def time_between(
        self, start_time: datetime, end_time: datetime, include_boundary: bool = True, validate: bool = True
    ) -> TabularDataset:
        """Return the rows between two times.

        Raises:
            DatasetTimestampMissingError: as for `time_before`.
        """
        return self._between(start_time, end_time, include_boundary)

    def time_recent(
        self, time_delta: timedelta, include_boundary: bool = True, validate: bool = True
    ) -> TabularDataset:
        """Return the rows of the last hours, days, …, counted from now.

        Raises:
            DatasetTimestampMissingError: as for `time_before`.
        """
        return self._between(datetime.now(timezone.utc) - time_delta, None, include_boundary)

    def _between(self, start: datetime | None, end: datetime | None, boundary: bool) -> TabularDataset:
        column = self._definition["timestamp"] or self._definition["partition_timestamp"]
        if column is None:
            raise DatasetTimestampMissingError(
                "The dataset has no timestamp column: say which it is with with_timestamp_columns()."
            )
        facts = {"column": column, "start": _moment(start), "end": _moment(end), "boundary": boundary}
        return self._but(definitions.with_step(self._definition, "between", **facts))

    # -- reading --------------------------------------------------------------------------------------------------

    def to_pandas_dataframe(self, on_error: str = "null", out_of_range_datetime: str = "null") -> Any:
        """Read it into a pandas DataFrame.

        Args:
            on_error: What becomes of a cell that `set_column_types` cannot convert: `null`, or `fail`.
            out_of_range_datetime: What becomes of a time that nanoseconds cannot hold: always null.

        Raises:
            DatasetExecutionError: the data cannot be read; a UserErrorException.
        """
        for name, value in (("on_error", on_error), ("out_of_range_datetime", out_of_range_datetime)):
            if value not in ("null", "fail"):
                raise UserErrorException(f"{name} is 'null' or 'fail', not {value!r}.")
        try:
            return definitions.frame(self._definition, self._open, on_error)
        except UserErrorException as error:
            raise _failed(error) from error

    def to_csv_files(self, separator: str = ",") -> FileDataset:
        """Return a dataset of one file, `part-0.csv`, that holds the rows."""
        return self._as_file("csv", separator)

    def to_parquet_files(self) -> FileDataset:
        """Return a dataset of one file, `part-0.parquet`, that holds the rows."""
        return self._as_file("parquet")

    def _as_file(self, file_format: str, separator: str = ",") -> FileDataset:
        from azml_compat.data.file_dataset import FileDataset  # here: most scripts have no use for it

        return FileDataset._of(definitions.table_file(self._definition, file_format, separator), self._workspace)

    # -- what is not there ----------------------------------------------------------------------------------------

    def to_spark_dataframe(self) -> Any:
        """Refuse: there is no Spark."""
        raise refusal(f"{_REFUSED}to_spark_dataframe")

    def to_dask_dataframe(
        self,
        sample_size: int = 10000,
        dtypes: Any = None,
        on_error: str = "null",
        out_of_range_datetime: str = "null",
    ) -> Any:
        """Refuse: there is no Dask."""
        raise refusal(f"{_REFUSED}to_dask_dataframe")

    def partition_by(
        self,
        partition_keys: Any,
        target: Any,
        name: str | None = None,
        show_progress: bool = True,
        partition_as_file_dataset: bool = False,
    ) -> Any:
        """Refuse: pandas does it as well."""
        raise refusal(f"{_REFUSED}partition_by")

    def download(
        self, stream_column: str, target_path: Any = None, overwrite: bool = False, ignore_not_found: bool = True
    ) -> Any:
        """Refuse: columns hold no references to files."""
        raise refusal(f"{_REFUSED}download")

    def mount(self, stream_column: str, mount_point: Any = None) -> Any:
        """Refuse: columns hold no references to files."""
        raise refusal(f"{_REFUSED}mount")

    def submit_profile_run(self, compute_target: Any, experiment: Any, cache_datastore_name: Any = None) -> Any:
        """Refuse: profiles are made by a service of Azure's."""
        raise refusal(f"{_REFUSED}submit_profile_run")

    def get_profile(self, workspace: Any = None) -> Any:
        """Refuse: profiles are made by a service of Azure's."""
        raise refusal(f"{_REFUSED}get_profile")

    def get_profile_runs(self, workspace: Any = None) -> Any:
        """Refuse: profiles are made by a service of Azure's."""
        raise refusal(f"{_REFUSED}get_profile_runs")


def _names(columns: Any) -> list[str]:
    names = [columns] if isinstance(columns, str) else list(columns)
    if not all(isinstance(name, str) for name in names):
        raise UserErrorException(f"Columns are named by a str or a list of str, not {columns!r}.")
    return names


def _moment(time: datetime | None) -> str | None:
    """Return a time as text, as columns hold them: without a zone, and in whole seconds."""
    if time is None:
        return None
    if time.tzinfo is not None:
        time = time.astimezone(timezone.utc).replace(tzinfo=None)
    return time.replace(microsecond=0).isoformat()


__getattr__, __dir__ = module_attributes(__name__)
