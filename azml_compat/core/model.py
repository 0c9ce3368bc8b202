"""`azureml.core.model`: versions of models in the MLflow registry.

What plain MLflow registered is a Model as well, and what is registered here is a version of MLflow's.
"""

from __future__ import annotations

import builtins
import os
import tempfile
from collections.abc import Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from azml_compat import _reporting, _runtime
from azml_compat._refused import module_attributes, refusal
from azml_compat.exceptions import AzureMLException, ModelNotFoundException, UserErrorException, WebserviceException

if TYPE_CHECKING:
    from azml_compat._models import Description
    from azml_compat._tracking import ModelRecord, Store
    from azml_compat.core.resource_configuration import ResourceConfiguration
    from azml_compat.core.run import Run
    from azml_compat.core.workspace import Workspace

_MODELS = "azureml-models"
_ROOT_VARIABLE = "AML_APP_ROOT"
_SERVED_VARIABLE = "AZUREML_MODEL_DIR"
_PAGE_COUNTS = range(20, 256)


class Model:
    """A version of a registered model.

    Args:
        workspace: The workspace; None makes an empty object.
        name: The newest version of that name.
        id: `<name>:<version>`; counts before all else.
        tags: Only a version with these tags: keys, or [key, value].
        properties: The same for properties.
        version: With `name`: that version.
        run_id: Only a version that was registered from that run.
        model_framework: Only a version of that framework.
        expand: Has no effect: runs and datasets are looked up when they are asked for.
        **kwargs: Accepted, and not used.

    Raises:
        WebserviceException: there is no such version (the message begins with `ModelNotFound`), or nothing to find
            it by.
    """

    class Framework:
        """Azure's names of frameworks."""

        CUSTOM = "Custom"
        TENSORFLOW = "TensorFlow"
        SCIKITLEARN = "ScikitLearn"
        ONNX = "Onnx"
        TFKERAS = "TfKeras"
        PYTORCH = "PyTorch"
        MULTI = "Multi"

    _record: ModelRecord

    def __init__(
        self,
        workspace: Workspace | None,
        name: str | None = None,
        id: str | None = None,
        tags: Any = None,
        properties: Any = None,
        version: int | str | None = None,
        run_id: str | None = None,
        model_framework: str | None = None,
        expand: bool = True,
        **kwargs: Any,
    ) -> None:
        self.workspace = workspace
        self.name: str | None = None
        self.id: str | None = None
        self.version: int | None = None
        self.created_time: datetime | None = None
        self.created_by: dict[str, Any] | None = None
        self.description: str | None = None
        self.tags: Any = None
        self.properties: Any = None
        self.url: str | None = None
        self.mime_type: str | None = None
        self.unpack: bool | None = None
        self.model_framework: str | None = None
        self.model_framework_version: str | None = None
        self.run_id: str | None = None
        self.parent_id: str | None = None
        self.derived_model_ids: builtins.list[str] | None = None
        self._experiment_name: str | None = None
        self._description: Description | None = None
        if workspace is not None:
            wanted = _Wanted(tags, properties, run_id, model_framework)
            self._fill(_find(workspace, name, id, version, wanted))

    @classmethod
    def _of(cls, workspace: Workspace, record: ModelRecord) -> Model:
        model = cls(None)
        model.workspace = workspace
        model._fill(record)
        return model

    def _fill(self, record: ModelRecord) -> None:
        from azml_compat._models import described

        self._record = record
        self._description = found = described(record)
        self.name = record.name
        self.version = record.version
        self.id = f"{record.name}:{record.version}"
        self.created_time = datetime.fromtimestamp(record.created_time / 1000, timezone.utc)
        self.created_by = {}
        self.description = record.description
        self.tags = dict(found.tags or {})
        self.properties = dict(found.properties or {})
        self.url = f"models:/{record.name}/{record.version}"
        self.mime_type = "application/json"
        self.unpack = False
        self.model_framework = found.framework
        self.model_framework_version = found.framework_version
        self.run_id = None if found.is_local else record.run_id
        self.derived_model_ids = []
        self._experiment_name = found.experiment

    def __repr__(self) -> str:
        return (
            f"Model(workspace={self.workspace!r}, name={self.name}, id={self.id}, version={self.version}, "
            f"tags={self.tags}, properties={self.properties})"
        )

    # -- what belongs to it ---------------------------------------------------------------------------------------

    @property
    def run(self) -> Run | None:
        """The run that it was registered from; None where there is none, or it cannot be read."""
        if self.run_id is None or self.workspace is None:
            return None
        try:
            return self.workspace.get_run(self.run_id)
        except AzureMLException:
            return None

    @property
    def experiment_name(self) -> str | None:
        """The experiment of the run that it was registered from."""
        if self._experiment_name is None and self.run is not None:
            self._experiment_name = self.run.experiment.name
        return self._experiment_name

    @property
    def datasets(self) -> dict[str, builtins.list[Any]]:
        """{scenario: datasets} of what it was registered with; those that are gone are missing."""
        found: dict[str, builtins.list[Any]] = {}
        for scenario, dataset_id, _ in self._known.datasets:
            dataset = self._dataset(dataset_id)
            if dataset is not None:
                found.setdefault(scenario, []).append(dataset)
        return found

    @property
    def sample_input_dataset(self) -> Any:
        """The dataset of sample inputs, or None."""
        return self._dataset(self._known.sample_input)

    @property
    def sample_output_dataset(self) -> Any:
        """The dataset of sample outputs, or None."""
        return self._dataset(self._known.sample_output)

    @property
    def resource_configuration(self) -> ResourceConfiguration | None:
        """The resources that it was registered with, or None."""
        if not self._known.resources:
            return None
        from azml_compat.core.resource_configuration import ResourceConfiguration

        return ResourceConfiguration(**self._known.resources)

    @property
    def _known(self) -> Description:
        from azml_compat._models import Description

        return self._description or Description()

    def _dataset(self, dataset_id: str | None) -> Any:
        if dataset_id is None or self.workspace is None:
            return None
        from azml_compat.core.dataset import Dataset

        try:
            return Dataset.get_by_id(self.workspace, dataset_id)
        except AzureMLException:
            return None

    # -- registering and listing ----------------------------------------------------------------------------------

    @staticmethod
    def register(
        workspace: Workspace,
        model_path: str | os.PathLike[str],
        model_name: str,
        tags: dict[str, Any] | None = None,
        properties: dict[str, Any] | None = None,
        description: str | None = None,
        datasets: Any = None,
        model_framework: str | None = None,
        model_framework_version: str | None = None,
        child_paths: builtins.list[str] | None = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: ResourceConfiguration | None = None,
    ) -> Model:
        """Register a local file or folder as the next version of a model.

        The files are copied into the store. Differs from Azure: the path may be outside the current directory.

        Args:
            workspace: The workspace.
            model_path: A local file or folder.
            model_name: Letters, digits, `-`, `.` and `_`, at most 255.
            tags: Shown in the registry; values become texts.
            properties: Kept with the version, and never changed.
            description: Shown in the registry.
            datasets: Pairs of a scenario and a dataset.
            model_framework: A name of `Model.Framework`, or any other.
            model_framework_version: Only together with `model_framework`.
            child_paths: Of a folder, only these files and folders.
            sample_input_dataset: A dataset.
            sample_output_dataset: A dataset.
            resource_configuration: Kept with the version.

        Raises:
            WebserviceException: an argument is refused.
            TypeError: the name is no text, or a tag has no form in JSON.
            FileNotFoundError: there is nothing at `model_path`.
        """
        from azml_compat import _models

        _models.check_name(model_name)
        _models.check_framework(model_framework, model_framework_version)
        path = Path(model_path)
        if not path.exists():
            raise FileNotFoundError(f"There is no file or folder {path} to register as a model.")
        children = _children(path, child_paths)
        made = _description(
            workspace.service_context.store,
            tags,
            properties,
            description,
            model_framework,
            model_framework_version,
            datasets,
            sample_input_dataset,
            sample_output_dataset,
            resource_configuration,
        )
        print(f"Registering model {model_name}")
        _models.check_description(made)
        store = workspace.service_context.store
        return Model._of(workspace, _models.register_local(store, path, children, model_name, made))

    @staticmethod
    def list(
        workspace: Workspace,
        name: str | None = None,
        tags: Any = None,
        properties: Any = None,
        run_id: str | None = None,
        latest: bool = False,
        dataset_id: str | None = None,
        expand: bool = True,
        page_count: int = 255,
        model_framework: str | None = None,
    ) -> builtins.list[Model]:
        """Return the versions of models that fit, the newest first.

        Args:
            workspace: The workspace.
            name: Only of that model.
            tags: Only with these tags: keys, or lists [key, value].
            properties: The same for properties.
            run_id: Only what was registered from that run.
            latest: Only the newest version of each name.
            dataset_id: Only what was registered with that dataset.
            expand: Has no effect.
            page_count: Has no effect, from 20 to 255.
            model_framework: Only of that framework.

        Raises:
            UserErrorException: `tags` is no list, or `page_count` out of its range.
            TypeError: a filter is neither a key nor a list.
        """
        if page_count not in _PAGE_COUNTS:
            raise UserErrorException(f"page_count goes from 20 to 255, and is not {page_count!r}.")
        wanted = _Wanted(tags, properties, run_id, model_framework, dataset_id)
        found = wanted.among(workspace, name)
        if latest:
            # The newest of each name is the one that comes first.
            found = builtins.list({record.name: record for record in reversed(found)}.values())[::-1]
        return [Model._of(workspace, record) for record in found]

    # -- files ----------------------------------------------------------------------------------------------------

    def download(self, target_dir: str = ".", exist_ok: bool = False, exists_ok: bool | None = None) -> str:
        """Copy its files into a folder.

        Args:
            target_dir: The folder; it is made when it is missing.
            exist_ok: Whether what is there is replaced.
            exists_ok: Refused, as in the original.

        Returns:
            The path of the file, or of the folder.

        Raises:
            WebserviceException: something of that name is there already, or its files are gone.
        """
        from azml_compat._models import files_of

        if exists_ok is not None:
            raise WebserviceException("exists_ok is deprecated, and cannot be given. Use exist_ok.")
        files, base, found = files_of(self._store, self._record)
        result = os.path.join(target_dir, base)  # noqa: PTH118 - a text, as the caller wrote it
        if os.path.lexists(result) and not exist_ok:
            raise WebserviceException(f"{result} is there already. Set exist_ok to True to replace it.")
        for path, stored in found.items():
            files.fetch(stored, Path(target_dir, path))
        return result

    @staticmethod
    def get_model_path(model_name: str, version: int | None = None, _workspace: Workspace | None = None) -> str:
        """Return a local path of a model's file or folder.

        With a workspace - that of the run of this process, else `_workspace` - the model is downloaded to
        `azureml-models/<name>/<version>`, unless a version is asked for that is there. Without one it is what is there,
        then what a server was given in AZUREML_MODEL_DIR, then `./<name>`. The folder is below AML_APP_ROOT where that
        is set.

        Raises:
            ModelNotFoundException: there is no such model.
            WebserviceException: the version is no number, or is not there and there is no workspace, or the folder of a
                version has several entries.
        """
        number = _version_number(version)
        _check_folder_name(model_name)
        workspace = _workspace_of_process() or _workspace
        if number is not None or workspace is None:
            found = _local_path(model_name, number)
            if found is not None:
                return found
        if workspace is None:
            if number is not None:
                raise WebserviceException(
                    f"Version {number} of model {model_name} is not in {_models_folder()}, and without a workspace it "
                    "cannot be downloaded.",
                    logger=_logger(),
                )
            if Path(model_name).exists():
                return model_name
            raise ModelNotFoundException(
                f"Model {model_name} was found neither in {_models_folder()} nor in the current directory.",
                logger=_logger(),
            )
        return _downloaded_path(workspace, model_name, number)

    # -- changing -------------------------------------------------------------------------------------------------

    def add_tags(self, tags: dict[str, Any]) -> None:
        """Set tags.

        Raises:
            WebserviceException: `tags` is no dict.
        """
        from azml_compat._models import set_tags

        _check_dict("tags", tags)
        self._refresh()
        for key, value in tags.items():
            if key in self.tags:
                print(f"Replacing tag {key} -> {self.tags[key]} with {key} -> {value}")
        set_tags(self._store, self._record, tags)
        self._refresh()
        print("Model tag add operation complete.")

    def remove_tags(self, tags: str | builtins.list[str]) -> None:
        """Remove tags by their keys."""
        from azml_compat._models import remove_tags

        keys = [tags] if isinstance(tags, str) else builtins.list(tags)
        self._refresh()
        for key in keys:
            if key not in self.tags:
                print(f"Tag with key {key} not found.")
        remove_tags(self._store, self._record, keys)
        self._refresh()
        print("Model tag remove operation complete.")

    def add_properties(self, properties: dict[str, Any]) -> None:
        """Set properties, which cannot be changed afterwards.

        Raises:
            WebserviceException: there is one of these already, or `properties` is no dict.
        """
        from azml_compat._models import set_properties

        _check_dict("properties", properties)
        self._refresh()
        taken = [key for key in properties if key in self.properties]
        if taken:
            raise WebserviceException(f"Properties cannot be changed, and these are there: {', '.join(taken)}.")
        set_properties(self._store, self._record, properties)
        self._refresh()
        print("Model properties add operation complete.")

    def update_tags_properties(
        self, add_tags: dict[str, Any] | None = None, remove_tags: Any = None, add_properties: Any = None
    ) -> None:
        """Set and remove tags, and set properties."""
        if add_tags:
            self.add_tags(add_tags)
        if remove_tags:
            self.remove_tags(remove_tags)
        if add_properties:
            self.add_properties(add_properties)

    def update(
        self,
        tags: dict[str, Any] | None = None,
        description: str | None = None,
        sample_input_dataset: Any = None,
        sample_output_dataset: Any = None,
        resource_configuration: ResourceConfiguration | None = None,
    ) -> None:
        """Replace the tags, the description and so on; what is empty leaves what is there.

        Raises:
            WebserviceException: `tags` is no dict, or a resource is not positive.
        """
        from azml_compat import _models

        made = self._known
        if sample_input_dataset:
            made = made.changed(sample_input=_dataset_id(self._store, sample_input_dataset))
        if sample_output_dataset:
            made = made.changed(sample_output=_dataset_id(self._store, sample_output_dataset))
        if resource_configuration:
            made = made.changed(resources=_resources(resource_configuration))
        if tags:
            _check_dict("tags", tags)
            self._refresh()
            _models.remove_tags(self._store, self._record, [key for key in self.tags if key not in tags])
            _models.set_tags(self._store, self._record, tags)
        if description:
            self._store.describe_version(self._record.name, self._record.version, description)
        if made is not self._known:
            _models.set_extras(self._store, self._record, made)
        self._refresh()

    def add_dataset_references(self, datasets: Iterable[tuple[str, Any]]) -> None:
        """Note datasets that belong to it: pairs of a scenario and a dataset.

        Raises:
            WebserviceException: something is no dataset.
        """
        from azml_compat._models import set_extras

        self._refresh()
        set_extras(
            self._store,
            self._record,
            self._known.changed(datasets=[*self._known.datasets, *_dataset_references(self._store, datasets)]),
        )
        self._refresh()

    def delete(self) -> None:
        """Delete the version; its number is not given out again.

        Raises:
            WebserviceException: it is not there any more.
        """
        if self._store.find_model_version(self._record.name, self._record.version) is None:
            raise _not_found(f"id {self.id}")
        self._store.delete_version(self._record.name, self._record.version)

    @property
    def _store(self) -> Any:
        if self.workspace is None:
            raise WebserviceException("This Model was made without a workspace, and is of no version.")
        return self.workspace.service_context.store

    def _refresh(self) -> None:
        found = self._store.find_model_version(self._record.name, self._record.version)
        if found is None:
            raise _not_found(f"id {self.id}")
        self._fill(found)

    # -- as JSON --------------------------------------------------------------------------------------------------

    def serialize(self) -> dict[str, Any]:
        """Return the version as JSON values, with Azure's keys."""
        resources = self._known.resources
        return {
            "createdTime": None if self.created_time is None else self.created_time.isoformat(),
            "createdBy": self.created_by,
            "description": self.description,
            "id": self.id,
            "mimeType": self.mime_type,
            "name": self.name,
            "framework": self.model_framework,
            "frameworkVersion": self.model_framework_version,
            "tags": self.tags,
            "properties": self.properties,
            "unpack": self.unpack,
            "url": self.url,
            "version": self.version,
            "experimentName": self.experiment_name,
            "runId": self.run_id,
            "runDetails": str(self.run),
            "datasets": [{"name": name, "id": dataset_id} for _, dataset_id, name in self._known.datasets],
            "resourceConfiguration": None
            if not resources
            else {
                "cpu": resources["cpu"],
                "memoryInGB": resources["memory_in_gb"],
                "gpu": resources["gpu"],
            },
            "sampleInputDatasetId": self._known.sample_input,
            "sampleOutputDatasetId": self._known.sample_output,
        }

    @staticmethod
    def deserialize(workspace: Workspace, model_payload: dict[str, Any]) -> Model:
        """Return the version that `serialize` was called of, as it is now.

        Raises:
            WebserviceException: the payload is of no version, or it is not there any more.
        """
        if not isinstance(model_payload, dict) or "id" not in model_payload:
            raise WebserviceException("The payload of a model needs its id.")
        return Model(workspace, id=model_payload["id"])

    # -- deploying ------------------------------------------------------------------------------------------------

    def get_sas_urls(self) -> NoReturn:
        """Refuse: the files are not in Azure's storage."""
        raise refusal("azureml.core.model.Model.get_sas_urls")

    @staticmethod
    def deploy(
        workspace: Workspace,
        name: str,
        models: Any,
        inference_config: Any = None,
        deployment_config: Any = None,
        deployment_target: Any = None,
        overwrite: bool = False,
        show_output: bool = False,
    ) -> NoReturn:
        """Refuse: there is no service to deploy to."""
        raise refusal("azureml.core.model.Model.deploy")

    @staticmethod
    def package(
        workspace: Workspace,
        models: Any,
        inference_config: Any = None,
        generate_dockerfile: bool = False,
        image_name: str | None = None,
        image_label: str | None = None,
    ) -> NoReturn:
        """Refuse: there is no service to deploy to."""
        raise refusal("azureml.core.model.Model.package")

    @staticmethod
    def profile(
        workspace: Workspace,
        profile_name: str,
        models: Any,
        inference_config: Any,
        input_dataset: Any,
        cpu: float | None = None,
        memory_in_gb: float | None = None,
        description: str | None = None,
    ) -> NoReturn:
        """Refuse: there is no service to deploy to."""
        raise refusal("azureml.core.model.Model.profile")

    @staticmethod
    def print_configuration(
        models: Any, inference_config: Any, deployment_config: Any, deployment_target: Any
    ) -> NoReturn:
        """Refuse: there is no service to deploy to."""
        raise refusal("azureml.core.model.Model.print_configuration")


