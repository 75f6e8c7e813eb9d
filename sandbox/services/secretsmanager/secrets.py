"""Secrets: made, described, changed.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.secretsmanager.records import CURRENT, KIND, Record, find, new_arn, put
from sandbox.services.secretsmanager.tags import merged
from sandbox.services.secretsmanager.values import add, prepare

REFUSED = ("AddReplicaRegions", "Type", "CrossAccountPrimaryARN")
_SHOWN = (
    "ARN",
    "Name",
    "Description",
    "KmsKeyId",
    "LastChangedDate",
    "LastAccessedDate",
    "DeletedDate",
    "CreatedDate",
)


def described(record: Record) -> Record:
    """Members that DescribeSecret and ListSecrets share."""
    shown = {name: record[name] for name in _SHOWN if record.get(name) is not None}
    if record["Tags"]:
        shown["Tags"] = [{"Key": key, "Value": value} for key, value in record["Tags"].items()]
    return shown


def stages(record: Record) -> dict[str, list[str]]:
    return {key: item["VersionStages"] for key, item in record["Versions"].items() if item["VersionStages"]}


@operation("secretsmanager", "CreateSecret")
def create_secret(call: Call, Name: str, **request: Any) -> Record:
    for member in REFUSED:
        if request.get(member):
            raise AwsError("InvalidParameterException", f"{member} is not implemented by the sandbox.")
    again = _made_before(call, Name, request)
    if again is not None:
        return again
    now = call.engine.clock.now()
    record: Record = {
        "ARN": new_arn(call, Name),
        "Name": Name,
        "Description": request.get("Description"),
        "KmsKeyId": request.get("KmsKeyId"),
        "CreatedDate": now,
        "LastChangedDate": now,
        "Tags": merged({}, request.get("Tags")),
        "Versions": {},
    }
    version = None
    if "SecretString" in request or "SecretBinary" in request:
        version, kept = prepare(call, record, request)
        add(call, record, version, kept, [CURRENT])
    with call.engine.store.transaction():
        if call.records(KIND).get(Name) is not None:
            raise _exists(Name)
        put(call, record)
    answer = {"ARN": record["ARN"], "Name": Name}
    return answer | ({"VersionId": version} if version else {})


def _made_before(call: Call, name: str, request: Record) -> Record | None:
    """The answer where this very request made the secret already; AwsError for a name that is taken."""
    record = call.records(KIND).get(name)
    if record is None:
        return None
    if "DeletedDate" in record:
        raise AwsError(
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        )
    if request.get("ClientRequestToken") not in record["Versions"]:
        raise _exists(name)
    version, _ = prepare(call, record, request)
    return {"ARN": record["ARN"], "Name": name, "VersionId": version}


def _exists(name: str) -> AwsError:
    return AwsError(
        "ResourceExistsException", f"The operation failed because the secret {name} already exists."
    )


@operation("secretsmanager", "DescribeSecret")
def describe_secret(call: Call, SecretId: str) -> Record:
    record = find(call, SecretId, deleted=True)
    found = stages(record)
    return described(record) | ({"VersionIdsToStages": found} if found else {})


@operation("secretsmanager", "UpdateSecret")
def update_secret(call: Call, SecretId: str, **request: Any) -> Record:
    if request.get("Type"):
        raise AwsError("InvalidParameterException", "Type is not implemented by the sandbox.")
    settings = {
        member: request[member] for member in ("Description", "KmsKeyId") if request.get(member) is not None
    }
    version = kept = None
    if "SecretString" in request or "SecretBinary" in request:
        version, kept = prepare(call, find(call, SecretId) | settings, request)
    with call.engine.store.transaction():
        record = find(call, SecretId) | settings
        if version is not None:
            add(call, record, version, kept, [CURRENT])
        record["LastChangedDate"] = call.engine.clock.now()
        put(call, record)
    answer = {"ARN": record["ARN"], "Name": record["Name"]}
    return answer | ({"VersionId": version} if version else {})
