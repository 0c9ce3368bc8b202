"""Every string that crosses a boundary: MLflow tag keys, artifact paths, environment variables.

They are a storage format: a run written by one version is read by the next, so nothing here changes without
a migration. docs/mapping.md is their specification.
"""

from __future__ import annotations

from typing import Final

# MLflow's UI hides tags that begin with "mlflow." and shows all others, so everything that is only
# bookkeeping lives in this namespace.
TAG_PREFIX: Final = "mlflow.azml."
TAG_FORMAT: Final = "mlflow.azml.format"
TAG_RUN_ID: Final = "mlflow.azml.run_id"
TAG_NAME: Final = "mlflow.azml.name"
TAG_TYPE: Final = "mlflow.azml.type"
TAG_TARGET: Final = "mlflow.azml.target"
TAG_STATUS: Final = "mlflow.azml.status"
TAG_ERROR: Final = "mlflow.azml.error"
TAG_SIDECAR: Final = "mlflow.azml.sidecar."
TAG_SINGLES: Final = "mlflow.azml.singles"
TAG_JOURNAL: Final = "mlflow.azml.journal"
"""Names the journal of the process that created the run, so that a creation whose answer was lost is found again."""
TAG_CONTROL: Final = "mlflow.azml.control"
"""Written for a moment, to see whether the store takes anything at all."""
TAG_MARK: Final = "mlflow.azml.tag."
TAG_PROPERTY: Final = "mlflow.azml.property."
TAG_WORKSPACE: Final = "mlflow.azml.workspace."
TAG_DEFINITION: Final = "mlflow.azml.definition"
"""Of a submitted run: what was submitted, as Azure's run definition."""
TAG_ASSET: Final = "mlflow.azml.asset."
"""On MLflow's Default experiment: what a workspace holds beside runs and models."""
TAG_MODEL: Final = "mlflow.azml.model"
"""On a version of a model: what Azure keeps of it and MLflow does not."""
TAG_ARCHIVED_TIME: Final = "mlflow.azml.archived_time"
TAG_ARCHIVED_NAME: Final = "mlflow.azml.archived_name"
TAG_SHOWN: Final = "azml."
"""Visible prefix of what the MLflow UI should say of a run or model version beside the user's own tags."""
TAG_SHOWN_ERROR: Final = "azml.error"
PROPERTY_TAG: Final = "property."
"""Visible prefix of the user's own run properties."""

# MLflow's own tags (mlflow.utils.mlflow_tags), spelled out so that nothing here imports mlflow.
TAG_PARENT: Final = "mlflow.parentRunId"
TAG_RUN_NAME: Final = "mlflow.runName"
TAG_NOTE: Final = "mlflow.note.content"
TAG_USER: Final = "mlflow.user"
TAG_SOURCE_NAME: Final = "mlflow.source.name"
TAG_SOURCE_TYPE: Final = "mlflow.source.type"
TAG_GIT_COMMIT: Final = "mlflow.source.git.commit"
TAG_GIT_BRANCH: Final = "mlflow.source.git.branch"
TAG_GIT_REPO: Final = "mlflow.source.git.repoURL"
TAG_LOGGED_ARTIFACTS: Final = "mlflow.loggedArtifacts"

EXPERIMENT_RESERVED: Final = "azml_compat"
"""The one experiment that is ours, where there must be one: for the files of models that were registered from local
files, and for records where MLflow's Default experiment is gone. Listings of the facade do not show it."""

FORMAT_VERSION: Final = "1"

PATH_RESERVED: Final = "azml_compat"
"""The one artifact folder that is ours: get_file_names, downloads and conflict checks do not see it."""
PATH_TABLES: Final = "azml_compat/tables"
PATH_PICTURES: Final = "azml_compat/pictures"
PATH_SIDECAR: Final = "azml_compat/sidecar"
PATH_SNAPSHOTS: Final = "azml_compat/snapshots"
PATH_MODELS: Final = "azml_compat/models"

ENV_TRACKING_URI: Final = "MLFLOW_TRACKING_URI"
ENV_ALLOW_FILE_STORE: Final = "MLFLOW_ALLOW_FILE_STORE"
ENV_HOME: Final = "AZML_COMPAT_HOME"
ENV_BACKGROUND: Final = "AZML_COMPAT_BACKGROUND"
ENV_FSYNC: Final = "AZML_COMPAT_FSYNC"
ENV_UI: Final = "AZML_COMPAT_UI"
ENV_DATA: Final = "AZML_COMPAT_DATA"
"""Where the datastores of a server's workspace lie."""
ENV_OFFLINE: Final = "AZML_COMPAT_OFFLINE"
ENV_ENVIRONMENTS: Final = "AZML_COMPAT_ENVIRONMENTS"
ENV_SECRET: Final = "AZUREML_SECRET_"
"""Followed by the name of a secret, in capitals."""
ENV_JOB: Final = "AZML_COMPAT_JOB"
"""In the processes of a submitted run: its MLflow id."""
ENV_JOB_ERROR: Final = "AZML_COMPAT_JOB_ERROR"
"""In them too: the file in which a script says which exception ended it."""
ENV_JOB_DEPTH: Final = "AZML_COMPAT_JOB_DEPTH"
ENV_MAX_RUNS: Final = "AZML_COMPAT_MAX_RUNS"
ENV_AZURE_RUN_ID: Final = "AZUREML_RUN_ID"
ENV_AZURE_EXPERIMENT: Final = "AZUREML_ARM_PROJECT_NAME"
ENV_INPUTS: Final = "AZUREML_DATASET_ENVIRONMENT_VARS"
ENV_OUTPUTS: Final = "AZUREML_DATASET_FILE_OUTPUTS"
SHELLS_OWN: Final = ("path", "user", "home", "pwd", "shell", "logname", "ld_library_path")
"""An input of such a name has no variable in capitals: that one is the shell's."""
ENV_MLFLOW_RUN_ID: Final = "MLFLOW_RUN_ID"
ENV_MLFLOW_EXPERIMENT: Final = "MLFLOW_EXPERIMENT_NAME"
ENV_MLFLOW_EXPERIMENT_ID: Final = "MLFLOW_EXPERIMENT_ID"

CONFIG_TRACKING_URI: Final = "mlflow_tracking_uri"
"""The one key that azml_compat adds to Azure's config.json."""

DEFAULT_UI: Final = "http://127.0.0.1:5000"
"""Where `azml-compat ui` serves when it is not told otherwise, by AZML_COMPAT_UI or its options."""

LOG_FOLDERS: Final = ("azureml-logs/", "logs/", "user_logs/", "system_logs/")
USER_LOG: Final = "logs/user_log.txt"
