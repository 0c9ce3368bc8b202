"""Stands for the package `msrest`, which azureml-core brings along and scripts do not list as a requirement.

They import it for one thing: `except HttpOperationError:` around `Datastore.get` and its like. While the alias is on,
`import msrest` gives this where no msrest is installed (`azml_compat._alias`).
"""

from __future__ import annotations
