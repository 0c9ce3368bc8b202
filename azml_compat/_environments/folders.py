"""Where a project keeps its run configurations and the conda files beside them."""

from __future__ import annotations

from pathlib import Path

_FOLDER = ".azureml"
_OLD_FOLDER = "aml_config"
NAMES = (_OLD_FOLDER, _FOLDER)


def configuration_folder(project: Path) -> Path:
    """Return the folder `.azureml` of a project, or `aml_config` where that is there."""
    old = project / _OLD_FOLDER
    return old if old.is_dir() else project / _FOLDER


def configuration_folders(project: Path) -> tuple[Path, ...]:
    """Return the folders that a project may have."""
    return tuple(project / name for name in NAMES)
