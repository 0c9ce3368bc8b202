"""CondaDependencies: its text, its members and errors, and files whose comments survive."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
import yaml

from azml_compat.core.conda_dependencies import CondaDependencies
from azml_compat.exceptions import UserErrorException

FILE = """\
# why this is here
name: project
channels:
- conda-forge  # first
dependencies:
# the interpreter
- python=3.8
- numpy=1.19  # pinned
- pip
- pip:
  # from our index
  - --extra-index-url https://example.org/simple
  - a==1  # one
  - b
"""


@pytest.fixture
def loaded():
    Path("conda.yml").write_text(FILE)
    return CondaDependencies("conda.yml")


def as_lists(dependencies):
    return (
        list(dependencies.conda_channels),
        list(dependencies.conda_packages),
        list(dependencies.pip_packages),
        list(dependencies.pip_options),
    )


# The text


def test_the_text_has_azures_keys_in_azures_order():
    made = CondaDependencies.create(pip_packages=["a"], conda_packages=["scikit-learn"])

    assert made.serialize_to_string() == (
        "name: project_environment\n"
        "dependencies:\n"
        "- python=3.10.18\n"
        "- pip:\n"
        "  - a\n"
        "- scikit-learn\n"
        "channels:\n"
        "- anaconda\n"
        "- conda-forge\n"
    )


def test_a_loaded_file_keeps_its_comments_and_order(loaded):
    assert loaded.serialize_to_string() == FILE

    loaded.add_pip_package("c")
    loaded.set_python_version("3.9")

    expected = FILE.replace("python=3.8", "python=3.9") + "  - c\n"
    assert loaded.serialize_to_string() == expected


def test_a_changed_file_is_copied_and_pickled_as_it_is(loaded):
    loaded.remove_conda_package("numpy=1.19")
    loaded.set_python_version("3.9")
    loaded.add_pip_package("a==2")

    assert copy.deepcopy(loaded).as_dict() == loaded.as_dict()
    assert pickle.loads(pickle.dumps(loaded)).serialize_to_string() == loaded.serialize_to_string()
    copied = copy.deepcopy(loaded)
    copied.add_conda_package("x")
    assert "x" not in list(loaded.conda_packages)


def test_as_dict_is_a_plain_copy(loaded):
    found = loaded.as_dict()

    assert found == yaml.safe_load(FILE)
    assert {type(found), type(found["dependencies"]), type(found["dependencies"][0])} == {dict, list, str}
    found["dependencies"].clear()
    assert list(loaded.conda_packages) == ["python=3.8", "numpy=1.19", "pip"]


def test_long_options_stay_on_one_line():
    made = CondaDependencies.create(pip_packages=[])
    option = "--extra-index-url https://example.org/" + "very/" * 60 + "simple index"
    made.set_pip_option(option)

    assert f"  - {option}\n" in made.serialize_to_string()


# Making one


def test_create_without_packages_has_the_sdk_alone():
    assert as_lists(CondaDependencies.create()) == (
        ["anaconda", "conda-forge"],
        ["python=3.10.18"],
        ["azureml-defaults"],
        [],
    )


def test_create_with_pip_packages_drops_the_sdk():
    assert list(CondaDependencies.create(pip_packages=[]).pip_packages) == []
    assert list(CondaDependencies.create(pip_packages=["a", "b==1"]).pip_packages) == ["a", "b==1"]


@pytest.mark.parametrize("pin", [True, False])
def test_create_pins_nothing(pin):
    made = CondaDependencies.create(pip_packages=["azureml-core", "azureml-sdk[notebooks]"], pin_sdk_version=pin)

    assert list(made.pip_packages) == ["azureml-core", "azureml-sdk[notebooks]"]


def test_create_takes_the_version_of_python_in_either_way():
    assert CondaDependencies.create(python_version="3.7").get_python_version() == "3.7"
    made = CondaDependencies.create(conda_packages=["python=3.6.2", "numpy"])
    assert list(made.conda_packages) == ["python=3.6.2", "numpy"]


def test_create_takes_the_address_of_an_index():
    made = CondaDependencies.create(pip_indexurl="https://example.org/simple", pip_packages=["a"])

    assert as_lists(made)[2:] == (["a"], ["--index-url https://example.org/simple"])


def test_without_arguments_it_is_a_template():
    template = CondaDependencies()

    assert template.get_python_version() == "3.8.13"
    assert list(template.pip_packages) == ["azureml-defaults"]
    assert template.get_default_number_of_packages() == (1, 1)


def test_it_is_made_of_a_structure():
    made = CondaDependencies(_underlying_structure={"dependencies": ["python=3.9", {"pip": ["a"]}]})

    assert as_lists(made) == ([], ["python=3.9"], ["a"], [])


def test_a_missing_file_is_pythons_own_error():
    with pytest.raises(FileNotFoundError):
        CondaDependencies("missing.yml")


@pytest.mark.parametrize(
    "text",
    [
        "- a\n- b\n",
        "just text",
        "",
        "name: x\nunknown: 1\n",
        "name: [unclosed\n",
        "name: x\ndependencies: numpy\n",
        "channels: {a: b}\n",
        "dependencies:\n- pip: numpy\n",
        "dependencies:\n- pip:\n  - 1.0\n",
        "name: 2001-99-99\n",
        "name: a\nname: b\n",
        "[" * 400,  # deeper than Python recurses
    ],
)
def test_what_is_no_conda_file_is_refused(text):
    Path("conda.yml").write_text(text)

    with pytest.raises(UserErrorException, match="conda"):
        CondaDependencies("conda.yml")


def test_a_file_that_is_not_utf_8_is_refused():
    Path("conda.yml").write_bytes("name: é".encode("latin-1"))

    with pytest.raises(UserErrorException, match="UTF-8"):
        CondaDependencies("conda.yml")


def test_a_file_may_be_all_but_empty():
    Path("conda.yml").write_text("name: x\nchannels:\ndependencies:\n- pip:\n")
    made = CondaDependencies("conda.yml")
    assert as_lists(made) == ([], [], [], [])

    made.add_channel("c")
    made.add_pip_package("a")
    made.add_conda_package("python=3.9")

    assert as_lists(made) == (["c"], ["python=3.9"], ["a"], [])


# Members


def test_lists_are_iterators_that_can_be_used_once(loaded):
    for name in ("conda_channels", "conda_packages", "pip_packages", "pip_options"):
        found = getattr(loaded, name)
        with pytest.raises(TypeError):
            len(found)
        assert list(found)
        assert list(found) == []


def test_lists_tell_options_from_packages(loaded):
    assert as_lists(loaded) == (
        ["conda-forge"],
        ["python=3.8", "numpy=1.19", "pip"],
        ["a==1", "b"],
        ["--extra-index-url https://example.org/simple"],
    )


@pytest.mark.parametrize("entry", ["a", "a==2", "a>=1,<2", "a[extra]~=1.0", "a!=3"])
def test_add_pip_package_replaces_any_version(loaded, entry):
    loaded.add_pip_package(entry)

    assert list(loaded.pip_packages) == ["b", entry]


def test_add_pip_package_refuses_options(loaded):
    with pytest.raises(UserErrorException):
        loaded.add_pip_package("-e .")


def test_remove_pip_package_goes_by_the_name(loaded):
    loaded.remove_pip_package("a>7")
    loaded.remove_pip_package("never-there")

    assert list(loaded.pip_packages) == ["b"]


def test_add_conda_package_adds_what_is_not_literally_there(loaded):
    loaded.add_conda_package("numpy=1.19")
    loaded.add_conda_package("numpy=1.20")
    loaded.add_conda_package("python=3.9")
    loaded.add_conda_package("python-dateutil")

    assert list(loaded.conda_packages) == ["python=3.9", "numpy=1.19", "pip", "numpy=1.20", "python-dateutil"]


def test_remove_conda_package_removes_what_is_literally_there(loaded):
    loaded.remove_conda_package("numpy")
    assert "numpy=1.19" in list(loaded.conda_packages)
    loaded.remove_conda_package("numpy=1.19")
    assert list(loaded.conda_packages) == ["python=3.8", "pip"]

    with pytest.raises(UserErrorException):
        loaded.remove_conda_package("python=3.8")


def test_add_channel_and_remove_channel_may_be_repeated(loaded):
    for _ in range(2):
        loaded.add_channel("pytorch")
    assert list(loaded.conda_channels) == ["conda-forge", "pytorch"]
    for _ in range(2):
        loaded.remove_channel("pytorch")
    assert list(loaded.conda_channels) == ["conda-forge"]


@pytest.mark.parametrize(
    ("entry", "version"),
    [
        ("python=3.8.13", "3.8.13"),
        ("python==3.8", "3.8"),
        ("python>=3.6", None),
        ("python", None),
        ("python=3.7.*", None),
    ],
)
def test_get_python_version_is_none_for_a_range(entry, version):
    made = CondaDependencies(_underlying_structure={"dependencies": [entry]})

    assert made.get_python_version() == version


def test_set_python_version_replaces_the_entry(loaded):
    loaded.set_python_version("3.11")

    assert list(loaded.conda_packages) == ["python=3.11", "numpy=1.19", "pip"]
    assert loaded.get_python_version() == "3.11"


def test_set_pip_option_and_remove_pip_option_go_by_the_first_word(loaded):
    loaded.set_pip_option("--extra-index-url https://example.com")
    loaded.set_pip_option("--pre")
    assert list(loaded.pip_options) == ["--extra-index-url https://example.com", "--pre"]
    loaded.remove_pip_option("--extra-index-url whatever")
    assert list(loaded.pip_options) == ["--pre"]


@pytest.mark.parametrize("method", ["set_pip_option", "remove_pip_option", "set_pip_index_url"])
def test_an_option_begins_with_a_dash(loaded, method):
    with pytest.raises(UserErrorException):
        getattr(loaded, method)("https://example.org")


def test_set_pip_index_url_sets_an_option(loaded):
    loaded.set_pip_index_url("--index-url https://example.com")

    assert "--index-url https://example.com" in list(loaded.pip_options)


def test_set_pip_requirements_replaces_all(loaded):
    loaded.set_pip_requirements(["x", "--pre"])

    assert as_lists(loaded)[2:] == (["x"], ["--pre"])


@pytest.mark.parametrize(
    ("core", "version", "entry"), [("cpu", None, "tensorflow==2.2.0"), ("gpu", "1.15", "tensorflow-gpu==1.15")]
)
def test_add_tensorflow_pip_package_pins_a_version(core, version, entry):
    made = CondaDependencies.create(pip_packages=[])
    made.add_tensorflow_pip_package(core, version)

    assert list(made.pip_packages) == [entry]


def test_add_tensorflow_conda_package_and_add_cntk_package_pin_versions():
    made = CondaDependencies.create(pip_packages=[])
    made.add_tensorflow_conda_package("gpu")
    made.add_cntk_package()

    assert list(made.conda_packages)[1:] == ["tensorflow-gpu=2.2.0"]
    assert list(made.pip_packages) == ["cntk==2.7"]
    for method in (made.add_tensorflow_conda_package, made.add_tensorflow_pip_package, made.add_cntk_package):
        with pytest.raises(UserErrorException):
            method("tpu")


def test_merge_requirements_joins_constraints():
    found = CondaDependencies.merge_requirements(["a>1", "b", "a<3", "c[x]==1", "a>1"])

    assert found == ["a>1,<3", "b", "c[x]==1"]


# Files


def test_save_to_file_returns_the_path_in_the_folder(loaded):
    Path("project").mkdir()

    assert loaded.save_to_file("project", "env.yml") == "env.yml"
    assert loaded.save_to_file(base_directory="project", conda_file_path="env.yml") == "env.yml"
    assert Path("project/env.yml").read_text() == FILE


def test_save_to_file_has_a_default_name_in_a_folder_that_exists(loaded):
    with pytest.raises(FileNotFoundError):
        loaded.save_to_file(".")

    Path(".azureml").mkdir()
    assert loaded.save_to_file(".") == ".azureml/auto_conda_dependencies.yml"
    Path("aml_config").mkdir()
    assert loaded.save_to_file(".") == "aml_config/auto_conda_dependencies.yml"
    assert Path("aml_config/auto_conda_dependencies.yml").read_text() == FILE


def test_save_to_file_wants_a_version_of_python():
    with pytest.raises(UserErrorException):
        CondaDependencies(_underlying_structure={"name": "x"}).save_to_file(".", "env.yml")


def test_save_writes_a_file_and_returns_its_path(loaded):
    assert loaded.save("copy.yml") == "copy.yml"
    assert Path("copy.yml").read_text() == FILE


@pytest.mark.parametrize("path", [".", "missing/env.yml"])
def test_save_refuses_what_is_no_file_in_a_folder(loaded, path):
    with pytest.raises(UserErrorException):
        loaded.save(path)


def test_save_without_a_path_is_a_type_error(loaded):
    with pytest.raises(TypeError):
        loaded.save()


def test_a_saved_file_is_loaded_again():
    made = CondaDependencies.create(pip_packages=["a[x]>=1,<2", "# no comment", ""], conda_packages=["é=1"])
    made.save("env.yml")

    assert CondaDependencies("env.yml").as_dict() == made.as_dict()
