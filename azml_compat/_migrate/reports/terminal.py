"""The report for a terminal: a line for each finding, and the summary."""

from __future__ import annotations

from collections.abc import Iterator

from azml_compat._migrate.reports import View, most, summary
from azml_compat._migrate.scanning import Finding


def render(view: View) -> str:
    """Make the text of a report."""
    lines = [_line(finding) for finding in view.shown]
    if lines:
        lines.append("")
    return "\n".join([*lines, *summary(view), *_most(view), ""])


def _line(finding: Finding) -> str:
    return f"{finding.place}  {finding.rule}  {'note' if finding.is_note else finding.level}  {finding.message}"


def _most(view: View) -> Iterator[str]:
    held = most(view)
    if held:
        yield "Names that hold back most, by files:"
        width = len(f"{held[0][1]:,}")
        for name, count in held:
            yield f"  {count:>{width},}  {name}"
