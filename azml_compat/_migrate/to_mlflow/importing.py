"""The imports of a rewritten module: azureml's that are not used any more go, MLflow's and the inserted pieces come."""

from __future__ import annotations

import ast

from azml_compat._migrate.edits import Edit
from azml_compat._migrate.to_mlflow.inserting import Piece, closed, renamed
from azml_compat._migrate.to_mlflow.script import whole_lines
from azml_compat._migrate.to_mlflow.site import Plan, local_name

_ROOTS = ("azureml", "azml_compat")
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_ENDINGS = ("log_texts", "log_outputs", "keep_outputs")


class Imports:
    """What changes at the top of a module.

    Args:
        plan: Of the module, with the pieces it needs.
        tree: The module after its calls are rewritten, and before its imports are.
        is_free: Nothing else of the module is azureml's.
    """

    def __init__(self, plan: Plan, tree: ast.Module, is_free: bool) -> None:  # noqa: FBT001 - internal
        self._script = plan.script
        self._tree = self._script.tree
        self._plan = plan
        self._is_free = is_free
        self._used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        without = {
            "log_texts": not plan.has_series,
            "log_outputs": not plan.has_outputs,
            "keep_outputs": not plan.has_outputs,
        }
        passed_by = () if plan.has_odd_names else ("metric_key", "escaped")
        self._pieces = closed(plan.needed, {name for name in _ENDINGS if without[name]}, passed_by)
        self._lines = self._wanted()

    def _wanted(self) -> dict[str, str]:
        """Return {name: the statement that imports it} of what is not imported yet."""
        wanted = {"mlflow": "import mlflow"} if "mlflow" in self._used or self._pieces else {}
        for piece in self._pieces:
            wanted |= piece.imports
        last = self._last_import()
        # What is imported further down is not there yet where the pieces use it.
        above = self._tree.body[: self._tree.body.index(last) + 1] if last is not None else []
        present = {line for statement in above for line in _lines_of(statement)}
        return {name: line for name, line in wanted.items() if self._renamed(name, line) not in present}

    def _renamed(self, name: str, line: str) -> str:
        new = self._names.get(name, name)
        return line if new == name else f"{line} as {new}"

    @property
    def _names(self) -> dict[str, str]:
        """{name of a piece or of what it imports: its name here}, where that is another."""
        names = {}
        for piece in self._pieces:
            names[piece.name] = local_name(self._script, piece.name)
            for imported, line in piece.imports.items():
                is_another = bool(self._script.bound.get(imported, set()) - {line})
                names[imported] = f"_{imported}" if is_another else imported
        names.pop("mlflow", None)
        return {name: new for name, new in names.items() if name != new}

    def edits(self) -> list[Edit]:
        """Return the edits of the imports, and what inserts the pieces."""
        script = self._script
        edits = []
        azures = [node for node in script.nodes if isinstance(node, (ast.Import, ast.ImportFrom)) and _is_azures(node)]
        top = [node for node in azures if node in self._tree.body]
        place = min(top, key=lambda node: node.lineno) if top else None
        new = "".join(f"{line}\n" for line in self._imports(of_mlflow=True))
        for node in azures:
            edit = self._kept(node)
            if node is place and new:
                if edit is not None and edit.text == "" and edit.start == self._line(node):
                    edit = edit._replace(text=new)
                else:
                    edits.append(Edit(*(self._line(node),) * 2, new))
            if edit is not None:
                edits.append(edit)
        standard = self._imports(of_mlflow=False)
        if standard:
            at = self._first_import()
            edits.insert(0, Edit(at, at, "\n".join(standard) + "\n"))
        if place is None and new:
            at = self._after_docstring()
            edits.append(Edit(at, at, new))
        return self._with_pieces(edits) if self._pieces else edits

    def _line(self, node: ast.stmt) -> int:
        return self._script.offsets.of(node.lineno, 0)

    def _imports(self, *, of_mlflow: bool) -> list[str]:
        """Return the statements that import what the module and its pieces need, one for each module they are from."""
        plain: list[str] = []
        names: dict[str, list[str]] = {}
        for name, line in self._lines.items():
            if line.partition("mlflow")[1] == ("mlflow" if of_mlflow else ""):
                module, separator, what = self._renamed(name, line).partition(" import ")
                if separator and module.startswith("from "):
                    names.setdefault(module, []).append(what)
                else:
                    plain.append(f"{module}{separator}{what}")
        return sorted(plain) + sorted(f"{module} import {', '.join(sorted(what))}" for module, what in names.items())

    def _kept(self, node: ast.Import | ast.ImportFrom) -> Edit | None:
        """Return the edit that takes out what is not used any more; None where all of it is."""
        is_of_azure = isinstance(node, ast.ImportFrom)
        kept = [alias for alias in node.names if self._is_used(alias) or not (is_of_azure or _is_root(alias.name))]
        if len(kept) == len(node.names):
            return None
        if kept:
            script = self._script
            first, last = script.span(node.names[0])[0], script.span(node.names[-1])[1]
            return Edit(first, last, ", ".join(script.source(alias) for alias in kept))
        body = self._script.body(node)
        if len(body) == 1 and body is not self._tree.body:
            return Edit(*self._script.span(node), "pass")
        return whole_lines(self._script, node)

    def _is_used(self, alias: ast.alias) -> bool:
        if self._is_free:
            return False
        if alias.name == "*":
            return True
        return (alias.asname or alias.name.partition(".")[0]) in self._used

    def _first_import(self) -> int:
        for statement in self._tree.body:
            is_future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
            if isinstance(statement, (ast.Import, ast.ImportFrom)) and not is_future:
                return self._line(statement)
        return self._after_docstring()

    def _after_docstring(self) -> int:
        last = None
        for statement in self._tree.body:
            is_future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
            if is_future or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
                last = statement
            else:
                break
        return 0 if last is None else self._after(last)

    def _after(self, statement: ast.stmt) -> int:
        end = self._script.text.find("\n", self._script.span(statement)[1])
        return len(self._script.text) if end < 0 else end + 1

    def _with_pieces(self, edits: list[Edit]) -> list[Edit]:
        """Return the edits of the imports, and the one that puts the pieces below them."""
        text = self._script.text
        last = self._last_import()
        pieces = "\n\n\n".join(map(self._text, _grouped(self._pieces)))
        if last is None:
            at = self._after_docstring()
            return [*edits, Edit(at, at, f"\n\n{pieces}\n{self._blank_lines(at)}")]
        at = text.find("\n", self._script.span(last)[1])
        at = len(text) if at < 0 else at
        over = next((edit for edit in edits if edit.start <= at < edit.end), None)
        if over is None:
            return [*edits, Edit(at, at, f"\n\n\n{pieces}{self._blank_lines(at + 1)}")]
        edits.remove(over)
        return [*edits, over._replace(text=f"{over.text}\n\n{pieces}\n{self._blank_lines(at + 1)}")]

    def _blank_lines(self, at: int) -> str:
        """Return the line feeds that are missing where two lines are to be blank before what begins at an offset."""
        if at in self._plan.cells:
            return ""
        rest = self._script.text[at:]
        return "\n" * max(0, 2 - (len(rest) - len(rest.lstrip("\n"))))

    def _last_import(self) -> ast.stmt | None:
        """Return the last import of those at the top, and in the first cell that imports azureml."""
        last = None
        has_azures = False
        for statement in self._tree.body:
            if has_azures and last is not None and self._is_next_cell(last, statement):
                break
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                last = statement
                has_azures = has_azures or _is_azures(statement)
            elif isinstance(statement, _DEFINITIONS) or self._is_rewritten(statement):
                break
        return last

    def _is_next_cell(self, before: ast.stmt, after: ast.stmt) -> bool:
        start, end = self._script.span(before)[1], self._script.span(after)[0]
        return any(start < cell <= end for cell in self._plan.cells)

    def _is_rewritten(self, statement: ast.stmt) -> bool:
        start, end = self._script.span(statement)
        return any(start <= self._script.span(node)[0] < end for node in self._script.outermost())

    def _text(self, group: list[Piece]) -> str:
        return "\n".join(renamed(piece.text, self._names) for piece in group)


def _grouped(pieces: list[Piece]) -> list[list[Piece]]:
    """Put variables that follow on one another together."""
    groups: list[list[Piece]] = []
    for piece in pieces:
        is_variable = not piece.text.startswith(("def ", "class ", "@"))
        if groups and is_variable and not groups[-1][-1].text.startswith(("def ", "class ", "@")):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return groups


def _lines_of(statement: ast.stmt) -> list[str]:
    """Return an import as statements of one name each."""
    if not isinstance(statement, (ast.Import, ast.ImportFrom)):
        return []
    start = f"from {statement.module} import" if isinstance(statement, ast.ImportFrom) else "import"
    return [f"{start} {ast.unparse(alias)}" for alias in statement.names]


def _is_azures(node: ast.Import | ast.ImportFrom) -> bool:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    return any(map(_is_root, names))


def _is_root(module: str) -> bool:
    return module.partition(".")[0] in _ROOTS
