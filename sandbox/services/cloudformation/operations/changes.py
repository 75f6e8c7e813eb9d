"""How a change set shows what a plan would do to one resource.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sandbox.services.cloudformation.resources import handler_of
from sandbox.services.cloudformation.stack.plan import Step
from sandbox.services.cloudformation.stack.records import Record
from sandbox.services.cloudformation.template.unknown import Unknown, unknowns

KNOWN_AFTER_APPLY = "{{changeSet:KNOWN_AFTER_APPLY}}"
_CONTEXTS = ("BeforeContext", "AfterContext")
_AUTOMATIC: dict[str, Any] = {
    "Target": {"Attribute": "Properties", "RequiresRecreation": "Never"},
    "Evaluation": "Dynamic",
    "ChangeSource": "Automatic",
}
"""A nested stack: whether its template changed is known once it is updated."""
_VALUES = ("BeforeValue", "AfterValue")


def change_of(
    step: Step, record: Record, causes: Callable[[str, str], list[str]] = lambda name, path: []
) -> dict[str, Any]:
    """The ResourceChange of a planned step; `record`: the resource as it is, empty for one to add.

    `causes`: the changed parameters that a property of a resource refers to.
    """
    change: dict[str, Any] = {
        "Action": step.action,
        "LogicalResourceId": step.logical_id,
        "PhysicalResourceId": step.physical_id,
        "ResourceType": step.type,
        "Scope": [],
        "Details": [],
    }
    if step.action != "Add":
        change["BeforeContext"] = _shown({"Properties": record.get("Properties") or {}})
    if step.action != "Remove":
        change["AfterContext"] = _shown({"Properties": step.properties})
    if step.action == "Remove":
        kept = record.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate")
        change["PolicyAction"] = "Retain" if kept else "Delete"
    if step.action != "Modify":
        return change
    change["Replacement"] = step.replacement
    if step.replacement == "True":
        kept = record.get("UpdateReplacePolicy") == "Retain"
        change["PolicyAction"] = "ReplaceAndRetain" if kept else "ReplaceAndDelete"
    tags = [item for item in step.changes if item.path == "Tags"]
    if tags or step.tags_changed:
        change["Scope"].append("Tags")
        target = {"Attribute": "Tags", "RequiresRecreation": "Never"}
        change["Details"].extend(_static(target, causes(step.logical_id, "Tags")))
    handler = handler_of(step.type)
    if handler is not None and handler.always:
        change["Scope"].append("Properties")
        change["Details"].append(_AUTOMATIC)
    others = [item for item in step.changes if item.path != "Tags"]
    if others:
        change["Scope"] = ["Properties", *(name for name in change["Scope"] if name != "Properties")]
    for item in others:
        change["Details"].extend(_details(item, causes(step.logical_id, item.path)))
    return change


def _shown(value: Any) -> str:
    """A value as text; what only the deployment will tell is named as AWS names it."""
    if isinstance(value, Unknown):
        return KNOWN_AFTER_APPLY
    return value if isinstance(value, str) else json.dumps(value, default=lambda _: KNOWN_AFTER_APPLY)


def _static(target: dict[str, Any], parameters: list[str]) -> list[dict[str, Any]]:
    """A change that is known now: made in the template, or by a parameter."""
    direct = {"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"}
    if not parameters:
        return [direct]
    by_parameter = [
        {
            "Target": target,
            "Evaluation": "Static",
            "ChangeSource": "ParameterReference",
            "CausingEntity": name,
        }
        for name in parameters
    ]
    return [*by_parameter, direct | {"Evaluation": "Dynamic"}]


def _details(item: Any, parameters: list[str]) -> list[dict[str, Any]]:
    target = {
        "Attribute": "Properties",
        "Name": item.path,
        "RequiresRecreation": item.recreation,
        "BeforeValue": None if item.before is None else _shown(item.before),
        "AfterValue": None if item.after is None else _shown(item.after),
    }
    sources = sorted(unknowns(item.after), key=str)
    if not sources:
        return _static(target, parameters)
    details = []
    for logical_id, attribute in sources:
        source = "ResourceAttribute" if attribute else "ResourceReference"
        entity = f"{logical_id}.{attribute}" if attribute else logical_id
        details.append(
            {"Target": target, "Evaluation": "Dynamic", "ChangeSource": source, "CausingEntity": entity}
        )
    return details


def without_values(change: dict[str, Any]) -> dict[str, Any]:
    """A change as it is shown unless IncludePropertyValues is asked for."""
    shown = {key: item for key, item in change["ResourceChange"].items() if key not in _CONTEXTS}
    for detail in shown["Details"]:
        for name in _VALUES:
            detail["Target"].pop(name, None)
    return change | {"ResourceChange": shown}
