"""Choosing the files of an artifact, and zips in both directions."""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from sandbox.engine.archives import BadArchive, Limits, open_zip
from sandbox.engine.foreign_files import is_file, is_inside, open_inside
from sandbox.services.codebuild.buildspec import Output

EXTRACTED = Limits(10 * 2**30, files=500_000)
"""What one source may extract to."""


class ClientError(Exception):
    """What CodeBuild reports as phase context `CLIENT_ERROR`."""


def collect(output: Output, source: Path, folder: Path) -> dict[str, Path]:
    """Files of an artifact by their name in it. ClientError where none matches.

    Patterns are relative to the base directory: `*` stays in its directory, `**` crosses them. A link that
    leads out of `folder`, all that the build has of its own, is none.
    """
    base = _base_directory(output.base_directory, source)
    if not is_inside(base, folder):
        raise ClientError(f"no matching base directory path found for {output.base_directory}")
    wanted = [glob(pattern) for pattern in output.files]
    unwanted = [glob(pattern) for pattern in output.exclude_paths]
    chosen: dict[str, Path] = {}
    for path in sorted(_walk(base, folder)):
        name = path.relative_to(base).as_posix()
        if any(p.fullmatch(name) for p in wanted) and not any(p.fullmatch(name) for p in unwanted):
            chosen[path.name if output.discard_paths else name] = path
    if not chosen:
        raise ClientError("no matching artifact paths found")
    return chosen


def glob(pattern: str) -> re.Pattern[str]:
    """A file pattern of the buildspec as a regular expression of a relative path."""
    pattern = pattern.removeprefix("./")
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    translated = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(translated.get(part, re.escape(part)) for part in parts), re.DOTALL)


def _base_directory(name: str | None, source: Path) -> Path:
    if name is None:
        return source
    if any(mark in name for mark in "*?"):
        pattern = glob(name.rstrip("/"))
        for folder, _, _ in os.walk(source):
            relative = Path(folder).relative_to(source).as_posix()
            if pattern.fullmatch(relative):
                return Path(folder)
    elif (source / name).is_dir():
        return source / name
    raise ClientError(f"no matching base directory path found for {name}")


def _walk(base: Path, own: Path) -> Iterable[Path]:
    for folder, _, names in os.walk(base):
        for name in names:
            path = Path(folder, name)
            if is_file(path, own):
                yield path


def pack(files: Mapping[str, Path], folder: Path) -> bytes:
    """A zip of files with their permissions. The same files give the same bytes: no time is kept."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, path in sorted(files.items()):
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with open_inside(path, folder) as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                entry.external_attr = (stat.S_IFREG | mode) << 16
                archive.writestr(entry, file.read())
    return buffer.getvalue()


def unpack(data: bytes, folder: Path) -> None:
    """Extracts regular files only, and only below `folder`. ClientError for anything else."""
    try:
        with open_zip(data, EXTRACTED) as archive:
            archive.extract(folder)
    except BadArchive as error:
        raise ClientError(f"the source cannot be extracted: {error}") from error
