"""AWS::SageMaker: ModelPackageGroup, Model, EndpointConfig, Endpoint, Pipeline."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import is_missing, unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    ResourceFailed,
    left_behind,
    resource_type,
)
from sandbox.services.cloudformation.resources.waiting import settled

_LIMIT = 63
_BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


class Named(Handler):
    """What SageMaker's resources share: made and deleted by name, told apart by ARN, tagged by ARN."""

    noun: ClassVar[str]
    """As in `CreateModel`; the name is `{noun}Name`, the attribute `{noun}Arn`."""
    arn_type: ClassVar[str]
    apart: ClassVar[frozenset[str]] = frozenset()
    """Properties that Create does not take."""

    def create(self, request: Request) -> Made:
        name = request.name(f"{self.noun}Name", limit=_LIMIT)
        with unless_resumed(request.resumed):
            self._call(request, "Create", self._parameters(request, f"Create{self.noun}", name))
        return self._made(request, name)

    def _made(self, request: Request, name: str) -> Made:
        arn = request.arn("sagemaker", f"{self.arn_type}/{name.lower() if self._lower else name}")
        return Made(arn, {f"{self.noun}Arn": arn, f"{self.noun}Name": name})

    _lower: ClassVar[bool] = True

    def _call(self, request: Request, verb: str, parameters: dict[str, Any]) -> Any:
        return convert.call(request.client("sagemaker"), f"{verb}{self.noun}", parameters)

    def _parameters(self, request: Request, operation: str, name: str) -> dict[str, Any]:
        client = request.client("sagemaker")
        skipped = {"Tags", f"{self.noun}Name", *self.apart}
        plain = {key: item for key, item in request.properties.items() if key not in skipped}
        parameters = convert.parameters(client, operation, plain) | {f"{self.noun}Name": name}
        if operation.startswith("Create") and request.tags:
            parameters["Tags"] = convert.tags(convert.member_shape(client, operation, "Tags"), request.tags)
        return parameters

    def update(self, request: Request) -> Made:
        """Tags; everything else is create-only, or done by the subclass first."""
        client, arn = request.client("sagemaker"), self.arn(request)
        if request.tags_removed:
            client.delete_tags(ResourceArn=arn, TagKeys=request.tags_removed)
        if request.tags_added:
            pairs = [{"Key": key, "Value": value} for key, value in request.tags_added.items()]
            client.add_tags(ResourceArn=arn, Tags=pairs)
        return Made(request.physical_id, request.attributes)

    def arn(self, request: Request) -> str:
        return request.physical_id

    def name_of(self, request: Request) -> str:
        return request.attributes[f"{self.noun}Name"]

    def delete(self, request: Request) -> None:
        with unless_missing():
            self._call(request, "Delete", {f"{self.noun}Name": self.name_of(request)})


@resource_type("AWS::SageMaker::ModelPackageGroup")
class ModelPackageGroup(Named):
    noun, arn_type, _lower = "ModelPackageGroup", "model-package-group", False
    apart = frozenset({"ModelPackageGroupPolicy"})

    def create(self, request: Request) -> Made:
        made = super().create(request)
        with left_behind(made):
            self._set_policy(request, made.attributes["ModelPackageGroupName"])
            return self._described(request, made)

    def update(self, request: Request) -> Made:
        if request.changed("ModelPackageGroupPolicy"):
            self._set_policy(request, self.name_of(request))
        return super().update(request)

    def delete(self, request: Request) -> None:
        if "ModelPackageGroupPolicy" in request.properties:
            with unless_missing():
                request.client("sagemaker").delete_model_package_group_policy(
                    ModelPackageGroupName=self.name_of(request)
                )
        super().delete(request)

    def _described(self, request: Request, made: Made) -> Made:
        group = request.client("sagemaker").describe_model_package_group(
            ModelPackageGroupName=made.attributes["ModelPackageGroupName"]
        )
        arn = group["ModelPackageGroupArn"]
        return Made(
            arn,
            made.attributes
            | {
                "ModelPackageGroupArn": arn,
                "CreationTime": group["CreationTime"].isoformat(),
                "ModelPackageGroupStatus": group["ModelPackageGroupStatus"],
            },
        )

    def _set_policy(self, request: Request, name: str) -> None:
        policy = request.properties.get("ModelPackageGroupPolicy")
        client = request.client("sagemaker")
        if policy is not None:
            body = policy if isinstance(policy, str) else json.dumps(policy)
            client.put_model_package_group_policy(ModelPackageGroupName=name, ResourcePolicy=body)
        elif "ModelPackageGroupPolicy" in request.previous:
            client.delete_model_package_group_policy(ModelPackageGroupName=name)


