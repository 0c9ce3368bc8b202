"""Help for the tests of the rewrite to plain MLflow: scripts in, scripts out, and what a script has recorded."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from azml_compat._migrate import edits
from azml_compat._migrate.resolving import resolve
from azml_compat._migrate.rewriting import Mark
from azml_compat._migrate.to_mlflow import rewrite
from azml_compat._migrate.to_mlflow.inserting import pieces

if TYPE_CHECKING:
    from mlflow import MlflowClient


def migrated(script: str, *, is_unsafe: bool = False) -> str:
    """Return a script as it is rewritten."""
    rewriting = rewrite(script, resolve(ast.parse(script)), is_unsafe=is_unsafe)
    return edits.apply(script, [edit for fix in rewriting.fixes for edit in fix.edits])


def marks(script: str, taken: Collection[str] = ()) -> list[Mark]:
    """Return what is left of a script of which others take some names."""
    return rewrite(script, resolve(ast.parse(script)), taken=taken).marks


def own_part(script: str) -> str:
    """Return a rewritten script without its imports and the pieces that were inserted."""
    tree = ast.parse(script)
    lines = script.split("\n")
    for statement, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if _is_inserted(statement):
            last = following if isinstance(following, ast.Expr) and _is_text(following.value) else statement
            first = min([statement.lineno, *(node.lineno for node in getattr(statement, "decorator_list", ()))])
            lines[first - 1 : last.end_lineno] = [""] * (last.end_lineno - first + 1)
    return "\n".join(line for line in lines if line.strip())


def _is_inserted(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return True
    name = getattr(statement, "name", None) or getattr(getattr(statement, "target", None), "id", None)
    return name in pieces()


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def rewritten(body: str, start: str = "run = Run.get_context()", *, is_unsafe: bool = False) -> str:
    """Return what becomes of statements that use a run; `start` says where it comes from."""
    script = f"from azureml.core import Experiment, Run, Workspace\n\n{start}\n{body}\n"
    text = own_part(migrated(script, is_unsafe=is_unsafe))
    first = own_part(migrated(f"from azureml.core import Experiment, Run, Workspace\n\n{start}\n"))
    return text.removeprefix(first).strip("\n")


def points(client: MlflowClient, run_id: str) -> dict[str, list[tuple[int, float]]]:
    """Return the points of each metric of a run, in the order of their steps."""
    return {
        key: [(point.step, point.value) for point in sorted(client.get_metric_history(run_id, key), key=_place)]
        for key in client.get_run(run_id).data.metrics
    }


def _place(point: object) -> tuple[int, int]:
    return point.step, point.timestamp


def files(client: MlflowClient, run_id: str, folder: str | None = None) -> Iterator[str]:
    """Yield the paths of the artifacts of a run."""
    for file in client.list_artifacts(run_id, folder):
        if file.is_dir:
            yield from files(client, run_id, file.path)
        else:
            yield file.path
