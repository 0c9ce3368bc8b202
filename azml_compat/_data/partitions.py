"""`partition_format`: columns that the path of a file gives, as in `/{state}/{when:yyyy/MM}/data.csv`."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from azml_compat.exceptions import UserErrorException

_FIELD = re.compile(r"\{([^{}:]+)(?::([^{}]*))?\}")
_DIGITS = {"yyyy": (4, "%Y"), "MM": (2, "%m"), "dd": (2, "%d"), "HH": (2, "%H"), "mm": (2, "%M"), "ss": (2, "%S")}
_UNIT = re.compile("|".join(_DIGITS))


class Partitions(NamedTuple):
    """A partition format, compiled.

    Attributes:
        keys: The columns: those of text in their order, then the one of time.
        pattern: What the end of a path matches.
        time: The name of the column of time and the format that its text has, if there is one.
    """

    keys: list[str]
    pattern: re.Pattern[str]
    time: tuple[str, str] | None

    def values(self, path: str) -> dict[str, str | datetime]:
        """Return {column: value} of a file.

        Raises:
            UserErrorException: its path does not have the format.
        """
        match = self.pattern.search(f"/{path}")
        if match is None:
            raise UserErrorException(f"The path {path!r} does not have the partition format.")
        found: dict[str, str | datetime] = dict(zip(_order(self), match.groups(), strict=True))
        if self.time is not None:
            name, layout = self.time
            try:
                found[name] = datetime.strptime(str(found[name]), layout)  # noqa: DTZ007 - a column without a zone
            except ValueError as error:
                raise UserErrorException(f"The path {path!r} holds no date of the partition format.") from error
        return {key: found[key] for key in self.keys}


def _order(partitions: Partitions) -> list[str]:
    """Return the columns in the order of their places in a path."""
    return sorted(partitions.keys, key=lambda key: partitions.pattern.groupindex[_group(partitions.keys, key)])


def _group(keys: list[str], key: str) -> str:
    return f"k{keys.index(key)}"


def partitions_of(partition_format: str) -> Partitions:
    """Compile a partition format.

    Raises:
        UserErrorException: it names no column, two of time, or one twice; or a brace is left over.
    """
    fields = [(match[1], match[2]) for match in _FIELD.finditer(partition_format)]
    rest = _FIELD.sub("", partition_format)
    names = [name for name, _ in fields]
    times = [name for name, layout in fields if layout]
    if not fields or "{" in rest or "}" in rest or len(times) > 1 or len(set(names)) < len(names):
        raise UserErrorException(
            f"The partition format {partition_format!r} is not valid: columns as {{name}}, at most one of time as "
            "{name:yyyy/MM/dd}, and no other braces."
        )
    keys = [name for name in names if name not in times] + times
    pattern, end, time = "", 0, None
    for match in _FIELD.finditer(partition_format):
        pattern += _literal(partition_format[end : match.start()])
        name, layout = match[1], match[2]
        group = _group(keys, name)
        if layout:
            pattern += f"(?P<{group}>{_digits(layout)})"
            time = (name, _UNIT.sub(lambda unit: _DIGITS[unit[0]][1], layout))
        else:
            pattern += f"(?P<{group}>[^/]+)"
        end = match.end()
    return Partitions(keys, re.compile(f"{pattern}{_literal(partition_format[end:])}$"), time)


def _literal(text: str) -> str:
    return "[^/]*".join(map(re.escape, text.split("*")))


def _digits(layout: str) -> str:
    pattern, end = "", 0
    for unit in _UNIT.finditer(layout):
        pattern += re.escape(layout[end : unit.start()]) + rf"\d{{1,{_DIGITS[unit[0]][0]}}}"
        end = unit.end()
    return pattern + re.escape(layout[end:])
