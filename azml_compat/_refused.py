"""What is not provided: every public azureml name can be imported, and on use refuses and says what to do.

Scripts import far more than they use, and often inside a `try`. So a name that azml_compat lacks is a
stand-in: a class that can be named in annotations, `isinstance` and `except` but not called, or a function
that raises when called. `_surface.json` says which names there are and where they live; a module that has

    __getattr__, __dir__ = module_attributes(__name__)

as its last line has them all, re-exports included, each as one object whatever path it is reached by. Modules
that implement part of their names use the same line for the rest.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

from azml_compat.exceptions._azureml_exception import UserErrorException


class NotSupportedError(UserErrorException, NotImplementedError):
    """Something of the Azure ML SDK was used that azml_compat does not do.

    Args:
        path: The azureml name, as a user would write it: `azureml.core.Model.register`.
        why: A clause saying why.
        instead: A clause, in the imperative, saying what to do.
        planned: Whether it is to come, or never.
    """

    def __init__(self, path: str, why: str, instead: str, *, planned: bool = True) -> None:
        when = "yet" if planned else "and will not be"
        super().__init__(f"`{path}` is not supported by azml_compat {when}: {why}. Instead: {instead}.")
        self.path = path
        self.instead = instead


class _Reason(NamedTuple):
    why: str
    instead: str
    planned: bool = True


_RUN_SCRIPT = "run the script itself (`python -m azml_compat script.py`): Run.get_context() in it is tracked"
_SUBMIT = _Reason("submitting a script as a job is not there", _RUN_SCRIPT)
_ENVIRONMENT = _Reason("environments and run configurations are not there, scripts run in this one", _RUN_SCRIPT)
_COMPUTE = _Reason("compute targets are not there, scripts run on this machine", _RUN_SCRIPT)
_CLOUD_COMPUTE = _Reason("this compute exists in Azure only", _RUN_SCRIPT, planned=False)
_DATA = _Reason(
    "datasets and datastores are not there",
    "read the files themselves (pandas.read_csv and the like), and pass their path to the script",
)
_CLOUD_DATA = _Reason("this storage feature exists in Azure only", _DATA.instead, planned=False)
_MODEL = _Reason(
    "the Model class is not there",
    "use run.register_model(), or mlflow.register_model() and MlflowClient on the same store "
    "(ws.get_mlflow_tracking_uri())",
)
_DEPLOYMENT = _Reason(
    "there is no Azure service to deploy to", "serve the model with `mlflow models serve`", planned=False
)
_SECRETS = _Reason("the keyvault is not there", "pass secrets to the script in environment variables")
_CLOUD = _Reason(
    "there is no Azure workspace behind this one",
    "remove the call, a local workspace has nothing of the kind",
    planned=False,
)
_OTHER = _Reason(
    "its turn has not come",
    "use MLflow directly, on the same store (mlflow.set_tracking_uri(ws.get_mlflow_tracking_uri()))",
)

_REASONS = {
    "azureml.core.compute": _COMPUTE,
    "azureml.core.compute.adla": _CLOUD_COMPUTE,
    "azureml.core.compute.databricks": _CLOUD_COMPUTE,
    "azureml.core.compute.datafactory": _CLOUD_COMPUTE,
    "azureml.core.compute.hdinsight": _CLOUD_COMPUTE,
    "azureml.core.compute.kusto": _CLOUD_COMPUTE,
    "azureml.core.compute.synapse": _CLOUD_COMPUTE,
    "azureml.core.compute_target": _COMPUTE,
    "azureml.core.conda_dependencies": _ENVIRONMENT,
    "azureml.core.container_registry": _ENVIRONMENT,
    "azureml.core.databricks": _CLOUD_COMPUTE,
    "azureml.core.dataset": _DATA,
    "azureml.core.datastore": _DATA,
    "azureml.core.diagnostic_log": _Reason(
        "there are no Azure requests to log",
        "use `logging.getLogger('azml_compat').setLevel(logging.DEBUG)`",
        planned=False,
    ),
    "azureml.core.environment": _ENVIRONMENT,
    "azureml.core.experiment.Experiment.from_directory": _CLOUD,
    "azureml.core.experiment.Experiment.submit": _SUBMIT,
    "azureml.core.image": _DEPLOYMENT,
    "azureml.core.keyvault": _SECRETS,
    "azureml.core.linked_service": _CLOUD,
    "azureml.core.model": _MODEL,
    "azureml.core.model.InferenceConfig": _DEPLOYMENT,
    "azureml.core.model.Model.deploy": _DEPLOYMENT,
    "azureml.core.model.Model.package": _DEPLOYMENT,
    "azureml.core.model.Model.profile": _DEPLOYMENT,
    "azureml.core.model.ModelPackage": _DEPLOYMENT,
    "azureml.core.private_endpoint": _CLOUD,
    "azureml.core.profile": _DEPLOYMENT,
    "azureml.core.resource_configuration": _MODEL,
    "azureml.core.run.InputDatasets": _DATA,
    "azureml.core.run.LinkOutput": _DATA,
    "azureml.core.run.OutputDatasets": _DATA,
    "azureml.core.run.Run.get_environment": _ENVIRONMENT,
    "azureml.core.run.Run.get_secret": _SECRETS,
    "azureml.core.run.Run.get_secrets": _SECRETS,
    "azureml.core.run.Run.input_datasets": _DATA,
    "azureml.core.run.Run.list_by_compute": _COMPUTE,
    "azureml.core.run.Run.output_datasets": _DATA,
    "azureml.core.run.Run.submit_child": _SUBMIT,
    "azureml.core.runconfig": _ENVIRONMENT,
    "azureml.core.script_run": _SUBMIT,
    "azureml.core.script_run_config": _SUBMIT,
    "azureml.core.webservice": _DEPLOYMENT,
    "azureml.core.workspace.Workspace.DEFAULT_CPU_CLUSTER_CONFIGURATION": _COMPUTE,
    "azureml.core.workspace.Workspace.DEFAULT_GPU_CLUSTER_CONFIGURATION": _COMPUTE,
    "azureml.core.workspace.Workspace.add_private_endpoint": _CLOUD,
    "azureml.core.workspace.Workspace.compute_targets": _COMPUTE,
    "azureml.core.workspace.Workspace.datasets": _DATA,
    "azureml.core.workspace.Workspace.datastores": _DATA,
    "azureml.core.workspace.Workspace.delete_connection": _CLOUD,
    "azureml.core.workspace.Workspace.delete_private_endpoint_connection": _CLOUD,
    "azureml.core.workspace.Workspace.diagnose_workspace": _CLOUD,
    "azureml.core.workspace.Workspace.discovery_url": _CLOUD,
    "azureml.core.workspace.Workspace.environments": _ENVIRONMENT,
    "azureml.core.workspace.Workspace.get_connection": _CLOUD,
    "azureml.core.workspace.Workspace.get_default_compute_target": _COMPUTE,
    "azureml.core.workspace.Workspace.get_default_datastore": _DATA,
    "azureml.core.workspace.Workspace.get_default_keyvault": _SECRETS,
    "azureml.core.workspace.Workspace.images": _DEPLOYMENT,
    "azureml.core.workspace.Workspace.linked_services": _CLOUD,
    "azureml.core.workspace.Workspace.list_connections": _CLOUD,
    "azureml.core.workspace.Workspace.list_keys": _CLOUD,
    "azureml.core.workspace.Workspace.models": _MODEL,
    "azureml.core.workspace.Workspace.private_endpoints": _CLOUD,
    "azureml.core.workspace.Workspace.service_context": _CLOUD,
    "azureml.core.workspace.Workspace.set_connection": _CLOUD,
    "azureml.core.workspace.Workspace.set_default_datastore": _DATA,
    "azureml.core.workspace.Workspace.sync_keys": _CLOUD,
    "azureml.core.workspace.Workspace.update_dependencies": _CLOUD,
    "azureml.core.workspace.Workspace.webservices": _DEPLOYMENT,
    "azureml.data": _DATA,
    "azureml.data.datacache": _CLOUD_DATA,
    "azureml.data.datacache_client": _CLOUD_DATA,
    "azureml.data.datacache_consumption_config": _CLOUD_DATA,
    "azureml.data.datacache_singularity_settings": _CLOUD_DATA,
    "azureml.data.dbfs_datastore": _CLOUD_DATA,
    "azureml.data.hdfs_datastore": _CLOUD_DATA,
}


def refusal(path: str) -> NotSupportedError:
    """Make the error for an azureml path, with the reason that fits it best.

    Args:
        path: The name to show, in either form: `azureml.core.Workspace.images` or
            `azureml.core.workspace.Workspace.images`.
    """
    prefix = _home(path)
    while prefix and prefix not in _REASONS:
        prefix = prefix.rpartition(".")[0]
    reason = _REASONS.get(prefix, _OTHER)
    return NotSupportedError(path, reason.why, reason.instead, planned=reason.planned)


def module_attributes(module_name: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the `__getattr__` and `__dir__` (PEP 562) that give a mirrored module the names it lacks.

    Args:
        module_name: The module's `__name__`, under azml_compat.
    """
    azure_name = "azureml" + module_name.removeprefix("azml_compat")

    def __getattr__(name: str) -> Any:  # noqa: N807 - Python's name for it
        if name == "__all__":
            return _surface()[azure_name].get("all") or _public_names(azure_name)
        if not name.startswith("_"):
            found = _lookup(azure_name, module_name, name)
            if found is not None:
                return found
        raise AttributeError(f"module {module_name!r} has no attribute {name!r}")

    def __dir__() -> list[str]:  # noqa: N807 - Python's name for it
        return sorted({*vars(sys.modules[module_name]), *_public_names(azure_name)})

    return __getattr__, __dir__


