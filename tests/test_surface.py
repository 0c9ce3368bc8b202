"""The mirrored modules against the recorded surface of azureml-core 1.61.0.

Signatures of what is implemented equal Azure's; every public name of the 84 modules resolves under the alias.
"""

from __future__ import annotations

import ast
import enum
import importlib
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from azml_compat._refused import _Refusing
from azml_compat._support import support_of

REPOSITORY = Path(__file__).parent.parent
RECORD = REPOSITORY / "tests" / "data" / "azureml-surface.json"
SURFACE = json.loads(RECORD.read_text("utf-8"))
MODULES = SURFACE["modules"]
IMPLEMENTED = [
    "azureml.core.authentication",
    "azureml.core.compute.adla",
    "azureml.core.compute.aks",
    "azureml.core.compute.amlcompute",
    "azureml.core.compute.batch",
    "azureml.core.compute.compute",
    "azureml.core.compute.computeinstance",
    "azureml.core.compute.databricks",
    "azureml.core.compute.datafactory",
    "azureml.core.compute.dsvm",
    "azureml.core.compute.hdinsight",
    "azureml.core.compute.kubernetescompute",
    "azureml.core.compute.kusto",
    "azureml.core.compute.remote",
    "azureml.core.conda_dependencies",
    "azureml.core.container_registry",
    "azureml.core.databricks",
    "azureml.core.environment",
    "azureml.core.dataset",
    "azureml.core.datastore",
    "azureml.core.experiment",
    "azureml.core.keyvault",
    "azureml.core.model",
    "azureml.core.resource_configuration",
    "azureml.core.run",
    "azureml.core.runconfig",
    "azureml.core.script_run",
    "azureml.core.script_run_config",
    "azureml.core.webservice.webservice",
    "azureml.core.workspace",
    *(f"azureml.data.{name}" for name in ("abstract_dataset", "abstract_datastore", "azure_data_lake_datastore")),
    *(f"azureml.data.azure_{name}_datastore" for name in ("my_sql", "postgre_sql", "sql_database", "storage")),
    *(f"azureml.data.{name}" for name in ("data_reference", "datapath", "dataset_consumption_config")),
    *(f"azureml.data.{name}" for name in ("dataset_error_handling", "dataset_factory", "dbfs_datastore")),
    *(f"azureml.data.{name}" for name in ("file_dataset", "hdfs_datastore", "output_dataset_config")),
    "azureml.data.tabular_dataset",
    "azureml.exceptions",
]


def ours(path):
    """Give our name for an azureml path."""
    return path.replace("azureml", "azml_compat", 1)


def parameters(function, *, bound):
    """Describe the parameters of a function as the record does, without the first when it is to be bound."""
    found = list(inspect.signature(function).parameters.values())
    return [describe(parameter) for parameter in found[bound:]]


def describe(parameter):
    described = {"kind": parameter.kind.name, "name": parameter.name}
    if parameter.default is not inspect.Parameter.empty:
        described["default"] = repr(parameter.default)
    return described


def show(described):
    """Write parameters as in a signature, for a difference that can be read."""
    stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}
    shown = []
    for parameter in described:
        text = stars.get(parameter["kind"], "") + parameter["name"]
        text += f"={parameter['default']}" if "default" in parameter else ""
        text += " (keyword only)" if parameter["kind"] == "KEYWORD_ONLY" else ""
        shown.append(text)
    return f"({', '.join(shown)})"


def compare_parameters(path, function, expected, *, bound):
    actual = parameters(function, bound=bound)
    expected = [{key: parameter[key] for key in parameter if key != "annotation"} for parameter in expected]
    if actual != expected:
        yield f"{path}: is {show(actual)}, Azure has {show(expected)}"


def kind_of(member):
    """Name the kind of a class's member as the record does."""
    if isinstance(member, staticmethod | classmethod | property):
        return type(member).__name__
    if inspect.isclass(member):
        return "nested_class"
    if inspect.isroutine(member):
        return "method"
    return "property" if inspect.isdatadescriptor(member) else "attribute"


