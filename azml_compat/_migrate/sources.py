"""Files that hold code: which there are, the Python in them as it can be parsed, and how changes get back into them.

A script is one unit of Python. A notebook is one as well, since names cross its cells, and each file that its cells
write (`%%writefile train.py`) is another. A text is changed by spans and written back in the encoding, with the line
ends and in the JSON that it had.
"""

from __future__ import annotations

import ast
import errno
import io
import os
import re
import tempfile
import tokenize
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from azml_compat import _dependencies
from azml_compat._migrate import magics, notebooks
from azml_compat._migrate.edits import Edit, apply, in_order

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_PYTHON = (".py", ".pyw")
_NOTEBOOK = ".ipynb"
_WIDE = (b"\xff\xfe", b"\xfe\xff")
"""How a text in UTF-16 begins, in which names are written otherwise."""
_MAX_BYTES = 200_000_000
_MAX_CODE = 2_000_000
"""Bytes of Python: people write a hundredth of it, and looking at it takes two hundred times its size in memory."""


class UnreadableError(Exception):
    """A file that cannot be read as what its name says; the message is a clause that says why."""


class Problem(NamedTuple):
    """Python that does not parse."""

    cell: int | None
    """Of a notebook, counted from 1."""
    line: int
    """In the file, or in the cell."""
    message: str


class Part(NamedTuple):
    """A stretch of a unit that stands together in a file."""

    start: int
    """Its offset in the unit's text."""
    length: int
    line: int
    """The number of its first line in the unit, from 1."""
    cell: int | None
    """Of a notebook, counted from 1."""
    skipped: int = 0
    """Characters of the cell that come before it, "\\r\\n" being one."""
    skipped_lines: int = 0


class Unit(NamedTuple):
    """A text that is read as one: a script, the code cells of a notebook, or what cells write to one file."""

    path: Path
    """The file that it is in."""
    name: str
    """The file that it is, or is written to."""
    raw: str
    """As it is written, with line feeds as line ends."""
    text: str
    """As it can be parsed: with what is no Python masked, each character by one."""
    tree: ast.Module | None
    """None where it is no Python, or does not parse."""
    parts: tuple[Part, ...]
    problems: tuple[Problem, ...] = ()

    def place(self, line: int) -> tuple[int | None, int]:
        """Return where a line of the text is: the cell, or None in a script, and the line in the one or the other."""
        part = self.parts[max(bisect_right(self.parts, line, key=lambda part: part.line) - 1, 0)]
        return part.cell, line - part.line + 1 + part.skipped_lines


class Source(NamedTuple):
    """A file that was read."""

    path: Path
    encoding: str
    text: str
    """As it is, decoded."""
    units: list[Unit]
    """The Python in it."""
    others: list[Unit]
    """Other texts: the file itself, or what the cells of a notebook write."""
    notebook: notebooks.Notebook | None = None

    def edited(self, changes: Iterable[tuple[Unit, Iterable[Edit]]]) -> bytes:
        """Return the content of the file with its units changed.

        Args:
            changes: Units of this file, each with changes of its text. A line feed in a new text becomes the line end
                of the place where it goes.

        Raises:
            UnicodeEncodeError: the encoding of the file has no such character.
            ValueError: changes overlap, or one reaches over the end of a cell.
        """
        if self.notebook is None:
            ends = _LineEnds(self.text)
            edits = [ends.restored(edit) for _, found in changes for edit in found]
            return apply(self.text, edits).encode(self.encoding)
        cells: dict[int, list[Edit]] = {}
        for unit, found in changes:
            for start, end, text in settled(unit, found):
                part = unit.parts[_part_at(unit, start)]
                moved = part.skipped - part.start
                cells.setdefault(part.cell or 0, []).append(Edit(start + moved, end + moved, text))
        for changed in self.notebook.cells:
            if changed.number in cells:
                ends = _LineEnds(changed.source)
                cells[changed.number] = [ends.restored(edit) for edit in cells[changed.number]]
        return self.notebook.edited(cells).encode(self.encoding)


# -- which files ---------------------------------------------------------------------------------------------------


