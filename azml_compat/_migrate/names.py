"""The names of azureml as a script spells them: where each lives, what it is, and what using it gives."""

from __future__ import annotations

import functools
from typing import Literal

from azml_compat._migrate.atoms import UNKNOWN, Atom, Atoms, Constant, Reached, many_of, row_of
from azml_compat._migrate.returns import EXPORTED, Value, ancestry, gives, is_listed, located
from azml_compat._support import support_of
from azml_compat._surface import class_at, public_names, surface

FACADE = "azml_compat"
_OURS = frozenset({"core", "data", "exceptions", "history", "mlflow", "telemetry", "train", "widgets"})
"""What of azml_compat is a mirror of azureml, apart from what azureml.core exports, which it has as well."""


def azures(dotted: str) -> str | None:
    """Return the azureml path that one in a script stands for; None where it is neither azureml's nor its mirror's."""
    root, _, rest = dotted.partition(".")
    if root == FACADE:
        first = rest.partition(".")[0]
        if first in _OURS:
            return f"azureml.{rest}"
        return f"azureml.core.{rest}" if first in exported("azureml.core") else None
    return dotted if root == "azureml" else None


@functools.lru_cache(maxsize=4096)
def lookup(path: str) -> tuple[str, Atoms]:
    """Return where a name in a module lives, and what it is; azml_compat's own are nothing of interest."""
    if path.startswith(f"{FACADE}."):
        mirrored = azures(path)
        if mirrored is None:
            return path, UNKNOWN
        path = mirrored
    path = located(path)
    module, _, name = path.rpartition(".")
    known = surface().get(module, {})
    bare = name.lstrip("_")
    if path in surface():
        return path, (Value(path, "module"),)
    if class_at(path) is not None:
        return path, (Value(path, "class"),)
    if name in known.get("constants", ()):
        return path, (Constant(path),)
    if name in known.get("functions", ()):
        return path, (Value(path, "function"),)
    # Of other packages, and of what is private, nothing is recorded but what a name tells.
    if len(bare) > 1 and bare.isupper():
        return path, (Constant(path),)
    return path, (Value(path, "class" if bare[:1].isupper() else "function"),)


@functools.lru_cache(maxsize=4096)
def may_be_module(path: str) -> bool:
    """Tell whether what is named in lower case in a module that is not recorded may be a module as well."""
    module, _, name = path.rpartition(".")
    return module in ("azureml", "") or module not in surface() or name not in surface()[module].get("functions", ())


@functools.lru_cache(maxsize=8192)
def member(owner: str, name: str) -> tuple[str, bool]:
    """Return the path of a member of a class, with the class that defines it, and whether it is known to exist."""
    if class_at(owner) is None:
        return f"{owner}.{name}", is_listed(owner, name)
    bases = tuple(ancestry(owner))
    for base in bases:
        if name in (class_at(base) or _EMPTY)["members"] or is_listed(base, name):
            return f"{base}.{name}", True
    for base in bases:
        if support_of(f"{base}.{name}") is not None:
            return f"{base}.{name}", True
    return f"{owner}.{name}", False


_EMPTY: dict[str, dict[str, str]] = {"members": {}}
_METHODS = frozenset({"classmethod", "method", "staticmethod"})


@functools.lru_cache(maxsize=8192)
def read(owner: str, name: str) -> Atoms:
    """Return what reading a member of a class gives."""
    path, _ = member(owner, name)
    recorded = class_at(path.rpartition(".")[0])
    # Of other packages it is not recorded which of the members are methods: they are what they are used as.
    if recorded is None or recorded["members"].get(name) in _METHODS or name.startswith("__"):
        return (Reached(path, owner),)
    return given(owner, name) or UNKNOWN


@functools.lru_cache(maxsize=8192)
def given(owner: str, name: str) -> Atoms:
    """Return what a member of a class gives, see `returns.gives`, as atoms."""
    found: dict[Atom, None] = {}
    many: dict[Literal["list", "dict"], list[Value]] = {}
    for value in gives(owner, name):
        if value.kind == "tuple":
            found[row_of(((Value(value.path, "instance"),), UNKNOWN))] = None
        elif value.kind in ("list", "dict"):
            many.setdefault(value.kind, []).append(Value(value.path, "instance"))
        else:
            found[value] = None
    return (*found, *(many_of(tuple(items), kind) for kind, items in many.items()))


@functools.lru_cache(maxsize=1024)
def spelled(dotted: str) -> str | None:
    """Return where the name lives that a dotted path spells out: `azureml.core.Run.log` is `azureml.core.run.Run.log`.

    None where it is none of azureml's.
    """
    first, *names = (azures(dotted) or "").split(".")
    if first != "azureml":
        return None
    path, what = first, (Value(first, "module"),)
    for name in names:
        atom = what[0] if what else None
        if isinstance(atom, Value) and atom.kind in ("class", "instance"):
            path, what = member(atom.path, name)[0], read(atom.path, name)
        else:
            path, what = lookup(f"{path}.{name}")
    return path


@functools.lru_cache(maxsize=64)
def exported(module: str) -> frozenset[str]:
    """Return the names that `from module import *` brings."""
    if module in surface():
        return frozenset(surface()[module].get("all") or public_names(module))
    return frozenset(EXPORTED.get(module, "").split())


@functools.lru_cache(maxsize=8192)
def is_refused(path: str) -> bool:
    """Tell whether using a name raises."""
    support = support_of(path)
    return support is not None and support.level == "refused"


def is_recorded(path: str) -> bool:
    """Tell whether a path is that of a member of a class whose members are all known."""
    return class_at(path.rpartition(".")[0]) is not None
