"""One resource: create, update in place, replace, restore, delete. Each is safe to run again."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import TypeVar

from sandbox.services.cloudformation.deploy.operation import Operation, expected_failures
from sandbox.services.cloudformation.resources.errors import is_missing, reason
from sandbox.services.cloudformation.resources.handler import Made, ResourceFailed, Stopped
from sandbox.services.cloudformation.schema.changes import changes
from sandbox.services.cloudformation.schema.validate import Invalid, validate
from sandbox.services.cloudformation.stack import policy
from sandbox.services.cloudformation.stack.lookups import Live, Shown
from sandbox.services.cloudformation.stack.outline import Outline
from sandbox.services.cloudformation.stack.records import Record
from sandbox.services.cloudformation.stack.tags import resource_tags
from sandbox.services.cloudformation.template.evaluate import Evaluator
from sandbox.services.cloudformation.template.parameters import MASK

__all__ = ["ResourceFailed", "delete", "deploy", "new", "reason", "restore", "touch", "touched", "wanted"]

T = TypeVar("T")
log = logging.getLogger(__name__)

REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."
_NOT_IMPORTED = (
    ": to import it by ImportExistingResources is not implemented by the sandbox, use ResourcesToImport"
)
_SNAPSHOT = (
    "PhysicalResourceId",
    "Properties",
    "Tags",
    "Attributes",
    "Token",
    "DeletionPolicy",
    "UpdateReplacePolicy",
    "DependsOn",
    "ResourceType",
    "NoEcho",
    "Shown",
)


def deploy(operation: Operation, outline: Outline, target: Record, name: str) -> bool:
    """Brings one resource to what the template asks for. False: it failed, and its record says why."""
    stack, stacks = operation.stack, operation.stacks
    record = stacks.resource(operation.stack_id, name)
    if record is not None and record.get("Done") == target["Id"]:
        return True
    if record is not None and record.get("HalfMade") and record.get("Started") == target["Id"]:
        return False  # it failed before the operation was cut off
    try:
        asked = wanted(operation, outline, target, name)
    except expected_failures() as error:
        record = record or new(outline, name)
        status = "UPDATE_FAILED" if record.get("PhysicalResourceId") else "CREATE_FAILED"
        text = str(error) if isinstance(error, Invalid) else getattr(error, "message", str(error))
        touch(record, target)
        stacks.set_resource_status(stack, record, status, text)
        return False
    if record is not None and record.get("HalfMade") and not _cleared(operation, record, target):
        return False
    if record is None or not record.get("PhysicalResourceId") or record.get("Started") == target["Id"]:
        return _create(operation, record or new(outline, name), asked, target)
    found = changes(operation.schema(record["ResourceType"]), record["Properties"], asked["Properties"])
    settled = record["ResourceStatus"] != "UPDATE_IN_PROGRESS" and not record.get("Attempted")
    settled = settled and not operation.handler(record["ResourceType"]).always
    if settled and not found and record["Tags"] == asked["Tags"]:
        record |= {key: asked[key] for key in ("DeletionPolicy", "UpdateReplacePolicy", "DependsOn")}
        record["Done"] = target["Id"]
        stacks.put_resource(operation.stack_id, record)
        return True
    replaced = any(change.recreation != "Never" for change in found)
    try:
        policy.enforce(stack, target, record, "Update:Replace" if replaced else "Update:Modify")
    except policy.Denied as error:
        touch(record, target)
        stacks.set_resource_status(stack, record, "UPDATE_FAILED", str(error))
        return False
    if replaced:
        return _replace(operation, record, asked, target)
    return _update(operation, record, asked, target)


def wanted(operation: Operation, outline: Outline, target: Record, name: str) -> Record:
    """What the resource's record shall be: properties as evaluated now, tags, policies."""
    declared = outline.active[name]
    live = Live(operation.stacks, operation.stack_id, operation.stored)
    evaluator = Evaluator(outline.template, outline.values, outline.place, live)
    schema = operation.schema(declared["Type"])
    properties = validate(name, schema, evaluator.value(declared.get("Properties", {})))
    operation.handler(declared["Type"]).check(name, properties)
    for imported in live.imports:
        operation.stacks.imports.put(
            f"{imported}|{operation.stack_id}",
            {"Name": imported, "StackId": operation.stack_id, "StackName": operation.place.stack_name},
        )
    return {
        "ResourceType": declared["Type"],
        "Properties": properties,
        "Shown": _shown(operation, evaluator, target, declared),
        "Tags": resource_tags(schema, operation.place, name, target["Tags"], properties),
        "DeletionPolicy": declared.get("DeletionPolicy", "Delete"),
        "UpdateReplacePolicy": declared.get("UpdateReplacePolicy", "Delete"),
        "DependsOn": outline.edges[name],
    }


