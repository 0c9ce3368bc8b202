"""What a dataset is, as JSON values: where its data lies, how it is read, and what is done with the rows.

    {"kind": "tabular", "items": [...], "read": {...}, "steps": [{"op": "take", "count": 5}, ...],
     "timestamp": None, "partition_timestamp": None}

A dataset of files has no `read`, and may have `table`, the definition that its one file is made of. This is what
registering keeps; what is done with it is done when the data is asked for.
"""

from __future__ import annotations

import hashlib
import json
import random
import secrets
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from azml_compat._data import expressions, reading
from azml_compat._data.partitions import partitions_of
from azml_compat._data.places import Folder
from azml_compat._data.sources import Item, Places, SourceFile, files_of
from azml_compat.exceptions import UserErrorException

Definition = dict[str, Any]


def tabular(items: list[Item], **read: Any) -> Definition:
    """Make the definition of a table in files."""
    return {
        "kind": "tabular",
        "items": items,
        "read": {"include_path": False, "partition_format": None, "types": None, **read},
        "steps": [],
        "timestamp": None,
        "partition_timestamp": None,
    }


def files(items: list[Item], partition_format: str | None = None) -> Definition:
    """Make the definition of a set of files."""
    return {"kind": "file", "items": items, "partition_format": partition_format, "steps": []}


def table_file(definition: Definition, file_format: str, separator: str = ",") -> Definition:
    """Make the definition of the one file that holds a table."""
    return {**files([]), "table": definition, "format": file_format, "separator": separator}


def with_step(definition: Definition, op: str, **facts: Any) -> Definition:
    """Return a definition with one more step at its end."""
    return {**definition, "steps": [*definition["steps"], {"op": op, **facts}]}


def digest_of(definition: Definition) -> str:
    """Return what tells a definition from all others."""
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()


def partition_keys(definition: Definition) -> list[str]:
    """Return the columns that the paths of the files give."""
    layout = definition.get("partition_format") or definition.get("read", {}).get("partition_format")
    return partitions_of(layout).keys if layout else []


# -- files --------------------------------------------------------------------------------------------------------


def selected_files(definition: Definition, places: Places) -> list[SourceFile]:
    """Return the files of a dataset of files."""
    if "table" in definition:
        return [_written_table(definition, places)]
    found = files_of(definition["items"], places)
    for step in definition["steps"]:
        if step["op"] == "filter":
            found = [file for file in found if _is_wanted(file, step["condition"])]
        else:
            found = [file for file, is_kept in zip(found, _choice(step, len(found)), strict=True) if is_kept]
    return found


def _is_wanted(file: SourceFile, condition: Any) -> bool:
    facts = {"Size": file.size, "LastModifiedTime": file.modified, "CreationTime": file.modified, "Path": file.name}
    try:
        return bool(expressions.evaluate(condition, facts.__getitem__, lambda value: value is None))
    except KeyError as error:
        raise UserErrorException(f"Files have {', '.join(facts)}, and no {error}.") from error


def _choice(step: dict[str, Any], count: int) -> list[bool]:
    """Say of each of `count` rows or files whether a step keeps it."""
    if step["op"] == "take":
        return [number < step["count"] for number in range(count)]
    if step["op"] == "skip":
        return [number >= step["count"] for number in range(count)]
    draw = random.Random(step["seed"]).random
    return [(draw() < step["probability"]) is step["kept"] for _ in range(count)]


def _written_table(definition: Definition, places: Places) -> SourceFile:
    """Write the file of a table; it is removed when nobody holds its place any more."""
    folder = tempfile.mkdtemp(prefix="azml-")
    name = f"part-0.{definition['format']}"
    place = Folder(folder)
    weakref.finalize(place, shutil.rmtree, folder, ignore_errors=True)
    write_table(definition, places, Path(folder, name))
    entry = place.find(name)
    assert entry is not None
    return SourceFile(place, name, name, entry.size, entry.modified)


def write_table(definition: Definition, places: Places, target: Path) -> None:
    """Write the file of a table to a local path."""
    table = frame(definition["table"], places)
    if definition["format"] == "csv":
        table.to_csv(target, index=False, sep=definition["separator"])
    else:
        table.to_parquet(target, index=False)


