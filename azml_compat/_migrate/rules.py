"""The rules by which findings, fixes and marks are named. Ids are stable: they stand in reports, comments and filters.

AZ0xx are about reading, AZ1xx about what `_support` says of a use, AZ2xx about imports of the facade and requirements,
AZ3xx about plain MLflow. docs/migrating.md has a section for each, with an example.
"""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """What a finding, fix or mark is about.

    Attributes:
        id: `AZ` and three digits.
        title: A few words, in lower case.
        explanation: What it means, and what to do; plain text.
    """

    id: str
    title: str
    explanation: str


_READING = (
    Rule(
        "AZ001",
        "does not parse",
        "The file, or a cell of a notebook, is no Python that this Python can parse, so that nothing is known of what "
        "it uses. Code of Python 2, a merge conflict and a template are the usual reasons. Correct it, or scan it with "
        "the Python it is for. The other cells of a notebook are looked at all the same.",
    ),
    Rule(
        "AZ002",
        "cannot be read",
        "The file cannot be read: it is not in the encoding that it declares, is no notebook although its name says "
        "so, is too large, or may not be opened. Nothing in it was looked at.",
    ),
)

_USES = (
    Rule(
        "AZ100",
        "runs unchanged",
        "The name does what it does on Azure, in all that a script can observe; docs/differences.md lists the "
        "deviations. Nothing is to be done. Shown with --all only.",
    ),
    Rule(
        "AZ101",
        "partly supported",
        "The name is there, and does what it does on Azure apart from what the message says. Where that is about an "
        "argument, it is reported where the argument is passed. Where the call does not show whether it matters, it is "
        "a note: it is shown with --all only, and does not count for the exit code.",
    ),
    Rule(
        "AZ102",
        "has no effect",
        "The name, or the argument, is accepted and keeps what it is given, without the effect that it has on Azure: "
        "there is no cluster, no image and no service here. The script runs; remove the line when it is in the way.",
    ),
    Rule(
        "AZ103",
        "not supported yet",
        "Using the name raises NotSupportedError, or importing it an ImportError: its turn has not come. The message "
        "says what to do instead.",
    ),
    Rule(
        "AZ104",
        "not supported",
        "Using the name raises NotSupportedError, or importing it an ImportError, and that will stay so: it works with "
        "a service that exists in Azure only. The message says what to do instead.",
    ),
    Rule(
        "AZ105",
        "unknown name",
        "The Azure ML SDK 1.61 has no public name of this kind, as far as is recorded. It may be misspelled, be of an "
        "older SDK, or be set by the script in a way that cannot be followed. Look at the line.",
    ),
    Rule(
        "AZ106",
        "private name",
        "The name begins with an underscore, or is in a module that does: the SDK promises nothing about it, and it is "
        "not there. Use what is public.",
    ),
    Rule(
        "AZ107",
        "import that fails, and is guarded",
        "The import fails here, in a `try` that catches it. The script goes on as it does where the package is not "
        "installed.",
    ),
)

_REPLACED = (
    Rule(
        "AZ200",
        "import of azureml",
        "`azml-compat migrate --to facade` makes it one of azml_compat, and renames what refers to it: attributes "
        "of the module, names that are patched or imported by a string. Every name stays bound as it was.",
    ),
    Rule(
        "AZ201",
        "requirement that is replaced",
        "A package of the Azure ML SDK is required here. azml-compat takes its place; with --to mlflow that is mlflow, "
        "if none of the files still imports azureml. The version goes, a condition such as `; python_version < '3.12'` "
        "stays. Each list has the new package once.",
    ),
    Rule(
        "AZ202",
        "requirement that is not needed",
        "The package is needed by the Azure ML SDK alone, or comes with MLflow. Remove it.",
    ),
    Rule(
        "AZ203",
        "requirement that is not replaced",
        "What scripts import from the package is not in azml_compat. While a script imports it the requirement stays; "
        "`azml-compat migrate --unsafe` removes it.",
    ),
)

_PLAIN_MLFLOW = (
    Rule(
        "AZ301",
        "start of a run",
        "`start_logging` and `Run.get_context` become `mlflow.start_run`. A script that opens one run and no more logs "
        "to MLflow's active run; where several are open, each call says its run. A run that no `with` block ends is "
        "ended with the script: as FAILED where that dies, or exits with a code other than 0.",
    ),
    Rule(
        "AZ302",
        "scalar",
        "`run.log` of a number is a metric; its step is the one given, else 0, 1, 2 … for each name. A text that is "
        "logged once is a param, one of several values a table. With --unsafe a value of unknown type is taken for a "
        "number, and logged with `mlflow.log_metric` where it is logged once or with a step.",
    ),
    Rule(
        "AZ303",
        "list",
        "The elements of `log_list` are a metric, each with the next step, so that equal ones are kept.",
    ),
    Rule(
        "AZ304",
        "row or table",
        "Numbers of `log_row` and `log_table` are metrics `name.column`, with the number of the row as step. The whole "
        "is `tables/name.json`, which MLflow's UI shows as a table, and is stored when the run ends.",
    ),
    Rule(
        "AZ305",
        "image",
        "An image that `log_image` is given as a file is an artifact of that path; a plot is a PNG file that is called "
        "after the name and the second.",
    ),
    Rule(
        "AZ306",
        "JSON metric",
        "`log_confusion_matrix`, `log_accuracy_table`, `log_residuals` and `log_predictions` store their object as "
        "JSON in a file whose path is the name.",
    ),
    Rule(
        "AZ307",
        "tag or property",
        "A tag is a tag of MLflow's, one without a value an empty one; properties are tags `property.<key>`. With "
        "--unsafe a value of unknown type is taken not to be None.",
    ),
    Rule(
        "AZ308",
        "file",
        "Uploads are artifacts of the same path. `./outputs` is stored when the run ends, where the script speaks of "
        "a folder of that name.",
    ),
    Rule("AZ309", "child run", "Child runs are runs of MLflow's that are nested in their parent."),
    Rule(
        "AZ310",
        "reading of a run",
        "What is read of a run - its id, status, metrics, tags, relatives - is asked of MLflow, and given in Azure's "
        "words and shapes.",
    ),
    Rule("AZ311", "end of a run", "`complete`, `fail` and `cancel` end a run as FINISHED, FAILED and KILLED."),
    Rule(
        "AZ312",
        "workspace or experiment",
        "`Experiment(ws, name)` is `mlflow.set_experiment(name)`. A workspace that was there for experiments alone "
        "goes, and so do statements that do nothing but print facts of it, or the version of the SDK.",
    ),
    Rule(
        "AZ313",
        "run that cannot be followed",
        "A run is given to code in another file, kept in a container, or used in a way that is not understood. All "
        "runs of the file are left as they are, so that none is half of one kind and half of the other. Give the other "
        "code what it needs of the run, or rewrite the file by hand.",
    ),
    Rule(
        "AZ314",
        "no equivalent in MLflow",
        "Plain MLflow has nothing that does the same: submitting, datasets, environments, computes and the like. The "
        "line is left, with a comment that says what to do.",
    ),
    Rule(
        "AZ315",
        "registered model",
        "`register_model` makes the next version of a registered model, whose files are those of the run.",
    ),
)

RULES = {rule.id: rule for rule in (*_READING, *_USES, *_REPLACED, *_PLAIN_MLFLOW)}
"""All rules, by id."""
