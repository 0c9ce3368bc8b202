"""Submitted scripts: they run on this machine as runs of their own, and their true end is recorded whatever happens."""

from __future__ import annotations

import ast
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid
import zipfile
from contextlib import redirect_stdout
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from azml_compat import Experiment, Run, ScriptRunConfig, Workspace
from azml_compat._jobs.folder import JobFolder, job_folders, jobs_folder
from azml_compat.core import Dataset, Environment, RunConfiguration, ScriptRun
from azml_compat.core.runconfig import (
    Data,
    DataLocation,
    DataPath,
    DockerConfiguration,
    MpiConfiguration,
    OutputData,
    OutputOptions,
    PyTorchConfiguration,
    RegistrationOptions,
    TensorflowConfiguration,
    UploadOptions,
)
from azml_compat.core.runconfig import Dataset as RunDataset
from azml_compat.data import OutputFileDatasetConfig
from azml_compat.exceptions import (
    ActivityFailedException,
    AzureMLException,
    ExperimentExecutionException,
    SnapshotException,
    UserErrorException,
)
from tests.gates import Gate
from tests.waiting import wait_for

REPOSITORY = Path(__file__).parents[1]
SECONDS = 60


@pytest.fixture(autouse=True)
def _own_folders(tmp_path, monkeypatch):
    """Keep copies of sources in the test's own folder, and have scripts find the package."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    yield
    if os.environ["AZML_COMPAT_HOME"] not in _shared_homes:
        _end_supervisor(os.environ["AZML_COMPAT_HOME"])


_shared_homes = set()


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory):
    """A home whose supervisor serves many tests: it takes seconds to load MLflow."""
    home = str(tmp_path_factory.mktemp("shared-home"))
    _shared_homes.add(home)
    yield home
    _end_supervisor(home)


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory, template_database):
    path = tmp_path_factory.mktemp("shared-store") / "mlflow.db"
    path.write_bytes(template_database.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def sexp(shared_home, shared_store, monkeypatch):
    """An empty experiment on sqlite, for what does not depend on the store."""
    monkeypatch.setenv("AZML_COMPAT_HOME", shared_home)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", shared_store)
    return Experiment(Workspace("s", "g", "w"), f"e-{uuid.uuid4().hex[:8]}")


def _end_supervisor(home):
    for pid in _pids_with(f'"azml_compat._jobs.supervisor", "arguments": ["{home}'):
        os.kill(pid, signal.SIGKILL)


def _pids_with(text):
    """Return the processes whose command line holds a text."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                if text.encode() in (folder / "cmdline").read_bytes():
                    found.append(int(folder.name))
            except OSError:
                continue
    return found


def source(code, name="train.py", folder="project"):
    """Write a script into a source directory, and return that."""
    path = Path(folder) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(code))
    return folder


def submit(exp, code, arguments=None, *, tags=None, run_id=None, **config):
    more = {} if run_id is None else {"run_id": run_id}
    return exp.submit(ScriptRunConfig(source(code), "train.py", arguments, **config), tags=tags, **more)


def text_of(run, name="user_logs/std_log.txt"):
    """Return what a run has printed."""
    run.download_file(name, "log.txt")
    return Path("log.txt").read_text()


# What the script sees, and what becomes of it


def test_a_submitted_script_is_a_run_of_its_own_with_all_that_it_leaves(exp):
    run = submit(
        exp,
        """
        import os, sys
        import mlflow
        from azureml.core import Run
        run = Run.get_context()
        for n in range(3):
            run.log("loss", n)
        run.log("kind", "text")
        with mlflow.start_run() as active:
            assert active.info.run_id == run.id
            mlflow.log_metric("plain", 0.5)
        os.makedirs("outputs/deep")
        open("outputs/deep/model.txt", "w").write("model")
        open("logs/own.log", "w").write("log")
        open("lost.txt", "w").write("relative writes stay in the copy")
        print("out", sys.argv[1:])
        print("err", file=sys.stderr)
        print(type(run).__name__, run.experiment.name, os.path.basename(os.getcwd()) == run.id)
        """,
        ["--lr", 0.1, "--name", "a b", "--flag"],
        tags={"who": "me"},
    )
    assert isinstance(run, ScriptRun)
    details = run.wait_for_completion()

    assert details["status"] == run.get_status() == "Completed"
    assert run.type == "azureml.scriptrun"
    assert run.get_metrics() == {"loss": [0, 1, 2], "kind": "text", "plain": 0.5}
    files = {"outputs/deep/model.txt", "logs/own.log", "user_logs/std_log.txt", "azureml-logs/70_driver_log.txt"}
    assert set(run.get_file_names()) == files
    printed = text_of(run)
    assert "out ['--lr', '0.1', '--name', 'a b', '--flag']" in printed
    assert "err\n" in printed
    assert f"_SubmittedRun {exp.name} True" in printed
    assert text_of(run, "azureml-logs/70_driver_log.txt") == printed
    assert run.tags["who"] == "me"
    assert [path.name for path in Path("project").iterdir()] == ["train.py"]
    stored = MlflowClient(exp.workspace.get_mlflow_tracking_uri()).get_run(run.id)
    assert stored.info.status == "FINISHED"
    assert {key: stored.data.params[key] for key in ("lr", "name", "flag")} == {
        "lr": "0.1",
        "name": "a b",
        "flag": "True",
    }


