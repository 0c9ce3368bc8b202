"""Where runs begin and end in a module, and which calls need not say the run that they are for.

Plain MLflow has a stack of active runs; Azure's runs are objects, of which any number is open. So a module that opens
one run and no more has the natural form, in which a call is for the active run. In any other, a run that is not closed
by a `with` block is created beside the stack, and each call says its run.
"""

from __future__ import annotations

import ast
from functools import cached_property
from typing import NamedTuple

from azml_compat._migrate.to_mlflow.script import EXPERIMENT, RUN, Script

CONTEXT = (f"{RUN}.get_context", f"{RUN}.get_submitted_run")
START = f"{EXPERIMENT}.start_logging"
CHILD = f"{RUN}.child_run"
CHILDREN = f"{RUN}.create_children"
_THREADS = ("threading", "futures", "ThreadPool", "ThreadPoolExecutor")
"""Imported where something runs in several threads."""
_ENDS = ("complete", "fail", "cancel")


class Creation(NamedTuple):
    """A call that opens a run."""

    call: ast.Call
    path: str
    with_: ast.With | ast.AsyncWith | None
    """The statement whose block is the run's."""
    name: str | None
    """The variable that holds the run."""
    end: ast.stmt | None = None
    """Without a block, the statement beside the call that ends the run in any case."""


