"""What still asks for the Azure ML SDK v1: requirement files, conda files, TOML, setup files, images and notebooks.

Each kind of file has a reader that yields the requirements in it; which of them are the SDK's is decided in one place.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import sys
import warnings
from collections.abc import Callable, Hashable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found]  # installed on Python 3.10 alone

from azml_compat._snapshot import is_environment

_DEPTH = 5
_MAX_ENTRIES = 5_000
_MAX_BYTES = 5_000_000
_SKIPPED = {"__pycache__", "build", "dist", "mlartifacts", "mlruns", "node_modules", "site-packages"}
_SDK = "azureml-"
_OTHERS = {"azureml-inference-server-http", "azureml-ai-monitoring"}
"""Packages of Azure's that share the SDK's prefix, and neither need it nor are replaced."""

_INSTEAD = {
    "azureml-core": "azml-compat",
    "azureml-sdk": "azml-compat",
    "azureml-defaults": "azml-compat",
    "azureml-telemetry": "azml-compat",
    "azureml-train": "azml-compat",
    "azureml-train-core": "azml-compat",
    "azureml-train-restclients-hyperdrive": "azml-compat",
    "azureml-widgets": "azml-compat",
    "azureml-fsspec": "fsspec",
    "azureml-interpret": "interpret-community",
    "azureml-mlflow": "",
}
_ONLY_FOR_SDK = ("azureml-dataprep", "azureml-dataset-runtime", "azureml-cli-common")

_CONDA = re.compile(r"(?:[\w.-]+::)?([A-Za-z][\w.-]*)\s*(?:[=<>!~ ].*)?")
_INSTALLS = re.compile(r".*\b(pip3?|conda|mamba|micromamba|uv|poetry|pipenv)\b.*\b(?:install|add)\b")
_CONDAS = ("conda", "mamba", "micromamba")
_SHELL_CELL = re.compile(r"\s*%%(?:bash|sh|script|system|sx|!|cmd|powershell)\b")
_HOLDS_REQUIREMENTS = re.compile("depend|requires|packages")


class Dependency(NamedTuple):
    """One place that asks for a package of the SDK."""

    file: Path
    line: int
    cell: int | None
    """The cell of a notebook, counted from 1 as lines are; `line` is the line in it."""
    requirement: str
    """As it is written."""
    package: str
    """Its name in canonical form."""
    column: int = 1

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return f"{self.file}:{self.line}" if self.cell is None else f"{self.file}, cell {self.cell}, line {self.line}"

    @property
    def instead(self) -> str:
        """What to require in its place; empty when it can just go."""
        return _INSTEAD.get(self.package, "")

    @property
    def advice(self) -> str:
        """What to do about it."""
        if self.instead:
            return f"write {self.instead}"
        if self.package == "azureml-mlflow":
            return "remove it: MLflow comes with azml-compat, and needs no plugin"
        if self.is_missed:
            return "remove it: what scripts import from it is not provided by azml-compat"
        return "remove it: only the SDK needs it"

    @property
    def is_missed(self) -> bool:
        """Whether scripts import from it what cannot be had here."""
        return not self.instead and self.package != "azureml-mlflow" and not self.package.startswith(_ONLY_FOR_SDK)


class Entry(NamedTuple):
    """A requirement in a text, whether it is the SDK's or not."""

    line: int
    requirement: str
    """As it is written, without quotes."""
    start: int = -1
    """Its offset in the text; -1 where that is not known exactly."""
    form: Literal["line", "item", "pair", "word"] = "line"
    """How it is listed: on a line of its own, between commas, as `name = version`, or in a command."""
    group: Hashable = None
    """What is equal for all that stand in one list."""
    is_condas: bool = False
    """Whether conda is to install it, and not pip."""
    cell: int | None = None
    """Of a notebook, counted from 1; line and offset are those in the cell."""

    @property
    def package(self) -> str:
        """The canonical name of the package, pip's or conda's; empty if it is none."""
        return _package(self.requirement)

    @property
    def is_sdks(self) -> bool:
        """Whether it asks for a package of the SDK."""
        return self.package.startswith(_SDK) and self.package not in _OTHERS


class Survey(NamedTuple):
    """What a folder holds."""

    found: list[Dependency]
    is_whole: bool
    """Whether everything was looked at: very large folders are not."""


def survey(folder: Path) -> Survey:
    """Look for the SDK in the files below `folder`, to a bounded depth and number; the paths are relative to it."""
    found: list[Dependency] = []
    count = 0
    for path, folders, files in os.walk(folder):
        here = Path(path)
        depth = len(here.relative_to(folder).parts)
        folders[:] = sorted(name for name in folders if depth < _DEPTH and is_the_users(here / name))
        count += len(files)
        if count > _MAX_ENTRIES:
            return Survey(found, is_whole=False)
        for name in sorted(files):
            file = here / name
            found += (entry._replace(file=file.relative_to(folder)) for entry in read(file))
    return Survey(found, is_whole=True)


