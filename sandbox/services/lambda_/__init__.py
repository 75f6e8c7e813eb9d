"""AWS Lambda (botocore's `lambda`): functions from zip packages, run as processes of their role."""

from sandbox.services.lambda_ import (
    aliases,
    asynchronous,
    deploy,
    environments,
    functions,
    invoke,
    invoke_configs,
    layers,
    mappings,
    permissions,
    polling,
    updates,
    versions,
)

__all__ = [
    "aliases",
    "asynchronous",
    "deploy",
    "environments",
    "functions",
    "invoke",
    "invoke_configs",
    "layers",
    "mappings",
    "permissions",
    "polling",
    "updates",
    "versions",
]
