"""Starting a python of our own that shares nothing with the script: no pipes, no terminal, no process group.

It leaves at once the process that was started, so that the script never has a child to wait for. The package is
loaded from its own folder, and nothing from beside it or from where the script is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

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
        "path": list(_import_path(package)),
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


def _import_path(package: Path) -> Iterator[str]:
    """Yield where this process imports from, without the script's own folder and the current one."""
    script = Path(sys.argv[0]).absolute().parent if sys.argv and sys.argv[0] else None
    left_out = {Path.cwd(), script, package.parent}
    for entry in sys.path:
        if entry and Path(entry).is_absolute() and Path(entry) not in left_out:
            yield entry
