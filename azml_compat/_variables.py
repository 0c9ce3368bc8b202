"""The environment variables that are set, and what they do here. Values are shown of those that hold no secrets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from azml_compat import _names
from azml_compat._findings import Finding, note, ok
from azml_compat._tracking.addresses import without_credentials

_OURS = "AZML_COMPAT_"
_PREFIXES = ("AZUREML_", "MLFLOW_")
_OFF = "has no effect: only 1 has"


class _Variable(NamedTuple):
    says: str | Callable[[str], str]
    """What it does, or what it does with this value."""
    is_shown: bool = True
    is_notable: Callable[[str], bool] = lambda _: False


def _always(_: str) -> bool:
    return True


_KNOWN: Mapping[str, _Variable] = {
    _names.ENV_HOME: _Variable("journals are kept there"),
    _names.ENV_BACKGROUND: _Variable(
        lambda value: (
            "no background process: values reach the store at flush, complete and the end"
            if value == "0"
            else "has no effect: only 0 has"
        ),
        is_notable=_always,
    ),
    _names.ENV_FSYNC: _Variable("how often journals are forced to the disk: `always`, or seconds"),
    _names.ENV_UI: _Variable("where `azml-compat ui` serves, and links lead where there is no server"),
    _names.ENV_DATA: _Variable("the datastores of a tracking server's workspace lie there"),
    _names.ENV_OFFLINE: _Variable(
        lambda value: (
            "Run.get_context() gives Azure's offline run, which prints what it is told and keeps nothing"
            if value == "1"
            else _OFF
        ),
        is_notable=_always,
    ),
    _names.ENV_ENVIRONMENTS: _Variable(
        lambda value: (
            "submitted scripts run in environments that are built of what they declare"
            if value == "isolated"
            else "has no effect: only isolated has"
        ),
        is_notable=_always,
    ),
    _names.ENV_AZURE_RUN_ID: _Variable(
        "Run.get_context() attaches to that run, and leaves its end to whoever started it", is_notable=_always
    ),
    _names.ENV_MLFLOW_RUN_ID: _Variable(
        "Run.get_context() attaches to that run, and leaves its end to whoever started it, "
        "unless AZUREML_RUN_ID is set; so does mlflow.start_run()",
        is_notable=_always,
    ),
    _names.ENV_AZURE_EXPERIMENT: _Variable("the experiment of the run that Run.get_context() starts"),
    _names.ENV_MLFLOW_EXPERIMENT: _Variable(
        "the experiment of the run that Run.get_context() starts, unless AZUREML_ARM_PROJECT_NAME is set"
    ),
    _names.ENV_TRACKING_URI: _Variable("the tracking store"),
    _names.ENV_ALLOW_FILE_STORE: _Variable("whether MLflow takes file stores"),
    "MLFLOW_REGISTRY_URI": _Variable(
        "is for plain MLflow: models that are registered here go to the tracking store", is_notable=_always
    ),
    "MLFLOW_TRACKING_USERNAME": _Variable("is sent to the tracking server", is_shown=False),
    "MLFLOW_TRACKING_PASSWORD": _Variable("is sent to the tracking server", is_shown=False),
    "MLFLOW_TRACKING_TOKEN": _Variable("is sent to the tracking server", is_shown=False),
    "MLFLOW_TRACKING_INSECURE_TLS": _Variable("whether certificates go unchecked", is_notable=_always),
    "MLFLOW_TRACKING_SERVER_CERT_PATH": _Variable("the authority for the server's certificate"),
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": _Variable("holds here too, and with it MLflow's own patience"),
    "MLFLOW_HTTP_REQUEST_TIMEOUT": _Variable("holds here too, and with it MLflow's own patience"),
}
_SETTINGS = {value for name, value in vars(_names).items() if name.startswith("ENV_") and isinstance(value, str)}


def variables() -> Iterator[Finding]:
    """Say what each variable of ours, Azure's or MLflow's does that is set."""
    is_any = False
    for name, value in sorted(os.environ.items()):
        if value and (name in _KNOWN or name.startswith(_OURS)):
            is_any = True
            yield _say(name, value)
    others = sorted(
        name for name, value in os.environ.items() if value and name.startswith(_PREFIXES) and name not in _KNOWN
    )
    if others:
        yield ok(f"Also set, and not looked into: {', '.join(others)}.", names=others)
    elif not is_any:
        yield ok("None is set.")


def _say(name: str, value: str) -> Finding:
    if name not in _KNOWN:
        if name in _SETTINGS:
            return ok(f"{name} is set.", name=name)
        return note(f"{name} is no setting of azml_compat, and does nothing.", "Is it misspelt?", name=name)
    known = _KNOWN[name]
    says = known.says if isinstance(known.says, str) else known.says(value)
    shown = f"={without_credentials(value)}" if known.is_shown else ""
    return (note if known.is_notable(value) else ok)(f"{name}{shown}: {says}.", name=name)
