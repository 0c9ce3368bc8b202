"""One use of a run or an experiment that is rewritten, and how a rule says what becomes of it."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property

from azml_compat._migrate.to_mlflow.forms import Forms
from azml_compat._migrate.to_mlflow.script import RUN, Left, Script, string

_SERIES = ("log", "log_list", "log_row", "log_table")

_NAMES = ("name", "key", "tags", "properties")
"""What Azure's methods call their first parameter."""
_PLAIN_NAME = re.compile(r"\w([\w -]{0,98}\w)?")
"""Names that are good for keys and file names alike."""

DELETED = "\0"
"""The new text of a statement that goes."""


class Plan:
    """What a module is to become: its runs, the pieces it needs, and whether assumptions are allowed."""

    def __init__(
        self, script: Script, *, is_unsafe: bool, cells: Collection[int] = (), taken: Collection[str] = ()
    ) -> None:
        self.script = script
        self.taken = taken
        """The names of the module that other files import, and, with a dot before them, attributes that those read."""
        self.cells = cells
        """Where the cells of a notebook begin."""
        self.forms = Forms(script)
        self.is_unsafe = is_unsafe
        self.unsafe_lines: list[tuple[str, int]] = []
        """(rule, line) of each place where an assumption would give plainer code."""
        self.needed: dict[str, None] = {}
        """The pieces that are called."""
        self.has_series = False
        """Whether something is logged of which a part may have to be stored when the run ends."""
        self.has_outputs = False
        """Whether files of a folder are stored when a run ends."""
        self.experiment_calls: list[ast.Call] = []
        """Where experiments are made."""

    @cached_property
    def _logged(self) -> Counter[str | None]:
        """How many calls log under each name; those whose name is not known are under None."""
        script = self.script
        found: Counter[str | None] = Counter()
        for node in script.nodes:
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and script.is_instance(node.func.value, RUN)
            ):
                if node.func.attr in _SERIES:
                    names = (keyword.value for keyword in node.keywords if keyword.arg == "name")
                    found[string(node.args[0] if node.args else next(names, None))] += 1
                elif node.func.attr == "get_metrics":
                    found[None] += 1  # It reads all that was logged, as it was.
        return found

    @cached_property
    def has_odd_names(self) -> bool:
        """Whether something is logged or tagged under a name that MLflow may refuse, as far as can be told."""
        return any(map(self._may_be_odd, self.script.nodes))

    def _may_be_odd(self, node: ast.AST) -> bool:
        script = self.script
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return False
        member = node.func.attr
        if member not in (*_SERIES, "tag", "set_tags", "add_properties", "remove_tags"):
            return False
        if not script.is_instance(node.func.value, RUN):
            return False
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        first = node.args[0] if node.args else next((given[key] for key in _NAMES if key in given), None)
        names: list[ast.AST | str | None] = [first]
        if member == "log_row":
            names += [key for key in given if key not in ("name", "description")]
        elif member in ("set_tags", "add_properties"):
            names = [*first.keys] if isinstance(first, ast.Dict) else [None]
        elif member == "remove_tags":
            names = [*first.elts] if isinstance(first, (ast.List, ast.Tuple)) else [None]
        elif member == "log_table":
            value = node.args[1] if len(node.args) > 1 else given.get("value")
            names += [*value.keys] if isinstance(value, ast.Dict) else [None]
        texts = [name if isinstance(name, str) else string(name) for name in names]
        return any(text is None or _PLAIN_NAME.fullmatch(text) is None for text in texts)

    def logs_once(self, name: str) -> bool:
        """Tell whether one call alone logs under a name, and nothing reads what was logged."""
        return self._logged[None] == 0 and self._logged[name] == 1

    @cached_property
    def is_ended_by_piece(self) -> bool:
        """Whether MLflow's own `with` is not enough: something is stored at the end, or an exit is no failure."""
        names = {getattr(node, "attr", getattr(node, "id", "")) for node in self.script.nodes}
        return self.stores_at_end or not names.isdisjoint(("exit", "quit", "SystemExit"))

    @property
    def stores_at_end(self) -> bool:
        """Whether there is something to store when a run ends."""
        return self.has_series or self.has_outputs

    def piece(self, name: str) -> str:
        """Have a piece inserted, and return the name under which it is called."""
        self.needed[name] = None
        return local_name(self.script, name)


def local_name(script: Script, name: str) -> str:
    """Return the name of a piece in a module, which may have something else of that name."""
    if script.has_unknown_names:
        name = f"mlflow_{name}"
    while name in script.bound:
        name = f"mlflow_{name}"
    return name


