"""ProvisionProduct, UpdateProvisionedProduct, TerminateProvisionedProduct: a stack made as the launch role.

Each call makes a record that a durable task advances: the stack is created, updated or deleted, and the
record ends when CloudFormation tells that the stack has ended.
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.events import Event, listener
from sandbox.engine.identifiers import random_id
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.store import Record, Records
from sandbox.engine.tasks import task
from sandbox.services.servicecatalog import access, artifacts, portfolios, stacks, tagging
from sandbox.services.servicecatalog.idempotency import once

DETAIL = (
    "RecordId",
    "ProvisionedProductName",
    "Status",
    "CreatedTime",
    "UpdatedTime",
    "ProvisionedProductType",
    "RecordType",
    "ProvisionedProductId",
    "ProductId",
    "ProvisioningArtifactId",
    "PathId",
    "RecordErrors",
    "RecordTags",
    "LaunchRoleArn",
)
BUSY = ("UNDER_CHANGE", "PLAN_IN_PROGRESS")


def detail(record: Record) -> dict[str, Any]:
    return {name: record[name] for name in DETAIL if record.get(name) is not None}


def _begin(call: Call, product: Record, kind: str, launch: dict[str, Any]) -> dict[str, Any]:
    """Writes the provisioned product and a record of `kind`, and starts the task."""
    now = call.engine.clock.now()
    record = {
        "RecordId": random_id(prefix="rec-"),
        "ProvisionedProductName": product["Name"],
        "Status": "CREATED",
        "CreatedTime": now,
        "UpdatedTime": now,
        "ProvisionedProductType": "CFN_STACK",
        "RecordType": kind,
        "ProvisionedProductId": product["Id"],
        "ProductId": product["ProductId"],
        "ProvisioningArtifactId": product["ProvisioningArtifactId"],
        "PathId": product["PathId"],
        "RecordErrors": [],
        "RecordTags": [{"Key": key, "Value": value} for key, value in product["Tags"].items()],
        "LaunchRoleArn": product["LaunchRoleArn"],
        "launch": launch
        | {"access_key": call.principal.access_key, "account": call.account, "region": call.region},
    }
    product |= {"Status": "UNDER_CHANGE", "LastRecordId": record["RecordId"], "StatusMessage": None}
    if kind != "TERMINATE_PROVISIONED_PRODUCT":
        product["LastProvisioningRecordId"] = record["RecordId"]
    call.records("record").put(record["RecordId"], record)
    call.records("provisioned").put(product["Id"], product)
    call.engine.tasks.submit("servicecatalog.record", f"{call.account}/{call.region}/{record['RecordId']}")
    return {"RecordDetail": detail(record)}


@operation("servicecatalog", "ProvisionProduct")
def provision_product(
    call: Call, ProvisionedProductName: str, ProvisionToken: str, **members: Any
) -> dict[str, Any]:
    _refuse(members, "ProvisioningPreferences", "NotificationArns")
    product = access.visible(call, members.get("ProductId"), members.get("ProductName"))
    artifact = artifacts.require(
        call, product["Id"], members.get("ProvisioningArtifactId"), members.get("ProvisioningArtifactName")
    )
    _require_active(artifact)
    path = access.path(call, product["Id"], members.get("PathId"), members.get("PathName"))
    asked = {tag["Key"]: tag["Value"] for tag in members.get("Tags") or []}
    tags = tagging.chosen(call, product["Id"], path["portfolio"], asked)

    def make() -> dict[str, Any]:
        if call.records("provisioned").keys_where(_names, ProvisionedProductName):
            raise AwsError(
                "DuplicateResourceException",
                f"A provisioned product named {ProvisionedProductName} exists already.",
            )
        identifier = random_id(prefix="pp-")
        parameters = {
            item["Key"]: item.get("Value", "") for item in members.get("ProvisioningParameters") or []
        }
        provisioned = {
            "Name": ProvisionedProductName,
            "Arn": call.arn(f"stack/{ProvisionedProductName}/{identifier}"),
            "Type": "CFN_STACK",
            "Id": identifier,
            "CreatedTime": call.engine.clock.now(),
            "IdempotencyToken": ProvisionToken,
            "ProductId": product["Id"],
            "ProductName": product["Name"],
            "ProvisioningArtifactId": artifact["Id"],
            "PathId": path["Id"],
            "LaunchRoleArn": path["role"],
            "PortfolioId": path["portfolio"],
            "PortfolioArn": portfolios.require(call, path["portfolio"])["ARN"],
            "ProductArn": product["ARN"],
            "UserArn": call.principal.arn,
            "UserArnSession": call.principal.caller_arn,
            "Tags": tags,
            "Parameters": parameters,
            "StackName": f"SC-{call.account}-{identifier}",
        }
        launch = {"artifact": artifact["Id"], "parameters": parameters}
        return _begin(call, provisioned, "PROVISION_PRODUCT", launch)

    return once(call, ProvisionToken, ProvisionedProductName, make)


def require(call: Call, identifier: str | None, name: str | None) -> Record:
    """A provisioned product by id or name."""
    records = call.records("provisioned")
    if identifier:
        found = records.get(identifier)
    else:
        found = next(iter(records.where(_names, name)), None)
    if found is not None and name in (None, found["Name"]):
        return found
    raise AwsError("ResourceNotFoundException", f"Provisioned product {identifier or name} not found.")


def _require_active(artifact: Record) -> None:
    """Nobody can launch an inactive version or update to it."""
    if not artifact["Active"]:
        raise AwsError("InvalidParametersException", f"Provisioning artifact {artifact['Id']} is not active.")


def _refuse(members: dict[str, Any], *names: str) -> None:
    for name in names:
        if members.get(name):
            raise AwsError("UnsupportedOperation", f"The sandbox does not implement {name}", status=400)


@operation("servicecatalog", "UpdateProvisionedProduct")
def update_provisioned_product(call: Call, UpdateToken: str, **members: Any) -> dict[str, Any]:
    _refuse(members, "ProvisioningPreferences")
    provisioned = require(call, members.get("ProvisionedProductId"), members.get("ProvisionedProductName"))
    product = access.visible(
        call, members.get("ProductId") or provisioned["ProductId"], members.get("ProductName")
    )
    name = members.get("ProvisioningArtifactName")
    wanted = members.get("ProvisioningArtifactId") or (
        None if name else provisioned["ProvisioningArtifactId"]
    )
    artifact = artifacts.require(call, product["Id"], wanted, name)
    if artifact["Id"] != provisioned["ProvisioningArtifactId"]:
        _require_active(artifact)

    def make() -> dict[str, Any]:
        current = free(call, provisioned["Id"])
        parameters = {}
        for item in members.get("ProvisioningParameters") or []:
            previous = item.get("UsePreviousValue")
            parameters[item["Key"]] = (
                current["Parameters"].get(item["Key"], "") if previous else item.get("Value", "")
            )
        # Parameters that are not named keep their value (UpdateProvisionedProduct, "UsePreviousValue").
        current["Parameters"] |= parameters
        current["ProvisioningArtifactId"] = artifact["Id"]
        current["Tags"] |= {tag["Key"]: tag["Value"] for tag in members.get("Tags") or []}
        launch = {"artifact": artifact["Id"], "parameters": current["Parameters"]}
        return _begin(call, current, "UPDATE_PROVISIONED_PRODUCT", launch)

    return once(call, UpdateToken, provisioned["Id"], make)


@operation("servicecatalog", "TerminateProvisionedProduct")
def terminate_provisioned_product(call: Call, TerminateToken: str, **members: Any) -> dict[str, Any]:
    provisioned = require(call, members.get("ProvisionedProductId"), members.get("ProvisionedProductName"))

    def make() -> dict[str, Any]:
        current = free(call, provisioned["Id"])
        launch = {
            "artifact": current["ProvisioningArtifactId"],
            "ignore_errors": bool(members.get("IgnoreErrors")),
            "retain": bool(members.get("RetainPhysicalResources")),
        }
        return _begin(call, current, "TERMINATE_PROVISIONED_PRODUCT", launch)

    return once(call, TerminateToken, provisioned["Id"], make)


def free(call: Call, identifier: str) -> Record:
    """A provisioned product on which nothing is under way."""
    current = require(call, identifier, None)
    if current["Status"] in BUSY:
        raise AwsError(
            "InvalidStateException",
            f"Provisioned product {identifier} is {current['Status']}: wait for its record.",
        )
    return current


@task("servicecatalog.record")
def advance(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    """One step of a record: start the stack's operation, or end the record by the stack's status."""
    account, region, identifier = key.split("/")
    records = engine.records(account, region, "servicecatalog", "record")
    record = records.get(identifier)
    if record is None or record["Status"] in ("SUCCEEDED", "FAILED"):
        return
    provisioned = engine.records(account, region, "servicecatalog", "provisioned").get(
        record["ProvisionedProductId"]
    )
    assert provisioned is not None
    if record["Status"] == "CREATED":
        records.put(identifier, record | {"Status": "IN_PROGRESS", "UpdatedTime": engine.clock.now()})
        record["Status"] = "IN_PROGRESS"
    outcome = stacks.step(engine, record, provisioned, account, region)
    if outcome is None:
        records.put(identifier, record)  # what the step has noted: that the operation was begun, and on what
    else:
        _finish(engine, records, record, outcome, account, region)


def _finish(
    engine: Engine, records: Records, record: Record, outcome: stacks.Outcome, account: str, region: str
) -> None:
    provisioned = engine.records(account, region, "servicecatalog", "provisioned")
    with engine.store.transaction():
        product = provisioned.get(record["ProvisionedProductId"])
        assert product is not None
        ended = {"Status": "SUCCEEDED" if outcome.succeeded else "FAILED", "UpdatedTime": engine.clock.now()}
        if not outcome.succeeded:
            ended["RecordErrors"] = [{"Code": outcome.code, "Description": outcome.reason}]
        records.put(record["RecordId"], record | ended | {"outputs": outcome.outputs})
        if record["RecordType"] == "TERMINATE_PROVISIONED_PRODUCT" and outcome.succeeded:
            provisioned.delete(product["Id"])
        else:
            product |= {
                "StatusMessage": outcome.reason or None,
                "StackId": outcome.stack or product.get("StackId"),
            }
            # TAINTED: the product's last change failed but it stands; ERROR: it never stood.
            stands = product.get("LastSuccessfulProvisioningRecordId") is not None
            product["Status"] = "AVAILABLE" if outcome.succeeded else "TAINTED" if stands else "ERROR"
            if outcome.succeeded:
                product["LastSuccessfulProvisioningRecordId"] = record["RecordId"]
            provisioned.put(product["Id"], product)
        # SageMaker's projects wait for it; not an event of AWS's, so no rule sees it.
        engine.events.put(
            account,
            region,
            source="sandbox.servicecatalog",
            detail_type="Record Ended",
            detail={"RecordId": record["RecordId"], "Status": ended["Status"]},
        )


@listener(source="aws.cloudformation", detail_type="CloudFormation Stack Status Change")
def on_stack(engine: Engine, event: Event) -> None:
    """Wakes the record that waits for a stack."""
    name = event["detail"]["stack-id"].split("/")[1]
    account, region = event["account"], event["region"]
    if not name.startswith("SC-"):
        return
    for product in engine.records(account, region, "servicecatalog", "provisioned").where(_stacks, name):
        engine.tasks.submit("servicecatalog.record", f"{account}/{region}/{product['LastRecordId']}")


def _names(product: Record) -> tuple[str]:
    return (product["Name"],)


def _stacks(product: Record) -> tuple[str]:
    return (product["StackName"],)
