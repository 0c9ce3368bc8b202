"""The supervisor of submitted runs, look by look: what the store or somebody else does between two steps."""

from __future__ import annotations

import dataclasses
import json
import os
import pkgutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from azml_compat._data import consumption
from azml_compat._jobs import ending, processes, supervisor
from azml_compat._jobs.folder import Job, JobFolder, job_folders, jobs_folder, remove_done
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking import Store
from azml_compat.core import Dataset, ScriptRun
from azml_compat.data import OutputFileDatasetConfig


@pytest.fixture
def root(sqlite_uri):
    return jobs_folder(sqlite_uri)


@pytest.fixture
def folder(local_run, root, tmp_path):
    """The folder of a run whose script is running; nobody but the test looks after it."""
    work = tmp_path / "work"
    work.mkdir()
    made = JobFolder.create(root, job(local_run.id, work))
    made.advance(phase="running")
    return made


@pytest.fixture
def watch(folder, mocker):
    """The supervisor's eye on it, which does not wait."""
    mocker.patch.object(JobFolder, "has_launcher", return_value=True)
    mocker.patch.object(supervisor, "_PHASE_SECONDS", 0)
    mocker.patch.object(supervisor, "_LOG_SECONDS", (0, 0))
    mocker.patch.object(supervisor, "_RETRY_SECONDS", (0, 0))
    mocker.patch.object(supervisor, "ensure")
    return supervisor._Watch(folder)


@pytest.fixture
def submitted(local_run, local_exp):
    """The run as whoever submitted it has it."""
    return ScriptRun._of(local_exp, local_run._refresh())


def job(run, work):
    return Job(run, str(work), "train.py", None, [], [{}], None)


def finish(folder, how="exit", code=0):
    folder.advance(phase="finished", how=how, code=code)


def refuse(mocker, *names):
    """Have the store answer some calls with an error of its own."""
    error = ServiceException._from_status(500, "no, and no again")
    return [mocker.patch.object(Store, name, side_effect=error) for name in names]


# Errors


def test_errors_of_the_store_do_not_end_a_script_that_runs(watch, folder, submitted, mocker):
    watch.look()
    refused = refuse(mocker, "get_run", "set_run_tags", "set_run_status")
    for _ in range(3 * supervisor._MAX_FAILURES):
        watch.look()
    assert all(call.called for call in refused[:1])
    assert not folder.is_canceled
    mocker.stopall()
    assert folder.exists()

    finish(folder)
    watch.look()
    assert submitted.get_status() == "Completed"
    assert not folder.exists()


def test_an_end_that_the_store_never_takes_becomes_a_failure_and_keeps_what_the_script_left(
    watch, folder, root, submitted, mocker
):
    finish(folder)
    Path(folder.job().work, "outputs").mkdir()
    Path(folder.job().work, "outputs", "model.txt").write_text("model")
    mocker.patch.object(ending.Supervised, "end", side_effect=ServiceException._from_status(500, "never"))
    for _ in range(supervisor._MAX_FAILURES - 1):
        watch.look()
    assert submitted.get_status() == "Running"
    watch.look()

    assert submitted.get_status() == "Failed"
    assert "could not be brought to its end: never" in submitted.get_details()["error"]["error"]["message"]
    assert list(job_folders(root)) == []
    kept = root / f".given-up-{folder.run}"
    assert (kept / "job.json").exists()
    assert (kept / "work" / "outputs" / "model.txt").read_text() == "model"


def test_errors_that_pass_are_not_added_up(watch, folder, submitted, mocker):
    finish(folder)
    refused = mocker.patch.object(
        ending.Supervised, "end", side_effect=[*[ServiceException._from_status(500, "now")] * 5, None]
    )
    for _ in range(5):
        watch.look()
    mocker.patch.object(JobFolder, "remove")
    watch.look()
    refused.side_effect = ServiceException._from_status(500, "again")
    for _ in range(5):
        watch.look()

    assert submitted.get_status() == "Running"
    assert folder.exists()


def test_a_run_that_cannot_even_be_given_up_is_tried_again(watch, folder, submitted, mocker, caplog):
    finish(folder)
    refuse(mocker, "get_run", "end_run", "set_run_tags")
    for _ in range(2 * supervisor._MAX_FAILURES):
        watch.look()
    assert "no, and no again" in caplog.text
    assert folder.exists()
    mocker.stopall()

    mocker.patch.object(JobFolder, "has_launcher", return_value=True)
    watch.look()
    assert submitted.get_status() == "Completed"


def test_a_job_that_cannot_be_read_is_given_up(watch, folder, submitted):
    finish(folder)
    (folder.path / "job.json").write_text("{")
    for _ in range(supervisor._MAX_FAILURES):
        watch.look()

    assert submitted.get_status() == "Failed"
    assert not folder.exists()


