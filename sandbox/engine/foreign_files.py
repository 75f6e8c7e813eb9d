"""Files in a folder that repository code could write: read and written without leaving it.

The sandbox sees more than that code does, so it must not follow a link that the code put where a file of its
own was expected: not to the sandbox's keys, and not to what /proc says about the sandbox.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import IO


def is_inside(path: Path, folder: Path) -> bool:
    """Whether `path`, its links followed, is in `folder`."""
    return _within(os.path.realpath(path), folder)


def is_file(path: Path, folder: Path) -> bool:
    """Whether `path`, its links followed, is a regular file in `folder`."""
    return is_inside(path, folder) and path.is_file()


def open_inside(path: Path, folder: Path) -> IO[bytes]:
    """Opens a regular file for reading. FileNotFoundError where its links lead out of `folder`, or to
    something else: a pipe is not waited for."""
    if not is_inside(path, folder):
        raise _missing(path)
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        # What was opened, in case that a link changed in between.
        real = os.readlink(f"/proc/self/fd/{number}") if os.path.isdir("/proc/self/fd") else str(path)
        if not stat.S_ISREG(os.fstat(number).st_mode) or not _within(os.path.realpath(real), folder):
            raise _missing(path)
        return open(number, "rb")
    except BaseException:
        os.close(number)
        raise


def read_inside(path: Path, folder: Path) -> bytes:
    """See open_inside."""
    with open_inside(path, folder) as file:
        return file.read()


def write_inside(path: Path, folder: Path, data: bytes) -> None:
    """Writes a new file in the place of whatever has its name. FileNotFoundError where the links of its
    folder lead out of `folder`."""
    parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not is_inside(path.parent, folder) or not os.path.samestat(
            os.fstat(parent), os.stat(path.parent, follow_symlinks=True)
        ):
            raise _missing(path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path.name, dir_fd=parent)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(path.name, flags, 0o600, dir_fd=parent), "wb") as file:
            file.write(data)
    finally:
        os.close(parent)


def _within(real: str, folder: Path) -> bool:
    root = os.path.realpath(folder)
    return real == root or real.startswith(root + os.sep)


def _missing(path: Path) -> FileNotFoundError:
    return FileNotFoundError(2, "no file of its own", str(path))
