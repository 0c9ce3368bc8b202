"""How trouble is told that must not be raised: raising would hide the script's own error, or stop its training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class _Warnings:
    """The logger `azml_compat`. Importing logging costs 6 ms, so that only the first message does it."""

    def warning(self, message: str, *values: object) -> None:
        import logging

        # No NullHandler: what is reported here and not raised must reach a script that has not set up logging.
        logging.getLogger("azml_compat").warning(message, *values, stacklevel=2)


logger = _Warnings()


@contextmanager
def reported(doing: str) -> Iterator[None]:
    """Report an error without raising it, where raising would hide the script's own."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
        logger.warning("%s: %s", doing, message_of(error))


def message_of(error: BaseException) -> object:
    """Return what an error says; Azure's exceptions have it in `message`."""
    return getattr(error, "message", None) or error
