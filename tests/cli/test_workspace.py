"""The engineer's clone."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cli.demo.workspace import DEEPEST, DEFINITION, SHALLOWEST, Workspace
from cli.errors import CliError

SEED = Path(__file__).resolve().parents[2] / "seed_code" / "model_build"


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A repository with the seed's pipeline definition."""
    work = tmp_path / "seed"
    (work / DEFINITION).parent.mkdir(parents=True)
    shutil.copy(SEED / DEFINITION, work / DEFINITION)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "seed"]):
        subprocess.run([*git, *command], cwd=work, check=True)
    bare = tmp_path / "origin.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(work), str(bare)], check=True)
    return bare


def test_clone_change_commit_push(origin: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "clone", {})
    workspace.clone(str(origin))
    before, after = workspace.change_depth()
    commit = workspace.commit("change")
    workspace.push()
    head = subprocess.run(
        ["git", "rev-parse", "main"], cwd=origin, capture_output=True, text=True, check=True
    ).stdout.strip()
    assert head == commit
    assert before != after
    changes = subprocess.run(
        ["git", "show", "--format=", "--unified=0", commit],
        cwd=origin,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f'"MaxDepth", default_value={after}' in changes
    assert changes.count("\n+") == 2  # the file's name, and one line


def test_every_change_is_one_and_stays_in_range(origin: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "clone", {})
    workspace.clone(str(origin))
    depths = [workspace.change_depth() for _ in range(10)]
    assert all(before != after and SHALLOWEST <= after <= DEEPEST for before, after in depths)


def test_a_repository_without_the_parameter_is_refused(origin: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "clone", {})
    workspace.clone(str(origin))
    (workspace.folder / DEFINITION).write_text("pass\n")
    with pytest.raises(CliError, match="MaxDepth"):
        workspace.change_depth()


def test_gits_own_words_are_told(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="git clone: .*nowhere"):
        Workspace(tmp_path / "clone", {}).clone(str(tmp_path / "nowhere"))
