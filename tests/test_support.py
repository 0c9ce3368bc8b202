"""The support manifest against the recorded surface, the tests that it names, the documents, and what the code does."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from azml_compat import Experiment, Run, Workspace
from azml_compat._refused import NotSupportedError, _Refusing
from azml_compat._support import PARTS, entries, support_of
from azml_compat._support.exceptions import PRIVATE
from azml_compat._support.refused import MISSING
from azml_compat._support.satellites import SATELLITES
from azml_compat._surface import class_at, surface
from azml_compat.core.compute import ComputeTarget
from azml_compat.core.webservice import Webservice
from tests.test_golden import CLIENT_DECIDED, GOLDEN, SERVER_DECIDED

TESTS = Path(__file__).parent
REPOSITORY = TESTS.parent
DIFFERENCES = (REPOSITORY / "docs" / "differences.md").read_text("utf-8")
CASES = (TESTS / "golden" / "cases.py").read_text("utf-8")


def load_tool(name):
    sys.path.insert(0, str(REPOSITORY / "tools"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


make_support = load_tool("make_support")
RECORD = json.loads(make_support.RECORD.read_text("utf-8"))
USAGE = json.loads(make_support.USAGE.read_text("utf-8"))
NAMES = {name.path: name for name in make_support.public_names(RECORD["modules"])}


def find_module(path):
    try:
        return importlib.util.find_spec(path.replace("azureml", "azml_compat", 1))
    except ModuleNotFoundError:  # that which it would be in
        return None


@functools.cache
def ours(path):
    """Give what is at a path."""
    module, rest = path, []
    while find_module(module) is None:
        module, _, name = module.rpartition(".")
        rest.insert(0, name)
    found = importlib.import_module(module.replace("azureml", "azml_compat", 1))
    for name in rest:
        found = inspect.getattr_static(found, name) if inspect.isclass(found) else getattr(found, name)
    return found


# Looking up


@pytest.mark.parametrize(
    ("path", "home"),
    [
        ("azureml.core.Run.log", "azureml.core.run.Run.log"),
        ("azureml.core.Run", "azureml.core.run.Run"),
        ("azureml.core.workspace.Dataset.get_by_name", "azureml.core.dataset.Dataset.get_by_name"),
        ("azureml.core.Dataset.Tabular.from_delimited_files", "azureml.core.dataset.Dataset.Tabular"),
        ("azureml.core.Model.deploy", "azureml.core.model.Model.deploy"),
        (
            "azureml.core.compute.AmlCompute.create",
            "azureml.core.compute.compute.ComputeTarget.create",
        ),
        ("azureml.core.ScriptRun.log", "azureml.core.run.Run.log"),
        ("azureml.core.ScriptRun.cancel", "azureml.core.script_run.ScriptRun.cancel"),
        ("azureml.core.ScriptRun.portal_url", "azureml.core.run.Run.portal_url"),
        (
            "azureml.core.authentication.MsiAuthentication.get_token",
            "azureml.core.authentication.AbstractAuthentication.get_token",
        ),
        ("azureml.core.run.UserErrorException", "azureml.exceptions.UserErrorException"),
        ("azureml._common.exceptions.AzureMLException.message", "azureml.exceptions.AzureMLException"),
        ("azureml.core.run.RunStatus.COMPLETED", "azureml._restclient.constants.RunStatus"),
        ("azureml.core.run._OfflineRun.log", "azureml.core.run._OfflineRun"),
        ("azureml.core.run.Run.input_datasets['a.b']", "azureml.core.run.Run.input_datasets"),
        ("azureml.train.hyperdrive.HyperDriveConfig", "azureml.train.hyperdrive"),
        ("azureml.train.hyperdrive.runconfig.PrimaryMetricGoal.MINIMIZE", "azureml.train.hyperdrive"),
        ("azureml.train.automl", "azureml.train.automl"),
        ("azureml.widgets.RunDetails.show", "azureml.widgets.RunDetails.show"),
    ],
)
def test_a_name_is_found_whatever_path_it_is_reached_by(path, home):
    assert support_of(path) is entries()[home]


@pytest.mark.parametrize(
    "path",
    [
        *("azureml", "azureml.core", "azureml.core.run", "azureml.core.nonsense", "azureml.core.run.nonsense"),
        *("azureml.core.Run.nonsense", "azureml.core.run.module_logger", "azureml.core.run.RunTypeV2", "numpy", ""),
    ],
)
def test_what_is_no_public_name_is_unknown(path):
    assert support_of(path) is None


def test_a_constant_has_its_recorded_value():
    assert support_of("azureml.core.run.RUNNING_STATES").level == "full"
    assert support_of("azureml.core.VERSION").level == "full"


def test_nothing_is_loaded_before_somebody_asks():
    code = (
        "import sys, azml_compat\n"
        "azml_compat.install()\n"
        "from azureml.core import Dataset, Environment, Experiment, Image, Run, Workspace\n"
        "assert not [name for name in sys.modules if '_support' in name]\n"
        "assert Image.__doc__.startswith('`azureml.core.image.image.Image` is not supported')\n"
        "assert 'azml_compat._support' in sys.modules\n"
        "print({'mlflow', 'numpy', 'pandas', 'inspect', 'dataclasses'} & set(sys.modules))\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=REPOSITORY)

    assert (shown.stdout, shown.stderr) == ("set()\n", "")


# Against the surface


def test_every_public_name_is_told():
    assert [path for path in NAMES if support_of(path) is None] == []


def test_no_name_is_told_twice():
    assert sum(len(part) for part in PARTS) == len(entries())


def test_every_entry_is_about_something():
    def exists(path):
        if path in MISSING:
            return find_module(path) is None
        if path in NAMES or path in surface() or path in SATELLITES or path in PRIVATE:
            return True
        owner, _, name = path.rpartition(".")
        # What scripts use although it is no public name: of runs, and Azure's offline run.
        return owner.startswith("azureml.core.run") and (name.startswith("_") or name.endswith("put_datasets"))

    assert [path for path in entries() if not exists(path)] == []


def test_each_member_of_what_is_implemented_has_an_entry_of_its_own():
    implemented = [path for path, name in NAMES.items() if name.kind == "class" and type(ours(path)) is not _Refusing]
    members = [path for path, name in NAMES.items() if name.owner and name.kind != "class"]
    untold = [
        path
        for path in members
        if path.rpartition(".")[0] in implemented and class_at(path.rpartition(".")[0]) and path not in entries()
    ]

    assert len(implemented) > 30
    assert untold == []


@pytest.mark.parametrize("module", sorted({path.rpartition(".")[0] for path in SATELLITES} - set(SATELLITES)))
def test_every_public_name_of_other_packages_is_told(module):
    found = ours(module)
    public = {
        name
        for name, value in vars(found).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and getattr(value, "__module__", found.__name__) == found.__name__
    } - {"annotations", "TYPE_CHECKING"}
    told = {path.removeprefix(f"{module}.").partition(".")[0] for path in SATELLITES if path.startswith(f"{module}.")}

    assert public - told == set()
    assert all(hasattr(found, name) or find_module(f"{module}.{name}") for name in told)


def says_what_it_should(support):
    if support.note.endswith(".") or support.instead.endswith("."):
        return False
    return {
        "full": bool(support.tests) and not support.parameters and not support.instead,
        "partial": bool(support.note or support.parameters),
        "inert": bool(support.note),
        "refused": bool(support.note and support.instead),
    }[support.level]


def test_an_entry_says_what_its_level_asks_for():
    assert [path for path, support in entries().items() if not says_what_it_should(support)] == []


def parameters_of(path):
    if path in NAMES:
        record = NAMES[path].record
        return {parameter["name"] for parameter in record.get("constructor", record)["params"]}
    return set(inspect.signature(ours(path)).parameters)


def test_parameters_are_those_of_the_recorded_signature():
    told = {path: set(support.parameters) for path, support in entries().items() if support.parameters}

    assert len(told) > 10
    assert {path: names - parameters_of(path) for path, names in told.items() if names - parameters_of(path)} == {}


# Against the tests and documents


@functools.cache
def functions_of(file):
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    return {
        node.name: ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


FUNCTIONS_OF_CASES = {node.name: node for node in ast.parse(CASES).body if isinstance(node, ast.FunctionDef)}


class Touched(ast.NodeVisitor):
    """Collects which members of which class a case uses, also through the helpers that it calls."""

    def __init__(self, name, seen=()):
        self.found = set()
        self._seen = {*seen, name}
        self._experiments = {"exp"}
        self.visit(FUNCTIONS_OF_CASES[name])

    def _class_of(self, node):
        """Name the class of an expression; what is nothing else is taken to be a run."""
        if isinstance(node, ast.Name):
            return "Experiment" if node.id in self._experiments else "Run"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "m":
            return "Workspace" if node.attr == "ws" else node.attr
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "Experiment":
            return "Experiment"
        return "Experiment" if isinstance(node, ast.Attribute) and node.attr == "experiment" else "Run"

    def visit_Assign(self, node):
        if self._class_of(node.value) == "Experiment" and isinstance(node.targets[0], ast.Name):
            self._experiments.add(node.targets[0].id)
        self.generic_visit(node)

    def visit_With(self, node):
        for item in node.items:
            text = ast.unparse(item.context_expr)
            if not text.startswith(("open(", "contextlib.", "m.activate(")):
                self.found |= {("Run", "__enter__"), ("Run", "__exit__")}
        self.generic_visit(node)

    def visit_Call(self, node):
        if isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "m":
            self.found.add((node.func.attr, ""))  # a constructor
        self.generic_visit(node)

    def visit_Name(self, node):
        if node.id in FUNCTIONS_OF_CASES and node.id not in self._seen:
            self.found |= Touched(node.id, self._seen).found

    def visit_Attribute(self, node):
        self.found.add((self._class_of(node.value), node.attr))
        self.generic_visit(node)


def class_and_member(path):
    """Split a path: `azureml.core.run.Run.log` is of class Run, member log; a class has no member."""
    first, last = path.split(".")[-2:]
    return (first, last) if first[0].isupper() else (last, "")


TOLD = [(path, test) for path, support in sorted(entries().items()) for test in support.tests]
CASES_TOLD = [(path, test) for path, test in TOLD if "::" not in test]
TESTS_TOLD = [(path, test) for path, test in TOLD if "::" in test]
NOT_BY_NAME = {"ServiceException", "_OfflineRun"}
"""What a case gets without naming it."""


def test_the_cases_that_are_named_are_recorded_and_match():
    assert {case for _, case in CASES_TOLD} - set(GOLDEN) == set()
    assert {case for _, case in CASES_TOLD} & (CLIENT_DECIDED | SERVER_DECIDED) == set()


def test_a_case_that_is_named_touches_the_name():
    touched = {case: Touched(case).found for _, case in CASES_TOLD}

    assert len(touched) > 80
    assert [
        (path, case)
        for path, case in CASES_TOLD
        if path.rpartition(".")[2] not in NOT_BY_NAME and class_and_member(path) not in touched[case]
    ] == []


def test_the_tests_that_are_named_exist():
    assert [
        test for _, test in TESTS_TOLD if test.partition("::")[2] not in functions_of(test.partition("::")[0])
    ] == []


def test_a_test_that_is_named_is_about_the_name():
    def is_about(path, test):
        file, _, name = test.partition("::")
        # Those about the whole surface, all exceptions and all classes of authentication have tables of names.
        with_tables = ("test_surface.py", "test_exceptions.py", "test_authentication.py")
        return file in with_tables or path.rpartition(".")[2] in functions_of(file)[name]

    assert [(path, test) for path, test in TESTS_TOLD if not is_about(path, test)] == []


ANCHORS = re.findall(r'<a id="([^"]+)"></a>', DIFFERENCES)


def test_every_deviation_has_an_anchor_of_its_own():
    untold = re.findall(r"(?m)(?<=\n\n)\*\*.*", DIFFERENCES)

    assert untold == [], 'begin these paragraphs with <a id="…"></a>'
    assert len(ANCHORS) == len(set(ANCHORS))


def test_every_deviation_is_linked_by_the_names_that_it_touches_and_nothing_else_is():
    assert {anchor for support in entries().values() for anchor in support.differences} == set(ANCHORS)


def test_the_page_is_up_to_date():
    made = make_support.make_support(RECORD, USAGE)

    assert make_support.RESULT.read_text("utf-8") == made, "run tools/make_support.py"


def test_figures_of_use_are_about_names_that_are_told():
    assert [path for path in USAGE["names"] if support_of(path) is None] == []


# Against the code


def test_stand_ins_are_what_is_refused():
    for path, name in NAMES.items():
        if name.kind == "class":
            found = ours(path)
            is_refused = type(found) is _Refusing and not issubclass(found, BaseException)
            assert (support_of(path).level == "refused") is is_refused, path


def test_functions_that_are_refused_refuse():
    functions = [path for path, name in NAMES.items() if name.kind == "function"]

    refused = [path for path in functions if support_of(path).level == "refused"]
    for path in refused:
        with pytest.raises(NotSupportedError):
            ours(path)()
    assert set(functions) - set(refused) == {
        "azureml.core.run.get_run",
        "azureml.core.script_run_config.get_run_config_from_script_run",
        "azureml.core.script_run_config.submit",
    }


def test_members_of_stand_ins_are_refused():
    for path, name in NAMES.items():
        owner = path.rpartition(".")[0]
        if not name.owner or name.kind in ("class", "instance_attribute") or type(ours(owner)) is not _Refusing:
            continue
        assert support_of(path).level == "refused", path
        if not any(path.rpartition(".")[2] in vars(base) for base in ours(owner).__mro__):  # else a base has it
            with pytest.raises(NotSupportedError):
                getattr(ours(owner), path.rpartition(".")[2])


MEMBERS = {
    path: name
    for path, name in NAMES.items()
    if name.kind in ("method", "staticmethod", "classmethod", "property")
    and type(ours(path.rpartition(".")[0])) is type
}
"""Of the classes that are implemented, those that run code."""
ARGUMENTS = {"azureml.core.workspace.Workspace.get_default_compute_target": ["CPU"]}


def use(path):
    """Use a member of an object that has nothing in it: what refuses needs nothing."""
    name, owner = path.rpartition(".")[2], ours(path.rpartition(".")[0])
    # These are looked up when they are made.
    make = object.__new__ if issubclass(owner, (ComputeTarget, Webservice)) else owner.__new__
    member = getattr(make(owner), name)
    needed = [parameter for parameter in MEMBERS[path].record.get("params", ()) if "default" not in parameter]
    count = sum(parameter["kind"] == "POSITIONAL_OR_KEYWORD" for parameter in needed)
    return member(*ARGUMENTS.get(path, [None] * count))


@pytest.mark.parametrize("path", [path for path in MEMBERS if support_of(path).level == "refused"])
def test_members_that_are_refused_refuse(path):
    with pytest.raises(NotSupportedError) as caught:
        use(path) if path != "azureml.core.authentication.TokenAuthentication.get_token" else ours(path)(None)

    assert support_of(path).note in caught.value.message
    assert support_of(path).instead == caught.value.instead


def names_in(member):
    """Return the global names that a member's code uses."""
    function = getattr(member, "fget", None) or getattr(member, "__func__", member)
    return set(function.__code__.co_names) if hasattr(function, "__code__") else set()


