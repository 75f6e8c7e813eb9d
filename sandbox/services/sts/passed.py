"""What a request passes to a session: policies, tags, and how long it is to last.

Source: "Session policies" and "Passing session tags in AWS STS" in the IAM User Guide, and the errors of
STS's API reference.
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError
from sandbox.iam.documents import MalformedPolicy, parse

LONGEST_POLICY = 2048
"""Characters of a session policy."""


def invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message, status=400)


def policy(text: str | None) -> str | None:
    """The inline session policy; AwsError where IAM would not take it."""
    if text is None:
        return None
    if len(text) > LONGEST_POLICY:
        raise invalid(
            "1 validation error detected: Value at 'policy' failed to satisfy constraint: "
            f"Member must have length less than or equal to {LONGEST_POLICY}"
        )
    try:
        document = parse(text, "session policy")
    except MalformedPolicy as error:
        raise AwsError("MalformedPolicyDocument", "Syntax errors in policy.", status=400) from error
    if any(statement.principals is not None for statement in document.statements):
        raise AwsError(
            "MalformedPolicyDocument", "Policy document should not specify a principal.", status=400
        )
    return text


def tags(items: list[dict[str, str]] | None) -> dict[str, str]:
    """Session tags by key; AwsError for keys that differ in case only, and for AWS's own."""
    found: dict[str, str] = {}
    lower: set[str] = set()
    for item in items or []:
        if item["Key"].lower() in lower:
            raise AwsError(
                "InvalidParameterValue",
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
                status=400,
            )
        if item["Key"].lower().startswith("aws:"):
            raise invalid("System tags cannot be added or removed by users: tag keys cannot start with aws:")
        lower.add(item["Key"].lower())
        found[item["Key"]] = item["Value"]
    return found


def arns(items: list[dict[str, str]] | None) -> list[str]:
    """Managed session policies."""
    return [item["arn"] for item in items or []]


def no_mfa(operation: str, members: dict[str, Any]) -> None:
    """There are no MFA devices here."""
    if members.get("SerialNumber") or members.get("TokenCode"):
        raise AwsError(
            "UnsupportedOperation", f"The sandbox does not implement {operation} with MFA", status=400
        )
