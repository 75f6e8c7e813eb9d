"""A stack action that was killed between its request and the note of it: the request is not made twice."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from sandbox.services.codepipeline.actions import cloudformation

STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/deployed/1"
TOKEN = "action-1"


class Client:
    """CloudFormation after the creation, whose answer was lost."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.made: list[str] = []

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        return {"Stacks": [{"StackId": STACK, "StackStatus": "CREATE_IN_PROGRESS"}]}

    def describe_stack_events(self, **_: str) -> dict[str, Any]:
        return {"StackEvents": [{"ClientRequestToken": self.token}]}

    def update_stack(self, **_: str) -> dict[str, str]:
        self.made.append("update")
        return {"StackId": STACK}


def begun(client: Client, state: dict[str, Any]) -> list[str]:
    waits: list[str] = []
    context: Any = SimpleNamespace(
        configuration={"StackName": "deployed"},
        session=SimpleNamespace(client=lambda _: client),
        action={"actionExecutionId": TOKEN},
        state=state,
        pipelines=SimpleNamespace(region="us-east-1"),
        save=lambda: None,
        wait_for=lambda kind, stack_id, url: waits.append(stack_id),
    )
    cloudformation._Stack(context).begin(client.update_stack)
    return waits


def test_its_own_creation_is_waited_for() -> None:
    client = Client(TOKEN)
    assert begun(client, {"requested": True}) == [STACK]
    assert client.made == []


def test_a_stack_of_another_request_is_updated() -> None:
    client = Client("another")
    assert begun(client, {"requested": True}) == [STACK]
    assert client.made == ["update"]


def test_a_first_request_is_made() -> None:
    client, state = Client("another"), {}  # type: ignore[var-annotated]
    assert begun(client, state) == [STACK]
    assert client.made == ["update"] and state["requested"]
