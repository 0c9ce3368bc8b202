"""The report as workflow commands of GitHub Actions, which shows them beside the lines of a change."""

from __future__ import annotations

from azml_compat._migrate.judging import BLOCKING
from azml_compat._migrate.reports import View, summary
from azml_compat._migrate.rules import RULES
from azml_compat._migrate.scanning import Finding


def render(view: View) -> str:
    """Make the text of a report."""
    lines = [_command(finding) for finding in view.shown]
    return "\n".join([*lines, f"::notice title=azml-compat scan::{_data(' '.join(summary(view)))}", ""])


def _command(finding: Finding) -> str:
    kind = "error" if finding.level in BLOCKING else "warning"
    if finding.is_note or finding.level == "runs unchanged":
        kind = "notice"
    properties = {"file": finding.path.as_posix()}
    message = finding.message
    if finding.cell is None:
        properties |= {"line": str(finding.line), "col": str(finding.column)}
    else:  # lines of a cell are none of the file
        message = f"Cell {finding.cell}, line {finding.line}: {message}"
    properties["title"] = f"{finding.rule}: {RULES[finding.rule].title}"
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {listed}::{_data(message)}"


def _data(text: str) -> str:
    """Escape what would end a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape what would end a property as well."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
