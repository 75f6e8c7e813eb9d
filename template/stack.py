"""Deploys a CloudFormation stack with boto3 and tells what happens on the way."""

import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

Progress = Callable[[str], None]

FIRST_LOOK = 0.1
"""Seconds until the first look at a stack's events; CloudFormation has no call that waits."""
LAST_LOOK = 5.0
"""Longest pause between two looks, in seconds."""

REPLACEABLE = ("ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS")
"""A stack that never came up: it holds nothing, and can only be deleted."""
SUCCEEDED = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


class StackError(Exception):
    """The stack did not come up; the message names resource and reason."""


class StackDeployer:
    """Creates or updates one stack and follows its events."""

    def __init__(
        self, cloudformation: Any, name: str, on_progress: Progress, *, timeout: float = 1800
    ) -> None:
        """`timeout` in seconds, for one operation of the stack."""
        self._cloudformation = cloudformation
        self._name = name
        self._on_progress = on_progress
        self._timeout = timeout

    def deploy(self, template_url: str, tags: dict[str, str]) -> dict[str, str]:
        """Bring the stack to the template and return its outputs. Raises StackError."""
        request = {
            "StackName": self._name,
            "TemplateURL": template_url,
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        stack = self._describe()
        if stack is not None and stack["StackStatus"].endswith("_IN_PROGRESS"):
            self._on_progress(f"stack {self._name}: waiting for {stack['StackStatus']}")
            self._follow(stack["StackId"], seen=self._event_ids(stack["StackId"]))
            stack = self._describe()
        if stack is not None and stack["StackStatus"] in REPLACEABLE:
            self._delete(stack["StackId"])
            stack = None
        if stack is None:
            stack_id = self._cloudformation.create_stack(**request)["StackId"]
            self._require_success(stack_id, seen=set())
        elif self._update(request, stack["StackId"]) is None:
            self._on_progress(f"stack {self._name} is up to date")
        return self._outputs()

    def _update(self, request: dict[str, Any], stack_id: str) -> str | None:
        """Update the stack; None when there is nothing to update."""
        seen = self._event_ids(stack_id)
        try:
            self._cloudformation.update_stack(**request)
        except ClientError as error:
            if "No updates are to be performed" in error.response["Error"]["Message"]:
                return None
            raise
        self._require_success(stack_id, seen=seen)
        return stack_id

    def _delete(self, stack_id: str) -> None:
        self._on_progress(f"stack {self._name} never came up: replacing it")
        seen = self._event_ids(stack_id)
        self._cloudformation.delete_stack(StackName=stack_id)
        status, reasons = self._follow(stack_id, seen=seen)
        if status != "DELETE_COMPLETE":
            raise StackError(self._failure(status, reasons))

    def _require_success(self, stack_id: str, *, seen: set[str]) -> None:
        status, reasons = self._follow(stack_id, seen=seen)
        if status not in SUCCEEDED:
            raise StackError(self._failure(status, reasons))

    def _failure(self, status: str, reasons: list[str]) -> str:
        return f"stack {self._name} ended in {status}: {reasons[0] if reasons else 'no reason given'}"

    def _follow(self, stack_id: str, *, seen: set[str]) -> tuple[str, list[str]]:
        """Tell new events until the stack's operation ends; its last status and the reasons of failures."""
        until = time.monotonic() + self._timeout
        pause = FIRST_LOOK
        reasons: list[str] = []
        while True:
            for event in self._new_events(stack_id, seen):
                self._tell(event, reasons)
            status = self._cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]
            if not status.endswith("_IN_PROGRESS"):
                for event in self._new_events(stack_id, seen):
                    self._tell(event, reasons)
                return status, reasons
            if time.monotonic() > until:
                raise StackError(f"stack {self._name} is still {status} after {self._timeout:.0f} s")
            time.sleep(pause)
            pause = min(pause * 1.5, LAST_LOOK)

    def _tell(self, event: dict[str, Any], reasons: list[str]) -> None:
        resource = f"{event['LogicalResourceId']} ({event['ResourceType']})"
        status, reason = event["ResourceStatus"], event.get("ResourceStatusReason", "")
        if status.endswith("_FAILED") and "cancelled" not in reason:
            reasons.append(f"{resource}: {reason}")
        self._on_progress(f"{status} {resource}" + (f": {reason}" if status.endswith("_FAILED") else ""))

    def _new_events(self, stack_id: str, seen: set[str]) -> list[dict[str, Any]]:
        """Events not seen yet, oldest first. The newest page first: reading stops where it is known."""
        new: list[dict[str, Any]] = []
        pages = self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        for page in pages:
            fresh = [event for event in page["StackEvents"] if event["EventId"] not in seen]
            new += fresh
            if len(fresh) < len(page["StackEvents"]):
                break
        seen.update(event["EventId"] for event in new)
        return new[::-1]

    def _event_ids(self, stack_id: str) -> set[str]:
        seen: set[str] = set()
        self._new_events(stack_id, seen)
        return seen

    def _describe(self) -> dict[str, Any] | None:
        try:
            return self._cloudformation.describe_stacks(StackName=self._name)["Stacks"][0]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
                return None
            raise

    def _outputs(self) -> dict[str, str]:
        stack = self._describe()
        if stack is None:
            raise StackError(f"stack {self._name} was deleted by someone else")
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
