"""What `_support` says of one use of an azureml name in a script: whether it runs, and what to do where it does not."""

from __future__ import annotations

import ast
import difflib
import functools
import inspect
import re
from importlib import import_module
from typing import Any, Literal, NamedTuple

from azml_compat._migrate.mirror import is_module, is_private, is_provided
from azml_compat._migrate.resolving import Resolution, Use
from azml_compat._support import Support, entries, support_of
from azml_compat._surface import class_at, lineage, public_names, surface

Level = Literal["runs unchanged", "inert", "partial", "unknown", "refused"]
LEVELS: tuple[Level, ...] = ("runs unchanged", "inert", "partial", "unknown", "refused")
"""From what needs nothing to what needs most."""
BLOCKING: tuple[Level, ...] = ("unknown", "refused")
"""The levels with which a script does not run as it is, or may not."""


class Verdict(NamedTuple):
    """What is to be said of a use.

    Attributes:
        message: What it is, and what to do; empty where it runs unchanged.
        is_note: Whether the use does not show that it is concerned: worth knowing, and nothing to be counted.
    """

    rule: str
    level: Level
    message: str = ""
    is_note: bool = False


UNCHANGED = Verdict("AZ100", "runs unchanged")
_OF_ALL = re.compile(r"__(?:name|qualname|module|doc|dict|class|bases|mro|file)__")
"""What every class, function or module has."""


def judge(use: Use, resolution: Resolution) -> Verdict:
    """Say what becomes of a use where azureml is azml_compat."""
    if use.kind == "import":
        return _judge_import(use, resolution)
    if _OF_ALL.fullmatch(use.path.rpartition(".")[2]):
        return UNCHANGED
    support = support_of(use.path)
    if support is None or (support.level != "refused" and is_private(_below_entry(use.path))):
        return UNCHANGED if is_provided(use.path) else _unknown(use.path)
    if support.importable and _is_mentioned(use):
        return UNCHANGED  # it is there to be named, in `except`, `isinstance` and annotations
    if support.level == "refused":
        return _refused(use.path, support)
    if support.level == "full":
        return UNCHANGED
    if support.level == "inert":
        is_on_the_way = isinstance(resolution.parent(use.node), ast.Attribute) and use.kind == "attribute"
        return Verdict("AZ102", "inert", f"`{short(use.path)}` has no effect: {support.note}.", is_on_the_way)
    return _judge_partial(use, support)


def judge_missing(path: str, node: ast.AST, resolution: Resolution) -> Verdict:
    """Say of what cannot be had from azml_compat why that is, and what to do; `node` names or imports it."""
    support = support_of(path)
    if support is not None and support.level == "refused" and not support.importable:
        verdict = _refused(path, support, ", importing it fails")
    else:
        verdict = _unknown(path)
    if isinstance(node, ast.alias) and _is_guarded(node, resolution):
        return Verdict("AZ107", "partial", f"{verdict.message} The script goes on without it.")
    return verdict


def short(path: str) -> str:
    """Return a path without its modules, which say little to a reader: `Run.log`."""
    parts = path.split(".")
    at = next((index for index, part in enumerate(parts) if part.lstrip("_")[:1].isupper()), None)
    return path if at is None else ".".join(parts[at:])


def _is_mentioned(use: Use) -> bool:
    """Tell whether a name is only mentioned: it is no call, and no member of a class, which is looked up."""
    return use.kind in ("name", "string") or (use.kind == "attribute" and not _is_member(use.path))


# -- each kind of answer -------------------------------------------------------------------------------------------


def _judge_import(use: Use, resolution: Resolution) -> Verdict:
    support = support_of(use.path)
    if is_provided(use.path) and (support is None or support.importable):
        return UNCHANGED
    return judge_missing(use.path, use.node, resolution)


def _refused(path: str, support: Support, how: str = "") -> Verdict:
    rule, when = ("AZ103", " yet") if support.planned else ("AZ104", "")
    message = f"`{short(path)}` is not supported{when}{how}: {support.note}. Instead: {support.instead}."
    return Verdict(rule, "refused", message)


def _unknown(path: str) -> Verdict:
    if is_private(path):
        return Verdict("AZ106", "unknown", f"`{path}` is private to the SDK, and not there. Use what is public.")
    owner, _, name = path.rpartition(".")
    if class_at(owner) is not None:
        what = f"`{short(owner)}` has no member `{name}`, as far as is recorded"
        known = _members(owner)
    elif owner in surface() or is_module(owner):
        what = f"`{owner}` has no `{name}`, as far as is recorded"
        known = tuple(public_names(owner)) if owner in surface() else ()
    else:
        name = ".".join(path.split(".")[:3])
        what = f"`{name}` is not of the SDK, as far as is recorded"
        known = tuple(surface())
    close = difflib.get_close_matches(name, known, 1)
    return Verdict("AZ105", "unknown", f"{what}. Look at the line{f': `{close[0]}`?' if close else '.'}")