def test_an_exception_fails_the_run_and_is_told_with_its_output_and_files(sexp):
    run = submit(
        sexp,
        """
        from azureml.core import Run
        Run.get_context().log("a", 1)
        open("outputs/partial.txt", "w").write("partial")
        raise ValueError("no such thing")
        """,
    )
    with pytest.raises(ActivityFailedException, match="User program failed with ValueError: no such thing"):
        run.wait_for_completion()

    error = run.get_details()["error"]["error"]
    assert (error["code"], error["message"]) == ("UserError", "User program failed with ValueError: no such thing")
    assert run.get_metrics() == {"a": 1}
    assert "outputs/partial.txt" in run.get_file_names()
    assert "Traceback (most recent call last)" in text_of(run)


@pytest.mark.parametrize(
    ("ending", "status", "reason"),
    [
        ("import sys; sys.exit(0)", "Completed", None),
        ("import sys; sys.exit(3)", "Failed", "exit code 3"),
        pytest.param("import os; os._exit(4)", "Failed", "exit code 4", marks=pytest.mark.extra),
        ("import os; os.kill(os.getpid(), 9)", "Failed", "killed by signal 9"),
    ],
)
def test_the_exit_code_decides(sexp, ending, status, reason):
    run = submit(sexp, ending)
    details = run.wait_for_completion(raise_on_error=False)

    assert details["status"] == status
    assert (reason is None) == ("error" not in details)
    assert reason is None or reason in details["error"]["error"]["message"]


def test_arguments_arrive_as_they_are(sexp):
    words = [
        "--a",
        "a b",
        "ü ☃",
        "$HOME",
        "`id`",
        "'\"",
        "a;b|c&&d",
        "",
        "-1",
        "*",
        "\\n",
        "--",
        "DatasetConsumptionConfig:x",
    ]
    others = [1, 2.5, True, None, [1, "a"], Path("x/y")]
    run = submit(sexp, "import json, sys; print('ARGV' + json.dumps(sys.argv[1:]))", [*words, *others])
    run.wait_for_completion()

    (line,) = [line for line in text_of(run).splitlines() if line.startswith("ARGV")]
    assert json.loads(line[4:]) == [*words, "1", "2.5", "True", "None", "[1, 'a']", "x/y"]


def test_arguments_that_no_command_line_can_hold_are_refused_before_anything_is_done(sexp):
    with pytest.raises(TypeError, match="Object of type object is not JSON serializable"):
        submit(sexp, "", [object()])

    assert list(sexp.get_runs()) == []


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("echo $GIVEN && echo 'two words'", "value\ntwo words\n"),
        (["python", "-c", "import sys; print(sys.argv[1:])", "a b", "$GIVEN"], "['a b', 'value']\n"),
        pytest.param(["echo", "a  b", "&&", "echo", "c"], "a  b\nc\n", marks=pytest.mark.extra),
        pytest.param(["echo one line"], "one line\n", marks=pytest.mark.extra),
    ],
)
def test_a_command_is_run_through_a_shell_only_where_it_is_written_for_one(sexp, command, shown):
    rc = RunConfiguration()
    rc.environment_variables = {"GIVEN": "value"}
    config = ScriptRunConfig(source("", "empty.py"), command=command, run_config=rc)
    run = sexp.submit(config)
    run.wait_for_completion()

    assert text_of(run) == shown


