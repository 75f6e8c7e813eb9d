"""`pip` of a build: `python -m sandbox.runtimes.build_install ENVIRONMENT ARGUMENTS…`.

`pip install -r FILE` of a fully pinned file is served from a layer. Whatever is not understood, and whatever
fails, goes to the real pip: its message and exit status are the build's.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox.runtimes.build import SETTINGS
from sandbox.runtimes.environments import EnvironmentFailed, cache_folder, install, once
from sandbox.runtimes.images import LOCKS
from sandbox.runtimes.layers import Requirements, distributions, layer, link, read_pinned

INDIFFERENT = frozenset(
    (
        "-q",
        "-qq",
        "--quiet",
        "--no-compile",
        "--compile",
        "--no-cache-dir",
        "--disable-pip-version-check",
        "--no-input",
        "--no-warn-script-location",
        "--prefer-binary",
        "--root-user-action=ignore",
    )
)
"""Options that do not change what is installed."""
DECISIVE = frozenset({"--no-deps", "--require-hashes"})
PIP_LOCK = LOCKS / "pip.txt"


def understood(arguments: Sequence[str]) -> list[Requirements] | None:
    """The requirement files of an installation that layers can serve; None when pip must do it."""
    if not arguments or arguments[0] != "install":
        return None
    files, options, rest = [], [], list(arguments[1:])
    while rest:
        argument = rest.pop(0)
        if argument in ("-r", "--requirement") and rest:
            files.append(Path(rest.pop(0)))
        elif argument.startswith("--requirement="):
            files.append(Path(argument.partition("=")[2]))
        elif argument in DECISIVE:
            options.append(argument)
        elif argument not in INDIFFERENT:
            return None
    if not files or not all(file.is_file() for file in files):
        return None
    read = [read_pinned(file.resolve(), options) for file in files]
    found = [item for item in read if item is not None]
    return found if len(found) == len(read) else None


def serve(environment: Path, settings: dict[str, str], files: list[Requirements]) -> list[str] | None:
    """Links the layers of the files; `name-version` of what is new. None when pip must do it."""
    site = Path(settings["site"])
    present = _present(site)
    folders = [layer(file, Path(settings["base"]), settings["version"]) for file in files]
    new: dict[str, str] = {}
    for folder in folders:
        for name, version in distributions(folder).items():
            # Another version than what is there has to be uninstalled first, as only pip does.
            if (present | new).get(name, version) != version:
                return None
            new[name] = version
    for folder in folders:
        link(folder, site, environment)
    return [f"{name}-{version}" for name, version in sorted(new.items()) if name not in present]


def _present(site: Path) -> dict[str, str]:
    found = distributions(site)
    for mark in site.glob("layer-*.pth"):
        folder = cache_folder().parent / "layers" / mark.stem.removeprefix("layer-")
        found |= distributions(folder)
    return found


def real_pip(environment: Path, settings: dict[str, str], arguments: Sequence[str]) -> None:
    """Becomes pip itself, installing into the build's environment. Never returns."""

    def build(folder: Path) -> None:
        folder.mkdir(parents=True)
        install(Path(settings["base"]), ["--target", str(folder), "--require-hashes", "-r", str(PIP_LOCK)])

    name = f"pip-{PIP_LOCK.stat().st_size}-{settings['version']}"
    folder = once(cache_folder().parent / "layers" / name, build)
    python = str(environment / "bin" / "python")
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    os.execve(python, [python, "-m", "pip", *arguments], {**os.environ, "PYTHONPATH": path})


def main(arguments: Sequence[str]) -> None:
    environment, rest = Path(arguments[0]), arguments[1:]
    settings = json.loads((environment / SETTINGS).read_text())
    # The user's package indexes and caches, not those of the build's throw-away home.
    os.environ["HOME"] = settings["home"]
    os.environ["XDG_CACHE_HOME"] = settings["cache"]
    files = understood(rest)
    if files is not None:
        try:
            installed = serve(environment, settings, files)
        except EnvironmentFailed:
            installed = None  # pip will say why, in its own words
        if installed is not None:
            if not any(argument.startswith(("-q", "--quiet")) for argument in rest) and installed:
                print(f"Successfully installed {' '.join(installed)}")
            return
    real_pip(environment, settings, rest)


if __name__ == "__main__":
    main(sys.argv[1:])
