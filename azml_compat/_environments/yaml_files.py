"""YAML whose comments and order survive being read, changed and written again.

PyYAML, which MLflow brings along, drops comments; people keep reasons for pins in them.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from azml_compat.exceptions import UserErrorException


def load(text: str, name: str) -> Any:
    """Read YAML.

    Args:
        text: The YAML.
        name: Where it is from, for the error.

    Raises:
        UserErrorException: it is no YAML.
    """
    from ruamel.yaml.error import YAMLError

    try:
        return _yaml().load(text)
    except (YAMLError, ValueError, RecursionError) as error:  # ValueError: what looks like a date, and is none
        raise UserErrorException(f"{name} is not valid YAML: {error}", inner_exception=error) from error


def load_file(file: Path) -> Any:
    """Read a YAML file.

    Raises:
        FileNotFoundError: it is not there.
        UserErrorException: it is no YAML.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserErrorException(f"{file} is not valid YAML: it is not UTF-8.", inner_exception=error) from error
    return load(text, str(file))


def dump(content: Any) -> str:
    """Write YAML, with the comments that were read; it ends with a newline."""
    stream = io.StringIO()
    _yaml().dump(content, stream)
    return stream.getvalue()


def _yaml() -> Any:
    from ruamel.yaml import YAML  # here: it costs 50 ms

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000  # never break a line: pip options are long
    return yaml
