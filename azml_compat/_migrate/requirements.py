"""Requirements of the SDK's packages, replaced by what is needed in their place, wherever files list requirements.

Which there are, and what is needed instead, `_dependencies` knows. A list has each package once; a list that would be
empty, where its tool wants one entry, keeps the one that is needed.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Literal

from azml_compat._dependencies import Dependency, Entry, command_entries, commands, entries
from azml_compat._migrate.edits import Edit
from azml_compat._migrate.rewriting import Fix, Mark, Rewriting
from azml_compat._migrate.sources import Unit

Target = Literal["facade", "mlflow"]

REPLACED = "AZ201"
REMOVED = "AZ202"
MISSED = "AZ203"

_PACKAGES: dict[Target, str] = {"facade": "azml-compat", "mlflow": "mlflow"}
_OLD = re.compile(r"azureml|azml[-_.]compat", re.IGNORECASE)
_WITH_MLFLOW = ("azureml-mlflow", _PACKAGES["facade"])
_NOT_CONDAS = ("azml-compat",)
_WITHOUT_VALUE = frozenset(
    {
        "-q", "--quiet", "-U", "--upgrade", "-y", "--yes", "--user", "--pre", "--no-cache-dir", "--no-deps", "-v",
        "--system", "--force-reinstall", "--ignore-installed", "-I", "--no-warn-script-location", "--dev",
        "--disable-pip-version-check",
    }
)  # fmt: skip
"""Options of pip, conda and the like, after which the next word is no value of theirs."""

# What may follow a requirement: an option of its own, a line that goes on, a comment.
_REST = re.compile(r"[^\S\n]*(?:--(?:[^\n\\]|\\(?!\n))*)?(?:\\\n(?:[^\n\\]|\\(?!\n))*)*(?:#.*)?$", re.MULTILINE)
_GOES_ON = re.compile(r"[^\S\n]*(?:--|\\\n)")
_VALUE = re.compile(r"[\"']?\s*=[^\S\n]*(?P<value>\"[^\"\n]*\"|'[^'\n]*'|\{[^\n]*\})[^\S\n]*(?:#.*)?$", re.MULTILINE)
_IS_OPTIONAL = re.compile(r"\boptional\s*=\s*true\b")
_EXTRAS = re.compile(r"^\[tool\.poetry\.extras\](?:(?!^\[)[\s\S])*", re.MULTILINE)
_COMMA = re.compile(r"\s*,[^\S\n]*")
_BEFORE_WORD = re.compile(r",?[^\S\n]*(?:\\\n)?[^\S\n]*\Z")
_MARKER = re.compile(r"\s*;.*")
_MARKER_AFTER_URL = re.compile(r"\s+;.*")


def rule_of(dependency: Dependency) -> str:
    """Return the id of the rule that a requirement falls under."""
    if dependency.instead:
        return REPLACED
    return MISSED if dependency.is_missed else REMOVED


def listed(unit: Unit) -> list[Entry]:
    """Return the requirements in a text, or in the commands of a notebook.

    Raises:
        Exception: what the parser of such files says of one that is not what its name promises.
    """
    if unit.name == unit.path.name and unit.path.suffix.lower() == ".ipynb":
        cells = (commands(unit.raw[part.start : part.start + part.length]) for part in unit.parts)
        return command_entries("\n".join(cells))
    return entries(unit.path.with_name(Path(unit.name).name), unit.raw)


def rewrite(unit: Unit, target: Target) -> Rewriting:
    """Find the requirements in a text, or in the commands of a notebook, and what to write in their place."""
    text = unit.raw
    if _OLD.search(text) is None:
        return Rewriting([], [])
    try:
        found = listed(unit)
    except Exception as error:  # noqa: BLE001 - whatever its parser says of a file that is not what its name promises
        what = f"it cannot be read, {type(error).__name__}: look yourself for packages that begin with azureml-"
        return Rewriting([], [Mark(REPLACED, 1, what)])
    return _Lists(text, found, target).rewritten()


class _Lists:
    """The requirements in one text."""

    def __init__(self, text: str, found: list[Entry], target: Target) -> None:
        self._text = text
        self._found = found
        self._needed = _PACKAGES[target]
        self._target = target
        self._made: list[Edit] = []
        self._listed: dict[Hashable, set[str]] = {}
        self._optional: set[str] = set()
        for entry in found:
            if self._is_optional(entry):
                self._optional.add(entry.package)
            elif not self._is_old(entry):
                self._listed.setdefault(self._scope(entry), set()).add(entry.package)

    def rewritten(self) -> Rewriting:
        fixes: list[Fix] = []
        marks: list[Mark] = []
        for entry in self._found:
            if not self._is_old(entry):
                continue
            rule = REPLACED if self._replacement(entry) else rule_of(_dependency(entry))
            new = self._instead(entry)
            listed = self._listed.setdefault(self._scope(entry), set())
            if new in listed and not self._is_kept(entry):
                new = ""
            edits = self._edits(entry, new)
            if isinstance(edits, str):
                marks.append(Mark(rule, entry.line, f"`{entry.requirement}`: {edits}"))
            else:
                listed.add(new)
                self._made += edits
                fixes.append(Fix(rule, entry.line, tuple(edits), rule != MISSED))
        return Rewriting(fixes, marks)

    def _instead(self, entry: Entry) -> str:
        """Return the package to write in the place of an entry; empty where it goes."""
        return self._replacement(entry) or (self._needed if self._is_kept(entry) else "")

    def _is_optional(self, entry: Entry) -> bool:
        """Tell whether a dependency of Poetry's is there for extras alone."""
        value = _VALUE.match(self._text, entry.start + len(entry.requirement)) if entry.form == "pair" else None
        return value is not None and _IS_OPTIONAL.search(value["value"]) is not None

    def _is_in_extras(self, entry: Entry) -> bool:
        """Tell whether an extra of Poetry's names a dependency."""
        section = _EXTRAS.search(self._text) if entry.form == "pair" else None
        return section is not None and re.search(rf"""["']{re.escape(entry.requirement)}["']""", section[0]) is not None

    def _is_old(self, entry: Entry) -> bool:
        """Tell whether a package is one that the rewritten scripts have no use for."""
        return entry.is_sdks or (self._target == "mlflow" and entry.package == _PACKAGES["facade"])

    def _replacement(self, entry: Entry) -> str:
        new = _dependency(entry).instead
        if new == _PACKAGES["facade"] or (self._target == "mlflow" and entry.package in _WITH_MLFLOW):
            return self._needed
        return new

    def _scope(self, entry: Entry) -> Hashable:
        """Return what is equal for entries that must not be equal; all lists of a YAML file are one environment."""
        return None if self._is_yaml(entry) else (entry.form, entry.group)

    def _is_kept(self, entry: Entry) -> bool:
        """Tell whether an entry is the one to keep of a list that would be empty, and must not be."""
        if entry.form == "word":
            listed = self._command(entry)
        elif self._is_yaml(entry):
            listed = [other for other in self._found if other.group == entry.group]
        else:
            return False
        if not all(self._is_old(other) and not self._replacement(other) for other in listed):
            return False
        return entry == min(listed, key=lambda other: _dependency(other).is_missed, default=None)

    def _is_yaml(self, entry: Entry) -> bool:
        return entry.form == "line" and self._text[self._line_of(entry) :].lstrip().startswith("- ")

    def _line_of(self, entry: Entry) -> int:
        """Return the offset of the line that an entry is on."""
        return self._text.rfind("\n", 0, max(entry.start, 0)) + 1

    def _command(self, entry: Entry) -> list[Entry]:
        """Return the packages in the command that an entry is in."""
        names: list[Entry] = []
        before = ""
        for word in self._found:
            if word.group != entry.group:
                continue
            if not word.requirement.startswith("-") and (not before.startswith("-") or before in _WITHOUT_VALUE):
                names.append(word)
            before = word.requirement
        return names

    def _edits(self, entry: Entry, new: str) -> list[Edit] | str:
        """Return what to change; or, where it is left to a person, what to do."""
        what = f"write {new}" if new else "remove it"
        if self._is_in_extras(entry):
            return f"{what}, by hand: an extra names it"
        if entry.form == "pair" and new in self._optional:
            return f"{what}, by hand: {new} is there as an optional dependency"
        if entry.start < 0:
            return f"{what}, by hand: it is written in a way that is not edited here"
        if entry.is_condas and new in _NOT_CONDAS:
            return f"conda has no {new}: remove it, and {what} where the packages of pip are listed"
        end = entry.start + len(entry.requirement)
        if not new:
            removal = self._removal(entry, end)
            return f"{what}, by hand: it shares its line with other things" if removal is None else [removal]
        if entry.form == "line" and _GOES_ON.match(self._text, end):
            return f"{what}, by hand: it has options or hashes of its own"
        edits = [Edit(entry.start, end, new + _marker(entry))]
        if entry.form == "pair":
            value = _VALUE.match(self._text, end)
            if value is None:
                return f"{what}, by hand: its version goes over several lines"
            edits.append(Edit(value.start("value"), value.end("value"), '"*"'))
        return edits

    def _removal(self, entry: Entry, end: int) -> Edit | None:
        """Return the removal of an entry with what belongs to it; None where that is not clear."""
        text, start = self._text, entry.start
        if text[start - 1 : start] in ("'", '"') and text[end : end + 1] == text[start - 1]:
            start, end = start - 1, end + 1
        begin = self._line_of(entry)
        if entry.form == "word":
            before = _BEFORE_WORD.search(text, text.rfind("\n", 0, max(begin - 1, 0)) + 1, start)
            return Edit(start if before is None else before.start(), end, "")
        if entry.form != "item":
            rest = (_VALUE if entry.form == "pair" else _REST).match(text, end)
            if rest is None or text[begin:start].strip(" \t-"):
                return None
            return self._whole_lines(begin, rest.end())
        comma = _COMMA.match(text, end)
        end = end if comma is None else comma.end()
        rest = _REST.match(text, end)
        if rest is not None and not text[begin:start].strip():
            return self._whole_lines(begin, rest.end())
        kept = text[:start].rstrip()
        if comma is None and kept.endswith(",") and not any(edit.end >= len(kept) for edit in self._made):
            start = len(kept) - 1
        return Edit(start, end, "")

    def _whole_lines(self, begin: int, end: int) -> Edit:
        """Return the removal of lines, with the line end after them, or before them if they are the last."""
        if self._text.startswith("\n", end):
            return Edit(begin, end + 1, "")
        return Edit(max(begin - 1, 0), end, "")


def _dependency(entry: Entry) -> Dependency:
    return Dependency(Path(), entry.line, entry.cell, entry.requirement, entry.package)


def _marker(entry: Entry) -> str:
    """Return the condition under which a requirement holds, as it is written."""
    found = (_MARKER_AFTER_URL if "://" in entry.requirement else _MARKER).search(entry.requirement)
    return "" if found is None else found[0]
