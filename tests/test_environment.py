"""Environments: attribute trees that refuse what they do not know, factories, files, and records in the store."""

from __future__ import annotations

import io
import json
import os
import stat
from pathlib import Path

import pytest

from azml_compat._refused import NotSupportedError
from azml_compat.core import ContainerRegistry, Environment, Workspace
from azml_compat.core.conda_dependencies import CondaDependencies
from azml_compat.core.container_registry import RegistryIdentity
from azml_compat.core.databricks import DatabricksCluster, DatabricksSection, JarLibrary, PyPiLibrary
from azml_compat.core.environment import (
    DEFAULT_CPU_IMAGE,
    DEFAULT_GPU_IMAGE,
    DockerBuildContext,
    DockerImageDetails,
    DockerImagePlatform,
    DockerSection,
    EnvironmentReference,
    ImageBuildDetails,
    PythonSection,
    RGitHubPackage,
    RSection,
    SparkSection,
)
from azml_compat.core.resource_configuration import ResourceConfiguration
from azml_compat.exceptions import UserErrorException, WebserviceException

CONDA = "# why\nname: e\ndependencies:\n- python=3.9\n- pip:\n  - numpy==1.0\n"


@pytest.fixture
def local_ws(sqlite_uri, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", sqlite_uri)
    return Workspace("subscription", "group", "workspace")


@pytest.fixture
def environment():
    made = Environment("training")
    made.python.conda_dependencies = CondaDependencies.create(pip_packages=["numpy"])
    return made


def warnings(caplog):
    found = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return found


# The tree


def test_the_defaults_are_azures():
    made = Environment("e")

    assert (made.name, made.version, made.inferencing_stack_version, made.r, made.asset_id) == ("e", *[None] * 4)
    assert made.environment_variables == {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"}
    assert (made.python.interpreter_path, made.python.user_managed_dependencies) == ("python", False)
    assert made.python.conda_dependencies.as_dict() == CondaDependencies().as_dict()
    assert made.python.conda_dependencies_file is None
    docker = made.docker
    assert (docker.base_image, docker.base_dockerfile, docker.build_context) == (DEFAULT_CPU_IMAGE, None, None)
    assert (docker.platform.os, docker.platform.architecture) == ("Linux", "amd64")
    assert (docker.enabled, docker.shm_size, docker.shared_volumes, docker.arguments) == (False, "2g", True, [])
    assert type(docker.base_image_registry) is ContainerRegistry
    assert (made.spark.repositories, made.spark.packages, made.spark.precache_packages) == ([], [], True)
    assert (made.databricks.jar_libraries, made.databricks.cluster) == ([], None)
    assert DEFAULT_GPU_IMAGE.startswith("mcr.microsoft.com/azureml/openmpi")


def test_the_name_is_a_string_and_the_rest_is_ignored():
    assert Environment(name="e", workspace="w").name == "e"
    assert (Environment("").name, Environment(None).name) == ("", None)
    for arguments in ((1,), ()):
        with pytest.raises(TypeError):
            Environment(*arguments)


@pytest.mark.parametrize(
    "make",
    [
        *(ContainerRegistry, RegistryIdentity, DatabricksSection, DatabricksCluster, JarLibrary, DockerSection),
        *(DockerBuildContext, PythonSection, SparkSection, RSection, RGitHubPackage),
        *(lambda: Environment("e"), lambda: EnvironmentReference("e")),
    ],
)
def test_an_attribute_that_is_not_there_is_refused(make):
    made = make()

    with pytest.raises(AttributeError, match=r"<class '.*'> has no attribute misspelt"):
        made.misspelt = 1
    assert not hasattr(made, "misspelt")


def test_some_sections_take_any_attribute_as_in_the_original():
    platform = DockerImagePlatform()
    platform.anything = 1

    assert platform.anything == 1


def test_values_are_not_checked():
    made = Environment("e")
    made.python.user_managed_dependencies = "yes"
    made.docker.base_image_registry.address = 7
    made.python = None

    assert made.python is None


def test_objects_share_no_values():
    one, other = Environment("a"), Environment("b")
    one.environment_variables["X"] = "1"
    one.docker.arguments.append("--privileged")

    assert (other.environment_variables, other.docker.arguments) == ({"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"}, [])


def test_images_exclude_one_another(caplog):
    docker = Environment("e").docker
    docker.base_dockerfile = "FROM x"
    assert (docker.base_image, docker.base_dockerfile) == (None, "FROM x")
    assert len(warnings(caplog)) == 1

    docker.build_context = DockerBuildContext("git", "https://example.org/x.git")
    assert (docker.base_image, docker.base_dockerfile) == (None, None)
    docker.base_image = "image"
    assert (docker.base_image, docker.build_context) == ("image", None)
    assert len(warnings(caplog)) == 2

    docker.base_image = None
    assert (docker.base_image, docker.base_dockerfile, docker.build_context) == (None, None, None)
    assert warnings(caplog) == []


def test_base_dockerfile_is_text_or_a_file():
    docker = DockerSection(_skip_defaults=True)
    Path("Dockerfile").write_text("FROM file")

    for given, text in (("Dockerfile", "FROM file"), (io.StringIO("FROM io"), "FROM io"), ("FROM t\n" * 999, None)):
        docker.base_dockerfile = given
        assert docker.base_dockerfile == (text or given)


def test_deprecated_properties_work_and_warn_when_they_are_set(caplog):
    made = Environment("e")
    for name, value in (("enabled", True), ("shared_volumes", False), ("arguments", ["a"]), ("shm_size", "4g")):
        setattr(made.docker, name, value)
        assert len(warnings(caplog)) == 1, name
        assert getattr(made.docker, name) == value
        assert warnings(caplog) == [], name
    made.environment_variables = {"A": "1"}
    assert len(warnings(caplog)) == 1
    assert made.environment_variables == {"A": "1"}
    made.docker.gpu_support = False
    assert made.docker.gpu_support is True
    assert len(warnings(caplog)) == 2


def test_conda_dependencies_file_is_read(caplog):
    Path("conda.yml").write_text(CONDA)
    python = Environment("e").python
    python.conda_dependencies_file = "conda.yml"

    assert python.conda_dependencies_file == "conda.yml"
    assert python.conda_dependencies.serialize_to_string() == CONDA
    assert len(warnings(caplog)) == 1


def test_the_texts_are_azures(environment):
    assert str(environment) == "Environment(Name: training,\nVersion: None)"
    shown = json.loads(repr(environment))
    assert repr(environment) == json.dumps(shown, indent=4, sort_keys=True)
    assert shown["python"]["condaDependencies"] == environment.python.conda_dependencies.as_dict()
    assert shown["docker"]["baseImage"] == DEFAULT_CPU_IMAGE
    assert shown["environmentVariables"] == {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE"}


def test_passwords_are_never_written_down(environment, tmp_path, local_ws):
    registry = environment.docker.base_image_registry
    registry.address, registry.username, registry.password = "r.example.org", "user", "hunter2"
    environment.r = RSection()
    package = RGitHubPackage()
    package.repository, package.auth_token = "a/b", "hunter2"
    environment.r.github_packages = [package]

    assert environment.clone("x").docker.base_image_registry.password == "hunter2"
    environment.save_to_directory(tmp_path / "saved")
    texts = [file.read_text() for file in (tmp_path / "saved").iterdir()]
    texts += [repr(environment), str(environment), repr(environment.register(local_ws))]
    tags = local_ws.service_context.store.get_experiment("0").tags
    assert not [text for text in [*texts, *tags.values()] if "hunter2" in text]
    assert any("r.example.org" in text for text in texts)


# Made of something


def test_from_conda_specification_keeps_the_file():
    Path("conda.yml").write_text(CONDA)
    made = Environment.from_conda_specification(name="e", file_path="conda.yml")

    assert made.name == "e"
    assert made.python.conda_dependencies.serialize_to_string() == CONDA
    assert made.docker.base_image == DEFAULT_CPU_IMAGE


def test_from_conda_specification_without_python_adds_it_with_a_warning(caplog):
    Path("conda.yml").write_text("name: e\ndependencies:\n- numpy\n")
    made = Environment.from_conda_specification("e", "conda.yml")

    assert list(made.python.conda_dependencies.conda_packages) == ["numpy", "python=3.10.18"]
    assert "python=3.10.18" in warnings(caplog)[0]


def test_from_conda_specification_refuses_what_is_none():
    Path("conda.yml").write_text("name: e\npackages: []\n")

    with pytest.raises(UserErrorException):
        Environment.from_conda_specification("e", "conda.yml")
    with pytest.raises(FileNotFoundError):
        Environment.from_conda_specification("e", "missing.yml")


def test_from_pip_requirements_takes_each_line():
    Path("requirements.txt").write_text("# ours\nnumpy==1.0\n\nscipy  # fast\n")

    made = Environment.from_pip_requirements("e", "requirements.txt").python.conda_dependencies
    assert list(made.pip_packages) == ["# ours", "numpy==1.0", "", "scipy  # fast"]
    assert list(made.conda_packages)[1:] == ["pip"]
    made = Environment.from_pip_requirements("e", "requirements.txt", pip_version="21.1").python.conda_dependencies
    assert list(made.conda_packages)[1:] == ["pip=21.1"]


def test_from_docker_image_and_from_dockerfile_leave_everything_to_the_image(caplog):
    registry = ContainerRegistry()
    made = Environment.from_docker_image("e", "image:1", container_registry=registry)
    assert (made.docker.base_image, made.python.user_managed_dependencies) == ("image:1", True)
    assert made.docker.base_image_registry is registry

    made = Environment.from_dockerfile(name="e", dockerfile="FROM x")
    assert (made.docker.base_image, made.docker.base_dockerfile) == (None, "FROM x")
    assert made.python.user_managed_dependencies is True
    assert warnings(caplog) == []


def test_from_dockerfile_and_from_docker_image_take_one_file_of_packages():
    Path("conda.yml").write_text(CONDA)
    Path("requirements.txt").write_text("numpy\n")
    both = {"conda_specification": "conda.yml", "pip_requirements": "requirements.txt"}

    for make, what in ((Environment.from_docker_image, "image"), (Environment.from_dockerfile, "FROM x")):
        made = make("e", what, conda_specification="conda.yml")
        assert made.python.conda_dependencies.serialize_to_string() == CONDA
        assert made.python.user_managed_dependencies is False
        made = make("e", what, pip_requirements="requirements.txt")
        assert list(made.python.conda_dependencies.pip_packages) == ["numpy"]
        with pytest.raises(UserErrorException):
            make("e", what, **both)


def test_from_docker_build_context_leaves_the_rest_empty(tmp_path):
    context = DockerBuildContext.from_local_directory(None, tmp_path)
    made = Environment.from_docker_build_context("e", context)

    assert made.docker.build_context is context
    assert (made.docker.base_image, made.python.conda_dependencies) == (None, None)
    assert json.loads(repr(made))["docker"]["buildContext"]["dockerfilePath"] == "Dockerfile"
    with pytest.raises(UserErrorException):
        DockerBuildContext.from_local_directory(None, tmp_path / "missing")


def fake_conda(folder, script):
    program = folder / "conda"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_from_existing_conda_environment_asks_conda(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError):
        Environment.from_existing_conda_environment("e", "mine")

    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.defpath}")
    fake_conda(tmp_path, "printf 'name: mine\\ndependencies:\\n- python=3.9\\n'")
    made = Environment.from_existing_conda_environment("e", "mine")
    assert made.python.conda_dependencies.get_python_version() == "3.9"

    fake_conda(tmp_path, "echo EnvironmentLocationNotFound >&2; exit 1")
    assert Environment.from_existing_conda_environment("e", "other") is None
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_clone_is_a_copy_without_a_version(environment):
    environment.version = "3"
    copied = environment.clone("new")

    assert (copied.name, copied.version) == ("new", None)
    copied.python.conda_dependencies.add_pip_package("scipy")
    assert list(environment.python.conda_dependencies.pip_packages) == ["numpy"]
    with pytest.raises(UserErrorException):
        environment.clone("")


# Files


def test_save_to_directory_is_read_by_load_from_directory(environment):
    Path("conda.yml").write_text(CONDA)
    environment.python.conda_dependencies = CondaDependencies("conda.yml")
    environment.docker.base_dockerfile = "FROM x"
    environment.databricks.pypi_libraries = [PyPiLibrary("a", "b")]
    environment.databricks.cluster = DatabricksCluster(num_workers=2)
    environment.save_to_directory("saved")

    assert sorted(file.name for file in Path("saved").iterdir()) == [
        "BaseDockerfile",
        "azureml_environment.json",
        "conda_dependencies.yml",
    ]
    assert Path("saved/BaseDockerfile").read_text() == "FROM x"
    assert Path("saved/conda_dependencies.yml").read_text() == CONDA
    found = Environment.load_from_directory("saved")
    assert repr(found) == repr(environment)
    assert found.databricks.pypi_libraries[0].package == "a"
    assert found.databricks.cluster.num_workers == 2


def test_save_to_directory_overwrites_when_it_is_told_to(environment):
    environment.save_to_directory("deep/saved")
    with pytest.raises(FileExistsError):
        environment.save_to_directory("deep/saved")
    Path("deep/saved/stale").touch()

    environment.save_to_directory("deep/saved", overwrite=True)
    assert Path("deep/saved/stale").exists()


def test_load_from_directory_without_a_definition_is_pythons_own_error():
    with pytest.raises(FileNotFoundError):
        Environment.load_from_directory(".")


# Records


def test_register_gives_versions_that_every_store_keeps(ws, environment):
    environment.name = f"e-{os.getpid()}"
    first = environment.register(ws)

    assert first is not environment
    assert (environment.version, first.version, first.name) == (None, "1", environment.name)
    environment.python.conda_dependencies.add_pip_package("scipy")
    assert environment.register(workspace=ws).version == "2"
    assert environment.register(ws).version == "2"  # identical
    found = Environment.get(workspace=ws, name=environment.name, version="1")
    assert list(found.python.conda_dependencies.pip_packages) == ["numpy"]
    assert Environment.get(ws, environment.name).version == "2"
    assert Environment.list(ws)[environment.name].version == "2"
    assert ws.environments[environment.name].version == "2"


def test_register_takes_a_version_that_was_set_before(local_ws, environment, caplog):
    environment.version = "2"
    assert environment.register(local_ws).version == "2"
    assert len(warnings(caplog)) == 1

    environment.version = None
    environment.python.conda_dependencies.add_pip_package("scipy")
    assert environment.register(local_ws).version == "3"  # 2 is taken
    environment.version = "2"
    environment.python.conda_dependencies.add_pip_package("pandas")
    caplog.clear()
    assert environment.register(local_ws).version == "4"
    assert "registered as version 4" in warnings(caplog)[1]
    found = {version: Environment.get(local_ws, "training", version) for version in ("2", "3")}
    assert list(found["2"].python.conda_dependencies.pip_packages) == ["numpy"]
    assert list(found["3"].python.conda_dependencies.pip_packages) == ["numpy", "scipy"]


def test_get_of_a_missing_environment_is_a_plain_exception(local_ws, environment):
    environment.register(local_ws)

    for arguments in (("missing",), ("training", "7"), ("training", None, "label")):
        with pytest.raises(Exception, match=r"^Error retrieving the environment definition\. Code: 404") as caught:
            Environment.get(local_ws, *arguments)
        assert isinstance(caught.value, UserErrorException)
    with pytest.raises(UserErrorException, match="not both"):
        Environment.get(local_ws, "training", "1", "label")
    with pytest.raises(KeyError):
        local_ws.environments["missing"]


@pytest.mark.parametrize("name", ["AzureML-Minimal", "AzureML-sklearn-1.5", "AzureML-anything at all"])
def test_get_of_a_curated_environment_has_it_whatever_its_name(local_ws, name):
    curated = Environment.get(workspace=local_ws, name=name)

    assert (curated.name, curated.version) == (name, "1")
    copied = curated.clone("mine")
    copied.python.conda_dependencies.add_pip_package("x")
    assert copied.register(local_ws).version == "1"
    assert local_ws.environments[name].name == name
    assert list(Environment.list(local_ws)) == ["mine"]


def test_label_belongs_to_one_version(local_ws, environment):
    environment.register(local_ws)
    environment.python.conda_dependencies.add_pip_package("scipy")
    environment.register(local_ws)

    for version in ("1", "2"):
        Environment.label(local_ws, "training", version, ["best", "other"])
        assert Environment.get(local_ws, "training", label="best").version == version
    assert Environment.get(local_ws, "training", label="Latest").version == "2"
    with pytest.raises(UserErrorException):
        Environment.label(local_ws, "training", "9", ["best"])


def test_a_reference_leads_to_the_environment(local_ws, environment):
    environment.register(local_ws)

    assert EnvironmentReference("training", "1").get_environment(local_ws).version == "1"
    assert json.loads(repr(EnvironmentReference("training"))) == {"name": "training", "version": None}


# Images


def test_build_registers_and_builds_nothing(local_ws, environment, capsys):
    details = environment.build(workspace=local_ws)

    assert "othing is built" in capsys.readouterr().out
    assert Environment.get(local_ws, "training").version == "1"
    assert (details.status, details.log_url) == ("Succeeded", None)
    assert "othing is built" in details.get_log()
    assert details.wait_for_completion(show_output=True) is details
    assert capsys.readouterr().out == "Image Build Status: Succeeded\n\n"
    assert details.wait_for_completion(show_output=False) is details
    assert type(environment.build_local(local_ws)) is ImageBuildDetails
    assert capsys.readouterr().out.count("\n") == 1


def test_there_are_no_details_of_an_image(local_ws, environment):
    with pytest.raises(NotSupportedError):
        environment.get_image_details(local_ws)
    details = DockerImageDetails({"dockerfile": "FROM x", "dockerImage": {"name": "n"}})
    assert (details.dockerfile, details.repository, details.registry, details.image_exist) == (
        "FROM x",
        "n",
        None,
        None,
    )


def test_a_private_wheel_stays_where_it_is(local_ws):
    Path("a b.whl").touch()

    assert Environment.add_private_pip_wheel(local_ws, "a b.whl") == Path("a b.whl").absolute().as_uri()
    with pytest.raises(UserErrorException):
        Environment.add_private_pip_wheel(local_ws, "missing.whl")


# What belongs to them


def test_a_cluster_is_there_or_new():
    DatabricksCluster(existing_cluster_id="a").validate()
    DatabricksCluster(spark_version="3", node_type="n", num_workers=2).validate()
    for made in (DatabricksCluster(), DatabricksCluster(existing_cluster_id="a", num_workers=2)):
        with pytest.raises(UserErrorException):
            made.validate()


def test_a_resource_configuration_is_serialized():
    made = ResourceConfiguration(cpu=0.5, memory_in_gb=2, gpu=None)

    assert made.serialize() == {"cpu": 0.5, "memoryInGB": 2, "gpu": None}
    found = ResourceConfiguration.deserialize(made.serialize())
    assert (found.cpu, found.memory_in_gb, found.gpu) == (0.5, 2, None)
    assert ResourceConfiguration.deserialize(None) is None
    with pytest.raises(WebserviceException):
        ResourceConfiguration.deserialize({"cpu": 1})