class Forms:
    """The runs of a module."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.creations = [made for node in script.nodes if (made := self._creation(node)) is not None]
        self.contexts = [made for made in self.creations if made.path in CONTEXT]

    def _creation(self, node: ast.AST) -> Creation | None:
        path = self._script.resolution.path(node) if isinstance(node, ast.Call) else None
        if not isinstance(node, ast.Call) or path not in (*CONTEXT, START, CHILD, CHILDREN):
            return None
        parent = self._script.parent(node)
        if isinstance(parent, ast.withitem):
            around = self._script.parent(parent)
            assert isinstance(around, (ast.With, ast.AsyncWith))
            return Creation(node, path, around, _name(parent.optional_vars))
        target = parent.targets[0] if isinstance(parent, ast.Assign) and len(parent.targets) == 1 else None
        name = _name(target)
        return Creation(node, path, None, name, self._end(node, name) if path == START and name is not None else None)

    def _end(self, call: ast.Call, name: str) -> ast.stmt | None:
        statement = self._script.statement(call)
        body = self._script.body(statement)
        return next((after for after in body[body.index(statement) + 1 :] if self._ends(after, name)), None)

    @cached_property
    def top(self) -> Creation | None:
        """What opens the one run of the module that is active until it ends; there may be others below it."""
        if self.contexts:
            return None if any(made.path == START for made in self.creations) else self.contexts[0]
        starts = [made for made in self.creations if made.path == START]
        if len(starts) != 1:
            return None
        [start] = starts
        return start if start.with_ is not None or self._is_closed(start) else None

    @cached_property
    def is_only(self) -> bool:
        """Whether there is one run in the module and no other."""
        return (
            self.top is not None
            and all(made is self.top or made in self.contexts for made in self.creations)
            and not any(map(self._gives_others, self._script.nodes))
        )

    def _gives_others(self, node: ast.AST) -> bool:
        """Tell whether an expression gives a run that was opened elsewhere."""
        if not isinstance(node, (ast.Call, ast.Attribute)):
            return False
        path = self._script.resolution.path(node) or ""
        if not path.startswith("azureml.") or any(made.call is node for made in self.creations):
            return False
        if isinstance(node, ast.Attribute) and not path.startswith(f"{RUN}."):
            return False
        return self._script.is_instance(node, RUN) or self._script.is_collection(node, RUN)

    def _is_closed(self, made: Creation) -> bool:
        """Tell whether a run has ended before the call can be made again."""
        return made.end is not None or not self._script.repeaters(made.call)

    @staticmethod
    def _ends(statement: ast.stmt, name: str) -> bool:
        call = statement.value if isinstance(statement, ast.Expr) else None
        return (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in _ENDS
            and _name(call.func.value) == name
        )

    def is_active(self, run: ast.expr) -> bool:
        """Tell whether a run is the active one wherever it is used so."""
        inner = self._innermost(run)
        if inner is not None:
            is_its_own = inner.name is not None and _name(run) == inner.name and not self._is_in_thread(run)
            return is_its_own and self.is_nested(inner) and not self._has_ended_within(run, inner)
        if isinstance(run, ast.Call):
            return False  # Asking for the run of the script may be what starts it.
        if self.top is None or self._may_have_ended(run) or self._is_in_thread(run):
            return False
        if self.top.with_ is not None and self.top.with_ not in self._script.ancestors(run):
            # A function is called from within the block, as there is no other run.
            return self.is_only and self._script.function(run) is not self._script.function(self.top.call)
        return self.is_only or self._is_top(run)

    def _is_in_thread(self, run: ast.expr) -> bool:
        """Tell whether a place may be reached in another thread, which has no active run."""
        home = None if self.top is None else self._script.function(self.top.call)
        return self._has_threads and self._script.function(run) is not home

    @cached_property
    def _has_threads(self) -> bool:
        names = {
            part
            for node in self._script.nodes
            for alias in (node.names if isinstance(node, (ast.Import, ast.ImportFrom)) else ())
            for part in (*alias.name.split("."), *(getattr(node, "module", None) or "").split("."))
        }
        return not names.isdisjoint(_THREADS)

    def _innermost(self, node: ast.AST) -> Creation | None:
        """Return what opens the child in whose block a node is, in the same function."""
        for around in self._script.ancestors(node):
            if isinstance(around, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
                return None
            for made in self.creations:
                if made.with_ is around and made is not self.top and not self._is_before_block(node, made):
                    return made
        return next((made for made in self._sections if self._is_in_section(node, made)), None)

    @cached_property
    def _sections(self) -> list[Creation]:
        """The runs without a block that begin and end beside one another, with no other run in between."""
        if self.top is not None or self.contexts:
            return []
        ended = [made for made in self.creations if made.end is not None]
        overlapping = {
            id(made)
            for made in ended
            for other in self.creations
            if other is not made and (self._is_in_section(other.call, made) or self._is_in_section(made.call, other))
        }
        return [made for made in ended if id(made) not in overlapping]

    def _is_in_section(self, node: ast.AST, made: Creation) -> bool:
        if made.end is None or self._script.function(node) is not self._script.function(made.call):
            return False
        place = self._script.span(node)[0]
        return self._script.span(made.call)[1] <= place < self._script.span(made.end)[1]

    def _is_before_block(self, node: ast.AST, made: Creation) -> bool:
        """Tell whether a node is evaluated before the run is opened whose block it seems to be in."""
        return self._script.span(node)[0] < self._script.span(made.call)[1]

    def is_nested(self, made: Creation) -> bool:
        """Tell whether a run with a block of its own is opened while its parent, or no run at all, is active."""
        if made.with_ is None:
            return made in self._sections and self._innermost(made.call) is None
        if made.path == START:
            return self.top is None and not self.contexts and not self._is_below_another(made)
        func = made.call.func
        return isinstance(func, ast.Attribute) and self.is_active(func.value)

    def _is_below_another(self, made: Creation) -> bool:
        return self._innermost(made.call) is not None or self._script.function(made.call) is not None

    def _is_top(self, run: ast.expr) -> bool:
        """Tell whether an expression is the run at the top, and no child is active where it stands."""
        if self._has_blocks_of_children and self._script.function(run) is not self._script.function(self._top_call):
            return False
        return isinstance(run, ast.Name) and self._is_bound_to_top(run.id, self._script.function(run))

    def _is_bound_to_top(self, name: str, function: ast.AST | None) -> bool:
        """Tell whether a variable can be nothing but the run at the top."""
        home = self._script.function(self._top_call)
        bindings = self._script.bindings.get(name, [])
        own = [node for node in bindings if self._script.function(node) is function]
        if function is not home and own:
            return False
        mine = [node for node in bindings if self._script.function(node) is home]
        return bool(mine) and all(self._is_creation_of_top(node) for node in mine)

    def _is_creation_of_top(self, target: ast.AST) -> bool:
        around = self._script.parent(target)
        value = around.value if isinstance(around, ast.Assign) else None
        if isinstance(around, ast.withitem):
            value = around.context_expr
        return any(found.call is value for found in (*self.contexts, self.top) if found is not None)

    @property
    def _top_call(self) -> ast.Call:
        assert self.top is not None
        return self.top.call

    @cached_property
    def _has_blocks_of_children(self) -> bool:
        return any(made.with_ is not None and made is not self.top for made in self.creations)

    def _may_have_ended(self, run: ast.expr) -> bool:
        """Tell whether the run at the top may have ended before the place of an expression is reached."""
        here, home = self._script.function(run), self._script.function(self._top_call)
        ends = [end for end in self._ended if self.is_only or self._is_top(end.value)]
        around_all = self._script.repeaters(self._top_call)
        return any(
            self._is_before(end, run) or self._loops(end) & self._loops(run) - around_all
            if self._script.function(end) is here
            else here is home or (self._script.function(end) is home and self._is_reached_after(end, run))
            for end in ends
            if end.value is not run
        )

    def _is_reached_after(self, end: ast.AST, node: ast.AST) -> bool:
        """Tell whether a node may be reached after a place in the function that opens the run."""
        home = self._script.function(end)
        passed: set[ast.AST] = set()
        places = [node]
        while places:
            place = places.pop()
            function = self._script.function(place)
            if function is None or function is home:
                if self._script.span(place)[0] > self._script.span(end)[0] or self._is_for_the_exit(place):
                    return True
            elif function not in passed:
                passed.add(function)
                uses = self._uses(function)
                if not uses:
                    return True
                places += uses
        return False

    def _uses(self, function: ast.AST) -> list[ast.AST]:
        """Return where a function is used: called, or given to others. Of a method, where its class is."""
        parent = self._script.parent(function)
        if isinstance(function, ast.Lambda):
            return [function] if isinstance(parent, (ast.Call, ast.keyword)) else []
        name = getattr(parent if isinstance(parent, ast.ClassDef) else function, "name", "")
        return [use for use in self._script.loads.get(name, []) if function not in self._script.ancestors(use)]

    def _is_for_the_exit(self, node: ast.AST) -> bool:
        around = self._script.parent(node)
        function = around.func if isinstance(around, ast.Call) else None
        return "register" in (getattr(function, "attr", ""), getattr(function, "id", ""))

    def _loops(self, node: ast.AST) -> set[ast.AST]:
        return {
            around for around in self._script.ancestors(node) if isinstance(around, (ast.For, ast.While, ast.AsyncFor))
        }

    def _has_ended_within(self, run: ast.expr, made: Creation) -> bool:
        """Tell whether a run may have ended in its block, before the place of an expression is reached."""
        return made.with_ is not None and any(
            _name(end.value) == made.name and self._is_before(end, run)
            for end in self._ended
            if end.value is not run and made.with_ in self._script.ancestors(end)
        )

    def _is_before(self, node: ast.expr, other: ast.expr) -> bool:
        return self._script.span(node)[0] < self._script.span(other)[0]

    @cached_property
    def _ended(self) -> list[ast.Attribute]:
        """The places where a run ends."""
        return [
            node
            for node in self._script.nodes
            if isinstance(node, ast.Attribute) and node.attr in _ENDS and self._script.is_instance(node.value, RUN)
        ]


def _name(node: ast.AST | None) -> str | None:
    """Return how a variable or an attribute of self is spelled."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return None
