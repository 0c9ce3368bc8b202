"""Every door in, and every kind of child process: the alias is there, and the same script gives the same runs."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
import venv
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from azml_compat import Experiment, Workspace, _background, _inheritance
from azml_compat._commands import run

REPOSITORY = Path(__file__).parents[1]
BOOTSTRAP = REPOSITORY / "azml_compat" / "_bootstrap"
US = ["-m", "azml_compat"]
RUN = [sys.executable, *US, "run"]
LAUNCHERS = {"python -m azml_compat": [sys.executable, *US], "azml-compat run": [*RUN, sys.executable]}
VERSION = "1.61.0"


def start(*command, **options):
    """Run a command with this package on the path, and give all there is to know of its end."""
    variables = {"PYTHONPATH": str(REPOSITORY), **options.pop("env", {})}
    return subprocess.run(
        [str(word) for word in command],
        **{
            "capture_output": True,
            "text": True,
            "check": False,
            "timeout": 120,
            "stdin": subprocess.DEVNULL,
            **options,
        },
        env={**os.environ, **variables},
    )


def shown_by(*command, **options):
    """Run a command, insist that it succeeds silently on stderr, and return what it printed."""
    done = start(*command, **options)

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


def write(name, code):
    Path(name).write_text(textwrap.dedent(code))
    return Path(name).absolute()


# The command, as if it had been started without us


def test_the_command_takes_the_place_of_the_process():
    code = "import os, signal; print(os.getpid(), flush=True); os.kill(os.getpid(), signal.SIGTERM)"
    with subprocess.Popen([*RUN, sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=REPOSITORY) as process:
        shown = process.communicate(timeout=60)[0]

    assert int(shown) == process.pid
    assert process.returncode == -signal.SIGTERM


def test_signals_the_terminal_and_exit_codes_are_those_of_the_command():
    terminal, stdin = pty.openpty()
    done = start(*RUN, "bash", "-c", "tty >/dev/null && echo terminal; yes | head -1; exit 7", stdin=stdin)
    os.close(terminal)
    os.close(stdin)

    assert (done.returncode, done.stderr) == (7, "")  # `yes` says so where nobody told it of the broken pipe
    assert done.stdout.split() == ["terminal", "y"]


@pytest.mark.parametrize("words", [["--help"], ["-h", "-W", "--", "-m"], ["run", "", "a b", "*", "'"]])
def test_what_stands_behind_the_command_is_the_commands(words):
    show = [sys.executable, "-c", "import sys; print(sys.argv[1:])"]

    assert shown_by(*RUN, *show, *words) == f"{words}\n"
    assert shown_by(*RUN, "--", *show, *words) == f"{words}\n"


@pytest.mark.parametrize(
    ("command", "code_of_exit", "part"),
    [
        ([], 2, "usage: azml-compat run command"),
        (["--"], 2, "usage: azml-compat run command"),
        (["--verbose", "ls"], 2, "unknown option: --verbose"),
        (["no-such-command"], 127, "azml-compat run: no-such-command: command not found"),
        (["./no-such-script.py"], 127, "azml-compat run: ./no-such-script.py: command not found"),
        (["./lost"], 127, "azml-compat run: ./lost: the interpreter that its first line names was not found"),
        (["./plain"], 126, "azml-compat run: ./plain: Permission denied"),
        (["./headless"], 126, "azml-compat run: ./headless: Exec format error"),
    ],
)
def test_what_cannot_be_run_is_told_in_a_line_and_by_the_exit_code(command, code_of_exit, part):
    Path("plain").touch()
    Path("headless").write_text("echo")
    Path("lost").write_text("#!/no/such/interpreter")
    for name in ("headless", "lost"):
        Path(name).chmod(0o755)
    done = start(*RUN, *command)

    assert done.returncode == code_of_exit
    assert done.stderr.splitlines()[0].startswith(part)
    assert "Traceback" not in done.stderr


def test_where_no_process_can_be_replaced_the_command_is_waited_for(monkeypatch, capfd):
    monkeypatch.setattr(run, "os", SimpleNamespace(name="nt", environ=os.environ))
    code = "import sys, azureml.core; print(azureml.core.VERSION); sys.exit(5)"

    assert run.main([sys.executable, "-c", code]) == 5
    assert capfd.readouterr().out == f"{VERSION}\n"
    assert run.main(["no-such-command"]) == 127


def test_a_script_alone_is_run_by_our_python():
    script = write("train.py", "import sys, azureml.core; print(sys.executable, sys.argv, azureml.core.VERSION)")
    script.chmod(0o644)

    assert (
        shown_by(*RUN, "train.py", "-h", "--rate=1") == f"{sys.executable} ['train.py', '-h', '--rate=1'] {VERSION}\n"
    )


# python as the command

FACTS = """
import sys
print(sys.argv, sys.flags, sys.warnoptions, sorted(sys._xoptions), repr(sys.path[0]), globals().get("__file__"))
print(__name__, __spec__ and __spec__.name)
"""
COMMAND_LINES = {
    "code": ["-c", FACTS, "-x", "-c"],
    "flags and code in one word": ["-uBc", FACTS],
    "code in the same word": [f"-c{FACTS}"],
    "values in the same word": ["-Werror", "-Xutf8", "-c", FACTS],
    "values in the next word": ["-qW", "error", "-X", "utf8", "-OO", "-c", FACTS],
    "a module": ["-m", "facts", "--", "-m", "x"],
    "a module in the same word": ["-bbmfacts"],
    "a script": ["-u", "facts.py", "-u"],
    "a folder": ["folder", "first"],
    "an archive": ["folder.zip", "first"],
    "no script": ["nothing.py"],
    "no code": ["-c"],
    "no module": ["-m"],
    "no value": ["-W"],
    "help": ["-uh"],
    "version": ["-VV"],
    "a long option": ["--check-hash-based-pycs", "always", "facts.py"],
    "the end of options": ["--", "facts.py"],
    "an unknown option": ["-Z", "facts.py"],
    "a script with a first line to skip": ["-x", "skip.py"],
    "standard input, asked for": ["-", "first"],
    "standard input": [],
    "interactive": ["-i", "-c", FACTS],
    "no site": ["-S", "facts.py"],
}


@pytest.mark.parametrize("arguments", COMMAND_LINES.values(), ids=COMMAND_LINES)
def test_python_runs_as_without_us(arguments):
    write("facts.py", FACTS)
    write("skip.py", f"this is no python\n{FACTS}")
    Path("folder").mkdir()
    write("folder/__main__.py", FACTS)
    with zipfile.ZipFile("folder.zip", "w") as archive:
        archive.write("folder/__main__.py", "__main__.py")
    with_stdin = {"input": FACTS, "stdin": None}
    expected = start(sys.executable, *arguments, **with_stdin)
    actual = start(*RUN, sys.executable, *arguments, **with_stdin)

    assert actual.stdout == expected.stdout
    assert actual.stderr == expected.stderr
    assert actual.returncode == expected.returncode


TOLD = """
import atexit, sys, types
told = types.SimpleNamespace(outcome="nothing")
def note_outcome(error, code):
    told.outcome = type(error).__name__, code