def test_variables_of_the_environment_and_the_configuration_reach_the_script(sexp, monkeypatch):
    monkeypatch.setenv("INHERITED", "1")
    environment = Environment("e")
    environment.environment_variables = {"FROM_ENVIRONMENT": "2", "BOTH": "environment"}
    config = ScriptRunConfig(
        source("import os; print({n: os.environ.get(n) for n in ('INHERITED', 'FROM_ENVIRONMENT', 'OWN', 'BOTH')})"),
        "train.py",
        environment=environment,
    )
    config.run_config.environment_variables = {"OWN": 3, "BOTH": "configuration"}
    run = sexp.submit(config)
    run.wait_for_completion()

    assert "{'INHERITED': '1', 'FROM_ENVIRONMENT': '2', 'OWN': '3', 'BOTH': 'configuration'}" in text_of(run)


def test_the_configuration_that_was_submitted_can_be_used_again(sexp):
    arguments = ["--n", 1]
    config = ScriptRunConfig(source("print(1)"), "train.py", arguments)
    before = repr(config.run_config)
    first, second = sexp.submit(config), sexp.submit(config)
    for run in (first, second):
        run.wait_for_completion()

    assert first.id != second.id
    assert config.arguments is arguments
    assert arguments == ["--n", 1]
    assert repr(config.run_config) == before


# Data


def test_inputs_outputs_and_references_reach_the_script_as_paths(sexp):
    ws = sexp.workspace
    datastore = ws.get_default_datastore()
    Path("data dir").mkdir()
    Path("data dir/a.csv").write_text("x\n1\n")
    Path("data dir/b.csv").write_text("x\n2\n")
    where = f"given/{sexp.name}"
    reference = datastore.upload("data dir", where)
    files = Dataset.File.from_files((datastore, where))
    one = Dataset.File.from_files((datastore, f"{where}/a.csv"))
    table = Dataset.Tabular.from_delimited_files((datastore, f"{where}/*.csv"))
    output = OutputFileDatasetConfig("made", destination=(datastore, f"made/{sexp.name}"))
    run = submit(
        sexp,
        """
        import os, sys
        from azureml.core import Run
        mounted, downloaded, single, table, made, reference = sys.argv[1:]
        run = Run.get_context()
        print(sorted(os.listdir(mounted)), sorted(os.listdir(downloaded)), open(single).read().split())
        print(run.input_datasets["table"].to_pandas_dataframe()["x"].tolist(), run.input_datasets["table"].id == table)
        print(run.input_datasets["mounted"] == mounted, run.output_datasets["made"] == made)
        print(sorted(os.listdir(reference)))
        open(os.path.join(made, "out.txt"), "w").write("made")
        """,
        [
            files.as_named_input("mounted").as_mount(),
            files.as_named_input("downloaded").as_download(),
            one.as_named_input("single").as_mount(),
            table.as_named_input("table"),
            output.register_on_complete(f"made-{sexp.name}"),
            reference,
        ],
    )
    run.wait_for_completion()

    assert text_of(run).splitlines() == [
        "['a.csv', 'b.csv'] ['a.csv', 'b.csv'] ['x', '1']",
        "[1, 2] True",
        "True True",
        "['a.csv', 'b.csv']",
    ]
    (made,) = Dataset.get_by_name(ws, f"made-{sexp.name}").download("made")
    assert Path(made).read_text() == "made"
    inputs = sexp.workspace.service_context.store.client.get_run(run.id).inputs.dataset_inputs
    assert {tag.value for given in inputs for tag in given.tags} == {"mounted", "downloaded", "single", "table"}
    given = {item["consumptionDetails"]["inputName"]: item for item in run.get_details()["inputDatasets"]}
    mechanisms = {name: item["consumptionDetails"]["mechanism"] for name, item in given.items()}
    assert mechanisms == {"mounted": "Mount", "downloaded": "Download", "single": "Mount", "table": "Direct"}
    assert given["table"]["dataset"].to_pandas_dataframe()["x"].tolist() == [1, 2]
    with pytest.raises(UserErrorException, match="as_named_input"):
        submit(sexp, "", [table])


