"""Inputs, outputs and data references of a submitted run, in three moments.

At the submit, a *plan* is made of each: JSON values, without secrets. At the start, a plan is *delivered*:
the data is made available, and the variables of the environment say where. When it has ended, an output is *finished*.
Delivering needs neither mlflow nor pandas.
"""

from __future__ import annotations

import filecmp
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azml_compat import _names, _runtime
from azml_compat._data import definitions, delivering, registry
from azml_compat._data.places import Place, inside
from azml_compat._data.sources import SourceFile, files_of, glob_pattern
from azml_compat._data.transfer import files_below
from azml_compat._reporting import reported
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from azml_compat._assets import Asset
    from azml_compat._tracking import Store

Plan = dict[str, Any]

_REFERENCE = "AZUREML_DATAREFERENCE_"
_MANAGED = "managed-dataset"
_OWN_FOLDER = "azml_{}"
"""In the working directory, where a run writes what is uploaded at its end."""


# -- inputs -------------------------------------------------------------------------------------------------------


def plan_input(config: Any, run_id: str) -> Plan:
    """Plan an input, and note it as an input of the run in MLflow.

    Args:
        config: A DatasetConsumptionConfig; a dataset that has no id is saved, `latest` is looked up.
        run_id: MLflow's id of the run.

    Raises:
        UserErrorException: there is no such dataset, or nothing here can deliver it.
    """
    if config.mode == "hdfs":
        raise UserErrorException(f"The input {config.name!r} is for a cluster of Azure's. Use as_mount() instead.")
    store, asset = _saved(config)
    definition = asset.content["definition"]
    if config.mode != "direct" and definition["kind"] == "tabular":
        raise UserErrorException(f"The input {config.name!r} is a table: it cannot be mounted or downloaded.")
    plan = {
        "name": config.name,
        "keys": [config.name],
        "mode": config.mode,
        "dataset_id": asset.id,
        "dataset_name": asset.name if registry.is_named(asset) else None,
        "version": asset.version if registry.is_named(asset) else None,
        "path_on_compute": config.path_on_compute,
        "definition": definition,
        "places": {},
    }
    if config.mode != "direct":
        if "table" in definition:
            plan["definition"] = definition = _stored_table(definition, asset.id, store)
        names = {item["datastore"] for item in definition["items"] if "datastore" in item}
        plan["places"] = {name: _spec(store, name) for name in names}
    with reported(f"The input {config.name} is not shown as one of the run"):
        store.log_input(run_id, **mlflow_input(plan, store))
    return plan


def _saved(config: Any) -> tuple[Store, Asset]:
    dataset = config.dataset
    if isinstance(dataset, tuple):
        workspace, name, *version = dataset
        store = workspace.service_context.store
        return store, registry.find(store, name, *version)
    if not hasattr(dataset, "_definition"):
        raise UserErrorException(
            f"The input {config.name!r} is no dataset but {type(dataset).__name__}: an output of another run is an "
            "input when that run has registered it."
        )
    store = dataset._store  # noqa: SLF001 - public members are Azure's
    return store, dataset._asset or registry.save(store, dataset._definition)  # noqa: SLF001 - as above


def _stored_table(definition: definitions.Definition, dataset_id: str, store: Store) -> definitions.Definition:
    """Store the file of a table in the default datastore, and return the definition of that file."""
    name = f"part-0.{definition['format']}"
    path = f"{_MANAGED}/{dataset_id}/{name}"
    datastore = _default(store)
    with tempfile.TemporaryDirectory(prefix="azml-") as folder:
        definitions.write_table(definition, lambda known: _open(_spec(store, known)), Path(folder, name))
        _open(_spec(store, datastore)).put(str(Path(folder, name)), path, overwrite=True)
    return definitions.files([{"datastore": datastore, "path": path}])


