"""The part of a run that keeps metrics: the log calls, and reading them back."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from azml_compat import _artifact_metrics, _publishing, _runtime, _search
from azml_compat._files import RunFiles, normalise, stored_path
from azml_compat._metrics import list_column, row_cells, scalar_column, table_columns
from azml_compat._metrics.records import ArtifactRecord
from azml_compat._reading import read_metrics
from azml_compat._tracking import RunRecord
from azml_compat.core._run_base import id_of
from azml_compat.core._run_files import _FilingRun
from azml_compat.exceptions import AzureMLException


class _LoggingRun(_FilingRun):
    """A run with its metrics."""

    # -- metrics: writing -------------------------------------------------------------------------------------

    def log(self, name: str, value: Any, description: str = "", step: int | None = None) -> None:
        """Log one value. Logged again under the same name, values read back as a list.

        Args:
            name: Any string.
            value: int, float, str, bool, None or a numpy scalar; anything else is kept as the text of its repr.
            description: Ignored, as in the original.
            step: Place of the value; coerced with int(). With a step for every value of a name, steps decide the order.

        Raises:
            UserErrorException: a list, range or generator was given.
            AzureMLException: the step is not a number, or outside the 64-bit range.
        """
        name = _metric_name(name)
        self._writer.append(name, [scalar_column(name, value)], _as_step(step))

    def log_list(self, name: str, value: Iterable[Any], description: str = "") -> None:
        """Log the elements of any iterable, in order. Further lists of the name are appended.

        Raises:
            TypeError: `value` cannot be iterated.
            AzureMLException: an element is not a number, string, bool or None; nothing is logged then.
        """
        name = _metric_name(name)
        self._writer.append(name, [list_column(name, value)])

    def log_row(self, name: str, description: str | None = None, **kwargs: Any) -> None:
        """Append a row, one keyword argument per column, to the table `name`.

        Raises:
            AzureMLException: a value is not a number, string, bool or None.
        """
        self._writer.append(_metric_name(name), row_cells(kwargs))

    def log_table(self, name: str, value: Any, description: str = "") -> None:
        """Append rows to the table `name`, from a dict of columns (lists of one length, or single values).

        Raises:
            AttributeError: `value` is not a dict.
            AzureMLException: columns differ in length, or hold other things than numbers, strings, bools and None.
        """
        self._writer.append(_metric_name(name), table_columns(value))

    def log_image(self, name: str, path: Any = None, plot: Any = None, description: str = "") -> None:
        """Log an image file, stored under its own path, or a plot, stored as `<name>_<epoch seconds>.png`.

        Raises:
            AzureMLException: not exactly one of `path` and `plot` is given, or it is not an image or a plot.
            AzureMLAggregatedException: the run has a file of that path.
        """
        name = _metric_name(name)
        if path is None and plot is None:
            raise AzureMLException("Invalid parameters, one of path and plot must be given.")
        if path is not None and plot is not None:
            raise AzureMLException("Invalid parameters, path and plot were both given, only one at a time is taken.")
        source: Path | IO[bytes]
        if path is not None:
            source = Path(path)
            _artifact_metrics.check_image(source)
            stored = self._put(path, source)
        else:
            source = _artifact_metrics.plot_as_png(plot)
            stored = self._put(self._free_plot_name(name), source)
        self._writer.append_artifact(name, stored, _artifact_metrics.IMAGE)

    def _free_plot_name(self, name: str) -> str:
        """Return Azure's name for a plot. Two plots in one second collide there; here the second is numbered."""
        base = f"{name}_{int(time.time())}"
        number = 1
        free = f"{base}.png"
        while self._files.find(stored_path(normalise(free))) is not None:
            number += 1
            free = f"{base}_{number}.png"
        return free

    def log_confusion_matrix(self, name: str, value: Any, description: str = "") -> None:
        """Log a confusion matrix: a dict of the documented schema, or its JSON text, stored as the file `name`.

        Raises:
            UserErrorException: the text is not JSON.
            TypeError: the object cannot be written as JSON.
            AzureMLAggregatedException: the run has a file of that name.
        """
        self._log_json(name, value, _artifact_metrics.CONFUSION_MATRIX)

    def log_accuracy_table(self, name: str, value: Any, description: str = "") -> None:
        """Log an accuracy table, as `log_confusion_matrix` does."""
        self._log_json(name, value, _artifact_metrics.ACCURACY_TABLE)

    def log_residuals(self, name: str, value: Any, description: str = "") -> None:
        """Log residuals, as `log_confusion_matrix` does."""
        self._log_json(name, value, _artifact_metrics.RESIDUALS)

    def log_predictions(self, name: str, value: Any, description: str = "") -> None:
        """Log predictions, as `log_confusion_matrix` does."""
        self._log_json(name, value, _artifact_metrics.PREDICTIONS)

    def _log_json(self, name: str, value: Any, kind: str) -> None:
        name = _metric_name(name)
        stored = self._put(name, _artifact_metrics.payload_json(value))
        self._writer.append_artifact(name, stored, kind)

    def flush(self, timeout_seconds: int = 300) -> None:
        """Return when everything logged is in the store, and show its tables and pictures in the MLflow UI.

        Raises:
            AzureMLException: it took longer than `timeout_seconds`.
        """
        self._writer.flush(timeout_seconds)
        self._publish_views()

    def _publish_views(self) -> None:
        names = self._writer.take_changed_views()
        if names:
            with _runtime.reported("Cannot write the tables and pictures of the run"):
                _publishing.publish_views(self._store, self._refresh(), names)

    # -- metrics: reading -------------------------------------------------------------------------------------

    def get_metrics(
        self,
        name: str | None = None,
        recursive: bool = False,
        run_type: str | None = None,
        populate: bool = False,
    ) -> dict[str, Any]:
        """Return {name: value}: a scalar, a list, or for a table a dict of scalars or lists.

        Args:
            name: Only this metric; {} when the run has none of the name.
            recursive: Return {run id: {name: value}} of this run and all its descendants that have metrics.
            run_type: With `recursive`, only descendants of this type.
            populate: Give files (images, JSON metrics) with their content, not as location strings.
        """
        self._writer.flush(timeout_seconds=300)
        own = self._refresh()
        if not recursive:
            return self._metrics_of(own, name, populate)
        accepted = _search.RunFilter(type=run_type)
        records = [run for run in _search.descendants(self._store, own) if accepted.accepts(run)]
        found = {id_of(run): self._metrics_of(run, name, populate) for run in (*records, own)}
        return {run_id: metrics for run_id, metrics in found.items() if metrics}

    def _metrics_of(self, run: RunRecord, name: str | None, populate: bool) -> dict[str, Any]:
        run_id = id_of(run)

        def artifact(record: ArtifactRecord) -> Any:
            if not populate:
                return _artifact_metrics.location(run_id, record.path)
            with RunFiles(self._store, run.id).fetched(stored_path(record.path)) as local:
                return _artifact_metrics.populated(run_id, record.path, record.kind, local.read_bytes())

        return read_metrics(self._store, run, artifact, name)


def _metric_name(name: Any) -> str:
    if name is None:
        raise AzureMLException("A metric needs a name.")
    return name if isinstance(name, str) else str(name)


def _as_step(step: Any) -> int | None:
    if step is None:
        return None
    try:
        return int(step)
    except (TypeError, ValueError, OverflowError) as error:
        raise AzureMLException(f"The step {step!r} is not a number.") from error
