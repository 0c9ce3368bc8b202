"""The inputs and outputs that a launcher hands to the script of a run, by environment variables.

The names of the variables and what they mean are azureml-core 1.61's: `AZUREML_DATASET_ENVIRONMENT_VARS` lists
`name:mode`, and a variable of each name holds a path. Outputs are listed in `AZUREML_DATASET_FILE_OUTPUTS`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from azml_compat import _names
from azml_compat._refused import refusal

if TYPE_CHECKING:
    from azml_compat.core.experiment import Experiment
    from azml_compat.core.workspace import Workspace


class InputDatasets(dict[str, Any]):
    """Name -> path of each mounted or downloaded input; the script may add its own.

    Differs from Azure: a name that nobody has given refuses with what to do, where the original has a KeyError; so does
    one of mode `direct`, which is a Dataset object there.

    Args:
        workspace: Where registered datasets are looked for.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        listed = os.environ.get(_names.ENV_INPUTS, "")
        for name, _, mode in (entry.partition(":") for entry in listed.split(",") if entry.count(":") == 1):
            if mode.lower() != "direct":
                self[name] = os.environ.get(name.upper(), os.environ.get(name))

    def __missing__(self, name: str) -> Any:
        raise refusal(f"azureml.core.run.Run.input_datasets[{name!r}]")


class OutputDatasets(dict[str, Any]):
    """Name -> path of the folder of each output.

    Args:
        workspace: Where the script's outputs are to be registered.

    Raises:
        KeyError: an output is listed, and has no folder.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        for listed in filter(None, os.environ.get(_names.ENV_OUTPUTS, "").split(";")):
            name = listed.rstrip("/\\")
            self[name] = os.environ[name]


class _RunOfScript:
    """Mixes in what the run of a script has beside what every run has."""

    _inputs: InputDatasets | None = None
    _outputs: OutputDatasets | None = None

    @property
    def experiment(self) -> Experiment:
        """The experiment that holds the run."""
        raise NotImplementedError

    @property
    def input_datasets(self) -> InputDatasets:
        """The inputs of the script, a dict that may be added to; the same one at every access."""
        if self._inputs is None:
            self._inputs = InputDatasets(self.experiment.workspace)
        return self._inputs

    @property
    def output_datasets(self) -> OutputDatasets:
        """The outputs of the script, a dict; the same one at every access."""
        if self._outputs is None:
            self._outputs = OutputDatasets(self.experiment.workspace)
        return self._outputs
