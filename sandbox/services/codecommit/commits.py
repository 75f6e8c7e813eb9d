"""Commits read, and made, through the API (CodeCommit API reference)."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from sandbox.engine import git
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.codecommit.branches import check_name, move
from sandbox.services.codecommit.repositories import folder

MODES = {"NORMAL": "100644", "EXECUTABLE": "100755", "SYMLINK": "120000"}
MODE_NAMES = {mode: name for name, mode in MODES.items()}
_FORMAT = "%H%x00%T%x00%P%x00%an%x00%ae%x00%ad%x00%cn%x00%ce%x00%cd%x00%B"


@operation("codecommit", "GetCommit")
def get_commit(call: Call, repositoryName: str, commitId: str) -> dict[str, Any]:
    path = folder(call, repositoryName)
    if call.engine.git.resolve(path, commitId) is None:
        raise AwsError("CommitIdDoesNotExistException", f"{commitId} does not exist")
    out = git.run(["show", "-s", "--date=raw", f"--format={_FORMAT}", commitId], path).decode(
        errors="replace"
    )
    identifier, tree, parents, an, ae, ad, cn, ce, cd, message = out.split("\0", 9)
    return {
        "commit": {
            "commitId": identifier,
            "treeId": tree,
            "parents": parents.split(),
            "message": message.rstrip("\n") + "\n",
            "author": {"name": an, "email": ae, "date": ad},
            "committer": {"name": cn, "email": ce, "date": cd},
            "additionalData": "",
        }
    }


@operation("codecommit", "CreateCommit")
def create_commit(
    call: Call,
    repositoryName: str,
    branchName: str,
    parentCommitId: str | None = None,
    putFiles: list[dict[str, Any]] | None = None,
    deleteFiles: list[dict[str, Any]] | None = None,
    setFileModes: list[dict[str, Any]] | None = None,
    **described: Any,
) -> dict[str, Any]:
    """`described`: authorName, email, commitMessage, keepEmptyFolders."""
    if described.get("keepEmptyFolders"):
        raise AwsError(
            "UnsupportedOperation",
            "The sandbox does not implement CreateCommit with keepEmptyFolders",
            status=400,
        )
    path = folder(call, repositoryName)
    check_name(path, branchName)
    with call.engine.git.lock(path):
        parent = call.engine.git.refs(path).get(f"refs/heads/{branchName}")
        if parent and parentCommitId is None:
            raise AwsError(
                "ParentCommitIdRequiredException",
                f"{branchName} has commits: give the id of its newest as parent",
            )
        if parentCommitId and parentCommitId != parent:
            raise AwsError(
                "ParentCommitIdOutdatedException",
                f"{parentCommitId} is not the newest commit of {branchName}",
            )
        with tempfile.TemporaryDirectory() as scratch:
            index = {"GIT_INDEX_FILE": os.path.join(scratch, "index")}
            if parent:
                git.run(["read-tree", parent], path, environment=index)
            before = git.run(["write-tree"], path, environment=index)
            known = _staged(path, index)
            _stage(path, index, putFiles or [], deleteFiles or [], setFileModes or [])
            after = _staged(path, index)
            for name in (_clean(file["filePath"]) for file in putFiles or []):
                if name not in after:  # git leaves out what some file system would take for its own folder
                    raise AwsError("InvalidPathException", f"{name} is not a path in a repository")
            tree = git.run(["write-tree"], path, environment=index).decode().strip()
        if parent and tree == before.decode().strip():
            raise AwsError("NoChangeException", "The commit changes nothing")
        commit = _commit(call, path, tree, parent, described)
        move(call, repositoryName, branchName, commit)
    return {
        "commitId": commit,
        "treeId": tree,
        "filesAdded": [after[name] for name in sorted(after.keys() - known.keys())],
        "filesUpdated": [
            after[name] for name in sorted(after.keys() & known.keys()) if after[name] != known[name]
        ],
        "filesDeleted": [known[name] for name in sorted(known.keys() - after.keys())],
    }


def _staged(path: Any, index: dict[str, str]) -> dict[str, dict[str, str]]:
    """What the index holds: path → FileMetadata."""
    rows = git.run(["ls-files", "-s", "-z"], path, environment=index).decode().split("\0")
    files = {}
    for row in filter(None, rows):
        head, _, name = row.partition("\t")
        mode, blob, _ = head.split()
        files[name] = {"absolutePath": name, "blobId": blob, "fileMode": MODE_NAMES.get(mode, "NORMAL")}
    return files


def _stage(
    path: Any,
    index: dict[str, str],
    put: list[dict[str, Any]],
    delete: list[dict[str, Any]],
    modes: list[dict[str, Any]],
) -> None:
    lines = []
    for file in put:
        if "fileContent" not in file:
            raise AwsError(
                "SourceFileOrContentRequiredException",
                f"{file['filePath']} has no content and no source file",
            )
        blob = git.run(["hash-object", "-w", "--stdin"], path, data=file["fileContent"]).decode().strip()
        lines.append(f"{MODES[file.get('fileMode', 'NORMAL')]} {blob}\t{_clean(file['filePath'])}")
    lines += [f"0 {'0' * 40}\t{_require_staged(path, index, file['filePath'])[1]}" for file in delete]
    for file in modes:
        blob, name = _require_staged(path, index, file["filePath"])
        lines.append(f"{MODES[file['fileMode']]} {blob}\t{name}")
    git.run(
        ["update-index", "-z", "--index-info"],
        path,
        data="".join(f"{line}\0" for line in lines).encode(),
        environment=index,
    )


def _require_staged(path: Any, index: dict[str, str], name: str) -> tuple[str, str]:
    out = git.run(["ls-files", "-s", "-z", "--", _clean(name)], path, environment=index).decode()
    if not out:
        raise AwsError("FileDoesNotExistException", f"{name} does not exist")
    return out.split()[1], _clean(name)


def _clean(name: str) -> str:
    parts = name.strip("/").split("/")
    if "\0" in name or any(part.lower() in ("", ".", "..", ".git") for part in parts):
        raise AwsError("InvalidPathException", f"{name} is not a path in a repository")
    return "/".join(parts)


def _commit(
    call: Call,
    path: Any,
    tree: str,
    parent: str | None,
    described: dict[str, Any],
) -> str:
    who = described.get("authorName") or call.principal.caller_arn.rpartition("/")[2]
    moment = f"{int(call.engine.clock.now())} +0000"
    environment = {}
    for role in ("AUTHOR", "COMMITTER"):
        environment |= {
            f"GIT_{role}_NAME": who,
            f"GIT_{role}_EMAIL": described.get("email") or "",
            f"GIT_{role}_DATE": moment,
        }
    arguments = [
        "commit-tree",
        tree,
        *(["-p", parent] if parent else []),
        "-m",
        described.get("commitMessage") or "",
    ]
    return git.run(arguments, path, environment=environment).decode().strip()


@operation("codecommit", "GetDifferences")
def get_differences(
    call: Call,
    repositoryName: str,
    afterCommitSpecifier: str,
    beforeCommitSpecifier: str | None = None,
    beforePath: str | None = None,
    afterPath: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> dict[str, Any]:
    path = folder(call, repositoryName)
    commits = []
    for specifier in (beforeCommitSpecifier, afterCommitSpecifier):
        commit = call.engine.git.resolve(path, specifier) if specifier else EMPTY_TREE
        if commit is None:
            raise AwsError("CommitDoesNotExistException", f"{specifier} does not exist")
        commits.append(commit)
    limit = [name for name in (beforePath, afterPath) if name]
    out = git.run(["diff-tree", "-r", "-z", "--raw", "--no-abbrev", *commits, "--", *limit], path).decode()
    fields = out.split("\0")[:-1]
    differences = [_difference(raw, name) for raw, name in zip(fields[::2], fields[1::2], strict=True)]
    items, token = page(differences, NextToken, MaxResults, error="InvalidContinuationTokenException")
    return {"differences": items, "NextToken": token}


EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def _difference(raw: str, name: str) -> dict[str, Any]:
    before_mode, after_mode, before, after, status = raw.lstrip(":").split()
    difference: dict[str, Any] = {"changeType": status[0]}
    if status[0] != "A":
        difference["beforeBlob"] = {"blobId": before, "path": name, "mode": before_mode}
    if status[0] != "D":
        difference["afterBlob"] = {"blobId": after, "path": name, "mode": after_mode}
    return difference
