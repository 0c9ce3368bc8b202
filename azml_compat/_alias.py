"""The import hook that makes the name `azureml` mean `azml_compat`.

One rule: `azureml.x.y` is the module `azml_compat.x.y`, the very same object, so that classes, pickles and
patches are shared by both names. The finder sits first in `sys.meta_path`: behind PathFinder, a submodule
would be found through its package's `__path__` and loaded a second time.

Imported with the package, and by `_bootstrap` in every python that a command starts, so it imports next to nothing
itself. Do not reload it: it holds the one finder.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
from _thread import allocate_lock
from types import CodeType, ModuleType

TYPE_CHECKING = False  # as type checkers know it; typing itself costs more than all the rest
if TYPE_CHECKING:
    from typing import Any

_ALIAS = "azureml"
_REAL = "azml_compat"

# Azure's own private modules that scripts import. All other underscored names are its internals, or ours.
PRIVATE = frozenset(
    {
        "azureml._base_sdk_common",
        "azureml._base_sdk_common.user_agent",
        "azureml._common",
        "azureml._common.exceptions",
        "azureml._restclient",
        "azureml._restclient.constants",
        "azureml._restclient.exceptions",
        "azureml.exceptions._azureml_exception",
    }
)

# What azureml-core would have brought with it, and what stands for that where nothing else is found.
_BROUGHT = "msrest"
_STAND_IN = "azml_compat._msrest"

_lock = allocate_lock()
_replaced: dict[str, ModuleType] = {}  # modules of a real azureml that was imported before install()


def install() -> None:
    """Make `import azureml` give azml_compat, from now on and in the whole process; again is harmless.

    Modules of a real azureml package that are already imported give way, until `uninstall()`.
    """
    with _lock:
        if _finder not in sys.meta_path:
            for name in _aliased_names():
                if not _is_ours(sys.modules[name]):
                    _replaced[name] = sys.modules.pop(name)
        # One assignment, so that no thread sees a moment without it. It also brings the finder back to the
        # front, where somebody else's may have got.
        others = [finder for finder in sys.meta_path if finder is not _finder and finder is not _last_finder]
        sys.meta_path[:] = [_finder, *others, _last_finder]


def uninstall() -> None:
    """Undo `install()`; again, or without it, is harmless. What was imported from azureml stays usable."""
    with _lock:
        if _finder not in sys.meta_path:
            return
        sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not _finder and finder is not _last_finder]
        for name in [*_aliased_names(), _BROUGHT, f"{_BROUGHT}.exceptions"]:
            if name in sys.modules and _is_ours(sys.modules[name]):
                del sys.modules[name]
        sys.modules.update(_replaced)
        _replaced.clear()


def _aliased_names() -> list[str]:
    return [name for name in list(sys.modules) if name == _ALIAS or name.startswith(f"{_ALIAS}.")]


def _is_ours(module: ModuleType) -> bool:
    name = getattr(module, "__name__", "")
    return name == _REAL or name.startswith(f"{_REAL}.")


class _AliasFinder:
    """Finds `azureml` and everything below it, and what is below a stand-in, and nothing else.

    It imports nothing: importlib asks finders under the lock of all imports, and whoever waits there for a module that
    another thread imports, which needs that lock too, waits for ever.
    """

    def find_spec(
        self, fullname: str, path: Any = None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find the module that an azureml name stands for. Of one that is not there, the loader says why.

        Args:
            fullname: Its name.
            path: That of its package, which is imported: the real one's.

        Raises:
            ModuleNotFoundError: It is only asked for, and private.
        """
        if fullname.startswith(f"{_BROUGHT}."):
            return _stand_in(fullname, path) if _is_ours(sys.modules[_BROUGHT]) else None
        if fullname != _ALIAS and not fullname.startswith(f"{_ALIAS}."):
            return None
        is_private = any(part.startswith("_") for part in fullname.split(".")) and fullname not in PRIVATE
        real = None if is_private else _real_spec(_REAL + fullname.removeprefix(_ALIAS), path)
        if real is None:
            missing = _MissingLoader(fullname, is_private=is_private)
            if not _is_only_asked_for():
                return importlib.machinery.ModuleSpec(fullname, missing)  # type: ignore[arg-type]  # as for loader
            if is_private:
                raise missing.error()
            return None
        return _spec_for(fullname, real)


