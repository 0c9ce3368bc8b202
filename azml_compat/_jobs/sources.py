"""The copy of a source directory in which a submitted script runs, so that edits and outputs stay apart."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from azml_compat._home import home
from azml_compat._journal import places
from azml_compat._snapshot import ignored_by
from azml_compat._tracking.addresses import lies_in

_SKIPPED_AT_THE_TOP = frozenset({"outputs", "logs"})
"""What earlier runs of the script have left: it would be taken for this one's."""
_STORES = frozenset({"mlruns", "mlartifacts", "mldatastores"})


def work_folder(run_id: str) -> Path:
    """Make the folder for the copy of a run's source: among the temporary ones, as on Azure, for this user alone.

    Raises:
        FileExistsError: there is one.
    """
    user = os.getuid() if hasattr(os, "getuid") else "user"
    root = places.private_folder(Path(tempfile.gettempdir()) / f"azureml_runs-{user}")
    folder = root / run_id
    folder.mkdir(mode=0o700)
    return folder


def copy_source(source: Path, target: Path, store_uri: str) -> None:
    """Copy a source directory as Azure's local target does: all but what .amlignore, else .gitignore, names.

    What lies beside scripts and belongs to the tracking store, virtual environments, and the output folders at the top
    are left out too.

    Raises:
        OSError: it cannot be read, or the disk does not take it.
    """
    for file, name in _files(source, lies_in(store_uri)):
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if file.is_symlink() and not file.exists():
            copy.symlink_to(file.readlink())
        else:
            shutil.copy2(file, copy)
    for folder in ("outputs", "logs"):
        (target / folder).mkdir(exist_ok=True)
    (target / "logs" / "azureml").mkdir(exist_ok=True)


def _files(source: Path, is_of_store: Callable[[Path], bool]) -> Iterator[tuple[Path, str]]:
    """Yield every file to be copied, with its name below the source directory; links are followed, not in circles."""
    ignored = ignored_by(source)
    own = {Path(os.path.realpath(home()))}
    ways = {os.fspath(source): frozenset({os.path.realpath(source)})}
    """For each folder that is to come, the real folders on the way to it."""
    for parent, folders, files in os.walk(source, followlinks=True):
        way = ways.pop(parent)
        below = Path(parent).relative_to(source).as_posix()
        prefix = "" if below == "." else f"{below}/"
        kept = []
        for folder in sorted(folders):
            real = os.path.realpath(Path(parent) / folder)
            is_skipped = folder in _STORES or (not prefix and folder in _SKIPPED_AT_THE_TOP)
            is_skipped |= (Path(parent) / folder / "pyvenv.cfg").is_file() or is_of_store(Path(parent) / folder)
            if not (is_skipped or real in way or Path(real) in own or ignored(f"{prefix}{folder}/")):
                ways[os.path.join(parent, folder)] = way | {real}  # noqa: PTH118 - as os.walk spells it
                kept.append(folder)
        folders[:] = kept
        for name in files:
            file = Path(parent) / name
            if ignored(f"{prefix}{name}") or is_of_store(file) or not (file.is_file() or file.is_symlink()):
                continue
            yield file, f"{prefix}{name}"
