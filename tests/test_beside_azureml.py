"""The real Azure ML SDK and azureml-mlflow beside azml_compat: untouched with the alias off, unseen with it on."""

from __future__ import annotations

import json
import re
import shutil
import textwrap

import pytest

from tests.environments import python_of, run
from tests.test_surface import RECORD

pytestmark = pytest.mark.extra

RUN_SCRIPT = """
import azml_compat, runpy, sys
azml_compat.install()
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
DOORS = {
    "install": lambda python, script: [python, "-W", "always", "-c", RUN_SCRIPT, script],
    "python -m": lambda python, script: [python, "-W", "always", "-m", "azml_compat", script],
    "azml-compat run": lambda python, script: [python.with_name("azml-compat"), "run", python, "-W", "always", script],
}


@pytest.fixture(scope="module")
def azureml_python():
    return python_of("azureml")


@pytest.fixture(scope="module")
def new_folder(azureml_python, tmp_path_factory):
    """Make a current directory with an initialised store in it, of the MLflow that is there."""
    template = tmp_path_factory.mktemp("template")
    code = "import mlflow; mlflow.MlflowClient('sqlite:///mlflow.db').search_experiments()"
    run([azureml_python, "-W", "ignore", "-c", code], template)

    def make():
        folder = tmp_path_factory.mktemp("project")
        shutil.copyfile(template / "mlflow.db", folder / "mlflow.db")
        return folder

    return make


@pytest.fixture(scope="module")
def off(azureml_python, new_folder):
    """Run code where the alias is not on, each time in a folder of its own."""

    def run_code(code):
        return run([azureml_python, "-W", "always", "-c", textwrap.dedent(code)], new_folder())

    return run_code


@pytest.fixture(scope="module", params=DOORS)
def on(request, azureml_python, new_folder):
    """Run code under the alias, through each door in turn."""

    def run_code(code):
        folder = new_folder()
        script = folder / "script.py"
        script.write_text(textwrap.dedent(code))
        return run(DOORS[request.param](azureml_python, script), folder)

    return run_code


def warnings_in(shown):
    """List what was warned or logged, without what differs from one process to the next."""
    return re.sub(r"\d{4}[/-]\d\d[/-]\d\d \d\d:\d\d:\d\d|0x[0-9a-f]+", "", shown.stderr).splitlines()


def test_they_install_together(azureml_python, tmp_path):
    run([azureml_python, "-m", "pip", "check"], tmp_path)


# The alias off


IMPORTS = """
import sys
import azureml.core, azureml.core.authentication, azureml.data, azureml.exceptions, azureml.mlflow
from azureml.core import Dataset, Environment, Experiment, Model, Run, ScriptRunConfig, Workspace
modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "azureml"}
assert len(modules) > 300
print(sorted(modules))
print([getattr(azureml.core, name) for name in azureml.core.__all__], azureml.core.VERSION)
print([(name, module.__file__) for name, module in sorted(modules.items())])
print(sys.meta_path)
"""


def test_off_the_real_package_is_untouched(off):
    plain = off(IMPORTS)
    beside = off("import azml_compat, azml_compat.core\nfrom azml_compat import Experiment\n" + IMPORTS)

    assert comparable(beside.stdout) == comparable(plain.stdout)
    assert warnings_in(beside) == warnings_in(plain)


def comparable(text):
    return re.sub(r"0x[0-9a-f]+", "", text)


PLAIN_MLFLOW = """
import mlflow
from mlflow.store.artifact.artifact_repository_registry import _artifact_repository_registry
from mlflow.tracking._model_registry.utils import _get_store_registry
from mlflow.tracking._tracking_service.utils import _tracking_store_registry
from mlflow.tracking.request_header.registry import resolve_request_headers

mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("plain")
with mlflow.start_run(run_name="one") as run:
    mlflow.log_param("depth", 3)
    mlflow.log_metric("loss", 0.5, step=1)
    mlflow.log_text("text", "notes/a.txt")
