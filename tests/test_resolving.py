"""What in a script is azureml's: every way in which a name is reached, and nothing that only looks like it."""

from __future__ import annotations

import ast
import sysconfig
import warnings
from pathlib import Path
from textwrap import dedent
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azml_compat._migrate.resolving import Resolution, Value, resolve
from azml_compat._migrate.scopes import Map

RUN = "azureml.core.run.Run"


def resolved(text: str) -> Resolution:
    """Resolve a script."""
    return resolve(ast.parse(dedent(text)))


def used(text: str) -> list[str]:
    """Return the paths of what a script uses, imports aside."""
    return [use.path for use in resolved(text).uses if use.kind != "import"]


# -- what is not azureml's


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("run.log('a', 1)", id="not-imported"),
        pytest.param("import azureml_other\nazureml_other.core.Run.get_context()", id="another-package"),
        pytest.param("from azureml import core\nrun.log('a', 1)", id="never-bound"),
        pytest.param("from .azureml.core import Run\nRun.get_context().log('a', 1)", id="relative-import"),
        pytest.param("import logging\nlogger = logging.getLogger()\nlogger.log(10, 'a')", id="logger"),
        pytest.param("import math\nfrom azureml.core import Run\nmath.log(2)", id="math"),
        pytest.param("import wandb\nrun = wandb.init()\nrun.log({'a': 1})", id="wandb"),
        pytest.param("import mlflow\nwith mlflow.start_run() as run:\n    run.log('a', 1)", id="mlflow"),
        pytest.param(
            """
            from azureml.core import Run
            class Run:
                def get_context(self): return self
                def log(self, *args): pass
            Run().get_context().log('a', 1)
            """,
            id="shadowed-by-a-class",
        ),
        pytest.param(
            """
            from azureml.core import Run
            def f(Run):
                Run.get_context().log('a', 1)
            """,
            id="shadowed-by-an-argument",
        ),
        pytest.param(
            """
            from azureml.core import Run
            class Logger:
                def log(self, name, value): print(name, value)
            run = Logger()
            run.log('a', 1)
            """,
            id="lookalike-method-of-another-class",
        ),
        pytest.param("from azureml.core import Run\nRun = print\nRun('a')", id="rebound"),
        pytest.param("from azureml.core import Run\nrun = open('a')\nrun.log('a', 1)", id="the-users-own-run"),
        pytest.param("from azureml.core import Run\n[Run.log for Run in range(3)]", id="shadowed-in-a-comprehension"),
        pytest.param("import importlib\nimportlib.import_module('numpy.azureml.core')", id="another-string"),
        pytest.param("print('azureml.core.Run')", id="a-string-that-is-no-name"),
        pytest.param("import azml_compat\nazml_compat.install()", id="our-own-names"),
        pytest.param("getattr(print, 'log')('a')", id="getattr-of-something-else"),
    ],
)
def test_what_only_looks_like_azureml_is_left_alone(text: str) -> None:
    assert used(text) == []


def test_a_name_that_is_rebound_is_what_it_was_bound_to_last() -> None:
    assert used(
        "from azureml.core import Run\nrun = Run.get_context()\nrun.log('a', 1)\nrun = open('a')\nrun.log()"
    ) == [
        f"{RUN}.get_context",
        f"{RUN}.log",
    ]


def test_what_a_script_sets_on_an_object_is_no_name_of_azureml() -> None:
    text = """
    from azureml.core import Run
    run = Run.get_context()
    run.best = 1
    print(run.best, run.__dict__)
    """
    assert used(text) == [f"{RUN}.get_context"]


# -- what is


