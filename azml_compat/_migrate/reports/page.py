"""The report as one page of HTML: no scripts, and nothing that is loaded from elsewhere.

Everything that a file can have chosen is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from itertools import groupby

from azml_compat._migrate.reports import View, most, summary
from azml_compat._migrate.rules import RULES
from azml_compat._migrate.scanning import Finding

_STYLE = """\
html { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em }
h2 { font-size: 1em; margin: 2em 0 .3em; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; vertical-align: top; padding: .15em 1.2em .15em 0; border-bottom: 1px solid #8884 }
td:first-child { white-space: nowrap; font-variant-numeric: tabular-nums }
code { font: .9em ui-monospace, monospace }
.refused, .unknown { color: #e03131 }
.partial { color: #c27803 }
.inert, .note { opacity: .75 }
"""


def render(view: View) -> str:
    """Make the text of a report."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8"><title>azml-compat scan</title>',
            f"<style>\n{_STYLE}</style></head><body>",
            "<h1>What these scripts use of the Azure ML SDK</h1>",
            f"<p>{'<br>'.join(map(escape, summary(view)))}</p>",
            *_most(view),
            *_files(view),
            *_rules(view),
            "</body></html>",
            "",
        ]
    )


def _most(view: View) -> Iterator[str]:
    held = most(view)
    if held:
        rows = "".join(f"<tr><td>{count:,}</td><td><code>{escape(name)}</code></td></tr>" for name, count in held)
        yield f"<h2>Names that hold back most, by files</h2><table>{rows}</table>"


def _files(view: View) -> Iterator[str]:
    for path, findings in groupby(view.shown, key=lambda finding: finding.path):
        yield f"<h2>{_text(str(path))}</h2><table>{''.join(map(_row, findings))}</table>"


def _row(finding: Finding) -> str:
    place = f"{finding.line}:{finding.column}"
    if finding.cell is not None:
        place = f"cell {finding.cell}: {place}"
    level = "note" if finding.is_note else finding.level
    title = escape(RULES[finding.rule].title)
    return (
        f'<tr><td>{place}</td><td><a href="#{finding.rule}" title="{title}">{finding.rule}</a></td>'
        f'<td class="{level.replace(" ", "-")}">{level}</td><td>{_markdown(finding.message)}</td></tr>'
    )


def _rules(view: View) -> Iterator[str]:
    used = {finding.rule for finding in view.shown}
    for rule in RULES.values():
        if rule.id in used:
            yield f'<h2 id="{rule.id}">{rule.id}: {escape(rule.title)}</h2><p>{_markdown(rule.explanation)}</p>'


def _markdown(text: str) -> str:
    """Return what is said as HTML: names between backticks are code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", _text(text))


def _text(text: str) -> str:
    """Escape a text; what in a file name is no character is shown as such."""
    return escape(text.encode("utf-8", "backslashreplace").decode())
