"""Places that hold files: a folder, a container of Azure's, the web. One interface, so that all else is written once.

Paths inside a place are relative, with `/`, and never lead out of it.
"""

from __future__ import annotations

import functools
import os
import posixpath
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from azml_compat.exceptions import UserErrorException

_PART = ".azml-part-"
"""Begins the name of a file that is being written."""
_CHUNK = 1 << 20
_HTTP_SECONDS = 60
_PUBLIC_SECONDS = 10
_EXTRA = "azml-compat[azure]"


class Entry(NamedTuple):
    """A file of a place: its path, its size in bytes, and seconds since the epoch of its last change (0: unknown)."""

    path: str
    size: int
    modified: float


class Place:
    """A place that holds files; this one holds none."""

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """Yield the files whose paths begin with `prefix`, by path."""
        raise NotImplementedError

    def find(self, path: str) -> Entry | None:
        """Return the file at exactly this path; None when there is none."""
        raise NotImplementedError

    def put(self, source: str, path: str, *, overwrite: bool) -> bool:
        """Store a local file; False, and nothing is done, when one is there that must stay."""
        raise NotImplementedError

    def get(self, path: str, target: Path) -> None:
        """Write a file to a local path, whole or not at all."""
        raise NotImplementedError

    def local(self, path: str) -> Path | None:  # noqa: ARG002 - what lies on this machine has one
        """Return where the file lies on this machine; None when it does not."""
        return None

    def make(self, path: str) -> Path | None:  # noqa: ARG002 - as above
        """Return a folder that can be written to directly, and make it; None when the place has none."""
        return None


def inside(path: str | None) -> str:
    """Return a user's path inside a place, normalised: `""` for the place itself.

    As in the original, what leads to the top at its beginning (`/`, `./`, `../`) means nothing.

    Raises:
        UserErrorException: it leads upwards further on, or cannot be a path.
    """
    text = os.fspath(path or "").replace("\\", "/") if os.sep == "\\" else os.fspath(path or "")
    if "\0" in text:
        raise UserErrorException(f"{text!r} cannot be a path: it holds a null character.")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    while parts and parts[0] == "..":
        parts.pop(0)
    if ".." in parts:
        raise UserErrorException(f"The path {text!r} leads upwards (`..`): name it without.")
    return "/".join(parts)


def copy_whole(source: str, target: str, *, overwrite: bool) -> bool:
    """Copy a file so that nobody ever sees a part of it; False when the target is there and must stay."""
    if not overwrite and os.path.lexists(target):
        return False
    folder, name = os.path.split(target)
    part = f"{folder}/{_PART}{uuid.uuid4().hex}"
    try:
        try:
            shutil.copyfile(source, part)
        except FileNotFoundError:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - as above
            shutil.copyfile(source, part)
        os.replace(part, target)  # noqa: PTH105 - as above
    except OSError as error:
        Path(part).unlink(missing_ok=True)
        raise UserErrorException(f"Cannot copy {source} to {name}: {error}") from error
    return True


