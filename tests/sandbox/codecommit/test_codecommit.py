"""CodeCommit through its API and through real git."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox_process import SandboxProcess

URL = "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/"


@pytest.fixture
def codecommit(sandbox: SandboxProcess) -> Any:
    return sandbox.client("codecommit")


def make(codecommit: Any, name: str) -> str:
    codecommit.create_repository(repositoryName=name, tags={"team": "a"})
    files = [
        {"filePath": "a/b.txt", "fileContent": b"one\n"},
        {"filePath": "run.sh", "fileContent": b"#!/bin/sh\n", "fileMode": "EXECUTABLE"},
    ]
    return codecommit.create_commit(repositoryName=name, branchName="main", putFiles=files)["commitId"]  # type: ignore[no-any-return]


def git(
    sandbox: SandboxProcess, folder: Path, *arguments: str, principal: str = "engineer"
) -> subprocess.CompletedProcess[str]:
    identity = ("-c", "user.name=Engineer", "-c", "user.email=engineer@example.com")
    return sandbox.run("git", *identity, *arguments, principal=principal, cwd=folder)


def test_repositories_are_described_listed_tagged_and_deleted(codecommit: Any) -> None:
    make(codecommit, "sagemaker-cc-one")
    metadata = codecommit.get_repository(repositoryName="sagemaker-cc-one")["repositoryMetadata"]
    assert metadata["cloneUrlHttp"] == URL + "sagemaker-cc-one" and metadata["defaultBranch"] == "main"
    codecommit.tag_resource(resourceArn=metadata["Arn"], tags={"more": "b"})
    codecommit.untag_resource(resourceArn=metadata["Arn"], tagKeys=["team"])
    assert codecommit.list_tags_for_resource(resourceArn=metadata["Arn"])["tags"] == {"more": "b"}
    assert "sagemaker-cc-one" in [
        item["repositoryName"] for item in codecommit.list_repositories()["repositories"]
    ]
    with pytest.raises(codecommit.exceptions.RepositoryNameExistsException):
        codecommit.create_repository(repositoryName="sagemaker-cc-one")
    codecommit.delete_repository(repositoryName="sagemaker-cc-one")
    with pytest.raises(codecommit.exceptions.RepositoryDoesNotExistException):
        codecommit.get_repository(repositoryName="sagemaker-cc-one")
    assert "repositoryId" not in codecommit.delete_repository(repositoryName="sagemaker-cc-one")


def test_commits_through_the_api_are_gits_commits(codecommit: Any) -> None:
    name = "sagemaker-cc-commits"
    first = make(codecommit, name)
    with pytest.raises(codecommit.exceptions.ParentCommitIdRequiredException):
        codecommit.create_commit(
            repositoryName=name, branchName="main", putFiles=[{"filePath": "c", "fileContent": b""}]
        )
    answer = codecommit.create_commit(
        repositoryName=name,
        branchName="main",
        parentCommitId=first,
        commitMessage="change",
        authorName="A",
        email="a@example.com",
        putFiles=[{"filePath": "a/b.txt", "fileContent": b"two\n"}],
        deleteFiles=[{"filePath": "run.sh"}],
    )
    assert [item["absolutePath"] for item in answer["filesUpdated"]] == ["a/b.txt"]
    assert [item["absolutePath"] for item in answer["filesDeleted"]] == ["run.sh"] and answer[
        "filesAdded"
    ] == []
    changed = answer["commitId"]
    commit = codecommit.get_commit(repositoryName=name, commitId=changed)["commit"]
    assert (
        commit["parents"] == [first] and commit["message"] == "change\n" and commit["author"]["name"] == "A"
    )
    assert codecommit.get_file(repositoryName=name, filePath="a/b.txt")["fileContent"] == b"two\n"
    differences = codecommit.get_differences(
        repositoryName=name, beforeCommitSpecifier=first, afterCommitSpecifier=changed
    )["differences"]
    assert sorted(item["changeType"] for item in differences) == ["D", "M"]
    with pytest.raises(codecommit.exceptions.ParentCommitIdOutdatedException):
        codecommit.create_commit(
            repositoryName=name,
            branchName="main",
            parentCommitId=first,
            putFiles=[{"filePath": "c", "fileContent": b"x"}],
        )
    with pytest.raises(codecommit.exceptions.InvalidPathException):
        codecommit.create_commit(
            repositoryName=name,
            branchName="main",
            parentCommitId=changed,
            putFiles=[{"filePath": "../c", "fileContent": b"x"}],
        )


def test_an_engineer_clones_and_pushes_with_real_git(
    sandbox: SandboxProcess, codecommit: Any, tmp_path: Path
) -> None:
    name = "sagemaker-cc-git"
    first = make(codecommit, name)
    assert git(sandbox, tmp_path, "clone", "-q", URL + name, "work").returncode == 0
    work = tmp_path / "work"
    assert (work / "run.sh").stat().st_mode & 0o100
    (work / "big.bin").write_bytes(bytes(range(256)) * 20_000)
    git(sandbox, work, "checkout", "-q", "-b", "feature")
    git(sandbox, work, "add", ".")
    git(sandbox, work, "commit", "-q", "-m", "big")
    pushed = git(sandbox, work, "push", "-q", "origin", "feature")
    assert pushed.returncode == 0, pushed.stderr
    head = git(sandbox, work, "rev-parse", "HEAD").stdout.strip()
    assert codecommit.get_branch(repositoryName=name, branchName="feature")["branch"]["commitId"] == head
    assert codecommit.get_branch(repositoryName=name, branchName="main")["branch"]["commitId"] == first
    codecommit.delete_branch(repositoryName=name, branchName="feature")
    assert codecommit.list_branches(repositoryName=name)["branches"] == ["main"]


def test_who_may_not_push_is_refused_and_the_ref_unchanged(
    sandbox: SandboxProcess, codecommit: Any, tmp_path: Path
) -> None:
    name = "sagemaker-cc-denied"
    first = make(codecommit, name)
    assert git(sandbox, tmp_path, "clone", "-q", URL + name, "work").returncode == 0
    work = tmp_path / "work"
    git(sandbox, work, "commit", "-q", "--allow-empty", "-m", "no")
    pushed = git(sandbox, work, "push", "-q", "origin", "main", principal="approver")
    assert pushed.returncode != 0 and "403" in pushed.stderr
    assert codecommit.get_branch(repositoryName=name, branchName="main")["branch"]["commitId"] == first


def test_a_repository_outside_the_engineers_prefix_is_closed(
    sandbox: SandboxProcess, codecommit: Any
) -> None:
    make(codecommit, "private-cc")
    with pytest.raises(ClientError) as caught:
        sandbox.client("codecommit", "engineer").get_branch(repositoryName="private-cc", branchName="main")
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDeniedException"
    assert (
        "codecommit:GetBranch on resource: arn:aws:codecommit:us-east-1:123456789012:private-cc"
        in error["Message"]
    )


def test_folders_and_missing_things(codecommit: Any) -> None:
    name = "sagemaker-cc-folders"
    make(codecommit, name)
    root = codecommit.get_folder(repositoryName=name, folderPath="/")
    assert [item["absolutePath"] for item in root["subFolders"]] == ["a"]
    assert [item["absolutePath"] for item in root["files"]] == ["run.sh"]
    with pytest.raises(codecommit.exceptions.FileDoesNotExistException):
        codecommit.get_file(repositoryName=name, filePath="nope")
    with pytest.raises(codecommit.exceptions.BranchDoesNotExistException):
        codecommit.get_branch(repositoryName=name, branchName="nope")
    with pytest.raises(codecommit.exceptions.CommitIdDoesNotExistException):
        codecommit.get_commit(repositoryName=name, commitId="0" * 40)


def test_the_tree_is_what_an_archive_holds(sandbox: SandboxProcess, codecommit: Any) -> None:
    from sandbox.engine.git import Git

    commit = make(codecommit, "sagemaker-cc-archive")
    data = Git(sandbox.state / "git").archive("123456789012", "us-east-1", "sagemaker-cc-archive", commit)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert sorted(name for name in archive.namelist() if not name.endswith("/")) == ["a/b.txt", "run.sh"]


def test_a_policy_on_references_protects_a_branch(
    sandbox: SandboxProcess, codecommit: Any, tmp_path: Path
) -> None:
    """AWS's documented way to deny pushes to a branch: a Deny on codecommit:References."""
    import json

    name = "sagemaker-cc-protected"
    first = make(codecommit, name)
    statement = {
        "Effect": "Deny",
        "Action": ["codecommit:GitPush"],
        "Resource": f"arn:aws:codecommit:us-east-1:123456789012:{name}",
        "Condition": {
            "StringEqualsIfExists": {"codecommit:References": ["refs/heads/main"]},
            "Null": {"codecommit:References": "false"},
        },
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam = sandbox.client("iam")
    iam.put_user_policy(UserName="engineer", PolicyName="protect", PolicyDocument=policy)
    try:
        assert git(sandbox, tmp_path, "clone", "-q", URL + name, "work").returncode == 0
        work = tmp_path / "work"
        git(sandbox, work, "commit", "-q", "--allow-empty", "-m", "no")
        assert git(sandbox, work, "push", "-q", "origin", "main").returncode != 0
        assert git(sandbox, work, "push", "-q", "origin", "HEAD:refs/heads/other").returncode == 0
        assert codecommit.get_branch(repositoryName=name, branchName="main")["branch"]["commitId"] == first
    finally:
        iam.delete_user_policy(UserName="engineer", PolicyName="protect")
