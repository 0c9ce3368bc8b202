"""Base of environments, run configurations and their sections: attribute trees that refuse what they do not know.

A misspelt attribute must fail where it is set, and not be without effect on the cluster. What a section holds is its
attributes, in the order in which its constructor sets them; written down, their names are camelCase.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

_Element = TypeVar("_Element", bound="_AbstractRunConfigElement")


class _AbstractRunConfigElement:
    """Accepts attributes that it does not have until its constructor sets `_initialized`, and none from then on."""

    _initialized = False
    _written: ClassVar[dict[str, str]] = {}
    """{attribute: its name when it is written down}, where that is not simply its camelCase."""
    _parts: ClassVar[dict[str, type[_AbstractRunConfigElement]]] = {}
    """{attribute: class of the section in it, or of each one of a list or dict of them}, for reading."""
    _unwritten: ClassVar[frozenset[str]] = frozenset()
    """Attributes that are not written down; secrets are among them."""

    def __setattr__(self, name: str, value: Any) -> None:
        # Not hasattr(self, name): reading a deprecated property warns.
        if self._initialized and name not in vars(self) and not hasattr(type(self), name):
            raise AttributeError(f"{type(self)} has no attribute {name}")
        super().__setattr__(name, value)

    def _to_dict(self) -> dict[str, Any]:
        """Return what is in here and below as JSON values with camelCase keys; secrets are left out."""
        return {key: written(getattr(self, attribute)) for attribute, key in self._keys()}

    def _update(self: _Element, values: dict[str, Any]) -> _Element:
        """Take over what was written down, in camelCase or snake_case; what is not known is passed over."""
        attributes = {_folded(spelling): attribute for attribute, key in self._keys() for spelling in (attribute, key)}
        for key, value in values.items():
            attribute = attributes.get(_folded(key))
            if attribute is not None:
                self._put(attribute, value)
        return self

    def _put(self, attribute: str, value: Any) -> None:
        """Set an attribute to what was written down of it."""
        part = self._parts.get(attribute.lstrip("_"))
        if part is not None and isinstance(value, list):
            value = [part()._update(item) if isinstance(item, dict) else item for item in value]
        elif part is not None and isinstance(value, dict):
            is_many = isinstance(getattr(self, attribute), dict)
            value = {key: part()._update(item) for key, item in value.items()} if is_many else part()._update(value)
        setattr(self, attribute, value)

    def _keys(self) -> list[tuple[str, str]]:
        """List (attribute, its name when it is written down); properties by the attribute that is behind them."""
        public = {attribute: attribute.lstrip("_") for attribute in vars(self) if attribute != "_initialized"}
        return [
            (attribute, self._written.get(name) or camel_case(name))
            for attribute, name in public.items()
            if name not in self._unwritten
        ]


def written(value: Any) -> Any:
    """Return a value as it is written down: as JSON has it."""
    if hasattr(value, "_to_dict"):
        return value._to_dict()
    if isinstance(value, dict):
        return {str(key): written(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [written(item) for item in value]
    return value if value is None or isinstance(value, str | int | float) else str(value)


def filled(element: _Element, values: dict[str, Any]) -> _Element:
    """Return an environment, a run configuration or a section after it took over what was written down."""
    return element._update(values)


def camel_case(name: str) -> str:
    """Write a name as JSON has it: `base_image` is `baseImage`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _folded(key: str) -> str:
    """Make one of all spellings of a name."""
    return str(key).replace("_", "").lower()
