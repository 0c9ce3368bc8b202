"""The metric codec alone: keys, records, cells, and sequences of log calls against a reference model.

The model (`Model`) is Azure's, written without looking at the codec: every metric is a list of rows. The points pass
through what a store does to them (`SqlStore`, `FileStore`). tests/test_roundtrip.py uses both with real stores.
"""

from __future__ import annotations

import decimal
import enum
import json
import math
import posixpath
import re
import sys
import unicodedata
from dataclasses import dataclass, field

import numpy
import pandas
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from azml_compat._metrics import Encoder, Latest, decode, escape_key, escape_path, is_shortened, names_of, unescape
from azml_compat._metrics.cells import list_column, row_cells, scalar_column, table_columns
from azml_compat._metrics.encode import Lane
from azml_compat._metrics.keys import KeyTable
from azml_compat._metrics.records import (
    ArtifactRecord,
    CellRecord,
    EmptyRecord,
    KeyRecord,
    PathRecord,
    RowRecord,
    StepRecord,
    dump,
    load,
)
from azml_compat.exceptions import AzureMLException, UserErrorException

settings.register_profile("codec", deadline=None)
settings.load_profile("codec")

NAN, INF = math.nan, math.inf
MAX_STEP = 2**63 - 2
HUGE = 7**9000
"""More than 4,300 decimal digits: Python refuses to print it, so hypothesis must not see it."""

NAMES = [
    *("a", "a/b", "a/b/c", "a.b", "a.b.c", "a_b", "b", "a_x2f_b", "a_x2e_b", "b/c"),
    *("a/", "/a", "a//b", "//", "/", "a/.", " v", "v ", " ", "a/ b", "a /b"),
    *(".", "..", "../a", "./a", "a/..", ".hidden", "v.", "v..", "a./b"),
    *("(x28_", "_x28(", "_x28_", "_x28", "_x", "_xempty_", "a_xh0123456789abcdef_", ""),
    *("loss (train)", "prec@1", "100%", "Label:0", "a:b", "a#b?c", "C:\\x", "'\"`"),
    *("\0", "a\nb", "a\tb\r", "\x7f", "\u2028", "\ud800", "a\udcffb", "😀", "𝒳", "předpověď", "指标"),
    *(
        "Loss",
        "loss",
        "LOSS",
        "naïve",
        "nai\u0308ve",
        "Å",
        "\u212b",
        "ß",
        "ss",
        "SS",
        "İ",
        "i̇",
        "ﬃ",
        "ffi",
        "\u212a",
        "k",
    ),
    *("mlflow.x", "property.x", "x" * 200, "x" * 201, "x" * 10_000, "x" * 9_999 + "y", "é" * 150, "(" * 60),
    "d/" * 120 + "e",
]

# A high surrogate before a low one is a character to JSON; alone, each is kept.
_CHARACTERS = st.characters(exclude_categories=["Cs"]) | st.sampled_from("\udc80\udcff\udfff")
_LETTERS = st.sampled_from("aAbx_x28fF/. :()\u0308\u212a")
NAME = st.sampled_from(NAMES) | st.text(_LETTERS, max_size=8) | st.text(_CHARACTERS, max_size=8)
TEXTS = ["", "a", "1", "nan", "null", "\n", "\udcff", "é😀", "t" * 10_000]
TEXT = st.sampled_from(TEXTS) | st.text(_CHARACTERS, max_size=5)
FLOAT = st.sampled_from([0.0, -0.0, 1.0, 0.1, NAN, INF, -INF, 2.0**53, 5e-324, 1.7e308]) | st.floats()
INT = st.sampled_from([0, 1, -1, 2**53, 2**53 + 1, -(2**53) - 1, 2**64 + 1, 10**80]) | st.integers(-5, 5)
CELL = st.one_of(INT, INT, FLOAT, st.booleans(), TEXT, st.none())
SCALAR = CELL | st.sampled_from([10**400, -(10**400)])
STEP = st.integers(-3, 4) | st.sampled_from([-(2**63) + 1, MAX_STEP, MAX_STEP - 1])


# -- the reference model --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Call:
    """One log call."""

    kind: str
    name: str
    value: object
    step: int | None = None


class Location(str):
    """What a row that refers to a file reads back as."""


@dataclass
class _Rows:
    rows: list = field(default_factory=list)
    """(step or None, {column: cell}) in the order of the calls."""
    columns: dict = field(default_factory=dict)
    """An ordered set."""


