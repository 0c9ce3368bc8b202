from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
USUAL = "import azml_compat; from azml_compat.core import Experiment, Run, Workspace"
HEAVY = {"mlflow", "numpy", "pandas", "matplotlib", "pathspec"}
COSTLY = {
    *("asyncio", "concurrent.futures", "dataclasses", "email", "getpass", "hashlib", "http.client"),
    *("importlib.metadata", "inspect", "logging", "multiprocessing", "platform", "random", "shutil", "socket"),
    *("sqlite3", "ssl", "subprocess", "tempfile", "traceback", "urllib.request", "uuid", "zipfile"),
}
"""Each costs one millisecond or more, together 40; what needs one of them imports it when it does."""
STORE = {f"azml_compat.{room}" for room in ("_delivery", "_journal", "_publishing", "_reading", "_sidecar", "_writer")}
STORE |= {"azml_compat._background", "azml_compat._models", "azml_compat._tracking.store"}


def imported_by(code: str) -> set[str]:
    """The modules that `code` adds to those of a bare interpreter."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "AZ", "COV"))}
    environment["PYTHONPATH"] = str(REPOSITORY)
    shown = subprocess.run(
        [sys.executable, "-c", f"import sys; before = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        timeout=120,
    )
    return set(shown.stdout.split())


@pytest.mark.parametrize("code", ["import azml_compat", "import azml_compat; from azml_compat.core import Run", USUAL])
@pytest.mark.parametrize("kind", ["heavy", "costly", "store"])
def test_an_import_leaves_alone_what_only_a_run_needs(code: str, kind: str) -> None:
    unwanted = {"heavy": HEAVY, "costly": COSTLY, "store": STORE}[kind]

    assert not imported_by(code) & unwanted


def test_the_package_alone_imports_nothing_of_the_facade() -> None:
    own = {name for name in imported_by("import azml_compat") if name.startswith("azml_compat")}

    assert own == {"azml_compat", "azml_compat._alias"}


def test_the_names_looked_for_are_those_of_modules() -> None:
    everything = "import " + ", ".join(sorted(COSTLY | STORE))

    assert imported_by(everything) >= COSTLY | STORE
