"""Run configurations, ScriptRunConfig, and the run definition that a submitted run keeps."""

from __future__ import annotations

import copy
import io
import json
import os
import shutil
import subprocess
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest

import azml_compat.core.container_registry
from azml_compat import _home, _interpreters
from azml_compat._interpreters import differences, python_of
from azml_compat._run_definition import definition_of, run_config_of
from azml_compat.core import Environment, RunConfiguration, ScriptRunConfig
from azml_compat.core.compute import ComputeTarget
from azml_compat.core.conda_dependencies import CondaDependencies
from azml_compat.core.environment import EnvironmentReference
from azml_compat.core.runconfig import (
    AmlComputeConfiguration,
    AzureContainerRegistry,
    ContainerRegistry,
    Data,
    DataLocation,
    DataPath,
    DataReferenceConfiguration,
    Dataset,
    DockerConfiguration,
    EnvironmentDefinition,
    HistoryConfiguration,
    KubernetesComputeConfiguration,
    MpiConfiguration,
    OutputData,
    OutputOptions,
    ParallelTaskConfiguration,
    PyTorchConfiguration,
    TensorflowConfiguration,
    Uri,
)
from azml_compat.core.script_run_config import get_run_config_from_script_run
from azml_compat.data.datapath import DataPath as PathOfDatastore
from azml_compat.exceptions import ExperimentExecutionException, RunConfigurationException, UserErrorException


def warnings(caplog):
    found = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return found


class Input:
    """Has the public attributes of a DatasetConsumptionConfig."""

    def __init__(self, name="titanic", mode="mount", path_on_compute=None):
        self.name, self.mode, self.path_on_compute = name, mode, path_on_compute
        self.dataset = Known()


class Known:
    """Has the public attributes of a registered dataset, and what cannot be copied."""

    def __init__(self):
        self.id, self.name, self.version, self.lock = "guid", "titanic ds", 3, threading.Lock()


class Output:
    """Has the public attributes of an OutputFileDatasetConfig."""

    name, mode, source = "out", "upload", "outputs/x"
    destination = ("store", "a/{run-id}")


def named_target(name):
    """Make a compute target that has a name, and nothing else."""
    target = type("Target", (ComputeTarget,), {"__init__": lambda self: None, "__new__": object.__new__})
    made = target.__new__(target)
    made.name = name
    return made


# RunConfiguration


def test_the_defaults_are_azures():
    made = RunConfiguration()

    assert (made.script, made.command, made.arguments) == (None, "", [])
    assert (made.framework, made.communicator, made.target) == ("Python", "None", "local")
    assert (made.node_count, made.priority, made.max_run_duration_seconds) == (1, None, None)
    assert made.credential_passthrough is False
    assert (type(made.environment), made.environment.name) == (EnvironmentDefinition, "default-environment")
    assert isinstance(made.environment, Environment)
    assert made.environment_variables == {}
    history = made.history
    assert (history.output_collection, history.snapshot_project) == (True, True)
    assert history.directories_to_watch == ["logs"]
    docker = made.docker
    assert (docker.use_docker, docker.shared_volumes, docker.arguments, docker.shm_size) == (False, True, [], "2g")
    assert (made.mpi.process_count_per_node, made.mpi.node_count) == (1, 1)
    assert (made.tensorflow.worker_count, made.tensorflow.parameter_server_count) == (1, 1)
    assert (made.pytorch.communication_backend, made.pytorch.process_count) == ("Nccl", None)
    assert made.hdi.yarn_deploy_mode == "cluster"
    assert made.spark.configuration == {"spark.app.name": "Azure ML Experiment", "spark.yarn.maxAppAttempts": 1}
    assert (made.amlcompute.vm_size, made.amlcompute.vm_priority) == (None, None)
    assert (made.kubernetescompute.instance_type, made.paralleltask.worker_count_per_node) == (None, 1)
    assert (made.data, made.data_references, made.output_data, made.datacaches, made.services) == ({}, {}, {}, [], {})
    assert (made.source_directory_data_store, made.auto_cluster_compute_specification) == (None, None)


