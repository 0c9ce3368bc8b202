"""Tabular datasets: how files become a DataFrame, and what can be done with the rows before."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import numpy
import pandas
import pytest

from azml_compat import Dataset, Workspace
from azml_compat.data import DataType, FileDataset, TabularDataset
from azml_compat.data.datapath import DataPath
from azml_compat.data.dataset_error_handling import DatasetExecutionError, DatasetValidationError
from azml_compat.data.dataset_factory import TabularDatasetFactory
from azml_compat.data.dataset_type_definitions import PromoteHeadersBehavior
from azml_compat.exceptions import DatasetTimestampMissingError, UserErrorException

LEAST = datetime.datetime(2020, 1, 2)


@pytest.fixture
def store(sqlite_uri, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    return Workspace("subscription", "group", "workspace").get_default_datastore()


def write(text, path="data.csv", encoding="utf-8"):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(text.encode(encoding))
    return path


def table(text, **options):
    return Dataset.Tabular.from_delimited_files(write(text), **options)


def frame(text, **options):
    return table(text, **options).to_pandas_dataframe()


def column(*cells, **options):
    """Read a column of these cells."""
    rows = "\n".join(f"{cell},x" for cell in cells)
    return frame(f"c,other\n{rows}\n", **options)["c"]


# What columns become


@pytest.mark.parametrize(
    ("cells", "dtype", "values"),
    [
        (["1", "007", '"3"', "-4"], "int64", [1, 7, 3, -4]),
        (["0", "1", "1"], "int64", [0, 1, 1]),
        (["20200102"], "int64", [20200102]),
        (["1", "", "3"], "float64", [1.0, None, 3.0]),
        (["1.5", "1e3", "nan", "NaN", ""], "float64", [1.5, 1000.0, None, None, None]),
        ([" 1", "2 "], "int64", [1, 2]),
        (["1", "NA"], "object", ["1", "NA"]),
        (["None", "?"], "object", ["None", "?"]),
        (["1", "None"], "object", ["1", "None"]),
        (["0x10", "1"], "object", ["0x10", "1"]),
        (["True", "true", "T", "False", "false", "F"], "bool", [True] * 3 + [False] * 3),
        (["True", "", "F"], "object", [True, None, False]),
        (["true", "maybe"], "object", ["true", "maybe"]),
        (["yes", "no"], "object", ["yes", "no"]),
        (["10:30"], "object", ["10:30"]),
        (["a", "", " b "], "object", ["a", None, " b "]),
        (["", ""], "object", [None, None]),
        (["2020-01-02", ""], "datetime64[ns]", [LEAST, None]),
        (["2020-01-02T03:04:05Z"], "datetime64[ns]", [datetime.datetime(2020, 1, 2, 3, 4, 5)]),
        (["2020-01-02 03:04:05.5+02:00"], "datetime64[ns]", [datetime.datetime(2020, 1, 2, 1, 4, 5, 500000)]),
        (["13/02/2020"], "datetime64[ns]", [datetime.datetime(2020, 2, 13)]),
        (["9999-12-31", "2020-01-02"], "datetime64[ns]", [None, LEAST]),
        (["2020-01-02", "no date"], "object", ["2020-01-02", "no date"]),
    ],
)
def test_the_texts_of_a_column_decide_what_it_is(cells, dtype, values):
    found = column(*cells)

    assert str(found.dtype) == dtype
    if dtype == "object":
        assert list(found) == values  # and None is None, not NaN
    else:
        assert [None if pandas.isna(value) else value for value in found] == values


def test_dates_with_slashes_have_the_month_first_which_is_said(caplog):
    assert list(column("01/02/2020")) == [LEAST]
    assert "month first" in caplog.text


def test_a_late_exception_makes_the_whole_column_text():
    for last in ("x", "0x10", "1.5.1", "True"):
        found = column(*["1"] * 5000, last)
        assert (found.dtype, found.iloc[0], found.iloc[-1]) == (object, "1", last)
    assert column(*["1"] * 5000, "1.5", "nan").dtype == "float64"
    assert column(*["1"] * 5000, "").dtype == "float64"


def test_many_texts_of_which_few_are_different_are_what_they_are():
    found = column(*["a", "", "ü b"] * 10_000)

    assert list(found[:3]) == ["a", None, "ü b"]
    assert list(found) == ["a", None, "ü b"] * 10_000


def test_without_inference_all_is_text_and_blanks_are_none():
    found = frame("a,b\n1,\nTrue,x\n", infer_column_types=False)

    assert found.to_dict("list") == {"a": ["1", "True"], "b": [None, "x"]}


def test_blanks_can_be_empty_texts():
    assert list(frame("a,b\nx,1\n,2\n", empty_as_string=True)["a"]) == ["x", ""]


def test_the_types_of_columns_can_be_said():
    types = {
        "s": DataType.to_string(),
        "n": DataType.to_long(),
        "f": DataType.to_float(decimal_mark=","),
        "b": DataType.to_bool(),
        "t": DataType.to_datetime("%d/%m/%Y"),
        "u": DataType.to_datetime(),
        "not there": DataType.to_stream(None),
    }
    text = 's,n,f,b,t,u,z\n007,1,"1.000,5",1,02/01/2020,2020-01-02,5\n8,2,"2,5",0,03/01/2020,2020-01-03,6\n'
    found = frame(text, set_column_types=types)

    assert [str(dtype) for dtype in found.dtypes] == [
        *("object", "int64", "float64", "bool", "datetime64[ns]", "datetime64[ns]", "int64"),
    ]
    assert found.iloc[0].tolist() == ["007", 1, 1000.5, True, LEAST, LEAST, 5]


def test_a_cell_that_cannot_be_converted_is_null_or_an_error():
    made = table("n\n1\nx\n", set_column_types={"n": DataType.to_long()})

    assert [None if pandas.isna(value) else value for value in made.to_pandas_dataframe()["n"]] == [1, None]
    with pytest.raises(UserErrorException, match="'x'"):
        made.to_pandas_dataframe(on_error="fail")


@pytest.mark.parametrize("types", [{"n": "long"}, ["n"], "long"])
def test_types_of_the_wrong_shape_are_refused(types):
    with pytest.raises(UserErrorException):
        table("n\n1\n", set_column_types=types)


# Headers, separators, encodings


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (True, {"a": [1, 3], "b": [2, 4]}),
        ("ALL_FILES_HAVE_SAME_HEADERS", {"a": [1, 3], "b": [2, 4]}),
        (PromoteHeadersBehavior.ONLY_FIRST_FILE_HAS_HEADERS, {"a": ["1", "b", "3"], "b": ["2", "a", "4"]}),
        ("COMBINE_ALL_FILES_HEADERS", {"a": [1, 4], "b": [2, 3]}),
        (False, {"Column1": ["a", "1", "b", "3"], "Column2": ["b", "2", "a", "4"]}),
    ],
)
def test_several_files_are_joined_as_the_header_says(header, expected):
    write("a,b\n1,2\n", "many/1.csv")
    write("b,a\n3,4\n", "many/2.csv")

    found = Dataset.Tabular.from_delimited_files("many/*.csv", header=header).to_pandas_dataframe()

    assert found.to_dict("list") == expected
    assert list(found.index) == list(range(len(found)))


def test_rows_and_files_that_are_shorter_are_padded():
    write("a,b\n1,2\n", "many/1.csv")
    write("a\n3\n", "many/2.csv")
    found = Dataset.Tabular.from_delimited_files("many").to_pandas_dataframe()

    assert found["a"].tolist() == [1, 3]
    assert found["b"].isna().tolist() == [False, True]
    assert frame("a,b\n1\n2,3,4\n").astype(object).where(lambda cells: cells.notna(), None).values.tolist() == [
        [1, None, None],
        [2, 3.0, 4.0],
    ]


def test_names_of_columns_are_made_up_where_they_are_blank_or_twice():
    assert list(frame("a,,a,a\n1,2,3,4\n").columns) == ["a", "Column2", "a_1", "a_2"]


def test_quotes_protect_separators_quotes_and_newlines():
    found = frame('a;b\n"x;y";"say ""hi"""\n"two\nlines";z\n', separator=";", support_multi_line=True)

    assert found.to_dict("list") == {"a": ["x;y", "two\nlines"], "b": ['say "hi"', "z"]}


