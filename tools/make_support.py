"""Make docs/support.md from the support manifest (azml_compat/_support), the recorded surface and the figures of use.

Run it again after changing one of them; a test compares the result with the committed file.
"""

from __future__ import annotations

import ast
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import make_surface  # noqa: E402 - after the path is set

from azml_compat._support import Support, entries, support_of  # noqa: E402
from azml_compat._support.exceptions import PRIVATE  # noqa: E402
from azml_compat._support.refused import MISSING, STAND_INS  # noqa: E402
from azml_compat._support.satellites import SATELLITES  # noqa: E402

RECORD = make_surface.RECORD
USAGE = ROOT / "tests" / "data" / "azureml-usage.json"
RESULT = ROOT / "docs" / "support.md"

LEVELS = ("full", "partial", "inert", "not yet", "never")
OFTEN = 10
"""Files in which a name must be found to count as used often."""

HEAD = """\
# What is supported

Every public name of the 84 modules of azureml-core 1.61, and how far it is there. Made by `tools/make_support.py` from
`azml_compat/_support`, which also makes the errors of what is refused; tests hold it against the recorded surface of
the original and against what the code does.

| level | means |
|---|---|
| full | As in the original in all that a script can observe, apart from the deviations that are linked. |
| partial | The same, apart from what the note says. |
| inert | Accepted, without the effect that it has on Azure. |
| not yet | Can be imported; using it raises a `NotSupportedError` that says what to do instead. To come. |
| never | The same, and not to come: it is about a service of Azure's. |

Each full name has a test that compares it with what was recorded of the original, or is written down about it.

*Files* says in how many of {units:,} public scripts and notebooks the name is found; names without a figure are rare.
A name stands where it lives: `azureml.core.Run` is `azureml.core.run.Run`. Parameters that begin with an underscore are
Azure's own, and without effect where a note says so.
"""


class Name(NamedTuple):
    """A public name of the surface: a class, a function, a constant, or a member of a class."""

    path: str
    module: str
    owner: str
    kind: str
    record: dict[str, Any]


def public_names(modules: dict[str, Any]) -> Iterator[Name]:
    """Yield every public name where it lives, and members at the class that has them first.

    Not what leaks into modules from Azure's private packages and from others: loggers, helpers, classes of theirs.
    """
    for module, record in modules.items():
        for name, function in record["functions"].items():
            yield Name(f"{module}.{name}", module, "", "function", function)
        for name, constant in record["constants"].items():
            if _is_plain(constant["value"]):
                yield Name(f"{module}.{name}", module, "", "constant", constant)
        for name, cls in record["classes"].items():
            path = f"{module}.{name}"
            yield Name(path, module, name, "class", cls)
            for member in make_surface.own_members(cls, modules):
                if not member["defined_in"].startswith(("builtins.", "enum.")):
                    yield Name(f"{path}.{member['name']}", module, name, member["kind"], member)


def _is_plain(value: str) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return False
    return True


def make_support(record: dict[str, Any], usage: dict[str, Any]) -> str:
    """Write the page, the same text for the same input."""
    page = _Page(list(public_names(record["modules"])), usage)
    return "\n".join([HEAD.format(units=usage["units"]), *page.summary(), *page.modules(), *page.rest()]) + "\n"


