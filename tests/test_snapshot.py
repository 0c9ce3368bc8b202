"""Snapshots: what is in one, what never is, when there is none, and that a default one surprises nobody."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
import zipfile
from pathlib import Path

import pytest

from azml_compat import Experiment, Run, Workspace, _snapshot
from azml_compat._files import local_files
from azml_compat._home import home
from azml_compat._snapshot import DEFAULT_LIMITS, EXPLICIT_LIMITS, Limits, collect, is_unsafe_folder
from azml_compat.exceptions import SnapshotException

ANY = Limits(files=10_000, size=2**40)


def write(name, content="content"):
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def names(folder=".", limits=None):
    """The names in a snapshot of a folder."""
    return sorted(name for name, _ in collect(Path(folder), limits or ANY))


def content_of(run):
    """{name: content} of the run's snapshot."""
    with zipfile.ZipFile(run.restore_snapshot(path="restored")) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def notices(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "azml_compat"]


@pytest.fixture
def started(local_exp):
    """Start a run as a script does that asks for nothing."""

    def start(**arguments):
        return local_exp.start_logging(**arguments)

    return start


# The snapshot of start_logging


def test_a_run_keeps_the_code_it_was_started_with(exp):
    write("train.py", "print('hello')")
    write("package/module.py", "x = 1")
    run = exp.start_logging()
    write("train.py", "changed")

    assert content_of(run) == {"train.py": "print('hello')", "package/module.py": "x = 1"}
    assert run.get_snapshot_id() == run.properties["ContentSnapshotId"] == str(uuid.UUID(run.get_snapshot_id()))
    assert run.get_file_names() == []
    assert content_of(Run(exp, run.id)) == content_of(run)


@pytest.mark.parametrize("nothing", [None, False, ""])
def test_no_snapshot_is_taken_where_none_is_wanted(started, nothing):
    write("train.py")
    run = started(snapshot_directory=nothing)

    assert run.get_snapshot_id() is None
    with pytest.raises(TypeError):
        run.restore_snapshot()


def test_another_folder_may_be_given(started):
    write("elsewhere/code.py")
    write("here.py")

    assert list(content_of(started(snapshot_directory="elsewhere"))) == ["code.py"]
    assert list(content_of(started(snapshot_directory=Path("elsewhere")))) == ["code.py"]


def test_a_child_has_none(started):
    write("train.py")

    assert started().child_run().get_snapshot_id() is None


# What is in it


def test_what_the_ignore_file_names_is_not_in_it():
    for name in ("a.py", "a.log", "data/x.csv", "sub/data/y.csv", "sub/keep.log", "top.txt", "sub/top.txt", "über.tmp"):
        write(name)
    write(".gitignore", "\ufeff# a comment\n*.log\n!keep.log\ndata/\n/top.txt\n\n*.tmp\n")

    assert names() == [".gitignore", "a.py", "sub/keep.log", "sub/top.txt"]


def test_azures_ignore_file_counts_alone_and_only_at_the_top():
    for name in ("a.py", "b.txt", "c.csv", "sub/d.txt"):
        write(name)
    write(".gitignore", "*.py")
    write(".amlignore", "*.csv")
    write("sub/.amlignore", "*.txt")

    assert names() == [".amlignore", ".gitignore", "a.py", "b.txt", "sub/.amlignore", "sub/d.txt"]


@pytest.mark.parametrize("line", ["!", "\\", "foo\\", "/", "//", "a[", " ", "[z-a]", "\udcff"])
def test_a_line_that_is_no_pattern_is_passed_over(line):
    write("a.py")
    write("a.log")
    Path(".gitignore").write_bytes(f"{line}\n*.log\n".encode("utf-8", "surrogateescape"))

    assert names() == [".gitignore", "a.py"]


