"""What the expressions of a module may be, answered on demand.

An answer follows from the bindings that reach a name, from the calls that make a value, from what a function of the
module is called with and returns. One that leads back to its own question is found by going round until nothing is
added. How many questions there may be is bounded.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Hashable
from typing import Any, Literal

from azml_compat._migrate.atoms import (
    MAX_ATOMS,
    UNKNOWN,
    Atom,
    Atoms,
    Many,
    Method,
    Own,
    Reached,
    Row,
    elements_of,
    from_container,
    instances_of,
    is_name,
    item_of,
    many_of,
    row_of,
    shown,
    union,
    values_of,
)
from azml_compat._migrate.names import (
    FACADE,
    azures,
    exported,
    given,
    is_recorded,
    is_refused,
    lookup,
    may_be_module,
    member,
    read,
)
from azml_compat._migrate.returns import Value, constructs, submits, takes
from azml_compat._migrate.scopes import Map, Scope, Source, last_name

_MAX_DEPTH = 40
"""Of questions that one leads to; each takes a few frames of python's own stack, of which it has a thousand."""
_FUEL = 5_000
"""Questions that any module may lead to, beside one for each node: what people write needs half of these."""
_NEVER_CUT = 1_000_000
_MAX_ROUNDS = 4
_MAX_CALLS = 40
"""Of a function, or settings of an attribute, that are looked at."""
_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


