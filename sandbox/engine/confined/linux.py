"""The kernel's calls for namespaces and mounts, as an ordinary user may make them.

Standard library only: the programs beside it import it before any environment is known to work.
"""

from __future__ import annotations

import ctypes
import os

# `signal` itself takes longer to import than all the rest.
from _signal import SIGKILL  # type: ignore[import-not-found]

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_CAP_SETFCAP = 31
_CAPABILITIES = 64

_LIBC = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(
    source: str | None, target: str, flags: int, kind: str | None = None, data: str | None = None
) -> None:
    texts = [os.fsencode(text) if text else None for text in (source, target, kind)]
    _check(_LIBC.mount(*texts, flags, os.fsencode(data) if data else None), f"mount {target}")


def own_namespaces(flags: int) -> None:
    """Leaves the mount namespace (and those of `flags`) for new ones, in a user namespace that gives the
    right to mount. The user stays who it is, and nobody else sees what is mounted from here on."""
    user, group = os.getuid(), os.getgid()
    _check(_LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNS | flags), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    mount(None, "/", MS_REC | MS_PRIVATE)


def end_with_parent() -> None:
    _check(_LIBC.prctl(_PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "prctl")


def give_up_rights() -> None:
    """What is executed from here on cannot take back what was mounted, nor become somebody else.

    CAP_SETFCAP stays: without it root could not make a user namespace of its own, and it gives nothing else.
    """
    for capability in range(_CAPABILITIES):
        if capability != _CAP_SETFCAP:
            _LIBC.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for those this kernel does not know
    _check(_LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
