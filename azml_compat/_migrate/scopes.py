"""Where the names of a module are bound, and which of these bindings reach a place: syntax alone, of any library.

One walk, with a stack of its own in place of recursion, so that no nesting is too deep for it.
"""

from __future__ import annotations

import ast
import re
import sys
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple

_MAX_BINDINGS = 64
"""Of one name that are looked at for one place."""
_MAX_DEPTH = 100
"""Of blocks: python's own tokenizer takes no more."""


_How = Literal[
    "value",
    "element",
    "item",
    "rest",
    "enter",
    "import",
    "definition",
    "parameter",
    "exception",
    "annotated",
    "unknown",
]


class Source(NamedTuple):
    """Where the value of a name comes from.

    Attributes:
        how: `value` of an expression; an `element` of what is iterated, an `item` of what is unpacked, the `rest` of
            it, what a `with` statement is given on `enter`; an `import`, a `definition` of a function or class, a
            `parameter`, an `exception` that is caught; `annotated` with a type; or `unknown`.
        node: The expression, alias, definition, argument or annotation.
        of: What is iterated, unpacked or entered.
        at: How many items, or parameters, are before it; -1 where that is not known, or it has a name only.
    """

    how: _How
    node: Any = None
    of: Source | None = None
    at: int = 0


UNKNOWN_SOURCE = Source("unknown")


class Block:
    """Statements that run together or not at all, as far as one can tell from where they stand."""

    __slots__ = ("around", "chain", "is_loop", "owner", "stop")

    def __init__(self, owner: ast.AST | None, parent: Block | None = None, *, is_loop: bool = False) -> None:
        self.owner = owner
        self.is_loop = is_loop
        self.chain: tuple[Block, ...] = (*parent.chain[:_MAX_DEPTH], self) if parent is not None else (self,)
        """The blocks that this one is in, from the outside, and itself."""
        self.around = frozenset(self.chain)
        self.stop = 0
        """Of a loop: the order of what follows it."""

    def excludes(self, other: Block) -> bool:
        """Tell whether only one of two blocks is run: they are branches of one statement."""
        for mine, others in zip(self.chain, other.chain, strict=False):
            if mine is not others:
                return mine.owner is others.owner and mine.owner is not None
        return False


class Binding(NamedTuple):
    """A place where a name gets a value."""

    order: int
    block: Block
    source: Source


class Scope:
    """What a name is looked up in: a module, function, class or comprehension."""

    __slots__ = ("bindings", "elsewhere", "is_class", "is_delayed", "node", "outer", "parent", "stars")

    def __init__(
        self, node: ast.AST, parent: Scope | None, *, is_class: bool = False, is_delayed: bool = False
    ) -> None:
        self.node = node
        self.parent = parent
        self.is_class = is_class
        self.is_delayed = is_delayed
        """Whether its statements run at another time than those around it."""
        self.bindings: defaultdict[str, list[Binding]] = defaultdict(list)
        self.elsewhere: defaultdict[str, list[Binding]] = defaultdict(list)
        """What functions bind here that declare a name global or nonlocal."""
        self.outer: dict[str, Scope] = {}
        """The scopes of the names that are declared so in this one."""
        self.stars: list[str] = []
        """The modules that all names were imported from."""


class Place(NamedTuple):
    """Where a name is used."""

    scope: Scope
    order: int
    block: Block


class Statement:
    """A statement, or what of it is before the statements in it.

    Attributes:
        nodes: The Names that are read, the Attributes, Calls and aliases in it, from the outside.
        gives_to: The names and attributes that may get something from it.
        mentions: What else it names: the last names of what it calls, those in quoted annotations.
    """

    __slots__ = ("gives_to", "mentions", "nodes")

    def __init__(self) -> None:
        self.nodes: list[ast.AST] = []
        self.gives_to: list[str] = []
        self.mentions: list[str] = []


