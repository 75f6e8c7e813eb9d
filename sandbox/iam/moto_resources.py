"""Tags and policies of the resources that moto keeps: S3, KMS, IAM, SSM, logs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.iam.principals.records import iam_backend, role_named, role_of, role_tags


def before_use(service: str) -> None:
    """Called before a service's records are looked at; whoever reads them late puts itself here."""


def _backend(service: str, account: str, region: str) -> Any:
    from moto.backends import get_backend

    before_use(service)
    backends: Any = get_backend
    return backends(service)[account][region]


def bucket_of(account: str, arn: str) -> Any | None:
    """moto's bucket of a bucket's or an object's ARN."""
    return _backend("s3", account, "aws").buckets.get(arn.split(":::", 1)[-1].split("/", 1)[0])


def key_of(account: str, arn: str) -> Any | None:
    """moto's KMS key by ARN."""
    return _backend("kms", account, arn.split(":")[3]).keys.get(arn.rsplit("/", 1)[-1])


def tags_of(account: str, arn: str) -> dict[str, str] | None:
    """Tags of a resource; None where it is not moto's."""
    service = arn.split(":")[2] if arn.startswith("arn:") else ""
    if service == "s3":
        return _s3_tags(account, arn)
    if service == "kms":
        return _kms_tags(account, arn)
    if service == "iam":
        return _iam_tags(account, arn)
    if service == "ssm" and ":parameter/" in arn:
        backend = _backend("ssm", account, arn.split(":")[3])
        name = arn.split(":parameter/", 1)[1]
        for candidate in (f"/{name}", name):
            if candidate in backend._parameters:
                return dict(backend.list_tags_for_resource("Parameter", candidate))
        return {}
    if service == "logs":
        name = arn.split(":log-group:", 1)[-1].split(":", 1)[0]
        backend = _backend("logs", account, arn.split(":")[3])
        group = backend.groups.get(name)
        return dict(backend.tagger.get_tag_dict_for_resource(group.arn)) if group else {}
    return None


def _kms_tags(account: str, arn: str) -> dict[str, str]:
    if key_of(account, arn) is None:
        return {}
    tags = _backend("kms", account, arn.split(":")[3]).list_resource_tags(arn.rsplit("/", 1)[-1])["Tags"]
    return _plain(tags, "TagKey", "TagValue")


def _s3_tags(account: str, arn: str) -> dict[str, str]:
    bucket = bucket_of(account, arn)
    if bucket is None:
        return {}
    name = arn.split(":::", 1)[-1]
    backend = _backend("s3", account, "aws")
    if "/" not in name:
        return dict(backend.tagger.get_tag_dict_for_resource(bucket.arn))
    key = bucket.keys.get(name.split("/", 1)[1])
    return dict(backend.tagger.get_tag_dict_for_resource(key.arn)) if key is not None else {}


def _iam_tags(account: str, arn: str) -> dict[str, str]:
    kind, _, rest = arn.split(":", 5)[5].partition("/")
    backend = iam_backend(account)
    if kind == "role":
        role = role_of(account, arn)
        return role_tags(role) if role else {}
    if kind == "user":
        user = backend.users.get(rest.rsplit("/", 1)[-1])
        return _plain(user.tags or [], "Key", "Value") if user else {}
    if kind == "policy":
        policy = backend.managed_policies.get(arn)
        return {item["Key"]: item["Value"] for item in policy.tags.values()} if policy else {}
    return {}


def _plain(items: Any, name: str, value: str) -> dict[str, str]:
    return {item.get(name, item.get("Key")): item.get(value, item.get("Value")) for item in items}


def policy_of(account: str, arn: str) -> str | None:
    """The policy on a bucket, key or role (its trust); None where there is none."""
    service = arn.split(":")[2] if arn.startswith("arn:") else ""
    if service == "s3":
        bucket = bucket_of(account, arn)
        if bucket is None or not bucket.policy:
            return None
        return bucket.policy.decode() if isinstance(bucket.policy, bytes) else str(bucket.policy)
    if service == "kms" and ":key/" in arn:
        key = key_of(account, arn)
        return str(key.policy) if key is not None else None
    if service == "logs":
        return _logs_policy(account, arn.split(":")[3])
    return None


def _logs_policy(account: str, region: str) -> str | None:
    """All resource policies of CloudWatch Logs in one: each says itself which log groups it is about."""
    policies = list(_backend("logs", account, region).resource_policies.values())
    statements: list[Any] = []
    for policy in policies:
        found = json.loads(policy.policy_document).get("Statement", [])
        statements += found if isinstance(found, list) else [found]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else None


def trust_of(account: str, arn: str) -> str | None:
    """The trust policy of a role; None where there is no such role."""
    role = role_of(account, arn)
    return None if role is None else str(role.assume_role_policy_document)


def aliases_of(account: str, arn: str) -> tuple[str, ...]:
    """Aliases of a KMS key."""
    key = key_of(account, arn) if ":key/" in arn else None
    return tuple(key.aliases) if key is not None else ()


def boundary_of(account: str, params: Mapping[str, Any]) -> str | None:
    """The permissions boundary of the role or user that an IAM request names."""
    backend = _backend("iam", account, "aws")
    name = params.get("RoleName")
    if name:
        holder = role_named(account, name)
    else:
        holder = backend.users.get(params.get("UserName"))
    return getattr(holder, "permissions_boundary_arn", None)