@pytest.mark.parametrize(
    ("encoding", "python"),
    [
        *(("utf8", "utf-8"), ("latin1", "latin-1"), ("ISO88591", "latin-1"), ("utf16", "utf-16")),
        *(("utf32", "utf-32"), ("utf8bom", "utf-8-sig"), ("windows1252", "cp1252"), ("utf8", "utf-8-sig")),
    ],
)
def test_encodings(encoding, python):
    write("ä,b\né,1\n", encoding=python)

    found = Dataset.Tabular.from_delimited_files("data.csv", encoding=encoding).to_pandas_dataframe()
    assert found.to_dict("list") == {"ä": ["é"], "b": [1]}


@pytest.mark.parametrize("options", [{"encoding": "klingon"}, {"header": "SOME"}, {"partition_format": "no key"}])
def test_options_that_are_none_are_refused(options):
    with pytest.raises(UserErrorException):
        table("a\n1\n", **options)


def test_the_columns_of_paths(store):
    for state, month in (("CA", "2020/01"), ("WA", "2020/02")):
        write("x\n1\n", f"p/{month}/{state}/x.csv")
    store.upload("p", "p", show_progress=False)
    made = Dataset.Tabular.from_delimited_files(
        (store, "p/**/x.csv"), include_path=True, partition_format="/{when:yyyy/MM}/{state}/x.csv"
    )
    found = made.to_pandas_dataframe()

    assert list(found.columns) == ["Path", "state", "when", "x"]
    assert found["Path"].tolist() == ["/p/2020/01/CA/x.csv", "/p/2020/02/WA/x.csv"]
    assert found["state"].tolist() == ["CA", "WA"]
    assert found["when"].tolist() == [pandas.Timestamp("2020-01-01"), pandas.Timestamp("2020-02-01")]
    assert str(found["when"].dtype) == "datetime64[ns]"
    assert made.partition_keys == ["state", "when"]
    assert made.get_partition_key_values(["state"]) == [{"state": "CA"}, {"state": "WA"}]