@resource_type("AWS::SageMaker::Model")
class Model(Named):
    noun, arn_type = "Model", "model"


@resource_type("AWS::SageMaker::EndpointConfig")
class EndpointConfig(Named):
    noun, arn_type = "EndpointConfig", "endpoint-config"


@resource_type("AWS::SageMaker::Endpoint")
class Endpoint(Named):
    noun, arn_type = "Endpoint", "endpoint"
    # They steer UpdateEndpoint only.
    apart = frozenset(
        {"ExcludeRetainedVariantProperties", "RetainAllVariantProperties", "RetainDeploymentConfig"}
    )

    def update(self, request: Request) -> Made:
        made = super().update(request)
        steering = {
            key: item for key, item in request.properties.items() if key not in ("Tags", "EndpointName")
        }
        if request.changed("EndpointConfigName") or request.changed("DeploymentConfig"):
            client, name = request.client("sagemaker"), self.name_of(request)
            self._settled(request, name)  # an interrupted attempt may still be updating
            current = client.describe_endpoint(EndpointName=name)["EndpointConfigName"]
            if current != request.properties["EndpointConfigName"] or request.changed("DeploymentConfig"):
                client.update_endpoint(
                    EndpointName=name, **convert.parameters(client, "UpdateEndpoint", steering)
                )
        return made

    def wait(self, request: Request, made: Made) -> Made:
        """InService with the wanted configuration; what the endpoint says otherwise is the reason."""
        endpoint = self._settled(request, made.attributes["EndpointName"])
        wanted = request.properties["EndpointConfigName"]
        if endpoint["EndpointStatus"] != "InService" or endpoint["EndpointConfigName"] != wanted:
            reason = endpoint.get("FailureReason") or f"the endpoint runs {endpoint['EndpointConfigName']}"
            raise ResourceFailed(
                f"Endpoint {endpoint['EndpointName']} is {endpoint['EndpointStatus']}: {reason}"
            )
        return made

    def _settled(self, request: Request, name: str) -> dict[str, Any]:
        client = request.client("sagemaker")

        def look() -> dict[str, Any] | None:
            endpoint = client.describe_endpoint(EndpointName=name)
            status = endpoint["EndpointStatus"]
            return (
                endpoint
                if status in ("InService", "Failed", "OutOfService", "UpdateRollbackFailed")
                else None
            )

        return settled(request, look)

    def delete(self, request: Request) -> None:
        client, name = request.client("sagemaker"), self.name_of(request)

        def gone() -> bool | None:
            """True once it is gone. An endpoint that is being changed cannot be deleted before that ends."""
            try:
                status = client.describe_endpoint(EndpointName=name)["EndpointStatus"]
                if status not in _BUSY:
                    client.delete_endpoint(EndpointName=name)
            except ClientError as error:
                if is_missing(error):
                    return True
                raise
            return None

        settled(request, gone)


@resource_type("AWS::SageMaker::Pipeline")
class Pipeline(Named):
    noun, arn_type = "Pipeline", "pipeline"
    apart = frozenset({"PipelineDefinition"})

    def create(self, request: Request) -> Made:
        name = request.properties["PipelineName"]
        parameters = self._parameters(request, "CreatePipeline", name) | self._definition(request)
        with unless_resumed(request.resumed):
            self._call(request, "Create", parameters | {"ClientRequestToken": request.token})
        return Made(name, {"PipelineName": name})

    def update(self, request: Request) -> Made:
        if {**request.properties, "Tags": None} != {**request.previous, "Tags": None}:
            parameters = self._parameters(request, "UpdatePipeline", request.physical_id)
            self._call(request, "Update", parameters | self._definition(request))
        return super().update(request)

    def delete(self, request: Request) -> None:
        with unless_missing():
            self._call(
                request, "Delete", {"PipelineName": request.physical_id, "ClientRequestToken": request.token}
            )

    def arn(self, request: Request) -> str:
        return request.arn("sagemaker", f"pipeline/{request.physical_id.lower()}")

    def _definition(self, request: Request) -> dict[str, Any]:
        definition = request.properties["PipelineDefinition"]
        if "PipelineDefinitionBody" in definition:
            return {"PipelineDefinition": definition["PipelineDefinitionBody"]}
        where = definition["PipelineDefinitionS3Location"]
        if "ETag" in where:
            raise ResourceFailed("PipelineDefinitionS3Location/ETag is not implemented by the sandbox")
        names = {"Bucket": "Bucket", "Key": "ObjectKey", "Version": "VersionId"}
        return {"PipelineDefinitionS3Location": {names[key]: item for key, item in where.items()}}
