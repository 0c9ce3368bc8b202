"""What members of azureml classes give, and its functions return: by these facts types are followed through a script.

They come from the reference of azureml-core and, of other packages, from how published scripts use them. A type is
written as a class, `[Class]` (a list or generator of it), `{Class}` (a dict with it as values), `(Class)` (a tuple that
begins with it), `type Class` (the class itself) or `=` (the class that it was reached through); `|` stands between
alternatives, of which the first is taken where nothing tells them apart.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Literal, NamedTuple

from azml_compat._surface import home, lineage

Kind = Literal["module", "class", "instance", "function", "list", "dict", "tuple"]


class Value(NamedTuple):
    """What an expression is, as far as it is azureml's.

    Attributes:
        path: Where the class, module or function lives: `azureml.core.run.Run`.
        kind: What the expression is of that path: itself (`module`, `class`, `function`), an `instance` of it, a
            `list` or `dict` whose items or values are such instances, or a `tuple` of which the first is one.
    """

    path: str
    kind: Kind


def located(path: str) -> str:
    """Spell out where a name lives, as `_surface.home` does, and also for what is listed here of other packages."""
    path = home(path)
    if path.startswith(("azureml.pipeline.", "azureml.train.")):
        module, _, name = path.rpartition(".")
        return _HOMES.get(name, path) if module not in _HOMES.values() else path
    return path


def ancestry(path: str) -> Iterator[str]:
    """Yield the path of a class and of its bases, as `_surface.lineage` does, also for what is listed here."""
    yield from lineage(path)
    if path in _RUNS_OF_OTHERS:
        yield _HOMES["Run"]


def gives(owner: str, name: str) -> tuple[Value, ...]:
    """Return what a member of a class gives: a method when it is called, any other when it is read.

    Args:
        owner: The path of the class, or of the module of a function.
        name: Of the member.

    Returns:
        The alternatives; empty where it is nothing of azureml's, or not known.
    """
    for base in ancestry(owner):
        spelled = _CLASSES.get(base, _NOTHING).get(name)
        if spelled is not None:
            return _parse(spelled, owner)
    return ()


def submits(config: str) -> tuple[Value, ...]:
    """Return what `Experiment.submit` makes of a configuration, given the path of its class; empty if it is unknown."""
    return _parse(_SUBMITS.get(config.rpartition(".")[2], ""), "")


def constructs(path: str) -> tuple[Value, ...]:
    """Return what calling a class makes."""
    name = path.rpartition(".")[2]
    if name in _CONSTRUCTS and _HOMES[name] == path:
        return _parse(_CONSTRUCTS[name], "")
    return (Value(path, "instance"),)


def takes(path: str, role: int | str) -> str | None:
    """Return the path of the class whose instance an argument of a call must be; None where it is not told.

    Args:
        path: Of what is called.
        role: The place of the argument, or the keyword.
    """
    name = _KEYWORDS.get(role) if isinstance(role, str) else _FIRST.get(path) if role == 0 else None
    return _HOMES[name] if name is not None else None


def is_listed(owner: str, name: str) -> bool:
    """Tell whether a member is listed for a class itself: of other packages, that is all that is known of them."""
    return name in _CLASSES.get(owner, _NOTHING)


@functools.cache
def _parse(spelled: str, owner: str) -> tuple[Value, ...]:
    return tuple(_one(part, owner) for part in spelled.split("|") if part)


def _one(spelled: str, owner: str) -> Value:
    kind: Kind = "instance"
    if spelled.startswith("type "):
        kind, spelled = "class", spelled.removeprefix("type ")
    elif spelled[0] in _KINDS:
        kind, spelled = _KINDS[spelled[0]], spelled[1:-1]
    return Value(owner if spelled == "=" else _HOMES[spelled], kind)


_KINDS: dict[str, Kind] = {"[": "list", "{": "dict", "(": "tuple"}
_NOTHING: dict[str, str] = {}
_PIPELINE_RUN = "azureml.pipeline.core.run.PipelineRun"
_STEP_RUN = "azureml.pipeline.core.run.StepRun"
_HYPERDRIVE_RUN = "azureml.train.hyperdrive.run.HyperDriveRun"
_AUTOML_RUN = "azureml.train.automl.run.AutoMLRun"
_RUNS_OF_OTHERS = (_PIPELINE_RUN, _STEP_RUN, _HYPERDRIVE_RUN, _AUTOML_RUN)

_HOMES = {
    path.rpartition(".")[2]: path
    for path in (
        "azureml.core.authentication.AccessToken",
        "azureml.core.compute.aks.AksCompute",
        "azureml.core.compute.aks.AksProvisioningConfiguration",
        "azureml.core.compute.aks.SslConfiguration",
        "azureml.core.compute.amlcompute.AmlCompute",
        "azureml.core.compute.amlcompute.AmlComputeNodeStateCounts",
        "azureml.core.compute.amlcompute.AmlComputeProvisioningConfiguration",
        "azureml.core.compute.amlcompute.AmlComputeStatus",
        "azureml.core.compute.amlcompute.ScaleSettings",
        "azureml.core.compute.compute.ComputeTarget",
        "azureml.core.compute.computeinstance.ComputeInstance",
        "azureml.core.compute.computeinstance.ComputeInstanceProvisioningConfiguration",
        "azureml.core.compute.computeinstance.ComputeInstanceStatus",
        "azureml.core.conda_dependencies.CondaDependencies",
        "azureml.core.container_registry.ContainerRegistry",
        "azureml.core.container_registry.RegistryIdentity",
        "azureml.core.databricks.DatabricksSection",
        "azureml.core.dataset.Dataset",
        "azureml.core.datastore.Datastore",
        "azureml.core.environment.DockerBuildContext",
        "azureml.core.environment.DockerImagePlatform",
        "azureml.core.environment.DockerSection",
        "azureml.core.environment.Environment",
        "azureml.core.environment.ImageBuildDetails",
        "azureml.core.environment.PythonSection",
        "azureml.core.environment.RSection",
        "azureml.core.environment.SparkSection",
        "azureml.core.experiment.Experiment",
        "azureml.core.image.image.Image",
        "azureml.core.keyvault.Keyvault",
        "azureml.core.linked_service.LinkedService",
        "azureml.core.model.Model",
        "azureml.core.model.ModelPackage",
        "azureml.core.private_endpoint.PrivateEndPoint",
        "azureml.core.resource_configuration.ResourceConfiguration",
        "azureml.core.run.Run",
        "azureml.core.runconfig.AmlComputeConfiguration",
        "azureml.core.runconfig.Data",
        "azureml.core.runconfig.DataReferenceConfiguration",
        "azureml.core.runconfig.DockerConfiguration",
        "azureml.core.runconfig.HdiConfiguration",
        "azureml.core.runconfig.HistoryConfiguration",
        "azureml.core.runconfig.KubernetesComputeConfiguration",
        "azureml.core.runconfig.MpiConfiguration",
        "azureml.core.runconfig.OutputData",
        "azureml.core.runconfig.ParallelTaskConfiguration",
        "azureml.core.runconfig.PyTorchConfiguration",
        "azureml.core.runconfig.RunConfiguration",
        "azureml.core.runconfig.SparkConfiguration",
        "azureml.core.runconfig.TensorflowConfiguration",
        "azureml.core.script_run.ScriptRun",
        "azureml.core.script_run_config.ScriptRunConfig",
        "azureml.core.webservice.aci.AciWebservice",
        "azureml.core.webservice.aks.AksWebservice",
        "azureml.core.webservice.local.LocalWebservice",
        "azureml.core.webservice.webservice.Webservice",
        "azureml.core.workspace.Workspace",
        "azureml.data.abstract_dataset.AbstractDataset",
        "azureml.data.abstract_datastore.AbstractDatastore",
        "azureml.data.azure_data_lake_datastore.AzureDataLakeDatastore",
        "azureml.data.azure_data_lake_datastore.AzureDataLakeGen2Datastore",
        "azureml.data.azure_my_sql_datastore.AzureMySqlDatastore",
        "azureml.data.azure_postgre_sql_datastore.AzurePostgreSqlDatastore",
        "azureml.data.azure_sql_database_datastore.AzureSqlDatabaseDatastore",
        "azureml.data.azure_storage_datastore.AzureBlobDatastore",
        "azureml.data.azure_storage_datastore.AzureFileDatastore",
        "azureml.data.data_reference.DataReference",
        "azureml.data.dataset_consumption_config.DatasetConsumptionConfig",
        "azureml.data.dataset_factory.FileDatasetFactory",
        "azureml.data.dataset_factory.TabularDatasetFactory",
        "azureml.data.dataset_profile.DatasetProfile",
        "azureml.data.dataset_profile_run.DatasetProfileRun",
        "azureml.data.datapath.DataPath",
        "azureml.data.dbfs_datastore.DBFSDatastore",
        "azureml.data.file_dataset.FileDataset",
        "azureml.data.hdfs_datastore.HDFSDatastore",
        "azureml.data.output_dataset_config.OutputFileDatasetConfig",
        "azureml.data.output_dataset_config.OutputTabularDatasetConfig",
        "azureml.data.tabular_dataset.TabularDataset",
        "azureml.pipeline.core.builder.PipelineData",
        "azureml.pipeline.core.graph.PortDataReference",
        "azureml.pipeline.core.pipeline.Pipeline",
        "azureml.pipeline.core.pipeline_endpoint.PipelineEndpoint",
        "azureml.pipeline.core.graph.PublishedPipeline",
        "azureml.pipeline.core.schedule.Schedule",
        *_RUNS_OF_OTHERS,
    )
}

_DATASET = "TabularDataset|FileDataset"
_DATASTORE = "AzureBlobDatastore|AzureFileDatastore|AzureDataLakeGen2Datastore|AzureSqlDatabaseDatastore"
_TARGET = "ComputeTarget|AmlCompute|ComputeInstance|AksCompute"
_RUN = "Run|PipelineRun|HyperDriveRun|AutoMLRun"

_SERVICE = "Webservice|AciWebservice|AksWebservice|LocalWebservice"

_CONSTRUCTS = {
    "ComputeTarget": _TARGET,
    "Dataset": f"Dataset|{_DATASET}",
    "Datastore": _DATASTORE,
    "Webservice": _SERVICE,
}
"""Of classes whose constructors give what the workspace has under a name: of any class below."""

_SUBMITS = {
    "ScriptRunConfig": "ScriptRun",
    "Estimator": "ScriptRun",
    "MMLBaseEstimator": "ScriptRun",
    "PyTorch": "ScriptRun",
    "TensorFlow": "ScriptRun",
    "Chainer": "ScriptRun",
    "SKLearn": "ScriptRun",
    "HyperDriveConfig": "HyperDriveRun",
    "HyperDriveRunConfig": "HyperDriveRun",
    "AutoMLConfig": "AutoMLRun",
    "AutoMLImageConfig": "AutoMLRun",
    "Pipeline": "PipelineRun",
    "PublishedPipeline": "PipelineRun",
    "PipelineEndpoint": "PipelineRun",
}

_CLASSES: dict[str, dict[str, str]] = {
    "azureml.core.run": {"get_run": _RUN},
    "azureml.core.run.Run": {
        "child_run": "Run",
        "create_children": "[Run]",
        "experiment": "Experiment",
        "get": _RUN,
        "get_children": "[Run]|[StepRun]",
        "get_context": "=",
        "get_environment": "Environment",
        "get_submitted_run": "=",
        "input_datasets": "{TabularDataset}|{FileDataset}",
        "list": "[Run]",
        "list_by_compute": "[Run]",
        "output_datasets": "{TabularDataset}|{FileDataset}",
        "parent": _RUN,
        "register_model": "Model",
        "submit_child": _RUN,
        "__enter__": "=",
    },
    "azureml.core.experiment.Experiment": {
        "from_directory": "=",
        "get_runs": "[Run]|[PipelineRun]|[HyperDriveRun]|[AutoMLRun]",
        "list": "[Experiment]",
        "start_logging": "Run",
        "submit": _RUN,
        "workspace": "Workspace",
        "workspace_object": "Workspace",
    },
    "azureml.core.workspace.Workspace": {
        "DEFAULT_CPU_CLUSTER_CONFIGURATION": "AmlComputeProvisioningConfiguration",
        "DEFAULT_GPU_CLUSTER_CONFIGURATION": "AmlComputeProvisioningConfiguration",
        "compute_targets": "{ComputeTarget}|{AmlCompute}|{ComputeInstance}|{AksCompute}",
        "create": "=",
        "datasets": "{TabularDataset}|{FileDataset}",
        "datastores": "{AzureBlobDatastore}|{AzureFileDatastore}|{AzureDataLakeGen2Datastore}",
        "environments": "{Environment}",
        "experiments": "{Experiment}",
        "from_config": "=",
        "get": "=",
        "get_default_compute_target": _TARGET,
        "get_default_datastore": _DATASTORE,
        "get_default_keyvault": "Keyvault",
        "get_run": _RUN,
        "images": "{Image}",
        "linked_services": "{LinkedService}",
        "models": "{Model}",
        "private_endpoints": "{PrivateEndPoint}",
        "setup": "=",
        "webservices": "{Webservice}|{AciWebservice}|{AksWebservice}",
    },
    "azureml.core.keyvault.Keyvault": {"workspace": "Workspace"},
    "azureml.core.authentication.AbstractAuthentication": {"get_token": "AccessToken"},
    "azureml.core.model.Model": {
        "datasets": "{TabularDataset}|{FileDataset}",
        "deploy": _SERVICE,
        "list": "[Model]",
        "package": "ModelPackage",
        "register": "Model",
        "resource_configuration": "ResourceConfiguration",
        "run": "Run",
        "sample_input_dataset": _DATASET,
        "sample_output_dataset": _DATASET,
        "workspace": "Workspace",
    },
    "azureml.core.webservice.webservice.Webservice": {
        "deploy": _SERVICE,
        "deploy_from_image": _SERVICE,
        "deploy_from_model": _SERVICE,
        "deploy_local_from_model": _SERVICE,
        "image": "Image",
        "list": "[Webservice]|[AciWebservice]|[AksWebservice]",
        "workspace": "Workspace",
    },
    "azureml.core.image.image.Image": {"create": "=", "list": "[Image]"},
    "azureml.core.compute.compute.ComputeTarget": {
        "attach": _TARGET,
        "create": _TARGET,
        "get_status": "AmlComputeStatus|ComputeInstanceStatus",
        "list": "[ComputeTarget]|[AmlCompute]|[ComputeInstance]|[AksCompute]",
        "workspace": "Workspace",
    },
    "azureml.core.compute.amlcompute.AmlCompute": {
        "get_active_runs": "[Run]",
        "get_status": "AmlComputeStatus",
        "provisioning_configuration": "AmlComputeProvisioningConfiguration",
        "scale_settings": "ScaleSettings",
        "status": "AmlComputeStatus",
    },
    "azureml.core.compute.amlcompute.AmlComputeStatus": {
        "node_state_counts": "AmlComputeNodeStateCounts",
        "scale_settings": "ScaleSettings",
    },
    "azureml.core.compute.amlcompute.AmlComputeProvisioningConfiguration": {"scale_settings": "ScaleSettings"},
    "azureml.core.compute.computeinstance.ComputeInstance": {
        "get_active_runs": "[Run]",
        "get_status": "ComputeInstanceStatus",
        "provisioning_configuration": "ComputeInstanceProvisioningConfiguration",
        "status": "ComputeInstanceStatus",
    },
    "azureml.core.compute.aks.AksCompute": {
        "provisioning_configuration": "AksProvisioningConfiguration",
        "ssl_configuration": "SslConfiguration",
    },
    "azureml.core.conda_dependencies.CondaDependencies": {"create": "=", "merge_requirements": "="},
    "azureml.core.environment.Environment": {
        "build": "ImageBuildDetails",
        "build_local": "ImageBuildDetails",
        "clone": "=",
        "databricks": "DatabricksSection",
        "docker": "DockerSection",
        "from_conda_specification": "=",
        "from_docker_build_context": "=",
        "from_docker_image": "=",
        "from_dockerfile": "=",
        "from_existing_conda_environment": "=",
        "from_pip_requirements": "=",
        "get": "=",
        "list": "{Environment}",
        "load_from_directory": "=",
        "python": "PythonSection",
        "r": "RSection",
        "register": "=",
        "spark": "SparkSection",
    },
    "azureml.core.environment.PythonSection": {"conda_dependencies": "CondaDependencies"},
    "azureml.core.environment.DockerSection": {
        "base_image_registry": "ContainerRegistry",
        "build_context": "DockerBuildContext",
        "platform": "DockerImagePlatform",
    },
    "azureml.core.environment.DockerBuildContext": {"from_local_directory": "="},
    "azureml.core.container_registry.ContainerRegistry": {"registry_identity": "RegistryIdentity"},
    "azureml.core.runconfig.RunConfiguration": {
        "amlcompute": "AmlComputeConfiguration",
        "data": "{Data}",
        "data_references": "{DataReferenceConfiguration}",
        "docker": "DockerConfiguration",
        "environment": "Environment",
        "hdi": "HdiConfiguration",
        "history": "HistoryConfiguration",
        "kubernetescompute": "KubernetesComputeConfiguration",
        "load": "=",
        "mpi": "MpiConfiguration",
        "output_data": "{OutputData}",
        "paralleltask": "ParallelTaskConfiguration",
        "pytorch": "PyTorchConfiguration",
        "spark": "SparkConfiguration",
        "tensorflow": "TensorflowConfiguration",
    },
    "azureml.core.script_run_config.ScriptRunConfig": {"run_config": "RunConfiguration"},
    "azureml.core.datastore.Datastore": {
        "get": _DATASTORE,
        "get_default": _DATASTORE,
        "register_azure_blob_container": "AzureBlobDatastore",
        "register_azure_data_lake": "AzureDataLakeDatastore",
        "register_azure_data_lake_gen2": "AzureDataLakeGen2Datastore",
        "register_azure_file_share": "AzureFileDatastore",
        "register_azure_my_sql": "AzureMySqlDatastore",
        "register_azure_postgre_sql": "AzurePostgreSqlDatastore",
        "register_azure_sql_database": "AzureSqlDatabaseDatastore",
        "register_dbfs": "DBFSDatastore",
        "register_hdfs": "HDFSDatastore",
        "workspace": "Workspace",
    },
    "azureml.data.abstract_datastore.AbstractDatastore": {"workspace": "Workspace"},
    "azureml.data.azure_storage_datastore.AbstractAzureStorageDatastore": {
        "as_download": "DataReference",
        "as_mount": "DataReference",
        "as_upload": "DataReference",
        "path": "DataReference",
        "upload": "DataReference",
        "upload_files": "DataReference",
    },
    "azureml.data.data_reference.DataReference": {
        "as_download": "=",
        "as_mount": "=",
        "as_upload": "=",
        "create": "=",
        "datastore": _DATASTORE,
        "path": "=",
    },
    "azureml.data.datapath.DataPath": {"create_data_reference": "DataReference"},
    "azureml.core.dataset.Dataset": {
        "File": "type FileDatasetFactory",
        "Tabular": "type TabularDatasetFactory",
        "auto_read_files": "Dataset",
        "from_binary_files": "Dataset",
        "from_delimited_files": "Dataset",
        "from_excel_files": "Dataset",
        "from_json_files": "Dataset",
        "from_pandas_dataframe": "Dataset",
        "from_parquet_files": "Dataset",
        "from_sql_query": "Dataset",
        "get": "Dataset",
        "get_all": "{TabularDataset}|{FileDataset}",
        "get_by_id": _DATASET,
        "get_by_name": _DATASET,
        "list": "[Dataset]",
        "register": _DATASET,
        "sample": "Dataset",
        "workspace": "Workspace",
    },
    "azureml.data.abstract_dataset.AbstractDataset": {
        "File": "type FileDatasetFactory",
        "Tabular": "type TabularDatasetFactory",
        "add_tags": "=",
        "as_named_input": "DatasetConsumptionConfig",
        "get_all": "{TabularDataset}|{FileDataset}",
        "get_by_id": _DATASET,
        "get_by_name": _DATASET,
        "register": "=",
        "remove_tags": "=",
        "update": "=",
    },
    "azureml.data.dataset_factory.TabularDatasetFactory": {
        "from_delimited_files": "TabularDataset",
        "from_json_lines_files": "TabularDataset",
        "from_parquet_files": "TabularDataset",
        "from_sql_query": "TabularDataset",
        "register_dask_dataframe": "TabularDataset",
        "register_pandas_dataframe": "TabularDataset",
        "register_spark_dataframe": "TabularDataset",
    },
    "azureml.data.dataset_factory.FileDatasetFactory": {
        "from_files": "FileDataset",
        "upload_directory": "FileDataset",
    },
    "azureml.data.tabular_dataset.TabularDataset": {
        "drop_columns": "=",
        "filter": "=",
        "get_profile": "DatasetProfile",
        "get_profile_runs": "[DatasetProfileRun]",
        "keep_columns": "=",
        "partition_by": "=",
        "random_split": "[TabularDataset]",
        "skip": "=",
        "submit_profile_run": "DatasetProfileRun",
        "take": "=",
        "take_sample": "=",
        "time_after": "=",
        "time_before": "=",
        "time_between": "=",
        "time_recent": "=",
        "to_csv_files": "FileDataset",
        "to_parquet_files": "FileDataset",
        "with_timestamp_columns": "=",
    },
    "azureml.data.file_dataset.FileDataset": {
        "as_cache": "=",
        "as_download": "DatasetConsumptionConfig",
        "as_hdfs": "DatasetConsumptionConfig",
        "as_mount": "DatasetConsumptionConfig",
        "filter": "=",
        "random_split": "[FileDataset]",
        "skip": "=",
        "take": "=",
        "take_sample": "=",
    },
    "azureml.data.dataset_consumption_config.DatasetConsumptionConfig": {
        "as_download": "=",
        "as_hdfs": "=",
        "as_mount": "=",
        "dataset": _DATASET,
    },
    "azureml.data.output_dataset_config.OutputDatasetConfig": {
        "as_input": "DatasetConsumptionConfig",
        "register_on_complete": "=",
    },
    "azureml.data.output_dataset_config.OutputFileDatasetConfig": {"as_mount": "=", "as_upload": "="},
    "azureml.data.output_dataset_config.OutputTabularDatasetConfig": {
        "as_mount": "=",
        "as_upload": "=",
        "drop_columns": "=",
        "keep_columns": "=",
        "random_split": "[OutputTabularDatasetConfig]",
    },
    "azureml.data.output_dataset_config.TransformationMixin": {
        "read_delimited_files": "OutputTabularDatasetConfig",
        "read_parquet_files": "OutputTabularDatasetConfig",
    },
    "azureml.pipeline.core.pipeline.Pipeline": {
        "load_yaml": "=",
        "publish": "PublishedPipeline",
        "submit": "PipelineRun",
        "validate": "",
        "service_endpoint": "",
    },
    "azureml.pipeline.core.graph.PublishedPipeline": {
        "get": "=",
        "list": "[PublishedPipeline]",
        "submit": "PipelineRun",
        "disable": "",
        "enable": "",
        "endpoint": "",
        "id": "",
        "name": "",
        "status": "",
        "version": "",
    },
    "azureml.pipeline.core.builder.PipelineData": {
        "as_dataset": "",
        "as_input": "",
        "as_mount": "",
        "datastore": _DATASTORE,
    },
    "azureml.pipeline.core.schedule.Schedule": {"create": "=", "get": "=", "list": "[Schedule]"},
    "azureml.pipeline.core.pipeline_endpoint.PipelineEndpoint": {
        "get": "=",
        "list": "[PipelineEndpoint]",
        "publish": "=",
        "submit": "PipelineRun",
    },
    _PIPELINE_RUN: {
        "find_step_run": "[StepRun]",
        "get": "=",
        "get_children": "[StepRun]",
        "get_pipeline_output": "PortDataReference",
        "get_pipeline_runs": "[PipelineRun]",
        "get_steps": "[StepRun]",
        "publish_pipeline": "PublishedPipeline",
    },
    _STEP_RUN: {
        "get_children": "[Run]",
        "get_output_data": "PortDataReference",
        "get_outputs": "",
        "get_job_log": "",
        "get_stderr_log": "",
        "get_stdout_log": "",
        "pipeline_run_id": "",
    },
    _HYPERDRIVE_RUN: {
        "get_best_run_by_primary_metric": "Run",
        "get_children": "[Run]",
        "get_children_sorted_by_primary_metric": "",
        "get_diagnostics": "",
        "get_hyperparameters": "",
        "get_metrics": "",
        "hyperdrive_run_config": "",
    },
    _AUTOML_RUN: {
        "continue_experiment": "",
        "get_best_child": "=",
        "get_children": "[AutoMLRun]",
        "get_guardrails": "",
        "get_output": "(Run)",
        "get_run_sdk_dependencies": "",
        "model_id": "",
        "pause": "",
        "resume": "",
        "retry": "",
        "summary": "",
    },
}

EXPORTED = {
    "azureml.train.hyperdrive": (
        "BanditPolicy BayesianParameterSampling EarlyTerminationPolicy GridParameterSampling HyperDriveConfig "
        "HyperDriveRun HyperDriveRunConfig HyperParameterSampling MedianStoppingPolicy NoTerminationPolicy "
        "PrimaryMetricGoal RandomParameterSampling TruncationSelectionPolicy choice lognormal loguniform normal "
        "qlognormal qloguniform qnormal quniform randint uniform"
    ),
    "azureml.train.hyperdrive.parameter_expressions": (
        "choice lognormal loguniform normal qlognormal qloguniform qnormal quniform randint uniform"
    ),
    "azureml.pipeline.core": (
        "InputPortBinding OutputPortBinding Pipeline PipelineData PipelineDataset PipelineDraft PipelineEndpoint "
        "PipelineParameter PipelineRun PipelineStep PortDataReference PublishedPipeline Schedule ScheduleRecurrence "
        "StepRun StepSequence TimeZone TrainingOutput"
    ),
    "azureml.pipeline.steps": (
        "AdlaStep AutoMLStep AzureBatchStep CommandStep DatabricksStep DataTransferStep EstimatorStep HyperDriveStep "
        "HyperDriveStepRun KustoStep ModuleStep MpiStep ParallelRunConfig ParallelRunStep PythonScriptStep "
        "RScriptStep SynapseSparkStep"
    ),
    "azureml.train.automl": "AutoMLConfig AutoMLImageConfig",
    "azureml.widgets": "RunDetails",
}
"""What `from … import *` brings of modules of which no surface is recorded."""

_KEYWORDS = {"experiment": "Experiment", "run_instance": "Run", "workspace": "Workspace"}
"""Keywords that mean the same wherever azureml has them."""
_FIRST = {
    "azureml.core.run.Run": "Experiment",
    "azureml.core.script_run.ScriptRun": "Experiment",
    "azureml.widgets.RunDetails": "Run",
    **dict.fromkeys(
        (
            "azureml.core.compute.amlcompute.AmlCompute",
            "azureml.core.compute.compute.ComputeTarget",
            "azureml.core.compute.compute.ComputeTarget.attach",
            "azureml.core.compute.compute.ComputeTarget.create",
            "azureml.core.compute.compute.ComputeTarget.list",
            "azureml.core.dataset.Dataset.get_by_id",
            "azureml.core.dataset.Dataset.get_by_name",
            "azureml.core.datastore.Datastore",
            "azureml.core.datastore.Datastore.get",
            "azureml.core.datastore.Datastore.get_default",
            "azureml.core.datastore.Datastore.register_azure_blob_container",
            "azureml.core.environment.Environment.build",
            "azureml.core.environment.Environment.get",
            "azureml.core.environment.Environment.list",
            "azureml.core.environment.Environment.register",
            "azureml.core.experiment.Experiment",
            "azureml.core.experiment.Experiment.list",
            "azureml.core.model.Model",
            "azureml.core.model.Model.deploy",
            "azureml.core.model.Model.list",
            "azureml.core.model.Model.register",
            "azureml.core.webservice.webservice.Webservice",
            "azureml.core.webservice.webservice.Webservice.list",
            "azureml.data.abstract_dataset.AbstractDataset.get_by_id",
            "azureml.data.abstract_dataset.AbstractDataset.get_by_name",
            "azureml.data.abstract_dataset.AbstractDataset.register",
            "azureml.pipeline.core.graph.PublishedPipeline.list",
            "azureml.pipeline.core.pipeline.Pipeline",
            "azureml.pipeline.core.schedule.Schedule.create",
            "azureml.pipeline.core.schedule.Schedule.list",
        ),
        "Workspace",
    ),
}
"""What the first argument of a call is."""
