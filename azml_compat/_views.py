"""What MLflow's UI shows of metrics that are not numbers: tables, and pictures of JSON metrics.

Views are rendered from what is in the store, at `flush` and at the end of a run; they hold nothing that is not kept
elsewhere, so a lost or stale one loses nothing.
"""

from __future__ import annotations

import importlib.util
import io
import itertools
import json
import warnings
from collections.abc import Callable
from typing import Any

from azml_compat._metrics.records import ArtifactRecord

MAX_TABLE_ROWS = 10_000
"""Rows that a table view holds; MLflow's UI loads the whole file into the browser."""
_MAX_LABELLED_CLASSES = 20


def table(value: Any) -> str | None:
    """Return a metric's value as the JSON that MLflow's UI draws as a table; None for what a chart shows as well."""
    columns = _columns(value)
    if columns is None:
        return None
    names = list(columns)
    rows = list(zip(*(cells[:MAX_TABLE_ROWS] for cells in columns.values()), strict=True))
    return json.dumps({"columns": names, "data": [[_shown(cell) for cell in row] for row in rows]})


def _columns(value: Any) -> dict[str, list[Any]] | None:
    if isinstance(value, dict) and value:
        return {name: cells if isinstance(cells, list) else [cells] for name, cells in value.items()}
    if isinstance(value, list) and any(cell is None or isinstance(cell, str) for cell in value):
        return {"index": list(range(len(value))), "value": value}
    return None


def _shown(cell: Any) -> Any:
    if isinstance(cell, ArtifactRecord):
        return cell.path
    # JSON has no NaN and no infinity, and browsers round integers beyond 2**53.
    if isinstance(cell, float) and (cell != cell or cell in (float("inf"), float("-inf"))):
        return str(cell)
    if isinstance(cell, int) and not isinstance(cell, bool) and abs(cell) > 2**53:
        return str(cell) if cell.bit_length() < 4096 else hex(cell)
    return cell


def can_draw(kind: str) -> bool:
    """Tell whether a picture can be drawn here of a metric of Azure's type `kind`."""
    return kind in _DRAWERS and importlib.util.find_spec("matplotlib") is not None


def picture(kind: str, payload: Any) -> bytes | None:
    """Return a PNG of a JSON metric, or None where the payload is not of the documented schema."""
    from matplotlib.figure import Figure

    data = payload.get("data", payload) if isinstance(payload, dict) else None
    if not isinstance(data, dict):
        return None
    figure = Figure(figsize=(7, 5), layout="constrained")
    image = io.BytesIO()
    try:
        with warnings.catch_warnings():
            # Glyphs that the font lacks and axes without room are no concern of the script's.
            warnings.simplefilter("ignore")
            _DRAWERS[kind](figure, data)
            figure.savefig(image, format="png", dpi=100)
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
        # The original does not check the schema, so anything may be here; the JSON itself is kept.
        return None
    return image.getvalue()


def _labels(data: dict[str, Any], count: int) -> list[str]:
    # A pair of dollar signs would be read as a formula.
    return [str(label).replace("$", r"\$") for label in data.get("class_labels") or range(count)]


def _confusion_matrix(figure: Any, data: dict[str, Any]) -> None:
    matrix = [[float(count) for count in row] for row in data["matrix"]]
    labels = _labels(data, len(matrix))
    axes = figure.subplots()
    image = axes.imshow(matrix, cmap="Blues")
    figure.colorbar(image, ax=axes)
    axes.set(xlabel="Predicted", ylabel="Actual", title="Confusion matrix")
    if len(matrix) <= _MAX_LABELLED_CLASSES:
        axes.set_xticks(range(len(matrix[0])), labels, rotation=45, ha="right")
        axes.set_yticks(range(len(matrix)), labels)
        half = max(max(row) for row in matrix) / 2
        for y, row in enumerate(matrix):
            for x, count in enumerate(row):
                axes.text(x, y, f"{count:g}", ha="center", va="center", color="white" if count > half else "black")


def _accuracy_table(figure: Any, data: dict[str, Any]) -> None:
    """ROC and precision-recall curve of each class, from the counts TP, FP, TN, FN at each threshold."""
    roc, recall_axes = figure.subplots(1, 2)
    labels = _labels(data, len(data["probability_tables"]))
    for label, counts in zip(labels, data["probability_tables"], strict=False):
        rates = [_rates(*(float(count) for count in row)) for row in counts]
        roc.plot([rate[0] for rate in rates], [rate[1] for rate in rates], marker=".", label=label)
        recall_axes.plot([rate[1] for rate in rates], [rate[2] for rate in rates], marker=".", label=label)
    roc.set(xlabel="False positive rate", ylabel="True positive rate", title="ROC")
    recall_axes.set(xlabel="Recall", ylabel="Precision", title="Precision and recall")
    if len(labels) <= _MAX_LABELLED_CLASSES:
        roc.legend()


def _rates(tp: float, fp: float, tn: float, fn: float) -> tuple[float, float, float]:
    return fp / ((fp + tn) or 1), tp / ((tp + fn) or 1), tp / (tp + fp) if tp + fp else 1.0


def _residuals(figure: Any, data: dict[str, Any]) -> None:
    axes = figure.subplots()
    edges = [float(edge) for edge in data["bin_edges"]]
    axes.stairs([float(count) for count in data["bin_counts"]], edges, fill=True)
    axes.set(xlabel="Residual (predicted - actual)", ylabel="Count", title="Residuals")


def _predictions(figure: Any, data: dict[str, Any]) -> None:
    axes = figure.subplots()
    edges = [float(edge) for edge in data["bin_edges"]]
    centres = [(low + high) / 2 for low, high in itertools.pairwise(edges)]
    averages = [float(average) for average in data["bin_averages"]]
    errors = [float(error) for error in data.get("bin_errors") or [0.0] * len(averages)]
    axes.errorbar(centres, averages, yerr=errors, marker="o", capsize=3, label="average prediction")
    axes.plot(edges, edges, linestyle="--", color="grey", label="ideal")
    axes.set(xlabel="True value", ylabel="Predicted value", title="Predictions")
    axes.legend()


_DRAWERS: dict[str, Callable[[Any, dict[str, Any]], None]] = {
    "azureml.v2.confusion_matrix": _confusion_matrix,
    "azureml.v2.accuracy_table": _accuracy_table,
    "azureml.v2.residuals": _residuals,
    "azureml.v2.predictions": _predictions,
}
