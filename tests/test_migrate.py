"""`azml-compat migrate`: what is shown, what is written, and that no file stops the others."""

from __future__ import annotations

import ast
import json
import os
import re
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_compat._cli import main
from azml_compat._migrate import edits, facade, pool, sources, to_mlflow
from azml_compat._migrate.resolving import resolve
from azml_compat._migrate.rewriting import Fix, Rewriting

SCRIPT = "from azureml.core import Run\r\n\r\nrun = Run.get_context()  # é\r\n"
FACADE = SCRIPT.replace("azureml", "azml_compat")


@pytest.fixture
def migrate(capsys):
    """Return a function that runs the command in the current folder and gives (exit code, output, report)."""

    def run(*arguments):
        code = main(["migrate", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def write(name, content):
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def cells(*found):
    return json.dumps({"cells": [{"cell_type": "code", "source": cell.splitlines(True)} for cell in found]}, indent=1)


def test_rewriting_for_mlflow_does_not_import_it(python):
    write("train.py", SCRIPT + "run.log_row('scores', fold='a', f1=0.5)\nrun.complete()\n")
    code = (
        "import sys; from azml_compat._cli import main; main(['migrate', '--to', 'mlflow', '--quiet', 'train.py']); "
        "print('\\nimported:', [name for name in sys.modules if name.split('.')[0] == 'mlflow' or '.pieces.' in name])"
    )
    output = python(code)

    assert "+def log_row(" in output
    assert output.endswith("imported: []\n")


# -- modes ---------------------------------------------------------------------------------------------------------


def test_without_write_a_diff_is_shown_and_nothing_is_changed(migrate):
    path = write("train.py", SCRIPT)

    code, output, report = migrate("--to", "facade", ".")

    assert code == 0
    assert path.read_bytes() == SCRIPT.encode()
    assert output == (
        "--- train.py\n+++ train.py\n@@ -1,3 +1,3 @@\n"
        "-from azureml.core import Run\n+from azml_compat.core import Run\n \n run = Run.get_context()  # é\n"
    )
    assert report.splitlines() == [
        "Would change 1 of 1 file: 1 change (AZ200 1).",
        "Held back: 0 unsafe changes, to be had with --unsafe.",
        "Left to do by hand: 0 places in 0 files.",
    ]


def test_write_changes_the_files_and_a_second_run_changes_nothing(migrate):
    path = write("src/train.py", SCRIPT)
    path.chmod(0o755)
    other = write("src/other.py", b"x = 1\n")
    before = other.stat()

    code, output, report = migrate("--to", "facade", "--write", "src")

    assert (code, output) == (0, "")
    assert report.startswith("Changed src/train.py\nChanged 1 of 2 files")
    assert path.read_bytes() == FACADE.encode()
    assert path.stat().st_mode & 0o777 == 0o755
    assert other.stat() == before
    written = path.stat()
    assert migrate("--to", "facade", "--write", "src")[2].startswith("Changed 0 of 2 files: 0 changes.")
    assert path.stat() == written


def test_check_tells_by_its_exit_code_whether_something_would_change(migrate):
    path = write("train.py", SCRIPT)

    code, output, report = migrate("--to", "facade", "--check", "train.py")

    assert (code, output) == (1, "")
    assert report.startswith("Would change train.py\n")
    assert path.read_bytes() == SCRIPT.encode()
    assert "+from azml_compat.core" in migrate("--to", "facade", "--check", "--diff", "train.py")[1]
    path.write_bytes(FACADE.encode())
    assert migrate("--to", "facade", "--check", "train.py")[0] == 0


def test_quiet_tells_of_failures_only(migrate):
    write("train.py", SCRIPT)
    assert migrate("--to", "facade", "--write", "-q", ".") == (0, "", "")


def test_unsafe_changes_are_counted_and_made_when_asked_for(migrate):
    path = write("requirements.txt", b"azureml-core\nazureml-train-automl\n")

    _, _, report = migrate("--to", "facade", "--write", ".")
    assert "Held back: 1 unsafe change (AZ203 1), to be had with --unsafe." in report
    assert path.read_bytes() == b"azml-compat\nazureml-train-automl\n"

    _, _, report = migrate("--to", "facade", "--write", "--unsafe", ".")
    assert "Unsafe changes were made as well." in report
    assert path.read_bytes() == b"azml-compat\n"


def test_what_is_left_is_listed_with_its_place(migrate):
    write("a.py", b"import os\nfrom azureml.train.automl import AutoMLConfig\n")
    write("n.ipynb", cells("from azureml.core import Run", "%pwd\nimport azureml.pipeline.core", "azureml print 1"))

    code, _, report = migrate("--to", "facade", "--check", ".")

    assert code == 1
    lines = report.splitlines()
    assert lines[1].startswith("a.py:2  AZ104  left: `AutoMLConfig` is not supported, importing it fails")
    assert lines[2].startswith("n.ipynb:cell 3:1  AZ001  left: it does not parse")
    assert lines[3].startswith("n.ipynb:cell 2:2  AZ103  left: `azureml.pipeline.core` is not supported yet")
    assert lines[-1] == "Left to do by hand: 3 places in 2 files."


def test_a_script_becomes_plain_mlflow(migrate):
    path = write("train.py", b"from azureml.core import Run\nrun = Run.get_context()\nrun.log('loss', 0.5)\n")

    assert migrate("--to", "mlflow", "--write", ".")[0] == 0

    text = path.read_text()
    assert "azureml" not in text
    assert "azml_compat" not in text
    assert "mlflow" in text
    assert migrate("--to", "mlflow", "--check", ".")[0] == 0


TAKEN = {
    "a name": ("run = Run.get_context()\n", "from common import run\nrun.log('a', 1)\n"),
    "names in brackets": (
        "run = Run.get_context()\n",
        "from .common import (\n    other,\n    run as r,\n)\nr.log('a', 1)\n",
    ),
    "a module": ("run = Run.get_context()\n", "import lib.common as c\nc.run.log('a', 1)\n"),
    "a module of a package": ("run = Run.get_context()\n", "from lib import common\ncommon.run.log('a', 1)\n"),
    "a base class": (
        "class Base:\n    def __init__(self):\n        self.run = Run.get_context()\n",
        "from common import Base\nclass T(Base):\n    def go(self):\n        self.run.log('a', 1)\nT().go()\n",
    ),
}


@pytest.mark.parametrize("kind", ["train.py", "train.ipynb"])
@pytest.mark.parametrize(("common", "reader"), TAKEN.values(), ids=TAKEN)
def test_a_run_that_another_file_uses_stays(migrate, common, reader, kind):
    common = f"from azureml.core import Run\n{common}"
    write("lib/common.py", common)
    write(kind, reader if kind == "train.py" else cells(reader))

    code, out, _ = migrate(".", "--to", "mlflow")
    assert code == 0
    assert "# TODO azml-compat AZ313: another file uses this run" in out
    assert "mlflow." not in out
    Path(kind).unlink()
    assert "AZ313" not in migrate(".", "--to", "mlflow")[1]


def test_what_is_required_depends_on_what_is_still_imported(migrate):
    requirements = write("requirements.txt", b"azureml-core\nnumpy\n")
    write("train.py", b"from azureml.core import Run\nrun = Run.get_context()\nrun.log('loss', 0.5)\n")
    other = write("control.py", b"from azureml.train.automl import AutoMLConfig\nAutoMLConfig()\n")

    migrate("--to", "mlflow", "--write", ".")
    assert requirements.read_bytes() == b"azml-compat\nnumpy\n"
    assert migrate("--to", "mlflow", "--check", ".")[0] == 0

    other.unlink()
    migrate("--to", "mlflow", "--write", ".")
    assert requirements.read_bytes() == b"mlflow\nnumpy\n"


def test_the_facade_is_a_step_on_the_way_to_mlflow(migrate):
    path = write("train.py", b"from azureml.core import Run\nrun = Run.get_context()\nrun.log('loss', 0.5)\n")
    requirements = write("requirements.txt", b"azureml-core\n")
    migrate("--to", "mlflow", "--write", ".")
    expected = path.read_bytes()
    path.write_bytes(b"from azureml.core import Run\nrun = Run.get_context()\nrun.log('loss', 0.5)\n")
    requirements.write_bytes(b"azureml-core\n")

    migrate("--to", "facade", "--write", ".")
    assert requirements.read_bytes() == b"azml-compat\n"
    migrate("--to", "mlflow", "--write", ".")

    assert path.read_bytes() == expected
    assert requirements.read_bytes() == b"mlflow\n"


# -- notebooks -----------------------------------------------------------------------------------------------------


def test_the_diff_of_a_notebook_is_one_of_its_cells(migrate):
    path = write("n.ipynb", cells("x = 1", "%pip install -q azureml-core\nimport azureml.core", "azureml.core.VERSION"))

    _, output, _ = migrate("--to", "facade", path)

    assert output == (
        "--- n.ipynb:cell 2\n+++ n.ipynb:cell 2\n@@ -1,2 +1,2 @@\n-%pip install -q azureml-core\n-import azureml.core\n"
        "+%pip install -q azml-compat\n+import azml_compat.core\n"
        "--- n.ipynb:cell 3\n+++ n.ipynb:cell 3\n@@ -1 +1 @@\n-azureml.core.VERSION\n+azml_compat.core.VERSION\n"
    )


def test_a_notebook_with_all_that_notebooks_have(migrate):
    before = cells(
        "%%writefile train.py\nfrom azureml.core import Run\nrun = Run.get_context()\n",
        "%%writefile conda.yml\ndependencies:\n- pip:\n  - azureml-defaults\n",
        "%%bash\npip install azureml-sdk\necho azureml.core\n",
        "%%html\nfrom azureml.core import Run",
        "%time from azureml.core import Workspace\nfiles = !ls azureml",
    )
    path = write("n.ipynb", before)

    assert migrate("--to", "facade", "--write", path)[0] == 0

    assert path.read_text() == (
        before.replace("from azureml.core import Run\\n", "from azml_compat.core import Run\\n")
        .replace("azureml-defaults", "azml-compat")
        .replace("azureml-sdk", "azml-compat")
        .replace("%time from azureml.core", "%time from azml_compat.core")
    )
    assert migrate("--to", "facade", "--check", path)[0] == 0


def test_a_notebook_becomes_what_the_script_becomes(migrate):
    parts = [
        "import os\nfrom azureml.core import Experiment, Workspace",
        "%%time\nws = Workspace.from_config()\nexp = Experiment(ws, 'n')\nrun = exp.start_logging()",
        "for i in range(3):\n    run.log('a', i)\n!ls\nrun.complete()",
    ]
    script = write("t.py", "\n".join(parts).replace("%%time\n", "").replace("!ls\n", ""))
    path = write("n.ipynb", cells(*parts))

    assert migrate("--to", "mlflow", "--write", "n.ipynb", "t.py")[0] == 0

    found = ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]
    assert found[1].startswith("%%time\n")
    joined = "\n".join(found).replace("%%time\n", "").replace("!ls\n", "")
    expected = script.read_text()
    assert "azureml" not in expected
    assert [line for line in joined.split("\n") if line] == [line for line in expected.split("\n") if line]
    assert migrate("--to", "mlflow", "--check", "n.ipynb")[0] == 0


# -- trouble -------------------------------------------------------------------------------------------------------


def test_files_that_cannot_be_read_as_what_they_are_do_not_stop_the_rest(migrate):
    write("a.py", b"import azureml\nprint 'a'\n")
    write("b.ipynb", b"azureml")
    write("c.py", b"import azureml # \xff\n")
    write("d.py", b"import azureml\0\n")
    good = write("e.py", SCRIPT)

    code, _, report = migrate("--to", "facade", "--write", ".")

    assert code == 0
    assert good.read_bytes() == FACADE.encode()
    assert [line.split("  ")[:2] for line in report.splitlines()[1:5]] == [
        ["a.py:2", "AZ001"], ["b.ipynb", "AZ002"], ["c.py", "AZ002"], ["d.py:1", "AZ001"],
    ]  # fmt: skip


def test_a_path_that_does_not_exist_is_an_error(migrate):
    code, output, report = migrate("--to", "facade", "none.py")
    assert (code, output) == (2, "")
    assert "none.py does not exist" in report


@pytest.mark.parametrize(
    "arguments", [[], ["."], ["--to", "spark", "."], ["--to", "facade", "--write", "--check", "."]]
)
def test_wrong_options_are_an_error(migrate, arguments):
    with pytest.raises(SystemExit) as stopped:
        migrate(*arguments)
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    ("new", "says"),
    [("(", "SyntaxError"), ("return 1", "SyntaxError"), ("from __future__ import annotations", "Syntax")],
)
def test_a_rewrite_that_python_refuses_is_a_failure_and_the_file_stays(migrate, monkeypatch, new, says):
    bad, good = write("a.py", "'''doc'''\n" + SCRIPT), write("b.py", SCRIPT)
    rewrite = facade.rewrite

    def wrong(text, resolution):
        return (
            Rewriting([Fix("AZ200", 1, (edits.Edit(len(text), len(text), new),))], [])
            if "doc" in text
            else rewrite(text, resolution)
        )

    monkeypatch.setattr(facade, "rewrite", wrong)
    code, output, report = migrate("--to", "facade", "--write", ".")

    assert code == 2
    assert output == ""
    assert f"a.py  failed: it could not be rewritten, which is a mistake of azml-compat: {says}" in report
    assert bad.read_bytes().startswith(b"'''doc'''")
    assert good.read_bytes() == FACADE.encode()


