"""Reading the files of a tabular dataset into a pandas DataFrame. pyarrow reads, on all cores; pandas gets the result.

Delimited files are read as texts, and `inference` decides what the columns are: so a column is the same whatever stands
in which file. Columns that begin with numbers are tried as numbers at once.
"""

from __future__ import annotations

import csv
import io
import mmap
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
_BLOCK = 1 << 22
_LONGEST_CELL = 1 << 27
_WIDE = ("utf-16", "utf-32")
_SAMPLE = 200
"""Rows that are looked at to guess which columns are numbers."""


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
    import pyarrow

    likely = _likely_kinds(paths[0], options)
    if likely and (options["encoding"] in _WIDE or any(map(_may_hold_hexadecimals, paths))):
        likely = {}  # pyarrow takes 0x10 for a number, which it is not here
    try:
        return _read_as(paths, options, likely)
    except pyarrow.ArrowInvalid:
        if not likely:
            raise
    # Further down, something else stands in a column of numbers.
    return _read_as(paths, options, {})


def _likely_kinds(path: Path, options: dict[str, Any]) -> dict[int, Any]:
    """Say which columns are numbers or truth values in the first rows, to read them faster: {position: type}."""
    import pyarrow

    if not options["infer_column_types"] or options["types"] or options["header"] == "combine":
        return {}
    rows, _ = first_rows(path, options, _SAMPLE)
    rows = rows[0 if options["header"] == "none" else 1 :]
    found = {}
    for position, cells in enumerate(zip(*rows, strict=False)):
        texts = pyarrow.chunked_array([pyarrow.array([cell or None for cell in cells], pyarrow.string())])
        if inference.looks_like_truths(texts):
            found[position] = pyarrow.bool_()
            continue
        kind = str(inference.numbers(texts).dtype) if inference.looks_like_numbers(texts) else ""
        if kind in ("int64", "float64"):
            has_ints = kind == "int64" or all(cell == "" or "." not in cell for cell in cells)
            found[position] = pyarrow.int64() if has_ints else pyarrow.float64()
    return found


def _read_as(paths: Sequence[Path], options: dict[str, Any], likely: dict[int, Any]) -> tuple[Any, list[int]]:
    import pyarrow

    header = options["header"]
    names: list[str | None] = []
    tables: list[Any] = []
    for number, path in enumerate(paths):
        has_header = header in ("same", "combine") or (header == "first" and number == 0)
        titles, table = _cells_of(path, options, likely, has_header=has_header)
        if table is not None and header == "combine":
            table = table.rename_columns(column_names(titles, table.num_columns))
        elif not names:
            names = titles
        tables.append(table)
    counts = [0 if table is None else table.num_rows for table in tables]
    kept = [table for table in tables if table is not None]
    if not kept:
        raise DataError("The files are empty.")
    if header == "combine":
        merged = pyarrow.concat_tables(kept, promote_options="default")
    else:
        named = column_names(names, max(table.num_columns for table in kept))
        merged = pyarrow.concat_tables([_widened(table, named, likely) for table in kept])
    has_texts = [pyarrow.types.is_string(kind) for kind in merged.schema.types]
    # All at once, because pyarrow then uses all cores.
    others = merged.select([number for number, is_text in enumerate(has_texts) if not is_text])
    converted = others.to_pandas()
    del others
    columns = {}
    overridden = options["types"] or {}
    for number, name in enumerate(merged.column_names):
        cells = merged.column(number)
        if not has_texts[number]:
            columns[name] = converted[name]
        elif options["infer_column_types"] and name not in overridden:
            columns[name] = inference.infer(cells, name)
        else:
            columns[name] = inference.as_text(cells)
        if options["empty_as_string"] and columns[name].dtype == object:
            columns[name] = columns[name].where(columns[name].notna(), "")
        merged = merged.set_column(number, name, pyarrow.nulls(merged.num_rows))  # its cells are not needed any more
    return _frame(columns, merged.num_rows), counts


def _frame(columns: dict[str, Any], rows: int) -> Any:
    """Make a DataFrame of Series that are numbered from 0, without copying more than what cannot be written to."""
    import numpy
    import pandas

    # pyarrow gives what lies in one piece as it is, and that is not to be changed.
    owned = {
        name: column if numpy.asarray(column.array).flags.writeable else column.copy()
        for name, column in columns.items()
    }
    return pandas.DataFrame(owned, columns=list(columns), index=pandas.RangeIndex(rows), copy=False)


def _holds(path: Path, word: bytes) -> bool:
    """Tell whether a word is in a file; for a single character this takes a thirtieth of the time of reading it."""
    if not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(word) >= 0


def _may_hold_hexadecimals(path: Path) -> bool:
    # The x alone is found twenty times faster than both, and many tables have none.
    return any(_holds(path, x) and _holds(path, b"0" + x) for x in (b"x", b"X"))