def test_environments_stores_caches_and_outputs_are_not_in_it(local_exp, tmp_path):
    for name in (
        "venv/pyvenv.cfg",
        "venv/lib/x.py",
        "env2/conda-meta/history",
        "env2/bin/python",
        ".git/config",
        "__pycache__/a.pyc",
        "sub/__pycache__/b.pyc",
        ".ipynb_checkpoints/n.ipynb",
        "node_modules/m/index.js",
        "mlruns/0/meta.yaml",
        "mlartifacts/1/x",
        "mlflow.db",
        "mlflow.db-journal",
        "outputs/model.pkl",
        "logs/user_log.txt",
        "own store/0/meta.yaml",
        "own store/0/abc/meta.yaml",
    ):
        write(name, "lifecycle_stage: active\n")
    for name in ("train.py", "sub/outputs/kept.txt", "venv_notes/a.md", "conf/meta.yaml"):
        write(name)

    assert names() == ["conf/meta.yaml", "sub/outputs/kept.txt", "train.py", "venv_notes/a.md"]


@pytest.mark.parametrize(
    "uri", ["sqlite:///runs.sqlite", "sqlite:///sub/my runs.db", "file:my_runs", "file:sub/mlruns"]
)
def test_the_store_itself_is_never_in_it_wherever_it_is(monkeypatch, template_database, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    write("train.py")
    write("sub/code.py")
    if uri.startswith("sqlite"):
        Path(uri.removeprefix("sqlite:///")).write_bytes(template_database.read_bytes())
    experiment = Experiment(Workspace("s", "g", "w"), "e")
    for _ in range(2):
        run = experiment.start_logging()
        run.log_table("t", {"a": ["b"]})
        run.complete()

        assert list(content_of(run)) == ["train.py", "sub/code.py"]
        Path("restored").rename(f"outputs/{run.id}")


@pytest.mark.parametrize(
    ("home", "folder", "expected"),
    [
        (".azml", ".", ["sub/train.py", "train.py"]),
        ("sub/.azml", ".", ["sub/train.py", "train.py"]),
        ("sub/.azml", "sub", ["train.py"]),
        (".", ".", ["sub/train.py", "train.py"]),
        (".", "sub", ["train.py"]),
        (".azml", ".azml", []),
        (".azml", ".azml/spool/x", []),
        ("link/.azml", ".", ["sub/train.py", "train.py"]),
        (".azml", "link", ["train.py"]),
        ("sub/.azml", "link", ["train.py"]),
    ],
)
def test_journals_are_not_in_it_wherever_they_are_and_everything_else_is(home, folder, expected, monkeypatch):
    for name in ("train.py", "sub/train.py"):
        write(name)
    Path("link").symlink_to("sub")
    monkeypatch.setenv("AZML_COMPAT_HOME", str(Path(home).absolute()))
    write(Path(home, "spool/x/y/z.log"))

    assert names(folder) == expected
    assert sorted(file.relative_to(folder).as_posix() for file in local_files(Path(folder), "http://host")) == expected


def test_a_relative_home_is_where_it_was_at_first(monkeypatch):
    monkeypatch.setenv("AZML_COMPAT_HOME", f"sub/{uuid.uuid4().hex}")
    journal = write(home() / "spool/x/y/z.log")
    write("sub/train.py")
    monkeypatch.chdir("sub")

    assert journal.exists()
    assert names() == ["train.py"]


@pytest.mark.parametrize("by", ["a snapshot", "an upload", "the end of another run"])
def test_a_run_outlives_that_files_around_its_own_journal_are_taken(sqlite_uri, by, monkeypatch):
    """Whoever closes a file that it has locked loses the lock, and with it the proof that it is alive."""
    monkeypatch.setenv("AZML_COMPAT_HOME", str(Path("outputs/.azml").absolute()))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    experiment = Experiment(Workspace("s", "g", "w"), "e")
    write("outputs/model.txt")
    run = experiment.start_logging(snapshot_directory="outputs" if by == "a snapshot" else None)
    run.log("a", 1)
    if by == "a snapshot":
        assert list(content_of(run)) == ["model.txt"]
    elif by == "an upload":
        run.upload_folder("all", "outputs")
        assert run.get_file_names() == ["all/model.txt"]
    else:
        other = experiment.start_logging(snapshot_directory=None)
        other.complete()
        assert other.get_file_names() == ["outputs/model.txt"]
    code = "import sys; from azml_compat._journal import Spool; print(Spool(sys.argv[1]).abandoned_runs())"
    done = subprocess.run([sys.executable, "-c", code, sqlite_uri], capture_output=True, text=True, check=True)

    assert list(home().rglob("*.log"))
    assert done.stdout == "[]\n"


SECRETS = [
    ".env",
    ".env.local",
    "prod.env",
    ".envrc",
    ".env.py",
    ".netrc",
    "_netrc",
    ".pypirc",
    ".npmrc",
    ".pgpass",
    ".git-credentials",
    ".databrickscfg",
    "id_rsa",
    "id_ed25519.pub",
    "server.pem",
    "private.KEY",
    "cert.pfx",
    "cert.p12",
    "store.jks",
    "putty.ppk",
    "passwords.kdbx",
    "kubeconfig",
    "credentials",
    "credentials.json",
    "aws_credentials.csv",
    "client_secret_123.json",
    "secrets.yaml",
    "Secrets.toml",
    "db_password.txt",
    "token",
    "token.txt",
    "access_token.txt",
    "access-token",
    "github.token",
    "api_key.txt",
    "openai-apikey",
    "service-account.json",
    "gcp-key.json",
    "deep/er/.env",
    "secrets/prod.yaml",
    "config/credentials/aws.txt",
    ".ssh/config",
    ".aws/config",
    ".streamlit/secrets.toml",
    ".docker/config.json",
]
NO_SECRETS = [
    "secret_santa.py",
    "password_reset/views.py",
    "credentials.md",
    "get_token.ipynb",
    "tokenizer.json",
    "special_tokens_map.json",
    "tokens.txt",
    "keys.py",
    "environment.yml",
    "env.yaml",
    "monkey.json",
    "keyboard.txt",
    ".amlignore",
    ".azureml/config.json",
    "config.json",
    "Dockerfile",
]


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_never_in_it(name):
    write(name)
    write("a.py")
    write(".amlignore", f"!{name}")

    assert names() == [".amlignore", "a.py"]


@pytest.mark.parametrize("name", NO_SECRETS)
def test_what_is_about_secrets_only_by_name_is_in_it(name):
    write(name)

    assert names() == [name]


def test_a_link_to_a_secret_is_not_in_it(tmp_path):
    for number, secret in enumerate((tmp_path / ".ssh" / "config", tmp_path / "id_rsa", tmp_path / "x.pem")):
        write(secret)
        Path(f"innocent{number}").symlink_to(secret)
    Path("data.csv").symlink_to(write(tmp_path / "other" / "data.csv"))

    assert names() == ["data.csv"]


def test_a_secret_is_refused_where_it_is_asked_for_by_name(local_run):
    write("prod.env", "PASSWORD=1")
    with pytest.raises(SnapshotException, match="secret"):
        local_run.take_snapshot("prod.env")

    assert local_run.get_snapshot_id() is None


def test_links_in_a_circle_do_no_harm():
    write("sub/a.py")
    Path("sub/up").symlink_to(Path.cwd())
    Path("sub/self").symlink_to("self")
    Path("sub/gone").symlink_to("nowhere")
    Path("link.py").symlink_to("sub/a.py")

    assert names() == ["link.py", "sub/a.py"]


def test_pipes_are_not_read():
    os.mkfifo("pipe")
    write("a.py")

    assert names() == ["a.py"]


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS takes no such name")
def test_names_that_are_not_unicode_or_odd_are_kept(started):
    odd = ["new\nline", "ünï😀", " blank ", "a\\b", "c:d", "-rf"]
    for name in odd:
        write(name, name)
    Path(os.fsdecode(b"caf\xe9.py")).write_text("latin")
    found = content_of(started())

    assert found == {**{name: name for name in odd}, "caf\\xe9.py": "latin"}


def test_an_old_or_future_time_of_a_file_does_not_matter(started):
    for name, when in (("old", 0), ("future", 2**33)):
        os.utime(write(name), (when, when))

    assert set(content_of(started())) == {"old", "future"}


# Whole or absent


def test_a_file_that_cannot_be_read_means_no_snapshot(started, caplog, monkeypatch):
    write("a.py")
    Path("b.py").symlink_to("/proc/self/mem")  # reading it is an error, also for root
    write("c.py")
    run = started()

    assert run.get_snapshot_id() is None
    assert run.get_status() == "Running"
    (notice,) = notices(caplog)
    assert notice.startswith(f"No snapshot of {Path.cwd()}: ")
    with pytest.raises(OSError, match="Input/output error"):
        run.take_snapshot(".")
    with pytest.raises(SnapshotException, match="snapshot_directory=None"):
        started(snapshot_directory=str(Path.cwd()))


def test_a_folder_that_cannot_be_listed_means_no_snapshot(started, caplog, monkeypatch):
    write("a.py")
    write("closed/b.py")
    scan = os.scandir

    def refuse_closed(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse_closed)
    run = started()

    assert run.get_snapshot_id() is None
    (notice,) = notices(caplog)
    assert "Permission denied" in notice


def test_a_file_that_vanishes_meanwhile_means_no_snapshot(started, caplog, monkeypatch):
    write("a.py")
    gone = write("b.py")
    write_archive = _snapshot.write_archive

    def vanish_before(files, folder):
        gone.unlink()
        return write_archive(files, folder)

    monkeypatch.setattr(_snapshot, "write_archive", vanish_before)

    assert started().get_snapshot_id() is None
    assert len(notices(caplog)) == 1


def test_the_id_is_that_of_what_was_kept_where_a_file_changes_meanwhile(started, tmp_path, monkeypatch):
    write("a.py", "before")
    write_archive = _snapshot.write_archive

    def change_before(files, folder):
        write("a.py", "after, and longer")
        return write_archive(files, folder)

    monkeypatch.setattr(_snapshot, "write_archive", change_before)
    run = started()
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path / "cwd")

    assert content_of(run) == {"a.py": "after, and longer"}
    files = collect(Path(), ANY)
    assert _snapshot.write_archive([file for file in files if file[0] == "a.py"], tmp_path)[0] == run.get_snapshot_id()


