"""However a process dies, what it had logged arrives, and its runs end truthfully."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import re
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from mlflow import MlflowClient

from azml_compat import Experiment, Run, Workspace, _background, _detached, _runtime
from azml_compat._journal import Header, Spool, writer_name
from azml_compat._journal.lines import encode_line
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking import Store
from azml_compat.exceptions import AzureMLException
from tests.conftest import mlflow_server
from tests.waiting import files_below, wait_for

REPOSITORY = Path(__file__).parents[1]
HEAD = """
import os, signal, sys, threading, time
from azml_compat import Experiment, Run, Workspace
def start(**more):
    return Experiment(Workspace("s", "g", "w"), "e").start_logging(snapshot_directory=None, **more)
"""
LAUNCHER = ["-m", "azml_compat"]


@pytest.fixture(autouse=True)
def _quick_store(request, file_uri, monkeypatch):
    """What does not depend on the store uses the one that opens fastest."""
    if "tracking_uri" not in request.fixturenames:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", file_uri)
    monkeypatch.setattr(f"{__name__}._began", time.time_ns() // 1_000_000)


_began = 0
"""When the test began, in milliseconds since the epoch."""


def launch(code, *, runner=(), name="script.py", **env):
    """Start code as a script of its own."""
    text = HEAD + textwrap.dedent(code)
    if not (Path(name).exists() and Path(name).read_text() == text):  # Another process may be reading it just now.
        Path(name).write_text(text)
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", *runner, name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **env},
    )


def when_ready(process):
    """Wait until the script prints `ready`."""
    for line in process.stdout:
        if line.strip() == "ready":
            return
    raise AssertionError(process.communicate()[1])


def end_of(process, seconds=60):
    """Wait for the end of a script; how it ended, and what it printed."""
    try:
        shown, errors = process.communicate(timeout=seconds)
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
    return process.returncode, shown, errors


def run_script(code, *, runner=(), code_of_exit=0, seconds=100, **env):
    """Run code as a script of its own; what it printed."""
    code_of_end, shown, errors = end_of(launch(code, runner=runner, **env), seconds)
    assert code_of_end == code_of_exit, shown + errors
    return shown


def runs_of(name="e"):
    """The runs of an experiment that this test has made, oldest first. Opens the store as any next process does."""
    workspace = Workspace("s", "g", "w")
    found = list(workspace.experiments[name].get_runs(include_children=True))[::-1]
    return [run for run in found if run._record.start_time >= _began]


def the_run():
    (run,) = runs_of()
    return run


def journals():
    """The files in the home that belong to journals."""
    ours = {"lock", "lanes", ".locks", ".background", ".background.log"}
    return [file for file in files_below(os.environ["AZML_COMPAT_HOME"]) if file.name not in ours]


def status_in_file_store(uri):
    """The status of the only run as MLflow's file store has it, without anybody opening the store."""
    (file,) = Path(uri.removeprefix("file://")).glob("*/*/meta.yaml")
    number = int(re.search(r"^status: (\d)$", file.read_text(), re.MULTILINE).group(1))
    return {1: "RUNNING", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}[number]


# Death without a word


def rounds_of(script, *options):
    return subprocess.run(
        [sys.executable, str(REPOSITORY / "benchmarks" / script), *options],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        check=False,
        timeout=1500,
    )


def test_nothing_that_was_acknowledged_is_lost_doubled_or_moved_by_sigkill():
    done = rounds_of("kill.py", "--rounds", "3", "--seed", "3", "--store", "sqlite")

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.extra
@pytest.mark.timeout(1600)
@pytest.mark.parametrize("store", ["sqlite", "file", "http"])
@pytest.mark.parametrize(("script", "rounds"), [("kill.py", "40"), ("endings.py", "12")])
def test_however_often_and_in_whatever_way_scripts_end_nothing_that_was_acknowledged_is_lost(script, rounds, store):
    done = rounds_of(script, "--rounds", rounds, "--store", store)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("end", "code_of_exit"),
    [("os._exit(0)", 0), ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL), ("os.abort()", -signal.SIGABRT)],
)
def test_a_run_whose_process_vanished_is_failed_with_all_its_values_by_the_next_one(end, code_of_exit):
    code = f"""
        run = start()
        child = run.child_run()
        ended = run.child_run()
        for n in range(50):
            run.log("n", n)
        run.log("text", "a text")
        run.log_table("table", {{"x": [1, 2], "y": ["a", "b"]}})
        child.log("c", 1.5)
        ended.complete()
        {end}
    """
    run_script(code, code_of_exit=code_of_exit)
    run, child, ended = runs_of()

    assert [found.get_status() for found in (run, child, ended)] == ["Failed", "Failed", "Completed"]
    assert run.get_metrics() == {"n": list(range(50)), "text": "a text", "table": {"x": [1, 2], "y": ["a", "b"]}}
    assert child.get_metrics() == {"c": 1.5}
    assert "killed" in run.get_details()["error"]["error"]["message"]
    assert run._refresh().params == {"text": "a text"}
    assert run._store.list_artifacts(run._record.id, "azml_compat/tables")
    assert journals() == []


