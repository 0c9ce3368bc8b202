"""What in a module is azureml's: each use of a name of the Azure ML SDK, whatever way the script got at it.

    resolve(ast.parse("from azureml.core import Run as R; R.get_context().log('loss', 1)")).uses

A script is not run and no other module is read. One walk notes where each name is bound (`scopes`), and the rest is
answered on demand: what an expression is follows from the bindings that reach it, their values from the calls that make
them (`returns`), arguments from the calls of a function in the same module. In a scope the order of the statements
counts; a function sees all that the names around it are ever bound to, as nobody knows when it is called.

What an answer costs is bounded: a tree of any shape and size is resolved, the worst of it in part.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Literal, NamedTuple

from azml_compat._migrate.answers import Answers
from azml_compat._migrate.atoms import is_name, shown
from azml_compat._migrate.names import FACADE, azures, exported, lookup, spelled
from azml_compat._migrate.returns import Value
from azml_compat._migrate.scopes import Map, last_name

__all__ = ["Resolution", "Use", "Value", "resolve"]


class Use(NamedTuple):
    """One use of an azureml name.

    Attributes:
        node: An alias of an import; a Name or Attribute that is read, set or deleted; a Call; or the Constant or Call
            in which a name is spelled as a string.
        path: Where the name lives, of a member with the class that defines it: `azureml.core.run.Run.log`. An import
            of all names of a module has the module.
        kind: `name` for a class, function or constant that is mentioned and not called, `attribute` for such a member,
            `string` for what `mock.patch`, `import_module` and the like are given.
    """

    node: ast.AST
    path: str
    kind: Literal["import", "name", "call", "attribute", "string"]

    @property
    def is_of_module(self) -> bool:
        """Whether a class, function or constant of a module is mentioned, by its name or as `module.name`."""
        owner = self.path.rpartition(".")[0]
        return self.kind == "name" or (self.kind == "attribute" and owner == owner.lower())


class Resolution:
    """What is known of a module.

    Attributes:
        tree: The module.
        uses: All uses of azureml names, in the order of their places.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self._map = Map(tree)
        self._answers = Answers(self._map)
        self.uses = sorted(_uses(self._map, self._answers), key=lambda use: place_of(use.node))

    def value(self, node: ast.expr) -> Value | None:
        """Say what an expression is; None where it is nothing of azureml's, or not known.

        Where it may be one of several, this is the one that is bound last.
        """
        return next(filter(None, map(shown, self._answers.of(node))), None)

    def values(self, node: ast.expr) -> set[Value | None]:
        """Return all that an expression may be; None among it stands for what is not azureml's, or not known."""
        return {shown(atom) for atom in self._answers.of(node)}

    def is_certain(self, node: ast.expr) -> bool:
        """Tell whether an expression can be nothing but what `value` says, or None."""
        found = self.values(node)
        return len(found) == 1 and None not in found

    def path(self, node: ast.AST) -> str | None:
        """Say which azureml name a Name, an Attribute, or what a Call calls, stands for; None for all else."""
        if isinstance(node, ast.Call) and not self._answers.is_getattr(node):
            node = node.func
        return self._answers.path(node)

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node that a node is a child of; None for the module."""
        return self._map.parents.get(node)


def resolve(tree: ast.Module) -> Resolution:
    """Find out what in a module is azureml's.

    Args:
        tree: As `ast.parse` makes it; it is not changed.
    """
    return Resolution(tree)


def place_of(node: ast.AST) -> tuple[int, int]:
    """Return the line and column (as in `ast`: from 1, and from 0 in bytes of UTF-8) of a use, for a person to look at.

    Of an attribute, and of a call of one, it is the place of its name: the beginning of `a.b(1).c(2)` says little.
    """
    named = node.func if isinstance(node, ast.Call) else node
    if isinstance(named, ast.Attribute):
        line, column = getattr(named, "end_lineno", None), getattr(named, "end_col_offset", None)
        if line is not None and column is not None:
            return line, max(column - len(named.attr.encode(errors="replace")), 0)
    return getattr(node, "lineno", 1), getattr(node, "col_offset", 0)


# -- uses ----------------------------------------------------------------------------------------------------------

_SPELLING = {
    "patch",
    "import_module",
    "__import__",
    "find_spec",
    "importorskip",
    "setattr",
    "delattr",
    "reload",
    "run_module",
}
"""Last names of functions whose first argument may spell a name out."""


def _seeds(walked: Map) -> set[str]:
    """Return the names that are azureml's in one of the scopes of a module, and those of calls that may name it."""
    found = set(_SPELLING)
    for statement in walked.statements:
        for node in statement.nodes:
            if not isinstance(node, ast.alias):
                continue
            path = _imported(node, walked.parents.get(node))
            if path or node.name == FACADE:
                found |= exported(path or "") if node.name == "*" else {node.asname or node.name.partition(".")[0]}
    return found


def _uses(walked: Map, answers: Answers) -> Iterator[Use]:
    for statement in walked.statements:
        for node in statement.nodes:
            if isinstance(node, ast.alias):
                path = _imported(node, walked.parents.get(node))
                if path:
                    yield Use(node, path, "import")
    for statement in walked.reached(_seeds(walked)):
        for node in reversed(statement.nodes):  # what is inside first, so that no question has a long way to go
            use = _use(node, walked, answers)
            if use is not None:
                yield use


def _use(node: ast.AST, walked: Map, answers: Answers) -> Use | None:
    if isinstance(node, ast.Call) and not answers.is_getattr(node):
        return _spelled_in(node, answers)
    path = answers.path(node)
    if path is None:
        return None
    parent = walked.parents.get(node)
    if isinstance(parent, ast.Call) and parent.func is node:
        return Use(parent, path, "call")
    if isinstance(parent, ast.Attribute) and answers.path(parent) is not None and _is_on_the_way(node, answers):
        return None
    return Use(node, path, "name" if isinstance(node, ast.Name) else "attribute")


def _is_on_the_way(node: ast.AST, answers: Answers) -> bool:
    """Tell whether a name only leads to one of its members, and gives nothing itself."""
    return any(is_name(atom) for atom in answers.of(node))


def _imported(alias: ast.alias, statement: ast.AST | None) -> str | None:
    if not isinstance(statement, ast.ImportFrom):
        return spelled(alias.name)
    if statement.level or not statement.module:
        return None
    if alias.name == "*":
        return azures(statement.module)
    path = azures(f"{statement.module}.{alias.name}")
    return path and lookup(path)[0]


def _spelled_in(node: ast.Call, answers: Answers) -> Use | None:
    """Return the use of a name that is spelled as a string in a call."""
    name = last_name(node.func)
    if name in _SPELLING and node.args:
        text = _text(node.args[0])
        path = spelled(text) if text and all(part.isidentifier() for part in text.split(".")) else None
        if path:
            return Use(node.args[0], path, "string")
    if name in ("object", "setattr", "delattr") and len(node.args) > 1:
        text = _text(node.args[1])
        path = answers.path_of(node.args[0], text) if text else None
        if path:
            return Use(node.args[1], path, "string")
    return None


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
