"""Products as an administrator sees them (Service Catalog API reference)."""

from __future__ import annotations

from typing import Any

from sandbox.engine.identifiers import random_id
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.engine.store import Record
from sandbox.services.servicecatalog import artifacts
from sandbox.services.servicecatalog.idempotency import once
from sandbox.services.servicecatalog.portfolios import holding

MEMBERS = ("Name", "Owner", "Description", "Distributor", "SupportDescription", "SupportEmail", "SupportUrl")


def require(call: Call, identifier: str | None = None, name: str | None = None) -> Record:
    for record in call.records("product").list():
        if identifier in (None, record["Id"]) and name in (None, record["Name"]) and (identifier or name):
            return record
    raise AwsError("ResourceNotFoundException", f"Product {identifier or name} not found.")


def summary(record: Record) -> dict[str, Any]:
    """ProductViewSummary: its Id names the view, ProductId the product."""
    return {
        "Id": record["ViewId"],
        "ProductId": record["Id"],
        "Name": record["Name"],
        "Owner": record["Owner"],
        "ShortDescription": record.get("Description"),
        "Type": record["ProductType"],
        "Distributor": record.get("Distributor"),
        "HasDefaultPath": False,
        "SupportEmail": record.get("SupportEmail"),
        "SupportDescription": record.get("SupportDescription"),
        "SupportUrl": record.get("SupportUrl"),
    }


def view(record: Record) -> dict[str, Any]:
    return {
        "ProductViewSummary": summary(record),
        "Status": "AVAILABLE",
        "ProductARN": record["ARN"],
        "CreatedTime": record["CreatedTime"],
    }


def _tags(record: Record) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in record["Tags"].items()]


@operation("servicecatalog", "CreateProduct")
def create_product(
    call: Call,
    Name: str,
    Owner: str,
    ProductType: str,
    IdempotencyToken: str,
    ProvisioningArtifactParameters: dict[str, Any] | None = None,
    **members: Any,
) -> dict[str, Any]:
    if ProductType != "CLOUD_FORMATION_TEMPLATE" or members.get("SourceConnection"):
        raise AwsError(
            "UnsupportedOperation",
            f"The sandbox implements products of CLOUD_FORMATION_TEMPLATE only, not {ProductType}",
            status=400,
        )
    if not ProvisioningArtifactParameters:
        raise AwsError("InvalidParametersException", "ProvisioningArtifactParameters are required.")

    def make() -> dict[str, Any]:
        identifier = random_id(prefix="prod-")
        given = {"Name": Name, "Owner": Owner} | members
        record = {member: given.get(member) for member in MEMBERS} | {
            "Id": identifier,
            "ViewId": random_id(prefix="prodview-"),
            "ARN": f"arn:aws:catalog:{call.region}:{call.account}:product/{identifier}",
            "ProductType": ProductType,
            "CreatedTime": call.engine.clock.now(),
            "Tags": {tag["Key"]: tag["Value"] for tag in members.get("Tags") or []},
        }
        artifact = artifacts.make(call, identifier, ProvisioningArtifactParameters)
        call.records("product").put(identifier, record)
        return {
            "ProductViewDetail": view(record),
            "ProvisioningArtifactDetail": artifacts.detail(artifact),
            "Tags": _tags(record),
        }

    return once(call, IdempotencyToken, Name, make)


@operation("servicecatalog", "UpdateProduct")
def update_product(
    call: Call,
    Id: str,
    AddTags: list[dict[str, str]] | None = None,
    RemoveTags: list[str] | None = None,
    **members: Any,
) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = require(call, Id)
        record |= {name: members[name] for name in MEMBERS if members.get(name) is not None}
        record["Tags"] |= {tag["Key"]: tag["Value"] for tag in AddTags or []}
        record["Tags"] = {
            key: value for key, value in record["Tags"].items() if key not in (RemoveTags or [])
        }
        call.records("product").put(Id, record)
    return {"ProductViewDetail": view(record), "Tags": _tags(record)}


@operation("servicecatalog", "DeleteProduct")
def delete_product(call: Call, Id: str, **_: Any) -> dict[str, Any]:
    with call.engine.store.transaction():
        require(call, Id)
        if holding(call, Id):
            raise AwsError(
                "ResourceInUseException", f"Product {Id} is in a portfolio: disassociate it first."
            )
        for artifact in artifacts.of_product(call, Id):
            call.records("artifact").delete(f"{Id}/{artifact['Id']}")
        call.records("product").delete(Id)
    return {}


@operation("servicecatalog", "DescribeProductAsAdmin")
def describe_product_as_admin(
    call: Call, Id: str | None = None, Name: str | None = None, **_: Any
) -> dict[str, Any]:
    record = require(call, Id, Name)
    names = ("Id", "Name", "Description", "CreatedTime")
    return {
        "ProductViewDetail": view(record),
        "ProvisioningArtifactSummaries": [
            {name: artifact[name] for name in names if artifact.get(name) is not None}
            for artifact in artifacts.of_product(call, record["Id"])
        ],
        "Tags": _tags(record),
        "TagOptions": [],
        "Budgets": [],
    }


@operation("servicecatalog", "SearchProductsAsAdmin")
def search_products_as_admin(
    call: Call,
    Filters: dict[str, list[str]] | None = None,
    PortfolioId: str | None = None,
    PageToken: str | None = None,
    PageSize: int | None = None,
    **_: Any,
) -> dict[str, Any]:
    records = matching(call.records("product").list(), Filters)
    if PortfolioId:
        held = (call.records("portfolio").get(PortfolioId) or {"products": []})["products"]
        records = [record for record in records if record["Id"] in held]
    items, token = page(
        [view(record) for record in records],
        PageToken,
        PageSize,
        error="InvalidParametersException",
        default=20,
    )
    return {"ProductViewDetails": items, "NextPageToken": token}


def matching(records: list[Record], filters: dict[str, list[str]] | None) -> list[Record]:
    """ProductViewFilterBy: FullTextSearch, Owner, ProductType."""
    for name, values in (filters or {}).items():
        if name == "FullTextSearch":
            text = [value.lower() for value in values]
            records = [
                r
                for r in records
                if any(v in f"{r['Name']} {r.get('Description') or ''}".lower() for v in text)
            ]
        elif name in ("Owner", "ProductType"):
            records = [record for record in records if record[name] in values]
        else:
            raise AwsError(
                "UnsupportedOperation",
                f"The sandbox does not implement the product filter {name}",
                status=400,
            )
    return records
