"""What a workspace holds beside runs and models: datasets, datastores, environments, compute targets.

They live in the tracking store, so that every machine that shares it sees them, as hidden tags of MLflow's Default
experiment: no page of the MLflow UI shows them, `mlflow gc` cannot eat them, and every kind of store has them. A name
may have versions, which are given out without a lock: MLflow has none to offer. See docs/mapping.md.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from azml_compat import _names
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking import ExperimentRecord, Store

Kind = Literal["dataset", "datastore", "environment", "compute", "setting"]

_DEFAULT_EXPERIMENT = "0"
_MAX_VALUE = 4000
"""Characters that go into one tag; databases take 5000."""
_DIGEST = 16
_RETRY_SECONDS = (0.005, 0.5)
"""Between claims of a version that somebody else claimed too: at first, and at most."""
_LOOKS = 20
_LOOK_SECONDS = 0.025
_FIRST_VERSION = 1


@dataclass(frozen=True)
class Asset:
    """One record: what a workspace knows under a name, in one version of it.

    Attributes:
        id: A GUID; it stays when the content changes.
        name: The name.
        version: From 1; always 1 where the kind has no versions.
        created: Milliseconds since the epoch.
        content: What is known; JSON values.
    """

    id: str
    name: str
    version: int
    created: int
    content: dict[str, Any]


class Assets:
    """The records of one kind in a store.

    Args:
        store: The tracking store.
        kind: What they are.
    """

    def __init__(self, store: Store, kind: Kind) -> None:
        self._store = store
        self._prefix = f"{_names.TAG_ASSET}{kind}."

    # -- reading ----------------------------------------------------------------------------------------------

    def find(self, name: str, version: int | None = None) -> Asset | None:
        """Return a version of a name, by default the highest one; None when there is none."""
        found = [asset for asset in self._all() if asset.name == name and version in (None, asset.version)]
        return max(found, key=_version, default=None)

    def get(self, asset_id: str) -> Asset | None:
        """Return the record of an id; None when there is none."""
        return next((asset for asset in self._all() if asset.id == asset_id), None)

    def latest(self) -> dict[str, Asset]:
        """Return {name: its highest version}, by name."""
        found = sorted(self._all(), key=lambda asset: (asset.name, asset.version))
        return {asset.name: asset for asset in found}

    def versions(self, name: str | None = None) -> list[Asset]:
        """Return the versions of a name, or of all names, the lowest first."""
        return sorted((asset for asset in self._all() if name in (None, asset.name)), key=_version)

    def _all(self) -> Iterator[Asset]:
        """Yield what is registered: not what somebody else is just about to."""
        return (asset for asset, is_claim in self._stored() if not is_claim)

    def _stored(self) -> list[tuple[Asset, bool]]:
        """Return every record, and whether it only claims its version."""
        found: list[tuple[Asset, bool]] = []
        for _ in range(_LOOKS):
            try:
                read = [_read(tags, key) for tags in self._tags() for key in filter(self._is_record, tags)]
            except FileNotFoundError:
                # A file store lists the tags, and then reads them: one was removed meanwhile.
                continue
            found = [record for record in read if record is not None]
            if len(found) == len(read):
                break
            # A file store empties a tag before it writes it. Where that was interrupted, it stays so.
            time.sleep(_LOOK_SECONDS)
        return found

    def _tags(self) -> list[Mapping[str, str]]:
        return [holder.tags for holder in self._holders()]

    def _is_record(self, key: str) -> bool:
        return key.startswith(self._prefix) and "." not in key[len(self._prefix) :]

    def _holders(self) -> Iterator[ExperimentRecord]:
        """Yield the experiments that may hold records."""
        try:
            yield self._store.get_experiment(_DEFAULT_EXPERIMENT)
        except ServiceException as error:
            if error.status_code != 404:
                raise
        spare = self._store.find_experiment(_names.EXPERIMENT_RESERVED)
        if spare is not None:
            yield spare

    # -- writing ----------------------------------------------------------------------------------------------

    def add(self, name: str, content: Mapping[str, Any]) -> Asset:
        """Register the next version of a name: one more than the highest, from 1.

        Two that do so at once never get the same version. Each first claims one and then looks whether somebody else
        claims it too: of two claims, at least the later one is seen by the other, which then yields.
        """
        self._holder()  # Creating it would take the lock.
        with self._store.alone():
            return self._add(Asset(str(uuid.uuid4()), name, 0, _now(), dict(content)))

    def _add(self, new: Asset) -> Asset:
        pause, longest = _RETRY_SECONDS
        while True:
            taken = [asset.version for asset, _ in self._stored() if asset.name == new.name]
            new = replace(new, version=max(taken, default=_FIRST_VERSION - 1) + 1)
            self._write(new, is_claim=True)
            rivals = [other for other, _ in self._stored() if (other.name, other.version) == (new.name, new.version)]
            if [other.id for other in rivals] == [new.id]:
                return self._write(new)
            self._erase(new)
            time.sleep(random.uniform(0, pause))
            pause = min(pause * 2, longest)

    def put(self, name: str, content: Mapping[str, Any]) -> Asset:
        """Set what is known under a name that has no versions; the last one to do so wins."""
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
        known = self.find(name)
        created = known.created if known is not None else _now()
        return self._write(Asset(str(uuid.UUID(bytes=digest[:16])), name, _FIRST_VERSION, created, dict(content)))

    def update(self, asset: Asset, content: Mapping[str, Any]) -> Asset:
        """Replace what is known of a record; return it as it is now."""
        return self._write(replace(asset, content=dict(content)))

    def remove(self, name: str) -> None:
        """Remove all versions of a name; one that is not there is as good as removed."""
        for asset in self.versions(name):
            self._erase(asset)

    def _write(self, asset: Asset, *, is_claim: bool = False) -> Asset:
        key = self._prefix + asset.id
        text = json.dumps({**asdict(asset), "claim": is_claim})
        holder = self._holder()
        parts = _parts(key, text) if len(text) > _MAX_VALUE else {}
        # The parts first: with the record itself, all of it is replaced at once.
        self._store.set_experiment_tags(holder.id, {**parts, key: json.dumps([*parts]) if parts else text})
        for tag in holder.tags:
            if tag.startswith(f"{key}.") and tag not in parts:
                self._store.delete_experiment_tag(holder.id, tag)
        return asset

    def _holder(self) -> ExperimentRecord:
        """Return the experiment that takes records."""
        found = next((holder for holder in self._holders() if not holder.is_deleted), None)
        return found or self._store.create_experiment(_names.EXPERIMENT_RESERVED)

    def _erase(self, asset: Asset) -> None:
        key = self._prefix + asset.id
        for holder in self._holders():
            # The record itself first: without it, its parts mean nothing.
            for tag in sorted(tag for tag in holder.tags if tag == key or tag.startswith(f"{key}.")):
                self._store.delete_experiment_tag(holder.id, tag)


def _parts(key: str, text: str) -> dict[str, str]:
    """Cut a text into tags that no other text has."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]
    starts = range(0, len(text), _MAX_VALUE)
    return {f"{key}.{digest}.{number}": text[start : start + _MAX_VALUE] for number, start in enumerate(starts)}


def _read(tags: Mapping[str, str], key: str) -> tuple[Asset, bool] | None:
    """Read one record, and whether it only claims its version; None for what is being written just now."""
    try:
        fields = json.loads(tags[key])
        if isinstance(fields, list):
            fields = json.loads("".join(tags[part] for part in fields))
        is_claim = fields.pop("claim")
        return Asset(**fields), is_claim
    except (ValueError, KeyError):
        return None


def _version(asset: Asset) -> int:
    return asset.version


def _now() -> int:
    return time.time_ns() // 1_000_000