class _LastFinder:
    """Finds the package that azureml-core would have brought with it, where no other finder does."""

    def find_spec(
        self, fullname: str, _path: Any = None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find what stands for msrest; the modules in it are for the first finder, as all that are found by a path."""
        return _stand_in(fullname, sys.modules[_REAL].__path__) if fullname == _BROUGHT else None


def _stand_in(fullname: str, path: Any) -> importlib.machinery.ModuleSpec | None:
    """Find the module of ours that stands for one of msrest; `path` is that of its package, which is imported."""
    real = _real_spec(_STAND_IN + fullname.removeprefix(_BROUGHT), path)
    return None if real is None else _spec_for(fullname, real)


def _spec_for(fullname: str, real: importlib.machinery.ModuleSpec) -> importlib.machinery.ModuleSpec:
    """Return the spec of a name for which a module of ours stands."""
    loader: Any = _AliasLoader(real)  # no importlib.abc.Loader, whose import is not cheap
    spec = importlib.machinery.ModuleSpec(fullname, loader, origin=real.origin)
    spec.submodule_search_locations = real.submodule_search_locations
    return spec


def _real_spec(name: str, path: Any) -> importlib.machinery.ModuleSpec | None:
    """Find a module of ours, whose package is imported."""
    known = getattr(sys.modules.get(name), "__spec__", None)
    return importlib.machinery.PathFinder.find_spec(name, path) if known is None else known


class _MissingLoader:
    """Refuses to load what is not there."""

    def __init__(self, name: str, *, is_private: bool) -> None:
        self._name = name
        self._is_private = is_private

    def create_module(self, _spec: importlib.machinery.ModuleSpec) -> ModuleType:
        raise self.error()

    def exec_module(self, module: ModuleType) -> None:
        """Is asked for by importlib, and never called."""

    def error(self) -> ModuleNotFoundError:
        """Return the error, whose message says why, and what to do."""
        return ModuleNotFoundError(_explain(self._name, is_private=self._is_private), name=self._name)


class _AliasLoader:
    """Puts the real module in the place of the one being loaded; for the rest, speaks for its loader."""

    def __init__(self, real: importlib.machinery.ModuleSpec) -> None:
        self._real = real

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Placeholder(spec.name, self._real.name)

    def exec_module(self, module: ModuleType) -> None:
        # importlib looks at sys.modules again after this: the placeholder vanishes, and the real module keeps
        # the `__spec__` of its own name.
        sys.modules[module.__name__] = _import(self._real.name)

    def get_code(self, _fullname: str) -> CodeType | None:
        """Give the real module's code: `python -m` runs it."""
        code: CodeType | None = self._loader("get_code")(self._real.name)
        return code

    def get_source(self, _fullname: str) -> str | None:
        source: str | None = self._loader("get_source")(self._real.name)
        return source

    def get_filename(self, _fullname: str) -> str:
        filename: str = self._loader("get_filename")(self._real.name)
        return filename

    def get_data(self, path: str) -> bytes:
        data: bytes = self._loader("get_data")(path)
        return data

    def is_package(self, _fullname: str) -> bool:
        return self._real.submodule_search_locations is not None

    def _loader(self, method: str) -> Any:
        return getattr(self._real.loader, method)


class _Placeholder(ModuleType):
    """What is in sys.modules while an alias is being loaded.

    Another thread that imports the same name at that moment waits for it to be loaded, but has already taken
    this object; so it answers as the real module would.
    """

    def __init__(self, name: str, real: str) -> None:
        super().__init__(name)
        self.__dict__["_azml_real"] = real

    def __getattr__(self, name: str) -> Any:
        if name == "__path__":  # asked for by importlib itself, before it sets one
            raise AttributeError(name)
        return getattr(_import(self.__dict__["_azml_real"]), name)


def _import(name: str) -> ModuleType:
    """Import a module, its packages first.

    For a package that another thread imports just now, python waits only when asked for that; and at the end of an
    import it takes the package out of sys.modules for a moment, in which the import of a module below fails.
    """
    package = name.rpartition(".")[0]
    if package:
        _import(package)
    return importlib.import_module(name)


def _is_only_asked_for() -> bool:
    """Tell whether the finder is called by `importlib.util.find_spec`: a question needs no error."""
    frame = sys._getframe(2).f_back  # noqa: SLF001 - past the finder and importlib._bootstrap._find_spec
    return frame is not None and frame.f_globals.get("__name__") == "importlib.util"


def _explain(fullname: str, *, is_private: bool) -> str:
    """Say why there is no such module, and the way out."""
    from azml_compat._support import support_of  # here and not at the top: hardly any process gets here

    known = support_of(fullname)
    if known is not None and not known.importable:
        reason = f"{known.note}{' yet' if known.planned else ''}. Instead: {known.instead}"
    elif is_private:
        reason = "it is private to the Azure ML SDK, use what azureml.core exports"
    else:
        reason = "it is no public module of azureml-core, which is what can be had: guard or remove the import"
    return f"azml_compat answers for `azureml` here and does not provide `{fullname}`: {reason}."


_finder = _AliasFinder()
_last_finder = _LastFinder()
