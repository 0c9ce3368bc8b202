"""Storing a DataFrame of the user's."""

from __future__ import annotations

import datetime
import tempfile
from pathlib import Path
from typing import Any

from azml_compat._data.places import Place
from azml_compat.exceptions import UserErrorException


def store(frame: Any, place: Place, path: str, row_group_size: int | None) -> None:
    """Store a DataFrame as a parquet file, in the form that the original gives it.

    Raises:
        UserErrorException: cells hold lists or arrays, or what parquet has no type for.
    """
    import pyarrow
    import pyarrow.parquet

    with tempfile.TemporaryDirectory(prefix="azml-") as folder:
        file = Path(folder, "dataframe.parquet")
        try:
            table = pyarrow.Table.from_pandas(_storable(frame), preserve_index=False)
            pyarrow.parquet.write_table(table, file, row_group_size=row_group_size)
        except pyarrow.ArrowException as error:
            raise UserErrorException(f"The DataFrame cannot be stored as parquet: {error}") from error
        place.put(str(file), path, overwrite=True)


def _storable(frame: Any) -> Any:
    """Return a copy: no index, no dots in names, dates as times."""
    import pandas

    made = frame.reset_index(drop=True)
    dotted = [name for name in made.columns if isinstance(name, str) and "." in name]
    if dotted:
        print(f"Columns {', '.join(dotted)}: dots in their names become underscores.")
    made.columns = [name.replace(".", "_") if isinstance(name, str) else str(name) for name in made.columns]
    if len(set(made.columns)) < len(made.columns):
        raise UserErrorException(f"Two columns of the DataFrame have one name: {', '.join(made.columns)}.")
    for name in made.columns:
        if made[name].dtype != object:
            continue
        first = next((value for value in made[name] if value is not None), None)
        if isinstance(first, list) or type(first).__name__ == "ndarray":
            raise UserErrorException(f"Column {name} holds lists or arrays, which a dataset has no cells for.")
        if isinstance(first, datetime.date) and not isinstance(first, datetime.datetime):
            made[name] = pandas.to_datetime(made[name])
    return made