def _judge_partial(use: Use, support: Support) -> Verdict:
    """Report what is partly supported where the call is seen to use that part of it."""
    concerned: list[str] = []
    is_open = False
    if isinstance(use.node, ast.Call) and use.kind == "call" and support.parameters:
        passed, others, is_open = _passed(use.node, use.path)
        concerned = [
            f"`{name}`: {what}"
            for name, what in support.parameters.items()
            if name in passed or (name == "kwargs" and any(_is_without_effect(other, what) for other in others))
        ]
    instead = f". Instead: {support.instead}" if support.instead else ""
    if concerned:
        what = "; ".join([*concerned, support.note] if support.note else concerned)
        return Verdict("AZ101", "partial", f"`{short(use.path)}` is partly supported: {what}{instead}.")
    if support.note or is_open:
        what = support.note or "; ".join(f"`{name}`: {what}" for name, what in support.parameters.items())
        return Verdict("AZ101", "partial", f"`{short(use.path)}` is partly supported: {what}{instead}.", is_note=True)
    return UNCHANGED


# -- what a use looks like -----------------------------------------------------------------------------------------


def _is_member(path: str) -> bool:
    """Tell whether a path is that of a member of a class."""
    return path.rpartition(".")[0].rpartition(".")[2].lstrip("_")[:1].isupper()


def _below_entry(path: str) -> str:
    """Return what of a path is below the name that `_support` speaks of."""
    entry = path
    while entry and entry not in entries():
        entry = entry.rpartition(".")[0]
    return path[len(entry) :]


def _members(owner: str) -> tuple[str, ...]:
    """Return the names of the members of a class."""
    return tuple(name for base in lineage(owner) for name in (class_at(base) or {"members": ()})["members"])


_CATCHES = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def _is_guarded(node: ast.AST, resolution: Resolution) -> bool:
    """Tell whether an import is in a `try` that goes on where it fails."""
    above: ast.AST | None
    while (above := resolution.parent(node)) is not None:
        if isinstance(above, ast.Try) and any(node is statement for statement in above.body):
            for handler in above.handlers:
                caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
                if any(one is None or (isinstance(one, ast.Name) and one.id in _CATCHES) for one in caught):
                    return True
        if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return False
        node = above
    return False


def _passed(call: ast.Call, path: str) -> tuple[set[str], set[str], bool]:
    """Return the parameters that a call passes, the keywords that go to `kwargs`, and whether there may be more."""
    signature = _signature(path) or ()
    passed = {name for name, _ in [one for one in signature if one[1] in _POSITIONAL][: len(call.args)]}
    keywords = {keyword.arg for keyword in call.keywords if keyword.arg is not None}
    known = {name for name, _ in signature}
    is_open = any(keyword.arg is None for keyword in call.keywords) or any(
        isinstance(argument, ast.Starred) for argument in call.args
    )
    return passed | keywords, keywords - known if known else set(), is_open


def _is_without_effect(keyword: str, what: str) -> bool:
    """Tell whether what is said of `kwargs` is said of one of them: `a` counts; `b` and `c` have no effect."""
    clauses = what.split(";")
    return "`" not in what or any("no effect" in clause and f"`{keyword}`" in clause for clause in clauses)


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@functools.cache
def _signature(path: str) -> tuple[tuple[str, inspect._ParameterKind], ...] | None:
    """Return the parameters of a function, as a caller sees them: the facade has Azure's. None where it has none."""
    names = path.split(".")
    at = next((index for index in range(len(names), 0, -1) if is_module(".".join(names[:index]))), 0)
    try:
        found: Any = import_module("azml_compat" + ".".join(["", *names[1:at]]))
        owner: Any = None
        for name in names[at:]:
            owner, found = found, getattr(found, name)
        parameters = list(inspect.signature(found).parameters.values())
    except Exception:  # noqa: BLE001 - whatever an attribute raises that is not supported
        return None
    is_method = inspect.isclass(owner) and inspect.isfunction(inspect.getattr_static(owner, names[-1], None))
    return tuple((parameter.name, parameter.kind) for parameter in parameters[is_method:])
