"""Listing runs: Azure's filters on MLflow's search.

A filter that MLflow's search language can say goes to the store; all of them are applied again to what comes back,
because values, escapes and None are Azure's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from azml_compat import _names, _status, _tags

if TYPE_CHECKING:
    from azml_compat._tracking import RunRecord, Store

_KeyFilter = str | dict[str, Any] | None


class RunFilter:
    """The filters of `get_runs`, `get_children` and `Run.list`; all given ones must hold.

    Raises:
        ValueError: a filter is of the wrong type.
    """

    def __init__(
        self,
        type: str | None = None,  # noqa: A002 - Azure's word
        tags: _KeyFilter = None,
        properties: _KeyFilter = None,
        status: str | None = None,
    ) -> None:
        for name, word in (("type", type), ("status", status)):
            if word is not None and not isinstance(word, str):
                raise ValueError(f"The filter {name} takes a str, not {word!r}.")
        for name, wanted in (("tags", tags), ("properties", properties)):
            if wanted is not None and not isinstance(wanted, (str, dict)):
                raise ValueError(f"The filter {name} takes a str or a dict, not {wanted!r}.")
        self.type = type
        self.tags = tags
        self.properties = properties
        self.status = status

    def accepts(self, run: RunRecord) -> bool:
        """Tell whether a run passes."""
        return (
            (self.type is None or run_type(run) == self.type)
            and (self.status is None or _status.of(run) == self.status)
            and (self.tags is None or _has(_tags.decode_tags(run.tags), self.tags))
            and (self.properties is None or _has(_tags.decode_properties(run.tags), self.properties))
        )

    def condition(self) -> str:
        """Return the part of the filter that MLflow's search language can say."""
        terms = [*_terms(self.tags, _tags.stored_tag_key), *_terms(self.properties, _tags.stored_property_key)]
        return " AND ".join(terms)


def _has(found: dict[str, str | None], wanted: str | dict[str, Any]) -> bool:
    if isinstance(wanted, str):
        return wanted in found
    return all(key in found and found[key] == as_text(value) for key, value in wanted.items())


def as_text(value: Any) -> str | None:
    """Return the value of a tag or property that a filter asks for, as text: all values are."""
    return None if value is None else str(value)


def _terms(wanted: _KeyFilter, stored_key: Any) -> Iterator[str]:
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            text = as_text(value)
            if isinstance(key, str) and text is not None and len(text) < 1000 and "'" not in text:
                yield f"tags.`{stored_key(key)}` = '{text}'"


def run_type(run: RunRecord) -> str | None:
    """Return Azure's type of a run; None for an interactive one."""
    return run.tags.get(_names.TAG_TYPE) or _tags.decode_properties(run.tags).get("azureml.runsource")


def runs_of_experiment(
    store: Store, experiment_id: str, run_filter: RunFilter, *, with_children: bool
) -> Iterator[RunRecord]:
    """Yield the runs of an experiment, newest start first."""
    for run in store.search_runs([experiment_id], run_filter.condition()):
        if (with_children or _names.TAG_PARENT not in run.tags) and run_filter.accepts(run):
            yield run


def runs_on_target(store: Store, experiment_ids: list[str], target: str, run_filter: RunFilter) -> Iterator[RunRecord]:
    """Yield the runs of several experiments that were submitted to a compute target, newest start first."""
    condition = f"tags.`{_names.TAG_TARGET}` = '{target}'"
    if experiment_ids:
        yield from filter(run_filter.accepts, store.search_runs(experiment_ids, condition))


def children(store: Store, run: RunRecord) -> Iterator[RunRecord]:
    """Yield the direct children of a run, newest start first."""
    return store.search_runs([run.experiment_id], f"tags.`{_names.TAG_PARENT}` = '{run.id}'")


def descendants(store: Store, run: RunRecord) -> list[RunRecord]:
    """Return all descendants of a run, newest start first, in one search."""
    nested = list(store.search_runs([run.experiment_id], f"tags.`{_names.TAG_PARENT}` LIKE '%'"))
    family = {run.id}
    grown = True
    while grown:
        found = _ids_below(nested, family) - family
        family |= found
        grown = bool(found)
    return [record for record in nested if record.id in family and record.id != run.id]


def _ids_below(nested: Iterable[RunRecord], family: set[str]) -> set[str]:
    return {record.id for record in nested if record.tags[_names.TAG_PARENT] in family}


def find_run(store: Store, run_id: str, tag: str = _names.TAG_RUN_ID) -> RunRecord | None:
    """Return the run that a script chose this id for, or None.

    Args:
        store: Where the run is.
        run_id: The id.
        tag: The bookkeeping tag that holds it.
    """
    experiments = [experiment.id for experiment in store.list_experiments()]
    # MLflow's language has no way to write both kinds of quotes; some databases compare without case.
    quote = "'" if "'" not in run_id else '"'
    condition = f"tags.`{tag}` = {quote}{run_id}{quote}" if quote not in run_id else ""
    found = store.search_runs(experiments, condition)
    return next((run for run in found if run.tags.get(tag) == run_id), None)
