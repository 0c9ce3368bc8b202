"""Where the data of a dataset lies: a user's paths as JSON values, and the files that they lead to.

    {"datastore": "workspaceblobstore", "path": "images/*.png"}   {"url": "https://…"}   {"local": "/data/x.csv"}

A dataset keeps the paths, not the files: those are looked up whenever it is read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from azml_compat._data.places import Entry, Folder, Place, Web, common_folder, inside, web_path
from azml_compat._data.transfer import safe
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from azml_compat.core.workspace import Workspace

Item = dict[str, str]
Places = Callable[[str], Place]
"""Opens the datastore of a name."""

_WEB = ("http://", "https://")
_AZURE = ("adl://", "wasb://", "wasbs://", "abfs://", "abfss://")
_SIGNED = re.compile(r"[?&]sig=")


class SourceFile(NamedTuple):
    """A file of a dataset.

    Attributes:
        place: Where it lies.
        path: Its path there.
        name: What it is called in the dataset: a relative path.
        size: In bytes; 0 when nobody knows.
        modified: Seconds since the epoch of its last change; 0 when nobody knows.
    """

    place: Place
    path: str
    name: str
    size: int
    modified: float


# -- a user's paths -----------------------------------------------------------------------------------------------


def parse(path: Any) -> tuple[list[Item], Workspace | None]:
    """Turn what a factory was given into items, and find the workspace whose datastores they are in.

    Args:
        path: A URL or local path, (datastore, path), a DataPath, a DataReference, or a list of either kind.

    Raises:
        UserErrorException: it is something else, or leads out of the datastore.
    """
    given = list(path) if isinstance(path, list) else [path]
    if not given:
        raise UserErrorException("The list of paths is empty: a dataset needs at least one.")
    is_text = [isinstance(one, str | os.PathLike) for one in given]
    if any(is_text) and not all(is_text):
        raise UserErrorException("A list of paths is either all of strings, or all of paths in datastores.")
    parsed = [_parse_text(os.fspath(one)) if is_text[0] else _parse_in_datastore(one) for one in given]
    return [item for item, _ in parsed], next((found for _, found in parsed if found is not None), None)


def _parse_text(text: str) -> tuple[Item, None]:
    if text.startswith(_WEB):
        if _SIGNED.search(text):
            # A secret, which would go into the store with the dataset.
            raise UserErrorException("A URL with a SAS token cannot be a path. Register its container as a datastore.")
        return {"url": text}, None
    if text.startswith(_AZURE):
        raise UserErrorException(
            f"{text} is read through a datastore: register its container (Datastore.register_azure_blob_container, "
            "register_azure_data_lake_gen2), and give (datastore, path)."
        )
    if text.startswith("file://"):
        text = unquote(urlsplit(text).path)
    if not text or "\0" in text:
        raise UserErrorException(f"{text!r} is no path.")
    return {"local": os.path.abspath(text) + ("/" if text.endswith("/") else "")}, None  # noqa: PTH100 - keeps globs


def _parse_in_datastore(given: Any) -> tuple[Item, Any]:
    if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], str):
        datastore, path = given
    else:
        # A DataPath and a DataReference have the same two things.
        datastore = getattr(given, "_datastore", None) or getattr(given, "datastore", None)
        path = getattr(given, "path_on_datastore", None)
    if not hasattr(datastore, "datastore_type"):
        raise UserErrorException(
            f"{given!r} is no path: give a URL, (datastore, 'path'), a DataPath, a DataReference, or a list of them."
        )
    return {"datastore": datastore.name, "path": inside(path)}, datastore.workspace


# -- the files that they lead to ----------------------------------------------------------------------------------


def files_of(items: Sequence[Item], places: Places) -> list[SourceFile]:
    """Return the files that items lead to, in their order, and by path within one; each once.

    Names are relative to the deepest folder that all items share, a glob's being the one before its first `*`.
    """
    found = [(_origin(item), *_look(item, places)) for item in items]
    origins = {origin for origin, *_ in found}
    tops = {origin: _top([base for other, base, _, _ in found if other == origin]) for origin in origins}
    unique: dict[tuple[tuple[str, str], str], SourceFile] = {}
    names: set[str] = set()
    for origin, _base, place, entries in found:
        kind, label = origin
        for entry in entries:
            if (origin, entry.path) in unique:
                continue
            name = _web_name(entry.path, names) if kind == "web" else _below(entry.path, tops[origin])
            if len(origins) > 1 and kind != "web":
                name = f"{label}/{name}"
            names.add(name)
            unique[origin, entry.path] = SourceFile(place, entry.path, name, entry.size, entry.modified)
    return list(unique.values())


def _origin(item: Item) -> tuple[str, str]:
    """Return what kind of place an item is in, and the name of that: a datastore may have any name."""
    if "datastore" in item:
        return "datastore", item["datastore"]
    return ("web", "web") if "url" in item else ("local", "local")


def _web_name(address: str, taken: set[str]) -> str:
    """Return the name of what lies at an address; addresses may differ in their query alone."""
    name = web_path(address)
    return name if name not in taken else name + quote(f"?{address.partition('?')[2]}", safe="")


def _below(path: str, top: str) -> str:
    return path[len(top) + 1 if top else 0 :]


def _top(bases: Sequence[str]) -> str:
    return bases[0] if len(set(bases)) == 1 else common_folder([f"{base}/" for base in bases])


def _look(item: Item, places: Places) -> tuple[str, Place, Iterator[Entry]]:
    """Find what an item leads to: (folder that names are relative to, place, files)."""
    if "url" in item:
        return "", Web(), iter([Entry(item["url"], 0, 0.0)])
    if "local" in item:
        return _look_in(Folder("/"), item["local"].strip("/"))
    return _look_in(places(item["datastore"]), item["path"])


def _look_in(place: Place, path: str) -> tuple[str, Place, Iterator[Entry]]:
    exact = place.find(path) if path else None
    if exact is not None:
        return path.rpartition("/")[0], place, iter([exact])
    if "*" not in path:
        return path, place, place.entries(f"{path}/" if path else "")
    before = path[: path.index("*")]
    is_match = glob_pattern(path).fullmatch
    return before.rpartition("/")[0], place, (entry for entry in place.entries(before) if is_match(entry.path))


def glob_pattern(glob: str) -> re.Pattern[str]:
    """Compile a glob: `*` is within a folder, `**` any number of folders; nothing else is special."""
    pattern, parts = "", glob.split("/")
    for number, part in enumerate(parts):
        is_last = number == len(parts) - 1
        if part == "**":
            pattern += ".*" if is_last else "(?:[^/]+/)*"
        else:
            pattern += "[^/]*".join(map(re.escape, part.split("*"))) + ("" if is_last else "/")
    return re.compile(pattern, re.DOTALL)


def local_copy(file: SourceFile, folder: Path) -> Path:
    """Return a file of this machine with the content: itself, else a copy below `folder`."""
    found = file.place.local(file.path)
    if found is not None:
        return found
    target = folder / safe(file.name)
    file.place.get(file.path, target)
    return target