sys.modules["azml_compat._runtime"] = types.SimpleNamespace(note_outcome=note_outcome)
atexit.register(lambda: print(told.outcome))
raise SystemExit(3)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["-c", TOLD],
        [f"-uc{TOLD}"],
        ["-Wd", "-uW", "d", "-bm", "told"],
        ["-E", "told.py"],
        ["-P", "told.py"],
        ["-m", "azml_compat", "told.py"],
    ],
)
def test_how_a_program_of_python_ends_is_seen_exactly(arguments):
    if "-P" in arguments and sys.version_info < (3, 11):
        pytest.skip("came with Python 3.11")
    write("told.py", TOLD)
    done = start(*RUN, sys.executable, *arguments)
    if "-E" in arguments and "No module named azml_compat" in done.stderr:
        pytest.skip("azml_compat is on the PYTHONPATH here, and not installed")

    assert (done.stdout, done.returncode) == ("('SystemExit', 3)\n", 3), done.stderr


def test_another_python_runs_its_program_itself():
    """It may have no azml_compat, and most programs do not ask for it."""
    venv.create("other", with_pip=False)
    show = "import sys; print(sys.orig_argv[1:])"

    assert shown_by(*RUN, "other/bin/python", "-c", show) == f"{['-c', show]}\n"


# Children

