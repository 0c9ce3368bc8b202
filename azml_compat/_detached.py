"""Starting a python of our own that shares nothing with the script: no pipes, no terminal, no process group.

It leaves at once the process that was started, so that the script never has a child to wait for. The package is
loaded from its own folder, and nothing from where the script is.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from azml_compat import _names
from azml_compat._inheritance import withhold

_PRIVATE = ("AZUREML_", "AZML_COMPAT_", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_", "PYTHONSTARTUP", "PYTHONINSPECT")
"""Beginnings of the variables that are the script's own business."""
_LOG_BYTES = 1 << 20

# Runs in the new process before anything else is imported.
_BOOT = """
import json, os, sys
if os.fork():
    os._exit(0)
os.setsid()
facts = json.loads(sys.argv[1])
sys.path[:] = [path for path in sys.path if path] + [path for path in facts["path"] if path not in sys.path]
import importlib.util
spec = importlib.util.spec_from_file_location(
    "azml_compat", facts["package"] + "/__init__.py", submodule_search_locations=[facts["package"]]
)
module = sys.modules["azml_compat"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
importlib.import_module(facts["module"]).serve(*facts["arguments"])
"""


def start(
    module: str, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], options: Sequence[str] = ()
) -> None:
    """Have `serve(*arguments)` of one of our modules called in a process of its own.

    Args:
        module: Its name.
        arguments: What `serve` gets.
        folder: The current directory of the process.
        environment: Its variables, all of them.
        options: Of python, besides.

    Raises:
        OSError: no process can be started.
    """
    package = Path(__file__).parent
    facts = {
        "module": module,
        "arguments": list(arguments),
        "package": str(package),
        "path": list(_import_path()),
    }
    subprocess.run(
        [sys.executable, "-W", "ignore", *options, "-c", _BOOT, json.dumps(facts)],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=False,
    )


def environment_of_user() -> dict[str, str]:
    """Return a copy of the environment without what calls of the store under way have set in it."""
    patience = sys.modules.get("azml_compat._tracking.patience")  # Without it, no call can be under way.
    found: dict[str, str] = patience.environment_of_user() if patience is not None else dict(os.environ)
    return found


def own_environment(uri: str) -> dict[str, str]:
    """Return the environment for a process that serves a store: nothing of the script's run, and no alias.

    Args:
        uri: The tracking URI with its credentials, which only the environment of the new process gets to hold.
    """
    environment = {name: value for name, value in environment_of_user().items() if not name.startswith(_PRIVATE)}
    environment |= {_names.ENV_TRACKING_URI: uri, "PYTHONDONTWRITEBYTECODE": "1"}
    withhold(environment)
    return environment


def log_to(file: Path) -> None:
    """Have what this process has to say written to a file."""
    if file.exists() and file.stat().st_size > _LOG_BYTES:
        file.unlink()
    handler = logging.FileHandler(file, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger("azml_compat")
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)


def _import_path() -> Iterator[str]:
    """Yield where this process imports from, without the script's own folder and the current one.

    The package's own folder may be the only place of what it needs: on PYTHONPATH, after `pip install --target`.
    """
    script = Path(sys.argv[0]).absolute().parent if sys.argv and sys.argv[0] else None
    left_out = {Path.cwd(), script}
    for entry in sys.path:
        if entry and Path(entry).is_absolute() and Path(entry) not in left_out:
            yield entry