def test_a_file_that_cannot_be_written_is_a_failure(migrate, monkeypatch):
    write("a.py", SCRIPT)

    def fail(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sources, "write", fail)
    code, _, report = migrate("--to", "facade", "--write", ".")
    assert code == 2
    assert "a.py  failed: Permission denied" in report
    assert "Changed 0 of 1 file" in report


def test_a_link_stays_a_link(migrate):
    target = write("shared/t.py", SCRIPT)
    Path("src").mkdir()
    Path("src/t.py").symlink_to("../shared/t.py")
    assert migrate("--to", "facade", "--write", "src")[0] == 0
    assert Path("src/t.py").is_symlink()
    assert target.read_bytes() == FACADE.encode()


def test_what_compiles_in_no_python_is_rewritten_all_the_same(migrate):
    path = write("t.py", b"from azureml.core import Run\nreturn Run\n")
    assert migrate("--to", "facade", "--write", ".")[0] == 0
    assert path.read_bytes() == b"from azml_compat.core import Run\nreturn Run\n"


# -- many files ----------------------------------------------------------------------------------------------------


def _end(number):
    if number == 7:
        os._exit(1)
    return number


def _minus(number):
    return -number


@pytest.mark.extra
def test_a_file_that_ends_its_process_does_not_stop_the_rest(monkeypatch):
    monkeypatch.setattr(pool, "_processors", lambda: 2)
    assert list(pool.each(_end, range(80), _minus)) == [*range(7), -7, *range(8, 80)]


