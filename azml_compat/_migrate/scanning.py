"""What in a body of files is azureml's, and what becomes of it here: the findings of `azml-compat scan`.

Whatever is in a file, its result says it, and nothing is raised: one file does not stop the rest.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from azml_compat._dependencies import Dependency
from azml_compat._migrate import pool, requirements, sources
from azml_compat._migrate.judging import BLOCKING, LEVELS, Level, judge, short
from azml_compat._migrate.resolving import place_of, resolve
from azml_compat._migrate.sources import Unit

_UNCHANGED = "AZ100"
_REQUIREMENTS = "AZ200"
_NAMES = re.compile(rb"azureml|azml_compat", re.IGNORECASE)


class Finding(NamedTuple):
    """One thing that is to be said of a place.

    Attributes:
        cell: Of a notebook, counted from 1; None in other files.
        line: Of the file or the cell, from 1.
        column: In characters, from 1.
        name: The azureml name or the package that it is about; empty where it is about neither.
        message: What it is, and what to do. Markdown, on one line.
        is_note: Whether it is worth knowing only, and not to be counted.
    """

    path: Path
    cell: int | None
    line: int
    column: int
    rule: str
    level: Level
    name: str
    message: str
    is_note: bool = False

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        where = f"{self.line}:{self.column}"
        return f"{self.path}:{where}" if self.cell is None else f"{self.path}:cell {self.cell}:{where}"


class Task(NamedTuple):
    """What is to be looked for in a file."""

    path: Path
    is_all: bool = False
    """Whether uses that run unchanged are reported too."""


@dataclasses.dataclass(frozen=True)
class Result:
    """What there is in one file."""

    path: Path
    findings: tuple[Finding, ...] = ()
    uses: Counter[Level] = dataclasses.field(default_factory=Counter)
    """{level: how many uses}, imports among them."""
    calls: Counter[Level] = dataclasses.field(default_factory=Counter)
    """The same of calls alone."""

    @property
    def is_concerned(self) -> bool:
        """Whether it uses azureml, as far as one could look."""
        return bool(self.uses) or any(finding.rule < _UNCHANGED for finding in self.findings)

    @property
    def runs(self) -> bool:
        """Whether it runs as it is: nothing in it is refused, or not known."""
        return not any(finding.level in BLOCKING for finding in self.findings)


@dataclasses.dataclass(frozen=True)
class Report:
    """What there is in all files.

    Attributes:
        findings: In the order of files and places, notes among them.
        files: How many were looked at.
        concerned: How many of them use azureml.
        running: How many of these run as they are.
        unchanged: How many of these have no finding at all, notes aside.
        calls: {level: how many calls of azureml}.
        uses: {level: how many uses of it}, all kinds together.
        holding_back: (name, in how many files) of those that are refused or unknown, the most frequent first.
    """

    findings: tuple[Finding, ...]
    files: int
    concerned: int
    running: int
    unchanged: int
    calls: Counter[Level]
    uses: Counter[Level]
    holding_back: tuple[tuple[str, int], ...]

    @property
    def covered(self) -> float | None:
        """The share of calls that nothing is wrong with but that they have less effect; None where there are none."""
        total = sum(self.calls.values())
        return 1 - sum(self.calls[level] for level in BLOCKING) / total if total else None

    def counted(self, level: Level) -> list[Finding]:
        """Return the findings from a level on; notes do not count."""
        return [finding for finding in self.findings if not finding.is_note and is_from(finding.level, level)]


def is_from(level: Level, lowest: Level) -> bool:
    """Tell whether a level is at least another."""
    return LEVELS.index(level) >= LEVELS.index(lowest)


def scan(paths: Sequence[Path], *, is_all: bool = False, progress: Callable[[int, int], None] | None = None) -> Report:
    """Look at files.

    Args:
        paths: The files, each at most once.
        is_all: Whether uses that run unchanged are findings too.
        progress: Called with how many files are done, and how many there are.
    """
    results = []
    for result in pool.each(look_at, [Task(path, is_all) for path in paths], _broken):
        results.append(result)
        if progress is not None:
            progress(len(results), len(paths))
    return summed(results)


def summed(results: Iterable[Result]) -> Report:
    """Make one report of what is in each file."""
    results = list(results)
    concerned = [result for result in results if result.is_concerned]
    running = [result for result in concerned if result.runs]
    calls: Counter[Level] = Counter()
    uses: Counter[Level] = Counter()
    names: Counter[str] = Counter()
    for result in results:
        calls += result.calls
        uses += result.uses
        names.update(
            {
                finding.name
                for finding in result.findings
                if finding.level in BLOCKING and finding.name and finding.rule < _REQUIREMENTS
            }
        )
    return Report(
        tuple(finding for result in results for finding in result.findings),
        len(results),
        len(concerned),
        len(running),
        sum(
            not any(not finding.is_note and finding.rule != _UNCHANGED for finding in result.findings)
            for result in running
        ),
        calls,
        uses,
        tuple(sorted(names.items(), key=lambda item: (-item[1], item[0]))),
    )


def look_at(task: Task) -> Result:
    """Look at one file."""
    path = task.path
    try:
        source = sources.read_if_named(path, _NAMES)
        return Result(path) if source is None else _looked_at(task, source)
    except sources.UnreadableError as error:
        return _unread(path, str(error))
    except OSError as error:
        return _unread(path, error.strerror or str(error))
    except Exception as error:  # noqa: BLE001 - a mistake of ours with one file is no reason to leave the others
        return _unread(path, f"that is a mistake of azml-compat's: {type(error).__name__}: {error}")


def _unread(path: Path, why: str) -> Result:
    why = " ".join(why.split())
    message = f"Nothing in it was looked at: {why}."
    return Result(path, (Finding(path, None, 1, 1, "AZ002", "unknown", "", message),))


def _broken(task: Task) -> Result:
    return _unread(task.path, "looking at it ended the process")


def _looked_at(task: Task, source: sources.Source) -> Result:
    findings: list[Finding] = []
    uses: Counter[Level] = Counter()
    calls: Counter[Level] = Counter()
    for unit in (*source.units, *source.others):
        findings += _asked_for(unit)
        if not any(name in unit.raw for name in ("azureml", "azml_compat")):
            continue
        for problem in unit.problems:
            message = f"It does not parse: {' '.join(problem.message.split())}. Nothing in it was looked at."
            findings.append(Finding(task.path, problem.cell, problem.line, 1, "AZ001", "unknown", "", message))
        if unit.tree is None:
            continue
        resolution = resolve(unit.tree)
        lines = unit.text.split("\n")
        for use in resolution.uses:
            verdict = judge(use, resolution)
            uses[verdict.level] += 1
            if use.kind == "call":
                calls[verdict.level] += 1
            if verdict.level != "runs unchanged" or task.is_all:
                line, column = place_of(use.node)
                cell, within = unit.place(line)
                text = lines[line - 1].encode("utf-8", "surrogatepass")[:column] if line <= len(lines) else b""
                findings.append(
                    Finding(
                        task.path,
                        cell,
                        within,
                        len(text.decode("utf-8", "replace")) + 1,
                        verdict.rule,
                        verdict.level,
                        use.path,
                        verdict.message or f"`{short(use.path)}` runs unchanged.",
                        verdict.is_note,
                    )
                )
    findings.sort(key=lambda finding: (finding.cell or 0, finding.line, finding.column))
    return Result(task.path, tuple(findings), uses, calls)


def _asked_for(unit: Unit) -> Iterator[Finding]:
    """Yield a finding for each package of the SDK that a text asks for."""
    if "azureml" not in unit.raw.lower():
        return
    try:
        listed = requirements.listed(unit)
    except Exception:  # noqa: BLE001 - whatever its parser says of a file that is not what its name promises
        return
    for entry in listed:
        if not entry.is_sdks:
            continue
        line, column = entry.line, 1
        if entry.start >= 0:
            column = entry.start - unit.raw.rfind("\n", 0, entry.start)
        cell, within = unit.place(line)
        asked = Dependency(unit.path, within, cell, entry.requirement, entry.package)
        advice = asked.advice[:1].upper() + asked.advice[1:]
        yield Finding(
            unit.path,
            cell,
            within,
            column,
            requirements.rule_of(asked),
            "refused" if asked.is_missed else "inert",
            asked.package,
            f"`{entry.requirement}` is of the SDK. {advice}.",
        )
