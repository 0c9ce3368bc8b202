"""`azureml.data.context_managers`: a dataset as a folder, for a while."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azml_compat._data import delivering
from azml_compat._refused import module_attributes
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from azml_compat._data.sources import SourceFile


class _MountContext:
    """What `FileDataset.mount` returns: the files are in `mount_point` between `start` and `stop`.

    Args:
        folder: The folder, empty or not there.
        find: Finds the files.
    """

    def __init__(self, folder: Path, find: Callable[[], list[SourceFile]]) -> None:
        self._folder = folder
        self._find = find
        self._held: list[SourceFile] = []
        """Keeps files alive that exist for this mount only."""
        self._targets: list[Path] = []

    @property
    def mount_point(self) -> str:
        """The folder."""
        return str(self._folder)

    def start(self) -> None:
        """Put the files there.

        Raises:
            UserErrorException: they are there already, or cannot be had.
        """
        if self._targets:
            raise UserErrorException(f"{self._folder} is mounted already.")
        self._folder.mkdir(parents=True, exist_ok=True)
        self._held = self._find()
        self._targets = delivering.link(self._held, self._folder)

    def stop(self) -> None:
        """Take them away, and the folders that are empty then; what else was put there stays."""
        for target in self._targets:
            target.unlink(missing_ok=True)
        for folder, _, _ in os.walk(self._folder, topdown=False):
            if not any(Path(folder).iterdir()):
                Path(folder).rmdir()
        self._targets, self._held = [], []

    def __enter__(self) -> _MountContext:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()


__getattr__, __dir__ = module_attributes(__name__)
