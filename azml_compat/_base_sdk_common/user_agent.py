"""How packages on top of the SDK name themselves to Azure's services, at the private path from where they import it.

There are no requests to Azure in which the names could be sent. They are kept, so that what is appended can be read.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class UserAgentProduct(NamedTuple):
    """A product, as it is written in a user agent."""

    name: Any
    version: Any
    comment: Any

    def __str__(self) -> str:
        version = "" if self.version is None else f"/{self.version}"
        comment = "" if self.comment is None else f" ({self.comment})"
        return f"{self.name}{version}{comment}"


user_agent_product_list: list[UserAgentProduct] = []


def append(product_name: Any, product_version: Any = None, comment: Any = None) -> None:
    """Add a product."""
    user_agent_product_list.append(UserAgentProduct(product_name, product_version, comment))


def get_user_agent() -> str:
    """Return the products, separated by blanks."""
    return " ".join(str(product) for product in user_agent_product_list)
