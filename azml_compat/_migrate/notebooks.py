"""The JSON text of notebooks, edited in place: what is not changed keeps its indentation, its escapes and its order.

Parsing a notebook and writing it anew would change most of its lines: no two programs agree on how to write one. So the
cells are found with their place in the text, and a change is a change of the characters of a string in it.
"""

from __future__ import annotations

import itertools
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from azml_compat._migrate.edits import Edit, in_order

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")
_PIECE = re.compile(r"\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[\da-fA-F]{4}|\\.|[^\\]", re.DOTALL)
"""How JSON writes one character."""
_LINE_FEEDS = {r"\n", r"\u000a", r"\u000A"}


class _String(NamedTuple):
    """A string in a JSON text, and the offsets of its quotes."""

    value: str
    start: int
    end: int


class Cell(NamedTuple):
    """A code cell."""

    number: int
    """Counted from 1, with the cells that hold no code."""
    source: str
    strings: list[_String]
    """What `source` is made of: one string, or those of a list."""
    start: int
    """Where the value stands that holds the source."""
    end: int

    @property
    def is_list(self) -> bool:
        """Whether the source is a list of strings."""
        return not self.strings or self.start != self.strings[0].start


class Notebook(NamedTuple):
    """What there is of a notebook to edit."""

    text: str
    cells: list[Cell]
    """The code cells."""
    language: str
    """In lower case; empty where the notebook does not say it."""

    def edited(self, edits: Mapping[int, Iterable[Edit]]) -> str:
        """Return the text of the notebook with its cells changed.

        Args:
            edits: {number of a cell: changes of its `source`}.
        """
        pieces: list[str] = []
        done = 0
        for cell in self.cells:
            if cell.number in edits:
                pieces += (self.text[done : cell.start], self._written(cell, in_order(edits[cell.number])))
                done = cell.end
        return "".join((*pieces, self.text[done:]))

    def _written(self, cell: Cell, edits: list[Edit]) -> str:
        """Return the JSON value of a changed source. In a list, each line that is new has a string of its own."""
        strings = [_pieces(self.text, string) for string in cell.strings] or [[]]
        begins = [0, *itertools.accumulate(map(len, strings))]
        for start, end, new in reversed(edits):
            index = min(bisect_right(begins, start), len(cell.strings) or 1) - 1
            pieces = strings[index]
            while start < end >= begins[index] + len(pieces) and index + 1 < len(strings):
                pieces += strings.pop(index + 1)
            pieces[start - begins[index] : end - begins[index]] = self._encoded(new)
            if cell.is_list:
                strings[index : index + 1] = _lines(pieces) or [[]]
        written = ['"' + "".join(pieces) + '"' for pieces in strings if pieces or not cell.is_list]
        if not cell.is_list:
            return written[0]
        opening, between, closing = self._separators(cell)
        return f"{opening}{between.join(written)}{closing}" if written else "[]"

    def _separators(self, cell: Cell) -> tuple[str, str, str]:
        """Return what stands before, between and after the strings of a list."""
        if not cell.strings:
            return "[", ", ", "]"
        first, *others = cell.strings
        opening = self.text[cell.start : first.start]
        between = self.text[first.end : others[0].start] if others else f",{opening[1:] or ' '}"
        return opening, between, self.text[cell.strings[-1].end : cell.end]

    def _encoded(self, text: str) -> list[str]:
        """Return the pieces of a text, escaped as the notebook escapes."""
        escapes_all = self.text.isascii() and re.search(r"\\u(?!00[01])", self.text) is not None
        pieces: list[str] = _PIECE.findall(json.dumps(text, ensure_ascii=escapes_all)[1:-1])
        return pieces


