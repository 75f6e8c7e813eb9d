"""What a request does, in IAM's words: actions, resources, and the roles it passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.iam.actions import iam, kms, others, passing, s3
from sandbox.iam.actions.catalogue import iam_prefix
from sandbox.iam.actions.check import Asked, Check, Locate, Unmapped

__all__ = ["Asked", "Check", "Locate", "Unmapped", "iam_prefix", "resolve"]


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
    if service == "s3":
        return s3.checks(asked)
    if service == "kms":
        return kms.checks(asked)
    if service == "iam":
        return iam.checks(asked)
    if service == "sts":
        return iam.sts_checks(asked)
    found = others.checks(asked, iam_prefix(service))
    return found + passing.checks(asked, found[0].resources)
