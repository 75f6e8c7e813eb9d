"""May this principal do this? Every request asks the IAM gate; every answer is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from sandbox.engine.clients import Session
from sandbox.engine.engine import Engine
from sandbox.engine.http import Request
from sandbox.engine.operations import LOCATE, POLICIES, TAGS, AwsError
from sandbox.gateway.authentication import Identity, authenticate_git
from sandbox.iam import gate, signature_v2
from sandbox.iam.context import RequestFacts
from sandbox.iam.errors import Refused
from sandbox.iam.ledger import Ledger
from sandbox.iam.principals import Principal, principal_of

AuthenticateGit = Callable[[str, str, str], Identity]
AuthorizeGit = Callable[[Identity, str, bool, tuple[str, ...]], None]

LEDGER = Ledger()
"""Every decision, counted; the last ones whole."""


def authorize(engine: Engine, identity: Identity, operation: Any, request: Request) -> None:
    """Decides a request; AwsError with the service's own code and AWS's words when it is denied."""
    facts = _facts(
        engine, identity.principal, identity.region, operation.service, operation.name, operation.parameters
    )
    LEDGER.called(identity.principal.arn, operation.service, operation.name)
    _decide(lambda: gate.authorize(identity.principal, _with_headers(facts, request), LEDGER))


def _with_headers(facts: RequestFacts, request: Request) -> RequestFacts:
    older = signature_v2.is_presigned(request.query)
    return replace(
        facts,
        headers=request.headers,
        source_ip=request.remote,
        presigned="X-Amz-Signature" in request.query or older,
        source_arn=request.source_arn,
        keys={"s3:signatureversion": "AWS"} if older else {},
    )


def _facts(
    engine: Engine,
    principal: Principal,
    region: str,
    service: str,
    operation: str,
    parameters: dict[str, Any],
) -> RequestFacts:
    account = principal.account

    def tags_of(arn: str) -> dict[str, str]:
        source = TAGS.get(arn.split(":")[2]) if arn.count(":") >= 5 else None
        return source(engine, account, region, arn) if source else {}

    def policy_of(arn: str) -> str | None:
        source = POLICIES.get(arn.split(":")[2]) if arn.count(":") >= 5 else None
        return source(engine, account, region, arn) if source else None

    def locate(of: str, kind: str, identifier: str) -> str | None:
        source = LOCATE.get((of, kind))
        return source(engine, account, region, identifier) if source else None

    return RequestFacts(
        service,
        operation,
        parameters,
        region,
        account,
        tags_of=tags_of,
        policy_of=policy_of,
        locate=locate,
    )


def _decide(ask: Callable[[], None]) -> None:
    try:
        ask()
    except Refused as error:
        raise AwsError(error.code, error.message, status=error.status) from error


def of_session(engine: Engine) -> Callable[[Session, str, str, dict[str, str]], None]:
    """Decides a permission that has no API operation, for a session of a service."""

    def authorize_action(session: Session, action: str, resource: str, context: dict[str, str]) -> None:
        principal = principal_of(session.credentials.access_key, session.credentials.token)
        service, _, name = action.partition(":")
        facts = replace(_facts(engine, principal, session.region, service, name, {}), keys=dict(context))
        LEDGER.called(principal.arn, service, name)
        _decide(lambda: gate.authorize_action(principal, action, resource, facts, LEDGER))

    return authorize_action


def handles(session: Session, resource_type: str) -> None:
    """Notes the type of a resource that CloudFormation handles as a session's principal."""
    principal = principal_of(session.credentials.access_key, session.credentials.token)
    LEDGER.handled(principal.arn, resource_type)


def of_git(engine: Engine) -> tuple[AuthenticateGit, AuthorizeGit]:
    """Authenticates git's requests, and decides codecommit:GitPull and codecommit:GitPush for them."""
    region = engine.settings.region

    def who(user: str, password: str, repository: str) -> Identity:
        host = urlsplit(engine.endpoint_url).netloc
        # Clients sign the host they were given: ours, or CodeCommit's where git rewrites the URL later.
        hosts = [host, host.partition(":")[0], f"git-codecommit.{region}.amazonaws.com"]
        return authenticate_git(user, password, f"/v1/repos/{repository}", [region], hosts)

    def may(identity: Identity, repository: str, write: bool, references: tuple[str, ...]) -> None:
        name = "GitPush" if write else "GitPull"
        arn = f"arn:aws:codecommit:{region}:{identity.principal.account}:{repository}"
        facts = _facts(engine, identity.principal, region, "codecommit", name, {"repositoryName": repository})
        # A push without references is git asking what there is: only the push itself tells them.
        keys = {"codecommit:References": references} if references else {}
        facts = replace(facts, keys=keys)
        LEDGER.called(identity.principal.arn, "codecommit", name)
        _decide(lambda: gate.authorize_action(identity.principal, f"codecommit:{name}", arn, facts, LEDGER))

    return who, may
