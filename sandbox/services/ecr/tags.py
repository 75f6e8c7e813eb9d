"""Tags of repositories.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_TagResource.html
"""

from __future__ import annotations

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.ecr.records import KIND, Record, by_arn

MAXIMUM = 50


@operation("ecr", "ListTagsForResource")
def list_tags_for_resource(call: Call, resourceArn: str) -> Record:
    tags = by_arn(call, resourceArn)[1]["Tags"]
    return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


@operation("ecr", "TagResource")
def tag_resource(call: Call, resourceArn: str, tags: list[dict[str, str]]) -> Record:
    with call.engine.store.transaction():
        name, record = by_arn(call, resourceArn)
        record["Tags"] |= {tag["Key"]: tag.get("Value", "") for tag in tags}
        if len(record["Tags"]) > MAXIMUM:
            raise AwsError("TooManyTagsException", f"A repository can have at most {MAXIMUM} tags.")
        call.records(KIND).put(name, record)
    return {}


@operation("ecr", "UntagResource")
def untag_resource(call: Call, resourceArn: str, tagKeys: list[str]) -> Record:
    with call.engine.store.transaction():
        name, record = by_arn(call, resourceArn)
        record["Tags"] = {key: value for key, value in record["Tags"].items() if key not in tagKeys}
        call.records(KIND).put(name, record)
    return {}
