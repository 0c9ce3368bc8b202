"""What a run is, apart from what can be done with it: its record in the store, identity, names and display."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azml_compat import _names, _portal, _reporting, _runtime, _search, _status, _tags
from azml_compat._creation import resolve
from azml_compat._files import RunFiles
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking.errors import is_away

if TYPE_CHECKING:
    from azml_compat._metrics import Record
    from azml_compat._tracking import RunRecord, Store
    from azml_compat._writer import RunWriter
    from azml_compat.core.experiment import Experiment
    from azml_compat.core.run import Run

OUTPUTS_DIR = "./outputs"
_SETTLING_SECONDS = 5
_OPTIONS = frozenset(
    {"logs", "flush_eager", "redirect_output_stream", "_batch_upload_metrics", "deny_list", "clean_up", "_run_dto"}
)
"""Keyword arguments of the original's constructors that are accepted; only redirect_output_stream has an effect."""


class _RunBase(_portal.ChainedIdentity, _portal.HasRunPortal):
    """A run of an experiment, with its record as it was last read from the store."""

    # Also before the run of Run.get_context() exists.
    _attached: RunWriter | None = None
    _is_provisional = False

    def __init__(self, experiment: Experiment, run_id: str, outputs: Any = None, **kwargs: Any) -> None:
        check_options(kwargs)
        record = kwargs.get("_run_dto")
        if record is None:
            record = resolve(experiment.workspace.service_context.store, run_id)
            if record is None:
                raise ServiceException._from_status(404, f"Run {run_id!r} was not found.")
        self._set_up(
            experiment, record, tracked_folders(outputs) if outputs else [], is_provisional=False, options=kwargs
        )

    @classmethod
    def _from_record(cls, experiment: Experiment, record: RunRecord, **state: Any) -> Any:
        """Make the object of a run whose record is at hand; `state` as for `_set_up`."""
        run = cls.__new__(cls)
        run._set_up(experiment, record, **{"folders": [], "is_provisional": False, "options": {}, **state})
        return run

    def _set_up(
        self,
        experiment: Experiment,
        record: RunRecord,
        folders: list[str],
        *,
        is_provisional: bool,
        options: dict[str, Any],
    ) -> None:
        self._experiment = experiment
        self._known = record
        self._is_provisional = is_provisional
        self._attached = None
        self._key = record.id
        """Under which the runtime has the run; it stays when a run gets its id from the store."""
        self._folders = folders
        self._base = Path.cwd()
        self._redirects = options.get("redirect_output_stream", True)
        self._parent: Run | None = None
        super().__init__(f"Run#{self.id}")
        self._name = _name_of(record, self.id)

    # -- the record -------------------------------------------------------------------------------------------

    @property
    def _store(self) -> Store:
        return self._experiment.workspace.service_context.store

    def _portal_store(self) -> Store:
        return self._store

    @property
    def _record(self) -> RunRecord:
        """The run as it was last read."""
        return self._known

    def _refresh(self) -> RunRecord:
        """Read the run from the store.

        Raises:
            ServiceException: the store cannot be reached (`status_code` 503).
        """
        if self._is_provisional:
            self._settle()
        elif self._attached is not None and self._attached.has_queued:
            self._attached.deliver(_SETTLING_SECONDS, 0)
        self._known = self._store.get_run(self._record.id)
        return self._known

    def _refresh_or_known(self) -> RunRecord:
        """Read the run from the store; while that cannot be reached, return what was last known, with a warning."""
        try:
            with self._store.briefly():
                return self._refresh()
        except ServiceException as error:
            if not is_away(error):
                raise
            _reporting.logger.warning("Run %s is taken to be as it was last known: %s", self.id, error.message)
            return self._known

    def _settle(self) -> None:
        """Find out which run the store made for one that was started while it was away.

        Raises:
            ServiceException: the store still cannot be reached (`status_code` 503).
        """
        report = self._writer.deliver(_SETTLING_SECONDS, 0)
        settled = self._writer.settled_id()
        if settled is None:
            raise report.away or ServiceException._from_status(503, f"Run {self.id} is not in the store yet.")
        self._known = self._store.get_run(settled)
        self._is_provisional = False

    def _try_to_settle(self) -> bool:
        """Tell whether the run is in the store by now."""
        if self._is_provisional:
            try:
                self._settle()
            except ServiceException as error:
                if not is_away(error):
                    raise
        return not self._is_provisional

    def _sidecar(self) -> list[Record]:
        from azml_compat._sidecar import read_sidecar

        _runtime.flush(self._record, _SETTLING_SECONDS)
        return read_sidecar(self._store, self._refresh())

    @property
    def _writer(self) -> RunWriter:
        found = self._attached
        if found is None or found.is_stale:
            found = self._take_writer()
        return found

    def _take_writer(self) -> RunWriter:
        self._attached = _runtime.writer(self._record)
        return self._attached

    @property
    def _files(self) -> RunFiles:
        if self._is_provisional:
            self._settle()
        return RunFiles(self._store, self._record.id)

    # -- identity ---------------------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The run id: MLflow's, or the one that the script chose."""
        return self._record.tags.get(_names.TAG_RUN_ID) or self._record.id

    @property
    def _run_id(self) -> str:
        """The id, by the private name with which scripts ask whether a run is an offline one."""
        return self.id

    @property
    def experiment(self) -> Experiment:
        """The experiment that holds the run."""
        return self._experiment

    @property
    def name(self) -> str:
        """The name given at the start, `run_<id>` by default; a child's begins with its parent's and `>`."""
        return self._name

    @property
    def number(self) -> int:
        """The position of the run among those of its experiment, by start time, from 1."""
        _reporting.logger.warning("run.number counts the runs of the experiment, children and deleted ones included.")
        mine = (self._record.start_time, self._record.id)
        runs = self._store.search_runs([self._record.experiment_id], with_deleted=True)
        return sum((run.start_time, run.id) <= mine for run in runs)

    @property
    def type(self) -> str | None:
        """The type of the run; None for an interactive one."""
        return _search.run_type(self._record)

    @property
    def status(self) -> str:
        """The status as it is in the store now; the one last known while the store cannot be reached.

        Differs from Azure: never stale.
        """
        return _status.of(self._refresh_or_known())

    @property
    def tags(self) -> dict[str, str | None]:
        """A new dict of the tags as they are in the store now.

        Differs from Azure: never stale.
        """
        return _tags.decode_tags(self._refresh().tags)

    @property
    def properties(self) -> dict[str, str | None]:
        """A new dict of the properties as they are in the store now.

        Differs from Azure: never stale.
        """
        return _tags.decode_properties(self._refresh().tags)

    @property
    def display_name(self) -> str | None:
        """The name that MLflow's UI shows. Setting None changes nothing, as in the original."""
        return self._record.tags.get(_names.TAG_RUN_NAME)

    @display_name.setter
    def display_name(self, value: str | None) -> None:
        if value is not None:
            self._store.rename_run(self._record.id, value)
            self._refresh()

    @property
    def description(self) -> str | None:
        """The description that MLflow's UI shows, in Markdown. Setting None changes nothing, as in the original."""
        return self._record.tags.get(_names.TAG_NOTE)

    @description.setter
    def description(self, value: str | None) -> None:
        if value is not None:
            self._set_tags({_names.TAG_NOTE: value})

    def _set_tags(self, tags: dict[str, str]) -> None:
        """Set tags now, or when the store is back: then behind those that wait already."""
        if self._is_provisional or (self._attached is not None and self._attached.has_queued):
            self._writer.queue_tags(tags)
        else:
            try:
                with self._store.briefly():
                    self._store.set_run_tags(self._record.id, tags)
            except ServiceException as error:
                if not is_away(error):
                    raise
                self._writer.queue_tags(tags)
                _reporting.logger.warning("%s. They are set when the store is back.", error.message)
        self._known = self._known.with_tags(tags)

    # -- tags and properties ----------------------------------------------------------------------------------

    def tag(self, key: str, value: Any = None) -> None:
        """Set one tag; without a value it is None."""
        self.set_tags({key: value})

    def set_tags(self, tags: dict[str, Any]) -> None:
        """Set tags; others stay. Values that are neither str nor None become str, with a warning.

        Raises:
            AttributeError: `tags` is not a dict.
        """
        self._set_tags(_tags.encode_tags(as_tags(tags)))

    def get_tags(self) -> dict[str, str | None]:
        """Return the tags."""
        return self.tags

    def remove_tags(self, tags: list[str]) -> None:
        """Remove tags by key; unknown keys are ignored.

        Raises:
            ValueError: `tags` is not a list of keys.
        """
        if isinstance(tags, str) or not isinstance(tags, Iterable):
            raise ValueError(f"remove_tags takes a list of keys, not {tags!r}.")
        stored = self._refresh().tags
        for key in tags:
            for tag in _tags.keys_to_delete(key, stored):
                self._store.delete_run_tag(self._record.id, tag)

    def add_properties(self, properties: dict[str, Any]) -> None:
        """Add properties. They cannot be changed afterwards; the same value again is accepted.

        Raises:
            ServiceException: a property exists with another value (`status_code` 400).
        """
        if not properties:
            return
        new = as_tags(properties)
        known = _tags.decode_properties(self._refresh_or_known().tags)
        for key, value in new.items():
            if key in known and known[key] != value:
                raise ServiceException._from_status(
                    400, f"The property {key!r} is {known[key]!r} and cannot be changed to {value!r}."
                )
        self._set_tags(_tags.encode_properties(new))

    def get_properties(self) -> dict[str, str | None]:
        """Return the properties."""
        return self.properties

    # -- display ----------------------------------------------------------------------------------------------

    def get_portal_url(self) -> str:
        """Return the address of the run in the MLflow UI; without a server, where `azml-compat ui` serves it."""
        return _portal.run_url(self._store, self._record.experiment_id, self._record.id)

    @classmethod
    def get_docs_url(cls) -> str:
        """Return Azure's reference page of the class."""
        return _portal.docs_url(cls)

    def __str__(self) -> str:
        fields = {
            "Experiment": self._experiment.name,
            "Id": self.id,
            "Type": self.type,
            "Status": _status.of(self._record),
        }
        return f"Run({(',' + chr(10)).join(f'{name}: {value}' for name, value in fields.items())})"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return _portal.html_row(
            [
                ("Experiment", self._experiment.name),
                ("Id", self.id),
                ("Type", self.type),
                ("Status", _status.of(self._record)),
                ("Details Page", _portal.link(self.get_portal_url(), "Link to MLflow UI")),
                ("Docs Page", _portal.link(self.get_docs_url(), "Link to Documentation")),
            ]
        )


