"""AWS clients inside the sandbox: unmodified boto3, whose requests enter the gateway without a socket.

A service that needs another calls its API as a principal: as the caller it serves (a forward access
session) or as a role that trusts it. Every such request is signed, authorized and recorded like any other.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sandbox.engine.errors import AwsError
from sandbox.engine.http import Request, Response
from sandbox.engine.shared_clients import Credentials, SharedClients, Speaker, Transport

if TYPE_CHECKING:
    from sandbox.iam.principals import Principal

REUSE = 1800.0
"""Seconds for which the session of a role is used again by the same service."""

KEPT = 1024
"""Sessions kept for use again; who still holds an older one may go on using it."""

DURATION = 12 * 3600
"""Seconds that a service's role session is valid: longer than the longest job it is made for."""


class Session:
    """One principal in one region. `client()` gives boto3 clients that act as it; `environment()` what a
    subprocess needs to be the same principal."""

    def __init__(self, clients: Clients, region: str, speaker: Speaker) -> None:
        self.region = region
        self.speaker = speaker
        self._clients = clients

    @property
    def credentials(self) -> Credentials:
        return self.speaker.credentials

    def client(self, service: str, headers: Mapping[str, str] | None = None) -> Any:
        """A boto3 client. `headers` are added to each of its requests."""
        speaker = replace(self.speaker, headers=headers) if headers else self.speaker
        return self._clients.shared.bound(service, self.region, speaker)

    def authorize(self, action: str, resource: str, **context: str) -> None:
        """Decides an action that has no public API (a permission only); AwsError when it is denied."""
        self._clients.authorize(self, action, resource, context)

    def handles(self, resource_type: str) -> None:
        """Tells the permissions report that CloudFormation handles resources of a type as this principal."""
        self._clients.handles(self, resource_type)

    def environment(self) -> dict[str, str]:
        """Variables by which any AWS client in a subprocess acts as this principal through the gateway."""
        variables = {
            "AWS_ACCESS_KEY_ID": self.credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self._clients.endpoint_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        }
        if self.credentials.token:
            variables["AWS_SESSION_TOKEN"] = self.credentials.token
        return variables


class Clients:
    """Hands out sessions. The gateway sets `transport`, `authorize` and `handles` when it starts."""

    def __init__(self, account: str, now: Callable[[], float]) -> None:
        self.endpoint_url = ""
        self.transport: Transport = _no_transport
        self.shared = SharedClients(lambda: self.transport, lambda: self.endpoint_url)
        self.authorize: Callable[[Session, str, str, dict[str, str]], None] = _no_authorize
        self.handles: Callable[[Session, str], None] = lambda *_: None
        self.root_key = ""
        self._account = account
        self._now = now
        self._lock = threading.Lock()
        self._roles: OrderedDict[tuple[str, ...], tuple[float, Session]] = OrderedDict()
        self._sessions: OrderedDict[tuple[str, str, tuple[str, ...]], Session] = OrderedDict()
        self._services: OrderedDict[tuple[str, str, str], Session] = OrderedDict()

    def role(
        self, role_arn: str, *, service: str, session_name: str, region: str, source_arn: str | None = None
    ) -> Session:
        """A session of `role_arn` assumed by a service principal (`codebuild.amazonaws.com`).

        AwsError AccessDenied where the role does not exist or its trust policy does not let the service in.
        """
        from sandbox.iam import trust
        from sandbox.iam.errors import Refused

        key = (role_arn, service, session_name, region, source_arn or "")
        with self._lock:
            made, session = self._roles.get(key, (0.0, None))
        # The trust policy is asked each time: it may have been changed or the role deleted since.
        try:
            trust.check_service(
                role_arn, service, account=self._account, source_arn=source_arn, region=region
            )
        except Refused as error:
            raise AwsError(error.code, error.message, status=error.status) from error
        if session and self._now() - made < REUSE:
            return session
        issued = trust.credentials(
            role_arn, session_name[:64], self._account, region=region, duration=DURATION
        )
        session = Session(self, region, Speaker(Credentials(*issued), agent=service))
        with self._lock:
            self._roles[key] = (self._now(), session)
            _forget_oldest(self._roles)
        return session

    def of_principal(self, principal: Principal, region: str, via: str | None = None) -> Session:
        """Acts as the caller; `via`: the service principal acting on its behalf."""
        assert principal.access_key
        return self.of_access_key(principal.access_key, region, via=via, chain=principal.via)

    def of_access_key(
        self, access_key: str, region: str, via: str | None = None, chain: tuple[str, ...] = ()
    ) -> Session:
        """Acts again as a caller seen earlier: durable tasks remember its access key."""
        through = (*chain, via) if via else chain
        key = (access_key, region, through)
        with self._lock:
            if key not in self._sessions:
                speaker = Speaker(_credentials_of(access_key), via=through, agent=via)
                self._sessions[key] = Session(self, region, speaker)
            session = self._sessions[key]
            self._sessions.move_to_end(key)
            _forget_oldest(self._sessions)
            return session

    def owner(self, region: str) -> Session:
        """Acts as the account itself: for what AWS keeps in accounts of its own (a service's own buckets)."""
        return self.of_access_key(self.root_key, region)

    def service(self, name: str, *, region: str, source_arn: str | None = None) -> Session:
        """Acts as a service principal itself (`events.amazonaws.com`) for the resource `source_arn`.

        It has no policies of its own: what it may do, the called resource's policy says. Inside the process
        only: its credentials are worth nothing to a subprocess.
        """
        key = (name, region, source_arn or "")
        with self._lock:
            if key not in self._services:
                root = _credentials_of(self.root_key)
                speaker = Speaker(root, agent=name, service=name, source_arn=source_arn)
                self._services[key] = Session(self, region, speaker)
            session = self._services[key]
            self._services.move_to_end(key)
            _forget_oldest(self._services)
            return session

    def forget(self) -> None:
        """Drops every cached session."""
        with self._lock:
            self._roles.clear()
            self._sessions.clear()
            self._services.clear()


def _credentials_of(access_key: str) -> Credentials:
    from sandbox.iam import trust

    return Credentials(*trust.secrets(access_key))


def _forget_oldest(sessions: OrderedDict[Any, Any]) -> None:
    while len(sessions) > KEPT:
        sessions.popitem(last=False)


def _no_transport(_: Request) -> Response:
    raise RuntimeError("the gateway is not running yet")


def _no_authorize(*_: Any) -> None:
    raise RuntimeError("the gateway is not running yet")
