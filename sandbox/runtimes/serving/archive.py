"""Extracts a model.tar.gz from a stranger: regular files and folders only, inside the folder, capped."""

from __future__ import annotations

import tarfile
from pathlib import Path, PurePosixPath

MAXIMUM_BYTES = 8 * 2**30
MAXIMUM_FILES = 100_000
_CHUNK = 2**20


class BadArchive(ValueError):
    """Why an archive was refused."""


def extract(archive: Path, folder: Path) -> None:
    """Raises BadArchive for what is no gzipped tar, links, devices, paths that lead out, or a bomb."""
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for count, member in enumerate(tar):
                if count >= MAXIMUM_FILES:
                    raise BadArchive(f"more than {MAXIMUM_FILES} entries")
                target = folder.joinpath(*_inside(member.name).parts)
                if member.isdir():
                    target.mkdir(parents=True, exist_ok=True)
                elif member.isreg():
                    total += member.size
                    if total > MAXIMUM_BYTES:
                        raise BadArchive(f"more than {MAXIMUM_BYTES} bytes")
                    _write(tar, member, target)
                else:
                    raise BadArchive(f"{member.name} is not a regular file")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BadArchive(str(error)) from error


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise BadArchive(f"{name} leads out of the model folder")
    return path


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    source = tar.extractfile(member)
    assert source is not None
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            file.write(chunk)
    target.chmod(0o755 if member.mode & 0o100 else 0o644)
