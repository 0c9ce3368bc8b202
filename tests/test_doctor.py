"""The command azml-compat doctor: what it says is so, and it changes nothing."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azml_compat import _cli, _runtime
from azml_compat._backlog import backlogs
from azml_compat._commands import doctor as command
from azml_compat._journal import Header, Spool
from azml_compat._tracking import looking

ROOT = Path(__file__).parents[1]
NAMES = {"subscription_id": "sub", "resource_group": "rg", "workspace_name": "wsname"}
STORE, VARIABLES, VERSIONS, HOOK, JOURNALS, FILES = command._HEADINGS


@pytest.fixture
def doctor(capsys):
    """Ask the doctor; returns the exit code and the findings."""

    def ask():
        code = _cli.main(["doctor", "--json"])
        said = json.loads(capsys.readouterr().out)
        assert said["problems"] == sum(finding["level"] == "problem" for finding in said["findings"])
        assert code == (1 if said["problems"] else 0)
        return code, said["findings"]

    return ask


def texts(findings, heading=None, level=None):
    return "\n".join(
        f"{finding['text']} {finding['remedy']}".strip()
        for finding in findings
        if heading in (None, finding["heading"]) and level in (None, finding["level"])
    )


def problems(findings):
    return texts(findings, level="problem")


def tree(folder):
    """Everything in a folder, with a digest of each file."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in Path(folder).rglob("*")
    }


def write(path, content):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


# -- which store, and why ------------------------------------------------------------------------------------------


def test_a_fresh_folder_is_well_and_stays_empty(doctor):
    code, findings = doctor()

    assert code == 0
    first = findings[0]
    assert first["facts"]["uri"] == f"sqlite:///{Path.cwd()}/mlflow.db"
    assert first["facts"]["reason"] == f"no address is given, and {Path.cwd()} is the current directory"
    assert f"go to {(Path.cwd() / 'mlartifacts').as_uri()}." in texts(findings, STORE)
    assert "mlflow.db is not there yet" in texts(findings, STORE)
    assert tree(".") == {}


