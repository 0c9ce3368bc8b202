"""The files of a run: uploads, downloads, names, hostile names, and what is captured when the run ends."""

from __future__ import annotations

import io
import itertools
import logging
import os
import posixpath
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azml_compat import Experiment, Run, Workspace
from azml_compat._files import leads_outside, normalise, stored_path
from azml_compat.core import Model
from azml_compat.exceptions import AzureMLAggregatedException, UserErrorException

ODD_NAMES = [
    "plain.txt",
    "outputs/model.pkl",
    "a#b.txt",
    "q?x.txt",
    "50%.txt",
    "50%25.txt",
    "sub#?%/x#?%",
    "back\\slash.txt",
    "c:colon.txt",
    "star*.txt",
    'quote".txt',
    "<tag>",
    "pipe|x",
    "tab\there",
    "line\nbreak",
    "bell\x07",
    "del\x7f",
    " leading",
    "trailing ",
    "full stop.",
    " dir / file ",
    "ünïcödé.txt",
    "日本語/ファイル",
    "😀.txt",
    "e\u0301 decomposed",
    "\u00e9 composed",
    "\u202eright to left",
    "\ufeffmark",
    "\udcff not unicode",
    "a" * 300,
    "d" * 300 + "/f.txt",
    "😀" * 60,
    ".hidden/.file",
    "..dots/x",
    "...",
    "_x2e_.txt",
    "_x5f_x2e_",
    "_xempty_",
    "_xh0123456789abcdef_",
    "a+b&c=d;e,f.txt",
    "semicolon;",
    ";",
    "[x]{y}(z)~!@$^'`",
    "-rf",
    "con/aux.txt",
    "azml_compat/x",
    "AZML_Compat/x",
    "azml_compat_/x",
    "model/model",
    "a/model/model",
    "#/#",
    "y" * 300 + "/" + "y" * 300,
]


def client_of(run):
    from mlflow import MlflowClient

    return MlflowClient(run.experiment.workspace.get_mlflow_tracking_uri())


def artifacts(run, folder=None):
    """All artifact paths of the run as plain MLflow lists them, ours included."""
    found = set()
    for entry in client_of(run).list_artifacts(run._record.id, folder):
        found |= artifacts(run, entry.path) if entry.is_dir else {entry.path}
    return found


def log_with_mlflow(run, name, content, folder=None):
    """Have plain MLflow store a file."""
    local = Path("plain") / posixpath.basename(name)
    local.parent.mkdir(exist_ok=True)
    local.write_text(content)
    client_of(run).log_artifact(run._record.id, str(local), posixpath.dirname(name) or folder)


def put(run, name, content="content"):
    return run.upload_file(name, io.BytesIO(content.encode("utf-8", "surrogatepass")))


def read(run, name):
    """The content of a file of the run, through download_file."""
    run.download_file(name, "downloaded")
    return Path("downloaded").read_bytes().decode("utf-8", "surrogatepass")


def write(path, content="content"):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


# Names


def test_every_name_comes_back_with_its_content_and_is_stored_alike_on_every_store(run):
    for name in ODD_NAMES:
        put(run, name, name)

    assert sorted(run.get_file_names()) == sorted(ODD_NAMES)
    assert {path for path in artifacts(run) if not path.startswith("azml_compat/")} == set(map(stored_path, ODD_NAMES))
    again = Run(run.experiment, run.id)
    assert sorted(again.get_file_names()) == sorted(ODD_NAMES)
    for name in ODD_NAMES:
        assert read(again, name) == name


def test_stored_names_are_made_of_what_every_store_and_url_takes():
    for name in ODD_NAMES:
        stored = stored_path(name)

        assert not set(stored) & set('#?%\\:*"<>|\n\t\x07\x7f')
        assert not stored.startswith("..")
        assert all(part == part.strip(" ") and len(part.encode()) <= 200 for part in stored.split("/"))


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("./outputs/f.txt", "outputs/f.txt"),
        ("outputs//g.txt", "outputs/g.txt"),
        ("outputs/./h.txt", "outputs/h.txt"),
        ("a/../c.txt", "c.txt"),
        ("folder/", "folder"),
        ("/etc/passwd", "passwd"),
        ("//server/share", "share"),
        ("../../evil", "evil"),
        ("a/../../b", "b"),
        ("/tmp/../evil2", "evil2"),
        ("../", None),
        ("", None),
        (".", None),
        ("..", None),
        ("/", None),
        ("/..", None),
        ("a/..", None),
        ("nul\0byte", None),
    ],
)
def test_a_name_is_normalised_to_one_inside_the_run_or_refused(local_run, tmp_path, given_name, kept):
    before = files_below(tmp_path)
    if kept is None:
        with pytest.raises(UserErrorException, match="does not name a file"):
            put(local_run, given_name)
        assert local_run.get_file_names() == []
        assert files_below(tmp_path) == before
    else:
        result = put(local_run, given_name)

        assert local_run.get_file_names() == [kept]
        assert read(local_run, given_name) == read(local_run, kept) == "content"
        assert list(result.artifacts) == list(result.artifact_content_information) == [given_name]