def test_the_background_process_ends_the_run_of_a_killed_script_soon_and_takes_its_outputs(file_uri):
    code = """
        run = start()
        run.log("a", 1)
        open("outputs/model.txt", "w").write("model")
        time.sleep(4)
        run.log("b", 2)
        print("ready", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    process = launch(code, AZML_COMPAT_BACKGROUND="1")
    when_ready(process)
    end_of(process)

    assert wait_for(lambda: status_in_file_store(file_uri) == "FAILED", 30)
    assert wait_for(lambda: journals() == [], 10)
    assert the_run().get_metrics() == {"a": 1, "b": 2}
    assert the_run().get_file_names() == ["outputs/model.txt"]


def turns_of_the_background(uri):
    """What the background process of the only spool does, in this process."""
    (folder,) = (Path(os.environ["AZML_COMPAT_HOME"]) / "spool").iterdir()
    return _background._Server(uri, Spool(uri, folder))


def test_the_outputs_of_a_killed_script_are_taken_when_the_store_is_back_as_the_script_had_left_them(
    file_uri, mocker, caplog
):
    process = launch("""
        run = start()
        for name in ("same", "changed"):
            open(f"outputs/{name}", "w").write("by the script")
        run.log("a", 1)
        print("ready", flush=True)
        time.sleep(60)
    """)
    when_ready(process)
    background = turns_of_the_background(file_uri)
    background._turn()
    process.kill()
    end_of(process)
    mocker.patch.object(Store, "get_run", side_effect=ServiceException._from_status(503, "The store is away"))
    for _ in range(2):
        background._turn()
        background._next_attempt, background._next_attempts = 0.0, {}
    mocker.stopall()
    for name in ("changed", "new"):
        Path("outputs", name).write_text("by another script")
    background._turn()

    assert status_in_file_store(file_uri) == "FAILED"
    assert the_run().get_file_names() == ["outputs/same"]
    assert "outputs/changed has changed since" in caplog.text
    assert "outputs/new" not in caplog.text


def test_a_process_that_is_killed_while_it_clears_up_leaves_nothing_to_be_sent_twice(local_exp):
    """The cursor goes last: a journal without one is delivered from its beginning."""
    run = local_exp.start_logging(snapshot_directory=None)
    run.log("a", 1)
    run.flush()
    (path,) = [file for file in journals() if file.suffix == ".log"]
    seen = []
    unlink = Path.unlink

    def note(file, **options):
        seen.append(file.suffix)
        unlink(file, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "unlink", note)
        run.complete()

    assert [suffix for suffix in seen if suffix in (".log", ".cursor")] == [".log", ".cursor"]
    assert not path.parent.exists()


def test_what_a_death_in_the_middle_of_clearing_up_leaves_is_swept_later(local_exp):
    spool = Spool(local_exp.workspace.service_context.store.uri)
    folder = spool.folder / "0123456789abcdef"
    folder.mkdir(mode=0o700)
    for name in ("lock", "lanes", "1.cursor", "2.new"):
        (folder / name).touch(mode=0o600)
    os.utime(folder / "1.cursor", (0, 0))
    os.utime(folder / "2.new", (0, 0))
    os.utime(folder, (0, 0))
    assert spool.abandoned_runs() == []

    assert not folder.exists()


@pytest.mark.parametrize("left", ["", '{"q":0,"r":[["i","k'])
def test_a_page_of_the_sidecar_that_its_writers_death_left_torn_is_written_again(file_uri, left):
    """MLflow's file store writes a tag in place: killed at that, it leaves an empty file."""
    code = """
        run = start()
        for n in range(30):
            run.log(f"int {n}", n)
        run.flush()
        run.log("late", 1)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    run_script(code, code_of_exit=-signal.SIGKILL)
    (page,) = Path(file_uri.removeprefix("file://")).glob("*/*/tags/mlflow.azml.sidecar.*.0")
    page.write_text(left)
    run = the_run()

    assert run.get_metrics() == {**{f"int {n}": n for n in range(30)}, "late": 1}
    assert all(type(value) is int for value in run.get_metrics().values())
    assert run.get_status() == "Failed"
    assert journals() == []


# SIGTERM


WAITS = {
    "sleep": "time.sleep(60)",
    "wait for a thread": "threading.Event().wait()",
    # Of the pipes of this test it gets none: it outlives the script, as python's own children of a killed one do.
    "wait for a process": "__import__('subprocess').run(['sleep', '60'], stdout=-3, stderr=-3)",
}


@pytest.mark.parametrize("wait", [WAITS["sleep"], *(pytest.param(w, marks=pytest.mark.extra) for w in WAITS.values())])
def test_sigterm_cancels_the_run_with_all_that_it_has_and_ends_the_process(wait):
    code = f"""
        run = start()
        child = run.child_run()
        run.log("a", 1)
        open("outputs/model.txt", "w").write("model")
        print("ready", flush=True)
        {wait}
    """
    process = launch(code)
    when_ready(process)
    time.sleep(0.5)  # until it waits
    process.terminate()
    code_of_end, _, errors = end_of(process, 30)
    run, child = runs_of()

    assert code_of_end == -signal.SIGTERM
    assert errors == ""
    assert [run.get_status(), child.get_status()] == ["Canceled", "Canceled"]
    assert run.get_metrics() == {"a": 1}
    assert run.get_file_names() == ["outputs/model.txt"]
    assert journals() == []


@pytest.mark.parametrize("runner", [[], pytest.param(LAUNCHER, marks=pytest.mark.extra)], ids=["python", "launcher"])
def test_a_handler_that_the_script_had_for_sigterm_is_called_as_well(runner):
    code = """
        def own(number, frame):
            print("own handler", number, frame.f_code.co_name, flush=True)
            sys.exit(7)
        signal.signal(signal.SIGTERM, own)
        run = start()
        run.log("a", 1)
        def main():
            print("ready", flush=True)
            time.sleep(60)
        main()
    """
    process = launch(code, runner=runner)
    when_ready(process)
    process.terminate()
    code_of_end, shown, _ = end_of(process, 30)

    assert code_of_end == 7
    assert "own handler 15 main" in shown
    assert the_run().get_status() == "Canceled"
    assert the_run().get_metrics() == {"a": 1}


def test_a_process_that_ignores_sigterm_goes_on():
    code = """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        run = start()
        os.kill(os.getpid(), signal.SIGTERM)
        run.log("a", 1)
    """
    run_script(code)

    assert the_run().get_status() == "Completed"


@pytest.mark.parametrize(
    ("end", "status", "is_killed_then"),
    [
        ("", "Completed", False),
        ("raise ValueError('why')", "Failed", True),
        pytest.param("", "Completed", True, marks=pytest.mark.extra),
        pytest.param("raise ValueError('why')", "Failed", False, marks=pytest.mark.extra),
    ],
)
def test_sigterm_while_the_exit_ends_runs_changes_nothing_about_how_they_end(end, status, is_killed_then):
    code = f"""
        run = start()
        run.log("a", 1)
        capture = Run._capture_outputs
        def take_long(run):
            print("ready", flush=True)
            time.sleep(2)
            capture(run)
        Run._capture_outputs = take_long
        {end}
    """
    process = launch(code)
    when_ready(process)
    process.terminate()
    if is_killed_then:
        time.sleep(0.5)
        process.kill()
    code_of_end, _, _ = end_of(process, 30)
    run = the_run()

    assert code_of_end == -(signal.SIGKILL if is_killed_then else signal.SIGTERM)
    assert run.get_status() == status
    assert run.get_metrics() == {"a": 1}
    assert ("ValueError: why" in str(run.get_details().get("error"))) == bool(end)


@pytest.mark.extra
@pytest.mark.parametrize("pause", [0.0, 0.01, 0.1])
def test_a_second_sigterm_changes_nothing(pause):
    code = """
        run = start()
        run.log_list("a", range(5000))
        print("ready", flush=True)
        time.sleep(60)
    """
    process = launch(code)
    when_ready(process)
    for _ in range(3):
        if process.poll() is None:
            process.terminate()
        time.sleep(pause)
    code_of_end, _, _ = end_of(process, 30)
    run = the_run()

    assert code_of_end == -signal.SIGTERM
    assert run.get_status() == "Canceled"
    assert run.get_metrics() == {"a": list(range(5000))}


@pytest.mark.extra
def test_sigterm_in_the_middle_of_any_call_neither_hangs_nor_loses_anything(tracking_uri):
    code = """
        run = start()
        print(run.id, flush=True)
        print("ready", flush=True)
        logged = os.open("logged", os.O_CREAT | os.O_WRONLY)
        n = 0
        while True:
            run.log("n", n)
            n += 1
            os.pwrite(logged, b"%9d" % n, 0)
            if n % 20 == 0:
                run.log("text", f"text {n}")
                run.flush()
    """
    experiment = Experiment(Workspace("s", "g", "w"), "e")
    for delay in (0.0, 0.013, 0.05, 0.11, 0.27, 0.4):
        before = {run.id for run in experiment.get_runs()}
        process = launch(code)
        when_ready(process)
        time.sleep(delay)
        process.terminate()
        began = time.monotonic()
        code_of_end, _, errors = end_of(process, 30)
        (run,) = [run for run in experiment.get_runs() if run.id not in before]
        logged = int(Path("logged").read_text() or "0") if Path("logged").exists() else 0
        values = run.get_metrics().get("n", [])

        assert code_of_end == -signal.SIGTERM
        # A call that was sending when it was interrupted keeps others from it: then the rest is sent later, and told.
        assert errors == "" or re.fullmatch(
            r"azml_compat: what was logged to 1 run is not in .* a call that was interrupted is still sending\. "
            r"It is kept in .*azml-compat sync\n",
            errors,
        )
        assert time.monotonic() - began < 20
        assert run.get_status() == "Canceled"
        assert (values if isinstance(values, list) else [values])[:logged] == list(range(logged))


def test_a_forked_worker_that_gets_sigterm_cancels_its_own_run_and_no_other():
    code = """
        run = start()
        run.log("a", 1)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            child = run.child_run("fold")
            child.log("a", 2)
            os.write(writing, b"x")
            time.sleep(60)
            os._exit(1)
        os.read(reading, 1)
        os.kill(pid, signal.SIGTERM)
        print("ended", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), run.get_status())
        run.complete()
    """
    shown = run_script(code)
    run, child = runs_of()

    assert f"ended {-signal.SIGTERM} Running" in shown
    assert [run.get_status(), child.get_status()] == ["Completed", "Canceled"]
    assert child.get_metrics() == {"a": 2}
    assert journals() == []


def test_a_forked_worker_without_a_run_of_its_own_dies_of_sigterm_at_once():
    code = """
        from azml_compat import _runtime
        run = start()
        end = _runtime._end._finish
        _runtime._end._finish = lambda outcome: (os.write(1, b"finished\\n"), end(outcome))
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            run.log("a", 1)
            os.write(writing, b"x")
            time.sleep(60)
            os._exit(1)
        os.read(reading, 1)
        os.kill(pid, signal.SIGTERM)
        print("ended", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), run.get_metrics(), flush=True)
    """
    shown = run_script(code)

    assert f"ended {-signal.SIGTERM} {{'a': 1}}" in shown
    assert shown.count("finished") == 1, "by the parent"
    assert the_run().get_status() == "Completed"


def test_ctrl_c_while_runs_are_ended_for_sigterm_leaves_the_next_sigterm_its_effect():
    code = """
        from azml_compat._process_end import ProcessEnd
        interrupts = [KeyboardInterrupt()]
        def secure(outcome):
            if interrupts:
                raise interrupts.pop()
        ProcessEnd(lambda outcome: print("ended", outcome.is_terminated, flush=True), secure, lambda: True).watch()
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(5)
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        print("survived", flush=True)
    """
    shown = run_script(code, code_of_exit=-signal.SIGTERM)

    assert shown.splitlines() == ["interrupted", "ended True"]


# Signal handlers of scripts


@pytest.fixture
def when_signalled(monkeypatch):
    """Have a handler called for a signal that is sent inside of a method of a class, once; what it raised."""
    before = signal.getsignal(signal.SIGUSR1)

    def arrange(owner, name, handle):
        caught = []
        real = getattr(owner, name)

        def handler(*_):
            try:
                handle()
                caught.append(None)
            except (AzureMLException, ServiceException) as error:
                caught.append(error)

        def interrupted(*arguments, **more):
            if not caught:
                signal.raise_signal(signal.SIGUSR1)
            return real(*arguments, **more)

        signal.signal(signal.SIGUSR1, handler)
        monkeypatch.setattr(owner, name, interrupted)
        return caught

    yield arrange
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.timeout(60)
def test_a_handler_that_logs_while_the_run_of_the_script_is_created_is_heard(when_signalled):
    def handle():
        run = Run.get_context()
        run.log("b", 1)
        run.log_list("b", [2, 3])
        run.log_row("t", x=1, y="two")

    caught = when_signalled(Store, "create_run", handle)
    run = Run.get_context()
    run.log("a", 1)
    run.log("b", 4)

    assert caught == [None]
    assert run.get_metrics() == {"b": [1, 2, 3, 4], "t": {"x": 1, "y": "two"}, "a": 1}
    (found,) = run.experiment.get_runs()
    assert found.id == run.id


@pytest.mark.timeout(60)
def test_what_a_handler_logged_while_the_run_was_created_in_vain_is_in_the_run_all_the_same(when_signalled, mocker):
    caught = when_signalled(Store, "create_run", lambda: Run.get_context().log("b", 1))
    mocker.patch("mlflow.MlflowClient.create_run", side_effect=KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        Run.get_context().log("a", 1)
    mocker.stopall()
    assert caught == [None]
    _runtime._end_with_process(_runtime.Outcome())

    assert Run.get_context().get_metrics() == {"b": 1}
    assert Run.get_context().status == "Completed"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("call", [lambda run: run.tag("key", "value"), lambda run: run.complete(), lambda run: run.id])
def test_a_handler_is_told_what_cannot_be_done_while_the_run_of_the_script_is_created(when_signalled, call):
    caught = when_signalled(Store, "create_run", lambda: call(Run.get_context()))
    Run.get_context().log("a", 1)

    assert "being created" in str(caught)
    assert Run.get_context().get_metrics() == {"a": 1}


@pytest.mark.timeout(60)
def test_a_run_whose_creation_a_handler_broke_off_is_ended_by_whoever_looks_next(file_uri, mocker):
    real = Store.create_run

    def create_run(*arguments, **more):
        real(*arguments, **more)
        raise TimeoutError  # as a handler of SIGALRM raises it

    mocker.patch.object(Store, "create_run", create_run)
    with pytest.raises(TimeoutError):
        Run.get_context().log("a", 1)
    mocker.stopall()
    name = Run.get_context().experiment.name
    assert status_in_file_store(file_uri) == "RUNNING"
    _runtime.reset()

    assert [run.status for run in runs_of(name)] == ["Failed"]
    assert journals() == []


@pytest.mark.timeout(60)
def test_a_handler_that_wants_the_store_while_it_is_opened_is_told_that_it_is_not_there_yet(when_signalled):
    caught = when_signalled(Store, "_open", lambda: _runtime.store().find_experiment("e"))
    run = Experiment(Workspace("s", "g", "w"), "e").start_logging(snapshot_directory=None)
    run.log("a", 1)

    (error,) = caught
    assert error.status_code == 503
    assert "signal handler" in str(error)
    assert run.get_metrics() == {"a": 1}


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("end", "status"), [("complete", "Completed"), ("fail", "Failed"), ("cancel", "Canceled")])
def test_a_handler_can_end_the_run_while_it_is_flushed(when_signalled, local_exp, end, status):
    run = local_exp.start_logging(snapshot_directory=None)
    run.log_list("a", list(range(100)))
    Path("outputs/model").write_text("model")
    took = []

    def handle():
        run.log("b", 1)
        began = time.monotonic()
        getattr(run, end)()
        took.append(time.monotonic() - began)

    caught = when_signalled(Store, "log_points", handle)
    run.flush()
    _runtime._end_with_process(_runtime.Outcome())

    assert caught == [None]
    assert took[0] < 5
    assert run.status == status
    assert run.get_metrics() == {"a": list(range(100)), "b": 1}
    assert run.get_file_names() == ["outputs/model"]
    assert journals() == []


@pytest.mark.timeout(60)
def test_a_handler_that_reads_while_the_run_is_flushed_gets_no_part(when_signalled, local_exp):
    run = local_exp.start_logging(snapshot_directory=None)
    run.log_list("a", [1, 2])
    caught = when_signalled(Store, "log_points", run.get_metrics)
    began = time.monotonic()
    run.flush()

    assert time.monotonic() - began < 20
    assert [type(error) for error in caught] != [type(None)]
    assert run.get_metrics() == {"a": [1, 2]}


# sys.exit


EXITS = {
    "sys.exit(3)": ("sys.exit(3)", 3, "Failed"),
    "a message": ("sys.exit('a message')", 1, "Failed"),
    "zero": ("sys.exit(0)", 0, "Completed"),
    "caught": ("try:\n    sys.exit(3)\nexcept SystemExit:\n    pass", 0, "Completed"),
    "argparse": ("import argparse\nargparse.ArgumentParser().parse_args(['--unknown'])", 2, "Failed"),
    "in a thread": (
        "thread = threading.Thread(target=sys.exit, args=(3,))\nthread.start()\nthread.join()",
        0,
        "Completed",
    ),
    "deep inside": ("def f(n):\n    return f(n - 1) if n else sys.exit(4)\nf(20)", 4, "Failed"),
    "kept and raised": (
        "try:\n    sys.exit(5)\nexcept SystemExit as error:\n    kept = error\nraise kept",
        5,
        "Failed",
    ),
    "kept": ("try:\n    sys.exit(5)\nexcept SystemExit as error:\n    kept = error", 0, "Completed"),
}
_FAST_EXITS = ("sys.exit(3)", "caught", "argparse", "in a thread")


@pytest.mark.parametrize(
    ("runner", "end", "code_of_exit", "status"),
    [
        pytest.param(
            runner,
            *case,
            id=f"{name} under {how}",
            marks=[] if how == "python" and name in _FAST_EXITS else pytest.mark.extra,
        )
        for how, runner in (("python", []), ("the launcher", LAUNCHER))
        for name, case in EXITS.items()
        # Only the launcher sees a SystemExit that the script keeps for itself.
        if (how, name) != ("python", "kept and raised")
    ],
)
def test_the_exit_code_decides_what_becomes_of_the_run(runner, end, code_of_exit, status):
    run_script(f"run = start()\nrun.log('a', 1)\n{end}", runner=runner, code_of_exit=code_of_exit)
    run = the_run()

    assert run.get_status() == status
    assert run.get_metrics() == {"a": 1}
    error = str(run.get_details().get("error"))
    assert (f"exit code {code_of_exit}" in error) == (status == "Failed")


@pytest.mark.extra
@pytest.mark.parametrize("end", ["raise ValueError('broken')", "os.kill(os.getpid(), signal.SIGINT)\ntime.sleep(5)"])
@pytest.mark.parametrize("runner", [[], LAUNCHER], ids=["python", "launcher"])
def test_an_error_that_nobody_caught_fails_the_run(tracking_uri, end, runner):
    code = f"run = start(run_id='{tracking_uri[:4]}-{len(end)}-{len(runner)}')\nrun.log('a', 1)\n{end}"
    run_script(code, runner=runner, code_of_exit=1 if "raise" in end else -signal.SIGINT)
    run = runs_of()[-1]

    assert run.get_status() == "Failed"
    assert run.get_metrics() == {"a": 1}
    assert ("broken" if "raise" in end else "KeyboardInterrupt") in str(run.get_details()["error"])


# Processes and threads of one run


def test_what_threads_log_while_the_run_is_completed_is_kept(tracking_uri):
    run = Experiment(Workspace("s", "g", "w"), "e").start_logging(snapshot_directory=None)
    counts = [0, 0, 0]
    stop = threading.Event()

    def work(number):
        while not stop.is_set():
            run.log(f"thread {number}", counts[number])
            counts[number] += 1
            time.sleep(0.003)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    run.complete()
    stop.set()
    for thread in threads:
        thread.join()

    assert run.get_metrics() == {f"thread {number}": list(range(count)) for number, count in enumerate(counts)}
    assert run.get_status() == "Completed"


def test_threads_may_flush_a_run_while_another_ends_it(local_exp):
    errors = []

    def flush(run, writer, stop):
        while not stop.is_set():
            try:
                writer.flush(5)
                run.flush()
            except (OSError, AzureMLException, ServiceException) as error:
                errors.append(error)

    for _ in range(25):
        run = local_exp.start_logging(snapshot_directory=None)
        run.log("a", 1)
        stop = threading.Event()
        threads = [threading.Thread(target=flush, args=(run, run._writer, stop)) for _ in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(0.02)
        run.complete()
        stop.set()
        for thread in threads:
            thread.join()

    assert errors == []
    assert {run.status for run in local_exp.get_runs()} == {"Completed"}


def test_a_flush_ends_although_another_thread_logs_faster_than_the_store_takes_it(file_uri):
    run = Experiment(Workspace("s", "g", "w"), "e").start_logging(snapshot_directory=None)
    stop = threading.Event()

    def work():
        n = 0
        while not stop.is_set():
            run.log_list("list", range(n, n + 100))
            n += 100
            time.sleep(0.002)

    thread = threading.Thread(target=work)
    thread.start()
    began = time.monotonic()
    try:
        run.flush(60)
    finally:
        stop.set()
        thread.join()

    assert time.monotonic() - began < 30
    _runtime.reset()


def test_a_forked_worker_that_is_killed_leaves_its_values_and_the_run_open():
    code = """
        run = start()
        run.log("parent", 1)
        pid = os.fork()
        if pid == 0:
            for n in range(200):
                run.log("worker", n)
            os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(pid, 0)
        assert run.get_metrics() == {"parent": 1, "worker": list(range(200))}, run.get_metrics()
        assert run.get_status() == "Running", run.get_status()
        run.log("parent", 2)
    """
    run_script(code)

    assert the_run().get_status() == "Completed"
    assert the_run().get_metrics() == {"parent": [1, 2], "worker": list(range(200))}
    assert journals() == []


@pytest.mark.parametrize("end", ["os._exit(0)", pytest.param("sys.exit(0)", marks=pytest.mark.alone)])
def test_children_that_are_forked_while_threads_log_and_flush_can_log_themselves(end):
    code = f"""
        run = start()
        stop = threading.Event()
        counts = [0, 0]
        def work(number):
            while not stop.is_set():
                run.log(f"thread {{number}}", counts[number])
                run.log_row(f"table {{number}}", n=counts[number], text="t")
                counts[number] += 1
                time.sleep(0.001)
                if number and counts[number] % 10 == 0:
                    run.flush()
        threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in (0, 1)]
        for thread in threads:
            thread.start()
        children = []
        for number in range(12):
            pid = os.fork()
            if pid == 0:
                signal.alarm(40)
                run.log("child", number)
                run.log_row("children", number=number)
                run.flush()
                {end}
            children.append(pid)
            time.sleep(0.02)
        ends = [os.waitpid(pid, 0)[1] for pid in children]
        stop.set()
        for thread in threads:
            thread.join()
        assert ends == [0] * 12, ends
        metrics = run.get_metrics()
        assert sorted(metrics["child"]) == list(range(12)), metrics["child"]
        assert sorted(metrics["children"]["number"]) == list(range(12)), metrics["children"]
        for number in (0, 1):
            assert metrics[f"thread {{number}}"] == list(range(counts[number]))
            assert metrics[f"table {{number}}"]["n"] == list(range(counts[number]))
    """
    run_script(code)

    assert the_run().get_status() == "Completed"
    assert journals() == []


@pytest.mark.extra
def test_children_that_are_forked_while_threads_use_the_store_can_use_it_themselves(tracking_uri):
    code = """
        run = start()
        stop = threading.Event()
        def work():
            n = 0
            while not stop.is_set():
                run.log("thread", n)
                run.get_metrics("thread")
                n += 1
        threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        children = []
        for number in range(20):
            pid = os.fork()
            if pid == 0:
                signal.alarm(60)
                run.log("child", number)
                run.flush()
                assert run.get_status() == "Running"
                os._exit(0)
            children.append(pid)
            time.sleep(0.03)
        ends = [os.waitpid(pid, 0)[1] for pid in children]
        stop.set()
        for thread in threads:
            thread.join()
        assert ends == [0] * 20, ends
        assert sorted(run.get_metrics()["child"]) == list(range(20)), run.get_metrics()["child"]
    """
    run_script(code, seconds=200)


_POOLS = {
    "Pool, fork": "multiprocessing.get_context('fork').Pool(3)",
    "Pool, spawn": "multiprocessing.get_context('spawn').Pool(3)",
    "ProcessPoolExecutor": "concurrent.futures.ProcessPoolExecutor(3)",
    "ProcessPoolExecutor, spawn": (
        "concurrent.futures.ProcessPoolExecutor(3, mp_context=multiprocessing.get_context('spawn'))"
    ),
}


@pytest.mark.extra
@pytest.mark.parametrize("pool", _POOLS.values(), ids=_POOLS)
def test_workers_of_every_kind_of_pool_add_to_the_run_and_leave_it_open(pool):
    code = f"""
        import concurrent.futures, multiprocessing
        def work(number):
            run = Run.get_context()
            run.log("value", number)
            run.log_row("row", number=number, text=str(number))
            return run.id
        if __name__ == "__main__":
            run = Run.get_context()
            run.log("parent", 1)
            with {pool} as pool:
                ids = set(pool.map(work, range(30)))
            assert ids == {{run.id}}, ids
            assert run.get_status() == "Running", run.get_status()
            metrics = run.get_metrics()
            assert sorted(metrics["value"]) == list(range(30)), metrics["value"]
            assert sorted(metrics["row"]["number"]) == list(range(30)), metrics["row"]
    """
    run_script(code)
    (run,) = runs_of("script")

    assert run.get_status() == "Completed"
    assert journals() == []


@pytest.mark.parametrize("variable", ["AZUREML_RUN_ID", pytest.param("MLFLOW_RUN_ID", marks=pytest.mark.extra)])
def test_an_attached_process_that_is_killed_leaves_its_values_and_the_run_open(variable):
    code = """
        run = Run.get_context()
        for n in range(100):
            run.log("attached", n)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    owned = Experiment(Workspace("s", "g", "w"), "e").start_logging(snapshot_directory=None)
    owned.log("own", 1)
    run_script(code, code_of_exit=-signal.SIGKILL, **{variable: owned.id})

    assert owned.get_metrics() == {"own": 1, "attached": list(range(100))}
    assert owned.get_status() == "Running"
    _runtime._recover()
    assert owned.get_status() == "Running"
    owned.complete()
    assert owned.get_status() == "Completed"
    assert journals() == []


