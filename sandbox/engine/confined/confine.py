"""Runs a command that sees nothing of a folder but what it is given, and no process but its own:
`confine.py [--told NUMBER] FOLDER [SEEN…] -- COMMAND…`.

FOLDER is covered by an empty, read-only one in which only the folders SEEN are. The command runs in a process
namespace: what it leaves behind, however detached, ends with it, and it can neither see nor signal anything
outside. Its exit status, or the signal that ended it, is this program's; SIGTERM is passed on to its group.
With `--told` all of it begins when the starter says so (see starting.py).
"""

from __future__ import annotations

# Without the enumerations of `signal`, which take longer to import than all the rest.
import _signal as signal  # type: ignore[import-not-found]
import os
import resource
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import linux  # type: ignore[import-not-found]  # noqa: E402
import starting  # type: ignore[import-not-found]  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_PROCESSES = 4096
"""How many the namespace may have (as root may always have more)."""
_FIXED = linux.MS_NOSUID | linux.MS_NODEV


def _cover(folder: str, seen: list[str]) -> None:
    """Mounts an empty folder over `folder`, with `seen` where they were."""
    # Held open, they can still be mounted once nothing leads there any more.
    held = [(path, os.open(path, os.O_PATH | os.O_DIRECTORY)) for path in seen]
    linux.mount("empty", folder, _FIXED, "tmpfs", "size=1m,mode=700")
    for path, number in held:
        os.makedirs(path, exist_ok=True)
        linux.mount(f"/proc/self/fd/{number}", path, linux.MS_BIND | linux.MS_REC)
        os.close(number)
    linux.mount(None, folder, linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | _FIXED)


def _only(folder: str, paths: list[str]) -> list[str]:
    """Those of the paths that are below `folder`, none below another."""
    below = sorted({os.path.realpath(path) for path in paths if os.path.isdir(path)})
    chosen: list[str] = []
    for path in below:
        inside = path.startswith(folder + os.sep)
        if inside and not any(path.startswith(outer + os.sep) for outer in chosen):
            chosen.append(path)
    return chosen


def _first(command: list[str]) -> int:
    """The first process of the namespace: the kernel ends all others with it."""
    linux.end_with_parent()
    try:
        linux.mount("proc", "/proc", _FIXED | linux.MS_NOEXEC, "proc")
    except PermissionError:
        # Inside of some containers /proc is partly covered, and may not be had whole: it stays as it is. The
        # kernel lets a process of a user namespace read nothing there of one outside of it.
        os.stat("/proc")
    linux.give_up_rights()
    most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    most = _PROCESSES if most == resource.RLIM_INFINITY else min(most, _PROCESSES)
    resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
    own = os.fork()
    if own == 0:
        os.setsid()
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        starting.become(command)
    signal.signal(signal.SIGTERM, lambda *_: _pass_on(own))
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    while True:
        ended, status = os.wait()  # orphans of the command are reaped on the way
        if ended == own:
            return status


def _pass_on(group: int) -> None:
    try:
        os.killpg(group, signal.SIGTERM)
    except ProcessLookupError:
        return


def _end_as(status: int) -> NoReturn:
    """Ends this process the way another one did."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0 and -code not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(-code, signal.SIG_DFL)
    if code < 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.kill(os.getpid(), -code)
    os._exit(code)


def main(arguments: list[str]) -> None:
    if arguments[0] == "--told":
        starting.await_word(int(arguments[1]))
        arguments = arguments[2:]
    separator = arguments.index("--")
    folder, seen, command = os.path.realpath(arguments[0]), arguments[1:separator], arguments[separator + 1 :]
    directory = os.getcwd()
    # From here on SIGTERM waits until the command is there to get it.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    linux.own_namespaces(linux.CLONE_NEWPID)
    _cover(folder, _only(folder, [*seen, directory]))
    os.chdir(directory)
    reader, writer = os.pipe()
    first = os.fork()
    if first == 0:
        os.close(reader)
        # The first process of a namespace cannot end itself by a signal: it tells how the command ended.
        status = _first(command)
        os.write(writer, str(status).encode())
        os._exit(0)
    os.close(writer)
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    _, status = os.waitpid(first, 0)
    told = os.read(reader, 16)
    _end_as(int(told) if told else status)


if __name__ == "__main__":
    main(sys.argv[1:])
