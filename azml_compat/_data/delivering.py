"""Putting the files of a dataset into a local folder, as copies or as links. Needs neither mlflow nor pandas."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from azml_compat._data.sources import SourceFile
from azml_compat._data.transfer import safe


def copy(files: Sequence[SourceFile], folder: Path) -> list[Path]:
    """Copy files to a folder; return where they are then.

    Raises:
        UserErrorException: a name would lead out of the folder, or a file cannot be had.
    """
    targets = [folder / safe(file.name) for file in files]
    for file, target in zip(files, targets, strict=True):
        file.place.get(file.path, target)
    return targets


def link(files: Sequence[SourceFile], folder: Path) -> list[Path]:
    """Link files of this machine into a folder, and copy others; return where they are then.

    The folders are real, so that a file which is made in them does not come to lie beside the data.

    Raises:
        UserErrorException: as for `copy`.
    """
    targets = [folder / safe(file.name) for file in files]
    for file, target in zip(files, targets, strict=True):
        found = file.place.local(file.path)
        if found is None:
            file.place.get(file.path, target)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(found)
    return targets