def test_the_constructor_takes_script_framework_and_packages():
    packages = CondaDependencies.create(pip_packages=["numpy"])
    made = RunConfiguration("t.py", ["--a", 1], "PySpark", communicator="OpenMpi", conda_dependencies=packages)

    assert (made.script, made.arguments, made.framework, made.communicator) == (
        "t.py",
        ["--a", 1],
        "PySpark",
        "OpenMpi",
    )
    assert made.environment.python.conda_dependencies is packages


def test_target_ignores_what_is_no_target():
    made = RunConfiguration()
    made.target = "cluster"
    for nothing in (None, 7, ["x"], object()):
        made.target = nothing
        assert made.target == "cluster"
    made.target = named_target("gpu")
    assert made.target == "gpu"


@pytest.mark.parametrize(
    "make",
    [
        *(RunConfiguration, DockerConfiguration, MpiConfiguration, TensorflowConfiguration, PyTorchConfiguration),
        *(HistoryConfiguration, AmlComputeConfiguration, Data, DataLocation, DataPath, Dataset, OutputData),
        *(OutputOptions, DataReferenceConfiguration, EnvironmentDefinition, AzureContainerRegistry),
    ],
)
def test_an_attribute_that_is_not_there_is_refused(make):
    made = make()

    for name in ("nodeCount", "compute_target"):
        with pytest.raises(AttributeError, match=f"has no attribute {name}"):
            setattr(made, name, 2)


@pytest.mark.parametrize("make", [ParallelTaskConfiguration, KubernetesComputeConfiguration, Uri])
def test_some_sections_take_any_attribute_as_in_the_original(make):
    made = make()
    made.anything = 1

    assert made.anything == 1


def test_docker_of_a_run_configuration_is_not_that_of_its_environment():
    made = RunConfiguration()
    with pytest.raises(AttributeError):
        _ = made.docker.enabled
    made.environment.docker.enabled = True

    assert made.docker.use_docker is False


@pytest.mark.parametrize("backend", ["nccl", "Gloo", "NCCL"])
def test_pytorch_has_two_backends(backend):
    assert PyTorchConfiguration(backend, 4, node_count=2).communication_backend == backend


def test_pytorch_has_no_other_backend():
    with pytest.raises(RunConfigurationException):
        PyTorchConfiguration("mpi")
    with pytest.raises(AttributeError):
        PyTorchConfiguration(None)


def test_what_is_deprecated_warns(caplog):
    made = RunConfiguration()
    assert made.auto_prepare_environment is True
    made.auto_prepare_environment = False
    assert made.auto_prepare_environment is True
    assert len(warnings(caplog)) == 3
    assert isinstance(ContainerRegistry(), azml_compat.core.container_registry.ContainerRegistry)
    assert len(warnings(caplog)) == 1


def test_the_text_is_indented_json():
    made = RunConfiguration("t.py")
    made.environment_variables["A"] = "1"
    made.data["x"] = Input()

    shown = json.loads(repr(made))
    assert repr(made) == json.dumps(shown, indent=4)
    assert (shown["script"], shown["nodeCount"], shown["environmentVariables"]) == ("t.py", 1, {"A": "1"})
    assert shown["environment"]["python"]["condaDependencies"]["name"] == "project_environment"
    assert shown["data"]["x"]["dataLocation"]["dataset"]["name"] == "titanic ds"
    assert "applicationEndpoints" in shown


def test_data_is_made_of_a_named_input():
    made = Data.create(Input())

    assert (made.environment_variable_name, made.mechanism) == ("titanic", "mount")
    dataset = made.data_location.dataset
    assert (dataset.id, dataset.name, dataset.version) == ("guid", "titanic ds", "3")
    with pytest.raises(UserErrorException):
        Data.create(Known())


# Files


