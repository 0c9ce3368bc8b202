"""Where the journals of this user lie.

Apart from `_journal`, whose import costs more than it is worth to who asks only this.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path

from azml_compat import _names


def home() -> Path:
    """Return AZML_COMPAT_HOME, by default ~/.azml_compat."""
    chosen = os.environ.get(_names.ENV_HOME)
    if chosen:
        return _absolute(chosen)
    try:
        return Path.home() / ".azml_compat"
    except RuntimeError:  # A user without a home; containers give such a one the root.
        return Path("/.azml_compat").absolute()


@functools.cache
def _absolute(path: str) -> Path:
    """Return what a relative path meant when it was first asked for: scripts change their current directory."""
    return Path(path).absolute()


def spools() -> Path:
    """Return the folder of all journals."""
    return home() / "spool"


def spools_within(folder: Path) -> Path | None:
    """Return where the journals lie below `folder`, in its own terms; `folder` itself when it is among them.

    Whoever reads the files of a folder leaves them out. They are no files of the user's, and a process that reads its
    own journal is taken for dead from then on: closing the file drops the lock that says it is alive.
    """
    journals, real = Path(os.path.realpath(spools())), Path(os.path.realpath(folder))
    if real.is_relative_to(journals):
        return folder
    return folder / journals.relative_to(real) if journals.is_relative_to(real) else None
