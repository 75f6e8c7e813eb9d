"""The CloudFormation deploy action.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
Requests carry the action's id as their token, so that one made just before a kill is found again.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from sandbox.services.codepipeline.actions.context import ActionFailed, Context, Succeeded
from sandbox.services.codepipeline.actions.stack_request import StackRequest

_DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
_REPLACED = (
    "ROLLBACK_COMPLETE",
    "ROLLBACK_FAILED",
    "CREATE_FAILED",
    "DELETE_FAILED",
    "UPDATE_ROLLBACK_FAILED",
)
_NO_UPDATES = "No updates are to be performed"
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


def run(context: Context) -> Succeeded | None:
    return _MODES[context.configuration["ActionMode"]](_Stack(context))


class _Stack:
    """The stack of an action as its role sees it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.configuration = context.configuration
        self.name = context.configuration["StackName"]
        self.client = context.session.client("cloudformation")
        self.token: str = context.action["actionExecutionId"]

    def describe(self, name: str | None = None) -> dict[str, Any] | None:
        """The stack, None if there is none (or none any more)."""
        from botocore.exceptions import ClientError

        try:
            [stack] = self.client.describe_stacks(StackName=name or self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in error.response["Error"]["Message"]:
                return None
            raise
        return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack

    def begin(self, call: Callable[[], Any]) -> None:
        """Makes the one request of this action, once, and waits for the stack it concerns.

        Whether it was made already is asked whatever it is now: a creation cut off finds its own stack.
        """
        again = "requested" in self.context.state
        self.context.state["requested"] = True
        self.context.save()
        stack = self.describe() if again else None
        if stack and self._is_ours(stack["StackId"]):
            self._wait(stack["StackId"])
            return
        before = self.describe()
        answer = call()
        stack_id = answer.get("StackId") or (before or self.describe() or {}).get("StackId")
        if stack_id:
            self._wait(stack_id)

    def _wait(self, stack_id: str) -> None:
        region = self.context.pipelines.region
        url = f"https://console.aws.amazon.com/cloudformation/home?region={region}#/stack/detail?stackId={stack_id}"
        self.context.state["stack"] = stack_id
        self.context.wait_for("cloudformation", stack_id, url=url)

    def _is_ours(self, stack_id: str) -> bool:
        events = self.client.describe_stack_events(StackName=stack_id)["StackEvents"]
        return any(event.get("ClientRequestToken") == self.token for event in events)

    def outcome(self, stack: dict[str, Any]) -> Succeeded | None:
        """What the stack's status means for an action that creates or updates it."""
        status = stack["StackStatus"]
        if status.endswith("_IN_PROGRESS"):
            return None
        if status not in _DONE:
            raise ActionFailed("JobFailed", self.failure(stack))
        return self.succeeded(stack)

    def succeeded(self, stack: dict[str, Any]) -> Succeeded:
        """With the stack's outputs as variables, and as a file where the action asks for one."""
        outputs = {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}
        self.write_outputs(outputs)
        return Succeeded(summary=f"Stack {self.name} is {stack['StackStatus']}", variables=outputs)

    def write_outputs(self, outputs: dict[str, str]) -> None:
        name = self.configuration.get("OutputFileName")
        if not name or not self.context.action["outputArtifacts"]:
            return
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(name), json.dumps(outputs))
        self.context.put_output(buffer.getvalue())

    def failure(self, stack: dict[str, Any]) -> str:
        """With the first resource that failed, where the role may see the stack's events."""
        from botocore.exceptions import ClientError

        text = f"Stack {self.name} is {stack['StackStatus']}"
        if stack.get("StackStatusReason"):
            text += f": {stack['StackStatusReason']}"
        try:
            events = self.client.describe_stack_events(StackName=stack["StackId"])["StackEvents"]
        except ClientError:
            return text  # CodePipeline gives the general message then
        ours = [e for e in events if e.get("ClientRequestToken") in (self.token, None)]
        failed = [
            e
            for e in ours
            if e["ResourceStatus"].endswith("_FAILED") and e["PhysicalResourceId"] != e["StackId"]
        ]
        if failed:
            first = failed[-1]
            reason = first.get("ResourceStatusReason", "")
            text += (
                f". First failed resource: {first['LogicalResourceId']} ({first['ResourceType']}): {reason}"
            )
        return text

    def no_updates(self, error: Any) -> bool:
        return _NO_UPDATES in error.response["Error"]["Message"]


