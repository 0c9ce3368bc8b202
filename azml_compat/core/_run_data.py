"""The inputs and outputs that a launcher hands to the script of a run, by environment variables.

The names of the variables and what they mean are azureml-core 1.61's: `AZUREML_DATASET_ENVIRONMENT_VARS` lists
`name:mode`, and a variable of each name holds a path. Outputs are listed in `AZUREML_DATASET_FILE_OUTPUTS`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from azml_compat import _names
from azml_compat._reporting import reported
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from collections.abc import Callable

    from azml_compat._tracking import RunRecord
    from azml_compat.core.experiment import Experiment
    from azml_compat.core.workspace import Workspace


class InputDatasets(dict[str, Any]):
    """Name -> path of each mounted or downloaded input, or the dataset of a direct one; the script may add its own.

    Differs from Azure: a name that nobody has given is looked for among the registered datasets.

    Args:
        workspace: Where registered datasets are looked for.
    """

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._run_id: Callable[[], str] | None = None
        listed = os.environ.get(_names.ENV_INPUTS, "")
        for name, _, mode in (entry.partition(":") for entry in listed.split(",") if entry.count(":") == 1):
            if mode.lower() != "direct":
                upper = None if name.lower() in _names.SHELLS_OWN else os.environ.get(name.upper())
                self[name] = os.environ.get(name) if upper is None else upper
            elif os.environ.get(name) is not None:
                from azml_compat.data.abstract_dataset import AbstractDataset  # here: most scripts have no datasets

                self[name] = AbstractDataset.get_by_id(workspace, os.environ[name])
            else:
                self[name] = None

    def __missing__(self, name: str) -> Any:
        """Return the registered dataset of that name, and note it as an input of the run.

        Raises:
            KeyError: there is none.
        """
        from azml_compat._data import consumption  # as above
        from azml_compat.data.abstract_dataset import AbstractDataset

        try:
            found = AbstractDataset.get_by_name(self._workspace, name)
        except UserErrorException as error:
            raise KeyError(name) from error
        self[name] = found
        if self._run_id is not None:
            with reported(f"The dataset {name} is not shown as an input of the run"):
                consumption.note_use(self._workspace.service_context.store, self._run_id(), name, found._asset)
        return found


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
    def _record(self) -> RunRecord:
        raise NotImplementedError

    @property
    def input_datasets(self) -> InputDatasets:
        """The inputs of the script, a dict that may be added to; the same one at every access."""
        if self._inputs is None:
            self._inputs = InputDatasets(self.experiment.workspace)
            self._inputs._run_id = lambda: self._record.id
        return self._inputs

    @property
    def output_datasets(self) -> OutputDatasets:
        """The outputs of the script, a dict; the same one at every access."""
        if self._outputs is None:
            self._outputs = OutputDatasets(self.experiment.workspace)
        return self._outputs
