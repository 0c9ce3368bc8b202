"""What still asks for the Azure ML SDK in a folder: found where it stands, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from azml_compat import _dependencies
from azml_compat._dependencies import read, survey

PYPROJECT = """\
[project]
name = "azureml-of-mine"
keywords = ["azureml-core"]
dependencies = [
  "numpy",
  "azureml-core>=1.50; python_version < '3.9'", # azureml-sdk
]

[project.optional-dependencies]
azure = ["azureml_mlflow", "azureml-sdk ; python_version < \\"3.9\\""]

[tool.poetry.group.dev.dependencies]
azureml-core = "^1.50"
azureml-train-core = { version = "*", optional = true }
"""
CONDA = """\
# azureml-sdk
name: azureml-core
dependencies:
  - python=3.8
  - conda-forge::azureml-core=1.50=py_0
  - pip:
    - --find-links x
    - azureml-defaults~=1.50 # for azureml-sdk
"""
RUNCONFIG = """\
script: train.py
environment:
  python:
    condaDependencies:
      channels: [azureml-core]
      dependencies:
      - pip: [azureml-sdk]
"""
DOCKERFILE = """\
FROM python:3.8
# RUN pip install azureml-core
RUN apt-get install -y azureml-core-is-no-package && \\
    pip install --no-cache-dir \\
      "azureml-core[notebooks]>=1.2" azureml-mlflow
RUN ["pip", "install", "azureml-defaults==1.1"]
ENV NAME=azureml-sdk
"""
SETUP_PY = """\
from setuptools import setup
setup(
    name="azureml-of-mine",
    install_requires=[
        "azureml-core==1.50",
    ],
    extras_require={"a": ("azureml-sdk[automl]",)},
    description='a \\d',
)
"""
SETUP_CFG = """\
[metadata]
name = azureml-of-mine
[options]
install_requires =
    numpy
    azureml-core>=1.50  # azureml-sdk
[options.extras_require]
azure = azureml-sdk
"""
NOTEBOOK = {
    "cells": [
        {"cell_type": "markdown", "source": ["%pip install azureml-core"]},
        {"cell_type": "code", "source": ["import azureml.core\n", "%pip install -q azureml-core==1.50 'numpy'\n"]},
        {"cell_type": "code", "source": "x = 1\n!conda install azureml-sdk"},
        {"cell_type": "code", "source": ["text = 'pip install azureml-core'"]},
    ]
}
REQUIREMENTS = """\
-r more.txt
azureml-core==1.50  # the SDK
  AzureML_Train.Core [x] ; python_version < "3.9"
azureml-core==1.2 \\
    --hash=sha256:abc
# azureml-sdk
azureml-mlflow @ https://example.org/azureml_mlflow.whl
my-azureml-core
azureml
azureml-inference-server-http
"""


def write(path, content):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        (
            "requirements-dev.txt",
            REQUIREMENTS,
            [
                *((2, None, "azureml-core"), (3, None, "azureml-train-core"), (4, None, "azureml-core")),
                (7, None, "azureml-mlflow"),
            ],
        ),
        ("requirements/base.in", "azureml-sdk", [(1, None, "azureml-sdk")]),
        ("environment.yml", CONDA, [(5, None, "azureml-core"), (8, None, "azureml-defaults")]),
        (".azureml/train.runconfig", RUNCONFIG, [(7, None, "azureml-sdk")]),
        (
            "pyproject.toml",
            PYPROJECT,
            [
                *((6, None, "azureml-core"), (10, None, "azureml-mlflow"), (10, None, "azureml-sdk")),
                *((13, None, "azureml-core"), (14, None, "azureml-train-core")),
            ],
        ),
        ("Pipfile", '[packages]\nazureml-core = "*"\n', [(2, None, "azureml-core")]),
        ("setup.py", SETUP_PY, [(5, None, "azureml-core"), (7, None, "azureml-sdk")]),
        ("setup.cfg", SETUP_CFG, [(6, None, "azureml-core"), (8, None, "azureml-sdk")]),
        (
            "Dockerfile.train",
            DOCKERFILE,
            [(5, None, "azureml-core"), (5, None, "azureml-mlflow"), (6, None, "azureml-defaults")],
        ),
        ("a.ipynb", NOTEBOOK, [(2, 2, "azureml-core"), (2, 3, "azureml-sdk")]),
        ("notes.txt", "azureml-core", []),
        ("train.py", "['azureml-core']", []),
    ],
)
def test_each_kind_of_file_is_read_as_its_tools_read_it(name, content, found):
    file = write(name, content)

    entries = sorted(read(file), key=lambda entry: (entry.cell or 0, entry.line, entry.package))

    assert [(entry.line, entry.cell, entry.package) for entry in entries] == found


@pytest.mark.parametrize(
    ("package", "advice"),
    [
        ("azureml-core", "write azml-compat"),
        ("azureml-sdk", "write azml-compat"),
        ("azureml-mlflow", "remove it: MLflow comes with azml-compat"),
        ("azureml-fsspec", "write fsspec"),
        ("azureml-dataprep-rslex", "remove it: only the SDK needs it"),
        ("azureml-designer-core", "remove it: what scripts import from it is not provided"),
    ],
)
def test_there_is_advice_for_each_package(package, advice):
    (entry,) = read(write("requirements.txt", package))

    assert entry.advice.startswith(advice)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pyproject.toml", "azureml-core = ["),
        ("a.ipynb", '{"azureml": 1}'),
        ("b.ipynb", '["azureml"]'),
        ("env.yml", "dependencies: [azureml-core\n - {"),
        ("deep.yml", "azureml: " + "[" * 5000),
        ("setup.py", "print 'azureml-core'"),
        ("requirements.txt", "\x00azureml-core"),
    ],
)
def test_what_is_not_as_its_name_promises_is_passed_over(name, content):
    assert list(read(write(name, content))) == []


def test_text_that_is_not_unicode_is_passed_over():
    Path("requirements.txt").write_bytes(b"azureml-core\xff")

    assert list(read(Path("requirements.txt"))) == []


def test_aliases_in_yaml_that_lead_to_themselves_or_multiply_do_no_harm():
    bomb = "\n".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))
    file = write("env.yml", f"a0: &a0 [azureml-core]\n{bomb}\ndependencies: &d [*a59, azureml-sdk, *d]")

    assert {entry.package for entry in read(file)} <= {"azureml-core", "azureml-sdk"}


def test_environments_caches_and_stores_are_not_walked():
    for folder in ("venv", "node_modules", ".git", "mlruns/1", "lib/site-packages"):
        write(f"{folder}/requirements.txt", "azureml-core")
    write("venv/pyvenv.cfg", "")
    write("src/requirements.txt", "azureml-core")

    assert [entry.place for entry in survey(Path.cwd()).found] == ["src/requirements.txt:1"]


def test_a_walk_ends_at_its_depth_and_number(monkeypatch):
    write("/".join("abcdefgh") + "/requirements.txt", "azureml-core")
    assert survey(Path.cwd()) == ([], True)

    for number in range(5):
        write(f"many/{number}.txt", "")
    write("a/requirements.txt", "azureml-core")
    monkeypatch.setattr(_dependencies, "_MAX_ENTRIES", 4)
    found, is_whole = survey(Path.cwd())

    assert not is_whole
    assert [entry.place for entry in found] == ["a/requirements.txt:1"]
