"""What a look at something found: each finding says how it is, and what to do where it is not well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Level = Literal["ok", "note", "problem"]


class Finding(NamedTuple):
    """One thing that was looked at."""

    level: Level
    """A note is worth knowing; a problem stands in the way."""
    text: str
    """One sentence or two. It holds no credentials."""
    remedy: str = ""
    """What to do."""
    facts: Mapping[str, Any] = {}
    """The same for machines, as JSON takes it."""


def ok(text: str, remedy: str = "", **facts: Any) -> Finding:
    """Return a finding that all is well."""
    return Finding("ok", text, remedy, facts)


def note(text: str, remedy: str = "", **facts: Any) -> Finding:
    """Return a finding that is worth knowing."""
    return Finding("note", text, remedy, facts)


def problem(text: str, remedy: str = "", **facts: Any) -> Finding:
    """Return a finding that something stands in the way."""
    return Finding("problem", text, remedy, facts)
