"""Build environments: a fresh virtual environment a build, whose `pip` installs from layers.

What a build installs from a fully pinned requirements file is the same every time, so it is installed once
into a *layer* (see layers.py) and linked into the environments of later builds: the same result as pip's,
at once. Everything else goes to the real pip, in the build's own environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from sandbox.runtimes.environments import Environment, EnvironmentFailed, uv

SHIM = Path(__file__).parent / "containers" / "build_pip"
SETTINGS = "sandbox.json"


def build_environment(folder: Path, python_version: str) -> Environment:
    """A new environment at `folder` with the image's Python (`3.11`); tens of milliseconds.

    Where this machine has no such Python, the sandbox's own stands in for it. Put `bin` first in PATH.
    `pip install` fails as pip does, with pip's own message and exit status.
    """
    base = _python(python_version)
    version = _version(base)
    site = folder / "lib" / f"python{version.rpartition('.')[0]}" / "site-packages"
    site.mkdir(parents=True, exist_ok=True)
    environment = Environment.at(folder)
    environment.bin.mkdir(exist_ok=True)
    for name in ("python", "python3", f"python{version.rpartition('.')[0]}"):
        _link(environment.bin / name, base)
    home = f"home = {base.parent}\ninclude-system-site-packages = false\nversion = {version}\n"
    (folder / "pyvenv.cfg").write_text(home)
    settings = {
        "home": str(Path.home()),
        "cache": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
        "installer": sys.executable,
        "base": str(base),
        "version": version,
        "site": str(site),
    }
    (folder / SETTINGS).write_text(json.dumps(settings))
    for name in ("pip", "pip3", f"pip{version.rpartition('.')[0]}"):
        _script(environment.bin / name, environment.python)
    # Makes `python -m pip` the same program as `pip`.
    (site / "sandbox-pip.pth").write_text(f"{SHIM}\n")
    return environment


def _link(path: Path, target: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(target)


def _script(path: Path, python: Path) -> None:
    path.write_text(f'#!/bin/sh\nexec "{python}" -m pip "$@"\n')
    path.chmod(0o755)


def _python(version: str) -> Path:
    own = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return own
    command = [uv(), "python", "find", "--system", "--no-python-downloads", "--no-project", version]
    found = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    return Path(found.stdout.strip()).resolve() if found.returncode == 0 else own


def _version(python: Path) -> str:
    if python == Path(getattr(sys, "_base_executable", sys.executable)).resolve():
        return ".".join(str(part) for part in sys.version_info[:3])
    command = [str(python), "-I", "-S", "-c", "import platform; print(platform.python_version())"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise EnvironmentFailed(f"{python} does not run: {result.stderr.strip()}")
    return result.stdout.strip()