@pytest.mark.parametrize("layout", ["/x.csv", "/{a:yyyy}/{b:MM}/x.csv", "/{a}/{b", "/{a}/{a}/x.csv"])
def test_partition_formats_that_are_none_are_refused(layout):
    with pytest.raises(UserErrorException):
        Dataset.File.from_files("x", partition_format=layout)


# Errors


@pytest.mark.parametrize("text", ["", "a,b\n", "\n\n"])
def test_data_without_a_row_is_a_validation_error(text):
    with pytest.raises(DatasetValidationError, match=r"Failed to validate the data\."):
        table(text)


def test_a_missing_file_is_found_at_once_or_when_it_is_read(store):
    with pytest.raises(DatasetValidationError):
        Dataset.Tabular.from_delimited_files((store, "none.csv"))
    later = Dataset.Tabular.from_delimited_files((store, "none.csv"), validate=False, infer_column_types=False)
    with pytest.raises(DatasetExecutionError, match="Execution failed with error message"):
        later.to_pandas_dataframe()
    with pytest.raises(UserErrorException):
        later.keep_columns("a", validate=True)


@pytest.mark.parametrize(
    "path",
    [None, [], 5, ("a", "b"), "", ["a.csv", ("a", "b")], "wasbs://c@a/x", "https://a.blob.core/x.csv?sv=1&sig=s"],
)
def test_paths_that_are_none_are_refused(path):
    with pytest.raises(UserErrorException):
        Dataset.Tabular.from_delimited_files(path)


@pytest.mark.parametrize("path", ["a/../../../x", "../a/../.."])
def test_paths_that_lead_out_of_the_datastore_are_refused(store, path):
    with pytest.raises(UserErrorException):
        Dataset.Tabular.from_delimited_files((store, path))


def test_every_form_of_a_path_is_taken(store):
    write("x\n1\n")
    store.upload_files(["data.csv"], target_path="d", show_progress=False)
    in_store = [(store, "d/data.csv"), DataPath(store, "d"), store.path("d/data.csv"), [(store, "d/*.csv")]]

    for path in [*in_store, "data.csv", str(Path("data.csv").absolute()), Path("data.csv").absolute().as_uri()]:
        assert Dataset.Tabular.from_delimited_files(path).to_pandas_dataframe()["x"].tolist() == [1]


