"""What is behind datastores and datasets: where data lies, how it moves and how it is read.

Nothing here imports mlflow, pandas or pyarrow before data is read; what a launcher needs (`consumption`) never does.
"""

from __future__ import annotations
