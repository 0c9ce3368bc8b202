"""Files of a run: uploads under names of their own, and what gets them back."""

from __future__ import annotations

import ast
import posixpath

from azml_compat._files import normalise, stored_path
from azml_compat._migrate.to_mlflow.site import Rule, Site, is_none, literal, quoted

RULE = "AZ308"


def upload_file(site: Site) -> str:
    """Rewrite `run.upload_file(name, path_or_stream, datastore_name)`."""
    return stored_file(site, *_uploaded(site, "path_or_stream", "file"))


def _uploaded(site: Site, parameter: str, what: str) -> tuple[ast.expr, ast.expr]:
    """Return the name and the source of an upload whose result is not used."""
    found = site.bind("name", parameter, "datastore_name")
    if "name" not in found or parameter not in found:
        raise site.left(f"`upload_{what}` is called without a name or a {what}")
    if not site.is_statement:
        raise site.left(f"what `upload_{what}` returns has no equivalent: use the name of the {what}")
    return found["name"], found[parameter]


def stored_file(site: Site, name: ast.expr, file: ast.expr) -> str:
    """Return what stores a file under a name: MLflow's own call where the file has that name already."""
    wanted, path = literal(name), literal(file)
    if wanted is not None:
        stored = stored_path(normalise(wanted))
        folder, base = posixpath.split(stored)
        if path is not None and posixpath.basename(path) == base:
            return site.fluent("log_artifact", site.script.new(file), *([quoted(folder)] if folder else ()))
        return site.piece(
            "log_file", site.script.new(name) if stored == wanted else quoted(stored), site.script.new(file)
        )
    return site.piece("log_file", site.script.new(name), site.script.new(file))


def upload_files(site: Site) -> str:
    """Rewrite `run.upload_files(names, paths, return_artifacts, timeout_seconds, datastore_name)`."""
    if not site.is_statement:
        raise site.left("what `upload_files` returns has no equivalent: use the names of the files")
    parameters = ("names", "paths", "return_artifacts", "timeout_seconds", "datastore_name")
    return site.called("log_files", parameters, parameters[2:])


def upload_folder(site: Site) -> str:
    """Rewrite `run.upload_folder(name, path, datastore_name)`."""
    given, folder = _uploaded(site, "path", "folder")
    name = literal(given)
    written = site.script.new(given)
    if name is not None and stored_path(normalise(name)) != name:
        written = quoted(stored_path(normalise(name)))
    return site.fluent("log_artifacts", site.script.new(folder), written)


def get_file_names(site: Site) -> str:
    """Rewrite `run.get_file_names()`."""
    site.bind()
    return site.piece("get_file_names")


def download_file(site: Site) -> str:
    """Rewrite `run.download_file(name, output_file_path)`."""
    parameters = ("name", "output_file_path", "_validate_checksum")
    return site.called("download_file", parameters, parameters[2:])


def download_files(site: Site) -> str:
    """Rewrite `run.download_files(prefix, output_directory, …)`."""
    parameters = ("prefix", "output_directory", "output_paths", "batch_size", "append_prefix", "timeout_seconds")
    found = site.bind(*parameters)
    if "output_paths" in found and not is_none(found["output_paths"]):
        raise site.left("`download_files` with `output_paths`: download each file to its path")
    return site.called("download_files", parameters, ("output_paths", "batch_size", "timeout_seconds"))


MEMBERS: dict[str, Rule] = {
    "upload_file": upload_file,
    "upload_files": upload_files,
    "upload_folder": upload_folder,
    "get_file_names": get_file_names,
    "download_file": download_file,
    "download_files": download_files,
}
