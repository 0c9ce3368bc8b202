"""Environments that are registered in a workspace: definitions under a name, in versions that are strings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from azml_compat._assets import Asset, Assets
from azml_compat._tracking import Store

_LATEST = "latest"


class Registered(NamedTuple):
    """One version of an environment."""

    name: str
    version: str
    definition: dict[str, Any]


def register(store: Store, name: str, definition: dict[str, Any], version: str | None) -> Registered:
    """Keep a definition.

    Args:
        store: The tracking store.
        name: The environment's name.
        definition: JSON values.
        version: The version it should have; None, or one that is taken by another definition, for the next number.

    Returns:
        The version that it is, which is an old one where that has the same definition.
    """
    assets = Assets(store, "environment")
    known = {_version(asset): asset for asset in assets.versions(name)}
    for taken, asset in reversed(known.items()):
        if asset.content["definition"] == definition and version in (None, taken):
            return _registered(asset)
    wanted = version if version is not None and version not in known else None
    new = assets.add(name, {"definition": definition, "version": wanted})
    if wanted is None and _version(new) in known:
        # Somebody asked for just this number before.
        number = max(int(taken) for taken in known if taken.isdecimal()) + 1
        new = assets.update(new, {**new.content, "version": str(number)})
    return _registered(new)


def find(store: Store, name: str, version: str | None = None, label: str | None = None) -> Registered | None:
    """Return a version of an environment, by default the latest; None when there is none."""
    is_latest = version is None and (label is None or label.lower() == _LATEST)
    for asset in reversed(Assets(store, "environment").versions(name)):
        has_label = label is not None and label in asset.content.get("labels", ())
        if is_latest or has_label or version == _version(asset):
            return _registered(asset)
    return None


def latest(store: Store) -> dict[str, Registered]:
    """Return {name: the latest version}."""
    return {name: _registered(asset) for name, asset in Assets(store, "environment").latest().items()}


def label(store: Store, name: str, version: str, labels: Iterable[str]) -> bool:
    """Move labels to a version of an environment; False when there is no such version."""
    assets = Assets(store, "environment")
    moved, is_found = set(labels), False
    for asset in assets.versions(name):
        known = set(asset.content.get("labels", ()))
        is_found |= _version(asset) == version
        new = known | moved if _version(asset) == version else known - moved
        if new != known:
            assets.update(asset, {**asset.content, "labels": sorted(new)})
    return is_found


def _registered(asset: Asset) -> Registered:
    return Registered(asset.name, _version(asset), asset.content["definition"])


def _version(asset: Asset) -> str:
    return asset.content.get("version") or str(asset.version)
