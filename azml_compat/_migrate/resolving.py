"""What in a module is azureml's: each use of a name of the Azure ML SDK, whatever way the script got at it.

    resolve(ast.parse("from azureml.core import Run as R; R.get_context().log('loss', 1)")).uses

A script is not run and no other module is read. One walk notes where each name is bound (`scopes`), and the rest is
answered on demand: what an expression is follows from the bindings that reach it, their values from the calls that make
them (`returns`), arguments from the calls of a function in the same module. In a scope the order of the statements
counts; a function sees all that the names around it are ever bound to, as nobody knows when it is called.

What an answer costs is bounded: a tree of any shape and size is resolved, the worst of it in part.
"""

from __future__ import annotations

import ast
import builtins
import functools
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, Literal, NamedTuple

from azml_compat._migrate.returns import (
    EXPORTED,
    Value,
    ancestry,
    constructs,
    gives,
    is_listed,
    located,
    submits,
    takes,
)
from azml_compat._migrate.scopes import Map, Scope, Source, last_name
from azml_compat._support import support_of
from azml_compat._surface import class_at, public_names, surface

__all__ = ["Resolution", "Use", "Value", "resolve"]


class Use(NamedTuple):
    """One use of an azureml name.

    Attributes:
        node: An alias of an import; a Name or Attribute that is read, set or deleted; a Call; or the Constant or Call
            in which a name is spelled as a string.
        path: Where the name lives, of a member with the class that defines it: `azureml.core.run.Run.log`. An import
            of all names of a module has the module.
        kind: `name` for a class, function or constant that is mentioned and not called, `attribute` for such a member,
            `string` for what `mock.patch`, `import_module` and the like are given.
    """

    node: ast.AST
    path: str
    kind: Literal["import", "name", "call", "attribute", "string"]


class Resolution:
    """What is known of a module.

    Attributes:
        tree: The module.
        uses: All uses of azureml names, in the order of their places.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self._map = Map(tree)
        self._answers = _Answers(self._map)
        self.uses = sorted(_uses(self._map, self._answers), key=lambda use: place_of(use.node))

    def value(self, node: ast.expr) -> Value | None:
        """Say what an expression is; None where it is nothing of azureml's, or not known.

        Where it may be one of several, this is the one that is bound last.
        """
        return next(filter(None, map(_shown, self._answers.of(node))), None)

    def values(self, node: ast.expr) -> set[Value | None]:
        """Return all that an expression may be; None among it stands for what is not azureml's, or not known."""
        return {_shown(atom) for atom in self._answers.of(node)}

    def is_certain(self, node: ast.expr) -> bool:
        """Tell whether an expression can be nothing but what `value` says, or None."""
        found = self.values(node)
        return len(found) == 1 and None not in found

    def path(self, node: ast.AST) -> str | None:
        """Say which azureml name a Name, an Attribute, or what a Call calls, stands for; None for all else."""
        if isinstance(node, ast.Call) and not self._answers.is_getattr(node):
            node = node.func
        return self._answers.path(node)

    def parent(self, node: ast.AST) -> ast.AST | None:
        """Return the node that a node is a child of; None for the module."""
        return self._map.parents.get(node)


def resolve(tree: ast.Module) -> Resolution:
    """Find out what in a module is azureml's.

    Args:
        tree: As `ast.parse` makes it; it is not changed.
    """
    return Resolution(tree)


def place_of(node: ast.AST) -> tuple[int, int]:
    """Return the line and column (as in `ast`: from 1, and from 0 in bytes of UTF-8) of a use, for a person to look at.

    Of an attribute, and of a call of one, it is the place of its name: the beginning of `a.b(1).c(2)` says little.
    """
    named = node.func if isinstance(node, ast.Call) else node
    if isinstance(named, ast.Attribute):
        line, column = getattr(named, "end_lineno", None), getattr(named, "end_col_offset", None)
        if line is not None and column is not None:
            return line, max(column - len(named.attr.encode(errors="replace")), 0)
    return getattr(node, "lineno", 1), getattr(node, "col_offset", 0)


# -- what an expression may be -------------------------------------------------------------------------------------


class _Constant(NamedTuple):
    """A constant of a module of azureml's."""

    path: str


class _Reached(NamedTuple):
    """A method of azureml's, with the class that it was got through."""

    path: str
    owner: str


class _Own(NamedTuple):
    """A function or class of the script itself, or an instance of such a class."""

    node: Any
    is_instance: bool = False


class _Method(NamedTuple):
    """A method of a class of the script, got through the class or an instance."""

    function: Any
    through: _Own


class _Many(NamedTuple):
    """A list, generator or the like, with what its items may be; or a dict, with its values."""

    items: _Atoms
    kind: Literal["list", "dict"]
    depth: int


class _Row(NamedTuple):
    """A tuple, with what each of its items may be."""

    columns: tuple[_Atoms, ...]
    depth: int


