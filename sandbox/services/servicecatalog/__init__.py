"""Service Catalog: portfolios, products with their versions, launch constraints, provisioned products."""

from sandbox.services.servicecatalog import (
    artifacts,
    browsing,
    constraints,
    portfolios,
    products,
    provisioned,
    provisioning,
)

__all__ = ["artifacts", "browsing", "constraints", "portfolios", "products", "provisioned", "provisioning"]
