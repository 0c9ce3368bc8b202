"""`run.log_row` and `log_table`: numbers are metrics `name.column` with the row as step, and the whole is a table."""

from __future__ import annotations

from azml_compat._migrate.to_mlflow.site import Rule, Site

RULE = "AZ304"
_RUN_ID = "run_id"


def log_row(site: Site) -> str:
    """Rewrite `run.log_row(name, description, **columns)`."""
    assert site.call is not None
    call, script = site.call, site.script
    given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    name = call.args[0] if call.args else given.get("name")
    if name is None or len(call.args) > 2:
        raise site.left("`log_row` without a name")
    columns = [keyword for keyword in call.keywords if keyword.arg not in ("name", "description")]
    others = len(call.args) - 1 + len(call.keywords) - len(columns)
    if call.args and not others and site.is_active:
        return site.same_arguments("log_row")
    written = [script.new(keyword.value) for keyword in columns]
    arguments = [
        f"**{text}" if keyword.arg is None else f"{keyword.arg}={text}"
        for keyword, text in zip(columns, written, strict=True)
    ]
    run = () if site.is_active else (site.run_id,)
    return f"{site.plan.piece('log_row')}({', '.join((script.new(name), *run, *arguments))})"


def log_table(site: Site) -> str:
    """Rewrite `run.log_table(name, value, description)`."""
    return site.called("log_table", ("name", "value", "description"), ["description"])


MEMBERS: dict[str, Rule] = {"log_row": log_row, "log_table": log_table}