def test_inputs_and_outputs_may_stand_in_the_run_configuration(sexp, tmp_path):
    ws = sexp.workspace
    store = ws.get_default_datastore()
    for name in ("a.csv", "b.csv"):
        Path(name).write_text("x\n1\n")
    where = f"declared/{sexp.name}"
    store.upload_files(["a.csv", "b.csv"], target_path=where, show_progress=False)
    files = Dataset.File.from_files((store, where))
    named = files.register(ws, f"named-{sexp.name}")
    place = str(tmp_path / "place")
    source(
        """
        import os, sys
        from azureml.core import Run
        run = Run.get_context()
        print([sorted(os.listdir(path)) for path in sys.argv[1:4]], sys.argv[4])
        print(sorted(run.input_datasets), run.input_datasets["mine"] == sys.argv[1] == os.environ["mine"])
        open(os.path.join(run.output_datasets["made"], "out.txt"), "w").write("made")
        """
    )
    arguments = [f"DatasetConsumptionConfig:{key}" for key in ("a key", "of_path", "by_name", "by_id")]
    config = ScriptRunConfig("project", "train.py", arguments)
    config.run_config.data = {
        "a key": files.as_named_input("mine").as_mount(place),
        "of_path": Data(DataLocation(data_path=DataPath("workspaceblobstore", where)), mechanism="download"),
        "by_name": Data(DataLocation(dataset=RunDataset(dataset_name=named.name)), mechanism="Mount"),
        "by_id": Data(DataLocation(dataset=RunDataset(dataset_id=named.id)), environment_variable_name="the_id"),
    }
    registration = RegistrationOptions(f"made-{sexp.name}", "what was made", {"a": "b"})
    config.run_config.output_data = {
        "made": OutputData(
            DataLocation(data_path=DataPath(None, f"made/{sexp.name}")),
            "upload",
            OutputOptions("here", registration, UploadOptions(True)),
        )
    }
    for _ in range(2):
        run = sexp.submit(config)
        details = run.wait_for_completion()
        assert text_of(run).splitlines() == [
            f"{[['a.csv', 'b.csv']] * 3} {named.id}",
            "['by_name', 'mine', 'of_path', 'the_id'] True",
        ]
        inputs = {item["consumptionDetails"]["inputName"]: item for item in details["inputDatasets"]}
        assert sorted(inputs) == ["a key", "by_id", "by_name", "of_path"]
        assert inputs["by_id"]["dataset"].id == named.id
        assert details["outputDatasets"] == []
        assert not Path(place).is_symlink()
    made = Dataset.get_by_name(ws, f"made-{sexp.name}")
    assert (made.to_path(), made.version, made.tags) == (["/out.txt"], 2, {"a": "b"})


@pytest.mark.parametrize(
    "data",
    [
        lambda ws: Dataset.File.from_files((ws.get_default_datastore(), "x")),
        lambda ws: Data(),
        lambda ws: Data(DataLocation(dataset=RunDataset(dataset_name="nowhere"))),
    ],
)
def test_what_is_no_input_is_refused_before_there_is_a_run(sexp, data):
    source("")
    config = ScriptRunConfig("project", "train.py")
    config.run_config.data = {"x": data(sexp.workspace)}

    with pytest.raises(UserErrorException):
        sexp.submit(config)
    assert list(sexp.get_runs()) == []


def test_what_is_no_output_is_refused_before_there_is_a_run(sexp):
    source("")
    config = ScriptRunConfig("project", "train.py")
    config.run_config.output_data = {"x": "folder"}

    with pytest.raises(UserErrorException):
        sexp.submit(config)
    assert list(sexp.get_runs()) == []


# The source directory


def test_the_source_is_copied_without_what_is_ignored_and_the_run_keeps_a_snapshot(sexp):
    source("import os; print(sorted(os.path.relpath(os.path.join(p, f)) for p, _, fs in os.walk('.') for f in fs))")
    source("x = 1", "pkg/mod.py")
    source("", "data/big.bin")
    source("", "outputs/old.txt")
    Path("project/.amlignore").write_text("data/\n")
    run = submit(sexp, Path("project/train.py").read_text())
    run.wait_for_completion()

    assert "['.amlignore', 'pkg/mod.py', 'train.py']" in text_of(run)
    assert "outputs/old.txt" not in run.get_file_names()
    with zipfile.ZipFile(run.restore_snapshot(path=".")) as snapshot:
        assert {"train.py", "pkg/mod.py"} <= set(snapshot.namelist())


def test_links_in_the_source_are_followed_and_not_in_circles(sexp):
    source("print('a')", "zreal/a.py")
    source("print('b')", "train/b.py")
    source("")
    for link, target in {
        "alink": "zreal",
        "train/again": "../zreal",
        "train/up": "..",
        "zreal/across": "../train",
    }.items():
        Path("project", link).symlink_to(target)
    source("import os; print(sorted(os.path.relpath(os.path.join(p, f)) for p, _, fs in os.walk('.') for f in fs))")
    run = sexp.submit(ScriptRunConfig("project", "train.py"))
    run.wait_for_completion()

    copied = set(ast.literal_eval(text_of(run)))
    assert {"alink/a.py", "zreal/a.py", "train/b.py", "train/again/a.py", "zreal/across/b.py"} <= copied
    assert not any("up" in Path(file).parts for file in copied)


