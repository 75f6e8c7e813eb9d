"""Connections under both names of the service, through the door."""

from __future__ import annotations

import uuid

import pytest
from botocore.exceptions import ClientError

from tests.sandbox_process import SandboxProcess


@pytest.mark.parametrize("service", ["codestar-connections", "codeconnections"])
def test_a_connection_waits_for_its_handshake(sandbox: SandboxProcess, service: str) -> None:
    client, name = sandbox.client(service), uuid.uuid4().hex[:8]
    arn = client.create_connection(
        ProviderType="GitHub", ConnectionName=name, Tags=[{"Key": "a", "Value": "1"}]
    )["ConnectionArn"]
    assert arn.split(":")[2] == service
    assert client.get_connection(ConnectionArn=arn)["Connection"]["ConnectionStatus"] == "PENDING"
    client.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
    client.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert client.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    listed = client.list_connections(ProviderTypeFilter="GitHub")["Connections"]
    assert arn in [item["ConnectionArn"] for item in listed]
    other = "codeconnections" if service == "codestar-connections" else "codestar-connections"
    shown = sandbox.client(other).get_connection(ConnectionArn=arn)["Connection"]
    assert shown["ConnectionName"] == name
    client.delete_connection(ConnectionArn=arn)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.get_connection(ConnectionArn=arn)
    with pytest.raises(ClientError, match="not implemented by the sandbox"):
        client.create_connection(ProviderType="GitHubEnterpriseServer", ConnectionName=name)
