"""AWS::SageMaker::ModelPackage."""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import unless_missing
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    left_behind,
    resource_type,
)

_UPDATED = (
    "ModelApprovalStatus",
    "ApprovalDescription",
    "CustomerMetadataProperties",
    "SourceUri",
    "ModelCard",
)


@resource_type("AWS::SageMaker::ModelPackage")
class ModelPackage(Handler):
    refused = frozenset(
        {
            "AdditionalInferenceSpecificationsToAdd",
            "LastModifiedTime",
            "ModelPackageStatusDetails",
            "ModelPackageVersion",
        }
    )
    updatable = frozenset(_UPDATED)

    def create(self, request: Request) -> Made:
        client = request.client("sagemaker")
        plain = {
            key: item
            for key, item in request.properties.items()
            if key not in ("Tags", "ApprovalDescription", "ClientToken")
        }
        parameters = convert.parameters(client, "CreateModelPackage", plain)
        tags = self._tags(request)
        if tags:
            shape = convert.member_shape(client, "CreateModelPackage", "Tags")
            parameters["Tags"] = convert.tags(shape, tags)
        token = request.properties.get("ClientToken", request.token[-36:])
        arn = client.create_model_package(**parameters, ClientToken=token)["ModelPackageArn"]
        if "ApprovalDescription" in request.properties:
            with left_behind(Made(arn)):
                client.update_model_package(
                    ModelPackageArn=arn, ApprovalDescription=request.properties["ApprovalDescription"]
                )
        return self._made(request, arn)

    def update(self, request: Request) -> Made:
        client, arn = request.client("sagemaker"), request.physical_id
        changed = {
            name: request.properties[name]
            for name in _UPDATED
            if name in request.properties and request.changed(name)
        }
        gone = sorted(
            set(request.previous.get("CustomerMetadataProperties", {}))
            - set(request.properties.get("CustomerMetadataProperties", {}))
        )
        parameters = convert.parameters(client, "UpdateModelPackage", changed)
        if gone:
            parameters["CustomerMetadataPropertiesToRemove"] = gone
        if parameters:
            client.update_model_package(ModelPackageArn=arn, **parameters)
        if self._tags(request) and request.tags_removed:
            client.delete_tags(ResourceArn=arn, TagKeys=request.tags_removed)
        if self._tags(request) and request.tags_added:
            pairs = [{"Key": key, "Value": value} for key, value in request.tags_added.items()]
            client.add_tags(ResourceArn=arn, Tags=pairs)
        return self._made(request, arn)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("sagemaker").delete_model_package(ModelPackageName=request.physical_id)

    def _tags(self, request: Request) -> dict[str, str]:
        """A version of a group uses its group's tags: it gets those of the template alone, to be told so."""
        if "ModelPackageGroupName" in request.properties and "Tags" not in request.properties:
            return {}
        return request.tags

    def _made(self, request: Request, arn: str) -> Made:
        found: dict[str, Any] = request.client("sagemaker").describe_model_package(ModelPackageName=arn)
        return Made(
            arn,
            {
                "ModelPackageArn": arn,
                "CreationTime": found["CreationTime"].isoformat(),
                "ModelPackageStatus": found["ModelPackageStatus"],
            },
        )
