"""`azureml.core.resource_configuration`: what a deployed model would get; kept as it was given."""

from __future__ import annotations

from typing import Any

from azml_compat._refused import module_attributes
from azml_compat.exceptions import WebserviceException


class ResourceConfiguration:
    """Processors, memory and graphics processors.

    Args:
        cpu: Processors; may be a fraction.
        memory_in_gb: GB of memory.
        gpu: Graphics processors.
    """

    def __init__(self, cpu: float | None = None, memory_in_gb: float | None = None, gpu: int | None = None) -> None:
        self.cpu = cpu
        self.memory_in_gb = memory_in_gb
        self.gpu = gpu

    def serialize(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"cpu": self.cpu, "memoryInGB": self.memory_in_gb, "gpu": self.gpu}

    @staticmethod
    def deserialize(payload_obj: dict[str, Any] | None) -> ResourceConfiguration | None:
        """Make it of JSON values; None of None.

        Raises:
            WebserviceException: a value is missing.
        """
        if payload_obj is None:
            return None
        missing = [key for key in ("cpu", "memoryInGB", "gpu") if key not in payload_obj]
        if missing:
            raise WebserviceException(f"The resource configuration {payload_obj} lacks {', '.join(missing)}.")
        return ResourceConfiguration(payload_obj["cpu"], payload_obj["memoryInGB"], payload_obj["gpu"])


__getattr__, __dir__ = module_attributes(__name__)
