"""What files that are rewritten together take from one another, as far as their imports say it.

Each file is resolved for itself. A run that another file imports must stay what that file, which does not know that it
is one, takes it for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_FROM = re.compile(rb"\bfrom\s+\.*([\w.]*)\s+import\s+(?:\(([^)]*)\)|([^\n\\#;\"]*))")
"""Of a module, and what is imported from it; in a notebook too, whose lines end with an escaped line feed."""
_IMPORT = re.compile(rb"\bimport\s+([\w.]+)(?:\s+as\s+(\w+))?")
_NAME = re.compile(rb"(\w+)(?:\s+as\s+\w+)?|\*")
_ATTRIBUTE = re.compile(rb"\.(\w+)")
_MAX_BYTES = 20_000_000


def taken(files: Iterable[Path]) -> Mapping[Path, frozenset[str]]:
    """Return {file: what the others may take from it}.

    That is each name that one of them imports from a module of that name, in whatever folder; and, with a dot before
    it, each attribute that such a file reads.
    """
    modules: dict[str, list[Path]] = {}
    for file in files:
        modules.setdefault(file.parent.name if file.stem == "__init__" else file.stem, []).append(file)
    found: dict[Path, set[str]] = {}
    for paths in modules.values():
        for reader in paths:
            for module, names in _imports(reader):
                for file in modules.get(module, ()):
                    if file != reader:
                        found.setdefault(file, set()).update(names)
    return {file: frozenset(names) for file, names in found.items()}


def _imports(file: Path) -> Iterable[tuple[str, set[str]]]:
    """Yield (last part of a module's name, what is taken from it) for each import of a file."""
    try:
        text = file.read_bytes() if file.stat().st_size < _MAX_BYTES else b""
    except OSError:
        return
    if b"import" not in text:
        return
    read = {name.decode() for name in _ATTRIBUTE.findall(text)}
    members = {f".{name}" for name in read}
    for match in _FROM.finditer(text):
        names = {name.decode() for name in _NAME.findall(match[2] or match[3] or b"") if name}
        yield _last(match[1]), names | members
        for name in names:  # which may be a module
            yield name, read | members
    for match in _IMPORT.finditer(text):
        yield _last(match[1]), read | members


def _last(module: bytes) -> str:
    return module.rpartition(b".")[2].decode()