class _Unknown:
    """What is not azureml's, or not known."""

    def __repr__(self) -> str:
        return "unknown"


_Atom = Any  # a Value or one of the classes above; which, is looked at where it matters
_Atoms = tuple[_Atom, ...]
"""What an expression may be. It is empty for None, and for what no statement gives a value."""

_UNKNOWN: _Atoms = (_Unknown(),)
_MAX_ATOMS = 12
_MAX_NESTING = 3


def _union(parts: Iterable[_Atoms]) -> _Atoms:
    found = dict.fromkeys(atom for part in parts for atom in part)
    if len(found) > _MAX_ATOMS:
        return (*(atom for atom in list(found)[: _MAX_ATOMS - 1] if atom not in _UNKNOWN), *_UNKNOWN)
    return tuple(found)


def _many(items: _Atoms, kind: Literal["list", "dict"]) -> _Many:
    items = _shallow(items)
    return _Many(items, kind, _depth(items))


def _row(columns: tuple[_Atoms, ...]) -> _Row:
    columns = tuple(map(_shallow, columns))
    return _Row(columns, max(map(_depth, columns), default=1))


def _shallow(atoms: _Atoms) -> _Atoms:
    """Leave out containers in containers in containers: `x = [x]` has no end of them."""
    return tuple(_UNKNOWN[0] if getattr(atom, "depth", 0) >= _MAX_NESTING else atom for atom in atoms)


def _depth(atoms: _Atoms) -> int:
    return 1 + max((getattr(atom, "depth", 0) for atom in atoms), default=0)


def _shown(atom: _Atom) -> Value | None:
    """Return an atom as others see it."""
    if isinstance(atom, Value):
        return atom
    if isinstance(atom, _Reached):
        return Value(atom.path, "function")
    if isinstance(atom, _Many):
        of = next((item for item in atom.items if isinstance(item, Value) and item.kind == "instance"), None)
        return of and Value(of.path, atom.kind)
    return None


# -- azureml's names -----------------------------------------------------------------------------------------------

_OURS = frozenset({"core", "data", "exceptions", "history", "mlflow", "telemetry", "train", "widgets"})
"""What of azml_compat is a mirror of azureml."""


def azures(dotted: str) -> str | None:
    """Return the azureml path that one in a script stands for; None where it is neither azureml's nor its mirror's."""
    root, _, rest = dotted.partition(".")
    if root == "azureml":
        return dotted
    return f"azureml.{rest}" if root == "azml_compat" and rest.partition(".")[0] in _OURS else None


@functools.lru_cache(maxsize=4096)
def _named(path: str) -> tuple[str, _Atoms]:
    """Return where a name in a module lives, and what it is."""
    path = located(path)
    module, _, name = path.rpartition(".")
    known = surface().get(module, {})
    bare = name.lstrip("_")
    if path in surface():
        return path, (Value(path, "module"),)
    if class_at(path) is not None:
        return path, (Value(path, "class"),)
    if name in known.get("constants", ()):
        return path, (_Constant(path),)
    if name in known.get("functions", ()):
        return path, (Value(path, "function"),)
    # Of other packages, and of what is private, nothing is recorded but what a name tells.
    if len(bare) > 1 and bare.isupper():
        return path, (_Constant(path),)
    return path, (Value(path, "class" if bare[:1].isupper() else "function"),)


@functools.lru_cache(maxsize=4096)
def _may_be_module(path: str) -> bool:
    """Tell whether what is named in lower case in a module that is not recorded may be a module as well."""
    module, _, name = path.rpartition(".")
    return module in ("azureml", "") or module not in surface() or name not in surface()[module].get("functions", ())


@functools.lru_cache(maxsize=8192)
def _member(owner: str, name: str) -> tuple[str, bool]:
    """Return the path of a member of a class, with the class that defines it, and whether it is known to exist."""
    if class_at(owner) is None:
        return f"{owner}.{name}", is_listed(owner, name)
    bases = tuple(ancestry(owner))
    for base in bases:
        if name in (class_at(base) or _EMPTY)["members"] or is_listed(base, name):
            return f"{base}.{name}", True
    for base in bases:
        if support_of(f"{base}.{name}") is not None:
            return f"{base}.{name}", True
    return f"{owner}.{name}", False


_EMPTY: dict[str, dict[str, str]] = {"members": {}}
_METHODS = frozenset({"classmethod", "method", "staticmethod"})


@functools.lru_cache(maxsize=8192)
def _read(owner: str, name: str) -> _Atoms:
    """Return what reading a member of a class gives."""
    path, _ = _member(owner, name)
    recorded = class_at(path.rpartition(".")[0])
    # Of other packages it is not recorded which of the members are methods: they are what they are used as.
    if recorded is None or recorded["members"].get(name) in _METHODS or name.startswith("__"):
        return (_Reached(path, owner),)
    return _given(owner, name) or _UNKNOWN


