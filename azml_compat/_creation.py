"""Creating a run: what is known at its start, as MLflow tags."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from azml_compat import _git, _names, _runtime, _tags
from azml_compat._reporting import logger, message_of
from azml_compat._search import find_run
from azml_compat._tracking.errors import is_away, is_refusal, not_there_yet
from azml_compat.exceptions import AuthenticationException, UserErrorException

if TYPE_CHECKING:
    from azml_compat._journal import Journal
    from azml_compat._tracking import RunRecord, Store
    from azml_compat._writer import Outbox

_SOURCE_TAGS = (_names.TAG_GIT_COMMIT, _names.TAG_GIT_BRANCH, _names.TAG_GIT_REPO)


class NewRun(NamedTuple):
    """What a script says of a run that it starts."""

    name: str | None = None
    run_id: str | None = None
    display_name: str | None = None
    description: str | None = None
    tags: Mapping[str, str | None] = MappingProxyType({})
    parent: RunRecord | None = None
    code_folder: Path | None = None
    """Where the git facts are taken from."""
    folders: tuple[tuple[str, str], ...] = ()
    """(absolute path, name in the run) of the folders that are taken when the run ends."""


class Created(NamedTuple):
    """A run that `create` has made or found."""

    record: RunRecord
    is_new: bool
    is_provisional: bool = False
    """The store could not be reached: the record's id only stands for the one that it will give."""


def create(experiment: str, experiment_id: Callable[[], str], new: NewRun) -> Created:
    """Create the run. A run id that exists names that run, as on Azure.

    Where the store cannot be reached, the run starts all the same, under an id that stands for MLflow's: its journal
    holds what it is to be created with.

    Args:
        experiment: The name of the experiment.
        experiment_id: Asked for the experiment's id, when the store is to be used.
        new: The run.

    Raises:
        ServiceException: the store does not take it, or cannot be reached and there is no journal either.
    """
    outbox = _runtime.outbox()
    facts = _tags.encode_tags(new.tags) | facts_of(new)
    shown = new.display_name or (new.name or "").rpartition(">")[2] or new.run_id or None
    creation = _creation(outbox, experiment, facts, shown)
    journal = _announced(outbox, creation, folders=new.folders)
    try:
        if new.parent is not None and _is_stand_in(new.parent):
            raise not_there_yet(f"The parent {_id_of_parent(new.parent)} is not in the store yet.")
        with outbox.store.briefly():
            existing = resolve(outbox.store, new.run_id) if new.run_id else None
            if existing is not None:
                tags = _tags.encode_tags(new.tags)
                outbox.store.set_run_tags(existing.id, tags)
                _discard(outbox, journal)
                return Created(existing.with_tags(tags), is_new=False)
            record = outbox.store.create_run(experiment_id(), facts, shown, creation["start_time"])
    except Exception as error:
        if journal is not None and is_away(error):
            with contextlib.suppress(OSError):  # The disk does not take it either.
                return _create_later(journal, creation, new.run_id or facts[_names.TAG_JOURNAL], error)
        if is_refusal(error) or isinstance(error, (AuthenticationException, UserErrorException)):
            _discard(outbox, journal)
        elif journal is not None and outbox.spool is not None:
            # The run may be in the store, as when a signal handler has raised. Whoever drains next finds out.
            outbox.spool.release(journal)
        raise
    if journal is not None and outbox.spool is not None:
        try:
            _note_created(journal, record)
            outbox.spool.name_run(journal, record.id)
        except OSError as error:
            logger.warning("No journal can be kept of run %s: %s. Log calls go to the store.", record.id, error)
            _discard(outbox, journal)
            journal = None
    if new.run_id:
        _runtime.remember_run_id(new.run_id, record.id)
    _runtime.own_writer(record.id, journal)
    return Created(record, is_new=True)


@contextlib.contextmanager
def handing_over(
    experiment: str, experiment_id: str, facts: dict[str, str], shown: str | None, jobs: Path
) -> Iterator[RunRecord]:
    """Create a run that others are to end, as soon as the block has made a folder of the run's id in `jobs`.

    Where the block fails, the run is failed. Until that folder is there, a journal says whose the run is: whoever
    opens the store after this process has died, or after the store was away, ends it.

    Args:
        experiment: The name of the experiment.
        experiment_id: Its id.
        facts: Tags; those of `facts_of` are among them.
        shown: The name of the run in MLflow.
        jobs: A folder on this machine.
    """
    outbox = _runtime.outbox()
    creation = _creation(outbox, experiment, facts, shown) | {"jobs": str(jobs)}
    journal = _announced(outbox, creation)
    record = None
    try:
        record = outbox.store.create_run(experiment_id, facts, shown, creation["start_time"])
        if journal is not None:
            _note_created(journal, record)
        yield record
    except BaseException as error:
        is_settled = record is None and is_refusal(error)
        if record is not None:
            with contextlib.suppress(Exception):  # The store is away: the journal stays for whoever drains next.
                outbox.store.end_run(record.id, "FAILED")
                is_settled = True
        if is_settled:
            _discard(outbox, journal)
        elif journal is not None and outbox.spool is not None:
            outbox.spool.release(journal)
        raise
    _discard(outbox, journal)


