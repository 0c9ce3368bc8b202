"""Putting the files of a dataset into a local folder, as copies or as links. Needs neither mlflow nor pandas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from azml_compat._data.sources import SourceFile
from azml_compat._data.transfer import safe
from azml_compat.exceptions import UserErrorException


def copy(files: Sequence[SourceFile], folder: Path) -> list[Path]:
    """Copy files to a folder; return where they are then.

    Raises:
        UserErrorException: a name would lead out of the folder, or a file cannot be had.
    """
    targets = [folder / safe(file.name) for file in files]
    for file, target in zip(files, targets, strict=True):
        file.place.get(file.path, target)
    return targets


def link(files: Sequence[SourceFile], folder: Path, *, replace: bool = False) -> list[Path]:
    """Link files of this machine into a folder, and copy others; return where they are then.

    The folders are real, so that a file which is made in them does not come to lie beside the data.

    Args:
        files: The files.
        folder: The folder, there or not.
        replace: Whether a file that is there already gives way, as it is hidden by what Azure mounts.

    Raises:
        FileExistsError: a file is there already.
        UserErrorException: as for `copy`.
    """
    targets = [folder / safe(file.name) for file in files]
    for file, target in zip(files, targets, strict=True):
        found = file.place.local(file.path)
        if found is None:
            file.place.get(file.path, target)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            if replace:
                target.unlink(missing_ok=True)
            target.symlink_to(found)
    return targets


def show_at(chosen: Path, folder: Path) -> None:
    """Have a path outside of the run lead to a folder that goes with the run.

    Raises:
        UserErrorException: another run is at it, or something else is there.
    """
    try:
        if chosen.is_symlink() and not chosen.exists():
            chosen.unlink()  # left by a run that has gone
        elif chosen.is_dir() and not chosen.is_symlink():
            chosen.rmdir()
        chosen.parent.mkdir(parents=True, exist_ok=True)
        chosen.symlink_to(folder)
    except OSError as error:
        raise UserErrorException(
            f"An input cannot be mounted at {chosen}: {error.strerror}. Another run may be using it, or it may have "
            "files. A relative path is below the working directory, where each run has its own."
        ) from error


def hide_from(chosen: Path, folder: Path) -> None:
    """Undo `show_at`, if the path leads to that folder still."""
    if chosen.is_symlink() and chosen.readlink() == folder:
        chosen.unlink()