def deliver_input(plan: Plan, workdir: Path) -> dict[str, str]:
    """Make an input available, and return the variables that say where; the argument's value is that of its key.

    Raises:
        UserErrorException: the data is not there, or cannot be had.
    """
    variables = _delivered(plan, workdir)
    return {**variables, **dict.fromkeys(plan["keys"], variables[plan["name"]])}


def _delivered(plan: Plan, workdir: Path) -> dict[str, str]:
    name = plan["name"]
    if plan["mode"] == "direct":
        return {name: plan["dataset_id"]}
    found = _files(plan)
    if not found:
        raise UserErrorException(f"The input {name!r} has no files: there are none at the paths of its dataset.")
    folder = _folder(workdir, plan["path_on_compute"], _own_name(plan))
    if plan["mode"] == "download":
        delivering.copy(found, folder)
        return _located(name, folder)
    outside = _outside(plan)
    own = folder if outside is None else workdir.absolute() / _own_name(plan)
    names = [target.relative_to(own) for target in delivering.link(found, own, replace=True)]
    if outside is not None:
        delivering.show_at(outside, own)
    if len(names) == 1:
        only = folder / names[0]
        return {**_located(name, only), _REFERENCE + name: str(only)}
    return _located(name, folder)


def leave_input(plan: Plan, workdir: Path) -> None:
    """Take away what leads from outside of the working directory to an input of the run."""
    outside = _outside(plan)
    if outside is not None:
        delivering.hide_from(outside, workdir.absolute() / _own_name(plan))


def _own_name(plan: Plan) -> str:
    return f"{plan['name']}_{plan['dataset_id']}"


def _outside(plan: Plan) -> Path | None:
    """Return where an input is mounted outside of the working directory.

    A mount of Azure's ends with its run, and shows one dataset alone: links in a folder of everybody's would stay.
    """
    chosen = Path(plan["path_on_compute"] or "")
    return chosen if plan["mode"] == "mount" and chosen.is_absolute() else None


def _files(plan: Plan) -> list[SourceFile]:
    return definitions.selected_files(plan["definition"], lambda name: _open(plan["places"][name]))


def _located(name: str, path: Path) -> dict[str, str]:
    """Return the variables of a path."""
    upper = {} if name.lower() in _names.SHELLS_OWN else {name.upper(): str(path)}
    return {**upper, name: str(path)}


def _folder(workdir: Path, chosen: str | None, otherwise: str) -> Path:
    """Return the folder for an input: the one that was chosen, below the working directory when it is relative."""
    if chosen and Path(chosen).is_absolute():
        return Path(chosen)
    return Path(workdir).absolute() / (inside(chosen) or otherwise)


def mlflow_input(plan: Plan, store: Store) -> dict[str, Any]:
    """Return what MLflow shows of an input: name, digest, kind and address of the source, and the context."""
    shown = plan["dataset_name"] or plan["name"]
    version = {} if plan["version"] is None else {"version": plan["version"]}
    source: dict[str, Any] = {"dataset_id": plan["dataset_id"], **version}
    items = plan["definition"].get("items") or []
    kind = "azml_compat"
    if len(items) == 1:
        item = items[0]
        spec = _spec(store, item["datastore"]) if "datastore" in item else {}
        if "url" in item:
            kind, source = "http", {"url": item["url"], **source}
        elif "folder" in spec or "local" in item:
            uri = item.get("local") or f"{spec['folder']}/{item['path']}".rstrip("/")
            kind, source = "local", {"uri": uri, **source}
    return {
        "name": shown,
        "digest": definitions.digest_of(plan["definition"])[:8],
        "source_type": kind,
        "source": {**source, "items": items},
        "context": plan["name"],
    }


def note_use(store: Store, run_id: str, name: str, asset: Asset) -> None:
    """Note in MLflow that a run has read a registered dataset."""
    plan = {
        "name": name,
        "dataset_id": asset.id,
        "dataset_name": asset.name if registry.is_named(asset) else None,
        "version": asset.version if registry.is_named(asset) else None,
        "definition": asset.content["definition"],
    }
    store.log_input(run_id, **mlflow_input(plan, store))


