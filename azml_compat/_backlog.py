"""What the journals of this user still hold, by store: looked at, and left as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from azml_compat._home import spools
from azml_compat._journal import Header, Spool


@dataclass
class Backlog:
    """What the journals of one store hold."""

    spool: Spool
    headers: list[Header] = field(default_factory=list)
    runs: dict[str, int] = field(default_factory=dict)
    """Bytes to be sent, by run; 0 for one that is only to be ended."""
    alive: set[str] = field(default_factory=set)
    """Runs that a living process of this machine logs to."""
    elsewhere: set[str] = field(default_factory=set)
    """Other machines with journals here."""
    refused: list[Path] = field(default_factory=list)
    """Files with what the store has not taken and never will."""

    @property
    def store(self) -> str:
        """The address of the store, without credentials; empty where no journal says it."""
        return self.headers[0].store if self.headers else ""

    @property
    def needs_credentials(self) -> bool:
        """Whether the address that journals give is not all that the store wants to know."""
        return any(header.has_credentials for header in self.headers)


def backlogs() -> Iterator[Backlog]:
    """Look at every spool of this user that holds anything. For a process that has no journals of its own."""
    folder = spools()
    for found in sorted(folder.iterdir()) if folder.is_dir() else ():
        spool = Spool("", found)
        backlog = Backlog(spool)
        for run in spool.runs():
            _look_at(backlog, run)
        backlog.refused = spool.refused()
        if backlog.headers or backlog.runs or backlog.elsewhere or backlog.refused:
            yield backlog


def _look_at(backlog: Backlog, run: str) -> None:
    for path in backlog.spool.journals(run):
        try:
            with backlog.spool.open(path) as file:
                if file.header is None:
                    continue
                is_abandoned = file.is_abandoned
                if not (file.is_local or is_abandoned):
                    backlog.elsewhere.add(file.header.host)
                    continue
                if file.header.store:  # A damaged header has none.
                    backlog.headers.append(file.header)
                if not is_abandoned:
                    backlog.alive.add(run)
                if is_abandoned or file.cursor.at < file.size:
                    backlog.runs[run] = backlog.runs.get(run, 0) + file.size - file.cursor.at
        except FileNotFoundError:
            continue