WORK = """
import azureml.core

def version(_=None):
    return azureml.core.VERSION
"""
CHILDREN = """
import concurrent.futures, json, multiprocessing, os, subprocess, sys
import azureml.core
from work import version

VERSION = "import azureml.core; print(azureml.core.VERSION)"

def shown(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **options).stdout.strip()

def in_pool(method):
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.map(version, [1])[0]

def in_executor(method):
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        return pool.submit(version).result()

def in_loky():
    from joblib import Parallel, delayed
    return Parallel(n_jobs=2, backend="loky")(delayed(version)(n) for n in range(4))[-1]

def forked():
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, version().encode())
        os._exit(0)
    os.waitpid(pid, 0)
    return os.read(reader, 100).decode()

def replaced(*command):
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, writer, 1)])
    os.waitpid(pid, 0)
    return os.read(reader, 100).decode().strip()

CHILDREN = {
    "fork": forked,
    "multiprocessing, fork": lambda: in_pool("fork"),
    "multiprocessing, spawn": lambda: in_pool("spawn"),
    "multiprocessing, forkserver": lambda: in_pool("forkserver"),
    "futures, fork": lambda: in_executor("fork"),
    "futures, spawn": lambda: in_executor("spawn"),
    "subprocess": lambda: shown(sys.executable, "-c", VERSION),
    "module": lambda: shown(sys.executable, "-m", "print_version"),
    "posix_spawn": lambda: replaced(sys.executable, "-c", VERSION),
    "shell": lambda: shown(f"cd / && exec '{sys.executable}' -c '{VERSION}'", shell=True),
    "bash": lambda: shown("bash", "train.sh", sys.executable),
    "launcher": lambda: shown(sys.executable, "launcher.py", "print_version.py"),
    "altered PYTHONPATH": lambda: shown(
        sys.executable, "-c", VERSION, env={**os.environ, "PYTHONPATH": "x" + os.pathsep + os.environ["PYTHONPATH"]}
    ),
    "loky": in_loky,
}

if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(json.dumps([name, CHILDREN[name]()]), flush=True)
"""
LAUNCHER = """
import os, subprocess, sys

workers = [
    subprocess.Popen([sys.executable, "-u", *sys.argv[1:]], env={**os.environ, "RANK": str(rank)}, stdout=-1, text=True)
    for rank in range(2)
]
print(*{worker.communicate()[0].strip() for worker in workers})
"""
KINDS = [
    "fork",
    *("multiprocessing, fork", "multiprocessing, spawn", "multiprocessing, forkserver"),
    *("futures, fork", "futures, spawn"),
    *("subprocess", "module", "posix_spawn", "shell", "bash", "launcher", "altered PYTHONPATH"),
]


@pytest.fixture
def children():
    """A script that starts the kinds of children it is told."""
    write("work.py", WORK)
    write("print_version.py", "from work import version\nprint(version())")
    write("launcher.py", LAUNCHER)
    write(
        "grandchild.py", "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'print_version'], check=True)"
    )
    write("train.sh", """sh -c '"$0" grandchild.py' "$1"\n""")
    return write("children.py", CHILDREN)


@pytest.mark.parametrize("launcher", LAUNCHERS.values(), ids=LAUNCHERS)
def test_every_kind_of_child_and_grandchild_inherits_the_alias(launcher, children):
    lines = shown_by(*launcher, children, *KINDS).splitlines()

    assert dict(map(json.loads, lines)) == dict.fromkeys(KINDS, VERSION)


def test_workers_of_joblib_inherit_the_alias(children):
    pytest.importorskip("joblib")

    assert shown_by(*RUN, sys.executable, children, "loky") == f'["loky", "{VERSION}"]\n'


def test_what_starts_without_our_variable_has_no_alias():
    """An emptied environment, options of python that ignore it, and whoever replaces PYTHONPATH."""
    code = """
        import os, subprocess, sys
        has_alias = "import sys; print(any(type(found).__name__ == '_AliasFinder' for found in sys.meta_path))"
        for option in ("-B", "-I", "-E", "-S"):
            subprocess.run([sys.executable, option, "-c", has_alias], check=True)
        for env in ({}, {**os.environ, "PYTHONPATH": "x"}):
            subprocess.run([sys.executable, "-c", has_alias], env=env, check=True)
    """

    assert shown_by(*RUN, sys.executable, write("script.py", code)).split() == ["True", *["False"] * 5]


