from __future__ import annotations

import inspect
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_compat import Experiment, Workspace, widgets
from azml_compat._refused import NotSupportedError
from azml_compat._run_facts import Child, File, RunFacts
from azml_compat._run_views import html, text
from azml_compat._sparkline import sparkline
from azml_compat.core.run import _OfflineRun
from azml_compat.widgets import ParallelRunStepDetails, RunDetails
from tests.test_outage import Gate

REPOSITORY = Path(__file__).parents[1]
HOSTILE = "<img src=x onerror=alert(1)> & \"'`"
TAGS = {"a", "b", "circle", "div", "path", "span", "svg", "table", "tbody", "td", "th", "thead", "title", "tr"}
ATTRIBUTES = {
    *(
        "aria-hidden",
        "cx",
        "cy",
        "d",
        "fill",
        "height",
        "href",
        "r",
        "rel",
        "role",
        "scope",
        "stroke",
        "stroke-linejoin",
    ),
    *("stroke-width", "style", "target", "title", "viewbox", "width"),
}


class Page(HTMLParser):
    """What a browser would make of some HTML."""

    def __init__(self, source):
        super().__init__()
        self.tags = set()
        self.attributes = set()
        self.links = []
        self._texts = []
        self._open = []
        self.feed(source)
        self.close()
        assert self._open == []

    @property
    def text(self):
        return " ".join("".join(self._texts).split())

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attributes)
        self.links += [value for name, value in attributes if name == "href"]
        self._open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self._open.pop()

    def handle_endtag(self, tag):
        assert self._open.pop() == tag
        self._texts.append(" ")

    def handle_data(self, data):
        self._texts.append(data)


def shown_html(run):
    shown = []
    assert RunDetails(run).show(render_lib=shown.append) is None
    [source] = shown
    return source


def facts(**known):
    usual = {
        "id": "id",
        "name": "name",
        "experiment": "e",
        "url": "http://x/#/runs/id",
        "status": "Running",
        "started": 0,
        "ended": 1500,
        "error": "",
        "metrics": {},
        "children": (),
        "has_more_children": False,
        "trouble": "",
    }
    return RunFacts(**{**usual, **known})


# -- what is shown of a run -----------------------------------------------------------------------------------


def test_a_running_run_is_shown_with_what_it_logged_a_moment_ago(local_run, capsys):
    local_run.log("accuracy", 0.93)
    local_run.log_list("fibonacci", [1, 1, 2, 3, 5, 8])
    local_run.log("phase", "warm up")
    local_run.log_row("progress", epoch=1, note="cold")
    local_run.log_row("progress", epoch=2, note="better")
    capsys.readouterr()

    assert RunDetails(local_run).show() is None
    shown = capsys.readouterr().out

    assert shown.startswith(f"Run {local_run.display_name} of experiment experiment: Running\n")
    assert local_run.id in shown
    assert re.search("accuracy +0.93\n", shown)
    assert re.search(r"fibonacci +8 \(6 values, 1 to 8\)\n", shown)
    assert re.search("phase +warm up\n", shown)
    assert re.search(r"progress +\(2 rows of epoch, note\)\n", shown)
    assert shown.rstrip().endswith(local_run.get_portal_url())
    assert local_run.get_status() == "Running"


def test_the_html_says_the_same_with_charts(local_run):
    local_run.log("accuracy", 0.93)
    local_run.log_list("fibonacci", [1, 1, 2, 3, 5, 8])
    local_run.log_list("words", ["a", None, "c"])
    local_run.log_table("animals", {"name": ["zebra", "yak"], "legs": [4, 4]})

    source = shown_html(local_run)
    page = Page(source)

    assert local_run.get_portal_url() in page.links
    for part in (
        "Running",
        "accuracy 0.93",
        "6 values, 1 to 8",
        "3 values: a, None, c",
        "2 rows of name, legs",
        "yak 4",
    ):
        assert part in page.text
    assert source.count("<svg") == 2  # of fibonacci, and of the legs
    assert "<title>fibonacci: 6 values, 1 to 8</title>" in source