CONTEXT = f"{RUN}.get_context"
LOG = f"{RUN}.log"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("from azureml.core import Run\nrun = Run.get_context()\nrun.log('a', 1)", id="imported"),
        pytest.param("from azureml.core.run import Run as R\nR.get_context().log('a', 1)", id="aliased"),
        pytest.param("from azureml.core import *\nRun.get_context().log('a', 1)", id="star"),
        pytest.param("import azureml.core\nazureml.core.Run.get_context().log('a', 1)", id="dotted"),
        pytest.param("import azureml.core as c\nc.run.Run.get_context().log('a', 1)", id="module-alias"),
        pytest.param("from azureml import core\ncore.Run.get_context().log('a', 1)", id="module"),
        pytest.param("from azml_compat.core import Run\nRun.get_context().log('a', 1)", id="facade"),
        pytest.param("from azml_compat import Run\nRun.get_context().log('a', 1)", id="facade-itself"),
        pytest.param("import azml_compat as a\na.Run.get_context().log('a', 1)\na.install()", id="facade-alias"),
        pytest.param("import azml_compat.core\nazml_compat.core.Run.get_context().log('a', 1)", id="facade-dotted"),
        pytest.param("from azureml.core import Run\nget = Run.get_context\nlog = get().log\nlog('a', 1)", id="bound"),
        pytest.param("from azureml.core import Run\nwith Run.get_context() as run:\n    run.log('a', 1)", id="with"),
        pytest.param("from azureml.core import Run\nif (run := Run.get_context()):\n    run.log('a', 1)", id="walrus"),
        pytest.param(
            "from azureml.core import Run\nrun, n = Run.get_context(), 1\nrun.log('a', n)", id="tuple-unpacking"
        ),
        pytest.param(
            "from azureml.core import Run\nrun = Run.get_context() if 1 else None\nrun.log('a', 1)", id="conditional"
        ),
        pytest.param("from azureml.core import Run\ngetattr(Run.get_context(), 'log')('a', 1)", id="getattr"),
        pytest.param(
            """
            try:
                from azureml.core import Run
            except ImportError:
                Run = None
            run = Run.get_context()
            run.log('a', 1)
            """,
            id="guarded-import",
        ),
        pytest.param(
            "import importlib\nrun = importlib.import_module('azureml.core').Run.get_context()\nrun.log('a', 1)",
            id="import_module",
        ),
        pytest.param(
            """
            from azureml.core import Run
            def log(run, value):
                run.log('a', value)
            log(Run.get_context(), 1)
            """,
            id="argument",
        ),
        pytest.param(
            """
            from azureml.core import Run
            def main():
                run = get()
                run.log('a', 1)
            def get():
                return Run.get_context()
            """,
            id="returned",
        ),
        pytest.param(
            """
            from azureml.core import Run
            class Trainer:
                def __init__(self):
                    self.run = Run.get_context()
                def train(self):
                    self.run.log('a', 1)
            """,
            id="attribute-of-self",
        ),
        pytest.param(
            """
            from azureml.core import Run
            class Trainer:
                def __init__(self, run):
                    self._run = run
                @property
                def run(self):
                    return self._run
            Trainer(Run.get_context()).run.log('a', 1)
            """,
            id="property",
        ),
        pytest.param(
            """
            from azureml.core import Run
            run = None
            def start():
                global run
                run = Run.get_context()
            start()
            run.log('a', 1)
            """,
            id="global",
        ),
        pytest.param(
            """
            from contextlib import contextmanager
            from azureml.core import Run
            @contextmanager
            def tracked():
                yield Run.get_context()
            with tracked() as run:
                run.log('a', 1)
            """,
            id="context-manager-of-the-script",
        ),
        pytest.param(
            """
            from azureml.core import Run
            class Mine(Run):
                pass
            Mine.get_context().log('a', 1)
            """,
            id="subclass",
        ),
        pytest.param(
            """
            from azureml.core import Run
            runs = []
            runs += [Run.get_context()]
            for number, run in enumerate(runs):
                run.log('a', number)
            """,
            id="list",
        ),
        pytest.param(
            """
            from azureml.core import Run
            runs = []
            runs.append(Run.get_context())
            runs[0].log('a', 1)
            """,
            id="appended",
        ),
        pytest.param(
            "from azureml.core import Run\nruns = [Run.get_context()]\nmax(runs, key=lambda run: run.log('a', 1))",
            id="lambda",
        ),
        pytest.param(
            """
            from azureml.core import Run
            runs = {'a': Run.get_context()}
            for name, run in runs.items():
                run.log(name, 1)
            """,
            id="dict",
        ),
    ],
)
def test_a_run_is_followed(text: str) -> None:
    calls = [use.path for use in resolved(text).uses if use.kind == "call"]
    assert calls.count(LOG) == 1 or "getattr" in text
    assert {CONTEXT, LOG} <= set(used(text))


