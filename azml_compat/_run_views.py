"""A run as a notebook and as a terminal show it: pure functions of its facts.

The HTML works without scripts and style sheets, which notebooks do not run or do not keep, and takes its colours from
the page around it, light or dark. Everything that a script can have chosen is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from azml_compat import _portal
from azml_compat._restclient.constants import RunStatus
from azml_compat._run_facts import (
    Child,
    RunFacts,
    Series,
    Table,
    about_children,
    described,
    duration,
    more_metrics,
    notes,
    when,
)
from azml_compat._sparkline import sparkline

_MAX_CHILDREN = 20
_MAX_NAME = 60
_MAX_VALUE = 80
_MAX_CELL = 30
_MAX_TITLE = 1000

_BOX = "margin:.5em 0; line-height:1.5; text-align:left; overflow-x:auto"
_FAINT = "opacity:.75; font-size:.92em"
_HEADING = "margin-top:.8em"
_TABLE = "border-collapse:collapse; margin:.3em 0; width:auto; table-layout:auto"
_CELL = "padding:.1em 1.4em .1em 0; text-align:left; vertical-align:middle; white-space:nowrap; background:none"
_UNDERLINED = "border-bottom:1px solid rgba(128,128,128,.4)"
_DOTS = {RunStatus.COMPLETED: "#2f9e44", RunStatus.FAILED: "#e03131", RunStatus.CANCELED: "#868e96"}
_DOT_OF_OTHERS = "#1c7ed6"


def html(run: RunFacts) -> str:
    """Return a run as HTML, for a place in any page."""
    head = f'<b style="font-size:1.15em">{_short(run.name, _MAX_NAME)}</b> &nbsp; {_status(run.status)}'
    facts = [
        f"Experiment {escape(run.experiment)}",
        f"Run {escape(run.id)}",
        f"{when(run.started)}, {duration(run.started, run.ended)}",
        _portal.link(escape(run.url), "Link to MLflow UI"),
    ]
    parts = [
        f"<div>{head}</div>",
        f'<div style="{_FAINT}">{" &middot; ".join(facts)}</div>',
        *(f'<div style="{_HEADING}"><b>{title}:</b> {escape(text)}</div>' for title, text in notes(run)),
        *_metrics(run),
        *_children(run),
    ]
    return f'<div style="{_BOX}">{"".join(parts)}</div>'


def _metrics(run: RunFacts) -> Iterator[str]:
    metrics = described(run)
    series = [metric for metric in metrics if isinstance(metric, Series)]
    if series:
        yield _table(["Metric", "", "Last value", "Values"], map(_series_row, series))
    for metric in metrics:
        if isinstance(metric, Table):
            yield _heading(metric.name, metric.about)
            yield _table((_short(column.name, _MAX_CELL) for column in metric.columns), _table_rows(metric))
    if more_metrics(run):
        yield _faint(f"{more_metrics(run)} more metrics in the MLflow UI")


def _series_row(series: Series) -> list[str]:
    last = _short(series.last, _MAX_VALUE)
    return [
        _short(series.name, _MAX_NAME),
        _chart(series),
        _portal.link(escape(series.url), last) if series.url else last,
        _short(series.about, _MAX_VALUE),
    ]


def _table_rows(table: Table) -> Iterator[list[str]]:
    charts = [_chart(column) for column in table.columns]
    if any(charts):
        yield charts
    for row in table.rows:
        yield [_short(cell, _MAX_CELL) for cell in row] if row is not None else ["&#8942;" for _ in table.columns]


def _chart(series: Series) -> str:
    if series.numbers is None:
        return ""
    return sparkline(series.numbers, f"{_cut(series.name, _MAX_NAME)}: {series.about}")


def _children(run: RunFacts) -> Iterator[str]:
    if run.children:
        yield _heading("Children", about_children(run))
        yield _table(["Child", "Status", "Started", "Duration"], map(_child_row, run.children[:_MAX_CHILDREN]))
        if len(run.children) > _MAX_CHILDREN:
            yield _faint("More children in the MLflow UI")


def _child_row(child: Child) -> list[str]:
    return [
        _portal.link(escape(child.url), _short(child.name, _MAX_NAME)),
        _status(child.status),
        when(child.started),
        duration(child.started, child.ended),
    ]


def _status(status: str) -> str:
    color = _DOTS.get(status, _DOT_OF_OTHERS)
    return f'<span style="color:{color}" aria-hidden="true">&#9679;</span> {escape(status)}'


def _heading(title: str, about: str) -> str:
    return f'<div style="{_HEADING}"><b>{_short(title, _MAX_NAME)}</b> &nbsp; {escape(about)}</div>'


def _faint(text: str) -> str:
    return f'<div style="{_FAINT}">{text}</div>'


def _table(head: Iterable[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, whose cells are HTML already."""
    heads = "".join(f'<th scope="col" style="{_CELL}; {_UNDERLINED}">{cell}</th>' for cell in head)
    lines = ("".join(f'<td style="{_CELL}">{cell}</td>' for cell in row) for row in rows)
    body = "".join(f'<tr style="background:none">{line}</tr>' for line in lines)
    return f'<table style="{_TABLE}"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def _short(text: str, length: int) -> str:
    """Return a text as HTML, cut, with the whole of it for whoever hovers over it."""
    shown = _cut(text, length)
    return escape(shown) if shown == text else f'<span title="{escape(text[:_MAX_TITLE])}">{escape(shown)}</span>'


def _cut(text: str, length: int) -> str:
    """Return a text as one line of at most `length` characters."""
    line = " ".join(text[: 4 * length].split())
    return line if len(line) <= length and len(text) <= 4 * length else f"{line[: length - 1]}…"


def text(run: RunFacts) -> str:
    """Return a run as lines of text."""
    lines = [
        f"Run {run.name} of experiment {run.experiment}: {run.status}",
        f"  Id: {run.id}",
        f"  Started: {when(run.started)}, {duration(run.started, run.ended)}",
        *(f"  {title}: {about}" for title, about in notes(run)),
    ]
    metrics = described(run)
    if metrics:
        lines.append("  Metrics:")
    width = max((len(_cut(metric.name, _MAX_NAME)) for metric in metrics), default=0)
    for metric in metrics:
        last = _cut(metric.last, _MAX_VALUE) if isinstance(metric, Series) else ""
        about = f"({_cut(metric.about, _MAX_VALUE)})" if metric.about else ""
        lines.append(f"    {_cut(metric.name, _MAX_NAME):{width}}  {' '.join(filter(None, (last, about)))}")
    if more_metrics(run):
        lines.append(f"    {more_metrics(run)} more metrics in the MLflow UI")
    if run.children:
        lines.append(f"  Children: {about_children(run)}")
        lines += [
            f"    {_cut(child.name, _MAX_NAME)}: {child.status}, {duration(child.started, child.ended)}"
            for child in run.children[:_MAX_CHILDREN]
        ]
    return "\n".join([*lines, f"  {run.url}"])