@functools.lru_cache(maxsize=8192)
def _given(owner: str, name: str) -> _Atoms:
    """Return what a member of a class gives, see `returns.gives`, as atoms."""
    found: dict[_Atom, None] = {}
    many: dict[Literal["list", "dict"], list[Value]] = {}
    for value in gives(owner, name):
        if value.kind == "tuple":
            found[_row(((Value(value.path, "instance"),), _UNKNOWN))] = None
        elif value.kind in ("list", "dict"):
            many.setdefault(value.kind, []).append(Value(value.path, "instance"))
        else:
            found[value] = None
    return (*found, *(_many(tuple(items), kind) for kind, items in many.items()))


@functools.lru_cache(maxsize=1024)
def spelled(dotted: str) -> str | None:
    """Return where the name lives that a dotted path spells out: `azureml.core.Run.log` is `azureml.core.run.Run.log`.

    None where it is none of azureml's.
    """
    first, *names = (azures(dotted) or "").split(".")
    if first != "azureml":
        return None
    path, what = first, (Value(first, "module"),)
    for name in names:
        atom = what[0] if what else None
        if isinstance(atom, Value) and atom.kind in ("class", "instance"):
            path, what = _member(atom.path, name)[0], _read(atom.path, name)
        else:
            path, what = _named(f"{path}.{name}")
    return path


# -- answers -------------------------------------------------------------------------------------------------------

_MAX_DEPTH = 40
"""Of questions that one leads to; each takes a few frames of python's own stack, of which it has a thousand."""
_FUEL = 5_000
"""Questions that any module may lead to, beside one for each node: what people write needs half of these."""
_NEVER_CUT = 1_000_000
_MAX_ROUNDS = 4
_MAX_CALLS = 40
"""Of a function, or settings of an attribute, that are looked at."""
_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