def test_pytest_is_a_door():
    write("test_theirs.py", "from azureml.core import VERSION\ndef test_alias():\n    assert VERSION == '1.61.0'\n")
    command = [Path(sys.executable).parent / "pytest", "-q", "-p", "no:cacheprovider", "test_theirs.py"]

    assert "1 passed" in shown_by(*RUN, *command)


@pytest.mark.extra
def test_kernels_of_jupyter_inherit_the_alias():
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    code = """
        import nbformat
        from nbclient import NotebookClient
        cell = nbformat.v4.new_code_cell("import azureml.core\\nprint(azureml.core.VERSION)")
        notebook = nbformat.v4.new_notebook(cells=[cell])
        NotebookClient(notebook, kernel_name="python3").execute()
        print(cell.outputs[0].text, end="")
    """

    assert start(*RUN, sys.executable, write("script.py", code)).stdout == f"{VERSION}\n"


# The sitecustomize


def traces(*options, **variables):
    """What python has of a sitecustomize, and prints at its start."""
    code = f"""if True:
        import sys
        found = sys.modules.get("sitecustomize")
        print(getattr(found, "__file__", None), "sitecustomize" in sys.modules, {str(BOOTSTRAP)!r} in sys.path)
        try:
            import sitecustomize
            print(sitecustomize is found)
        except ImportError as error:
            print(error)
    """
    return start(sys.executable, *options, "-c", code, env=variables)


SITES = {
    "none": None,
    "usual": "import sys\nprint('theirs', __name__, [path for path in sys.path if '_bootstrap' in path])",
    "failing": "import nonsense",
    "raising": "1 / 0",
}


@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
def test_another_sitecustomize_runs_as_if_ours_were_not_there(site):
    if site is not None:
        Path("site").mkdir()
        write("site/sitecustomize.py", site)
    path = os.pathsep.join([str(Path("site").absolute()), str(REPOSITORY)])
    expected = traces(PYTHONPATH=path)
    actual = traces(PYTHONPATH=os.pathsep.join([str(BOOTSTRAP), path]))

    assert actual.stdout == expected.stdout
    assert actual.stderr == expected.stderr
    assert expected.stdout.startswith("theirs sitecustomize []") == (site == SITES["usual"])


def test_the_alias_is_there_however_the_other_sitecustomize_ends(tmp_path):
    write("sitecustomize.py", "1 / 0")
    variables = {"PYTHONPATH": os.pathsep.join([str(BOOTSTRAP), str(Path.cwd()), str(REPOSITORY)])}
    done = start(sys.executable, "-c", "import azureml.core; print(azureml.core.VERSION)", env=variables, cwd=tmp_path)

    assert done.stdout == f"{VERSION}\n"
    assert "ZeroDivisionError" in done.stderr


def test_what_every_python_pays_for_the_alias_is_next_to_nothing():
    code = "import sys; print(*sys.modules)"
    bare = set(shown_by(sys.executable, "-c", code).split())
    ours = set(shown_by(sys.executable, "-c", code, env={"PYTHONPATH": f"{BOOTSTRAP}{os.pathsep}{REPOSITORY}"}).split())

    assert {"azml_compat", "azml_compat._alias"} <= ours
    assert ours - bare <= {
        *("azml_compat", "azml_compat._alias"),
        *("__future__", "importlib", "importlib._bootstrap", "importlib._bootstrap_external", "importlib.machinery"),
        *("_warnings", "types", "warnings"),
    }


# Pythons that cannot have it

ASK = """
import sys
for name in ("azureml", "azureml.core"):
    try:
        __import__(name)
    except ImportError as error:
        print(type(error).__name__, error)
import json
print(json.dumps([1]))
"""


def test_a_python_without_azml_compat_says_so_when_azureml_is_imported_and_else_runs_as_ever(tmp_path):
    python = tmp_path / "other" / "bin" / "python"
    venv.create(tmp_path / "other", with_pip=False)
    # From where only the launcher sees the package: in the current directory, which `-m` looks in.
    variables = {"PYTHONPATH": ""}
    shown = shown_by(*RUN, python, write("ask.py", ASK), env=variables, cwd=REPOSITORY).splitlines()
    question = "import importlib.util; print(importlib.util.find_spec('azureml'))"

    assert [
        line.startswith("ModuleNotFoundError azml_compat is to answer for azureml here, but") for line in shown
    ] == [*(True, True, False)]
    assert f"{python} cannot import it: No module named 'azml_compat'" in shown[0]
    assert f"{python} -m pip install azml-compat" in shown[0]
    assert shown[2] == "[1]"
    assert shown_by(*RUN, python, "-c", question, env=variables, cwd=REPOSITORY) == "None\n"


