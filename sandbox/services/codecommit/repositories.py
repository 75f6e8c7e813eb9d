"""Repositories and their tags (CodeCommit API reference)."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import TAGS, AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.engine.store import Record

LIMIT = 5000
"""Repositories an account and region (CodeCommit quotas)."""


def require(call: Call, name: str) -> Record:
    """The repository's record; RepositoryDoesNotExistException where there is none."""
    record = call.records("repository").get(name)
    if record is None:
        raise AwsError("RepositoryDoesNotExistException", f"{name} does not exist")
    return record


def folder(call: Call, name: str) -> Path:
    require(call, name)
    return call.engine.git.path(call.account, call.region, name)


def _metadata(call: Call, record: Record) -> dict[str, Any]:
    shown = {key: value for key, value in record.items() if key not in ("tags", "defaultBranch")}
    branch = record.get("defaultBranch") or _first_branch(call, record["repositoryName"])
    return shown | ({"defaultBranch": branch} if branch else {})


def _first_branch(call: Call, name: str) -> str | None:
    """Until one is set, the first branch pushed is the default branch."""
    heads = [
        ref.removeprefix("refs/heads/")
        for ref in call.engine.git.refs(folder(call, name))
        if ref.startswith("refs/heads/")
    ]
    return "main" if "main" in heads else next(iter(heads), None)


@operation("codecommit", "CreateRepository")
def create_repository(
    call: Call,
    repositoryName: str,
    repositoryDescription: str | None = None,
    tags: dict[str, str] | None = None,
    kmsKeyId: str | None = None,
) -> dict[str, Any]:
    records = call.records("repository")
    if repositoryName.endswith(".git"):
        raise AwsError("InvalidRepositoryNameException", f"{repositoryName} must not end with .git")
    with call.engine.store.transaction():
        if records.get(repositoryName):
            raise AwsError(
                "RepositoryNameExistsException", f"Repository named {repositoryName} already exists"
            )
        if len(records.keys()) >= LIMIT:
            raise AwsError(
                "RepositoryLimitExceededException", f"The limit of {LIMIT} repositories is reached"
            )
        now = call.engine.clock.now()
        host = f"git-codecommit.{call.region}.amazonaws.com/v1/repos/{repositoryName}"
        record = {
            "accountId": call.account,
            "repositoryId": str(uuid.uuid4()),
            "repositoryName": repositoryName,
            "repositoryDescription": repositoryDescription,
            "lastModifiedDate": now,
            "creationDate": now,
            "cloneUrlHttp": f"https://{host}",
            "cloneUrlSsh": f"ssh://{host}",
            "Arn": call.arn(repositoryName),
            "kmsKeyId": kmsKeyId,
            "tags": tags or {},
        }
        call.engine.git.create(call.engine.git.path(call.account, call.region, repositoryName))
        records.put(repositoryName, record)
    return {"repositoryMetadata": _metadata(call, record)}


@operation("codecommit", "GetRepository")
def get_repository(call: Call, repositoryName: str) -> dict[str, Any]:
    return {"repositoryMetadata": _metadata(call, require(call, repositoryName))}


@operation("codecommit", "BatchGetRepositories")
def batch_get_repositories(call: Call, repositoryNames: list[str]) -> dict[str, Any]:
    records = {name: call.records("repository").get(name) for name in repositoryNames}
    return {
        "repositories": [_metadata(call, record) for record in records.values() if record],
        "repositoriesNotFound": [name for name, record in records.items() if not record],
    }


@operation("codecommit", "ListRepositories")
def list_repositories(
    call: Call, nextToken: str | None = None, sortBy: str = "repositoryName", order: str = "ascending"
) -> dict[str, Any]:
    records = sorted(
        call.records("repository").list(), key=lambda record: record[sortBy], reverse=order == "descending"
    )
    shown = [{name: record[name] for name in ("repositoryName", "repositoryId")} for record in records]
    items, token = page(shown, nextToken, 1000, error="InvalidContinuationTokenException")
    return {"repositories": items, "nextToken": token}


@operation("codecommit", "DeleteRepository")
def delete_repository(call: Call, repositoryName: str) -> dict[str, Any]:
    """Deleting what does not exist succeeds with an empty answer, as the API documents."""
    record = call.records("repository").get(repositoryName)
    if record is None:
        return {}
    path = call.engine.git.path(call.account, call.region, repositoryName)
    with call.engine.git.lock(path):
        call.records("repository").delete(repositoryName)
        call.engine.git.delete(path)
    return {"repositoryId": record["repositoryId"]}


@operation("codecommit", "UpdateRepositoryDescription")
def update_description(call: Call, repositoryName: str, repositoryDescription: str | None = None) -> None:
    _update(call, repositoryName, {"repositoryDescription": repositoryDescription})


@operation("codecommit", "UpdateDefaultBranch")
def update_default_branch(call: Call, repositoryName: str, defaultBranchName: str) -> None:
    if f"refs/heads/{defaultBranchName}" not in call.engine.git.refs(folder(call, repositoryName)):
        raise AwsError("BranchDoesNotExistException", f"{defaultBranchName} does not exist")
    _update(call, repositoryName, {"defaultBranch": defaultBranchName})


def _update(call: Call, name: str, change: dict[str, Any]) -> None:
    with call.engine.store.transaction():
        record = require(call, name)
        call.records("repository").put(name, record | change | {"lastModifiedDate": call.engine.clock.now()})


def _named_by(call: Call, arn: str) -> str:
    name = arn.rpartition(":")[2]
    if arn != call.arn(name):
        raise AwsError("InvalidResourceArnException", f"{arn} is not the ARN of a repository here")
    require(call, name)
    return name


@operation("codecommit", "TagResource")
def tag_resource(call: Call, resourceArn: str, tags: dict[str, str]) -> None:
    with call.engine.store.transaction():
        name = _named_by(call, resourceArn)
        record = require(call, name)
        call.records("repository").put(name, record | {"tags": record["tags"] | tags})


@operation("codecommit", "UntagResource")
def untag_resource(call: Call, resourceArn: str, tagKeys: list[str]) -> None:
    with call.engine.store.transaction():
        name = _named_by(call, resourceArn)
        record = require(call, name)
        kept = {key: value for key, value in record["tags"].items() if key not in tagKeys}
        call.records("repository").put(name, record | {"tags": kept})


@operation("codecommit", "ListTagsForResource")
def list_tags_for_resource(call: Call, resourceArn: str, nextToken: str | None = None) -> dict[str, Any]:
    return {"tags": require(call, _named_by(call, resourceArn))["tags"]}


def _tags_of(engine: Engine, account: str, region: str, arn: str) -> dict[str, str]:
    record = engine.records(account, region, "codecommit", "repository").get(arn.rpartition(":")[2])
    return record["tags"] if record else {}


TAGS["codecommit"] = _tags_of
