"""What the store says of experiments, runs, files and models, without MLflow's own types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from azml_compat._metrics import Latest


@dataclass(frozen=True)
class ExperimentRecord:
    """One MLflow experiment."""

    id: str
    name: str
    is_deleted: bool
    tags: Mapping[str, str]


@dataclass(frozen=True)
class RunRecord:
    """One MLflow run as it was when it was read. Times are milliseconds since the epoch."""

    id: str
    experiment_id: str
    status: str
    start_time: int
    end_time: int | None
    artifact_uri: str
    is_deleted: bool
    tags: Mapping[str, str]
    params: Mapping[str, str]
    latest: tuple[Latest, ...]

    def with_tags(self, tags: Mapping[str, str]) -> RunRecord:
        """Return a copy with `tags` set on top."""
        return replace(self, tags={**self.tags, **tags})

    def with_status(self, status: str, end_time: int | None = None) -> RunRecord:
        """Return a copy with another status, and an end where one is given."""
        return replace(self, status=status, end_time=self.end_time if end_time is None else end_time)


@dataclass(frozen=True)
class ArtifactFile:
    """One file or folder among the artifacts of a run; size in bytes, None for a folder."""

    path: str
    is_folder: bool
    size: int | None


@dataclass(frozen=True)
class ModelRecord:
    """One version of a registered model. created_time is milliseconds since the epoch."""

    name: str
    version: int
    source: str
    run_id: str | None
    description: str
    created_time: int
    tags: Mapping[str, str]