def read(file: Path) -> Iterator[Dependency]:
    """Yield what a file asks for; nothing where it is of no known kind, too large, or not as such files are."""
    reader = _reader(file)
    if reader is None:
        return
    try:
        if file.stat().st_size > _MAX_BYTES:
            return
        text = file.read_text(encoding="utf-8-sig")
        if "azureml" not in text.lower():
            return
        found = [entry for entry in reader(text) if entry.is_sdks]
    except Exception:  # noqa: BLE001 - whatever its parser says of a file that is not what its name promises
        return
    for entry in found:
        column = 1 if entry.start < 0 or entry.cell else entry.start - text.rfind("\n", 0, entry.start)
        yield Dependency(file, entry.line, entry.cell, entry.requirement, entry.package, column)


def entries(file: Path, text: str) -> list[Entry]:
    """Return all requirements in the text of a file; none where its name promises none.

    Raises:
        Exception: Whatever the parser says of a text that is not what the name promises.
    """
    reader = _reader(file)
    return [] if reader is None else list(reader(text))


def command_entries(text: str) -> list[Entry]:
    """Return the words of commands that install something, in a text of which all that is no command is blank."""
    return list(_shell(text))


def commands(cell: str) -> str:
    """Blank what in the cell of a notebook is no command; all else keeps its place."""
    if _SHELL_CELL.match(cell):
        return cell
    lines = (line if line.lstrip().startswith(("%", "!")) else " " * len(line) for line in cell.split("\n"))
    return "\n".join(lines)


def holds_requirements(file: Path) -> bool:
    """Tell by its name whether a file is of a kind that asks for packages; notebooks are."""
    return _reader(file) is not None


def is_the_users(folder: Path) -> bool:
    """Tell whether a folder is the user's own work, and no environment, cache or store."""
    if folder.name in _SKIPPED or (folder.name.startswith(".") and folder.name != ".azureml"):
        return False
    return not is_environment(folder)


def _package(requirement: str) -> str:
    """Return the canonical name of the package that a requirement is for, pip's or conda's; empty if it is none."""
    try:
        name = Requirement(requirement).name
    except InvalidRequirement:
        found = _CONDA.fullmatch(requirement)
        name = found[1] if found is not None else ""
    return canonicalize_name(name)


# -- readers -------------------------------------------------------------------------------------------------------


def _reader(file: Path) -> Callable[[str], Iterator[Entry]] | None:
    name = file.name.lower()
    if fnmatch(name, "*requirements*.txt") or fnmatch(name, "*requirements*.in") or fnmatch(name, "constraints*.txt"):
        return _requirements
    if file.parent.name == "requirements" and file.suffix in (".txt", ".in"):
        return _requirements
    for pattern, reader in _READERS.items():
        if fnmatch(name, pattern):
            return reader
    return None


