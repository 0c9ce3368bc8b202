"""The drain: delivers what stands in the journals of a run to the store, and ends runs whose owner has died.

Anybody may drain at any time - the process itself, the background process, the next one that opens the store: a lock
per run lets one at a time, and doing it twice changes nothing.
"""

from __future__ import annotations

from pathlib import Path

from azml_compat._delivery import Away, Delivery, Gone, Report
from azml_compat._journal import JournalFile, Spool
from azml_compat._tracking import Store
from azml_compat.exceptions import AzureMLException

_MAX_DELIVERIES = 200


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

    def run(self, run: str, deadline: float, *, watched: bool = False) -> Report:
        """Deliver the journals of one run.

        Args:
            run: The id under which the spool has it.
            deadline: Of `time.monotonic`; after it no further delivery begins.
            watched: This process has seen the owner alive a moment ago, so that the folders which are to be taken at
                the end of the run are as the owner left them.
        """
        report = Report()
        with self._spool.locked(run, deadline) as has_lock:
            if not has_lock:
                report.is_busy = self._spool.has_journals(run)
                return report
            for path in self._spool.journals(run):
                try:
                    with self._spool.open(path) as file:
                        self._journal(file, deadline, report, watched=watched)
                except FileNotFoundError:
                    continue
            self._spool.tidy(run)
        return report

    def _journal(self, file: JournalFile, deadline: float, report: Report, *, watched: bool) -> None:
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
                    delivery.end_for_owner(report, watched=watched)
            if is_abandoned and not delivery.pending:
                if not file.header.store:
                    report.refused.append(
                        AzureMLException(f"The header of a journal of run {file.header.run} is damaged.")
                    )
                self._remove(file)
        except Away as away:
            report.away = away.__cause__ if isinstance(away.__cause__, Exception) else away
        except Gone:
            self._set_aside(file, f"Run {delivery.run_id} is not in the store any more.", report)
            return
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
