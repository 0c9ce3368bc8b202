"""The Run facade: identity, status, children, listing and reading, on every store where they should be equal."""

from __future__ import annotations

import io
import json
import threading
import time
from pathlib import Path

import pytest

from azml_compat import Experiment, Run
from azml_compat.core.run import RUNNING_STATES, get_run
from azml_compat.exceptions import (
    ActivityFailedException,
    AzureMLAggregatedException,
    AzureMLException,
    ModelPathNotFoundException,
    ServiceException,
    UserErrorException,
    WebserviceException,
)


class Plot:
    """What matplotlib's pyplot module and figures have in common for log_image."""

    def savefig(self, stream: io.BytesIO, format: str) -> None:
        stream.write(b"\x89PNG\r\n\x1a\n" + format.encode())


def test_the_id_is_that_of_the_mlflow_run(run):
    assert run._store.get_run(run.id).id == run.id


def test_a_chosen_run_id_is_kept_and_resolves_everywhere(exp, python):
    chosen = f"my id/{exp.name}"
    run = exp.start_logging(run_id=chosen, snapshot_directory=None)
    run.log("a", 1)

    assert run.id == chosen
    assert Run(exp, chosen).get_metrics() == {"a": 1}
    assert Run.get(exp.workspace, chosen).id == chosen
    assert get_run(exp, chosen).id == chosen
    assert exp.workspace.get_run(chosen).get_metrics() == {"a": 1}
    assert [found.id for found in exp.get_runs()] == [chosen]
    assert run.get_metrics(recursive=True) == {chosen: {"a": 1}}
    code = (
        "import sys; from azml_compat import *; "
        "from azml_compat import Run, Workspace; print(Run.get(Workspace('s', 'g', 'w'), sys.argv[1]).get_metrics())"
    )
    assert python(code, chosen).strip() == "{'a': 1}"


def test_starting_with_an_existing_run_id_goes_on_with_that_run(exp):
    first = exp.start_logging(run_id="same", snapshot_directory=None)
    first.log("a", 1)
    second = exp.start_logging(run_id="same", snapshot_directory=None, tags={"again": "yes"})
    second.log("a", 2)

    assert len(list(exp.get_runs())) == 1
    assert first.get_metrics() == {"a": [1, 2]}
    assert first.tags == {"again": "yes"}


@pytest.mark.parametrize("run_id", ["missing", "0" * 32, "it's", ""])
def test_a_missing_run_is_a_404(local_exp, run_id):
    with pytest.raises(ServiceException) as caught:
        Run(local_exp, run_id)

    assert caught.value.status_code == 404


def test_numbers_follow_the_start(local_exp, caplog):
    first, second = (local_exp.start_logging(snapshot_directory=None) for _ in range(2))

    assert [first.number, second.number] == [1, 2]
    assert "run.number" in caplog.text


def test_an_ended_run_keeps_its_first_status(run):
    run.fail("early")
    run.complete()
    run.cancel()
    run.start()

    assert run.get_status() == "Failed"
    assert run.get_details()["error"]["error"]["message"] == "early"


def test_a_failure_that_is_neither_text_nor_exception_leaves_the_run_running(run):
    run.log("a", 1)
    Path("outputs/x.txt").write_text("x")

    with pytest.raises(TypeError):
        run.fail({"why": 1})

    assert run.get_status() in RUNNING_STATES
    assert run.get_file_names() == ["outputs/x.txt"]


def test_a_long_error_is_kept_whole(run):
    run.fail("x" * 50_000)

    assert run.get_details()["error"]["error"]["message"] == "x" * 50_000


def test_complete_without_status_leaves_the_run_running(run):
    run.complete(_set_status=False)

    assert run.get_status() == "Running"


def test_waiting_returns_the_details_of_a_run_that_another_thread_ends(run):
    threading.Timer(0.5, run.complete).start()

    details = run.wait_for_completion()

    assert details["status"] == "Completed"
    assert details["runId"] == run.id