@pytest.mark.parametrize(
    ("end", "status"), [("complete", "Completed"), ("cancel", "Canceled"), ("fail", "Failed")], ids=str
)
def test_an_ended_run_without_metrics_is_shown(local_run, capsys, end, status):
    getattr(local_run, end)()
    RunDetails(local_run).show()

    assert f"experiment experiment: {status}\n" in capsys.readouterr().out
    assert status in Page(shown_html(local_run)).text


def test_what_is_not_known_is_said():
    assert "Not all is shown: it is away" in Page(html(facts(trouble="it is away"))).text


def test_a_failed_run_says_why(local_run, capsys):
    local_run.fail("the disk is full")
    RunDetails(local_run).show()

    assert "Error: the disk is full\n" in capsys.readouterr().out
    assert "Error: the disk is full" in Page(shown_html(local_run)).text


def test_children_are_shown_with_their_status_and_links(local_run, capsys):
    for name in ("fold0", "fold1"):
        local_run.child_run(name).complete()
    child = local_run.child_run("fold2")
    page = Page(shown_html(local_run))
    RunDetails(local_run).show()

    assert "1 Running, 2 Completed" in page.text
    assert "fold2 ● Running" in page.text
    assert child.get_portal_url() in page.links
    assert "Children: 1 Running, 2 Completed\n    fold2: Running" in capsys.readouterr().out


def test_files_are_shown_by_name_and_lead_to_their_page(local_run, tmp_path):
    image = tmp_path / "a b#.png"
    image.write_bytes(b"\x89PNG\r\n\x1a\n")
    local_run.upload_file("a b#.png", image)
    local_run.log_confusion_matrix("matrix", {"data": {}})
    local_run._writer.append_artifact("picture", "a b#.png", "azureml.v2.image")
    page = Page(shown_html(local_run))

    assert "picture a b#.png" in page.text
    assert any(f"{local_run.id}/artifacts/a%20b_x23_.png?" in link for link in page.links)
    assert any(f"{local_run.id}/artifacts/matrix?" in link for link in page.links)


def test_what_a_script_chose_is_text_and_never_markup(local_exp):
    run = local_exp.start_logging(snapshot_directory=None, display_name=HOSTILE)
    run.log(HOSTILE, HOSTILE)
    run.log_list(HOSTILE + "list", [1, 2, 3])
    run.log_table(HOSTILE + "table", {HOSTILE: [HOSTILE, "b"]})
    run.child_run(HOSTILE.replace(">", "")).complete()
    run.fail(HOSTILE)
    page = Page(shown_html(run))

    assert page.tags <= TAGS
    assert page.attributes <= ATTRIBUTES
    assert page.text.count("<img src=x onerror=alert(1)>") >= 5


@given(
    name=st.text(),
    value=st.one_of(
        st.text(),
        st.integers(),
        st.floats(),
        st.none(),
        st.lists(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())),
        st.dictionaries(st.text(), st.lists(st.one_of(st.floats(), st.text()), min_size=3, max_size=3), min_size=1),
        st.builds(File, st.text(), st.text()),
    ),
    words=st.text(),
)
def test_any_metric_can_be_shown(name, value, words):
    children = [Child(words, words, words, words, 0, None)]
    run = facts(name=words, experiment=words, error=words, metrics={name: value}, children=children, trouble=words)
    page = Page(html(run))

    assert page.tags <= TAGS
    assert page.attributes <= ATTRIBUTES
    assert text(run).startswith("Run ")


