"""The metric codec: Azure's rows and cells <-> MLflow points and sidecar records. No I/O, no mlflow.

Azure keeps, for each metric name, an ordered list of rows (column -> typed value, optional step). MLflow keeps,
for each key, points (float value, integer step, millisecond timestamp). What a point cannot say - that a
value was an int, the name MLflow would refuse, a string, None, infinity - is said by a *record* in the run's
sidecar. docs/mapping.md is the contract.
"""

from __future__ import annotations

from azml_compat._metrics.cells import Cell, Column, list_column, row_cells, scalar_column, table_columns
from azml_compat._metrics.decode import decode, names_of
from azml_compat._metrics.encode import Batch, Encoder, Latest, Point
from azml_compat._metrics.keys import escape_key, escape_path, is_shortened, unescape
from azml_compat._metrics.records import Record
from azml_compat._metrics.singles import Singles, single_keys

__all__ = [
    "Batch",
    "Cell",
    "Column",
    "Encoder",
    "Latest",
    "Point",
    "Record",
    "Singles",
    "decode",
    "escape_key",
    "escape_path",
    "is_shortened",
    "list_column",
    "names_of",
    "row_cells",
    "scalar_column",
    "single_keys",
    "table_columns",
    "unescape",
]
