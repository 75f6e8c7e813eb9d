"""Archives from strangers: regular files and folders only, inside the folder, capped.

A later entry of a name replaces an earlier one, as with tar and unzip. Nothing is told from what an archive
says about itself alone: sizes are counted while it is read.
"""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO

_CHUNK = 2**20
_HEADER = 16 * 2**20
"""Bytes that a tar may ask to be read at once: names and attributes, never contents."""
_NAME = 4096
_SMALL = 256 * 2**20
"""Bytes to which anything may be extracted, however small the archive itself."""
_CENTRAL_RECORD = b"PK\1\2"


class BadArchive(ValueError):
    """Why an archive was refused."""


@dataclass(frozen=True)
class Limits:
    """`size`: bytes of all contents together; `files`: entries, folders included; `ratio`: how often the
    archive's own size the contents may be."""

    size: int
    files: int = 100_000
    ratio: int = 200


@dataclass(frozen=True)
class Entry:
    """A file of a zip. `mode`: its permissions, 0 where the archive knows none."""

    name: str
    mode: int
    size: int
    info: zipfile.ZipInfo


class ZipArchive:
    """Use through `open_zip`."""

    def __init__(self, archive: zipfile.ZipFile, folders: list[str], files: dict[str, Entry]) -> None:
        self._archive = archive
        self.folders = folders
        self.files = files

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(entry.size for entry in self.files.values())

    def read(self, entry: Entry) -> bytes:
        with _spoken_plainly(), self._archive.open(entry.info) as source:
            return source.read()

    def check(self) -> None:
        """Reads all of it; BadArchive for what is damaged."""
        with _spoken_plainly():
            for entry in self.files.values():
                with self._archive.open(entry.info) as source:
                    while source.read(_CHUNK):
                        continue

    def extract(self, folder: Path) -> None:
        """Writes everything below `folder`, over what is there."""
        with _spoken_plainly():
            folder.mkdir(parents=True, exist_ok=True)
            for name in self.folders:
                folder.joinpath(name).mkdir(parents=True, exist_ok=True)
            for entry in self.files.values():
                with self._archive.open(entry.info) as source:
                    _write(source, folder / entry.name, entry.mode)


@contextmanager
def open_zip(data: bytes | Path, limits: Limits) -> Iterator[ZipArchive]:
    """Every entry is looked at before any is read. BadArchive for what is no zip, links, devices, paths that
    lead out, encrypted contents, or a bomb."""
    # Before zipfile makes an object of each.
    if isinstance(data, bytes) and data.count(_CENTRAL_RECORD) > limits.files:
        raise BadArchive(f"more than {limits.files} entries")
    with _spoken_plainly():
        archive = zipfile.ZipFile(io.BytesIO(data) if isinstance(data, bytes) else data)
    with archive:
        entries = archive.infolist()
        if len(entries) > limits.files:
            raise BadArchive(f"more than {limits.files} entries")
        folders: list[str] = []
        files: dict[str, Entry] = {}
        for info in entries:
            name = _inside(info.orig_filename)
            mode = info.external_attr >> 16
            kind = stat.S_IFMT(mode)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise BadArchive(f"{name} is not a regular file")
            if info.flag_bits & 0x1:
                raise BadArchive(f"{name} is encrypted")
            if info.is_dir():
                folders.append(name)
            else:
                files[name] = Entry(name, mode & 0o777, info.file_size, info)
        length = len(data) if isinstance(data, bytes) else data.stat().st_size
        _within(sum(info.file_size for info in entries), length, limits)
        yield ZipArchive(archive, folders, files)


def extract_tar(archive: Path, folder: Path, limits: Limits) -> None:
    """Extracts a gzipped tar. BadArchive for another file, links, devices, paths that lead out, or a bomb."""
    total, length = 0, archive.stat().st_size
    with _spoken_plainly():
        folder.mkdir(parents=True, exist_ok=True)
        with (
            gzip.open(archive) as unpacked,
            tarfile.open(fileobj=_Counted(unpacked, length, limits), mode="r:") as tar,
        ):
            for count, member in enumerate(tar):
                if count >= limits.files:
                    raise BadArchive(f"more than {limits.files} entries")
                target = folder / _inside(member.name)
                if member.isdir():
                    target.mkdir(parents=True, exist_ok=True)
                elif member.isreg():
                    total += member.size
                    _within(total, length, limits)
                    source = tar.extractfile(member)
                    assert source is not None
                    _write(source, target, 0o755 if member.mode & 0o100 else 0o644)
                else:
                    raise BadArchive(f"{member.name} is not a regular file")


class _Counted(io.RawIOBase):
    """What a gzipped tar unpacks to, as far as the limits go."""

    def __init__(self, file: gzip.GzipFile, length: int, limits: Limits) -> None:
        self._file = file
        self._length = length
        # A header and padding an entry come on top of the contents.
        self._limits = replace(limits, size=limits.size + 4 * tarfile.BLOCKSIZE * limits.files)

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _HEADER:
            raise BadArchive(f"a header of more than {_HEADER} bytes")
        data = self._file.read(size)
        _within(self._file.tell(), self._length, self._limits)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence != os.SEEK_SET:
            raise BadArchive("a tar is read from its start")
        _within(offset, self._length, self._limits)
        return self._file.seek(offset)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True


@contextmanager
def _spoken_plainly() -> Iterator[None]:
    try:
        yield
    except BadArchive:
        raise
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        EOFError,
        OSError,
        RuntimeError,  # zipfile's for what is encrypted and compressed in a way of its own
        ValueError,
    ) as error:
        raise BadArchive(str(error)) from error


def _within(total: int, length: int, limits: Limits) -> None:
    if total > limits.size:
        raise BadArchive(f"more than {limits.size} bytes")
    if total > max(_SMALL, limits.ratio * length):
        raise BadArchive(f"more than {limits.ratio} times the size of the archive itself")


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name or len(name) > _NAME:
        raise BadArchive(f"{name[:200]!r} leads out of its folder")
    return str(path)


def _write(source: IO[bytes], target: Path, mode: int) -> None:
    """A new file, whatever was there; its owner can read and write it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    number = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(number, "wb") as file:
        while chunk := source.read(_CHUNK):
            file.write(chunk)
        os.fchmod(number, (mode or 0o644) | stat.S_IRUSR | stat.S_IWUSR)