class _Answers:
    """What expressions of a module may be."""

    def __init__(self, walked: Map) -> None:
        self._map = walked
        self._known: dict[Hashable, _Atoms] = {}
        self._asked: dict[Hashable, int] = {}
        self._assumed: dict[Hashable, _Atoms] = {}
        self._cut = _NEVER_CUT
        """How far up the question is that the present answer rests on an assumption about."""
        self._fuel = _FUEL + len(walked.parents)
        self._asks: dict[type, Callable[[Any], _Atoms]] = {
            ast.Attribute: self._attribute,
            ast.Await: lambda node: self.of(node.value),
            ast.BoolOp: lambda node: _union(map(self.of, node.values[:_MAX_ATOMS])),
            ast.Call: self._call,
            ast.Constant: lambda node: () if node.value is None else _UNKNOWN,
            ast.Dict: lambda node: self._listed(node.values, "dict"),
            ast.DictComp: lambda node: self._listed([node.value], "dict"),
            ast.GeneratorExp: lambda node: self._listed([node.elt]),
            ast.IfExp: lambda node: _union((self.of(node.body), self.of(node.orelse))),
            ast.Lambda: lambda node: (_Own(node),),
            ast.List: lambda node: self._listed(node.elts),
            ast.ListComp: lambda node: self._listed([node.elt]),
            ast.Name: self._name,
            ast.NamedExpr: lambda node: self.of(node.value),
            ast.Set: lambda node: self._listed(node.elts),
            ast.SetComp: lambda node: self._listed([node.elt]),
            ast.Subscript: self._subscript,
            ast.Tuple: self._tuple,
        }

    def of(self, node: Any) -> _Atoms:
        """Return what an expression may be, the most likely first."""
        ask = self._asks.get(node.__class__)
        return _UNKNOWN if ask is None else self._answer(node, ask, node)

    def path(self, node: ast.AST) -> str | None:
        """Return the path of the azureml name that a Name or Attribute, or a call of getattr, stands for."""
        if isinstance(node, ast.Name):
            return next((atom.path for atom in self.of(node) if _is_name(atom)), None)
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

    def _answer(self, key: Hashable, ask: Callable[[Any], _Atoms], about: Any) -> _Atoms:
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
            return _UNKNOWN
        if depth >= _MAX_DEPTH:
            self._cut = -1
            return _UNKNOWN
        above, self._cut = self._cut, _NEVER_CUT
        self._asked[key] = depth
        try:
            found = ask(about)
            for _ in range(_MAX_ROUNDS):
                if self._cut != depth or found == self._assumed.get(key, ()):
                    break
                self._assumed[key] = found
                found = _union((found, ask(about)))
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

    def _name(self, node: ast.Name) -> _Atoms:
        bound = self._map.bindings(node)
        if bound is None:
            for module in self._map.stars(node):
                mirrored = azures(module)
                if mirrored is not None and node.id in _exported(mirrored):
                    return _named(f"{mirrored}.{node.id}")[1]
            return _UNKNOWN
        scope, bindings = bound
        found = _union(self._source(binding.source) for binding in bindings)
        if node.id in self._map.contents and any(isinstance(atom, _Many) for atom in found):
            found = self._filled(found, self._answer(("contents", scope, node.id), self._contents, (scope, node.id)))
        return found

    def _contents(self, about: tuple[Scope, str]) -> _Atoms:
        """Return what is put into the lists and dicts that a name is bound to."""
        scope, name = about
        added = self._map.contents[name][:_MAX_CALLS]
        return _union(
            self._source(source)
            for target, source in added
            if isinstance(target, ast.Name) and (self._map.bindings(target) or (None,))[0] is scope
        )

    def _filled(self, found: _Atoms, contents: _Atoms) -> _Atoms:
        return tuple(
            _many(_union((atom.items, contents)), atom.kind) if isinstance(atom, _Many) else atom for atom in found
        )

    def _source(self, source: Source) -> _Atoms:
        """Return what a binding gives."""
        how = source.how
        if how == "value":
            return self.of(source.node)
        if how == "import":
            return self._import(source.node)
        if how == "definition":
            return (_Own(source.node),)
        if how == "parameter":
            return self._answer(source, self._parameter, source)
        if how == "exception":
            return _instances(_elements(self.of(source.node), or_itself=True)) if source.node is not None else _UNKNOWN
        if how == "annotated":
            value = self._source(source.of) if source.of is not None else ()
            told = self._annotated(source.node)
            return told if told and not any(map(_shown, value)) else value or _UNKNOWN
        if source.of is None:
            return _UNKNOWN
        of = self._source(source.of)
        if how == "element":
            return _elements(of)
        if how == "enter":
            return _union(self._entered(atom) for atom in of)
        if how == "rest":
            return (_many(_elements(of), "list"),)
        return _union(_item(atom, source.at) for atom in of)

    def _import(self, alias: ast.alias) -> _Atoms:
        statement = self._map.parents.get(alias)
        if isinstance(statement, ast.ImportFrom):
            path = azures(f"{statement.module}.{alias.name}") if statement.module and not statement.level else None
            return _named(path)[1] if path else _UNKNOWN
        if alias.asname:
            path = azures(alias.name)
            return (Value(path, "module"),) if path else _UNKNOWN
        root = alias.name.partition(".")[0]
        return (Value("azureml", "module"),) if root == "azureml" or azures(alias.name) else _UNKNOWN

    def _parameter(self, source: Source) -> _Atoms:
        """Return what an argument of a function may be: by its annotation, default, and what calls of it pass."""
        argument, index = source.node, source.at
        function = source.of.node if source.of is not None else None
        if isinstance(function, ast.Lambda):
            return self._lambda_parameter(function) if index == 0 else _UNKNOWN
        if function is None:
            return _UNKNOWN
        owner = self._map.parents.get(function)
        is_method = isinstance(owner, ast.ClassDef) and "staticmethod" not in _decorators(function)
        if is_method and index == 0:
            return (_Own(owner, "classmethod" not in _decorators(function)),)
        told = self._annotated(argument.annotation)
        if told or (argument.annotation is not None and last_name(argument.annotation) not in _VAGUE):
            return told or _UNKNOWN
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
            found.append(_UNKNOWN)
        return self._or_taken(_union([*passed, *found]), argument.arg, lambda node: self._is_of(node, function))

    def _is_of(self, node: ast.expr, function: Any) -> bool:
        bound = self._map.bindings(node)
        return bound is not None and bound[0].node is function

    def _or_taken(self, found: _Atoms, name: str, concerns: Callable[[ast.expr], bool]) -> _Atoms:
        """Add what something must be because of what it is passed to, where nothing else tells what it is."""
        if any(map(_shown, found)) or not any(atom in _UNKNOWN for atom in found):
            return found
        for call, role, node in self._map.passed.get(name, ())[:_MAX_CALLS]:
            if concerns(node):
                path = self.path(call.func)
                taken = takes(path, role) if path is not None else None
                if taken is not None:
                    return (Value(taken, "instance"), *found)
        return found

    def _lambda_parameter(self, function: ast.Lambda) -> _Atoms:
        """Return what the first argument of a lambda may be that is called for each item of something."""
        above = self._map.parents.get(function)
        call = self._map.parents.get(above) if isinstance(above, ast.keyword) and above.arg == "key" else above
        if not isinstance(call, ast.Call):
            return _UNKNOWN
        name = last_name(call.func)
        if call is not above and name in ("sorted", "max", "min", "groupby") and call.args:
            return _elements(self.of(call.args[0]))
        if call is not above and name == "sort" and isinstance(call.func, ast.Attribute):
            return _elements(self.of(call.func.value))
        if name in ("map", "filter") and len(call.args) > 1 and call.args[0] is function:
            return _elements(self.of(call.args[1]))
        return _UNKNOWN

    def _shift(self, call: ast.Call, function: Any) -> int | None:
        """Return how many arguments a call of a function passes by itself; None if it calls something else."""
        for atom in self.of(call.func):
            if isinstance(atom, _Own) and atom.node is function:
                return 0
            if isinstance(atom, _Method) and atom.function is function:
                return 1 if atom.through.is_instance or "classmethod" in _decorators(function) else 0
            if isinstance(atom, _Own) and not atom.is_instance and self._map.parents.get(function) is atom.node:
                return 1 if getattr(function, "name", "") == "__init__" else None
        return None

    def _passed(self, call: ast.Call, name: str, index: int, shift: int) -> _Atoms:
        """Return what a call passes for an argument; nothing if it leaves the default."""
        for keyword in call.keywords:
            if keyword.arg == name:
                return self.of(keyword.value)
        position = index - shift
        is_plain = not any(isinstance(argument, ast.Starred) for argument in call.args[: position + 1])
        if index >= 0 and 0 <= position < len(call.args) and is_plain:
            return self.of(call.args[position])
        return () if is_plain and all(keyword.arg for keyword in call.keywords) else _UNKNOWN

    def _annotated(self, node: ast.expr | None, *, depth: int = 5) -> _Atoms:
        """Return what an annotation says that something is; empty if that is nothing of azureml's."""
        if node is None or depth == 0:
            return ()
        if isinstance(node, ast.BinOp):
            return _union(self._annotated(side, depth=depth - 1) for side in (node.left, node.right))
        if isinstance(node, ast.Subscript):
            name = last_name(node.value)
            inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            found = [self._annotated(one, depth=depth - 1) for one in inside[:_MAX_ATOMS]]
            if name in ("Optional", "Union", "Annotated", "Final"):
                return _union(found)
            items = found[-1] if name in _MAPPINGS else _union(found)
            return (_many(items, "dict" if name in _MAPPINGS else "list"),) if items and name in _CONTAINERS else ()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._answer(("annotation", node), self._quoted, node)
        if not isinstance(node, (ast.Name, ast.Attribute)):
            return ()
        return tuple(atom for atom in _instances(self.of(node)) if atom not in _UNKNOWN)

    def _quoted(self, node: ast.Constant) -> _Atoms:
        """Return what an annotation in quotes says, where that is a name of the module."""
        first, *names = str(node.value).strip().split(".")
        bindings = self._map.scopes[self._map.tree].bindings.get(first, ())
        found = _union(self._source(binding.source) for binding in bindings)
        for name in names:
            found = _union(self._get(atom, name) for atom in found)
        return tuple(atom for atom in _instances(found) if atom not in _UNKNOWN)

    # -- attributes ------------------------------------------------------------------------------------------------

    def _attribute(self, node: ast.Attribute) -> _Atoms:
        return _union(self._get(atom, node.attr) for atom in self.of(node.value))

    def _get(self, atom: _Atom, name: str) -> _Atoms:
        """Return what an attribute of something may be."""
        if isinstance(atom, Value):
            if atom.kind in ("class", "instance"):
                if _member(atom.path, name)[1] or name not in self._map.stored:
                    return _read(atom.path, name)
                return self._stored(name, lambda target: atom in self.of(target))
            if atom.kind == "module" or _may_be_module(atom.path):
                return _named(f"{atom.path}.{name}")[1]
        if isinstance(atom, _Own) and isinstance(atom.node, ast.ClassDef):
            return self._answer((atom, name), self._own_member, (atom, name))
        return _UNKNOWN

    def _stored(self, name: str, concerns: Callable[[ast.expr], bool]) -> _Atoms:
        """Return what an attribute is set to where `concerns` is true of what it is set on."""
        found = [
            self._source(source) for target, source in self._map.stored[name][:_MAX_CALLS] if concerns(target.value)
        ]
        return _union(found) if found else _UNKNOWN

    def _own_member(self, about: tuple[_Own, str]) -> _Atoms:
        """Return what a member of a class of the script may be, or of an instance of it."""
        own, name = about

        def is_its(node: ast.expr) -> bool:
            return isinstance(node, ast.Attribute) and any(self._is_akin(atom, own) for atom in self.of(node.value))

        scope = self._map.scopes.get(own.node)
        bindings = scope.bindings.get(name, ()) if scope is not None else ()
        found = [self._bound_to(own, binding.source) for binding in bindings]
        stored = [source for target, source in self._map.stored.get(name, ())[:_MAX_CALLS] if is_its(target)]
        found += map(self._source, stored)
        if not any(map(_shown, _union(found))):
            for base in self._bases(own.node):
                got = self._get(base._replace(is_instance=own.is_instance) if isinstance(base, _Own) else base, name)
                if got != _UNKNOWN:
                    found.append(got)
                    break
        if name in self._map.contents and any(isinstance(atom, _Many) for part in found for atom in part):
            added = self._map.contents[name][:_MAX_CALLS]
            contents = _union(self._source(source) for target, source in added if is_its(target))
            found = [self._filled(_union(found), contents)]
        return self._or_taken(_union(found) if found else _UNKNOWN, name, is_its)

    def _bound_to(self, own: _Own, source: Source) -> _Atoms:
        function = source.node if source.how == "definition" else None
        if not isinstance(function, _Function):
            return self._source(source)
        decorators = _decorators(function)
        if decorators & {"property", "cached_property"}:
            return self._answer(("returns", function), self._returns, function)
        return (_Own(function),) if "staticmethod" in decorators else (_Method(function, own),)

    def _is_akin(self, atom: _Atom, own: _Own) -> bool:
        """Tell whether something is of a class of the script, or of a class above or below it."""
        if not isinstance(atom, _Own) or not isinstance(atom.node, ast.ClassDef):
            return False
        return atom.node is own.node or any(
            isinstance(base, _Own) and base.node is below
            for above, below in ((own.node, atom.node), (atom.node, own.node))
            for base in self._bases(above)
        )

    def _bases(self, node: ast.ClassDef) -> _Atoms:
        return self._answer(("bases", node), lambda node: _union(map(self.of, node.bases[:_MAX_ATOMS])), node)

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
            return next((path for path in known if not _is_refused(path)), known[0])
        if not unknown or is_doubtful or (name in self._map.stored and _is_recorded(unknown[0])):
            return None
        return unknown[0]

    def _member_of(self, atom: _Atom, name: str) -> tuple[str | None, bool]:
        """Return the path of an attribute of something, and whether azureml is known to have it."""
        if isinstance(atom, _Own):
            return self._inherited(atom, name)
        if isinstance(atom, Value):
            if atom.kind in ("class", "instance"):
                return _member(atom.path, name)
            if atom.kind == "module" or _may_be_module(atom.path):
                return _named(f"{atom.path}.{name}")[0], True
        return None, False

    def _inherited(self, own: _Own, name: str) -> tuple[str | None, bool]:
        """Return the path of what a class of the script inherits of azureml's under a name."""
        if isinstance(own.node, ast.ClassDef):
            for atom in self._answer((own, name), self._own_member, (own, name)):
                if isinstance(atom, _Reached):
                    return atom.path, True
            scope = self._map.scopes.get(own.node)
            if scope is not None and name not in scope.bindings and name not in self._map.stored:
                for base in self._bases(own.node):
                    if isinstance(base, Value) and _member(base.path, name)[1]:
                        return _member(base.path, name)[0], True
        return None, False

    # -- calls -----------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> _Atoms:
        func = node.func
        name = last_name(func)
        if isinstance(func, ast.Name) and hasattr(builtins, func.id) and self._map.bindings(func) is None:
            return self._builtin(func.id, node)
        if name in _PASS_ON and node.args:
            return self.of(node.args[0])
        if name in ("import_module", "cast") and node.args:
            return (
                self._imported(node.args[0]) if name == "import_module" else self._annotated(node.args[0]) or _UNKNOWN
            )
        if isinstance(func, ast.Attribute):
            many = [atom for atom in self.of(func.value) if isinstance(atom, (_Many, _Row))]
            if many:
                return _union(_from_container(atom, func.attr) for atom in many)
        return _union(self._result(atom, node) for atom in self.of(func))

    def _result(self, atom: _Atom, node: ast.Call) -> _Atoms:
        """Return what calling something gives."""
        if isinstance(atom, _Reached):
            name = atom.path.rpartition(".")[2]
            if name in ("submit", "submit_child"):
                config = node.args[0] if node.args else _keyword(node, "config")
                for submitted in self.of(config) if config is not None else ():
                    if isinstance(submitted, Value) and submitted.kind == "instance" and submits(submitted.path):
                        return submits(submitted.path)
            return _given(atom.owner, name) or _UNKNOWN
        if isinstance(atom, Value):
            if atom.kind == "class":
                return constructs(atom.path)
            module, _, name = atom.path.rpartition(".")
            return (_given(module, name) if atom.kind == "function" else ()) or _UNKNOWN
        if isinstance(atom, _Method):
            return self._answer(("returns", atom.function), self._returns, atom.function)
        if isinstance(atom, _Own) and not atom.is_instance:
            if isinstance(atom.node, ast.ClassDef):
                return (_Own(atom.node, is_instance=True),)
            return self._answer(("returns", atom.node), self._returns, atom.node)
        return _UNKNOWN

    def _returns(self, function: Any) -> _Atoms:
        """Return what a function of the script gives when it is called."""
        yielded = self._map.yielded.get(function)
        if yielded:
            return (_many(_union(map(self.of, yielded[:_MAX_CALLS])), "list"),)
        found = _union(map(self.of, self._map.returned.get(function, ())[:_MAX_CALLS]))
        return found if any(map(_shown, found)) else self._annotated(getattr(function, "returns", None)) or found

    def _builtin(self, name: str, node: ast.Call) -> _Atoms:
        arguments = node.args
        if name == "super":
            return self._super(node)
        if name == "__import__" and arguments:
            return (Value("azureml", "module"),) if self._imported(arguments[0]) != _UNKNOWN else _UNKNOWN
        if name == "getattr" and self.is_getattr(node):
            found = [self._get(atom, arguments[1].value) for atom in self.of(arguments[0])]  # type: ignore[attr-defined]
            return _union([*found, *map(self.of, arguments[2:3])])
        if name in ("list", "sorted", "reversed", "iter", "tuple", "set", "frozenset", "filter"):
            return (_many(_elements(self.of(arguments[-1])) if arguments else (), "list"),)
        if name == "dict":
            given = _union(self.of(argument) for argument in arguments[:1])
            return (_many(_union((_values(given), *(self.of(keyword.value) for keyword in node.keywords))), "dict"),)
        if name in ("next", "min", "max") and len(arguments) in (1, 2):
            return _elements(self.of(arguments[0]))
        if name == "enumerate" and arguments:
            return (_many((_row((_UNKNOWN, _elements(self.of(arguments[0])))),), "list"),)
        if name == "zip" and arguments:
            columns = tuple(_elements(self.of(argument)) for argument in arguments[:_MAX_ATOMS])
            return (_many((_row(columns),), "list"),)
        return _UNKNOWN

    def _super(self, node: ast.AST) -> _Atoms:
        around = self._map.parents.get(node)
        while around is not None and not isinstance(around, ast.ClassDef):
            around = self._map.parents.get(around)
        if around is None:
            return _UNKNOWN
        return tuple(
            atom._replace(kind="instance") if isinstance(atom, Value) else atom for atom in self._bases(around)
        )

    def _imported(self, node: ast.expr) -> _Atoms:
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        path = azures(text)
        return (Value(path, "module"),) if path else _UNKNOWN

    # -- containers ------------------------------------------------------------------------------------------------

    def _listed(self, nodes: list[Any], kind: Literal["list", "dict"] = "list") -> _Atoms:
        parts = [
            _elements(self.of(node.value)) if isinstance(node, ast.Starred) else self.of(node)
            for node in nodes[:_MAX_CALLS]
            if node is not None
        ]
        return (_many(_union(parts), kind),)

    def _tuple(self, node: ast.Tuple) -> _Atoms:
        if len(node.elts) > _MAX_ATOMS or any(isinstance(item, ast.Starred) for item in node.elts):
            return self._listed(node.elts)
        return (_row(tuple(map(self.of, node.elts))),)

    def _subscript(self, node: ast.Subscript) -> _Atoms:
        index = node.slice.value if isinstance(node.slice, ast.Constant) else None
        found = []
        for atom in self.of(node.value):
            if isinstance(node.slice, ast.Slice) and isinstance(atom, (_Many, _Row)):
                found.append((_many(_elements((atom,)), "list"),))
            elif isinstance(atom, _Row) and isinstance(index, int):
                found.append(_item(atom, index))
            else:
                found.append(_values((atom,)))
        return _union(found)

    def _entered(self, atom: _Atom) -> _Atoms:
        """Return what `with` gives of something."""
        if isinstance(atom, _Own) and atom.is_instance:
            found = self._get(atom, "__enter__")
            return _union(self._result(one, _NO_CALL) for one in found) if found != _UNKNOWN else (atom,)
        if isinstance(atom, _Many):
            return atom.items  # a generator with the decorator contextmanager
        if isinstance(atom, Value) and atom.path.startswith("azureml.data.context_managers."):
            return _UNKNOWN
        return (atom,)


