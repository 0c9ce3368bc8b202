"""Reading the files of a tabular dataset into a pandas DataFrame. pyarrow reads, on all cores; pandas gets the result.

Delimited files are read as texts, all of them, and `inference` decides what the columns are: so a column is the same
whatever stands in which file.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azml_compat._data import inference
from azml_compat._data.partitions import partitions_of
from azml_compat._data.sources import SourceFile, local_copy
from azml_compat.exceptions import UserErrorException

PATH_COLUMN = "Path"
ENCODINGS = {
    "utf8": "utf-8",
    "iso88591": "latin-1",
    "latin1": "latin-1",
    "ascii": "ascii",
    "utf16": "utf-16",
    "utf32": "utf-32",
    "utf8bom": "utf-8-sig",
    "windows1252": "cp1252",
}
_BLOCK = 1 << 24
_LONGEST_CELL = 1 << 27


class DataError(UserErrorException):
    """The data of a dataset cannot be read."""


@contextmanager
def _on_this_machine() -> Iterator[Callable[[SourceFile], Path]]:
    """Give what finds a file of this machine for a source file; copies are removed at the end."""
    with tempfile.TemporaryDirectory(prefix="azml-") as folder:
        yield lambda file: local_copy(file, Path(folder))


def read(files: Sequence[SourceFile], options: dict[str, Any], *, on_error: str) -> Any:
    """Read files as one DataFrame.

    Args:
        files: The files, in the order of their rows.
        options: How: the `read` of a definition.
        on_error: What becomes of a cell that `set_column_types` cannot convert: `null`, or `fail`.

    Raises:
        DataError: there is no file, or one cannot be read.
    """
    if not files:
        raise DataError("There is no file at the paths of the dataset.")
    readers = {"delimited": _read_delimited, "parquet": _read_parquet, "lines": _read_lines}
    with _on_this_machine() as local:
        try:
            frame, counts = readers[options["format"]]([local(file) for file in files], options)
        except (OSError, ValueError, LookupError, csv.Error) as error:
            raise DataError(f"The files cannot be read: {error}") from error
    frame = _with_types(frame, options["types"] or {}, on_error)
    return _with_paths(frame, files, counts, options)


def _with_types(frame: Any, types: dict[str, Any], on_error: str) -> Any:
    for name, kind in types.items():
        if name in frame.columns:
            frame[name] = inference.convert(frame[name], kind, on_error=on_error)
    return frame


def _with_paths(frame: Any, files: Sequence[SourceFile], counts: Sequence[int], options: dict[str, Any]) -> Any:
    """Add, before the others, the columns that the paths of the files give."""
    import numpy

    added: dict[str, Any] = {}
    if options["include_path"]:
        added[PATH_COLUMN] = [f"/{file.path}" if "://" not in file.path else file.path for file in files]
    if options["partition_format"]:
        partitions = partitions_of(options["partition_format"])
        values = [partitions.values(file.path) for file in files]
        added |= {key: [value[key] for value in values] for key in partitions.keys}
        if partitions.time is not None:
            added[partitions.time[0]] = numpy.array(added[partitions.time[0]], dtype="datetime64[ns]")
    for position, (name, values) in enumerate(added.items()):
        column = values if isinstance(values, numpy.ndarray) else numpy.array(values, dtype=object)
        if name in frame.columns:
            raise DataError(f"The files have a column {name!r} already.")
        frame.insert(position, name, numpy.repeat(column, counts))
    return frame


# -- delimited ----------------------------------------------------------------------------------------------------


def _read_delimited(paths: Sequence[Path], options: dict[str, Any]) -> tuple[Any, list[int]]:
    """Read delimited files: (DataFrame, number of rows of each file)."""
    import pandas
    import pyarrow

    header = options["header"]
    names: list[str | None] = []
    tables: list[Any] = []
    for number, path in enumerate(paths):
        table = _texts_of(path, options)
        has_header = header in ("same", "combine") or (header == "first" and number == 0)
        if table is None:
            tables.append(None)
            continue
        titles = [column[0].as_py() for column in table.columns] if has_header else []
        if has_header:
            table = table.slice(1)
        if header == "combine":
            table = table.rename_columns(column_names(titles, table.num_columns))
        elif not names:
            names = titles
        tables.append(table)
    counts = [0 if table is None else table.num_rows for table in tables]
    kept = [table for table in tables if table is not None]
    if header == "combine":
        merged = pyarrow.concat_tables(kept, promote_options="default") if kept else None
    else:
        width = max((table.num_columns for table in kept), default=0)
        titles = column_names(names, width)
        merged = pyarrow.concat_tables([_widened(table, titles) for table in kept]) if kept else None
    if merged is None:
        raise DataError("The files are empty.")
    columns = {}
    overridden = options["types"] or {}
    for number, name in enumerate(merged.column_names):
        texts = merged.column(number)
        if options["infer_column_types"] and name not in overridden:
            columns[name] = inference.infer(texts, name)
        else:
            columns[name] = inference.as_text(texts)
        if options["empty_as_string"] and columns[name].dtype == object:
            columns[name] = columns[name].where(columns[name].notna(), "")
        merged = merged.set_column(number, name, pyarrow.nulls(merged.num_rows))  # its texts are not needed any more
    return pandas.DataFrame(columns, columns=list(columns), index=pandas.RangeIndex(merged.num_rows)), counts


def _widened(table: Any, names: list[str]) -> Any:
    """Return a table with these names, and as many columns: missing ones are null."""
    import pyarrow

    missing = [pyarrow.nulls(table.num_rows, pyarrow.string()) for _ in names[table.num_columns :]]
    return pyarrow.table([*table.columns, *missing], names=names)


def column_names(titles: Sequence[str | None], width: int) -> list[str]:
    """Name columns: blank ones `ColumnN` by position, repeated ones with `_1` and so on."""
    names: list[str] = []
    for position in range(width):
        title = titles[position] if position < len(titles) else None
        base = title if title not in (None, "") else f"Column{position + 1}"
        name, number = str(base), 0
        while name in names:
            number += 1
            name = f"{base}_{number}"
        names.append(name)
    return names


def first_rows(path: Path, options: dict[str, Any], count: int) -> list[list[str]]:
    """Return the first rows of a delimited file that are not empty lines."""
    found: list[list[str]] = []
    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding=_encoding(path, options), newline="") as file:
        for row in csv.reader(file, delimiter=options["separator"]):
            if row:
                found.append(row)
            if len(found) == count:
                break
    return found


def _encoding(path: Path, options: dict[str, Any]) -> str:
    """Return Python's name of the encoding; a byte order mark of UTF-8 is none of the text."""
    encoding = str(options["encoding"])
    if encoding == "utf-8":
        with path.open("rb") as file:
            if file.read(3) == b"\xef\xbb\xbf":
                return "utf-8-sig"
    return encoding