class _Wanted:
    """The filters of `Model(...)` and `Model.list`; all given ones must hold."""

    def __init__(self, tags: Any, properties: Any, run_id: Any, framework: Any, dataset_id: Any = None) -> None:
        self._tags = _pairs("tags", tags)
        self._properties = _pairs("properties", properties)
        self._run_id = run_id
        self._framework = framework
        self._dataset_id = dataset_id

    def among(self, workspace: Workspace, name: str | None) -> list[ModelRecord]:
        """Return the versions that fit, the newest first."""
        from azml_compat._models import described

        store = workspace.service_context.store
        run_id = None if self._run_id is None else _mlflow_id(workspace, self._run_id)
        return [
            record
            for record in store.model_versions(name)
            if run_id in (None, record.run_id) and self._accepts(described(record), is_of_run=run_id is not None)
        ]

    def _accepts(self, found: Description, *, is_of_run: bool) -> bool:
        return (
            not (is_of_run and found.is_local)
            and _has(found.tags or {}, self._tags)
            and _has(found.properties or {}, self._properties)
            and self._framework in (None, found.framework)
            and (self._dataset_id is None or self._dataset_id in [one[1] for one in found.datasets])
        )


def _pairs(what: str, wanted: Any) -> list[tuple[str, str | None]]:
    """Read a filter: [(key, value)]; a value of None takes any."""
    if wanted is None:
        return []
    if not isinstance(wanted, list):
        raise UserErrorException(f"The filter {what} takes a list of keys and of lists [key, value], not {wanted!r}.")
    pairs: list[tuple[str, str | None]] = []
    for one in wanted:
        if isinstance(one, str):
            pairs.append((one, None))
        elif isinstance(one, list) and len(one) == 2:
            pairs.append((one[0], str(one[1])))
        else:
            raise TypeError(f"The filter {what} takes keys and lists [key, value], not {one!r}.")
    return pairs


