"""What MLflow's UI shows of metrics that are no numbers: tables, pictures and params, beside what they show."""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path

import pytest
from mlflow import MlflowClient

from azml_compat import Run, _names, _views
from azml_compat._artifact_metrics import ACCURACY_TABLE, CONFUSION_MATRIX, IMAGE, PREDICTIONS, RESIDUALS
from azml_compat._metrics.records import ArtifactRecord
from azml_compat.exceptions import UserErrorException

PNG = b"\x89PNG\r\n\x1a\n"
MATRIX = {"class_labels": ["cat", "dog"], "matrix": [[3, 0], [1, 2]]}
ACCURACY = {
    "probability_tables": [[[2, 2, 0, 0], [1, 0, 2, 1]], [[2, 2, 0, 0], [0, 0, 2, 2]]],
    "percentile_tables": [[[2, 2, 0, 0], [1, 0, 2, 1]], [[2, 2, 0, 0], [0, 0, 2, 2]]],
    "probability_thresholds": [0.0, 1.0],
    "percentile_thresholds": [0.0, 1.0],
    "class_labels": ["0", "1"],
}
RESIDUAL = {"bin_edges": [50, 100, 200, 300], "bin_counts": [0.88, 20, 30]}
PREDICTION = {
    "bin_averages": [0.25, 0.75],
    "bin_errors": [0.013, 0.042],
    "bin_counts": [56, 34],
    "bin_edges": [0.0, 0.5, 1.0],
}
PAYLOADS = {
    "confusion_matrix": (CONFUSION_MATRIX, MATRIX),
    "accuracy_table": (ACCURACY_TABLE, ACCURACY),
    "residuals": (RESIDUALS, RESIDUAL),
    "predictions": (PREDICTIONS, PREDICTION),
}


@pytest.fixture
def shown(request):
    """What MLflow has of a run: its tags, params, files and the content of a file."""
    return Shown(request.getfixturevalue("run" if "run" in request.fixturenames else "local_run"))


class Shown:
    def __init__(self, run):
        self._client = MlflowClient(tracking_uri=run.experiment.workspace.get_mlflow_tracking_uri())
        self._run = run

    @property
    def params(self):
        return self._client.get_run(self._run.id).data.params

    @property
    def listed(self):
        return json.loads(self._client.get_run(self._run.id).data.tags.get(_names.TAG_LOGGED_ARTIFACTS, "[]"))

    def set_listed(self, text):
        self._client.set_tag(self._run.id, _names.TAG_LOGGED_ARTIFACTS, text)

    def files(self, folder):
        return sorted(
            file.path.removeprefix(f"{folder}/") for file in self._client.list_artifacts(self._run.id, folder)
        )

    def read(self, path):
        return Path(self._client.download_artifacts(self._run.id, path)).read_bytes()

    def table(self, name):
        return json.loads(self.read(f"azml_compat/tables/{name}.json"))

    def load_table(self, path):
        return self._client.load_table(self._run._record.experiment_id, path, [self._run.id])


# -- tables ---------------------------------------------------------------------------------------------------------


def test_a_table_is_shown_after_flush_and_listed_for_the_ui(run, shown):
    run.log_table("scores", {"fold": ["a", "b"], "accuracy": [0.5, 0.75]})
    assert shown.files("azml_compat") == []
    run.flush()

    assert shown.table("scores") == {"columns": ["fold", "accuracy"], "data": [["a", 0.5], ["b", 0.75]]}
    assert shown.listed == [{"path": "azml_compat/tables/scores.json", "type": "table"}]
    assert run.get_file_names() == []
    frame = shown.load_table("azml_compat/tables/scores.json")
    assert frame.to_dict(orient="list") == {"fold": ["a", "b"], "accuracy": [0.5, 0.75]}


def test_a_table_that_grew_is_shown_anew_and_listed_once(local_run, shown):
    local_run.log_row("t", x=1)
    local_run.flush()
    local_run.flush()
    local_run.log_row("t", x=2, y="late")
    local_run.complete()

    assert shown.table("t") == {"columns": ["x", "y"], "data": [[1, None], [2, "late"]]}
    assert [entry["path"] for entry in shown.listed] == ["azml_compat/tables/t.json"]


@pytest.mark.parametrize("end", ["complete", "fail", "cancel"])
def test_every_end_of_a_run_shows_its_tables(local_run, shown, end):
    local_run.log_row("t", x=1)
    local_run.log("text", "once")
    getattr(local_run, end)()

    assert shown.table("t") == {"columns": ["x"], "data": [[1]]}
    assert shown.params == {"text": "once"}


