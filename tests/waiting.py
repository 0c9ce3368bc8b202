"""Waiting for, and looking at, what another process does in its own time."""

from __future__ import annotations

import os
import time
from pathlib import Path


def wait_for(condition, seconds=60):
    """Tell whether a condition comes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def files_below(folder):
    """List the files in a folder from which others remove some, or whole folders, meanwhile."""
    return [Path(place, name) for place, _, names in os.walk(folder) for name in names]