def _shown(operation: Operation, evaluator: Evaluator, target: Record, declared: Record) -> Record | None:
    """The properties as events tell them, where they may hold a secret; None: as they are."""
    stacks, stack_id = operation.stacks, operation.stack_id
    hidden = set(target["NoEcho"])
    secrets = any(record.get("NoEcho") for record in stacks.resources_of(stack_id).values())
    properties: Record = declared.get("Properties", {})
    if not hidden and not secrets and "{{resolve:" not in evaluator.template.body:
        return None
    try:
        shown: Record = evaluator.shown(Shown(stacks, stack_id), hidden).value(properties)
    except expected_failures():  # a mask that a function cannot work on
        return dict.fromkeys(properties, MASK)
    return shown


def new(outline: Outline, name: str) -> Record:
    """The record of a resource that does not exist yet."""
    declared = outline.active[name]
    return {
        "LogicalResourceId": name,
        "ResourceType": declared["Type"],
        "ResourceStatus": "CREATE_IN_PROGRESS",
        "Token": str(uuid.uuid4()),
        "Properties": None,
        "Tags": {},
        "DependsOn": outline.edges[name],
        "DeletionPolicy": declared.get("DeletionPolicy", "Delete"),
        "UpdateReplacePolicy": declared.get("UpdateReplacePolicy", "Delete"),
    }


def touch(record: Record, target: Record) -> None:
    """Remembers, once an operation, what the resource was before it (and before failed ones it follows)."""
    if not touched(record, target):
        exists = bool(record.get("PhysicalResourceId"))
        record["Before"] = {key: record.get(key) for key in _SNAPSHOT} if exists else None
    record["Touched"] = target["Id"]


def touched(record: Record, target: Record) -> bool:
    """Whether the operation, or a failed one that it follows without a rollback between, touched it."""
    return record.get("Touched") in (target["Id"], *target["Follows"])


def _create(operation: Operation, record: Record, wanted: Record, target: Record) -> bool:
    stack, stacks = operation.stack, operation.stacks
    replacing = bool(record.get("Replacing"))
    verb = "UPDATE" if replacing else "CREATE"
    resumed = record.get("Started") == target["Id"]
    if not resumed:
        touch(record, target)
        record |= wanted | {"Started": target["Id"]}
        stacks.set_resource_status(stack, record, f"{verb}_IN_PROGRESS", REPLACING if replacing else None)
    handler = operation.handler(record["ResourceType"])

    def make() -> Made:
        if record.get("PhysicalResourceId"):
            made = Made(record["PhysicalResourceId"], record.get("Attributes") or {})
        else:
            made = handler.create(operation.request(record, resumed=resumed))
            record.update({"PhysicalResourceId": made.physical_id, "Attributes": made.attributes})
            stacks.set_resource_status(stack, record, f"{verb}_IN_PROGRESS", "Resource creation Initiated")
        return handler.wait(operation.request(record), made)

    made, error = _attempt(record, make)
    if made is None:
        left = getattr(error, "made", None)
        if left is not None:  # the way back deletes it
            record |= {"PhysicalResourceId": left.physical_id, "Attributes": left.attributes}
        record["HalfMade"] = bool(record.get("PhysicalResourceId"))
        return _failed(operation, record, f"{verb}_FAILED", error)
    record |= _of(made) | {"Done": target["Id"]}
    record.pop("Replacing", None)
    stacks.set_resource_status(stack, record, f"{verb}_COMPLETE")
    return True


def _cleared(operation: Operation, record: Record, target: Record) -> bool:
    """Deletes what an earlier operation's creation left when it failed: the resource is made anew. False: it
    cannot be deleted."""
    touch(record, target)
    if not delete(operation, record, retain=False):
        return False
    record |= {"PhysicalResourceId": "", "Attributes": {}, "Token": str(uuid.uuid4()), "HalfMade": False}
    record.pop("Started", None)
    return True


def _of(made: Made) -> Record:
    return {
        "PhysicalResourceId": made.physical_id,
        "Attributes": made.attributes,
        "NoEcho": made.no_echo,
    }


