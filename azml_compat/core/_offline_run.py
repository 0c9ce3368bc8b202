"""Azure's offline run: what `Run.get_context()` gives outside Azure, with AZML_COMPAT_OFFLINE=1.

It prints what it was asked to log, and keeps nothing. Its signatures differ from those of `Run` in the original, and so
do they here: scripts test for them.
"""

from __future__ import annotations

import types
from typing import Any

from azml_compat import _portal


def _guid() -> str:
    import uuid  # with platform 2 ms, and hardly any process gets here

    return str(uuid.uuid4())


class _OfflineRun(_portal.ChainedIdentity):
    """A run that is not tracked. Not a `Run`."""

    def __init__(self, parent_logger: Any = None, run_id: str | None = None, **kwargs: Any) -> None:
        self._run_id = run_id or f"OfflineRun_{_guid()}"
        super().__init__(f"_OfflineRun#{self._run_id}")

    @property
    def id(self) -> str:
        """`OfflineRun_<guid>`; another one at each call of get_context."""
        return self._run_id

    def __enter__(self) -> _OfflineRun:
        print(f"[START] Run {self.id} context")
        return self

    def __exit__(
        self,
        exit_type: type[BaseException] | None,
        value: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        print(f"[STOP] Run {self.id} context")

    def complete(self) -> None:
        """Do nothing."""

    def fail(self, error_details: Any = None, error_code: str | None = None) -> None:
        """Print the error."""
        print(f"Run failed with error code {error_code}:\n{error_details}")

    def cancel(self) -> None:
        """Do nothing."""

    def flush(self) -> None:
        """Print that there was an attempt."""
        print(f"Attempted to flush run with id {self.id}")

    def child_run(self, name: str | None = None, run_id: str | None = None, outputs: Any = None) -> _OfflineRun:
        """Return another offline run, `<id>.<name>`."""
        return _OfflineRun(run_id=run_id or f"{self.id}.{name or _guid()}")

    def log(self, name: str, value: Any, description: str = "") -> None:
        """Print the value."""
        self._print_metric("scalar", name, value)

    def log_list(self, name: str, value: Any, description: str = "") -> None:
        """Print the list."""
        self._print_metric("list", name, value)

    def log_table(self, name: str, value: Any, description: str = "") -> None:
        """Print the table."""
        self._print_metric("table", name, value)

    def log_row(self, name: str, description: str | None = None, **kwargs: Any) -> None:
        """Print the row."""
        self._print_metric("row", name, kwargs)

    def log_image(self, name: str, path: Any = None, plot: Any = None, description: str = "") -> None:
        """Print what the image was to be made from."""
        self._print_metric("image", name, plot or path)

    def log_residuals(self, name: str, value: Any, description: str | None = None) -> None:
        """Print the payload."""
        self._print_metric("residual", name, value)

    def log_predictions(self, name: str, value: Any, description: str | None = None) -> None:
        """Print the payload."""
        self._print_metric("predictions", name, value)

    def log_accuracy_table(self, name: str, value: Any, description: str | None = None) -> None:
        """Print the payload."""
        self._print_metric("accuracy_table", name, value)

    def log_confusion_matrix(self, name: str, value: Any, description: str | None = None) -> None:
        """Print the payload."""
        self._print_metric("confusion_matrix", name, value)

    def _print_metric(self, kind: str, name: str, value: Any) -> None:
        print(f"Attempted to log {kind} metric {name}:\n{value}")

    def tag(self, name: str, value: Any = None) -> None:
        """Print the tag."""
        print(f"Attempted to add tag {name} with value {value}")

    def set_tags(self, tags: Any) -> None:
        """Print the tags."""
        print(f"Attempted to set tags {tags}")

    def add_properties(self, properties: Any) -> None:
        """Print the properties."""
        print(f"Attempted to add properties {properties}")

    def upload_file(self, name: str, path_or_stream: Any, datastore_name: str | None = None) -> None:
        """Print the file."""
        print(f"Attempted to track file {name} at {path_or_stream}")

    def upload_files(
        self,
        name: Any,
        paths: Any,
        return_artifacts: bool = False,
        timeout_seconds: int | None = None,
        datastore_name: str | None = None,
    ) -> None:
        """Print the files."""
        print(f"Attempted to track files {name} at {paths} with timeout {timeout_seconds}s")

    def upload_folder(self, name: str, path: Any, datastore_name: str | None = None) -> None:
        """Print the folder."""
        print(f"Attempted to track folder {name} at {path}")
