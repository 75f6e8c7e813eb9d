"""Tags of resources, by their ids.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.engine.operations import TAGS, AwsError, Call
from sandbox.engine.pagination import page
from sandbox.services.ec2 import kinds
from sandbox.services.ec2.kinds import KINDS, TAG, Record, Request, recorded

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine

_FILTERS = {"resource-id": "ResourceId", "resource-type": "ResourceType", "key": "Key", "value": "Value"}


def _kind(identifier: str) -> kinds.Kind:
    for kind in KINDS:
        if identifier.startswith(kind.prefix):
            return kind
    raise AwsError("InvalidID", f"The ID '{identifier}' is not valid", status=400)


@recorded("CreateTags")
def create_tags(call: Call, request: Request) -> None:
    if call.agent is None and any(item["Key"].lower().startswith("aws:") for item in request["Tags"]):
        raise AwsError(
            "InvalidParameterValue",
            "Value ( aws: ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for "
            "internal use",
            status=400,
        )
    for identifier in request["Resources"]:
        kinds.get(call, _kind(identifier), identifier)
        kinds.tag(call, identifier, request["Tags"])


@recorded("DeleteTags")
def delete_tags(call: Call, request: Request) -> None:
    """A tag that is given with a value goes only if it has that value; without tags, all go."""
    for identifier in request["Resources"]:
        kinds.get(call, _kind(identifier), identifier)
        before = call.records(TAG).get(identifier) or {}
        given = request.get("Tags")
        kept = {
            key: value
            for key, value in before.items()
            if given
            and not any(item.get("Key") == key and item.get("Value", value) == value for item in given)
        }
        call.records(TAG).put(identifier, kept)


@recorded("DescribeTags")
def describe_tags(call: Call, request: Request) -> Record:
    known = call.records(TAG)
    found = [
        {"Key": key, "Value": value, "ResourceId": identifier, "ResourceType": _kind(identifier).type}
        for identifier in list(known.keys())
        for key, value in (known.get(identifier) or {}).items()
    ]
    found = [item for item in found if kinds.passes(item, request.get("Filters") or [], _FILTERS)]
    token, limit = request.get("NextToken"), request.get("MaxResults")
    items, following = page(found, token, limit, error="InvalidNextToken", default=1000)
    return {"Tags": items} | ({"NextToken": following} if following else {})


def _of_arn(engine: Engine, account: str, region: str, arn: str) -> dict[str, str]:
    return engine.records(account, region, "ec2", TAG).get(arn.rpartition("/")[2]) or {}


TAGS["ec2"] = _of_arn
