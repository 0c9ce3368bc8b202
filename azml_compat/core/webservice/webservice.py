"""`azureml.core.webservice.webservice`: there are no web services, and looking for one says so as the original does."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, NoReturn

from azml_compat._refused import module_attributes, refusal
from azml_compat.exceptions import WebserviceException

if TYPE_CHECKING:
    from azml_compat.core.workspace import Workspace

_PATH = "azureml.core.webservice.webservice.Webservice"


class Webservice:
    """A web service: nothing is deployed from here, so there is none.

    Scripts look a service up in order to delete it before they deploy, and go on where that fails.

    Args:
        workspace: The workspace.
        name: The name of the service.

    Raises:
        WebserviceException: always (the message begins with `WebserviceNotFound`).
    """

    def __new__(cls, workspace: Workspace, name: str) -> Any:
        """Say that there is no such service."""
        raise WebserviceException(f"WebserviceNotFound: Webservice with name {name} not found in provided workspace")

    def __init__(self, workspace: Workspace, name: str) -> None:
        """Not reached."""

    @staticmethod
    def list(
        workspace: Workspace,
        compute_type: str | None = None,
        image_name: str | None = None,
        image_id: str | None = None,
        model_name: str | None = None,
        model_id: str | None = None,
        tags: Any = None,
        properties: Any = None,
        image_digest: str | None = None,
    ) -> builtins.list[Any]:
        """Return []: there are no services."""
        return []

    @staticmethod
    def check_for_existing_webservice(
        workspace: Workspace, name: str, overwrite: bool = False, request_func: Any = None, check_func: Any = None
    ) -> None:
        """Do nothing: there is no service in the way."""

    @staticmethod
    def deploy(
        workspace: Workspace,
        name: str,
        model_paths: Any,
        image_config: Any,
        deployment_config: Any = None,
        deployment_target: Any = None,
        overwrite: bool = False,
    ) -> NoReturn:
        """Refuse: there is no service to deploy to."""
        raise refusal(f"{_PATH}.deploy")

    @staticmethod
    def deploy_from_image(
        workspace: Workspace,
        name: str,
        image: Any,
        deployment_config: Any = None,
        deployment_target: Any = None,
        overwrite: bool = False,
    ) -> NoReturn:
        """Refuse: there is no service to deploy to."""
        raise refusal(f"{_PATH}.deploy_from_image")

    @staticmethod
    def deploy_from_model(
        workspace: Workspace,
        name: str,
        models: Any,
        image_config: Any,
        deployment_config: Any = None,
        deployment_target: Any = None,
        overwrite: bool = False,
    ) -> NoReturn:
        """Refuse: there is no service to deploy to."""
        raise refusal(f"{_PATH}.deploy_from_model")

    @staticmethod
    def deploy_local_from_model(
        workspace: Workspace,
        name: str,
        models: Any,
        image_config: Any,
        deployment_config: Any = None,
        wait: bool = False,
    ) -> NoReturn:
        """Refuse: there is no service to deploy to."""
        raise refusal(f"{_PATH}.deploy_local_from_model")

    @classmethod
    def deserialize(cls, workspace: Workspace, webservice_payload: Any) -> NoReturn:
        """Refuse: there are no services."""
        raise refusal(f"{_PATH}.deserialize")

    def delete(self) -> NoReturn:
        """Refuse: there are no services."""
        raise refusal(f"{_PATH}.delete")

    def get_keys(self) -> NoReturn:
        """Refuse: there are no services."""
        raise refusal(f"{_PATH}.get_keys")

    def get_logs(self, num_lines: int = 5000, init: bool = False) -> NoReturn:
        """Refuse: there are no services."""
        raise refusal(f"{_PATH}.get_logs")

    def get_token(self) -> NoReturn:
        """Refuse: there are no services."""
        raise refusal(f"{_PATH}.get_token")

    def regen_key(self, key: str, set_key: str | None = None) -> NoReturn:
        """Refuse: there are no services."""
        raise refusal(f"{_PATH}.regen_key")

    def run(self, input: Any) -> NoReturn:
        """Refuse: there are no services."""
        raise refusal(f"{_PATH}.run")

    def serialize(self) -> NoReturn:
        """Refuse: there are no services."""
        raise refusal(f"{_PATH}.serialize")

    def update(self, *args: Any) -> NoReturn:
        """Refuse: there are no services."""
        raise refusal(f"{_PATH}.update")

    def update_deployment_state(self) -> NoReturn:
        """Refuse: there are no services."""
        raise refusal(f"{_PATH}.update_deployment_state")

    def wait_for_deployment(self, show_output: bool = False, timeout_sec: float | None = None) -> NoReturn:
        """Refuse: there are no services."""
        raise refusal(f"{_PATH}.wait_for_deployment")


__getattr__, __dir__ = module_attributes(__name__)
