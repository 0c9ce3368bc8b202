"""How a run ends: completed, failed, canceled."""

from __future__ import annotations

from azml_compat._migrate.to_mlflow.site import DELETED, Rule, Site

RULE = "AZ311"


def complete(site: Site) -> str:
    """Rewrite `run.complete()`."""
    site.bind("_set_status")
    return _ended(site)


def fail(site: Site) -> str:
    """Rewrite `run.fail(error_details, error_code)`: MLflow has the status, and no place for the reason."""
    site.bind("error_details", "error_code", "_set_status")
    return _ended(site, "FAILED")


def cancel(site: Site) -> str:
    """Rewrite `run.cancel()`."""
    site.bind()
    return _ended(site, "KILLED")


def flush(site: Site) -> str:
    """Rewrite `run.flush()`: what is logged is in the store at once."""
    if not site.is_statement:
        raise site.left("`flush` gives nothing")
    return DELETED


def _ended(site: Site, status: str | None = None) -> str:
    arguments = () if status is None else (f'"{status}"',)
    if site.is_active and not site.plan.stores_at_end:
        return f"mlflow.end_run({', '.join(arguments)})"
    return site.piece("end_run", *arguments)


MEMBERS: dict[str, Rule] = {"complete": complete, "fail": fail, "cancel": cancel, "flush": flush}