def compare_member(path, cls, record):
    try:
        member = inspect.getattr_static(cls, record["name"])
    except AttributeError:
        yield f"{path}: is missing, Azure has a {record['kind']}"
        return
    kind = kind_of(member)
    if record["kind"] == "attribute":
        # A value that is no literal may be anything that refuses when it is touched.
        value = record["value"]
        if is_literal(value) and repr(getattr(cls, record["name"])) != value:
            yield f"{path}: is {getattr(cls, record['name'])!r}, Azure has {value}"
        return
    if kind != record["kind"]:
        yield f"{path}: is a {kind}, Azure has a {record['kind']}"
    elif isinstance(member, property):
        for ability, function in (("settable", member.fset), ("deletable", member.fdel)):
            if record[ability] is not (function is not None):
                yield f"{path}: {ability} is {function is not None}, in Azure {record[ability]}"
    elif "params" in record:
        function = getattr(member, "__func__", member)
        yield from compare_parameters(path, function, record["params"], bound=kind != "staticmethod")


def is_literal(text):
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return False
    return True


def compare_class(path, cls, record):
    made_by_python = ("builtins.", "enum.")  # their members depend on the python
    if not record["constructor"]["defined_in"].startswith(made_by_python):
        yield from compare_parameters(f"{path}.__init__", cls.__init__, record["constructor"]["params"], bound=True)
    for member in record["members"]:
        is_pythons = member["defined_in"].startswith(made_by_python)
        is_pythons |= issubclass(cls, enum.Enum) and member["name"] == "__new__"
        if not is_pythons and member["kind"] != "instance_attribute":
            yield from compare_member(f"{path}.{member['name']}", cls, member)
    azures = {member["name"] for member in record["members"]}
    for base in cls.__mro__:
        if base.__module__.startswith("azml_compat"):
            for name in sorted({name for name in vars(base) if not name.startswith("_")} - azures):
                yield f"{path}.{name}: is public here, and Azure has no such member"


def compare_module(name):
    module, record = importlib.import_module(ours(name)), MODULES[name]
    for alias, class_record in record["classes"].items():
        cls = getattr(module, alias)
        if type(cls) is not _Refusing:
            yield from compare_class(f"{name}.{alias}", cls, class_record)
    for alias, function_record in record["functions"].items():
        path = f"{name}.{alias}"
        yield from compare_parameters(path, getattr(module, alias), function_record["params"], bound=False)


def report(differences):
    found = list(differences)
    assert not found, f"{len(found)} differences from Azure's surface:\n" + "\n".join(found)


@pytest.mark.parametrize("name", IMPLEMENTED)
def test_signatures_are_azures(name):
    report(compare_module(name))


@pytest.mark.parametrize("path", SURFACE["user_visible_private_classes"])
def test_signatures_of_private_classes_that_users_see_are_azures(path):
    home, _, name = path.rpartition(".")
    cls = getattr(importlib.import_module(ours(home)), name, None)
    if cls is None:
        pytest.skip(f"{name} is optional, and {home} has none")
    report(compare_class(path, cls, SURFACE["user_visible_private_classes"][path]))


@pytest.mark.parametrize("name", IMPLEMENTED)
def test_implemented_classes_are_no_stand_ins(name):
    module = importlib.import_module(ours(name))
    planned = {
        "InputDatasets",
        "OutputDatasets",
        "LinkOutput",
    }  # of azureml.core.run: they come with the datasets
    never = {alias for alias in MODULES[name]["classes"] if not support_of(f"{name}.{alias}").planned}
    classes = set(MODULES[name]["classes"]) - planned - never

    assert [alias for alias in sorted(classes) if type(getattr(module, alias)) is _Refusing] == []


