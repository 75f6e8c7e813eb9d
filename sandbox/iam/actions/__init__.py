"""What a request does, in IAM's words: actions, resources, and the roles it passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.iam.actions import (
    connections,
    ec2,
    ecr,
    iam,
    kms,
    lambda_,
    others,
    passing,
    s3,
    scheduler,
    secretsmanager,
    sns,
    sqs,
    states,
    tagging,
)
from sandbox.iam.actions.catalogue import iam_prefix
from sandbox.iam.actions.check import Asked, Check, Locate, Unmapped

__all__ = ["CHECKS", "Asked", "Check", "Locate", "Unmapped", "iam_prefix", "resolve"]

CHECKS: dict[str, Callable[[Asked], list[Check]]] = {
    "codeconnections": connections.checks,
    "codestar-connections": connections.checks,
    "ec2": ec2.checks,
    "ecr": ecr.checks,
    "iam": iam.checks,
    "kms": kms.checks,
    "lambda": lambda_.checks,
    "s3": s3.checks,
    "scheduler": scheduler.checks,
    "secretsmanager": secretsmanager.checks,
    "sns": sns.checks,
    "sqs": sqs.checks,
    "stepfunctions": states.checks,
    "sts": iam.sts_checks,
}
"""By botocore service name: what tells the checks of a request, its own first (a file here for each service).

A service that is not here has one check an operation, named as the operation, on the resources that
`others.RESOURCES` or the Service Authorization Reference's templates tell. The tags and
roles that a request brings are added to any service's checks by `tagging` and `passing` (a service that takes
roles is named in `passing.PASSED_TO`).
"""


def resolve(
    service: str,
    operation: str,
    params: Mapping[str, Any],
    region: str,
    account: str,
    *,
    caller: str = "",
    locate: Locate | None = None,
) -> list[Check]:
    """The checks of a request, its own first, then those it depends on. Unmapped where one cannot be told.

    An empty list: the operation needs no permission (GetCallerIdentity). `caller`: name of the calling user.
    """
    asked = Asked(service, operation, params, region, account, caller, locate)
    found = CHECKS.get(service, others.checks)(asked)
    if not found:
        return found
    main = found[0].resources
    return found + tagging.checks(asked, main) + passing.checks(asked, main)
