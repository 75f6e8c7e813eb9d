"""CloudFormation and Service Catalog as publishing needs them, in memory; S3 and STS come from moto."""

import itertools
import json
from typing import Any
from urllib.parse import urlparse

from botocore.exceptions import ClientError

from tests.template.synthesised import filled


class CloudFormation:
    """Stacks that come up at once, or fail if told to."""

    def __init__(self, session: Any) -> None:
        self._s3 = session.client("s3")
        self._ids = itertools.count(1)
        self.stack: dict[str, Any] | None = None
        self.events: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.fails: str | None = None

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if self.stack is None:
            raise self._error("DescribeStacks", f"Stack with id {StackName} does not exist")
        return {"Stacks": [self.stack]}

    def get_paginator(self, operation: str) -> "CloudFormation":
        assert operation == "describe_stack_events"
        return self

    def paginate(self, StackName: str) -> list[dict[str, Any]]:
        return [{"StackEvents": self.events[::-1]}]

    def create_stack(self, **request: Any) -> dict[str, Any]:
        self.calls.append("CreateStack")
        self.stack = {"StackId": f"stack-{next(self._ids)}", "Outputs": []}
        return self._apply(request, "CREATE")

    def update_stack(self, **request: Any) -> dict[str, Any]:
        self.calls.append("UpdateStack")
        assert self.stack is not None
        if self._body(request) == self.stack["Body"]:
            raise self._error("UpdateStack", "No updates are to be performed.")
        return self._apply(request, "UPDATE")

    def delete_stack(self, StackName: str) -> None:
        self.calls.append("DeleteStack")
        assert self.stack is not None
        self.stack["StackStatus"] = "DELETE_COMPLETE"

    def _apply(self, request: dict[str, Any], verb: str) -> dict[str, Any]:
        assert self.stack is not None
        assert request["Capabilities"] == ["CAPABILITY_NAMED_IAM"]
        self.stack["Body"] = self._body(request)
        self._event("ModelProduct", "AWS::ServiceCatalog::CloudFormationProduct", f"{verb}_IN_PROGRESS")
        if self.fails:
            self._event(
                "ModelProduct", "AWS::ServiceCatalog::CloudFormationProduct", f"{verb}_FAILED", self.fails
            )
            self.stack["StackStatus"] = (
                "ROLLBACK_COMPLETE" if verb == "CREATE" else "UPDATE_ROLLBACK_COMPLETE"
            )
        else:
            self.stack["StackStatus"] = f"{verb}_COMPLETE"
            outputs = json.loads(self.stack["Body"])["Outputs"]
            self.stack["Outputs"] = [{"OutputKey": key, "OutputValue": f"the-{key}"} for key in outputs]
        return {"StackId": self.stack["StackId"]}

    def _event(self, logical_id: str, kind: str, status: str, reason: str = "") -> None:
        self.events.append(
            {
                "EventId": str(next(self._ids)),
                "LogicalResourceId": logical_id,
                "ResourceType": kind,
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
            }
        )

    def _body(self, request: dict[str, Any]) -> str:
        url = urlparse(request["TemplateURL"])
        bucket = url.netloc.partition(".s3.")[0]
        return self._s3.get_object(Bucket=bucket, Key=url.path.lstrip("/"))["Body"].read().decode()

    @staticmethod
    def _error(operation: str, message: str) -> ClientError:
        return ClientError({"Error": {"Code": "ValidationError", "Message": message}}, operation)


class ServiceCatalog:
    """The artifacts of the product in the stack."""

    def __init__(self, cloudformation: CloudFormation) -> None:
        self._cloudformation = cloudformation

    def list_provisioning_artifacts(self, ProductId: str) -> dict[str, Any]:
        assert self._cloudformation.stack is not None
        resources = filled(json.loads(self._cloudformation.stack["Body"]))
        artifacts = resources["ModelProduct"]["Properties"]["ProvisioningArtifactParameters"]
        return {
            "ProvisioningArtifactDetails": [{"Id": f"pa-{a['Name']}", "Name": a["Name"]} for a in artifacts]
        }


class Session:
    """A boto3 session whose CloudFormation and Service Catalog are the ones above."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.region_name = session.region_name
        self.cloudformation = CloudFormation(session)

    def client(self, service: str, **arguments: Any) -> Any:
        if service == "cloudformation":
            return self.cloudformation
        if service == "servicecatalog":
            return ServiceCatalog(self.cloudformation)
        return self._session.client(service, **arguments)