class Model:
    """What Azure's store would hold, and what its reader returns."""

    def __init__(self):
        self.metrics = {}

    def apply(self, call: Call):
        getattr(self, f"_{call.kind}")(self.metrics.setdefault(call.name, _Rows()), call)

    def _log(self, metric, call):
        self._add(metric, {call.name: call.value}, call.step)

    def _log_list(self, metric, call):
        for value in _as_declared(call.value, first_int_widens=True):
            self._add(metric, {call.name: value})

    def _log_row(self, metric, call):
        self._add(metric, call.value)

    def _log_table(self, metric, call):
        table = {
            name: _as_declared(cells if isinstance(cells, list) else [cells], first_int_widens=False)
            for name, cells in call.value.items()
        }
        rows = list(zip(*table.values(), strict=True))
        for row in rows:
            self._add(metric, dict(zip(table, row, strict=True)))
        if not rows and set(table) != {call.name}:
            # An empty table declares its columns; an empty list nothing.
            metric.columns.update(dict.fromkeys(table))

    def _artifact(self, metric, call):
        self._add(metric, {call.name: Location(call.value)})

    def _add(self, metric, row, step=None):
        metric.rows.append((step, row))
        metric.columns.update(dict.fromkeys(row))

    def read(self) -> dict:
        return {name: self._shape(name, metric) for name, metric in self.metrics.items()}

    def _shape(self, name, metric):
        rows = metric.rows
        if not rows:
            return {column: [] for column in metric.columns} or []
        if all(step is not None for step, _ in rows):
            rows = sorted(rows, key=lambda row: row[0])
        columns = {column: _widened([row.get(column) for _, row in rows]) for column in metric.columns}
        if set(columns) != {name}:
            return columns if len(rows) > 1 else {column: cells[0] for column, cells in columns.items()}
        cells = columns[name]
        if all(type(cell) is Location for cell in cells):
            return _first_logged(metric, name)
        return cells if len(cells) > 1 else cells[0]


def _first_logged(metric, name):
    return next(row[name] for _, row in metric.rows)


def _as_declared(values, *, first_int_widens):
    """A column is declared with the type of its first element, in a list with int widened by a later float."""
    if not values:
        return []
    first = type(values[0])
    if first is float or (first_int_widens and first is int and any(type(value) is float for value in values)):
        return [float(value) if isinstance(value, int) else value for value in values]
    return values


def _widened(cells):
    """A column of ints that receives a float is one of floats; an int that no float can hold stays."""
    if not any(type(cell) is float for cell in cells):
        return cells
    return [float(cell) if type(cell) is int and abs(cell) < 2**1024 - 2**970 else cell for cell in cells]


