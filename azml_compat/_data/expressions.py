"""Conditions on the columns of a dataset, as JSON values: `ds["age"] > 30`, `(ds["a"] == 1) & ~ds["b"].is_null()`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from azml_compat.exceptions import UserErrorException

_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "&": operator.and_,
    "|": operator.or_,
}


class Expression:
    """A column of a dataset, or a condition on columns; made by `dataset[column]` and operators.

    Args:
        node: The expression as JSON values.
    """

    def __init__(self, node: Any) -> None:
        self.node = node

    def _with(self, sign: str, other: Any) -> Expression:
        return Expression({"op": sign, "left": self.node, "right": _node(other)})

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]  # a condition, not a truth value
        return self._with("==", other)

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]  # as above
        return self._with("!=", other)

    def __lt__(self, other: Any) -> Expression:
        return self._with("<", other)

    def __le__(self, other: Any) -> Expression:
        return self._with("<=", other)

    def __gt__(self, other: Any) -> Expression:
        return self._with(">", other)

    def __ge__(self, other: Any) -> Expression:
        return self._with(">=", other)

    def __and__(self, other: Any) -> Expression:
        return self._with("&", other)

    def __or__(self, other: Any) -> Expression:
        return self._with("|", other)

    def __invert__(self) -> Expression:
        return Expression({"op": "~", "left": self.node})

    def is_null(self) -> Expression:
        """Hold where there is no value."""
        return Expression({"op": "null", "left": self.node})

    def __bool__(self) -> bool:
        raise UserErrorException("A condition on columns has no truth value: combine conditions with `&`, `|` and `~`.")

    __hash__ = None  # type: ignore[assignment]  # like all that is compared so

    def __repr__(self) -> str:
        return f"Expression({self.node!r})"


def column(name: Any) -> Expression:
    """Make the expression of a column.

    Raises:
        TypeError: the name is none.
    """
    if not isinstance(name, str):
        raise TypeError(f"A column is named by a str, not {type(name).__name__}; for several, see keep_columns().")
    return Expression({"column": name})


def condition(expression: Any) -> Any:
    """Return the JSON values of what a user filters by.

    Raises:
        UserErrorException: it is no condition.
    """
    if not isinstance(expression, Expression) or "op" not in expression.node:
        raise UserErrorException("filter() takes a condition such as `dataset['column'] > 3`.")
    return expression.node


def _node(value: Any) -> Any:
    if isinstance(value, Expression):
        return value.node
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    item = getattr(value, "item", None)  # a number of numpy's
    return {"value": item() if callable(item) else value}


def evaluate(node: Any, columns: Callable[[str], Any], is_null: Callable[[Any], Any]) -> Any:
    """Evaluate an expression.

    Args:
        node: Its JSON values.
        columns: Gives the values of a column: one, or as many as there are rows.
        is_null: Says of values whether they are missing.
    """
    if "column" in node:
        return columns(node["column"])
    if "time" in node:
        return datetime.fromisoformat(node["time"])
    if "value" in node:
        return node["value"]
    left = evaluate(node["left"], columns, is_null)
    if node["op"] == "null":
        return is_null(left)
    if node["op"] == "~":
        return not left if isinstance(left, bool) else ~left
    right = evaluate(node["right"], columns, is_null)
    try:
        return _COMPARISONS[node["op"]](left, right)
    except TypeError as error:
        raise UserErrorException(f"The filter compares what cannot be compared: {error}.") from error
