"""What an expression of a script may be, as far as that is of interest: the values that the resolver reckons with."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from azml_compat._migrate.returns import Value, constructs


class Constant(NamedTuple):
    """A constant of a module of azureml's."""

    path: str


class Reached(NamedTuple):
    """A method of azureml's, with the class that it was got through."""

    path: str
    owner: str


class Own(NamedTuple):
    """A function or class of the script itself, or an instance of such a class."""

    node: Any
    is_instance: bool = False


class Method(NamedTuple):
    """A method of a class of the script, got through the class or an instance."""

    function: Any
    through: Own


class Many(NamedTuple):
    """A list, generator or the like, with what its items may be; or a dict, with its values."""

    items: Atoms
    kind: Literal["list", "dict"]
    depth: int


class Row(NamedTuple):
    """A tuple, with what each of its items may be."""

    columns: tuple[Atoms, ...]
    depth: int


class _Unknown:
    """What is not azureml's, or not known."""

    def __repr__(self) -> str:
        return "unknown"


Atom = Any  # a Value or one of the classes above; which, is looked at where it matters
Atoms = tuple[Atom, ...]
"""What an expression may be. It is empty for None, and for what no statement gives a value."""

UNKNOWN: Atoms = (_Unknown(),)
MAX_ATOMS = 12
_MAX_NESTING = 3


def union(parts: Iterable[Atoms]) -> Atoms:
    """Return all of what may be, each once; of very many, some, and that others may be."""
    found = dict.fromkeys(atom for part in parts for atom in part)
    if len(found) > MAX_ATOMS:
        return (*(atom for atom in list(found)[: MAX_ATOMS - 1] if atom not in UNKNOWN), *UNKNOWN)
    return tuple(found)


def many_of(items: Atoms, kind: Literal["list", "dict"]) -> Many:
    """Make a list or dict of what its items or values may be."""
    items = _shallow(items)
    return Many(items, kind, _depth(items))


def row_of(columns: tuple[Atoms, ...]) -> Row:
    """Make a tuple of what each of its items may be."""
    columns = tuple(map(_shallow, columns))
    return Row(columns, max(map(_depth, columns), default=1))


def _shallow(atoms: Atoms) -> Atoms:
    """Leave out containers in containers in containers: `x = [x]` has no end of them."""
    return tuple(UNKNOWN[0] if getattr(atom, "depth", 0) >= _MAX_NESTING else atom for atom in atoms)


def _depth(atoms: Atoms) -> int:
    return 1 + max((getattr(atom, "depth", 0) for atom in atoms), default=0)


def shown(atom: Atom) -> Value | None:
    """Return an atom as others see it."""
    if isinstance(atom, Value):
        return atom
    if isinstance(atom, Reached):
        return Value(atom.path, "function")
    if isinstance(atom, Many):
        of = next((item for item in atom.items if isinstance(item, Value) and item.kind == "instance"), None)
        return of and Value(of.path, atom.kind)
    return None


def is_name(atom: Atom) -> bool:
    """Tell whether something is what an azureml name stands for, and not a result of its use."""
    return isinstance(atom, (Reached, Constant)) or (
        isinstance(atom, Value) and atom.kind in ("module", "class", "function")
    )


def instances_of(atoms: Atoms) -> Atoms:
    """Return instances of what are classes."""
    found: list[Atoms] = []
    for atom in atoms:
        if isinstance(atom, Own) and isinstance(atom.node, ast.ClassDef):
            found.append((atom._replace(is_instance=True),))
        elif isinstance(atom, Value) and atom.kind == "class":
            found.append(constructs(atom.path))
        else:
            found.append(UNKNOWN)
    return union(found)


def elements_of(atoms: Atoms, *, or_itself: bool = False) -> Atoms:
    """Return what iterating over something gives."""
    found = []
    for atom in atoms:
        if isinstance(atom, Many):
            found.append(atom.items if atom.kind == "list" else UNKNOWN)
        elif isinstance(atom, Row):
            found += atom.columns
        else:
            found.append((atom,) if or_itself else UNKNOWN)
    return union(found)


def values_of(atoms: Atoms) -> Atoms:
    """Return what a subscript of something gives."""
    return union(atom.items if isinstance(atom, Many) else elements_of((atom,)) for atom in atoms)


def item_of(atom: Atom, index: int) -> Atoms:
    """Return what an item of a tuple may be; of all else, or if the index is negative, what any item may be."""
    if isinstance(atom, Row) and 0 <= index < len(atom.columns):
        return atom.columns[index]
    return elements_of((atom,))


def from_container(atom: Atom, method: str) -> Atoms:
    """Return what a method of a list or dict gives."""
    values = values_of((atom,))
    if method in ("get", "pop", "setdefault", "popleft"):
        return values
    if method in ("values", "copy") and isinstance(atom, Many):
        return (many_of(values, "list" if method == "values" else atom.kind),)
    if method == "items":
        return (many_of((row_of((UNKNOWN, values)),), "list"),)
    return UNKNOWN
