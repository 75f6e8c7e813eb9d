"""Lifecycle rules of buckets, which CloudFormation writes flatter than S3's API."""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.resources import convert

_EXPIRATION = {"ExpirationInDays": "Days", "ExpirationDate": "Date", "ExpiredObjectDeleteMarker": None}
_FILTER = ("TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan", "Prefix")
_SAME = ("Status", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload")


def lifecycle(s3: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """The API's LifecycleConfiguration for the property of that name."""
    surplus = sorted(set(wanted) - {"Rules"})
    if surplus:
        raise convert.Unmapped(f"LifecycleConfiguration/{surplus[0]} is not implemented by the sandbox")
    shape = convert.member_shape(s3, "PutBucketLifecycleConfiguration", "LifecycleConfiguration")
    return convert.value(shape, {"Rules": [_rule(rule) for rule in wanted["Rules"]]})


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    result = {name: rule[name] for name in _SAME if name in rule}
    if "Id" in rule:
        result["ID"] = rule["Id"]
    expiration = {new or old: rule[old] for old, new in _EXPIRATION.items() if old in rule}
    if expiration:
        result["Expiration"] = expiration
    if "NoncurrentVersionExpirationInDays" in rule:
        result["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    transitions = _both(rule, "Transition")
    if transitions:
        names = {"TransitionInDays": "Days", "TransitionDate": "Date"}
        result["Transitions"] = [_renamed(item, names) for item in transitions]
    noncurrent = _both(rule, "NoncurrentVersionTransition")
    if noncurrent:
        names = {"TransitionInDays": "NoncurrentDays"}
        result["NoncurrentVersionTransitions"] = [_renamed(item, names) for item in noncurrent]
    result["Filter"] = _filter(rule)
    return result


def _both(rule: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The items of the list property and of its older, single form."""
    return [*rule.get(f"{name}s", []), *([rule[name]] if name in rule else [])]


def _renamed(item: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in item.items()}


def _filter(rule: dict[str, Any]) -> dict[str, Any]:
    parts: dict[str, Any] = {name: rule[name] for name in _FILTER if name in rule}
    tags = parts.pop("TagFilters", [])
    if not parts and not tags:
        return {"Prefix": ""}
    if len(parts) + len(tags) == 1:
        return {"Tag": tags[0]} if tags else parts
    return {"And": parts | ({"Tags": tags} if tags else {})}
