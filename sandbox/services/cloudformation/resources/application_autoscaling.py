"""AWS::ApplicationAutoScaling::ScalableTarget, AWS::ApplicationAutoScaling::ScalingPolicy."""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import unless_missing
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    ResourceFailed,
    resource_type,
)

_SERVICE = "application-autoscaling"
_KEYS = ("ResourceId", "ScalableDimension", "ServiceNamespace")


@resource_type("AWS::ApplicationAutoScaling::ScalableTarget")
class ScalableTarget(Handler):
    record_only = True
    refused = frozenset({"ScheduledActions"})

    def create(self, request: Request) -> Made:
        client = request.client(_SERVICE)
        tags = convert.tags(convert.member_shape(client, "RegisterScalableTarget", "Tags"), request.tags)
        client.register_scalable_target(**self._parameters(request), **({"Tags": tags} if tags else {}))
        identifier = "|".join(request.properties[key] for key in _KEYS)
        return Made(identifier, {"Id": identifier})

    def update(self, request: Request) -> Made:
        client = request.client(_SERVICE)
        answer = client.register_scalable_target(**self._parameters(request))
        arn = answer.get("ScalableTargetARN")
        if request.tags_removed:
            client.untag_resource(ResourceARN=arn, TagKeys=request.tags_removed)
        if request.tags_added:
            client.tag_resource(ResourceARN=arn, Tags=request.tags_added)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        keys = {key: request.properties[key] for key in _KEYS}
        with unless_missing():
            request.client(_SERVICE).deregister_scalable_target(**keys)

    def _parameters(self, request: Request) -> dict[str, Any]:
        plain = {key: item for key, item in request.properties.items() if key != "Tags"}
        return convert.parameters(request.client(_SERVICE), "RegisterScalableTarget", plain)


@resource_type("AWS::ApplicationAutoScaling::ScalingPolicy")
class ScalingPolicy(Handler):
    record_only = True

    def create(self, request: Request) -> Made:
        return self._put(request)

    def update(self, request: Request) -> Made:
        return self._put(request)

    def _put(self, request: Request) -> Made:
        client = request.client(_SERVICE)
        plain = {key: item for key, item in request.properties.items() if key != "ScalingTargetId"}
        answer = client.put_scaling_policy(
            **convert.parameters(client, "PutScalingPolicy", plain | _target(request))
        )
        return Made(answer["PolicyARN"], {"Arn": answer["PolicyARN"]})

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client(_SERVICE).delete_scaling_policy(
                PolicyName=request.properties["PolicyName"], **_target(request)
            )


def _target(request: Request) -> dict[str, str]:
    """The target: by its three keys, or by the id that a ScalableTarget's Ref gives."""
    identifier = request.properties.get("ScalingTargetId")
    if identifier:
        parts = identifier.split("|")
        if len(parts) != len(_KEYS):
            raise ResourceFailed(f"ScalingTargetId {identifier} is not the id of a scalable target")
        return dict(zip(_KEYS, parts, strict=True))
    return {key: request.properties[key] for key in _KEYS if key in request.properties}
