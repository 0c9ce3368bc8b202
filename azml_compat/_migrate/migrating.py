"""Files on their way to azml_compat or to plain MLflow: what changes in each, and what is left for a person to do.

Whatever is in a file, the outcome says it, and nothing is raised: one file does not stop the rest. A change is written
only where it can be read back, and what it makes can be parsed.
"""

from __future__ import annotations

import ast
import dataclasses
import re
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from azml_compat._migrate import edits, facade, neighbours, pool, requirements, sources
from azml_compat._migrate.requirements import Target
from azml_compat._migrate.resolving import resolve
from azml_compat._migrate.rewriting import Rewriting
from azml_compat._migrate.sources import Source, Unit

_NAMES: dict[Target, re.Pattern[bytes]] = {
    "facade": re.compile(rb"azureml", re.IGNORECASE),
    "mlflow": re.compile(rb"azureml|azml[-_.]compat", re.IGNORECASE),
}
"""What is in a file that has something to rewrite."""
_IMPORT = re.compile(r"^\s*(?:from\s+|import\b[^\n#;]*\b)(?:azureml|azml_compat)\b", re.MULTILINE)


class Task(NamedTuple):
    """What is to be done with a file."""

    path: Path
    target: Target
    is_unsafe: bool = False
    """Whether fixes are made too that assume something."""
    is_written: bool = False
    """Whether the file is changed, or only looked at."""
    taken: frozenset[str] = frozenset()
    """What other files import from it; see `neighbours`."""
    is_needed: bool | None = None
    """Whether some script imports azureml or azml_compat afterwards, so that it is still required; None: not known."""