def test_nothing_of_a_snapshot_that_was_given_up_is_left(started, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    Path(tmp_path / "tmp").mkdir()
    write("a.py")
    Path("b.py").symlink_to("/proc/self/mem")
    run = started()

    assert run._store.list_artifacts(run.id) == []
    assert [path.name for path in (tmp_path / "tmp").iterdir() if not path.name.endswith("-0")] == []


def test_a_store_that_does_not_take_the_snapshot_means_no_snapshot(started, caplog, monkeypatch):
    from azml_compat._tracking import Store
    from azml_compat.exceptions import ServiceException

    def refuse(*_):
        raise ServiceException._from_status(507, "The disk is full.")

    write("a.py")
    monkeypatch.setattr(Store, "upload", refuse)
    run = started()

    assert run.get_snapshot_id() is None
    (notice,) = notices(caplog)
    assert "The disk is full." in notice


# Large trees, home and root


def test_a_tree_of_many_files_has_no_default_snapshot_and_one_notice(started, caplog):
    for number in range(DEFAULT_LIMITS.files + 1):
        write(f"{number % 10}/{number}")
    run = started()
    run.complete()

    assert run.get_snapshot_id() is None
    (notice,) = notices(caplog)
    assert "more than 1000 files" in notice
    assert "\n" not in notice


def test_a_large_file_means_no_default_snapshot(started, caplog):
    with Path("large").open("wb") as file:
        file.truncate(DEFAULT_LIMITS.size + 1)

    assert started().get_snapshot_id() is None
    (notice,) = notices(caplog)
    assert "larger than the 20 MB" in notice


FEW = DEFAULT_LIMITS._replace(looked_at=50)


def test_looking_at_a_big_tree_ends_early_even_where_it_would_all_be_ignored(caplog, monkeypatch):
    write(".gitignore", "*.csv")
    for number in range(200):
        write(f"{number // 20:02}/{number}.csv")
    listed = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(path) or scan(path))
    with pytest.raises(SnapshotException, match="files and folders"):
        names(limits=FEW)
    assert len(listed) < 8

    monkeypatch.setenv("AML_SNAPSHOT_NO_FILE_LIMIT", "1")
    assert names(limits=FEW) == [".gitignore"]