def configuration():
    made = RunConfiguration("t.py", ["--lr", 0.1])
    made.target = "cluster"
    made.node_count = 3
    made.mpi.process_count_per_node = 2
    made.environment.python.conda_dependencies = CondaDependencies.create(pip_packages=["numpy"])
    made.environment.docker.base_image = "image"
    made.environment_variables = {"A": "ü"}
    made.history.output_collection = False
    made.data_references["r"] = DataReferenceConfiguration("store", "download", "a/b")
    made.data["d"] = Data(DataLocation(Dataset("id")), mechanism="mount")
    made.output_data["o"] = OutputData(DataLocation(data_path=DataPath("store", "x")))
    return made


def test_save_is_read_by_load():
    Path(".azureml").mkdir()
    made = configuration()
    made.save(".", "mine")

    assert sorted(file.name for file in Path(".azureml").iterdir()) == ["conda_dependencies.yml", "mine"]
    text = Path(".azureml/mine").read_text(encoding="utf-8")
    assert "nodeCount: 3" in text
    assert "condaDependenciesFile: .azureml/conda_dependencies.yml" in text
    assert "- numpy" in Path(".azureml/conda_dependencies.yml").read_text()
    for found in (RunConfiguration.load(".", "mine"), RunConfiguration.load(".azureml/mine")):
        assert repr(found) == repr(made)
        assert (found.data_references["r"].mode, found.node_count) == ("download", 3)
        assert found.data["d"].data_location.dataset.id == "id"
        assert found.output_data["o"].output_location.data_path.relative_path == "x"
    found.save()
    assert Path(".azureml/mine").read_text(encoding="utf-8") == text


def test_save_may_put_the_environment_into_a_file_of_its_own():
    Path("aml_config").mkdir()
    configuration().save(".", "mine.runconfig", separate_environment_yaml=True)

    assert "baseImage: image" in Path("aml_config/environment.yml").read_text()
    assert repr(RunConfiguration.load(".", "mine")) == repr(configuration())


def test_save_replaces_a_file():
    Path("some.yml").touch()
    configuration().save("some.yml")

    assert repr(RunConfiguration.load("some.yml")) == repr(configuration())
    assert Path("conda_dependencies.yml").is_file()


def test_save_wants_a_name_and_folders_that_exist():
    made = RunConfiguration()
    for arguments in ((".", "mine"), ("missing", "mine")):
        with pytest.raises(FileNotFoundError):
            made.save(*arguments)
    with pytest.raises(UserErrorException):
        made.save(".")


def test_load_reads_what_others_wrote():
    Path("train.runconfig").write_text(
        "# by hand\nscript: t.py\narguments: [--a, 1]\nnode_count: 2\nframework: Python\nunknown: 1\n"
        "pytorch:\n  communicationBackend: nccl\n  process_count: 4\n"
        "environment:\n  python:\n    user_managed_dependencies: true\n    interpreterPath: python3\n"
    )
    found = RunConfiguration.load(".", "train")

    assert (found.script, found.arguments, found.node_count) == ("t.py", ["--a", 1], 2)
    assert (found.pytorch.process_count, found.environment.python.interpreter_path) == (4, "python3")
    assert found.environment.python.user_managed_dependencies is True
    assert found.history.snapshot_project is True


def test_load_of_an_environment_by_name_is_a_reference():
    Path("train.runconfig").write_text("environment:\n  name: mine\n  version: '3'\n")
    found = RunConfiguration.load("train.runconfig").environment

    assert (type(found), found.name, found.version) == (EnvironmentReference, "mine", "3")


@pytest.mark.parametrize("text", ["- a\n", "a: [\n", "just text"])
def test_load_refuses_what_is_none(text):
    Path("x.yml").write_text(text)

    with pytest.raises(UserErrorException):
        RunConfiguration.load("x.yml")
    with pytest.raises(UserErrorException):
        RunConfiguration.load(".", "missing")


def test_delete_finds_what_ends_in_runconfig():
    Path(".azureml").mkdir()
    RunConfiguration().save(".", "mine")
    with pytest.raises(UserErrorException):
        RunConfiguration.delete(".", "mine")
    RunConfiguration().save(".", "mine.runconfig")
    RunConfiguration.delete(".", "mine")

    assert not Path(".azureml/mine.runconfig").exists()


