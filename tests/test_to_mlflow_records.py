"""What a rewritten script records: the same as before, on a real store."""

from __future__ import annotations

import atexit
import sys
import time
from textwrap import indent

import pytest

from azml_compat._tracking import Store
from azml_compat._verify.comparing import compare
from azml_compat._verify.reading import read, runs_since
from tests.migrating import migrated

_HEAD = "from azml_compat.core import Experiment, Workspace\n\nexp = Experiment(Workspace.from_config(), {name!r})\n"
_RUN = "run = exp.start_logging(snapshot_directory=None)\n"


@pytest.fixture
def store(sqlite_uri, monkeypatch):
    """A store for both scripts, and a process that keeps nothing of what they hang into it."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    for name in ("exit", "excepthook"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    return Store(sqlite_uri)


@pytest.fixture(autouse=True)
def at_exit(monkeypatch):
    """What scripts have registered for the end of the process."""
    registered = []
    monkeypatch.setattr(atexit, "register", registered.append)
    return registered


@pytest.fixture
def end_script(at_exit):
    """What ends a script: with an exception, a code, or well."""

    def end(error=None, code=None):
        if error is not None:
            sys.excepthook(type(error), error, None)
        elif code is not None:
            with pytest.raises(SystemExit):
                sys.exit(code)
        for function in at_exit:
            function()

    return end


@pytest.fixture
def recorded(store, tmp_path, monkeypatch):
    """What runs a script in a folder of its own, and returns what it has recorded."""

    def run(code):
        folder = tmp_path / f"folder{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        return _recorded(store, code)

    return run


def _recorded(store, code):
    began = int(time.time() * 1000)
    exec(compile(code, "script.py", "exec"), {"__name__": "__main__"})
    time.sleep(0.002)
    return read(store, runs_since(store, began), with_experiments=False)


SAME = {
    "floats": "run.log('loss', 0.5)\nrun.log('loss', 0.25)\nrun.log('loss', 0.25)",
    "numbers of all kinds": (
        "run.log('int', 30)\nrun.log('bool', True)\nfor v in (1, 2.5, 2**53 + 1, float('nan'), float('inf'), -0.0):\n"
        "    run.log('v', v)"
    ),
    "a text once": "for x in ['warmup']:\n    run.log('phase', x)\nrun.log('other', 'text')\nrun.log('nothing', None)",
    "texts": "for x in ['warmup', 'train']:\n    run.log('phase', x)\nfor x in [1, 'a']:\n    run.log('mixed', x)",
    "steps": "for s, v in [(2, 3.0), (0, 1.0), (1, 2.0), (1, 2.5), (1, 2.5)]:\n    run.log('loss', v, step=s)",
    "some steps": "run.log('loss', 1.0, step=5)\nrun.log('loss', 2.0)\nrun.log('loss', 3.0, step=1)",
    "other objects": "run.log('shape', (3, 4))\nrun.log('set', {1})",
    "numpy": (
        "import numpy\nrun.log('a', numpy.int64(7))\nrun.log('b', numpy.float32(0.1))\n"
        "run.log('c', numpy.array([1, 2]))\n"
        "run.log('d', numpy.str_('x'))\nrun.log('e', numpy.bool_(False))\nrun.log('f', numpy.complex64(1j))"
    ),
    "lists": "run.log_list('l', [1, 2, 3, 2, 1])\nrun.log_list('l', (5.5,))\nrun.log_list('m', [1, 'two', None, True])",
    "empty lists": "run.log_list('l', [])",
    "long lists": "run.log_list('l', [0.5] * 1500)",
    "rows": (
        "for e in range(3):\n    run.log_row('scores', epoch=e, accuracy=0.5)\nrun.log_row('r', 'd', fold='a', ok=True)"
    ),
    "rows of different columns": (
        "run.log_row('r', fold='a')\nrun.log_row('r', score=1)\nrun.log_row('α', **{'β β': 1, 'c(d)': 2})"
    ),
    "tables": (
        "run.log_table('t', {'x': [1, 2], 'fold': ['a', None]})\nrun.log_row('t', x=3)\nrun.log_table('u', {'x': 1.5})"
    ),
    "kinds mixed": "run.log('v', 1)\nrun.log_row('v', x=2)\nrun.log_list('v', ['a'])",
    "odd names": (
        "for n in ['loss (train)', 'prec@1', '100%', 'v ', 'val/loss', 'a.b', 'Label:0', 'předpověď', 'x, y = z']:\n"
        "    run.log(n, 0.5)\n    run.log(n, 'text')"
    ),
    "long names": "run.log('n' * 300, 1.0)",
    "tags": (
        "run.tag('team', 'vision')\nrun.tag('flag')\nrun.tag('n', 3)\nrun.set_tags({'a': None, 'b': '10', 'c d': 1})\n"
        "run.add_properties({'author': 'me'})\nrun.remove_tags(['team', 'unknown'])\nrun.tag('a@b', 'c')"
    ),
    "names": "run.display_name = 'Baseline'\nrun.description = 'First **try**.'",
    "JSON metrics": (
        "import json\ncm = {'schema_type': 'confusion_matrix', 'data': {'matrix': [[1]]}}\n"
        "run.log_confusion_matrix('cm', cm)\n"
        "run.log_residuals('sub/res', json.dumps({'a': [0.1]}))\nrun.log_predictions('pred', {'data': {}}, 'described')"
    ),
    "images": (
        "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\n"
        "from matplotlib.figure import Figure\n"
        "f = Figure()\nf.subplots().plot([1, 2])\nf.savefig('a.png')\nrun.log_image('file', 'a.png')\n"
        "run.log_image('fig', plot=f)\n"
        "plt.plot([2, 1])\nrun.log_image('plt', plot=plt)\nrun.log_image('plt', plot=plt)\nplt.close('all')"
    ),
    "uploads": (
        "import io, os, pathlib\nos.makedirs('d/e', exist_ok=True)\nfor n in ('d/a.txt', 'd/e/b.txt'):\n"
        "    pathlib.Path(n).write_text(n)\n"
        "run.upload_file('d/a.txt', 'd/a.txt')\nrun.upload_file('./x/c.txt', 'd/a.txt')\n"
        "run.upload_file('s', io.BytesIO(b'1'))\n"
        "run.upload_folder('folder', 'd')\nrun.upload_files(['y/1', 'y/2'], ['d/a.txt', 'd/e/b.txt'])\n"
        "run.upload_file('odd#100%?.txt', 'd/a.txt')"
    ),
    "outputs": (
        "import pathlib\npathlib.Path('outputs/w.bin').write_text('1')\n"
        "run.upload_file('outputs/w.bin', 'outputs/w.bin')"
    ),
    "children": (
        "for i in range(2):\n    with run.child_run('c%d' % i) as child:\n        child.log('x', i)\n"
        "        run.log('of parent', i)\n"
        "child = run.child_run()\nchild.log('y', 1)\nchild.complete()\n"
        "for c in run.create_children(tag_key='k', tag_values=['a', 'b']):\n    c.log('z', 2)\n    c.complete()"
    ),
    "failure": "run.log('a', 1)\nrun.fail('it failed')",
    "cancel": "run.cancel()",
    "what comes after the end": "run.complete()\nrun.log('late', 1)\nrun.tag('late', 'tag')",
}


_SLOW = ("images", "JSON metrics", "long lists")
"""What draws, or logs much: for the long tier."""


@pytest.mark.extra
@pytest.mark.parametrize("body", SAME.values(), ids=SAME)
def test_a_rewritten_script_records_the_same(recorded, body):
    old, new = (f"{_HEAD.format(name=name)}{_RUN}{body}\nrun.complete()\n" for name in ("old", "new"))
    rewritten = migrated(new)

    assert "azml_compat" not in rewritten
    assert compare(recorded(old), recorded(rewritten)) == []


@pytest.mark.extra
def test_a_rewritten_script_of_runs_with_blocks_records_the_same(recorded):
    blocks = [
        f"with exp.start_logging(snapshot_directory=None, display_name={name!r}) as run:\n{indent(body, '    ')}\n"
        for name, body in SAME.items()
        if name not in _SLOW
    ]
    old, new = (_HEAD.format(name=name) + "".join(blocks) for name in ("old", "new"))
    rewritten = migrated(new)

    assert "azml_compat" not in rewritten
    assert compare(recorded(old), recorded(rewritten)) == []


def statuses(store):
    return [run.status for run in read(store, runs_since(store, 0), with_experiments=False)]


@pytest.mark.parametrize(
    ("end", "status"),
    [({"error": ValueError("no")}, "FAILED"), ({"code": 3}, "FAILED"), ({"code": 0}, "FINISHED"), ({}, "FINISHED")],
)
def test_a_run_that_is_open_ends_as_the_script_does(store, end_script, capsys, end, status):
    script = (
        f"{_HEAD.format(name='n')}a = exp.start_logging()\nb = exp.start_logging()\nc = a.child_run()\nb.cancel()\n"
    )
    exec(migrated(f"{script}a.log('x', 'text')\n"), {"__name__": "__main__"})
    assert sorted(statuses(store)) == ["KILLED", "RUNNING"]

    end_script(**end)

    first, second = sorted(read(store, runs_since(store, 0), with_experiments=False), key=lambda run: run.status)
    assert (first.status, first.params, [child.status for child in first.children]) == (status, {"x": "text"}, [status])
    assert second.status == "KILLED"


def test_the_run_of_the_script_is_one_however_often_it_is_asked_for(store, end_script):
    script = (
        "from azml_compat.core import Run\n\n\ndef log(x):\n    Run.get_context().log('x', x)\n\n\n"
        "run = Run.get_context()\nlog(1)\nrun.complete()\nlog(2)\n"
    )
    exec(migrated(script), {"__name__": "__main__"})
    end_script()

    [run] = read(store, runs_since(store, 0), with_experiments=False)
    assert run.status == "FINISHED"
    assert [point for moment in run.metrics["x"] for point in moment] == [(0, 1.0), (1, 2.0)]


def test_what_was_logged_reads_back_as_it_was(store):
    script = (
        f"{_HEAD.format(name='n')}{_RUN}run.log('n', 1)\nrun.log_list('l', [2, 'a', None])\n"
        "run.log_row('r', x=1, y='b')\n"
        "for i in (3, 1):\n    run.log('s', i, step=i)\nrun.log_row('t', x=True)\nrun.log_row('t', z=0.5)\n"
        "metrics = run.get_metrics()\none = run.get_metrics('n')\nnone = run.get_metrics('other')\n"
    )
    old, new = {"__name__": "__main__"}, {"__name__": "__main__"}
    exec(script, old)
    exec(migrated(script), new)

    assert new["metrics"] == old["metrics"]
    assert list(map(type, new["metrics"]["s"])) == [int, int]
    assert (new["one"], new["none"]) == ({"n": 1}, {})
