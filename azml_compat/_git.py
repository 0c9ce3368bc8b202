"""Where the script's code comes from: the git facts that Azure keeps as run properties, and MLflow as its source."""

from __future__ import annotations

import os
from pathlib import Path

from azml_compat import _names
from azml_compat._tracking.addresses import without_credentials

_SECONDS = 5


def properties(folder: Path) -> dict[str, str]:
    """Return the properties `azureml.git.*` and `mlflow.source.git.*` of a folder; {} outside a repository.

    Each can be overridden by its environment variable (AZUREML_GIT_REPOSITORY_URI and so on).
    """
    facts = _facts(folder) if _is_in_repository(folder) else {}
    for name in ("repository_uri", "branch", "commit", "dirty", "build_id", "build_uri"):
        value = os.environ.get(f"AZUREML_GIT_{name.upper()}")
        if value:
            facts[name] = value
    found = {f"azureml.git.{name}": value for name, value in facts.items()}
    for name, tag in (
        ("repository_uri", _names.TAG_GIT_REPO),
        ("branch", _names.TAG_GIT_BRANCH),
        ("commit", _names.TAG_GIT_COMMIT),
    ):
        if name in facts:
            found[tag] = facts[name]
    return found


def _is_in_repository(folder: Path) -> bool:
    folder = folder.resolve()
    return any((parent / ".git").exists() for parent in (folder, *folder.parents))


def _facts(folder: Path) -> dict[str, str]:
    status = _git(folder, "status", "--porcelain", "--untracked-files=no")
    facts = {
        "repository_uri": _shown(_git(folder, "ls-remote", "--get-url")),
        "branch": _git(folder, "symbolic-ref", "--short", "HEAD"),
        "commit": _git(folder, "rev-parse", "HEAD"),
        "dirty": None if status is None else str(bool(status)),
    }
    return {name: value for name, value in facts.items() if value}


def _git(folder: Path, *arguments: str) -> str | None:
    import subprocess  # costs 3 ms, and an import of Run asks git nothing

    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _shown(url: str | None) -> str | None:
    # `ls-remote --get-url` answers "origin" where no remote is configured.
    return None if url is None or url == "origin" else without_credentials(url)
