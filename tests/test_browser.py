"""What a person sees: scripts write to a real `mlflow server`, and headless Chromium looks at its UI.

The pages are those that the scripts' own links lead to. Selectors are texts, roles and labels where MLflow has them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from azml_compat._metrics import escape_key
from tests.browsing import MARKS, browser_context, expect
from tests.conftest import mlflow_server

pytestmark = MARKS

ROOT = Path(__file__).parents[1]
FIBONACCI = [1, 1, 2, 3, 5, 8, 13, 21, 34, 55]
REPEATS = [1, 1, 2, 2, 5, 5, 13, 13, 13, 13]

SCRIPT = """\
import json
import pathlib

import matplotlib.pyplot as plt
from azureml.core import Experiment, Workspace
from azureml.widgets import RunDetails
from matplotlib.figure import Figure

exp = Experiment(Workspace.from_config(), "rich")

run = exp.start_logging(display_name="rich run", description="Trained **by hand**.", tags={"team": "vision"})
run.set_tags({"reviewed": None, "share (of 100%)": "half"})
run.add_properties({"dataset": "v3"})
run.log("accuracy", 0.93)
run.log("converged", True)
run.log("model kind", "resnet50")
run.log("phase", "warmup")
run.log("phase", "training")
for value in (1.0, 0.5, 0.5, 0.25):
    run.log("loss (train)", value)
run.log("prec@1", 0.7)
run.log("100%", 100)
for epoch, (note, value) in enumerate([("cold start", 0.1), ("better", 0.5), ("done & <b>dusted</b>", 0.9)]):
    run.log_row("progress", epoch=epoch, note=note, value=value)
run.log_table("animals (all)", {"name": ["zebra", "yak", None], "legs": [4, 4, 0]})

plt.plot([1, 4, 9])
run.log_image("from pyplot", plot=plt)
figure = Figure()
figure.subplots().plot([3, 1, 2])
run.log_image("from figure", plot=figure)
figure.savefig("saved.png")
run.log_image("from path", path="saved.png")
run.log_confusion_matrix("confusion", {"schema_type": "confusion_matrix", "schema_version": "v1", "data": {
    "class_labels": ["cat", "dog"], "matrix": [[30, 2], [3, 28]]}})
run.log_accuracy_table("accuracies", {"schema_type": "accuracy_table", "schema_version": "v1", "data": {
    "probability_tables": [[[82, 118, 0, 0], [75, 31, 87, 7], [0, 0, 118, 82]]],
    "percentile_tables": [[[82, 118, 0, 0], [82, 67, 51, 0], [3, 0, 118, 79]]],
    "probability_thresholds": [0.0, 0.5, 1.0], "percentile_thresholds": [0.0, 0.5, 1.0], "class_labels": ["0"]}})
run.log_residuals("residuals", {"schema_type": "residuals", "schema_version": "v1", "data": {
    "bin_edges": [-1, 0, 1], "bin_counts": [40, 38]}})
run.log_predictions("predictions", {"schema_type": "predictions", "schema_version": "v1", "data": {
    "bin_averages": [0.25, 0.75], "bin_errors": [0.1, 0.2], "bin_counts": [10, 20], "bin_edges": [0, 0.5, 1.0]}})

pathlib.Path("notes.txt").write_text("uploaded notes")
run.upload_file("files/notes #1 50%.txt", "notes.txt")
pathlib.Path("outputs/deep").mkdir()
pathlib.Path("outputs/model.txt").write_text("weights: 1 2 3")
pathlib.Path("outputs/deep/curve.txt").write_text("deep inside")
run.complete()
details = []
RunDetails(run).show(render_lib=details.append)

quiet = {"snapshot_directory": None, "outputs": False}
parent = exp.start_logging(display_name="parent run", **quiet)
for number in range(3):
    child = parent.child_run(f"fold{number}")
    child.log_list("score", [number, number, number + 1])
    child.complete()
parent.complete()

with exp.start_logging(display_name="with run", **quiet) as run:
    print("hello from the with block")

