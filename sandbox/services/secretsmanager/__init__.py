"""AWS Secrets Manager: secrets, their versions and stages, encrypted under KMS keys. Nothing rotates them."""

from sandbox.services.secretsmanager import (  # noqa: F401
    deletion,
    listing,
    passwords,
    policies,
    secrets,
    tags,
    values,
)
