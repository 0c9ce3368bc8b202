"""Snapshots of a source folder: what belongs in one, and the archive that is kept with the run.

A snapshot holds no secrets, is whole or absent, and the default one (of the current directory, at every
`start_logging`) must never surprise: it gives up early on a big tree and is never taken of a home or root directory.
"""

from __future__ import annotations

import fnmatch
import functools
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from azml_compat._home import spools_within
from azml_compat._tracking.addresses import lies_in
from azml_compat.exceptions import SnapshotException

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_IGNORE_FILES = (".amlignore", ".gitignore")
_SKIPPED_FOLDERS = frozenset(
    {
        ".git", ".hg", ".svn", "__pycache__", ".ipynb_checkpoints", "node_modules",
        ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".nox", ".eggs",
        "mlruns", "mlartifacts", ".trash",
        ".ssh", ".aws", ".azure", ".gnupg", ".kube", ".docker",
    }
)  # fmt: skip
_SKIPPED_AT_THE_TOP = frozenset({"outputs", "logs"})
_STORE_FILES = ("mlflow.db", "mlflow.db-journal", "mlflow.db-wal", "mlflow.db-shm")


@functools.cache  # compiled on first use: most processes that import Run take no snapshot
def _any_of(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(fnmatch.translate, globs)))


# Names that are kept out, whatever an ignore file says, in lower case.
_SECRETS = (
    ".env", ".env.*", "*.env", ".envrc", ".netrc", "_netrc", ".pypirc", ".npmrc", ".pgpass", ".my.cnf", ".boto",
    ".s3cfg", ".databrickscfg", ".dockercfg", ".git-credentials", ".htpasswd", ".vault-token", "kubeconfig",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*",
    "*.pem", "*.key", "*.pfx", "*.p12", "*.p8", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "*.gpg",
    "*credential*", "*secret*", "*password*", "*passwd*", "*apikey*", "*api_key*", "*api-key*",
    "service-account*", "service_account*", "key.json", "*[-_]key.json",
    "*.token", "token", "token.*", "*[-_]token", "*[-_]token.*",
)  # fmt: skip
_SECRET_FOLDERS = ("*credential*", "*secret*", "*password*")
_CODE_AND_PROSE = (".py", ".ipynb", ".md", ".rst")
"""What is about secrets under these names is not one."""


class Limits(NamedTuple):
    """How large a snapshot may be, size in bytes, and how many files and folders are looked at for it; 0: all."""

    files: int
    size: int
    looked_at: int = 0


DEFAULT_LIMITS = Limits(files=1000, size=20 * 2**20, looked_at=20_000)
"""Of the snapshot that nobody asked for."""
EXPLICIT_LIMITS = Limits(files=2000, size=300 * 2**20)
"""Azure's own, of take_snapshot and snapshot_directory."""


def is_unsafe_folder(folder: Path) -> bool:
    """Tell whether a default snapshot of `folder` would be one of a home or root directory."""
    resolved = folder.resolve()
    try:
        home = Path.home().resolve()
    except RuntimeError:  # a container's user without a home
        home = Path(resolved.anchor)
    return resolved in (Path(resolved.anchor), home) or resolved in home.parents


def collect(path: Path, limits: Limits, store_uri: str | None = None) -> list[tuple[str, Path]]:
    """Return (name in the archive, file) for everything that a snapshot of `path` holds.

    Args:
        path: A folder, or one file.
        limits: When to give up.
        store_uri: The tracking store, whose files are left out wherever they lie.

    Raises:
        FileNotFoundError: `path` does not exist.
        OSError: a folder cannot be listed, or a file vanished: a snapshot is whole or absent.
        SnapshotException: it is larger than `limits`, or a file that holds a secret.
    """
    root = path.absolute()
    is_of_store = lies_in(store_uri or "")
    if root.is_file():
        if _is_secret(root):
            raise SnapshotException(f"{path} looks like a secret by its name, and a snapshot holds none.")
        candidates = iter([(root.name, root)])
    elif root.is_dir():
        candidates = _walk(root, limits.looked_at, is_of_store)
    else:
        raise FileNotFoundError(f"{path} does not exist, so there is nothing to take a snapshot of.")
    found: list[tuple[str, Path]] = []
    size = 0
    for name, file in candidates:
        found.append((name, file))
        size += file.stat().st_size
        if len(found) > limits.files and not os.environ.get("AML_SNAPSHOT_NO_FILE_LIMIT"):
            raise SnapshotException(f"{path} holds more than {limits.files} files that a snapshot would take.")
        if size > limits.size:
            raise SnapshotException(f"{path} is larger than the {limits.size >> 20} MB that a snapshot may take.")
    return found


