"""Azure's private package `azureml._base_sdk_common`, of which packages import `user_agent`."""

from __future__ import annotations