def _replace(operation: Operation, record: Record, wanted: Record, target: Record) -> bool:
    """Sets the resource aside as retired and creates its successor; the cleanup deletes the retired one."""
    stacks = operation.stacks
    with operation.engine.store.transaction():
        touch(record, target)
        _retire(
            operation, {key: record.get(key) for key in _SNAPSHOT}, record["LogicalResourceId"], "Replaced"
        )
        record |= {"PhysicalResourceId": "", "Attributes": {}, "Token": str(uuid.uuid4()), "Replacing": True}
        record.pop("Started", None)
        stacks.put_resource(operation.stack_id, record)
    return _create(operation, record, wanted, target)


def _retire(operation: Operation, snapshot: Record, logical_id: str, why: str) -> None:
    key = f"{operation.stack_id}|{logical_id}|{snapshot['PhysicalResourceId']}"
    operation.stacks.retired.put(key, snapshot | {"LogicalResourceId": logical_id, "Why": why})


def _update(operation: Operation, record: Record, wanted: Record, target: Record) -> bool:
    stack, stacks = operation.stack, operation.stacks
    if record["ResourceStatus"] != "UPDATE_IN_PROGRESS" or record.get("Touched") != target["Id"]:
        touch(record, target)
        handler = operation.handler(record["ResourceType"])
        record["Before"].setdefault("Content", handler.content(operation.request(record)))
        record["Attempting"] = {"Properties": wanted["Properties"], "Tags": wanted["Tags"]}
        stacks.set_resource_status(stack, record, "UPDATE_IN_PROGRESS")
    return _change(operation, record, wanted, target, forward=True)


def _change(operation: Operation, record: Record, wanted: Record, target: Record, *, forward: bool) -> bool:
    """Calls the handler's update from what is deployed, or was attempted, to what is wanted."""
    handler = operation.handler(record["ResourceType"])
    deployed = record.get("Attempted") or record
    request = operation.request(
        record,
        properties=wanted["Properties"],
        tags=wanted["Tags"],
        previous=deployed["Properties"],
        previous_tags=deployed["Tags"],
        content=None if forward else (record.get("Before") or {}).get("Content"),
    )

    tried = False

    def make() -> Made:
        nonlocal tried
        handler.check_update(request)
        tried = True
        return handler.wait(request, handler.update(request))

    made, error = _attempt(record, make)
    if made is None:
        if not tried:  # refused before the service was asked: nothing is to be undone
            record.pop("Attempting", None)
        elif forward:
            # The service may have taken part of it: a rollback must bring back all that was to change.
            record["Attempted"] = {"Properties": wanted["Properties"], "Tags": wanted["Tags"]}
        return _failed(operation, record, "UPDATE_FAILED", error)
    with operation.engine.store.transaction():
        if made.physical_id != record["PhysicalResourceId"] and handler.replaces:
            _succeed(operation, record, made.physical_id, forward=forward)
        record.pop("Attempted", None)
        record.pop("Attempting", None)
        record |= wanted | _of(made) | {"Done": target["Id"]}
        operation.stacks.set_resource_status(operation.stack, record, "UPDATE_COMPLETE")
    return True


def _succeed(operation: Operation, record: Record, physical_id: str, *, forward: bool) -> None:
    """Sets aside the resource whose update answered with another physical id; a rollback may answer with
    the first one again, which then is not to be deleted."""
    snapshot = {key: record.get(key) for key in _SNAPSHOT}
    snapshot |= {} if forward else record.get("Attempted") or {}
    name = record["LogicalResourceId"]
    _retire(operation, snapshot, name, "Replaced" if forward else "Abandoned")
    operation.stacks.retired.delete(f"{operation.stack_id}|{name}|{physical_id}")


def _failed(operation: Operation, record: Record, status: str, error: Exception | None) -> bool:
    assert error is not None
    identifier = record.get("PhysicalResourceId") or _named(operation, record)
    if isinstance(error, Invalid):
        text = str(error)
    else:
        text = reason(record["ResourceType"], identifier, record["Token"], error)
    if "HandlerErrorCode: AlreadyExists" in text and (operation.stack["Target"] or {}).get(
        "ImportExistingResources"
    ):
        text += _NOT_IMPORTED
    if isinstance(error, Stopped) and status == "UPDATE_FAILED":
        text = "Resource update cancelled"
    operation.stacks.set_resource_status(operation.stack, record, status, text)
    return False


