"""Notebooks in real kernels: executed from beginning to end, ended in every way, and looked at."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from azml_compat import Workspace, _notebook

_WHY = "Jupyter is not installed (extra `notebook`)"
pytest.importorskip("ipykernel", reason=_WHY)
nbclient = pytest.importorskip("nbclient", reason=_WHY)
nbformat = pytest.importorskip("nbformat", reason=_WHY)
from jupyter_client import KernelManager  # noqa: E402 - only where it is installed
from traitlets.config import Config  # noqa: E402 - the same

pytestmark = pytest.mark.extra

REPOSITORY = Path(__file__).parents[1]
SECONDS = 120
HOSTILE = "<b onclick=alert(1)>loss</b>"
LOAD = "%load_ext azml_compat"
START = """\
from azureml.core import Experiment, Run, Workspace
run = Experiment(Workspace.from_config(), "trial").start_logging(snapshot_directory=None)
run.log("before", 1)
"""


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory):
    """Jupyter and IPython without what their user has set up, and patient with kernels on a busy machine."""
    folder = tmp_path_factory.mktemp("jupyter")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            patch.setenv(name, str(folder / name.lower()))
            (folder / name.lower()).mkdir()
        yield Config({"KernelManager": {"shutdown_wait_time": SECONDS}})


def environment(uri, home):
    foreign = ("MLFLOW_", "AZUREML_", "AZML_COMPAT_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    own = {"AZML_COMPAT_BACKGROUND": "0", "AZML_COMPAT_HOME": str(home), "MLFLOW_DISABLE_TELEMETRY": "true"}
    return {**env, **own, "MLFLOW_TRACKING_URI": uri, "PYTHONPATH": str(REPOSITORY)}


def execute(config, env, folder, *cells, allow_errors=False):
    """Execute a notebook to its end, or to its first error; the notebook with its outputs."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    resources = {"metadata": {"path": str(folder)}}
    client = nbclient.NotebookClient(
        notebook,
        config=config,
        timeout=SECONDS,
        startup_timeout=SECONDS,
        resources=resources,
        allow_errors=allow_errors,
    )
    try:
        client.execute(env=env)
    except nbclient.exceptions.CellExecutionError as error:
        assert not allow_errors
        notebook.metadata["error"] = error.ename
    return notebook


@pytest.fixture
def env(sqlite_uri, tmp_path, monkeypatch):
    """The environment of a kernel; this process looks at the same store."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    monkeypatch.setenv("AZML_COMPAT_HOME", str(tmp_path / "home"))
    return environment(sqlite_uri, tmp_path / "home")


def runs_of(experiment="trial"):
    """The runs of an experiment, oldest first."""
    return list(Workspace("s", "g", "w").experiments[experiment].get_runs(include_children=True))[::-1]


def texts(cell, name="stdout"):
    return "".join(output.text for output in cell.outputs if output.output_type == "stream" and output.name == name)


# -- a notebook that goes well --------------------------------------------------------------------------------

NOTEBOOK = {
    "load": LOAD,
    "start": f"{START}import math",
    "log": f"""\
run.log("accuracy", 0.93)
run.log_list("fibonacci", [1, 1, 2, 3, 5, 8])
for step in range(3000):
    run.log({HOSTILE!r}, math.exp(-step / 600) + 0.1 * math.sin(step / 9))
run.log_list("with gaps", [1.0, 2.0, math.nan, 4.0, math.inf, 2.0, 3.0])
run.log("phase", "warm up & <script>alert(1)</script>")
for epoch in range(12):
    run.log_row("progress", epoch=epoch, note=f"epoch {{epoch}}", score=epoch ** 0.5)
run.log_confusion_matrix("confusion", {{"data": {{"class_labels": ["a", "b"], "matrix": [[1, 2], [3, 4]]}}}})
""",
    "children": """\
for number in range(3):
    child = run.child_run(f"fold{number}")
    child.log("score", number)
    child.complete()
run.child_run("left open").log("score", 9)
""",
    "details": "from azureml.widgets import RunDetails\nRunDetails(run).show()",
    "run": "run",
    "experiment": "run.experiment",
    "workspace": "run.experiment.workspace",
    "with": """\
with run.experiment.start_logging(snapshot_directory=None) as inner:
    print("printed inside")
    inner.log("inside", 1)
""",
    "context": """\
context = Run.get_context()
context.log("from", "the context")
open("outputs/model.txt", "w").write("model")
""",
    "failed": """\
