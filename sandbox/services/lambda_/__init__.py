"""AWS Lambda: functions from zip packages, run as processes of their role; this service is botocore's `lambda`."""

from sandbox.services.lambda_ import (
    asynchronous,
    deploy,
    environments,
    functions,
    invoke,
    layers,
    updates,
    versions,
)

__all__ = [
    "asynchronous",
    "deploy",
    "environments",
    "functions",
    "invoke",
    "layers",
    "updates",
    "versions",
]
