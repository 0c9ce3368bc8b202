"""The command `azml-compat`. Each of its commands is a module of `_commands`, loaded when it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

COMMANDS = {
    "run": "run any command, with azml_compat in azureml's place in every python that it starts",
    "ui": "open the MLflow UI on the store that scripts in this folder use",
    "doctor": "say where runs go and why, and what stands in the way",
    "sync": "send what could not be sent while a tracking store was away",
    "scan": "say what scripts and notebooks use of the Azure ML SDK, and what becomes of it",
    "migrate": "rewrite scripts and notebooks for azml_compat, or for plain MLflow",
    "verify": "run a script and its successor, and say whether they record the same",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code.

    Args:
        arguments: Default `sys.argv[1:]`.
    """
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or [""]
    if name in ("-h", "--help"):
        sys.stdout.write(_usage())
        return 0
    if name == "--version":
        from azml_compat import __version__

        print(f"azml-compat {__version__}")
        return 0
    if name not in COMMANDS:
        sys.stderr.write(f"azml-compat: {name!r} is not a command\n{_usage()}" if name else _usage())
        return 2
    code: int = import_module(f"azml_compat._commands.{name}").main(rest)
    return code


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {what}\n" for name, what in COMMANDS.items()]
    return (
        "usage: azml-compat COMMAND [option ...]\n\nAzure ML SDK v1 scripts on MLflow.\n\n"
        f"{''.join(lines)}\n`azml-compat COMMAND --help` says more of each.\n"
    )