_NO_CALL = ast.Call(func=ast.Name(id="", ctx=ast.Load()), args=[], keywords=[])
_PASS_ON = frozenset({"closing", "copy", "deepcopy", "nullcontext", "tqdm", "trange"})
"""Functions, whatever library they are from, that give what they are given, or the like of it."""
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


def _is_name(atom: _Atom) -> bool:
    """Tell whether something is what an azureml name stands for, and not a result of its use."""
    return isinstance(atom, (_Reached, _Constant)) or (
        isinstance(atom, Value) and atom.kind in ("module", "class", "function")
    )


@functools.lru_cache(maxsize=64)
def _exported(module: str) -> frozenset[str]:
    """Return the names that `from module import *` brings."""
    if module in surface():
        return frozenset(surface()[module].get("all") or public_names(module))
    return frozenset(EXPORTED.get(module, "").split())


@functools.lru_cache(maxsize=8192)
def _is_refused(path: str) -> bool:
    support = support_of(path)
    return support is not None and support.level == "refused"


def _is_recorded(path: str) -> bool:
    return class_at(path.rpartition(".")[0]) is not None


def _instances(atoms: _Atoms) -> _Atoms:
    """Return instances of what are classes."""
    found: list[_Atoms] = []
    for atom in atoms:
        if isinstance(atom, _Own) and isinstance(atom.node, ast.ClassDef):
            found.append((atom._replace(is_instance=True),))
        elif isinstance(atom, Value) and atom.kind == "class":
            found.append(constructs(atom.path))
        else:
            found.append(_UNKNOWN)
    return _union(found)


