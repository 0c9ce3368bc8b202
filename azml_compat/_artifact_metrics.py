"""Metrics that are files: images and JSON payloads, their checks, and what get_metrics says of them."""

from __future__ import annotations

import io
import json
import posixpath
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from azml_compat.exceptions import AzureMLException, UserErrorException

IMAGE = "azureml.v2.image"
CONFUSION_MATRIX = "azureml.v2.confusion_matrix"
ACCURACY_TABLE = "azureml.v2.accuracy_table"
RESIDUALS = "azureml.v2.residuals"
PREDICTIONS = "azureml.v2.predictions"

_IMAGE_HEADS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"BM",
    b"II*\0",
    b"MM\0*",
)


class ArtifactMetric(SimpleNamespace):
    """What `get_metrics(populate=True)` gives for an image or a JSON metric."""

    filename: str
    data: bytes
    data_location: str
    metric_type: str
    path: str
    origin: str
    container: str

    def convert_to_object(self) -> Any:
        """Return the payload of a JSON metric; for an image, this object."""
        return self if self.metric_type == IMAGE else json.loads(self.data)


def location(run_id: str, path: str) -> str:
    """Return Azure's location string of a run's file."""
    return f"aml://artifactId/ExperimentRun/dcid.{run_id}/{path}"


def populated(run_id: str, path: str, kind: str, data: bytes) -> ArtifactMetric:
    """Return the object for a run's file with its content."""
    return ArtifactMetric(
        filename=posixpath.basename(path),
        data=data,
        data_location=location(run_id, path),
        metric_type=kind,
        path=path,
        origin="ExperimentRun",
        container=f"dcid.{run_id}",
    )


def check_image(path: Path) -> None:
    """Refuse a file that is no image.

    Raises:
        FileNotFoundError: it is missing.
        AzureMLException: its first bytes are not those of an image format.
    """
    with path.open("rb") as file:
        head = file.read(16)
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    if not (is_webp or head.startswith(_IMAGE_HEADS)):
        raise AzureMLException(f"Argument [{path}] is malformed: not a PNG, JPEG, GIF, BMP, TIFF or WEBP image.")


def plot_as_png(plot: Any) -> io.BytesIO:
    """Render what `log_image(plot=...)` was given: the pyplot module, a Figure, anything with savefig.

    Raises:
        AzureMLException: it has no savefig.
    """
    if not hasattr(plot, "savefig"):
        raise AzureMLException("Argument [plot] is of invalid type. Expected type: [matplotlib.pyplot]")
    image = io.BytesIO()
    plot.savefig(image, format="png")
    image.seek(0)
    return image


def payload_json(value: Any) -> io.BytesIO:
    """Return the JSON of a payload given as an object or as a JSON string.

    Raises:
        UserErrorException: the string is not JSON.
        TypeError: the object cannot be written as JSON.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise UserErrorException(f"The metric's value is not valid JSON: {error}.") from error
    return io.BytesIO(json.dumps(value).encode())
