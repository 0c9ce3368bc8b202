"""Inputs and outputs that stand in a run configuration: `run_config.data` and `run_config.output_data`.

Beside the objects that arguments hold too, these take the plain records of `azureml.core.runconfig`, which is also what
a run configuration that was loaded from a file has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azml_compat.core.runconfig import Data, DataPath, OutputData
from azml_compat.data.dataset_consumption_config import DatasetConsumptionConfig
from azml_compat.data.output_dataset_config import OutputDatasetConfig, OutputFileDatasetConfig
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from azml_compat.core.workspace import Workspace


def input_of(key: str, value: Any, workspace: Workspace) -> DatasetConsumptionConfig:
    """Return the input that stands in a run configuration under `key`.

    Args:
        key: Its id, and the name of a record that gives no name of a variable.
        value: A DatasetConsumptionConfig, or a `runconfig.Data` of a dataset or of a path of a datastore.
        workspace: Where they are looked for.

    Raises:
        UserErrorException: it is something else, or there is no such dataset.
    """
    if isinstance(value, DatasetConsumptionConfig):
        return value
    if not isinstance(value, Data):
        raise UserErrorException(
            f"The input {key!r} of the run configuration is a {type(value).__name__}: use "
            "dataset.as_named_input(name), with .as_mount() or .as_download() where the script wants files."
        )
    name = value.environment_variable_name or key
    return DatasetConsumptionConfig(name, _dataset(key, value, workspace), value.mechanism, value.path_on_compute)


def _dataset(key: str, data: Data, workspace: Workspace) -> Any:
    from azml_compat.core.dataset import Dataset

    dataset = getattr(data.data_location, "dataset", None)
    path = getattr(data.data_location, "data_path", None)
    if dataset is not None and dataset.id:
        return Dataset.get_by_id(workspace, dataset.id)
    if dataset is not None and dataset.name:
        return Dataset.get_by_name(workspace, dataset.name, dataset.version or "latest")
    if path is not None:
        return Dataset.File.from_files((_datastore(path, workspace), path.relative_path or ""))
    raise UserErrorException(
        f"The input {key!r} of the run configuration names neither a dataset nor a path of a datastore."
    )


def _datastore(path: DataPath, workspace: Workspace) -> Any:
    from azml_compat.core.datastore import Datastore

    return Datastore.get(workspace, path.datastore_name) if path.datastore_name else workspace.get_default_datastore()


def output_of(key: str, value: Any, workspace: Workspace) -> OutputDatasetConfig:
    """Return the output that stands in a run configuration under `key`.

    Args:
        key: Its name, where it has none itself.
        value: An OutputFileDatasetConfig or what reads one as a table, or a `runconfig.OutputData`.
        workspace: Where its datastore is looked for.

    Raises:
        UserErrorException: it is something else.
    """
    if isinstance(value, OutputDatasetConfig):
        return value
    if not isinstance(value, OutputData):
        raise UserErrorException(
            f"The output {key!r} of the run configuration is a {type(value).__name__}: use an OutputFileDatasetConfig."
        )
    path = getattr(value.output_location, "data_path", None)
    made = OutputFileDatasetConfig(
        name=key,
        source=getattr(value.additional_options, "path_on_compute", None),
        destination=None if path is None else (_datastore(path, workspace), path.relative_path),
    )
    upload = getattr(value.additional_options, "upload_options", None)
    if value.mechanism.lower() == "upload":
        globs = getattr(getattr(upload, "source_globs", None), "patterns", None)
        made = made.as_upload(bool(upload and upload.overwrite), globs)
    registration = getattr(value.additional_options, "registration_options", None)
    if registration is not None and registration.name:
        made = made.register_on_complete(registration.name, registration.description, registration.tags)
    return made