failed = run.experiment.start_logging(snapshot_directory=None)
failed.fail("the disk is <full>")
RunDetails(failed).show()
""",
    "end": "print('the end')",
}


@pytest.fixture(scope="module")
def executed(jupyter, template_database, tmp_path_factory):
    """The cells of the notebook by name, executed, with its file and the address of its store."""
    folder = tmp_path_factory.mktemp("notebook")
    shutil.copyfile(template_database, folder / "mlflow.db")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    notebook = execute(jupyter, environment(uri, folder / "home"), folder, *NOTEBOOK.values())
    nbformat.write(notebook, folder / "notebook.ipynb")
    cells = dict(zip(NOTEBOOK, notebook.cells, strict=True))
    assert "error" not in notebook.metadata
    return {"uri": uri, "file": folder / "notebook.ipynb", **cells}


@pytest.fixture
def store(executed, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", executed["uri"])


def test_a_run_says_once_where_it_is(executed, store):
    run = runs_of()[0]

    assert texts(executed["start"]).count(run.get_portal_url()) == 1
    assert [name for name in NOTEBOOK if run.get_portal_url() in texts(executed[name])] == ["start"]
    assert [texts(executed[name], "stderr") for name in NOTEBOOK] == [""] * len(NOTEBOOK)


def test_what_the_cells_logged_is_there_and_the_end_of_the_kernel_completes_what_they_left_open(executed, store):
    runs = runs_of()
    run = runs[0]
    metrics = run.get_metrics()
    children = list(run.get_children())

    assert run.get_status() == "Completed"
    assert metrics["accuracy"] == 0.93
    assert metrics["fibonacci"] == [1, 1, 2, 3, 5, 8]
    assert len(metrics[HOSTILE]) == 3000
    assert metrics["progress"]["note"][:2] == ["epoch 0", "epoch 1"]
    assert [child.get_metrics() for child in children] == [{"score": value} for value in (9, 2, 1, 0)]
    assert {child.get_status() for child in children} == {"Completed"}
    assert [found.get_status() for found in runs if found.get_metrics().get("inside")] == ["Completed"]


def test_the_details_are_html_and_text(executed):
    [output] = executed["details"].outputs

    assert output.output_type == "display_data"  # and nothing is returned
    assert output.data["text/html"].count("<svg") == 5
    assert "Completed" in output.data["text/html"]
    assert output.data["text/plain"].startswith("Run ")
    assert "Children: 1 Running, 3 Completed" in output.data["text/plain"]


def test_runs_and_experiments_show_themselves_as_tables_and_workspaces_as_text(executed):
    shown = {name: executed[name].outputs[0].data for name in ("run", "experiment", "workspace")}
    heads = {name: re.findall("<th>(.*?)</th>", data.get("text/html", "")) for name, data in shown.items()}

    assert heads == {
        "run": ["Experiment", "Id", "Type", "Status", "Details Page", "Docs Page"],
        "experiment": ["Name", "Workspace", "Report Page", "Docs Page"],
        "workspace": [],
    }
    assert shown["workspace"]["text/plain"].startswith("Workspace.create(name=")


def test_what_a_with_block_prints_is_in_the_notebook_and_in_the_runs_log(executed, store):
    [inner] = [run for run in runs_of() if run.get_metrics().get("inside")]

    assert "printed inside\n" in texts(executed["with"])
    assert "printed inside" in inner.get_details_with_logs()["logFiles"]["logs/user_log.txt"]


def test_the_context_is_a_run_of_an_experiment_named_after_the_notebook(executed, store):
    [run] = runs_of("notebook")

    assert run.get_status() == "Completed"
    assert run.get_metrics() == {"from": "the context"}
    assert run.get_file_names() == ["outputs/model.txt"]


# -- cells that fail ------------------------------------------------------------------------------------------

DOORS = {
    "load_ext": LOAD,
    "install": "import azml_compat\nazml_compat.install()",
    "changed imports": "import azml_compat",
}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_a_cell_that_fails_ends_the_notebook_and_fails_its_runs(jupyter, env, tmp_path, door):
    start = START.replace("azureml", "azml_compat") if "import azml_compat" in door and "install" not in door else START
    child = "child = run.child_run('child')"
    notebook = execute(
        jupyter, env, tmp_path, door, start, child, "raise KeyError('what went wrong')", "run.complete()"
    )
    runs = runs_of()

    assert notebook.metadata["error"] == "KeyError"
    assert notebook.cells[-1].execution_count is None
    assert [run.get_status() for run in runs] == ["Failed", "Failed"]
    assert runs[0].get_metrics() == {"before": 1}
    message = "User program failed with KeyError: 'what went wrong'"
    assert {run.get_details()["error"]["error"]["message"] for run in runs} == {message}


def test_a_later_cell_that_goes_well_makes_up_for_an_error(jupyter, env, tmp_path):
    execute(jupyter, env, tmp_path, LOAD, START, "1 / 0", "not python", "run.log('after', 2)", allow_errors=True)
    [run] = runs_of()

    assert run.get_status() == "Completed"
    assert run.get_metrics() == {"before": 1, "after": 2}


# -- how kernels end ------------------------------------------------------------------------------------------


@contextmanager
def kernel(config, env, folder):
    """Yield the manager and the client of a kernel that has a run open."""
    manager = KernelManager(config=config)
    manager.start_kernel(env=env, cwd=str(folder))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=SECONDS)
        for code in (LOAD, START):
            reply = client.execute_interactive(code, timeout=SECONDS, output_hook=lambda message: None)
            assert reply["content"]["status"] == "ok", reply
        yield manager, client
    finally:
        client.stop_channels()
        if manager.is_alive():
            manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


def begin_to_wait(client):
    """Execute a cell that takes very long, until it runs."""
    client.execute("print('waits', flush=True)\nimport time\ntime.sleep(600)")
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        message = client.get_iopub_msg(timeout=SECONDS)
        if message["msg_type"] == "stream" and "waits" in message["content"]["text"]:
            return
    raise AssertionError("the cell did not begin")


def wait_for_end(manager):
    deadline = time.monotonic() + SECONDS
    while manager.is_alive() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not manager.is_alive()


def test_a_cell_that_its_user_stops_fails_nothing(jupyter, env, tmp_path):
    with kernel(jupyter, env, tmp_path) as (manager, client):
        begin_to_wait(client)
        manager.interrupt_kernel()
        assert client.get_shell_msg(timeout=SECONDS)["content"]["ename"] == "KeyboardInterrupt"
        manager.shutdown_kernel()
    [run] = runs_of()

    assert run.get_status() == "Completed"


def test_restarting_ends_the_runs_and_the_new_kernel_begins_anew(jupyter, env, tmp_path):
    with kernel(jupyter, env, tmp_path) as (manager, client):
        client.execute_interactive("1 / 0", timeout=SECONDS, output_hook=lambda message: None)
        manager.restart_kernel()
        client.wait_for_ready(timeout=SECONDS)
        client.execute_interactive(f"{LOAD}\n{START}", timeout=SECONDS, output_hook=lambda message: None)
        manager.shutdown_kernel()
    runs = runs_of()

    assert [run.get_status() for run in runs] == ["Failed", "Completed"]
    assert "ZeroDivisionError" in runs[0].get_details()["error"]["error"]["message"]


@pytest.mark.parametrize(
    ("cell", "status"),
    [("run.log('after', 2)", "Completed"), ("raise ValueError('last')", "Failed"), (None, "Canceled")],
    ids=["after a good cell", "after an error", "in a cell"],
)
def test_sigterm_cuts_short_only_a_cell_that_runs(jupyter, env, tmp_path, cell, status):
    with kernel(jupyter, env, tmp_path) as (manager, client):
        if cell is None:
            begin_to_wait(client)
        else:
            client.execute_interactive(cell, timeout=SECONDS, output_hook=lambda message: None)
        manager.signal_kernel(signal.SIGTERM)
        wait_for_end(manager)
    [run] = runs_of()

    assert run.get_status() == status
    assert ("ValueError: last" in str(run.get_details().get("error"))) == (status == "Failed")


@pytest.mark.parametrize(
    ("session", "in_vs_code", "name"),
    [
        ("/home/me/my study.ipynb", None, "my study"),
        ("study.ipynb-jvsc-1a2b", None, "study"),
        ("", "/home/me/other.ipynb", "other"),
        ("", None, "notebook"),
    ],
)
def test_a_notebook_is_named_by_whoever_started_its_kernel(monkeypatch, session, in_vs_code, name):
    shell = SimpleNamespace(kernel=object(), user_ns={"__vsc_ipynb_file__": in_vs_code} if in_vs_code else {})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setenv("JPY_SESSION_NAME", session)

    assert _notebook.name() == name


# -- IPython in a terminal ------------------------------------------------------------------------------------


def ipython(env, folder, *arguments, code_of_exit=0):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "IPython", "--no-banner", "--colors=NoColor", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=SECONDS,
        env=env,
        cwd=folder,
    )
    assert done.returncode == code_of_exit, done.stdout + done.stderr
    return done.stdout


def test_a_terminal_gets_the_details_as_text(jupyter, env, tmp_path):
    code = f"get_ipython().run_line_magic('load_ext', 'azml_compat')\n{START}\n"
    shown = ipython(env, tmp_path, "-c", f"{code}from azureml.widgets import RunDetails\nRunDetails(run).show()")
    [run] = runs_of()

    assert f"of experiment trial: Running\n  Id: {run.id}\n" in shown
    assert "<" not in shown
    assert run.get_status() == "Completed"


@pytest.mark.parametrize(("end", "code_of_exit"), [("raise ValueError", 1), ("import sys; sys.exit(3)", 3)])
def test_a_script_that_fails_in_ipython_fails_its_run(jupyter, env, tmp_path, end, code_of_exit):
    code = f"import azml_compat; azml_compat.install()\n{START}\n{end}"
    (tmp_path / "script.py").write_text(code)
    ipython(env, tmp_path, "script.py", code_of_exit=code_of_exit)
    [run] = runs_of()

    assert run.get_status() == "Failed"
    assert f"exit code {code_of_exit}" in str(run.get_details()["error"])


def test_the_extension_can_be_loaded_unloaded_and_reloaded(jupyter, env, tmp_path):
    code = """\
