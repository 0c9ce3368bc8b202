"""`azml-compat doctor`: says where the runs of scripts in this folder go and why, and what stands in the way.

It looks, and changes nothing: no store is opened, no journal sent. A look that fails is a finding like any other.
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import os
import platform
import shlex
import shutil
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, distribution, distributions, version
from pathlib import Path
from typing import Any

import azml_compat
from azml_compat import _config, _names, _runtime
from azml_compat._backlog import Backlog, backlogs
from azml_compat._findings import Finding, Level, note, ok, problem
from azml_compat._inheritance import withhold
from azml_compat._journal import home
from azml_compat._reporting import message_of
from azml_compat._tracking.addresses import without_credentials
from azml_compat._tracking.errors import hide_credentials
from azml_compat._tracking.looking import look_at
from azml_compat._variables import variables
from azml_compat.exceptions import UserErrorException

_SECONDS = 8.0
"""For one heading; what takes longer hangs."""
_FEW = 5
_WIDTH = 110


def main(arguments: Sequence[str]) -> int:
    """Look at everything, and say how it is; return the exit code: 0 when there is no problem, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="azml-compat doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a path may hold what no terminal can show
    try:
        return 1 if _report(as_json=options.json) else 0
    except BrokenPipeError:  # whoever reads has seen enough, and nothing more is to be flushed to them at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _report(*, as_json: bool) -> int:
    """Print what is found, as it is found, and return the number of problems."""
    report: dict[str, list[Finding]] = {}
    for heading, look in _HEADINGS.items():
        report[heading] = _bounded(look)
        if not as_json:
            _show(heading, report[heading])
    problems = sum(finding.level == "problem" for findings in report.values() for finding in findings)
    if as_json:
        _dump(report, problems)
    else:
        print("No problem was found." if not problems else f"Problems: {problems}.", flush=True)
    return problems


_MARKS: dict[Level, str] = {"ok": "ok", "note": "note", "problem": "PROBLEM"}


def _show(heading: str, findings: list[Finding]) -> None:
    print(heading)
    for finding in findings:
        print(_wrapped(f"  {_MARKS[finding.level]:8} ", finding.text))
        if finding.remedy:
            print(f"{'-> ':>14}{finding.remedy}")  # in one piece: commands are copied from here
    print(flush=True)