def test_a_folder_that_was_asked_for_is_looked_at_whole():
    write(".gitignore", "*.csv")
    for number in range(200):
        write(f"{number // 20:02}/{number}.csv")

    assert names(limits=_snapshot.EXPLICIT_LIMITS) == [".gitignore"]


def test_what_is_ignored_as_a_folder_is_not_looked_at():
    for folder in ("data", "venv", "node_modules", "outputs", "secrets"):
        for number in range(60):
            write(f"{folder}/{number}")
    write("venv/pyvenv.cfg")
    write(".gitignore", "data\nsecrets")

    assert names(limits=FEW) == [".gitignore"]


@pytest.mark.parametrize("where", ["/", "~", "~/.."])
def test_a_home_or_root_directory_is_never_taken_by_default(started, monkeypatch, tmp_path, caplog, where):
    home = tmp_path / "people" / "me"
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(Path(where).expanduser())
    run = started(outputs=False)

    assert run.get_snapshot_id() is None
    (notice,) = notices(caplog)
    assert "home or root directory" in notice


def test_a_project_below_home_is_taken(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))

    assert not is_unsafe_folder(Path())
    assert is_unsafe_folder(tmp_path)
    assert is_unsafe_folder(Path("/"))


def test_a_user_without_a_home_may_have_a_snapshot(monkeypatch):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)

    assert not is_unsafe_folder(Path())
    assert is_unsafe_folder(Path("/"))