def check_options(options: dict[str, Any]) -> None:
    """Refuse keyword arguments that the original does not have.

    Raises:
        TypeError: there are such.
    """
    unknown = sorted(set(options) - _OPTIONS)
    if unknown:
        raise TypeError(f"Run does not take these arguments. Found key word arguments: {', '.join(unknown)}")


def tracked_folders(outputs: Any) -> list[str]:
    """Return the folders whose files are taken at the end of a run, from the `outputs` of `start_logging`."""
    if outputs is False:
        return []
    if outputs in (None, True, ""):
        return [OUTPUTS_DIR]
    return [outputs] if isinstance(outputs, str) else [str(folder) for folder in outputs]


def _name_of(record: RunRecord, run_id: str) -> str:
    given = _tags.decode_text(record.tags, _names.TAG_NAME)
    if given is not None:
        return given
    if _names.TAG_FORMAT in record.tags:
        return f"run_{run_id}"
    return record.tags.get(_names.TAG_RUN_NAME, f"run_{run_id}")


def id_of(record: RunRecord) -> str:
    return record.tags.get(_names.TAG_RUN_ID) or record.id


def as_tags(tags: dict[str, Any], *, warn: bool = True) -> dict[str, str | None]:
    """Return tags with values of type str or None, as the original converts them."""
    converted: dict[str, str | None] = {}
    for key, value in tags.items():
        if value is not None and not isinstance(value, str):
            if warn:
                _reporting.logger.warning("Converting the value %r of tag %r to a string.", value, key)
            value = str(value)
        converted[str(key)] = value
    return converted
