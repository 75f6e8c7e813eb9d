"""TagOptions: tags that whoever launches a product gets, or has to choose from.

https://docs.aws.amazon.com/servicecatalog/latest/adminguide/tagoptions.html
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.identifiers import random_id
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.engine.store import Record
from sandbox.services.servicecatalog import portfolios, products

PER_RESOURCE = 25
_INVALID = "InvalidParametersException"


def require(call: Call, identifier: str) -> Record:
    record = call.records("tag-option").get(identifier)
    if record is None:
        raise AwsError("ResourceNotFoundException", f"TagOption {identifier} not found.")
    return record


def _detail(record: Record) -> dict[str, Any]:
    return {name: record[name] for name in ("Id", "Key", "Value", "Active", "Owner")}


def _same(call: Call, key: str, value: str) -> Record | None:
    options = call.records("tag-option").list()
    return next((item for item in options if (item["Key"], item["Value"]) == (key, value)), None)


@operation("servicecatalog", "CreateTagOption")
def create_tag_option(call: Call, Key: str, Value: str) -> dict[str, Any]:
    with call.engine.store.transaction():
        if _same(call, Key, Value):
            raise AwsError("DuplicateResourceException", f"A TagOption {Key}={Value} exists already.")
        record: Record = {
            "Id": random_id(prefix="tag-"),
            "Key": Key,
            "Value": Value,
            "Active": True,
            "Owner": call.account,
            "Resources": [],
        }
        call.records("tag-option").put(record["Id"], record)
    return {"TagOptionDetail": _detail(record)}


@operation("servicecatalog", "DescribeTagOption")
def describe_tag_option(call: Call, Id: str) -> dict[str, Any]:
    return {"TagOptionDetail": _detail(require(call, Id))}


@operation("servicecatalog", "UpdateTagOption")
def update_tag_option(
    call: Call, Id: str, Value: str | None = None, Active: bool | None = None
) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = require(call, Id)
        if Value is not None and Value != record["Value"]:
            if _same(call, record["Key"], Value):
                raise AwsError("DuplicateResourceException", f"A TagOption {record['Key']}={Value} exists.")
            record["Value"] = Value
        if Active is not None:
            record["Active"] = Active
        call.records("tag-option").put(Id, record)
    return {"TagOptionDetail": _detail(record)}


@operation("servicecatalog", "DeleteTagOption")
def delete_tag_option(call: Call, Id: str) -> dict[str, Any]:
    with call.engine.store.transaction():
        if require(call, Id)["Resources"]:
            raise AwsError("ResourceInUseException", f"TagOption {Id} is associated with resources.")
        call.records("tag-option").delete(Id)
    return {}


@operation("servicecatalog", "ListTagOptions")
def list_tag_options(
    call: Call,
    Filters: dict[str, Any] | None = None,
    PageSize: int | None = None,
    PageToken: str | None = None,
) -> dict[str, Any]:
    wanted = Filters or {}
    found = [
        _detail(record)
        for record in call.records("tag-option").list()
        if all(record[name] == value for name, value in wanted.items())
    ]
    items, token = page(found, PageToken, PageSize, error=_INVALID, default=20)
    return {"TagOptionDetails": items, "PageToken": token}


def _resource(call: Call, identifier: str) -> Record:
    if identifier.startswith("port-"):
        return portfolios.require(call, identifier)
    return products.require(call, identifier, None)


@operation("servicecatalog", "AssociateTagOptionWithResource")
def associate_tag_option(call: Call, ResourceId: str, TagOptionId: str) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = require(call, TagOptionId)
        _resource(call, ResourceId)
        if ResourceId in record["Resources"]:
            raise AwsError("DuplicateResourceException", f"{TagOptionId} is associated with {ResourceId}.")
        if len(of_resource(call, ResourceId, active=False)) >= PER_RESOURCE:
            raise AwsError("LimitExceededException", f"{ResourceId} has {PER_RESOURCE} TagOptions already.")
        record["Resources"].append(ResourceId)
        call.records("tag-option").put(TagOptionId, record)
    return {}


@operation("servicecatalog", "DisassociateTagOptionFromResource")
def disassociate_tag_option(call: Call, ResourceId: str, TagOptionId: str) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = require(call, TagOptionId)
        if ResourceId not in record["Resources"]:
            raise AwsError("ResourceNotFoundException", f"{TagOptionId} is not associated with {ResourceId}.")
        record["Resources"].remove(ResourceId)
        call.records("tag-option").put(TagOptionId, record)
    return {}


@operation("servicecatalog", "ListResourcesForTagOption")
def list_resources(
    call: Call,
    TagOptionId: str,
    ResourceType: str | None = None,
    PageSize: int | None = None,
    PageToken: str | None = None,
) -> dict[str, Any]:
    prefix = {"Portfolio": "port-", "Product": "prod-", None: ""}.get(ResourceType)
    if prefix is None:
        raise AwsError(_INVALID, "ResourceType is Portfolio or Product.")
    found = [
        _told(_resource(call, item))
        for item in require(call, TagOptionId)["Resources"]
        if item.startswith(prefix)
    ]
    items, token = page(found, PageToken, PageSize, error=_INVALID, default=20)
    return {"ResourceDetails": items, "PageToken": token}


def _told(record: Record) -> dict[str, Any]:
    return {
        "Id": record["Id"],
        "ARN": record.get("ARN") or record.get("Arn"),
        "Name": record.get("DisplayName") or record.get("Name"),
        "Description": record.get("Description"),
        "CreatedTime": record["CreatedTime"],
    }


def of_resource(call: Call, identifier: str, *, active: bool = True) -> list[Record]:
    """The TagOptions of a portfolio or product."""
    return [
        record
        for record in call.records("tag-option").list()
        if identifier in record["Resources"] and (record["Active"] or not active)
    ]


def choices(call: Call, portfolio: str, product: str) -> dict[str, list[str]]:
    """The values to choose from by key; what a product says of a key goes before its portfolio's."""
    result: dict[str, list[str]] = {}
    for identifier in (portfolio, product):
        own: dict[str, list[str]] = {}
        for record in of_resource(call, identifier):
            own.setdefault(record["Key"], []).append(record["Value"])
        result |= own
    return result