# ScriptRunConfig


def test_a_script_run_config_keeps_what_it_is_given():
    arguments = ["--lr", 0.1, Path("x")]
    src = ScriptRunConfig(source_directory="missing", script="t.py", arguments=arguments)

    assert (src.source_directory, src.script, src.command) == ("missing", "t.py", None)
    assert src.arguments is arguments
    assert (src.run_config.target, src.run_config.environment.name) == ("local", "default-environment")
    assert src.run_config.max_run_duration_seconds == ScriptRunConfig.MAX_DURATION_SECONDS_DEFAULT == 2592000
    for name in ("compute_target", "environment"):
        assert not hasattr(src, name)


def test_a_script_run_config_refuses_misspelt_arguments():
    for keywords in ({}, {"source_directory": ".", "arguements": []}):
        with pytest.raises(TypeError):
            ScriptRunConfig(**keywords)


def test_compute_target_and_environment_are_in_run_config():
    environment = Environment("e")
    environment.docker.enabled = True
    src = ScriptRunConfig(".", "t.py", compute_target="gpu", environment=environment, max_run_duration_seconds=60)

    assert src.run_config.target == "gpu"
    assert src.run_config.environment is environment
    assert src.run_config.docker.use_docker is True
    assert src.run_config.max_run_duration_seconds == 60
    assert ScriptRunConfig(".", compute_target=named_target("x")).run_config.target == "x"
    assert ScriptRunConfig(".", compute_target=object()).run_config.target == "local"
    with pytest.raises(AttributeError, match="'str' object has no attribute 'docker'"):
        ScriptRunConfig(".", environment="e")


def test_docker_runtime_config_goes_before_the_environment():
    docker = DockerConfiguration(use_docker=True)

    src = ScriptRunConfig(".", environment=Environment("e"), docker_runtime_config=docker)
    assert src.run_config.docker is docker
    with pytest.raises(RunConfigurationException):
        ScriptRunConfig(".", docker_runtime_config="docker")


@pytest.mark.parametrize(
    ("job", "section", "framework", "communicator", "nodes"),
    [
        (MpiConfiguration(node_count=2), "mpi", "Python", "IntelMpi", 2),
        (TensorflowConfiguration(worker_count=3), "tensorflow", "TensorFlow", "ParameterServer", 3),
        (PyTorchConfiguration(node_count=4), "pytorch", "PyTorch", "nccl", 4),
    ],
)
def test_distributed_job_config_sets_its_section(job, section, framework, communicator, nodes):
    run_config = ScriptRunConfig(".", distributed_job_config=job).run_config

    assert getattr(run_config, section) is job
    assert (run_config.framework, run_config.communicator, run_config.node_count) == (framework, communicator, nodes)


def test_distributed_job_config_is_one_of_three():
    with pytest.raises(RunConfigurationException):
        ScriptRunConfig(".", distributed_job_config="mpi")


def test_run_config_is_used_and_the_rest_ignored(caplog):
    run_config = RunConfiguration("of config.py", ["--b"])
    src = ScriptRunConfig(".", run_config=run_config, compute_target="gpu", environment=Environment("e"))

    assert src.run_config is run_config
    assert (src.script, src.arguments, src.command) == ("of config.py", ["--b"], "")
    assert (run_config.target, run_config.environment.name) == ("local", "default-environment")
    assert [("compute_target, environment" in text) for text in warnings(caplog)] == [True]

    src = ScriptRunConfig(".", script="t.py", run_config=run_config)
    assert (src.script, src.arguments) == ("t.py", ["--b"])
    assert len(warnings(caplog)) == 1
    assert ScriptRunConfig(".", "t.py", run_config=RunConfiguration()).script == "t.py"
    assert warnings(caplog) == []
    with pytest.raises(AttributeError):
        ScriptRunConfig(".", run_config="local")


