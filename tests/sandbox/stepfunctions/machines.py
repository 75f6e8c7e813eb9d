"""Machines for tests: made with a role that may do what is told, run to their end."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable
from typing import Any

from tests.sandbox_process import SandboxProcess

ACCOUNT = "123456789012"


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions: str | Iterable[str], resource: Any = "*", **more: Any) -> dict[str, Any]:
    listed = [actions] if isinstance(actions, str) else list(actions)
    return {"Effect": "Allow", "Action": listed, "Resource": resource, **more}


def role(sandbox: SandboxProcess, service: str, *statements: dict[str, Any]) -> str:
    """A role that a service may assume; its ARN."""
    name = f"sfn-{uuid.uuid4().hex[:10]}"
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    iam = sandbox.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=policy(*statements))
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


class Machines:
    """Machines that share one role with the statements given."""

    def __init__(self, sandbox: SandboxProcess, *statements: dict[str, Any]) -> None:
        self.sandbox = sandbox
        self.client = sandbox.client("stepfunctions", inject_host_prefix=False)
        self.role = role(sandbox, "states.amazonaws.com", *statements)

    def make(self, states: dict[str, Any], *, type: str = "STANDARD", **body: Any) -> str:
        """A machine that starts at the first of `states`; its ARN. Members beside it go into the definition."""
        definition = {"StartAt": next(iter(states)), "States": states} | body
        return str(
            self.client.create_state_machine(
                name=f"m-{uuid.uuid4().hex[:10]}",
                definition=json.dumps(definition),
                roleArn=self.role,
                type=type,
            )["stateMachineArn"]
        )

    def start(self, machine: str, value: Any = None, **more: Any) -> str:
        text = json.dumps({} if value is None else value)
        return str(self.client.start_execution(stateMachineArn=machine, input=text, **more)["executionArn"])

    def end(self, execution: str, seconds: float = 30) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.client.describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return dict(found)
            time.sleep(0.02)
        raise AssertionError(f"{execution} still runs: {self.types(execution)}")

    def run(self, states: dict[str, Any], value: Any = None, **body: Any) -> dict[str, Any]:
        """Makes a machine, runs it, and gives its description."""
        return self.end(self.start(self.make(states, **body), value))

    def output(self, states: dict[str, Any], value: Any = None, **body: Any) -> Any:
        """The output of a machine that has to succeed."""
        found = self.run(states, value, **body)
        assert found["status"] == "SUCCEEDED", (found.get("error"), found.get("cause"))
        return json.loads(found["output"])

    def history(self, execution: str) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("get_execution_history").paginate(executionArn=execution)
        return [event for page in pages for event in page["events"]]

    def types(self, execution: str) -> list[str]:
        return [event["type"] for event in self.history(execution)]