def test_people_read_headings_marks_and_remedies(capsys, monkeypatch):
    monkeypatch.setenv("AZML_COMPAT_HME", "x")

    assert _cli.main(["doctor"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line in command._HEADINGS] == list(command._HEADINGS)
    misspelt = next(number for number, line in enumerate(lines) if line.startswith("  note     AZML_COMPAT_HME "))
    assert lines[misspelt + 1] == "           -> Is it misspelt?"
    assert lines[-1] == "No problem was found."


@pytest.mark.parametrize(
    ("variable", "content", "uri", "reason"),
    [
        ("sqlite:///a.db", None, "sqlite:///{cwd}/a.db", "MLFLOW_TRACKING_URI names it"),
        ("./runs", None, "file://{cwd}/runs", "MLFLOW_TRACKING_URI names it"),
        ("", {"mlflow_tracking_uri": "sqlite:///b.db"}, "sqlite:///{top}/b.db", "the key mlflow_tracking_uri in"),
        ("", {}, "sqlite:///{top}/mlflow.db", "{top} is the folder of {top}/.azureml/config.json"),
    ],
)
def test_the_reason_is_the_one_of_scripts(doctor, monkeypatch, variable, content, uri, reason):
    top, here = Path.cwd(), Path("below/here")
    here.mkdir(parents=True)
    if content is not None:
        write(".azureml/config.json", {**NAMES, **content})
    monkeypatch.setenv("MLFLOW_TRACKING_URI", variable)
    monkeypatch.chdir(here)

    _, findings = doctor()

    said = findings[0]["facts"]
    assert said["uri"] == uri.format(cwd=Path.cwd(), top=top) == _runtime.store().uri
    assert reason.format(top=top) in said["reason"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "it is not JSON"),
        ("[1]", "does not hold a JSON object"),
        ('{"Scope": "/a/b"}', "its Scope is not of the form /subscriptions/"),
        ('{"subscription_id": "s"}', "lacks the key resource_group, workspace_name"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_a_configuration_that_cannot_be_read_is_a_problem_and_does_not_count(doctor, monkeypatch, content, why):
    file = write("config.json", content).absolute()
    Path("below").mkdir()
    monkeypatch.chdir("below")

    code, findings = doctor()

    assert code == 1
    assert f"{file} cannot be read and does not count: " in problems(findings)
    assert why in problems(findings)
    assert findings[0]["facts"]["uri"] == f"sqlite:///{Path.cwd()}/mlflow.db" == _runtime.store().uri


def test_garbage_in_place_of_a_configuration_is_a_problem(doctor):
    Path("config.json").write_bytes(b"\xff\xfe\x00garbage")

    assert "can't decode byte" in problems(doctor()[1])


def test_what_lies_around_and_is_not_used_is_said_with_the_reason(doctor):
    used = write(".azureml/config.json", NAMES).absolute()
    unused = write("config.json", NAMES).absolute()
    Path("aml_config").mkdir()

    code, findings = doctor()

    notes = texts(findings, STORE, "note")
    assert f"{unused} is not used: {used} is found before it." in notes
    assert f"{Path.cwd() / 'aml_config'} is not used: it holds no configuration file." in notes
    assert code == 0


def test_a_folder_whose_name_no_address_can_hold_is_a_problem(doctor, monkeypatch):
    Path("100%25").mkdir()
    monkeypatch.chdir("100%25")

    said = problems(doctor()[1])

    assert said.startswith(f"The name of the folder {Path.cwd()} cannot be written in the address of a database.")
    assert "MLFLOW_TRACKING_URI" in said


# -- local stores --------------------------------------------------------------------------------------------------


@pytest.fixture
def database(sqlite_uri, monkeypatch):
    """The file of a fresh sqlite store that this process is to use."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    return Path(sqlite_uri.removeprefix("sqlite:///"))


def set_revision(database, revision):
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
        connection.commit()


def test_a_database_with_the_schema_of_the_installed_mlflow_is_well_and_unchanged(doctor, database):
    before = tree(database.parent)

    code, findings = doctor()

    assert code == 0
    assert "has the schema of the installed MLflow" in texts(findings, STORE, "ok")
    assert tree(database.parent) == before


def test_an_older_schema_is_a_problem_whose_remedy_is_mlflows(doctor, database, sqlite_uri):
    set_revision(database, "451aebb31d03")  # MLflow's first migration
    before = tree(database.parent)

    code, findings = doctor()

    assert code == 1
    (found,) = (finding for finding in findings if finding["level"] == "problem")
    assert "has an older schema (451aebb31d03)" in found["text"]
    assert found["remedy"].endswith(f"mlflow db upgrade {sqlite_uri}")
    assert tree(database.parent) == before


def test_a_schema_that_the_installed_mlflow_does_not_know_is_a_newer_ones(doctor, database):
    set_revision(database, "0123456789ab")

    assert "written by a newer MLflow" in problems(doctor()[1])


@pytest.mark.parametrize(
    ("content", "level", "said"),
    [
        (b"", "ok", "is empty: the first script makes it MLflow's"),
        (b"this is no database" * 100, "problem", "file is not a database"),
        ("CREATE TABLE animals (name TEXT)", "problem", "holds something else than MLflow's tables"),
    ],
)
def test_a_file_that_is_not_mlflows_is_recognised_and_left_alone(doctor, monkeypatch, content, level, said):
    file = Path("some.db")
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        with contextlib.closing(sqlite3.connect(file)) as connection:
            connection.execute(content)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///some.db")
    before = tree(".")

    assert said in texts(doctor()[1], STORE, level)
    assert tree(".") == before


def test_a_database_that_somebody_writes_to_is_no_problem(doctor, database):
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        code, findings = doctor()

    assert code == 0
    assert "is in use at the moment" in texts(findings, STORE, "note")


def test_another_driver_of_sqlite_does_not_create_the_file_either(doctor, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite+pysqlite:///{Path.cwd()}/other.db")

    assert "other.db is not there yet" in texts(doctor()[1], STORE, "ok")
    assert tree(".") == {}


@pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() == 0, reason="root may write everywhere")
def test_a_database_that_cannot_be_written_is_a_problem(doctor, database):
    database.chmod(0o400)

    assert "is no database that you can write to" in problems(doctor()[1])


def test_a_folder_in_the_place_of_a_database_is_a_problem(doctor, monkeypatch):
    Path("folder").mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///folder")

    assert "is no database that you can write to" in problems(doctor()[1])


def test_file_stores_are_counted_and_their_maintenance_is_told(doctor, monkeypatch):
    write("runs/0/meta.yaml", "")
    monkeypatch.setattr(looking, "version", lambda _: "3.13.0")  # the first that refuses them
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "runs")
    before = tree(".")

    code, findings = doctor()

    assert code == 0
    assert "holds 1 experiments" in texts(findings, STORE, "ok")
    assert "set MLFLOW_ALLOW_FILE_STORE=true" in texts(findings, STORE, "note")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    assert "MLFLOW_ALLOW_FILE_STORE opts in" in texts(doctor()[1], STORE, "ok")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "false")
    assert "MLFLOW_ALLOW_FILE_STORE=false forbids file stores" in problems(doctor()[1])
    assert tree(".") == before


@pytest.mark.parametrize(
    ("uri", "level", "said"),
    [
        ("htp://example.org", "problem", "MLflow knows no kind of store that is called 'htp'"),
        ("databricks", "note", "Databricks"),
        ("postgresql+nodriver://127.0.0.1/x", "problem", "postgresql.nodriver"),
        ("postgresql://me:p@ss@127.0.0.1/x", "problem", "cut at the first @, which is in its password"),
        ("sqlite://", "note", "in memory"),
    ],
)
def test_other_addresses_are_judged_by_what_they_name(doctor, monkeypatch, uri, level, said):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)

    assert said in texts(doctor()[1], STORE, level)
    assert tree(".") == {}


# -- servers -------------------------------------------------------------------------------------------------------


def test_a_server_says_how_quick_and_what_it_is(doctor, server, monkeypatch):
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)

    code, findings = doctor()

    assert code == 0
    assert f"and is MLflow {mlflow.__version__}" in texts(findings, STORE, "ok")


def test_a_server_that_hangs_costs_a_few_seconds(doctor, monkeypatch):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        began = time.monotonic()
        code, findings = doctor()

    assert code == 1
    assert time.monotonic() - began < 8
    assert "did not answer within 3 s" in problems(findings)


def test_a_look_that_takes_for_ever_is_given_up(doctor, monkeypatch):
    monkeypatch.setattr(command, "_SECONDS", 0.1)
    monkeypatch.setattr(command, "look_at", lambda _: time.sleep(2))

    _, findings = doctor()

    assert "Scripts here use" in texts(findings, STORE, "ok")
    assert "it hangs" in problems(findings)


def test_a_server_that_is_not_running_is_told_with_the_reason(doctor, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:secret@127.0.0.1:1")

    said = problems(doctor()[1])

    assert "http://127.0.0.1:1 cannot be reached: Connection refused." in said
    assert "Scripts start and log all the same" in said


class _Guarded(http.server.BaseHTTPRequestHandler):
    """An MLflow server that lets nobody in without a password; `wrong` is none."""

    def do_GET(self):
        self._answer(200 if self.path in ("/health", "/version") else 401)

    def do_POST(self):
        self._answer(200 if self.headers.get("Authorization", "").startswith("Basic ") else 401)

    def _answer(self, status):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b"OK" if status == 200 and self.command == "GET" else b'{"experiments": []}'
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def served(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize("userinfo", ["", "me:secret@"])
def test_whether_the_server_takes_the_credentials_is_seen_as_mlflow_asks(doctor, monkeypatch, userinfo):
    with served(_Guarded) as port:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{userinfo}127.0.0.1:{port}")
        code, findings = doctor()

    if userinfo:
        assert code == 0
        assert "takes those that MLflow finds" in texts(findings, STORE, "ok")
    else:
        assert "does not take this user's credentials" in problems(findings)
        assert "MLFLOW_TRACKING_USERNAME" in problems(findings)


def test_a_server_of_something_else_is_a_problem(doctor, monkeypatch):
    with served(http.server.SimpleHTTPRequestHandler) as port:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        code, findings = doctor()

    assert code == 1
    assert "but not as an MLflow server does: 404 for /health" in problems(findings)


# -- secrets -------------------------------------------------------------------------------------------------------

_SECRETS = st.text(st.sampled_from("abcXYZ019:/@%?#&=+ !$'\"é"), min_size=6, max_size=14).map(lambda text: f"Q{text}Q")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    scheme=st.sampled_from(["http", "https", "postgresql", "mysql+pymysql", "mssql+pyodbc", "azureml", "nonsense"]),
    secret=_SECRETS,
    as_parameter=st.booleans(),
)
def test_no_secret_of_an_address_is_ever_shown(capsys, monkeypatch, scheme, secret, as_parameter):
    # As such an address can hold it: SQLAlchemy takes all but an @, a URL only what is quoted.
    secret = quote(secret, safe="") if scheme.startswith("http") else secret.replace("@", "%40")
    place = f"127.0.0.1:1/db?password={secret}" if as_parameter else f"me:{secret}@127.0.0.1:1/db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{scheme}://{place}")

    _cli.main(["doctor", "--json"])
    shown = json.dumps(json.loads(capsys.readouterr().out), ensure_ascii=False)
    assert not [part for start in range(len(secret) - 5) if (part := secret[start : start + 6]) in shown]


def test_no_secret_of_a_variable_is_ever_shown(capsys, monkeypatch):
    for name in ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "AZUREML_SERVICE_TOKEN", "MLFLOW_ANYTHING"):
        monkeypatch.setenv(name, "tops3cret")

    for arguments in (["doctor"], ["doctor", "--json"]):
        _cli.main(arguments)
        shown = capsys.readouterr().out
        assert "tops3cret" not in shown
        assert "MLFLOW_TRACKING_PASSWORD" in shown
        assert "AZUREML_SERVICE_TOKEN" in shown


# -- what surrounds scripts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "level", "said"),
    [
        ("AZUREML_RUN_ID", "run_1", "note", "AZUREML_RUN_ID=run_1: Run.get_context() attaches to that run"),
        ("MLFLOW_RUN_ID", "ab" * 16, "note", "attaches to that run"),
        ("AZML_COMPAT_OFFLINE", "1", "note", "keeps nothing"),
        ("AZML_COMPAT_OFFLINE", "true", "note", "has no effect: only 1 has"),
        ("AZML_COMPAT_BACKGROUND", "0", "note", "no background process"),
        ("AZML_COMPAT_FSYNC", "always", "ok", "AZML_COMPAT_FSYNC=always"),
        ("AZML_COMPAT_UI", "http://127.0.0.1:5001", "ok", "AZML_COMPAT_UI=http://127.0.0.1:5001"),
        ("AZML_COMPAT_HOEM", "x", "note", "is no setting of azml_compat"),
        ("AZUREML_ARM_PROJECT_NAME", "exp", "ok", "the experiment of the run"),
    ],
)
def test_variables_that_are_set_are_explained(doctor, monkeypatch, name, value, level, said):
    monkeypatch.setenv(name, value)

    assert said in texts(doctor()[1], VARIABLES, level)


def test_an_mlflow_below_the_lowest_is_a_problem(doctor, monkeypatch):
    monkeypatch.setattr(command, "version", lambda _: "3.1.4")

    said = problems(doctor()[1])

    assert "MLflow 3.1.4 is too old: mlflow>=" in said
    assert "pip install 'mlflow>=" in said


def test_packages_of_the_sdk_beside_are_named(doctor, monkeypatch, tmp_path):
    for name in ("azureml_core", "azureml_mlflow", "azure_ai_ml"):
        write(
            tmp_path / f"site/{name}-1.61.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.61.0"
        )
    monkeypatch.syspath_prepend(tmp_path / "site")

    said = texts(doctor()[1], VERSIONS, "note")

    assert "azureml-core 1.61.0, azureml-mlflow 1.61.0." in said
    assert "azureml:// alone" in said
    assert "pip uninstall azureml-core azureml-mlflow" in said


def test_a_real_azureml_package_is_told_from_ours(doctor, monkeypatch, tmp_path):
    assert "`import azureml` fails here" in texts(doctor()[1], HOOK, "note")
    write(tmp_path / "site/azureml/__init__.py", "raise AssertionError('the doctor imports nothing of it')")
    monkeypatch.syspath_prepend(tmp_path / "site")

    assert f"gives {tmp_path / 'site/azureml/__init__.py'} here" in texts(doctor()[1], HOOK, "note")


@pytest.mark.parametrize("launcher", [[], ["run", sys.executable, "-m", "azml_compat"]])
def test_the_installed_command_tells_whether_the_alias_is_on_and_imports_no_mlflow(launcher):
    installed = Path(sys.executable).with_name("azml-compat")
    if not installed.exists():
        pytest.skip("azml-compat is not installed")
    done = subprocess.run(
        [installed, *launcher, "doctor", "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONPROFILEIMPORTTIME": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout
    findings = json.loads(done.stdout)["findings"]
    expected = "gives azml_compat here. So it is in the processes" if launcher else "fails here"
    assert expected in texts(findings, HOOK)
    assert not any(line.split("|")[-1].strip() == "mlflow" for line in done.stderr.splitlines())


# -- journals ------------------------------------------------------------------------------------------------------


def journal(**facts):
    """Make a journal with one line that is not delivered, as a process that died leaves it."""
    spool = Spool(facts["store"])
    header = Header.of_this_process(**{"run": "run-1", "is_owner": False, "has_credentials": False, **facts})
    made = spool.create(header.run, header)
    made.write('{"op": "nothing"}')
    spool.release(made)
    return made.path


def test_journals_without_anything_in_them_are_well(doctor):
    assert "Nothing waits to be sent." in texts(doctor()[1], JOURNALS, "ok")
    assert tree(os.environ["AZML_COMPAT_HOME"]) == {}


@pytest.mark.parametrize(("has_credentials", "remedy"), [(False, ""), (True, "Set MLFLOW_TRACKING_URI to the whole")])
def test_what_is_not_sent_and_nobody_sends_is_a_problem(doctor, has_credentials, remedy):
    journal(store="http://far.example", has_credentials=has_credentials)
    before = tree(os.environ["AZML_COMPAT_HOME"])

    code, findings = doctor()

    assert code == 1
    said = problems(findings)
    assert "bytes of run run-1 are not in http://far.example yet. No background process is sending it." in said
    assert said.endswith("azml-compat sync")
    assert remedy in said
    assert tree(os.environ["AZML_COMPAT_HOME"]) == before


def test_what_a_running_script_has_not_sent_yet_is_no_problem(doctor):
    code = (
        "from azml_compat._journal import Header, Spool\n"
        "header = Header.of_this_process(run='run-2', is_owner=False, store='http://near', has_credentials=False)\n"
        "journal = Spool('http://near').create('run-2', header)\n"
        "journal.write('{}')\n"
        "print('ready', flush=True)\n"
        "input()\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True, env=env) as script:
        assert script.stdout.readline() == "ready\n"
        status, findings = doctor()
        script.communicate("\n", timeout=30)

    assert status == 0
    assert "The scripts are running." in texts(findings, JOURNALS, "note")


def test_what_was_refused_and_what_other_machines_keep_here_is_told(doctor):
    path = journal(store="http://far.example")
    path.with_suffix(".rejected").write_text("{}\n")
    elsewhere = Header(
        run="run-3",
        is_owner=True,
        store="http://far.example",
        has_credentials=False,
        boot="b",
        machine="m",
        host="moon",
    )
    spool = Spool("http://far.example")
    spool.release(spool.create("run-3", elsewhere))

    _, findings = doctor()

    assert f"refused what is kept in {path.with_suffix('.rejected')}" in problems(findings)
    assert "There are journals of the machine moon" in texts(findings, JOURNALS, "note")


def test_runs_may_end_while_the_journals_are_looked_at():
    path = journal(store="http://far.example")
    path.with_suffix(".rejected").write_text("{}\n")
    ends = threading.Event()

    def come_and_go():
        while not ends.is_set():
            for number in range(20):
                (path.parent.parent / f"run-{number + 2}").mkdir()
            for number in range(20):
                (path.parent.parent / f"run-{number + 2}").rmdir()

    others = threading.Thread(target=come_and_go)
    others.start()
    try:
        seen = {tuple(backlog.refused) for _ in range(200) for backlog in backlogs()}
    finally:
        ends.set()
        others.join()

    assert seen == {(path.with_suffix(".rejected"),)}


def test_a_journal_that_cannot_be_kept_is_a_problem(doctor, monkeypatch):
    Path("file").write_text("")
    monkeypatch.setenv("AZML_COMPAT_HOME", str(Path("file").absolute()))

    said = problems(doctor()[1])

    assert "No journal can be kept in" in said
    assert "Set AZML_COMPAT_HOME" in said


# -- the doctor itself ---------------------------------------------------------------------------------------------


def test_what_still_asks_for_the_sdk_is_a_note(doctor):
    write("deep/requirements.txt", "numpy\nazureml-core==1.50\n")

    code, findings = doctor()

    assert code == 0
    (found,) = (finding for finding in findings if finding["heading"] == FILES)
    assert found["text"] == "deep/requirements.txt:2 asks for azureml-core==1.50."
    assert found["remedy"] == "write azml-compat."
    assert found["facts"] == {"file": "deep/requirements.txt", "line": 2, "cell": None, "package": "azureml-core"}


def test_a_look_that_fails_is_a_problem_and_the_others_go_on(doctor, monkeypatch):
    def fails(_):
        raise RuntimeError("cannot reach http://me:secret@host")

    monkeypatch.setattr(command, "look_at", fails)

    code, findings = doctor()

    assert code == 1
    assert "This could not be looked at: RuntimeError: cannot reach http://host" in problems(findings)
    assert {finding["heading"] for finding in findings} == set(command._HEADINGS)


def test_a_current_directory_that_is_gone_is_said(doctor):
    folder = Path("gone").absolute()
    folder.mkdir()
    os.chdir(folder)
    shutil.rmtree(folder)

    code, findings = doctor()

    assert code == 1
    assert "FileNotFoundError" in problems(findings)


def test_names_that_no_terminal_can_show_are_shown_all_the_same():
    folder = Path(os.fsdecode(b"\xff\xfe"))
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "azml_compat", "doctor"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert rb"\udcff\udcfe" in done.stdout