# -- outputs ------------------------------------------------------------------------------------------------------


def plan_output(config: Any, run_id: str) -> Plan:
    """Plan an output.

    Args:
        config: An OutputFileDatasetConfig, or what reads one as a table.
        run_id: MLflow's id of the run, for `{run-id}` in the destination.

    Raises:
        UserErrorException: its destination is none, or nothing here can deliver it.
    """
    origin = config._origin or config  # noqa: SLF001 - public members are Azure's
    if origin.mode not in ("mount", "upload"):
        raise UserErrorException(
            f"The output {config.name!r} ({type(config).__name__}) is for a service of Azure's. Use an "
            "OutputFileDatasetConfig, and register_on_complete()."
        )
    store = _runtime.store()
    datastore, path = _destination(origin, store, run_id)
    options, registration = origin._upload_options, config._registration  # noqa: SLF001 - as above
    return {
        "name": config.name,
        "mode": origin.mode,
        "datastore": datastore,
        "place": _spec(store, datastore),
        "path": path,
        "source": origin.source,
        "overwrite": bool(options and options.overwrite),
        "globs": list(options.source_globs) if options and options.source_globs else None,
        "register": vars(registration) if registration is not None else None,
        "definition": _output_definition(config, origin, datastore, path),
    }


def _destination(origin: Any, store: Store, run_id: str) -> tuple[str, str]:
    given = origin.destination if isinstance(origin.destination, tuple) else (origin.destination,)
    datastore, path = given[0], (given[1] if len(given) > 1 else None)
    name = getattr(datastore, "name", datastore) or _default(store)
    text = path or "dataset/{run-id}/{output-name}"
    return name, inside(text.replace("{run-id}", run_id).replace("{output-name}", origin.name))


def _output_definition(config: Any, origin: Any, datastore: str, path: str) -> definitions.Definition:
    if config is origin:
        return definitions.files([{"datastore": datastore, "path": path}], origin._partition_format)  # noqa: SLF001 - public members are Azure's
    wanted = inside(config._path_glob)  # noqa: SLF001 - as above
    items = [{"datastore": datastore, "path": "/".join(filter(None, (path, wanted)))}]
    return {**definitions.tabular(items, **config._read), "steps": config._steps}  # noqa: SLF001 - as above


def deliver_output(plan: Plan, workdir: Path) -> dict[str, str]:
    """Make the folder of an output, and return the variables that say where."""
    folder = _output_folder(plan, workdir)
    folder.mkdir(parents=True, exist_ok=True)
    return {plan["name"]: str(folder)}


def _output_folder(plan: Plan, workdir: Path) -> Path:
    direct = _open(plan["place"]).make(plan["path"]) if _is_direct(plan) else None
    return direct or _folder(workdir, plan["source"], _OWN_FOLDER.format(plan["name"]))


def _is_direct(plan: Plan) -> bool:
    """Whether the run writes into the datastore itself."""
    return plan["mode"] == "mount" and plan["source"] is None and "folder" in plan["place"]


def finish_output(plan: Plan, workdir: Path, store: Store, *, again: bool = False) -> None:
    """Upload what was written, where that is not done yet, and register the dataset, where that was asked for.

    Args:
        plan: The plan.
        workdir: Where the script ran.
        store: Where the dataset is registered.
        again: Whether somebody has begun with it, and may have been killed.

    Raises:
        UserErrorException: a file is there, and must not be replaced.
    """
    if not _is_direct(plan):
        _upload(_output_folder(plan, workdir), plan, again=again)
    if plan["register"] is not None:
        register = plan["register"]
        registry.register(
            *(store, register["name"], plan["definition"], register["description"], register["tags"]),
            create_new_version=True,
        )


