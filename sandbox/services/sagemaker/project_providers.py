"""What stands behind a project: a Service Catalog product, or a CloudFormation template in S3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.operations import AwsError
from sandbox.engine.store import Record


@dataclass(frozen=True)
class Ended:
    succeeded: bool
    message: str = ""


def prepare_update(
    record: Record, catalog: dict[str, Any] | None, templates: list[dict[str, Any]] | None
) -> None:
    """Writes what an update asks for into the record; ValidationException when it fits another provider."""
    if bool(catalog) != bool(record.get("ServiceCatalogProvisioningDetails")):
        raise AwsError(
            "ValidationException", f"Project {record['ProjectName']} was made by another provider."
        )
    if catalog:
        details = record["ServiceCatalogProvisioningDetails"]
        details |= {
            "ProvisioningArtifactId": catalog.get("ProvisioningArtifactId")
            or details.get("ProvisioningArtifactId")
        }
        given = {item["Key"]: item.get("Value", "") for item in details.get("ProvisioningParameters") or []}
        given |= {item["Key"]: item.get("Value", "") for item in catalog.get("ProvisioningParameters") or []}
        details["ProvisioningParameters"] = [{"Key": key, "Value": value} for key, value in given.items()]
    for update in templates or []:
        wanted = update.get("CfnTemplateProvider") or {}
        current = record["TemplateProviders"][0]["CfnTemplateProvider"]
        current |= {name: value for name, value in wanted.items() if value}


def _own_parameters(record: Record) -> dict[str, str]:
    return {"SageMakerProjectName": record["ProjectName"], "SageMakerProjectId": record["ProjectId"]}


def _own_tags(record: Record) -> list[dict[str, str]]:
    own = {"sagemaker:project-name": record["ProjectName"], "sagemaker:project-id": record["ProjectId"]}
    return [{"Key": key, "Value": value} for key, value in (record["Tags"] | own).items()]


class ServiceCatalog:
    """Provisions, updates and terminates the product as the user who asked for it."""

    def __init__(self, session: Session, record: Record) -> None:
        self.record = record
        self.client = session.client("servicecatalog")

    def step(self) -> Ended | None:
        started = self.record.get("started")
        if not started:
            return self._start()
        detail = self.client.describe_record(Id=started["RecordId"])["RecordDetail"]
        if detail["Status"] == "SUCCEEDED":
            return Ended(True)
        if detail["Status"] == "FAILED":
            return Ended(False, "; ".join(error["Description"] for error in detail["RecordErrors"]))
        return None

    def _start(self) -> Ended | None:
        record, details = self.record, self.record["ServiceCatalogProvisioningDetails"]
        status = record["ProjectStatus"]
        product = (record.get("ServiceCatalogProvisionedProductDetails") or {}).get("ProvisionedProductId")
        # Derived from the project: asked again after a restart, it is the same request.
        token = f"{record['ProjectId']}-{status}-{int(record['LastModifiedTime'])}"
        given = details.get("ProvisioningParameters") or []
        parameters = [*given, *({"Key": k, "Value": v} for k, v in _own_parameters(record).items())]
        if status == "CreateInProgress":
            answer = self.client.provision_product(
                ProductId=details["ProductId"],
                ProvisioningArtifactId=self._artifact(details),
                ProvisionedProductName=f"{record['ProjectName']}-{record['ProjectId']}",
                ProvisioningParameters=parameters,
                Tags=_own_tags(record),
                ProvisionToken=token,
                **({"PathId": details["PathId"]} if details.get("PathId") else {}),
            )
        elif product is None:
            return Ended(True)  # nothing was ever provisioned: there is nothing to delete
        elif status == "UpdateInProgress":
            answer = self.client.update_provisioned_product(
                ProvisionedProductId=product,
                ProvisioningArtifactId=self._artifact(details),
                ProvisioningParameters=[
                    {"Key": item["Key"], "Value": item.get("Value", "")} for item in parameters
                ],
                UpdateToken=token,
            )
        else:
            if not self._exists(product):
                return Ended(True)
            answer = self.client.terminate_provisioned_product(
                ProvisionedProductId=product, TerminateToken=token
            )
        detail = answer["RecordDetail"]
        record["ServiceCatalogProvisionedProductDetails"] = {
            "ProvisionedProductId": detail["ProvisionedProductId"]
        }
        record["started"] = {"RecordId": detail["RecordId"]}
        # The record may have ended before this project knew its id: look once more.
        return self.step() if detail["Status"] in ("SUCCEEDED", "FAILED") else None

    def _artifact(self, details: dict[str, Any]) -> str:
        """The version asked for; the newest active one where none was."""
        if details.get("ProvisioningArtifactId"):
            return str(details["ProvisioningArtifactId"])
        versions = self.client.describe_product(Id=details["ProductId"])["ProvisioningArtifacts"]
        if not versions:
            raise AwsError("ValidationException", f"Product {details['ProductId']} has no active version.")
        return str(max(versions, key=lambda version: version["CreatedTime"])["Id"])

    def _exists(self, product: str) -> bool:
        try:
            self.client.describe_provisioned_product(Id=product)
        except self.client.exceptions.ResourceNotFoundException:
            return False
        return True


class Template:
    """A stack `SP-…` of a template in S3, made by CloudFormation as the role that the user passes."""

    def __init__(self, session: Session, record: Record) -> None:
        self.record = record
        self.provider = record["TemplateProviders"][0]["CfnTemplateProvider"]
        self.client = session.client("cloudformation")

    @property
    def name(self) -> str:
        return f"SP-{self.record['ProjectId']}"

    def step(self) -> Ended | None:
        stack = self._stack()
        if not self.record.get("started"):
            return self._start(stack)
        if stack is None:
            return Ended(True)
        status = stack["StackStatus"]
        if status.endswith("_IN_PROGRESS"):
            return None
        good = {"CreateInProgress": "CREATE_COMPLETE", "UpdateInProgress": "UPDATE_COMPLETE"}
        wanted = good.get(self.record["ProjectStatus"], "DELETE_COMPLETE")
        return (
            Ended(True)
            if status == wanted
            else Ended(False, f"{status}: {stack.get('StackStatusReason', '')}")
        )

    def _stack(self) -> dict[str, Any] | None:
        from botocore.exceptions import ClientError

        try:
            identifier = (self.record.get("started") or {}).get("StackId") or self.name
            return self.client.describe_stacks(StackName=identifier)["Stacks"][0]  # type: ignore[no-any-return]
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return None
            raise

    def _start(self, stack: dict[str, Any] | None) -> Ended | None:
        status = self.record["ProjectStatus"]
        self.record["started"] = {"StackName": self.name}
        if status == "DeleteInProgress":
            if stack is None:
                return Ended(True)
            self.client.delete_stack(StackName=self.name)
            self.record["started"]["StackId"] = stack["StackId"]
            return None
        if status == "CreateInProgress" and stack is not None:
            return None  # created before a restart
        parameters = {item["Key"]: item["Value"] for item in self.provider.get("Parameters") or []}
        parameters |= _own_parameters(self.record)
        request = {
            "StackName": self.name,
            "TemplateURL": self.provider["TemplateURL"],
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            "Tags": _own_tags(self.record),
        }
        if self.provider.get("RoleARN"):
            request["RoleARN"] = self.provider["RoleARN"]
        if status == "CreateInProgress":
            self.client.create_stack(**request)
        else:
            self.client.update_stack(**request)
        return None


def template_detail(record: Record) -> dict[str, Any]:
    """TemplateProviderDetails of DescribeProject."""
    provider = record["TemplateProviders"][0]["CfnTemplateProvider"]
    names = ("TemplateName", "TemplateURL", "RoleARN", "Parameters")
    shown = {name: provider[name] for name in names if provider.get(name)}
    return {
        "CfnTemplateProviderDetail": shown
        | {"StackDetail": {"Name": f"SP-{record['ProjectId']}", "StatusMessage": record.get("message") or ""}}
    }
