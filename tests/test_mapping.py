"""docs/mapping.md, row by row: each sample is run, and the store must hold what it says and nothing else."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
from mlflow import MlflowClient

PAGE = (Path(__file__).parents[1] / "docs" / "mapping.md").read_text(encoding="utf-8")
SAMPLE = r"^### ([^\n]+)\n(?:(?!^### ).)*?```python\n(.*?)```\s+```json\n(.*?)```"
SAMPLES = re.findall(SAMPLE, PAGE, re.DOTALL | re.MULTILINE)
PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa7\x35\x81\x84\x00\x00\x00\x00IEND\xaeB`\x82"
)


def test_every_heading_with_a_sample_is_read():
    assert len(SAMPLES) == PAGE.count("```json") == PAGE.count("```python") >= 45


@pytest.fixture
def files():
    Path("plots").mkdir()
    Path("plots/sample.png").write_bytes(PNG)
    Path("model.pkl").write_bytes(b"model")


@pytest.mark.parametrize(("title", "code", "expected"), SAMPLES, ids=[title for title, _, _ in SAMPLES])
def test_what_lands_in_mlflow(title, code, expected, run, files):
    expected = json.loads(expected)
    expected.get("metrics", []).sort(key=lambda point: point[0])

    exec(compile(code, title, "exec"), {"run": run, "exp": run.experiment})
    run.complete()

    found = what_landed(run)
    for key in found.keys() - expected.keys() - {"name", "get_tags", "get_properties", "status", "mlflow_status"}:
        if key == "get_metrics" and "metrics" in expected:
            continue
        assert not found[key], f"{key} is not in the sample"
    for key, value in expected.items():
        assert found[key] == value, key
        assert same_types(found[key], value), key


def what_landed(run) -> dict:
    client = MlflowClient(tracking_uri=run.experiment.workspace.get_mlflow_tracking_uri())
    record = client.get_run(run._record.id)
    tags = record.data.tags
    details = run.get_details()
    return normal(
        {
            "metrics": points(client, record),
            "params": dict(record.data.params),
            "tags": {key: value for key, value in tags.items() if not key.startswith("mlflow.")},
            "name": record.info.run_name,
            "note": tags.get("mlflow.note.content"),
            "artifacts": sorted(artifacts(client, record.info.run_id)),
            "files": sorted(run.get_file_names()),
            "get_metrics": run.get_metrics(),
            "get_tags": run.get_tags(),
            "get_properties": {
                key: value for key, value in run.get_properties().items() if not key.startswith(("azureml.", "mlflow."))
            },
            "mlflow_status": record.info.status,
            "status": run.get_status(),
            "error": details.get("error", {}).get("error"),
            "children": [
                {
                    "name": child.display_name,
                    "metrics": points(client, client.get_run(child.id)),
                    "status": child.get_status(),
                }
                for child in run.get_children()
            ],
        },
        run.id,
    )


def points(client, record) -> list:
    """Every point as [key, step, value], by key, and of each key in the order of the calls."""
    series = [client.get_metric_history(record.info.run_id, key) for key in sorted(record.data.metrics)]
    return [
        [point.key, point.step, point.value]
        for points in series
        for point in sorted(points, key=lambda point: (point.timestamp, point.step))
    ]


def artifacts(client, run_id, folder=None):
    for entry in client.list_artifacts(run_id, folder):
        if entry.is_dir:
            yield from artifacts(client, run_id, entry.path)
        else:
            yield entry.path


def normal(value, run_id):
    """Write what JSON lacks as words, and what changes from run to run as placeholders."""
    if isinstance(value, dict):
        return {normal(key, run_id): normal(item, run_id) for key, item in value.items()}
    if isinstance(value, list):
        return [normal(item, run_id) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        value = value.replace(run_id, "<run>")
        value = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<guid>", value)
        return re.sub(r"_1\d{9}\.png", "_<epoch>.png", value)
    return value


def same_types(found, expected) -> bool:
    if isinstance(expected, dict):
        return all(same_types(found[key], value) for key, value in expected.items())
    if isinstance(expected, list):
        return all(same_types(*pair) for pair in zip(found, expected, strict=True))
    if isinstance(expected, float):
        return type(found) is float and math.copysign(1, found) == math.copysign(1, expected)
    return type(found) is type(expected)
