"""Single files and folders through the API (CodeCommit API reference)."""

from __future__ import annotations

from typing import Any

from sandbox.engine import git
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.codecommit.commits import MODE_NAMES, create_commit
from sandbox.services.codecommit.repositories import folder


def _resolve(call: Call, repository: str, specifier: str | None) -> tuple[Any, str]:
    path = folder(call, repository)
    commit = call.engine.git.resolve(path, specifier or "HEAD")
    if commit is None:
        raise AwsError("CommitDoesNotExistException", f"{specifier or 'HEAD'} does not exist")
    return path, commit


def _entries(path: Any, commit: str, name: str) -> list[tuple[str, str, str, str]]:
    """(mode, kind, object id, path) of what lies at, or with a trailing slash below, a path."""
    out = git.run(["ls-tree", "-z", commit, "--", *([name] if name else [])], path).decode()
    rows = (row.partition("\t") for row in out.split("\0") if row)
    return [(*head.split(), full) for head, _, full in rows]  # type: ignore[misc]


@operation("codecommit", "GetFile")
def get_file(
    call: Call, repositoryName: str, filePath: str, commitSpecifier: str | None = None
) -> dict[str, Any]:
    path, commit = _resolve(call, repositoryName, commitSpecifier)
    entries = _entries(path, commit, filePath.strip("/"))
    if not entries or entries[0][1] != "blob":
        raise AwsError("FileDoesNotExistException", f"{filePath} does not exist in {repositoryName}")
    mode, _, blob, name = entries[0]
    content = git.run(["cat-file", "blob", blob], path)
    return {
        "commitId": commit,
        "blobId": blob,
        "filePath": name,
        "fileMode": MODE_NAMES[mode],
        "fileSize": len(content),
        "fileContent": content,
    }


@operation("codecommit", "GetFolder")
def get_folder(
    call: Call, repositoryName: str, folderPath: str, commitSpecifier: str | None = None
) -> dict[str, Any]:
    path, commit = _resolve(call, repositoryName, commitSpecifier)
    name = folderPath.strip("/")
    entries = _entries(path, commit, f"{name}/" if name else "")
    if not entries:
        raise AwsError("FolderDoesNotExistException", f"{folderPath} does not exist in {repositoryName}")
    tree = git.run(["rev-parse", f"{commit}:{name}"], path).decode().strip()
    files, folders, links = [], [], []
    for mode, kind, blob, full in entries:
        relative = full[len(name) + 1 :] if name else full
        if kind == "tree":
            folders.append({"treeId": blob, "absolutePath": full, "relativePath": relative})
        else:
            target = links if MODE_NAMES.get(mode) == "SYMLINK" else files
            target.append(
                {"blobId": blob, "absolutePath": full, "relativePath": relative, "fileMode": MODE_NAMES[mode]}
            )
    return {
        "commitId": commit,
        "folderPath": name,
        "treeId": tree,
        "subFolders": folders,
        "files": files,
        "symbolicLinks": links,
        "subModules": [],
    }


@operation("codecommit", "PutFile")
def put_file(
    call: Call,
    repositoryName: str,
    branchName: str,
    fileContent: bytes,
    filePath: str,
    fileMode: str = "NORMAL",
    parentCommitId: str | None = None,
    **described: Any,
) -> dict[str, Any]:
    """`described`: commitMessage, name, email."""
    made = create_commit(
        call,
        repositoryName=repositoryName,
        branchName=branchName,
        parentCommitId=parentCommitId,
        putFiles=[{"filePath": filePath, "fileContent": fileContent, "fileMode": fileMode}],
        commitMessage=described.get("commitMessage") or f"Added {filePath}",
        authorName=described.get("name"),
        email=described.get("email"),
    )
    changed = [*made["filesAdded"], *made["filesUpdated"]][0]
    return {"commitId": made["commitId"], "treeId": made["treeId"], "blobId": changed["blobId"]}
