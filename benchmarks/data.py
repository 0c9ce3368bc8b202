"""How fast datasets are read and files uploaded, beside pandas and shutil.

python benchmarks/data.py [megabytes of CSV, default 100] [number of small files, default 10000]
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy
import pandas

from azml_compat import Dataset, Workspace

ROWS_OF_A_PART = 100_000


def seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def write_table(path: Path, megabytes: int) -> None:
    """Write a CSV of numbers, texts and truth values: one part of it again and again."""
    random = numpy.random.default_rng(1)
    words = numpy.array([f"word {number}" for number in range(1000)])
    part = pandas.DataFrame({f"f{number}": random.normal(size=ROWS_OF_A_PART).round(6) for number in range(6)})
    part["n"] = random.integers(0, 1 << 40, ROWS_OF_A_PART)
    part["word"] = words[random.integers(0, len(words), ROWS_OF_A_PART)]
    part["flag"] = random.integers(0, 2, ROWS_OF_A_PART).astype(bool)
    rows = part.to_csv(index=False, header=False)
    with path.open("w") as file:
        file.write(",".join(part.columns) + "\n")
        for _ in range(round(megabytes * (1 << 20) / len(rows)) or 1):
            file.write(rows)


def measure_reading(folder: Path, megabytes: int) -> None:
    table = folder / "table.csv"
    write_table(table, megabytes)
    pandas.read_csv(table, nrows=1000)
    dataset = Dataset.Tabular.from_delimited_files(str(table))
    theirs = min(seconds(lambda: pandas.read_csv(table)) for _ in range(2))
    ours = min(seconds(dataset.to_pandas_dataframe) for _ in range(2))
    print(f"{table.stat().st_size >> 20} MB of CSV: pandas {theirs:.2f} s, to_pandas_dataframe {ours:.2f} s, ", end="")
    print(f"{theirs / ours:.2f} of its speed")


def measure_uploading(folder: Path, count: int) -> None:
    source = folder / "source"
    for number in range(count):
        path = source / f"{number // 100}" / f"{number}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"file {number}\n" * 20)
    datastore = Workspace.from_config().get_default_datastore()
    theirs, ours = [], []
    for repetition in range(3):
        theirs.append(seconds(lambda: shutil.copytree(source, folder / f"copy{repetition}")))  # noqa: B023 - called at once
        with contextlib.redirect_stdout(io.StringIO()):
            ours.append(seconds(lambda: datastore.upload(source, f"copy{repetition}")))  # noqa: B023 - as above
    print(f"{count} small files: copytree {min(theirs):.2f} s, upload with progress {min(ours):.2f} s, ", end="")
    print(f"{min(theirs) / min(ours):.2f} of its speed")


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        measure_reading(Path(name), megabytes)
        measure_uploading(Path(name), count)
        os.chdir("/")


if __name__ == "__main__":
    main()
