"""Every place that opens a stranger's archive: nothing leaves its folder, and bombs stop."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.engine import archives
from sandbox.engine.archives import BadArchive, Limits, extract_tar, open_zip
from sandbox.engine.engine import Engine, Settings
from sandbox.engine.operations import AwsError
from sandbox.runtimes.serving import archive as model_archive
from sandbox.services.cloudformation.resources.handler import ResourceFailed
from sandbox.services.codebuild.files import ClientError, unpack
from sandbox.services.lambda_ import packages


def made(*entries: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are there twice
        for entry, content in entries:
            archive.writestr(entry, content)
    return buffer.getvalue()


def special(name: str, kind: int, mode: int = 0o777) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | mode) << 16
    return info


def encrypted() -> bytes:
    data = bytearray(made(("secret", b"x")))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    return bytes(data)


def with_nul() -> bytes:
    return made(("fine#/../../out", b"x")).replace(b"fine#", b"fine\0")


def damaged() -> bytes:
    data = made((zipfile.ZipInfo("file"), b"some content"))  # stored as it is
    return data.replace(b"some content", b"same content")


HOSTILE = {
    "traversal": made(("fine", b""), ("../out", b"x")),
    "traversal inside": made(("a/../../out", b"x")),
    "absolute": made(("/tmp/zip-out", b"x")),
    "symlink": made((special("link", stat.S_IFLNK), b"/etc/passwd")),
    "device": made((special("device", stat.S_IFCHR), b"")),
    "pipe": made((special("pipe", stat.S_IFIFO), b"")),
    "socket": made((special("socket", stat.S_IFSOCK), b"")),
    "encrypted": encrypted(),
    "NUL": with_nul(),
    "damaged": damaged(),
    "no zip": b"no zip",
    "cut short": made(("file", b"x" * 1000))[:-30],
    "a file that is a folder too": made(("a", b"x"), ("a/b", b"x")),
}


def into_build(data: bytes, folder: Path) -> None:
    unpack(data, folder)


def into_function(data: bytes, folder: Path) -> None:
    packages._check(data)
    engine = Engine(Settings(folder / "state"))
    try:
        unpacked = packages.unpacked(engine, [packages.keep(engine, data)])
        for path in unpacked.iterdir():
            path.rename(folder / path.name)
    finally:
        engine.store.close()


def into_folder(data: bytes, folder: Path) -> None:
    with open_zip(data, Limits(2**30)) as archive:
        archive.extract(folder)


EXTRACTORS = [into_build, into_function, into_folder]
REFUSED = (ClientError, AwsError, BadArchive, ResourceFailed)


@pytest.mark.parametrize("extract", EXTRACTORS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_zip_is_refused(tmp_path: Path, kind: str, extract: Callable[[bytes, Path], None]) -> None:
    folder = tmp_path / "deep" / "in"
    folder.mkdir(parents=True)
    with pytest.raises(REFUSED):
        extract(HOSTILE[kind], folder)
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["in"]
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))
    assert not Path("/tmp/zip-out").exists()


@pytest.mark.parametrize("extract", EXTRACTORS)
def test_permissions_are_kept_but_for_those_of_others(
    tmp_path: Path, extract: Callable[[bytes, Path], None]
) -> None:
    data = made(
        (special("run", stat.S_IFREG, 0o6755), b"x"),
        (special("own", stat.S_IFREG, 0o400), b""),
        ("twice", b"1"),
        ("twice", b"2"),
    )
    extract(data, tmp_path)
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "own").stat().st_mode) == 0o600
    assert (tmp_path / "twice").read_text() == "2"


def test_a_link_that_is_there_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "file").symlink_to(tmp_path / "victim")
    (tmp_path / "victim").write_text("whole")
    into_folder(made(("file", b"new")), tmp_path / "in")
    assert (tmp_path / "victim").read_text() == "whole"
    assert (tmp_path / "in" / "file").read_text() == "new"


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(999), "more than 999 bytes"),
        (Limits(10**6, files=2), "more than 2 entries"),
        (Limits(10**6, ratio=1), "more than 1 times"),
    ],
)
def test_bombs_are_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: Limits, message: str
) -> None:
    monkeypatch.setattr(archives, "_SMALL", 100)
    content = [(name, b"0" * 400) for name in "abc"]
    with pytest.raises(BadArchive, match=message), open_zip(made(*content), limits) as archive:
        archive.extract(tmp_path / "zip")
    assert not (tmp_path / "zip").exists()
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        for name, data in content:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    with pytest.raises(BadArchive, match=message):
        extract_tar(tmp_path / "a.tar.gz", tmp_path / "tar", limits)


def test_a_zip_that_lies_about_its_sizes_extracts_to_no_more(tmp_path: Path) -> None:
    data = bytearray(made(("file", b"0" * 5000)))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = data.index(signature) + offset
        data[start : start + 4] = struct.pack("<I", 10)
    with pytest.raises(BadArchive):
        into_folder(bytes(data), tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 10


def test_a_tar_cannot_make_its_reader_hold_a_huge_header(tmp_path: Path) -> None:
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, 64 * 2**20
    path = tmp_path / "a.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header.tobuf())
        for _ in range(65):
            file.write(bytes(2**20))
    with pytest.raises(BadArchive, match="a header of more than"):
        extract_tar(path, tmp_path / "in", Limits(2**30))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../out", tarfile.REGTYPE),
        ("/tmp/tar-out", tarfile.REGTYPE),
        ("link", tarfile.SYMTYPE),
        ("hard", tarfile.LNKTYPE),
        ("block", tarfile.BLKTYPE),
        ("device", tarfile.CHRTYPE),
        ("pipe", tarfile.FIFOTYPE),
        ("strange", b"Z"),
    ],
)
def test_a_hostile_model_is_refused(tmp_path: Path, name: str, kind: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    (tmp_path / "in").mkdir()
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.addfile(info)
    with pytest.raises(BadArchive):
        model_archive.extract(tmp_path / "a.tar.gz", tmp_path / "in")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.tar.gz", "in"]
    assert not Path("/tmp/tar-out").exists()


def test_a_models_setuid_bit_is_dropped(tmp_path: Path) -> None:
    info = tarfile.TarInfo("./run")
    info.mode = 0o6755
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("."))
        tar.addfile(info)
    with pytest.raises(BadArchive):  # "." as a file
        model_archive.extract(tmp_path / "a.tar.gz", tmp_path / "in")
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as tar:
        tar.addfile(info)
    model_archive.extract(tmp_path / "b.tar.gz", tmp_path / "in")
    assert stat.S_IMODE((tmp_path / "in" / "run").stat().st_mode) == 0o755