def _has(found: Any, wanted: list[tuple[str, str | None]]) -> bool:
    return all(key in found and value in (None, found[key]) for key, value in wanted)


def _mlflow_id(workspace: Workspace, run_id: str) -> str:
    """Return MLflow's id of a run; the id itself where there is no such run."""
    from azml_compat import _creation

    found = _creation.resolve(workspace.service_context.store, run_id)
    return run_id if found is None else found.id


def _find(
    workspace: Workspace, name: str | None, model_id: str | None, version: int | str | None, wanted: _Wanted
) -> ModelRecord:
    store = workspace.service_context.store
    found: ModelRecord | None
    if model_id is not None or (name is not None and version is not None):
        name, _, number = (model_id or f"{name}:{version}").rpartition(":")
        found = store.find_model_version(name, int(number)) if number.isdecimal() else None
        searched = f"id {model_id or f'{name}:{version}'}"
    elif name is not None:
        found = next(iter(wanted.among(workspace, name)), None)
        searched = f"name {name}"
    else:
        raise WebserviceException("Give the name or the id of a model.", logger=_logger())
    if found is None:
        raise _not_found(searched)
    return found


def _logger() -> Any:
    import logging  # an import of this module can do without

    return logging.getLogger("azml_compat")


def _not_found(searched: str) -> WebserviceException:
    return WebserviceException(
        f"ModelNotFound: Model with {searched} not found in provided workspace", logger=_logger()
    )


