"""What a script has recorded, as far as it is compared: without ids, times and what is a fact of the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias


class Point(NamedTuple):
    """One value of a metric."""

    step: int
    value: float


Series: TypeAlias = tuple[tuple[Point, ...], ...]
"""The points of a metric in order. Those that one moment holds stand together: their order is not known."""


class Content(NamedTuple):
    """What is in a file."""

    digest: str
    """Of what is compared: of JSON its value, of a picture its pixels, else the bytes."""
    shown: str
    """The text, or its beginning; of other files what they are."""


class Table(NamedTuple):
    """What the facade shows of a metric as a table, in its own folder."""

    content: Content
    has_texts: bool
    """Whether it says more than the numbers that are metrics."""


@dataclass(frozen=True)
class Recorded:
    """A run, and the runs below it."""

    experiment: str
    status: str
    """MLflow's word."""
    name: str | None = None
    """None where nobody gave it one, so that MLflow made one up."""
    description: str = ""
    metrics: Mapping[str, Series] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Content] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)
    """Those that the facade has added, by the path that they have in a run of plain MLflow: `tables/<name>.json`."""
    models: tuple[str, ...] = ()
    """The names of registered models of which it made a version, in that order."""
    children: tuple[Recorded, ...] = ()
    """In the order in which they were started."""

    def with_descendants(self) -> list[Recorded]:
        """Return the run and all below it."""
        return [self, *(run for child in self.children for run in child.with_descendants())]
