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
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

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
    "azureml-fsspec": "fsspec",
    "azureml-interpret": "interpret-community",
    "azureml-mlflow": "",
}
_ONLY_FOR_SDK = ("azureml-dataprep", "azureml-dataset-runtime", "azureml-cli-common")

_CONDA = re.compile(r"(?:[\w.-]+::)?([A-Za-z][\w.-]*)\s*(?:[=<>!~ ].*)?")
_INSTALLS = re.compile(r"\b(?:pip3?|conda|mamba|micromamba|uv|poetry|pipenv)\b.*\b(?:install|add)\b")
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

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return f"{self.file}:{self.line}" if self.cell is None else f"{self.file}, cell {self.cell}, line {self.line}"

    @property
    def instead(self) -> str:
        """What to require in its place; empty when it can just go."""
        if self.package in _INSTEAD:
            return _INSTEAD[self.package]
        return "azml-compat" if self._is_provided else ""

    @property
    def advice(self) -> str:
        """What to do about it."""
        if self.instead:
            return f"write {self.instead}"
        if self.package == "azureml-mlflow":
            return "remove it: MLflow comes with azml-compat, and needs no plugin"
        if self.package.startswith(_ONLY_FOR_SDK):
            return "remove it: only the SDK needs it"
        return "remove it: what scripts import from it is not provided by azml-compat"

    @property
    def _is_provided(self) -> bool:
        """Whether azml_compat has the modules that the package would bring."""
        return find_spec(f"azml_compat.{self.package.split('-')[1]}") is not None


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
        entries = list(reader(text))
    except Exception:  # noqa: BLE001 - whatever its parser says of a file that is not what its name promises
        return
    for line, cell, requirement in entries:
        package = _package(requirement)
        if package.startswith(_SDK) and package not in _OTHERS:
            yield Dependency(file, line, cell, requirement, package)


def holds_requirements(file: Path) -> bool:
    """Tell by its name whether a file is of a kind that asks for packages; notebooks are."""
    return _reader(file) is not None


def is_the_users(folder: Path) -> bool:
    """Tell whether a folder is the user's own work, and no environment, cache or store."""
    if folder.name in _SKIPPED or (folder.name.startswith(".") and folder.name != ".azureml"):
        return False
    return not ((folder / "pyvenv.cfg").exists() or (folder / "conda-meta").exists())


def _package(requirement: str) -> str:
    """Return the canonical name of the package that a requirement is for, pip's or conda's; empty if it is none."""
    try:
        name = Requirement(requirement).name
    except InvalidRequirement:
        found = _CONDA.fullmatch(requirement)
        name = found[1] if found is not None else ""
    return canonicalize_name(name)


# -- readers: each yields (line, cell, requirement) --------------------------------------------------------------

_Entry = tuple[int, int | None, str]


def _reader(file: Path) -> Callable[[str], Iterator[_Entry]] | None:
    name = file.name.lower()
    if fnmatch(name, "*requirements*.txt") or fnmatch(name, "*requirements*.in") or fnmatch(name, "constraints*.txt"):
        return _requirements
    if file.parent.name == "requirements" and file.suffix in (".txt", ".in"):
        return _requirements
    for pattern, reader in _READERS.items():
        if fnmatch(name, pattern):
            return reader
    return None


def _requirements(text: str) -> Iterator[_Entry]:
    for number, line in enumerate(text.splitlines(), 1):
        requirement = re.split(r"(?:^|\s)#|\s--|\\$", line)[0].strip()
        if requirement and not requirement.startswith("-"):
            yield number, None, requirement


def _conda(text: str) -> Iterator[_Entry]:
    """Read every list of dependencies in a YAML file: conda's, and those in Azure's run configurations."""
    to_do = [(document, False) for document in yaml.compose_all(text, Loader=yaml.SafeLoader)]
    seen = set()  # Aliases make one node of many places.
    while to_do:
        node, is_list = to_do.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            to_do += ((item, is_list) for item in reversed(node.value))
        elif isinstance(node, yaml.MappingNode):
            to_do += ((value, is_list or str(key.value).endswith("dependencies")) for key, value in node.value)
        elif is_list:
            yield node.start_mark.line + 1, None, node.value


def _toml(text: str) -> Iterator[_Entry]:
    lines = [line.partition(" #")[0] for line in text.splitlines()]
    found: set[tuple[int, str]] = set()
    for requirement in _toml_requirements(text):
        # The parser tells no lines. Of equal requirements the first is in the first line that has it, and so on.
        whole = re.escape(requirement)
        name = re.escape(re.split(r"[^\w.-]", requirement)[0])
        for pattern in (rf"^\s*{whole}\s*=", rf"[\"']{whole}[\"']", rf"(?<![\w.-]){name}(?![\w.-])"):
            holding = (number for number, line in enumerate(lines, 1) if re.search(pattern, line))
            number = next((number for number in holding if (number, requirement) not in found), None)
            if number is not None:
                found.add((number, requirement))
                yield number, None, requirement
                break


if sys.version_info >= (3, 11):
    import tomllib

    def _toml_requirements(text: str) -> Iterator[str]:
        yield from _toml_lists(tomllib.loads(text), is_list=False)

else:  # there is no parser for it in this python

    def _toml_requirements(text: str) -> Iterator[str]:
        for line in text.splitlines():
            if not re.match(r"\s*name\s*=", line):
                for groups in re.findall(r"\"([^\"]+)\"|'([^']+)'|^\s*([\w.-]+)\s*=", line):
                    yield "".join(groups)


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


def _setup_py(text: str) -> Iterator[_Entry]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the user's strings
        tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            for item in node.elts:
                if isinstance(item, ast.Constant) and isinstance(item.value, str):
                    yield item.lineno, None, item.value


def _setup_cfg(text: str) -> Iterator[_Entry]:
    for number, line in enumerate(text.splitlines(), 1):
        key, equals, value = line.partition("=")
        if line[:1].isspace():
            yield number, None, line.partition(" #")[0].strip()
        elif equals and key.strip() != "name":
            yield number, None, value.strip()


def _shell(text: str) -> Iterator[_Entry]:
    """Read the arguments of pip, conda and the like, also where a command goes on over several lines."""
    command = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        part = line.rstrip().removesuffix("\\")
        command += part
        if _INSTALLS.search(command):
            for word in _words(part):
                yield number, None, word
        if part == line.rstrip():
            command = ""


def _words(line: str) -> Iterator[str]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # a quote that is never closed
        words = line.split()
    for word in words:
        yield word.strip("[],;&|")


def _notebook(text: str) -> Iterator[_Entry]:
    for number, cell in enumerate(json.loads(text)["cells"], 1):
        source = "".join(cell.get("source", ())) if cell.get("cell_type") == "code" else ""
        lines = [line if line.lstrip().startswith(("%", "!")) else "" for line in source.splitlines()]
        for line, _, requirement in _shell("\n".join(lines)):
            yield line, number, requirement


_READERS: dict[str, Callable[[str], Iterator[_Entry]]] = {
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
