"""The part of a run that keeps files: uploads, downloads, what is captured at its end, logs, snapshots."""

from __future__ import annotations

import contextlib
import io
import os
import posixpath
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from azml_compat import _names, _reporting, _snapshot
from azml_compat._files import (
    BatchArtifactContentInformationDto,
    RunFiles,
    as_file,
    leads_outside,
    local_files,
    normalise,
    source_of,
    stored_path,
    temporary_folder,
)
from azml_compat._metrics import is_shortened
from azml_compat._metrics.records import PathRecord
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking.errors import is_away
from azml_compat.core._run_base import _RunBase
from azml_compat.exceptions import AzureMLException, SnapshotException, UserErrorException

if TYPE_CHECKING:
    from azml_compat._transcript import Transcript

SNAPSHOT_PROPERTY = "ContentSnapshotId"
_UPLOAD_SECONDS = 30
"""For which an upload may wait for an answer: a server may have to pass the file on before it gives one."""


class _FilingRun(_RunBase):
    """A run with its files."""

    # Set while the run is used in a `with` block: what is printed, and where and when the block began.
    _transcript: Transcript
    _entered: tuple[Path, float]

    # -- files ------------------------------------------------------------------------------------------------

    def _put(self, name: Any, source: Path | IO[bytes], files: RunFiles | None = None) -> str:
        """Store a new file and return its name as it is listed."""
        normal = normalise(name)
        path = stored_path(normal)
        with contextlib.ExitStack() as stack:
            try:
                with self._store.briefly():
                    files = files or self._files
                    if leads_outside(name):
                        normal = self._free_name(files, name)
                        path = stored_path(normal)
                    files.check_free(path, normal)
                # A stream can be read only once, and storing it may take a second attempt.
                source = stack.enter_context(as_file(source, posixpath.basename(path)))
                with self._store.briefly(_UPLOAD_SECONDS):
                    files.put(source, path)
            except ServiceException as error:
                if not is_away(error):
                    raise
                self._writer.queue_file(source, path)
                _reporting.logger.warning("%s. It is stored when the store is back.", error.message)
        if os.fspath(name) not in (normal, f"./{normal}") or is_shortened(path):
            self._writer.append_record(PathRecord(path, normal if is_shortened(path) else os.fspath(name)))
        return normal

    def _free_name(self, files: RunFiles, name: Any) -> str:
        """Return what is left of a name that leads outside of the run, numbered where that is of another name."""
        normal = normalise(name)
        stem, suffix = posixpath.splitext(normal)
        free, number = normal, 1
        while files.find(stored_path(free)) is not None:
            if number == 1 and self._path_of_original(name) is not None:
                return normal
            number += 1
            free = f"{stem}_{number}{suffix}"
        return free

    def _path_of_original(self, name: Any) -> str | None:
        """Return where the file is stored that the script gave a name of which only the last part was left."""
        wanted = {os.fspath(name)}
        if is_shortened(stored_path(normalise(name))):
            wanted.add(normalise(name))  # All that is kept of a name that is too long for a store.
        records = (record for record in self._sidecar() if isinstance(record, PathRecord))
        return next((record.path for record in records if record.original in wanted), None)

    def upload_file(
        self, name: str, path_or_stream: Any, datastore_name: str | None = None
    ) -> BatchArtifactContentInformationDto:
        """Store a file or an open stream under `name`, a relative path with `/`.

        Raises:
            UserErrorException: neither a path nor a stream was given.
            FileNotFoundError: the file is missing.
            AzureMLAggregatedException: the run has a file of that name.
        """
        stored = self._put(name, source_of(path_or_stream))
        return BatchArtifactContentInformationDto(self.id, {name: stored})

    def upload_files(
        self,
        names: list[str],
        paths: list[Any],
        return_artifacts: bool = False,
        timeout_seconds: int | None = None,
        datastore_name: str | None = None,
    ) -> Any:
        """Store many files; all local ones are looked at, and all names checked, before the first is stored.

        Returns:
            A lazy map of None for each file; with `return_artifacts` a tuple of {name: artifact} and that map.

        Raises:
            TypeError: `names` and `paths` differ in length.
            FileNotFoundError: a file is missing.
            AzureMLAggregatedException: the run has a file of one of the names.
        """
        if len(names) != len(paths):
            raise TypeError(
                "names and paths must be lists of equal lengths. "
                f"Names was of length {len(names)} and paths of length {len(paths)}."
            )
        sources = [source_of(path) for path in paths]
        with self._files.listing_once() as files:
            for name in names:
                if not leads_outside(name):
                    files.check_free(stored_path(normalise(name)), name)
            stored = {name: self._put(name, source, files) for name, source in zip(names, sources, strict=True)}
        results = map(_nothing, names)
        if return_artifacts:
            return BatchArtifactContentInformationDto(self.id, stored).artifacts, results
        return results

    def upload_folder(self, name: str, path: Any, datastore_name: str | None = None) -> Any:
        """Store all files below a local folder under `name`.

        Raises:
            UserErrorException: `path` is not a folder.
            AzureMLAggregatedException: the run has one of the files.

        Differs from Azure: a trailing `/` of `path` does not eat the separator.
        """
        folder = Path(path)
        if not folder.is_dir():
            raise UserErrorException(f"Cannot upload path: {path} since it is not a valid directory.")
        files = list(local_files(folder, self._store.uri))
        names = [posixpath.join(name, file.relative_to(folder).as_posix()) for file in files]
        return self.upload_files(names, files)

    def _entries(self) -> list[tuple[str, str]]:
        return self._files.entries(self._sidecar)

    def get_file_names(self) -> list[str]:
        """Return the paths of all files of the run, logs and images included."""
        return [name for name, _ in self._entries()]

    def _find_file(self, name: str) -> str:
        """Return where the file of that name is stored; files of plain MLflow keep names that we would escape."""
        normal = normalise(name)
        known = self._path_of_original(name) if leads_outside(name) else None
        for path in dict.fromkeys((known or stored_path(normal), normal)):
            entry = self._files.find(path) if not path.startswith(f"{_names.PATH_RESERVED}/") else None
            if entry is not None and not entry.is_folder:
                return path
        available = ", ".join(self.get_file_names())
        raise UserErrorException(f"File with path {name} was not found,\navailable files include: {available}.")

    def download_file(self, name: str, output_file_path: Any = None, _validate_checksum: bool = False) -> None:
        """Copy a file of the run to a local path, which is overwritten.

        Args:
            name: A path as `get_file_names` gives it.
            output_file_path: A file, or an existing folder to put it in; default the file's base name, here.

        Raises:
            UserErrorException: the run has no such file.
        """
        path = self._find_file(name)
        target = Path(output_file_path) if output_file_path is not None else Path()
        if target.is_dir():
            target /= posixpath.basename(normalise(name))
        self._files.fetch(path, target)

    def download_files(
        self,
        prefix: str | None = None,
        output_directory: Any = None,
        output_paths: list[Any] | str | None = None,
        batch_size: int = 100,
        append_prefix: bool = True,
        timeout_seconds: int | None = None,
    ) -> None:
        """Copy the files below the folder `prefix` to local paths, which are overwritten.

        Args:
            prefix: A folder of the run; default all files.
            output_directory: Where they go, below their own paths; default here.
            output_paths: A local path for each file instead, in the order of `get_file_names`.
            batch_size: Ignored.
            append_prefix: Keep `prefix` in the paths below `output_directory`.
            timeout_seconds: Ignored.
        """
        folder = f"{posixpath.normpath(prefix.replace(chr(92), '/'))}/" if prefix else ""
        folder = "" if folder == "./" else folder
        found = [(name, path) for name, path in self._entries() if name.startswith(folder)]
        targets = [normalise(name) for name, _ in found]
        if output_paths is not None:
            paths = [output_paths] if isinstance(output_paths, str) else [os.fspath(path) for path in output_paths]
            if len(paths) == len(found) == len(set(paths)):
                targets = paths
            else:
                _reporting.logger.warning("output_paths does not give one path for each file, and is not used.")
        elif output_directory is not None and not append_prefix:
            targets = [target[len(folder) :] for target in targets]
        base = Path(output_directory) if output_directory is not None else Path()
        for (_, path), target in zip(found, targets, strict=True):
            self._files.fetch(path, base / target)

    # -- captured files ---------------------------------------------------------------------------------------

    def _output_folders(self) -> list[tuple[Path, str]]:
        """Return the output folders, each with its name in the run."""
        bases = dict.fromkeys((self._base, _current_folder() or self._base))
        # That of the start, and then that of the moment where the script has moved: as on Azure, it counts.
        return [(base / folder, shown_folder(folder)) for folder in self._folders for base in bases]

    def _capture_outputs(self) -> None:
        """Take the files of the output folders, as they are now."""
        for folder, shown in self._output_folders():
            self._capture(folder, shown)

    def _note_outputs(self) -> None:
        """Have the files of the output folders taken when the store is back."""
        for folder, shown in self._output_folders():
            for file in local_files(folder, self._store.uri):
                with _reporting.reported(f"Cannot take {file} into the run"):
                    self._writer.queue_take(file, posixpath.join(shown, file.relative_to(folder).as_posix()))

    def _capture_logs(self) -> None:
        """Take what the `with` block printed, and the files it wrote to ./logs."""
        folder, since = self._entered
        transcript = self._transcript.path if self._redirects else None
        with self._store.briefly():
            if transcript is not None:
                with _reporting.reported("Cannot store what the run printed"):
                    self._append_log(self._transcript.text())
            self._capture(
                folder / "logs",
                "logs",
                lambda file: file != transcript and not file.name.startswith(".") and file.stat().st_mtime >= since,
            )

    def _append_log(self, text: bytes) -> None:
        """Add what a `with` block printed to the log that earlier blocks of the run may have left."""
        try:
            files = self._files
            if files.find(_names.USER_LOG) is None:
                files.check_free(_names.USER_LOG, _names.USER_LOG)
                earlier = b""
            else:
                earlier = files.read_text(_names.USER_LOG).encode()
            files.put(io.BytesIO(earlier + text), _names.USER_LOG)
        except ServiceException as error:
            if not is_away(error):
                raise
            self._writer.queue_file(io.BytesIO(text), _names.USER_LOG)

    def _capture(self, folder: Path, shown: str, is_wanted: Callable[[Path], bool] = lambda _: True) -> None:
        """Take the files below a local folder under the name `shown`; what fails is reported, never raised.

        While the store cannot be reached, they are noted, and taken later if they still are the same.
        """
        if not folder.is_dir():
            return
        is_reached = self._try_to_settle()
        with RunFiles(self._store, self._record.id).listing_once() as files:
            for file in local_files(folder, self._store.uri):
                with _reporting.reported(f"Cannot take {file} into the run"):
                    if file.name.endswith("azureml.log") or not is_wanted(file):
                        continue
                    name = posixpath.join(shown, file.relative_to(folder).as_posix())
                    is_reached = is_reached and self._take(files, file, name)
                    if not is_reached:
                        self._writer.queue_take(file, name)

    def _take(self, files: RunFiles, file: Path, name: str) -> bool:
        """Take one file; False when the store cannot be reached."""
        try:
            path = files.capture(file, name)
        except ServiceException as error:
            if not is_away(error):
                raise
            return False
        if is_shortened(path):
            self._writer.append_record(PathRecord(path, normalise(name)))
        return True

    # -- snapshots --------------------------------------------------------------------------------------------

    def _take_first_snapshot(self, folder: Any) -> None:
        """Take the snapshot of `start_logging`; the default one is left out, with a notice, where it would surprise."""
        is_default = folder == "."
        try:
            if is_default and _snapshot.is_unsafe_folder(Path(folder)):
                raise SnapshotException("it is a home or root directory")
            if is_default:
                with self._store.briefly(_UPLOAD_SECONDS):
                    self._store_snapshot(folder, _snapshot.DEFAULT_LIMITS)
            else:
                self._store_snapshot(folder, _snapshot.EXPLICIT_LIMITS)
        except (AzureMLException, ServiceException, OSError) as error:
            reason = getattr(error, "message", None) or error
            if not is_default:
                raise SnapshotException(
                    f"{reason}\nThe run is started. Pass snapshot_directory=None to start one without a snapshot."
                ) from error
            _reporting.logger.warning("No snapshot of %s: %s", Path.cwd(), reason)

    def take_snapshot(self, file_or_folder_path: Any) -> str:
        """Keep a copy of a file or folder with the run, once, and return its id.

        What .amlignore (else .gitignore) names, virtual environments, stores and secrets are left out.

        Raises:
            FileNotFoundError: it does not exist.
            SnapshotException: the run has a snapshot, or it is larger than 300 MB or 2,000 files.
        """
        if self.get_snapshot_id() is not None:
            raise SnapshotException("The run has a snapshot already.")
        return self._store_snapshot(file_or_folder_path, _snapshot.EXPLICIT_LIMITS)

    def _store_snapshot(self, path: Any, limits: _snapshot.Limits) -> str:
        files = _snapshot.collect(Path(path), limits, self._store.uri)
        with temporary_folder() as folder:
            snapshot_id, archive = _snapshot.write_archive(files, Path(folder))
            self._put_snapshot(snapshot_id, archive)
        self.add_properties({SNAPSHOT_PROPERTY: snapshot_id})
        return snapshot_id

    def _put_snapshot(self, snapshot_id: str, archive: Path) -> None:
        self._files.put(archive, f"{_names.PATH_SNAPSHOTS}/{snapshot_id}.zip")

    def get_snapshot_id(self) -> str | None:
        """Return the id of the run's snapshot, or None."""
        return self.properties.get(SNAPSHOT_PROPERTY)

    def restore_snapshot(self, snapshot_id: str | None = None, path: Any = None) -> str:
        """Copy the run's snapshot to `<path>/<snapshot id>.zip` and return that path, absolute.

        Args:
            snapshot_id: Default that of the run.
            path: Default the folder for temporary files.

        Raises:
            TypeError: the run has no snapshot.
            SnapshotException: the run has no snapshot of that id, or what the store has of it is damaged, or leads out
                of its folder. Nothing is written then.
        """
        import shutil  # here and not at the top: importing Run must stay cheap
        import tempfile

        wanted = snapshot_id or self.get_snapshot_id()
        if wanted is None:
            raise TypeError("The run has no snapshot.")
        stored = f"{_names.PATH_SNAPSHOTS}/{posixpath.basename(wanted)}.zip"
        if self._files.find(stored) is None:
            raise SnapshotException(f"The run has no snapshot {wanted!r}.")
        target = Path(path or tempfile.gettempdir()).absolute() / posixpath.basename(stored)
        with self._files.fetched(stored) as archive:
            flaw = _snapshot.flaw_of(archive)
            if flaw is not None:
                raise SnapshotException(f"The snapshot {wanted!r} cannot be restored: {flaw}.")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(archive, target)
        return str(target)


def shown_folder(folder: str) -> str:
    """Return the name in the run of a local output folder; an absolute or upward one goes by its last part."""
    return "" if posixpath.normpath(folder) == "." else normalise(folder)


def _nothing(_name: str) -> None:
    """Return what the original's upload_files gives for each file."""


def _current_folder() -> Path | None:
    """Return the current directory, or None when it has been removed."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return None