class Folder(Place):
    """A folder of this machine.

    Args:
        root: The folder; it is made when something is put into it.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._root = os.fspath(root).rstrip("/")

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """Yield the files whose paths begin with `prefix`, by path."""
        folder = prefix.rpartition("/")[0]
        for entry in self._walk(f"{folder}/" if folder else ""):
            if entry.path.startswith(prefix):
                yield entry

    def _walk(self, folder: str) -> Iterator[Entry]:
        try:
            with os.scandir(f"{self._root}/{folder}") as found:
                children = sorted(found, key=lambda child: child.name)
        except (FileNotFoundError, NotADirectoryError):
            return
        for child in children:
            if child.name.startswith(_PART):
                continue
            if child.is_dir():
                if not _is_cycle(child):
                    yield from self._walk(f"{folder}{child.name}/")
            elif child.is_file():
                facts = child.stat()
                yield Entry(f"{folder}{child.name}", facts.st_size, facts.st_mtime)

    def find(self, path: str) -> Entry | None:
        """Return the file at exactly this path; None when there is none."""
        found = Path(f"{self._root}/{path}")
        try:
            if not found.is_file():
                return None
            facts = found.stat()
        except OSError:  # A name that is too long, and the like: no such file.
            return None
        return Entry(path, facts.st_size, facts.st_mtime)

    def put(self, source: str, path: str, *, overwrite: bool) -> bool:
        """Store a local file; False, and nothing is done, when one is there that must stay."""
        return copy_whole(source, f"{self._root}/{path}", overwrite=overwrite)

    def get(self, path: str, target: Path) -> None:
        """Write a file to a local path, whole or not at all."""
        copy_whole(f"{self._root}/{path}", os.fspath(target), overwrite=True)

    def local(self, path: str) -> Path | None:
        """Return where the file lies."""
        return Path(f"{self._root}/{path}")

    def make(self, path: str) -> Path | None:
        """Return a folder that can be written to directly, and make it."""
        made = Path(f"{self._root}/{path}")
        made.mkdir(parents=True, exist_ok=True)
        return made


def _is_cycle(child: os.DirEntry[str]) -> bool:
    """Tell whether a folder is a link to one that it is in."""
    if not child.is_symlink():
        return False
    parent, target = os.path.realpath(os.path.dirname(child.path)), os.path.realpath(child.path)  # noqa: PTH120 - a str
    return f"{parent}/".startswith(f"{target.rstrip('/')}/")


class Web(Place):
    """Files that are read over http; a path is the address."""

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """Yield the file at this address: the web cannot be listed."""
        yield Entry(prefix, 0, 0.0)

    def find(self, path: str) -> Entry | None:
        """Return the file at this address, whether it is there or not."""
        return Entry(path, 0, 0.0)

    def put(self, source: str, path: str, *, overwrite: bool) -> bool:  # noqa: ARG002 - it is never done
        """Refuse: the web is read only."""
        raise UserErrorException(f"{path} cannot be written to.")

    def get(self, path: str, target: Path) -> None:
        """Download a file, whole or not at all."""
        import requests  # comes with mlflow; slow to import

        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.parent / f"{_PART}{uuid.uuid4().hex}"
        try:
            with requests.get(path, stream=True, timeout=_HTTP_SECONDS) as answer, part.open("wb") as file:
                answer.raise_for_status()
                for chunk in answer.iter_content(_CHUNK):
                    file.write(chunk)
            part.replace(target)
        except (requests.RequestException, OSError) as error:
            part.unlink(missing_ok=True)
            raise UserErrorException(f"Cannot download {path}: {error}") from error


def web_path(address: str) -> str:
    """Return the relative path that stands for a web address among other files, as in the original."""
    scheme, _, rest = address.partition("://")
    host, _, path = rest.partition("?")[0].partition("/")
    below = posixpath.normpath(f"/{path}").lstrip("/")  # no address leads above its host, nor does its path
    return f"{quote(f'{scheme}:', safe='')}/{quote('/', safe='')}{host}{f'/{below}' if below else ''}"


class Azure(Place):
    """A container of Azure Blob Storage or ADLS Gen2, reached with the package adlfs.

    Args:
        facts: What is known of the datastore, without its secrets: `container_name`, `account_name`, `protocol`,
            `endpoint`.
        secrets: `account_key`, `sas_token`, or `tenant_id`, `client_id` and `client_secret`; absent ones are None.
    """

    def __init__(self, facts: Mapping[str, Any], secrets: Mapping[str, str | None]) -> None:
        self._facts = facts
        self._container = str(facts["container_name"])
        _adlfs(facts)
        self._is_open = not any(secrets.values()) and _is_public(f"{_address_of(facts)}/{self._container}")
        self._system = _azure_system(facts, secrets, is_open=self._is_open)

    @functools.cached_property
    def _writable(self) -> Any:
        """The same for writing: where anybody may read, only who is logged in may write."""
        return _azure_system(self._facts, {}, is_open=False) if self._is_open else self._system

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """Yield the files whose paths begin with `prefix`, by path."""
        folder = prefix.rpartition("/")[0]
        with _azure_errors(f"Cannot list {folder or 'the files'} of {self._container}"):
            try:
                found = self._system.find(f"{self._container}/{folder}".rstrip("/"), detail=True)
            except FileNotFoundError:
                found = {}
        for name in sorted(found):
            path = name[len(self._container) + 1 :]
            if path.startswith(prefix):
                yield _azure_entry(path, found[name])

    def find(self, path: str) -> Entry | None:
        """Return the file at exactly this path; None when there is none."""
        with _azure_errors(f"Cannot look up {path} in {self._container}"):
            self._system.invalidate_cache()
            try:
                found = self._system.info(f"{self._container}/{path}")
            except FileNotFoundError:
                return None
        return _azure_entry(path, found) if found["type"] == "file" else None

    def put(self, source: str, path: str, *, overwrite: bool) -> bool:
        """Store a local file; False, and nothing is done, when one is there that must stay."""
        if not overwrite and self.find(path) is not None:
            return False
        with _azure_errors(f"Cannot store {path} in {self._container}"):
            self._writable.put_file(source, f"{self._container}/{path}", overwrite=True)
        return True

    def get(self, path: str, target: Path) -> None:
        """Write a file to a local path, whole or not at all."""
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.parent / f"{_PART}{uuid.uuid4().hex}"
        try:
            with _azure_errors(f"Cannot download {path} of {self._container}"):
                self._system.get_file(f"{self._container}/{path}", os.fspath(part))
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def make_container(self) -> None:
        """Make the container unless it is there."""
        with _azure_errors(f"Cannot make the container {self._container}"):
            if not self._writable.exists(self._container):
                self._writable.mkdir(self._container)


class _azure_errors:  # noqa: N801 - used like a function
    """Turns what Azure's packages raise into a UserErrorException that says what was being done."""

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, UserErrorException):
            if isinstance(error, FileNotFoundError) and not self._doing.startswith("Cannot download"):
                return
            raise UserErrorException(f"{self._doing}: {error}") from error


