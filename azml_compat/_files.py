"""The files of a run: Azure's artifact names on MLflow's artifact stores.

Names are normalised to a relative path inside the run and escaped the same way on every store (`escape_path`). The
reserved folder is invisible here.
"""

from __future__ import annotations

import io
import os
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from azml_compat import _names
from azml_compat._home import spools_within
from azml_compat._metrics import escape_path, is_shortened, unescape
from azml_compat._metrics.records import PathRecord, Record
from azml_compat._tracking.addresses import lies_in
from azml_compat.exceptions import AzureMLAggregatedException, UserErrorException

if TYPE_CHECKING:
    import tempfile

    from azml_compat._tracking import ArtifactFile, Store

_CHUNK = 1 << 20
_UNQUOTED = re.compile("[';]")
_NOT_ASCII = re.compile("[^\x00-\x7f]")
_BEGINS_ESCAPED = re.compile("_x[0-9a-f]+_")
_MAX_BYTES = 250
"""Of a part of a path; file systems allow 255."""


def normalise(name: str | os.PathLike[str]) -> str:
    """Return `name` as a relative path inside the run; an absolute or upward one is reduced to its last part.

    Raises:
        UserErrorException: nothing is left to name a file.
    """
    text = os.fspath(name)
    if not isinstance(text, str):
        raise UserErrorException(f"A file of a run needs a name of type str, not {type(name)}.")
    if os.sep == "\\":
        text = text.replace("\\", "/")
    path = posixpath.normpath(text)
    if path.startswith(("/", "../")) or path == "..":
        path = posixpath.basename(path)
    if path in ("", ".", "..") or "\0" in path:
        raise UserErrorException(f"{text!r} does not name a file inside the run.")
    return path


def leads_outside(name: object) -> bool:
    """Tell whether only the last part of a name is left by `normalise`, so that different files may have that."""
    path = posixpath.normpath(os.fspath(name).replace(os.sep, "/"))  # type: ignore[call-overload]  # normalise has looked
    return str(path).startswith(("/", "../"))


def stored_path(name: str) -> str:
    """Return where the file of that normalised name is among the artifacts."""
    head, slash, rest = name.partition("/")
    if head.casefold() == _names.PATH_RESERVED:
        # The user's own folder of that name must not vanish in ours.
        head = head[:4] + "_x5f_" + head[5:]
        return f"{head}{slash}{escape_path(rest)}"
    path = _escape_more(escape_path(name))
    if any(len(part.encode()) > _MAX_BYTES for part in path.split("/")):
        path = _escape_more(escape_path(path))
    return _as_file(path)


def _as_file(path: str) -> str:
    """Return a stored path as it is where it is one of a file, which never has the name of its folder."""
    folder, slash, base = path.rpartition("/")
    if slash and base == posixpath.basename(folder):
        # A folder whose only file has its name is empty to MLflow's client of a server.
        base = f"_x0{base[2:]}" if _BEGINS_ESCAPED.match(base) else f"_x{ord(base[0]):x}_{base[1:]}"
    return f"{folder}{slash}{base}"


def _as_folder(path: str) -> str:
    """Return the stored path of a file as it is where it is one of a folder."""
    folder = posixpath.dirname(path)
    twin = posixpath.join(folder, posixpath.basename(folder))
    return twin if folder and _as_file(twin) == path else path


def _escape_more(path: str) -> str:
    """Escape what MlflowClient cannot list or download, though the store takes it."""
    # It puts a folder's name unquoted into a search, and reads the rest after `;` as parameters of a URL.
    path = _UNQUOTED.sub(_hex, path)
    # MLflow's servers before May 2026 (3.9 among them) cannot send a file whose name is not ASCII.
    path = _NOT_ASCII.sub(_hex, path)
    # It takes a folder whose name begins so for one outside the run.
    return f"_x2e_{path[1:]}" if path.startswith("..") else path


def _hex(match: re.Match[str]) -> str:
    return f"_x{ord(match.group()):x}_"


def shown_name(path: str) -> str:
    """Return the name of a stored file. One of plain MLflow may only look escaped; it keeps its name as it is."""
    name = unescape(path)
    try:
        return name if normalise(name) == name and stored_path(name) == path else path
    except UserErrorException:
        return path


