"""Repositories.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.ecr.records import KIND, Record, find


@operation("ecr", "CreateRepository", record_only=True)
def create_repository(call: Call, **request: Any) -> Record:
    name = request["repositoryName"]
    encryption = request.get("encryptionConfiguration") or {"encryptionType": "AES256"}
    if encryption["encryptionType"] != "AES256" and not encryption.get("kmsKey"):
        encryption = encryption | {
            "kmsKey": f"arn:aws:kms:{call.region}:{call.account}:alias/aws/ecr",
        }
    if encryption["encryptionType"] != "AES256" and ":alias/aws/" not in encryption["kmsKey"]:
        _check_key(call, encryption["kmsKey"])
    repository = {
        "repositoryArn": call.arn(f"repository/{name}"),
        "registryId": call.account,
        "repositoryName": name,
        "repositoryUri": f"{call.account}.dkr.ecr.{call.region}.amazonaws.com/{name}",
        "createdAt": call.engine.clock.now(),
        "imageTagMutability": request.get("imageTagMutability", "MUTABLE"),
        "imageScanningConfiguration": request.get("imageScanningConfiguration") or {"scanOnPush": False},
        "encryptionConfiguration": encryption,
    }
    filters = request.get("imageTagMutabilityExclusionFilters")
    if filters:
        repository["imageTagMutabilityExclusionFilters"] = filters
    tags = {tag["Key"]: tag.get("Value", "") for tag in request.get("tags") or []}
    with call.engine.store.transaction():
        if call.records(KIND).get(name):
            raise AwsError(
                "RepositoryAlreadyExistsException",
                f"The repository with name '{name}' already exists in the registry with id '{call.account}'",
            )
        call.records(KIND).put(name, {"Repository": repository, "Tags": tags})
    return {"repository": repository}


def _check_key(call: Call, key: str) -> None:
    """ECR uses a customer's key through grants that the caller must be able to give."""
    from sandbox.iam.actions.check import Asked
    from sandbox.iam.actions.kms import key_arn

    arn = key_arn(Asked("kms", "CreateGrant", {}, call.region, call.account), key)
    service = f"ecr.{call.region}.amazonaws.com"
    try:
        call.session().authorize(
            "kms:CreateGrant", arn, **{"kms:GrantIsForAWSResource": "true", "kms:ViaService": service}
        )
    except AwsError as error:
        raise AwsError("KmsException", error.message, kmsError="AccessDeniedException") from error


@operation("ecr", "DescribeRepositories")
def describe_repositories(
    call: Call,
    registryId: str | None = None,
    repositoryNames: list[str] | None = None,
    nextToken: str | None = None,
    maxResults: int | None = None,
) -> Record:
    if repositoryNames:
        records = [find(call, name, registryId) for name in repositoryNames]
    else:
        records = call.records(KIND).list() if registryId in (None, call.account) else []
    found = [record["Repository"] for record in records]
    items, token = page(found, nextToken, maxResults, error="InvalidParameterException")
    return {"repositories": items} | ({"nextToken": token} if token else {})


@operation("ecr", "DeleteRepository")
def delete_repository(
    call: Call, repositoryName: str, registryId: str | None = None, force: bool = False
) -> Record:
    """`force` is for repositories that hold images: here none does."""
    with call.engine.store.transaction():
        record = find(call, repositoryName, registryId)
        call.records(KIND).delete(repositoryName)
    return {"repository": record["Repository"]}
