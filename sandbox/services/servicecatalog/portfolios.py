"""Portfolios, the products in them and the principals that may use them (Service Catalog API reference)."""

from __future__ import annotations

import fnmatch
from typing import Any

from sandbox.engine.identifiers import random_id
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.engine.store import Record
from sandbox.services.servicecatalog.idempotency import once

PRODUCTS = 150
PRINCIPALS = 100
"""Quotas of one portfolio."""


def require(call: Call, portfolio: str) -> Record:
    record = call.records("portfolio").get(portfolio)
    if record is None:
        raise AwsError("ResourceNotFoundException", f"Portfolio {portfolio} not found.")
    return record


def _detail(record: Record) -> dict[str, Any]:
    names = ("Id", "ARN", "DisplayName", "Description", "CreatedTime", "ProviderName")
    return {name: record.get(name) for name in names}


def _tags(record: Record) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in record["Tags"].items()]


@operation("servicecatalog", "CreatePortfolio")
def create_portfolio(
    call: Call,
    DisplayName: str,
    ProviderName: str,
    IdempotencyToken: str,
    Description: str | None = None,
    Tags: list[dict[str, str]] | None = None,
    **_: Any,
) -> dict[str, Any]:
    def make() -> dict[str, Any]:
        identifier = random_id(prefix="port-")
        record = {
            "Id": identifier,
            "ARN": f"arn:aws:catalog:{call.region}:{call.account}:portfolio/{identifier}",
            "DisplayName": DisplayName,
            "Description": Description,
            "ProviderName": ProviderName,
            "CreatedTime": call.engine.clock.now(),
            "Tags": {tag["Key"]: tag["Value"] for tag in Tags or []},
            "products": [],
            "principals": [],
        }
        call.records("portfolio").put(identifier, record)
        return {"PortfolioDetail": _detail(record), "Tags": _tags(record)}

    return once(call, IdempotencyToken, DisplayName, make)


@operation("servicecatalog", "DescribePortfolio")
def describe_portfolio(call: Call, Id: str, **_: Any) -> dict[str, Any]:
    record = require(call, Id)
    return {"PortfolioDetail": _detail(record), "Tags": _tags(record)}


@operation("servicecatalog", "ListPortfolios")
def list_portfolios(
    call: Call, PageToken: str | None = None, PageSize: int | None = None, **_: Any
) -> dict[str, Any]:
    return _portfolio_page(call.records("portfolio").list(), PageToken, PageSize)


def _portfolio_page(records: list[Record], token: str | None, size: int | None) -> dict[str, Any]:
    details = [_detail(record) for record in records]
    items, token = page(details, token, size, error="InvalidParametersException", default=20)
    return {"PortfolioDetails": items, "NextPageToken": token}


@operation("servicecatalog", "ListPortfoliosForProduct")
def list_portfolios_for_product(
    call: Call, ProductId: str, PageToken: str | None = None, PageSize: int | None = None, **_: Any
) -> dict[str, Any]:
    _require_product(call, ProductId)
    return _portfolio_page(holding(call, ProductId), PageToken, PageSize)


def holding(call: Call, product: str) -> list[Record]:
    """The portfolios a product is in."""
    return [record for record in call.records("portfolio").list() if product in record["products"]]


@operation("servicecatalog", "UpdatePortfolio")
def update_portfolio(
    call: Call,
    Id: str,
    AddTags: list[dict[str, str]] | None = None,
    RemoveTags: list[str] | None = None,
    **members: Any,
) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = require(call, Id)
        record |= {
            name: members[name]
            for name in ("DisplayName", "Description", "ProviderName")
            if members.get(name)
        }
        record["Tags"] |= {tag["Key"]: tag["Value"] for tag in AddTags or []}
        record["Tags"] = {
            key: value for key, value in record["Tags"].items() if key not in (RemoveTags or [])
        }
        call.records("portfolio").put(Id, record)
    return {"PortfolioDetail": _detail(record), "Tags": _tags(record)}


@operation("servicecatalog", "DeletePortfolio")
def delete_portfolio(call: Call, Id: str, **_: Any) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = require(call, Id)
        constraints = [held for held in call.records("constraint").list() if held["PortfolioId"] == Id]
        for what, held in (
            ("products", record["products"]),
            ("principals", record["principals"]),
            ("constraints", constraints),
        ):
            if held:
                raise AwsError(
                    "ResourceInUseException", f"Portfolio {Id} has {what}: remove them before you delete it."
                )
        call.records("portfolio").delete(Id)
    return {}