class Map:
    """What the walk over a module has found.

    Attributes:
        parents: The parent of each node.
        places: The place of each Name.
        statements: The statements, or the beginnings of those that others are in.
        scopes: The scopes of functions and classes.
        calls: The calls, by the last name in what they call.
        stored: The attributes that are set, by name, with what they are set to.
        contents: What is appended to, or stored below, a Name or Attribute, by its name.
        returned: The expressions that a function returns.
        yielded: Those that it yields.
        classes: The names of classes.
        parameters: The parameters of all functions of a name.
        passed: The calls that a name or attribute is an argument of, with the place or keyword, and the expression.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.parents: dict[ast.AST, ast.AST] = {}
        self.places: dict[ast.AST, Place] = {}
        self.statements: list[Statement] = [Statement()]
        self.scopes: dict[ast.AST, Scope] = {}
        self.calls: defaultdict[str, list[ast.Call]] = defaultdict(list)
        self.stored: defaultdict[str, list[tuple[ast.Attribute, Source]]] = defaultdict(list)
        self.contents: defaultdict[str, list[tuple[ast.expr, Source]]] = defaultdict(list)
        self.returned: defaultdict[ast.AST, list[ast.expr]] = defaultdict(list)
        self.yielded: defaultdict[ast.AST, list[ast.expr]] = defaultdict(list)
        self.passed: defaultdict[str, list[tuple[ast.Call, int | str, ast.expr]]] = defaultdict(list)
        self.classes: set[str] = set()
        self.parameters: defaultdict[str, list[str]] = defaultdict(list)
        self._order = 0
        self._walk(tree)

    def bindings(self, node: ast.AST) -> tuple[Scope, list[Binding]] | None:
        """Return the scope that a Name is of, and the bindings that may reach it, the nearest first.

        None where the module does not bind it.
        """
        place = self.places.get(node)
        if place is None:
            return None
        return self.lookup(place, node.id)  # type: ignore[attr-defined]  # only Names have places

    def lookup(self, place: Place, name: str) -> tuple[Scope, list[Binding]] | None:
        """Do what `bindings` does, for a name at a place."""
        scope: Scope | None = place.scope
        is_delayed = False
        while scope is not None:
            if name in scope.outer:
                is_delayed = True
                scope = scope.outer[name]
            if (not scope.is_class or scope is place.scope) and (name in scope.bindings or name in scope.elsewhere):
                found = scope.bindings.get(name, [])
                reaching = [] if is_delayed else _reaching(found, place)
                if not reaching:  # also in a notebook whose cells were run in another order
                    reaching = found[: -_MAX_BINDINGS - 1 : -1]
                return scope, [*reaching, *scope.elsewhere.get(name, ())[:_MAX_BINDINGS]]
            is_delayed = is_delayed or scope.is_delayed
            scope = scope.parent
        return None

    def place_at_end(self, expression: ast.expr) -> None:
        """Take an expression that is not in the module as if it stood at its end."""
        place = Place(self.scopes[self.tree], sys.maxsize, Block(None))
        for node in ast.walk(expression):
            if isinstance(node, ast.Name):
                self.places[node] = place

    def reached(self, names: Iterable[str]) -> list[Statement]:
        """Return the statements in which a value of one of some names may be used, wherever it has got to.

        This asks for no scope and no order, so that it is quick: no other statement needs a closer look.
        """
        mentions: defaultdict[str, list[int]] = defaultdict(list)
        for index, statement in enumerate(self.statements):
            for name in {*map(last_name, statement.nodes), *statement.mentions}:
                if name is not None:
                    mentions[name].append(index)
        reached = set(names)
        to_do = list(reached)
        found: set[int] = set()
        while to_do:
            for index in mentions.get(to_do.pop(), ()):
                if index in found:
                    continue
                found.add(index)
                statement = self.statements[index]
                new = set(statement.gives_to)
                for call in statement.mentions:
                    new.update(self.parameters.get("__init__" if call in self.classes else call, ()))
                new -= reached
                reached |= new
                to_do += new
        return [self.statements[index] for index in sorted(found)]

    def stars(self, node: ast.AST) -> Iterator[str]:
        """Yield the modules of which all names are imported where a Name is, the latest first."""
        place = self.places.get(node)
        scope = place.scope if place is not None else None
        while scope is not None:
            yield from reversed(scope.stars)
            scope = scope.parent

    # -- the walk --------------------------------------------------------------------------------------------------

    def _walk(self, tree: ast.Module) -> None:
        scope = Scope(tree, None)
        self.scopes[tree] = scope
        block = Block(None)
        stack: list[_Step] = [(tree, scope, block)]
        parents, statements = self.parents, self.statements
        while stack:
            node, scope, block = stack.pop()
            self._order += 1
            kind = node.__class__
            if kind is ast.Name:  # the two that are half of all nodes
                self.places[node] = Place(scope, self._order, block)
                if node.ctx.__class__ is ast.Load:
                    statements[-1].nodes.append(node)
                continue
            if kind is ast.Constant:
                continue
            if kind in _STATEMENTS:
                statements.append(Statement())
            visit = _VISITS.get(kind)
            begin = len(stack)
            if visit is None:
                for child in _children(node):
                    parents.setdefault(child, node)
                    stack.append((child, scope, block))
            else:
                for step in visit(self, node, scope, block):
                    child = step[0]
                    if isinstance(child, ast.AST):
                        parents.setdefault(child, node)
                    elif child is None:
                        continue
                    stack.append(step)
            stack[begin:] = reversed(stack[begin:])

    def _adopt(self, node: ast.AST, parent: ast.AST | None = None) -> None:
        """Note the parents of the children of a node that is not walked itself, and its own."""
        if parent is not None:
            self.parents[node] = parent
        for child in _children(node):
            self.parents[child] = node

    def _bind(self, target: Any, source: Source, scope: Scope, block: Block) -> None:
        """Note what the names in a target get."""
        to_do = [(target, source)]
        while to_do:
            target, source = to_do.pop()
            if isinstance(target, ast.Name):
                self._set(target.id, source, scope, block)
            elif isinstance(target, (ast.Tuple, ast.List)):
                for index, item in enumerate(target.elts):
                    if isinstance(item, ast.Starred):
                        to_do.append((item.value, Source("rest", None, source, index)))
                    else:
                        is_counted = not any(isinstance(one, ast.Starred) for one in target.elts[:index])
                        to_do.append((item, Source("item", None, source, index if is_counted else -1)))
            elif isinstance(target, ast.Attribute):
                self.stored[target.attr].append((target, source))
                self.statements[-1].gives_to.append(target.attr)
            elif isinstance(target, ast.Subscript):
                self._contain(target.value, source)

    def _contain(self, container: ast.AST, source: Source) -> None:
        """Note that something is put into a list, dict or the like."""
        name = last_name(container)
        if name is not None and isinstance(container, ast.expr):
            self.contents[name].append((container, source))
            self.statements[-1].gives_to.append(name)

    def _set(self, name: str, source: Source, scope: Scope, block: Block) -> None:
        binding = Binding(self._order, block, source)
        self.statements[-1].gives_to.append(name)
        if name in scope.outer:
            scope.outer[name].elsewhere[name].append(binding)
        else:
            scope.bindings[name].append(binding)

    # -- the kinds of nodes: each yields what is to be walked next, in the order in which python evaluates it

    def visit_bind(self, step: _Bind, scope: Scope, block: Block) -> Iterator[_Step]:
        self._bind(step.target, step.source, scope, block)
        yield from ()

    def visit_end(self, step: _End, _scope: Scope, _block: Block) -> Iterator[_Step]:
        step.loop.stop = self._order
        yield from ()

    def visit_attribute(self, node: ast.Attribute, scope: Scope, block: Block) -> Iterator[_Step]:
        self.statements[-1].nodes.append(node)
        yield node.value, scope, block

    def visit_call(self, node: ast.Call, scope: Scope, block: Block) -> Iterator[_Step]:
        self.statements[-1].nodes.append(node)
        name = last_name(node.func)
        if name is not None:
            self.calls[name].append(node)
            self.statements[-1].mentions.append(name)
        if isinstance(node.func, ast.Attribute) and name in _ADDS and node.args:
            added = Source("value", node.args[-1])
            self._contain(node.func.value, Source("element", None, added) if name == "extend" else added)
        roles = [*enumerate(node.args[:1]), *((keyword.arg, keyword.value) for keyword in node.keywords)]
        for role, argument in roles:
            passed = last_name(argument)
            if passed is not None and role is not None:
                self.passed[passed].append((node, role, argument))
                self.statements[-1].gives_to.append(passed)
        for child in _children(node):
            yield child, scope, block

    def visit_import(self, node: ast.Import | ast.ImportFrom, scope: Scope, block: Block) -> Iterator[_Step]:
        for alias in node.names:
            self.statements[-1].nodes.append(alias)
            if alias.name == "*":
                if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    scope.stars.append(node.module)
            else:
                bound = alias.asname or (alias.name.partition(".")[0] if isinstance(node, ast.Import) else alias.name)
                self._set(bound, Source("import", alias), scope, block)
            yield alias, scope, block

    def visit_assign(self, node: ast.Assign, scope: Scope, block: Block) -> Iterator[_Step]:
        yield node.value, scope, block
        source = Source("value", node.value)
        for target in node.targets:
            yield _Bind(target, source), scope, block
            yield target, scope, block

    def visit_annotated(self, node: ast.AnnAssign, scope: Scope, block: Block) -> Iterator[_Step]:
        self.statements[-1].mentions += _quoted(node.annotation)
        yield node.annotation, scope, block
        yield node.value, scope, block
        value = Source("value", node.value) if node.value is not None else None
        yield _Bind(node.target, Source("annotated", node.annotation, value)), scope, block
        yield node.target, scope, block

    def visit_augmented(self, node: ast.AugAssign, scope: Scope, block: Block) -> Iterator[_Step]:
        yield node.target, scope, block
        yield node.value, scope, block
        if isinstance(node.op, ast.Add):
            self._contain(node.target, Source("element", None, Source("value", node.value)))

    def visit_walrus(self, node: ast.NamedExpr, scope: Scope, block: Block) -> Iterator[_Step]:
        yield node.value, scope, block
        around = scope
        while isinstance(around.node, _COMPREHENSIONS) and around.parent is not None:
            around = around.parent
        yield _Bind(node.target, Source("value", node.value)), around, block
        yield node.target, scope, block

    def visit_for(self, node: ast.For | ast.AsyncFor, scope: Scope, block: Block) -> Iterator[_Step]:
        yield node.iter, scope, block
        loop = Block(node, block, is_loop=True)
        yield _Bind(node.target, Source("element", None, Source("value", node.iter))), scope, loop
        yield node.target, scope, loop
        yield from _listed(node.body, scope, loop)
        yield _End(loop), scope, block
        yield from _listed(node.orelse, scope, block)

    def visit_while(self, node: ast.While, scope: Scope, block: Block) -> Iterator[_Step]:
        loop = Block(node, block, is_loop=True)
        yield node.test, scope, loop
        yield from _listed(node.body, scope, loop)
        yield _End(loop), scope, block
        yield from _listed(node.orelse, scope, block)

    def visit_if(self, node: ast.If, scope: Scope, block: Block) -> Iterator[_Step]:
        first = node
        while True:
            yield node.test, scope, block
            yield from _listed(node.body, scope, Block(first, block))
            if len(node.orelse) != 1 or not isinstance(node.orelse[0], ast.If):
                break
            # An elif is nested as deep as there are any before it: taken as one more branch it is not.
            self.parents[node.orelse[0]] = node
            node = node.orelse[0]
            self._adopt(node)
        yield from _listed(node.orelse, scope, Block(first, block))

    def visit_match(self, node: ast.Match, scope: Scope, block: Block) -> Iterator[_Step]:
        yield node.subject, scope, block
        for case in node.cases:
            branch = Block(node, block)
            self._adopt(case, node)
            for child in _children(case):
                yield child, scope, branch

    def visit_pattern(self, node: Any, scope: Scope, block: Block) -> Iterator[_Step]:
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name:
            self._set(name, UNKNOWN_SOURCE, scope, block)
        for child in _children(node):
            yield child, scope, block

    def visit_try(self, node: ast.Try, scope: Scope, block: Block) -> Iterator[_Step]:
        # What the body binds counts as bound after it: that it fails is the exception.
        yield from _listed(node.body, scope, block)
        for handler in node.handlers:
            yield handler, scope, Block(node, block)
        yield from _listed(node.orelse, scope, block)
        yield from _listed(node.finalbody, scope, block)

    def visit_handler(self, node: ast.ExceptHandler, scope: Scope, block: Block) -> Iterator[_Step]:
        yield node.type, scope, block
        if node.name:
            yield _Bind(ast.Name(node.name), Source("exception", node.type)), scope, block
        yield from _listed(node.body, scope, block)

    def visit_with(self, node: ast.With | ast.AsyncWith, scope: Scope, block: Block) -> Iterator[_Step]:
        self.statements[-1].mentions.append("__enter__")
        for item in node.items:
            self._adopt(item, node)
            yield item.context_expr, scope, block
            if item.optional_vars is not None:
                source = Source("enter", None, Source("value", item.context_expr))
                yield _Bind(item.optional_vars, source), scope, block
                yield item.optional_vars, scope, block
        yield from _listed(node.body, scope, block)

    def visit_declaration(self, node: ast.Global | ast.Nonlocal, scope: Scope, _block: Block) -> Iterator[_Step]:
        target: Scope | None = scope.parent
        while target is not None and target.parent is not None:
            if isinstance(node, ast.Nonlocal) and not target.is_class:
                break
            target = target.parent
        if target is not None:
            scope.outer.update(dict.fromkeys(node.names, target))
        yield from ()

    def visit_function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope, block: Block
    ) -> Iterator[_Step]:
        arguments = node.args
        self._adopt(arguments, node)
        yield from _listed(getattr(node, "decorator_list", ()), scope, block)
        yield from _listed([*arguments.defaults, *arguments.kw_defaults], scope, block)
        own = self.scopes[node] = Scope(node, scope, is_delayed=True)
        inside = Block(None)
        positional = [*arguments.posonlyargs, *arguments.args]
        for index, argument in enumerate([*positional, *arguments.kwonlyargs]):
            where = index if index < len(positional) else -1
            self.parameters[getattr(node, "name", "")].append(argument.arg)
            self.statements[-1].mentions += _quoted(argument.annotation)
            self._set(argument.arg, Source("parameter", argument, Source("definition", node), where), own, inside)
        for rest in (arguments.vararg, arguments.kwarg):
            if rest is not None:
                self._set(rest.arg, UNKNOWN_SOURCE, own, inside)
        everything = (*positional, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg)
        yield from _listed(everything, scope, block)
        yield getattr(node, "returns", None), scope, block
        if isinstance(node, ast.Lambda):
            self.returned[node].append(node.body)
            yield node.body, own, inside
        else:
            self._set(node.name, Source("definition", node), scope, block)
            yield from _listed(node.body, own, inside)

    def visit_class(self, node: ast.ClassDef, scope: Scope, block: Block) -> Iterator[_Step]:
        self.classes.add(node.name)
        self.statements[-1].gives_to.append(node.name)
        if node.bases:
            self.statements[-1].gives_to += _SELVES
        yield from _listed([*node.decorator_list, *node.bases, *node.keywords], scope, block)
        own = self.scopes[node] = Scope(node, scope, is_class=True)
        yield from _listed(node.body, own, block)
        yield _Bind(ast.Name(node.name), Source("definition", node)), scope, block

    def visit_comprehension(self, node: Any, scope: Scope, block: Block) -> Iterator[_Step]:
        own = Scope(node, scope)
        around = scope
        for generator in node.generators:
            self._adopt(generator, node)
            yield generator.iter, around, block
            yield _Bind(generator.target, Source("element", None, Source("value", generator.iter))), own, block
            yield generator.target, own, block
            yield from _listed(generator.ifs, own, block)
            around = own
        for child in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            yield child, own, block

    def visit_return(self, node: ast.Return, scope: Scope, block: Block) -> Iterator[_Step]:
        if node.value is not None:
            self.returned[scope.node].append(node.value)
            self.statements[-1].gives_to.append(getattr(scope.node, "name", ""))
        yield node.value, scope, block

    def visit_yield(self, node: ast.Yield, scope: Scope, block: Block) -> Iterator[_Step]:
        if node.value is not None:
            self.yielded[scope.node].append(node.value)
            self.statements[-1].gives_to.append(getattr(scope.node, "name", ""))
        yield node.value, scope, block


def last_name(node: ast.AST) -> str | None:
    """Return the last name in what is called: `patch` of `mock.patch`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _quoted(annotation: ast.expr | None) -> list[str]:
    """Return the names in an annotation that stand in strings."""
    if annotation is None or isinstance(annotation, (ast.Name, ast.Attribute)):
        return []
    texts = (node.value for node in ast.walk(annotation) if isinstance(node, ast.Constant))
    return [name for text in texts if isinstance(text, str) for name in re.findall(r"\w+", text)]


