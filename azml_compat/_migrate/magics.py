"""What in the cells of notebooks is no Python: magics, shell commands, questions for help.

It is masked with Python of the same length that does nothing, so that whatever is found in a cell is where it is in the
notebook. IPython's own transformer moves what it translates.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_PYTHON_BELOW = frozenset(
    {
        "capture", "time", "timeit", "prun", "lprun", "mprun", "memit", "snakeviz", "scalene", "pyinstrument", "debug",
        "heat", "local", "px", "python", "python3", "ipytest", "run_pytest", "skip", "spark", "pyspark",
    }
)  # fmt: skip
"""Cell magics that take Python."""
_OTHERS_BELOW = frozenset(
    {
        "!", "sx", "sh", "bash", "script", "system", "cmd", "powershell", "html", "HTML", "svg", "SVG", "javascript",
        "js", "latex", "markdown", "perl", "ruby", "R", "sql", "cython", "cpp", "bigquery", "configure", "pypy",
        "python2", "sparksql", "scala", "mermaid", "yaml",
    }
)  # fmt: skip
"""Cell magics that do not. Of one that is in neither list, what is below it is Python if it can be read so."""
_WRITES = ("writefile", "file")
_APPENDS = frozenset({"-a", "--append"})
_RUNS_PYTHON = re.compile(r"%time\s+|%timeit\s+(?:-[a-z]+\s*\d*\s+)*")
"""Line magics that take Python, up to where it begins."""
_AUTOMAGIC = re.compile(r"\s*(?:pip3?|conda|mamba|cd|ls|ll|cat|cp|mv|mkdir|rm|rmdir|pwd|run|load_ext|matplotlib)\s+\S")
"""What IPython takes for a magic without its sign, where it is all that is in the cell."""

_CELL_MAGIC = re.compile(r"\s*%%(!|\w+)(.*)(\n|$)")
_MAGIC = re.compile(r"\s*(?:[%!?/;,])")
_HELP = re.compile(r"(?P<code>\s*[\w.]+)\s*\?{1,2}\s*")
_TOKEN = re.compile(
    r"""
      (?P<comment>\#.*)
    | (?P<string>(?P<quotes>\"{3}|'{3}|"|'))
    | (?P<bracket>[(\[{]) | (?P<closing>[)\]}])
    | (?P<assigned>(?<![=!<>])=\s*(?=[%!])(?!!=))
    | (?P<continued>\\$)
    """,
    re.VERBOSE,
)


class CellMagic(NamedTuple):
    """The first line of a cell that says what the rest is."""

    name: str
    argument: str
    body: int
    """The offset at which what follows it begins."""

    @property
    def takes_python(self) -> bool | None:
        """Whether what follows is Python of this notebook; None where that is not known."""
        if self.name in _PYTHON_BELOW:
            return True
        return False if self.name in _OTHERS_BELOW or self.name in _WRITES else None

    @property
    def writes(self) -> str | None:
        """The path of the file that the cell is written to, as it stands there; None where there is none."""
        if self.name not in _WRITES:
            return None
        return " ".join(word for word in self.argument.split() if word not in _APPENDS).strip("\"'")

    @property
    def appends(self) -> bool:
        """Whether the cell is added to the file that it is written to."""
        return not _APPENDS.isdisjoint(self.argument.split())


def cell_magic(source: str) -> CellMagic | None:
    """Return the cell magic that a cell begins with, if any."""
    found = _CELL_MAGIC.match(source)
    return CellMagic(found[1], found[2].strip(), found.end()) if found is not None else None


def blank(text: str) -> str:
    """Mask a text as a whole."""
    return re.sub(r"[^\n]", " ", text)


def is_automagic(source: str) -> bool:
    """Tell whether a cell that is no Python is one command without its sign."""
    return "\n" not in source.strip() and _AUTOMAGIC.match(source) is not None


def mask(source: str) -> str:
    """Mask the lines of a cell that are no Python; the cell has no cell magic."""
    if not re.search(r"[%!?]|^\s*[/;,]", source, re.MULTILINE):
        return source
    scanner = _Scanner()
    lines = []
    goes_on = False  # a command that is continued with a backslash
    for line in source.split("\n"):
        if goes_on:
            lines.append(" " * len(line))
            goes_on = line.endswith("\\")
        elif scanner.is_between_statements and (_MAGIC.match(line) or _HELP.fullmatch(line)):
            lines.append(_masked_line(line))
            goes_on = line.endswith("\\")
        else:
            command = scanner.read(line)
            lines.append(line if command is None else line[:command] + "0".ljust(len(line) - command))
            goes_on = command is not None and line.endswith("\\")
    return "\n".join(lines)


def _masked_line(line: str) -> str:
    """Mask a line that is a magic, a command or a question, as a whole or up to the Python in it."""
    text = line.lstrip()
    indentation = line[: len(line) - len(text)]
    found = _HELP.fullmatch(line)
    if found is not None:
        return found["code"].ljust(len(line))
    code = _RUNS_PYTHON.match(text)
    if code is not None:
        return indentation + "0".ljust(code.end() - 1) + ";" + text[code.end() :]
    return indentation + ("pass" if len(text) >= len("pass") else "0").ljust(len(text))


class _Scanner:
    """Reads Python line by line, far enough to know where a statement may begin."""

    def __init__(self) -> None:
        self._depth = 0
        self._quotes = ""
        self._is_continued = False

    @property
    def is_between_statements(self) -> bool:
        return not (self._depth or self._quotes or self._is_continued)

    def read(self, line: str) -> int | None:
        """Read a line; return where in it a command begins whose output is assigned, if there is one."""
        self._is_continued = False
        at = 0
        while at < len(line):
            if self._quotes:
                at = self._end_of_string(line, at)
                continue
            found = _TOKEN.search(line, at)
            if found is None:
                break
            at = found.end()
            if found["comment"]:
                break
            if found["string"]:
                self._quotes = found["quotes"]
            elif found["bracket"]:
                self._depth += 1
            elif found["closing"]:
                self._depth = max(self._depth - 1, 0)
            elif found["continued"]:
                self._is_continued = True
            elif self._depth == 0:
                return at
        if len(self._quotes) == 1 and not line.endswith("\\"):
            self._quotes = ""  # a string that is never closed ends with its line
        return None

    def _end_of_string(self, line: str, at: int) -> int:
        """Return where the string ends that `at` is in, or the line."""
        while at < len(line):
            if line[at] == "\\":
                at += 2
            elif line.startswith(self._quotes, at):
                at += len(self._quotes)
                self._quotes = ""
                return at
            else:
                at += 1
        return len(line)
