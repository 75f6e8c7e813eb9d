"""AWS::KMS::Key, AWS::KMS::Alias."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    left_behind,
    resource_type,
)
from sandbox.services.cloudformation.stack.records import Stacks

if TYPE_CHECKING:
    from sandbox.engine.store import Records

_CREATE = ("Description", "KeyUsage", "KeySpec", "Origin", "MultiRegion")


@resource_type("AWS::KMS::Key")
class Key(Handler):
    updatable = frozenset(
        {
            "KeyPolicy",
            "Description",
            "Enabled",
            "EnableKeyRotation",
            "RotationPeriodInDays",
            "PendingWindowInDays",
            "BypassPolicyLockoutSafetyCheck",
        }
    )

    def create(self, request: Request) -> Made:
        kms = request.client("kms")
        wanted = {name: request.properties[name] for name in _CREATE if name in request.properties}
        if "KeyPolicy" in request.properties:
            wanted["Policy"] = request.properties["KeyPolicy"]
        if "BypassPolicyLockoutSafetyCheck" in request.properties:
            wanted["BypassPolicyLockoutSafetyCheck"] = request.properties["BypassPolicyLockoutSafetyCheck"]
        parameters = convert.parameters(kms, "CreateKey", wanted)
        parameters["Tags"] = convert.tags(convert.member_shape(kms, "CreateKey", "Tags"), request.tags)
        begun = _begun(request, parameters) if request.resumed else None
        _intend(request)
        metadata = begun or kms.create_key(**parameters)["KeyMetadata"]
        made = Made(metadata["KeyId"], {"KeyId": metadata["KeyId"], "Arn": metadata["Arn"]})
        with left_behind(made):
            _rotate(kms, made.physical_id, request.properties, {})
            if request.properties.get("Enabled") is False:
                kms.disable_key(KeyId=made.physical_id)
        return made

    def wait(self, request: Request, made: Made) -> Made:
        _intents(request).delete(request.token)  # the key is written down by now
        return made

    def update(self, request: Request) -> Made:
        kms, key = request.client("kms"), request.physical_id
        if request.changed("KeyPolicy"):
            kms.put_key_policy(
                KeyId=key, PolicyName="default", Policy=json.dumps(request.properties["KeyPolicy"])
            )
        if request.changed("Description"):
            kms.update_key_description(KeyId=key, Description=request.properties.get("Description", ""))
        if request.changed("Enabled"):
            (kms.enable_key if request.properties.get("Enabled", True) else kms.disable_key)(KeyId=key)
        _rotate(kms, key, request.properties, request.previous)
        if request.tags_removed:
            kms.untag_resource(KeyId=key, TagKeys=request.tags_removed)
        if request.tags_added:
            shape = convert.member_shape(kms, "TagResource", "Tags")
            kms.tag_resource(KeyId=key, Tags=convert.tags(shape, request.tags_added))
        return Made(key, request.attributes)

    def delete(self, request: Request) -> None:
        days = request.properties.get("PendingWindowInDays", 30)
        kms = request.client("kms")
        with unless_missing():
            state = kms.describe_key(KeyId=request.physical_id)["KeyMetadata"]["KeyState"]
            if state != "PendingDeletion":
                kms.schedule_key_deletion(KeyId=request.physical_id, PendingWindowInDays=days)


def _intend(request: Request) -> None:
    """Notes before the creation which keys there are: CreateKey takes no token to make it idempotent."""
    intents = _intents(request)
    if intents.get(request.token) is None:
        intents.put(request.token, {"Keys": _keys(request)})


def _intents(request: Request) -> Records:
    place = request.place
    return request.engine.records(place.account, place.region, "cloudformation", "kms-intent")


def _keys(request: Request) -> list[str]:
    kms = request.engine.clients.owner(request.place.region).client("kms")
    return [key["KeyId"] for page in kms.get_paginator("list_keys").paginate() for key in page["Keys"]]


def _begun(request: Request, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """The key that an interrupted attempt made and nobody wrote down: new since, as asked, no stack's."""
    intent = _intents(request).get(request.token)
    if intent is None:
        return None
    stacks = Stacks(request.engine, request.place.account, request.place.region)
    known = {record.get("PhysicalResourceId") for record in stacks.resources.list()} | set(intent["Keys"])
    kms = request.engine.clients.owner(request.place.region).client("kms")
    for identifier in _keys(request):
        if identifier in known:
            continue
        metadata: dict[str, Any] = kms.describe_key(KeyId=identifier)["KeyMetadata"]
        tags = kms.list_resource_tags(KeyId=identifier)["Tags"]
        same = {tag["TagKey"]: tag["TagValue"] for tag in tags} == request.tags
        described = metadata["Description"] == wanted.get("Description", "")
        if same and described and metadata["KeyState"] in ("Enabled", "Disabled"):
            return metadata
    return None


def _rotate(kms: Any, key: str, properties: dict[str, Any], previous: dict[str, Any]) -> None:
    names = ("EnableKeyRotation", "RotationPeriodInDays")
    if all(properties.get(name) == previous.get(name) for name in names):
        return
    if not properties.get("EnableKeyRotation"):
        kms.disable_key_rotation(KeyId=key)
        return
    period = properties.get("RotationPeriodInDays")
    kms.enable_key_rotation(KeyId=key, **({"RotationPeriodInDays": period} if period else {}))


@resource_type("AWS::KMS::Alias")
class Alias(Handler):
    def create(self, request: Request) -> Made:
        name = request.properties["AliasName"]
        with unless_resumed(request.resumed):
            request.client("kms").create_alias(AliasName=name, TargetKeyId=request.properties["TargetKeyId"])
        return Made(name)

    def update(self, request: Request) -> Made:
        request.client("kms").update_alias(
            AliasName=request.physical_id, TargetKeyId=request.properties["TargetKeyId"]
        )
        return Made(request.physical_id)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("kms").delete_alias(AliasName=request.physical_id)