@pytest.mark.parametrize("limits", [Limits(files=2, size=2**30), Limits(files=9, size=10)])
def test_a_folder_that_was_asked_for_and_is_too_large_is_an_error_after_the_start(
    local_exp, monkeypatch, limits, caplog
):
    monkeypatch.setattr(_snapshot, "EXPLICIT_LIMITS", limits)
    for number in range(3):
        write(f"code/{number}.py", "x" * 5)
    with pytest.raises(SnapshotException, match="snapshot_directory=None"):
        local_exp.start_logging(snapshot_directory="code")

    (run,) = local_exp.get_runs()
    assert run.get_status() == "Running"
    assert run.get_snapshot_id() is None
    with pytest.raises(SnapshotException):
        run.take_snapshot("code")
    assert run._store.list_artifacts(run.id) == []


def test_azures_limits_hold_for_what_was_asked_for(local_run):
    assert (EXPLICIT_LIMITS.files, EXPLICIT_LIMITS.size) == (2000, 300 * 2**20)
    with Path("large").open("wb") as file:
        file.truncate(EXPLICIT_LIMITS.size + 1)
    for path in ("large", "."):
        with pytest.raises(SnapshotException, match="300 MB"):
            local_run.take_snapshot(path)


def test_a_folder_that_does_not_exist_is_an_error_after_the_start(local_exp):
    with pytest.raises(SnapshotException, match="does not exist"):
        local_exp.start_logging(snapshot_directory="missing")

    assert [run.get_status() for run in local_exp.get_runs()] == ["Running"]


# take_snapshot and restore_snapshot


def test_a_snapshot_can_be_taken_later_once(run):
    write("code/a.py", "a")
    taken = run.take_snapshot("code")

    assert taken == run.get_snapshot_id()
    assert content_of(run) == {"a.py": "a"}
    with pytest.raises(SnapshotException, match="already"):
        run.take_snapshot("code")


def test_a_single_file_can_be_kept(local_run):
    write("sub/a.py", "a")
    local_run.take_snapshot(Path("sub/a.py"))

    assert content_of(local_run) == {"a.py": "a"}


def test_what_does_not_exist_cannot_be_taken(local_run):
    with pytest.raises(FileNotFoundError):
        local_run.take_snapshot("missing")