def find(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files to look at: those that are named, and those in folders that hold Python or requirements.

    Folders of version control, virtual environments, caches and what a .gitignore names are passed over, and of a file
    that is reached in two ways one is yielded.

    Raises:
        FileNotFoundError: one of the paths does not exist.
    """
    seen: set[str] = set()
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist")
        for file in _walk(path) if path.is_dir() else (path,):
            real = os.path.realpath(file)
            if real not in seen:
                seen.add(real)
                yield file


def is_of_known_kind(path: Path) -> bool:
    """Tell by its name whether a file holds Python or requirements."""
    return path.suffix.lower() in (*_PYTHON, _NOTEBOOK) or _dependencies.holds_requirements(path)


def _walk(root: Path) -> Iterator[Path]:
    ignored = _Ignored(root)
    for parent, folders, files in os.walk(root):
        folder = Path(parent)
        ignored.enter(folder)
        folders[:] = sorted(
            name
            for name in folders
            if _dependencies.is_the_users(folder / name) and not ignored.matches(folder / name, is_folder=True)
        )
        for name in sorted(files):
            file = folder / name
            if is_of_known_kind(file) and file.is_file() and not ignored.matches(file):
                yield file


class _Ignored:
    """What the .gitignore files of a folder, of the folders below it, and of its repository leave out."""

    def __init__(self, root: Path) -> None:
        self._specs: list[tuple[Path, GitIgnoreSpec]] = []  # of the outer folders first
        root = root.resolve()
        whole = (root, *root.parents)
        repository = next((index for index, folder in enumerate(whole) if (folder / ".git").exists()), 0)
        for folder in reversed(whole[1 : repository + 1]):
            self.enter(folder)
        if self.matches(root, is_folder=True):
            self._specs.clear()  # a folder that is asked for by its name

    def enter(self, folder: Path) -> None:
        """Go into a folder, in the order of os.walk."""
        folder = folder.resolve()
        self._specs = [(owner, spec) for owner, spec in self._specs if owner in (folder, *folder.parents)]
        file = folder / ".gitignore"
        if file.is_file():
            from pathspec import GitIgnoreSpec  # only for a folder that has such a file

            patterns = []
            for line in file.read_text("utf-8-sig", "replace").splitlines():
                try:
                    GitIgnoreSpec.from_lines([line])
                except (ValueError, re.error):
                    continue  # git passes over what is no pattern; pathspec refuses it
                patterns.append(line)
            self._specs.append((folder, GitIgnoreSpec.from_lines(patterns)))

    def matches(self, path: Path, *, is_folder: bool = False) -> bool:
        """Tell whether a file or folder in the folder that was entered last is left out: the innermost word counts."""
        if not self._specs:
            return False
        whole = path.parent.resolve() / path.name
        for owner, spec in reversed(self._specs):
            verdict = spec.check_file(whole.relative_to(owner).as_posix() + "/" * is_folder).include
            if verdict is not None:
                return verdict
        return False


# -- reading -------------------------------------------------------------------------------------------------------


def units(path: Path) -> list[Unit]:
    """Return the Python in a file.

    Raises:
        UnreadableError: it cannot be read, or is not what its name says.
    """
    return read(path).units


def read_if_named(path: Path, names: re.Pattern[bytes]) -> Source | None:
    """Read a file if one of some names is in it.

    Raises:
        OSError: it cannot be opened.
        UnreadableError: it is not what its name says, or too large.
    """
    is_too_large = path.stat().st_size > _MAX_BYTES
    content = b"" if is_too_large else path.read_bytes()
    if not is_too_large and names.search(content) is None and not content.startswith(_WIDE):
        return None
    if is_too_large or (len(content) > _MAX_CODE and path.suffix.lower() != _NOTEBOOK):
        raise UnreadableError("it is too large")
    return read(path, content)


def read(path: Path, content: bytes | None = None) -> Source:
    """Read a file.

    Args:
        path: The file, whose name says what it holds.
        content: What it holds, where that is known.

    Raises:
        UnreadableError: it cannot be read, or is not what its name says.
    """
    if content is None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UnreadableError(error.strerror or str(error)) from error
    if path.suffix.lower() == _NOTEBOOK:
        return _read_notebook(path, content)
    is_python = path.suffix.lower() in _PYTHON or not _dependencies.holds_requirements(path)
    encoding = _encoding(content) if is_python else _encoding_of_text(content)
    text = _decoded(content, encoding)
    ends = _LineEnds(text)
    unit = _assembled(path, path.name, [_Passage(ends.text, ends.text, None)], is_python=is_python)
    return Source(path, encoding, text, [unit], []) if is_python else Source(path, encoding, text, [], [unit])


def parse(text: str) -> ast.Module:
    """Parse Python, without a word of warning.

    Raises:
        SyntaxError: it is none.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the user's strings
        try:
            return ast.parse(text)
        except SyntaxError:
            raise
        except (ValueError, RecursionError, MemoryError) as error:  # NUL characters; nested too deep
            raise SyntaxError(str(error) or type(error).__name__) from error


def write(path: Path, content: bytes) -> None:
    """Replace the content of a file as a whole, keeping its mode, and the link by which it is reached.

    Raises:
        OSError: it cannot be written; it is as it was.
    """
    target = Path(os.path.realpath(path))
    if not os.access(target, os.W_OK):  # which replacing it would not ask
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    mode = target.stat().st_mode
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).chmod(mode & 0o7777)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _encoding(content: bytes) -> str:
    """Return the encoding of a Python source (PEP 263)."""
    try:
        return tokenize.detect_encoding(io.BytesIO(content).readline)[0]
    except SyntaxError as error:
        raise UnreadableError(str(error)) from error