class Left(NamedTuple):
    """A place that was left as it is."""

    place: str
    """For a person: the file, the cell of a notebook, the line."""
    rule: str
    message: str


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of a file."""

    path: Path
    diff: str = ""
    """Of a notebook, of its cells."""
    fixes: Counter[str] = dataclasses.field(default_factory=Counter)
    """{rule: how many fixes were made}."""
    held_back: Counter[str] = dataclasses.field(default_factory=Counter)
    """{rule: how many unsafe fixes were not made}."""
    left: tuple[Left, ...] = ()
    failure: str = ""
    """Why it is as it was, although it should have been changed."""
    has_imports: bool = False
    """Whether it imports azureml or azml_compat afterwards."""
    is_deferred: bool = False
    """Whether it is to be done once `Task.is_needed` is known, and nothing else is said yet."""

    @property
    def is_changed(self) -> bool:
        """Whether it was changed, or would be."""
        return bool(self.diff)


def migrate_all(tasks: Sequence[Task]) -> list[Outcome]:
    """Rewrite files; what they require, when it is known what they still import."""
    if len(tasks) > 1 and tasks[0].target == "mlflow":
        taken = neighbours.taken(task.path for task in tasks)
        tasks = [task._replace(taken=taken.get(task.path, frozenset())) for task in tasks]
    outcomes = list(pool.each(migrate, tasks, failed))
    is_needed = any(outcome.has_imports or outcome.failure for outcome in outcomes)
    deferred = [index for index, outcome in enumerate(outcomes) if outcome.is_deferred]
    again = [tasks[index]._replace(is_needed=is_needed) for index in deferred]
    for index, outcome in zip(deferred, pool.each(migrate, again, failed), strict=True):
        outcomes[index] = outcome
    return outcomes


def migrate(task: Task) -> Outcome:
    """Rewrite one file."""
    try:
        source = sources.read_if_named(task.path, _NAMES[task.target])
        return Outcome(task.path) if source is None else _migrated(task, source)
    except sources.UnreadableError as error:
        return Outcome(task.path, left=(Left(str(task.path), "AZ002", f"{error}: nothing in it was looked at"),))
    except OSError as error:
        return Outcome(task.path, failure=error.strerror or str(error))
    except Exception as error:  # noqa: BLE001 - a mistake of ours with one file is no reason to leave the others
        return failed(task, f"{type(error).__name__}: {error}")


def failed(task: Task, why: str = "its process ended") -> Outcome:
    """Return the outcome for a file that could not be rewritten."""
    return Outcome(task.path, failure=f"it could not be rewritten, which is a mistake of azml-compat: {why}")


def _migrated(task: Task, source: Source) -> Outcome:
    changes: list[tuple[Unit, list[edits.Edit]]] = []
    made: Counter[str] = Counter()
    held_back: Counter[str] = Counter()
    left: list[Left] = []
    is_deferred = False
    for unit in (*source.units, *source.others):
        changes.append((unit, []))
        for problem in unit.problems:
            if _is_concerned(unit.raw, task):
                place = _place(unit, problem.cell, problem.line)
                left.append(Left(place, "AZ001", f"it does not parse, and stays as it is: {problem.message}"))
        asked_for = requirements.rewrite(unit, "facade" if task.is_needed else task.target)
        is_deferred |= bool(asked_for.fixes) and task.target == "mlflow" and task.is_needed is None
        for rewriting in (asked_for, *_rewritings(unit, task)):
            for fix in rewriting.fixes:
                if fix.is_safe or task.is_unsafe:
                    changes[-1][1].extend(fix.edits)
                    made[fix.rule] += 1
                else:
                    held_back[fix.rule] += 1
            for mark in rewriting.marks:
                left.append(Left(_place(unit, *unit.place(mark.line)), mark.rule, mark.message))
    has_imports = any(_IMPORT.search(edits.apply(unit.raw, found)) for unit, found in changes if unit in source.units)
    if is_deferred:
        return Outcome(task.path, has_imports=has_imports, is_deferred=True)
    if not made:
        return Outcome(task.path, held_back=held_back, left=tuple(left), has_imports=has_imports)
    content = source.edited(changes)
    diff = _checked_diff(source, changes, content)
    if diff and task.is_written:
        sources.write(task.path, content)
    return Outcome(task.path, diff, made, held_back, tuple(left), has_imports=has_imports)


def _rewritings(unit: Unit, task: Task) -> list[Rewriting]:
    """Return what is to be done with the Python of a unit."""
    if unit.tree is None or not _is_concerned(unit.text, task):
        return []
    resolution = resolve(unit.tree)
    if task.target == "facade":
        return [facade.rewrite(unit.text, resolution)]
    from azml_compat._migrate import to_mlflow  # the larger part, which the other target does not need

    cells = [part.start for part in unit.parts if part.cell is not None]
    return [to_mlflow.rewrite(unit.text, resolution, is_unsafe=task.is_unsafe, cells=cells, taken=task.taken)]


def _is_concerned(text: str, task: Task) -> bool:
    return _NAMES[task.target].search(text.encode("utf-8", "surrogatepass")) is not None


def _place(unit: Unit, cell: int | None, line: int) -> str:
    return f"{unit.path}:{line}" if cell is None else f"{unit.path}:cell {cell}:{line}"


def _checked_diff(source: Source, changes: list[tuple[Unit, list[edits.Edit]]], content: bytes) -> str:
    """Return the diff of a file and its new content, which is read to see that it is what it should be."""
    after = sources.read(source.path, content)
    for (unit, found), new in zip(changes, (*after.units, *after.others), strict=True):
        if new.raw != edits.apply(unit.raw, sources.settled(unit, found)):
            raise AssertionError(f"the new text of {unit.name} is not what was to be written")
        _check(unit, new)
    if source.notebook is None or after.notebook is None:
        (unit, _), *_ = changes
        return edits.diff(unit.raw, (*after.units, *after.others)[0].raw, str(source.path))
    return "".join(
        edits.diff(_text(old.source), _text(new.source), f"{source.path}:cell {old.number}")
        for old, new in zip(source.notebook.cells, after.notebook.cells, strict=True)
    )


def _text(cell: str) -> str:
    """Return the source of a cell as a person reads it: each line ends, and with a line feed."""
    return cell.replace("\r\n", "\n").rstrip("\n") + "\n"


def _check(old: Unit, new: Unit) -> None:
    """Raise a SyntaxError for a new text that is no Python where the old one was."""
    if old.tree is None or old.raw == new.raw:
        return
    if new.tree is None or len(new.problems) > len(old.problems):
        raise SyntaxError("; ".join(f"line {problem.line}: {problem.message}" for problem in new.problems))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(old.tree, old.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return  # it never did
        compile(new.tree, new.name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