def test_waiting_with_output_prints_the_summary(local_run, capsys):
    local_run.complete()
    capsys.readouterr()

    local_run.wait_for_completion(show_output=True)

    head = f"RunId: {local_run.id}\nWeb View: {local_run.get_portal_url()}\n"
    assert capsys.readouterr().out == f"{head}\nExecution Summary\n=================\n{head}\n"


def test_waiting_for_a_canceled_run_does_not_raise(local_run):
    local_run.cancel()

    assert local_run.wait_for_completion()["status"] == "Canceled"


def test_waiting_for_a_failed_run_raises_its_error(local_run):
    local_run.fail("it broke")

    with pytest.raises(ActivityFailedException, match="it broke"):
        local_run.wait_for_completion()
    assert local_run.wait_for_completion(raise_on_error=False)["error"]["error"]["message"] == "it broke"


def test_an_absolute_output_folder_is_known_by_its_last_part(local_exp, tmp_path):
    folder = tmp_path / "results"
    run = local_exp.start_logging(outputs=str(folder), snapshot_directory=None)
    for name in ("a/x.txt", "b/x.txt"):
        (folder / name).parent.mkdir()
        (folder / name).write_text(name)
    run.complete()

    assert run.get_file_names() == ["results/a/x.txt", "results/b/x.txt"]


def test_a_prefix_may_be_written_like_the_local_folder(local_run, tmp_path):
    Path("outputs/x.txt").write_text("x")
    local_run.complete()
    for number, prefix in enumerate(("./outputs", "outputs/", ".", "./")):
        local_run.download_files(prefix, output_directory=tmp_path / str(number))

    assert [file.read_text() for file in sorted(tmp_path.glob("?/outputs/x.txt"))] == ["x"] * 4


def test_children_are_nested_named_and_newest_first(run):
    first, second = run.child_run("fold 1"), run.child_run("fold 2")
    grandchild = first.child_run()

    assert [child.id for child in run.get_children()] == [second.id, first.id]
    assert [child.id for child in run.get_children(recursive=True)] == [grandchild.id, second.id, first.id]
    assert [first.name, grandchild.name] == [f"run_{run.id}>fold 1", f"run_{run.id}>fold 1>"]
    assert [first.display_name, run.parent] == ["fold 1", None]
    assert grandchild.parent.parent.id == run.id
    assert [found.id for found in run.experiment.get_runs()] == [run.id]


def test_metrics_of_the_whole_tree(run):
    child = run.child_run()
    child.log("loss", 0.5)
    run.log("loss", 1)
    run.child_run()

    assert run.get_metrics(recursive=True) == {child.id: {"loss": 0.5}, run.id: {"loss": 1}}
    assert run.get_metrics("loss", recursive=True, run_type="other") == {run.id: {"loss": 1}}


def test_create_children_gives_started_runs_in_order(run):
    children = run.create_children(tag_key="n", tag_values=[1, None])

    assert [child.get_tags() for child in children] == [{"n": "1"}, {"n": None}]
    assert [child.get_status() for child in children] == ["Running", "Running"]
    assert run.create_children(count=0) == []


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"tags": "only key"}, ["a"]),
        ({"tags": {"x": "it's"}}, ["b"]),
        ({"tags": {"x": "1", "only key": None}}, ["a"]),
        ({"tags": {"x": 1}}, ["a"]),
        ({"tags": {"x": 1.0}}, []),
        ({"tags": {"x": True}}, []),
        ({"properties": {"p": "1"}}, ["b"]),
        ({"properties": "missing"}, []),
        ({"type": "azureml.scriptrun"}, []),
        ({"status": "Completed"}, ["a"]),
    ],
)
def test_filters_of_listings(local_exp, filters, expected):
    a, b = (local_exp.start_logging(snapshot_directory=None) for _ in range(2))
    a.set_tags({"x": "1", "only key": None})
    b.set_tags({"x": "it's"})
    b.add_properties({"p": "1"})
    a.complete()

    names = {a.id: "a", b.id: "b"}
    assert [names[found.id] for found in Run.list(local_exp, **filters)] == expected


