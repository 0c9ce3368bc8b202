"""What a rewrite of one text comes to: what is fixed, and what is left for a person to do."""

from __future__ import annotations

from typing import NamedTuple

from azml_compat._migrate.edits import Edit


class Fix(NamedTuple):
    """Edits that are made together or not at all."""

    rule: str
    line: int
    """In the text, from 1."""
    edits: tuple[Edit, ...]
    is_safe: bool = True
    """False where it assumes something that the text does not say."""


class Mark(NamedTuple):
    """Something that was left as it is."""

    rule: str
    line: int
    """In the text, from 1."""
    message: str
    """What it is, and what to do."""


class Rewriting(NamedTuple):
    """What is to be done with a text."""

    fixes: list[Fix]
    marks: list[Mark]