def _lookup(azure_name: str, module_name: str, name: str) -> Any:
    """Find or make what a public name of a module stands for; None when there is no such name."""
    module = _surface()[azure_name]
    if name in module.get("reexports", {}):
        # Looked up anew each time, so that what mock.patch put at its home for a while does not stay here.
        home, _, attribute = module["reexports"][name].rpartition(".")
        return getattr(import_module(_mirrored(home)), attribute)
    if name in module.get("submodules", ()):
        return import_module(f"{module_name}.{name}")

    namespace = vars(sys.modules[module_name])
    if getattr(namespace.get("__spec__"), "_initializing", False):
        # A circular import asks for what the module has yet to define: that is no reason for a stand-in.
        return None
    made: Any
    if name in module.get("constants", {}):
        made = module["constants"][name]
    elif name in module.get("classes", {}):
        made = _make_class(azure_name, module_name, name)
    elif name in module.get("functions", ()):
        made = _make_function(azure_name, module_name, name)
    else:
        return None
    return namespace.setdefault(name, made)  # atomic: of several threads, all get the first one's object


class _Refusing(type):
    """Type of the stand-ins: makes every use of the class refuse that is not about its identity.

    No ABCMeta: it would add `register` to every class, and `Model.register` is Azure's.
    """

    _azure_path: str
    _azure_members: dict[str, str]

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        path = cls._azure_path
        if issubclass(cls, BaseException):
            return super().__call__(*args, **kwargs)  # an exception has no use but to be raised and caught
        raise refusal(path)

    def __getattr__(cls, name: str) -> NoReturn:
        for base in cls.__mro__:
            if name in vars(base).get("_azure_members", ()):
                raise refusal(f"{vars(base)['_azure_path']}.{name}")
        raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")

    def __repr__(cls) -> str:
        return f"<class '{cls.__module__}.{cls.__qualname__}' (not supported)>"


