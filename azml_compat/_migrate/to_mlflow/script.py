"""A module as the rewriting sees it: its tree with the azureml values in it, and the text that stands for each node."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cached_property

from azml_compat._migrate.edits import Edit, Offsets
from azml_compat._migrate.resolving import Resolution

RUN = "azureml.core.run.Run"
EXPERIMENT = "azureml.core.experiment.Experiment"
WORKSPACE = "azureml.core.workspace.Workspace"
TRACKED = (RUN, EXPERIMENT)

Function = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_REPEATED = (
    *(ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.ClassDef),
    *Function,
)
_DELIMITERS = re.compile(r"""(?<![\w])[rRfFbBuU]*(\"{3}|'{3}|\"|')""")
"""Where a string may begin."""
_CLOSING = re.compile(r"#[^\n]*|\)")


class Left(Exception):  # noqa: N818 - no error: a rule says that it leaves something as it is
    """Something has no exact equivalent, or is not understood; the message says what it is, and what to do."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message


class Script:
    """A module whose tracking calls are rewritten."""

    def __init__(self, text: str, resolution: Resolution) -> None:
        self.text = text
        self.tree = resolution.tree
        self.resolution = resolution
        self.offsets = Offsets(text)
        self.nodes = list(ast.walk(self.tree))
        self.replacements: dict[ast.AST, Callable[[], str]] = {}
        """What makes the new text of a node."""
        self._made: dict[ast.AST, str] = {}

    # -- the tree ----------------------------------------------------------------------------------------------

    def ancestors(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the nodes around a node, the nearest first."""
        found = self.resolution.parent(node)
        while found is not None:
            yield found
            found = self.resolution.parent(found)

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node around a node."""
        return self.resolution.parent(node)

    def statement(self, node: ast.AST) -> ast.stmt:
        """Return the nearest statement that a node is in, or is."""
        found: ast.AST | None = node
        while not isinstance(found, ast.stmt):
            found = self.resolution.parent(found) if found is not None else None
            if found is None:
                raise ValueError(f"{node} is in no statement")
        return found

    def function(self, node: ast.AST) -> ast.AST | None:
        """Return the nearest function that a node is in; None in that of the module."""
        return next((found for found in self.ancestors(node) if isinstance(found, Function)), None)

    def body(self, statement: ast.stmt) -> list[ast.stmt]:
        """Return the statements among which a statement stands."""
        parent = self.resolution.parent(statement)
        for _, value in ast.iter_fields(parent) if parent is not None else ():
            if isinstance(value, list) and statement in value:
                return value
        return [statement]

    def is_instance(self, node: ast.AST, *paths: str) -> bool:
        """Tell whether an expression is an instance of one of these classes, as far as is known."""
        if not isinstance(node, ast.expr):
            return False
        value = self.resolution.value(node)
        return value is not None and value.kind == "instance" and value.path in paths

    def is_certain(self, node: ast.expr) -> bool:
        """Tell whether an expression can be nothing but a run, or an experiment, or a list of them."""
        found = self.resolution.values(node)
        # Where Azure gives runs of several kinds, they are runs of a script that started them in other ways.
        kinds = {value.kind for value in found if value is not None}
        runs = all(value is not None and (value.path in TRACKED or value.path.endswith("Run")) for value in found)
        return runs and len(kinds) == 1

    def is_collection(self, node: ast.AST, *paths: str) -> bool:
        """Tell whether an expression is a list or dict of such instances."""
        if not isinstance(node, ast.expr):
            return False
        value = self.resolution.value(node)
        return value is not None and value.kind in ("list", "dict") and value.path in paths

    def repeaters(self, node: ast.AST) -> set[ast.AST]:
        """Return what may run a node several times: loops, and functions that are not called exactly once."""
        found: set[ast.AST] = set()
        place = self.parent(node)
        passed: set[ast.AST] = set()
        while place is not None and place not in passed:
            passed.add(place)
            call = self.only_call(place) if isinstance(place, _REPEATED) else None
            if call is None and isinstance(place, _REPEATED):
                found.add(place)
            place = self.parent(place if call is None else call)
        return found

    def only_call(self, node: ast.AST) -> ast.Call | None:
        """Return the call of a function of the module that is called at one place, and used at no other."""
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or self.parent(node) is not self.tree:
            return None
        names = self.loads.get(node.name, [])
        call = self.parent(names[0]) if len(names) == 1 else None
        if node.decorator_list or not isinstance(call, ast.Call) or call.func is not names[0]:
            return None
        return None if node in self.ancestors(call) else call

    @cached_property
    def loads(self) -> dict[str, list[ast.Name]]:
        """The names that are read, by name."""
        found: dict[str, list[ast.Name]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found.setdefault(node.id, []).append(node)
        return found

    @cached_property
    def has_unknown_names(self) -> bool:
        """Whether the module imports all names of another one that is not azureml's."""
        return any(
            isinstance(node, ast.ImportFrom)
            and node.names[0].name == "*"
            and (node.module or "").partition(".")[0] not in ("azureml", "azml_compat")
            for node in self.nodes
        )

    @cached_property
    def bound(self) -> dict[str, set[str]]:
        """{name: the statements that import it} of all names that the module binds; "" for what is no import.

        Modules that it imports under their own name are not among them.
        """
        found: dict[str, set[str]] = {}
        for node in self.nodes:
            for name, how in _bound_by(node):
                found.setdefault(name, set()).add(how)
        return found

    @cached_property
    def bindings(self) -> dict[str, list[ast.Name | ast.arg]]:
        """Where a name is set or a parameter, by name; imports, functions and classes are not among them."""
        found: dict[str, list[ast.Name | ast.arg]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                found.setdefault(node.id, []).append(node)
            elif isinstance(node, ast.arg):
                found.setdefault(node.arg, []).append(node)
        return found

    @cached_property
    def speaks_of_outputs(self) -> bool:
        """Whether a text of the module names the folder `outputs`."""
        return any(isinstance(node, ast.Constant) and _names_outputs(node.value) for node in self.nodes)

    # -- the text ----------------------------------------------------------------------------------------------

    def source(self, node: ast.AST) -> str:
        """Return the text of a node as it is."""
        start, end = self.span(node)
        return self.text[start:end]

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return where a node begins and ends."""
        assert isinstance(node, (ast.expr, ast.stmt, ast.alias, ast.arg, ast.keyword))
        return self.offsets.span(node)

    def new(self, node: ast.AST) -> str:
        """Return the text of a node as it will be."""
        made = self._made.get(node)
        if made is None:
            make = self.replacements.get(node)
            made = self.between(*self.span(node)) if make is None else self._fitting(node, make())
            self._made[node] = made
        return made

    def _fitting(self, node: ast.AST, text: str) -> str:
        """Return the new text of a node, with other quotes where it stands in an f-string.

        Raises:
            Left: it cannot stand there.
        """
        strings = [around for around in self.ancestors(node) if isinstance(around, ast.JoinedStr)]
        if not strings:
            return text
        # Before Python 3.12 places in f-strings may be wrong, and neither quotes nor backslashes may recur in them.
        if not _is_text_of(node, self.source(node)):
            raise Left("AZ313", "an f-string whose parts cannot be told apart")
        added = text if not any(quote in self.source(node) for quote in "\"'\\") else ""
        used = {quote for string in strings for quote in _DELIMITERS.findall(self.source(string))}
        if not added or not any(quote in added for quote in "\"'\\") or used <= {'"""', "'''"}:
            return text
        if len({quote[0] for quote in used}) > 1 or "\\" in added or "'" in added:
            raise Left("AZ313", "an f-string that has both kinds of quotes")
        return text.replace('"', "'") if '"' in used else text

    def between(self, start: int, end: int) -> str:
        """Return a part of the text as it will be: what is replaced in it, replaced."""
        pieces = []
        for node in self._replaced_within(start, end):
            first, last = self.span(node)
            pieces += [self.text[start:first], self.new(node)]
            start = last
        return "".join((*pieces, self.text[start:end]))

    def _replaced_within(self, start: int, end: int) -> list[ast.AST]:
        """Return the outermost nodes that are replaced in a part of the text."""
        found = []
        reached = start
        for first, last, node in self._replaced_spans:
            if first >= reached and last <= end and (first, last) != (start, end):
                found.append(node)
                reached = last
        return found

    @cached_property
    def _replaced_spans(self) -> list[tuple[int, int, ast.AST]]:
        spans = [(*self.span(node), node) for node in self.replacements]
        return sorted(spans, key=lambda span: (span[0], -span[1]))

    def outermost(self) -> list[ast.AST]:
        """Return the nodes that are replaced and are in no other such."""
        return self._replaced_within(-1, len(self.text) + 1)

    def forget(self) -> None:
        """Make new texts again: other nodes are replaced now."""
        self._made.clear()
        self.__dict__.pop("_replaced_spans", None)

    def arguments(self, call: ast.Call) -> str:
        """Return what stands between the parentheses of a call, as it will be."""
        start = self.text.index("(", self._end_of_callee(call)) + 1
        return self.between(start, self.span(call)[1] - 1)

    def _end_of_callee(self, call: ast.Call) -> int:
        # The callee may be in parentheses of its own.
        end = self.span(call.func)[1]
        first = min((self.span(node)[0] for node in (*call.args, *call.keywords)), default=self.span(call)[1])
        opening = self.text.rfind("(", end, first)
        gap = self.text[end:first]
        return end + len(gap) - len(gap.lstrip(" \t\n\\)")) if opening >= end else end

    def arguments_and(self, call: ast.Call, added: str) -> str:
        """Return the arguments of a call as they will be, and another after them."""
        inner = self.arguments(call)
        last = [*call.args, *call.keywords]
        if not last:
            return added
        end = max(self.span(node)[1] for node in last)
        rest = self.text[end : self.span(call)[1]]
        closing = [found.end() for found in _CLOSING.finditer(rest) if found[0] == ")"]
        kept = rest[: closing[-2]] if len(closing) > 1 else ""
        tail = rest[len(kept) : -1]
        return f"{inner[: len(inner) - len(tail)]}, {added}{tail}"


def _is_text_of(node: ast.AST, text: str) -> bool:
    try:
        return ast.dump(ast.parse(f"({text})", mode="eval").body) == ast.dump(node)
    except SyntaxError:
        return False


def _bound_by(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (name, the statement that imports it or "") for what a node binds."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id, ""
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name, ""
    elif isinstance(node, ast.arg):
        yield node.arg, ""
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield alias.asname or alias.name, "" if alias.asname else f"from {node.module} import {alias.name}"
    elif isinstance(node, ast.Import):
        yield from ((alias.asname, "") for alias in node.names if alias.asname and alias.asname != alias.name)
    elif isinstance(node, (ast.Global, ast.Nonlocal)):
        yield from ((name, "") for name in node.names)
    elif isinstance(node, ast.ExceptHandler) and node.name:
        yield node.name, ""


def _names_outputs(value: object) -> bool:
    return isinstance(value, str) and re.search(r"(^|[\s./\"'`])outputs\b", value) is not None


def string(node: ast.AST | None) -> str | None:
    """Return the value of a literal string."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def whole_lines(script: Script, statement: ast.stmt) -> Edit:
    """Return the edit that removes a statement, with its lines where it has them for itself."""
    start, end = script.span(statement)
    first = script.text.rfind("\n", 0, start) + 1
    last = script.text.find("\n", end)
    last = len(script.text) if last < 0 else last + 1
    after = script.text[end:last].strip()
    if script.text[first:start].strip() or (after and not after.startswith("#")):
        return Edit(start, end, "pass")
    return Edit(first, last, "")