def old_pythons():
    """Interpreters that are too old for azml_compat, of those that pyenv keeps."""
    folder = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    return {
        version: found[-1]
        for version in ("2.7", "3.6", "3.7", "3.8", "3.9")
        if (found := sorted(folder.glob(f"{version}.*/bin/python")))
    }


def test_a_python_that_is_too_old_says_so_when_azureml_is_imported_and_else_runs_as_ever():
    found = old_pythons()
    if not found:
        pytest.skip("there is no python here that is too old")
    script = write("ask.py", ASK)
    for version, python in found.items():
        azureml, core, rest = shown_by(*RUN, python, script).splitlines()

        assert rest == "[1]"
        if version != "2.7":
            assert azureml == core
            assert f"needs Python 3.10 or later, and {python} is {version}" in azureml


# Beside what users' code does to imports


def test_the_alias_holds_beside_finders_and_paths_of_the_users():
    Path("theirs/azureml").mkdir(parents=True)
    write("theirs/azureml/__init__.py", "VERSION = 'theirs'")
    write("theirs/extra.py", "")
    code = """
        import importlib.abc, importlib.machinery, sys
        seen = []
        class Spy(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path, target=None):
                seen.append(name)
        sys.meta_path.insert(0, Spy())
        sys.path.insert(0, "theirs")
        import azureml.core, extra
        assert azureml.core.VERSION == "1.61.0"
        assert {"azureml", "azureml.core", "extra"} <= set(seen)
        sys.meta_path.append(sys.meta_path.pop(0))
        import azureml.exceptions
        machinery = importlib.machinery
        sys.meta_path[:] = [machinery.BuiltinImporter, machinery.FrozenImporter, machinery.PathFinder]
        import azml_compat
        azml_compat.install()
        import azureml.history
        azml_compat.uninstall()
        for name in [name for name in sys.modules if name.split(".")[0] == "azureml"]:
            del sys.modules[name]
        import azureml
        assert azureml.VERSION == "theirs"
    """
    script = write("script.py", code)

    for launcher in LAUNCHERS.values():
        assert shown_by(*launcher, script) == ""


# Our own children


def test_the_background_process_does_not_inherit_the_alias(monkeypatch, tmp_path):
    seen = []
    before = os.pathsep.join(["a", "", "b"])
    monkeypatch.setenv("PYTHONPATH", before)
    for _ in range(2):
        _inheritance.hand_down(os.environ)
        assert os.environ["PYTHONPATH"].split(os.pathsep) == [str(BOOTSTRAP), "a", "", "b"]
    monkeypatch.setattr(subprocess, "run", lambda *_, env, **__: seen.append(env["PYTHONPATH"]))
    _background._launch("sqlite://", SimpleNamespace(folder=tmp_path, uri="sqlite://"))

    assert seen == [before]


def test_what_is_handed_down_can_be_withheld():
    environment = {"PYTHONPATH": ""}
    _inheritance.hand_down(environment)
    assert environment == {"PYTHONPATH": str(BOOTSTRAP)}
    for _ in range(2):
        _inheritance.withhold(environment)
        assert environment == {}


# Runs

