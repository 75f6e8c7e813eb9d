"""CloudFormation stacks: what happens in them, until they rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from cli.access import Access
from cli.errors import CliError, error_code, is_absent
from cli.waiting import Waiter

Tell = Callable[[str], None]


class StackEvents:
    """Tells each event of a stack once. A stack that is not there yet has none."""

    def __init__(self, access: Access, stack: str, tell: Tell) -> None:
        self._client, self._stack, self._tell = access.client("cloudformation"), stack, tell
        self._seen: set[str] = set()
        self._readable = True
        self.failures: list[str] = []

    def skip(self) -> None:
        """Those until now are history."""
        self._seen |= {event["EventId"] for event in self._read()}

    def tell(self) -> int:
        """Tell what is new; how many events there are."""
        for event in reversed(self._read()):
            if event["EventId"] in self._seen:
                continue
            self._seen.add(event["EventId"])
            self._tell_one(event)
        return len(self._seen)

    def _read(self) -> list[dict[str, Any]]:
        if not self._readable:
            return []
        events: list[dict[str, Any]] = []
        try:
            for page in self._client.get_paginator("describe_stack_events").paginate(StackName=self._stack):
                events += page["StackEvents"]
                if page["StackEvents"] and page["StackEvents"][-1]["EventId"] in self._seen:
                    break
        except ClientError as error:
            if is_absent(error):
                return []
            if not error_code(error).startswith("AccessDenied"):
                raise
            self._readable = False
            self._tell(f"events of stack {self._stack} may not be read: {error_code(error)}")
        return events

    def _tell_one(self, event: dict[str, Any]) -> None:
        status, reason = event["ResourceStatus"], event.get("ResourceStatusReason", "")
        line = f"{event['LogicalResourceId']}  {event.get('ResourceType', '')}  {status}"
        if status.endswith("_FAILED"):
            self.failures.append(f"{event['LogicalResourceId']}: {reason}")
            line += f"  {reason}"
        if not status.endswith("_IN_PROGRESS"):
            self._tell(line)


def describe(access: Access, name: str) -> dict[str, Any] | None:
    """The stack, or None where there is none. By id, deleted ones are found as well."""
    try:
        stack: dict[str, Any] = access.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if is_absent(error):
            return None
        raise
    return stack


def delete(access: Access, name: str, waiter: Waiter, tell: Tell) -> bool:
    """Delete a stack with the role that made it, and wait. False where there was none.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html
    """
    stack = describe(access, name)
    if stack is None:
        return False
    events = StackEvents(access, stack["StackId"], tell)
    events.skip()
    access.client("cloudformation").delete_stack(StackName=name)

    def ask() -> tuple[str, int]:
        seen = events.tell()
        current = describe(access, stack["StackId"])
        return (current["StackStatus"] if current else "DELETE_COMPLETE", seen)

    status, _ = waiter.until(
        ask, lambda state: not state[0].endswith("_IN_PROGRESS"), what=f"deletion of stack {name}"
    )
    events.tell()
    if status != "DELETE_COMPLETE":
        reason = events.failures[0] if events.failures else status
        raise CliError(
            f"stack {name} was not deleted: {reason}", next_step="remove the cause and delete again"
        )
    return True


def retained(access: Access, stack_id: str) -> list[dict[str, Any]]:
    """Resources that a deleted stack left behind, as its template says."""
    pages = access.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_id)
    return [
        {"Type": resource["ResourceType"], "Id": resource.get("PhysicalResourceId")}
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceStatus"] == "DELETE_SKIPPED"
    ]
