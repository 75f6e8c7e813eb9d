"""Resource policies of secrets: they take part in IAM's decisions.

https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.secretsmanager.records import Record, find, put


def _checked(text: str) -> dict[str, Any]:
    from sandbox.iam.documents import MalformedPolicy, parse

    try:
        parse(text, "resource policy")
    except MalformedPolicy as error:
        raise AwsError(
            "MalformedPolicyDocumentException", "This resource policy contains invalid Json."
        ) from error
    body: dict[str, Any] = json.loads(text)
    return body


def _public(body: dict[str, Any]) -> bool:
    """Whether a statement lets everyone in, with no condition about it."""
    found = body["Statement"]
    for item in found if isinstance(found, list) else [found]:
        principal = item.get("Principal")
        named = principal.get("AWS") if isinstance(principal, dict) else principal
        everyone = named == "*" or (isinstance(named, list) and "*" in named)
        if item["Effect"] == "Allow" and everyone and not item.get("Condition"):
            return True
    return False


@operation("secretsmanager", "PutResourcePolicy")
def put_resource_policy(
    call: Call,
    SecretId: str,
    ResourcePolicy: str,
    BlockPublicPolicy: bool = True,
    PolicyName: str | None = None,
) -> Record:
    if PolicyName is not None:
        raise AwsError("InvalidParameterException", "PolicyName is not implemented by the sandbox.")
    if _public(_checked(ResourcePolicy)) and BlockPublicPolicy:
        raise AwsError(
            "PublicPolicyException",
            "You can't use a resource policy that grants broad access to the secret. To use this policy, "
            "you must turn off the block public policy setting.",
        )
    with call.engine.store.transaction():
        record = find(call, SecretId)
        put(call, record | {"Policy": ResourcePolicy})
    return _named(record)


@operation("secretsmanager", "GetResourcePolicy")
def get_resource_policy(call: Call, SecretId: str, PolicyName: str | None = None) -> Record:
    record = find(call, SecretId)
    return _named(record) | ({"ResourcePolicy": record["Policy"]} if "Policy" in record else {})


@operation("secretsmanager", "DeleteResourcePolicy")
def delete_resource_policy(call: Call, SecretId: str, PolicyName: str | None = None) -> Record:
    with call.engine.store.transaction():
        record = find(call, SecretId)
        record.pop("Policy", None)
        put(call, record)
    return _named(record)


def _named(record: Record) -> Record:
    return {"ARN": record["ARN"], "Name": record["Name"]}