def test_resume_from_adds_an_argument_and_a_reference():
    path = PathOfDatastore(SimpleNamespace(name="store"), "a/b")
    arguments = ["--x"]
    src = ScriptRunConfig(".", "t.py", arguments, resume_from=path)

    assert arguments == ["--x", "--resume-from", "$AZUREML_DATAREFERENCE_MODEL_LOCATION"]
    reference = src.run_config.data_references["MODEL_LOCATION"]
    assert (reference.data_store_name, reference.mode) == ("store", "mount")
    with pytest.raises(UserErrorException):
        ScriptRunConfig(".", resume_from="path")


def test_get_run_config_from_script_run_is_a_copy():
    given = Input()
    src = ScriptRunConfig(".", "t.py", ["--a", given])
    src.run_config.data["x"] = given
    found = get_run_config_from_script_run(src)

    assert found is not src.run_config
    assert (found.script, found.arguments, found.command) == ("t.py", ["--a", given], "")
    assert found.data["x"] is given
    found.data.clear()
    found.arguments.clear()
    found.environment.python.conda_dependencies.add_pip_package("x")
    assert (list(src.run_config.data), len(src.arguments), src.run_config.script) == (["x"], 2, None)
    assert "x" not in list(src.run_config.environment.python.conda_dependencies.pip_packages)


# Run definitions


def test_a_run_definition_has_azures_keys():
    made = configuration()
    made.data = {"titanic": Input()}
    made.output_data = {"out": Output()}
    found = definition_of(made, "t.py", ["--lr", 0.1, "x y"], None)

    assert json.loads(json.dumps(found)) == found
    assert (found["script"], found["arguments"], found["command"]) == ("t.py", ["--lr", "0.1", "x y"], "")
    assert {
        *("target", "framework", "communicator", "nodeCount", "maxRunDurationSeconds", "environment", "history"),
        *("environmentVariables", "data", "outputData", "dataReferences", "docker", "mpi", "tensorflow", "pyTorch"),
    } <= set(found)
    assert found["environment"]["version"].startswith("Autosave_")
    assert found["data"]["titanic"]["mechanism"] == "Mount"
    assert found["data"]["titanic"]["environmentVariableName"] == "titanic"
    assert found["data"]["titanic"]["dataLocation"]["dataset"] == {"id": "guid", "name": "titanic ds", "version": "3"}
    assert found["outputData"]["out"]["mechanism"] == "Upload"
    assert found["outputData"]["out"]["outputLocation"]["dataPath"] == {
        "datastoreName": "store",
        "relativePath": "a/{run-id}",
    }
    assert found["dataReferences"]["r"]["mode"] == "Download"
    assert found["history"]["directoriesToWatch"] == ["logs"]


def test_a_run_definition_leads_back_to_the_run_configuration():
    made = configuration()
    definition = definition_of(made, made.script, made.arguments, made.command)
    found = run_config_of(definition)

    assert definition_of(found, found.script, found.arguments, found.command) == definition
    assert (found.target, found.mpi.process_count_per_node, found.data["d"].mechanism) == ("cluster", 2, "mount")
    assert found.environment.python.conda_dependencies.as_dict() == (
        made.environment.python.conda_dependencies.as_dict()
    )
    untouched = copy.deepcopy(definition)
    run_config_of(definition)
    assert definition == untouched


def test_a_run_definition_has_a_command_as_text():
    assert definition_of(RunConfiguration(), None, [], ["echo", "a b"])["command"] == "echo a b"
    assert definition_of(RunConfiguration(), None, [], "echo 'a b'")["command"] == "echo 'a b'"