def _named(operation: Operation, record: Record) -> str:
    """The identifier that the template itself gives a resource; empty where it gives none."""
    identifiers = operation.schema(record["ResourceType"]).primary_identifier
    given = (record.get("Properties") or {}).get(identifiers[0]) if len(identifiers) == 1 else None
    return given if isinstance(given, str) else ""


def restore(operation: Operation, target: Record, name: str) -> bool:
    """Brings a resource that the failed operation `target` touched back to what it was before."""
    stacks = operation.stacks
    record = stacks.resource(operation.stack_id, name)
    if record is None or not touched(record, target) or record.get("Restored") == target["Id"]:
        return True
    before = record.get("Before")
    if before is None:
        return True  # made by the failed operation: the cleanup deletes it
    succeeded = record.get("PhysicalResourceId") != before["PhysicalResourceId"]
    if succeeded and not (record.get("PhysicalResourceId") and _replaces(operation, record)):
        with operation.engine.store.transaction():
            if record.get("PhysicalResourceId"):
                _retire(operation, {key: record.get(key) for key in _SNAPSHOT}, name, "Abandoned")
            stacks.retired.delete(f"{operation.stack_id}|{name}|{before['PhysicalResourceId']}")
            record |= before
            record.pop("Replacing", None)
            record.pop("HalfMade", None)
            record["Restored"] = target["Id"]
            stacks.set_resource_status(operation.stack, record, "UPDATE_COMPLETE")
        return True
    if "Attempting" in record:  # cut off before its outcome was known
        record.setdefault("Attempted", record.pop("Attempting"))
    same = record["Properties"] == before["Properties"] and record["Tags"] == before["Tags"]
    same = same and not record.get("Attempted") and not operation.handler(record["ResourceType"]).always
    if same and record["ResourceStatus"] not in ("UPDATE_FAILED", "UPDATE_IN_PROGRESS"):
        return True
    if same:
        record["Restored"] = target["Id"]
        stacks.set_resource_status(operation.stack, record, "UPDATE_COMPLETE")
        return True
    stacks.set_resource_status(operation.stack, record, "UPDATE_IN_PROGRESS")
    wanted = {
        key: before[key] for key in _SNAPSHOT if key not in ("PhysicalResourceId", "Attributes", "Token")
    }
    if not _change(operation, record, wanted, target, forward=False):
        return False
    record["Restored"] = target["Id"]
    stacks.put_resource(operation.stack_id, record)
    return True


def _replaces(operation: Operation, record: Record) -> bool:
    """Whether a resource with a successor goes back by an update of the successor, as a provider's does."""
    return operation.handler(record["ResourceType"]).replaces


def delete(operation: Operation, record: Record, retain: bool) -> bool:
    """Deletes a resource, or leaves it where `retain` says so. False: it failed."""
    if not record.get("PhysicalResourceId"):
        record["ResourceStatus"] = "DELETE_COMPLETE"
        return True
    if retain:
        _deletion(operation, record, "DELETE_SKIPPED")
        return True
    _deletion(operation, record, "DELETE_IN_PROGRESS")
    _, error = _attempt(
        record, lambda: operation.handler(record["ResourceType"]).delete(operation.request(record))
    )
    if error is not None and not _gone(error):
        text = reason(record["ResourceType"], record["PhysicalResourceId"], record["Token"], error)
        _deletion(operation, record, "DELETE_FAILED", text)
        return False
    _deletion(operation, record, "DELETE_COMPLETE")
    return True


def _deletion(operation: Operation, record: Record, status: str, why: str | None = None) -> None:
    """A step of a deletion. A retired predecessor has events, too, but is no resource of the stack."""
    if "Why" not in record:
        operation.stacks.set_resource_status(operation.stack, record, status, why)
        return
    record |= {"ResourceStatus": status, "ResourceStatusReason": why}
    operation.stacks.resource_event(operation.stack, record, status, why)


def _attempt(record: Record, action: Callable[[], T]) -> tuple[T | None, Exception | None]:
    """What a handler's action gives, or why it failed. A fault of the handler itself is logged, too."""
    try:
        return action(), None
    except expected_failures() as error:
        return None, error
    except Exception as error:
        log.exception("%s %s", record["ResourceType"], record["LogicalResourceId"])
        return None, error


def _gone(error: Exception) -> bool:
    from botocore.exceptions import ClientError

    return isinstance(error, ClientError) and is_missing(error)
