"""`azml-compat ui`: opens the MLflow UI on the store that scripts in this folder use."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from azml_compat import _runtime
from azml_compat._inheritance import withhold
from azml_compat._tracking.addresses import without_credentials


def main(arguments: Sequence[str]) -> int:
    """Serve the UI until it is interrupted; return the exit code."""
    parser = argparse.ArgumentParser(prog="azml-compat ui", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", default=5000, type=int)
    options = parser.parse_args(arguments)
    store = _runtime.store()
    if store.is_server:
        print(f"The tracking store is a server: {without_credentials(store.uri)}")
        return 0
    print(f"MLflow UI of {without_credentials(store.uri)}: http://{options.host}:{options.port}", flush=True)
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", store.uri]
    environment = dict(os.environ)
    withhold(environment)
    try:
        return subprocess.call([*command, "--host", options.host, "--port", str(options.port)], env=environment)
    except KeyboardInterrupt:
        return 0
