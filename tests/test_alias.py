from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
INSTALL = "import azml_compat; azml_compat.install()\n"
CLASSES = {
    "authentication": ["InteractiveLoginAuthentication", "ServicePrincipalAuthentication", "Audience"],
    "run": ["Run", "get_run"],
    "experiment": ["Experiment"],
    "workspace": ["Workspace"],
}


def python(
    *arguments: str, cwd: Path | str | None = None, store: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run python in a process of its own, with this package and without what steers it, but for a store it may use."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "AZ"))}
    environment["PYTHONPATH"] = str(REPOSITORY)
    if store is not None:
        environment |= {"MLFLOW_TRACKING_URI": store, "AZML_COMPAT_HOME": os.environ["AZML_COMPAT_HOME"]}
    return subprocess.run(
        [sys.executable, *(["-W", "error"] if store is None else []), *arguments],  # MLflow warns of itself
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=environment,
        timeout=120,
    )


def passes(code: str, cwd: Path | str | None = None, store: str | None = None) -> str:
    """Run code under the alias, insist that it succeeds silently on stderr, and return what it printed."""
    shown = python("-c", INSTALL + textwrap.dedent(code), cwd=cwd, store=store)

    assert shown.returncode == 0, shown.stderr
    assert shown.stderr == ""
    return shown.stdout


# One object under both names


@pytest.mark.parametrize("module", CLASSES)
def test_a_module_and_its_classes_are_the_same_under_both_names(module):
    passes(f"""
        import azureml.core.{module}, azml_compat.core.{module}, sys
        alias, real = azureml.core.{module}, azml_compat.core.{module}
        assert alias is real
        assert sys.modules["azureml.core.{module}"] is sys.modules["azml_compat.core.{module}"]
        assert alias.__name__ == alias.__spec__.name == "azml_compat.core.{module}"
        for name in {CLASSES[module]}:
            exec(f"from azureml.core.{module} import {{name}} as one")
            exec(f"from azml_compat.core.{module} import {{name}} as other")
            assert one is other
            assert one.__module__ == "azml_compat.core.{module}", one.__module__
    """)


def test_the_top_level_gives_the_same_classes():
    passes("""
        from azureml.core import Experiment, Run, Workspace, get_run
        import azml_compat, azureml
        from azml_compat.core.run import Run as home
        assert azureml is azml_compat
        assert Run is azml_compat.Run is azureml.core.Run is azureml.core.run.Run is home
        assert Experiment is azml_compat.Experiment is azureml.core.experiment.Experiment
        assert Workspace is azml_compat.Workspace is azureml.core.workspace.Workspace
        assert get_run is azml_compat.get_run is azureml.core.run.get_run
        assert sorted({*azureml.core.__all__, "install", "uninstall"}) == azml_compat.__all__
        assert set(azml_compat.__all__) <= set(dir(azml_compat))
        from azml_compat import *
        assert Model is azureml.core.model.Model
    """)


def test_importing_the_package_makes_its_parts_reachable():
    passes("""
        import azureml.core
        assert azureml.core.VERSION == "1.61.0"
        assert azureml.core.runconfig.RunConfiguration
        assert azureml.core.authentication.MsiAuthentication
        assert azureml.exceptions.UserErrorException
        assert azureml.data.constants.NONE == "None"
    """)


@pytest.mark.parametrize(
    "statement",
    [
        "from azureml._common.exceptions import AzureMLException as got",
        "from azureml.exceptions._azureml_exception import UserErrorException as got",
        "from azureml._restclient.constants import RunStatus as got",
        "from azureml._restclient.exceptions import ServiceException as got",
        "from azureml._base_sdk_common.user_agent import append as got",
        "from azureml.core.authentication import AuthenticationException as got",
        "from azureml.core.compute_target import ComputeTargetException as got",
        "from azureml.core.workspace import Dataset as got",
        "from azureml.core.workspace import WorkspaceException as got",
        "from azureml.core.model import Dataset as got",
        "from azureml.core.runconfig import CondaDependencies as got",
        "from azureml.core.runconfig import DEFAULT_CPU_IMAGE as got",
        "from azureml.core.environment import CondaDependencies as got",
        "from azureml.core.run import Environment as got",
        "from azureml.core.run import RunStatus as got",
        "from azureml.core.run import _OfflineRun as got",
        "from azureml.core import ComputeTarget as got",
        "from azureml.core import run as got",
    ],
)
def test_the_odd_paths_that_scripts_import(statement):
    passes(f"{statement}\nassert got")


def test_pickles_made_under_the_alias_load_without_it(tmp_path):
    passes(
        """
        import pathlib, pickle
        from azureml.core.authentication import Audience, MsiAuthentication
        from azureml.core import Model
        from azureml.exceptions import UserErrorException
        made = [MsiAuthentication(), Audience.ARM, Model, UserErrorException("m")]
        pathlib.Path("made.pickle").write_bytes(pickle.dumps(made))
        """,
        cwd=tmp_path,
    )
    load = "import pathlib, pickle; print(pickle.loads(pathlib.Path('made.pickle').read_bytes())[1])"
    shown = python("-c", load, cwd=tmp_path)

    assert (shown.stdout, shown.stderr) == ("Audience.ARM\n", "")


def test_pickles_that_name_azureml_load_under_the_alias():
    passes("""
        import pickle
        from azureml.core.authentication import MsiAuthentication
        foreign = b"cazureml.core.authentication\\nMsiAuthentication\\n."
        assert pickle.loads(foreign) is MsiAuthentication
    """)


def test_a_patch_through_the_alias_reaches_the_code():
    passes("""
        from unittest import mock
        import azml_compat.core.authentication as real
        with mock.patch("azureml.core.authentication._no_token") as refuse:
            real.MsiAuthentication().get_token()
            refuse.assert_called_once()
        with mock.patch("azureml.core.authentication.MsiAuthentication") as fake:
            from azml_compat.core.authentication import MsiAuthentication
            assert MsiAuthentication is fake
        with mock.patch("azureml.core.Workspace") as fake:
            from azureml.core import Workspace
            assert Workspace is azml_compat.Workspace is fake
        from azureml.core import Workspace
        assert Workspace is not fake
    """)


def test_one_except_clause_catches_under_both_names():
    passes("""
        import azureml.exceptions
        from azml_compat.exceptions import UserErrorException
        try:
            raise UserErrorException("m")
        except azureml.exceptions.UserErrorException as error:
            assert error.message == "m"
    """)


# As modules


def test_reload_reloads_the_one_module():
    passes("""
        import importlib, sys
        import azureml.core.authentication as alias
        before = alias.MsiAuthentication
        assert importlib.reload(alias) is alias is sys.modules["azureml.core.authentication"]
        import azml_compat.core.authentication as real
        assert real is alias and real.MsiAuthentication is not before
    """)


def test_the_real_spec_is_left_alone():
    passes("""
        import importlib.util, inspect
        asked = importlib.util.find_spec("azureml.core.authentication")
        import azureml.core.authentication as alias
        assert asked.name == "azureml.core.authentication"
        assert asked.origin == alias.__file__ == alias.__spec__.origin
        assert alias.__spec__.name == "azml_compat.core.authentication"
        assert alias.__package__ == "azml_compat.core"
        assert asked.loader.get_source(asked.name) == inspect.getsource(alias)
        assert asked.loader.get_filename(asked.name) == alias.__file__
        assert asked.loader.get_data(alias.__file__)
        assert not asked.loader.is_package(asked.name)
        assert importlib.util.find_spec("azureml.core").submodule_search_locations
    """)


def test_the_tools_that_walk_and_read_packages_work():
    passes("""
        import importlib.resources, inspect, pkgutil
        import azureml.core
        names = [found.name for found in pkgutil.walk_packages(azureml.core.__path__, "azureml.core.")]
        assert "azureml.core.compute.amlcompute" in names and "azureml.core.authentication" in names
        import azureml.core.authentication as alias
        assert "class MsiAuthentication" in inspect.getsource(alias)
        assert inspect.getmodule(alias.MsiAuthentication) is alias
        assert (importlib.resources.files("azureml") / "_surface.json").is_file()
        assert pkgutil.get_data("azureml", "_surface.json")
    """)


def test_runpy_runs_a_module_by_its_alias():
    passes("""
        import runpy
        names = runpy.run_module("azureml.core.authentication")
        assert "MsiAuthentication" in names and names["__spec__"].name == "azureml.core.authentication"
    """)
    shown = python("-m", "azml_compat", "-m", "azureml.core.authentication")
    assert (shown.returncode, shown.stderr) == (0, "")


def test_finding_a_module_imports_none():
    # Finders are asked under the lock of all imports: who waits there for a module of another thread waits for ever.
    passes("""
        import sys, azureml.core
        before = set(sys.modules)
        finder, path = sys.meta_path[0], azureml.core.__path__
        for name in ("azureml.core.authentication", "azureml.core.missing", "azureml.core._private"):
            assert finder.find_spec(name, path).name == name
        assert set(sys.modules) == before, set(sys.modules) - before
    """)


def test_racing_imports_give_one_module():
    code = """
        import sys, threading
        sys.setswitchinterval(1e-6)
        barrier, failures, got = threading.Barrier(48), [], set()

        def race(number):
            barrier.wait()
            try:
                if number % 3 == 0:
                    from azureml.core.authentication import MsiAuthentication
                elif number % 3 == 1:
                    import azureml.core.authentication as module
                    MsiAuthentication = module.MsiAuthentication
                else:
                    import azml_compat.core  # python itself waits for no package that it was not asked for
                    from azml_compat.core.authentication import MsiAuthentication
                got.add(MsiAuthentication)
            except BaseException as error:
                failures.append(repr(error))

        threads = [threading.Thread(target=race, args=(number,)) for number in range(48)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert not failures and len(got) == 1, (failures, got)
        assert sys.modules["azureml.core.authentication"] is sys.modules["azml_compat.core.authentication"]
    """
    for _ in range(5):  # without the placeholder, about one in five fails
        passes(code)


# What is not there


@pytest.mark.parametrize(
    ("module", "part"),
    [
        ("azureml.train.automl", "FLAML"),
        ("azureml.train.estimator", "python -m azml_compat script.py"),
        ("azureml.train.nonsense", "no public module"),
        ("azureml.pipeline.core", "pipelines"),
        ("azureml.opendatasets", "open datasets"),
        ("azureml.mlflow.deploy", "mlflow models serve"),
        ("azureml.core.nonsense", "no public module"),
        ("azureml.core.webservice.nonsense", "no public module"),
        ("azureml._base_sdk_common.service_discovery", "private"),
        ("azureml._restclient.run_client", "private"),
        ("azureml._alias", "private"),
        ("azureml._refused", "private"),
        ("azureml.__main__", "private"),
    ],
)
def test_a_missing_module_is_explained(module, part):
    shown = passes(f"""
        try:
            import {module}
        except ImportError as error:
            assert type(error) is ModuleNotFoundError
            assert "{module}".startswith(error.name) and error.name.count(".")
            assert f"`{{error.name}}`" in str(error)
            print(error)
        import sys
        assert "{module}" not in sys.modules
    """)

    assert "azml_compat" in shown
    assert part in shown


def test_none_of_our_internals_is_reachable_as_azureml():
    passes(f"""
        import importlib, pkgutil, azml_compat
        from azml_compat._alias import PRIVATE
        for found in pkgutil.iter_modules([{str(REPOSITORY / "azml_compat")!r}]):
            name = "azureml." + found.name
            if found.name.startswith("_") and name not in PRIVATE:
                try:
                    importlib.import_module(name)
                except ModuleNotFoundError as error:
                    assert error.name == name
                else:
                    raise AssertionError(name)
        for name in PRIVATE:
            assert importlib.import_module(name).__name__.startswith("azml_compat.")
    """)


def test_asking_whether_a_module_is_there_is_no_error():
    passes("""
        import importlib.util, sys
        assert importlib.util.find_spec("azureml.opendatasets") is None
        assert importlib.util.find_spec("azureml.core.nonsense") is None
        assert importlib.util.find_spec("azureml") and importlib.util.find_spec("azureml.core.run")
        assert [finder.find_spec("azureml", None) for finder in sys.meta_path[:1]][0].name == "azureml"
    """)


def test_names_that_only_begin_alike_are_left_alone(tmp_path):
    (tmp_path / "azuremlx.py").write_text("name = __name__")
    (tmp_path / "azureml_local.py").write_text("name = __name__")

    passes(
        """
        import azuremlx, azureml_local
        assert (azuremlx.name, azureml_local.name) == ("azuremlx", "azureml_local")
        try:
            import azuremly
        except ModuleNotFoundError as error:
            assert str(error) == "No module named 'azuremly'"
        """,
        cwd=tmp_path,
    )


# What azureml-core would have brought with it

CATCH = """
    from msrest.exceptions import ClientException, HttpOperationError
    from azureml.core import Datastore, Run, Workspace
    from azureml.exceptions import UserErrorException
    ws = Workspace("s", "g", "w")
    for _ in range(2):
        try:
            Datastore.get(ws, "nowhere")
        except HttpOperationError as error:
            assert isinstance(error, UserErrorException) and "nowhere" in error.message and "nowhere" in str(error)
        else:
            raise AssertionError
    try:
        Run.get(ws, "no-such-run")
    except HttpOperationError as error:
        assert error.status_code == 404 and isinstance(error, ClientException)
        import pickle
        assert pickle.loads(pickle.dumps(error)).status_code == 404
    else:
        raise AssertionError
"""


def test_errors_are_caught_as_those_of_msrest_where_that_is_not_installed(sqlite_uri):
    code = (
        CATCH
        + """
    import azml_compat._msrest.exceptions, msrest
    print(msrest.exceptions is azml_compat._msrest.exceptions)
    try:
        import msrest.authentication
    except ModuleNotFoundError as error:
        assert str(error) == "No module named 'msrest.authentication'"
    else:
        raise AssertionError
    """
    )
    assert passes(code, store=sqlite_uri) == "True\n"


@pytest.mark.parametrize("first", ["from azureml.core import Run", ""])
def test_errors_are_caught_as_those_of_msrest_where_that_is_installed(sqlite_uri, tmp_path, first):
    (tmp_path / "msrest").mkdir()
    (tmp_path / "msrest" / "__init__.py").write_text("")
    (tmp_path / "msrest" / "exceptions.py").write_text(
        "class ClientException(Exception):\n"
        "    def __init__(self, message, inner_exception=None): raise RuntimeError('never asked')\n"
        "class HttpOperationError(ClientException):\n"
        "    def __init__(self, deserialize, response): raise RuntimeError('never asked')\n"
    )
    code = f"""
    {first}
    import sys
    sys.path.append({str(tmp_path)!r})
    import msrest
    assert msrest.__file__.startswith({str(tmp_path)!r})
    """
    passes(code + CATCH, store=sqlite_uri)


def test_msrest_is_not_there_without_the_alias():
    shown = python("-c", "import azml_compat.core, importlib.util; print(importlib.util.find_spec('msrest'))")

    assert shown.stdout == "None\n"


# On and off


def test_there_is_one_finder_and_it_is_first():
    passes("""
        import sys
        class Other:
            def find_spec(self, *args): return None
        other = Other()
        sys.meta_path.insert(0, other)
        count = len(sys.meta_path)
        azml_compat.install(); azml_compat.install()
        assert len(sys.meta_path) == count
        names = [type(finder).__name__ for finder in sys.meta_path]
        assert names.count("_AliasFinder") == names.count("_LastFinder") == 1
        assert names[0] == "_AliasFinder" and sys.meta_path[1] is other and names[-1] == "_LastFinder"
    """)


def test_uninstall_takes_everything_away_and_install_brings_it_back():
    passes("""
        import sys
        before = [finder for finder in sys.meta_path if type(finder).__name__ not in ("_AliasFinder", "_LastFinder")]
        from azureml.core.authentication import MsiAuthentication
        import msrest.exceptions
        azml_compat.uninstall(); azml_compat.uninstall()
        assert sys.meta_path == before
        assert not [name for name in sys.modules if name.partition(".")[0] in ("azureml", "msrest")]
        assert "azml_compat.core.authentication" in sys.modules
        try:
            import azureml
        except ModuleNotFoundError as error:
            assert str(error) == "No module named 'azureml'"
        else:
            raise AssertionError
        assert MsiAuthentication()
        azml_compat.install()
        from azureml.core.authentication import MsiAuthentication as again
        assert again is MsiAuthentication
    """)


def test_nothing_happens_before_install():
    shown = python("-c", "import azml_compat.core, sys; print('azureml' in sys.modules, len(sys.meta_path))")

    assert shown.stdout == f"False {len(python_meta_path())}\n"


def python_meta_path() -> list[str]:
    return python("-c", "import sys; [print(finder) for finder in sys.meta_path]").stdout.splitlines()


@pytest.fixture
def real_azureml(tmp_path):
    """A package such as the real SDK installs: azureml as a namespace, with core and pipeline."""
    for package in ("core", "pipeline"):
        (tmp_path / "azureml" / package).mkdir(parents=True)
        (tmp_path / "azureml" / package / "__init__.py").write_text("VERSION = 'real'")
    return tmp_path


def test_the_alias_wins_over_an_installed_azureml(real_azureml):
    passes(
        """
        import azureml.core
        assert azureml.core.VERSION == "1.61.0"
        try:
            import azureml.pipeline
        except ModuleNotFoundError:
            pass
        else:
            raise AssertionError
        """,
        cwd=real_azureml,
    )


def test_a_real_azureml_imported_before_gives_way_and_comes_back(real_azureml):
    code = textwrap.dedent("""
        import sys
        import azureml.core, azureml.pipeline
        real = {name: sys.modules[name] for name in ("azureml", "azureml.core", "azureml.pipeline")}
        import azml_compat
        azml_compat.install(); azml_compat.install()
        import azureml.core
        assert azureml.core.VERSION == "1.61.0" and azureml is azml_compat
        assert "azureml.pipeline" not in sys.modules
        azml_compat.uninstall()
        assert {name: sys.modules[name] for name in sys.modules if name.startswith("azureml")} == real
        import azureml.core
        assert azureml.core.VERSION == "real"
    """)
    shown = python("-c", code, cwd=real_azureml)

    assert (shown.returncode, shown.stderr) == (0, "")


def test_off_a_real_azureml_is_untouched(real_azureml):
    code = "import azml_compat, azureml.core; print(azureml.core.VERSION)"

    assert python("-c", code, cwd=real_azureml).stdout == "real\n"


def test_the_import_is_cheap_and_brings_no_mlflow():
    shown = passes("""
        import sys
        before = set(sys.modules)
        import azureml.core, azureml.core.authentication
        azureml.core.Image
        print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
    """)
    heavy = {"mlflow", "numpy", "pandas", "requests", "yaml", "sqlalchemy", "pathlib", "asyncio", "logging"}

    assert set(shown.split()) & heavy == set()


# python -m azml_compat


FACTS = """
import sys, os
print(__name__, __spec__ and __spec__.name, __package__, __doc__)
print(globals().get("__file__"), sys.argv, repr(sys.path[0]), sys.path.count(sys.path[0]))
print(sys.modules["__main__"].__dict__ is globals(), sorted(name for name in globals() if name[:2] == "__"))
"""
PROGRAMS = {
    "facts": FACTS,
    "falls off the end": "print('done')",
    "exits with 3": "import sys; sys.exit(3)",
    "exits with 0": "import sys; sys.exit(0)",
    "exits with None": "raise SystemExit",
    "exits with True": "raise SystemExit(True)",
    "exits with a text": "import sys; sys.exit('went wrong')",
    "exits in a function": "def f():\n    raise SystemExit(7)\nf()",
    "raises": "def f():\n    raise ValueError('wrong')\nf()",
    "raises from": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('wrong') from e",
    "raises with a hook": "import sys\nsys.excepthook = lambda k, e, t: print(k, e, t.tb_lineno)\n1 / 0",
    "is interrupted": "raise KeyboardInterrupt",
    "has a syntax error": "print('never')\nx = (",
    "has an encoding": "# coding: latin-1\nprint('\\xe9' == chr(233))",
    "has a future": "from __future__ import annotations\nx: nonsense = 1\nprint(__annotations__)",
    "has no future": "def f(x: int): pass\nprint(f.__annotations__['x'])",
    "has exit hooks": "import atexit, sys\natexit.register(lambda: print(sys.modules['__main__'].x))\nx = 1",
    "has threads": "import threading, time\ndef f():\n    time.sleep(0.2)\n    print(__name__)\n"
    "threading.Thread(target=f).start()\nraise ValueError('wrong')",
    "pickles its own": "import pickle\nclass A: pass\nprint(pickle.loads(pickle.dumps(A)) is A)",
    "imports a neighbour": "import neighbour\nprint(neighbour.name)",
    "reads its own source": "import inspect\ndef f(): return 1\nprint(inspect.getsource(f))",
    "ends at once": "import os, sys\nprint('out', flush=True)\nos._exit(5)",
}


@pytest.fixture
def folder(tmp_path):
    """A folder with every program as a script, a package, and a neighbour to import."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "neighbour.py").write_text("name = __name__")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("print('package', __name__)")
    (tmp_path / "package" / "__main__.py").write_text("from package import sub\n" + FACTS)
    (tmp_path / "package" / "sub.py").write_text("print('sub', __name__)\n" + FACTS)
    (tmp_path / "module.py").write_text(FACTS + "\nraise ValueError('wrong')")
    return tmp_path


def as_python_does(folder, *arguments):
    """Run a command line with python and with us, and insist on the same output and exit code."""
    expected = python(*arguments, cwd=folder)
    actual = python("-m", "azml_compat", *arguments, cwd=folder)

    assert actual.stdout == expected.stdout
    assert actual.stderr == expected.stderr
    assert actual.returncode == expected.returncode
    return actual


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_script_runs_as_with_python_itself(folder, program):
    (folder / "scripts" / "script.py").write_bytes(PROGRAMS[program].encode("latin-1"))

    as_python_does(folder, "scripts/script.py", "first", "--second", "-m", "third")


@pytest.mark.parametrize("program", ["facts", "exits with 3", "raises", "is interrupted", "has a syntax error"])
def test_code_runs_as_with_python_itself(folder, program):
    as_python_does(folder, "-c", PROGRAMS[program], "first", "--second")


@pytest.mark.parametrize("module", ["module", "package", "package.sub", "missing", "package.missing", "scripts"])
def test_a_module_runs_as_with_python_itself(folder, module):
    as_python_does(folder, "-m", module, "first", "--second")


def test_a_linked_script_imports_from_where_it_really_is(folder):
    (folder / "scripts" / "script.py").write_text(FACTS + "import neighbour")
    (folder / "link.py").symlink_to(folder / "scripts" / "script.py")

    as_python_does(folder, "link.py")


def test_a_missing_script_is_reported_as_by_python(folder):
    assert as_python_does(folder, "scripts/nothing.py").returncode == 2


def test_an_absolute_path_and_a_name_with_blanks(folder):
    script = folder / "scripts" / "a script.py"
    script.write_text(FACTS)

    as_python_does(folder, str(script), "an argument", "")


def test_the_alias_is_there_and_only_with_us(folder):
    (folder / "script.py").write_text("import azureml.core; print(azureml.core.VERSION)")

    assert python("-m", "azml_compat", "script.py", cwd=folder).stdout == "1.61.0\n"
    assert python("script.py", cwd=folder).returncode == 1


def test_what_is_refused_is_told_without_our_frames_on_top(folder):
    (folder / "script.py").write_text("from azureml.core import Image\nImage.create()")
    shown = python("-m", "azml_compat", "script.py", cwd=folder)

    assert shown.stderr.splitlines()[1] == f'  File "{folder}/script.py", line 2, in <module>'
    assert "Instead: " in shown.stderr


@pytest.mark.parametrize(
    ("program", "outcome"),
    [
        ("", "None 0"),
        ("1 / 0", "ZeroDivisionError 1"),
        ("raise SystemExit", "SystemExit 0"),
        ("raise SystemExit(0)", "SystemExit 0"),
        ("raise SystemExit(3)", "SystemExit 3"),
        ("raise SystemExit('text')", "SystemExit 1"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt 130"),
    ],
)
def test_the_runtime_is_told_how_it_ended(folder, program, outcome):
    (folder / "script.py").write_text(
        "import atexit, sys, types\n"
        "told = types.SimpleNamespace()\n"
        "def note_outcome(error, code):\n"
        "    told.outcome = error and type(error).__name__, code\n"
        "sys.modules['azml_compat._runtime'] = types.SimpleNamespace(note_outcome=note_outcome)\n"
        "atexit.register(lambda: print(*told.outcome))\n" + program
    )
    shown = python("-m", "azml_compat", "script.py", cwd=folder)

    assert shown.stdout == f"{outcome}\n"


def test_a_script_that_tracks_nothing_loads_no_runtime(folder):
    (folder / "script.py").write_text(
        "import atexit, sys\natexit.register(lambda: print('azml_compat._runtime' in sys.modules))"
    )

    assert python("-m", "azml_compat", "script.py", cwd=folder).stdout == "False\n"


def test_a_subcommand_is_handed_on():
    code = (
        "import runpy, sys, types\n"
        "sys.modules['azml_compat._cli'] = types.SimpleNamespace(COMMANDS='ui', main=lambda argv: print(argv) or 4)\n"
        "sys.argv = ['azml_compat', 'ui', '--port', '1']\n"
        "runpy.run_module('azml_compat', run_name='__main__', alter_sys=False)\n"
    )
    shown = python("-c", code)

    assert shown.stdout == "['ui', '--port', '1']\n"
    assert shown.returncode == 4


def test_usage():
    assert python("-m", "azml_compat").returncode == 2
    assert python("-m", "azml_compat", "--help").stdout.startswith("usage: python -m azml_compat script.py")
    assert python("-m", "azml_compat", "-x").returncode == 2
    assert python("-m", "azml_compat", "-m").returncode == 2


def test_the_version_is_the_projects():
    import azml_compat

    assert f'version = "{azml_compat.__version__}"' in (REPOSITORY / "pyproject.toml").read_text()
