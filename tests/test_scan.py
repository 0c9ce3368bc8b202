"""`azml-compat scan`: each use is classified, each format holds what was found, and no file stops the rest."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from azml_compat import _cli
from azml_compat._migrate import returns, scanning, sources
from azml_compat._migrate.reports import FORMATS, View, render
from azml_compat._migrate.rules import RULES
from azml_compat._migrate.scanning import Finding, Report, Task, look_at
from azml_compat._support import support_of
from azml_compat._surface import class_at

ROOT = Path(__file__).parent.parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(text: str, folder: Path, name: str = "script.py") -> list[Finding]:
    """Return all findings in a file."""
    (folder / name).write_text(dedent(text), encoding="utf-8")
    return list(look_at(Task(Path(name))).findings)


def notebook(*cells: str | list[str], **rest: Any) -> str:
    """Return a notebook with code cells."""
    made = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": cell} for cell in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **rest})


def scan(*arguments: str) -> int:
    """Run the command."""
    return _cli.main(["scan", *arguments])


# -- what is found


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("print(1)", id="nothing"),
        pytest.param("# azureml is not used\nlogger.log(1, 2)\nmath.log(3)", id="not-imported"),
        pytest.param("import azureml_other\nazureml_other.Workspace.images", id="another-package"),
        pytest.param(
            """
            from azureml.core import Run
            run = Run.get_context()
            run.log('a', 1, step=3)
            run.parent.log('b', 2)
            """,
            id="runs-unchanged",
        ),
        pytest.param(
            "from azureml.core import Webservice\ndef f(s: Webservice): isinstance(s, Webservice)", id="named"
        ),
        pytest.param("import azureml.core as a\nisinstance(1, a.Webservice)\na.image.container", id="named-dotted"),
        pytest.param("from azureml.core import Workspace\nWorkspace = list\nWorkspace.images", id="shadowed"),
        pytest.param("class Model:\n    def deploy(self): pass\nimport azureml\nModel.deploy()", id="lookalike"),
        pytest.param(
            "from azureml.core import Dataset\nm = Dataset.File.from_files('a').mount()\nm.start(), m.mount_point",
            id="mounted",
        ),
        pytest.param("from azureml.core import Run\nRun.__dict__, Run.__name__", id="of-all-classes"),
    ],
)
def test_what_runs_unchanged_is_no_finding(text: str, folder: Path) -> None:
    assert found(text, folder) == []


@pytest.mark.parametrize(
    ("text", "rule", "level", "says"),
    [
        ("from azureml.core import Workspace\nWorkspace.from_config().images", "AZ104", "refused", "Instead: "),
        ("from azureml.core.model import Model\nModel.deploy()", "AZ104", "refused", "mlflow models serve"),
        ("from azureml.pipeline.core import Pipeline", "AZ103", "refused", "importing it fails"),
        ("from azureml.train.hyperdrive import choice\nchoice(1, 2)", "AZ103", "refused", "Optuna"),
        ("import azureml.core\nazureml.core.Workspace.from_confg()", "AZ105", "unknown", "`from_config`?"),
        ("from azureml.core import Wrokspace", "AZ105", "unknown", "`Workspace`?"),
        ("import azureml.nothing", "AZ105", "unknown", "`azureml` has no `nothing`"),
        ("from azureml.designer.tools import x", "AZ105", "unknown", "`azureml.designer.tools` is not of the SDK"),
        ("from azureml._restclient.run_client import RunClient", "AZ106", "unknown", "private"),
        ("from azureml.core import Run\nRun.get_context()._client.x", "AZ106", "unknown", "private"),
        ("from azureml.core import Environment\nEnvironment('e').docker.enabled = True", "AZ102", "inert", "no effect"),
        ("try:\n    import azureml.interpret\nexcept ImportError:\n    pass", "AZ107", "partial", "goes on without it"),
        ("try:\n    import azureml.interpret\nexcept KeyError:\n    pass", "AZ104", "refused", "importing it fails"),
        (
            "from azureml.core import Run\nRun.get_context().download_files('a', batch_size=3)",
            "AZ101",
            "partial",
            "`batch_size`: accepted, no effect",
        ),
        (
            "from azureml.core import Run\nRun.get_context().download_files('a', 'b', None, False, 3)",
            "AZ101",
            "partial",
            "`batch_size`: accepted, no effect",
        ),
        (
            "from azureml.core import Experiment\nExperiment(w, 'e').start_logging(logs=None, outputs=None)",
            "AZ101",
            "partial",
            "`logs`",
        ),
    ],
)
def test_each_level_has_its_rule(text: str, rule: str, level: str, says: str, folder: Path) -> None:
    findings = [finding for finding in found(text, folder) if not finding.is_note]
    assert [(finding.rule, finding.level) for finding in findings] == [(rule, level)]
    assert says in findings[0].message
    assert "\n" not in findings[0].message


@pytest.mark.parametrize(
    "call",
    [
        "Run.get_context().download_files('a')",
        "Run.get_context(allow_offline=False)",
        "Experiment(w, 'e').start_logging(outputs=None, display_name='d', snapshot_directory=None)",
    ],
)
def test_what_is_partial_is_no_finding_where_the_call_leaves_that_part_out(call: str, folder: Path) -> None:
    assert found(f"from azureml.core import Experiment, Run\n{call}", folder) == []


def test_what_is_partial_is_a_note_where_the_call_does_not_tell(folder: Path) -> None:
    (note,) = found("from azureml.core import Run\nRun.get_context().get_details()", folder)
    assert note.is_note
    assert note.rule == "AZ101"
    assert scan("script.py") == 0
    (note,) = found("from azureml.core import Run\nRun.get_context().download_files(**options)", folder)
    assert note.is_note


def test_a_finding_stands_where_the_name_does(folder: Path) -> None:
    text = "from azureml.core import Model\ntext = 'é'; (\n    Model\n    .deploy())\n'ü'; Model.deploy()\n"
    assert [finding.place for finding in found(text, folder)] == ["script.py:4:6", "script.py:5:12"]


def test_names_cross_the_cells_of_a_notebook(folder: Path) -> None:
    text = notebook(
        "%matplotlib inline\nfrom azureml.core import Workspace",
        "!pip install azureml-core\nws = Workspace.from_config()",
        ["print(1)\n", "ws.images"],
        "%%writefile train.py\nfrom azureml.core import Model\n\nModel.deploy()",
    )
    findings = found(text, folder, "n.ipynb")
    assert [(finding.place, finding.rule) for finding in findings] == [
        ("n.ipynb:cell 2:1:14", "AZ201"),
        ("n.ipynb:cell 3:2:4", "AZ104"),
        ("n.ipynb:cell 4:4:7", "AZ104"),
    ]


def test_a_cell_that_does_not_parse_hides_no_other(folder: Path) -> None:
    findings = found(notebook("import azureml.core as a", "print 'azureml'", "a.Nothing"), folder, "n.ipynb")
    assert [(finding.cell, finding.rule) for finding in findings] == [(2, "AZ001"), (3, "AZ105")]


def test_requirements_are_found_with_what_to_write_instead(folder: Path) -> None:
    findings = found("numpy\n  azureml-core==1.2\nazureml-opendatasets\nazureml-dataprep\n", folder, "requirements.txt")
    assert [(finding.place, finding.rule, finding.level) for finding in findings] == [
        ("requirements.txt:2:3", "AZ201", "inert"),
        ("requirements.txt:3:1", "AZ203", "refused"),
        ("requirements.txt:4:1", "AZ202", "inert"),
    ]
    assert "Write azml-compat." in findings[0].message
    listed = found("dependencies:\n- pip:\n  - azureml-sdk\n", folder, "conda.yml")
    assert [finding.rule for finding in listed] == ["AZ201"]


def test_scripts_that_import_the_facade_are_looked_at_too(folder: Path) -> None:
    assert [f.rule for f in found("from azml_compat.core import Model\nModel.deploy()", folder)] == ["AZ104"]


# -- whatever is in a file


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("a.py", b"import azureml\nprint 'a'", "AZ001"),
        ("a.py", b"import azureml\n\0", "AZ001"),
        ("a.py", b"import azureml\n" + b"(" * 5000 + b")" * 5000, "AZ001"),
        ("a.py", b"import azureml\nx = " + b"-" * 100_000 + b"1", "AZ001"),
        ("a.py", b"import azureml\n" + b"x = 1\n" * 400_000, "AZ002"),
        ("a.py", b"# azureml \xff\xfe", "AZ002"),
        ("a.py", b"# coding: nothing\nimport azureml", "AZ002"),
        ("a.ipynb", b"azureml", "AZ002"),
        ("a.ipynb", b'{"azureml": 1}', "AZ002"),
        ("a.ipynb", b'["azureml"]', "AZ002"),
        ("a.ipynb", b'{"cells": ["azureml"]}', "AZ002"),
        ("a.ipynb", b'{"azureml": ' + b"[" * 100_000, "AZ002"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_finding(name: str, content: bytes, rule: str, folder: Path) -> None:
    (folder / name).write_bytes(content)
    (folder / "b.py").write_text("from azureml.core import Model\nModel.deploy()")
    report = scanning.scan(list(sources.find([Path()])))
    assert [finding.rule for finding in report.findings] == [rule, "AZ104"]
    assert report.findings[0].level == "unknown"
    assert scan(".") == 1


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        (
            json.dumps(
                {"worksheets": [{"cells": [{"cell_type": "code", "input": ["import azureml\n", "azureml.x"]}]}]}
            ),
            1,
        ),
        (notebook(["import azureml\n", "azureml.x"]), 1),
        (notebook("import azureml\nazureml.x"), 1),
        ("\ufeff" + notebook("import azureml\nazureml.x"), 1),
        (notebook([1, 2], {"a": 1}, "import azureml\nazureml.x"), 1),  # type: ignore[arg-type, list-item]  # broken
        (notebook("azureml.x", metadata={"kernelspec": {"language": "R"}}), 0),
    ],
)
def test_notebooks_of_any_age_are_read(content: str, cells: int, folder: Path) -> None:
    (folder / "n.ipynb").write_text(content, encoding="utf-8")
    assert [finding.rule for finding in look_at(Task(Path("n.ipynb"))).findings] == ["AZ105"] * cells


def test_encodings_and_line_ends_are_as_python_takes_them(folder: Path) -> None:
    text = "# coding: latin-1\r\nimport azureml.core as a\r\n'é'; a.Nothing\r\n"
    (folder / "a.py").write_bytes(text.encode("latin-1"))
    (folder / "b.py").write_bytes(b"\xef\xbb\xbfimport azureml.core as a\ra.Nothing\r")
    places = [finding.place for finding in scanning.scan(list(sources.find([Path()]))).findings]
    assert places == ["a.py:3:8", "b.py:2:3"]


def test_links_in_a_circle_and_closed_files_stop_nothing(folder: Path) -> None:
    (folder / "loop").symlink_to(folder)
    (folder / "lost.py").symlink_to("nowhere.py")
    (folder / "a.py").write_text("import azureml.core as a\na.Nothing")
    closed = folder / "closed.py"
    closed.write_text("import azureml")
    closed.chmod(0)
    rules = [finding.rule for finding in scanning.scan(list(sources.find([Path()]))).findings]
    assert rules == (["AZ105"] if os.access(closed, os.R_OK) else ["AZ105", "AZ002"])


# -- the command


SCRIPT = """\
from azureml.core import Environment, Model, Run
run = Run.get_context()
run.log("a", 1)
run.get_details()
Environment("e").docker.enabled = True
Model.deploy("<b>%")
"""


def test_lines_a_summary_and_the_exit_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.py").write_text(SCRIPT)
    (folder / "b.py").write_text("from azureml.core import Run\nRun.get_context()\n")
    (folder / "c.py").write_text("print(1)\n")
    assert scan(".") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("a.py:5:25  AZ102  inert  `DockerSection.enabled` has no effect")
    assert lines[1].startswith("a.py:6:7  AZ104  refused  `Model.deploy` is not supported: ")
    assert lines[2:] == [
        "",
        "3 files looked at, 2 with azureml.",
        "1 of 2 files run unchanged (50.0%), 1 of them without a finding.",
        "5 of 6 calls covered (83.3%).",
        "Not shown: 2 notes and findings (--all shows them).",
        "Names that hold back most, by files:",
        "  1  azureml.core.model.Model.deploy",
    ]
    assert scan("b.py", "c.py") == 0


def test_the_level_decides_what_is_shown_and_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.py").write_text(SCRIPT.replace("Model.deploy", "print"))
    assert scan("a.py") == 1
    assert scan("--level", "partial", "a.py") == 0
    capsys.readouterr()
    assert scan("--level", "partial", "--all", "a.py") == 0
    out = capsys.readouterr().out
    assert re.findall(r"AZ\d+  (\w+)", out) == ["runs"] * 5 + ["note", "runs", "note", "inert"]


@pytest.mark.parametrize("arguments", [["nowhere"], [], ["--explain", "AZ999"], ["a.py", "--output", "no/such/folder"]])
def test_mistakes_are_exit_code_2(arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.py").write_text("")
    assert scan(*arguments) == 2
    assert capsys.readouterr().err.startswith("azml-compat scan: ")


def test_an_unknown_option_is_exit_code_2(folder: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        scan("--formt", "json")
    assert ended.value.code == 2


def test_rules_explain_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    assert scan("--explain", "az104") == 0
    assert capsys.readouterr().out.startswith("AZ104: not supported\n\n")


def test_every_rule_has_its_section_in_the_guide() -> None:
    guide = (ROOT / "docs" / "migrating.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (AZ\d{3}): (.*)$", guide, re.MULTILINE)
    assert sorted(headings) == sorted((rule.id, rule.title) for rule in RULES.values())


def test_the_report_goes_to_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.py").write_text(SCRIPT)
    assert scan("a.py", "--format", "json", "--output", "report.json") == 1
    assert capsys.readouterr().out == ""
    content = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert [finding["rule"] for finding in content["findings"]] == ["AZ102", "AZ104"]
    assert content["summary"]["holding_back"] == [{"name": "azureml.core.model.Model.deploy", "files": 1}]
    assert content["summary"]["calls"]["refused"] == 1


def test_a_terminal_sees_how_far_the_scan_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.py").write_text("print(1)")
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", screen)
    assert scan("a.py") == 0
    assert screen.getvalue() == "\r1 of 1 files\r\033[K"


def sample(folder: Path) -> Report:
    """Report on files that want every kind of escaping."""
    (folder / 'a<"&,:%é.py').write_text(SCRIPT)
    (folder / "n.ipynb").write_text(notebook("from azureml.core import Model", "Model.deploy()"))
    return scanning.scan(sorted(sources.find([Path()])))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("is_all", [False, True])
def test_every_format_shows_every_finding(form: str, is_all: bool, folder: Path) -> None:
    report = sample(folder)
    text = render(View(report, "inert", is_all), form)
    assert text.endswith("\n")
    shown = [finding for finding in report.findings if is_all or not finding.is_note]
    expected = {rule: [finding.rule for finding in shown].count(rule) for rule in ("AZ101", "AZ102", "AZ104")}
    places = {
        "terminal": r"^.*?:\d+  (AZ\d+)  ",
        "json": r'"rule": "(AZ\d+)"',
        "html": r">(AZ\d+)</a>",
        "sarif": r'"ruleId": "(AZ\d+)"',
        "github": r"^::.*title=(AZ\d+)",
    }
    rules = re.findall(places[form], text, re.MULTILINE)
    assert {rule: rules.count(rule) for rule in expected} == expected


@pytest.mark.skipif(sys.platform != "linux", reason="only there a file may have any name")
def test_no_name_of_a_file_breaks_a_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path(os.fsdecode(b"\xff\n\x1b[2J.py")).write_text(SCRIPT)
    report = scanning.scan(list(sources.find([Path()])))
    texts = {form: render(View(report, "refused", is_all=False), form) for form in FORMATS}
    assert texts["terminal"].startswith("\udcff\\n\\x1b[2J.py:6:7  AZ104")
    assert json.loads(texts["json"])["findings"][0]["line"] == 6
    assert '"uri": "%FF%0A%1B%5B2J.py"' in texts["sarif"]
    assert texts["github"].startswith("::error file=\udcff%0A")
    texts["html"].encode()
    assert scan(".", "--output", "report.txt") == 1


def test_sarif_has_what_the_schema_asks_for(folder: Path) -> None:
    content = json.loads(render(View(sample(folder), "inert", is_all=True), "sarif"))
    assert content["version"] == "2.1.0"
    (run,) = content["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert run["tool"]["driver"]["name"] == "azml-compat"
    assert [rule["id"] for rule in rules] == list(RULES)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("note", "warning", "error")
        assert result["message"]["text"]
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert uri in ("a%3C%22%26%2C%3A%25%C3%A9.py", "n.ipynb")
        region = location["physicalLocation"].get("region")
        assert region is None if uri == "n.ipynb" else region["startLine"] >= 1 and region["startColumn"] >= 1


def test_html_is_one_page_that_holds_nothing_of_others(folder: Path) -> None:
    text = render(View(sample(folder), "inert", is_all=True), "html")
    assert "a&lt;&quot;&amp;,:%é.py" in text
    tags = set(re.findall(r"\w+", "html head meta title style body h1 h2 p br table tr td code a"))
    opened: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag in tags
            assert all(name in ("lang", "charset", "href", "title", "class", "id") for name, _ in attrs)
            assert all((value or "").startswith("#") for name, value in attrs if name == "href")
            if tag not in ("meta", "br"):
                opened.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Reader(convert_charrefs=True).feed(text)
    assert opened == []


def test_workflow_commands_are_escaped(folder: Path) -> None:
    lines = render(View(sample(folder), "inert", is_all=False), "github").splitlines()
    name = 'a<"&%2C%3A%25é.py'
    assert lines[0].startswith(f"::warning file={name},line=5,col=25,title=AZ102%3A has no effect::`DockerSection")
    assert lines[1].startswith(f"::error file={name},line=6,col=7,title=AZ104%3A not supported::")
    assert lines[2].startswith("::error file=n.ipynb,title=AZ104%3A not supported::Cell 2, line 1: ")
    assert lines[-1].startswith("::notice title=azml-compat scan::2 files looked at, ")
    assert "%25" in lines[-1]


# -- the tables


def test_what_members_give_are_members_and_classes_that_there_are() -> None:
    for owner, table in returns._CLASSES.items():
        for name in table:
            returns.gives(owner, name)
            if class_at(owner) is not None and not name.startswith("__"):
                assert support_of(f"{owner}.{name}") is not None, f"{owner}.{name}"
    for name in returns._CONSTRUCTS:
        assert returns.constructs(returns.located(f"azureml.core.{name}"))[0].kind == "instance"
    for name in returns._SUBMITS:
        assert returns.submits(f"azureml.{name}")


def test_looking_at_files_imports_neither_mlflow_nor_the_data_libraries(folder: Path) -> None:
    import subprocess

    (folder / "a.py").write_text(SCRIPT)
    code = (
        "import sys; from azml_compat import _cli; _cli.main(['scan', 'a.py']); "
        "assert not {'mlflow', 'pandas', 'numpy'} & set(sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True
    )
