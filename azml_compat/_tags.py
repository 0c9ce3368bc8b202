"""Azure's tags and properties as MLflow tags, and back.

A tag keeps its key and value where MLflow can hold them, so that MLflow's UI and search show what the script set.
What it cannot say - a value of None, a key it refuses, a value over its length - is said by a hidden mark beside
the tag; the mark counts only while the visible value is the one it was written for, so plain MLflow may overwrite.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from azml_compat import _names
from azml_compat._metrics import escape_key, unescape

_MAX_VALUE = 4000
_CUT_MARK = "…"
_PART = "mlflow.azml.part."
_SURROGATE = re.compile("[\ud800-\udfff]")
_OWN_VISIBLE = (_names.PROPERTY_TAG, _names.TAG_SHOWN)
_HIDDEN_PROPERTIES = ("azureml.", "_azureml.", "mlflow.", "ContentSnapshotId")
"""Properties that Azure's own client sets; they stay out of the UI's tag list."""


def stored_tag_key(key: str) -> str:
    """Return the MLflow tag key of an Azure tag."""
    stored = escape_key(key)
    if stored.startswith(_OWN_VISIBLE):
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
        stored = stored_tag_key(key)
        encoded |= _encode(stored, value, _marks(stored, key, stored))
    return encoded


def encode_properties(properties: Mapping[str, str | None]) -> dict[str, str]:
    """Return the MLflow tags that hold Azure properties."""
    encoded: dict[str, str] = {}
    for key, value in properties.items():
        stored = stored_property_key(key)
        encoded |= _encode(stored, value, _marks(stored, key, escape_key(key)))
    return encoded


def decode_tags(stored: Mapping[str, str]) -> dict[str, str | None]:
    """Return the Azure tags among MLflow tags; MLflow's own (``mlflow.*``) are not, unless the user set them."""
    return {name: _value(stored, key) for key, name in _tag_names(stored)}


def decode_properties(stored: Mapping[str, str]) -> dict[str, str | None]:
    """Return the Azure properties among MLflow tags."""
    return {
        _key(stored, key, key[len(prefix) :]): _value(stored, key)
        for key in stored
        for prefix in (_names.PROPERTY_TAG, _names.TAG_PROPERTY)
        if key.startswith(prefix)
    }


def encode_text(key: str, text: str) -> dict[str, str]:
    """Return the tags that hold a bookkeeping text of any length under a hidden key."""
    return _encode(key, text, {})


def decode_text(stored: Mapping[str, str], key: str) -> str | None:
    """Return what `encode_text` stored, or None."""
    return _value(stored, key) if key in stored else None


def keys_to_delete(key: str, stored: Mapping[str, str]) -> list[str]:
    """Return the MLflow tags to remove with an Azure tag: what reads as `key`, marks and parts included."""
    doomed = []
    for tag, name in _tag_names(stored):
        if name == key:
            parts = re.compile(re.escape(f"{_PART}{tag}.") + r"[ck]\d+")
            doomed += [tag, *filter(parts.fullmatch, stored)]
            if _names.TAG_MARK + tag in stored:
                doomed.append(_names.TAG_MARK + tag)
    return doomed


def _tag_names(stored: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the key of each MLflow tag that is an Azure tag, with the Azure key."""
    for key in stored:
        is_hidden = key.startswith("mlflow.") and "u" not in _mark(stored, key)
        if not is_hidden and not key.startswith(_OWN_VISIBLE):
            yield key, _key(stored, key, key)


def _marks(stored: str, key: str, escaped: str) -> dict[str, str]:
    """Return what a mark must say of a key: letter -> text."""
    marks = {}
    if unescape(escaped) != key:
        marks["k"] = key
    if stored.startswith("mlflow.") and not stored.startswith(_names.TAG_PROPERTY):
        marks["u"] = ""
    return marks


def _encode(stored: str, value: str | None, marks: dict[str, str]) -> dict[str, str]:
    shown = "" if value is None else _shown(value)
    if value is None:
        marks["n"] = ""
    elif shown != value:
        marks["c"] = value
    encoded = {stored: shown}
    mark = {}
    for letter, text in marks.items():
        # MLflow cuts long values, so a text goes into as many tags as it takes.
        written = json.dumps(text, ensure_ascii=_SURROGATE.search(text) is not None)
        parts = [written[start : start + _MAX_VALUE] for start in range(0, len(written), _MAX_VALUE)] if text else []
        encoded |= {f"{_PART}{stored}.{letter}{number}": part for number, part in enumerate(parts)}
        mark[letter] = len(parts)
    if mark or _could_be_marked(shown):
        # An empty mark replaces that of another value which was shown alike.
        encoded[_names.TAG_MARK + stored] = json.dumps(mark)
    return encoded


def _shown(value: str) -> str:
    """Return what of a value MLflow can hold."""
    text = _SURROGATE.sub(lambda match: f"\\u{ord(match.group()):x}", value)
    return text if len(text) <= _MAX_VALUE else text[: _MAX_VALUE - 1] + _CUT_MARK


def _could_be_marked(shown: str) -> bool:
    return not shown or shown.endswith(_CUT_MARK) or r"\ud" in shown


def _mark(stored: Mapping[str, str], key: str) -> dict[str, int]:
    try:
        mark: dict[str, int] = json.loads(stored.get(_names.TAG_MARK + key, "{}"))
    except ValueError:
        # A file store empties a tag's file before it writes it.
        return {}
    return mark


def _marked_text(stored: Mapping[str, str], key: str, letter: str) -> str | None:
    """Return a text that the mark of `key` speaks of; None when there is none, or not the whole of it."""
    parts = [stored.get(f"{_PART}{key}.{letter}{number}", "") for number in range(_mark(stored, key).get(letter, 0))]
    try:
        text: Any = json.loads("".join(parts))
    except ValueError:
        # No part at all; or the parts of two values, of which one was interrupted.
        return None
    return text if isinstance(text, str) else None


def _key(stored: Mapping[str, str], key: str, escaped: str) -> str:
    whole = _marked_text(stored, key, "k")
    return unescape(escaped) if whole is None else whole


def _value(stored: Mapping[str, str], key: str) -> str | None:
    value = stored[key]
    if value == "" and "n" in _mark(stored, key):
        return None
    whole = _marked_text(stored, key, "c")
    return value if whole is None or _shown(whole) != value else whole