def _texts_of(path: Path, options: dict[str, Any]) -> Any:
    """Read a delimited file as a pyarrow table of texts, the header among its rows; None for an empty one."""
    import pyarrow
    import pyarrow.csv

    head = first_rows(path, options, 1)
    if not head:
        return None
    width = len(head[0])
    encoding = _encoding(path, options)
    try:
        return pyarrow.csv.read_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(
                autogenerate_column_names=True,
                block_size=_BLOCK,
                encoding="utf-8" if encoding == "utf-8-sig" else encoding,
            ),
            parse_options=pyarrow.csv.ParseOptions(delimiter=options["separator"], newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={f"f{number}": pyarrow.string() for number in range(width)},
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except (pyarrow.ArrowInvalid, TypeError) as error:
        if (
            isinstance(error, pyarrow.ArrowInvalid)
            and "columns, got" not in str(error)
            and "straddling" not in str(error)
        ):
            raise
    # Rows of different lengths, or a separator of several characters: slower, and rows are padded.
    return _uneven_texts_of(path, options)


def _uneven_texts_of(path: Path, options: dict[str, Any]) -> Any:
    import pyarrow

    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding=_encoding(path, options), newline="") as file:
        rows = [row for row in csv.reader(file, delimiter=options["separator"]) if row]
    width = max(map(len, rows))
    columns = [
        pyarrow.chunked_array(
            [pyarrow.array([row[number] or None if number < len(row) else None for row in rows], pyarrow.string())]
        )
        for number in range(width)
    ]
    return pyarrow.table(columns, names=[f"f{number}" for number in range(width)])


