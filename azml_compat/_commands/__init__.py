"""The commands of `azml-compat`, one module each; its `main` takes the arguments behind the command's name."""

from __future__ import annotations
