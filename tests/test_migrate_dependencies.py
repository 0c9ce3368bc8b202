"""`azml-compat migrate` on what lists requirements: the SDK's packages give way to what is needed, the rest stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from azml_compat._dependencies import Dependency
from azml_compat._migrate import requirements, sources


def rewritten(name, text, target="facade", *, unsafe=False):
    """Return a file rewritten, and (rule, line, message) of what was left."""
    path = Path(name)
    path.write_text(text, encoding="utf-8", newline="")
    source = sources.read(path)
    changes, left = [], []
    for unit in (*source.units, *source.others):
        result = requirements.rewrite(unit, target)
        left += result.marks
        changes.append((unit, [edit for fix in result.fixes if fix.is_safe or unsafe for edit in fix.edits]))
    return source.edited(changes).decode(), left


def check(name, before, after, target="facade", *, unsafe=False, left=0):
    done, marks = rewritten(name, before, target, unsafe=unsafe)
    assert done == after
    assert len(marks) == left
    assert rewritten(name, after, target, unsafe=unsafe)[0] == after
    return marks


REQUIREMENTS = """\
# what azureml-core needs
numpy==1.26.4  # azureml-core
azureml-core==1.44.0  # the SDK
AzureML_Mlflow
azureml-sdk[notebooks]>=1.0
azureml-inference-server-http
my-azureml-core
"""


def test_a_requirements_file_names_each_package_once():
    check(
        "requirements.txt",
        REQUIREMENTS,
        "# what azureml-core needs\nnumpy==1.26.4  # azureml-core\nazml-compat  # the SDK\n"
        "azureml-inference-server-http\nmy-azureml-core\n",
    )
    check(
        "requirements.txt",
        REQUIREMENTS,
        "# what azureml-core needs\nnumpy==1.26.4  # azureml-core\nmlflow  # the SDK\n"
        "azureml-inference-server-http\nmy-azureml-core\n",
        "mlflow",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("azureml-core", "azml-compat"),
        ("azureml-core\r\nnumpy\r\n", "azml-compat\r\nnumpy\r\n"),
        ("numpy\nazureml-mlflow", "numpy"),
        ("azureml-mlflow", ""),
        ("azureml-core ; python_version < '3.9' # why", "azml-compat ; python_version < '3.9' # why"),
        ("azureml-core @ https://x.org/a;b.whl ; os_name=='nt'", "azml-compat ; os_name=='nt'"),
        ("azml-compat\nazureml-core\n", "azml-compat\n"),
        ("azureml-fsspec>=1\n", "fsspec\n"),
        ("-r more.txt\n-c azureml-core.txt\n--extra-index-url https://azureml-core/\n", None),
        ("azureml-mlflow==1 \\\n    --hash=sha256:a \\\n    --hash=sha256:b\nnumpy\n", "numpy\n"),
        ("azureml-mlflow --no-binary :all:\nnumpy\n", "numpy\n"),
        ("azureml\nazureml_of_mine\n", None),
    ],
)
def test_lines_of_a_requirements_file(before, after):
    check("requirements-dev.txt", before, before if after is None else after)


def test_a_requirement_with_hashes_is_left_to_a_person():
    text = "azureml-core==1.2 \\\n    --hash=sha256:abc\n"
    (mark,) = check("requirements.txt", text, text, left=1)
    assert (mark.rule, mark.line) == ("AZ201", 1)
    assert "write azml-compat, by hand" in mark.message


def test_what_scripts_would_miss_is_removed_when_that_is_asked_for():
    text = "azureml-train-automl\nnumpy\n"
    check("requirements.txt", text, text)
    check("requirements.txt", text, "numpy\n", unsafe=True)


CONDA = """\
name: azureml-core
dependencies:
  - python=3.8
  - pip:
    - --find-links x
    - "azureml-defaults~=1.50" # for azureml-sdk
    # kept
    - azureml-mlflow
    - numpy
