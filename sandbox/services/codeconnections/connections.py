"""Connections: kept for both services in one place, each under the ARN of the service that made it.

https://docs.aws.amazon.com/codeconnections/latest/APIReference/API_CreateConnection.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page

if TYPE_CHECKING:
    from sandbox.engine.store import Records

Record = dict[str, Any]
SERVICES = ("codestar-connections", "codeconnections")
HOSTED = ("GitHubEnterpriseServer", "GitLabSelfManaged")
"""Providers that a company runs itself: their connections go through a host; the sandbox has none."""
MAXIMUM_TAGS = 200


def for_both(name: str, *, record_only: bool = False) -> Callable[..., Any]:
    """Registers an operation under both names of the service."""

    def register(function: Any) -> Any:
        for service in SERVICES:
            operation(service, name, record_only=record_only)(function)
        return function

    return register


def connections(call: Call) -> Records:
    return call.engine.records(call.account, call.region, SERVICES[-1], "connection")


def find(call: Call, arn: str) -> Record:
    """The record of a connection; AwsError ResourceNotFoundException where there is none."""
    record = connections(call).get(arn.rpartition("/")[2])
    if record is None or record["ConnectionArn"] != arn:
        raise AwsError("ResourceNotFoundException", f"Connection {arn} not found")
    return record


def shown(record: Record) -> Record:
    return {name: value for name, value in record.items() if name != "Tags"}


@for_both("CreateConnection", record_only=True)
def create_connection(
    call: Call,
    ConnectionName: str,
    ProviderType: str | None = None,
    HostArn: str | None = None,
    Tags: list[dict[str, str]] | None = None,
) -> Record:
    if HostArn or ProviderType in HOSTED:
        raise AwsError(
            "UnsupportedOperation",
            "Connections through a host are not implemented by the sandbox.",
            status=400,
        )
    if ProviderType is None:
        raise AwsError("ValidationException", "ProviderType or HostArn must be specified.", status=400)
    identifier = str(uuid.uuid4())
    record = {
        "ConnectionName": ConnectionName,
        "ConnectionArn": call.arn(f"connection/{identifier}"),
        "ProviderType": ProviderType,
        "OwnerAccountId": call.account,
        "ConnectionStatus": "PENDING",
        "Tags": {tag["Key"]: tag["Value"] for tag in Tags or []},
    }
    connections(call).put(identifier, record)
    return {"ConnectionArn": record["ConnectionArn"]} | ({"Tags": Tags} if Tags else {})


@for_both("GetConnection")
def get_connection(call: Call, ConnectionArn: str) -> Record:
    return {"Connection": shown(find(call, ConnectionArn))}


@for_both("DeleteConnection")
def delete_connection(call: Call, ConnectionArn: str) -> Record:
    with call.engine.store.transaction():
        find(call, ConnectionArn)
        connections(call).delete(ConnectionArn.rpartition("/")[2])
    return {}


@for_both("ListConnections")
def list_connections(
    call: Call,
    ProviderTypeFilter: str | None = None,
    HostArnFilter: str | None = None,
    MaxResults: int | None = None,
    NextToken: str | None = None,
) -> Record:
    found = [
        shown(record)
        for record in connections(call).list()
        if ProviderTypeFilter in (None, record["ProviderType"]) and HostArnFilter is None
    ]
    items, token = page(found, NextToken, MaxResults, error="InvalidInputException")
    return {"Connections": items} | ({"NextToken": token} if token else {})