done = mlflow.get_run(run.info.run_id)
text = mlflow.artifacts.load_text(f"{done.info.artifact_uri}/notes/a.txt")
print(done.info.status, done.data.params, done.data.metrics, text)
registries = _tracking_store_registry, _get_store_registry(), _artifact_repository_registry
print([registry._registry["azureml"].__module__ for registry in registries])
print(resolve_request_headers()["User-Agent"])
"""
DONE = "FINISHED {'depth': '3'} {'loss': 0.5} text"


@pytest.fixture(scope="module")
def plain_mlflow(off):
    return off(PLAIN_MLFLOW)


def test_off_mlflow_and_its_plugins_are_untouched(off, plain_mlflow):
    beside = off("import azml_compat, azml_compat.core\nfrom azml_compat import Experiment\n" + PLAIN_MLFLOW)

    assert plain_mlflow.stdout.splitlines()[0] == DONE
    assert plain_mlflow.stdout.splitlines()[-1].endswith("azureml-mlflow/1.62.0.post6")
    assert beside.stdout == plain_mlflow.stdout
    assert warnings_in(beside) == warnings_in(plain_mlflow)


def test_off_our_runs_and_plain_mlflow_share_the_store(off):
    shown = off("""
        import azureml.core, azureml.mlflow
        from azml_compat.core import Experiment, Run, Workspace
        assert Run is not azureml.core.Run and not issubclass(Run, azureml.core.Run)
        with Experiment(Workspace.from_config(), "ours").start_logging(snapshot_directory=None) as run:
            run.log("loss", 0.5)
        import mlflow
        mlflow.set_tracking_uri("sqlite:///mlflow.db")
        print(mlflow.get_run(run.id).info.status, mlflow.get_run(run.id).data.metrics)
    """)

    assert shown.stdout.splitlines()[-1] == "FINISHED {'loss': 0.5}"


# The alias on


def test_on_every_azureml_module_is_ours_or_refused(on):
    """Every module that the real packages have, private ones included, is asked for by its name."""
    shown = on("""
        import importlib, importlib.metadata, sys
        import azml_compat

        real = {
            ".".join(file.with_suffix("").parts).removesuffix(".__init__")
            for package in ("azureml-core", "azureml-mlflow")
            for file in importlib.metadata.files(package)
            if file.suffix == ".py" and file.parts[0] == "azureml"
        }
        assert {"azureml.core.run", "azureml.mlflow.deploy", "azureml._restclient.run_client"} <= real
        assert len(real) > 500
        ours = []
        for name in sorted(real):
            try:
                module = importlib.import_module(name)
            except ModuleNotFoundError as error:
                assert "azml_compat answers for `azureml` here" in str(error), error
                continue
            assert module is sys.modules[name.replace("azureml", "azml_compat", 1)], name
            ours.append(name)
        assert {"azureml", "azureml.core.run", "azureml.mlflow", "azureml.exceptions._azureml_exception"} <= {*ours}
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] == "azureml":
                assert module.__name__.partition(".")[0] == "azml_compat", name
            assert "/azureml/" not in (getattr(module, "__file__", None) or ""), module
        from azureml.core import Experiment, Run, Workspace
        assert Run is azml_compat.Run
        print(len(ours))
    """)

    assert int(shown.stdout) > 84
    assert shown.stderr == ""


def test_on_mlflow_loads_its_plugins_and_runs_are_unharmed(on, plain_mlflow):
    under = on(PLAIN_MLFLOW)
    done, builders, user_agent = under.stdout.splitlines()

    assert done == DONE
    assert builders == str(3 * ["azml_compat.mlflow.entry_point_loaders"])
    assert "azureml" not in user_agent
    assert warnings_in(under) == warnings_in(plain_mlflow)


def test_on_a_v1_script_and_plain_mlflow_write_to_one_run(on):
    on("""
        import mlflow
        from azureml.core import Run
        run = Run.get_context()
        run.log("loss", 0.5)
        with mlflow.start_run() as same:
            mlflow.log_metric("accuracy", 1)
        assert same.info.run_id == run.id
        assert run.get_metrics() == {"loss": 0.5, "accuracy": 1.0}
    """)


def test_on_the_command_of_mlflow_warns_of_nothing(azureml_python, new_folder):
    launch = [azureml_python.with_name("azml-compat"), "run", azureml_python.with_name("mlflow")]
    command = [*launch, "runs", "list", "--experiment-id", "0"]
    shown = run(command, new_folder(), MLFLOW_TRACKING_URI="sqlite:///mlflow.db", PYTHONWARNINGS="always")

    assert "azml_compat" not in shown.stdout + shown.stderr  # which every message of ours, handed on by MLflow, names


def test_what_was_imported_before_gives_way_and_comes_back(off):
    off("""
        import sys
        import azureml.core, azureml.mlflow, mlflow
        from azureml.core import Run
        from mlflow.tracking.request_header.registry import resolve_request_headers

        def azuremls():
            return {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "azureml"}

        before = azuremls()
        import azml_compat
        for _ in range(2):
            azml_compat.install()
            import azureml.core, azureml.mlflow
            from azureml.core import Run as ours
            assert ours is azml_compat.Run and azureml is azml_compat and azureml.mlflow is azml_compat.mlflow
            assert all(module.__name__.startswith("azml_compat") for module in azuremls().values())
            # MLflow keeps the plugins that it loaded before.
            assert "azureml-mlflow/" in resolve_request_headers()["User-Agent"]
            mlflow.set_tracking_uri("sqlite:///mlflow.db")
            with mlflow.start_run():
                mlflow.log_metric("loss", 0.5)
            azml_compat.uninstall()
            after = azuremls()
            assert after.keys() == before.keys() and all(after[name] is before[name] for name in before)
            import azureml.core, azureml.mlflow
            from azureml.core import Run as real
            assert real is Run is azureml.core.Run is azureml.core.run.Run
            assert not real.__module__.startswith("azml_compat")
            import azureml.core.webservice.local  # what was not imported before can be now
            assert "azml_compat" not in azureml.core.webservice.local.__file__
            before = azuremls()
        print(azureml.core.Run.get_context())
    """)


# Our classes against the real ones


SIGNATURES = """
import enum, importlib, inspect, json, sys, types, warnings