class RunFiles:
    """The files of one run that its user sees."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._listings: dict[str, dict[str, ArtifactFile]] | None = None

    @contextmanager
    def listing_once(self) -> Iterator[RunFiles]:
        """Ask the store once for what is in a folder, however many files of it are looked up or stored here."""
        self._listings = {}
        try:
            yield self
        finally:
            self._listings = None

    def _list(self, folder: str) -> dict[str, ArtifactFile]:
        """Return what lies directly in a folder ("": the top) by stored path."""
        if self._listings is not None and folder in self._listings:
            return self._listings[folder]
        listing = {entry.path: entry for entry in self._store.list_artifacts(self._run_id, folder or None)}
        if self._listings is not None:
            self._listings[folder] = listing
        return listing

    def _note_stored(self, path: str) -> None:
        """Add a file that was stored, and its folders, to the listings that are kept."""
        from azml_compat._tracking import ArtifactFile  # whoever stores has it loaded

        is_folder = False
        while path and self._listings is not None:
            parent = posixpath.dirname(path)
            if parent in self._listings:
                self._listings[parent].setdefault(path, ArtifactFile(path, is_folder, None))
            path, is_folder = parent, True

    def walk(self, folder: str | None = None) -> Iterator[ArtifactFile]:
        """Yield every file below `folder` (stored path), folder by folder."""
        folders = []
        for entry in sorted(self._store.list_artifacts(self._run_id, folder), key=lambda file: file.path):
            if entry.path == _names.PATH_RESERVED:
                continue
            if entry.is_folder:
                folders.append(entry.path)
            else:
                yield entry
        for path in folders:
            yield from self.walk(path)

    def entries(self, sidecar: Callable[[], list[Record]]) -> list[tuple[str, str]]:
        """Return (name, stored path) of every file; `sidecar` is asked only for names that were cut."""
        paths = [file.path for file in self.walk()]
        originals = {}
        if any(is_shortened(path) for path in paths):
            originals = {record.path: record.original for record in sidecar() if isinstance(record, PathRecord)}
        return [(originals.get(path, path) if is_shortened(path) else shown_name(path), path) for path in paths]

    def find(self, path: str) -> ArtifactFile | None:
        """Return the file or folder at a stored path, or None."""
        return self._list(posixpath.dirname(path)).get(path)

    def check_free(self, path: str, name: str) -> None:
        """Refuse a stored path that is taken, as Azure does: files of a run are never overwritten.

        Raises:
            AzureMLAggregatedException: a file or folder is there, or a part of the path is a file.
        """
        if self._taken(path) is not None:
            raise self._conflict(name)

    def _taken(self, path: str) -> ArtifactFile | None:
        """Return what is at a stored path, or the file that stands where one of its folders must be."""
        wanted = path
        while True:
            folder = posixpath.dirname(wanted)
            entries = self._list(folder)
            found = entries.get(wanted) or entries.get(_as_folder(wanted) if wanted == path else _as_file(wanted))
            if found is not None:
                return found if wanted == path or not found.is_folder else None
            if entries or not folder:
                return None  # A folder with something in it is one, and so are those above it.
            wanted = folder

    def _conflict(self, name: str) -> AzureMLAggregatedException:
        return AzureMLAggregatedException(
            [f"UserError: Resource Conflict: ArtifactId ExperimentRun/dcid.{self._run_id}/{name} already exists."]
        )

    def put(self, source: Path | IO[bytes], path: str) -> None:
        """Store a local file, or what is left of a stream, at a stored path."""
        folder, base = posixpath.split(path)
        with as_file(source, base) as local:
            self._store.upload(self._run_id, local, folder or None)
        self._note_stored(path)

    def capture(self, local: Path, name: str) -> str:
        """Store a file found at the end of the run: identical content is left, other content is replaced.

        Returns:
            Its stored path.

        Raises:
            AzureMLAggregatedException: a folder has the name, or a file that of one of its folders.
        """
        path = stored_path(normalise(name))
        known = self._taken(path)
        if known is not None and (known.is_folder or known.path != path):
            # A server that is asked to write there answers with errors that MLflow repeats for minutes.
            raise self._conflict(name)
        if known is None or known.size != local.stat().st_size or not self.holds(path, local):
            self.put(local, path)
        return path

    def holds(self, path: str, local: Path) -> bool:
        """Tell whether the file at a stored path has the content of a local one."""
        with self.fetched(path) as stored:
            return digest(stored) == digest(local)

    @contextmanager
    def fetched(self, path: str) -> Iterator[Path]:
        """Give a temporary local copy of the file at a stored path."""
        with temporary_folder() as folder:
            yield self._store.download(self._run_id, path, Path(folder))

    def fetch(self, path: str, target: Path) -> None:
        """Copy the file at a stored path to `target`, which is overwritten."""
        target.parent.mkdir(parents=True, exist_ok=True)
        with self.fetched(path) as local:
            _copy_file(local, target)

    def read_text(self, path: str) -> str:
        """Return the text of the file at a stored path; bytes that are not UTF-8 are replaced."""
        with self.fetched(path) as local:
            return local.read_text(encoding="utf-8", errors="replace")


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a new folder that is removed at the end of a `with` block."""
    import tempfile  # with what it imports 4 ms, and an import of Run stores nothing

    return tempfile.TemporaryDirectory(prefix="azml_compat-")


