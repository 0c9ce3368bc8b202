"""`azureml.core.experiment`: an experiment is an MLflow experiment of the same name."""

from __future__ import annotations

import builtins
import re
from collections.abc import Generator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NoReturn

from azml_compat import _names, _portal, _reporting, _tags
from azml_compat._experiments import free_name_of_deleted, get_or_create, name_aside
from azml_compat._refused import module_attributes, refusal
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._search import as_text
from azml_compat._tracking.errors import is_away
from azml_compat.core.run import Run
from azml_compat.exceptions import UserErrorException

if TYPE_CHECKING:
    from azml_compat._tracking import ExperimentRecord, Store
    from azml_compat.core.script_run import ScriptRun
    from azml_compat.core.workspace import Workspace

_NAME = re.compile(r"^[a-zA-Z0-9][\w\-]{0,254}$")


class ViewType:
    """Which experiments `Experiment.list` gives."""

    ActiveOnly = "ActiveOnly"
    All = "All"
    ArchivedOnly = "ArchivedOnly"


class Experiment(_portal.ChainedIdentity, _portal.HasExperimentPortal):
    """A named collection of runs; created when it does not exist.

    Args:
        workspace: The workspace that holds it.
        name: Letters, digits, `-` and `_`, first a letter or digit, at most 255.
        _create_in_cloud: False looks nothing up and creates nothing.

    Raises:
        UserErrorException: the name is refused.
    """

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        _skip_name_validation: bool = False,
        _id: str | None = None,
        _archived_time: Any = None,
        _create_in_cloud: bool = True,
        _experiment_dto: Any = None,
        **kwargs: Any,
    ) -> None:
        if not _skip_name_validation:
            _check_name(name)
        super().__init__(f"Experiment#{name}")
        self._workspace = workspace
        self._name = name
        self._known: ExperimentRecord | None = _experiment_dto
        self._is_awaited = False
        self._is_lazy = False
        """Whether it is created as soon as somebody asks what only one that was created can tell."""
        if self._known is None and _create_in_cloud:
            self._known = self._store.get_experiment(_id) if _id else self._create_or_wait()

    def _create_or_wait(self) -> ExperimentRecord | None:
        """Return the experiment; None while the store cannot be reached: then its first run creates it."""
        try:
            return get_or_create(self._store, self._name)
        except ServiceException as error:
            if not is_away(error):
                raise
            _reporting.logger.warning("%s\nExperiment %s is created when the store is back.", error.message, self._name)
            self._is_awaited = True
            return None

    @classmethod
    def _from_record(cls, workspace: Workspace, record: ExperimentRecord) -> Experiment:
        name = record.tags.get(_names.TAG_ARCHIVED_NAME, record.name)
        return cls(workspace, name, _skip_name_validation=True, _experiment_dto=record)

    @property
    def _store(self) -> Store:
        return self._workspace.service_context.store

    def _portal_store(self) -> Store:
        return self._store

    def _ensure(self) -> ExperimentRecord:
        """Return the active experiment that runs are written to, created if need be.

        After archiving, writing under the same name makes a new experiment.
        """
        if self._known is None or self.archived_time is not None:
            self._known = get_or_create(self._store, self._name)
        return self._known

    def _existing(self) -> ExperimentRecord | None:
        """Return the experiment that runs are read from, archived or not; None when there is none."""
        if self._known is None:
            found = self._store.find_experiment(self._name)
            self._known = None if found is None or found.is_deleted else found
        return self._known

    def _asked(self) -> ExperimentRecord | None:
        return self._ensure() if self._known is None and self._is_lazy else self._known

    def _record(self) -> ExperimentRecord:
        self._asked()
        if self._known is None and self._is_awaited:
            self._existing()
        if self._known is None:
            raise UserErrorException(f"The experiment {self._name!r} has not been created in the workspace.")
        return self._known

    # -- identity ---------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name of the experiment."""
        return self._name

    @property
    def id(self) -> str | None:
        """MLflow's experiment id; None for one that was not created."""
        known = self._asked()
        return known.id if known is not None else None

    @property
    def workspace(self) -> Workspace:
        """The workspace that holds the experiment."""
        return self._workspace

    @property
    def workspace_object(self) -> Workspace:
        """The workspace; deprecated in the original."""
        _reporting.logger.warning("Experiment.workspace_object is deprecated; use Experiment.workspace.")
        return self._workspace

    @property
    def archived_time(self) -> datetime | None:
        """When the experiment was archived; None for an active one."""
        text = self._known.tags.get(_names.TAG_ARCHIVED_TIME) if self._known is not None else None
        return datetime.fromisoformat(text) if text else None

    @property
    def tags(self) -> dict[str, str | None] | None:
        """A new dict of the tags as of the last `refresh()`; None for an experiment that was not created."""
        known = self._asked()
        return _tags.decode_tags(known.tags) if known is not None else None

    # -- runs -------------------------------------------------------------------------------------------------

    def start_logging(self, *args: Any, **kwargs: Any) -> Run:
        """Create an interactive run in the experiment and start it.

        Takes `name=None, run_id=None, outputs=None, snapshot_directory='.'`, and the keywords `tags`, `display_name`,
        `description` and `redirect_output_stream`. The files below `outputs` (default ./outputs, created here) are
        taken when the run ends. By default a snapshot of the current directory is kept with the run.

        Raises:
            TypeError: an argument is unknown.
            SnapshotException: the given snapshot_directory is too large; the run is started.
        """
        return Run._start_logging(self, *args, **kwargs)

    def submit(self, config: Any, tags: Any = None, **kwargs: Any) -> ScriptRun:
        """Have a script run on this machine as a run of its own, and return that at once.

        Args:
            config: A ScriptRunConfig.
            tags: Of the run.
            kwargs: `run_id`: chosen by the caller.

        Raises:
            AzureMLException: `config` is no ScriptRunConfig.
            ExperimentExecutionException: the script does not exist in the source directory.
            FileNotFoundError: the source directory does not exist.
            FileExistsError: there is a run of that id.
            SnapshotException: the source directory is too large.
            TypeError: a keyword argument is unknown, or an argument of the script fits on no command line.
            UserErrorException: an input does not say how it is to be given.
        """
        from azml_compat.core.script_run import submit_script

        return submit_script(self, config, tags, parent=None, **kwargs)

    def get_runs(
        self, type: str | None = None, tags: Any = None, properties: Any = None, include_children: bool = False
    ) -> Generator[Run, None, None]:
        """Return a generator of the runs, newest start first; runs of plain MLflow among them.

        Args:
            type: Only runs of this type.
            tags: A key that must be there, or a dict of values that must be equal.
            properties: The same for properties.
            include_children: Also runs that have a parent.

        Raises:
            ValueError: a filter is of the wrong type.
        """
        return Run.list(self, type=type, tags=tags, properties=properties, include_children=include_children)

    # -- tags -------------------------------------------------------------------------------------------------

    def tag(self, key: str, value: Any = None) -> None:
        """Set one tag; without a value it is None."""
        self.set_tags({key: value})

    def set_tags(self, tags: dict[str, Any]) -> None:
        """Set tags; others stay. The property `tags` shows them after `refresh()`, as in the original.

        Raises:
            AttributeError: `tags` is not a dict.
            UserErrorException: the experiment was not created.
        """
        record = self._record()
        converted: dict[str, str | None] = {}
        for key, value in tags.items():
            if value is not None and not isinstance(value, str):
                _reporting.logger.warning("Converting the value %r of tag %r to a string.", value, key)
                value = str(value)
            converted[str(key)] = value
        self._store.set_experiment_tags(record.id, _tags.encode_tags(converted))

    def remove_tags(self, tags: builtins.list[str]) -> None:
        """Remove tags by key; unknown keys, and None for a list, are ignored.

        Raises:
            UserErrorException: the experiment was not created.
        """
        record = self._record()
        stored = self._store.get_experiment(record.id).tags
        for key in tags or ():
            for tag in _tags.keys_to_delete(key, stored):
                self._store.delete_experiment_tag(record.id, tag)

    def refresh(self) -> None:
        """Read the experiment again.

        Raises:
            UserErrorException: the experiment was not created.
        """
        self._known = self._store.get_experiment(self._record().id)

    # -- life -------------------------------------------------------------------------------------------------

    def archive(self) -> None:
        """Hide the experiment from listings; its name becomes free.

        In MLflow it is renamed and tagged, not deleted, so that `mlflow gc` cannot eat it.

        Raises:
            UserErrorException: the experiment was not created.
        """
        record = self._record()
        if self.archived_time is not None:
            return
        now = datetime.now(timezone.utc)
        self._store.set_experiment_tags(
            record.id,
            {_names.TAG_ARCHIVED_NAME: self._name, _names.TAG_ARCHIVED_TIME: now.isoformat()},
        )
        self._store.rename_experiment(record.id, name_aside(self._name, "archived"))
        self.refresh()

    def reactivate(self, new_name: str | None = None) -> None:
        """Take an archived experiment back.

        Raises:
            UserErrorException: `new_name` is given (refused in the original too), the experiment was not created, or
                another active experiment has its name.
        """
        if new_name is not None:
            raise UserErrorException("An experiment cannot be renamed when it is reactivated.")
        record = self._record()
        if self.archived_time is None:
            return
        holder = self._store.find_experiment(self._name)
        if holder is not None:
            if not holder.is_deleted:
                raise UserErrorException(
                    f"The experiment cannot be reactivated: its name {self._name!r} is taken by experiment "
                    f"{holder.id}. Archive that one first."
                )
            free_name_of_deleted(self._store, holder)
        self._store.rename_experiment(record.id, self._name)
        for tag in (_names.TAG_ARCHIVED_TIME, _names.TAG_ARCHIVED_NAME):
            self._store.delete_experiment_tag(record.id, tag)
        self.refresh()

    @staticmethod
    def delete(workspace: Workspace, experiment_id: str) -> None:
        """Move an experiment without runs to MLflow's trash; its name becomes free.

        Raises:
            ServiceException: there is no such experiment (`status_code` 404), or it has runs (409).
        """
        store = workspace.service_context.store
        record = store.get_experiment(experiment_id)
        if next(iter(store.search_runs([record.id])), None) is not None:
            raise ServiceException._from_status(
                409, f"Experiment {record.name!r} has runs, and only empty experiments can be deleted; archive it."
            )
        store.rename_experiment(record.id, name_aside(record.name, "deleted"))
        store.delete_experiment(record.id)

    @staticmethod
    def list(
        workspace: Workspace,
        experiment_name: str | None = None,
        view_type: str = ViewType.ActiveOnly,
        tags: Any = None,
    ) -> builtins.list[Experiment]:
        """Return the experiments of the workspace, newest first; those of plain MLflow among them.

        Args:
            workspace: The workspace.
            experiment_name: Only experiments of this name.
            view_type: A constant of `ViewType`.
            tags: A key that must be there, or a dict of values that must be equal.
        """
        found = [
            Experiment._from_record(workspace, record) for record in workspace.service_context.store.list_experiments()
        ]
        return [
            experiment
            for experiment in found
            if experiment.name != _names.EXPERIMENT_RESERVED
            and (experiment_name is None or experiment.name == experiment_name)
            and view_type in (ViewType.All, ViewType.ArchivedOnly if experiment.archived_time else ViewType.ActiveOnly)
            and _has_tags(experiment, tags)
        ]

    @staticmethod
    def from_directory(path: Any, auth: Any = None) -> NoReturn:
        """Refuse: the project files of Azure's first SDK are not read."""
        raise refusal("azureml.core.experiment.Experiment.from_directory")

    # -- display ----------------------------------------------------------------------------------------------

    def get_portal_url(self) -> str:
        """Return the address of the experiment in the MLflow UI."""
        record = self._existing()
        return self.portal_url if record is None else _portal.experiment_url(self._store, record.id)

    @classmethod
    def get_docs_url(cls) -> str:
        """Return Azure's reference page of the class."""
        return _portal.docs_url(cls)

    def __str__(self) -> str:
        return f"Experiment(Name: {self._name},\nWorkspace: {self._workspace.name})"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return _portal.html_row(
            [
                ("Name", self._name),
                ("Workspace", self._workspace.name),
                ("Report Page", _portal.link(self.get_portal_url(), "Link to MLflow UI")),
                ("Docs Page", _portal.link(self.get_docs_url(), "Link to Documentation")),
            ]
        )


def _check_name(name: Any) -> None:
    if not isinstance(name, str):
        raise TypeError(f"The name of an experiment must be a str, not {type(name)}.")
    if not _NAME.match(name):
        raise UserErrorException(
            f"The experiment name {name!r} is not valid: it takes letters, digits, `-` and `_`, begins with a letter "
            "or digit, and has at most 255 characters."
        )


def _has_tags(experiment: Experiment, wanted: Any) -> bool:
    tags = experiment.tags or {}
    if isinstance(wanted, dict):
        return all(key in tags and tags[key] == as_text(value) for key, value in wanted.items())
    return wanted is None or wanted in tags


__getattr__, __dir__ = module_attributes(__name__)