# Rows and columns


@pytest.fixture
def numbers():
    """A dataset of 1,000 rows: `n` from 0, its square, and a letter."""
    rows = "\n".join(f"{n},{n * n},{'abc'[n % 3]}" for n in range(1000))
    return table(f"n,square,letter\n{rows}\n")


def test_take_and_skip_are_lazy_and_number_anew(numbers):
    found = numbers.skip(2).take(3).to_pandas_dataframe()

    assert found["n"].tolist() == [2, 3, 4]
    assert list(found.index) == [0, 1, 2]
    assert numbers.take(0).to_pandas_dataframe().shape == (0, 0)
    assert isinstance(numbers.take(1), TabularDataset)
    with pytest.raises(ValueError, match="-1"):
        numbers.take(-1)
    with pytest.raises(ValueError, match="-1"):
        numbers.skip(-1)


def test_random_split_is_disjoint_complete_and_reproducible(numbers):
    first, second = numbers.random_split(percentage=0.8, seed=7)
    one, two = first.to_pandas_dataframe()["n"].tolist(), second.to_pandas_dataframe()["n"].tolist()

    assert sorted(one + two) == list(range(1000))
    assert one == sorted(one)
    assert 740 < len(one) < 860
    assert numbers.random_split(0.8, 7)[0].to_pandas_dataframe()["n"].tolist() == one
    assert numbers.random_split(0.8, 8)[0].to_pandas_dataframe()["n"].tolist() != one
    unseeded, rest = numbers.random_split(0.5)
    assert len(unseeded.to_pandas_dataframe()) + len(rest.to_pandas_dataframe()) == 1000
    with pytest.raises(ValueError, match="80"):
        numbers.random_split(80)


def test_take_sample_takes_rows_with_a_probability(numbers):
    found = numbers.take_sample(0.1, seed=1).to_pandas_dataframe()["n"].tolist()

    assert 60 < len(found) < 140
    assert found == numbers.take_sample(0.1, seed=1).to_pandas_dataframe()["n"].tolist()


def test_columns_are_kept_in_the_order_of_the_data(numbers):
    assert list(numbers.keep_columns(["letter", "n", "other"]).to_pandas_dataframe().columns) == ["n", "letter"]
    assert list(numbers.keep_columns("n").to_pandas_dataframe().columns) == ["n"]
    assert list(numbers.drop_columns(["n", "other"]).to_pandas_dataframe().columns) == ["square", "letter"]
    with pytest.raises(UserErrorException):
        numbers.keep_columns("other").to_pandas_dataframe()


def test_filter_takes_conditions_on_columns(numbers, capsys):
    def kept(condition):
        return numbers.filter(condition).to_pandas_dataframe()["n"].tolist()

    assert kept(numbers["n"] < 3) == [0, 1, 2]
    assert kept((numbers["n"] <= 3) & (numbers["letter"] == "a")) == [0, 3]
    assert kept((numbers["n"] > 998) | (numbers["square"] == 4)) == [2, 999]
    assert kept(~(numbers["n"] >= 1)) == [0]
    assert kept((numbers["n"] != 0) & (numbers["n"] < numpy.int64(2))) == [1]
    assert kept(numbers["letter"].is_null()) == []
    assert "experimental" in capsys.readouterr().out
    with pytest.raises(UserErrorException):
        numbers.filter("n > 3")
    with pytest.raises(UserErrorException):
        numbers.filter(numbers["none"] > 3).to_pandas_dataframe()
    with pytest.raises(TypeError):
        numbers[["n", "letter"]]


def test_what_a_table_does_not_have(numbers):
    for name in ("head", "columns", "sample", "dtypes", "shape", "as_mount", "as_download"):
        assert not hasattr(numbers, name)
    with pytest.raises(TypeError):
        len(numbers)
    assert not isinstance(numbers, Dataset)
    with pytest.raises(UserErrorException):
        TabularDataset()


