"""`azureml.core.container_registry`: where a base image would be pulled from. Nothing is pulled here."""

from __future__ import annotations

from typing import Any, ClassVar

from azml_compat._base_sdk_common.abstract_run_config_element import _AbstractRunConfigElement
from azml_compat._refused import module_attributes


class RegistryIdentity(_AbstractRunConfigElement):
    """The managed identity that a registry would be asked with."""

    def __init__(self) -> None:
        self.resource_id: str | None = None
        self.client_id: str | None = None
        self._initialized = True


class ContainerRegistry(_AbstractRunConfigElement):
    """A registry of images. The password stays in this object: it is never written down."""

    _parts: ClassVar = {"registry_identity": RegistryIdentity}
    _unwritten = frozenset({"password"})

    def __init__(self) -> None:
        self.address: str | None = None
        self.username: str | None = None
        self.password: str | None = None
        self.registry_identity: Any = None
        self._initialized = True


__getattr__, __dir__ = module_attributes(__name__)
