"""The tags of a provisioned product: chosen ones, those of product and portfolio, and Service Catalog's own.

https://docs.aws.amazon.com/servicecatalog/latest/adminguide/autotags.html
"""

from __future__ import annotations

from sandbox.engine.operations import AwsError, Call
from sandbox.engine.store import Record
from sandbox.services.servicecatalog import portfolios, products, tag_options


def chosen(call: Call, product: str, portfolio: str, asked: dict[str, str]) -> dict[str, str]:
    """What a launch asks for, with the TagOptions of product and portfolio.

    InvalidParametersException for a value that is no option, and for a key without a choice among several.
    """
    result = dict(asked)
    for key, values in tag_options.choices(call, portfolio, product).items():
        if key in asked and asked[key] not in values:
            raise AwsError("InvalidParametersException", f"Tag {key} must be one of {', '.join(values)}.")
        if key not in asked and len(values) > 1:
            raise AwsError("InvalidParametersException", f"Tag {key} is required: {', '.join(values)}.")
        result.setdefault(key, values[0])
    of_portfolio: dict[str, str] = portfolios.require(call, portfolio)["Tags"]
    of_product: dict[str, str] = products.require(call, product, None)["Tags"]
    return of_portfolio | of_product | result


def system_tags(product: Record) -> dict[str, str]:
    """AutoTags, on the stack and on whatever CloudFormation tags in it."""
    prefix = "aws:servicecatalog:"
    found = {
        "productArn": product.get("ProductArn"),
        "portfolioArn": product.get("PortfolioArn"),
        "provisioningPrincipalArn": product["UserArnSession"],
        "provisionedProductArn": product["Arn"],
        "provisioningArtifactIdentifier": product["ProvisioningArtifactId"],
    }
    return {f"{prefix}{name}": value for name, value in found.items() if value}
