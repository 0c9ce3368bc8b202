"""The command `azml-compat`.

ui      opens the MLflow UI on the store that scripts here use
sync    sends what could not be sent while a store was away
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence

from azml_compat import _runtime, _sync
from azml_compat._tracking.addresses import without_credentials


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="azml-compat", description="Azure ML SDK v1 scripts on MLflow.")
    commands = parser.add_subparsers(dest="command", required=True)
    ui = commands.add_parser("ui", help="open the MLflow UI on the tracking store of this folder")
    ui.add_argument("--host", default="127.0.0.1")
    ui.add_argument("--port", default=5000, type=int)
    sync = commands.add_parser("sync", help="send what could not be sent while a tracking store was away")
    sync.add_argument("--dry-run", action="store_true", help="only say what is to be sent")
    sync.add_argument("--timeout", default=60.0, type=float, metavar="SECONDS", help="for each run (default 60)")
    options = parser.parse_args(arguments)
    if options.command == "sync":
        return _sync.sync(dry_run=options.dry_run, seconds=options.timeout)
    return _serve_ui(options.host, options.port)


def _serve_ui(host: str, port: int) -> int:
    store = _runtime.store()
    if store.is_server:
        print(f"The tracking store is a server: {without_credentials(store.uri)}")
        return 0
    print(f"MLflow UI of {without_credentials(store.uri)}: http://{host}:{port}", flush=True)
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", store.uri]
    try:
        return subprocess.call([*command, "--host", host, "--port", str(port)])
    except KeyboardInterrupt:
        return 0
