"""A source behind a connection: its action fails as long as the handshake is not done, and says so."""

from __future__ import annotations

import json

from tests.sandbox.codepipeline.conftest import World, allow


def test_a_connection_that_waits_fails_its_source_action(world: World) -> None:
    made = world.client("codestar-connections").create_connection(
        ProviderType="GitHub", ConnectionName=world.name
    )
    arn = made["ConnectionArn"]
    source = world.source()
    action = source["actions"][0]
    action["actionTypeId"] = action["actionTypeId"] | {"provider": "CodeStarSourceConnection"}
    action["configuration"] = {
        "ConnectionArn": arn,
        "FullRepositoryId": "owner/repository",
        "BranchName": "main",
    }
    first = world.create(source, world.build())
    assert world.finished(first)["status"] == "Failed"
    error = world.actions(first)["Checkout"]["output"]["executionResult"]["errorDetails"]
    assert "does not have sufficient permissions" in error["message"], json.dumps(error)
    world.client("iam").put_role_policy(
        RoleName=world.role.rsplit("/", 1)[1],
        PolicyName="connection",
        PolicyDocument=allow((["codestar-connections:UseConnection"], arn)),
    )
    second = world.start()
    assert world.finished(second)["status"] == "Failed"
    error = world.actions(second)["Checkout"]["output"]["executionResult"]["errorDetails"]
    assert error["code"] == "ConfigurationError" and "is PENDING" in error["message"]
