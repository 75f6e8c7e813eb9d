"""What repository code left behind is not followed out of its folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox.engine.foreign_files import is_file, open_inside, read_inside, write_inside


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "keys").write_text("the keys")
    own = tmp_path / "own"
    (own / "sub").mkdir(parents=True)
    (own / "file").write_text("mine")
    (own / "near").symlink_to("file")
    (own / "far").symlink_to(tmp_path / "keys")
    (own / "up").symlink_to("..")
    (own / "environment").symlink_to("/proc/self/environ")
    (own / "zero").symlink_to("/dev/zero")
    (own / "loop").symlink_to("loop")
    os.mkfifo(own / "pipe")
    return own


@pytest.mark.parametrize("name", ["file", "near", "sub/../near"])
def test_its_own_files_and_links_to_them_are_read(own: Path, name: str) -> None:
    assert is_file(own / name, own) and read_inside(own / name, own) == b"mine"


@pytest.mark.parametrize("name", ["far", "up/keys", "environment", "zero", "loop", "pipe", "sub", "missing"])
def test_nothing_else_is(own: Path, name: str) -> None:
    assert not is_file(own / name, own)
    with pytest.raises(OSError):
        open_inside(own / name, own)


def test_a_link_that_changes_after_the_look_is_noticed(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.engine.foreign_files.is_inside", lambda path, folder: True)
    with pytest.raises(FileNotFoundError):
        open_inside(own / "far", own)


@pytest.mark.parametrize("name", ["far", "pipe", "new", "file"])
def test_writing_replaces_what_has_the_name(own: Path, name: str) -> None:
    write_inside(own / name, own, b"written")
    assert (own / name).read_bytes() == b"written" and not (own / name).is_symlink()
    assert (own.parent / "keys").read_text() == "the keys"


def test_writing_does_not_leave_the_folder(own: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_inside(own / "up" / "keys", own, b"written")
    assert (own.parent / "keys").read_text() == "the keys"
