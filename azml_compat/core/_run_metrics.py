"""The part of a run that keeps metrics: the log calls, and reading them back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from azml_compat import _artifact_metrics, _reporting, _runtime, _search
from azml_compat._files import RunFiles, normalise, stored_path
from azml_compat._metrics import list_column, row_cells, scalar_column, table_columns
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking.errors import is_away
from azml_compat.core._run_base import id_of
from azml_compat.core._run_files import _FilingRun
from azml_compat.exceptions import AzureMLException

if TYPE_CHECKING:
    from azml_compat._delivery import Report
    from azml_compat._metrics.records import ArtifactRecord
    from azml_compat._tracking import RunRecord

_READING_SECONDS = 300
"""For delivering what was logged before it is read; reading a part would be wrong, so that this raises."""
_AWAY_SECONDS = 10
"""The same while the store refuses connections."""
_SILENT_SECONDS = 10
"""For how long reading waits in all for a store that does not answer."""


class _LoggingRun(_FilingRun):
    """A run with its metrics."""

    _plot_names: frozenset[str] = frozenset()
    """Files of plots, of which some may wait for the store."""

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
        if type(name) is not str:
            name = _metric_name(name)
        self._writer.append_scalar(name, scalar_column(name, value), None if step is None else _as_step(step))

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
        while free in self._plot_names or self._is_taken(free):
            number += 1
            free = f"{base}_{number}.png"
        self._plot_names |= {free}
        return free

    def _is_taken(self, name: str) -> bool:
        try:
            with self._store.briefly():
                return self._files.find(stored_path(normalise(name))) is not None
        except ServiceException as error:
            if not is_away(error):
                raise
            return False

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
            AzureMLException: it took longer than `timeout_seconds`; nothing is lost then.
            ServiceException: the store cannot be reached, or another process is sending all the time (`status_code`
                503), or the store refused a value for good.
        """
        with self._store.patience(timeout_seconds):
            self._flush(timeout_seconds)
            self._publish_views()

    def _flush(self, seconds: float, away_seconds: float | None = None) -> None:
        report = self._writer.flush(seconds, away_seconds)
        if report.refused:
            raise report.refused[0]
        _check_complete(report, seconds)

    def _publish_views(self) -> None:
        names = self._writer.take_changed_views()
        if names:
            from azml_compat import _publishing

            with _reporting.reported("Cannot write the tables and pictures of the run"):
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

        Raises:
            ServiceException: the store cannot be reached (`status_code` 503): a part would be wrong.
        """
        with self._store.patience(_SILENT_SECONDS):
            self._flush(_READING_SECONDS, _AWAY_SECONDS)
            own = self._refresh()
            if not recursive:
                return self._metrics_of(own, name, populate)
            accepted = _search.RunFilter(type=run_type)
            records = [*(run for run in self._descendants(own) if accepted.accepts(run)), own]
            from azml_compat._reading import read_metrics_of_runs

            found = read_metrics_of_runs(self._store, records, self._artifact_reader(populate), name)
            return {id_of(run): metrics for run, metrics in found if metrics}

    def _descendants(self, own: RunRecord) -> list[RunRecord]:
        """Return all descendants, with what was logged to them on this machine delivered."""
        found = _search.descendants(self._store, own)
        reports = [_runtime.flush(run, _READING_SECONDS, _AWAY_SECONDS) for run in found]
        for report in reports:
            _check_complete(report, _READING_SECONDS)
        return _search.descendants(self._store, own) if any(report.delivered for report in reports) else found

    def _metrics_of(self, run: RunRecord, name: str | None, populate: bool) -> dict[str, Any]:
        from azml_compat._reading import read_metrics_of_runs

        [(_, metrics)] = read_metrics_of_runs(self._store, [run], self._artifact_reader(populate), name)
        return metrics

    def _artifact_reader(self, populate: bool) -> Callable[[RunRecord, ArtifactRecord], Any]:
        """Return what makes the value of a row that refers to a file."""

        def artifact(run: RunRecord, record: ArtifactRecord) -> Any:
            if not populate:
                return _artifact_metrics.location(id_of(run), record.path)
            with RunFiles(self._store, run.id).fetched(stored_path(record.path)) as local:
                return _artifact_metrics.populated(id_of(run), record.path, record.kind, local.read_bytes())

        return artifact


def _check_complete(report: Report, seconds: float) -> None:
    """Raise where something is left to be delivered."""
    if report.away is not None:
        raise report.away
    if report.is_busy:
        raise ServiceException._from_status(503, "What was logged is being sent by another process just now.")
    if not report.is_complete:
        raise AzureMLException(f"Not everything was in the store after {seconds} seconds.")


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