class _Page:
    def __init__(self, names: list[Name], usage: dict[str, Any]) -> None:
        self._names = names
        self._files: dict[str, int] = usage["names"]
        self._files_of_modules: dict[str, int] = usage["modules"]
        self._support = {name.path: _known(name.path) for name in names}
        self._of_module: dict[str, list[Name]] = defaultdict(list)
        for name in names:
            self._of_module[name.module].append(name)
        told = [path for path in entries() if path not in MISSING and path not in STAND_INS]
        self._told = {name.module for name in names if name.path in told}

    # -- counting ---------------------------------------------------------------------------------------------

    def summary(self) -> Iterator[str]:
        """Write how many names there are of each level."""
        counted = [name for name in self._names if name.kind != "constant"]
        often = [name for name in counted if self._use(name.path) >= OFTEN]
        yield "## Summary\n"
        yield "Classes, functions and members of classes; constants are all there, with their recorded values.\n"
        yield f"| | names | {' | '.join(LEVELS)} |"
        yield "|---|--:|--:|--:|--:|--:|--:|"
        yield self._counts("all public names", counted)
        yield self._counts(f"those found in {OFTEN} files or more", often)
        for module in self._by_use(self._told):
            in_module = [name for name in counted if name.module == module]
            yield self._counts(f"[`{module}`](#{_anchor(module)})", in_module)
        others = [name for name in counted if name.module not in self._told]
        yield self._counts("[other modules](#other-modules)", others)
        yield ""

    def _counts(self, title: str, names: Iterable[Name]) -> str:
        found = Counter(_level(self._support[name.path]) for name in names)
        return f"| {title} | {found.total()} | {' | '.join(str(found[level] or '') for level in LEVELS)} |"

    def _use(self, path: str) -> int:
        return self._files.get(path, 0)

    def _use_below(self, path: str) -> int:
        return max((self._files[known] for known in self._files if f"{known}.".startswith(f"{path}.")), default=0)

    def _by_use(self, paths: Iterable[str]) -> list[str]:
        return sorted(paths, key=lambda path: (-self._use_below(path), path))

    # -- modules that are there -------------------------------------------------------------------------------

    def modules(self) -> Iterator[str]:
        """Write a table for each module of which something is there."""
        for module in self._by_use(self._told):
            yield f"## `{module}`\n"
            rows = [(name.path, self._support[name.path]) for name in self._listed(module)]
            known = {path for path, _ in rows}
            rows += [  # of the rest, those that scripts use although they are no public names
                (path, support)
                for path, support in entries().items()
                if path.startswith(f"{module}.") and path not in {*known, *STAND_INS, *PRIVATE}
            ]
            yield from self._table(module, rows)
            constants = self._constants(module)
            if constants:
                yield f"Constants, with their recorded values: {constants}.\n"
            yield from _evidence(module, rows)
        for module in self._by_use({path.rpartition(".")[0] for path in SATELLITES} - set(SATELLITES)):
            yield f"## `{module}`\n"
            yield from self._table(module, [row for row in SATELLITES.items() if row[0].startswith(f"{module}.")])
        yield "## Private names that scripts use\n"
        yield from self._table("azureml", PRIVATE.items())

    def _listed(self, module: str) -> Iterator[Name]:
        """Yield the names that have a row: not constants, nor members of a class that is wholly refused."""
        for name in self._of_module[module]:
            is_told = name.path in entries() or name.kind in ("class", "function")
            if name.kind != "constant" and (is_told or self._support[f"{module}.{name.owner}"].level != "refused"):
                yield name

    def _constants(self, module: str) -> str:
        found = sorted(name.path for name in self._of_module[module] if name.kind == "constant")
        return ", ".join(f"`{path.removeprefix(module)[1:]}`" for path in found)

    def _table(self, module: str, rows: Iterable[tuple[str, Support]]) -> Iterator[str]:
        yield "| name | level | note | files |"
        yield "|---|---|---|--:|"
        for path, support in sorted(rows, key=lambda row: (-self._use(row[0]), row[0])):
            shown = path.removeprefix(f"{module}.")
            yield f"| `{shown}` | {_level(support)} | {_note(support)} | {self._use(path) or ''} |"
        yield ""

    # -- and those that are not -------------------------------------------------------------------------------

    def rest(self) -> Iterator[str]:
        """Write the modules that only refuse, by reason, and the packages that are missing."""
        yield "## Other modules\n"
        yield "Their classes and functions refuse with all their members, of which the number is given in brackets.\n"
        others = [name for name in self._names if name.module not in self._told and name.kind != "constant"]
        refusing: dict[tuple[str, str, str], list[Name]] = defaultdict(list)
        for name in others:
            support = self._support[name.path]
            if name.kind in ("class", "function") and support.level == "refused":
                refusing[support.note, support.instead, _level(support)].append(name)
        for reason in sorted(refusing, key=lambda reason: -self._use_of(refusing[reason])):
            yield from self._refusing(*reason, refusing[reason])
        yield "### Apart from that\n"
        told = [name.path for name in others if self._is_apart(name)]
        yield from self._table("azureml", [(path, self._support[path]) for path in told])
        yield "### Constants\n"
        yield "Plain constants are there with their recorded values, also where the rest of a module refuses.\n"
        yield "| module | constants |"
        yield "|---|---|"
        for module in sorted(set(self._of_module) - self._told):
            constants = self._constants(module)
            if constants:
                yield f"| `{module}` | {constants} |"
        yield ""
        yield from self._missing()

    def _refusing(self, note: str, instead: str, level: str, names: list[Name]) -> Iterator[str]:
        """Write the classes and functions that refuse for one reason."""
        of_module: dict[str, list[Name]] = defaultdict(list)
        for name in names:
            of_module[name.module].append(name)
        yield f"### {_sentence(note)} ({level})\n"
        yield f"Instead: {instead}.\n"
        yield "| module | names | files |"
        yield "|---|---|--:|"
        for module in sorted(of_module, key=lambda module: -self._use_of(of_module[module])):
            shown = ", ".join(map(self._with_members, of_module[module]))
            yield f"| `{module}` | {shown} | {self._use_of(of_module[module]) or ''} |"
        yield ""

    def _is_apart(self, name: Name) -> bool:
        """Tell whether it is said of a name in particular that it is otherwise than its module or class."""
        is_member = name.kind not in ("class", "function")
        return name.path in entries() if is_member else self._support[name.path].level != "refused"

    def _with_members(self, name: Name) -> str:
        members = sum(other.path.startswith(f"{name.path}.") for other in self._of_module[name.module])
        return f"`{name.path.removeprefix(f'{name.module}.')}`" + (f" ({members})" if members else "")

    def _use_of(self, names: Iterable[Name]) -> int:
        return max(self._use_below(name.path) for name in names)

    def _missing(self) -> Iterator[str]:
        yield "## Packages that are missing\n"
        yield "These cannot be imported; the error says why, and what to do instead. *Files* is that of the most used"
        yield "module of the package.\n"
        yield "| package | level | why, and what to do instead | files |"
        yield "|---|---|---|--:|"
        for path in sorted(MISSING, key=lambda path: (-self._use_of_package(path), path)):
            support = MISSING[path]
            yield f"| `{path}` | {_level(support)} | {_note(support)} | {self._use_of_package(path) or ''} |"

    def _use_of_package(self, path: str) -> int:
        found = self._files_of_modules
        return max((found[module] for module in found if f"{module}.".startswith(f"{path}.")), default=0)


