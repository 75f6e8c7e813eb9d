"""AWS::SageMaker types that the sandbox keeps and does not act on."""

from __future__ import annotations

from typing import Any, ClassVar

from botocore.exceptions import ClientError

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import is_missing, unless_missing, unless_resumed
from sandbox.services.cloudformation.resources.handler import Made, Request, resource_type
from sandbox.services.cloudformation.resources.sagemaker import Named


class Kept(Named):
    """Made, changed and deleted by name; its ARN is what Describe says.

    `referred`: what Ref gives, the ARN or the name.
    """

    record_only = True
    referred: ClassVar[str] = "Arn"
    names: ClassVar[dict[str, str]] = {}
    arn_type = ""

    name_member: ClassVar[str] = ""
    arn_member: ClassVar[str] = ""
    asked_with: ClassVar[tuple[str, ...]] = ()
    """Further properties that name the resource."""
    shown: ClassVar[tuple[str, ...]] = ()
    """Attributes beside name and ARN."""

    def create(self, request: Request) -> Made:
        client, member = request.client("sagemaker"), self._name()
        name = request.name(member, limit=63)
        parameters = self._given(request, f"Create{self.noun}") | {member: name}
        if request.tags:
            shape = convert.member_shape(client, f"Create{self.noun}", "Tags")
            parameters["Tags"] = convert.tags(shape, request.tags)
        with unless_resumed(request.resumed):
            self._call(request, "Create", parameters)
        return self._found(request, {member: name})

    def _name(self) -> str:
        return self.name_member or f"{self.noun}Name"

    def _given(self, request: Request, operation: str) -> dict[str, Any]:
        client = request.client("sagemaker")
        shape = client.meta.service_model.operation_model(operation).input_shape
        skipped = {"Tags", self._name(), *self.apart}
        plain = {key: item for key, item in request.properties.items() if key not in skipped}
        if operation.startswith("Update"):
            # What cannot be changed is create-only: it is the same as it was.
            folded = {member.lower() for member in shape.members}
            plain = {key: item for key, item in plain.items() if self.names.get(key, key).lower() in folded}
        return convert.parameters(client, operation, plain, self.names)

    def _found(self, request: Request, named: dict[str, Any]) -> Made:
        described = self._call(request, "Describe", named | self._place(request))
        arn = described[self.arn_member or f"{self.noun}Arn"]
        attributes = {self.arn_member or f"{self.noun}Arn": arn, **named}
        for name in self.shown:
            value = described.get(name)
            attributes[name] = value.isoformat() if hasattr(value, "isoformat") else value
        return Made(arn if self.referred == "Arn" else named[self._name()], attributes)

    def _place(self, request: Request) -> dict[str, Any]:
        return {name: request.properties[name] for name in self.asked_with}

    def _named(self, request: Request) -> dict[str, Any]:
        return {self._name(): request.attributes[self._name()]}

    def update(self, request: Request) -> Made:
        operation = f"Update{self.noun}"
        client = request.client("sagemaker")
        known = operation in client.meta.service_model.operation_names
        if known and {**request.properties, "Tags": None} != {**request.previous, "Tags": None}:
            given = self._given(request, operation)
            self._call(request, "Update", given | self._named(request) | self._place(request))
        super().update(request)
        return self._found(request, self._named(request))

    def arn(self, request: Request) -> str:
        return str(request.attributes[self.arn_member or f"{self.noun}Arn"])

    def delete(self, request: Request) -> None:
        with unless_missing():
            self._call(request, "Delete", self._named(request) | self._place(request))


@resource_type("AWS::SageMaker::FeatureGroup")
class FeatureGroup(Kept):
    noun, referred = "FeatureGroup", "Name"
    shown = ("CreationTime", "FeatureGroupStatus")

    def update(self, request: Request) -> Made:
        """Features are added; what is there stays."""
        had = {item["FeatureName"] for item in request.previous["FeatureDefinitions"]}
        added = [item for item in request.properties["FeatureDefinitions"] if item["FeatureName"] not in had]
        if added:
            request.client("sagemaker").update_feature_group(
                FeatureGroupName=request.physical_id, FeatureAdditions=added
            )
        return self._found(request, self._named(request))


@resource_type("AWS::SageMaker::MonitoringSchedule")
class MonitoringSchedule(Kept):
    noun = "MonitoringSchedule"
    shown = ("CreationTime", "LastModifiedTime")
    # The schema has these, which only Describe answers, among the properties.
    refused = frozenset(
        {"EndpointName", "FailureReason", "LastMonitoringExecutionSummary", "MonitoringScheduleStatus"}
    )


class JobDefinition(Kept):
    name_member, arn_member = "JobDefinitionName", "JobDefinitionArn"
    refused = frozenset({"EndpointName"})
    shown = ("CreationTime",)


@resource_type("AWS::SageMaker::DataQualityJobDefinition")
class DataQualityJobDefinition(JobDefinition):
    noun = "DataQualityJobDefinition"


@resource_type("AWS::SageMaker::ModelQualityJobDefinition")
class ModelQualityJobDefinition(JobDefinition):
    noun = "ModelQualityJobDefinition"


@resource_type("AWS::SageMaker::ModelBiasJobDefinition")
class ModelBiasJobDefinition(JobDefinition):
    noun = "ModelBiasJobDefinition"


@resource_type("AWS::SageMaker::ModelExplainabilityJobDefinition")
class ModelExplainabilityJobDefinition(JobDefinition):
    noun = "ModelExplainabilityJobDefinition"


