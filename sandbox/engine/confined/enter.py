"""Runs a command with a folder mounted at /opt/ml: `enter.py [--no-network] FOLDER -- COMMAND…`.

As /opt/ml seldom exists and only root can create it, /opt is rebuilt: a folder beside FOLDER gets every entry
of the real /opt by bind mount, then `ml`, and is itself mounted at /opt. Nobody else sees any of it.
"""

from __future__ import annotations

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import linux  # type: ignore[import-not-found]  # noqa: E402
import starting  # type: ignore[import-not-found]  # noqa: E402


def _rebuild_opt(opt_ml: str) -> None:
    stage = os.path.join(os.path.dirname(opt_ml), ".opt")
    os.makedirs(stage, exist_ok=True)
    bind = linux.MS_BIND | linux.MS_REC
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
        linux.mount(entry.path, target, bind)
    inner = os.path.join(stage, "ml")
    os.makedirs(inner, exist_ok=True)
    linux.mount(opt_ml, inner, bind)
    linux.mount(stage, "/opt", bind)


def main(arguments: list[str]) -> None:
    network = arguments[0] != "--no-network"
    if not network:
        arguments = arguments[1:]
    opt_ml, separator, command = arguments[0], arguments[1], arguments[2:]
    if separator != "--" or not command:
        raise SystemExit(__doc__)
    directory = os.getcwd()
    linux.own_namespaces(0 if network else linux.CLONE_NEWNET)
    _rebuild_opt(os.path.abspath(opt_ml))
    os.chdir(directory)
    starting.become(command)


if __name__ == "__main__":
    main(sys.argv[1:])
