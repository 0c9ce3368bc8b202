"""What a scan has found, for people and for machines: each format is a module that makes one text of it."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

from azml_compat._migrate.judging import BLOCKING, Level
from azml_compat._migrate.scanning import Finding, Report

FORMATS = {
    "terminal": "terminal",
    "json": "machine",
    "html": "page",
    "sarif": "sarif",
    "github": "annotations",
}
"""{name of a format: the module that makes it}."""
_MOST = 10


class View(NamedTuple):
    """A report as it was asked for."""

    report: Report
    level: Level
    """The lowest that is shown and counts."""
    is_all: bool
    """Whether notes, and what runs unchanged, are shown."""

    @property
    def shown(self) -> list[Finding]:
        """The findings to show."""
        return list(self.report.findings) if self.is_all else self.report.counted(self.level)


def render(view: View, form: str) -> str:
    """Make the text of a report.

    Args:
        view: What is to be in it.
        form: One of `FORMATS`.
    """
    text: str = import_module(f"{__name__}.{FORMATS[form]}").render(view)
    return text


def summary(view: View) -> list[str]:
    """Sum a report up, in lines for people; the names that hold back most are not among them."""
    report = view.report
    concerned = report.concerned
    lines = [f"{_count(report.files, 'file')} looked at, {concerned:,} with azureml."]
    if concerned:
        lines.append(
            f"{report.running:,} of {_count(concerned, 'file')} run unchanged ({report.running / concerned:.1%}), "
            f"{report.unchanged:,} of them without a finding."
        )
    if report.covered is not None:
        total = sum(report.calls.values())
        blocked = sum(report.calls[level] for level in BLOCKING)
        lines.append(f"{total - blocked:,} of {_count(total, 'call')} covered ({report.covered:.1%}).")
    hidden = len(report.findings) - len(view.shown)
    if hidden:
        lines.append(f"Not shown: {_count(hidden, 'note or finding', 'notes and findings')} (--all shows them).")
    return lines


def most(view: View) -> list[tuple[str, int]]:
    """Return the names that hold back most, with the number of files in which they do."""
    return list(view.report.holding_back[:_MOST])


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
