"""What a stack shows of the template, parameters and tags it is deployed with."""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.stack.records import Record
from sandbox.services.cloudformation.template.parameters import MASK


def deployed(stack: Record) -> Record:
    """What the stack shows of template, parameters and tags: the last deployment, or the one under way."""
    busy = stack["StackStatus"].endswith("_IN_PROGRESS") and "ROLLBACK" not in stack["StackStatus"]
    shown = (stack["Target"] if busy else None) or stack["Current"] or stack["Target"]
    return shown or {}


def parameters_of(shown: Record) -> list[dict[str, Any]]:
    hidden = set(shown.get("NoEcho", []))
    result = []
    for name, value in shown.get("Parameters", {}).items():
        item = {"ParameterKey": name, "ParameterValue": MASK if name in hidden else value}
        if name in shown["ResolvedParameters"]:
            item["ResolvedValue"] = MASK if name in hidden else shown["ResolvedParameters"][name]
        result.append(item)
    return result


def tags_of(shown: Record) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in shown.get("Tags", {}).items()]
