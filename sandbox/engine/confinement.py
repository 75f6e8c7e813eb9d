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

    def around(self, argv: Sequence[str], seen: Iterable[Path | str]) -> list[str]:
        """The command that runs `argv` with the state folder covered but for `seen` and its own working
        folder; `argv` itself where the kernel does not allow it."""
        return [*prefix(self._state, seen), *argv] if supported() else list(argv)


def prefix(folder: Path, seen: Iterable[Path | str]) -> list[str]:
    """Arguments to put before a command."""
    program = [os.path.realpath(sys.executable), "-I", "-S", str(CONFINED / "confine.py")]
    return [*program, str(folder), *(str(path) for path in seen), "--"]


@functools.cache
def supported() -> bool:
    """Tries it once, in a throw-away process."""
    if not sys.platform.startswith("linux"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "secret").touch()
        command = [*prefix(Path(folder), []), "test", "!", "-e", f"{folder}/secret"]
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