@pytest.mark.extra
@pytest.mark.parametrize("attempt", range(2))
def test_16_processes_that_start_at_once_on_a_fresh_database_all_log_everything(tmp_path, monkeypatch, attempt):
    uri = f"sqlite:///{tmp_path / 'fresh' / 'mlflow.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    code = """
        run = start()
        for n in range(200):
            run.log("n", n)
    """
    processes = [launch(code) for _ in range(16)]
    ends = [end_of(process, 250) for process in processes]

    assert [(code_of_end, errors) for code_of_end, _, errors in ends] == [(0, "")] * 16
    assert [run.get_status() for run in runs_of()] == ["Completed"] * 16
    assert [run.get_metrics() for run in runs_of()] == [{"n": list(range(200))}] * 16
    assert journals() == []


@pytest.mark.extra
def test_8_threads_and_8_processes_on_one_run_lose_nothing_and_keep_their_order(tracking_uri):
    threads = """
        run = start(run_id=os.environ["CHOSEN"])
        print("ready", flush=True)
        def work(number):
            for n in range(200):
                run.log("shared", 1000 * number + n)
                run.log_row("rows", who=number, n=n)
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        while not os.path.exists("all done"):
            time.sleep(0.05)
    """
    attached = """
        run = Run.get_context()
        number = int(os.environ["NUMBER"])
        for n in range(200):
            run.log("shared", 1000 * number + n)
            run.log_row("rows", who=number, n=n)
            if n % 50 == number:
                run.flush()
    """
    chosen = f"shared-{time.time_ns()}"
    owner = launch(threads, name="owner.py", CHOSEN=chosen)
    when_ready(owner)
    others = [launch(attached, name="other.py", AZUREML_RUN_ID=chosen, NUMBER=str(8 + n)) for n in range(8)]
    ends = [end_of(other, 250) for other in others]
    Path("all done").touch()
    ends.append(end_of(owner, 250))
    run = Experiment(Workspace("s", "g", "w"), "e").workspace.get_run(chosen)
    metrics = run.get_metrics()

    assert [(code_of_end, errors) for code_of_end, _, errors in ends] == [(0, "")] * 9
    assert run.get_status() == "Completed"
    for number in range(16):
        assert [value % 1000 for value in metrics["shared"] if value // 1000 == number] == list(range(200))
        rows = zip(metrics["rows"]["who"], metrics["rows"]["n"], strict=True)
        assert [n for who, n in rows if who == number] == list(range(200))
    assert journals() == []


def test_what_is_wrong_with_runs_of_others_does_not_reach_a_script(sqlite_uri, mocker, monkeypatch, caplog):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    mocker.patch.object(Spool, "abandoned_runs", side_effect=PermissionError("not yours"))
    run = Experiment(Workspace("s", "g", "w"), "e").start_logging(snapshot_directory=None)
    run.log("a", 1)
    run.complete()

    assert run.get_metrics() == {"a": 1}
    assert caplog.text.count("Cannot look after what other scripts have left: not yours") == 1


# The background process


@pytest.fixture
def background(monkeypatch):
    """Scripts may start the background process; gives the command lines and environments of those of this home."""
    monkeypatch.setenv("AZML_COMPAT_BACKGROUND", "1")
    home = os.environ["AZML_COMPAT_HOME"]

    def processes():
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes().decode().split("\0")
                is_one = "-c" in command and any(home in argument and "package" in argument for argument in command)
                if is_one and _is_on_its_own(folder):
                    found[int(folder.name)] = (folder / "environ").read_bytes().decode().split("\0")
            except OSError:
                continue
        return found

    yield processes
    assert wait_for(lambda: not processes(), 30), processes()


def journal_of(process, run):
    """Write a journal of one line, of another machine's process or of one that has died on this one."""
    spool = Spool(os.environ["MLFLOW_TRACKING_URI"])
    header = Header.of_this_process(run=run, is_owner=False, store=spool.uri, has_credentials=False)
    if process == "another machine":
        header = dataclasses.replace(header, boot="another", machine="another", host="another")
    folder = spool.folder / run
    folder.mkdir(mode=0o700)
    lines = [json.dumps(dataclasses.asdict(header)), '[[],[["a",1,0,1.0]]]']
    (folder / f"{writer_name()}.log").write_bytes(b"".join(map(encode_line, lines)))
    return spool


