"""`Store`: what azml_compat asks of a tracking store, in terms of records and points."""

from __future__ import annotations

import functools
import random
import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar, cast

from azml_compat._metrics import Latest, Point
from azml_compat._restclient.exceptions import ServiceException
from azml_compat._tracking import mlflow_api
from azml_compat._tracking.addresses import absolute_uri, is_local, sqlite_path, without_credentials
from azml_compat._tracking.errors import azure_errors, hide_credentials, is_away, is_missing, is_taken, not_there_yet
from azml_compat._tracking.forking import gate
from azml_compat._tracking.histories import Histories, read_histories
from azml_compat._tracking.opening import drop_connections, is_there, one_process_at_a_time, open_client
from azml_compat._tracking.patience import Patience, Setting
from azml_compat._tracking.records import ArtifactFile, ExperimentRecord, ModelRecord, RunRecord
from azml_compat.exceptions import AzureMLException, UserErrorException

__all__ = ["Store", "absolute_uri", "sqlite_path", "without_credentials"]

_Ask = TypeVar("_Ask", bound=Callable[..., Any])

_PAGE = 1000
_POINTS_PER_CALL = 1000
_MAX_REPOSITORIES = 100
_BRIEF_SECONDS = 8.0
"""For how long ending a run and the like may wait for a store that does not answer."""
_SILENT_SECONDS = 1.0
"""The same where that is known."""
_BROKEN_SECONDS = 1.0
"""A call that failed within so short a time has not waited for an answer."""
_ADDRESS = re.compile("[a-zA-Z][a-zA-Z0-9+.-]*:|/")
"""Begins the address of a folder of artifacts, and no run id."""
_VERSION_RACE = "Model Version creation error"
"""What MLflow says where others took the number of a version three times."""
_VERSION_ATTEMPTS = 50
_VERSION_PAUSE = 0.1
_MAX_PARAM = 6000
"""Characters of a param value; MLflow cuts longer ones with a warning."""


def _repeated(ask: _Ask) -> _Ask:
    """Have a call made once more whose connection broke, as those do that servers close for being idle.

    Only for what may be done twice. MLflow would repeat it too, but takes its orders for all threads at once.
    """

    @functools.wraps(ask)
    def call(self: Store, *args: Any, **kwargs: Any) -> Any:
        began = time.monotonic()
        try:
            return ask(self, *args, **kwargs)
        except ServiceException as error:
            is_broken = is_away(error) and time.monotonic() - began < _BROKEN_SECONDS
            if not (is_broken and self._patience.is_repeating and self._patience.left > 0):
                raise
        return ask(self, *args, **kwargs)

    return cast("_Ask", call)


