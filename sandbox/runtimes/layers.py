"""Layers: what a pinned requirements file installs, kept once by content and linked into environments.

A layer is a folder of packages. It is linked by a .pth file and by the console scripts that pip would have
written. Its key is everything that decides what is in it: the requirement lines with their hashes, the
options, the Python, and the user's package indexes.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

from sandbox.runtimes.environments import cache_folder, install, once

FORMAT = "1"
_PINNED = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,\s-]+\])?\s*==\s*[^\s;*]+\s*(;[^#]*)?$")
_HASH = re.compile(r"--hash[= ](\S+)")
_INDEXES = (
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
)


@dataclass(frozen=True)
class Requirements:
    """A fully pinned requirements file. `options`: those that change what is installed."""

    path: Path
    lines: tuple[str, ...]
    options: tuple[str, ...]


def read_pinned(path: Path, options: Sequence[str]) -> Requirements | None:
    """The file if its outcome cannot vary: every line `name==version`, and dependencies not to be resolved.

    None for anything else (ranges, URLs, nested files, options in the file).
    """
    text = path.read_text().replace("\\\n", " ")
    lines = []
    for raw in text.splitlines():
        line = re.sub(r"(^|\s)#.*$", "", raw).strip()
        if not line:
            continue
        hashes = _HASH.findall(line)
        requirement = _HASH.sub("", line).strip()
        if not _PINNED.match(requirement):
            return None
        if "--require-hashes" in options and not hashes:
            return None  # pip refuses this; let it say so
        lines.append(" ".join([requirement, *sorted(hashes)]))
    fixed = "--no-deps" in options or "--require-hashes" in options
    return Requirements(path, tuple(lines), tuple(sorted(options))) if fixed and lines else None


def layer(requirements: Requirements, python: Path, version: str) -> Path:
    """The folder of the layer, built if it is not there yet. Raises EnvironmentFailed."""
    indexes = [f"{name}={os.environ.get(name, '')}" for name in _INDEXES]
    identity = "\n".join([FORMAT, str(python), version, *indexes, *requirements.options, *requirements.lines])
    digest = hashlib.sha256(identity.encode()).hexdigest()[:32]

    def build(folder: Path) -> None:
        folder.mkdir(parents=True)
        arguments = ["--target", str(folder), *requirements.options, "--requirement", str(requirements.path)]
        install(python, arguments)

    return once(cache_folder().parent / "layers" / digest, build)


def distributions(folder: Path) -> dict[str, str]:
    """Version by normalized name of what is installed in a folder."""
    found = {}
    for path in folder.glob("*.dist-info"):
        distribution = PathDistribution(path)
        found[_normal(distribution.metadata["Name"])] = distribution.version
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def link(folder: Path, site: Path, environment: Path) -> None:
    """Makes a layer part of an environment: importable, its .pth files honoured, its commands in bin."""
    line = f"import site; site.addsitedir({str(folder)!r})\n"
    (site / f"layer-{folder.name}.pth").write_text(line)
    python = environment / "bin" / "python"
    for path in folder.glob("*.dist-info"):
        for name, target in _console_scripts(PathDistribution(path)):
            _write_script(environment / "bin" / name, python, target)
    scripts = folder / "bin"
    for source in scripts.iterdir() if scripts.is_dir() else ():
        destination = environment / "bin" / source.name
        if source.is_file() and not destination.exists():
            _copy_script(source, destination, python)


def _console_scripts(distribution: Distribution) -> list[tuple[str, str]]:
    return [
        (entry.name, entry.value) for entry in distribution.entry_points if entry.group == "console_scripts"
    ]


def _write_script(path: Path, python: Path, target: str) -> None:
    module, _, attribute = target.partition("[")[0].strip().partition(":")
    function = attribute.partition(".")[0]
    path.write_text(
        f"#!{python}\nimport re\nimport sys\nfrom {module} import {function}\n"
        'if __name__ == "__main__":\n'
        '    sys.argv[0] = re.sub(r"(-script\\.pyw|\\.exe)?$", "", sys.argv[0])\n'
        f"    sys.exit({attribute}())\n"
    )
    path.chmod(0o755)


def _copy_script(source: Path, destination: Path, python: Path) -> None:
    """A script that is no entry point; a Python one gets the environment's interpreter."""
    with source.open("rb") as file:
        first = file.readline()
    if first.startswith(b"#!") and b"python" in first:
        destination.write_bytes(f"#!{python}\n".encode() + source.read_bytes()[len(first) :])
        destination.chmod(0o755)
    else:
        shutil.copy2(source, destination)
