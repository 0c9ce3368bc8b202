"""What the texts of a column are: numbers, truth values, times or texts, by the rules of the original.

They differ from those of pandas: `NA` and `None` are texts, a blank text is None, times lose their zone. All rows are
looked at, where the original looks at a sample: a column never turns out to be something else further down.
"""

from __future__ import annotations

import re
from typing import Any

from azml_compat import _reporting
from azml_compat.exceptions import UserErrorException

TRUE = ("True", "true", "TRUE", "T")
FALSE = ("False", "false", "FALSE", "F")
_NUMBER = re.compile(r"\s*([-+]?(\d|\.\d)|[-+]?(nan|inf)\s*$)", re.IGNORECASE)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}(:\d{2}(:\d{2}([.]\d+)?)?)?)?(?P<zone>Z|[-+]\d{2}:?\d{2})?")
_SAMPLE = 20_000
_CLOCK = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_DATES = (
    (re.compile(r"\d{1,2}/\d{1,2}/\d{4}\b"), ("%m/%d/%Y", "%d/%m/%Y")),
    (re.compile(r"\d{1,2}-\d{1,2}-\d{4}\b"), ("%m-%d-%Y", "%d-%m-%Y")),
    (re.compile(r"\d{4}/\d{1,2}/\d{1,2}\b"), ("%Y/%m/%d",)),
    (re.compile(r"\d{4}-\d{1,2}-\d{1,2}\b"), ("%Y-%m-%d", "%Y-%m-%dT")),
)


def infer(texts: Any, name: str) -> Any:
    """Return the values of a column as a pandas Series.

    Args:
        texts: A pyarrow ChunkedArray of strings; blank ones are null.
        name: Of the column, for what has to be said.
    """
    first = _first(texts)
    if first is None:
        return as_text(texts)
    if _NUMBER.match(first):
        found = numbers(texts)
        if found is None:
            found = _times(texts, first, name)
        if found is not None:
            return found
    elif first in TRUE or first in FALSE:
        found = _truths(texts)
        if found is not None:
            return found
    return as_text(texts)


def looks_like_numbers(texts: Any) -> bool:
    """Tell whether all that is in a column are numbers, and there is one."""
    first = _first(texts)
    return first is not None and _NUMBER.match(first) is not None and numbers(texts) is not None


def looks_like_truths(texts: Any) -> bool:
    """Tell whether all that is in a column are truth values, and there is one."""
    return _first(texts) in (*TRUE, *FALSE) and _truths(texts) is not None


def _first(texts: Any) -> str | None:
    """Return the first text that is not blank."""
    for chunk in texts.chunks:
        for value in chunk:
            if value.is_valid:
                return str(value.as_py())
    return None


def as_text(texts: Any) -> Any:
    """Return the texts themselves: a Series of str, None where blank."""
    import pandas

    return pandas.Series(_objects(texts), dtype=object)


def _objects(texts: Any) -> Any:
    """Return texts as an array of objects; where few are different, equal ones are one object: a third of the time."""
    import numpy

    start = texts.slice(0, _SAMPLE)
    if len(texts) < _SAMPLE or len(start.unique()) > _SAMPLE // 10:
        return texts.to_numpy()
    coded = texts.dictionary_encode().unify_dictionaries().combine_chunks()
    words = numpy.append(coded.dictionary.to_numpy(zero_copy_only=False), numpy.array([None], dtype=object))
    return words[coded.indices.fill_null(len(words) - 1).to_numpy()]


def numbers(texts: Any) -> Any:
    """Return the numbers of a column as a Series; None when there are others than numbers in it."""
    import pyarrow
    import pyarrow.compute as pc

    for spelling in (texts, None):
        if spelling is None:
            spelling = pc.utf8_trim_whitespace(texts)
        for kind in (pyarrow.int64(), pyarrow.float64()):
            try:
                found = spelling.cast(kind)
            except pyarrow.ArrowInvalid:
                continue
            if kind == pyarrow.int64() and pc.any(pc.match_substring_regex(spelling, "[xX]")).as_py():
                return None  # 0x10 is a text
            return found.to_pandas()
    return None


def _truths(texts: Any) -> Any:
    import pyarrow
    import pyarrow.compute as pc

    is_true = pc.is_in(texts, value_set=pyarrow.array(TRUE))
    is_known = pc.or_(is_true, pc.or_(pc.is_in(texts, value_set=pyarrow.array(FALSE)), pc.is_null(texts)))
    if not pc.all(is_known).as_py():
        return None
    if texts.null_count:
        is_true = pc.if_else(pc.is_valid(texts), is_true, pyarrow.scalar(None, pyarrow.bool_()))
    return is_true.to_pandas()