def test_a_timestamp_column_is_the_index_and_bounds_rows():
    made = table("when,x\n2020-01-01,1\n2020-01-02,2\n2020-01-03 12:00,3\n,4\n")
    assert made.timestamp_columns == (None, None)
    with pytest.raises(DatasetTimestampMissingError):
        made.time_before(LEAST)
    timed = made.with_timestamp_columns("when")

    found = timed.to_pandas_dataframe()
    assert (found.index.name, list(found.columns)) == (None, ["when", "x"])
    assert found.index[0] == pandas.Timestamp("2020-01-01")

    def kept(dataset):
        return dataset.to_pandas_dataframe()["x"].tolist()

    assert kept(timed.time_before(LEAST)) == [1, 2]
    assert kept(timed.time_before(LEAST, include_boundary=False)) == [1]
    assert kept(timed.time_after(datetime.datetime(2020, 1, 2, tzinfo=datetime.timezone.utc))) == [2, 3]
    assert kept(timed.time_between(LEAST, datetime.datetime(2020, 1, 3))) == [2]
    assert kept(timed.time_recent(datetime.timedelta(days=1))) == []
    assert timed.timestamp_columns == ("when", None)
    assert timed.drop_columns("when").timestamp_columns == (None, None)
    assert timed.keep_columns("when").timestamp_columns == ("when", None)
    assert made.with_timestamp_columns(fine_grain_timestamp="when").timestamp_columns == ("when", None)
    for wrong in ({"partition_timestamp": "when"}, {"timestamp": "when", "partition_timestamp": "when"}):
        with pytest.raises(UserErrorException):
            made.with_timestamp_columns(**wrong)


# Other formats


def test_parquet_files_keep_their_types_with_texts_as_str_or_none():
    Path("p").mkdir()
    written = pandas.DataFrame({"n": [1, 2], "s": ["a", None], "t": pandas.to_datetime(["2020-01-02", None], utc=True)})
    written.to_parquet("p/1.parquet")
    written.to_parquet("p/2.parquet")

    found = Dataset.Tabular.from_parquet_files("p/*.parquet").to_pandas_dataframe()

    assert [str(dtype) for dtype in found.dtypes] == ["int64", "object", "datetime64[ns]"]
    assert found["s"].tolist() == ["a", None, "a", None]
    assert len(found) == 4


def test_json_lines_files_are_read_and_bad_lines_are_errors_or_dropped():
    lines = ['{"a": 1, "b": "x"}', "no json", '{"a": 2}']
    write("\n".join(lines), "l.jsonl")

    found = Dataset.Tabular.from_json_lines_files("l.jsonl", invalid_lines="drop").to_pandas_dataframe()
    assert found.to_dict("list") == {"a": [1, 2], "b": ["x", None]}
    with pytest.raises(DatasetExecutionError):
        Dataset.Tabular.from_json_lines_files("l.jsonl").to_pandas_dataframe()
    with pytest.raises(UserErrorException):
        Dataset.Tabular.from_json_lines_files("l.jsonl", invalid_lines="keep")


def test_what_ends_a_line_of_text_does_not_end_one_of_json_lines():
    rows = [{"a": 1, "s": "x\u2028y"}, {"a": 2, "s": "x\u0085y"}, {"a": 3, "s": "x\u2029y"}]
    write("\r\n".join([*(json.dumps(row, ensure_ascii=False) for row in rows), "no json"]), "l.jsonl")

    found = Dataset.Tabular.from_json_lines_files("l.jsonl", invalid_lines="drop").to_pandas_dataframe()
    assert found.to_dict("records") == rows


def test_json_lines_have_the_types_of_json():
    lines = [
        '{"a": 1, "when": "2020-01-01", "n": {"q": 1, "at": "2020-01-01T10:00:00Z"}, "l": ["2020-01-01", "x"]}',
        '{"a": 2.5, "when": "2020-01-02T10:00:00Z", "l": []}',
        '{"a": 3, "n": {"q": 2}}',
    ]
    write("\n".join(lines), "l.jsonl")
    write('{"when": "soon"}', "m.jsonl")

    found = Dataset.Tabular.from_json_lines_files(["l.jsonl", "m.jsonl"]).to_pandas_dataframe()

    assert found["when"].tolist() == ["2020-01-01", "2020-01-02T10:00:00Z", None, "soon"]
    assert repr(found["n"].tolist()[:3]) == repr([{"q": 1, "at": "2020-01-01T10:00:00Z"}, None, {"q": 2, "at": None}])
    assert found["l"].tolist() == [["2020-01-01", "x"], [], None, None]
    assert found["a"].tolist()[:3] == [1, 2.5, 3]


