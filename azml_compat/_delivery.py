"""Delivering one journal: its lines become requests to the store, in order, and each of them once.

A line is passed only when the store has accepted it. Where an earlier delivery ended without an answer, what is stored
is compared first, because file stores keep duplicates. What the store refuses for good is isolated and kept aside.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from azml_compat import _names, _publishing, _status
from azml_compat._endings import error_of, error_tags
from azml_compat._experiments import get_or_create
from azml_compat._files import RunFiles, local_files
from azml_compat._journal import Cursor, Header, JournalFile, Line, writer_name
from azml_compat._metrics import Point, Singles
from azml_compat._reporting import logger, message_of, reported
from azml_compat._search import find_run
from azml_compat._sidecar import SidecarWriter
from azml_compat._tracking import RunRecord, Store
from azml_compat._tracking.errors import is_away, is_missing, is_refusal, not_there_yet
from azml_compat.exceptions import AzureMLException

_POINTS = 1000
"""Points of one delivery: as many as MLflow takes in one request."""
_READ_BYTES = 1 << 16
_AGAIN = (0.1, 0.5)
"""Seconds before a line is tried again that failed while the store took other things; each later one at once."""
_KILLED = "The process that owned the run is gone, and had not ended it. It was probably killed."
_CHANGED = "%s has changed since run %s ended, and is not taken into it."

Files: TypeAlias = Mapping[Path, list[int]]
"""Local files with what tells whether they are still the same."""


@dataclass
class Report:
    """What draining came to."""

    delivered: int = 0
    """Metric values that the store accepted."""
    pending: int = 0
    """Bytes of journals that are still to be delivered."""
    away: Exception | None = None
    """Why the store did not take them, where it did not."""
    refused: list[Exception] = field(default_factory=list)
    """What the store refused for good; it is kept beside the journal."""
    ended: list[str] = field(default_factory=list)
    """Runs that were closed because their owner has died."""
    is_busy: bool = False
    """Somebody else was draining all the time."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to be delivered."""
        return not (self.pending or self.away or self.is_busy)

    def add(self, other: Report) -> None:
        """Take another report into this one."""
        self.delivered += other.delivered
        self.pending += other.pending
        self.away = self.away or other.away
        self.refused += other.refused
        self.ended += other.ended
        self.is_busy |= other.is_busy


class Away(Exception):  # noqa: N818 - it is no error: the store will be back
    """The store cannot take anything now."""


class Gone(Exception):  # noqa: N818 - as above
    """The run is not in the store any more, so that nothing of its journal can ever be delivered."""