class Store:
    """A tracking store with its artifacts and its model registry. Opened on first use; thread-safe.

    Args:
        uri: MLflow tracking URI, absolute.
        artifact_root: Where experiments that this object creates keep their files; None leaves it to the store.
        on_open: Called once, after the store was opened.
        may_create: Make a database or folder that is not there; else the store is away, as on a disk that is not
            mounted.
    """

    def __init__(
        self,
        uri: str,
        artifact_root: str | None = None,
        on_open: Callable[[], None] | None = None,
        *,
        may_create: bool = True,
    ) -> None:
        self.uri = uri
        self.artifact_root = artifact_root
        self._on_open = on_open
        self._may_create = may_create
        self._patience = Patience(is_server=self.is_server)
        self._client: Any = None
        self._repositories: dict[str, Any] = {}
        self._opening = threading.RLock()
        self._opener: int | None = None
        """The thread that opens the store."""

    def __repr__(self) -> str:
        return f"Store({without_credentials(self.uri)!r})"

    @property
    def client(self) -> Any:
        """The MlflowClient."""
        if self._client is None:
            doing = f"Cannot open the tracking store {without_credentials(self.uri)}"
            if self._opener == threading.get_ident():
                raise not_there_yet(f"{doing}: the call that a signal handler has interrupted is at it.")
            with self._opening:
                self._opener = threading.get_ident()
                try:
                    if self._client is None:
                        with self._patience.counting(doing):
                            self._client = self._open()
                finally:
                    self._opener = None
            on_open, self._on_open = self._on_open, None
            if on_open is not None:
                on_open()
        return self._client

    def leave_parent_behind(self) -> None:
        """In a forked child: share no connections with the parent, and no locks that a thread of it may hold."""
        self._opening = threading.RLock()
        self._opener = None
        self._patience.leave_parent_behind()
        _without_url_print.leave_parent_behind()
        if self._client is not None:
            drop_connections(self._client)

    def patience(self, seconds: float) -> AbstractContextManager[None]:
        """Let this thread wait no longer than `seconds` inside, in all, without an answer; 0 asks nothing any more."""
        return self._patience.limited_to(seconds)

    def briefly(self, seconds: float = _BRIEF_SECONDS) -> AbstractContextManager[None]:
        """As `patience`, for what can be done later as well: a store that is known to be silent gets one second."""
        return self._patience.limited_to(seconds, while_silent=_SILENT_SECONDS)

    @property
    def patience_left(self) -> float:
        """For how many seconds this thread may still wait; infinite outside of all limits."""
        return self._patience.left

    @property
    def is_silent(self) -> bool:
        """Whether the store did not answer the last call, and that was a moment ago."""
        return self._patience.is_silent

    def note_waiting(self, seconds: float) -> None:
        """Note that this thread has waited in vain for somebody else to get something from the store."""
        self._patience.add(seconds)

    def note_silence(self) -> None:
        """Note that the store seems not to answer somebody else."""
        self._patience.note_silence()

    def note_answer(self) -> None:
        """Note that somebody else has got something from the store."""
        self._patience.renew()

    @contextmanager
    def _calling(self, doing: str) -> Iterator[None]:
        """Do what `doing` says: without MLflow's own long patience, and with its errors as Azure's."""
        with gate.inside(), self._patience.calling(doing), azure_errors(doing):
            yield

    def _open(self) -> Any:
        if not (self._may_create or is_there(self.uri)):
            raise not_there_yet(f"{without_credentials(self.uri)} is not there. Is its disk mounted?")
        doing = f"Cannot open the tracking store {without_credentials(self.uri)}"
        try:
            with gate.inside(), azure_errors(doing):
                return open_client(self.uri, self._patience.left)
        except (AzureMLException, ServiceException):
            raise
        except Exception as error:
            # Whatever a file system, a database or its driver says: it is the URI that led there.
            hide_credentials(error)
            raise UserErrorException(f"{doing}: {error}") from error

    @property
    def is_server(self) -> bool:
        """Whether the store is an MLflow server."""
        return self.uri.startswith(("http://", "https://"))

    def alone(self) -> AbstractContextManager[None]:
        """Keep other processes of this machine from doing the same inside, where the store is of files.

        Databases do one thing after the other by themselves. Not to be nested.
        """
        assert self.client is not None  # Opening it takes the same lock.
        return one_process_at_a_time(self.uri) if is_local(self.uri) else nullcontext()

    # -- experiments ------------------------------------------------------------------------------------------

    @_repeated
    def find_experiment(self, name: str) -> ExperimentRecord | None:
        """Return the experiment of that name, deleted or not, or None."""
        client = self.client
        with self._calling(f"Cannot look up experiment {name!r}"):
            found = client.get_experiment_by_name(name)
        return None if found is None else _experiment_record(found)

    @_repeated
    def get_experiment(self, experiment_id: str) -> ExperimentRecord:
        """Return the experiment of that id.

        Raises:
            ServiceException: there is none (`status_code` 404).
        """
        client = self.client
        with self._calling(f"Cannot get experiment {experiment_id!r}"):
            return _experiment_record(client.get_experiment(experiment_id))

    def create_experiment(
        self, name: str, artifact_root: str | None = None, tags: Mapping[str, str] | None = None
    ) -> ExperimentRecord:
        """Create an experiment; one that another process created meanwhile is as good.

        Args:
            name: Its name.
            artifact_root: Where it keeps its files; by default where this object's do.
            tags: Of an experiment that is new.
        """
        client = self.client
        # A file store does not keep two processes from making two experiments of one name.
        with self.alone():
            found = self.find_experiment(name) if is_local(self.uri) else None
            if found is not None and not found.is_deleted:
                return found
            try:
                with self._calling(f"Cannot create experiment {name!r}"):
                    client.create_experiment(name, artifact_root or self.artifact_root, dict(tags or {}))
            except Exception as error:
                if not (is_taken(error) or self.find_experiment(name)):
                    raise
        found = self.find_experiment(name)
        assert found is not None
        return found

    def list_experiments(self) -> Iterator[ExperimentRecord]:
        """Yield every active experiment, newest first."""
        token = None
        while True:
            page = self._experiments_page(token)
            yield from map(_experiment_record, page)
            token = page.token
            if not token:
                return

    @_repeated
    def _experiments_page(self, token: str | None) -> Any:
        client = self.client
        with self._calling("Cannot list the experiments"):
            return client.search_experiments(max_results=_PAGE, page_token=token)

    @_repeated
    def set_experiment_tags(self, experiment_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of an experiment, one request each: MLflow has no batch for them."""
        client = self.client
        for key, value in tags.items():
            with self._calling(f"Cannot set tag {key!r} of experiment {experiment_id}"):
                client.set_experiment_tag(experiment_id, key, value)

    @_repeated
    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Remove a tag of an experiment; one that is not there is as good as removed."""
        client = self.client
        try:
            with self._calling(f"Cannot remove tag {key!r} of experiment {experiment_id}"):
                client.delete_experiment_tag(experiment_id, key)
        except Exception as error:
            if not is_missing(error):
                raise

    @_repeated
    def rename_experiment(self, experiment_id: str, name: str) -> None:
        """Rename an active experiment."""
        client = self.client
        with self._calling(f"Cannot rename experiment {experiment_id} to {name!r}"):
            client.rename_experiment(experiment_id, name)

    def delete_experiment(self, experiment_id: str) -> None:
        """Move an experiment with its runs to MLflow's trash."""
        client = self.client
        with self._calling(f"Cannot delete experiment {experiment_id}"):
            client.delete_experiment(experiment_id)

    def restore_experiment(self, experiment_id: str) -> None:
        """Take an experiment back from MLflow's trash."""
        client = self.client
        with self._calling(f"Cannot restore experiment {experiment_id}"):
            client.restore_experiment(experiment_id)

    # -- runs -------------------------------------------------------------------------------------------------

    def create_run(self, experiment_id: str, tags: Mapping[str, str], name: str | None, start_time: int) -> RunRecord:
        """Create a run with status RUNNING; without `name` MLflow makes one up. start_time in milliseconds."""
        client = self.client
        with self._calling("Cannot create a run"):
            run = client.create_run(experiment_id, start_time=start_time, tags=dict(tags), run_name=name)
        return _run_record(run)

    @_repeated
    def get_run(self, run_id: str) -> RunRecord:
        """Return a run by its MLflow id.

        Raises:
            ServiceException: there is none (`status_code` 404).
        """
        client = self.client
        with self._calling(f"Cannot get run {run_id!r}"):
            return _run_record(client.get_run(run_id))

    def find_run(self, run_id: str) -> RunRecord | None:
        """Return a run by its MLflow id, or None when there is none or it is deleted."""
        try:
            run = self.get_run(run_id)
        except Exception as error:
            if is_missing(error):
                return None
            raise
        return None if run.is_deleted else run

    def search_runs(
        self, experiment_ids: Sequence[str], condition: str = "", *, with_deleted: bool = False
    ) -> Iterator[RunRecord]:
        """Yield runs, newest start first, page by page. `condition` is in MLflow's search language."""
        token = None
        while True:
            page = self._runs_page(experiment_ids, condition, token, with_deleted=with_deleted)
            yield from map(_run_record, page)
            token = page.token
            if not token:
                return

    @_repeated
    def _runs_page(
        self, experiment_ids: Sequence[str], condition: str, token: str | None, *, with_deleted: bool
    ) -> Any:
        client = self.client
        with self._calling("Cannot list the runs"):
            return client.search_runs(
                list(experiment_ids),
                condition,
                run_view_type=mlflow_api.view_type("ALL" if with_deleted else "ACTIVE_ONLY"),
                max_results=_PAGE,
                order_by=["attributes.start_time DESC"],
                page_token=token,
            )

    @_repeated
    def end_run(self, run_id: str, status: str, end_time: int | None = None) -> None:
        """Set FINISHED, FAILED or KILLED, with the end time (milliseconds, default now)."""
        client = self.client
        with self._calling(f"Cannot end run {run_id}"), _without_url_print:
            client.set_terminated(run_id, status, end_time or int(time.time() * 1000))

    @_repeated
    def set_run_status(self, run_id: str, status: str) -> None:
        """Set RUNNING or SCHEDULED."""
        client = self.client
        with self._calling(f"Cannot set the status of run {run_id}"):
            client.update_run(run_id, status=status)

    def end_fluent_run(self, run_id: str) -> None:
        """End a run that plain MLflow of this process holds open, which MLflow's own exit hook would do otherwise."""
        with self._calling(f"Cannot end run {run_id}"):
            mlflow_api.end_fluent_run(run_id)

    @_repeated
    def rename_run(self, run_id: str, name: str) -> None:
        """Set the name that MLflow's UI shows."""
        client = self.client
        with self._calling(f"Cannot rename run {run_id}"):
            client.update_run(run_id, name=name)

    @_repeated
    def set_run_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set any number of tags in few requests."""
        if not tags:
            return
        client = self.client
        with self._calling(f"Cannot set tags of run {run_id}"):
            client.log_batch(run_id, tags=[mlflow_api.run_tag(key, value) for key, value in tags.items()])

    @_repeated
    def delete_run_tag(self, run_id: str, key: str) -> None:
        """Remove a tag; one that is not there is as good as removed."""
        client = self.client
        try:
            with self._calling(f"Cannot remove tag {key!r} of run {run_id}"):
                client.delete_tag(run_id, key)
        except Exception as error:
            if not is_missing(error):
                raise

    @_repeated
    def log_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Log params, cut to what MLflow holds."""
        if not params:
            return
        client = self.client
        with self._calling(f"Cannot log params of run {run_id}"):
            client.log_batch(run_id, params=[mlflow_api.param(key, _cut(value)) for key, value in params.items()])

    @_repeated
    def log_input(
        self, run_id: str, *, name: str, digest: str, source_type: str, source: Mapping[str, Any], context: str
    ) -> None:
        """Note that a run reads a dataset: MLflow shows it on the page of the run. Doing so twice says the same.

        Args:
            run_id: The run.
            name: The name of the dataset.
            digest: What tells its content from that of others of its name; up to 36 characters.
            source_type: What kind of source MLflow takes it for: `local`, `http`.
            source: Where it lies.
            context: What the run uses it as.
        """
        client = self.client
        with self._calling(f"Cannot note the input {name!r} of run {run_id}"):
            client.log_inputs(
                run_id, datasets=[mlflow_api.dataset_input(name, digest, source_type, dict(source), context)]
            )

    def log_points(self, run_id: str, points: Sequence[Point]) -> None:
        """Log metric values, up to 1,000 a request."""
        client = self.client
        for start in range(0, len(points), _POINTS_PER_CALL):
            metrics = [mlflow_api.metric(*point) for point in points[start : start + _POINTS_PER_CALL]]
            with self._calling(f"Cannot log metrics of run {run_id}"):
                client.log_batch(run_id, metrics=metrics)

    def history(self, run_id: str, key: str) -> list[Point]:
        """Return every point of a key."""
        return self.histories({run_id: [key]})[run_id][key]

    @_repeated
    def histories(self, wanted: Mapping[str, Sequence[str]]) -> Histories:
        """Return every point of the keys `wanted` of each run, by run id and key.

        A database or a folder is read once for all of them; a server is asked for each key, several at a time.
        """
        found: Histories = {run_id: {} for run_id in wanted}
        asked = {run_id: keys for run_id, keys in wanted.items() if keys}
        if asked:
            client = self.client
            with self._calling(f"Cannot read metrics of {_few(asked)}"):
                found |= read_histories(client, asked)
        return found

    # -- artifacts --------------------------------------------------------------------------------------------

    @_repeated
    def list_artifacts(self, run_id: str, folder: str | None = None) -> list[ArtifactFile]:
        """Return what lies directly in a folder of a run's artifacts."""
        with self._calling(f"Cannot list the files of run {run_id}"):
            repository = self._repository(run_id)
            files = repository.list_artifacts(folder)
            if not files and folder and self.is_server:
                # MLflow takes a folder whose only file has its name for a file; not so with a slash at the end.
                files = repository.list_artifacts(f"{folder}/")
        return [ArtifactFile(file.path, file.is_dir, file.file_size) for file in files]

    @_repeated
    def upload(self, run_id: str, local: Path, folder: str | None) -> None:
        """Store a local file under its own base name in `folder` of the run's artifacts."""
        client = self.client
        with self._calling(f"Cannot upload {local.name!r} to run {run_id}"):
            client.log_artifact(run_id, str(local), folder)

    @_repeated
    def download(self, run_id: str, path: str, folder: Path) -> Path:
        """Fetch one artifact into `folder`, under its base name, and return where it is."""
        local = folder / Path(path).name
        with self._calling(f"Cannot download {path!r} of run {run_id}"):
            # What every kind of repository implements. The client's own call downloads in threads, which take no more
            # work while the process exits, and says of every error that there is no such file.
            self._repository(run_id)._download_file(path, str(local))
        return local

    def _repository(self, run_id: str) -> Any:
        """Return MLflow's access to the run's own artifacts, or to those at an address that stands for a run id.

        The client's calls look for a logged model of the same name each time, with a search that breaks on quotes.
        """
        found = self._repositories.get(run_id)
        if found is None:
            is_address = _ADDRESS.match(run_id) is not None
            address = run_id if is_address else self.client.get_run(run_id).info.artifact_uri
            found = mlflow_api.artifact_repository(address, self.uri)
            if len(self._repositories) >= _MAX_REPOSITORIES:
                self._repositories.clear()
            self._repositories[run_id] = found
        return found

    # -- models -----------------------------------------------------------------------------------------------

    def register_model(
        self, name: str, source: str, run_id: str | None, tags: Mapping[str, str], description: str | None
    ) -> ModelRecord:
        """Create the next version of a registered model, and the model itself when it is new."""
        client = self.client
        # A file store gives two processes one number; a database refuses the second, and gives up after three times.
        with self.alone():
            try:
                with self._calling(f"Cannot create model {name!r}"):
                    client.create_registered_model(name)
            except Exception as error:
                if not is_taken(error):
                    raise
            doing = f"Cannot register a version of model {name!r}"
            for is_last in (*[False] * _VERSION_ATTEMPTS, True):
                try:
                    with self._calling(doing):
                        # MLflow announces on stderr that it waits, even where the version is ready at once.
                        version = client.create_model_version(
                            name, source, run_id=run_id, tags=dict(tags), description=description, await_creation_for=0
                        )
                    return _model_record(version)
                except ServiceException as error:
                    if is_last or _VERSION_RACE not in str(error):
                        raise
                    time.sleep(random.uniform(0, _VERSION_PAUSE))
        raise AssertionError(doing)

    def model_versions(self, name: str | None = None) -> list[ModelRecord]:
        """Return the versions of a registered model, or of all of them, the newest first."""
        found: list[Any] = []
        token = None
        while True:
            page = self._versions_page(name, token)
            found += page
            token = page.token
            if not token:
                # The search of some databases disregards case.
                records = [_model_record(version) for version in found if name in (None, version.name)]
                return sorted(records, key=lambda record: (record.created_time, record.version), reverse=True)

    @_repeated
    def _versions_page(self, name: str | None, token: str | None) -> Any:
        client = self.client
        condition = None
        if name is not None:
            # MLflow's language has no way to write both kinds of quotes.
            quote = "'" if "'" not in name else '"'
            condition = f"name = {quote}{name}{quote}" if quote not in name else None
        with self._calling("Cannot list the versions of models"):
            return client.search_model_versions(condition, max_results=_PAGE, page_token=token)

    @_repeated
    def find_model_version(self, name: str, version: int) -> ModelRecord | None:
        """Return a version of a registered model, or None when there is none."""
        client = self.client
        try:
            with self._calling(f"Cannot get version {version} of model {name!r}"):
                return _model_record(client.get_model_version(name, str(version)))
        except ServiceException as error:
            if is_missing(error) or error.status_code == 400:  # a name that MLflow itself refuses
                return None
            raise

    @_repeated
    def set_version_tags(self, name: str, version: int, tags: Mapping[str, str]) -> None:
        """Set tags of a version, one request each: MLflow has no batch for them."""
        client = self.client
        for key, value in tags.items():
            with self._calling(f"Cannot set tag {key!r} of version {version} of model {name!r}"):
                client.set_model_version_tag(name, str(version), key, value)

    @_repeated
    def delete_version_tag(self, name: str, version: int, key: str) -> None:
        """Remove a tag of a version; one that is not there is as good as removed."""
        client = self.client
        try:
            with self._calling(f"Cannot remove tag {key!r} of version {version} of model {name!r}"):
                client.delete_model_version_tag(name, str(version), key)
        except Exception as error:
            if not is_missing(error):
                raise

    @_repeated
    def describe_version(self, name: str, version: int, description: str) -> None:
        """Set the description of a version."""
        client = self.client
        with self._calling(f"Cannot describe version {version} of model {name!r}"):
            client.update_model_version(name, str(version), description)

    def delete_version(self, name: str, version: int) -> None:
        """Delete a version; its files stay where they are."""
        client = self.client
        with self._calling(f"Cannot delete version {version} of model {name!r}"):
            client.delete_model_version(name, str(version))

    @_repeated
    def address_of_version(self, name: str, version: int) -> str:
        """Return where the files of a version are: `runs:/<run id>/<path>`, or an address of their own."""
        client = self.client
        with self._calling(f"Cannot find the files of version {version} of model {name!r}"):
            return str(client.get_model_version_download_uri(name, str(version)))


def _few(run_ids: Collection[str]) -> str:
    return f"run {next(iter(run_ids))}" if len(run_ids) == 1 else f"{len(run_ids)} runs"


def _cut(value: str) -> str:
    return value if len(value) <= _MAX_PARAM else value[: _MAX_PARAM - 1] + "…"


_without_url_print = Setting({"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"})
"""MLflow prints "View run" for each run that ends on a server; azml_compat prints its own line once."""


def _experiment_record(experiment: Any) -> ExperimentRecord:
    return ExperimentRecord(
        experiment.experiment_id,
        experiment.name,
        experiment.lifecycle_stage == "deleted",
        dict(experiment.tags),
    )


def _run_record(run: Any) -> RunRecord:
    info = run.info
    return RunRecord(
        id=info.run_id,
        experiment_id=info.experiment_id,
        status=info.status,
        start_time=info.start_time,
        end_time=info.end_time,
        artifact_uri=info.artifact_uri,
        is_deleted=info.lifecycle_stage == "deleted",
        tags=dict(run.data.tags),
        params=dict(run.data.params),
        latest=_latest(run.data.to_proto().metrics),
    )


def _latest(metrics: Iterable[Any]) -> tuple[Latest, ...]:
    return tuple(Latest(metric.key, metric.value, metric.timestamp, metric.step) for metric in metrics)


def _model_record(version: Any) -> ModelRecord:
    return ModelRecord(
        version.name,
        int(version.version),
        version.source,
        version.run_id or None,
        version.description or "",
        version.creation_timestamp,
        dict(version.tags),
    )
