"""`azml-compat migrate --to facade`: imports lead to azml_compat, names stay bound, and nothing else changes."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_compat._migrate import edits, facade
from azml_compat._migrate.resolving import resolve
from azml_compat.core import VERSION, run


def rewritten(text):
    """Return a text rewritten, and the lines of what was left."""
    result = facade.rewrite(text, resolve(ast.parse(text)))
    after = edits.apply(text, [edit for fix in result.fixes for edit in fix.edits])
    ast.parse(after)
    assert all(fix.is_safe for fix in result.fixes)
    return after, [mark.line for mark in result.marks]


def check(before, after, left=()):
    assert rewritten(before) == (after, list(left))
    assert rewritten(after)[0] == after  # a second run changes nothing


NOTHING_TO_DO = [
    "import os\n",
    "azureml = 1\nazureml.core\n",
    "import my_azureml.core\nfrom azureml_extras import x\n",
    "from .azureml.core import Run\nfrom . import azureml\n",
    "import azureml_core as azureml\nazureml.core.Run\n",
    "x = 'azureml.core'  # import azureml.core\n",
    "# type: azureml.core.Run\nprint('from azureml.core import Run')\n",
    "import azml_compat.core\nfrom azml_compat.core import Run\n",
    "def f(azureml): return azureml.core\n",
    "logging.getLogger('azureml')\nd = {'azureml.core': 1}\n",
]


@pytest.mark.parametrize("text", NOTHING_TO_DO)
def test_nothing_is_changed_that_is_not_azureml(text):
    check(text, text)


REWRITTEN = [
    "from azureml.core import Run\n",
    "from azureml.core import Run as R, Workspace\n",
    "from azureml.core import (\n    Run,  # tracking\n    VERSION,\n)\n",
    "from azureml.core import *\n",
    "from azureml import core\n",
    "from azureml . core import Run\n",
    "from \\\n    azureml.core import \\\n    Run\n",
    "from azureml.core.run import Run, _OfflineRun\n",
    "from azureml._restclient.constants import RunStatus\n",
    "from azureml._base_sdk_common import user_agent\n",
    "from azureml.exceptions._azureml_exception import UserErrorException\n",
    "from azureml.widgets import RunDetails\n",
    "from azureml.train.hyperdrive import HyperDriveConfig, choice\n",
    "from azureml.telemetry import set_diagnostics_collection\n",
    "import azureml.mlflow\n",
    "import azureml.core as c\nc.Run\n",
    "import azureml as az\naz.core.Run\n",
    "import azureml\nprint(azureml)\n",
    "import azureml.core\nprint('SDK', azureml.core.VERSION)\n",
    "import os, azureml.core, sys\nazureml.core.run.Run.get_context().log('azureml', 1)\n",
    "def f():\n\timport azureml.core; return azureml . core.Run\n",
    "try:\n    import azureml.core\nexcept ImportError:\n    pass\nelse: azureml.core.Workspace.from_config()\n",
    "try: from azureml.core import Run\nexcept ImportError: Run = None\n",
    "from __future__ import annotations\nimport azureml.core\ndef f(run: azureml.core.Run) -> azureml.core.Run: ...\n",
    "import azureml.core\ndef f(run: 'azureml.core.Run', x: 'list[azureml.core.Run]') -> 'azureml.core.Run': ...\n",
    "import azureml.core\nx: 'azureml.core.Run' = None\n",
    "import azureml.core, azureml.data\nazureml.core.Run, azureml.data.TabularDataset\n",
    "import azureml.core\nprint(f'{azureml.core.VERSION!r:>{10}}', '''\n''', azureml.core)\n",
    "é = 'ü'; import azureml.core; 'ä', azureml.core.Run\n",
    "from unittest import mock\n@mock.patch('azureml.core.Run.get_context')\ndef test(m): ...\n",
    'from unittest.mock import patch\nwith patch("azureml.core.run.Run.log"): ...\n',
    "import importlib\nimportlib.import_module('azureml.core')\n__import__('azureml.core')\n",
    "import sys\nsys.modules['azureml.core'] = 1\n'azureml' in sys.modules\nsys.modules.pop('azureml', None)\n",
    "import sys\nmonkeypatch.setitem(sys.modules, 'azureml', 1)\npatch.dict('sys.modules', {'azureml.core': 1})\n",
]


@pytest.mark.parametrize("before", REWRITTEN)
def test_all_that_is_azureml_is_renamed(before):
    after = re.sub(r"\bazureml\b", "azml_compat", before).replace("log('azml_compat'", "log('azureml'")
    check(before, after)


def test_what_azml_compat_has_not_is_left_and_said():
    for text in (
        "from azureml.train.automl import AutoMLConfig\n",
        "import azureml.train.automl\nazureml.train.automl.AutoMLConfig()\n",
        "import azureml.pipeline.core as p\n",
        "from azureml.pipeline.core import *\n",
        "from azureml.train import automl\n",
        "from azureml._run_impl.run_watcher import RunWatcher\n",
        "from azureml.core import NoSuchName\n",
        "from unittest import mock\nmock.patch('azureml.train.automl.AutoMLConfig')\n",
    ):
        line = text.count("\n", 0, text.rindex("azureml")) + 1 if "mock" in text else 1
        check(text, text, [line])


def test_what_is_said_of_it_is_what_the_scan_says():
    text = (
        "from azureml.train.automl import AutoMLConfig\nfrom azureml.core import NoSuchName\n"
        "import azureml._x\ntry: import azureml.pipeline as p\nexcept ImportError: p = None\n"
    )
    marks = facade.rewrite(text, resolve(ast.parse(text))).marks
    assert [mark.rule for mark in marks] == ["AZ104", "AZ105", "AZ106", "AZ107"]
    assert "FLAML" in marks[0].message
    assert "goes on without it" in marks[3].message


def test_an_import_of_both_is_divided():
    check(
        "from azureml.core import Run, NoSuchName\n",
        "from azml_compat.core import Run\nfrom azureml.core import NoSuchName\n",
        [1],
    )
    check(
        "if 1:\n    from azureml.core import NoSuchName as N, Run, Other # why\n",
        "if 1:\n    from azml_compat.core import Run # why\n    from azureml.core import NoSuchName as N, Other\n",
        [2, 2],
    )
    check(
        "try: from azureml.core import A, Run\nexcept ImportError: pass\n",
        "try: from azml_compat.core import Run; from azureml.core import A\nexcept ImportError: pass\n",
        [1],
    )
    check(
        "from azureml.core import (\n    A,  # one\n    Run,  # two\n    B\n)",
        "from azml_compat.core import (\n      # one\n    Run,  # two\n    \n)\nfrom azureml.core import A, B",
        [2, 4],
    )
    check(
        "import azureml.core, azureml.train.automl\nazureml.core.VERSION\nazureml.train.automl.AutoMLConfig\nazureml\n",
        "import azml_compat.core, azureml.train.automl\nazml_compat.core.VERSION\n"
        "azureml.train.automl.AutoMLConfig\nazureml\n",
        [1],
    )


def test_a_name_that_is_bound_in_other_ways_too_stays():
    check(
        "try:\n    import azureml.core\nexcept ImportError:\n    azureml = None\nazureml and azureml.core.VERSION\n",
        "try:\n    import azml_compat.core, azml_compat as azureml\nexcept ImportError:\n    azureml = None\n"
        "azureml and azureml.core.VERSION\n",
    )
    check("import azureml\nazureml = azureml.core\n", "import azml_compat as azureml\nazureml = azureml.core\n")
    check(
        "import azureml.core\ndef f(azureml): return azureml.core\n",
        "import azml_compat.core, azml_compat as azureml\ndef f(azureml): return azureml.core\n",
    )
    check(
        "import azureml.core\nazureml.pipeline.core.Pipeline\n",
        "import azml_compat.core, azml_compat as azureml\nazureml.pipeline.core.Pipeline\n",
        [2],
    )
    check(
        "import azureml.core\nimport azureml.train.automl\nazureml = None\n",
        "import azureml.core\nimport azureml.train.automl\nazureml = None\n",
        [1, 2],
    )


@pytest.mark.parametrize(
    "binding",
    [
        "for azureml in x: pass", "def azureml(): pass", "class azureml: pass", "with x as azureml: pass",
        "del azureml",
        "try: pass\nexcept E as azureml: pass", "lambda azureml: 1", "def f():\n    global azureml",
        "from x import y as azureml", "(azureml := 1)", "match x:\n    case [*azureml]: pass",
        "match x:\n    case {**azureml}: pass", "match x:\n    case azureml: pass",
    ],
)  # fmt: skip
def test_every_other_binding_counts(binding):
    check(
        f"import azureml.core\nazureml.core\n{binding}\n",
        f"import azml_compat.core, azml_compat as azureml\nazureml.core\n{binding}\n",
    )


def test_the_names_mean_the_same_objects_as_under_the_alias():
    text = (
        "import azureml.core\nfrom azureml.core import Run, Workspace as W\nfrom azureml.core.run import _OfflineRun\n"
        "import azureml.core.run as r\nfrom azureml.core import *\nfrom azureml.train.hyperdrive import choice\n"
        "version = azureml.core.VERSION\n"
    )
    after, left = rewritten(text)
    assert not left
    names = {}
    exec(after, names)
    assert names["Run"] is run.Run is names["r"].Run
    assert names["_OfflineRun"] is run._OfflineRun
    assert names["version"] == VERSION
    assert "Experiment" in names


PIECES = [
    "import azureml", "import azureml.core", "import azureml.core as azureml", "import azureml.train.automl",
    "from azureml.core import Run", "from azureml.core import (Run, X,\n  Y)", "from azureml import core, pipeline",
    "azureml", "azureml.core.VERSION", "azureml.train.automl.X", "azureml = 1", "def f(azureml): azureml.core",
    "x: 'azureml.core.Run'", "__import__('azureml.core')", "if 1: import azureml.data; azureml", "pass",
    "try: from azureml.core import A, Run\nexcept ImportError: pass",
    "import azml_compat as azureml", "print(f'{azureml}')",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=7))
def test_whatever_is_rewritten_parses_and_a_second_run_changes_nothing(pieces):
    after, _ = rewritten("\n".join(pieces))
    assert rewritten(after)[0] == after
