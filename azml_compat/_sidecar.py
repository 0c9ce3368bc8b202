"""Where the typed sidecar of a run lives: an append-only log of records per writer, in the run itself.

The tail of the log stands in hidden tags ("pages"), so that reading it costs nothing beyond the run; what outgrows
the pages moves to segment files below the run's artifacts. Every record has a sequence number within its writer, and
readers take the union by number, so a write that is repeated, or that was interrupted between a segment and its
pages, changes nothing.
"""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from azml_compat import _names
from azml_compat._metrics import records as codec
from azml_compat._metrics.records import Record
from azml_compat._tracking import RunRecord, Store

_PAGE_CHARACTERS = 4000
"""MLflow cuts run tags at 8,000 characters (5,000 before 2.13), silently."""
_PAGES = 8
_PAGE_WAITS = (0.001, 0.01, 0.1, 0.5)
"""Seconds between attempts to read a page that another process is writing."""

logger = logging.getLogger("azml_compat")


class SidecarWriter:
    """One writer's end of the sidecar of a run. Not thread-safe: whoever delivers holds the lock of the run.

    Args:
        store: Where the run is.
        run_id: The run.
        writer_id: Tells the writers of the run apart; readers sort by it.
    """

    def __init__(self, store: Store, run_id: str, writer_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._writer_id = writer_id
        self._first = 0
        """Number of the first record that is in pages; those before it are in segments."""
        self._pages: list[tuple[int, list[str]]] = []
        """(number of its first record, records as JSON) of each page."""
        self._unsaved: set[int] = set()

    @classmethod
    def resume(cls, store: Store, run: RunRecord, writer_id: str) -> SidecarWriter:
        """Go on where the store's own pages of this writer end, whoever wrote them."""
        writer = cls(store, run.id, writer_id)
        while (text := run.tags.get(writer._tag(len(writer._pages)))) is not None:
            page = json.loads(text)
            writer._pages.append((page["q"], [json.dumps(line, separators=(",", ":")) for line in page["r"]]))
        if writer._pages:
            writer._first = writer._pages[0][0]
            # Pages behind these may be left from before they moved to a segment.
            del writer._pages[writer._contiguous() :]
        return writer

    def _contiguous(self) -> int:
        """Return how many pages follow on one another."""
        end = self._first
        for count, (first, lines) in enumerate(self._pages):
            if first != end:
                return count
            end += len(lines)
        return len(self._pages)

    @property
    def next_number(self) -> int:
        """The number of the record that comes next."""
        return self._pages[-1][0] + len(self._pages[-1][1]) if self._pages else self._first

    def announce(self) -> None:
        """Store a first page, if an empty one, so that readers know of this writer before its first point."""
        if not self._pages:
            self._pages.append((0, []))
            self._unsaved.add(0)
            self._save()

    def append(self, lines: Sequence[str], number: int) -> None:
        """Store records, of which the first has that number; those that are stored already are left out.

        Args:
            lines: Records as `records.dump` writes them.
            number: How many records this writer had before them.
        """
        for line in lines[max(0, self.next_number - number) :]:
            self._add(line)
        if self._unsaved:
            self._save()

    def _add(self, line: str) -> None:
        if not self._pages:
            self._pages.append((self._first, []))
        first, lines = self._pages[-1]
        if lines and _size(lines) + len(line) > _PAGE_CHARACTERS:
            self._pages.append((first + len(lines), [line]))
        else:
            lines.append(line)
        self._unsaved.add(len(self._pages) - 1)

    def _save(self) -> None:
        if len(self._pages) > _PAGES or any(_size(lines) > _PAGE_CHARACTERS + 100 for _, lines in self._pages):
            self._spill()
        self._store.set_run_tags(
            self._run_id, {self._tag(page): _page(*self._pages[page]) for page in sorted(self._unsaved)}
        )
        self._unsaved.clear()

    def _tag(self, page: int) -> str:
        return f"{_names.TAG_SIDECAR}{self._writer_id}.{page}"

    def _spill(self) -> None:
        """Move all pages to one segment file, and leave an empty first page that says so."""
        lines = [line for _, page in self._pages for line in page]
        end = self._first + len(lines)
        with tempfile.TemporaryDirectory(prefix="azml_compat-") as folder:
            segment = Path(folder) / f"{self._first:012d}-{end:012d}.jsonl"
            segment.write_text("\n".join(lines) + "\n", encoding="ascii")
            self._store.upload(self._run_id, segment, f"{_names.PATH_SIDECAR}/{self._writer_id}")
        self._first = end
        self._pages = [(end, [])]
        self._unsaved = {0}


def _size(lines: list[str]) -> int:
    return sum(map(len, lines)) + len(lines)


def _page(first: int, lines: list[str]) -> str:
    return f'{{"q":{first},"r":[{",".join(lines)}]}}'


def read_sidecar(store: Store, run: RunRecord) -> list[Record]:
    """Return every record of a run: writer by writer, each in the order written."""
    pages = _read_pages(store, run)
    writers: dict[str, dict[int, Any]] = {}
    has_segments = set()
    for tag, page in pages.items():
        if page is None:
            logger.warning("Run %s: a part of its metrics cannot be read, because tag %r is damaged.", run.id, tag)
        else:
            writer = tag[len(_names.TAG_SIDECAR) :].rpartition(".")[0]
            lines = writers.setdefault(writer, {})
            lines.update(enumerate(page["r"], start=page["q"]))
            if page["q"] and tag.endswith(".0"):
                has_segments.add(writer)
    for writer in has_segments:
        writers[writer] |= _read_segments(store, run.id, writer)
    return [
        record
        for writer in sorted(writers)
        for number in sorted(writers[writer])
        if (record := codec.load(writers[writer][number])) is not None
    ]


def _read_pages(store: Store, run: RunRecord) -> dict[str, Any]:
    """Return the content of each page by its tag; None for one that is damaged."""
    pages = _load_pages(run)
    for wait in _PAGE_WAITS:
        if None not in pages.values():
            break
        # A file store empties a tag's file before it writes it, so this may be the moment between.
        time.sleep(wait)
        pages = _load_pages(store.get_run(run.id))
    return pages


def _load_pages(run: RunRecord) -> dict[str, Any]:
    return {tag: _load_page(value) for tag, value in run.tags.items() if tag.startswith(_names.TAG_SIDECAR)}


def _load_page(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return None


def _read_segments(store: Store, run_id: str, writer: str) -> Mapping[int, Any]:
    lines: dict[int, Any] = {}
    with tempfile.TemporaryDirectory(prefix="azml_compat-") as folder:
        for file in store.list_artifacts(run_id, f"{_names.PATH_SIDECAR}/{writer}"):
            first = int(Path(file.path).name.partition("-")[0])
            local = store.download(run_id, file.path, Path(folder))
            with local.open(encoding="ascii") as segment:
                lines.update((first + offset, json.loads(line)) for offset, line in enumerate(segment))
    return lines