def test_members_that_are_not_refused_have_no_refusal_in_them():
    refusing = {path for path in MEMBERS if {"refusal", "_no_token", "NotSupportedError"} & names_in(ours(path))}

    assert refusing == {path for path in MEMBERS if support_of(path).level == "refused"}


NOT_OF_AN_INTERACTIVE_RUN = {"azureml.core.run.Run.get_environment"}


def test_everything_that_can_be_asked_of_a_run_answers(local_run):
    local_run.log("a", 1)
    objects = {"Run": local_run, "Experiment": local_run.experiment, "Workspace": local_run.experiment.workspace}
    asked = 0
    for path, name in MEMBERS.items():
        subject = objects.get(name.owner) if path not in NOT_OF_AN_INTERACTIVE_RUN else None
        is_question = name.kind == "property" or path.rpartition(".")[2].startswith("get_")
        needs = [parameter for parameter in name.record.get("params", ()) if "default" not in parameter]
        if subject is not None and is_question and not needs and support_of(path).level != "refused":
            answer = getattr(subject, path.rpartition(".")[2])
            answer = answer() if callable(answer) else answer
            asked += 1
    assert asked > 40


def test_what_runs_have_beside_what_is_recorded_is_told():
    for cls in (Run, Experiment, Workspace):
        path = cls.__module__.replace("azml_compat", "azureml", 1) + f".{cls.__qualname__}"
        public = {name for name in dir(cls) if not name.startswith("_")}
        assert [name for name in public if support_of(f"{path}.{name}") is None] == []