def _wrapped(prefix: str, text: str) -> str:
    return textwrap.fill(
        text,
        min(_WIDTH, shutil.get_terminal_size((_WIDTH, 0)).columns),
        initial_indent=prefix,
        subsequent_indent=" " * len(prefix),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _dump(report: dict[str, list[Finding]], problems: int) -> None:
    content = {
        "problems": problems,
        "findings": [
            {"heading": heading, **finding._asdict()} for heading, findings in report.items() for finding in findings
        ],
    }
    print(json.dumps(content, indent=2, default=str))


def _bounded(look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """Return what a look finds, and that it failed or took too long if it did."""
    found: list[Finding] = []

    def run() -> None:
        try:
            for finding in look():
                found.append(finding)  # one by one: what was found before a failure counts
        except Exception as error:  # noqa: BLE001 - the doctor is asked when things are broken
            hide_credentials(error)
            found.append(problem(f"This could not be looked at: {type(error).__name__}: {message_of(error)}"))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(_SECONDS)
    if thread.is_alive():
        return [*found, problem(f"This was given up after {_SECONDS:.0f} s: it hangs.")]
    return found


# -- headings ------------------------------------------------------------------------------------------------------


def _store() -> Iterator[Finding]:
    """Where runs go, why, and how the store is."""
    seen = _config.search()
    try:
        choice = _runtime.choose_store(seen.config)
    except UserErrorException as error:
        yield problem(error.message)
        return
    shown = without_credentials(choice.uri)
    yield ok(f"Scripts here use {shown}, because {choice.reason}.", uri=shown, reason=choice.reason)
    if choice.artifact_root is not None:
        yield ok(f"Files of new experiments go to {choice.artifact_root}.", artifact_root=choice.artifact_root)
    elif choice.uri.startswith(("http://", "https://")):
        yield ok("Where files go is up to the server.")
    else:
        yield ok("Files lie beside the runs.")
    if not os.environ.get(_names.ENV_TRACKING_URI):
        yield ok("A script that calls mlflow.set_tracking_uri before its first run decides for itself.")
    if seen.problem:
        yield problem(
            f"{seen.file} cannot be read and does not count: {seen.problem}",
            "Correct it or take it away; Workspace.from_config() raises because of it.",
            file=str(seen.file),
        )
    for path, why in _config.not_used():
        yield note(f"{path} is not used: {why}.", path=str(path))
    yield from look_at(choice.uri)


def _versions() -> Iterator[Finding]:
    """Python, this package, MLflow, and the packages of the SDK beside them."""
    from packaging.requirements import Requirement

    try:
        us = distribution("azml-compat")
        tested, requirements = us.metadata.get_all("Classifier") or [], us.requires or []
    except PackageNotFoundError:  # a checkout that is not installed tells nothing of itself
        tested, requirements = [], []
    python = f"Python {platform.python_version()} at {sys.executable}"
    if f"Programming Language :: Python :: {sys.version_info.major}.{sys.version_info.minor}" in tested or not tested:
        yield ok(f"{python}.", python=platform.python_version())
    else:
        yield note(f"{python}, which azml_compat was not tested with.", python=platform.python_version())
    here = Path(azml_compat.__file__).parent
    yield ok(f"azml_compat {azml_compat.__version__} in {here}.", azml_compat=azml_compat.__version__)
    wanted = next((wanted for wanted in map(Requirement, requirements) if wanted.name == "mlflow"), None)
    try:
        mlflow = version("mlflow")
    except PackageNotFoundError:
        yield problem("MLflow is not installed.", "pip install mlflow")
    else:
        if wanted is not None and not wanted.specifier.contains(mlflow, prereleases=True):
            yield problem(f"MLflow {mlflow} is too old: {wanted} is needed.", f"pip install '{wanted}'", mlflow=mlflow)
        else:
            yield ok(f"MLflow {mlflow}.", mlflow=mlflow)
    yield from _sdk_packages()


def _sdk_packages() -> Iterator[Finding]:
    found = {
        name: package.version
        for package in distributions()
        if (name := (package.metadata["Name"] or "").lower().replace("_", "-")).startswith("azureml-")
    }
    if not found:
        yield ok("No package of the Azure ML SDK is installed, and none is needed.")
        return
    listed = ", ".join(f"{name} {number}" for name, number in sorted(found.items()))
    plugins = " azureml-mlflow adds plugins to MLflow, for addresses that begin with azureml:// alone."
    yield note(
        f"Packages of the Azure ML SDK are installed: {listed}. They are not used where `azureml` is azml_compat."
        f"{plugins if 'azureml-mlflow' in found else ''}",
        f"Nothing here needs them: pip uninstall {' '.join(sorted(found))}",
        packages=found,
    )


def _hook() -> Iterator[Finding]:
    """What `import azureml` gives."""
    spec = importlib.util.find_spec("azureml")
    environment = dict(os.environ)
    withhold(environment)
    children = " So it is in the processes that are started from here." if environment != dict(os.environ) else ""
    if spec is None:
        yield note(
            "`import azureml` fails here, unless the script is started through azml_compat.",
            "azml-compat run python train.py, or `import azml_compat; azml_compat.install()` before the first import.",
            azureml=None,
        )
    elif spec.name == azml_compat.__name__ or spec.origin == azml_compat.__file__:
        yield ok(f"`import azureml` gives azml_compat here.{children}", azureml="azml_compat")
    else:
        place = spec.origin or ", ".join(spec.submodule_search_locations or ())
        yield note(
            f"`import azureml` gives {place} here, unless the script is started through azml_compat.",
            "azml-compat run python train.py, or `import azml_compat; azml_compat.install()` before the first import.",
            azureml=place,
        )


def _journals() -> Iterator[Finding]:
    """What was logged and is not in its store yet."""
    folder = home()
    why = _why_no_journal(folder)
    if why:
        yield problem(
            f"No journal can be kept in {folder}: {why}. Every log call waits for the store.",
            f"Set {_names.ENV_HOME} to a folder of yours on a local disk.",
        )
        return
    yield ok(f"Journals are kept in {folder}.", home=str(folder))
    is_clean = True
    for backlog in backlogs():
        for finding in _backlog(backlog):
            is_clean = False
            yield finding
    if is_clean:
        yield ok("Nothing waits to be sent.")


def _why_no_journal(folder: Path) -> str:
    """Say why a script could not keep a journal below `folder`; empty where it can."""
    if folder.is_symlink():
        return "it is a link"
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if not nearest.is_dir():
        return f"{nearest} is no folder"
    if folder == nearest and hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
        return "it belongs to another user"
    return "" if os.access(nearest, os.W_OK | os.X_OK) else f"{nearest} cannot be written"


def _backlog(backlog: Backlog) -> Iterator[Finding]:
    store = backlog.store or f"a store that its journals in {backlog.spool.folder} do not name"
    served = backlog.spool.has_background()
    is_served = "A background process is sending it." if served else "No background process is sending it."
    for is_alive in (True, False):
        runs = {run: size for run, size in backlog.runs.items() if (run in backlog.alive) == is_alive}
        if not runs:
            continue
        facts: dict[str, Any] = {"store": backlog.store, "runs": runs, "background": served}
        text = f"{sum(runs.values()):,} bytes of {_runs(runs)} are not in {store} yet. {is_served}"
        if is_alive or served:
            yield note(f"{text}{' The scripts are running.' if is_alive else ''}", **facts)
        elif backlog.needs_credentials:
            yield problem(
                text, "Set MLFLOW_TRACKING_URI to the whole address of that store, then: azml-compat sync", **facts
            )
        else:
            yield problem(text, "azml-compat sync", **facts)
    for path in backlog.refused:
        yield problem(
            f"{store} refused what is kept in {path}; it is not tried again.",
            "Look at it; delete the file when it is of no more use.",
            file=str(path),
        )
    for host in sorted(backlog.elsewhere):
        yield note(
            f"There are journals of the machine {host} in {backlog.spool.folder}.",
            f"Only there they can be sent: azml-compat sync, on {host}",
            host=host,
        )


def _runs(runs: dict[str, int]) -> str:
    shown = ", ".join(list(runs)[:_FEW])
    more = f" and {len(runs) - _FEW} more" if len(runs) > _FEW else ""
    return f"run {shown}" if len(runs) == 1 else f"{len(runs)} runs ({shown}{more})"


def _dependencies() -> Iterator[Finding]:
    """What in this folder asks for packages of the SDK."""
    from azml_compat._dependencies import survey

    found, is_whole = survey(Path.cwd())
    for entry in found:
        facts: dict[str, Any] = {
            "file": str(entry.file),
            "line": entry.line,
            "cell": entry.cell,
            "package": entry.package,
        }
        yield note(f"{entry.place} asks for {shlex.quote(entry.requirement)}.", f"{entry.advice}.", **facts)
    if not found:
        yield ok("No requirement, conda, setup or image file and no notebook here asks for the Azure ML SDK.")
    if not is_whole:
        yield note("The folder holds so many files that only a part was looked at.")


_HEADINGS: dict[str, Callable[[], Iterator[Finding]]] = {
    "Tracking store": _store,
    "Environment variables": variables,
    "Versions": _versions,
    "import azureml": _hook,
    "Journals": _journals,
    "Files that ask for the Azure ML SDK": _dependencies,
}
