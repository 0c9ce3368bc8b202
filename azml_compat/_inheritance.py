"""What makes child processes inherit the alias: the folder `_bootstrap` in their PYTHONPATH.

An environment variable is what every launcher passes on: shells, multiprocessing, joblib, torchrun, Jupyter. A `.pth`
file would reach them too, but also every python that nobody asked to have the alias.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

_VARIABLE = "PYTHONPATH"
# Without pathlib, which costs more than all that happens before the script begins.
_FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_bootstrap")  # noqa: PTH100, PTH118, PTH120


def hand_down(environment: MutableMapping[str, str]) -> None:
    """Have the processes that get this environment, and their children, start with the alias; again is harmless."""
    environment[_VARIABLE] = os.pathsep.join([_FOLDER, *_others(environment)])


def withhold(environment: MutableMapping[str, str]) -> None:
    """Undo `hand_down`; without it, harmless."""
    others = _others(environment)
    if others:
        environment[_VARIABLE] = os.pathsep.join(others)
    else:
        environment.pop(_VARIABLE, None)


def _others(environment: MutableMapping[str, str]) -> list[str]:
    value = environment.get(_VARIABLE)
    return [entry for entry in value.split(os.pathsep) if entry != _FOLDER] if value else []
