"""`azureml.core.keyvault`: secrets of this user and machine, under Azure's names.

Their values are with the operating system or in the environment (`azml_compat._secrets`); the store holds the names
that were set, so that they can be listed.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from azml_compat import _secrets
from azml_compat._refused import module_attributes
from azml_compat._restclient.exceptions import ServiceException
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from azml_compat._assets import Assets
    from azml_compat.core.workspace import Workspace

_RECORD = "secret/"
"""Begins the names of the records, which the kind `setting` shares with others."""


class KeyVaultContentType(str, Enum):
    """What a secret says of its content."""

    not_provided = "application/NotProvided"


class Keyvault:
    """The secrets of a workspace.

    Differs from Azure: they belong to the user of this machine, whatever the workspace; see docs/differences.md.

    Args:
        workspace: The workspace whose store remembers the names.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def set_secret(self, name: str, value: str, content_type: Any = KeyVaultContentType.not_provided) -> None:
        """Keep a secret, in the place of an earlier one of that name.

        Args:
            name: Its name.
            value: Its text.
            content_type: Kept beside the name.

        Raises:
            UserErrorException: the name or value is no text, or there is no safe place for it on this machine.
        """
        for what, text in (("name", name), ("value", value)):
            if not isinstance(text, str) or (what == "name" and not text):
                # Says nothing of the value: it may be the secret in another form.
                raise UserErrorException(f"The {what} of a secret must be a text, not {type(text)}.")
        _secrets.keep(name, value)
        kind = content_type.value if isinstance(content_type, Enum) else content_type
        self._names().put(_RECORD + name, {"content_type": None if kind is None else str(kind)})

    def set_secrets(self, secrets_batch: dict[str, str]) -> None:
        """Keep several secrets: {name: value}."""
        for name, value in secrets_batch.items():
            self.set_secret(name, value)

    def get_secret(self, name: str) -> str:
        """Return a secret.

        Raises:
            ServiceException: there is none of that name (`status_code` 404).
            UserErrorException: the place where it may be is locked.
        """
        found = _secrets.recall(name)
        if found is None:
            raise ServiceException._from_status(
                404,
                f"Secret {name!r} was not found. It can be set with set_secret, or given in the environment variable "
                f"{_secrets.variable(name)}.",
            )
        return found

    def get_secrets(self, secrets: list[str]) -> dict[str, str | None]:
        """Return {name: secret}; None for a name that there is none of."""
        return {name: _secrets.recall(name) for name in secrets}

    def get_secret_content_type(self, name: str) -> str | None:
        """Return the content type that a secret was set with.

        Raises:
            ServiceException: there is no secret of that name (`status_code` 404).
        """
        known = self._names().find(_RECORD + name)
        if known is None:
            self.get_secret(name)
            return KeyVaultContentType.not_provided.value
        content_type: str | None = known.content["content_type"]
        return content_type

    def list_secrets(self) -> list[dict[str, Any]]:
        """Return a dict for each secret that was set in this store or is in the environment: name and content type."""
        kept = {
            name.removeprefix(_RECORD): asset.content["content_type"]
            for name, asset in self._names().latest().items()
            if name.startswith(_RECORD)
        }
        given = dict.fromkeys(_secrets.names(), KeyVaultContentType.not_provided.value)
        return [{"name": name, "contentType": kind} for name, kind in sorted({**given, **kept}.items())]

    def delete_secret(self, name: str) -> None:
        """Remove a secret; one that is not there is as good as removed. The environment stays as it is."""
        _secrets.forget(name)
        self._names().remove(_RECORD + name)

    def delete_secrets(self, secrets: list[str]) -> None:
        """Remove several secrets."""
        for name in secrets:
            self.delete_secret(name)

    def _names(self) -> Assets:
        from azml_compat._assets import Assets  # loads more than an import of this module should cost

        return Assets(self.workspace.service_context.store, "setting")


__getattr__, __dir__ = module_attributes(__name__)