exp.start_logging(display_name="failed run", **quiet).fail("the disk is full")
exp.start_logging(display_name="canceled run", **quiet).cancel()

links = {run.display_name: run.get_portal_url() for run in exp.get_runs(include_children=True)}
print(json.dumps({"experiment": exp.get_portal_url(), "runs": links, "details": details[0]}))
"""


@dataclass(frozen=True)
class Site:
    address: str
    experiment: str
    """The link of the experiment `rich`."""
    runs: dict[str, str]
    """The link of each of its runs, by display name."""
    details: str
    """What RunDetails shows of the `rich run`, as HTML."""
    trial: list[str]
    """The links that examples/trial.py printed."""


@pytest.fixture(scope="module")
def site(tmp_path_factory, template_database):
    """An MLflow server with what two scripts, each in a process of its own, have logged."""
    folder = tmp_path_factory.mktemp("browser")
    shutil.copyfile(template_database, folder / "mlflow.db")
    scripts = folder / "scripts"
    scripts.mkdir()
    (scripts / "train.py").write_text(SCRIPT)
    with mlflow_server(f"sqlite:///{folder / 'mlflow.db'}", folder) as address:
        trial = _run_script(ROOT / "examples" / "trial.py", scripts, address)
        shown = json.loads(_run_script(scripts / "train.py", scripts, address).splitlines()[-1])
        yield Site(address, **shown, trial=re.findall(rf"{address}/\S+/runs/\S+", trial))


def _run_script(script: Path, folder: Path, address: str) -> str:
    foreign = ("MLFLOW_", "AZUREML_", "AZML_COMPAT_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    done = subprocess.run(
        [sys.executable, "-m", "azml_compat", str(script)],
        cwd=folder,
        env={
            **env,
            "MLFLOW_TRACKING_URI": address,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MPLBACKEND": "agg",
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def chromium():
    """A headless browser, which has seen MLflow's UI before."""
    with browser_context(viewport={"width": 1500, "height": 1600}) as context:
        # On a first visit MLflow's assistant opens over a quarter of the page.
        context.add_init_script(
            "localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true');"
            "localStorage.setItem('mlflow.assistant.panelOpen_v1', 'false');"
        )
        yield context


@pytest.fixture
def page(chromium, tmp_path):
    """An empty page; what it showed last is left in page.png."""
    page = chromium.new_page()
    yield page
    page.screenshot(path=tmp_path / "page.png")
    page.close()


def below(link, path):
    """Return the address of a page below a run's."""
    address, mark, query = link.partition("?")
    return f"{address}/{path}{mark}{query}"


def link_to(page, name):
    return page.get_by_role("link", name=name, exact=True)


def row_of(page, *cells):
    """Return the row that has these cells, of the tables on a run's page."""
    found = page.get_by_role("row")
    for cell in cells:
        found = found.filter(has=page.get_by_role("cell", name=cell, exact=True))
    return found


def open_file(page, link, path):
    """Open a run's artifacts and click through to a file."""
    page.goto(below(link, "artifacts"))
    for name in path.split("/"):
        page.get_by_label(name, exact=True).click()


def points_of(page, link, metric, count):
    """Return x and y of the points that the chart of a metric shows."""
    page.goto(below(link, "model-metrics"))
    cards = page.get_by_test_id("experiment-view-compare-runs-card")
    chart = cards.filter(has=page.get_by_role("heading", name=metric, exact=True)).locator(".js-plotly-plot")
    chart.scroll_into_view_if_needed()
    expect(chart.locator(".scatterlayer path.point")).to_have_count(count)
    expect(chart.locator(".scatterlayer path.js-line").first).to_be_attached()
    x, y = chart.evaluate("chart => [Array.from(chart.data[0].x), Array.from(chart.data[0].y)]")
    return x, y


def is_loaded(image):
    """Wait until the browser has decoded an image."""
    expect(image).to_be_visible()
    image.evaluate("image => image.decode()")
    return image.evaluate("image => image.naturalWidth") > 0