def _known(path: str) -> Support:
    found = support_of(path)
    if found is None:
        raise LookupError(f"{path} has no entry in azml_compat/_support")
    return found


def _level(support: Support) -> str:
    if support.level != "refused":
        return support.level
    return "not yet" if support.planned else "never"


def _note(support: Support) -> str:
    parts = [support.note] if support.note else []
    effects: dict[str, list[str]] = defaultdict(list)
    for parameter, effect in support.parameters.items():
        effects[effect].append(f"`{parameter}`")
    parts += [f"{', '.join(parameters)}: {effect}" for effect, parameters in effects.items()]
    if support.instead:
        parts.append(f"Instead: {support.instead}")
    if support.differences:
        links = ", ".join(f"[{anchor}](differences.md#{anchor})" for anchor in support.differences)
        parts.append(f"Differs: {links}")
    return ". ".join(map(_sentence, parts)).replace("|", "\\|")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _anchor(module: str) -> str:
    """Return GitHub's anchor of a heading that is the module's name."""
    return module.replace(".", "")


def _evidence(module: str, rows: Iterable[tuple[str, Support]]) -> Iterator[str]:
    """Write which tests compare the names with the original, those with the same ones together."""
    compared: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for path, support in sorted(rows):
        if support.tests and path in entries():
            compared[support.tests].append(f"`{path.removeprefix(f'{module}.')}`")
    yield "<details><summary>What compares them with the original</summary>\n"
    yield "Names without a file are cases of `tests/golden`.\n"
    for tests, names in compared.items():
        yield f"- {', '.join(names)}: {', '.join(f'`{test}`' for test in tests)}"
    yield "\n</details>\n"


if __name__ == "__main__":
    text = make_support(json.loads(RECORD.read_text("utf-8")), json.loads(USAGE.read_text("utf-8")))
    RESULT.write_text(text, "utf-8")
