"""What Azure's public modules contain, by name: classes and their members, functions, constants, and where they live.

`_surface.json` holds it; tools/make_surface.py makes that file from the recorded surface of azureml-core 1.61.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any


@functools.cache
def surface() -> dict[str, Any]:
    """Load what each module contains."""
    import json  # here and not at the top, and no pathlib: importing azureml.core must stay cheap
    import pkgutil

    loaded: dict[str, Any] = json.loads(pkgutil.get_data("azml_compat", "_surface.json") or "")
    return loaded


def public_names(module: str) -> list[str]:
    """List what a module of Azure's has that azml_compat has as well."""
    found = surface()[module]
    return sorted(
        name
        for part in ("classes", "constants", "functions", "reexports", "submodules")
        for name in found.get(part, ())
    )


def home(path: str) -> str:
    """Spell out where a name lives: `azureml.core.Model.register` is `azureml.core.model.Model.register`.

    An exception of `azureml.exceptions` lives there, and not in the private module that defines it.
    """
    module = module_of(path)
    if module is not None and path != module:
        name, _, rest = path[len(module) + 1 :].partition(".")
        exported = surface()[module].get("reexports", {}).get(name)
        if exported is not None:
            path = f"{exported}.{rest}" if rest else exported
    for defined, public in _exceptions().items():
        if path == defined or path.startswith(f"{defined}."):
            return public + path[len(defined) :]
    return path


def module_of(path: str) -> str | None:
    """Return the public module that a path is in, or is."""
    while path and path not in surface():
        path = path.rpartition(".")[0]
    return path or None


def class_at(path: str) -> dict[str, Any] | None:
    """Return what is known of a class: the paths of its bases, and {name: kind} of its own members."""
    module, _, name = path.rpartition(".")
    found: dict[str, Any] | None = surface().get(module, {}).get("classes", {}).get(name)
    return found


def lineage(path: str) -> Iterator[str]:
    """Yield the path of a class and of its bases, in the order in which Python looks for a member."""
    yield path
    for base in (class_at(path) or {"bases": ()})["bases"]:
        yield from lineage(home(base))


@functools.cache
def _exceptions() -> dict[str, str]:
    """Return {path where it is defined: path in azureml.exceptions}."""
    exported = surface()["azureml.exceptions"]["reexports"]
    return {defined: f"azureml.exceptions.{name}" for name, defined in exported.items()}