# -- the demo script ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "scalar", "value", "name", "elements"),
    [(0, "trial", "30", "my list", FIBONACCI), (1, "trial2", "35", "my list2", REPEATS)],
)
def test_the_links_of_the_trial_script_lead_to_its_metrics(page, site, number, scalar, value, name, elements):
    page.goto(site.trial[number])

    expect(row_of(page, scalar, value)).to_be_visible()
    expect(row_of(page, name, str(elements[-1]))).to_be_visible()
    expect(page.get_by_text("Finished", exact=True)).to_be_visible()


@pytest.mark.parametrize(("number", "name", "elements"), [(0, "my list", FIBONACCI), (1, "my list2", REPEATS)])
def test_a_list_is_a_line_over_its_index_with_repeats_kept(page, site, number, name, elements):
    assert points_of(page, site.trial[number], name, len(elements)) == (list(range(len(elements))), elements)


# -- experiments and runs -------------------------------------------------------------------------------------


def test_the_experiment_list_shows_the_experiments(page, site):
    page.goto(f"{site.address}/#/experiments")

    expect(link_to(page, "trial_exp")).to_be_visible()
    expect(link_to(page, "rich")).to_be_visible()


def test_the_link_of_an_experiment_leads_to_its_runs(page, site):
    page.goto(site.experiment)

    expect(link_to(page, "rich run")).to_be_visible(timeout=15_000)


def test_the_run_list_nests_children_below_their_parent(page, site):
    page.goto(f"{site.address}/#/experiments/{re.search('experiments/([0-9]+)', site.experiment)[1]}/runs")
    parent = page.get_by_role("row").filter(has=link_to(page, "parent run"))
    expect(parent).to_be_visible()
    for name in ("rich run", "with run", "failed run", "canceled run"):
        expect(link_to(page, name)).to_be_visible()
    expect(link_to(page, "fold0")).to_have_count(0)

    parent.get_by_role("button").click()

    for number in range(3):
        expect(link_to(page, f"fold{number}")).to_be_visible()


def test_parent_and_children_link_to_each_other(page, site):
    page.goto(site.runs["parent run"])
    link_to(page, "fold1").click()

    expect(row_of(page, "score", "2")).to_be_visible()
    expect(link_to(page, "parent run")).to_be_visible()


# -- the page of a run ----------------------------------------------------------------------------------------


def test_the_page_of_a_run_shows_its_metrics(page, site):
    page.goto(site.runs["rich run"])

    # Of a series the last value is shown.
    for name, value in {
        "accuracy": "0.93",
        "converged": "1",
        "loss (train)": "0.25",
        "prec@1": "0.7",
        "100%": "100",
        "progress.value": "0.9",
    }.items():
        expect(row_of(page, escape_key(name), value)).to_be_attached()


def test_the_page_of_a_run_shows_a_string_as_parameter(page, site):
    page.goto(site.runs["rich run"])

    expect(row_of(page, "model kind", "resnet50")).to_be_visible()


def test_the_page_of_a_run_shows_what_was_said_about_it(page, site):
    page.goto(site.runs["rich run"])

    expect(page.get_by_role("heading", name="rich run")).to_be_visible()
    expect(page.locator("strong", has_text="by hand")).to_be_visible()
    expect(page.get_by_text("train.py", exact=True)).to_be_visible()
    body = page.locator("body")
    expect(body).to_contain_text(re.compile(r"team\s*: vision"))
    expect(body).to_contain_text(re.compile(rf"{re.escape(escape_key('share (of 100%)'))}\s*: half"))
    expect(body).to_contain_text(re.compile(r"property\.dataset\s*: v3"))
    expect(page.get_by_title("reviewed", exact=True).first).to_be_visible()


