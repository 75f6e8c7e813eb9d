"""Sessions and clients: who asks, and where."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cli.errors import CONFIGURATION, CliError, is_local


@dataclass
class Access:
    """A principal at an endpoint. Clients are made once each."""

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    botocore_session: Any = None
    _clients: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def session(self) -> Any:
        """The boto3 session."""
        import boto3

        region = self.region or os.environ.get("AWS_REGION")  # of the two variables boto3 reads the other one
        session = boto3.Session(
            profile_name=self.profile, region_name=region, botocore_session=self.botocore_session
        )
        if not session.region_name:
            raise CliError(
                "no region is configured", next_step="give --region or set AWS_REGION", code=CONFIGURATION
            )
        return session

    @property
    def region_name(self) -> str:
        """As boto3's sessions call it."""
        return str(self.session.region_name)

    def client(self, service: str, *, region_name: str | None = None) -> Any:
        """The client of a service; called as boto3's sessions are, so that this may stand for one."""
        if region_name and region_name != self.region_name:
            raise ValueError(f"this access is for {self.region_name}, not {region_name}")
        if service not in self._clients:
            from botocore.config import Config

            config = Config(retries={"mode": "standard"}, user_agent_extra="mlops", read_timeout=70)
            self._clients[service] = self.session.client(
                service, endpoint_url=self.endpoint_url, config=config
            )
        return self._clients[service]

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is on this machine: progress may be asked for often."""
        return is_local(self.client("sagemaker").meta.endpoint_url)

    @cached_property
    def account(self) -> str:
        """Id of the account."""
        return str(self.client("sts").get_caller_identity()["Account"])


def pages(
    method: Callable[..., dict[str, Any]],
    *,
    sent: str = "NextToken",
    received: str = "NextToken",
    **request: Any,
) -> Iterator[dict[str, Any]]:
    """Pages of an operation that boto3 has no paginator for; the names are those of its tokens."""
    while True:
        answer = method(**request)
        yield answer
        if not answer.get(received):
            return
        request[sent] = answer[received]


def sandbox_access(variables: dict[str, str]) -> Access:
    """Access as the principal that the sandbox's `variables` name; the user's own files are not looked at."""
    import botocore.session

    session = botocore.session.Session()
    session.set_config_variable("config_file", variables["AWS_CONFIG_FILE"])
    session.set_config_variable("credentials_file", variables["AWS_SHARED_CREDENTIALS_FILE"])
    session.set_config_variable("profile", variables["AWS_PROFILE"])
    return Access(
        region=variables["AWS_REGION"], endpoint_url=variables["AWS_ENDPOINT_URL"], botocore_session=session
    )