def _encoding_of_text(content: bytes) -> str:
    """Return the encoding of a text that says nothing of it, by the mark it begins with: PowerShell writes UTF-16."""
    if content.startswith(_WIDE):
        return "utf-16"
    return "utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8"


def _decoded(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
        if text.encode(encoding) == content:
            return text
    except (UnicodeError, LookupError) as error:
        raise UnreadableError(f"it is not {encoding}: {error}") from error
    raise UnreadableError(f"its {encoding} cannot be written back as it is")


def _read_notebook(path: Path, content: bytes) -> Source:
    encoding = _encoding_of_text(content)
    text = _decoded(content, encoding)
    try:
        notebook = notebooks.parse(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"it is no notebook: {error}") from error
    own: list[_Passage] = []
    written: list[tuple[str, list[_Passage]]] = []
    latest: dict[str, list[_Passage]] = {}
    for cell in notebook.cells:
        source = _LineEnds(cell.source).text
        magic = magics.cell_magic(source)
        if magic is None:
            own.append(_Passage(source, magics.mask(source), cell.number))
        elif magic.writes is not None:
            body = source[magic.body :]
            lines = source.count("\n", 0, magic.body)
            if magic.writes not in latest or not magic.appends:
                latest[magic.writes] = []
                written.append((re.split(r"[/\\]", magic.writes)[-1], latest[magic.writes]))
            latest[magic.writes].append(_Passage(body, body, cell.number, magic.body, lines))
        else:
            body = magics.mask(source[magic.body :])
            if magic.takes_python is False or (magic.takes_python is None and not _is_python(body)):
                body = magics.blank(body)
            own.append(_Passage(source, magics.blank(source[: magic.body]) + body, cell.number))
    found: list[Unit] = []
    if notebook.language in ("", "python", "python3", "ipython", "pyspark"):
        found.append(_assembled(path, path.name, own, is_python=True))
    others: list[Unit] = []
    for name, passages in written:
        suffix = Path(name).suffix.lower()
        is_python = suffix in _PYTHON or (
            suffix not in _TEXTS and _is_python("\n".join(passage.raw for passage in passages))
        )
        unit = _assembled(path, name, passages, is_python=is_python)
        (found if is_python else others).append(unit)
    return Source(path, encoding, text, found, others, notebook)


_TEXTS = (".txt", ".in", ".yml", ".yaml", ".json", ".toml", ".cfg", ".ini", ".md", ".sh", ".csv", ".html", ".runconfig")


def _is_python(text: str) -> bool:
    """Tell whether a text of no known language is Python, and more than words that happen to parse."""
    try:
        body = parse(text).body
    except SyntaxError:
        return False
    return any(not isinstance(statement, ast.Expr) for statement in body)


class _Passage(NamedTuple):
    """What becomes a part of a unit."""

    raw: str
    text: str
    cell: int | None
    skipped: int = 0
    skipped_lines: int = 0


def _assembled(path: Path, name: str, passages: Sequence[_Passage], *, is_python: bool) -> Unit:
    """Make a unit; a cell that does not parse is masked, and noted as a problem."""
    parts = []
    start, line = 0, 1
    for passage in passages:
        parts.append(Part(start, len(passage.raw), line, passage.cell, passage.skipped, passage.skipped_lines))
        start += len(passage.raw) + 1
        line += passage.raw.count("\n") + 1
    raw = "\n".join(passage.raw for passage in passages)
    text = "\n".join(passage.text for passage in passages)
    tree: ast.Module | None = None
    problems: list[Problem] = []
    if is_python:
        try:
            tree = parse(text)
        except SyntaxError as error:
            if passages and passages[0].cell is not None:
                text, problems = _readable(passages)
                tree = _parsed(text)
            if tree is None:
                problems.append(Problem(None, error.lineno or 1, error.msg))
    return Unit(path, name, raw, text, tree, tuple(parts) or (Part(0, 0, 1, None),), tuple(problems))


def _readable(passages: Sequence[_Passage]) -> tuple[str, list[Problem]]:
    """Return the text of cells with those masked that do not parse."""
    texts = []
    problems = []
    for passage in passages:
        try:
            parse(passage.text)
        except SyntaxError as error:
            texts.append(magics.blank(passage.text))
            if not magics.is_automagic(passage.raw):
                problems.append(Problem(passage.cell, (error.lineno or 1) + passage.skipped_lines, error.msg))
        else:
            texts.append(passage.text)
    return "\n".join(texts), problems


def _parsed(text: str) -> ast.Module | None:
    try:
        return parse(text)
    except SyntaxError:
        return None


# -- writing back --------------------------------------------------------------------------------------------------


def settled(unit: Unit, edits: Iterable[Edit]) -> list[Edit]:
    """Return changes of a unit as they can be made in the cells that it is in.

    The line end between two cells is no character of either. Lines that are put after the last one of a cell go into
    that cell, which a line feed at their beginning tells from lines before the first one of the next.

    Raises:
        ValueError: one reaches over the end of a cell.
    """
    if unit.parts[0].cell is None:
        return list(edits)
    found: list[Edit] = []
    for edit in in_order(edits):
        start, end, text = edit
        index = _part_at(unit, start)
        part = unit.parts[index]
        if start == end == part.start and index and text.startswith("\n"):
            before = unit.parts[index - 1]
            start = end = before.start + before.length
            text = "\n" + text.rstrip("\n")
        elif start == end == part.start and (magic := magics.cell_magic(unit.raw[start : start + part.length])):
            start = end = start + magic.body
        elif end == part.start + part.length + 1:
            end -= 1
            if text.endswith("\n"):
                text = text[:-1]
            elif not text and start > max(part.start, found[-1].end if found else 0) and unit.raw[start - 1] == "\n":
                start -= 1
        if end > unit.parts[_part_at(unit, start)].start + unit.parts[_part_at(unit, start)].length:
            raise ValueError(f"{edit} reaches over the end of a cell")
        found.append(Edit(start, end, text))
    return found


def _part_at(unit: Unit, offset: int) -> int:
    """Return the index of the part that an offset is in, or at the end of."""
    return max(bisect_right(unit.parts, offset, key=lambda part: part.start) - 1, 0)


class _LineEnds:
    """The line ends of a text, which is read with line feeds in their place."""

    def __init__(self, text: str) -> None:
        self.text = re.sub(r"\r\n?", "\n", text)
        self._ends: list[str] = []
        self._places: list[int] = []  # in the text with line feeds
        self._long: list[int] = []  # the places of those that had two characters
        if self.text != text:
            self._ends = re.findall(r"\r\n?|\n", text)
            self._places = [found.start() for found in re.finditer("\n", self.text)]
            self._long = [
                place for place, end in zip(self._places, self._ends, strict=True) if len(end) > 1
            ]  # fmt: skip

    def restored(self, edit: Edit) -> Edit:
        """Return a change of the text with line feeds as one of the original."""
        if not self._ends:
            return edit
        index = min(bisect_left(self._places, edit.start), len(self._ends) - 1)
        return Edit(
            edit.start + bisect_left(self._long, edit.start),
            edit.end + bisect_left(self._long, edit.end),
            edit.text.replace("\n", self._ends[index]),
        )
