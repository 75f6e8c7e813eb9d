"""Operations that start or steer the deployment of a stack."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.cloudformation.deploy.operation import SERVICE_PRINCIPAL, stop_phase
from sandbox.services.cloudformation.deploy.run import TIMEOUT, submit
from sandbox.services.cloudformation.operations import submission
from sandbox.services.cloudformation.stack import dynamic, plan
from sandbox.services.cloudformation.stack.records import Record, Stacks, check_not_busy, start_operation
from sandbox.services.cloudformation.template.errors import TemplateError

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine

NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*")
UPDATABLE = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "CREATE_FAILED",
    "UPDATE_FAILED",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
}
MAX_STACKS = 2000
LEAST_WAIT = 30.0


def stacks_of(call: Call) -> Stacks:
    return Stacks(call.engine, call.account, call.region)


def check_name(name: str) -> None:
    """ValidationError for what cannot name a stack."""
    if not NAME.fullmatch(name):
        constraint = "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
    elif len(name) > 128:
        constraint = "Member must have length less than or equal to 128"
    else:
        return
    raise TemplateError(
        f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: "
        f"{constraint}"
    )


def new_stack(call: Call, stacks: Stacks, name: str, request: dict[str, Any]) -> Record:
    """The record of a stack that is about to be made."""
    return {
        "StackId": stacks.new_id(name),
        "StackName": name,
        "StackStatus": "REVIEW_IN_PROGRESS",
        "CreationTime": call.engine.clock.now(),
        "Identity": submission.identity_of(call, request),
        "EnableTerminationProtection": bool(request.get("EnableTerminationProtection")),
        "TimeoutInMinutes": request.get("TimeoutInMinutes"),
        "StackPolicy": submission.stack_policy(call, request),
        "RollbackConfiguration": request.get("RollbackConfiguration"),
        "NotificationARNs": submission.topics(request),
        "ClientRequestToken": request.get("ClientRequestToken"),
        "Outputs": [],
        "Current": None,
        "Target": None,
    }


def begin(stacks: Stacks, stack: Record, target: Record, status: str, reason: str = "User Initiated") -> None:
    """Sets a stack on its way, in one write."""
    engine = stacks.engine
    with engine.store.transaction():
        failed = stack["Target"] if stack["StackStatus"] == "UPDATE_FAILED" else None
        target["Follows"] = [failed["Id"], *failed["Follows"]] if failed else []
        stack["Target"] = target
        stack.pop("TimedOut", None)
        stack.pop("Cancelled", None)
        start_operation(stack, "CREATE_STACK" if status.startswith("CREATE") else "UPDATE_STACK")
        if status.startswith(("UPDATE", "IMPORT")):
            stack["LastUpdatedTime"] = engine.clock.now()
        stacks.put(stack)
        stacks.set_status(stack["StackId"], status, reason)
        submit(stacks, stack["StackId"])
        if status == "CREATE_IN_PROGRESS" and stack.get("TimeoutInMinutes"):
            payload = {"account": stacks.account, "region": stacks.region, "target": target["Id"]}
            engine.tasks.submit(
                TIMEOUT, stack["StackId"], payload, after=patience(engine, stack["TimeoutInMinutes"] * 60.0)
            )


def patience(engine: Engine, seconds: float) -> float:
    """Real seconds for work that AWS gives so many: the clock's, but what really works has some time."""
    return max(engine.clock.scaled(seconds), min(seconds, LEAST_WAIT))


def _repeated(stack: Record, token: str | None, kind: str) -> bool:
    """Whether a request with this ClientRequestToken was taken already; AWS then answers as before."""
    if not token or stack.get("ClientRequestToken") != token:
        return False
    if stack.get("LastOperation") != kind:
        raise AwsError("TokenAlreadyExistsException", f"Token {token} was already used for another operation")
    return True


@operation("cloudformation", "CreateStack")
def create_stack(call: Call, **request: Any) -> dict[str, Any]:
    submission.refuse(request)
    stacks, name = stacks_of(call), request["StackName"]
    check_name(name)
    existing = stacks.find(name)
    if existing is not None:
        if _repeated(existing, request.get("ClientRequestToken"), "CREATE"):
            return _started(existing)
        raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")
    if len(stacks.names.keys()) >= MAX_STACKS:
        raise AwsError("LimitExceededException", f"Limit for stack has been exceeded: {MAX_STACKS}")
    body = submission.body_of(call, request)
    stack = new_stack(call, stacks, name, request) | {"LastOperation": "CREATE"}
    tags = submission.stack_tags(call, request)
    outline = submission.outline_of(call, stacks.place(stack), request, body, {})
    target = submission.target_of(outline, request, tags)
    with call.engine.store.transaction():
        if stacks.find(name) is not None:
            raise AwsError("AlreadyExistsException", f"Stack [{name}] already exists")
        stacks.insert(stack)
        begin(stacks, stack, target, "CREATE_IN_PROGRESS")
    return _started(stack)


def _started(stack: Record) -> dict[str, Any]:
    return {"StackId": stack["StackId"], "OperationId": (stack.get("Operation") or {}).get("OperationId")}


