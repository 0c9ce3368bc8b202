from __future__ import annotations

import copy
import doctest
import importlib
import inspect
import pickle
import subprocess
import sys
import threading
import typing
from abc import ABC
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from unittest import mock

import pytest

import azml_compat.core.image
import azml_compat.core.model
import azml_compat.core.util
import azml_compat.core.webservice
from azml_compat import _refused
from azml_compat._refused import NotSupportedError, module_attributes, refusal
from azml_compat._surface import surface
from azml_compat.core.compute_target import prepare_compute_target
from azml_compat.core.image import ContainerImage, Image
from azml_compat.core.webservice import AksEndpoint, AksWebservice, Webservice
from azml_compat.data.dataset_error_handling import DatasetExecutionError, DatasetValidationError
from azml_compat.exceptions import AzureMLException, UserErrorException
from azml_compat.train import hyperdrive

REPOSITORY = Path(__file__).parent.parent


# The error


def test_the_error_says_what_why_and_what_to_do_instead():
    error = NotSupportedError("azureml.core.X.y", "it is hard", "do that")

    assert error.message == ("`azureml.core.X.y` is not supported by azml_compat yet: it is hard. Instead: do that.")
    assert (error.path, error.instead) == ("azureml.core.X.y", "do that")


def test_the_error_is_honest_about_what_will_never_come():
    assert "and will not be: " in NotSupportedError("p", "w", "i", planned=False).message


def test_old_except_clauses_catch_the_error():
    error = refusal("azureml.core.Model.deploy")

    assert isinstance(error, UserErrorException)
    assert isinstance(error, AzureMLException)
    assert isinstance(error, NotImplementedError)


def test_the_error_pickles():
    error = pickle.loads(pickle.dumps(refusal("azureml.core.Model.deploy")))

    assert (error.path, error.message) == (
        "azureml.core.Model.deploy",
        refusal("azureml.core.Model.deploy").message,
    )


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("azureml.core.Model.deploy", "mlflow models serve"),
        ("azureml.core.model.Model.deploy", "mlflow models serve"),
        ("azureml.core.webservice.aci.AciWebservice", "mlflow models serve"),
        ("azureml.core.webservice.Webservice.run", "mlflow models serve"),
        ("azureml.core.Workspace.images", "mlflow models serve"),
        ("azureml.core.compute.SynapseCompute", "python -m azml_compat script.py"),
        ("azureml.core.Experiment.submit", "python -m azml_compat script.py"),
        ("azureml.core.Dataset.from_pandas_dataframe", "Dataset.get_by_name"),
        ("azureml.data.tabular_dataset.TabularDataset.to_dask_dataframe", "to_pandas_dataframe"),
        ("azureml.core.LinkedService", "remove the call"),
        ("azureml.core.util.NewLoggingLevel", "setLevel"),
        ("azureml.core.Workspace.set_connection['a.b']", "remove the call"),
        ("azureml.core", "MLflow directly"),
    ],
)
def test_the_reason_fits_the_path_in_either_form(path, part):
    assert path in refusal(path).message
    assert part in refusal(path).instead


@pytest.mark.parametrize(
    ("path", "planned"),
    [
        ("azureml.core.model.Model.deploy", False),
        ("azureml.core.compute.synapse.SynapseCompute", False),
        ("azureml.core.private_endpoint.PrivateEndPoint", False),
        ("azureml.data.datacache.DatacacheStore", False),
    ],
)
def test_a_plan_is_announced_where_there_is_one(path, planned):
    assert ("yet" in refusal(path).message) is planned
    assert ("will not be" in refusal(path).message) is not planned


# Classes


def test_a_class_cannot_be_called():
    with pytest.raises(NotSupportedError, match=r"`azureml\.core\.image\.container\.ContainerImage` is not"):
        ContainerImage("workspace", name="cluster")


@pytest.mark.parametrize("module", sorted(surface()))
def test_every_member_of_every_stand_in_refuses(module):
    for name, record in surface()[module].get("classes", {}).items():
        stand_in = getattr(importlib.import_module(module.replace("azureml", "azml_compat", 1)), name)
        if type(stand_in) is not _refused._Refusing:
            continue
        for member in record["members"]:
            if not any(member in vars(base) for base in stand_in.__mro__):  # else a base has it for real
                with pytest.raises(NotSupportedError, match=rf"\.{member}` is not supported"):
                    getattr(stand_in, member)


def test_the_message_names_the_member():
    with pytest.raises(NotSupportedError, match=r"`azureml\.core\.image\.image\.Image\.create` is not"):
        Image.create(None, "name")


def test_an_inherited_member_refuses_too():
    with pytest.raises(NotSupportedError, match=r"`azureml\.core\.image\.image\.Image\.create`"):
        ContainerImage.create()


