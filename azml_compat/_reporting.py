"""How trouble is told that must not be raised: raising would hide the script's own error, or stop its training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Warnings:
    """The logger `azml_compat`. Importing logging costs 6 ms, so that only the first message does it."""

    def warning(self, message: str, *values: object) -> None:
        import logging

        # No NullHandler: what is reported here and not raised must reach a script that has not set up logging.
        logging.getLogger("azml_compat").warning(message, *values, stacklevel=2)


logger = _Warnings()


@contextmanager
def reported(doing: str, *, unless: Callable[[Exception], bool] | None = None) -> Iterator[None]:
    """Report an error without raising it, where raising would hide the script's own; raise it if `unless` holds."""
    try:
        yield
    except Exception as error:
        if unless is not None and unless(error):
            raise
        logger.warning("%s: %s", doing, message_of(error))


def message_of(error: BaseException) -> object:
    """Return what an error says; Azure's exceptions have it in `message`."""
    return getattr(error, "message", None) or error