def test_only_what_a_chart_cannot_show_is_a_table(local_run, shown):
    local_run.log("float", 0.5)
    local_run.log_list("ints", [1, 2])
    local_run.log("text", "once")
    local_run.log_list("empty", [])
    local_run.log_list("texts", ["a", "b"])
    local_run.log_list("gaps", [1, None])
    local_run.log_table("no rows", {"x": []})
    local_run.complete()

    assert shown.files("azml_compat/tables") == ["gaps.json", "no rows.json", "texts.json"]
    assert shown.table("texts") == {"columns": ["index", "value"], "data": [[0, "a"], [1, "b"]]}
    assert shown.table("gaps") == {"columns": ["index", "value"], "data": [[0, 1], [1, None]]}
    assert shown.table("no rows") == {"columns": ["x"], "data": []}


def test_a_table_holds_only_what_json_and_a_browser_can_show(local_run, shown):
    def refuse(constant):
        raise AssertionError(constant)

    Path("image.png").write_bytes(PNG)
    floats, others = [math.nan, math.inf, -math.inf, -0.0], [2**53, 2**53 + 1, True, "\udcff"]
    local_run.log_table("t", {"x": floats, "y": others})
    local_run.log("t", 7**9000)
    local_run.log_image("t", path="image.png")
    local_run.complete()
    table = json.loads(shown.read("azml_compat/tables/t.json"), parse_constant=refuse)

    x, y, own = zip(*table["data"], strict=True)
    assert table["columns"] == ["x", "y", "t"]
    assert x == ("nan", "inf", "-inf", 0, None, None)
    assert y == (2**53, "9007199254740993", True, "\udcff", None, None)
    assert own[-2:] == (hex(7**9000), "image.png")


def test_a_table_view_has_a_limit_and_the_metric_has_none(local_run, shown, monkeypatch):
    monkeypatch.setattr(_views, "MAX_TABLE_ROWS", 3)
    local_run.log_list("texts", ["a"] * 5)
    local_run.flush()

    assert len(shown.table("texts")["data"]) == 3
    assert local_run.get_metrics() == {"texts": ["a"] * 5}


def test_tables_with_hostile_names_are_shown_and_hidden(run, shown):
    # Nothing like "ünïcode": an MLflow server before #23241 (May 2026) cannot send a file with such a name.
    names = ["loss (train)", "100%#?", "a/b", "../up", "x" * 10_000, "", "😀", "trailing "]
    for name in names:
        run.log_list(name, [name[:20], None])
    run.complete()

    files = shown.files("azml_compat/tables")
    assert len(files) == len(names)
    contents = {json.loads(shown.read(f"azml_compat/tables/{file}"))["data"][0][1] for file in files}
    assert contents == {name[:20] for name in names}
    assert run.get_file_names() == []
    run.download_files(output_directory="downloads")
    assert not list(Path().glob("downloads/**/*.json"))


def test_the_list_of_tables_never_outgrows_a_tag_and_loses_no_entry(local_run, shown):
    shown.set_listed(json.dumps([{"path": "mine.json", "type": "table"}]))
    names = [f"table {number:03d} {'x' * 80}" for number in range(50)]
    for name in names:
        local_run.log_row(name, x=1)
    local_run.complete()
    listed = shown.listed

    assert len(json.dumps(listed)) <= 4000
    assert listed[0] == {"path": "mine.json", "type": "table"}
    assert len(listed) > 20
    assert shown.files("azml_compat/tables") == [f"{name}.json" for name in names]


@pytest.mark.parametrize("text", ['[{"path": "cut by MLfl', '["odd"]'])
def test_a_list_of_tables_that_is_not_ours_is_no_obstacle(local_run, shown, text):
    shown.set_listed(text)
    local_run.log_row("t", x=1)
    local_run.log("text", "once")
    local_run.complete()

    assert shown.table("t") == {"columns": ["x"], "data": [[1]]}
    assert shown.params == {"text": "once"}
    assert local_run.get_status() == "Completed"


def test_a_table_that_a_handle_logged_which_is_gone_is_shown_at_the_end(local_exp):
    run = local_exp.start_logging(snapshot_directory=None)
    Run.get(local_exp.workspace, run.id).log_row("t", x=1)
    run.complete()

    assert Shown(run).files("azml_compat") == ["tables"]