def test_an_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = ContainerImage.nonsense
    assert not hasattr(ContainerImage, "nonsense")
    assert not hasattr(ContainerImage, "__wrapped__")


def test_bases_follow_the_surface():
    assert issubclass(ContainerImage, Image)
    assert issubclass(AksEndpoint, AksWebservice)
    assert issubclass(AksWebservice, Webservice)
    assert not issubclass(ContainerImage, Webservice)


def test_a_class_serves_in_isinstance_and_annotations():
    def function(target: ContainerImage | None, *targets: Image) -> list[ContainerImage]:
        raise NotImplementedError

    assert not isinstance("cluster", ContainerImage)
    assert not isinstance("cluster", (ContainerImage, Image))
    assert ContainerImage | None == typing.Optional[ContainerImage]  # noqa: UP045 - the old form is what scripts have
    assert typing.get_type_hints(function, localns=globals())["target"] == ContainerImage | None


def test_a_class_of_the_users_below_one_refuses_when_it_is_called():
    class Mine(ContainerImage):
        def __init__(self):
            raise AssertionError("never reached")

    assert issubclass(Mine, Image)
    with pytest.raises(NotSupportedError):
        Mine()


@pytest.mark.parametrize("error", [DatasetExecutionError, DatasetValidationError])
def test_an_exception_can_be_raised_and_caught(error):
    assert issubclass(error, UserErrorException)
    with pytest.raises(UserErrorException) as caught:
        raise error("no data", None)
    assert caught.value.message == "no data"
    assert type(pickle.loads(pickle.dumps(caught.value))) is error


def test_repr_names_the_class_and_says_that_it_is_none():
    assert repr(ContainerImage) == "<class 'azml_compat.core.image.container.ContainerImage' (not supported)>"
    assert ContainerImage.__doc__.startswith("`azureml.core.image.container.ContainerImage` is not supported")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_classes_and_functions_pickle_by_reference(protocol):
    for thing in (ContainerImage, DatasetExecutionError, prepare_compute_target):
        assert pickle.loads(pickle.dumps(thing, protocol)) is thing


def test_a_class_can_be_looked_at_by_every_tool():
    assert copy.copy(ContainerImage) is ContainerImage
    assert copy.deepcopy({"class": ContainerImage}) == {"class": ContainerImage}
    assert hash(ContainerImage) == hash(ContainerImage)
    assert inspect.isclass(ContainerImage)
    assert inspect.getmembers(ContainerImage)
    assert inspect.signature(ContainerImage)
    assert inspect.unwrap(ContainerImage) is ContainerImage
    assert inspect.getdoc(ContainerImage)
    assert "register" not in dir(ContainerImage)
    assert not issubclass(ContainerImage, Iterable)
    assert not issubclass(ContainerImage, ABC)
    assert doctest.DocTestFinder().find(ContainerImage, "ContainerImage") is not None
    assert mock.Mock(spec=ContainerImage).__class__ is ContainerImage
    assert mock.create_autospec(ContainerImage)


def test_mock_can_put_something_in_the_place_of_a_class():
    with mock.patch("azml_compat.core.image.image.Image") as fake:
        fake.create.return_value = "created"
        assert azml_compat.core.image.image.Image.create() == "created"
        assert azml_compat.core.image.image.Image is fake
        assert azml_compat.core.Image is fake
    with pytest.raises(NotSupportedError):
        azml_compat.core.image.image.Image.create()
    assert isinstance(azml_compat.core.Image, type)


def test_mock_can_add_a_member_that_refuses():
    with mock.patch.object(ContainerImage, "invented", create=True) as fake:
        assert ContainerImage.invented is fake
    assert not hasattr(ContainerImage, "invented")


# Functions


def test_a_function_refuses_when_it_is_called():
    with pytest.raises(NotSupportedError, match="prepare_compute_target"):
        prepare_compute_target(1, source_directory=2)
    assert prepare_compute_target.__name__ == "prepare_compute_target"
    assert prepare_compute_target.__doc__


# Modules


def test_one_object_whatever_the_path():
    from azml_compat.core import Dataset
    from azml_compat.core.dataset import Dataset as at_home
    from azml_compat.core.model import Dataset as at_model

    assert Dataset is at_home is at_model


def test_constants_have_their_values():
    from azml_compat.core import runconfig
    from azml_compat.data.constants import WORKSPACE_BLOB_DATASTORE

    assert runconfig.DEFAULT_CPU_IMAGE == "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:20251130.v1"
    assert runconfig.SUPPORTED_PYTORCH_BACKENDS == ["nccl", "gloo"]
    assert runconfig.SUPPORTED_PYTORCH_BACKENDS is runconfig.SUPPORTED_PYTORCH_BACKENDS
    assert WORKSPACE_BLOB_DATASTORE == "workspaceblobstore"