"""


def test_a_conda_file_keeps_its_comments_and_order():
    after = CONDA.replace("azureml-defaults~=1.50", "azml-compat").replace("    - azureml-mlflow\n", "")
    check("conda.yml", CONDA, after)
    check("env.yaml", CONDA.replace("\n", "\r\n"), after.replace("\n", "\r\n"))
    check("conda.yml", CONDA, after.replace("azml-compat", "mlflow"), "mlflow")


def test_a_list_that_must_not_be_empty_keeps_what_is_needed():
    before = "dependencies:\n- pip:\n  - azureml-mlflow\n  - azureml-dataprep\n"
    check("conda.yml", before, "dependencies:\n- pip:\n  - azml-compat\n")
    before = "dependencies:\n- pip:\n  - azureml-mlflow\n  - azureml-core\n"
    check("conda.yml", before, "dependencies:\n- pip:\n  - azml-compat\n")
    before = "dependencies:\n- pip:\n  - azureml-train-automl\n  - azureml-dataprep\n"
    check("conda.yml", before, "dependencies:\n- pip:\n  - azureml-train-automl\n  - azml-compat\n")
    check("conda.yml", before, "dependencies:\n- pip:\n  - azml-compat\n", unsafe=True)
    check("conda.yml", "dependencies: [pip: [azureml-mlflow, x]]", "dependencies: [pip: [x]]")


def test_what_conda_does_not_have_is_left_to_a_person():
    text = "dependencies:\n  - azureml-core=1.50\n  - pip\n"
    (mark,) = check("conda.yml", text, text, left=1)
    assert "where the packages of pip are listed" in mark.message
    check("conda.yml", text, "dependencies:\n  - mlflow\n  - pip\n", "mlflow")


def test_a_run_configuration_is_a_conda_file_too():
    before = "environment:\n  condaDependencies:\n    dependencies:\n    - pip: [azureml-sdk, azureml-core]\n"
    check("train.runconfig", before, before.replace("azureml-sdk, azureml-core", "azml-compat"))


PYPROJECT = """\
[project]
name = "azureml-of-mine"
keywords = ["azureml-core"]
dependencies = [
  "numpy",
  "azureml-core>=1.50; python_version < '3.9'", # azureml-sdk
  'azureml-mlflow',
]

[project.optional-dependencies]
azure = ["azureml_mlflow", "azureml-sdk ; python_version < \\"3.9\\""]

[tool.poetry.dependencies]
azureml-core = "^1.50" # one
azureml-train-core = { version = "*", optional = true }
numpy = "*"
"""


def test_a_pyproject_file_in_the_ways_of_pip_and_poetry():
    check(
        "pyproject.toml",
        PYPROJECT,
        PYPROJECT.replace("azureml-core>=1.50;", "azml-compat;")
        .replace("  'azureml-mlflow',\n", "")
        .replace('"azureml_mlflow", "azureml-sdk ;', '"azml-compat ;')
        .replace('azureml-core = "^1.50"', 'azml-compat = "*"')
        .replace('azureml-train-core = { version = "*", optional = true }\n', ""),
    )


@pytest.mark.parametrize(
    "text",
    [
        '[tool.poetry.dependencies]\nazureml-mlflow = {version = "1", optional = true}\n'
        '[tool.poetry.extras]\nazure = ["azureml-mlflow"]\n',
        '[tool.poetry.dependencies]\nazureml-core = "1"\nmlflow = {version = "1", optional = true}\n',
    ],
    ids=["an extra", "an optional dependency"],
)
def test_what_extras_of_poetry_need_is_left_to_a_person(text):
    (mark,) = check("pyproject.toml", text, text, target="mlflow", left=1)
    assert "by hand" in mark.message


def test_a_pipfile():
    before = '[packages]\nazureml-core = "*"\nmlflow = "*"\n'
    check("Pipfile", before, before.replace("azureml-core", "azml-compat"))
    check("Pipfile", before, '[packages]\nmlflow = "*"\n', "mlflow")


def test_setup_files():
    before = (
        "setup(name='azureml-of-mine', install_requires=['azureml-core==1', \"numpy\", 'azureml-sdk'],\n"
        "  extras_require={'é': ('azureml-mlflow',), 'b': [\n    'azureml-telemetry',  # c\n    'azureml-core'\n]})\n"
    )
    after = (
        "setup(name='azureml-of-mine', install_requires=['azml-compat', \"numpy\"],\n"
        "  extras_require={'é': (), 'b': [\n    'azml-compat',  # c\n]})\n"
    )
    check("setup.py", before, after)
    before = (
        "[options]\ninstall_requires =\n    numpy\n    azureml-core>=1  # x\n    azureml-mlflow\n[x]\na = azureml-sdk\n"
    )
    after = "[options]\ninstall_requires =\n    numpy\n    azml-compat  # x\n[x]\na = azml-compat\n"
    check("setup.cfg", before, after)


DOCKERFILE = """\
FROM python:3.8
# RUN pip install azureml-core
RUN apt-get install -y x && \\
    pip install --no-cache-dir \\
      "azureml-core[notebooks]>=1.2" azureml-mlflow \\
      numpy
