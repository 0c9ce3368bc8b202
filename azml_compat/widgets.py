"""`azureml.widgets`: a look at a run, in a notebook or anywhere else.

The original's widget refreshes itself, for which it needs ipywidgets in a notebook and, elsewhere, blocks until the run
ends. Here it is a look at the run as it is now, which needs nothing and takes no longer than reading the run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from azml_compat import _reporting
from azml_compat._refused import refusal

if TYPE_CHECKING:
    from azml_compat._run_facts import RunFacts

__all__ = ["ParallelRunStepDetails", "RunDetails"]

_ENV_RENDER = "AMLWIDGET_RENDER"
"""Azure's own switch: any value but 1 keeps `show` from showing anything."""


class RunDetails:
    """Status, metrics with small charts, children and the link of a run.

    Args:
        run_instance: A `Run`, running or ended.

    Raises:
        AttributeError: it has no `type` or no `experiment`, as in the original.
    """

    def __init__(self, run_instance: Any) -> None:
        for name in ("type", "experiment"):
            getattr(run_instance, name)
        self._run = run_instance

    def show(self, render_lib: Callable[[str], Any] | None = None, widget_settings: Any = None) -> None:
        """Show the run as it is now: below the cell of a notebook, else as text on stdout.

        Differs from Azure: never waits for the run to end, and does not refresh itself; call it again to look again.

        Args:
            render_lib: Called with the HTML instead, such as Databricks' `displayHTML`.
            widget_settings: Ignored.
        """
        if os.environ.get(_ENV_RENDER, "1") not in ("", "1"):
            return
        with _reporting.reported("Cannot show the run"):
            self._show(render_lib)

    def _show(self, render: Callable[[str], Any] | None) -> None:
        from azml_compat import _notebook, _run_views

        facts = self._look()
        if render is not None:
            render(_run_views.html(facts))
        elif _notebook.shell() is not None:
            _notebook.display(_run_views.html(facts), _run_views.text(facts))
        else:
            print(_run_views.text(facts), flush=True)

    def get_widget_data(self, widget_settings: Any = None) -> dict[str, Any]:
        """Return what the original's widget shows, with its keys.

        `run_metrics` is a list of {'name', 'run_id', 'categories', 'series'}, where `series` has a {'name', 'data'} for
        each column of a table, and one for any other metric.

        Args:
            widget_settings: Returned as they are.
        """
        facts = self._look()
        if facts.trouble:
            _reporting.logger.warning("Not all is known of run %s: %s", facts.id, facts.trouble)
        return {
            "status": facts.status,
            "workbench_run_details_uri": facts.url,
            "run_id": facts.id,
            "run_properties": {"run_id": facts.id, "status": facts.status, **_times(facts.started, facts.ended)},
            "child_runs": [
                {"run_id": child.id, "status": child.status, **_times(child.started, child.ended)}
                for child in facts.children
            ],
            "children_metrics": {},
            "run_metrics": [_metric(facts, name, value) for name, value in facts.metrics.items()],
            "run_logs": "",
            "graph": {},
            "widget_settings": widget_settings or {},
        }

    def _look(self) -> RunFacts:
        from azml_compat.core._run_details import look_at

        return look_at(self._run)


class ParallelRunStepDetails:
    """Refused: there are no parallel run steps to look at."""

    def __init__(
        self,
        run_instance: Any = None,
        step_name: str | None = None,
        workspace: Any = None,
        run_id: str | None = None,
        step_run_id: str | None = None,
    ) -> None:
        raise refusal("azureml.widgets.ParallelRunStepDetails")


def _times(started: int, ended: int | None) -> dict[str, Any]:
    from datetime import datetime, timedelta, timezone

    def utc(milliseconds: int) -> str:
        return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    taken = None if ended is None else str(timedelta(seconds=(ended - started) // 1000))
    return {
        "created_utc": utc(started),
        "end_time_utc": None if ended is None else utc(ended),
        "run_duration": taken,
    }


def _metric(facts: RunFacts, name: str, value: Any) -> dict[str, Any]:
    columns = value if isinstance(value, dict) else {name: value}
    series = [{"name": column, "data": _cells(cells)} for column, cells in columns.items()]
    count = max((len(column["data"]) for column in series), default=0)
    return {"name": name, "run_id": facts.id, "categories": list(range(count)), "series": series}


def _cells(value: Any) -> list[Any]:
    from azml_compat._run_facts import File

    return [cell.path if isinstance(cell, File) else cell for cell in (value if isinstance(value, list) else [value])]
