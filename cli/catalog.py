"""Project templates in Service Catalog, found as Studio finds them: by the products one may launch.

https://docs.aws.amazon.com/servicecatalog/latest/dg/API_SearchProducts.html
"""

from __future__ import annotations

from typing import Any

from cli.access import Access, pages
from cli.errors import USAGE, CliError

PRODUCT_PREFIX = "sagemaker-"


def provisioning_details(access: Access, template: str, version: str | None) -> dict[str, Any]:
    """What CreateProject needs to launch `template`: its newest active version, or the one named."""
    catalog = access.client("servicecatalog")
    product = _product(catalog, template)
    offer = catalog.describe_product(Id=product["ProductId"])
    artifacts = [item for item in offer["ProvisioningArtifacts"] if item.get("Guidance") != "DEPRECATED"]
    if version:
        artifacts = [item for item in offer["ProvisioningArtifacts"] if item["Name"] == version]
    if not artifacts:
        names = ", ".join(item["Name"] for item in offer["ProvisioningArtifacts"]) or "none"
        raise CliError(
            f"template {template} has no version {version or 'that is active'}; offered: {names}", code=USAGE
        )
    artifact = max(artifacts, key=lambda item: item["CreatedTime"])
    details = {"ProductId": product["ProductId"], "ProvisioningArtifactId": artifact["Id"]}
    paths = _launch_paths(catalog, product["ProductId"])
    if len(paths) > 1:
        details["PathId"] = paths[0]["Id"]
    return details


def _product(catalog: Any, template: str) -> dict[str, Any]:
    answers = pages(catalog.search_products, sent="PageToken", received="NextPageToken")
    found = [product for page in answers for product in page["ProductViewSummaries"]]
    for wanted in (template, PRODUCT_PREFIX + template):
        for product in found:
            if product["Name"] == wanted:
                return dict(product)
    names = ", ".join(sorted(product["Name"].removeprefix(PRODUCT_PREFIX) for product in found)) or "none"
    raise CliError(
        f"no template {template} is offered to this principal; offered: {names}",
        next_step="have it published for this principal: `mlops publish --principal ARN`",
    )


def _launch_paths(catalog: Any, product_id: str) -> list[dict[str, Any]]:
    pages = catalog.get_paginator("list_launch_paths").paginate(ProductId=product_id)
    return [path for page in pages for path in page["LaunchPathSummaries"]]
