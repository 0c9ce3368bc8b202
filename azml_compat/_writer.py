"""The writer of a run: the one way by which log calls are kept.

One writer serves all `Run` objects of one run in one process. A log call ends when its line stands in the journal;
the store gets it later, from whoever drains. Where no journal can be had - no private folder, no locks, a full disk -
calls go through to the store, and fail when that fails.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from azml_compat import _names
from azml_compat._delivery import Direct, Report, identity_of
from azml_compat._draining import Drain
from azml_compat._journal import Header, Journal, Spool, places, rejected_beside
from azml_compat._metrics import Batch, Column, Encoder
from azml_compat._metrics.records import KeyRecord, Record, StepRecord
from azml_compat._reporting import logger, message_of
from azml_compat._tracking import Store
from azml_compat._tracking.addresses import without_credentials
from azml_compat._tracking.errors import not_there_yet
from azml_compat.exceptions import AuthenticationException, AzureMLException, UserErrorException

_RETRY_SECONDS = (0.05, 1.0)
"""Between attempts to reach the store within one flush: the first pause, and the longest."""
_BUSY_SECONDS = 8.0
"""For how long somebody else may deliver a run without getting ahead."""
_LOOK_SECONDS = 0.5
"""Between two looks at that."""
_PAST_SECONDS = 10
"""For delivering what a journal holds before a line that it cannot take."""
_PAST_AWAY_SECONDS = 1
_MAX_KEPT_BYTES = 64 << 20
"""Of a file whose content is kept with the journal while the store is away."""
_CHUNK = 1 << 20
_LEAVE_SECONDS = 300
"""For what other threads logged while a run ended, while the store takes it."""
_LEAVE_AWAY_SECONDS = 1
"""The same while it does not."""


class Outbox:
    """What the writers of one process share: the store, its journals on this machine, and the drain.

    Args:
        store: The store.
        spool: Its journals on this machine; None where there can be none.
        on_journal: Told, with the store's URI and the spool, that this process keeps a journal from now on.
    """

    def __init__(self, store: Store, spool: Spool | None, on_journal: Callable[[str, Spool], None]) -> None:
        self.store = store
        self.spool = spool
        self._on_journal = on_journal
        self.drain = Drain(store, spool) if spool is not None else None

    def header(self, run: str, *, is_owner: bool, **more: Any) -> Header:
        """Return the header of a new journal of this process."""
        shown = without_credentials(self.store.uri)
        return Header.of_this_process(
            run=run, is_owner=is_owner, store=shown, has_credentials=shown != self.store.uri, **more
        )

    def create_journal(self, run: str, header: Header) -> Journal | None:
        """Create a journal, or return None where none can be had."""
        if self.spool is None:
            return None
        try:
            journal = self.spool.create(run, header, _sync_seconds())
        except OSError as error:
            logger.warning("No journal can be kept in %s: %s. Log calls go to the store.", self.spool.folder, error)
            return None
        self._on_journal(self.store.uri, self.spool)
        return journal

    def flush(self, run: str, seconds: float, away_seconds: float | None = None) -> Report:
        """Deliver everything that processes of this machine logged to a run, trying again until it is done.

        Args:
            run: The id under which the spool has it.
            seconds: After these, what is left is reported.
            away_seconds: The same for a store that cannot be reached; default `seconds`.
        """
        if self.drain is None or self.spool is None:
            return Report()
        try:
            return self._flush(self.drain, self.spool, run, seconds, away_seconds)
        except OSError as error:
            # No more files can be opened, or the disk fails: what is logged goes on, and what was logged is there.
            return Report(away=not_there_yet(f"What was logged cannot be read from {self.spool.folder}: {error}"))

    def _flush(self, drain: Drain, spool: Spool, run: str, seconds: float, away_seconds: float | None) -> Report:
        total = Report()
        if not spool.has_journals(run):
            return total
        began = time.monotonic()
        quiet_seconds = seconds if away_seconds is None else _BUSY_SECONDS
        pause, longest = _RETRY_SECONDS
        with self.store.patience(seconds):
            while True:
                report = self._drain_once(drain, spool, run, began + seconds, quiet_seconds)
                total.delivered += report.delivered
                total.refused += report.refused
                total.pending, total.away, total.is_busy = report.pending, report.away, report.is_busy
                limit = seconds if report.away is None or away_seconds is None else away_seconds
                is_refused = isinstance(report.away, (AuthenticationException, UserErrorException))
                is_over = report.is_complete or report.is_busy or is_refused or self.store.patience_left <= pause
                if is_over or time.monotonic() + pause >= began + limit:
                    return total
                time.sleep(pause)
                if report.away is not None:
                    self.store.note_waiting(pause)
                pause = min(pause * 2, longest)

    def _drain_once(self, drain: Drain, spool: Spool, run: str, deadline: float, quiet_seconds: float) -> Report:
        """Drain a run. Where somebody else is at it, wait as long as that gets ahead: it may wait for the store.

        Where it is this very thread, in a call that a signal handler has interrupted, waiting would be in vain.
        """
        report = drain.run(run, deadline, wait=0)
        if report.is_busy and any(map(spool.is_held_here, spool.names_of(run))):
            return report
        reached = spool.reached(run) if report.is_busy else {}
        quiet_since = time.monotonic()
        while report.is_busy and self.store.patience_left > 0:
            began = time.monotonic()
            if began >= min(deadline, quiet_since + quiet_seconds):
                self.store.note_silence()
                break
            earlier, report = report, drain.run(run, deadline, wait=_LOOK_SECONDS)
            report.delivered += earlier.delivered
            report.refused[:0] = earlier.refused
            before, reached = reached, spool.reached(run)
            if any(reached.get(path) != at for path, at in before.items()):
                quiet_since = time.monotonic()
                self.store.note_answer()
            elif report.is_busy:
                self.store.note_waiting(time.monotonic() - began)
        return report


class RunWriter:
    """Writes to one run, from any thread of this process.

    Args:
        outbox: What the writers of this process share.
        run: The run's id in the store, or the one that stands for it while the store is away.
        is_owner: This process created the run, and ends it.
        journal: The journal of a run that was created just now; by default one is made when something is logged.
        encoder: Makes the encoder that continues what the run holds; asked when a metric is logged.
        is_stand_in: The store was away when the run was created, so that `run` only stands for its id.
    """

    def __init__(
        self,
        outbox: Outbox,
        run: str,
        *,
        is_owner: bool,
        journal: Journal | None,
        encoder: Callable[[], Encoder],
        is_stand_in: bool = False,
    ) -> None:
        self.run = run
        self._is_stand_in = is_stand_in
        self.is_owner = is_owner
        self.is_stale = False
        """Set where nothing may be written any more: in a forked child, whose runs are its parent's."""
        self.encoder: Encoder | None = None
        self._outbox = outbox
        self._make_encoder = encoder
        self._journal = journal
        self._direct: Direct | None = None
        # Reentrant: a signal handler may log, or end the run, in the middle of a log call.
        self._lock = threading.RLock()
        self._with_view: set[str] = set()
        self._has_queued = False
        self._rejections = 0
        self._settled_id: str | None = None
        self._untold: list[Exception] = []
        self._has_told = False
        """That the journal cannot take more."""
        self._owed: list[Record] = []
        self._blank_size = journal.size if journal is not None else -1

    # -- log calls --------------------------------------------------------------------------------------------

    def append_scalar(self, name: str, column: Column, step: int | None) -> None:
        """Log the value, or values, of one column named like the metric."""
        cells = column.cells
        encoder = self.encoder
        if step is None and encoder is not None and len(cells) == 1:
            with self._lock:
                line = None if self._owed else encoder.encode_plain(name, cells[0])
                if line is not None:
                    self._write(line)
                    return
        self.append(name, [column], step)

    def append(self, name: str, columns: Sequence[Column], step: int | None = None) -> None:
        """Log `columns`, all of one length, as rows of metric `name`."""
        with self._lock:
            for batch in self._encoder().encode(name, columns, step):
                self._write_batch(batch)
            if _has_view(name, columns):
                self._with_view.add(name)

    def append_artifact(self, name: str, path: str, kind: str) -> None:
        """Log the run's file `path` as a row of metric `name`."""
        with self._lock:
            self._write_batch(self._encoder().encode_artifact(name, path, kind))
            self._with_view.add(name)

    def append_record(self, record: Record) -> None:
        """Add a record that describes no metric."""
        with self._lock:
            self._write_batch(Batch([record]))

    def _encoder(self) -> Encoder:
        if self.encoder is None:
            self.encoder = self._make_encoder()
        return self.encoder

    def _write_batch(self, batch: Batch) -> None:
        """Write a batch with what is owed: records of one that could not be written, which the encoder gives once."""
        batch.records = self._owed + batch.records
        try:
            self._write(batch.dump())
        except BaseException:
            self._owed = [record for record in batch.records if isinstance(record, (KeyRecord, StepRecord))]
            raise
        self._owed = []

    def _write(self, line: str) -> None:
        journal = self._journal or self._open()
        if journal is None:
            self._write_through(line)
            return
        try:
            journal.write(line)
        except OSError as error:
            if not self._has_told:
                self._has_told = True
                logger.warning("The journal %s cannot take more: %s. Log calls go to the store.", journal.path, error)
            self._write_past(journal, line, error)

    def _open(self) -> Journal | None:
        """Create this process's journal of the run, at the first thing that is logged."""
        if self._direct is None and self._journal is None:
            # A thread that logs on after the run was left does not own it.
            header = self._outbox.header(self.run, is_owner=self.is_owner and not self.is_stale)
            self._journal = self._outbox.create_journal(self.run, header)
        return self._journal

    def _write_through(self, line: str) -> None:
        if self._direct is None:
            run = self.settled_id() if self._is_stand_in else self.run
            if run is None:
                raise not_there_yet(f"Run {self.run} is not in the store yet.")
            self._direct = Direct(self._outbox.store, run)
        self._direct.send(line)

    def _write_past(self, journal: Journal, line: str, error: OSError) -> None:
        """Deliver a line that the journal did not take, after all that it did take, as far as that can be delivered.

        Points know their place, so that it makes no difference when they arrive.

        Raises:
            AzureMLException: the store does not take it either.
        """
        self._outbox.flush(journal.path.parent.name, _PAST_SECONDS, _PAST_AWAY_SECONDS)
        try:
            with self._outbox.store.briefly(_PAST_SECONDS):
                self._write_through(line)
        except Exception as cause:
            raise AzureMLException(
                f"The value is not logged: the journal {journal.path} cannot take it ({error}), and neither can the "
                f"store ({message_of(cause)})."
            ) from cause

    # -- what is kept while the store is away -----------------------------------------------------------------

    @property
    def has_queued(self) -> bool:
        """Whether tags or files wait for the store to come back, so that later ones must wait behind them."""
        return self._has_queued

    def queue_tags(self, tags: Mapping[str, str]) -> None:
        """Have tags set when the store is back."""
        self._queue({"op": "tags", "tags": dict(tags)})

    def queue_file(self, source: Path | IO[bytes], path: str) -> None:
        """Have a file stored at `path` when the store is back; its content is kept until then.

        Raises:
            AzureMLException: it is larger than 64 MB, or there is no journal.
        """
        with self._lock, self._keeping() as journal:
            folder = journal.path.with_suffix(".files")
            folder.mkdir(mode=0o700, exist_ok=True)
            kept = folder / f"{time.time_ns():x}-{os.urandom(3).hex()}"
            try:
                _keep(source, kept, path)
                self._queue({"op": "put", "path": path, "content": kept.name})
            except BaseException:
                kept.unlink(missing_ok=True)
                raise

    def queue_take(self, file: Path, name: str) -> None:
        """Have a local file taken into the run as `name` when the store is back, if it still is the same then."""
        self._queue({"op": "take", "local": str(file.absolute()), "name": name, "identity": identity_of(file)})

    def queue_end(self, status: str, tags: Mapping[str, str]) -> None:
        """Have the run ended with MLflow's `status` and these tags when the store is back."""
        self._queue({"op": "end", "status": status, "time": time.time_ns() // 1_000_000, "tags": dict(tags)})

    def _queue(self, operation: dict[str, Any]) -> None:
        with self._lock, self._keeping() as journal:
            journal.write(json.dumps(operation))
            self._has_queued = True

    @contextlib.contextmanager
    def _keeping(self) -> Iterator[Journal]:
        """Give the journal, which is to keep something while the store is away.

        Raises:
            AzureMLException: it cannot.
        """
        journal = self._journal or self._open()
        if journal is None:
            raise AzureMLException("The store cannot be reached, and there is no journal to keep this in until then.")
        try:
            yield journal
        except OSError as error:
            if not places.takes_nothing(error):
                raise
            raise AzureMLException(
                f"The store cannot be reached, and {journal.path.parent} cannot keep this until then: {error}."
            ) from error

    # -- delivery ---------------------------------------------------------------------------------------------

    def take_changed_views(self) -> set[str]:
        """Return the names of the metrics with a table or picture that grew since the last call."""
        with self._lock:
            names, self._with_view = self._with_view, set()
            return names

    @property
    def is_blank(self) -> bool:
        """Whether this process has created the run, and logged nothing to it."""
        return self._journal is not None and self._journal.size == self._blank_size

    @property
    def spooled_as(self) -> str:
        """The id under which the spool has the run."""
        journal = self._journal
        return journal.path.parent.name if journal is not None else self.run

    def flush(self, seconds: float, away_seconds: float | None = None) -> Report:
        """Deliver what was logged to the run on this machine, as `Outbox.flush`; never raises for the store."""
        report = self._outbox.flush(self.spooled_as, seconds, away_seconds)
        if report.is_complete:
            self._has_queued = False
        report.refused += self._new_rejections(len(report.refused))
        report.refused[:0], self._untold = self._untold, []
        return report

    def deliver(self, seconds: float, away_seconds: float | None = None) -> Report:
        """Do as `flush` where what the store refused is of no interest: the next `flush` tells it."""
        report = self.flush(seconds, away_seconds)
        self._untold = report.refused
        return report

    def _new_rejections(self, known: int) -> list[Exception]:
        """Return what another process, delivering for this one, found refused."""
        journal = self._journal
        if journal is None:
            return []
        rejected: list[str] = []
        with contextlib.suppress(OSError):  # Those that cannot be read now, the next flush tells.
            rejected = rejected_beside(journal.path)
        new = rejected[self._rejections + known :]
        self._rejections = max(self._rejections, len(rejected))
        return [AzureMLException(f"The store refused a value: {json.loads(line)['error']}") for line in new]

    @property
    def is_unsettled(self) -> bool:
        """Whether the run was started while the store was away, and is not known to be in it."""
        return self._is_stand_in and self.settled_id() is None

    def settled_id(self) -> str | None:
        """Return the store's id of a run that was started while the store was away, once there is one."""
        spool, journal = self._outbox.spool, self._journal
        if self._settled_id is None and spool is not None and journal is not None:
            # Another thread may give it up meanwhile.
            with contextlib.suppress(FileNotFoundError), spool.open(journal.path) as file:
                self._settled_id = file.cursor.run
        return self._settled_id

    def leave(self) -> None:
        """Let go of a run that has ended, or is left, once everything is delivered. What cannot be stays for others."""
        spool = self._outbox.spool
        with self._lock:
            self.is_stale = True
            journal = self._journal
            if journal is None or spool is None:
                return
            is_delivered = False
            with contextlib.suppress(OSError), spool.open(journal.path) as file:
                is_delivered = file.cursor.at >= file.size
            # Another thread may have logged since the last flush. Now that none can, this one is the last.
            if is_delivered or self._outbox.flush(self.spooled_as, _LEAVE_SECONDS, _LEAVE_AWAY_SECONDS).is_complete:
                self.close()
            else:
                self._journal = None
                spool.release(journal)

    def close(self) -> None:
        """Delete the journal, with what may not have been delivered."""
        with self._lock:
            journal, self._journal = self._journal, None
            if journal is not None and self._outbox.spool is not None:
                self._outbox.spool.discard(journal)


def _keep(source: Path | IO[bytes], target: Path, name: str) -> None:
    """Copy what is to be the run's file `name` to a file of this user's alone.

    Raises:
        AzureMLException: it is too large.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            _keep(file, target, name)
        return
    size = 0
    with os.fdopen(places.open_private(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as kept:
        while chunk := source.read(_CHUNK):
            size += kept.write(chunk.encode("utf-8") if isinstance(chunk, str) else chunk)
            if size > _MAX_KEPT_BYTES:
                raise AzureMLException(
                    f"{name} is larger than {_MAX_KEPT_BYTES >> 20} MB, and the store cannot be reached to take it."
                )


def _has_view(name: str, columns: Sequence[Column]) -> bool:
    return any(
        column.name != name or any(cell is None or isinstance(cell, str) for cell in column.cells) for column in columns
    )


def _sync_seconds() -> float | None:
    """Return how often journals are forced to disk: AZML_COMPAT_FSYNC, `always` or seconds; by default never."""
    setting = os.environ.get(_names.ENV_FSYNC, "")
    if not setting:
        return None
    try:
        return 0.0 if setting == "always" else float(setting)
    except ValueError:
        logger.warning("%s=%s is neither 'always' nor a number of seconds.", _names.ENV_FSYNC, setting)
        return None