# -- documentation -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "name"), [("AZ200", "t.py"), ("AZ201", "conda.yml"), ("AZ202", "requirements.txt"), ("AZ203", "n.ipynb")]
)
def test_the_diffs_of_the_documentation_are_what_is_done(migrate, rule, name):
    text = (Path(__file__).parents[1] / "docs/migrating.md").read_text(encoding="utf-8")
    section = re.split(r"\n##+ ", text.split(f"### {rule}: ")[1])[0]
    found = re.findall(r"```diff\n(.*?)```", section, re.DOTALL)
    assert found
    for diff in found:
        before, after = (
            "".join(line[1:] for line in diff.splitlines(keepends=True) if line[0] in kept) for kept in (" -", " +")
        )
        path = write(name, cells(before) if name == "n.ipynb" else before)
        assert migrate("--to", "facade", "--write", *["--unsafe"] * (rule == "AZ203"), path)[0] == 0
        assert path.read_text() == (cells(after) if name == "n.ipynb" else after)


# -- whatever there is ---------------------------------------------------------------------------------------------

PIECES = [
    "import azureml.core", "from azureml.core import Run, Experiment, Workspace", "run = Run.get_context()",
    "ws = Workspace.from_config()", "run = Experiment(ws, 'n').start_logging()", "run.log('a', 1)",
    "for i in x:\n    run.log('a', i)",
    "with exp.start_logging() as run:\n    run.log_list('l', [1, 2])",
    "run.complete()",
    "def f(run): run.log_row('r', a=1)", "f(run)", "child = run.child_run('c'); child.tag('t'); child.complete()",
    "print(f'{run.id} {azureml.core.VERSION}')", "x = [run]", "if 1: run.log_image('i', plot=plt)", "run = None",
    "class A:\n    def __init__(self): self.run = Run.get_context()\n    def f(self):\n        self.run.log('é', 1)",
    "ws.get_default_datastore().upload('a')", "'''\ntext\n'''", "lambda: run.get_metrics()",
    "run.log(\n    'a',  # b\n    1)",
]  # fmt: skip


