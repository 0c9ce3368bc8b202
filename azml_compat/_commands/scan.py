"""`azml-compat scan`: says what scripts and notebooks use of the Azure ML SDK, and what becomes of it here."""

from __future__ import annotations

import argparse
import io
import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from azml_compat._migrate import scanning, sources
from azml_compat._migrate.judging import Level
from azml_compat._migrate.reports import FORMATS, View, render
from azml_compat._migrate.rules import RULES

_DESCRIPTION = """\
Looks through Python files, notebooks, and files that list requirements, and changes nothing. One line says of each use
of the Azure ML SDK that is not as it is on Azure what it is and what to do. Levels: inert (accepted, has no effect),
partial (does what it does on Azure, apart from what is said), unknown (not recorded), refused (raises an error). Exit
codes: 0 no finding, 1 findings, 2 a path that does not exist, or a mistake in the command.
"""
_CLEAN, _FOUND, _FAILED = 0, 1, 2
_SHOWN: tuple[Level, ...] = get_args(Level)[1:]


def main(arguments: Sequence[str]) -> int:
    """Look, and report; return the exit code."""
    parser = argparse.ArgumentParser(prog="azml-compat scan", description=_DESCRIPTION)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="a file, or a folder with all below it")
    parser.add_argument("--format", choices=tuple(FORMATS), default="terminal", help="of the report (default terminal)")
    parser.add_argument("--output", "-o", type=Path, metavar="FILE", help="where to write the report")
    parser.add_argument(
        "--level",
        choices=_SHOWN,
        default=_SHOWN[0],
        help=f"the lowest level that is shown, and counts for the exit code (default {_SHOWN[0]})",
    )
    parser.add_argument(
        "--all", action="store_true", help="show notes, and what runs unchanged, too; they do not count"
    )
    parser.add_argument("--explain", metavar="RULE", help="say what a rule is about, and do nothing else")
    options = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file may hold what no terminal can show
    try:
        return _explain(options.explain) if options.explain else _run(options)
    except BrokenPipeError:  # whoever reads has seen enough, and nothing more is to be flushed to them at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED


def _run(options: argparse.Namespace) -> int:
    if not options.paths:
        return _fail("name the files or folders to look at")
    try:
        paths = list(sources.find(options.paths))
    except OSError as error:
        return _fail(str(error))
    report = scanning.scan(paths, is_all=options.all, progress=_progress())
    text = render(View(report, options.level, options.all), options.format)
    if options.output is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        try:
            options.output.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        except OSError as error:
            return _fail(f"{options.output} cannot be written: {error.strerror or error}")
    return _FOUND if report.counted(options.level) else _CLEAN


def _explain(rule_id: str) -> int:
    rule = RULES.get(rule_id.upper())
    if rule is None:
        return _fail(f"there is no rule {rule_id}; there are {', '.join(RULES)}")
    print(f"{rule.id}: {rule.title}\n")
    print(textwrap.fill(rule.explanation, 100, break_long_words=False, break_on_hyphens=False))
    return _CLEAN


def _fail(why: str) -> int:
    print(f"azml-compat scan: {why}", file=sys.stderr)
    return _FAILED


def _progress() -> Callable[[int, int], None] | None:
    """Return what shows how far the scan is; nothing where nobody watches."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, of: int) -> None:
        if done % 20 == 0 or done == of:
            end = "\r\033[K" if done == of else ""
            print(f"\r{done:,} of {of:,} files{end}", end="", file=sys.stderr, flush=True)

    return show
