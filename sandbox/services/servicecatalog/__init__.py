"""Service Catalog: portfolios, products with their versions, launch constraints, provisioned products."""

from sandbox.services.servicecatalog import (
    artifacts,
    browsing,
    constraints,
    portfolios,
    products,
    properties,
    provisioned,
    provisioning,
    tag_options,
)

__all__ = [
    "artifacts",
    "browsing",
    "constraints",
    "portfolios",
    "products",
    "properties",
    "provisioned",
    "provisioning",
    "tag_options",
]