TRAIN = """
import os, sys
from azureml.core import Run

def main():
    run = Run.get_context()
    for n in range(3):
        run.log("loss", 1 / (n + 1))
    run.log("epochs", 3)
    run.log("kind", "a text")
    run.log_list("list", [1, 2.5, "x"])
    run.log_table("table", {"x": [1, 2], "y": ["a", "b"]})
    run.tag("team", "a")
    run.add_properties({"source": "b"})
    child = run.child_run("child")
    child.log("c", 1)
    os.makedirs("outputs", exist_ok=True)
    with open("outputs/model.txt", "w") as file:
        file.write("model")
"""
CALL = "\nmain()\n"
DOORS = {
    "changed imports": [sys.executable, "changed.py"],
    "azml-compat run python train.py": [*RUN, sys.executable, "train.py"],
}
MORE_DOORS = {
    "install()": [sys.executable, "installed.py"],
    "python -m azml_compat train.py": [sys.executable, *US, "train.py"],
    "python -m azml_compat -m train": [sys.executable, *US, "-m", "train"],
    "python -m azml_compat -c": [sys.executable, *US, "-c", TRAIN + CALL],
    "azml-compat run train.py": [*RUN, "train.py"],
    "azml-compat run python -m train": [*RUN, sys.executable, "-um", "train"],
    "azml-compat run bash train.sh": [*RUN, "bash", "train.sh"],
    "azml-compat run launcher": [*RUN, sys.executable, "start.py"],
    "azml-compat run pytest": [*RUN, sys.executable, "-m", "pytest", "-q", "test_train.py"],
}


@pytest.fixture
def store(sqlite_uri, monkeypatch):
    """One sqlite store for the scripts and for the tests."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    return Workspace("s", "g", "w")


def experiment_of(name):
    return re.sub(r"\W+", "-", name).strip("-")


def through(door, command):
    """Run the script through a door, in a folder of its own and an experiment named after the door."""
    folder = Path(experiment_of(door))
    folder.mkdir()
    for name, code in {
        "train.py": TRAIN + CALL,
        "changed.py": TRAIN.replace("azureml", "azml_compat") + CALL,
        "installed.py": "import azml_compat\nazml_compat.install()\n" + TRAIN + CALL,
        "test_train.py": TRAIN.replace("def main", "def test_main"),
        "train.sh": f"set -e\nexec '{sys.executable}' train.py\n",
        "start.py": f"import subprocess, sys\nsys.exit(subprocess.call(['{sys.executable}', '-u', 'train.py']))\n",
    }.items():
        write(folder / name, code)
    return start(*command, cwd=folder, env={"AZUREML_ARM_PROJECT_NAME": folder.name})


def facts(found):
    """All that a script has recorded in a run."""
    return {
        "status": found.get_status(),
        "metrics": found.get_metrics(),
        "tags": found.get_tags(),
        "properties": found.get_properties(),
        "params": found._refresh().params,
        "files": found.get_file_names(),
        "children": [(child.name, child.get_status(), child.get_metrics()) for child in found.get_children()],
    }


@pytest.mark.parametrize(
    "doors", [DOORS, pytest.param(MORE_DOORS, marks=pytest.mark.extra)], ids=["doors", "more doors"]
)
def test_the_same_script_gives_the_same_runs_through_every_door(doors, store):
    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(through, doors, doors.values()))
    recorded = {}
    for door in doors:
        (found,) = Experiment(store, experiment_of(door)).get_runs()
        recorded[door] = facts(found)

    assert [(done.returncode, done.stderr) for done in ends] == [(0, "")] * len(doors)
    for door, fact in recorded.items():
        (child,) = fact.pop("children")
        assert (child[0].endswith("child"), *child[1:]) == (True, "Completed", {"c": 1}), door
        assert fact == {
            "status": "Completed",
            "metrics": {
                "loss": [1.0, 1 / 2, 1 / 3],
                "epochs": 3,
                "kind": "a text",
                "list": [1, 2.5, "x"],
                "table": {"x": [1, 2], "y": ["a", "b"]},
            },
            "tags": {"team": "a"},
            "properties": {"source": "b"},
            "params": {"kind": "a text"},
            "files": ["outputs/model.txt"],
        }, door


BODY = """
import os, signal, sys, time
from azureml.core import Run
run = Run.get_context()
run.log("a", 1)
with open("outputs/partial.txt", "w") as file:
    file.write("so far")
"""
# Until the background process is there: only who has seen a process die knows whose the files are.
WATCHED = """
import sqlite3
database = sqlite3.connect(os.environ["MLFLOW_TRACKING_URI"].removeprefix("sqlite:///"))
while not database.execute("SELECT * FROM metrics WHERE run_uuid = ?", [run.id]).fetchall():
    time.sleep(0.2)