def _widened(table: Any, names: list[str], likely: dict[int, Any]) -> Any:
    """Return a table with these names, and as many columns: missing ones are null."""
    import pyarrow

    missing = [
        pyarrow.nulls(table.num_rows, likely.get(position, pyarrow.string()))
        for position in range(table.num_columns, len(names))
    ]
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


def first_rows(path: Path, options: dict[str, Any], count: int) -> tuple[list[list[str]], int]:
    """Return the first rows of a delimited file that are not empty lines, and the lines of the first."""
    found: list[list[str]] = []
    lines = 0
    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding=_encoding(path, options), newline="") as file:
        reader = csv.reader(file, delimiter=options["separator"])
        for row in reader:
            if row:
                found.append(row)
                lines = lines or reader.line_num
            if len(found) == count:
                break
    return found, lines


def _encoding(path: Path, options: dict[str, Any]) -> str:
    """Return Python's name of the encoding; a byte order mark of UTF-8 is none of the text."""
    encoding = str(options["encoding"])
    if encoding == "utf-8":
        with path.open("rb") as file:
            if file.read(3) == b"\xef\xbb\xbf":
                return "utf-8-sig"
    return encoding


def _cells_of(
    path: Path, options: dict[str, Any], likely: dict[int, Any], *, has_header: bool
) -> tuple[list[str | None], Any]:
    """Read a delimited file: (names of its columns, pyarrow table of texts and likely numbers); None for an empty file.

    Raises:
        pyarrow.ArrowInvalid: a likely number is none.
    """
    import pyarrow
    import pyarrow.csv

    head, lines = first_rows(path, options, 1)
    if not head:
        return [], None
    titles: list[str | None] = list(head[0]) if has_header else []
    encoding = _encoding(path, options)
    try:
        table = pyarrow.csv.read_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(
                column_names=[f"f{number}" for number in range(len(head[0]))],
                skip_rows=lines if has_header else 0,
                block_size=_BLOCK,
                encoding="utf-8" if encoding == "utf-8-sig" else encoding,
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=options["separator"], newlines_in_values=encoding in _WIDE or _holds(path, b'"')
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={f"f{number}": likely.get(number, pyarrow.string()) for number in range(len(head[0]))},
                null_values=[""],
                strings_can_be_null=True,
                true_values=inference.TRUE,
                false_values=inference.FALSE,
            ),
            # pyarrow's own first clears what it takes: 5 s of 10 for 1 GB.
            memory_pool=pyarrow.system_memory_pool(),
        )
    except (pyarrow.ArrowInvalid, TypeError) as error:
        is_uneven = "columns, got" in str(error) or "straddling" in str(error)
        if likely or (isinstance(error, pyarrow.ArrowInvalid) and not is_uneven):
            raise pyarrow.ArrowInvalid(str(error)) from error
        # Rows of different lengths, or a separator of several characters: slower, and rows are padded.
        table = _uneven_texts_of(path, options)
        table = table.slice(1) if has_header else table
    return titles, table


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
    """Read files of one JSON object a line; their values are of JSON's types."""
    import pyarrow

    tables = []
    for path in paths:
        text = path.read_text(encoding=_encoding(path, options))
        if options["invalid_lines"] == "drop":
            # Not splitlines: the texts of JSON may hold what that takes for the end of a line.
            text = "\n".join(line for line in text.split("\n") if _is_object(line))
        if not text.strip():
            tables.append(pyarrow.table({}))
            continue
        tables.append(_parsed_lines(text.encode()))
    return _joined(tables), [table.num_rows for table in tables]


def _parsed_lines(content: bytes) -> Any:
    import pyarrow
    import pyarrow.json

    options = pyarrow.json.ReadOptions(block_size=_BLOCK)
    table = pyarrow.json.read_json(io.BytesIO(content), read_options=options)
    as_texts = pyarrow.schema([field.with_type(_without_times(field.type)) for field in table.schema])
    if as_texts == table.schema:
        return table
    # pyarrow takes texts that look like times for times, which JSON does not have.
    parsing = pyarrow.json.ParseOptions(explicit_schema=as_texts)
    return pyarrow.json.read_json(io.BytesIO(content), read_options=options, parse_options=parsing)


def _without_times(kind: Any) -> Any:
    """Return a type of Arrow with texts in place of times, however deep."""
    import pyarrow

    if pyarrow.types.is_timestamp(kind):
        return pyarrow.string()
    if pyarrow.types.is_list(kind):
        return pyarrow.list_(kind.value_field.with_type(_without_times(kind.value_type)))
    if pyarrow.types.is_struct(kind):
        return pyarrow.struct([field.with_type(_without_times(field.type)) for field in kind])
    return kind


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
        elif pyarrow.types.is_nested(column.type):
            columns[name] = pandas.Series(column.to_pylist(), dtype=object)  # to_pandas makes floats of some integers
        else:
            columns[name] = column.to_pandas()
    return _frame(columns, merged.num_rows)


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
    return len(first_rows(path, options, needed)[0]) == needed


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