def files_below(folder):
    return {path for path in Path(folder).rglob("*") if not path.is_dir()}


def test_nothing_is_written_outside_the_run_on_upload(run, tmp_path_factory):
    base = tmp_path_factory.getbasetemp()
    before = files_below(base)
    for number, name in enumerate(["../../../up", "/abs/olute", "a/../../../../out", "..\\..\\win", "%2e%2e/%2e%2e/x"]):
        put(run, name, str(number))

    new = {path for path in files_below(base) - before if path.suffix not in (".db", ".log")}
    assert new
    assert all(run.id in path.parts for path in new), new
    assert sorted(run.get_file_names()) == sorted(["up", "olute", "out", "..\\..\\win", "%2e%2e/%2e%2e/x"])


def test_files_of_one_name_from_different_places_outside_are_different_files(run):
    for place in ("/x/f1", "/x/f2", "../f3"):
        put(run, f"{place}/roc.png", place)
    with pytest.raises(AzureMLAggregatedException):
        put(run, "/x/f2/roc.png", "again")
    with pytest.raises(AzureMLAggregatedException):
        put(run, "roc.png", "of that very name")

    Path("local").write_text("/x/f4")
    run.upload_files(["/x/f4/roc.png"], ["local"])

    assert sorted(run.get_file_names()) == ["roc.png", "roc_2.png", "roc_3.png", "roc_4.png"]
    for place in ("/x/f1", "/x/f2", "../f3", "/x/f4"):
        assert read(run, f"{place}/roc.png") == place
    assert read(run, "roc_2.png") == "/x/f2"


@pytest.mark.parametrize("kind", ["sqlite", "file", "default"])
def test_the_store_is_no_part_of_a_folder_that_it_lies_in(tmp_path, template_database, monkeypatch, kind):
    Path("data/mlruns").mkdir(parents=True)
    Path("data/mlruns/mine.txt").write_text("a folder of that name which is not the store's")
    Path("script.py").write_text("")
    if kind != "default":
        monkeypatch.setenv("MLFLOW_TRACKING_URI", {"sqlite": "sqlite:///mine.db", "file": "file:mlruns"}[kind])
    if kind != "file":
        Path("mine.db" if kind == "sqlite" else "mlflow.db").write_bytes(template_database.read_bytes())
    workspace = Workspace("s", "g", "w")
    workspace.get_default_datastore().upload_files(["script.py"], show_progress=False)
    experiment = Experiment(workspace, "e")
    for _ in range(2):
        run = experiment.start_logging(outputs=".", snapshot_directory=None)
        run.upload_folder("code", ".")
        Model.register(workspace, ".", "folder")
        run.complete()
        code = [f"code/{name}" for name in ("data/mlruns/mine.txt", "script.py")]
        taken = [name.removeprefix("./") for name in run.get_file_names() if not name.startswith("code/")]
        assert sorted(name for name in run.get_file_names() if name.startswith("code/")) == code
        assert sorted(taken) == ["data/mlruns/mine.txt", "script.py"]
    files = Model(workspace, "folder").download("out")
    assert sorted(p.relative_to(files).as_posix() for p in Path(files).rglob("*") if p.is_file()) == [
        "data/mlruns/mine.txt",
        "script.py",
    ]


def test_a_name_must_be_text(local_run):
    for name in (b"bytes", 7, None):
        with pytest.raises((UserErrorException, TypeError)):
            local_run.upload_file(name, io.BytesIO(b""))

    put(local_run, Path("a") / "b.txt")
    assert local_run.get_file_names() == ["a/b.txt"]


# Sources


@pytest.mark.parametrize(
    "how",
    [{"mode": "rb"}, {"mode": "rb", "buffering": 0}, {"mode": "r+b"}, {"mode": "r", "encoding": "utf-8"}],
    ids=["buffered", "raw", "random", "text"],
)
def test_an_open_file_is_read_from_where_it_is_and_left_open(local_run, how):
    write("local", "0123456789")
    with Path("local").open(**how) as source:
        source.seek(4)
        local_run.upload_file("f", source)

        assert not source.closed
        assert source.read() in (b"", "")
    assert read(local_run, "f") == "456789"


@pytest.mark.parametrize("source", [io.BytesIO("äöü".encode()), io.StringIO("äöü")], ids=["bytes", "text"])
def test_a_stream_in_memory_is_read_from_where_it_is_and_left_open(run, source):
    source.seek(0)
    source.read(2 if isinstance(source, io.BytesIO) else 1)
    run.upload_file("f", source)

    assert not source.closed
    assert read(run, "f") == "öü"