@resource_type("AWS::SageMaker::NotebookInstance")
class NotebookInstance(Kept):
    noun = "NotebookInstance"

    def update(self, request: Request) -> Made:
        """An instance is stopped for the change, as CloudFormation does."""
        client, named = request.client("sagemaker"), self._named(request)
        plain = {**request.properties, "Tags": None} == {**request.previous, "Tags": None}
        if not plain:
            self._stop(request)
        made = super().update(request)
        if not plain:
            client.start_notebook_instance(**named)
        return made

    def delete(self, request: Request) -> None:
        with unless_missing():
            self._stop(request)
            super().delete(request)

    def _stop(self, request: Request) -> None:
        client, named = request.client("sagemaker"), self._named(request)
        if client.describe_notebook_instance(**named)["NotebookInstanceStatus"] == "InService":
            client.stop_notebook_instance(**named)


@resource_type("AWS::SageMaker::NotebookInstanceLifecycleConfig")
class NotebookInstanceLifecycleConfig(Kept):
    noun = "NotebookInstanceLifecycleConfig"


@resource_type("AWS::SageMaker::CodeRepository")
class CodeRepository(Kept):
    noun = "CodeRepository"


@resource_type("AWS::SageMaker::Image")
class Image(Kept):
    noun = "Image"
    names = {
        "ImageRoleArn": "RoleArn",
        "ImageDescription": "Description",
        "ImageDisplayName": "DisplayName",
    }


@resource_type("AWS::SageMaker::ImageVersion")
class ImageVersion(Kept):
    noun = "ImageVersion"
    refused = frozenset({"Alias"})

    def create(self, request: Request) -> Made:
        client = request.client("sagemaker")
        parameters = convert.parameters(client, "CreateImageVersion", request.properties)
        arn = client.create_image_version(**parameters, ClientToken=request.token[-36:])["ImageVersionArn"]
        version = int(arn.rsplit("/", 1)[1])
        found = client.describe_image_version(ImageName=request.properties["ImageName"], Version=version)
        names = ("ImageVersionArn", "ImageArn", "ContainerImage", "Version")
        return Made(arn, {name: found[name] for name in names})

    def update(self, request: Request) -> Made:
        client, had = request.client("sagemaker"), request.previous.get("Aliases", [])
        wanted = request.properties.get("Aliases", [])
        plain = {
            key: item
            for key, item in request.properties.items()
            if key not in ("Aliases", "BaseImage") and request.changed(key)
        }
        changes = convert.parameters(client, "UpdateImageVersion", plain)
        added, gone = [x for x in wanted if x not in had], [x for x in had if x not in wanted]
        changes |= {"AliasesToAdd": added} if added else {}
        changes |= {"AliasesToDelete": gone} if gone else {}
        client.update_image_version(**changes, **self._place_of(request))
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("sagemaker").delete_image_version(**self._place_of(request))

    def _place_of(self, request: Request) -> dict[str, Any]:
        return {
            "ImageName": request.properties["ImageName"],
            "Version": int(request.attributes["Version"]),
        }


@resource_type("AWS::SageMaker::AppImageConfig")
class AppImageConfig(Kept):
    noun, referred = "AppImageConfig", "Name"


@resource_type("AWS::SageMaker::StudioLifecycleConfig")
class StudioLifecycleConfig(Kept):
    noun, referred = "StudioLifecycleConfig", "Name"


@resource_type("AWS::SageMaker::Domain")
class Domain(Kept):
    noun = "Domain"
    names = {"DomainSettings": "DomainSettingsForUpdate"}

    def create(self, request: Request) -> Made:
        client = request.client("sagemaker")
        plain = {key: item for key, item in request.properties.items() if key != "Tags"}
        parameters = convert.parameters(client, "CreateDomain", plain)
        if request.tags:
            shape = convert.member_shape(client, "CreateDomain", "Tags")
            parameters["Tags"] = convert.tags(shape, request.tags)
        try:
            identifier = client.create_domain(**parameters)["DomainId"]
        except ClientError:
            identifier = self._existing(request) if request.resumed else ""
            if not identifier:
                raise
        return self._domain(request, identifier)

    def _existing(self, request: Request) -> str:
        """The domain that a cut-off attempt made."""
        found = request.client("sagemaker").list_domains()["Domains"]
        named = request.properties["DomainName"]
        return next((item["DomainId"] for item in found if item["DomainName"] == named), "")

    def _domain(self, request: Request, identifier: str) -> Made:
        found = request.client("sagemaker").describe_domain(DomainId=identifier)
        names = ("DomainArn", "DomainId", "Url", "HomeEfsFileSystemId")
        return Made(identifier, {name: found[name] for name in names})

    def update(self, request: Request) -> Made:
        client = request.client("sagemaker")
        if {**request.properties, "Tags": None} != {**request.previous, "Tags": None}:
            given = self._given(request, "UpdateDomain")
            client.update_domain(DomainId=request.physical_id, **given)
        Named.update(self, request)
        return self._domain(request, request.physical_id)

    def delete(self, request: Request) -> None:
        try:
            request.client("sagemaker").delete_domain(DomainId=request.physical_id)
        except ClientError as error:
            if not is_missing(error):
                raise


@resource_type("AWS::SageMaker::UserProfile")
class UserProfile(Kept):
    noun, referred, asked_with = "UserProfile", "Name", ("DomainId",)


@resource_type("AWS::SageMaker::Space")
class Space(Kept):
    noun, referred, asked_with = "Space", "Name", ("DomainId",)
    refused = frozenset({"Url"})


@resource_type("AWS::SageMaker::ModelCard")
class ModelCard(Kept):
    noun, referred = "ModelCard", "Name"
    refused = frozenset({"CreatedBy", "LastModifiedBy"})
    shown = ("CreationTime", "LastModifiedTime", "ModelCardVersion")
