"""Repositories of strangers: nothing of them is run or followed, and what is malformed is not taken."""

from __future__ import annotations

import http.client
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.codecommit.test_codecommit import URL, git
from tests.sandbox_process import SandboxProcess

NAME = "sagemaker-hostile"


@pytest.fixture(scope="module")
def bare(sandbox: SandboxProcess) -> Path:
    """The repository as the sandbox keeps it, with hooks as a template or a restored copy would bring them."""
    codecommit = sandbox.client("codecommit")
    codecommit.create_repository(repositoryName=NAME)
    codecommit.create_commit(
        repositoryName=NAME, branchName="main", putFiles=[{"filePath": "a", "fileContent": b"1"}]
    )
    [path] = sandbox.state.glob(f"git/*/*/{NAME}.git")
    hooks = path / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-receive", "update", "post-receive", "post-update", "reference-transaction"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {hooks}/ran\nexit 1\n")
        (hooks / name).chmod(0o755)
    return path


@pytest.fixture(scope="module")
def cloned(sandbox: SandboxProcess, bare: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    answer = git(sandbox, folder, "clone", "-q", URL + NAME, "clone")
    assert answer.returncode == 0, answer.stderr
    return folder / "clone"


@pytest.fixture
def clone(cloned: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(cloned, tmp_path / "clone", symlinks=True))


def plumb(folder: Path, *arguments: str, data: bytes = b"") -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, input=data, capture_output=True, check=True)
    return done.stdout.decode().strip()


def commit(clone: Path, tree: str) -> str:
    """A commit of a tree that git itself would not make."""
    head = plumb(clone, "rev-parse", "HEAD")
    person = "Eve <eve@example.com> 1700000000 +0000"
    text = f"tree {tree}\nparent {head}\nauthor {person}\ncommitter {person}\n\nhostile\n"
    return plumb(clone, "hash-object", "-t", "commit", "-w", "--literally", "--stdin", data=text.encode())


def tree(clone: Path, mode: str, name: str, content: bytes, kind: str = "blob") -> str:
    if kind == "blob":
        identifier = plumb(clone, "hash-object", "-w", "--stdin", data=content)
    else:
        inner = plumb(clone, "hash-object", "-w", "--stdin", data=content)
        identifier = plumb(clone, "mktree", data=f"100644 blob {inner}\tconfig\n".encode())
    raw = f"{mode} {name}\0".encode() + bytes.fromhex(identifier)
    return plumb(clone, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", data=raw)


MODULES = b'[submodule "x"]\n\tpath = x\n\turl = %s\n'
HOSTILE: dict[str, Callable[[Path], str]] = {
    ".git folder": lambda c: commit(c, tree(c, "40000", ".git", b"[core]\n", "tree")),
    ".GIT folder": lambda c: commit(c, tree(c, "40000", ".GIT", b"[core]\n", "tree")),
    "parent folder": lambda c: commit(c, tree(c, "40000", "..", b"x", "tree")),
    "full path": lambda c: commit(c, tree(c, "100644", "/etc/x", b"x")),
    "link for .gitmodules": lambda c: commit(c, tree(c, "120000", ".gitmodules", b"/etc/passwd")),
    "option for a submodule": lambda c: commit(c, tree(c, "100644", ".gitmodules", MODULES % b"-u./run")),
    "no author": lambda c: plumb(
        c,
        *("hash-object", "-t", "commit", "-w", "--literally", "--stdin"),
        data=f"tree {plumb(c, 'rev-parse', 'HEAD^{tree}')}\n\nx\n".encode(),
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_git_would_not_make_is_not_taken(
    sandbox: SandboxProcess, bare: Path, clone: Path, kind: str
) -> None:
    before = plumb(bare, "for-each-ref")
    identifier = HOSTILE[kind](clone)
    answer = git(sandbox, clone, "push", "-q", "origin", f"{identifier}:refs/heads/hostile")
    assert answer.returncode and "fsck error" in answer.stderr, answer.stderr
    assert plumb(bare, "for-each-ref") == before


def test_hooks_do_not_run(sandbox: SandboxProcess, bare: Path, clone: Path) -> None:
    (clone / "b").write_text("2")
    git(sandbox, clone, "add", "b")
    git(sandbox, clone, "commit", "-q", "-m", "b")
    answer = git(sandbox, clone, "push", "-q", "origin", "HEAD:main")
    assert answer.returncode == 0, answer.stderr
    assert not (bare / "hooks" / "ran").exists()


@pytest.mark.parametrize(
    "path", [".git/config", ".GIT/hooks/x", "../x", "a/../../x", "a/.git/x", "git~1/x", "a\0b", "a//b", "./x"]
)
def test_the_api_takes_no_such_path(sandbox: SandboxProcess, bare: Path, path: str) -> None:
    codecommit = sandbox.client("codecommit")
    head = codecommit.get_branch(repositoryName=NAME, branchName="main")["branch"]["commitId"]
    with pytest.raises(ClientError) as refused:
        codecommit.create_commit(
            repositoryName=NAME,
            branchName="main",
            parentCommitId=head,
            putFiles=[{"filePath": path, "fileContent": b"x"}],
        )
    assert refused.value.response["Error"]["Code"] == "InvalidPathException"


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "%2e%2e",
        "..%2f..%2faws",
        "%2e%2e%2f%2e%2e%2frecords.sqlite",
        ".",
        f"{NAME}%2f..%2f{NAME}",
        "%00",
        "",
    ],
)
def test_a_url_leads_to_repositories_only(sandbox: SandboxProcess, bare: Path, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.running.port, timeout=60)
    for service in ("info/refs?service=git-upload-pack", "config", "objects/../../config", "HEAD"):
        connection.request("GET", f"/v1/repos/{path}/{service}", headers={"Authorization": "Basic eDp5"})
        answer = connection.getresponse()
        body = answer.read()
        assert 400 <= answer.status < 500 and b"[core]" not in body and b"ref:" not in body
    connection.close()


def test_links_that_leave_the_tree_stay_links(sandbox: SandboxProcess, bare: Path, clone: Path) -> None:
    (clone / "leak").symlink_to(sandbox.state / "aws" / "credentials")
    git(sandbox, clone, "add", "leak")
    git(sandbox, clone, "commit", "-q", "-m", "link")
    assert git(sandbox, clone, "push", "-q", "origin", "HEAD:link").returncode == 0
    codecommit = sandbox.client("codecommit")
    answer: dict[str, Any] = codecommit.get_folder(
        repositoryName=NAME, commitSpecifier="link", folderPath="/"
    )
    assert [link["relativePath"] for link in answer["symbolicLinks"]] == ["leak"]
    assert "leak" not in [file["relativePath"] for file in answer["files"]]
