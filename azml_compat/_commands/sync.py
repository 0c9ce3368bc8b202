"""`azml-compat sync`: sends what journals of this machine still hold, from all stores whose address is known."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from azml_compat import _runtime
from azml_compat._backlog import Backlog, backlogs
from azml_compat._delivery import Report
from azml_compat._draining import Drain
from azml_compat._journal import Spool
from azml_compat._reporting import message_of
from azml_compat._tracking import Store
from azml_compat._tracking.addresses import without_credentials


def main(arguments: Sequence[str]) -> int:
    """Send what is left, and say how it went; return the exit code: 0 when nothing is left, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="azml-compat sync", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="only say what is to be sent")
    parser.add_argument("--timeout", default=60.0, type=float, metavar="SECONDS", help="for each run (default 60)")
    options = parser.parse_args(arguments)
    is_done = True
    for backlog in backlogs():
        is_done &= _show(backlog) if options.dry_run else _send(backlog, options.timeout)
    if is_done:
        print("Nothing is left to be sent.")
    return 0 if is_done else 1


def _show(backlog: Backlog) -> bool:
    """Say what there is to be sent; True when there is nothing."""
    _show_leftovers(backlog)
    for run, size in backlog.runs.items():
        print(f"Run {run} of {backlog.store or 'a store that its journal does not name'}: {size:,} bytes to be sent")
    return not backlog.runs


def _show_leftovers(backlog: Backlog) -> None:
    for host in sorted(backlog.elsewhere):
        print(f"There are journals of the machine {host} in {backlog.spool.folder}; only there they can be sent.")
    for path in backlog.refused:
        print(f"The store refused what is kept in {path}; it is not tried again.")


def _send(backlog: Backlog, seconds: float) -> bool:
    """Send what there is; True when nothing is left."""
    _show_leftovers(backlog)
    if not backlog.runs:
        return True
    if not backlog.store:
        print(
            f"{len(backlog.runs)} runs in {backlog.spool.folder} are not sent: their journals are damaged where they "
            "name the store. The next script that uses it sends them."
        )
        return False
    store = _store_of(backlog)
    if store is None:
        print(
            f"{len(backlog.runs)} runs of {backlog.store} are not sent: that store wants credentials, which "
            "are kept nowhere. Set MLFLOW_TRACKING_URI to its whole address, and say `azml-compat sync` again."
        )
        return False
    drain = Drain(store, backlog.spool)
    return sum(not _send_run(drain, run, backlog.store, seconds) for run in backlog.runs) == 0


def _store_of(backlog: Backlog) -> Store | None:
    """Return the store of a backlog, with the credentials that this process has been given for it."""
    mine = _runtime.store().uri
    if without_credentials(mine) == backlog.store and Spool(mine).folder == backlog.spool.folder:
        # Not that store itself, which delivers what it finds as soon as it is opened.
        return Store(mine, may_create=False)
    return None if backlog.needs_credentials else Store(backlog.store, may_create=False)


def _send_run(drain: Drain, run: str, shown: str, seconds: float) -> bool:
    began = time.monotonic()
    total = Report()
    while True:
        report = drain.run(run, began + seconds)
        total.delivered += report.delivered
        total.refused += report.refused
        total.ended += report.ended
        total.away = report.away or total.away  # The last attempt may have had no time to ask.
        if report.is_complete or time.monotonic() - began >= seconds:
            break
        time.sleep(0.5)
    ended = " It is Failed now: its process is gone, and had not ended it." if total.ended else ""
    print(f"Run {run} of {shown}: {total.delivered:,} values sent.{ended}")
    for error in total.refused:
        print(f"    refused: {message_of(error)}")
    if not report.is_complete:
        reason = message_of(total.away) if total.away is not None else "another process is sending it"
        print(f"    not all could be sent: {reason}")
    return report.is_complete and not total.refused
