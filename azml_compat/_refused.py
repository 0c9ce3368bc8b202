"""What is not provided: every public azureml name can be imported, and on use refuses and says what to do.

Scripts import far more than they use, and often inside a `try`. So a name that azml_compat lacks is a
stand-in: a class that can be named in annotations, `isinstance` and `except` but not called, or a function
that raises when called. `_surface` says which names there are and where they live, `_support` why each refuses and what
to do instead; a module that has

    __getattr__, __dir__ = module_attributes(__name__)

as its last line has them all, re-exports included, each as one object whatever path it is reached by. Modules
that implement part of their names use the same line for the rest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Container
from importlib import import_module
from typing import Any, NoReturn

from azml_compat._surface import public_names, surface
from azml_compat.exceptions._azureml_exception import UserErrorException


class NotSupportedError(UserErrorException, NotImplementedError):
    """Something of the Azure ML SDK was used that azml_compat does not do.

    Args:
        path: The azureml name, as a user would write it: `azureml.core.Model.register`.
        why: A clause saying why.
        instead: A clause, in the imperative, saying what to do.
        planned: Whether it is to come, or never.
    """

    def __init__(self, path: str, why: str, instead: str, *, planned: bool = True) -> None:
        when = "yet" if planned else "and will not be"
        super().__init__(f"`{path}` is not supported by azml_compat {when}: {why}. Instead: {instead}.")
        self.path = path
        self.instead = instead


def refusal(path: str, kind: type[NotSupportedError] = NotSupportedError) -> NotSupportedError:
    """Make the error for an azureml path, with the reason that `_support` gives for it.

    Args:
        path: The name to show, in either form: `azureml.core.Workspace.images` or
            `azureml.core.workspace.Workspace.images`.
        kind: The class of the error.
    """
    from azml_compat._support import OTHER, support_of  # here and not at the top: hardly any process gets here

    found = support_of(path)
    reason = found if found is not None and found.instead else OTHER
    return kind(path, reason.note, reason.instead, planned=reason.planned)


def module_attributes(module_name: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the `__getattr__` and `__dir__` (PEP 562) that give a mirrored module the names it lacks.

    Args:
        module_name: The module's `__name__`, under azml_compat.
    """
    azure_name = _azures(module_name)

    def __getattr__(name: str) -> Any:  # noqa: N807 - Python's name for it
        if name == "__all__":
            return surface()[azure_name].get("all") or public_names(azure_name)
        if not name.startswith("_"):
            found = _lookup(azure_name, module_name, name)
            if found is not None:
                return found
        raise AttributeError(f"module {module_name!r} has no attribute {name!r}")

    def __dir__() -> list[str]:  # noqa: N807 - Python's name for it
        return sorted({*vars(sys.modules[module_name]), *public_names(azure_name)})

    return __getattr__, __dir__


def _lookup(azure_name: str, module_name: str, name: str) -> Any:
    """Find or make what a public name of a module stands for; None when there is no such name."""
    module = surface()[azure_name]
    if name in module.get("reexports", {}):
        # Looked up anew each time, so that what mock.patch put at its home for a while does not stay here.
        home, _, attribute = module["reexports"][name].rpartition(".")
        return getattr(import_module(_mirrored(home)), attribute)
    if name in module.get("submodules", ()):
        return import_module(f"{module_name}.{name}")

    namespace = vars(sys.modules[module_name])
    if getattr(namespace.get("__spec__"), "_initializing", False):
        # A circular import asks for what the module has yet to define: that is no reason for a stand-in.
        return None
    made: Any
    if name in module.get("constants", {}):
        made = module["constants"][name]
    elif name in module.get("classes", {}):
        made = _make_class(azure_name, module_name, name)
    elif name in module.get("functions", ()):
        made = refusing_function(module_name, name)
    else:
        return None
    return namespace.setdefault(name, made)  # atomic: of several threads, all get the first one's object


class _Refusing(type):
    """Type of the stand-ins: makes every use of the class refuse that is not about its identity.

    No ABCMeta: it would add `register` to every class, and `Model.register` is Azure's.
    """

    _azure_path: str
    _azure_members: Container[str]

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        path = cls._azure_path
        if issubclass(cls, BaseException):
            return super().__call__(*args, **kwargs)  # an exception has no use but to be raised and caught
        raise refusal(path)

    def __getattr__(cls, name: str) -> NoReturn:
        for base in cls.__mro__:
            if name in vars(base).get("_azure_members", ()):
                raise refusal(f"{vars(base)['_azure_path']}.{name}")
        raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")

    @property
    def __doc__(cls) -> str | None:  # type: ignore[override]  # read when asked for: the reason is loaded then
        own = vars(cls)
        return refusal(own["_azure_path"]).message if "_azure_path" in own else own.get("__doc__")

    def __repr__(cls) -> str:
        return f"<class '{cls.__module__}.{cls.__qualname__}' (not supported)>"


def _make_class(azure_name: str, module_name: str, name: str) -> Any:
    """Make the stand-in of a class, below the stand-ins (or classes) of its bases."""
    record = surface()[azure_name]["classes"][name]
    bases = []
    for path in record["bases"]:
        home, _, base = path.rpartition(".")
        bases.append(getattr(import_module(_mirrored(home)), base))
    return refusing_class(module_name, name, *bases, members=record["members"])


def refusing_class(module_name: str, name: str, *bases: type, members: Container[str] = ()) -> Any:
    """Make the stand-in of a class.

    Args:
        module_name: The `__name__` of its module, under azml_compat.
        name: Its name.
        *bases: What it is derived from.
        members: The names that refuse when they are looked up on the class.
    """
    path = f"{_azures(module_name)}.{name}"
    return _Refusing(name, bases, {"__module__": module_name, "_azure_path": path, "_azure_members": members})


def refusing_function(module_name: str, name: str) -> Callable[..., NoReturn]:
    """Make the stand-in of a function; arguments as for `refusing_class`."""
    path = f"{_azures(module_name)}.{name}"

    def refuse(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise refusal(path)

    refuse.__module__ = module_name
    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = refusal(path).message
    return refuse


def _azures(module_name: str) -> str:
    return "azureml" + module_name.removeprefix("azml_compat")


def _mirrored(azure_name: str) -> str:
    return "azml_compat" + azure_name.removeprefix("azureml")
