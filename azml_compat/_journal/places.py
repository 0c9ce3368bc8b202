"""Where journals may lie, and who is alive: private folders, record locks, the identity of the machine.

Liveness is a POSIX record lock that a process holds on its own journal. The kernel drops it at the death of the
process, whatever the reason; a forked child does not inherit it; a reused process id or a container's host name
cannot fake it. The price of such locks: a process loses one by closing any descriptor of that file, so nobody may
open a journal of his own a second time.
"""

from __future__ import annotations

import errno
import functools
import os
import platform
import stat
import subprocess
import sys
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # looked at before each use

_LOCK_PAUSES = (0.001, 0.05)
"""Seconds between attempts to get a lock: the first, and the longest."""


def private_folder(path: Path) -> Path:
    """Create a folder that only this user can use, or check that an existing one is.

    Raises:
        FileNotFoundError: somebody has removed it meanwhile.
        OSError: it cannot be made, is a link, or belongs to somebody else.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as error:
        if os.path.lexists(path):
            raise
        # It was there, and is not when pathlib looks whether it is a folder.
        raise FileNotFoundError(errno.ENOENT, "Somebody has just removed it", str(path)) from error
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(f"{path} is not a folder")
    if hasattr(os, "getuid") and found.st_uid != os.getuid():
        raise PermissionError(f"{path} belongs to another user")
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(0o700)
    return path


def open_private(path: Path, flags: int) -> int:
    """Open a file of this user's alone, never through a link, and not for the programs that this process starts."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def takes_nothing(error: OSError) -> bool:
    """Tell whether an error says that a file system takes nothing at the moment: full, read-only, or failing."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Take the record lock of an open file, unless another process holds it.

    Args:
        descriptor: Of the file.
        shared: Share it with others that do; needs no file that is open for writing.

    Raises:
        OSError: the file system has no locks.
    """
    if fcntl is None:
        raise OSError("this platform has no record locks")
    try:
        fcntl.lockf(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def try_lock_byte(descriptor: int, number: int) -> bool:
    """Take the record lock of one byte of an open file, unless another process holds it."""
    if fcntl is None:
        return True
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
    except (BlockingIOError, PermissionError):
        return False
    return True


def lock_before(descriptor: int, deadline: float, *, shared: bool = False) -> bool:
    """Take the record lock of an open file as `try_lock` does, waiting until `deadline` (of `time.monotonic`)."""
    pause, longest = _LOCK_PAUSES
    while not try_lock(descriptor, shared=shared):
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 2, longest)
    return True


def is_locked(path: Path) -> bool:
    """Tell whether another process holds the record lock of a file. Not for a file that this process has open."""
    descriptor = open_private(path, os.O_RDWR)
    try:
        return not try_lock(descriptor)
    finally:
        os.close(descriptor)


@functools.cache
def boot_id() -> str:
    """Return what names this start of this machine's kernel; containers on one kernel share it."""
    if sys.platform == "darwin":
        command = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


@functools.cache
def machine_id() -> str:
    """Return what names this machine across restarts, as well as can be known."""
    try:
        identity = Path("/etc/machine-id").read_text().strip()
    except OSError:
        identity = ""
    return f"{platform.node()}/{identity}"


@functools.cache
def boot_time() -> float:
    """Return when this machine started (seconds since the epoch); 0 when that cannot be known."""
    try:
        lines = Path("/proc/stat").read_text().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("btime "))
    except (OSError, StopIteration):
        return 0.0
