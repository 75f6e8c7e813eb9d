"""Tags of secrets.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_TagResource.html
"""

from __future__ import annotations

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.secretsmanager.records import Record, find, put

MAXIMUM = 50


def merged(before: dict[str, str], tags: list[dict[str, str]] | None) -> dict[str, str]:
    """Tags with those of a request put over them; AwsError for too many."""
    found = before | {tag["Key"]: tag.get("Value", "") for tag in tags or []}
    if len(found) > MAXIMUM:
        raise AwsError("LimitExceededException", f"A secret can have at most {MAXIMUM} tags.")
    return found


@operation("secretsmanager", "TagResource")
def tag_resource(call: Call, SecretId: str, Tags: list[dict[str, str]]) -> None:
    with call.engine.store.transaction():
        record = find(call, SecretId)
        put(call, record | {"Tags": merged(record["Tags"], Tags)})


@operation("secretsmanager", "UntagResource")
def untag_resource(call: Call, SecretId: str, TagKeys: list[str]) -> None:
    with call.engine.store.transaction():
        record: Record = find(call, SecretId)
        record["Tags"] = {key: value for key, value in record["Tags"].items() if key not in TagKeys}
        put(call, record)