def rewritten(text, target):
    """Return a text with the changes made that a target asks for: `facade`, `mlflow` or `mlflow, unsafe`."""
    resolution = resolve(sources.parse(text))
    is_unsafe = target.endswith("unsafe")
    result = (
        facade.rewrite(text, resolution)
        if target == "facade"
        else to_mlflow.rewrite(text, resolution, is_unsafe=is_unsafe)
    )
    after = edits.apply(text, [edit for fix in result.fixes if fix.is_safe or is_unsafe for edit in fix.edits])
    sources.parse(after)
    return after


def assert_holds(text, target):
    """Assert that a text, rewritten, parses, and that a second run changes nothing."""
    after = rewritten(text, target)
    assert rewritten(after, target) == after


@pytest.mark.parametrize("target", ["facade", "mlflow", "mlflow, unsafe"])
@given(st.lists(st.sampled_from(PIECES), max_size=6))
def test_whatever_is_rewritten_parses_and_a_second_run_changes_nothing(target, pieces):
    assert_holds("\n".join(pieces) + "\n", target)


@pytest.mark.extra
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("target", ["facade", "mlflow"])
def test_files_of_the_standard_library_with_azureml_in_them(target):
    root = Path(sysconfig.get_paths()["stdlib"])
    count = 0
    failures = {}
    for number, path in enumerate(sorted(root.rglob("*.py"))):
        if "site-packages" in path.parts or number % 4:
            continue
        try:
            (unit,) = sources.units(path)
        except sources.UnreadableError:
            continue
        if unit.tree is None:
            continue
        count += 1
        try:
            assert_holds(spliced(unit.text, unit.tree, number), target)
        except Exception as error:  # noqa: BLE001 - all that fail are shown, whatever it is
            failures[str(path)] = repr(error)
    assert not failures
    assert count > 100


def spliced(text, tree, seed):
    """Put pieces in front of statements of a module, at any depth."""
    offsets = edits.Offsets(text)
    found = []
    for node in ast.walk(tree):
        for body in (getattr(node, "body", None), getattr(node, "orelse", None)):
            for statement in body if isinstance(body, list) else ():
                start = offsets.of(statement.lineno, 0)
                indentation = text[start : offsets.of(statement.lineno, statement.col_offset)]
                is_plain = not indentation.strip() and not getattr(statement, "decorator_list", None)
                if is_plain and (statement.lineno * 7919 + seed) % 23 == 0:
                    piece = PIECES[(statement.lineno + seed) % len(PIECES)]
                    if "'''" not in piece:
                        found.append(
                            edits.Edit(start, start, "".join(f"{indentation}{line}\n" for line in piece.split("\n")))
                        )
    after = edits.apply(text, {edit.start: edit for edit in found}.values())
    try:
        sources.parse(after)
    except SyntaxError:  # in front of what a docstring or __future__ import wants for itself
        return text
    return after