class Answers:
    """What expressions of a module may be."""

    def __init__(self, walked: Map) -> None:
        self._map = walked
        self._known: dict[Hashable, Atoms] = {}
        self._asked: dict[Hashable, int] = {}
        self._assumed: dict[Hashable, Atoms] = {}
        self._cut = _NEVER_CUT
        """How far up the question is that the present answer rests on an assumption about."""
        self._fuel = _FUEL + len(walked.parents)
        self._asks: dict[type, Callable[[Any], Atoms]] = {
            ast.Attribute: self._attribute,
            ast.Await: lambda node: self.of(node.value),
            ast.BoolOp: lambda node: union(map(self.of, node.values[:MAX_ATOMS])),
            ast.Call: self._call,
            ast.Constant: lambda node: () if node.value is None else UNKNOWN,
            ast.Dict: lambda node: self._listed(node.values, "dict"),
            ast.DictComp: lambda node: self._listed([node.value], "dict"),
            ast.GeneratorExp: lambda node: self._listed([node.elt]),
            ast.IfExp: lambda node: union((self.of(node.body), self.of(node.orelse))),
            ast.Lambda: lambda node: (Own(node),),
            ast.List: lambda node: self._listed(node.elts),
            ast.ListComp: lambda node: self._listed([node.elt]),
            ast.Name: self._name,
            ast.NamedExpr: lambda node: self.of(node.value),
            ast.Set: lambda node: self._listed(node.elts),
            ast.SetComp: lambda node: self._listed([node.elt]),
            ast.Subscript: self._subscript,
            ast.Tuple: self._tuple,
        }

    def of(self, node: Any) -> Atoms:
        """Return what an expression may be, the most likely first."""
        ask = self._asks.get(node.__class__)
        return UNKNOWN if ask is None else self._answer(node, ask, node)

    def path(self, node: ast.AST) -> str | None:
        """Return the path of the azureml name that a Name or Attribute, or a call of getattr, stands for."""
        if isinstance(node, ast.Name):
            return next((atom.path for atom in self.of(node) if is_name(atom) and atom.path != FACADE), None)
        if isinstance(node, ast.Attribute):
            return self.path_of(node.value, node.attr)
        if isinstance(node, ast.Call) and self.is_getattr(node):
            return self.path_of(node.args[0], node.args[1].value)  # type: ignore[attr-defined]  # seen to be a Constant
        return None

    def is_getattr(self, node: ast.Call) -> bool:
        """Tell whether a call is `getattr` with a name that is spelled out."""
        return (
            isinstance(node.func, ast.Name)
            and node.func.id == "getattr"
            and len(node.args) > 1
            and isinstance(node.args[1], ast.Constant)
            and isinstance(node.args[1].value, str)
            and self._map.bindings(node.func) is None
        )

    def _answer(self, key: Hashable, ask: Callable[[Any], Atoms], about: Any) -> Atoms:
        """Answer a question, once; one that leads back to itself is answered with what is known of it by then."""
        found = self._known.get(key)
        if found is not None:
            return found
        if key in self._asked:
            self._cut = min(self._cut, self._asked[key])
            return self._assumed.get(key, ())
        depth = len(self._asked)
        self._fuel -= 1
        if self._fuel <= 0:
            return UNKNOWN
        if depth >= _MAX_DEPTH:
            self._cut = -1
            return UNKNOWN
        above, self._cut = self._cut, _NEVER_CUT
        self._asked[key] = depth
        try:
            found = ask(about)
            for _ in range(_MAX_ROUNDS):
                if self._cut != depth or found == self._assumed.get(key, ()):
                    break
                self._assumed[key] = found
                found = union((found, ask(about)))
        finally:
            del self._asked[key]
            self._assumed.pop(key, None)
        if self._cut >= depth:
            self._known[key] = found
            self._cut = above
        else:
            self._cut = min(self._cut, above) if depth else _NEVER_CUT
        return found

    # -- names -----------------------------------------------------------------------------------------------------

    def _name(self, node: ast.Name) -> Atoms:
        bound = self._map.bindings(node)
        if bound is None:
            for module in self._map.stars(node):
                mirrored = azures(module)
                if mirrored is not None and node.id in exported(mirrored):
                    return lookup(f"{mirrored}.{node.id}")[1]
            return UNKNOWN
        scope, bindings = bound
        found = union(self._source(binding.source) for binding in bindings)
        if node.id in self._map.contents and any(isinstance(atom, Many) for atom in found):
            found = self._filled(found, self._answer(("contents", scope, node.id), self._contents, (scope, node.id)))
        return found

    def _contents(self, about: tuple[Scope, str]) -> Atoms:
        """Return what is put into the lists and dicts that a name is bound to."""
        scope, name = about
        added = self._map.contents[name][:_MAX_CALLS]
        return union(
            self._source(source)
            for target, source in added
            if isinstance(target, ast.Name) and (self._map.bindings(target) or (None,))[0] is scope
        )

    def _filled(self, found: Atoms, contents: Atoms) -> Atoms:
        return tuple(
            many_of(union((atom.items, contents)), atom.kind) if isinstance(atom, Many) else atom for atom in found
        )

    def _source(self, source: Source) -> Atoms:
        """Return what a binding gives."""
        how = source.how
        if how == "value":
            return self.of(source.node)
        if how == "import":
            return self._import(source.node)
        if how == "definition":
            return (Own(source.node),)
        if how == "parameter":
            return self._answer(source, self._parameter, source)
        if how == "exception":
            return (
                instances_of(elements_of(self.of(source.node), or_itself=True)) if source.node is not None else UNKNOWN
            )
        if how == "annotated":
            value = self._source(source.of) if source.of is not None else ()
            told = self._annotated(source.node)
            return told if told and not any(map(shown, value)) else value or UNKNOWN
        if source.of is None:
            return UNKNOWN
        of = self._source(source.of)
        if how == "element":
            return elements_of(of)
        if how == "enter":
            return union(self._entered(atom) for atom in of)
        if how == "rest":
            return (many_of(elements_of(of), "list"),)
        return union(item_of(atom, source.at) for atom in of)

    def _import(self, alias: ast.alias) -> Atoms:
        statement = self._map.parents.get(alias)
        if isinstance(statement, ast.ImportFrom):
            path = azures(f"{statement.module}.{alias.name}") if statement.module and not statement.level else None
            return lookup(path)[1] if path else UNKNOWN
        if alias.asname and alias.name != FACADE:
            path = azures(alias.name)
            return (Value(path, "module"),) if path else UNKNOWN
        root = alias.name.partition(".")[0]
        return (Value(root, "module"),) if root in ("azureml", FACADE) else UNKNOWN

    def _parameter(self, source: Source) -> Atoms:
        """Return what an argument of a function may be: by its annotation, default, and what calls of it pass."""
        argument, index = source.node, source.at
        function = source.of.node if source.of is not None else None
        if isinstance(function, ast.Lambda):
            return self._lambda_parameter(function) if index == 0 else UNKNOWN
        if function is None:
            return UNKNOWN
        owner = self._map.parents.get(function)
        is_method = isinstance(owner, ast.ClassDef) and "staticmethod" not in _decorators(function)
        if is_method and index == 0:
            return (Own(owner, "classmethod" not in _decorators(function)),)
        told = self._annotated(argument.annotation)
        if told or (argument.annotation is not None and last_name(argument.annotation) not in _VAGUE):
            return told or UNKNOWN
        found = [self.of(default)] if (default := _default(function, argument)) is not None else []
        names = [function.name]
        if is_method and function.name == "__init__":
            names.append(owner.name)  # type: ignore[union-attr]  # is_method: it is a class
        calls = [call for name in names for call in self._map.calls.get(name, ())[:_MAX_CALLS]]
        passed = [
            self._passed(call, argument.arg, index, shift)
            for call in calls
            if (shift := self._shift(call, function)) is not None
        ]
        if not passed:
            found.append(UNKNOWN)
        return self._or_taken(union([*passed, *found]), argument.arg, lambda node: self._is_of(node, function))

    def _is_of(self, node: ast.expr, function: Any) -> bool:
        bound = self._map.bindings(node)
        return bound is not None and bound[0].node is function

    def _or_taken(self, found: Atoms, name: str, concerns: Callable[[ast.expr], bool]) -> Atoms:
        """Add what something must be because of what it is passed to, where nothing else tells what it is."""
        if any(map(shown, found)) or not any(atom in UNKNOWN for atom in found):
            return found
        for call, role, node in self._map.passed.get(name, ())[:_MAX_CALLS]:
            if concerns(node):
                path = self.path(call.func)
                taken = takes(path, role) if path is not None else None
                if taken is not None:
                    return (Value(taken, "instance"), *found)
        return found

    def _lambda_parameter(self, function: ast.Lambda) -> Atoms:
        """Return what the first argument of a lambda may be that is called for each item of something."""
        above = self._map.parents.get(function)
        call = self._map.parents.get(above) if isinstance(above, ast.keyword) and above.arg == "key" else above
        if not isinstance(call, ast.Call):
            return UNKNOWN
        name = last_name(call.func)
        if call is not above and name in ("sorted", "max", "min", "groupby") and call.args:
            return elements_of(self.of(call.args[0]))
        if call is not above and name == "sort" and isinstance(call.func, ast.Attribute):
            return elements_of(self.of(call.func.value))
        if name in ("map", "filter") and len(call.args) > 1 and call.args[0] is function:
            return elements_of(self.of(call.args[1]))
        return UNKNOWN

    def _shift(self, call: ast.Call, function: Any) -> int | None:
        """Return how many arguments a call of a function passes by itself; None if it calls something else."""
        for atom in self.of(call.func):
            if isinstance(atom, Own) and atom.node is function:
                return 0
            if isinstance(atom, Method) and atom.function is function:
                return 1 if atom.through.is_instance or "classmethod" in _decorators(function) else 0
            if isinstance(atom, Own) and not atom.is_instance and self._map.parents.get(function) is atom.node:
                return 1 if getattr(function, "name", "") == "__init__" else None
        return None

    def _passed(self, call: ast.Call, name: str, index: int, shift: int) -> Atoms:
        """Return what a call passes for an argument; nothing if it leaves the default."""
        for keyword in call.keywords:
            if keyword.arg == name:
                return self.of(keyword.value)
        position = index - shift
        is_plain = not any(isinstance(argument, ast.Starred) for argument in call.args[: position + 1])
        if index >= 0 and 0 <= position < len(call.args) and is_plain:
            return self.of(call.args[position])
        return () if is_plain and all(keyword.arg for keyword in call.keywords) else UNKNOWN

    def _annotated(self, node: ast.expr | None, *, depth: int = 5) -> Atoms:
        """Return what an annotation says that something is; empty if that is nothing of azureml's."""
        if node is None or depth == 0:
            return ()
        if isinstance(node, ast.BinOp):
            return union(self._annotated(side, depth=depth - 1) for side in (node.left, node.right))
        if isinstance(node, ast.Subscript):
            name = last_name(node.value)
            inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            found = [self._annotated(one, depth=depth - 1) for one in inside[:MAX_ATOMS]]
            if name in ("Optional", "Union", "Annotated", "Final"):
                return union(found)
            items = found[-1] if name in _MAPPINGS else union(found)
            return (many_of(items, "dict" if name in _MAPPINGS else "list"),) if items and name in _CONTAINERS else ()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._answer(("annotation", node), self._quoted, node)
        if not isinstance(node, (ast.Name, ast.Attribute)):
            return ()
        return tuple(atom for atom in instances_of(self.of(node)) if atom not in UNKNOWN)

    def _quoted(self, node: ast.Constant) -> Atoms:
        """Return what an annotation in quotes says; its names are looked up in the module."""
        text = str(node.value).strip()
        if not _ANNOTATION.fullmatch(text):
            return ()
        try:
            annotation = ast.parse(text, mode="eval").body
        except SyntaxError:
            return ()
        self._map.place_at_end(annotation)
        return self._annotated(annotation)

    # -- attributes ------------------------------------------------------------------------------------------------

    def _attribute(self, node: ast.Attribute) -> Atoms:
        return union(self._get(atom, node.attr) for atom in self.of(node.value))

    def _get(self, atom: Atom, name: str) -> Atoms:
        """Return what an attribute of something may be."""
        if isinstance(atom, Value):
            if atom.kind in ("class", "instance"):
                if member(atom.path, name)[1] or name not in self._map.stored:
                    return read(atom.path, name)
                return self._stored(name, lambda target: atom in self.of(target))
            if atom.kind == "module" or may_be_module(atom.path):
                return lookup(f"{atom.path}.{name}")[1]
        if isinstance(atom, Own) and isinstance(atom.node, ast.ClassDef):
            return self._answer((atom, name), self._own_member, (atom, name))
        return UNKNOWN

    def _stored(self, name: str, concerns: Callable[[ast.expr], bool]) -> Atoms:
        """Return what an attribute is set to where `concerns` is true of what it is set on."""
        found = [
            self._source(source) for target, source in self._map.stored[name][:_MAX_CALLS] if concerns(target.value)
        ]
        return union(found) if found else UNKNOWN

    def _own_member(self, about: tuple[Own, str]) -> Atoms:
        """Return what a member of a class of the script may be, or of an instance of it."""
        own, name = about

        def is_its(node: ast.expr) -> bool:
            return isinstance(node, ast.Attribute) and any(self._is_akin(atom, own) for atom in self.of(node.value))

        scope = self._map.scopes.get(own.node)
        bindings = scope.bindings.get(name, ()) if scope is not None else ()
        found = [self._bound_to(own, binding.source) for binding in bindings]
        stored = [source for target, source in self._map.stored.get(name, ())[:_MAX_CALLS] if is_its(target)]
        found += map(self._source, stored)
        if not any(map(shown, union(found))):
            for base in self._bases(own.node):
                got = self._get(base._replace(is_instance=own.is_instance) if isinstance(base, Own) else base, name)
                if got != UNKNOWN:
                    found.append(got)
                    break
        if name in self._map.contents and any(isinstance(atom, Many) for part in found for atom in part):
            added = self._map.contents[name][:_MAX_CALLS]
            contents = union(self._source(source) for target, source in added if is_its(target))
            found = [self._filled(union(found), contents)]
        return self._or_taken(union(found) if found else UNKNOWN, name, is_its)

    def _bound_to(self, own: Own, source: Source) -> Atoms:
        function = source.node if source.how == "definition" else None
        if not isinstance(function, _Function):
            return self._source(source)
        decorators = _decorators(function)
        if decorators & {"property", "cached_property"}:
            return self._answer(("returns", function), self._returns, function)
        return (Own(function),) if "staticmethod" in decorators else (Method(function, own),)

    def _is_akin(self, atom: Atom, own: Own) -> bool:
        """Tell whether something is of a class of the script, or of a class above or below it."""
        if not isinstance(atom, Own) or not isinstance(atom.node, ast.ClassDef):
            return False
        return atom.node is own.node or any(
            isinstance(base, Own) and base.node is below
            for above, below in ((own.node, atom.node), (atom.node, own.node))
            for base in self._bases(above)
        )

    def _bases(self, node: ast.ClassDef) -> Atoms:
        return self._answer(("bases", node), lambda node: union(map(self.of, node.bases[:MAX_ATOMS])), node)

    def path_of(self, node: ast.expr, name: str) -> str | None:
        """Return the path of the azureml name that an attribute is; None if it is none, or one that the script set."""
        if name.startswith("__") and name.endswith("__"):
            return None
        known: list[str] = []
        unknown: list[str] = []
        is_doubtful = False
        for atom in self.of(node):
            path, is_known = self._member_of(atom, name)
            if path is None:
                is_doubtful = True
            else:
                (known if is_known else unknown).append(path)
        if known:
            return next((path for path in known if not is_refused(path)), known[0])
        if not unknown or is_doubtful or (name in self._map.stored and is_recorded(unknown[0])):
            return None
        return unknown[0]

    def _member_of(self, atom: Atom, name: str) -> tuple[str | None, bool]:
        """Return the path of an attribute of something, and whether azureml is known to have it."""
        if isinstance(atom, Own):
            return self._inherited(atom, name)
        if isinstance(atom, Value):
            if atom.kind in ("class", "instance"):
                return member(atom.path, name)
            if atom.kind == "module" or may_be_module(atom.path):
                path = lookup(f"{atom.path}.{name}")[0]
                return (None, False) if path.startswith(FACADE) else (path, True)
        return None, False

    def _inherited(self, own: Own, name: str) -> tuple[str | None, bool]:
        """Return the path of what a class of the script inherits of azureml's under a name."""
        if isinstance(own.node, ast.ClassDef):
            for atom in self._answer((own, name), self._own_member, (own, name)):
                if isinstance(atom, Reached):
                    return atom.path, True
            scope = self._map.scopes.get(own.node)
            if scope is not None and name not in scope.bindings and name not in self._map.stored:
                for base in self._bases(own.node):
                    if isinstance(base, Value) and member(base.path, name)[1]:
                        return member(base.path, name)[0], True
        return None, False

    # -- calls -----------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> Atoms:
        func = node.func
        name = last_name(func)
        if isinstance(func, ast.Name) and hasattr(builtins, func.id) and self._map.bindings(func) is None:
            return self._builtin(func.id, node)
        if name in _PASS_ON and node.args:
            return self.of(node.args[0])
        if name in ("import_module", "cast") and node.args:
            return self._imported(node.args[0]) if name == "import_module" else self._annotated(node.args[0]) or UNKNOWN
        if isinstance(func, ast.Attribute):
            many = [atom for atom in self.of(func.value) if isinstance(atom, (Many, Row))]
            if many:
                return union(from_container(atom, func.attr) for atom in many)
        return union(self._result(atom, node) for atom in self.of(func))

    def _result(self, atom: Atom, node: ast.Call) -> Atoms:
        """Return what calling something gives."""
        if isinstance(atom, Reached):
            name = atom.path.rpartition(".")[2]
            if name in ("submit", "submit_child"):
                config = node.args[0] if node.args else _keyword(node, "config")
                for submitted in self.of(config) if config is not None else ():
                    if isinstance(submitted, Value) and submitted.kind == "instance" and submits(submitted.path):
                        return submits(submitted.path)
            return given(atom.owner, name) or UNKNOWN
        if isinstance(atom, Value):
            if atom.kind == "class":
                return constructs(atom.path)
            module, _, name = atom.path.rpartition(".")
            return (given(module, name) if atom.kind == "function" else ()) or UNKNOWN
        if isinstance(atom, Method):
            return self._answer(("returns", atom.function), self._returns, atom.function)
        if isinstance(atom, Own) and not atom.is_instance:
            if isinstance(atom.node, ast.ClassDef):
                return (Own(atom.node, is_instance=True),)
            return self._answer(("returns", atom.node), self._returns, atom.node)
        return UNKNOWN

    def _returns(self, function: Any) -> Atoms:
        """Return what a function of the script gives when it is called."""
        yielded = self._map.yielded.get(function)
        if yielded:
            return (many_of(union(map(self.of, yielded[:_MAX_CALLS])), "list"),)
        found = union(map(self.of, self._map.returned.get(function, ())[:_MAX_CALLS]))
        return found if any(map(shown, found)) else self._annotated(getattr(function, "returns", None)) or found

    def _builtin(self, name: str, node: ast.Call) -> Atoms:
        arguments = node.args
        if name == "super":
            return self._super(node)
        if name == "__import__" and arguments:
            return (Value("azureml", "module"),) if self._imported(arguments[0]) != UNKNOWN else UNKNOWN
        if name == "getattr" and self.is_getattr(node):
            found = [self._get(atom, arguments[1].value) for atom in self.of(arguments[0])]  # type: ignore[attr-defined]
            return union([*found, *map(self.of, arguments[2:3])])
        if name in ("list", "sorted", "reversed", "iter", "tuple", "set", "frozenset", "filter"):
            return (many_of(elements_of(self.of(arguments[-1])) if arguments else (), "list"),)
        if name == "dict":
            given = union(self.of(argument) for argument in arguments[:1])
            return (many_of(union((values_of(given), *(self.of(keyword.value) for keyword in node.keywords))), "dict"),)
        if name in ("next", "min", "max") and len(arguments) in (1, 2):
            return elements_of(self.of(arguments[0]))
        if name == "enumerate" and arguments:
            return (many_of((row_of((UNKNOWN, elements_of(self.of(arguments[0])))),), "list"),)
        if name == "zip" and arguments:
            columns = tuple(elements_of(self.of(argument)) for argument in arguments[:MAX_ATOMS])
            return (many_of((row_of(columns),), "list"),)
        return UNKNOWN

    def _super(self, node: ast.AST) -> Atoms:
        around = self._map.parents.get(node)
        while around is not None and not isinstance(around, ast.ClassDef):
            around = self._map.parents.get(around)
        if around is None:
            return UNKNOWN
        return tuple(
            atom._replace(kind="instance") if isinstance(atom, Value) else atom for atom in self._bases(around)
        )

    def _imported(self, node: ast.expr) -> Atoms:
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        path = azures(text)
        return (Value(path, "module"),) if path else UNKNOWN

    # -- containers ------------------------------------------------------------------------------------------------

    def _listed(self, nodes: list[Any], kind: Literal["list", "dict"] = "list") -> Atoms:
        parts = [
            elements_of(self.of(node.value)) if isinstance(node, ast.Starred) else self.of(node)
            for node in nodes[:_MAX_CALLS]
            if node is not None
        ]
        return (many_of(union(parts), kind),)

    def _tuple(self, node: ast.Tuple) -> Atoms:
        if len(node.elts) > MAX_ATOMS or any(isinstance(item, ast.Starred) for item in node.elts):
            return self._listed(node.elts)
        return (row_of(tuple(map(self.of, node.elts))),)

    def _subscript(self, node: ast.Subscript) -> Atoms:
        index = node.slice.value if isinstance(node.slice, ast.Constant) else None
        found = []
        for atom in self.of(node.value):
            if isinstance(node.slice, ast.Slice) and isinstance(atom, (Many, Row)):
                found.append((many_of(elements_of((atom,)), "list"),))
            elif isinstance(atom, Row) and isinstance(index, int):
                found.append(item_of(atom, index))
            else:
                found.append(values_of((atom,)))
        return union(found)

    def _entered(self, atom: Atom) -> Atoms:
        """Return what `with` gives of something."""
        if isinstance(atom, Own) and atom.is_instance:
            found = self._get(atom, "__enter__")
            return union(self._result(one, _NO_CALL) for one in found) if found != UNKNOWN else (atom,)
        if isinstance(atom, Many):
            return atom.items  # a generator with the decorator contextmanager
        return (atom,)


