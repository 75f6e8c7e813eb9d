import io
import os
import zipfile
from pathlib import Path

import pytest

from template.seeds import Seed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    seed = tmp_path / "model_build"
    (seed / "pipelines").mkdir(parents=True)
    (seed / "README.md").write_text("read me")
    (seed / "pipelines" / "run.py").write_text("print()")
    (seed / "pipelines" / "run.py").chmod(0o755)
    (seed / ".gitignore").write_text("*.pyc")
    return seed


def names(seed: Seed) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(seed.content)).namelist()


def test_the_same_files_give_the_same_bytes_whatever_their_times(folder: Path) -> None:
    before = Seed(folder).content, Seed(folder).key
    for path in folder.rglob("*"):
        os.utime(path, (1, 1))
    assert (Seed(folder).content, Seed(folder).key) == before
    assert before[1].startswith("seeds/model_build/")


def test_what_tools_leave_behind_is_no_seed(folder: Path) -> None:
    before = Seed(folder).key
    for name in (
        "__pycache__/a.pyc",
        ".pytest_cache/v",
        "tests/__pycache__/b.pyc",
        ".venv/x",
        ".git/HEAD",
        ".DS_Store",
        "a.egg-info/PKG-INFO",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("left behind")
    assert Seed(folder).key == before
    assert names(Seed(folder)) == [".gitignore", "README.md", "pipelines/run.py"]


@pytest.mark.parametrize("change", ["content", "name", "mode", "addition"])
def test_every_change_of_a_file_changes_the_key(folder: Path, change: str) -> None:
    before = Seed(folder).key
    readme = folder / "README.md"
    if change == "content":
        readme.write_text("read you")
    elif change == "name":
        readme.rename(folder / "READ.md")
    elif change == "mode":
        readme.chmod(0o755)
    else:
        (folder / "LICENSE").write_text("")
    assert Seed(folder).key != before


def test_executable_files_stay_executable(folder: Path) -> None:
    archive = zipfile.ZipFile(io.BytesIO(Seed(folder).content))
    modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    assert modes["pipelines/run.py"] == 0o100755
    assert modes["README.md"] == 0o100644


def test_an_empty_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no seed code"):
        Seed(tmp_path).files()