warnings.simplefilter("ignore")
modules = json.load(open(sys.argv[1], encoding="utf-8"))["modules"]
wrong, counts = [], {"classes": 0, "members": 0, "functions": 0}

def check(path, actual, expected):
    if actual != expected:
        wrong.append(f"{path}: is {actual}, recorded as {expected}")

def parameters(function, bound):
    found = list(inspect.signature(function).parameters.values())[bound:]
    return [(p.kind.name, p.name, repr(p.default) if p.default is not p.empty else None) for p in found]

def recorded(params):
    return [(p["kind"], p["name"], p.get("default")) for p in params]

def path_of(cls):
    return f"{cls.__module__}.{cls.__qualname__}"

for name, record in modules.items():
    module = importlib.import_module(name)
    check(f"{name}.__all__", sorted(getattr(module, "__all__", None) or []), sorted(record["all"] or []))
    for alias, function in record["functions"].items():
        counts["functions"] += 1
        check(f"{name}.{alias}", parameters(getattr(module, alias), 0), recorded(function["params"]))
    for alias, described in record["classes"].items():
        counts["classes"] += 1
        cls = getattr(module, alias)
        check(f"{name}.{alias} bases", [path_of(base) for base in cls.__bases__], described["bases"])
        if described["constructor"]["defined_in"].startswith("azureml"):
            check(f"{name}.{alias}()", parameters(cls.__init__, 1), recorded(described["constructor"]["params"]))
        for member in described["members"]:
            if "params" not in member or not member["defined_in"].startswith("azureml"):
                continue
            counts["members"] += 1
            path = f"{name}.{alias}.{member['name']}"
            found = inspect.getattr_static(cls, member["name"])
            function = getattr(found, "__func__", found)
            check(path, parameters(function, not isinstance(found, staticmethod)), recorded(member["params"]))
print(json.dumps([wrong, counts]))
"""


def test_the_real_package_has_the_recorded_signatures(azureml_python, tmp_path):
    shown = run([azureml_python, "-c", SIGNATURES, RECORD], tmp_path)
    wrong, counts = json.loads(shown.stdout.splitlines()[-1])

    assert wrong == []
    assert counts["classes"] == 241
    assert counts["members"] > 1000
    assert counts["functions"] == 7


# What needs no service, done by the real package and by ours; both print what they do.
WITHOUT_SERVICE = """
import pickle
import azureml.exceptions
from azureml._base_sdk_common import user_agent
from azureml._restclient.constants import RunStatus
from azureml.core import Run
from azureml.core.run import _OfflineRun

def attempt(what, use):
    try:
        print(what, "gives", use())
    except Exception as error:
        print(what, "raises", [cls.__name__ for cls in type(error).__mro__], error)

