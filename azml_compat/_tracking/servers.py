"""Looking at a tracking server: whether it answers, what it is, and whether it lets this user in.

It is asked without MLflow, which is imported only to see whether the server takes the credentials that MLflow finds.
"""

from __future__ import annotations

import importlib
import os
import re
import time
from collections.abc import Iterator
from typing import Any

from azml_compat._findings import Finding, ok, problem
from azml_compat._reporting import message_of
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking.addresses import without_credentials
from azml_compat.exceptions import AzureMLException

_SECONDS = 3.0
"""For one answer."""


def look_at_server(uri: str) -> Iterator[Finding]:
    """Say how the server is."""
    shown = without_credentials(uri).rstrip("/")
    began = time.monotonic()
    try:
        health = _get(f"{shown}/health")
    except _requests().RequestException as error:
        yield _unreachable(shown, error)
        return
    seconds = time.monotonic() - began
    if health.status_code != 200 or health.text.strip() != "OK":
        yield problem(
            f"Something answers at {shown}, but not as an MLflow server does: {health.status_code} for /health.",
            "Is the address right, with its path?",
            status=health.status_code,
        )
        return
    try:
        answer = _get(f"{shown}/version")
        server = answer.text.strip() if answer.status_code == 200 and len(answer.text) < 50 else None
        said = f", and is MLflow {server}" if server else ""
        yield ok(f"The server answers in {seconds * 1000:.0f} ms{said}.", seconds=round(seconds, 3), version=server)
        status = _get(f"{shown}/api/2.0/mlflow/experiments/search?max_results=1").status_code
    except _requests().RequestException as error:
        yield _unreachable(shown, error)
        return
    if status in (401, 403):
        yield _try_credentials(uri)
    elif status != 200:
        yield problem(f"The server is up, but refuses to list experiments: {status}.", "Its log says why.")


def _unreachable(shown: str, error: Exception) -> Finding:
    requests = _requests()
    if isinstance(error, requests.Timeout):
        reason = f"it did not answer within {_SECONDS:.0f} s"
    else:
        # urllib3 wraps what the system said; the innermost is the plainest.
        found = re.search(r"\[Errno -?\d+\] ([^'\")]+)|(certificate verify failed[^'\")]*)", str(error))
        reason = (found[1] or found[2]).strip() if found else type(error).__name__
    if isinstance(error, requests.exceptions.SSLError):
        remedy = "Set MLFLOW_TRACKING_SERVER_CERT_PATH to the certificate of the authority that the server's is from."
    else:
        remedy = (
            "Is it running, and the address right? Scripts start and log all the same; what they log is kept, and sent "
            "when the server is back."
        )
    return problem(f"The tracking server {shown} cannot be reached: {reason}.", remedy)


def _try_credentials(uri: str) -> Finding:
    """Ask the server as MLflow does, with the credentials that MLflow finds."""
    from azml_compat._tracking.store import Store

    store = Store(uri)
    try:
        with store.patience(_SECONDS):
            next(store.list_experiments(), None)
    except (AzureMLException, ServiceException) as error:
        return problem(
            f"The server does not take this user's credentials: {message_of(error)}",
            "Set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN.",
        )
    return ok("The server wants credentials, and takes those that MLflow finds.")


def _requests() -> Any:
    return importlib.import_module("requests")


def _get(address: str) -> Any:
    """Ask a server without credentials, with MLflow's settings for certificates."""
    is_insecure = os.environ.get("MLFLOW_TRACKING_INSECURE_TLS", "").lower() in ("true", "1")
    verify = False if is_insecure else os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or True
    return _requests().get(address, timeout=_SECONDS, verify=verify)
