"""Azure's private package `azureml._common`, of which scripts import `exceptions`."""

from __future__ import annotations