import sys
run = get_ipython().run_line_magic
run("load_ext", "azml_compat")
import azureml.core
assert azureml.core.Run.__module__ == "azml_compat.core.run"
run("unload_ext", "azml_compat")
assert not any(name.split(".")[0] == "azureml" for name in sys.modules)
run("reload_ext", "azml_compat")
import azureml.core
print("done")
"""
    assert ipython(env, tmp_path, "-c", code).endswith("done\n")


# -- what a person sees ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chromium():
    from tests import browsing  # skips where there is no playwright

    if browsing.CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with browsing.browser_context(viewport={"width": 1100, "height": 1400}) as context:
        # The pages ask for MathJax, from a place that tests do not depend on.
        context.route(re.compile("^https?:"), lambda route: route.abort())
        yield context


@pytest.fixture(params=["light", "dark"])
def page(request, executed, chromium, tmp_path):
    """The notebook as a page, in each of Jupyter's themes; what it showed is left in page.png."""
    command = [sys.executable, "-W", "ignore", "-m", "nbconvert", "--to", "html", "--theme", request.param]
    options = ["--output-dir", str(tmp_path), "--output", "page.html", str(executed["file"])]
    subprocess.run([*command, *options], check=True, capture_output=True, timeout=SECONDS)
    page = chromium.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    yield page
    page.screenshot(path=tmp_path / "page.png", full_page=True)
    page.close()


