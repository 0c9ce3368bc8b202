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
        "A package of the Azure ML SDK is required here. azml-compat takes its place, or mlflow with --to mlflow; the "
        "version goes, a condition such as `; python_version < '3.12'` stays. Each list has the new package once.",
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

RULES = {rule.id: rule for rule in (*_READING, *_USES, *_REPLACED)}
"""All rules, by id."""