@pytest.mark.parametrize("path", [Path("local"), "local", "./local"], ids=repr)
def test_a_file_is_uploaded_from_any_kind_of_path(local_run, path):
    write("local", "here")
    local_run.upload_file("sub/other name", path)

    assert read(local_run, "sub/other name") == "here"
    assert Path("local").read_text() == "here"


def test_a_linked_file_is_stored_with_its_content(run):
    write("real", "real content")
    Path("link").symlink_to("real")
    run.upload_file("link", "link")
    run.upload_file("renamed", "link")

    assert read(run, "link") == read(run, "renamed") == "real content"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        (b"bytes", UserErrorException),
        (7, UserErrorException),
        (None, UserErrorException),
        ("missing", FileNotFoundError),
        (Path("missing"), FileNotFoundError),
        (".", IsADirectoryError),
    ],
    ids=repr,
)
def test_what_cannot_be_uploaded_is_refused_and_stores_nothing(local_run, source, error):
    with pytest.raises(error):
        local_run.upload_file("f", source)

    assert local_run.get_file_names() == []


def test_files_are_uploaded_in_numbers(run):
    write("one", "1")
    write("two", "2")
    names = ["a.txt", "sub/b.txt", "sub/sub/c.txt"]
    done = run.upload_files(names, ["one", Path("two"), io.BytesIO(b"3")])

    assert iter(done) is done
    assert list(done) == [None, None, None]
    assert sorted(run.get_file_names()) == names
    assert [read(run, name) for name in names] == ["1", "2", "3"]
    stored, done = run.upload_files(["d.txt"], ["one"], return_artifacts=True)
    assert list(stored) == ["d.txt"]
    assert list(done) == [None]


def test_upload_files_stores_all_or_nothing_of_what_can_be_known_before(local_run):
    write("one")
    put(local_run, "taken")
    with pytest.raises(TypeError, match=r"(?i)equal lengths"):
        local_run.upload_files(["a", "b"], ["one"])
    with pytest.raises(FileNotFoundError):
        local_run.upload_files(["a", "b"], ["one", "missing"])
    with pytest.raises(AzureMLAggregatedException):
        local_run.upload_files(["a", "taken"], ["one", "one"])
    with pytest.raises(UserErrorException):
        local_run.upload_files(["a", ".."], ["one", "one"])

    assert local_run.get_file_names() == ["taken"]
    with pytest.raises(AzureMLAggregatedException):
        local_run.upload_files(["same", "same"], ["one", "one"])


@pytest.mark.parametrize("path", ["d", "d/", "./d", Path("d")], ids=repr)
def test_a_folder_is_uploaded_with_everything_in_it(local_run, path):
    for name in ("1.txt", "e/2.txt", "e/.hidden", ".dot/3.txt"):
        write(f"d/{name}", name)
    Path("d/empty").mkdir()
    Path("d/loop").symlink_to(Path.cwd() / "d")
    os.mkfifo("d/pipe")
    done = local_run.upload_folder("pre", path)

    assert list(done) == [None] * 4
    assert sorted(local_run.get_file_names()) == ["pre/.dot/3.txt", "pre/1.txt", "pre/e/.hidden", "pre/e/2.txt"]
    assert read(local_run, "pre/e/2.txt") == "e/2.txt"


def test_a_folder_can_be_uploaded_to_the_top(local_run):
    write("d/e/f")
    local_run.upload_folder("", "d")

    assert local_run.get_file_names() == ["e/f"]


def test_upload_folder_refuses_what_is_no_folder(local_run):
    write("file")
    for path in ("file", "missing"):
        with pytest.raises(UserErrorException, match="not a valid directory"):
            local_run.upload_folder("pre", path)
    put(local_run, "pre/f")
    write("d/a")
    write("d/f")
    with pytest.raises(AzureMLAggregatedException):
        local_run.upload_folder("pre", "d")
    assert local_run.get_file_names() == ["pre/f"]


# Conflicts


@pytest.mark.parametrize(
    ("present", "name"),
    [
        ("f", "f"),
        ("f", "./f"),
        ("a/b/f", "a//b/./f"),
        ("a#?%", "a#?%"),
        ("x" * 300, "x" * 300),
        ("folder/f", "folder"),
        ("a/b/c/f", "a/b"),
        ("file", "file/f"),
        ("file", "file/a/b/c/f"),
        ("a/file", "a/file/b/c/f"),
    ],
)
def test_a_name_that_is_taken_is_a_conflict_and_nothing_changes(run, present, name):
    put(run, present, "first")
    with pytest.raises(AzureMLAggregatedException, match="Resource Conflict") as raised:
        put(run, name, "second")

    assert str(raised.value.message).startswith("UserError: ")
    assert run.get_file_names() == [normalise(present)]
    assert read(run, present) == "first"