@contextmanager
def as_file(source: Path | IO[bytes], base: str) -> Iterator[Path]:
    """Give a local file, or what is left of a stream, as a local file with the base name that MLflow is to store."""
    if isinstance(source, Path) and source.name == base:
        yield source
        return
    with temporary_folder() as folder:
        local = Path(folder) / base
        if isinstance(source, Path):
            _link(source, local)
        else:
            with local.open("wb") as file:
                _copy_stream(source, file)
        yield local


def _link(source: Path, local: Path) -> None:
    try:
        local.symlink_to(source.resolve())
    except OSError:  # Windows without the privilege
        _copy_file(source, local)


def _copy_file(source: Path, target: Path) -> None:
    import shutil  # with its archive formats 2 ms, and an import of Run copies nothing

    shutil.copyfile(source, target)


def _copy_stream(source: IO[bytes], target: IO[bytes]) -> None:
    while chunk := source.read(_CHUNK):
        target.write(chunk.encode("utf-8") if isinstance(chunk, str) else chunk)


def digest(path: Path) -> str:
    """Return the SHA-256 of a local file."""
    import hashlib  # loads OpenSSL, which an import of Run can do without

    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


class BatchArtifactContentInformationDto:
    """What `upload_file` returns: the stored files by name, under Azure's class name."""

    def __init__(self, run_id: str, paths: Mapping[str, str]) -> None:
        self.artifacts = {
            name: {"origin": "ExperimentRun", "container": f"dcid.{run_id}", "path": path}
            for name, path in paths.items()
        }
        self.artifact_content_information = dict(self.artifacts)


def local_files(folder: Path, store_uri: str) -> Iterator[Path]:
    """Yield every file below a local folder, hidden ones too; links to folders are not followed.

    No journal, and nothing of the tracking store, which would hold itself then, twice as large after each run. Pipes,
    sockets and devices are no files: reading one may block for ever.
    """
    journals = spools_within(folder)
    is_of_store = lies_in(store_uri)
    for parent, folders, files in os.walk(folder):
        if Path(parent) == journals:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not is_of_store(Path(parent) / name))
        for name in sorted(files):
            file = Path(parent) / name
            if (file.is_file() or file.is_symlink()) and not is_of_store(file):
                yield file


def source_of(path_or_stream: object) -> Path | IO[bytes]:
    """Return what `upload_file` was given as a file or stream.

    Raises:
        UserErrorException: it is neither a path nor a stream.
        FileNotFoundError: the file is missing.
        IsADirectoryError: the path is a folder.
    """
    if isinstance(path_or_stream, io.IOBase):
        return path_or_stream  # type: ignore[return-value]  # text streams are encoded when copied
    if not isinstance(path_or_stream, (str, os.PathLike)):
        raise UserErrorException(
            f"UnsupportedType: {type(path_or_stream)} cannot be uploaded; give a file path or an open file."
        )
    path = Path(path_or_stream)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a directory; use upload_folder.")
    with path.open("rb"):
        # Opened to fail before anything is stored.
        return path
