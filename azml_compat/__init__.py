"""Azure ML SDK v1 on MLflow, without Azure.

`azml_compat` mirrors `azureml`: `azml_compat.core.run` is `azureml.core.run`. Change the import, or leave the
script as it is and let `install()` (or `python -m azml_compat script.py`) answer for the name `azureml`.

What `azureml.core` exports can be had from here too: `from azml_compat import Experiment, Run, Workspace`.
It is resolved on first use, so that importing the package costs next to nothing, and never imports MLflow.
"""

from __future__ import annotations

from azml_compat._alias import install, uninstall

TYPE_CHECKING = False  # as type checkers know it; typing itself costs more than all the rest
if TYPE_CHECKING:
    from typing import Any

    from azml_compat.core import Experiment, Run, Workspace, get_run

__version__ = "0.1.0"

__all__ = [
    "ComputeTarget",
    "ContainerRegistry",
    "Dataset",
    "Datastore",
    "Environment",
    "Experiment",
    "Image",
    "Keyvault",
    "LinkedService",
    "Model",
    "PrivateEndPoint",
    "PrivateEndPointConfig",
    "Run",
    "RunConfiguration",
    "ScriptRun",
    "ScriptRunConfig",
    "SynapseWorkspaceLinkedServiceConfiguration",
    "Webservice",
    "Workspace",
    "attach_legacy_compute_target",
    "diagnostic_log",
    "get_run",
    "install",
    "is_compute_target_prepared",
    "prepare_compute_target",
    "remove_legacy_compute_target",
    "uninstall",
]

_PACKAGES = ("core", "data", "exceptions", "history", "telemetry", "widgets")
_EXTENSION = ("load_ipython_extension", "unload_ipython_extension")
"""What IPython asks for at `%load_ext azml_compat`."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _PACKAGES:  # after `import azureml.core`, the others are loaded too
        return import_module(f"azml_compat.{name}")
    if name in _EXTENSION:
        return getattr(import_module("azml_compat._notebook"), name)
    if name in __all__:
        return getattr(import_module("azml_compat.core"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_PACKAGES})
