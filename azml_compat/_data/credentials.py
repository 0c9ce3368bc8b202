"""The secrets of registered datastores: kept by the operating system, or by this process alone; never in a record."""

from __future__ import annotations

from typing import Any

from azml_compat import _reporting, _runtime, _secrets
from azml_compat.exceptions import UserErrorException

SECRETS = ("account_key", "sas_token", "client_secret", "password", "user_password", "credential_value")


def keep(datastore: str, secrets: dict[str, str | None]) -> None:
    """Keep the secrets of a datastore; those that are None are forgotten.

    Where nothing secure keeps them, they hold for this process, and one line says so.
    """
    unkept = []
    for kind, value in secrets.items():
        name = _name(datastore, kind)
        _runtime.secrets().pop(name, None)
        if value is None:
            forget(datastore, kind)
            continue
        try:
            _secrets.keep(name, value)
        except UserErrorException:
            _runtime.secrets()[name] = value
            unkept.append(kind)
    if unkept:
        _reporting.logger.warning(
            "The %s of datastore %s holds for this process alone: there is no secure place to keep it. Register the "
            "datastore in each script, or set %s.",
            " and ".join(unkept),
            datastore,
            " and ".join(_secrets.variable(_name(datastore, kind)) for kind in unkept),
        )


def recall(datastore: str, kind: str) -> str | None:
    """Return a secret of a datastore; None when nobody knows it."""
    name = _name(datastore, kind)
    return _runtime.secrets().get(name) or _secrets.recall(name)


def forget(datastore: str, *kinds: str) -> None:
    """Forget secrets of a datastore, by default all."""
    for kind in kinds or SECRETS:
        _runtime.secrets().pop(_name(datastore, kind), None)
        if _secrets.recall(_name(datastore, kind)) is not None:
            _secrets.forget(_name(datastore, kind))


def all_of(datastore: str, facts: dict[str, Any]) -> dict[str, str | None]:
    """Return what opens a datastore: its secrets, and the names that belong to them."""
    kinds: dict[str, str | None] = {kind: recall(datastore, kind) for kind in facts.get("secrets", ())}
    return {**kinds, "tenant_id": facts.get("tenant_id"), "client_id": facts.get("client_id")}


def _name(datastore: str, kind: str) -> str:
    return f"datastore-{datastore}-{kind.replace('_', '-')}"
