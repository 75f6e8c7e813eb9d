"""Who may assume a role, and the credentials that follow.

Source: "How to use trust policies with IAM roles" and "The confused deputy problem" in the IAM User Guide.
"""

from __future__ import annotations

from typing import Any

from sandbox.iam import policy
from sandbox.iam.context import Context, RequestFacts, request_keys
from sandbox.iam.documents import parse
from sandbox.iam.errors import AccessDenied
from sandbox.iam.gate import denial_of, message
from sandbox.iam.policy import Decision, PolicySet
from sandbox.iam.principals.principal import Principal, service_principal
from sandbox.iam.principals.records import access_key_of, assumed_role, policies_of, role_of, role_tags
from sandbox.iam.principals.sessions import open_session

ACTION = "sts:AssumeRole"


def may_assume(role: Any, requester: Principal, context: RequestFacts) -> Decision:
    """Whether a role's trust policy (and, for users and roles, their own policies) let `requester` assume it.

    `role`: moto's record. `context`: region, account and, for services, source_arn and source_account.
    """
    keys = request_keys(requester, context) | {"aws:resourceaccount": (role.account_id,)}
    own = policies_of(requester) if requester.kind != "service" else PolicySet(forms=requester.forms)
    tags = role_tags(role)
    document = parse(str(role.assume_role_policy_document), "trust")
    return policy.evaluate(
        ACTION,
        role.arn,
        Context(keys, ACTION, role.arn, lambda _: tags),
        PolicySet(
            identity=own.identity,
            boundary=own.boundary,
            session=own.session,
            resource=(document,),
            forms=own.forms,
            root=own.root,
            must_grant=True,
            cross_account=requester.kind != "service" and requester.account != role.account_id,
            resource_kind=policy.TRUST,
        ),
    )


def check_service(
    role_arn: str,
    service: str,
    *,
    account: str,
    source_arn: str | None = None,
    source_account: str | None = None,
    region: str = "us-east-1",
) -> None:
    """Raises AccessDenied unless the role exists and lets the service principal assume it.

    aws:SourceAccount is `account` unless told otherwise, aws:SourceArn is `source_arn`: the resource for
    which
    the service acts.
    """
    requester = service_principal(service, account)
    role = (
        role_of(account, role_arn) if role_arn.count(":") >= 5 and role_arn.split(":")[4] == account else None
    )
    decision = Decision(False, policy.IMPLICIT_DENY, policy.TRUST, ACTION, role_arn)
    if role is not None:
        facts = RequestFacts(
            "sts",
            "AssumeRole",
            {},
            region,
            account,
            source_arn=source_arn,
            source_account=source_account or account,
        )
        decision = may_assume(role, requester, facts)
    if not decision.allowed:
        code, status = denial_of("sts")
        raise AccessDenied(code, message(requester, "sts", decision), status, decision)


def credentials(
    role_arn: str, session_name: str, account: str, *, region: str = "us-east-1", duration: int = 3600
) -> tuple[str, str, str]:
    """(access key, secret key, token) of a new session of a role. Trust is decided before
    (`check_service`)."""
    session = open_session(role_arn, session_name, region=region, duration=duration)
    return session.access_key_id, session.secret_access_key, session.session_token


def secrets(access_key: str) -> tuple[str, str, str | None]:
    """(access key, secret key, token) of a key seen earlier, to act as its owner again. Raises UnknownKey."""
    account, key = access_key_of(access_key)
    token = assumed_role(account, access_key).session_token if key.role_arn is not None else None
    return access_key, key.secret_access_key, token


__all__ = ["ACTION", "check_service", "credentials", "may_assume", "secrets"]