@pytest.mark.parametrize("step", ["azml_compat.core.run.Run._finish_now", "azml_compat._data.registry.register"])
def test_an_output_is_uploaded_and_registered_once_however_often_the_end_is_tried(
    watch, folder, submitted, local_exp, mocker, step
):
    ws, work = local_exp.workspace, Path(folder.job().work)
    store = ws.get_default_datastore()
    output = OutputFileDatasetConfig("out", (store, "res")).as_upload().register_on_complete("made")
    plan = consumption.plan_output(output, folder.run)
    Path(consumption.deliver_output(plan, work)["out"], "f.txt").write_text("f")
    changed = dataclasses.replace(folder.job(), outputs=[plan])
    (folder.path / "job.json").write_text(json.dumps(dataclasses.asdict(changed)))
    finish(folder)
    real = pkgutil.resolve_name(step)
    busy = [ServiceException._from_status(503, "What run x logged is being sent just now")]

    def sometimes(*arguments, **more):
        if busy:
            raise busy.pop()
        return real(*arguments, **more)

    mocker.patch(step, sometimes)
    watch.look()
    assert submitted.get_status() == "Running"
    watch.look()

    assert submitted.get_status() == "Completed", submitted.get_details()
    assert Dataset.File.from_files((store, "res")).to_path() == ["/f.txt"]
    assert Dataset.get_by_name(ws, "made").version == 1


# Being canceled


def test_a_wish_to_cancel_from_elsewhere_is_not_written_over(watch, folder, local_run, submitted, mocker):
    mocker.patch.object(ScriptRun, "_folder", return_value=None)  # as on another machine
    submitted.cancel()
    watch.look()

    assert submitted.get_status() == "CancelRequested"
    assert folder.is_canceled


def test_a_run_that_ends_before_it_is_to_be_canceled_stays_as_it_is(watch, folder, submitted, mocker):
    finish(folder)
    cancel = JobFolder.cancel

    def cancel_too_late(one):
        watch.look()
        cancel(one)

    mocker.patch.object(JobFolder, "cancel", cancel_too_late)
    submitted.cancel()

    assert submitted.get_status() == "Completed"


def test_a_run_that_ends_while_it_is_to_be_canceled_has_an_end(watch, folder, submitted, mocker):
    finish(folder)
    set_run_tags = Store.set_run_tags

    def end_first(store, run, tags):
        mocker.patch.object(Store, "set_run_tags", set_run_tags)
        watch.look()
        set_run_tags(store, run, tags)

    mocker.patch.object(Store, "set_run_tags", end_first)
    submitted.cancel()

    assert not folder.exists()
    assert submitted.get_status() == "Canceled"
    assert submitted._refresh().status == "KILLED"


def test_a_wish_to_cancel_that_comes_between_the_end_and_its_last_look_changes_nothing(
    watch, folder, submitted, mocker
):
    finish(folder)
    end = ending.Supervised.end

    def end_and_cancel(supervised, state):
        end(supervised, state)
        submitted.cancel()
        assert submitted._refresh().status == "RUNNING"

    mocker.patch.object(ending.Supervised, "end", end_and_cancel)
    watch.look()

    assert submitted.get_status() == "Completed"


def test_a_store_that_is_away_at_the_last_look_is_asked_again(watch, folder, root, submitted, mocker):
    finish(folder)
    end, stay_ended = ending.Supervised.end, ending.Supervised.stay_ended

    def end_and_cancel(supervised, state):
        end(supervised, state)
        submitted.cancel()
        mocker.patch.object(ending.Supervised, "end", end)

    mocker.patch.object(ending.Supervised, "end", end_and_cancel)
    mocker.patch.object(ending.Supervised, "stay_ended", side_effect=ServiceException._from_status(503, "away"))
    watch.look()
    assert submitted._refresh().status == "RUNNING"
    assert [one.run for one in job_folders(root)] == [folder.run]
    folder.path.rename(root / f".done-{folder.run}")  # and the supervisor was killed in it
    remove_done(root)

    mocker.patch.object(ending.Supervised, "stay_ended", stay_ended)
    watch.look()
    assert submitted.get_status() == "Completed"
    assert list(root.iterdir()) == []


# What is left on this machine


def test_a_folder_that_is_half_removed_is_not_that_of_a_job(watch, folder, root, submitted, mocker, tmp_path):
    finish(folder)
    mocker.patch("shutil.rmtree")
    watch.look()
    assert list(job_folders(root)) == []
    assert [path.name for path in root.iterdir()] == [f".done-{folder.run}"]
    assert submitted.get_status() == "Completed"
    mocker.stopall()

    remove_done(root)
    assert list(root.iterdir()) == []
    assert not (tmp_path / "work").exists()


def test_processes_that_cannot_be_ended_are_left_and_named(mocker):
    mocker.patch.object(processes, "_DEATH_SECONDS", 0.2)
    mocker.patch.object(processes, "_descendants", return_value=[])  # servers that other tests use
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; print(flush=True); time.sleep(100)"],
        env={**os.environ, "AZML_COMPAT_JOB": "that"},
        stdout=subprocess.PIPE,
    )
    process.stdout.readline()
    mocker.patch("os.kill", side_effect=PermissionError("of another user"))
    try:
        assert processes.end_all("that", [], 0.1) == [process.pid]
        assert process.poll() is None
    finally:
        mocker.stopall()
        process.send_signal(signal.SIGKILL)
        process.communicate()
