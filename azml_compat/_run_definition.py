"""The run definition: what a submitted run was asked to do, as `get_details()` shows it and the store keeps it.

It is the JSON of Azure's service: camelCase keys, arguments as text. It holds no password of a registry.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from typing import Any

from azml_compat._base_sdk_common.abstract_run_config_element import filled, written
from azml_compat.core.runconfig import (
    DataLocation,
    DataPath,
    OutputData,
    OutputOptions,
    RunConfiguration,
)

_AUTOSAVE = "Autosave_{:%Y-%m-%dT%H:%M:%SZ}_{}"
_HASH_DIGITS = 8


def definition_of(
    run_config: RunConfiguration, script: str | None, arguments: Sequence[Any] | None, command: Any
) -> dict[str, Any]:
    """Describe a run that is submitted.

    Args:
        run_config: How it is to be run.
        script: The script, relative to the source directory.
        arguments: Its arguments, as they are written on the command line.
        command: The command, where that is submitted.

    Returns:
        JSON values.
    """
    outputs = {name: _output(output) for name, output in run_config.output_data.items()}
    definition = {
        **written(run_config),
        "script": script,
        "arguments": [str(argument) for argument in arguments or ()],
        "command": " ".join(map(str, command)) if isinstance(command, list | tuple) else command or "",
        "useAbsolutePath": False,
        "outputData": written(outputs),
    }
    _spell_modes(definition, str.capitalize)
    definition["history"]["enableMLflowTracking"] = True
    environment = definition["environment"]
    if "python" in environment and environment["version"] is None:
        digest = hashlib.sha256(json.dumps(environment, sort_keys=True).encode()).hexdigest()
        environment["version"] = _AUTOSAVE.format(datetime.now(timezone.utc), digest[:_HASH_DIGITS])
    return definition


def run_config_of(definition: dict[str, Any]) -> RunConfiguration:
    """Return the run configuration that a run definition describes."""
    copied = json.loads(json.dumps(definition))
    _spell_modes(copied, str.lower)
    return filled(RunConfiguration(), copied)


def _output(output: Any) -> Any:
    """Return an output in the form in which it is written down, from an OutputFileDatasetConfig or its like."""
    if isinstance(output, OutputData):
        return output
    destination = getattr(output, "destination", None)
    location = None
    if destination is not None:
        datastore, path = destination if isinstance(destination, tuple) else (destination, None)
        location = DataLocation(data_path=DataPath(getattr(datastore, "name", datastore), path))
    source = getattr(output, "source", None)
    return OutputData(location, output.mode, OutputOptions(path_on_compute=source))


def _spell_modes(definition: dict[str, Any], spell: Callable[[str], str]) -> None:
    """Spell the modes of data as the service does (`Mount`), or as the objects do (`mount`)."""
    for section, key in (("data", "mechanism"), ("outputData", "mechanism"), ("dataReferences", "mode")):
        for entry in definition.get(section, {}).values():
            if isinstance(entry, dict) and isinstance(entry.get(key), str):
                entry[key] = spell(entry[key])