def test_a_registered_type_is_made_by_its_factory(local_exp, monkeypatch):
    from azml_compat.core import run as module

    class Special(Run):
        pass

    monkeypatch.setattr(module, "_type_providers", {})
    Run.add_type_provider("special", lambda experiment, dto, **kwargs: Special(experiment, dto.id, _run_dto=dto))
    plain = local_exp.start_logging(snapshot_directory=None)
    plain._set_tags({"mlflow.azml.type": "special"})

    found = Run.get(local_exp.workspace, plain.id)
    assert (type(found), found.type) == (Special, "special")
    assert type(get_run(local_exp, plain.id, rehydrate=False)) is Run
    with pytest.raises(ValueError, match="special"):
        Run.add_type_provider("special", Special)


def test_steps_that_are_no_numbers_are_refused_and_nothing_is_lost(local_run):
    local_run.log("v", 1, step=1)

    for step in ("x", float("nan"), object(), 2**63):
        with pytest.raises(AzureMLException):
            local_run.log("v", 2, step=step)

    local_run.log("v", 3, step=2.9)
    assert local_run.get_metrics() == {"v": [1, 3]}


def test_two_plots_in_one_second_are_two_files(run):
    run.log_image("p", plot=Plot())
    run.log_image("p", plot=Plot())

    assert len(run.get_file_names()) == 2
    assert run.get_metrics()["p"].startswith(f"aml://artifactId/ExperimentRun/dcid.{run.id}/p_")


def test_populate_gives_the_content(run):
    run.log_confusion_matrix("cm", json.dumps({"data": {"matrix": [[1]]}}))

    found = run.get_metrics(populate=True)["cm"]

    assert found.convert_to_object() == {"data": {"matrix": [[1]]}}
    assert (found.filename, found.metric_type) == ("cm", "azureml.v2.confusion_matrix")
    assert found.data_location == run.get_metrics()["cm"]


def test_a_json_metric_of_a_taken_name_is_a_conflict_and_nothing_is_lost(run):
    run.log_residuals("r", {"data": {}})

    with pytest.raises(AzureMLAggregatedException):
        run.log_residuals("r", {"data": {"other": 1}})

    assert run.get_metrics(populate=True)["r"].convert_to_object() == {"data": {}}


@pytest.mark.parametrize("name", ["log", "log_list", "log_row", "log_table"])
def test_a_metric_needs_a_name(local_run, name):
    with pytest.raises(AzureMLException, match="name"):
        getattr(local_run, name)(None, *(() if name == "log_row" else ({},)))


def test_details_have_azures_keys(run):
    run.complete()

    details = run.get_details()
    assert details["startTimeUtc"] <= details["endTimeUtc"]
    assert details["endTimeUtc"].endswith("Z")
    assert {"runId", "target", "status", "properties", "logFiles", "submittedBy"} <= details.keys()


def test_logs_are_listed_copied_and_read(run):
    with run:
        print("inside")
        Path("logs/extra.txt").write_text("extra")
    print("outside")

    assert sorted(run.get_details()["logFiles"]) == ["logs/extra.txt", "logs/user_log.txt"]
    assert run.get_details_with_logs()["logFiles"] == {"logs/extra.txt": "extra", "logs/user_log.txt": "inside\n"}
    copies = run.get_all_logs("copies")
    assert sorted(Path(copy).read_text() for copy in copies) == ["extra", "inside\n"]


def test_a_failed_block_logs_its_traceback(local_run):
    with pytest.raises(ZeroDivisionError), local_run:
        1 / 0  # noqa: B018 - the failure of the user's code

    text = local_run.get_details_with_logs()["logFiles"]["logs/user_log.txt"]
    assert "ZeroDivisionError" in text
    assert local_run.get_status() == "Failed"


def test_a_block_puts_the_directory_and_streams_back(local_run, tmp_path, monkeypatch):
    import sys

    before = (Path.cwd(), sys.stdout)
    with local_run:
        monkeypatch.chdir(tmp_path)

    assert (Path.cwd(), sys.stdout) == before