@pytest.mark.browser
def test_the_details_look_right_in_both_themes(page):
    details, failed = page.locator(".jp-OutputArea-output").filter(has_text=re.compile("Experiment trial ·")).all()
    charts = details.locator("svg")
    text = details.inner_text()

    assert charts.count() == 5
    for chart in charts.all():
        box = chart.bounding_box()
        assert (box["width"], box["height"]) == (160, 28)
        line = chart.locator("path").bounding_box()
        assert line["width"] > 100
        assert line["height"] > 10
        assert box["y"] <= line["y"]
        assert line["y"] + line["height"] <= box["y"] + box["height"]
    for part in (
        "Running",
        HOSTILE,
        "3000 values",
        "warm up & <script>alert(1)</script>",
        "12 rows of epoch, note, score",
    ):
        assert part in text
    assert "left open" in text
    assert "Error: the disk is <full>" in failed.inner_text()
    assert details.evaluate("element => element.scrollWidth <= element.clientWidth")


CONTRAST = """
element => {
    const channels = color => color.match(/[\\d.]+/g).map(Number);
    const linear = part => part <= .03928 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4;
    const light = color => {
        const [red, green, blue] = channels(color).map(value => linear(value / 255));
        return .2126 * red + .7152 * green + .0722 * blue;
    };
    const isClear = color => (channels(color)[3] ?? 1) === 0;
    let behind = element;
    while (isClear(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
    const ground = light(getComputedStyle(behind).backgroundColor);
    const style = getComputedStyle(element);
    const mark = light(element.tagName === 'path' ? style.stroke : style.color);
    return (Math.max(mark, ground) + .05) / (Math.min(mark, ground) + .05);
}
"""
"""How much an element stands out from what is behind it, as WCAG counts: 1 not at all, 21 black on white."""


@pytest.mark.browser
def test_charts_keep_their_size_where_there_is_little_room(page):
    page.set_viewport_size({"width": 500, "height": 1000})
    charts = page.locator(".jp-OutputArea-output svg")

    assert {chart.bounding_box()["width"] for chart in charts.all()} == {160}
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.browser
def test_text_and_charts_stand_out_from_the_page(page):
    details = page.locator(".jp-OutputArea-output:has(svg)").first

    # What is asked of text, and of graphics.
    for cell in details.locator("td, th, div > b").all():
        assert cell.evaluate(CONTRAST) >= 4.5
    for mark in details.locator("svg path, span[aria-hidden]").all():
        assert mark.evaluate(CONTRAST) >= 3