def test_a_relative_home_means_the_same_to_the_script(sqlite_uri, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    monkeypatch.setenv("AZML_COMPAT_HOME", ".state")
    exp = Experiment(Workspace("s", "g", "w"), "relative")
    run = submit(
        exp,
        """
        import os, signal
        from azureml.core import Run
        Run.get_context().log("a", 1)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
    )
    run.wait_for_completion(raise_on_error=False)
    _end_supervisor(str(Path(".state").absolute()))

    assert (run.get_status(), run.get_metrics()) == ("Failed", {"a": 1})


def test_the_script_must_be_in_the_source_directory(sexp):
    source("")
    Path("elsewhere.py").write_text("")
    for script in ("missing.py", "../elsewhere.py"):
        with pytest.raises(ExperimentExecutionException):
            sexp.submit(ScriptRunConfig("project", script))
    with pytest.raises(FileNotFoundError):
        sexp.submit(ScriptRunConfig("missing", "train.py"))

    assert sexp.submit(ScriptRunConfig("project", "../project/train.py")).wait_for_completion()["status"] == "Completed"


def test_a_source_directory_that_is_too_large_is_refused_at_once(sexp):
    folder = Path(source("", folder="large"))
    for number in range(2_500):
        (folder / f"{number}.txt").touch()
    with pytest.raises(SnapshotException, match=r"2000 files"):
        sexp.submit(ScriptRunConfig("large", "train.py"))

    assert list(sexp.get_runs()) == []


@pytest.mark.extra
@pytest.mark.parametrize("ignored", ["data/", "*.csv"])
def test_a_source_directory_of_100000_ignored_files_is_submitted_without_them(sexp, ignored):
    counting = "import os; run.log('files', sum(len(files) for _, _, files in os.walk('data')))"
    folder = Path(source(f"from azureml.core import Run; run = Run.get_context(); {counting}", folder="huge"))
    (folder / ".amlignore").write_text(ignored)
    for number in range(100_000):
        if number % 1000 == 0:
            (folder / "data" / f"{number}").mkdir(parents=True)
        (folder / "data" / f"{number - number % 1000}" / f"{number}.csv").touch()
    run = sexp.submit(ScriptRunConfig("huge", "train.py"))

    assert run.wait_for_completion()["status"] == "Completed"
    assert run.get_metrics() == {"files": 0}


def test_only_a_script_run_config_can_be_submitted(sexp):
    with pytest.raises(AzureMLException):
        sexp.submit(RunConfiguration())
    with pytest.raises(TypeError, match="show_output"):
        sexp.submit(ScriptRunConfig(source(""), "train.py"), show_output=True)


# Details


def test_details_say_what_was_submitted(sexp):
    environment = Environment("my-env")
    config = ScriptRunConfig(
        source("print(1)"),
        "train.py",
        ["--lr", 0.1],
        environment=environment,
        compute_target="gpu-cluster",
        docker_runtime_config=DockerConfiguration(use_docker=True),
    )
    shown = io.StringIO()
    with redirect_stdout(shown):
        run = sexp.submit(config)
    run.wait_for_completion()
    details = run.get_details()

    assert "gpu-cluster" in shown.getvalue()
    assert details["target"] == "gpu-cluster"
    definition = details["runDefinition"]
    assert (definition["script"], definition["arguments"]) == ("train.py", ["--lr", "0.1"])
    assert definition["environment"]["name"] == "my-env"
    assert set(details["logFiles"]) == {"azureml-logs/70_driver_log.txt", "user_logs/std_log.txt"}
    assert details["properties"]["_azureml.ComputeTargetType"] == "local"
    assert details["properties"]["ContentSnapshotId"] == run.get_snapshot_id()
    tags = MlflowClient(sexp.workspace.get_mlflow_tracking_uri()).get_run(run.id).data.tags
    assert tags["azml.target"] == "gpu-cluster"
    assert tags["azml.environment"] == "my-env"
    assert tags["mlflow.source.name"] == "train.py"
    assert isinstance(Run.get(sexp.workspace, run.id), ScriptRun)


def test_a_chosen_id_names_the_run_once(sexp):
    run = submit(sexp, "from azureml.core import Run; Run.get_context().log('a', 1)", run_id="mine")
    assert run.id == "mine"
    run.wait_for_completion()

    assert Run.get(sexp.workspace, "mine").get_metrics() == {"a": 1}
    with pytest.raises(FileExistsError):
        submit(sexp, "", run_id="mine")


@pytest.mark.extra
def test_a_script_submits_children_of_its_own(sexp):
    source(
        "from azureml.core import Run; run = Run.get_context(); run.log('child', 1); print(run.parent.id)", "child.py"
    )
    run = submit(
        sexp,
        """
        from azureml.core import Run, ScriptRunConfig
        run = Run.get_context()
        child = run.submit_child(ScriptRunConfig(".", "child.py"))
        child.wait_for_completion()
        run.log("parent", 1)
        """,
    )
    run.wait_for_completion()
    (child,) = run.get_children()

    assert child.get_status() == "Completed"
    assert child.get_metrics() == {"child": 1}
    assert child.parent.id == run.id
    assert run.id in text_of(child)


# Streaming


def test_the_output_is_shown_as_it_comes(sexp):
    run = submit(sexp, "import time; print('one'); time.sleep(1); print('zwei ü')")
    shown = io.StringIO()
    with redirect_stdout(shown):
        run.wait_for_completion(show_output=True)

    head = f"RunId: {run.id}\nWeb View: {run.get_portal_url()}\n"
    assert shown.getvalue() == (
        f"{head}\nStreaming user_logs/std_log.txt\n{'=' * 31}\n\none\nzwei ü\n"
        f"\nExecution Summary\n=================\n{head}\n"
    )


@pytest.mark.extra
def test_the_output_can_be_read_while_the_script_runs(sexp):
    run = submit(sexp, "import time; print('early'); time.sleep(30)")

    assert wait_for(lambda: "user_logs/std_log.txt" in run.get_file_names(), 20)
    assert text_of(run) == "early\n"
    assert run.get_status() == "Running"
    run.cancel()
    run.wait_for_completion()


# Ending early


def test_cancel_ends_everything_that_the_script_has_started(sexp):
    run = submit(
        sexp,
        """
        import subprocess, time
        from azureml.core import Run
        Run.get_context().log("a", 1)
        mark = "cancel-" + Run.get_context().id
        subprocess.Popen(["bash", "-c", f"exec -a {mark} sleep 100"])
        subprocess.Popen(["setsid", "bash", "-c", f"(exec -a {mark} sleep 100) & disown; exec -a {mark} sleep 100"])
        print("ready", flush=True)
        time.sleep(100)
        """,
    )
    assert wait_for(lambda: len(_pids_with(f"cancel-{run.id}")) >= 3, 20)
    run.cancel()
    details = run.wait_for_completion()

    assert details["status"] == "Canceled"
    assert run.get_metrics() == {"a": 1}
    assert _pids_with(f"cancel-{run.id}") == []


def test_a_script_that_runs_too_long_is_ended(sexp):
    run = submit(sexp, "import time; print('begun', flush=True); time.sleep(100)", max_run_duration_seconds=1)
    details = run.wait_for_completion()

    assert details["status"] == "Canceled"
    assert "max_run_duration_seconds" in details["error"]["error"]["message"]
    assert text_of(run) == "begun\n"


MLFLOW_FIRST = """
    import sys, time
    import mlflow
    with mlflow.start_run():
        mlflow.log_metric("plain", 1)
    time.sleep(float(sys.argv[1]))
    open("outputs/late.txt", "w").write("late")
"""


@pytest.mark.parametrize("seconds", ["0", pytest.param("4", marks=pytest.mark.extra)])
@pytest.mark.parametrize(("end", "status"), [("raise SystemExit(5)", "Failed"), ("", "Completed")])
def test_a_script_goes_on_when_plain_mlflow_has_ended_its_run(sexp, seconds, end, status):
    run = submit(sexp, f"{MLFLOW_FIRST}    {end}", [seconds])
    run.wait_for_completion(raise_on_error=False)

    assert run.get_status() == status
    assert "outputs/late.txt" in run.get_file_names()
    assert run.get_metrics() == {"plain": 1.0}
    error = run.get_details().get("error")
    assert (error is None) == (status == "Completed")


def test_a_command_goes_on_when_plain_mlflow_has_ended_its_run(sexp):
    source(MLFLOW_FIRST, "first.py")
    source("from azureml.core import Run; Run.get_context().log('then', 2)", "second.py")
    command = f"{sys.executable} first.py 2 && {sys.executable} -m azml_compat second.py"
    run = sexp.submit(ScriptRunConfig("project", command=command))
    run.wait_for_completion()

    assert run.get_metrics() == {"plain": 1.0, "then": 2}


@pytest.mark.extra
def test_a_run_that_plain_mlflow_has_ended_can_be_canceled(sexp):
    run = submit(sexp, MLFLOW_FIRST, ["100"])
    assert wait_for(
        lambda: "plain" in MlflowClient(sexp.workspace.get_mlflow_tracking_uri()).get_run(run.id).data.metrics
    )
    run.cancel()
    run.wait_for_completion()

    assert run.get_status() == "Canceled"
    assert "outputs/late.txt" not in run.get_file_names()


# Several at once


@pytest.mark.extra
def test_as_many_run_at_once_as_the_user_says(sexp, monkeypatch):
    monkeypatch.setenv("AZML_COMPAT_MAX_RUNS", "2")
    code = "import time; print(time.time(), flush=True); time.sleep(2); print(time.time())"
    runs = [submit(sexp, code) for _ in range(4)]
    for run in runs:
        run.wait_for_completion()
    spans = [tuple(map(float, text_of(run).split())) for run in runs]

    assert max(sum(begin <= at < end for begin, end in spans) for at, _ in spans) == 2
    assert sorted(begin for begin, _ in spans)[2] >= min(end for _, end in spans)


# Distributed


@pytest.mark.extra
def test_mpi_gives_each_process_its_rank(sexp):
    run = submit(
        sexp,
        """
        import os
        from azureml.core import Run
        rank = os.environ["OMPI_COMM_WORLD_RANK"]
        Run.get_context().log(f"rank {rank}", int(os.environ["OMPI_COMM_WORLD_SIZE"]))
        print(rank, os.environ["OMPI_COMM_WORLD_LOCAL_RANK"])
        """,
        distributed_job_config=MpiConfiguration(process_count_per_node=2, node_count=2),
    )
    run.wait_for_completion()

    assert run.get_metrics() == {f"rank {rank}": 4 for rank in range(4)}
    printed = [text_of(run, f"user_logs/std_log_process_{rank}.txt") for rank in range(4)]
    assert printed == ["0 0\n", "1 1\n", "2 0\n", "3 1\n"]


@pytest.mark.extra
def test_pytorch_and_tensorflow_have_their_variables(sexp):
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    torch = submit(sexp, code, distributed_job_config=PyTorchConfiguration(process_count=2, node_count=1))
    tensor = submit(
        sexp, code, distributed_job_config=TensorflowConfiguration(worker_count=1, parameter_server_count=1)
    )
    for run in (torch, tensor):
        run.wait_for_completion()
    first, second = (json.loads(text_of(torch, f"user_logs/std_log_process_{rank}.txt")) for rank in range(2))
    worker, server = (
        json.loads(json.loads(text_of(tensor, f"user_logs/std_log_process_{rank}.txt"))["TF_CONFIG"])
        for rank in range(2)
    )

    assert [(v["RANK"], v["LOCAL_RANK"], v["WORLD_SIZE"], v["NODE_RANK"]) for v in (first, second)] == [
        ("0", "0", "2", "0"),
        ("1", "1", "2", "0"),
    ]
    assert first["MASTER_ADDR"] == "127.0.0.1"
    assert first["MASTER_PORT"] == second["MASTER_PORT"]
    assert worker["cluster"] == server["cluster"]
    assert [worker["task"], server["task"]] == [{"type": "worker", "index": 0}, {"type": "ps", "index": 0}]


@pytest.mark.extra
def test_one_process_that_fails_ends_the_others(sexp):
    run = submit(
        sexp,
        "import os, sys, time; sys.exit(5) if os.environ['RANK'] == '1' else time.sleep(100)",
        distributed_job_config=PyTorchConfiguration(process_count=2, node_count=1),
    )
    details = run.wait_for_completion(raise_on_error=False)

    assert details["status"] == "Failed"
    assert "exit code 5" in details["error"]["error"]["message"]


# Whoever is killed


@pytest.mark.extra
def test_the_run_outlives_whoever_submitted_it(tracking_uri):
    source(
        """
        import time
        from azureml.core import Run
        time.sleep(2)
        Run.get_context().log("a", 1)
        """
    )
    code = """
        import os
        from azml_compat import Experiment, ScriptRunConfig, Workspace
        run = Experiment(Workspace("s", "g", "w"), "outlives").submit(ScriptRunConfig("project", "train.py"))
        print("ID", run.id, flush=True)
        os.kill(os.getpid(), 9)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False, timeout=SECONDS
    )
    run_id = done.stdout.split("ID ")[1].strip()
    run = Run.get(Workspace("s", "g", "w"), run_id)

    assert done.returncode == -signal.SIGKILL
    assert wait_for(lambda: run.get_status() == "Completed", 30)
    assert run.get_metrics() == {"a": 1}


@pytest.mark.extra
@pytest.mark.parametrize("end", ["killed", "away"])
def test_a_run_whose_submission_did_not_come_to_its_end_is_failed(server, monkeypatch, end):
    gate = Gate(server)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", gate.address)
    exp = Experiment(Workspace("s", "g", "w"), f"half-{uuid.uuid4().hex[:8]}")
    source("")
    code = f"""
        from azml_compat import Experiment, ScriptRunConfig, Workspace
        from azml_compat._jobs import submitting
        copy_source = submitting.copy_source
        def copy_and_wait(*arguments):
            copy_source(*arguments)
            print("HERE", flush=True)
            input()
        submitting.copy_source = copy_and_wait
        Experiment(Workspace("s", "g", "w"), {exp.name!r}).submit(ScriptRunConfig("project", "train.py"))
    """
    submitter = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert "HERE\n" in iter(submitter.stdout.readline, "")
    if end == "killed":
        submitter.kill()
    else:
        gate.shut()
    submitter.communicate("\n", timeout=SECONDS)
    gate.open()
    (run,) = exp.get_runs()
    before = run.get_status()
    shown = subprocess.run([sys.executable, "-c", code_of_status(run)], capture_output=True, text=True, check=True)

    assert submitter.returncode == (-signal.SIGKILL if end == "killed" else 1)
    assert (before, shown.stdout.split()[-1]) == ("Starting", "Failed"), shown.stderr
    gate.shut()


def code_of_status(run):
    return f"from azml_compat import Run, Workspace; print(Run.get(Workspace('s', 'g', 'w'), {run.id!r}).get_status())"


@pytest.mark.extra
@pytest.mark.timeout(600)
@pytest.mark.parametrize("store", ["sqlite", "file", "http"])
def test_whoever_is_killed_the_run_ends_truly(store):
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "benchmarks" / "kill_submitted.py"), "--rounds", "12", "--store", store],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.extra
@pytest.mark.parametrize("times", [(0.0, 3.0), (0.5, 5.0), (1.5, 4.0), (2.5, 6.0)], ids=str)
def test_a_server_that_goes_away_meanwhile_costs_nothing(server, monkeypatch, times):
    gate = Gate(server)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", gate.address)
    exp = Experiment(Workspace("s", "g", "w"), f"away-{uuid.uuid4().hex[:8]}")
    run = submit(
        exp,
        """
        import time
        from azureml.core import Run
        run = Run.get_context()
        for n in range(30):
            run.log("n", n)
            time.sleep(0.05)
        open("outputs/n.txt", "w").write("30")
        """,
    )
    shut, opened = times
    time.sleep(shut)
    gate.shut()
    time.sleep(opened - shut)
    gate.open()
    folder = JobFolder(jobs_folder(gate.address) / run.id)

    assert wait_for(lambda: not folder.exists(), 90)
    assert run.get_status() == "Completed"
    assert run.get_metrics() == {"n": list(range(30))}
    assert "outputs/n.txt" in run.get_file_names()
    gate.shut()


@pytest.mark.extra
def test_fifty_runs_four_at_a_time_have_fifty_true_states(sexp, monkeypatch):
    monkeypatch.setenv("AZML_COMPAT_MAX_RUNS", "4")
    code = """
        import sys
        n = int(sys.argv[1])
        if n % 10 == 0:
            from azureml.core import Run
            Run.get_context().log("n", n)
        sys.exit(n % 3)
    """
    runs = [submit(sexp, code, [number]) for number in range(50)]
    for run in runs:
        run.wait_for_completion(raise_on_error=False)

    assert [run.get_status() for run in runs] == ["Completed" if n % 3 == 0 else "Failed" for n in range(50)]
    assert [run.get_metrics() for run in runs] == [{"n": n} if n % 10 == 0 else {} for n in range(50)]


def test_nothing_is_left_on_this_machine(sexp, tmp_path):
    run = submit(sexp, "print(1)")
    run.wait_for_completion()

    assert list(job_folders(jobs_folder(sexp.workspace.get_mlflow_tracking_uri()))) == []
    assert list((tmp_path / "temporary").rglob("train.py")) == []
    assert mlflow.active_run() is None
