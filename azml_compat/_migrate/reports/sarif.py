"""The report as SARIF 2.1.0, which code scanning services and editors read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import azml_compat
from azml_compat._migrate.judging import BLOCKING
from azml_compat._migrate.reports import View
from azml_compat._migrate.rules import RULES
from azml_compat._migrate.scanning import Finding

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(view: View) -> str:
    """Make the text of a report."""
    ids = list(RULES)
    driver = {
        "name": "azml-compat",
        "semanticVersion": azml_compat.__version__,
        "rules": [
            {
                "id": rule.id,
                "name": "".join(word.capitalize() for word in rule.title.replace(",", "").split()),
                "shortDescription": {"text": f"{rule.title[:1].upper()}{rule.title[1:]}."},
                "fullDescription": {"text": rule.explanation},
                "help": {"text": rule.explanation},
            }
            for rule in RULES.values()
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, ids) for finding in view.shown],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _result(finding: Finding, ids: list[str]) -> dict[str, Any]:
    level = "error" if finding.level in BLOCKING else "warning"
    if finding.is_note or finding.level == "runs unchanged":
        level = "note"
    location: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": _uri(finding.path)}}}
    text = finding.message
    if finding.cell is None:
        location["physicalLocation"]["region"] = {"startLine": finding.line, "startColumn": finding.column}
    else:  # lines of a cell are none of the file
        location["logicalLocations"] = [{"name": f"cell {finding.cell}", "kind": "module"}]
        text = f"Cell {finding.cell}, line {finding.line}, column {finding.column}: {text}"
    return {
        "ruleId": finding.rule,
        "ruleIndex": ids.index(finding.rule),
        "level": level,
        "message": {"text": text},
        "locations": [location],
        "properties": {"support": finding.level, "name": finding.name},
    }


def _uri(path: Path) -> str:
    """Return a path as a URI: of one that is relative, a relative one."""
    return path.as_uri() if path.is_absolute() else quote(path.as_posix(), errors="surrogateescape")
