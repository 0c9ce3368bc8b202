"""`azml-compat migrate`: rewrites scripts and notebooks for azml_compat, or for plain MLflow."""

from __future__ import annotations

import argparse
import functools
import io
import os
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from azml_compat._migrate import migrating, sources
from azml_compat._migrate.migrating import Outcome, Task

_DESCRIPTION = """\
Rewrites Python files, notebooks, and files that list requirements. Without --write nothing is changed, and a diff is
shown; of notebooks, of their cells. What has no exact equivalent stays as it is and is listed at the end. The diff goes
to the standard output, all else to the standard error. Exit codes: 0 done, 1 with --check when something would change,
2 for a path that does not exist, or when a file could not be read or written.
"""
_DONE, _WOULD_CHANGE, _FAILED = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Rewrite, or show what would be rewritten; return the exit code."""
    parser = argparse.ArgumentParser(prog="azml-compat migrate", description=_DESCRIPTION)
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file, or a folder with all below it")
    parser.add_argument(
        "--to",
        required=True,
        choices=("facade", "mlflow"),
        help="facade: imports lead to azml_compat, nothing else changes; mlflow: the tracking API becomes plain MLflow",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--write", action="store_true", help="change the files")
    mode.add_argument("--check", action="store_true", help="change nothing, and exit with 1 if something would change")
    parser.add_argument("--unsafe", action="store_true", help="make changes too that assume something")
    parser.add_argument("--diff", action="store_true", help="show the diff with --write and --check as well")
    parser.add_argument("--quiet", "-q", action="store_true", help="tell of failures only")
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a file may hold what no terminal can show
    try:
        return _run(options)
    except BrokenPipeError:  # whoever reads has seen enough, and nothing more is to be flushed to them at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED


def _run(options: argparse.Namespace) -> int:
    try:
        paths = list(sources.find(options.paths))
    except FileNotFoundError as error:
        print(f"azml-compat migrate: {error}", file=sys.stderr)
        return _FAILED
    shows_diff = options.diff or not (options.write or options.check)
    tasks = [Task(path, options.to, options.unsafe, options.write) for path in paths]
    outcomes = migrating.migrate_all(tasks)
    for outcome in outcomes:
        if shows_diff and outcome.diff and not outcome.failure:
            sys.stdout.write(outcome.diff)
    sys.stdout.flush()
    say = functools.partial(print, file=sys.stderr)
    verb = "Changed" if options.write else "Would change"
    if not options.quiet:
        for outcome in outcomes:
            if outcome.is_changed and not shows_diff:
                say(f"{verb} {outcome.path}")
        for left in (left for outcome in outcomes for left in outcome.left):
            say(f"{left.place}  {left.rule}  left: {left.message}")
    for outcome in outcomes:
        if outcome.failure:
            say(f"{outcome.path}  failed: {outcome.failure}")
    if not options.quiet:
        say(_summary(outcomes, verb, is_unsafe=options.unsafe))
    if any(outcome.failure for outcome in outcomes):
        return _FAILED
    return _WOULD_CHANGE if options.check and any(outcome.is_changed for outcome in outcomes) else _DONE


def _summary(outcomes: list[Outcome], verb: str, *, is_unsafe: bool) -> str:
    """Return the totals, of which the unsafe changes are always said."""
    changed = sum(outcome.is_changed for outcome in outcomes)
    made, held_back = (_total(getattr(outcome, name) for outcome in outcomes) for name in ("fixes", "held_back"))
    left = sum(len(outcome.left) for outcome in outcomes)
    files = sum(bool(outcome.left) for outcome in outcomes)
    failures = sum(bool(outcome.failure) for outcome in outcomes)
    lines = [
        f"{verb} {changed} of {_counted(len(outcomes), 'file')}: {_counted(made.total(), 'change')}{_by_rule(made)}."
    ]
    unsafe = f"{_counted(held_back.total(), 'unsafe change')}{_by_rule(held_back)}"
    lines.append("Unsafe changes were made as well." if is_unsafe else f"Held back: {unsafe}, to be had with --unsafe.")
    lines.append(f"Left to do by hand: {_counted(left, 'place')} in {_counted(files, 'file')}.")
    if failures:
        lines.append(f"Failed: {_counted(failures, 'file')}.")
    return "\n".join(lines)


def _total(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counter in counters:
        total += counter
    return total


def _by_rule(counter: Counter[str]) -> str:
    listed = ", ".join(f"{rule} {count}" for rule, count in sorted(counter.items()))
    return f" ({listed})" if listed else ""


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