@pytest.mark.parametrize(
    "annotation",
    [
        *("Run", "'Run'", "Optional[Run]", "Run | None", "'azureml.core.Run'", "azureml.core.run.Run"),
        *("'Optional[Run]'", "'Union[int, azureml.core.Run]'", "'Run | None'", "typing.Optional['Run']"),
    ],
)
def test_annotations_tell_what_arguments_are(annotation: str) -> None:
    text = f"import azureml.core\nfrom azureml.core import Run\ndef f(run: {annotation}):\n    run.log('a', 1)"
    assert LOG in used(text)


def test_annotations_tell_what_variables_are() -> None:
    assert LOG in used("from azureml.core import Run\nrun: Run = somewhere()\nrun.log('a', 1)")
    assert LOG in used("from azureml.core import Run\nclass A:\n    run: Run\n    def f(self): self.run.log('a', 1)")


def test_what_an_argument_is_passed_to_tells_what_it_is() -> None:
    text = """
    from azureml.core import Dataset, Experiment
    def load(ws, name):
        print(ws.name)
        return Dataset.get_by_name(ws, name)
    class Job:
        def __init__(self, workspace):
            self.workspace = workspace
        def start(self):
            self.workspace.get_details()
            return Experiment(name='e', workspace=self.workspace).start_logging()
    """
    found = resolved(text)
    paths = [use.path for use in found.uses]
    assert "azureml.core.workspace.Workspace.name" in paths
    assert "azureml.core.workspace.Workspace.get_details" in paths
    (name,) = (use.node for use in found.uses if use.path.endswith("Workspace.name"))
    assert isinstance(name, ast.Attribute)
    assert not found.is_certain(name.value)


def test_a_list_of_annotated_runs_has_runs() -> None:
    assert LOG in used("from azureml.core import Run\ndef f(runs: list[Run]):\n    for run in runs: run.log('a', 1)")


def test_a_cell_may_come_before_the_one_that_it_needs() -> None:
    assert LOG in used("run.log('a', 1)\nfrom azureml.core import Run\nrun = Run.get_context()")


def test_loops_that_rebind_a_run_keep_it_a_run() -> None:
    text = """
    from azureml.core import Run
    run = Run.get_context()
    for n in range(3):
        run.log('a', n)
        run = run.child_run()
    """
    assert used(text) == [CONTEXT, LOG, f"{RUN}.child_run"]


def test_what_is_submitted_decides_what_comes_back() -> None:
    text = """
    from azureml.core import Experiment, ScriptRunConfig, Workspace
    from azureml.pipeline.core import Pipeline
    experiment = Experiment(Workspace.from_config(), 'e')
    config = ScriptRunConfig('.', script='train.py')
    first = experiment.submit(config)
    pipeline = Pipeline(workspace=experiment.workspace, steps=[])
    second = experiment.submit(config=pipeline)
    """
    found = resolved(text)
    values = {node.id: found.value(node) for node in ast.walk(found.tree) if isinstance(node, ast.Name)}
    assert values["first"] == Value("azureml.core.script_run.ScriptRun", "instance")
    assert values["second"] == Value("azureml.pipeline.core.run.PipelineRun", "instance")


def test_chains_of_attributes_are_followed_to_the_classes_that_define_them() -> None:
    text = """
    from azureml.core import Dataset, Environment, Workspace
    env = Environment('e')
    env.python.conda_dependencies.add_pip_package('numpy')
    env.docker.enabled = True
    Dataset.Tabular.from_delimited_files('x').take(3).to_pandas_dataframe().head()
    Workspace.from_config().compute_targets['cpu'].wait_for_completion()
    """
    assert used(text) == [
        "azureml.core.environment.Environment",
        "azureml.core.environment.Environment.python",
        "azureml.core.environment.PythonSection.conda_dependencies",
        "azureml.core.conda_dependencies.CondaDependencies.add_pip_package",
        "azureml.core.environment.Environment.docker",
        "azureml.core.environment.DockerSection.enabled",
        "azureml.data.dataset_factory.TabularDatasetFactory.from_delimited_files",
        "azureml.data.tabular_dataset.TabularDataset.take",
        "azureml.data.tabular_dataset.TabularDataset.to_pandas_dataframe",
        "azureml.core.workspace.Workspace.from_config",
        "azureml.core.workspace.Workspace.compute_targets",
        "azureml.core.compute.compute.ComputeTarget.wait_for_completion",
    ]