def test_register_model_copies_what_it_registers(run):
    Path("outputs/model").mkdir()
    Path("outputs/model/weights.bin").write_bytes(b"1")

    model = run.register_model(f"m-{run.id}", model_path="./outputs/model", tags={"a": "1"}, model_framework="Custom")
    again = run.register_model(f"m-{run.id}", model_path="outputs/model/weights.bin")

    assert (model.name, model.version, model.id, again.version) == (f"m-{run.id}", 1, f"m-{run.id}:1", 2)
    assert (model.tags, model.run_id, model.model_framework) == ({"a": "1"}, run.id, "Custom")
    version = run._store.client.get_model_version(model.name, "1")
    copied = run._store.client.download_artifacts(run.id, version.source.partition(f"{run.id}/")[2])
    assert (Path(copied) / "weights.bin").read_bytes() == b"1"
    assert run.get_file_names() == ["outputs/model/weights.bin"]


def test_register_model_refuses_what_azure_refuses(local_run):
    with pytest.raises(ModelPathNotFoundException):
        local_run.register_model("m", model_path="outputs/missing")
    with pytest.raises(WebserviceException):
        local_run.register_model("bad name")
    with pytest.raises(WebserviceException):
        local_run.register_model("m", model_framework_version="1")
    with pytest.raises(TypeError):
        local_run.register_model("m", unpack=True)


def test_a_run_that_was_not_submitted_has_no_environment(local_run):
    with pytest.raises(UserErrorException):
        local_run.get_environment()


def test_texts_for_people(local_exp):
    run = local_exp.start_logging(snapshot_directory=None)

    assert str(run) == f"Run(Experiment: experiment,\nId: {run.id},\nType: None,\nStatus: Running)"
    assert repr(run) == str(run)
    html = run._repr_html_()
    assert html.startswith('<table style="width:100%"><tr><th>Experiment</th><th>Id</th><th>Type</th>')
    assert run.get_portal_url() in html
    assert run.identity == f"Run#{run.id}"


def test_the_address_is_printed_once_and_is_the_portal_url(exp, capsys):
    run = exp.start_logging(snapshot_directory=None)
    run.child_run("child").complete()
    run.complete()

    out = capsys.readouterr().out
    assert out.count("http") == 1
    assert run.get_portal_url() in out


def test_repr_does_not_ask_the_store(local_run, mocker):
    client = mocker.patch.object(type(local_run._store), "get_run")

    assert local_run.id in repr(local_run)
    client.assert_not_called()


def test_a_store_that_fails_loses_nothing_already_accepted(local_run, mocker):
    from mlflow.exceptions import MlflowException

    local_run.log("v", 1)
    client = local_run._store.client
    failing = mocker.patch.object(client, "log_batch", side_effect=MlflowException("store is down"))
    local_run.log("text", "first")
    local_run.log("n", 1)
    with pytest.raises(ServiceException, match="store is down"):
        local_run.flush(timeout_seconds=5)
    with pytest.raises(ServiceException, match="store is down"):
        local_run.get_metrics()
    mocker.stop(failing)

    local_run.log("n", 2)
    local_run.log("v", 2)

    assert local_run.get_metrics() == {"v": [1, 2], "n": [1, 2], "text": "first"}


def test_logging_after_the_end_is_accepted(run):
    run.complete()
    time.sleep(0.01)

    run.log("late", 1)
    run.tag("late", "yes")

    assert run.get_metrics() == {"late": 1}
    assert run.tags == {"late": "yes"}


def test_a_second_handle_continues_the_first(run):
    run.log("v", 1)
    other = Run.get(run.experiment.workspace, run.id)
    other.log("v", 2)
    run.log("v", 3)
    run.log_row("t", x=1)
    other.log_row("t", x=2, y="b")

    assert run.get_metrics() == {"v": [1, 2, 3], "t": {"x": [1, 2], "y": [None, "b"]}}


def test_the_constructor_refuses_unknown_arguments(local_run):
    with pytest.raises(TypeError, match="Found key word arguments: bogus"):
        Run(local_run.experiment, local_run.id, bogus=1)


def test_a_run_of_another_experiment_can_be_opened(ws, run):
    other = Experiment(ws, f"{run.experiment.name}-other")

    assert Run(other, run.id).id == run.id
