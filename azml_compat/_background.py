"""The background process: delivers journals while their scripts compute, and ends the runs of scripts that die.

One serves all processes that use a store on this machine; it is started when a journal is a few seconds old, and
leaves when there is nothing left to wait for. It shares nothing with the script that started it: no pipes, no
terminal, no process group, no current directory, no alias, no run.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from azml_compat import _names
from azml_compat._inheritance import withhold
from azml_compat._journal import Spool, places
from azml_compat._journal.spool import BACKGROUND_LOCK
from azml_compat._reporting import message_of

logger = logging.getLogger("azml_compat")

_START_SECONDS = 2.0
"""A run that lives shorter needs no background process."""
_TURN_SECONDS = 0.5
_IDLE_TURNS = 4
_PAUSES = (1.0, 30.0)
"""Seconds between attempts while the store is away: the first, and the longest."""
_GIVE_UP_SECONDS = 900
"""For how long to wait for a store that is away, once no script is left."""
_LOG_BYTES = 1 << 20
_PRIVATE = ("AZUREML_", "AZML_COMPAT_", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_", "PYTHONSTARTUP", "PYTHONINSPECT")
"""Beginnings of the variables that are the script's own business."""

# Runs in the new process before anything else is imported. It leaves at once the process that was started, so that
# the script never has a child to wait for; the package is loaded from its own folder, and nothing from beside it.
_BOOT = """
import json, os, sys
if os.fork():
    os._exit(0)
os.setsid()
facts = json.loads(sys.argv[1])
sys.path[:] = [path for path in sys.path if path] + [path for path in facts["path"] if path not in sys.path]
import importlib.util
spec = importlib.util.spec_from_file_location(
    "azml_compat", facts["package"] + "/__init__.py", submodule_search_locations=[facts["package"]]
)
module = sys.modules["azml_compat"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from azml_compat._background import serve
serve(facts["folder"], facts["shown"])
"""


class _Starter:
    """Starts the background process when this process's journals are old enough, and again should it die."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None
        self._process = 0

    def soon(self, uri: str, spool: Spool) -> None:
        """Start it in a moment, unless the journals of this process are gone by then."""
        if self._process == os.getpid() and self._timer is not None and self._timer.is_alive():
            return
        self._process = os.getpid()
        self._timer = threading.Timer(_START_SECONDS, self._start, (uri, spool))
        self._timer.daemon = True
        self._timer.start()

    def _start(self, uri: str, spool: Spool) -> None:
        if spool.is_in_use:
            start(uri, spool)


_starter = _Starter()
start_soon = _starter.soon


def is_wanted() -> bool:
    """Tell whether the user allows a background process: AZML_COMPAT_BACKGROUND=0 forbids it."""
    return os.environ.get(_names.ENV_BACKGROUND) != "0" and hasattr(os, "fork")


def start(uri: str, spool: Spool) -> None:
    """Start the background process of a spool, unless it runs already.

    Args:
        uri: The tracking URI with its credentials, which only the environment of the new process gets to hold.
        spool: The journals.
    """
    try:
        if is_wanted() and not spool.has_background():
            _launch(uri, spool)
    except OSError as error:
        logger.warning("The background process cannot be started: %s", error)


def _launch(uri: str, spool: Spool) -> None:
    package = Path(__file__).parent
    facts = {
        "folder": str(spool.folder),
        "shown": spool.uri,
        "package": str(package),
        "path": list(_import_path(package)),
    }
    env = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
    env |= {_names.ENV_TRACKING_URI: uri, "PYTHONDONTWRITEBYTECODE": "1"}
    withhold(env)
    command = [sys.executable, "-W", "ignore", "-c", _BOOT, json.dumps(facts)]
    subprocess.run(
        command,
        cwd=spool.folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=False,
    )


def _import_path(package: Path) -> Iterator[str]:
    """Yield where this process imports from, without the script's own folder and the current one."""
    script = Path(sys.argv[0]).absolute().parent if sys.argv and sys.argv[0] else None
    left_out = {Path.cwd(), script, package.parent}
    for entry in sys.path:
        if entry and Path(entry).is_absolute() and Path(entry) not in left_out:
            yield entry


def serve(folder: str, shown: str) -> None:
    """Be the background process of the spool in `folder`, until there is nothing to wait for."""
    os.umask(0o077)
    os.nice(5)
    path = Path(folder)
    descriptor = places.open_private(path / BACKGROUND_LOCK, os.O_RDWR | os.O_CREAT)
    while places.try_lock(descriptor):
        _log_to(path / ".background.log")
        _Server(os.environ[_names.ENV_TRACKING_URI], Spool(shown, path)).serve()
        os.close(descriptor)
        # A script may have looked just before the lock was given back, and believes that it is served.
        time.sleep(_TURN_SECONDS)
        if not path.exists() or not Spool(shown, path).runs():
            return
        descriptor = places.open_private(path / BACKGROUND_LOCK, os.O_RDWR | os.O_CREAT)


def _log_to(file: Path) -> None:
    if file.exists() and file.stat().st_size > _LOG_BYTES:
        file.unlink()
    handler = logging.FileHandler(file, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)


class _Server:
    """The turns of the background process."""

    def __init__(self, uri: str, spool: Spool) -> None:
        self._uri = uri
        self._spool = spool
        self._drain: object = None
        self._seen_alive: set[Path] = set()
        self._pause = 0.0
        self._next_attempt = 0.0
        self._alone_since = 0.0

    def serve(self) -> None:
        """Take turns until nothing was to be done for a while."""
        idle = 0
        while idle < _IDLE_TURNS:
            time.sleep(_TURN_SECONDS)
            try:
                idle = 0 if self._turn() else idle + 1
            except FileNotFoundError:
                if not self._spool.folder.exists():
                    return
            except Exception:  # whatever it is, scripts still count on this process
                logger.exception("A turn failed")
                idle += 1

    def _turn(self) -> bool:
        """Deliver what there is; True while there is something to wait for."""
        runs = {run: self._spool.survey(run) for run in self._spool.runs()}
        has_owners = any(state.is_alive for states in runs.values() for state in states)
        pending = [run for run, states in runs.items() if any(state.is_pending for state in states)]
        now = time.monotonic()
        if has_owners:
            self._alone_since = now
        if pending and now >= self._next_attempt:
            self._deliver(pending)
        self._seen_alive = {state.path for states in runs.values() for state in states if state.is_alive}
        return has_owners or (bool(pending) and now - self._alone_since < _GIVE_UP_SECONDS)

    def _deliver(self, runs: list[str]) -> None:
        from azml_compat._draining import Drain
        from azml_compat._tracking import Store

        if not isinstance(self._drain, Drain):
            self._drain = Drain(Store(self._uri), self._spool)
        is_away = False
        for run in runs:
            watched = bool(self._seen_alive & set(self._spool.journals(run)))
            report = self._drain.run(run, time.monotonic() + 60, watched=watched)
            for run_id in report.ended:
                logger.info("Run %s is Failed now: its process was gone", run_id)
            for error in report.refused:
                logger.warning("%s", message_of(error))
            if report.away is not None:
                logger.info("The store does not answer: %s", message_of(report.away))
                is_away = True
        first, longest = _PAUSES
        self._pause = min(max(first, self._pause * 2), longest) if is_away else 0.0
        self._next_attempt = time.monotonic() + self._pause