def test_of_alternatives_the_one_that_has_the_member_is_meant() -> None:
    text = """
    from azureml.core import Dataset, Workspace
    data = Dataset.get_by_name(Workspace.from_config(), 'd')
    data.to_pandas_dataframe()
    data.as_mount()
    data.mount()  # both have it, and one refuses
    """
    assert used(text)[2:] == [
        "azureml.data.tabular_dataset.TabularDataset.to_pandas_dataframe",
        "azureml.data.file_dataset.FileDataset.as_mount",
        "azureml.data.file_dataset.FileDataset.mount",
    ]


def test_strings_that_name_something_of_azureml_are_uses() -> None:
    text = """
    from unittest import mock
    import azureml.core
    from azureml.core import Run
    @mock.patch('azureml.core.Run.get_context')
    def test(m, monkeypatch):
        mock.patch.object(Run, 'log')
        monkeypatch.setattr(Run, 'log_list', print)
    """
    found = [(use.kind, use.path) for use in resolved(text).uses if use.kind == "string"]
    assert found == [("string", CONTEXT), ("string", LOG), ("string", f"{RUN}.log_list")]


def test_uses_say_what_kind_they_are_and_stand_in_order() -> None:
    text = """\
    import azureml.core
    from azureml.core import Run, Workspace
    print(azureml.core.VERSION)
    isinstance(1, Run)
    ws = Workspace.from_config()
    ws.name
    """
    assert [(use.kind, use.path) for use in resolved(text).uses] == [
        ("import", "azureml.core"),
        ("import", RUN),
        ("import", "azureml.core.workspace.Workspace"),
        ("attribute", "azureml.core.VERSION"),
        ("name", RUN),
        ("call", "azureml.core.workspace.Workspace.from_config"),
        ("attribute", "azureml.core.workspace.Workspace.name"),
    ]


def test_what_may_be_something_else_is_not_certain() -> None:
    found = resolved("from azureml.core import Run\nrun = Run.get_context()\nif x:\n    run = y()\nrun.log('a', 1)\n")
    last = found.uses[-1].node
    assert isinstance(last, ast.Call)
    assert isinstance(last.func, ast.Attribute)
    assert found.path(last) == LOG
    assert not found.is_certain(last.func.value)
    sure = resolved("from azureml.core import Run\nrun = None\nif x:\n    run = Run.get_context()\nrun.log('a', 1)\n")
    call = sure.uses[-1].node
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Attribute)
    assert sure.is_certain(call.func.value)


def test_parents_lead_to_the_module() -> None:
    found = resolved("def f():\n    with a() as b, c:\n        for x in [y for y in z if y]:\n            print(x)\n")
    for node in ast.walk(found.tree):
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, (ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop)):
                assert found.parent(child) is node
    assert found.parent(found.tree) is None


# -- any tree