def test_a_module_lists_its_names():
    assert {"Model", "Dataset", "InferenceConfig", "SUPPORTED_RUNTIMES"} <= set(dir(azml_compat.core.model))


def test_a_star_import_brings_the_names():
    names: dict[str, object] = {}
    exec("from azml_compat.core.image import *", names)
    exec("from azml_compat.core.runconfig import *", names)

    assert names["ContainerImage"] is ContainerImage
    assert {"RunConfiguration", "CondaDependencies", "DEFAULT_CPU_IMAGE"} <= set(names)


def test_an_unknown_name_of_a_module_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'azml_compat\.core\.model' has no attribute 'nonsense'"):
        _ = azml_compat.core.model.nonsense
    with pytest.raises(ImportError, match="nonsense"):
        exec("from azml_compat.core.model import nonsense")
    assert not hasattr(azml_compat.core.model, "_private")
    assert not hasattr(azml_compat.core.model, "__wrapped__")


def test_submodules_are_attributes_of_their_package():
    assert azml_compat.core.image.container is importlib.import_module("azml_compat.core.image.container")


def test_reloading_a_module_keeps_its_stand_ins():
    kept = azml_compat.core.util.NewLoggingLevel

    assert importlib.reload(azml_compat.core.util).NewLoggingLevel is kept


def test_a_module_that_defines_some_names_gets_the_others(monkeypatch):
    module = ModuleType("azml_compat.core.script_run")
    module.ScriptRun = dict
    module.__getattr__, module.__dir__ = module_attributes("azml_compat.core.script_run")
    monkeypatch.setitem(sys.modules, "azml_compat.core.script_run", module)

    assert module.ScriptRun is dict
    assert module.UserErrorException is UserErrorException
    assert "UserErrorException" in dir(module)


def test_a_circular_import_gets_no_stand_in_for_what_is_yet_to_be_defined(monkeypatch):
    module = ModuleType("azml_compat.core.util")
    module.__spec__ = mock.Mock(_initializing=True)
    module.__getattr__, _ = module_attributes("azml_compat.core.util")
    monkeypatch.setitem(sys.modules, "azml_compat.core.util", module)

    with pytest.raises(AttributeError):
        _ = module.NewLoggingLevel
    module.__spec__ = None
    assert module.NewLoggingLevel


def test_racing_threads_get_one_class(monkeypatch):
    monkeypatch.delitem(vars(azml_compat.core.util), "NewLoggingLevel", raising=False)
    barrier, got = threading.Barrier(32), []

    def look():
        barrier.wait()
        got.append(azml_compat.core.util.NewLoggingLevel)

    threads = [threading.Thread(target=look) for _ in range(32)]
    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switch)
    assert len(got) == 32
    assert len(set(got)) == 1


def test_importing_everything_imports_nothing_heavy():
    code = (
        "import sys, pkgutil, importlib, azml_compat.core, azml_compat.data\n"
        "for package in (azml_compat.core, azml_compat.data):\n"
        "    for found in pkgutil.iter_modules(package.__path__, package.__name__ + '.'):\n"
        "        if found.name.rpartition('.')[2] not in ('run', 'experiment', 'workspace'):\n"
        "            importlib.import_module(found.name)\n"
        "print(azml_compat.core.model.InferenceConfig, azml_compat.core.image.ContainerImage)\n"
        "print({'mlflow', 'numpy', 'pandas', 'requests', 'azureml'} & set(sys.modules))\n"
    )
    shown = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=REPOSITORY,
    )

    assert shown.stderr == ""
    assert shown.stdout.endswith("\nset()\n")


@pytest.mark.parametrize(
    "use",
    [
        lambda: hyperdrive.HyperDriveConfig(),
        lambda: hyperdrive.choice(1, 2),
        lambda: hyperdrive.BanditPolicy(0.1),
        lambda: hyperdrive.PrimaryMetricGoal.MINIMIZE,
        lambda: hyperdrive.RandomParameterSampling({}),
    ],
)
def test_hyperdrive_can_be_imported_and_refuses_when_it_is_used(use):
    with pytest.raises(NotSupportedError, match=r"`azureml\.train\.hyperdrive\..*Optuna"):
        use()


def test_the_stand_ins_of_hyperdrive_can_be_told_apart_and_are_where_azures_are():
    assert len(hyperdrive.__all__) == 23
    assert all(hasattr(hyperdrive, name) for name in hyperdrive.__all__)
    assert issubclass(hyperdrive.HyperDriveRun, azml_compat.Run)
    assert issubclass(hyperdrive.GridParameterSampling, hyperdrive.HyperParameterSampling)
    assert hyperdrive.HyperDriveConfig.__module__ == "azml_compat.train.hyperdrive.runconfig"
