r"""The rewrite of the tracking API to plain MLflow: a script that records what it recorded, without azml_compat.

    rewrite("from azureml.core import Run\nRun.get_context().log('loss', 1)\n", resolution)

Rules, a family of calls each, say what becomes of a call (`scalars`, `tags`, `files` …); where MLflow needs several
statements for one call, they call a function of `pieces`, which is inserted below the imports. All uses of runs and
experiments in a module are rewritten or none, so that no run is half one thing and half the other. What has no exact
equivalent, and what is not understood, is marked with a comment.
"""

from __future__ import annotations

from collections.abc import Collection

from azml_compat._migrate.resolving import Resolution
from azml_compat._migrate.rewriting import Rewriting
from azml_compat._migrate.to_mlflow.module import Module

__all__ = ["rewrite"]


def rewrite(
    text: str,
    resolution: Resolution,
    *,
    is_unsafe: bool = False,
    cells: Collection[int] = (),
    taken: Collection[str] = (),
) -> Rewriting:
    """Say what is to be changed in a module for plain MLflow.

    Args:
        text: Of the module; its lines end with a line feed.
        resolution: What in it is azureml's.
        is_unsafe: Prefer plainer code that assumes something: that a value which is logged is a number, that a tag has
            a value.
        cells: Where the cells of a notebook begin.
        taken: The names of the module that other files import, and, each with a dot before it, the attributes that
            those read.

    Returns:
        The fixes, of which the unsafe ones have no edits unless they are asked for: they count.
    """
    if not resolution.uses:
        return Rewriting([], [])
    return Module(text, resolution, is_unsafe=is_unsafe, cells=cells, taken=taken).rewriting()
