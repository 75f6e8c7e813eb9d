"""Provisioned products and records as they are read (Service Catalog API reference)."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.engine.store import Record
from sandbox.services.servicecatalog.artifacts import of_product
from sandbox.services.servicecatalog.provisioning import detail, require

DETAIL = (
    "Name",
    "Arn",
    "Type",
    "Id",
    "Status",
    "StatusMessage",
    "CreatedTime",
    "IdempotencyToken",
    "LastRecordId",
    "LastProvisioningRecordId",
    "LastSuccessfulProvisioningRecordId",
    "ProductId",
    "ProvisioningArtifactId",
)


def _shown(record: Record) -> dict[str, Any]:
    return {name: record[name] for name in DETAIL if record.get(name) is not None}


@operation("servicecatalog", "DescribeProvisionedProduct")
def describe_provisioned_product(
    call: Call, Id: str | None = None, Name: str | None = None, **_: Any
) -> dict[str, Any]:
    record = require(call, Id, Name)
    return {"ProvisionedProductDetail": _shown(record) | {"LaunchRoleArn": record.get("LaunchRoleArn")}}


@operation("servicecatalog", "ScanProvisionedProducts")
def scan_provisioned_products(
    call: Call,
    AccessLevelFilter: dict[str, str] | None = None,
    PageToken: str | None = None,
    PageSize: int | None = None,
    **_: Any,
) -> dict[str, Any]:
    records = _within(call, AccessLevelFilter)
    items, token = page(
        [_shown(record) for record in records],
        PageToken,
        PageSize,
        error="InvalidParametersException",
        default=20,
    )
    return {"ProvisionedProducts": items, "NextPageToken": token}


@operation("servicecatalog", "SearchProvisionedProducts")
def search_provisioned_products(
    call: Call,
    AccessLevelFilter: dict[str, str] | None = None,
    Filters: dict[str, list[str]] | None = None,
    SortBy: str | None = None,
    SortOrder: str = "ASCENDING",
    PageToken: str | None = None,
    PageSize: int | None = None,
    **_: Any,
) -> dict[str, Any]:
    records = _within(call, AccessLevelFilter)
    for name, queries in (Filters or {}).items():
        if name != "SearchQuery":
            raise AwsError("InvalidParametersException", f"Filter {name} is not known; use SearchQuery.")
        for query in queries:
            records = [record for record in records if _matches(record, query)]
    if SortBy is not None and SortBy not in SORTED:
        raise AwsError("InvalidParametersException", f"SortBy is one of {', '.join(SORTED)}, not {SortBy}.")
    if SortBy is not None:
        member = SORTED[SortBy]
        records.sort(key=lambda record: str(record.get(member, "")), reverse=SortOrder == "DESCENDING")
    shown = [_attributes(call, record) for record in records]
    items, token = page(shown, PageToken, PageSize, error="InvalidParametersException", default=20)
    return {"ProvisionedProducts": items, "TotalResultsCount": len(records), "NextPageToken": token}


SORTED = {"arn": "Arn", "id": "Id", "name": "Name", "lastRecordId": "LastRecordId"}


def _within(call: Call, level: dict[str, str] | None) -> list[Record]:
    """What was provisioned by the caller's account, role or, where nothing is asked for, the caller."""
    key, value = (level or {}).get("Key", "User"), (level or {}).get("Value", "self")
    if value != "self":
        raise AwsError("InvalidParametersException", "The value of an AccessLevelFilter is self.")
    records = call.records("provisioned").list()
    if key == "Account":
        return records
    member, mine = {
        "User": ("UserArnSession", call.principal.caller_arn),
        "Role": ("UserArn", call.principal.arn),
    }[key]
    return [record for record in records if record[member] == mine]


SEARCHED = {
    "id": "Id",
    "name": "Name",
    "status": "Status",
    "arn": "Arn",
    "type": "Type",
    "productid": "ProductId",
    "productname": "ProductName",
    "provisioningartifactid": "ProvisioningArtifactId",
    "physicalid": "StackId",
    "userarn": "UserArn",
    "lastrecordid": "LastRecordId",
}


def _matches(record: Record, query: str) -> bool:
    """`name:value` on one attribute, or a text anywhere in them."""
    name, colon, value = query.partition(":")
    if colon and name.lower() in SEARCHED:
        return value.lower() in str(record.get(SEARCHED[name.lower()], "")).lower()
    return any(query.lower() in str(record.get(attribute, "")).lower() for attribute in SEARCHED.values())


def _attributes(call: Call, record: Record) -> dict[str, Any]:
    artifact = next(
        (a for a in of_product(call, record["ProductId"]) if a["Id"] == record["ProvisioningArtifactId"]),
        None,
    )
    return _shown(record) | {
        "Tags": [{"Key": key, "Value": value} for key, value in record["Tags"].items()],
        "PhysicalId": record.get("StackId"),
        "ProductName": record["ProductName"],
        "ProvisioningArtifactName": artifact["Name"] if artifact else None,
        "UserArn": record["UserArn"],
        "UserArnSession": record["UserArnSession"],
    }


@operation("servicecatalog", "DescribeRecord")
def describe_record(call: Call, Id: str, **_: Any) -> dict[str, Any]:
    record = call.records("record").get(Id)
    if record is None:
        raise AwsError("ResourceNotFoundException", f"Record {Id} not found.")
    return {"RecordDetail": detail(record), "RecordOutputs": record.get("outputs", [])}


@operation("servicecatalog", "ListRecordHistory")
def list_record_history(
    call: Call,
    SearchFilter: dict[str, str] | None = None,
    PageToken: str | None = None,
    PageSize: int | None = None,
    **_: Any,
) -> dict[str, Any]:
    records = call.records("record").list()[::-1]
    if SearchFilter:
        name = {"provisionedproduct": "ProvisionedProductId", "product": "ProductId"}.get(
            SearchFilter["Key"].lower()
        )
        if name is None:
            raise AwsError(
                "InvalidParametersException", "SearchFilter takes the key provisionedproduct or product."
            )
        records = [record for record in records if record[name] == SearchFilter["Value"]]
    items, token = page(
        [detail(record) for record in records],
        PageToken,
        PageSize,
        error="InvalidParametersException",
        default=20,
    )
    return {"RecordDetails": items, "NextPageToken": token}


@operation("servicecatalog", "GetProvisionedProductOutputs")
def get_provisioned_product_outputs(
    call: Call,
    ProvisionedProductId: str | None = None,
    ProvisionedProductName: str | None = None,
    OutputKeys: list[str] | None = None,
    **_: Any,
) -> dict[str, Any]:
    product = require(call, ProvisionedProductId, ProvisionedProductName)
    record = call.records("record").get(product.get("LastSuccessfulProvisioningRecordId") or "") or {}
    outputs = [o for o in record.get("outputs", []) if OutputKeys is None or o["OutputKey"] in OutputKeys]
    missing = set(OutputKeys or []) - {output["OutputKey"] for output in outputs}
    if missing:
        raise AwsError("InvalidParametersException", f"Output {sorted(missing)[0]} does not exist.")
    return {"Outputs": outputs}