RUN ["pip", "install", "azureml-mlflow", "azureml-defaults==1.1"]
RUN pip install -q azureml-mlflow && echo azureml-core
ENV NAME=azureml-sdk
"""


def test_commands_in_an_image():
    check(
        "Dockerfile",
        DOCKERFILE,
        DOCKERFILE.replace('azureml-core[notebooks]>=1.2" azureml-mlflow', 'azml-compat"')
        .replace('"azureml-mlflow", "azureml-defaults==1.1"', '"azml-compat"')
        .replace("-q azureml-mlflow &&", "-q azml-compat &&"),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("%pip install azureml-core==1.2\n", "%pip install azml-compat\n"),
        ("x = 1\n!pip install -U azureml-sdk[automl] azureml-widgets  # c", "x = 1\n!pip install -U azml-compat  # c"),
        ("!{sys.executable} -m pip install azureml-mlflow", "!{sys.executable} -m pip install azml-compat"),
        ("%pip install numpy azureml-mlflow", "%pip install numpy"),
        ("%pip install -r requirements.txt azureml-core", "%pip install -r requirements.txt azml-compat"),
        (
            "if 1:\n    !pip install 'azureml-core>=1' \\\n      numpy",
            "if 1:\n    !pip install 'azml-compat' \\\n      numpy",
        ),
        ("%%bash\npip install azureml-core\n", "%%bash\npip install azml-compat\n"),
        ("%%writefile r/requirements.txt\nazureml-core\nnumpy", "%%writefile r/requirements.txt\nazml-compat\nnumpy"),
        ("%%writefile env.yml\ndependencies:\n- pip:\n  - azureml-core", None),
        ("text = 'pip install azureml-core'", "text = 'pip install azureml-core'"),
        ("!pip uninstall azureml-core", "!pip uninstall azureml-core"),
        ("!pip show azureml-core", "!pip show azureml-core"),
    ],
)
def test_commands_in_cells_and_files_that_cells_write(before, after):
    def notebook(source):
        content = {"cells": [{"cell_type": "code", "source": source.splitlines(keepends=True)}], "metadata": "é"}
        return json.dumps(content, indent=1, ensure_ascii=False)

    after = before.replace("azureml-core", "azml-compat") if after is None else after
    check("n.ipynb", notebook(before), notebook(after))


def test_conda_in_a_cell_is_left_to_a_person():
    text = json.dumps({"cells": [{"cell_type": "code", "source": "!conda install -y azureml-sdk"}]})
    check("n.ipynb", text, text, left=1)


def test_a_file_that_its_parser_refuses_is_left_and_said():
    for name, text in [("conda.yml", "dependencies: [azureml-core\n - {"), ("setup.py", "print 'azureml-core'")]:
        (mark,) = check(name, text, text, left=1)
        assert "look yourself" in mark.message


def test_each_package_has_its_rule():
    rules = {
        "azureml-core": "AZ201",
        "azureml-mlflow": "AZ202",
        "azureml-dataprep": "AZ202",
        "azureml-pipeline": "AZ203",
    }
    for package, rule in rules.items():
        assert requirements.rule_of(Dependency(Path(), 1, None, package, package)) == rule