def _make_class(azure_name: str, module_name: str, name: str) -> type:
    """Make the stand-in of a class, below the stand-ins (or classes) of its bases."""
    record = _surface()[azure_name]["classes"][name]
    bases = []
    for path in record["bases"]:
        home, _, base = path.rpartition(".")
        bases.append(getattr(import_module(_mirrored(home)), base))
    path = f"{azure_name}.{name}"
    namespace = {
        "__module__": module_name,
        "__doc__": refusal(path).message,
        "_azure_path": path,
        "_azure_members": record["members"],
    }
    return _Refusing(name, tuple(bases), namespace)


def _make_function(azure_name: str, module_name: str, name: str) -> Callable[..., NoReturn]:
    """Make the stand-in of a function."""
    path = f"{azure_name}.{name}"

    def refuse(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise refusal(path)

    refuse.__module__ = module_name
    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = refusal(path).message
    return refuse


@functools.cache
def _surface() -> dict[str, Any]:
    """Load what Azure's public modules contain; tools/make_surface.py makes the file."""
    import json  # here and not at the top, and no pathlib: importing azureml.core must stay cheap
    import pkgutil

    surface: dict[str, Any] = json.loads(pkgutil.get_data("azml_compat", "_surface.json") or "")
    return surface


def _public_names(azure_name: str) -> list[str]:
    module = _surface()[azure_name]
    return sorted(
        name
        for part in ("classes", "constants", "functions", "reexports", "submodules")
        for name in module.get(part, ())
    )


def _home(path: str) -> str:
    """Spell out where a name lives: `azureml.core.Model.register` is `azureml.core.model.Model.register`."""
    parts = path.split(".")
    exported = _surface()["azureml.core"]["reexports"]
    if parts[:2] == ["azureml", "core"] and len(parts) > 2 and parts[2] in exported:
        return ".".join([exported[parts[2]], *parts[3:]])
    return path


def _mirrored(azure_name: str) -> str:
    return "azml_compat" + azure_name.removeprefix("azureml")