def test_a_run_definition_needs_neither_mlflow_nor_pandas():
    code = (
        "import sys\n"
        "from azml_compat._run_definition import definition_of, run_config_of\n"
        "from azml_compat._interpreters import differences, python_of\n"
        "from azml_compat.core.runconfig import RunConfiguration\n"
        "definition = definition_of(RunConfiguration(), 't.py', [], None)\n"
        "run_config_of(definition), differences(definition), python_of(definition, sys.stderr)\n"
        "print({'mlflow', 'pandas', 'numpy'} & set(sys.modules))\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1])

    assert (shown.stdout, shown.stderr) == ("set()\n", "")


def test_a_submitted_run_knows_its_environment(local_run):
    from azml_compat import _names, _tags

    with pytest.raises(UserErrorException):
        local_run.get_environment()
    made = configuration()
    made.environment = Environment("training")
    text = json.dumps(definition_of(made, "t.py", [], None))
    local_run._store.set_run_tags(local_run.id, _tags.encode_text(_names.TAG_DEFINITION, text))

    found = local_run.get_environment()
    assert isinstance(found, Environment)
    assert (found.name, found.version[:8]) == ("training", "Autosave")
    assert found.python.conda_dependencies.as_dict() == CondaDependencies().as_dict()


# Interpreters


def declaring(*, pip=(), conda=(), managed=False, path="python", name="e"):
    made = RunConfiguration()
    made.environment = Environment(name)
    made.environment.python.conda_dependencies = CondaDependencies.create(pip_packages=[], conda_packages=[*conda])
    made.environment.python.conda_dependencies.set_pip_requirements([*pip])
    made.environment.python.user_managed_dependencies = managed
    made.environment.python.interpreter_path = path
    return definition_of(made, "t.py", [], None)


HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    "declared",
    [
        {},
        {"pip": ["azureml-defaults", "azureml-sdk[notebooks]==1.0", "packaging", "", "# note", "--pre", "-e ."]},
        {"pip": [f"packaging=={version('packaging')}  # here", "absent; python_version < '3'", "git+https://x.org/a"]},
        {"conda": ["packaging", "pip", "cudatoolkit=10.1", "conda-forge::packaging", f"python={HERE}", "libgomp"]},
        {"conda": [f"packaging={version('packaging')}", f"packaging=={version('packaging')}", "packaging>1|<0"]},
        {"pip": ["absent"], "managed": True},
    ],
)
def test_what_is_as_declared_is_not_told(declared):
    assert differences(declaring(**declared)) is None


def test_what_differs_is_told_in_one_line():
    line = differences(
        declaring(pip=["packaging==0.1", "absent>=2", "pytest"], conda=["numpy=1.0", "nowhere", "python=3.6"])
    )

    assert "\n" not in line
    for part in (
        "Environment e",
        f"python 3.6 (here {HERE})",
        f"numpy==1.0.* (here {version('numpy')})",
        "nowhere (missing)",
        f"packaging==0.1 (here {version('packaging')})",
        "absent>=2 (missing)",
    ):
        assert part in line
    assert "pytest" not in line


def test_differences_of_nothing_are_none():
    for definition in ({}, {"environment": None}, {"environment": {"name": "x", "version": None}}):
        assert differences(definition) is None


def test_the_interpreter_is_this_one_unless_the_user_manages_it():
    log = io.StringIO()

    assert python_of({}, log) == sys.executable
    assert python_of(declaring(path="/other/python"), log) == sys.executable
    assert python_of(declaring(managed=True), log) == sys.executable
    assert python_of(declaring(managed=True, path="/bin/sh"), log) == "/bin/sh"
    with pytest.raises(ExperimentExecutionException, match="no-such-python"):
        python_of(declaring(managed=True, path="no-such-python"), log)
    assert log.getvalue() == ""


class Builder:
    """Stands in for uv: makes an environment whose python is this one, and counts."""

    SCRIPT = """#!{python}
import os, sys, time
with open({calls!r}, "a") as calls:
    calls.write(" ".join(sys.argv[1:]) + "\\n")
if sys.argv[1] == "venv":
    os.makedirs(sys.argv[4] + "/bin")
    with open(sys.argv[4] + "/bin/python", "w") as python:
        python.write("#!/bin/sh\\nif echo \\"$*\\" | grep -q purelib; then echo " + sys.argv[4] + "; fi\\n")
    os.chmod(sys.argv[4] + "/bin/python", 0o755)
elif "broken" in open(sys.argv[-1]).read():
    sys.exit("no version of broken was found")
else:
    time.sleep(0.3)
"""

    def __init__(self, folder):
        self.calls = folder / "calls"
        self.calls.touch()
        program = folder / "uv"
        program.write_text(self.SCRIPT.format(python=sys.executable, calls=str(self.calls)))
        program.chmod(0o755)

    def count(self):
        return len([line for line in self.calls.read_text().splitlines() if line.startswith("pip")])


