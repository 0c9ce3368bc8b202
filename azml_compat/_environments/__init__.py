"""What is behind environments: their files, their records in the store, and the interpreters made of them."""

from __future__ import annotations