def _times(texts: Any, first: str, name: str) -> Any:
    match = _ISO.fullmatch(first)
    if match is not None:
        found = _iso_times(texts, has_zone=match["zone"] is not None)
        if found is not None:
            return found
    for look, layouts in _DATES:
        if look.match(first):
            for layout in layouts:
                found = _parsed(texts, [layout + clock for clock in _CLOCK])
                if found is not None:
                    if layout.startswith("%m"):
                        _reporting.logger.warning(
                            "Column %s holds dates such as %s: they are read with the month first. Say otherwise with "
                            "set_column_types={...: DataType.to_datetime('%%d/%%m/%%Y')}.",
                            name,
                            first,
                        )
                    return found
    return None


def _iso_times(texts: Any, *, has_zone: bool) -> Any:
    import pyarrow

    for unit in ("ns", "us"):
        try:
            found = texts.cast(pyarrow.timestamp(unit, "UTC" if has_zone else None))
        except pyarrow.ArrowInvalid:
            continue
        return without_zone(found.to_pandas())
    return None


def without_zone(times: Any) -> Any:
    """Return times of nanoseconds without a zone; what nanoseconds cannot hold is NaT."""
    import pandas

    if times.dt.tz is not None:
        times = times.dt.tz_localize(None)
    if times.dt.unit != "ns":
        times = times.where((times >= pandas.Timestamp.min) & (times <= pandas.Timestamp.max)).dt.as_unit("ns")
    return times


def _parsed(texts: Any, layouts: list[str]) -> Any:
    import pandas

    values = as_text(texts)
    for layout in layouts:
        try:
            return without_zone(pandas.to_datetime(values, format=layout))
        except ValueError:
            continue
    return None


# -- what a user says of a column ---------------------------------------------------------------------------------


def convert(values: Any, kind: dict[str, Any], *, on_error: str) -> Any:
    """Convert a Series to what `set_column_types` asks for.

    Args:
        values: The Series; of a text column, or of what parquet and JSON hold.
        kind: The JSON values of a DataType.
        on_error: What becomes of a value that cannot be converted: `null`, or `fail`.

    Raises:
        UserErrorException: a value cannot be converted, and `on_error` is `fail`.
    """
    made = _CONVERSIONS[kind["type"]](values, kind)
    lost = made.isna() & values.notna()
    if on_error == "fail" and lost.any():
        raise UserErrorException(f"{values[lost].iloc[0]!r} is no {kind['type']}.")
    return made


def _to_string(values: Any, _kind: dict[str, Any]) -> Any:
    texts = values.map(lambda value: value if isinstance(value, str) else str(value), na_action="ignore").astype(object)
    return texts.where(values.notna(), None)


def _to_long(values: Any, _kind: dict[str, Any]) -> Any:
    import pandas

    numbers = pandas.to_numeric(values, errors="coerce")
    whole = numbers.where(numbers.isna() | (numbers % 1 == 0))
    return whole.astype("int64") if whole.notna().all() else whole


def _to_float(values: Any, kind: dict[str, Any]) -> Any:
    import pandas

    if kind["decimal_mark"] != ".":
        values = values.map(
            lambda value: str(value).replace(".", "").replace(kind["decimal_mark"], "."), na_action="ignore"
        )
    return pandas.to_numeric(values, errors="coerce").astype("float64")


def _to_bool(values: Any, _kind: dict[str, Any]) -> Any:
    known = {**dict.fromkeys((*TRUE, "1", 1, True), True), **dict.fromkeys((*FALSE, "0", 0, False), False)}
    found = values.map(known)
    return found.astype(bool) if found.notna().all() else found.astype(object).where(found.notna(), None)


def _to_datetime(values: Any, kind: dict[str, Any]) -> Any:
    import pandas

    made = None
    for layout in kind["formats"] or [None]:
        options = {"format": layout} if layout else {"format": "ISO8601"}
        found = pandas.to_datetime(values, errors="coerce", utc=True, **options)
        if layout is None and found.isna().any():
            found = found.fillna(pandas.to_datetime(values, errors="coerce", utc=True, format="mixed"))
        made = found if made is None else made.fillna(found)
    return without_zone(made)


_CONVERSIONS = {
    "string": _to_string,
    "long": _to_long,
    "float": _to_float,
    "bool": _to_bool,
    "datetime": _to_datetime,
    "stream": _to_string,
}