def _children(path: Path, child_paths: list[str] | None) -> list[Path]:
    """Return what of a folder is to be registered."""
    if not child_paths:
        return [path]
    folder = path.resolve()
    children = []
    for child in child_paths:
        found = path / child
        if not found.exists():
            raise WebserviceException(f"There is no {child} in {path} to register.")
        if not found.resolve().is_relative_to(folder):
            raise WebserviceException(f"{child} is not in {path}.")
        children.append(Path(os.path.normpath(found)))
    return children


def _description(
    store: Store,
    tags: Any,
    properties: Any,
    description: Any,
    framework: Any,
    framework_version: Any,
    datasets: Any,
    sample_input: Any,
    sample_output: Any,
    resources: Any,
    experiment: str | None = None,
) -> Description:
    from azml_compat._models import Description

    if framework == Model.Framework.TFKERAS:
        _reporting.logger.warning("The framework TfKeras is deprecated. Use TensorFlow.")
    return Description(
        tags=tags,
        properties=properties,
        description=description,
        framework=None if framework is None else str(framework),
        framework_version=None if framework_version is None else str(framework_version),
        datasets=_dataset_references(store, datasets or []),
        sample_input=_dataset_id(store, sample_input),
        sample_output=_dataset_id(store, sample_output),
        resources=_resources(resources),
        experiment=experiment,
    )