def parse(text: str) -> Notebook:
    """Find the code cells of a notebook, of any version of the format since 2.

    Raises:
        ValueError: it is no JSON, or no notebook.
    """
    cells: list[Cell] = []
    metadata: dict[str, Any] = {}
    count = 0

    def read_cell(at: int) -> int:
        nonlocal count
        count += 1
        kind = ""
        found: tuple[int, int, list[_String]] | None = None
        for key, start in (members := _Members(text, at)):
            if key in ("source", "input") and text[start] in '["':
                strings, end = _strings(text, start)
                members.go_on(end)
                if strings is not None:
                    found = (start, end, strings)
            else:
                value = members.value(start)
                kind = value if key == "cell_type" else kind
        if kind == "code" and found is not None:
            start, end, strings = found
            cells.append(Cell(count, "".join(string.value for string in strings), strings, start, end))
        return members.end

    def read_worksheet(at: int) -> int:
        for key, start in (members := _Members(text, at)):
            if key == "cells":
                members.go_on(_each(text, start, read_cell))
        return members.end

    is_notebook = False
    for key, start in (members := _Members(text, _after_space(text, 0))):
        if key in ("cells", "worksheets"):
            is_notebook = True
            members.go_on(_each(text, start, read_cell if key == "cells" else read_worksheet))
        elif key == "metadata":
            metadata = members.value(start)
    if not is_notebook:
        raise ValueError("it has no cells")
    return Notebook(text, cells, _language(metadata))


def _language(metadata: Any) -> str:
    """Return the language of the code cells, as far as the notebook tells it."""
    for part, key in (("language_info", "name"), ("kernelspec", "language")):
        try:
            return str(metadata[part][key]).lower()
        except (KeyError, TypeError):
            continue
    return ""


class _Members:
    """The members of a JSON object: iterating gives (key, where the value begins), and passes over the values."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._next = -1
        self._begin = at
        self.end = -1
        """Where the object ends, after the iteration."""

    def __iter__(self) -> Iterator[tuple[str, int]]:
        text = self._text
        at = _expect(text, self._begin, "{")
        while text[at : at + 1] != "}":
            key, at = _DECODER.raw_decode(text, at)
            start = _expect(text, _after_space(text, at), ":")
            self._next = -1
            yield key, start
            at = _after_space(text, self._next if self._next >= 0 else _DECODER.raw_decode(text, start)[1])
            if text[at : at + 1] != "}":
                at = _expect(text, at, ",")
        self.end = at + 1

    def go_on(self, end: int) -> None:
        """Say where the current value ends."""
        self._next = end

    def value(self, start: int) -> Any:
        """Return the current value, which begins at `start`."""
        value, self._next = _DECODER.raw_decode(self._text, start)
        return value


def _each(text: str, at: int, read: Callable[[int], int]) -> int:
    """Call `read` with the place of each item of an array; return where the array ends."""
    at = _expect(text, at, "[")
    while text[at : at + 1] != "]":
        at = _after_space(text, read(at))
        if text[at : at + 1] != "]":
            at = _expect(text, at, ",")
    return at + 1


def _strings(text: str, at: int) -> tuple[list[_String] | None, int]:
    """Read a string, or an array of strings: None where it is one of other things."""
    found: list[_String] = []
    is_text = True

    def read(start: int) -> int:
        nonlocal is_text
        value, end = _DECODER.raw_decode(text, start)
        if isinstance(value, str):
            found.append(_String(value, start, end))
        else:
            is_text = False
        return end

    end = _each(text, at, read) if text[at] == "[" else read(at)
    return (found if is_text else None), end


def _pieces(text: str, string: _String) -> list[str]:
    """Return how each character of a string is written."""
    pieces: list[str] = _PIECE.findall(text, string.start + 1, string.end - 1)
    return pieces


def _lines(pieces: list[str]) -> list[list[str]]:
    """Split what a list of characters writes after each line feed."""
    lines: list[list[str]] = []
    for piece in pieces:
        if not lines or lines[-1][-1] in _LINE_FEEDS:
            lines.append([])
        lines[-1].append(piece)
    return lines


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()


def _expect(text: str, at: int, sign: str) -> int:
    """Return where what follows a sign begins."""
    if text[at : at + 1] != sign:
        raise ValueError(f"it is no JSON: {sign} is missing at character {at}")
    return _after_space(text, at + 1)