def test_names_that_only_begin_alike_do_not_conflict(run):
    names = ["a", "a.txt", "a b", "A", "b/a", "b/a.txt", "bb/a", "b.a"]
    for name in names:
        put(run, name, name)

    assert sorted(run.get_file_names()) == sorted(names)
    assert all(read(run, name) == name for name in names)


# Downloads


FILED = {"top.txt", "outputs/a.txt", "outputs/sub/b.txt", "outputs2/c.txt", "odd#?%/d e.txt"}


@pytest.fixture
def filed(local_run):
    """A run with some files."""
    for name in FILED:
        put(local_run, name, name)
    return local_run


def below(folder="."):
    return {path.relative_to(folder).as_posix() for path in files_below(folder)}


@pytest.mark.parametrize(
    ("target", "where"),
    [
        (None, "b.txt"),
        ("new/deep/x.txt", "new/deep/x.txt"),
        (Path("new") / "y.txt", "new/y.txt"),
        ("there", "there/b.txt"),
        ("there/", "there/b.txt"),
        ("missing/", "missing"),
        ("there/old.txt", "there/old.txt"),
    ],
    ids=repr,
)
def test_a_file_is_downloaded_to_where_it_is_asked_for(local_run, target, where):
    put(local_run, "outputs/sub/b.txt", "new content")
    write("there/old.txt", "a much longer old content")
    before = below()

    assert local_run.download_file("outputs/sub/b.txt", target) is None
    assert Path(where).read_text() == "new content"
    assert below() == before | {where}


@pytest.mark.parametrize(
    "name", ["missing", "outputs", "outputs/", "outputs/a", "a.txt", "azml_compat", "outputs/a.txt/x"]
)
def test_a_file_that_is_not_there_is_refused_with_the_list_of_those_that_are(filed, name):
    with pytest.raises(UserErrorException, match="was not found") as raised:
        filed.download_file(name, "target")

    assert all(present in raised.value.message for present in filed.get_file_names())
    assert not Path("target").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, FILED),
        ({"prefix": "outputs"}, {"outputs/a.txt", "outputs/sub/b.txt"}),
        ({"prefix": "outputs/"}, {"outputs/a.txt", "outputs/sub/b.txt"}),
        ({"prefix": "outputs\\sub"}, {"outputs/sub/b.txt"}),
        ({"prefix": "outputs", "append_prefix": False}, {"outputs/a.txt", "outputs/sub/b.txt"}),
        ({"prefix": "odd#?%"}, {"odd#?%/d e.txt"}),
        ({"prefix": "outp"}, set()),
        ({"prefix": "azml_compat"}, set()),
        ({"prefix": "outputs", "output_directory": "d"}, {"d/outputs/a.txt", "d/outputs/sub/b.txt"}),
        ({"prefix": "outputs", "output_directory": Path("d/e")}, {"d/e/outputs/a.txt", "d/e/outputs/sub/b.txt"}),
        ({"prefix": "outputs", "output_directory": "d", "append_prefix": False}, {"d/a.txt", "d/sub/b.txt"}),
        ({"prefix": "outputs/sub", "output_directory": "d", "append_prefix": False}, {"d/b.txt"}),
        ({"prefix": "outputs", "output_paths": ["x", "y/z"]}, {"x", "y/z"}),
        ({"prefix": "outputs", "output_paths": ["x", "y"], "output_directory": "d"}, {"d/x", "d/y"}),
        (
            {"prefix": "outputs", "output_paths": ["x", "y"], "output_directory": "d", "append_prefix": False},
            {"d/x", "d/y"},
        ),
        ({"prefix": "outputs/sub", "output_paths": "x"}, {"x"}),
        ({"prefix": "outputs", "batch_size": 1, "timeout_seconds": 9}, {"outputs/a.txt", "outputs/sub/b.txt"}),
    ],
    ids=lambda value: None if isinstance(value, set) else repr(value),
)
def test_files_are_downloaded_by_folder(filed, arguments, expected):
    Path("outputs").rmdir()

    assert filed.download_files(**arguments) is None
    assert below() == expected


def test_files_are_downloaded_alike_from_every_store(run):
    for name in FILED:
        put(run, name, name)
    run.download_files(output_directory="all")
    run.download_files("outputs", "part", append_prefix=False)
    run.download_file("odd#?%/d e.txt")

    assert below("all") == FILED
    assert all(Path("all", name).read_text() == name for name in FILED)
    assert below("part") == {"a.txt", "sub/b.txt"}
    assert Path("d e.txt").read_text() == "odd#?%/d e.txt"


@pytest.mark.parametrize("paths", [["x"], ["x", "x"], ["x", "y", "z"], []], ids=repr)
def test_paths_that_do_not_fit_the_files_are_left_aside_with_a_warning(local_run, paths, caplog):
    put(local_run, "d/a")
    put(local_run, "d/b")
    local_run.download_files("d", output_paths=paths)

    assert {"d/a", "d/b"} == below()
    assert "output_paths" in caplog.text