def test_identical_content_has_one_id_whatever_the_times_and_the_place(local_exp):
    ids = []
    for folder in ("one", "two"):
        os.utime(write(f"{folder}/a.py", "a"), (len(ids) * 10_000_000,) * 2)
        write(f"{folder}/b/c.py", "c")
        ids.append(local_exp.start_logging(snapshot_directory=folder).get_snapshot_id())
    write("two/b/c.py", "C")
    ids.append(local_exp.start_logging(snapshot_directory="two").get_snapshot_id())
    Path("two/b/c.py").rename("two/b/d.py")
    ids.append(local_exp.start_logging(snapshot_directory="two").get_snapshot_id())

    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_a_snapshot_is_restored_to_an_absolute_path(local_run, monkeypatch, tmp_path):
    write("a.py")
    taken = local_run.take_snapshot("a.py")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))

    assert local_run.restore_snapshot() == str(tmp_path / "temporary" / f"{taken}.zip")
    assert local_run.restore_snapshot(path="here") == str(Path.cwd() / "here" / f"{taken}.zip")
    assert local_run.restore_snapshot(taken, Path("here")) == str(Path.cwd() / "here" / f"{taken}.zip")
    assert zipfile.is_zipfile(f"here/{taken}.zip")


@pytest.mark.parametrize(
    "wanted", ["other", "../../../etc/passwd", "/etc/passwd", "4d67412d-4f43-45bd-b618-673c13384927"]
)
def test_only_a_snapshot_of_the_run_is_restored_and_nothing_is_written(local_run, tmp_path, wanted):
    write("a.py")
    local_run.take_snapshot("a.py")
    before = set(tmp_path.rglob("*"))
    with pytest.raises(SnapshotException, match="no snapshot"):
        local_run.restore_snapshot(wanted, "target")

    assert set(tmp_path.rglob("*")) == before


def test_a_snapshot_that_is_damaged_or_leads_out_of_its_folder_is_not_restored(local_run, tmp_path):
    write("a.py", "x" * 1000)
    taken = local_run.take_snapshot("a.py")
    archive = Path(local_run.restore_snapshot(path="whole"))
    whole = archive.read_bytes()
    hostile = []
    for name in ("../evil.py", "/evil.py", "a/../../evil.py", "..\\evil.py", "c:\\evil.py"):
        with zipfile.ZipFile(archive, "w") as made:
            made.writestr(name, "")
        hostile.append((archive.read_bytes(), "leads out of it"))
    middle = whole.index(b"a.py") + 8
    damaged = [whole[:-30], whole[:middle] + b"\xff\xff" + whole[middle + 2 :], b"", b"no archive at all"]
    for content, flaw in [*hostile, *((content, "damaged") for content in damaged)]:
        archive.write_bytes(content)
        local_run._put_snapshot(taken, archive)
        with pytest.raises(SnapshotException, match=flaw):
            local_run.restore_snapshot(path="target")

    assert not Path("target").exists()
    assert list(tmp_path.rglob("evil.py")) == []


def test_an_archive_is_compressed(local_run):
    write("a.py", "x" * 100_000)
    local_run.take_snapshot("a.py")

    assert Path(local_run.restore_snapshot(path="here")).stat().st_size < 2000


def test_the_mode_of_a_file_is_kept(local_run):
    write("run.sh").chmod(0o750)
    local_run.take_snapshot("run.sh")
    with zipfile.ZipFile(local_run.restore_snapshot(path="here")) as archive:
        (entry,) = archive.infolist()

    assert entry.external_attr >> 16 & 0o777 == 0o750


def test_pathspec_is_imported_only_where_there_is_an_ignore_file(python, tracking_uri):
    code = (
        "import sys, azml_compat.core; from azml_compat._snapshot import *; from pathlib import Path; "
        "collect(Path(), DEFAULT_LIMITS); print('pathspec' in sys.modules, 'mlflow' in sys.modules); "
        "Path('.gitignore').touch(); collect(Path(), DEFAULT_LIMITS); print('pathspec' in sys.modules)"
    )

    assert python(code).split() == ["False", "False", "True"]
