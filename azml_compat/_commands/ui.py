"""`azml-compat ui`: opens the MLflow UI on the store that scripts in this folder use.

It is `mlflow ui`, told by its environment what to serve: the address of a store may hold a password, and everybody on
the machine sees command lines. It has a session of its own, so that all of it is ended with this process: MLflow's
server is a child of a child, and older MLflow leaves it behind.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from azml_compat import _config, _portal, _runtime
from azml_compat._common.exceptions import AzureMLException
from azml_compat._inheritance import withhold
from azml_compat._names import ENV_UI
from azml_compat._reporting import message_of
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking.addresses import kind_of, without_credentials
from azml_compat._tracking.mlflow_api import serve_ui

_SERVE = "import sys; from azml_compat._commands.ui import serve; sys.exit(serve())"
_LOOK_SECONDS = 0.2
_END_SECONDS = 10
_PORTS = 20
"""How many ports behind one that is taken are tried for a proposal."""
_QUIET = {
    "MLFLOW_WORKERS": "1",  # one person looks, and each worker takes 230 MB
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_UVICORN_OPTS": "--log-level warning",
    "PYTHONWARNINGS": "ignore",
}
"""For a server on a desk; what the user has set holds."""


def main(arguments: Sequence[str]) -> int:
    """Serve the UI until it is interrupted; return the exit code."""
    try:
        place = urlsplit(_portal.own_ui())
        port = place.port or 80
    except ValueError as error:
        return _fail(f"{ENV_UI} is no address: {error}.")
    parser = argparse.ArgumentParser(prog="azml-compat ui", description=__doc__.partition("\n")[0])
    parser.add_argument("--host", default=place.hostname, help=f"default {place.hostname}")
    parser.add_argument("--port", default=port, type=_port, help=f"default {port}")
    options = parser.parse_args(arguments)
    try:
        choice = _runtime.choose_store(_config.nearest())
        shown = without_credentials(choice.uri)
        kind = kind_of(choice.uri)
        if kind == "server":
            print(f"The tracking store is a server: {shown}")
            return 0
        if kind == "plugin":
            return _fail(f"{shown} is no store that MLflow can serve. `azml-compat doctor` says where it comes from.")
    except AzureMLException as error:
        return _fail(str(message_of(error)))
    taken = _why_taken(options.host, options.port)
    if taken:
        return _fail(taken)
    command = [sys.executable, "-c", _SERVE, "--host", options.host, "--port", str(options.port)]
    environment = dict(os.environ)
    withhold(environment)
    with _ended_with_us(subprocess.Popen(command, env=environment, start_new_session=True)) as process:
        return _wait(process, _address(options.host, options.port), shown)


def serve() -> int:
    """Be `mlflow ui` with the options in `sys.argv`, and return its exit code: what the command starts."""
    choice = _runtime.choose_store(_config.nearest())
    try:
        # As scripts do: alone where MLflow would break, and with runs ended whose processes are gone.
        next(_runtime.store().list_experiments(), None)
    except (AzureMLException, ServiceException) as error:
        return _fail(str(message_of(error)))
    _tell_server(choice)
    return serve_ui(sys.argv[1:])


def _port(text: str) -> int:
    if text.isdecimal() and 0 < int(text) < 1 << 16:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 65535")


def _fail(why: str) -> int:
    sys.stderr.write(f"azml-compat ui: {why}\n")
    return 1


def _why_taken(host: str, port: int) -> str:
    """Say why nothing can be served at a host and port, and what to do; empty where it can."""
    try:
        _bind(host, port)
    except socket.gaierror as error:
        return f"the host {host} is not known: {error.strerror}."
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            return f"nothing can be served at {_address(host, port)}: {error.strerror or error}."
    else:
        return ""
    who = "an MLflow server" if _answers(_address(host, port)) else "another program"
    free = next((other for other in range(port + 1, port + _PORTS) if _is_free(host, other)), 8080)
    return f"port {port} is in use by {who}. Stop that, or choose another port: azml-compat ui --port {free}"


def _bind(host: str, port: int) -> None:
    family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        if os.name == "posix":  # elsewhere this would let two listen
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(place)


def _is_free(host: str, port: int) -> bool:
    try:
        _bind(host, port)
    except (OSError, OverflowError):
        return False
    return True


def _address(host: str, port: int) -> str:
    """Return where a browser on this machine finds what is served at `host`."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _answers(address: str) -> bool:
    """Tell whether an MLflow server answers."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{address}/health", timeout=2) as answer:
            return bool(answer.read(3) == b"OK")
    except (OSError, ValueError):
        return False


def _tell_server(choice: _runtime.StoreChoice) -> None:
    os.environ["MLFLOW_BACKEND_STORE_URI"] = os.environ["MLFLOW_REGISTRY_STORE_URI"] = choice.uri
    # What the UI creates is to be readable without it: not behind the server's own artifact addresses.
    os.environ.setdefault("MLFLOW_DEFAULT_ARTIFACT_ROOT", choice.artifact_root or choice.uri)
    if choice.artifact_root is not None:
        # And what a plain `mlflow server` in the project's folder has put behind those is to be seen here.
        os.environ.setdefault("MLFLOW_ARTIFACTS_DESTINATION", choice.artifact_root)
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)


@contextmanager
def _ended_with_us(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """End the whole session of a process when this one is told to end, or the block does."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # What is ignored stays so, as nohup has it.
    before = {number: signal.signal(number, end) for number in numbers if signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield process
    finally:
        for name in ("SIGTERM", "SIGKILL"):
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                _send(process, name)
                process.wait(_END_SECONDS)
        for number, handler in before.items():
            signal.signal(number, handler)


def _send(process: subprocess.Popen[bytes], name: str) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, getattr(signal, name))
    else:
        process.terminate()


def _wait(process: subprocess.Popen[bytes], address: str, shown: str) -> int:
    """Say when the UI is up, and wait until it ends or is interrupted; return the exit code."""
    try:
        while not _answers(address):
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(_LOOK_SECONDS) or 1
        print(f"MLflow UI of {shown}: {address}", flush=True)
        if address != _portal.own_ui():
            print(
                f"Links that scripts print lead to {_portal.own_ui()}, unless they find {ENV_UI}={address}", flush=True
            )
        return process.wait()
    except KeyboardInterrupt:
        return 0
