"""Stands for `msrest.exceptions`: the two bases that errors of the service have."""

from __future__ import annotations

import sys
from typing import Any


class ClientException(Exception):  # noqa: N818 - msrest's name
    """Stands for msrest's root exception."""


class HttpOperationError(ClientException):
    """Stands for msrest's answer-with-an-error-status; where a script has imported msrest, it is one of those too."""

    def __new__(cls, *args: Any, **kwargs: Any) -> HttpOperationError:
        _join_msrest()
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any) -> None:
        Exception.__init__(self, *args)  # msrest's own wants what only a response of its pipeline has


def _join_msrest() -> None:
    """Have an installed msrest's class be a base, so that clauses for that catch too.

    At the time of raising, and not of importing: msrest takes long to import, and most scripts never do.
    """
    installed = getattr(sys.modules.get("msrest.exceptions"), "HttpOperationError", None)
    if installed is not None and not issubclass(HttpOperationError, installed):
        HttpOperationError.__bases__ = (installed,)