def _walk(root: Path, limit: int, is_of_store: Callable[[Path], bool]) -> Iterator[tuple[str, Path]]:
    ignored = _ignore_spec(root)
    journals = spools_within(root)
    scanned = 0
    for parent, folders, files in os.walk(root, onerror=_raise):
        if Path(parent) == journals:
            folders.clear()
            continue
        relative = Path(parent).relative_to(root).as_posix()
        prefix = "" if relative == "." else f"{relative}/"
        folders[:] = sorted(
            folder
            for folder in folders
            if not (
                is_of_store(Path(parent) / folder)
                or _skips_folder(Path(parent) / folder, f"{prefix}{folder}/", ignored)
            )
        )
        scanned += len(files) + len(folders)
        if 0 < limit < scanned and not os.environ.get("AML_SNAPSHOT_NO_FILE_LIMIT"):
            raise SnapshotException(f"{root} holds more than {limit} files and folders.")
        for file in sorted(files):
            path = Path(parent) / file
            if file in _STORE_FILES or is_of_store(path) or _matches(ignored, f"{prefix}{file}") or not path.is_file():
                continue
            if not _is_secret(path, prefix):
                yield f"{prefix}{file}", path


def _raise(error: OSError) -> NoReturn:
    # os.walk passes over a folder that it cannot list, which would leave a part out in silence.
    raise error


def _is_secret(file: Path, folders: str = "") -> bool:
    """Tell by its name, the folders it is in and what it links to whether a file holds a secret."""
    if file.is_symlink():
        target = file.resolve()
        if _SKIPPED_FOLDERS.intersection(target.parent.parts) or _is_secret_name(target.name):
            return True
    if any(_any_of(_SECRET_FOLDERS).match(folder) for folder in folders.lower().split("/")):
        return not file.name.lower().endswith(_CODE_AND_PROSE)
    return _is_secret_name(file.name)


def _is_secret_name(name: str) -> bool:
    name = name.lower()
    return bool(_any_of(_SECRETS).match(name)) and (name.startswith(".env") or not name.endswith(_CODE_AND_PROSE))


def _ignore_spec(root: Path) -> GitIgnoreSpec | None:
    file = next((root / name for name in _IGNORE_FILES if (root / name).is_file()), None)
    if file is None:
        return None
    lines = file.read_text("utf-8-sig", "replace").splitlines()

    from pathspec import GitIgnoreSpec  # only for a folder that has an ignore file

    def is_pattern(line: str) -> bool:
        # git passes over what is no pattern, such as a lone "!"; pathspec refuses it.
        try:
            GitIgnoreSpec.from_lines([line])
        except (ValueError, re.error):
            return False
        return True

    return GitIgnoreSpec.from_lines([line for line in lines if is_pattern(line)])


def ignored_by(root: Path) -> Callable[[str], bool]:
    """Return what tells whether a file of a folder, or a folder in it (its name with a `/`), is ignored."""
    ignored = _ignore_spec(root)
    return lambda name: _matches(ignored, name)


def _matches(ignored: GitIgnoreSpec | None, name: str) -> bool:
    return ignored is not None and ignored.match_file(name)


def _skips_folder(folder: Path, name: str, ignored: GitIgnoreSpec | None) -> bool:
    return (
        folder.name in _SKIPPED_FOLDERS
        or name.rstrip("/") in _SKIPPED_AT_THE_TOP
        or folder.is_symlink()
        or is_environment(folder)
        or _is_of_file_store(folder)
        or _matches(ignored, name)
    )


def is_environment(folder: Path) -> bool:
    """Tell whether a folder is an environment of packages, made by venv or conda."""
    return (folder / "pyvenv.cfg").is_file() or (folder / "conda-meta").is_dir()


def _is_of_file_store(folder: Path) -> bool:
    """Tell whether a folder is an experiment of an MLflow file store, whatever the store is called."""
    try:
        with (folder / "meta.yaml").open("rb") as file:
            return b"lifecycle_stage:" in file.read(4096)
    except OSError:
        return False


def write_archive(files: list[tuple[str, Path]], folder: Path) -> tuple[str, Path]:
    """Write the files as a zip archive into `folder`; return the snapshot id, a GUID of the content, and the file."""
    import hashlib  # these three cost 5 ms, and an import of Run writes no archive
    import uuid
    import zipfile

    digest = hashlib.sha256()
    archive = folder / "snapshot.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for name, file in files:
            content = file.read_bytes()
            raw_name = name.encode("utf-8", "surrogateescape")
            digest.update(raw_name + b"\0" + hashlib.sha256(content).digest())
            # A zip archive cannot hold a name that is not Unicode.
            shown = raw_name.decode("utf-8", "backslashreplace")
            entry = zipfile.ZipInfo.from_file(file, shown, strict_timestamps=False)
            target.writestr(entry, content, zipfile.ZIP_DEFLATED, compresslevel=1)
    snapshot_id = str(uuid.UUID(bytes=digest.digest()[:16]))
    return snapshot_id, archive.rename(folder / f"{snapshot_id}.zip")


def flaw_of(archive: Path) -> str | None:
    """Say what is wrong with an archive that came from a store; None when it is whole and stays in its folder."""
    import zipfile  # here and not at the top, as above
    import zlib

    try:
        with zipfile.ZipFile(archive) as source:
            damaged = source.testzip()
            names = source.namelist()
    except (OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        return f"it is damaged: {error}"
    if damaged is not None:
        return f"it is damaged: {damaged!r} is not as it was"
    leaving = [name for name in names if _leaves_its_folder(name)]
    return f"{leaving[0]!r} in it leads out of it" if leaving else None


def _leaves_its_folder(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or name.startswith(("/", "\\")) or parts[0].endswith(":")