@operation("cloudformation", "UpdateStack")
def update_stack(call: Call, **request: Any) -> dict[str, Any]:
    submission.refuse(request)
    stacks = stacks_of(call)
    stack = living(stacks, request["StackName"])
    if _repeated(stack, request.get("ClientRequestToken"), "UPDATE"):
        return _started(stack)
    check_updatable(stack)
    last = stack["Current"] or stack["Target"]
    body = submission.body_of(call, request, last["TemplateBody"])
    identity = submission.identity_of(call, request, stack["Identity"])
    tags = submission.stack_tags(call, request, last["Tags"])
    during = submission.stack_policy(call, request, "StackPolicyDuringUpdate")
    new_policy = submission.stack_policy(call, request)
    if request.get("NotificationARNs") is not None:
        stack["NotificationARNs"] = submission.topics(request)
    outline = submission.outline_of(call, stacks.place(stack), request, body, last["Parameters"])
    target = submission.target_of(outline, request, tags) | {"StackPolicyDuringUpdate": during}
    planned = plan.make(outline, stacks, stack, tags, dynamic.values_of(lambda: call.session()))
    if (
        planned.empty
        and tags == last["Tags"]
        and stack["StackStatus"] not in ("CREATE_FAILED", "UPDATE_FAILED")
    ):
        raise TemplateError("No updates are to be performed.")
    with call.engine.store.transaction():
        stack = stacks.get(stack["StackId"])
        check_updatable(stack)
        stack |= {
            "Identity": identity,
            "ClientRequestToken": request.get("ClientRequestToken"),
            "LastOperation": "UPDATE",
            "StackPolicy": new_policy or stack.get("StackPolicy"),
        }
        if request.get("NotificationARNs") is not None:
            stack["NotificationARNs"] = submission.topics(request)
        if request.get("RollbackConfiguration") is not None:
            stack["RollbackConfiguration"] = request["RollbackConfiguration"]
        begin(stacks, stack, target, "UPDATE_IN_PROGRESS")
    return _started(stack)


def living(stacks: Stacks, name_or_id: str) -> Record:
    """A stack that is not deleted; ValidationError otherwise."""
    stack = stacks.find(name_or_id)
    if stack is None or stack["StackStatus"] == "DELETE_COMPLETE":
        raise TemplateError(f"Stack [{name_or_id}] does not exist")
    return stack


def check_updatable(stack: Record) -> None:
    check_not_busy(stack)
    if stack["StackStatus"] not in UPDATABLE:
        raise TemplateError(
            f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not be updated."
        )


@operation("cloudformation", "DeleteStack")
def delete_stack(call: Call, **request: Any) -> None:
    submission.refuse(request)
    stacks = stacks_of(call)
    stack = stacks.find(request["StackName"])
    if stack is None or stack["StackStatus"] in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS"):
        return
    _check_protection(call, stacks, stack)
    mode = request.get("DeletionMode")
    if mode == "FORCE_DELETE_STACK" and stack["StackStatus"] != "DELETE_FAILED":
        raise TemplateError(
            f"Invalid operation on stack [{stack['StackId']}]. DeletionMode FORCE_DELETE_STACK can only be "
            "specified for a stack in the DELETE_FAILED state"
        )
    kept = request.get("RetainResources") or []
    if kept and stack["StackStatus"] != "DELETE_FAILED":
        raise TemplateError(
            f"Invalid operation on stack [{stack['StackId']}]. Resources to retain can only be specified "
            "for a stack in the DELETE_FAILED state"
        )
    unknown = [name for name in kept if stacks.resource(stack["StackId"], name) is None]
    if unknown:
        raise TemplateError(f"The specified resources to retain must be in the stack: [{', '.join(unknown)}]")
    identity = submission.identity_of(call, request, stack["Identity"])
    with call.engine.store.transaction():
        stack = stacks.get(stack["StackId"])
        if stack["StackStatus"] in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS"):
            return
        if stack["StackStatus"] != "CREATE_IN_PROGRESS":
            check_not_busy(stack, "deleted")
        stack |= {
            "Identity": identity,
            "RetainResources": kept,
            "DeletionMode": mode,
            "ClientRequestToken": request.get("ClientRequestToken"),
            "LastOperation": "DELETE",
        }
        start_operation(stack, "DELETE_STACK")
        stacks.put(stack)
        stacks.set_status(stack["StackId"], "DELETE_IN_PROGRESS", "User Initiated")
        stop_phase(call.engine, stack["StackId"])
        submit(stacks, stack["StackId"])


def _check_protection(call: Call, stacks: Stacks, stack: Record) -> None:
    """A nested stack is protected as its root is, but from its parent, whose template decides."""
    root = stacks.find(stack["RootId"]) if stack.get("RootId") else stack
    if call.agent == SERVICE_PRINCIPAL and root is not stack:
        return
    if root is not None and root.get("EnableTerminationProtection"):
        raise TemplateError(
            f"Stack [{stack['StackName']}] cannot be deleted while TerminationProtection is enabled"
        )
