"""A module from beginning to end: the edits that make plain MLflow of it, and the comments on what is left."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Collection

from azml_compat._migrate.edits import Edit, apply
from azml_compat._migrate.resolving import Resolution
from azml_compat._migrate.rewriting import Fix, Mark, Rewriting
from azml_compat._migrate.to_mlflow import leaving, workspace
from azml_compat._migrate.to_mlflow.importing import Imports
from azml_compat._migrate.to_mlflow.script import Left, Script, whole_lines
from azml_compat._migrate.to_mlflow.site import DELETED, Plan
from azml_compat._migrate.to_mlflow.survey import Survey
from azml_compat.exceptions import UserErrorException


class Module:
    """A module that is rewritten."""

    def __init__(
        self, text: str, resolution: Resolution, *, is_unsafe: bool, cells: Collection[int], taken: Collection[str]
    ) -> None:
        self._script = Script(text, resolution)
        self._plan = Plan(self._script, is_unsafe=is_unsafe, cells=cells, taken=taken)
        self._resolution = resolution
        self._survey = Survey(self._plan)

    def rewriting(self) -> Rewriting:
        """Return what is to be done."""
        if not self._survey.left:
            self._try_all()
        is_rewritten = self._survey.has_tracked and not self._survey.left
        return self._marked(self._fixes() if is_rewritten else [])

    def _try_all(self) -> None:
        """Make all new texts, to see whether a rule leaves something as it is."""
        for node in list(self._script.replacements):
            try:
                self._script.new(node)
            except Left as left:
                self._survey.left.append((node, left))
            except UserErrorException as error:
                self._survey.left.append((node, Left(self._survey.rules[node], error.message)))

    def _fixes(self) -> list[Fix]:
        script = self._script
        for statement in self._survey.deleted:
            script.replacements[statement] = lambda: DELETED
        script.forget()
        fixes = []
        for node in script.outermost():
            rule = self._survey.rule(node)
            edit = self._edit(node)
            fixes.append(Fix(rule, script.offsets.line(edit.start), (*self._kept_comments(node, edit), edit)))
        if not fixes:
            return []
        edits = [edit for fix in fixes for edit in fix.edits]
        imports = Imports(self._plan, ast.parse(apply(script.text, edits)), self._free_of_azure(edits))
        fixes += [Fix(workspace.RULE, script.offsets.line(edit.start), (edit,)) for edit in imports.edits()]
        fixes += [Fix(rule, line, (), is_safe=False) for rule, line in dict.fromkeys(self._plan.unsafe_lines)]
        return fixes

    def _free_of_azure(self, edits: list[Edit]) -> bool:
        """Tell whether nothing but imports is azureml's after the edits."""
        spans = [(edit.start, edit.end) for edit in edits]
        for use in self._resolution.uses:
            if use.kind != "import" and isinstance(use.node, ast.expr):
                start, end = self._script.span(use.node)
                if not any(first <= start and end <= last for first, last in spans):
                    return False
        return True

    def _edit(self, node: ast.AST) -> Edit:
        start, end = self._script.span(node)
        text = self._script.new(node)
        if text != DELETED:
            return Edit(start, end, text)
        assert isinstance(node, ast.stmt)
        body = self._script.body(node)
        is_last = body[-1] is node and all(other in self._survey.deleted for other in body)
        if is_last and body is not self._script.tree.body:
            return Edit(start, end, "pass")
        return whole_lines(self._script, node)

    def _kept_comments(self, node: ast.AST, edit: Edit) -> list[Edit]:
        """Return what puts the comments within a call, for which its new text has no place, above the statement."""
        if edit.text in ("", "pass"):
            return []
        statement = self._script.statement(node)
        lost = [comment for comment in _comments(self._script.source(node)) if comment not in edit.text]
        line = self._script.text.split("\n")[statement.lineno - 1]
        indentation = line[: len(line) - len(line.lstrip())]
        at = self._script.offsets.of(statement.lineno, 0)
        return [Edit(at, at, "".join(f"{indentation}{comment}\n" for comment in lost))] if lost else []

    def _marked(self, fixes: list[Fix]) -> Rewriting:
        """Return the fixes, with a comment above each statement that is left."""
        script = self._script
        marks: dict[tuple[int, str], tuple[ast.stmt, str]] = {}
        for node, rule, message in self._survey.all_left():
            statement = script.statement(node)
            if statement in self._survey.deleted and fixes:
                continue
            marks.setdefault((statement.lineno, rule), (statement, message))
        found = []
        for (_, rule), (statement, message) in sorted(marks.items(), key=lambda item: item[0]):
            found.append(Mark(rule, statement.lineno, message))
            edit = leaving.comment(script, statement, rule, message)
            if edit is not None:
                fixes.append(Fix(rule, statement.lineno, (edit,)))
        return Rewriting(_joined(fixes, self._script, self._plan.cells), found)


def _comments(text: str) -> list[str]:
    """Return the comments in an expression, or a statement."""
    if "#" not in text:
        return []
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(f"({text}\n)").readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def _joined(fixes: list[Fix], script: Script, cells: Collection[int]) -> list[Fix]:
    """Return the fixes in order, with edits that touch made one: of the first fix that has a part in it."""
    places = sorted(
        ((edit, number) for number, fix in enumerate(fixes) for edit in fix.edits), key=lambda place: place[0][:2]
    )
    owned: dict[int, list[Edit]] = {number: [] for number in range(len(fixes))}
    owner = -1
    for found, number in places:
        edit = _without_last_line_feed(found, script.text, cells)
        before = owned[owner][-1] if owner >= 0 else None
        if before is not None and before.end >= edit.start and edit.start not in cells:
            owned[owner][-1] = Edit(before.start, edit.end, before.text + edit.text)
        else:
            owner = number
            owned[owner].append(edit)
    joined = [fix._replace(edits=tuple(owned[number])) for number, fix in enumerate(fixes)]
    return sorted(joined, key=lambda fix: fix.line)


def _without_last_line_feed(edit: Edit, text: str, cells: Collection[int]) -> Edit:
    """Return an edit that removes the last lines of a cell so that no empty one is left; what parts cells stays."""
    start, end, new = edit
    if start == end:
        return edit
    if end in cells:
        end, new = end - 1, new.removesuffix("\n")
    if not new and (end + 1 in cells or end == len(text)):
        start -= start > 0 and start not in cells and text[start - 1] == "\n"
    return Edit(start, end, new)
