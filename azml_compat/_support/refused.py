"""What is not there: public modules of which every name is a stand-in, and packages that are missing as a whole.

An entry covers all that is below it, unless there is a nearer one.
"""

from __future__ import annotations

from azml_compat._support.records import Support, members, missing, refused

_RUN_SCRIPT = "run the script itself (`python -m azml_compat script.py`): Run.get_context() in it is tracked"
_LEGACY_COMPUTE = refused(
    "compute targets of 2018 need no preparation here",
    "remove the call, and create targets with ComputeTarget",
    planned=False,
)
_CLOUD_COMPUTE = refused("this compute exists in Azure only", _RUN_SCRIPT, planned=False)
DATA = refused(
    "this part of datasets is not there",
    "use Dataset.Tabular, Dataset.File and the datastores of the workspace",
)
CLOUD_DATA = refused("this storage feature exists in Azure only", DATA.instead, planned=False)
DEPLOYMENT = refused(
    "there is no Azure service to deploy to", "serve the model with `mlflow models serve`", planned=False
)
CLOUD = refused(
    "there is no Azure workspace behind this one",
    "remove the call, a local workspace has nothing of the kind",
    planned=False,
)
OTHER = refused(
    "its turn has not come",
    "use MLflow directly, on the same store (mlflow.set_tracking_uri(ws.get_mlflow_tracking_uri()))",
)
STAND_INS = {
    **members(
        "azureml.core",
        {
            "compute.synapse": _CLOUD_COMPUTE,
            "compute_target": _LEGACY_COMPUTE,
            "diagnostic_log": refused(
                "there are no Azure requests to log",
                "use `logging.getLogger('azml_compat').setLevel(logging.DEBUG)`",
                planned=False,
            ),
            "image": DEPLOYMENT,
            "linked_service": CLOUD,
            "model.InferenceConfig": DEPLOYMENT,
            "model.ModelPackage": DEPLOYMENT,
            "private_endpoint": CLOUD,
            "profile": DEPLOYMENT,
            "util": refused(
                "it is a helper of the Azure ML SDK's own logging",
                "set the level yourself: `logging.getLogger(name).setLevel(level)`",
                planned=False,
            ),
            "webservice": DEPLOYMENT,
        },
    ),
    **members(
        "azureml.data",
        {
            "": DATA,
            "datacache": CLOUD_DATA,
            "datacache_client": CLOUD_DATA,
            "datacache_consumption_config": CLOUD_DATA,
            "datacache_singularity_settings": CLOUD_DATA,
        },
    ),
}

_AUTOML = missing("automated ML is a service of Azure's", "train a model yourself, or with a library such as FLAML")
_EXPLANATIONS = missing(
    "its explanations live in an Azure workspace",
    "use the interpret-community package, whose explainers need no Azure",
)
_TRAINING = missing(
    "estimators are not there",
    "run the training script itself with `python -m azml_compat script.py`",
    planned=True,
)
_FOUNDRY = missing("it works with services of Azure's", "guard or remove the import")

MISSING: dict[str, Support] = members(
    "azureml",
    {
        "accel": missing("its hardware exists in Azure only", "train and score the model with its own framework"),
        "automl": _AUTOML,
        "contrib": missing("these preview packages are not there", "guard or remove the import"),
        "contrib.automl": _AUTOML,
        "contrib.fairness": missing(
            "its dashboards live in Azure's portal", "use fairlearn, whose metrics and dashboards need no Azure"
        ),
        "contrib.interpret": _EXPLANATIONS,
        "contrib.services": missing(DEPLOYMENT.note, DEPLOYMENT.instead),
        "datadrift": missing("data drift is watched by a service of Azure's", "compare the data with a library for it"),
        "dataprep": missing("data preparation is not there", "read the data with pandas"),
        "explain": _EXPLANATIONS,
        "featurestore": _FOUNDRY,
        "fsspec": missing("Azure's file system is not there", "open the files with fsspec's own back ends"),
        "interpret": _EXPLANATIONS,
        "mlflow.deploy": missing(DEPLOYMENT.note, DEPLOYMENT.instead),
        "monitoring": missing("there is no Azure service to collect for", "log what the model was given yourself"),
        "opendatasets": missing("Azure's open datasets are not there", "download the files and read them"),
        "pipeline": missing("pipelines are not there", "call the steps' scripts one after the other", planned=True),
        "rag": _FOUNDRY,
        "studio": _FOUNDRY,
        "tensorboard": missing(
            "it reads logs from Azure", "`run.download_files()`, and start `tensorboard --logdir` on the folder"
        ),
        "train.automl": _AUTOML,
        "train.dnn": _TRAINING,
        "train.estimator": _TRAINING,
        "train.sklearn": _TRAINING,
    },
)
