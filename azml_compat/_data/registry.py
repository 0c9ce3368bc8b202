"""The datasets that a workspace knows: saved definitions, and names for them with versions (records of kind `dataset`).

A definition that was saved without a name is found by its id alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from azml_compat._assets import Asset, Assets
from azml_compat._data.definitions import Definition, digest_of
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from azml_compat._tracking import Store
    from azml_compat.core.workspace import Workspace

_SAVED = "saved:"
"""Begins the name of a record that has no name of a user's."""


def _assets(store: Store) -> Assets:
    return Assets(store, "dataset")


def is_named(asset: Asset) -> bool:
    """Tell whether a record has a name of a user's."""
    return bool(asset.content["is_named"])


def get(store: Store, dataset_id: str) -> Asset | None:
    """Return the record of an id."""
    return _assets(store).get(dataset_id)


def find(store: Store, name: str, version: Any = None) -> Asset:
    """Return a registered dataset.

    Args:
        store: Where.
        name: Its name.
        version: A number, also as text; `latest` or None for the highest.

    Raises:
        UserErrorException: there is none, or the version is no version.
    """
    number = None
    if version not in (None, "latest"):
        try:
            number = int(version)
        except (TypeError, ValueError):
            raise UserErrorException(f"The version of a dataset is a number or 'latest', not {version!r}.") from None
    found = _assets(store).find(name, number)
    if found is None or not is_named(found):
        raise UserErrorException(
            f'Cannot find dataset registered with name "{name}" (version: {number}) in the workspace.'
        )
    return found


def save(store: Store, definition: Definition) -> Asset:
    """Give a definition an id: that of the record which has it, if there is one."""
    known = next(
        (asset for asset in reversed(_assets(store).versions()) if asset.content["definition"] == definition), None
    )
    content = {"is_named": False, "definition": definition, "description": None, "tags": {}}
    return known or _assets(store).put(f"{_SAVED}{digest_of(definition)}", content)


def register(
    store: Store,
    name: str,
    definition: Definition,
    description: str | None,
    tags: Mapping[str, str] | None,
    *,
    create_new_version: bool,
) -> Asset:
    """Register a definition under a name.

    Raises:
        UserErrorException: the name is refused or taken, or another name has this very definition.
    """
    if not isinstance(name, str) or not name or name.startswith(_SAVED):
        raise UserErrorException(f"{name!r} cannot be the name of a dataset.")
    assets = _assets(store)
    named = [asset for asset in assets.versions() if is_named(asset)]
    same_name = [asset for asset in named if asset.name == name]
    if same_name and not create_new_version:
        raise UserErrorException(
            f"There is already a dataset registered under name {name}. Specify `create_new_version=True` to register "
            "the dataset as a new version."
        )
    other = next((asset for asset in named if asset.content["definition"] == definition and asset.name != name), None)
    if other is not None:
        raise UserErrorException(
            f'An identical dataset had already been registered, which can be found by name "{other.name}" and version '
            f'"{other.version}".'
        )
    content = {"is_named": True, "definition": definition, "description": description, "tags": _texts(tags)}
    return assets.add(name, content)


def _texts(tags: Mapping[str, str] | None) -> dict[str, str]:
    return {str(key): str(value) for key, value in (tags or {}).items()}


def update(store: Store, dataset_id: str, description: str | None, tags: Mapping[str, str] | None) -> Asset:
    """Replace description and tags, those that are not None."""
    asset = _known(store, dataset_id)
    content = dict(asset.content)
    if description is not None:
        content["description"] = description
    if tags is not None:
        content["tags"] = _texts(tags)
    return _assets(store).update(asset, content)


def add_tags(store: Store, dataset_id: str, tags: Mapping[str, str]) -> Asset:
    """Add tags.

    Raises:
        UserErrorException: a key has another value already.
    """
    known = _known(store, dataset_id).content["tags"]
    other = sorted(key for key, value in _texts(tags).items() if known.get(key, value) != value)
    if other:
        raise UserErrorException(f"The dataset has other values for the tags {', '.join(other)}. Use update() instead.")
    return update(store, dataset_id, None, {**known, **tags})


def remove_tags(store: Store, dataset_id: str, keys: list[str]) -> Asset:
    """Remove tags; those that are not there are as good as removed."""
    known = _known(store, dataset_id).content["tags"]
    return update(store, dataset_id, None, {key: value for key, value in known.items() if key not in keys})


def _known(store: Store, dataset_id: str) -> Asset:
    found = get(store, dataset_id)
    if found is None:
        raise UserErrorException(f"The dataset {dataset_id} is not registered any more.")
    return found


def unregister(store: Store, name: str) -> None:
    """Remove all versions of a name."""
    _assets(store).remove(name)


class Registered(Mapping[str, Any]):
    """{name: dataset} of what is registered in a workspace, the latest version of each; fetched when it is asked for.

    Args:
        workspace: The workspace.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._store = workspace.service_context.store
        self._fetched: dict[str, Any] = {}

    @property
    def registrations(self) -> list[dict[str, Any]]:
        """What is known of each: name, version, id, description and tags."""
        return [
            {
                "name": asset.name,
                "version": asset.version,
                "id": asset.id,
                "description": asset.content["description"],
                "tags": asset.content["tags"],
            }
            for asset in self._named()
        ]

    def _named(self) -> list[Asset]:
        return [asset for asset in _assets(self._store).latest().values() if is_named(asset)]

    def __getitem__(self, name: str) -> Any:
        if name not in self._fetched:
            from azml_compat.data.abstract_dataset import AbstractDataset  # here: it imports this module

            try:
                self._fetched[name] = AbstractDataset.get_by_name(self._workspace, name)
            except UserErrorException:
                raise KeyError(name) from None
        return self._fetched[name]

    def __iter__(self) -> Iterator[str]:
        return iter([asset.name for asset in self._named()])

    def __len__(self) -> int:
        return len(self._named())

    def __str__(self) -> str:
        import pprint  # here: importing azureml.core stays cheap

        return pprint.pformat(self.registrations)

    def __repr__(self) -> str:
        return str(self)