class _Bind(NamedTuple):
    """A step of the walk: what is in a target is bound now, as all before it has been walked."""

    target: Any
    source: Source


class _End(NamedTuple):
    """A step of the walk: a loop ends here."""

    loop: Block


_Step = tuple[Any, Scope, Block]
_ADDS = frozenset({"add", "append", "appendleft", "extend", "insert", "setdefault"})
_SELVES = ("self", "cls", "super")
"""What a class reaches through that inherits something."""
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_STATEMENTS = frozenset(ast.stmt.__subclasses__())
_FIELDS: dict[type, tuple[str, ...]] = {}
_VISITS: dict[type, Callable[[Map, Any, Scope, Block], Iterator[_Step]]] = {
    _Bind: Map.visit_bind,
    _End: Map.visit_end,
    ast.AnnAssign: Map.visit_annotated,
    ast.Assign: Map.visit_assign,
    ast.AsyncFor: Map.visit_for,
    ast.AsyncFunctionDef: Map.visit_function,
    ast.AsyncWith: Map.visit_with,
    ast.Attribute: Map.visit_attribute,
    ast.AugAssign: Map.visit_augmented,
    ast.Call: Map.visit_call,
    ast.ClassDef: Map.visit_class,
    ast.ExceptHandler: Map.visit_handler,
    ast.For: Map.visit_for,
    ast.FunctionDef: Map.visit_function,
    ast.Global: Map.visit_declaration,
    ast.If: Map.visit_if,
    ast.Import: Map.visit_import,
    ast.ImportFrom: Map.visit_import,
    ast.Lambda: Map.visit_function,
    ast.Match: Map.visit_match,
    ast.MatchAs: Map.visit_pattern,
    ast.MatchMapping: Map.visit_pattern,
    ast.MatchStar: Map.visit_pattern,
    ast.NamedExpr: Map.visit_walrus,
    ast.Nonlocal: Map.visit_declaration,
    ast.Return: Map.visit_return,
    ast.Try: Map.visit_try,
    ast.While: Map.visit_while,
    ast.With: Map.visit_with,
    ast.Yield: Map.visit_yield,
    **dict.fromkeys(_COMPREHENSIONS, Map.visit_comprehension),
}
if sys.version_info >= (3, 11):
    _VISITS[ast.TryStar] = Map.visit_try


