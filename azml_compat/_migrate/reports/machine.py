"""The report as JSON."""

from __future__ import annotations

import json

import azml_compat
from azml_compat._migrate.judging import LEVELS
from azml_compat._migrate.reports import View


def render(view: View) -> str:
    """Make the text of a report."""
    report = view.report
    content = {
        "azml_compat": azml_compat.__version__,
        "summary": {
            "files": report.files,
            "files_with_azureml": report.concerned,
            "files_that_run_unchanged": report.running,
            "files_without_findings": report.unchanged,
            "calls": {level: report.calls[level] for level in LEVELS},
            "calls_covered": report.covered,
            "uses": {level: report.uses[level] for level in LEVELS},
            "holding_back": [{"name": name, "files": count} for name, count in report.holding_back],
        },
        "findings": [{**finding._asdict(), "path": str(finding.path)} for finding in view.shown],
    }
    return json.dumps(content, indent=2) + "\n"
