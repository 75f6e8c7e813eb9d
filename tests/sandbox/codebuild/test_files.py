"""File patterns of artifacts, and zips that try to leave their folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.services.codebuild.buildspec import Output
from sandbox.services.codebuild.files import ClientError, collect, pack, unpack


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a.txt", "b.json", "sub/a.txt", "sub/deep/c.txt", ".hidden/d"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("output", "names"),
    [
        (Output(("*",)), {"a.txt", "b.json"}),
        (Output(("**/*",)), {"a.txt", "b.json", "sub/a.txt", "sub/deep/c.txt", ".hidden/d"}),
        (Output(("sub/*",)), {"sub/a.txt"}),
        (Output(("sub/**/*",)), {"sub/a.txt", "sub/deep/c.txt"}),
        (Output(("**/*.txt",), exclude_paths=("sub/**/*",)), {"a.txt"}),
        (Output(("**/*.txt",), discard_paths=True), {"a.txt", "c.txt"}),
        (Output(("*.txt",), base_directory="sub"), {"a.txt"}),
        (Output(("*.txt",), base_directory="su*/de?p"), {"c.txt"}),
        (Output(("./b.json",)), {"b.json"}),
    ],
)
def test_patterns(tree: Path, output: Output, names: set[str]) -> None:
    assert set(collect(output, tree, tree)) == names


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (Output(("sub",)), "no matching artifact paths found"),
        (Output(("*",), base_directory="none"), "no matching base directory path found for none"),
    ],
)
def test_nothing_matches(tree: Path, output: Output, message: str) -> None:
    with pytest.raises(ClientError, match=message):
        collect(output, tree, tree)


def test_the_same_files_give_the_same_bytes_and_permissions(
    tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (tree / "run.sh").write_text("#!/bin/sh")
    (tree / "run.sh").chmod(0o755)
    files = collect(Output(("**/*",)), tree, tree)
    assert pack(files, tree) == pack(files, tree)
    target = tmp_path_factory.mktemp("out")
    unpack(pack(files, tree), target)
    assert (target / "sub/deep/c.txt").read_text() == "sub/deep/c.txt"
    assert (target / "run.sh").stat().st_mode & 0o111
