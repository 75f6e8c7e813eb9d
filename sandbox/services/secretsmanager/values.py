"""Versions of secrets: their values and stages.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
"""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.secretsmanager.encryption import customer_key, seal, unseal
from sandbox.services.secretsmanager.records import (
    CURRENT,
    PREVIOUS,
    Record,
    find,
    move_stage,
    put,
    with_stage,
)

DAY = 86400
STAGES = 20


def prepare(call: Call, record: Record, request: Record) -> tuple[str, Record | None]:
    """The id of the version that SecretString or SecretBinary of a request make, and what is kept of it.

    None where a ClientRequestToken seen before brings the same value; with another it is refused. It asks
    KMS, so it stands outside of a transaction.
    """
    version = request.get("ClientRequestToken") or str(uuid.uuid4())
    text, binary = request.get("SecretString"), request.get("SecretBinary")
    if text is not None and binary is not None:
        raise AwsError(
            "InvalidParameterException",
            "You can't specify both a binary secret value and a string secret value in the same secret.",
        )
    if text is None and binary is None:
        raise AwsError("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
    known = record["Versions"].get(version)
    if known is not None:
        before = unseal(call, record["ARN"], version, known["Kept"])
        if before.get("SecretString") != text or before.get("SecretBinary") != binary:
            raise AwsError(
                "ResourceExistsException",
                f"You can't modify the value of version {version}, because it already exists.",
            )
        return version, None
    key = customer_key(record.get("KmsKeyId"))
    return version, seal(call, key, record["ARN"], version, text, binary)


def add(call: Call, record: Record, version: str, kept: Record | None, stages: list[str]) -> None:
    """Puts a prepared version into the record, with its stages; a secret's first one is AWSCURRENT too."""
    now = call.engine.clock.now()
    if kept is not None and version not in record["Versions"]:
        record["Versions"][version] = {"Kept": kept, "CreatedDate": now, "VersionStages": []}
    for stage in stages if with_stage(record, CURRENT) else [*stages, CURRENT]:
        move_stage(record, stage, version)
    record["LastChangedDate"] = now


@operation("secretsmanager", "PutSecretValue")
def put_secret_value(call: Call, SecretId: str, **request: Any) -> Record:
    if request.get("RotationToken"):
        raise AwsError("InvalidParameterException", "RotationToken is not implemented by the sandbox.")
    version, kept = prepare(call, find(call, SecretId), request)
    with call.engine.store.transaction():
        record = find(call, SecretId)
        add(call, record, version, kept, request.get("VersionStages") or [CURRENT])
        put(call, record)
    return {
        "ARN": record["ARN"],
        "Name": record["Name"],
        "VersionId": version,
        "VersionStages": record["Versions"][version]["VersionStages"],
    }


@operation("secretsmanager", "GetSecretValue")
def get_secret_value(
    call: Call, SecretId: str, VersionId: str | None = None, VersionStage: str | None = None
) -> Record:
    record = find(call, SecretId)
    version = VersionId or with_stage(record, VersionStage or CURRENT)
    found = record["Versions"].get(version)
    if version is None or found is None or (VersionStage and VersionStage not in found["VersionStages"]):
        asked = f"VersionId: {VersionId}" if VersionId else f"staging label: {VersionStage or CURRENT}"
        raise AwsError(
            "ResourceNotFoundException",
            f"Secrets Manager can't find the specified secret value for {asked}",
        )
    value = unseal(call, record["ARN"], version, found["Kept"])
    today = call.engine.clock.now() // DAY * DAY
    if record.get("LastAccessedDate") != today:
        with call.engine.store.transaction():
            put(call, find(call, SecretId) | {"LastAccessedDate": today})
    return {
        "ARN": record["ARN"],
        "Name": record["Name"],
        "VersionId": version,
        "VersionStages": found["VersionStages"],
        "CreatedDate": found["CreatedDate"],
        **value,
    }


@operation("secretsmanager", "UpdateSecretVersionStage")
def update_secret_version_stage(
    call: Call,
    SecretId: str,
    VersionStage: str,
    RemoveFromVersionId: str | None = None,
    MoveToVersionId: str | None = None,
) -> Record:
    with call.engine.store.transaction():
        record = find(call, SecretId)
        for version in (RemoveFromVersionId, MoveToVersionId):
            if version and version not in record["Versions"]:
                raise AwsError(
                    "ResourceNotFoundException", f"Secrets Manager can't find the version {version}."
                )
        holder = with_stage(record, VersionStage)
        if holder and holder != RemoveFromVersionId and holder != MoveToVersionId:
            raise AwsError(
                "InvalidParameterException",
                f"The parameter RemoveFromVersionId can't be empty. Staging label {VersionStage} is "
                f"currently attached to version {holder}, so you must explicitly reference that version in "
                "RemoveFromVersionId.",
            )
        if VersionStage == CURRENT and not MoveToVersionId:
            raise AwsError(
                "InvalidParameterException", f"You can't remove the staging label {CURRENT} from a version."
            )
        if VersionStage == PREVIOUS and MoveToVersionId is None and RemoveFromVersionId is None:
            raise AwsError(
                "InvalidParameterException", "Either MoveToVersionId or RemoveFromVersionId is required."
            )
        move_stage(record, VersionStage, MoveToVersionId)
        put(call, record)
    return {"ARN": record["ARN"], "Name": record["Name"]}


@operation("secretsmanager", "ListSecretVersionIds")
def list_secret_version_ids(
    call: Call,
    SecretId: str,
    MaxResults: int | None = None,
    NextToken: str | None = None,
    IncludeDeprecated: bool = False,
) -> Record:
    record = find(call, SecretId, deleted=True)
    found = [
        {
            "VersionId": version,
            "CreatedDate": item["CreatedDate"],
            "KmsKeyIds": [item["Kept"].get("KeyId", "DefaultEncryptionKey")],
        }
        | ({"VersionStages": item["VersionStages"]} if item["VersionStages"] else {})
        for version, item in record["Versions"].items()
        if item["VersionStages"] or IncludeDeprecated
    ]
    items, token = page(found, NextToken, MaxResults, error="InvalidNextTokenException")
    answer = {"ARN": record["ARN"], "Name": record["Name"], "Versions": items}
    return answer | ({"NextToken": token} if token else {})