def test_the_modules_of_the_surface_are_the_public_modules():
    """A name without underscore under azml_compat is an azureml path, and the reverse."""
    package = REPOSITORY / "azml_compat"
    found = set()
    for file in package.rglob("*.py"):
        parts = [part for part in file.relative_to(package).with_suffix("").parts if part != "__init__"]
        if not any(part.startswith("_") for part in parts):
            found.add(".".join(["azureml", *parts]))

    assert set(MODULES) - found == set()
    others = {"azureml.mlflow", "azureml.mlflow.entry_point_loaders", "azureml.telemetry", "azureml.widgets"}
    found = {module for module in found if not module.startswith("azureml.train")}
    assert found - set(MODULES) <= {"azureml"} | others  # of packages beside azureml-core


def test_the_compact_surface_is_up_to_date():
    sys.path.insert(0, str(REPOSITORY / "tools"))
    try:
        make_surface = importlib.import_module("make_surface")
    finally:
        sys.path.pop(0)
    made = make_surface.make_surface(SURFACE)

    assert make_surface.RESULT.read_text("utf-8") == made, "run tools/make_surface.py"
    assert make_surface.make_surface(json.loads(RECORD.read_text("utf-8"))) == made


# Runs under the alias, in a process of its own, and prints what does not resolve as a list.
RESOLVE = """
import ast, importlib, json, sys
import azml_compat

azml_compat.install()
modules = json.load(open(sys.argv[1], encoding="utf-8"))["modules"]
provided = {"azureml._common.exceptions", "azureml.exceptions._azureml_exception",
            "azureml._restclient.constants", "azureml._restclient.exceptions"}
wrong, counts = [], {}

def check(what, path, condition):
    counts[what] = counts.get(what, 0) + 1
    if not condition:
        wrong.append(f"{path} ({what})")

def get(path):
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        wrong.append(f"{path}: {error}")

for name, record in modules.items():
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        wrong.append(f"{name}: {error}")
        continue
    check("module", name, module is sys.modules[name.replace("azureml", "azml_compat", 1)])
    check("package", name, hasattr(module, "__path__") == record["is_package"])
    for alias in record["classes"]:
        check("class", f"{name}.{alias}", isinstance(get(f"{name}.{alias}"), type))
    for alias in record["functions"]:
        check("function", f"{name}.{alias}", callable(get(f"{name}.{alias}")))
    for alias, constant in record["constants"].items():
        try:
            value = ast.literal_eval(constant["value"])
        except (ValueError, SyntaxError):
            continue  # a logger, or something else that leaked into the module
        check("constant", f"{name}.{alias}", get(f"{name}.{alias}") == value)
    for alias, home in record["reexports"].items():
        home_module, _, home_name = home.rpartition(".")
        if home_module in modules or home_module in provided and hasattr(get(home_module), home_name):
            thing = get(f"{name}.{alias}")
            check("re-export", f"{name}.{alias} of {home}", thing is not None and thing is get(home))
    for submodule in record["submodules"]:
        path = f"{name}.{submodule}"
        check("submodule", path, get(path) is sys.modules.get(path.replace("azureml", "azml_compat", 1)))
    for alias in record["all"] or ():
        check("exported", f"{name}.{alias}", get(f"{name}.{alias}") is not None)
    if record["all"] is not None:
        check("__all__", name, sorted(module.__all__) == sorted(record["all"]))
print(json.dumps([wrong, counts]))
"""


def test_every_public_path_resolves_under_the_alias():
    shown = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:azml_compat", "-c", RESOLVE, str(RECORD)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert shown.returncode == 0, shown.stderr
    wrong, counts = json.loads(shown.stdout)

    assert not wrong, f"{len(wrong)} paths:\n" + "\n".join(wrong)
    assert counts["module"] == len(MODULES) == 84
    assert counts["class"] == sum(len(module["classes"]) for module in MODULES.values())
    assert counts["re-export"] > 250
    assert counts["constant"] > 150
