"""`azml-compat verify`: proves that a migrated script records what the old one did, by running both."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from azml_compat._common.exceptions import AzureMLException
from azml_compat._reporting import message_of
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking import Store
from azml_compat._tracking.addresses import absolute_uri
from azml_compat._verify.records import Recorded
from azml_compat._verify.running import CannotRunError
from azml_compat._verify.verifying import Comparison, compare_runs, compare_scripts

_USAGE = """\
azml-compat verify [--folder FOLDER] [--on URI] [--json] OLD NEW [-- argument ...]
       azml-compat verify --store URI [--store URI] [--json] RUN_OLD RUN_NEW"""
_DESCRIPTION = """\
Runs OLD with azml_compat in azureml's place, and NEW as it is, each in a copy of its folder and on a fresh store; then
compares what they have recorded: runs and how they are nested, status, metrics with all their values, params, tags,
files by content, models. Ids, times and facts of the machine are set aside. With --store, compares two runs that are
there. Exit codes: 0 the same was recorded, 1 something differs, 2 nothing can be said.
"""
_EQUAL, _DIFFERENT, _CANNOT = 0, 1, 2
_TAIL = 30
"""Lines that are shown of the output of a script that failed."""


def main(arguments: Sequence[str]) -> int:
    """Compare two scripts, or two runs; return the exit code."""
    words = list(arguments)
    at = words.index("--") if "--" in words else len(words)
    parser = _parser()
    options = parser.parse_args(words[:at])
    if options.store and (options.on or options.folder or words[at:] or len(options.store) > 2):
        parser.error("--store is about runs that are there: once or twice, without --on, --folder and arguments")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # what was logged may be what no terminal can show
    try:
        if options.store:
            stores = [Store(absolute_uri(uri, Path.cwd()), may_create=False) for uri in options.store]
            comparison = compare_runs(stores[0], options.old, stores[-1], options.new)
        else:
            comparison = compare_scripts(
                Path(options.old), Path(options.new), words[at + 1 :], folder=options.folder, on=options.on
            )
    except (CannotRunError, LookupError) as error:
        return _fail(error.args[0])
    except (AzureMLException, ServiceException) as error:
        return _fail(message_of(error))
    (_dump if options.json else _show)(comparison)
    if comparison.is_empty:
        return _CANNOT
    return _DIFFERENT if comparison.differences else _EQUAL


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="azml-compat verify",
        usage=_USAGE,
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("old", metavar="OLD", help="the script or notebook for azureml, or the id of its run")
    parser.add_argument("new", metavar="NEW", help="its successor")
    parser.add_argument(
        "--folder", type=Path, help="the folder to copy and to be in, where that is not the one that the script is in"
    )
    parser.add_argument(
        "--on", metavar="URI", help="run both on this store, where nothing else may be started meanwhile"
    )
    parser.add_argument(
        "--store",
        action="append",
        metavar="URI",
        help="compare two runs of this store, with all below them; said twice, the second one has RUN_NEW",
    )
    parser.add_argument("--json", action="store_true", help="for machines")
    return parser


def _fail(why: object) -> int:
    sys.stderr.write(f"azml-compat verify: {why}\n")
    return _CANNOT


# -- reports -------------------------------------------------------------------------------------------------------


def _show(comparison: Comparison) -> None:
    for side, ending in zip(("OLD", "NEW"), comparison.endings, strict=False):
        if ending.code:
            lines = ending.output.splitlines() or ["(no output)"]
            # Where both fail alike, what they say at last is enough.
            shown = lines[-_TAIL:] if comparison.differences or comparison.is_empty else lines[-1:]
            print(f"{side} has failed with exit code {ending.code}:", *shown, sep="\n  | ")
    for run, differences in groupby(comparison.differences, key=lambda difference: difference.run):
        print(run)
        for difference in differences:
            print(f"  {difference.kind} {difference.name}".rstrip())
            print(f"    old  {_shown(difference.old)}\n    new  {_shown(difference.new)}")
    print(_conclusion(comparison))


def _shown(text: str | None) -> str:
    if text is None:
        return "(absent)"
    return text if text.isprintable() and text.strip() == text != "" else repr(text)


def _conclusion(comparison: Comparison) -> str:
    if comparison.is_empty:
        return "Neither has recorded a run in the store that MLFLOW_TRACKING_URI named, so that nothing can be said."
    if not comparison.differences:
        return f"Both have recorded the same: {_counts(comparison.old)}."
    sides = f"OLD: {_counts(comparison.old)}. NEW: {_counts(comparison.new)}."
    return f"Differences: {len(comparison.differences)}. {sides}"


def _counts(runs: Sequence[Recorded]) -> str:
    return ", ".join(f"{count} {what if count != 1 else what.removesuffix('s')}" for what, count in _totals(runs))


def _totals(runs: Sequence[Recorded]) -> Iterator[tuple[str, int]]:
    every = [run for root in runs for run in root.with_descendants()]
    yield "runs", len(every)
    yield "metrics", sum(len(run.metrics) for run in every)
    yield "values", sum(len(moment) for run in every for series in run.metrics.values() for moment in series)
    for what in ("params", "tags"):
        yield what, sum(len(getattr(run, what)) for run in every)
    tables = sum(table.has_texts for run in every for table in run.tables.values())
    yield "files", tables + sum(len(run.files) for run in every)


def _dump(comparison: Comparison) -> None:
    sides = {}
    for side, runs in (("old", comparison.old), ("new", comparison.new)):
        sides[side] = dict(_totals(runs))
    for side, ending in zip(("old", "new"), comparison.endings, strict=False):
        sides[side]["exit_code"] = ending.code
    differences = [difference._asdict() for difference in comparison.differences]
    print(
        json.dumps(
            {"is_equal": None if comparison.is_empty else not differences, **sides, "differences": differences},
            indent=2,
        )
    )
