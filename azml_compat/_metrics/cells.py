"""What a Python value becomes when it is logged: the original client's conversion table.

`azureml.core` dispatches on the exact type, so a subclass of str is "other" and is stored as its repr; numpy
values are converted by dtype. Two accepted deviations: numpy integers of every width are numbers (the original
stores int64 as the text ``np.int64(3)``), and arrays are lists.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias

from azml_compat.exceptions import AzureMLException, UserErrorException

Cell: TypeAlias = int | float | str | bool | None
"""One value of one row, as Azure's store knows it."""

_NATIVE = (int, float, str, bool, type(None))
_MAX_NUMBER_BYTES = 64
"""The original refuses numbers whose object is larger than this in lists, rows and tables (about 2**300)."""

_SCALAR_KINDS = "biufU"
"""numpy's letters for bool, integers, floats and text."""


class Column(NamedTuple):
    """The values that one call logs under one column name."""

    name: str
    cells: list[Cell]


def scalar_column(name: str, value: Any) -> Column:
    """Convert the value of `log`.

    Raises:
        UserErrorException: a list, range or generator was given.
    """
    if isinstance(value, (list, range, types.GeneratorType)) or _makes_generators(value):
        raise UserErrorException("run.log does not take a list. Use run.log_list instead.")
    if _is_array(value) and value.ndim == 1 and value.dtype.kind in _SCALAR_KINDS:
        return list_column(name, value)
    known, cell = _convert(value)
    return Column(name, [cell if known else _repr(value)])


def list_column(name: str, values: Iterable[Any]) -> Column:
    """Convert the value of `log_list`: any iterable, checked as a whole before anything is logged.

    Raises:
        TypeError: `values` cannot be iterated.
        AzureMLException: an element is of a type that a metric cannot hold.
    """
    cells = [_element(value, values) for value in values]
    if _column_type(cells) is float:
        cells = _as_floats(cells)
    return Column(name, cells)


def row_cells(columns: Mapping[str, Any]) -> list[Column]:
    """Convert the columns of `log_row`.

    Raises:
        AzureMLException: a value is a list, or of a type that a metric cannot hold.
    """
    converted = []
    for name, value in columns.items():
        if isinstance(value, list) or (_is_array(value) and value.ndim > 0):
            raise AzureMLException(
                f"A row holds one value per column, but column {name!r} was given a list. Use log_table for lists."
            )
        converted.append(Column(name, [_element(value, value)]))
    return converted


def table_columns(table: Any) -> list[Column]:
    """Convert the value of `log_table`: a dict of columns, each a list, an array or a single value.

    Raises:
        AttributeError: `table` is not a dict, or has no columns (the original's own error).
        AzureMLException: columns of different lengths, or a cell of a type that a metric cannot hold.
    """
    if _is_data_frame(table):
        raise AzureMLException("log_table takes a dict of columns: pass frame.to_dict(orient='list').")
    converted = [Column(str(name), _column_cells(table[name])) for name in table.keys()]  # noqa: SIM118 - not a dict: Azure's AttributeError
    if not converted:
        raise AttributeError("A table needs at least one column; a list in it may be empty.")
    for column in converted[1:]:
        first = converted[0]
        if len(column.cells) != len(first.cells):
            raise AzureMLException(
                "The columns of a table must have the same length, but "
                f"{first.name!r} has {len(first.cells)} and {column.name!r} has {len(column.cells)}."
            )
    return converted


def _column_cells(values: Any) -> list[Cell]:
    if _is_series(values) or (_is_array(values) and values.ndim == 1):
        values = values.tolist()
    if not isinstance(values, list):
        values = [values]
    cells = [_element(value, values) for value in values]
    # The type of a table column is that of its first cell; the reader then casts a double column with float().
    return _as_floats(cells) if cells and type(cells[0]) is float else cells


def _element(value: Any, container: Any) -> Cell:
    known, cell = _convert(value)
    if not known:
        if _is_numpy_scalar(value):
            return _repr(value)
        raise AzureMLException(
            f"A value of type {type(value)} cannot be logged in a {type(container).__name__}: "
            "int, float, str, bool and None are supported."
        )
    if type(cell) in (int, float) and sys.getsizeof(cell) > _MAX_NUMBER_BYTES:
        raise AzureMLException(f"The number is too large for a metric: {sys.getsizeof(cell)} bytes.")
    return cell


def _convert(value: Any) -> tuple[bool, Cell]:
    """Return (True, cell) for a value that Azure's store has a type for, else (False, None)."""
    if type(value) in _NATIVE:
        return True, value
    if _is_array(value) and value.ndim == 0 and type(value.item()) in _NATIVE:
        return True, value.item()
    if _is_numpy_scalar(value):
        numpy = sys.modules["numpy"]
        if isinstance(value, numpy.bool_):
            return True, bool(value)
        if isinstance(value, numpy.str_):
            return True, str(value)
        if isinstance(value, numpy.integer):
            return True, int(value)
        if isinstance(value, numpy.floating) and not isinstance(value, numpy.longdouble):
            return True, float(value)
    return False, None


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:
        raise AzureMLException(f"A value of type {type(value)} cannot be logged: its repr fails.") from error


def _column_type(cells: list[Cell]) -> type[Any] | None:
    """The type the original declares for a list: that of the first element, int widened by a later float."""
    if not cells:
        return None
    first = type(cells[0])
    return float if first is int and any(type(cell) is float for cell in cells) else first


def _as_floats(cells: list[Cell]) -> list[Cell]:
    return [float(cell) if isinstance(cell, int) else cell for cell in cells]


def _makes_generators(value: Any) -> bool:
    if not callable(value):
        return False

    import inspect  # costs 4 ms, and hardly any process gets here

    return inspect.isgeneratorfunction(value)


# numpy and pandas are recognised by name, so that neither is imported for a script that does not use it.


def _is_numpy_scalar(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.generic)


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def _is_series(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.Series)


def _is_data_frame(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)
