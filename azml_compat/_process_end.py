"""How this process ends, seen as truthfully as python allows, and told to whoever has runs open.

A normal end and `sys.exit` are seen by an exit hook, an uncaught exception by `sys.excepthook`, SIGTERM by a signal
handler. An exit hook cannot see the exit code, so `sys.exit`, `exit` and `quit` note it; `python -m azml_compat` tells
it in any case. What ends a process without python - SIGKILL, os._exit - is seen by whoever drains its journals later.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import sys
import threading
import types
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

_TERMINATION_SECONDS = 8
"""For ending runs properly before SIGTERM is let through; schedulers kill after 10 to 30."""

_FILE_INPUT = 257
"""Py_file_input of CPython: the text is statements."""


class Outcome(NamedTuple):
    """How the script ended: with an uncaught error, with an exit code, by SIGTERM, or well."""

    error: BaseException | None = None
    exit_code: int = 0
    is_terminated: bool = False

    @property
    def is_failure(self) -> bool:
        """Whether a run that is still open has failed."""
        return self.error is not None or self.exit_code != 0


class ProcessEnd:
    """Watches for the end of the process once `watch` was called.

    Args:
        finish: Called once with the outcome; it may take its time.
        secure: Called first when the process is terminated, inside the signal handler: it must not wait for anything.
        has_runs: Tells whether the process has runs to end, inside the signal handler too.
    """

    def __init__(
        self, finish: Callable[[Outcome], None], secure: Callable[[Outcome], None], has_runs: Callable[[], bool]
    ) -> None:
        self._finish = finish
        self._secure = secure
        self._has_runs = has_runs
        self._outcome: Outcome | None = None
        self._is_watching = False
        self._is_idle = False
        """Nothing of the script runs: a notebook waits for its next cell."""
        self._is_exiting = False
        self._is_termination_due = False
        self._is_terminating = False
        self._is_forked = False

    def leave_parent_behind(self) -> None:
        """In a forked child, which has its parent's hooks: what the parent was at is not its business."""
        self._is_exiting = self._is_termination_due = self._is_terminating = False
        self._is_forked = True

    def forget(self) -> None:
        """Forget what was noted."""
        self._outcome = None

    def note(self, error: BaseException | None, exit_code: int) -> None:
        """Tell how the script ended."""
        # sys.exit is no error; the code says all, and 0 is a normal end.
        self._outcome = Outcome(None if isinstance(error, SystemExit) else error, exit_code)

    def watch(self) -> None:
        """Put the hooks in place, once."""
        if self._is_watching:
            return
        self._is_watching = True
        # Where a run is created only at exit, MLflow is imported only then; these modules of its cannot be, because
        # they register themselves with the end of the threads, which is over by then.
        importlib.import_module("concurrent.futures.thread")
        importlib.import_module("concurrent.futures.process")
        atexit.register(self._at_exit)
        self._watch_errors()
        self._watch_cells()
        self._watch_exit_codes()
        self._watch_termination()

    def _at_exit(self) -> None:
        self._is_exiting = True
        outcome = self._outcome or Outcome()
        self._finish(outcome)
        self._is_exiting = False
        if isinstance(outcome.error, KeyboardInterrupt):
            _note_interrupt()
        if self._is_termination_due:
            import signal

            signal.raise_signal(signal.SIGTERM)

    def _watch_errors(self) -> None:
        previous = sys.excepthook

        def note_error(kind: type[BaseException], error: BaseException, traceback: types.TracebackType | None) -> None:
            self.note(error, 1)
            previous(kind, error, traceback)

        sys.excepthook = note_error

    def _watch_cells(self) -> None:
        """In IPython, where an error ends a cell and nothing else, go by how the last cell ended."""
        if "IPython" in sys.modules:
            from azml_compat._notebook import watch_cells

            watch_cells(self._begin_cell, self._end_cell)

    def _begin_cell(self) -> None:
        self._is_idle = False

    def _end_cell(self, error: BaseException | None) -> None:
        self._is_idle = True
        if error is None:
            self.forget()
        else:
            self.note(error, _exit_code(error.code) if isinstance(error, SystemExit) else 1)

    def _watch_exit_codes(self) -> None:
        note = self.note

        class Exit(SystemExit):
            """A SystemExit that tells when nothing caught it: then it is deleted where no python code runs any more."""

            def __del__(self) -> None:
                try:
                    sys._getframe(1)  # noqa: SLF001 - the only way to see whether anybody is left who may have caught it
                except ValueError:
                    if threading.current_thread() is threading.main_thread():
                        note(self, _exit_code(self.code))

        Exit.__name__ = Exit.__qualname__ = "SystemExit"

        def leave(status: Any = None, /) -> NoReturn:
            raise Exit(status)

        leave.__doc__ = sys.exit.__doc__
        leave.__name__ = leave.__qualname__ = "exit"
        sys.exit = leave
        site = sys.modules.get("_sitebuiltins")  # Its are the builtins exit and quit; `python -S` has none.
        if site is None:
            return
        call = site.Quitter.__call__

        def leave_interpreter(self: object, code: Any = None) -> None:
            ended = None
            try:
                call(self, code)
            except SystemExit as end:
                ended = end
            if ended is not None:  # and not in the block: the exception would show where it came from
                raise Exit(ended.code)

        leave_interpreter.__name__, leave_interpreter.__qualname__ = "__call__", "Quitter.__call__"
        site.Quitter.__call__ = leave_interpreter

    def _watch_termination(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return

        import signal  # here and not at the top: importing Run must stay cheap

        previous = signal.getsignal(signal.SIGTERM)
        if previous is None or previous is signal.SIG_IGN:
            return

        def terminate(number: int, frame: types.FrameType | None) -> None:
            # What a forked child has logged to runs of its parent stands in its journal, and the parent sends it.
            if self._has_runs() or not self._is_forked:
                if self._is_terminating:
                    return  # Runs are being ended for an earlier signal, which takes a few seconds at most.
                if self._is_exiting:
                    # The script has ended, and its runs are being ended as it did. The signal has its way afterwards.
                    self._secure(self._outcome or Outcome())
                    self._is_termination_due = True
                    return
                self._is_terminating = True
                try:
                    self._terminate()
                finally:
                    self._is_terminating = False
            if callable(previous):
                previous(number, frame)
            else:
                signal.signal(number, signal.SIG_DFL)
                os.kill(os.getpid(), number)

        signal.signal(signal.SIGTERM, terminate)

    def _terminate(self) -> None:
        """End the runs in a thread: this one may have been interrupted while it held what that needs."""
        # Servers of notebooks send the signal to a kernel that waits for its next cell: nothing is cut short then.
        outcome = (self._outcome or Outcome()) if self._is_idle else Outcome(is_terminated=True)
        self._secure(outcome)
        thread = threading.Thread(target=self._finish, args=(outcome,), daemon=True)
        try:
            thread.start()
        except RuntimeError:  # The system has no more threads for this user. The end is in the journal.
            return
        thread.join(_TERMINATION_SECONDS)


def _note_interrupt() -> None:
    """Have python die of SIGINT, as it does behind a KeyboardInterrupt that nobody handled.

    CPython keeps that in a flag (run_eval_code_obj in pythonrun.c), which `exec` of a text clears: making a dataclass
    or a namedtuple is enough, and so is importing what makes one in order to end a run. Then it would exit with 1.
    """
    with contextlib.suppress(ImportError, KeyboardInterrupt):
        import ctypes  # here and not at the top: it is rarely needed, and not every python has it

        names: ctypes.py_object[dict[str, Any]] = ctypes.py_object({})
        ctypes.pythonapi.PyRun_String(b"raise KeyboardInterrupt", _FILE_INPUT, names, names)


def _exit_code(status: Any) -> int:
    if status is None:
        return 0
    return status if isinstance(status, int) else 1
