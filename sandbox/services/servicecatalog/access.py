"""Who may see and launch what: a principal reaches a product through a portfolio opened to it."""

from __future__ import annotations

from typing import Any

from sandbox.engine.identifiers import derived_id
from sandbox.engine.operations import AwsError, Call
from sandbox.engine.store import Record
from sandbox.services.servicecatalog import products
from sandbox.services.servicecatalog.constraints import launch_role
from sandbox.services.servicecatalog.portfolios import holding, open_to


def visible_products(call: Call) -> list[Record]:
    return [record for record in call.records("product").list() if paths(call, record["Id"])]


def paths(call: Call, product: str) -> list[dict[str, Any]]:
    """The launch paths of the caller: one a portfolio."""
    return [
        {
            "Id": derived_id(product, portfolio["Id"], prefix="lpv3-"),
            "Name": portfolio["DisplayName"],
            "portfolio": portfolio["Id"],
            "role": launch_role(call, portfolio["Id"], product),
        }
        for portfolio in holding(call, product)
        if open_to(call, portfolio)
    ]


def visible(call: Call, product: str | None, name: str | None) -> Record:
    """A product the caller may launch; to anyone else it does not exist."""
    record = products.require(call, product, name)
    if not paths(call, record["Id"]):
        raise AwsError("ResourceNotFoundException", f"Product {product or name} not found.")
    return record


def path(call: Call, product: str, identifier: str | None, name: str | None) -> dict[str, Any]:
    """The path named, or the only one."""
    found = [p for p in paths(call, product) if identifier in (None, p["Id"]) and name in (None, p["Name"])]
    if not found:
        raise AwsError(
            "ResourceNotFoundException", f"Launch path {identifier or name} of {product} not found."
        )
    if len(found) > 1:
        raise AwsError(
            "InvalidParametersException", f"Product {product} has {len(found)} launch paths: give a PathId."
        )
    return found[0]