@pytest.mark.parametrize("whose", ["another machine", "a process that is gone"])
def test_the_background_process_leaves_what_it_cannot_send(monkeypatch, whose):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    spool = journal_of(whose, "f" * 32)
    code = f"""
        from azml_compat import _background
        from azml_compat._tracking import opening
        _background._TURN_SECONDS, _background._GIVE_UP_SECONDS, opening._SERVER_PAUSES = 0.05, 0.5, ()
        _background.serve({str(spool.folder)!r}, {spool.uri!r})
        print("left")
    """

    assert run_script(code, seconds=60).split() == ["left"]
    assert len(spool.journals("f" * 32)) == 1


def test_the_background_process_goes_on_for_whoever_came_at_the_moment_when_it_left(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setattr("azml_compat._background._TURN_SECONDS", 0.01)
    monkeypatch.setattr("azml_compat._background._GIVE_UP_SECONDS", 0)
    monkeypatch.setattr("azml_compat._tracking.opening._SERVER_PAUSES", ())
    spool = journal_of("a process that is gone", "e" * 32)
    background = turns_of_the_background(spool.uri)
    background.serve()
    assert not background.is_wanted()
    journal_of("another machine", "f" * 32)
    assert not background.is_wanted()
    journal_of("a process that is gone", "d" * 32)

    assert background.is_wanted()


def test_the_background_process_waits_for_a_store_that_is_away_though_nobody_was_ever_seen_alive(monkeypatch):
    """A script that ends while its store is away starts it, and is gone before it can be seen."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setattr("azml_compat._tracking.opening._SERVER_PAUSES", ())
    background = turns_of_the_background(journal_of("a process that is gone", "e" * 32).uri)

    assert background._turn()


def test_a_run_on_which_all_patience_is_lost_does_not_keep_the_background_process_from_the_others(
    local_exp, mocker, monkeypatch
):
    first, second = (local_exp.start_logging(snapshot_directory=None) for _ in range(2))
    for run in (first, second):
        run.log("a", 1.0)
        os.close(run._writer._journal.descriptor)
    uri = os.environ["MLFLOW_TRACKING_URI"]
    _runtime._state.writers.clear()
    _runtime.reset()
    monkeypatch.setattr("azml_compat._background._PATIENCE", 0.5)
    log_points = Store.log_points

    def hang(store, run_id, points):
        if run_id == first.id:
            with store._patience.counting("Cannot log"):
                time.sleep(0.6)
                raise ServiceException._from_status(503, "no answer")
        log_points(store, run_id, points)

    mocker.patch.object(Store, "log_points", hang)
    background = turns_of_the_background(uri)
    for _ in range(2):
        background._turn()
        background._next_attempt = 0.0

    client = MlflowClient(uri)
    assert [client.get_run(run.id).data.metrics for run in (first, second)] == [{}, {"a": 1.0}]


@pytest.fixture
def looks(monkeypatch, mocker):
    """Have a script look after its background process all the time; the times of its looks."""
    monkeypatch.setenv("AZML_COMPAT_BACKGROUND", "1")
    monkeypatch.setattr("azml_compat._background._START_SECONDS", 0.02)
    monkeypatch.setattr("azml_compat._background._LOOK_SECONDS", (0.02, 10.0))
    found = []
    mocker.patch.object(_background, "start", lambda uri, spool: found.append(time.monotonic()) or spool.has_died)
    return found


def test_a_script_looks_after_its_background_process_for_as_long_as_it_has_journals(looks):
    starter = _background._Starter()
    spool = SimpleNamespace(is_in_use=True, has_died=False)
    starter.soon("uri", spool)
    watcher = starter._watcher
    starter.soon("uri", spool)
    assert starter._watcher is watcher
    assert wait_for(lambda: len(looks) > 3, 20)
    spool.is_in_use = False
    watcher.join(20)
    assert not watcher.is_alive()
    count = len(looks)
    spool.is_in_use = True
    starter.soon("uri", spool)

    assert wait_for(lambda: len(looks) > count, 20)
    spool.is_in_use = False
    starter._watcher.join(20)


def test_a_background_process_that_cannot_live_is_not_started_every_few_seconds(looks):
    starter = _background._Starter()
    spool = SimpleNamespace(is_in_use=True, has_died=True)
    starter.soon("uri", spool)
    assert wait_for(lambda: len(looks) > 4, 30)
    spool.is_in_use = False
    starter._watcher.join(30)

    pauses = [after - before for before, after in itertools.pairwise(looks)]
    assert all(pause > 0.02 * 2**number for number, pause in enumerate(pauses, start=1))


def test_a_script_for_which_the_system_has_no_more_threads_goes_on(local_exp, mocker, monkeypatch, caplog):
    monkeypatch.setenv("AZML_COMPAT_BACKGROUND", "1")
    mocker.patch.object(_background, "_starter", _background._Starter())
    mocker.patch.object(_background, "start_soon", _background._starter.soon)
    mocker.patch("threading.Thread.start", side_effect=RuntimeError("can't start new thread"))
    runs = [local_exp.start_logging(snapshot_directory=None) for _ in range(2)]
    for run in runs:
        run.log("a", 1)
        run.log("a", 2)
    mocker.stopall()
    for run in runs:
        run.complete()

    assert [run.get_metrics() for run in runs] == [{"a": [1, 2]}] * 2
    assert caplog.text.count("can't start new thread") == 1


@pytest.mark.alone
def test_a_background_process_that_was_killed_is_replaced(background):
    process = launch("""
        from azml_compat import _background
        _background._START_SECONDS, _background._LOOK_SECONDS = 0.2, (1.0, 10.0)
        run = start()
        run.log("a", 1)
        print("ready", flush=True)
        time.sleep(60)
    """)
    when_ready(process)
    assert wait_for(background, 30)
    time.sleep(1)
    killed = set(background())
    for pid in killed:
        os.kill(pid, signal.SIGKILL)

    assert wait_for(lambda: set(background()) - killed, 30)
    process.terminate()
    end_of(process)
    assert the_run().get_status() == "Canceled"


SLOW = """
    run = start()
    run.log("a", 1)
    print("ready", flush=True)
    time.sleep(5)
    run.log("b", 2)
"""


@pytest.mark.alone
def test_whoever_waits_for_the_output_of_a_script_does_not_wait_for_the_background_process(background):
    process = launch(SLOW + "    print('ends', flush=True)\n    os._exit(0)")
    when_ready(process)
    time.sleep(3.5)
    assert len(background()) == 1
    code_of_end, shown, errors = end_of(process)
    ended = time.monotonic()

    assert (code_of_end, shown.split(), errors) == (0, ["ends"], "")
    assert background(), "it was to live longer than the pipes"
    assert wait_for(lambda: not background(), 20)
    assert time.monotonic() - ended < 20
    assert the_run().get_status() == "Failed"


@pytest.mark.alone
def test_the_background_process_leaves_soon_after_a_script_that_ended_well(background):
    run_script(SLOW)

    assert the_run().get_status() == "Completed"
    assert wait_for(lambda: not background(), 15)


@pytest.mark.alone
def test_the_background_process_survives_ctrl_c_of_its_caller(background, file_uri):
    """It is in neither the process group nor the session that a terminal sends signals to."""
    Path("script.py").write_text(HEAD + textwrap.dedent(SLOW.replace("sleep(5)", "sleep(50)")))
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "script.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    when_ready(process)
    assert wait_for(background, 20)
    (pid,) = background()
    time.sleep(1.5)
    os.killpg(process.pid, signal.SIGINT)
    assert os.getsid(pid) != os.getsid(process.pid) if process.poll() is None else True
    assert wait_for(lambda: process.poll() is not None, 20)
    assert background() or status_in_file_store(file_uri) == "FAILED"
    process.communicate()

    assert the_run().get_status() == "Failed"
    assert the_run().get_metrics() == {"a": 1}


@pytest.mark.alone
@pytest.mark.parametrize("runner", [[], LAUNCHER], ids=["python", "launcher"])
def test_the_background_process_imports_nothing_from_the_callers_folders(background, runner, file_uri):
    script = Path("project") / "script.py"
    script.parent.mkdir()
    hostile = (
        "open({!r}, 'a').write(__name__ + ' ' + str(__import__('sys').argv) + '\\n')\nraise ImportError('hostile')\n"
    )
    trace = str(Path("hostile was imported").absolute())
    script.write_text(
        HEAD
        + textwrap.dedent("""
        run = start()
        run.log("a", 1)
        import json, logging, mlflow, sqlite3, tempfile
        run.flush()
        for folder in (".", os.path.dirname(os.path.abspath(__file__))):
            for name in ("json", "mlflow", "logging", "sqlite3", "importlib", "tempfile", "azml_compat", "yaml"):
                with open(os.path.join(folder, name + ".py"), "w") as file:
                    file.write(os.environ["HOSTILE"])
        time.sleep(5)
        run.log("b", 2)
        os._exit(0)
        """)
    )
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", *runner, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}{os.pathsep}", "HOSTILE": hostile.format(trace)},
    )
    code_of_end, shown, errors = end_of(process)

    assert code_of_end == 0, shown + errors
    assert wait_for(lambda: status_in_file_store(file_uri) == "FAILED", 30)
    assert not Path(trace).exists(), Path(trace).read_text()
    assert the_run().get_metrics() == {"a": 1, "b": 2}


def test_the_background_process_finds_what_lies_beside_the_package(monkeypatch, tmp_path):
    """After `pip install --target`, nothing that azml_compat needs is anywhere else."""
    beside = str(Path(_detached.__file__).parents[1])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(tmp_path / "scripts" / "train.py")])
    monkeypatch.setattr("sys.path", ["", "relative", str(tmp_path), str(tmp_path / "scripts"), beside, "/elsewhere"])

    assert list(_detached._import_path()) == [beside, "/elsewhere"]


@pytest.mark.alone
def test_the_background_process_has_nothing_of_the_run_or_the_alias_in_its_environment(background):
    owned = Experiment(Workspace("s", "g", "w"), "e").start_logging(snapshot_directory=None)
    code = SLOW.replace("start()", "Run.get_context()")
    process = launch(code, runner=LAUNCHER, AZUREML_RUN_ID=owned.id, AZUREML_ARM_PROJECT_NAME="e", MLFLOW_RUN_ID="x")
    when_ready(process)
    assert wait_for(background, 20)
    (variables,) = background().values()
    end_of(process)
    names = {variable.partition("=")[0] for variable in variables}

    assert not [name for name in names if name.startswith(("AZUREML_", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT"))]
    assert "MLFLOW_TRACKING_URI" in names
    assert not [variable for variable in variables if "_bootstrap" in variable]
    assert owned.get_metrics() == {"a": 1, "b": 2}
    owned.complete()


@pytest.mark.alone
def test_four_processes_share_one_background_process(background):
    processes = [launch(SLOW) for _ in range(4)]
    for process in processes:
        when_ready(process)
    most = 0
    has_run = False
    while any(process.poll() is None for process in processes):
        found = background()
        has_run |= bool(found)
        most = max(most, len({pid for pid in found if not _is_starting(pid)}))
        time.sleep(0.1)
    ends = [end_of(process) for process in processes]

    assert [(code_of_end, errors) for code_of_end, _, errors in ends] == [(0, "")] * 4
    assert has_run
    assert most <= 1
    assert [run.get_metrics() for run in runs_of()] == [{"a": 1, "b": 2}] * 4


def _is_on_its_own(folder):
    """Whether a process, by its folder in /proc, has left whoever started it behind."""
    parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    return parent == 1 or "python" not in Path(f"/proc/{parent}/cmdline").read_bytes().decode().partition("\0")[0]


def _is_starting(pid):
    """Whether a process is so young that it may not have seen yet that there is one already."""
    try:
        ticks = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return True
    return float(Path("/proc/uptime").read_text().split()[0]) - ticks / os.sysconf("SC_CLK_TCK") < 4


@pytest.mark.alone
def test_a_script_has_no_child_that_it_did_not_start(background):
    code = """
        run = start()
        run.log("a", 1)
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                found = os.waitpid(-1, os.WNOHANG)
                assert found == (0, 0), found
            except ChildProcessError:
                pass
            time.sleep(0.2)
        try:
            print("a child", os.wait())
        except ChildProcessError:
            print("no child")
        with open("/proc/self/task/%d/children" % os.getpid()) as children:
            print(children.read())
    """
    shown = run_script(code)

    assert shown.split()[-2:] == ["no", "child"]


@pytest.mark.extra
def test_the_journal_is_private_and_holds_no_credentials(tmp_path, template_database, monkeypatch):
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "mlflow.db").write_bytes(template_database.read_bytes())
    with mlflow_server(f"sqlite:///{folder / 'mlflow.db'}", folder) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address.replace("http://", "http://user:secret@"))
        code = """
            os.umask(0)
            run = start()
            run.log("a", 1)
            run.tag("team", "a")
            child = run.child_run()
            child.log("text", "b")
            os.kill(os.getpid(), signal.SIGKILL)
        """
        run_script(code, code_of_exit=-signal.SIGKILL)
        home = Path(os.environ["AZML_COMPAT_HOME"])
        found = list(home.rglob("*"))

        assert [file.suffix for file in found].count(".log") == 2
        for file in found:
            mode = stat.S_IMODE(file.stat().st_mode)
            assert mode == (0o700 if file.is_dir() else 0o600), (file, oct(mode))
            assert file.is_dir() or b"secret" not in file.read_bytes(), file
            assert "secret" not in str(file)
        header = json.loads(next(file for file in found if file.suffix == ".log").read_text().split("\n")[0][9:])
        assert header["store"] == address
        run, child = runs_of()
        assert (run.get_status(), child.get_metrics()) == ("Failed", {"text": "b"})
        assert journals() == []
