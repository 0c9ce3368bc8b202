"""Azure's tags and properties as MLflow tags, and back.

A tag keeps its key and value where MLflow can hold them, so that MLflow's UI and search show what the script set.
What it cannot say - a value of None, a key it refuses, a value over its length - is said by a hidden mark beside
the tag; the mark counts only while the visible value is the one it was written for, so plain MLflow may overwrite.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from azml_compat import _names
from azml_compat._metrics import escape_key, unescape

_MAX_VALUE = 4000
_CUT_MARK = "…"
_PART = "mlflow.azml.part."
_HIDDEN_PROPERTIES = ("azureml.", "mlflow.", "ContentSnapshotId")
"""Properties that Azure's own client sets; they stay out of the UI's tag list."""


def stored_tag_key(key: str) -> str:
    """Return the MLflow tag key of an Azure tag."""
    stored = escape_key(key)
    if stored.startswith(_names.PROPERTY_TAG):
        return stored.replace(".", "_x2e_", 1)
    if stored.startswith(_names.TAG_PREFIX):
        return stored.replace(".", "_x2e_", 2)
    return stored


def stored_property_key(key: str) -> str:
    """Return the MLflow tag key of an Azure property."""
    prefix = _names.TAG_PROPERTY if key.startswith(_HIDDEN_PROPERTIES) else _names.PROPERTY_TAG
    return prefix + escape_key(key)


def encode_tags(tags: Mapping[str, str | None]) -> dict[str, str]:
    """Return the MLflow tags that hold Azure tags."""
    encoded: dict[str, str] = {}
    for key, value in tags.items():
        encoded |= _encode(stored_tag_key(key), key, value)
    return encoded


def encode_properties(properties: Mapping[str, str | None]) -> dict[str, str]:
    """Return the MLflow tags that hold Azure properties."""
    encoded: dict[str, str] = {}
    for key, value in properties.items():
        encoded |= _encode(stored_property_key(key), key, value)
    return encoded


def decode_tags(stored: Mapping[str, str]) -> dict[str, str | None]:
    """Return the Azure tags among MLflow tags; MLflow's own (``mlflow.*``) are not, unless the user set them."""
    tags = {}
    for key, value in stored.items():
        mark = _mark(stored, key)
        if key.startswith("mlflow.") and "u" not in mark:
            continue
        if not key.startswith(_names.PROPERTY_TAG):
            tags[mark.get("k") or unescape(key)] = _value(stored, key, value, mark)
    return tags


def decode_properties(stored: Mapping[str, str]) -> dict[str, str | None]:
    """Return the Azure properties among MLflow tags."""
    properties = {}
    for key, value in stored.items():
        for prefix in (_names.PROPERTY_TAG, _names.TAG_PROPERTY):
            if key.startswith(prefix):
                mark = _mark(stored, key)
                properties[mark.get("k") or unescape(key[len(prefix) :])] = _value(stored, key, value, mark)
    return properties


def encode_text(key: str, text: str) -> dict[str, str]:
    """Return the tags that hold a bookkeeping text of any length under a hidden key."""
    return _encode(key, key, text)


def decode_text(stored: Mapping[str, str], key: str) -> str | None:
    """Return what `encode_text` stored, or None."""
    return _value(stored, key, stored[key], _mark(stored, key)) if key in stored else None


def keys_to_delete(key: str, stored: Iterable[str]) -> list[str]:
    """Return the MLflow tags to remove with an Azure tag."""
    name = stored_tag_key(key)
    parts = f"{_PART}{name}."
    mine = {name, _names.TAG_MARK + name}
    return [tag for tag in stored if tag in mine or tag.startswith(parts)]


def _encode(stored: str, key: str, value: str | None) -> dict[str, str]:
    mark: dict[str, Any] = {}
    if unescape(stored).removeprefix(_names.PROPERTY_TAG).removeprefix(_names.TAG_PROPERTY) != key:
        mark["k"] = key
    if stored.startswith("mlflow.") and not stored.startswith(_names.TAG_PROPERTY):
        mark["u"] = 1
    encoded = {stored: "" if value is None else value}
    if value is None:
        mark["n"] = 1
    elif len(value) > _MAX_VALUE:
        parts = [value[start : start + _MAX_VALUE] for start in range(0, len(value), _MAX_VALUE)]
        encoded = {f"{_PART}{stored}.{number}": part for number, part in enumerate(parts)}
        encoded[stored] = value[: _MAX_VALUE - 1] + _CUT_MARK
        mark["c"] = len(parts)
    if mark or value == "":
        # An empty string clears the mark of a None before it.
        encoded[_names.TAG_MARK + stored] = json.dumps(mark)
    return encoded


def _mark(stored: Mapping[str, str], key: str) -> dict[str, Any]:
    text = stored.get(_names.TAG_MARK + key)
    mark: dict[str, Any] = json.loads(text) if text else {}
    return mark


def _value(stored: Mapping[str, str], key: str, value: str, mark: Mapping[str, Any]) -> str | None:
    if value == "" and "n" in mark:
        return None
    if "c" in mark and len(value) == _MAX_VALUE and value.endswith(_CUT_MARK):
        parts = [stored.get(f"{_PART}{key}.{number}", "") for number in range(mark["c"])]
        if parts[0].startswith(value[:-1]):
            return "".join(parts)
    return value