def _elements(atoms: _Atoms, *, or_itself: bool = False) -> _Atoms:
    """Return what iterating over something gives."""
    found = []
    for atom in atoms:
        if isinstance(atom, _Many):
            found.append(atom.items if atom.kind == "list" else _UNKNOWN)
        elif isinstance(atom, _Row):
            found += atom.columns
        else:
            found.append((atom,) if or_itself else _UNKNOWN)
    return _union(found)


def _values(atoms: _Atoms) -> _Atoms:
    """Return what a subscript of something gives."""
    return _union(atom.items if isinstance(atom, _Many) else _elements((atom,)) for atom in atoms)


def _item(atom: _Atom, index: int) -> _Atoms:
    if isinstance(atom, _Row) and -len(atom.columns) <= index < len(atom.columns) and index >= 0:
        return atom.columns[index]
    return _elements((atom,))


def _from_container(atom: _Atom, method: str) -> _Atoms:
    """Return what a method of a list or dict gives."""
    values = _values((atom,))
    if method in ("get", "pop", "setdefault", "popleft"):
        return values
    if method in ("values", "copy") and isinstance(atom, _Many):
        return (_many(values, "list" if method == "values" else atom.kind),)
    if method == "items":
        return (_many((_row((_UNKNOWN, values)),), "list"),)
    return _UNKNOWN


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