def _lines(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the number, the offset and the text of each line."""
    offset = 0
    for number, line in enumerate(text.split("\n"), 1):
        yield number, offset, line
        offset += len(line) + 1


def _requirements(text: str) -> Iterator[Entry]:
    for number, offset, line in _lines(text):
        requirement = re.split(r"(?:^|\s)#|\s--|\\$", line)[0].strip()
        if requirement and not requirement.startswith("-"):
            yield Entry(number, requirement, offset + line.index(requirement))


def _conda(text: str) -> Iterator[Entry]:
    """Read every list of dependencies in a YAML file: conda's, and those in Azure's run configurations."""
    to_do: list[tuple[Any, str, Any]] = [(node, "", None) for node in yaml.compose_all(text, Loader=yaml.SafeLoader)]
    seen = set()  # Aliases make one node of many places.
    while to_do:
        node, manager, around = to_do.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            to_do += ((item, manager, node) for item in reversed(node.value))
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                name = str(key.value)
                below = "pip" if manager and name == "pip" else "conda" if name.endswith("dependencies") else manager
                to_do.append((value, below, node))
        elif manager:
            start = node.start_mark.index + (1 if node.style in ("'", '"') else 0)
            if text[start : start + len(node.value)] != node.value:
                start = -1
            form: Literal["item", "line"] = "item" if around is None or around.flow_style else "line"
            yield Entry(node.start_mark.line + 1, node.value, start, form, id(around), manager == "conda")


def _toml(text: str) -> Iterator[Entry]:
    lines = [(number, offset, line.partition(" #")[0]) for number, offset, line in _lines(text)]
    found: set[tuple[int, str]] = set()
    for requirement in _toml_lists(tomllib.loads(text), is_list=False):
        # The parser tells no lines. Of equal requirements the first is in the first line that has it, and so on.
        whole = re.escape(requirement)
        name = re.escape(re.split(r"[^\w.-]", requirement)[0])
        for pattern in (
            rf"^\s*(?P<pair>{whole})\s*=",
            rf"[\"'](?P<item>{whole})[\"']",
            rf"\"(?P<item>{name}(?![\w.-])(?:[^\"\\]|\\.)*)\"",
            rf"(?<![\w.-]){name}(?![\w.-])",
        ):
            holding = (
                (number, offset, match)
                for number, offset, line in lines
                if (number, requirement) not in found and (match := re.search(pattern, line))
            )
            number, offset, match = next(holding, (0, 0, None))
            if match is not None:
                found.add((number, requirement))
                form = match.lastgroup or ""
                start = offset + match.start(form) if form else -1
                written = match[form] if form else requirement
                yield Entry(
                    number, written, start, "pair" if form == "pair" else "item", _toml_group(text, start, form)
                )
                break


def _toml_group(text: str, start: int, form: str) -> Hashable:
    """Return where the table begins that a pair is in, or the list that an item is in."""
    heads = re.finditer(
        r"^\s*\[" if form == "pair" else r"^\s*[\w.\"'-]+\s*=\s*\[", text[: max(start, 0)], re.MULTILINE
    )
    return max((head.start() for head in heads), default=-1)


def _toml_lists(value: Any, *, is_list: bool) -> Iterator[str]:
    """Yield the strings in lists, and the keys of tables, that stand below a key for requirements."""
    if isinstance(value, dict):
        for key, below in value.items():
            if is_list:
                yield key
            yield from _toml_lists(below, is_list=is_list or _HOLDS_REQUIREMENTS.search(key) is not None)
    elif isinstance(value, list):
        for item in value:
            if is_list and isinstance(item, str):
                yield item
            yield from _toml_lists(item, is_list=is_list)


def _setup_py(text: str) -> Iterator[Entry]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the user's strings
        tree = ast.parse(text)
    starts = [offset for _, offset, _ in _lines(text)]
    for node in ast.walk(tree):
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            for item in node.elts:
                if isinstance(item, ast.Constant) and isinstance(item.value, str):
                    whole = ast.get_source_segment(text, item) or ""
                    line = text[starts[item.lineno - 1] :]
                    start = starts[item.lineno - 1] + len(line.encode()[: item.col_offset].decode())
                    within = whole.find(item.value)
                    yield Entry(item.lineno, item.value, start + within if within > 0 else -1, "item", id(node))


def _setup_cfg(text: str) -> Iterator[Entry]:
    group = 0
    for number, offset, line in _lines(text):
        key, equals, value = line.partition("=")
        is_item = line[:1].isspace()
        requirement = (line.partition(" #")[0] if is_item else value).strip()
        if not is_item:
            group = number
        if is_item or (equals and key.strip() != "name"):
            start = offset + (0 if is_item else len(key) + 1)
            yield Entry(
                number,
                requirement,
                text.index(requirement, start),
                "line" if is_item else "word",
                group,
            )


def _shell(text: str) -> Iterator[Entry]:
    """Read the arguments of pip, conda and the like, also where a command goes on over several lines."""
    command = ""
    group = 0  # the number of the command
    for number, offset, line in _lines(text):
        if line.lstrip().startswith("#"):
            continue
        part = line.rstrip().removesuffix("\\")
        position = 0
        for word in _words(part):
            argument = word.strip(",;&|").lstrip("[")
            argument = argument.rstrip("]," if "[" not in argument else ",")
            installs = _INSTALLS.search(command)
            if installs is not None and argument:
                start = part.find(argument, position)
                position = start + len(argument) if start >= 0 else position
                yield Entry(
                    number, argument, offset + start if start >= 0 else -1, "word", group, installs[1] in _CONDAS
                )  # fmt: skip
            command += f" {word}"
            if word.endswith((";", "&", "|")):
                command = ""
                group += 1
        if part == line.rstrip():
            command = ""
            group += 1


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # a quote that is never closed
        return line.split()


def _notebook(text: str) -> Iterator[Entry]:
    for number, cell in enumerate(json.loads(text)["cells"], 1):
        source = "".join(cell.get("source", ())) if cell.get("cell_type") == "code" else ""
        for entry in _shell(commands(source)):
            yield entry._replace(cell=number)


_READERS: dict[str, Callable[[str], Iterator[Entry]]] = {
    "*.yml": _conda,
    "*.yaml": _conda,
    "*.runconfig": _conda,
    "pyproject.toml": _toml,
    "pipfile": _toml,
    "setup.py": _setup_py,
    "setup.cfg": _setup_cfg,
    "dockerfile*": _shell,
    "*dockerfile": _shell,
    "containerfile": _shell,
    "*.ipynb": _notebook,
}