def typed(value):
    """A value with its types, equal to itself where NaN is in it, and unequal where only the sign of zero differs."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    if type(value) is float:
        return ("float", value.hex())
    return (type(value).__name__, value)


# -- sequences of calls ---------------------------------------------------------------------------------------------


@st.composite
def calls(draw, names=NAME, columns=NAME, artifacts=True, max_calls=12):
    """A sequence of log calls on few names, so that they meet."""
    pool = draw(st.lists(names, min_size=1, max_size=4))
    column_pool = [*draw(st.lists(columns.filter(_is_column), min_size=1, max_size=3)), *filter(_is_column, pool[:1])]
    kinds = ["log", "log", "log_list", "log_row", "log_table", *(["artifact"] if artifacts else [])]
    with_steps = draw(st.sampled_from(["never", "always", "sometimes"]))
    sequence = []
    for kind in draw(st.lists(st.sampled_from(kinds), max_size=max_calls)):
        name = draw(st.sampled_from(pool))
        step = None
        if kind == "log":
            value = draw(SCALAR)
            if with_steps == "always" or (with_steps == "sometimes" and draw(st.booleans())):
                step = draw(STEP)
        elif kind == "log_list":
            value = draw(st.lists(CELL, max_size=4))
        elif kind == "log_row":
            value = draw(st.dictionaries(st.sampled_from(column_pool), CELL, max_size=3))
        elif kind == "artifact":
            value = f"files/{len(sequence)}.png"
        else:
            value = draw(_tables(column_pool))
        sequence.append(Call(kind, name, value, step))
    return sequence


def _is_column(name):
    # Columns of log_row are keyword arguments.
    return name not in ("self", "name", "description")


@st.composite
def _tables(draw, columns):
    rows = draw(st.integers(0, 3))
    cells = st.lists(CELL, min_size=rows, max_size=rows)
    if rows == 1:
        cells = cells | CELL
    return draw(st.dictionaries(st.sampled_from(columns), cells, min_size=1, max_size=3))


# -- what stores do to points ---------------------------------------------------------------------------------------


class SqlStore:
    """MLflow on SQL: exact duplicates are dropped, infinity is clamped, and -0.0 has no sign."""

    def __init__(self):
        self.points = {}

    def add(self, point):
        check_point(point)
        value = min(max(point.value, -sys.float_info.max), sys.float_info.max) + 0.0
        is_nan = math.isnan(point.value)
        row = (point.timestamp, point.step, 0.0 if is_nan else value, is_nan)
        self.points.setdefault(point.key, set()).add(row)

    def history(self, key):
        rows = sorted(self.points[key], key=lambda row: row[:3])
        return [Latest(key, NAN if is_nan else value, timestamp, step) for timestamp, step, value, is_nan in rows]

    def latest(self):
        return [
            max(self.history(key), key=lambda point: (point.step, point.timestamp, point.value)) for key in self.points
        ]


class FileStore(SqlStore):
    """MLflow on files: a file per key, a line per point."""

    def add(self, point):
        check_point(point)
        self.points.setdefault(point.key, []).append(point)
        folders = {
            "/".join(parts[:end]) for parts in (key.split("/") for key in self.points) for end in range(1, len(parts))
        }
        assert not folders & self.points.keys()

    def history(self, key):
        return self.points[key]


STORES = {"sql": SqlStore, "file": FileStore}


def check_point(point):
    assert is_legal_key(point.key)
    assert type(point.value) is float
    assert point.timestamp >= 0
    assert -(2**63) <= point.step < 2**63


def is_legal_key(key: str) -> bool:
    """mlflow.utils.validation: its pattern, its path rules and its length, without importing it."""
    norm = posixpath.normpath(key)
    return (
        re.fullmatch(r"[/\w.\- :]*", key) is not None
        and norm == key
        and norm != "."
        and not norm.startswith(("..", "/"))
        and len(key) <= 250
    )


class Clock:
    """Milliseconds that advance as told, and stand still afterwards."""

    def __init__(self, moves=(), start=1_700_000_000_000):
        self.now = start
        self._moves = iter(moves)

    def __call__(self):
        self.now += next(self._moves, 0)
        return self.now


class Writer:
    """One writer of a run: an encoder, and its part of the sidecar as text."""

    def __init__(self, store, lane=None, clock=None):
        self.encoder = Encoder(lane, clock or Clock())
        self._store = store
        self.lines = []
        self.rows = []
        """(name, timestamp, step) of every row."""

    @property
    def records(self):
        return [load(json.loads(line)) for line in self.lines]

    def apply(self, call: Call):
        for batch in self._batches(call):
            self.lines += map(dump, batch.records)
            for point in batch.points:
                self._store.add(point)
            stamps = [
                (record.timestamp, record.step)
                for record in batch.records
                if isinstance(record, (CellRecord, RowRecord, ArtifactRecord))
            ]
            stamps += [(point.timestamp, point.step) for point in batch.points]
            self.rows += [(call.name, *stamp) for stamp in dict.fromkeys(stamps)]

    def _batches(self, call):
        if call.kind == "artifact":
            return [self.encoder.encode_artifact(call.name, call.value, "image")]
        convert = {
            "log": lambda: [scalar_column(call.name, call.value)],
            "log_list": lambda: [list_column(call.name, call.value)],
            "log_row": lambda: row_cells(call.value),
            "log_table": lambda: table_columns(call.value),
        }
        return self.encoder.encode(call.name, convert[call.kind](), call.step)


def read(store, *writers, is_foreign=False):
    records = [record for writer in writers for record in writer.records]
    names = names_of((point.key for point in store.latest()), records)
    points = {key: store.history(key) for keys in names.values() for key in keys}
    found = decode(points, records, is_foreign=is_foreign, artifact=lambda record: Location(record.path))
    assert set(found) <= set(names)
    return found


# -- keys -----------------------------------------------------------------------------------------------------------


@given(NAME, st.booleans())
@example("_x28(", False)
@example("x_x28/", True)
@example("/_x2f/", False)
def test_every_key_is_legal_for_mlflow_and_gives_its_name_back(name, strict):
    key = escape_key(name, strict=strict)

    assert is_legal_key(key)
    assert all(len(part.encode()) <= 255 for part in key.split("/"))
    assert is_shortened(key) or unescape(key) == name


@given(NAME)
def test_a_strict_key_has_neither_separator(name):
    assert not set("/.") & set(escape_key(name, strict=True))


@given(st.lists(NAME, min_size=2, max_size=2, unique=True), st.booleans())
@example(["_x28(", "(x28_"], False)
@example(["x" * 10_000, "x" * 9_999 + "y"], False)
@example(["", "_xempty_"], False)
def test_two_names_never_have_one_key(names, strict):
    assert escape_key(names[0], strict=strict) != escape_key(names[1], strict=strict)


@given(NAME)
def test_a_key_is_that_of_the_name_it_gives_back(name):
    key = escape_key(name)

    assert is_shortened(key) or escape_key(unescape(key)) == key


@pytest.mark.parametrize("name", ["loss", "val/loss", "val.acc", "Label:0", "a b", "my-list_2", "grad_x1", "指标"])
def test_a_name_that_mlflow_takes_is_its_own_key(name):
    assert escape_key(name) == name


@pytest.mark.parametrize("name", ["loss (train)", "_x28_", "a//b"])
def test_escaping_a_key_again_is_undone_step_by_step(name):
    twice = escape_key(escape_key(name))

    assert is_legal_key(twice)
    assert unescape(unescape(twice)) == name


def test_only_a_key_that_was_cut_seems_so():
    assert is_shortened(escape_key("x" * 201))
    assert not is_shortened(escape_key("x" * 200))
    assert not is_shortened(escape_key("a_xh0123456789abcdef_"))


_PART = NAME.filter(lambda part: part not in ("", ".", "..") and "/" not in part)
PATH = st.lists(_PART, min_size=1, max_size=3).map("/".join)


@given(PATH)
@example("_x23#")
@example(" a/ b /c.")
@example(".gitignore")
def test_every_artifact_path_is_safe_everywhere_and_gives_its_name_back(path):
    stored = escape_path(path)

    assert not set('#?%\\:*"<>|') & set(stored)
    assert stored.isprintable()
    assert max(map(ord, stored)) < 0x10000
    for part in stored.split("/"):
        assert part not in ("", ".", "..")
        assert part == part.strip(" ")
        assert not part.endswith(".")
        assert len(part.encode()) <= 255
    assert stored.count("/") == path.count("/")
    assert is_shortened(stored) or unescape(stored) == path


@given(NAME)
@example("../up")
@example("_x2f/")
def test_any_name_makes_one_file(name):
    stored = escape_path(name, strict=True)

    assert stored
    assert not set('/.#?%\\:*"<>|') & set(stored)
    assert stored == stored.strip(" ")
    assert len(stored.encode()) <= 200
    assert is_shortened(stored) or unescape(stored) == name


@given(st.lists(PATH, min_size=2, max_size=2, unique=True))
@example(["_x23#", "#x23_"])
@example(["y" * 300, "y" * 301])
def test_two_files_never_have_one_artifact_path(paths):
    assert escape_path(paths[0]) != escape_path(paths[1])


def folds(key):
    """What macOS, Windows and databases may take for the same key."""
    key = re.sub(r"[ .]+(?=/|$)", "", key)
    nfc, nfd = unicodedata.normalize("NFC", key), unicodedata.normalize("NFD", key)
    return {key, nfc, nfd, key.casefold(), nfc.casefold(), unicodedata.normalize("NFC", nfc.casefold())}


CLAIMS = st.lists(st.tuples(NAME, st.none() | NAME), max_size=12)


@given(CLAIMS)
@example([("a.b", None), ("a", "b"), ("a/b", None), ("a", None)])
@example([("Loss", None), ("loss", None), ("LOSS", None), ("loss_xalt2_", None)])
@example([("a/b/c", None), ("A", None), ("a/B", None)])
@example([("a", ""), ("a", "/a"), ("a", None)])
@example([("x" * 300, None), ("x" * 300, "c"), ("x" * 300, "C")])
def test_no_two_columns_share_a_key_or_lie_below_one_another(claims):
    table = KeyTable()
    keys = {claim: table.assign(*claim) for claim in claims}

    assert all(map(is_legal_key, keys.values()))
    assert len(set(keys.values())) == len(keys)
    assert all(table.assign(*claim) == table.find(*claim) == key for claim, key in keys.items())
    for one in keys.values():
        for other in set(keys.values()) - {one}:
            assert not folds(one) & folds(other)
            assert not any(fold.startswith(f"{other_fold}/") for fold in folds(one) for other_fold in folds(other))


@given(CLAIMS, CLAIMS)
def test_a_table_that_adopted_another_goes_on_like_it(claims, more):
    table, copy = KeyTable(), KeyTable()
    for claim in claims:
        copy.adopt(*claim, table.assign(*claim))

    assert [copy.find(*claim) for claim in claims] == [table.find(*claim) for claim in claims]
    assert [copy.assign(*claim) for claim in more] == [table.assign(*claim) for claim in more]


def test_the_first_claimant_has_the_natural_key():
    table = KeyTable()

    assert table.assign("t", "x") == "t.x"
    assert table.assign("t.x", None) == "t_x2e_x"
    assert table.assign("a", None) == "a"
    assert table.assign("a/b", None) == "a_x2f_b"


# -- records --------------------------------------------------------------------------------------------------------

_MOMENT = (st.integers(0, 2**45), STEP)
RECORD = st.one_of(
    st.builds(KeyRecord, NAME, NAME, st.none() | NAME, st.sampled_from("fib")),
    st.builds(CellRecord, NAME, st.none() | NAME, *_MOMENT, SCALAR),
    st.builds(ArtifactRecord, NAME, *_MOMENT, NAME, NAME),
    st.builds(RowRecord, NAME, *_MOMENT),
    st.builds(EmptyRecord, NAME, st.none() | st.lists(st.none() | NAME, max_size=3)),
    st.builds(StepRecord, NAME, st.sampled_from("um")),
    st.builds(PathRecord, NAME, NAME),
)


@given(RECORD)
@example(CellRecord("n", None, 0, 0, -0.0))
@example(KeyRecord("n", "n", None, "i"))
@example(KeyRecord("n", "n", "n", "i"))
def test_a_record_is_one_line_of_ascii_and_reads_back(record):
    line = dump(record)
    again = load(json.loads(line))

    assert line.isascii()
    assert "\n" not in line
    assert type(again) is type(record)
    assert typed(list(again)) == typed(list(record))


@given(CELL)
def test_a_record_is_json_that_every_reader_takes(cell):
    def refuse(constant):
        raise AssertionError(constant)

    assert json.loads(dump(CellRecord("n", "c", 1, 2, cell)), parse_constant=refuse)[:5] == ["c", "n", "c", 1, 2]


@pytest.mark.parametrize("value", [HUGE, -HUGE], ids=["positive", "negative"])
def test_an_int_too_long_to_print_is_kept(value):
    store = SqlStore()
    writer = Writer(store)
    writer.apply(Call("log", "n", value))

    assert load(json.loads(dump(CellRecord("n", None, 0, 0, value)))).value == value
    assert read(store, writer)["n"] == value


def test_a_record_of_a_later_version_is_skipped():
    assert load(["z", "whatever", 1]) is None


# -- cells: the conversion table of the original client -------------------------------------------------------------


class Text(str):
    pass


class Number(enum.IntEnum):
    ONE = 1


class Secret:
    def __repr__(self):
        return "<Secret>"


class Broken:
    def __repr__(self):
        raise ValueError("no repr")


def generator():
    yield 1


NATIVE = [3, -(2**63), 2**64, 0.5, -0.0, NAN, INF, -INF, "text", "", True, False, None]
CONVERTED = [
    *((kind(7), 7) for kind in (numpy.int8, numpy.int16, numpy.int32, numpy.int64)),
    *((kind(7), 7) for kind in (numpy.uint8, numpy.uint16, numpy.uint32, numpy.uint64, numpy.intp)),
    *((kind(0.5), 0.5) for kind in (numpy.float16, numpy.float32, numpy.float64)),
    (numpy.bool_(True), True),
    (numpy.str_("text"), "text"),
    (numpy.array(3), 3),
    (numpy.array(0.5), 0.5),
    (numpy.array(True), True),
    (numpy.float64("nan"), NAN),
    (numpy.longdouble(0.5), repr(numpy.longdouble(0.5))),
]
OTHER = [
    Text("text"),
    Number.ONE,
    (1, 2),
    {"a": 1},
    {1},
    b"bytes",
    1 + 2j,
    decimal.Decimal("1.5"),
    numpy.array([[1, 2], [3, 4]]),
    Secret(),
    int,
]


def name_of(value):
    return value[0].__class__.__name__ if isinstance(value, tuple) else type(value).__name__


@pytest.mark.parametrize("value", NATIVE, ids=repr)
def test_native_values_stay(value):
    assert typed(scalar_column("v", value).cells) == typed([value])
    assert typed(list_column("v", [value]).cells) == typed([value])
    assert typed(row_cells({"c": value})[0].cells) == typed([value])
    assert typed(table_columns({"c": [value]})[0].cells) == typed([value])
    assert typed(table_columns({"c": value})[0].cells) == typed([value])


@pytest.mark.parametrize(("value", "cell"), CONVERTED, ids=[repr(value) for value, _ in CONVERTED])
def test_numpy_scalars_become_native(value, cell):
    assert typed(scalar_column("v", value).cells) == typed([cell])
    assert typed(list_column("v", [value]).cells) == typed([cell])
    assert typed(row_cells({"c": value})[0].cells) == typed([cell])
    assert typed(table_columns({"c": [value]})[0].cells) == typed([cell])


@pytest.mark.parametrize("value", OTHER, ids=name_of)
def test_other_objects_are_their_repr_in_log_and_refused_elsewhere(value):
    assert typed(scalar_column("v", value).cells) == typed([repr(value)])
    for convert in (
        lambda: list_column("v", [1, value]),
        lambda: row_cells({"c": value}),
        lambda: table_columns({"c": [value]}),
    ):
        with pytest.raises(AzureMLException):
            convert()


@pytest.mark.parametrize("value", [[1], range(2), generator(), generator], ids=["list", "range", "iterator", "def"])
def test_log_refuses_lists(value):
    with pytest.raises(UserErrorException, match="log_list"):
        scalar_column("v", value)


def test_a_value_whose_repr_fails_is_refused():
    with pytest.raises(AzureMLException, match="repr"):
        scalar_column("v", Broken())


@pytest.mark.parametrize("value", [2**300, -(2**300), 10**400])
def test_a_number_over_64_bytes_is_taken_by_log_and_refused_elsewhere(value):
    assert scalar_column("v", value).cells == [value]
    for convert in (list_column, lambda _, values: table_columns({"c": values})):
        with pytest.raises(AzureMLException, match="too large"):
            convert("v", [value])
    with pytest.raises(AzureMLException, match="too large"):
        row_cells({"c": value})


def test_the_largest_number_of_64_bytes_is_taken_everywhere():
    assert list_column("v", [2**300 - 1]).cells == [2**300 - 1]


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        ((1, 2), [1, 2]),
        (range(2), [0, 1]),
        ("abc", ["a", "b", "c"]),
        ({"a": 1, "b": 2}, ["a", "b"]),
        (numpy.array([1, 2]), [1, 2]),
        (numpy.array([0.5, 1.0]), [0.5, 1.0]),
        (numpy.array(["a", "b"]), ["a", "b"]),
        (numpy.array([True, False]), [True, False]),
        (pandas.Series([1, 2]), [1, 2]),
        ([], []),
        ([1, 2.5, True], [1.0, 2.5, 1.0]),
        ([2.5, 1, None, "a"], [2.5, 1.0, None, "a"]),
        ([True, 1], [True, 1]),
        ([True, 0.5], [True, 0.5]),
        (["a", 1, 0.5], ["a", 1, 0.5]),
        ([None, 1, True], [None, 1, True]),
    ],
    ids=repr,
)
def test_log_list_takes_any_iterable_and_declares_its_type_by_the_first_element(values, cells):
    assert typed(list_column("v", values).cells) == typed(cells)


def test_log_list_takes_a_generator():
    assert list_column("v", (n * n for n in range(3))).cells == [0, 1, 4]


@pytest.mark.parametrize("value", [1, None, 0.5, object()])
def test_log_list_of_what_cannot_be_iterated_is_a_type_error(value):
    with pytest.raises(TypeError):
        list_column("v", value)


def test_log_takes_a_one_dimensional_array_as_a_list():
    assert typed(scalar_column("v", numpy.array([1, 2])).cells) == typed([1, 2])


@pytest.mark.parametrize("value", [[1], numpy.array([1])], ids=["list", "array"])
def test_a_row_refuses_a_list_and_names_the_column(value):
    with pytest.raises(AzureMLException, match="'c'"):
        row_cells({"a": 1, "c": value})


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ({"x": [1, 2], "y": ["a", None]}, {"x": [1, 2], "y": ["a", None]}),
        ({"x": 1, "y": "a"}, {"x": [1], "y": ["a"]}),
        ({1: [1], None: [2]}, {"1": [1], "None": [2]}),
        ({"x": numpy.array([1, 2]), "y": pandas.Series([0.5, 1.5])}, {"x": [1, 2], "y": [0.5, 1.5]}),
        ({"x": [0.5, 1, True, None]}, {"x": [0.5, 1.0, 1.0, None]}),
        ({"x": [1, 0.5]}, {"x": [1, 0.5]}),
        ({"x": [], "y": []}, {"x": [], "y": []}),
    ],
    ids=repr,
)
def test_log_table_takes_columns(table, columns):
    assert typed({column.name: column.cells for column in table_columns(table)}) == typed(columns)


@pytest.mark.parametrize("value", [[1], "abc", 3, None, [{"x": 1}], {}], ids=repr)
def test_log_table_of_what_has_no_columns_is_an_attribute_error(value):
    with pytest.raises(AttributeError):
        table_columns(value)


@pytest.mark.parametrize("table", [{"x": [1, 2], "yy": [1]}, {"x": [1, 2], "yy": 1}], ids=repr)
def test_columns_of_different_lengths_are_refused_by_name(table):
    with pytest.raises(AzureMLException, match=r"'x' has 2 and 'yy' has 1"):
        table_columns(table)


def test_a_data_frame_is_refused_with_the_way_out():
    with pytest.raises(AzureMLException, match="to_dict"):
        table_columns(pandas.DataFrame({"x": [1]}))


def test_a_tuple_is_no_column():
    with pytest.raises(AzureMLException):
        table_columns({"x": (1, 2)})


# -- encoder and decoder --------------------------------------------------------------------------------------------

MOVES = st.lists(st.sampled_from([0, 0, 1, 3, 1000, -1, -5000]), max_size=40)


def log(name, *values, steps=()):
    steps = [*steps, *[None] * (len(values) - len(steps))]
    return [Call("log", name, value, step) for value, step in zip(values, steps, strict=True)]


@pytest.mark.parametrize("store", STORES)
@settings(max_examples=300)
@given(sequence=calls(), moves=MOVES)
@example(sequence=log("x", True, 1, 0.5), moves=[])
@example(sequence=log("x", 1, True, 0.5, 2**53 + 1, 10**400), moves=[])
@example(sequence=log("x", 1, 1, 1, steps=(3, 3, 3)), moves=[])
@example(sequence=log("x", 1, 2, 3, steps=(MAX_STEP, None, None)), moves=[])
@example(sequence=[*log("x", 1), Call("log_table", "x", {"a": [], "x": []})], moves=[])
@example(sequence=[Call("log_table", "x", {"a": []}), Call("log_table", "x", {"b": []})], moves=[])
@example(sequence=[*log("a.b", 1.0), Call("log_row", "a", {"b": 2.0}), *log("a/b", 3.0), *log("a", 4.0)], moves=[])
@example(sequence=log("x", INF, -INF, NAN, -0.0, 0.0), moves=[-1, -1, -1])
def test_what_was_logged_reads_back(store, sequence, moves):
    store, model = STORES[store](), Model()
    writer = Writer(store, clock=Clock(moves))
    for call in sequence:
        writer.apply(call)
        model.apply(call)

    assert typed(read(store, writer)) == typed(model.read())


@pytest.mark.parametrize("store", STORES)
@given(sequence=calls(), moves=MOVES)
def test_reading_after_every_call_sees_it(store, sequence, moves):
    store, model = STORES[store](), Model()
    writer = Writer(store, clock=Clock(moves))
    for call in sequence[:5]:
        writer.apply(call)
        model.apply(call)
        assert typed(read(store, writer)) == typed(model.read())


@pytest.mark.parametrize("store", STORES)
@settings(max_examples=200)
@given(sequence=calls(), cuts=st.sets(st.integers(0, 11), max_size=3), numbers=st.lists(st.integers(0, 63), min_size=3))
@example(sequence=log("x", 1, 2, 3), cuts={1, 2}, numbers=[1, 1, 1])
@example(sequence=log("x", 1.0, 1.0, 1.0), cuts={1, 2}, numbers=[5, 5, 5])
@example(sequence=log("x", 1, 1, 1, 2, steps=(4, 4, 1, 1)), cuts={2}, numbers=[1, 1, 1])
@example(sequence=log("loss (train)", True, 1, 0.5), cuts={1, 2}, numbers=[0, 0, 0])
def test_another_process_continues_a_run(store, sequence, cuts, numbers):
    store, model = STORES[store](), Model()
    clock = Clock([50_000] * 40)
    writers = [Writer(store, Lane.of_owner(), clock)]
    for at, call in enumerate(sequence):
        if at in cuts:
            guest = Writer(store, Lane.of_guest(numbers[len(writers) - 1]), clock)
            guest.encoder.adopt([record for writer in writers for record in writer.records], store.latest())
            writers.append(guest)
        writers[-1].apply(call)
        model.apply(call)

    assert typed(read(store, *writers)) == typed(model.read())


@given(
    turns=st.lists(st.tuples(st.integers(0, 3), NAME | st.just("x"), st.none() | STEP), max_size=30),
    moves=MOVES,
    length=st.integers(1, 3),
)
def test_writers_at_once_never_share_a_timestamp_and_step(turns, moves, length):
    store, clock = SqlStore(), Clock(moves)
    writers = [
        Writer(store, lane, clock)
        for lane in (Lane.of_owner(), Lane.of_guest(0), Lane.of_guest(63), Lane.of_guest(4711))
    ]
    for writer, name, step in turns:
        value = Call("log", name, 1.0, step) if step is not None else Call("log_list", name, [1.0] * length)
        writers[writer].apply(value)

    rows = [row for writer in writers for row in writer.rows]
    assert len(set(rows)) == len(rows)
    assert sum(map(len, store.points.values())) == len(rows)
    for writer in writers:
        for name in {row[0] for row in writer.rows}:
            stamps = [row[1:] for row in writer.rows if row[0] == name]
            assert stamps == sorted(stamps)


@given(turns=st.lists(st.tuples(st.integers(0, 2), INT), min_size=1, max_size=30), moves=MOVES)
def test_equal_values_of_writers_at_once_are_all_kept_in_each_ones_order(turns, moves):
    store, clock = SqlStore(), Clock(moves)
    writers = [Writer(store, lane, clock) for lane in (Lane.of_owner(), Lane.of_guest(1), Lane.of_guest(2))]
    for writer, value in turns:
        writers[writer].apply(Call("log_list", "x", [value, value]))
        writers[writer].apply(Call("log_list", "mine", [f"{writer}"]))

    found = read(store, *writers)
    assert sorted(found["x"]) == sorted(value for _, value in turns for _ in range(2))
    assert sorted(found["mine"] if len(turns) > 1 else [found["mine"]]) == sorted(str(writer) for writer, _ in turns)


def test_two_writers_that_widen_a_column_differently_agree_on_floats():
    store = SqlStore()
    writers = [Writer(store, Lane.of_owner()), Writer(store, Lane.of_guest(1))]
    writers[0].apply(Call("log", "x", 1))
    writers[1].apply(Call("log", "x", 0.5))

    assert typed(read(store, *writers)) == typed({"x": [1.0, 0.5]})


def test_a_guest_after_two_writers_that_disagreed_loses_no_bool():
    store, clock = SqlStore(), Clock([10_000] * 9)
    owner, guest = Writer(store, Lane.of_owner(), clock), Writer(store, Lane.of_guest(1), clock)
    owner.apply(Call("log", "x", 5))
    guest.apply(Call("log", "x", True))
    third = Writer(store, Lane.of_guest(2), clock)
    third.encoder.adopt([*owner.records, *guest.records], store.latest())
    third.apply(Call("log", "x", True))

    assert typed(read(store, owner, guest, third)["x"][-1]) == typed(True)


def test_a_list_longer_than_a_batch_keeps_its_order_at_one_moment():
    store = SqlStore()
    writer = Writer(store)
    writer.apply(Call("log_list", "x", [n % 7 for n in range(2500)]))

    assert read(store, writer) == {"x": [n % 7 for n in range(2500)]}
    assert [point.step for point in store.history("x")] == list(range(2500))
    assert {point.timestamp for point in store.history("x")} == {1_700_000_000_000}


@pytest.mark.parametrize("step", [-(2**63), 2**63 - 1, 2**63, 10**30])
def test_a_step_beyond_64_bits_is_refused_and_nothing_else_is_touched(step):
    store = SqlStore()
    writer = Writer(store)
    writer.apply(Call("log", "x", 1.0, 5))
    with pytest.raises(AzureMLException, match="64-bit"):
        writer.apply(Call("log", "x", 2.0, step))
    writer.apply(Call("log", "x", 3.0, 4))

    assert read(store, writer) == {"x": [3.0, 1.0]}


def test_a_float_with_a_legal_name_needs_no_record():
    writer = Writer(SqlStore())
    for call in log("loss", 0.5, NAN, 0.25):
        writer.apply(call)

    assert writer.lines == []


def test_an_int_column_needs_one_record():
    writer = Writer(SqlStore())
    writer.apply(Call("log_list", "x", list(range(2500))))

    assert writer.records == [KeyRecord("x", "x", None, "i")]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(allow_nan=False)), min_size=1, max_size=9))
def test_points_of_plain_mlflow_read_back_by_step(points):
    store = FileStore()
    for timestamp, step, value in points:
        store.add(Latest("m", value, timestamp, step))

    values = [value for _, _, value in sorted(points, key=lambda point: (point[1], point[0]))]
    assert typed(read(store, is_foreign=True)) == typed({"m": values if len(values) > 1 else values[0]})


def test_later_points_of_plain_mlflow_do_not_shift_what_is_there():
    store = SqlStore()
    writer = Writer(store)
    for call in [*log("x", 1, "two", 2**60 + 1), *log("loss (train)", 3)]:
        writer.apply(call)
    later = writer.rows[-1][1] + 1000
    store.add(Latest("x", 4.0, later, 0))
    store.add(Latest("y", 0.5, later, 0))

    assert typed(read(store, writer)) == typed({"x": [1, "two", 2**60 + 1, 4], "loss (train)": 3, "y": 0.5})


def test_a_fraction_of_plain_mlflow_widens_an_int_column():
    store = SqlStore()
    writer = Writer(store)
    writer.apply(Call("log", "x", 1))
    store.add(Latest("x", 0.5, 1_800_000_000_000, 0))

    assert typed(read(store, writer)) == typed({"x": [1.0, 0.5]})