time.sleep(1)
"""
ENDS = {"completes not": ("", 0, "Completed"), "raises SystemExit": ("raise SystemExit(3)", 3, "Failed")}
MORE_ENDS = {
    **ENDS,
    "raises": ("raise ValueError('broken')", 1, "Failed"),
    "calls exit": ("sys.exit(1)", 1, "Failed"),
}
KILLED = {  # by itself: any other process that opens the store may be first to see that it is dead
    "is killed": (WATCHED + "os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, "Failed"),
}


def ended(name, end, launcher):
    """Run a script that ends so, in a folder and an experiment of that name; its exit code."""
    folder = Path(experiment_of(name))
    folder.mkdir()
    write(folder / "script.py", BODY + end)
    variables = {"AZUREML_ARM_PROJECT_NAME": folder.name, "AZML_COMPAT_BACKGROUND": str(int("kill" in end))}
    return start(*launcher, "script.py", cwd=folder, env=variables).returncode


def wait_for_the_background_process(store):
    """Whoever opens the store ends the runs of the dead as well, but leaves their files alone."""
    path = store.get_mlflow_tracking_uri().removeprefix("sqlite:///")
    deadline = time.monotonic() + 60
    with contextlib.closing(sqlite3.connect(path)) as database:
        while database.execute("SELECT * FROM runs WHERE status = 'RUNNING'").fetchall():
            assert time.monotonic() < deadline
            time.sleep(0.2)


@pytest.mark.parametrize(
    ("launcher", "ends"),
    [
        pytest.param(LAUNCHERS["azml-compat run"], ENDS, id="azml-compat run"),
        *(pytest.param(LAUNCHERS[name], MORE_ENDS, id=f"{name}, more", marks=pytest.mark.extra) for name in LAUNCHERS),
        *(pytest.param(LAUNCHERS[name], KILLED, id=f"{name}, killed", marks=pytest.mark.extra) for name in LAUNCHERS),
    ],
)
def test_a_run_ends_as_its_script_does_with_its_outputs(store, launcher, ends):
    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(lambda name: ended(name, ends[name][0], launcher), ends))
    assert codes == [code for _, code, _ in ends.values()]
    wait_for_the_background_process(store)
    for name, (_, _, status) in ends.items():
        (found,) = Experiment(store, experiment_of(name)).get_runs()

        assert found.wait_for_completion(raise_on_error=False)["status"] == status, name
        assert found.get_metrics() == {"a": 1}
        assert found.get_file_names() == ["outputs/partial.txt"], name


@pytest.mark.extra
@pytest.mark.parametrize("end", ["exit(1)", "quit(2)", "exit('a message')"])
def test_exit_and_quit_fail_a_run_behind_any_launcher(store, end):
    launcher = [*RUN, "bash", "-c", f"'{sys.executable}' \"$@\"", "bash"]

    assert ended("ends", end, launcher) != 0
    (found,) = Experiment(store, "ends").get_runs()
    assert found.get_status() == "Failed"


@pytest.mark.parametrize(("status", "code"), [("", 0), ("None", 0), ("0", 0), ("3", 3), ("'text'", 1)])
def test_exit_and_quit_are_seen_and_do_as_they_always_did(status, code):
    script = f"""
        import atexit, sys
        from azml_compat import _runtime
        def observe():
            for leave in (exit, quit):
                try:
                    leave({status})
                except SystemExit as end:
                    print(repr(leave), type(leave), type(end).__name__, end.code, end.args, end.__context__)
        observe()
        if "watch" in sys.argv:
            _runtime.store()
            _runtime.open_run("none", lambda outcome: print(outcome.exit_code, outcome.error, file=sys.stderr))
            observe()
        exit({status})
    """
    write("script.py", script)
    plain, watched = (start(sys.executable, "script.py", *words) for words in ([], ["watch"]))

    assert watched.stdout == plain.stdout * 2
    assert watched.returncode == plain.returncode == code
    assert watched.stderr.splitlines()[0 if code != 1 else -1] == f"{code} None"


def test_a_library_that_only_asks_for_the_context_leaves_no_run(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'none.db'}")
    write("library.py", "from azureml.core import Run\nRUN = Run.get_context()\nIS_RUN = isinstance(RUN, Run)\n")
    script = write("script.py", "import sys, library\nprint(library.IS_RUN, 'mlflow' in sys.modules)")

    for launcher in LAUNCHERS.values():
        assert shown_by(*launcher, script) == "True False\n"
    assert not (tmp_path / "none.db").exists()