_NO_CALL = ast.Call(func=ast.Name(id="", ctx=ast.Load()), args=[], keywords=[])
_PASS_ON = frozenset({"closing", "copy", "deepcopy", "nullcontext", "tqdm", "trange"})
"""Functions, whatever library they are from, that give what they are given, or the like of it."""
_ANNOTATION = re.compile(r"[A-Za-z_][\w., |\[\]]{0,200}")
"""What an annotation in quotes looks like."""
_VAGUE = frozenset({"Any", "object"})
_MAPPINGS = frozenset({"Dict", "dict", "Mapping", "MutableMapping", "DefaultDict", "OrderedDict"})
_CONTAINERS = _MAPPINGS | {
    "List",
    "list",
    "Set",
    "set",
    "Sequence",
    "Iterable",
    "Iterator",
    "Generator",
    "Collection",
    "Tuple",
    "tuple",
}


def _decorators(function: Any) -> set[str | None]:
    return {last_name(node) for node in getattr(function, "decorator_list", ())}


def _keyword(node: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in node.keywords if keyword.arg == name), None)


def _default(function: Any, argument: ast.arg) -> ast.expr | None:
    """Return the default of an argument, if it has one."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + arguments.defaults
    pairs = [*zip(positional, defaults, strict=False), *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=False)]
    return next((default for one, default in pairs if one is argument), None)
