"""What of a module can be rewritten, and what stands against it: each run and experiment is looked at where it is."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from azml_compat._migrate.to_mlflow import (
    children,
    ending,
    files,
    images,
    json_metrics,
    leaving,
    lists,
    models,
    reading,
    rows,
    runs,
    scalars,
    tags,
    workspace,
)
from azml_compat._migrate.to_mlflow.forms import CONTEXT
from azml_compat._migrate.to_mlflow.script import EXPERIMENT, RUN, TRACKED, WORKSPACE, Left, string
from azml_compat._migrate.to_mlflow.site import Plan, Rule, Site, quoted

_RUN_FAMILIES = (
    scalars,
    lists,
    rows,
    images,
    json_metrics,
    tags,
    files,
    models,
    children,
    reading,
    ending,
)
_RUN_MEMBERS: dict[str, tuple[str, Rule]] = {
    name: (family.RULE, rule) for family in _RUN_FAMILIES for name, rule in family.MEMBERS.items()
}
_EXPERIMENT_MEMBERS: dict[str, tuple[str, Rule]] = {
    "start_logging": (runs.RULE, runs.start_logging),
    **{name: (workspace.RULE, rule) for name, rule in workspace.EXPERIMENT_MEMBERS.items()},
}
_MEMBERS = {RUN: _RUN_MEMBERS, EXPERIMENT: _EXPERIMENT_MEMBERS}
_MADE_BY_MEMBERS = {f"{owner}.{name}" for owner, members in _MEMBERS.items() for name in members}
_READ = ("id", "_run_id", "name", "status", "tags", "properties", "parent", "experiment", "display_name")
"""The members that are no methods."""
_SERIES = ("log", "log_list", "log_row", "log_table")
_TAKES_ANY = {
    "print",
    "str",
    "repr",
    "display",
    "len",
    "list",
    "tuple",
    "enumerate",
    "zip",
    "reversed",
    "next",
    "iter",
    "bool",
    "id",
    "type",
    "isinstance",
}
"""Builtins that take a run, or a list of runs, whatever it is."""
_ANNOTATED = (ast.arg, ast.AnnAssign, ast.FunctionDef, ast.AsyncFunctionDef)
_PLAIN_CLASSES = {RUN: "mlflow.entities.Run", EXPERIMENT: "mlflow.entities.Experiment"}


class Survey:
    """All that is to be done with a module, if nothing stands against it.

    Attributes:
        left: What stands against it: the place, and why.
        deleted: The statements that go, with the rule.
        rules: The rule of each node that has a new text.
        has_tracked: Whether there are runs or experiments at all.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._script = plan.script
        self._resolution = plan.script.resolution
        self.left: list[tuple[ast.AST, Left]] = []
        self.deleted: dict[ast.stmt, str] = {}
        self.rules: dict[ast.AST, str] = {}
        self.has_tracked = False
        self._look_at_module()

    def _look_at_module(self) -> None:
        """Find what is to be replaced, and what stands against it."""
        script = self._script
        for node in script.nodes:
            if isinstance(node, ast.Call) and script.resolution.path(node) == EXPERIMENT:
                self._plan.experiment_calls.append(node)
        tracked = [node for node in script.nodes if self._is_tracked(node)]
        self._plan.has_outputs = runs.makes_outputs(self._plan)
        self._plan.has_series = any(self._is_series(node) for node in script.nodes)
        for node in tracked:
            self._attempt(node, self._look_at)
        for use in self._resolution.uses:
            if use.is_of_module and use.path in TRACKED and isinstance(use.node, ast.expr):
                self._attempt(use.node, self._look_at_class)
            elif use.is_of_module and use.path.endswith("._OfflineRun") and tracked:
                self._attempt(use.node, self._look_at_offline_class)
            elif use.kind == "string" and use.path.startswith(TRACKED):
                self._leave(use.node, leaving.NOT_UNDERSTOOD, "a tracking call that is spelled as a string")
            elif use.kind == "import" and tracked and self._is_guarded(use.node):
                self._leave(
                    use.node, leaving.NOT_UNDERSTOOD, "an import that may fail, so that the script has two ways"
                )
        if tracked and (found := self._started_by_mlflow()) is not None:
            self._leave(
                found, leaving.NOT_UNDERSTOOD, "the script starts runs of MLflow by itself: which call is for which?"
            )
        self._look_at_models()
        self.has_tracked = bool(tracked)
        if tracked:
            self._look_at_workspaces()
            self._look_at_attempts()
            self._look_at_quoted_classes()

    def rule(self, node: ast.AST) -> str:
        """Return the rule of what is replaced or deleted."""
        return self.rules[node] if node in self.rules else self.deleted[self._script.statement(node)]

    def _is_tracked(self, node: ast.AST) -> bool:
        if not isinstance(node, (ast.Name, ast.Attribute, ast.Call, ast.Subscript)):
            return False
        if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
            return False
        return self._script.is_instance(node, *TRACKED) or self._script.is_collection(node, *TRACKED)

    def _is_series(self, node: ast.AST) -> bool:
        """Tell whether a call logs what has to be remembered until the run ends."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return False
        if node.func.attr not in _SERIES or not self._script.is_instance(node.func.value, RUN):
            return False
        site = Site(self._plan, node.func, node, scalars.RULE)
        try:
            family = {"log": scalars, "log_list": lists}.get(node.func.attr)
            return family is None or not family.is_direct(site)
        except Left:
            return True

    def _attempt(self, node: ast.AST, look: Callable[[Any], None]) -> None:
        try:
            look(node)
        except Left as left:
            self.left.append((node, left))

    def _leave(self, node: ast.AST, rule: str, message: str) -> None:
        self.left.append((node, Left(rule, message)))

    def _replace(self, node: ast.AST, rule: str, make: Callable[[], str]) -> None:
        self._script.replacements[node] = make
        self.rules[node] = rule

    def _look_at(self, node: ast.AST) -> None:
        """Plan what becomes of an expression that is a run or an experiment, or a list of them."""
        script = self._script
        assert isinstance(node, ast.expr)
        if not script.is_certain(node):
            raise Left(leaving.NOT_UNDERSTOOD, "this is a run of Azure's in some cases only")
        if isinstance(node, ast.Call):
            self._look_at_creation(node)
        elif isinstance(node, ast.Attribute):
            self._look_at_attribute(node)
        parent = script.parent(node)
        if isinstance(parent, ast.Attribute) and script.is_instance(node, *TRACKED):
            self._look_at_member(node, parent)
        else:
            self._look_at_place(node, parent)

    def _look_at_creation(self, call: ast.Call) -> None:
        path = self._script.resolution.path(call) or ""
        if path in CONTEXT:
            assert isinstance(call.func, ast.Attribute)
            self._rewrite(Site(self._plan, call.func, call, runs.RULE), runs.get_context)
        elif path == EXPERIMENT:
            self._replace(call, workspace.RULE, lambda: workspace.set_experiment(self._plan, call))
        elif path in (RUN, f"{RUN}.get"):
            self._replace(call, reading.RULE, lambda: reading.existing_run(self._plan, call))
        elif path.startswith("azureml.") and path not in _MADE_BY_MEMBERS:
            raise Left(leaving.NO_EQUIVALENT, leaving.reason(path))

    def _look_at_attribute(self, node: ast.Attribute) -> None:
        """See that an attribute is one in which the script has put the run."""
        path = self._resolution.path(node) or ""
        if path.startswith("azureml.") and not path.startswith(TRACKED):
            raise Left(leaving.NO_EQUIVALENT, leaving.reason(path))
        if node.attr in self._own_properties:
            raise Left(leaving.NOT_UNDERSTOOD, "a run is what a property gives")

    @cached_property
    def _own_properties(self) -> set[str]:
        return {
            node.name
            for node in self._script.nodes
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.decorator_list
        }

    def _look_at_member(self, node: ast.expr, member: ast.Attribute) -> None:
        value = self._resolution.value(node)
        assert value is not None
        around = self._script.parent(member)
        if isinstance(member.ctx, ast.Store):
            setter = reading.SETTERS.get(member.attr) if value.path == RUN else None
            if setter is None or not isinstance(around, ast.Assign) or len(around.targets) > 1:
                raise Left(reading.RULE, f"`{member.attr}` of a run is set")
            site = Site(self._plan, member, None, tags.RULE)
            self._replace(around, tags.RULE, lambda: setter(site, around.value))
            return
        call = around if isinstance(around, ast.Call) and around.func is member else None
        found = _MEMBERS[value.path].get(member.attr)
        if found is None:
            raise Left(leaving.NO_EQUIVALENT, leaving.reason(f"{value.path}.{member.attr}"))
        rule, function = found
        is_method = member.attr not in _READ
        if is_method != (call is not None):
            raise Left(rule, f"`{member.attr}` is used without calling it, or called")
        site = Site(self._plan, member, call, rule)
        subscript = self._script.parent(site.node)
        key = string(subscript.slice) if isinstance(subscript, ast.Subscript) else None
        if member.attr == "get_details" and key is not None and (text := reading.detail(site, key)) is not None:
            self._replace(subscript, rule, lambda: text)  # type: ignore[arg-type]  # it is a subscript
        else:
            self._rewrite(site, function)

    def _rewrite(self, site: Site, function: Rule) -> None:
        if site.member.attr in ("flush", "wait_for_completion") and site.is_statement:
            self.deleted[self._script.statement(site.node)] = site.rule
        else:
            self._replace(site.node, site.rule, lambda: function(site))

    def _look_at_place(self, node: ast.expr, parent: ast.AST | None) -> None:
        """See that a run may stand where it does, whatever class it is of."""
        script = self._script
        while isinstance(parent, (ast.IfExp, ast.BoolOp, ast.NamedExpr)):
            node, parent = parent, script.parent(parent)
        if isinstance(parent, ast.withitem):
            if not isinstance(node, ast.Call):
                text = runs.entered(self._plan, node)
                if text is not None:
                    self._replace(node, runs.RULE, lambda: text)
            return
        if isinstance(parent, (ast.Call, ast.keyword, ast.Starred)):
            call = script.parent(parent) if isinstance(parent, (ast.keyword, ast.Starred)) else parent
            if isinstance(call, ast.Call) and self._takes(call):
                return
            if isinstance(call, ast.Call) and self._is_widget(call):
                self.deleted[script.statement(call)] = reading.RULE
                return
            raise Left(leaving.NOT_UNDERSTOOD, "a run is given to code that is not in this file")
        if isinstance(parent, (ast.List, ast.Tuple, ast.Set, ast.Dict)) and not self._is_unpacked(parent):
            raise Left(leaving.NOT_UNDERSTOOD, "a run is kept in a container")
        if isinstance(parent, ast.Assign) and any(map(self._is_taken, parent.targets)):
            raise Left(leaving.NOT_UNDERSTOOD, "another file uses this run")
        if isinstance(parent, ast.Assign) and not all(map(self._holds, parent.targets)):
            raise Left(leaving.NOT_UNDERSTOOD, "a run is kept in a container, or in an object of another kind")
        giving = script.parent(parent) if isinstance(parent, ast.Tuple) else parent
        if isinstance(giving, (ast.Return, ast.Yield)) and not self._is_called(script.function(node)):
            raise Left(leaving.NOT_UNDERSTOOD, "a run is returned to code that is not in this file")
        if isinstance(parent, (ast.Lambda, ast.Await, ast.Delete)):
            raise Left(leaving.NOT_UNDERSTOOD, "a run is used in a way that is not understood")

    def _is_taken(self, target: ast.expr) -> bool:
        """Tell whether another file uses what a run is assigned to: a variable of the module, or an attribute."""
        if isinstance(target, ast.Name):
            return self._script.function(target) is None and target.id in self._plan.taken
        return isinstance(target, ast.Attribute) and f".{target.attr}" in self._plan.taken

    def _holds(self, target: ast.expr) -> bool:
        """Tell whether a run that is assigned is found again: in a variable, or in an object of the script."""
        if isinstance(target, ast.Attribute):
            return isinstance(target.value, ast.Name) and target.value.id in ("self", "cls", *self._own_names)
        return isinstance(target, (ast.Name, ast.Tuple))

    def _is_called(self, function: ast.AST | None) -> bool:
        """Tell whether a function is used in the module and by no other, so that what it takes and gives is known."""
        name = self._called_as(function)
        return name in self._mentioned and name not in self._plan.taken

    def _called_as(self, function: ast.AST | None) -> str:
        """Return the name by which a function is called: that of the class where it makes objects of one."""
        name = getattr(function, "name", "")
        if name == "__init__" and function is not None:
            name = getattr(self._script.parent(function), "name", "")
        return name

    def _is_given_tracked(self, argument: ast.arg) -> bool:
        """Tell whether all calls of a function are in the module, and give an argument what is rewritten too."""
        function = self._script.function(argument)
        if not self._is_called(function) or isinstance(function, ast.Lambda):
            return False
        calls = [node for node in self._script.nodes if isinstance(node, ast.Call) and self._calls(node, function)]
        given = [value for call in calls for value in _given(call, function, argument)]  # type: ignore[arg-type]  # it is a def
        return all(self._is_tracked(value) or _is_none(value) for value in given)

    def _calls(self, call: ast.Call, function: ast.AST | None) -> bool:
        """Tell whether a call may be one of a function."""
        return self._called_as(function) in (getattr(call.func, "id", None), getattr(call.func, "attr", None))

    @cached_property
    def _mentioned(self) -> set[str]:
        attributes = {node.attr for node in self._script.nodes if isinstance(node, ast.Attribute)}
        return attributes | set(self._script.loads)

    def _is_unpacked(self, node: ast.AST) -> bool:
        parent = self._script.parent(node)
        if isinstance(parent, ast.Assign):
            return isinstance(node, ast.Tuple) and all(isinstance(target, ast.Tuple) for target in parent.targets)
        return isinstance(node, ast.Tuple) and isinstance(parent, (ast.Return, ast.Yield, ast.Expr))

    def _is_widget(self, call: ast.Call) -> bool:
        """Tell whether a statement is `RunDetails(run).show()`, which MLflow's UI stands in for."""
        if not (self._resolution.path(call) or "").startswith("azureml.widgets."):
            return False
        member = self._script.parent(call)
        shown = self._script.parent(member) if isinstance(member, ast.Attribute) and member.attr == "show" else None
        return isinstance(shown, ast.Call) and isinstance(self._script.parent(shown), ast.Expr)

    def _takes(self, call: ast.Call) -> bool:
        """Tell whether a call takes a run of any class: one of builtins, of the module itself, or of azureml."""
        path = self._resolution.path(call)
        if path is not None:
            return path in (RUN, EXPERIMENT)
        func = call.func
        if isinstance(func, ast.Name):
            return func.id in _TAKES_ANY or func.id in self._own_names
        if isinstance(func, ast.Attribute):
            return func.attr in ("format", "info", "debug", "warning") or (
                func.attr in self._own_names and not self._is_imported(func)
            )
        return False

    def _is_imported(self, func: ast.Attribute) -> bool:
        root: ast.expr = func
        while isinstance(root, ast.Attribute):
            root = root.value
        return isinstance(root, ast.Name) and root.id in self._imported

    @cached_property
    def _own_names(self) -> set[str]:
        return {
            node.name
            for node in self._script.nodes
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        }

    @cached_property
    def _imported(self) -> set[str]:
        return {
            alias.asname or alias.name.partition(".")[0]
            for node in self._script.nodes
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names
        }

    def _look_at_class(self, node: ast.AST) -> None:
        """Plan what becomes of a class that is mentioned: in an annotation, or in `isinstance`."""
        parent = self._script.parent(node)
        path = self._resolution.path(node) or ""
        if isinstance(parent, ast.Attribute) or (isinstance(parent, ast.Call) and parent.func is node):
            return
        if isinstance(parent, ast.Call) and _is_isinstance(parent) and not self._is_tracked(parent.args[0]):
            raise Left(leaving.NOT_UNDERSTOOD, "what is looked at may come from code that is not in this file")
        if self._is_annotation(node):
            self._check_annotation(node)
        if self._is_annotation(node) or (isinstance(parent, ast.Call) and _is_isinstance(parent)):
            self._replace(node, runs.RULE, lambda: _PLAIN_CLASSES[path])
            return
        raise Left(leaving.NOT_UNDERSTOOD, "a class of Azure's is used in a way that is not understood")

    def _check_annotation(self, node: ast.AST) -> None:
        """See that what is annotated as a run is one that is rewritten too.

        Raises:
            Left: it may come from code that is not in this file.
        """
        around = next(found for found in self._script.ancestors(node) if isinstance(found, _ANNOTATED))
        if isinstance(around, ast.arg):
            is_known = self._is_given_tracked(around)
        elif isinstance(around, ast.AnnAssign):
            is_known = around.value is not None and self._is_tracked(around.value)
        else:
            given = [found.value for found in ast.walk(around) if isinstance(found, (ast.Return, ast.Yield))]
            is_known = all(value is None or _is_none(value) or self._is_tracked(value) for value in given)
        if not is_known:
            raise Left(leaving.NOT_UNDERSTOOD, "a run comes from code that is not in this file")

    def _look_at_offline_class(self, node: ast.AST) -> None:
        """Plan what becomes of a test for Azure's offline run: a run is always tracked, so that it is none."""
        test = self._script.parent(node)
        if isinstance(test, ast.Call) and _is_isinstance(test):
            self._replace(test, runs.RULE, lambda: "False")
        elif isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.left, ast.Call):
            is_other = isinstance(test.ops[0], (ast.NotEq, ast.IsNot))
            self._replace(test, runs.RULE, lambda: str(is_other))
        else:
            raise Left(
                leaving.NOT_UNDERSTOOD, "the class of Azure's offline run is used in a way that is not understood"
            )

    def _is_annotation(self, node: ast.AST) -> bool:
        child = node
        for around in self._script.ancestors(node):
            if isinstance(around, ast.arg) or (isinstance(around, ast.AnnAssign) and around.annotation is child):
                return True
            if isinstance(around, (ast.FunctionDef, ast.AsyncFunctionDef)):
                return around.returns is child
            if isinstance(around, ast.stmt):
                return False
            child = around
        return False

    def _is_guarded(self, node: ast.AST) -> bool:
        return any(isinstance(around, ast.Try) for around in self._script.ancestors(node))

    def _started_by_mlflow(self) -> ast.AST | None:
        return next(
            (
                node
                for node in self._script.nodes
                if isinstance(node, ast.Attribute)
                and node.attr in ("start_run", "create_run")
                and isinstance(node.value, ast.Name)
                and "mlflow" in node.value.id.lower()
            ),
            None,
        )

    def _look_at_models(self) -> None:
        """Plan what becomes of the models that runs register."""
        script = self._script
        found = [node for node in script.nodes if script.is_instance(node, models.MODEL)]
        calls = [node for node in found if isinstance(node, ast.Call)]
        registered = [call for call in calls if self._resolution.path(call) == f"{RUN}.register_model"]
        if len(registered) < len(calls):  # models of Azure's are there as well, so that none of ours may be read
            found = [call for call in registered if not isinstance(script.parent(call), ast.Expr)]
            for call in found:
                self._leave(call, models.RULE, "a model is read in a script that has models of Azure's as well")
        for node in found if registered and len(registered) == len(calls) else ():
            if not isinstance(getattr(node, "ctx", None), ast.Store):
                self._attempt(node, self._look_at_model)

    def _look_at_model(self, node: ast.expr) -> None:
        script = self._script
        parent = script.parent(node)
        if isinstance(parent, ast.Attribute):
            if models.is_replaced(parent):
                self._replace(parent, models.RULE, lambda: models.model_id(script, parent))
        elif isinstance(parent, ast.Call) and not (isinstance(parent.func, ast.Name) and parent.func.id in _TAKES_ANY):
            raise Left(models.RULE, "a model is given to code that takes one of Azure's")
        elif not isinstance(parent, (ast.Assign, ast.Expr, ast.FormattedValue, ast.Return, ast.Call)):
            raise Left(models.RULE, "a model is used in a way that is not understood")

    # -- workspaces ------------------------------------------------------------------------------------------------

    def _look_at_workspaces(self) -> None:
        """Have the workspace go where it was there for an experiment alone, and statements that only show it."""
        script = self._script
        shown = [
            script.statement(use.node)
            for use in self._resolution.uses
            if use.kind != "import" and isinstance(use.node, ast.expr) and not use.path.startswith(TRACKED)
        ]
        others = {
            script.statement(use.node)
            for use in self._resolution.uses
            if isinstance(use.node, ast.AST) and use.kind != "import" and not workspace.is_fact(use.path)
        }
        self.deleted |= {
            node: workspace.RULE
            for node in shown
            if node not in others and node not in self.deleted and workspace.only_shows(self._plan, node)
        }
        if any(not self._is_going(node) for node, _, _ in self.all_left()):
            # The workspace, and what shows it, has a meaning still.
            self.deleted = {node: rule for node, rule in self.deleted.items() if rule != workspace.RULE}
        kept = [node for node in script.nodes if self._is_needed_workspace(node)]
        for node in script.nodes:
            if isinstance(node, ast.Assign) and script.is_instance(node.value, WORKSPACE):
                target = node.targets[0] if len(node.targets) == 1 else None
                if isinstance(target, ast.Name) and not any(
                    isinstance(use, ast.Name) and use.id == target.id for use in kept
                ):
                    self.deleted[node] = workspace.RULE
        for node in script.nodes:
            if isinstance(node, ast.Assign) and self._is_for_workspaces_alone(node):
                self.deleted[node] = workspace.RULE
        for node in script.nodes:
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.value, ast.Call)
                and node.value in self._plan.experiment_calls
            ):
                self._look_at_experiment(node, node.value)

    def _is_for_workspaces_alone(self, statement: ast.Assign) -> bool:
        """Tell whether a statement makes an authentication that is given to workspaces which go, or to nobody."""
        target = statement.targets[0] if len(statement.targets) == 1 else None
        if not isinstance(target, ast.Name) or not self._is_authentication(statement.value):
            return False
        return all(self._script.statement(use) in self.deleted for use in self._script.loads.get(target.id, []))

    def _is_authentication(self, node: ast.AST) -> bool:
        value = self._resolution.value(node) if isinstance(node, ast.expr) else None
        return value is not None and value.kind == "instance" and value.path.startswith(workspace.AUTHENTICATION)

    def _look_at_attempts(self) -> None:
        """Have a `try` go of which nothing would be left."""
        for node in self._script.nodes:
            if isinstance(node, ast.Try):
                handlers = [statement for handler in node.handlers for statement in handler.body]
                inside = [*node.body, *handlers, *node.orelse, *node.finalbody]
                if all(statement in self.deleted or isinstance(statement, ast.Pass) for statement in inside):
                    self.deleted[node] = workspace.RULE

    def _look_at_quoted_classes(self) -> None:
        """Plan what becomes of a class in quotes, as an annotation."""
        classes = {
            use.node.asname or use.node.name: use.path
            for use in self._resolution.uses
            if isinstance(use.node, ast.alias) and use.path in _PLAIN_CLASSES
        }
        for node in self._script.nodes:
            path = classes.get(string(node) or "")
            if path is not None and self._is_annotation(node):
                self._attempt(node, self._check_annotation)
                self._replace(node, runs.RULE, functools.partial(quoted, _PLAIN_CLASSES[path]))

    def _is_needed_workspace(self, node: ast.AST) -> bool:
        if not isinstance(node, (ast.Name, ast.Attribute)) or isinstance(node.ctx, ast.Store):
            return False
        if not self._script.is_instance(node, WORKSPACE):
            return False
        around = [node, *self._script.ancestors(node)]
        if any(found in self.deleted for found in around):
            return False
        parent = self._script.parent(node)
        call = self._script.parent(parent) if isinstance(parent, ast.keyword) else parent
        return not (isinstance(call, ast.Call) and self._resolution.path(call) in (EXPERIMENT, f"{RUN}.get"))

    def _look_at_experiment(self, statement: ast.Assign, call: ast.Call) -> None:
        """Have the variable of an experiment go where nothing of it is needed."""
        target = statement.targets[0] if len(statement.targets) == 1 else None
        if isinstance(target, ast.Name) and not any(
            isinstance(node, ast.Name)
            and node.id == target.id
            and isinstance(node.ctx, ast.Load)
            and self._needs_experiment(node)
            for node in self._script.nodes
        ):
            self._replace(statement, workspace.RULE, lambda: self._script.new(call))

    def _needs_experiment(self, node: ast.Name) -> bool:
        member = self._script.parent(node)
        call = self._script.parent(member) if isinstance(member, ast.Attribute) else None
        if not isinstance(call, ast.Call) or not isinstance(member, ast.Attribute) or member.attr != "start_logging":
            return True
        forms = self._plan.forms
        made = next((found for found in forms.creations if found.call is call), None)
        is_natural = made is not None and (forms.top is made or forms.is_nested(made))
        return not is_natural or not runs.is_of_the_experiment(Site(self._plan, member, call, runs.RULE))

    # -- what is left ---------------------------------------------------------------------------------------------

    def all_left(self) -> Iterator[tuple[ast.AST, str, str]]:
        """Yield (place, rule, message) for all that is left: what stands against it, and what has no equivalent."""
        for node, left in self.left:
            yield node, left.rule, left.message
        left_nodes = {node for node, _ in self.left}
        for node, message in leaving.without_equivalent(self._script):
            if node not in left_nodes and not self._is_known(node):
                yield node, leaving.NO_EQUIVALENT, message

    def _is_known(self, node: ast.AST) -> bool:
        """Tell whether a use is one that could be rewritten, were all of them."""
        if node in self._script.replacements or any(found in self.deleted for found in self._script.ancestors(node)):
            return True
        path = self._resolution.path(node) or ""
        if path.startswith(TRACKED) or (path.endswith("._OfflineRun") and self._is_in_replacement(node)):
            return True
        value = self._resolution.value(node) if isinstance(node, ast.expr) else None
        return value is not None and value.path == WORKSPACE and self._is_argument_of_experiment(node)

    def _is_in_replacement(self, node: ast.AST) -> bool:
        return any(around in self._script.replacements for around in self._script.ancestors(node))

    def _is_going(self, node: ast.AST) -> bool:
        is_alone = self._script.is_instance(node, WORKSPACE) or self._is_authentication(node)
        return is_alone or self._script.statement(node) in self.deleted

    def _is_argument_of_experiment(self, node: ast.AST) -> bool:
        parent = self._script.parent(node)
        call = self._script.parent(parent) if isinstance(parent, ast.keyword) else parent
        return isinstance(call, ast.Call) and self._resolution.path(call) == EXPERIMENT


def _given(call: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef, argument: ast.arg) -> Iterator[ast.expr]:
    """Yield what a call may give an argument of a function."""
    named = next((keyword.value for keyword in call.keywords if keyword.arg == argument.arg), None)
    if named is not None:
        yield named
        return
    yield from (keyword.value for keyword in call.keywords if keyword.arg is None)
    positional = [*function.args.posonlyargs, *function.args.args]
    starred = next((value for value in call.args if isinstance(value, ast.Starred)), None)
    if starred is not None:
        yield starred
    elif argument in positional:
        index = positional.index(argument)
        # The object of a method is no argument of its call, but where the call is one of a class.
        is_method = bool(positional) and positional[0].arg in ("self", "cls")
        index -= is_method
        if index < len(call.args):
            yield call.args[index]


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_isinstance(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "isinstance"
