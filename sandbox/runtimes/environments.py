"""Environments: a runtime's libraries installed once, kept by the content of its lock file.

Built by uv (by pip where uv cannot reach an index), in a folder of its own that is renamed into place when
complete, so an environment that exists is whole. Any number of threads and processes may ask for it at once:
one builds, the others wait for its lock.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.runtimes.images import Runtime
from sandbox.state import location

FORMAT = "1"
"""Changed when environments are built differently: older ones are not used any more."""
INSTALL_SECONDS = 1800
Progress = Callable[[str], None]


class EnvironmentFailed(RuntimeError):
    """An environment could not be built; the message ends with the installer's own."""


@dataclass(frozen=True)
class Environment:
    """`python`: its interpreter; `bin`: the folder to put first in PATH."""

    path: Path
    python: Path
    bin: Path

    @classmethod
    def at(cls, path: Path) -> Environment:
        return cls(path, path / "bin" / "python", path / "bin")


def cache_folder() -> Path:
    """Where environments are kept."""
    return location.cache_folder() / "environments"


def ensure(runtime: Runtime, progress: Progress | None = None) -> Environment:
    """The environment of a runtime, built if it is not there yet (tens of seconds, network).

    `progress` is told in words what is being done, and nothing when the environment exists. Raises
    EnvironmentFailed.
    """
    tell = progress or (lambda message: None)
    identity = f"{FORMAT}\n{sys.version}\n{sys.base_prefix}\n{runtime.lock.read_text()}"
    digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
    folder = cache_folder() / f"{runtime.name.replace(':', '-')}-{digest}"

    def build(path: Path) -> None:
        tell(f"Installing the libraries of {runtime.name}")
        create(path, sys.executable)
        install(Environment.at(path).python, ["--requirement", str(runtime.lock), "--require-hashes"])
        tell(f"Libraries of {runtime.name} are installed")

    return Environment.at(once(folder, build))


def once(folder: Path, build: Callable[[Path], None]) -> Path:
    """`folder`, made by `build(folder)` unless it is complete; one builder at a time over all processes.

    The path is final while it is built (scripts carry it); a mark beside it says that it is complete.
    """
    mark = folder.with_name(folder.name + ".complete")
    if mark.exists() and folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_name(folder.name + ".lock")):
        if mark.exists() and folder.exists():
            return folder
        # What an interrupted build left behind.
        shutil.rmtree(folder, ignore_errors=True)
        try:
            build(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        mark.touch()
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # flock belongs to the open file: two threads of one process exclude each other too.
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def create(path: Path, python: str | Path) -> None:
    """An empty virtual environment (no pip)."""
    _run([uv(), "venv", "--quiet", "--no-project", "--python", str(python), str(path)])


def install(python: Path, arguments: list[str]) -> None:
    """Installs with uv, or with pip where uv reaches no index. Raises EnvironmentFailed."""
    command = [
        uv(),
        "pip",
        "install",
        "--quiet",
        "--compile-bytecode",
        "--python",
        str(python),
    ]
    try:
        _run([*command, *arguments])
    except EnvironmentFailed as failure:
        if not _unreachable(str(failure)):
            raise
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
        _run([*pip, "--disable-pip-version-check", *arguments])


@functools.cache
def uv() -> str:
    """The uv program that is installed with this application."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if not found:
        raise EnvironmentFailed("uv is not installed beside this Python; run the project's set-up again")
    return found


def uv_cache() -> Path:
    """uv's own cache of downloads, shared with the user's other work."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("UV_CACHE_DIR") or base / "uv")


def _unreachable(message: str) -> bool:
    signs = (
        "error sending request",
        "dns error",
        "Failed to fetch",
        "Connection refused",
        "Network connectivity",
    )
    return any(sign in message for sign in signs)


def _run(command: list[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if result.returncode:
        raise EnvironmentFailed(f"{' '.join(command[:3])} failed: {(result.stderr or result.stdout).strip()}")
