"""Snapshots of a source folder: what belongs in one, and the archive that is kept with the run.

A snapshot holds no secrets, is whole or absent, and the default one (of the current directory, at every
`start_logging`) must never surprise: it gives up early on a big tree and is never taken of a home or root directory.
"""

from __future__ import annotations

import hashlib
import os
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pathspec

from azml_compat.exceptions import SnapshotException

_IGNORE_FILES = (".amlignore", ".gitignore")
_SKIPPED_FOLDERS = frozenset(
    {
        ".git", ".hg", ".svn", "__pycache__", ".ipynb_checkpoints", "node_modules",
        ".mypy_cache", ".pytest_cache", ".ruff_cache", ".tox", ".nox", ".eggs",
        "mlruns", "mlartifacts",
        ".ssh", ".aws", ".azure", ".gnupg", ".kube", ".docker",
    }
)  # fmt: skip
_SKIPPED_AT_THE_TOP = frozenset({"outputs", "logs"})
_SECRETS = pathspec.PathSpec.from_lines(
    "gitwildmatch",
    [
        ".env", ".env.*", "*.env", ".netrc", "_netrc", ".pypirc", ".npmrc", ".git-credentials", ".htpasswd",
        "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*",
        "*.pem", "*.key", "*.pfx", "*.p12", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "kubeconfig",
        "*credential*", "*secret*", "*password*", "*.token", "token", "token.*", "*_token", "*_token.*",
        "!*.py", "!*.ipynb", "!*.md", "!*.rst",
        ".env*.py",
    ],
)  # fmt: skip
"""Names that are kept out, whatever an ignore file says. Code and prose about secrets are not secrets."""
_STORE_FILES = ("mlflow.db", "mlflow.db-journal", "mlflow.db-wal", "mlflow.db-shm")


@dataclass(frozen=True)
class Limits:
    """How large a snapshot may be; size in bytes."""

    files: int
    size: int


DEFAULT_LIMITS = Limits(files=1000, size=20 * 2**20)
"""Of the snapshot that nobody asked for."""
EXPLICIT_LIMITS = Limits(files=2000, size=300 * 2**20)
"""Azure's own, of take_snapshot and snapshot_directory."""
_MAX_SCANNED = 20_000


def is_unsafe_folder(folder: Path) -> bool:
    """Tell whether a default snapshot of `folder` would be one of a home or root directory."""
    resolved = folder.resolve()
    return resolved == Path(resolved.anchor) or resolved == Path.home().resolve() or resolved in Path.home().parents


def collect(path: Path, limits: Limits, store_file: Path | None = None) -> list[tuple[str, Path]]:
    """Return (name in the archive, file) for everything that a snapshot of `path` holds.

    Args:
        path: A folder, or one file.
        limits: When to give up.
        store_file: The database of the tracking store, which is left out wherever it lies.

    Raises:
        FileNotFoundError: `path` does not exist.
        SnapshotException: it is larger than `limits`.
    """
    if path.is_file():
        return [(path.name, path)]
    if not path.is_dir():
        raise FileNotFoundError(f"{path} does not exist, so there is nothing to take a snapshot of.")
    found: list[tuple[str, Path]] = []
    size = 0
    for name, file in _walk(path):
        if file == store_file:
            continue
        found.append((name, file))
        size += file.stat().st_size
        if len(found) > limits.files and not os.environ.get("AML_SNAPSHOT_NO_FILE_LIMIT"):
            raise SnapshotException(f"{path} holds more than {limits.files} files that a snapshot would take.")
        if size > limits.size:
            raise SnapshotException(f"{path} is larger than the {limits.size >> 20} MB that a snapshot may take.")
    return found


def _walk(root: Path) -> Iterator[tuple[str, Path]]:
    ignored = _ignore_spec(root)
    scanned = 0
    for parent, folders, files in os.walk(root):
        relative = Path(parent).relative_to(root).as_posix()
        prefix = "" if relative == "." else f"{relative}/"
        folders[:] = sorted(
            folder for folder in folders if not _skips_folder(Path(parent) / folder, f"{prefix}{folder}/", ignored)
        )
        scanned += len(files) + len(folders)
        if scanned > _MAX_SCANNED and not os.environ.get("AML_SNAPSHOT_NO_FILE_LIMIT"):
            raise SnapshotException(f"{root} holds more than {_MAX_SCANNED} files and folders.")
        for file in sorted(files):
            path = Path(parent) / file
            if file in _STORE_FILES or _SECRETS.match_file(file.lower()) or ignored.match_file(f"{prefix}{file}"):
                continue
            if path.is_file():
                yield f"{prefix}{file}", path


def _ignore_spec(root: Path) -> pathspec.PathSpec:
    for name in _IGNORE_FILES:
        file = root / name
        if file.is_file():
            return pathspec.PathSpec.from_lines("gitwildmatch", file.read_text("utf-8", "replace").splitlines())
    return pathspec.PathSpec([])


def _skips_folder(folder: Path, name: str, ignored: pathspec.PathSpec) -> bool:
    return (
        folder.name in _SKIPPED_FOLDERS
        or name.rstrip("/") in _SKIPPED_AT_THE_TOP
        or folder.is_symlink()
        or (folder / "pyvenv.cfg").is_file()
        or (folder / "conda-meta").is_dir()
        or ignored.match_file(name)
    )


def write_archive(files: list[tuple[str, Path]], folder: Path) -> tuple[str, Path]:
    """Write the files as a zip archive into `folder`; return the snapshot id, a GUID of the content, and the file."""
    digest = hashlib.sha256()
    archive = folder / "snapshot.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1, strict_timestamps=False) as target:
        for name, file in files:
            content = file.read_bytes()
            digest.update(name.encode("utf-8", "surrogateescape") + b"\0" + hashlib.sha256(content).digest())
            target.writestr(zipfile.ZipInfo.from_file(file, name, strict_timestamps=False), content)
    snapshot_id = str(uuid.UUID(bytes=digest.digest()[:16]))
    return snapshot_id, archive.rename(folder / f"{snapshot_id}.zip")