def _children(node: ast.AST) -> list[ast.AST]:
    fields = _FIELDS.get(node.__class__)
    if fields is None:
        # These hold strings, numbers, and nodes that say nothing but what they are.
        left_out = {"attr", "ctx", "id", "kind", "lineno", "n", "op", "ops", "s", "type_comment", "type_ignores"}
        fields = _FIELDS[node.__class__] = tuple(name for name in node._fields if name not in left_out)
    found: list[ast.AST] = []
    for field in fields:
        value = getattr(node, field, None)
        if isinstance(value, list):
            found += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            found.append(value)
    return found


def _listed(nodes: Iterable[Any], scope: Scope, block: Block) -> Iterator[_Step]:
    return ((node, scope, block) for node in nodes if isinstance(node, ast.AST))


def _reaching(bindings: list[Binding], place: Place) -> list[Binding]:
    """Choose the bindings that may be the last before a place that is reached in the order of the statements."""
    here = place.block
    stop = bisect_right(bindings, place.order, key=_order_of)
    found: list[Binding] = []
    passed: list[Binding] = []
    known: frozenset[Block] = frozenset()
    for index in range(stop - 1, max(stop - 1 - _MAX_BINDINGS, -1), -1):
        binding = bindings[index]
        if binding.block in here.around:
            found.append(binding)
            known = binding.block.around
            break
        (passed if binding.block.excludes(here) else found).append(binding)
    for block in here.chain:
        if block.is_loop and block not in known:
            # What the loop binds further down is there when it comes round again.
            after = bindings[stop : stop + _MAX_BINDINGS]
            found += (binding for binding in after if binding.order < block.stop)
            found += (binding for binding in passed if block in binding.block.around)
            break
    return found


def _order_of(binding: Binding) -> int:
    return binding.order
