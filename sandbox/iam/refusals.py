"""How services refuse what policies do not allow: codes, statuses and AWS's words.

Source: "Troubleshoot access denied error messages" in the IAM User Guide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sandbox.iam import failure_messages, policy
from sandbox.iam.errors import AccessDenied
from sandbox.iam.policy import Decision
from sandbox.iam.principals.principal import Principal

BARE = frozenset(("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"))
"""Actions whose implicit refusal gives no reason: it would tell about a role that may be another's."""

_WHY = {
    policy.IDENTITY: ("no identity-based policy allows", "an identity-based policy"),
    policy.RESOURCE: ("no resource-based policy allows", "a resource-based policy"),
    policy.BOUNDARY: ("no permissions boundary allows", "a permissions boundary"),
    policy.SESSION: ("no session policy allows", "a session policy"),
    policy.TRUST: ("no role trust policy allows", "the role trust policy"),
}


def message(principal: Principal, service: str, decision: Decision) -> str:
    """The text of a refusal, as AWS writes it ("Troubleshoot access denied error messages", IAM User
    Guide)."""
    resource = f'"{decision.resource}"' if service == "s3" else decision.resource
    text = f"User: {principal.caller_arn} is not authorized to perform: {decision.action}"
    if decision.reason == policy.UNMAPPED:
        return f"{text} because the sandbox cannot tell what it is about: {decision.by}"
    text += f" on resource: {resource}"
    if decision.reason == policy.UNKNOWN_KEY:
        names, where = ", ".join(decision.unknown), decision.statement or decision.by
        return f"{text} because the sandbox does not know the condition key {names} in {where}"
    implicit, explicit = _WHY[decision.by]
    if decision.reason == policy.EXPLICIT_DENY:
        return f"{text} with an explicit deny in {explicit}"
    if decision.action in BARE:
        return text
    return f"{text} because {implicit} the {decision.action} action"


def denied(
    principal: Principal,
    service: str,
    decision: Decision,
    keys: Callable[[], Mapping[str, tuple[str, ...]]] = dict,
) -> AccessDenied:
    """The refusal. `keys`: the request's condition keys, for EC2's encoded message."""
    code, status = denial_of(service)
    text = message(principal, service, decision)
    if service == "ec2":
        encoded = failure_messages.encode(principal, decision, keys())
        text = (
            f"You are not authorized to perform this operation. {text}. "
            f"Encoded authorization failure message: {encoded}"
        )
    return AccessDenied(code, text, status, decision)


_AS_QUERY = frozenset(("s3", "iam", "sts", "cloudformation", "cloudwatch", "sns", "sqs", "autoscaling"))
"""Services of the query and rest-xml protocols, and those compatible with the former."""

_REST_JSON = frozenset(("sagemaker-runtime", "lambda", "scheduler", "apigateway"))


def denial_of(service: str) -> tuple[str, int]:
    """(error code, HTTP status) with which a botocore service refuses."""
    if service == "ec2":
        return "UnauthorizedOperation", 403
    if service in _AS_QUERY:
        return "AccessDenied", 403
    return "AccessDeniedException", 403 if service in _REST_JSON else 400
