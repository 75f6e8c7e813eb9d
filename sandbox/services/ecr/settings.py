"""What is set on a repository, for images that nothing here pushes.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageScanningConfiguration.html
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.ecr.records import KIND, Record, answer, find


def _set(call: Call, name: str, registry: str | None, values: Record) -> Record:
    with call.engine.store.transaction():
        record = find(call, name, registry)
        record["Repository"] |= values
        call.records(KIND).put(name, record)
    return answer(call, name, **values)


@operation("ecr", "PutImageScanningConfiguration", record_only=True)
def put_image_scanning_configuration(
    call: Call, repositoryName: str, imageScanningConfiguration: Record, registryId: str | None = None
) -> Record:
    return _set(call, repositoryName, registryId, {"imageScanningConfiguration": imageScanningConfiguration})


@operation("ecr", "PutImageTagMutability", record_only=True)
def put_image_tag_mutability(
    call: Call,
    repositoryName: str,
    imageTagMutability: str,
    registryId: str | None = None,
    imageTagMutabilityExclusionFilters: list[Record] | None = None,
) -> Record:
    values: Record = {"imageTagMutability": imageTagMutability}
    if imageTagMutabilityExclusionFilters:
        values["imageTagMutabilityExclusionFilters"] = imageTagMutabilityExclusionFilters
    return _set(call, repositoryName, registryId, values)


@operation("ecr", "PutLifecyclePolicy", record_only=True)
def put_lifecycle_policy(
    call: Call, repositoryName: str, lifecyclePolicyText: str, registryId: str | None = None
) -> Record:
    _check_lifecycle(lifecyclePolicyText)
    with call.engine.store.transaction():
        record = find(call, repositoryName, registryId)
        call.records(KIND).put(repositoryName, record | {"Lifecycle": lifecyclePolicyText})
    return answer(call, repositoryName, lifecyclePolicyText=lifecyclePolicyText)


@operation("ecr", "GetLifecyclePolicy")
def get_lifecycle_policy(call: Call, repositoryName: str, registryId: str | None = None) -> Record:
    text = _lifecycle(call, repositoryName, registryId)["Lifecycle"]
    return answer(call, repositoryName, lifecyclePolicyText=text)


@operation("ecr", "DeleteLifecyclePolicy")
def delete_lifecycle_policy(call: Call, repositoryName: str, registryId: str | None = None) -> Record:
    with call.engine.store.transaction():
        record = _lifecycle(call, repositoryName, registryId)
        text = record.pop("Lifecycle")
        call.records(KIND).put(repositoryName, record)
    return answer(call, repositoryName, lifecyclePolicyText=text)


def _lifecycle(call: Call, name: str, registry: str | None) -> Record:
    record = find(call, name, registry)
    if "Lifecycle" not in record:
        raise AwsError(
            "LifecyclePolicyNotFoundException",
            f"Lifecycle policy does not exist for the repository with name '{name}' in the registry "
            f"with id '{call.account}'",
        )
    return record


def _check_lifecycle(text: str) -> None:
    import json

    try:
        rules: Any = json.loads(text)["rules"]
        priorities = [rule["rulePriority"] for rule in rules]
        for rule in rules:
            if rule["action"]["type"] not in ("expire", "transition"):
                raise ValueError(rule["action"]["type"])
            if rule["selection"]["tagStatus"] not in ("tagged", "untagged", "any"):
                raise ValueError(rule["selection"]["tagStatus"])
        if len(set(priorities)) < len(priorities):
            raise ValueError("rule priorities must be unique")
    except (ValueError, KeyError, TypeError) as error:
        raise AwsError(
            "InvalidParameterException",
            "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
            f"'Lifecycle policy validation failure: {error}'",
        ) from error
