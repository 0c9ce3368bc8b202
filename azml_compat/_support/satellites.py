"""Modules of Azure's other packages that are there; of these no surface is recorded.

An entry of a class covers its members that have none of their own.
"""

from __future__ import annotations

from azml_compat._support.records import Support, inert, members, no_effect, partial, refused

_NOTHING_COLLECTED = inert("nothing is collected, sent or written")

WIDGETS = members(
    "azureml.widgets",
    {
        "ParallelRunStepDetails": refused(
            "pipelines and their parallel steps are not there", "look at a run with RunDetails(run).show()"
        ),
        "RunDetails": partial(
            note="a look at the run as it is now; it does not refresh itself", differs=("run-details",)
        ),
        "RunDetails.get_widget_data": partial(
            note="`run_logs`, `graph` and `children_metrics` are empty", parameters=no_effect("widget_settings")
        ),
        "RunDetails.show": partial(
            note="never waits for the run to end; call it again to look again",
            parameters=no_effect("widget_settings"),
            differs=("run-details",),
        ),
    },
)

TELEMETRY = members(
    "azureml.telemetry",
    {
        "INSTRUMENTATION_KEY": inert("names nobody's collection"),
        "UserErrorException": inert("can be raised and caught; nothing raises it"),
        "add_diagnostics_properties": _NOTHING_COLLECTED,
        "get_diagnostics_collection_info": inert("returns `(False, 'INFO')`: nothing is collected"),
        "get_event_logger": inert("returns a logger of events that drops them"),
        "get_telemetry_log_handler": inert("returns a `logging.NullHandler`"),
        "is_diagnostics_collection_info_available": inert("returns True: there is nothing to ask the user"),
        "set_diagnostics_collection": inert(
            "prints what the original prints; nothing is collected", differs=("telemetry",)
        ),
        "set_diagnostics_properties": _NOTHING_COLLECTED,
    },
)

MLFLOW = members(
    "azureml.mlflow",
    {
        "VERSION": inert("of the azureml-mlflow that is mirrored"),
        "entry_point_loaders": inert("is there for MLflow, which looks here for the plugins of an installed package"),
        "get_mlflow_tracking_uri": partial(note="the address of the store, not an `azureml:` one"),
        "get_portal_url": partial(note="an address in the MLflow UI"),
        "register_model": partial(note="as `Run.register_model`"),
    },
)

TRAIN = {
    "azureml.train.hyperdrive": refused(
        "the search for hyperparameters is not there",
        "let a library such as Optuna choose the values, and log each trial as a child run: `run.child_run()`",
    )
}

SATELLITES: dict[str, Support] = {**WIDGETS, **TELEMETRY, **MLFLOW, **TRAIN}
