"""Where secrets are kept: with the operating system, through `keyring`; never in the store, a file or a log.

Without such a place they are read from the environment, and setting one is refused: a secret in a file of ours would
be no secret.
"""

from __future__ import annotations

import os
import re
from typing import Any

from azml_compat import _names
from azml_compat.exceptions import UserErrorException

_SERVICE = "azml_compat"
"""The name under which the operating system's own tools show them."""
_SECURE = frozenset({"SecretService", "Windows", "kwallet", "libsecret", "macOS"})
"""The back ends of keyring that keep secrets with the operating system; others write files, or nothing at all."""
_CHAIN = "keyring.backends.chainer"
_NOT_A_LETTER = re.compile("[^A-Z0-9]")


def keep(name: str, value: str) -> None:
    """Keep a secret, in the place of an earlier one of that name.

    Raises:
        UserErrorException: there is no safe place for it, or that refuses.
    """
    backend = _backend()
    if backend is None:
        raise UserErrorException(
            f"There is no safe place on this machine for the secret {name!r}. Install keyring where the system has a "
            "store of secrets (`pip install keyring`; `keyring --list-backends` shows what there is), or set the "
            f"environment variable {variable(name)} before the script starts: it is read, and kept nowhere."
        )
    try:
        backend.set_password(_SERVICE, name, value)
    except _errors() as error:
        raise _refused("kept", name, error) from None


def recall(name: str) -> str | None:
    """Return a secret: what was kept, else what the environment says; None when there is none.

    Raises:
        UserErrorException: the place where it may be cannot be read, as a locked one.
    """
    found: str | None = None
    trouble: Exception | None = None
    backend = _backend()
    if backend is not None:
        try:
            found = backend.get_password(_SERVICE, name)
        except _errors() as error:
            trouble = error
    if found is None:
        found = os.environ.get(variable(name))
    if found is None and trouble is not None:
        raise _refused("read", name, trouble) from None
    return found


def forget(name: str) -> None:
    """Remove what was kept; a secret that is not there is as good as removed. The environment stays as it is.

    Raises:
        UserErrorException: the place where it is refuses.
    """
    backend = _backend()
    try:
        if backend is not None and backend.get_password(_SERVICE, name) is not None:
            backend.delete_password(_SERVICE, name)
    except _errors() as error:
        raise _refused("removed", name, error) from None


def names() -> list[str]:
    """Return the names of the secrets in the environment, as Azure writes such names: `a-name` for ..._A_NAME.

    What keyring holds cannot be listed; who keeps a secret under a name remembers the name.
    """
    prefix = _names.ENV_SECRET
    found = (key.removeprefix(prefix) for key in os.environ if key.startswith(prefix) and key != prefix)
    return sorted(name.lower().replace("_", "-") for name in found)


def variable(name: str) -> str:
    """Return the environment variable of a secret: its name in capitals, with `_` for what is no letter or digit."""
    return _names.ENV_SECRET + _NOT_A_LETTER.sub("_", name.upper())


def _backend() -> Any:
    """Return keyring's back end where it keeps secrets with the operating system, else None."""
    try:
        import keyring
    except ImportError:
        return None
    backend: Any = keyring.get_keyring()
    is_chain = type(backend).__module__ == _CHAIN
    links = list(backend.backends) if is_chain else [backend]
    return backend if links and all(map(_is_secure, links)) else None


def _is_secure(backend: object) -> bool:
    package, _, name = type(backend).__module__.rpartition(".")
    return package == "keyring.backends" and name in _SECURE


def _errors() -> type[Exception]:
    """Return what keyring raises; only asked for while one of its back ends is at work."""
    from keyring.errors import KeyringError

    return KeyringError


def _refused(done: str, name: str, error: Exception) -> UserErrorException:
    # Only the kind of error: what a back end says might quote what it was given.
    return UserErrorException(
        f"The secret {name!r} cannot be {done}: the system's store of secrets refuses ({type(error).__name__}). "
        f"Unlock it, or set the environment variable {variable(name)}."
    )
