"""What is put into rewritten files where MLflow needs several statements for one call of Azure's.

These modules are read as text and never imported by the rewriting: each top-level definition is a piece, and what it
uses of others and of the standard library comes with it. They are plain MLflow, run by the tests as they stand here.
"""

from __future__ import annotations
