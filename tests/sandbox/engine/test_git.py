"""Repositories after a kill."""

from __future__ import annotations

from pathlib import Path

from sandbox.engine.git import Git, run


def test_what_a_killed_git_left_refuses_nothing(tmp_path: Path) -> None:
    git = Git(tmp_path / "git")
    path = git.path("1", "r", "code")
    git.create(path)
    tree = run(["mktree"], path, data=b"").decode().strip()
    names = {f"GIT_{who}_{what}": "x@y" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    commit = run(["commit-tree", tree, "-m", "m"], path, environment=names).decode().strip()
    run(["update-ref", "refs/heads/main", commit], path)
    for lock in ("HEAD.lock", "packed-refs.lock", "refs/heads/main.lock"):
        (path / lock).touch()
    draft = path.with_suffix(".new123")
    draft.mkdir()
    git.clear_leftovers()
    assert not draft.exists()
    run(["update-ref", "-d", "refs/heads/main"], path)
    assert git.refs(path) == {}