class Delivery:
    """The delivery of one journal, as far as it has come."""

    def __init__(self, store: Store, file: JournalFile) -> None:
        self.file = file
        self.cursor = file.cursor
        """As it is in the file, too."""
        self.until = file.size
        """Where the drain under way ends."""
        self.run_id: str | None = None
        self._store = store
        self._sidecar: SidecarWriter | None = None
        self._singles: Singles | None = None
        self._has_rejected = False

    @property
    def pending(self) -> int:
        """Bytes that are still to be delivered. A torn tail is not: what it was of was never acknowledged."""
        lines = max(0, self.until - self.cursor.at)
        return lines if lines and self.file.lines(self.cursor.at, 1) else 0

    # -- the run ----------------------------------------------------------------------------------------------

    def find_run(self, *, is_abandoned: bool) -> bool:
        """Find the run in the store, or create it; False when there is none and none is to be."""
        if self.run_id is not None:
            return True
        header = self.file.header
        assert header is not None
        with _answers():
            if self.cursor.run is not None:
                self.run_id = self.cursor.run
            elif header.creation is None:
                self.run_id = self._resolve(header.run or "")
            else:
                self.run_id = self._created(header.creation, is_abandoned=is_abandoned)
        return self.run_id is not None

    def _resolve(self, run: str) -> str:
        """Return the store's id of a run that may have been started while the store was away."""
        record = self._find(run)
        if record is None:
            raise Gone
        if record.id != run:
            self._move(self.cursor._replace(run=record.id))
        return record.id

    def _find(self, run: str) -> RunRecord | None:
        """Find a run by any of its ids: the store's, the script's, and what stood for the store's at first."""
        return self._store.find_run(run) or find_run(self._store, run) or find_run(self._store, run, _names.TAG_JOURNAL)

    def _created(self, creation: dict[str, Any], *, is_abandoned: bool) -> str | None:
        lines = self.file.lines(self.file.start, 1)
        first = json.loads(lines[0].payload) if lines and lines[0].payload is not None else {}
        is_damaged = bool(lines) and lines[0].payload is None
        if first.get("op") == "created":
            run_id: str = first["run"]
            return run_id
        is_wanted = first.get("op") == "provisional"
        if not (is_wanted or is_abandoned):
            return None  # The owner is creating it at this moment.
        if is_wanted:
            creation = {**creation, "tags": {**creation["tags"], _names.TAG_RUN_ID: first["run_id"]}}
        record = self._find_created(creation)
        if record is not None and is_wanted:
            self._store.set_run_tags(record.id, {_names.TAG_RUN_ID: creation["tags"][_names.TAG_RUN_ID]})
        elif record is None and (is_wanted or is_damaged):
            nonce = creation["tags"][_names.TAG_JOURNAL]
            record = self._create({**creation, "tags": {_names.TAG_RUN_ID: nonce, **creation["tags"]}})
        if record is None:
            return None
        self._move(self.cursor._replace(run=record.id))
        return record.id

    def _find_created(self, creation: dict[str, Any]) -> RunRecord | None:
        """Find a run whose creation went through although the answer was lost."""
        experiment = self._store.find_experiment(creation["experiment"])
        if experiment is None:
            return None
        nonce = creation["tags"][_names.TAG_JOURNAL]
        named = self._store.search_runs([experiment.id], f"tags.`{_names.TAG_JOURNAL}` = '{nonce}'")
        # A file store that died at it has made the run, and set none of its tags.
        at_once = self._store.search_runs([experiment.id], f"attributes.start_time = {creation['start_time']}")
        return next(named, None) or next((run for run in at_once if not run.tags), None)

    def _create(self, creation: dict[str, Any]) -> RunRecord:
        tags = dict(creation["tags"])
        chosen = tags.get(_names.TAG_RUN_ID)
        existing = find_run(self._store, chosen) if chosen else None
        if existing is not None:
            return existing
        parent = tags.get(_names.TAG_PARENT)
        if parent:
            tags[_names.TAG_PARENT] = self._parent(parent)
        experiment = get_or_create(self._store, creation["experiment"], creation.get("artifact_root"))
        return self._store.create_run(experiment.id, tags, creation["name"], creation["start_time"])

    def _parent(self, run: str) -> str:
        record = self._find(run)
        if record is None:
            raise Away from not_there_yet(f"The parent {run} is not in the store yet.")
        return record.id

    # -- lines ------------------------------------------------------------------------------------------------

    def deliver(self, deadline: float, report: Report) -> None:
        """Deliver what is there up to `until`, in order."""
        while self.cursor.at < self.until:
            lines = self.file.lines(self.cursor.at, _READ_BYTES)
            if not lines:
                break
            for group in _groups(lines):
                if time.monotonic() >= deadline:
                    return
                self._deliver_group(group, report)
        if self._singles is not None and not self._singles.is_sealed:
            with self._beside_lines():
                self._seal(self._singles)

    def _deliver_group(self, group: list[Line], report: Report) -> None:
        """Deliver lines that make one request; where the store refuses them, find out which it refuses."""
        try:
            self._send(group, report)
        except (Away, Gone):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a store, a driver or a file system says
            self._check_run(error)
            if len(group) > 1:
                middle = len(group) // 2
                self._deliver_group(group[:middle], report)
                self._deliver_group(group[middle:], report)
            elif is_refusal(error) or self._fails_again(group, report):
                self._reject(group[0], error, report)

    def _check_run(self, error: Exception) -> None:
        """Find out whether an error is due to what was sent.

        It is not where the store is away, where the run was deleted, which then refuses everything, and where the
        store takes nothing at all at the moment.

        Raises:
            Away: the store takes nothing.
            Gone: the run is not there any more.
        """
        assert self.run_id is not None
        if is_away(error):
            raise Away from error
        with _answers(may_refuse=False):
            if self._store.find_run(self.run_id) is None:
                raise Gone from error
            # A value that is there already would be no proof: databases do not write it again.
            self._store.set_run_tags(self.run_id, {_names.TAG_CONTROL: str(time.time_ns())})
            self._store.delete_run_tag(self.run_id, _names.TAG_CONTROL)

    @contextmanager
    def _beside_lines(self) -> Iterator[None]:
        """Write what goes with the lines: an error of that is not about any of them, and no reason to refuse one."""
        try:
            yield
        except (Away, Gone):
            raise
        except Exception as error:
            self._check_run(error)
            raise Away from error

    def _fails_again(self, group: list[Line], report: Report) -> bool:
        """Try again what failed while the store took other things: a database may have been short of connections."""
        for pause in (0.0,) if self._has_rejected else _AGAIN:
            time.sleep(pause)
            try:
                self._send(group, report)
            except (Away, Gone):
                raise
            except Exception as error:  # noqa: BLE001 - as before
                self._check_run(error)
            else:
                return False
        return True

    def _reject(self, line: Line, error: Exception, report: Report) -> None:
        """Keep aside what the store refuses, with the content of its file where it has one."""
        text = line.payload.decode("ascii") if line.payload is not None else ""
        with _local_disk():
            content = json.loads(text).get("content") if text.startswith("{") else None
            if content is not None:
                self.file.keep(content)
            self.file.reject(json.dumps({"error": str(message_of(error)), "line": text}))
        self._has_rejected = True
        report.refused.append(error)
        self._pass(line.end, _records(line))

    def _send(self, group: list[Line], report: Report) -> None:
        assert self.run_id is not None
        end = group[-1].end
        payload = group[0].payload
        if payload is None:
            self._report_damage(group, report)
        elif payload.startswith(b"{"):
            self._operate(json.loads(payload))
        else:
            records, points = _parse(line.payload for line in group if line.payload is not None)
            report.delivered += self._send_metrics(records, points, end)
            self._pass(end, len(records))
            return
        self._pass(end, 0)

    def _send_metrics(self, records: list[str], points: list[Point], end: int) -> int:
        assert self.run_id is not None
        if self.cursor.is_uncertain:
            points = self._not_stored(points)
        self._move(self.cursor._replace(sent=max(end, self.cursor.sent)))
        with self._beside_lines():
            if records or self.cursor.records:
                self._sidecar_writer().append(records, self.cursor.records)
            if points and self._store.is_server:
                self._keep_proof(points)
        if points:
            self._store.log_points(self.run_id, points)
        return len(points)

    def _sidecar_writer(self) -> SidecarWriter:
        if self._sidecar is None:
            assert self.run_id is not None
            record = self._store.get_run(self.run_id)
            try:
                self._sidecar = SidecarWriter.resume(self._store, record, self.file.name)
            except (KeyError, TypeError, ValueError):
                # A page is damaged. The journal still has all that this writer wrote to the run.
                self._sidecar = SidecarWriter(self._store, record.id, self.file.name)
                self._sidecar.append(self._delivered_records(), 0)
        return self._sidecar

    def _delivered_records(self) -> list[str]:
        """Return the sidecar records before the cursor."""
        records: list[str] = []
        at = self.file.start
        while at < self.cursor.at:
            lines = [line for line in self.file.lines(at, _READ_BYTES) if line.end <= self.cursor.at]
            records += _parse(line.payload for line in lines if line.payload is not None and _size(line))[0]
            at = lines[-1].end
        return records

    def _keep_proof(self, points: list[Point]) -> None:
        """Keep the seal of the keys with one point true, before `points` are sent; see `_metrics.singles`."""
        assert self.run_id is not None
        assert self.file.header is not None
        if not self.file.header.is_owner:
            self._sidecar_writer().announce()
            return
        if self._singles is None:
            record = self._store.get_run(self.run_id)
            self._singles = Singles(self.file.name, record.tags.get(_names.TAG_SINGLES), record.latest)
        elif self._singles.has_new(points):
            self._singles.exclude(self._store.get_run(self.run_id).latest)
        self._singles.add(points)
        if self._singles.must_seal_first:
            self._seal(self._singles)

    def _seal(self, singles: Singles) -> None:
        assert self.run_id is not None
        self._store.set_run_tags(self.run_id, {_names.TAG_SINGLES: singles.seal})
        singles.sealed()

    def _not_stored(self, points: list[Point]) -> list[Point]:
        """Leave out what an earlier delivery without an answer has stored.

        Deliveries go in order: behind points of which none is stored, nothing is.
        """
        assert self.run_id is not None
        histories = self._store.histories({self.run_id: sorted({point.key for point in points})})[self.run_id]
        stored = {(point.key, point.timestamp, point.step) for series in histories.values() for point in series}
        missing = [point for point in points if (point.key, point.timestamp, point.step) not in stored]
        if points and len(missing) == len(points):
            self.cursor = self.cursor._replace(sent=self.cursor.at)
        return missing

    def _pass(self, end: int, records: int) -> None:
        """Note that all before the offset `end` is settled; an uncertain part may reach further."""
        cursor = self.cursor
        self._move(cursor._replace(at=end, sent=max(end, cursor.sent), records=cursor.records + records))

    def _move(self, cursor: Cursor) -> None:
        with _local_disk():
            self.file.set_cursor(cursor)
        self.cursor = cursor

    def _report_damage(self, group: list[Line], report: Report) -> None:
        count = len(group)
        logger.warning("%d damaged lines of the journal %s are lost.", count, self.file.path)
        report.refused.append(
            AzureMLException(f"{count} damaged lines of the journal of run {self.run_id} could not be read.")
        )

    # -- operations that are no metrics -----------------------------------------------------------------------

    def _operate(self, operation: dict[str, Any]) -> None:
        """Carry out an operation; those of the creation are settled when the run is found."""
        operations = {"tags": self._set_tags, "put": self._put, "take": self._take, "end": self._end}
        if operation["op"] in operations:
            operations[operation["op"]](operation)

    def _set_tags(self, operation: dict[str, Any]) -> None:
        assert self.run_id is not None
        self._store.set_run_tags(self.run_id, operation["tags"])

    def _put(self, operation: dict[str, Any]) -> None:
        """Store a file whose content was kept with the journal."""
        assert self.run_id is not None
        content = self.file.files / operation["content"]
        if not content.is_file():
            return  # Delivered before, by somebody who died before noting it.
        files = RunFiles(self._store, self.run_id)
        if files.find(operation["path"]) is None or not files.holds(operation["path"], content):
            files.check_free(operation["path"], operation["path"])
            files.put(content, operation["path"])
        content.unlink()

    def _take(self, operation: dict[str, Any]) -> None:
        """Take a file that was there when the run ended, if it still is the same."""
        assert self.run_id is not None
        local = Path(operation["local"])
        if _identity(local) != operation["identity"]:
            logger.warning(_CHANGED, local, self.run_id)
            return
        with reported(f"Cannot take {local} into run {self.run_id}", unless=is_away):
            RunFiles(self._store, self.run_id).capture(local, operation["name"])

    def _end(self, operation: dict[str, Any]) -> None:
        self._end_run(operation["status"], operation["time"], operation["tags"])

    def _end_run(self, status: str, end_time: int, tags: dict[str, str]) -> bool:
        """Give the run a status, unless it has ended, with what the end of a run brings along."""
        assert self.run_id is not None
        record = self._store.get_run(self.run_id)
        if _status.is_terminal(record):
            return False
        _publishing.publish_all(self._store, record)
        self._store.set_run_tags(self.run_id, tags)
        self._store.end_run(self.run_id, status, end_time)
        return True

    def end_for_owner(self, report: Report, left: Files | None) -> None:
        """End the run as failed, if this is its owner's journal and the owner had not ended it.

        Args:
            report: Gets the run.
            left: The files of its folders as the owner left them; None where nobody saw that.
        """
        header = self.file.header
        assert header is not None
        assert self.run_id is not None
        if not header.is_owner or self._is_handed_over(header):
            return
        with _answers(may_refuse=False):
            if _status.is_terminal(self._store.get_run(self.run_id)):
                return
            if left is not None:
                self._capture_folders(header.folders, left)
            else:
                self._tell_left_files(header)
            if self._end_run("FAILED", self.file.written, error_tags(error_of(_KILLED, None))):
                report.ended.append(self.run_id)

    def _is_handed_over(self, header: Header) -> bool:
        """Tell whether others have the run, which is to be a job on this machine, and end it."""
        jobs = (header.creation or {}).get("jobs")
        return jobs is not None and Path(jobs, str(self.run_id)).exists()

    def _capture_folders(self, folders: Sequence[tuple[str, str]], left: Files) -> None:
        assert self.run_id is not None
        with RunFiles(self._store, self.run_id).listing_once() as files:
            for folder, shown in folders:
                for file in local_files(Path(folder), self._store.uri):
                    if file not in left:
                        continue  # It came later, and is another's.
                    if _identity(file) != left[file]:
                        logger.warning(_CHANGED, file, self.run_id)
                        continue
                    with reported(f"Cannot take {file} into run {self.run_id}", unless=is_away):
                        name = file.relative_to(folder).as_posix()
                        files.capture(file, f"{shown}/{name}" if shown else name)

    def _tell_left_files(self, header: Header) -> None:
        """Say which files nobody took: later, it cannot be known whether they still are as the run left them."""
        for folder, _ in header.folders:
            left = [file for file in local_files(Path(folder), self._store.uri) if _changed(file) >= header.time]
            if left:
                logger.warning(
                    "%d files in %s, the first of them %s, were written since run %s began, and are not taken: nobody "
                    "saw its process die, so that they may be another's by now. To add them: run.upload_folder().",
                    *(len(left), folder, left[0].name, self.run_id),
                )


