"""`azureml.data.dataset_consumption_config`: how a dataset gets into a run."""

from __future__ import annotations

import re
from typing import Any

from azml_compat import _names, _reporting
from azml_compat._refused import module_attributes
from azml_compat.exceptions import UserErrorException

_NAME = re.compile(r"[a-zA-Z_]+[a-zA-Z0-9_]*")
_MODES = ("direct", "download", "mount", "hdfs")


class DatasetConsumptionConfig:
    """A dataset as an input of a run, under a name.

    As an argument of the script it is the id of the dataset (`direct`), or the folder of its files.

    Args:
        name: Letters, digits and underscores, no digit first.
        dataset: The dataset; or (workspace, name), (workspace, name, version) of a registered one.
        mode: `direct`, `download`, `mount` or `hdfs`.
        path_on_compute: The folder, where its files are to be in one; relative ones below the working directory.

    Raises:
        UserErrorException: the name or mode is refused, or a table is to be files.
    """

    def __init__(self, name: str, dataset: Any, mode: str = "direct", path_on_compute: str | None = None) -> None:
        self.mode = str(mode).lower()
        if self.mode not in _MODES:
            raise UserErrorException(f"The mode of an input is one of {', '.join(_MODES)}, not {mode!r}.")
        if self.mode != "direct" and getattr(dataset, "_definition", {}).get("kind") == "tabular":
            raise UserErrorException(
                "A TabularDataset cannot be mounted or downloaded: its rows are read with to_pandas_dataframe(). "
                "For files, convert it with to_csv_files() or to_parquet_files()."
            )
        self.dataset = dataset
        self.path_on_compute = path_on_compute
        self.name = name

    @property
    def name(self) -> str:
        """The name, by which the run finds it: `run.input_datasets[name]`."""
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = _checked_name(value)
        self.arg_val = f"DatasetConsumptionConfig:{value}"

    def as_mount(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return it with its files as a folder of links; an only file is the file itself."""
        return DatasetConsumptionConfig(self.name, self.dataset, "mount", path_on_compute)

    def as_download(self, path_on_compute: str | None = None) -> DatasetConsumptionConfig:
        """Return it with its files as a folder of copies."""
        return DatasetConsumptionConfig(self.name, self.dataset, "download", path_on_compute)

    def as_hdfs(self) -> DatasetConsumptionConfig:
        """Return it as a path of a cluster of Azure's; submitting it is refused."""
        return DatasetConsumptionConfig(self.name, self.dataset, "hdfs")


def _checked_name(name: Any) -> str:
    """Return the name of an input or output.

    Raises:
        UserErrorException: it is none.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UserErrorException(
            f"{name!r} cannot be the name of an input or output: letters, digits and underscores, no digit first."
        )
    if name.lower() in _names.SHELLS_OWN:
        _reporting.logger.warning("%s is a variable of the shell's as well: choose another name for the input.", name)
    return name


__getattr__, __dir__ = module_attributes(__name__)
