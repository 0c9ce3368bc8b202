"""`azureml.data.data_reference`: a path in a datastore, and how a run gets at it."""

from __future__ import annotations

import re
import uuid
from typing import Any

from azml_compat._refused import module_attributes
from azml_compat.exceptions import UserErrorException

_MODES = ("mount", "download", "upload")
_HERE = (None, "", ".", "/", "./")
_VARIABLE = "$AZUREML_DATAREFERENCE_{}"
_NAME = re.compile(r"[a-zA-Z0-9_]+")


class DataReference:
    """A path in a datastore for a run, under a name; as an argument of the script it is its local path.

    Args:
        datastore: The datastore.
        data_reference_name: Its name; by default that of the datastore for all of it, else one that is made up.
        path_on_datastore: The path; None is all of it.
        mode: `mount`, `download` or `upload`.
        path_on_compute: Where the run finds it.
        overwrite: Whether what is there is replaced.

    Raises:
        UserErrorException: the mode or the name is refused.
    """

    def __init__(
        self,
        datastore: Any,
        data_reference_name: str | None = None,
        path_on_datastore: str | None = None,
        mode: str = "mount",
        path_on_compute: str | None = None,
        overwrite: bool = False,
    ) -> None:
        if mode not in _MODES:
            raise UserErrorException(f"The mode of a data reference is one of {', '.join(_MODES)}, not {mode!r}.")
        if data_reference_name and not _NAME.fullmatch(data_reference_name):
            raise UserErrorException(
                f"The name of a data reference has letters, digits and underscores, not {data_reference_name!r}: a "
                "variable of the environment is named after it."
            )
        self.datastore = datastore
        self.data_reference_name = data_reference_name or (uuid.uuid4().hex if path_on_datastore else datastore.name)
        self.path_on_datastore = path_on_datastore
        self.mode = mode
        self.path_on_compute = path_on_compute
        self.overwrite = overwrite

    @staticmethod
    def create(
        data_reference_name: str | None = None, datapath: Any = None, datapath_compute_binding: Any = None
    ) -> DataReference:
        """Return the reference to a DataPath, with the mode and path of a DataPathComputeBinding."""
        if datapath is None or datapath_compute_binding is None:
            raise ValueError("datapath and datapath_compute_binding are needed.")
        return DataReference(
            datastore=datapath._datastore,
            data_reference_name=data_reference_name,
            path_on_datastore=datapath.path_on_datastore,
            mode=datapath_compute_binding._mode,
            path_on_compute=datapath_compute_binding._path_on_compute,
            overwrite=datapath_compute_binding._overwrite,
        )

    def path(self, path: str | None = None, data_reference_name: str | None = None) -> DataReference:
        """Return a reference to a path below this one, under a new name unless one is given.

        `.`, `/` and None are this path itself: without a name, this very object.
        """
        is_here = path in _HERE
        if is_here and data_reference_name is None:
            return self
        base = (self.path_on_datastore or "").rstrip("/")
        below = self.path_on_datastore if is_here else "/".join(filter(None, (base, path)))
        return self._but(data_reference_name=data_reference_name, path_on_datastore=below)

    def as_download(self, path_on_compute: str | None = None, overwrite: bool = False) -> DataReference:
        """Return it with mode download; as in the original, `overwrite` has no effect."""
        return self._but(mode="download", path_on_compute=path_on_compute)

    def as_upload(self, path_on_compute: str | None = None, overwrite: bool = False) -> DataReference:
        """Return it with mode upload: what the run writes there goes to the datastore at its end.

        As in the original, `overwrite` has no effect.
        """
        return self._but(mode="upload", path_on_compute=path_on_compute)

    def as_mount(self) -> DataReference:
        """Return it with mode mount."""
        return self._but(mode="mount")

    def _but(self, **changes: Any) -> DataReference:
        facts = {
            "datastore": self.datastore,
            "data_reference_name": self.data_reference_name,
            "path_on_datastore": self.path_on_datastore,
            "mode": self.mode,
            "path_on_compute": self.path_on_compute,
            "overwrite": self.overwrite,
        }
        return DataReference(**{**facts, **changes})

    def to_config(self) -> Any:
        """Return the DataReferenceConfiguration for a run configuration."""
        from azml_compat.core.runconfig import DataReferenceConfiguration  # here: it needs half of azureml.core

        return DataReferenceConfiguration(
            datastore_name=self.datastore.name,
            mode=self.mode,
            path_on_datastore=self.path_on_datastore,
            path_on_compute=self.path_on_compute,
            overwrite=self.overwrite,
        )

    def __str__(self) -> str:
        return _VARIABLE.format(self.data_reference_name)

    def __repr__(self) -> str:
        return str(self)


__getattr__, __dir__ = module_attributes(__name__)
