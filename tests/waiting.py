"""Waiting for what another process does in its own time."""

from __future__ import annotations

import time


def wait_for(condition, seconds=60):
    """Tell whether a condition comes true within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False
