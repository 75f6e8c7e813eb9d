"""Launch constraints: the role a product is launched with (Service Catalog API, CreateConstraint)."""

from __future__ import annotations

import json
from typing import Any

from sandbox.engine.identifiers import random_id
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.engine.store import Record
from sandbox.services.servicecatalog import portfolios
from sandbox.services.servicecatalog.idempotency import once


def _require(call: Call, identifier: str) -> Record:
    record = call.records("constraint").get(identifier)
    if record is None:
        raise AwsError("ResourceNotFoundException", f"Constraint {identifier} not found.")
    return record


def _answer(record: Record) -> dict[str, Any]:
    names = ("ConstraintId", "Type", "Description", "Owner", "ProductId", "PortfolioId")
    detail = {name: record[name] for name in names if record.get(name) is not None}
    return {"ConstraintDetail": detail, "ConstraintParameters": record["Parameters"], "Status": "AVAILABLE"}


def launch_role(call: Call, portfolio: str, product: str) -> str | None:
    """The role of the launch constraint of a product in a portfolio."""
    for record in call.records("constraint").list():
        if (record["PortfolioId"], record["ProductId"], record["Type"]) == (portfolio, product, "LAUNCH"):
            return record["RoleArn"]
    return None


@operation("servicecatalog", "CreateConstraint")
def create_constraint(
    call: Call,
    PortfolioId: str,
    ProductId: str,
    Parameters: str,
    Type: str,
    IdempotencyToken: str,
    Description: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    if Type != "LAUNCH":
        raise AwsError(
            "UnsupportedOperation",
            f"The sandbox implements constraints of type LAUNCH only, not {Type}",
            status=400,
        )
    role = _role(call, Parameters)
    if ProductId not in portfolios.require(call, PortfolioId)["products"]:
        raise AwsError("ResourceNotFoundException", f"Product {ProductId} is not in portfolio {PortfolioId}.")

    def make() -> dict[str, Any]:
        if launch_role(call, PortfolioId, ProductId):
            raise AwsError(
                "DuplicateResourceException",
                f"Product {ProductId} has a launch constraint in {PortfolioId} already.",
            )
        identifier = random_id(prefix="cons-")
        record = {
            "ConstraintId": identifier,
            "Type": Type,
            "Description": Description,
            "Owner": call.account,
            "ProductId": ProductId,
            "PortfolioId": PortfolioId,
            "Parameters": Parameters,
            "RoleArn": role,
        }
        call.records("constraint").put(identifier, record)
        return _answer(record)

    return once(call, IdempotencyToken, f"{PortfolioId}/{ProductId}", make)


def _role(call: Call, parameters: str) -> str:
    try:
        value = json.loads(parameters)
        if "RoleArn" in value:
            return str(value["RoleArn"])
        return f"arn:aws:iam::{call.account}:role/{value['LocalRoleName']}"
    except (ValueError, KeyError, TypeError) as error:
        raise AwsError(
            "InvalidParametersException",
            "Parameters of a LAUNCH constraint are JSON with RoleArn or LocalRoleName.",
        ) from error


@operation("servicecatalog", "DescribeConstraint")
def describe_constraint(call: Call, Id: str, **_: Any) -> dict[str, Any]:
    return _answer(_require(call, Id))


@operation("servicecatalog", "UpdateConstraint")
def update_constraint(
    call: Call, Id: str, Description: str | None = None, Parameters: str | None = None, **_: Any
) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = _require(call, Id)
        if Description is not None:
            record["Description"] = Description
        if Parameters is not None:
            record |= {"Parameters": Parameters, "RoleArn": _role(call, Parameters)}
        call.records("constraint").put(Id, record)
    return _answer(record)


@operation("servicecatalog", "DeleteConstraint")
def delete_constraint(call: Call, Id: str, **_: Any) -> dict[str, Any]:
    _require(call, Id)
    call.records("constraint").delete(Id)
    return {}


@operation("servicecatalog", "ListConstraintsForPortfolio")
def list_constraints(
    call: Call,
    PortfolioId: str,
    ProductId: str | None = None,
    PageToken: str | None = None,
    PageSize: int | None = None,
    **_: Any,
) -> dict[str, Any]:
    portfolios.require(call, PortfolioId)
    records = [
        record
        for record in call.records("constraint").list()
        if record["PortfolioId"] == PortfolioId and ProductId in (None, record["ProductId"])
    ]
    details = [_answer(record)["ConstraintDetail"] for record in records]
    items, token = page(details, PageToken, PageSize, error="InvalidParametersException", default=20)
    return {"ConstraintDetails": items, "NextPageToken": token}
