"""The journal: what was logged, on local disk, until the store has accepted it.

A journal belongs to one process and one run. Its lines are written with one `write` each, so that they survive the
death of the process, and check themselves, so that a torn or damaged one is recognised. Nothing here knows MLflow:
the drain (`_draining`) reads journals and delivers them.

    places.py    private folders, record locks, which machine this is
    lines.py     one line: checksum and JSON
    cursor.py    how far a journal has been delivered
    journal.py   the writing end, and reading one
    spool.py     all journals of one store on this machine
"""

from __future__ import annotations

from azml_compat._home import home
from azml_compat._journal.cursor import Cursor
from azml_compat._journal.journal import Header, Journal, JournalFile, rejected_beside, writer_name
from azml_compat._journal.lines import Line
from azml_compat._journal.spool import Spool

__all__ = ["Cursor", "Header", "Journal", "JournalFile", "Line", "Spool", "home", "rejected_beside", "writer_name"]
