"""Branches (CodeCommit API reference)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandbox.engine import git
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.codecommit import pushes
from sandbox.services.codecommit.repositories import folder, require


def head(call: Call, repository: str, branch: str) -> str:
    """The commit a branch points to; BranchDoesNotExistException."""
    commit = call.engine.git.refs(folder(call, repository)).get(f"refs/heads/{branch}")
    if commit is None:
        raise AwsError("BranchDoesNotExistException", f"{branch} does not exist")
    return commit


def check_name(path: Path, branch: str) -> None:
    """InvalidBranchNameException for a name that git would not take."""
    try:
        git.run(["check-ref-format", "--branch", branch], path)
        git.run(["check-ref-format", f"refs/heads/{branch}"], path)
    except git.GitError as error:
        raise AwsError("InvalidBranchNameException", str(error)) from error


def move(call: Call, repository: str, branch: str, commit: str | None) -> None:
    """Points a branch to a commit (None deletes it) and tells what changed."""
    path = folder(call, repository)
    ref = f"refs/heads/{branch}"
    with pushes.telling(call.engine, call.principal, call.region, repository):
        git.run(["update-ref", ref, commit] if commit else ["update-ref", "-d", ref], path)


@operation("codecommit", "GetBranch")
def get_branch(
    call: Call, repositoryName: str | None = None, branchName: str | None = None
) -> dict[str, Any]:
    if not repositoryName:
        raise AwsError("RepositoryNameRequiredException", "A repository name is required")
    if not branchName:
        raise AwsError("BranchNameRequiredException", "A branch name is required")
    commit = head(call, repositoryName, branchName)
    return {"branch": {"branchName": branchName, "commitId": commit}}


@operation("codecommit", "ListBranches")
def list_branches(call: Call, repositoryName: str, nextToken: str | None = None) -> dict[str, Any]:
    refs = call.engine.git.refs(folder(call, repositoryName))
    names = [ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")]
    items, token = page(names, nextToken, 1000, error="InvalidContinuationTokenException")
    return {"branches": items, "nextToken": token}


@operation("codecommit", "CreateBranch")
def create_branch(call: Call, repositoryName: str, branchName: str, commitId: str) -> None:
    path = folder(call, repositoryName)
    if f"refs/heads/{branchName}" in call.engine.git.refs(path):
        raise AwsError("BranchNameExistsException", f"{branchName} already exists")
    if call.engine.git.resolve(path, commitId) != commitId:
        raise AwsError("CommitDoesNotExistException", f"Commit {commitId} does not exist")
    check_name(path, branchName)
    move(call, repositoryName, branchName, commitId)


@operation("codecommit", "DeleteBranch")
def delete_branch(call: Call, repositoryName: str, branchName: str) -> dict[str, Any]:
    record = require(call, repositoryName)
    if record.get("defaultBranch", "main") == branchName:
        raise AwsError(
            "DefaultBranchCannotBeDeletedException", f"{branchName} is the default branch of {repositoryName}"
        )
    commit = call.engine.git.refs(folder(call, repositoryName)).get(f"refs/heads/{branchName}")
    if commit is None:
        return {}
    move(call, repositoryName, branchName, None)
    return {"deletedBranch": {"branchName": branchName, "commitId": commit}}
