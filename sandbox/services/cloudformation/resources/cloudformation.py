"""AWS::CloudFormation::Stack: nested stacks."""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.resources import custom, wait_condition
from sandbox.services.cloudformation.resources.errors import unless_missing
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    ResourceFailed,
    resource_type,
)
from sandbox.services.cloudformation.resources.waiting import settled
from sandbox.services.cloudformation.stack.records import Stacks
from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.parameters import text_of

_GOOD = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


__all__ = ["Stack", "custom", "wait_condition"]


@resource_type("AWS::CloudFormation::Stack")
class Stack(Handler):
    always = True

    def content(self, request: Request) -> str | None:
        """The nested stack's template: its object may be another one by the time of a rollback."""
        stacks = Stacks(request.engine, request.place.account, request.place.region)
        current = (stacks.find(request.physical_id) or {}).get("Current") or {}
        body: str | None = current.get("TemplateBody")
        return body

    def create(self, request: Request) -> Made:
        wanted = _wanted(request)
        if "TimeoutInMinutes" in request.properties:
            wanted["TimeoutInMinutes"] = request.properties["TimeoutInMinutes"]
        name = request.name("StackName", limit=128)
        answer = request.client("cloudformation").create_stack(
            StackName=name, ClientRequestToken=request.token, **_template(request), **wanted
        )
        _adopt(request, answer["StackId"])
        return Made(answer["StackId"], {"StackId": answer["StackId"]})

    def update(self, request: Request) -> Made:
        from botocore.exceptions import ClientError

        client, unchanged = request.client("cloudformation"), False
        try:
            client.update_stack(StackName=request.physical_id, **_template(request), **_wanted(request))
        except ClientError as error:
            if "No updates are to be performed" not in error.response["Error"].get("Message", ""):
                raise
            unchanged = True  # it went back by itself, or was never touched
        return self._settled(request, request.physical_id, unchanged=unchanged)

    def wait(self, request: Request, made: Made) -> Made:
        return made if request.previous else self._settled(request, made.physical_id)

    def _settled(self, request: Request, identifier: str, *, unchanged: bool = False) -> Made:
        client = request.client("cloudformation")

        def look() -> dict[str, Any] | None:
            stack = client.describe_stacks(StackName=identifier)["Stacks"][0]
            return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

        stack = settled(request, look)
        if stack["StackStatus"] not in _GOOD and not unchanged:
            verb = "updated" if request.previous else "created"
            reason = stack.get("StackStatusReason", "")
            raise ResourceFailed(f"Embedded stack {identifier} was not successfully {verb}: {reason}")
        outputs = {f"Outputs.{item['OutputKey']}": item["OutputValue"] for item in stack.get("Outputs", [])}
        return Made(identifier, {"StackId": identifier} | outputs)

    def delete(self, request: Request) -> None:
        client = request.client("cloudformation")

        def gone() -> dict[str, Any] | None:
            stack = client.describe_stacks(StackName=request.physical_id)["Stacks"][0]
            return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

        with unless_missing():
            client.delete_stack(StackName=request.physical_id)
            stack = settled(request, gone)
            if stack["StackStatus"] != "DELETE_COMPLETE":
                raise ResourceFailed(f"Embedded stack {request.physical_id} was not successfully deleted")


def _template(request: Request) -> dict[str, str]:
    if request.content is not None:
        return {"TemplateBody": request.content}
    return {"TemplateURL": request.properties["TemplateURL"]}


def _wanted(request: Request) -> dict[str, Any]:
    """Parameters, tags and capabilities go down to the nested stack."""
    parent = Stacks(request.engine, request.place.account, request.place.region).get(request.place.stack_id)
    target = parent["Target"] or parent["Current"]
    parameters = [
        {"ParameterKey": key, "ParameterValue": _parameter(item)}
        for key, item in request.properties.get("Parameters", {}).items()
    ]
    tags = {key: item for key, item in request.tags.items() if not key.startswith("aws:")}
    return {
        "NotificationARNs": request.properties.get("NotificationARNs", []),
        "Parameters": parameters,
        "Tags": [{"Key": key, "Value": item} for key, item in tags.items()],
        "Capabilities": target["Capabilities"],
        "DisableRollback": target["OnFailure"] == "DO_NOTHING",
    }


def _parameter(item: Any) -> str:
    if isinstance(item, list):
        return ",".join(text_of(part) for part in item)
    if isinstance(item, dict):
        raise TemplateError(
            "Value of property Parameters must be an object with String (or simple type) properties"
        )
    return text_of(item)


def _adopt(request: Request, child_id: str) -> None:
    """Records whose child the nested stack is."""
    stacks = Stacks(request.engine, request.place.account, request.place.region)
    with request.engine.store.transaction():
        parent, child = stacks.get(request.place.stack_id), stacks.get(child_id)
        root = parent.get("RootId") or parent["StackId"]
        stacks.put(child | {"ParentId": parent["StackId"], "RootId": root})