def _azure_entry(path: str, facts: Mapping[str, Any]) -> Entry:
    changed = facts.get("last_modified")
    return Entry(path, int(facts.get("size") or 0), changed.timestamp() if changed is not None else 0.0)


def _adlfs(facts: Mapping[str, Any]) -> Any:
    try:
        import adlfs
    except ImportError as error:
        raise UserErrorException(
            f"The datastore {facts['name']!r} lies in Azure Storage, which is reached with the package adlfs: "
            f"`pip install '{_EXTRA}'`."
        ) from error
    return adlfs


def _address_of(facts: Mapping[str, Any]) -> str:
    protocol, endpoint = facts.get("protocol") or "https", facts.get("endpoint") or "core.windows.net"
    return blob_address(str(facts["account_name"]), protocol, endpoint)


def _azure_system(facts: Mapping[str, Any], secrets: Mapping[str, str | None], *, is_open: bool) -> Any:
    adlfs = _adlfs(facts)
    account, key, sas = str(facts["account_name"]), secrets.get("account_key"), secrets.get("sas_token")
    if secrets.get("client_secret"):
        return adlfs.AzureBlobFileSystem(
            account_name=account,
            tenant_id=secrets.get("tenant_id"),
            client_id=secrets.get("client_id"),
            client_secret=secrets.get("client_secret"),
        )
    if key:
        credential = f"AccountKey={key};"
    elif sas:
        credential = f"SharedAccessSignature={sas.lstrip('?')};"
    elif is_open:
        credential = ""
    else:
        return adlfs.AzureBlobFileSystem(account_name=account, anon=False)
    return adlfs.AzureBlobFileSystem(
        account_name=account,
        connection_string=f"AccountName={account};{credential}BlobEndpoint={_address_of(facts)}",
        skip_instance_cache=True,
    )


def _is_public(container: str) -> bool:
    """Tell whether anybody may list a container, given by its address: it is asked without a credential."""
    import requests  # comes with mlflow; slow to import

    asked = {"restype": "container", "comp": "list", "maxresults": "1"}
    try:
        with requests.get(container, params=asked, timeout=_PUBLIC_SECONDS) as answer:
            return answer.ok
    except requests.RequestException:
        return False


def blob_address(account: str, protocol: str, endpoint: str) -> str:
    """Return the address of a storage account; an endpoint with a port is a host of its own."""
    host = endpoint.partition("/")[0]
    if ":" in host or host == "localhost" or host.replace(".", "").isdigit():
        return f"{protocol}://{endpoint}/{account}"
    return f"{protocol}://{account}.blob.{endpoint}"


def common_folder(paths: list[str]) -> str:
    """Return the deepest folder that holds all of the paths, as strings; one path: its folder."""
    if len(paths) == 1:
        return posixpath.dirname(paths[0])
    parts = [path.split("/")[:-1] for path in paths]
    shared = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return "/".join(shared) or ("/" if paths and all(path.startswith("/") for path in paths) else "")