# -- tables -------------------------------------------------------------------------------------------------------


def check(definition: Definition, places: Places) -> None:
    """Look whether a table has a row that can be read.

    Raises:
        DataError: it has none.
    """
    reading.check(files_of(definition["items"], places), definition["read"])


def frame(definition: Definition, places: Places, on_error: str = "null") -> Any:
    """Read a table as a DataFrame with the rows numbered from 0, or by its timestamp column.

    Raises:
        UserErrorException: it cannot be read, or a step fails.
    """
    table = reading.read(files_of(definition["items"], places), definition["read"], on_error=on_error)
    for step in definition["steps"]:
        table = _STEPS[step["op"]](table, step)
    table = table.reset_index(drop=True)
    if definition["timestamp"] in table.columns:
        table.index = table[definition["timestamp"]].rename(None)
    return table


def _keep(table: Any, step: dict[str, Any]) -> Any:
    kept = [name for name in table.columns if name in step["columns"]]
    if not kept:
        raise UserErrorException(f"None of the columns {', '.join(step['columns'])} is there to be kept.")
    return table[kept]


def _drop(table: Any, step: dict[str, Any]) -> Any:
    return table[[name for name in table.columns if name not in step["columns"]]]


def _take(table: Any, step: dict[str, Any]) -> Any:
    # Without rows the original has no columns either.
    return table.iloc[: step["count"]] if step["count"] else table.iloc[:0, :0]


def _skip(table: Any, step: dict[str, Any]) -> Any:
    return table.iloc[step["count"] :]


def _draw(table: Any, step: dict[str, Any]) -> Any:
    import numpy

    seed = int.from_bytes(hashlib.sha256(str(step["seed"]).encode()).digest()[:16], "big")
    is_drawn = numpy.random.Generator(numpy.random.PCG64(seed)).random(len(table)) < step["probability"]
    return table[is_drawn if step["kept"] else ~is_drawn]


def _filter(table: Any, step: dict[str, Any]) -> Any:
    import pandas

    try:
        chosen = expressions.evaluate(step["condition"], table.__getitem__, pandas.isna)
    except KeyError as error:
        raise UserErrorException(f"There is no column {error} to filter by.") from error
    return table[chosen.fillna(False).astype(bool)]


def _between(table: Any, step: dict[str, Any]) -> Any:
    import pandas

    times = table[step["column"]]
    kept = times.notna()
    if step["start"] is not None:
        start = pandas.Timestamp(step["start"])
        kept &= (times >= start) if step["boundary"] else (times > start)
    if step["end"] is not None:
        end = pandas.Timestamp(step["end"])
        kept &= (times <= end) if step["boundary"] else (times < end)
    return table[kept]


_STEPS = {
    "keep": _keep,
    "drop": _drop,
    "take": _take,
    "skip": _skip,
    "draw": _draw,
    "filter": _filter,
    "between": _between,
}


def without_roles(definition: Definition, columns: Sequence[str], *, keeping: bool) -> Definition:
    """Return a definition without the timestamp roles of columns that go."""
    roles = {}
    for role in ("timestamp", "partition_timestamp"):
        name = definition[role]
        stays = name in columns if keeping else name not in columns
        roles[role] = name if name is not None and stays else None
    return {**definition, **roles}


def with_draw(definition: Definition, probability: float, seed: int | None) -> tuple[Definition, Definition]:
    """Return a definition with a random part of the rows, and one with the others.

    Raises:
        ValueError: the probability is not between 0 and 1.
    """
    if isinstance(probability, bool) or not isinstance(probability, int | float) or not 0 <= probability <= 1:
        raise ValueError(f"The probability is a number from 0 to 1, not {probability!r}.")
    facts = {"probability": probability, "seed": secrets.randbits(32) if seed is None else seed}
    return (
        with_step(definition, "draw", **facts, kept=True),
        with_step(definition, "draw", **facts, kept=False),
    )


def count_of(count: Any) -> int:
    """Return a number of rows or files.

    Raises:
        ValueError: it is negative or no int.
    """
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise ValueError(f"The number is an int from 0, not {count!r}.")
    return count
