"""How a process of the sandbox starts: `starting.py NUMBER COMMAND…` runs the command once it is told to.

NUMBER is the reading end of a pipe whose writing end the starter alone holds. It writes one byte after it has
written down whose process this is; where it is gone instead, nothing runs, and so nothing is left behind.

Standard library only, and as little of it as there can be: the programs of this folder start with it.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_NEVER_TOLD = 125


def await_word(number: int) -> None:
    """Returns once the starter says so; ends this process where it no longer can."""
    if not os.read(number, 1):
        os._exit(_NEVER_TOLD)
    os.close(number)


def become(command: list[str]) -> NoReturn:
    """Replaces this process; a shell's exit codes for a command that cannot be run, or is not there."""
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.stderr.flush()
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


if __name__ == "__main__":
    await_word(int(sys.argv[1]))
    become(sys.argv[2:])
