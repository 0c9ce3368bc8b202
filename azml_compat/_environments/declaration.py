"""What an environment declares, package by package, in the terms of pip.

conda has other names for some packages, another syntax, and packages that are no Python at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

_PROVIDED = "azureml"
"""Begins the names of the Azure ML SDK's own packages: azml_compat stands in for them."""
_UNCHOSEN_PYTHONS = ("3.8.13", "3.10.18")
"""Versions of Python that stand in the SDK's own templates: nobody asked for them."""
_PIP_NAMES = {
    "dask-core": "dask",
    "faiss": "faiss-cpu",
    "keras-gpu": "keras",
    "matplotlib-base": "matplotlib",
    "msgpack-python": "msgpack",
    "opencv": "opencv-python",
    "py-opencv": "opencv-python",
    "py-xgboost": "xgboost",
    "py-xgboost-cpu": "xgboost",
    "py-xgboost-gpu": "xgboost",
    "pytables": "tables",
    "python-graphviz": "graphviz",
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "ruamel-yaml": "ruamel.yaml",
    "tensorflow-cpu": "tensorflow",
    "tensorflow-gpu": "tensorflow",
}
_NO_PYTHON = re.compile(
    r"pip|_.*|r|r-.*|lib.*|(?:gcc|gxx|gfortran|clang)(?:_.*)?|blas|cmake|compilers|cpuonly|cuda.*|cudnn|ffmpeg|git|make"
    r"|mkl|mpi|mpich|nccl|ninja|nodejs|nomkl|openblas|openjdk|openmpi|openssl|pytorch-cuda"
)
"""Names of conda packages that hold no Python package, and pip, which nobody imports."""
_CONDA = re.compile(r"(?:\S+::)?(?P<name>[\w.\-]+)(?:\[.*\])?\s*(?P<version>[^\[]*?)\s*(?:\[.*\])?")
_COMMENT = re.compile(r"(?:^|\s)#.*")


class Package(NamedTuple):
    """A package that is declared.

    Attributes:
        name: Its name for pip, in normal form; empty for what only pip can make out: an address, a path.
        specifier: The versions that are asked for.
        text: A line of a requirements file for it.
    """

    name: str
    specifier: SpecifierSet
    text: str


def section(definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the Python section of a run definition's environment; empty where there is none."""
    return (definition.get("environment") or {}).get("python") or {}


def name_of(definition: Mapping[str, Any]) -> str:
    """Return the name of a run definition's environment."""
    return str((definition.get("environment") or {}).get("name"))


def packages(definition: Mapping[str, Any]) -> list[Package]:
    """Return the packages that a run definition declares, those of conda first."""
    found = [_conda_package(entry) for entry in _entries(definition) if isinstance(entry, str)]
    found += [_pip_package(line) for line in _pip_lines(definition) if not line.startswith("-")]
    return [package for package in found if package is not None]


def options(definition: Mapping[str, Any]) -> list[str]:
    """Return the options for pip that a run definition declares."""
    return [line for line in _pip_lines(definition) if line.startswith("-")]


def python(definition: Mapping[str, Any]) -> str | None:
    """Return the version of Python that somebody chose: major and minor number; None where nobody did."""
    for entry in _entries(definition):
        found = re.fullmatch(r"python\s*={1,2}\s*(\d+\.\d+)(\.[\w.*]*)?(=.*)?", str(entry))
        if found and not entry.endswith(_UNCHOSEN_PYTHONS):
            return found[1]
    return None


def _entries(definition: Mapping[str, Any]) -> list[Any]:
    return (section(definition).get("condaDependencies") or {}).get("dependencies") or []


def _pip_lines(definition: Mapping[str, Any]) -> Iterator[str]:
    for entry in _entries(definition):
        if isinstance(entry, dict):
            for line in entry.get("pip") or ():
                text = _COMMENT.sub("", str(line)).strip()
                if text:
                    yield text


def _conda_package(entry: str) -> Package | None:
    found = _CONDA.fullmatch(entry.strip())
    if found is None:
        return None
    name = str(canonicalize_name(found["name"]))
    if name == "python" or _NO_PYTHON.fullmatch(name):
        return None
    name = _PIP_NAMES.get(name, name)
    specifier = _specifier(found["version"])
    return _wanted(Package(name, specifier, f"{name}{specifier}"))


def _specifier(version: str) -> SpecifierSet:
    """Turn a version of conda's into pip's: `=1.2` is any 1.2; what cannot be said is any version."""
    text = version.replace(" ", "")
    fuzzy = re.fullmatch(r"={0,2}(?P<number>\d[\w.]*?)(?P<any>\.?\*)?(?:=.*)?", text)
    if fuzzy:
        is_exact = text.startswith("==") and not fuzzy["any"]
        text = f"=={fuzzy['number']}" if is_exact else f"=={fuzzy['number']}.*"
    try:
        return SpecifierSet(text)
    except InvalidSpecifier:
        return SpecifierSet()


def _pip_package(line: str) -> Package | None:
    try:
        requirement = Requirement(line)
    except InvalidRequirement:
        return Package("", SpecifierSet(), line)
    if requirement.marker is not None and not requirement.marker.evaluate():
        return None
    name = str(canonicalize_name(requirement.name))
    return _wanted(Package(_PIP_NAMES.get(name, name), requirement.specifier, line))


def _wanted(package: Package) -> Package | None:
    return None if package.name.startswith(_PROVIDED) else package