def test_a_view_that_fails_is_reported_and_costs_no_other(local_run, shown, monkeypatch, caplog):
    real = _views.table

    def table(value):
        if "bad" in value:
            raise OSError("no room")
        return real(value)

    monkeypatch.setattr(_views, "table", table)
    local_run.log_row("a", bad=1)
    local_run.log_row("b", good=1)
    local_run.complete()

    assert shown.files("azml_compat/tables") == ["b.json"]
    assert "'a'" in caplog.text
    assert "no room" in caplog.text
    assert local_run.get_metrics() == {"a": {"bad": 1}, "b": {"good": 1}}


# -- params ---------------------------------------------------------------------------------------------------------


def test_a_string_that_was_logged_once_is_a_param_at_the_end_and_not_before(run, shown):
    run.log("phase", "warmup")
    run.flush()
    assert shown.params == {}
    run.complete()

    assert shown.params == {"phase": "warmup"}
    assert run.get_metrics() == {"phase": "warmup"}


def test_only_a_single_string_or_none_is_a_param(local_run, shown):
    local_run.log("twice", "a")
    local_run.log("twice", "b")
    local_run.log("then a number", "a")
    local_run.log("then a number", 1)
    local_run.log("none", None)
    local_run.log_row("row", text="a")
    local_run.log_list("list", ["a", "b"])
    local_run.log("number", 1)
    local_run.log_list("one element", ["a"])
    local_run.complete()

    assert shown.params == {"none": "None", "one element": "a"}


def test_params_with_hostile_names_and_values_stand_side_by_side(run, shown):
    texts = {
        "a": "1",
        "a/b": "2",
        "a/b/c": "3",
        "loss (train)": "4",
        "": "5",
        "x" * 10_000: "6",
        "Loss": "7",
        "loss": "8",
        "long": "é" * 7000,
        "empty": "",
        "binary": "\udcff",
        "lines": "a\nb\r\n",
    }
    for name, text in texts.items():
        run.log(name, text)
    run.complete()
    params = shown.params

    assert len(params) == len(texts)
    assert params["a"] == "1"
    assert params["a_x2f_b"] == "2"
    assert params["loss _x28_train_x29_"] == "4"
    assert params["long"] == "é" * 5999 + "…"
    assert params["empty"] == ""
    assert params["binary"] == r"\udcff"
    assert params["lines"] == "a\nb\r\n"
    assert run.get_metrics() == texts


def test_a_param_that_is_there_stays(local_run, shown):
    client = MlflowClient(tracking_uri=local_run.experiment.workspace.get_mlflow_tracking_uri())
    client.log_param(local_run.id, "phase", "by mlflow")
    local_run.log("phase", "warmup")
    local_run.log("other", "text")
    local_run.complete()

    assert shown.params == {"phase": "by mlflow", "other": "text"}
    assert local_run.get_metrics() == {"phase": "warmup", "other": "text"}


def test_a_run_stays_usable_after_its_params_are_shown(local_run, shown):
    local_run.log("phase", "warmup")
    local_run.complete()
    local_run.log("phase", "train")
    local_run.complete()

    assert shown.params == {"phase": "warmup"}
    assert local_run.get_metrics() == {"phase": ["warmup", "train"]}


# -- pictures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["schema", "flat", "text"])
@pytest.mark.parametrize("kind", PAYLOADS)
def test_a_json_metric_keeps_its_json_and_has_a_picture(local_run, shown, kind, form):
    data = PAYLOADS[kind][1]
    payload = {"schema_type": kind, "schema_version": "1.0.0", "data": data} if form == "schema" else data
    getattr(local_run, f"log_{kind}")("metric", json.dumps(payload) if form == "text" else payload)
    local_run.flush()

    assert json.loads(shown.read("metric")) == payload
    assert shown.read("azml_compat/pictures/metric.png").startswith(PNG)
    assert local_run.get_file_names() == ["metric"]
    assert local_run.get_metrics(populate=True)["metric"].convert_to_object() == payload


def test_pictures_are_drawn_on_every_store(run, shown):
    run.log_confusion_matrix("cm (test)", MATRIX)
    run.complete()

    assert shown.files("azml_compat/pictures") == ["cm (test).png"]
    assert run.get_file_names() == ["cm (test)"]


