"""How a process ends is how its runs end: scripts in processes of their own, launched by python and by us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient

from azml_compat import Dataset, Experiment, Run, Workspace
from azml_compat.exceptions import ServiceException

REPOSITORY = Path(__file__).parents[1]
TRIAL = REPOSITORY / "examples" / "trial.py"
HEAD = """
import os, sys
from azml_compat import Experiment, Run, Workspace
def start(**more):
    return Experiment(Workspace("s", "g", "w"), "e").start_logging(snapshot_directory=None, **more)
"""
RUNNERS = {"python": [], "python -m azml_compat": ["-m", "azml_compat"]}


@pytest.fixture(autouse=True)
def _quick_store(request, file_uri, monkeypatch):
    """What does not depend on the store uses the one that opens fastest."""
    if "tracking_uri" not in request.fixturenames:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", file_uri)
    monkeypatch.setattr(f"{__name__}._began", time.time_ns() // 1_000_000)


_began = 0
"""When the test began, in milliseconds since the epoch."""


def command(script, runner, *arguments):
    return [sys.executable, "-W", "ignore", *runner, str(script), *arguments]


def environment(**env):
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), **env}


def run_script(code, *arguments, runner=(), code_of_exit=0, **env):
    """Run code as ./script.py; what it printed to stdout and stderr."""
    Path("script.py").write_text(HEAD + textwrap.dedent(code))
    done = subprocess.run(
        command("script.py", runner, *arguments),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=120,
        env=environment(**env),
    )
    assert done.returncode == code_of_exit, done.stdout + done.stderr
    return done


def runs_of(name="e", **filters):
    """The runs of an experiment that this test has made, oldest first: all tests share one server."""
    workspace = Workspace("s", "g", "w")
    if name not in workspace.experiments:
        return []
    found = list(workspace.experiments[name].get_runs(include_children=True, **filters))[::-1]
    return [run for run in found if run._record.start_time >= _began]


@pytest.fixture(params=RUNNERS.values(), ids=RUNNERS)
def runner(request):
    return request.param


# Interactive runs


def test_a_run_that_the_script_never_completes_is_completed_with_its_outputs(runner):
    code = """
        run = start()
        run.log("a", 1)
        run.log("text", "once")
        open("outputs/model.txt", "w").write("model")
        os.makedirs("outputs/sub")
        open("outputs/sub/a#b?.txt", "w").write("odd")
    """
    done = run_script(code, runner=runner)
    (run,) = runs_of()

    assert done.stderr == ""
    assert run.get_status() == "Completed"
    assert run.get_metrics() == {"a": 1, "text": "once"}
    assert run.get_file_names() == ["outputs/model.txt", "outputs/sub/a#b?.txt"]
    assert run._refresh().params == {"text": "once"}
    assert "error" not in run.get_details()
    assert run.get_details()["endTimeUtc"] > run.get_details()["startTimeUtc"]


def test_an_uncaught_exception_fails_the_run_with_its_error(runner):
    code = """
        run = start()
        run.log("a", 1)
        open("outputs/partial.txt", "w").write("so far")
        raise KeyError("what went wrong")
    """
    done = run_script(code, runner=runner, code_of_exit=1)
    (run,) = runs_of()

    assert done.stderr.rstrip().endswith("KeyError: 'what went wrong'")
    assert done.stderr.count("Traceback") == 1
    assert run.get_status() == "Failed"
    error = run.get_details()["error"]["error"]
    assert error["code"] == "UserError"
    assert error["message"] == "User program failed with KeyError: 'what went wrong'"
    assert run.get_metrics() == {"a": 1}
    assert run.get_file_names() == ["outputs/partial.txt"]


@pytest.mark.parametrize(
    ("exit_call", "code_of_exit", "status"),
    [
        ("sys.exit(3)", 3, "Failed"),
        ("sys.exit('a message')", 1, "Failed"),
        ("sys.exit(0)", 0, "Completed"),
        ("sys.exit()", 0, "Completed"),
    ],
)
def test_the_exit_code_decides_where_we_launch_the_script(exit_call, code_of_exit, status):
    run_script(f"run = start()\n{exit_call}", runner=RUNNERS["python -m azml_compat"], code_of_exit=code_of_exit)
    (run,) = runs_of()

    assert run.get_status() == status
    if status == "Failed":
        assert f"exit code {code_of_exit}" in str(run.get_details()["error"])


def test_without_our_launcher_a_run_is_ended_whatever_the_exit_code():
    run_script("run = start()\nsys.exit(3)", code_of_exit=3)
    (run,) = runs_of()

    assert run.get_status() in ("Completed", "Failed")


def test_an_interrupt_from_the_keyboard_fails_the_run(runner):
    Path("script.py").write_text(
        HEAD + "import signal, time\n"
        # Whoever runs the tests in the background of a shell ignores it, and children inherit that.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "run = start()\nprint('ready', flush=True)\ntime.sleep(60)"
    )
    process = subprocess.Popen(
        command("script.py", runner), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    assert any(line.strip() == "ready" for line in process.stdout)
    process.send_signal(signal.SIGINT)
    _, shown = process.communicate(timeout=60)
    (run,) = runs_of()

    assert process.returncode == -signal.SIGINT
    assert shown.rstrip().endswith("KeyboardInterrupt")
    assert run.get_status() == "Failed"
    assert "KeyboardInterrupt" in run.get_details()["error"]["error"]["message"]


def test_an_interrupted_script_dies_of_that_whatever_ends_its_run(runner):
    """Making a named tuple in an exit hook, or importing what does, lets python forget the interrupt."""
    run_script(
        """
        import atexit, collections
        run = start()
        run.log_row("row", x=1, y="text")
        atexit.register(collections.namedtuple, "Any", "thing")
        raise KeyboardInterrupt
        """,
        runner=runner,
        code_of_exit=-signal.SIGINT,
    )
    (run,) = runs_of()

    assert run.get_status() == "Failed"


@pytest.mark.parametrize(
    ("end", "status"), [("complete()", "Completed"), ("fail('by hand')", "Failed"), ("cancel()", "Canceled")]
)
def test_a_run_that_the_script_ended_stays_as_it_is(end, status):
    run_script(f"run = start()\nrun.{end}\nraise ValueError('afterwards')", code_of_exit=1)
    (run,) = runs_of()

    assert run.get_status() == status
    assert "afterwards" not in str(run.get_details())


def test_children_left_open_are_ended_with_their_parents(runner):
    code = """
        run = start()
        child = run.child_run("child")
        grandchild = child.child_run("grandchild")
        more = run.create_children(2)
        more[0].cancel()
    """
    run_script(code, runner=runner)
    statuses = [run.get_status() for run in runs_of()]

    assert statuses == ["Completed", "Completed", "Completed", "Canceled", "Completed"]
    child, parent = runs_of()[1], runs_of()[0]
    assert child.get_details()["endTimeUtc"] <= parent.get_details()["endTimeUtc"]


def test_children_left_open_fail_with_their_parents():
    run_script("run = start()\nchild = run.child_run()\nraise ValueError('broken')", code_of_exit=1)

    assert [run.get_status() for run in runs_of()] == ["Failed", "Failed"]
    assert all("broken" in str(run.get_details()["error"]) for run in runs_of())


@pytest.mark.parametrize("end", ["sys.exit(0)", "raise ValueError('in the child')"])
def test_a_forked_child_does_not_end_the_runs_of_its_parent(runner, end):
    code = f"""
        run = start()
        run.log("parent", 1)
        pid = os.fork()
        if pid == 0:
            run.log("child", 1)
            own = start(display_name="own")
            own.log("own", 1)
            {end}
        os.waitpid(pid, 0)
        assert run.get_status() == "Running", run.get_status()
        run.log("parent", 2)
    """
    run_script(code, runner=runner)
    run, own = runs_of()

    assert run.get_status() == "Completed"
    assert run.get_metrics() == {"parent": [1, 2], "child": 1}
    assert own.get_metrics() == {"own": 1}
    assert own.get_status() == ("Completed" if "sys" in end else "Failed")


def test_workers_of_a_pool_add_to_a_run_and_leave_it_open():
    code = """
        import multiprocessing
        run = start()
        def work(number):
            run.log("value", number)
        with multiprocessing.get_context("fork").Pool(2) as pool:
            pool.map(work, range(6), chunksize=1)
        assert run.get_status() == "Running"
    """
    run_script(code)
    (run,) = runs_of()

    assert run.get_status() == "Completed"
    assert sorted(run.get_metrics()["value"]) == list(range(6))


def test_an_exception_in_a_thread_does_not_fail_the_run():
    code = """
        import threading
        run = start()
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()
    """
    run_script(code)

    assert [run.get_status() for run in runs_of()] == ["Completed"]


def test_what_threads_still_log_after_the_last_line_is_kept():
    code = """
        import threading, time
        run = start()
        def work():
            time.sleep(0.5)
            run.log("late", 1)
        threading.Thread(target=work).start()
    """
    run_script(code)
    (run,) = runs_of()

    assert run.get_status() == "Completed"
    assert run.get_metrics() == {"late": 1}


def test_the_scripts_own_exception_hook_still_works():
    code = """
        run = start()
        before = sys.excepthook
        sys.excepthook = lambda *what: print("my own hook", what[0].__name__)
        raise ValueError("broken")
    """
    done = run_script(code, runner=RUNNERS["python -m azml_compat"], code_of_exit=1)

    assert "my own hook ValueError" in done.stdout
    assert [run.get_status() for run in runs_of()] == ["Failed"]


def test_everything_that_is_read_again_at_the_end_can_be_read_then(tracking_uri):
    """MLflow downloads in threads, which take no work while a process exits."""
    code = """
        run = start()
        run.log_list("texts", [f"a text of some length {number}" for number in range(2000)])
        run.log("once", "a string")
        run.log_table("table", {"x": [1, 2], "y": ["a", "b"]})
        open("outputs/same", "w").write("1234")
        run.upload_file("outputs/same", "outputs/same")
        open("outputs/changed", "w").write("1234")
        run.upload_file("outputs/changed", "outputs/changed")
        open("outputs/changed", "w").write("abcd")
    """
    done = run_script(code)
    (run,) = runs_of()

    assert done.stderr == ""
    assert run.get_status() == "Completed"
    assert run.get_metrics("texts")["texts"][-1] == "a text of some length 1999"
    assert run._refresh().params["once"] == "a string"
    assert run._store.list_artifacts(run.id, "azml_compat/tables")
    run.download_file("outputs/changed", "back")
    assert Path("back").read_text() == "abcd"


# Run.get_context()


def test_a_run_of_ones_own_is_tracked_and_ended_with_the_process(runner):
    code = """
        run = Run.get_context()
        assert run is Run.get_context(allow_offline=False)
        run.log("a", 1)
        run.tag("team", "b")
        print(run.id, run.experiment.workspace.name, run.experiment.name, file=sys.stderr)
        open("outputs/model.txt", "w").write("model")
    """
    done = run_script(code, runner=runner)
    (run,) = runs_of("script")

    assert done.stderr.split() == [run.id, "local", "script"]
    assert run.get_status() == "Completed"
    assert run.get_metrics() == {"a": 1}
    assert run.get_tags() == {"team": "b"}
    assert run.get_file_names() == ["outputs/model.txt"]


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"MLFLOW_EXPERIMENT_NAME": "mlflows"}, "mlflows"),
        ({"AZUREML_ARM_PROJECT_NAME": "azures", "MLFLOW_EXPERIMENT_NAME": "mlflows"}, "azures"),
    ],
)
def test_the_experiment_of_ones_own_run_can_be_named(variables, name):
    run_script("Run.get_context().log('a', 1)", **variables)

    assert [run.get_metrics() for run in runs_of(name)] == [{"a": 1}]


def test_a_script_that_asks_whether_its_run_is_offline_hears_that_it_is_not():
    code = "run = Run.get_context()\nprint(run._run_id.startswith('OfflineRun'), run._run_id == run.id)"

    assert run_script(code).stdout.splitlines()[-1] == "False True"


def test_a_run_of_ones_own_fails_with_the_script(runner):
    run_script("Run.get_context().log('a', 1)\nraise ValueError('broken')", runner=runner, code_of_exit=1)
    (run,) = runs_of("script")

    assert run.get_status() == "Failed"
    assert "broken" in str(run.get_details()["error"])


def test_a_run_of_ones_own_that_was_ended_stays_as_it_is():
    run_script("run = Run.get_context()\nrun.log('a', 1)\nrun.complete()\nrun.log('b', 2)\n1 / 0", code_of_exit=1)
    (run,) = runs_of("script")

    assert run.get_status() == "Completed"
    assert run.get_metrics() == {"a": 1, "b": 2}


@pytest.mark.parametrize("end", ["run.complete()", "run.fail()", "with run: pass"])
def test_what_is_written_after_a_run_of_ones_own_was_ended_is_taken_too(end, tracking_uri):
    code = f"""
        run = Run.get_context()
        run.log("a", 1)
        open("outputs/early.txt", "w").write("early")
        {end}
        open("outputs/late.txt", "w").write("late")
        os.makedirs("logs/deep", exist_ok=True)
        open("logs/deep/train.log", "w").write("log")
        1 / 0
    """
    run_script(code, code_of_exit=1)
    (run,) = runs_of("script")

    assert run.get_status() == ("Failed" if "fail" in end else "Completed")
    files = set(run.get_file_names()) - {"logs/user_log.txt"}
    assert files == {"outputs/early.txt", "outputs/late.txt", "logs/deep/train.log"}


def test_the_logs_of_a_run_of_ones_own_are_taken_if_they_are_the_scripts(tracking_uri):
    Path("logs").mkdir()
    Path("logs/old.log").write_text("of another one")
    os.utime("logs/old.log", (1, 1))
    run_script("Run.get_context().log('a', 1)\nopen('logs/train.log', 'w').write('log')")
    (run,) = runs_of("script")

    assert run.get_file_names() == ["logs/train.log"]


def test_the_experiment_of_a_run_of_ones_own_is_there_when_it_is_asked_for():
    code = """
        experiment = Run.get_context().experiment
        print(experiment.name, "mlflow" in sys.modules)
        print(experiment.id.isdecimal(), experiment.tags)
        experiment.tag("owner", "me")
        experiment.refresh()
        print(experiment.tags)
    """
    shown = run_script(code).stdout.splitlines()

    assert shown == ["script False", "True {}", "{'owner': 'me'}"]
    assert runs_of("script") == []


def test_a_run_of_ones_own_used_in_a_block_keeps_what_was_printed():
    run_script("with Run.get_context() as run:\n    print('hello there')\n    run.log('a', 1)")
    (run,) = runs_of("script")
    run.download_file("logs/user_log.txt", "log.txt")

    assert run.get_status() == "Completed"
    assert "hello there" in Path("log.txt").read_text()


def test_who_only_asks_for_the_context_leaves_no_run_and_does_not_load_mlflow():
    code = """
        run = Run.get_context()
        repr(type(run)), isinstance(run, Run), hasattr(run, "experiment"), run.experiment.name, run.parent
        print("mlflow" in sys.modules)
    """
    done = run_script(code, "unused")

    assert done.stdout.split() == ["False"]
    assert done.stderr == ""
    assert runs_of("script") == []


def test_files_written_to_outputs_are_reason_enough_for_a_run(tracking_uri):
    run_script("Run.get_context()\nopen('outputs/model.txt', 'w').write('model')")
    (run,) = runs_of("script")

    assert run.get_status() == "Completed"
    assert run.get_file_names() == ["outputs/model.txt"]


def test_a_link_to_nowhere_in_outputs_does_not_hide_the_files_beside_it():
    run_script("Run.get_context()\nos.symlink('nowhere', 'outputs/a')\nopen('outputs/b', 'w').write('b')")
    (run,) = runs_of("script")

    assert run.get_file_names() == ["outputs/b"]


def test_files_of_an_earlier_process_in_outputs_are_no_reason_for_a_run():
    Path("outputs").mkdir()
    old = Path("outputs/old.txt")
    old.write_text("old")
    os.utime(old, (1_000_000_000, 1_000_000_000))
    run_script("Run.get_context()")

    assert runs_of("script") == []


def test_plain_mlflow_joins_a_run_of_ones_own():
    code = """
        import mlflow
        run = Run.get_context()
        run.log("ours", 1)
        with mlflow.start_run() as active:
            assert active.info.run_id == run.id
            mlflow.log_metric("theirs", 2)
        run.log("ours", 2)
    """
    run_script(code)
    (run,) = runs_of("script")

    assert run.get_status() == "Completed"
    assert run.get_metrics() == {"ours": [1, 2], "theirs": 2.0}


def test_the_end_of_the_script_has_the_last_word_on_a_run_that_plain_mlflow_joined():
    code = """
        import mlflow
        Run.get_context().log("ours", 1)
        with mlflow.start_run():
            mlflow.log_metric("theirs", 2)
        raise ValueError("broken")
    """
    run_script(code, code_of_exit=1)
    (run,) = runs_of("script")

    assert run.get_status() == "Failed"


def test_a_run_that_plain_mlflow_holds_open_at_an_error_is_failed_with_the_error():
    code = """
        import mlflow  # before ours, so that its exit hook runs after ours
        run = Run.get_context()
        run.log("ours", 1)
        mlflow.start_run()
        mlflow.log_metric("theirs", 2)
        raise ValueError("broken")
    """
    run_script(code, code_of_exit=1)
    (run,) = runs_of("script")

    assert run.get_status() == "Failed"
    assert run.get_details()["error"]["error"]["message"] == "User program failed with ValueError: broken"
    assert run.get_metrics() == {"ours": 1, "theirs": 2.0}


def test_workers_and_other_ranks_make_no_run_of_the_outputs_of_the_script():
    code = """
        import multiprocessing
        run = Run.get_context()
        def work():
            open("outputs/worker.txt", "w").write("worker")
        if __name__ == "__main__":
            worker = multiprocessing.get_context("spawn").Process(target=work)
            worker.start()
            worker.join()
    """
    run_script(code, RANK="1", WORLD_SIZE="2")
    assert Path("outputs/worker.txt").is_file()
    assert runs_of("script") == []
    run_script(code, RANK="0", WORLD_SIZE="2")
    (run,) = runs_of("script")

    assert run.get_file_names() == ["outputs/worker.txt"]


def test_a_process_that_the_script_starts_joins_its_run():
    code = """
        import subprocess
        if len(sys.argv) > 1:
            Run.get_context().log("child", 1)
        else:
            run = Run.get_context()
            run.log("parent", 1)
            subprocess.run([sys.executable, "-W", "ignore", __file__, "child"], check=True)
            assert run.get_status() == "Running"
    """
    run_script(code)
    (run,) = runs_of("script")

    assert run.get_status() == "Completed"
    assert run.get_metrics() == {"parent": 1, "child": 1}


# Attached runs


@pytest.fixture
def owned():
    """A run of this process that scripts attach to."""
    return Experiment(Workspace("s", "g", "w"), "e").start_logging(snapshot_directory=None, run_id="chosen id")


@pytest.mark.parametrize(
    ("variable", "end", "code_of_exit"),
    [
        ("AZUREML_RUN_ID", "run.complete()", 0),
        ("AZUREML_RUN_ID", "run.fail('broken')", 0),
        ("AZUREML_RUN_ID", "run.cancel()", 0),
        ("AZUREML_RUN_ID", "raise ValueError('broken')", 1),
        ("MLFLOW_RUN_ID", "", 0),
        ("MLFLOW_RUN_ID", "run.complete()", 0),
    ],
)
def test_a_script_that_is_attached_adds_to_the_run_and_leaves_its_status(owned, variable, end, code_of_exit):
    code = f"""
        run = Run.get_context()
        run.log("attached", 1)
        open("outputs/f.txt", "w").write("f")
        with run:
            run.tag("team", "a")
        print(run.id)
        {end}
    """
    run_id = owned.id if variable == "AZUREML_RUN_ID" else owned._record.id
    done = run_script(code, code_of_exit=code_of_exit, **{variable: run_id})

    assert done.stdout.split() == ["chosen", "id"]
    assert owned.get_status() == "Running"
    assert owned.get_metrics() == {"attached": 1}
    assert owned.get_tags() == {"team": "a"}
    assert owned.get_file_names() == ["outputs/f.txt"]
    assert len(runs_of()) == 1
    owned.complete()
    assert owned.get_status() == "Completed"


@pytest.mark.parametrize(("ending", "code_of_exit"), [("", 0), pytest.param("1 / 0", 1, marks=pytest.mark.extra)])
def test_what_an_attached_script_leaves_is_in_the_run_when_it_has_ended(owned, ending, code_of_exit):
    code = f"run = Run.get_context()\nrun.log('a', 1)\nopen('outputs/f.txt', 'w').write('f')\n{ending}"
    run_script(code, AZUREML_RUN_ID=owned.id, code_of_exit=code_of_exit)
    # Not through ours, which would fetch what is still under way.
    stored = MlflowClient(os.environ["MLFLOW_TRACKING_URI"]).get_run(owned._record.id)

    assert stored.data.metrics == {"a": 1.0}
    assert stored.info.status == "RUNNING"
    assert owned.get_file_names() == ["outputs/f.txt"]


def test_sigterm_leaves_the_run_that_a_script_is_attached_to_open(owned):
    code = "run = Run.get_context()\nrun.log('a', 1)\nos.kill(os.getpid(), 15)"
    run_script(code, AZUREML_RUN_ID=owned.id, code_of_exit=-15)

    assert owned.get_status() == "Running"
    assert owned.get_metrics() == {"a": 1}


@pytest.mark.extra
def test_every_rank_adds_to_the_run_that_it_is_attached_to_and_none_ends_it(owned):
    code = """
        run = Run.get_context()
        run.log("loss " + os.environ["RANK"], 1.5)
        open(f"outputs/{os.environ['RANK']}.txt", "w").write("f")
        run.complete()
    """
    for rank in ("0", "1"):
        run_script(code, AZUREML_RUN_ID=owned.id, RANK=rank, WORLD_SIZE="2")

    assert owned.get_status() == "Running"
    assert owned.get_metrics() == {"loss 0": 1.5, "loss 1": 1.5}
    assert owned.get_file_names() == ["outputs/0.txt", "outputs/1.txt"]
    assert len(runs_of()) == 1


def test_plain_mlflow_joins_the_run_that_a_script_is_attached_to(owned):
    code = """
        run = Run.get_context()
        import mlflow
        with mlflow.start_run() as active:
            mlflow.log_metric("theirs", 2)
        assert active.info.run_id == run._record.id
    """
    run_script(code, AZUREML_RUN_ID=owned.id)

    assert owned.get_metrics() == {"theirs": 2.0}
    assert len(runs_of()) == 1


def test_inputs_and_outputs_that_a_launcher_names_are_paths(owned):
    code = """
        run = Run.get_context()
        inputs, outputs = run.input_datasets, run.output_datasets
        assert run.input_datasets is inputs and run.output_datasets is outputs
        print({name: inputs[name] for name in "acd"}, dict(outputs))
        inputs["mine"] = "a path"
        print(run.input_datasets["mine"], "b" in inputs)
        print(inputs["b"].id == os.environ["b"], inputs["registered"].name)
        try:
            inputs["unknown"]
        except KeyError as error:
            print(error)
    """
    dataset = Dataset.File.from_files("/data").register(owned.experiment.workspace, "registered")
    variables = {
        "AZUREML_DATASET_ENVIRONMENT_VARS": "a:Mount,b:Direct,c:download,d:mount,broken",
        "a": "lower",
        "A": "/data/a",
        "b": dataset.id,
        "c": "/data/c",
        "AZUREML_DATASET_FILE_OUTPUTS": "out/;more",
        "out": "/data/out",
        "more": "/data/more",
    }
    done = run_script(code, AZUREML_RUN_ID=owned.id, **variables)

    assert done.stdout.splitlines() == [
        "{'a': '/data/a', 'c': '/data/c', 'd': None} {'out': '/data/out', 'more': '/data/more'}",
        "a path True",
        "True registered",
        "'unknown'",
    ]


def test_the_run_of_a_script_that_nobody_submitted_has_inputs_too():
    done = run_script("run = Run.get_context()\nrun.input_datasets['x'] = 'y'\nprint(run.input_datasets)")

    assert done.stdout == "{'x': 'y'}\n"
    assert runs_of("script") == []


def test_attaching_to_a_run_that_is_not_there_is_an_error(owned):
    done = run_script("Run.get_context()", code_of_exit=1, AZUREML_RUN_ID="no such run")

    assert "no such run" in done.stderr
    with pytest.raises(ServiceException):
        Run.get(owned.experiment.workspace, "no such run")


# Azure's offline run


def test_an_offline_run_can_be_had():
    code = """
        from azureml.core import Run
        from azureml.core.run import _OfflineRun
        run = Run.get_context()
        assert isinstance(run, _OfflineRun) and not isinstance(run, Run)
        assert run.id.startswith("OfflineRun") and run.id != Run.get_context().id
        assert not hasattr(run, "experiment")
        run.log("a", 1)
        run.complete()
        try:
            Run.get_context(allow_offline=False)
        except Exception as error:
            print(type(error).__name__)
        print("mlflow" in sys.modules)
    """
    done = run_script(code, runner=RUNNERS["python -m azml_compat"], AZML_COMPAT_OFFLINE="1")

    assert done.stdout.splitlines() == ["Attempted to log scalar metric a:", "1", "RunEnvironmentException", "False"]
    assert runs_of("script") == []


# The trial script


def run_trial(script, tmp_path):
    """Run a script as a user without a browser or a terminal does; what it printed."""
    marker = tmp_path / "browser was opened"
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\ntouch '{marker}'\n")
    browser.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "azml_compat", str(script)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=120,
        env=environment(BROWSER=str(browser), DISPLAY=":0"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert not marker.exists()
    return done.stdout


def address_of(run, tracking_uri):
    base = tracking_uri if tracking_uri.startswith("http") else "http://127.0.0.1:5000"
    assert run.get_portal_url().startswith(f"{base}/#/experiments/{run.experiment.id}/runs/{run.id}")
    return run.get_portal_url()


def test_the_trial_script_runs_unedited_twice_in_a_row(tracking_uri, tmp_path, server):
    fibonacci = [1, 1, 2, 3, 5, 8, 13, 21, 34, 55]
    first = {"trial": 30, "my list": fibonacci}
    second = {"trial2": 35, "my list2": [1, 1, 2, 2, 5, 5, 13, 13, 13, 13]}
    experiment = Experiment(Workspace("s", "g", "w"), "trial_exp")
    before = {run.id for run in experiment.get_runs()}
    for times in (1, 2):
        shown = run_trial(TRIAL, tmp_path)
        runs = [run for run in experiment.get_runs() if run.id not in before][::-1]

        assert "Finished logging" in shown.splitlines()
        assert [run.get_metrics() for run in runs] == [first, second] * times
        assert [run.get_status() for run in runs] == ["Completed"] * 2 * times
        assert all(address_of(run, tracking_uri) in shown for run in runs[-2:])
        values = [value for run in runs for metric in run.get_metrics().values() for value in numbers(metric)]
        assert {type(value) for value in values} == {int}


def numbers(metric):
    return metric if isinstance(metric, list) else [metric]


def test_the_trial_script_may_keep_each_list_in_a_child_run(tracking_uri, tmp_path):
    code = TRIAL.read_text()
    for name in ("my list2", "my list"):
        code = code.replace(
            f"run.log_list('{name}'",
            f"child = run.child_run('{name}')\nchild.log_list('{name}'",
        )
    code = code.replace("run.complete()", "child.complete()\nrun.complete()").replace("trial_exp", "trial_children")
    assert code.count("child_run") == 2
    script = tmp_path / "trial_children.py"
    script.write_text(code)
    experiment = Experiment(Workspace("s", "g", "w"), "trial_children")
    before = {run.id for run in experiment.get_runs()}
    run_trial(script, tmp_path)
    second, first = [run for run in experiment.get_runs() if run.id not in before]

    assert (first.get_metrics(), second.get_metrics()) == ({"trial": 30}, {"trial2": 35})
    (child,) = first.get_children()
    assert child.get_metrics() == {"my list": [1, 1, 2, 3, 5, 8, 13, 21, 34, 55]}
    assert child.name.endswith(">my list")
    assert child.parent.id == first.id
    assert first.get_metrics(recursive=True) == {child.id: child.get_metrics(), first.id: {"trial": 30}}
    assert [run.get_status() for run in (first, child, *second.get_children())] == ["Completed"] * 3
