"""`azureml.core.workspace`: a workspace is the MLflow tracking store of this process, under Azure's names.

Nothing here talks to Azure. Subscription, resource group and location are kept as given; what `create` and `update`
were told about a workspace is kept in the store, as a hidden tag of MLflow's Default experiment.
"""

from __future__ import annotations

import builtins
import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from azml_compat import _config, _names, _reporting, _runtime, _tags
from azml_compat._refused import module_attributes, refusal
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking.addresses import without_credentials
from azml_compat.core.experiment import Experiment
from azml_compat.core.run import Run
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from azml_compat._tracking import Store
    from azml_compat.core.authentication import AbstractAuthentication
    from azml_compat.core.environment import Environment
    from azml_compat.core.keyvault import Keyvault
    from azml_compat.core.model import Model

_NAME = re.compile(r"^[a-zA-Z0-9][\w\-]{2,32}$")
_LOCAL = "local"
_NO_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
_DEFAULT_EXPERIMENT = "0"
_DEFAULT_SKU = "basic"
_SCOPE = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.MachineLearningServices/workspaces/{}"


class _ServiceContext:
    """What is behind a workspace: its tracking store."""

    def __init__(self, store: Store) -> None:
        self.store = store


class Workspace:
    """The tracking store of this process, under the names that Azure knew it by.

    Args:
        subscription_id: Kept as given.
        resource_group: Kept as given.
        workspace_name: Kept as given.
        auth: Accepted, and not used.
        tags: Tags of the workspace.
    """

    DEFAULT_CPU_CLUSTER_NAME = "cpu-cluster"
    DEFAULT_GPU_CLUSTER_NAME = "gpu-cluster"
    DEFAULT_CPU_CLUSTER_CONFIGURATION: Any = None
    DEFAULT_GPU_CLUSTER_CONFIGURATION: Any = None

    def __init__(
        self,
        subscription_id: str,
        resource_group: str,
        workspace_name: str,
        auth: AbstractAuthentication | None = None,
        _location: str | None = None,
        _disable_service_check: bool = False,
        _workspace_id: str | None = None,
        sku: str = "basic",
        tags: dict[str, Any] | None = None,
        _cloud: str = "AzureCloud",
    ) -> None:
        self._subscription_id = _text(subscription_id, _NO_SUBSCRIPTION)
        self._resource_group = _text(resource_group, _LOCAL)
        self._workspace_name = _text(workspace_name, _LOCAL)
        self._auth_object = auth
        # The default of `sku` says nothing: what `create` was told is in the store.
        given = {"location": _location, "sku": None if sku == _DEFAULT_SKU else sku, "tags": tags}
        self._given = {key: value for key, value in given.items() if value}
        self._service_context = _ServiceContext(_runtime.store())

    @classmethod
    def _of_process(cls) -> Workspace:
        """Return the workspace of the nearest configuration file, else the local one."""
        config = _config.nearest()
        if config is None:
            return cls(_NO_SUBSCRIPTION, _LOCAL, _LOCAL)
        return cls(config.subscription_id, config.resource_group, config.workspace_name)

    # -- finding and making ---------------------------------------------------------------------------------------

    @staticmethod
    def from_config(
        path: Any = None, auth: Any = None, _logger: Any = None, _file_name: str | None = None
    ) -> Workspace:
        """Return the workspace that a configuration file names, searched for as Azure does.

        Differs from Azure: without a configuration file it is the default local workspace.

        Args:
            path: A file, or the folder where the search upwards begins; default the current one.
            auth: Accepted, and not used.
            _logger: Ignored.
            _file_name: The file to look for instead of config.json.

        Raises:
            UserErrorException: an explicit `path` leads to no configuration file, or keys are missing in it.
            json.JSONDecodeError: the file is not JSON.
        """
        file = _config.find(path, _file_name)
        if file is None:
            if path is not None or _file_name is not None:
                raise UserErrorException(
                    f"The workspace configuration file {_file_name or 'config.json'} was not found in {path or '.'} "
                    "or its parent directories. Write one with Workspace.write_config(), or leave out the path for "
                    "the default local workspace."
                )
            return Workspace._of_process()
        config = _config.load(file)
        _runtime.store(config)
        return Workspace(config.subscription_id, config.resource_group, config.workspace_name, auth=auth)

    @staticmethod
    def get(
        name: str,
        auth: Any = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        cloud: str = "AzureCloud",
        id: str | None = None,
    ) -> Workspace:
        """Return the workspace of that name; every name leads to the store of this process."""
        return Workspace(subscription_id or "", resource_group or "", name, auth=auth, _location=location)

    @staticmethod
    def create(
        name: str,
        auth: Any = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        create_resource_group: bool = True,
        sku: str = "basic",
        tags: dict[str, Any] | None = None,
        friendly_name: str | None = None,
        storage_account: Any = None,
        key_vault: Any = None,
        app_insights: Any = None,
        container_registry: Any = None,
        adb_workspace: Any = None,
        primary_user_assigned_identity: Any = None,
        cmk_keyvault: Any = None,
        resource_cmk_uri: Any = None,
        hbi_workspace: bool = False,
        default_cpu_compute_target: Any = None,
        default_gpu_compute_target: Any = None,
        private_endpoint_config: Any = None,
        private_endpoint_auto_approval: bool = True,
        exist_ok: bool = False,
        show_output: bool = True,
        user_assigned_identity_for_cmk_encryption: Any = None,
        system_datastores_auth_mode: str = "accessKey",
        v1_legacy_mode: Any = None,
    ) -> Workspace:
        """Return the workspace of that name, and keep in the store what it was created with.

        Arguments about Azure resources are accepted and have no effect.

        Differs from Azure: a workspace that exists is returned, with `exist_ok` or without.

        Raises:
            UserErrorException: the name is refused.
        """
        if not isinstance(name, str) or not _NAME.match(name):
            raise UserErrorException(
                f"The workspace name {name!r} is not valid: 3 to 33 letters, digits, `-` and `_`, the first a letter "
                "or digit."
            )
        workspace = Workspace(
            subscription_id or "", resource_group or "", name, auth=auth, _location=location, sku=sku, tags=tags
        )
        workspace._remember(**workspace._given, friendlyName=friendly_name)
        if show_output:
            print(f"Workspace {name}: MLflow tracking store {without_credentials(workspace.service_context.store.uri)}")
        return workspace

    @staticmethod
    def list(
        subscription_id: str, auth: Any = None, resource_group: str | None = None
    ) -> dict[str, builtins.list[Workspace]]:
        """Return {name: [workspace]} of the workspaces that were created in this store, and the current one."""
        current = Workspace._of_process()
        names = {current.name, *_remembered(current.service_context.store)}
        return {
            name: [Workspace(subscription_id, resource_group or current.resource_group, name, auth=auth)]
            for name in sorted(names)
        }

    @staticmethod
    def setup() -> Workspace:
        """Return the workspace of the configuration file, or write one for the local workspace.

        Differs from Azure: it asks nothing.
        """
        workspace = Workspace.from_config()
        if _config.nearest() is None:
            workspace.write_config()
        return workspace

    def write_config(self, path: Any = None, file_name: str | None = None) -> None:
        """Write the configuration file that `from_config` finds: `<path>/.azureml/config.json` by default.

        Raises:
            UserErrorException: the folder does not exist, or cannot be written.
        """
        store = self.service_context.store
        names = (self.subscription_id, self.resource_group, self.name)
        file = _config.write(path, file_name, names, None)
        has_secret = without_credentials(store.uri) != store.uri
        if store.uri != _runtime.default_uri(_config.load(file).project_folder) and not has_secret:
            # Otherwise the file would lead to another store than the one it was written from.
            _config.write(path, file_name, names, store.uri)

    # -- names ----------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name of the workspace."""
        return self._workspace_name

    @property
    def subscription_id(self) -> str:
        """The subscription, as given; a GUID of zeros when none was."""
        return self._subscription_id

    @property
    def resource_group(self) -> str:
        """The resource group, as given; `local` when none was."""
        return self._resource_group

    @property
    def location(self) -> str:
        """The location that `create` was told; `local` otherwise."""
        return str(self._detail("location", _LOCAL))

    @property
    def sku(self) -> str:
        """The SKU that `create` was told; `basic` otherwise."""
        return str(self._detail("sku", _DEFAULT_SKU))

    @property
    def tags(self) -> dict[str, str]:
        """The tags of the workspace."""
        return dict(self._detail("tags", {}))

    @property
    def discovery_url(self) -> str:
        """The tracking URI: there is no discovery service."""
        return without_credentials(self.get_mlflow_tracking_uri())

    @property
    def service_context(self) -> _ServiceContext:
        """What is behind the workspace."""
        return self._service_context

    def _detail(self, key: str, default: Any) -> Any:
        return self._given.get(key) or self._details().get(key) or default

    def _details(self) -> dict[str, Any]:
        return _remembered(self.service_context.store).get(self.name, {})

    def _remember(self, **details: Any) -> None:
        """Keep details in the store; None leaves what is there."""
        known = self._details()
        new = {**known, **{key: value for key, value in details.items() if value is not None}}
        if new != known:
            text = json.dumps(new, default=str)
            self.service_context.store.set_experiment_tags(
                _DEFAULT_EXPERIMENT, _tags.encode_text(_names.TAG_WORKSPACE + self.name, text)
            )

    def get_details(self) -> dict[str, Any]:
        """Return what is known of the workspace, with Azure's keys; those without a value are absent."""
        scope = _SCOPE.format(self.subscription_id, self.resource_group, self.name)
        return {
            "id": scope,
            "name": self.name,
            "location": self.location,
            "type": "Microsoft.MachineLearningServices/workspaces",
            "tags": self.tags,
            "sku": self.sku,
            "workspaceid": self.name,
            "description": "",
            "friendlyName": self.name,
            "provisioningState": "Succeeded",
            "discoveryUrl": self.discovery_url,
            **self._details(),
        }

    def update(
        self,
        friendly_name: str | None = None,
        description: str | None = None,
        tags: dict[str, Any] | None = None,
        image_build_compute: Any = None,
        service_managed_resources_settings: Any = None,
        primary_user_assigned_identity: Any = None,
        allow_public_access_when_behind_vnet: Any = None,
        v1_legacy_mode: Any = None,
    ) -> dict[str, Any]:
        """Keep a new friendly name, description or tags, and return the details. The rest has no effect."""
        if tags is not None:
            self._given["tags"] = tags
        self._remember(friendlyName=friendly_name, description=description, tags=tags)
        return self.get_details()

    def delete(self, delete_dependent_resources: bool = False, no_wait: bool = False) -> None:
        """Delete nothing, and say so: a store with its runs and files is never deleted from here."""
        where = without_credentials(self.service_context.store.uri)
        _reporting.logger.warning(
            "Workspace.delete deletes nothing: the runs and files of workspace %s stay in %s. Delete that store "
            "yourself if you mean it.",
            self.name,
            where,
        )

    # -- tracking -------------------------------------------------------------------------------------------------

    def get_mlflow_tracking_uri(self, _with_auth: bool = False) -> str:
        """Return the tracking URI, for mlflow.set_tracking_uri."""
        return self.service_context.store.uri

    def get_run(self, run_id: str) -> Run:
        """Return any run of the store.

        Raises:
            ServiceException: there is no such run (`status_code` 404).
        """
        return Run.get(self, run_id)

    @property
    def experiments(self) -> dict[str, Experiment]:
        """{name: experiment} of the active experiments."""
        return {experiment.name: experiment for experiment in Experiment.list(self)}

    # -- data -----------------------------------------------------------------------------------------------------

    @property
    def datasets(self) -> Any:
        """{name: dataset} of the registered datasets, each in its latest version; fetched when it is asked for."""
        from azml_compat._data.registry import Registered  # here and below: scripts without data do not need it

        return Registered(self)

    @property
    def datastores(self) -> dict[str, Any]:
        """{name: datastore} of all datastores."""
        from azml_compat._data import datastores

        return {**datastores.all_of(self)}

    def get_default_datastore(self) -> Any:
        """Return the default datastore: `workspaceblobstore`, unless another one was chosen."""
        from azml_compat._data import datastores

        return datastores.default(self)

    def set_default_datastore(self, name: str) -> None:
        """Choose the default datastore.

        Raises:
            UserErrorException: there is none of that name.
        """
        from azml_compat._data import datastores

        datastores.set_default(self, name)

    @property
    def environments(self) -> dict[str, Environment]:
        """{name: environment} of what is registered, in the latest version; any curated name is a key too."""
        from azml_compat.core.environment import Environment

        return Environment.list(self)

    # -- what is not there yet, or never --------------------------------------------------------------------------

    @property
    def models(self) -> dict[str, Model]:
        """{name: its newest version} of the registered models."""
        from azml_compat.core.model import Model

        return {str(model.name): model for model in Model.list(self, latest=True)}

    @property
    def compute_targets(self) -> dict[str, Any]:
        """{name: compute target} of the registered ones."""
        from azml_compat.core.compute.compute import ComputeTarget

        return {target.name: target for target in ComputeTarget.list(self)}

    @property
    def webservices(self) -> dict[str, Any]:
        """{}: nothing is deployed from here."""
        return {}

    @property
    def images(self) -> Any:
        """Refuse: nothing is deployed from here."""
        raise refusal("azureml.core.workspace.Workspace.images")

    @property
    def linked_services(self) -> Any:
        """Refuse: there is no Azure workspace behind this one."""
        raise refusal("azureml.core.workspace.Workspace.linked_services")

    @property
    def private_endpoints(self) -> Any:
        """Refuse: there is no Azure workspace behind this one."""
        raise refusal("azureml.core.workspace.Workspace.private_endpoints")

    def get_default_keyvault(self) -> Keyvault:
        """Return the secrets of this user and machine."""
        from azml_compat.core.keyvault import Keyvault

        return Keyvault(self)

    def get_default_compute_target(self, type: str) -> Any:
        """Return the target with the name of the default cluster for CPU or GPU; None when there is none.

        Raises:
            ValueError: `type` is neither CPU nor GPU.
        """
        if type not in ("CPU", "GPU"):
            raise ValueError(f"The type of a compute target is CPU or GPU, not {type!r}.")
        name = self.DEFAULT_CPU_CLUSTER_NAME if type == "CPU" else self.DEFAULT_GPU_CLUSTER_NAME
        return self.compute_targets.get(name)

    def add_private_endpoint(
        self,
        private_endpoint_config: Any,
        private_endpoint_auto_approval: bool = True,
        location: str | None = None,
        show_output: bool = True,
        tags: dict[str, Any] | None = None,
    ) -> NoReturn:
        """Refuse: there is no Azure workspace behind this one."""
        raise refusal("azureml.core.workspace.Workspace.add_private_endpoint")

    def delete_private_endpoint_connection(self, private_endpoint_connection_name: str) -> NoReturn:
        """Refuse: there is no Azure workspace behind this one."""
        raise refusal("azureml.core.workspace.Workspace.delete_private_endpoint_connection")

    def set_connection(self, name: str, category: str, target: str, authType: str, value: str) -> NoReturn:
        """Refuse: there is no Azure workspace behind this one."""
        raise refusal("azureml.core.workspace.Workspace.set_connection")

    def get_connection(self, name: str) -> Any:
        """Refuse: there is no Azure workspace behind this one."""
        raise refusal("azureml.core.workspace.Workspace.get_connection")

    def list_connections(self, category: str | None = None, target: str | None = None) -> Any:
        """Refuse: there is no Azure workspace behind this one."""
        raise refusal("azureml.core.workspace.Workspace.list_connections")

    def delete_connection(self, name: str) -> NoReturn:
        """Refuse: there is no Azure workspace behind this one."""
        raise refusal("azureml.core.workspace.Workspace.delete_connection")

    def list_keys(self) -> Any:
        """Refuse: there is no Azure workspace behind this one."""
        raise refusal("azureml.core.workspace.Workspace.list_keys")

    def sync_keys(self, no_wait: bool = False) -> NoReturn:
        """Refuse: there is no Azure workspace behind this one."""
        raise refusal("azureml.core.workspace.Workspace.sync_keys")

    def diagnose_workspace(self, diagnose_parameters: Any) -> Any:
        """Refuse: there is no Azure workspace behind this one."""
        raise refusal("azureml.core.workspace.Workspace.diagnose_workspace")

    def update_dependencies(self, container_registry: Any = None, force: bool = False) -> NoReturn:
        """Refuse: there is no Azure workspace behind this one."""
        raise refusal("azureml.core.workspace.Workspace.update_dependencies")

    def __repr__(self) -> str:
        return (
            f"Workspace.create(name='{self.name}', subscription_id='{self.subscription_id}', "
            f"resource_group='{self.resource_group}')"
        )


def _text(value: Any, default: str) -> str:
    return str(value) if value else default


def _remembered(store: Store) -> dict[str, dict[str, Any]]:
    """Return what was kept of each workspace, from the hidden tags of MLflow's Default experiment."""
    try:
        stored = store.get_experiment(_DEFAULT_EXPERIMENT).tags
    except ServiceException as error:
        if error.status_code != 404:
            raise
        return {}
    prefix = _names.TAG_WORKSPACE
    return {key[len(prefix) :]: _details_of(stored, key) for key in stored if key.startswith(prefix)}


def _details_of(stored: Any, key: str) -> dict[str, Any]:
    details: dict[str, Any] = json.loads(_tags.decode_text(stored, key) or "{}")
    return details


__getattr__, __dir__ = module_attributes(__name__)