@pytest.fixture
def builder(tmp_path, monkeypatch):
    monkeypatch.setenv("AZML_COMPAT_ENVIRONMENTS", "isolated")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return Builder(tmp_path)


def test_an_isolated_environment_is_built_once_for_what_it_declares(builder):
    log = io.StringIO()
    definition = declaring(pip=["azureml-defaults", "a==1", "--pre"], conda=["toolz=0.9", "cudatoolkit"])
    found = Path(python_of(definition, log))

    assert found.is_relative_to(_home.home() / "environments")
    requirements = (found.parents[1] / "requirements.txt").read_text().splitlines()
    assert requirements[:3] == ["--pre", "toolz==0.9.*", "a==1"]
    assert f"mlflow=={version('mlflow')}" in requirements
    assert (found.parents[1] / "azml_compat" / "_interpreters.py").is_file()
    assert "Building environment e" in log.getvalue()
    assert python_of(declaring(pip=["a==1", "--pre"], conda=["toolz=0.9"], name="other"), log) == str(found)
    assert builder.count() == 1
    assert python_of(declaring(pip=["a==2"]), log) != str(found)
    assert builder.count() == 2
    assert differences(definition) is None


def test_an_isolated_environment_is_whole_or_absent(builder):
    log = io.StringIO()
    with pytest.raises(ExperimentExecutionException, match="cannot be built: `uv` ended with exit code 1: no version"):
        python_of(declaring(pip=["broken"]), log)

    assert "no version of broken was found" in log.getvalue()
    folders = [path for path in (_home.home() / "environments").iterdir() if path.is_dir()]
    assert folders == []

    found = Path(python_of(declaring(pip=["a"]), log))
    (found.parents[1] / "complete").unlink()  # what a process that was killed leaves behind
    assert python_of(declaring(pip=["a"]), log) == str(found)
    assert builder.count() == 3


def test_several_that_want_an_isolated_environment_at_once_build_it_once(builder):
    found = set()
    threads = [
        threading.Thread(target=lambda: found.add(python_of(declaring(pip=["a"]), io.StringIO()))) for _ in range(4)
    ]
    code = (
        "import io, json, sys\n"
        "from azml_compat._interpreters import python_of\n"
        "print(python_of(json.loads(sys.argv[1]), io.StringIO()))\n"
    )
    command = [sys.executable, "-c", code, json.dumps(declaring(pip=["a"]))]
    others = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found |= {other.communicate(timeout=60)[0].strip() for other in others}

    assert len(found) == 1
    assert builder.count() == 1


@pytest.mark.extra
@pytest.mark.timeout(900)  # pip takes minutes for MLflow, uv seconds
@pytest.mark.parametrize("with_uv", [True, False])
def test_an_isolated_environment_has_what_it_declares_and_nothing_else(with_uv, monkeypatch):
    """Installs from the package index that pip is set up with."""
    if with_uv and shutil.which("uv", path=f"{os.environ['PATH']}{os.pathsep}{Path(sys.executable).parent}") is None:
        pytest.skip("uv is not installed")
    monkeypatch.setenv("AZML_COMPAT_ENVIRONMENTS", "isolated")
    if not with_uv:
        monkeypatch.setattr(_interpreters.shutil, "which", lambda name, path=None: None)
    python = python_of(declaring(pip=["six==1.16.0"], conda=["toolz"]), sys.stderr)
    code = (
        "import importlib.util, six, toolz, azml_compat, mlflow\n"
        "print(six.__version__, mlflow.__version__, importlib.util.find_spec('pytest'))"
    )
    shown = subprocess.run([python, "-c", code], capture_output=True, text=True)

    assert (shown.stdout.split(), shown.returncode) == (["1.16.0", version("mlflow"), "None"], 0), shown.stderr
