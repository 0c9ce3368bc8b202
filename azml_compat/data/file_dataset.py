"""`azureml.data.file_dataset`: a dataset of files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azml_compat._data import definitions, delivering, expressions
from azml_compat._refused import module_attributes, refusal
from azml_compat.data.abstract_dataset import AbstractDataset, _failed
from azml_compat.data.context_managers import _MountContext
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from azml_compat._data.sources import SourceFile
    from azml_compat.data.dataset_consumption_config import DatasetConsumptionConfig

_REFUSED = "azureml.data.file_dataset.FileDataset."


class FileDataset(AbstractDataset):
    """Files, looked up when they are asked for."""

    def _files(self) -> list[SourceFile]:
        try:
            return definitions.selected_files(self._definition, self._open)
        except UserErrorException as error:
            raise _failed(error) from error

    def to_path(self) -> list[str]:
        """Return the names of the files, each as `/` and a path below the deepest folder before the first `*`."""
        return [f"/{file.name}" for file in self._files()]

    def download(self, target_path: Any = None, overwrite: bool = False, ignore_not_found: bool = False) -> list[str]:
        """Download the files, and return their absolute local paths.

        Args:
            target_path: A local folder, made if it is not there; by default a new one among the temporary files.
            overwrite: Whether files that are there are replaced.
            ignore_not_found: Whether finding no file is no error.

        Raises:
            UserErrorException: a file is there, and `overwrite` is False; or none was found.
        """
        folder = Path(target_path or tempfile.mkdtemp(prefix="azml-")).absolute()
        found = self._files()
        if not found and not ignore_not_found:
            raise _failed(UserErrorException("There is no file at the paths of the dataset."))
        taken = [file.name for file in found if (folder / file.name).exists()]
        if taken and not overwrite:
            raise UserErrorException(
                f"{folder / taken[0]} exists already. Set overwrite=True, or choose another folder."
            )
        folder.mkdir(parents=True, exist_ok=True)
        return [str(path) for path in delivering.copy(found, folder)]

    def mount(self, mount_point: Any = None, **kwargs: Any) -> Any:
        """Return a context in which the files are in a folder: `with ds.mount() as mounted: mounted.mount_point`.

        Files of this machine are linked and not copied.

        Args:
            mount_point: The folder; by default a new one among the temporary files.
            **kwargs: Ignored.

        Raises:
            UserErrorException: the folder is not empty.
        """
        folder = Path(mount_point or tempfile.mkdtemp(prefix="azml-")).absolute()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserErrorException(f"{folder} is not empty: nothing is mounted over it.")
        return _MountContext(folder, self._files)

    def as_mount(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return what hands it to a run as a folder of links."""
        return self._own_input().as_mount(path_on_compute)

    def as_download(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return what hands it to a run as a folder of copies."""
        return self._own_input().as_download(path_on_compute)

    def as_hdfs(self) -> DatasetConsumptionConfig:
        """Return what hands it to a run on a cluster of Azure's."""
        return self._own_input().as_hdfs()

    def take(self, count: int) -> FileDataset:
        """Return the first files.

        Raises:
            ValueError: `count` is negative or no int.
        """
        return self._but(definitions.with_step(self._definition, "take", count=definitions.count_of(count)))

    def skip(self, count: int) -> FileDataset:
        """Return all but the first files.

        Raises:
            ValueError: `count` is negative or no int.
        """
        return self._but(definitions.with_step(self._definition, "skip", count=definitions.count_of(count)))

    def take_sample(self, probability: float, seed: int | None = None) -> FileDataset:
        """Return a random part of the files: each with this probability.

        Raises:
            ValueError: `probability` is not between 0 and 1.
        """
        return self._but(definitions.with_draw(self._definition, probability, seed)[0])

    def random_split(self, percentage: float, seed: int | None = None) -> tuple[FileDataset, FileDataset]:
        """Return two parts, of which the first has each file with the probability `percentage` (0 to 1).

        Raises:
            ValueError: `percentage` is not between 0 and 1.
        """
        first, second = definitions.with_draw(self._definition, percentage, seed)
        return self._but(first), self._but(second)

    def file_metadata(self, col: str) -> Any:
        """Return the expression of what is known of files, for `filter`: `Size` in bytes, `Path`, times in seconds."""
        return expressions.column(col)

    def filter(self, expression: Any) -> FileDataset:
        """Return the files for which a condition holds: `ds.filter(ds.file_metadata("Size") > 1)`.

        Raises:
            UserErrorException: it is no condition.
        """
        found = expressions.condition(expression)
        return self._but(definitions.with_step(self._definition, "filter", condition=found))

    def as_cache(self, datacache_store: Any) -> Any:
        """Refuse: there is no cache of Azure's."""
        raise refusal(f"{_REFUSED}as_cache")

    def hydrate(self, datacache_store: Any, replica_count: Any = None) -> Any:
        """Refuse: there is no cache of Azure's."""
        raise refusal(f"{_REFUSED}hydrate")


__getattr__, __dir__ = module_attributes(__name__)
