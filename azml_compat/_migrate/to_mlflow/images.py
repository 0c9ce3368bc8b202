"""`run.log_image`: a file under its own path, or a figure under the name and the time."""

from __future__ import annotations

from azml_compat._migrate.to_mlflow.files import stored_file
from azml_compat._migrate.to_mlflow.script import Left
from azml_compat._migrate.to_mlflow.site import Rule, Site, is_none

RULE = "AZ305"


def log_image(site: Site) -> str:
    """Rewrite `run.log_image(name, path, plot, description)`."""
    found = site.bind("name", "path", "plot", "description")
    path, plot = (found.get(key) if not is_none(found.get(key)) else None for key in ("path", "plot"))
    if (path is None) == (plot is None) or "name" not in found:
        raise _unclear(site)
    if path is not None:
        return stored_file(site, path, path)
    assert plot is not None
    return site.piece("log_plot", site.script.new(found["name"]), site.script.new(plot))


def _unclear(site: Site) -> Left:
    return site.left("it is not told whether `log_image` is given a path or a plot")


MEMBERS: dict[str, Rule] = {"log_image": log_image}
