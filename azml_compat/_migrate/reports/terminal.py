"""The report for a terminal: a line for each finding, and the summary."""

from __future__ import annotations

import re
from collections.abc import Iterator

from azml_compat._migrate.reports import View, most, summary
from azml_compat._migrate.scanning import Finding

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def render(view: View) -> str:
    """Make the text of a report."""
    lines = [_line(finding) for finding in view.shown]
    if lines:
        lines.append("")
    return "\n".join([*lines, *summary(view), *_most(view), ""])


def _line(finding: Finding) -> str:
    level = "note" if finding.is_note else finding.level
    line = f"{finding.place}  {finding.rule}  {level}  {finding.message}"
    # A name of a file may hold what ends a line, or moves the cursor.
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), line)


def _most(view: View) -> Iterator[str]:
    held = most(view)
    if held:
        yield "Names that hold back most, by files:"
        width = len(f"{held[0][1]:,}")
        for name, count in held:
            yield f"  {count:>{width},}  {name}"
