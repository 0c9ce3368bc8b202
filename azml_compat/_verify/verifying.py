"""Two scripts, or two runs, compared from beginning to end."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from azml_compat import _names, _status
from azml_compat._tracking import RunRecord, Store
from azml_compat._tracking.addresses import absolute_uri
from azml_compat._verify import reading, running
from azml_compat._verify.comparing import Difference, compare
from azml_compat._verify.records import Recorded
from azml_compat._verify.running import CannotRunError, Ending

_PAUSE = 0.5
"""Seconds between looks at a submitted script."""


class Comparison(NamedTuple):
    """What both sides have recorded, and in what that differs."""

    old: Sequence[Recorded]
    new: Sequence[Recorded]
    differences: Sequence[Difference]
    endings: tuple[Ending, ...] = ()
    """Of the two scripts; none where the runs were there."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that could be compared."""
        return not self.old and not self.new


def compare_runs(old_store: Store, old: str, new_store: Store, new: str) -> Comparison:
    """Compare two runs with all below them; the experiments that they are in are set aside.

    Raises:
        LookupError: there is no such run.
    """
    before, after = (
        reading.read(store, reading.find_with_descendants(store, run_id), with_experiments=False)
        for store, run_id in ((old_store, old), (new_store, new))
    )
    return Comparison(before, after, compare(before, after))


def compare_scripts(
    old: Path, new: Path, arguments: Sequence[str], *, folder: Path | None = None, on: str | None = None
) -> Comparison:
    """Run a script for azureml and its successor, one after the other, and compare what they have recorded.

    Args:
        old: The script for azureml, or a notebook of that kind.
        new: Its successor.
        arguments: For both.
        folder: What is copied, and where they are run; by default the folder that each is in.
        on: The tracking URI of a store for both; by default each has a fresh one.

    Raises:
        CannotRunError: a script is not there, or its folder cannot be copied.
    """
    for script in (old, new):
        if not script.is_file():
            raise CannotRunError(f"there is no file {script}")
        if folder is not None and folder.resolve() not in script.resolve().parents:
            raise CannotRunError(f"{script} is not in {folder}")
    with tempfile.TemporaryDirectory(prefix="azml_compat-", ignore_cleanup_errors=True) as name:
        scratch = Path(name).resolve()
        places = [scratch / "old", scratch / "new"]
        copies = [_copied(script, folder, place) for script, place in zip((old, new), places, strict=True)]
        stores = [absolute_uri(on, Path.cwd())] * 2 if on else _fresh_stores(scratch)
        endings: list[Ending] = []
        recordings: list[list[Recorded]] = []
        for is_old, script, place, uri in zip((True, False), copies, places, stores, strict=True):
            began = int(time.time() * 1000)
            home = scratch / "home"
            endings.append(
                running.run(script, arguments, place, store=uri, experiment=old.stem, home=home, is_aliased=is_old)
            )
            store = Store(uri, may_create=False)
            recordings.append(reading.read(store, _ended(store, began)))
    before, after = recordings
    differences = compare(before, after)
    codes = [ending.code for ending in endings]
    if codes[0] != codes[1]:
        differences.insert(0, Difference("script", "exit code", "", *map(str, codes)))
    return Comparison(before, after, differences, tuple(endings))


def _copied(script: Path, folder: Path | None, place: Path) -> Path:
    """Copy a script with its folder, and return what is to be run there."""
    root = (folder or script.parent).resolve()
    running.copy_folder(root, place)
    return running.as_script(script, place / script.resolve().parent.relative_to(root))


def _ended(store: Store, began: int) -> list[RunRecord]:
    """Return the runs that a script has started, when those that it has submitted have ended."""
    while True:
        runs = reading.runs_since(store, began)
        if all(_names.TAG_DEFINITION not in run.tags or _status.is_terminal(run) for run in runs):
            return runs
        time.sleep(_PAUSE)


def _fresh_stores(folder: Path) -> list[str]:
    """Make two empty databases; the second is a copy, as making one takes seconds."""
    paths = [folder / f"{side}.db" for side in ("old", "new")]
    with _working_in(folder):  # below which MLflow puts the files of its Default experiment
        Store(f"sqlite:///{paths[0].as_posix()}").find_experiment("")
    shutil.copyfile(*paths)
    return [f"sqlite:///{path.as_posix()}" for path in paths]


@contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