def _require_product(call: Call, product: str) -> None:
    if call.records("product").get(product) is None:
        raise AwsError("ResourceNotFoundException", f"Product {product} not found.")


@operation("servicecatalog", "AssociateProductWithPortfolio")
def associate_product(
    call: Call, ProductId: str, PortfolioId: str, SourcePortfolioId: str | None = None, **_: Any
) -> dict[str, Any]:
    if SourcePortfolioId:
        raise AwsError("UnsupportedOperation", "The sandbox does not implement SourcePortfolioId", status=400)
    with call.engine.store.transaction():
        record = require(call, PortfolioId)
        _require_product(call, ProductId)
        if ProductId not in record["products"]:
            if len(record["products"]) >= PRODUCTS:
                raise AwsError(
                    "LimitExceededException", f"Portfolio {PortfolioId} holds {PRODUCTS} products already."
                )
            record["products"].append(ProductId)
            call.records("portfolio").put(PortfolioId, record)
    return {}


@operation("servicecatalog", "DisassociateProductFromPortfolio")
def disassociate_product(call: Call, ProductId: str, PortfolioId: str, **_: Any) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = require(call, PortfolioId)
        if ProductId not in record["products"]:
            raise AwsError(
                "ResourceNotFoundException", f"Product {ProductId} is not in portfolio {PortfolioId}."
            )
        for constraint in call.records("constraint").list():
            if (constraint["PortfolioId"], constraint["ProductId"]) == (PortfolioId, ProductId):
                raise AwsError(
                    "ResourceInUseException",
                    f"Constraint {constraint['ConstraintId']} holds product {ProductId}.",
                )
        record["products"].remove(ProductId)
        call.records("portfolio").put(PortfolioId, record)
    return {}


@operation("servicecatalog", "AssociatePrincipalWithPortfolio")
def associate_principal(
    call: Call, PortfolioId: str, PrincipalARN: str, PrincipalType: str, **_: Any
) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = require(call, PortfolioId)
        principal = {"PrincipalARN": PrincipalARN, "PrincipalType": PrincipalType}
        if principal not in record["principals"]:
            if len(record["principals"]) >= PRINCIPALS:
                raise AwsError(
                    "LimitExceededException", f"Portfolio {PortfolioId} has {PRINCIPALS} principals already."
                )
            record["principals"].append(principal)
            call.records("portfolio").put(PortfolioId, record)
    return {}


@operation("servicecatalog", "DisassociatePrincipalFromPortfolio")
def disassociate_principal(call: Call, PortfolioId: str, PrincipalARN: str, **_: Any) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = require(call, PortfolioId)
        kept = [principal for principal in record["principals"] if principal["PrincipalARN"] != PrincipalARN]
        if len(kept) == len(record["principals"]):
            raise AwsError(
                "ResourceNotFoundException", f"Principal {PrincipalARN} has no access to {PortfolioId}."
            )
        call.records("portfolio").put(PortfolioId, record | {"principals": kept})
    return {}


@operation("servicecatalog", "ListPrincipalsForPortfolio")
def list_principals(
    call: Call, PortfolioId: str, PageToken: str | None = None, PageSize: int | None = None, **_: Any
) -> dict[str, Any]:
    principals = require(call, PortfolioId)["principals"]
    items, token = page(principals, PageToken, PageSize, error="InvalidParametersException", default=20)
    return {"Principals": items, "NextPageToken": token}


def open_to(call: Call, portfolio: Record) -> bool:
    """Whether the caller (its user, role or root ARN) is a principal of the portfolio."""
    for principal in portfolio["principals"]:
        arn = principal["PrincipalARN"]
        if principal["PrincipalType"] == "IAM_PATTERN":
            # A pattern leaves the account open: arn:aws:iam:::role/name*
            own = ":".join([*call.principal.arn.split(":")[:4], "", *call.principal.arn.split(":")[5:]])
            if fnmatch.fnmatchcase(own, arn):
                return True
        elif arn == call.principal.arn:
            return True
    return False
