"""Runs a command with a folder mounted at /opt/ml: `enter.py [--no-network] FOLDER -- COMMAND…`.

For an ordinary user: a user namespace gives the right to mount in a mount namespace of the process's own.
As /opt/ml seldom exists and only root can create it, /opt is rebuilt: a folder beside FOLDER gets every entry
of the real /opt by bind mount, then `ml`, and is itself mounted at /opt. Nobody else sees any of it.
Standard library only: it runs before any environment is known to work.
"""

import ctypes
import os
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000

LIBC = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(source, target, flags):
    source_bytes = os.fsencode(source) if source else None
    _check(LIBC.mount(source_bytes, os.fsencode(target), None, flags, None), "mount " + target)


def _write(path, text):
    with open(path, "w") as file:
        file.write(text)


def _namespaces(network):
    user, group = os.getuid(), os.getgid()
    flags = CLONE_NEWUSER | CLONE_NEWNS | (0 if network else CLONE_NEWNET)
    _check(LIBC.unshare(flags), "unshare")
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")
    _mount(None, "/", MS_REC | MS_PRIVATE)


def _rebuild_opt(opt_ml):
    stage = os.path.join(os.path.dirname(opt_ml), ".opt")
    os.makedirs(stage, exist_ok=True)
    for entry in os.scandir("/opt"):
        target = os.path.join(stage, entry.name)
        if entry.name == "ml":
            continue
        if entry.is_symlink():
            if not os.path.lexists(target):
                os.symlink(os.readlink(entry.path), target)
            continue
        if entry.is_dir():
            os.makedirs(target, exist_ok=True)
        else:
            open(target, "a").close()
        _mount(entry.path, target, MS_BIND | MS_REC)
    inner = os.path.join(stage, "ml")
    os.makedirs(inner, exist_ok=True)
    _mount(opt_ml, inner, MS_BIND | MS_REC)
    _mount(stage, "/opt", MS_BIND | MS_REC)


def main(arguments):
    network = arguments[0] != "--no-network"
    if not network:
        arguments = arguments[1:]
    opt_ml, separator, command = arguments[0], arguments[1], arguments[2:]
    if separator != "--" or not command:
        raise SystemExit(__doc__)
    directory = os.getcwd()
    _namespaces(network)
    _rebuild_opt(os.path.abspath(opt_ml))
    os.chdir(directory)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        # A shell's codes for a command that cannot be run, and one that is not there.
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        raise SystemExit(127 if isinstance(error, FileNotFoundError) else 126) from None


if __name__ == "__main__":
    main(sys.argv[1:])