def test_an_absent_text_is_none_also_when_texts_are_asked_for():
    write("name,n\nal,1\n,2\nbo,\n", "a.csv")
    types = {"name": DataType.to_string(), "n": DataType.to_string()}

    found = Dataset.Tabular.from_delimited_files("a.csv", set_column_types=types).to_pandas_dataframe()

    assert found.to_dict("list") == {"name": ["al", None, "bo"], "n": ["1", "2", None]}


def test_a_table_becomes_a_file(numbers):
    few = numbers.take(2)
    assert isinstance(few.to_csv_files(), FileDataset)
    assert few.to_csv_files().to_path() == ["/part-0.csv"]
    [path] = few.to_csv_files(separator=";").download("csv")
    assert Path(path).read_text() == "n;square;letter\n0;0;a\n1;1;b\n"
    [path] = few.to_parquet_files().download("parquet")
    assert pandas.read_parquet(path)["n"].tolist() == [0, 1]


def test_register_pandas_dataframe_stores_and_registers(store, capsys):
    given = pandas.DataFrame(
        {"a.b": [1, 2], "d": [datetime.date(2020, 1, 2)] * 2, "s": ["x", None]}, index=["one", "two"]
    )
    made = TabularDatasetFactory.register_pandas_dataframe(given, (store, "frames"), "framed", tags={"k": "v"})

    assert (made.name, made.version, made.tags) == ("framed", 1, {"k": "v"})
    found = Dataset.get_by_name(store.workspace, "framed").to_pandas_dataframe()
    assert found.to_dict("list") == {"a_b": [1, 2], "d": [LEAST, LEAST], "s": ["x", None]}
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "Validating arguments."
    assert printed[-1] == "Successfully created and registered a new dataset."
    again = TabularDatasetFactory.register_pandas_dataframe(given, store, "framed", show_progress=False)
    assert again.version == 2
    path = json.loads(str(again).partition("\n")[2])["source"][0]["path"]
    assert path.startswith("managed-dataset/")
    assert path.endswith("/dataframe.parquet")
    assert list(given.columns) == ["a.b", "d", "s"]


def test_register_pandas_dataframe_refuses_what_it_cannot_store(store):
    good = pandas.DataFrame({"a": [1]})
    for arguments in (([1], store, "n"), (good, store, 5), (good, "store", "n")):
        with pytest.raises(ValueError, match=r"dataframe|name|target type is not supported"):
            TabularDatasetFactory.register_pandas_dataframe(*arguments, show_progress=False)
    with pytest.raises(UserErrorException):
        TabularDatasetFactory.register_pandas_dataframe(pandas.DataFrame({"a": [[1]]}), store, "n", show_progress=False)


def test_what_is_read_can_be_changed():
    Path("t.csv").write_text("n,x,word,flag,time\n1,2.5,a,True,2020-01-01\n3,4.5,b,False,2020-01-02\n")
    Path("t.jsonl").write_text('{"n": 1, "x": 2.5, "word": "a", "flag": true}\n{"n": 3, "x": 4.5, "word": "b"}\n')
    pandas.read_csv("t.csv", parse_dates=["time"]).to_parquet("t.parquet")
    datasets = [
        Dataset.Tabular.from_delimited_files("t.csv"),
        Dataset.Tabular.from_delimited_files("t.csv", infer_column_types=False),
        Dataset.Tabular.from_parquet_files("t.parquet"),
        Dataset.Tabular.from_json_lines_files("t.jsonl"),
    ]
    for dataset in datasets:
        frame = dataset.to_pandas_dataframe()
        for position, name in enumerate(frame.columns):
            first = frame[name].iloc[0]
            frame.iloc[1, position] = first
            assert frame[name].tolist() == [first, first]
