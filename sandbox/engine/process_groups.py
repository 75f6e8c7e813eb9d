"""Process groups as the kernel knows them, by the number of the process that leads them."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterable
from pathlib import Path


def signal_group(pid: int, number: signal.Signals) -> None:
    """Sends a signal to a whole group; to nobody where it has ended."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def start_time(pid: int) -> str | None:
    """Field 22 of /proc/<pid>/stat: clock ticks since boot; None without such a process or without /proc.

    It tells a process from a stranger that got the same number since.
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def kill_groups(pids: Iterable[int], patience: float) -> None:
    """Kills groups that are no children of this process, and waits up to `patience` seconds for their ends.

    Where the kernel cannot tell when a stranger's child ends (Linux alone can), it only kills.
    """
    leaders = list(pids)
    ends = [
        end for pid in leaders for member in (pid, *_children(pid)) if (end := _end_of(member)) is not None
    ]
    for pid in leaders:
        signal_group(pid, signal.SIGKILL)
    deadline = time.monotonic() + patience
    for end in ends:
        poll = select.poll()
        poll.register(end, select.POLLIN)
        poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
        os.close(end)


def _children(pid: int) -> list[int]:
    """A confined command's namespace ends with the one child of the process that leads its group."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _end_of(pid: int) -> int | None:
    """A file descriptor that can be read once the process has ended."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None