def test_the_page_of_a_run_hides_our_bookkeeping(page, site):
    page.goto(site.runs["rich run"])
    expect(page.get_by_title("team", exact=True).first).to_be_visible()

    shown = page.locator("body").inner_text()

    run_id = re.search("runs/([0-9a-f]+)", site.runs["rich run"])[1]
    stored = page.request.get(f"{site.address}/api/2.0/mlflow/runs/get?run_id={run_id}").text()
    assert "mlflow.azml." in stored
    assert "azml" not in shown
    assert "loggedArtifacts" not in shown


@pytest.mark.parametrize(("name", "status"), [("failed run", "Failed"), ("canceled run", "Killed")])
def test_the_page_of_a_run_shows_how_it_ended(page, site, name, status):
    page.goto(site.runs[name])

    expect(page.get_by_text(status, exact=True)).to_be_visible()


# -- charts ---------------------------------------------------------------------------------------------------


def test_a_scalar_logged_again_and_again_is_a_line(page, site):
    expected = ([0, 1, 2, 3], [1.0, 0.5, 0.5, 0.25])

    assert points_of(page, site.runs["rich run"], escape_key("loss (train)"), 4) == expected


def test_a_numeric_column_of_a_table_is_a_line(page, site):
    assert points_of(page, site.runs["rich run"], "progress.value", 3) == ([0, 1, 2], [0.1, 0.5, 0.9])


# -- tables, images and files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "columns", "cells"),
    [
        (
            "progress",
            ["epoch", "note", "value"],
            ["0", "cold start", "0.1", "1", "better", "0.5", "2", "done & <b>dusted</b>", "0.9"],
        ),
        ("animals", ["name", "legs"], ["zebra", "4", "yak", "4", "null", "0"]),
        ("phase", ["index", "value"], ["0", "warmup", "1", "training"]),
    ],
)
def test_a_table_is_drawn_as_a_table(page, site, metric, columns, cells):
    page.goto(below(site.runs["rich run"], "artifacts"))
    for folder in ("azml_compat", "tables"):
        page.get_by_label(folder, exact=True).click()
    # By its beginning: how a file's name is escaped is said elsewhere.
    page.get_by_label(re.compile(rf"^{metric}\b.*\.json$")).click()

    expect(page.get_by_role("cell")).to_have_text(cells)
    expect(page.get_by_role("columnheader")).to_have_text(columns)


@pytest.mark.parametrize("name", [r"from pyplot_\d+\.png", r"from figure_\d+\.png", r"saved\.png"])
def test_an_image_is_shown(page, site, name):
    page.goto(below(site.runs["rich run"], "artifacts"))

    page.get_by_label(re.compile(f"^{name}$")).click()

    assert is_loaded(page.locator("main img").first)


def test_the_links_of_run_details_lead_to_the_run_and_to_its_files(page, site):
    page.set_content(site.details)
    run, image = (link_to(page, name).get_attribute("href") for name in ("Link to MLflow UI", "saved.png"))
    assert run == site.runs["rich run"]

    page.goto(image)

    assert is_loaded(page.locator("main img").first)


@pytest.mark.parametrize("name", ["confusion", "accuracies", "residuals", "predictions"])
def test_a_json_metric_has_a_picture(page, site, name):
    open_file(page, site.runs["rich run"], f"azml_compat/pictures/{name}.png")

    assert is_loaded(page.locator("main img").first)


@pytest.mark.parametrize(
    ("name", "path", "text"),
    [
        ("rich run", "outputs/model.txt", "weights: 1 2 3"),
        ("rich run", "outputs/deep/curve.txt", "deep inside"),
        ("with run", "logs/user_log.txt", "hello from the with block"),
    ],
)
def test_outputs_and_logs_are_listed_and_shown(page, site, name, path, text):
    open_file(page, site.runs[name], path)

    expect(page.locator("code", has_text=text)).to_be_visible()


def test_a_file_with_marks_in_its_name_is_shown(page, site):
    page.goto(below(site.runs["rich run"], "artifacts"))
    page.get_by_label("files", exact=True).click()
    page.get_by_label(re.compile(r"^notes .*\.txt$")).click()

    expect(page.locator("code", has_text="uploaded notes")).to_be_visible()