def _create_update(stack: _Stack) -> Succeeded | None:
    from botocore.exceptions import ClientError

    state = stack.context.state
    if "stack" not in state:
        request = StackRequest(stack.context).members()
        existing = stack.describe()
        try:
            if existing is None:
                call = stack.client.create_stack
                stack.begin(lambda: call(ClientRequestToken=stack.token, **request))
            else:
                update = stack.client.update_stack
                stack.begin(lambda: update(ClientRequestToken=stack.token, **request))
        except ClientError as error:
            # The stack is as it is asked for already, also where an update was rolled back to that.
            if existing is not None and stack.no_updates(error):
                return stack.succeeded(existing)
            raise
    found = stack.describe(state["stack"])
    if found is None:
        raise ActionFailed("JobFailed", f"Stack {stack.name} was deleted while the action waited for it")
    return stack.outcome(found)


def _replace_on_failure(stack: _Stack) -> Succeeded | None:
    state = stack.context.state
    if "stack" not in state:
        existing = stack.describe()
        if "replacing" not in state and existing and existing["StackStatus"] in _REPLACED:
            state["replacing"] = existing["StackId"]
        if "replacing" in state and not _removed(stack, state["replacing"]):
            return None
    return _create_update(stack)


def _delete_only(stack: _Stack) -> Succeeded | None:
    state = stack.context.state
    if "deletes" not in state:
        existing = stack.describe()
        if existing is None:
            return Succeeded(summary=f"Stack {stack.name} does not exist")
        state["deletes"] = existing["StackId"]
    return Succeeded(summary=f"Stack {stack.name} is deleted") if _removed(stack, state["deletes"]) else None


def _removed(stack: _Stack, stack_id: str) -> bool:
    """Deletes a stack; whether it is gone. Safe to call again."""
    context = stack.context
    found = stack.describe(stack_id)
    if found is None:
        return True
    if found["StackStatus"] == "DELETE_IN_PROGRESS":
        return False
    if found["StackStatus"] == "DELETE_FAILED" and context.state.get("deleting"):
        raise ActionFailed("JobFailed", stack.failure(found))
    context.wait_for("cloudformation", stack_id)
    stack.client.delete_stack(StackName=stack_id, ClientRequestToken=stack.token, **_role(stack))
    context.state["deleting"] = True
    context.save()
    return stack.describe(stack_id) is None


def _role(stack: _Stack) -> dict[str, str]:
    return {"RoleARN": stack.configuration["RoleArn"]} if "RoleArn" in stack.configuration else {}


def _change_set_replace(stack: _Stack) -> Succeeded | None:
    name = stack.configuration["ChangeSetName"]
    existing = stack.describe()
    if existing is not None:
        stack.client.delete_change_set(ChangeSetName=name, StackName=stack.name)
    fresh = existing is None or existing["StackStatus"] == "REVIEW_IN_PROGRESS"
    request = StackRequest(stack.context).members()
    request.pop("StackPolicyBody", None)  # a change set takes none
    answer = stack.client.create_change_set(
        ChangeSetName=name, ChangeSetType="CREATE" if fresh else "UPDATE", **request
    )
    described = stack.client.describe_change_set(ChangeSetName=answer["Id"])
    reason = described.get("StatusReason", "")
    if described["Status"] == "FAILED" and not any(text in reason for text in _NO_CHANGES):
        raise ActionFailed("JobFailed", f"Change set {name} of stack {stack.name} failed: {reason}")
    stack.context.action["result"]["externalExecutionId"] = answer["Id"]
    stack.write_outputs({"ChangeSetName": name, "StackName": stack.name})
    return Succeeded(
        summary=f"Change set {name} of stack {stack.name} is {described['Status']}",
        variables={"ChangeSetName": name, "ChangeSetId": answer["Id"], "StackName": stack.name},
    )


def _change_set_execute(stack: _Stack) -> Succeeded | None:
    state = stack.context.state
    if "stack" not in state:
        name = stack.configuration["ChangeSetName"]
        described = stack.client.describe_change_set(ChangeSetName=name, StackName=stack.name)
        if described["Status"] == "FAILED":
            reason = described.get("StatusReason", "")
            if not any(text in reason for text in _NO_CHANGES):
                raise ActionFailed("JobFailed", f"Change set {name} of stack {stack.name} failed: {reason}")
            found = stack.describe()
            return stack.succeeded(found) if found else Succeeded()
        execute = stack.client.execute_change_set
        stack.begin(lambda: execute(ChangeSetName=name, StackName=stack.name, ClientRequestToken=stack.token))
    found = stack.describe(state["stack"])
    if found is None:
        raise ActionFailed("JobFailed", f"Stack {stack.name} was deleted while the action waited for it")
    return stack.outcome(found)


_MODES: dict[str, Callable[[_Stack], Succeeded | None]] = {
    "CREATE_UPDATE": _create_update,
    "REPLACE_ON_FAILURE": _replace_on_failure,
    "DELETE_ONLY": _delete_only,
    "CHANGE_SET_REPLACE": _change_set_replace,
    "CHANGE_SET_EXECUTE": _change_set_execute,
}