def test_of_much_a_part_is_shown_and_the_rest_is_counted():
    metrics = {f"m{number}": 1 for number in range(70)}
    metrics = {"table": {f"c{number}": list(range(1000)) for number in range(30)}, "long": "x" * 10_000, **metrics}
    children = [Child(str(number), f"child{number}", "http://x", "Completed", 0, 1) for number in range(1000)]
    run = facts(metrics=metrics, children=children, has_more_children=True)

    for shown in (html(run), text(run)):
        assert "22 more metrics in the MLflow UI" in shown
        assert "the newest 1000: 1000 Completed" in shown
        assert "1000 rows of c0, c1, c2" in shown
        assert len(shown) < 100_000
    page = Page(html(run))
    assert " 4 4 4 " in page.text
    assert " 995 995 995 " in page.text
    assert " 500 500 " not in page.text
    assert "and 20 more" in page.text


@pytest.mark.parametrize(
    ("ended", "shown"), [(1500, "1.5 s"), (65_000, "1 min 5 s"), (7_384_000, "2 h 3 min"), (-5, "0.0 s")]
)
def test_durations_are_said_in_two_units(ended, shown):
    assert f"1970-01-01 00:00:00 UTC, {shown}" in text(facts(ended=ended))


# -- charts ---------------------------------------------------------------------------------------------------


