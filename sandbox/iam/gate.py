"""The gate: every request is decided here, and recorded.

`authorize` resolves a request to IAM actions, gathers the policies that bear on them, decides each, and
raises AccessDenied with the code and the words of the called service.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from sandbox.iam import key_states, kms_grants, moto_resources, policy
from sandbox.iam.actions import Check, Unmapped, iam_prefix, resolve
from sandbox.iam.context import Context, RequestFacts, request_keys
from sandbox.iam.documents import parse
from sandbox.iam.policy import Decision, PolicySet
from sandbox.iam.principals.principal import Principal
from sandbox.iam.principals.records import policies_of
from sandbox.iam.refusals import denial_of, denied, message
from sandbox.iam.s3_encryption import key_checks
from sandbox.iam.session_limits import check_session, inherited

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
    check_session(principal, request.service, request.operation)
    for decision in decisions(principal, request):
        if record:
            record(Decided(principal.arn, request.service, request.operation, decision, time.time()))
        if not decision.allowed:
            keys = functools.partial(request_keys, principal, request)
            raise denied(principal, request.service, decision, keys)
        key_states.check(request.service, request.account, decision)


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
    key_states.check(request.service, request.account, decision)


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
    if request.service == "sts":
        checks = inherited(principal, checks)
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
    if check.action in TRUST_ACTIONS and ":role/" in resource:
        text = moto_resources.trust_of(request.account, resource)
        trust = (parse(text, "trust"),) if text else ()
        return replace(policies, resource=trust, must_grant=True, resource_kind=policy.TRUST)
    if service == "kms" and ":key/" in resource:
        key = moto_resources.key_of(request.account, resource)
        if key is None:
            return policies
        documents = (parse(str(key.policy), "key policy"), *kms_grants.documents(key, principal))
        return replace(policies, resource=documents, must_grant=True)
    text = moto_resources.policy_of(request.account, resource) if service in ("s3", "logs") else None
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