run = Run.get_context()
assert type(run) is _OfflineRun
print([hasattr(run, name) for name in ("experiment", "parent", "status", "tags", "type", "name", "properties")])
uses = {
    "id": lambda: run.id,
    "log": lambda: run.log("loss", 0.5, "what it is"),
    "log with a step": lambda: run.log("loss", 0.5, step=1),
    "log_list": lambda: run.log_list("losses", [1, 2.5, "x"]),
    "log_row": lambda: run.log_row("row", x=1, y="two"),
    "log_table": lambda: run.log_table("table", {"x": [1, 2], "y": [3, 4]}),
    "log_image": lambda: run.log_image("picture", path="a.png"),
    "log_image of nothing": lambda: run.log_image("picture"),
    "log_confusion_matrix": lambda: run.log_confusion_matrix("matrix", {"schema_type": "confusion_matrix"}),
    "log_accuracy_table": lambda: run.log_accuracy_table("table", {"schema_type": "accuracy_table"}),
    "log_residuals": lambda: run.log_residuals("residuals", {"schema_type": "residuals"}),
    "log_predictions": lambda: run.log_predictions("predictions", {"schema_type": "predictions"}),
    "tag": lambda: run.tag("a", "b"),
    "set_tags": lambda: run.set_tags({"a": "b"}),
    "add_properties": lambda: run.add_properties({"a": "b"}),
    "upload_file": lambda: run.upload_file("outputs/a", "a"),
    "upload_files": lambda: run.upload_files(["outputs/a"], ["a"]),
    "upload_folder": lambda: run.upload_folder("outputs", "folder"),
    "register_model": lambda: run.register_model("net", "outputs/a"),
    "get_metrics": lambda: run.get_metrics(),
    "get_file_names": lambda: run.get_file_names(),
    "get_details": lambda: run.get_details(),
    "wait_for_completion": lambda: run.wait_for_completion(),
    "flush": lambda: run.flush(),
    "child_run": lambda: type(run.child_run("child")).__name__,
    "child": lambda: run.child_run("child").log("loss", 1),
    "parent": lambda: run.parent,
    "input_datasets": lambda: run.input_datasets,
    "take_snapshot": lambda: run.take_snapshot("."),
    "fail": lambda: run.fail("details", "code"),
    "cancel": lambda: run.cancel(),
    "complete": lambda: run.complete(),
}
for what, use in uses.items():
    attempt(what, use)
with run:
    print("inside")

for name in sorted(azureml.exceptions.__all__):
    cls = getattr(azureml.exceptions, name)
    print(name, [base.__name__ for base in cls.__mro__])
    if name not in ("ServiceException", "DiscoveryUrlNotFoundException"):  # needs an answer; words its message itself
        attempt(name, lambda: cls("went wrong"))
        attempt(name, lambda: repr(cls("went wrong", inner_exception=ValueError("inner"))))
        attempt(name, lambda: str(pickle.loads(pickle.dumps(cls("went wrong")))))
        attempt(name, lambda: (cls("went wrong").message, cls("went wrong").inner_exception))
print({name: value for name, value in vars(RunStatus).items() if name.isupper()})
print(RunStatus.list(), RunStatus.get_running_statuses())
user_agent.user_agent_product_list.clear()
user_agent.append("hi-ml", "0.5", comment="both")
user_agent.append("other")
print(user_agent.get_user_agent())
"""


def test_ours_does_what_the_real_package_does_without_a_service(azureml_python, new_folder):
    command = [azureml_python, "-W", "ignore"]
    real = run([*command, "-c", WITHOUT_SERVICE], new_folder())
    ours = run([*command, "-m", "azml_compat", "-c", WITHOUT_SERVICE], new_folder(), AZML_COMPAT_OFFLINE="1")

    assert without_identities(ours.stdout) == without_identities(real.stdout)


def without_identities(text):
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|0x[0-9a-f]+|/[^ ']*/project\d+", "", text).splitlines()


def test_on_clauses_for_the_installed_msrest_catch(on):
    shown = on("""
        from msrest.exceptions import HttpOperationError
        from azureml.core import Datastore, Workspace
        import msrest
        try:
            Datastore.get(Workspace("s", "g", "w"), "nowhere")
        except HttpOperationError as error:
            print(type(error).__name__, "site-packages" in msrest.__file__)
    """)

    assert shown.stdout.splitlines()[-1] == "DatastoreNotFoundError True"
