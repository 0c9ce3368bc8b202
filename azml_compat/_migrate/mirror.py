"""Which of the names below `azureml` can be had from `azml_compat`, by the modules that are there."""

from __future__ import annotations

import functools
from importlib import import_module
from pathlib import Path

import azml_compat
from azml_compat import _alias

OLD, NEW = "azureml", "azml_compat"


@functools.cache
def is_module(path: str) -> bool:
    """Tell whether azml_compat has the module that an azureml path names."""
    parts = path.split(".")[1:]
    if any(part.startswith("_") for part in parts) and path not in _alias.PRIVATE:
        return False
    place = Path(azml_compat.__file__).parent.joinpath(*parts)
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


@functools.cache
def is_provided(path: str) -> bool:
    """Tell whether azml_compat has what an azureml path names: a module, or a name in one."""
    if is_module(path):
        return True
    module, _, name = path.rpartition(".")
    return bool(module) and is_module(module) and hasattr(import_module(NEW + module.removeprefix(OLD)), name)


def missing_part(path: str) -> str | None:
    """Return as much of an azureml path as leads to what azml_compat does not have; None where it has all of it."""
    found = ""
    for part in path.split("."):
        found = f"{found}.{part}" if found else part
        if not is_provided(found):
            return found
        if not is_module(found):
            break
    return None


def is_private(path: str) -> bool:
    """Tell whether a name, or a module that it is in, begins with an underscore."""
    return any(part.startswith("_") and not part.startswith("__") for part in path.split("."))
