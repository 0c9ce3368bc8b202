"""The examples are migrated by the tool, run before and after, and record the same but for what the docs list."""

from __future__ import annotations

import ast
import json
import re
import shutil
import textwrap
from pathlib import Path

import pytest

from azml_compat._cli import main

ROOT = Path(__file__).parents[1]
EXAMPLES = [*sorted((ROOT / "examples" / "v1").glob("*.*")), ROOT / "examples" / "trial.py"]
DOCS = (ROOT / "docs" / "migrating.md").read_text("utf-8")
SCRIPTS = [path.name for path in EXAMPLES]


def known_differences(script: str) -> list[tuple[str, str]]:
    """Return what the docs list of a script: (which run, kind and name)."""
    section = DOCS.partition("## What differs after step 3\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([^`]+)` \| (.+?): (.+?) \|", section, re.MULTILINE)
    return [(run, what) for name, run, what in rows if name == script]


def docs_block(name: str) -> str:
    """Return the Python of the docs that is marked by a comment."""
    return re.search(rf"<!-- {name}.*?-->\n```python\n(.*?)```", DOCS, re.DOTALL)[1]


def folded(text: str) -> str:
    """Return a migrated script with the functions that were put into it as one line of comment."""
    lines = text.splitlines(keepends=True)
    body = ast.parse(text).body
    imports = max(node.end_lineno for node in body if isinstance(node, (ast.Import, ast.ImportFrom)))
    first = next(node.lineno for node in body if ast.unparse(node).startswith("parser"))
    names = ", ".join(node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef)))
    note = textwrap.fill(f"{names}: {first - imports} lines", 100, initial_indent="# … ", subsequent_indent="#   ")
    return "".join([*lines[:imports], f"\n{note}\n\n", *lines[first - 1 :]])


@pytest.fixture
def migrated():
    """A copy of the examples, `old`, and one that a test migrates, `new`."""
    for name in ("old", "new"):
        shutil.copytree(ROOT / "examples" / "v1", name)
        shutil.copy(ROOT / "examples" / "trial.py", name)

    def migrate(script: str, target: str) -> list[str]:
        assert main(["migrate", f"new/{script}", "--to", target, "--write"]) == 0
        return [f"old/{script}", f"new/{script}"]

    return migrate


def differences(words: list[str], capfd: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    capfd.readouterr()
    code = main(["verify", "--json", *words])
    report = json.loads(capfd.readouterr().out)
    assert code == (1 if report["differences"] else 0)
    return [(found["run"], f"{found['kind']} {found['name']}".strip()) for found in report["differences"]]


def test_there_are_examples_of_every_tracking_call():
    text = "".join(path.read_text("utf-8") for path in EXAMPLES)
    calls = set(re.findall(r"\.(\w+)\(", text))

    assert len(SCRIPTS) >= 8
    assert calls >= {
        *("log", "log_list", "log_row", "log_table", "log_image"),
        *("log_confusion_matrix", "log_accuracy_table", "log_residuals", "log_predictions"),
        *("tag", "set_tags", "get_tags", "add_properties", "get_properties"),
        *("upload_file", "upload_files", "upload_folder", "get_file_names", "download_file", "download_files"),
        *("child_run", "create_children", "get_children", "start_logging", "get_context"),
        *("complete", "fail", "cancel", "get_status", "get_metrics", "get_runs", "register_model"),
    }


def test_the_script_in_the_docs_becomes_what_the_docs_say(capfd):
    Path("train.py").write_text(docs_block("before"))

    assert main(["migrate", "train.py", "--to", "mlflow", "--write"]) == 0
    assert folded(Path("train.py").read_text()) == docs_block("after")


@pytest.mark.extra
@pytest.mark.parametrize("script", SCRIPTS)
def test_with_changed_imports_an_example_records_the_same(migrated, script, capfd):
    assert differences(migrated(script, "facade"), capfd) == []


@pytest.mark.extra
@pytest.mark.parametrize("store", ["sqlite", "http"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_on_plain_mlflow_an_example_records_the_same_but_for_what_the_docs_list(
    migrated, script, store, request, capfd
):
    words = migrated(script, "mlflow")
    new = Path(words[1]).read_text("utf-8")
    on = ["--on", request.getfixturevalue("server")] if store == "http" else []

    assert differences([*words, *on], capfd) == known_differences(script)
    assert "azureml.core" not in new
    assert "azml_compat" not in new
