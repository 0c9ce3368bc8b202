"""Make azml_compat/_surface.json, which names what Azure's public modules contain, from the recorded surface.

The record (tests/data/azureml-surface.json, taken from azureml-core 1.61.0) is 800 kB of signatures; at run
time only names matter: what to resolve, where it lives, and what refuses. Run it again after changing either;
a test compares the result with the committed file.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "tests" / "data" / "azureml-surface.json"
RESULT = ROOT / "azml_compat" / "_surface.json"

# Azure's private modules that azml_compat has as well, so that re-exports from them resolve.
PRIVATE_HOMES = {
    "azureml._common.exceptions": {"AzureMLException", "AzureMLAggregatedException"},
    "azureml._restclient.constants": {"RunStatus"},
    "azureml._restclient.exceptions": {"ServiceException"},
    "azureml.exceptions._azureml_exception": None,  # every name
}


def make_surface(record: dict[str, Any]) -> str:
    """Reduce the record to the text of _surface.json, the same text for the same record."""
    modules = record["modules"]
    surface = {name: _module(module, modules) for name, module in modules.items()}
    return json.dumps(surface, separators=(",", ":"), sort_keys=True) + "\n"


def _module(module: dict[str, Any], modules: dict[str, Any]) -> dict[str, Any]:
    fields = {
        "all": module["all"],
        "classes": {
            alias: _class(alias_class, modules)
            for alias, alias_class in module["classes"].items()
            # The classes of azureml.exceptions live in its private module: they are re-exports of it.
            if alias not in module["reexports"] or not is_home(module["reexports"][alias], modules)
        },
        "constants": _literals(module["constants"]),
        "functions": sorted(module["functions"]),
        "reexports": {alias: home for alias, home in module["reexports"].items() if is_home(home, modules)},
        "submodules": module["submodules"],
    }
    return {field: value for field, value in fields.items() if value}


def _class(record: dict[str, Any], modules: dict[str, Any]) -> dict[str, Any]:
    """Keep the bases and the members that a class has of its own, or from a base that is not kept."""
    return {
        "bases": [base for base in record["bases"] if is_home(base, modules)],
        "members": {
            member["name"]: member["kind"]
            for member in own_members(record, modules)
            if member["kind"] != "instance_attribute"
        },
    }


def own_members(record: dict[str, Any], modules: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the public members of a class that none of its bases has that are kept, and those that it overrides."""
    of_bases = {
        member["name"]
        for path in record["mro"][1:]
        for member in modules.get(path.rpartition(".")[0], {"classes": {}})["classes"].get(
            path.rpartition(".")[2], {"members": ()}
        )["members"]
    }
    return [
        member
        for member in record["members"]
        if not member["name"].startswith("_")
        and not (member["inherited"] and (member["name"] in of_bases or is_home(member["defined_in"], modules)))
    ]


def _literals(constants: dict[str, Any]) -> dict[str, Any]:
    """Keep the constants that are plain data, not the loggers and the like that modules leak."""
    values = {}
    for name, constant in constants.items():
        try:
            values[name] = ast.literal_eval(constant["value"])
        except (ValueError, SyntaxError):
            continue
    return values


def is_home(path: str, modules: dict[str, Any]) -> bool:
    """Tell whether azml_compat has something at this path: a public class or function, or a private home."""
    module, _, name = path.rpartition(".")
    if module in PRIVATE_HOMES:
        names = PRIVATE_HOMES[module]
        return names is None or name in names
    return module in modules and (name in modules[module]["classes"] or name in modules[module]["functions"])


if __name__ == "__main__":
    RESULT.write_text(make_surface(json.loads(RECORD.read_text("utf-8"))), "utf-8")