class Direct:
    """Delivers lines at once, where no journal can be had."""

    def __init__(self, store: Store, run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._sidecar = SidecarWriter(store, run_id, writer_name())
        if store.is_server:
            self._sidecar.announce()

    def send(self, payload: str) -> None:
        """Deliver the payload of one line of metrics.

        Raises:
            ServiceException: the store does not take it.
        """
        records, points = _parse([payload.encode("ascii")])
        self._sidecar.append(records, self._sidecar.next_number)
        if points:
            self._store.log_points(self._run_id, points)


@contextmanager
def _local_disk() -> Iterator[None]:
    """Have the drain stop where it cannot be noted how far it has come: nothing is wrong with what it delivers."""
    try:
        yield
    except OSError as error:
        raise Away from not_there_yet(f"What is delivered cannot be noted on the local disk: {error}")


@contextmanager
def _answers(*, may_refuse: bool = True) -> Iterator[None]:
    """Turn what says that the store is away, or the run gone, into the signals of the drain.

    Args:
        may_refuse: What is asked may be refused; else a refusal is one more way of being away.
    """
    try:
        yield
    except (Away, Gone):
        raise
    except Exception as error:
        if is_missing(error):
            raise Gone from error
        if not (may_refuse and is_refusal(error)):
            raise Away from error
        raise


def identity_of(file: Path) -> list[int]:
    """Return what tells whether a local file is still the same: size in bytes, time of change in nanoseconds."""
    found = file.stat()
    return [found.st_size, found.st_mtime_ns]


def files_of(header: Header) -> Files:
    """Return the files of a run's folders as they are now."""
    found = {file: _identity(file) for folder, _ in header.folders for file in local_files(Path(folder), header.store)}
    return {file: identity for file, identity in found.items() if identity is not None}


def _changed(file: Path) -> int:
    """Return when a local file was changed, in milliseconds since the epoch; 0 where it is gone."""
    identity = _identity(file)
    return identity[1] // 1_000_000 if identity is not None else 0


def _identity(file: Path) -> list[int] | None:
    try:
        return identity_of(file)
    except OSError:
        return None


def _groups(lines: list[Line]) -> Iterator[list[Line]]:
    """Yield lines that make one request: metrics together up to 1,000 points, damaged ones, anything else by itself."""
    group: list[Line] = []
    count = 0
    for line in lines:
        size = _size(line)
        is_more_damage = line.payload is None and group and group[-1].payload is None
        if group and not is_more_damage and (size == 0 or count == 0 or count + size > _POINTS):
            yield group
            group, count = [], 0
        group.append(line)
        count += size
    if group:
        yield group


def _size(line: Line) -> int:
    """Return about how many points a line holds, at least 1; 0 for one that is no metric."""
    if line.payload is None or not line.payload.startswith(b"["):
        return 0
    return 1 if len(line.payload) < 120 else 1 + line.payload.count(b",") // 2


def _parse(payloads: Iterable[bytes]) -> tuple[list[str], list[Point]]:
    """Return the records, as JSON, and the points of metric lines."""
    records: list[str] = []
    points: list[Point] = []
    for described, series in json.loads(b"[%b]" % b",".join(payloads)):
        records += [json.dumps(record, separators=(",", ":")) for record in described]
        for key, timestamp, step, *values in series:
            points += [Point(key, float(value), timestamp, step + n) for n, value in enumerate(values)]
    return records, points


def _records(line: Line) -> int:
    return len(_parse([line.payload])[0]) if line.payload is not None and _size(line) else 0