MALFORMED = [
    *(None, 1, "text", [], [1, 2], {}, {"data": None}, {"data": []}, {"matrix": []}, {"matrix": [[]]}, {"matrix": 5}),
    *(
        {"matrix": [[1, 2], [3]]},
        {"matrix": [["a"]]},
        {"matrix": [[10**400]]},
        {"matrix": [[1, 2], [3, 4]], "class_labels": 5},
    ),
    *(
        {"matrix": [[1, 2], [3, 4]], "class_labels": ["only one"]},
        {"probability_tables": 5},
        {"probability_tables": [[[1]]]},
    ),
    *({"bin_edges": []}, {"bin_edges": [1, 2], "bin_counts": [1, 2, 3]}, {"bin_edges": [0, 1], "bin_averages": ["x"]}),
]


@pytest.mark.parametrize("kind", [kind for kind, _ in PAYLOADS.values()])
@pytest.mark.parametrize("payload", MALFORMED, ids=lambda payload: json.dumps(payload)[:40])
def test_a_malformed_payload_draws_nothing_and_raises_nothing(kind, payload):
    assert _views.picture(kind, payload) is None


def test_a_malformed_payload_is_kept_and_costs_no_other_view(local_run, shown):
    local_run.log_confusion_matrix("a malformed", {"matrix": [[1, 2], [3]]})
    local_run.log_residuals("list", [1, 2, {"x": None}])
    local_run.log_row("table", x=1)
    local_run.log_confusion_matrix("well formed", MATRIX)
    local_run.complete()

    assert json.loads(shown.read("a malformed")) == {"matrix": [[1, 2], [3]]}
    assert json.loads(shown.read("list")) == [1, 2, {"x": None}]
    assert shown.files("azml_compat/pictures") == ["well formed.png"]
    assert shown.files("azml_compat/tables") == ["table.json"]


def test_text_that_is_no_json_is_refused_and_nothing_is_stored(local_run):
    with pytest.raises(UserErrorException, match="JSON"):
        local_run.log_confusion_matrix("cm", "{broken")

    assert local_run.get_file_names() == []
    assert local_run.get_metrics() == {}


@pytest.mark.parametrize("label", ["$x_$", "\\frac{", "😀", "指标", "", "x" * 1000, "\n"], ids=ascii)
def test_any_class_label_is_drawn_as_it_is(label):
    data = {"class_labels": [label, "b"], "matrix": [[1, 2], [3, 4]]}

    assert _views.picture(CONFUSION_MATRIX, data).startswith(PNG)
    assert _views.picture(ACCURACY_TABLE, ACCURACY | {"class_labels": [label, "b"]}).startswith(PNG)


@pytest.mark.parametrize(
    "data",
    [
        {"matrix": [[1]]},
        {"matrix": [[0, 0], [0, 0]]},
        {"matrix": [[math.nan, 1.0], [2.0, 3.0]]},
        {"matrix": [[number] * 30 for number in range(30)]},
    ],
    ids=["one class", "zeros", "nan", "many classes"],
)
def test_every_matrix_is_drawn(data):
    assert _views.picture(CONFUSION_MATRIX, data).startswith(PNG)


def test_an_image_is_its_own_picture_and_costs_no_table(local_run, shown):
    Path("image.png").write_bytes(PNG)
    local_run.log_image("a", path="image.png")
    local_run.log_row("table", x=1)
    local_run.complete()

    assert shown.files("azml_compat") == ["tables"]
    assert shown.table("table") == {"columns": ["x"], "data": [[1]]}
    assert local_run.get_file_names() == ["image.png"]


def test_without_matplotlib_the_json_is_kept_and_nothing_is_drawn(local_run, shown, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "matplotlib" else find(name, *rest)
    )
    local_run.log_confusion_matrix("cm", MATRIX)
    local_run.log_row("table", x=1)
    local_run.complete()

    assert json.loads(shown.read("cm")) == MATRIX
    assert shown.files("azml_compat") == ["tables"]


def test_drawing_leaves_pyplot_alone(local_run):
    import matplotlib.pyplot as plt

    plt.figure(num=99)
    before = plt.get_fignums()
    local_run.log_confusion_matrix("cm", MATRIX)
    local_run.complete()
    after, current = plt.get_fignums(), plt.gcf().number
    plt.close("all")

    assert after == before
    assert current == 99


def test_only_json_metrics_are_drawn():
    assert not _views.can_draw(IMAGE)
    assert all(_views.can_draw(kind) for kind, _ in PAYLOADS.values())
    assert _views.table(ArtifactRecord("image", 0, 0, "image.png", IMAGE)) is None