# -- parquet and JSON lines ---------------------------------------------------------------------------------------


def _read_parquet(paths: Sequence[Path], _options: dict[str, Any]) -> tuple[Any, list[int]]:
    import pyarrow.parquet

    tables = [pyarrow.parquet.ParquetFile(path).read() for path in paths]
    return _joined(tables), [table.num_rows for table in tables]


def _read_lines(paths: Sequence[Path], options: dict[str, Any]) -> tuple[Any, list[int]]:
    """Read files of one JSON object a line."""
    import pyarrow
    import pyarrow.json

    tables = []
    for path in paths:
        text = path.read_text(encoding=_encoding(path, options))
        if options["invalid_lines"] == "drop":
            text = "\n".join(line for line in text.splitlines() if _is_object(line))
        if not text.strip():
            tables.append(pyarrow.table({}))
            continue
        tables.append(
            pyarrow.json.read_json(io.BytesIO(text.encode()), read_options=pyarrow.json.ReadOptions(block_size=_BLOCK))
        )
    return _joined(tables), [table.num_rows for table in tables]


def _is_object(line: str) -> bool:
    import json

    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _joined(tables: Sequence[Any]) -> Any:
    """Join tables by the names of their columns, as a DataFrame: texts as str or None, times without a zone."""
    import pandas
    import pyarrow

    merged = pyarrow.concat_tables(tables, promote_options="permissive").replace_schema_metadata(None)
    columns: dict[str, Any] = {}
    for number, name in enumerate(merged.column_names):
        column = merged.column(number)
        if pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type):
            columns[name] = pandas.Series(column.to_numpy(), dtype=object)
        elif pyarrow.types.is_timestamp(column.type):
            columns[name] = inference.without_zone(column.to_pandas())
        else:
            columns[name] = column.to_pandas()
    return pandas.DataFrame(columns, columns=list(columns), index=pandas.RangeIndex(merged.num_rows))


# -- one row ------------------------------------------------------------------------------------------------------


def check(files: Sequence[SourceFile], options: dict[str, Any]) -> None:
    """Look whether the first file can be read and has a row, without reading all of it.

    Raises:
        DataError: it has none, or cannot be read.
    """
    if not files:
        raise DataError("There is no file at the paths of the dataset.")
    with _on_this_machine() as local:
        path = local(files[0])
        try:
            has_row = _CHECKS[options["format"]](path, options)
        except (OSError, ValueError, LookupError, csv.Error) as error:
            raise DataError(f"{files[0].name} cannot be read: {error}") from error
    if not has_row:
        raise DataError(f"{files[0].name} holds no data.")


def _has_delimited_row(path: Path, options: dict[str, Any]) -> bool:
    needed = 1 if options["header"] == "none" else 2
    return len(first_rows(path, options, needed)) == needed


def _has_parquet_row(path: Path, _options: dict[str, Any]) -> bool:
    import pyarrow.parquet

    return int(pyarrow.parquet.ParquetFile(path).metadata.num_rows) > 0


def _has_line(path: Path, options: dict[str, Any]) -> bool:
    with path.open(encoding=_encoding(path, options)) as file:
        return any(_is_object(line) for line in file)


_CHECKS: dict[str, Callable[[Path, dict[str, Any]], bool]] = {
    "delimited": _has_delimited_row,
    "parquet": _has_parquet_row,
    "lines": _has_line,
}
