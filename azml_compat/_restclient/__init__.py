"""Azure's private package `azureml._restclient`, of which scripts import `constants` and `exceptions`."""

from __future__ import annotations
