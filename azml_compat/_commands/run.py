"""`azml-compat run`: runs any command, with `azureml` leading to azml_compat in every python that it starts."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from azml_compat._inheritance import hand_down

_USAGE = """\
usage: azml-compat run command [argument ...]

Runs a command, such as `python train.py`, `torchrun train.py`, `pytest` or `bash train.sh`. In every python that it
starts, `azureml` is azml_compat. A script alone (`azml-compat run train.py`) is run by the python of azml-compat.
"""
_CANNOT_RUN, _NOT_FOUND = 126, 127
"""Exit codes, as of a shell."""
_US = ["-m", "azml_compat"]
_OPTION = re.compile(r"(-(?!\Z)[bBdEIOPqRstuv]*)(?:([cmWX])(.*))?", re.DOTALL)
"""Flags of python in one word, and at most one option with a value, which may follow as the next word.

Others are none of ours: -h and -V run no program, -i goes on after it, -x is for a file that python reads itself, -S
leaves no packages to import.
"""


def main(arguments: Sequence[str]) -> int:
    """Run a command in the place of this process; return its exit code where there is no such thing, or it cannot be.

    Args:
        arguments: The command and what belongs to it, all of which it gets untouched.
    """
    if arguments and arguments[0] in ("-h", "--help"):
        sys.stdout.write(_USAGE)
        raise SystemExit(0)
    command = list(arguments)
    if command[:1] == ["--"]:
        del command[0]
    elif command and command[0].startswith("-"):
        sys.stderr.write(f"unknown option: {command[0]}\n")
        command.clear()
    if not command:
        sys.stderr.write(_USAGE)
        return 2
    environment = dict(os.environ)
    hand_down(environment)
    try:
        return _run(_through_us(command), environment)
    except FileNotFoundError:
        is_there = shutil.which(command[0]) is not None
        what = "the interpreter that its first line names was not found" if is_there else "command not found"
        sys.stderr.write(f"azml-compat run: {command[0]}: {what}\n")
        return _NOT_FOUND
    except OSError as error:
        sys.stderr.write(f"azml-compat run: {command[0]}: {error.strerror}\n")
        return _CANNOT_RUN


def _run(command: list[str], environment: dict[str, str]) -> int:
    if os.name == "posix":
        for name in ("SIGPIPE", "SIGXFSZ", "SIGXFZ"):  # Python ignores these for itself, and a command would too.
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_DFL)
        os.execvpe(command[0], command, environment)
    import subprocess

    with subprocess.Popen(command, env=environment) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # The command got it as well, and it decides.
                continue


def _through_us(command: Sequence[str]) -> list[str]:
    """Have the program of a python command run through `python -m azml_compat`, which sees how it ends."""
    first, *rest = command
    if first.endswith(".py") and Path(first).is_file():
        return [sys.executable, *_US, *command]
    split = _split(rest) if _is_this_python(first) else None
    if split is None or split[1][:2] == _US:
        return list(command)
    options, program = split
    return [first, *options, *_US, *program]


def _is_this_python(command: str) -> bool:
    """Tell whether a command is the python of azml-compat: another may have no azml_compat that could run a program."""
    found = shutil.which(command)
    if found is None:
        return False
    # The virtual environments of one python share its file, each behind a link in a folder of its own.
    ours, theirs = Path(sys.executable), Path(found)
    return theirs.samefile(ours) and theirs.parent.samefile(ours.parent)


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """Split what follows `python` into its options and the program: a script, -m or -c, and the arguments of that.

    None where there is no program, or python had better read it itself.
    """
    words = list(arguments)
    options: list[str] = []
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            return options, [word, *words]
        option = _OPTION.fullmatch(word)
        if option is None:
            return None
        flags, letter, value = option.groups()
        if letter is None:
            options.append(flags)
            continue
        if not value:
            if not words:
                return None
            value = words.pop(0)
        if letter in "cm":
            return [*options, *([flags] if flags != "-" else [])], [f"-{letter}", value, *words]
        options += [flags + letter, value]
    return None