def _creation(outbox: Outbox, experiment: str, facts: dict[str, str], shown: str | None) -> dict[str, Any]:
    """Return what a run is created with now, as its journal keeps it."""
    return {
        "experiment": experiment,
        "artifact_root": outbox.store.artifact_root,
        "tags": facts,
        "name": shown,
        "start_time": _runtime.next_start_time(),
    }


def _announced(
    outbox: Outbox, creation: dict[str, Any], *, folders: tuple[tuple[str, str], ...] = ()
) -> Journal | None:
    """Begin the journal of a run that is to be created, if one can be had."""
    nonce = creation["tags"][_names.TAG_JOURNAL]
    return outbox.create_journal(nonce, outbox.header(nonce, is_owner=True, folders=folders, creation=creation))


def _note_created(journal: Journal, record: RunRecord) -> None:
    journal.write(json.dumps({"op": "created", "run": record.id}))


def _discard(outbox: Outbox, journal: Journal | None) -> None:
    if journal is not None and outbox.spool is not None:
        outbox.spool.discard(journal)


def _create_later(journal: Journal, creation: dict[str, Any], run_id: str, error: Exception) -> Created:
    """Start a run that is created when the store is back."""
    from azml_compat._tracking import RunRecord

    stand_in = creation["tags"][_names.TAG_JOURNAL]
    creation["tags"][_names.TAG_RUN_ID] = run_id
    journal.write(json.dumps({"op": "provisional", "run_id": run_id}))
    logger.warning("%s\nRun %s starts all the same, and is sent when the store is back.", message_of(error), run_id)
    _runtime.own_writer(stand_in, journal, is_stand_in=True)
    return Created(
        RunRecord(
            id=stand_in,
            experiment_id="",
            status="RUNNING",
            start_time=creation["start_time"],
            end_time=None,
            artifact_uri="",
            is_deleted=False,
            tags=creation["tags"],
            params={},
            latest=(),
        ),
        is_new=True,
        is_provisional=True,
    )


def _is_stand_in(run: RunRecord) -> bool:
    return not run.experiment_id


def _id_of_parent(run: RunRecord) -> str:
    """Return the id of a parent in the store, or that by which it will be found there."""
    return run.tags[_names.TAG_RUN_ID] if _is_stand_in(run) else run.id


def resolve(store: Store, run_id: str) -> RunRecord | None:
    """Return the run of an id, MLflow's or one that a script chose; None when there is none."""
    known = _runtime.recall_run_id(run_id)
    if known is not None:
        return store.find_run(known)
    if _is_mlflow_id(run_id):
        found = store.find_run(run_id)
        if found is not None:
            return found
    found = find_run(store, run_id)
    if found is not None:
        _runtime.remember_run_id(run_id, found.id)
    return found


def _is_mlflow_id(run_id: str) -> bool:
    return len(run_id) == 32 and all(character in "0123456789abcdef" for character in run_id)


def facts_of(new: NewRun) -> dict[str, str]:
    """Return the tags of a new run."""
    import uuid  # here and not at the top: importing Run must stay cheap

    tags = {
        # First, because a file store sets one tag after the other, and may die between two.
        _names.TAG_JOURNAL: uuid.uuid4().hex,
        _names.TAG_FORMAT: _names.FORMAT_VERSION,
        _names.TAG_TARGET: "local",
        _names.TAG_USER: _user(),
        _names.TAG_SOURCE_NAME: sys.argv[0] if sys.argv and sys.argv[0] else "python",
        _names.TAG_SOURCE_TYPE: "LOCAL",
    }
    if new.name:
        tags |= _tags.encode_text(_names.TAG_NAME, new.name)
    if new.run_id:
        tags[_names.TAG_RUN_ID] = new.run_id
    if new.description:
        tags[_names.TAG_NOTE] = new.description
    if new.parent is not None:
        tags[_names.TAG_PARENT] = _id_of_parent(new.parent)
        # A child's code is its parent's; Azure sets no git properties on it, but MLflow's source line wants them.
        tags |= {key: new.parent.tags[key] for key in _SOURCE_TAGS if key in new.parent.tags}
    if new.code_folder is not None:
        facts = _git.properties(new.code_folder)
        tags |= _tags.encode_properties(facts)
        tags |= {key: value for key, value in facts.items() if key.startswith("mlflow.")}
    return tags


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container without a passwd entry for the user id.
        return "unknown"
