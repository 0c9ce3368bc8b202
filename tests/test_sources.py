"""Reading files that hold code, and writing changes back into them: nothing but the changes may change."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azml_compat._migrate import edits, magics, notebooks, sources
from azml_compat._migrate.edits import Edit


def notebook(*cells, **more):
    """Return a notebook with code cells of these sources; a tuple is a cell of another type."""
    return {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": 1,
                "id": f"c{number}",
                "metadata": {},
                "outputs": [],
                "source": cell,
            }
            if not isinstance(cell, tuple)
            else {"cell_type": cell[0], "metadata": {}, "source": cell[1]}
            for number, cell in enumerate(cells, 1)
        ],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
        **more,
    }


def lines(text):
    return text.splitlines(keepends=True)


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def main_unit(tmp_path, *cells):
    return sources.units(written(tmp_path / "n.ipynb", json.dumps(notebook(*cells))))[0]


def renamed(path, old, new):
    """Replace a word in all units of a file."""
    source = sources.read(path)
    changes = []
    for unit in (*source.units, *source.others):
        found = []
        at = unit.text.find(old)
        while at >= 0:
            found.append(Edit(at, at + len(old), new))
            at = unit.text.find(old, at + 1)
        changes.append((unit, found))
    return source.edited(changes)


# -- edits ---------------------------------------------------------------------------------------------------------


def test_edits_are_made_at_their_places_in_any_order():
    assert edits.apply("abcdef", [Edit(4, 6, "Z"), Edit(0, 1, ""), Edit(2, 2, "x"), Edit(2, 2, "y")]) == "bxycdZ"


def test_edits_that_overlap_are_refused():
    with pytest.raises(ValueError, match="overlap"):
        edits.apply("abcdef", [Edit(0, 3, ""), Edit(2, 4, "")])


def test_a_diff_of_equal_texts_is_empty_and_one_tells_of_a_missing_line_end():
    assert edits.diff("a\n", "a\n", "x") == ""
    assert edits.diff("a\nb", "a\nb\n", "x") == (
        "--- x\n+++ x\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n"
    )


def test_a_form_feed_ends_no_line_of_a_diff():
    assert edits.diff("a\fb\nc\n", "a\fb\nd\n", "x").splitlines()[3:4] == [" a", "b"][:1]


@given(st.text(alphabet="aé𝔘\f\t '\"=\n", max_size=30))
def test_a_span_holds_the_text_of_its_node(text):
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    offsets = edits.Offsets(text)
    for node in ast.walk(tree):
        if isinstance(node, (ast.expr, ast.stmt)):
            start, end = offsets.span(node)
            assert text[start:end] == ast.get_source_segment(text, node)


# -- scripts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"import azureml\n",
        b"import azureml",
        b"",
        b"\xef\xbb\xbfimport azureml\n",
        b"\xef\xbb\xbf# coding: utf-8\nimport azureml\n",
        "# -*- coding: latin-1 -*-\nx = 'ä'\nimport azureml\n".encode("latin-1"),
        b"import azureml\r\nx = 1\r\n",
        b"x = 1\rimport azureml\ry = 2\r",
        b"x = 1\r\nimport azureml\ny = 2\rz = 3",
        b"x = '''a\r\nb'''\nimport azureml\r\n",
        b"\fimport azureml\n\f\nx = 1\n",
        b"if 1:\n\timport azureml\n        \n",
        "x = 'é\u2028\x85𝔘'; import azureml # ü\n".encode(),
    ],
)
def test_a_script_is_the_same_but_for_the_changes(tmp_path, content):
    path = written(tmp_path / "t.py", content)
    assert sources.read(path).edited([]) == content
    assert renamed(path, "azureml", "azml_compat") == content.replace(b"azureml", b"azml_compat")
    (unit,) = sources.units(path)
    assert unit.tree is not None
    assert not unit.problems


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_new_lines_end_as_the_line_they_are_put_in(tmp_path, end):
    path = written(tmp_path / "t.py", f"a = 1{end}b = 2{end}")
    source = sources.read(path)
    at = source.units[0].text.index("b")
    assert source.edited([(source.units[0], [Edit(at, at, "x = 1\ny = 2\n")])]).decode() == (
        f"a = 1{end}x = 1{end}y = 2{end}b = 2{end}"
    )


def test_what_does_not_parse_is_a_problem_with_its_line(tmp_path):
    (unit,) = sources.units(written(tmp_path / "t.py", b"x = 1\r\nprint 'a'\r\n"))
    assert unit.tree is None
    assert [(problem.cell, problem.line) for problem in unit.problems] == [(None, 2)]
    (unit,) = sources.units(written(tmp_path / "t.py", b"x = 1\0\n"))
    assert len(unit.problems) == 1
    (unit,) = sources.units(written(tmp_path / "t.py", b"x = " + b"(" * 5000))
    assert len(unit.problems) == 1


@pytest.mark.parametrize("content", [b"# coding: no-such\n", b"\xff\xfe\x00", b"x = '\xe4'\n"])
def test_what_is_not_text_is_unreadable(tmp_path, content):
    with pytest.raises(sources.UnreadableError):
        sources.read(written(tmp_path / "t.py", content))


def test_strings_that_python_warns_of_are_read_in_silence(tmp_path):
    assert sources.units(written(tmp_path / "t.py", b"x = '\\d'; y = 1 is 1\n"))[0].tree is not None


def test_a_character_that_the_encoding_lacks_is_an_error(tmp_path):
    source = sources.read(written(tmp_path / "t.py", b"# coding: latin-1\nx = 1\n"))
    with pytest.raises(UnicodeEncodeError):
        source.edited([(source.units[0], [Edit(0, 0, "→")])])


def test_a_text_of_powershells_is_read_and_written_back(tmp_path):
    path = written(tmp_path / "requirements.txt", "azureml-core\r\nnumpy\r\n".encode("utf-16"))
    assert sources.read(path).units == []
    assert renamed(path, "azureml-core", "azml-compat").decode("utf-16") == "azml-compat\r\nnumpy\r\n"


def test_only_files_with_a_name_in_them_are_read_and_none_that_is_too_large(tmp_path, monkeypatch):
    names = re.compile(b"azureml", re.IGNORECASE)
    path = written(tmp_path / "t.py", b"import AzureML\n")
    assert sources.read_if_named(path, names).units[0].raw == "import AzureML\n"
    assert sources.read_if_named(written(tmp_path / "u.py", b"x = (\n"), names) is None
    monkeypatch.setattr(sources, "_MAX_CODE", 10)
    with pytest.raises(sources.UnreadableError, match="too large"):
        sources.read_if_named(path, names)
    monkeypatch.setattr(sources, "_MAX_BYTES", 3)
    with pytest.raises(sources.UnreadableError, match="too large"):
        sources.read_if_named(tmp_path / "u.py", names)


# -- notebooks -----------------------------------------------------------------------------------------------------

SOURCES = [
    "import azureml.core\nx = 'é→𝔘\"\\\\'\n\nprint(x)",
    "import azureml",
    "",
    "a = 1\r\nimport azureml\r\n",
    "\n",
]


@pytest.mark.parametrize("indent", [None, 1, 4, "\t"])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("as_list", [True, False])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_notebook_is_the_same_but_for_the_changes(tmp_path, indent, ascii_only, as_list, end):
    cells = [lines(source) if as_list else source for source in SOURCES]
    content = notebook(("markdown", "azureml é"), *cells)
    content["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["azureml ü"]}]
    text = json.dumps(content, indent=indent, ensure_ascii=ascii_only) + end
    path = written(tmp_path / "n.ipynb", text)
    assert sources.read(path).edited([]).decode() == text

    for cell in content["cells"][1:]:
        cell["source"] = json.loads(json.dumps(cell["source"]).replace("azureml", "azml_compat"))
    expected = json.dumps(content, indent=indent, ensure_ascii=ascii_only) + end
    assert renamed(path, "azureml", "azml_compat").decode() == expected


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("as_list", [True, False])
def test_new_lines_in_a_notebook_are_written_as_its_other_lines(tmp_path, indent, as_list):
    def text(source):
        return json.dumps(notebook(lines(source) if as_list else source), indent=indent, ensure_ascii=False)

    before = "x = 1\ny = 'é'\nz = 3"
    source = sources.read(written(tmp_path / "n.ipynb", text(before)))
    unit = source.units[0]
    for start, end, new in [
        (6, 6, "a = 1\nb = 2\n"), (4, 5, "2\nw = 4"), (0, 6, ""), (0, 14, ""), (5, 6, "; "), (0, 19, "ü\n\"\\t"),
        (19, 19, "\nlast"), (14, 19, ""), (0, 19, ""), (3, 16, "="),
    ]:  # fmt: skip
        after = before[:start] + new + before[end:]
        assert source.edited([(unit, [Edit(start, end, new)])]).decode() == text(after), (start, end, new)


def test_the_only_line_of_a_cell_becomes_several(tmp_path):
    for indent in (None, 1):
        text = json.dumps(notebook(["x = 1"]), indent=indent)
        source = sources.read(written(tmp_path / "n.ipynb", text))
        expected = json.dumps(notebook(["x = 1\n", "y = 2"]), indent=indent)
        assert source.edited([(source.units[0], [Edit(5, 5, "\ny = 2")])]).decode() == expected


def test_escapes_that_others_write_are_kept(tmp_path):
    text = json.dumps(notebook(["import azureml\n", "x = '<b>/'\n"])).replace("<b>/", r"\u003cb\u003E\/")
    path = written(tmp_path / "n.ipynb", text)
    assert renamed(path, "azureml", "azml_compat").decode() == text.replace("azureml", "azml_compat")
    assert renamed(path, "x", "yy").decode() == text.replace('"x = ', '"yy = ')


def test_a_notebook_of_version_3_is_read_and_written(tmp_path):
    content = {
        "metadata": {"name": ""},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [
            {"cells": [{"cell_type": "markdown", "source": "#"}, {"cell_type": "code", "input": ["import azureml"]}]}
        ],
    }
    path = written(tmp_path / "n.ipynb", json.dumps(content))
    assert sources.units(path)[0].place(1) == (2, 1)
    assert renamed(path, "azureml", "x") == json.dumps(content).replace("azureml", "x").encode()


def test_names_cross_cells_and_lines_are_told_by_cell(tmp_path):
    unit = main_unit(tmp_path, "a = 1\nb = 2\n", ("markdown", "#"), "c = a")
    assert unit.text == "a = 1\nb = 2\n\nc = a"
    assert [unit.place(line) for line in (1, 2, 4)] == [(1, 1), (1, 2), (3, 1)]


def test_a_cell_that_does_not_parse_is_masked_and_told_and_the_rest_goes_on(tmp_path):
    unit = main_unit(tmp_path, "a = 1", "x = 1\nprint 'no'", "b = 2")
    assert unit.text == "a = 1\n     \n          \nb = 2"
    assert unit.tree is not None
    assert [(problem.cell, problem.line) for problem in unit.problems] == [(2, 2)]


def test_a_change_over_the_end_of_a_cell_is_refused_but_for_the_line_end(tmp_path):
    path = written(tmp_path / "n.ipynb", json.dumps(notebook("a = 1\nb = 2", "c = 3")))
    source = sources.read(path)
    (unit,) = source.units
    with pytest.raises(ValueError, match="over the end"):
        source.edited([(unit, [Edit(6, 14, "")])])
    changed = json.loads(source.edited([(unit, [Edit(6, 12, "")])]))
    assert [cell["source"] for cell in changed["cells"]] == ["a = 1", "c = 3"]


@pytest.mark.parametrize(
    ("changes", "after"),
    [
        ([Edit(12, 12, "\n\nnew\n\n")], ["a = 1\nb = 2\n\n\nnew", "%%time\nc = 3\nd = 4"]),
        ([Edit(12, 12, "# new\n")], ["a = 1\nb = 2", "%%time\n# new\nc = 3\nd = 4"]),
        ([Edit(6, 12, "new\n")], ["a = 1\nnew", "%%time\nc = 3\nd = 4"]),
        ([Edit(0, 6, ""), Edit(6, 12, "")], ["", "%%time\nc = 3\nd = 4"]),
        ([Edit(0, 12, "")], ["", "%%time\nc = 3\nd = 4"]),
        ([Edit(30, 30, "\nnew\n")], ["a = 1\nb = 2", "%%time\nc = 3\nd = 4\nnew\n"]),
        ([Edit(0, 0, "new\n")], ["new\na = 1\nb = 2", "%%time\nc = 3\nd = 4"]),
    ],
)
def test_lines_at_the_edge_of_a_cell_go_where_they_are_meant_to_be(tmp_path, changes, after):
    path = written(tmp_path / "n.ipynb", json.dumps(notebook("a = 1\nb = 2", "%%time\nc = 3\nd = 4")))
    source = sources.read(path)
    (unit,) = source.units
    assert [cell["source"] for cell in json.loads(source.edited([(unit, changes)]))["cells"]] == after


def test_notebooks_in_other_languages_hold_no_python(tmp_path):
    content = notebook("x <- 1", metadata={"kernelspec": {"language": "R", "name": "ir"}})
    assert sources.units(written(tmp_path / "n.ipynb", json.dumps(content))) == []


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"cells": 1}', '{"cells": [', '{"cells": [{"source": ["a",]', "{"]
)
def test_what_is_no_notebook_is_unreadable(tmp_path, content):
    with pytest.raises(sources.UnreadableError):
        sources.read(written(tmp_path / "n.ipynb", content))


def test_odd_cells_are_passed_over(tmp_path):
    content = {"cells": [{"cell_type": "code"}, {"cell_type": "code", "source": None}, {"source": "x"}, {}]}
    content["cells"] += [{"cell_type": "code", "source": [1]}, {"cell_type": "code", "source": []}]
    assert sources.units(written(tmp_path / "n.ipynb", json.dumps(content)))[0].text == ""


@given(
    st.lists(st.text(alphabet='ab\n\\"/é𝔘\u2028', max_size=6), max_size=5),
    st.data(),
    st.booleans(),
    st.sampled_from([None, 1]),
)
def test_changing_the_cells_of_a_notebook_is_changing_their_text(parts, data, as_list, indent):
    text = "".join(parts)
    value = [part for part in parts if part] if as_list else text

    def of(source):
        content = {"cells": [{"cell_type": "code", "source": source}], "metadata": "ü"}
        return json.dumps(content, indent=indent, ensure_ascii=False)

    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    changes = [
        Edit(start, end, data.draw(st.text(alphabet="x\né", max_size=3)))
        for start, end in zip(places[::2], places[1::2], strict=False)
    ]
    changed = notebooks.parse(of(value)).edited({1: changes})
    source = json.loads(changed)["cells"][0]["source"]
    assert "".join(source) == edits.apply(text, changes)
    assert isinstance(source, list) == as_list
    if not as_list:
        assert changed == of(edits.apply(text, changes))


# -- magics --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "masked"),
    [
        ("%matplotlib inline\nx = 1", "pass              \nx = 1"),
        ("!ls\nx = 1", "0  \nx = 1"),
        ("!pip install azureml-core \\\n  numpy\nx = 1", "pass                       \n       \nx = 1"),
        ("if a:\n    !pip install x\n", "if a:\n    pass          \n"),
        ("files = !ls *.py", "files = 0       "),
        ("a, b['c'] = %timeit -o f()", "a, b['c'] = 0             "),
        ("%time run = f()", "0    ;run = f()"),
        ("%timeit -n 10 -r3 f()", "0                ;f()"[:17].ljust(17) + ";f()"[:0] + "f()"),
        ("Run?\nrun.log??", "Run \nrun.log  "),
        ("?Run", "pass"),
        ("x = (a\n % b)\n%pwd", "x = (a\n % b)\npass"),
        ("x = '''\n%not a magic\n!nor this\n'''", "x = '''\n%not a magic\n!nor this\n'''"),
        ("x = a \\\n  % b", "x = a \\\n  % b"),
        ('s = "it\'s [ = !a"  # = !b\n!echo "it\'s"', 's = "it\'s [ = !a"  # = !b\npass        '),
        ("f(a = b != c)\nd = a!=b\nx %= 3\ny = '%s' % x", "f(a = b != c)\nd = a!=b\nx %= 3\ny = '%s' % x"),
        ("print(f\"{d['a']} = !x\")\n!ls -la", "print(f\"{d['a']} = !x\")\npass   "),
        ("'unclosed\n!ls -la", "'unclosed\npass   "),
        ("/f x\n,g a b\n;h c", "pass\npass  \npass"),
    ],
)
def test_what_is_no_python_is_masked_in_its_place(source, masked):
    if source.startswith("%timeit"):
        masked = "0".ljust(len(source) - len("f()") - 1) + ";f()"
    assert magics.mask(source) == masked


@given(st.lists(st.sampled_from(["%a b", "!ls 'x", "x = !ls", "x = 1", "(", ")", "'''", "\\", "f?", "# '", "\n"])))
def test_masking_keeps_lines_and_columns(tokens):
    source = " ".join(tokens).replace(" \n ", "\n")
    masked = magics.mask(source)
    assert [len(line) for line in masked.split("\n")] == [len(line) for line in source.split("\n")]


@pytest.mark.parametrize("magic", ["%%time", "%%capture out", "%%timeit -n 1", "%%unheard_of", "\n%%time"])
def test_python_below_a_cell_magic_is_read(tmp_path, magic):
    unit = main_unit(tmp_path, f"{magic}\nimport azureml\n%pwd\n")
    assert "import azureml\npass\n" in unit.text
    assert len(unit.text) == len(unit.raw)


@pytest.mark.parametrize("magic", ["%%bash", "%%html", "%%js", "%%sql x", "%%!"])
def test_other_languages_are_masked_as_a_whole(tmp_path, magic):
    unit = main_unit(tmp_path, f"{magic}\nimport azureml\n", "x = 1")
    assert unit.text.split() == ["x", "=", "1"]
    assert not unit.problems


def test_an_unknown_magic_whose_cell_is_no_python_is_masked_in_silence(tmp_path):
    unit = main_unit(tmp_path, "%%whatever\nselect * from x", "%%other\nhello")
    assert not unit.text.strip()
    assert not unit.problems


def test_a_command_that_ipython_knows_without_its_sign_is_no_problem(tmp_path):
    unit = main_unit(tmp_path, "pip install azureml-core", "x = 1")
    assert unit.text.split() == ["x", "=", "1"]
    assert not unit.problems


@pytest.mark.parametrize("magic", ["%%writefile train.py", "%%writefile $folder/train.py", '%%file -a "a b/train.py"'])
def test_a_file_that_a_cell_writes_is_a_unit_of_its_own(tmp_path, magic):
    path = written(tmp_path / "n.ipynb", json.dumps(notebook("import azureml", f"{magic}\nimport azureml\nx = 1")))
    own, train = sources.units(path)
    assert own.text.split() == ["import", "azureml"]
    assert (train.name, train.text) == ("train.py", "import azureml\nx = 1")
    assert train.place(2) == (2, 3)
    assert renamed(path, "azureml", "x") == path.read_bytes().replace(b"azureml", b"x")


def test_cells_that_are_appended_to_a_file_make_one_unit(tmp_path):
    path = written(tmp_path / "n.ipynb", json.dumps(notebook("%%writefile t.py\na = 1", "%%writefile -a t.py\nb = a")))
    _, unit = sources.units(path)
    assert unit.text == "a = 1\nb = a"
    assert unit.place(2) == (2, 2)


@pytest.mark.parametrize("other", ["%%writefile b/t.py", "%%writefile a/t.py", "%%writefile -a b/t.py"])
def test_cells_that_write_files_anew_make_a_unit_each(tmp_path, other):
    path = written(tmp_path / "n.ipynb", json.dumps(notebook("%%writefile a/t.py\na = 1", f"{other}\nb = 2")))
    _, *units = sources.units(path)
    assert [(unit.name, unit.text) for unit in units] == [("t.py", "a = 1"), ("t.py", "b = 2")]


def test_a_file_of_another_kind_that_a_cell_writes_is_a_text(tmp_path):
    path = written(
        tmp_path / "n.ipynb", json.dumps(notebook("%%writefile conda.yml\na: 1", "%%writefile $f\nimport os"))
    )
    source = sources.read(path)
    assert [unit.name for unit in source.others] == ["conda.yml"]
    assert [unit.name for unit in source.units] == ["n.ipynb", "$f"]


# -- finding and writing -------------------------------------------------------------------------------------------


def test_a_folder_gives_the_users_python_notebooks_and_requirements(tmp_path):
    for name in (
        "a.py", "b/c.ipynb", "b/requirements.txt", "b/notes.txt", "env.yml", ".git/x.py", "venv/pyvenv.cfg",
        "venv/x.py",
        "node_modules/x.py", "b/.ipynb_checkpoints/c.ipynb", "__pycache__/x.py", "site-packages/x.py", "out/x.py",
        "b/gen/x.py", "b/gen/keep.py", "lib/gen/x.py",
    ):  # fmt: skip
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    (tmp_path / ".gitignore").write_text("# built\n/out/\n!\n")
    (tmp_path / "b/.gitignore").write_text("gen/*\n!gen/keep.py\n")
    found = [path.relative_to(tmp_path).as_posix() for path in sources.find([tmp_path])]
    assert sorted(found) == [
        "a.py", "b/c.ipynb", "b/gen/keep.py", "b/requirements.txt", "env.yml", "lib/gen/x.py",
    ]  # fmt: skip
    assert [path.name for path in sources.find([tmp_path / "out"])] == ["x.py"]
    assert [path.name for path in sources.find([tmp_path / "b"])][:1] == ["c.ipynb"]
    assert [path.name for path in sources.find([tmp_path / "b/notes.txt"])] == ["notes.txt"]


def test_what_is_ignored_by_the_repository_is_ignored_in_a_folder_of_it(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / ".gitignore").write_text("secret.py\n")
    for name in ("a/b/secret.py", "a/b/x.py"):
        (tmp_path / name).touch()
    assert [path.name for path in sources.find([tmp_path / "a/b"])] == ["x.py"]


def test_a_file_that_is_reached_twice_is_looked_at_once(tmp_path):
    (tmp_path / "a.py").touch()
    (tmp_path / "b.py").symlink_to("a.py")
    assert len(list(sources.find([tmp_path, tmp_path / "a.py", tmp_path]))) == 1


def test_a_path_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(sources.find([tmp_path / "none"]))


def test_writing_keeps_the_mode_and_the_link(tmp_path):
    file = written(tmp_path / "a.py", b"x")
    file.chmod(0o750)
    link = tmp_path / "b.py"
    link.symlink_to("a.py")
    sources.write(link, b"y")
    assert link.is_symlink()
    assert file.read_bytes() == b"y"
    assert file.stat().st_mode & 0o777 == 0o750
    assert not list(tmp_path.glob(".*"))


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path, monkeypatch):
    file = written(tmp_path / "a.py", b"x")

    def fail(*_):
        raise OSError("no space")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        sources.write(file, b"y")
    assert not list(tmp_path.glob(".*"))
    assert file.read_bytes() == b"x"
