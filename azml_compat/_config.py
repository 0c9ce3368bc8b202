"""Azure's workspace configuration file: where it is looked for, its two forms, how it is written.

The search order and the errors are those of azureml-core 1.61: a `.azureml/config.json` of any ancestor wins over a
bare config.json next to the script.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from azml_compat import _names
from azml_compat.exceptions import UserErrorException

_FOLDERS = (".azureml", "aml_config", "")
_FILES = ("config.json", "project.json")
_SCOPE = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.MachineLearningServices/workspaces/{}"
_KEYS = ("subscription_id", "resource_group", "workspace_name")


class Config(NamedTuple):
    """What one configuration file says."""

    file: Path
    subscription_id: str
    resource_group: str
    workspace_name: str
    tracking_uri: str | None

    @property
    def project_folder(self) -> Path:
        """The folder that the file belongs to: the parent of `.azureml` or `aml_config`."""
        folder = self.file.parent
        return folder.parent if folder.name in _FOLDERS[:2] else folder


def find(path: str | Path | None = None, file_name: str | None = None) -> Path | None:
    """Return the configuration file for `path`: itself, or the first found going up from it."""
    start = Path(path or ".").expanduser()
    if start.is_file():
        return start.resolve()
    return next((file for file in _places(start.absolute(), file_name) if file.is_file()), None)


def _places(start: Path, file_name: str | None) -> Iterator[Path]:
    for folder in _FOLDERS:
        for file in (file_name,) if file_name else _FILES:
            for ancestor in (start, *start.parents):
                yield ancestor / folder / file


def load(file: Path) -> Config:
    """Read a configuration file in either form.

    Raises:
        UserErrorException: a key is missing.
        json.JSONDecodeError: it is not JSON.
        IndexError: its Scope is malformed.
    """
    content = json.loads(file.read_text(encoding="utf-8-sig"))  # Windows' editors write a byte order mark
    if not isinstance(content, dict):
        raise UserErrorException(f"The workspace configuration file {file} does not hold a JSON object.")
    if content.get("Scope"):
        parts = str(content["Scope"]).split("/")
        names = (parts[2], parts[4], parts[8])
    elif all(key in content for key in _KEYS):
        names = tuple(str(content[key]) for key in _KEYS)  # type: ignore[assignment]  # three keys, three names
    else:
        missing = ", ".join(key for key in _KEYS if key not in content)
        raise UserErrorException(f"The workspace configuration file {file} lacks the key {missing}.")
    tracking_uri = content.get(_names.CONFIG_TRACKING_URI)
    return Config(file, *names, tracking_uri=str(tracking_uri) if tracking_uri else None)


class Search(NamedTuple):
    """What the search from the current directory came to."""

    config: Config | None
    file: Path | None
    """The first file that was found. No other is read, whatever is wrong with this one."""
    problem: str
    """Why it cannot be read; empty when it can, and when there is none."""


def search() -> Search:
    """Look for the configuration file that the current directory sees, and read it."""
    file = find()
    if file is None:
        return Search(None, None, "")
    try:
        return Search(load(file), file, "")
    except UserErrorException as error:
        return Search(None, file, error.message)
    except json.JSONDecodeError as error:
        return Search(None, file, f"it is not JSON: {error}")
    except IndexError:
        return Search(None, file, f"its Scope is not of the form {_SCOPE.format('…', '…', '…')}")
    except (ValueError, OSError, RecursionError) as error:
        return Search(None, file, str(error))


def nearest() -> Config | None:
    """Return the configuration that the current directory sees; None where there is none that can be read."""
    # Only an explicit from_config reports what is wrong with a file.
    return search().config


def not_used() -> Iterator[tuple[Path, str]]:
    """Yield what lies around and is not what `find()` finds, each with the reason: other files, folders without one."""
    here = Path().absolute()
    found = [file for file in _places(here, None) if file.is_file()]
    for file in found[1:]:
        yield file, f"{found[0]} is found before it"
    for ancestor in (here, *here.parents):
        for folder in (ancestor / name for name in _FOLDERS[:2]):
            if folder.is_dir() and not any((folder / name).is_file() for name in _FILES):
                yield folder, "it holds no configuration file"


def write(
    path: str | Path | None, file_name: str | None, names: tuple[str, str, str], tracking_uri: str | None
) -> Path:
    """Write the file that `find(path)` finds, in the Scope form, and return it.

    Args:
        path: The project folder; it must exist. Default: the current directory.
        file_name: Its extension is replaced by .json. Default: config.json.
        names: Subscription, resource group and workspace.
        tracking_uri: Written as one more key, where the default would be another store.

    Raises:
        UserErrorException: the folder does not exist, or cannot be written.
    """
    folder = Path(path or ".").expanduser().absolute()
    target = folder / "aml_config" if (folder / "aml_config").is_dir() else folder / ".azureml"
    if file_name:
        file = target / Path(file_name).with_suffix(".json").name
    else:
        file = target / ("project.json" if (target / "project.json").is_file() else "config.json")
    content: dict[str, Any] = {"Id": None, "Scope": _SCOPE.format(*names)}
    if tracking_uri:
        content[_names.CONFIG_TRACKING_URI] = tracking_uri
    try:
        target.mkdir(exist_ok=True)
        file.write_text(json.dumps(content), encoding="utf-8")
    except OSError as error:
        raise UserErrorException(f"Cannot write the workspace configuration {file}: {error.strerror}.") from error
    return file
