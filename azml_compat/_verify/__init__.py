"""Whether two scripts record the same: both are run, what they recorded is read, and compared.

`running` runs a script where it can touch nothing of the user's, `reading` makes plain `records` of the runs of a
store, and `comparing`, a pure function, says in what they differ.
"""

from __future__ import annotations
