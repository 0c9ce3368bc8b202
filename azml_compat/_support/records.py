"""What is said of a name of the Azure ML SDK: how far it is supported, and how one knows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Level = Literal["full", "partial", "inert", "refused"]

SIGNATURES = "test_surface.py::test_signatures_are_azures"
"""Compares attributes with a value, and signatures, with the recorded surface."""

_NONE: Mapping[str, str] = MappingProxyType({})
_NO_EFFECT = "accepted, no effect"


class Support(NamedTuple):
    """How far one name is supported.

    Attributes:
        level: `full`: as the original in all that a script can observe, apart from `differences`. `partial`: apart from
            `note` and `parameters` besides. `inert`: accepted, without the effect it has on Azure. `refused`: using it
            raises a NotSupportedError, or the module cannot be imported.
        note: A clause or two, in Markdown: what is missing, or why.
        instead: Of what is refused, wholly or in part: what to do, in the imperative.
        planned: Of what is refused: whether it is to come.
        parameters: {name of a parameter: what becomes of it}, of those that do not do what they do on Azure.
        tests: What compares it with the behaviour that was recorded of, or written down about, the original: names of
            cases of tests/golden, and tests as `test_file.py::test_name`.
        differences: Anchors in docs/differences.md of the deviations that touch it.
        importable: False for what is missing together with its module.
    """

    level: Level
    note: str = ""
    instead: str = ""
    planned: bool = True
    parameters: Mapping[str, str] = _NONE
    tests: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    importable: bool = True


def full(*tests: str, note: str = "", differs: tuple[str, ...] = ()) -> Support:
    """Say that a name is as in the original."""
    return Support("full", note, tests=tests, differences=differs)


def partial(
    *tests: str,
    note: str = "",
    instead: str = "",
    parameters: Mapping[str, str] = _NONE,
    differs: tuple[str, ...] = (),
) -> Support:
    """Say that a name is as in the original, apart from `note` and what is said of some of its parameters."""
    return Support("partial", note, instead, parameters=parameters, tests=tests, differences=differs)


def no_effect(*names: str) -> dict[str, str]:
    """Say of parameters that they are accepted and have no effect."""
    return dict.fromkeys(names, _NO_EFFECT)


def inert(why: str, *tests: str, differs: tuple[str, ...] = ()) -> Support:
    """Say that a name is accepted and has no effect."""
    return Support("inert", why, tests=tests, differences=differs)


def refused(why: str, instead: str, *, planned: bool = True) -> Support:
    """Say that a name can be imported, and refuses when it is used."""
    return Support("refused", why, instead, planned)


def missing(why: str, instead: str, *, planned: bool = False) -> Support:
    """Say that a module, with all that is in it, cannot be imported."""
    return Support("refused", why, instead, planned, importable=False)


def members(of: str, table: Mapping[str, Any]) -> dict[str, Support]:
    """Give the names of a class or module their whole paths; the name "" is the class itself."""
    return {f"{of}.{name}" if name else of: support for name, support in table.items()}