def check(text: str) -> None:
    """Resolve a module, and ask about everything in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    found = resolve(tree)
    for node in ast.walk(tree):
        found.path(node)
        found.parent(node)
        if isinstance(node, ast.expr):
            found.value(node)
            found.is_certain(node)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x = x\nx.y.z", id="itself"),
        pytest.param("x = [x]\nx = x, x\nfor x in x: x = x[0]", id="nested-in-itself"),
        pytest.param("def f(a): return f(a)\nf(f)(f)", id="recursion"),
        pytest.param("def f(a):\n    return g(a)\ndef g(a):\n    return f(a)\nf(Run)", id="mutual-recursion"),
        pytest.param("class A(A): pass\nclass B(C): pass\nclass C(B): pass\nC().x\nB.y", id="circular-classes"),
        pytest.param("class A:\n    def __enter__(self): return self.a\n    a = 1\nwith A() as a: a.b", id="enter"),
        pytest.param("def f(a=a, *b, c=1, **d): a.b\nf(*a, **b)", id="stars"),
        pytest.param("a, *b, c = d\n*e, = b\n[f, [g]] = e", id="unpacking"),
        pytest.param("global x\nx = 1\ndef f():\n    nonlocal_ = 1\n    global y\n    y = 2", id="global-at-the-top"),
        pytest.param(
            "match a:\n    case {'x': b, **c}: b\n    case [d, *e] if d: e\n    case A(f) as g: f", id="match"
        ),
        pytest.param(
            "def f(a: '" + "a[" * 5000 + "', b: '(', c: 'x.', d: 'a[]'): a.b, b.c, c.d, d.e", id="annotations"
        ),
        pytest.param("run = 1\n" + "if x:\n    run = 2\n" * 300 + "run.log()", id="many-bindings"),
        pytest.param("x = a" + ".b" * 900, id="long-chain"),
        pytest.param("x = a" + "(b)" * 500, id="many-calls"),
        pytest.param("x = " + "+".join(["a.b"] * 2000), id="long-sum"),
        pytest.param("\n".join(f"x{n + 1} = x{n}.y()" for n in range(2000)), id="long-way"),
        pytest.param("\n".join(f"def f{n}(): return f{n + 1}()" for n in range(500)) + "\nf0().log()", id="deep-calls"),
        pytest.param("if a: pass\n" + "elif b: c.d\n" * 900, id="many-elifs"),
    ],
)
def test_no_tree_is_too_odd(text: str) -> None:
    check(f"from azureml.core import Run as a\nfrom azureml.core import *\n{text}")


NAMES = st.sampled_from(["run", "Run", "ws", "x"])
EXPRESSIONS = st.recursive(
    NAMES | st.sampled_from(["None", "1", "Run.get_context()", "'azureml.core'", "[]", "{}"]),
    lambda inner: st.one_of(
        st.builds("{}.{}".format, inner.map("({})".format), st.sampled_from(["log", "child_run", "x", "append"])),
        st.builds("({})({})".format, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("({}, {})".format, inner, inner),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("[{} for {} in {}]".format, inner, NAMES, inner),
        st.builds("(lambda {}: {})".format, NAMES, inner),
        st.builds("({} := {})".format, NAMES, inner),
        st.builds("{{'a': {}}}".format, inner),
    ),
    max_leaves=8,
)
BODY = st.recursive(
    st.one_of(
        st.builds("{} = {}".format, NAMES, EXPRESSIONS),
        st.builds("{}, {} = {}".format, NAMES, NAMES, EXPRESSIONS),
        st.builds("{}.x = {}".format, NAMES, EXPRESSIONS),
        st.builds("{}".format, EXPRESSIONS),
        st.builds("from azureml.core import {}".format, NAMES),
    ).map(lambda line: [line]),
    lambda inner: st.one_of(
        st.builds(list.__add__, inner, inner),
        st.builds(
            lambda head, body: [head, *(f" {line}" for line in body)],
            st.one_of(
                st.builds("for {} in {}:".format, NAMES, EXPRESSIONS),
                st.builds("with {} as {}:".format, EXPRESSIONS, NAMES),
                st.builds("if {}:".format, EXPRESSIONS),
                st.builds("def {}({}={}):".format, NAMES, NAMES, EXPRESSIONS),
                st.builds("class {}({}):".format, NAMES, EXPRESSIONS),
                st.just("while True:"),
            ),
            inner,
        ),
    ),
    max_leaves=12,
)


@given(BODY)
@settings(max_examples=60, deadline=None)
def test_no_tree_is_too_odd_as_far_as_generated(body: list[str]) -> None:
    text = "\n".join(["from azureml.core import Run", *body])
    try:
        before = ast.dump(ast.parse(text))
    except SyntaxError:  # a walrus where it must not be
        return
    tree = ast.parse(text)
    quick = resolve(tree).uses
    assert ast.dump(tree) == before
    with mock.patch.object(Map, "reached", lambda walked, names: walked.statements):
        assert resolve(tree).uses == quick  # what is not looked at has none
    check(text)


@pytest.mark.extra
def test_no_tree_is_too_odd_of_all_that_is_installed() -> None:
    folder = Path(sysconfig.get_path("stdlib"))
    count = 0
    for path in sorted({*folder.rglob("*.py"), *Path(sysconfig.get_path("purelib")).rglob("*.py")})[::15]:
        try:
            text = path.read_text(encoding="utf-8")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            continue
        check(f"from azureml.core import *\n{text}" if "from __future__" not in text else text)
        count += 1
    assert count > 150
