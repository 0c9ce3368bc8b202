"""`azureml.data.dataset_type_definitions`: how files are read, in Azure's words."""

from __future__ import annotations

from enum import Enum

from azml_compat._refused import module_attributes


class PromoteHeadersBehavior(Enum):
    """Which files begin with the names of the columns."""

    NO_HEADERS = 0
    ONLY_FIRST_FILE_HAS_HEADERS = 1
    COMBINE_ALL_FILES_HEADERS = 2
    ALL_FILES_HAVE_SAME_HEADERS = 3


class SkipLinesBehavior(Enum):
    """Which files begin with lines that are skipped."""

    NO_ROWS = 0
    FROM_FIRST_FILE_ONLY = 1
    FROM_ALL_FILES = 2


class FileEncoding(Enum):
    """The encoding of a file."""

    UTF8 = 0
    ISO88591 = 1
    LATIN1 = 2
    ASCII = 3
    UTF16 = 4
    UTF32 = 5
    UTF8BOM = 6
    WINDOWS1252 = 7


class HistogramCompareMethod(Enum):
    """How two distributions are compared."""

    WASSERSTEIN = 0
    ENERGY = 1


__getattr__, __dir__ = module_attributes(__name__)
