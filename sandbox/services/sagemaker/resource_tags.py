"""Tags of SageMaker resources, by ARN: what Create… calls attach and the tag operations work on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import TAGS, AwsError

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine
    from sandbox.engine.operations import Call
    from sandbox.engine.store import Records

KIND = "tag"
"""Records by resource ARN: {"Tags": {key: value}}."""
MAXIMUM = 50


def attach(call: Call, arn: str, tags: list[dict[str, str]] | None) -> None:
    """Adds or replaces tags of a resource. AwsError for reserved or repeated keys, or too many."""
    if not tags:
        return
    keys = [tag["Key"] for tag in tags]
    if len(set(keys)) < len(keys):
        raise AwsError(
            "ValidationException", "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        )
    if call.agent is None and any(key.lower().startswith("aws:") for key in keys):
        raise AwsError("ValidationException", "aws: prefixed tag key names are not allowed for external use.")
    records = call.records(KIND)
    merged = (records.get(arn) or {"Tags": {}})["Tags"] | {tag["Key"]: tag["Value"] for tag in tags}
    if len(merged) > MAXIMUM:
        raise AwsError("ResourceLimitExceeded", f"A resource can have at most {MAXIMUM} tags: {arn}")
    records.put(arn, {"Tags": merged})


def mark(records: Records, arn: str, key: str, value: str) -> None:
    """A tag that SageMaker itself puts on a resource. `records`: those of KIND."""
    record = records.get(arn) or {"Tags": {}}
    records.put(arn, {"Tags": record["Tags"] | {key: value}})


def detach(call: Call, arn: str) -> None:
    """Forgets the tags of a deleted resource."""
    call.records(KIND).delete(arn)


def owner(arn: str) -> str:
    """The ARN whose tags count for `arn`: a version of a model package uses those of its group."""
    prefix, found, path = arn.partition(":model-package/")
    group, version, _ = path.partition("/")
    return f"{prefix}:model-package-group/{group}" if found and version else arn


def tags_of(call: Call, arn: str) -> list[dict[str, Any]]:
    """The tags of a resource as API members."""
    record = call.records(KIND).get(owner(arn)) or {"Tags": {}}
    return [{"Key": key, "Value": value} for key, value in record["Tags"].items()]


def _of_arn(engine: Engine, account: str, region: str, arn: str) -> dict[str, str]:
    record = engine.records(account, region, "sagemaker", KIND).get(owner(arn))
    return record["Tags"] if record else {}


TAGS["sagemaker"] = _of_arn