def test_a_download_overwrites_what_is_there(local_run):
    put(local_run, "d/a", "new")
    write("d/a", "a longer old content")
    local_run.download_files()

    assert Path("d/a").read_text() == "new"


def test_files_are_listed_in_an_order_that_does_not_change(run):
    names = ["z", "b/2", "b/1", "a/x/y", "a/b", "c"]
    for name in names:
        put(run, name)

    assert run.get_file_names() == Run(run.experiment, run.id).get_file_names()
    assert sorted(run.get_file_names()) == sorted(names)


# Hostile names in the store


HOSTILE = [
    "_x2e__x2e_/evil",
    "._x2e_/evil",
    "a/._x2e_/._x2e_/._x2e_/evil",
    "_x2f_etc_x2f_passwd",
    "_x2f_",
    "_x2e_",
    "_x0_nul",
    "_xempty_",
    "_xh0123456789abcdef_",
    "_xffffffff_",
    "..._x2e_/x",
    "azml_x5f_compat_x2f_tables/t.json",
]


def test_names_made_by_plain_mlflow_to_look_like_escapes_lead_nowhere(run, tmp_path_factory):
    for name in HOSTILE:
        if not name.startswith(".."):
            log_with_mlflow(run, name, name)
    plain = [name for name in HOSTILE if not name.startswith("..")]
    base = tmp_path_factory.getbasetemp()
    before = files_below(base)

    assert sorted(run.get_file_names()) == sorted(plain)
    run.download_files(output_directory="inside")
    for number, name in enumerate(plain):
        run.download_file(name, f"single/{number}")
        assert Path(f"single/{number}").read_text() == name
    for folder in ("_x2e__x2e_", "..", "a/._x2e_", "a/.."):
        run.download_files(folder, output_directory="stripped", append_prefix=False)

    assert below("inside") == set(plain)
    assert all(Path("inside", name).read_text() == name for name in plain)
    here = [f"{Path.cwd()}/{folder}/" for folder in ("inside", "single", "stripped")]
    allowed = (*here, os.environ["AZML_COMPAT_HOME"])
    new = files_below(base) - before
    assert all(os.path.normpath(path).startswith(allowed) for path in new), new


@pytest.mark.parametrize("name", ["50%.txt", "b\\c", "star*", 'q"<>|', "sp ace ", "ü/日本", "d./x", "_x28_"])
def test_files_of_plain_mlflow_are_read_under_their_own_names(run, name):
    log_with_mlflow(run, name, "plain")

    (listed,) = run.get_file_names()
    assert listed == name or "_x" in name or "%" in name
    assert read(run, listed) == "plain"


def test_a_folder_of_plain_mlflow_may_have_one_file_of_its_own_name(run):
    log_with_mlflow(run, "model/model", "plain")
    log_with_mlflow(run, "file", "plain")

    assert run.get_file_names() == ["file", "model/model"]
    assert read(run, "model/model") == "plain"
    with pytest.raises(AzureMLAggregatedException):
        put(run, "model")
    with pytest.raises(AzureMLAggregatedException):
        put(run, "file/file")


def test_a_file_of_ours_and_one_of_plain_mlflow_do_not_hide_each_other(run):
    put(run, "model/a.pkl", "ours")
    log_with_mlflow(run, "model/b.pkl", "theirs")

    assert run.get_file_names() == ["model/a.pkl", "model/b.pkl"]
    assert read(run, "model/b.pkl") == "theirs"
    with pytest.raises(AzureMLAggregatedException):
        put(run, "model/b.pkl", "changed")
    local = client_of(run).download_artifacts(run.id, "model/a.pkl", str(Path.cwd()))
    assert Path(local).read_text() == "ours"


# The reserved folder


def test_our_own_files_are_invisible_and_out_of_reach(run):
    run.log_table("t", {"text": ["a", "b"]})
    put(run, "x" * 300)
    put(run, "seen")
    run.flush()
    ours = [path for path in artifacts(run) if path.startswith("azml_compat/")]

    assert ours
    assert sorted(run.get_file_names()) == ["seen", "x" * 300]
    for path in (*ours, f"./{ours[0]}", f"a/../{ours[0]}", "azml_compat"):
        with pytest.raises(UserErrorException, match="was not found"):
            run.download_file(path, "target")
    for prefix in ("azml_compat", posixpath.dirname(ours[0])):
        run.download_files(prefix, output_directory="d")
    assert not Path("d").exists()


def test_a_users_own_folder_of_the_reserved_name_is_kept_apart(run):
    run.log_table("t", {"text": ["a", "b"]})
    run.flush()
    ours = sorted(path for path in artifacts(run) if path.startswith("azml_compat/"))
    for path in ours:
        put(run, path, "mine")
    put(run, "Azml_Compat/x", "mine too")

    assert sorted(run.get_file_names()) == sorted([*ours, "Azml_Compat/x"])
    assert [read(run, path) for path in ours] == ["mine"] * len(ours)
    assert read(run, "Azml_Compat/x") == "mine too"
    assert run.get_metrics() == {"t": {"text": ["a", "b"]}}
    assert set(ours) <= artifacts(run)


