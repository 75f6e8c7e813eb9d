"""What keeps repository code from the sandbox's own keys, records and processes, where the kernel allows it.

User namespaces give an ordinary user mounts and process numbers of a process's own (see confined/confine.py).
"""

from __future__ import annotations

import functools
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

CONFINED = Path(__file__).parent / "confined"
_PROBE_SECONDS = 20

log = logging.getLogger(__name__)


class Confinement:
    """Of what runs in the sandbox whose state is in `state`."""

    def __init__(self, state: Path) -> None:
        self._state = state

    def around(self, argv: Sequence[str], seen: Iterable[Path | str], told: int) -> list[str]:
        """The command that runs `argv` with the state folder covered but for `seen` and its own working
        folder, or as it is where the kernel does not allow it; once it is told to (see `when_told`)."""
        if not supported():
            return when_told(argv, told)
        return [*_program("confine.py"), "--told", str(told), *_arguments(self._state, seen), *argv]


def when_told(argv: Sequence[str], told: int) -> list[str]:
    """The command that runs `argv` once a byte can be read from the file descriptor `told`, which is passed
    to it; it ends without running anything where that is closed instead."""
    return [*_program("starting.py"), str(told), *argv]


def _program(name: str) -> list[str]:
    return [os.path.realpath(sys.executable), "-I", "-S", str(CONFINED / name)]


def _arguments(folder: Path, seen: Iterable[Path | str]) -> list[str]:
    return [str(folder), *(str(path) for path in seen), "--"]


@functools.cache
def supported() -> bool:
    """Tries it once, in a throw-away process."""
    if not sys.platform.startswith("linux"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "secret").touch()
        command = [
            *_program("confine.py"),
            *_arguments(Path(folder), []),
            "test",
            "!",
            "-e",
            f"{folder}/secret",
        ]
        try:
            probe = subprocess.run(command, capture_output=True, timeout=_PROBE_SECONDS, check=False, cwd="/")
        except (OSError, subprocess.TimeoutExpired) as error:
            log.warning("processes cannot be confined: %s", error)
            return False
    if probe.returncode:
        log.warning(
            "processes cannot be confined on this kernel: %s",
            probe.stderr.decode(errors="replace").strip().rpartition("\n")[2],
        )
    return probe.returncode == 0
