"""Changes to a text, as spans: the syntax tree decides, the text is edited, and what is not changed stays as it was."""

from __future__ import annotations

import ast
import difflib
import itertools
import re
from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

Located = ast.expr | ast.stmt | ast.alias | ast.arg | ast.keyword | ast.excepthandler
"""The nodes that have a place in the text."""


class Edit(NamedTuple):
    """One replacement in a text; offsets in characters, the end exclusive. An insertion has none between them."""

    start: int
    end: int
    text: str


def in_order(edits: Iterable[Edit]) -> list[Edit]:
    """Sort edits by their place; insertions at one place keep their order, and come before what is replaced there.

    Raises:
        ValueError: two of them overlap.
    """
    found = sorted(edits, key=lambda edit: (edit.start, edit.end))
    for before, after in itertools.pairwise(found):
        if after.start < before.end:
            raise ValueError(f"{before} and {after} overlap")
    return found


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return the text with all edits made.

    Raises:
        ValueError: two of them overlap.
    """
    pieces: list[str] = []
    done = 0
    for start, end, replacement in in_order(edits):
        pieces += (text[done:start], replacement)
        done = end
    return "".join((*pieces, text[done:]))


def diff(before: str, after: str, name: str) -> str:
    """Return a unified diff of two texts whose lines end with a line feed; empty where they are equal."""
    old, new = (_lines(text) for text in (before, after))
    lines = difflib.unified_diff(old, new, name, name)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Split as Python does, to which a form feed or a line separator ends no line."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


class Offsets:
    """Where the nodes of a syntax tree stand in the text that it was parsed from, whose lines end with a line feed."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    def of(self, line: int, column: int) -> int:
        """Return the offset of a place as `ast` counts: lines from 1, columns in bytes of UTF-8."""
        text = self._lines[line - 1]
        if not text.isascii():
            column = len(text.encode()[:column].decode())
        return self._starts[line - 1] + column

    def span(self, node: Located) -> tuple[int, int]:
        """Return the offsets of the beginning and end of a node."""
        if node.end_lineno is None or node.end_col_offset is None:
            raise ValueError(f"{node} has no place in a text")
        return self.of(node.lineno, node.col_offset), self.of(node.end_lineno, node.end_col_offset)

    def line(self, offset: int) -> int:
        """Return the number of the line, from 1, that an offset is in."""
        return bisect_right(self._starts, offset)
