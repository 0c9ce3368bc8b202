"""What is special in a notebook: the protocol of IPython's extensions, its display, and cells that fail on their own.

The one module that knows IPython. It never imports it: where a shell is running, IPython is there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import PurePath
from typing import Any

from azml_compat._alias import install, uninstall


def load_ipython_extension(_shell: Any) -> None:
    """Do what `%load_ext azml_compat` asks for: `import azureml` gives azml_compat from now on."""
    install()


def unload_ipython_extension(_shell: Any) -> None:
    """Do what `%unload_ext azml_compat` asks for."""
    uninstall()


def shell() -> Any:
    """Return the IPython shell of this process, a notebook's or a terminal's; None in a plain python."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None


def name() -> str | None:
    """Return the name of the notebook whose kernel this process is, without `.ipynb`; None elsewhere."""
    running = shell()
    if not hasattr(running, "kernel"):
        return None
    # Jupyter's server says it, and so does VS Code; who executes a notebook from beginning to end does not.
    path = os.environ.get("JPY_SESSION_NAME") or running.user_ns.get("__vsc_ipynb_file__") or ""
    return PurePath(path).name.partition(".ipynb")[0] or "notebook"


def watch_cells(begin: Callable[[], None], end: Callable[[BaseException | None], None]) -> None:
    """Have `begin` called before each cell, and `end` after it.

    Args:
        begin: Not called for the cell that is running now.
        end: Gets the error that ended the cell; None when it went well, or was interrupted.
    """
    running = shell()
    if running is None:
        return

    def end_cell(result: Any) -> None:
        # There is no result of a cell that was interrupted while it awaited something.
        error = None if result is None else result.error_before_exec or result.error_in_exec
        # Who presses stop ends a cell, and not the run.
        end(None if isinstance(error, KeyboardInterrupt) else error)

    running.events.register("pre_run_cell", lambda _info: begin())
    running.events.register("post_run_cell", end_cell)


def display(html: str, text: str) -> None:
    """Show HTML below the cell, and `text` where only text can be shown."""
    import_module("IPython.display").display({"text/html": html, "text/plain": text}, raw=True)
