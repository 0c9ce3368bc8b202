"""`--to facade`: the imports of a script lead to `azml_compat`, and nothing else changes.

Every name stays bound as it was, so that the script goes on to work as it does under the alias. What azml_compat does
not have is imported as before.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from azml_compat._migrate.edits import Edit, Offsets
from azml_compat._migrate.judging import judge_missing
from azml_compat._migrate.mirror import NEW, OLD, is_module, is_provided, missing_part
from azml_compat._migrate.resolving import Resolution
from azml_compat._migrate.rewriting import Fix, Mark, Rewriting

RULE = "AZ200"

_FROM = re.compile(rf"from(?:\s|\\\n)*{OLD}\b")
_LITERAL = re.compile(rf"[rRbBuU]*(?:\"\"\"|'''|\"|'){OLD}\b")
_COMMA = re.compile(r"\s*,")
_END_OF_LINE = re.compile(r"[^\S\n]*(?:#.*)?(?=\n|\Z)")
_IN_ANNOTATION = re.compile(rf"(?<![\w.]){OLD}(?:\.\w+)*")


def rewrite(text: str, resolution: Resolution) -> Rewriting:
    """Find what to change in a Python text so that it imports from azml_compat, and what of it cannot be had there."""
    return _Rewrite(text, resolution).result()


class _Chain(NamedTuple):
    """A name with its attributes: `azureml.core.run.Run.log`."""

    root: ast.Name
    path: str

    @property
    def missing(self) -> str | None:
        """The part of it that leads to what azml_compat does not have."""
        return missing_part(self.path)

    @property
    def is_elsewhere(self) -> bool:
        """Whether it leads to a module that azml_compat does not have, by what its name looks like."""
        return self.missing is not None and not self.missing.rpartition(".")[2].lstrip("_")[:1].isupper()


class _Rewrite:
    """One text on its way."""

    def __init__(self, text: str, resolution: Resolution) -> None:
        self._text = text
        self._resolution = resolution
        self._offsets = Offsets(text)
        self._fixes: list[Fix] = []
        self._marks: list[Mark] = []
        self._imports: list[ast.alias] = []
        self._chains: list[_Chain] = []
        self._annotations: list[ast.Constant] = []
        self._keys: list[ast.Constant] = []
        self._is_rebound = False
        """Whether `azureml` is bound in any way but by importing it."""

    def result(self) -> Rewriting:
        self._read()
        self._rewrite_imports()
        self._rewrite_strings()
        fixes = sorted(dict.fromkeys(self._fixes), key=lambda fix: fix.edits)
        return Rewriting(fixes, sorted(self._marks, key=lambda mark: mark.line))

    def _read(self) -> None:
        """Rewrite what stands for itself, and collect what has to do with the name `azureml`."""
        attributes: dict[ast.AST, ast.Attribute] = {}
        roots = []
        for node in ast.walk(self._resolution.tree):
            if isinstance(node, ast.Attribute):
                attributes[node.value] = node
            elif isinstance(node, ast.Name):
                if node.id == OLD:
                    roots.append(node)
                    self._is_rebound |= not isinstance(node.ctx, ast.Load)
            elif isinstance(node, ast.Import):
                self._read_import(node)
            elif isinstance(node, ast.ImportFrom):
                self._rewrite_from(node)
            else:
                self._is_rebound |= OLD in _bound(node)
                self._annotations += _quoted_annotations(node)
                self._keys += _keys_of_modules(node)
        for root in roots:
            path = OLD
            attribute = attributes.get(root)
            while attribute is not None:
                path, attribute = f"{path}.{attribute.attr}", attributes.get(attribute)
            self._chains.append(_Chain(root, path))

    def _read_import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._is_rebound |= alias.asname == OLD
            if _is_azures(alias.name):
                if alias.asname is None:
                    self._imports.append(alias)
                else:
                    self._rewrite_alias(alias)

    def _rewrite_alias(self, alias: ast.alias, more: str = "") -> None:
        """Rewrite a module that is imported, followed by `more`; or leave it."""
        if is_module(alias.name):
            start, end = self._offsets.span(alias)
            edits = [self._renaming(start), *([Edit(end, end, more)] if more else [])]
            self._fixes.append(Fix(RULE, alias.lineno, tuple(edits)))
        else:
            self._leave(alias, alias.name)

    def _rewrite_from(self, node: ast.ImportFrom) -> None:
        """Rewrite `from azureml.x import a, b`; what azml_compat does not have stays, in a statement of its own."""
        self._is_rebound |= any((alias.asname or alias.name) == OLD for alias in node.names)
        if node.level or node.module is None or not _is_azures(node.module):
            return
        missing = [alias for alias in node.names if not _can_import(node.module, alias.name)]
        for alias in missing:
            self._leave(alias, f"{node.module}.{alias.name}" if alias.name != "*" else node.module)
        if len(missing) == len(node.names):
            return
        start, end = self._offsets.span(node)
        found = _FROM.match(self._text, start)
        if found is None:
            raise AssertionError(f"line {node.lineno} does not import from {node.module}")  # the parser said so
        edits = [self._renaming(found.end() - len(OLD))]
        if missing:
            edits += self._split(node, missing, end)
        self._fixes.append(Fix(RULE, node.lineno, tuple(edits)))

    def _split(self, node: ast.ImportFrom, missing: list[ast.alias], end: int) -> list[Edit]:
        """Move names out of a statement, into one that follows it."""
        spans = [self._offsets.span(alias) for alias in node.names]
        are_missing = [alias in missing for alias in node.names]
        edits = []
        if "#" in self._text[spans[0][0] : spans[-1][1]]:  # so there are parentheses, in which commas do no harm
            for start, stop in itertools.compress(spans, are_missing):
                comma = _COMMA.match(self._text, stop)
                edits.append(Edit(start, stop if comma is None else comma.end(), ""))
        else:
            last = max(index for index, is_missing in enumerate(are_missing) if not is_missing)
            edits += [Edit(spans[index][0], spans[index + 1][0], "") for index in range(last) if are_missing[index]]
            if last + 1 < len(spans):
                edits.append(Edit(spans[last][1], spans[-1][1], ""))
        names = ", ".join(f"{alias.name} as {alias.asname}" if alias.asname else alias.name for alias in missing)
        statement = f"from {node.module} import {names}"
        begin = self._offsets.of(node.lineno, 0)
        indentation = self._text[begin : self._offsets.span(node)[0]]
        rest = _END_OF_LINE.match(self._text, end)
        if rest is not None and not indentation.strip():
            return [*edits, Edit(rest.end(), rest.end(), f"\n{indentation}{statement}")]
        return [*edits, Edit(end, end, f"; {statement}")]

    def _rewrite_imports(self) -> None:
        """Rewrite `import azureml.x` together with the places where `azureml` is used.

        Where that name is bound in other ways too, or is not to be had otherwise, it stays and stands for azml_compat.
        """
        ours = [alias for alias in self._imports if is_module(alias.name)]
        others = [alias for alias in self._imports if not is_module(alias.name)]
        elsewhere = [chain for chain in self._chains if chain.is_elsewhere]
        for alias in others:
            self._leave(alias, alias.name)
        if not ours and not others:
            return
        is_kept = self._is_rebound or (bool(elsewhere) and not others)
        for chain in self._chains:
            if chain.missing is not None and not (others and chain.is_elsewhere):
                self._leave(chain.root, chain.missing)
        if is_kept and others:
            for alias in ours:
                self._marks.append(
                    Mark(RULE, alias.lineno, f"`{OLD}` stands for more than modules here: rewrite it by hand")
                )
            return
        for alias in ours:
            if not is_kept:
                self._rewrite_alias(alias)
            elif alias.name == OLD:
                self._rewrite_alias(alias, f" as {OLD}")
            else:
                self._rewrite_alias(alias, f", {NEW} as {OLD}")
        if is_kept:
            return
        for chain in self._chains:
            if not (chain.is_elsewhere or (others and chain.path == OLD)):
                self._fixes.append(Fix(RULE, chain.root.lineno, (self._renaming(self._offsets.span(chain.root)[0]),)))
        for constant in self._annotations:
            self._rewrite_annotation(constant)

    def _rewrite_annotation(self, constant: ast.Constant) -> None:
        """Rewrite the names in an annotation that is quoted."""
        start, end = self._offsets.span(constant)
        edits = tuple(
            self._renaming(start + found.start())
            for found in _IN_ANNOTATION.finditer(self._text[start:end])
            if missing_part(found[0]) is None
        )
        if edits:
            self._fixes.append(Fix(RULE, constant.lineno, edits))

    def _rewrite_strings(self) -> None:
        """Rewrite names that are given as strings: what is patched, imported by name, or looked up in sys.modules."""
        strings = [use.node for use in self._resolution.uses if use.kind == "string"]
        for node in {id(node): node for node in (*strings, *self._keys)}.values():
            if not (isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_azures(node.value)):
                continue
            found = _LITERAL.match(self._text, self._offsets.span(node)[0])
            missing = missing_part(node.value)
            if missing is not None:
                self._leave(node, missing)
            elif found is not None:
                self._fixes.append(Fix(RULE, node.lineno, (self._renaming(found.end() - len(OLD)),)))

    def _renaming(self, start: int) -> Edit:
        """Return the change of an `azureml` that begins at an offset."""
        end = start + len(OLD)
        if self._text[start:end] != OLD:
            raise AssertionError(f"there is no {OLD} at character {start}")  # the tree says so
        return Edit(start, end, NEW)

    def _leave(self, node: ast.alias | ast.expr, path: str) -> None:
        verdict = judge_missing(path, node, self._resolution)
        mark = Mark(verdict.rule, node.lineno, verdict.message)
        if mark not in self._marks:
            self._marks.append(mark)


def _can_import(module: str, name: str) -> bool:
    return is_module(module) if name == "*" else is_provided(f"{module}.{name}")


def _is_azures(path: str | None) -> bool:
    return path is not None and (path == OLD or path.startswith(f"{OLD}."))


def _bound(node: ast.AST) -> tuple[str | None, ...]:
    """Return the names that a node binds and that are no nodes of their own."""
    match node:
        case ast.arg(arg=name):
            return (name,)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.ExceptHandler(name=name) | ast.MatchAs(name=name) | ast.MatchStar(name=name):
            return (name,)
        case ast.MatchMapping(rest=name):
            return (name,)
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return tuple(names)
    return (getattr(node, "name", None),) if type(node).__name__ in _TYPE_PARAMETERS else ()


_TYPE_PARAMETERS = ("TypeVar", "ParamSpec", "TypeVarTuple")
"""Nodes of Python 3.12, that earlier ones have no classes for."""


def _quoted_annotations(node: ast.AST) -> Iterator[ast.Constant]:
    """Yield the strings in annotations that name `azureml`."""
    for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None)):
        if annotation is not None:
            for part in ast.walk(annotation):
                if isinstance(part, ast.Constant) and isinstance(part.value, str) and OLD in part.value:
                    yield part


def _keys_of_modules(node: ast.AST) -> Iterator[ast.Constant]:
    """Yield what is looked up or put in `sys.modules`: by `[]`, `in`, its methods, or a call that it is given to."""
    match node:
        case ast.Subscript(value=mapping, slice=key):
            parts: list[ast.expr] = [mapping, key]
        case ast.Compare(left=left, comparators=others):
            parts = [left, *others]
        case ast.Call(func=function, args=arguments):
            parts = [function.value if isinstance(function, ast.Attribute) else function, *arguments]
        case _:
            return
    if any(_is_modules(part) for part in parts):
        for part in parts:
            for string in part.keys if isinstance(part, ast.Dict) else (part,):
                if isinstance(string, ast.Constant):
                    yield string


def _is_modules(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(attr="modules") | ast.Constant(value="sys.modules"):
            return True
    return False