# -- uses ----------------------------------------------------------------------------------------------------------

_SPELLING = {
    "patch",
    "import_module",
    "__import__",
    "find_spec",
    "importorskip",
    "setattr",
    "delattr",
    "reload",
    "run_module",
}
"""Last names of functions whose first argument may spell a name out."""


def _seeds(walked: Map) -> set[str]:
    """Return the names that are azureml's in one of the scopes of a module, and those of calls that may name it."""
    found = set(_SPELLING)
    for statement in walked.statements:
        for node in statement.nodes:
            path = _imported(node, walked.parents.get(node)) if isinstance(node, ast.alias) else None
            if isinstance(node, ast.alias) and path:
                found |= _exported(path) if node.name == "*" else {node.asname or node.name.partition(".")[0]}
    return found


def _uses(walked: Map, answers: _Answers) -> Iterator[Use]:
    for statement in walked.statements:
        for node in statement.nodes:
            if isinstance(node, ast.alias):
                path = _imported(node, walked.parents.get(node))
                if path:
                    yield Use(node, path, "import")
    for statement in walked.reached(_seeds(walked)):
        for node in reversed(statement.nodes):  # what is inside first, so that no question has a long way to go
            use = _use(node, walked, answers)
            if use is not None:
                yield use


def _use(node: ast.AST, walked: Map, answers: _Answers) -> Use | None:
    if isinstance(node, ast.Call) and not answers.is_getattr(node):
        return _spelled_in(node, answers)
    path = answers.path(node)
    if path is None:
        return None
    parent = walked.parents.get(node)
    if isinstance(parent, ast.Call) and parent.func is node:
        return Use(parent, path, "call")
    if isinstance(parent, ast.Attribute) and answers.path(parent) is not None and _is_on_the_way(node, answers):
        return None
    return Use(node, path, "name" if isinstance(node, ast.Name) else "attribute")


def _is_on_the_way(node: ast.AST, answers: _Answers) -> bool:
    """Tell whether a name only leads to one of its members, and gives nothing itself."""
    return any(_is_name(atom) for atom in answers.of(node))


def _imported(alias: ast.alias, statement: ast.AST | None) -> str | None:
    if not isinstance(statement, ast.ImportFrom):
        return spelled(alias.name)
    if statement.level or not statement.module:
        return None
    if alias.name == "*":
        return azures(statement.module)
    path = azures(f"{statement.module}.{alias.name}")
    return path and _named(path)[0]


def _spelled_in(node: ast.Call, answers: _Answers) -> Use | None:
    """Return the use of a name that is spelled as a string in a call."""
    name = last_name(node.func)
    if name in _SPELLING and node.args:
        text = _text(node.args[0])
        path = spelled(text) if text and all(part.isidentifier() for part in text.split(".")) else None
        if path:
            return Use(node.args[0], path, "string")
    if name in ("object", "setattr", "delattr") and len(node.args) > 1:
        text = _text(node.args[1])
        path = answers.path_of(node.args[0], text) if text else None
        if path:
            return Use(node.args[1], path, "string")
    return None


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