def test_a_file_may_have_the_reserved_name(run):
    put(run, "azml_compat", "mine")
    run.log_table("t", {"text": ["a", "b"]})
    run.flush()

    assert run.get_file_names() == ["azml_compat"]
    assert read(run, "azml_compat") == "mine"


# Any name


PARTS = st.text(st.characters(codec=None, exclude_categories=()), max_size=30) | st.sampled_from(
    ["a", "b", "..", ".", "azml_compat", "_x2e_", "a#", "%23", "x" * 260, "a.", " "]
)
NAMES = st.lists(PARTS, min_size=1, max_size=3).map("/".join)


@pytest.mark.parametrize(
    "tracking_uri", ["sqlite", "file", pytest.param("http", marks=pytest.mark.extra)], indirect=True
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(names=st.lists(NAMES, max_size=5))
def test_any_names_are_stored_as_a_model_says(exp, names):
    run = exp.start_logging(snapshot_directory=None)
    model, outside = {}, set()
    for number, name in enumerate(names):
        try:
            normal = normalise(name)
        except UserErrorException:
            with pytest.raises(UserErrorException):
                put(run, name)
            continue
        if leads_outside(name) and name not in outside:
            stem, suffix = posixpath.splitext(normal)
            numbered = (f"{stem}_{count}{suffix}" for count in itertools.count(2))
            free = (one for one in itertools.chain([normal], numbered) if one not in model)
            normal = next(one for one in free if not any(is_above(one, other) for other in model))
            outside.add(name)
        if any(other == normal or is_above(other, normal) or is_above(normal, other) for other in model):
            with pytest.raises(AzureMLAggregatedException):
                put(run, name)
        else:
            put(run, name, str(number))
            model[normal] = str(number)

    assert sorted(run.get_file_names()) == sorted(model)
    assert {name: read(run, name) for name in model} == model


@pytest.mark.parametrize("name", ["a/a/a", "a/a/b", "a/a/a/a"])
@pytest.mark.parametrize("file", ["a/a", "a"])
@pytest.mark.parametrize("is_above_first", [True, False])
def test_no_file_is_below_another_whose_name_is_that_of_its_folder(run, name, file, is_above_first):
    """MLflow would take such a file for its folder, so that it has another name there."""
    first, second = (file, name) if is_above_first else (name, file)
    put(run, first, "first")
    with pytest.raises(AzureMLAggregatedException):
        put(run, second)

    assert run.get_file_names() == [first]
    assert read(run, first) == "first"


def is_above(folder, name):
    return name.startswith(f"{folder}/")


# Capture at the end


def end_in_block(run):
    with run:
        pass


def end_in_failed_block(run):
    with pytest.raises(ZeroDivisionError), run:
        1 / 0  # noqa: B018


ENDINGS = {
    "complete": Run.complete,
    "fail": Run.fail,
    "cancel": Run.cancel,
    "with": end_in_block,
    "with error": end_in_failed_block,
}


def outputs_of(run):
    return sorted(name for name in run.get_file_names() if not name.startswith("logs/"))


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
def test_the_outputs_folder_is_taken_however_the_run_ends(local_run, end):
    write("outputs/model.pkl", "model")
    write("outputs/sub/.hidden", "hidden")
    write("outputs/sub/a#b?.txt", "odd")
    end(local_run)

    assert outputs_of(local_run) == ["outputs/model.pkl", "outputs/sub/.hidden", "outputs/sub/a#b?.txt"]
    assert read(local_run, "outputs/sub/a#b?.txt") == "odd"


def test_the_outputs_folder_is_taken_on_every_store(run):
    write("outputs/sub/odd #?%.txt", "model")
    run.complete()

    assert run.get_file_names() == ["outputs/sub/odd #?%.txt"]
    assert read(run, "outputs/sub/odd #?%.txt") == "model"


def test_the_folder_outputs_is_there_from_the_start(local_run):
    assert Path("outputs").is_dir()


@pytest.mark.parametrize(
    ("outputs", "taken"),
    [
        (None, ["outputs/f"]),
        (True, ["outputs/f"]),
        ("", ["outputs/f"]),
        (False, []),
        ("my/out", ["my/out/f"]),
        ("./my/out/", ["my/out/f"]),
        (["my/out", "outputs"], ["my/out/f", "outputs/f"]),
    ],
    ids=repr,
)
def test_the_folders_that_are_taken_can_be_chosen(local_exp, outputs, taken):
    run = local_exp.start_logging(snapshot_directory=None, outputs=outputs)
    write("outputs/f")
    write("my/out/f")
    run.complete()

    assert run.get_file_names() == taken


def test_a_child_takes_only_the_folders_it_was_given(local_run):
    write("outputs/f")
    write("mine/f")
    plain, given_folder = local_run.child_run(), local_run.child_run(outputs="mine")
    plain.complete()
    given_folder.complete()

    assert plain.get_file_names() == []
    assert given_folder.get_file_names() == ["mine/f"]


def test_an_existing_run_takes_nothing(local_run):
    write("outputs/f")
    Run(local_run.experiment, local_run.id).complete()

    assert local_run.get_file_names() == []


def test_the_folder_of_the_start_counts_where_the_script_has_moved(local_run):
    write("outputs/f")
    Path("elsewhere").mkdir()
    os.chdir("elsewhere")
    write("outputs/g")
    local_run.complete()

    assert outputs_of(local_run) == ["outputs/f", "outputs/g"]


def test_content_that_is_there_already_is_not_stored_again(run, mocker):
    write("outputs/same", "same content")
    run.upload_file("outputs/same", "outputs/same")
    upload = mocker.spy(type(run._store), "upload")
    run.complete()
    run.complete()

    assert upload.call_count == 0
    assert run.get_file_names() == ["outputs/same"]


@pytest.mark.parametrize("content", ["longer than before", "abcd"], ids=["other size", "same size"])
def test_the_content_at_the_end_wins(run, content):
    write("outputs/f", "1234")
    run.upload_file("outputs/f", "outputs/f")
    write("outputs/f", content)
    run.complete()

    assert run.get_file_names() == ["outputs/f"]
    assert read(run, "outputs/f") == content


def test_an_explicit_upload_of_a_captured_file_is_still_a_conflict(local_run):
    write("outputs/f")
    local_run.complete()
    with pytest.raises(AzureMLAggregatedException, match="Resource Conflict"):
        local_run.upload_file("outputs/f", "outputs/f")


def test_azures_own_log_files_are_not_taken(local_run):
    write("outputs/azureml.log")
    write("outputs/my_azureml.log")
    write("outputs/f.log")
    local_run.complete()

    assert local_run.get_file_names() == ["outputs/f.log"]


def make_unreadable():
    Path("outputs/b").symlink_to("/proc/self/mem")  # reading it is an error, also for root


def make_dangling():
    Path("outputs/b").symlink_to("nowhere")


def make_link_to_itself():
    Path("outputs/b").symlink_to("b")


@pytest.mark.parametrize("make", [make_unreadable, make_dangling, make_link_to_itself])
def test_a_file_that_cannot_be_read_is_reported_and_the_others_are_taken(local_run, make, caplog):
    write("outputs/a")
    write("outputs/c")
    make()
    local_run.complete()

    assert local_run.get_status() == "Completed"
    assert outputs_of(local_run) == ["outputs/a", "outputs/c"]
    (record,) = [record for record in caplog.records if record.name == "azml_compat"]
    assert record.levelno == logging.WARNING
    assert "outputs/b" in record.getMessage()


def test_a_pipe_does_not_block_the_end_of_a_run(local_run):
    write("outputs/a")
    os.mkfifo("outputs/b")
    local_run.complete()

    assert local_run.get_file_names() == ["outputs/a"]


def test_a_file_that_vanishes_meanwhile_is_reported(local_run, monkeypatch, caplog):
    write("outputs/a")
    gone = write("outputs/gone")
    upload = type(local_run._store).upload

    def upload_late(store, run_id, local, folder):
        gone.unlink(missing_ok=True)
        upload(store, run_id, local, folder)

    monkeypatch.setattr(type(local_run._store), "upload", upload_late)
    monkeypatch.setattr("azml_compat.core._run_files.local_files", lambda folder, _: iter([folder / "a", gone]))
    local_run.complete()

    assert local_run.get_status() == "Completed"
    assert local_run.get_file_names() == ["outputs/a"]
    assert "outputs/gone" in caplog.text


@pytest.mark.parametrize(
    ("uploaded", "found"), [("outputs/a", "outputs/a/b"), ("outputs/a/b", "outputs/a"), ("outputs", "outputs/a/b/c")]
)
def test_a_file_whose_place_is_taken_by_another_kind_is_reported(run, uploaded, found, caplog):
    put(run, uploaded, "first")
    write(found, "found")
    run.complete()

    assert run.get_status() == "Completed"
    assert run.get_file_names() == [uploaded]
    assert read(run, uploaded) == "first"
    assert found in caplog.text


def test_the_folder_may_be_gone(local_run, caplog):
    Path("outputs").rmdir()
    local_run.complete()

    assert local_run.get_status() == "Completed"
    assert caplog.records == []


def test_a_long_name_is_captured_under_its_whole_name(local_run):
    names = [f"outputs/{'a' * 250}", f"outputs/{'#' * 60}", f"outputs/{'ü' * 120}/f"]
    for name in names:
        write(name, name)
    local_run.complete()

    assert sorted(local_run.get_file_names()) == sorted(names)


@pytest.mark.parametrize("outputs", ["{cwd}/own/out", "../cwd/own/out"])
def test_files_of_one_name_in_folders_outside_are_all_taken(local_exp, outputs):
    run = local_exp.start_logging(snapshot_directory=None, outputs=outputs.format(cwd=Path.cwd()))
    write("own/out/a/x", "a")
    write("own/out/b/x", "b")
    run.complete()

    assert run.get_file_names() == ["out/a/x", "out/b/x"]


def test_the_folder_of_the_moment_counts_before_that_of_the_start(local_run):
    write("outputs/f", "start")
    write("elsewhere/outputs/f", "moment")
    os.chdir("elsewhere")
    local_run.complete()

    assert read(local_run, "outputs/f") == "moment"


@pytest.mark.parametrize("end", ["complete", "fail", "cancel"])
def test_a_run_ends_though_the_current_directory_is_gone(local_run, end, monkeypatch, tmp_path):
    write("outputs/f")
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    try:
        getattr(local_run, end)()
    finally:
        os.chdir(tmp_path / "cwd")

    assert local_run.get_status() in ("Completed", "Failed", "Canceled")
    assert outputs_of(local_run) == ["outputs/f"]


def test_a_block_may_remove_the_folder_it_began_in(local_exp, monkeypatch, tmp_path):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    run = local_exp.start_logging(snapshot_directory=None, outputs=False)
    with run:
        monkeypatch.chdir(tmp_path)
        shutil.rmtree(tmp_path / "gone")

    assert run.get_status() == "Completed"


@pytest.mark.parametrize("name", ["outputs", "logs"])
def test_a_run_starts_and_ends_though_a_file_has_the_name_of_a_folder(local_exp, name, caplog):
    write(name, "a file")
    run = local_exp.start_logging(snapshot_directory=None)
    with run:
        print("printed")

    assert run.get_status() == "Completed"
    assert read(run, "logs/user_log.txt") == "printed\n"
    assert Path(name).read_text() == "a file"


def test_a_log_whose_place_is_taken_is_reported_and_the_store_is_not_asked(local_run, caplog, mocker):
    put(local_run, "logs", "a file of the user")
    upload = mocker.spy(type(local_run._store), "upload")
    with local_run:
        print("printed")

    assert local_run.get_status() == "Completed"
    assert "logs/user_log.txt" in caplog.text or "what the run printed" in caplog.text
    assert upload.call_count == 0


# What a block prints


def log_of(run):
    return read(run, "logs/user_log.txt")


def test_a_block_in_a_block_prints_everything_once(local_run, capsys):
    with local_run:
        print("before")
        with local_run.child_run() as child:
            print("within")
            print("an error", file=sys.stderr)
        print("after")

    assert log_of(local_run) == "before\nwithin\nan error\nafter\n"
    assert log_of(child) == "within\nan error\n"
    assert Path("logs/user_log.txt").read_text() == log_of(local_run)
    assert capsys.readouterr() == ("before\nwithin\nafter\n", "an error\n")
    assert not any(type(stream).__name__ == "_Tee" for stream in (sys.stdout, sys.stderr))


def test_all_ways_to_print_are_kept(local_run, capsys):
    with local_run:
        print("a", "b", sep="-", end="!")
        sys.stdout.write("written\n")
        sys.stdout.writelines(["one\n", "two\n"])
        print("ünï 😀")
        logging.StreamHandler().emit(logging.makeLogRecord({"msg": "logged"}))

    assert log_of(local_run) == "a-b!written\none\ntwo\nünï 😀\nlogged\n"


def test_a_forked_child_does_not_repeat_what_was_printed(local_run):
    with local_run:
        print("before", flush=True)
        pid = os.fork()
        if pid == 0:
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(pid, 0)

    assert log_of(local_run).count("before") == 1


def test_what_a_run_before_printed_is_not_in_the_log_of_the_next(local_exp):
    runs = [local_exp.start_logging(snapshot_directory=None) for _ in range(2)]
    for number, run in enumerate(runs):
        with run:
            print(number)

    assert [log_of(run) for run in runs] == ["0\n", "1\n"]
    assert Path("logs/user_log.txt").read_text() == "0\n1\n"


def test_a_stream_that_the_block_replaced_is_left_alone(local_run, monkeypatch):
    own = io.StringIO()
    with local_run:
        print("before")
        monkeypatch.setattr(sys, "stdout", own)
        print("to my own")

    assert sys.stdout is own
    assert own.getvalue() == "to my own\n"
    assert log_of(local_run) == "before\n"


def test_nothing_is_kept_of_what_is_printed_where_that_is_switched_off(local_exp):
    run = local_exp.start_logging(snapshot_directory=None, redirect_output_stream=False)
    before = sys.stdout
    with run:
        assert sys.stdout is before
        print("printed")

    assert run.get_file_names() == []
