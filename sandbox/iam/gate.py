"""The gate: every request is decided here, and recorded.

`authorize` resolves a request to IAM actions, gathers the policies that bear on them, decides each, and
raises
AccessDenied with the code and the words of the called service.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from sandbox.iam import kms_grants, moto_resources, policy
from sandbox.iam.actions import Check, Unmapped, iam_prefix, resolve
from sandbox.iam.context import Context, RequestFacts, request_keys
from sandbox.iam.documents import parse
from sandbox.iam.errors import AccessDenied
from sandbox.iam.policy import Decision, PolicySet
from sandbox.iam.principals.principal import Principal
from sandbox.iam.principals.records import policies_of
from sandbox.iam.s3_encryption import key_checks

TRUST_ACTIONS = frozenset(("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"))


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision, as it is recorded."""

    principal: str
    service: str
    operation: str
    decision: Decision
    at: float


Record = Callable[[Decided], None]


def authorize(principal: Principal, request: RequestFacts, record: Record | None = None) -> None:
    """Returns if the request is allowed. Raises AccessDenied with AWS's code and text otherwise."""
    for decision in decisions(principal, request):
        if record:
            record(Decided(principal.arn, request.service, request.operation, decision, time.time()))
        if not decision.allowed:
            raise denied(principal, request.service, decision)


def authorize_action(
    principal: Principal,
    action: str,
    resource: str,
    request: RequestFacts,
    record: Record | None = None,
) -> None:
    """Decides one action that has no public API operation (`codecommit:GitPush`, `codecommit:UploadArchive`).

    `request` gives region, account and condition keys; its operation is only recorded.
    """
    keys = request_keys(principal, request)
    decision = _decide(principal, request, Check(action, (resource,)), resource, keys, policies_of(principal))
    if record:
        record(Decided(principal.arn, request.service, request.operation, decision, time.time()))
    if not decision.allowed:
        raise denied(principal, request.service, decision)


def decisions(principal: Principal, request: RequestFacts) -> Iterator[Decision]:
    """The decisions a request needs, in order; the caller stops at the first that denies."""
    try:
        checks = resolve(
            request.service,
            request.operation,
            request.params,
            request.region,
            request.account,
            caller=principal.name if principal.kind == "user" else "",
            locate=request.locate,
        )
    except Unmapped as unmapped:
        yield Decision(False, policy.UNMAPPED, unmapped.reason, unmapped.action, "*")
        return
    policies = policies_of(principal)
    keys = request_keys(principal, request)
    for check in checks:
        for resource in check.resources:
            yield _decide(principal, request, check, resource, keys, policies)
    if request.service == "s3":
        yield from _key_decisions(principal, request, policies)


def _decide(
    principal: Principal,
    request: RequestFacts,
    check: Check,
    resource: str,
    keys: dict[str, tuple[str, ...]],
    policies: PolicySet,
) -> Decision:
    account = _account_of(resource) or request.account
    values = keys | {"aws:resourceaccount": (account,)}
    if check.context:
        values.update({name.lower(): (value,) for name, value in check.context.items()})
    if check.action.startswith("kms:"):
        aliases = moto_resources.aliases_of(request.account, resource)
        if aliases:
            values["kms:resourcealiases"] = aliases
    tags = functools.partial(_tags, request)
    context = Context(values, check.action, resource, tags)
    return policy.evaluate(
        check.action, resource, context, _with_resource_policy(principal, request, check, resource, policies)
    )


def _key_decisions(principal: Principal, request: RequestFacts, policies: PolicySet) -> Iterator[Decision]:
    """S3 uses a bucket's KMS key in the requester's name: the requester needs the key too."""
    checks = key_checks(request)
    if not checks:
        return
    through = replace(principal, via=(*principal.via, "s3.amazonaws.com"))
    for check in checks:
        facts = replace(
            request, service="kms", operation=check.action.partition(":")[2], params={}, keys=check.context
        )
        keys = request_keys(through, facts)
        for resource in check.resources:
            yield _decide(principal, facts, Check(check.action, check.resources), resource, keys, policies)


def _with_resource_policy(
    principal: Principal, request: RequestFacts, check: Check, resource: str, policies: PolicySet
) -> PolicySet:
    service = check.action.partition(":")[0]
    if check.action in TRUST_ACTIONS:
        text = moto_resources.trust_of(request.account, resource)
        trust = (parse(text, "trust"),) if text else ()
        return replace(policies, resource=trust, must_grant=True, resource_kind=policy.TRUST)
    if service == "kms" and ":key/" in resource:
        key = moto_resources.key_of(request.account, resource)
        if key is None:
            return policies
        documents = (parse(str(key.policy), "key policy"), *kms_grants.documents(key, principal))
        return replace(policies, resource=documents, must_grant=True)
    text = moto_resources.policy_of(request.account, resource) if service == "s3" else None
    if text is None and request.policy_of and resource.startswith("arn:"):
        text = request.policy_of(resource)
    return replace(policies, resource=(parse(text, "resource policy"),)) if text else policies


def _tags(request: RequestFacts, arn: str) -> Mapping[str, str]:
    found = moto_resources.tags_of(request.account, arn)
    if found is not None:
        return found
    return request.tags_of(arn) if request.tags_of else {}


def _account_of(resource: str) -> str | None:
    pieces = resource.split(":", 5)
    return pieces[4] if len(pieces) == 6 and pieces[4].isdigit() else None


_WHY = {
    policy.IDENTITY: ("no identity-based policy allows", "an identity-based policy"),
    policy.RESOURCE: ("no resource-based policy allows", "a resource-based policy"),
    policy.BOUNDARY: ("no permissions boundary allows", "a permissions boundary"),
    policy.SESSION: ("no session policy allows", "a session policy"),
    policy.TRUST: ("no role trust policy allows", "a role trust policy"),
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
    if decision.action == "sts:AssumeRole":
        return text
    implicit, explicit = _WHY[decision.by]
    if decision.reason == policy.EXPLICIT_DENY:
        return f"{text} with an explicit deny in {explicit}"
    return f"{text} because {implicit} the {decision.action} action"


def denied(principal: Principal, service: str, decision: Decision) -> AccessDenied:
    code, status = denial_of(service)
    text = message(principal, service, decision)
    if service == "ec2":
        text = f"You are not authorized to perform this operation. {text}"
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


__all__ = [
    "Decided",
    "Record",
    "authorize",
    "authorize_action",
    "decisions",
    "denial_of",
    "denied",
    "iam_prefix",
    "message",
]
