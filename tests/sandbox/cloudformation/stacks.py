"""Drives stacks through the door as a client would."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from botocore.exceptions import ClientError

SECONDS = 120.0


class Stacks:
    """One principal's CloudFormation client, with waits that end as soon as the stack rests."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def create(
        self, template: dict[str, Any] | str, name: str | None = None, **members: Any
    ) -> dict[str, Any]:
        name = name or new_name()
        self.client.create_stack(StackName=name, TemplateBody=_text(template), **_defaults(members))
        return self.rest(name)

    def update(
        self, name: str, template: dict[str, Any] | str | None = None, **members: Any
    ) -> dict[str, Any]:
        body = {"TemplateBody": _text(template)} if template is not None else {"UsePreviousTemplate": True}
        self.client.update_stack(StackName=name, **body, **_defaults(members))
        return self.rest(name)

    def delete(self, name: str, **members: Any) -> dict[str, Any]:
        identifier = self.client.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
        self.client.delete_stack(StackName=name, **members)
        return self.rest(identifier)

    def rest(self, name: str) -> dict[str, Any]:
        """The stack once no operation runs on it."""
        deadline = time.monotonic() + SECONDS
        while True:
            stack = self.client.describe_stacks(StackName=name)["Stacks"][0]
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                return stack
            assert time.monotonic() < deadline, stack["StackStatus"]
            time.sleep(0.03)

    def events(self, name: str) -> list[tuple[str, str]]:
        """(logical id, status) in the order of time."""
        events = self.client.describe_stack_events(StackName=name)["StackEvents"][::-1]
        return [(event["LogicalResourceId"], event["ResourceStatus"]) for event in events]

    def reasons(self, name: str) -> dict[str, str]:
        """The reason of each resource's last failure."""
        events = self.client.describe_stack_events(StackName=name)["StackEvents"][::-1]
        return {
            event["LogicalResourceId"]: event["ResourceStatusReason"]
            for event in events
            if event["ResourceStatus"].endswith("_FAILED")
        }

    def physical(self, name: str) -> dict[str, str]:
        found = self.client.describe_stack_resources(StackName=name)["StackResources"]
        return {item["LogicalResourceId"]: item.get("PhysicalResourceId", "") for item in found}


def refusal(call: Any, *arguments: Any, **members: Any) -> tuple[str, str]:
    """(code, message) of the error an API call must answer with."""
    try:
        call(*arguments, **members)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError("the call was not refused")


def new_name() -> str:
    return f"t-{uuid.uuid4().hex[:10]}"


def parameter(value: Any, **properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": value} | properties}


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])}


def _text(template: dict[str, Any] | str) -> str:
    return template if isinstance(template, str) else json.dumps(template)


def _defaults(members: dict[str, Any]) -> dict[str, Any]:
    return {"Capabilities": ["CAPABILITY_NAMED_IAM"]} | members