def _dataset_references(store: Store, datasets: Iterable[tuple[str, Any]]) -> list[list[Any]]:
    return [[scenario, _dataset_id(store, dataset), getattr(dataset, "name", None)] for scenario, dataset in datasets]


def _dataset_id(store: Store, dataset: Any) -> str | None:
    """Return the id of a dataset; one that is not registered is saved without a name.

    Raises:
        WebserviceException: it is none.
    """
    if dataset is None:
        return None
    from azml_compat._data import registry
    from azml_compat.data.abstract_dataset import AbstractDataset

    if not isinstance(dataset, AbstractDataset):
        raise WebserviceException(f"A model is registered with datasets, not {type(dataset)}.")
    return dataset.id or registry.save(store, dataset._definition).id


def _resources(configuration: Any) -> dict[str, Any] | None:
    """Return the resources of a configuration.

    Raises:
        WebserviceException: one of them is not positive.
    """
    if configuration is None:
        return None
    found = {name: getattr(configuration, name) for name in ("cpu", "memory_in_gb", "gpu")}
    for name, value in found.items():
        if value is not None and value <= 0:
            raise WebserviceException(f"{name} of a resource configuration must be positive, not {value!r}.")
    return found


def _check_dict(what: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise WebserviceException(f"The {what} of a model must be a dict, not {type(value)}.")


def _version_number(version: Any) -> int | None:
    try:
        return None if version is None else int(version)
    except (TypeError, ValueError):
        raise WebserviceException(f"The version of a model is a number, not {version!r}.") from None


def _check_folder_name(name: Any) -> None:
    """Refuse a model name that would lead out of the folder of models."""
    if not isinstance(name, str) or not name or name in (".", "..") or {"/", "\\", "\0"} & set(name):
        raise ModelNotFoundException(f"{name!r} is no name of a model.", logger=_logger())


def _models_folder() -> str:
    return os.path.join(os.environ.get(_ROOT_VARIABLE, ""), _MODELS)  # noqa: PTH118 - relative texts stay relative


def _workspace_of_process() -> Workspace | None:
    """Return the workspace of the run that this process is, or None."""
    from azml_compat import _names
    from azml_compat.core.workspace import Workspace

    submitted = os.environ.get(_names.ENV_AZURE_RUN_ID) or os.environ.get(_names.ENV_MLFLOW_RUN_ID)
    return Workspace._of_process() if submitted or _runtime.has_context_run() else None


def _local_path(name: str, version: int | None) -> str | None:
    """Return a model that is on this machine: one that was downloaded, or that a server was given."""
    for root in filter(None, (_models_folder(), os.environ.get(_SERVED_VARIABLE))):
        found = _path_of_version(root, name, version)
        if found is not None:
            return found
    served = os.environ.get(_SERVED_VARIABLE)
    # A server with one model is given its own folder.
    return _single_entry(Path(served)) if served and version is None and Path(served).is_dir() else None


def _path_of_version(root: str, name: str, version: int | None) -> str | None:
    folder = Path(root, name)
    numbers = [int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal()] if folder.is_dir() else []
    number = max(numbers, default=None) if version is None else version
    return _single_entry(folder / str(number)) if number in numbers else None


def _single_entry(folder: Path) -> str | None:
    """Return the path of the only entry of a folder.

    Raises:
        WebserviceException: there are several.
    """
    entries = sorted(folder.iterdir())
    if len(entries) > 1:
        raise WebserviceException(f"There is more than one entry in {folder}, and one of them is the model.")
    return str(entries[0]) if entries else None


def _downloaded_path(workspace: Workspace, name: str, version: int | None) -> str:
    store = workspace.service_context.store
    versions = store.model_versions(name) if version is None else [store.find_model_version(name, version)]
    found = next(iter(versions), None)
    if found is None:
        known = ", ".join(f"{record.name}/{record.version}" for record in store.model_versions())
        wanted = name if version is None else f"{name}/{version}"
        raise ModelNotFoundException(
            f"Model {wanted} was not found in the workspace. There are: {known or 'none'}.", logger=_logger()
        )
    return _path_of_version(_models_folder(), name, found.version) or _downloaded(Model._of(workspace, found))


def _downloaded(model: Model) -> str:
    """Download a model to its place, which others may look at, or be about to fill: it is there when it is whole."""
    folder = os.path.join(_models_folder(), str(model.name))  # noqa: PTH118 - relative texts stay relative
    place = os.path.join(folder, str(model.version))  # noqa: PTH118 - as above
    Path(folder).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{model.version}-", dir=folder) as unborn:
        whole = os.path.join(unborn, "whole")  # noqa: PTH118 - as above
        path = os.path.join(place, os.path.relpath(model.download(whole), whole))  # noqa: PTH118 - as above
        try:
            Path(whole).rename(place)
        except OSError:
            if not Path(place).is_dir():  # else another one was faster
                raise
    return path


__getattr__, __dir__ = module_attributes(__name__)
