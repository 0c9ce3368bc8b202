"""Disks that take nothing more, without a disk of that kind."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

FULL_OR_READ_ONLY = pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS], ids=["full", "read-only"])


class Disk:
    """The disk of the journals, which can be made to take nothing more."""

    def __init__(self, mocker):
        self.error = 0
        for name in ("write", "pwrite"):
            mocker.patch(f"os.{name}", self._writing(getattr(os, name)))
        mocker.patch("os.open", self._opening(os.open))
        for name in ("mkdir", "rename", "unlink", "rmdir"):
            mocker.patch(f"os.{name}", self._changing(name, getattr(os, name)))

    def _fail(self, place):
        if self.error and str(place).startswith(os.environ["AZML_COMPAT_HOME"]):
            raise OSError(self.error, os.strerror(self.error), str(place))

    def _writing(self, real):
        def write(descriptor, *arguments):
            self._fail(Path(f"/proc/self/fd/{descriptor}").readlink())
            return real(descriptor, *arguments)

        return write

    def _opening(self, real):
        def open_file(path, flags, *arguments, **more):
            is_new = flags & os.O_CREAT and not Path(path).exists()
            if is_new or (self.error == errno.EROFS and flags & (os.O_RDWR | os.O_WRONLY)):
                self._fail(path)
            return real(path, flags, *arguments, **more)

        return open_file

    def _changing(self, name, real):
        def change(path, *arguments, **more):
            is_there = name == "mkdir" and Path(path).exists()
            if not is_there and (self.error == errno.EROFS or name == "mkdir"):
                self._fail(path)
            return real(path, *arguments, **more)

        return change
