"""AWS::ServiceCatalog::CloudFormationProvisionedProduct: a product launched from a stack.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-servicecatalog-cloudformationprovisionedproduct.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.events import listener
from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.errors import unless_missing
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    ResourceFailed,
    resource_type,
)
from sandbox.services.cloudformation.resources.waiting import settled, wake

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine

_SERVICE = "servicecatalog"
_APART = ("Tags", "ProvisionedProductName")


@listener(source="sandbox.servicecatalog", detail_type="Record Ended")
def _on_record(engine: Engine, event: dict[str, Any]) -> None:
    wake()


@resource_type("AWS::ServiceCatalog::CloudFormationProvisionedProduct")
class CloudFormationProvisionedProduct(Handler):
    refused = frozenset({"NotificationArns", "ProvisioningPreferences"})

    def create(self, request: Request) -> Made:
        client = request.client(_SERVICE)
        answer = client.provision_product(
            **_parameters(request, "ProvisionProduct"),
            ProvisionedProductName=request.name("ProvisionedProductName", limit=128),
            ProvisionToken=request.token,
            Tags=_own(request),
        )["RecordDetail"]
        return Made(answer["ProvisionedProductId"], {"RecordId": answer["RecordId"]})

    def update(self, request: Request) -> Made:
        answer = request.client(_SERVICE).update_provisioned_product(
            **_parameters(request, "UpdateProvisionedProduct"),
            ProvisionedProductId=request.physical_id,
            UpdateToken=f"{request.token}-{request.phase}"[:128],
            Tags=_own(request),
        )["RecordDetail"]
        return Made(request.physical_id, request.attributes | {"RecordId": answer["RecordId"]})

    def wait(self, request: Request, made: Made) -> Made:
        client = request.client(_SERVICE)
        record = _ended(request, client, made.attributes["RecordId"])
        product = client.describe_provisioned_product(Id=made.physical_id)["ProvisionedProductDetail"]
        outputs = client.get_provisioned_product_outputs(ProvisionedProductId=made.physical_id)["Outputs"]
        told = {f"Outputs.{item['OutputKey']}": item["OutputValue"] for item in outputs}
        stack = told.get("Outputs.CloudformationStackARN", "")
        return Made(
            product["Id"],
            {
                "ProvisionedProductId": product["Id"],
                "RecordId": record["RecordId"],
                "CloudformationStackArn": stack,
            }
            | told,
        )

    def delete(self, request: Request) -> None:
        client = request.client(_SERVICE)
        with unless_missing():
            answer = client.terminate_provisioned_product(
                ProvisionedProductId=request.physical_id,
                TerminateToken=f"{request.token}-{request.phase}"[:128],
            )["RecordDetail"]
            _ended(request, client, answer["RecordId"])


def _ended(request: Request, client: Any, identifier: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        record: dict[str, Any] = client.describe_record(Id=identifier)["RecordDetail"]
        return record if record["Status"] in ("SUCCEEDED", "FAILED") else None

    record = settled(request, look)
    if record["Status"] == "FAILED":
        raise ResourceFailed("; ".join(error["Description"] for error in record.get("RecordErrors", [])))
    return record


def _parameters(request: Request, operation: str) -> dict[str, Any]:
    plain = {key: item for key, item in request.properties.items() if key not in _APART}
    return convert.parameters(request.client(_SERVICE), operation, plain)


def _own(request: Request) -> list[dict[str, str]]:
    return [{"Key": k, "Value": v} for k, v in request.tags.items() if not k.startswith("aws:")]
