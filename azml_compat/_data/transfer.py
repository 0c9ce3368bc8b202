"""Uploads to and downloads from a place, with the lines that the original prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from azml_compat import _reporting
from azml_compat._data.places import Place, common_folder, inside
from azml_compat._reporting import message_of
from azml_compat.exceptions import UserErrorException


def upload_folder(
    place: Place, source: str | os.PathLike[str], target: str | None, *, overwrite: bool, show_progress: bool
) -> None:
    """Upload what is in a folder, keeping its sub-folders; empty ones have no place there.

    Raises:
        UserErrorException: `source` is no folder, or `target` leads upwards.
    """
    top = os.fspath(source)
    if not Path(top).is_dir():
        raise UserErrorException(f"src_dir must be a directory, and {top!r} is none.")
    prefix = _prefix(target)
    found = [(path, prefix + name) for path, name in files_below(top)]
    _upload(place, found, overwrite=overwrite, show_progress=show_progress)


def files_below(folder: str, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (path, path relative to the top); links to folders are not followed, as in the original."""
    with os.scandir(folder) as found:
        children = sorted(found, key=lambda child: child.name)
    for child in children:
        if child.is_dir(follow_symlinks=False):
            yield from files_below(child.path, f"{prefix}{child.name}/")
        elif child.is_file():
            yield child.path, prefix + child.name


def upload_files(
    place: Place,
    files: Sequence[str],
    root: str | None,
    target: str | None,
    *,
    overwrite: bool,
    show_progress: bool,
) -> None:
    """Upload files under their paths relative to `root`, by default the deepest folder that all of them share.

    Raises:
        UserErrorException: one is no file, or not below `root`; or `target` leads upwards.
    """
    prefix, paths = _prefix(target), [_slashes(file) for file in files]
    for path in paths:
        if not Path(path).is_file():
            raise UserErrorException(f"{path!r} is not a file: upload takes a list of files, `upload` takes a folder.")
    root = common_folder(paths) if root is None else _slashes(root)
    _upload(
        place,
        [(path, prefix + _relative(path, root)) for path in paths],
        overwrite=overwrite,
        show_progress=show_progress,
    )


def _slashes(path: str | os.PathLike[str]) -> str:
    text = os.fspath(path)
    return text.replace("\\", "/") if os.sep == "\\" else text


def _relative(path: str, root: str) -> str:
    if root not in path:
        raise UserErrorException(f"The file {path!r} is not below the relative root {root!r}.")
    return inside(path.lstrip("/") if root == "/" else _slashes(os.path.relpath(path, root or ".")))


def _prefix(target: str | None) -> str:
    folder = inside(target)
    return f"{folder}/" if folder else ""


def _upload(place: Place, found: Sequence[tuple[str, str]], *, overwrite: bool, show_progress: bool) -> None:
    count, done = len(found), 0
    say = _printer(show_progress)
    say(f"Uploading an estimated of {count} files")
    for source, target in found:
        try:
            if place.put(source, target, overwrite=overwrite):
                done += 1
                say(f"Uploading {source}")
                say(f"Uploaded {source}, {done} files out of an estimated total of {count}")
            else:
                say(f"Target already exists. Skipping upload for {target}")
        except UserErrorException as error:
            # Logged and not raised, as in the original; the count at the end tells too.
            _reporting.logger.warning("Upload of %s failed: %s", source, message_of(error))
    say(f"Uploaded {done} files")


def download(place: Place, target: Any, prefix: str | None, *, overwrite: bool, show_progress: bool) -> int:
    """Download the files whose paths begin with `prefix` to `<target>/<path>`; return how many.

    One that is there stays, unless `overwrite`: that is logged.
    """
    folder, say, done = Path(target), _printer(show_progress), 0
    found = list(place.entries(inside_prefix(prefix)))
    for entry in found:
        path = folder / safe(entry.path)
        if path.exists() and not overwrite:
            _reporting.logger.warning("%s exists: %s is not downloaded.", path, entry.path)
            continue
        say(f"Downloading {entry.path}")
        place.get(entry.path, path)
        done += 1
        say(f"Downloaded {entry.path}, {done} files out of an estimated total of {len(found)}")
    return done


def inside_prefix(prefix: str | None) -> str:
    """Return a user's prefix of paths: any beginning of a path, so that a `/` at its end stays."""
    return inside(prefix) + ("/" if prefix and prefix.endswith("/") and inside(prefix) else "")


def safe(path: str) -> str:
    """Return a path of a place for use below a local folder.

    Raises:
        UserErrorException: it would lead out of it: containers can hold such names.
    """
    if path.startswith("/") or ".." in path.split("/"):
        raise UserErrorException(f"{path!r} is the name of a file that would lie outside of the folder.")
    return path


def _printer(show: bool) -> Any:  # noqa: FBT001 - a private function of one argument
    if not show:
        return lambda _line: None
    write = sys.stdout.write
    return lambda line: write(f"{line}\n")
