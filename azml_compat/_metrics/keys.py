"""Names that MLflow or a store refuses, written so that each can be turned back.

MLflow takes letters, digits, ``_ / . - : `` and blanks in a key; its file store makes a file of every key, so that
``a`` beside ``a/b`` breaks; over http ``# ? %`` in an artifact name are silently corrupted. Anything else becomes
``_x<hex>_`` (the convention of .NET's XmlConvert.EncodeName: readable, and made of letters alone). A literal
``_x28_`` in a name has its underscore escaped, so no two names share a key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_MAX_BYTES = 200
"""Per path component. File systems allow 255 bytes; MLflow allows 250 characters for the whole key."""
_HEAD_CHARACTERS = 40

# Astral letters are legal for MLflow but not for every database's character set.
_KEY_ILLEGAL = re.compile(r"[^/\w.\- :]|[\U00010000-\U0010ffff]")
_PATH_ILLEGAL = re.compile(r"[^/\w.\- +&=()@,!~'\[\]{}^;$`]|[\U00010000-\U0010ffff]")
# MLflow refuses a key that is not its own normal form as a path; blanks at the edges of a part are lost by some stores.
_KEY_EDGES = re.compile(r"^[/. ]|(?<=/)[/. ]|/(?=/)|[/ ]\Z| (?=/)")
# Hidden files (``.x``) are fine.
_PATH_EDGES = re.compile(r"^ |(?<=/) |[ .]\Z|[ .](?=/)")
# What Windows drops at the end of a file's or folder's name.
_TAILS = re.compile(r"[ .]+(?=/|\Z)")
_SEPARATORS = re.compile(r"[/.]")
_COULD_LOOK_ESCAPED = re.compile(r"_x[0-9a-z]+")
_ESCAPED = re.compile(r"_x([0-9a-f]+)_")
_SHORTENED = re.compile(r"(?<!_x5f)_xh[0-9a-f]{16}_")
_EMPTY = "_xempty_"


def _hex(character: str) -> str:
    return f"_x{ord(character):x}_"


def _escape(text: str, *refused: re.Pattern[str]) -> str:
    """Escape the characters that a pattern matches, and each underscore that would seem to begin an escape."""
    escaped = {match.start() for pattern in refused for match in pattern.finditer(text)}
    # Its end may be a literal underscore or the first of an escape: ``_x28_x28_`` is ``(x28_`` and not ``_x28(``.
    lookalikes = [
        match.start()
        for match in _COULD_LOOK_ESCAPED.finditer(text)
        if text[match.end() : match.end() + 1] == "_" or match.end() in escaped
    ]
    escaped.update(lookalikes)
    return "".join(_hex(character) if at in escaped else character for at, character in enumerate(text))


def _shorten(text: str, original: str) -> str:
    """Keep a readable head and a hash of the whole; what was cut is in the sidecar."""
    if len(text) <= _MAX_BYTES and all(len(part.encode()) <= _MAX_BYTES for part in text.split("/")):
        return text

    import hashlib  # loads OpenSSL, and names are hardly ever that long

    digest = hashlib.sha256(original.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    head = re.sub(r"_x?[0-9a-z]*$", "", text.replace("/", "_")[:_HEAD_CHARACTERS])
    return f"{head}_xh{digest}_"


def escape_key(name: str, *, strict: bool = False) -> str:
    """Return an MLflow metric, param or tag key for `name`, unchanged where MLflow takes it.

    Args:
        name: Any string.
        strict: Escape ``/`` and ``.`` as well, for a name whose natural key is taken.

    Returns:
        A key of at most 250 characters; `unescape` gives `name` back unless it was too long for that.
    """
    if not name:
        return _EMPTY
    refused = (_KEY_ILLEGAL, _KEY_EDGES, _SEPARATORS) if strict else (_KEY_ILLEGAL, _KEY_EDGES)
    return _shorten(_escape(name, *refused), name)


def escape_path(path: str, *, strict: bool = False) -> str:
    """Return the artifact path under which `path`, already relative and normalised, is stored on every store.

    Args:
        path: A relative path, or with `strict` any string.
        strict: Escape ``/`` and ``.`` as well, to make the name of one file, without extension.
    """
    if strict and not path:
        return _EMPTY
    refused = (_PATH_ILLEGAL, _PATH_EDGES, _SEPARATORS) if strict else (_PATH_ILLEGAL, _PATH_EDGES)
    text = _escape(path, *refused)
    return "/".join(_shorten(part, part) for part in text.split("/"))


def unescape(text: str) -> str:
    """Undo `escape_key` and `escape_path`, as far as nothing was cut."""
    if text == _EMPTY:
        return ""
    return _ESCAPED.sub(_character, text)


def is_shortened(text: str) -> bool:
    """Tell whether a part of the name was cut, so that only the sidecar has the whole."""
    return _SHORTENED.search(text) is not None


def _character(match: re.Match[str]) -> str:
    code = int(match.group(1), 16)
    return chr(code) if code < 0x110000 else match.group()


def _fold(key: str) -> str:
    """Two keys with one fold are one file on macOS and Windows, or one row in MySQL."""
    # Unicode's canonical caseless match (D145): folding the case may leave a form that is not normal.
    fold = unicodedata.normalize("NFD", unicodedata.normalize("NFD", key).casefold())
    return _TAILS.sub("", fold)


class KeyTable:
    """The keys of one run: which Azure name and column each MLflow key stands for.

    The natural key is taken where it is free; the second claimant of a key, or of a path that would be both
    file and folder, gets an escaped one. Owners are remembered, so asking again gives the same key.
    """

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str | None], str] = {}
        self._folds: set[str] = set()
        self._folders: set[str] = set()

    def adopt(self, name: str, column: str | None, key: str) -> None:
        """Take over an assignment that is already in the store."""
        self._keys[name, column] = key
        fold = _fold(key)
        self._folds.add(fold)
        self._folders.update(_folders_of(fold))

    def find(self, name: str, column: str | None) -> str | None:
        """Return the key of (`name`, `column`), or None when it has none yet."""
        return self._keys.get((name, column))

    def assign(self, name: str, column: str | None) -> str:
        """Return the key of (`name`, `column`), choosing one at the first call. A scalar's column is None."""
        key = self._keys.get((name, column))
        if key is None:
            key = next(key for key in _candidates(name, column) if self._is_free(key))
            self.adopt(name, column, key)
        return key

    def _is_free(self, key: str) -> bool:
        fold = _fold(key)
        return not (fold in self._folds or fold in self._folders or self._folds & set(_folders_of(fold)))


def _candidates(name: str, column: str | None) -> Iterator[str]:
    if column is None:
        yield escape_key(name)
        strict = escape_key(name, strict=True)
    else:
        yield escape_key(f"{name}.{column}")
        joined = f"{escape_key(name, strict=True)}.{escape_key(column, strict=True)}"
        strict = _shorten(joined, f"{name}\0{column}")
    yield strict
    number = 2
    while True:
        yield _shorten(f"{strict}_xalt{number}_", f"{strict}\0{number}")
        number += 1


def _folders_of(fold: str) -> list[str]:
    parts = fold.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]