def _upload(folder: Path, plan: Plan, *, again: bool) -> None:
    place, patterns = _open(plan["place"]), [glob_pattern(inside(glob)) for glob in plan.get("globs") or ()]
    for path, name in files_below(str(folder)):
        if patterns and not any(pattern.fullmatch(name) for pattern in patterns):
            continue
        _put(place, path, "/".join(filter(None, (plan["path"], name))), plan, again=again)


def _put(place: Place, source: str, target: str, plan: Plan, *, again: bool) -> None:
    """Store a file that a run has written, unless it is there from an earlier attempt.

    Raises:
        UserErrorException: a file is there, and must not be replaced.
    """
    if not place.put(source, target, overwrite=plan["overwrite"]) and not (again and _holds(place, target, source)):
        raise UserErrorException(f"{target} is in the datastore already; set overwrite=True to replace it.")


def _holds(place: Place, path: str, source: str) -> bool:
    """Tell whether a file of a place has the content of a local one."""
    with tempfile.TemporaryDirectory(prefix="azml-") as folder:
        stored = place.local(path)
        if stored is None:
            stored = Path(folder, "stored")
            place.get(path, stored)
        return filecmp.cmp(stored, source, shallow=False)


# -- data references ----------------------------------------------------------------------------------------------


def plan_reference(config: Any, workspace: Any) -> Plan:
    """Plan a data reference; the plan still needs its `name`.

    Args:
        config: A DataReferenceConfiguration.
        workspace: Whose datastores are meant.
    """
    store = workspace.service_context.store
    return {
        "mode": config.mode,
        "place": _spec(store, config.data_store_name or _default(store)),
        "path": inside(config.path_on_data_store),
        "path_on_compute": config.path_on_compute,
        "overwrite": bool(config.overwrite),
    }


def deliver_reference(plan: Plan, workdir: Path) -> dict[str, str]:
    """Make the data of a reference available, and return the variable that says where.

    A mounted folder of this machine is the folder itself: as on Azure, what is written to it is in the datastore.
    """
    return {_REFERENCE + plan["name"]: str(_referenced(plan, workdir))}


def _referenced(plan: Plan, workdir: Path) -> Path:
    place, path = _open(plan["place"]), plan["path"]
    folder = _folder(workdir, plan["path_on_compute"], plan["name"])
    if plan["mode"] == "upload":
        folder.parent.mkdir(parents=True, exist_ok=True)
        return folder
    exact = place.find(path) if path else None
    if plan["mode"] == "mount":
        found = place.local(path) if exact is not None else place.make(path)
        if found is not None:
            return found
    files = files_of([{"datastore": "", "path": path}], lambda _: place)
    targets = delivering.copy(files, folder)
    folder.mkdir(parents=True, exist_ok=True)
    return targets[0] if exact is not None else folder


def finish_reference(plan: Plan, workdir: Path, *, again: bool = False) -> None:
    """Upload what was written, for mode upload; for the arguments see `finish_output`.

    Raises:
        UserErrorException: a file is there, and must not be replaced.
    """
    if plan["mode"] != "upload":
        return
    written = _folder(workdir, plan["path_on_compute"], plan["name"])
    if written.is_file():
        target = "/".join(filter(None, (plan["path"], written.name)))
        _put(_open(plan["place"]), str(written), target, plan, again=again)
    elif written.is_dir():
        _upload(written, plan, again=again)


# -- datastores ---------------------------------------------------------------------------------------------------


def _open(spec: Mapping[str, Any]) -> Place:
    from azml_compat._data.datastores import place_at  # here: it imports all classes of datastores

    return place_at(dict(spec))


def _spec(store: Store, name: str) -> dict[str, Any]:
    from azml_compat._data.datastores import spec_of  # as above

    return spec_of(store, name)


def _default(store: Store) -> str:
    from azml_compat._data.datastores import default_name  # as above

    return default_name(store)
