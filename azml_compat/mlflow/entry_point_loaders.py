"""What an installed azureml-mlflow announces to MLflow as its plugins, which MLflow imports by this name.

Were it not there, MLflow would warn at every start that a plugin cannot be loaded. What is there answers for `azureml://`
addresses, by saying why they lead nowhere.
"""

from __future__ import annotations

from typing import NoReturn


class _NoHeaders:
    """For MLflow, which asks each plugin whether it has headers for a request."""

    def in_context(self) -> bool:
        return False

    def request_headers(self) -> dict[str, str]:
        return {}


def azureml_request_header_provider() -> _NoHeaders:
    """Return a provider that has nothing to provide."""
    return _NoHeaders()


def azureml_store_builder(store_uri: str, artifact_uri: str | None = None) -> NoReturn:
    """Refuse an `azureml://` tracking URI.

    Raises:
        NotSupportedError: always.
    """
    _refuse(store_uri)


def azureml_model_registry_builder(store_uri: str) -> NoReturn:
    """Refuse an `azureml://` registry URI.

    Raises:
        NotSupportedError: always.
    """
    _refuse(store_uri)


def azureml_artifacts_builder(
    artifact_uri: str | None = None, tracking_uri: str | None = None, registry_uri: str | None = None
) -> NoReturn:
    """Refuse the address of a file in Azure.

    Raises:
        NotSupportedError: always.
    """
    _refuse(artifact_uri)


def azureml_project_run_builder() -> NoReturn:
    """Refuse Azure as the backend of an MLflow project.

    Raises:
        NotSupportedError: always.
    """
    _refuse("mlflow.projects.run(backend='azureml')")


def _refuse(what: str | None) -> NoReturn:
    from azml_compat._refused import NotSupportedError
    from azml_compat._tracking.addresses import without_credentials

    raise NotSupportedError(
        without_credentials(str(what)),  # the original accepts a token as a parameter of the address
        "it leads to an Azure workspace",
        "set MLFLOW_TRACKING_URI to an MLflow store; Workspace.get_mlflow_tracking_uri() gives the one in use",
        planned=False,
    )
