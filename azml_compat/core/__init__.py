"""`azureml.core`: re-exports of what its modules define, resolved on first use.

Azure imports all of its modules here (570 ms). Scripts need a few of them, so each is imported when one of
its names is asked for; the objects are those of the home modules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from azml_compat._refused import module_attributes

if TYPE_CHECKING:
    from azml_compat.core.experiment import Experiment
    from azml_compat.core.run import Run, get_run
    from azml_compat.core.workspace import Workspace

VERSION = "1.61.0"
"""The version of azureml-core whose API this is; scripts print and compare it."""

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
    "is_compute_target_prepared",
    "prepare_compute_target",
    "remove_legacy_compute_target",
]

__getattr__, __dir__ = module_attributes(__name__)