class Site:
    """A member of a run or experiment that is called, read or set.

    Attributes:
        plan: Of the module.
        member: The attribute.
        owner: What it is a member of.
        call: The call of the member; None where it is read.
        rule: The id of the rule that rewrites it.
    """

    def __init__(self, plan: Plan, member: ast.Attribute, call: ast.Call | None, rule: str) -> None:
        self.plan = plan
        self.script = plan.script
        self.member = member
        self.owner = member.value
        self.call = call
        self.rule = rule
        self.node: ast.expr = member if call is None else call

    # -- the call -----------------------------------------------------------------------------------------------

    def bind(self, *parameters: str) -> dict[str, ast.expr]:
        """Return the arguments by the parameters of Azure's method.

        Raises:
            Left: it cannot be told which argument is for which of them.
        """
        assert self.call is not None
        found: dict[str, ast.expr] = dict(zip(parameters, self.call.args, strict=False))
        is_plain = len(self.call.args) <= len(parameters) and not any(
            isinstance(argument, ast.Starred) for argument in self.call.args
        )
        for keyword in self.call.keywords:
            if keyword.arg is None or keyword.arg not in parameters or keyword.arg in found:
                is_plain = False
            else:
                found[keyword.arg] = keyword.value
        if not is_plain:
            raise self.left(f"the arguments of `{self.member.attr}` are not understood")
        return found

    @property
    def is_statement(self) -> bool:
        """Whether nothing is done with what it gives."""
        return isinstance(self.script.parent(self.node), ast.Expr)

    def left(self, message: str) -> Left:
        """Return what says that this is left as it is."""
        return Left(self.rule, message)

    # -- the run ------------------------------------------------------------------------------------------------

    @property
    def is_active(self) -> bool:
        """Whether the run is MLflow's active one, so that it need not be said."""
        return self.plan.forms.is_active(self.owner)

    @property
    def run_id(self) -> str:
        """The expression of the run's id."""
        return f"{self.script.new(self.owner)}.info.run_id"

    @property
    def for_run(self) -> tuple[str, ...]:
        """The argument that says the run, where it must be said."""
        return () if self.is_active else (f"run_id={self.run_id}",)

    def fluent(self, function: str, *arguments: str) -> str:
        """Return a call of one of MLflow's functions that take a `run_id`."""
        return f"mlflow.{function}({', '.join((*arguments, *self.for_run))})"

    def of_client(self, function: str, *arguments: str) -> str:
        """Return a call of one of MLflow's functions for the active run, or of the client's method of that name."""
        if self.is_active:
            return f"mlflow.{function}({', '.join(arguments)})"
        return f"mlflow.MlflowClient().{function}({', '.join((self.run_id, *arguments))})"

    def piece(self, name: str, *arguments: str) -> str:
        """Return a call of a piece that takes a `run_id`."""
        return f"{self.plan.piece(name)}({', '.join((*arguments, *self.for_run))})"

    def same_arguments(self, name: str) -> str:
        """Return the call of a piece with the arguments as they stand, comments and line breaks included."""
        assert self.call is not None
        arguments = self.script.arguments(self.call)
        for added in self.for_run:
            arguments = self.script.arguments_and(self.call, added)
        return f"{self.plan.piece(name)}({arguments})"

    def called(self, name: str, parameters: Sequence[str], dropped: Sequence[str] = ()) -> str:
        """Return the call of a piece whose parameters have Azure's names; arguments for `dropped` go.

        Raises:
            Left: it cannot be told which argument is for which parameter.
        """
        found = self.bind(*parameters)
        assert self.call is not None
        kept = [parameter for parameter in parameters if parameter not in dropped]
        positional = list(parameters[: len(self.call.args)])
        if not any(parameter in found for parameter in dropped) and positional == kept[: len(positional)]:
            return self.same_arguments(name)
        return self.piece(
            name, *_written({key: self.script.new(found[key]) for key in kept if key in found}, parameters)
        )

    def suggest(self, line: int | None = None) -> bool:
        """Note that plainer code would assume something; tell whether it may."""
        self.plan.unsafe_lines.append((self.rule, line or self.node.lineno))
        return self.plan.is_unsafe


def _written(found: Mapping[str, str], parameters: Sequence[str]) -> list[str]:
    """Return arguments: by position up to the first parameter that has none, then by name."""
    written = []
    is_positional = True
    for parameter in parameters:
        if parameter not in found:
            is_positional = False
        elif is_positional:
            written.append(found[parameter])
        else:
            written.append(f"{parameter}={found[parameter]}")
    return written


Rule = Callable[[Site], str]
"""Returns the new text of a site, or raises `Left`."""


def quoted(text: str) -> str:
    """Return a string as Python writes it, in double quotes."""
    written = repr(text)
    return f'"{written[1:-1]}"' if written.startswith("'") and '"' not in written else written


def is_none(node: ast.expr | None) -> bool:
    """Tell whether an expression is None, written out."""
    return isinstance(node, ast.Constant) and node.value is None


def literal(node: ast.expr | None) -> str | None:
    """Return the value of a literal string."""
    return string(node)