def points(svg):
    return [tuple(map(float, pair)) for pair in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", svg)]


def test_a_chart_goes_from_the_lowest_to_the_highest_value_over_the_whole_width():
    assert points(sparkline([0, 10, 5], "")) == [(3, 25), (80, 3), (157, 14)]


def test_equal_values_are_a_line_in_the_middle():
    assert points(sparkline([7.5] * 3, "")) == [(3, 14), (80, 14), (157, 14)]


def test_what_is_no_number_is_a_gap():
    svg = sparkline([1, 2, float("nan"), 4, float("inf"), 2], "")

    assert svg.count("M") == 3
    assert svg.count("<circle") == 2  # the lone 4, and the end
    assert "nan" not in svg
    assert "inf" not in svg


def test_the_farthest_floats_can_be_drawn():
    assert points(sparkline([-1.7e308, 1.7e308], "")) == [(3, 25), (157, 3)]


def test_a_hundred_thousand_points_are_a_small_chart_that_keeps_the_one_outlier():
    values = [0.0] * 100_000
    values[31_415] = 1.0
    svg = sparkline(values, "")

    assert len(svg) < 10_000
    assert min(y for _, y in points(svg)) == 3
    assert points(svg)[-1][0] == 157


# -- where it is shown ----------------------------------------------------------------------------------------


@pytest.fixture
def notebook(monkeypatch):
    """Stands for IPython with a shell; what was displayed."""
    displayed = []
    ipython, display = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = lambda: object()
    display.display = lambda bundle, *, raw: displayed.append(bundle)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return displayed


def test_a_notebook_gets_html_and_text_for_where_only_text_can_be_shown(local_run, notebook, capsys):
    capsys.readouterr()
    RunDetails(local_run).show()
    [bundle] = notebook

    assert bundle.keys() == {"text/html", "text/plain"}
    assert "svg" not in bundle["text/plain"]
    assert bundle["text/plain"].startswith("Run ")
    assert Page(bundle["text/html"]).text.startswith(local_run.display_name)
    assert capsys.readouterr().out == ""


def test_without_a_shell_ipython_alone_changes_nothing(local_run, notebook, capsys):
    sys.modules["IPython"].get_ipython = lambda: None
    RunDetails(local_run).show()

    assert notebook == []
    assert "experiment experiment: Running" in capsys.readouterr().out


@pytest.mark.parametrize(("value", "is_shown"), [("0", False), ("1", True), ("", True)])
def test_azures_switch_for_showing_nothing_is_heeded(local_run, capsys, monkeypatch, value, is_shown):
    monkeypatch.setenv("AMLWIDGET_RENDER", value)
    capsys.readouterr()
    RunDetails(local_run).show()

    assert bool(capsys.readouterr().out) == is_shown


def test_trouble_with_the_display_is_no_trouble_of_the_script(local_run, caplog):
    def fail(source):
        raise RuntimeError("no display")

    assert RunDetails(local_run).show(render_lib=fail) is None
    assert "Cannot show the run: no display" in caplog.text


def test_nothing_heavy_is_imported_for_it():
    code = "import azml_compat.widgets, sys; print({'mlflow', 'IPython', 'ipywidgets', 'logging'} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY, timeout=120)

    assert done.stdout == "set()\n"


# -- a store that is away -------------------------------------------------------------------------------------


@pytest.fixture
def gate(server, monkeypatch):
    made = Gate(server)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", made.address)
    yield made
    made.shut()


@pytest.mark.parametrize("absence", ["shut", "hang"])
def test_a_server_that_is_away_is_said_and_not_waited_for(gate, capsys, absence):
    run = Experiment(Workspace("s", "g", "w"), "away").start_logging(snapshot_directory=None, outputs=False)
    run.log("a", 1)
    getattr(gate, absence)()
    capsys.readouterr()

    began = time.monotonic()
    RunDetails(run).show()
    seconds = time.monotonic() - began

    shown = capsys.readouterr().out
    assert seconds < 20
    assert "Not all is shown: " in shown
    assert "Running" in shown
    assert "the tracking server does not answer" in shown

    gate.open()
    RunDetails(run).show()
    assert re.search(r"a +1\n", capsys.readouterr().out)
    run.complete()


# -- Azure's surface ------------------------------------------------------------------------------------------


def test_the_surface_is_azures():
    parameters = inspect.signature(RunDetails.show).parameters
    assert widgets.__all__ == ["ParallelRunStepDetails", "RunDetails"]
    assert list(inspect.signature(RunDetails).parameters) == ["run_instance"]
    assert [(name, value.default) for name, value in parameters.items()][1:] == [
        ("render_lib", None),
        ("widget_settings", None),
    ]
    assert list(inspect.signature(RunDetails.get_widget_data).parameters) == ["self", "widget_settings"]
    assert list(inspect.signature(ParallelRunStepDetails).parameters) == [
        *("run_instance", "step_name", "workspace", "run_id", "step_run_id")
    ]


@pytest.mark.parametrize("other", [None, "a run id", object(), _OfflineRun()])
def test_what_is_no_run_is_refused_at_once(other):
    with pytest.raises(AttributeError):
        RunDetails(other)


def test_parallel_steps_are_refused_with_what_to_do():
    with pytest.raises(NotSupportedError, match="RunDetails") as caught:
        ParallelRunStepDetails(step_name="step")

    assert caught.value.path == "azureml.widgets.ParallelRunStepDetails"


def test_the_widgets_data_is_there_under_the_originals_keys(local_run):
    local_run.log("accuracy", 0.93)
    local_run.log_row("progress", epoch=1, note="cold")
    local_run.log_row("progress", epoch=2, note="better")
    child = local_run.child_run("fold")
    child.complete()
    data = RunDetails(local_run).get_widget_data({"debug": True})

    assert data["status"] == "Running"
    assert data["run_id"] == local_run.id
    assert data["workbench_run_details_uri"] == local_run.get_portal_url()
    assert data["widget_settings"] == {"debug": True}
    assert data["run_properties"]["end_time_utc"] is None
    assert [(found["run_id"], found["status"]) for found in data["child_runs"]] == [(child.id, "Completed")]
    assert {metric["name"]: metric for metric in data["run_metrics"]} == {
        "accuracy": {
            "name": "accuracy",
            "run_id": local_run.id,
            "categories": [0],
            "series": [{"name": "accuracy", "data": [0.93]}],
        },
        "progress": {
            "name": "progress",
            "run_id": local_run.id,
            "categories": [0, 1],
            "series": [{"name": "epoch", "data": [1, 2]}, {"name": "note", "data": ["cold", "better"]}],
        },
    }
