"""How far each public name of the Azure ML SDK is supported: the one place that says it.

The errors of refused names, docs/support.md and the explanation of an import that fails are made from it, and
tests/test_support.py holds it against the recorded surface of the original and against what the code does.

    support_of("azureml.core.Run.log").level  # 'full'

Each member of a class that is implemented has an entry of its own. An entry of what is refused, or of what is no class
of the recorded surface, covers all that is below it. Nothing here is imported before somebody asks.
"""

from __future__ import annotations

import functools

from azml_compat._support.compute import COMPUTE
from azml_compat._support.data import DATASETS
from azml_compat._support.environments import ENVIRONMENTS
from azml_compat._support.exceptions import EXCEPTIONS
from azml_compat._support.models import MODELS
from azml_compat._support.records import Level, Support, full
from azml_compat._support.refused import MISSING, OTHER, STAND_INS
from azml_compat._support.satellites import SATELLITES
from azml_compat._support.submitting import SUBMITTING
from azml_compat._support.tracking import TRACKING
from azml_compat._support.workspace import WORKSPACES
from azml_compat._surface import class_at, home, lineage, surface

__all__ = ["OTHER", "PARTS", "Level", "Support", "entries", "support_of"]

PARTS = (
    *(TRACKING, SUBMITTING, WORKSPACES, MODELS, COMPUTE, DATASETS, ENVIRONMENTS),
    *(EXCEPTIONS, SATELLITES, STAND_INS, MISSING),
)

_MAKES = {
    "azureml.core.dataset.Dataset": (
        "azureml.data.tabular_dataset.TabularDataset",
        "azureml.data.file_dataset.FileDataset",
    ),
    "azureml.core.datastore.Datastore": ("azureml.data.azure_storage_datastore.AzureBlobDatastore",),
}
"""Classes that scripts name for what they make, which is of other classes."""

_CONSTANT = full("test_surface.py::test_every_public_path_resolves_under_the_alias", note="the recorded value")


@functools.cache
def entries() -> dict[str, Support]:
    """Return all entries, by the path where a name lives."""
    return {path: support for part in PARTS for path, support in part.items()}


def support_of(path: str) -> Support | None:
    """Say how far a name is supported.

    Args:
        path: A dotted path that begins with `azureml`: where a name lives, where else it is exported, or a member that
            a class inherits. What follows a `[` is disregarded.

    Returns:
        None for what is no public name of azureml-core, and for a module that is there.
    """
    path = home(path.partition("[")[0])
    found = entries().get(path)
    if found is not None:
        return found
    owner, _, name = path.rpartition(".")
    if name in surface().get(owner, {}).get("constants", {}):
        return _CONSTANT
    if class_at(owner) is not None:
        for base in lineage(owner):
            if f"{base}.{name}" in entries():
                return entries()[f"{base}.{name}"]
            if name in (class_at(base) or {"members": ()})["members"]:
                return _covering(base)
        for made in _MAKES.get(owner, ()):
            found = support_of(f"{made}.{name}")
            if found is not None:
                return found
    return _covering(owner)


def _covering(path: str) -> Support | None:
    """Return the nearest entry that covers what is below it."""
    while path and path not in entries():
        path = path.rpartition(".")[0]
    found = entries().get(path)
    if found is None or found.level == "refused" or class_at(path) is None:
        return found
    return None
