"""The drain: delivers what stands in the journals of a run to the store, and ends runs whose owner has died.

Anybody may drain at any time - the process itself, the background process, the next one that opens the store: a lock
per run lets one at a time, and doing it twice changes nothing.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from azml_compat._delivery import Away, Delivery, Files, Gone, Report
from azml_compat._journal import JournalFile, Spool
from azml_compat._reporting import message_of
from azml_compat._tracking import Store
from azml_compat._tracking.errors import is_away, not_there_yet
from azml_compat.exceptions import AzureMLException, UserErrorException

_MAX_DELIVERIES = 200
_NOTHING_SEEN: Mapping[str, Files] = MappingProxyType({})


def _told(why: BaseException) -> Exception:
    """Return why a store takes nothing as one of Azure's exceptions."""
    if isinstance(why, UserErrorException) or is_away(why):  # Credentials that were refused are among the former.
        return why  # type: ignore[return-value]  # both are Exceptions
    told = not_there_yet(f"The store takes nothing at the moment: {message_of(why)}")
    told.__cause__ = why
    return told


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


class Drain:
    """Delivers the journals of one spool to their store. One per process; thread-safe.

    Args:
        store: The store.
        spool: Its journals on this machine.
    """

    def __init__(self, store: Store, spool: Spool) -> None:
        self._store = store
        self._spool = spool
        self._deliveries: dict[Path, Delivery] = {}

    def run(
        self, run: str, deadline: float, *, wait: float = math.inf, left: Mapping[str, Files] = _NOTHING_SEEN
    ) -> Report:
        """Deliver the journals of one run.

        Args:
            run: Its id in the store, or the one under which the spool has it.
            deadline: Of `time.monotonic`; after it no further delivery begins.
            wait: Seconds, while somebody else is delivering the run; by default until the deadline.
            left: By name of a journal, the files of its folders as its process left them, where that was seen to die.
        """
        report = Report()
        until = min(deadline, time.monotonic() + wait)
        for name in self._spool.names_of(run):
            self._journals(name, until, deadline, report, left)
        return report

    def _journals(self, name: str, until: float, deadline: float, report: Report, left: Mapping[str, Files]) -> None:
        """Deliver the journals in one folder of the spool, if nobody else is at it until `until`."""
        with self._spool.locked(name, until) as has_lock:
            if not has_lock:
                report.is_busy |= bool(self._spool.journals(name))
                return
            for path in self._spool.journals(name):
                if report.away is not None:
                    # Asking again would take as long again, and what follows may need what comes before: the owner's
                    # journal makes a run that was started while the store was away.
                    report.pending += _size(path)
                    continue
                with contextlib.suppress(FileNotFoundError), self._spool.open(path) as file:
                    self._journal(file, deadline, report, left.get(file.name))
            self._spool.tidy(name)

    def _journal(self, file: JournalFile, deadline: float, report: Report, left: Files | None) -> None:
        is_abandoned = file.is_abandoned
        if not (file.is_local or is_abandoned):
            return  # Another machine's, which may be writing: only there can anybody know.
        if file.header is None:
            if is_abandoned:
                self._set_aside(file, "The journal is damaged, or was written by a later version.", report)
            return
        delivery = self._deliveries.get(file.path)
        if delivery is None or delivery.cursor != file.cursor:
            delivery = self._deliveries[file.path] = Delivery(self._store, file)
            self._forget_oldest()
        delivery.file = file
        # What is logged from now on is the next drain's: a process may log faster than its store takes it.
        delivery.until = file.size
        try:
            if delivery.find_run(is_abandoned=is_abandoned):
                delivery.deliver(deadline, report)
                if is_abandoned and not delivery.pending:
                    delivery.end_for_owner(report, left)
            if is_abandoned and not delivery.pending:
                if not file.header.store:
                    report.refused.append(
                        AzureMLException(f"The header of a journal of run {file.header.run} is damaged.")
                    )
                self._remove(file)
        except Away as away:
            report.away = _told(away.__cause__ or away)
        except Gone as gone:
            if file.own is not None or is_abandoned:
                self._set_aside(file, f"Run {delivery.run_id} is not in the store any more.", report)
                return
            report.away = _told(gone.__cause__ or gone)  # Its process lives, and finds out itself.
        except Exception as error:  # noqa: BLE001 - whatever it is, no other journal is to wait for this one
            report.away = _told(error)
        report.pending += delivery.pending

    def _forget_oldest(self) -> None:
        """Keep the deliveries in bounds: one that is made anew goes on where the store and the cursor say."""
        while len(self._deliveries) > _MAX_DELIVERIES:
            self._deliveries.pop(next(iter(self._deliveries.copy())), None)

    def _remove(self, file: JournalFile) -> None:
        self._deliveries.pop(file.path, None)
        file.remove()

    def _set_aside(self, file: JournalFile, why: str, report: Report) -> None:
        """Keep a journal that can never be delivered where nobody tries again."""
        report.refused.append(AzureMLException(f"{why} What was logged is kept in {file.path}.undeliverable."))
        self._deliveries.pop(file.path, None)
        if file.own is None:
            file.set_aside()
        else:
            file.own.is_undeliverable = True
