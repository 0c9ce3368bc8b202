"""`python -m azml_compat script.py args…`: run a script, module or code as python does, under the alias.

What the program sees (`sys.argv`, `sys.path`, `__main__`) and what its caller sees (output, traceback, exit
code) is as with python itself. How it ended is told to the runtime, because an exit hook cannot see that.
"""

from __future__ import annotations

import builtins
import os
import runpy
import sys
from importlib.machinery import SourceFileLoader
from pkgutil import get_importer
from types import CodeType, ModuleType, TracebackType
from typing import NoReturn

from azml_compat._alias import install
from azml_compat._cli import COMMANDS
from azml_compat._cli import main as command
from azml_compat._inheritance import hand_down

_USAGE = """\
usage: python -m azml_compat script.py [argument ...]
       python -m azml_compat -m module [argument ...]
       python -m azml_compat -c code [argument ...]
       python -m azml_compat run | ui | doctor | sync | scan | migrate | verify [option ...], as the command azml-compat

Runs a program that imports azureml, with azml_compat in its place; processes that it starts inherit that.
"""


def main() -> None:
    """Do what the command line says."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        if not arguments:
            _refuse("nothing to run")
        sys.stdout.write(_USAGE)
        return
    if arguments[0] in COMMANDS:
        sys.exit(command(arguments))
    install()
    hand_down(os.environ)
    try:
        _run(arguments)
    except BaseException as error:
        _note_outcome(error)
        _hide_own_frames(error)
        raise
    _note_outcome(None)


def _run(arguments: list[str]) -> None:
    """Run the program as `__main__`."""
    first, *rest = arguments
    if first in ("-c", "-m"):
        if not rest:
            _refuse(f"argument expected for the {first} option")
        value, *rest = rest
        sys.argv = [first, *rest]
        if first == "-c":
            import linecache

            _set_path("")
            # For tracebacks, which show this source from python 3.13 on.
            linecache.cache["<string>"] = (len(value), None, value.splitlines(keepends=True), "<string>")
            _execute(compile(value, "<string>", "exec", dont_inherit=True), _fresh_main())
        else:
            _fresh_main()
            # What `python -m` itself calls; runpy.run_module would take its `__main__` away again at the end,
            # before the program's threads and exit hooks have run.
            runpy._run_module_as_main(value)  # type: ignore[attr-defined] # noqa: SLF001
        return
    if first.startswith("-"):
        _refuse(f"unknown option: {first}")
    sys.argv = arguments
    _run_script(first)


def _refuse(why: str) -> NoReturn:
    sys.stderr.write(f"{why}\n{_USAGE}")
    sys.exit(2)


def _run_script(script: str) -> None:
    path = os.path.abspath(script)  # noqa: PTH100 - as python does: links are not resolved here
    if get_importer(path) is not None:  # a folder or an archive, which holds a `__main__`
        _set_path(path, always=True)
        _fresh_main()
        runpy._run_module_as_main("__main__", alter_argv=False)  # type: ignore[attr-defined] # noqa: SLF001
        return
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        sys.stderr.write(f"{sys.executable}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}\n")
        sys.exit(2)
    _set_path(os.path.dirname(os.path.realpath(path)))  # noqa: PTH120 - but here they are
    module = _fresh_main()
    vars(module).update(__file__=path, __cached__=None, __loader__=SourceFileLoader("__main__", path))
    _execute(compile(source, path, "exec", dont_inherit=True), module)


def _execute(code: CodeType, module: ModuleType) -> None:
    exec(code, vars(module))


def _fresh_main() -> ModuleType:
    """Put a new module in this one's place as `__main__`, for good: threads and exit hooks look there too."""
    module = ModuleType("__main__")
    vars(module)["__builtins__"] = builtins
    if "__annotations__" in globals():  # up to python 3.13, this one had it from the start
        module.__annotations__ = {}
    sys.modules["__main__"] = module
    return module


def _set_path(directory: str, *, always: bool = False) -> None:
    """Set where imports look first; `python -m azml_compat` had put the current directory there."""
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):  # -I, -P: there is no such entry
        sys.path[0] = directory
    elif always:
        sys.path.insert(0, directory)


def _note_outcome(error: BaseException | None) -> None:
    """Tell the runtime, if the program has used it at all, and whoever has launched a submitted script."""
    file = os.environ.get("AZML_COMPAT_JOB_ERROR")
    if file and error is not None and not isinstance(error, SystemExit):
        from azml_compat._jobs.folder import note_error

        note_error(file, error)
    runtime = sys.modules.get("azml_compat._runtime")
    if runtime is not None:
        runtime.note_outcome(error, _exit_code(error))


def _exit_code(error: BaseException | None) -> int:
    """Give the exit code with which python will end because of this."""
    if isinstance(error, KeyboardInterrupt):
        return 130  # as a shell shows death by SIGINT, which is how python ends then
    if isinstance(error, SystemExit):
        code = 0 if error.code is None else error.code
        return code if isinstance(code, int) else 1
    return 0 if error is None else 1


def _hide_own_frames(error: BaseException) -> None:
    """Let the traceback begin where the program does, as if python had run it."""
    show = sys.excepthook

    def show_program(kind: type[BaseException], raised: BaseException, trace: TracebackType | None) -> None:
        program = trace
        while trace is not None:
            if trace.tb_frame.f_globals is globals():
                program = trace.tb_next
            trace = trace.tb_next
        show(kind, raised.with_traceback(program), program)

    if not isinstance(error, SystemExit):
        sys.excepthook = show_program


if __name__ == "__main__":
    main()
