"""The pieces of `pieces/` as text: which there are, what each needs, and how they go into a module."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from azml_compat._migrate.edits import Edit, Offsets, apply

_MODULES = ("series", "ending", "runs", "files", "models", "values", "reading")
"""In the order in which their pieces stand in a file."""


class Piece(NamedTuple):
    """A definition that can be inserted."""

    name: str
    text: str
    imports: Mapping[str, str]
    """{name: the statement that imports it}."""
    needs: tuple[str, ...]
    """The pieces that it uses."""


@functools.cache
def pieces() -> dict[str, Piece]:
    """Return all pieces, in order."""
    found: list[tuple[ast.stmt, str, str, dict[str, str]]] = []
    for module in _MODULES:
        text = (Path(__file__).parent / "pieces" / f"{module}.py").read_text(encoding="utf-8")
        tree = ast.parse(text)
        imports = _imports(tree)
        lines = text.splitlines()
        for statement, following in zip(tree.body, [*tree.body[1:], None], strict=True):
            name = _defined(statement)
            if name is not None:
                is_described = isinstance(following, ast.Expr)  # a variable with its docstring
                last = following.end_lineno if is_described and following is not None else statement.end_lineno
                first = min([statement.lineno, *(node.lineno for node in getattr(statement, "decorator_list", ()))])
                found.append((statement, name, "\n".join(lines[first - 1 : last]), imports))
    names = [name for _, name, _, _ in found]
    made = {}
    for statement, name, text, imports in found:
        used = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        needed = tuple(other for other in names if other in used and other != name)
        made[name] = Piece(name, text, {key: line for key, line in imports.items() if key in used}, needed)
    return made


def _imports(tree: ast.Module) -> dict[str, str]:
    found: dict[str, str] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            found |= {alias.name: f"import {alias.name}" for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom) and statement.module not in ("__future__", None):
            module = statement.module or ""
            if not module.startswith("azml_compat."):
                found |= {alias.name: f"from {module} import {alias.name}" for alias in statement.names}
    return found


def _defined(statement: ast.stmt) -> str | None:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return statement.name
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    return None


def closed(names: Iterable[str], without: Collection[str], passed_by: tuple[str, ...] = ()) -> list[Piece]:
    """Return the pieces of these names and all that they need, in order.

    Args:
        names: Of what is called.
        without: Pieces whose calls are left out.
        passed_by: Functions in whose place their argument stands.
    """
    found: dict[str, Piece] = {}

    def add(name: str) -> None:
        if name in found or name in without:
            return
        piece = pieces()[name]
        text = piece.text
        for unwanted in without:
            text = re.sub(rf"\n +{unwanted}\([^\n]*\)(?=\n|$)", "", text)
        text = _without_calls(text, passed_by)
        kept = [other for other in piece.needs if re.search(rf"\b{other}\b", text)]
        found[name] = piece._replace(text=text, needs=tuple(kept))
        for needed in kept:
            add(needed)

    for name in names:
        add(name)
    return [found[name] for name in pieces() if name in found]


@functools.cache
def _without_calls(text: str, functions: tuple[str, ...]) -> str:
    """Put the first argument of a function in the place of each of its calls."""
    offsets = Offsets(text)
    edits = [
        Edit(*offsets.span(node), text[slice(*offsets.span(node.args[0]))])
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions
    ]
    return apply(text, edits)


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Return the text of a piece with other names for what is defined or imported."""
    if not names:
        return text
    offsets = Offsets(text)
    edits = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name) and node.id in names:
            edits.append(Edit(*offsets.span(node), names[node.id]))
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in names:
            start = text.index(node.name, offsets.of(node.lineno, node.col_offset) + len("def"))
            edits.append(Edit(start, start + len(node.name), names[node.name]))
    return apply(text, edits)
